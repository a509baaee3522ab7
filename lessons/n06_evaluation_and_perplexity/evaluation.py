"""VI.3.a of notebook 06: a model with both switches, wrong answers, and the exercise."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers import training
from helpers.datasets import Bags

LOGITS, TARGETS = [0.3, -1.0, 3.0, -0.5, -4.0], [1, 0, 0, 1, 1]


class Echo(nn.Module):
    """Its logits are its inputs, with the wrong sign while training; it notes its mode.

    For Bags, the logit of a review is its number of tokens − 1.5.
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))
        self.modes: list[bool] = []
        self.train(mode)

    def forward(self, inputs: Tensor | Bags) -> Tensor:
        """Map a batch to logits [batch]."""
        self.modes.append(self.training)
        logits = inputs.offsets.diff() - 1.5 if isinstance(inputs, Bags) else inputs
        return -logits if self.training else logits


class Loader(list):
    """Batches as they come, of a data set that may hold more samples."""

    dataset = range(6)


def numbers(*cuts: int) -> Loader:
    """Return batches of `LOGITS` and `TARGETS`, cut at these places."""
    parts = (slice(*pair) for pair in pairwise(cuts))
    return Loader((torch.tensor(LOGITS[part]), torch.tensor(TARGETS[part])) for part in parts)


def bags(*offsets: int) -> Bags:
    """Return the bags of a batch; `Echo` asks only for their lengths."""
    return Bags(torch.zeros(offsets[-1], dtype=torch.int32), torch.tensor(offsets))


class Broken(RuntimeError):  # noqa: N818 - it names what happened
    """What a loader stops with."""


def breaking() -> Iterator:
    """Give one batch, then stop with an error."""
    yield torch.tensor(LOGITS), torch.tensor(TARGETS)
    raise Broken("the loader of this check ends with an error")


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return another loss: the mean squared error."""
    return (outputs - targets).square().mean()


def widest(outputs: Tensor, targets: Tensor) -> float:
    """Return another score, which no mean over batches gives: the largest minus the smallest."""
    return (outputs.max() - outputs.min() + 10 * len(targets)).item()


def scored(evaluate: Callable, model: Echo, loader: Iterable, *others: Callable) -> Any:
    """Return the numbers of an answer's record, or a word for what is missing."""
    mode = model.training
    try:
        result = evaluate(model, loader, *others)
    except Broken:
        return "mode" if model.training != mode else "restored"
    if any(model.modes):
        return "eval"
    if not (hasattr(result, "loss") and hasattr(result, "score")):
        return result if result is None or result is ... else "no record"
    if model.training != mode:
        return "mode"
    return result.loss, result.score, result.num_samples, result.perplexity, result.accuracy


def evaluating(
    mean: Callable = lambda losses, sizes: np.average(losses, weights=sizes),
    judge: Callable = lambda score, pairs: score(*map(torch.cat, zip(*pairs, strict=True))),
    size: Callable = lambda inputs, targets: len(targets),
    count: Callable = lambda sizes, loader: sum(sizes),
    chosen: Callable = lambda loss, score: (loss, score),
    record: Callable = training.Evaluation,
    leave: Callable = lambda model, mode: model.train(mode),
    start: Callable = lambda model: model.eval(),
    always: bool = True,
) -> Callable:
    """Return an answer to VI.3.a, with a place for every mistake."""

    @torch.no_grad()
    def evaluate(
        model: nn.Module,
        loader: Iterable,
        loss: Callable = training.classification_loss,
        score: Callable = training.accuracy_of,
    ) -> Any:
        loss, score = chosen(loss, score)
        mode, losses, pairs, sizes = model.training, [], [], []
        start(model)
        try:
            for inputs, targets in loader:
                outputs = model(inputs)
                pairs.append((outputs, targets))
                losses.append(float(loss(outputs, targets)))
                sizes.append(size(inputs, targets))
        except Broken:
            if always:
                leave(model, mode)
            raise
        leave(model, mode)
        return record(mean(losses, sizes), judge(score, pairs), count(sizes, loader))

    return evaluate


