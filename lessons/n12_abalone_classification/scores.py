"""The exercises of notebook 12 about scores: ROC, AUC, confusion, and real differences."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from lessons.comparing import same


def roc_point(probabilities: np.ndarray, labels: np.ndarray, threshold: float) -> tuple:
    """Return the false and the true positive rate."""
    called = probabilities >= threshold
    return called[labels == 0].mean(), called[labels == 1].mean()


CHANCES, IS_OLD = np.array([0.9, 0.5, 0.4, 0.2, 0.7, 0.1, 0.3, 0.6]), np.arange(8) < 3

ROC = dict(
    reference=roc_point,
    inputs=[
        *[(CHANCES, IS_OLD.astype(int), threshold) for threshold in (0.5, 0.0, 1.1, 0.65)],
        (CHANCES[:5], np.array([0, 1, 0, 0, 1]), 0.45),
    ],
    mistakes=[
        ("the two are swapped: first the false positives.", lambda *a: roc_point(*a)[::-1]),
        (
            "those are numbers of animals. Give them as shares.",
            lambda p, y, t: tuple((p >= t)[y == label].sum() for label in (0, 1)),
        ),
        (
            "that divides by all animals. One is a share of the *young*, the other of the *old*.",
            lambda p, y, t: tuple(((p >= t) & (y == label)).mean() for label in (0, 1)),
        ),
        (
            "that divides by those who are *called* old. Divide by those who are young, or old.",
            lambda p, y, t: tuple((y[p >= t] == label).mean() for label in (0, 1)),
        ),
        (
            "those are the shares called *young*.",
            lambda *a: tuple(1 - rate for rate in roc_point(*a)),
        ),
        ("an animal at the threshold is called old.", lambda p, y, t: roc_point(p, y, t + 1e-9)),
        (
            "right at the threshold 0.5, but not at others: is the argument used?",
            lambda p, y, t: roc_point(p, y, 0.5),
        ),
    ],
    otherwise="Two shares: of the young, and of the old, who is at or above the threshold?",
)


def auc_by_pairs(
    scores: np.ndarray, labels: np.ndarray, tie: float = 0.5, share: Callable = np.mean
) -> float:
    """Return the share of pairs in order."""
    differences = scores[labels == 1][:, None] - scores[labels == 0]
    return share((differences > 0) + tie * (differences == 0))


SCORES, OLD = np.array([0.9, 0.4, 0.5, 0.5, 0.1, 0.7, 0.3]), np.array([1, 1, 1, 0, 0, 0, 0])

AUC = dict(
    reference=auc_by_pairs,
    inputs=[*[(SCORES * k - 7 * (k > 1), OLD) for k in (1, 3, 1e-3)], (SCORES[1:], OLD[:-1])],
    mistakes=[
        ("ties are counted as lost. They count half.", partial(auc_by_pairs, tie=0)),
        ("ties are counted as won. They count half.", partial(auc_by_pairs, tie=1)),
        ("in those pairs the *young* one scores higher.", lambda s, y: auc_by_pairs(-s, y)),
        (
            "that is a number of pairs. Divide by how many there are.",
            partial(auc_by_pairs, share=np.sum),
            lambda found, s, y: found > 1,
        ),
        (
            "only pairs of one old and one young animal count. How many of those are there?",
            lambda s, y: auc_by_pairs(s, y, share=np.sum) / (len(s) * (len(s) - 1) / 2),
        ),
        (
            "the scores were turned into decisions first. Compare the scores themselves.",
            lambda s, y: auc_by_pairs(1.0 * (s >= 0.5), y),
        ),
        ("a pair in the wrong order counts 0, not -1.", lambda s, y: 2 * auc_by_pairs(s, y) - 1),
        ("an accuracy judges animals. Judge pairs.", lambda s, y: ((s >= 0.5) == y).mean()),
        (
            "the AUC depends on the order of the scores alone: no threshold, no limits.",
            lambda s, y: auc_by_pairs(np.clip(s, 0, 1), y),
            lambda found, s, y: s.min() < 0,
        ),
    ],
    errors={"broadcast": "Each old animal meets each young one: which axes do the arrays need?"},
    otherwise="Of all pairs, which are in order, which are ties? Divide by the number of pairs.",
)


# --- 12.8 and 12.9 ------------------------------------------------------------------------


def shares(change: Callable) -> tuple[Callable, Callable]:
    """Return an answer that makes other shares of the counts, and what tells it."""

    def answer(predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
        counts = [[((labels == i) & (predicted == j)).sum() for j in (0, 1)] for i in (0, 1)]
        return change(np.array(counts))

    return answer, lambda found, predicted, labels: same(found, answer(predicted, labels))


def per_row(counts: np.ndarray) -> np.ndarray:
    """Return each row's shares."""
    return counts / counts.sum(axis=1, keepdims=True)


