"""The exercises of notebook 00 · PyTorch in one sitting."""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lessons.exercises import Checks
from lessons.n00_pytorch_primer import loops, network, open_task

check = Checks()

NUMBERS = torch.Generator().manual_seed(0)


def with_types(answer: Callable, picture: Tensor) -> Any:
    """Return the three tensors, the first and the last with their types."""
    found = answer(picture)
    if not isinstance(found, tuple | list) or len(found) != 3:
        return found
    types = [str(getattr(part, "dtype", type(part).__name__)) for part in found]
    return (found[0], types[0]), found[1], (found[2], types[2])


def made(
    zeros: Callable = lambda: torch.zeros(3, 4).long(),
    counted: Callable = lambda: torch.arange(5, 17).reshape(4, 3),
    ones: Callable = torch.ones_like,
) -> Callable:
    """Return an answer that makes the tensors in these ways."""
    return lambda picture: (zeros(), counted(), ones(picture))


INT64 = "the first tensor is not int64: which argument asks for that type?"

check.exercise(
    "00.1",
    made(),
    probe=with_types,
    parts=("the first tensor with its type", "the second tensor", "the third with its type"),
    inputs=[(torch.zeros(4, 5, 3),), (torch.zeros(2, 2).long(),), (torch.zeros(3, 1).double(),)],
    mistakes=[
        *(
            ("right, but in another order.", lambda p, order=order: [made()(p)[i] for i in order])
            for order in [*itertools.permutations(range(3))][1:]
        ),
        (INT64, made(lambda: torch.zeros(3, 4)), lambda f, _: "torch." in f[0][1] != "torch.int64"),
        ("the second must begin with 5.", made(counted=lambda: torch.arange(12).view(4, 3))),
        ("the second runs down columns.", made(counted=lambda: torch.arange(5, 17).view(3, 4).T)),
        ("the third holds no ones.", made(ones=torch.zeros_like)),
        ("the ones have another type than `picture`.", made(ones=lambda p: torch.ones(p.shape))),
        ("the ones must depend on `picture`.", made(ones=lambda picture: torch.ones(4, 5, 3))),
    ],
    errors={"invalid for input": "How many numbers are there? (arange stops before its end.)"},
    otherwise="Tensors: zeros [3, 4]; 5 to 16, row by row, [4, 3]; ones like `picture`.",
)


def of_one_std(answer: Callable, table: Tensor) -> Any:
    """Return the result, divided by n - 1 if it was by n: both are right."""
    found, n = answer(table), len(table)
    floats = isinstance(found, Tensor) and found.is_floating_point() and found.shape == table.shape
    by_n = floats and (found.std(dim=0, correction=0) - 1).abs().max() < 1e-3
    return found * ((n - 1) / n) ** 0.5 if by_n else found


ROWS = "an axis is wrong: it gives one number per *row*. In a square table nothing complains."
WHOLE = "that is one number for the whole table, but the columns have different units."
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
        ("mean and deviation are swapped.", lambda t: (t - t.std(0)) / t.mean(0)),
        ("the means are 0, but nothing has been divided yet.", lambda t: t - t.mean(0)),
        ("division comes first: are brackets missing?", lambda t: t - t.mean(0) / t.std(0)),
        ("that divides by the variance. Take its root.", lambda t: (t - t.mean(0)) / t.var(0)),
    ],
    errors={"must match": "Along which axis was averaged, and how many numbers did that leave?"},
    otherwise="The columns do not have mean 0 and standard deviation 1.",
)


def by_hand(answer: Callable, *arguments: Any) -> Any:
    """Return the result; PyTorch records nothing meanwhile."""
    with torch.no_grad():
        return answer(*arguments)


BY_HAND = {"does not require grad": "The check has switched autograd off: by hand, this time."}

check.exercise(
    "00.3",
    lambda a, b, c: (c, 2 * c, a + 2 * b),
    probe=by_hand,
    parts=("the derivative for a", "the derivative for b", "the derivative for c"),
    inputs=[(5.0, 3.0, 4.0), (-2.0, 0.5, 7.0), (1.0, -4.0, 0.0)],
    mistakes=[
        ("those are u, v and L.", lambda a, b, c: (2 * b, a + 2 * b, c * (a + 2 * b))),
        ("multiply each by what arrives from the right.", lambda a, b, c: (1, 2, a + 2 * b)),
        (
            "the right numbers in the wrong order: first that of a, then of b, then of c.",
            lambda a, b, c: (a + 2 * b, 2 * c, c),
            lambda found, a, b, c: sorted(found) == sorted((c, 2 * c, a + 2 * b)),
        ),
        ("what does the step u = 2b do to b's gradient?", lambda a, b, c: (c, c, a + 2 * b)),
        ("multiply the 2 by the gradient that arrives at u.", lambda a, b, c: (c, 2, a + 2 * b)),
    ],
    errors=BY_HAND,
    otherwise="Nudge one of a, b and c a little: how much does L move?",
)


def line(
    gradient: Callable = lambda error, x: (2 * error * x, 2 * error),
    collect: Callable = Tensor.mean,
) -> Callable:
    """Return an answer to 00.4 with other gradients of a point, or another total."""

    def answer(w: float, b: float, x: Tensor, y: Tensor) -> tuple:
        return tuple(collect(part) for part in gradient(w * x + b - y, x))

    return answer


