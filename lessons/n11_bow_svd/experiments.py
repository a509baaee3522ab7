"""The trainings, the comparison and the leaks of notebook 11."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from helpers import datasets, models, training


def accuracy(probabilities: Tensor, targets: Tensor) -> float:
    """Return the share of probabilities on the right side of one half."""
    return ((probabilities > 0.5) == targets).float().mean().item()


def judge(inputs: Any, labels: Any, others: Any, their_labels: Any) -> float:
    """Return the accuracy on others of a logistic regression."""
    return judge_all(inputs, labels, [(others, their_labels)])[0]


def judge_all(inputs: Any, labels: Any, parts: Iterable[tuple]) -> list[float]:
    """Return the accuracy on each part, (inputs, labels), of one logistic regression."""
    fitted = LogisticRegression(C=0.1, max_iter=1_000).fit(inputs, labels)
    return [fitted.score(*part) for part in parts]


def reconstruct(counts: Any, components: np.ndarray, k: int) -> Any:
    """Return the counts, rebuilt from the first k components: the reference of 11.3."""
    return counts @ components[:k].T @ components[:k]


def batches(inputs: Tensor, targets: Tensor, seed: int = 0) -> DataLoader:
    """Return a loader that draws 64 row numbers, and fetches these rows at once."""
    rows = TensorDataset(inputs, targets)
    sampler = RandomSampler(rows, generator=torch.Generator().manual_seed(seed))
    return DataLoader(rows, batch_size=None, sampler=BatchSampler(sampler, 64, drop_last=False))


def make_network(seed: int) -> nn.Module:
    """Return Linear(500, 200), ReLU, Linear(200, 1), sigmoid: probabilities [batch]."""
    torch.manual_seed(seed)
    parts = models.make_mlp(500, [200], 1), nn.Sigmoid(), nn.Flatten(0)
    return nn.Sequential(*parts).to(training.pick_device())


def train_network(
    model: nn.Module,
    train_loader: Iterable,
    validation_loader: Iterable,
    num_epochs: int = 12,
    lr: float = 0.001,
    optimizer: Callable = lambda parts, lr: torch.optim.SGD(parts, lr, momentum=0.9),
    **options: Any,
) -> training.History:
    """Train a model that gives probabilities; it ends with the weights of its best epoch."""
    usual: dict[str, Any] = {"patience": num_epochs, "loss": nn.BCELoss(), "score": accuracy}
    given = (train_loader, optimizer(model.parameters(), lr), num_epochs, validation_loader)
    return training.fit(model, *given, progress=False, **usual | options)


def accuracy_by_k(
    inputs: np.ndarray, labels: np.ndarray, others: np.ndarray, their_labels: np.ndarray
) -> np.ndarray:
    """Return the accuracy on others of least squares on the first k columns, for every k.

    The columns of `inputs` are nearly orthogonal: a column's weight is the same for every k.
    """
    weights = inputs.T @ (2.0 * labels - 1) / np.square(inputs).sum(axis=0)
    sums = np.cumsum(others * weights, axis=1)
    return ((sums > 0) == their_labels[:, None]).mean(axis=0)


def compare(
    seen: csr_matrix, reduced: np.ndarray, labels: np.ndarray, parts: dict, svd: Any, first: Any
) -> list[list]:
    """Train five models; a row each: accuracies on the parts, seconds, megabytes.

    `parts` has counts and labels for "validation", perhaps for "test". Networks have two seeds;
    `first` is the one on the `reduced` counts with seed 0, trained.
    """
    scale, bags = reduced.std(axis=0), _bags(seen, labels)
    seen_in, truth = zip(*parts.values(), strict=True)
    small = [svd.transform(x) for x in seen_in]
    others = [datasets.make_loader(_bags(x, y), sparse=True) for x, y in parts.values()]
    rows_of = [[(torch.tensor(x), torch.tensor(y).float())] for x, y in zip(small, truth)]  # noqa: B905

    def dense(seed: int) -> list[float]:
        model = make_network(seed) if seed else first
        if seed:
            loader = batches(torch.tensor(reduced), torch.tensor(labels).float(), seed)
            train_network(model, loader, rows_of[0])
        return [training.evaluate(model, rows, nn.BCELoss(), accuracy).score for rows in rows_of]

    def sparse(seed: int) -> list[float]:
        training.set_seed(seed)
        model = models.SparseOneHotMLP(seen.shape[1]).to(training.pick_device())
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        loader = datasets.make_loader(bags, shuffle=True, sparse=True)
        training.fit(model, loader, optimizer, 3, others[0], 3, progress=False)
        return [training.evaluate(model, other).accuracy for other in others]

    def linear(inputs: Any, those: Iterable) -> list[float]:
        return judge_all(inputs, labels, zip(those, truth, strict=True))

    trains = {
        "SVD + network": dense,
        "SVD + regression": lambda _: linear(reduced / scale, [x / scale for x in small]),
        "sparse network": sparse,
        "regression": lambda _: linear(seen > 0, [x > 0 for x in seen_in]),
        "regression, counts": lambda _: linear(seen, seen_in),
    }
    stored = sum(array.nbytes for array in (seen.data, seen.indices, seen.indptr))
    inputs = reduced.nbytes, reduced.nbytes, bags.nbytes, stored, stored
    # 500 · 20,000 of them in the components
    numbers = 10_100_401, 10_000_501, 4_000_401, 20_001, 20_001
    rows = []
    for (name, train), nbytes, size in zip(trains.items(), inputs, numbers, strict=True):
        seeds = 2 if "network" in name else 1
        scores = []
        for seed in range(seeds):
            start = time.perf_counter()
            scores.append(train(seed))
        seconds = time.perf_counter() - start  # of the last one
        spread = [f" ± {half:.1%}" if seeds > 1 else "" for half in np.ptp(scores, axis=0) / 2]
        shown = [f"{mean:.1%}{more}" for mean, more in zip(np.mean(scores, axis=0), spread)]  # noqa: B905
        rows.append([name, *shown, seconds, nbytes / 1e6, 4 * size / 1e6])
    return rows


def _bags(counts: csr_matrix, labels: np.ndarray) -> datasets.BagOfWordsDataset:
    """Return the course's Dataset: scikit-learn stores the same arrays, column numbers and ends."""
    ids, ends = torch.tensor(counts.indices).int(), torch.tensor(counts.indptr).int()
    return datasets.BagOfWordsDataset(ids, ends, torch.tensor(labels), counts.shape[1])


