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
        self.modes.append(self.training)
        logits = inputs.offsets.diff() - 1.5 if isinstance(inputs, Bags) else inputs
        return -logits if self.training else logits


class Sent(Tensor):
    """A tensor that notes to which device it was sent."""

    device_of_to: Any = None

    def __deepcopy__(self, memo: dict) -> Tensor:
        return self.clone()

    def to(self, *given: Any, **named: Any) -> Tensor:  # type: ignore[override]
        """Note the device, and return a plain tensor."""
        self.device_of_to = torch.device((*given, *named.values())[0])
        return self.as_subclass(Tensor).to(*given, **named)


class Loader(list):
    """Batches as they come, of a data set that may hold more samples."""

    dataset = range(6)


def numbers(*cuts: int) -> Loader:
    """Return batches of `LOGITS` and `TARGETS`, cut at these places."""
    both = [torch.tensor(values).as_subclass(Sent) for values in (LOGITS, TARGETS)]
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
    if any(callable(getattr(result, name, None)) for name in ("accuracy", "perplexity")):
        return "methods"
    sent = all(getattr(part, "device_of_to", HERE) == HERE for pair in loader for part in pair)
    found = result.loss, result.score, result.num_samples, result.perplexity, result.accuracy
    return *found, type(result)(800.0, 0.5, 1).perplexity, sent


def evaluating(
    mean: Callable = lambda losses, sizes: np.average(losses, weights=sizes),
    size: Callable = lambda inputs, targets: len(targets),
    record: Callable = training.Evaluation,
    leave: Callable = lambda model, mode: model.train(mode),
    start: Callable = lambda model: model.eval(),
    move: Callable = lambda part: part.to(HERE),
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
        mode, losses, pairs, sizes = model.training, [], [], []
        start(model)
        try:
            for inputs, targets in loader:
                inputs, targets = move(inputs), move(targets)
                outputs = model(inputs)
                pairs.append((outputs, targets))
                losses.append(float(loss(outputs, targets)))
                sizes.append(size(inputs, targets))
        except Exception:
            if always:
                leave(model, mode)
            raise
        leave(model, mode)
        every = map(torch.cat, zip(*pairs, strict=True))
        return record(mean(losses, sizes), score(*every), sum(sizes))

    return evaluate


def record_with(perplexity: Any) -> type:
    """Return a class of records with another `perplexity`."""
    return type("Evaluation", (training.Evaluation,), {"perplexity": perplexity})


SIZES = (
    "the samples are miscounted. The length of Bags is not that of the batch, and a loader may "
    "leave out a part of its data set. The targets tell how many samples arrive."
)

BACK = "the model leaves in another mode than it came in. Note its mode, and put it back."

PARTS = ("loss", "score", "num_samples", "perplexity", "accuracy",
         "the perplexity of Evaluation(800.0, 0.5, 1)", "whether all was moved")  # fmt: skip

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
            "a perplexity below 1 is impossible. The loss is a mean of −ln p already: which sign "
            "does the exponent need?",
            evaluating(record=record_with(property(lambda self: math.exp(-self.loss)))),
        ),
        (
            "one of accuracy and perplexity is a method: above each `def` stands `@property`.",
            evaluating(record=record_with(lambda self: math.exp(self.loss))),
        ),
        (
            "inputs and targets both go to `next(model.parameters()).device` (in this check it is "
            f"{str(HERE)!r}). Not all of yours do.",
            evaluating(move=lambda part: part),
            lambda found, *_: found[-1] is False,
        ),
        (SIZES, evaluating(size=lambda inputs, targets: len(inputs))),
    ],
    errors={
        "'Bags' object": SIZES,
        "math range error": "From a loss of 710 on, the perplexity is math.inf.",
        "'Evaluation' object has no": "Write the two properties of Evaluation, too.",
    },
    otherwise="Average `loss` over all samples that arrive; give `score` all outputs and all "
    "targets at once. `perplexity` is e^loss.",
)
