"""Experiments of notebook 05 whose code is not what it teaches."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD

from helpers import datasets, training
from helpers.datasets import BagOfWordsDataset
from helpers.models import BagLinear
from lessons.n05_loss_and_training.faults import Report

Build = Callable[[], nn.Module]

#: corners that hold all paths of the picture of gradient descent, with and without momentum
REACH = torch.tensor([[-2.2, -5.6], [5.0, 1.8]])


def small_training(
    loop: Callable, few: BagOfWordsDataset, held_out: BagOfWordsDataset, num_epochs: int
) -> Report:
    """Train a small model with dropout by `loop`; print and return its report."""
    training.set_seed(0)
    hidden = BagLinear(few.vocab_size, 50, sparse_grad=False)
    model = nn.Sequential(hidden, nn.ReLU(), nn.Dropout(0.5), nn.Linear(50, 2))
    learn = datasets.make_loader(few, shuffle=True, sparse=True)
    judge = datasets.make_loader(held_out, 500, sparse=True)
    report = loop(model, learn, judge, SGD(model.parameters(), lr=0.1), num_epochs)
    for epoch, (loss, accuracy) in enumerate(report, start=1):
        print(f"epoch {epoch}: loss {loss:.3f}, validation accuracy {accuracy:.1%}")
    return report


def train(
    build: Build, data: BagOfWordsDataset, seed: int, num_epochs: int = 5, lr: float = 0.1
) -> tuple[nn.Module, list[float]]:
    """Return a new model trained on `data`, and the mean loss of each epoch."""
    training.set_seed(seed)
    model = build().to(training.pick_device())
    order = torch.Generator().manual_seed(seed)
    loader = datasets.make_loader(data, shuffle=True, sparse=True, generator=order)
    optimizer = SGD(model.parameters(), lr=lr)
    return model, training.fit(model, loader, optimizer, num_epochs, progress=False).train_loss


def compare(
    variants: Mapping[str, Build], data: BagOfWordsDataset, held_out: BagOfWordsDataset
) -> tuple[list[list], dict[str, np.ndarray]]:
    """Train each variant with three seeds; return rows of a table, and mean training losses.

    A row ends in the points against "two logits", paired by seed, with half the 95 % interval.
    """
    judge = datasets.make_loader(held_out, batch_size=500, sparse=True)
    runs = {
        name: [train(build, data, seed) for seed in range(3)] for name, build in variants.items()
    }
    found = {
        name: [training.evaluate(model, judge) for model, _ in each] for name, each in runs.items()
    }
    scores = {name: [one.accuracy for one in each] for name, each in found.items()}
    curves = {name: np.mean([losses for _, losses in each], axis=0) for name, each in runs.items()}
    rows = []
    for name, each in found.items():
        gain, half = training.paired_interval(scores[name], scores["two logits"])
        points = "" if name == "two logits" else f"{100 * gain:+.1f} ± {100 * half:.1f}"
        loss = np.mean([one.loss for one in each])
        rows.append([name, curves[name][-1], loss, np.mean(scores[name]), points])
    return rows, curves


def corrected(
    build: Build, data: BagOfWordsDataset, lr: float, num_epochs: int = 60
) -> tuple[list[float], float]:
    """Train with swapped labels, then with the right ones; return all losses, and the accuracy."""
    swapped = BagOfWordsDataset(data.ids, data.offsets, 1 - data.labels, data.vocab_size)
    model, at_first = train(build, swapped, 0, num_epochs, lr)
    loader = datasets.make_loader(data, shuffle=True, sparse=True)
    optimizer = SGD(model.parameters(), lr=lr)
    later = training.fit(model, loader, optimizer, num_epochs, progress=False).train_loss
    return at_first + later, training.evaluate(model, loader).accuracy


def kinds_of_reviews(data: BagOfWordsDataset, ids: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return which of `ids` occur, and the label, [kinds, ids + 1], and how often, [kinds]."""
    table = torch.zeros(len(data), len(ids) + 1, dtype=torch.int64)
    table[:, -1] = data.labels
    review_of_id = torch.repeat_interleave(data.offsets.diff())  # [total]
    for column, token in enumerate(ids):
        table[review_of_id[data.ids == token], column] = 1
    return torch.unique(table, dim=0, return_counts=True)  # type: ignore[return-value]
