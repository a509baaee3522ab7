"""Notebook 11: answers and mistakes."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import mean_squared_error, r2_score
from torch import Tensor

from tests.lessons.tables import Trap


def constant_mse(train: Tensor, other: Tensor) -> float:
    return float(((other - train.mean()) ** 2).mean())


def mean_of_all(train: Tensor, other: Tensor) -> Tensor:
    return ((other - torch.cat([train, other]).mean()) ** 2).mean()


def strict_mse(predictions: Tensor, targets: Tensor) -> Tensor:
    assert predictions.shape == targets.shape
    return ((predictions - targets) ** 2).mean()


def strict_with_library(predictions: Tensor, targets: Tensor) -> Tensor:
    if predictions.size() != targets.size():
        raise ValueError("different shapes")
    return F.mse_loss(predictions, targets)


def printing_mse(predictions: Tensor, targets: Tensor) -> Tensor | None:
    return F.mse_loss(predictions, targets) if predictions.shape == targets.shape else None


def returning_mse(predictions: Tensor, targets: Tensor) -> Tensor | ValueError:
    same = predictions.shape == targets.shape
    return F.mse_loss(predictions, targets) if same else ValueError("different shapes")


def stopping_mse(predictions: Tensor, targets: Tensor) -> Tensor:
    if predictions.shape != targets.shape:
        raise TypeError("different shapes")
    return F.mse_loss(predictions, targets)


def strict_in(same: Callable) -> Callable:
    """Compare something less than the shapes."""

    def mse(predictions: Tensor, targets: Tensor) -> Tensor:
        assert same(predictions) == same(targets)
        return ((predictions - targets) ** 2).mean()

    return mse


def r_squared(predictions: Tensor, targets: Tensor) -> Tensor:
    errors = ((targets - predictions) ** 2).sum()
    return 1 - errors / ((targets - targets.mean()) ** 2).sum()


def worst_animal(predictions: np.ndarray, targets: np.ndarray) -> tuple:
    squared = (targets - predictions) ** 2
    return int(squared.argmax()), float(squared.max() / squared.sum())


def worst_by_sorting(predictions: np.ndarray, targets: np.ndarray) -> list:
    errors = np.abs(predictions - targets)
    position = np.argsort(errors)[-1]
    return [position, errors[position] ** 2 / (errors**2).sum()]


def worst_with_torch(predictions: np.ndarray, targets: np.ndarray) -> tuple:
    squared = (torch.tensor(targets) - torch.tensor(predictions)) ** 2
    return squared.argmax(), squared.max() / squared.sum()


def squared_shares(divide: Callable) -> Callable:
    def answer(predictions: np.ndarray, targets: np.ndarray) -> tuple:
        squared = (targets - predictions) ** 2
        return int(squared.argmax()), divide(squared, np.abs(targets - predictions))

    return answer


RIGHT = {
    "ex_13_1": [
        (constant_mse,),
        (lambda train, other: ((other - train.mean()) ** 2).mean(),),
        (lambda train, other: F.mse_loss(train.mean().expand_as(other), other),),
        (lambda train, other: mean_squared_error(other, np.full(len(other), train.mean())),),
        (lambda train, other: np.mean((other.numpy() - np.mean(train.tolist())) ** 2),),
    ],
    "ex_13_2": [
        (strict_mse,),
        (strict_with_library,),
        (lambda p, t: strict_mse(p, t).reshape(1),),
        (lambda p, t: strict_mse(p.double(), t.double()),),
    ],
    "ex_13_3": [
        (r_squared,),
        (lambda p, t: r2_score(t, p),),
        (lambda p, t: 1 - F.mse_loss(p, t) / t.var(correction=0),),
        (lambda p, t: r_squared(p.numpy(), t.numpy()).item(),),
    ],
    "ex_13_4": [(worst_animal,), (worst_by_sorting,), (worst_with_torch,)],
    "ex_13_5": [("d",), (" D",)],
}

TRAPS = [
    Trap(
        "ex_13_1", (lambda train, other: (other - train.mean()) ** 2,), "a single number is wanted"
    ),
    Trap("ex_13_1", (lambda train, other: train.mean(),), "average the squared errors"),
    Trap(
        "ex_13_1",
        (lambda train, other: constant_mse(train, other) if len(other) > 1 else 1,),
        "for train_targets = [1, 1, 7, 3], other_targets = [5]",
    ),
    Trap("ex_13_2", (strict_in(len),), "every prediction with every target"),
    Trap("ex_13_2", (strict_in(torch.Tensor.dim),), "every prediction with every target"),
    Trap("ex_13_2", (strict_in(torch.numel),), "every prediction with every target"),
    Trap("ex_13_2", (printing_mse,), "does not stop a training"),
    Trap("ex_13_2", (returning_mse,), "does not stop a training"),
    Trap("ex_13_2", (stopping_mse,), "raise a ValueError"),
    Trap("ex_13_2", (lambda p, t: (p - t) @ (p - t) / len(t),), "raise a ValueError"),
    Trap("ex_13_3", (lambda p, t: r_squared(p, t) + (p.std() == 0),), "follow the formula"),
    Trap("ex_13_3", (lambda p, t: F.mse_loss(p, t),), "follow the formula"),
    Trap("ex_13_4", (lambda p, t: (int((t - p).argmax()), 0.72),), "either sign"),
    Trap("ex_13_4", (lambda p, t: (int(t.argmax()), 0.72),), "most rings"),
    Trap("ex_13_4", (lambda p, t: worst_animal(p, t)[0],), "a tuple of 2 values"),
    Trap("ex_13_5", ("e",), "one letter"),
]
