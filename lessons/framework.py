"""Small comparisons for checks that are no data (`lessons.exercises.Checks.custom`)."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from lessons.exercises import Open, Wrong


def require(condition: bool, message: str) -> None:
    """Raise `Wrong` with `message` unless `condition` holds."""
    if not condition:
        raise Wrong(message)


def call(function: Callable, *arguments: Any) -> Any:
    """Call the reader's function; None or ... back means that it is not written yet."""
    return _returned(function(*arguments))


def _returned(result: Any) -> Any:
    if result is None or result is ...:
        raise Open("(It returns nothing yet: is a `return` missing?)")
    return result


def close(value: Any, expected: float, tolerance: float = 1e-6) -> bool:
    """Whether a number is as expected, within a relative and absolute tolerance."""
    return math.isclose(float(value), expected, rel_tol=tolerance, abs_tol=tolerance)


def choose(answer: str, right: str, hints: dict[str, str]) -> None:
    """Compare the letter of a multiple-choice answer."""
    require(
        isinstance(answer, str) and answer.strip().lower() in {right, *hints},
        f"answer with one letter: {', '.join(sorted({right, *hints}))}.",
    )
    letter = answer.strip().lower()
    require(letter == right, hints.get(letter, ""))


def choose_all(answer: Any, right: set[str], hints: dict[str, str]) -> None:
    """Compare the letters of a question that has several right answers."""
    letters = {*right, *hints}
    chosen = {letter for letter in str(answer).lower() if letter.isalpha()}
    require(
        bool(chosen) and chosen <= letters,
        f"answer with letters from {', '.join(sorted(letters))}, for example 'ac'.",
    )
    for letter in sorted(chosen - right):
        raise Wrong(f"not {letter}: {hints[letter]}")
    require(
        chosen == right,
        f"{', '.join(sorted(chosen))} is right, but {len(right)} answers are asked for.",
    )


def all_close(values: Sequence[float], expected: Sequence[float], tolerance: float = 1e-6) -> bool:
    """Whether all numbers are as expected, one by one."""
    return len(values) == len(expected) and all(
        close(value, wanted, tolerance) for value, wanted in zip(values, expected, strict=True)
    )


def with_parameters(make: Callable, *sizes: int) -> Any:
    """Make a module with parameters of its own, without touching the reader's seeds."""
    with torch.random.fork_rng(devices=[]):
        module = make(*sizes)
    generator = torch.Generator().manual_seed(sum(sizes))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return module


def as_number(answer: Any) -> float:
    """Return the reader's number as a float, and say so if it is something else."""
    try:
        return float(_returned(answer))
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"return a single number; this is {type(answer).__name__}.") from None


def as_numbers(answer: Any, count: int, message: str) -> tuple[float, ...]:
    """Return the reader's numbers, in whatever sequence they come; refuse others by `message`."""
    try:
        found = tuple(float(number) for number in answer)
    except (TypeError, ValueError, RuntimeError):
        found = ()
    require(len(found) == count, message)
    return found


def call_for_number(function: Callable, *arguments: Any) -> float:
    """Call the reader's function for one number, and say so if it is something else."""
    return as_number(call(function, *arguments))
