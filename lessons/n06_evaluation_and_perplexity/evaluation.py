"""VI.3.a of notebook 06: a model with both switches, wrong answers, and the exercise."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers import training
from helpers.datasets import Bags
from lessons.judging import Wrong

HERE = torch.device("cpu", 0)  # as good as "cpu", but not equal to it
LOGITS, TARGETS = [0.3, -1.0, 3.0, -0.5, -4.0], [1, 0, 0, 1, 1]


class Echo(nn.Module):
    """Its logits are its inputs, with the wrong sign while training; it notes its mode.

    For Bags, the logit of a review is its number of tokens − 1.5.
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.modes: list[bool] = []
        self.train(mode)

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """Give what stands for a parameter: it has a device."""
        yield SimpleNamespace(device=HERE, grad=None)

    def forward(self, inputs: Tensor | Bags) -> Tensor:
        """Map a batch to logits [batch]."""
        require_sent(inputs)
        self.modes.append(self.training)
        logits = inputs.offsets.diff() - 1.5 if isinstance(inputs, Bags) else inputs
        return -logits if self.training else logits


class Unsent(Tensor):
    """A tensor of a loader, and all that is computed from it, until it is sent to `HERE`."""

    def __deepcopy__(self, memo: dict) -> Tensor:
        return self.clone()

    def to(self, *given: Any, **named: Any) -> Tensor:  # type: ignore[override]
        """Return a plain tensor, if this is the right device."""
        arrived = self.as_subclass(Tensor).to(*given, **named)
        return arrived if HERE in (*given, *named.values()) else arrived.as_subclass(Unsent)


def require_sent(part: object) -> None:
    """Raise `Wrong` if something comes from the loader as it is."""
    if isinstance(part, Unsent):
        raise Wrong(
            "inputs and targets both go to `next(model.parameters()).device` (in this check it is "
            f"{str(HERE)!r}). Not all of yours do."
        )


class Loader(list):
    """Batches as they come, of a data set that may hold more samples."""

    dataset = range(6)


def numbers(*cuts: int) -> Loader:
    """Return batches of `LOGITS` and `TARGETS`, cut at these places."""
    both = [torch.tensor(values).as_subclass(Unsent) for values in (LOGITS, TARGETS)]
    return Loader(tuple(one[slice(*pair)] for one in both) for pair in pairwise(cuts))


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
    require_sent(targets)
    return (outputs - targets).square().mean()


def widest(outputs: Tensor, targets: Tensor) -> float:
    """Return another score, which no mean over batches gives: the largest minus the smallest."""
    return (outputs.max() - outputs.min() + 10 * len(targets)).item()


def scored(evaluate: Callable, model: Echo, loader: Any, *others: Callable) -> Any:
    """Return the numbers of an answer's record; `Wrong` says what they can't show."""
    mode, result = model.training, None
    with suppress(Broken):
        result = evaluate(model, loader, *others)
        if result is None or result is ...:
            return result
        if not isinstance(loader, list):
            raise Wrong("an error of the loader must come out. Does an `except` swallow it?")
    if result is None and model.training != mode:
        raise Wrong(
            "when the loader stops with an error, the model does not get its mode back. What "
            "stands under `finally` runs in any case."
        )
    if any(model.modes):
        raise Wrong(
            "the model computed in training mode: is `model.eval()` called, and before the first "
            "batch?"
        )
    if result is None:
        return "stopped"
    if model.training != mode:
        raise Wrong(BACK)
    if not (hasattr(result, "loss") and hasattr(result, "score")):
        raise Wrong("the result is an Evaluation(loss, score, num_samples), the class above.")
    if any(callable(getattr(result, name, None)) for name in ("accuracy", "perplexity")):
        raise Wrong("accuracy or perplexity is a method: above each `def` stands `@property`.")
    if len(model.modes) < len(loader):
        raise Wrong(
            f"of {len(loader)} batches the model was called for {len(model.modes)}: does something "
            "end the loop too early, a `return` in it?"
        )
    found = result.loss, result.score, result.num_samples, result.perplexity, result.accuracy
    return *found, *(type(result)(loss, 0.5, 1).perplexity for loss in (600.0, 710.0))


