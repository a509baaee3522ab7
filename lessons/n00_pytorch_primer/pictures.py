"""The pictures of notebook 00: one function each, each returns its Axes."""

from collections.abc import Hashable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor

from helpers.plots import PALETTE


def computation_graph(
    edges: Sequence[tuple[Hashable, Hashable]],
    labels: Mapping[Hashable, str],
    values: Mapping[Hashable, float],
    gradients: Mapping[Hashable, float] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a computation graph from its inputs (left) to its result (right).

    Parameters
    ----------
    edges : sequence of pairs
        From a node to the node that is computed with it; together they have one result.
    labels : mapping of node to str
        What to write into each node.
    values : mapping of node to float
        The forward pass, written under the labels.
    gradients : mapping of node to float, optional
        The backward pass: d result / d node, written below the boxes.
    title : str
        The finding.
    """
    ax = ax or plt.subplots(figsize=(8, 3))[1]
    positions = _graph_positions(edges)
    boxes = {}
    for node, (x, y) in positions.items():
        boxes[node] = ax.text(
            x,
            y,
            f"{labels[node]}\n{values[node]:g}",
            ha="center",
            va="center",
            bbox={"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": "C0"},
        )
        if gradients is not None:
            text = f"gradient {gradients[node]:g}"
            ax.text(x, y - 0.42, text, ha="center", va="center", color="C3", fontsize="small")
    for start, end in edges:
        arrow = {"arrowstyle": "-|>", "color": "grey", "shrinkA": 2, "shrinkB": 2}
        arrow |= {"patchA": boxes[start].get_bbox_patch(), "patchB": boxes[end].get_bbox_patch()}
        ax.annotate("", positions[end], positions[start], arrowprops=arrow)
    columns, rows = zip(*positions.values(), strict=True)
    ax.set(xlim=(min(columns) - 0.6, max(columns) + 0.6), ylim=(min(rows) - 0.7, max(rows) + 0.5))
    ax.set_title(title)
    ax.axis("off")
    return ax


def _graph_positions(
    edges: Sequence[tuple[Hashable, Hashable]],
) -> dict[Hashable, tuple[float, float]]:
    """Place each node: the column is its distance from the result, inputs stand above."""
    ends = {end for _, end in edges}
    distance = {end: 0 for end in ends - {start for start, _ in edges}}
    for _ in edges:  # longest paths: as many rounds as there are edges are always enough
        for start, end in edges:
            if end in distance:
                distance[start] = max(distance.get(start, 0), distance[end] + 1)
    columns: dict[int, list[Hashable]] = {}
    for node in sorted(distance, key=lambda node: node not in ends):  # results before inputs
        columns.setdefault(distance[node], []).append(node)
    return {
        node: (-float(column), float(row))
        for column, nodes in columns.items()
        for row, node in enumerate(nodes)
    }


@torch.no_grad()
def decision_boundary(
    model: torch.nn.Module,
    points: Tensor,
    targets: Tensor,
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw what a two-class model says all over the plane, and the samples on top.

    Parameters
    ----------
    model : nn.Module
        Takes float32 [batch, 2], returns logits [batch].
    points : Tensor [samples, 2]
        Where the samples are; they also set the limits of the picture.
    targets : Tensor [samples]
        0 or 1.
    title : str
        The finding.
    """
    ax = ax or plt.subplots(figsize=(6, 4))[1]
    points, targets = points.cpu(), targets.cpu()
    low, high = points.amin(0) - 0.4, points.amax(0) + 0.4
    xs, ys = (torch.linspace(low[axis], high[axis], 200) for axis in (0, 1))
    grid = torch.cartesian_prod(xs, ys)  # [200 · 200, 2], x changes slowly
    device = next(model.parameters()).device
    probabilities = torch.sigmoid(model(grid.to(device))).cpu().view(200, 200).T.numpy()
    colors = sns.color_palette(PALETTE)[:2]
    shades = LinearSegmentedColormap.from_list("classes", [colors[0], "white", colors[1]])
    filled = ax.contourf(
        xs, ys, probabilities, levels=np.linspace(0, 1, 11), cmap=shades, alpha=0.6
    )
    ax.contour(xs, ys, probabilities, levels=[0.5], colors="black", linewidths=2)
    for label, marker in enumerate("o^"):
        style = {"marker": marker, "color": colors[label], "edgecolor": "black", "linewidth": 0.4}
        x, y = points[targets == label].T
        ax.scatter(x, y, s=18, label=f"class {label}", **style)
    ax.figure.colorbar(filled, ax=ax, label="predicted probability of class 1")
    ax.set(xlabel="first coordinate", ylabel="second coordinate", title=title)
    ax.grid(False)
    ax.legend()
    return ax
