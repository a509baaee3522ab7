"""Notebook 09: its checks refuse each trap with words that help, and its picture is right."""

import itertools
from collections.abc import Callable

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from sklearn.decomposition import TruncatedSVD
from torchmetrics.functional import classification

from helpers import checks, plots

matplotlib.use("Agg")

SIZE = 500 * 1_290_428


def pairs(tokens: list[str]) -> list[str]:
    return [" ".join(pair) for pair in itertools.pairwise(tokens)]


def words_and_pairs(tokens: list[str]) -> list[str]:
    return tokens + pairs(tokens)


def interleaved(tokens: list[str]) -> list[str]:
    return [ngram for i in range(len(tokens)) for ngram in (tokens[i], *pairs(tokens[i : i + 2]))]


def circular(tokens: list[str]) -> list[str]:
    return tokens + [f"{tokens[i - 1]} {token}" for i, token in enumerate(tokens)]


def by_index(tokens: list[str]) -> list[str]:
    """Fail on nothing but an empty text, where it finds a pair of nothing."""
    return words_and_pairs(tokens) if tokens else [""]


def counts_of(predicted: torch.Tensor, targets: torch.Tensor) -> tuple[int, int, int]:
    both = ((predicted == 1) & (targets == 1)).sum().item()
    return both, (predicted == 1).sum().item(), (targets == 1).sum().item()


def scores(
    predicted: torch.Tensor,
    targets: torch.Tensor,
    divide: Callable = lambda a, b: a / b if b else 0.0,
    f1: Callable = lambda p, r: 2 * p * r / (p + r) if p + r else 0.0,
    accuracy: Callable = lambda p, t: (p == t).float().mean().item(),
    swap: bool = False,
) -> tuple:
    """Answer 9.6, with places to spoil it."""
    both, called, true = counts_of(predicted, targets)
    precision, recall = divide(both, called), divide(both, true)
    if swap:
        precision, recall = recall, precision
    return precision, recall, f1(precision, recall), accuracy(predicted, targets)


def spoilt(**options) -> Callable:
    return lambda predicted, targets: scores(predicted, targets, **options)


def components_for(ratios: np.ndarray, share: float) -> int:
    return int(np.argmax(np.cumsum(ratios) >= share)) + 1


RIGHT = [
    (checks.ex_9_1, (words_and_pairs,)),
    (checks.ex_9_2, (5.16,)),
    (checks.ex_9_2, (SIZE * 8 / 1e9,)),
    (checks.ex_9_2, (SIZE * 8 / 2**30,)),
    (checks.ex_9_3, (lambda counts, components: counts @ components.T,)),
    (checks.ex_9_4, (components_for,)),
    (checks.ex_9_5, (100_401,)),
    (checks.ex_9_6, (scores,)),
    (checks.ex_9_7, ("d",)),
    (checks.ex_9_8, ("a",)),
    (checks.ex_9_9, ("b",)),
]

OPEN = [
    (checks.ex_9_1, (lambda tokens: None,)),
    (checks.ex_9_2, (None,)),
    (checks.ex_9_3, (lambda counts, components: ...,)),
    (checks.ex_9_4, (lambda ratios, share: None,)),
    (checks.ex_9_5, (...,)),
    (checks.ex_9_6, (lambda predicted, targets: None,)),
    (checks.ex_9_7, (None,)),
    (checks.ex_9_8, (None,)),
    (checks.ex_9_9, (None,)),
]