def evaluating(
    mean: Callable = lambda losses, sizes: np.average(losses, weights=sizes),
    size: Callable = lambda inputs, targets: len(targets),
    record: Callable = training.Evaluation,
    judged: Callable = lambda score, outputs, targets: score(outputs, targets),
    at_once: bool = True,
) -> Callable:
    """Return an answer to VI.3.a, with a place for every mistake."""

    @torch.no_grad()
    def evaluate(
        model: nn.Module,
        loader: Iterable,
        loss: Callable = training.classification_loss,
        score: Callable = training.accuracy_of,
    ) -> Any:
        mode, losses, pairs, sizes = model.training, [], [], []
        model.eval()
        try:
            for inputs, targets in loader:
                inputs, targets = inputs.to(HERE), targets.to(HERE)
                pairs.append((model(inputs), targets))
                losses.append(float(loss(*pairs[-1])))
                sizes.append(size(inputs, targets))
        finally:
            model.train(mode)
        every = [[*map(torch.cat, zip(*pairs, strict=True))]] if at_once else pairs
        scores = [judged(score, *part) for part in every]
        return record(mean(losses, sizes), np.mean(scores), sum(sizes))

    return evaluate


last_loss = evaluating(mean=lambda losses, sizes: losses[-1])


def is_last(found: Any, model: Echo, loader: Any, *others: Callable) -> bool:
    """Whether a loss is that of the last of several batches."""
    last = last_loss(Echo(model.training), loader, *others).loss
    return len(loader) > 1 and math.isclose(found[0], last)


class Inverse(training.Evaluation):
    """A record with a wrong sign."""

    perplexity = property(lambda self: math.exp(-self.loss))  # type: ignore[assignment]


SIZES = (
    "the samples are miscounted. The length of Bags is not that of the batch, and a loader may "
    "leave out a part of its data set. The targets tell how many samples arrive."
)

BACK = "the model leaves in another mode than it came in. Note its mode, and put it back."

PARTS = ("loss", "score", "num_samples", "perplexity", "accuracy",
         "the perplexity of Evaluation(600.0, 0.5, 1)",
         "the perplexity of Evaluation(710.0, 0.5, 1)")  # fmt: skip

EVALUATE: dict[str, Any] = dict(
    reference=evaluating(),
    probe=scored,
    changes=True,  # the model of the check takes notes
    inputs=[
        (Echo(True), numbers(0, 4, 5)),
        (Echo(False), numbers(4, 5)),
        (Echo(False), [(bags(0, 1, 3, 3), torch.ones(3)), (bags(0, 4), torch.ones(1))]),
        (Echo(True), numbers(0, 4, 5), squared, widest),
        lambda: (Echo(True), breaking()),
    ],
    parts=PARTS,
    mistakes=[
        ("the loss is that of the last batch.", last_loss, is_last),
        ("the score is a mean over batches: it needs them all at once.", evaluating(at_once=False)),
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
            "a perplexity below 1 is impossible. The loss is a mean of −ln p already: which sign "
            "does the exponent need?",
            evaluating(record=Inverse),
        ),
        ("score takes the outputs first.", evaluating(judged=lambda score, z, y: score(y, z))),
        (SIZES, evaluating(size=lambda inputs, targets: len(inputs))),
    ],
    errors={
        "attribute 'float'": "Here the inputs are Bags, no tensor: `inputs.to(device)` will do.",
        "'Bags' object": SIZES,
        "math range error": "From a loss of about 700 on, the perplexity is math.inf.",
        "'Evaluation' object has no": "Write the two properties of Evaluation, too.",
    },
    otherwise="Average `loss` over all samples that arrive; give `score` all outputs and all "
    "targets at once. `perplexity` is e^loss.",
)
