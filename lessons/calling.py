"""Calling a student's answer: plain inputs in, plain results out, nothing left behind.

What is here knows no reference and no mistake, so that an answer can be called in one process
and judged in another. `lessons.exercises` judges.
"""

import contextlib
import copy
import dataclasses
import dis
import hashlib
import io
import linecache
import random
import sysconfig
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

#: how much of what an answer prints is kept
MOST_LINES, MOST_CHARACTERS = 10, 1_000

#: where code is not the student's own
FOREIGN = tuple(
    str(folder)
    for folder in (
        Path(__file__).parent,
        Path(__file__).parent.parent / "helpers",
        Path(torch.__file__).parent.parent,
        sysconfig.get_path("stdlib"),
    )
)


@dataclasses.dataclass(frozen=True)
class Raised:
    """An error instead of a result.

    Parameters
    ----------
    kind : str
        The name of its class.
    message : str
        What it says, at most `MOST_CHARACTERS` of it.
    place : str
        The student's own line, as "line 3, `x = y.mean()`"; empty if there is none.
    """

    kind: str
    message: str
    place: str = ""


@dataclasses.dataclass(frozen=True)
class Call:
    """What one call of an answer gave.

    Parameters
    ----------
    result : object
        Plain: tensors are detached and on the CPU. `Raised` if it stopped.
    again : object
        The result of a second call with equal arguments; `result` itself if there was none.
    changed : tuple of int
        Positions of the arguments that are no longer what they were.
    left : tuple of str
        The global settings that are no longer what they were.
    printed : str
        What it printed, capped.
    """

    result: Any
    again: Any
    changed: tuple[int, ...] = ()
    left: tuple[str, ...] = ()
    printed: str = ""


Arguments = tuple | Callable[[], tuple]


def apply(answer: Any, *arguments: Any) -> Any:
    """Call the answer itself: what is done with an answer unless an exercise says otherwise."""
    return answer(*arguments)


def call(
    answer: Any, inputs: Sequence[Arguments], probe: Callable = apply, twice: bool = True
) -> list[Call]:
    """Call `answer` on each of `inputs`, in a clean state that is restored afterwards.

    Parameters
    ----------
    answer : object
        The student's function or class.
    inputs : sequence of tuple or callable
        The arguments of each call, copied for it; a callable makes them anew.
    probe : callable
        What is done with the answer: ``probe(answer, *arguments)`` gives the result.
    twice : bool
        Call it again with equal arguments, to see what it keeps from the first call.
    """
    calls = []
    for given in inputs:
        arguments, before, result, left, printed = _once(answer, given, probe)
        again = result
        if twice and not isinstance(result, Raised):
            again = _once(answer, given, probe)[2]
        changed = tuple(
            position
            for position, (old, argument) in enumerate(zip(before, arguments, strict=True))
            if fingerprint(argument) != old
        )
        calls.append(Call(result, again, changed, left, printed))
        if isinstance(result, Raised) and result.kind == "SystemExit":
            break
    return calls


def _once(answer: Any, given: Arguments, probe: Callable) -> tuple:
    """Make the arguments, note what they are, and call the answer with them."""
    with clean_state() as left, captured() as printed:
        arguments = given() if callable(given) else copy.deepcopy(given)
        before = [fingerprint(argument) for argument in arguments]
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002 - students draw from it
        torch.manual_seed(0)
        try:
            result = plain(probe(answer, *arguments))
        except (Exception, SystemExit) as error:
            message = str(error)[:MOST_CHARACTERS]
            result = Raised(type(error).__name__, message, place(error))
    return arguments, before, result, tuple(left), printed.text


@contextlib.contextmanager
def clean_state() -> Iterator[list[str]]:
    """Give a block PyTorch's defaults, and restore afterwards what there was before.

    The list that it gives holds, after the block, what the block left changed. Random number
    generators are restored as well, without a word.
    """
    devices = [*range(torch.cuda.device_count())] if torch.cuda.is_initialized() else []
    outside = _settings()
    generators = random.getstate(), np.random.get_state()  # noqa: NPY002
    left: list[str] = []
    with torch.random.fork_rng(devices=devices), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _set(_STANDARD)
        try:
            yield left
        finally:
            now = _settings()
            left += [_NAMES[key] for key, value in _STANDARD.items() if now[key] != value]
            _set(outside)
            random.setstate(generators[0])
            np.random.set_state(generators[1])  # noqa: NPY002


