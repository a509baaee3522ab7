"""VI.4.b of notebook 06: early stopping, wrong answers, and the exercise."""

from collections.abc import Callable
from typing import Any


def stop(losses: list[float], patience: int) -> tuple[int, int]:
    """Return the last epoch and the best one."""
    for last in range(len(losses)):
        best = losses.index(min(losses[: last + 1]))
        if last - best >= patience:
            break
    return last, best


def stopping(change: Callable[..., tuple]) -> Callable:
    """Return an answer to VI.4.b: ``change(last, best, losses, patience)``, from the right ones."""
    return lambda losses, patience: change(*stop(losses, patience), losses, patience)


def counting(against: str) -> Callable:
    """Return an answer to VI.4.b with a counter of failures, which is set to 0 at a wrong time.

    `against` is "previous": an epoch fails, and is called best, by comparison with the one before;
    "rises": only the count starts again by it; "never": the count never starts again.
    """

    def when_to_stop(losses: list[float], patience: int) -> tuple[int, int]:
        best = failures = last = 0
        for last, loss in enumerate(losses):
            new_best = loss < losses[best]
            falls = last > 0 and loss < losses[last - 1]
            if new_best or (against == "previous" and falls):
                best = last
            if falls and against != "never":
                failures = 0
            elif last and not new_best:
                failures += 1
            if failures == patience:
                break
        return last, best

    return when_to_stop


PREVIOUS = (
    "you compare with the previous epoch. An epoch that is better than the one before it, but no "
    "new best, does not start the count again."
)

STOP: dict[str, Any] = dict(
    reference=stop,
    inputs=[
        ([0.9, 0.5, 0.6, 0.4, 0.45, 0.47, 0.43, 0.46, 0.48, 0.49, 0.3], 3),
        ([0.5, 0.6, 0.4, 0.5], 1),
        ([0.5, 0.4, 0.45], 5),
        ([0.5, 0.5, 0.5, 0.5], 2),
        ([0.7], 2),
    ],
    mistakes=[
        (
            "you stop at the first epoch that is worse. What is the patience for?",
            lambda losses, patience: stop(losses, 1),
        ),
        (
            "one epoch too late: a patience of 3 ends with the third epoch without a new best.",
            lambda losses, patience: stop(losses, patience + 1),
        ),
        (
            "too early: with a patience of 3, three epochs in a row may fail to improve.",
            lambda losses, patience: stop(losses, patience - 1),
        ),
        ("too early: every new best starts the count again.", counting("never")),
        (PREVIOUS, counting("previous")),
        (PREVIOUS, counting("rises")),
        (
            "an equal loss is no improvement.",
            lambda losses, patience: stop([x - 1e-9 * i for i, x in enumerate(losses)], patience),
        ),
        (
            "the weights to keep are those of the best epoch, not of the last.",
            stopping(lambda last, best, *_: (last, last)),
        ),
        (
            "the two numbers are swapped: last epoch first.",
            stopping(lambda last, best, *_: (best, last)),
        ),
        (
            "epochs count from 0, as in `losses[0]`.",
            stopping(lambda last, best, *_: (last + 1, best + 1)),
            lambda found, *world: [*found] == [right + 1 for right in stop(*world)],
        ),
        (
            "those are losses. Return the numbers of the two epochs.",
            stopping(lambda last, best, losses, _: (losses[last], losses[best])),
        ),
        (
            "when the epochs run out first, the number of the last one is len(losses) - 1.",
            stopping(lambda last, best, _, patience: (last + (last - best < patience), best)),
        ),
        (
            "when the epochs run out first, the best one is still kept.",
            stopping(lambda last, best, _, wait: (last, best if last - best >= wait else last)),
        ),
        (
            "remember the best epoch as you walk; do not compute it from the patience.",
            stopping(lambda last, best, _, patience: (last, last - patience)),
            lambda found, *world: stop(*world)[1] != found[1] in (found[0] - world[1], 0),
        ),
        (
            "you know the future: the best of *all* losses comes after training has stopped. "
            "Count the epochs since the best one so far.",
            lambda losses, _: (len(losses) - 1, losses.index(min(losses))),
            lambda found, *world: stop(*world)[1] != found[1] == world[0].index(min(world[0])),
        ),
    ],
    otherwise="Walk through it by hand: last epoch first, then the best one.",
)
