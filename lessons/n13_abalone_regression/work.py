"""What notebook 13 does with a network: making it, training it, and measuring its errors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import r2_score
from torch import Tensor, nn

from helpers import abalone, models, training

Parts = tuple[Any, ...]  # row numbers of train, validation (and test)


def make_regressor(num_features: int, hidden_sizes: tuple[int, ...] = (64, 64)) -> nn.Sequential:
    """Return an MLP with one number for each row of inputs: [batch, features] → [batch]."""
    column = models.make_mlp(num_features, hidden_sizes, 1)  # [batch, 1]
    return nn.Sequential(column, nn.Flatten(start_dim=0))  # [batch]


def slipped_mse(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of a network without the Flatten: a column against a row."""
    return nn.functional.mse_loss(predictions[:, None], targets)


#: how the two networks at the head of the notebook are trained
LOSSES = {"A": slipped_mse, "B": nn.functional.mse_loss}


def train(
    model: nn.Module,
    batches: Any,
    num_epochs: int = 40,
    lr: float = 0.01,
    weight_decay: float = 0.01,
    loss: Callable = nn.functional.mse_loss,
    **watched: Any,
) -> training.History:
    """Train by Adam, with a learning rate that falls by 5 % after each epoch."""
    fused = next(model.parameters()).device.type in ("cpu", "cuda")  # faster
    optimizer = torch.optim.Adam(model.parameters(), lr, weight_decay=weight_decay, fused=fused)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
    settings = {"scheduler": scheduler, "loss": loss, "progress": False, **watched}
    return training.fit(model, batches, optimizer, num_epochs, **settings)


def experiment(
    features: Tensor, rings: Tensor, parts: Parts, seed: int, watch: bool = False, **settings: Any
) -> tuple[nn.Module, training.History]:
    """Train one regressor on ``parts[0]``; if `watch`, evaluate that and ``parts[1]`` each epoch.

    `features` are float32 [animals, features], `rings` float32 [animals]; `seed` decides the
    start and the order of the batches; `settings` are further arguments of `train`.
    """
    training.set_seed(seed)
    device = training.pick_device()
    model = make_regressor(features.shape[1]).to(device)
    x, y = features.to(device), rings.to(device)
    on_train, on_validation = ((x[rows], y[rows]) for rows in parts[:2])
    if watch:
        settings |= {"validation_loader": [on_validation], "watch_loader": [on_train]}
    return model, train(model, abalone.Batches(*on_train), score=r2_of, **settings)


def r2_of(predictions: Tensor, targets: Tensor) -> float:
    """Return R² of predictions [batch]."""
    return r2_score(targets.cpu(), predictions.cpu())


@torch.no_grad()
def predict(model: Callable, features: Tensor) -> Tensor:
    """Return the predicted rings for each row of `features`, float32 [rows], on the CPU."""
    return model(features.to(training.pick_device())).cpu()


def mean_residuals(
    residuals: Tensor,
    values: Tensor,
    least: int = 10,
    rounded: Callable = torch.round,
    number: Callable = torch.mean,
) -> dict[int, float]:
    """Return the mean residual for each whole number that `least` of the rounded values share."""
    whole = rounded(values)
    groups = {int(one): residuals[whole == one] for one in whole.unique()}
    return {one: number(group).item() for one, group in groups.items() if len(group) >= least}


#: whom the open task is about: young up to here, old from here on, in rings
YOUNG_TO, OLD_FROM = 7, 15


def mae_by_age(predictions: Tensor, targets: Tensor) -> tuple[float, ...]:
    """Return the mean absolute error [rings] of the young, of those between, and of the old."""
    errors = (predictions - targets).abs()
    young, old = targets <= YOUNG_TO, targets >= OLD_FROM
    return tuple(errors[group].mean().item() for group in (young, ~young & ~old, old))


def served(
    train_for_old: Callable, features: Tensor, rings: Tensor, parts: Parts, part: int, seed: int
) -> Tensor:
    """Train as 13.open asks, on ``parts[0]``; return predicted rings for ``parts[part]``."""
    training.set_seed(seed)
    model = train_for_old(features[parts[0]], rings[parts[0]])
    with torch.no_grad():
        return torch.as_tensor(model(features[parts[part]])).flatten()


def scores(runs: list, splits: list, rings: Tensor, part: int) -> tuple[np.ndarray, np.ndarray]:
    """Return R² and MAE [splits] of runs (features, model, …) on one part of each split."""
    r2, mae = [], []
    for parts, (features, model, *_) in zip(splits, runs, strict=True):
        truth, said = rings[parts[part]], predict(model, features[parts[part]])
        r2.append(r2_score(truth, said))
        mae.append((truth - said).abs().mean().item())
    return np.array(r2), np.array(mae)


def who(run: tuple, parts: Parts, table: pd.DataFrame) -> str:
    """Show the row with the largest squared error on ``parts[1]``; R² with and without it."""
    rings, said = torch.tensor(table["rings"].to_numpy()), predict(run[1], run[0])
    errors = (rings - said)[parts[1]] ** 2
    row, rest = parts[1][errors.argmax()], parts[1][(errors < errors.max()).numpy()]
    r2 = [r2_score(rings[rows], said[rows]) for rows in (parts[1], rest, parts[0])]
    told = f"{said[row]:.1f} predicted, {errors.max() / errors.sum():.0%} of the sum"
    told += "\nR² {:.3f}, without it {:.3f}, train {:.3f}".format(*r2)
    return f"{table.iloc[[row]].to_string()}\n{told}"
