"""The pictures of notebook 11: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter


def explained_variance(
    ratios: Sequence[float],
    title: str,
    scores: Mapping[int, float] | None = None,
    score_label: str = "accuracy",
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of the variance that the first k components hold together.

    Parameters
    ----------
    ratios : sequence of float
        Each component's share of the variance, the first component first.
    title : str
        The finding.
    scores : mapping of int to float, optional
        For some numbers of components, a share reached with them, drawn beside.
    score_label : str
        What `scores` are.
    """
    ax = ax or plt.subplots()[1]
    ks = np.arange(1, len(ratios) + 1)
    ax.semilogx(ks, np.cumsum(ratios), label="explained variance")
    if scores is not None:
        ax.semilogx(list(scores), list(scores.values()), "o--", label=score_label)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set(xlabel="components kept", ylabel="share", ylim=(0, 1), title=title)
    ax.legend(loc="lower right")
    return ax