_STANDARD: dict[str, Any] = {"grad": True, "dtype": torch.float32, "device": torch.device("cpu")}
_NAMES = {
    "grad": "whether gradients are recorded (torch.set_grad_enabled; use `with torch.no_grad():`)",
    "dtype": "PyTorch's default dtype (torch.set_default_dtype)",
    "device": "PyTorch's default device (torch.set_default_device)",
}


def _settings() -> dict[str, Any]:
    return {
        "grad": torch.is_grad_enabled(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
    }


def _set(wanted: dict[str, Any]) -> None:
    now = _settings()
    torch.set_grad_enabled(wanted["grad"])
    torch.set_default_dtype(wanted["dtype"])
    if now["device"] != wanted["device"]:
        torch.set_default_device(wanted["device"])


class _Capped(io.TextIOBase):
    """Keeps the beginning of what is written to it."""

    def __init__(self) -> None:
        self.text, self.lines, self.more = "", 0, False

    def write(self, text: str) -> int:
        rest = MOST_CHARACTERS - len(self.text)
        kept = "".join(text[:rest].splitlines(keepends=True)[: MOST_LINES - self.lines])
        self.lines += kept.count("\n")
        self.more = self.more or len(kept) < len(text)
        self.text += kept
        return len(text)


@contextlib.contextmanager
def captured() -> Iterator[_Capped]:
    """Catch what a block prints, capped, and drop what it writes to stderr, such as bars."""
    out = _Capped()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(_Capped()):
        yield out
    if out.more:
        out.text = out.text.rstrip("\n") + "\n… (and more, left out)\n"


def place(error: BaseException) -> str:
    """Return the last line of the student's own code that an error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(FOREIGN)]
    own = [frame for frame in own if not frame.filename.startswith("<frozen")]
    if not own:
        return ""
    line = linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()
    names = [frame.name for frame in own if frame.name[0] != "<"]
    number = f"line {own[-1].lineno}" + (f" of {names[-1]}" if len(set(names)) > 1 else "")
    return f"{number}, `{line}`" if line else number


def plain(value: Any) -> Any:
    """Return `value` with every tensor detached, copied and on the CPU."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if type(value) in (list, tuple, set):
        return type(value)(plain(part) for part in value)
    if isinstance(value, types.GeneratorType | zip | map | range):
        return [plain(part) for part in value]
    return value


def fingerprint(value: Any) -> Any:
    """Return something that is equal as long as `value` holds the same.

    Objects that can't be looked into (loaders, generators, functions) give None.
    """
    if isinstance(value, torch.Tensor):
        numbers = value.detach().cpu()
        content = str(numbers.tolist()) if numbers.layout != torch.strided else _bytes(numbers)
        return str(value.dtype), tuple(value.shape), value.requires_grad, content
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, nn.Module):
        tensors = [*value.named_parameters(), *value.named_buffers()]
        gradients = [parameter.grad is None for parameter in value.parameters()]
        return value.training, gradients, [(name, fingerprint(part)) for name, part in tensors]
    if isinstance(value, dict):
        return [(key, fingerprint(part)) for key, part in value.items()]
    if isinstance(value, list | tuple):
        return [fingerprint(part) for part in value]
    if isinstance(value, str | int | float | bool | bytes | set | frozenset):
        return value
    return None


def _bytes(tensor: torch.Tensor) -> str:
    content = tensor.contiguous().view(-1).view(torch.uint8) if tensor.numel() else tensor
    return hashlib.sha256(content.numpy().tobytes()).hexdigest()


def is_gap(function: Any) -> bool:
    """Whether a function does nothing yet: its body is a docstring, ``pass`` or ``...``."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in _NO_STEP]
    names = [step.opname for step in steps]
    returns_nothing = names in (["LOAD_CONST", "RETURN_VALUE"], ["RETURN_CONST"])
    return returns_nothing and steps[0].argval in (None, ...)


_NO_STEP = {"RESUME", "NOP", "COPY_FREE_VARS", "MAKE_CELL", "NOT_TAKEN"}
