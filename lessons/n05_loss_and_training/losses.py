"""Losses by hand, right and wrong, for the exercises V.1 and V.3 of notebook 05."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

NO_MINUS = "a loss below 0 would be better than perfect: is a minus sign lost?"
BASE = "this is to another base. Take the natural logarithm."
NO_LOGARITHM = "the logarithm is missing: nn.NLLLoss, despite its name, does not take it either."
ALL_CLASSES = "all classes count in your loss. Only the probability of the *target* class should."
AXIS = (
    "your softmax adds up to 1 over the batch. It must do so over the classes of each sample: "
    "which axis is that?"
)
INDEXING = "your indexing picks more than one entry per sample. Each row needs its own column."
BRACKETS = (
    "a loss is a class. Make an object of it first, then call the object with the batch. That "
    "takes two pairs of brackets."
)
NOT_CALLED = BRACKETS, lambda *_: nn.BCELoss(), lambda found, *_: isinstance(found, nn.Module)

#: words of PyTorch's errors at a loss, and what has likely happened
STOPS = {
    "Boolean value of Tensor": f"Remember: {BRACKETS}",
    "between 0 and 1": "This loss takes probabilities and was given logits. Which loss takes "
    "logits?",
    "Double": "float64 meets float32. Give both arguments the same type.",
    "Long": "The targets are whole numbers (int64), and the predictions are float32. Convert one "
    "of the two.",
}


def batch(predictions: list, targets: list[int]) -> tuple[Tensor, Tensor]:
    """Return the two arguments of a loss: float32 predictions and int64 targets."""
    return torch.tensor(predictions), torch.tensor(targets)


PROBABILITIES = [
    batch([0.9, 0.2, 0.6, 0.3], [1, 0, 0, 1]),
    batch([0.2], [1]),
    batch([0.25, 0.5], [0, 0]),
    batch([0.4, 0.9, 0.35, 0.8, 0.6, 0.1], [1, 1, 0, 0, 1, 1]),
]
LOGITS = [
    batch([2.0, -1.0, 0.5, -3.0, 0.0], [1, 0, 0, 1, 1]),
    batch([120.0], [0]),
    batch([-120.0], [1]),
    batch([0.3, 1.5, -2.5, 4.0, -0.2, 1.0, 0.6], [0, 1, 1, 1, 0, 0, 1]),
]
CLASSES = [
    batch([[2.0, 0.0, -1.0], [0.5, 1.5, 0.3], [0.0, 0.0, 0.0], [1.0, -2.0, 3.0]], [0, 2, 1, 0]),
    batch([[0.0, 3.0]], [0]),
    batch(
        [[1.0, 0.2, -1.0, 0.5], [0.3, 2.0, 0.1, -0.7], *[[0.4, 0.1, 0.9, -2.0]] * 3],
        [3, 1, 0, 3, 2],
    ),
]

#: takes predictions and targets; gives the probability [batch] of each sample's own class
Pick = Callable[[Tensor, Tensor], Tensor]


def right_class(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Return p for a positive review, 1 − p for a negative one."""
    return torch.where(targets == 1, probabilities, 1 - probabilities)


def softmax_at_target(logits: Tensor, targets: Tensor, dim: int = 1) -> Tensor:
    """Return the probability [batch] of each sample's target, from logits [batch, classes]."""
    return logits.softmax(dim).gather(1, targets[:, None])[:, 0]


def binary(probabilities: Tensor, targets: Tensor) -> float:
    """Return the mean binary cross-entropy."""
    return -right_class(probabilities, targets).log().mean().item()


def categorical(logits: Tensor, targets: Tensor) -> float:
    """Return the mean cross-entropy of several classes."""
    return -softmax_at_target(logits, targets).log().mean().item()


def loss(
    pick: Pick, log: Callable = torch.log, mean: Callable = torch.mean, sign: int = -1
) -> Callable:
    """Return a cross-entropy, with a place for every mistake."""
    return lambda *batch: sign * mean(log(pick(*batch)))


def common_mistakes(pick: Pick) -> list[tuple[str, Callable]]:
    """Return what can go wrong in any cross-entropy by hand, each with its sentence."""
    return [
        (NO_MINUS, loss(pick, sign=1)),
        ("that is the sum over the batch, not yet its mean.", loss(pick, mean=torch.sum)),
        (
            "that is the logarithm of the mean. Take the logarithms first, then their mean.",
            lambda *batch: -pick(*batch).mean().log(),
        ),
        (BASE, loss(pick, log=torch.log2)),
        (BASE, loss(pick, log=torch.log10)),
    ]
