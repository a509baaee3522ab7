"""`make run`: progress, a book, and what happens when a cell fails."""

from pathlib import Path

import nbformat
import pytest

from tools import run_notebooks


def write(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_markdown_cell(f"# Title of {path.stem}", id="title")]
    for number, source in enumerate(sources):
        cells.append(nbformat.v4.new_code_cell(source, id=f"cell-{number}"))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def run(folder: Path, *options: str) -> int:
    return run_notebooks.main(["--folder", str(folder), "--output", str(folder / "out"), *options])


def test_a_book_is_left(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write(tmp_path / "01_one.ipynb", "print(6 * 7)")
    write(tmp_path / "02_two.ipynb", "import time; time.sleep(0.5); print('second')")
    before = (tmp_path / "01_one.ipynb").read_bytes()
    assert run(tmp_path) == 0
    book = tmp_path / "out" / "book"
    assert "42" in (book / "01_one.html").read_text(encoding="utf-8")
    front = (book / "index.html").read_text(encoding="utf-8")
    assert all(f"Title of {stem}" in front for stem in ("01_one", "02_two"))
    progress = capsys.readouterr().out
    assert "[2/2] 02_two.ipynb" in progress
    assert "cell-0" in progress
    header, *slowest = (tmp_path / "out" / "seconds.csv").read_text().splitlines()
    assert header == "notebook,cell,seconds"
    assert slowest[0].startswith("02_two,cell-0,0.")
    assert sorted(line.rsplit(",", 1)[0] for line in slowest) == ["01_one,cell-0", "02_two,cell-0"]
    assert (tmp_path / "01_one.ipynb").read_bytes() == before, "make run must not edit notebooks"


def test_a_failing_cell_stops_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write(tmp_path / "01_bad.ipynb", "good = 1", "good / 0", "print('never')")
    write(tmp_path / "02_after.ipynb", "1")
    assert run(tmp_path) == 1
    message = capsys.readouterr().err
    assert "01_bad.ipynb, cell 'cell-1'" in message
    assert "ZeroDivisionError" in message
    assert not (tmp_path / "out" / "book").exists()


def test_notebooks_side_by_side(tmp_path: Path) -> None:
    """Each waits for a file that the other one writes."""
    wait = "import pathlib, time\nfor _ in range(300):\n    time.sleep(0.1 * (not {}))\nassert {}"
    for own, other in (("01", "02"), ("02", "01")):
        there = f"pathlib.Path('{other}').exists()"
        write(tmp_path / f"{own}.ipynb", f"open('{own}', 'w').close()", wait.format(there, there))
    assert run(tmp_path, "--jobs", "2") == 0


def test_a_dead_kernel_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write(tmp_path / "01_dead.ipynb", "import os; os._exit(1)")
    assert run(tmp_path) == 1
    assert "01_dead.ipynb, cell 'cell-0'" in capsys.readouterr().err


def test_store_keeps_outputs_without_progress_bars(tmp_path: Path) -> None:
    bar = "from tqdm import tqdm\nfor i in tqdm(range(3)): pass\nprint('a', flush=True)\nprint('b')"
    path = write(tmp_path / "01_one.ipynb", bar)
    assert run(tmp_path, "--store", "01") == 0
    (cell,) = (c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
    assert [(output.name, output.text) for output in cell.outputs] == [("stdout", "a\nb\n")]
    assert cell.execution_count == 1


@pytest.mark.parametrize(("value", "code"), [(0.88, 0), (0.5, 1)])
def test_what_a_cell_expects_must_hold(value: float, code: int, tmp_path: Path, capsys) -> None:
    path = write(tmp_path / "01_one.ipynb", f"accuracy = {value}", "accuracy")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].metadata["expect"] = ["0.87 < accuracy < 0.89"]
    nbformat.write(notebook, path)
    assert run(tmp_path, "--store") == code
    stored = nbformat.read(path, as_version=4)
    assert stored.cells[1].outputs == [], "asking prints nothing"
    assert stored.cells[2].execution_count == (2 if code == 0 else None)
    said = capsys.readouterr().err
    expected = "cell 'cell-0':\nexpected: 0.87 < accuracy < 0.89\n    accuracy = 0.5\n"
    assert (expected in said) == bool(code)


def test_store_overwrites_no_change_that_was_made_meanwhile(tmp_path: Path, capsys) -> None:
    path = tmp_path / "01_one.ipynb"
    write(path, f"from pathlib import Path\nPath({str(path)!r}).write_text('edited')")
    assert run(tmp_path, "--store") == 1
    assert "changed while it ran" in capsys.readouterr().err
    assert path.read_text() == "edited"


def test_store_refuses_warnings(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = write(tmp_path / "01_one.ipynb", "import warnings; warnings.warn('take care')")
    before = path.read_bytes()
    assert run(tmp_path, "--store") == 1
    assert "take care" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_an_unknown_name_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write(tmp_path / "01_one.ipynb", "1")
    assert run(tmp_path, "07") == 2
    assert "07" in capsys.readouterr().err
