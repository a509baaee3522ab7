"""Evaluate what a notebook's cells promise: the expressions in their metadata, ``expect``.

The regression (conftest.py) and `tools.run_notebooks` ask the kernel after each cell, outside of
the notebook: nothing is printed, counted or stored.
"""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from nbformat import NotebookNode

from helpers.storage import data_folder

#: cells with this tag depend on a data file
NEEDS = {
    "needs-test-split": Path("imdb") / "test.csv.gz",
    "needs-abalone": Path("abalone") / "abalone.data",
}
SECONDS = 600  # for the expressions of one cell
MOST_CHARACTERS = 200  # of a value


class Client(Protocol):
    """What is used of a kernel's client, blocking or not."""

    def execute(self, code: str, **options: Any) -> str:
        """Send code and expressions; return the message's id."""


def has_its_data(cell: NotebookNode) -> bool:
    """Whether the data files that a cell's tags name are at hand."""
    tags = cell.metadata.get("tags", [])
    return all((data_folder() / NEEDS[tag]).exists() for tag in tags if tag in NEEDS)


def broken(cell: NotebookNode, client: Client, receive: Callable[..., dict[str, Any]]) -> list[str]:
    """Return a line for each expression of a cell's ``expect`` that does not hold.

    Parameters
    ----------
    cell : NotebookNode
        A code cell that has just run.
    client : Client
        Of its kernel.
    receive : callable
        ``receive(timeout=seconds)`` returns the next message of the shell channel.
    """
    expressions = list(cell.metadata.get("expect", ()))
    if not expressions or not has_its_data(cell):
        return []
    verdicts = ask(client, receive, [f"bool({expression})" for expression in expressions])
    failed = [
        (expression, verdict)
        for expression, verdict in zip(expressions, verdicts, strict=True)
        if verdict != "True"
    ]
    lines = []
    for expression, verdict in failed:
        parts = operands(expression)
        values = ask(client, receive, parts) if verdict == "False" else []
        pairs = zip(parts, values, strict=False)
        shown = [f"{part} = {value}" for part, value in pairs if not value.startswith("<module")]
        lines.append("\n    ".join([f"expected: {expression}", *(shown or [verdict])]))
    return lines


def operands(expression: str) -> list[str]:
    """Return what to look at if an expression does not hold: its operands, else its names."""
    tree = ast.parse(expression, mode="eval").body
    nodes = list(ast.walk(tree))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    bound = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    called = [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]
    sides = [tree.left, *tree.comparators] if isinstance(tree, ast.Compare) else []
    parts = [side for side in sides if any(isinstance(node, ast.Name) for node in ast.walk(side))]
    found = [ast.unparse(part) for part in parts] + [name.id for name in names]
    return [part for part in dict.fromkeys(found) if part not in {*bound, *called}]


def ask(
    client: Client, receive: Callable[..., dict[str, Any]], expressions: list[str]
) -> list[str]:
    """Return what the kernel makes of each expression, as text; of an error its message."""
    message = client.execute(
        "",
        silent=True,
        store_history=False,
        user_expressions={str(index): text for index, text in enumerate(expressions)},
    )
    while (reply := receive(timeout=SECONDS))["parent_header"].get("msg_id") != message:
        pass
    results = reply["content"].get("user_expressions", {})
    return [_text(results[str(index)]) for index in range(len(expressions))]


def _text(result: dict[str, Any]) -> str:
    if result["status"] != "ok":
        return f"{result['ename']}: {result['evalue']}"
    text = " ".join(result["data"]["text/plain"].split())
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
