"""The exercises of notebook 06 · Evaluation and perplexity."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from helpers.training import predicted_classes
from lessons.exercises import Checks
from lessons.n06_evaluation_and_perplexity import evaluation, experiments, open_task, stopping

check = Checks()


# --- VI.1.c: classes ----------------------------------------------------------------------


def classified(answer: Callable, one_logit: Tensor, several: Tensor) -> Any:
    """Return the classes for one logit per sample and for several, or a word for their type."""
    found = [answer(one_logit), answer(several)]
    if found[0] is None or found[0] is ...:
        return None
    whole = all(isinstance(part, Tensor) and part.dtype == torch.int64 for part in found)
    return tuple(found) if whole else "another type"


def classes(one: Callable = predicted_classes, several: Callable = predicted_classes) -> Callable:
    """Return an answer to VI.1.c, with a place for a mistake in each case."""
    return lambda logits: (one if logits.ndim == 1 else several)(logits)


NO_CLASS_AXIS = (
    "Logits [batch] have no second axis: with one logit per sample, nothing is compared along the "
    "classes. What decides then?"
)

check.exercise(
    "VI.1.c",
    predicted_classes,
    probe=classified,
    inputs=[
        (
            torch.tensor([4.0, 1.0, -0.5, -100.0, 100.0, 0.3]),
            torch.tensor([[0.1, 0.3, 0.2], [-1.0, -3.0, -2.0], [0.5, 0.7, 2.0]]),
        ),
        (torch.tensor([-1.0, -4.0]), torch.tensor([[1.0, 2.0], [2.0, 1.0]])),
        (torch.tensor([1e-9]), torch.tensor([[0.0, 1e-9, -2.0]])),
    ],
    mistakes=[
        ("a positive logit means class 1; yours is 0.", classes(one=lambda z: (z < 0).long())),
        ("a logit of 0.3 is class 1, too.", classes(one=lambda z: (z > 0.5).long())),
        (
            "beside a logit of 100, one of 4 is called negative. The class of a review must not "
            "depend on the others in its batch.",
            classes(one=lambda z: (z / z.max() > 0.5).long()),
        ),
        (
            "a logit of 1e-9 lies above 0, but its sigmoid is rounded to exactly 0.5. You need no "
            "sigmoid.",
            classes(one=lambda z: (z.sigmoid() > 0.5).long()),
        ),
        ("for logits [batch], return one class each.", classes(one=lambda z: z.argmax(-1))),
        (
            "several logits of a sample may be positive, but it has one class: which one wins?",
            classes(several=lambda z: (z > 0).long()),
        ),
        (
            "look for the largest logit of each *sample*: along which axis of [batch, classes]?",
            classes(several=lambda z: z.argmax(0)),
        ),
        (
            "0 and 1e-9 are two logits, but softmax rounds them to the same probability. You need "
            "no softmax.",
            classes(several=lambda z: z.softmax(1).argmax(1)),
        ),
        ("a batch of one has an axis, too.", classes(several=lambda z: z.argmax(1).squeeze())),
        (
            "return a tensor of class numbers, int64. (With an axis, max gives values and indices; "
            "a comparison gives bool.)",
            classes(one=lambda z: z > 0),
            lambda found, *_: found == "another type",
        ),
    ],
    errors={"Dimension out of range": NO_CLASS_AXIS, "too many indices": NO_CLASS_AXIS},
    parts=("for logits [batch] the result", "for logits [batch, classes] the result"),
    otherwise="Which class of each sample has the larger probability? The result is [batch].",
)


# --- VI.2.a: perplexity -------------------------------------------------------------------


def from_truth(
    last: Callable, log_p: Callable = lambda z: z.log_softmax(1), pick: Callable | None = None
) -> Callable:
    """Return an answer to VI.2.a that ends with `last` of the log-probabilities of the truth."""

    def perplexity(logits: Tensor, targets: Tensor) -> Tensor:
        logs = log_p(logits)
        return last(pick(logs) if pick else logs[torch.arange(len(targets)), targets])

    return perplexity


def right(logs: Tensor) -> Tensor:
    """Return the perplexity."""
    return logs.mean().neg().exp()


check.exercise(
    "VI.2.a",
    from_truth(right),
    inputs=[
        (torch.zeros(4, 2), torch.tensor([0, 1, 1, 0])),
        (torch.tensor([[1.0, -0.5, 0.3], [0.2, 2.0, -1.0]]), torch.tensor([0, 2])),
        (torch.tensor([[0.0, 3.0]]), torch.tensor([1])),
        (torch.tensor([[0.0, 200.0], [1.0, 0.0], [0.5, 0.0]]), torch.tensor([0, 0, 1])),
    ],
    mistakes=[
        (
            "below 1 no perplexity can be: a probability is at most 1. Which sign has ln p, and "
            "which sign is wanted?",
            from_truth(lambda logs: logs.mean().exp()),
        ),
        (
            "that is the cross-entropy: a function is missing.",
            from_truth(lambda logs: -logs.mean()),
        ),
        ("this mixes powers of 2 and of e.", from_truth(lambda logs: 2 ** -logs.mean())),
        (
            "that is e to the power of a sum.",
            from_truth(lambda logs: logs.sum().neg().exp()),
            lambda found, logits, _: not logits.any() and abs(found - 16) < 1e-3,
        ),
        ("that is 1 divided by the mean of p.", from_truth(lambda logs: 1 / logs.exp().mean())),
        (
            "that is the mean of 1/p over the samples. The mean comes before the exponential.",
            from_truth(lambda logs: logs.neg().exp().mean()),
        ),
        (
            "logits are no log-probabilities yet: what does a softmax do to them?",
            from_truth(right, log_p=lambda z: z),
        ),
        (
            "right, but not with a logit of 200: there float32 rounds some p to 0. Do not go "
            "through p: ln p = z minus the logarithm of the sum of all e^z.",
            from_truth(right, log_p=lambda z: z.softmax(1).log()),
            lambda _, logits, targets: logits.max() == 200,
        ),
        (
            "the classes of one sample share its probability: the softmax goes along axis 1.",
            from_truth(right, log_p=lambda z: z.log_softmax(0)),
        ),
        (
            "that is the probability of the most probable class. Take that of the target.",
            from_truth(right, pick=lambda logs: logs.max(dim=1).values),
        ),
        (
            "that is the mean over all classes. Take the probability of the target alone.",
            from_truth(right, pick=lambda logs: logs),
        ),
    ],
    otherwise="Go through the formula from the inside out. By hand: for logits [[0, 3]] and target "
    "[1], p = e³ / (1 + e³), so the perplexity is 1/p = 1.05.",
)


# --- VI.3.a, VI.4.b -----------------------------------------------------------------------

check.exercise("VI.3.a", **evaluation.EVALUATE)
check.exercise("VI.4.b", **stopping.FIT)


# --- 06.1: the confusion matrix -----------------------------------------------------------


def counted(predicted: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """Return the confusion matrix: rows are the true classes."""
    pairs = num_classes * targets + predicted
    return pairs.bincount(minlength=num_classes**2).reshape(num_classes, num_classes)


PREDICTED, ACTUAL = torch.tensor([0, 1, 1, 2, 0, 1, 0, 1]), torch.tensor([0, 1, 0, 2, 2, 0, 0, 0])

check.exercise(
    "06.1",
    counted,
    inputs=[(PREDICTED, ACTUAL, 3), (PREDICTED % 2, ACTUAL % 2, 2), (PREDICTED, ACTUAL, 4)],
    mistakes=[
        ("rows and columns are exchanged.", lambda p, t, n: counted(t, p, n)),
        (
            "no count is above 1. `matrix[targets, predicted] += 1` adds to each place once, "
            "however often the pair occurs: go through the pairs one by one.",
            lambda p, t, n: counted(p, t, n).clamp(max=1),
        ),
        ("those are shares. Counts are asked for.", lambda p, t, n: counted(p, t, n) / len(t)),
        (
            "a class that does not occur has a row and a column of zeros, too.",
            lambda p, t, n: counted(p, t, int(max(p.max(), t.max())) + 1),
        ),
        (
            "the counts do not add up to the number of samples: which pairs are missing, or too "
            "many?",
            lambda p, t, n: counted(p[1:], t[1:], n),
            lambda found, p, t, n: found.shape == (n, n) and found.sum() != len(p),
        ),
    ],
    errors={"for input of size": "A class that does not occur gets zeros, at the end, too."},
    otherwise="How often does each pair (true class, predicted class) occur?",
)


# --- 06.2: folds of whole runs ------------------------------------------------------------


def facts(answer: Callable, num_reviews: int, run_length: int, num_folds: int) -> Any:
    """Return what is asked of folds, in words."""

    def made(seed: int) -> Any:
        found = answer(num_reviews, run_length, num_folds, torch.Generator().manual_seed(seed))
        return torch.tensor(found) if isinstance(found, list) else found

    deals = [made(seed) for seed in range(20)]
    folds = deals[0]
    if not isinstance(folds, Tensor) or folds.shape != (num_reviews,):
        return folds if folds is None or folds is ... else "another shape"
    whole = all(len(run.unique()) == 1 for run in folds.split(run_length))
    dealt = [deal[::run_length].tolist() for deal in deals]
    sizes = [[deal.count(fold) for fold in range(num_folds)] for deal in dealt]
    numbered = all(sum(size) == len(dealt[0]) for size in sizes)
    even = all(max(size) - min(size) <= 1 for size in sizes)
    drawn = len({*zip(*dealt, strict=True)}) == len(dealt[0])  # no two runs are always together
    return whole, numbered, even, folds.equal(made(0)), drawn, len(folds)


check.exercise(
    "06.2",
    experiments.folds_of_runs,
    probe=facts,
    inputs=[(600, 10, 5), (604, 10, 4), (50, 1, 5)],
    mistakes=[
        (
            "reviews of one run are in different folds.",
            lambda n, length, folds, draw: torch.randperm(n, generator=draw) % folds,
            lambda found, *_: found[0] is False,
        ),
        (
            "the folds have the numbers 0 to num_folds − 1; yours have others.",
            lambda *given: experiments.folds_of_runs(*given) + 1,
            lambda found, *_: found[1] is False,
        ),
        (
            "the folds' numbers of runs differ by more than one, at least for some seeds.",
            lambda n, *_: torch.zeros(n, dtype=torch.int64),
            lambda found, *_: found[2] is False,
        ),
        (
            "the same seed of `generator` gives other folds the second time: draw with it.",
            lambda n, k, m, _: experiments.folds_of_runs(n, k, m, torch.default_generator),
        ),
        (
            "some runs share a fold whatever the seed of `generator`. Draw for each run, with it.",
            lambda n, length, folds, draw: torch.arange(n) // length % folds,
            lambda found, *_: found[4] is False,
        ),
        (
            "a tensor [num_reviews] of fold numbers is wanted. Is the last run a shorter one?",
            lambda n, length, folds, draw: torch.arange(n // length),
            lambda found, *_: found == "another shape",
        ),
    ],
    otherwise="Give each run a fold, then each review the fold of its run.",
)

check.custom("06.open")(open_task.judge)
