"""The open task of notebook 00: two spirals with few numbers."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lessons.comparing import in_words
from lessons.judging import Open, Wrong
from lessons.n00_pytorch_primer.experiments import spirals

MOST_NUMBERS, LEAST = 100, 0.97


class Brought(TorchDispatchMode):
    """Notes the tensors that a calculation uses and has not made, wherever they are kept."""

    def __init__(self, points: Tensor) -> None:
        super().__init__()
        self.known, self.numbers = {id(points): points}, 0

    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation of PyTorch."""
        result = call(*args, **(kwargs or {}))
        for number, values in enumerate((result, (args, kwargs))):
            new = [
                x for x in tree_leaves(values) if isinstance(x, Tensor) and id(x) not in self.known
            ]
            self.known |= {id(tensor): tensor for tensor in new}
            self.numbers += number * sum(tensor.numel() for tensor in new)
        return result


def judge(fit: Callable) -> None:
    """Refuse a way to fit spirals that is too large, or too often wrong on fresh points."""
    points, targets = spirals(600, seed=1)
    fresh, classes = spirals(2_000, seed=2)
    torch.manual_seed(0)
    model = fit(points.clone(), targets.clone())
    if model is None or model is ...:
        raise Open("(It returns nothing yet: is a `return` missing?)")
    if not isinstance(model, nn.Module):
        kind = "a class, not yet a model" if isinstance(model, type) else in_words(model)
        raise Wrong(f"return the trained model, an nn.Module; this is {kind}.")
    numbers = sum(tensor.numel() for tensor in model.state_dict().values())
    if not numbers:
        raise Wrong("PyTorch finds no numbers in the model that could have been trained.")
    with torch.no_grad(), Brought(fresh) as brought:
        unseen = model.eval()(fresh)
    if (numbers := max(numbers, brought.numbers)) > MOST_NUMBERS:
        raise Wrong(f"the model keeps {numbers} numbers; at most {MOST_NUMBERS} are allowed.")
    if unseen.shape != classes.shape:
        raise Wrong(f"2,000 points give logits {list(unseen.shape)}; [2000] is wanted.")
    right = ((unseen > 0) == classes).float().mean().item()
    if unseen.min() >= 0 and unseen.max() <= 1:
        raise Wrong("all results lie from 0 to 1. A sigmoid at the end? Or is it not trained?")
    if right < LEAST:
        learned = ((model(points) > 0) == targets).float().mean().item()
        raise Wrong(
            f"{right:.1%} of 2,000 fresh points are right, {learned:.1%} of those that it was "
            f"trained on. {LEAST:.0%} of the fresh ones are asked for."
        )
