"""The pictures of notebook 03: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from scipy.stats import binom

ARROW = {"arrowstyle": "->", "color": "grey"}


def batch_losses(losses: Mapping[str, np.ndarray], title: str) -> np.ndarray:
    """Draw the loss of every batch, one panel a run, with a line where an epoch ends.

    `losses` has, by the names of at least two runs, the losses [epochs, batches] in nats.
    """
    figure, axes = plt.subplots(
        len(losses), figsize=(7, 2.1 * len(losses) + 0.6), sharex=True, layout="tight"
    )
    for number, (ax, (name, values)) in enumerate(zip(axes, losses.items(), strict=True)):
        ax.plot(np.arange(1, values.size + 1), values.ravel(), linewidth=1, color=f"C{number}")
        for end in range(values.shape[1], values.size, values.shape[1]):
            ax.axvline(end + 0.5, color="grey", linestyle="--", linewidth=1)
        ax.set(title=name, ylabel="loss [nats]", ylim=(0, None))
    axes[-1].set(xlabel="updates (dashed: an epoch ends)")
    figure.suptitle(title, fontsize="medium")
    return axes


def gradient_cosines(ways: Mapping[str, Mapping[int, Sequence[float]]], title: str) -> Axes:
    """Draw cosines with the full gradient, and their means: ``ways[how drawn][batch size]``."""
    ax = plt.subplots()[1]
    sizes = sorted(set.intersection(*(set(way) for way in ways.values())))
    for number, (name, way) in enumerate(ways.items()):
        values = np.array([way[size] for size in sizes])  # [sizes, batches]
        centres = np.arange(len(sizes)) + 0.24 * (number - (len(ways) - 1) / 2)
        x = centres[:, None] + np.linspace(-0.08, 0.08, values.shape[1])  # [sizes, batches]
        ax.plot(x.ravel(), values.ravel(), "oD"[number], alpha=0.5, markersize=4, label=name)
        ax.plot(centres, values.mean(axis=1), "_", color="black", markersize=20)
    ax.axhline(0, color="grey", linewidth=1)
    ax.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])
    ax.set(xlabel="reviews in the batch", ylabel="cosine with the full gradient", title=title)
    ax.legend(title="batches (bar: mean)")
    return ax


def positive_counts(positives: Sequence[int], batch_size: int, title: str) -> Axes:
    """Draw how many batches have how many positives, beside the binomial distribution."""
    ax = plt.subplots()[1]
    first, last = binom.ppf([1e-4, 1 - 1e-4], batch_size, 0.5).astype(int)
    numbers = np.arange(min(first, *positives), max(last, *positives) + 1)
    expected = len(positives) * binom.pmf(numbers, batch_size, 0.5)
    ax.bar(numbers, [list(positives).count(number) for number in numbers], label="batches found")
    ax.plot(numbers, expected, "o-", color="C1", markersize=4, label="binomial distribution")
    ax.set(xlabel=f"positives among {batch_size} reviews", ylabel="batches", title=title)
    ax.legend()
    return ax


def losses_two_ways(losses: Mapping[int, Sequence[Sequence[float]]], title: str) -> np.ndarray:
    """Draw the losses of several batch sizes, against epochs and against updates.

    `losses` has, by batch size, the losses [epochs, batches] in nats. Each point drawn is a mean
    over neighbouring batches.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="tight")
    palette = sns.color_palette("viridis", len(losses))
    markers = "osD^v<>"
    for (size, values), color, marker in zip(losses.items(), palette, markers, strict=False):
        values = np.asarray(values)
        flat = values.ravel()
        even = np.linspace(0, len(flat), min(len(flat), 25) + 1).astype(int)
        growing = np.unique(np.geomspace(1, len(flat) + 1, 25).astype(int)) - 1
        for ax, edges, unit in ((axes[0], even, values.shape[1]), (axes[1], growing, 1)):
            means = [flat[start:stop].mean() for start, stop in pairwise(edges)]
            middles = (edges[:-1] + edges[1:] + 1) / 2 / unit
            ax.plot(middles, means, color=color, marker=marker, markersize=4, label=f"{size:,}")
    axes[0].set(xlabel="epochs", ylabel="training loss [nats]", ylim=(0, None))
    axes[1].set(xlabel="updates", xscale="log")
    axes[1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes[1].legend(title="batch size", fontsize="small", loc="lower left")
    figure.suptitle(title, fontsize="medium")
    return axes


def loader_batch(title: str) -> Axes:
    """Draw how a loader makes batches of 10 reviews: order, indices, samples, collate."""
    ax = plt.subplots(figsize=(9, 4.3))[1]
    blue, ochre, *_ = sns.color_palette()
    order = [7, 2, 9, 0, 4, 1, 8, 5, 3, 6]
    for place, index in enumerate(order):
        colour = blue if place // 4 == 1 else "lightgrey"
        _box(ax, place * 0.9 + 0.35 * (place // 4), 3.4, 0.8, 0.6, str(index), colour)
    for batch, (centre, size) in enumerate(((1.75, 4), (5.7, 4), (8.75, 2))):
        ax.text(centre, 4.15, f"batch {batch + 1}: {size}", ha="center", fontsize="small")
    ax.text(-0.3, 3.7, "1  indices", ha="right", va="center")
    for row, index in enumerate(order[4:8]):
        x = 3.95 + 0.9 * row
        ax.annotate("", (x + 0.4, 2.75), (x + 0.4, 3.35), arrowprops=ARROW)
        _box(ax, x, 2.1, 0.8, 0.6, f"x{index}, y{index}", blue)
        ax.plot([x + 0.4, x + 0.4], [2.05, 1.75], color="grey", linewidth=1)
    ax.text(-0.3, 2.4, "2  samples\n    dataset[i]", ha="right", va="center")
    ax.annotate("", (5.7, 1.4), (5.7, 1.75), arrowprops=ARROW)
    ax.plot([4.35, 7.05], [1.75, 1.75], color="grey", linewidth=1)
    _box(ax, 3.95, 0.1, 2.3, 1.25, "inputs\n[4, 20001]", blue)
    _box(ax, 6.55, 0.1, 0.9, 1.25, "labels\n[4]", ochre)
    ax.text(-0.3, 0.7, "3  collate\n    one batch", ha="right", va="center")
    ax.set(xlim=(-2.2, 9.9), ylim=(0, 4.5), title=title)
    ax.axis("off")
    return ax


def _box(ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str) -> None:
    ax.add_patch(plt.Rectangle((x, y), width, height, facecolor=colour, alpha=0.25))
    ax.add_patch(plt.Rectangle((x, y), width, height, fill=False, edgecolor="grey"))
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize="small")
