"""What a student sees neither answers a prediction too early, nor needs what is folded."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.notebooks.editions import (
    WORKED,
    each_notebook,
    has_words,
    pair,
    read,
    visible,
)
from tools import make_exercises

PROMPT = re.compile(r"\*\*(Predict|Guess)\b")
BOLD = re.compile(r"\*\*([^*\n]+)\*\*")

#: bold in a folded text, but no term: emphasis, or known before the course
NO_TERMS = {"remember", "distinct"}


# --- predictions -------------------------------------------------------------------------


def spoilers(worked: NotebookNode, student: NotebookNode) -> list[str]:
    """Return where the answer to a prediction is in sight before the output that shows it.

    That is in any text above, and in text and code from the cell that asks up to the next code
    cell that is no gap and no check, inclusive.
    """
    position = {cell.id: index for index, cell in enumerate(student.cells)}
    found = []
    for cell in worked.cells:
        start = position[cell.id]
        end = _shown_by(student, start)
        for answer in cell.metadata.get("answers", ()):
            found += [
                f"{cell.id}: {answer!r} stands in {other.id}"
                for index, other in enumerate(student.cells[: end + 1])
                if (other.cell_type == "markdown" or index >= start)
                and has_words(answer, visible(other))
            ]
    return found


def _shown_by(student: NotebookNode, start: int) -> int:
    for index, cell in enumerate(student.cells[start:], start):
        if cell.cell_type == "code" and not cell.id.endswith(("-solution", "-check")):
            return index
    return len(student.cells) - 1


@each_notebook
def test_no_prediction_is_answered_before_its_output_is_seen(path: Path) -> None:
    assert not spoilers(*pair(path))


@each_notebook
def test_every_prediction_lists_its_answers(path: Path) -> None:
    """As they stand in what comes after it, in an output or in a text: else no test would see."""
    cells = read(path).cells
    for index, cell in enumerate(cells):
        if cell.cell_type == "markdown" and PROMPT.search(cell.source):
            answers = cell.metadata.get("answers")
            assert answers, f"{cell.id} asks for a prediction and lists no answers"
            assert not cell.id.endswith(("-why", "-caption")), f"{cell.id}: the question is folded"
            after = "\n".join(map(_all_words, cells[index + 1 :]))
            assert not [words for words in answers if not has_words(words, after)], cell.id
        else:
            assert "answers" not in cell.metadata, f"{cell.id} asks for no prediction"


def _all_words(cell: NotebookNode) -> str:
    outputs = cell.get("outputs", ())
    texts = [output.get("text", "") for output in outputs]
    texts += [output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join([cell.source, *texts])


# --- terms -------------------------------------------------------------------------------


def terms(text: str) -> set[str]:
    """Return the terms that a text introduces, in bold: three words at most."""
    found = {words.strip(" .,:;!?…()“”\"'`").lower() for words in BOLD.findall(text)}
    return {
        words
        for words in found
        if len(words) > 2 and len(words.split()) <= 3 and words[0].isalpha() and "$" not in words
    }


def needed_but_folded(student: NotebookNode, known: set[str]) -> list[str]:
    """Return the terms that only a folded text introduces, and a later visible text uses."""
    texts = [(cell.id, visible(cell), cell) for cell in student.cells if cell.cell_type != "code"]
    found = []
    for index, (name, seen, cell) in enumerate(texts):
        before = "\n".join(text for _, text, _ in texts[: index + 1])
        folded = terms(cell.source) - terms(seen) - known - NO_TERMS
        for term in sorted(term for term in folded if not has_words(term, before)):
            found += [
                f"{term!r}, introduced in {name}, is used in {other}"
                for other, text, _ in texts[index + 1 :]
                if has_words(term, text)
            ]
    return found


@each_notebook
def test_what_stands_in_sight_needs_no_folded_definition(path: Path) -> None:
    before = [pair(other)[1] for other in WORKED if other.stem < path.stem]
    known = {
        term for notebook in before for cell in notebook.cells for term in terms(visible(cell))
    }
    assert not needed_but_folded(pair(path)[1], known)


@each_notebook
def test_no_lead_in_and_no_heading_is_folded(path: Path) -> None:
    folded = [cell for cell in read(path).cells if cell.id.endswith(("-why", "-caption"))]
    assert not [cell.id for cell in folded if cell.source.rstrip().endswith(":")]
    assert not [cell.id for cell in folded if re.search(r"^#+ ", cell.source, re.MULTILINE)]


# --- the rules themselves, on small notebooks -------------------------------------------


@pytest.mark.parametrize(
    ("place", "text", "spoiled"),
    [
        ("title", "It ends at 0.3133.", True),
        ("title", "It ends at 10.3133.", False),
        ("title", "It ends at 0.31331.", False),
        ("why", "It ends at 0.3133.", False),
        ("later", "It ends at 0.3133.", False),
        ("run", "title = 'a floor at 0.3133'", True),
        ("run", "x = 1  # it is 0.3133", True),
        ("first", "x = 0.3133", False),
    ],
)
def test_a_spoiler_is_found(place: str, text: str, spoiled: bool) -> None:
    kinds = {"first": "code", "run": "code"}
    cells = []
    for name in ("title", "first", "ask", "run", "why", "later"):
        new = getattr(nbformat.v4, f"new_{kinds.get(name, 'markdown')}_cell")
        cells.append(new(text if name == place else "x", id=name if name != "why" else "a-why"))
    cells[2].metadata["answers"] = ["0.3133"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert bool(spoilers(notebook, make_exercises.derive(notebook, "x"))) == spoiled


@pytest.mark.parametrize(
    ("folded", "later", "needed"),
    [
        ("**Early stopping** waits.", "With early stopping, it ends.", True),
        ("**Early stopping** waits.", "It ends early.", False),
        ("We **never ever do such things**.", "We never ever do such things.", False),
        ("Early stopping waits.", "With early stopping, it ends.", False),
    ],
)
def test_a_term_that_is_folded_but_needed_is_found(folded: str, later: str, needed: bool) -> None:
    texts = {"title": "# T", "a-why": folded, "b-intro": later}
    cells = [nbformat.v4.new_markdown_cell(text, id=name) for name, text in texts.items()]
    student = make_exercises.derive(nbformat.v4.new_notebook(cells=cells), "x")
    assert bool(needed_but_folded(student, set())) == needed
    assert not needed_but_folded(student, {"early stopping"})
