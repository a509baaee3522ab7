"""What the tests of both editions share: where they are, and what a reader sees of a cell."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

PROJECT = Path(__file__).resolve().parents[2]
WORKED = sorted((PROJECT / "notebooks").glob("*.ipynb"))
STUDENT = PROJECT / "exercises"

#: a box that opens on a click, with no other in it
DETAILS = re.compile(r"<details>(?:(?!<details>).)*?</details>", re.DOTALL)
REGION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)

each_notebook = pytest.mark.parametrize("path", WORKED, ids=lambda path: path.stem)


def few_batches(count: int) -> str:
    """Return code that, put before a notebook, leaves `count` batches of every loader; 0: all."""
    return f"""
import itertools
from torch.utils.data import DataLoader
whole = DataLoader.__iter__
DataLoader.__iter__ = lambda loader: itertools.islice(whole(loader), {count or None})
"""


def read(path: Path) -> NotebookNode:
    """Return a notebook."""
    return nbformat.read(path, as_version=4)


def pair(path: Path) -> tuple[NotebookNode, NotebookNode]:
    """Return both editions of a notebook, the worked one first."""
    return read(path), read(STUDENT / path.name)


def solutions(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the cells with solutions, or with gaps, by the stems of their ids."""
    return {
        cell.id.removesuffix("-solution"): cell
        for cell in notebook.cells
        if cell.id.endswith("-solution")
    }


def gaps_of(cell: NotebookNode) -> list[list[str]]:
    """Return the lines, not blank, of each solution in a cell."""
    return [
        [line.strip() for line in region.splitlines() if line.strip()]
        for region in REGION.findall(cell.source)
    ]


def solution_lines(cell: NotebookNode) -> list[str]:
    """Return the lines, not blank, of all solutions in a cell."""
    return [line for gap in gaps_of(cell) for line in gap]


def visible(cell: NotebookNode) -> str:
    """Return what a reader sees of a cell's source before opening anything."""
    if cell.cell_type == "code":
        folded = cell.metadata.get("jupyter", {}).get("source_hidden")
        return "" if folded else cell.source
    text, boxes = cell.source, 1
    while boxes:
        text, boxes = DETAILS.subn("", text)
    return text


def parse(source: str) -> ast.Module:
    """Return the syntax tree of a code cell."""
    return ast.parse(TransformerManager().transform_cell(source))


def has_words(words: str, text: str) -> bool:
    """Whether words or a number stand in a text by themselves: 0.31 does not stand in 10.313."""
    return bool(re.search(rf"(?<![\w.])(?<!\d,){re.escape(words)}(?!\w|[.,]\d)", text, re.I))
