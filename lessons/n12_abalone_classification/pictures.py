"""The pictures of notebook 12: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter
from sklearn.metrics import auc, roc_curve

from helpers.plots import PALETTE


def growth(
    lengths: Sequence[float], rings: Sequence[int], sexes: Sequence[str], title: str
) -> Axes:
    """Draw shell length against rings, coloured by sex, with the mean length at each number.

    Parameters
    ----------
    lengths : sequence of float
        In mm.
    rings : sequence of int
        As many as `lengths`.
    sexes : sequence of {"F", "I", "M"}
        As many as `lengths`.
    title : str
        The finding.
    """
    ax = plt.subplots()[1]
    lengths, rings, sexes = np.asarray(lengths), np.asarray(rings), np.asarray(sexes)
    shift = np.random.default_rng(0).uniform(-0.35, 0.35, len(rings))  # points side by side
    mixed = np.random.default_rng(1).permutation(len(rings))  # so that no sex hides another
    palette = dict(zip("IFM", sns.color_palette(PALETTE), strict=False))
    colors = [palette[sex] for sex in sexes[mixed]]
    ax.scatter((rings + shift)[mixed], lengths[mixed], s=6, c=colors, alpha=0.6, linewidths=0)
    for letter, name in (("I", "infant"), ("F", "female"), ("M", "male")):
        ax.scatter([], [], color=palette[letter], label=name)
    numbers = np.array([number for number in np.unique(rings) if (rings == number).sum() >= 10])
    means = [lengths[rings == number].mean() for number in numbers]
    ax.plot(numbers, means, color="black", label="mean (of 10 or more)")
    ax.axvline(9.5, color="grey", linestyle="--")
    ax.set(xlabel="rings (dashed: old from 10 on)", ylabel="length [mm]", title=title)
    ax.legend(loc="lower right")
    return ax


def roc(curves: Mapping[str, tuple[Sequence[int], Sequence[float]]], title: str) -> Axes:
    """Draw true against false positive rate for all thresholds; mark the default, 0.5.

    Parameters
    ----------
    curves : mapping of str to (labels, probabilities)
        For each curve its name, the labels (0 or 1) and the predicted probabilities of 1.
    title : str
        The finding.
    """
    ax = plt.subplots(figsize=(5.6, 5))[1]
    for name, (labels, probabilities) in curves.items():
        labels, probabilities = np.asarray(labels), np.asarray(probabilities)
        false_rate, true_rate, _ = roc_curve(labels, probabilities)
        label = f"{name}, AUC {auc(false_rate, true_rate):.3f}"
        (line,) = ax.plot(false_rate, true_rate, label=label)
        called = probabilities >= 0.5
        point = called[labels == 0].mean(), called[labels == 1].mean()
        ax.plot(*point, "o", color=line.get_color(), markersize=9, markeredgecolor="black")
    ax.plot([0, 1], [0, 1], "--", color="grey", label="guessing, AUC 0.5")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    ax.set(
        xlabel="false positive rate (young called old)",
        ylabel="true positive rate (old called old)",
        title=title,
        aspect="equal",
    )
    ax.legend(title="● default threshold, 0.5", loc="lower right")
    return ax


def curves_with_spread(
    runs: Mapping[str, Sequence[Sequence[float]]], title: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """Draw the mean of several learning curves and a band of one standard deviation.

    Parameters
    ----------
    runs : mapping of str to sequence of sequences
        For each setting its name, and for each of its runs one value an epoch.
    title : str
        The finding.
    ylabel : str
        What is drawn, with its unit.
    """
    ax = ax or plt.subplots()[1]
    for (name, values), style in zip(runs.items(), cycle(("-", "--", ":")), strict=False):
        means, spread = np.mean(values, axis=0), np.std(values, axis=0, ddof=1)
        epochs = np.arange(1, len(means) + 1)
        (line,) = ax.plot(epochs, means, linestyle=style, linewidth=2, label=name)
        ax.fill_between(
            epochs, means - spread, means + spread, color=line.get_color(), alpha=0.15, linewidth=0
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=ylabel, title=title)
    ax.legend()
    return ax


def effects(intervals: Mapping[str, tuple[float, float]], title: str, xlabel: str) -> Axes:
    """Draw differences and their intervals beside the line of no difference.

    Parameters
    ----------
    intervals : mapping of str to (mean, half_width)
        For each row its name, the difference, and half of its interval.
    title : str
        The finding.
    xlabel : str
        Which difference, and which side is better.
    """
    ax = plt.subplots(figsize=(7, 0.8 + 0.5 * len(intervals)), layout="constrained")[1]
    for row, (mean, half_width) in enumerate(intervals.values()):
        clear = abs(mean) > half_width
        color = sns.color_palette(PALETTE)[0] if clear else "grey"
        ax.errorbar(mean, row, xerr=half_width, fmt="o", capsize=4, color=color)
    ax.axvline(0, color="black", linewidth=1)
    ax.set_yticks(range(len(intervals)), list(intervals))
    ax.invert_yaxis()
    ax.margins(y=0.2)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.set(xlabel=f"{xlabel}, 95 % interval (grey: could be 0)", title=title)
    return ax
