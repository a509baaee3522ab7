"""The book: solutions folded, captions as alternative texts, formulas, links; warnings count."""

import base64
from pathlib import Path

import nbformat
import pytest

from tools import book

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TITLE = """# 01 · A title

[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://x.org)

**Takes** about 75 minutes. A formula: $x^2$"""


def notebook(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    title = nbformat.v4.new_markdown_cell(TITLE, id="title")
    return nbformat.v4.new_notebook(cells=[title, *cells])


def code(name: str, source: str, picture: bool = False) -> nbformat.NotebookNode:
    data = {"image/png": PIXEL, "text/plain": "a figure"}
    output = nbformat.v4.new_output("display_data", data)
    outputs = [output] if picture else []
    return nbformat.v4.new_code_cell(source, id=name, outputs=outputs, execution_count=1)


def text(name: str, source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(source, id=name)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "01_title.ipynb"
    cells = [
        code("i-1-solution", "secret = 1"),
        code("plot", "plt.show()", picture=True),
        text("plot-why", "Some words.\n\n*Picture: a single\npixel.*"),
        code("bare-plot", "plt.show()", picture=True),
    ]
    nbformat.write(notebook(*cells), path)
    return path


def test_a_page_folds_solutions_and_describes_pictures(example: Path) -> None:
    page = book.as_page(nbformat.read(example, as_version=4), example.stem)
    tags = {cell.id: cell.metadata.get("tags", []) for cell in page.cells}
    assert [name for name, given in tags.items() if "hide-input" in given] == ["i-1-solution"]
    described = {
        cell.id: cell.metadata.mystnb.image.alt for cell in page.cells if "mystnb" in cell.metadata
    }
    assert described == {"plot": "Picture: a single pixel."}
    assert "colab-badge" not in page.cells[0].source
    for edition in ("exercises", "notebooks"):
        assert f"/blob/main/{edition}/01_title.ipynb)" in page.cells[0].source


def test_the_book_has_a_front_page_and_needs_no_network(example: Path, tmp_path: Path) -> None:
    front = book.build([example], tmp_path / "book")
    words = front.read_text(encoding="utf-8")
    assert "01 · A title" in words
    assert "75 minutes" in words
    pictures = [path.read_bytes() for path in (tmp_path / "book" / "_images").glob("*.png")]
    assert base64.b64decode(PIXEL) in pictures
    page = (tmp_path / "book" / "01_title.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "mathjax.js" not in page.lower()
    assert 'src="http' not in page + words


def test_a_broken_link_is_no_book(tmp_path: Path) -> None:
    path = tmp_path / "01_title.ipynb"
    nbformat.write(notebook(text("foot", "[next](02_missing.ipynb)")), path)
    with pytest.raises(RuntimeError, match="02_missing"):
        book.build([path], tmp_path / "book")


def test_no_notebook_is_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert book.main(["--folder", str(tmp_path)]) == 2
    assert "No notebook" in capsys.readouterr().err
