"""What notebook 10 goes on with: right answers, the same as in the notebook, and its controls."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from tabulate import tabulate
from torch import Tensor, nn

from helpers import corpus, datasets, lora, models, training
from helpers.datasets import BagOfWordsDataset
from helpers.text import Vocabulary


def prepare(base: nn.Module, way: str) -> Any:
    """Return a copy of `base` to be trained in one way (10.1)."""
    model: Any = copy.deepcopy(base)
    if way == "head":
        model.hidden.requires_grad_(False)
    elif way == "rank 1":
        lora.add_adapters(model, ["hidden"], r=1)
    elif way == "from scratch":
        model.hidden.reset_parameters()
        model.output.reset_parameters()
    return model


#: Adam's rates, chosen on the critics' validation sentences
RATES = {"head": 0.001, "rank 1": 0.001, "everything": 0.0003, "from scratch": 0.0003}


def start(
    way: str, seed: int, base: nn.Module, data: BagOfWordsDataset
) -> tuple[Any, Iterable, torch.optim.Optimizer]:
    """Return a model to be trained in one way, a loader in the order of `seed`, and Adam."""
    training.set_seed(100 + seed)
    model = prepare(base, way)
    order = torch.Generator().manual_seed(seed)
    loader = datasets.make_loader(data, shuffle=True, sparse=True, generator=order)
    # fused: the same Adam, in one pass over memory
    optimizer = torch.optim.Adam(lora.trainable_parameters(model), RATES[way], fused=True)
    return model, loader, optimizer


def train_and_watch(
    model: nn.Module,
    train_loader: Iterable,
    watched: Mapping[str, Iterable],
    optimizer: torch.optim.Optimizer,
    num_epochs: int,
) -> dict[str, list[float]]:
    """Train; return accuracies before the training and after each epoch, by name (10.2)."""
    accuracies = {
        name: [training.evaluate(model, loader).accuracy] for name, loader in watched.items()
    }
    for _ in range(num_epochs):
        training.train_epoch(model, train_loader, optimizer)
        for name, loader in watched.items():
            accuracies[name].append(training.evaluate(model, loader).accuracy)
    return accuracies


@torch.no_grad()
def largest_pushes(
    model: Any, vocabulary: Vocabulary, often: Tensor, count: int
) -> dict[str, float]:
    """Return what a rank-1 update of `hidden` adds to the logit, by token (10.4)."""
    pushes = model.hidden.get_delta_weight() @ model.output.weight[0]  # [vocab]
    chosen = (pushes * often).abs().topk(count).indices
    chosen = chosen[pushes[chosen].argsort(descending=True)]
    return dict(zip(vocabulary.decode(chosen.tolist()), pushes[chosen].tolist()))  # noqa: B905


def adam_state_bytes(model: nn.Module) -> int:
    """Return the bytes of Adam's two running means for what `model` trains (10.5)."""
    return sum(
        2 * parameter.numel() * parameter.element_size()
        for parameter in model.parameters()
        if parameter.requires_grad
    )


def largest_jump(accuracies: Sequence[float]) -> float:
    """Return the largest change between neighbouring epochs, as a size (10.6)."""
    sizes = []
    for before, after in pairwise(accuracies):
        sizes.append(abs(after - before))
    return max(sizes)


def train_adapter(
    start: nn.Module,
    loader: Iterable,
    validation_loader: Iterable,
    optimizer_class: type[torch.optim.Optimizer],
    lr: float,
    normal: bool,
    r: int = 1,
    num_epochs: int = 10,
) -> tuple[nn.Module, list[float]]:
    """Adapt a copy of `start`; return the model and its validation accuracies (10.7)."""
    model: Any = lora.add_adapters(copy.deepcopy(start), ["hidden"], r=r, alpha=1)
    if normal:
        nn.init.normal_(model.hidden.lora_A)
    optimizer = optimizer_class(lora.trainable_parameters(model), lr=lr)  # type: ignore[call-arg]
    history = training.fit(model, loader, optimizer, num_epochs, validation_loader, progress=False)
    return model, [evaluation.accuracy for evaluation in history.validation]


