"""Abalone: size, weight and age of 4,177 sea snails, and what tables need before a network.

The data are those of Nash et al. (1994), UCI Machine Learning Repository, data set 1,
https://doi.org/10.24432/C55C7W (CC BY 4.0). What is below "Taught in notebook 10" is
shown there, and used again in notebook 11.
"""

import hashlib
import io
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import stats
from scipy.special import expit
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from helpers.storage import (
    UNREADABLE,
    Source,
    data_folder,
    download,
    is_offline,
    keep_if_possible,
    reason,
)

#: F = female, M = male, I = infant (not mature: its sex cannot be told yet)
SEXES = ("F", "I", "M")
MEASUREMENTS = (
    "length_mm",
    "diameter_mm",
    "height_mm",
    "whole_g",
    "shucked_g",
    "viscera_g",
    "shell_g",
)
COLUMNS = ("sex", *MEASUREMENTS, "rings")

SCALE = 200  # the file holds all measurements divided by this
NUM_ANIMALS = 4_177
OLD_FROM = 10  # rings

#: sha256 of abalone.data
DIGEST = "de37cdcdcaaa50c309d514f248f7c2302a5f1f88c168905eba23fe2fbc78449f"


class StandInWarning(UserWarning):
    """The real data could not be had; animals that were made up take their place."""


@dataclass(frozen=True, eq=False)
class Abalone:
    """The abalone, and whether they are the real ones.

    Parameters
    ----------
    table : pandas.DataFrame
        One animal a row, with the columns of `load_abalone`.
    stand_in : bool
        The animals are made up; see `stand_in`.
    """

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
            "#  up from published summary statistics. Your numbers will come near those in the\n"
            "#  text, which are the real file's, but they are not the same.\n"
            f"{line}"
        )

    def mark(self, text: str) -> str:
        """Return `text`, which goes with a table or a picture, with "stand-in" where due."""
        return f"{text}\n[stand-in data, not the real abalone]" if self.stand_in else text


def load_abalone(folder: Path | None = None) -> Abalone:
    """Load the abalone: from the data folder, else from UCI, else an announced stand-in.

    =============  ==========  =====================================================
    column         unit        what it is
    =============  ==========  =====================================================
    sex            F, I or M   female, infant (not mature), male
    length_mm      mm          longest measure of the shell
    diameter_mm    mm          measured across the length
    height_mm      mm          with the meat in the shell
    whole_g        grams       the whole animal
    shucked_g      grams       the meat alone
    viscera_g      grams       the gut, after bleeding
    shell_g        grams       the shell, after drying
    rings          count       rings in the shell; their number + 1.5 is the age in years
    =============  ==========  =====================================================

    In the file all measurements are divided by 200, "for use with a neural network";
    here they are back in millimetres and grams.

    Parameters
    ----------
    folder : Path, optional
        The data folder; `helpers.storage.data_folder()` by default. The file is
        ``abalone/abalone.data`` in it; a download is kept there.

    Returns
    -------
    Abalone
        4,177 animals. If neither source gives the file, its `stand_in` is True and a
        `StandInWarning` says why.

    Raises
    ------
    ValueError
        If the file in the folder is not the one that UCI publishes; the message says
        what is wrong with it, and what to do. It is never replaced in silence.
    OSError
        If the file is there but cannot be read.
    """
    file = (Path(folder) if folder is not None else data_folder()) / "abalone" / "abalone.data"
    try:
        return Abalone(_parse(file.read_bytes()))
    except FileNotFoundError:
        pass
    except ValueError as error:
        raise ValueError(
            f"{file} is not UCI's abalone file: {error}. Put the original there, or move "
            "this one away: then the original is downloaded."
        ) from None
    except OSError as error:
        raise OSError(
            f"{file} cannot be read ({error}). Make it readable, or move it away: then it is "
            "downloaded."
        ) from error
    try:
        if is_offline():
            raise ConnectionError("COURSE_OFFLINE is set, so nothing was downloaded")
        content = download(SOURCE)
        table = _parse(content)
    except UNREADABLE as error:
        warnings.warn(
            "The abalone file is not at hand, and a STAND-IN takes its place: animals that are "
            "made up from published summary statistics. All tables and pictures say so.\n"
            f"  {file} does not exist\n  {SOURCE.name}: {reason(error)}\n"
            "To get the real one, connect to the internet and run this again, or put "
            f"abalone.data into {file.parent} (data/README.md describes the file), or name a "
            "folder that has abalone/abalone.data in the environment variable COURSE_DATA.",
            StandInWarning,
            stacklevel=2,
        )
        return stand_in()
    keep_if_possible(
        file,
        lambda raw: raw.write(content),
        what="The abalone file was downloaded but",
        otherwise="the next run downloads it again",
    )
    return Abalone(table)


