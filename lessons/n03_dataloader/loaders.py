"""The exercises of notebook 03 that write a loader: its length, its order, its batches."""

import random
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, default_collate


class Given:
    """What the notebook gives of the class."""

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: torch.Generator | None = None,
        collate_fn: Callable = default_collate,
    ) -> None:
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
        self.drop_last, self.generator, self.collate_fn = drop_last, generator, collate_fn


class Counting(Given):
    """A class with a right `__len__`."""

    def __len__(self) -> int:
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full if self.drop_last or rest == 0 else full + 1


def counting(count: Callable) -> type:
    """Return a class with ``len(loader) == count(samples, batch_size, drop_last)``."""

    def length(self: Given) -> int:
        return count(len(self.dataset), self.batch_size, self.drop_last)

    return type("Answer", (Given,), {"__len__": length})


def length_of(cls: Any, num_samples: int, batch_size: int, drop_last: bool) -> int:
    """Return the length of a loader."""
    return len(cls(range(num_samples), batch_size, drop_last=drop_last))


LENGTH = dict(
    reference=Counting,
    probe=length_of,
    inputs=[
        (300, 128, False),
        (256, 128, False),
        (300, 128, True),
        (256, 128, True),
        (1, 128, False),
        (5, 1, False),
        (127, 128, True),
        (0, 128, False),
    ],
    mistakes=[
        (
            "that counts the full batches. What is left over makes a batch, too, unless drop_last "
            "is set.",
            counting(lambda n, b, drop: n // b),
        ),
        (
            "with drop_last=True, a last batch that is not full is left out.",
            counting(lambda n, b, drop: -(-n // b)),
        ),
        (
            "256 reviews fill two batches of 128 exactly: no empty one comes after them.",
            counting(lambda n, b, drop: n // b + (not drop)),
        ),
        (
            "256 reviews fill two batches of 128 exactly: no empty one comes after them.",
            counting(lambda n, b, drop: n // b + 1),
        ),
        (
            "drop_last works the wrong way round.",
            counting(lambda n, b, drop: -(-n // b) if drop else n // b),
        ),
        ("that is the number of samples. How many batches?", counting(lambda n, b, drop: n)),
        ("that is the size of a batch. How many are there?", counting(lambda n, b, drop: b)),
        (
            "that is what is left over for the last batch.",
            counting(lambda n, b, drop: n % b),
        ),
        ("round() goes to the nearest whole number.", counting(lambda n, b, drop: round(n / b))),
    ],
    errors={
        "'float' object cannot be interpreted": "There are no fractions of a batch: len must be a "
        "whole number."
    },
    otherwise="Count the full batches; add one for what is left over, if it is to be used.",
)


class Ordering(Given):
    """A class with a right `order`."""

    def order(self) -> list[int]:
        """Return the indices of one epoch."""
        size = len(self.dataset)
        if not self.shuffle:
            return list(range(size))
        return torch.randperm(size, generator=self.generator).tolist()


def ordering(shuffled: Callable, plain: Callable = lambda self, size: list(range(size))) -> type:
    """Return a class with another `order`, with and without `shuffle`."""

    def order(self: Given) -> Any:
        return (shuffled if self.shuffle else plain)(self, len(self.dataset))

    return type("Answer", (Given,), {"order": order})


def two_orders(cls: Any, num_samples: int, shuffle: bool, seed: int) -> Any:
    """Return the orders of two epochs."""
    generator = torch.Generator().manual_seed(seed)
    loader = cls(range(num_samples), 4, shuffle=shuffle, generator=generator)
    first = loader.order()
    if first is None or first is ...:
        return None
    return [list(map(int, first)), list(map(int, loader.order()))]


def drawn(self: Given, size: int) -> list[int]:
    """Return a random order from the loader's generator."""
    return torch.randperm(size, generator=self.generator).tolist()


def shuffled_once(self: Any, size: int) -> list[int]:
    """Return the order of the first epoch in every epoch."""
    if not hasattr(self, "kept"):
        self.kept = drawn(self, size)
    return self.kept


def by_python(self: Given, size: int) -> list[int]:
    """Shuffle without the generator."""
    order = list(range(size))
    random.shuffle(order)
    return order


ORDER = dict(
    reference=Ordering,
    probe=two_orders,
    inputs=[(9, True, 3), (6, False, 3), (12, True, 8)],
    mistakes=[
        ("with shuffle=True the order must be random.", ordering(lambda self, n: list(range(n)))),
        ("with shuffle=False the order is 0, 1, 2, …", ordering(drawn, drawn)),
        ("shuffle works the wrong way round.", ordering(lambda self, n: list(range(n)), drawn)),
        (
            "the order does not come from `generator`: hand it to randperm.",
            ordering(lambda self, n: torch.randperm(n).tolist()),
        ),
        (
            "draw the order by torch.randperm, with the loader's generator: then one seed gives "
            "one order.",
            ordering(by_python),
            lambda found, n, shuffle, seed: sorted(found[0]) == list(range(n)) and shuffle,
        ),
        (
            "the second epoch has the order of the first one: draw it anew at each call.",
            ordering(shuffled_once),
        ),
        (
            "some samples come twice, others never. A permutation has each exactly once.",
            ordering(lambda self, n: torch.randint(n, (n,), generator=self.generator).tolist()),
            lambda found, n, shuffle, seed: len(set(found[0])) < len(found[0]) == n,
        ),
        (
            "an epoch has every sample of the dataset, not a single batch.",
            ordering(lambda self, n: drawn(self, n)[: self.batch_size]),
        ),
    ],
    otherwise="Every index from 0 to len(self.dataset) - 1, each once.",
)


class Batching(Given):
    """A class with a right `__iter__`; `order` comes with the check."""

    def __iter__(self) -> Iterator:
        order = self.order()  # type: ignore[attr-defined]
        for start in range(0, len(order), self.batch_size):
            indices = order[start : start + self.batch_size]
            if len(indices) < self.batch_size and self.drop_last:
                return
            yield self.collate_fn([self.dataset[i] for i in indices])


class Letters(Dataset):
    """Samples ``"s0"``, ``"s1"``, … that are asked for one by one."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: Any) -> str:
        """Return one sample."""
        if isinstance(index, list | slice) or np.ndim(index) > 0:
            raise TypeError("a Dataset takes one index at a time")
        return f"s{range(self.size)[int(index)]}"


def two_epochs(cls: Any, num_samples: int, batch_size: int, drop_last: bool) -> list:
    """Return the batches of two epochs whose orders are given: backwards, then rotated."""
    orders = [list(range(num_samples))[::-1]]
    orders += [[(i + k) % num_samples for i in range(num_samples)] for k in range(1, 50)]

    class Answer(cls):
        def order(self) -> list[int]:
            return orders.pop(0)

        def __len__(self) -> int:
            return length_of(Counting, num_samples, batch_size, drop_last)

    loader = Answer(
        Letters(num_samples), batch_size, drop_last=drop_last, collate_fn=lambda s: {"batch": [*s]}
    )
    return [list(islice(loader, 100)), list(islice(loader, 100))]


def batching(batches: Callable) -> type:
    """Return a class that yields what ``batches(self, order)`` gives."""

    def iterate(self: Any) -> Iterator:
        yield from batches(self, self.order())

    return type("Answer", (Given,), {"__iter__": iterate})


def cut(self: Any, order: list[int], keep: Callable = lambda full, drop: full or not drop) -> list:
    """Return batches of `order`; ``keep(is it full, drop_last)`` says which."""
    size = self.batch_size
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    kept = [part for part in parts if keep(len(part) == size, self.drop_last)]
    return [self.collate_fn([self.dataset[i] for i in part]) for part in kept]


def order_for_each(self: Any) -> Iterator:
    """Ask for a new order in every batch."""
    for start in range(0, len(self.dataset), self.batch_size):
        indices = self.order()[start : start + self.batch_size]
        if len(indices) == self.batch_size or not self.drop_last:
            yield self.collate_fn([self.dataset[i] for i in indices])


BATCHES = dict(
    reference=Batching,
    probe=two_epochs,
    inputs=[(7, 3, False), (7, 3, True), (6, 3, False), (2, 4, False), (2, 4, True), (0, 3, False)],
    mistakes=[
        (
            "the last batch is missing. It is smaller, but without drop_last it counts.",
            batching(lambda self, order: cut(self, order, lambda full, drop: full)),
        ),
        (
            "with drop_last=True, a last batch that is not full is left out.",
            batching(lambda self, order: cut(self, order, lambda full, drop: True)),
        ),
        (
            "with drop_last=True a *full* last batch stays.",
            batching(lambda self, order: cut(self, order)[: -1 if self.drop_last else None]),
        ),
        (
            "drop_last works the wrong way round.",
            batching(lambda self, order: cut(self, order, lambda full, drop: full or drop)),
        ),
        (
            "the batches hold indices. Fetch the samples from the dataset.",
            batching(
                lambda self, order: [
                    {"batch": order[i : i + self.batch_size]}
                    for i in range(0, len(order), self.batch_size)
                ]
            ),
            lambda found, *_: any(type(x) is int for b in found[0] for x in _inside(b)),
        ),
        (
            "the samples are not collated: hand the list of them to self.collate_fn.",
            batching(
                lambda self, order: [
                    [self.dataset[i] for i in order[start : start + self.batch_size]]
                    for start in range(0, len(order), self.batch_size)
                ]
            ),
            lambda found, *_: any(isinstance(batch, list | tuple) for batch in found[0]),
        ),
        (
            "the samples come in the order of the file. Go by self.order().",
            batching(lambda self, order: cut(self, sorted(order))),
        ),
        (
            "self.order() draws a new order at each call: call it once an epoch, before the loop.",
            type("Answer", (Given,), {"__iter__": order_for_each}),
        ),
        (
            "only the first batch comes: is `return` where `yield` belongs, or the yield behind "
            "the loop?",
            batching(lambda self, order: cut(self, order)[:1]),
        ),
    ],
    errors={
        "iter() returned non-iterator": "Give the batches one by one: a method with `yield` is an "
        "iterator by itself.",
        "takes one index at a time": "Fetch the samples one by one, in a list comprehension.",
    },
    otherwise="Batch k holds the samples of the k-th piece of the order, collated.",
)


def _inside(batch: Any) -> list:
    return batch["batch"] if isinstance(batch, dict) else list(batch)
