"""Abalone: size, weight and age of 4,177 sea snails, and what tables need before a network.

Data: Nash et al. (1994), UCI Machine Learning Repository, https://doi.org/10.24432/C55C7W
(CC BY 4.0). Notebook 12 teaches how they become a network's inputs; 13 uses that again.
"""

import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import zscore
from sklearn.model_selection import train_test_split
from torch import Tensor

from helpers import storage

#: in UCI's abalone.names, in the file's units; the correlation is that with the rings
PUBLISHED = pd.DataFrame(
    {
        "length_mm": (0.075, 0.815, 0.524, 0.120, 0.557),
        "diameter_mm": (0.055, 0.650, 0.408, 0.099, 0.575),
        "height_mm": (0.000, 1.130, 0.140, 0.042, 0.557),
        "whole_g": (0.002, 2.826, 0.829, 0.490, 0.540),
        "shucked_g": (0.001, 1.488, 0.359, 0.222, 0.421),
        "viscera_g": (0.001, 0.760, 0.181, 0.110, 0.504),
        "shell_g": (0.002, 1.005, 0.239, 0.139, 0.628),
    },
    index=["min", "max", "mean", "sd", "correlation"],
).T

#: published there, too: how many animals have 1, 2, … 29 rings
RING_COUNTS = (
    *(1, 1, 15, 57, 115, 259, 391, 568, 689, 634, 487, 267, 203, 126, 103),
    *(67, 58, 42, 32, 26, 14, 6, 9, 2, 1, 1, 2, 0, 1),
)

#: F = female, M = male, I = infant (not mature: its sex cannot be told yet)
SEXES = ("F", "I", "M")
MEASUREMENTS = tuple(PUBLISHED.index)
COLUMNS = ("sex", *MEASUREMENTS, "rings")
SCALE = 200  # the file holds all measurements divided by this
OLD_FROM = 10  # rings
DIGEST = "de37cdcdcaaa50c309d514f248f7c2302a5f1f88c168905eba23fe2fbc78449f"  # sha256 of the file


class StandInWarning(UserWarning):
    """The real data could not be had; animals that were made up take their place."""


@dataclass(frozen=True, eq=False)
class Abalone:
    """A table, one animal a row, with the columns of `load_abalone`; whether it is a stand-in."""

    table: pd.DataFrame
    stand_in: bool = False

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        if not self.stand_in:
            return f"Abalone({len(self)} animals, the real ones)"
        line = "#" * 78
        return (
            f"{line}\n"
            f"#  STAND-IN DATA. The real file is not at hand: these {len(self)} animals are made\n"
            "#  up from published summary statistics. The pattern is alike; the numbers in the\n"
            f"#  text are those of the real animals, and yours will differ from them.\n{line}"
        )

    def mark(self, text: str) -> str:
        """Return `text`, which goes with a table or a picture, with "stand-in" where due."""
        return f"{text}\n[stand-in data, not the real abalone]" if self.stand_in else text


def load_abalone(folder: Path | None = None) -> Abalone:
    """Load 4,177 abalone: from the data folder, else from UCI, else an announced stand-in.

    Columns: sex (F, M, or I for infant: not mature), shell length, diameter and height [mm],
    weights [grams] whole, shucked (the meat), of the viscera and of the dried shell, and rings
    (their number + 1.5 is the age in years). The file is ``abalone/abalone.data`` in `folder`
    (by default the data folder); one that is not UCI's is never replaced (ValueError).
    """
    folder = Path(folder) if folder is not None else storage.data_folder()
    file = folder / "abalone" / "abalone.data"
    if file.exists():
        return Abalone(_parse(file.read_bytes(), str(file)))
    try:
        content = storage.download(SOURCE)
        table = _parse(content, SOURCE.url)
    except storage.UNREADABLE as error:
        warnings.warn(
            "The abalone file is not at hand, and a STAND-IN takes its place: made-up animals. "
            f"All tables and pictures say so.\n  {SOURCE.name}: {storage.reason(error)}\n"
            f"To get the real file, connect to the internet and run this again, put it at {file}, "
            "or name a folder that has abalone/abalone.data in COURSE_DATA.",
            StandInWarning,
            stacklevel=2,
        )
        return stand_in()
    storage.keep_if_possible(file, content, "The abalone file")
    return Abalone(table)


def _parse(content: bytes, name: str) -> pd.DataFrame:
    """Turn the bytes of abalone.data into a table in mm and grams."""
    if (digest := hashlib.sha256(content).hexdigest()) != DIGEST:
        raise ValueError(
            f"{name} is not UCI's abalone file: its sha256 is {digest} instead of {DIGEST}. Put "
            "the original there, or move this one away."
        )
    table = pd.read_csv(io.BytesIO(content), header=None, names=list(COLUMNS))
    table[list(MEASUREMENTS)] = (table[list(MEASUREMENTS)] * SCALE).round(1)
    return table


