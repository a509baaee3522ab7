"""VI.4.b of notebook 06: the training with early stopping, and its wrong answers."""

import copy
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from helpers.training import History, evaluate, fit, train_epoch
from lessons.n06_evaluation_and_perplexity.evaluation import Broken


class Counter(nn.Module):
    """A model of one weight, which training raises by 1 per epoch: it counts its epochs."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the weight for each sample."""
        return self.weight.expand(len(inputs))


class Stopped(KeyboardInterrupt):
    """What the stop button does."""


class Batches:
    """A loader of one batch of two equal samples; it may stop with an error in its epoch 4."""

    def __init__(self, target: int, error: type[BaseException] | None = None) -> None:
        self.target, self.error, self.walks = target, error, 0

    def __iter__(self) -> Iterator:
        self.walks += 1
        if self.error and self.walks == 4:
            raise self.error("the loader of this check ends with an error")
        yield torch.zeros(2), torch.full((2,), self.target)


WATCHED, JUDGED, LEARNED = 2, 3, 4  # the labels of the loaders: none fits the default loss


def scripted(losses: list[float]) -> Callable:
    """Return a loss that falls while training, and has these values after each epoch elsewhere."""

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        if targets[0] == LEARNED:
            return -outputs.mean()
        return torch.tensor([9.0, *losses][int(outputs[0])]) + (JUDGED - targets[0])

    return loss


NOTHING_ELSE, ONLY_WATCHED = "nothing", "no validation"  # instead of an error: what is left out


def watched(
    answer: Callable, losses: list[float], patience: int | None, epochs: int, stopped_by: Any
) -> Any:
    """Fit the counter by an answer; return what is left of it."""
    model, history = Counter(), History()
    steps: list[float] = []
    clock = SimpleNamespace(step=lambda: steps.append(model.weight.item()))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    settings: dict[str, Any] = dict(scheduler=clock, loss=scripted(losses), history=history)
    settings |= dict(score=lambda outputs, _: -abs(outputs[0].item() - 2))
    settings |= dict(watch_loader=Batches(WATCHED))
    error = None if isinstance(stopped_by, str) else stopped_by
    loader, other, swallowed = Batches(LEARNED, error), Batches(JUDGED), True
    if stopped_by in (NOTHING_ELSE, ONLY_WATCHED):
        other = settings["scheduler"] = None
    if stopped_by == NOTHING_ELSE:
        settings["watch_loader"] = None
    try:
        back = answer(model, loader, optimizer, epochs, other, patience, False, **settings)
    except (Broken, Stopped):
        back, swallowed = history, False
    if not isinstance(back, History):
        return back
    seen, scores = [one.loss for one in back.watched], [one.score for one in back.validation]
    scores += [one.score for one in back.watched]
    left = (model.weight.item(), back is history, swallowed and stopped_by is Broken)
    return loader.walks, back.train_loss, validation_losses(back), seen, scores, steps, *left


def validation_losses(history: History) -> list[float]:
    """Return what the best epoch is chosen by."""
    return [result.loss for result in history.validation]


def fitting(
    better: Callable = lambda values, best: values[-1] < values[best],
    keep: Callable = copy.deepcopy,
    restore: str = "always",
    judged: Callable = validation_losses,
    own: bool = True,
    scores: bool = True,
) -> Callable:
    """Return an answer to VI.4.b, with a place for every mistake."""

    def answer(
        model, train_loader, optimizer, num_epochs, validation_loader, patience, progress,
        *, scheduler, loss, history, watch_loader, score,
    ):  # fmt: skip
        history, weights, best, ended = history if own else History(), None, 0, False

        def look(part, loader):
            if loader is not None:
                part.append(evaluate(model, loader, loss, *[score] * scores))

        try:
            for epoch in range(num_epochs):
                history.train_loss.append(train_epoch(model, train_loader, optimizer, loss))
                if scheduler is not None:
                    scheduler.step()
                look(history.watched, watch_loader)
                look(history.validation, validation_loader)
                values = judged(history)
                if not values or (patience is None and restore != "unasked"):
                    continue
                if not epoch or better(values, best):
                    best, weights = epoch, keep(model.state_dict())
                elif patience and epoch - best >= patience:
                    break
            ended = True
        finally:
            if weights is not None and (ended or restore != "at the end"):
                model.load_state_dict(weights)
        return history

    return answer


LOWEST = "the best epoch is the one with the lowest *validation loss*."
LOSSES = [0.5, 0.4, 0.45, 0.3, 0.35, 0.33, 0.36, 0.2]

PARTS = ("the number of walks through train_loader", "history.train_loss",
         "the losses in history.validation", "the losses in history.watched",
         "the scores in history", "the epochs after which the scheduler stepped",
         "the epoch whose weights the model has at the end",
         "whether the history is the one handed in", "whether an error is swallowed")  # fmt: skip

FIT: dict[str, Any] = dict(
    reference=fit,
    probe=watched,
    inputs=[
        *((LOSSES, patience, 8, None) for patience in (2, 1, 3)),
        (LOSSES, None, 5, None),
        (LOSSES, 5, 3, None),
        ([0.5] * 4, 2, 4, None),
        *((LOSSES, None, 2, rest) for rest in (NOTHING_ELSE, ONLY_WATCHED)),
        (LOSSES, 2, 8, Broken),
        (LOSSES, 2, 8, Stopped),
    ],
    parts=PARTS,
    mistakes=[
        (
            "at the end the model has the weights of the last epoch, not of the best one. Are they "
            "put back, and is it a copy that you keep? state_dict() gives the parameters "
            "themselves, which go on changing.",
            fitting(keep=lambda weights: weights),
        ),
        (
            "right, until the training is interrupted or stopped by an error: then the best "
            "weights must come back, too, and an error must come out. What stands under `finally` "
            "runs in any case; with `except`, or a `return` there, an error may get lost, and "
            "`except Exception` misses the stop button.",
            fitting(restore="at the end"),
            lambda found, *world: world[-1] in (Broken, Stopped),
        ),
        ("without a patience the weights of the last epoch stay.", fitting(restore="unasked")),
        (
            "an epoch that is better than the one before it, but no new best, does not start the "
            "count again. Compare with the best one so far.",
            fitting(better=lambda values, best: values[-1] < values[-2]),
        ),
        (
            "an epoch as good as the best one is no new best.",
            fitting(better=lambda values, best: values[-1] <= values[best]),
        ),
        (LOWEST, fitting(judged=lambda history: history.train_loss)),
        (LOWEST, fitting(judged=lambda history: [-one.score for one in history.validation])),
        ("a history that is handed in is the one to fill and to return.", fitting(own=False)),
        ("`score` does not reach evaluate: hand it on.", fitting(scores=False)),
    ],
    errors={
        "'NoneType' object": "A loader or the scheduler may be None: then its step is left out.",
        "The labels of 2 classes": "Hand `loss` on to train_epoch and evaluate.",
    },
    otherwise="Each epoch, the last one too, has steps 1 to 4. A patience of 2 ends the training "
    "with the second epoch after the best one so far; a count of your own begins again there.",
)
