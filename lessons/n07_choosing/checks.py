"""Answer checks of notebook 07 · Choosing."""

from collections.abc import Callable

from lessons.exercises import Checks
from lessons.framework import call_for_number, choose, close, require

check = exercise = Checks()


@exercise("II.3")
def ii_3(choose_lr: Callable) -> None:
    """Check choose_lr(validation, test) → learning rate."""
    validation = {
        0.01: [0.80, 0.81, 0.80, 0.81],
        0.03: [0.85, 0.85, 0.86, 0.85],
        0.1: [0.89, 0.90, 0.82, 0.89],
        0.3: [0.91, 0.50, 0.50, 0.92],
        3.0: [0.84, 0.83, 0.84, 0.84],
        5.0: [0.50, 0.51, 0.50, 0.50],
        10.0: [0.60, 0.61, 0.60, 0.60],
    }
    test = {lr: [0.80] * 4 for lr in validation} | {3.0: [0.88] * 4}
    answer = call_for_number(choose_lr, validation, test)
    require(
        answer != 3.0,
        "that choice was made on the test set: its score is then no longer an honest estimate.",
    )
    require(
        answer != 0.3,
        "a single lucky seed has decided: compare what the learning rates give on average.",
    )
    require(
        answer != 0.03,
        "the worst seed alone has decided, which is as much chance as a lucky one: compare what "
        "the learning rates give on average.",
    )
    require(answer != 10.0, "that is the largest learning rate: give max a key.")
    require(answer != 5.0, "that is the worst one.")
    require(not 0.31 < answer < 0.95, "that is an accuracy: return the learning rate that gave it.")
    require(
        answer not in (0, 1, 2), "that is a position. Return the learning rate that stands there."
    )
    require(close(answer, 0.1), "return the learning rate with the best mean accuracy.")
    require(
        close(call_for_number(choose_lr, {0.5: [0.7], 2.0: [0.6]}, {0.5: [0.6], 2.0: [0.7]}), 0.5),
        "the answer must depend on the accuracies given, whatever the learning rates are.",
    )


@exercise("II.4.c")
def ii_4_c(conclusion: str) -> None:
    """Check what the comparison of tokenisers shows (a letter)."""
    choose(
        conclusion,
        right="d",
        hints={
            "a": "the seeds do differ, but the table has them in pairs: compare within a column.",
            "b": "none of the tokenisers looks for stems.",
            "c": "compare the mean numbers of ones above: have they become fewer?",
        },
    )


@exercise("VI.6.a")
def vi_6_a(reason: str) -> None:
    """Check which score is not flattered (a letter)."""
    choose(
        reason,
        right="c",
        hints={
            "a": "one network, but many epochs. By what was this one found?",
            "b": "few tries and many reviews make it small. Is the lowest curve at 0 for four?",
            "d": "each curve above is such an average, over 2,000 exams. A mean removes chance, "
            "not a lean to one side.",
        },
    )
