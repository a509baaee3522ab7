"""The bag-of-words Dataset, its loader, and its cache on disk. Taught in notebook 02.

Of the 20,001 zeros and ones of a review, about 140 are ones. So only their positions are kept,
in CSR form: the token ids of all reviews, and the offset at which each review starts.
"""

import ast
import hashlib
import inspect
import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from helpers import text
from helpers.corpus import Reviews
from helpers.storage import data_folder, keep_if_possible, load_cache, pack
from helpers.text import Tokenizer, Vocabulary


class Bags(NamedTuple):
    """A batch of reviews as the ids of their distinct tokens."""

    ids: Tensor  # int32 [total]: the token ids of all reviews, one after another
    offsets: Tensor  # int32 [batch + 1]: review i owns ids[offsets[i]:offsets[i + 1]]

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Bags":
        """Return the same bags on `device`."""
        return Bags(*(tensor.to(device, non_blocking=non_blocking) for tensor in self))


class BagOfWordsDataset(Dataset):
    """Reviews as multi-hot vectors, stored as token ids and expanded on demand.

    `ids` (int32 [total]) are the distinct token ids of each review, ascending; review i owns
    ``ids[offsets[i]:offsets[i + 1]]`` (`offsets`: int32 [reviews + 1]). `labels` (int64
    [reviews]) are 0 = negative, 1 = positive. `vocab_size` is the length of the multi-hot
    vectors. ``dataset[i]`` is one sample; `select`, `multi_hot` and `bags` handle many at once.
    """

    def __init__(self, ids: Tensor, offsets: Tensor, labels: Tensor, vocab_size: int) -> None:
        self.ids, self.offsets, self.labels = ids, offsets, labels
        self.vocab_size = vocab_size
        _check_shapes(self)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one sample: float32 [vocab] and its int64 label (a scalar tensor)."""
        if isinstance(index, slice):
            raise TypeError("dataset[i] is one sample; dataset.select(range(1, 3)) takes several.")
        index = range(len(self))[index]
        multi_hot = torch.zeros(self.vocab_size, device=self.ids.device)
        multi_hot[self.ids[self.offsets[index] : self.offsets[index + 1]]] = 1
        return multi_hot, self.labels[index]

    def __getitems__(self, indices: Sequence[int]) -> "BagOfWordsDataset":
        """Return a whole batch at once; DataLoader calls this instead of `__getitem__`."""
        return self.select(indices)

    def select(self, indices: Sequence[int] | Tensor) -> "BagOfWordsDataset":
        """Return the reviews at `indices` (negative: from the end); a TypeError for a mask."""
        indices = torch.as_tensor(indices, device=self.ids.device)
        if indices.numel() and (indices.is_floating_point() or indices.dtype == torch.bool):
            raise TypeError(
                f"select takes positions, not {indices.dtype}; for a mask, np.flatnonzero(mask)."
            )
        indices = indices.to(torch.int64)
        labels = self.labels[indices]
        indices = indices.remainder(len(self))  # -1 is the last review
        starts = self.offsets[indices]  # [batch]
        lengths = self.offsets[indices + 1] - starts  # [batch]
        offsets = torch.zeros(len(indices) + 1, dtype=torch.int32, device=self.ids.device)
        torch.cumsum(lengths, 0, out=offsets[1:])  # [batch + 1]
        shifts = torch.repeat_interleave(starts - offsets[:-1], lengths)  # [total]
        positions = shifts + torch.arange(len(shifts), dtype=torch.int32, device=self.ids.device)
        ids = self.ids.index_select(0, positions)
        return BagOfWordsDataset(ids, offsets, labels, self.vocab_size)

    def multi_hot(self) -> Tensor:
        """Return all samples as one float32 matrix [reviews, vocab]."""
        rows = torch.repeat_interleave(self.offsets.diff())  # [total]: the review of each id
        matrix = torch.zeros(len(self), self.vocab_size, device=self.ids.device)
        matrix[rows, self.ids] = 1
        return matrix

    def bags(self) -> Bags:
        """Return all samples as token ids and offsets, for an embedding bag."""
        return Bags(self.ids, self.offsets)

    def to(self, device: torch.device | str) -> "BagOfWordsDataset":
        """Return the same data set with everything it holds on `device`."""
        return BagOfWordsDataset(
            self.ids.to(device), self.offsets.to(device), self.labels.to(device), self.vocab_size
        )

    @property
    def nbytes(self) -> int:
        """Bytes that the data set holds."""
        return self.ids.nbytes + self.offsets.nbytes + self.labels.nbytes


def _check_shapes(dataset: BagOfWordsDataset) -> None:
    arrays, reviews = (dataset.ids, dataset.offsets, dataset.labels), len(dataset)
    types, shapes = [array.dtype for array in arrays], [[*array.shape] for array in arrays]
    expected = [[*dataset.ids.shape[:1]], [reviews + 1], [reviews]]
    if types != [torch.int32, torch.int32, torch.int64] or shapes != expected:
        raise ValueError(
            "BagOfWordsDataset takes int32 ids [total], int32 offsets [reviews + 1] and int64 "
            f"labels [reviews], got {types} of shapes {shapes}. Build it with datasets.encode."
        )


def dense_batch(batch: BagOfWordsDataset) -> tuple[Tensor, Tensor]:
    """Turn a batch into multi-hot vectors float32 [batch, vocab] and labels int64 [batch]."""
    return batch.multi_hot(), batch.labels


def bag_batch(batch: BagOfWordsDataset) -> tuple[Bags, Tensor]:
    """Turn a batch into `Bags` of token ids and labels int64 [batch]."""
    return batch.bags(), batch.labels


def make_loader(
    dataset: BagOfWordsDataset,
    batch_size: int = 128,
    shuffle: bool = False,
    sparse: bool = False,
    drop_last: bool = False,
    generator: torch.Generator | None = None,
) -> DataLoader:
    """Return a DataLoader that builds each batch at once, on the device of `dataset`.

    With `sparse`, inputs are `Bags` for an embedding bag, instead of multi-hot vectors.
    """
    if not hasattr(dataset, "__getitems__"):
        raise TypeError(f"make_loader takes a BagOfWordsDataset, not a {type(dataset).__name__}.")
    collate: Callable[..., tuple] = bag_batch if sparse else dense_batch
    return DataLoader(
        dataset, batch_size, shuffle, drop_last=drop_last, generator=generator, collate_fn=collate
    )


def encode(
    reviews: Reviews, vocabulary: Vocabulary, tokenizer: Tokenizer = text.basic_english
) -> BagOfWordsDataset:
    """Encode reviews by the `tokenizer` that `vocabulary` was built with; unknown tokens set 0."""
    return build_and_encode(reviews, vocabulary, tokenizer)[0]


def build_and_encode(
    reviews: Reviews,
    vocabulary: Vocabulary | int = 20_000,
    tokenizer: Tokenizer = text.basic_english,
) -> tuple[BagOfWordsDataset, Vocabulary]:
    """Build a vocabulary of that size at most, if none is given, and encode: in one pass."""
    if isinstance(vocabulary, int) and vocabulary < 1:
        raise ValueError(f"The vocabulary's size must be at least 1, got {vocabulary}.")
    numbers: defaultdict[str, int] = defaultdict(count().__next__)  # of tokens, as they come
    rows = [np.zeros(0, dtype=np.int32)]
    for review in reviews.texts:
        tokens = tokenizer(review)
        if not isinstance(tokens, list | tuple):
            raise TypeError(
                "A tokeniser takes a text and returns a list of tokens; for the text "
                f"{review[:20]!r} this one returned {tokens!r:.40}."
            )
        rows.append(np.fromiter(map(numbers.__getitem__, tokens), np.int32, len(tokens)))
    flat, distinct = np.concatenate(rows), list(numbers)
    if isinstance(vocabulary, int):
        # a stable sort leaves tokens of the same count in the order in which they came
        kept = np.argsort(-np.bincount(flat), kind="stable")[:vocabulary]
        vocabulary = Vocabulary(distinct[number] for number in kept)
    ids = np.array(vocabulary.encode(distinct), dtype=np.int32)  # of each number
    lengths = [len(row) for row in rows[1:]]
    return _to_csr(ids[flat], lengths, reviews.labels, len(vocabulary)), vocabulary


def _to_csr(
    ids: np.ndarray, lengths: Sequence[int], labels: Sequence[int], vocab_size: int
) -> BagOfWordsDataset:
    """Keep the distinct ids of each review, ascending: one sort of (review, id) pairs."""
    starts = np.arange(len(labels) + 1) * vocab_size  # the pair (review, 0) as one number
    if starts[-1] < 2**31:
        starts = starts.astype(np.int32)  # half the memory to sort
    pairs = np.repeat(starts[:-1], lengths)
    pairs += ids
    pairs.sort()
    pairs = pairs[np.diff(pairs, prepend=pairs.dtype.type(-1)) > 0]
    offsets = np.searchsorted(pairs, starts)
    distinct = pairs - np.repeat(starts[:-1], np.diff(offsets))
    kept = torch.from_numpy(distinct.astype(np.int32, copy=False))
    ends = torch.from_numpy(offsets.astype(np.int32))
    return BagOfWordsDataset(kept, ends, torch.tensor(labels, dtype=torch.int64), vocab_size)


def load_or_encode(
    reviews: Reviews,
    vocabulary: Vocabulary | int = 20_000,
    tokenizer: Tokenizer = text.basic_english,
    folder: Path | None = None,
) -> tuple[BagOfWordsDataset, Vocabulary]:
    """Encode reviews, or load what an earlier call with the same inputs has encoded.

    `vocabulary` is one, or how many tokens to keep in one built from these reviews. In `folder`
    (``cache`` in the data folder) a file's name is a digest of all that determines the result.
    What a tokeniser of your own gives is not kept: nothing tells whether it has changed.
    """
    if tokenizer not in text.TOKENIZERS.values():
        return build_and_encode(reviews, vocabulary, tokenizer)
    key = _cache_key(reviews, vocabulary, tokenizer)
    folder = Path(folder) if folder is not None else data_folder() / "cache"
    file = folder / f"{key[:32]}.safetensors"
    if (cached := load_cache(file, key)) is not None:
        vocabulary = Vocabulary(json.loads(cached.pop("tokens").numpy().tobytes()))
        return BagOfWordsDataset(**cached, vocab_size=len(vocabulary)), vocabulary
    dataset, vocabulary = build_and_encode(reviews, vocabulary, tokenizer)
    arrays = {"ids": dataset.ids, "offsets": dataset.offsets, "labels": dataset.labels}
    tokens = bytearray(json.dumps(vocabulary.tokens).encode())
    arrays["tokens"] = torch.frombuffer(tokens, dtype=torch.uint8)
    keep_if_possible(file, pack(arrays, key), "The encoded reviews")
    return dataset, vocabulary


def _cache_key(reviews: Reviews, vocabulary: Vocabulary | int, tokenizer: Tokenizer) -> str:
    """Digest of all that determines the encoded reviews."""
    tokens = vocabulary if isinstance(vocabulary, int) else vocabulary.digest
    code = [_syntax_tree(part) for part in (tokenizer, build_and_encode, _to_csr)]
    letters = unicodedata.unidata_version  # what is a letter, and a blank
    return hashlib.sha256(json.dumps([reviews.digest, tokens, code, letters]).encode()).hexdigest()


def _syntax_tree(function: Callable) -> str:
    """Return the syntax tree of a function as text, without docstring; a built-in's is its name."""
    if not inspect.isfunction(function):
        return function.__qualname__
    tree = ast.parse(inspect.getsource(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)
