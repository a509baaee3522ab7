"""Losses by hand, right and wrong, for the exercises of notebook 05 that write one."""

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from lessons.comparing import number

NO_MINUS = "a loss below 0 would be better than perfect: look at the minus sign."
NO_MEAN = "the mean over the batch is missing."
SUM = "that is the sum over the batch, not yet its mean."
BASE = "this is to another base. Take the natural logarithm."
NO_LOGARITHM = "the logarithm is missing."
ALL_CLASSES = "all classes count in your loss. Only the probability of the *target* class should."
AXIS = "your probabilities do not add up to 1 over the classes of each sample: which axis is that?"
NO_GRADIENT = (
    "no gradient leads from your loss back to the logits: stay with tensors, without NumPy, math, "
    ".item(), .detach() and new tensors made of numbers.",
    lambda *_: "no gradient",
    lambda found, *_: found == "no gradient",
)
TOO_MANY = "divided by the number of classes, too: the mean is over the samples."
EACH_FIRST = "the logarithm of a mean is not the mean of logarithms: first take each one's."
MAX = "torch.max(z, 0) looks along axis 0. For each element of two tensors: torch.maximum."
INDEXING = "your indexing picks more than one entry per sample. Each row needs its own column."
READY_MADE = "PyTorch has computed it: do it without a ready-made loss, softplus or logsigmoid."
IN_PLACE = (
    "Something changes in place what autograd still needs: a name that ends in _, +=, /= or the "
    "like does that. Use an operation that makes a new tensor."
)
#: words of PyTorch's errors in a loss whose gradient is wanted
RECORDS = {
    "leaf Variable": IN_PLACE,
    "inplace operation": IN_PLACE,
    "call numpy()": "Training needs the gradient, which NumPy does not know: stay with tensors.",
}
STOPS = RECORDS | {
    "must match the size": "[batch, classes] can't be divided by a sum that is [batch]: `keepdim`.",
    "Index tensor must have the same number of dimensions": "gather wants an index with as many "
    "axes as the table: `targets[:, None]` is [batch, 1].",
    "Long": "Here the targets are class numbers, which must stay int64.",
}


def batch(predictions: list, targets: list[int]) -> tuple[Tensor, Tensor]:
    """Return the two arguments of a loss: float32 predictions and int64 targets."""
    return torch.tensor(predictions), torch.tensor(targets)


PROBABILITIES = [
    batch([0.9, 0.2, 0.6, 0.3], [1, 0, 0, 1]),
    batch([0.2], [1]),
    batch([0.25, 0.5], [0, 0]),
    batch([0.4, 0.9, 0.35, 0.8, 0.6, 0.1], [1, 1, 0, 0, 1, 1]),
    batch([0.5] * 300, [1] * 300),
]
#: no logit is 0, where max and |z| have a kink
LOGITS = [
    batch([2.0, -1.0, 0.5, -3.0, 0.1], [1, 0, 0, 1, 1]),
    batch([120.0, 1.0], [0, 0]),
    batch([-120.0], [1]),
    batch([0.3, 1.5, -2.5, 4.0, -0.2, 1000.0, -1000.0], [0, 1, 1, 1, 0, 1, 0]),
]
CLASSES = [
    batch([[2.0, 0.0, -1.0], [0.5, 1.5, 0.3], [0.0, 0.0, 0.0], [1.0, -2.0, 3.0]], [0, 2, 1, 0]),
    batch([[0.0, 3.0]], [0]),
    batch(
        [[1.0, 0.2, -1.0, 0.5], [0.3, 2.0, 0.1, -0.7], *[[0.4, 0.1, 0.9, -2.0]] * 3],
        [3, 1, 0, 3, 2],
    ),
]


class _Calls(TorchFunctionMode):
    """Notes whether a block calls a loss of PyTorch's."""

    def __init__(self) -> None:
        super().__init__()
        self.library = False

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Note the function's name, and call it."""
        self.library |= bool(LIBRARY.search(getattr(func, "__name__", "")))
        return func(*args, **(kwargs or {}))


LIBRARY = re.compile("cross_entropy|nll_loss|softplus|log_?sigmoid")


def by_hand(answer: Callable, probabilities: Tensor, targets: Tensor) -> Any:
    """Return the loss; "ready-made" if PyTorch's own has computed it."""
    with _Calls() as calls:
        result = answer(probabilities, targets)
    return "ready-made" if calls.library else result


def with_gradient(answer: Callable, logits: Tensor, targets: Tensor) -> Any:
    """Return the loss and its gradient; a word if it has none; as it is what is no number."""
    logits = logits.clone().requires_grad_()
    result = by_hand(answer, logits, targets)
    if number(result) is None:
        return result
    if not isinstance(result, Tensor) or not result.requires_grad:
        return "no gradient"
    return result.reshape(()), torch.autograd.grad(result.sum(), logits)[0]


#: takes predictions and targets; gives the probability [batch] of each sample's own class
Pick = Callable[[Tensor, Tensor], Tensor]


def right_class(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Return p for a positive review, 1 − p for a negative one."""
    return torch.where(targets == 1, probabilities, 1 - probabilities)


def softmax_at_target(logits: Tensor, targets: Tensor, dim: int = 1) -> Tensor:
    """Return the probability [batch] of each sample's target, from logits [batch, classes]."""
    return logits.softmax(dim).gather(1, targets[:, None])[:, 0]


def loss(
    pick: Pick, log: Callable = torch.log, mean: Callable = torch.mean, sign: int = -1
) -> Callable:
    """Return a cross-entropy, with a place for every mistake."""
    return lambda logits, targets: sign * mean(log(pick(logits, targets)))


def stable(log: Callable = torch.log1p, sign: int = -1, mean: Callable = torch.mean) -> Callable:
    """Return the stable form of the binary cross-entropy, with a place for every mistake."""
    return lambda logits, targets: mean(
        logits.clamp(min=0) + sign * logits * targets + log(torch.exp(-logits.abs()))
    )


def is_finite(found: tuple[Tensor, Tensor], *_: Any) -> list[bool]:
    """Whether a loss is a finite number, and whether its gradient is."""
    return [bool(part.isfinite().all()) for part in found]


def common_mistakes(pick: Pick) -> list[tuple]:
    """Return what can go wrong in any cross-entropy by hand, each with its sentence."""
    return [
        (NO_MINUS, loss(pick, sign=1)),
        (NO_MEAN, loss(pick, mean=lambda each: each)),
        (SUM, loss(pick, mean=torch.sum)),
        *((BASE, loss(pick, log=log)) for log in (torch.log10, torch.log2)),
    ]
