"""A small course and what students make of it: right, broken, mangled and hostile notebooks."""

import copy
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.make_exercises import derive

PROJECT = Path(__file__).resolve().parents[2]
NAME = "03_dataloader"

WRONG = {
    "03-1": "def collate(samples):\n    return 7",
    "iii-2-a": "class MyLoader:\n    def __init__(self, *given, **named): pass\n"
    "    def __len__(self): return 7\n    def order(self): return [7]\n"
    "    def __iter__(self): yield 7",
    "iii-2-c": "def shares_of_positives(loader):\n    return [7]",
    "iii-3": "def epoch_losses(losses, num_samples, batch_size):\n    return [7]",
    "03-3": 'large_batch_reason = "a"',
    "03-open": "class HalfAndHalf:\n    def __init__(self, *given): pass\n"
    "    def __len__(self): return 7\n    def __iter__(self): yield [7]",
}


def small_course(folder: Path) -> Path:
    """Copy the course with one notebook, without the cells that train; return the notebook."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("tools", "helpers", f"lessons/n{NAME}"):
        shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
    for path in (PROJECT / "lessons").glob("*.py"):
        shutil.copy(path, folder / "lessons")
    shutil.copy(PROJECT / "pyproject.toml", folder)
    notebook = nbformat.read(PROJECT / "notebooks" / f"{NAME}.ipynb", as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "markdown" or cell.id.endswith(("-solution", "-check", "progress"))
    ]
    setup = "import numpy as np\nimport torch\nfrom torch.utils.data import default_collate\n"
    setup += f"from lessons.n{NAME}.checks import check"
    notebook.cells.insert(1, nbformat.v4.new_code_cell(setup, id="setup"))
    path = folder / "notebooks" / f"{NAME}.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    return path


@dataclass
class Student:
    """What somebody hands in, and what is expected: all points or none, a reason, a look."""

    make: Callable[[Path, NotebookNode], None]
    right: bool = True
    reason: str = ""
    look: bool = False


def handed_in(change: Callable[[NotebookNode], None], name: str = f"{NAME}.ipynb") -> Callable:
    """Return what writes a changed notebook."""

    def make(folder: Path, notebook: NotebookNode) -> None:
        change(notebook)
        (folder / name).write_text(json.dumps(notebook), encoding="utf-8")

    return make


def file_of(content: bytes) -> Callable:
    """Return what writes something else."""
    return lambda folder, notebook: (folder / f"{NAME}.ipynb").write_bytes(content)


def with_cell(source: str, wrong: bool = False, before: str = "03-1-solution") -> Callable:
    """Return what hands in right or wrong answers, and a cell of one's own before a cell."""

    def change(notebook: NotebookNode) -> None:
        if wrong:
            spoil(notebook)
        place = [cell.id for cell in notebook.cells].index(before)
        notebook.cells.insert(place, nbformat.v4.new_code_cell(source))

    return handed_in(change)


def spoil(notebook: NotebookNode) -> None:
    """Put a wrong answer to every exercise."""
    for cell in notebook.cells:
        if (stem := cell.id.removesuffix("-solution")) in WRONG:
            cell.source = WRONG[stem]


