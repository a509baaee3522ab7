"""Exercises 00.7 to 00.9: the training step, the training loop and the test loop."""

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector
from torch.optim import SGD
from torch.utils.data import DataLoader, TensorDataset

LOGITS, TARGETS = [2.0, -1.0, 0.3, -2.0, 3.0, -0.5, 0.2], [1, 0, 1, 1, 0, 0, 1]


def linear() -> nn.Sequential:
    """Return a model with one layer and known weights: points [batch, 2] to logits [batch]."""
    model = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    model[0].weight.data, model[0].bias.data = torch.tensor([[0.5, -1.0]]), torch.tensor([0.2])
    return model


UNTRAINED = parameters_to_vector(linear().parameters()).tolist()


def plain(loss: Any) -> Any:
    """Return a loss or several, with a text in the place of each on which its graph hangs."""
    if isinstance(loss, list | tuple):
        return [*map(plain, loss)]
    return "graph" if isinstance(loss, Tensor) and loss.requires_grad else loss


def step(
    order: str = "zero backward step",
    pair: Callable = lambda logits, targets: (logits, targets),
    value: Callable = lambda loss, again: loss.item(),
) -> Callable:
    """Return a training step that does these things in this order."""

    def train_step(
        model: nn.Module, inputs: Tensor, targets: Tensor, loss_function: Callable, optimizer: Any
    ) -> Any:
        def forward() -> Tensor:
            return loss_function(*pair(model(inputs), targets.float()))

        loss = forward()
        does = {"zero": optimizer.zero_grad, "step": optimizer.step}
        does["backward"] = lambda: loss.backward(retain_graph=True)
        for name in order.split():
            does[name]()
        return value(loss, forward)

    return train_step


def two_steps(answer: Callable, lr: float, size: int) -> Any:
    """Return the losses of two steps, and the weights and the mode after them."""
    model = linear()
    optimizer = SGD(model.parameters(), lr=lr)
    points = torch.randn(2, size, 2, generator=torch.Generator().manual_seed(size))
    targets = torch.arange(2 * size).view(2, size) % 3 % 2
    losses, loss_function = [], nn.HuberLoss() if lr == 1.0 else nn.BCEWithLogitsLoss()
    for batch in zip(points, targets, strict=True):
        losses.append(plain(answer(model, *batch, loss_function, optimizer)))
        if losses[0] is None or losses[0] is ...:
            return None
    return losses, parameters_to_vector(model.parameters()).tolist(), model.training


GRAPH = "a loss is still a tensor with its whole graph: .item() makes it a number."
BCE = nn.BCEWithLogitsLoss()
NUMBER = {"'float' object has no attribute 'backward'": "Its tensor is needed first, .item() last."}

STEP: dict[str, Any] = dict(
    reference=step(),
    probe=two_steps,
    parts=("the losses of two steps", "the weights after them", "`model.training`"),
    inputs=[(0.5, 4), (0.1, 3), (1.0, 2)],
    mistakes=[
        ("the gradients of both steps add up: when is .grad emptied?", step("backward step")),
        ("the weights stay: does step() come, with a full .grad?", step("backward zero step")),
        ("each step uses the gradient of the batch before.", step("step zero backward")),
        (GRAPH, step(value=lambda loss, again: loss), lambda found, *_: "graph" in found[0]),
        ("return the loss from before the step.", step(value=lambda loss, again: again().item())),
        ("the loss takes the logits first, then the targets.", step(pair=lambda a, b: (b, a))),
        ("leave the sigmoid to the loss.", step(pair=lambda a, b: (a.sigmoid(), b))),
        ("that makes two steps with one gradient.", step("zero backward step step")),
        ("return the loss itself: it is a mean.", lambda m, x, *r: len(x) * step()(m, x, *r)),
        ("use the given loss function.", lambda *a: step()(*a[:3], BCE, a[4])),
        ("use the given optimizer.", lambda m, *r: step()(m, *r[:3], SGD(m.parameters(), 0.3))),
        ("leave train() and eval() to the loop.", lambda m, *r: step()(m.eval(), *r)),
    ],
    errors=NUMBER,
    otherwise="Forward, zero_grad, backward, step: each once. Which comes after which?",
)


