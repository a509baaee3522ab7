"""Execute notebooks in order and leave pages to read.

    python -m tools.run_notebooks                 # all of notebooks/, into build/
    python -m tools.run_notebooks --store 01 02   # renew the outputs stored in notebooks/

The executed copies and an HTML page of each land in build/, with an index.html if all are
run.
"""

import argparse
import html
import re
import sys
import time
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from bs4 import BeautifulSoup
from jinja2 import pass_context
from jinja2.runtime import Context
from jupyter_client.utils import run_sync
from latex2mathml.converter import convert
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from tabulate import tabulate

from helpers.storage import atomic_write
from tools import expectations

PROJECT = Path(__file__).resolve().parent.parent
CELL_SECONDS = 1_800
PROGRESS_BAR = re.compile(r"%\||\[\d\d:\d\d")  # of tqdm, with and without a known total

#: JupyterLab's page without scripts from the net, and with what a narrow screen needs
PAGE = """
{%- extends "lab/index.html.j2" -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
.jp-InputArea-editor, .jp-OutputArea-output { overflow-x: auto }
.jp-OutputArea-output pre { white-space: pre; word-break: normal }
.jp-RenderedImage img { max-width: 100%; height: auto }
math {
    font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math;
    font-size: 1.1em;
}
.formula { display: block; overflow-x: auto; padding: 0.5em 0 }
</style>
{%- endblock -%}
"""


class CellFailed(RuntimeError):  # noqa: N818 - it names what happened
    """A cell raised an error; the message names notebook, cell and error."""


def title_of(notebook: nbformat.NotebookNode, default: str) -> str:
    """Return the first heading of the notebook."""
    for cell in notebook.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            if line.startswith("# "):
                return line[2:].strip()
    return default


def execute(path: Path) -> tuple[nbformat.NotebookNode, dict[str, float]]:
    """Run a notebook in a fresh kernel, a line of progress for each cell.

    Returns
    -------
    NotebookNode, dict
        The notebook with its outputs, and the seconds that each code cell took, by its id.

    Raises
    ------
    CellFailed
        At the first cell that raises, runs too long, kills its kernel, or breaks an expression
        in its metadata (``expect``).
    """
    notebook = nbformat.read(path, as_version=4)
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR"],
    )
    for index in code:
        notebook.cells[index].outputs, notebook.cells[index].execution_count = [], None
    taken = {}
    with client.setup_kernel():
        kernel: Any = client.kc
        receive = run_sync(kernel.get_shell_msg)
        for number, index in enumerate(code, start=1):
            cell = notebook.cells[index]
            start = time.perf_counter()
            try:
                client.execute_cell(cell, index, execution_count=number)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raise CellFailed(
                    f"{path.name}, cell {cell.id!r} (code cell {number} of {len(code)}) "
                    f"failed:\n\n{cell.source}\n\n{error}"
                ) from error
            if broken := expectations.broken(cell, kernel, receive):
                raise CellFailed("\n".join([f"{path.name}, cell {cell.id!r}:", *broken]))
            taken[cell.id] = seconds = time.perf_counter() - start
            print(
                f"  {path.stem}  {number:3d}/{len(code)}  {seconds:7.1f} s  {cell.id}", flush=True
            )
    return notebook, taken


