"""Grading a class: nobody lost, nobody fooled, nothing let out."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbgrader.preprocessors import IgnorePattern
from nbgrader.utils import determine_grade
from traitlets.config import Config

from tests.tools import classroom
from tests.tools.classroom import NAME
from tools import grade
from tools.grading import repair, roster, sandbox

FEW = ["ada", "patched, wrong", "network", "killed", "empty"]

try:
    sandbox.require("bwrap")
    no_sandbox = ""
except sandbox.CannotGrade as error:
    no_sandbox = str(error)
sandboxed = pytest.mark.skipif(bool(no_sandbox), reason=no_sandbox)


class School:
    """A small course in a folder of its own, and a class that hands in."""

    def __init__(self, folder: Path) -> None:
        self.course, self.handed_in = folder / "course", folder / "handed in"
        self.output = folder / "grades"
        self.notebook = nbformat.read(classroom.small_course(self.course), as_version=4)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        self.students = classroom.everybody(self.listener.getsockname()[1], folder)

    def collect(self, names: list[str]) -> None:
        shutil.rmtree(self.handed_in, ignore_errors=True)
        for name in names:
            (self.handed_in / name).mkdir(parents=True)
            worked = nbformat.from_dict(json.loads(json.dumps(self.notebook)))
            self.students[name].make(self.handed_in / name, worked)

    def start(self, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "tools.grade", NAME, str(self.handed_in)]
        command += ["--output", str(self.output), "--seconds", "15", *options]
        return subprocess.Popen(
            command,
            cwd=self.course,
            env={**os.environ, "PYTHONPATH": str(self.course), "COURSE_OFFLINE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def grade(self, *options: str) -> tuple[int, str]:
        process = self.start(*options)
        out, err = process.communicate(timeout=1_800)
        return process.returncode, out + err

    def table(self) -> pd.DataFrame:
        table = pd.read_csv(self.output / f"{NAME}.csv", keep_default_na=False)
        return table.set_index("student")

    def require(self, names: list[str]) -> None:
        """Compare the table with what is expected of these students."""
        table = self.table()
        full = int(table.loc["(full marks)", "points"])
        for name in names:
            student, row = self.students[name], table.loc[roster.safe(name)]
            if student.reason:
                assert student.reason in row["not graded"], name
                assert int(row["points"]) < full, name
            else:
                assert not row["not graded"], (name, row["not graded"])
                assert int(row["points"]) == (full if student.right else 0), name
            assert bool(row["look at"]) == student.look, (name, row["look at"])

    def digest(self) -> dict[str, bytes]:
        """Return every file that no student may change."""
        folders = [self.course, self.handed_in]
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in files if "__pycache__" not in str(path)}


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    made = School(tmp_path)
    yield made
    made.listener.close()


@sandboxed
def test_a_small_class(school: School, tmp_path: Path) -> None:
    school.collect(FEW)
    (tmp_path / "roster.csv").write_text("Identifier,Full name,Grade\n1,Ada,\n2,Eve,3\n")
    before = school.digest()
    status, said = school.grade("--roster", str(tmp_path / "roster.csv"))
    assert status == 1
    assert "Written" in said, said
    school.require(FEW)
    assert "'killed': it ended in the cell" in said
    assert "'empty': it is no notebook" in said
    filled = pd.read_csv(school.output / "roster.csv", dtype=str).set_index("Full name")
    assert filled["Grade"].to_dict() == {"Ada": "16", "Eve": "3"}
    assert school.digest() == before
    with pytest.raises(TimeoutError):
        school.listener.accept()


@sandboxed
@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_a_whole_class_also_if_it_is_killed_in_the_middle(school: School, tmp_path: Path) -> None:
    names = [*school.students]
    assert len(names) >= 40
    school.collect(names)
    before, outside = school.digest(), sorted(tmp_path.iterdir())
    process = school.start()
    folder = school.output / NAME
    while process.poll() is None and len([*folder.glob("*.json")]) < 15:
        time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    first = {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    assert 15 <= len(first) < len(names)

    status, said = school.grade()
    assert status == 1
    assert "Written" in said, said
    assert {path: path.stat().st_mtime_ns for path in first} == first
    school.require(names)
    table = (school.output / f"{NAME}.csv").read_bytes()
    page = (folder / "script.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert (folder / "100 MB.html").stat().st_size < 10_000_000
    assert school.digest() == before
    assert sorted({*outside, school.output}) == sorted(tmp_path.iterdir())
    with pytest.raises(TimeoutError):
        school.listener.accept()

    shutil.move(school.output, tmp_path / "whole")  # the same in two parts, merged
    for part in ("1/2", "2/2"):
        folder = tmp_path / part[0]
        copied = folder / NAME
        copied.mkdir(parents=True)
        for path in sorted((tmp_path / "whole" / NAME).iterdir())[int(part[0]) - 1 :: 2]:
            shutil.copy(path, copied)
    status, said = school.grade("--merge", str(tmp_path / "1"), str(tmp_path / "2"))
    assert (school.output / f"{NAME}.csv").read_bytes() == table


@pytest.mark.long
def test_without_a_sandbox_only_if_the_teacher_says_so(school: School) -> None:
    names = ["ada", "patched, wrong", "killed"]
    school.collect(names)
    status, said = school.grade("--sandbox", "none")
    assert status == 1, said
    school.require(names)


def test_no_sandbox_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(sandbox.CannotGrade, match=r"(?s)bwrap is not installed.*SANDBOX=none"):
        sandbox.require("bwrap")
    sandbox.require("none")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["99_no_such", "."], "There is no notebook"), ([NAME, "/nowhere"], "holds no folders")],
)
def test_what_is_not_there_is_named(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options = ["--output", str(tmp_path), "--sandbox", "none"]
    assert grade.main([*arguments, *options]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([f"{NAME}.ipynb", f"{NAME} (1).ipynb"], f"{NAME}.ipynb"),
        ([f"Copy_of_{NAME}.ipynb", "04_mlp.ipynb"], f"Copy_of_{NAME}.ipynb"),
        ([f"sub/{NAME}-Copy1.ipynb", f"._{NAME}.ipynb", "notes.txt"], f"sub/{NAME}-Copy1.ipynb"),
        (["homework.ipynb", ".ipynb_checkpoints/homework.ipynb"], "homework.ipynb"),
        ([f"a {NAME}.ipynb", f"b {NAME}.ipynb"], sandbox.CannotGrade),
        (["04_mlp.ipynb"], FileNotFoundError),
        ([], FileNotFoundError),
    ],
)
def test_the_notebook_that_is_meant_is_found(
    files: list[str], found: str | type[Exception], tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    if isinstance(found, str):
        assert repair.find(tmp_path, NAME) == tmp_path / found
    else:
        with pytest.raises(found):
            repair.find(tmp_path, NAME)


def test_lost_ids_and_checks_come_back_in_their_places() -> None:
    edition = nbformat.read(classroom.PROJECT / "exercises" / f"{NAME}.ipynb", as_version=4)
    code = [cell.id for cell in edition.cells if cell.cell_type == "code"]
    for lose in (classroom.without_ids, classroom.without_checks, classroom.by_colab):
        given = json.loads(json.dumps(edition))
        given["cells"] = list(map(nbformat.from_dict, given["cells"]))
        damaged = nbformat.from_dict(given)
        lose(damaged)
        damaged = nbformat.v4.new_notebook(cells=[repair._cell(cell) for cell in damaged.cells])
        whole, missing = repair.repair(damaged, edition)
        assert [cell.id for cell in whole.cells if cell.cell_type == "code"] == code
        assert not missing


@pytest.mark.parametrize(
    ("source", "is_named"),
    [
        ("import sys; sys.modules", True),
        ("MyLoader = datasets.Loader", True),
        ("collate = lambda s: experiments.train(s)", True),
        ("def collate(samples):\n    return torch.stack(samples)", False),
        ("collate = default_collate", False),
    ],
)
def test_lines_that_reach_too_far_are_named(source: str, is_named: bool) -> None:
    edition = nbformat.read(classroom.PROJECT / "exercises" / f"{NAME}.ipynb", as_version=4)
    cell = nbformat.v4.new_code_cell(source, id="03-1-solution")
    found = repair.suspicious(nbformat.v4.new_notebook(cells=[cell]), edition)
    assert bool(found) == is_named


MOODLE = "Identifier,Full name,Grade\nP1,Ada  Lovelace,\nP2,Eve,7\n"
CANVAS = f"Student,ID,{NAME} (42),Other\n    Points Possible,,16,1\nada lovelace,5,,1\nEve,6,7,2\n"


@pytest.mark.parametrize(("content", "column"), [(MOODLE, "Grade"), (CANVAS, f"{NAME} (42)")])
def test_a_roster_is_filled_in(content: str, column: str, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text(content, encoding="utf-8-sig")
    graded = {"student": "Ada Lovelace_42_file", "points": {"a": 2, "b": 1}}
    unfinished = {"student": "Eve", "points": {"a": 2, "b": None}}
    stranger = {"student": "Mallory", "points": {"a": 0, "b": 0}}
    said = roster.fill(path, {NAME: [graded, unfinished, stranger]}, tmp_path / "out")
    filled = pd.read_csv(tmp_path / "out" / "class.csv", dtype=str, keep_default_na=False)
    assert [*filled.columns] == content.splitlines()[0].split(",")
    assert filled[column].to_list()[-2:] == ["3", "7"]
    assert "not in it: 'Mallory'" in said


def test_a_roster_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "class.csv").write_text("Name\nEve\n")
    with pytest.raises(sandbox.CannotGrade, match="names the students"):
        roster.fill(tmp_path / "class.csv", {NAME: [{"student": "Ada", "points": {}}]}, tmp_path)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_no_cell_of_the_table_is_a_formula(text: str) -> None:
    assert roster.safe(text) == f"'{text}"
    assert roster.safe("Ada") == "Ada"
    assert roster.safe(-1) == -1


def test_the_settings_for_a_teachers_own_nbgrader_keep_points_beside_a_warning() -> None:
    page = (classroom.PROJECT / "docs" / "teachers.md").read_text(encoding="utf-8")
    c = Config()
    for line in page.splitlines():
        if line.startswith("    c.IgnorePattern"):
            exec(line.strip(), {"c": c})
    marks = {"grade": True, "solution": False, "points": 2, "grade_id": "a", "schema_version": 3}
    cell = nbformat.v4.new_code_cell("check.a(1)", metadata={"nbgrader": marks})
    warned = nbformat.v4.new_output("stream", name="stderr", text="a warning\n")
    cell.outputs = [warned, nbformat.v4.new_output("stream", text="✓ a")]
    assert determine_grade(cell) == (0, 2)
    preprocessor = IgnorePattern(config=c)
    assert preprocessor.enabled
    assert determine_grade(preprocessor.preprocess_cell(cell, {}, 0)[0]) == (2, 2)
