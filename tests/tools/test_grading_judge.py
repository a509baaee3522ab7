"""The judge apart from the student: the same verdicts, with nothing but data in between."""

import json
import pickle
import sys
import types
from pathlib import Path

import cloudpickle
import nbformat
import numpy as np
import pytest
import torch

from lessons.calling import Call, Raised, call
from lessons.exercises import Checks
from tools.grading import judge, sandbox, wire

PROJECT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.parent.name[1:] for path in PROJECT.glob("lessons/n*/checks.py"))
each_notebook = pytest.mark.parametrize("name", NAMES)


def loads(task: bytes) -> types.SimpleNamespace:
    """Unpickle a task as another process would: classes made anew, not the rooms' own changed."""
    cloudpickle.cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID.clear()
    return types.SimpleNamespace(**pickle.loads(task))


def checks_of(name: str) -> Checks:
    check = judge.checks_of(name)
    for module in [part for key, part in sys.modules.items() if judge.is_of_a_room(key)]:
        cloudpickle.register_pickle_by_value(module)
    return check


@pytest.mark.long
@each_notebook
def test_the_verdicts_are_those_of_the_notebook(name: str) -> None:
    check = checks_of(name)
    for label in check.verdicts:
        needed = loads(judge.task(check, label))
        if not hasattr(needed, "inputs"):
            continue
        exercise = check.exercises[label]
        right = (f"✓ {label}", exercise.reference)
        for line, answer in (
            right,
            *((f"✗ {label}: {one[0]}", one[1]) for one in exercise.mistakes),
        ):
            calls = wire.pack(call(answer, needed.inputs, needed.probe, needed.twice))
            found = judge.verdict(check, label, {"calls": calls})
            assert found[0] == line[0], (label, found)
            assert found == line.splitlines()[-1] or '"foreign"' in calls, label


@each_notebook
def test_a_task_holds_neither_the_reference_nor_a_mistake(name: str) -> None:
    check = checks_of(name)
    for label, exercise in check.exercises.items():
        handed_over = {*judge.reached([exercise.inputs, exercise.probe])}
        answers = [exercise.reference, *(one[1] for one in exercise.mistakes)]
        shared = {code.co_name for code in {*judge.reached(answers)} & handed_over}
        solutions = {part.__code__ for part in answers if isinstance(part, types.FunctionType)}
        assert not solutions & handed_over, (label, shared)


@each_notebook
def test_the_copy_of_the_course_has_no_checks(name: str, tmp_path: Path) -> None:
    path = PROJECT / "notebooks" / f"{name}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    sandbox.copy_course(path, sources, tmp_path / "course")
    room = tmp_path / "course" / "lessons" / f"n{name}"
    assert (room / "checks.py").read_text() == sandbox.STUB
    for file in room.rglob("*.py"):
        assert "check.exercise(" not in file.read_text(encoding="utf-8")
    assert [path.name for path in room.parent.glob("n*")] == [room.name]
    assert not [*(tmp_path / "course").rglob("*.ipynb")]


VALUES = [
    *(None, ..., True, 3, 2.5, float("nan"), "ä", (1, [2, {3}]), {"a": frozenset({1}), 2: ()}),
    *(torch.arange(6).reshape(2, 3).T, torch.tensor(1.5, dtype=torch.bfloat16), torch.empty(0, 3)),
    *(torch.tensor([True, False]), torch.tensor([1 + 2j]), np.arange(4.0)[::2], np.float32(2)),
    *(Raised("ValueError", "no", "line 3"), Call(1, 2, (0,), ("grad",), "said")),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_come_back_as_they_were(value: object) -> None:
    found = wire.unpack(wire.pack(value))
    if isinstance(value, torch.Tensor):
        assert (found.dtype, found.shape) == (value.dtype, value.shape)
        assert torch.equal(found, value)
    elif isinstance(value, np.ndarray | np.generic):
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found, value)
    else:
        assert repr(found) == repr(value)


@pytest.mark.parametrize("layout", [torch.sparse_csr, torch.sparse_coo])
def test_sparse_tensors_stay_sparse(layout: torch.layout) -> None:
    value = torch.eye(3)[:2].to_sparse(layout=layout)
    found = wire.unpack(wire.pack(value))
    assert found.layout == layout
    assert torch.equal(found.to_dense(), value.to_dense())


class Hostile:
    """Anything but data."""

    def __reduce__(self) -> tuple:
        return exec, ("raise SystemExit",)

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


class Liar(int):
    """A number that says that it equals all others."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


def test_an_object_that_equals_everything_equals_nothing() -> None:
    check = checks_of("03_dataloader")
    inputs = len(check.exercises["III.2.a"].inputs)
    for lie in (Hostile(), Liar(7), torch.nn.Linear(1, 1)):
        answer = {"calls": wire.pack([Call(lie, lie)] * inputs)}
        assert judge.verdict(check, "III.2.a", answer)[0] == "✗"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"coo": [[10**6, 10**6], {"list": []}, {"list": []}]}),
        json.dumps({"tensor": ["float32", [10**9], ""]}),
        json.dumps({"tensor": ["load", [1], "AAAA"]}),
        json.dumps({"array": ["O", [1], "AAAAAAAAAAA="]}),
        json.dumps({"Call": [1, 2, {"tuple": ["x"]}, {"tuple": []}, ""]}),
        json.dumps({"Raised": [1, 2, 3]}),
        json.dumps({"eval": ["1"]}),
        json.dumps([1]),
        "[" * 100_000,
        "",
    ],
)
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError, LookupError, AttributeError, RecursionError)):
        wire.unpack(text)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"kind": "", "said": ""},
        {"calls": '{"list": []}'},
        {"values": '{"tuple": []}'},
        {"kind": "Wrong", "said": "✓ III.2.a"},
    ],
)
def test_no_claim_makes_an_answer_right(answer: dict) -> None:
    check = checks_of("03_dataloader")
    for label in ("III.2.a", "03.3"):
        try:
            found = judge.verdict(check, label, answer)
        except Exception:  # refused, which makes it wrong
            continue
        assert found[0] in "✗…", found
