"""A submission made whole before it is judged: cells by their ids, checks as handed out."""

import itertools
import json
import re
import stat
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.grading.sandbox import CannotGrade
from tools.make_exercises import exercises_of

MOST_BYTES = 100_000_000
#: code with a reason to be looked at by the teacher: it reaches for what grades it
SUSPICIOUS = re.compile(
    r"sys\.modules|sys\._getframe|\bgc\.|\binspect\.|\bctypes\b|\bsocket\b|\bsubprocess\b|/proc/"
    r"|os\.(?:_exit|fork|system|environ|kill)|input_transformer|ast_transformer|__class__"
    r"|course-answer|\b(?:lessons|tools)\.\w|\bcheck\s*=|\bcheck\.\w+\s*=|\bchecks?\.verdicts|get_ipython|__import__"
)


def find(folder: Path, name: str) -> Path:
    """Return the notebook that is meant in a student's folder.

    The name may have words before or after it, as in Colab's ``Copy_of_…``, ``… (1).ipynb``. A
    notebook of any name will do if it is the only one.

    Raises
    ------
    FileNotFoundError
        If there is none.
    CannotGrade
        If there are several.
    """
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix == ".ipynb"
        and ".ipynb_checkpoints" not in path.parts
        and not path.name.startswith("._")
        and "__MACOSX" not in path.parts
    )
    named = [path for path in files if path.stem == name] or [
        path for path in files if name in path.stem
    ]
    unknown = [path for path in files if not re.search(r"\d\d_[a-z]", path.stem)]
    found = named or (unknown if len(files) == 1 else [])
    if len(found) > 1:
        shown = ", ".join(repr(str(path.relative_to(folder))) for path in found)
        raise CannotGrade(f"which one is to be graded? Keep only that: {shown}")
    if not found:
        raise FileNotFoundError(f"not handed in ({len(files)} other notebooks are there)")
    return found[0]


def read(path: Path) -> NotebookNode:
    """Read what was handed in, whatever format 4 it is in.

    Raises
    ------
    CannotGrade
        If it is no notebook; the message says what it is.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise CannotGrade("it is no file, but a folder, a link or something else")
        if status.st_size > MOST_BYTES:
            raise CannotGrade(f"it is larger than {MOST_BYTES // 10**6} MB")
        text = path.read_bytes().decode("utf-8-sig")
        if re.search(r"^(<{7} |>{7} )", text, re.MULTILINE):
            raise CannotGrade("it has the marks of a merge conflict (<<<<<<<) in it")
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("nbformat") != 4:
            raise CannotGrade("it is no notebook of format 4")
        notebook = nbformat.v4.new_notebook(cells=[_cell(cell) for cell in content["cells"]])
    except UnicodeDecodeError:
        raise CannotGrade("it is not in UTF-8, as notebooks are") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CannotGrade(f"it is no notebook ({str(error)[:100] or 'it is empty'})") from None
    except OSError as error:
        raise CannotGrade(f"it cannot be read ({error.strerror})") from None
    return notebook


def _cell(cell: dict) -> NotebookNode:
    """Return a cell with its source and its id alone; nothing else that was handed in counts."""
    source = cell["source"]
    source = source if isinstance(source, str) else "".join(source)
    metadata = cell.get("metadata", {})
    given = metadata.get("nbgrader", {}).get("grade_id")
    known = [str(name) for name in (given, cell.get("id"), metadata.get("id")) if name]
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    made = make.get(cell["cell_type"], nbformat.v4.new_raw_cell)(source)
    made.metadata["known"] = known
    return made


def repair(submitted: NotebookNode, edition: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """Give cells their ids, types and places again, and put every check back once.

    Parameters
    ----------
    submitted : NotebookNode
        What `read` gave.
    edition : NotebookNode
        The student edition.

    Returns
    -------
    NotebookNode, list of str
        The notebook to be run; and the stems of exercises whose solution is in no cell.

    Raises
    ------
    CannotGrade
        If it is another notebook.
    """
    templates = {cell.id: cell for cell in edition.cells}
    by_source = {cell.source.strip(): cell.id for cell in edition.cells if cell.source.strip()}
    taken: set[str] = set()
    for cell in submitted.cells:
        own = [name for name in cell.metadata.pop("known") if name in templates]
        name = next(iter(own), by_source.get(cell.source.strip()))
        if name and name not in taken:
            taken.add(name)
            cell.id = name
        elif name and name.endswith("-check"):
            cell.source = ""  # pasted twice
    if len(taken) < len(templates) / 4:
        raise CannotGrade(
            f"it is another notebook: {len(taken)} of {len(templates)} cells are known"
        )
    for cell in [cell for cell in submitted.cells if cell.id in templates]:
        if cell.id.endswith(("-solution", "-check")):
            cell.cell_type = "code"
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)
    points, order = exercises_of(edition), list(templates)
    missing = []
    for stem in [part for part in points if f"{part}-solution" in templates]:
        if (name := f"{stem}-solution") not in taken:
            last = _last(submitted, order[: order.index(name)])
            unknown = itertools.takewhile(
                lambda cell: cell.id not in templates, submitted.cells[last + 1 :]
            )
            if code := [cell for cell in unknown if cell.cell_type == "code"]:
                code[-1].id = name
            else:
                missing.append(stem)
    for stem in points:
        template = nbformat.v4.new_code_cell(templates[f"{stem}-check"].source)
        for cell in [cell for cell in submitted.cells if cell.id == f"{stem}-check"]:
            cell.update(source="", id=f"{stem}-old")
        before = [*order[: order.index(f"{stem}-check")], f"{stem}-old"]
        template.id = f"{stem}-check"
        submitted.cells.insert(_last(submitted, before) + 1, template)
    submitted.cells = [cell for cell in submitted.cells if not cell.id.endswith("-old")]
    return submitted, missing


def _last(notebook: NotebookNode, ids: list[str]) -> int:
    """Return the position of the last cell with one of some ids, or -1."""
    return max((i for i, cell in enumerate(notebook.cells) if cell.id in ids), default=-1)


def suspicious(submitted: NotebookNode, edition: NotebookNode) -> list[str]:
    """Return lines that reach for what grades them, or take an answer from the course's modules."""
    given = {line for cell in edition.cells for line in cell.source.splitlines()}
    imported = re.findall(r"^from lessons\S* import (.+)", "\n".join(given), re.MULTILINE)
    modules = {*re.findall(r"\w+", " ".join(imported))} - {"check"}
    taken = re.compile(rf"^\w+ *= *\w+\.\w+ *$|\b(?:{'|'.join(modules) or 'lessons'})\.")
    return [
        f"{cell.id}: {line.strip()[:100]}"
        for cell in submitted.cells
        for line in (cell.source.splitlines() if cell.cell_type == "code" else ())
        if line not in given
        and (SUSPICIOUS.search(line) or (cell.id.endswith("-solution") and taken.search(line)))
    ]
