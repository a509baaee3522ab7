"""Make a book of executed notebooks: contents, search, dark theme, folded solutions.

    python -m tools.book                # the stored outputs of notebooks/, into build/book

Sphinx does the work, with myst-nb and the theme sphinx-book-theme. Nothing is run. The pages need
no network and no server: open index.html from disk.
"""

import argparse
import base64
import copy
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.util.console import nocolor
from sphinx.util.docutils import docutils_namespace

from tools.set_address import PROJECT, in_colab, repository

BADGE = re.compile(r"^\[!\[Open in Colab\].*\n", re.MULTILINE)
CAPTION = re.compile(r"\*(Picture: .*?)\*(?:\n\n|\Z)", re.DOTALL)
MINUTES = re.compile(r"\*\*Takes\*\* (?:about )?(\d+ minutes)")
#: a row of README's table: stem of the notebook, what it teaches
ROW = re.compile(r"^\| \[[^]]+\]\(\S+/notebooks/(\w+)\.ipynb\) \| ([^|]+) \|", re.MULTILINE)
SIDE_ROADS = "11"  # from this number on
HOME = f"https://github.com/{repository()}"

FRONT = """# From Bag of Words to LoRA

{lead}

**New here?** Open the first notebook in Colab, and write into its gaps: \
[start with 01]({first}). \
This book is the worked edition: every answer, every output, every picture. Solutions are folded. \
How to install it, teach it, or report a mistake: see [the repository]({home}).

"""
ROAD = """## {name}

::::{{grid}} 1 2 2 3
:gutter: 3

{cards}
::::

```{{toctree}}
:hidden:
:caption: {name}

{stems}
```

"""
CARD = """:::{{grid-item-card}} [{title}]({stem}.ipynb)
{picture}
{what}{minutes}

In Colab: [with gaps]({gaps}) · [worked]({worked})
:::
"""


def title_of(notebook: NotebookNode, default: str) -> str:
    """Return the first heading of the notebook."""
    for cell in notebook.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            if line.startswith("# "):
                return line[2:].strip()
    return default


def colab(edition: str, stem: str) -> str:
    """Return the address that opens a notebook of an edition in Colab."""
    return in_colab(repository(), f"{edition}/{stem}.ipynb")


def as_page(notebook: NotebookNode, stem: str) -> NotebookNode:
    """Return a copy for the book: solutions folded, links for badges, captions as alt texts."""
    page = copy.deepcopy(notebook)
    page.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    links = f"Open in Colab: [with gaps]({colab('exercises', stem)}) · "
    links += f"[worked]({colab('notebooks', stem)})\n"
    for cell, caption in zip(page.cells, _captions(page), strict=True):
        if cell.cell_type == "markdown":
            cell.source = BADGE.sub(links, cell.source)
        elif cell.id.endswith("-solution") or cell.id == "colab":
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
        if caption:
            cell.metadata["mystnb"] = {"image": {"alt": caption}}
    return page


def _captions(notebook: NotebookNode) -> list[str]:
    """Return for each cell the "Picture: …" that follows its picture, or nothing."""
    captions, caption = [], ""
    for cell in reversed(notebook.cells):
        if cell.cell_type == "markdown" and (found := CAPTION.search(cell.source)):
            caption = " ".join(found[1].split())
        drawn = list(_pictures([cell]))
        captions.append(caption if drawn else "")
        caption = "" if drawn else caption
    return captions[::-1]


def _pictures(cells: Iterable[NotebookNode]) -> Iterable[bytes]:
    """Give the PNGs in the outputs of cells."""
    for cell in cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield base64.b64decode(output.data["image/png"])


def _card(notebook: NotebookNode, stem: str, what: str, folder: Path) -> str:
    """Return a notebook's card for the front page; its picture goes to `folder`."""
    covers = [cell for cell in notebook.cells if "cover" in cell.metadata.get("tags", [])]
    picture = ""
    if drawn := next(iter(_pictures(covers or notebook.cells)), None):
        (folder / f"{stem}.png").write_bytes(drawn)
        picture = f":img-bottom: {stem}.png\n:img-alt: a picture of this notebook\n"
    takes = MINUTES.search(notebook.cells[0].source)
    return CARD.format(
        title=title_of(notebook, stem),
        stem=stem,
        picture=picture,
        what=what[:1].upper() + what[1:],
        minutes=f" · {takes[1]}" if takes else "",
        gaps=colab("exercises", stem),
        worked=colab("notebooks", stem),
    )


