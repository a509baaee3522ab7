"""The pictures of notebook 06: one function each, each returns its Axes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from helpers.training import History


def three_sets(title: str) -> Axes:
    """Draw training, validation and test reviews as dots, with a letter for the film of each."""
    ax = plt.subplots(figsize=(9, 3))[1]
    sets = (
        ("training: 20,000", "AAABBCCDDDEEEFFG", 0.0, 4, "films A to G", "C0"),
        ("validation: 5,000", "BDFF", 3.9, 2, "the same films", "C0"),
        ("test: 25,000", "PPPQRRSSTTUUVVVWXXYZ", 7.0, 5, "other films", "grey"),
    )
    for name, films, left, columns, words, colour in sets:
        for place, film in enumerate(films):
            x, y = left + 0.75 * (place % columns), 2.4 - 0.75 * (place // columns)
            ax.plot(x, y, "o", markersize=22, color=colour, alpha=0.25)
            ax.text(x, y, film, ha="center", va="center")
        width, height = 0.75 * columns + 0.15, 0.75 * len(films) / columns + 0.15
        ax.add_patch(
            plt.Rectangle((left - 0.45, 2.85 - height), width, height, fill=False, ec="grey")
        )
        ax.text(left - 0.45, 2.95, name, va="bottom")
        ax.text(left - 0.45, 2.75 - height, words, color=colour, va="top")
    ax.set(xlim=(-0.6, 10.6), ylim=(-0.7, 3.4), title=title)
    ax.axis("off")
    return ax


def guessing_curve(
    class_counts: Sequence[int], losses: Sequence[float], title: str, ax: Axes | None = None
) -> Axes:
    """Draw exp(loss) of a guessing model against the number of classes, and the trap 1/N.

    `losses` are the cross-entropies of equal logits for each number of classes, in nats.
    """
    ax = ax or plt.subplots()[1]
    counts = np.asarray(class_counts)
    ax.plot(counts, counts, color="grey", linewidth=1, label="N")
    ax.plot(counts, np.exp(losses), "o", color="C0", label="exp(cross-entropy), computed")
    ax.plot(counts, 1 / counts, "s--", color="C1", label="1 / N (the trap)")
    ax.axhspan(0, 1, color="grey", alpha=0.25)
    ax.text(counts.max(), 0.62, "impossible", ha="right", va="center", style="italic")
    ax.set_ylim(0, None)
    ax.set(xlabel="number of classes N", ylabel="perplexity", title=title)
    ax.legend()
    return ax


def watched(histories: Mapping[str, History], title: str) -> np.ndarray:
    """Draw perplexity and accuracy over the epochs: a colour for each run, a style for each split.

    Of a single run, a dotted line marks the epoch of the lowest validation loss.
    """
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for ax, kind in zip(axes, ("perplexity", "accuracy"), strict=True):
        for number, (name, history) in enumerate(histories.items()):
            for part, split, style in (("watched", "train", "--"), ("validation",) * 2 + ("-",)):
                values = [getattr(result, kind) for result in getattr(history, part)]
                mark = "." if len(values) < 20 else ""
                label, colour = f"{name}, {split}".lstrip(", "), f"C{number}"
                epochs = np.arange(1, len(values) + 1)
                ax.plot(epochs, values, style, marker=mark, color=colour, label=label)
        if len(histories) == 1:
            ax.axvline(history.best_epoch + 1, color="grey", linestyle=":", label="best epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(xlabel="epoch", ylabel=kind)
        ax.legend(fontsize="small")
    axes[1].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    figure.suptitle(title, fontsize="medium")
    return axes


def distances(places: np.ndarray, title: str) -> Axes:
    """Draw how many reviews have their nearest neighbour how many places away in the file.

    Copies, 0 places apart, are left out. Every bar has room for a whole number.
    """
    ax = plt.subplots(figsize=(7, 3.2))[1]
    edges = np.unique(np.geomspace(1, 25_000, 29).round()) - 0.5
    ax.hist(places, list(edges), color="C0", edgecolor="white")
    ax.set(xscale="log", xlabel="distance in places (logarithmic)")
    ax.set_xticks([1, 10, 100, 1_000, 10_000], ["1", "10", "100", "1,000", "10,000"])
    ax.set(ylabel="validation reviews", title=title)
    return ax


def reliability_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[int]]], title: str
) -> Axes:
    """Draw the share of positive reviews against the predicted probability, for each name.

    Each curve has mean probabilities, shares and numbers of reviews of its bins; a dot's area is
    proportional to the number.
    """
    ax = plt.subplots(figsize=(5, 4.6))[1]
    ax.plot([0, 1], [0, 1], color="grey", linewidth=1)
    for number, (name, (means, shares, counts)) in enumerate(curves.items()):
        ax.plot(means, shares, color=f"C{number}", label=name)
        ax.scatter(means, shares, 250 * np.asarray(counts) / sum(counts), color=f"C{number}")
    ax.set(xlabel="predicted probability of positive", ylabel="share of positive reviews")
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), title=title)
    ax.legend()
    return ax
