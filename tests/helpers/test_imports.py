"""A helper loads no more than it needs: heavy packages are imported where they are used."""

import json
import subprocess
import sys

import pytest

#: nothing of these may come along, beyond what torch itself loads
HEAVY = ("sklearn", "scipy", "pandas", "pyarrow", "pooch", "requests", "matplotlib", "seaborn")

LIST_MODULES = """
import json, sys
import torch, torch.utils.data
before = set(sys.modules)
import {}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(module: str) -> set[str]:
    """Packages that a fresh process has after it imported `module`, but not with torch alone."""
    answer = subprocess.run(
        [sys.executable, "-c", LIST_MODULES.format(module)],
        capture_output=True,
        check=True,
        timeout=120,
    )
    return {name.split(".")[0] for name in json.loads(answer.stdout)}


@pytest.mark.parametrize("name", ["training", "datasets", "models", "text", "corpus", "lora"])
def test_import_is_light(name):
    loaded = loaded_by(f"helpers.{name}")
    assert "helpers" in loaded
    assert not loaded & {*HEAVY}


def test_a_heavy_import_would_be_seen():
    assert {"scipy", "sklearn"} <= loaded_by("sklearn.metrics")
