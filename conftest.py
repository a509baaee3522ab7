"""How nbval compares notebooks, for `pytest --nbval` from anywhere in the project."""

from pathlib import Path

import pytest

from helpers.files import data_folder

#: cells with this tag depend on a data file: compared only where the file is at hand
NEEDS = {
    "needs-test-split": Path("imdb") / "test.csv.gz",
    "needs-abalone": Path("abalone") / "abalone.data",
}


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Leave stderr (progress bars) out of the comparison."""
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += ("stderr", "text/html")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name cells by their ids, and run without comparing what depends on absent data."""
    for item in items:
        if type(item).__name__ != "IPyNbCell":
            continue
        item.name = item.cell.id
        item._nodeid = f"{item.parent.nodeid}::{item.cell.id}"
        tags = item.cell.metadata.get("tags", [])
        missing = [tag for tag in tags if tag in NEEDS and not _at_hand(NEEDS[tag])]
        if missing:
            item.options["check"] = False


def _at_hand(file: Path) -> bool:
    return (data_folder() / file).exists()
