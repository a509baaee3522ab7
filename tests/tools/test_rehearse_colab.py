"""Colab: what it ships satisfies the requirements; and the rehearsal can fail."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools import rehearse_colab

PROJECT = Path(__file__).resolve().parents[2]


def lines(path: Path) -> list[str]:
    rows = path.read_text(encoding="utf-8").splitlines()
    return [row for row in rows if row and not row.startswith("#")]


SHIPPED = dict(row.split("==") for row in lines(rehearse_colab.FREEZE)) | {"torch": "2.11.0"}
NEEDED = [Requirement(row) for row in lines(PROJECT / "requirements.txt")]


def test_nothing_that_colab_ships_has_to_be_replaced() -> None:
    both = [requirement for requirement in NEEDED if requirement.name in SHIPPED]
    assert {requirement.name for requirement in both} >= {"torch", "numpy", "pandas", "ipywidgets"}
    for requirement in both:
        assert requirement.specifier.contains(SHIPPED[requirement.name]), requirement


def outputs(**other: str) -> dict[str, str]:
    usual = {"colab": "", "colab-again": "", "a-1-check": "✓ A.1\n", "installed": "course"}
    return usual | {name.replace("_", "-"): text for name, text in other.items()}


def test_the_verdict_of_each_edition() -> None:
    worked, student = Path("notebooks/a.ipynb"), Path("exercises/a.ipynb")
    open_check = outputs(a_1_check="… A.1 waits for your answer.\n")
    assert "1 checks pass" in rehearse_colab.verdict(worked, outputs())
    assert "1 checks pass" in rehearse_colab.verdict(worked, outputs(a_1_check="31 times\n✓ A.1\n"))
    assert "1 checks wait" in rehearse_colab.verdict(student, open_check)
    for path, found in ((worked, open_check), (student, outputs())):
        with pytest.raises(rehearse_colab.Failed, match="a-1-check"):
            rehearse_colab.verdict(path, found)


def test_a_set_up_cell_that_prints_is_refused_unless_it_is_pips_warning() -> None:
    warning = "\x1b[33mWARNING: the cache of this machine is disabled\x1b[0m\n"
    assert rehearse_colab.verdict(Path("notebooks/a.ipynb"), outputs(colab=warning))
    for noise in ({"colab": "ERROR: no such repository"}, {"colab_again": warning}):
        with pytest.raises(rehearse_colab.Failed, match="not quiet"):
            rehearse_colab.verdict(Path("notebooks/a.ipynb"), outputs(**noise))


def test_the_kernel_sees_neither_the_course_nor_its_data(tmp_path: Path, monkeypatch) -> None:
    for name in ("COURSE_DATA", "PYTHONPATH", "VIRTUAL_ENV", "COURSE_STRICT"):
        monkeypatch.setenv(name, "of this process")
    seen = rehearse_colab.Colab(tmp_path, "").environment()
    assert "of this process" not in seen.values()
    assert seen["PATH"].startswith(str(tmp_path / "env" / "bin"))
    assert seen["GIT_CONFIG_VALUE_0"].startswith("https://github.com/")


def test_a_failing_command_is_reported_with_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(rehearse_colab.Failed, match="No such"):
        rehearse_colab.run(["ls", "no-such-file"], {"LC_ALL": "C"}, tmp_path)


def test_an_unknown_name_is_an_error(capsys) -> None:
    assert rehearse_colab.main(["77"]) == 2
    assert "77" in capsys.readouterr().err
