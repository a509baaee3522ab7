"""The exercises of notebook 07 · Choosing."""

import statistics
from collections.abc import Callable
from functools import partial
from itertools import chain

import numpy as np

from helpers.training import paired_interval
from lessons.comparing import number
from lessons.exercises import Checks
from lessons.n07_choosing import answers, open_task
from lessons.n07_choosing.answers import best_of, choose_rate, interval, student, sweep

check = Checks()


def changed(change: Callable, answer: Callable = sweep) -> Callable:
    """Return an answer that makes something else of the right result."""
    return lambda *given: change(answer(*given))


check.exercise(
    "07.1",
    sweep,
    probe=answers.swept,
    parts=("the trainings asked for, (rate, seed) each,", "the dict"),
    inputs=[([0.01, 0.1, 1.0], [0, 3, 8]), ([10.0, 0.1], [5, 2, 4]), ([0.3], [4])],
    mistakes=[
        (
            "one number comes back for each rate. Keep the score of every seed.",
            changed(lambda found: {rate: np.mean(scores) for rate, scores in found.items()}),
        ),
        (
            "each rate has one score, that of the last seed. Where does its list begin?",
            changed(lambda found: {rate: scores[-1:] for rate, scores in found.items()}),
        ),
        ("a training that blew up must keep its place in the list.", partial(sweep, blown=())),
        (
            "all rates share one list. Each needs a new one.",
            changed(lambda found: {rate: [*chain(*found.values())] for rate in found}),
        ),
        (
            "a training that blew up counts as 0.5. (Is it the score of the one before it?)",
            partial(sweep, blown=(0.0,)),
            lambda found, rates, seeds: found[1][10.0][1] != 0.5 and len(found[1][10.0]) == 3,
        ),
        (
            "fewer trainings than rates times seeds. Is there a `return` in a loop? And after one "
            "that blew up, do the others go on: where is your `try`?",
            lambda score, rates, seeds: {rate: [score(rate, seeds[0])] for rate in rates},
            lambda found, rates, seeds: len(found[0]) < len(rates) * len(seeds),
        ),
    ],
    errors={"The loss became": "Here catch its FloatingPointError, and go on with the next seed."},
    otherwise="A dict is wanted: for each rate the list of its scores, one training for each seed.",
)

check.exercise(
    "07.2",
    interval,
    parts=("the mean difference", "half the interval's width"),
    inputs=[
        ([0.80, 0.91, 0.72, 0.86, 0.65, 0.77], [0.78, 0.90, 0.71, 0.82, 0.66, 0.74]),
        ([3.0, 1.0, 2.0], [4.0, 3.0, 9.0]),
        ([1.0, 5.0], [2.0, 2.0]),
        ([0.5, 0.7], [0.5, 0.7]),
    ],
    mistakes=[
        ("those are the interval's ends.", changed(lambda p: p[0] + p[1] * np.r_[-1, 1], interval)),
        ("the second is the whole width.", changed(lambda found: found * np.r_[1, 2], interval)),
        ("the mean difference comes first.", changed(lambda found: found[::-1], interval)),
        ("that is old minus new.", lambda new, old: interval(old, new)),
        ("differences keep their signs.", lambda new, old: interval(abs(np.subtract(new, old)), 0)),
        *(
            ("that is the spread of the two lists, not of the differences.", unpaired)
            for unpaired in (answers.unpaired, partial(answers.unpaired, groups=2))
        ),
        ("the standard deviation divides by n − 1 here: ddof=1.", partial(interval, ddof=0)),
        ("the error of the *mean* is smaller than that, by √n.", partial(interval, root=0.0)),
        ("half is too small by √n: *s* is divided by √n, not n.", partial(interval, root=1.0)),
        ("take t at 0.975, not 0.95.", partial(interval, t=partial(student, share=0.95))),
        ("t has n − 1 degrees of freedom here.", partial(interval, t=lambda df: student(df + 1))),
        ("few pairs need Student's t, not 1.96.", partial(interval, t=lambda *_: 1.96)),
        ("the second is the standard error. Where is t?", partial(interval, t=lambda *_: 1)),
    ],
    errors={"unsupported operand": "Lists can't be subtracted; np.subtract(new, old) can do it."},
    otherwise="Two numbers: the mean of the differences, then t · s / √n. (t: 97.5 % and n − 1 "
    "degrees of freedom; s: ddof=1.)",
)


