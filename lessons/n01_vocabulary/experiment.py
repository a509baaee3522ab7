"""The quick experiment of notebook 01: train on a part of the reviews, score on others."""

import torch

from helpers import datasets, models, training
from helpers.corpus import Reviews


def accuracies(
    part: Reviews, others: Reviews, seed: int = 0, lr: float = 0.01, num_epochs: int = 5
) -> tuple[float, float]:
    """Return the accuracy on `others` before and after training on `part`.

    Parameters
    ----------
    part, others : Reviews
        What the model learns from, and what it is scored on.
    seed : int
        Of the first weights and of the order of the reviews.
    lr, num_epochs : float, int
        Of plain SGD on batches of 128.
    """
    encoded, vocabulary = datasets.build_and_encode(part, tokenizer=str.split)
    unseen = datasets.encode(others, vocabulary, tokenizer=str.split)
    loader = datasets.make_loader(encoded, shuffle=True, sparse=True)
    unseen_loader = datasets.make_loader(unseen, sparse=True)
    training.set_seed(seed)
    model = models.SparseOneHotMLP(len(vocabulary))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    before = training.evaluate(model, unseen_loader).accuracy
    training.fit(model, loader, optimizer, num_epochs, progress=False)
    return before, training.evaluate(model, unseen_loader).accuracy
