"""The student edition runs without a single answer, and each of its cells more than once."""

import copy
import re
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.editions import few_batches
from tools import run_notebooks

STUDENT = sorted((Path(__file__).resolve().parents[2] / "exercises").glob("*.ipynb"))
#: short enough to run all of their cells twice
SHORT = ("00_pytorch_primer", "01_vocabulary", "09_lora_layer")
SHOWS_A_GAP = re.compile(r"\bNone\b|Ellipsis")

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]


def printed_by(notebook: nbformat.NotebookNode, folder: Path) -> dict[str, str]:
    """Run a notebook; return what each code cell printed. The first cell that fails raises."""
    path = folder / "run.ipynb"
    few = nbformat.v4.new_code_cell(few_batches(3))  # nothing here asks how well a model learns
    notebook.cells.insert(0, few)
    nbformat.write(notebook, path)
    executed, _ = run_notebooks.execute(path)
    return {
        cell.id: "".join(output.get("text", "") for output in cell.outputs)
        for cell in executed.cells
        if cell.cell_type == "code"
    }


@pytest.mark.parametrize("path", STUDENT, ids=lambda path: path.stem)
def test_unanswered_notebook_runs_and_every_check_waits(path: Path, tmp_path: Path) -> None:
    printed = printed_by(nbformat.read(path, as_version=4), tmp_path)
    verdicts = {name: text for name, text in printed.items() if name.endswith("-check")}
    for name, text in verdicts.items():
        assert text.startswith("… "), name
        assert "waits for your answer." in text, name
        assert len(text.splitlines()) == 1, name
    assert not [name for name, text in printed.items() if "✓" in text or "✗" in text]
    if verdicts:  # in a notebook without gaps, None is an honest answer
        assert not [name for name, text in printed.items() if SHOWS_A_GAP.search(text)]
        line = " ".join(printed["progress"].split())
        assert line.startswith(f"0 of {len(verdicts)} checks pass; open: ")
        labels, _, note = line.partition(". Next: ")
        assert labels.count(",") == len(verdicts) - 1
        assert note.startswith(labels.split("open: ")[1].split(",")[0])


@pytest.mark.parametrize(
    "path", [path for path in STUDENT if path.stem in SHORT], ids=lambda path: path.stem
)
def test_every_cell_may_be_run_again_in_any_order(path: Path, tmp_path: Path) -> None:
    """From the first to the last, and back: then each cell meets what all later ones left."""
    notebook = nbformat.read(path, as_version=4)
    back = copy.deepcopy([cell for cell in notebook.cells if cell.cell_type == "code"][::-1])
    for cell in back:
        cell.id += "-again"
    notebook.cells += back
    printed = printed_by(notebook, tmp_path)
    checks = [name for name in printed if name.endswith("-check")]
    assert checks
    for name in checks:
        assert printed[f"{name}-again"] == printed[name]
