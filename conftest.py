"""How nbval compares notebooks, for `pytest --nbval` from anywhere in the project."""

from pathlib import Path

import pytest

from helpers.storage import data_folder

#: cells with this tag depend on a data file: compared only where the file is at hand
NEEDS = {
    "needs-test-split": Path("imdb") / "test.csv.gz",
    "needs-abalone": Path("abalone") / "abalone.data",
}


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Leave stderr (progress bars) out of the comparison."""
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += ("stderr", "text/html")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Name cells by their ids, keep a notebook together, and compare only what can be.

    The cells of a notebook share a kernel, so they run in one process, in order. What depends
    on absent data is run, but not compared.
    """
    if type(item).__name__ != "IPyNbCell":
        return
    item.name = item.cell.id
    item._nodeid = f"{item.parent.nodeid}::{item.cell.id}"
    item.add_marker(pytest.mark.xdist_group(item.parent.nodeid))
    tags = item.cell.metadata.get("tags", [])
    if any(tag in NEEDS and not _at_hand(NEEDS[tag]) for tag in tags):
        item.options["check"] = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process works alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _at_hand(file: Path) -> bool:
    return (data_folder() / file).exists()
