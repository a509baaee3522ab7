"""The student edition: derived, complete, and without the answers."""

import ast
import copy
import re
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from tools import make_exercises

PROJECT = Path(__file__).resolve().parents[2]
WORKED = sorted((PROJECT / "notebooks").glob("*.ipynb"))
STUDENT = PROJECT / "exercises"

#: the numbers of the exercise sheet; an exercise in parts has its number before each part
SHEET = [
    "i-1",
    "i-2-a",
    "i-2-b",
    "i-2-c",
    "i-3-a",
    "i-3-b",
    "ii-4-a",
    "ii-4-b",
    "ii-1-a",
    "ii-1-b",
    "ii-1-c",
    "ii-2-a",
    "ii-2-b",
    "ii-2-c",
    "ii-3",
    "ii-4-c",
    "iii-1-a",
    "iii-1-b",
    "iii-1-c",
    "iii-2-a",
    "iii-2-b",
    "iii-2-c",
    "iii-2-d",
    "iii-3",
    "iv-1-a",
    "iv-1-b",
    "iv-1-c",
    "v-1-a",
    "v-1-b",
    "v-1-c",
    "v-1-d",
    "v-2-a",
    "v-2-b",
    "v-3",
    "vi-1-a",
    "vi-1-b",
    "vi-1-c",
    "vi-2-a",
    "vi-2-b",
    "vi-2-c",
    "vi-3-a",
    "vi-3-b",
    "vi-4",
]

#: lines that every training or evaluation loop of the course has, so they stand elsewhere too
IDIOMS = {
    ")",
    "break",
    "wait_for_device()",
    "losses, sizes = [], []",
    "with torch.no_grad():",
    "for inputs, targets in loader:",
    "inputs, targets = inputs.to(device), targets.to(device)",
    "logits = model(inputs)",
    "model.eval()",
    "optimizer.zero_grad()",
    "loss.backward()",
    "optimizer.step()",
    "sizes.append(len(targets))",
    "return mean_loss(losses, sizes)",
    "training.train_epoch(model, train_loader, optimizer)",
    "def forward(self, points):",
    "nn.init.normal_(layer.lora_B)",
    "layer.merge()",
}

#: cells that use answers, but only after asking whether they are there
GUARDED = {"other-batches"}

