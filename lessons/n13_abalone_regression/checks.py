"""The exercises of notebook 13 · Tabular data: abalone, regression."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lessons.calling import Raised
from lessons.exercises import Checks

check = Checks()


def constant_mse(train_targets: Tensor, other_targets: Tensor) -> Tensor:
    """Return the MSE on others of always predicting the training mean."""
    return ((other_targets - train_targets.mean()) ** 2).mean()


check.exercise(
    "13.1",
    constant_mse,
    inputs=[
        (torch.tensor([2.0, 4.0, 9.0]), torch.tensor([3.0, 11.0])),
        (torch.tensor([1.0, 1.0, 7.0, 3.0]), torch.tensor([5.0])),
    ],
    mistakes=[
        (
            "that predicts the mean of the *others*, which nobody knows beforehand.",
            lambda train, other: constant_mse(other, other),
        ),
        (
            "that predicts the mean of all animals, but those of the other part are not known "
            "beforehand.",
            lambda train, other: constant_mse(torch.cat([train, other]), other),
        ),
        (
            "that is the MSE on the training part itself. The errors on the others are asked for.",
            lambda train, other: constant_mse(train, train),
        ),
        (
            "that is the variance of the training part. The errors on the others are asked for.",
            lambda train, other: train.var(),
        ),
        (
            "that is the sum of the squared errors, not yet their mean.",
            lambda train, other: constant_mse(train, other) * len(other),
        ),
        ("that is the root of the MSE. Leave it squared.", lambda *a: constant_mse(*a) ** 0.5),
        (
            "those are absolute errors. Square each error.",
            lambda train, other: (other - train.mean()).abs().mean(),
        ),
        (
            "square each error first, then take the mean.",
            lambda train, other: (other - train.mean()).mean() ** 2,
        ),
        (
            "that predicts the median. It is best for the MAE; for the MSE it is the mean.",
            lambda train, other: ((other - train.median()) ** 2).mean(),
        ),
    ],
    otherwise="Predict the training mean; average the squared errors on the others.",
)


# --- 13.2 ---------------------------------------------------------------------------------


def strict_mse(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return the MSE; a ValueError if the shapes differ."""
    if predictions.shape != targets.shape:
        raise ValueError("predictions and targets have different shapes")
    return ((predictions - targets) ** 2).mean()


def lossy(loss: Callable, same: Callable = lambda tensor: tensor.shape) -> Callable:
    """Return an answer to 13.2 with another loss, or that compares less than the shapes."""

    def answer(predictions: Tensor, targets: Tensor) -> Any:
        if same(predictions) != same(targets):
            raise ValueError("different shapes")
        return loss(predictions, targets)

    return answer


def tried(mse: Callable, predictions: Tensor, targets: Tensor) -> Any:
    """Return the loss and whether it can be trained with, or "refused"."""
    try:
        loss = mse(predictions, targets)
    except (ValueError, AssertionError) as error:
        if predictions.shape == targets.shape:
            raise
        return Raised("ValueError", str(error) and "")
    if loss is None or loss is ... or not isinstance(loss, Tensor):
        return loss
    return loss, loss.requires_grad


def trainable(*numbers: float) -> Tensor:
    """Return predictions that a gradient can reach."""
    return torch.tensor(numbers).float().requires_grad_()


check.exercise(
    "13.2",
    strict_mse,
    probe=tried,
    inputs=[
        (trainable(1, 5, 2), torch.tensor([3.0, 5.0, 6.0])),
        (trainable(2), torch.tensor([5.0])),
        (trainable(1, 5, 2).detach()[:, None], torch.tensor([3.0, 5.0, 6.0])),
        (trainable(1, 5, 2), torch.tensor([[3.0], [5.0], [6.0]])),
        (trainable(1), torch.tensor([3.0, 5.0, 6.0])),
    ],
    mistakes=[
        (
            "these shapes were accepted. Broadcasting compares every prediction with every target: "
            "raise a ValueError when the shapes differ.",
            lambda p, t: ((p - t) ** 2).mean(),
            lambda found, p, t: p.shape != t.shape and isinstance(found, tuple),
        ),
        (
            "unequal shapes raise no ValueError. To print or return something does not stop a "
            "training: `raise` the error.",
            lambda p, t: strict_mse(p, t) if p.shape == t.shape else "different shapes",
            lambda found, p, t: p.shape != t.shape and not isinstance(found, Raised),
        ),
        (
            "right to stop there; but say what is wrong: raise a ValueError.",
            lambda p, t: strict_mse(p, t) if p.shape == t.shape else [][1],
            lambda found, p, t: p.shape != t.shape,
        ),
        (
            "return a tensor with one number. Python's numbers can't be trained with.",
            lambda p, t: strict_mse(p, t).item(),
            lambda found, p, t: isinstance(found, float),
        ),
        (
            "return a tensor with one number: the mean over all.",
            lossy(lambda p, t: (p - t) ** 2),
            lambda found, p, t: found[0].numel() > 1,
        ),
        (
            "this number can't be trained with: it has lost its graph (.detach() does that).",
            lossy(lambda p, t: strict_mse(p, t).detach()),
            lambda found, p, t: not found[1],
        ),
        (
            "that is the sum. The *mean* squared error is asked for.",
            lossy(lambda p, t: ((p - t) ** 2).sum()),
        ),
        (
            "square each difference; do not take absolute values.",
            lossy(lambda p, t: (p - t).abs().mean()),
        ),
        (
            "square each difference first, then take the mean.",
            lossy(lambda p, t: (p - t).mean() ** 2),
        ),
        ("that is the root of the MSE.", lossy(lambda p, t: strict_mse(p, t).sqrt())),
    ],
    otherwise="The mean of the squared differences is asked for.",
)


