"""The pictures of notebook 05: one function each, each returns its Axes."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor


def lines(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    title: str,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw several functions of one variable.

    Parameters
    ----------
    x : sequence of float
        Where the functions are known.
    curves : mapping of str to sequence of float
        For each curve its name and its values; not drawn where they are not finite.
    title, xlabel, ylabel : str
        The finding, and the names of the axes with their units.
    """
    ax = ax or plt.subplots()[1]
    for (name, values), style in zip(curves.items(), cycle(("-", "--", "-.", ":")), strict=False):
        ax.plot(x, values, style, linewidth=2.5, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if len(curves) > 1:
        ax.legend()
    return ax


def descent(
    loss: Callable[[Tensor], Tensor],
    paths: Mapping[str, Tensor],
    title: str,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw the contour lines of a loss of two parameters and paths of gradient descent on it.

    Parameters
    ----------
    loss : callable
        Maps parameters [points, 2] to losses [points].
    paths : mapping of str to Tensor [steps + 1, 2]
        For each path its name and the points that it visits; all start at the same one.
    title, xlabel, ylabel : str
        The finding, and the names of the two parameters.
    """
    ax = ax or plt.subplots(figsize=(7, 5.5))[1]
    points = torch.cat([*paths.values()])  # [points, 2]
    low, high = points.min(dim=0).values - 0.5, points.max(dim=0).values + 0.5
    across, up = (torch.linspace(low[axis], high[axis], 150) for axis in (0, 1))
    grid = torch.cartesian_prod(across, up)  # [150 · 150, 2]
    heights = loss(grid).reshape(150, 150).T
    floor = float(heights.min())
    levels = floor + (float(heights.max()) - floor) * np.linspace(0, 1, 16) ** 2
    ax.contourf(across, up, heights, levels=levels, cmap="Greys", alpha=0.5)
    ax.contour(across, up, heights, levels=levels, colors="grey", linewidths=0.7)
    for (name, path), marker in zip(paths.items(), ("s", "o", "^", "D"), strict=False):
        ax.plot(path[:, 0], path[:, 1], marker=marker, markersize=5, label=name)
    ax.plot(*paths[next(iter(paths))][0], "k*", markersize=16, label="start")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.legend()
    return ax
