"""The bag-of-words Dataset, its loader, and its cache on disk. Taught in notebook 02.

A review becomes a multi-hot vector of 20,001 zeros and ones, of which about 140 are
ones. So only the positions of the ones are kept, in CSR form: one flat array with the
token ids of all reviews and the offset at which each review starts.
"""

import hashlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from helpers import text
from helpers.storage import data_folder, fingerprint, load_cache, save_cache, syntax_tree
from helpers.text import Tokenizer, Vocabulary

if TYPE_CHECKING:
    from helpers.corpus import Reviews


class Bags(NamedTuple):
    """A batch of reviews as the ids of their distinct tokens.

    Parameters
    ----------
    ids : Tensor [total]
        int32; the token ids of all reviews, one after another.
    offsets : Tensor [batch + 1]
        int32; review i owns ``ids[offsets[i]:offsets[i + 1]]``.
    """

    ids: Tensor
    offsets: Tensor

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Bags":
        """Return the same bags on `device`."""
        return Bags(*(tensor.to(device, non_blocking=non_blocking) for tensor in self))


class BagOfWordsDataset(Dataset):
    """Reviews as multi-hot vectors, stored as token ids and expanded on demand.

    ``dataset[i]`` is one sample as a naive Dataset would give it; ``select``,
    ``multi_hot`` and ``bags`` handle many samples at once, on whatever device the
    data are.

    Parameters
    ----------
    ids : Tensor [total]
        int32; the distinct token ids of each review, ascending within a review.
    offsets : Tensor [reviews + 1]
        int32; review i owns ``ids[offsets[i]:offsets[i + 1]]``.
    labels : Tensor [reviews]
        int64; 0 = negative, 1 = positive.
    vocab_size : int
        Length of the multi-hot vectors, the place of the unknown token included.

    Raises
    ------
    ValueError
        If the shapes or types of the arrays do not fit together.
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
        """Return the reviews at `indices`, in that order, as a data set.

        Negative indices count from the end, as in ``dataset[-1]``; one that is out of
        range raises IndexError (on the CPU; a GPU stops with an error of its own). A mask
        or anything else but whole numbers raises TypeError.
        """
        indices = torch.as_tensor(indices, device=self.ids.device)
        _check_indices(indices)
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


def _check_indices(indices: Tensor) -> None:
    if indices.numel() and (indices.is_floating_point() or indices.dtype == torch.bool):
        raise TypeError(
            f"select takes the positions of reviews, got {indices.dtype}. A mask becomes "
            "positions by mask.nonzero().flatten()."
        )


def _check_shapes(dataset: BagOfWordsDataset) -> None:
    ids, offsets, labels = dataset.ids, dataset.offsets, dataset.labels
    if (ids.dtype, offsets.dtype, labels.dtype) != (torch.int32, torch.int32, torch.int64):
        raise ValueError(
            "BagOfWordsDataset takes int32 ids, int32 offsets and int64 labels, got "
            f"{ids.dtype}, {offsets.dtype} and {labels.dtype}. Build it with datasets.encode."
        )
    if ids.ndim != 1 or labels.ndim != 1 or offsets.shape != (len(labels) + 1,):
        raise ValueError(
            "BagOfWordsDataset takes ids [total], offsets [reviews + 1] and labels [reviews], got "
            f"{tuple(ids.shape)}, {tuple(offsets.shape)} and {tuple(labels.shape)}."
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
    """Return a DataLoader that builds each batch at once.

    Its batches are those of ``DataLoader(dataset, batch_size, shuffle, generator=generator)``.

    Parameters
    ----------
    dataset : BagOfWordsDataset
        The samples; batches are made on the device where it is.
    batch_size : int
        Samples in a batch; the last one has what is left.
    shuffle : bool
        A new order every epoch.
    sparse : bool
        Batches of `Bags` for an embedding bag, instead of multi-hot vectors.
    drop_last : bool
        Leave out a last batch that is not full.
    generator : torch.Generator, optional
        Where the order of shuffling comes from.

    Raises
    ------
    TypeError
        If `dataset` is neither a BagOfWordsDataset nor a Subset of one.
    """
    _check_dataset(dataset)
    collate: Callable[..., tuple] = bag_batch if sparse else dense_batch
    return DataLoader(
        dataset,
        batch_size=batch_size,
        shuffle=shuffle,
        drop_last=drop_last,
        generator=generator,
        collate_fn=collate,
    )


def _check_dataset(dataset: Dataset) -> None:
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    if not isinstance(dataset, BagOfWordsDataset):
        raise TypeError(
            "make_loader takes a BagOfWordsDataset or a Subset of one, got a "
            f"{type(dataset).__name__}. Put reviews together before they are encoded, or use "
            "torch's own DataLoader."
        )


# --- encoding -----------------------------------------------------------------------------


def encode(
    reviews: "Reviews", vocabulary: Vocabulary, tokenizer: Tokenizer = text.basic_english
) -> BagOfWordsDataset:
    """Encode reviews as the distinct ids of their tokens.

    Parameters
    ----------
    reviews : Reviews
        Texts and labels.
    vocabulary : Vocabulary
        Gives each token its id; an unknown token sets place 0.
    tokenizer : callable
        Takes a text, returns a list of tokens; the one that `vocabulary` was built with.

    Returns
    -------
    BagOfWordsDataset
        On the CPU, in the order of `reviews`.

    Raises
    ------
    TypeError
        If `tokenizer` returns anything but a list of tokens.
    """
    ids = defaultdict(lambda: text.UNKNOWN_ID, vocabulary.ids)
    return _to_csr(*_number(reviews, tokenizer, ids.__getitem__), reviews, len(vocabulary))


def build_and_encode(
    reviews: "Reviews", max_size: int = 20_000, tokenizer: Tokenizer = text.basic_english
) -> tuple[BagOfWordsDataset, Vocabulary]:
    """Do `Vocabulary.build` and `encode` at once: the same result, in half the time.

    Every review is tokenised once. Tokens get numbers as they come; when all have been
    counted, the numbers are replaced by ids. Errors are those of the two.

    Parameters
    ----------
    reviews, tokenizer
        As in `encode`.
    max_size : int
        How many tokens to keep, the unknown token not counted.
    """
    if max_size < 1:
        raise ValueError(f"max_size must be at least 1, got {max_size}.")
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    flat, lengths = _number(reviews, tokenizer, numbers.__getitem__)
    # a stable sort leaves tokens of the same count in the order in which they came
    kept = np.argsort(-np.bincount(flat), kind="stable")[:max_size]
    ids = np.full(len(numbers), text.UNKNOWN_ID, dtype=np.int32)  # of each number
    ids[kept] = np.arange(1, len(kept) + 1)
    tokens = list(numbers)
    vocabulary = Vocabulary(tokens[number] for number in kept)
    return _to_csr(ids[flat], lengths, reviews, len(vocabulary)), vocabulary


def _number(
    reviews: "Reviews", tokenizer: Tokenizer, number: Callable[[str], int]
) -> tuple[np.ndarray, list[int]]:
    """Return the numbers of all tokens (int32 [total]) and how many each review has."""
    lengths = []

    def token_lists() -> Iterator[Iterable[str]]:
        for review in reviews.texts:
            tokens = tokenizer(review)
            if not isinstance(tokens, list | tuple):
                raise TypeError(
                    f"A tokeniser takes a text and returns a list of tokens; for the text "
                    f"{review[:20]!r} this one returned {tokens!r:.40}."
                )
            lengths.append(len(tokens))
            yield tokens

    flat = chain.from_iterable(token_lists())
    return np.fromiter(map(number, flat), dtype=np.int32), lengths


def _to_csr(
    ids: np.ndarray, lengths: list[int], reviews: "Reviews", vocab_size: int
) -> BagOfWordsDataset:
    """Keep the distinct ids of each review, ascending: one sort of (review, id) pairs."""
    starts = np.arange(len(reviews) + 1) * vocab_size  # the pair (review, 0) as one number
    if starts[-1] < 2**31:
        starts = starts.astype(np.int32)  # half the memory to sort
    pairs = np.repeat(starts[:-1], lengths)
    pairs += ids
    pairs.sort()
    first = np.ones(len(pairs), dtype=bool)
    np.not_equal(pairs[1:], pairs[:-1], out=first[1:])
    pairs = pairs[first]
    offsets = np.searchsorted(pairs, starts)
    distinct = pairs - np.repeat(starts[:-1], np.diff(offsets))
    return BagOfWordsDataset(
        torch.from_numpy(distinct.astype(np.int32, copy=False)),
        torch.from_numpy(offsets.astype(np.int32)),
        torch.tensor(reviews.labels, dtype=torch.int64),
        vocab_size,
    )


# --- the cache on disk --------------------------------------------------------------------


def load_or_encode(
    reviews: "Reviews",
    vocabulary: Vocabulary | int = 20_000,
    tokenizer: Tokenizer = text.basic_english,
    folder: Path | None = None,
) -> tuple[BagOfWordsDataset, Vocabulary]:
    """Encode reviews, or load what an earlier call with the same inputs has encoded.

    The file's name is a digest of all that determines the result: texts, labels,
    tokeniser, vocabulary (or its size) and the functions that encode. A file that is
    damaged, or was made from anything else, is never used but made anew. Where nothing
    tells whether a tokeniser has changed (`helpers.storage.fingerprint`), it runs each time.

    Parameters
    ----------
    reviews : Reviews
        Texts and labels.
    vocabulary : Vocabulary or int
        A vocabulary, or how many tokens to keep in one built from these reviews.
    tokenizer : callable
        Takes a text, returns a list of tokens.
    folder : Path, optional
        Where the cache files are; ``cache`` in the data folder by default.

    Returns
    -------
    dataset : BagOfWordsDataset
    vocabulary : Vocabulary
    """
    key = _cache_key(reviews, vocabulary, tokenizer)
    if key is None:
        return _encode(reviews, vocabulary, tokenizer)
    folder = Path(folder) if folder is not None else data_folder() / "cache"
    file = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"
    if (cached := load_cache(file, key)) is not None:
        vocabulary = Vocabulary(json.loads(cached.pop("tokens").numpy().tobytes()))
        return BagOfWordsDataset(**cached, vocab_size=len(vocabulary)), vocabulary
    dataset, vocabulary = _encode(reviews, vocabulary, tokenizer)
    arrays = {"ids": dataset.ids, "offsets": dataset.offsets, "labels": dataset.labels}
    tokens = bytearray(json.dumps(vocabulary.tokens).encode())
    arrays["tokens"] = torch.frombuffer(tokens, dtype=torch.uint8)
    save_cache(file, key, arrays, what="The encoded reviews")
    return dataset, vocabulary


def _encode(
    reviews: "Reviews", vocabulary: Vocabulary | int, tokenizer: Tokenizer
) -> tuple[BagOfWordsDataset, Vocabulary]:
    if isinstance(vocabulary, int):
        return build_and_encode(reviews, vocabulary, tokenizer)
    return encode(reviews, vocabulary, tokenizer), vocabulary


def _cache_key(
    reviews: "Reviews", vocabulary: Vocabulary | int, tokenizer: Tokenizer
) -> str | None:
    """All that determines the encoded reviews, as text; None if that cannot be told."""
    if (described := fingerprint(tokenizer)) is None:
        return None
    encoders = (encode, build_and_encode, _number, _to_csr)
    code = [described, *(syntax_tree(function) for function in encoders)]
    return json.dumps(
        {
            "reviews": reviews.digest,
            "vocabulary": vocabulary if isinstance(vocabulary, int) else vocabulary.digest,
            "code": hashlib.sha256("\n".join(code).encode()).hexdigest(),
            "unicode": unicodedata.unidata_version,  # what is a letter, and a blank
        }
    )
