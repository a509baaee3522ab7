"""The judge: it alone holds the references, and says what is right.

    python -m tools.grading.judge 03_dataloader 3    # over the socket that is file 3

`{"task": "III.2.a"}` asks for what a student's process needs to call an answer: the inputs and
the probe, and no reference. `{"label": "III.2.a", "answer": {…}}` brings what came of it, as data,
and is answered by the verdict and its sentence.
"""

import contextlib
import functools
import importlib
import inspect
import io
import json
import resource
import sys
import types
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle

from lessons.exercises import Checks, attribute
from lessons.judging import Exercise, Open, Wrong, judge
from tools.grading import wire

MOST_BYTES = 8 * 2**30
CLAIMS = {"Wrong": Wrong, "Open": Open}


def checks_of(name: str) -> Checks:
    """Return the checks of a notebook, by its name: "03_dataloader"."""
    return importlib.import_module(f"lessons.n{name}.checks").check


def task(check: Checks, label: str) -> bytes:
    """Return what a student's process needs for an exercise, pickled by value.

    A dict: of an exercise with inputs its ``inputs``, ``probe``, ``twice`` and the names of the
    ``methods`` that are asked for; of a hand-made check its ``judgement``; else nothing.
    """
    exercise, judgement = check.exercises.get(label), judgement_of(check, label)
    needed: dict[str, Any] = {}
    if exercise is not None and not exercise.is_value:
        reference = exercise.reference
        methods = [name for name, part in _parts(reference) if inspect.isfunction(part)]
        needed = {"inputs": exercise.inputs, "probe": exercise.probe, "twice": exercise.twice}
        needed["methods"] = methods if inspect.isclass(reference) else None
    elif exercise is None and not is_data(judgement):
        needed = {"judgement": judgement}
    file = io.BytesIO()
    _ByValue(file, needed).dump(needed)
    return file.getvalue()


def judgement_of(check: Checks, label: str) -> Any:
    """Return the function that judges an exercise's answer."""
    return inspect.getclosurevars(getattr(check, attribute(label))).nonlocals["judgement"]


def is_data(judgement: Any) -> bool:
    """Whether a check compares with data: a value, a choice; not made by hand."""
    return isinstance(judgement, functools.partial)


def verdict(check: Checks, label: str, answer: dict[str, Any]) -> str:
    """Return the line that says whether an answer is right; it begins with ✓, ✗ or ….

    Parameters
    ----------
    check : Checks
        Those of the notebook.
    label : str
        The exercise.
    answer : dict
        What the student's process handed over: ``values``, or the ``calls`` of a function, or
        ``said``, what a hand-made check said in the student's process.
    """
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        if "values" in answer:
            check.verdicts[label] = "…"
            getattr(check, attribute(label))(*wire.unpack(answer["values"]))
        else:
            fresh, exercise = Checks(), check.exercises.get(label)
            by_hand = exercise is None and not is_data(judgement_of(check, label))
            fresh.custom(label)(lambda _: _rejudge(exercise, by_hand, answer))(check)
    return out.getvalue().rstrip("\n").splitlines()[-1]


def _rejudge(exercise: Exercise | None, by_hand: bool, answer: dict[str, Any]) -> None:
    """Raise what the answer deserves; only a check made by hand says something itself."""
    if (kind := answer.get("kind")) in CLAIMS:
        raise CLAIMS[kind](str(answer.get("said", ""))[:1_500])
    if by_hand and answer == {"kind": "", "said": ""}:
        return
    if exercise is None:
        raise Open
    calls = wire.unpack(answer["calls"])
    if len(calls) != len(exercise.inputs) and not any(
        getattr(one.result, "kind", "") == "SystemExit" for one in calls
    ):
        raise Wrong("the calls of the answer are not those that were asked for.")
    judge(exercise, calls)


# --- without the references ---------------------------------------------------------------


def is_of_a_room(name: str | None) -> bool:
    """Whether a module is one that a student's process does not have."""
    return (name or "").startswith("lessons.n")


class _ByValue(cloudpickle.Pickler):
    """Pickles functions and classes of the rooms by value, with the names that they use alone."""

    def __init__(self, file: io.BytesIO, root: Any) -> None:
        super().__init__(file)
        self.names = {name for code in reached(root) for name in code.co_names}

    def reducer_override(self, value: Any) -> Any:
        """Shrink modules to what is used; take what is cached without its cache."""
        if isinstance(value, types.ModuleType) and is_of_a_room(value.__name__):
            used = {name: part for name, part in vars(value).items() if name in self.names}
            return types.SimpleNamespace, (), used
        if isinstance(value, functools._lru_cache_wrapper) and is_of_a_room(value.__module__):
            return functools.cache, (value.__wrapped__,)
        if isinstance(value, contextlib._GeneratorContextManager):  # used as a decorator
            return contextlib._GeneratorContextManager, (value.func, value.args, value.kwds)
        return super().reducer_override(value)


def reached(root: Any) -> Iterator[types.CodeType]:
    """Yield the code of all functions in the rooms that a value leads to."""
    seen: set[int] = set()
    waiting: list[tuple[Any, set[str]]] = [(root, set())]
    while waiting:
        value, names = waiting.pop()
        if isinstance(value, types.ModuleType) and is_of_a_room(value.__name__):
            waiting += [(part, names) for name, part in vars(value).items() if name in names]
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        value = inspect.unwrap(value) if callable(value) else value
        if isinstance(value, types.FunctionType) and is_of_a_room(value.__module__):
            codes = [value.__code__]
            for code in codes:  # it grows: functions within functions
                codes += [part for part in code.co_consts if isinstance(part, types.CodeType)]
            yield from codes
            names = {name for code in codes for name in code.co_names}
            parts = [part for name, part in value.__globals__.items() if name in names]
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            parts += [*cells, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
            waiting += [(part, names) for part in parts]
        elif isinstance(value, functools.partial):
            waiting += [(part, names) for part in (value.func, *value.args, value.keywords)]
        elif inspect.isclass(value) and is_of_a_room(value.__module__):
            waiting += [(part, names) for _, part in _parts(value)]
            waiting += [(base, names) for base in value.__bases__]
        elif isinstance(value, dict):
            waiting += [(part, names) for part in value.values()]
        elif isinstance(value, list | tuple | set):
            waiting += [(part, names) for part in value]
        elif is_of_a_room(type(value).__module__):
            waiting += [(type(value), names), (getattr(value, "__dict__", {}), names)]


def _parts(cls: Any) -> list[tuple[str, Any]]:
    parts = vars(cls).items() if inspect.isclass(cls) else ()
    return [(name, getattr(part, "__func__", getattr(part, "fget", part))) for name, part in parts]


def main(name: str, number: int) -> None:
    """Answer requests until there are no more."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    check, asked = checks_of(name), Connection(number)
    for module in [part for key, part in sys.modules.items() if is_of_a_room(key)]:
        cloudpickle.register_pickle_by_value(module)
    while True:
        try:
            request = json.loads(asked.recv_bytes())
        except EOFError:
            return
        try:
            if "task" in request:
                reply = task(check, request["task"]).hex()
            elif "answer" in request:
                reply = verdict(check, request["label"], request["answer"])
            else:
                reply = {attribute(label): label for label in check.verdicts}
        except Exception as error:  # an answer that is no data, or too much of it
            reply = f"✗ {request['label']}: what it gave can't be judged ({error!r:.200})."
        asked.send_bytes(json.dumps(reply).encode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
