"""Rehearse what happens on Colab: an empty machine, one notebook, Run all.

    python -m tools.rehearse_colab              # every notebook of both editions
    python -m tools.rehearse_colab 00 04        # some

An environment with Colab's versions (tools/colab_freeze.txt) and a stand-in for its module
`google.colab` is made once, in build/colab. Each notebook then starts alone in an empty
folder, without the course's package. Its set-up cell installs that, as on Colab, from the
repository's address, behind which stands a local clone of the last commit. The set-up cell
is run a second time, and once more in a new kernel, as after a restart. At the end nothing
that Colab ships may have another version than before.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from tools.set_address import PROJECT, repository, version

HERE = Path(__file__).resolve().parent
FREEZE = HERE / "colab_freeze.txt"
COURSE = "bag-of-words-to-lora"

#: runs inside Colab's environment, with Colab's nbclient: a notebook, and after a restart
#: its first two code cells again; prints the outputs of its checks as JSON
INSIDE = """
import copy, json, sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
code = [cell for cell in notebook.cells if cell.cell_type == "code"]
assert code[0].id == "colab", code[0].id
again = copy.deepcopy(code[0])
again.id = "colab-again"
notebook.cells.insert(notebook.cells.index(code[0]) + 1, again)
options = {"timeout": 1800, "kernel_name": "python3"}
nbclient.NotebookClient(notebook, **options).execute()
restarted = copy.deepcopy(notebook)
restarted.cells = [copy.deepcopy(cell) for cell in code[:2]]
nbclient.NotebookClient(restarted, **options).execute()
def text(cell):
    return "".join(output.get("text", "") for output in cell.outputs)
cells = {cell.id: text(cell) for cell in notebook.cells if cell.cell_type == "code"}
kept = {name: cells[name] for name in cells if name.endswith("-check") or name in (
    "colab", "colab-again", "setup", "progress")}
print("RESULT " + json.dumps(kept))
"""


class Failed(RuntimeError):  # noqa: N818 - it names what happened
    """The rehearsal failed; the message says where."""


def run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    """Run a command; return what it printed.

    Raises
    ------
    Failed
        If it exits with an error; the message ends with what it printed last.
    """
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{' '.join(command)[:200]}\n{(done.stdout + done.stderr)[-4_000:]}")
    return done.stdout


class Colab:
    """An environment like Colab's, and a clone of the course behind its address.

    Parameters
    ----------
    folder : Path
        Where it is made; an environment that is there already is used again.
    freeze : str
        The versions in it, as lines of ``pip freeze``.
    """

    def __init__(self, folder: Path, freeze: str) -> None:
        self.folder, self.freeze = folder.resolve(), freeze
        self.binaries = self.folder / "env" / "bin"
        self.python = str(self.binaries / "python")

    def make(self) -> None:
        """Create environment, stand-in and clone."""
        stamp = self.folder / "made"
        if not stamp.exists() or stamp.read_text() != self.freeze:
            shutil.rmtree(self.folder, ignore_errors=True)
            venv.create(self.folder / "env", with_pip=True)
            pip = [self.python, "-m", "pip", "install", "--quiet"]
            listed = self.folder / "freeze.txt"
            listed.write_text(self.freeze)
            run([*pip, "torch==2.13.0"], dict(os.environ), PROJECT)
            run([*pip, "-r", str(listed)], dict(os.environ), PROJECT)
            module = self.folder / "standin" / "google" / "colab"
            module.mkdir(parents=True)
            (module / "__init__.py").write_text('"""A stand-in for the module of Colab."""\n')
            startup = self.folder / "ipython" / "profile_default" / "startup"
            startup.mkdir(parents=True)
            (startup / "00-colab.py").write_text("import google.colab\n")
            stamp.write_text(self.freeze)
        clone = self.folder / "course.git"
        shutil.rmtree(clone, ignore_errors=True)
        run(["git", "clone", "--quiet", "--bare", str(PROJECT), str(clone)], _clean(), PROJECT)
        run(["git", "tag", "--force", f"v{version()}"], _clean(), clone)
        self.shipped = self.versions()
        if COURSE in self.shipped:
            raise Failed(f"{COURSE} is in the environment already: remove {self.folder}")

    def environment(self) -> dict[str, str]:
        """Return the variables that the notebook's kernel sees."""
        return _clean() | {
            "PATH": f"{self.binaries}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "standin"),
            "IPYTHONDIR": str(self.folder / "ipython"),
            "COURSE_OFFLINE": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{(self.folder / 'course.git').as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": f"https://github.com/{repository()}",
        }

    def versions(self) -> dict[str, str]:
        """Return the installed packages and their versions, as pip lists them."""
        listed = run([self.python, "-m", "pip", "list", "--format=json"], _clean(), self.folder)
        return {package["name"]: package["version"] for package in json.loads(listed)}

    def rehearse(self, path: Path) -> dict[str, str]:
        """Run a notebook alone on the empty machine; return the outputs of some cells.

        Raises
        ------
        Failed
            If a cell fails, or a package that Colab ships has another version afterwards.
        """
        with tempfile.TemporaryDirectory() as empty:
            alone = Path(empty) / path.name
            shutil.copyfile(path, alone)
            try:
                command = [self.python, "-c", INSIDE, str(alone)]
                printed = run(command, self.environment(), Path(empty))
            finally:
                new, changed = self.restore()
        if changed:
            raise Failed(f"{path} changed packages of Colab: {changed}")
        if COURSE not in new:
            raise Failed(f"{path} did not install the course")
        (result,) = [line for line in printed.splitlines() if line.startswith("RESULT ")]
        return json.loads(result.removeprefix("RESULT ")) | {"installed": ", ".join(new)}

    def restore(self) -> tuple[list[str], dict[str, tuple[str, str | None]]]:
        """Remove what a notebook has installed; return its names, and what it has changed."""
        after = self.versions()
        changed = {
            name: (version, after.get(name))
            for name, version in self.shipped.items()
            if after.get(name) != version
        }
        if new := sorted(after.keys() - self.shipped.keys()):
            run([self.python, "-m", "pip", "uninstall", "--yes", *new], _clean(), self.folder)
        return new, changed


def _clean() -> dict[str, str]:
    """Return this process's variables without those that lead to the course or its data."""
    mine = ("COURSE_", "PYTHON", "VIRTUAL_ENV", "JUPYTER", "IPYTHON", "GIT_")
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)}


