"""The pictures of notebook 06: one function each, each returns its Axes."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes


def guessing_curve(
    class_counts: Sequence[int], losses: Sequence[float], title: str, ax: Axes | None = None
) -> Axes:
    """Draw exp(loss) of a guessing model against the number of classes, and the trap 1/N.

    Parameters
    ----------
    class_counts : sequence of int
        Numbers of classes.
    losses : sequence of float
        The cross-entropy of equal logits for each, in nats.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    counts = np.asarray(class_counts)
    ax.plot(counts, counts, color="grey", linewidth=1, label="N")
    ax.plot(counts, np.exp(losses), "o", color="C0", label="exp(cross-entropy), computed")
    ax.plot(counts, 1 / counts, "s--", color="C1", label="1 / N (the trap)")
    ax.axhspan(0, 1, color="grey", alpha=0.25)
    ax.text(counts.max(), 0.62, "impossible", ha="right", va="center", style="italic")
    ax.set_ylim(0, None)
    ax.set(xlabel="number of classes N", ylabel="perplexity", title=title)
    ax.legend()
    return ax
