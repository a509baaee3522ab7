"""The exercises of notebook 12 about scores: ROC, AUC, and real differences."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from lessons.comparing import array
from lessons.judging import Wrong


def roc(
    scores: np.ndarray,
    labels: np.ndarray,
    above: Callable = np.greater_equal,
    per: Callable = lambda called, own: called[own].mean(),
    start: bool = True,
) -> tuple:
    """Return the false and the true positive rates, from the highest threshold down."""
    called = [above(scores, limit) for limit in sorted({*scores.tolist()}, reverse=True)]
    rates = ([0.0] * start + [per(one, labels == label) for one in called] for label in (0, 1))
    return tuple(map(np.array, rates))


def one_by_one(scores: np.ndarray, labels: np.ndarray) -> tuple:
    """Return a point for every animal, also of equal scores."""
    ranked = labels[np.argsort(-scores, kind="stable")]
    rates = ([0, *np.cumsum(ranked == label) / (ranked == label).sum()] for label in (0, 1))
    return tuple(map(np.array, rates))


CHANCES, IS_OLD = np.array([0.9, 0.5, 0.4, 0.2, 0.7, 0.1, 0.3, 0.5]), np.arange(8) % 8 < 3


def by_hand(answer: Callable, scores: np.ndarray, labels: np.ndarray) -> Any:
    """Return what the answer gives; refuse it if it is scikit-learn's, or names that."""
    names = getattr(answer, "__name__", ""), *getattr(answer, "__code__", by_hand.__code__).co_names
    if {"metrics", "roc_auc_score"} & {*names}:
        raise Wrong("scikit-learn computes it: do it without a ready-made curve or area.")
    return answer(scores, labels)


def different(answer: Callable, scores: np.ndarray, labels: np.ndarray) -> Any:
    """Return both rates, without points that only repeat the one before."""
    rates = array(found := by_hand(answer, scores, labels))
    if rates is None or rates.ndim != 2 or len(rates) != 2:
        return found
    return tuple(rates[:, np.append(True, abs(np.diff(rates)).max(0) > 1e-9)])


OF_THE_CALLED = "divide by all who *are* young (or old), not by those who are *called* old."
of_the_called = partial(roc, per=lambda called, own: (called & own).sum() / called.sum())
ROC = dict(
    reference=roc,
    probe=different,
    parts=("the false positive rates", "the true positive rates"),
    inputs=[
        (CHANCES, IS_OLD.astype(int)),
        (CHANCES[:5] * 3 - 2, np.array([0, 1, 0, 0, 1])),
        (np.array([0.2, 0.2, 0.8, 0.8, 0.8, 0.6]), np.array([0, 1, 1, 0, 1, 0])),
    ],
    mistakes=[
        ("the two are swapped: first the false positives.", lambda *a: roc(*a)[::-1]),
        ("numbers of animals: give shares.", partial(roc, per=lambda c, own: c[own].sum())),
        ("shares of young and old, not of all.", partial(roc, per=lambda c, own: (c & own).mean())),
        (OF_THE_CALLED, of_the_called),
        (OF_THE_CALLED, lambda *a: (of_the_called(*a)[0], roc(*a)[1])),
        ("those are the shares called *young*.", lambda *a: tuple(1 - rate for rate in roc(*a))),
        ("an animal at the threshold is called old.", partial(roc, above=np.greater)),
        ("the first point, (0, 0), is missing: nobody is called old.", partial(roc, start=False)),
        ("the thresholds go downwards.", lambda *a: [np.append(0, r[:0:-1]) for r in roc(*a)]),
        (
            "that is a point for each animal. One for each *different* score is asked for: animals "
            "with equal scores are called old together.",
            one_by_one,
            lambda found, scores, y: len(found[0]) == len(found[1]) == len(scores) + 1,
        ),
    ],
    otherwise="Two arrays of equal length: (0, 0) first, then a point for each different score.",
)


