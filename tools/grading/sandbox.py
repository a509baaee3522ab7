"""A student's code in a process and a folder of its own, with no network and little in sight."""

import ast
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from helpers.storage import data_folder
from tools.set_address import PROJECT

MOST_PROCESSES, MOST_REPLY = 100, 100_000_000  # bytes
GRACE = 30  # seconds after the limit of a cell
STOP = threading.Event()  # set, every sandbox ends
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives")
SYSTEM += ("/etc/localtime", "/etc/fonts")
STUB = "from tools.grading.answering import check  # noqa: F401\n"


class CannotGrade(RuntimeError):  # noqa: N818 - it names what happened
    """Something was not graded; the message says what, why, and what to do."""


def copy_course(worked: Path, sources: list[str], target: Path) -> None:
    """Copy what a notebook needs, without references, mistakes and solutions.

    Parameters
    ----------
    worked : Path
        The worked notebook.
    sources : list of str
        The code of its cells as they are handed out.
    target : Path
        A new folder. It gets `helpers`, and of `lessons` what is no exercise's: the modules of
        the notebook's own room that its cells import, and what these import.
    """
    room = PROJECT / "lessons" / f"n{worked.stem}"
    unnamed = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "helpers", target / "helpers", ignore=unnamed)
    (target / "lessons" / room.name).mkdir(parents=True)
    for path in (PROJECT / "lessons").glob("*.py"):
        shutil.copy(path, target / "lessons")
    wanted, trees, prefix = (
        {"__init__"},
        [*filter(None, map(_parsed, sources))],
        f"lessons.{room.name}.",
    )
    for tree in trees:  # it grows
        for node in ast.walk(tree):
            names = [alias.name for alias in getattr(node, "names", ()) if hasattr(alias, "name")]
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{name}" for name in names]
            for name in {part.split(".")[2] for part in names if part.startswith(prefix)}:
                if name not in wanted | {"checks"} and (room / f"{name}.py").exists():
                    wanted.add(name)
                    trees.append(ast.parse((room / f"{name}.py").read_text(encoding="utf-8")))
    for name in wanted:
        shutil.copy(room / f"{name}.py", target / "lessons" / room.name)
    (target / "lessons" / room.name / "checks.py").write_text(STUB, encoding="utf-8")
    (target / "tools" / "grading").mkdir(parents=True)
    if Path(sys.prefix).is_relative_to(PROJECT):
        (target / Path(sys.prefix).relative_to(PROJECT)).mkdir(exist_ok=True)
    for name in ("answering", "inside", "wire"):
        shutil.copy(PROJECT / "tools" / "grading" / f"{name}.py", target / "tools" / "grading")


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except SyntaxError:  # a line of IPython's own
        return None


def require(kind: str) -> None:
    """Raise `CannotGrade` unless there is a sandbox, or the teacher does without."""
    if kind == "none":
        return
    probe = [*_bwrap(PROJECT, Path("/usr"), keep=False), "/usr/bin/env", "true"]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=60)
        said = done.stderr.strip()
        if done.returncode == 0:
            return
    except OSError:
        said = "bwrap is not installed"
    raise CannotGrade(
        f"There is no sandbox: {said}. Students' code would run with your rights, on your files, "
        "with your network. Install bubblewrap (apt install bubblewrap), or use a machine made "
        "for it and say SANDBOX=none."
    )


