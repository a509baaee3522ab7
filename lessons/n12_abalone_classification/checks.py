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
from lessons.exercises import Checks, Wrong
from lessons.n12_abalone_classification import experiments, open_task, scores

check = Checks()


def label_old(
    rings: Any,
    old_from: int,
    old: Any = np.greater_equal,
    rate: Any = lambda y: max(y.mean(), 1 - y.mean()),
) -> tuple:
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
    inputs=[
        (np.array(rings), old_from)
        for rings, old_from in (([12, 3, 10, 4, 9, 4, 5], 10), ([6, 20, 7, 22], 7), ([7, 8, 1], 7))
    ],
    mistakes=[
        ("the two are swapped: the labels come first.", lambda *a: label_old(*a)[::-1]),
        (
            "the labels should be whole numbers, int64: CrossEntropyLoss takes them as classes.",
            lambda *a: (label_old(*a)[0] * 1.0, label_old(*a)[1]),
            lambda found, *_: isinstance(found[0], str),
        ),
        ("an animal with exactly `old_from` rings is old.", partial(label_old, old=np.greater)),
        ("young and old are swapped: 1 stands for old.", partial(label_old, old=np.less)),
        ("that is the share of the old: not always the larger.", partial(label_old, rate=np.mean)),
        ("that is the share of the young.", partial(label_old, rate=lambda y: 1 - y.mean())),
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
    sizes, halves = [*map(len, parts)], [len(labels) // part for part in (2, 4, 4)]
    shares = [labels.take([*part], mode="clip").mean() for part in parts]
    wrong = {
        "no row numbers": train | test <= {0, 1} or max(train | test) >= len(labels),
        "rows in two parts": train & (validation | test) or validation & test,
        "not shuffled": all(max(part) - min(part) < len(part) for part in parts),
        "not stratified": sizes == halves and not same(shares, [labels.mean()] * 3),
        "the same seed, other parts": parts != again,
        "another seed, the same parts": train == other[0] or test == other[2],
    }
    return [*sizes, *(flaw for flaw in wrong if wrong[flaw])]


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
            lambda found, *_: "no row numbers" in found,
        ),
        (
            "some rows are in two parts. The second split starts from what the first one left.",
            lambda *a: [abalone.split_indices(*a)[part] for part in (0, 1, 1)],
            lambda found, *_: "rows in two parts" in found,
        ),
        (
            "each part is a run of neighbouring rows. Draw them at random.",
            lambda y, seed: np.split(np.arange(len(y)), [len(y) // 2, len(y) * 3 // 4]),
            lambda found, *_: "not shuffled" in found,
        ),
        (
            "the parts differ in their share of old animals: stratify both splits.",
            lambda labels, seed: abalone.split_indices(labels * 0, seed),
            lambda found, *_: "not stratified" in found,
        ),
        (
            "the same seed must give the same parts, every time: pass it on.",
            lambda labels, seed: abalone.split_indices(labels, int(torch.randint(99, ()))),
        ),
        ("another seed must give other parts.", lambda y, seed: abalone.split_indices(y, 0)),
    ],
    errors={"inconsistent": "The second split needs a label for each row that is left, no more."},
    otherwise="Row numbers of train, validation and test: half, a quarter, a quarter.",
)


TRAIN = torch.tensor([[1.0, 100, 8], [2, 300, 5], [6, 200, 7], [3, 600, 9]]).repeat(500, 1)
VALUES = torch.tensor([[3.0, 300, 2], [9, 0, 4], [1, 700, 6]]).repeat(400, 1)
OWN = "`values` is standardised by its own statistics: then giants among giants are average."


def first_rows(answer: Callable, values: Tensor, train_values: Tensor) -> Any:
    """Return the shape of the result, and its first six numbers."""
    rows = array(found := answer(values, train_values))
    return found if rows is None else (rows.shape, rows.ravel()[:6])


check.exercise(
    "12.3",
    abalone.standardize,
    probe=first_rows,
    parts=("the shape of the result", "its first numbers"),
    tolerance=1e-3,  # dividing by n is right as well
    inputs=[(VALUES[:, :2], TRAIN[:, :2]), (VALUES[:1], TRAIN)],
    mistakes=[
        (OWN, lambda v, t: (v - v.mean(0)) / v.std(0)),
        (OWN, lambda v, t: (v - v.mean(0)) / t.std(0)),
        (OWN, lambda v, t: (v - t.mean(0)) / v.std(0)),
        ("only train may be used.", lambda v, t: abalone.standardize(v, torch.cat([v, t]))),
        ("each column has its own mean.", lambda v, t: (v - t.mean()) / t.std()),
        ("that divides by the variance. Take its root.", lambda v, t: (v - t.mean(0)) / t.var(0)),
        ("division comes first: brackets are missing.", lambda v, t: v - t.mean(0) / t.std(0)),
        ("the mean has not been subtracted.", lambda v, t: v / t.std(0)),
        ("the division by the standard deviation is missing.", lambda v, t: v - t.mean(0)),
    ],
    errors={"must match": "Both statistics are one number for each column: which axis goes?"},
    otherwise="Of each column of train: subtract the mean, divide by the standard deviation.",
)


def coded(answer: Callable, categories: list[str], names: tuple[str, ...]) -> Any:
    """Return the tensor; in words, that it is refused, or that it is not float32."""
    try:
        found = answer(pd.Series(categories), names)
    except Exception as error:
        if {*categories} <= {*names}:
            raise
        if not isinstance(error, ValueError | AssertionError):
            raise Wrong(
                f"make this {type(error).__name__} a ValueError or AssertionError."
            ) from error
        return "refused"
    values = array(found)
    return found if values is None or values.dtype == np.float32 else "of another type"


def unchecked(categories: Any, names: tuple[str, ...]) -> Tensor:
    """Return the one-hot rows, all zeros where a category is unknown."""
    return torch.tensor([[float(category == name) for name in names] for category in categories])


NAMES = ("west", "north", "south")
SLIPS = [(words, NAMES) for words in (["north", "sooth"], ["North"], ["souths"], ["sout"])]

check.exercise(
    "12.4",
    abalone.one_hot,
    probe=coded,
    inputs=[(["south", "west", "south", "north"], NAMES), (["north", "west"], NAMES), *SLIPS],
    mistakes=[
        (
            "a category fits no name, and no ValueError or AssertionError came. Who'd notice?",
            unchecked,
            lambda found, c, n: not {*c} <= {*n} and isinstance(found, Tensor),
        ),
        (
            "float32 is asked for: that is the type of a network's weights.",
            lambda c, n: abalone.one_hot(c, n).long(),
            lambda found, c, n: found == "of another type",
        ),
        (
            "the columns stand in the order of `names`.",
            lambda c, n: abalone.one_hot(c, n[::-1]),
            lambda found, c, n: found.shape == (len(c), len(n)),
        ),
    ],
    errors={"'str'": "Words make no tensor: compare each category with each name."},
    otherwise="One row a category; one column a name, also for a name that does not occur. For a "
    "category that fits none: a ValueError or AssertionError.",
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
            lambda f, n, h, *_: "Linear" not in f[-1] and str(f).count("Linear") > len(h),
        ),
        (
            "one Linear for each hidden size, and one more for the outputs: the last is missing.",
            edited(lambda right: right[:-1]),
            lambda found, n, hidden, *_: str(found).count("Linear") == len(hidden),
        ),
        ("tanh stands where ReLU is asked for.", replaced(nn.ReLU, nn.Tanh())),
        (
            "without a ReLU between them, Linear layers in a row are one Linear layer.",
            replaced(nn.ReLU),
            lambda found, *_: "Linear" in found[0] and "ReLU()" not in found,
        ),
        (
            "with dropout above 0, an nn.Dropout belongs behind *every* ReLU.",
            replaced(nn.Dropout),
            lambda found, n, sizes, k, p: str(found).count("Dropout") < (p > 0) * len(sizes),
        ),
        ("nn.Dropout() alone takes 0.5: pass `dropout` on.", replaced(nn.Dropout, nn.Dropout())),
    ],
    errors={
        "list is not a Module": "nn.Sequential takes layers one by one: unpack the list.",
        "is not a Module": "A layer is made by calling its class, with brackets: nn.ReLU().",
    },
    otherwise="An nn.Sequential: Linear, ReLU (Dropout if above 0) for each size; a last Linear. "
    "Each Linear takes as many inputs as the one before it has outputs.",
)


