"""What an exercise is, and how an answer is judged.

An exercise is data: a reference, the inputs to call it with, and mistakes, each a wrong answer
with the sentence that it deserves. An answer is called on all inputs (`lessons.calling`) and
compared with the reference (`lessons.comparing`); if it is wrong, it gets the sentence of the
mistake that gives the same results on *all* of them. A check prints one line: ``✓`` if the
answer is right, ``✗`` and the mistake if it is not, ``…`` while there is none. The notebook goes
on in every case. With ``COURSE_STRICT=1`` in the environment, or under nbgrader, what is not
right raises instead. docs/authors.md shows how to write an exercise.
"""

import functools
import inspect
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lessons.calling import Arguments, Call, Raised, apply, call, captured, clean_state, is_gap
from lessons.calling import place as place_of
from lessons.comparing import fits_form, form, in_words, same, sequence
from lessons.progress import report
from lessons.slips import explain


class Wrong(AssertionError):  # noqa: N818 - it is the verdict on an answer
    """A wrong answer; the message names the likely mistake."""


class Open(AssertionError):  # noqa: N818 - it is the state of an answer
    """An exercise that is not answered yet."""


#: whether open and wrong answers raise, instead of only printing a line
STRICT = os.environ.get("COURSE_STRICT", "") not in ("", "0") or bool(
    os.environ.get("NBGRADER_EXECUTION")
)

MOST_CHARACTERS = 1_500  # of a message

#: a sentence and a wrong answer that deserves it; third, optionally, what tells this mistake:
#: ``when(result, *arguments)`` instead of equal results on all inputs
Mistake = tuple[str, Any] | tuple[str, Any, Callable[..., bool]]


@dataclass(frozen=True)
class Exercise:
    """One exercise, as data.

    Parameters
    ----------
    label : str
        Its number, as in the heading: "I.2.c".
    reference : object
        A right answer: a function, a class, or (without `inputs`) a value; a tuple if several
        values are handed in.
    inputs : sequence of tuple or callable
        The arguments of each call. A callable without arguments makes them anew for each call,
        which loaders and models need; tuples are copied.
    mistakes : sequence of Mistake
        ``(sentence, wrong answer)``. The wrong answer is of the kind of the reference; parts of
        a value that do not matter are `lessons.comparing.ANY`. If no wrong function can say it,
        ``(sentence, example, when)``: told by ``when(result, *arguments)``, for a value
        ``when(*answers)``, and the example deserves it.
    probe : callable
        What is done with the answer: ``probe(answer, *arguments)`` gives the result that is
        compared. For a class it makes an object and uses it.
    otherwise : str
        What is said if no mistake fits.
    tolerance : float
        How far apart floats may be, see `lessons.comparing.same`.
    errors : mapping of str to str
        Words of an error message, and the likely mistake behind it in this exercise.
    changes : bool
        Whether the answer may change its arguments.
    twice : bool
        Whether a second call must give the same.
    """

    label: str
    reference: Any
    inputs: Sequence[Arguments] = ()
    mistakes: Sequence[Mistake] = ()
    probe: Callable = apply
    otherwise: str = ""
    tolerance: float = 1e-4
    errors: Mapping[str, str] = field(default_factory=dict)
    changes: bool = False
    twice: bool = True

    @property
    def is_value(self) -> bool:
        """Whether the answer is a value, not a function or class."""
        return not self.inputs

    @functools.cached_property
    def expected(self) -> list[Any]:
        """The reference's results, one per input."""
        return self.results(self.reference)

    def results(self, answer: Any) -> list[Any]:
        """Return the results of a reference or a mistake, one per input."""
        if self.is_value:
            return [answer]
        return [one.result for one in call(answer, self.inputs, self.probe, twice=False)]

    def agrees(self, results: Sequence[Any], expected: Sequence[Any]) -> bool:
        """Whether an answer's results are the expected ones, on all inputs."""
        pairs = zip(results, expected, strict=True)
        return len(results) == len(expected) and all(
            same(found, wanted, self.tolerance) for found, wanted in pairs
        )

    def describe_input(self, position: int) -> str:
        """Return the arguments of an input in words, with the names that the reference gives."""
        given = self.inputs[position]
        if callable(given):
            return f"input {position + 1} of the check" if len(self.inputs) > 1 else ""
        shown = self.reference if self.probe is apply else functools.partial(self.probe, None)
        try:
            names = [*inspect.signature(shown).parameters]
        except (TypeError, ValueError):
            names = []
        names += [""] * (len(given) - len(names))
        words = [f"{n} = {in_words(v)}" if n else in_words(v) for n, v in zip(names, given)]  # noqa: B905
        return ", ".join(words)