def loop(
    total: Callable = lambda losses, sizes: np.dot(losses, sizes) / sum(sizes),
    training: bool = True,
    one_step: Callable | None = None,
    rate: float | None = None,
    late: str = "",
    finish: Callable = list,
) -> Callable:
    """Return a training loop, with places to spoil it."""

    def train(model: nn.Module, loader: DataLoader, num_epochs: int, lr: float) -> list[Any]:
        optimizer = SGD(model.parameters(), lr=rate or lr)
        model.train(training)
        means = []
        for _ in range(num_epochs):
            losses, sizes = [], []
            for inputs, targets in loader:
                arguments = inputs, targets, nn.BCEWithLogitsLoss(), optimizer
                losses.append((one_step or step())(model, *arguments))
                sizes.append(len(targets))
            for name in late.split():
                getattr(optimizer, name)()
            means.append(total(losses, sizes))
        return finish(means)

    return train


def trained(answer: Callable, num_epochs: int, lr: float, batch_size: int) -> Any:
    """Return the losses, the weights afterwards, and whether the model is in training mode."""
    model = linear().eval()
    points = torch.tensor(LOGITS)[:, None] * torch.tensor([1.0, 0.3]) + torch.tensor([0.0, 1.0])
    data = TensorDataset(points, torch.tensor(TARGETS))
    losses = answer(model, DataLoader(data, batch_size), num_epochs, lr)
    if losses is None or losses is ...:
        return None
    return plain(losses), parameters_to_vector(model.parameters()).tolist(), model.training


SIZES = "neither a batch nor the data set need have a certain size: ask for it."
EMPTY = "sums, and a count if there is one, must begin at 0 again in each epoch."
LATE = "make a step for each batch, not one per epoch."
ONE_SAMPLE = "That is one sample, without a batch axis: does the loop run over the loader?"

TRAINING: dict[str, Any] = dict(
    reference=loop(),
    probe=trained,
    parts=("the losses", "the weights afterwards", "`model.training`"),
    inputs=[(3, 0.5, 4), (2, 0.1, 3), (1, 1.0, 6)],
    mistakes=[
        ("the model is not in training mode: what comes first?", loop(training=False)),
        ("the last batch is smaller: weigh by samples.", loop(lambda a, b: sum(a) / len(a))),
        ("that is the loss of the last batch alone.", loop(lambda a, b: a[-1])),
        ("the sum keeps the last batch: = or +=?", loop(lambda a, b: a[-1] * b[-1] / sum(b))),
        ("a mean counts for all samples of its batch.", loop(lambda a, b: sum(a) / sum(b))),
        ("the last batch is smaller than the others.", loop(lambda a, b: b[0] * sum(a) / sum(b))),
        (SIZES, loop(lambda a, b: 32 * sum(a) / sum(b))),
        (SIZES, loop(lambda a, b: np.dot(a, b) / 600)),
        ("take the loss before the step.", loop(one_step=step(value=lambda a, b: b().item()))),
        ("is .grad emptied each time?", loop(one_step=step("backward step"), late="zero_grad")),
        ("that adds up means: weigh each by its samples, and divide.", loop(lambda a, b: sum(a))),
        ("divide by the number of samples.", loop(np.dot)),
        ("a list: a loss per epoch.", loop(finish=max), lambda f, n, *_: np.shape(f[0]) != (n,)),
        (GRAPH, loop(finish=lambda a: [*nn.Parameter(Tensor(a))]), lambda f, *_: "graph" in f[0]),
        ("divide by the samples, not the batches.", loop(lambda a, b: np.dot(a, b) / len(a))),
        (EMPTY, loop(finish=lambda a: [*accumulate(a)])),
        (EMPTY, loop(finish=lambda a: [*np.cumsum(a) / range(1, len(a) + 1)])),
        *(("does the optimizer get `lr`?", loop(rate=rate)) for rate in (0.01, 0.1, 0.3)),
        (LATE, loop(one_step=step("backward"), late="step zero_grad")),
        (LATE, loop(one_step=step("zero backward"), late="step")),
        ("when is .grad emptied? It adds up.", loop(one_step=step("backward step"))),
        ("the weights stay.", loop(one_step=step("backward")), lambda f, *_: f[1] == UNTRAINED),
    ],
    errors=NUMBER | {"Target size (torch.Size([]))": ONE_SAMPLE},
    otherwise="For each epoch: all batches, a step each; the mean loss per sample.",
)


