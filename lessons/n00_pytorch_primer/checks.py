"""Answer checks of notebook 00 · PyTorch in one sitting."""

import math
import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any

import torch

from lessons.exercises import Checks, Open, Wrong
from lessons.framework import as_numbers, call, call_for_number, choose, close, require

check = exercise = Checks()


def _shape(tensor: torch.Tensor) -> list[int]:
    return list(tensor.shape)


def _require_tensor(answer: Any, shape: tuple[int, ...], what: str) -> None:
    """Require a tensor of that shape."""
    require(isinstance(answer, torch.Tensor), f"{what} is a {type(answer).__name__}, not a tensor.")
    require(
        tuple(answer.shape) == shape,
        f"{what} has the shape {_shape(answer)}, but {list(shape)} is wanted.",
    )


def _near(answer: torch.Tensor, expected: torch.Tensor) -> bool:
    """Whether two tensors of one shape have nearly equal numbers, whatever type and device."""
    return torch.allclose(answer.detach().cpu().float(), expected, rtol=1e-3, atol=1e-3)


@exercise("00.1")
def ex_00_1(zeros: torch.Tensor, counted: torch.Tensor, ones: torch.Tensor) -> None:
    """Check three tensors: whole zeros [3, 4], 0 to 11 in [3, 4], ones like a picture."""
    _require_tensor(zeros, (3, 4), "`zeros`")
    require(not zeros.any(), "`zeros` holds something else than zeros.")
    require(
        not zeros.is_floating_point(),
        "`zeros` are floats, the default. Which argument asks for whole numbers?",
    )
    require(zeros.dtype == torch.int64, f"`zeros` are of type {zeros.dtype}, not int64.")
    _require_tensor(counted, (3, 4), "`counted`")
    numbers = counted.flatten().tolist()
    require(numbers[0] != 1, "`counted` starts at 1. The first number is 0, the last one 11.")
    require(
        numbers != [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11],
        "the numbers of `counted` run down the columns; reshape alone runs along the rows.",
    )
    require(numbers == list(range(12)), "`counted` holds 0, 1, …, 11, row by row.")
    _require_tensor(ones, (4, 5, 3), "`ones`")
    require(
        ones.dtype == torch.float32,
        "`ones` does not have the type of `picture`. Does the function copy the type as well?",
    )
    require(bool((ones == 1).all()), "`ones` holds something else than ones.")


@exercise("00.2")
def ex_00_2(standardize_columns: Callable) -> None:
    """Check standardize_columns(table) → every column with mean 0 and standard deviation 1."""
    numbers = torch.Generator().manual_seed(0)
    scales = torch.tensor([1.0, 100.0, 0.01])
    for rows in (3, 5):  # the square one first: there a wrong axis goes unnoticed
        table = torch.randn(rows, 3, generator=numbers) * scales + scales
        given = table.clone()
        try:
            answer = call(standardize_columns, given)
        except RuntimeError as error:
            raise Wrong(
                f"the shapes do not fit ({error}). Along which axis did you average, and how "
                "many numbers did that leave?"
            ) from error
        require(
            torch.equal(given, table),
            "your function has changed the table that it was given: -= and /= work in place.",
        )
        _require_tensor(answer, tuple(table.shape), "the result")
        _compare_standardized(answer, table)


