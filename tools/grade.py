"""Grade what students hand in, on the teacher's machine, in a sandbox.

    python -m tools.grade 03_dataloader handed-in/
    python -m tools.grade all handed-in/ --roster moodle.csv

The folder holds one folder for each student, with the notebook in it. Every submission is
repaired, run in a sandbox of its own, and judged outside of it (`tools.grading`). An exercise
gives as many points as stars. What was graded is kept in grades/03_dataloader: one file and one
page of feedback for each student; a second call grades what is new or was not reached. The table
is grades/03_dataloader.csv.
"""

import argparse
import functools
import hashlib
import json
import os
import queue
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate
from tqdm import tqdm

from helpers.storage import atomic_write
from tools.grading import repair, roster, sandbox
from tools.grading.sandbox import CannotGrade
from tools.grading.submission import Assignment, Judge, Limits, grade, write_page
from tools.make_exercises import PROJECT

FULL = "(full marks)"


def students_in(folder: Path) -> list[Path]:
    """Return the students' folders.

    Raises
    ------
    CannotGrade
        If there are none.
    """
    found = sorted(
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.is_dir() and not path.is_symlink() and not path.name.startswith((".", "__MACOSX"))
    )
    if not found:
        raise CannotGrade(f"{folder} holds no folders: expected {folder}/STUDENT/NOTEBOOK.ipynb")
    return found


class Class:
    """What all students have handed in of one notebook.

    Parameters
    ----------
    assignment : Assignment
        The notebook.
    output : Path
        Where the results of all notebooks are kept.
    """

    def __init__(self, assignment: Assignment, output: Path) -> None:
        self.assignment, self.output = assignment, output
        self.folder = output / assignment.name
        self.judges: queue.SimpleQueue[Judge] = queue.SimpleQueue()

    def rehearse(self) -> None:
        """Grade the worked notebook, which must get all points here; its caches are kept.

        Raises
        ------
        CannotGrade
            If it does not.
        """
        stamp = self.folder / ".rehearsed"
        if stamp.exists() and stamp.read_text() == self.assignment.digest:
            return
        worked = PROJECT / "notebooks" / f"{self.assignment.name}.ipynb"
        result, _ = self._graded(worked, "the worked notebook", keep=True)
        if result["reason"] or result["points"] != self.assignment.points:
            lines = [said for said in result["said"].values() if said[0] != "✓"]
            shown = "\n  ".join([result["reason"], *lines])
            raise CannotGrade(f"On this machine the worked notebook itself fails:\n  {shown}")
        with atomic_write(stamp) as file:
            file.write(self.assignment.digest.encode())

    def todo(self, students: list[Path], again: bool) -> list[Path]:
        """Return the students whose submission has no result yet."""
        old = {one["student"]: one for one in results(self.folder)}
        return [
            path
            for path in students
            if again or old.get(path.name, {}).get("digest") != self._digest(path)
        ]

    def grade(self, folder: Path) -> None:
        """Grade a student's submission; write the result and the page."""
        student, digest, page = folder.name, self._digest(folder), None
        result: dict[str, Any] = {"student": student, "notebook": self.assignment.name}
        try:
            path = repair.find(folder, self.assignment.name)
            result, page = self._graded(path, student)
        except (CannotGrade, OSError) as error:
            result["reason"] = str(error)
        except Exception as error:  # whatever it is, it costs nobody else anything
            result["reason"] = f"the grader failed: {error!r:.300}"
        if sandbox.STOP.is_set():
            return  # it did not end by itself
        if page is None:
            result |= {"points": dict.fromkeys(self.assignment.points), "said": {}, "look": []}
        else:
            write_page(self.folder / f"{student}.html", result, page)
        with atomic_write(self.folder / f"{student}.json") as file:
            file.write(json.dumps(result | {"digest": digest}, indent=1).encode())

    def _graded(self, path: Path, student: str, keep: bool = False) -> tuple[dict[str, Any], Any]:
        try:
            judge = self.judges.get_nowait()
        except queue.Empty:
            judge = Judge(self.assignment.name)
        try:
            return grade(path, student, self.assignment, judge, keep)
        finally:
            self.judges.put(judge)

    def _digest(self, folder: Path) -> str:
        """Return what a result depends on: the file, the notebook, the limits."""
        try:
            path = repair.find(folder, self.assignment.name)
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        except (CannotGrade, OSError) as error:
            content = str(error).encode()
        parts = [content, self.assignment.digest.encode(), repr(self.assignment.limits).encode()]
        return hashlib.sha256(b"".join(parts)).hexdigest()


