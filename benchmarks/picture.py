"""The picture of `benchmarks.growth`: time and memory for a review, by number of reviews."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from helpers import plots
from helpers.files import atomic_write

TASKS = {"encode": "raw text to encoded", "train": "train an epoch", "iterate": "iterate an epoch"}
HIDDEN_BYTES = 50e6  # a smaller growth of the peak hides in what the start has used and freed


def flatness(results: list[dict], key: str) -> float:
    """Return the largest value a review over the smallest."""
    values = per_review(results, key)
    return max(values) / min(values)


def per_review(results: list[dict], key: str) -> list[float]:
    """Return the value for one review, for each size."""
    return [found[key] / found["reviews"] for found in results]


def draw(results: list[dict]) -> Figure:
    """Draw time and memory for a review against the number of reviews.

    Parameters
    ----------
    results : list of dict
        For each size ``reviews``; the seconds of ``encode``, ``train`` and ``iterate``;
        ``peak_bytes`` (or None) and ``held_bytes``.
    """
    plots.use_course_style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    counts = [found["reviews"] for found in results]
    for key, name in TASKS.items():
        microseconds = [1e6 * value for value in per_review(results, key)]
        left.plot(counts, microseconds, "o-", label=name)
    fold = max(flatness(results, key) for key in TASKS)
    growth = f"{counts[-1] / counts[0]:,.0f} × the reviews"
    left.set(ylabel="time for a review, µs", yscale="log")
    left.set_title(f"{growth}: time for each within {fold:.1f} ×")
    left.set_ylim(bottom=left.get_ylim()[0] / 8)

    seen = [found for found in results if (found["peak_bytes"] or 0) > HIDDEN_BYTES]
    for key, name, part in (
        ("peak_bytes", "growth of the peak while encoding", seen),
        ("held_bytes", "held when encoded", results),
    ):
        kilobytes = [value / 1e3 for value in per_review(part, key)]
        right.plot([found["reviews"] for found in part], kilobytes, "o-", label=name)
    right.set(ylabel="memory for a review, kB", ylim=(0, right.get_ylim()[1] * 1.4))
    held = flatness(results, "held_bytes")
    right.set_title(f"{growth}: memory held for each within {held:.2f} ×")
    for ax, place in ((left, "lower left"), (right, "upper left")):
        ax.set(xscale="log", xlabel="reviews (logarithmic)")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        ax.legend(loc=place)
    return figure


def save(results: list[dict], file: Path) -> None:
    """Write the picture as PNG, in one step."""
    figure = draw(results)
    with atomic_write(file) as stream:
        figure.savefig(stream, format="png")
    plt.close(figure)