# --- 13.3 ---------------------------------------------------------------------------------


def r_squared(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return R²."""
    errors = ((targets - predictions) ** 2).sum()
    return 1 - errors / ((targets - targets.mean()) ** 2).sum()


check.exercise(
    "13.3",
    r_squared,
    tolerance=1e-5,
    inputs=[
        (torch.tensor([1.0, 4.0, 9.0, 8.0]), torch.tensor([3.0, 5.0, 6.0, 10.0])),
        (torch.tensor([8.0, 10.0, 11.0, 16.0]), torch.tensor([3.0, 5.0, 6.0, 10.0])),
        (torch.full((3,), 6.0), torch.tensor([2.0, 6.0, 10.0])),
    ],
    mistakes=[
        (
            "that is the square of the correlation, which forgives shifts and scales.",
            lambda p, t: torch.nan_to_num(torch.corrcoef(torch.stack([p, t]))[0, 1] ** 2),
        ),
        (
            "that is the correlation, which forgives shifts and scales.",
            lambda p, t: torch.nan_to_num(torch.corrcoef(torch.stack([p, t]))[0, 1]),
        ),
        (
            "the mean of the errors was subtracted from them, which forgives a shift. R² does not.",
            lambda p, t: 1 - (t - p).var() / t.var(),
        ),
        (
            "those are absolute values. Both sums are of squares.",
            lambda p, t: 1 - (t - p).abs().sum() / (t - t.mean()).abs().sum(),
        ),
        (
            "the errors are set against the spread of the *predictions* (arguments swapped?).",
            lambda p, t: r_squared(t, p),
        ),
        (
            "the squares of the targets are taken from 0. Take them from the mean of the targets.",
            lambda p, t: 1 - ((t - p) ** 2).sum() / (t**2).sum(),
        ),
        ("that is the share left unexplained: 1 minus it.", lambda p, t: 1 - r_squared(p, t)),
        (
            "one of the two is a mean, the other a sum.",
            lambda p, t: 1 - ((t - p) ** 2).mean() / ((t - t.mean()) ** 2).sum(),
        ),
        (
            "one part divides by n, the other by n - 1.",
            lambda p, t: 1 - ((t - p) ** 2).mean() / t.var(),
        ),
        (
            "predictions that are all too high must be punished, below 0 if need be.",
            lambda p, t: r_squared(p, t).clamp(min=0),
        ),
    ],
    otherwise="follow the formula: both sums run over all animals.",
)


# --- 13.4 and 13.5 ------------------------------------------------------------------------


def worst_animal(predictions: np.ndarray, targets: np.ndarray) -> tuple[int, float]:
    """Return the position of the largest squared error, and its share of the sum."""
    squared = (targets - predictions) ** 2
    return int(squared.argmax()), float(squared.max() / squared.sum())


def worst_by(position: Callable | None = None, share: Callable | None = None) -> Callable:
    """Return an answer to 13.4 with another position or another share."""

    def answer(predictions: np.ndarray, targets: np.ndarray) -> tuple:
        where, right = worst_animal(predictions, targets)
        errors = targets - predictions
        return position(errors, targets) if position else where, share(errors) if share else right

    return answer


check.exercise(
    "13.4",
    worst_animal,
    inputs=[
        (np.array([8.0, 9.0, 14.0, 5.0, 20.0]), np.array([11.0, 9.0, 8.0, 6.0, 22.0])),
        (np.array([11.0, 9.0, 8.0, 6.0, 22.0]), np.array([8.0, 9.0, 14.0, 5.0, 20.0])),
        (np.array([1.0, 5.0, 3.0]), np.array([9.0, 5.5, 3.0])),
    ],
    mistakes=[
        ("the two are swapped: the position comes first.", lambda p, t: worst_animal(p, t)[::-1]),
        (
            "positions count from 0.",
            lambda p, t: (worst_animal(p, t)[0] + 1, worst_animal(p, t)[1]),
        ),
        (
            "an error can have either sign: too high is as bad as too low.",
            worst_by(lambda errors, targets: int(errors.argmax())),
        ),
        (
            "an error can have either sign: too low is as bad as too high.",
            worst_by(lambda errors, targets: int(errors.argmin())),
        ),
        (
            "that is the animal with the most rings, not the one with the largest error.",
            worst_by(lambda errors, targets: int(targets.argmax())),
        ),
        (
            "that is the animal with the smallest error.",
            worst_by(lambda errors, targets: int(np.abs(errors).argmin())),
        ),
        (
            "that is the share of the *absolute* errors. Squares give a large one more weight.",
            worst_by(share=lambda errors: np.abs(errors).max() / np.abs(errors).sum()),
        ),
        (
            "that is a percentage. Give a share between 0 and 1.",
            worst_by(share=lambda errors: 100 * (errors**2).max() / (errors**2).sum()),
        ),
        (
            "that is the squared error itself. Give its share of the sum.",
            worst_by(share=lambda errors: (errors**2).max()),
        ),
        (
            "that compares with the mean. The share of the *sum* lies between 0 and 1.",
            worst_by(share=lambda errors: (errors**2).max() / (errors**2).mean()),
        ),
    ],
    otherwise="Position of the largest squared error, and its share of the sum of all.",
)

check.choice(
    "13.5",
    right="d",
    wrong={
        "a": "the curves above are flat after forty epochs, and a model that was short of training "
        "would also show a trend in the right panel.",
        "b": "compare with the network without weight decay, which the next cell prints: the trend "
        "is the same.",
        "c": "scaling the targets changes the size of the steps, not where the error is smallest.",
    },
)