def effective_lr(lr: float, lora_A: Tensor, alpha: float) -> float:  # noqa: N803 - the paper's A
    """Return full training's rate that moves W as far along A as the first step does (10.8)."""
    scaling = alpha / len(lora_A)
    largest = torch.linalg.matrix_norm(lora_A, ord=2).item()
    return lr * scaling**2 * largest**2


# --- base model and third audience --------------------------------------------------------


def train_base(imdb: BagOfWordsDataset, seed: int) -> models.SparseOneHotMLP:
    """Train the network of this course for five epochs, at a rate that falls from 0.3."""
    training.set_seed(seed)
    model = models.SparseOneHotMLP(imdb.vocab_size).to(imdb.ids.device)
    order = torch.Generator().manual_seed(seed)
    loader = datasets.make_loader(imdb, shuffle=True, sparse=True, generator=order)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    falling = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.6)
    training.fit(model, loader, optimizer, scheduler=falling, progress=False)
    model.hidden.sparse_grad = False  # Adam wants dense gradients
    return model


def openings(reviews: corpus.Reviews, vocabulary: Vocabulary) -> BagOfWordsDataset:
    """Return the first 21 words of each review, as long as a critic's sentence, encoded."""
    texts = [" ".join(text.split()[:21]) for text in reviews.texts]
    return datasets.encode(corpus.Reviews(tuple(texts), reviews.labels), vocabulary)


# --- controls -----------------------------------------------------------------------------


def linear_accuracy(
    train: BagOfWordsDataset, validation: BagOfWordsDataset, test: BagOfWordsDataset
) -> float:
    """Return the accuracy of a logistic regression, its strength chosen on validation (10.3)."""

    def rows(data: BagOfWordsDataset) -> tuple:
        arrays = torch.ones(len(data.ids)), data.ids, data.offsets
        matrix = csr_matrix(
            tuple(array.cpu().numpy() for array in arrays), shape=(len(data), data.vocab_size)
        )
        return matrix, data.labels.cpu().numpy()

    fitted = []
    for strength in (0.1, 0.3, 1):
        fitted.append(LogisticRegression(C=strength, max_iter=1_000).fit(*rows(train)))
    best = max(fitted, key=lambda model: model.score(*rows(validation)))
    return best.score(*rows(test))


def print_scores(scores: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Print mean and standard deviation over the seeds, a row per way, a column per task."""
    table = [
        [way, *(f"{np.mean(found):.1%} ± {np.std(found, ddof=1):.1%}" for found in tasks.values())]
        for way, tasks in scores.items()
    ]
    print(tabulate(table, ["mean ± sd of the seeds", *next(iter(scores.values()))]))


def with_random_labels(data: BagOfWordsDataset, seed: int = 0) -> BagOfWordsDataset:
    """Return the same reviews with their labels shuffled among them."""
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    labels = data.labels[order.to(data.labels.device)]
    return BagOfWordsDataset(data.ids, data.offsets, labels, data.vocab_size)


def curvatures(loss: Tensor, parameters: Sequence[nn.Parameter]) -> tuple[float, float, float]:
    """Return the largest and the smallest curvature of a loss, and the length of its gradient.

    They are the outermost eigenvalues of the matrix of second derivatives, which is never
    formed: SciPy's Lanczos method only multiplies it by vectors.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    gradients = torch.autograd.grad(loss, parameters, create_graph=True)
    sizes = [parameter.numel() for parameter in parameters]

    def times(vector: np.ndarray) -> np.ndarray:
        flat = torch.as_tensor(vector, dtype=torch.float32, device=loss.device).flatten()
        pieces = [p.view_as(like) for p, like in zip(flat.split(sizes), parameters, strict=True)]
        product = torch.autograd.grad(gradients, parameters, pieces, retain_graph=True)
        return torch.cat([part.flatten() for part in product]).cpu().numpy()

    size, begin = sum(sizes), np.random.default_rng(0).standard_normal(sum(sizes))
    matrix = LinearOperator((size, size), times, dtype=np.float32)
    ends = [
        eigsh(matrix, 1, which=end, v0=begin, return_eigenvectors=False, tol=0.01)[0].item()
        for end in ("LA", "SA")
    ]
    slope = torch.cat([part.flatten() for part in gradients]).norm().item()
    return ends[0], ends[1], slope
