"""The exercises of notebook 00 · PyTorch in one sitting."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lessons.comparing import ANY
from lessons.exercises import Checks, compare
from lessons.judging import Exercise
from lessons.n00_pytorch_primer import models

check = Checks()


# --- 00.1 ---------------------------------------------------------------------------------

COUNTED = torch.arange(12).reshape(3, 4)

TENSORS = check.exercises["00.1"] = Exercise(
    "00.1",
    (torch.zeros(3, 4).long(), COUNTED, torch.ones(4, 5, 3)),
    mistakes=[
        (
            "`zeros` is no int64 tensor; floats are the default. Which argument says otherwise?",
            (torch.zeros(3, 4), ANY, ANY),
            lambda zeros, counted, ones: isinstance(zeros, str),
        ),
        ("`counted` starts at 1. The first number is 0, the last one 11.", (ANY, COUNTED + 1, ANY)),
        (
            "the numbers of `counted` run down the columns; reshape alone runs along the rows.",
            (ANY, torch.arange(12).reshape(4, 3).T, ANY),
        ),
        (
            "`ones` does not have the type of `picture`. Does the function copy the type as well?",
            (ANY, ANY, torch.ones(4, 5, 3).long()),
            lambda zeros, counted, ones: isinstance(ones, str),
        ),
    ],
    otherwise="Three rows, four columns: zeros; 0 to 11, row by row. Ones shaped as `picture`.",
)


@check.custom("00.1")
def of_their_types(*answers: Any) -> None:
    """Compare numbers and types; only `counted` may be of any type."""
    pairs = zip(answers, (torch.int64, None, torch.float32), strict=True)
    compare(
        TENSORS, *(found if is_of(found, dtype) else type(found).__name__ for found, dtype in pairs)
    )


def is_of(found: Any, dtype: torch.dtype | None) -> bool:
    """Whether it is a tensor of a type, or of any."""
    return isinstance(found, Tensor) and dtype in (None, found.dtype)


# --- 00.2 ---------------------------------------------------------------------------------


def of_one_std(answer: Callable, table: Tensor) -> Any:
    """Return the result, divided by n - 1 if it was by n: both are right."""
    found, n = answer(table), len(table)
    if isinstance(found, Tensor) and found.shape == table.shape:
        by_n = (found.std(dim=0, correction=0) - 1).abs().max() < 1e-3
        return found * ((n - 1) / n) ** 0.5 if by_n else found
    return found


ROWS = "an axis is wrong: it gives one number a *row*. In a square table nothing complains."
WHOLE = "that is one number for the whole table, but the columns have different units."
NUMBERS = torch.Generator().manual_seed(0)
SCALES = torch.tensor([1.0, 100.0, 0.01])

check.exercise(
    "00.2",
    lambda table: (table - table.mean(dim=0)) / table.std(dim=0),
    probe=of_one_std,
    inputs=[(torch.randn(rows, 3, generator=NUMBERS) * SCALES + SCALES,) for rows in (3, 5, 4)],
    mistakes=[
        (ROWS, lambda t: (t - t.mean(1)) / t.std(1)),
        (ROWS, lambda t: (t - t.mean(1)) / t.std(0)),
        (ROWS, lambda t: (t - t.mean(0)) / t.std(1)),
        ("a measurement is a column, not a row.", lambda t: ((t.T - t.mean(1)) / t.std(1)).T),
        (WHOLE, lambda t: (t - t.mean()) / t.std()),
        (WHOLE, lambda t: (t - t.mean(0)) / t.std()),
        (WHOLE, lambda t: (t - t.mean()) / t.std(0)),
        ("that is the table as it was.", lambda t: t),
        ("the means are 0, but nothing has been divided yet.", lambda t: t - t.mean(0)),
        ("the columns are divided, but their means are not 0 yet.", lambda t: t / t.std(0)),
        ("division comes first: are brackets missing?", lambda t: t - t.mean(0) / t.std(0)),
        ("that divides by the variance. Take its root.", lambda t: (t - t.mean(0)) / t.var(0)),
        (
            "that brings each column between 0 and 1. Wanted is mean 0, standard deviation 1.",
            lambda t: (t - t.amin(0)) / (t.amax(0) - t.amin(0)),
        ),
    ],
    errors={"must match": "Along which axis was averaged, and how many numbers did that leave?"},
    otherwise="The columns do not have mean 0 and standard deviation 1.",
)


# --- 00.3 and 00.4 ------------------------------------------------------------------------


def kept(choose: Callable) -> Callable:
    """Return an answer that multiplies what it chooses from u, s and vh."""
    return lambda matrix, rank: choose(*torch.linalg.svd(matrix, full_matrices=False), rank)


SMALLEST = "those are the *smallest* singular values; the largest come first."
SQUARE = "`vh` comes back transposed already; in a square matrix another .T goes unnoticed."
SHAPES = (
    "Take as many *columns* of `u` and *rows* of `vh` as there are singular values left; `vh` "
    "comes back transposed already."
)

check.exercise(
    "00.3",
    kept(lambda u, s, vh, r: (u[:, :r] * s[:r]) @ vh[:r]),
    inputs=[
        (torch.randn(shape, generator=NUMBERS), rank)
        for shape, rank in (((4, 4), 2), ((5, 3), 1), ((2, 6), 2), ((3, 3), 1))
    ],
    mistakes=[
        ("that is the whole matrix again: where does `rank` come in?", lambda matrix, rank: matrix),
        (
            "the singular values are missing: each column of `u` is stretched by one of them.",
            kept(lambda u, s, vh, r: u[:, :r] @ vh[:r]),
        ),
        (SMALLEST, kept(lambda u, s, vh, r: (u[:, -r:] * s[-r:]) @ vh[-r:])),
        (SMALLEST, kept(lambda u, s, vh, r: (u[:, r:] * s[r:]) @ vh[r:])),
        (SQUARE, kept(lambda u, s, vh, r: (u[:, :r] * s[:r]) @ vh[:, :r].T)),
        (SQUARE, kept(lambda u, s, vh, r: (u[:, :r] * s[:r]) @ vh.T[:r])),
        (
            "that keeps a singular value too many. Where does a slice end?",
            kept(lambda u, s, vh, r: (u[:, : r + 1] * s[: r + 1]) @ vh[: r + 1]),
        ),
        (
            "that keeps a singular value too few. Where does a slice end?",
            kept(lambda u, s, vh, r: (u[:, : r - 1] * s[: r - 1]) @ vh[: r - 1]),
        ),
    ],
    errors={"must match": SHAPES, "shapes cannot be multiplied": SHAPES},
    otherwise="Columns of `u`, rows of `vh`, and the singular values in between.",
)

check.choice(
    "00.4",
    right="c",
    wrong={
        "a": "y = x copies nothing: x and y are one tensor with two names.",
        "b": "add_(5) changes z, and z came from x + 1, which makes a new tensor.",
        "d": "x + 1 does not change x; only an underscore or += does.",
    },
)


# --- 00.5 ---------------------------------------------------------------------------------

check.exercise(
    "00.5",
    lambda a, b, c: (c, 2 * c, a + 2 * b),
    inputs=[(5.0, 3.0, 4.0), (-2.0, 0.5, 7.0), (1.0, -4.0, 0.0)],
    mistakes=[
        (
            "those are u, v and L, the values of the forward pass.",
            lambda a, b, c: (2 * b, a + 2 * b, c * (a + 2 * b)),
        ),
        (
            "each derivative is that of one step alone. Multiply by what arrives from the right.",
            lambda a, b, c: (1, 2, a + 2 * b),
        ),
        (
            "the right numbers in the wrong order: by a, by b, by c.",
            lambda a, b, c: (a + 2 * b, 2 * c, c),
            lambda found, a, b, c: sorted(found) == sorted((c, 2 * c, a + 2 * b)),
        ),
        (
            "b takes part twice as strongly as a: what does the step u = 2b do to the gradient?",
            lambda a, b, c: (c, c, a + 2 * b),
        ),
        (
            "the 2 is that of the step u = 2b alone. Multiply by the gradient that arrives at u.",
            lambda a, b, c: (c, 2, a + 2 * b),
        ),
        (
            "the derivative by c is the number that c is multiplied by. Which one is it?",
            lambda a, b, c: (c, 2 * c, a + b),
        ),
    ],
    otherwise="Derivatives by a, b and c. Nudge one of them a little: how much does L move?",
)


# --- 00.6 ---------------------------------------------------------------------------------


def descend(start: float, lr: float, num_steps: int, keep: bool = False) -> list[float]:
    """Return the positions, in plain numbers; `keep` adds up the old gradients."""
    positions, gradient = [start], 0.0
    for _ in range(num_steps):
        gradient = gradient * keep + 2 * (positions[-1] - 3)
        positions.append(positions[-1] - lr * gradient)
    return positions


def numbers(answer: Callable, start: float, lr: float, num_steps: int) -> Any:
    """Return the positions; texts instead of tensors."""
    found = answer(start, lr, num_steps)
    return (
        [str(x) if isinstance(x, Tensor) else x for x in found]
        if isinstance(found, list)
        else found
    )


NEW = "`w = w - …` makes a new tensor, which is no parameter and has no .grad. Change w in place."

check.exercise(
    "00.6",
    lambda start, lr, num_steps: descend(start, lr, num_steps),
    probe=numbers,
    inputs=[(0.0, 0.1, 4), (10.0, 0.25, 3), (-1.0, 0.5, 1), (2.0, 0.1, 0)],
    mistakes=[
        (
            "each step uses the sum of all gradients so far: what must be done with w.grad first?",
            functools.partial(descend, keep=True),
        ),
        (
            "that walks uphill, away from 3: the gradient points to where the loss grows.",
            lambda start, lr, num_steps: descend(start, -lr, num_steps),
        ),
        (
            "the learning rate is not used: it says how much of the gradient to go.",
            lambda start, lr, num_steps: descend(start, 1, num_steps),
        ),
        (
            "w never moves: was the gradient emptied before it was used?",
            lambda start, lr, num_steps: [start] * (num_steps + 1),
        ),
        (
            "the list must hold plain numbers, not `w`: it is one tensor, which changes in place.",
            lambda *a: [*torch.tensor(descend(*a))],
            lambda found, *_: isinstance(found[0], str),
        ),
        (
            "n steps have n + 1 positions: is the start or the end missing, or twice in the list?",
            lambda *a: descend(*a)[1:],
            lambda found, start, lr, num_steps: len(found) != num_steps + 1,
        ),
    ],
    errors={"NoneType": NEW, "does not require grad": NEW},
    otherwise="The start belongs to the list. How long is each step?",
)


# --- 00.7 to 00.9 -------------------------------------------------------------------------

check.exercise("00.7", **models.DATASET)
check.exercise("00.8", **models.NETWORK)
check.exercise("00.9", **models.TEST_LOOP)
