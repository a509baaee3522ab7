"""Comparing an answer's result with the right one, whatever type it comes in."""

import math
import re
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
import torch

from lessons.calling import Raised


class _Any:
    """Equal to everything: a part of a wrong answer that does not matter."""

    def __repr__(self) -> str:
        return "ANY"


ANY = _Any()


def same(found: Any, expected: Any, tolerance: float = 1e-4) -> bool:
    """Whether a result is the expected one, in any reasonable type.

    A number may be Python's, NumPy's or a tensor with one element; several may come as tuple,
    list, array or tensor. Whole numbers are compared exactly, others within `tolerance`
    (relative, and a hundredth of it absolute).

    Parameters
    ----------
    found, expected : object
        What the student's answer gave, and the reference. The type of `expected` decides how
        they are compared.
    tolerance : float
        How far apart floats may be.
    """
    if expected is ANY:
        return True
    if isinstance(expected, Raised) or isinstance(found, Raised):
        return _same_error(found, expected)
    if isinstance(expected, str) or expected is None:
        return type(found) is type(expected) and found == expected
    if isinstance(expected, torch.Tensor | np.ndarray) and not expected.ndim:
        return _same_number(found, expected.item(), tolerance)
    if isinstance(expected, torch.Tensor | np.ndarray):
        return _same_array(found, expected, tolerance)
    if isinstance(expected, Number | np.generic):
        return _same_number(found, expected, tolerance)
    if isinstance(expected, Mapping):
        return (
            isinstance(found, Mapping)
            and set(found) == set(expected)
            and all(same(found[key], part, tolerance) for key, part in expected.items())
        )
    if isinstance(expected, set | frozenset):
        return isinstance(found, set | frozenset | list | tuple) and set(found) == set(expected)
    if isinstance(expected, list | tuple):
        parts = sequence(found)
        return (
            parts is not None
            and len(parts) == len(expected)
            and all(same(*pair, tolerance) for pair in zip(parts, expected, strict=True))
        )
    return type(found) is type(expected) and bool(found == expected)


def _same_error(found: Any, expected: Any) -> bool:
    """Whether both stopped alike: the same class, and the same words but for the numbers."""
    if not (isinstance(found, Raised) and isinstance(expected, Raised)):
        return False
    words = [re.sub(r"[\d\s\[\](),.]+", " ", error.message) for error in (found, expected)]
    return found.kind == expected.kind and (words[0] == words[1] or not words[1].strip())


def _same_array(found: Any, expected: torch.Tensor | np.ndarray, tolerance: float) -> bool:
    one, other = array(found), array(expected)
    if one is None or other is None or one.shape != other.shape:
        return False
    if np.issubdtype(other.dtype, np.floating) or np.issubdtype(one.dtype, np.floating):
        size = np.abs(other[np.isfinite(other)]).max(initial=0)
        atol = 0.01 * tolerance * max(1, size)
        return np.allclose(one, other, rtol=tolerance, atol=atol, equal_nan=True)
    return bool(np.array_equal(one, other))


def _same_number(found: Any, expected: Any, tolerance: float) -> bool:
    value = number(found)
    if value is None:
        return False
    if math.isnan(float(expected)) or math.isnan(value):
        return math.isnan(float(expected)) and math.isnan(value)
    if isinstance(expected, int | np.integer | bool | np.bool_):
        return math.isclose(value, float(expected), rel_tol=1e-9)
    return math.isclose(value, float(expected), rel_tol=tolerance, abs_tol=tolerance / 100)


def number(value: Any) -> float | None:
    """Return one number as a float, or None if `value` is something else."""
    if isinstance(value, Number) and not isinstance(value, complex):
        return float(value)  # type: ignore[arg-type]
    if isinstance(value, torch.Tensor | np.ndarray | np.generic):
        values = array(value)
        if values is not None and values.size == 1 and not np.iscomplexobj(values):
            return float(values.reshape(-1)[0])
    return None


