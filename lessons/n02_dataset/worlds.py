"""What the checks of notebook 02 hand to an answer: small Datasets, and a step that takes time."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.data import Dataset

from helpers.corpus import Reviews
from helpers.datasets import Bags
from helpers.models import OneHotMLP
from lessons.n02_dataset.rungs import to_csr


class Samples(Dataset):
    """Multi-hot vectors of six places, and their labels.

    Parameters
    ----------
    size : int
        How many samples.
    start : int
        Which of the four is the first.

    Attributes
    ----------
    asked : int
        How often a sample has been asked for.
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


def made_up_reviews(count: int, seed: int = 0) -> Reviews:
    """Return reviews of words from ``w0`` to ``w59``, the first ones oftener; some are empty."""
    generator = torch.Generator().manual_seed(seed)
    chances = 1 / torch.arange(1.0, 61)
    texts, labels = [], []
    for _ in range(count):
        length, label = torch.randint(0, 12, (2,), generator=generator).tolist()
        words = torch.multinomial(chances, max(length, 1), True, generator=generator).tolist()
        texts.append(" ".join(f"w{word}" for word in words) if length else "")
        labels.append(label % 2)
    return Reviews(tuple(texts), tuple(labels))


def shuffled(count: int, seed: int) -> list[int]:
    """Return the positions 0 to `count` - 1 in a random order."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()


def epochs(make: Callable, reviews: Reviews, vocabulary: object, orders: list[list[int]]) -> list:
    """Prepare `make` once and go through an epoch for each order.

    Returns
    -------
    list
        For each epoch a list of batches: inputs, targets and the type of each.
    """
    prepared = make(reviews, vocabulary, str.split)
    return [
        [
            (inputs, targets, (str(inputs.dtype), str(targets.dtype)))
            for inputs, targets in list(prepared.batches(order, 128))
        ]
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
    """Return ids, offsets and their types, if these are two tensors."""
    result = answer(id_lists)
    if not isinstance(result, tuple | list) or not all(isinstance(t, Tensor) for t in result):
        return result
    return (*result, *(str(tensor.dtype) for tensor in result))


def batch_of(cls: type, id_lists: list[list[int]], labels: list[int], indices: list[int]) -> object:
    """Pack reviews, select some, and return the parts of the batch and its matrix."""
    ids, offsets = to_csr(id_lists)
    batch = cls(ids, offsets, torch.tensor(labels), 20).select(indices)
    if not hasattr(batch, "multi_hot"):
        return batch
    # the right reviews, so that multi_hot is judged on its own
    own = cls(*to_csr([id_lists[i] for i in indices]), torch.tensor(labels)[indices], 20)
    return batch.ids, batch.offsets, batch.labels, batch.vocab_size, own.multi_hot()


def logits_of(cls: type, id_lists: list[list[int]]) -> object:
    """Return the logits of a network of 20 inputs and 5 hidden units, and whether W learns."""
    ids, offsets = to_csr(id_lists)
    model = cls(OneHotMLP(20, 5))
    logits = model(Bags(ids, offsets))
    if not isinstance(logits, Tensor) or not logits.requires_grad:
        return logits
    logits.sum().backward()
    return logits, any(p.grad is not None for p in model.parameters() if p.numel() == 20 * 5)
