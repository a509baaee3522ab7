"""The pictures of notebook 01: one function each, each returns its Axes."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter

from helpers.plots import BLAME, PRAISE

MOST_TOKENS = 8  # for which the picture of the pipeline has room


def pipeline(
    review: str, tokens: Sequence[str], ids: Sequence[int], probability: float, title: str
) -> Axes:
    """Draw the way of a review: text, its first eight tokens, ids, multi-hot vector, logit.

    Parameters
    ----------
    review : str
        A short text.
    tokens, ids : sequence of str, of int
        Its tokens and their ids, of the same length.
    probability : float
        What the model says: how probably the review is positive.
    title : str
        The finding.
    """
    ax = plt.subplots(figsize=(9, 5), layout="constrained")[1]
    if len(tokens) > MOST_TOKENS:
        ax.text(1.04, 3, "…", ha="right", va="center")
    tokens, ids = tokens[:MOST_TOKENS], ids[:MOST_TOKENS]
    places = sorted({0, *ids, 20_000})
    columns = np.linspace(0.2, 0.98, len(tokens))
    cells = dict(zip(places, np.linspace(0.2, 0.98, len(places)), strict=True))
    logit = np.log(probability / (1 - probability))
    colour = PRAISE if logit > 0 else BLAME
    _box(ax, 0.59, 4, textwrap.shorten(review, 80, placeholder=" …"))
    for x, token, i in zip(columns, tokens, ids, strict=True):
        _box(ax, x, 3, token if len(token) < 10 else f"{token[:7]}…")
        _box(ax, x, 2, str(i), edge="grey" if i == 0 else "black")
        _arrow(ax, (0.59, 4), (x, 3))
        _arrow(ax, (x, 3), (x, 2))
        _arrow(ax, (x, 2), (cells[i], 1))
    for place, x in cells.items():
        _box(ax, x, 1, "1" if place in ids else "0", fill="#dddddd" if place in ids else "white")
        ax.text(x, 0.68, f"{place:,}", ha="center", va="center", fontsize=8, color="dimgrey")
        _arrow(ax, (x, 0.62), (0.59, 0), gap=0)
    for (one, x), (other, to_x) in pairwise(cells.items()):
        if other > one + 1:
            ax.text((x + to_x) / 2, 1, "…", ha="center", va="center")
    _box(ax, 0.59, -0.1, f"{logit:+.2f}, that is {probability:.0%} positive", edge=colour)
    steps = ("text", "tokens", "ids", "vector of\n20,001\nzeros and ones", "logit")
    for y, step in zip((4, 3, 2, 1, -0.1), steps, strict=True):
        ax.text(0.06, y, step, ha="center", va="center", weight="bold")
    ax.set(xlim=(-0.02, 1.04), ylim=(-0.5, 4.4), title=title)
    ax.axis("off")
    return ax


def _box(
    ax: Axes, x: float, y: float, words: str, edge: str = "black", fill: str = "white"
) -> None:
    style = {"boxstyle": "round,pad=0.35", "facecolor": fill, "edgecolor": edge}
    ax.text(x, y, words, ha="center", va="center", bbox=style, zorder=3)


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], gap: float = 0.2
) -> None:
    (x, y), (to_x, to_y) = start, end
    arrow = {"arrowstyle": "->", "color": "grey", "linewidth": 0.8}
    ax.annotate("", (to_x, to_y + 0.2), (x, y - gap), arrowprops=arrow)


def coverage(
    counts: Mapping[str, Counter[str]], size: int, title: str, ax: Axes | None = None
) -> Axes:
    """Draw the share of all occurrences that the most frequent tokens cover.

    Parameters
    ----------
    counts : mapping of str to Counter
        For each curve its name and how often each of its tokens occurs.
    size : int
        Vocabulary size to mark.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for name, counter in counts.items():
        ordered = np.sort([*counter.values()])[::-1]
        ax.semilogx(np.arange(1, len(ordered) + 1), np.cumsum(ordered) / ordered.sum(), label=name)
    ax.axvline(size, color="grey", linestyle="--", label=f"{size:,} tokens")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set(xlabel="vocabulary size", ylabel="share of all tokens covered", title=title)
    ax.legend()
    return ax


def review_lengths(
    negative: Sequence[int], positive: Sequence[int], title: str, ax: Axes | None = None
) -> Axes:
    """Draw the distribution of review lengths (in words) for each class."""
    ax = ax or plt.subplots()[1]
    bins = np.geomspace(10, 2_500, 50).tolist()
    kinds = (("negative", negative, BLAME), ("positive", positive, PRAISE))
    for name, lengths, colour in kinds:
        ax.hist(lengths, bins=bins, histtype="step", linewidth=2, label=name, color=colour)
        ax.axvline(float(np.mean(lengths)), color=colour, linestyle="--")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set(xlabel="words in the review (dashed: mean)", ylabel="reviews", title=title)
    ax.legend()
    return ax
