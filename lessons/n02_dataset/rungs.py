"""Right answers of notebook 02's open task and ladder; with other arguments they are wrong.

The notebook climbs on `NaiveDataset`, `DenseCache` and `BagMLP`, so that it depends on no answer.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from helpers.corpus import Reviews
from helpers.datasets import BagOfWordsDataset, Bags, encode
from helpers.models import OneHotMLP
from helpers.text import Tokenizer, Vocabulary


class NaiveDataset(Dataset):
    """Reviews as multi-hot vectors, encoded anew each time one is asked for."""

    def __init__(self, reviews: Reviews, vocabulary: Vocabulary, tokenizer: Tokenizer) -> None:
        self.reviews, self.vocabulary, self.tokenizer = reviews, vocabulary, tokenizer

    def __len__(self) -> int:
        return len(self.reviews)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        review, label = self.reviews[index]
        multi_hot = torch.zeros(len(self.vocabulary))
        for i in self.vocabulary.encode(self.tokenizer(review)):
            multi_hot[i] = 1
        return multi_hot, label


def naive(change: Callable, index_of: Callable = lambda index: index) -> type:
    """Return a Dataset with other samples, ``change(vector, label)``."""
    given = NaiveDataset.__getitem__
    methods = {"__getitem__": lambda self, index: change(*given(self, index_of(index)))}
    return type("Naive", (NaiveDataset,), methods)


def fast_batches(
    batch_of: Callable = lambda inputs, targets: (inputs, targets),
    order_of: Callable = lambda order: order,
    labels_of: Callable = lambda labels, start, chosen: labels[chosen],
    size: int = 0,
) -> type:
    """Return a class that prepares reviews once, and gives their batches in any order."""

    class FastBatches:
        def __init__(self, reviews: Reviews, vocabulary: Vocabulary, tokenizer: Callable) -> None:
            self.dataset = encode(reviews, vocabulary, tokenizer)

        def batches(self, order: Sequence[int], batch_size: int = 128) -> Iterator:
            order, step = order_of(order), size or batch_size
            for start in range(0, len(order), step):
                chosen = order[start : start + step]
                targets = labels_of(self.dataset.labels, start, chosen)
                yield batch_of(self.dataset.select(chosen).multi_hot(), targets)

    return FastBatches


def dense_cache(keep: Callable = lambda data: [*map(data.__getitem__, range(len(data)))]) -> type:
    """Return a Dataset that keeps the samples of another one, which is asked once for each."""

    class DenseCache(Dataset):
        def __init__(self, dataset: Dataset) -> None:
            self.samples = keep(dataset)

        def __len__(self) -> int:
            return len(self.samples)

        def __getitem__(self, index: int) -> tuple:
            return self.samples[index]

    return DenseCache


def to_csr(
    id_lists: list[list[int]],
    distinct: Callable = lambda row: sorted(set(row)),
    offsets_of: Callable = lambda lengths: [*accumulate(lengths, initial=0)],
) -> tuple[Tensor, Tensor]:
    """Return the distinct ids of all reviews in one row, and where each review begins."""
    rows = [distinct(row) for row in id_lists]
    ids = [i for row in rows for i in row]
    offsets = offsets_of([len(row) for row in rows])
    return torch.tensor(ids, dtype=torch.int32), torch.tensor(offsets, dtype=torch.int32)


def csr_by(**ways: Callable) -> Callable:
    """Return `to_csr` with other distinct ids, or other offsets."""
    return lambda id_lists: to_csr(id_lists, **ways)


def selecting(
    select: Callable = BagOfWordsDataset.select,
    multi_hot: Callable = BagOfWordsDataset.multi_hot,
    **parts: Callable,
) -> type:
    """Return a class with these methods; `select` takes some parts from ``part(all, indices)``."""

    def chosen(self: BagOfWordsDataset, indices: Sequence[int]) -> BagOfWordsDataset:
        batch = select(self, indices)
        for name, part in parts.items():
            setattr(batch, name, part(self, indices))
        return batch

    return type("Selecting", (BagOfWordsDataset,), {"select": chosen, "multi_hot": multi_hot})


def lengths(dataset: BagOfWordsDataset, indices: Sequence[int]) -> Tensor:
    """Return how many ids each chosen review has."""
    return dataset.offsets.diff()[list(indices)]


def bag_mlp(
    middle: Callable = lambda sums, bias: torch.relu(sums + bias),
    last: Callable = lambda logits: logits.squeeze(1),
    keep: Callable = nn.Parameter,
    **options: Any,
) -> type:
    """Return the network with an embedding bag in the place of its first product."""
    kinds: Any = {"freeze": False, "mode": "sum", "sparse": True, "include_last_offset": True}

    class BagMLP(nn.Module):
        def __init__(self, dense: OneHotMLP) -> None:
            super().__init__()
            table = dense.hidden.weight.detach().T.contiguous()  # [vocab, hidden]
            self.rows = nn.EmbeddingBag.from_pretrained(table, **(kinds | options))
            self.bias = keep(dense.hidden.bias.detach().clone())
            self.output = dense.output

        def forward(self, bags: Bags) -> Tensor:
            return last(self.output(middle(self.rows(bags.ids, bags.offsets), self.bias)))

    return BagMLP


DenseCache, BagMLP = dense_cache(), bag_mlp()
