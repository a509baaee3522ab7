"""Grading with nbgrader: a blank, a worked and a mistaken submission, really graded."""

from pathlib import Path

import nbformat
import pytest

from tools import grade
from tools.make_exercises import exercises_of

PROJECT = Path(__file__).resolve().parents[2]
NAME = "00_pytorch_primer"
POINTS = exercises_of(nbformat.read(PROJECT / "notebooks" / f"{NAME}.ipynb", as_version=4))

#: exercise, what stands in the worked cell, what this student wrote instead
MISTAKES = [
    ("00-4", 'in_place = "c"', 'in_place = "a"'),
    ("00-5", "db = 2 * du", "db = du"),
    ("00-6", "        w.grad.zero_()\n", ""),
]


def submission(folder: Path, student: str, edition: str) -> Path:
    path = folder / student / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes((PROJECT / edition / path.name).read_bytes())
    return path


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_points_are_lost_where_the_mistakes_are_and_nowhere_else(tmp_path: Path, capsys) -> None:
    submission(tmp_path / "in", "blank", "exercises")
    submission(tmp_path / "in", "worked", "notebooks")
    path = submission(tmp_path / "in", "mistaken", "notebooks")
    notebook = nbformat.read(path, as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    for stem, right, wrong in MISTAKES:
        assert right in cells[f"{stem}-solution"].source
        cells[f"{stem}-solution"].source = cells[f"{stem}-solution"].source.replace(right, wrong)
    cells["00-4-check"].source = "print('✓ 00.4')"  # a check edited away does not help
    nbformat.write(notebook, path)

    assert grade.main([NAME, str(tmp_path / "in"), "--output", str(tmp_path / "out")]) == 0
    header, *rows = (tmp_path / "out" / f"{NAME}.csv").read_text(encoding="utf-8").splitlines()
    assert header.split(",") == ["student", "points", *POINTS]
    graded = {row.split(",")[0]: [float(value) for value in row.split(",")[1:]] for row in rows}
    full = [float(points) for points in POINTS.values()]
    missed = [0.0 if stem in {stem for stem, *_ in MISTAKES} else POINTS[stem] for stem in POINTS]
    assert graded["(full marks)"] == [sum(full), *full]
    assert graded["worked"] == [sum(full), *full]
    assert graded["blank"] == [0.0] * (len(full) + 1)
    assert graded["mistaken"] == [sum(missed), *missed]
    pages = {page.stem for page in (tmp_path / "out" / NAME).iterdir()}
    assert pages == {"blank", "worked", "mistaken"}
    assert "waits for your answer" in (tmp_path / "out" / NAME / "blank.html").read_text("utf-8")


def hand_in_twice(folder: Path) -> None:
    folder.mkdir()
    for name in (f"{NAME}.ipynb", f"Copy_of_{NAME}.ipynb"):
        (folder / name).touch()


def test_a_copy_from_colab_is_found_under_its_name(tmp_path: Path) -> None:
    copy = tmp_path / "ada" / f"Copy_of_{NAME}.ipynb"
    copy.parent.mkdir()
    copy.touch()
    assert grade.find_submissions(tmp_path, NAME) == {"ada": copy}


def test_what_is_no_student_is_passed_over_but_every_student_counts(tmp_path: Path) -> None:
    for name in (".ipynb_checkpoints", "__MACOSX", "_ada", "grace"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{NAME}.ipynb").touch()
        (tmp_path / name / f"._{NAME}.ipynb").touch()
    assert grade.find_submissions(tmp_path, NAME).keys() == {"_ada", "grace"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "holds no folders"),
        (lambda folder: (folder / "ada").mkdir(), "Not there"),
        (lambda folder: hand_in_twice(folder / "ada"), "Which one"),
    ],
)
def test_a_folder_without_submissions_is_refused(make, words, tmp_path: Path, capsys) -> None:
    make(tmp_path)
    assert grade.main([NAME, str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_unknown_notebook_is_refused(tmp_path: Path, capsys) -> None:
    assert grade.main(["12_no_such", str(tmp_path)]) == 1
    assert "There is no notebook" in capsys.readouterr().err


@pytest.mark.long
def test_a_submission_that_is_no_notebook_is_refused_by_name(tmp_path: Path, capsys) -> None:
    submission(tmp_path, "ada", "exercises").write_text("not a notebook")
    assert grade.main([NAME, str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    assert "ada" in capsys.readouterr().err
