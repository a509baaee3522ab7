"""The pictures of notebook 13: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from lessons.n13_abalone_regression.work import mean_residuals


def residual_squares(targets: Sequence[float], predictions: Sequence[float], title: str) -> Axes:
    """Draw a few animals' residuals [rings] as lines, and the square on each."""
    ax = plt.subplots(figsize=(5.6, 5.6), layout="constrained")[1]
    pairs = [(float(true), float(said)) for true, said in zip(targets, predictions, strict=True)]
    ends = [0, max(map(max, pairs)) + 2]
    ax.plot(ends, ends, "--", color="black", label="predicted = true")
    for true, said in pairs:
        side = abs(true - said)
        ax.add_patch(Rectangle((said, min(true, said)), side, side, alpha=0.2, linewidth=0))
        ax.plot([said, said], [said, true], color="C0", linewidth=2, marker="o", markevery=[1])
        low = {"ha": "center", "va": "top", "xytext": (0, -5)}
        place: dict[str, Any] = low if true < said else {"ha": "right", "xytext": (-3, 0)}
        left = f"{true - said:+.1f}".replace("-", "−")
        ax.annotate(left, (said, true), textcoords="offset points", **place)
    ticks = range(0, int(ends[1]) + 1, 5)
    ax.set(xlabel="predicted rings", ylabel="true rings", title=title, aspect="equal")
    ax.set(xlim=ends, ylim=ends, xticks=ticks, yticks=ticks)
    ax.legend(loc="lower right")
    return ax


def predicted_against_true(
    targets: Sequence[float], predictions: Mapping[str, Sequence[float]], title: str
) -> np.ndarray:
    """Draw the truth against the predictions [rings], a panel for each model by its name."""
    size = 4.4 * len(predictions), 4.6
    figure, axes = plt.subplots(1, len(predictions), figsize=size, layout="constrained")
    targets = np.asarray(targets)
    ends = [0, max(targets.max(), *(max(said) for said in predictions.values())) + 1]
    ticks = range(0, int(ends[1]) + 1, 5)
    for ax, (name, said) in zip(axes, predictions.items(), strict=True):
        ax.scatter(said, targets, s=9, alpha=0.4, linewidths=0)
        ax.plot(ends, ends, "--", color="black", label="predicted = true")
        ax.set(xlabel="predicted rings", ylabel="true rings", title=name, aspect="equal")
        ax.set(xlim=ends, ylim=ends, xticks=ticks, yticks=ticks)
    axes[0].legend(loc="lower right")
    figure.suptitle(title, fontsize="medium")
    return axes


def residuals(
    targets: Sequence[float], predictions: Sequence[float], title: str, least: int = 10
) -> np.ndarray:
    """Draw residuals [rings] against the truth and the prediction, with the means of 13.6."""
    targets, predictions = torch.as_tensor(targets), torch.as_tensor(predictions)
    left = targets - predictions
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 3.8), layout="constrained")
    shift = np.random.default_rng(0).uniform(-0.3, 0.3, len(targets))  # points side by side
    for ax, values, by in ((axes[0], targets, "true"), (axes[1], predictions, "predicted")):
        ax.scatter(values.numpy() + shift * (by == "true"), left, s=9, alpha=0.4, linewidths=0)
        means = mean_residuals(left, values, least)
        label = f"mean (of {least} or more)"
        ax.plot([*means], [*means.values()], color="black", marker=".", label=label)
        ax.axhline(0, color="grey", linestyle="--")
        ax.set_xlabel(f"{by} rings")
    axes[0].legend(loc="upper left")
    axes[0].set_ylabel("residual: true − predicted [rings]")
    figure.suptitle(title, fontsize="medium")
    return axes
