"""What the checks of all notebooks share: verdicts, progress, and small comparisons."""

import functools
import math
import os
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import torch


class Wrong(AssertionError):  # noqa: N818 - it is the verdict on an answer
    """A wrong answer; the message names the likely mistake."""


class Open(AssertionError):  # noqa: N818 - it is the state of an answer
    """An exercise that is not answered yet."""


def is_strict() -> bool:
    """Whether open and wrong answers raise, instead of only printing a line."""
    return os.environ.get("COURSE_STRICT", "") not in ("", "0") or bool(
        os.environ.get("NBGRADER_EXECUTION")
    )


class Exercises:
    """The checks of one notebook, and the latest verdict on each.

    Used as a decorator, it makes a check out of a function that raises `Wrong` when an
    answer is wrong.
    """

    def __init__(self) -> None:
        self.verdicts: dict[str, str] = {}

    def __call__(self, label: str) -> Callable:
        """Return the decorator for the check of exercise `label`, like "I.2.c"."""
        if label in self.verdicts:
            raise ValueError(f"exercise {label} has a check already")
        self.verdicts[label] = "…"

        def decorate(compare: Callable) -> Callable:
            @functools.wraps(compare)
            def check(*answers: Any) -> None:
                self.verdicts[label] = "✗"  # also if it is interrupted
                try:
                    for answer in answers:
                        require_answer(answer)
                    compare(*answers)
                except Exception as error:
                    said = _refusal(label, error)
                    self.verdicts[label] = said[0]
                    print(said)
                    if is_strict():
                        raise
                else:
                    self.verdicts[label] = "✓"
                    print(f"✓ {label}")

            check.label = label
            setattr(self, attribute(label), check)
            return check

        return decorate

    def progress(self) -> None:
        """Print how many checks of the notebook pass, and which do not yet."""
        labels = {
            verdict: [label for label, latest in self.verdicts.items() if latest == verdict]
            for verdict in "✓✗…"
        }
        line = f"{len(labels['✓'])} of {len(self.verdicts)} checks pass"
        for verdict, word in (("✗", "wrong"), ("…", "open")):
            if labels[verdict]:
                line += f"; {word}: {', '.join(labels[verdict])}"
        print(textwrap.fill(f"{line}.", width=100, subsequent_indent="    "))


def attribute(label: str) -> str:
    """Return the name of a check as an attribute: "I.2.c" is ``i_2_c``, "00.1" is ``ex_00_1``."""
    name = re.sub(r"\W+", "_", label.lower()).strip("_")
    return f"ex_{name}" if name[0].isdigit() else name


def _refusal(label: str, error: Exception) -> str:
    """Return the line that says why an answer does not pass; it begins with the verdict."""
    if isinstance(error, Open):
        return f"… {label} waits for your answer. {error}".rstrip()
    if isinstance(error, Wrong):
        return f"✗ {label}: {error}"
    return f"✗ {label}: your code stopped with {type(error).__name__}: {error}"


def require(condition: bool, message: str) -> None:
    """Raise `Wrong` with `message` unless `condition` holds."""
    if not condition:
        raise Wrong(message)


def require_answer(answer: Any) -> None:
    """Raise `Open` for None and ..., which stand for an answer that is not given yet."""
    if answer is None or answer is ...:
        raise Open


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
