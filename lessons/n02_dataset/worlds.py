"""What the checks of notebook 02 hand to an answer, and what they do with it."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from helpers.corpus import Reviews
from helpers.datasets import Bags
from helpers.models import OneHotMLP
from helpers.text import Vocabulary
from lessons.comparing import kind
from lessons.judging import Wrong
from lessons.n02_dataset.rungs import to_csr


class Samples(list):
    """A Dataset of multi-hot vectors of six places and labels: `size` of four, from `start` on.

    `asked` counts how often a sample has been asked for.
    """

    def __init__(self, size: int, start: int = 0) -> None:
        vectors = torch.zeros(4, 6)
        for vector, places in zip(vectors, ([1, 2, 4], [], [0], [0, 1, 5]), strict=True):
            vector[places] = 1
        super().__init__([*zip(vectors, (0, 1, 1, 0), strict=True)][start : start + size])
        self.asked = 0

    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        self.asked += 1
        return super().__getitem__(index)


def made_up_reviews(count: int) -> Reviews:
    """Return reviews of words from ``w0`` to ``w59``, the first ones oftener; some are empty."""
    draw = random.Random(0)
    words, chances = zip(*((f"w{i}", 1 / (i + 1)) for i in range(60)), strict=True)
    texts = [" ".join(draw.choices(words, chances, k=draw.randrange(12))) for _ in range(count)]
    return Reviews(tuple(texts), tuple(draw.randrange(2) for _ in texts))


def epochs(make: Callable, reviews: Reviews, vocabulary: object, orders: list[list[int]]) -> list:
    """Prepare `make` once; for each order return its batches of 120, and the types of each."""
    asked = []

    def tokenizer(review: str) -> list[str]:
        asked.append(review)
        return review.upper().split()

    prepared, found = make(reviews, vocabulary, tokenizer), []
    for order in orders:
        before, batches = len(asked), list(prepared.batches(order, 120))
        found.append([(x, y, types(x, y)) for x, y in batches])
        tensors = [x for epoch in found for x, *_ in epoch if isinstance(x, Tensor)]
        if len({x.data_ptr() for x in tensors}) < len(tensors):
            raise Wrong("two batches are one and the same tensor: make a new one for each.")
    if len(asked) > before:
        raise Wrong("the second epoch cuts reviews into tokens again. That can be prepared once.")
    return found


def types(*parts: object) -> tuple[str, ...]:
    """Return the dtype of each part, or its type."""
    return tuple(str(getattr(part, "dtype", type(part).__name__)) for part in parts)


ASKED = "how often samples were asked for (by __init__, then by two epochs more)"


def caching(cls: type, size: int) -> tuple:
    """Make a cache and go through it twice; return samples and how often the slow one was asked."""
    slow = Samples(size)
    cache = cls(slow)
    asked = [slow.asked]
    for _ in range(2):
        found = contents(cache)
        asked.append(slow.asked)
    return *found, asked


def sampled(cls: type, reviews: Reviews, vocabulary: Vocabulary) -> tuple:
    """Make a Dataset of reviews, and return what is in it."""
    dataset = cls(reviews, vocabulary, lambda review: review.upper().split())
    if len(dataset) != len(reviews):
        raise Wrong(f"the length is {len(dataset)}, but there are {len(reviews)} reviews.")
    return contents(dataset)


def contents(dataset: Dataset) -> tuple:
    """Return the length of a Dataset, its vectors, its labels, and the types of both."""
    pairs = [dataset[index] for index in range(len(dataset))]  # type: ignore[arg-type]
    kinds = {types(x, torch.as_tensor(y)) for x, y in pairs}
    return len(pairs), [x for x, _ in pairs], [int(y) for _, y in pairs], kinds


def packed(answer: Callable, id_lists: list[list[int]]) -> object:
    """Return ids, offsets and their types, if these are two."""
    found = answer(id_lists)
    if not isinstance(found, tuple | list) or len(found) != 2:
        return found
    return (*found, types(*found))


def batch_of(cls: type, id_lists: list[list[int]], labels: list[int], indices: list[int]) -> object:
    """Pack reviews, select some, and return the parts of the batch and its matrix."""
    whole = cls(*to_csr(id_lists), torch.tensor(labels), 20)
    batch = whole.select(indices)
    if batch is None or batch is ...:
        return batch
    if not hasattr(batch, "multi_hot"):
        raise Wrong(f"select returns a new BagOfWordsDataset, not {kind(batch)}.")
    if batch is whole or len(whole.labels) != len(labels):
        raise Wrong("select changes the data set that it chooses from: make a new one.")
    # the right reviews, so that multi_hot is judged on its own
    own = cls(*to_csr([id_lists[i] for i in indices]), torch.tensor(labels)[indices], 20)
    matrix = own.multi_hot()
    kinds = types(matrix, batch.labels)
    return batch.ids, batch.offsets, batch.labels, batch.vocab_size, matrix, kinds


def logits_of(cls: type, id_lists: list[list[int]]) -> object:
    """Return the logits of a network of 20 inputs and 5 hidden units, and what learns, and how."""
    model = cls(OneHotMLP(20, 5))
    logits = model(Bags(*to_csr(id_lists)))
    if not isinstance(logits, Tensor) or not logits.requires_grad:
        return logits
    logits.sum().backward()
    learning = [p for p in model.parameters() if p.grad is not None]
    tables = [p.grad.is_sparse for p in learning if p.numel() == 20 * 5]
    return logits, bool(tables), any(tables), sum(p.numel() == 5 for p in learning) > 1
