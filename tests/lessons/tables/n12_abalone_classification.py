"""Notebook 12: right answers of unusual form, and mistakes that are not in the data."""

from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats
from sklearn import metrics
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from helpers import abalone, models, training
from lessons.n12_abalone_classification import experiments, open_task
from tests.lessons.tables import Trap

LAB = open_task.Lab(abalone.stand_in().table[:1200])
for tried in ({}, {"num_epochs": 20}, {"lr": 1e-9}):
    LAB.train(**tried)
LAZY = open_task.Lab(abalone.stand_in().table[:1200])
LAZY.train(num_epochs=1)


def label_old(rings: Any, old_from: int) -> tuple:
    labels = (np.asarray(rings) >= old_from).astype(int)
    return labels, np.bincount(labels, minlength=2).max() / len(labels)


def split_by_hand(labels: np.ndarray, seed: int) -> list:
    """Deal each class out: two to train, one to validation, one to test."""
    rows = np.random.default_rng(seed).permutation(len(labels))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    return [[*rows[0::4], *rows[1::4]], rows[2::4].tolist(), torch.tensor(rows[3::4])]


def split_by_quarters(labels: np.ndarray, seed: int) -> tuple:
    """Take a quarter for test, and a quarter of the rest for validation."""
    rows, options = np.arange(len(labels)), {"test_size": 0.25, "random_state": seed}
    rest, test = train_test_split(rows, stratify=labels, **options)
    return *train_test_split(rest, stratify=labels[rest], **options), test


def split_with_all_labels(labels: np.ndarray, seed: int) -> tuple:
    train, rest = train_test_split(np.arange(len(labels)), train_size=0.5, random_state=seed)
    return train, *train_test_split(rest, train_size=0.5, stratify=labels, random_state=seed)


def one_hot_by_codes(categories: Any, names: tuple) -> torch.Tensor:
    return F.one_hot(torch.tensor([names.index(c) for c in categories]), len(names)).float()


def by_dict(categories: Any, names: tuple) -> torch.Tensor:
    rows = dict(zip(names, torch.eye(len(names)), strict=True))
    return torch.stack([rows[category] for category in categories])


def strict(rows: list) -> torch.Tensor:
    columns = torch.tensor(rows).float()
    if not (columns.sum(dim=1) == 1).all():
        raise ValueError
    return columns


def one_hot_width_of_data(categories: Any, names: tuple) -> torch.Tensor:
    return F.one_hot(torch.tensor([names.index(c) for c in categories])).float()


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


def roc_by_sorting(scores: np.ndarray, labels: np.ndarray) -> list:
    """Add one animal after the other, and keep the last of each score."""
    order = np.argsort(-scores)
    last = np.append(np.diff(scores[order]) != 0, True)
    is_old = torch.tensor(labels[order])
    rates = [(is_old == label).cumsum(0) / (is_old == label).sum() for label in (0, 1)]
    return [[0.0, *rate[last].tolist()] for rate in rates]


def auc_by_trapezoids(scores: np.ndarray, labels: np.ndarray) -> float:
    false, true = map(np.array, roc_by_sorting(scores, labels))
    return ((false[1:] - false[:-1]) * (true[1:] + true[:-1]) / 2).sum()


def experiment_with_torchs_loader(
    x, labels, parts, sizes, seed, epochs, dropout, decay, training_mode=False, **options
):
    training.set_seed(seed)
    model, y = models.make_mlp(x.shape[1], sizes, 2, dropout), torch.as_tensor(labels)
    adam = torch.optim.Adam(model.parameters(), 0.01, weight_decay=decay)
    falling = torch.optim.lr_scheduler.StepLR(adam, 1, 0.95)
    known, unseen = (TensorDataset(x[rows], y[rows]) for rows in parts[:2])
    loaders = DataLoader(known, 128, shuffle=True), DataLoader(unseen, 32)
    history = training.fit(
        model, loaders[0], adam, epochs, loaders[1], progress=False, scheduler=falling, **options
    )
    return model.train(training_mode).forward(x).softmax(1)[:, 1], history


