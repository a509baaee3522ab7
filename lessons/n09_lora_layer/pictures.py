"""The pictures of notebook 09: one function each, each returns its Axes."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from helpers.plots import BLAME, PRAISE

FROZEN, TRAINED_A, TRAINED_B = "0.85", "C0", "C1"


def low_rank_sum(
    in_features: int, out_features: int, r: int, title: str, ax: Axes | None = None
) -> Axes:
    """Draw the two ways of an input through W and through A and B (not to scale).

    Parameters
    ----------
    in_features, out_features, r : int
        Sides of the matrices: W [out, in], B [out, r] and A [r, in].
    title : str
        The finding.
    """
    ax = ax or plt.subplots(figsize=(8.5, 4.2))[1]
    boxes = (
        ("W", out_features, in_features, "frozen", (2.0, 2.5, 3.6, 1.3), FROZEN),
        ("A", r, in_features, "trained", (2.0, 0.75, 3.6, 0.3), TRAINED_A),
        ("B", out_features, r, "trained", (7.6, 0.25, 0.35, 1.3), TRAINED_B),
    )
    for name, rows, columns, state, (x, y, width, height), colour in boxes:
        ax.add_patch(plt.Rectangle((x, y), width, height, facecolor=colour, edgecolor="black"))
        ink = "white" if name == "A" else "black"
        middle = x + width / 2, y + height / 2
        ax.text(*middle, name, ha="center", va="center", color=ink, weight="bold")
        size = (
            f"{rows:,} × {columns:,} ={' ' if name != 'B' else chr(10)}{rows * columns:,} numbers"
        )
        ax.text(middle[0], y + height + 0.06, size, ha="center", va="bottom", fontsize="small")
        ax.text(middle[0], y - 0.08, state, ha="center", va="top", fontsize="small", style="italic")
    _arrow(ax, (1.0, 2.3), (1.95, 3.15))
    _arrow(ax, (1.0, 1.8), (1.95, 0.9))
    _arrow(ax, (5.65, 3.15), (9.1, 2.3))
    _arrow(ax, (5.65, 0.9), (7.55, 0.9))
    _arrow(ax, (8.0, 0.9), (9.1, 1.75))
    squeezed = f"A x: {r} number{'s' if r > 1 else ''}"
    ax.text(6.6, 0.8, squeezed, ha="center", va="top", fontsize="small")
    ax.text(8.65, 1.15, "· α / r", ha="left", va="top", fontsize="small")
    ax.text(0.35, 2.05, f"x\n{in_features:,}\nnumbers", ha="center", va="center")
    ax.text(9.75, 2.05, f"+\n= {out_features:,}\nnumbers", ha="center", va="center")
    ax.set(xlim=(-0.3, 10.4), ylim=(-0.6, 4.3), title=title)
    ax.set_axis_off()
    return ax


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": "0.3"})


def shares(shares: Mapping[tuple[str, str], float], title: str, ax: Axes | None = None) -> Axes:
    """Draw what each way to train a layer costs, as bars from zero, the layers apart.

    Parameters
    ----------
    shares : mapping of (str, str) to float
        For each (layer, way) its operations, as a share of the first way's.
    title : str
        The finding.
    """
    ax = ax or plt.subplots(figsize=(7.5, 3))[1]
    layers = list(dict.fromkeys(layer for layer, _ in shares))
    ways = dict.fromkeys(way for _, way in shares)
    colours = dict(zip(ways, (FROZEN, BLAME, PRAISE), strict=True))
    places = [row + 0.7 * layers.index(layer) for row, (layer, _) in enumerate(shares)]
    bars = ax.barh(places, [*shares.values()], color=[colours[way] for _, way in shares])
    ax.bar_label(bars, [f"{share:.0%}" for share in shares.values()], padding=3)
    ax.set_yticks(places, [f"{layer} layer, {way}" for layer, way in shares])
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.15), title=title)
    ax.set_xlabel("operations of a step, as a share of training all parameters")
    ax.grid(axis="y", visible=False)
    return ax
