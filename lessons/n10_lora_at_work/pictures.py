"""The pictures of notebook 10: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter


def every_run(
    runs: Mapping[str, Sequence[Sequence[float]]],
    title: str,
    ylabel: str = "validation accuracy",
    ax: Axes | None = None,
) -> Axes:
    """Draw each run's value after each epoch: a colour for each setting, a line for each seed.

    Parameters
    ----------
    runs : mapping of str to sequence of sequences
        For each setting its name, and for each of its runs one value an epoch.
    title : str
        The finding.
    ylabel : str
        What is drawn, with its unit; an accuracy is drawn in percent.
    """
    ax = ax or plt.subplots()[1]
    looks = zip("osD^vXP*", cycle(("-", "--", "-.", ":")), strict=False)
    for setting, (look, (name, seeds)) in enumerate(zip(looks, runs.items(), strict=False)):
        for number, values in enumerate(seeds):
            (line,) = ax.plot(range(1, len(values) + 1), values, "".join(look), markersize=4)
            line.set(color=f"C{setting}", label=name if number == 0 else None)
    if "accuracy" in ylabel:
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=ylabel, title=title)
    ax.legend(fontsize="small")
    return ax


def spectrum(
    singular_values: Mapping[str, Sequence[float]], title: str, ax: Axes | None = None
) -> Axes:
    """Draw singular values against their rank, both as they are (logarithmic upwards).

    Parameters
    ----------
    singular_values : mapping of str to sequence of float
        For each matrix its name and its singular values above 0, the largest first.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for (name, values), marker in zip(singular_values.items(), cycle("osD^"), strict=False):
        numbers = np.arange(1, len(values) + 1)
        ax.semilogy(numbers, values, marker=marker, markersize=5, linewidth=1, label=name)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="number of the singular value", ylabel="singular value", title=title)
    ax.legend()
    return ax
