"""The exercises of notebook 00 about a data set, a network and its test."""

import functools
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset


class Points:
    """The right answer to 00.7."""

    def __init__(self, points: Tensor, targets: Tensor) -> None:
        self.points, self.targets = points, targets

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> Any:
        return self.points[index], self.targets[index]


def points_with(item: Callable, length: Callable = len) -> type:
    """Return a class with other samples, or another length."""
    changed = {"__getitem__": item, "__len__": lambda self: length(self.points)}
    return type("Changed", (Points,), changed)


def used(dataset_class: type, points: Tensor, targets: Tensor) -> Any:
    """Return the length of a data set, and three of its samples."""
    if getattr(dataset_class, "__getitem__", None) is Dataset.__getitem__:
        return None
    dataset: Any = dataset_class(points, targets)
    return len(dataset), *(dataset[i] for i in (0, len(points) // 2, len(points) - 1))


POINTS, TARGETS = torch.arange(1.0, 11).reshape(5, 2), torch.tensor([0, 1, 1, 0, 1])
ALONE = "dataset[i] is the sample number i alone: one point and its target, a single number."

DATASET = dict(
    reference=Points,
    probe=used,
    inputs=[(POINTS, TARGETS), (POINTS[:1], TARGETS[:1])],
    mistakes=[
        (
            "the length is the number of samples; 2 is the number of coordinates.",
            points_with(Points.__getitem__, lambda points: points.shape[1]),
        ),
        ("count samples, not numbers.", points_with(Points.__getitem__, Tensor.numel)),
        (
            "the pair is the wrong way round: the point comes first.",
            points_with(lambda self, i: (self.targets[i], self.points[i])),
        ),
        (
            "dataset[i] is a pair: the point and its target.",
            points_with(lambda self, i: self.points[i]),
            lambda found, *_: not isinstance(found[1], tuple | list),
        ),
        (ALONE, points_with(lambda self, i: (self.points, self.targets))),
        (ALONE, points_with(lambda self, i: (self.points[i], self.targets))),
        (
            "dataset[i] gives another sample than number i.",
            points_with(lambda self, i: (self.points[0], self.targets[0])),
            lambda found, points, targets: found[0] == len(points) and len(found[1]) == 2,
        ),
    ],
    otherwise="The number of samples; and for each index a pair, the point and its target.",
)


# --- 00.8 ---------------------------------------------------------------------------------


class PointMLP(nn.Module):
    """The right answer to 00.8, with places to spoil it."""

    linear: Callable = nn.Linear
    keep: Callable = nn.ModuleList
    between = staticmethod(torch.relu)
    finish = staticmethod(lambda logits: logits.squeeze(1))

    def __init__(self) -> None:
        super().__init__()
        self.layers: Any = self.keep(self.linear(*s) for s in ((2, 32), (32, 32), (32, 1)))

    def forward(self, points: Tensor) -> Any:
        """Return logits [batch]."""
        h = self.between(self.layers[0](points))
        return self.finish(self.layers[2](self.between(self.layers[1](h))))


def mlp(**changed: Callable) -> type:
    """Return a subclass with something in it changed."""
    return type("Changed", (PointMLP,), {name: staticmethod(it) for name, it in changed.items()})


def weighted(model_class: type, batch: int, first: float, second: float) -> Any:
    """Return the shapes of weights and biases, and logits that show the place of every ReLU.

    All weights of a layer are equal: `first`, `second` and 1; the last bias is -0.25.
    """
    model: Any = model_class()
    if type(model).forward is nn.Module.forward or model(torch.ones(batch, 2)) is None:
        return None
    numbers = {(32, 2): first, (32, 32): second, (1, 32): 1.0, (1,): -0.25}
    for parameter in model.parameters():
        parameter.data.fill_(numbers.get(tuple(parameter.shape), 0.0))
    logits = model(torch.ones(batch, 2))
    shapes = [sorted(tuple(p.shape) for p in model.parameters() if p.ndim == n) for n in (2, 1)]
    return *shapes, logits if isinstance(logits, Tensor) else type(logits).__name__


SHAPES = [(1, 32), (32, 2), (32, 32)]

NETWORK = dict(
    reference=PointMLP,
    probe=weighted,
    inputs=[(5, 1.0, -1.0), (1, -1.0, -1.0), (5, 1.0, 1.0)],
    mistakes=[
        (
            "PyTorch finds no layers: it looks at attributes of `self`, not into a plain list.",
            mlp(keep=list),
            lambda found, *_: not found[0],
        ),
        ("each layer has a bias.", mlp(linear=functools.partial(nn.Linear, bias=False))),
        (
            "a batch of one has lost its axis: squeeze() takes every axis of length 1. Name one.",
            mlp(finish=torch.squeeze),
        ),
        (
            "the last axis, of length 1, has to go.",
            mlp(finish=lambda logits: logits),
            lambda found, batch, *_: found[2].shape == (batch, 1),
        ),
        (
            "forward must return a tensor.",
            mlp(finish=lambda logits: logits.squeeze(1).tolist()),
            lambda found, *_: isinstance(found[2], str),
        ),
        (
            "the result is a probability. Leave the sigmoid out: the loss will apply it.",
            mlp(finish=lambda logits: logits.squeeze(1).sigmoid()),
        ),
        (
            "a ReLU behind the last layer makes every negative logit 0.",
            mlp(finish=lambda logits: logits.squeeze(1).relu()),
        ),
        (
            "between two layers a ReLU is missing, or something else stands there. Two layers with "
            "nothing between them are a single layer.",
            mlp(between=lambda h: h),
            lambda found, batch, *_: found[0] == SHAPES and found[2].shape == (batch,),
        ),
    ],
    otherwise="Weights [out, in] of layers from 2 to 32, 32 to 32 and 32 to 1; biases; logits.",
)


# --- 00.9 ---------------------------------------------------------------------------------


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
    logits, targets = [2.0, -1.0, 0.3, -2.0, 3.0, -0.5, 0.2], [1, 0, 1, 1, 0, 0, 1]
    data = TensorDataset(torch.tensor(logits)[:number, None], torch.tensor(targets)[:number])
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


TEST_LOOP = dict(
    reference=accuracy(),
    probe=watched,
    changes=True,  # model.eval()
    inputs=[samples(7), samples(1), samples(6)],
    mistakes=[
        (
            "the model is still in training mode: what comes first in a test loop?",
            accuracy(training=True),
            lambda found, *_: found == "training",
        ),
        (
            "PyTorch still records every step. Which context prevents that?",
            accuracy(grad=True),
            lambda found, *_: found == "recorded",
        ),
        (
            "a logit is not a probability: at which logit is the probability one half?",
            accuracy(predict=lambda logits: logits > 0.5),
        ),
        ("that is the share of *wrong* predictions.", accuracy(predict=lambda out: out <= 0)),
        ("no logit *equals* a target: first make it 0 or 1.", accuracy(predict=lambda out: out)),
        (
            "that averages the batches' accuracies, but the last one is smaller. Count samples.",
            accuracy(lambda right, sizes: sum(map(operator.truediv, right, sizes)) / len(sizes)),
        ),
        ("that is the last batch alone.", accuracy(lambda right, sizes: right[-1] / sizes[-1])),
        (
            "divide by the samples, not the batches.",
            accuracy(lambda right, n: sum(right) / len(n)),
        ),
        (
            "the accuracy is a share between 0 and 1.",
            accuracy(lambda right, sizes: sum(right)),
            lambda found, *_: found > 1,
        ),
    ],
    otherwise="Count the right predictions and the samples.",
)
