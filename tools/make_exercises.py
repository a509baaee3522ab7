"""Derive the student edition from the worked notebooks.

    python -m tools.make_exercises            # exercises/ from notebooks/, and its marks
    python -m tools.make_exercises --check    # change nothing; fail if anything is out of date

A solution (the lines from ``### BEGIN SOLUTION`` to ``### END SOLUTION``) becomes a gap,
outputs are dropped, and the explanation that follows an exercise is folded away. The cells
of an exercise carry nbgrader's marks, so the same notebooks can be graded automatically:
an exercise has as many points as stars.
"""

import argparse
import copy
import re
import sys
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ClearOutputPreprocessor
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions
from traitlets.config import Config

from helpers.storage import atomic_write

PROJECT = Path(__file__).resolve().parent.parent
GAP = "# Your answer here."
STARS = re.compile(r"\*(★+)☆* · \d+ minutes\*")
HOW = (
    "**Your turn.** This edition has a gap in every exercise. Write your answer where it says "
    f"`{GAP}`, run that cell and the check below it: `✓` is right, `✗` names the likely "
    "mistake, `…` means that no answer is there yet. Nothing that comes later needs your "
    "answers, so you can skip an exercise and come back. The last code cell counts what you "
    "have solved. What stands below a check may show the answer: the explanation is folded, "
    "and so is the code that goes on with it. Open them when you have your `✓`."
)
FOLDED = (
    "<details><summary>Explanation: open it when your check passes, or when you give up"
    "</summary>\n\n{}\n\n</details>"
)


def gap_settings() -> Config:
    """Return nbgrader's settings for a gap; `ClearSolutions` and grading use the same."""
    return Config(
        ClearSolutions={
            "begin_solution_delimeter": "### BEGIN SOLUTION",  # nbgrader's spelling
            "end_solution_delimeter": "### END SOLUTION",
            "code_stub": {"python": GAP},
        }
    )


def exercises_of(notebook: NotebookNode) -> dict[str, int]:
    """Return the stem of each exercise's cell ids, like "i-2-c", and its points.

    Raises
    ------
    ValueError
        If an exercise shows no stars, or has no check.
    """
    ids = [cell.id for cell in notebook.cells]
    stems = [name.removesuffix("-solution") for name in ids if name.endswith("-solution")]
    points: dict[str, int] = {}
    for stem in stems:
        if f"{stem}-check" not in ids:
            raise ValueError(f"exercise {stem} has no cell {stem}-check")
        before = notebook.cells[: ids.index(f"{stem}-solution")]
        stars = [found for cell in before for found in STARS.findall(cell.source)]
        if len(stars) < len(points) + 1:
            raise ValueError(f"exercise {stem} has no line like *★☆☆ · 5 minutes* above it")
        points[stem] = len(stars[-1])
    return points


def mark(notebook: NotebookNode) -> NotebookNode:
    """Return a copy with nbgrader's metadata in the cells of each exercise."""
    marked = copy.deepcopy(notebook)
    cells = {cell.id: cell for cell in marked.cells}
    for cell in marked.cells:
        cell.metadata.pop("nbgrader", None)
    for stem, points in exercises_of(marked).items():
        for name, graded in ((f"{stem}-solution", False), (f"{stem}-check", True)):
            marks = {
                "grade": graded,
                "grade_id": name,
                "locked": graded,
                "schema_version": 3,
                "solution": not graded,
                "task": False,
            }
            cells[name].metadata["nbgrader"] = marks | ({"points": points} if graded else {})
    return marked


def derive(notebook: NotebookNode) -> NotebookNode:
    """Return the student's edition of a worked notebook.

    Raises
    ------
    RuntimeError
        If the marks of a solution do not pair.
    """
    student = mark(notebook)
    stems = exercises_of(student)
    for preprocessor in (ClearSolutions(config=gap_settings()), ClearOutputPreprocessor()):
        student, _ = preprocessor.preprocess(student, {})
    before: set[str] = set()
    for cell in student.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("/blob/main/notebooks/", "/blob/main/exercises/")
            if _follows_a_check(cell.id, "-why", before):
                cell.source = FOLDED.format(cell.source)
        elif _follows_a_check(cell.id, "-run", before):
            cell.metadata["jupyter"] = {"source_hidden": True}  # in JupyterLab
            cell.metadata["cellView"] = "form"  # in Colab
        before.add(cell.id)
    if stems:
        student.cells.insert(1, nbformat.v4.new_markdown_cell(HOW, id="how"))
    return student


def _follows_a_check(name: str, ending: str, before: set[str]) -> bool:
    return name.endswith(ending) and f"{name.removesuffix(ending)}-check" in before


def text_of(notebook: NotebookNode) -> str:
    """Return the notebook as it is written to disk."""
    return nbformat.writes(notebook) + "\n"


def editions(source: Path, target: Path) -> dict[Path, str]:
    """Return what every notebook file of both editions must contain."""
    files = {}
    for path in sorted(source.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        files[path] = text_of(mark(notebook))
        files[target / path.name] = text_of(derive(notebook))
    return files


def main(arguments: list[str] | None = None) -> int:
    """Write both editions, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, default=PROJECT / "notebooks")
    parser.add_argument("--target", type=Path, default=PROJECT / "exercises")
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args(arguments)
    try:
        files = editions(options.source, options.target)
    except (ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    if not files:
        print(f"No notebook in {options.source}.", file=sys.stderr)
        return 2
    orphans = sorted(set(options.target.glob("*.ipynb")) - set(files))
    stale = [
        path
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if options.check:
        for path in stale + orphans:
            print(f"{path} is out of date: run make exercises.", file=sys.stderr)
        return 1 if stale or orphans else 0
    options.target.mkdir(parents=True, exist_ok=True)
    for path in orphans:
        path.unlink()
    for path in stale:
        with atomic_write(path) as file:
            file.write(files[path].encode())
    print(f"{len(files) // 2} notebooks: {len(stale)} files renewed, {len(orphans)} removed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
