"""The open task of notebook 03: batches with half of each class."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor

Facts = tuple[int, list[int], list[bool], bool, bool, bool]


class Shuffling:
    """What the right answer uses, and no other answer need have."""

    generator: torch.Generator | None

    def shuffled(self, indices: Tensor) -> Tensor:
        """Return indices in a new order."""
        return indices[torch.randperm(len(indices), generator=self.generator)]


class HalfAndHalf(Shuffling):
    """A right answer."""

    def __init__(
        self, labels: Tensor, batch_size: int, generator: torch.Generator | None = None
    ) -> None:
        self.classes = [torch.nonzero(labels == label).flatten() for label in (0, 1)]
        self.half, self.generator = batch_size // 2, generator

    def __len__(self) -> int:
        return -(-len(self.classes[0]) // self.half)

    def __iter__(self) -> Iterator[list[int]]:
        parts = [self.shuffled(indices).split(self.half) for indices in self.classes]
        for negative, positive in zip(*parts, strict=True):
            yield [*negative.tolist(), *positive.tolist()]


def answer(**methods: Callable) -> type:
    """Return `HalfAndHalf` with other methods."""
    return type("Answer", (HalfAndHalf,), methods)


def facts(cls: Any, labels: Tensor, batch_size: int) -> Facts:
    """Return what is asked of a sampler.

    Returns
    -------
    tuple
        Its length; the sizes of the batches of an epoch; for each whether half of it is positive;
        whether each review comes once; whether the second epoch has other batches; whether the
        same seed gives the same batches again.
    """
    sampler = cls(labels, batch_size, torch.Generator().manual_seed(7))
    first, second = batches(sampler), batches(sampler)
    again = batches(cls(labels, batch_size, torch.Generator().manual_seed(7)))
    halves = [2 * int(labels[batch].sum()) == len(batch) for batch in first]
    flat = [index for batch in first for index in batch]
    once = sorted(flat) == list(range(len(labels)))
    unlike = set(map(frozenset, first)) != set(map(frozenset, second))
    return len(sampler), [*map(len, first)], halves, once, unlike, first == again


def batches(sampler: Any) -> list[list[int]]:
    """Return the batches of an epoch (100 at most, should it never end), as lists of int."""
    return [[int(index) for index in batch] for batch in islice(sampler, 100)]


def plain_batches(self: Any) -> Iterator[list[int]]:
    """Cut one random order of all reviews."""
    order = self.shuffled(torch.cat(self.classes))
    yield from (part.tolist() for part in order.split(2 * self.half))


def full_only(self: Any) -> Iterator[list[int]]:
    """Leave the last, smaller batch out."""
    yield from (batch for batch in HalfAndHalf.__iter__(self) if len(batch) == 2 * self.half)


def with_replacement(self: Any) -> Iterator[list[int]]:
    """Draw each batch anew, so that a review may come twice."""
    for batch in HalfAndHalf.__iter__(self):
        picks = [self.shuffled(indices)[: len(batch) // 2] for indices in self.classes]
        yield torch.cat(picks).tolist()


def twice_as_large(self: Any) -> Iterator[list[int]]:
    """Take batch_size reviews of each class."""
    parts = [self.shuffled(indices).split(2 * self.half) for indices in self.classes]
    for negative, positive in zip(*parts, strict=True):
        yield torch.cat([negative, positive]).tolist()


LABELS = torch.tensor([0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1])

OPEN = dict(
    reference=HalfAndHalf,
    probe=facts,
    inputs=[(LABELS, 4), (torch.arange(40) // 20, 8), (torch.arange(40) % 2, 16)],
    mistakes=[
        (
            "not every batch is half positive. It must hold in each, the last one included.",
            answer(__iter__=plain_batches),
            lambda found, labels, size: not all(found[2]),
        ),
        (
            "some reviews are left out. What does not fill a batch makes a smaller one.",
            answer(__iter__=full_only),
            lambda found, labels, size: not found[3] and sum(found[1]) < len(labels),
        ),
        (
            "some reviews come twice in an epoch, and others never.",
            answer(__iter__=with_replacement),
            lambda found, labels, size: not found[3] and sum(found[1]) >= len(labels),
        ),
        (
            "a batch has `batch_size` reviews, both classes together.",
            answer(__iter__=twice_as_large),
            lambda found, labels, size: max(found[1]) > size,
        ),
        (
            "the second epoch has the same batches as the first: draw them anew.",
            answer(shuffled=lambda self, indices: indices),
            lambda found, *_: not found[4],
        ),
        (
            "the same seed gives other batches: let every random number come from `generator`.",
            answer(shuffled=lambda self, indices: indices[torch.randperm(len(indices))]),
            lambda found, *_: not found[5],
        ),
        (
            "the batches are right, but `len` is not their number.",
            answer(__len__=lambda self: sum(map(len, self.classes))),
            lambda found, *_: found[0] != len(found[1]),
        ),
    ],
    errors={
        "'int' object is not iterable": "The sampler gives batches: each is a list of indices.",
        "iteration over a 0-d tensor": "The sampler gives batches: each is a list of indices.",
        "takes no arguments": "`__init__` takes the labels, the size of a batch, and a generator.",
        "returned non-iterator": "Give the batches one by one: a method with `yield` is an "
        "iterator by itself.",
    },
    otherwise="Half of each class in every batch, each review once, new batches in every epoch.",
)
