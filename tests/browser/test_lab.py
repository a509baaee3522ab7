"""JupyterLab as a student meets it: open, Run All Cells, look, type a review, dark theme."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser import lab, measure
from tests.browser.conftest import PROJECT

#: the longest notebook runs beside the others, from the start
LONGEST = "10_lora_at_work"
SHORTER = ("01_vocabulary", "06_evaluation_and_perplexity", "08_final_pipeline")
NAMES = (*SHORTER, LONGEST)
#: a notebook may take this long on a slow machine; the tests fail on errors, not on time
SECONDS = 1_500

REVIEW = "A dull, awful mess. Terrible acting, and the worst ending that I ever sat through."
#: where the reader types a review; with a live page the answer is the widget's
WIDGET = "type_a_review("

each_notebook = pytest.mark.parametrize("name", NAMES)


def stored(name: str) -> nbformat.NotebookNode:
    """Read a notebook of the project."""
    return nbformat.read(PROJECT / "notebooks" / f"{name}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def originals() -> dict[str, bytes]:
    """Read the project's notebooks, as they are before JupyterLab starts."""
    return {path.name: path.read_bytes() for path in (PROJECT / "notebooks").glob("*.ipynb")}


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, screenshots: Path, originals: dict[str, bytes]
) -> Iterator[lab.Server]:
    """Serve copies without outputs, so that each output seen was made here."""
    folder = tmp_path_factory.mktemp("notebooks")
    for file, content in originals.items():
        notebook = nbformat.reads(content.decode(), as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, folder / file)
    log = screenshots / "jupyterlab.log"
    with lab.served(folder, tmp_path_factory.mktemp("private"), log) as running:
        yield running


@pytest.fixture(scope="module")
def longest(browser: BrowserContext, server: lab.Server) -> lab.Notebook:
    """Start the longest notebook; nobody waits for it yet."""
    notebook = lab.Notebook(browser, server, LONGEST)
    notebook.run_all_cells()
    return notebook


@pytest.fixture(scope="module")
def finished(
    browser: BrowserContext,
    server: lab.Server,
    longest: lab.Notebook,
    screenshots: Path,
    originals: dict[str, bytes],
) -> Iterator["Finished"]:
    """Give notebooks after Run All Cells, each run once."""
    runs = Finished(browser, server, longest, screenshots, originals)
    yield runs
    runs.close()


class Finished:
    """Notebooks that were run to their end, and their cells."""

    def __init__(
        self,
        browser: BrowserContext,
        server: lab.Server,
        longest: lab.Notebook,
        screenshots: Path,
        originals: dict[str, bytes],
    ) -> None:
        self._browser, self._server, self._screenshots = browser, server, screenshots
        self._open = {LONGEST: longest}
        self.current = longest
        self.originals = originals
        self._results: dict[str, list[lab.Cell] | lab.NotebookFailed] = {}

    def __getitem__(self, name: str) -> tuple[lab.Notebook, list[lab.Cell]]:
        """Open the notebook and run it, at the first call."""
        if name not in self._open:
            self._open[name] = lab.Notebook(self._browser, self._server, name)
            self._open[name].run_all_cells()
        notebook = self.current = self._open[name]
        notebook.page.bring_to_front()
        if name not in self._results:
            try:
                self._results[name] = notebook.wait_until_finished(SECONDS)
            except lab.NotebookFailed as error:
                notebook.page.screenshot(path=self._screenshots / f"{name}-failed.png")
                self._results[name] = error
        result = self._results[name]
        if isinstance(result, lab.NotebookFailed):
            raise result
        return notebook, result

    def close(self) -> None:
        """Close every tab."""
        for notebook in self._open.values():
            notebook.page.close()


@each_notebook
def test_run_all_cells_reaches_the_end(name: str, finished: Finished, screenshots: Path) -> None:
    """Every code cell runs, in order, no error, no check that refuses a worked answer."""
    notebook, cells = finished[name]
    sources = [cell.source for cell in stored(name).cells]
    assert [cell.source for cell in cells] == sources, "the page shows another notebook"
    code = [cell for cell in cells if cell.kind == "code"]
    assert [cell.count for cell in code] == list(range(1, len(code) + 1))
    refused = [cell.id for cell in code if "✗" in cell.text]
    assert refused == [], f"checks refuse the worked answers: {refused}"
    assert notebook.errors == [], "JupyterLab itself raised an error"
    for part, cell in (("top", cells[0]), ("end", cells[-1])):
        notebook.show(cell)
        notebook.page.screenshot(path=screenshots / f"{name}-{part}.png")


@each_notebook
def test_every_stored_picture_is_drawn(name: str, finished: Finished, screenshots: Path) -> None:
    """As many pictures as the stored notebook has, whole, and opaque on a dark page too."""
    notebook, cells = finished[name]
    expected = {}
    for cell in stored(name).cells:
        if cell.cell_type == "code" and WIDGET not in cell.source:
            shown = [output for output in cell.outputs if "image/png" in output.get("data", {})]
            expected[cell.id] = len(shown)
    assert sum(expected.values()) > 0
    made = {cell.id: cell.pictures for cell in cells if cell.id in expected}
    assert made == expected
    drawn = 0
    for cell in cells:
        if cell.pictures == 0:
            continue
        area = notebook.output(cell)
        expect(area.locator("img")).to_have_count(cell.pictures)
        expect(area.locator("img").first).to_be_in_viewport()
        for picture in measure.pictures(area):
            assert picture.natural_width > 0, f"{cell.id}: the picture is broken"
            assert picture.shown_width > 100, f"{cell.id}: {picture}"
            assert picture.shown_height > 50, f"{cell.id}: {picture}"
            assert picture.opacity == 1, f"{cell.id}: a dark page shines through: {picture}"
        drawn += 1
        notebook.page.screenshot(path=screenshots / f"{name}-picture-{drawn}.png")
    assert drawn == sum(count > 0 for count in made.values())