def _compare_standardized(answer: torch.Tensor, table: torch.Tensor) -> None:
    mean, std, n = table.mean(dim=0), table.std(dim=0), len(table)
    if n == table.shape[1]:
        by_row = table.mean(dim=1), table.std(dim=1)
        require(
            not any(
                _near(answer, (table - a_mean) / a_std)
                for a_mean in (mean, by_row[0])
                for a_std in (std, by_row[1])
                if (a_mean is by_row[0]) or (a_std is by_row[1])
            ),
            "an axis is wrong: it gives one number a *row*. In a square table nothing complains.",
        )
    centred = table - mean
    row_mean, row_std = table.mean(dim=1, keepdim=True), table.std(dim=1, keepdim=True)
    lowest, highest = table.amin(dim=0), table.amax(dim=0)
    whole = (
        "that is one number for the whole table, but the columns have different units: each "
        "needs a mean and a standard deviation of its own."
    )
    hints = (
        ((table - row_mean) / row_std, "that standardises each row. A measurement is a column."),
        ((table - table.mean()) / table.std(), whole),
        (centred / table.std(), whole),
        ((table - table.mean()) / std, whole),
        (table, "that is the table as it was: the columns do not have mean 0 yet."),
        (centred, "the means are 0, but nothing has been divided yet."),
        (table / std, "the columns are divided, but their means are not 0 yet."),
        (table - mean / std, "a division comes before a subtraction: are brackets missing?"),
        (
            centred / table.var(dim=0),
            "divided by the variance, which is the square of the standard deviation.",
        ),
        (
            (table - lowest) / (highest - lowest),
            "that brings each column between 0 and 1. Wanted is mean 0, standard deviation 1.",
        ),
    )
    for wrong, hint in hints:
        require(not _near(answer, wrong), hint)
    require(
        _near(answer, centred / std)  # divided by n - 1 or by n: both are right
        or _near(answer, centred / std * (n / (n - 1)) ** 0.5),
        "the columns do not have mean 0 and standard deviation 1.",
    )


@exercise("00.3")
def ex_00_3(keep_strongest: Callable) -> None:
    """Check keep_strongest(matrix, rank) → the best approximation of that rank."""
    numbers = torch.Generator().manual_seed(0)
    for shape, rank in (((4, 4), 2), ((5, 3), 1), ((2, 6), 2), ((3, 3), 1)):
        matrix = torch.randn(shape, generator=numbers)
        try:
            answer = call(keep_strongest, matrix.clone(), rank)
        except RuntimeError as error:
            raise Wrong(
                f"the shapes do not fit ({error}). Take as many *columns* of `u` and *rows* of "
                "`vh` as there are singular values left; `vh` comes back transposed already."
            ) from error
        _require_tensor(answer, shape, f"the result for a matrix {list(shape)}")
        _compare_low_rank(answer, matrix, rank)


def _compare_low_rank(answer: torch.Tensor, matrix: torch.Tensor, rank: int) -> None:
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    everything = rank == len(s)
    require(
        everything or not _near(answer, matrix),
        "that is the whole matrix again: where does `rank` come in?",
    )
    require(
        not _near(answer, u[:, :rank] @ vh[:rank]),
        "the singular values are missing: each column of `u` is stretched by one of them.",
    )
    require(
        everything
        or not any(
            _near(answer, (u[:, part] * s[part]) @ vh[part])
            for part in (slice(-rank, None), slice(rank, None))
        ),
        "those are the *smallest* singular values; the largest come first.",
    )
    if matrix.shape[0] == matrix.shape[1]:
        transposed = vh.T
        require(
            not _near(answer, (u[:, :rank] * s[:rank]) @ transposed[:rank])
            and not _near(answer, (u[:, :rank] * s[:rank]) @ vh[:, :rank].T),
            "`vh` comes back transposed already, and transposing it again goes unnoticed in a "
            "square matrix.",
        )
    for kept in {rank - 1, rank + 1} & {*range(len(s))}:
        require(
            not _near(answer, (u[:, :kept] * s[:kept]) @ vh[:kept]),
            f"that keeps {kept} singular values instead of {rank}. Where does a slice end?",
        )
    require(
        _near(answer, (u[:, :rank] * s[:rank]) @ vh[:rank]),
        "the result is not the best approximation: columns of `u`, rows of `vh`, and the singular "
        "values in between.",
    )


@exercise("00.4")
def ex_00_4(in_place: str) -> None:
    """Check what x is after y = x, y += 10, z = x + 1, z.add_(5) (a letter)."""
    choose(
        in_place,
        right="c",
        hints={
            "a": "y = x copies nothing: x and y are one tensor with two names.",
            "b": "add_(5) changes z, and z came from x + 1, which makes a new tensor.",
            "d": "x + 1 does not change x; only an underscore or += does.",
        },
    )


