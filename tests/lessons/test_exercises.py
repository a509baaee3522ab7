"""Every exercise as data: the reference passes, each mistake gets its own sentence.

What is tested here is generated from the data in the rooms; the runner itself is tested by
test_runner.py.
"""

import importlib
import re
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest

from lessons import exercises
from lessons.comparing import ANY
from lessons.exercises import Checks
from lessons.judging import Exercise

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = sorted(path.parent.name for path in (PROJECT / "lessons").glob("n*/checks.py"))
CHECKS: dict[str, Checks] = {
    room: importlib.import_module(f"lessons.{room}.checks").check for room in ROOMS
}
ALL = [(room, exercise) for room in ROOMS for exercise in CHECKS[room].exercises.values()]
MISTAKES = [
    pytest.param(room, exercise, position, id=f"{room[:3]}-{exercise.label}-{position}")
    for room, exercise in ALL
    for position in range(len(exercise.mistakes))
]
each_exercise = pytest.mark.parametrize(
    ("room", "exercise"), ALL, ids=[f"{room[:3]}-{exercise.label}" for room, exercise in ALL]
)
each_room = pytest.mark.parametrize("room", ROOMS)


@pytest.fixture(autouse=True)
def no_open_pictures():
    yield
    plt.close("all")


def hand_in(room: str, exercise: Exercise, answer: object) -> None:
    """Call the check as a notebook does."""
    check = getattr(CHECKS[room], exercises.attribute(exercise.label))
    several = exercise.is_value and isinstance(exercise.reference, tuple)
    check(*answer) if several else check(answer)


def filled(exercise: Exercise, wrong: object) -> object:
    """Replace `ANY` in a wrong answer by what the reference has there."""
    if isinstance(wrong, tuple) and any(part is ANY for part in wrong):
        pairs = zip(wrong, exercise.reference, strict=True)
        return tuple(right if part is ANY else part for part, right in pairs)
    return wrong


@each_exercise
def test_the_reference_passes(room, exercise, capsys) -> None:
    hand_in(room, exercise, exercise.reference)
    assert capsys.readouterr().out.splitlines()[-1] == f"✓ {exercise.label}"


@each_exercise
def test_there_are_mistakes(room, exercise) -> None:
    assert len(exercise.mistakes) >= 2 or exercise.errors


@pytest.mark.parametrize(("room", "exercise", "position"), MISTAKES)
def test_each_mistake_is_refused_with_its_own_sentence(room, exercise, position, capsys) -> None:
    sentence, wrong, *_ = exercise.mistakes[position]
    hand_in(room, exercise, filled(exercise, wrong))
    assert capsys.readouterr().out.splitlines()[-1] == f"✗ {exercise.label}: {sentence}"


@each_exercise
def test_no_two_mistakes_look_alike(room, exercise) -> None:
    """Two wrong functions with the same results everywhere could not be told apart."""
    told_by_results = [
        (sentence, exercise.results(filled(exercise, wrong)))
        for sentence, wrong, *when in exercise.mistakes
        if not when
    ]
    for (one, first), (other, second) in combinations(told_by_results, 2):
        assert one == other or not exercise.agrees(first, second), (one, other)


@each_exercise
def test_one_input_would_not_be_enough(room, exercise) -> None:
    """A function that gives the right result of the first input for all inputs is refused."""
    if exercise.is_value:
        return
    assert not exercise.agrees([exercise.expected[0]] * len(exercise.inputs), exercise.expected)


# --- no sentence gives the answer away ------------------------------------------------------


def notebook(room: str) -> nbformat.NotebookNode:
    return nbformat.read(PROJECT / "notebooks" / f"{room[1:]}.ipynb", as_version=4)


def sentences(exercise: Exercise) -> list[str]:
    said = [sentence for sentence, *_ in exercise.mistakes]
    return [*said, exercise.otherwise, *exercise.errors.values()]


def stem(label: str) -> str:
    return re.sub(r"\W+", "-", label.lower()).strip("-")


@each_room
def test_no_sentence_contains_a_line_of_a_solution(room) -> None:
    cells = {cell.id: cell.source for cell in notebook(room).cells}
    for exercise in CHECKS[room].exercises.values():
        source = cells.get(f"{stem(exercise.label)}-solution", "")
        inside = "".join(re.findall(r"### BEGIN SOLUTION\n(.*?)### END", source, re.DOTALL))
        lines = [line.strip().removeprefix("return ") for line in inside.splitlines()]
        for line in (line for line in lines if len(line) > 12):
            assert not [said for said in sentences(exercise) if line in said], line


@each_room
def test_no_sentence_contains_the_result_of_the_notebook(room) -> None:
    """Numbers of four digits or more that the cell below the check prints."""
    cells = {cell.id: cell for cell in notebook(room).cells}
    for exercise in CHECKS[room].exercises.values():
        outputs = cells.get(f"{stem(exercise.label)}-run", {}).get("outputs", [])
        printed = " ".join("".join(output.get("text", "")) for output in outputs)
        results = {found.replace(",", "") for found in re.findall(r"\d[\d,.]{3,}\d", printed)}
        for said in sentences(exercise):
            numbers = {found.replace(",", "") for found in re.findall(r"\d[\d,.]*\d", said)}
            assert not numbers & results, (exercise.label, said)
