"""The quick experiment of notebook 01: train on a part of the reviews, score on others."""

from torch.optim import SGD

from helpers import corpus, datasets, models, training
from helpers.corpus import Reviews


def far_from_the_start(train: Reviews) -> Reviews:
    """Return 2,000 reviews, half of them positive, none among the first 200 of its class."""
    positions = [*range(200, 12_500), *range(12_700, 25_000)]
    return corpus.balanced_sample(train.select(positions), 2_000, seed=0)


def accuracies(
    part: Reviews, others: Reviews, seed: int = 0, lr: float = 0.01, num_epochs: int = 5
) -> tuple[float, float]:
    """Return the accuracy on `others` before and after training on `part`.

    It trains by plain SGD on batches of 128; `seed` sets the first weights and the order.
    """
    encoded, vocabulary = datasets.build_and_encode(part, tokenizer=str.split)
    unseen = datasets.encode(others, vocabulary, tokenizer=str.split)
    loader = datasets.make_loader(encoded, shuffle=True, sparse=True)
    unseen_loader = datasets.make_loader(unseen, sparse=True)
    training.set_seed(seed)
    model = models.SparseOneHotMLP(len(vocabulary))
    before = training.evaluate(model, unseen_loader).accuracy
    training.fit(model, loader, SGD(model.parameters(), lr=lr), num_epochs, progress=False)
    return before, training.evaluate(model, unseen_loader).accuracy