@exercise("00.5")
def ex_00_5(backward: Callable) -> None:
    """Check backward(a, b, c) → the derivatives of c (a + 2b) by a, b and c."""
    for a, b, c in ((5.0, 3.0, 4.0), (-2.0, 0.5, 7.0), (1.0, -4.0, 0.0)):
        found = as_numbers(
            call(backward, a, b, c),
            3,
            "return three numbers: the derivatives by a, by b and by c.",
        )
        expected = (c, 2 * c, a + 2 * b)
        require(
            found != (2 * b, a + 2 * b, c * (a + 2 * b)),
            "those are u, v and L, the values of the forward pass.",
        )
        require(
            found != (1.0, 2.0, a + 2 * b),
            "each derivative is that of one step alone. Multiply it by the gradient that arrives "
            "from the right.",
        )
        require(
            found == expected or sorted(found) != sorted(expected),
            "the right numbers in the wrong order: by a, by b, by c.",
        )
        require(
            c == 0 or found[1] != c,
            "b takes part twice as strongly as a: what does the step u = 2b do to the gradient?",
        )
        require(
            found[1] != 2.0 or c == 1,
            "the 2 is the derivative of the step u = 2b alone. Multiply it by the gradient that "
            "arrives at u.",
        )
        require(
            found[2] != a + b or b == 0,
            "the derivative by c is the number that c is multiplied by. Which one is it?",
        )
        for name, derivative, wanted in zip("abc", found, expected, strict=True):
            require(
                close(derivative, wanted),
                f"for a = {a:g}, b = {b:g}, c = {c:g} the derivative by {name} is not "
                f"{derivative:g}. Nudge {name} a little: how much does L move?",
            )


def _positions(start: float, lr: float, num_steps: int, keep: bool = False) -> list[float]:
    """Gradient descent on (w - 3)² in plain numbers; `keep` adds up the old gradients."""
    positions, gradient = [start], 0.0
    for _ in range(num_steps):
        gradient = gradient * keep + 2 * (positions[-1] - 3)
        positions.append(positions[-1] - lr * gradient)
    return positions


@exercise("00.6")
def ex_00_6(descend: Callable) -> None:
    """Check descend(start, lr, num_steps) → the positions of gradient descent on (w - 3)²."""
    for start, lr, num_steps in ((0.0, 0.1, 4), (10.0, 0.25, 3), (-1.0, 0.5, 1), (2.0, 0.1, 0)):
        answer = _descend(descend, start, lr, num_steps)
        require(isinstance(answer, list), "return a list of positions.")
        require(
            all(isinstance(position, Real) for position in answer),
            "the list must hold plain numbers. (One and the same `w`, changed in place, would be "
            "in it many times.) Append w.item().",
        )
        _compare_positions(answer, start, lr, num_steps)


def _compare_positions(answer: list[float], start: float, lr: float, num_steps: int) -> None:
    expected = _positions(start, lr, num_steps)

    def close_to(other: list[float]) -> bool:
        return len(other) == len(answer) and all(
            close(*pair, tolerance=1e-4) for pair in zip(answer, other, strict=True)
        )

    require(
        len(answer) == num_steps + 1,
        f"{num_steps} steps have {num_steps + 1} positions, and your list has {len(answer)}: is "
        "the start or the end missing, or one of them twice in it?",
    )
    hints = (
        (
            _positions(start, lr, num_steps, keep=True),
            "each step uses the sum of all gradients so far: what must happen to w.grad before "
            "the next backward()?",
        ),
        (
            _positions(start, -lr, num_steps),
            "that walks uphill, away from 3: the gradient points to where the loss grows.",
        ),
        (
            _positions(start, 1.0, num_steps),
            "the learning rate is not used: it says how much of the gradient to go.",
        ),
        (
            [start] * (num_steps + 1),
            "w never moves: was the gradient emptied before it was used?",
        ),
    )
    for wrong, hint in hints:
        require(close_to(expected) or not close_to(wrong), hint)
    for number, (found, wanted) in enumerate(zip(answer, expected, strict=True)):
        require(
            close(found, wanted, tolerance=1e-4),
            f"from {start:g} with lr = {lr:g}, position number {number} should not be {found:g}. "
            + ("The start belongs to the list." if number == 0 else "How long is that step?"),
        )


