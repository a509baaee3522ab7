"""The pictures of notebook 13: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np


def predicted_against_true(
    targets: Sequence[float], predictions: Mapping[str, Sequence[float]], title: str
) -> np.ndarray:
    """Draw predictions against the truth, a panel a model, with the line where they agree.

    Parameters
    ----------
    targets : sequence of float
        True rings.
    predictions : mapping of str to sequence of float
        For each model its name and its predictions, as many as `targets`.
    title : str
        The finding.

    Returns
    -------
    array of Axes [models]
    """
    targets = np.asarray(targets)
    style: dict[str, Any] = {"figsize": (4.5 * len(predictions), 4), "layout": "constrained"}
    figure, axes = plt.subplots(
        1, len(predictions), sharex=True, sharey=True, squeeze=False, **style
    )
    shift = np.random.default_rng(0).uniform(-0.3, 0.3, len(targets))  # points side by side
    ends = [0, targets.max() + 1]
    for ax, (name, values) in zip(axes[0], predictions.items(), strict=True):
        ax.scatter(targets + shift, values, s=9, alpha=0.4, linewidths=0)
        ax.plot(ends, ends, "--", color="black", label="predicted = true")
        ax.set(xlabel="true rings", ylabel="predicted rings", title=name)
        ax.legend(loc="upper left")
    figure.suptitle(title, fontsize="medium")
    return axes[0]


def residuals(
    targets: Sequence[float], predictions: Sequence[float], title: str, least: int = 10
) -> np.ndarray:
    """Draw residuals (true minus predicted) against the truth and against the prediction.

    Parameters
    ----------
    targets, predictions : sequence of float
        In rings.
    title : str
        The finding.
    least : int
        The mean residual is drawn where at least this many animals share a whole number.

    Returns
    -------
    array of Axes [2]
    """
    targets, predictions = np.asarray(targets), np.asarray(predictions)
    left = targets - predictions
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 3.8), layout="constrained")
    shift = np.random.default_rng(0).uniform(-0.3, 0.3, len(targets))  # points side by side
    for ax, values, moved, name in (
        (axes[0], targets, targets + shift, "true rings"),
        (axes[1], predictions, predictions, "predicted rings"),
    ):
        ax.scatter(moved, left, s=9, alpha=0.4, linewidths=0)
        whole = np.round(values)
        numbers = [number for number in np.unique(whole) if (whole == number).sum() >= least]
        means = [left[whole == number].mean() for number in numbers]
        style = {"color": "black", "marker": "o", "markersize": 4}
        ax.plot(numbers, means, **style, label=f"mean (of {least} or more)")
        ax.axhline(0, color="grey", linestyle="--")
        ax.set(xlabel=name, ylabel="true − predicted [rings]")
        ax.legend(loc="upper left")
    axes[1].set_ylabel("")
    figure.suptitle(title, fontsize="medium")
    return axes