def sequence(value: Any) -> Sequence | None:
    """Return a list of the parts of a tuple, list, array or tensor, or None."""
    if isinstance(value, torch.Tensor | np.ndarray) and value.ndim > 0:
        return list(value) if value.ndim > 1 else value.tolist()
    return list(value) if isinstance(value, list | tuple) else None


def array(value: Any) -> np.ndarray | None:
    """Return a tensor, an array or nested lists of numbers as an array, or None."""
    if isinstance(value, torch.Tensor):
        dense = value.detach().cpu()
        dense = dense.to_dense() if dense.layout != torch.strided else dense
        return dense.float().numpy() if dense.dtype == torch.bfloat16 else dense.numpy()
    if isinstance(value, list | tuple):
        value = [array(part) if isinstance(part, torch.Tensor) else part for part in value]
    try:
        values = np.asarray(value)
    except (TypeError, ValueError):
        return None
    return values if values.dtype.kind in "biufc" else None


# --- in words -----------------------------------------------------------------------------


def in_words(value: Any, most: int = 60) -> str:
    """Return a short description of a value, for a message."""
    if isinstance(value, torch.Tensor | np.ndarray):
        kind = "tensor" if isinstance(value, torch.Tensor) else "array"
        if value.ndim and (value.ndim > 1 or value.size == 0 or len(value) > 8):
            return f"{kind} {list(value.shape)}"
        values = array(value)
        value = value.tolist() if values is None else np.round(values.astype(float), 4).tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        inside = ", ".join(in_words(part, 20) for part in value)
        text = f"[{inside}]" if isinstance(value, list) else f"({inside})"
    elif isinstance(value, str | int | bool | dict | set) or value is None:
        text = repr(value)
    elif callable(value) and hasattr(value, "__name__"):
        return value.__name__
    else:
        text = repr(value).splitlines()[0]
        text = type(value).__name__ if " at 0x" in text or text[-1:] == "(" else text
    return text if len(text) <= most else f"{text[: most - 1]}…"


def kind(found: Any) -> str:
    """Return of which type and size a result is, for a message: "a tuple of 2"."""
    shape = getattr(found, "shape", None)
    name = f"{type(found).__name__}{list(shape) if shape is not None else ''}"
    if isinstance(found, list | tuple):
        name += f" of {len(found)}"
    if isinstance(found, Mapping):
        name += f" with the keys {', '.join(map(repr, [*found][:8])) or '(none)'}"
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def form(expected: Any) -> str:
    """Return which form a result like `expected` has, for a message."""
    if isinstance(expected, torch.Tensor | np.ndarray) and expected.ndim:
        kind = "a tensor" if isinstance(expected, torch.Tensor) else "an array"
        return f"{kind} of the shape {list(expected.shape)}"
    if isinstance(expected, bool):
        return "True or False"
    if isinstance(expected, Number | np.generic | torch.Tensor | np.ndarray):
        return "a single number"
    if isinstance(expected, str):
        return "a text (str)"
    if isinstance(expected, Mapping):
        return f"a dict with the keys {', '.join(map(repr, expected))}"
    if isinstance(expected, tuple):
        return f"a tuple of {len(expected)} values"
    if isinstance(expected, list):
        return "a list"
    return f"an object of type {type(expected).__name__}"


def fits_form(found: Any, expected: Any) -> bool:
    """Whether a result has the form of `expected`, whatever its numbers."""
    if isinstance(expected, torch.Tensor | np.ndarray) and expected.ndim:
        values = array(found)
        return values is not None and values.shape == tuple(expected.shape)
    if isinstance(expected, Number | np.generic | torch.Tensor | np.ndarray):
        return number(found) is not None
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and set(found) == set(expected)
    if isinstance(expected, tuple):
        parts = sequence(found)
        return parts is not None and len(parts) == len(expected)
    if isinstance(expected, list):
        return sequence(found) is not None
    return isinstance(found, type(expected))