# --- the file ---------------------------------------------------------------------------


def _read_zip(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("abalone.data")


SOURCE = Source(
    name="UCI",
    url="https://archive.ics.uci.edu/static/public/1/abalone.zip",
    checksum="sha256:755a6a67c5b266961a3f149ea13be2cfb6e6c727e48cee3c83bc0b4526210ee4",
    read=_read_zip,
)


def _parse(content: bytes) -> pd.DataFrame:
    """Turn the bytes of abalone.data into a table in mm and grams; ValueError for any other."""
    if hashlib.sha256(content).hexdigest() != DIGEST:
        raise ValueError(_fault(content))
    table = pd.read_csv(io.BytesIO(content), header=None, names=list(COLUMNS))
    return _in_units(table)


def _in_units(table: pd.DataFrame) -> pd.DataFrame:
    table[list(MEASUREMENTS)] = (table[list(MEASUREMENTS)] * SCALE).round(1)
    return table


def _fault(content: bytes) -> str:
    """Say what is wrong with bytes that are not those of abalone.data."""
    text = content.decode("utf-8", errors="replace")
    lines = text.splitlines()
    if not text.strip():
        return "it is empty"
    for number, line in enumerate(lines, start=1):
        if fault := _fault_of_line(line, first=number == 1):
            return f"line {number} ({line[:60]!r}) {fault}"
    if len(lines) != NUM_ANIMALS:
        return f"it has {len(lines):,} rows instead of {NUM_ANIMALS:,}"
    if hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest() == DIGEST:
        return "its line ends were changed (an editor or a transfer does that), its values not"
    return (
        "its rows are well formed, but values or their order were changed: the sha256 is "
        f"{hashlib.sha256(content).hexdigest()} instead of {DIGEST}"
    )


def _fault_of_line(line: str, first: bool) -> str:
    fields = [field.strip() for field in line.split(",")]
    if first and any("length" in field.lower() or "rings" in field.lower() for field in fields):
        return "is a header; the original has none"
    if len(fields) != len(COLUMNS):
        return f"has {len(fields)} fields instead of {len(COLUMNS)}, separated by commas"
    for name, field in zip(COLUMNS, fields, strict=True):
        if field.lower() in ("", "?", "na", "nan", "none", "null"):
            return f"has a missing value in {name}; the original has none"
    if fields[0] not in SEXES:
        return f"has the sex {fields[0]!r}, which is none of M, F and I"
    for name, field in zip(COLUMNS[1:], fields[1:], strict=True):
        if not _is_number(field):
            return f"has {field!r} for {name}, which is not a number"
    return ""


def _is_number(field: str) -> bool:
    try:
        return bool(np.isfinite(float(field)))
    except ValueError:
        return False


# --- the stand-in -----------------------------------------------------------------------

#: published in UCI's abalone.names, in the units of the file: minimum, maximum, mean,
#: standard deviation, and correlation with the rings
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

#: published there too: how many animals have 1, 2, … 29 rings
RING_COUNTS = (
    *(1, 1, 15, 57, 115, 259, 391, 568, 689, 634, 487, 267, 203, 126, 103),
    *(67, 58, 42, 32, 26, 14, 6, 9, 2, 1, 1, 2, 0, 1),
)


def stand_in(seed: int = 0) -> Abalone:
    """Make up 4,177 animals that resemble the real ones.

    The rings have exactly the published counts. A Gompertz curve turns age into length,
    at each animal's own pace and towards its own final size. Weights follow a power of
    the length; with age, and at the same length, the shell gets heavier and the meat
    lighter. Small and young animals are more often infants. At last each column gets
    its published minimum, maximum, mean and standard deviation. The constants of the
    model were chosen such that models score on the stand-in much as on the real file.

    Parameters
    ----------
    seed : int
        The same seed gives the same animals.
    """
    rng = np.random.default_rng(seed)
    rings = rng.permutation(np.repeat(np.arange(1, len(RING_COUNTS) + 1), RING_COUNTS))

    def noise(sd: float) -> np.ndarray:
        return rng.normal(0, sd, NUM_ANIMALS)

    pace, fatness, age = np.exp(noise(0.14)), noise(0.13), np.log(rings / OLD_FROM)
    length = -5.5 * np.exp(-0.43 * rings * pace) + noise(0.12)  # logarithms from here on
    infant = rng.random(NUM_ANIMALS) < expit(-4.4 * length - 2.9 * age - 1.6)
    female = rng.random(NUM_ANIMALS) < 0.46
    diameter = 1.03 * length + 0.035 * age + noise(0.035)
    height = length + 0.16 * age + 0.25 * fatness + noise(0.09)
    shucked = 3.15 * length - 0.26 * age + 1.05 * fatness + noise(0.145)
    viscera = 3.0 * length + 0.11 * age + 0.9 * fatness + noise(0.2)
    shell = 2.6 * length + 0.26 * age + 0.8 * fatness + noise(0.155)
    parts = [np.exp(part) for part in (shucked, viscera, shell)]
    means = PUBLISHED.loc[["shucked_g", "viscera_g", "shell_g"], "mean"]
    whole = sum(part / part.mean() * mean for part, mean in zip(parts, means, strict=True))
    whole *= 1 + 0.06 * np.exp(noise(0.5))  # water and blood, lost in shucking
    raw = (np.exp(length), np.exp(diameter), np.exp(height), whole, *parts)
    table = pd.DataFrame({"sex": np.where(infant, "I", np.where(female, "F", "M"))})
    for name, values in zip(MEASUREMENTS, raw, strict=True):
        extremes = values.argmin(), values.argmax()
        if name == "height_mm":  # published as 0 and 226 mm: mistakes, of any two animals
            extremes = tuple(rng.choice(NUM_ANIMALS, 2, replace=False))
        table[name] = _fitted(values, PUBLISHED.loc[name], extremes)
    table["rings"] = rings
    return Abalone(_in_units(table), stand_in=True)


def _fitted(values: np.ndarray, published: pd.Series, extremes: tuple[int, int]) -> np.ndarray:
    """Shift, stretch and clip `values` to a published mean, SD, minimum and maximum."""
    low, high = published["min"], published["max"]
    step = 0.005 if published.name.endswith("_mm") else 0.0005  # what was read off: 1 mm, 0.1 g
    for _ in range(20):  # clipping moves mean and SD a little, each time less
        values = (values - values.mean()) / values.std(ddof=1) * published["sd"] + published["mean"]
        values = values.clip(low, high)
        values[list(extremes)] = low, high
    return (values / step).round() * step


# --- taught in notebook 10 --------------------------------------------------------------


def split_indices(labels: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split row numbers at random: half to train, a quarter each to validate and to test.

    Parameters
    ----------
    labels : array [animals]
        Classes; every part gets the same share of each.
    seed : int
        The same seed gives the same parts.

    Returns
    -------
    train, validation, test : array of int
        Row numbers; each row is in exactly one part.
    """
    rows = np.arange(len(labels))
    train, rest = train_test_split(rows, train_size=0.5, stratify=labels, random_state=seed)
    validation, test = train_test_split(
        rest, train_size=0.5, stratify=labels[rest], random_state=seed
    )
    return train, validation, test


def standardize(values: Tensor, train_values: Tensor) -> Tensor:
    """Express `values` [rows, columns] in standard deviations from the mean of train.

    Raises
    ------
    ValueError
        If a column of `train_values` [train rows, columns] is constant or not finite.
    """
    mean, std = train_values.mean(dim=0), train_values.std(dim=0)
    if not (std > 0).all() or not std.isfinite().all():
        raise ValueError(
            f"Standard deviations must be positive and finite, got {std.tolist()}. Drop constant "
            "columns, and look for missing values."
        )
    return (values - mean) / std


def one_hot(categories: Sequence[str], names: Sequence[str]) -> Tensor:
    """Give each category a column of its own: float32 [rows, names], one 1 in each row.

    Raises
    ------
    ValueError
        If a row is in none of the categories `names`.
    """
    rows = [[float(category == name) for name in names] for category in categories]
    columns = torch.tensor(rows)
    if not (columns.sum(dim=1) == 1).all():
        raise ValueError(f"Every row must be one of {names}: each one-hot row sums to 1.")
    return columns


def make_features(
    table: pd.DataFrame,
    train: np.ndarray,
    columns: Sequence[str] = MEASUREMENTS,
    with_sex: bool = True,
) -> Tensor:
    """Turn the table into the inputs of a network: standardised numbers, one-hot sex.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns of `load_abalone`.
    train : array of int
        Row numbers whose mean and standard deviation are used, for all rows.
    columns : sequence of str
        Which measurements to use.
    with_sex : bool
        Append three columns for the sex; they stay 0 and 1.

    Returns
    -------
    Tensor
        float32 [animals, features].
    """
    values = torch.tensor(table[list(columns)].to_numpy(), dtype=torch.float32)
    features = standardize(values, values[train])
    if with_sex:
        features = torch.cat([features, one_hot(table["sex"], SEXES)], dim=1)
    return features


def make_mlp(
    num_features: int, hidden_sizes: Sequence[int], num_outputs: int, dropout: float = 0.0
) -> nn.Sequential:
    """Stack Linear, ReLU (and Dropout) for each hidden size, and a last Linear.

    Parameters
    ----------
    num_features : int
        Numbers in one row of inputs.
    hidden_sizes : sequence of int
        Units of each hidden layer.
    num_outputs : int
        Classes (their logits come out), or 1 for a regression.
    dropout : float
        Probability with which a hidden unit is switched off while training.
    """
    layers, width = [], num_features
    for size in hidden_sizes:
        layers += [nn.Linear(width, size), nn.ReLU()]
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
        width = size
    layers.append(nn.Linear(width, num_outputs))
    return nn.Sequential(*layers)


def fit_scheduled(
    model: nn.Module,
    parts: dict[str, tuple[Tensor, Tensor]],
    loss_function: Callable[[Tensor, Tensor], Tensor],
    score: Callable[[Tensor, Tensor], float],
    weight_decay: float = 0.0,
    num_epochs: int = 40,
) -> pd.DataFrame:
    """Train with Adam, the learning rate falling by 5 % an epoch, on batches of 128.

    Parameters
    ----------
    model : nn.Module
        On the device of the data.
    parts : dict of str to (inputs, targets)
        Trains on ``parts["train"]``; every part is evaluated after every epoch.
    loss_function : callable
        Takes outputs and targets, returns the mean loss of the batch.
    score : callable
        Takes outputs and targets, returns a number that tells people more than a loss.
    weight_decay : float
        Adam's; the L2 penalty is half of it times the sum of squared weights.
    num_epochs : int
        Times to go through all rows of train.

    Returns
    -------
    pandas.DataFrame
        A row an epoch; columns "train loss", "train score", and so on for each part.
    """
    inputs, targets = parts["train"]
    optimizer = torch.optim.Adam(
        model.parameters(),
        lr=0.01,
        weight_decay=weight_decay,
        fused=inputs.device.type in ("cpu", "cuda"),  # all parameters in one go: faster
    )
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
    history = []
    for _ in range(num_epochs):
        model.train()
        for rows in torch.randperm(len(targets)).split(128):
            loss = loss_function(model(inputs[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()  # once an epoch
        history.append(evaluate_parts(model, parts, loss_function, score))
    return pd.DataFrame(history)


@torch.no_grad()
def evaluate_parts(
    model: nn.Module,
    parts: dict[str, tuple[Tensor, Tensor]],
    loss_function: Callable[[Tensor, Tensor], Tensor],
    score: Callable[[Tensor, Tensor], float],
) -> dict[str, float]:
    """Return loss and score of each part, in evaluation mode; arguments as in `fit_scheduled`."""
    model.eval()
    results = {}
    for name, (inputs, targets) in parts.items():
        outputs = model(inputs)
        results[f"{name} loss"] = loss_function(outputs, targets).item()
        results[f"{name} score"] = score(outputs, targets)
    return results


def paired_interval(new: Sequence[float], old: Sequence[float]) -> tuple[float, float]:
    """Estimate by how much `new` scores above `old`, measured on the same splits.

    Parameters
    ----------
    new, old : sequence of float
        Scores, one a split, in the same order.

    Returns
    -------
    mean, half_width : float
        Mean difference, and half of its 95 % interval after Student's t: the truth is
        taken to lie between mean - half_width and mean + half_width.

    Raises
    ------
    ValueError
        If there are not as many scores in both, or fewer than two.
    """
    if len(new) != len(old) or len(new) < 2:
        raise ValueError(
            f"An interval takes scores of the same splits, two at least, got {len(new)} new and "
            f"{len(old)} old ones."
        )
    differences = np.subtract(new, old)
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean(), stats.t.ppf(0.975, len(differences) - 1) * error
