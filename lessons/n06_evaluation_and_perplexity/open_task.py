"""The open task of notebook 06: one temperature, and the reliability before and after it."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from lessons.calling import Raised, call
from lessons.comparing import in_words, number
from lessons.exercises import Wrong, compare, require_answer
from lessons.judging import Exercise
from lessons.slips import stopped

CLOSE = 1.0005  # so much may the perplexity lie above the lowest one


def world(scale: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return logits [2,000] that are `scale` times too large, and targets that fit the others."""
    draw = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(2_000, generator=draw)
    targets = torch.rand(2_000, generator=draw) < torch.sigmoid(logits)
    return scale * logits, targets.long()


def perplexity_at(logits: Tensor, targets: Tensor, temperature: float) -> float:
    """Return the perplexity of ``logits / temperature``."""
    z = logits.double() / temperature
    return F.binary_cross_entropy_with_logits(z, targets.double()).exp().item()  # perhaps inf


def lowest(logits: Tensor, targets: Tensor) -> float:
    """Return the best temperature: the loss is convex in 1 / temperature, so halve an interval."""
    low, high = 1e-3, 1e3
    while high / low > 1 + 1e-6:
        middle = math.sqrt(low * high)
        slope = (torch.sigmoid(logits / middle) - targets) @ logits  # with respect to 1 / T
        low, high = (low, middle) if slope < 0 else (middle, high)
    return math.sqrt(low * high)


def reliability(probabilities: Tensor, targets: Tensor, num_bins: int) -> tuple[list, list, list]:
    """Return mean probability, share of positives and count of each bin that is not empty."""
    bins = (probabilities * num_bins).long().clamp(max=num_bins - 1)
    parts = [bins == place for place in range(num_bins) if (bins == place).any()]
    means = [probabilities[part].mean().item() for part in parts]
    shares = [targets[part].float().mean().item() for part in parts]
    return means, shares, [int(part.sum()) for part in parts]


SURE = torch.tensor([0.0, 0.05, 0.12, 0.25, 0.31, 0.38, 0.97, 1.0])  # 8: shown in messages
POSITIVE = torch.tensor([0, 1, 0, 1, 1, 1, 1, 0])

RELIABILITY = Exercise(
    "06.open",
    reliability,
    inputs=[(SURE, POSITIVE, 10), (SURE, POSITIVE, 4), (SURE[4:], POSITIVE[4:], 5)],
    otherwise="`reliability` gives three lists: mean probability, share of positive targets and "
    "number of reviews of each bin in use. (A bin includes its lower edge, the last one also 1.)",
)


def judge(find_temperature: Callable, curve: Callable) -> None:
    """Raise `Wrong` unless the temperatures are best, and the curve is right."""
    worlds = [world(scale, seed) for seed, scale in enumerate((4.0, 0.3, 12.0, 1.0))]
    for one, (logits, targets) in zip(call(find_temperature, worlds), worlds, strict=True):
        require_answer(one.result)
        if isinstance(one.result, Raised):
            raise Wrong(stopped(one.result))
        found = number(one.result)
        if found is None or not math.isfinite(found):
            raise Wrong(f"the temperature is one number; this is {in_words(one.result)}.")
        if found <= 0:
            raise Wrong(f"a temperature of {found:.3g} changes predictions.")
        best_one = lowest(logits, targets)
        best = perplexity_at(logits, targets, best_one)
        reached = perplexity_at(logits, targets, found)
        if reached > CLOSE * best:
            turned = perplexity_at(logits, targets, 1 / found) <= CLOSE * best
            raise Wrong(
                f"with your temperature, {found:.4g}, some logits of the check have a perplexity "
                f"of {reached:.4f}; {best:.4f} is possible, with a "
                f"{'smaller' if best_one < found else 'larger'} one."
                + (" Logits are *divided* by the temperature." if turned else "")
            )
        if one.changed:
            raise Wrong("the temperature is right, but your code changes its arguments in place.")
    compare(RELIABILITY, curve)
