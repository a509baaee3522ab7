"""What notebook 04 measures with a model, where the code is not the lesson."""

import copy
import math

import matplotlib.pyplot as plt
import torch
from tabulate import tabulate
from torch import Tensor, nn

from helpers import corpus, datasets, plots, training
from helpers.datasets import BagOfWordsDataset, Bags
from helpers.models import OneHotMLP, SparseOneHotMLP, word_contributions
from helpers.text import Vocabulary


@torch.no_grad()
def walk(model: OneHotMLP, x: Tensor) -> dict[str, Tensor]:
    """Return what becomes of a batch x, [batch, vocab], on its way through the model."""
    before = model.hidden(x)
    h = torch.relu(before)
    return {"x": x, "W x + b": before, "h": h, "z": model(x)}


@torch.no_grad()
def compare_thresholds(model: OneHotMLP, inputs: Tensor, labels: Tensor) -> None:
    """Print how many reviews of a batch three decisions call positive, and judge rightly."""
    z = model(inputs)
    decisions = {"probability > 0.5": torch.sigmoid(z) > 0.5, "logit > 0": z > 0}
    for name, decision in {**decisions, "logit > 0.5": z > 0.5}.items():
        right, size = (decision == labels).sum().item(), len(labels)
        print(f"{name:18} {decision.sum():3d} called positive, {right} of {size} right,", end=" ")
        print(f"{right / size:.1%}")


@torch.no_grad()
def read_outs(model: OneHotMLP, vocabulary: Vocabulary) -> dict[str, float]:
    """Return the read-out of every token, the largest first."""
    values, ids = (model.output.weight @ model.hidden.weight)[0].sort(descending=True)
    return dict(zip(vocabulary.decode(ids.tolist()), values.tolist(), strict=True))


def ends(scores: dict[str, float], count: int = 15) -> dict[str, float]:
    """Return the first and the last `count` of them."""
    pairs = list(scores.items())
    return dict(pairs[:count] + pairs[-count:])


@torch.no_grad()
def chances_by_class(model: SparseOneHotMLP, data: BagOfWordsDataset) -> dict[str, list[float]]:
    """Return the probabilities of "positive", for each class of the labels."""
    chances, labels = torch.sigmoid(model(data.bags())).cpu(), data.labels.cpu()
    names = ("negative", "positive")
    return {name: chances[labels == label].tolist() for label, name in enumerate(names)}


@torch.no_grad()
def accuracy_by_batch(model: SparseOneHotMLP, data: BagOfWordsDataset) -> list[float]:
    """Return the accuracy of each full batch of 128 reviews, in a random order of its own."""
    order = torch.Generator().manual_seed(0)
    batches = datasets.make_loader(data, shuffle=True, sparse=True, drop_last=True, generator=order)
    return [training.accuracy_of(model(bags), labels) for bags, labels in batches]


def nearest(weight: Tensor, vocabulary: Vocabulary, word: str, count: int = 5) -> str:
    """Return the words whose columns of `weight`, [hidden, vocab], have the largest cosines."""
    directions = weight / weight.norm(dim=0)
    cosines = directions.T @ directions[:, vocabulary.ids[word]]
    best = cosines.topk(count + 1).indices[1:].tolist()
    pairs = zip(vocabulary.decode(best), cosines[best].tolist(), strict=True)
    return ", ".join(f"{name} {cosine:.2f}" for name, cosine in pairs)


def share_positive(data: BagOfWordsDataset, token: int) -> tuple[int, float]:
    """Return how many reviews hold a token, and which share of them is positive."""
    lengths = data.offsets.diff().cpu()
    labels = data.labels.cpu().repeat_interleave(lengths)  # of the review of each id
    found = labels[data.ids.cpu() == token].float()
    return len(found), found.mean().item()


def with_random_labels(data: BagOfWordsDataset, seed: int = 0) -> BagOfWordsDataset:
    """Return the same reviews with the labels dealt out anew."""
    dealt = copy.copy(data)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    dealt.labels = data.labels[order.to(data.labels.device)]
    return dealt


@torch.no_grad()
def first_direction(before: OneHotMLP, after: OneHotMLP) -> tuple[float, float]:
    """Look at how W has changed.

    Returns
    -------
    share, cosine : float
        The first singular value's share of the sum of squares, and the cosine of its left
        vector with the weights of the output (without sign).
    """
    change = (after.hidden.weight - before.hidden.weight).cpu()
    left, values, _ = torch.linalg.svd(change, full_matrices=False)
    cosine = torch.cosine_similarity(left[:, 0], after.output.weight[0].cpu(), dim=0)
    return (values[0] ** 2 / (values**2).sum()).item(), abs(cosine.item())


class WithoutReLU(SparseOneHotMLP):
    """The same two layers, and nothing between them."""

    def forward(self, bags: Bags) -> Tensor:
        """Map the bags of a batch to logits [batch]."""
        return self.output(self.hidden(bags)).squeeze(1)


def toy_reviews() -> tuple[BagOfWordsDataset, Vocabulary]:
    """Return "good", "not good", "bad" and "not bad", encoded, and their vocabulary."""
    vocabulary = Vocabulary(["good", "bad", "not"])
    reviews = corpus.Reviews(("good", "not good", "bad", "not bad"), (1, 0, 0, 1))
    return datasets.encode(reviews, vocabulary), vocabulary


def train_on_one_batch(model: nn.Module, data: BagOfWordsDataset, steps: int = 1_000) -> None:
    """Train a model on all of a small data set, by SGD with rate 0.5."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    batches = [(data.bags(), data.labels)]
    for _ in range(steps):
        training.train_epoch(model, batches, optimizer)


@torch.no_grad()
def compare(model: OneHotMLP, vocabulary: Vocabulary, review: str) -> None:
    """Print for each word its read-out, its share, and how far the logit falls without it."""
    probability, shares = word_contributions(model, vocabulary, review)
    ids = vocabulary.encode(shares)
    x = torch.zeros(len(ids) + 1, len(vocabulary), device=model.output.weight.device)
    x[:, ids] = 1
    x[range(len(ids)), ids] = 0  # row i lacks word i; the last row is complete
    falls = model(x)[-1] - model(x)[:-1]
    read_outs = (model.output.weight @ model.hidden.weight)[0, ids]
    on = (model.hidden(x[-1]) > 0).float().mean()
    rows = zip(shares, read_outs.tolist(), shares.values(), falls.tolist(), strict=True)
    print(f"{review}: {probability:.1%} positive, {on:.0%} of the units are on")
    print(tabulate(rows, ["word", "read-out", "share", "fall without it"], floatfmt="+.2f"))


def explain(model: OneHotMLP, vocabulary: Vocabulary, review: str) -> None:
    """Draw what each word of a review adds to the logit, and the constant.

    Prints the probability, and which share of the units is on among those with a positive
    weight to the logit, and among those with a negative one.
    """
    probability, shares = word_contributions(model, vocabulary, review)
    constant = math.log(probability / (1 - probability)) - sum(shares.values())
    columns = model.hidden.weight[:, vocabulary.encode(shares)]  # [hidden, words]
    on = (columns.sum(dim=1) + model.hidden.bias > 0).float()
    votes = model.output.weight[0] > 0
    print(f"probability of positive: {probability:.1%}")
    print(f"units on: {on[votes].mean():.0%} of those that vote for positive, ", end="")
    print(f"{on[~votes].mean():.0%} of the others")
    plots.word_contributions({"(constant)": constant, **shares}, "What each word adds", limit=40)
    plt.show()
