"""The exercises of notebook 12 · Tabular data: abalone, classification."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from helpers import abalone, models
from lessons.comparing import array, same
from lessons.exercises import Checks
from lessons.n12_abalone_classification import experiments, open_task, scores

check = Checks()


def label_old(
    rings: Any,
    old_from: int,
    old: Callable = np.greater_equal,
    rate: Callable = lambda labels: np.bincount(labels).max() / len(labels),
) -> tuple[np.ndarray, float]:
    """Return the labels and the base rate."""
    labels = old(rings, old_from).astype(np.int64)
    return labels, rate(labels)


def labelled(answer: Callable, rings: np.ndarray, old_from: int) -> Any:
    """Return labels and base rate; instead of labels of another type, that type in words."""
    found = answer(rings, old_from)
    labels = array(found[0]) if isinstance(found, tuple | list) else None
    if labels is None or labels.dtype == np.int64 or labels.ndim != 1:
        return found
    return (f"labels of type {labels.dtype}", *found[1:])


check.exercise(
    "12.1",
    label_old,
    probe=labelled,
    inputs=[(np.array([3, 10, 12, 10, 9, 4, 5, 1]), 10), (np.array([7, 20, 21, 22]), 7)],
    mistakes=[
        ("the two are swapped: the labels come first.", lambda *a: label_old(*a)[::-1]),
        (
            "the labels should be whole numbers, int64: CrossEntropyLoss takes them as classes.",
            lambda *a: (label_old(*a)[0] * 1.0, label_old(*a)[1]),
            lambda found, *_: isinstance(found[0], str),
        ),
        ("an animal with exactly `old_from` rings is old.", partial(label_old, old=np.greater)),
        ("young and old are swapped: 1 stands for old.", partial(label_old, old=np.less)),
        (
            "that is the share of the old. Can a constant answer be right more often?",
            partial(label_old, rate=np.mean),
        ),
        (
            "that is a number of animals, or a percentage. Give a share between 0 and 1.",
            partial(label_old, rate=lambda labels: np.bincount(labels).max()),
            lambda found, *_: found[1] > 1,
        ),
    ],
    otherwise="Labels of type int64, one an animal; then the share of the more frequent class.",
)


def flaws(answer: Callable, labels: np.ndarray, seed: int) -> Any:
    """Return the sizes of the three parts, and in words what is wrong with them."""
    found, again, other = (answer(labels, number) for number in (seed, seed, seed + 1))
    if not isinstance(found, tuple | list) or len(found) != 3:
        return found
    parts, again, other = ([{*map(int, p)} for p in split] for split in (found, again, other))
    train, validation, test = parts
    shares = [labels.take([*part], mode="clip").mean() for part in parts]
    wrong = {
        "no row numbers": train | test <= {0, 1} or max(train | test) >= len(labels),
        "rows in two parts": train & (validation | test) or validation & test,
        "not shuffled": all(max(part) - min(part) < len(part) for part in parts),
        "not stratified": not same(shares, [labels.mean()] * 3),
        "the same seed, other parts": parts != again,
        "another seed, the same parts": train == other[0] or test == other[2],
    }
    return [*map(len, parts), *(flaw for flaw in wrong if wrong[flaw])]


FEW_OLD = np.repeat([0, 1], [160, 40])

check.exercise(
    "12.2",
    abalone.split_indices,
    probe=flaws,
    inputs=[(labels, seed) for seed in (0, 1, 7) for labels in (FEW_OLD, FEW_OLD[80:])],
    mistakes=[
        (
            "return the numbers of the rows, not labels, nor True and False for every row.",
            lambda *a: [a[0][part] for part in abalone.split_indices(*a)],
            lambda found, *_: "no row numbers" in found[3:],
        ),
        (
            "some rows are in two parts. The second split starts from what the first one left.",
            lambda *a: [abalone.split_indices(*a)[part] for part in (0, 1, 1)],
            lambda found, *_: "rows in two parts" in found[3:],
        ),
        (
            "the parts do not have the share of old animals that all have: stratify both splits, "
            "the second one by the labels of the rows that are left.",
            lambda labels, seed: abalone.split_indices(labels * 0, seed),
            lambda found, *_: "not stratified" in found[3:],
        ),
        (
            "the same seed must give the same parts, every time: pass it on.",
            lambda labels, seed: abalone.split_indices(labels, int(torch.randint(99, ()))),
        ),
        (
            "another seed must give other parts: is `seed` used in both splits?",
            lambda labels, seed: abalone.split_indices(labels, 0),
        ),
    ],
    errors={"inconsistent": "The second split needs a label for each row that is left, no more."},
    otherwise="Row numbers of train, validation and test: half, a quarter, a quarter.",
)


TRAIN = torch.tensor([[1.0, 100, 8], [2, 300, 5], [6, 200, 7], [3, 600, 9]]).repeat(500, 1)
VALUES = torch.tensor([[3.0, 300, 2], [9, 0, 4], [1, 700, 6]]).repeat(400, 1)
OWN = "`values` is standardised by its own statistics: then giants among giants are average."

check.exercise(
    "12.3",
    abalone.standardize,
    tolerance=1e-3,  # dividing by n is right as well
    inputs=[(VALUES[:, :2], TRAIN[:, :2]), (VALUES[:1], TRAIN)],
    mistakes=[
        (OWN, lambda v, t: (v - v.mean(0)) / v.std(0)),
        (OWN, lambda v, t: (v - v.mean(0)) / t.std(0)),
        (OWN, lambda v, t: (v - t.mean(0)) / v.std(0)),
        ("only train may be used.", lambda v, t: abalone.standardize(v, torch.cat([v, t]))),
        (
            "one mean for all columns mixes millimetres and grams: each column has its own.",
            lambda v, t: (v - t.mean()) / t.std(),
        ),
        ("that divides by the variance. Take its root.", lambda v, t: (v - t.mean(0)) / t.var(0)),
        ("division comes first: brackets are missing.", lambda v, t: v - t.mean(0) / t.std(0)),
        ("the mean has not been subtracted.", lambda v, t: v / t.std(0)),
        ("the division by the standard deviation is missing.", lambda v, t: v - t.mean(0)),
    ],
    errors={"must match": "Both statistics are one number for each column: which axis goes?"},
    otherwise="Of each column of train: subtract the mean, divide by the standard deviation.",
)


def coded(answer: Callable, categories: list[str], names: tuple[str, ...]) -> Any:
    """Return the tensor; in words, that an error came or that it is not float32."""
    try:
        found = answer(pd.Series(categories), names)
    except (ValueError, AssertionError):
        if {*categories} <= {*names}:
            raise
        return "refused"
    values = array(found)
    return found if values is None or values.dtype == np.float32 else "of another type"


def unchecked(categories: Any, names: tuple[str, ...]) -> Tensor:
    """Return the one-hot rows, all zeros where a category is unknown."""
    return torch.tensor([[float(category == name) for name in names] for category in categories])


NAMES = ("west", "north", "south")
SLIPS = [(["north", "sooth"], NAMES), (["North"], NAMES)]

check.exercise(
    "12.4",
    abalone.one_hot,
    probe=coded,
    inputs=[(["south", "west", "south", "north"], NAMES), (["north", "west"], NAMES), *SLIPS],
    mistakes=[
        (
            "an unknown category (a slip!) must raise a ValueError, or nobody notices: its row "
            "does not sum to 1.",
            unchecked,
            lambda found, c, n: not {*c} <= {*n},
        ),
        (
            "float32 is asked for: that is the type of a network's weights.",
            lambda c, n: abalone.one_hot(c, n).long(),
            lambda found, c, n: isinstance(found, str),
        ),
        ("were its columns ever filled?", lambda c, n: torch.zeros(len(c), len(n))),
        (
            "the columns stand in the order of `names`.",
            lambda c, n: abalone.one_hot(c, n[::-1]),
            lambda found, c, n: found.shape == (len(c), len(n)),
        ),
    ],
    errors={"'str'": "Words make no tensor: compare each category with each name."},
    otherwise="One row a category; one column a name, also for a name that does not occur.",
)


def layers(
    answer: Callable, num_features: int, hidden_sizes: tuple, num_outputs: int, dropout: float
) -> Any:
    """Return the layers in order, also those of an nn.Sequential inside, as texts."""
    model = answer(num_features, hidden_sizes, num_outputs, dropout)
    if not isinstance(model, nn.Sequential):
        return model
    parts = [part for _, part in model.named_modules(remove_duplicate=False)]
    texts = [str(part) for part in parts if not isinstance(part, nn.Sequential)]
    return [re.sub(r"\w+_features=|(, )?(bias|inplace)=\w+", "", text) for text in texts]


def edited(edit: Callable) -> Callable:
    """Return an answer that makes something else of the right layers."""
    return lambda *sizes: nn.Sequential(*edit([*models.make_mlp(*sizes)]))


def replaced(kind: type, *others: nn.Module) -> Callable:
    """Return an answer with other layers in the place of one kind."""
    return edited(lambda right: [o for x in right for o in (others if type(x) is kind else [x])])


check.exercise(
    "12.5",
    models.make_mlp,
    probe=layers,
    inputs=[(5, (7, 3), 2, 0.0), (5, (7, 3), 1, 0.25), (4, (), 2, 0.0), (6, (4, 4, 8), 3, 0.1)],
    mistakes=[
        (
            "nothing follows the last Linear: what comes out of it are the logits, and "
            "CrossEntropyLoss applies the softmax itself.",
            edited(lambda right: [*right, nn.ReLU()]),
            lambda found, n, hidden, *_: (
                str(found).count("Linear") > len(hidden) and (not found[-1].startswith("Linear"))
            ),
        ),
        (
            "one Linear for each hidden size, and one more for the outputs: the last is missing.",
            edited(lambda right: right[:-1]),
            lambda found, n, hidden, *_: str(found).count("Linear") == len(hidden),
        ),
        (
            "another layer than Linear, ReLU and Dropout is in it. It may work; ReLU is asked for.",
            replaced(nn.ReLU, nn.Tanh()),
            lambda found, *_: any(
                not part.startswith(("Linear", "ReLU", "Drop")) for part in found
            ),
        ),
        (
            "without a ReLU between them, Linear layers in a row are one Linear layer.",
            replaced(nn.ReLU),
            lambda found, *_: "Linear" in found[0] and "ReLU()" not in found,
        ),
        ("with dropout=0.25, nn.Dropout layers are expected.", replaced(nn.Dropout)),
        ("nn.Dropout() alone takes 0.5: pass `dropout` on.", replaced(nn.Dropout, nn.Dropout())),
    ],
    errors={
        "list is not a Module": "nn.Sequential takes layers one by one: unpack the list.",
        "is not a Module": "A layer is made by calling its class, with brackets: nn.ReLU().",
    },
    otherwise="An nn.Sequential: Linear, ReLU (Dropout if above 0) for each size; a last Linear.",
)


experiment: Callable = experiments.experiment


def rated(answer: Callable, *arguments: Any) -> Any:
    """Return the probabilities (for dropout: whether it changes them) and the number of epochs."""
    found = answer(*arguments)
    if not isinstance(found, tuple | list) or len(found) != 2:
        return found
    probabilities, epochs = found[0], len(getattr(found[1], "validation", ()))
    if arguments[6]:  # what it draws depends on the loader
        return not same(probabilities, experiment(*arguments[:6])[0]), epochs
    return probabilities, epochs


def world(rows: int, sizes: tuple, epochs: int, dropout: float, decay: float) -> tuple:
    """Return the arguments of an experiment on a few made-up animals."""
    x = torch.randn(rows, 3, generator=torch.Generator().manual_seed(1))
    labels = (x.sum(dim=1) > 0).long().numpy()
    return x, labels, np.arange(rows).reshape(2, -1), sizes, 5, epochs, dropout, decay


check.exercise(
    "12.6",
    experiment,
    probe=rated,
    tolerance=1e-3,
    inputs=[world(80, (4,), 12, 0, 0), world(60, (4, 4), 3, 0, 0.5), world(60, (4,), 2, 0.5, 0)],
    mistakes=[
        (
            "the learning rate stays the same: has `fit` the scheduler?",
            partial(experiment, gamma=1),
        ),
        ("that is plain SGD. Adam is asked for.", partial(experiment, optimizer=torch.optim.SGD)),
        ("weight_decay has no effect: has the optimizer got it?", lambda *a: experiment(*a[:7])),
        ("dropout has no effect: has make_mlp got it?", lambda *a: experiment(*a[:6], 0, a[7])),
        ("the seed has no effect: set it first.", lambda *a: experiment(*a[:4], 0, *a[5:])),
        (
            "those are probabilities of class 0. The second column is that of class 1.",
            lambda *a: (1 - experiment(*a)[0], experiment(*a)[1]),
        ),
        (
            "a probability for *every* animal is asked for, not only for one part.",
            lambda *a: (experiment(*a)[0][a[2][1]], experiment(*a)[1]),
            lambda found, x, y, parts, *_: len(found[0]) == len(parts[0]),
        ),
    ],
    otherwise="The steps: seed, network, optimizer, scheduler, fit; then softmax for all animals.",
)

check.exercise("12.7", **scores.ROC)
check.exercise("12.8", **scores.AUC)
check.exercise("12.9", **scores.INTERVAL)
check.custom("12.open")(open_task.judge)
