"""Hand-made worlds, probes and wrong answers for the exercises of notebook 06."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from helpers import datasets, training

BELOW_1 = "a perplexity below 1 is impossible"
BAGS = (
    "right for inputs that are one tensor. Bags are two lists of numbers, so their length is not "
    "that of the batch. The targets are always one tensor."
)
DROPPED = (
    "with drop_last the loader hands out fewer samples than its data set holds. Count what really "
    "arrives."
)

# --- loaders ------------------------------------------------------------------------------


def numbers(logits: list[float], targets: list[int], drop_last: bool = False) -> DataLoader:
    """Return a loader of tensors [batch], in batches of 4."""
    data = TensorDataset(torch.tensor(logits), torch.tensor(targets))
    return DataLoader(data, 4, drop_last=drop_last)


def pairs(count: int, drop_last: bool = False) -> DataLoader:
    """Return a loader of tensors [batch, 2] in batches of 4; every third class is 1."""
    data = TensorDataset(torch.zeros(count, 2), (torch.arange(count) % 3 == 0).long())
    return DataLoader(data, 4, drop_last=drop_last)


def bags(count: int, batch_size: int) -> DataLoader:
    """Return a loader of Bags: reviews of 0, 1, 2, … tokens, all of class 1."""
    offsets = torch.arange(count + 1).cumsum(0) - torch.arange(count + 1)
    ids = torch.cat([torch.arange(length) for length in range(count)])
    labels = torch.ones(count, dtype=torch.int64)
    data = datasets.BagOfWordsDataset(ids.int(), offsets.int(), labels, count)
    return datasets.make_loader(data, batch_size, sparse=True)


# --- VI.1.c: classes ----------------------------------------------------------------------


def classified(predicted_classes: Callable, one_logit: Tensor, several: Tensor) -> Any:
    """Return the classes for one logit per sample, and for several."""
    found = predicted_classes(one_logit)
    if found is None or found is ...:
        return found
    return _checked(found), _checked(predicted_classes(several))


def _checked(found: Any) -> Any:
    """Return classes in a tensor as they are, else two words for what they are."""
    if not isinstance(found, Tensor):
        return "values and indices" if hasattr(found, "indices") else "no tensor"
    whole = found.ndim == 1 and set(found.tolist()) <= {0, 1, 2}
    return "another type" if whole and found.dtype != torch.int64 else found


def classes(
    one: Callable = lambda z: (z > 0).long(), several: Callable = lambda z: z.argmax(1)
) -> Callable:
    """Return an answer to VI.1.c, with a place for a mistake in each case."""
    return lambda logits: (one if logits.ndim == 1 else several)(logits)


# --- VI.3.b: watching ---------------------------------------------------------------------


def watch_world(num_epochs: int, lr: float) -> tuple:
    """Return the arguments of VI.3.b: a tiny classifier, its data, and its optimizer."""
    inputs = torch.tensor([[2.0, 1.0], [1.0, -1.0], [-1.0, 0.5], [-2.0, -1.0], [0.5, 2.0]])
    targets = torch.tensor([1, 1, 0, 0, 1])
    model = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.1)
    train = [(inputs[:3], targets[:3]), (inputs[3:], targets[3:])]
    validation = [(-0.5 * inputs[:4], targets[:4])]
    return model, train, validation, torch.optim.SGD(model.parameters(), lr=lr), num_epochs


def watched(train_and_watch: Callable, *arguments: Any) -> Any:
    """Return the losses of each epoch's pair of evaluations."""
    rows = train_and_watch(*arguments)
    if not isinstance(rows, list | tuple):
        return rows
    return [[*map(_loss, row)] if isinstance(row, list | tuple) else "no pair" for row in rows]


def _loss(entry: Any) -> Any:
    return entry.loss if hasattr(entry, "loss") and hasattr(entry, "accuracy") else "no evaluation"


def watching(
    batches: Callable = lambda train, validation: train,
    look_first: bool = False,
    look: Callable = training.evaluate,
    only_at_the_end: bool = False,
) -> Callable:
    """Return an answer to VI.3.b that trains on ``batches(train, validation)``."""

    def train_and_watch(model, train, validation, optimizer, num_epochs):
        rows = []
        for _ in range(num_epochs):
            looks = [(look(model, train), look(model, validation))] if look_first else []
            if learned := batches(train, validation):
                training.train_epoch(model, learned, optimizer)
            rows += looks or [(look(model, train), look(model, validation))]
        return rows[-1:] * num_epochs if only_at_the_end else rows

    return train_and_watch