class Watched(nn.Module):
    """Its logit is the first coordinate; it notes in which wrong state it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.wrong = ""

    def forward(self, points: Tensor) -> Tensor:
        """Return logits [batch]."""
        state = "training" if self.training else "recorded" if torch.is_grad_enabled() else ""
        self.wrong = self.wrong or state
        return points[:, 0] * self.weight


def watched(answer: Callable, model: Watched, loader: DataLoader) -> Any:
    """Return the accuracy, or the wrong state in which the model was called."""
    found = answer(model, loader)
    return model.wrong or found


def samples(number: int) -> Callable[[], tuple]:
    """Return what makes a model, and a loader with that many samples in batches of 4."""
    points = torch.tensor(LOGITS)[:number, None].repeat(1, 2)
    data = TensorDataset(points, torch.tensor(TARGETS)[:number])
    return lambda: (Watched(), DataLoader(data, batch_size=4, generator=torch.Generator()))


def accuracy(
    total: Callable = lambda right, sizes: sum(right) / sum(sizes),
    predict: Callable = lambda logits: logits > 0,
    training: bool = False,
    grad: bool = False,
) -> Callable:
    """Return an answer to 00.9, with places to spoil it."""

    def answer(model: nn.Module, loader: DataLoader) -> float:
        model.train(training)
        with torch.set_grad_enabled(grad):
            batches = [(predict(model(inputs)) == targets).tolist() for inputs, targets in loader]
        return total([*map(sum, batches)], [*map(len, batches)])

    return answer


TEST: dict[str, Any] = dict(
    reference=accuracy(),
    probe=watched,
    changes=True,  # model.eval()
    inputs=[samples(7), samples(1), samples(5)],
    mistakes=[
        ("the model is still in training mode: what comes first?", accuracy(training=True)),
        ("PyTorch records every step. Which context prevents that?", accuracy(grad=True)),
        ("only the first batch counts: `return` inside?", accuracy(lambda a, n: a[0] / sum(n))),
        ("which logit has probability one half?", accuracy(predict=lambda out: out > 0.5)),
        ("that is the share of *wrong* predictions.", accuracy(predict=lambda out: out <= 0)),
        ("no logit *equals* a target: first make it 0 or 1.", accuracy(predict=lambda out: out)),
        ("batches differ in size: count samples.", accuracy(lambda a, n: np.divide(a, n).mean())),
        ("that is the last batch alone.", accuracy(lambda right, n: right[-1] / n[-1])),
        ("that is the first batch alone.", accuracy(lambda right, n: right[0] / n[0])),
        ("the sum keeps the last batch: = or +=?", accuracy(lambda a, n: a[-1] / sum(n))),
        (SIZES, accuracy(lambda a, n: sum(a) / 400)),
        ("the last batch is smaller.", accuracy(lambda a, n: sum(a) / 4 / len(n))),
        (SIZES, accuracy(lambda a, n: sum(a) / (32 * len(n)))),
        ("a rounded logit is no class.", accuracy(predict=torch.round)),
        ("one logit per sample: argmax has nothing to choose.", accuracy(predict=torch.argmax)),
        ("a share need not be whole: // or int()?", accuracy(lambda a, n: sum(a) // sum(n))),
        ("every prediction is 1: what do you compare with 0?", accuracy(predict=lambda a: a < 99)),
        ("divide by the samples, not the batches.", accuracy(lambda right, n: sum(right) / len(n))),
        ("a share lies between 0 and 1.", accuracy(lambda a, n: sum(a)), lambda f, *_: f > 1),
    ],
    errors={
        "Dimension out of range": "The logits have one axis, [batch]. Which logits say class 1?",
        "too many indices": ONE_SAMPLE,
    },
    otherwise="Right is a 1 for a target 1, and a 0 for a target 0. Count, and divide by all.",
)
