"""What an exercise is, and how an answer is judged.

An exercise is data: a reference, the inputs to call it with, and mistakes, each a wrong answer
with the sentence that it deserves. An answer is called on all inputs (`lessons.calling`) and
compared with the reference (`lessons.judging`); if it is wrong, it gets the sentence of the
mistake that gives the same results on *all* of them. A check prints one line: ``✓`` if the
answer is right, ``✗`` and the mistake if it is not, ``…`` while there is none. The notebook goes
on in every case. With ``COURSE_STRICT=1`` in the environment, or under nbgrader, what is not
right raises instead. docs/authors.md shows how to write an exercise.
"""

import functools
import inspect
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from lessons.calling import Call, Raised, call, captured, clean_state, is_gap
from lessons.calling import place as place_of
from lessons.comparing import in_words
from lessons.judging import Exercise, Open, Wrong, judge
from lessons.progress import report
from lessons.slips import stopped

#: whether open and wrong answers raise, instead of only printing a line
STRICT = os.environ.get("COURSE_STRICT", "") not in ("", "0") or bool(
    os.environ.get("NBGRADER_EXECUTION")
)

MOST_CHARACTERS = 1_500  # of a message


class Checks:
    """The checks of one notebook, each an attribute, and the latest verdict on each."""

    def __init__(self) -> None:
        self.verdicts: dict[str, str] = {}
        self.exercises: dict[str, Exercise] = {}

    def exercise(self, label: str, reference: Any, **data: Any) -> None:
        """Add an exercise; its parameters are those of `Exercise`."""
        exercise = Exercise(label, reference, **data)
        self.exercises[label] = exercise
        self.custom(label)(functools.partial(compare, exercise))

    def choice(self, label: str, right: str, wrong: Mapping[str, str]) -> None:
        """Add a multiple-choice exercise.

        Parameters
        ----------
        label : str
            Its number.
        right : str
            The right letter, or all letters that are asked for ("ac").
        wrong : mapping of str to str
            For each other letter why it is wrong.
        """
        self.custom(label)(functools.partial(_choose, set(right), wrong))

    def custom(self, label: str) -> Callable:
        """Return a decorator that makes a check of a function that raises `Wrong`.

        For what is no data: a check that needs a clock, or a hand-made world.
        """
        if label in self.verdicts:
            raise ValueError(f"exercise {label} has a check already")
        self.verdicts[label] = "…"

        def decorate(judgement: Callable) -> Callable:
            def check(*answers: Any) -> None:
                self.verdicts[label] = "✗"  # also if it is interrupted
                said = f"✗ {label}: interrupted before the answer was judged."
                try:
                    with clean_state(), captured() as printed:
                        require_answer(*answers)
                        judgement(*answers)
                    said = f"✓ {label}"
                except (Exception, SystemExit) as error:
                    said = _refusal(label, error)
                    if STRICT:
                        raise
                finally:
                    self.verdicts[label] = said[0]
                    print(printed.text + said)

            check.label = label  # type: ignore[attr-defined]
            setattr(self, attribute(label), check)
            return check

        return decorate

    __call__ = custom

    def __getattr__(self, name: str) -> Callable:
        """Say which checks there are, if one is asked for that is not."""
        known = ", ".join(attribute(label) for label in self.__dict__.get("verdicts", ()))
        raise AttributeError(f"there is no check {name}. There are: {known}.")

    def passed(self, *labels: str) -> bool:
        """Whether the checks of exercises have said ✓ in this kernel; if not, say what is missing.

        A cell that goes on with answers asks it first: ``if check.passed("I.2.c"): …``.
        """
        missing = [label for label in labels if self.verdicts[label] != "✓"]
        if missing:
            print(f"(This cell goes on with your answer to {' and '.join(missing)}.)")
        return not missing

    def progress(self) -> None:
        """Print how many checks of the notebook pass, and where to go on."""
        print(report(self.verdicts))


def attribute(label: str) -> str:
    """Return the name of a check as an attribute: "I.2.c" is ``i_2_c``, "00.1" is ``ex_00_1``."""
    name = re.sub(r"\W+", "_", label.lower()).strip("_")
    return f"ex_{name}" if name[0].isdigit() else name


def require_answer(*answers: Any) -> None:
    """Raise `Open` for None and ..., and for functions and methods that do nothing yet."""
    for answer in answers:
        if answer is None or answer is ...:
            raise Open
        if is_gap(answer):
            raise Open("(It returns nothing yet: is a `return` missing?)")


def compare(exercise: Exercise, *answers: Any) -> None:
    """Call an answer and judge it; print what it printed."""
    if exercise.is_value:
        found = answers if isinstance(exercise.reference, tuple) else answers[0]
        return judge(exercise, [Call(found, found)])
    (answer,) = answers
    if not callable(answer):
        kind = "class" if inspect.isclass(exercise.reference) else "function"
        raise Wrong(f"hand over the {kind} itself, not {in_words(answer)}.")
    if inspect.isclass(exercise.reference):
        _require_methods(answer, exercise.reference)
    calls = call(answer, exercise.inputs, exercise.probe, exercise.twice)
    if printed := calls[0].printed:
        print(printed, end="" if printed.endswith("\n") else "\n")
    judge(exercise, calls)


def _require_methods(answer: Any, reference: type) -> None:
    """Raise `Open` while a method of the reference is missing, or does nothing yet."""
    if not inspect.isclass(answer):
        return
    for name, method in vars(reference).items():
        own = inspect.getattr_static(answer, name, None)
        base = next((vars(kind)[name] for kind in reference.__mro__[1:] if name in vars(kind)), 0)
        inherited = own is base and (getattr(own, "__module__", None) or "").startswith("torch")
        if inspect.isfunction(method) and (own is None or inherited or is_gap(own)):
            raise Open(f"(The method {name} is not written yet.)")


def _choose(right: set[str], wrong: Mapping[str, str], answer: Any) -> None:
    """Compare the letters of a multiple-choice answer, in whatever form they come."""
    options = {*right, *wrong}
    text = " ".join(map(str, answer)) if isinstance(answer, list | tuple | set) else str(answer)
    chosen = set(re.findall(r"(?<![^\W_])[a-z](?![^\W_])", text.lower())) & options
    if not chosen and set(text.lower()) <= options:
        chosen = set(text.lower())
    several = "letters" if len(right) > 1 else "one letter"
    if not chosen or (len(right) == 1 < len(chosen)):
        raise Wrong(f"answer with {several}: {', '.join(sorted(options))}.")
    for letter in sorted(chosen - right):
        raise Wrong(f"not {letter}: {wrong[letter]}" if len(right) > 1 else wrong[letter])
    if chosen != right:
        found = ", ".join(sorted(chosen))
        raise Wrong(f"{found} is right, but {len(right)} answers are asked for.")


def _refusal(label: str, error: BaseException) -> str:
    """Return the line that says why an answer does not pass; it begins with the verdict."""
    if isinstance(error, Open):
        return f"… {label} waits for your answer. {error}".rstrip()
    if isinstance(error, Wrong):
        message = str(error)
    else:
        raised = Raised(type(error).__name__, str(error), place_of(error))
        message = stopped(raised)
    if len(message) > MOST_CHARACTERS:
        message = f"{message[:MOST_CHARACTERS]}…"
    return f"✗ {label}: {message}"