def _bwrap(course: Path, cache: Path, keep: bool) -> list[str]:
    """Return the beginning of a command that runs in the sandbox."""
    command = ["bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    command += ["--uid", "1000", "--gid", "1000", "--proc", "/proc", "--dev", "/dev"]
    for folder, size in (("/tmp", 2**29), ("/dev/shm", 2**29), ("/home/student", 2**28)):
        command += ["--size", str(size), "--tmpfs", folder]
    command += ["--ro-bind", str(course), str(PROJECT)]  # as errors name it
    for path in dict.fromkeys([*SYSTEM, sys.base_prefix, sys.prefix]):
        command += ["--ro-bind-try", path, path]
    packages = Path(sys.prefix).glob("lib/python*/site-packages")
    installed = [site / name for site in packages for name in ("lessons", "notebooks")]
    command += [part for path in installed if path.exists() for part in ("--tmpfs", str(path))]
    command += ["--tmpfs", "/data"]
    for path in data_folder().glob("*"):
        if path.name != "cache":
            command += ["--ro-bind", str(path), f"/data/{path.name}"]
    command += ["--bind" if keep else "--ro-bind", str(cache), "/data/cache"]
    return [*command, "--remount-ro", "/data", "--chdir", "/home/student", "--clearenv"]


class Sandbox:
    """A kernel for one submission.

    Parameters
    ----------
    kind : str
        "bwrap", or "none".
    course : Path
        What `copy_course` made.
    cache : Path
        A folder with caches of the data, which the sandbox reads.
    keep : bool
        Whether it writes them, too: for the worked notebook.
    memory : float
        GB that one of its processes may ask for: then it gets a MemoryError. All together may use
        a quarter more: then they are ended.
    seconds : float
        The time limit of the whole submission.
    """

    def __init__(
        self, kind: str, course: Path, cache: Path, keep: bool, memory: float, seconds: float
    ) -> None:
        self.memory, self.deadline, self.ended = memory, time.monotonic() + seconds, ""
        here, there = socket.socketpair()
        home = Path("/home/student")
        command, data, cwd = _bwrap(course, cache, keep), Path("/data"), None
        if kind == "none":
            home = cwd = Path(tempfile.mkdtemp(dir=course.parent))
            command, data = ["/usr/bin/env", "-i"], data_folder()
        settings = {
            "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
            "PYTHONPATH": str(course) if kind == "none" else str(PROJECT),
            "HOME": str(home),
            "USER": "student",
            "LANG": "C.UTF-8",
            "COURSE_DATA": str(data),
            "COURSE_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "MPLCONFIGDIR": str(home / ".matplotlib"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        for name, value in settings.items():
            command += [f"{name}={value}"] if kind == "none" else ["--setenv", name, value]
        most = str(int(memory * 2**30))
        self.process = subprocess.Popen(
            [*command, sys.executable, "-m", "tools.grading.inside", str(there.fileno()), most],
            pass_fds=[there.fileno()],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        there.close()
        self.home, self.peer = cwd, Connection(here.detach())
        threading.Thread(target=self._watch, daemon=True).start()

    def run(self, source: str, before: str, seconds: int) -> dict[str, Any]:
        """Run a cell; return its ``outputs``, its ``seconds``, and how it ``ended``.

        That is "", "late" if it was interrupted, or "dead".

        Parameters
        ----------
        source : str
            The cell.
        before : str
            An expression that is evaluated first, or nothing.
        seconds : int
            Its time limit.
        """
        dead = {"outputs": [], "ended": "dead", "seconds": 0.0}
        try:
            request = {"source": source, "before": before, "seconds": seconds}
            self.peer.send_bytes(json.dumps(request).encode())
            if not self.peer.poll(seconds + GRACE):
                self.kill(f"it did not stop after {seconds} s")
            reply = json.loads(self.peer.recv_bytes(MOST_REPLY))
            return reply if isinstance(reply, dict) and reply.keys() == dead.keys() else dead
        except (OSError, EOFError, ValueError, RecursionError):
            self.kill("its process ended")
            return dead

    def kill(self, why: str) -> None:
        """End all its processes; the first reason is kept."""
        self.ended = self.ended or why
        for process in self._all():
            _quietly(process.kill)

    def close(self) -> None:
        """End it, and remove its folder."""
        self.kill("graded")
        self.process.wait()
        self.peer.close()
        if self.home:
            shutil.rmtree(self.home, ignore_errors=True)

    def _all(self) -> list[psutil.Process]:
        parent = _quietly(lambda: psutil.Process(self.process.pid))
        return (
            [*(_quietly(lambda: parent.children(recursive=True)) or []), parent] if parent else []
        )

    def _watch(self) -> None:
        """End it when it is too large, too many or too late; rlimits hold for one process alone."""
        together = 1.25 * self.memory
        while self.process.poll() is None and not self.ended:
            processes = self._all()
            if len(processes) > MOST_PROCESSES:
                self.kill(f"it started more than {MOST_PROCESSES} processes")
                break  # to read the memory of hundreds takes long
            used = sum(_quietly(lambda: _memory(one)) or 0 for one in processes)  # noqa: B023
            if used > together * 2**30:
                self.kill(f"it used more than {together:g} GB")
            if time.monotonic() > self.deadline:
                self.kill("the time for the whole notebook was up")
            if STOP.is_set():
                self.kill("the grading was stopped")
            time.sleep(0.5)


def _memory(process: psutil.Process) -> int:
    """Return the bytes of a process, shared ones divided among those that share them."""
    found = process.memory_full_info()
    return getattr(found, "pss", found.rss)


def _quietly(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except (psutil.Error, OSError):  # it has just ended
        return None
