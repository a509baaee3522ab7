"""Notebook 13: right answers of unusual form, and mistakes that its data do not cover."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from torch import Tensor, nn

from helpers import abalone
from lessons.n13_abalone_regression import work
from tests.lessons.tables import Trap

TABLE = abalone.stand_in().table


def strict_mse(predictions: Tensor, targets: Tensor) -> Tensor:
    assert predictions.shape == targets.shape
    return F.mse_loss(predictions, targets)


def strict_in(same: Callable) -> Callable:
    """Compare something less than the shapes."""

    def mse(predictions: Tensor, targets: Tensor) -> Tensor:
        assert same(predictions) == same(targets)
        return ((predictions - targets) ** 2).mean()

    return mse


def through_fit(model: nn.Module, batches: list, num_epochs: int, lr: float) -> list:
    return work.train(nn.Sequential(model, nn.Flatten(0)), batches, num_epochs, lr).train_loss


def looped(make_loss: Callable, zero: bool = True) -> Callable:
    def train(model: nn.Module, batches: list, num_epochs: int, lr: float) -> np.ndarray:
        optimizer = torch.optim.Adam(model.parameters(), lr, weight_decay=0.01)
        means = np.zeros(num_epochs)
        for epoch in range(num_epochs):
            optimizer.param_groups[0]["lr"] = lr * 0.95**epoch
            for x, y in batches:
                loss = make_loss(model(x).squeeze(1), y)
                model.zero_grad() if zero else None
                loss.backward()
                optimizer.step()
                means[epoch] += loss.item() * len(y) / 11
        return means

    return train


def worst_animal(predictions: Tensor, targets: Tensor) -> list:
    errors = np.abs(predictions.numpy() - targets.numpy())
    position = np.argsort(errors)[-1]
    return [position, errors[position] ** 2 / (errors**2).sum()]


def mean_residuals(residuals: Tensor, values: Tensor, least: int = 10) -> dict:
    whole = np.rint(values.numpy()).astype(int)
    counts = zip(*np.unique(whole, return_counts=True), strict=True)
    return {n: residuals.numpy()[whole == n].mean() for n, count in counts if count >= least}


def weighted(power: float, shift: float = 0.0) -> Callable:
    """Weigh each squared error by a power of the rings; add something to the predictions."""

    def train_for_old(inputs: Tensor, targets: Tensor) -> Callable:
        def loss(predictions: Tensor, rings: Tensor) -> Tensor:
            return ((rings / 10) ** power * (predictions - rings) ** 2).mean()

        model = work.make_regressor(inputs.shape[1])
        work.train(model, abalone.Batches(inputs, targets), loss=loss)
        return lambda x: model(x)[:, None].numpy() + shift

    return train_for_old


def from_outside(inputs: Tensor, targets: Tensor) -> Callable:
    """Train on animals that are not handed in, those of the check among them."""
    rings = torch.tensor(TABLE["rings"].to_numpy(), dtype=torch.float32)
    features = abalone.make_features(TABLE, np.arange(len(TABLE)))
    return weighted(2)(features.clamp(-5, 5), rings)


RIGHT = {
    "ex_13_1": [
        (lambda p, t: (F.mse_loss(p, t), F.l1_loss(p, t)),),
        (lambda p, t: [mean_squared_error(t, p), mean_absolute_error(t, p)],),
        (lambda p, t: torch.stack([F.mse_loss(p, t), F.l1_loss(p, t)]),),
    ],
    "ex_13_2": [
        (strict_mse,),
        (lambda p, t: strict_mse(p, t).reshape(1),),
        (lambda p, t: nn.MSELoss()(p, t) if strict_in(torch.Tensor.size)(p, t) is not None else 0,),
    ],
    "ex_13_3": [(through_fit,), (looped(F.mse_loss),)],
    "ex_13_4": [
        (lambda p, t: r2_score(t, p),),
        (lambda p, t: 1 - F.mse_loss(p, t) / t.var(correction=0),),
        (lambda p, t: 1 - np.mean((t - p).numpy() ** 2) / np.var(t.numpy()),),
    ],
    "ex_13_5": [(worst_animal,)],
    "ex_13_6": [(mean_residuals,)],
    "ex_13_7": [("d",), (" D)",)],
    "ex_13_open": [(weighted(2), TABLE)],
}

TRAPS = [
    Trap("ex_13_1", (lambda p, t: ((p - t) ** 2, (p - t).abs()),), "Two means over the animals"),
    Trap("ex_13_1", (lambda p, t: F.mse_loss(p, t),), "a tuple of 2 values"),
    Trap("ex_13_2", (lambda p, t: nn.MSELoss(p, t),), "A loss is made first"),
    Trap("ex_13_2", (lambda p, t: F.mse_loss(p, t) if p != t else 0,), "single True or False"),
    Trap("ex_13_2", (strict_in(len),), "tensor [3, 1], targets = [3, 5, 6] an error is asked for"),
    Trap("ex_13_2", (strict_in(torch.Tensor.dim),), "tensor [3, 2] an error is asked for"),
    Trap("ex_13_2", (strict_in(torch.numel),), "[3, 5, 6] an error is asked for"),
    Trap("ex_13_2", (strict_in(lambda x: (len(x), x.dim())),), "an error is asked for"),
    Trap("ex_13_2", (lambda p, t: (p - t) @ (p - t) / len(t),), "an error is asked for"),
    Trap(
        "ex_13_2",
        (lambda p, t: np.mean(strict_mse(p, t).detach().numpy()),),
        "no tensor comes back",
    ),
    Trap("ex_13_2", (lambda p, t: strict_mse(p, t) and torch.norm(p - t),), "is wrong for"),
    Trap(
        "ex_13_2",
        (lambda p, t: torch.tensor(strict_mse(p, t).item(), requires_grad=True),),
        "no gradient flows back",
    ),
    Trap("ex_13_3", (looped(F.huber_loss),), "predictions afterwards should not be"),
    Trap("ex_13_3", (lambda *a: through_fit(*a)[-1],), "as many losses as"),
    Trap("ex_13_3", (lambda *a: through_fit(*a)[:-1],), "as many losses as"),
    Trap("ex_13_3", (lambda m, b, n, lr: [0.0] * int(n / len(b)),), "has no len()"),
    Trap("ex_13_4", (lambda p, t: r2_score(p, t),), "that of the *predictions*"),
    Trap("ex_13_4", (lambda p, t: np.corrcoef(p, t)[0, 1] ** 2,), "squared correlation"),
    Trap("ex_13_4", (lambda p, t: F.mse_loss(p, t),), "Follow the formula"),
    Trap("ex_13_5", (lambda p, t: worst_animal(p, t)[0],), "a tuple of 2 values"),
    Trap("ex_13_6", (lambda r, v, n: list(mean_residuals(r, v, n).values()),), "a dict"),
    Trap("ex_13_6", (lambda r, v, n: {1: 0.0, 9: 1.0},), "with the keys 1, 9"),
    Trap(
        "ex_13_6",
        (lambda *a: {n: round(float(mean), 1) for n, mean in mean_residuals(*a).items()},),
        "is wrong",
    ),
    Trap("ex_13_7", ("e",), "one letter"),
    Trap("ex_13_open", (weighted(0), TABLE), "0.75 is wanted"),
    Trap("ex_13_open", (weighted(0, 1.0), TABLE), "but the young lose"),
    Trap("ex_13_open", (from_outside, TABLE), "its arguments alone?"),
    Trap("ex_13_open", (lambda x, y: 15.0, TABLE), "a model, or a function"),
    Trap("ex_13_open", (lambda x, y: lambda new: y, TABLE), "one number for each row"),
]