def by_svd(drawn: csr_matrix, labels: np.ndarray, seen: int) -> np.ndarray:
    """Return 100 coordinates by an SVD that was fitted on the first `seen` reviews."""
    often = np.argsort(-np.asarray(drawn[:seen].sum(axis=0)).ravel(), kind="stable")[:5_000]
    columns = drawn[:, np.sort(often)]
    inputs = TruncatedSVD(100, n_iter=2, random_state=0).fit(columns[:seen]).transform(columns)
    return inputs / inputs[:500].std(axis=0)


def by_labels(drawn: csr_matrix, labels: np.ndarray, seen: int) -> csr_matrix:
    """Return the 1,000 n-grams that tell the labels of the first `seen` reviews apart best."""
    known = drawn[:, drawn[:seen].getnnz(axis=0) > 0]
    both, positive = (known[:seen][rows].sum(axis=0) for rows in (slice(None), labels[:seen] == 1))
    # chi², but for a factor; scikit-learn's chi2 takes ten times as long, for p-values as well
    scores = np.square(positive - labels[:seen].mean() * both) / both
    return known[:, np.sort(np.argsort(np.ravel(scores), kind="stable")[-1_000:])]


def leak(prepare: Callable, counts: csr_matrix, labels: np.ndarray, seed: int) -> np.ndarray:
    """Return accuracies [clean or leaking, scored or fresh reviews] of one draw.

    500 reviews train a classifier, 500 are scored, 2,000 are fresh. The leaking preparation has
    seen the scored ones as well.
    """
    rows = np.random.default_rng(seed).permutation(len(labels))[:3_000]
    drawn, own, found = counts[rows], labels[rows], []
    drawn = drawn[:, drawn[:1_000].getnnz(axis=0) > 0]
    for seen in (500, 1_000):
        x = prepare(drawn, own, seen)
        parts = slice(500, 1_000), slice(1_000, None)
        found.append(judge_all(x[:500], own[:500], [(x[part], own[part]) for part in parts]))
    return np.array(found)
