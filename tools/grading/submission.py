"""One submission: repaired, run in a sandbox, judged outside of it."""

import functools
import hashlib
import html
import json
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import bleach
import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from helpers.storage import atomic_write
from tools.grading import repair, sandbox
from tools.grading.sandbox import CannotGrade
from tools.make_exercises import PROJECT, derive, exercises_of

MIME = "application/x.course-answer+json"
#: what a page keeps of a text's or a table's HTML
TAGS = [*bleach.ALLOWED_TAGS, "br", "details", "div", "h1", "h2", "h3", "h4", "hr", "p", "pre"]
TAGS += ["span", "sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr"]
JUDGE_SECONDS = 120
#: run in the kernel before a check: pristine modules, whatever was done to those that are there
READY = """
import sys
for name in [*sys.modules]:
    if name.split(".")[0] in ("lessons", "tools") and not name.startswith("lessons.n"):
        del sys.modules[name]
sys.path.insert(0, {course!r})
from tools.grading import answering
answering.ready({verdicts!r}, {label!r}, {task!r})
"""


@dataclass
class Limits:
    """What a submission may use: seconds for a cell and for all, GB for each process."""

    cell: int = 300
    notebook: int = 3_600
    memory: float = 4.0


@dataclass
class Assignment:
    """A notebook that is graded.

    Parameters
    ----------
    name : str
        Its name, like "03_dataloader".
    work : Path
        A folder for the copy of the course.
    cache : Path
        A folder for caches of the data.
    kind : str
        The sandbox: "bwrap" or "none".
    limits : Limits
        What a submission may use.
    """

    name: str
    work: Path
    cache: Path
    kind: str
    limits: Limits
    edition: NotebookNode = field(init=False)
    points: dict[str, int] = field(init=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        worked = PROJECT / "notebooks" / f"{self.name}.ipynb"
        if not worked.exists():
            raise CannotGrade(f"There is no notebook {worked}.")
        notebook = nbformat.read(worked, as_version=4)
        self.edition = derive(notebook, self.name)
        self.points = exercises_of(notebook)
        rooms = (*PROJECT.glob("lessons/*.py"), *PROJECT.glob(f"lessons/n{self.name}/*.py"))
        parts = [worked, *sorted(rooms), *sorted(PROJECT.glob("helpers/*.py"))]
        self.digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
        sources = [cell.source for cell in self.edition.cells if cell.cell_type == "code"]
        sandbox.copy_course(worked, sources, self.work / self.name)


class Judge:
    """The judge's process; a new one is started where it was ended."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._start()

    def _start(self) -> None:
        here, there = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.grading.judge", self.name, str(there.fileno())],
            pass_fds=[there.fileno()],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        there.close()
        self.peer = Connection(here.detach())

    def ask(self, **request: Any) -> Any:
        """Return the judge's reply; a verdict if it takes too long over an answer."""
        try:
            self.peer.send_bytes(json.dumps(request).encode())
            if self.peer.poll(JUDGE_SECONDS):
                return json.loads(self.peer.recv_bytes())
        except (OSError, EOFError):
            pass
        self.close()
        self._start()
        if "answer" not in request:
            raise CannotGrade(f"the judge of {self.name} does not start: is the course complete?")
        return f"✗ {request['label']}: what it gave is too much to be judged."

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.peer.close()


def grade(
    path: Path, student: str, assignment: Assignment, judge: Judge, keep: bool = False
) -> tuple[dict[str, Any], NotebookNode | None]:
    """Grade a submission.

    Parameters
    ----------
    path : Path
        The notebook that was handed in.
    student : str
        Whose it is.
    assignment : Assignment
        What was asked.
    judge : Judge
        Of this notebook.
    keep : bool
        Whether caches of the data are kept: for the worked notebook.

    Returns
    -------
    dict, NotebookNode
        ``points`` by stem, None where an exercise was not graded; ``said``, the judge's lines;
        ``reason``, empty if it was graded to its end; ``look``, what a teacher should look at;
        ``seconds``. And the notebook as it ran.
    """
    start = time.monotonic()
    submitted = repair.read(path)
    notebook, missing = repair.repair(submitted, assignment.edition)
    look = repair.suspicious(notebook, assignment.edition)
    labels = judge.ask()
    verdicts = dict.fromkeys(labels.values(), "…")
    said: dict[str, str] = {}
    course = str(assignment.work / assignment.name if assignment.kind == "none" else PROJECT)
    limits, reason, news = assignment.limits, "", True
    box = sandbox.Sandbox(
        assignment.kind,
        assignment.work / assignment.name,
        assignment.cache,
        keep,
        limits.memory,
        limits.notebook,
    )
    try:
        for cell in [cell for cell in notebook.cells if cell.cell_type == "code"]:
            stem = cell.id.removesuffix("-check") if cell.id.endswith("-check") else ""
            label, task = "", b""
            if stem in assignment.points:
                label = labels[re.findall(r"check\.(\w+)", cell.source)[0]]
                task = bytes.fromhex(judge.ask(task=label))
            code = READY.format(course=course, verdicts=verdicts, label=label, task=task)
            before = f"__import__('builtins').exec({code!r}, {{}})" if label or news else ""
            reply = box.run(cell.source, before, limits.cell)
            news = bool(label)
            cell.outputs, answer = _outputs(reply["outputs"])
            if label:
                said[stem] = _line(label, answer, reply, judge, limits)
                verdicts[label] = said[stem][0]
                cell.outputs.append(nbformat.v4.new_output("stream", text=said[stem]))
            if reply["ended"] == "dead":
                reason = f"it ended in the cell {cell.id}: {box.ended or 'its kernel died'}"
                break
    finally:
        box.close()
    points = {
        stem: most if said.get(stem, "")[:1] == "✓" else 0
        for stem, most in assignment.points.items()
    }
    lost = {stem: "its cell is missing" for stem in missing if not points[stem]}
    lost |= {stem: "it was not reached" for stem in points if stem not in said}
    result = {
        "student": student,
        "notebook": assignment.name,
        "points": {stem: None if stem in lost else part for stem, part in points.items()},
        "said": said | {stem: f"not graded: {why}" for stem, why in lost.items()},
        "reason": reason or (f"not graded: {', '.join(lost)} (missing cells)" if lost else ""),
        "look": look,
        "seconds": round(time.monotonic() - start, 1),
    }
    return result, notebook


def _line(label: str, answer: Any, reply: dict, judge: Judge, limits: Limits) -> str:
    """Return the verdict on what a check's cell handed over."""
    if isinstance(answer, dict):
        return judge.ask(label=label, answer=answer)
    if reply["ended"] == "late":
        return f"✗ {label}: stopped after {limits.cell} s."
    errors = [one for one in reply["outputs"] if one.get("output_type") == "error"]
    shown = [f"{one.get('ename')}: {one.get('evalue')}"[:300] for one in errors]
    return f"✗ {label}: {(*shown, 'nothing was handed over')[0]}."


def _outputs(given: Any) -> tuple[list[NotebookNode], Any]:
    """Return what a page shows of a cell's outputs, and the first answer among them."""
    kept, answers = [], []
    for output in given if isinstance(given, list) else ():
        data = output.get("data") or {}
        if MIME in data:
            answers.append(data[MIME])
        elif output.get("output_type") == "stream":
            kept.append(nbformat.v4.new_output("stream", text=str(output.get("text"))))
        elif output.get("output_type") == "error":
            lines = [str(line) for line in output.get("traceback", ())]
            names = {"ename": str(output.get("ename")), "evalue": str(output.get("evalue"))}
            kept.append(nbformat.v4.new_output("error", traceback=lines, **names))
        elif shown := {kind: text for kind, text in data.items() if _is_shown(kind, text)}:
            kept.append(nbformat.v4.new_output("display_data", data=shown))
    return kept, next(iter(answers), None)


def _is_shown(kind: str, text: Any) -> bool:
    """Whether a page shows this: text, a table, a picture that is one."""
    is_picture = kind == "image/png" and isinstance(text, str)
    if is_picture:
        return re.fullmatch(r"[A-Za-z0-9+/=\s]+", text) is not None
    return kind in ("text/plain", "text/html") and isinstance(text, str)


def write_page(path: Path, result: dict[str, Any], notebook: NotebookNode) -> None:
    """Write the page of feedback; what a student wrote is no code in it."""
    lines = [f"# {result['notebook']} · {result['student']}", ""]
    lines += [f"- {said}" for said in result["said"].values()]
    lines += ["", result["reason"]]
    top = nbformat.v4.new_markdown_cell("\n".join(html.escape(line) for line in lines))
    page = nbformat.v4.new_notebook(cells=[top, *notebook.cells])
    exporter = HTMLExporter(template_name="lab", sanitize_html=True)
    exporter.register_filter("clean_html", functools.partial(bleach.clean, tags=TAGS))
    exporter.exclude_output_prompt = exporter.exclude_input_prompt = True
    body, _ = exporter.from_notebook_node(page, {"metadata": {"name": result["notebook"]}})
    with atomic_write(path) as file:
        file.write(body.encode())