experiment: Callable = experiments.experiment
in_order = partial(experiment, loader=lambda x, y, size: [*zip(x.split(size), y.split(size))])  # noqa: B905


def rated(
    answer: Callable, features: Tensor, labels: np.ndarray, parts: Any, *settings: Any
) -> Any:
    """Return six probabilities, the number of epochs, and which loss the History ends in.

    Where chance decides about them: whether shuffling or dropout changes them.
    """
    trained: list[Tensor] = []

    def note(layer: nn.Module, inputs: tuple) -> None:
        if isinstance(layer, nn.Linear) and layer.training and inputs[0].shape[1:] == (3,):
            trained.append(inputs[0].cpu())

    with nn.modules.module.register_module_forward_pre_hook(note):
        found = answer(features, labels, parts, *settings)
    if found is None or found is ...:
        return found
    chances, history = found if isinstance(found, tuple | list) and len(found) == 2 else (0, 0)
    chances, seen = array(chances), getattr(history, "validation", ())
    if chances is None or chances.shape != labels.shape or not seen:
        return "of another form"
    if same(chances.sum(), 1.0):
        return "a sum of 1"
    if chances.min() < 0 or chances.max() > 1:
        raise Wrong("a probability lies between 0 and 1: where is the softmax?")
    if len(seen) != settings[2]:
        said = f"the History has {len(seen)} epochs; `num_epochs` is {settings[2]}."
        raise Wrong(f"{said} (Early stopping is not asked for.)")
    rows = parts[1]
    loss = -np.log(np.where(labels == 1, chances, 1 - chances)[rows]).mean()
    ends = "that of these probabilities" if same(loss, seen[-1].loss, 1e-3) else "another"
    shown: Any = chances[[0, 1, *rows[:2], *parts[2][:2]]]
    known = features[parts[0]]
    if settings[3]:  # dropout
        without = answer(features, labels, parts, *settings[:3], 0.0, settings[4])[0]
        shown = "as without it" if same(chances, without, 1e-3) else "changed by it"
    elif len(known.unique(dim=0)) > 128:
        in_file_order = trained and torch.equal(torch.cat(trained)[: len(known)], known)
        shown = "as without it" if in_file_order else "changed by it"
    return shown, len(seen), ends


