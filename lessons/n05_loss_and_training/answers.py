"""Hand-made models, probes and wrong answers for the exercises V.2 of notebook 05."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from helpers import datasets, models, training
from helpers.datasets import Bags

# --- V.2.a: the loss of a loader ------------------------------------------------------------

SUM = "that is a sum. Divide it by the number of samples."


class Echo(nn.Module):
    """Its logits [batch] are its inputs; of Bags, the number of tokens minus 1.5."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, inputs: Tensor | Bags) -> Tensor:
        """Map a batch to logits [batch]."""
        values = inputs.offsets.diff() - 1.5 if isinstance(inputs, Bags) else inputs
        return self.weight * values


def numbers_world(logits: list[float], targets: list[int]) -> tuple[nn.Module, DataLoader]:
    """Return a model and a loader of tensors, in batches of 3."""
    data = TensorDataset(torch.tensor(logits), torch.tensor(targets))
    return Echo(), DataLoader(data, 3)


def bags_world(targets: list[int], batch_size: int) -> tuple[nn.Module, DataLoader]:
    """Return a model and a loader of Bags: reviews of 0, 1, 2, … tokens."""
    count = len(targets)
    offsets = torch.arange(count + 1).cumsum(0) - torch.arange(count + 1)
    ids = torch.cat([torch.arange(length) for length in range(count)])
    data = datasets.BagOfWordsDataset(ids.int(), offsets.int(), torch.tensor(targets), count)
    return Echo(), datasets.make_loader(data, batch_size, sparse=True)


def measured(average_loss: Callable, model: nn.Module, loader: DataLoader) -> Any:
    """Return the loss; "trained" or "gradients" if measuring it has left that in the model."""
    before = [parameter.detach().clone() for parameter in model.parameters()]
    result = average_loss(model, loader)
    if not all(map(torch.equal, before, model.parameters())):
        return "trained"
    if any(parameter.grad is not None for parameter in model.parameters()):
        return "gradients"
    return result


def of_batches(combine: Callable, of: int = 1) -> Callable:
    """Return an answer to V.2.a that combines the losses of the batches, their sizes, a full one.

    The size of a batch is the length of its part number `of`: 0 for the inputs, 1 for the targets.
    """

    @torch.no_grad()
    def average_loss(model: nn.Module, loader: DataLoader) -> Any:
        pairs = list(loader)
        losses = [training.classification_loss(model(x), y).item() for x, y in pairs]
        return combine(np.array(losses), [len(pair[of]) for pair in pairs], loader.batch_size)

    return average_loss


def training_instead(model: nn.Module, loader: DataLoader) -> float:
    """Answer V.2.a with an epoch of training."""
    return training.train_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=0.1))


def backward_too(model: nn.Module, loader: DataLoader) -> float:
    """Answer V.2.a, but for a backward pass too many."""
    for inputs, targets in loader:
        training.classification_loss(model(inputs), targets).backward()
    return training.evaluate(model, loader).loss


# --- V.2.b: new parameters ------------------------------------------------------------------


def nested() -> nn.Sequential:
    """Return a model with layers at two depths, the first one the course's own."""
    inner = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    return nn.Sequential(models.BagLinear(4, 3), nn.ReLU(), inner)


def redrawn(start_anew: Callable, model: nn.Module) -> Any:
    """Return the names of the parameters that are new, or two words for what is wrong with them."""
    old = dict(model.named_parameters())
    with torch.no_grad():
        for parameter in old.values():
            parameter.fill_(7)
    answer = start_anew(model)
    if answer is None or answer is ...:
        return answer
    if not isinstance(answer, nn.Module):
        return "no model"
    if answer is not model or any(old[name] is not new for name, new in model.named_parameters()):
        return "new objects"
    names = [name for name, parameter in old.items() if not torch.all(parameter == 7)]
    return names if len(names) < len(old) else _spoilt(model) or names


def _spoilt(model: nn.Module) -> str:
    """Say what a layer has that a new one would not have."""
    for layer in model.modules():
        if bound := getattr(layer, "in_features", 0) ** 0.5:
            weight, bias = layer.parameters()
            if torch.all(weight == weight[0, 0]):
                return "all equal"
            if max(weight.abs().max(), bias.abs().max()) > 1 / bound + 1e-6:
                return "other numbers"
    return ""


def resetting(
    parts: Callable, asked: Callable = lambda part: hasattr(part, "reset_parameters")
) -> Callable:
    """Return an answer to V.2.b that resets those of ``parts(model)`` that are `asked` for."""

    def start_anew(model: nn.Module) -> nn.Module:
        for part in filter(asked, parts(model)):
            part.reset_parameters()
        return model

    return start_anew


def filling(draw: Callable[[Tensor], Any], dims: tuple[int, ...] = (1, 2)) -> Callable:
    """Return an answer to V.2.b that draws the parameters with these numbers of axes itself."""

    @torch.no_grad()
    def start_anew(model: nn.Module) -> nn.Module:
        for parameter in model.parameters():
            if parameter.ndim in dims:
                draw(parameter)
        return model

    return start_anew
