"""References, hand-made worlds and wrong answers for the exercises of notebook 11."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix, issparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from torch import Tensor, nn

from helpers import training
from lessons.comparing import sequence
from lessons.n11_bow_svd import experiments

TEXTS = (
    "a good film and a good plot",
    "not a good film but a good song",
    "bad film bad plot bad song",
    "the plot was bad and the song was good",
    "good good good film not bad",
)
OTHERS = ("a bad film not a good song", "new words and a good plot", "not bad not bad")


def dense(found: Any) -> Any:
    """Return a sparse result as an array, another as it is."""
    return found.toarray() if issparse(found) else found


# --- 11.2 and 11.3: the reducer, and back again ---------------------------------------------


class Reducer:
    """Counts of n-grams, then a truncated SVD: the reference of 11.2."""

    def __init__(self, limit: int, k: int) -> None:
        self.vectorizer = CountVectorizer(ngram_range=(1, 2), max_features=limit)
        self.svd = TruncatedSVD(k, random_state=0)

    def fit(self, texts: Sequence[str]) -> "Reducer":
        """Learn n-grams and components."""
        self.svd.fit(self.vectorizer.fit_transform(texts))
        return self

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """Return the coordinates [texts, k]."""
        return self.svd.transform(self.vectorizer.transform(texts))


def reducer(count: Callable | None = None, **methods: Any) -> type:
    """Return a reducer with another vectoriser or method."""

    def init(self: Reducer, limit: int, k: int) -> None:
        Reducer.__init__(self, limit, k)
        self.vectorizer = count(limit) if count else self.vectorizer

    return type("Spoiled", (Reducer,), {"__init__": init, **methods})


def learned(made: Any) -> tuple[list[str], np.ndarray]:
    """Return the n-grams of a reducer, and the projection onto its components."""
    names, components = made.vectorizer.get_feature_names_out(), made.svd.components_
    return sorted(names), components.T @ components


def reduced(cls: Callable, texts: tuple, others: tuple, limit: int, k: int) -> Any:
    """Return what a reducer has learned, what it makes of others, and whether it learns there."""
    made = cls(limit, k)
    early = hasattr(made.vectorizer, "vocabulary_") or hasattr(made.svd, "components_")
    itself = made.fit(texts) is made
    names, projection = learned(made)
    found = dense(made.transform(others))
    later, other = learned(made)
    kept = names == later and np.allclose(projection, other, atol=1e-6)
    if found is None:
        return None
    table = np.asarray(found, dtype=float)
    return {
        "early": early,
        "itself": itself,
        "names": names,
        "learned": not kept,
        "shape": list(table.shape),
        "products": table @ table.T,  # the same for every sign of the components
    }


def rebuild_input(rows: int, k: int, sparse: bool) -> Callable[[], tuple]:
    """Return what makes counts [rows, 6], components [4, 6] with orthonormal rows, and k."""

    def make() -> tuple:
        rng = np.random.default_rng(rows)
        components = np.linalg.qr(rng.normal(size=(6, 4)))[0].T
        counts = rng.poisson(1.5, size=(rows, 6)).astype(float)
        return csr_matrix(counts) if sparse else counts, components, k

    return make


# --- 11.4 and 11.5: the network and its training ----------------------------------------------


class Net(nn.Module):
    """Linear, ReLU, Linear, sigmoid: the reference of 11.4, with places to spoil it."""

    bend = staticmethod(torch.relu)
    end = staticmethod(lambda z: torch.sigmoid(z).squeeze(1))

    def __init__(self, num_inputs: int = 500, hidden_size: int = 200) -> None:
        super().__init__()
        self.hidden, self.output = nn.Linear(num_inputs, hidden_size), nn.Linear(hidden_size, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [batch, inputs] to probabilities [batch]."""
        return self.end(self.output(self.bend(self.hidden(inputs))))


def net(**parts: Callable) -> type:
    """Return a network that bends or ends otherwise."""
    return type("Spoiled", (Net,), {name: staticmethod(part) for name, part in parts.items()})


def through(cls: Callable, num_inputs: int, hidden_size: int, batch: int) -> dict | None:
    """Give a network fixed numbers; return the shapes of its parameters, and its output."""
    model = cls(num_inputs, hidden_size)
    generator = torch.Generator().manual_seed(num_inputs)
    with torch.no_grad():
        for part in sorted(model.parameters(), key=lambda part: (-part.ndim, -part.numel())):
            part.copy_(torch.randn(part.shape, generator=generator))
    found = model(torch.randn(batch, num_inputs, generator=generator))
    return (
        found
        if found is None
        else {
            "shapes": sorted(list(part.shape) for part in model.parameters()),
            "usual": sum(part.numel() for part in cls().parameters()),  # by the defaults
            "shape": [*getattr(found, "shape", [None])],
            "output": found,
            "recorded": getattr(found, "requires_grad", False),
        }
    )


