"""The regression itself: what nbval must and must not let pass (see conftest.py)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

PROJECT = Path(__file__).resolve().parents[2]


def stored(name: str, source: str, text: str, *tags: str) -> nbformat.NotebookNode:
    output = nbformat.v4.new_output("stream", name="stdout", text=text)
    cell = nbformat.v4.new_code_cell(source, id=name, outputs=[output], execution_count=1)
    cell.metadata["tags"] = list(tags)
    return cell


def outcomes(tmp_path: Path, data: Path) -> dict[str, str]:
    """Run nbval on a small notebook; return the outcome of each cell."""
    cells = [
        stored("right", "print(1)", "1\n"),
        stored("wrong", "print(1)", "2\n"),
        stored("wrong-test-split", "print(1)", "2\n", "needs-test-split"),
        stored("wrong-ignored", "print(1)", "2\n", "nbval-ignore-output"),
        stored("bar", "import sys; print('50%|', file=sys.stderr); print(1)", "1\n"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "sample.ipynb")
    options = "-p conftest -p no:cacheprovider --nbval --nbval-current-env -rA --tb=no -q"
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
    return {name: outcome for outcome, name in found}


@pytest.mark.parametrize("at_hand", [False, True])
def test_what_is_compared(tmp_path: Path, at_hand: bool) -> None:
    data = tmp_path / "data"
    (data / "imdb").mkdir(parents=True)
    if at_hand:
        (data / "imdb" / "test.csv.gz").touch()
    assert outcomes(tmp_path, data) == {
        "right": "PASSED",
        "wrong": "FAILED",
        "wrong-test-split": "FAILED" if at_hand else "PASSED",
        "wrong-ignored": "PASSED",
        "bar": "PASSED",
    }
