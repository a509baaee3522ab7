"""The pictures of notebook 01: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter


def zipf(counts: Mapping[str, Sequence[int]], title: str, ax: Axes | None = None) -> Axes:
    """Draw token counts against their rank, both axes logarithmic.

    Parameters
    ----------
    counts : mapping of str to sequence of int
        For each curve its name and the counts of its tokens, in any order.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for name, values in counts.items():
        ordered = np.sort(np.asarray(values))[::-1]
        ax.loglog(np.arange(1, len(ordered) + 1), ordered, label=name)
    ranks = np.array([1, 1e5])
    top = max(max(values) for values in counts.values())
    ax.loglog(ranks, top / ranks, "--", color="grey", label="count ∝ 1 / rank")
    ax.set(xlabel="rank of the token", ylabel="occurrences", title=title)
    ax.legend()
    return ax


def coverage(
    counts: Mapping[str, Sequence[int]], size: int, title: str, ax: Axes | None = None
) -> Axes:
    """Draw the share of all occurrences that the most frequent tokens cover.

    Parameters
    ----------
    counts : mapping of str to sequence of int
        For each curve its name and the counts of its tokens, in any order.
    size : int
        Vocabulary size to mark.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for name, values in counts.items():
        ordered = np.sort(np.asarray(values))[::-1]
        ax.semilogx(np.arange(1, len(ordered) + 1), np.cumsum(ordered) / ordered.sum(), label=name)
    ax.axvline(size, color="grey", linestyle="--", label=f"{size:,} tokens")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set(xlabel="vocabulary size", ylabel="share of all tokens covered", title=title)
    ax.legend()
    return ax


def review_lengths(
    negative: Sequence[int], positive: Sequence[int], title: str, ax: Axes | None = None
) -> Axes:
    """Draw the distribution of review lengths (in words) for each class."""
    ax = ax or plt.subplots()[1]
    bins = np.geomspace(10, 2_500, 50)
    for name, lengths in (("negative", negative), ("positive", positive)):
        ax.hist(lengths, bins=bins, histtype="step", linewidth=2, label=name)
        ax.axvline(np.mean(lengths), color=ax.patches[-1].get_edgecolor(), linestyle="--")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set(xlabel="words in the review (dashed: mean)", ylabel="reviews", title=title)
    ax.legend()
    return ax