TWO = "a factor 2 is missing: e² has the derivative 2e."
BRACKETS = "2 and x are factors of all of e: are brackets missing?"

check.exercise(
    "00.4",
    line(),
    probe=by_hand,
    parts=("the derivative for w", "the derivative for b"),
    inputs=[
        (w, b, *torch.randn(2, size, generator=NUMBERS))
        for w, b, size in ((0.5, -1.0, 5), (2.0, 0.3, 3), (-1.0, 0.0, 8))
    ],
    mistakes=[
        (TWO, line(lambda e, x: (e * x, e))),
        (TWO, line(lambda e, x: (2 * e * x, e))),
        (TWO, line(lambda e, x: (e * x, 2 * e))),
        (BRACKETS, lambda w, b, x, y: ((2 * w * x + b - y * x).mean(), (2 * w * x + b - y).mean())),
        ("that is the last point alone.", line(collect=lambda part: part[-1])),
        ("the sum keeps the last point alone: = or +=?", line(collect=lambda e: e[-1] / len(e))),
        ("divided twice: a mean is divided already.", line(collect=lambda e: e.mean() / len(e))),
        ("where is b in the error?", lambda w, b, x, y: line()(w, 0.0, x, y)),
        ("how does e change with w?", lambda w, *r: line(lambda e, x: (2 * e * w, 2 * e))(w, *r)),
        ("divide by n, not by n - 1.", line(collect=lambda part: part.sum() / (len(part) - 1))),
        ("the loss is the *mean* over the points, not their sum.", line(collect=Tensor.sum)),
        ("the signs: e is prediction minus target.", line(lambda e, x: (-2 * e * x, -2 * e))),
        ("w is multiplied by x: where is that in its gradient?", line(lambda e, x: (2 * e, 2 * e))),
        ("the gradient of b comes second.", line(lambda e, x: (2 * e, 2 * e * x))),
        ("that is one number per point: take their mean.", line(collect=lambda part: part)),
        ("multiply e by x before you average.", line(lambda e, x: (2 * e.mean() * x, 2 * e))),
    ],
    errors=BY_HAND,
    otherwise="Write e = w·x + b - y for each point, differentiate e², and take the mean.",
)


def bowl(w: Tensor) -> Tensor:
    """Return a loss that is least at 3."""
    return (w - 3) ** 2


def valley(w: Tensor) -> Tensor:
    """Return a steeper loss that is least at -1."""
    return w**4 / 4 + w


def walk(loss_of: Callable, start: float, lr: float, num_steps: int, keep: bool = False) -> Any:
    """Return the positions, in plain numbers; `keep` adds up the old gradients."""
    found, gradient = [float(start)], 0.0
    for _ in range(num_steps):
        w = torch.tensor(found[-1], requires_grad=True)
        gradient = gradient * keep + torch.autograd.grad(loss_of(w), w)[0].item()
        found.append(found[-1] - lr * gradient)
    return found


def positions(answer: Callable, loss_of: Callable, start: float, lr: float, num_steps: int) -> Any:
    """Return the positions; texts instead of tensors."""
    found = answer(loss_of, start, lr, num_steps)
    texts = isinstance(found, list) and any(isinstance(x, Tensor) for x in found)
    return [*map(str, found)] if texts else found


PLAIN = "the list must hold plain numbers, not tensors. (`w` itself would change in it, too.)"
LENGTH = "n steps have n + 1 positions: is the start or the end missing, or twice in the list?"

check.exercise(
    "00.5",
    lambda loss_of, start, lr, num_steps: walk(loss_of, start, lr, num_steps),
    probe=positions,
    inputs=[(bowl, 0.0, 0.1, 4), (valley, 1.0, 0.25, 3), (bowl, -1, 0.5, 1), (bowl, 2, 0.1, 0)],
    mistakes=[
        ("the gradients add up: when is w.grad emptied?", functools.partial(walk, keep=True)),
        ("that walks uphill.", lambda f, start, lr, n: walk(f, start, -lr, n)),
        ("w never moves: with which gradient is it changed?", lambda f, w, lr, n: [w] * (n + 1)),
        ("it does not use the loss that it is given.", lambda f, *given: walk(bowl, *given)),
        (PLAIN, lambda *a: [*torch.tensor(walk(*a))], lambda found, *_: isinstance(found[0], str)),
        (LENGTH, lambda *a: walk(*a)[1:], lambda found, f, start, lr, n: len(found) != n + 1),
    ],
    errors={
        "attribute 'append'": "append() changes the list and returns None: no `=` before it.",
        "NoneType": "Is `w.grad` None there? Only backward() fills it, and only that of a tensor "
        "made with requires_grad=True. Does this line run before the first backward(), or is `w` "
        "the result of a subtraction?",
        "does not require grad": "PyTorch has recorded no step from w to this loss. Is it computed "
        "under no_grad, or is `w` a tensor made there, or made without requires_grad=True?",
        "Tensors of floating point": "Whole numbers have no gradient: make a float of `start`.",
    },
    otherwise="The start belongs to the list. How long is each step?",
)

check.exercise("00.6", **network.NETWORK)
check.exercise("00.7", **loops.STEP)
check.exercise("00.8", **loops.TRAINING)
check.exercise("00.9", **loops.TEST)
check.custom("00.open")(open_task.judge)