def record_of(loss: float, score: float, count: int) -> SimpleNamespace:
    """Return a record with a minus sign too many."""
    numbers = {"loss": loss, "score": score, "accuracy": score, "perplexity": math.exp(-loss)}
    return SimpleNamespace(num_samples=count, **numbers)


SIZES = (
    "the samples are miscounted. The length of Bags is not that of the batch, and a loader may "
    "leave out a part of its data set. The targets tell how many samples arrive."
)

BACK = "the model leaves in another mode than it came in. Note its mode, and put it back."
AT_ONCE = "that is a mean of the batches' scores. Give `score` all outputs and targets at once."


def weighted(score: Callable, pairs: list) -> float:
    """Return the mean score of the batches, weighted by their sizes."""
    return float(np.average([score(*one) for one in pairs], weights=[len(y) for _, y in pairs]))


EVALUATE: dict[str, Any] = dict(
    reference=evaluating(),
    probe=scored,
    changes=True,  # the model of the check takes notes
    inputs=[
        lambda: (Echo(True), numbers(0, 4, 5)),
        lambda: (Echo(False), numbers(4, 5)),
        lambda: (Echo(False), [(bags(0, 1, 3, 3), torch.ones(3)), (bags(0, 4), torch.ones(1))]),
        lambda: (Echo(True), numbers(0, 4, 5), squared, widest),
        lambda: (Echo(True), breaking()),
    ],
    mistakes=[
        (
            "the model computed in training mode: is `model.eval()` called, and before the first "
            "batch?",
            evaluating(start=lambda model: None),
        ),
        (
            "the result is an Evaluation(loss, score, num_samples), the class above.",
            lambda *world: (evaluating()(*world).loss,),
            lambda found, *_: found == "no record",
        ),
        (BACK, evaluating(leave=lambda model, mode: model.eval())),
        (BACK, evaluating(leave=lambda model, mode: model.train())),
        (
            "right, until the loader stops with an error: then the model does not get its mode "
            "back. What stands under `finally` runs in any case.",
            evaluating(always=False),
        ),
        ("the loss is that of the last batch.", evaluating(mean=lambda losses, sizes: losses[-1])),
        (
            "that is the mean over *batches*. The last one is smaller, yet it counts as much.",
            evaluating(mean=lambda losses, sizes: np.mean(losses)),
        ),
        ("the loss is a sum over all samples, no mean.", evaluating(mean=np.dot)),
        (
            "each batch loss is a mean already: before adding up, it must become a sum again.",
            evaluating(mean=lambda losses, sizes: sum(losses) / sum(sizes)),
        ),
        (
            "`loss` of the record is the cross-entropy, without exp.",
            evaluating(mean=lambda losses, sizes: math.exp(np.average(losses, weights=sizes))),
        ),
        (
            "a perplexity below 1 is impossible. The loss is a mean of −ln p already: which sign "
            "does the exponent need?",
            evaluating(record=record_of),
        ),
        (SIZES, evaluating(size=lambda inputs, targets: len(inputs))),
        (
            SIZES,
            evaluating(
                count=lambda sizes, loader: len(getattr(loader, "dataset", "")) or sum(sizes)
            ),
        ),
        (AT_ONCE, evaluating(judge=lambda score, pairs: np.mean([score(*one) for one in pairs]))),
        (AT_ONCE, evaluating(judge=weighted)),
        (
            "with another `loss` and another `score` nothing changes: use the two arguments.",
            evaluating(chosen=lambda *_: (training.classification_loss, training.accuracy_of)),
        ),
    ],
    errors={
        "'Bags' object": SIZES,
        "'Evaluation' object has no": "Write the two properties of Evaluation, too.",
    },
    otherwise="Average the loss over all samples; score all outputs against all targets.",
)
