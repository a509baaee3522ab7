"""What notebook 07 computes besides the exercises."""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from helpers import datasets, models, training
from helpers.corpus import Reviews
from helpers.datasets import BagOfWordsDataset
from helpers.text import TOKENIZERS


def encoder(parts: Mapping[str, Reviews]) -> Callable[[str], dict[str, BagOfWordsDataset]]:
    """Return a function that encodes all parts with the vocabulary of the part "train"."""

    @functools.cache
    def encoded(tokenizer: str) -> dict[str, BagOfWordsDataset]:
        function = TOKENIZERS[tokenizer]
        _, vocabulary = datasets.load_or_encode(parts["train"], tokenizer=function)
        device = training.pick_device()
        return {
            name: datasets.load_or_encode(part, vocabulary, function)[0].to(device)
            for name, part in parts.items()
        }

    return encoded


def train(
    data: BagOfWordsDataset, lr: float, gamma: float, seed: int, hidden_size: int = 200
) -> models.SparseOneHotMLP:
    """Train five epochs on full batches; the rate is multiplied by `gamma` after each."""
    training.set_seed(seed)
    model = models.SparseOneHotMLP(data.vocab_size, hidden_size).to(data.ids.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    loader = datasets.make_loader(data, shuffle=True, sparse=True, drop_last=True)
    training.fit(model, loader, optimizer, 5, progress=False, scheduler=schedule)
    return model


@torch.no_grad()
def on_sample(model: nn.Module, sample: BagOfWordsDataset) -> tuple[models.OneHotMLP, Tensor]:
    """Return a dense network for a few reviews, less the tokens that none has, and its inputs."""
    multi_hot = sample.multi_hot()
    used = multi_hot.any(dim=0)
    full = models.to_dense(model)  # type: ignore[arg-type]
    small = models.OneHotMLP(int(used.sum()), full.hidden.out_features).to(multi_hot.device)
    small.load_state_dict(full.state_dict() | {"hidden.weight": full.hidden.weight[:, used]})
    return small, multi_hot[:, used]


def luck_and_gain(
    hits: np.ndarray, exam_size: int, tries: Sequence[int], draws: int = 2_000
) -> np.ndarray:
    """Draw exams, keep the best of `tries` models on each; return what is gained, in points.

    `hits` are bool [models, reviews]; returned are flattery and true gain, elsewhere [tries, 2].
    """
    rng = np.random.default_rng(0)
    num_models, num_reviews = hits.shape
    total = hits.sum(axis=1)  # [models]
    found = np.zeros((draws, len(tries), 2))
    for draw in range(draws):
        exam = rng.choice(num_reviews, exam_size, replace=False)
        right = hits[:, exam].sum(axis=1)  # [models]
        elsewhere = (total - right) / (num_reviews - exam_size)
        order = rng.permutation(num_models)
        for row, count in enumerate(tries):
            best = order[right[order[:count]].argmax()]
            luck = right[best] / exam_size - elsewhere[best]
            found[draw, row] = luck, elsewhere[best] - elsewhere.mean()
    return (100 * found.mean(axis=0)).round(2) + 0.0  # no −0
