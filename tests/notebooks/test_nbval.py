"""The regression itself: what nbval must and must not let pass (see conftest.py)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

PROJECT = Path(__file__).resolve().parents[2]


def stored(
    name: str, source: str, text: str, *tags: str, expect: tuple[str, ...] = ()
) -> nbformat.NotebookNode:
    output = nbformat.v4.new_output("stream", name="stdout", text=text)
    cell = nbformat.v4.new_code_cell(source, id=name, outputs=[output], execution_count=1)
    cell.metadata["tags"] = list(tags)
    cell.metadata["expect"] = list(expect)
    return cell


CELLS = [
    stored("right", "print(1)", "1\n"),
    stored("wrong", "print(1)", "2\n"),
    stored("wrong-test-split", "print(1)", "2\n", "needs-test-split"),
    stored("wrong-ignored", "print(1)", "2\n", "nbval-ignore-output"),
    stored("bar", "import sys; print('50%|', file=sys.stderr); print(1)", "1\n"),
]
EXPECTING = [
    stored("in-band", "x, xs = 0.88, [1, 2]; print(1)", "1\n", expect=("0.8 < x < 0.9",)),
    stored("later", "print(2)", "2\n", expect=("all(0 < one < 3 for one in xs)", "len(xs) == 2")),
    stored("outside", "print(3)", "3\n", "nbval-ignore-output", expect=("x + xs[0] < 1.5",)),
    stored("error", "print(4)", "4\n", expect=("x < 1", "y < 1")),
    stored("no-data", "print(5)", "5\n", "needs-test-split", expect=("x > 1",)),
]


def outcomes(
    tmp_path: Path, data: Path, cells: list[nbformat.NotebookNode]
) -> tuple[dict[str, str], str]:
    """Run nbval on a small notebook; return the outcome of each cell, and what was printed."""
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "sample.ipynb")
    options = "-p conftest -p no:cacheprovider --nbval --nbval-current-env -rA -q"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options.split(), str(tmp_path / "sample.ipynb")],
        cwd=PROJECT,
        env={**os.environ, "COURSE_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = re.findall(r"^(PASSED|FAILED) \S*sample\.ipynb::([\w-]+)", run.stdout, re.MULTILINE)
    return {name: outcome for outcome, name in found}, run.stdout


@pytest.mark.parametrize("at_hand", [False, True])
def test_what_is_compared(tmp_path: Path, at_hand: bool) -> None:
    data = tmp_path / "data"
    (data / "imdb").mkdir(parents=True)
    if at_hand:
        (data / "imdb" / "test.csv.gz").touch()
    assert outcomes(tmp_path, data, CELLS)[0] == {
        "right": "PASSED",
        "wrong": "FAILED",
        "wrong-test-split": "FAILED" if at_hand else "PASSED",
        "wrong-ignored": "PASSED",
        "bar": "PASSED",
    }


@pytest.mark.parametrize("at_hand", [False, True])
def test_what_a_cell_expects_is_evaluated_after_it(tmp_path: Path, at_hand: bool) -> None:
    (tmp_path / "imdb").mkdir()
    if at_hand:
        (tmp_path / "imdb" / "test.csv.gz").touch()
    found, printed = outcomes(tmp_path, tmp_path, EXPECTING)
    assert found == {
        "in-band": "PASSED",
        "later": "PASSED",
        "outside": "FAILED",
        "error": "FAILED",
        "no-data": "FAILED" if at_hand else "PASSED",
    }
    assert "expected: x + xs[0] < 1.5\n    x + xs[0] = 1.88\n    x = 0.88\n" in printed
    assert "expected: y < 1\n    NameError: name 'y' is not defined" in printed