def judge(exercise: Exercise, calls: Sequence[Call]) -> None:
    """Raise `Wrong` or `Open` unless the calls of an answer are those of a right one.

    Parameters
    ----------
    exercise : Exercise
        What was asked.
    calls : sequence of Call
        What `lessons.calling.call` gave for the answer.
    """
    results, expected = [one.result for one in calls], exercise.expected
    if results and expected[0] is not None and (results[0] is None or results[0] is ...):
        raise Open("(It returns nothing yet: is a `return` missing?)")
    if not exercise.agrees(results, expected):
        raise Wrong(_mistake(exercise, results))
    for position, one in enumerate(calls):
        if one.changed and not exercise.changes:
            raise Wrong(
                f"the result is right, but your code changes {_argument(exercise, one, position)} "
                "in place. Work on a copy, or on a new object: `total = total + x`, not `+=`."
            )
        if one.left:
            raise Wrong(f"the result is right, but your code leaves changed {one.left[0]}.")
        if not same(one.again, one.result, exercise.tolerance):
            raise Wrong(
                "a second call with the same arguments gives another result. Does your code keep "
                "something from the first call?"
            )


def _argument(exercise: Exercise, one: Call, position: int) -> str:
    try:
        names = [*inspect.signature(exercise.reference).parameters]
        return f"`{names[one.changed[0]]}`"
    except (TypeError, ValueError, IndexError):
        return f"argument {one.changed[0] + 1}"


def _mistake(exercise: Exercise, results: Sequence[Any]) -> str:
    """Return the sentence that wrong results deserve."""
    told = []
    for sentence, wrong, *when in exercise.mistakes:
        if when:
            told.append((sentence, when[0]))
        elif exercise.agrees(results, exercise.results(wrong)):
            return sentence
    pairs = zip(results, exercise.expected)  # noqa: B905 - SystemExit ends the calls early
    position = next(
        (i for i, pair in enumerate(pairs) if not same(*pair, exercise.tolerance)), len(results) - 1
    )
    found, wanted = results[position], exercise.expected[position]
    for sentence, when in told:
        if _told(when, exercise, results, position):
            return sentence
    return _in_general(exercise, results, position, found, wanted)


def _told(when: Callable, exercise: Exercise, results: Sequence[Any], position: int) -> bool:
    """Whether a predicate recognises its mistake in the first wrong result."""
    if exercise.is_value:
        found = results[0]
        arguments = found if isinstance(exercise.reference, tuple) else (found,)
    else:
        given = exercise.inputs[position]
        arguments = (results[position], *(given() if callable(given) else given))
    try:
        return bool(when(*arguments))
    except Exception:  # a result of another kind than the predicate knows
        return False


def _in_general(
    exercise: Exercise, results: Sequence[Any], position: int, found: Any, wanted: Any
) -> str:
    """Return what can be said without knowing the mistake."""
    where = "" if exercise.is_value else exercise.describe_input(position)
    where = f" for {where}" if where else ""
    if isinstance(found, Raised):
        at = f" in {found.place}," if found.place else ""
        hint = explain(found, exercise.errors)
        return f"your code stopped{at} with {found.kind}: {found.message}{where}. {hint}".rstrip()
    if isinstance(wanted, Raised):
        return f"{where.strip() or 'here'} an error is asked for ({wanted.kind}), but none came."
    if found is None or found is ...:
        return f"nothing comes back{where}: is there a way through your code without `return`?"
    if not fits_form(found, wanted):
        shape = getattr(found, "shape", None)
        kind = f"{type(found).__name__}{list(shape) if shape is not None else ''}"
        return f"{form(wanted)} is asked for{where}; this is {kind}. {exercise.otherwise}".rstrip()
    if len(results) > 1 and all(same(other, results[0]) for other in results[1:]):
        return f"the same result for every input: use the arguments. {exercise.otherwise}".rstrip()
    shown = _wrong_part(found, wanted, exercise.tolerance)
    return f"{shown} is wrong{where}. {exercise.otherwise}".rstrip()


def _wrong_part(found: Any, wanted: Any, tolerance: float) -> str:
    """Name what is wrong: of several values the first that is."""
    parts = sequence(found) if isinstance(wanted, tuple) and len(wanted) > 1 else None
    if parts is None:
        return in_words(found)
    position = next(i for i, pair in enumerate(zip(parts, wanted)) if not same(*pair, tolerance))  # noqa: B905
    return f"value {position + 1} of {len(wanted)}, {in_words(parts[position])},"


# --- the checks of a notebook ---------------------------------------------------------------


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
        raise Wrong(
            f"hand over the {'class' if _is_class(exercise.reference) else 'function'} itself, "
            f"not {in_words(answer)}."
        )
    if _is_class(exercise.reference):
        _require_methods(answer, exercise.reference)
    calls = call(answer, exercise.inputs, exercise.probe, exercise.twice)
    if printed := calls[0].printed:
        print(printed, end="" if printed.endswith("\n") else "\n")
    judge(exercise, calls)


def _is_class(answer: Any) -> bool:
    return inspect.isclass(answer)


def _require_methods(answer: Any, reference: type) -> None:
    """Raise `Open` while a method of the reference is missing, or does nothing yet."""
    if not _is_class(answer):
        return
    for name, method in vars(reference).items():
        own = inspect.getattr_static(answer, name, None)
        if inspect.isfunction(method) and (own is None or is_gap(own)):
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
        at = f" in {raised.place}," if raised.place else ""
        hint = explain(raised, {})
        message = f"your code stopped{at} with {raised.kind}: {raised.message}. {hint}".rstrip()
    if len(message) > MOST_CHARACTERS:
        message = f"{message[:MOST_CHARACTERS]}…"
    return f"✗ {label}: {message}"
