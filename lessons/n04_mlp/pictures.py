"""The pictures of notebook 04: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator, PercentFormatter
from torch import Tensor

#: praise and blame, in every picture of the course
COLOURS = {"positive": "C0", "negative": "C1"}


def probabilities(values: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> np.ndarray:
    """Draw histograms of predicted probabilities, a panel for each model, a colour for each class.

    `values` holds for each model's name the probabilities of "positive" and "negative" reviews.
    """
    figure, axes = plt.subplots(1, len(values), figsize=(8, 3.5), sharey=True, squeeze=False)
    bins = np.linspace(0, 1, 42)  # an odd number: one bin around 0.5
    for ax, (name, classes) in zip(axes[0], values.items(), strict=True):
        for label, chances in classes.items():
            ax.hist(
                chances, bins=bins, histtype="step", linewidth=2, label=label, color=COLOURS[label]
            )
        ax.axvline(0.5, color="grey", linestyle="--")
        ax.set(xlabel="probability of positive", title=name, yscale="log")
    axes[0, 0].set(ylabel="reviews")
    axes[0, 0].legend(title="reviews", loc="upper left", fontsize="small")
    figure.suptitle(title, fontsize="medium")
    figure.tight_layout()
    return axes[0]


def batch_accuracies(accuracies: Mapping[str, Sequence[float]], title: str) -> Axes:
    """Draw the accuracy of every batch, a row of dots for each data set, with its mean.

    Parameters
    ----------
    accuracies : mapping of str to sequence of float
        For each data set its name and the accuracy of each batch.
    title : str
        The finding.
    """
    ax = plt.subplots(figsize=(7, 2.8))[1]
    names = list(accuracies)
    sns.stripplot(
        x=np.concatenate([np.asarray(accuracies[name]) for name in names]),
        y=np.repeat(names, [len(accuracies[name]) for name in names]),
        order=names,
        hue=np.repeat(names, [len(accuracies[name]) for name in names]),
        hue_order=names,
        palette=["C2", "C4"][: len(names)],  # blue and ochre are praise and blame
        legend=False,
        jitter=0.25,
        alpha=0.6,
        ax=ax,
    )
    for row, name in enumerate(names):
        ax.vlines(np.mean(accuracies[name]), row - 0.35, row + 0.35, color="black", linewidth=2)
    ax.xaxis.set_major_locator(MultipleLocator(0.05))
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set(xlabel="accuracy of one batch (black: mean)", ylabel="", title=title)
    return ax


def network(vocab_size: int, hidden_size: int, title: str) -> Axes:
    """Draw the MLP: a multi-hot vector, hidden units and a logit, with all connections.

    `vocab_size` and `hidden_size` are the true sizes; only some places and units are drawn.
    """
    ax = plt.subplots(figsize=(8.5, 4.4))[1]
    heights = {"x": np.linspace(3.6, 0, 8), "h": np.linspace(3.2, 0.4, 5), "z": np.array([1.8])}
    left = dict(zip(heights, (0.0, 3.6, 6.6), strict=True))
    names, ones = ("<unk>", "great", "film", "boring", "mess", "and", "…", "zoom"), (1, 2, 5)
    for start, end in (("x", "h"), ("h", "z")):
        for row, y in enumerate(heights[start]):
            on = start == "h" or row in ones
            if start == "x" and names[row] == "…":
                continue
            for other in heights[end]:
                xs, colour = (left[start], left[end]), "0.3" if on else "0.88"
                ax.plot(xs, (y, other), color=colour, linewidth=0.8, zorder=1 + on)
    for row, (y, name) in enumerate(zip(heights["x"], names, strict=True)):
        on = row in ones
        if name != "…":
            _place(ax, (left["x"], y), "1" if on else "0", "0.25" if on else "white")
        ax.text(-0.35, y, name, ha="right", va="center", fontsize="small")
    for y in heights["h"]:
        _place(ax, (left["h"], y), "", "0.75")
    _place(ax, (left["z"], 1.8), "z", "white")
    below = (
        ("x", f"x: {vocab_size:,} places,\n1 where the token occurs"),
        ("h", f"h = ReLU(W x + b):\n{hidden_size} units"),
        ("z", "z = v · h + c:\none logit"),
    )
    for name, words in below:
        ax.text(left[name], -0.45, words, ha="center", va="top", fontsize="small")
    ax.text(1.8, 3.75, f"W: {hidden_size} × {vocab_size:,}", ha="center", fontsize="small")
    ax.text(5.1, 3.75, f"v: {hidden_size}", ha="center", fontsize="small")
    ax.set(xlim=(-1.2, 7.6), ylim=(-1.3, 4.1), title=title)
    ax.set_axis_off()
    return ax


def _place(ax: Axes, middle: tuple[float, float], text: str, colour: str) -> None:
    ink = "white" if colour == "0.25" else "black"
    ax.scatter(*middle, s=330, color=colour, edgecolor="black", zorder=3)
    ax.text(*middle, text, ha="center", va="center", color=ink, zorder=4, fontsize="small")


def first_layer(words: Sequence[str], review: Sequence[str], weight: Tensor, title: str) -> Axes:
    """Draw a multi-hot row above its matrix: the columns of the ones are added.

    Parameters
    ----------
    words : sequence of str
        Some tokens, one for each column.
    review : sequence of str
        Those of them that occur.
    weight : Tensor
        float [units, words], the columns of these tokens.
    title : str
        The finding.
    """
    numbers, on = weight.numpy().round(3), np.array([word in review for word in words])
    units, places = numbers.shape
    total = numbers[:, on].sum(axis=1)
    gap = np.full(units, np.nan)
    ax = plt.subplots(figsize=(8.5, 3.8))[1]
    limit = 2 * np.abs(total).max()  # pale colours, so that the numbers can be read
    coloured = np.column_stack([np.where(on, numbers, np.nan), gap, total])
    ax.imshow(coloured, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
    for (row, column), number in np.ndenumerate(np.column_stack([numbers, gap, total])):
        ink = "black" if not np.isnan(coloured[row, column]) else "0.45"
        text = "" if np.isnan(number) else f"{number:+.3f}"
        ax.text(column, row, text, ha="center", va="center", fontsize="x-small", color=ink)
    for column in range(places):
        fill, ink = ("0.25", "white") if on[column] else ("white", "black")
        box = {"boxstyle": "square,pad=0.35", "fc": fill, "ec": "black"}
        ax.text(column, -0.95, str(int(on[column])), ha="center", va="center", color=ink, bbox=box)
        edge, order = ("black", 3) if on[column] else ("0.8", 2)
        corner = (column - 0.5, -0.5)
        ax.add_patch(plt.Rectangle(corner, 1, units, fill=False, edgecolor=edge, zorder=order))
    ax.text(places, units / 2 - 0.5, "→", ha="center", va="center")
    ax.set_xticks([*range(places), places + 1], [*words, "sum"])
    ax.set_yticks(range(units), [f"unit {unit}" for unit in range(units)])
    ax.set(ylim=(units - 0.4, -1.5), xlim=(-0.6, places + 1.6), title=title)
    ax.grid(visible=False)
    sns.despine(ax=ax, left=True, bottom=True)
    return ax
