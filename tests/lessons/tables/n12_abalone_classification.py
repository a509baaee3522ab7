"""Notebook 10: answers and mistakes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from scipy import stats
from sklearn import metrics
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn

from helpers import abalone, models, training
from tests.lessons.tables import Trap


def label_old(
    rings: Any,
    old_from: int,
    is_old: Callable = np.greater_equal,
    rate: Callable = lambda labels: max(labels.mean(), 1 - labels.mean()),
) -> tuple:
    labels = is_old(np.asarray(rings), old_from).astype(np.int64)
    return labels, rate(labels)


def label_with_torch(rings: Any, old_from: int) -> list:
    labels = (torch.as_tensor(rings) >= old_from).long()
    return [labels, labels.bincount(minlength=2).max() / len(labels)]


def split_by_hand(labels: np.ndarray, seed: int) -> list:
    """Deal each class out: two to train, one to validation, one to test."""
    rows = np.random.default_rng(seed).permutation(len(labels))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    return [[*rows[0::4], *rows[1::4]], rows[2::4].tolist(), torch.tensor(rows[3::4])]


def split_with(
    sizes: tuple = (0.5, 0.5), seeds: tuple = (True, True), **stratify: Callable
) -> Callable:
    """Split twice; the keywords `first` and `second` give the labels to stratify by."""

    def split(labels: np.ndarray, seed: int) -> tuple:
        first = stratify.get("first", lambda labels, rest: labels)
        second = stratify.get("second", lambda labels, rest: labels[rest])
        rows = np.arange(len(labels))
        states = [seed if use is True else use for use in seeds]
        train, rest = train_test_split(
            rows, train_size=sizes[0], stratify=first(labels, rows), random_state=states[0]
        )
        validation, test = train_test_split(
            rest, train_size=sizes[1], stratify=second(labels, rest), random_state=states[1]
        )
        return train, validation, test

    return split


def split_overlapping(labels: np.ndarray, seed: int) -> tuple:
    train, rest = train_test_split(
        np.arange(len(labels)), train_size=0.5, stratify=labels, random_state=seed
    )
    return train, rest[:50], rest[25:75]


def split_masks(labels: np.ndarray, seed: int) -> list:
    parts = abalone.split_indices(labels, seed)
    return [np.isin(np.arange(len(labels)), part) for part in parts]


def not_at_all(labels: np.ndarray, rest: np.ndarray) -> None:
    return None


def one_hot_unchecked(categories: Any, names: tuple) -> torch.Tensor:
    return torch.tensor([[float(category == name) for name in names] for category in categories])


def one_hot_never_filled(categories: Any, names: tuple) -> torch.Tensor:
    return torch.zeros(len(categories), len(names))


def one_hot_from_data(categories: Any, names: tuple) -> torch.Tensor:
    if set(categories) - set(names):
        raise ValueError
    return one_hot_unchecked(categories, tuple(sorted(set(categories))))


def one_hot_by_codes(categories: Any, names: tuple) -> torch.Tensor:
    return F.one_hot(torch.tensor([names.index(c) for c in categories]), len(names)).float()


def one_hot_of_columns(categories: Any, names: tuple) -> torch.Tensor:
    columns = np.stack([categories == name for name in names], axis=1)
    assert columns.any(axis=1).all()
    return torch.tensor(columns, dtype=torch.float32)


def one_hot_width_of_data(categories: Any, names: tuple) -> torch.Tensor:
    return F.one_hot(torch.tensor([names.index(c) for c in categories])).float()


def one_hot_of_a_dictionary(categories: Any, names: tuple) -> torch.Tensor:
    rows = dict(zip(names, torch.eye(len(names)), strict=True))
    return torch.stack([rows[category] for category in categories])


def one_hot_printing(categories: Any, names: tuple) -> torch.Tensor | None:
    columns = one_hot_unchecked(categories, names)
    return columns if (columns.sum(dim=1) == 1).all() else None


def mlp(
    num_features: int,
    hidden_sizes: tuple,
    num_outputs: int,
    dropout: float,
    between: Callable = lambda p: [nn.ReLU(), *([nn.Dropout(p)] if p else [])],
    last: tuple = (),
) -> nn.Sequential:
    layers, width = [], num_features
    for size in hidden_sizes:
        layers += [nn.Linear(width, size), *between(dropout)]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, num_outputs), *last)


def mlp_of_blocks(
    num_features: int, hidden_sizes: tuple, num_outputs: int, dropout: float
) -> nn.Sequential:
    """Nest a block for each hidden size, and use one ReLU for all."""
    relu, sizes = nn.ReLU(), [num_features, *hidden_sizes]
    after = [relu] if dropout == 0 else [relu, nn.Dropout(dropout)]
    blocks = [
        nn.Sequential(nn.Linear(sizes[i], sizes[i + 1]), *after) for i in range(len(hidden_sizes))
    ]
    return nn.Sequential(*blocks, nn.Linear(sizes[-1], num_outputs))


def mlp_of_one_width(
    num_features: int, hidden_sizes: tuple, num_outputs: int, dropout: float
) -> nn.Sequential:
    layers = [
        layer for size in hidden_sizes for layer in (nn.Linear(num_features, size), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Linear(num_features, num_outputs))


def mlp_dropped_once(
    num_features: int, hidden_sizes: tuple, num_outputs: int, dropout: float
) -> nn.Sequential:
    *layers, last = mlp(num_features, hidden_sizes, num_outputs, 0)
    return nn.Sequential(*layers, *([nn.Dropout(dropout)] if dropout else []), last)


def roc_point(probabilities: np.ndarray, labels: np.ndarray, threshold: float) -> tuple:
    called = probabilities >= threshold
    return called[labels == 0].mean(), called[labels == 1].mean()


def roc_point_of_counts(p: np.ndarray, labels: np.ndarray, threshold: float) -> list:
    table = metrics.confusion_matrix(labels, p >= threshold, normalize="true")
    return table[:, 1]


def auc_by_pairs(
    scores: np.ndarray, labels: np.ndarray, tie: float = 0.5, share: Callable = np.mean
) -> float:
    differences = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return share((differences > 0) + tie * (differences == 0))


def auc_by_loops(scores: np.ndarray, labels: np.ndarray) -> float:
    old, young = scores[labels == 1].tolist(), scores[labels == 0].tolist()
    won = sum((a > b) + (a == b) / 2 for a in old for b in young)
    return won / (len(old) * len(young))


def auc_by_ranks(scores: np.ndarray, labels: np.ndarray) -> torch.Tensor:
    old, young = scores[labels == 1], scores[labels == 0]
    return torch.tensor(stats.mannwhitneyu(old, young).statistic / (len(old) * len(young)))


def confusion_counts(predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.array([[((labels == i) & (predicted == j)).sum() for j in (0, 1)] for i in (0, 1)])


def confusion_shares(predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
    counts = confusion_counts(predicted, labels)
    return counts / counts.sum(axis=1, keepdims=True)


def interval(
    new: Any, old: Any, factor: Callable = lambda n: stats.t.ppf(0.975, n - 1), ddof: int = 1
) -> tuple:
    differences = np.subtract(new, old)
    n = len(differences)
    return differences.mean(), factor(n) * differences.std(ddof=ddof) / np.sqrt(n)


def interval_by_scipy(new: Any, old: Any) -> np.ndarray:
    ends = stats.ttest_rel(new, old).confidence_interval(0.95)
    return np.array([(ends.low + ends.high) / 2, (ends.high - ends.low) / 2])


def interval_with_torch(new: Any, old: Any) -> torch.Tensor:
    differences = torch.tensor(new) - torch.tensor(old)
    differences = differences.double()
    half = stats.t.ppf(0.975, len(new) - 1) * differences.std() / len(new) ** 0.5
    return torch.stack([differences.mean(), half])


def ends(new: Any, old: Any) -> tuple:
    mean, half = interval(new, old)
    return mean - half, mean + half


RIGHT = {
    "ex_12_1": [
        (label_old,),
        (label_with_torch,),
        (lambda rings, old_from: label_old(rings.tolist(), old_from),),
        (lambda r, o: ((r >= o).astype(int), np.bincount(r >= o, minlength=2).max() / len(r)),),
    ],
    "ex_12_2": [(abalone.split_indices,), (split_with(),), (split_by_hand,)],
    "ex_12_3": [
        (abalone.standardize,),
        (lambda values, train: (values - train.mean(0)) / train.std(0, correction=0),),
        (lambda values, train: (values - train.mean(0)) / (train.std(0) + 1e-8),),
        (lambda values, train: abalone.standardize(values.double(), train.double()),),
        (lambda v, t: abalone.standardize(v, t).to(training.pick_device()),),
    ],
    "ex_12_4": [(abalone.one_hot,), (one_hot_by_codes,), (one_hot_of_columns,)],
    "ex_12_5": [(models.make_mlp,), (mlp,), (mlp_of_blocks,)],
    "ex_12_6": [(roc_point,), (roc_point_of_counts,)],
    "ex_12_7": [
        (auc_by_pairs,),
        (auc_by_loops,),
        (auc_by_ranks,),
        (lambda scores, labels: roc_auc_score(labels, scores),),
    ],
    "ex_12_8": [
        (confusion_shares,),
        (lambda p, y: confusion_shares(p, y).tolist(),),
        (lambda p, y: torch.tensor(confusion_shares(p, y)),),
        (lambda p, y: metrics.confusion_matrix(y, p, normalize="true"),),
    ],
    "ex_12_9": [
        (training.paired_interval,),
        (interval,),
        (interval_by_scipy,),
        (interval_with_torch,),
    ],
}

TRAPS = [
    Trap("ex_12_1", (lambda r, o: label_old(r, o, is_old=np.greater),), "exactly `old_from`"),
    Trap("ex_12_1", (lambda r, o: label_old(r, o, is_old=np.less),), "swapped"),
    Trap("ex_12_1", (lambda r, o: label_old(r, o)[::-1],), "labels come first"),
    Trap("ex_12_1", (lambda r, o: label_old(r, o, rate=np.mean),), "share of the old"),
    Trap("ex_12_1", (lambda r, o: label_old(r, o, rate=lambda labels: 0.5),), "tossing a coin"),
    Trap(
        "ex_12_1",
        (lambda r, o: label_old(r, o, rate=lambda labels: 1 - labels.mean()),),
        "which of the two classes",
    ),
    Trap(
        "ex_12_1",
        (lambda r, o: label_old(r, o, rate=lambda labels: (labels == 0).sum()),),
        "share of all",
    ),
    Trap("ex_12_1", (lambda r, o: label_old(r, o, rate=lambda labels: 62.5),), "percentage"),
    Trap("ex_12_1", (lambda r, o: label_old(r, o, rate=lambda labels: labels),), "single number"),
    Trap("ex_12_1", (lambda r, o: label_old(r, o)[0],), "two things"),
    Trap("ex_12_1", (lambda r, o: (np.asarray(r) >= o, 0.625),), "int64"),
    Trap("ex_12_2", (split_overlapping,), "validation *and* in test"),
    Trap(
        "ex_12_2",
        (lambda labels, seed: (np.arange(100), np.arange(50, 100), np.arange(100, 200)),),
        "has seen",
    ),
    Trap("ex_12_2", (lambda labels, seed: np.split(np.arange(200), [100, 150]),), "slices"),
    Trap("ex_12_2", (split_with(first=not_at_all, second=not_at_all),), "stratify"),
    Trap("ex_12_2", (split_with(first=not_at_all),), "stratify both"),
    Trap("ex_12_2", (split_with(second=not_at_all),), "stratify both"),
    Trap("ex_12_2", (split_with(second=lambda labels, rest: labels),), "splits only what is left"),
    Trap("ex_12_2", (split_with(sizes=(0.5, 0.8)),), "100, 50 and 50"),
    Trap("ex_12_2", (split_with(sizes=(0.5, 0.25)),), "100, 50 and 50"),
    Trap("ex_12_2", (split_with(seeds=(0, 0)),), "another seed"),
    Trap("ex_12_2", (split_with(seeds=(None, None)),), "same seed"),
    Trap("ex_12_2", (split_with(seeds=(True, None)),), "same seed"),
    Trap("ex_12_2", (split_masks,), "numbers of the rows"),
    Trap(
        "ex_12_2",
        (lambda labels, seed: [labels[p] for p in abalone.split_indices(labels, seed)],),
        "some rows are",
    ),
    Trap("ex_12_2", (lambda *a: abalone.split_indices(*a)[:2],), "three arrays"),
    Trap("ex_12_3", (lambda v, t: (v - v.mean(0)) / v.std(0),), "its own statistics"),
    Trap("ex_12_3", (lambda v, t: (v - t.mean(0)) / v.std(0),), "its own statistics"),
    Trap(
        "ex_12_3",
        (lambda v, t: (v - torch.cat([v, t]).mean(0)) / torch.cat([v, t]).std(0),),
        "all rows together",
    ),
    Trap("ex_12_3", (lambda v, t: (v - t.mean()) / t.std(),), "each column"),
    Trap("ex_12_3", (lambda v, t: (v - t.mean(1)) / t.std(1),), "which axis goes"),
    Trap("ex_12_3", (lambda v, t: (v - t.mean(0)) / t.var(0),), "variance"),
    Trap("ex_12_3", (lambda v, t: v - t.mean(0) / t.std(0),), "brackets"),
    Trap("ex_12_3", (lambda v, t: v / t.std(0),), "has not been subtracted"),
    Trap("ex_12_3", (lambda v, t: v - t.mean(0),), "division"),
    Trap(
        "ex_12_3",
        (lambda v, t: (v - t.amin(0)) / (t.amax(0) - t.amin(0)),),
        "from 0 to 1",
    ),
    Trap("ex_12_3", (lambda v, t: (t - t.mean(0)) / t.std(0),), "shape of `values`"),
    Trap("ex_12_3", (lambda v, t: 2 * (v - t.mean(0)) / t.std(0),), "then divide by"),
    Trap(
        "ex_12_3",
        (lambda v, t: abalone.standardize(v, t if len(v) > 1 else t[1:]),),
        "one row alone",
    ),
    Trap("ex_12_4", (one_hot_unchecked,), "does not sum to 1"),
    Trap("ex_12_4", (one_hot_never_filled,), "ever filled"),
    Trap("ex_12_4", (lambda c, n: one_hot_unchecked(c, n).long(),), "float32"),
    Trap("ex_12_4", (lambda c, n: one_hot_unchecked(c, n[::-1]),), "order of `names`"),
    Trap("ex_12_4", (one_hot_from_data,), "does not occur"),
    Trap("ex_12_4", (one_hot_width_of_data,), "does not occur"),
    Trap("ex_12_4", (one_hot_of_a_dictionary,), "stops with KeyError"),
    Trap("ex_12_4", (one_hot_printing,), "Raise a ValueError"),
    Trap("ex_12_4", (lambda c, n: torch.tensor([float(n.index(x)) for x in c]),), "tensor [4, 3]"),
    Trap("ex_12_4", (lambda c, n: one_hot_unchecked(c, n).numpy(),), "return a tensor"),
    Trap("ex_12_5", (lambda *a: mlp(*a, last=(nn.ReLU(),)),), "ReLU after the last layer"),
    Trap("ex_12_5", (lambda *a: mlp(*a, last=(nn.Softmax(dim=1),)),), "the softmax itself"),
    Trap("ex_12_5", (lambda *a: mlp(*a, between=lambda p: []),), "one Linear layer"),
    Trap("ex_12_5", (lambda *a: mlp(*a, between=lambda p: [nn.ReLU()]),), "nn.Dropout layers"),
    Trap(
        "ex_12_5",
        (lambda *a: mlp(*a, between=lambda p: [nn.ReLU(), nn.Dropout(p)]),),
        "without dropout there is nothing",
    ),
    Trap(
        "ex_12_5",
        (lambda *a: mlp(*a, between=lambda p: [nn.ReLU(), *([nn.Dropout()] if p else [])]),),
        "pass the probability on",
    ),
    Trap(
        "ex_12_5",
        (lambda *a: mlp(*a, between=lambda p: [*([nn.Dropout(p)] if p else []), nn.ReLU()]),),
        "every* hidden layer's ReLU",
    ),
    Trap("ex_12_5", (mlp_dropped_once,), "every* hidden layer's ReLU"),
    Trap(
        "ex_12_5",
        (lambda f, h, o, p: mlp(f, h, o, 0, last=(nn.Dropout(p),) if p else ()),),
        "switch off logits",
    ),
    Trap("ex_12_5", (lambda f, h, o, p: mlp(f, h[:1], o, p),), "three Linear layers"),
    Trap("ex_12_5", (mlp_of_one_width,), "5→7, 5→3"),
    Trap("ex_12_5", (lambda *a: nn.Sequential(list(mlp(*a))),), "unpack it"),
    Trap("ex_12_5", (lambda *a: nn.Sequential(),), "empty"),
    Trap("ex_12_5", (lambda *a: list(mlp(*a)),), "return an nn.Sequential"),
    Trap("ex_12_6", (lambda p, y, t: roc_point(p, y, t)[::-1],), "swapped"),
    Trap(
        "ex_12_6",
        (lambda p, y, t: (((p >= t) & (y == 0)).mean(), ((p >= t) & (y == 1)).mean()),),
        "divides by all",
    ),
    Trap(
        "ex_12_6",
        (lambda p, y, t: (((p >= t) & (y == 0)).sum(), ((p >= t) & (y == 1)).sum()),),
        "numbers of animals",
    ),
    Trap(
        "ex_12_6",
        (lambda p, y, t: ((y[p >= t] == 0).mean(), (y[p >= t] == 1).mean()),),
        "*called* old",
    ),
    Trap("ex_12_6", (lambda p, y, t: roc_point(p, y, t + 1e-9),), "exactly at the threshold"),
    Trap(
        "ex_12_6",
        (lambda p, y, t: ((p < t)[y == 0].mean(), (p < t)[y == 1].mean()),),
        "called *young*",
    ),
    Trap("ex_12_6", (lambda p, y, t: roc_point(p, y, 0.5),), "is the argument used"),
    Trap("ex_12_6", (lambda p, y, t: roc_point(p, y, t)[0],), "two numbers"),
    Trap("ex_12_6", (lambda p, y, t: ((p >= t)[y == 0], (p >= t)[y == 1]),), "two numbers"),
    Trap("ex_12_7", (lambda s, y: auc_by_pairs(s, y, tie=0),), "counted as lost"),
    Trap("ex_12_7", (lambda s, y: auc_by_pairs(s, y, tie=1),), "counted as won"),
    Trap("ex_12_7", (lambda s, y: auc_by_pairs(-s, y),), "*young* one scores higher"),
    Trap("ex_12_7", (lambda s, y: auc_by_pairs(s, y, share=np.sum),), "number of pairs"),
    Trap(
        "ex_12_7",
        (lambda s, y: auc_by_pairs(s, y, share=np.sum) / (len(s) * (len(s) - 1) / 2),),
        "one old and one young",
    ),
    Trap(
        "ex_12_7",
        (lambda s, y: np.sign(s[y == 1][:, None] - s[y == 0]).mean(),),
        "neither for nor against",
    ),
    Trap("ex_12_7", (lambda s, y: roc_auc_score(y, s >= 0.5),), "turned into decisions"),
    Trap("ex_12_7", (lambda s, y: ((s >= 0.5) == y).mean(),), "accuracy"),
    Trap("ex_12_7", (lambda s, y: auc_by_pairs(np.clip(s, 0, 1), y),), "no threshold"),
    Trap("ex_12_7", (lambda s, y: s[y == 1][:, None] > s[y == 0],), "single number"),
    Trap("ex_12_7", (lambda s, y: s[y == 1].mean(),), "8 are in order"),
    Trap("ex_12_8", (confusion_counts,), "those are counts"),
    Trap("ex_12_8", (lambda p, y: confusion_counts(p, y) / len(y),), "of all animals"),
    Trap(
        "ex_12_8",
        (lambda p, y: confusion_counts(p, y) / confusion_counts(p, y).sum(0),),
        "*predicted*",
    ),
    Trap("ex_12_8", (lambda p, y: confusion_shares(p, y).T,), "swapped"),
    Trap(
        "ex_12_8",
        (lambda p, y: confusion_counts(p, y) / confusion_counts(p, y).sum(1),),
        "keepdims",
    ),
    Trap("ex_12_8", (lambda p, y: confusion_shares(1 - p, 1 - y),), "wrong order"),
    Trap(
        "ex_12_8",
        (lambda p, y: pd.crosstab(y, p, normalize="index").to_numpy(),),
        "never predicted",
    ),
    Trap("ex_12_8", (lambda p, y: (p == y).mean(),), "an array [2, 2]"),
    Trap("ex_12_8", (lambda p, y: "4 of 5",), "array of numbers"),
    Trap("ex_12_9", (lambda new, old: interval(old, new),), "new minus old"),
    Trap("ex_12_9", (lambda new, old: interval(new, old, factor=lambda n: 1.96),), "too narrow"),
    Trap("ex_12_9", (lambda new, old: interval(new, old, factor=lambda n: 1),), "too narrow"),
    Trap("ex_12_9", (lambda new, old: interval(new, old, ddof=0),), "ddof=1"),
    Trap(
        "ex_12_9",
        (lambda new, old: interval(new, old, factor=lambda n: stats.t.ppf(0.975, n)),),
        "n - 1",
    ),
    Trap(
        "ex_12_9",
        (lambda new, old: interval(new, old, factor=lambda n: stats.t.ppf(0.95, n - 1)),),
        "97.5 %",
    ),
    Trap(
        "ex_12_9",
        (lambda new, old: interval(new, old, factor=lambda n: 2 * stats.t.ppf(0.975, n - 1)),),
        "whole width",
    ),
    Trap("ex_12_9", (ends,), "two ends"),
    Trap(
        "ex_12_9",
        (lambda new, old: (np.subtract(new, old).mean(), np.subtract(new, old).std(ddof=1)),),
        "square root of n",
    ),
    Trap(
        "ex_12_9",
        (lambda new, old: interval(new, old, factor=lambda n: 2.7764451),),
        "follow n",
    ),
    Trap(
        "ex_12_9",
        (
            lambda new, old: (
                np.subtract(new, old).mean(),
                1.96 * np.sqrt((np.var(new, ddof=1) + np.var(old, ddof=1)) / len(new)),
            ),
        ),
        "different splits",
    ),
    Trap("ex_12_9", (lambda new, old: np.mean(new),), "two numbers"),
    Trap("ex_12_9", (lambda new, old: (np.mean(new), 3.0),), "mean of the differences"),
    Trap("ex_12_9", (lambda new, old: (np.subtract(new, old).mean(), 9.9),), "half of the"),
]

SECRETS = {
    "ex_12_1": ("5/8", "0.625", ".mean()", "max(", ">="),
    "ex_12_2": ("labels[rest]", "stratify=", "train_test_split", "random_state"),
    "ex_12_3": ("mean(dim", "std(dim", "train_values.", "(values -"),
    "ex_12_4": ("float(category", ".sum(dim", "if not"),
    "ex_12_5": ("*layers", "nn.Linear(", "nn.ReLU(", "nn.Dropout(dropout"),
    "ex_12_6": (">=", "labels == 0", "2/5", "0.4,", "0.667"),
    "ex_12_7": ("[:, None]", "> 0", "0.708", "8.5"),
    "ex_12_8": ("labels ==", "0.8,", "axis=1", "6/8"),
    "ex_12_9": ("np.subtract", "ppf", "2.776", "np.sqrt", "1.4"),
}
