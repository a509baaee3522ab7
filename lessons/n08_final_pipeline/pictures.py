"""The picture of notebook 08; it returns its Axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

#: what a part of the reviews is there for in a step: colour, and what is written on it
ROLES = {
    "train": ("C0", "learn"),
    "score": ("C1", "score"),
    "closed": ("lightgrey", "closed"),
}


def who_sees_what(parts: Mapping[str, int], steps: Mapping[str, Sequence[str]], title: str) -> Axes:
    """Draw which reviews each step learns from, scores on, and leaves alone.

    Parameters
    ----------
    parts : mapping of str to int
        The parts of the reviews, and how many reviews each has.
    steps : mapping of str to sequence of str
        For each step its role for each part, a key of `ROLES`; drawn from top to bottom.
    title : str
        The finding.
    """
    _, ax = plt.subplots(figsize=(8, 0.7 * len(steps) + 1), layout="constrained")
    for row, roles in enumerate(steps.values()):
        left = 0
        for count, role in zip(parts.values(), roles, strict=True):
            colour, words = ROLES[role]
            ax.barh(row, count, left=left, height=0.7, color=colour, edgecolor="white", linewidth=3)
            ink = "black" if role != "train" else "white"
            ax.text(left + count / 2, row, words, ha="center", va="center", color=ink, size="small")
            left += count
    left = 0
    for name, count in parts.items():
        ax.text(left + count / 2, -0.5, f"{name}\n{count:,}", ha="center", va="bottom")
        left += count
    ax.set_yticks(range(len(steps)), steps)
    ax.set(ylim=(len(steps) - 0.5, -1.3), xticks=[])
    ax.set_title(title)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return ax
