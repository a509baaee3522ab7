"""The exercises of notebook 07 · Choosing."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lessons.exercises import Checks

check = Checks()

Scores = Mapping[float, Sequence[float]]


def by(summary: Callable, on: int = 0, worst: bool = False) -> Callable:
    """Return an answer to II.3 that picks by a `summary` of the seeds, on validation or test."""

    def choose_lr(*accuracies: Scores) -> float:
        table = accuracies[on]
        return (min if worst else max)(table, key=lambda lr: summary(table[lr]))

    return choose_lr


VALIDATION = {
    0.01: [0.80, 0.81, 0.80, 0.81],
    0.03: [0.85, 0.85, 0.86, 0.85],
    0.1: [0.89, 0.90, 0.82, 0.89],
    0.3: [0.91, 0.50, 0.50, 0.92],
    3.0: [0.84, 0.83, 0.84, 0.84],
    5.0: [0.50, 0.51, 0.50, 0.50],
    10.0: [0.60, 0.61, 0.60, 0.60],
}
TEST = {lr: [0.80] * 4 for lr in VALIDATION} | {3.0: [0.88] * 4}

check.exercise(
    "II.3",
    by(np.mean),
    inputs=[(VALIDATION, TEST), ({0.5: [0.7], 2.0: [0.6]}, {0.5: [0.6], 2.0: [0.7]})],
    mistakes=[
        (
            "that choice was made on the test set: its score is then no longer an honest estimate.",
            by(np.mean, on=1),
        ),
        ("a single lucky seed has decided: compare the means over the seeds.", by(max)),
        ("the worst seed alone has decided: compare the means over the seeds.", by(min)),
        (
            "that is the largest rate: compare what they gave.",
            lambda validation, _: max(validation),
        ),
        ("that is the worst one.", by(np.mean, worst=True)),
        (
            "that is an accuracy: return the learning rate that gave it.",
            lambda validation, _: max(map(np.mean, validation.values())),
        ),
        (
            "that is a position. Return the learning rate that stands there.",
            lambda validation, _: int(np.argmax([np.mean(a) for a in validation.values()])),
        ),
    ],
    otherwise="Return the learning rate with the best mean accuracy on validation.",
)

check.choice(
    "II.4.c",
    right="d",
    wrong={
        "a": "the seeds do differ, but the table has them in pairs: compare within a column.",
        "b": "none of the tokenisers looks for stems.",
        "c": "compare the mean numbers of ones above: have they become fewer?",
    },
)

check.choice(
    "VI.6.a",
    right="c",
    wrong={
        "a": "one network, but many epochs. By what was this one found?",
        "b": "few tries and many reviews make it small. Is the lowest curve at 0 for four?",
        "d": "each curve above is such an average, over 2,000 exams. A mean removes chance, not a "
        "lean to one side.",
    },
)
