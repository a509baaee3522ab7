"""The workflows call make targets that exist, with limits, with the Pythons we promise."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import rehearse_colab, set_address

PROJECT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    # YAML 1.1 reads the key "on" as True
    return {
        "on" if key is True else key: value
        for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    }


def commands(workflow: dict[str, Any]) -> list[str]:
    return [
        step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
    ]


def test_each_purpose_has_its_workflow() -> None:
    triggers = {path.stem: set(read(path)["on"]) for path in WORKFLOWS}
    assert triggers == {
        "book": {"push", "workflow_dispatch"},
        "canary": {"schedule", "workflow_dispatch"},
        "release": {"push"},
        "tests": {"pull_request", "push"},
    }
    assert read(PROJECT / ".github" / "workflows" / "release.yml")["on"]["push"] == {"tags": ["v*"]}


@each_workflow
def test_they_call_targets_that_exist(path: Path) -> None:
    called = {name for run in commands(read(path)) for name in re.findall(r"\bmake ([a-z]+)", run)}
    assert called
    assert called <= TARGETS


@each_workflow
def test_each_job_has_limits_and_asks_for_the_index(path: Path) -> None:
    workflow = read(path)
    assert "permissions" in workflow
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 120
        assert job["env"]["PIP_INDEX_URL"] == "${{ vars.PIP_INDEX_URL }}"
        for step in job["steps"]:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/checkout@v4"))


def test_the_pythons_are_those_that_make_takes() -> None:
    matrix = read(PROJECT / ".github" / "workflows" / "tests.yml")["jobs"]["test"]["strategy"][
        "matrix"
    ]
    low, high = map(int, re.findall(r"\(3, (\d+)\)", MAKEFILE)[:2])
    assert matrix["python"] == [f"3.{minor}" for minor in range(low, high + 1)]
    assert matrix["include"] == [{"python": f"3.{low}", "versions": "oldest"}]


def test_every_requirement_has_a_lower_bound_that_can_be_tried() -> None:
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w-]+(>=[\d.]+|==[\d.]+)", line) for line in wanted)


def test_a_newer_freeze_renews_versions_alone() -> None:
    newer = "torch==2.99.0+cu130\nNumPy==2.9.1\nhuggingface-hub==9.0\nother @ file:///x\nnew==1.0\n"
    frozen = rehearse_colab.renewed(
        "# ours\ntorch==2.13.0\nnumpy==2.1.3\nhuggingface_hub==1.0\n", newer
    )
    assert frozen == "# ours\ntorch==2.13.0\nnumpy==2.9.1\nhuggingface_hub==9.0\n"


def test_the_version_is_read_from_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "4.5.6"\n')
    assert set_address.version(tmp_path) == "4.5.6"