def without_warnings(text: str) -> str:
    """Drop pip's warnings, which are about the settings of the machine it runs on."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return "".join(line for line in plain.splitlines() if not line.startswith("WARNING: "))


def _last_line(text: str) -> str:
    """Return the verdict of a check, which may print something else before."""
    return text.strip().rpartition("\n")[2]


def verdict(path: Path, outputs: dict[str, str]) -> str:
    """Say in a line what the checks of a notebook printed.

    Raises
    ------
    Failed
        If set-up printed something, or a check did not pass (notebooks/) or wait (exercises/).
    """
    if path.parent.name == "exercises":
        mark, word = "…", "wait"
    else:
        mark, word = "✓", "pass"
    if noise := without_warnings(outputs["colab"]) + outputs["colab-again"]:
        raise Failed(f"{path}: the set-up cell is not quiet:\n{noise}")
    checks = {name: text for name, text in outputs.items() if name.endswith("-check")}
    if wrong := {name: text for name, text in checks.items() if _last_line(text)[:1] != mark}:
        raise Failed(f"{path}: checks that do not {word}: {wrong}")
    return f"{len(checks)} checks {word}; installed: {outputs['installed']}"


def renewed(freeze: str, newer: str) -> str:
    """Give the packages of a freeze the versions of a newer one, which may have others, too."""
    versions = dict(re.findall(r"^([\w.-]+)==([\d.]+)", newer, re.MULTILINE))
    known = {name.lower().replace("_", "-"): version for name, version in versions.items()}
    known.pop("torch", None)  # Colab's needs CUDA
    return re.sub(
        r"^([\w.-]+)==(\S+)",
        lambda line: f"{line[1]}=={known.get(line[1].lower().replace('_', '-'), line[2])}",
        freeze,
        flags=re.MULTILINE,
    )


def main(arguments: list[str] | None = None) -> int:
    """Rehearse the notebooks named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="first characters of notebook names, like 01")
    parser.add_argument("--folder", type=Path, default=PROJECT / "build" / "colab")
    parser.add_argument("--freeze", type=Path, help="a newer freeze of Colab's than ours")
    options = parser.parse_args(arguments)
    paths = [
        path
        for edition in ("notebooks", "exercises")
        for path in sorted((PROJECT / edition).glob("*.ipynb"))
        if not options.names or path.name.startswith(tuple(options.names))
    ]
    if not paths:
        print(f"No notebook fits {options.names}.", file=sys.stderr)
        return 2
    freeze = FREEZE.read_text(encoding="utf-8")
    if options.freeze:
        freeze = renewed(freeze, options.freeze.read_text(encoding="utf-8"))
    colab = Colab(options.folder, freeze)
    start = time.perf_counter()
    try:
        colab.make()
        print(f"Colab's versions are in place ({time.perf_counter() - start:.0f} s)", flush=True)
        for number, path in enumerate(paths, start=1):
            start = time.perf_counter()
            said = verdict(path, colab.rehearse(path))
            seconds = time.perf_counter() - start
            name = f"{path.parent.name}/{path.stem}"
            print(f"[{number}/{len(paths)}] {name} {seconds:.0f} s: {said}", flush=True)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
