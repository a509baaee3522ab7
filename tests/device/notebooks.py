"""Run notebooks on the pretended device, at a reduced size, and report what went wrong.

`make device NOTEBOOKS="03 09"` takes three batches from each loader, so numbers are others than
the text's. See ``python -m tests.device.notebooks --help`` for more.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

from tests.device.pretended import BUILD, PROJECT
from tests.notebooks.editions import few_batches
from tools import run_notebooks

FIRST = """
import resource, sys
sys.path.insert(0, {project!r})
from tests.device import pretended
pretended.enable()
import torch
torch.ops.pretended.float64({float64})
"""
LAST = """
mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print("peak: host", mb, "MB, device", pretended.counts()["peak"] >> 20, "MB")
"""


def run(path: Path, batches: int, apple: bool) -> list[str]:
    """Run a copy of the notebook, each cell whatever became of the others; return the faults."""
    notebook = nbformat.read(path, as_version=4)
    first = FIRST.format(project=str(PROJECT), float64=not apple) + few_batches(batches)
    for cell in notebook.cells:
        cell.metadata.pop("expect", None)
        cell.metadata.tags = ["raises-exception", *cell.metadata.get("tags", [])]
    begin, end = map(nbformat.v4.new_code_cell, (first, LAST))
    notebook.cells = [begin, *notebook.cells, end]
    BUILD.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, BUILD / path.name)
    notebook, _ = run_notebooks.execute(BUILD / path.name)
    print(path.name, notebook.cells[-1].outputs[0].text)
    return [
        f"{path.parent.name}/{path.stem} {cell.id}: {fault}"
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("tags", []).count("raises-exception") < 2
        for fault in _faults(cell)
    ]


def _faults(cell: nbformat.NotebookNode) -> list[str]:
    """Return the error of a cell, and the answers that its check refused."""
    found = [f"{out.ename}: {out.evalue}" for out in cell.outputs if out.output_type == "error"]
    printed = "".join(out.get("text", "") for out in cell.outputs)
    return [*found, *re.findall(r"^✗.*", printed, re.MULTILINE)]


def main() -> int:
    """Run the notebooks that were named; 1 if there is a fault in one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", help="first characters of notebook names, like 03")
    parser.add_argument("--folder", default="notebooks", choices=["notebooks", "exercises"])
    parser.add_argument("--batches", type=int, default=3, help="from each loader; 0 for all")
    parser.add_argument("--apple", action="store_true", help="a device without float64")
    given = parser.parse_args()
    paths = [p for name in given.names for p in (PROJECT / given.folder).glob(f"{name}*.ipynb")]
    faults = [fault for path in sorted(paths) for fault in run(path, given.batches, given.apple)]
    print("\n".join(faults) or f"{len(paths)} notebooks, no faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
