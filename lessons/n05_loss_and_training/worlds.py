"""Hand-made models, probes and wrong answers for the training exercises of notebook 05."""

import math
from collections.abc import Callable
from itertools import islice
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from helpers import models, training
from helpers.datasets import Bags
from lessons.comparing import kind
from lessons.judging import Wrong

SUMS = "training is right, but you return a sum of losses, not yet a mean over the samples."
ADDED_UP = "even with a momentum of 0 each step holds the gradients of all steps before."

# --- 05.2: an epoch -------------------------------------------------------------------------


class Halved(nn.Module):
    """Its logits [batch] are a line in its inputs; in evaluation mode they are half as large.

    Of `Bags` the inputs are the numbers of tokens minus 1.5.
    """

    def __init__(self) -> None:
        super().__init__()
        self.slope, self.shift = (nn.Parameter(torch.tensor(value)) for value in (0.7, -0.4))

    def forward(self, inputs: Tensor | Bags) -> Tensor:
        """Map a batch to logits [batch]."""
        values = inputs.offsets.diff() - 1.5 if isinstance(inputs, Bags) else inputs
        return (self.slope * values + self.shift) * (1 if self.training else 0.5)


def by_class(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error to -1 or 1, a loss that needs class numbers."""
    table = torch.stack([outputs + 1, outputs - 1], dim=1)
    return table[torch.arange(len(targets)), targets].square().mean()


class Elsewhere(Tensor):
    """A tensor that notes when it is moved to the CPU, where the models are."""

    moved = False

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Return an ordinary tensor."""
        self.moved = super().to(*args, **kwargs).device.type == "cpu"
        return self.as_subclass(Tensor)


class Batches(list):
    """Batches of inputs and targets, as a loader gives them."""

    @property
    def dataset(self) -> list:
        """Something as long as the data set."""
        return [target for _, targets in self for target in targets]


def world(as_bags: bool = False, *loss: Callable) -> tuple:
    """Return what `train_epoch` takes: seven samples in batches of 3, and a loss if given."""
    numbers, targets = [2.0, -1.0, 0.5, 1.0, 0.3, -2.0, -4.0], [1, 0, 0, 1, 1, 0, 1]
    inputs = [bags([0], [], [1, 2, 3]), bags([1, 2], [0], []), bags([0, 1, 2, 3])]
    away = [part.as_subclass(Elsewhere) for part in (torch.tensor(numbers), torch.tensor(targets))]
    bagged = [Bags(*(part.as_subclass(Elsewhere) for part in bags)) for bags in inputs]
    parts = zip(bagged if as_bags else away[0].split(3), away[1].split(3), strict=True)
    model = Halved().eval()
    return model, Batches(parts), torch.optim.SGD(model.parameters(), lr=0.5), *loss


def trained(train_epoch: Callable, model: nn.Module, *rest: Any) -> Any:
    """Return the loss, the parameters, the mode, and whether a batch went to the model's device."""
    outside = {"device": torch.device("meta")}  # the notebook's, which need not be the model's
    with mock.patch.dict(getattr(train_epoch, "__globals__", {}), outside):
        result = train_epoch(model, *rest)
    if result is None or result is ...:
        return result
    inputs, targets = rest[0][0]
    batch = [*inputs, targets] if isinstance(inputs, Bags) else [inputs, targets]
    moved = all(part.moved for part in batch)
    return result, torch.stack([*model.parameters()]), model.training, moved


def epoch(
    steps: str = "zbs",
    at_the_end: str = "",
    mean: Callable = lambda means, sizes: means @ sizes / sum(sizes),
    trains: bool = True,
    own_loss: bool = False,
    of: int = 1,
    most: int | None = None,
    moves: bool = True,
) -> Callable:
    """Return an answer to 05.2, right unless an argument says otherwise.

    `steps` are zero_grad, backward and step in their order; the size of a batch is the length of
    its part number `of`; training ends after `most` batches, with the steps `at_the_end`.
    """

    def train_epoch(
        model: nn.Module,
        loader: list,
        optimizer: torch.optim.Optimizer,
        loss: Callable = training.classification_loss,
    ) -> Any:
        model.train(trains)
        losses: list[float] = []
        sizes: list[int] = []
        for pair in islice(loader, most):
            pair = [part.to("cpu") if moves else part for part in pair]
            value = (training.classification_loss if own_loss else loss)(model(pair[0]), pair[1])
            actions = {"z": optimizer.zero_grad, "b": value.backward, "s": optimizer.step}
            for letter in steps + at_the_end * (len(losses) == len(loader) - 1):
                actions[letter]()
            losses.append(value.item())
            sizes.append(len(pair[of]))
        return mean(np.array(losses), sizes)

    return train_epoch


# --- 05.3, V.3.b: two logits ------------------------------------------------------------------


def bags(*reviews: list[int]) -> Bags:
    """Return a batch of reviews, each a list of ids."""
    ids = [token for review in reviews for token in review]
    offsets = torch.tensor([0, *map(len, reviews)]).cumsum(0)
    return Bags(torch.tensor(ids).int(), offsets.int())


def waves(*shape: int) -> Tensor:
    """Return numbers without a pattern."""
    return torch.sin(torch.arange(1, math.prod(shape) + 1) * 2.3).reshape(shape)


def outputs_of(cls: type, sizes: tuple[int, int], bags: Bags) -> Any:
    """Make a model with parameters of our own; return its logits and chances, and what it keeps."""
    model = cls(*sizes)
    if next(model.hidden.parameters()).numel() != math.prod(sizes):
        raise Wrong("`hidden` goes from vocab_size to hidden_size, the two arguments.")
    with torch.no_grad():
        for name in ("hidden", "output"):
            for parameter in getattr(model, name).parameters():
                parameter.copy_(2 * waves(*parameter.shape))
    found = {"forward": model(bags)}
    if getattr(found["forward"], "shape", None) != (len(bags.offsets) - 1, 2):
        return found["forward"], *[None] * 3
    found["chances"] = model.chances(bags)
    recorded = [name for name, one in found.items() if getattr(one, "requires_grad", False)]
    return *found.values(), ", ".join(recorded), model.training


def two_logits(
    records: str = "forward",
    between: Callable = torch.relu,
    last: Callable = lambda logits: logits,
    read: Callable = lambda logits: logits.softmax(1)[:, 1],
) -> type:
    """Return an answer to 05.3, right unless an argument says otherwise."""

    class TwoLogitMLP(nn.Module):
        def __init__(self, vocab_size: int, hidden_size: int = 200) -> None:
            super().__init__()
            self.hidden = models.BagLinear(vocab_size, hidden_size)
            self.output = nn.Linear(hidden_size, 2)

        def forward(self, bags: Bags) -> Tensor:
            with torch.set_grad_enabled("forward" in records):
                return last(self.output(between(self.hidden(bags))))

        def chances(self, bags: Bags) -> Tensor:
            logits = self(bags)
            return read(logits if "chances" in records else logits.detach())

    return TwoLogitMLP


def parameters_of(one_output: Callable, two_outputs: nn.Linear) -> Any:
    """Return the weight [hidden] and the bias of the new layer; refuse what is none."""
    answer = one_output(two_outputs)
    if answer is None or answer is ...:
        return answer
    if not isinstance(answer, nn.Linear):
        raise Wrong(f"return an nn.Linear; this is {kind(answer)}.")
    if answer.weight.shape != (1, two_outputs.in_features):
        raise Wrong(f"the new weight is {[*answer.weight.shape]}; [1, hidden] is asked for.")
    return answer.weight[0], answer.bias


def two_outputs(hidden_size: int) -> tuple[nn.Linear]:
    """Return the argument of V.3.b."""
    layer = nn.Linear(hidden_size, 2)
    with torch.no_grad():
        layer.weight.copy_(waves(2, hidden_size))
        layer.bias.copy_(torch.tensor([0.3, -0.8]))
    return (layer,)


def combined(weight: Callable, bias: Callable | None = None) -> Callable:
    """Return an answer to V.3.b that makes the new weight, and bias, of the two rows."""

    @torch.no_grad()
    def one_output(two_outputs: nn.Linear) -> nn.Linear:
        made = nn.Linear(two_outputs.in_features, 1)
        made.weight.copy_(weight(*two_outputs.weight))
        made.bias.copy_((bias or weight)(*two_outputs.bias))
        return made

    return one_output


# --- 05.4: gradient descent ------------------------------------------------------------------


def bowl(weights: Tensor) -> Tensor:
    """Give a loss with different slopes in each direction."""
    return (weights.square() * torch.arange(1, len(weights) + 1)).sum() / 2 + weights.prod() / 4


def descent(
    remember: Callable = lambda velocity, gradient, momentum: momentum * velocity + gradient,
    sign: int = -1,
    kept: Callable = lambda path: path,
    power: int = 1,
    clears: bool = True,
) -> Callable:
    """Return an answer to 05.4, right unless an argument says otherwise."""

    def descend(
        loss: Callable, start: Tensor, lr: float, num_steps: int, momentum: float = 0.0
    ) -> Tensor:
        path, velocity, before = [start], torch.zeros_like(start), torch.zeros_like(start)
        for _ in range(num_steps):
            weights = path[-1].clone().requires_grad_()
            (gradient,) = torch.autograd.grad(loss(weights), weights)
            before = gradient if clears else before + gradient
            velocity = remember(velocity, before, momentum)
            path.append(path[-1] + sign * lr**power * velocity)
        return torch.stack(kept(path))

    return descend


def without_optimizer(
    descend: Callable, loss: Callable, start: Tensor, lr: float, num_steps: int, momentum: float
) -> Any:
    """Return the path; refuse it if an optimizer of PyTorch's is made."""
    refusal = Wrong("no optimizer is allowed here: take the steps yourself.")
    with mock.patch("torch.optim.Optimizer.__init__", side_effect=refusal):
        return descend(loss, start, lr, num_steps, momentum)
