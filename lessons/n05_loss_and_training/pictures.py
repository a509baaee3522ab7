"""The pictures of notebook 05: one function each, each returns its Axes."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from torch import Tensor

from helpers.plots import BLAME, PALETTE, PRAISE


def descent(
    loss: Callable[[Tensor], Tensor],
    paths: Mapping[str, Tensor],
    title: str,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
    reach: Tensor | None = None,
) -> Axes:
    """Draw the contour lines of a loss ([points, 2] to [points]) and paths [steps + 1, 2] on it.

    `paths` holds them by name; all begin at the same point. `title` states the finding, `reach`
    are points [n, 2] that the picture must hold; without it those of the paths.
    """
    ax = ax or plt.subplots(figsize=(7, 5.5))[1]
    points = torch.cat([*paths.values()]) if reach is None else reach  # [points, 2]
    low, high = points.min(dim=0).values - 0.5, points.max(dim=0).values + 0.5
    across, up = (torch.linspace(low[axis], high[axis], 150) for axis in (0, 1))
    heights = loss(torch.cartesian_prod(across, up)).reshape(150, 150).T
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


def floor(title: str, other: str) -> Tensor:
    """Draw losses and slopes of one and two softmaxes; return slope of two / slope of one."""
    axes = plt.subplots(1, 2, figsize=(11, 4))[1]
    m = torch.linspace(-8, 8, 401, requires_grad=True)
    losses = {"one softmax": F.softplus(-m), "two softmaxes": F.softplus(1 - 2 * torch.sigmoid(m))}
    slopes = {name: -torch.autograd.grad(loss.sum(), m)[0] for name, loss in losses.items()}
    for ax, curves in zip(axes, (losses, slopes), strict=True):
        ax.set_prop_cycle(color=PALETTE[1:])  # two logits and softmax in the model, as elsewhere
        for (name, values), style in zip(curves.items(), ("-", "--"), strict=True):
            ax.plot(m.detach(), values.detach(), style, linewidth=2.5, label=name)
        ax.legend()
    axes[0].set(xlabel="margin m", ylabel="loss [nats]", title=title)
    axes[0].axhline(least := math.log(1 + 1 / math.e), color="grey", linestyle=":")
    axes[0].text(-8, least + 0.1, f"{least:.2f}", color="dimgrey")
    axes[1].set(xlabel="margin m", ylabel="size of the gradient dL/dm", title=other)
    return slopes["two softmaxes"] / slopes["one softmax"]


def bounds(ax: Axes) -> None:
    """Mark the least and the largest loss of two softmaxes in a picture of losses."""
    for bound, words in ((math.log(1 + 1 / math.e), "floor"), (math.log(1 + math.e), "ceiling")):
        ax.axhline(bound, color="grey", linestyle="--")
        ax.text(122, bound, f" {words} of\n two softmaxes", color="dimgrey", va="center")


Box = tuple[float, float, str, str]  # x, y, the words, the colour


def _diagram(
    boxes: Mapping[str, Box], arrows: Sequence[tuple[str, str, str]], title: str, ax: Axes
) -> Axes:
    """Draw boxes with words, and arrows (from, to, words) between them."""
    xs, ys = zip(*[box[:2] for box in boxes.values()], strict=True)
    ax.set(xlim=(min(xs) - 0.6, max(xs) + 0.6), ylim=(min(ys) - 0.6, max(ys) + 0.6), title=title)
    ax.set_axis_off()
    patches = {}
    for name, (x, y, words, colour) in boxes.items():
        look = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": colour}
        text = ax.text(x, y, words, ha="center", va="center", bbox=look | {"linewidth": 2})
        patches[name] = cast("Patch", text.get_bbox_patch())
    ax.figure.canvas.draw()  # now the boxes know their sizes
    back = ax.transData.inverted()
    edges = {name: patch.get_window_extent().transformed(back) for name, patch in patches.items()}
    for start, end, words in arrows:
        (x0, y0), (x1, y1) = boxes[start][:2], boxes[end][:2]
        ends = {"patchA": patches[start], "patchB": patches[end], "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (x1, y1), (x0, y0), arrowprops={"arrowstyle": "->", "color": "0.3"} | ends)
        x = (edges[start].x1 + edges[end].x0) / 2  # mid-arrow, not mid-way between the centres
        y = y0 + (y1 - y0) * (x - x0) / (x1 - x0) + 0.16
        ax.text(x, y, words, ha="center", fontsize="small")
    return ax


def logit_to_loss(logit: float, title: str) -> Axes:
    """Draw the way from a logit to the loss, for a positive and for a negative review."""
    chance = 1 / (1 + math.exp(-logit))
    boxes: dict[str, Box] = {
        "z": (0, 1, f"logit\nz = {logit}", "0.3"),
        "p": (1.5, 1, f"probability of\npositive {chance:.2f}", "0.3"),
    }
    arrows = [("z", "p", "σ")]
    for y, label, truth, colour in ((1.6, 1, chance, PRAISE), (0.4, 0, 1 - chance, BLAME)):
        words = f"probability of\nthe truth {truth:.2f}"
        boxes |= {f"t{label}": (3.3, y, words, colour)}
        boxes |= {f"l{label}": (4.8, y, f"loss\n{-math.log(truth):.2f}", colour)}
        arrows += [("p", f"t{label}", f"y = {label}"), (f"t{label}", f"l{label}", "−ln")]
    return _diagram(boxes, arrows, title, plt.subplots(figsize=(9, 3))[1])


def one_and_two_logits(title: str) -> np.ndarray:
    """Draw the end of the model with one logit, and with two, side by side."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 3), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    one: dict[str, Box] = {
        "h": (0, 1, "h\n200 units", "0.3"),
        "z": (1.5, 1, "z", PRAISE),
        "p": (3.0, 1, "p for positive,\n1 − p for negative", "0.3"),
    }
    _diagram(one, [("h", "z", "v · h + c"), ("z", "p", "σ")], "one logit", axes[0])
    two: dict[str, Box] = {"h": (0, 1, "h\n200 units", "0.3")}
    arrows = []
    for y, label, colour in ((1.5, 1, PRAISE), (0.5, 0, BLAME)):
        two |= {f"z{label}": (1.5, y, f"z{'₀₁'[label]}", colour)}
        two |= {f"p{label}": (3.0, y, f"p of {('negative', 'positive')[label]}", "0.3")}
        arrows += [("h", f"z{label}", ""), (f"z{label}", f"p{label}", "softmax" if label else "")]
        arrows += [(f"z{label}", f"p{1 - label}", "")]
    _diagram(two, arrows, "two logits", axes[1])
    return axes
