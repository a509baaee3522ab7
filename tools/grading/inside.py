"""In the sandbox: runs the cells that it is told, one by one, in a kernel.

    python -m tools.grading.inside 3 4000000000    # over the socket that is file 3; bytes

Who asks believes nothing of what comes back: it takes the data of the check that it asked for.
"""

import json
import queue
import resource
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

import nbformat
from jupyter_client.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from tools.grading.answering import MIME

#: characters of a cell's outputs that are kept; a picture has some ten thousand
MOST_CHARACTERS = 2_000_000
EXPRESSION_SECONDS = 60


class Runner(NotebookClient):
    """Runs cells one by one, and keeps the beginning of what they put out."""

    room = MOST_CHARACTERS

    def process_message(self, message: dict, cell: Any, cell_index: int) -> Any:
        """Drop what is too much, while it comes; an answer is kept."""
        if message["msg_type"] in ("stream", "display_data", "execute_result", "error"):
            content = message["content"]
            if MIME not in content.get("data", {}):
                room, self.room = self.room, self.room - len(json.dumps(content))
                if self.room < 0 and (room < 0 or "text" not in content):
                    return None
                if self.room < 0:
                    content["text"] = content["text"][:room]
        return super().process_message(message, cell, cell_index)

    def run(self, source: str, before: str, seconds: int) -> dict[str, Any]:
        """Evaluate the expression `before`, then run a cell; say how it ended."""
        start = time.perf_counter()
        cell = nbformat.v4.new_code_cell(source)
        self.nb.cells.append(cell)
        self.room, self.timeout = MOST_CHARACTERS, seconds
        try:
            if before:
                self.evaluate(before)
            self.execute_cell(cell, len(self.nb.cells) - 1)
            ended = "late" if time.perf_counter() - start > seconds else ""
        except (DeadKernelError, TimeoutError, RuntimeError, OSError, queue.Empty):
            ended = "dead"
        manager: Any = self.km
        if not run_sync(manager.is_alive)():
            ended = "dead"
        if self.room < 0:
            text = "\n… (and more, left out)\n"
            cell.outputs.append(nbformat.v4.new_output("stream", text=text))
        return {"outputs": cell.outputs, "ended": ended, "seconds": time.perf_counter() - start}

    def evaluate(self, expression: str) -> None:
        """Evaluate an expression in the kernel, which no transformer of cells has a say in."""
        client: Any = self.kc
        message = client.execute("", silent=True, user_expressions={"it": expression})
        receive = run_sync(client.get_shell_msg)
        while receive(timeout=EXPRESSION_SECONDS)["parent_header"].get("msg_id") != message:
            pass


def main(number: int, most_bytes: int) -> None:
    """Run cells until there are no more; a process that wants more memory gets a MemoryError."""
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
    asked = Connection(number)
    runner = Runner(
        nbformat.v4.new_notebook(),
        kernel_name="python3",
        allow_errors=True,
        interrupt_on_timeout=True,
        extra_arguments=["--log-level=CRITICAL"],
    )
    with runner.setup_kernel():
        while True:
            try:
                request = json.loads(asked.recv_bytes())
            except EOFError:
                return
            asked.send_bytes(json.dumps(runner.run(**request)).encode())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
