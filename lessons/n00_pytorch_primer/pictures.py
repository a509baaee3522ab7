"""The pictures of notebook 00: one function each, each returns its Axes."""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor, nn

from helpers.plots import BLAME, PRAISE

CLASSES = (BLAME, PRAISE)  # the colours of class 0 and class 1


def broadcasting(pairs: Mapping[str, tuple[Tensor, Tensor]], title: str) -> np.ndarray:
    """Draw sums of matrices with smaller tensors: what is repeated stands in grey.

    `pairs` has a title for each pair, int64 [rows, columns] and what is added to it.
    """
    figure, axes = plt.subplots(1, len(pairs), figsize=(12, 2.6), layout="constrained")
    for ax, (name, (left, right)) in zip(axes, pairs.items(), strict=True):
        rows, columns = left.shape
        fits = right.shape[-1] in (1, columns)
        wide = torch.broadcast_to(right, left.shape) if fits else right[None]
        own = torch.zeros_like(left, dtype=torch.bool)
        own[: rows if right.ndim > 1 else 1, : right.shape[-1]] = True
        for values, start, solid in ((left, 0, torch.ones_like(own)), (wide, columns + 1, own)):
            for row, column in np.ndindex(*values.shape):
                x, edge = start + column, "black" if solid[row, column] else "silver"
                ax.add_patch(plt.Rectangle((x, -row), 1, -1, fill=False, edgecolor=edge))
                text = str(values[row, column].item())
                ax.text(x + 0.5, -row - 0.5, text, ha="center", va="center", color=edge)
        ax.text(columns + 0.5, -rows / 2, "+", ha="center", va="center")
        if not fits:
            ax.text(2 * columns + 0.5, -0.5, "?", ha="center", va="center", color="C3")
        ax.set(xlim=(-0.1, 2 * columns + 1.1), ylim=(-rows - 0.1, 0.1), title=name, aspect="equal")
        ax.axis("off")
    figure.suptitle(title, fontsize="medium")
    return axes


def computation_graph(
    edges: Sequence[tuple[Hashable, Hashable]],
    labels: Mapping[Hashable, str],
    values: Mapping[Hashable, float],
    gradients: Mapping[Hashable, float] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a computation graph from its inputs (left) to its result (right).

    `edges` lead from a node to one that is computed with it, in the order of the computation.
    Into each box go its label and its value, below it, if given, its gradient: d result / d node.
    """
    ax, gradients = ax or plt.subplots(figsize=(8, 3))[1], gradients or {}
    positions = _graph_positions(edges)
    boxes = {}
    for node, (x, y) in positions.items():
        style = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": "C0"}
        text = f"{labels[node]}\n{values[node]:g}"
        boxes[node] = ax.text(x, y, text, ha="center", va="center", bbox=style)
        if node in gradients:
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


def recorded_graph(steps: Mapping[str, Tensor], title: str, ax: Axes) -> Axes:
    """Draw the graph that PyTorch has recorded; `steps` are the results that keep gradients."""
    nodes: dict[Any, Any] = {tensor.grad_fn: tensor for tensor in steps.values()}
    edges = [(one, later) for later in nodes for one, _ in later.next_functions if one]
    nodes |= {one: one.variable for one, _ in edges if one not in nodes}
    labels = {node: type(node).__name__ for node in nodes}
    values = {node: tensor.item() for node, tensor in nodes.items()}
    gradients = {node: tensor.grad.item() for node, tensor in nodes.items()}
    return computation_graph(edges, labels, values, gradients, title, ax)


def _graph_positions(edges: Sequence[tuple[Hashable, Hashable]]) -> dict[Any, tuple[int, int]]:
    """Place each node: the column is its distance from the result, inputs stand above."""
    distance: dict[Hashable, int] = {}
    for start, end in reversed(edges):
        distance[start] = max(distance.get(start, 0), distance.setdefault(end, 0) + 1)
    ends = {end for _, end in edges}
    rows: dict[int, Iterator[int]] = defaultdict(itertools.count)
    results_first = sorted(distance, key=lambda node: node not in ends)
    return {node: (-distance[node], next(rows[distance[node]])) for node in results_first}


def boundaries(
    models: Mapping[str, nn.Module], points: Tensor, targets: Tensor, title: str = ""
) -> np.ndarray:
    """Draw what several models say, side by side; the keys of `models` are the titles."""
    size = (4 * len(models) + 1.2, 3.9)
    figure, axes = plt.subplots(1, len(models), figsize=size, layout="constrained", squeeze=False)
    for ax, (name, model) in zip(axes[0], models.items(), strict=True):
        decision_boundary(model, points, targets, name, ax)
    figure.colorbar(axes[0, -1].collections[0], ax=axes, label="probability of class 1")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.suptitle(title, fontsize="medium")
    return axes[0]


@torch.no_grad()
def decision_boundary(
    model: nn.Module, points: Tensor, targets: Tensor, title: str, ax: Axes
) -> Axes:
    """Draw what a two-class model says all over the plane, and the samples on top.

    `model` maps float32 [batch, 2] to logits [batch]; `points` [samples, 2] also set the limits.
    """
    low, high = points.amin(0) - 0.4, points.amax(0) + 0.4
    xs, ys = (torch.linspace(low[axis], high[axis], 200) for axis in (0, 1))
    grid = torch.cartesian_prod(xs, ys)  # [200 · 200, 2], x changes slowly
    probabilities = torch.sigmoid(model(grid)).view(200, 200).T.numpy()
    shades = LinearSegmentedColormap.from_list("classes", [BLAME, "white", PRAISE])
    ax.contourf(xs, ys, probabilities, np.linspace(0, 1, 11), cmap=shades, alpha=0.6)
    ax.contour(xs, ys, probabilities, levels=[0.5], colors="black", linewidths=2)
    for label, marker in enumerate("o^"):
        x, y = points[targets == label].T
        dots = ax.scatter(x, y, s=18, marker=marker, color=CLASSES[label], label=f"class {label}")
        dots.set(edgecolor="black", linewidth=0.4)
    ax.set(xlabel="first coordinate", ylabel="second coordinate", title=title)
    ax.grid(False)
    return ax
