"""Right answers of notebook 02's open task and ladder, and ways to spoil them.

The notebook climbs on `DenseCache` and `BagMLP` where it must not depend on an answer.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from helpers.corpus import Reviews
from helpers.datasets import BagOfWordsDataset, Bags, encode
from helpers.models import OneHotMLP
from helpers.text import Vocabulary

# --- the open task --------------------------------------------------------------------------


class FastBatches:
    """Prepares reviews once, and gives the naive loader's batches for any order."""

    def __init__(self, reviews: Reviews, vocabulary: Vocabulary, tokenizer: Callable) -> None:
        self.dataset = encode(reviews, vocabulary, tokenizer)

    def batches(self, order: Sequence[int], batch_size: int = 128) -> Iterator:
        """Yield multi-hot vectors [batch, vocab] and labels [batch], in this order."""
        for start in range(0, len(order), batch_size):
            yield _batch(self, order[start : start + batch_size])


def _batch(fast: FastBatches, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
    make = getattr(fast, "batch", dense)
    return make(fast.dataset, indices)


def dense(dataset: BagOfWordsDataset, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the batch of some reviews."""
    batch = dataset.select(indices)
    return batch.multi_hot(), batch.labels


def batching(batch: Callable) -> type:
    """Return FastBatches with another way, ``batch(dataset, indices)``, to make a batch."""
    return type("Changed", (FastBatches,), {"batch": staticmethod(batch)})


def reordering(order_of: Callable) -> type:
    """Return FastBatches that takes other positions than those asked for."""

    class Changed(FastBatches):
        def batches(self, order: Sequence[int], batch_size: int = 128) -> Iterator:
            return super().batches(order_of(order, batch_size), batch_size)

    return Changed


class SameBuffer(FastBatches):
    """Fills one and the same tensor for each full batch."""

    def batches(self, order: Sequence[int], batch_size: int = 128) -> Iterator:
        """Yield the right numbers, in the wrong tensor."""
        buffer = torch.zeros(batch_size, self.dataset.vocab_size)
        for inputs, targets in super().batches(order, batch_size):
            yield buffer[: len(inputs)].copy_(inputs), targets


class FirstOrder(FastBatches):
    """Keeps the batches of the first epoch."""

    kept: list | None = None

    def batches(self, order: Sequence[int], batch_size: int = 128) -> Iterator:
        """Yield the same batches for each order."""
        self.kept = self.kept or list(super().batches(order, batch_size))
        yield from self.kept


class CountedTokens(FastBatches):
    """Counts tokens instead of noting that they occur."""

    def __init__(self, reviews: Reviews, vocabulary: Vocabulary, tokenizer: Callable) -> None:
        super().__init__(reviews, vocabulary, tokenizer)
        self.counts = torch.zeros(len(reviews), len(vocabulary))
        for row, review in zip(self.counts, reviews.texts, strict=True):
            for i in vocabulary.encode(tokenizer(review)):
                row[i] += 1

    def batch(self, dataset: BagOfWordsDataset, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return counts instead of ones."""
        return self.counts[list(indices)], dataset.labels[list(indices)]


def without_unknown(dataset: BagOfWordsDataset, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return a batch in which place 0 is never set."""
    inputs, targets = dense(dataset, indices)
    inputs[:, 0] = 0
    return inputs, targets


def padded(dataset: BagOfWordsDataset, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return a batch that always has 128 vectors."""
    inputs, targets = dense(dataset, indices)
    return torch.cat([inputs, torch.zeros(128 - len(inputs), inputs.shape[1])]), targets


def converted(inputs_to: torch.dtype, targets_to: torch.dtype) -> type:
    """Return FastBatches whose batches are of other types."""
    return batching(
        lambda dataset, indices: (
            dataset.select(indices).multi_hot().to(inputs_to),
            dataset.labels[indices].to(targets_to),
        )
    )


# --- rung 2 -------------------------------------------------------------------------------


class DenseCache(Dataset):
    """Every sample of another Dataset, asked for once and kept."""

    def __init__(self, dataset: Dataset) -> None:
        self.samples = [dataset[index] for index in range(len(dataset))]  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple:
        return self.samples[index]


class Through(DenseCache):
    """Keeps nothing."""

    def __init__(self, dataset: Dataset) -> None:
        self.samples = dataset  # type: ignore[assignment]


class Lazy(DenseCache):
    """Keeps a sample when it is first asked for."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.samples = dataset, [None] * len(dataset)  # type: ignore

    def __getitem__(self, index: int) -> tuple:
        self.samples[index] = self.samples[index] or self.dataset[index]
        return self.samples[index]


class Twice(DenseCache):
    """Asks for the vector, and again for the label."""

    def __init__(self, dataset: Dataset) -> None:
        self.samples = [(dataset[i][0], dataset[i][1]) for i in range(len(dataset))]  # type: ignore


class Short(DenseCache):
    """Lacks the last sample."""

    def __init__(self, dataset: Dataset) -> None:
        self.samples = [dataset[i] for i in range(len(dataset) - 1)]  # type: ignore


# --- rung 3 -------------------------------------------------------------------------------


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


class Selecting(BagOfWordsDataset):
    """The methods that are asked for."""

    def select(self, indices: Sequence[int] | Tensor) -> BagOfWordsDataset:
        """Return the reviews at `indices`, in that order, as a data set."""
        return super().select(indices)

    def multi_hot(self) -> Tensor:
        """Return all samples as one float32 matrix [reviews, vocab]."""
        return super().multi_hot()


def with_methods(**methods: Callable) -> type:
    """Return a BagOfWordsDataset some of whose methods are others."""
    return type("Changed", (BagOfWordsDataset,), methods)


def in_old_order(dataset: BagOfWordsDataset, indices: Sequence[int]) -> BagOfWordsDataset:
    """Select the right reviews in the wrong order."""
    return BagOfWordsDataset.select(dataset, sorted(indices))


def changed(**parts: Callable) -> type:
    """Return a class whose `select` has some parts from ``part(dataset, indices)``."""

    def select(self: BagOfWordsDataset, indices: Sequence[int]) -> BagOfWordsDataset:
        batch = BagOfWordsDataset(self.ids, self.offsets, self.labels, self.vocab_size)
        batch = batch.select(indices)
        for name, part in parts.items():
            setattr(batch, name, part(self, indices))
        return batch

    return with_methods(select=select)


def lengths(dataset: BagOfWordsDataset, indices: Sequence[int]) -> Tensor:
    """Return how many ids each chosen review has."""
    return dataset.offsets.diff()[list(indices)]


def ends(dataset: BagOfWordsDataset, indices: Sequence[int]) -> Tensor:
    """Return where each chosen review ends in the batch."""
    return lengths(dataset, indices).cumsum(0)


def first_ids(dataset: BagOfWordsDataset, indices: Sequence[int]) -> Tensor:
    """Return as many ids as the chosen reviews have, but the first ones."""
    return dataset.ids[: int(lengths(dataset, indices).sum())]


def same_rows(batch: BagOfWordsDataset) -> Tensor:
    """Set the ids of all reviews in every row."""
    matrix = torch.zeros(len(batch), batch.vocab_size)
    matrix[:, batch.ids] = 1
    return matrix


# --- rung 5 -------------------------------------------------------------------------------


class BagMLP(nn.Module):
    """The network, with an embedding bag in the place of its first product."""

    def __init__(self, dense: OneHotMLP) -> None:
        super().__init__()
        table = dense.hidden.weight.detach().T.contiguous()
        self.rows = nn.EmbeddingBag.from_pretrained(
            table, freeze=False, mode="sum", sparse=True, include_last_offset=True
        )
        self.bias = nn.Parameter(dense.hidden.bias.detach().clone())
        self.output = dense.output

    def forward(self, bags: Bags) -> Tensor:
        """Map the bags of a batch to logits [batch]."""
        return self.output(torch.relu(first_layer(self, bags))).squeeze(1)


def first_layer(model: BagMLP, bags: Bags) -> Tensor:
    """Return what the first layer gives, [batch, hidden]."""
    return model.rows(bags.ids, bags.offsets) + model.bias


def made_with(**options: object) -> type:
    """Return BagMLP whose bag is made with other options."""

    class Changed(BagMLP):
        def __init__(self, dense: OneHotMLP) -> None:
            super().__init__(dense)
            standard = {"mode": "sum", "include_last_offset": True, "freeze": False}
            table = self.rows.weight.detach()
            self.rows = nn.EmbeddingBag.from_pretrained(table, **{**standard, **options})  # type: ignore[arg-type]

    return Changed


def mapping(forward: Callable) -> type:
    """Return BagMLP with another forward pass."""
    return type("Changed", (BagMLP,), {"forward": forward})
