"""Plain values as JSON, between a student's process and the judge's: nothing here runs code.

pickle would: what a student's process hands over is read by the judge as data alone.
"""

import base64
import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from lessons.calling import Call, Raised

#: how many numbers all tensors of a message may have, also those that sparse ones stand for
MOST_NUMBERS = 20_000_000
MOST_CHARACTERS = 500
PLAIN = {kind.__name__: kind for kind in (list, tuple, set, frozenset)}


@dataclasses.dataclass(frozen=True)
class Foreign:
    """An object that is no plain value: its type and its `repr` stand for it."""

    kind: str
    text: str

    def __repr__(self) -> str:
        return self.text


def pack(value: Any) -> str:
    """Return plain values, tensors, arrays and calls as JSON; other objects become `Foreign`."""
    return json.dumps(_packed(value))


def unpack(text: str) -> Any:
    """Return what was packed.

    Raises
    ------
    ValueError, TypeError, LookupError, RecursionError
        If the text is not what `pack` makes, or stands for too many numbers.
    """
    room = [MOST_NUMBERS]
    return _unpacked(json.loads(text), room)


def is_plain(value: Any) -> bool:
    """Whether a value crosses as itself."""
    return '"foreign"' not in pack(value)


def _packed(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Raised | Call):
        fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
        return {type(value).__name__: [_packed(part) for part in fields]}
    if isinstance(value, torch.Tensor):
        return _packed_tensor(value.detach().cpu())
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
        return {"array": [value.dtype.str, list(value.shape), _text(np.asarray(value))]}
    if isinstance(value, Mapping):
        return {"dict": [[_packed(key), _packed(part)] for key, part in value.items()]}
    for name, kind in PLAIN.items():
        if isinstance(value, kind):
            return {name: [_packed(part) for part in value]}
    if value is ...:
        return {"...": []}
    if isinstance(value, bool | int | float | str):  # a class of its own, derived from it
        return next(kind(value) for kind in (int, float, str) if isinstance(value, kind))
    if isinstance(value, torch.dtype | torch.device | complex | bytes):
        return {type(value).__name__: [str(value)]}
    return {"foreign": [type(value).__name__, _first(value)]}


def _first(value: Any) -> str:
    try:
        return str(getattr(value, "__name__", None) or repr(value))[:MOST_CHARACTERS]
    except Exception:  # a student's own __repr__
        return type(value).__name__


def _packed_tensor(value: torch.Tensor) -> Any:
    if value.layout == torch.sparse_csr:
        parts = [value.crow_indices(), value.col_indices(), value.values()]
        return {"csr": [list(value.shape), *map(_packed_tensor, parts)]}
    if value.layout != torch.strided:
        value = value.coalesce()
        parts = [value.indices(), value.values()]
        return {"coo": [list(value.shape), *map(_packed_tensor, parts)]}
    kind = str(value.dtype).removeprefix("torch.")
    flat = value.resolve_conj().resolve_neg().flatten().clone(memory_format=torch.contiguous_format)
    numbers = flat.view(torch.uint8).numpy() if value.numel() else np.empty(0, np.uint8)
    return {"tensor": [kind, list(value.shape), _text(numbers)]}


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _unpacked(node: Any, room: list[int]) -> Any:
    if not isinstance(node, dict):
        if node is None or isinstance(node, bool | int | float | str):
            return node
        raise ValueError("a list without its kind")
    ((name, parts),) = node.items()
    if name in PLAIN:
        return PLAIN[name](_unpacked(part, room) for part in parts)
    if name in _READ:
        return _READ[name](parts, room)
    raise ValueError(f"unknown kind {name!r}")


def _shape(sizes: Any, room: list[int]) -> list[int]:
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError("a shape is made of whole numbers")
    count = 1
    for size in sizes:
        count *= size
    room[0] -= count
    if room[0] < 0:
        raise ValueError(f"more than {MOST_NUMBERS:,} numbers")
    return list(sizes)


def _tensor(parts: list, room: list[int]) -> torch.Tensor:
    kind, shape, text = parts
    dtype = getattr(torch, kind)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"{kind!r} is no dtype")
    sizes, content = _shape(shape, room), bytearray(base64.b64decode(text))
    numbers = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
    return numbers.reshape(sizes)


def _sparse(make: Callable, parts: list, room: list[int]) -> torch.Tensor:
    shape, *inner = parts
    sizes = _shape(shape, room)
    tensors = [_unpacked(part, room) for part in inner]
    return make(*tensors, size=sizes, check_invariants=True)


def _array(parts: list, room: list[int]) -> np.ndarray:
    kind, shape, text = parts
    dtype = np.dtype(kind)
    if dtype.kind not in "biufc":
        raise ValueError(f"{kind!r} is no kind of number")
    return np.frombuffer(base64.b64decode(text), dtype).reshape(_shape(shape, room))


def _call(parts: list, room: list[int]) -> Call:
    result, again, changed, left, printed = (_unpacked(part, room) for part in parts)
    for value, kinds, inner in ((changed, tuple, int), (left, tuple, str), (printed, str, str)):
        if not isinstance(value, kinds) or not all(isinstance(part, inner) for part in value):
            raise ValueError("a call holds something else than its fields")
    return Call(result, again, changed, left, printed)


def _texts(make: Callable, parts: list) -> Any:
    if not all(isinstance(part, str) for part in parts):
        raise ValueError("not made of text")
    return make(*parts)


_READ: dict[str, Callable[[list, list[int]], Any]] = {
    "dict": lambda parts, room: {_unpacked(k, room): _unpacked(v, room) for k, v in parts},
    "tensor": _tensor,
    "csr": lambda parts, room: _sparse(torch.sparse_csr_tensor, parts, room),
    "coo": lambda parts, room: _sparse(torch.sparse_coo_tensor, parts, room),
    "array": _array,
    "Call": _call,
    "Raised": lambda parts, room: _texts(Raised, parts),
    "foreign": lambda parts, room: _texts(Foreign, parts),
    "...": lambda parts, room: ...,
    "complex": lambda parts, room: complex(parts[0]),
    "bytes": lambda parts, room: _texts(str, parts).encode(),
    "dtype": lambda parts, room: _texts(Foreign, ["dtype", *parts]),
    "device": lambda parts, room: torch.device(parts[0]),
}
