"""How nbval compares notebooks, for `pytest --nbval` from anywhere in the project."""

from collections.abc import Generator

import pytest

from tools import expectations


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Leave stderr (progress bars) out of the comparison."""
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += ("stderr", "text/html")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Name cells by their ids, keep a notebook together, and compare only what can be.

    The cells of a notebook share a kernel, so they run in one process, in order. What depends
    on absent data is run, but not compared.
    """
    if not _is_cell(item):
        return
    item.name = item.cell.id
    item._nodeid = f"{item.parent.nodeid}::{item.cell.id}"
    item.add_marker(pytest.mark.xdist_group(item.parent.nodeid))
    if not expectations.has_its_data(item.cell):
        item.options["check"] = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """After a cell of a notebook, evaluate the expressions in its metadata, ``expect``."""
    yield
    if _is_cell(item):
        client = item.parent.kernel.kc
        if broken := expectations.broken(item.cell, client, client.get_shell_msg):
            item.raise_cell_error("\n".join(broken))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process works alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _is_cell(item: pytest.Item) -> bool:
    return type(item).__name__ == "IPyNbCell"
