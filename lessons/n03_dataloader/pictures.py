"""The pictures of notebook 03: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from scipy.stats import binom


def batch_losses(
    losses: Mapping[str, Sequence[float]], batches_per_epoch: int, title: str
) -> np.ndarray:
    """Draw the loss of every batch, one panel a run, with a line where an epoch ends.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        For each run its name and its batch losses in nats, in the order of training.
    batches_per_epoch : int
        Where the lines go.
    title : str
        The finding.

    Returns
    -------
    array of Axes
        One for each run.
    """
    figure, axes = plt.subplots(
        len(losses), 1, figsize=(7, 2.1 * len(losses) + 0.6), sharex=True, squeeze=False
    )
    for ax, (name, values), color in zip(
        axes[:, 0], losses.items(), sns.color_palette(), strict=False
    ):
        updates = np.arange(1, len(values) + 1)
        ax.plot(updates, np.asarray(values), linewidth=1, color=color)
        for end in range(batches_per_epoch, len(values), batches_per_epoch):
            ax.axvline(end + 0.5, color="grey", linestyle="--", linewidth=1)
        ax.set(title=name, ylabel="loss [nats]", ylim=(0, None))
    axes[-1, 0].set(xlabel="updates (dashed: an epoch ends)")
    figure.suptitle(title, fontsize="medium")
    figure.tight_layout()
    return axes[:, 0]


def gradient_agreement(cosines: Mapping[int, Sequence[float]], title: str) -> Axes:
    """Draw how well the gradients of batches point where the gradient of all data points.

    Parameters
    ----------
    cosines : mapping of int to sequence of float
        For each batch size the cosines between both gradients, one for each batch drawn.
    title : str
        The finding.
    """
    ax = plt.subplots()[1]
    sizes = list(cosines)
    sns.stripplot(
        x=np.repeat(sizes, [len(cosines[size]) for size in sizes]),
        y=np.concatenate([np.asarray(cosines[size]) for size in sizes]),
        order=sizes,
        color=sns.color_palette()[0],
        alpha=0.5,
        ax=ax,
    )
    means = [np.mean(cosines[size]) for size in sizes]
    ax.plot(range(len(sizes)), means, "o-", color=sns.color_palette()[1], label="mean")
    ax.set(xlabel="reviews in the batch", ylabel="cosine with the full gradient", title=title)
    ax.legend()
    return ax


def positive_shares(
    shares: Sequence[float], batch_size: int, probability: float, title: str
) -> Axes:
    """Draw how many batches have how many positives, beside the binomial distribution.

    Parameters
    ----------
    shares : sequence of float
        The share of positives in each batch of `batch_size`.
    batch_size : int
        Samples in a batch.
    probability : float
        The share of positives in the data set.
    title : str
        The finding.
    """
    ax = plt.subplots()[1]
    positives = np.rint(np.asarray(shares) * batch_size).astype(int)
    first, last = binom.ppf([1e-4, 1 - 1e-4], batch_size, probability).astype(int)
    numbers = np.arange(min(first, positives.min()), max(last, positives.max()) + 1)
    found = [(positives == number).sum() for number in numbers]
    expected = len(positives) * binom.pmf(numbers, batch_size, probability)
    ax.bar(numbers, found, label="batches found")
    ax.plot(
        numbers, expected, "o-", color=sns.color_palette()[1], markersize=4, label="binomial law"
    )
    ax.set(xlabel=f"positives among {batch_size} reviews", ylabel="batches", title=title)
    ax.legend()
    return ax


def losses_two_ways(losses: Mapping[int, Sequence[Sequence[float]]], title: str) -> np.ndarray:
    """Draw the losses of several batch sizes, against epochs and against updates.

    Parameters
    ----------
    losses : mapping of int to array [epochs, batches]
        For each batch size its batch losses in nats. Each point drawn is a mean over
        neighbouring batches.
    title : str
        The finding.

    Returns
    -------
    array of Axes
        Against epochs; against updates (logarithmic).
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
    palette = sns.color_palette("viridis", len(losses))
    markers = "osD^v<>"
    for (size, values), color, marker in zip(losses.items(), palette, markers, strict=False):
        values = np.asarray(values)
        flat = values.ravel()
        even = np.linspace(0, len(flat), min(len(flat), 25) + 1).astype(int)
        growing = np.unique(np.geomspace(1, len(flat) + 1, 25).astype(int)) - 1
        for ax, edges, unit in ((axes[0], even, values.shape[1]), (axes[1], growing, 1)):
            means = [flat[start:stop].mean() for start, stop in pairwise(edges)]
            middles = (edges[:-1] + edges[1:] + 1) / 2 / unit
            ax.plot(middles, means, color=color, marker=marker, markersize=4, label=f"{size:,}")
    axes[0].set(xlabel="epochs", ylabel="training loss [nats]", ylim=(0, None))
    axes[1].set(xlabel="updates", xscale="log")
    axes[1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes[1].legend(title="batch size", fontsize="small", loc="lower left")
    figure.suptitle(title, fontsize="medium")
    figure.tight_layout()
    return axes
