"""Grade what students hand in, with nbgrader, on the teacher's machine.

    python -m tools.grade 01_vocabulary handed-in/

The folder holds one folder for each student, with the notebook in it:
handed-in/ada/01_vocabulary.ipynb. Every submission is executed, each exercise gives its
points (one for each star) if its check passes, and a check that a student edited is put
back first. The points are printed and written to build/grades/01_vocabulary.csv, beside a
page of feedback for each student.

The code of the students runs with your rights: use an account or a container made for it.
"""

import argparse
import csv
import io
import logging
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import nbformat
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from tabulate import tabulate
from traitlets.config import Config

from helpers.storage import atomic_write
from tools.make_exercises import PROJECT, exercises_of, gap_settings, mark, text_of

CELL_SECONDS = 1_200


class CannotGrade(RuntimeError):  # noqa: N818 - it names what happened
    """Nothing was graded; the message says why and what to do."""


def find_submissions(folder: Path, name: str) -> dict[str, Path]:
    """Return the submitted notebook of each student.

    Words before its name do no harm, as in Colab's ``Copy_of_00_pytorch_primer.ipynb``.

    Raises
    ------
    CannotGrade
        If the folder does not exist, is empty, or a student's folder has not one notebook
        of that name.
    """
    foreign = (".", "__MACOSX")  # what JupyterLab and archives leave beside the students
    students = sorted(
        path for path in folder.glob("*") if path.is_dir() and not path.name.startswith(foreign)
    )
    if not students:
        raise CannotGrade(f"{folder} holds no folders: expected {folder}/STUDENT/{name}.ipynb")
    found = {
        path: sorted(file for file in path.glob(f"*{name}.ipynb") if not file.name.startswith("."))
        for path in students
    }
    if missing := [f"{path}/{name}.ipynb" for path, files in found.items() if not files]:
        raise CannotGrade(f"Not there: {', '.join(missing)}")
    if several := [str(file) for files in found.values() if len(files) > 1 for file in files]:
        raise CannotGrade(f"Which one is to be graded? Keep only that: {', '.join(several)}")
    return {path.name: files[0] for path, files in found.items()}


def grade(
    worked: Path, submissions: dict[str, Path], feedback: Path | None = None
) -> dict[str, dict[str, float]]:
    """Execute and grade submissions of one notebook.

    Parameters
    ----------
    worked : Path
        The worked notebook: it tells the checks and their points.
    submissions : dict
        The notebook of each student.
    feedback : Path, optional
        A folder for one HTML page a student.

    Returns
    -------
    dict
        For each student the points of each exercise, by its stem, like "i-2-c".

    Raises
    ------
    CannotGrade
        If nbgrader cannot read or grade a submission.
    """
    name = worked.stem
    notebook = mark(nbformat.read(worked, as_version=4))
    with tempfile.TemporaryDirectory() as course, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # of nbgrader's own queries
        root = Path(course)
        source = root / "source" / name / f"{name}.ipynb"
        source.parent.mkdir(parents=True)
        source.write_text(text_of(notebook), encoding="utf-8")
        for student, path in submissions.items():
            handed_in = root / "submitted" / student / name / f"{name}.ipynb"
            handed_in.parent.mkdir(parents=True)
            shutil.copyfile(path, handed_in)
        api = nbgrader_for(root)
        _require_success(api.generate_assignment(name), f"the assignment {name}")
        points = {}
        for student in submissions:
            _require_success(api.autograde(name, student), f"the notebook of {student}")
            points[student] = _points(api, name, student)
            if feedback:
                _require_success(api.generate_feedback(name, student), f"feedback for {student}")
                page = root / "feedback" / student / name / f"{name}.html"
                feedback.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(page, feedback / f"{student}.html")
    expected = set(exercises_of(notebook))
    for student, graded in points.items():
        if graded.keys() != expected:
            raise CannotGrade(f"{student}: nbgrader saw {sorted(graded)}, not {sorted(expected)}")
    return points


def nbgrader_for(root: Path) -> NbGraderAPI:
    """Return nbgrader with a course in `root`, its database included."""
    config = Config(
        CourseDirectory={"root": str(root), "course_id": "course"},
        ExecutePreprocessor={
            "timeout": CELL_SECONDS,
            "extra_arguments": ["--log-level=ERROR"],
        },
        Application={"log_level": logging.ERROR},
    )
    config.merge(gap_settings())
    programs = str(Path(sys.executable).parent)  # nbgrader calls alembic by its bare name
    if programs not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    api.log.setLevel(logging.ERROR)
    return api


def _require_success(result: dict, what: str) -> None:
    if not result["success"]:
        log = (result.get("log") or result.get("error") or "").strip()
        raise CannotGrade(f"nbgrader could not make {what}:\n{log}")


def _points(api: NbGraderAPI, name: str, student: str) -> dict[str, float]:
    with api.gradebook as gradebook:
        notebook = gradebook.find_submission_notebook(name, name, student)
        return {grade.name.removesuffix("-check"): float(grade.score) for grade in notebook.grades}


def main(arguments: list[str] | None = None) -> int:
    """Grade a folder of submissions, print the points, and keep them as CSV."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", help="its name, like 01_vocabulary")
    parser.add_argument("folder", type=Path, help="holds STUDENT/NOTEBOOK.ipynb")
    parser.add_argument("--output", type=Path, default=PROJECT / "build" / "grades")
    options = parser.parse_args(arguments)
    worked = PROJECT / "notebooks" / f"{options.notebook}.ipynb"
    try:
        if not worked.exists():
            raise CannotGrade(f"There is no notebook {worked}.")
        submissions = find_submissions(options.folder, options.notebook)
        points = grade(worked, submissions, options.output / options.notebook)
    except CannotGrade as error:
        print(error, file=sys.stderr)
        return 1
    most = exercises_of(nbformat.read(worked, as_version=4))
    header = ["student", "points", *most]
    rows = [
        [student, sum(scores.values()), *(scores[stem] for stem in most)]
        for student, scores in points.items()
    ]
    rows.append(["(full marks)", sum(most.values()), *most.values()])
    print(tabulate(rows, header, floatfmt="g"))
    table = io.StringIO(newline="")
    csv.writer(table).writerows([header, *rows])
    path = options.output / f"{options.notebook}.csv"
    with atomic_write(path) as file:
        file.write(table.getvalue().encode())
    print(f"Written: {path}; feedback: {options.output / options.notebook}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