def without_progress_bars(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop progress bars, timings and machine-dependent metadata before storing.

    Raises
    ------
    CellFailed
        If a cell wrote anything else to stderr: a stored notebook has no warnings.
    """
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        kept = []
        for output in cell.outputs:
            if output.get("name") != "stderr":
                kept.append(output)
            elif not all(PROGRESS_BAR.search(line) for line in _lines(output.text)):
                raise CellFailed(f"cell {cell.id!r} wrote to stderr:\n{output.text}")
        cell.outputs = _joined(kept)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Join what a cell printed in several pieces, which depends on timing alone."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream":
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\r", "\n").splitlines() if line.strip()]


def _mathml(formula: str, display: str) -> str:
    """Return TeX as MathML, with TeX's thin space between a function and its argument."""
    space = '<mspace width="0.167em"></mspace>'
    return re.sub(
        r"(<mi>(?:ln|log|exp)</mi>)(?!<mo)", rf"\1{space}", convert(formula, display=display)
    )


class _Renderer(IPythonRenderer):
    """Markdown as HTML: formulas as MathML, links to other notebooks as links to their pages."""

    def inline_math(self, body: str) -> str:
        """Return a formula within a line."""
        return _mathml(body, "inline")

    def block_math(self, body: str) -> str:
        """Return a formula on a line of its own, which scrolls where the screen is too narrow."""
        return f'<span class="formula">{_mathml(body, "block")}</span>'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link; ``02_dataset.ipynb`` becomes ``02_dataset.html``."""
        return super().link(text, re.sub(r"^([^:/]+)\.ipynb(?=$|#)", r"\1.html", url), title)


class _PageExporter(HTMLExporter):
    """Export a notebook to a page that needs nothing but itself to be read."""

    def __init__(self) -> None:
        super().__init__(template_name="lab")
        self.raw_template = PAGE

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        """Return a text cell as HTML; the template calls this."""
        return MarkdownWithMath(renderer=_Renderer(escape=False)).render(source)


def _captioned(page: str) -> str:
    """Give each picture the caption that follows it ("Picture: ...") as its text alternative."""
    soup = BeautifulSoup(page, "html.parser")
    for picture in soup.select(".jp-RenderedImage img"):
        caption = picture.find_next(
            lambda tag: tag.name == "em" and tag.get_text().startswith("Picture")
        )
        if caption is not None and caption.find_previous("img") is picture:
            picture["alt"] = caption.get_text()
    return str(soup)


def write_page(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write the executed notebook beside its HTML page."""
    nbformat.write(notebook, path.with_suffix(".ipynb"))
    page, _ = _PageExporter().from_notebook_node(
        notebook, resources={"metadata": {"name": title_of(notebook, path.stem)}}
    )
    path.with_suffix(".html").write_text(_captioned(page), encoding="utf-8")


def write_index(rows: list[tuple[str, str, float]], folder: Path) -> Path:
    """Write build/index.html: a link and the seconds for each notebook."""
    items = "\n".join(
        f'<li><a href="{stem}.html">{html.escape(title)}</a> '
        f'<small>({seconds:.0f} s; <a href="{stem}.ipynb">notebook</a>)</small></li>'
        for stem, title, seconds in rows
    )
    index = folder / "index.html"
    index.write_text(
        "<!doctype html>\n<html lang='en'><meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        "<title>From Bag of Words to LoRA</title>\n"
        "<style>body{font:18px/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;"
        "padding:0 1rem} small{color:#555}</style>\n"
        f"<h1>From Bag of Words to LoRA</h1>\n<ul>\n{items}\n</ul>\n</html>\n",
        encoding="utf-8",
    )
    return index


def store(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook with its outputs over the one at `path`, whole or not at all."""
    with atomic_write(path) as file:
        file.write((nbformat.writes(notebook) + "\n").encode())


def report_seconds(taken: dict[tuple[str, str], float], folder: Path, count: int = 12) -> None:
    """Write the seconds of every cell to seconds.csv, and print the slowest cells."""
    slowest = sorted(taken.items(), key=lambda item: -item[1])
    lines = [f"{stem},{name},{seconds:.2f}" for (stem, name), seconds in slowest]
    path = folder / "seconds.csv"
    path.write_text("\n".join(["notebook,cell,seconds", *lines]) + "\n", encoding="utf-8")
    total = sum(taken.values())
    rows = [(stem, name, seconds, seconds / total) for (stem, name), seconds in slowest[:count]]
    print(f"\nAll cells took {total:.0f} s; the slowest (all of them: {path}):")
    print(tabulate(rows, ["notebook", "cell", "seconds", "share"], floatfmt=("", "", ".1f", ".0%")))


def main(arguments: list[str] | None = None) -> int:
    """Run the notebooks named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="first characters of notebook names, like 01")
    parser.add_argument("--folder", type=Path, default=PROJECT / "notebooks")
    parser.add_argument("--output", type=Path, default=PROJECT / "build")
    parser.add_argument(
        "--store", action="store_true", help="also store the outputs in the notebooks themselves"
    )
    options = parser.parse_args(arguments)
    paths = sorted(options.folder.glob("*.ipynb"))
    if options.names:
        paths = [path for path in paths if path.name.startswith(tuple(options.names))]
    if not paths:
        print(f"No notebook in {options.folder} fits {options.names}.", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[str, str, float]] = []
    taken: dict[tuple[str, str], float] = {}
    for position, path in enumerate(paths, start=1):
        print(f"[{position}/{len(paths)}] {path.name}", flush=True)
        start = time.perf_counter()
        before = path.read_bytes()
        try:
            notebook, cell_seconds = execute(path)
            if options.store:
                if path.read_bytes() != before:
                    raise CellFailed(f"{path.name} was changed while it ran: nothing is stored.")
                store(without_progress_bars(notebook), path)
        except CellFailed as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
        seconds = time.perf_counter() - start
        write_page(notebook, options.output / path.stem)
        taken |= {(path.stem, name): value for name, value in cell_seconds.items()}
        rows.append((path.stem, title_of(notebook, path.stem), seconds))
        print(f"  {path.stem}  done in {seconds:.0f} s", flush=True)
    report_seconds(taken, options.output)
    if not options.names:
        print(f"Read them: {write_index(rows, options.output)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
