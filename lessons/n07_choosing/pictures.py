"""The pictures of notebook 07: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter


def accuracy_by_learning_rate(
    accuracies: Mapping[float, Sequence[float]], title: str, ax: Axes | None = None
) -> Axes:
    """Draw accuracy against learning rate (logarithmic): a dot a seed, a line of means.

    Parameters
    ----------
    accuracies : mapping of float to sequence of float
        For each learning rate the accuracy of each seed.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    rates = sorted(accuracies)
    ax.plot(rates, [np.mean(accuracies[rate]) for rate in rates], "-", label="mean")
    for rate in rates:
        dots = ax.plot([rate] * len(accuracies[rate]), accuracies[rate], "o", color="C1", alpha=0.7)
    dots[0].set_label("one seed")
    ax.axhline(0.5, color="grey", linestyle="--", label="guessing")
    ax.set_xscale("log")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set(xlabel="learning rate (logarithmic)", ylabel="validation accuracy", title=title)
    ax.legend()
    return ax


def flattery_curves(
    points: Mapping[int, Mapping[int, float]], title: str, ax: Axes | None = None
) -> Axes:
    """Draw by how much the best score on an exam flatters, against the number of tries.

    Parameters
    ----------
    points : mapping of int to mapping of int to float
        For each size of the exam, for each number of models tried, the mean of
        (score on the exam − score elsewhere) of the model chosen, as a share.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for size, by_tries in points.items():
        tries, values = list(by_tries), [100 * value for value in by_tries.values()]
        ax.plot(tries, values, marker="o")
        ax.annotate(
            f"exam of {size:,} reviews",
            (tries[-1], values[-1]),
            xytext=(0, 6),
            textcoords="offset points",
            ha="right",
        )
    ax.axhline(0, color="grey", linestyle="--")
    ax.margins(y=0.12)
    ax.set(xlabel="models tried", ylabel="flattery [percentage points]", title=title)
    return ax
