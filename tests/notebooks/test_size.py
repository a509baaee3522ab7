"""How large a notebook may be, and how much of it the student writes."""

import ast
import re
from pathlib import Path

import pytest
from nbformat import NotebookNode

from tests.notebooks.editions import (
    each_notebook,
    gaps_of,
    parse,
    read,
    solution_lines,
    solutions,
)

MOST_CODE_CELLS = 45
MOST_WORDS = 2_800  # hints included
MOST_LINES = 40  # of a cell
LEAST_SHARE = 0.25  # of the code that the student writes; set-up and checks do not count
MOST_CHOICES = 2

#: where an assert about a number is the lesson: how the ids of those cells begin
CONTRACTS = {"09_lora_layer": "contract-"}


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def lines_of(cell: NotebookNode) -> list[str]:
    """Return the lines of a cell that are not blank, without the marks of solutions."""
    lines = [line.strip() for line in cell.source.splitlines()]
    return [line for line in lines if line and "### BEGIN" not in line and "### END" not in line]


def share_of_the_student(notebook: NotebookNode) -> float:
    """Return solutions' lines over all lines of code, set-up and checks excluded."""
    given = ("colab", "setup", "progress")
    counted = [
        cell
        for cell in code_cells(notebook)
        if cell.id not in given and not cell.id.endswith("-check")
    ]
    written = sum(len(solution_lines(cell)) for cell in counted)
    return written / sum(len(lines_of(cell)) for cell in counted)


@each_notebook
def test_a_notebook_fits_an_evening(path: Path) -> None:
    notebook = read(path)
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type != "code")
    assert words <= MOST_WORDS
    assert len(code_cells(notebook)) <= MOST_CODE_CELLS
    assert not [
        cell.id for cell in code_cells(notebook) if len(cell.source.splitlines()) > MOST_LINES
    ]


@each_notebook
def test_the_student_writes_a_good_part(path: Path) -> None:
    notebook = read(path)
    if not (cells := solutions(notebook).values()):
        return  # 08 has no exercises
    gaps = [gap for cell in cells for gap in gaps_of(cell)]
    assert share_of_the_student(notebook) >= LEAST_SHARE
    assert sum(len(gap) == 1 for gap in gaps) <= len(gaps) / 3, "gaps of one line"
    choices = [name for name, cell in solutions(notebook).items() if is_choice(cell)]
    assert len(choices) <= MOST_CHOICES, choices


def is_choice(cell: NotebookNode) -> bool:
    gaps = ["".join(gap) for gap in gaps_of(cell)]
    return any(re.fullmatch(r'\w+ = "[a-g]{1,5}"', gap) for gap in gaps)


@each_notebook
def test_one_sentence_is_to_be_remembered(path: Path) -> None:
    texts = [cell.source for cell in read(path).cells if cell.cell_type != "code"]
    assert sum(text.count("**Remember") for text in texts) <= 1


@each_notebook
def test_no_teaching_cell_asserts_a_finding(path: Path) -> None:
    """A band of a number stands in the cell's metadata, as ``expect``: there no reader sees it."""
    asserting = [
        cell.id
        for cell in code_cells(read(path))
        for node in ast.walk(parse(cell.source))
        if isinstance(node, ast.Assert) and compares_with_a_number(node)
    ]
    contract = CONTRACTS.get(path.stem, "no cell")
    assert not [name for name in asserting if not name.startswith(contract)]


def compares_with_a_number(node: ast.Assert) -> bool:
    compared = [part for part in ast.walk(node.test) if isinstance(part, ast.Compare)]
    sides = [side for part in compared for side in (part.left, *part.comparators)]
    return any(isinstance(side, ast.Constant) and _is_number(side.value) for side in sides)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@pytest.mark.parametrize(
    ("source", "about_a_number"),
    [
        ("assert 0.87 < accuracy < 0.89", True),
        ("assert all(0.5 < score for score in scores)", True),
        ("assert batch.shape == (128, 20_001)", False),
        ("assert torch.allclose(one, other, atol=1e-4)", False),
        ("assert (counts == expected).all()", False),
    ],
)
def test_a_band_is_told_from_a_contract(source: str, about_a_number: bool) -> None:
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.Assert)
    assert compares_with_a_number(node) == about_a_number


@each_notebook
def test_what_a_cell_expects_is_an_expression_about_its_names(path: Path) -> None:
    for cell in code_cells(read(path)):
        for expression in cell.metadata.get("expect", ()):
            tree = ast.parse(expression, mode="eval")
            assert any(isinstance(node, ast.Name) for node in ast.walk(tree)), cell.id