def world(rows: int, *settings: Any, alike: bool = False) -> tuple:
    """Return the arguments of an experiment on made-up animals; `alike`: those of train."""
    x = torch.randn(rows + 80, 3, generator=torch.Generator().manual_seed(1))
    x[:rows] = x[0] if alike else x[:rows]
    labels = (x.sum(dim=1) > 0).long().numpy()
    labels[rows : rows + 40] ^= 1  # so the validation loss rises
    return x, labels, np.split(np.arange(rows + 80), [rows, rows + 40]), *settings


check.exercise(
    "12.6",
    experiment,
    probe=rated,
    parts=("the probabilities of six animals", "the number of epochs in the History", "the loss"),
    tolerance=1e-3,
    inputs=[
        world(40, (4,), 5, 12, 0, 0),
        world(40, (4, 4), 5, 3, 0, 0.5),
        world(300, (4,), 5, 6, 0, 0, alike=True),
        world(256, (4,), 5, 2, 0, 0),
        world(40, (4,), 5, 2, 0.5, 0),
    ],
    mistakes=[
        ("the learning rate does not fall: has `fit` the scheduler?", partial(experiment, gamma=1)),
        ("that is plain SGD. Adam is asked for.", partial(experiment, optimizer=torch.optim.SGD)),
        ("those come from Adam's default rate, 0.001.", partial(experiment, lr=0.001)),
        ("weight_decay has no effect: has the optimizer got it?", lambda *a: experiment(*a[:7])),
        ("dropout has no effect: has make_mlp got it?", lambda *a: experiment(*a[:6], 0, a[7])),
        ("the seed has no effect: set it first.", lambda *a: experiment(*a[:4], 0, *a[5:])),
        ("the animals are not shuffled: `Batches` does it.", in_order),
        ("those belong to class 0.", lambda *a: (1 - experiment(*a)[0], experiment(*a)[1])),
        (
            "these sum to 1 over the *animals*. For each animal those of its two classes should.",
            lambda *a: ((p := experiment(*a))[0] / p[0].sum(), p[1]),
            lambda found, *_: found == "a sum of 1",
        ),
        (
            "first a probability for each row of `features`; then the History with validation.",
            lambda *a: experiment(*a)[::-1],
            lambda found, *_: found == "of another form",
        ),
        (
            "the History's last validation loss is not that of your probabilities on parts[1]. "
            "Is parts[1] the validation, the softmax over both logits? Is it evaluation mode, with "
            "the last epoch's weights?",
            lambda x, y, parts, *a: experiment(x, y, [parts[0]] * 2, *a),
            lambda found, *_: found[2] == "another",
        ),
        (
            "with one batch an epoch it is right, with 300 animals not. Are batches of 128 taken, "
            "the last one smaller, and does the rate fall once per *epoch*?",
            partial(experiment, batch_size=64),
            lambda found, x, y, parts, *_: len(parts[0]) == 300 and not isinstance(found[0], str),
        ),
    ],
    otherwise="The steps: seed, network, Adam (0.01), scheduler (0.95), fit; softmax for all rows.",
)

check.exercise("12.7", **scores.ROC)
check.exercise("12.8", **scores.AUC)
check.exercise("12.9", **scores.INTERVAL)
check.custom("12.open")(open_task.judge)
