"""How II.2.a is judged: a step that takes time, and what wrong seconds mean."""

import itertools
import sys
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from lessons.comparing import number
from lessons.exercises import Open, Wrong

SECONDS = {"wait": 0.012, "forward": 0.024, "backward": 0.036}
BATCHES = 3


class SlowStep:
    """A loader and the two halves of a training step, which sleep and note for how long.

    Real time is noted instead of simulated.
    """

    def __init__(self) -> None:
        self.spent = dict.fromkeys(SECONDS, 0.0)
        self.order: list[str] = []

    def __len__(self) -> int:
        return BATCHES

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in range(BATCHES):
            start = time.perf_counter()
            pair = torch.full((2, 3), float(batch)), torch.tensor([0, 1])
            self._sleep("wait", start)
            yield pair

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Take its time; return a loss that tells the batch."""
        start = time.perf_counter()
        loss = (inputs.mean() + targets.float().mean()).requires_grad_()
        self._sleep("forward", start)
        return loss

    def backward(self, loss: Tensor) -> None:
        """Take its time."""
        start = time.perf_counter()
        loss.item()
        self._sleep("backward", start)

    def _sleep(self, part: str, start: float) -> None:
        time.sleep(SECONDS[part])
        self.spent[part] += time.perf_counter() - start
        self.order.append(part)


def judge(time_steps: Callable) -> None:
    """Judge time_steps(loader, forward, backward) → {"wait": s, "forward": s, "backward": s}."""
    clock = getattr(getattr(time_steps, "__globals__", {}).get("read_clock"), "__code__", None)
    for attempt in reversed(range(4)):  # a busy machine may stop between two readings
        step, codes, profiler = SlowStep(), set[object](), sys.getprofile()
        sys.setprofile(lambda frame, *_, codes=codes: codes.add(frame.f_code))  # what is called
        try:
            seconds = time_steps(step, step.forward, step.backward)
        finally:
            sys.setprofile(profiler)
        sentence = likely_mistake(seconds, step)
        if not sentence:
            if clock and clock not in codes:
                raise Wrong("right on a CPU, but only `read_clock()` waits for a GPU: call it.")
            return
        if not attempt or step.order != [*SECONDS] * BATCHES:
            raise Wrong(sentence)


def likely_mistake(seconds: object, step: SlowStep) -> str:
    """Return what is wrong with the seconds, or an empty text."""
    if seconds is None or seconds is ...:
        raise Open("(It returns nothing yet: is a `return` missing?)")
    if not isinstance(seconds, dict) or not set(SECONDS) <= set(seconds):
        return 'return a dict with the keys "wait", "forward" and "backward".'
    if step.order == [*SECONDS]:
        return "the loop ends after the first batch: is the return inside the loop?"
    if step.order[:BATCHES] == ["wait"] * BATCHES and "forward" in step.order:
        return "all batches are fetched before the first is used: loop over the loader itself."
    if step.order != [*SECONDS] * BATCHES:
        return "for each batch call forward once, and then backward once, with the loss it gave."
    found = [value for part in SECONDS if (value := number(seconds[part])) is not None]
    if len(found) < len(SECONDS):
        return "each of the three is a single number, the seconds of all batches together."
    one, whole = min(step.spent.values()), sum(step.spent.values())
    for factors, sentence in PATTERNS.items():
        expected = (f * spent for f, spent in zip(factors, step.spent.values(), strict=True))
        if all(abs(a - b) < one / 4 for a, b in zip(found, expected, strict=True)):
            return sentence
    if found[0] > 100 * whole > found[1]:
        return "the first waiting is counted from 0, not from a reading just before the loop."
    if sum(found) > 100 * whole:
        return "those are no seconds: divide by 1,000 or 1e9, or take `read_clock()`."
    if min(found) < -one / 4:
        return "a part is below 0: subtract the earlier reading from the later one."
    if sum(found) < whole / 8:
        return "next to nothing in all. (process_time() stands still during a wait, int() cuts.)"
    if sum(found) > whole + one / 4:
        return "the three together are longer than the run: take a new reading after each part."
    return "these are not as long as the parts were: each goes from the end of the one before it."


#: which share of wait, forward and backward has been measured, and what is said then
PATTERNS = {
    **dict.fromkeys(
        itertools.product((1, 1 / BATCHES), repeat=3),
        "some of these are the seconds of one batch: add up those of all batches.",
    ),
    (1, 1, 1): "",
    (0, 1, 1): "the waiting is hardly measured: a loop fetches its batch before its body begins, "
    "so the clock must be read before that.",
    (1 - 1 / BATCHES, 1, 1): "the first waiting is missing: take a reading before the loop.",
}
