"""Notebook 09: answers and mistakes."""

import itertools
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
    Trap("ex_11_1", (too_far,), "Which word has no right neighbour"),
    Trap("ex_11_1", (from_the_first,), "Which word has no right neighbour"),
    Trap("ex_11_1", (circular,), "no neighbours"),
    Trap("ex_11_1", (interleaved,), "another order"),
    Trap("ex_11_1", (joined(""),), "separated by a space"),
    Trap("ex_11_1", (by_index,), "for tokens = []"),
    Trap("ex_11_1", (" ".join,), "no neighbours"),
    Trap("ex_11_2", (7.0,), "Multiply"),
    Trap("ex_11_2", ("5.16 GB",), "a single number is wanted"),
    Trap("ex_11_3", (lambda x, v: x @ v,), "must be transposed"),
    Trap("ex_11_3", (lambda x, v: OTHER_SVD.transform(x),), "decomposition made elsewhere"),
    Trap("ex_11_3", (lambda x, v: TruncatedSVD(1).fit_transform(x),), "shape [4, 3]"),
    Trap(
        "ex_11_3",
        (lambda x, v: TruncatedSVD(len(v), random_state=0).fit_transform(x),),
        "of its own was fitted",
    ),
    Trap("ex_11_4", (lambda r, share: components_for(r, share / 100),), "adding up"),
    Trap("ex_11_4", (lambda r, share: np.cumsum(r),), "a single number is wanted"),
    Trap("ex_11_5", (100_300,), "Add up"),
    Trap("ex_11_5", ("a hundred thousand",), "a single number is wanted"),
    Trap("ex_11_6", (spoilt(divide=lambda a, b: a / 10),), "value 1 of 4"),
    Trap("ex_11_6", (spoilt(divide=lambda a, b: a / b),), "return 0 there"),
    Trap("ex_11_6", (lambda p, t: scores(p, t)[:3],), "a tuple of 4 values"),
    Trap("ex_11_6", (lambda p, t: (p == t).float().mean(),), "a tuple of 4 values"),
    Trap("ex_11_9", ("everything",), "one letter"),
]
