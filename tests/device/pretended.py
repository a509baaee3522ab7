"""A pretended CUDA device on a CPU-only PyTorch, and a plugin for pytest that makes one.

Memory is the host's, kernels are the CPU's; all above them is PyTorch's own. Added are CUDA's
checks (all tensors on one device, but for CPU scalars in pointwise operations and CPU indices; the
right generator) and random numbers of its own. What only CUDA's kernels refuse, forks and rounding
are out of reach. The whole process has the device.
"""

import ctypes
import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_name("cuda.cpp")
BUILD = PROJECT / "build" / "device"
LIBRARIES = ("c10", "torch_cpu", "torch", "torch_python")


class CannotPretend(RuntimeError):  # noqa: N818 - it names a state
    """There can be no pretended device here; the message says why."""


#: why these tests have no pretended device; "" if they have one
missing = "start these tests by `make device`"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """With ``-p tests.device.pretended``: enable it before the tests' conftests import torch."""
    global missing
    try:
        enable()
        missing = ""
    except CannotPretend as error:
        missing = str(error)


def enable() -> None:
    """Make ``torch.device("cuda")`` work; a CannotPretend if that is impossible here.

    To come before the first import of torch, which asks once for CUDA.
    """
    if "torch" in sys.modules:
        raise CannotPretend("torch is imported already: start the tests by `make device`")
    spec = importlib.util.find_spec("torch")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    parts = {part.name for part in (folder / "lib").glob("*.so")}
    if "libtorch_cpu.so" not in parts or "libtorch_cuda.so" in parts:
        raise CannotPretend("it takes a PyTorch for Linux that was built without CUDA")
    library = _compiled(folder)
    for name in LIBRARIES:
        ctypes.CDLL(str(folder / "lib" / f"lib{name}.so"), mode=ctypes.RTLD_GLOBAL)
    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    _stand_in_for_cuda()


def counts() -> dict[str, int]:
    """Waits of the host, copies, and bytes held at most, since the last reset."""
    import torch

    return dict(zip(("waits", "copies", "peak"), torch.ops.pretended.counts(), strict=True))


def _compiled(torch_folder: Path) -> Path:
    """Compile the extension, unless this source was compiled for this PyTorch."""
    version = (torch_folder / "version.py").read_bytes()
    library = BUILD / f"{hashlib.sha256(version + SOURCE.read_bytes()).hexdigest()[:12]}.so"
    if library.exists():
        return library
    if (compiler := shutil.which("g++")) is None:
        raise CannotPretend("there is no g++")
    BUILD.mkdir(parents=True, exist_ok=True)
    include, part = torch_folder / "include", library.with_suffix(".part")
    command = [compiler, "-std=c++20", "-O1", "-shared", "-fPIC", str(SOURCE), "-o", str(part)]
    command += [f"-I{include}", f"-I{include / 'torch' / 'csrc' / 'api' / 'include'}"]
    command += [f"-L{torch_folder / 'lib'}", "-lc10", "-ltorch_cpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotPretend(f"{SOURCE.name} does not compile here: {done.stderr[:2_000]}")
    part.replace(library)
    return library


def _stand_in_for_cuda() -> None:
    """Replace what a CPU-only build lacks: functions of torch.cuda, and copies of its tensors."""
    import torch

    state, usual = torch.ops.pretended, torch.Tensor.__deepcopy__

    def seed(value: int) -> None:
        state.seed((value * 2_654_435_761 + 40_503) % 2**63)  # not the CPU's numbers

    def copied(self: torch.Tensor, memo: dict) -> torch.Tensor:
        if self.device.type != "cuda" or not self.is_leaf:
            return usual(self, memo)
        if id(self) not in memo:
            copy = self.detach().clone().requires_grad_(self.requires_grad)
            if isinstance(self, torch.nn.Parameter):
                copy = torch.nn.Parameter(copy, self.requires_grad)
            copy.grad = None if self.grad is None else self.grad.clone()
            memo[id(self)] = copy
        return memo[id(self)]

    functions = {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_name": lambda device=None: "a pretended one",
        "synchronize": lambda device=None: torch._C._accelerator_synchronizeDevice(0),
        "manual_seed": seed,
        "manual_seed_all": seed,
        "get_rng_state": lambda device=None: state.state(),
        "set_rng_state": lambda new_state, device=None: state.set_state(new_state),
    }
    for name, function in functions.items():
        setattr(torch.cuda, name, function)
    torch.Tensor.__deepcopy__ = copied  # type: ignore[method-assign]
    seed(0)
