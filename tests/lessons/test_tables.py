"""The answer checks against the tables beside this file: right, open and wrong answers."""

import importlib
import pkgutil
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch

from lessons import exercises
from lessons.exercises import Open
from tests.lessons import tables

NAMES = sorted(module.name for module in pkgutil.iter_modules(tables.__path__))
TABLES = {name: importlib.import_module(f"tests.lessons.tables.{name}") for name in NAMES}
ROOMS = sorted(path.parent.name for path in Path("lessons").resolve().glob("n*/checks.py"))
CHECKS = {
    name: check
    for room in ROOMS
    for name, check in vars(importlib.import_module(f"lessons.{room}.checks").check).items()
    if hasattr(check, "label")
}


def known(table: object, attribute: str) -> dict:
    """Return a dictionary of a table, for the checks that there are."""
    rows = getattr(table, attribute, {})
    return {check: row for check, row in rows.items() if check in CHECKS}


def cases(attribute: str) -> list:
    """Parametrise over one of the dictionaries of all tables."""
    return [
        pytest.param(CHECKS[check], answers, id=f"{name}-{check}-{number}")
        for name, table in TABLES.items()
        for check, several in known(table, attribute).items()
        for number, answers in enumerate(several)
    ]


TRAPS = [
    pytest.param(
        CHECKS[trap.check],
        trap,
        getattr(table, "SECRETS", {}).get(trap.check, ()),
        id=f"{name}-{trap.check}-{number}",
    )
    for name, table in TABLES.items()
    for number, trap in enumerate(getattr(table, "TRAPS", ()))
    if trap.check in CHECKS
]
EACH_CHECK = [
    pytest.param(CHECKS[check], several[0], id=f"{name}-{check}")
    for name, table in TABLES.items()
    for check, several in known(table, "RIGHT").items()
]


@pytest.fixture(autouse=True)
def no_open_pictures() -> None:
    yield
    plt.close("all")


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_about_checks_that_there_are(name: str) -> None:
    table = TABLES[name]
    traps = getattr(table, "TRAPS", ())
    named = {trap.check for trap in traps} | {*getattr(table, "SECRETS", ())}
    assert named | {*table.RIGHT, *getattr(table, "OPEN", ())} <= set(CHECKS)
    assert all(trap.must_say for trap in traps)
    assert "" not in [secret for row in getattr(table, "SECRETS", {}).values() for secret in row]


@pytest.mark.parametrize(("check", "answers"), cases("RIGHT"))
def test_right_answers_pass(check, answers, capsys, monkeypatch) -> None:
    monkeypatch.setattr(exercises, "STRICT", True)
    check(*answers)
    assert capsys.readouterr().out == f"✓ {check.label}\n"


@pytest.mark.parametrize(("check", "trap", "secrets"), TRAPS)
def test_wrong_answers_are_refused_with_the_likely_mistake(
    check, trap, secrets, capsys, monkeypatch
) -> None:
    check(*trap.answers)
    line = capsys.readouterr().out
    assert line.startswith(f"✗ {check.label}: ")
    assert trap.must_say in line
    assert not [secret for secret in secrets if secret in line]
    monkeypatch.setattr(exercises, "STRICT", True)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - Wrong, or the code's own error
        check(*trap.answers)
    assert not isinstance(raised.value, Open)


@pytest.mark.parametrize("blank", [None, ...], ids=["none", "ellipsis"])
@pytest.mark.parametrize(("check", "answers"), EACH_CHECK)
def test_unanswered_exercises_wait(check, answers, blank, capsys, monkeypatch) -> None:
    """A value is None or ...; a function is that, or gives it back."""
    forms = [tuple(blank for _ in answers)]
    if all(callable(answer) and not isinstance(answer, type) for answer in answers):
        forms.append(tuple(lambda *_, **__: blank for _ in answers))
    for form in forms:
        monkeypatch.setattr(exercises, "STRICT", False)
        check(*form)
        assert capsys.readouterr().out.startswith(f"… {check.label} waits for your answer.")
        monkeypatch.setattr(exercises, "STRICT", True)
        with pytest.raises(Open):
            check(*form)
        capsys.readouterr()


@pytest.mark.parametrize(("check", "answers"), cases("OPEN"))
def test_other_unanswered_forms_wait(check, answers, capsys) -> None:
    check(*answers)
    assert capsys.readouterr().out.startswith(f"… {check.label} waits for your answer.")


@pytest.mark.parametrize(("check", "answers"), EACH_CHECK)
def test_a_check_leaves_the_readers_random_numbers_alone(check, answers, capsys) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    check(*answers)
    assert torch.equal(torch.get_rng_state(), before)
