"""The pictures of notebook 02: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

QUIET = "#e8e8e8"
CENTRED: dict[str, Any] = {"ha": "center", "va": "center"}


def _row(ax: Axes, values: Sequence, x: float, y: float, colours: Sequence[str]) -> None:
    """Draw boxes of width 1 with values in them, from (x, y) to the right."""
    for place, (value, colour) in enumerate(zip(values, colours, strict=True)):
        ax.add_patch(Rectangle((x + place, y), 1, 1, facecolor=colour, edgecolor="white", lw=2))
        ink = "black" if colour == QUIET else "white"
        ax.text(x + place + 0.5, y + 0.5, str(value), **CENTRED, color=ink)


def _canvas(width: float, height: float, title: str) -> Axes:
    """Return Axes without frame, one unit of which is a box, with a title."""
    ax = plt.subplots(figsize=(0.62 * width, 0.62 * height), layout="constrained")[1]
    ax.set(xlim=(0, width), ylim=(0, height), title=title)
    ax.set_aspect("equal")
    ax.axis("off")
    return ax


def multi_hot_row(tokens: Sequence[str], ids: Sequence[int], size: int, title: str) -> Axes:
    """Draw how the tokens of a text set places of a multi-hot vector of the length `size`."""
    ax = _canvas(size + 3, 5, title)
    gap = size / len(tokens)
    for position, (token, i) in enumerate(zip(tokens, ids, strict=True)):
        x = 3 + gap * (position + 0.5)
        ax.text(x, 4.5, token, **CENTRED)
        ax.text(x, 3.7, str(i), **CENTRED, color="C0")
        arrow = {"arrowstyle": "->", "color": "C0"}
        ax.annotate("", xy=(3 + i + 0.5, 2.05), xytext=(x, 3.4), arrowprops=arrow)
    ones = [int(place in ids) for place in range(size)]
    _row(ax, ones, 3, 1, ["C0" if one else QUIET for one in ones])
    for place in range(size):
        ax.text(3 + place + 0.5, 0.7, str(place), **CENTRED, fontsize="small")
    for y, name in ((4.5, "token"), (3.7, "id"), (1.5, "vector"), (0.7, "place")):
        ax.text(2.6, y, name, ha="right", va="center", color="grey")
    return ax


def csr(rows: Sequence[Sequence[int]], title: str) -> Axes:
    """Draw the ids of some reviews, a row each, in one flat array, and the offsets below it."""
    flat = [i for row in rows for i in row]
    offsets = np.cumsum([0, *(len(row) for row in rows)])
    ax = _canvas(len(flat) + 3.6, 4.2, title)
    colours = [f"C{number % 4}" for number, row in enumerate(rows) for _ in row]
    _row(ax, flat, 3, 2, colours)
    for number, (start, stop) in enumerate(pairwise(offsets)):
        x = 3 + (start + stop) / 2
        ax.text(x, 3.4, f"review {number}", **CENTRED, color=f"C{number % 4}")
    for offset in offsets:
        arrow = {"arrowstyle": "->", "color": "grey"}
        ax.annotate("", xy=(3 + offset, 1.95), xytext=(3 + offset, 1.2), arrowprops=arrow)
        ax.text(3 + offset, 0.8, str(offset), **CENTRED)
    for y, name in ((2.5, "ids"), (0.8, "offsets")):
        ax.text(2.4, y, name, ha="right", va="center", color="grey")
    return ax


def sum_of_rows(ids: Sequence[int], title: str) -> Axes:
    """Draw a multi-hot vector of length 5 times a table of weights, and the sum of rows it is."""
    table = np.array([[1, 2, 0], [3, 1, 2], [0, 4, 1], [2, 2, 5], [1, 0, 3]])  # [vocab, hidden]
    vocab, hidden = table.shape
    ax = _canvas(2 * hidden + 7, vocab + 1.6, title)
    for i, row in enumerate(table):
        y, chosen = vocab - i - 0.4, i in ids
        _row(ax, [int(chosen)], 0.8, y, ["C0" if chosen else QUIET])
        _row(ax, row, 3, y, ["C0" if chosen else QUIET] * hidden)
        ax.text(0.5, y + 0.5, str(i), ha="right", va="center", color="grey", fontsize="small")
        if chosen:
            arrow = {"arrowstyle": "->", "color": "C0"}
            end = (hidden + 5.6, vocab / 2 + 0.6)
            ax.annotate("", xy=end, xytext=(hidden + 3.1, y + 0.5), arrowprops=arrow)
    _row(ax, table[list(ids)].sum(axis=0), hidden + 5.8, vocab / 2 + 0.1, ["C2"] * hidden)
    for x, name in ((1.3, "x"), (3 + hidden / 2, "table [vocab, hidden]")):
        ax.text(x, vocab + 1, name, **CENTRED, color="grey")
    ax.text(1.5 * hidden + 5.8, vocab / 2 + 1.5, "sum", **CENTRED, color="C2")
    ax.text(2.4, vocab / 2 + 0.6, "×", **CENTRED)
    return ax


def ladder(seconds: Mapping[str, tuple[float, float]], title: str) -> Axes:
    """Draw, for the name of each rung, the seconds to iterate and to train an epoch."""
    ax = plt.subplots(layout="constrained")[1]
    places = np.arange(len(seconds))
    iterate, train = np.array(list(seconds.values())).T
    ax.hlines(places, iterate, train, color="lightgrey", linewidth=3, zorder=1)
    for values, others, name, colour in (
        (iterate, train, "iterate", "C1"),
        (train, iterate, "train", "C0"),
    ):
        ax.plot(values, places, "o", color=colour, label=f"{name} an epoch")
        for place, value, other in zip(places, values, others, strict=True):
            away = f"  {value:.2g} s  "  # blanks keep the text off the dot
            side = "right" if value < other else "left"  # of the text: it stands outside the pair
            ax.text(value, place, away, ha=side, va="center", fontsize="small", color=colour)
    ax.set_yticks(places, list(seconds))
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.grid(visible=False, axis="y")
    ax.margins(x=0.2, y=0.1)
    ax.set(xlabel="seconds (logarithmic)", title=title)
    ax.legend(loc="upper left")
    return ax
