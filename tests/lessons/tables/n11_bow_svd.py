"""Notebook 11: answers of unusual form, and mistakes that the data does not cover."""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from torch import nn
from torchmetrics.functional import classification

from lessons.n11_bow_svd import answers, experiments
from tests.lessons.tables import Trap


def words_and_pairs(tokens: list[str]) -> list[str]:
    return tokens + [" ".join(pair) for pair in itertools.pairwise(tokens)]


def in_place(tokens: list[str]) -> list[str]:
    for i in range(len(tokens) - 1):
        tokens.append(tokens[i] + " " + tokens[i + 1])
    return tokens


def too_far(tokens: list[str]) -> list[str]:
    return tokens + [f"{tokens[i]} {tokens[i + 1]}" for i in range(len(tokens))]


class ByHand(answers.Reducer):
    """A reducer whose components come from NumPy, with other signs."""

    def transform(self, texts):
        return -(self.vectorizer.transform(texts).toarray() @ self.svd.components_.T)


class Forgets(answers.Reducer):
    def __init__(self, limit, k):
        self.counter, self.svd = CountVectorizer(), TruncatedSVD(k)


class Sequence(nn.Sequential):
    def __init__(self, num_inputs=500, hidden_size=200):
        layers = nn.Linear(num_inputs, hidden_size), nn.ReLU(), nn.Linear(hidden_size, 1)
        super().__init__(*layers, nn.Sigmoid(), nn.Flatten(0))

    def forward(self, inputs):
        return super().forward(inputs)


