"""`make address`: a fork's address in every badge and set-up cell."""

import re
import shutil
from pathlib import Path

import pytest

from tools import set_address

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in set_address.DOCUMENTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(PROJECT / name, tmp_path / name)
    for edition in ("notebooks", "exercises"):
        shutil.copytree(PROJECT / edition, tmp_path / edition)
    return tmp_path


def contents(project: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


@pytest.mark.parametrize("ending", ["", "/", ".git"])
def test_a_forks_address_goes_everywhere_and_back(project: Path, ending: str, capsys) -> None:
    old, before = set_address.repository(project), contents(project)
    call = ["--project", str(project)]
    assert set_address.main([f"https://github.com/a.b-c/my_fork.2{ending}", *call]) == 0
    fork = "a.b-c/my_fork.2"
    assert set_address.repository(project) == fork
    for path, content in contents(project).items():
        assert old.encode() not in content, path
        if path.suffix == ".ipynb":
            badge = f"badge.svg)](https://colab.research.google.com/github/{fork}/blob/main/"
            assert content.count(badge.encode()) == 1
            assert content.count(b"git+https://github.com/a.b-c/my_fork.2") == 1
    assert set_address.main([f"https://github.com/{old}", *call]) == 0
    assert contents(project) == before


@pytest.mark.parametrize(
    "address",
    ["", "me/fork", "https://gitlab.com/me/fork", "https://github.com/me", "http://github.com/a/b"],
)
def test_an_address_that_colab_cannot_open_changes_nothing(
    project: Path, address: str, capsys
) -> None:
    before = contents(project)
    assert set_address.main([address, "--project", str(project)]) == 2
    assert "https://github.com/OWNER/NAME" in capsys.readouterr().err
    assert contents(project) == before


def test_without_an_argument_it_prints_the_address(project: Path, capsys) -> None:
    assert set_address.main(["--project", str(project)]) == 0
    assert capsys.readouterr().out == f"https://github.com/{set_address.repository()}\n"


@pytest.mark.parametrize("name", ["docs/teachers.md", "docs/torchtext.md"])
def test_a_document_installs_the_version_that_set_up_cells_install(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert re.findall(r"git\+https://\S+", text) == [
        f"git+https://github.com/{set_address.repository()}@v{set_address.version()}"
    ]
