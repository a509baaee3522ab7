"""Rows in processes of their own, asked one after another over a pipe.

Light on purpose (no PyTorch): see `benchmarks.machine.peak_memory`.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

PROJECT = Path(__file__).resolve().parent.parent
PROGRAM = (sys.executable, "-m", "benchmarks.worker")


class RowFailedError(RuntimeError):
    """A row's process failed; the message says which, at what, and what it printed last."""


class RowUnavailableError(RuntimeError):
    """A row cannot be measured here; the message says why."""


class Worker:
    """One row of the table in a process of its own, alive until closed.

    Parameters
    ----------
    row : str
        A name in `benchmarks.others.ROWS`, with an argument after a colon if it takes one.
    reviews : Path
        The file that `benchmarks.worker` reads the reviews from.
    program : sequence of str
        What to start; it gets both as arguments.

    Attributes
    ----------
    facts : dict
        What the process said when it was ready: title, columns, threads and
        baseline (bytes held at most until then, by imports, raw texts and warm-up).

    Raises
    ------
    RowFailedError
        If the process does not become ready.
    RowUnavailableError
        If it says that the row cannot be measured here.
    """

    def __init__(self, row: str, reviews: Path, program: Sequence[str] = PROGRAM) -> None:
        self.row = row
        self._errors = tempfile.TemporaryFile(  # noqa: SIM115 - closed in close()
            "w+", encoding="utf-8", errors="replace"
        )
        self._process = subprocess.Popen(
            [*program, row, str(reviews)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=PROJECT,
            # its temporary files go where the reviews are, so they go when that folder does
            env=os.environ | {"TMPDIR": str(reviews.parent.resolve())},
        )
        try:
            self.facts = self._reply("start")
        except BaseException:
            self.close()
            raise

    def ask(self, task: str) -> dict:
        """Have the row do a task; return its answer, ``seconds`` and ``value`` among it.

        Raises
        ------
        RowFailedError
            If the task raises, or the process dies.
        """
        try:
            self._process.stdin.write(json.dumps({"task": task}) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it died since the last task; the reply says how
        return self._reply(task)

    def _reply(self, task: str) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RowFailedError(self._death(task))
        reply = json.loads(line)
        if "unavailable" in reply:
            raise RowUnavailableError(reply["unavailable"])
        if "error" in reply:
            raise RowFailedError(f"row {self.row!r} failed at {task!r}: {reply['error']}")
        return reply

    def _death(self, task: str) -> str:
        code = self._process.wait()
        hint = " (killed: was there enough memory?)" if code == -9 else ""
        self._errors.seek(0)
        last = self._errors.read().strip().splitlines()[-3:]
        said = f" Its last lines: {' / '.join(last)}" if last else ""
        return (
            f"the process of row {self.row!r} died at {task!r} with exit code {code}{hint}.{said}"
        )

    def close(self) -> None:
        """End the process: politely, then by force."""
        try:
            self._process.stdin.close()
            self._process.wait(timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
