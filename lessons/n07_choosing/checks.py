"""The exercises of notebook 07 · Choosing."""

from collections.abc import Callable
from functools import partial

import numpy as np

from helpers.training import paired_interval
from lessons.exercises import Checks
from lessons.n07_choosing import answers, open_task
from lessons.n07_choosing.answers import best_of, choose_rate, interval, largest_curvature, sweep

check = Checks()


def changed(change: Callable, answer: Callable = sweep) -> Callable:
    """Return an answer that makes something else of the right result."""
    return lambda *given: change(answer(*given))


check.exercise(
    "07.1",
    sweep,
    probe=answers.swept,
    inputs=[([0.01, 0.1, 1.0], [0, 3, 8]), ([10.0, 0.1], [2, 5]), ([0.3], [4])],
    mistakes=[
        (
            "one number comes back for each rate. Keep the score of every seed: how far they "
            "spread is wanted, too.",
            changed(lambda found: {rate: np.mean(scores) for rate, scores in found.items()}),
        ),
        (
            "each rate has one score, that of the last seed. Where does its list begin?",
            changed(lambda found: {rate: scores[-1:] for rate, scores in found.items()}),
        ),
        (
            "every rate has the scores of all rates in its list.",
            changed(lambda found: {rate: np.concatenate([*found.values()]) for rate in found}),
        ),
        ("a training that blew up must keep its place in the list.", partial(sweep, blown=())),
        ("a training that blew up counts as 0.5, not as nan.", partial(sweep, blown=(np.nan,))),
        (
            "only the first rate comes back: where does `return` stand?",
            lambda score, rates, seeds: sweep(score, rates[:1], seeds),
        ),
        (
            "the seeds are those in `seeds`, not 0, 1, 2 and so on.",
            lambda score, rates, seeds: sweep(score, rates, range(len(seeds))),
        ),
    ],
    errors={
        "The loss became": "One training blows up: catch its FloatingPointError, and go on with "
        "the next seed."
    },
    otherwise="A dict is wanted: for each rate the list of its scores, one training for each seed.",
)

check.exercise(
    "07.2",
    interval,
    inputs=[
        ([0.80, 0.91, 0.72, 0.86, 0.65, 0.77], [0.78, 0.90, 0.71, 0.82, 0.66, 0.74]),
        ([3.0, 1.0, 2.0], [4.0, 3.0, 9.0]),
        ([1.0, 5.0], [2.0, 2.0]),
    ],
    mistakes=[
        (
            "those are the two ends of the interval. Return its middle, and half of its width.",
            changed(lambda found: (found[0] - found[1], found[0] + found[1]), interval),
        ),
        ("that is old minus new.", lambda new, old: interval(old, new)),
        (
            "you have used the spread of each list. Take the differences first: what a pair has "
            "in common is gone from them.",
            answers.unpaired,
        ),
        ("the standard deviation divides by n − 1 here: ddof=1.", partial(interval, ddof=0)),
        ("the error of the *mean* is smaller than that, by √n.", partial(interval, root=0.0)),
        ("0.95 leaves 5 % on *one* side: t at 0.975.", partial(interval, share=0.95)),
        ("t has n − 1 degrees of freedom here.", partial(interval, less=0)),
        (
            "1.96 is for very many pairs. Few pairs need Student's t.",
            lambda new, old: (
                interval(new, old)[0],
                1.96 * np.std(np.subtract(new, old), ddof=1) / len(new) ** 0.5,
            ),
        ),
    ],
    errors={"unsupported operand": "Lists can't be subtracted; np.subtract(new, old) can do it."},
    otherwise="The mean of the differences, then t times their standard error.",
)

#: how the four seeds differ, and by how much each rate leads; 0.02 and 0.03 lose with every seed
SEEDS = np.array([0.80, 0.88, 0.76, 0.84])
LEADS = {
    3.0: [-0.30, -0.31, -0.30, -0.30],
    0.5: [0.002, 0.001, 0.004, 0.001],
    0.02: [-0.020, -0.021, -0.019, -0.02],
    2.0: [0.004, 0.02, -0.02, -0.004],
    1.0: [0.006, 0.0, 0.003, 0.004],
    0.1: [-0.004, 0.025, -0.02, 0.0],
    0.3: [0.001, -0.001, 0.0, 0.006],
    0.7: [0.001, 0.004, 0.001, 0.001],
    0.03: [-0.018, -0.020, -0.019, -0.018],
}
ONE_BEST = {0.2: [0.80, 0.81, 0.82], 0.02: [0.60, 0.61, 0.62], 2.0: [0.70, 0.71, 0.74]}
TIE = {0.4: [0.8, 0.9], 0.04: [0.8, 0.9], 4.0: [0.2, 0.3]}

