"""The pictures of notebook 07: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, PercentFormatter, ScalarFormatter

Scores = Mapping[float, Sequence[float]]

#: of each part of the data: its size, what it is for, its colour
PARTS = {
    "training part": (10_000, "the model learns", "C0"),
    "validation": (5_000, "we choose", "C2"),
    "third set": (5_000, "we confirm", "C4"),
    "sealed": (5_000, "the open task", "0.45"),
    "test split": (25_000, "one look, at the end", "C3"),
}


def held_out_sets(title: str) -> Axes:
    """Draw the parts of the data, as long as they have reviews; the test split below."""
    ax = plt.subplots(figsize=(9, 2.7))[1]
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": "small"}
    left = 0
    for name, (size, purpose, colour) in PARTS.items():
        line, start = divmod(left, 25_000)
        ax.barh(line, size, left=start, height=0.6, color=colour, alpha=0.35)
        middle = start + size / 2
        ax.text(middle, line, f"{name}\n{size:,}", weight="bold", **style)
        ax.text(middle, line + 0.42, purpose, **style)
        left += size
    ax.set(ylim=(1.6, -0.4), xlim=(0, 25_000), xticks=[], title=title)
    ax.set_yticks([0, 1], ["the same\nfilms", "other\nfilms"])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return ax


def accuracy_by_learning_rate(accuracies: Scores, title: str) -> Axes:
    """Draw accuracy against learning rate (logarithmic): a dot for each seed, a line of means."""
    ax = plt.subplots()[1]
    rates = sorted(accuracies)
    ax.plot(rates, [np.mean(accuracies[rate]) for rate in rates], "-", label="mean")
    for rate in rates:
        dots = ax.plot([rate] * len(accuracies[rate]), accuracies[rate], "o", color="C0", alpha=0.5)
    dots[0].set_label("one seed")
    ax.axhline(0.5, color="grey", linestyle="--", label="guessing")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set(xscale="log", xlabel="learning rate (logarithmic)", ylabel="validation accuracy")
    ax.set_xticks(rates, map(str, rates))
    ax.xaxis.set_minor_locator(FixedLocator([]))
    ax.set_title(title)
    ax.legend(loc="upper left")
    return ax


def curvatures_and_limit(curvatures: Scores, title: str) -> Axes:
    """Draw the curvature after training against the rate, and the limit 2 / rate (both log)."""
    ax = plt.subplots()[1]
    rates = sorted(curvatures)
    ends = np.array([rates[0] / 1.5, rates[-1] * 1.5])
    ax.plot(ends, 2 / ends, "--", color="grey")
    ax.text(rates[0] * 1.8, 2 / rates[0], "limit: 2 / rate", va="center")
    for rate in rates:
        ax.plot([rate] * len(curvatures[rate]), curvatures[rate], "o", color="C0", alpha=0.7)
    ax.set(xscale="log", yscale="log", title=title)
    ax.set(xlabel="learning rate (logarithmic)", ylabel="largest curvature (logarithmic)")
    ax.set_xticks(rates, map(str, rates))
    ax.xaxis.set_minor_locator(FixedLocator([]))
    ax.yaxis.set_major_formatter(ScalarFormatter())
    return ax


def intervals(
    panels: Mapping[str, Mapping[str, tuple[float, float]]], title: str, xlabel: str
) -> np.ndarray:
    """Draw 95 % intervals (mean, half), a panel for each set; pairs of rows share a colour."""
    figure, axes = plt.subplots(1, len(panels), figsize=(9, 2.6), sharex=True, layout="constrained")
    for ax, (name, rows) in zip(axes, panels.items(), strict=True):
        for line, (mean, half) in enumerate(rows.values()):
            ax.errorbar(mean, line, xerr=half, fmt="o", capsize=4, color=f"C{line // 2}")
        ax.axvline(0, color="grey", linestyle="--")
        ax.set(title=name, xlabel=xlabel, ylim=(len(rows) - 0.5, -0.5))
        ax.set_yticks(range(len(rows)), [*rows] if ax is axes[0] else [])
    figure.suptitle(title, fontsize="medium")
    return axes


def flattery_curves(points: Mapping[int, Mapping[int, float]], title: str) -> Axes:
    """Draw by how much (in points) the best of some models flatters, by the size of the exam."""
    ax = plt.subplots()[1]
    for size, by_tries in points.items():
        ax.plot([*by_tries], [*by_tries.values()], marker="o", label=f"{size:,} reviews")
    ax.axhline(0, color="grey", linestyle="--")
    ax.legend()
    ax.set(xlabel="models tried", ylabel="flattery [percentage points]", title=title)
    return ax
