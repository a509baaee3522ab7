"""The experiments of notebook 03: what is trained, measured and timed there."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from timeit import timeit
from typing import NamedTuple

import numpy as np
import torch
from tabulate import tabulate
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector
from torch.utils.data import DataLoader

from helpers import corpus, datasets, models, training
from helpers.datasets import BagOfWordsDataset
from helpers.text import Vocabulary

VOCAB_SIZE = 20_001  # of the course's vocabulary, the unknown token included


class Run(NamedTuple):
    """A training, as `train` leaves it."""

    model: models.SparseOneHotMLP
    losses: np.ndarray  # [epochs, batches]: of each batch, in nats, taken before its update


def train(
    loader: Iterable, seed: int, num_epochs: int = 5, lr: float = 0.1, vocab_size: int = VOCAB_SIZE
) -> Run:
    """Train a fresh network by SGD on ``(bags, labels)``; keep the loss of every batch.

    `seed` is that of the first weights. All epochs must have the same number of batches.
    """
    training.set_seed(seed)
    device = training.pick_device()
    model = models.SparseOneHotMLP(vocab_size).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(num_epochs):
        for bags, labels in loader:
            loss = training.classification_loss(model(bags.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    return Run(model, torch.stack(losses).cpu().numpy().reshape(num_epochs, -1))


def describe(model: nn.Module, data: BagOfWordsDataset) -> str:
    """Say how many reviews of `data` a model judges rightly, and how many it calls positive."""
    with torch.no_grad():
        positive = (model(data.bags()) > 0).float().mean().item()
    return f"validation accuracy {accuracy(model, data):.1%}; {positive:.0%} are called positive"


def train_with(data: BagOfWordsDataset, batch_size: int, lr: float, seed: int = 0) -> Run:
    """Train on shuffled batches of `batch_size`; see `train`."""
    order = torch.Generator().manual_seed(seed)
    loader = datasets.make_loader(data, batch_size, shuffle=True, sparse=True, generator=order)
    return train(loader, seed, lr=lr)


def train_in(data: BagOfWordsDataset, batches: Iterable[list[int]], seed: int) -> Run:
    """Train on the batches that a batch sampler gives; see `train`."""
    collate: Callable = datasets.bag_batch
    return train(DataLoader(data, batch_sampler=batches, collate_fn=collate), seed)


def accuracy(model: nn.Module, data: BagOfWordsDataset) -> float:
    """Return the share of the reviews in `data` that `model` judges rightly."""
    return training.evaluate(model, datasets.make_loader(data, 1_000, sparse=True)).accuracy


def compare(runs: Mapping[str, Sequence[Run]], data: BagOfWordsDataset) -> None:
    """Print the accuracies of two ways to train, seed by seed, and how far they are apart."""
    scores = {name: [100 * accuracy(run.model, data) for run in way] for name, way in runs.items()}
    first, second = scores.values()
    headers = ["validation accuracy, %", *(f"seed {seed}" for seed in range(len(first)))]
    print(tabulate([[name, *row] for name, row in scores.items()], headers, floatfmt=".1f"))
    mean, half = training.paired_interval(second, first)
    way = " minus ".join(reversed(scores))
    print(f"{way}: {mean:+.1f} ± {half:.1f} points (95 %, {len(first)} pairs)")


def count_equal(one: Iterable, other: Iterable, most: int) -> int:
    """Return how many of the first `most` batches of two loaders are the same."""
    pairs = islice(zip(one, other, strict=False), most)
    return sum(all(torch.equal(a, b) for a, b in zip(*pair, strict=True)) for pair in pairs)


def gradient_cosines(
    data: BagOfWordsDataset, pick: Callable[[int], Sequence[int]], sizes: Sequence[int], draws: int
) -> dict[int, list[float]]:
    """Compare the gradients of batches with the gradient of all data, for an untrained network.

    Of each size, `draws` batches are drawn: ``pick(size)`` gives the indices of one. Returned
    are the cosines between both gradients, by size.
    """
    training.set_seed(0)
    model = models.SparseOneHotMLP(data.vocab_size, sparse_grad=False).to(data.ids.device)
    full = _gradient(model, data)

    def cosine(indices: Sequence[int]) -> float:
        part = _gradient(model, data.select(torch.as_tensor(indices)))
        return torch.cosine_similarity(part, full, dim=0).item()

    return {size: [cosine(pick(size)) for _ in range(draws)] for size in sizes}


def _gradient(model: nn.Module, data: BagOfWordsDataset) -> Tensor:
    loss = training.classification_loss(model(data.bags()), data.labels)
    return parameters_to_vector(torch.autograd.grad(loss, tuple(model.parameters())))


def encode_batch(vocabulary: Vocabulary, pairs: list[tuple[str, int]]) -> tuple:
    """Collate (text, label) pairs: tokenise and encode them when the batch is asked for."""
    reviews = corpus.Reviews(*zip(*pairs, strict=True))
    return datasets.bag_batch(datasets.encode(reviews, vocabulary))


def seconds_to_iterate(
    reviews: corpus.Reviews, vocabulary: Vocabulary, workers: Sequence[int] = (0, 2)
) -> list[list]:
    """Time how long the batches of an epoch take to make, without training.

    Returns a row for each form of the reviews: its name, and the seconds for each of `workers`.
    """
    data = datasets.encode(reviews, vocabulary)
    ways: dict[str, tuple] = {
        "texts, tokenised for each batch": (reviews, partial(encode_batch, vocabulary)),
        "ids in memory, made multi-hot": (data, datasets.dense_batch),
        "ids in memory": (data, datasets.bag_batch),
    }
    rows: list[list] = []
    for name, (samples, collate) in ways.items():
        rows.append([name])
        for count in workers:
            loader = DataLoader(samples, 128, collate_fn=collate, num_workers=count)
            rows[-1].append(timeit(lambda: deque(loader, maxlen=0), number=1))  # noqa: B023
    return rows
