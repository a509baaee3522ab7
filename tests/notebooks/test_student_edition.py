"""The student edition: derived, complete, and without the answers."""

import ast
import copy
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.notebooks.editions import (
    STUDENT,
    WORKED,
    each_notebook,
    gaps_of,
    pair,
    parse,
    read,
    solution_lines,
    solutions,
    visible,
)
from tools import make_exercises

#: the numbers of the exercise sheet; each stands in a heading, whatever has become of it
SHEET = {
    "I": ("1", "2.a", "2.b", "2.c", "3.a", "3.b"),
    "II": ("1.a", "1.b", "1.c", "2.a", "2.b", "2.c", "3", "4.a", "4.b", "4.c"),
    "III": ("1.a", "1.b", "1.c", "2.a", "2.b", "2.c", "2.d", "3"),
    "IV": ("1.a", "1.b", "1.c"),
    "V": ("1.a", "1.b", "1.c", "1.d", "2.a", "2.b", "3"),
    "VI": ("1.a", "1.b", "1.c", "2.a", "2.b", "2.c", "3.a", "3.b", "4"),
}

#: lines that every training or evaluation loop of the course has, so they stand elsewhere too
IDIOMS = {
    ")",
    "}",
    "return model",
    "order = torch.Generator().manual_seed(0)",
    "break",
    "wait_for_device()",
    "losses, sizes = [], []",
    "with torch.no_grad():",
    "for inputs, targets in loader:",
    "inputs, targets = inputs.to(device), targets.to(device)",
    "logits = model(inputs)",
    "model.eval()",
    "model.train()",
    "optimizer.zero_grad()",
    "loss.backward()",
    "optimizer.step()",
    "sizes.append(len(targets))",
    "return mean_loss(losses, sizes)",
    "training.train_epoch(model, train_loader, optimizer)",
    "def forward(self, points):",
    "def __len__(self):",
    "def __iter__(self):",
    "nn.init.normal_(layer.lora_B)",
    "layer.merge()",
}

#: solutions that repair code which the student sees, and so have most of its lines
MENDED = {"05-open"}

#: cells that use answers, but only after asking whether they are there
GUARDED = {"other-batches", "roc-plot"}


def test_both_editions_are_up_to_date() -> None:
    """Otherwise: make exercises."""
    assert [path.name for path in WORKED] == [path.name for path in sorted(STUDENT.glob("*"))]
    assert make_exercises.main(["--check"]) == 0


def test_every_number_of_the_sheet_stands_in_a_heading() -> None:
    texts = [cell.source for path in WORKED for cell in read(STUDENT / path.name).cells]
    headings = "\n".join(re.findall(r"^#+ .*$", "\n".join(texts), re.MULTILINE))
    numbers = [f"{chapter}.{number}" for chapter, parts in SHEET.items() for number in parts]
    missing = [
        number
        for number in numbers
        if not re.search(rf"(?<![\w.]){re.escape(number)}(?!\w)", headings)
    ]
    assert not missing


@each_notebook
def test_every_exercise_has_a_gap_and_a_check(path: Path) -> None:
    worked, student = pair(path)
    cells = {cell.id: cell for cell in student.cells}
    for stem in make_exercises.exercises_of(worked):
        assert re.fullmatch(r"check\.\w+\(.*\)", cells[f"{stem}-check"].source, re.DOTALL), stem
    for stem, cell in solutions(worked).items():
        gaps = solutions(student)[stem].source.count(make_exercises.GAP)
        assert gaps == len(gaps_of(cell)) >= 1, stem


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
        lines = set(solution_lines(cell))
        assert lines, stem
        assert not lines & {line.strip() for line in gaps[stem].source.splitlines()}, stem
        assert not lines & code - IDIOMS or stem in MENDED, stem
    assert "SOLUTION" not in nbformat.writes(student)


@each_notebook
def test_no_text_that_stands_open_shows_a_line_of_a_solution(path: Path) -> None:
    worked, student = pair(path)
    texts = [(cell.id, visible(cell)) for cell in student.cells if cell.cell_type == "markdown"]
    for stem, cell in solutions(worked).items():
        for line in solution_lines(cell):
            if len(line) > 15 and line not in IDIOMS:
                assert not [name for name, text in texts if line in text], (stem, line)


@each_notebook
def test_what_only_the_source_has_is_dropped(path: Path) -> None:
    for cell in pair(path)[1].cells:
        assert not set(make_exercises.PRIVATE) & set(cell.metadata), cell.id


@each_notebook
def test_explanations_and_pictures_in_words_are_folded_and_lead_to_the_worked_notebook(
    path: Path,
) -> None:
    for cell in pair(path)[1].cells:
        assert "*Picture" not in visible(cell), cell.id
        if cell.id.endswith(("-why", "-caption")):
            assert not visible(cell).strip(), cell.id
            assert f"(../notebooks/{path.name}#cell-id={cell.id})" in cell.source
            assert f"/notebooks/{path.name}#scrollTo={cell.id})" in cell.source


@each_notebook
def test_model_answers_are_folded_in_both_editions(path: Path) -> None:
    for notebook in pair(path):
        models = [cell for cell in notebook.cells if cell.id.endswith("-models")]
        assert not [cell.id for cell in models if "<details>" not in cell.source]


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
    for node in parse(source).body:
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


def uses_of_answers(notebook: NotebookNode) -> list[tuple[NotebookNode, set[str]]]:
    """Return the code cells that use answers, gaps and checks aside, with their exercises."""
    answers: dict[str, str] = {}
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tree = parse(cell.source)
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        used = {name.id for name in names if isinstance(name.ctx, ast.Load)}
        used -= {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)}
        used -= {name for name, kind in declared(cell.source).items() if kind == "import"}
        owners = {owner for name, owner in answers.items() if name in used}
        stem = cell.id.removesuffix("-solution")
        if not cell.id.endswith("-check") and owners - {stem}:
            found.append((cell, owners))
        for name in declared(cell.source):  # a given definition replaces an answer
            answers.pop(name, None)
        if cell.id.endswith("-solution"):
            answers |= dict.fromkeys(declared(cell.source), stem)
    return found


@each_notebook
def test_nothing_but_its_run_cell_uses_an_answer(path: Path) -> None:
    """So a gap that stays open, or a wrong answer, can break no later cell."""
    for cell, owners in uses_of_answers(read(STUDENT / path.name)):
        asks = cell.id.endswith("-yours") or cell.id in GUARDED
        assert asks or owners == {cell.id.removesuffix("-run")}, (cell.id, owners)


@each_notebook
def test_a_cell_that_uses_an_answer_asks_whether_it_is_there(path: Path) -> None:
    """It then says what is missing, instead of showing None; `Checks.passed` prints the line."""
    cells = [cell for cell, _ in uses_of_answers(read(STUDENT / path.name))]
    assert not [cell.id for cell in cells if "if check.passed(" not in cell.source]


@each_notebook
def test_with_the_solutions_put_back_it_is_the_worked_notebook(path: Path) -> None:
    """So the stored ✓ of the worked notebook are the student's, too."""
    worked, student = pair(path)
    filled = copy.deepcopy(student)
    for stem, cell in solutions(worked).items():
        solutions(filled)[stem].source = cell.source
    for cell in worked.cells:
        if not cell.id.endswith("-solution"):
            for finding, neutral in cell.metadata.get("neutral", {}).items():
                cell.source = cell.source.replace(finding, neutral)
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
