"""The student edition runs from top to bottom without a single answer, and says so kindly."""

from pathlib import Path

import pytest

from tools import run_notebooks

STUDENT = sorted((Path(__file__).resolve().parents[2] / "exercises").glob("*.ipynb"))

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]


@pytest.mark.parametrize("path", STUDENT, ids=lambda path: path.stem)
def test_unanswered_notebook_runs_and_every_check_waits(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    notebook, _ = run_notebooks.execute(copy)  # raises at the first cell that fails
    printed = {
        cell.id: "".join(output.get("text", "") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    verdicts = {name: text for name, text in printed.items() if name.endswith("-check")}
    for name, text in verdicts.items():
        assert text.startswith("… "), name
        assert "waits for your answer." in text, name
        assert len(text.splitlines()) == 1, name
    assert not [name for name, text in printed.items() if "✓" in text or "✗" in text]
    if verdicts:
        line = " ".join(printed["progress"].split())
        assert line.startswith(f"0 of {len(verdicts)} checks pass; open: ")
        labels, _, note = line.partition(". Next: ")
        assert labels.count(",") == len(verdicts) - 1
        assert note.startswith(labels.split("open: ")[1].split(",")[0])
