"""What readers answer in notebook 03 · The DataLoader, besides the data of the exercises."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from helpers.training import pick_device
from lessons.n03_dataloader.loaders import Given, batching, counting, loader, ordering
from lessons.n03_dataloader.open_task import drawn, sampler
from tests.lessons.tables import Trap


def shares(of: Callable = lambda labels: labels.float().mean().item()) -> Callable:
    """Make an answer to III.2.c: some number of the labels of each batch."""
    return lambda loader: [of(labels) for _, labels in loader]


def collate_by_loop(samples: list) -> list[Tensor]:
    inputs = torch.zeros(len(samples), len(samples[0][0]))
    labels = []
    for row, (vector, label) in enumerate(samples):
        inputs[row] = vector
        labels.append(label)
    return [inputs, torch.tensor(labels)]


def shuffled_in_place(self: Given) -> list[int]:
    order = torch.arange(len(self.dataset))
    if self.shuffle:
        order = order[torch.randperm(len(order), generator=self.generator)]
    return [index.item() for index in order]


def list_of_tensors(self: Given) -> list[Tensor]:
    return list(torch.tensor(shuffled_in_place(self)))


def seeded(self: Given) -> list[int]:
    torch.manual_seed(42)
    return shuffled_in_place(self)


def anew(self: Given) -> Iterator:
    """Ask for an order in each batch."""
    for start in range(0, len(self.dataset), self.batch_size):
        piece = self.order()[start : start + self.batch_size]
        yield self.collate_fn([*map(self.dataset.__getitem__, piece)])


def one_class(indices: Tensor, generator: torch.Generator) -> Tensor:
    """Leave the class of review 0 in the order of the file."""
    return indices if 0 in indices else drawn(indices, generator)


def shares_of_the_first(loader: list) -> list[float]:
    for _, labels in loader:
        return [labels.float().mean().item()]
    return []


def one_by_one(self: Given) -> Iterator:
    """Fill each batch sample by sample."""
    samples = []
    for index in self.order():
        samples.append(self.dataset[index])
        if len(samples) == self.batch_size:
            yield self.collate_fn(samples)
            samples = []
    if samples and not self.drop_last:
        yield self.collate_fn(samples)


def by_number(self: Given) -> Iterator:
    """Go by the number of batches, and return an iterator over a list."""
    order, size = self.order(), self.batch_size
    pieces = [order[size * k : size * (k + 1)] for k in range(len(self))]
    return iter([self.collate_fn([*map(self.dataset.__getitem__, piece)]) for piece in pieces])


def weighted_by_loop(losses: np.ndarray, num_samples: int, batch_size: int) -> np.ndarray:
    means, total, seen = [], 0.0, 0
    for loss in losses:
        size = min(batch_size, num_samples - seen)
        total, seen = total + loss * size, seen + size
        if seen == num_samples:
            means.append(total / num_samples)
            total, seen = 0.0, 0
    return np.array(means)


def weighted_in_place(losses: np.ndarray, num_samples: int, batch_size: int) -> list[float]:
    batches = -(-num_samples // batch_size)
    table = losses.reshape(-1, batches)
    table *= batch_size
    table[:, -1] *= (num_samples - (batches - 1) * batch_size) / batch_size
    return (table.sum(axis=1) / num_samples).tolist()


class Pairs:
    """Positives and negatives in turn, as a list of all batches."""

    def __init__(self, labels: Tensor, batch_size: int, generator: torch.Generator) -> None:
        self.labels, self.size, self.generator = labels.tolist(), batch_size, generator

    def __len__(self) -> int:
        return math.ceil(len(self.labels) / self.size)

    def __iter__(self) -> Iterator[Tensor]:
        order = torch.randperm(len(self.labels), generator=self.generator).tolist()
        good = [i for i in order if self.labels[i] == 1]
        bad = [i for i in order if self.labels[i] == 0]
        mixed = [index for pair in zip(good, bad, strict=True) for index in pair]
        return iter(torch.tensor(mixed).split(self.size))


class Singles(sampler()):
    """Indices one by one instead of batches."""

    def __iter__(self) -> Iterator[int]:
        for batch in super().__iter__():
            yield from batch


RIGHT = {
    "ex_03_1": [
        (collate_by_loop,),
        (torch.utils.data.default_collate,),
    ],
    "iii_2_a": [
        (counting(),),
        (
            loader(
                __len__=lambda self: (math.floor if self.drop_last else math.ceil)(
                    len(self.dataset) / self.batch_size
                )
            ),
        ),
    ],
    "ex_03_2": [
        (ordering(),),
        (loader(order=shuffled_in_place),),
        (loader(order=list_of_tensors),),
    ],
    "iii_2_b": [(batching(),), (loader(__iter__=one_by_one),), (loader(__iter__=by_number),)],
    "iii_2_c": [
        (shares(),),
        (shares(lambda labels: labels.sum() / len(labels)),),
        (shares(lambda labels: labels.mean(dtype=torch.float32).to(pick_device())),),
        (shares(lambda labels: labels.numpy().mean()),),
        (shares(lambda labels: sum(label == 1 for label in labels.tolist()) / len(labels)),),
        (shares(lambda labels: labels[:, None].double().mean(dim=0)),),
    ],
    "iii_3": [(weighted_by_loop,)],
    "ex_03_3": [("c",)],
    "ex_03_open": [(sampler(),), (Pairs,)],
}

SECRETS = {
    "ex_03_1": ("zip(", "torch.stack(inputs)"),
    "iii_2_a": ("196", "ceil", "divmod", "-(-"),
    "ex_03_2": (".tolist()", "list(range("),
    "iii_2_b": ("start :", "yield self"),
    "iii_2_c": ("labels.float()", ".mean()", "for _, labels"),
    "iii_3": ("per_epoch", "@ sizes", "divmod"),
    "ex_03_open": ("nonzero", "split(", "zip("),
}

TRAPS = [
    Trap("ex_03_1", (lambda samples: torch.stack(samples),), "take vectors and labels apart"),
    Trap("iii_2_a", (loader(__len__=lambda self: len(self.dataset) / 2),), "no fractions"),
    Trap("iii_2_a", (loader(__len__=lambda self: len(self.order)),), "no attribute 'order'"),
    Trap("ex_03_2", (loader(order=lambda self: range(3)),), "for every input of the check"),
    Trap("ex_03_2", (loader(order=seeded),), "sets PyTorch's own seed"),
    Trap("iii_2_b", (loader(__iter__=anew),), "once an epoch"),
    Trap("iii_2_b", (batching(make=lambda self, piece: piece),), "is not collated"),
    Trap("ex_03_1", (lambda samples: torch.stack([x for x, _ in samples]),), "both parts"),
    Trap("iii_2_c", (shares_of_the_first,), "is the return in the loop"),
    Trap("iii_2_b", (loader(__iter__=lambda self: [1, 2]),), "Python makes the iterator"),
    Trap(
        "iii_2_b",
        (loader(__iter__=lambda self: iter([self.dataset[self.order()]])),),
        "one by one",
    ),
    Trap("iii_3", (weighted_in_place,), "in place"),
    Trap("iii_3", (lambda losses, n, b: np.reshape(losses, (-1, 5)),), "How many batches"),
    Trap("iii_3", (lambda losses, n, b: losses.mean(),), "a list"),
    Trap("ex_03_open", (Singles,), "each is a list of indices"),
    Trap("ex_03_open", (sampler(one_class),), "shuffle both classes"),
]
