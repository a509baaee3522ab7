"""Hand-made models, probes and wrong answers for the training exercises of notebook 05."""

import math
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers import models, training
from helpers.datasets import Bags

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


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error: another loss than the usual one."""
    return (outputs - targets).square().mean()


def world(as_bags: bool = False, *loss: Callable) -> tuple:
    """Return what `train_epoch` takes: seven samples in batches of 3, and a loss if given."""
    numbers, targets = [2.0, -1.0, 0.5, 1.0, 0.3, -2.0, -4.0], [1, 0, 0, 1, 1, 0, 1]
    inputs = [bags([0], [], [1, 2, 3]), bags([1, 2], [0], []), bags([0, 1, 2, 3])]
    parts = zip(
        inputs if as_bags else torch.tensor(numbers).split(3),
        torch.tensor(targets).split(3),
        strict=True,
    )
    model = Halved().eval()
    return model, [*parts], torch.optim.SGD(model.parameters(), lr=0.5), *loss


def trained(train_epoch: Callable, model: nn.Module, *rest: Any) -> Any:
    """Return the loss, the parameters afterwards, and whether the model is in training mode."""
    result = train_epoch(model, *rest)
    if result is None or result is ...:
        return result
    return result, torch.stack([*model.parameters()]), model.training


def weighted(losses: np.ndarray, sizes: list[int]) -> float:
    """Average the means of batches over their samples."""
    return float(losses @ sizes / sum(sizes))


def epoch(
    steps: str = "zbs",
    mean: Callable = weighted,
    mode: bool | None = True,
    own_loss: bool = False,
    of: int = 1,
    most: int | None = None,
) -> Callable:
    """Return an answer to 05.2, right unless an argument says otherwise.

    `steps` are zero_grad, backward and step in their order; the size of a batch is the length of
    its part number `of`; training ends after `most` batches.
    """

    def train_epoch(
        model: nn.Module,
        loader: list,
        optimizer: torch.optim.Optimizer,
        loss: Callable = training.classification_loss,
    ) -> Any:
        if mode is not None:
            model.train(mode)
        losses, sizes = [], []
        for pair in islice(loader, most):
            value = (training.classification_loss if own_loss else loss)(model(pair[0]), pair[1])
            actions = {"z": optimizer.zero_grad, "b": value.backward, "s": optimizer.step}
            for letter in steps:
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


def outputs_of(cls: type, sizes: tuple[int, int], batch: Bags) -> Any:
    """Make a model with parameters of our own; return its logits and its chances for a batch."""
    model = cls(*sizes)
    with torch.no_grad():
        for name in ("hidden", "output"):
            for parameter in getattr(model, name).parameters():
                parameter.copy_(2 * waves(*parameter.shape))
    chances = model.chances(batch)
    recorded = isinstance(chances, Tensor) and chances.requires_grad
    return model(batch), "recorded" if recorded else chances


def two_logits(
    between: Callable = torch.relu,
    last: Callable = lambda logits: logits,
    read: Callable = lambda logits: logits.softmax(1)[:, 1],
    records: bool = False,
) -> type:
    """Return an answer to 05.3, right unless an argument says otherwise."""

    class TwoLogitMLP(nn.Module):
        def __init__(self, vocab_size: int, hidden_size: int) -> None:
            super().__init__()
            self.hidden = models.BagLinear(vocab_size, hidden_size)
            self.output = nn.Linear(hidden_size, 2)

        def forward(self, bags: Bags) -> Tensor:
            return last(self.output(between(self.hidden(bags))))

        def chances(self, bags: Bags) -> Tensor:
            with torch.set_grad_enabled(records):
                return read(self(bags))

    return TwoLogitMLP


def logits_of(one_output: Callable, layer: nn.Linear) -> Any:
    """Return the logits [4, 1] that the new layer gives for four hidden vectors."""
    answer = one_output(layer)
    return answer if not isinstance(answer, nn.Module) else answer(waves(4, layer.in_features))


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
    def one_output(layer: nn.Linear) -> nn.Linear:
        made = nn.Linear(layer.in_features, 1)
        made.weight.copy_(weight(*layer.weight))
        made.bias.copy_((bias or weight)(*layer.bias))
        return made

    return one_output


# --- 05.5: gradient descent in two dimensions ------------------------------------------------


def bowl(weights: Tensor) -> Tensor:
    """Give a loss with different slopes in each direction."""
    return (weights.square() * torch.arange(1, len(weights) + 1)).sum() / 2 + weights.prod() / 4


def descent(
    remember: Callable = lambda velocity, gradient, momentum: momentum * velocity + gradient,
    sign: int = -1,
    kept: Callable = lambda path: path,
) -> Callable:
    """Return an answer to 05.5, right unless an argument says otherwise."""

    def descend(
        loss: Callable, start: Tensor, lr: float, num_steps: int, momentum: float = 0.0
    ) -> Tensor:
        path, velocity = [start], torch.zeros_like(start)
        for _ in range(num_steps):
            weights = path[-1].clone().requires_grad_()
            (gradient,) = torch.autograd.grad(loss(weights), weights)
            velocity = remember(velocity, gradient, momentum)
            path.append(path[-1] + sign * lr * velocity)
        return torch.stack(kept(path))

    return descend