class Library:
    """Scores by torchmetrics, of all that was kept."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.kept = []

    def update(self, predicted, targets):
        self.kept.append((predicted, targets))

    def compute(self):
        both = [torch.cat(part) for part in zip(*self.kept, strict=True)]
        names = ("precision", "recall", "f1_score", "accuracy")
        return [getattr(classification, f"binary_{name}")(*both) for name in names]


def stop_words(limit):
    return CountVectorizer(ngram_range=(1, 2), max_features=limit, stop_words="english")


def one_by_one(fitted: Callable) -> Callable:
    """Return a loop over k with a classifier of scikit-learn or NumPy."""

    def smallest_k(x, y, other, theirs, most_loss=0.01):
        scores = [fitted(x[:, :k], y, other[:, :k], theirs) for k in range(1, x.shape[1] + 1)]
        return next(k for k, score in enumerate(scores, 1) if score > scores[-1] - most_loss)

    return smallest_k


def logistic(x, y, other, theirs):
    return LogisticRegression().fit(x, y).score(other, theirs)


def halving(x, y, other, theirs, most_loss=0.01):
    found = experiments.accuracy_by_k(x, y, other, theirs)
    low, high = 1, len(found)
    while low < high:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if found[middle - 1] > found[-1] - most_loss else (middle + 1, high)
        )
    return low


RIGHT = {
    "ex_11_1": [
        (words_and_pairs,),
        (lambda tokens: (*tokens, *map(" ".join, itertools.pairwise(tokens))),),
        (lambda tokens: np.array(words_and_pairs(tokens), dtype=str),),
    ],
    "ex_11_2": [(answers.Reducer,), (ByHand,)],
    "ex_11_3": [
        (lambda counts, components, k: (counts @ components[:k].T) @ components[:k],),
        (lambda counts, components, k: csr_matrix(counts @ components[:k].T @ components[:k]),),
        (lambda x, v, k: torch.tensor(x @ v[:k].T) @ torch.tensor(v[:k]),),
        (lambda x, v, k: x.dot(v[:k].T).dot(v[:k]),),
    ],
    "ex_11_4": [(answers.Net,), (Sequence,)],
    "ex_11_5": [(experiments.train_network,)],
    "ex_11_6": [(answers.RunningScores,), (Library,)],
    "ex_11_7": [("a",), ("A",), ("(a)",)],
    "ex_11_open": [(answers.choosing(),), (one_by_one(logistic),)],
}

OPEN = {
    "ex_11_4": [(answers.net(end=lambda z: None),)],
    "ex_11_6": [(answers.running(compute=lambda self: print(end="")),)],
}


class Mistaken(answers.RunningScores):
    """Counts of a mistaken kind: what both call positive is what both call the same."""

    def update(self, predicted, targets):
        right = int((predicted == targets).sum())
        self.batches.append((right, int(predicted.sum()), int(targets.sum()), right, len(targets)))


class Chained(answers.RunningScores):
    def update(self, predicted, targets):
        self.batches.append(((predicted == 1 & targets == 1).sum(), 1, 1, 1, 1))


class Plain(nn.Module):
    """Layers in a plain list: PyTorch does not know them."""

    def __init__(self, num_inputs=500, hidden_size=200):
        super().__init__()
        self.layers = [nn.Linear(num_inputs, hidden_size), nn.Linear(hidden_size, 1)]

    def forward(self, inputs):
        return torch.sigmoid(self.layers[1](torch.relu(self.layers[0](inputs)))).squeeze(1)


def scored(score):
    return answers.fitting(score=score)


TRAPS = [
    Trap("ex_11_1", (in_place,), "changes `tokens` in place"),
    Trap("ex_11_1", (too_far,), "Which word has no right neighbour"),
    Trap("ex_11_1", (" ".join,), "a list is wanted"),
    Trap("ex_11_2", (Forgets,), "Keep the CountVectorizer as self.vectorizer"),
    Trap(
        "ex_11_2",
        (answers.reducer(transform=lambda s, x: s.svd.transform(s.vectorizer.fit_transform(x))),),
        "other columns",
    ),
    Trap("ex_11_2", (answers.reducer(transform=lambda s, x: s.svd.transform(x)),), "not texts"),
    Trap("ex_11_3", (lambda x, v, k: x @ v @ v.T,), "must be transposed"),
    Trap("ex_11_3", (lambda x, v, k: x[[0]] @ v[:k].T @ v[:k],), "shape [5, 6]"),
    Trap("ex_11_3", (lambda x, v, k: np.linalg.norm(x),), "your code stopped"),
    Trap("ex_11_1", (lambda tokens: (tokens, answers.OTHERS),), "not every element is a string"),
    Trap("ex_11_2", (answers.reducer(stop_words),), "not the n-grams that words, pairs"),
    Trap("ex_11_4", (Plain,), "none in a plain list"),
    Trap("ex_11_4", (lambda n=500, h=200: answers.Net(),), "other numbers than the defaults"),
    Trap("ex_11_4", (lambda n, h: answers.Net(n, h),), "ReviewNet() and"),
    Trap(
        "ex_11_5", (scored(lambda p, t: (p == t).float().mean().item()),), "the scores should not"
    ),
    Trap("ex_11_5", (scored(lambda p, t: ((p > 0.5) == t).sum().item()),), "the scores should not"),
    Trap("ex_11_5", (answers.fitting(loss=nn.BCELoss),), "with brackets"),
    Trap("ex_11_5", (lambda m, *a: experiments.train_network(m, *a) and m,), "History is returned"),
    Trap("ex_11_5", (lambda *a: answers.fitting(patience=a[3] - 1)(*a),), "for one epoch"),
    Trap("ex_11_6", (Mistaken,), "the recall of one batch should not be 1 for"),
    Trap("ex_11_6", (Chained,), "each comparison needs brackets"),
    Trap("ex_11_6", (answers.running(compute=lambda self: {"f1": 1.0}),), "a dict with the keys"),
    Trap("ex_11_6", (answers.spoilt(divide=lambda a, b: a / b if b else 1.0),), "should not be 1"),
    Trap("ex_11_6", (lambda: answers.RunningScores,), "ended in TypeError"),
    Trap("ex_11_7", ("everything",), "one letter"),
    Trap("ex_11_open", (halving,), "it may fall and recover"),
]
