"""Notebook 12: right answers of unusual form, and mistakes that are not in the data."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats
from sklearn import metrics
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn

from helpers import abalone, models, training
from tests.lessons.tables import Trap


def label_old(rings: Any, old_from: int) -> tuple:
    labels = (np.asarray(rings) >= old_from).astype(int)
    return labels, np.bincount(labels, minlength=2).max() / len(labels)


def label_with_torch(rings: Any, old_from: int) -> list:
    labels = (torch.as_tensor(rings) >= old_from).long()
    return [labels, labels.bincount(minlength=2).max() / len(labels)]


def split_by_hand(labels: np.ndarray, seed: int) -> list:
    """Deal each class out: two to train, one to validation, one to test."""
    rows = np.random.default_rng(seed).permutation(len(labels))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    return [[*rows[0::4], *rows[1::4]], rows[2::4].tolist(), torch.tensor(rows[3::4])]


def split_first_alone(labels: np.ndarray, seed: int) -> tuple:
    """Stratify the first split, not the second."""
    train, rest = train_test_split(
        np.arange(len(labels)), train_size=0.5, stratify=labels, random_state=seed
    )
    return train, *train_test_split(rest, train_size=0.5, random_state=seed)


def split_with_all_labels(labels: np.ndarray, seed: int) -> tuple:
    train, rest = train_test_split(np.arange(len(labels)), train_size=0.5, random_state=seed)
    return train, *train_test_split(rest, train_size=0.5, stratify=labels, random_state=seed)


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


def roc_point(probabilities: np.ndarray, labels: np.ndarray, threshold: float) -> tuple:
    called = probabilities >= threshold
    return called[labels == 0].mean(), called[labels == 1].mean()


def roc_point_of_counts(p: np.ndarray, labels: np.ndarray, threshold: float) -> list:
    table = metrics.confusion_matrix(labels, p >= threshold, normalize="true")
    return table[:, 1]


def auc_by_loops(scores: np.ndarray, labels: np.ndarray) -> float:
    old, young = scores[labels == 1].tolist(), scores[labels == 0].tolist()
    won = sum((a > b) + (a == b) / 2 for a in old for b in young)
    return won / (len(old) * len(young))


def auc_by_ranks(scores: np.ndarray, labels: np.ndarray) -> torch.Tensor:
    old, young = scores[labels == 1], scores[labels == 0]
    return torch.tensor(stats.mannwhitneyu(old, young).statistic / (len(old) * len(young)))


def interval_by_scipy(new: Any, old: Any) -> np.ndarray:
    ends = stats.ttest_rel(new, old).confidence_interval(0.95)
    return np.array([(ends.low + ends.high) / 2, (ends.high - ends.low) / 2])


def interval_with_torch(new: Any, old: Any) -> torch.Tensor:
    differences = torch.tensor(new) - torch.tensor(old)
    differences = differences.double()
    half = stats.t.ppf(0.975, len(new) - 1) * differences.std() / len(new) ** 0.5
    return torch.stack([differences.mean(), half])


RIGHT = {
    "ex_12_1": [
        (label_old,),
        (label_with_torch,),
        (lambda rings, old_from: label_old(rings.tolist(), old_from),),
    ],
    "ex_12_2": [(split_by_hand,)],
    "ex_12_3": [
        (lambda values, train: (values - train.mean(0)) / train.std(0, correction=0),),
        (lambda values, train: (values - train.mean(0)) / (train.std(0) + 1e-8),),
        (lambda values, train: abalone.standardize(values.double(), train.double()),),
        (lambda v, t: abalone.standardize(v, t).to(training.pick_device()),),
    ],
    "ex_12_4": [(one_hot_by_codes,), (one_hot_of_columns,)],
    "ex_12_5": [(mlp_of_blocks,)],
    "ex_12_6": [(roc_point,), (roc_point_of_counts,)],
    "ex_12_7": [
        (auc_by_loops,),
        (auc_by_ranks,),
        (lambda scores, labels: roc_auc_score(labels, scores),),
    ],
    "ex_12_8": [
        (lambda p, y: metrics.confusion_matrix(y, p, normalize="true").tolist(),),
        (lambda p, y: torch.tensor(metrics.confusion_matrix(y, p, normalize="true")),),
    ],
    "ex_12_9": [(training.paired_interval,), (interval_by_scipy,), (interval_with_torch,)],
}

TRAPS = [
    Trap("ex_12_1", (lambda r, o: label_old(r, o)[0],), "a tuple of 2 values"),
    Trap("ex_12_1", (lambda r, o: (np.asarray(r) >= o, label_old(r, o)[1]),), "type bool"),
    Trap("ex_12_2", (split_first_alone,), "stratify both"),
    Trap("ex_12_2", (split_with_all_labels,), "for each row that is left"),
    Trap("ex_12_2", (lambda *a: abalone.split_indices(*a)[:2],), "train, validation and test"),
    Trap("ex_12_4", (one_hot_width_of_data,), "that does not occur"),
    Trap("ex_12_4", (one_hot_of_a_dictionary,), "must raise a ValueError"),
    Trap("ex_12_5", (mlp_of_one_width,), "'Linear(5, 3)'"),
    Trap("ex_12_5", (lambda *a: list(models.make_mlp(*a)),), "An nn.Sequential"),
    Trap("ex_12_5", (lambda *a: nn.Sequential(list(models.make_mlp(*a))),), "unpack the list"),
    Trap("ex_12_6", (lambda p, y, t: roc_point(p, y, t)[0],), "Two shares"),
    Trap("ex_12_9", (lambda new, old: np.mean(new),), "Two numbers"),
]