def write_sources(paths: Iterable[Path], folder: Path) -> None:
    """Write the pages of executed notebooks, and the front page, as Sphinx reads them."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    what = dict(ROW.findall(readme))
    roads: dict[str, dict[str, str]] = {"The main road": {}, "Side roads": {}}
    for path in sorted(paths, key=lambda path: path.name):
        notebook, stem = nbformat.read(path, as_version=4), path.stem
        nbformat.write(as_page(notebook, stem), folder / path.name)
        road = roads["The main road" if stem < SIDE_ROADS else "Side roads"]
        road[stem] = _card(notebook, stem, what.get(stem, ""), folder)
    lead = readme.split("\n\n")[1]  # the paragraph below the title
    front = FRONT.format(lead=lead, first=colab("exercises", "01_vocabulary"), home=HOME)
    for name, cards in roads.items():
        if cards:
            text = ROAD.format(name=name, cards="\n".join(cards.values()), stems="\n".join(cards))
            front += text
    (folder / "index.md").write_text(front, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Let formulas be MathML, which browsers draw themselves; Sphinx calls this."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mathml(formula: str, display: str) -> str:
    """Return TeX as MathML, with TeX's thin space between a function and its argument."""
    space = '<mspace width="0.167em"></mspace>'
    return re.sub(
        r"(<mi>(?:ln|log|exp)</mi>)(?!<mo)", rf"\1{space}", convert(formula, display=display)
    )


def _inline(translator: Any, node: Any) -> None:
    translator.body.append(_mathml(node.astext(), "inline"))
    raise SkipNode


def _block(translator: Any, node: Any) -> None:
    translator.body.append(f'<div class="formula">{_mathml(node.astext(), "block")}</div>')
    raise SkipNode


SETTINGS = {
    "project": "From Bag of Words to LoRA",
    "html_show_sphinx": False,
    "extensions": ["myst_nb", "sphinx_design", "tools.book"],
    "myst_enable_extensions": ["dollarmath", "colon_fence"],
    "nb_execution_mode": "off",
    "nb_merge_streams": True,
    "nb_output_stderr": "remove",
    "nb_code_prompt_show": "Show the code",
    "nb_code_prompt_hide": "Hide the code",
    "html_math_renderer": "mathml",
    "html_theme": "sphinx_book_theme",
    "html_title": "From Bag of Words to LoRA",
    "html_context": {"default_mode": "auto"},
    "html_show_search_summary": False,  # excerpts need a server
    "html_copy_source": False,
    "html_css_files": ["book.css"],
    "html_static_path": [str(PROJECT / "tools" / "book_static")],
    "suppress_warnings": ["mystnb.unknown_mime_type"],
}


def build(paths: Iterable[Path], output: Path) -> Path:
    """Make the book of executed notebooks in `output`; return its front page.

    Raises
    ------
    RuntimeError
        If Sphinx warns: about a broken link, say, or text that it does not understand.
    """
    theme = {"repository_url": HOME, "use_repository_button": True, "use_download_button": False}
    theme |= {"use_fullscreen_button": False, "home_page_in_toc": True, "navbar_persistent": []}
    nocolor()
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "sources"
        sources.mkdir()
        write_sources(paths, sources)
        warnings = Path(folder) / "warnings.txt"
        with warnings.open("w", encoding="utf-8") as said, docutils_namespace():
            app = Sphinx(
                sources,
                None,
                output,
                Path(folder) / "doctrees",
                "html",
                confoverrides={**SETTINGS, "html_theme_options": theme},
                status=None,
                warning=said,
                freshenv=True,
            )
            app.build()
        if text := warnings.read_text(encoding="utf-8"):
            raise RuntimeError(f"Sphinx warns:\n{text}")
    return output / "index.html"


def leave(paths: Iterable[Path], output: Path) -> int:
    """Make the book and say where it is, or what Sphinx warns of; return the exit status."""
    try:
        print(f"Read it: {build(paths, output)}")
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Make the book."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=PROJECT / "notebooks")
    parser.add_argument("--output", type=Path, default=PROJECT / "build" / "book")
    options = parser.parse_args(arguments)
    paths = sorted(options.folder.glob("*.ipynb"))
    if not paths:
        print(f"No notebook in {options.folder}.", file=sys.stderr)
        return 2
    return leave(paths, options.output)


if __name__ == "__main__":
    sys.exit(main())