def _descend(descend: Callable, *arguments: Any) -> list[float]:
    """Call `descend`, and explain the errors that an update at the wrong place brings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call(descend, *arguments)
    except RuntimeError as error:
        if "in-place" in str(error):
            raise Wrong(
                "PyTorch records the change of w itself: make it inside torch.no_grad()."
            ) from error
        if "does not require grad" in str(error):
            raise Wrong(_NEW_TENSOR) from error
        if "second time" in str(error):
            raise Wrong(
                "backward() uses up the graph: compute the loss anew in every step."
            ) from error
        raise
    except (TypeError, AttributeError) as error:
        if "NoneType" in str(error):
            raise Wrong(_NEW_TENSOR) from error
        raise


_NEW_TENSOR = (
    "w.grad is empty after the first step: `w = w - …` has made a new tensor that is no parameter "
    "any more. Change w in place."
)


def _defines(cls: type, method: str) -> bool:
    """Whether the reader's class has its own version of a method that PyTorch leaves open."""
    for ancestor in cls.__mro__:
        if ancestor.__module__.split(".")[0] == "torch":
            return False
        if method in vars(ancestor):
            return True
    return False


@exercise("00.7")
def ex_00_7(dataset_class: Callable) -> None:
    """Check PointsDataset(points, targets): its length and its samples."""
    points = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]])
    targets = torch.tensor([0, 1, 1, 0, 1])
    for size in (5, 1):
        dataset = dataset_class(points[:size], targets[:size])
        if not (hasattr(dataset, "__len__") and _defines(dataset_class, "__getitem__")):
            raise Open("(It takes two methods, __len__ and __getitem__.)")
        length = call(dataset.__len__)
        require(
            size == 1 or length != 2,
            "the length is the number of samples; 2 is the number of coordinates.",
        )
        require(length != 2 * size, "that counts numbers, two a point. Count samples.")
        require(length == size, f"the length is {length} for {size} samples.")
        for index in (0, size - 1):
            sample = call(dataset.__getitem__, index)
            require(
                isinstance(sample, tuple | list) and len(sample) == 2,
                "dataset[i] is a pair: the point and its target.",
            )
            point, target = (torch.as_tensor(part).detach().cpu() for part in sample)
            require(
                (point.ndim, target.shape) != (0, (2,)),
                "the pair is the wrong way round: the point comes first.",
            )
            require(
                point.shape == (2,),
                "the first of the pair is the point number `index` alone, of shape [2].",
            )
            require(
                target.numel() == 1,
                "the second of the pair is the target number `index` alone, a single number.",
            )
            require(
                torch.equal(point, points[index]) and int(target) == int(targets[index]),
                "dataset[i] gives another sample than number i.",
            )


@exercise("00.8")
def ex_00_8(model_class: Callable) -> None:
    """Check PointMLP: layers 2-32-32-1 with two ReLUs, logits [batch]."""
    with torch.random.fork_rng(devices=[]):  # leave the reader's random numbers alone
        model = model_class()
    shapes = [tuple(p.shape) for p in model.parameters() if p.ndim == 2]
    if not _defines(model_class, "forward"):
        raise Open("(It takes the layers in __init__ and the method forward.)")
    require(
        bool(shapes),
        "PyTorch finds no layers in your model. It looks at the attributes of `self`, and does "
        "not look into a plain list.",
    )
    require(
        sorted(shapes) == [(1, 32), (32, 2), (32, 32)],
        f"the layers' weights have the shapes {shapes} [out, in]; wanted are layers from 2 to 32, "
        "from 32 to 32 and from 32 to 1.",
    )
    biases = sorted(tuple(p.shape) for p in model.parameters() if p.ndim == 1)
    require(biases == [(1,), (32,), (32,)], "each layer has a bias: do not switch it off.")
    for batch_size in (5, 1):
        points = torch.ones(batch_size, 2)
        logits = call(model, points)
        require(isinstance(logits, torch.Tensor), "forward must return a tensor, the logits.")
        require(
            batch_size > 1 or logits.ndim > 0,
            "a batch of one has lost its axis: squeeze() removes every axis of length 1. Name the "
            "one that you mean.",
        )
        require(
            logits.ndim != 2,
            f"the result has the shape {_shape(logits)}; the last axis has to go.",
        )
        _require_tensor(logits, (batch_size,), "the result")
    _compare_activations(model)


