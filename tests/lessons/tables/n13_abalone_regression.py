"""Notebook 11: answers and mistakes."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import explained_variance_score, mean_squared_error, r2_score
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
    Trap("ex_13_1", (lambda train, other: constant_mse(other, other),), "nobody knows before"),
    Trap("ex_13_1", (lambda train, other: other.var(),), "nobody knows beforehand"),
    Trap("ex_13_1", (mean_of_all,), "mean of all animals"),
    Trap("ex_13_1", (lambda train, other: constant_mse(train, train),), "on train itself"),
    Trap("ex_13_1", (lambda train, other: train.var(),), "on train itself"),
    Trap("ex_13_1", (lambda train, other: constant_mse(train, other) * len(other),), "the sum"),
    Trap("ex_13_1", (lambda train, other: constant_mse(train, other) ** 0.5,), "root"),
    Trap("ex_13_1", (lambda train, other: (other - train.mean()).abs().mean(),), "absolute"),
    Trap("ex_13_1", (lambda train, other: (other - train.mean()).mean() ** 2,), "after the mean"),
    Trap("ex_13_1", (lambda train, other: ((other - train.median()) ** 2).mean(),), "median"),
    Trap("ex_13_1", (lambda train, other: (other - train.mean()) ** 2,), "single number"),
    Trap("ex_13_1", (lambda train, other: train.mean(),), "average the squared errors"),
    Trap(
        "ex_13_1",
        (lambda train, other: constant_mse(train, other) if len(other) > 1 else 1,),
        "a single target",
    ),
    Trap("ex_13_2", (lambda p, t: ((p - t) ** 2).mean(),), "every prediction with every target"),
    Trap("ex_13_2", (strict_in(len),), "every prediction with every target"),
    Trap("ex_13_2", (strict_in(torch.Tensor.dim),), "(1,) and (3,) were accepted"),
    Trap("ex_13_2", (strict_in(torch.numel),), "(3, 1) and (3,) were accepted"),
    Trap("ex_13_2", (printing_mse,), "does not stop a training"),
    Trap("ex_13_2", (returning_mse,), "does not stop a training"),
    Trap("ex_13_2", (stopping_mse,), "stops with TypeError"),
    Trap("ex_13_2", (lambda p, t: (p - t) @ (p - t) / len(t),), "raise a ValueError"),
    Trap("ex_13_2", (lambda p, t: strict_mse(p, t).item(),), "tensor with one number"),
    Trap("ex_13_2", (lambda p, t: (p - t) ** 2,), "tensor with one number"),
    Trap("ex_13_2", (lambda p, t: strict_mse(p, t).detach(),), "lost its graph"),
    Trap("ex_13_2", (lambda p, t: strict_mse(p, t) * len(p),), "that is the sum"),
    Trap("ex_13_2", (lambda p, t: (p - t).abs().mean(),), "not absolute values"),
    Trap("ex_13_2", (lambda p, t: (p - t).mean() ** 2,), "not the square of"),
    Trap("ex_13_2", (lambda p, t: strict_mse(p, t).sqrt(),), "root"),
    Trap("ex_13_2", (lambda p, t: (p + t).mean(),), "mean of the squared differences"),
    Trap("ex_13_2", (lambda p, t: strict_mse(p, t) * (len(p) > 1),), "a batch of one"),
    Trap("ex_13_3", (lambda p, t: np.corrcoef(p, t)[0, 1] ** 2,), "the correlation, or its"),
    Trap("ex_13_3", (lambda p, t: np.corrcoef(p, t)[0, 1],), "the correlation, or its"),
    Trap("ex_13_3", (lambda p, t: explained_variance_score(t, p),), "forgives a shift"),
    Trap("ex_13_3", (lambda p, t: r_squared(t, p),), "spread of the *predictions*"),
    Trap("ex_13_3", (lambda p, t: 1 - ((t - p) ** 2).sum() / (t**2).sum(),), "from 0"),
    Trap("ex_13_3", (lambda p, t: 1 - r_squared(p, t),), "unexplained"),
    Trap(
        "ex_13_3",
        (lambda p, t: 1 - (t - p).abs().sum() / (t - t.mean()).abs().sum(),),
        "absolute values",
    ),
    Trap(
        "ex_13_3",
        (lambda p, t: 1 - ((t - p) ** 2).mean() / ((t - t.mean()) ** 2).sum(),),
        "a mean",
    ),
    Trap("ex_13_3", (lambda p, t: 1 - ((t - p) ** 2).mean() / t.var(),), "n - 1"),
    Trap("ex_13_3", (lambda p, t: r_squared(p, t).clamp(min=0),), "5 too high"),
    Trap("ex_13_3", (lambda p, t: r_squared(p, t) + (p.std() == 0),), "always predicting"),
    Trap("ex_13_3", (lambda p, t: F.mse_loss(p, t),), "follow the formula"),
    Trap("ex_13_3", (lambda p, t: 1 - (t - p) ** 2 / (t - t.mean()) ** 2,), "single number"),
    Trap(
        "ex_13_4",
        (squared_shares(lambda squared, off: float(off.max() / off.sum())),),
        "*absolute*",
    ),
    Trap("ex_13_4", (squared_shares(lambda squared, off: float(squared.max())),), "itself"),
    Trap(
        "ex_13_4",
        (squared_shares(lambda squared, off: squared.max() / squared.mean()),),
        "the mean",
    ),
    Trap(
        "ex_13_4",
        (squared_shares(lambda squared, off: 100 * squared.max() / squared.sum()),),
        "percentage",
    ),
    Trap("ex_13_4", (squared_shares(lambda squared, off: 0.9),), "over the sum of all"),
    Trap("ex_13_4", (lambda p, t: (int((t - p).argmax()), 0.72),), "either sign"),
    Trap(
        "ex_13_4",
        (lambda p, t: (int((p - t).argmax()), worst_animal(p, t)[1]),),
        "turned round",
    ),
    Trap("ex_13_4", (lambda p, t: (int(t.argmax()), 0.72),), "most rings"),
    Trap("ex_13_4", (lambda p, t: (int(np.abs(t - p).argmin()), 0.72),), "the position of"),
    Trap("ex_13_4", (lambda p, t: (worst_animal(p, t)[0] + 1, 0.72),), "count from 0"),
    Trap("ex_13_4", (lambda p, t: worst_animal(p, t)[::-1],), "swapped"),
    Trap("ex_13_4", (lambda p, t: worst_animal(p, t)[0],), "two numbers"),
    Trap("ex_13_5", ("a",), "short of training"),
    Trap("ex_13_5", ("b",), "without weight decay"),
    Trap("ex_13_5", ("c",), "size of the steps"),
    Trap("ex_13_5", ("e",), "one letter"),
]

SECRETS = {
    "ex_13_1": (".mean()", "** 2", "is 20"),
    "ex_13_2": (".shape", "if ", ".mean()", "** 2", "6.67", "20/3"),
    "ex_13_3": ("targets.mean()", ".sum()", "** 2", "0.307", "8/26"),
    "ex_13_4": ("argmax", "0.72", "36 / 50", ".sum()"),
    "ex_13_5": ("alike", "mean"),
}
