"""The pictures of notebook 12: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from helpers.plots import PALETTE


def one_hot(letters: Sequence[str], names: Sequence[str], title: str) -> Axes:
    """Draw how each of `letters` becomes a row with a single 1, under its own of `names`."""
    ax = plt.subplots(figsize=(6.5, 0.8 + 0.55 * len(letters)), layout="constrained")[1]
    ink = PALETTE[0]
    for column, name in enumerate(names):
        ax.text(3 + column, 1, name, ha="center", va="center", weight="bold")
    ax.text(0, 1, "sex", ha="center", va="center", weight="bold")
    for row, letter in enumerate(letters):
        box = {"boxstyle": "round", "facecolor": "0.93", "edgecolor": "black"}
        ax.text(0, -row, letter, ha="center", va="center", bbox=box)
        ax.annotate("", (2.3, -row), (0.5, -row), arrowprops={"arrowstyle": "->", "color": "0.3"})
        for column, name in enumerate(names):
            on = letter == name
            square = (2.55 + column, -row - 0.4), 0.9, 0.8
            face = ink if on else "white"
            ax.add_patch(plt.Rectangle(*square, facecolor=face, edgecolor="black"))
            color = "white" if on else "black"
            ax.text(3 + column, -row, f"{on:d}", ha="center", va="center", color=color)
        ax.text(2.9 + len(names), -row, "sum 1", va="center", color="0.3")
    ax.set(xlim=(-0.6, 4.2 + len(names)), ylim=(0.5 - len(letters), 1.4), title=title)
    ax.set_axis_off()
    return ax


def effects(
    changes: Mapping[str, tuple[float, float]], factor: float, title: str, xlabel: str
) -> Axes:
    """Draw differences (mean, half of its interval) beside the line of no difference.

    The thin interval is `factor` times as long as the thick one. A row is grey where the thick
    one holds zero. `title` states the finding, `xlabel` says which difference it is.
    """
    ax = plt.subplots(figsize=(8, 1.2 + 0.4 * len(changes)), layout="constrained")[1]
    for row, (mean, half) in enumerate(changes.values()):
        color = PALETTE[0] if abs(mean) > half else "grey"
        ax.plot([mean - factor * half, mean + factor * half], [row, row], color=color, linewidth=1)
        ax.plot([mean - half, mean + half], [row, row], color=color, linewidth=4)
        ax.plot(mean, row, "o", color=color, markersize=9)
    ax.axvline(0, color="black", linewidth=1)
    ax.set_yticks(range(len(changes)), [*changes])
    ax.invert_yaxis()
    ax.set(xlabel=f"{xlabel} (thick: these animals, thin: other animals)", title=title)
    return ax
