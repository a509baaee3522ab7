"""Set-up: pinned packages, the Makefile's variables, a copied folder, sources written whole."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import set_address

PROJECT = Path(__file__).resolve().parents[2]
#: what a fresh environment brings, the course itself, and what torch needs for CUDA
UNPINNED = ("pip", "bag-of-words-to-lora", "cuda-", "nvidia-", "triton")
#: what has been misread before, and what else a shell or make treats in a way of its own
ODD = ["it's", "a$b c", "two  spaces", "a$(b),c", 'say "a"', "#1", "a\\b", "`id`", "$$", "ä"]


def requirements(name: str) -> list[Requirement]:
    """Return the requirements that a file states for this Python and platform."""
    rows = [row.split(" #")[0] for row in (PROJECT / name).read_text("utf-8").splitlines()]
    stated = [Requirement(row) for row in rows if row and not row.startswith(("#", "-r"))]
    return [one for one in stated if one.marker is None or one.marker.evaluate()]


def test_every_installed_package_has_the_pinned_version() -> None:
    # in a process of its own: setuptools, once imported, brings packages inside itself along
    code = "from importlib.metadata import distributions as all; "
    code += "print(*(f'{one.name}=={one.version}' for one in all()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pairs = [one.split("==") for one in found.stdout.split()]
    installed = {canonicalize_name(name): version for name, version in pairs}
    pins = {canonicalize_name(pin.name): pin for pin in requirements("constraints.txt")}
    wrong = {
        name: version
        for name, version in installed.items()
        if not name.startswith(UNPINNED)
        and (name not in pins or not pins[name].specifier.contains(version, prereleases=True))
    }
    assert len(installed) > 100
    assert not wrong, (
        f"not as constraints.txt has them (make clean removes what was added): {wrong}"
    )


def test_a_pin_is_one_version_and_stands_once() -> None:
    pins = requirements("constraints.txt")
    assert all(str(pin.specifier).startswith("==") and "*" not in str(pin) for pin in pins)
    names = [canonicalize_name(pin.name) for pin in pins]
    assert names == sorted(set(names))


def test_every_requirement_is_pinned_the_optional_ones_too() -> None:
    pins = {canonicalize_name(pin.name): pin for pin in requirements("constraints.txt")}
    for path in PROJECT.glob("requirements*.txt"):
        for needed in requirements(path.name):
            (version,) = pins[canonicalize_name(needed.name)].specifier
            assert needed.specifier.contains(version.version), needed


def test_one_version_everywhere() -> None:
    course = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    cited = yaml.safe_load((PROJECT / "CITATION.cff").read_text("utf-8"))["version"]
    changes = (PROJECT / "CHANGELOG.md").read_text("utf-8")
    assert course == cited == re.search(r"^## \[(.+?)\]", changes, re.MULTILINE)[1]


# --- the Makefile -------------------------------------------------------------------------


def make(*arguments: str, folder: Path = PROJECT, **environment: str) -> str:
    """Run make with a target that shows what the recipes get; return what it printed."""
    extra = "show: ; @printf '%s\\n' $(call given,NOTEBOOK) $(folder) \"$$COURSE_DATA\"\n"
    extra += "folder = $(call quoted,$(call absolute,SUBMITTED))\n"
    mine = ("COURSE_DATA", "MAKE", "MFLAGS", "NOTEBOOK", "SUBMITTED")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    done = subprocess.run(
        ["make", "-f", "Makefile", "-f", "-", f"PYTHON={sys.executable}", *arguments],
        input=extra,
        capture_output=True,
        text=True,
        cwd=folder,
        env=clean | environment,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("odd", ODD)
def test_values_reach_the_recipes_as_they_were_given(odd: str) -> None:
    at = f"/tmp/{odd}"
    given = make("show", f"NOTEBOOK={odd}", f"SUBMITTED={at}", f"COURSE_DATA={at}")
    assert given.splitlines() == [odd, at, at]
    assert make("show", NOTEBOOK=odd, SUBMITTED=at, COURSE_DATA=at) == given


def test_folders_become_absolute_and_nothing_stays_nothing() -> None:
    given = make("show", "NOTEBOOK=01", "SUBMITTED=~/x y", COURSE_DATA="a b/../c d")
    assert given.splitlines() == ["01", str(Path.home() / "x y"), str(PROJECT / "c d")]
    assert make("show").split() == []


def test_a_data_folder_that_cannot_be_read_is_not_replaced_by_the_default() -> None:
    said = make("show", "PYTHON=no-such-python", COURSE_DATA="/tmp/data")
    assert "COURSE_DATA cannot be read" in said


def test_grade_gets_two_words_whatever_is_in_them() -> None:
    said = make("-n", "grade", "NOTEBOOK=01_a", "SUBMITTED=/tmp/it's here")
    assert said.splitlines()[-1].endswith(r"-m tools.grade '01_a' '/tmp/it'\''s here'")


@pytest.mark.parametrize("name", ["plain", "with a space, it's"])
def test_a_copied_or_moved_folder_gets_an_environment_of_its_own(tmp_path: Path, name: str) -> None:
    original = tmp_path / name
    (original / ".venv").mkdir(parents=True)
    for file in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(PROJECT / file, original)
    for path in PROJECT.glob("requirements*.txt"):
        shutil.copy(path, original)
    assert "-m venv --clear .venv" in make("-n", "lab", folder=original), "a fresh clone"
    (original / ".venv" / ".installed").write_text(f"{original.resolve()}\n")
    assert "venv --clear" not in make("-n", "lab", folder=original)
    copied = shutil.copytree(original, tmp_path / "copied", symlinks=True)
    assert "-m venv --clear .venv" in make("-n", "lab", folder=copied)
    os.utime(original / "constraints.txt", (2**32, 2**32))  # newer than the stamp
    assert "-m venv  .venv" in make("-n", "lab", folder=original), "renewed in place"


# --- sources are written whole or not at all ----------------------------------------------


def notebook(output: str = "") -> str:
    """Return a worked notebook whose one code cell prints two million characters."""
    cells = [
        nbformat.v4.new_markdown_cell("# Title", id="title"),
        nbformat.v4.new_code_cell("print('x' * 2_000_000)", id="long"),
    ]
    if output:
        cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text=output)]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells)) + "\n"


def stored(folder: Path) -> list[str]:
    (folder / "01_one.ipynb").write_text(notebook("before\n"))
    where = ["--folder", str(folder), "--output", str(folder)]
    return ["-m", "tools.run_notebooks", "--store", *where]


def derived(folder: Path) -> list[str]:
    worked, student = folder / "notebooks", folder / "exercises"
    worked.mkdir()
    student.mkdir()
    (worked / "01_one.ipynb").write_text(notebook().replace("# Title", "# " + "x" * 2_000_000))
    (student / "01_one.ipynb").write_text(notebook("before\n"))
    return ["-m", "tools.make_exercises", "--source", str(worked), "--target", str(student)]


def readdressed(folder: Path) -> list[str]:
    for name in set_address.DOCUMENTS:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(PROJECT / name, folder / name)
    with (folder / "README.md").open("a") as file:
        file.write("x" * 2_000_000)
    return ["-m", "tools.set_address", "https://github.com/me/fork", "--project", str(folder)]


@pytest.mark.parametrize("prepare", [stored, derived, readdressed])
def test_a_disk_that_is_full_leaves_the_old_source_whole(
    tmp_path: Path, prepare: Callable[[Path], list[str]]
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    arguments = prepare(project)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    limited = "import resource, os, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20));"
    limited += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    done = subprocess.run(
        [sys.executable, "-c", limited, *arguments],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=os.environ | {"IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_the_hooks_call_what_make_calls() -> None:
    (local,) = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert local["repo"] == "local", "nothing is fetched"
    makefile = (PROJECT / "Makefile").read_text("utf-8").replace("$(BIN)", ".venv/bin")
    for hook in local["hooks"]:
        assert hook["entry"].removesuffix(" --check") in makefile, hook["entry"]
