"""What an exercise is, as data, and how the calls of an answer are judged."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lessons.calling import Arguments, Call, Raised, apply, call
from lessons.comparing import ANY, fits_form, form, in_words, kind, same, sequence
from lessons.slips import stopped


class Wrong(AssertionError):  # noqa: N818 - it is the verdict on an answer
    """A wrong answer; the message names the likely mistake."""


class Open(AssertionError):  # noqa: N818 - it is the state of an answer
    """An exercise that is not answered yet."""


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
        compared. For a class it makes an object and uses it. What only it can see it may refuse
        itself: ``raise Wrong("…")``.
    parts : sequence of str
        What the values of a result are, for a message, where a probe returns several:
        ``("the losses", "the weights afterwards")``.
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
    parts: Sequence[str] = ()
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

    @functools.cached_property
    def _mistaken(self) -> dict[int, list[Any]]:
        return {}

    def mistaken(self, number: int) -> list[Any]:
        """Return the results of one of the mistakes, one per input."""
        if number not in self._mistaken:
            self._mistaken[number] = self.results(self.mistakes[number][1])
        return self._mistaken[number]

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
        hands_on = "*" in str(inspect.signature(self.probe))  # all arguments, whatever their names
        shown = self.reference if hands_on else functools.partial(self.probe, None)
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
        if not same(one.again, expected[position], exercise.tolerance):
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
    pairs = zip(results, exercise.expected)  # noqa: B905 - SystemExit ends the calls early
    position = next(
        (i for i, pair in enumerate(pairs) if not same(*pair, exercise.tolerance)), len(results) - 1
    )
    found, wanted = results[position], exercise.expected[position]
    if isinstance(found, Raised) and found.kind == Wrong.__name__:  # the probe has said it
        return found.message
    told = []
    for number, (sentence, _, *when) in enumerate(exercise.mistakes):
        if when:
            told.append((sentence, when[0]))
        elif exercise.agrees(results, exercise.mistaken(number)):
            return sentence
    if sentence := _mistake_in_a_part(exercise, results):
        return sentence
    for sentence, when in told:
        if _told(when, exercise, results, position):
            return sentence
    return _in_general(exercise, results, position, found, wanted)


def _mistake_in_a_part(exercise: Exercise, results: Sequence[Any]) -> str:
    """Of several values, return the sentence of a mistake that explains the first wrong one."""
    wanted = exercise.expected
    if len(results) < len(wanted) or not all(isinstance(right, tuple) for right in wanted):
        return ""
    parts = [sequence(found) for found in results]
    if any(row is None or len(row) != len(wanted[0]) for row in parts):
        return ""
    columns = [list(zip(*rows, strict=True)) for rows in (parts, wanted)]  # type: ignore[arg-type]
    for number, (found, right) in enumerate(zip(*columns, strict=True)):
        if exercise.agrees(found, right):
            continue
        for place, (sentence, _, *when) in enumerate(exercise.mistakes):
            rows = [] if when else exercise.mistaken(place)
            if not rows or not all(isinstance(row, tuple) and len(row) > number for row in rows):
                continue
            column = [row[number] for row in rows if row[number] is not ANY]
            elsewhere = [row[:number] + row[number + 1 :] for row in rows]
            rest = [row[:number] + row[number + 1 :] for row in wanted]
            explains = column and exercise.agrees(found, column)
            if explains and not exercise.agrees(column, right) and exercise.agrees(rest, elsewhere):
                return sentence  # a mistake in this part alone
        return ""
    return ""


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
        return stopped(found, exercise.errors, where)
    if isinstance(wanted, Raised):
        return f"{where.strip() or 'here'} an error is asked for ({wanted.kind}), but none came."
    if found is None or found is ...:
        return f"nothing comes back{where}: is there a way through your code without `return`?"
    if not fits_form(found, wanted):
        if exercise.parts:  # the tuple is the probe's, not the student's
            return (
                f"this does not fit the task{where}: {kind(found)}. {exercise.otherwise}".rstrip()
            )
        return (
            f"{form(wanted)} is wanted{where}; this is {kind(found)}. {exercise.otherwise}".rstrip()
        )
    if len(results) > 1 and all(same(other, results[0]) for other in results[1:]):
        return f"{in_words(found)} for every input of the check. {exercise.otherwise}".rstrip()
    return f"{_wrong_part(exercise, found, wanted)}{where}. {exercise.otherwise}".rstrip()


def _wrong_part(exercise: Exercise, found: Any, wanted: Any) -> str:
    """Say what is wrong: of several values the first that is."""
    parts = sequence(found) if isinstance(wanted, tuple) and len(wanted) > 1 else None
    if parts is None:
        return f"{in_words(found)} is wrong"
    pairs = zip(parts, wanted)  # noqa: B905
    position = next(i for i, pair in enumerate(pairs) if not same(*pair, exercise.tolerance))
    shown = in_words(parts[position])
    if exercise.parts:
        return f"{exercise.parts[position]} should not be {shown}"
    if exercise.probe is not apply:  # the values are the probe's, and the student returned one
        return f"the check finds {shown}, which is wrong"
    return f"value {position + 1} of {len(wanted)} should not be {shown}"
