"""The pictures of notebook 04: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter


def probabilities(values: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> np.ndarray:
    """Draw histograms of predicted probabilities, one panel a model, one colour a class.

    Parameters
    ----------
    values : mapping of str to mapping of str to sequence of float
        For each model its name, and for each class its name and the probabilities.
    title : str
        The finding.

    Returns
    -------
    array of Axes
        One for each model.
    """
    figure, axes = plt.subplots(1, len(values), figsize=(8, 3.5), sharey=True, squeeze=False)
    bins = np.linspace(0, 1, 42)  # an odd number: one bin around 0.5
    for ax, (name, classes) in zip(axes[0], values.items(), strict=True):
        for label, chances in classes.items():
            ax.hist(chances, bins=bins, histtype="step", linewidth=2, label=label)
        ax.axvline(0.5, color="grey", linestyle="--")
        ax.set(xlabel="probability of positive", title=name, yscale="log")
    axes[0, 0].set(ylabel="reviews")
    axes[0, 0].legend(title="reviews", loc="upper left", fontsize="small")
    figure.suptitle(title, fontsize="medium")
    figure.tight_layout()
    return axes[0]


def batch_accuracies(accuracies: Mapping[str, Sequence[float]], title: str) -> Axes:
    """Draw the accuracy of every batch, one row of dots a data set, with its mean.

    Parameters
    ----------
    accuracies : mapping of str to sequence of float
        For each data set its name and the accuracy of each batch.
    title : str
        The finding.
    """
    ax = plt.subplots(figsize=(7, 2.8))[1]
    names = list(accuracies)
    sns.stripplot(
        x=np.concatenate([np.asarray(accuracies[name]) for name in names]),
        y=np.repeat(names, [len(accuracies[name]) for name in names]),
        order=names,
        hue=np.repeat(names, [len(accuracies[name]) for name in names]),
        hue_order=names,
        legend=False,
        jitter=0.25,
        alpha=0.6,
        ax=ax,
    )
    for row, name in enumerate(names):
        ax.vlines(np.mean(accuracies[name]), row - 0.35, row + 0.35, color="black", linewidth=2)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set(xlabel="accuracy of one batch (black: mean)", ylabel="", title=title)
    return ax


def hidden_units(output_weights: Sequence[float], differences: Sequence[float], title: str) -> Axes:
    """Draw each hidden unit by its output weight and by what makes it active.

    Parameters
    ----------
    output_weights : sequence of float
        The weight from the unit to the logit.
    differences : sequence of float
        The unit's mean activation on positive reviews less that on negative ones.
    title : str
        The finding.
    """
    ax = plt.subplots()[1]
    ax.scatter(output_weights, differences, alpha=0.7)
    ax.axhline(0, color="grey", linewidth=1)
    ax.axvline(0, color="grey", linewidth=1)
    ax.set(
        xlabel="weight of the unit in the logit",
        ylabel="activation: positive − negative",
        title=title,
    )
    return ax
