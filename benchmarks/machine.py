"""What the figures were measured on, in three lines."""

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import torch

#: whose versions the figures depend on
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "fasttext-community")


def describe() -> str:
    """Return hardware and load, system and threads, versions and date: three lines."""
    versions = ", ".join(f"{name} {found}" for name in PACKAGES if (found := version(name)))
    return (
        f"{processor()}, {cores()} cores{memory()}{gpu()}; load{load()}\n"
        f"{platform.platform()}, Python {platform.python_version()}, "
        f"{torch.get_num_threads()} threads in PyTorch\n"
        f"{versions}; {datetime.now(UTC):%d %B %Y, %H:%M} UTC"
    )


def processor() -> str:
    """Return the processor's model as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> str:
    """Return ``, 24 GiB``, or nothing where the system does not tell."""
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return ""


def gpu() -> str:
    """Return ``, `` and the GPU's name, or nothing without CUDA."""
    return f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""


def load() -> str:
    """Return the load of the last minute, which should be near 0 before the start."""
    return f" {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else " unknown"


def version(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