RIGHT = {
    "ex_12_1": [(label_old,), (lambda rings, old_from: label_old(rings.tolist(), old_from),)],
    "ex_12_2": [(split_by_hand,)],
    "ex_12_3": [
        (lambda values, train: (values - train.mean(0)) / train.std(0, correction=0),),
        (lambda values, train: (values - train.mean(0)) / (train.std(0) + 1e-8),),
        (lambda v, t: abalone.standardize(v, t).numpy(),),
        (lambda v, t: abalone.standardize(v, t).to(training.pick_device()),),
    ],
    "ex_12_4": [
        (one_hot_by_codes,),
        (lambda c, n: one_hot_by_codes(c, n).numpy(),),
    ],
    "ex_12_5": [(mlp_of_blocks,)],
    "ex_12_6": [(experiment_with_torchs_loader,)],
    "ex_12_7": [
        (roc_by_sorting,),
        (lambda s, y: np.append(roc_by_sorting(s, y), [[1.0], [1.0]], axis=1),),
    ],
    "ex_12_8": [
        (auc_by_loops,),
        (auc_by_ranks,),
        (auc_by_trapezoids,),
    ],
    "ex_12_9": [(training.paired_interval,), (interval_by_scipy,)],
    "ex_12_open": [
        (({"num_epochs": 20, "seed": 7}, (0.86, 0.93)), LAB),
        (({"dropout": 0.0}, (0.85, 0.93)), LAB),
        ([{"num_epochs": 20}, np.array([0.86, 0.93])], LAB),
    ],
}

TRAPS = [
    Trap("ex_12_1", (lambda r, o: label_old(r, o)[0],), "a tuple of 2 values"),
    Trap("ex_12_1", (lambda r, o: (np.asarray(r) >= o, label_old(r, o)[1]),), "whole numbers"),
    Trap("ex_12_1", (lambda r, o: (label_old(r, o)[0] / 1, label_old(r, o)[1]),), "whole numbers"),
    Trap("ex_12_2", (split_with_all_labels,), "for each row that is left"),
    Trap("ex_12_2", (lambda *a: abalone.split_indices(*a)[:2],), "train, validation and test"),
    Trap("ex_12_2", (split_by_quarters,), "[112, 38, 50] is wrong"),
    Trap("ex_12_4", (one_hot_width_of_data,), "that does not occur"),
    Trap("ex_12_5", (mlp_of_one_width,), "'Linear(5, 3)'"),
    Trap("ex_12_5", (lambda *a: list(models.make_mlp(*a)),), "An nn.Sequential"),
    Trap("ex_12_5", (lambda *a: nn.Sequential(list(models.make_mlp(*a))),), "unpack the list"),
    Trap("ex_12_5", (lambda n, *_: nn.Sequential(nn.Linear(n, 7), nn.ReLU),), "with brackets"),
    Trap("ex_12_4", (by_dict,), "make this KeyError a"),
    Trap("ex_12_4", (lambda c, n: strict([[k in x for x in n] for k in c]),), "fits no name"),
    Trap("ex_12_6", (lambda *a: experiments.experiment(*a)[0],), "first a probability"),
    Trap("ex_12_6", (partial(experiment_with_torchs_loader, training_mode=True),), "History's"),
    Trap("ex_12_6", (partial(experiments.experiment, batch_size=10**6),), "with 300 animals"),
    Trap("ex_12_6", (partial(experiment_with_torchs_loader, patience=5),), "Early stopping"),
    Trap("ex_12_6", (partial(experiments.experiment, gamma=0.9),), "scheduler (0.95)"),
    Trap("ex_12_7", (lambda s, y: roc_by_sorting(s, y)[0],), "Two arrays"),
    Trap("ex_12_7", (lambda s, y: metrics.roc_curve(y, s)[:2],), "ready-made"),
    Trap("ex_12_8", (lambda s, y: roc_auc_score(y, s),), "ready-made"),
    Trap("ex_12_8", (roc_auc_score,), "ready-made"),
    Trap("ex_12_8", (lambda s, y: auc_by_loops(np.round(s, 1), y),), "Of all pairs"),
    Trap("ex_12_8", (lambda s, y: np.trapezoid(roc_by_sorting(s, y)[1]),), "above 1"),
    Trap("ex_12_9", (lambda new, old: np.mean(new),), "Two numbers"),
    Trap("ex_12_open", (0.88, LAB), "a dict of settings"),
    Trap("ex_12_open", (({}, (0.9, 0.8)), LAB), "from low to high"),
    Trap("ex_12_open", (({}, (0.7, 0.9)), LAB), "at most is asked"),
    Trap("ex_12_open", (({"width": 8}, (0.80, 0.87)), LAB), "can't train with these"),
    Trap("ex_12_open", (({"lr": 1e-9}, (0.80, 0.87)), LAB), "Search on"),
    Trap("ex_12_open", (({}, (0.80, 0.82)), LAB), "narrower than chance"),
    Trap("ex_12_open", (({}, (0.60, 0.65)), LAB), "outside of"),
    Trap("ex_12_open", (({}, (0.86, 0.92)), LAZY), "a search compares several"),
    Trap("ex_12_open", (({"lr": 0.02}, (0.86, 0.93)), LAB), "never trained"),
]
