"""The last line of a notebook."""

import sys
import types

import pytest

from lessons.exercises import Checks
from lessons.progress import report


@pytest.mark.parametrize(
    ("verdicts", "lines"),
    [
        ("✓✓✓", ["3 of 3 checks pass."]),
        ("✓…✗", ["1 of 3 checks pass; wrong: A.3; open: A.2.", "Next: A.2, above."]),
        ("✗……", ["0 of 3 checks pass; wrong: A.1; open: A.2, A.3.", "Next: A.1, above."]),
    ],
)
def test_what_is_solved_and_what_comes_next(verdicts: str, lines: list[str]) -> None:
    said = report({f"A.{number}": verdict for number, verdict in enumerate(verdicts, start=1)})
    found = said.splitlines()
    assert found[0] == lines[0]
    assert [line.split(" When the")[0] for line in found[1:]] == lines[1:]


def test_on_colab_it_reminds_to_save_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Save a copy" not in report({"A.1": "✓"})
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    first, second = report({"A.1": "✓"}).splitlines()
    assert first == "1 of 1 checks pass."
    assert "File → Save a copy in Drive" in second


def test_many_labels_wrap_at_a_hundred_columns() -> None:
    said = report({f"XII.{number}.a": "…" for number in range(30)})
    assert max(map(len, said.splitlines())) <= 100


def test_the_checks_of_a_notebook_report_their_latest_verdicts(capsys) -> None:
    check = Checks()
    check.exercise("A.1", 3)
    check.exercise("A.2", 4)
    check.a_1(3)
    check.a_2(5)
    capsys.readouterr()
    check.progress()
    assert capsys.readouterr().out.startswith("1 of 2 checks pass; wrong: A.2.\nNext: A.2, above.")


def test_a_cell_that_needs_answers_says_which_are_missing(capsys) -> None:
    check = Checks()
    for label in ("A.1", "A.2", "A.3"):
        check.exercise(label, 3)
    check.a_1(3)
    check.a_2(4)
    capsys.readouterr()
    assert check.passed("A.1")
    assert capsys.readouterr().out == ""
    assert not check.passed("A.1", "A.2", "A.3")
    assert capsys.readouterr().out == "(This cell goes on with your answer to A.2 and A.3.)\n"
