"""How II.2.a is judged: a step that takes time, and what wrong seconds mean."""

import time
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from lessons.comparing import number
from lessons.exercises import Open, Wrong

PARTS = ("wait", "forward", "backward")


class SlowStep:
    """A loader and the two halves of a training step, which sleep and note for how long.

    Real time is noted instead of simulated, so that an answer may read any clock.
    """

    def __init__(self, batches: int = 3, seconds: Sequence[float] = (0.012, 0.024, 0.036)) -> None:
        self.batches, self.seconds = batches, dict(zip(PARTS, seconds, strict=True))
        self.spent = dict.fromkeys(PARTS, 0.0)
        self.order: list[str] = []

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in range(self.batches):
            self._sleep("wait")
            yield torch.full((2, 3), float(batch)), torch.tensor([0, 1])

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Take its time; return a loss that tells the batch."""
        self._sleep("forward")
        return inputs.mean() + targets.float().mean()

    def backward(self, loss: Tensor) -> None:
        """Take its time."""
        float(loss)
        self._sleep("backward")

    def _sleep(self, part: str) -> None:
        start = time.perf_counter()
        time.sleep(self.seconds[part])
        self.spent[part] += time.perf_counter() - start
        self.order.append(part)


def judge(time_steps: Callable) -> None:
    """Judge time_steps(loader, forward, backward) → {"wait": s, "forward": s, "backward": s}."""
    for attempt in range(3):  # a busy machine may stop for a moment between two readings
        step = SlowStep()
        sentence = likely_mistake(time_steps(step, step.forward, step.backward), step)
        if sentence is None:
            return
        if attempt == 2 or not sentence.startswith("these "):
            raise Wrong(sentence)


def likely_mistake(seconds: object, step: SlowStep) -> str | None:
    """Return what is wrong with the seconds, or None."""
    if seconds is None or seconds is ...:
        raise Open("(It returns nothing yet: is a `return` missing?)")
    if not isinstance(seconds, dict) or not set(PARTS) <= set(seconds):
        return 'return a dict with the keys "wait", "forward" and "backward".'
    if step.order != [*PARTS] * step.batches:
        return (
            "for each batch of the loader call forward once, and then backward once with the loss "
            "that forward gave. (Is the return inside the loop?)"
        )
    found = [number(seconds[part]) for part in PARTS]
    if any(value is None for value in found):
        return "each of the three is a single number, the seconds of all batches together."
    one, whole = min(step.spent.values()), sum(step.spent.values())
    for sentence, expected in _patterns(step.spent, step.batches):
        if all(abs(a - b) < one / 4 for a, b in zip(found, expected, strict=True)):  # type: ignore[operator]
            return sentence
    total = sum(found)  # type: ignore[arg-type]
    if found[0] > 100 * whole > found[1]:  # type: ignore[operator]
        return "the first waiting is counted from 0, not from a reading just before the loop."
    if total > 100 * whole:
        return "those are no seconds: divide by 1,000 or 1e9, or take time.perf_counter()."
    if total < one / 4:
        return (
            "hardly any time has passed for your clock. process_time() stands still while the "
            "program waits: take read_clock()."
        )
    if total > whole + one / 4:
        return (
            "the three together are longer than the whole run: one of them holds the time of "
            "another as well. Take a new reading after each part."
        )
    return "these are not as long as the parts were: each goes from the end of the one before it."


def _patterns(
    spent: dict[str, float], batches: int
) -> Iterator[tuple[str | None, tuple[float, float, float]]]:
    """Give the right seconds, with None, and wrong ones, each with its sentence."""
    wait, forward, backward = (spent[part] for part in PARTS)
    yield None, (wait, forward, backward)
    yield (
        "the waiting is hardly measured: a loop fetches its batch before its body begins, so the "
        "clock must be read before that.",
        (0, forward, backward),
    )
    yield (
        "those are the seconds of one batch: add up those of all batches.",
        (wait / batches, forward / batches, backward / batches),
    )
    yield "wait and forward are swapped.", (forward, wait, backward)
    yield "forward and backward are swapped.", (wait, backward, forward)
    yield (
        "the time of the first batch's waiting is missing: take a reading just before the loop.",
        (wait * (1 - 1 / batches), forward, backward),
    )
