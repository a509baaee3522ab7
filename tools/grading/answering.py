"""In the student's kernel: `check` calls answers and hands over what came of it, as data.

This is what stands in the place of a notebook's checks while it is graded. It knows no reference.
A check counts in its own cell alone, and what it prints counts for nothing: the judge decides,
in another process.
"""

import pickle
import types
from collections.abc import Callable
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from lessons.calling import call, captured, clean_state
from lessons.exercises import Open, Wrong, _require_methods, attribute, require_answer
from lessons.progress import report
from tools.grading import wire

MIME = "application/x.course-answer+json"


class Check:
    """Stands for the checks of a notebook."""

    def __init__(self, verdicts: dict[str, str] | None = None) -> None:
        self.verdicts = verdicts or {}

    def __getattr__(self, name: str) -> Callable:
        """Return what a check outside its own cell does."""
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *answers: print("(While a notebook is graded, a check counts in its cell.)")

    def passed(self, *labels: str) -> bool:
        """Whether the judge has said ✓ to exercises."""
        return all(self.verdicts.get(label) == "✓" for label in labels)

    def progress(self) -> None:
        """Print how many checks pass."""
        print(report(self.verdicts))


check = Check()


def ready(verdicts: dict[str, str], label: str = "", task: bytes = b"") -> None:
    """Give the notebook its `check` again, whatever was done to it, and undo what rewrites cells.

    Parameters
    ----------
    verdicts : dict
        What the judge has said so far.
    label : str
        The exercise whose check comes now.
    task : bytes
        What is needed for it, see `tools.grading.judge.task`.
    """
    shell: Any = get_ipython()
    for hooks in (shell.ast_transformers, shell.input_transformers_post):
        hooks.clear()
    manager = type(shell.input_transformer_manager)
    shell.input_transformer_manager = manager()
    shell.ask_exit = lambda: None  # exit() is no reason to lose what comes after it
    given = Check(verdicts)
    if label:
        setattr(given, attribute(label), lambda *answers: hand_over(answers, task))
    shell.user_ns["check"] = given


def hand_over(answers: tuple, task: bytes) -> None:
    """Call answers, and send what came of it to the judge."""
    with clean_state(), captured() as printed:
        found = come_of(answers, types.SimpleNamespace(**pickle.loads(task)))
    print(printed.text, end="")
    display({MIME: found}, raw=True)


def come_of(answers: tuple, needed: Any) -> dict[str, Any]:
    """Return what the judge wants to know of answers."""
    try:
        require_answer(*answers)
        if not hasattr(needed, "inputs") and all(map(wire.is_plain, answers)):
            return {"values": wire.pack(answers)}
        if hasattr(needed, "judgement"):
            needed.judgement(*answers)
            return {"kind": "", "said": ""}
        if not hasattr(needed, "inputs") or len(answers) != 1 or not callable(answers[0]):
            return {"values": wire.pack(answers)}
        if needed.methods is not None:
            _require_methods(answers[0], type("", (), {name: ready for name in needed.methods}))
        calls = call(answers[0], needed.inputs, needed.probe, needed.twice)
        print(calls[0].printed, end="")
        return {"calls": wire.pack(calls)}
    except (Exception, SystemExit) as error:
        kind = next((part.__name__ for part in (Open, Wrong) if isinstance(error, part)), "Wrong")
        own = kind == type(error).__name__
        return {"kind": kind, "said": str(error) if own else f"{type(error).__name__}: {error}"}
