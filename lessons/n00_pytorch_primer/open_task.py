"""The open task of notebook 00: two spirals with few numbers."""

from collections.abc import Callable

import torch
from torch import nn

from lessons.comparing import in_words
from lessons.judging import Open, Wrong
from lessons.n00_pytorch_primer.experiments import spirals

MOST_NUMBERS, LEAST = 100, 0.97


def judge(fit: Callable) -> None:
    """Refuse a way to fit spirals that is too large, or too often wrong on fresh points."""
    points, targets = spirals(600, seed=1)
    fresh, classes = spirals(2_000, seed=2)
    torch.manual_seed(0)
    model = fit(points.clone(), targets.clone())
    if model is None or model is ...:
        raise Open("(It returns nothing yet: is a `return` missing?)")
    if not isinstance(model, nn.Module):
        raise Wrong(f"return the trained model, an nn.Module; this is {in_words(model)}.")
    numbers = sum(tensor.numel() for tensor in model.state_dict().values())
    if not numbers:
        raise Wrong("PyTorch finds no numbers in the model that could have been trained.")
    if numbers > MOST_NUMBERS:
        raise Wrong(f"the model keeps {numbers} numbers; at most {MOST_NUMBERS} are allowed.")
    with torch.no_grad():
        seen, unseen = (model.eval()(x) for x in (points, fresh))
    if unseen.shape != classes.shape:
        raise Wrong(f"2,000 points give logits {list(unseen.shape)}; [2000] is wanted.")
    right = ((unseen > 0) == classes).float().mean().item()
    if right < LEAST:
        learned = ((seen > 0) == targets).float().mean().item()
        raise Wrong(
            f"{right:.1%} of 2,000 fresh points are right, {learned:.1%} of those that it was "
            f"trained on. {LEAST:.0%} of the fresh ones are asked for."
        )
