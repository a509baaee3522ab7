"""The pictures of notebook 02: one function each, each returns its Axes."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes


def ladder(seconds: Mapping[str, tuple[float, float]], title: str, ax: Axes | None = None) -> Axes:
    """Draw, for each way to feed a model, the seconds to iterate and to train an epoch.

    Parameters
    ----------
    seconds : mapping of str to (float, float)
        For each rung its name, the seconds to iterate and the seconds to train.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    places = np.arange(len(seconds))
    for shift, column, name in ((-0.2, 0, "iterate"), (0.2, 1, "train")):
        values = [pair[column] for pair in seconds.values()]
        bars = ax.barh(places + shift, values, height=0.38, label=f"{name} an epoch")
        ax.bar_label(bars, fmt="%.2f s", padding=3, fontsize="small")
    ax.set_yticks(places, list(seconds))
    ax.grid(visible=False, axis="y")
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.margins(x=0.15)
    ax.set(xlabel="seconds for 25,000 reviews (logarithmic)", title=title)
    ax.legend(loc="lower right")
    return ax