def results(folder: Path) -> list[dict[str, Any]]:
    """Return the results in a folder, by student."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def write_table(folder: Path, most: dict[str, int]) -> pd.DataFrame:
    """Write the table of a class beside the folder of its results.

    Parameters
    ----------
    folder : Path
        It holds the results.
    most : dict
        The points of each exercise, by its stem.
    """
    rows = [
        {
            "student": one["student"],
            "points": sum(part or 0 for part in one["points"].values()),
            **{stem: one["points"].get(stem) for stem in most},
            "not graded": one["reason"],
            "look at": "; ".join(one["look"][:5]),
        }
        for one in results(folder)
    ]
    rows.append({"student": FULL, "points": sum(most.values()), **most})
    table = pd.DataFrame(rows).astype({stem: "Int64" for stem in most})
    with atomic_write(folder.with_suffix(".csv")) as file:
        table.map(roster.safe).to_csv(file, index=False)
    return table


def grade_class(one: Class, students: list[Path], workers: int, again: bool) -> None:
    """Grade what is not graded yet, as many at once as there are workers."""
    one.rehearse()
    jobs = one.todo(students, again)
    with ThreadPoolExecutor(workers) as pool, tqdm(total=len(jobs), unit="notebook") as bar:
        bar.set_description(one.folder.name)
        waiting = {pool.submit(one.grade, folder): folder for folder in jobs}
        try:
            for done in as_completed(waiting):
                bar.set_postfix_str(f"{waiting[done].name!r:.30}", refresh=False)
                bar.update()
                done.result()
                write_table(one.folder, one.assignment.points)
        finally:
            sandbox.STOP.set()
            pool.shutdown(cancel_futures=True)
            sandbox.STOP.clear()


def graded(one: Class, students: list[Path], workers: int, again: bool) -> bool:
    """Grade a class; return whether that could be done. The next one is graded in any case."""
    try:
        grade_class(one, students, workers, again)
    except CannotGrade as error:
        print(error, file=sys.stderr)
        return False
    finally:
        while not one.judges.empty():
            one.judges.get().close()
    return True


def report(one: Class) -> bool:
    """Print the table of a class, its failures, and what to look at; return whether all is well."""
    table = write_table(one.folder, one.assignment.points)
    print(tabulate(table.drop(columns=["not graded", "look at"]), "keys", showindex=False))
    well = True
    for result in results(one.folder):
        if result["reason"]:
            well = False
            print(f"  not graded: {result['student']!r}: {result['reason']}")
        for line in result["look"][:5]:
            print(f"  look at: {result['student']!r}, {line}")
    print(f"Written: {one.folder.with_suffix('.csv')}; feedback: {one.folder}\n")
    return well


def main(arguments: list[str] | None = None) -> int:
    """Grade a folder of submissions, print the points, and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", help="its name, like 01_vocabulary, or: all")
    parser.add_argument("folder", type=Path, help="holds STUDENT/NOTEBOOK.ipynb")
    parser.add_argument("--output", type=Path, default=PROJECT / "grades")
    parser.add_argument("--roster", type=Path, help="a CSV of Moodle or Canvas to be filled in")
    parser.add_argument("--sandbox", choices=["bwrap", "none"], default="bwrap")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=int, default=Limits.cell, help="for each cell")
    parser.add_argument("--minutes", type=float, default=Limits.notebook / 60, help="for all cells")
    parser.add_argument("--memory", type=float, default=Limits.memory, help="GB of a submission")
    parser.add_argument("--again", action="store_true", help="grade also what is graded")
    parser.add_argument("--part", help="2/10: of ten machines this is the second; no table")
    parser.add_argument("--merge", type=Path, nargs="*", help="only gather results, of outputs")
    options = parser.parse_args(arguments)
    notebooks = sorted(path.stem for path in (PROJECT / "notebooks").glob("*.ipynb"))
    names = notebooks if options.notebook == "all" else [options.notebook]
    limits = Limits(options.seconds, round(60 * options.minutes), options.memory)
    with tempfile.TemporaryDirectory() as work:
        try:
            cache = options.output / ".cache"
            cache.mkdir(parents=True, exist_ok=True)
            make = functools.partial(
                Assignment, work=Path(work), cache=cache, kind=options.sandbox, limits=limits
            )
            classes = [Class(make(name), options.output) for name in names]
            classes = [one for one in classes if one.assignment.points]
            students: list[Path] = []
            if options.merge is None:
                sandbox.require(options.sandbox)
                students = students_in(options.folder)
                if options.part:
                    number, count = map(int, options.part.split("/"))
                    students = students[number - 1 :: count]
            well = True
            for one in classes:
                if options.merge is None:
                    well &= graded(one, students, options.workers, options.again)
                for other in (part / one.folder.name for part in options.merge or ()):
                    if other.exists():
                        shutil.copytree(other, one.folder, dirs_exist_ok=True)
            if options.part:
                return 0 if well else 1
            well = all([report(one) for one in classes]) and well
            if options.roster:
                tables = {one.folder.name: results(one.folder) for one in classes}
                print(roster.fill(options.roster, tables, options.output))
            return 0 if well else 1
        except (CannotGrade, OSError) as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nStopped. The same command goes on from here.", file=sys.stderr)
            return 130


if __name__ == "__main__":
    sys.exit(main())
