"""What the checks of notebook 02 hand to an answer, and what they do with it."""

import random
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.data import Dataset

from helpers.corpus import Reviews
from helpers.datasets import Bags
from helpers.models import OneHotMLP
from lessons.n02_dataset.rungs import to_csr


class Samples(Dataset):
    """Multi-hot vectors of six places and labels: `size` of these four, from `start` on.

    `asked` counts how often a sample has been asked for.
    """

    ones = ((1, 2, 4), (), (0,), (0, 1, 5))
    labels_in_order = (0, 1, 1, 0)

    def __init__(self, size: int, start: int = 0) -> None:
        self.size, self.start, self.asked = size, start, 0

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if not -self.size <= index < self.size:
            raise IndexError(index)
        self.asked += 1
        multi_hot = torch.zeros(6)
        index = self.start + index % self.size
        multi_hot[list(self.ones[index])] = 1
        return multi_hot, self.labels_in_order[index]


def made_up_reviews(count: int) -> Reviews:
    """Return reviews of words from ``w0`` to ``w59``, the first ones oftener; some are empty."""
    draw = random.Random(0)
    words, chances = zip(*((f"w{i}", 1 / (i + 1)) for i in range(60)), strict=True)
    texts = [" ".join(draw.choices(words, chances, k=draw.randrange(12))) for _ in range(count)]
    return Reviews(tuple(texts), tuple(draw.randrange(2) for _ in texts))


def shuffled(count: int, seed: int) -> list[int]:
    """Return the positions 0 to `count` - 1 in a random order."""
    return random.Random(seed).sample(range(count), count)


def epochs(make: Callable, reviews: Reviews, vocabulary: object, orders: list[list[int]]) -> list:
    """Prepare `make` once; for each order return its batches, and the types of each."""
    prepared = make(reviews, vocabulary, str.split)
    return [
        [(x, y, (str(x.dtype), str(y.dtype))) for x, y in list(prepared.batches(order, 128))]
        for order in orders
    ]


def caching(cls: type, size: int) -> tuple:
    """Make a cache and go through it twice; return samples and how often the slow one was asked."""
    slow = Samples(size)
    cache = cls(slow)
    asked = [slow.asked]
    for _ in range(2):
        pairs = [cache[index] for index in range(len(cache))]
        asked.append(slow.asked)
    return len(cache), [x for x, _ in pairs], [int(y) for _, y in pairs], asked


def packed(answer: Callable, id_lists: list[list[int]]) -> object:
    """Return ids, offsets and their types, if these are two."""
    found = answer(id_lists)
    if not isinstance(found, tuple | list) or len(found) != 2:
        return found
    return (*found, [str(getattr(part, "dtype", type(part))) for part in found])


def batch_of(cls: type, id_lists: list[list[int]], labels: list[int], indices: list[int]) -> object:
    """Pack reviews, select some, and return the parts of the batch and its matrix."""
    batch = cls(*to_csr(id_lists), torch.tensor(labels), 20).select(indices)
    if not hasattr(batch, "multi_hot"):
        return batch
    # the right reviews, so that multi_hot is judged on its own
    own = cls(*to_csr([id_lists[i] for i in indices]), torch.tensor(labels)[indices], 20)
    return batch.ids, batch.offsets, batch.labels, batch.vocab_size, own.multi_hot()


def logits_of(cls: type, id_lists: list[list[int]]) -> object:
    """Return the logits of a network of 20 inputs and 5 hidden units, and whether W learns."""
    model = cls(OneHotMLP(20, 5))
    logits = model(Bags(*to_csr(id_lists)))
    if not isinstance(logits, Tensor) or not logits.requires_grad:
        return logits
    logits.sum().backward()
    return logits, any(p.grad is not None for p in model.parameters() if p.numel() == 20 * 5)
