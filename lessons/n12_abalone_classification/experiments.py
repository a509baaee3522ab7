"""What notebook 12 uses ready-made: the worked experiment, the bootstrap, and its tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import stats
from sklearn.metrics import roc_auc_score
from tabulate import tabulate
from torch import Tensor

from helpers import abalone, models, training

Runs = Sequence[tuple[np.ndarray, training.History | None]]


def is_old(table: pd.DataFrame) -> np.ndarray:
    """Return 1 for each animal that counts as old, else 0: int64 [animals]."""
    return (table["rings"].to_numpy() >= abalone.OLD_FROM).astype(np.int64)


def experiment(
    features: Tensor,
    labels: np.ndarray,
    parts: Sequence[np.ndarray],
    hidden_sizes: Sequence[int] = (16, 16, 16),
    seed: int = 0,
    num_epochs: int = 40,
    dropout: float = 0.0,
    weight_decay: float = 0.0,
    lr: float = 0.01,
    gamma: float = 0.95,
    batch_size: int = 128,
    optimizer: type = torch.optim.Adam,
    loader: Callable = abalone.Batches,
    watch: bool = False,
) -> tuple[np.ndarray, training.History]:
    """Train on parts[0]; return every animal's probability of class 1, and the History."""
    training.set_seed(seed)
    device = training.pick_device()
    model = models.make_mlp(features.shape[1], hidden_sizes, 2, dropout).to(device)
    x, y = features.to(device), torch.tensor(labels, device=device)
    known, unseen = ((x[rows], y[rows]) for rows in parts[:2])
    fused = device.type != "mps"  # all parameters in one go: faster
    steps = optimizer(model.parameters(), lr=lr, weight_decay=weight_decay, fused=fused)
    falling = torch.optim.lr_scheduler.ExponentialLR(steps, gamma)
    batches, watched = loader(*known, batch_size), [known] if watch else None
    options: dict[str, Any] = {"scheduler": falling, "progress": False, "watch_loader": watched}
    history = training.fit(model, batches, steps, num_epochs, [unseen], **options)
    with torch.no_grad():
        return model.eval()(x).softmax(dim=1)[:, 1].cpu().numpy(), history


def resampled_aucs(labels: np.ndarray, runs: Sequence[np.ndarray], times: int = 300) -> np.ndarray:
    """Return what the mean AUC of `runs` would be with other animals: float [times].

    Each time as many animals are drawn with replacement, the same ones in every call. `labels`
    are 0 or 1; each run is the scores of these animals.
    """
    rng = np.random.default_rng(0)
    aucs = []
    for _ in range(times):
        drawn = rng.integers(len(labels), size=len(labels))
        old = labels[drawn] == 1
        ranks = stats.rankdata(np.stack([scores[drawn] for scores in runs]), axis=1)
        won = ranks[:, old].sum(axis=1) - old.sum() * (old.sum() + 1) / 2  # Mann and Whitney's U
        aucs.append(won.mean() / (old.sum() * (~old).sum()))
    return np.array(aucs)


def verdicts(changes: Mapping[str, tuple[float, float]], factor: float) -> str:
    """Write differences, half of their intervals, and of those for other animals."""
    rows = []
    for name, (mean, half) in changes.items():
        row = [name, f"{mean:+.4f}"]
        for width in (half, factor * half):
            said = "not shown" if abs(mean) < width else "better" if mean > 0 else "worse"
            row += [f"± {width:.4f}", said]
        rows.append(row)
    headers = ["change", "AUC", "these animals", "", "other animals", ""]
    return tabulate(rows, headers, disable_numparse=True)


def on_test(
    models: Mapping[str, Runs], splits: Sequence, labels: np.ndarray, test: np.ndarray
) -> str:
    """Write the AUCs of several models, with intervals; the last is compared with the others."""

    def between(values: np.ndarray) -> str:
        return "{:.3f} to {:.3f}".format(*np.percentile(values, (2.5, 97.5)))

    rows, draws = [], {}
    for name, runs in models.items():
        pairs = zip(runs, splits, strict=True)
        seen = [roc_auc_score(labels[rows], scores[rows]) for (scores, _), (_, rows) in pairs]
        rated = [scores[test] for scores, _ in runs]
        auc = np.mean([roc_auc_score(labels[test], scores) for scores in rated])
        draws[name] = resampled_aucs(labels[test], rated)
        rows.append([name, f"{np.mean(seen):.3f}", f"{auc:.3f}", between(draws[name])])
    *others, last = draws
    for row, name in zip(rows, others, strict=False):
        row.append(between(draws[last] - draws[name]))
    headers = ["model", "validation", "test AUC", "95 % interval", f"lead of {last}"]
    return tabulate(rows, headers, disable_numparse=True)