@torch.no_grad()
def _compare_activations(model: torch.nn.Module) -> None:
    """Set the weights so that the place of every ReLU shows in the result."""
    bias = -0.25

    def result(first: float, second: float) -> float:
        for parameter in model.parameters():
            parameter.zero_()
            if parameter.shape == (32, 2):
                parameter += first
            elif parameter.shape == (32, 32):
                parameter += second * torch.eye(32)
            elif parameter.shape == (1, 32):
                parameter += 1
            elif parameter.shape == (1,):
                parameter += bias
        return float(model(torch.ones(1, 2)))

    logit = result(1, -1)  # the second ReLU makes 0 of -2; only the bias is left
    require(
        not close(logit, 1 / (1 + math.exp(-bias))),
        "the result is a probability. Leave the sigmoid out: the loss will apply it.",
    )
    require(logit != 0, "a ReLU behind the last layer makes every negative logit 0.")
    require(
        close(logit, bias) and close(result(-1, -1), bias),
        "between two layers a ReLU is missing, or something else stands there. Two layers with "
        "nothing between them are a single layer.",
    )
    require(close(result(1, 1), 64 + bias), "a point goes through the three layers in order.")


class _WatchedModel(torch.nn.Module):
    """Its logit is the first coordinate; it notes in which state it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.states: list[tuple[bool, bool]] = []

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        self.states.append((self.training, torch.is_grad_enabled()))
        return points[:, 0] * self.weight


@exercise("00.9")
def ex_00_9(accuracy_on: Callable) -> None:
    """Check accuracy_on(model, loader) → share of right predictions."""
    logits = torch.tensor([2.0, -1.0, 0.3, -2.0, 3.0, -0.5, 0.2])
    targets = torch.tensor([1, 0, 1, 1, 0, 0, 1])
    data = torch.utils.data.TensorDataset(logits[:, None], targets)
    model = _WatchedModel()
    answer = call_for_number(accuracy_on, model, _loader(data))
    require(
        not close(answer, 5 / 2),
        "that is divided by the number of batches. Divide by the number of samples.",
    )
    require(answer <= 1, "the accuracy is a share between 0 and 1.")
    require(
        not close(answer, 0),
        "no logit is *equal* to a target. First each must become a class, 0 or 1.",
    )
    require(not close(answer, 2 / 7), "that is the share of *wrong* predictions.")
    require(
        not close(answer, 3 / 7),
        "a logit is not a probability: at which logit is the probability one half?",
    )
    require(not close(answer, 2 / 3), "that is the accuracy of the last batch alone.")
    require(
        not close(answer, (3 / 4 + 2 / 3) / 2),
        "that is the mean of the batches' accuracies, but the last batch is smaller. Count "
        "samples.",
    )
    require(
        close(answer, 5 / 7),
        f"on a test with 7 samples your function says {answer:g}, which is wrong. Count the right "
        "predictions and the samples.",
    )
    require(
        not any(training for training, _ in model.states),
        "the model is still in training mode: what comes first in a test loop?",
    )
    require(
        not any(grad for _, grad in model.states),
        "PyTorch still records every step. Which context prevents that?",
    )
    one = torch.utils.data.TensorDataset(logits[:1, None], targets[:1])
    answer = call_for_number(accuracy_on, _WatchedModel(), _loader(one))
    require(close(answer, 1), "a single sample that is right gives the accuracy 1.")


def _loader(data: torch.utils.data.Dataset) -> torch.utils.data.DataLoader:
    """Serve batches of 4, with a generator of its own: the reader's stays as it is."""
    return torch.utils.data.DataLoader(data, batch_size=4, generator=torch.Generator())
