"""Right answers to the exercises of notebook 07, each with places for the usual mistakes."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median_low
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from helpers import training

Scores = Mapping[float, Sequence[float]]  # for each learning rate the score of each seed


def sweep(score: Callable, rates: Sequence, seeds: Sequence, blown: tuple = (0.5,)) -> dict:
    """Score every rate with every seed; `blown` is noted for a training that blew up."""
    found: dict[float, list[float]] = {}
    for rate in rates:
        found[rate] = []
        for seed in seeds:
            try:
                found[rate].append(score(rate, seed))
            except FloatingPointError:
                found[rate].extend(blown)
    return found


def swept(answer: Callable, rates: Sequence[float], seeds: Sequence[int]) -> Any:
    """Return which trainings, made up here, a sweep has asked for, and its dict."""
    asked = []

    def train_and_score(rate: float, seed: int) -> float:
        asked.append((rate, seed))
        if rate > 5 and seed < 3:
            raise FloatingPointError("The loss became nan: too high a learning rate?")
        score = 0.9 - 0.1 * abs(np.log10(rate) + 1) - 0.01 * (seed * rate * 7 % 1)
        return round(float(score), 3)

    found = answer(train_and_score, rates, seeds)
    return found if found is None or found is ... else (sorted(asked), found)


def student(freedom: int, share: float = 0.975) -> float:
    """Return the t below which this share of its values lies."""
    return stats.t.ppf(share, freedom)


def interval(new: Any, old: Any, ddof: int = 1, root: float = 0.5, t: Callable = student) -> tuple:
    """Return the mean difference, and t times its standard error."""
    differences = np.subtract(new, old)
    error = differences.std(ddof=ddof) / len(differences) ** root
    return differences.mean(), t(len(differences) - 1) * error


def unpaired(new: Any, old: Any, groups: int = 1) -> tuple[float, float]:
    """Compare two groups as if nothing paired them."""
    error = np.sqrt((np.var(new, ddof=1) + np.var(old, ddof=1)) / len(new))
    return np.mean(new) - np.mean(old), stats.t.ppf(0.975, groups * (len(new) - 1)) * error


def two_intervals(new: Any, old: Any, axes: tuple = (1, 0), average: Callable = np.mean) -> tuple:
    """Return the interval over seeds and that over reviews; `axes` are those averaged over."""
    pairs = [(average(new, axis=axis), average(old, axis=axis)) for axis in axes]
    return tuple(training.paired_interval(*pair) for pair in pairs)


def contenders(scores: Scores, compare: Callable = interval) -> list:
    """Return the rates that can't be told from the one with the best mean, smallest first."""
    best = max(scores, key=lambda rate: np.mean(scores[rate]))
    leads = {rate: compare(scores[best], scores[rate]) for rate in scores if rate != best}
    return sorted([best, *(rate for rate, (lead, half) in leads.items() if lead <= half)])


def choose_rate(scores: Scores, pick: Callable = median_low, compare: Callable = interval) -> Any:
    """Return the middle one of the contenders, of two in the middle the smaller."""
    return pick(contenders(scores, compare))


def largest_curvature(
    product: Callable[[Tensor], Tensor],
    vector: Tensor,
    num_steps: int,
    shrink: Callable = lambda vector: vector / vector.norm(),
    result: Callable = lambda new, old: new.norm().item(),
) -> Any:
    """Multiply a vector of length 1 again and again; return the length that it gets."""
    for _ in range(num_steps):
        old = shrink(vector)
        vector = product(old)
    return result(vector, old)


def matrix(*eigenvalues: float) -> Tensor:
    """Return a symmetric matrix with these eigenvalues."""
    size = len(eigenvalues)
    numbers = torch.randn(size, size, generator=torch.Generator().manual_seed(size))
    axes = torch.linalg.qr(numbers).Q
    return axes @ torch.diag(torch.tensor(eigenvalues)) @ axes.T


def best_of(
    hits: np.ndarray,
    exam: np.ndarray,
    choose: Callable = lambda on, off: on.argmax(),
    give: Callable = lambda on, off, best: (on[best], off[best]),
) -> Any:
    """Return the score on the exam of the model that is best there, and its score elsewhere."""
    on, off = hits[:, exam].mean(axis=1), np.delete(hits, exam, axis=1).mean(axis=1)
    return give(on, off, choose(on, off))
