"""The pictures of notebook 10: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator, PercentFormatter


def forgetting(
    curves: Mapping[str, Mapping[str, Sequence[float]]], off: Mapping[str, float], title: str
) -> np.ndarray:
    """Draw accuracies on two tasks, one axis each, while models learn one of them.

    Parameters
    ----------
    curves : mapping of str to mapping
        For each way and each task its accuracies, before the training and after each epoch.
    off : mapping of str to float
        For each task the accuracy with the adapter of the last way switched off.
    title : str
        The finding.
    """
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharex=True)
    last = len(next(iter(curves.values()))[next(iter(off))]) - 1
    for ax, task in zip(axes, off, strict=True):
        for colour, (way, place) in enumerate(zip(curves, ("bottom", "top"), strict=True)):
            values = curves[way][task]
            ax.plot(values, f"C{colour}o-", markersize=4)
            ax.annotate(f" {way}", (last, values[-1]), color=f"C{colour}", va=place)
        ax.axhline(off[task], color="C1", linestyle="--")
        high = off[task] > curves[way][task][-1]
        side = "top" if high else "bottom"
        ax.annotate(f"{way}, off", (last, off[task]), color="C1", va=side)
        ax.set(xlabel="epoch on critics' sentences", ylabel="accuracy", xlim=(-0.3, 1.32 * last))
        ax.set_title(task, fontsize="small")
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    figure.suptitle(title, fontsize="medium")
    return axes


def trade_off(scores: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> Axes:
    """Draw accuracy on IMDB against accuracy on the critics' sentences, a dot per seed.

    Parameters
    ----------
    scores : mapping of str to mapping
        For each way its accuracies on "critics" and on "IMDB"; the first way is not adapted.
    title : str
        The finding.
    """
    _, ax = plt.subplots(figsize=(7.5, 4.5))
    places = {"not adapted": (-10, -14, "right"), "head": (12, 8, "left")}
    places |= {"everything": (12, 8, "left"), "rank 1": (10, -14, "left")}
    for (way, by_task), marker in zip(scores.items(), "os^Dv", strict=False):
        x, y = by_task["critics"], by_task["IMDB"]
        (dots,) = ax.plot(x, y, marker, markersize=6)
        right, up, side = places.get(way, (-10, 0, "right"))
        middle = (float(np.mean(x)), float(np.mean(y)))
        style: dict[str, Any] = {"textcoords": "offset points", "color": dots.get_color()}
        ax.annotate(way, middle, (right, up), ha=side, **style)
    off, on = next(iter(scores.values())), scores["rank 1"]
    start, end = ((float(np.mean(s["critics"])), float(np.mean(s["IMDB"]))) for s in (on, off))
    ax.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "linestyle": "--", "color": "grey"}
    )
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    ax.annotate(
        "switched off", middle, (-8, -4), textcoords="offset points", ha="right", color="0.35"
    )
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.margins(0.2)
    ax.set(xlabel="accuracy on critics' test sentences", ylabel="accuracy on IMDB", title=title)
    return ax


def switchboard(title: str) -> Axes:
    """Draw one base model, two adapters, and the switch between them."""
    _, ax = plt.subplots(figsize=(8, 2.6))
    boxes = {
        "base model\n4,000,601 numbers, 16 MB": (0.0, 0.15, 3.4, 1.7, "0.85"),
        "critics' adapter\n20,201 numbers, 81 kB": (5.3, 1.15, 2.7, 0.7, "C0"),
        "openings' adapter\n20,201 numbers, 81 kB": (5.3, 0.15, 2.7, 0.7, "C2"),
    }
    for words, (x, y, width, height, colour) in boxes.items():
        face = colour if colour == "0.85" else "white"
        edge = "0.3" if colour == "0.85" else colour
        box = FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.05", linewidth=1.5)
        box.set(facecolor=face, edgecolor=edge)
        ax.add_patch(box)
        ax.text(x + width / 2, y + height / 2, words, ha="center", va="center", fontsize=9)
    for y, word, colour in ((1.5, "critics", "C0"), (1.0, "off", "0.4"), (0.5, "openings", "C2")):
        ax.plot([4.5], [y], "o", color=colour)
        ax.text(4.5, y + 0.12, word, ha="center", fontsize=9, color=colour)
        if word != "off":
            ax.plot([4.5, 5.25], [y, y], color=colour)
    ax.plot([3.45, 4.5], [1.0, 1.5], color="0.3", linewidth=2)
    ax.set(xlim=(-0.2, 8.3), ylim=(0, 2.1), title=title)
    ax.axis("off")
    return ax


def small_multiples(runs: Mapping[str, Sequence[float]], title: str) -> np.ndarray:
    """Draw each run's validation accuracy after each epoch in a panel of its own.

    Parameters
    ----------
    runs : mapping of str to sequence of float
        For each run its name and an accuracy per epoch.
    title : str
        The finding.
    """
    size = (2.4 * len(runs) + 1, 2.8)
    figure, axes = plt.subplots(1, len(runs), figsize=size, sharey=True, layout="constrained")
    for ax, (name, values) in zip(axes, runs.items(), strict=True):
        ax.plot(range(1, len(values) + 1), values, "o-", markersize=3)
        ax.set_title(name, fontsize="small")
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes[0].set_ylabel("validation accuracy")
    figure.suptitle(title, fontsize="medium")
    return axes


def spectrum(
    singular_values: Mapping[str, Sequence[float]], title: str, ax: Axes | None = None
) -> Axes:
    """Draw singular values against their rank, upwards on a logarithmic axis.

    Parameters
    ----------
    singular_values : mapping of str to sequence of float
        For each matrix its name and its singular values above 0, the largest first.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for (name, values), marker in zip(singular_values.items(), cycle("osD^"), strict=False):
        numbers = np.arange(1, len(values) + 1)
        ax.semilogy(numbers, values, marker=marker, markersize=5, linewidth=1, label=name)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="number of the singular value", ylabel="singular value", title=title)
    ax.legend()
    return ax