@each_notebook
def test_tables_keep_their_columns(name: str, finished: Finished, screenshots: Path) -> None:
    """A table is printed text: in line only while no line of it wraps or sticks out."""
    notebook, cells = finished[name]
    tables = [cell for cell in cells if cell.kind == "code" and lab.RULER.search(cell.text)]
    assert tables, "no table found: is the course's way to print tables another one now?"
    for number, cell in enumerate(tables, start=1):
        area = notebook.output(cell)
        expect(area).to_be_in_viewport()
        shown = [block for block in measure.blocks(area) if lab.RULER.search(block.text)]
        assert shown, f"{cell.id}: the table is not drawn"
        for block in shown:
            assert block.lines == len(block.text.rstrip("\n").split("\n")), f"{cell.id} wraps"
            assert block.overflow <= 0, f"{cell.id} sticks out by {block.overflow} pixels"
        notebook.page.screenshot(path=screenshots / f"{name}-table-{number}.png")


def test_a_typed_review_is_answered(finished: Finished, screenshots: Path) -> None:
    """The reader types a review, and probability and picture change."""
    name = "08_final_pipeline"
    notebook, cells = finished[name]
    (cell,) = (cell for cell in cells if cell.kind == "code" and WIDGET in cell.source)
    area = notebook.output(cell)
    box, button = area.locator("textarea"), area.get_by_role("button")
    answer = area.locator(".jupyter-widgets .jp-OutputArea")
    expect(button).to_have_text("Ask the model")
    expect(answer).to_contain_text("probability")  # the example is answered at once
    expect(answer.locator("img")).to_have_count(1)
    before, picture = answer.inner_text(), answer.locator("img").get_attribute("src")
    box.click()
    box.press("ControlOrMeta+a")
    box.press_sequentially(REVIEW)
    button.click()
    expect(answer).not_to_have_text(before)
    expect(answer.locator("img")).to_have_count(1)
    assert answer.locator("img").get_attribute("src") != picture
    assert measure.pictures(answer)[0].natural_width > 0
    likely = {text: _percent(text) for text in (before, answer.inner_text())}
    assert likely[answer.inner_text()] < 50 < likely[before], likely
    notebook.output(cell)
    notebook.page.screenshot(path=screenshots / f"{name}-typed.png")


def _percent(answer: str) -> float:
    """Return the number before the percent sign."""
    return float(answer.split("%")[0].split()[-1])


@pytest.fixture
def dark(finished: "Finished") -> Iterator[str]:
    """Let a test switch to the dark theme, and switch back after it."""
    yield "JupyterLab Dark"
    finished.current.use_theme("JupyterLab Light")


@each_notebook
def test_text_stands_out_in_the_dark(
    name: str, dark: str, finished: Finished, screenshots: Path
) -> None:
    """Text and outputs keep the contrast of WCAG AA in the theme JupyterLab Dark."""
    notebook, cells = finished[name]
    notebook.use_theme(dark)
    found = []
    for cell in cells:
        element = notebook.show(cell)
        if cell.kind == "markdown":
            texts = measure.contrasts(element.locator(".jp-MarkdownOutput"))
            assert texts, f"{cell.id}: no text is drawn"
        else:
            areas = element.locator(".jp-OutputArea-output").all()
            texts = [text for area in areas for text in measure.contrasts(area)]
            assert texts or not cell.text.strip() or cell.pictures, f"{cell.id}: no output"
        found += texts
    weak = sorted({text for text in found if text.ratio < measure.READABLE})
    assert weak == [], f"{len(weak)} of {len(found)} pieces of text are hard to read"
    for part, cell in (("top", cells[0]), ("middle", _middle_picture(cells)), ("end", cells[-1])):
        notebook.output(cell) if cell.pictures else notebook.show(cell)
        notebook.page.screenshot(path=screenshots / f"{name}-dark-{part}.png")


def _middle_picture(cells: list[lab.Cell]) -> lab.Cell:
    """Return the middle one of the cells with a picture."""
    drawn = [cell for cell in cells if cell.pictures]
    return drawn[len(drawn) // 2]


def test_work_is_saved_and_found_again(finished: Finished, server: lab.Server) -> None:
    """Save, close, open again: the outputs are there, and the project has none of it."""
    name = "01_vocabulary"
    notebook, cells = finished[name]
    notebook.save()
    saved = nbformat.read(server.folder / f"{name}.ipynb", as_version=4)
    counts = [cell.execution_count for cell in saved.cells if cell.cell_type == "code"]
    assert counts == [cell.count for cell in cells if cell.kind == "code"]
    notebook.page.reload()
    notebook.wait_until_open()
    assert notebook.cells() == cells
    now = {path.name: path.read_bytes() for path in (PROJECT / "notebooks").glob("*.ipynb")}
    assert now == finished.originals