def training_input(num_epochs: int, lr: float, seed: int) -> Callable[[], tuple]:
    """Return what makes a model, two loaders that want different things, epochs and rate."""

    def make() -> tuple:
        generator = torch.Generator().manual_seed(seed)
        inputs = torch.randn(48, 3, generator=generator)
        targets = (inputs[:, 0] + inputs[:, 1] > 0).float()
        other = (inputs[:, 0] - 0.5 * inputs[:, 2] > 0).float()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid(), nn.Flatten(0))
        pairs = list(zip(inputs[:32].split(8), targets[:32].split(8), strict=True))
        return model, pairs, [(inputs[32:], other[32:])], num_epochs, lr

    return make


def fitting(**options: Any) -> Callable:
    """Return an answer to 11.5 with something else in it."""
    return functools.partial(experiments.train_network, **options)


def trained(train: Callable, model: nn.Module, *arguments: Any) -> Any:
    """Return losses and scores of each epoch, and the weights in the end."""
    history = train(model, *arguments)
    if not isinstance(history, training.History):
        return history
    seen = [[one.loss for one in history.validation], [one.score for one in history.validation]]
    return (history.train_loss, *seen, [part.detach() for part in model.parameters()])


# --- 11.6: the scores -------------------------------------------------------------------------


def share(a: float, b: float) -> float:
    """Return a / b, and 0 for 0 / 0."""
    return a / b if b else 0.0


def four(
    *counts: float,
    f1: Callable = lambda p, r: share(2 * p * r, p + r),
    divide: Callable = share,
    order: tuple = (0, 1, 2, 3),
) -> tuple:
    """Return precision, recall, F1 and accuracy of five counts, with places to spoil them."""
    both, called, true, right, total = counts
    precision, recall = divide(both, called), divide(both, true)
    answer = precision, recall, f1(precision, recall), share(right, total)
    return tuple(answer[i] for i in order)


class RunningScores:
    """Scores over batches: the reference of 11.6."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.batches: list[tuple] = []

    def update(self, predicted: Tensor, targets: Tensor) -> None:
        """Count a batch: both, called, true, right, total."""
        called, true = predicted == 1, targets == 1
        parts = (called & true, called, true, called == true)
        self.batches.append((*(int(part.sum()) for part in parts), len(targets)))

    def compute(self) -> tuple:
        """Return the scores of all batches."""
        return four(*map(sum, zip(*self.batches, strict=True)))


def running(**methods: Any) -> type:
    """Return scores over batches with another method."""
    return type("Spoiled", (RunningScores,), methods)


def spoilt(**options: Any) -> type:
    """Return scores over batches with something wrong in the last step."""
    return running(compute=lambda self: four(*map(sum, zip(*self.batches)), **options))  # noqa: B905


def computed(cls: Callable, predicted: list, targets: list, more: list, later: list) -> Any:
    """Return the scores of one batch, of all, asked again, and after a reset and other batches."""
    metric, found = cls(), list[Any]()
    for batches in ([(predicted, targets)], more, [], later):
        if batches is later:
            metric.reset()
        for batch in batches:
            metric.update(*map(torch.tensor, batch))
        scores = sequence(returned := metric.compute()) or ()
        if len(scores) != 4:
            return returned
        found += scores
    return tuple(found)


# --- 11.open: the smallest k ------------------------------------------------------------------


def svd_world(train: dict[int, float], validation: dict[int, float], seed: int) -> tuple:
    """Return inputs [1500, 12] and labels of train, then of validation.

    The columns are orthogonal, with falling scales; labels follow those named (from 1), weighted.
    """
    rng, world = np.random.default_rng(seed), []
    for weights in (train, validation):
        columns = np.linalg.qr(rng.normal(size=(1_500, 12)))[0] * 1_500**0.5
        logits = sum(weight * columns[:, number - 1] for number, weight in weights.items())
        labels = (logits + 0.3 * rng.normal(size=1_500) > 0).astype(int)
        world += [columns * np.linspace(12, 1, 12), labels]
    return tuple(world)


def majority() -> tuple:
    """Return inputs [64, 3] of ±1 and labels, twice: with one or two columns 3/4 are right."""
    columns = np.array([*itertools.product((-1.0, 1.0), repeat=3)] * 8)
    return (columns, (columns.sum(axis=1) > 0).astype(int)) * 2


def choosing(
    pick: Callable = lambda good: np.argmax(good) + 1,
    on: Callable = lambda *world: world,
    loss: Callable = lambda most_loss, whole: most_loss,
    enough: Callable = np.greater,
) -> Callable:
    """Return an answer to the open task that picks, compares or judges otherwise."""

    def smallest_k(train_inputs, train_labels, validation_inputs, validation_labels, most_loss):
        world = train_inputs, train_labels, validation_inputs, validation_labels
        found = experiments.accuracy_by_k(*on(*world))
        return int(pick(enough(found, found[-1] - loss(most_loss, found[-1]))))

    return smallest_k
