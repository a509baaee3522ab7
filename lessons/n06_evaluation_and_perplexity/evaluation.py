"""VI.3.a of notebook 06: a world with both switches, wrong answers, and the exercise."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from helpers import training
from helpers.datasets import Bags
from lessons.comparing import same
from lessons.n06_evaluation_and_perplexity.answers import BAGS, BELOW_1, DROPPED, bags, numbers


class Echo(nn.Module):
    """Its logits are its inputs, with the wrong sign while training; it notes its state.

    For Bags, the logit of a review is its number of tokens − 1.5.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))
        self.states: list[tuple[bool, bool]] = []

    def forward(self, inputs: Tensor | Bags) -> Tensor:
        """Map a batch to logits [batch]."""
        self.states.append((self.training, torch.is_grad_enabled()))
        logits = inputs.offsets.diff() - 1.5 if isinstance(inputs, Bags) else inputs
        return -logits if self.training else logits


def scored(evaluate_model: Callable, model: Echo, loader: DataLoader) -> Any:
    """Return the answer's numbers, or the switch that was missing when the model was called."""
    result = evaluate_model(model, loader)
    if any(training for training, _ in model.states):
        return "eval"
    return "no_grad" if any(recorded for _, recorded in model.states) else result


def evaluating(
    mean: Callable = np.average,
    ppl: Callable = lambda losses, sizes: math.exp(np.average(losses, weights=sizes)),
    share: Callable = lambda hits, sizes: sum(hits) / sum(sizes),
    size: Callable = lambda inputs, targets: len(targets),
    threshold: float = 0.0,
) -> Callable:
    """Return an answer to VI.3.a, with a place for every mistake.

    `mean`, `ppl` and `share` make the three numbers of the batches' mean losses, hits and sizes.
    """

    @torch.no_grad()
    def evaluate_model(model: nn.Module, loader: DataLoader) -> tuple[float, float, float]:
        losses, hits, sizes = [], [], []
        for inputs, targets in loader:
            logits = model.eval()(inputs)
            losses.append(training.classification_loss(logits, targets).item())
            hits.append(int(((logits > threshold) == targets).sum()))
            sizes.append(size(inputs, targets))
        first = np.average(losses, weights=sizes) if mean is np.average else mean(losses, sizes)
        return first, ppl(losses, sizes), share(hits, sizes)

    return evaluate_model


def of_samples(model: nn.Module, loader: DataLoader) -> tuple[float, float, float]:
    """Answer VI.3.a with the mean of the samples' perplexities."""
    loss, _, accuracy = evaluating()(model, loader)
    with torch.no_grad():
        logits = [(model(inputs), targets) for inputs, targets in loader]
    every = [1 + torch.exp(torch.where(targets == 1, -z, z)) for z, targets in logits]
    return loss, torch.cat(every).mean().item(), accuracy


def by_data_set(model: nn.Module, loader: DataLoader) -> tuple[float, float, float]:
    """Answer VI.3.a, but divide by the size of the data set."""
    count = len(loader.dataset)  # type: ignore[arg-type]
    return evaluating(
        lambda losses, sizes: np.dot(losses, sizes) / count,
        lambda losses, sizes: math.exp(np.dot(losses, sizes) / count),
        lambda hits, sizes: sum(hits) / count,
    )(model, loader)


def without(switch: str) -> Callable:
    """Return an answer to VI.3.a that lacks "eval" or "no_grad" at first."""

    def evaluate_model(model: nn.Module, loader: DataLoader) -> tuple[float, float, float]:
        with torch.set_grad_enabled(switch == "no_grad"):
            model.train(switch == "eval")(next(iter(loader))[0])
        return evaluating()(model, loader)

    return evaluate_model


LOGITS, TARGETS = [0.3, -1.0, 3.0, -0.5, -4.0], [1, 0, 0, 1, 1]
EXP_LAST = "that is a mean of perplexities. Average the loss first; exp comes last."
SHARE = "that is a number of right answers, or a percentage. Give a share between 0 and 1."

EVALUATE: dict[str, Any] = dict(
    reference=evaluating(),
    probe=scored,
    changes=True,  # eval() may stay
    inputs=[
        lambda: (Echo(), numbers(LOGITS, TARGETS)),
        lambda: (Echo(), numbers(LOGITS[4:], TARGETS[4:])),
        lambda: (Echo(), numbers(LOGITS, TARGETS, drop_last=True)),
        lambda: (Echo(), bags(5, 4)),
    ],
    mistakes=[
        (
            "the model computed in training mode: which of the two switches is missing, or comes "
            "too late?",
            without("eval"),
            lambda found, *_: found == "eval",
        ),
        (
            "PyTorch built a graph for every batch: which of the two switches is missing? (In a "
            "line of its own it does nothing: it works as a `with` block or as a decorator.)",
            without("no_grad"),
            lambda found, *_: found == "no_grad",
        ),
        (
            "the right three numbers in another order: loss, perplexity, accuracy.",
            lambda *world: evaluating()(*world)[::-1],
            lambda found, *world: same(sorted(found), sorted(evaluating()(*world))),
        ),
        (
            "that is the loss of the last batch: one sample's word.",
            evaluating(mean=lambda losses, sizes: losses[-1]),
        ),
        (
            "that is the mean over *batches*. The last one is smaller, yet it counts as much.",
            evaluating(mean=lambda losses, sizes: np.mean(losses)),
        ),
        ("that is a sum over all samples, no mean.", evaluating(mean=np.dot)),
        (
            "each batch loss is a mean already: before adding up it must become a sum again.",
            evaluating(mean=lambda losses, sizes: sum(losses) / sum(sizes)),
        ),
        (DROPPED, by_data_set),
        (BAGS, evaluating(size=lambda inputs, targets: len(inputs))),
        (EXP_LAST, evaluating(ppl=lambda losses, sizes: np.exp(losses).mean())),
        (EXP_LAST, evaluating(ppl=lambda losses, sizes: np.average(np.exp(losses), weights=sizes))),
        (EXP_LAST, of_samples),
        (
            "that is the perplexity of the last batch.",
            evaluating(ppl=lambda losses, sizes: np.exp(losses[-1])),
        ),
        (
            f"{BELOW_1}: is a minus sign lost?",
            evaluating(ppl=lambda losses, sizes: np.exp(-np.average(losses, weights=sizes))),
        ),
        (
            "the loss has the natural logarithm, so the perplexity is a power of e.",
            evaluating(ppl=lambda losses, sizes: 2 ** np.average(losses, weights=sizes)),
        ),
        (SHARE, evaluating(share=lambda hits, sizes: sum(hits))),
        (SHARE, evaluating(share=lambda hits, sizes: 100 * sum(hits) / sum(sizes))),
        (
            "that is the mean of the batches' accuracies, but the last batch is smaller. Count "
            "samples.",
            evaluating(share=lambda hits, sizes: np.mean(np.divide(hits, sizes))),
        ),
        (
            "that is the share of *wrong* predictions.",
            evaluating(share=lambda hits, sizes: 1 - sum(hits) / sum(sizes)),
        ),
        (
            "a small positive logit was not called positive. Did you compare logits with 0.5?",
            evaluating(threshold=0.5),
        ),
    ],
    errors={"'Bags' object": BAGS},
    otherwise="Three numbers are wanted: the mean loss over all samples, exp of it, and the share "
    "of right classes by the rule of VI.1.c.",
)
