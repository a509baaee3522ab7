"""What notebook 06 measures: the two switches, neighbours in the file, folds."""

import numpy as np
import torch
from torch import Tensor, nn

from helpers import datasets, models, training
from helpers.corpus import Reviews
from helpers.datasets import BagOfWordsDataset


def bytes_kept(model: nn.Module, inputs: Tensor) -> int:
    """Return how many bytes a forward pass keeps for the backward pass."""
    kept = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(inputs)
    return sum(kept.values())


def nearest(reviews: Reviews, others: Reviews) -> np.ndarray:
    """Return for each of `reviews` which of `others` is most alike: rare words count more.

    Alike are vectors of tf-idf whose angle is small.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True)
    known = vectorizer.fit_transform(others.texts)
    return np.asarray((vectorizer.transform(reviews.texts) @ known.T).argmax(axis=1)).ravel()


def folds_of_runs(
    num_reviews: int, run_length: int, num_folds: int, generator: torch.Generator
) -> Tensor:
    """Return the fold of each review [num_reviews]; all reviews of a run have the same one."""
    order = torch.randperm(-(-num_reviews // run_length), generator=generator)
    return (order % num_folds).repeat_interleave(run_length)[:num_reviews]


def judged_unseen(data: BagOfWordsDataset, folds: Tensor, seed: int = 0) -> Tensor:
    """Return the logit of each review, from the model that was trained on the other folds.

    `folds` has the number of the fold of each review. The rate falls from 0.4 by half per epoch;
    the networks are small, to save time.
    """
    logits = torch.empty(len(data))
    for fold in folds.unique().tolist():
        training.set_seed(seed + fold)
        model = models.SparseOneHotMLP(data.vocab_size, hidden_size=50).to(data.ids.device)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.4)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        order = torch.Generator().manual_seed(seed + fold)
        seen, unseen = (torch.nonzero(part).flatten() for part in (folds != fold, folds == fold))
        loader = datasets.make_loader(data.select(seen), shuffle=True, sparse=True, generator=order)
        training.fit(model, loader, optimizer, scheduler=schedule, progress=False)
        with torch.no_grad():
            logits[unseen] = model(data.select(unseen).bags()).cpu()
    return logits