each_notebook = pytest.mark.parametrize("path", WORKED, ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def pair(path: Path) -> tuple[NotebookNode, NotebookNode]:
    return read(path), read(STUDENT / path.name)


def solutions(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {
        cell.id.removesuffix("-solution"): cell
        for cell in notebook.cells
        if cell.id.endswith("-solution")
    }


def solution_lines(cell: NotebookNode) -> list[str]:
    regions = cell.source.split("### BEGIN SOLUTION\n")[1:]
    inside = "".join(region.split("### END SOLUTION")[0] for region in regions)
    return [line.strip() for line in inside.splitlines() if line.strip()]


def test_both_editions_are_up_to_date() -> None:
    """Otherwise: make exercises."""
    assert [path.name for path in WORKED] == [path.name for path in sorted(STUDENT.glob("*"))]
    assert make_exercises.main(["--check"]) == 0


def test_every_exercise_of_the_sheet_has_a_gap_and_a_check() -> None:
    cells = {cell.id: cell for path in WORKED for cell in read(STUDENT / path.name).cells}
    for number in SHEET:
        parts = [
            stem
            for stem in (name.removesuffix("-check") for name in cells if name.endswith("-check"))
            if stem == number or stem.startswith(f"{number}-")
        ]
        assert parts, number
        for stem in parts:
            if f"{stem}-solution" in cells:  # else its gap is in a class, with another exercise's
                assert make_exercises.GAP in cells[f"{stem}-solution"].source, stem
            assert "check." in cells[f"{stem}-check"].source, stem


@each_notebook
def test_no_solution_survives(path: Path) -> None:
    worked, student = pair(path)
    gaps = solutions(student)
    code = {
        line.strip()
        for cell in student.cells
        if cell.cell_type == "code"
        for line in cell.source.splitlines()
    }
    for stem, cell in solutions(worked).items():
        lines = solution_lines(cell)
        assert lines, stem
        gap = [line.strip() for line in gaps[stem].source.splitlines()]
        assert gap.count(make_exercises.GAP) == cell.source.count("### BEGIN SOLUTION")
        assert not set(lines) & set(gap), stem
        assert not set(lines) & code - IDIOMS, stem
    assert "SOLUTION" not in nbformat.writes(student)


@each_notebook
def test_no_text_that_stands_open_shows_a_line_of_a_solution(path: Path) -> None:
    worked, student = pair(path)
    texts = [
        cell
        for cell in student.cells
        if cell.cell_type == "markdown" and not cell.source.startswith("<details>")
    ]
    for stem, cell in solutions(worked).items():
        for line in solution_lines(cell):
            if len(line) > 15 and line not in IDIOMS:
                assert not [text.id for text in texts if line in text.source], (stem, line)


@each_notebook
def test_gaps_keep_the_names_and_signatures_of_the_solutions(path: Path) -> None:
    worked, student = pair(path)
    gaps = solutions(student)
    for stem, cell in solutions(worked).items():
        names = declared(cell.source, documented=True)
        assert names, stem
        assert declared(gaps[stem].source, documented=True) == names, stem


def declared(source: str, documented: bool = False) -> dict[str, str]:
    """Top-level names of a cell: functions with arguments, classes with bases, values."""
    names = {}
    for node in ast.parse(TransformerManager().transform_cell(source)).body:
        if isinstance(node, ast.FunctionDef):
            names[node.name] = ast.unparse(node.args)
            assert not documented or ast.get_docstring(node), node.name
        elif isinstance(node, ast.ClassDef):
            names[node.name] = " ".join(map(ast.unparse, node.bases))
            assert not documented or ast.get_docstring(node), node.name
        elif isinstance(node, ast.Assign):
            stored = [name for target in node.targets for name in ast.walk(target)]
            names |= {name.id: "value" for name in stored if isinstance(name, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: "import" for alias in node.names}
    return names


@each_notebook
def test_nothing_but_its_run_cell_uses_an_answer(path: Path) -> None:
    """So a gap that stays open, or a wrong answer, can break no later cell."""
    answers: dict[str, str] = {}
    for cell in read(STUDENT / path.name).cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(TransformerManager().transform_cell(cell.source))
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        used = {name.id for name in names if isinstance(name.ctx, ast.Load)}
        used -= {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)}
        used -= {name for name, kind in declared(cell.source).items() if kind == "import"}
        stem = cell.id.removesuffix("-check").removesuffix("-run")
        theirs = {name: owner for name, owner in answers.items() if name in used}
        guarded = cell.id in GUARDED or (cell.id.endswith("-yours") and "passed(" in cell.source)
        is_check = cell.id.endswith("-check")  # of one method of a class
        assert set(theirs.values()) <= {stem} or guarded or is_check, (cell.id, theirs)
        for name in declared(cell.source):  # a given definition replaces an answer
            answers.pop(name, None)
        if cell.id.endswith("-solution"):
            stem = cell.id.removesuffix("-solution")
            answers |= dict.fromkeys(declared(cell.source), stem)


@each_notebook
def test_with_the_solutions_put_back_it_is_the_worked_notebook(path: Path) -> None:
    """So the stored ✓ of the worked notebook are the student's, too."""
    worked, student = pair(path)
    filled = copy.deepcopy(student)
    for stem, cell in solutions(worked).items():
        solutions(filled)[stem].source = cell.source
    code = [
        [(cell.id, cell.source) for cell in notebook.cells if cell.cell_type == "code"]
        for notebook in (worked, filled)
    ]
    assert code[0] == code[1]


@each_notebook
def test_every_check_passes_in_the_worked_notebook(path: Path) -> None:
    notebook = read(path)
    cells = {cell.id: cell for cell in notebook.cells}
    stems = make_exercises.exercises_of(notebook)
    for stem in stems:
        cell = cells[f"{stem}-check"]
        printed = "".join(output.get("text", "") for output in cell.outputs)
        assert re.fullmatch(r"(.*\n)*✓ \S+( \(2\))?\n", printed), stem
        assert not cell.metadata.get("tags"), f"{stem}: nbval must compare the verdict"
    if stems:
        (output,) = cells["progress"].outputs
        assert output.text == f"{len(stems)} of {len(stems)} checks pass.\n"
        assert not cells["progress"].metadata.get("tags")


@each_notebook
def test_the_student_edition_has_no_outputs(path: Path) -> None:
    for cell in read(STUDENT / path.name).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@each_notebook
def test_points_are_stars(path: Path) -> None:
    notebook = read(path)
    marks = {cell.id: cell.metadata.get("nbgrader") for cell in notebook.cells}
    points = make_exercises.exercises_of(notebook)
    assert {name: mark["points"] for name, mark in marks.items() if mark and mark["grade"]} == {
        f"{stem}-check": stars for stem, stars in points.items()
    }
    assert set(points.values()) <= {1, 2, 3}


# --- the generator -----------------------------------------------------------------------


def small(
    *, solution: str = "### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
) -> NotebookNode:
    cells = [
        nbformat.v4.new_markdown_cell("# A title", id="title"),
        nbformat.v4.new_markdown_cell("### A.1 · Do it\n*★★☆ · 5 minutes*", id="a-1-task"),
        nbformat.v4.new_code_cell(
            f'def f():\n    """Return one."""\n    {solution}', id="a-1-solution"
        ),
        nbformat.v4.new_code_cell("check.a_1(f)", id="a-1-check"),
        nbformat.v4.new_code_cell("f()", id="a-1-run"),
        nbformat.v4.new_markdown_cell("It is one.", id="a-1-why"),
        nbformat.v4.new_markdown_cell("Not of an exercise.", id="b-why"),
    ]
    cells[3].outputs = [nbformat.v4.new_output("stream", text="✓ A.1\n")]
    return nbformat.v4.new_notebook(cells=cells)


def test_a_solution_becomes_a_gap_and_the_explanation_is_folded() -> None:
    cells = {cell.id: cell for cell in make_exercises.derive(small()).cells}
    assert (
        cells["a-1-solution"].source == 'def f():\n    """Return one."""\n    # Your answer here.'
    )
    assert cells["a-1-check"].outputs == []
    assert cells["a-1-why"].source.startswith("<details><summary>")
    assert "\n\nIt is one.\n\n</details>" in cells["a-1-why"].source
    assert cells["b-why"].source == "Not of an exercise."
    assert cells["a-1-run"].metadata.jupyter == {"source_hidden": True}
    assert "jupyter" not in cells["a-1-check"].metadata
    assert "how" in cells
    assert cells["a-1-check"].metadata.nbgrader["points"] == 2


def test_what_stands_before_the_check_is_not_folded() -> None:
    notebook = small()
    notebook.cells.insert(1, notebook.cells.pop())
    notebook.cells[1].id = "a-1-why"
    notebook.cells[-1].id = "c-why"
    assert not [
        x for x in make_exercises.derive(notebook).cells if x.source.startswith("<details>")
    ]


def test_a_solution_without_an_end_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="end"):
        make_exercises.derive(small(solution="### BEGIN SOLUTION\n    return 1"))


@pytest.mark.parametrize(("lost", "words"), [("a-1-check", "no cell a-1-check"), ("a-1-task", "★")])
def test_an_exercise_without_check_or_stars_is_an_error(lost: str, words: str) -> None:
    notebook = small()
    notebook.cells = [cell for cell in notebook.cells if cell.id != lost]
    with pytest.raises(ValueError, match=words):
        make_exercises.derive(notebook)


def test_writing_renews_removes_and_then_rests(tmp_path: Path, capsys) -> None:
    source, target = tmp_path / "notebooks", tmp_path / "exercises"
    source.mkdir()
    target.mkdir()
    nbformat.write(small(), source / "a.ipynb")
    (target / "old.ipynb").write_text("{}")
    call = ["--source", str(source), "--target", str(target)]
    assert make_exercises.main([*call, "--check"]) == 1
    assert "old.ipynb is out of date" in capsys.readouterr().err
    assert make_exercises.main(call) == 0
    assert [path.name for path in target.iterdir()] == ["a.ipynb"]
    assert make_exercises.main([*call, "--check"]) == 0
    (target / "a.ipynb").write_text("{}")
    assert make_exercises.main([*call, "--check"]) == 1
