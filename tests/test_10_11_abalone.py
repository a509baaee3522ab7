"""Notebooks 10 and 11: their checks, their pictures, and that a stand-in never goes unmarked.

(tests/test_tabular.py has the data and the functions that notebook 10 teaches.)
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn

from helpers import checks, plots, tabular

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("1[01]_abalone_*.ipynb"))


# --- right answers ----------------------------------------------------------------------


def label_old(
    rings: Any,
    old_from: int,
    is_old: Callable = np.greater_equal,
    rate: Callable = lambda labels: max(labels.mean(), 1 - labels.mean()),
) -> tuple:
    labels = is_old(np.asarray(rings), old_from).astype(np.int64)
    return labels, rate(labels)


def roc_point(probabilities: np.ndarray, labels: np.ndarray, threshold: float) -> tuple:
    called = probabilities >= threshold
    return called[labels == 0].mean(), called[labels == 1].mean()


def auc_by_pairs(
    scores: np.ndarray, labels: np.ndarray, tie: float = 0.5, share: Callable = np.mean
) -> float:
    differences = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return share((differences > 0) + tie * (differences == 0))


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


def strict_mse(predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    assert predictions.shape == targets.shape
    return ((predictions - targets) ** 2).mean()


def r_squared(predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    errors = ((targets - predictions) ** 2).sum()
    return 1 - errors / ((targets - targets.mean()) ** 2).sum()


def worst_animal(predictions: np.ndarray, targets: np.ndarray) -> tuple:
    squared = (targets - predictions) ** 2
    return int(squared.argmax()), float(squared.max() / squared.sum())


def constant_mse(train: torch.Tensor, other: torch.Tensor) -> float:
    return float(((other - train.mean()) ** 2).mean())


RIGHT = {
    "10.1": label_old,
    "10.2": tabular.split_indices,
    "10.3": tabular.standardize,
    "10.4": tabular.one_hot,
    "10.5": tabular.make_mlp,
    "10.6": roc_point,
    "10.7": auc_by_pairs,
    "10.8": confusion_shares,
    "10.9": tabular.paired_interval,
    "11.1": constant_mse,
    "11.2": strict_mse,
    "11.3": r_squared,
    "11.4": worst_animal,
    "11.5": "d",
}


def check_of(label: str) -> Callable:
    return getattr(checks, f"ex_{label.replace('.', '_')}")


@pytest.mark.parametrize("label", RIGHT)
def test_right_answer_passes(label, capsys):
    check_of(label)(RIGHT[label])
    assert capsys.readouterr().out == f"✓ {label}\n"


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        (
            "10.1",
            lambda rings, old_from: label_old(
                rings.tolist() if hasattr(rings, "tolist") else rings, old_from
            ),
        ),
        ("10.3", lambda values, train: (values - train.mean(0)) / train.std(0, correction=0)),
        ("10.7", lambda scores, labels: roc_auc_score(labels, scores)),
        ("11.3", lambda predictions, targets: r2_score(targets, predictions)),
        ("11.2", lambda p, t: strict_mse(p, t).reshape(1)),
    ],
)
def test_other_right_answers_pass_too(label, answer, capsys):
    check_of(label)(answer)
    assert capsys.readouterr().out == f"✓ {label}\n"


@pytest.mark.parametrize("label", RIGHT)
def test_unanswered_exercise_is_open(label, capsys):
    nothing = [None, ...]
    if callable(RIGHT[label]):
        nothing += [lambda *arguments: None, lambda *arguments: ...]
    for answer in nothing:
        check_of(label)(answer)
        out = capsys.readouterr().out
        assert out.startswith(f"… {label} waits for your answer."), out


@pytest.mark.parametrize("label", RIGHT)
def test_strict_checks_raise(label, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_STRICT", "1")
    check_of(label)(RIGHT[label])
    with pytest.raises(checks.Open):
        check_of(label)(None)
    with pytest.raises((checks.Wrong, TypeError)):
        check_of(label)((lambda *arguments: "nonsense") if callable(RIGHT[label]) else "z")
    capsys.readouterr()


# --- wrong answers ----------------------------------------------------------------------


def split_overlapping(labels: np.ndarray, seed: int) -> tuple:
    train, rest = train_test_split(
        np.arange(len(labels)), train_size=0.5, stratify=labels, random_state=seed
    )
    return train, rest[:50], rest[25:75]


def split_with(sizes: tuple = (0.5, 0.5), **options: Any) -> Callable:
    def split(labels: np.ndarray, seed: int) -> tuple:
        settings = {"random_state": seed, "stratify": True, **options}
        stratify = settings.pop("stratify")
        if settings["random_state"] == "none":
            settings["random_state"] = None
        rows = np.arange(len(labels))
        train, rest = train_test_split(
            rows, train_size=sizes[0], stratify=labels if stratify else None, **settings
        )
        validation, test = train_test_split(
            rest, train_size=sizes[1], stratify=labels[rest] if stratify else None, **settings
        )
        return train, validation, test

    return split


def softmax_twice(*arguments: Any) -> nn.Sequential:
    return mlp(*arguments, last=(nn.Softmax(dim=1),))


def one_hot_unchecked(categories: list, names: tuple) -> torch.Tensor:
    return torch.tensor([[float(category == name) for name in names] for category in categories])


def one_hot_never_filled(categories: list, names: tuple) -> torch.Tensor:
    return torch.zeros(len(categories), len(names))


def one_hot_from_data(categories: list, names: tuple) -> torch.Tensor:
    if set(categories) - set(names):
        raise ValueError
    return one_hot_unchecked(categories, tuple(sorted(set(categories))))


def squared_shares(divide: Callable) -> Callable:
    def answer(predictions: np.ndarray, targets: np.ndarray) -> tuple:
        squared = (targets - predictions) ** 2
        return int(squared.argmax()), divide(squared, np.abs(targets - predictions))

    return answer


WRONG = [
    ("10.1", lambda r, o: label_old(r, o, is_old=np.greater), "exactly `old_from`"),
    ("10.1", lambda r, o: label_old(r, o, is_old=np.less), "swapped"),
    ("10.1", lambda r, o: label_old(r, o, rate=np.mean), "share of the old"),
    ("10.1", lambda r, o: label_old(r, o, rate=lambda labels: 0.5), "tossing a coin"),
    ("10.1", lambda r, o: label_old(r, o, rate=lambda labels: 1 - labels.mean()), "all animals"),
    ("10.1", lambda r, o: label_old(r, o, rate=lambda labels: (labels == 0).sum()), "share of all"),
    ("10.1", lambda r, o: label_old(r, o)[0], "two things"),
    ("10.1", lambda r, o: (np.asarray(r) >= o, 0.625), "int64"),
    ("10.2", split_overlapping, "validation *and* in test"),
    (
        "10.2",
        lambda labels, seed: (np.arange(100), np.arange(50, 100), np.arange(100, 200)),
        "has seen",
    ),
    ("10.2", lambda labels, seed: np.split(np.arange(200), [100, 150]), "slices"),
    ("10.2", split_with(stratify=False), "stratify"),
    ("10.2", split_with(sizes=(0.5, 0.8)), "100, 50 and 50"),
    ("10.2", split_with(random_state=0), "another seed"),
    ("10.2", split_with(random_state="none"), "same seed"),
    (
        "10.2",
        lambda labels, seed: [labels[p] for p in tabular.split_indices(labels, seed)],
        "some rows are",
    ),
    ("10.3", lambda v, t: (v - v.mean(0)) / v.std(0), "its own statistics"),
    (
        "10.3",
        lambda v, t: (v - torch.cat([v, t]).mean(0)) / torch.cat([v, t]).std(0),
        "all rows together",
    ),
    ("10.3", lambda v, t: (v - t.mean()) / t.std(), "each column"),
    ("10.3", lambda v, t: (v - t.mean(0)) / t.var(0), "variance"),
    ("10.3", lambda v, t: v - t.mean(0), "division"),
    ("10.3", lambda v, t: (t - t.mean(0)) / t.std(0), "shape of `values`"),
    ("10.4", one_hot_unchecked, "does not sum to 1"),
    ("10.4", one_hot_never_filled, "ever filled"),
    ("10.4", lambda c, n: one_hot_unchecked(c, n).long(), "float32"),
    ("10.4", lambda c, n: one_hot_unchecked(c, n[::-1]), "order of `names`"),
    ("10.4", one_hot_from_data, "does not occur"),
    ("10.4", lambda c, n: torch.tensor([float(n.index(x)) for x in c]), r"tensor [4, 3]"),
    ("10.5", lambda *a: mlp(*a, last=(nn.ReLU(),)), "ReLU after the last layer"),
    ("10.5", softmax_twice, "applies the softmax itself"),
    ("10.5", lambda *a: mlp(*a, between=lambda p: []), "one Linear layer"),
    ("10.5", lambda *a: mlp(*a, between=lambda p: [nn.ReLU()]), "nn.Dropout layers"),
    (
        "10.5",
        lambda *a: mlp(*a, between=lambda p: [nn.ReLU(), *([nn.Dropout()] if p else [])]),
        "pass the probability on",
    ),
    (
        "10.5",
        lambda f, h, o, p: mlp(f, h, o, 0, last=(nn.Dropout(p),) if p else ()),
        "switch off logits",
    ),
    ("10.5", lambda f, h, o, p: mlp(f, h[:1], o, p), "three Linear layers"),
    ("10.6", lambda p, y, t: roc_point(p, y, t)[::-1], "swapped"),
    (
        "10.6",
        lambda p, y, t: (((p >= t) & (y == 0)).mean(), ((p >= t) & (y == 1)).mean()),
        "divides by all",
    ),
    ("10.6", lambda p, y, t: ((y[p >= t] == 0).mean(), (y[p >= t] == 1).mean()), "*called* old"),
    ("10.6", lambda p, y, t: roc_point(p, y, t + 1e-9), "exactly at the threshold"),
    ("10.6", lambda p, y, t: ((p < t)[y == 0].mean(), (p < t)[y == 1].mean()), "called *young*"),
    ("10.6", lambda p, y, t: roc_point(p, y, 0.5), "is the argument used"),
    ("10.7", lambda s, y: auc_by_pairs(s, y, tie=0), "counted as lost"),
    ("10.7", lambda s, y: auc_by_pairs(s, y, tie=1), "counted as won"),
    ("10.7", lambda s, y: auc_by_pairs(-s, y), "*young* one scores higher"),
    ("10.7", lambda s, y: auc_by_pairs(s, y, share=np.sum), "number of pairs"),
    (
        "10.7",
        lambda s, y: auc_by_pairs(s, y, share=np.sum) / (len(s) * (len(s) - 1) / 2),
        "one old and one young",
    ),
    ("10.7", lambda s, y: roc_auc_score(y, s >= 0.5), "turned into decisions"),
    ("10.7", lambda s, y: ((s >= 0.5) == y).mean(), "accuracy"),
    ("10.8", confusion_counts, "those are counts"),
    ("10.8", lambda p, y: confusion_counts(p, y) / len(y), "of all animals"),
    ("10.8", lambda p, y: confusion_counts(p, y) / confusion_counts(p, y).sum(0), "*predicted*"),
    ("10.8", lambda p, y: confusion_shares(p, y).T, "swapped"),
    ("10.8", lambda p, y: confusion_counts(p, y) / confusion_counts(p, y).sum(1), "keepdims"),
    ("10.8", lambda p, y: confusion_shares(1 - p, 1 - y), "wrong order"),
    ("10.8", lambda p, y: pd.crosstab(y, p, normalize="index").to_numpy(), "never predicted"),
    ("10.9", lambda new, old: interval(old, new), "new minus old"),
    ("10.9", lambda new, old: interval(new, old, factor=lambda n: 1.96), "too narrow"),
    ("10.9", lambda new, old: interval(new, old, factor=lambda n: 1), "too narrow"),
    ("10.9", lambda new, old: interval(new, old, ddof=0), "ddof=1"),
    ("10.9", lambda new, old: interval(new, old, factor=lambda n: stats.t.ppf(0.975, n)), "n - 1"),
    (
        "10.9",
        lambda new, old: interval(new, old, factor=lambda n: stats.t.ppf(0.95, n - 1)),
        "97.5 %",
    ),
    (
        "10.9",
        lambda new, old: interval(new, old, factor=lambda n: 2 * stats.t.ppf(0.975, n - 1)),
        "whole width",
    ),
    (
        "10.9",
        lambda new, old: (np.subtract(new, old).mean(), np.subtract(new, old).std(ddof=1)),
        "square root of n",
    ),
    ("10.9", lambda new, old: interval(new, old, factor=lambda n: 2.7764451), "follow n"),
    (
        "10.9",
        lambda new, old: (
            np.subtract(new, old).mean(),
            1.96 * np.sqrt((np.var(new, ddof=1) + np.var(old, ddof=1)) / len(new)),
        ),
        "different splits",
    ),
    ("11.1", lambda train, other: constant_mse(other, other), "nobody knows beforehand"),
    ("11.1", lambda train, other: constant_mse(train, train), "on train itself"),
    ("11.1", lambda train, other: constant_mse(train, other) * len(other), "the sum"),
    ("11.1", lambda train, other: constant_mse(train, other) ** 0.5, "root"),
    ("11.1", lambda train, other: (other - train.mean()).abs().mean(), "absolute"),
    ("11.1", lambda train, other: ((other - train.median()) ** 2).mean(), "median"),
    ("11.2", lambda p, t: ((p - t) ** 2).mean(), "every prediction with every target"),
    ("11.2", lambda p, t: strict_mse(p, t).item(), "tensor with one number"),
    ("11.2", lambda p, t: strict_mse(p, t).detach(), "lost its graph"),
    ("11.2", lambda p, t: strict_mse(p, t) * len(p), "that is the sum"),
    ("11.2", lambda p, t: (p - t).abs().mean(), "not absolute values"),
    ("11.2", lambda p, t: strict_mse(p, t).sqrt(), "root"),
    ("11.3", lambda p, t: np.corrcoef(p, t)[0, 1] ** 2, "square of the correlation"),
    ("11.3", lambda p, t: r_squared(t, p), "spread of the *predictions*"),
    ("11.3", lambda p, t: 1 - ((t - p) ** 2).sum() / (t**2).sum(), "from 0"),
    ("11.3", lambda p, t: 1 - r_squared(p, t), "unexplained"),
    ("11.3", lambda p, t: 1 - ((t - p) ** 2).mean() / ((t - t.mean()) ** 2).sum(), "a mean"),
    ("11.3", lambda p, t: 1 - ((t - p) ** 2).mean() / t.var(), "n - 1"),
    ("11.4", squared_shares(lambda squared, off: float(off.max() / off.sum())), "*absolute*"),
    ("11.4", squared_shares(lambda squared, off: float(squared.max())), "itself"),
    ("11.4", squared_shares(lambda squared, off: float(squared.max() / squared.mean())), "mean"),
    ("11.4", lambda p, t: (int((t - p).argmax()), 0.72), "either sign"),
    ("11.4", lambda p, t: (int((p - t).argmax()), worst_animal(p, t)[1]), "turned round"),
    ("11.4", lambda p, t: (int(t.argmax()), 0.72), "most rings"),
    ("11.5", "a", "short of training"),
    ("11.5", "b", "without weight decay"),
    ("11.5", "c", "size of the steps"),
    ("11.5", "e", "one letter"),
]


@pytest.mark.parametrize(("label", "answer", "words"), WRONG)
def test_wrong_answer_is_refused_with_a_reason(label, answer, words, capsys):
    check_of(label)(answer)
    out = capsys.readouterr().out
    assert out.startswith(f"✗ {label}:"), out
    assert words in out
    assert "stopped with" not in out


def test_every_check_is_used_in_a_notebook_and_has_wrong_answers():
    sources = "\n".join(
        cell.source for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells
    )
    used = set(re.findall(r"check\.ex_(1[01]_\d+)\(", sources))
    assert used == {label.replace(".", "_") for label in RIGHT}
    assert {label for label, *_ in WRONG} == set(RIGHT)


# --- the stand-in is marked -------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_table_and_picture_of_the_animals_is_marked(path):
    """Each passes its text through ``data.mark``, which says stand-in where due."""
    shows = re.compile(r"plots\.(?!use_course_style)\w+\(|tabulate\(|\.to_string\(")
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    showing = [cell for cell in cells if shows.search(cell.source)]
    assert len(showing) >= 6
    for cell in showing:
        assert "data.mark(" in cell.source, cell.id


# --- pictures ---------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_growth_shows_every_animal_and_the_means():
    rings = np.repeat([5, 6, 20], [12, 15, 3])
    lengths = rings * 10.0
    ax = plots.growth(lengths, rings, ["I"] * 12 + ["F"] * 15 + ["M"] * 3, "Growth")
    assert len(ax.collections[0].get_offsets()) == 30
    means = ax.lines[0].get_xydata().tolist()
    assert means == [[5, 50], [6, 60]]  # 20 rings: too few animals for a mean
    assert ax.get_title() == "Growth"
    assert "mm" in ax.get_ylabel()


def test_roc_marks_the_default_threshold():
    labels, probabilities = [0, 0, 1, 1, 1], [0.2, 0.6, 0.4, 0.5, 0.9]
    ax = plots.roc({"model": (labels, probabilities)}, "ROC")
    _, point, _ = ax.lines
    assert point.get_xydata().tolist() == [[0.5, pytest.approx(2 / 3)]]
    assert "AUC 0.667" in ax.get_legend_handles_labels()[1][0]


def test_loss_and_score_draws_both_parts():
    names = ("train loss", "validation loss", "train score", "validation score")
    curves = pd.DataFrame({name: [i, i + 1.0] for i, name in enumerate(names)})
    axes = plots.loss_and_score(curves, "Curves", "loss [nats]", "accuracy", percent=True)
    drawn = [line.get_ydata().tolist() for ax in axes for line in ax.lines]
    assert drawn == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert axes[0].figure.get_suptitle() == "Curves"


def test_curves_with_spread_draws_mean_and_band():
    ax = plots.curves_with_spread({"none": [[1.0, 2.0], [3.0, 6.0]]}, "Runs", "loss")
    assert ax.lines[0].get_ydata().tolist() == [2, 4]
    assert len(ax.collections) == 1


def test_effects_greys_out_what_could_be_zero():
    ax = plots.effects({"clear": (0.4, 0.1), "open": (0.1, 0.2)}, "Effects", "difference")
    clear, open_ = (container.lines[0] for container in ax.containers)
    assert open_.get_color() == "grey"
    assert clear.get_color() != "grey"
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["clear", "open"]


def test_predictions_and_residuals():
    truth, predicted = np.arange(1, 31) % 3 + 5.0, np.full(30, 6.0)
    axes = plots.predicted_against_true(truth, {"a": predicted, "b": truth}, "Predictions")
    assert [ax.get_title() for ax in axes] == ["a", "b"]
    left, right = plots.residuals(truth, predicted, "Residuals")
    assert left.lines[0].get_xydata().tolist() == [[5, -1], [6, 0], [7, 1]]
    assert right.lines[0].get_xydata().tolist() == [[6, 0]]