def auc_by_pairs(
    scores: np.ndarray, labels: np.ndarray, tie: float = 0.5, share: Callable = np.mean
) -> float:
    """Return the share of pairs in order."""
    differences = scores[labels == 1][:, None] - scores[labels == 0]
    return share((differences > 0) + tie * (differences == 0))


SCORES = np.array([0.91, 0.42, 0.52, 0.33, 0.52, 0.74, 0.13, 0.48, 0.46])
OLD = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0])

AUC = dict(
    reference=auc_by_pairs,
    probe=by_hand,
    inputs=[(SCORES, OLD), (SCORES[1:], OLD[:-1])],
    mistakes=[
        ("ties are counted as lost. They count half.", partial(auc_by_pairs, tie=0)),
        ("ties are counted as won. They count half.", partial(auc_by_pairs, tie=1)),
        ("tied pairs are left out.", partial(auc_by_pairs, share=lambda w: w[w != 0.5].mean())),
        ("in those pairs the *young* one scores higher.", lambda s, y: auc_by_pairs(-s, y)),
        (
            "above 1, and no share is. Of *all* pairs, which share is in order?",
            partial(auc_by_pairs, share=np.sum),
            lambda found, s, y: found > 1,
        ),
        ("those are decisions. Compare scores.", lambda s, y: auc_by_pairs(1.0 * (s >= 0.5), y)),
        ("a pair in the wrong order counts 0, not -1.", lambda s, y: 2 * auc_by_pairs(s, y) - 1),
    ],
    errors={"broadcast": "Each old animal meets each young one: which axes do the arrays need?"},
    otherwise="Of all pairs, which are in order, which are ties? Divide by the number of pairs.",
)


def interval(
    new: Any,
    old: Any,
    share: float = 0.975,
    less: int = 1,
    ddof: int = 1,
    root: float = 0.5,
    point: Callable = stats.t.ppf,
) -> tuple:
    """Return the mean difference, and t times its standard error."""
    differences = np.subtract(new, old)
    error = differences.std(ddof=ddof) / len(new) ** root
    return differences.mean(), point(share, len(new) - less) * error


def independent(new: Any, old: Any) -> tuple:
    """Return what is right for two lists that do not belong together."""
    spread = np.hypot(np.std(new, ddof=1), np.std(old, ddof=1)) / len(new) ** 0.5
    return interval(new, old)[0], stats.t.ppf(0.975, len(new) - 1) * spread


INTERVAL = dict(
    reference=interval,
    inputs=[
        ([80, 91, 72, 86, 65, 77], [78, 90, 71, 82, 66, 74]),
        ([1.0, 5.0], [2.0, 2.0]),
        ([3.0, 1.0, 2.0], [4.0, 3.0, 9.0]),
    ],
    mistakes=[
        (
            "those are the interval's two ends. Its middle and half of its width are asked for.",
            lambda *a: (interval(*a)[0] - interval(*a)[1], sum(interval(*a))),
        ),
        ("the two are swapped: first the mean.", lambda *a: interval(*a)[::-1]),
        ("the sign is turned round: new minus old.", lambda new, old: interval(old, new)),
        ("the lists are paired: what they share cancels in the differences.", independent),
        ("that is the spread of *single* differences: where is n?", partial(interval, root=0)),
        ("the square root of n divides, not n itself.", partial(interval, root=1)),
        ("np.std divides by n unless told ddof=1.", partial(interval, ddof=0)),
        ("the factor of Student's t is missing.", partial(interval, point=lambda *_: 1)),
        ("1.96 is too small for few splits: take t.", partial(interval, point=lambda *_: 1.96)),
        ("t has n - 1 degrees of freedom, not n.", partial(interval, less=0)),
        ("2.5 % lie at each end: take the 97.5 % point.", partial(interval, share=0.95)),
        ("half of the width is asked for.", lambda *a: (interval(*a)[0], 2 * interval(*a)[1])),
    ],
    errors={"for -": "Lists can't be subtracted: make arrays of them."},
    otherwise="Two numbers: the mean of the differences, and t times the error of that mean.",
)