def scores_of(seed: int) -> tuple[dict[float, list[float]]]:
    """Return scores of six rates; the seeds below keep the usual mistakes apart."""
    rng = np.random.default_rng(seed)
    points = rng.integers(-4, 5, (6, 1)) + rng.integers(-4, 5, 4) + rng.integers(-4, 5, (6, 4))
    rates = rng.permutation([0.03, 0.1, 0.3, 0.5, 1.0, 3.0]).tolist()
    return (dict(zip(rates, (0.8 + points / 100).round(2).tolist(), strict=True)),)


ONE_BEST = {0.2: [0.80, 0.81, 0.82], 0.02: [0.60, 0.61, 0.62], 2.0: [0.70, 0.71, 0.74]}
TIE = {0.4: [0.8, 0.9], 0.04: [0.8, 0.9], 4.0: [0.2, 0.3]}

#: what can be said of every other wrong rate
UNTOLD = [
    (
        "that is none of the rates in `scores`. The middle contender is one of them.",
        lambda scores: np.mean([*scores]),
        lambda found, scores: number(found) not in (None, *scores),
    ),
    (
        "your rate is no contender: the interval of “best minus this rate” does not reach 0.",
        lambda scores: min(scores, key=lambda rate: np.mean(scores[rate])),
        lambda found, scores: found in scores and found not in answers.contenders(scores),
    ),
    (
        "your rate is a contender, but not the middle one of all when sorted. (The best rate, "
        "by the mean of all seeds, is a contender, too, and so is one that just touches 0.)",
        partial(choose_rate, pick=max),
        lambda found, scores: found in scores,
    ),
]

check.exercise(
    "II.3",
    choose_rate,
    inputs=[(ONE_BEST,), (TIE,), scores_of(135), scores_of(190), scores_of(514)],
    mistakes=[
        (
            "that one has the best mean. Which others can't be told from it?",
            lambda scores: max(scores, key=lambda rate: np.mean(scores[rate])),
        ),
        ("the smallest contender. The middle one is asked.", partial(choose_rate, pick=min)),
        ("of two in the middle the smaller.", partial(choose_rate, pick=statistics.median_high)),
        ("those are all contenders. Return the middle one.", partial(choose_rate, pick=list)),
        ("the seeds pair the scores: use it.", partial(choose_rate, compare=answers.unpaired)),
        *UNTOLD,
    ],
    errors={
        "no median": "The best rate is a contender, too.",
        "out of range": "Is the list of contenders empty? The best rate is one, too.",
        "Two splits": "paired_interval takes the scores of two rates: `scores[rate]`.",
        "has no len": "paired_interval takes the scores of two rates: `scores[rate]`.",
    },
    otherwise="Best mean of all seeds; contenders, by paired intervals; the middle one.",
)


def steep(num_steps: int, *eigenvalues: float) -> Callable[[], tuple]:
    """Return an input: the product with such a matrix, a start, a number of steps."""
    symmetric = answers.matrix(*eigenvalues)
    return lambda: ((lambda vector: symmetric @ vector), symmetric.sum(dim=1) + 2, num_steps)


def stepping(steps: Callable[[int], int]) -> Callable:
    """Return an answer that makes another number of steps."""
    return lambda product, vector, num: curvature(product, vector, steps(num))


