"""The bag-of-words Dataset, its loader, and its cache on disk. Taught in notebook 02.

A review becomes a multi-hot vector of 20,001 zeros and ones, of which about 140 are
ones. So only the positions of the ones are kept, in CSR form: one flat array with the
token ids of all reviews and the offset at which each review starts.
"""

import hashlib
import inspect
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from helpers import text
from helpers.corpus import Reviews
from helpers.storage import data_folder, keep_if_possible
from helpers.text import Tokenizer, Vocabulary


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

    For the same generator its batches are exactly those of a plain
    ``DataLoader(dataset, batch_size, shuffle)``.

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
    """
    return DataLoader(
        dataset,
        batch_size=batch_size,
        shuffle=shuffle,
        drop_last=drop_last,
        generator=generator,
        collate_fn=bag_batch if sparse else dense_batch,
    )


def encode(
    reviews: Reviews, vocabulary: Vocabulary, tokenizer: Tokenizer = text.basic_english
) -> BagOfWordsDataset:
    """Encode reviews as the distinct codes of their tokens.

    Parameters
    ----------
    reviews : Reviews
        Texts and labels.
    vocabulary : Vocabulary
        Gives each token its code; an unknown token sets place 0.
    tokenizer : callable
        Takes a text, returns a list of tokens; the one that `vocabulary` was built with.

    Returns
    -------
    BagOfWordsDataset
        On the CPU, in the order of `reviews`.
    """
    get = vocabulary.codes.get
    ids: list[int] = []
    offsets = np.zeros(len(reviews) + 1, dtype=np.int32)
    for row, review in enumerate(reviews.texts, start=1):
        ids += {get(token, text.UNKNOWN_CODE) for token in set(tokenizer(review))}
        offsets[row] = len(ids)
    # one sort of (review, id) pairs puts the ids of each review in ascending order
    rows = np.repeat(np.arange(len(reviews)), np.diff(offsets))
    pairs = rows * len(vocabulary) + np.array(ids, dtype=np.int64)
    pairs.sort()
    return BagOfWordsDataset(
        torch.from_numpy((pairs % len(vocabulary)).astype(np.int32)),
        torch.from_numpy(offsets),
        torch.tensor(reviews.labels, dtype=torch.int64),
        len(vocabulary),
    )


# --- the cache on disk ------------------------------------------------------------------


def load_or_encode(
    reviews: Reviews,
    vocabulary: Vocabulary | int = 20_000,
    tokenizer: Tokenizer = text.basic_english,
    folder: Path | None = None,
) -> tuple[BagOfWordsDataset, Vocabulary]:
    """Encode reviews, or load what an earlier call with the same inputs has encoded.

    The file's name is a digest of all that determines the result: texts, labels,
    tokeniser, vocabulary (or its size) and the code that encodes. A file that is
    damaged, or was made from anything else, is never used but made anew. Tokenisers
    that are not in `helpers.text.TOKENIZERS` are encoded every time, because nothing
    tells whether they have changed.

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
    folder = Path(folder) if folder is not None else data_folder() / "cache"
    key = _cache_key(reviews, vocabulary, tokenizer)
    file = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"
    if key and (cached := _read_cache(file, key)):
        return cached
    if isinstance(vocabulary, int):
        vocabulary = Vocabulary.build(map(tokenizer, reviews.texts), max_size=vocabulary)
    dataset = encode(reviews, vocabulary, tokenizer)
    if key:
        _write_cache(file, key, dataset, vocabulary)
    return dataset, vocabulary


def _cache_key(reviews: Reviews, vocabulary: Vocabulary | int, tokenizer: Tokenizer) -> str:
    """All that determines the encoded corpus, as text; empty if that cannot be told."""
    names = [name for name, known in text.TOKENIZERS.items() if known is tokenizer]
    if not names:
        return ""
    source = inspect.getsource(text) + inspect.getsource(sys.modules[__name__])
    return json.dumps(
        {
            "reviews": reviews.digest,
            "tokenizer": names[0],
            "vocabulary": vocabulary if isinstance(vocabulary, int) else vocabulary.digest,
            "code": hashlib.sha256(source.encode()).hexdigest(),
        }
    )


def _checksum(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _read_cache(file: Path, key: str) -> tuple[BagOfWordsDataset, Vocabulary] | None:
    """Return the cached corpus, or None if there is none that can be trusted."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        checksum = str(arrays.pop("checksum"))
        if str(arrays["key"]) != key or checksum != _checksum(arrays):
            return None
        vocabulary = Vocabulary(json.loads(arrays["tokens"].tobytes()))
        tensors = (torch.from_numpy(arrays[name]) for name in ("ids", "offsets", "labels"))
        return BagOfWordsDataset(*tensors, vocab_size=len(vocabulary)), vocabulary
    except Exception:  # a damaged archive can raise nearly anything; all mean: make it anew
        return None


def _write_cache(file: Path, key: str, dataset: BagOfWordsDataset, vocabulary: Vocabulary) -> None:
    arrays = {
        "key": np.array(key),
        "tokens": np.frombuffer(json.dumps(vocabulary.tokens).encode(), dtype=np.uint8),
        "ids": dataset.ids.numpy(),
        "offsets": dataset.offsets.numpy(),
        "labels": dataset.labels.numpy(),
    }
    # packed in memory first: on a full disk savez would leave its archive half open
    packed = io.BytesIO()
    np.savez(packed, checksum=np.array(_checksum(arrays)), **arrays)
    keep_if_possible(
        file,
        lambda raw: raw.write(packed.getbuffer()),
        what="The encoded reviews",
        otherwise="the next notebook encodes them again",
    )
