"""Derive the student edition from the worked notebooks.

    python -m tools.make_exercises            # exercises/ from notebooks/, and its marks
    python -m tools.make_exercises --check    # change nothing; fail if anything is out of date

A solution (the lines from ``### BEGIN SOLUTION`` to ``### END SOLUTION``) becomes a gap, outputs
are dropped, and what would answer an exercise or a prediction is folded away or made neutral;
docs/authors.md has the rules, which are about the ends of cell ids and about metadata. The cells
of an exercise carry nbgrader's marks, so the same notebooks can be graded automatically: an
exercise has as many points as stars.
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
from tools.set_address import PROJECT, repository

GAP = "# Your answer here."
STARS = re.compile(r"\*(★+)☆* · \d+ minutes\*")
CHOICE = re.compile(
    r"(?P<name>\w+) = None\n### BEGIN SOLUTION\n(?P=name) = \"(?P<letters>[a-z]+)\"\n"
    r"### END SOLUTION"
)
OPTION = re.compile(r"^- \*\*([a-z])\*\*", re.MULTILINE)
#: what only the source has
PRIVATE = ("answers", "expect", "neutral")
HOW = (
    "**Your turn.** This edition has a gap in every exercise. Write your answer where it says "
    f"`{GAP}`, run that cell and the check below it: `✓` is right, `✗` names the likely "
    "mistake, `…` means that no answer is there yet. Nothing later needs your answers, so you can "
    "skip an exercise and come back; the last code cell counts what you have solved. What would "
    "give an answer away is folded: open it when you have your `✓`, or have seen the output."
)
#: the lines to click on, for what stands behind an exercise's check, behind a run, and a picture
ANSWERED = "Explanation: open it when your check passes, or when you give up"
SHOWN = "Explanation: open it when you have seen the output"
PICTURE = "The picture in words"


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

    An exercise is what has a check. Several may share the cell of a solution: a class with a gap
    for each method.

    Raises
    ------
    ValueError
        If an exercise shows no stars, or a solution has no check.
    """
    ids = [cell.id for cell in notebook.cells]
    for stem in (name.removesuffix("-solution") for name in ids if name.endswith("-solution")):
        if f"{stem}-check" not in ids:
            raise ValueError(f"exercise {stem} has no cell {stem}-check")
    points: dict[str, int] = {}
    for stem in (name.removesuffix("-check") for name in ids if name.endswith("-check")):
        before = notebook.cells[: ids.index(f"{stem}-check")]
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
            if name in cells:  # a check may judge another gap of the cell above
                cells[name].metadata["nbgrader"] = marks | ({"points": points} if graded else {})
    return marked


def derive(notebook: NotebookNode, stem: str) -> NotebookNode:
    """Return the student's edition of a worked notebook.

    Parameters
    ----------
    notebook : NotebookNode
        The worked notebook.
    stem : str
        Its name, for the links back to it: "01_vocabulary".

    Raises
    ------
    RuntimeError
        If the marks of a solution do not pair.
    ValueError
        If an exercise is incomplete, or a string to be made neutral is not there.
    """
    student = mark(notebook)
    exercises = exercises_of(student)
    tasks = {cell.id: cell.source for cell in student.cells}
    for cell in student.cells:
        _neutralise(cell)
        name_options(cell, tasks.get(f"{cell.id.removesuffix('-solution')}-task", ""))
    for preprocessor in (ClearSolutions(config=gap_settings()), ClearOutputPreprocessor()):
        student, _ = preprocessor.preprocess(student, {})
    before: set[str] = set()
    for cell in student.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("/blob/main/notebooks/", "/blob/main/exercises/")
            _fold_text(cell, links_to(stem, cell.id), before)
        elif _follows_a_check(cell.id, "-run", before):
            cell.metadata["jupyter"] = {"source_hidden": True}  # in JupyterLab
            cell.metadata["cellView"] = "form"  # in Colab
        before.add(cell.id)
    if exercises:
        student.cells.insert(1, nbformat.v4.new_markdown_cell(HOW, id="how"))
    return student


def _neutralise(cell: NotebookNode) -> None:
    """Put neutral strings in the place of findings, and drop what only the source has."""
    for finding, neutral in cell.metadata.get("neutral", {}).items():
        if finding not in cell.source:
            raise ValueError(f"cell {cell.id} has no {finding!r} to be made neutral")
        cell.source = cell.source.replace(finding, neutral)
    for name in PRIVATE:
        cell.metadata.pop(name, None)


def name_options(cell: NotebookNode, task: str) -> None:
    """Say in the gap of a multiple-choice exercise which letters there are.

    Parameters
    ----------
    cell : NotebookNode
        Any cell; it is changed if it is a choice, ``name = None`` and then ``name = "c"``.
    task : str
        The text of the task, whose options are items like ``- **a** …``.
    """
    found, options = CHOICE.fullmatch(cell.source), OPTION.findall(task)
    if not found or not options:
        return
    if len(found["letters"]) > 1:
        form = f"letters out of {', '.join(options)}, as one string"
    else:
        *first, last = (f'"{letter}"' for letter in options)
        form = f"{', '.join(first)} or {last}"
    cell.source = cell.source.replace("= None", f"= None  # {form}", 1)


def links_to(stem: str, name: str) -> str:
    """Return a line that leads to a cell of the worked notebook, in JupyterLab and on Colab."""
    colab = f"https://colab.research.google.com/github/{repository()}/blob/main/notebooks"
    return (
        f"*In the worked notebook: [this place](../notebooks/{stem}.ipynb#cell-id={name}), "
        f"[on Colab]({colab}/{stem}.ipynb#scrollTo={name}).*"
    )


def _fold_text(cell: NotebookNode, links: str, before: set[str]) -> None:
    """Fold a text that explains, and in any other the paragraphs that describe a picture."""
    if cell.id.endswith("-why"):
        summary = ANSWERED if _follows_a_check(cell.id, "-why", before) else SHOWN
        cell.source = folded(summary, f"{cell.source}\n\n{links}")
    elif cell.id.endswith("-caption"):
        cell.source = folded(PICTURE, f"{cell.source}\n\n{links}")
    else:
        paragraphs = re.split(r"\n{2,}", cell.source)
        cell.source = "\n\n".join(
            folded(PICTURE, text) if text.startswith("*Picture") else text for text in paragraphs
        )


def folded(summary: str, text: str) -> str:
    """Return Markdown that opens on a click."""
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


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
        files[target / path.name] = text_of(derive(notebook, path.stem))
    return files


def main(arguments: list[str] | None = None) -> int:
    """Write both editions, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, default=PROJECT / "notebooks")
    parser.add_argument("--target", type=Path, default=PROJECT / "exercises")
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("names", nargs="*", help="stems or numbers of notebooks; all by default")
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
        if path.stem.startswith(tuple(options.names) or "")
        and (not path.exists() or path.read_text(encoding="utf-8") != text)
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