SOURCE = storage.Source(
    name="UCI",
    url="https://archive.ics.uci.edu/static/public/1/abalone.zip",
    checksum="sha256:755a6a67c5b266961a3f149ea13be2cfb6e6c727e48cee3c83bc0b4526210ee4",
    read=lambda path: zipfile.Path(path, "abalone.data").read_bytes(),
)

GROWTH = 0.3  # a ring: at ten rings, exp(-3) = 5 % of the growth is left
OWN = 0.08  # share of the chance that is a measurement's own; the rest is the animal's build


def stand_in(seed: int = 0) -> Abalone:
    """Make up 4,177 animals (the same ones for the same seed) from `PUBLISHED` statistics.

    Each measurement is the sum of growth, which ends with age, and of chance, most of it common
    to all measurements of an animal; their shares follow from its published correlation with
    the rings. Weights go with the cube of a length. The lightest third are infants.
    """
    rng = np.random.default_rng(seed)
    rings = rng.permutation(np.repeat(np.arange(1, len(RING_COUNTS) + 1), RING_COUNTS))
    growth = zscore(-np.exp(-GROWTH * rings), ddof=1)
    build, *own = rng.normal(size=(1 + len(MEASUREMENTS), len(rings)))
    share = PUBLISHED["correlation"] / np.corrcoef(growth, rings)[0, 1]  # of growth
    columns = {}
    for name, noise in zip(MEASUREMENTS, own, strict=True):
        chance = np.sqrt(1 - OWN) * build + np.sqrt(OWN) * noise
        size = share[name] * growth + np.sqrt(1 - share[name] ** 2) * chance
        columns[name] = _fitted(size, PUBLISHED.loc[name], rng)
    infant = columns["whole_g"] < np.quantile(columns["whole_g"], 1 / 3)
    sex = np.where(infant, "I", rng.choice(["F", "M"], len(rings)))
    return Abalone(pd.DataFrame({"sex": sex, **columns, "rings": rings}), stand_in=True)


def _fitted(size: np.ndarray, published: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """Turn standardized sizes into a column with its published mean, SD and extremes."""
    low, high = published["min"], published["max"]
    extremes = [size.argmin(), size.argmax()]
    if published.name == "height_mm":  # published as 0 and 226 mm: mistakes, of any two animals
        extremes = rng.choice(len(size), 2, replace=False)
    if published.name.endswith("_g"):
        length = PUBLISHED.loc["length_mm"]
        size = (length["mean"] + length["sd"] * size).clip(0) ** 3
    for _ in range(20):  # clipping moves mean and SD a little, each time less
        size = (published["mean"] + published["sd"] * zscore(size, ddof=1)).clip(low, high)
        size[extremes] = low, high
    return (size * SCALE).round(1)


def split_indices(labels: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split row numbers, half to train, a quarter each to validate and test, each class alike."""
    rows = np.arange(len(labels))
    train, rest = train_test_split(rows, train_size=0.5, stratify=labels, random_state=seed)
    validation, test = train_test_split(
        rest, train_size=0.5, stratify=labels[rest], random_state=seed
    )
    return train, validation, test


def standardize(values: Tensor, train_values: Tensor) -> Tensor:
    """Express `values` [rows, columns] in standard deviations from the mean of train."""
    mean, std = train_values.mean(dim=0), train_values.std(dim=0)
    if not (std > 0).all() or not std.isfinite().all():
        raise ValueError(f"Standard deviations must be positive and finite, got {std.tolist()}.")
    return (values - mean) / std


def one_hot(categories: Iterable[str], names: Sequence[str]) -> Tensor:
    """Give each category a column: float32 [rows, names], one 1 a row."""
    rows = [[float(category == name) for name in names] for category in categories]
    columns = torch.tensor(rows)
    if not (columns.sum(dim=1) == 1).all():
        raise ValueError(f"Every row must be one of {names}: each one-hot row sums to 1.")
    return columns


def make_features(
    table: pd.DataFrame,
    train: np.ndarray | Tensor,
    columns: Sequence[str] = MEASUREMENTS,
    with_sex: bool = True,
) -> Tensor:
    """Return float32 [rows, features]: `columns` standardized by rows `train`, sex one-hot."""
    values = torch.tensor(table[list(columns)].to_numpy(), dtype=torch.float32)
    features = standardize(values, values[train])
    if with_sex:
        features = torch.cat([features, one_hot(table["sex"], SEXES)], dim=1)
    return features


@dataclass(frozen=True)
class Batches:
    """A loader for tensors in memory: a new order each epoch, one indexing per batch."""

    inputs: Tensor
    targets: Tensor
    batch_size: int = 128

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.targets)).to(self.targets.device)  # copied once
        for rows in order.split(self.batch_size):
            yield self.inputs[rows], self.targets[rows]
