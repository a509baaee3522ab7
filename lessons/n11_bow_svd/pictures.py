"""The pictures of notebook 11: one function each, each returns its Axes."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle


def thin_matrices(rows: int, columns: int, k: int, title: str) -> Axes:
    """Draw counts [rows, columns] as the product of three matrices, one review marked.

    Lengths are in proportion, but for k, which would be too thin to see.
    """
    _, ax = plt.subplots(figsize=(9, 3.6))
    high, wide, thin = 4.0, 4.0 * columns / rows, 0.45
    blocks = [
        ("X", f"[{rows:,}, {columns:,}]\ncounts, sparse", wide, high, "C0"),
        ("≈", "", 0.5, 0, ""),
        ("U Σ", f"[{rows:,}, {k}]\ncoordinates", thin, high, "C2"),
        ("·", "", 0.9, 0, ""),
        ("Vᵀ", f"[{k}, {columns:,}]\ncomponents", wide, thin, "C4"),
    ]
    x = 0.0
    for name, shape, width, height, colour in blocks:
        if height:
            corner = (x, high - height)
            ax.add_patch(Rectangle(corner, width, height, facecolor=colour, alpha=0.35))
            ax.text(x + width / 2, high - height - 0.15, shape, ha="center", va="top", fontsize=9)
        if height == high:  # one review
            ax.add_patch(Rectangle((x, 0.7 * high), width, 0.12, facecolor=colour))
        up = high / 2 if not height else high + 0.2
        ax.text(x + width / 2, up, name, ha="center", va="bottom", fontsize=15)
        x += width + 0.7
    ax.text(-0.2, 0.7 * high + 0.06, "one review", ha="right", va="center", fontsize=9)
    ax.set(xlim=(-1.6, x), ylim=(-0.9, high + 0.9), aspect="equal", title=title)
    ax.axis("off")
    return ax