check.exercise(
    "II.3",
    choose_rate,
    inputs=[(ONE_BEST,), (TIE,), ({rate: [*(SEEDS + lead)] for rate, lead in LEADS.items()},)],
    mistakes=[
        (
            "that one has the best mean. Which others can't be told from it?",
            lambda scores: max(scores, key=lambda rate: np.mean(scores[rate])),
        ),
        ("the smallest contender. The middle one is asked.", partial(choose_rate, pick=min)),
        (
            "of the two contenders in the middle the smaller one is asked.",
            partial(choose_rate, pick=lambda found: found[len(found) // 2]),
        ),
        ("those are all contenders. Return the middle one.", partial(choose_rate, pick=list)),
        (
            "your contenders are told apart as if nothing paired their scores. The seeds do.",
            partial(choose_rate, compare=answers.unpaired),
        ),
    ],
    errors={
        "Two splits": "paired_interval takes the scores of two rates: `scores[rate]`.",
        "no median": "The best rate is a contender, too.",
        "has no len": "paired_interval takes the scores of two rates: `scores[rate]`.",
    },
    otherwise="Best mean; contenders, by paired intervals; the middle one.",
)


def steep(num_steps: int, *eigenvalues: float) -> Callable[[], tuple]:
    """Return an input: the product with such a matrix, a start, a number of steps."""
    symmetric = answers.matrix(*eigenvalues)
    return lambda: ((lambda vector: symmetric @ vector), symmetric.sum(dim=1) + 2, num_steps)


check.exercise(
    "07.3",
    largest_curvature,
    inputs=[steep(8, 5.0, 1.0, 0.5), steep(10, 0.2, 0.05, 0.01, -0.02), steep(6, 30.0, 2.0)],
    mistakes=[
        (
            "that is the steepest direction. Return the curvature along it, one number.",
            partial(largest_curvature, result=lambda new, old: old),
        ),
        (
            "1 is the length of the vector *before* the product. What does the product make of it?",
            partial(largest_curvature, result=lambda new, old: old.norm().item()),
        ),
        (
            "that grows or shrinks with every step: bring the vector back to length 1 before "
            "each product.",
            partial(largest_curvature, shrink=lambda vector: vector),
        ),
        (
            "that is what a single step gives: is the result of the product used again?",
            lambda product, vector, _: largest_curvature(product, vector, 1),
        ),
    ],
    tolerance=5e-3,
    otherwise="Each step: length 1, then the product. At the end the length of the product.",
)


def both_hits(seeds: int, reviews: int) -> tuple[np.ndarray, ...]:
    """Return whether two recipes are right, bool [seeds, reviews] each."""
    rng = np.random.default_rng(seeds)
    hard = 0.3 * rng.random(reviews)  # both recipes find the same reviews hard
    return tuple(rng.random((seeds, reviews)) < hard + share for share in (0.65, 0.6))


check.exercise(
    "II.4.c",
    answers.two_intervals,
    inputs=[both_hits(4, 60), both_hits(3, 40)],
    mistakes=[
        ("the two are swapped: seeds come first.", partial(answers.two_intervals, axes=(0, 1))),
        ("both intervals are over seeds.", partial(answers.two_intervals, axes=(1, 1))),
        ("that is old minus new.", lambda new, old: answers.two_intervals(old, new)),
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
    otherwise="Two pairs: (mean, half) over seeds, then (mean, half) over reviews.",
)


def exam_of(models: int, reviews: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return hits [models, reviews] and an exam; no two models have the same score anywhere."""
    rng = np.random.default_rng(size)
    hits, order = np.zeros((models, reviews), dtype=bool), rng.permutation(reviews)
    there, elsewhere = rng.permutation(size), rng.permutation(reviews - size)
    for row in range(models):
        hits[row, order[: there[row]]] = hits[row, order[size : size + elsewhere[row]]] = True
    return hits, order[:size]


check.exercise(
    "VI.6.a",
    best_of,
    inputs=[exam_of(4, 30, 9), exam_of(6, 50, 20), exam_of(3, 12, 5)],
    mistakes=[
        (
            "the first is right. The second counts all reviews: leave those of the exam out.",
            lambda hits, exam: (
                best_of(hits, exam)[0],
                best_of(hits, exam, give=lambda on, off, best: hits[best].mean()),
            ),
        ),
        (
            "the second is the best score elsewhere. Asked is the score of the model that was "
            "chosen on the exam.",
            partial(best_of, give=lambda on, off, best: (on[best], off.max())),
        ),
        (
            "your model was chosen by its score elsewhere. The exam chooses.",
            partial(best_of, choose=lambda on, off: off.argmax()),
        ),
        (
            "your model was chosen by its score on all reviews. The exam alone chooses.",
            lambda hits, exam: best_of(hits, exam, lambda *_: hits.mean(axis=1).argmax()),
        ),
        (
            "that is how much the exam flatters. Return both scores.",
            partial(best_of, give=lambda on, off, best: on[best] - off[best]),
        ),
    ],
    otherwise="Two shares: the chosen model's on the exam, and its share on all other reviews.",
)

check.custom("07.open")(open_task.judge)
