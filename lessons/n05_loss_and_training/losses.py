"""Losses by hand, right and wrong, for the exercises of notebook 05 that write one."""

import math
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

NO_MINUS = "a loss below 0 would be better than perfect: is a minus sign lost?"
BASE = "this is to another base. Take the natural logarithm."
NO_LOGARITHM = "the logarithm is missing: nn.NLLLoss, despite its name, does not take it either."
ALL_CLASSES = "all classes count in your loss. Only the probability of the *target* class should."
AXIS = (
    "your softmax adds up to 1 over the batch. It must do so over the classes of each sample: "
    "which axis is that?"
)
INDEXING = "your indexing picks more than one entry per sample. Each row needs its own column."
READY_MADE = (
    "the number may be right, but PyTorch has computed it: this one is to be made by hand, without "
    "a ready-made loss, softplus or logsigmoid."
)
KEEPDIM = (
    "A sum over the classes is [batch], and [batch, classes] can't be divided by that: "
    "`keepdim=True` keeps the axis."
)
#: words of PyTorch's errors in a loss of several classes
STOPS = {
    "must match the size": KEEPDIM,
    "Index tensor must have the same number of dimensions": "gather wants an index with as many "
    "axes as the table: `targets[:, None]` is [batch, 1].",
    "Long": "Here the targets are class numbers, which must stay int64.",
}


def batch(predictions: list, targets: list[int]) -> tuple[Tensor, Tensor]:
    """Return the two arguments of a loss: float32 predictions and int64 targets."""
    return torch.tensor(predictions), torch.tensor(targets)


def _many(count: int) -> tuple[Tensor, Tensor]:
    """Return so many probabilities and targets that their product is 0 in float32."""
    numbers = torch.Generator().manual_seed(0)
    targets = torch.randint(2, (count,), generator=numbers)
    return torch.rand(count, generator=numbers) * 0.6 + 0.2, targets


PROBABILITIES = [
    batch([0.9, 0.2, 0.6, 0.3], [1, 0, 0, 1]),
    batch([0.2], [1]),
    batch([0.25, 0.5], [0, 0]),
    batch([0.4, 0.9, 0.35, 0.8, 0.6, 0.1], [1, 1, 0, 0, 1, 1]),
    _many(300),
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


def by_hand(answer: Callable, predictions: Tensor, targets: Tensor) -> Any:
    """Return the loss; "ready-made" if PyTorch's own has computed it."""
    with _Calls() as calls:
        result = answer(predictions, targets)
    return "ready-made" if calls.library else result


def with_gradient(answer: Callable, logits: Tensor, targets: Tensor) -> Any:
    """Return the loss and its gradient; a word for what makes it no loss to train with."""
    logits = logits.clone().requires_grad_()
    result = by_hand(answer, logits, targets)
    if result is None or result is ... or isinstance(result, str):
        return result
    if not isinstance(result, Tensor) or not result.requires_grad:
        return "no gradient"
    if result.numel() != 1:
        return "no mean"
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
    return lambda *batch: sign * mean(log(pick(*batch)))


def stable(
    larger: Callable = lambda z: z.clamp(min=0), sign: int = -1, mean: Callable = torch.mean
) -> Callable:
    """Return the stable form of the binary cross-entropy, with a place for every mistake."""
    return lambda z, y: mean(larger(z) + sign * z * y + torch.log1p(torch.exp(-z.abs())))


def is_infinite(found: Any, *_: Any) -> bool:
    """Whether a loss, or the first of loss and gradient, is infinite or not a number."""
    return not math.isfinite(float(found[0] if isinstance(found, tuple) else found))


def common_mistakes(pick: Pick) -> list[tuple]:
    """Return what can go wrong in any cross-entropy by hand, each with its sentence."""
    return [
        (NO_MINUS, loss(pick, sign=1)),
        ("that is the sum over the batch, not yet its mean.", loss(pick, mean=torch.sum)),
        (BASE, loss(pick, log=torch.log10)),
    ]
