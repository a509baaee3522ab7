"""The pictures of notebook 09: one function each, each returns its Axes."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes


def low_rank_sum(
    in_features: int, out_features: int, r: int, title: str, ax: Axes | None = None
) -> Axes:
    """Draw W + B A as boxes (not to scale): what is frozen, what is trained, how large it is.

    Parameters
    ----------
    in_features, out_features, r : int
        Sides of the matrices: W [out, in], B [out, r] and A [r, in].
    title : str
        The finding.
    """
    ax = ax or plt.subplots(figsize=(8, 2.8))[1]
    boxes = (
        ("W", out_features, in_features, "frozen", (0.0, 0.0, 3.6, 1.6), "0.85"),
        ("B", out_features, r, "trained,\n0 at the start", (4.6, 0.0, 0.35, 1.6), "C1"),
        ("A", r, in_features, "trained, random at the start", (5.9, 0.65, 3.6, 0.3), "C0"),
    )
    for name, rows, columns, state, (x, y, width, height), colour in boxes:
        ax.add_patch(plt.Rectangle((x, y), width, height, facecolor=colour, edgecolor="black"))
        middle = x + width / 2
        ink = "white" if name == "A" else "black"
        ax.text(middle, y + height / 2, name, ha="center", va="center", color=ink, weight="bold")
        size = f"{rows:,} × {columns:,}\n= {rows * columns:,} numbers"
        ax.text(middle, y + height + 0.1, size, ha="center", va="bottom", fontsize="small")
        ax.text(middle, y - 0.1, state, ha="center", va="top", fontsize="small", style="italic")
    for x, sign in ((4.1, "+"), (5.42, "·")):
        ax.text(x, 0.8, sign, ha="center", va="center", fontsize="xx-large")
    ax.set(xlim=(-0.2, 9.7), ylim=(-0.75, 2.5), title=title)
    ax.set_axis_off()
    return ax
