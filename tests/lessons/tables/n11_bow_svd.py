"""Notebook 09: answers and mistakes."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn import metrics
from sklearn.decomposition import TruncatedSVD
from torchmetrics.functional import classification

from helpers import training
from tests.lessons.tables import Trap

SIZE = 500 * 1_290_428
OTHER_SVD = TruncatedSVD(2, random_state=0).fit(np.eye(5))


def pairs(tokens: list[str]) -> list[str]:
    return [" ".join(pair) for pair in itertools.pairwise(tokens)]


def words_and_pairs(tokens: list[str]) -> list[str]:
    return tokens + pairs(tokens)


def in_place(tokens: list[str]) -> list[str]:
    for i in range(len(tokens) - 1):
        tokens.append(tokens[i] + " " + tokens[i + 1])
    return tokens


def interleaved(tokens: list[str]) -> list[str]:
    return [ngram for i in range(len(tokens)) for ngram in (tokens[i], *pairs(tokens[i : i + 2]))]


def circular(tokens: list[str]) -> list[str]:
    return tokens + [f"{tokens[i - 1]} {token}" for i, token in enumerate(tokens)]


def too_far(tokens: list[str]) -> list[str]:
    return tokens + [f"{tokens[i]} {tokens[i + 1]}" for i in range(len(tokens))]


def from_the_first(tokens: list[str]) -> list[str]:
    return words_and_pairs(tokens) if tokens[0] else []


def joined(blank: str) -> Callable:
    return lambda tokens: tokens + [blank.join(pair) for pair in itertools.pairwise(tokens)]


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
    order: tuple = (0, 1, 2, 3),
) -> tuple:
    """Answer 9.6, with places to spoil it."""
    both, called, true = counts_of(predicted, targets)
    precision, recall = divide(both, called), divide(both, true)
    answer = precision, recall, f1(precision, recall), accuracy(predicted, targets)
    return tuple(answer[i] for i in order)


def spoilt(**options: Any) -> Callable:
    return lambda predicted, targets: scores(predicted, targets, **options)


def by_torchmetrics(predicted: torch.Tensor, targets: torch.Tensor) -> list[torch.Tensor]:
    names = ("precision", "recall", "f1_score", "accuracy")
    return [getattr(classification, f"binary_{name}")(predicted, targets) for name in names]


def by_sklearn(predicted: torch.Tensor, targets: torch.Tensor) -> np.ndarray:
    found = metrics.precision_recall_fscore_support(
        targets, predicted, average="binary", zero_division=0
    )
    return np.array([*found[:3], metrics.accuracy_score(targets, predicted)])


def components_for(ratios: np.ndarray, share: float) -> int:
    return int(np.argmax(np.cumsum(ratios) >= share)) + 1


def one_by_one(ratios: np.ndarray, share: float) -> int:
    total = 0
    for count, ratio in enumerate(ratios, start=1):
        total += ratio
        if total >= share:
            return count
    return len(ratios)


RIGHT = {
    "ex_11_1": [
        (words_and_pairs,),
        (in_place,),
        (lambda tokens: (*tokens, *map(" ".join, itertools.pairwise(tokens))),),
        (lambda tokens: np.array(words_and_pairs(tokens), dtype=str),),
    ],
    "ex_11_2": [(5.16,), (5,), (SIZE * 8 / 1e9,), (SIZE * 8 / 2**30,), (np.float64(5.2),)],
    "ex_11_3": [
        (lambda counts, components: counts @ components.T,),
        (lambda counts, components: (components @ counts.T).T,),
        (lambda counts, components: counts.dot(components.transpose()),),
        (lambda counts, components: csr_matrix(counts @ components.T),),
        (lambda counts, components: torch.tensor(counts @ components.T),),
    ],
    "ex_11_4": [
        (components_for,),
        (one_by_one,),
        (lambda ratios, share: (np.cumsum(ratios) < share).sum() + 1,),
        (lambda ratios, share: np.searchsorted(np.cumsum(ratios), share) + 1,),
        (lambda ratios, share: torch.tensor(float(components_for(ratios, share))),),
    ],
    "ex_11_5": [(100_401,), (100_401.0,), (np.int64(100_401),), (torch.tensor(100_401),)],
    "ex_11_6": [
        (scores,),
        (by_torchmetrics,),
        (by_sklearn,),
        (lambda p, t: torch.tensor(scores(p, t)).to(training.pick_device()),),
    ],
    "ex_11_7": [("d",)],
    "ex_11_8": [("a",), ("A",)],
    "ex_11_9": [("b",)],
}

TRAPS = [
    Trap("ex_11_1", (pairs,), "pairs alone"),
    Trap("ex_11_1", (lambda t: t + list(itertools.pairwise(t)),), "one string"),
    Trap("ex_11_1", (circular,), "no right neighbour"),
    Trap("ex_11_1", (too_far,), "Which word has no right neighbour"),
    Trap("ex_11_1", (from_the_first,), "for [] your code stops"),
    Trap(
        "ex_11_1",
        (lambda t: t + list(map(" ".join, itertools.combinations(t, 2))),),
        "no neighbours",
    ),
    Trap(
        "ex_11_1",
        (lambda t: t + [" ".join(pair) for pair in zip(t, t[2:], strict=False)],),
        "no neighbours",
    ),
    Trap("ex_11_1", (joined("_"),), "separated by a blank"),
    Trap("ex_11_1", (joined(""),), "separated by a blank"),
    Trap(
        "ex_11_1", (lambda t: t + [f"{b} {a}" for a, b in itertools.pairwise(t)],), "order of the"
    ),
    Trap("ex_11_1", (interleaved,), "another order"),
    Trap("ex_11_1", (lambda t: pairs(t) + t,), "another order"),
    Trap("ex_11_1", (lambda t: list(dict.fromkeys(words_and_pairs(t))),), "appear twice"),
    Trap("ex_11_1", (lambda t: sorted(set(words_and_pairs(t))),), "appear twice"),
    Trap("ex_11_1", (lambda t: [*words_and_pairs(t), " ".join(t[:3])],), "three words"),
    Trap("ex_11_1", (lambda t: t,), "1-grams and 5 2-grams"),
    Trap("ex_11_1", (lambda t: words_and_pairs(t) + t * (len(t) == 1),), "single word"),
    Trap("ex_11_1", (by_index,), "empty text"),
    Trap("ex_11_1", (" ".join,), "list of strings"),
    Trap("ex_11_1", (lambda t: map(" ".join, itertools.pairwise(t)),), "list of strings"),
    Trap("ex_11_2", (SIZE * 4 / 1e9,), "float32"),
    Trap("ex_11_2", (SIZE * 64 / 1e9,), "bits"),
    Trap("ex_11_2", (SIZE / 1e9,), "bits"),
    Trap("ex_11_2", (20_000 * 1_290_428 * 8 / 1e9,), "matrix of counts itself"),
    Trap("ex_11_2", (500 * 20_000 * 8 / 1e9,), "before any are dropped"),
    Trap("ex_11_2", (SIZE * 8 / 1e6,), "megabytes"),
    Trap("ex_11_2", (SIZE * 8,), "megabytes"),
    Trap("ex_11_2", (7.0,), "multiply"),
    Trap("ex_11_2", ("5.16 GB",), "single number"),
    Trap("ex_11_3", (lambda x, v: v @ x.T,), "one row a review"),
    Trap("ex_11_3", (lambda x, v: x @ v,), "must be transposed"),
    Trap("ex_11_3", (lambda x, v: OTHER_SVD.transform(x),), "decomposition made elsewhere"),
    Trap("ex_11_3", (lambda x, v: np.dot(x, v.T),), "do not know sparse"),
    Trap("ex_11_3", (lambda x, v: (x - x.mean(0)) @ v.T,), "mean has been subtracted"),
    Trap("ex_11_3", (lambda x, v: TruncatedSVD(1).fit_transform(x),), "not [reviews, k]"),
    Trap(
        "ex_11_3",
        (lambda x, v: TruncatedSVD(len(v), random_state=0).fit_transform(x),),
        "of its own was fitted",
    ),
    Trap(
        "ex_11_3",
        (lambda x, v: (x @ v.T) / np.linalg.norm(x @ v.T, axis=1, keepdims=True),),
        "divided by their length",
    ),
    Trap("ex_11_3", (lambda x, v: 2 * (x @ v.T),), "scalar product"),
    Trap("ex_11_4", (lambda r, share: int(np.argmax(np.cumsum(r) >= share)),), "counts from 0"),
    Trap("ex_11_4", (lambda r, share: (np.cumsum(r) < share).sum(),), "counts from 0"),
    Trap("ex_11_4", (lambda r, share: int((np.cumsum(r) <= share).sum()) + 1,), "`at least`"),
    Trap("ex_11_4", (lambda r, share: (np.cumsum(r) >= share).sum(),), "reach the share"),
    Trap("ex_11_4", (lambda r, share: components_for(r, share) + 1,), "one too many"),
    Trap("ex_11_4", (lambda r, share: int((r >= share).sum()),), "adding up"),
    Trap("ex_11_4", (lambda r, share: components_for(r, share / 100),), "adding up"),
    Trap("ex_11_4", (lambda r, share: float(np.cumsum(r)[1]),), "a whole number"),
    Trap("ex_11_4", (lambda r, share: np.cumsum(r),), "single number"),
    Trap("ex_11_4", (lambda r, share: math.nan,), "a whole number"),
    Trap("ex_11_5", (100_200,), "without biases"),
    Trap("ex_11_5", (100_000,), "first layer alone"),
    Trap("ex_11_5", (100_400,), "one layer's biases"),
    Trap("ex_11_5", (100_201,), "one layer's biases"),
    Trap("ex_11_5", (100_900,), "not to its inputs"),
    Trap("ex_11_5", (4_000_401,), "20,000 inputs"),
    Trap("ex_11_5", (100_602,), "no parameters"),
    Trap("ex_11_5", (100_300,), "add up"),
    Trap("ex_11_5", ("a hundred thousand",), "single number"),
    Trap("ex_11_6", (spoilt(order=(1, 0, 2, 3)),), "swapped"),
    Trap("ex_11_6", (spoilt(order=(3, 0, 1, 2)),), "another order"),
    Trap("ex_11_6", (spoilt(divide=lambda a, b: a),), "divide them"),
    Trap("ex_11_6", (spoilt(f1=lambda p, r: (p + r) / 2),), "harmonic"),
    Trap("ex_11_6", (spoilt(f1=lambda p, r: p * r / (p + r)),), "*twice*"),
    Trap("ex_11_6", (spoilt(f1=lambda p, r: p * r),), "2 P R"),
    Trap("ex_11_6", (spoilt(accuracy=lambda p, t: counts_of(p, t)[0] / len(p)),), "negative"),
    Trap("ex_11_6", (spoilt(accuracy=lambda p, t: (p == t).sum()),), "between 0 and 1"),
    Trap("ex_11_6", (spoilt(accuracy=lambda p, t: 0.5),), "share of right predictions"),
    Trap("ex_11_6", (spoilt(divide=lambda a, b: a / 10),), "of those called positive"),
    Trap("ex_11_6", (spoilt(divide=lambda a, b: a / b),), "divides by zero"),
    Trap("ex_11_6", (spoilt(divide=lambda a, b: a / b if b else math.nan),), "become nan"),
    Trap("ex_11_6", (spoilt(divide=lambda a, b: torch.tensor(a) / b),), "become nan"),
    Trap("ex_11_6", (spoilt(divide=lambda a, b: a / b if b else 1.0),), "the scores are not"),
    Trap("ex_11_6", (lambda p, t: scores(p, t)[:3],), "four numbers"),
    Trap("ex_11_6", (lambda p, t: (p == t).float().mean(),), "four numbers"),
    Trap("ex_11_7", ("a",), "forty"),
    Trap("ex_11_7", ("b",), "the same in both"),
    Trap("ex_11_7", ("c",), "compute()"),
    Trap("ex_11_8", ("b",), "without labels"),
    Trap("ex_11_8", ("c",), "no leak at all"),
    Trap("ex_11_8", ("d",), "nothing leaks"),
    Trap("ex_11_9", ("a",), "compare the accuracies"),
    Trap("ex_11_9", ("c",), "megabytes"),
    Trap("ex_11_9", ("d",), "seconds of the SVD"),
    Trap("ex_11_9", ("everything",), "one letter"),
]

SECRETS = {
    "ex_11_1": ("pairwise", "zip(", "[i + 1]", "[1:]"),
    "ex_11_2": ("5.1", "5.2", "8 bytes", "4.8"),
    "ex_11_3": ("components.T", "@", ".dot"),
    "ex_11_4": ("cumsum", ".sum()", "+ 1", "searchsorted"),
    "ex_11_5": ("100401", "100,401", "100_401", "500 · 200"),
    "ex_11_6": ("both / ", "3/5", "0.6,", "0.75", "0.7,"),
    "ex_11_7": ("no positive", "F1 is 0", "sorted"),
    "ex_11_8": ("1,000", "and their labels", "apart"),
    "ex_11_9": ("neighbours", "dense", "short"),
}