WRONG = [
    (checks.ex_9_1, (pairs,), "pairs alone"),
    (checks.ex_9_1, (lambda t: t + list(itertools.pairwise(t)),), "one string"),
    (checks.ex_9_1, (circular,), "no right neighbour"),
    (checks.ex_9_1, (lambda t: t + list(map(" ".join, itertools.combinations(t, 2))),), "no neig"),
    (checks.ex_9_1, (interleaved,), "another order"),
    (checks.ex_9_1, (lambda t: list(dict.fromkeys(words_and_pairs(t))),), "appear twice"),
    (checks.ex_9_1, (lambda t: [*words_and_pairs(t), " ".join(t[:3])],), "three words"),
    (checks.ex_9_1, (lambda t: t,), "1-grams and 5 2-grams"),
    (checks.ex_9_1, (lambda t: words_and_pairs(t) + t * (len(t) == 1),), "single word"),
    (checks.ex_9_1, (by_index,), "empty text"),
    (checks.ex_9_1, (" ".join,), "list of strings"),
    (checks.ex_9_2, (SIZE * 4 / 1e9,), "float32"),
    (checks.ex_9_2, (SIZE * 64 / 1e9,), "bits"),
    (checks.ex_9_2, (SIZE / 1e9,), "bits"),
    (checks.ex_9_2, (20_000 * 1_290_428 * 8 / 1e9,), "matrix of counts itself"),
    (checks.ex_9_2, (SIZE * 8 / 1e6,), "megabytes"),
    (checks.ex_9_2, (7.0,), "multiply"),
    (checks.ex_9_3, (lambda x, v: v @ x.T,), "one row a review"),
    (checks.ex_9_3, (lambda x, v: x @ v,), "must be transposed"),
    (checks.ex_9_3, (lambda x, v: (x - x.mean(0)) @ v.T,), "mean has been subtracted"),
    (checks.ex_9_3, (lambda x, v: TruncatedSVD(1).fit_transform(x),), "not [reviews, k]"),
    (
        checks.ex_9_3,
        (lambda x, v: (x @ v.T) / np.linalg.norm(x @ v.T, axis=1, keepdims=True),),
        "divided by their length",
    ),
    (checks.ex_9_3, (lambda x, v: 2 * (x @ v.T),), "scalar product"),
    (checks.ex_9_4, (lambda r, share: int(np.argmax(np.cumsum(r) >= share)),), "counts from 0"),
    (checks.ex_9_4, (lambda r, share: int((np.cumsum(r) <= share).sum()) + 1,), "`at least`"),
    (checks.ex_9_4, (lambda r, share: components_for(r, share) + 1,), "one too many"),
    (checks.ex_9_4, (lambda r, share: int((r >= share).sum()),), "adding up"),
    (checks.ex_9_4, (lambda r, share: components_for(r, share / 100),), "counts from 0"),
    (checks.ex_9_4, (lambda r, share: float(np.cumsum(r)[1]),), "one number: how many"),
    (checks.ex_9_4, (lambda r, share: np.cumsum(r),), "one number: how many"),
    (checks.ex_9_5, (100_200,), "biases are missing"),
    (checks.ex_9_5, (100_400,), "one layer's biases"),
    (checks.ex_9_5, (4_000_401,), "20,000 inputs"),
    (checks.ex_9_5, (100_602,), "no parameters"),
    (checks.ex_9_5, (100_000,), "add up"),
    (checks.ex_9_6, (spoilt(swap=True),), "swapped"),
    (checks.ex_9_6, (spoilt(divide=lambda a, b: a),), "divide them"),
    (checks.ex_9_6, (spoilt(f1=lambda p, r: (p + r) / 2),), "harmonic"),
    (checks.ex_9_6, (spoilt(f1=lambda p, r: p * r / (p + r)),), "*twice*"),
    (checks.ex_9_6, (spoilt(f1=lambda p, r: p * r),), "2 P R"),
    (checks.ex_9_6, (spoilt(accuracy=lambda p, t: counts_of(p, t)[0] / len(p)),), "negative"),
    (checks.ex_9_6, (spoilt(accuracy=lambda p, t: 0.5),), "share of right predictions"),
    (checks.ex_9_6, (spoilt(divide=lambda a, b: a / b),), "divides by zero"),
    (checks.ex_9_6, (spoilt(divide=lambda a, b: a / b if b else float("nan")),), "become nan"),
    (checks.ex_9_6, (spoilt(divide=lambda a, b: a / b if b else 1.0),), "the scores are not"),
    (checks.ex_9_6, (lambda p, t: scores(p, t)[:3],), "four numbers"),
    (checks.ex_9_7, ("a",), "forty"),
    (checks.ex_9_7, ("b",), "the same in both"),
    (checks.ex_9_7, ("c",), "compute()"),
    (checks.ex_9_8, ("b",), "without labels"),
    (checks.ex_9_8, ("c",), "no leak at all"),
    (checks.ex_9_8, ("d",), "nothing leaks"),
    (checks.ex_9_9, ("a",), "compare the accuracies"),
    (checks.ex_9_9, ("c",), "megabytes"),
    (checks.ex_9_9, ("d",), "seconds of the SVD"),
    (checks.ex_9_9, ("everything",), "one letter"),
]


@pytest.mark.parametrize(("check", "answers"), RIGHT)
def test_right_answer_passes(check, answers, capsys):
    check(*answers)
    assert capsys.readouterr().out.startswith("✓ 9.")


@pytest.mark.parametrize(("check", "answers"), OPEN)
def test_unanswered_stays_open(check, answers, capsys, monkeypatch):
    check(*answers)
    assert capsys.readouterr().out.startswith("… 9.")
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(checks.Open):
        check(*answers)


@pytest.mark.parametrize(("check", "answers", "words"), WRONG)
def test_trap_is_named(check, answers, words, capsys, monkeypatch):
    check(*answers)
    line = capsys.readouterr().out
    assert line.startswith("✗ 9.")
    assert words in line
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(checks.Wrong):
        check(*answers)


@pytest.mark.parametrize("seed", range(3))
def test_the_right_scores_equal_torchmetrics(seed):
    """The reference of 9.6 is itself held against an independent implementation."""
    generator = torch.Generator().manual_seed(seed)
    predicted, targets = torch.randint(0, 2, (2, 50), generator=generator)
    names = ("precision", "recall", "f1_score", "accuracy")
    expected = [getattr(classification, f"binary_{name}")(predicted, targets) for name in names]
    assert scores(predicted, targets) == pytest.approx([value.item() for value in expected])


def test_explained_variance_adds_up_from_the_first_component():
    ax = plots.explained_variance([0.5, 0.25, 0.125], "title", {1: 0.6, 3: 0.8}, "accuracy")
    variance, accuracy = ax.lines
    assert list(variance.get_xdata()) == [1, 2, 3]
    assert list(variance.get_ydata()) == [0.5, 0.75, 0.875]
    assert list(accuracy.get_xdata()) == [1, 3]
    assert list(accuracy.get_ydata()) == [0.6, 0.8]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["explained variance", "accuracy"]
    assert ax.get_xscale() == "log"
    plt.close(ax.figure)