def checks(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells with checks."""
    return [cell for cell in notebook.cells if cell.id.endswith("-check")]


def by_colab(notebook: NotebookNode) -> None:
    """Save as Colab does: format 4.0, its own metadata, the ids there."""
    notebook.update(nbformat_minor=0)
    notebook.metadata.update(colab={"provenance": []}, kernelspec={"name": "conda-env", "x": 1})
    for cell in notebook.cells:
        cell.metadata = {"id": cell.pop("id"), "outputId": "f3", "executionInfo": {"status": "ok"}}


def without_ids(notebook: NotebookNode) -> None:
    """Lose every id and all metadata."""
    notebook.update(nbformat_minor=4)
    for cell in notebook.cells:
        cell.pop("id")
        cell.metadata = {}


def without_ids_with_notes(notebook: NotebookNode) -> None:
    """Lose the ids, and have a cell of one's own before each solution."""
    cells = []
    for cell in notebook.cells:
        if cell.id.endswith("-solution"):
            cells.append(nbformat.v4.new_code_cell("trying = 1"))
        cells.append(cell)
    notebook.cells = cells
    without_ids(notebook)


def without_metadata(notebook: NotebookNode) -> None:
    """Lose nbgrader's metadata, and the kernel that it was for."""
    notebook.metadata = {"kernelspec": {"name": "julia-1.9", "display_name": "Julia"}}
    for cell in notebook.cells:
        cell.metadata = {}


def without_checks(notebook: NotebookNode) -> None:
    """Delete the checks."""
    notebook.cells = [cell for cell in notebook.cells if not cell.id.endswith("-check")]


def with_edited_checks(notebook: NotebookNode) -> None:
    """Let the checks say ✓."""
    spoil(notebook)
    for cell in checks(notebook):
        cell.source = f"print('✓ {cell.id}')"


def with_tags(notebook: NotebookNode) -> None:
    """Tag every check as not to be run."""
    for cell in checks(notebook):
        cell.metadata["tags"] = ["skip-execution", "raises-exception"]


def with_everything_twice(notebook: NotebookNode) -> None:
    """Paste every cell a second time."""
    notebook.cells = [copy.deepcopy(cell) for cell in notebook.cells for _ in range(2)]


def as_text(notebook: NotebookNode) -> None:
    """Turn a solution into text."""
    for cell in notebook.cells:
        if cell.id == "iii-3-solution":
            cell.update(cell_type="markdown")
            cell.pop("outputs")
            cell.pop("execution_count")


def without_a_solution(notebook: NotebookNode) -> None:
    """Delete a solution's cell, and what is near it."""
    ids = [cell.id for cell in notebook.cells]
    place = ids.index("iii-3-solution")
    del notebook.cells[place : place + 2]


def chatty(notebook: NotebookNode) -> None:
    """Let a right answer warn, and show a progress bar."""
    for cell in notebook.cells:
        if cell.id == "iii-3-solution":
            cell.source += (
                "\nimport warnings, tqdm, sys\nquiet = epoch_losses\n"
                "def epoch_losses(*given):\n    warnings.warn('beware')\n"
                "    print('a word', file=sys.stderr)\n"
                "    return [x for x in tqdm.tqdm(quiet(*given))]"
            )


def blank(notebook: NotebookNode) -> None:
    """Hand in the student edition, with tags that skip its checks."""
    notebook.update(derive(copy.deepcopy(notebook), NAME))
    with_tags(notebook)


def other_notebook(notebook: NotebookNode) -> None:
    """Hand in another notebook under this one's name."""
    notebook.cells = [nbformat.v4.new_code_cell("print('✓')") for _ in range(30)]


def twice(folder: Path, notebook: NotebookNode) -> None:
    """Hand in two notebooks."""
    for name in ("a", "b"):
        (folder / f"{NAME} ({name}).ipynb").write_text(json.dumps(notebook))


def script(notebook: NotebookNode) -> None:
    """Write a script into texts and outputs."""
    text = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    notebook.cells.append(nbformat.v4.new_markdown_cell(text))
    source = f"from IPython.display import HTML\nHTML({text!r})"
    notebook.cells.append(nbformat.v4.new_code_cell(source))


CLAIM = """
from IPython.display import display
for answer in ({"kind": "", "said": ""}, {"values": "[]"}, {"calls": '{"list": []}'}):
    display({"application/x.course-answer+json": answer}, raw=True)
"""
FORGED = """
import IPython.display
real = IPython.display.display
claim = {"application/x.course-answer+json": {"kind": "", "said": ""}}
IPython.display.display = lambda *given, **named: real(claim, raw=True)
"""
REBOUND = """
class Yes:
    def __getattr__(self, name):
        return lambda *given: print('✓', name)
check = Yes()
"""
TRANSFORMER = """
get_ipython().input_transformers_post.append(
    lambda lines: ["print('✓')\\n"] if lines[0].startswith("check.") else lines)
"""
PATCHED = """
import sys
import lessons.exercises, lessons.judging, lessons.calling, lessons.comparing
lessons.exercises.require_answer = lambda *given: None
lessons.exercises.compare = lessons.judging.judge = lambda *given: None
lessons.comparing.same = lessons.judging.same = lambda *given: True
lessons.exercises.STRICT = False
"""
ENVIRON = "import os\nos.environ.clear()"
REFERENCES = """
import importlib, glob
found = glob.glob("/**/loaders.py", recursive=True) + glob.glob("/**/*.ipynb", recursive=True)
try:
    from lessons.n03_dataloader import loaders
    found.append(loaders)
except ImportError:
    pass
if found:
    collate = found  # seen: what is expected here is nothing
    raise SystemExit
"""
FLOOD = "while True:\n    print('x' * 1_000)"
FORKS = "import os, time\nfor _ in range(300):\n    if os.fork() == 0:\n        time.sleep(60)"
HOG = "import numpy\nkept = [numpy.ones(10**8) for _ in range(100)]"
NO_END = "while True:\n    pass"
STUBBORN = f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{NO_END}"


def everybody(port: int, outside: Path) -> dict[str, Student]:
    """Return a class: names of folders, and who is behind them.

    Parameters
    ----------
    port : int
        Of a socket on this machine, which nobody may reach.
    outside : Path
        A folder that nobody may change.
    """
    reach_out = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 3).send(b'x')"
    write = f"import pathlib\npathlib.Path({str(outside / 'grace')!r}).write_text('mine')"
    return {
        "ada": Student(handed_in(lambda notebook: None)),
        "blank, skipped": Student(handed_in(blank), right=False),
        "wrong": Student(handed_in(spoil), right=False),
        "by Colab": Student(handed_in(by_colab, f"Copy_of_{NAME}.ipynb")),
        "without ids": Student(handed_in(without_ids, f"{NAME} (1).ipynb")),
        "without ids, with notes": Student(handed_in(without_ids_with_notes)),
        "without metadata": Student(handed_in(without_metadata, f"{NAME}-Copy1.ipynb")),
        "without checks": Student(handed_in(without_checks, "homework.ipynb")),
        "edited checks": Student(handed_in(with_edited_checks), right=False),
        "skipped checks": Student(handed_in(with_tags)),
        "pasted twice": Student(handed_in(with_everything_twice)),
        "as text": Student(handed_in(as_text)),
        "chatty": Student(handed_in(chatty)),
        "script": Student(handed_in(script)),
        "=1+1": Student(handed_in(lambda notebook: None)),
        "a [name]\nof two lines": Student(handed_in(lambda notebook: None)),
        "check is 5": Student(with_cell("check = 5"), look=True),
        "input": Student(with_cell("name = input()")),
        "exit": Student(with_cell("exit()")),
        "error": Student(with_cell("1 / 0")),
        "magic": Student(with_cell("%time 1\n!ls /\n%matplotlib inline")),
        "environ, right": Student(with_cell(ENVIRON), look=True),
        "environ, wrong": Student(with_cell(ENVIRON, wrong=True), right=False, look=True),
        "patched, right": Student(with_cell(PATCHED), look=True),
        "patched, wrong": Student(with_cell(PATCHED, wrong=True), right=False, look=True),
        "rebound, right": Student(with_cell(REBOUND), look=True),
        "rebound, wrong": Student(with_cell(REBOUND, wrong=True), right=False, look=True),
        "transformer, right": Student(with_cell(TRANSFORMER), look=True),
        "transformer, wrong": Student(with_cell(TRANSFORMER, wrong=True), right=False, look=True),
        "claims": Student(with_cell(CLAIM, wrong=True), right=False, look=True),
        "forged": Student(with_cell(FORGED, wrong=True), right=False, look=True),
        "references": Student(with_cell(REFERENCES), look=True),
        "network": Student(with_cell(reach_out), look=True),
        "neighbour": Student(with_cell(write)),
        "flood": Student(with_cell(FLOOD)),
        "100 MB": Student(with_cell("for _ in range(100):\n    print('x' * 1_000_000)")),
        "no end": Student(with_cell(NO_END)),
        "hog": Student(with_cell(HOG)),
        "stubborn": Student(with_cell(STUBBORN, before="iii-3-solution"), False, "not stop"),
        "forks": Student(with_cell(FORKS, before="iii-3-solution"), False, "processes", True),
        "killed": Student(
            with_cell("import os\nos._exit(0)", before="03-1-solution"), False, "ended", True
        ),
        "without a solution": Student(handed_in(without_a_solution), False, "missing"),
        "another": Student(handed_in(other_notebook), False, "another notebook"),
        "empty": Student(file_of(b""), False, "no notebook"),
        "not JSON": Student(file_of(b"def collate(): ..."), False, "no notebook"),
        "UTF-16": Student(file_of("{}".encode("utf-16")), False, "UTF-8"),
        "conflict": Student(file_of(b"{\n<<<<<<< HEAD\n}"), False, "merge conflict"),
        "format 5": Student(file_of(b'{"nbformat": 5, "cells": []}'), False, "format 4"),
        "deep": Student(file_of(b'{"cells":' + b"[" * 100_000), False, "no notebook"),
        "FIFO": Student(lambda folder, _: os.mkfifo(folder / f"{NAME}.ipynb"), False, "no file"),
        "folder": Student(lambda folder, _: (folder / f"{NAME}.ipynb").mkdir(), False, "no file"),
        "link": Student(
            lambda folder, _: (folder / f"{NAME}.ipynb").symlink_to("/etc/passwd"), False, "a link"
        ),
        "two": Student(twice, False, "which one"),
        "none": Student(lambda folder, _: None, False, "not handed in"),
    }
