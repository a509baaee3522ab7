"""The exercises of notebook 12 about scores: ROC, AUC, and real differences."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from lessons.comparing import same


def roc(
    scores: np.ndarray,
    labels: np.ndarray,
    above: Callable = np.greater_equal,
    per: Callable = lambda called, labels, label: called[labels == label].mean(),
    start: bool = True,
) -> tuple:
    """Return the false and the true positive rates, from the highest threshold down."""
    limits = [np.inf] * start + sorted({*scores.tolist()}, reverse=True)
    called = [above(scores, limit) for limit in limits]
    false, true = ([per(one, labels, label) for one in called] for label in (0, 1))
    return np.array(false), np.array(true)


def one_by_one(scores: np.ndarray, labels: np.ndarray) -> tuple:
    """Return a point for every animal, also of equal scores."""
    ranked = labels[np.argsort(-scores, kind="stable")]
    rates = ([0, *np.cumsum(ranked == label) / (ranked == label).sum()] for label in (0, 1))
    return tuple(map(np.array, rates))


CHANCES, IS_OLD = np.array([0.9, 0.5, 0.4, 0.2, 0.7, 0.1, 0.3, 0.5]), np.arange(8) % 8 < 3

ROC = dict(
    reference=roc,
    inputs=[
        (CHANCES, IS_OLD.astype(int)),
        (CHANCES[:5] * 3 - 2, np.array([0, 1, 0, 0, 1])),
        (np.array([0.2, 0.2, 0.8, 0.8, 0.8, 0.6]), np.array([0, 1, 1, 0, 1, 0])),
    ],
    mistakes=[
        ("the two are swapped: first the false positives.", lambda *a: roc(*a)[::-1]),
        (
            "those are numbers of animals. Give them as shares.",
            partial(roc, per=lambda called, y, label: called[y == label].sum()),
        ),
        (
            "that divides by all animals. One is a share of the *young*, the other of the *old*.",
            partial(roc, per=lambda called, y, label: (called & (y == label)).mean()),
        ),
        ("those are the shares called *young*.", lambda *a: tuple(1 - rate for rate in roc(*a))),
        ("an animal at the threshold is called old.", partial(roc, above=np.greater)),
        ("the first point, (0, 0), is missing: nobody is called old.", partial(roc, start=False)),
        (
            "animals with equal scores are called old together: a point for each *different* "
            "score, not for each animal.",
            one_by_one,
            lambda found, scores, y: len(found[0]) == len(scores) + 1 and same(found[0][-1], 1.0),
        ),
    ],
    otherwise="Two lists of equal length: (0, 0) first, then a point for each different score.",
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
    inputs=[(SCORES, OLD), (SCORES[1:], OLD[:-1])],
    mistakes=[
        (
            "ties are counted as lost. They count half (under the curve: trapezoids, not "
            "rectangles).",
            partial(auc_by_pairs, tie=0),
        ),
        ("ties are counted as won. They count half.", partial(auc_by_pairs, tie=1)),
        ("in those pairs the *young* one scores higher.", lambda s, y: auc_by_pairs(-s, y)),
        (
            "that is a number of pairs. Divide by how many there are.",
            partial(auc_by_pairs, share=np.sum),
            lambda found, s, y: found > 1,
        ),
        (
            "the scores were turned into decisions first. Compare the scores themselves.",
            lambda s, y: auc_by_pairs(1.0 * (s >= 0.5), y),
        ),
        ("a pair in the wrong order counts 0, not -1.", lambda s, y: 2 * auc_by_pairs(s, y) - 1),
        ("an accuracy judges animals. Judge pairs.", lambda s, y: ((s >= 0.5) == y).mean()),
    ],
    errors={"broadcast": "Each old animal meets each young one: which axes do the arrays need?"},
    otherwise="Of all pairs, which are in order, which are ties? Divide by the number of pairs.",
)


def error_of(new: Any, old: Any, ddof: int = 1) -> float:
    """Return the standard error of the mean difference."""
    return np.subtract(new, old).std(ddof=ddof) / len(new) ** 0.5


def independent(new: Any, old: Any) -> float:
    """Return the standard error of the difference of two independent means."""
    return ((np.var(new, ddof=1) + np.var(old, ddof=1)) / len(new)) ** 0.5


def interval(
    new: Any, old: Any, share: float = 0.975, less: int = 1, error: Callable = error_of
) -> tuple:
    """Return the mean difference, and t times its standard error."""
    return np.subtract(new, old).mean(), stats.t.ppf(share, len(new) - less) * error(new, old)


def middle(of: Callable) -> Callable:
    """Return an answer with the right half width and another number of the differences."""
    return lambda new, old: (of(np.subtract(new, old)), interval(new, old)[1])


HALF = "half of the width is right; the other number is"

INTERVAL = dict(
    reference=interval,
    inputs=[
        ([80, 91, 72, 86, 65, 77], [78, 90, 71, 82, 66, 74]),
        ([1.0, 5.0], [2.0, 2.0]),
        ([3.0, 1.0, 2.0], [4.0, 3.0, 9.0]),
    ],
    mistakes=[
        (
            "those are the two ends of the interval. Its middle and half of its width are asked.",
            lambda *a: (interval(*a)[0] - interval(*a)[1], sum(interval(*a))),
        ),
        ("the sign is turned round: new minus old.", lambda new, old: interval(old, new)),
        (f"{HALF} the mean without signs: keep them.", middle(lambda d: np.abs(d).mean())),
        (f"{HALF} the mean without its sign: below 0 is worse.", middle(lambda d: abs(d.mean()))),
        (f"{HALF} the sum. The mean is asked.", middle(np.sum)),
        (f"{HALF} the median. The mean is asked.", middle(np.median)),
        (
            "that takes the lists as independent. Take the differences: what they share cancels.",
            partial(interval, error=independent),
        ),
        (
            "that is the spread of single differences. Their *mean* errs less: where is n?",
            partial(interval, error=lambda a, b: np.subtract(a, b).std(ddof=1)),
        ),
        (
            "that is 1.96 times the error, too narrow for so few splits: t, n - 1 degrees.",
            lambda *a: (interval(*a)[0], 1.96 * error_of(*a)),
        ),
        (
            "np.std divides by n unless told ddof=1.",
            partial(interval, error=partial(error_of, ddof=0)),
        ),
        ("t has n - 1 degrees of freedom, not n.", partial(interval, less=0)),
        ("2.5 % lie at each end: take the 97.5 % point.", partial(interval, share=0.95)),
        ("half of the width is asked.", lambda *a: (interval(*a)[0], 2 * interval(*a)[1])),
    ],
    errors={"for -": "Lists can't be subtracted: make arrays of them."},
    otherwise="Two numbers: the mean of the differences, and t times the error of that mean.",
)