curvature = answers.largest_curvature
raw = partial(curvature, shrink=lambda vector: vector)
RESULTS: dict[str, Callable] = {
    "that is the most curved direction. Return the curvature along it.": lambda new, old: old,
    "that is the length *before* the product: always 1.": lambda new, old: old.norm().item(),
    "the largest entry is not the length.": lambda new, old: new.max().item(),
    "that is vector · product. Asked is the product's length.": lambda new, old: (old @ new).item(),
}
check.exercise(
    "07.3",
    curvature,
    inputs=[steep(8, 5.0, 1.0, 0.5), steep(2, 0.2, 0.08, 0.05, -0.07), steep(6, 30.0, 2.0)],
    mistakes=[
        *((said, partial(curvature, result=result)) for said, result in RESULTS.items()),
        ("that grows or shrinks with every step: length 1 before each product.", raw),
        (
            "length 1 before *each* product.",
            lambda p, vector, num: raw(p, vector / vector.norm(), num),
        ),
        ("that is what a single step gives: is its result used again?", stepping(lambda _: 1)),
        ("that is one step more than `num_steps`.", stepping(lambda steps: steps + 1)),
        ("that is one step less than `num_steps`.", stepping(lambda steps: steps - 1)),
    ],
    tolerance=5e-3,
    otherwise="Each step: length 1, then the product. At the end the length of the product.",
)


def hits_of(*shape: int) -> np.ndarray:
    """Return whether models are right on reviews, at random."""
    return np.random.default_rng(shape[-1]).random(shape) < 0.6


check.exercise(
    "II.4.c",
    answers.two_intervals,
    parts=("the interval over seeds", "the interval over reviews"),
    inputs=[tuple(hits_of(2, 4, 60)), tuple(hits_of(2, 3, 40))],
    mistakes=[
        ("the two are swapped: seeds come first.", partial(answers.two_intervals, axes=(0, 1))),
        ("both intervals are over seeds.", partial(answers.two_intervals, axes=(1, 1))),
        ("that is old minus new.", lambda new, old: answers.two_intervals(old, new)),
        ("your pairs are sums, not means.", partial(answers.two_intervals, average=np.sum)),
        (
            "the first is right. For the second, average over the seeds first: the answers of "
            "several seeds to one review are not independent pairs.",
            lambda new, old: (
                answers.two_intervals(new, old)[0],
                paired_interval(new.ravel().astype(float), old.ravel().astype(float)),
            ),
        ),
    ],
    errors={"boolean subtract": "True and False can't be subtracted: average first."},
    otherwise="Two pairs of shares: (mean, half) over seeds, then (mean, half) over reviews.",
)


best_row = partial(best_of, give=lambda on, off, best: best)
#: what may be returned instead: `on` the exam, and `off` it
GIVEN: dict[str, Callable] = {
    "the exam's score comes first.": lambda on, off, best: (off[best], on[best]),
    "the second is the best of all elsewhere.": lambda on, off, best: (on[best], off.max()),
    "the second is the mean of all models.": lambda on, off, best: (on[best], off.mean()),
    "that is the flattery. Return both scores.": lambda on, off, best: on[best] - off[best],
}
check.exercise(
    "VI.6.a",
    best_of,
    parts=("the score on the exam", "the score elsewhere"),
    inputs=[(hits_of(rows, 40), np.r_[rows:40:3]) for rows in (3, 4, 8)],
    mistakes=[
        (
            "the first is right. The second counts all reviews: leave those of the exam out.",
            lambda hits, exam: (best_of(hits, exam)[0], hits[best_row(hits, exam)].mean()),
        ),
        ("the exam chooses, not the rest.", partial(best_of, choose=lambda on, off: off.argmax())),
        (
            "the first is right. For the second: `~` turns bools around, and makes −4 of 3.",
            lambda hits, exam: (best_of(hits, exam)[0], hits[best_row(hits, exam), ~exam].mean()),
        ),
        (
            "your model was chosen by its score on all reviews. The exam alone chooses.",
            lambda hits, exam: best_of(hits, exam, lambda *_: hits.mean(axis=1).argmax()),
        ),
        *((sentence, partial(best_of, give=give)) for sentence, give in GIVEN.items()),
    ],
    errors={"out of bounds": "`hits` has a row for each model, and a column for each review."},
    otherwise="Two shares: the chosen model's on the exam, and its share on all other reviews.",
)

check.custom("07.open")(open_task.judge)