ANSWER, TRUE = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0]), np.repeat([0, 1], [5, 8])

CONFUSION = dict(
    reference=shares(per_row)[0],
    inputs=[(ANSWER, TRUE), (TRUE * 0, TRUE), (np.array([1, 0, 1]), np.array([0, 1, 1]))],
    mistakes=[
        ("those are counts. Divide each row by its sum.", *shares(lambda n: n)),
        ("those are shares of all. Each row must sum to 1.", *shares(lambda n: n / n.sum())),
        ("those are shares of each *predicted* class.", *shares(lambda n: n / n.sum(axis=0))),
        ("those are shares of each *predicted* class.", *shares(lambda n: per_row(n.T))),
        ("it is transposed: the rows are the truth.", *shares(lambda n: per_row(n).T)),
        (
            "the rows are divided by each other's sums: broadcasting needs keepdims=True.",
            *shares(lambda n: n / n.sum(axis=1)),
        ),
        ("young (0) comes first, then old.", *shares(lambda n: per_row(n)[::-1, ::-1])),
        (
            "a class that is never predicted still has its column.",
            lambda predicted, labels: pd.crosstab(labels, predicted, normalize="index").to_numpy(),
            lambda found, *_: found.shape == (2, 1),
        ),
    ],
    otherwise="Entry [i, j]: of class i, the share predicted as j.",
)


def interval(new: Any, old: Any, share: float = 0.975, less: int = 1, ddof: int = 1) -> tuple:
    """Return the mean difference, and t times its standard error."""
    differences = np.subtract(new, old)
    error = differences.std(ddof=ddof) / len(differences) ** 0.5
    return differences.mean(), stats.t.ppf(share, len(differences) - less) * error


def times(error: Callable) -> tuple[Callable, Callable]:
    """Return an answer with 1.96 times another error, and what tells 1, 1.96, 2 or t times it."""

    def told(found: Any, new: Any, old: Any) -> bool:
        factors = (1, 1.96, 2, stats.t.ppf(0.975, len(new) - 1))
        return any(same(found[1], factor * error(new, old)) for factor in factors)

    return lambda *a: (interval(*a)[0], 1.96 * error(*a)), told


INTERVAL = dict(
    reference=interval,
    inputs=[([80, 91, 72, 86, 65, 77], [78, 90, 71, 82, 66, 74]), ([1.0, 5.0], [2.0, 2.0])],
    mistakes=[
        (
            "those are the two ends of the interval. Its middle and half of its width are asked.",
            lambda *a: (interval(*a)[0] - interval(*a)[1], sum(interval(*a))),
        ),
        ("the sign is turned round: new minus old.", lambda new, old: interval(old, new)),
        (
            "that takes the lists as independent. Take the differences: what they share cancels.",
            *times(lambda a, b: ((np.var(a, ddof=1) + np.var(b, ddof=1)) / len(a)) ** 0.5),
        ),
        (
            "that is the spread of single differences. Their *mean* errs less: where is n?",
            *times(lambda new, old: np.subtract(new, old).std(ddof=1)),
        ),
        (
            "that is too narrow for so few splits: Student's t with n - 1 degrees of freedom.",
            *times(lambda new, old: np.subtract(new, old).std(ddof=1) / len(new) ** 0.5),
        ),
        ("np.std divides by n unless it is told ddof=1.", partial(interval, ddof=0)),
        ("t has n - 1 degrees of freedom, not n.", partial(interval, less=0)),
        ("2.5 % lie at each end: take the 97.5 % point.", partial(interval, share=0.95)),
        ("half of the width is asked.", lambda *a: (interval(*a)[0], 2 * interval(*a)[1])),
        (
            "right for six splits only: does t follow n?",
            lambda new, old: interval(new, old, less=len(new) - 5),
        ),
    ],
    errors={"for -": "Lists can't be subtracted: make arrays of them."},
    otherwise="Two numbers: the mean of the differences, and t times the error of that mean.",
)
