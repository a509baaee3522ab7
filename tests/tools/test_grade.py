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

from tests.tools import classroom
from tests.tools.classroom import NAME
from tools.grading import roster, sandbox

FEW = ["ada", "by Colab", "patched, wrong", "network", "killed", "empty", "=1+1"]

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
    assert "onerror=alert" not in page
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
