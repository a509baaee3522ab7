"""Execute notebooks in order and leave a book to read.

    python -m tools.run_notebooks                 # all of notebooks/
    python -m tools.run_notebooks --store 01 02   # renew the outputs stored in notebooks/

The executed copies land in build/notebooks, the book made of them in build/book. A notebook that
was not run is in it with its stored outputs.
"""

import argparse
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from jupyter_client.utils import run_sync
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from tabulate import tabulate

from helpers.storage import atomic_write
from tools import book, expectations

PROJECT = Path(__file__).resolve().parent.parent
CELL_SECONDS = 1_800
PROGRESS_BAR = re.compile(r"%\||\[\d\d:\d\d")  # of tqdm, with and without a known total


class CellFailed(RuntimeError):  # noqa: N818 - it names what happened
    """A cell raised an error; the message names notebook, cell and error."""


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
    parser.add_argument("--jobs", type=int, default=1, help="how many notebooks run side by side")
    options = parser.parse_args(arguments)
    paths = sorted(options.folder.glob("*.ipynb"))
    if options.names:
        paths = [path for path in paths if path.name.startswith(tuple(options.names))]
    if not paths:
        print(f"No notebook in {options.folder} fits {options.names}.", file=sys.stderr)
        return 2
    executed = options.output / "notebooks"
    executed.mkdir(parents=True, exist_ok=True)
    taken: dict[tuple[str, str], float] = {}

    def run(position: int, path: Path) -> None:
        print(f"[{position}/{len(paths)}] {path.name}", flush=True)
        start, before = time.perf_counter(), path.read_bytes()
        notebook, cell_seconds = execute(path)
        if options.store:
            if path.read_bytes() != before:
                raise CellFailed(f"{path.name} was changed while it ran: nothing is stored.")
            store(without_progress_bars(notebook), path)
        nbformat.write(notebook, executed / path.name)
        taken.update({(path.stem, name): value for name, value in cell_seconds.items()})
        print(f"  {path.stem}  done in {time.perf_counter() - start:.0f} s", flush=True)

    with ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(run, *numbered) for numbered in enumerate(paths, start=1)]
        try:
            for ended in as_completed(running):
                ended.result()
        except CellFailed as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
        finally:  # whatever stopped one, no other begins; those that run come to their end
            pool.shutdown(cancel_futures=True)
    report_seconds(taken, options.output)
    others = [path for path in sorted(options.folder.glob("*.ipynb")) if path not in paths]
    return book.leave([executed / path.name for path in paths] + others, options.output / "book")


if __name__ == "__main__":
    sys.exit(main())
