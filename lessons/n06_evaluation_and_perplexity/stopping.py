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


class Batches:
    """A loader of one batch of two equal samples; it stops with an error in epoch `broken`."""

    def __init__(self, target: int, broken: int = -1) -> None:
        self.target, self.broken, self.epoch = target, broken, 0

    def __iter__(self) -> Iterator:
        self.epoch += 1
        if self.epoch == self.broken:
            raise Broken("the loader of this check ends with an error")
        yield torch.zeros(2), torch.full((2,), self.target)


def scripted(losses: list[float]) -> Callable:
    """Return a loss that falls while training, and has these values after each epoch elsewhere."""

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        if targets[0] == 0:
            return -outputs.mean()
        return torch.tensor(losses[int(outputs[0]) - 1]) + (targets[0] - 1)

    return loss


NOTHING_ELSE = 0  # instead of the epoch that breaks: no scheduler, no loader to evaluate on


def watched(
    answer: Callable, losses: list[float], patience: int | None, epochs: int, error_in_epoch: int
) -> Any:
    """Fit the counter by an answer; return what is left of it."""
    model, history = Counter(), History()
    steps: list[float] = []
    clock = SimpleNamespace(step=lambda: steps.append(model.weight.item()))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    settings: dict[str, Any] = dict(scheduler=clock, loss=scripted(losses), history=history)
    settings |= dict(watch_loader=Batches(2), score=lambda outputs, _: -abs(outputs[0].item() - 2))
    loader, other = Batches(0, error_in_epoch), Batches(1)
    if error_in_epoch == NOTHING_ELSE:
        other, settings = None, settings | dict(scheduler=None, watch_loader=None)
    try:
        back = answer(model, loader, optimizer, epochs, other, patience, False, **settings)
    except Broken:
        back = history
    if not isinstance(back, History):
        return back
    seen = [result.loss for result in back.watched]
    weights = model.weight.item()
    return back.train_loss, validation_losses(back), seen, steps, weights, back is history


def validation_losses(history: History) -> list[float]:
    """Return what the best epoch is chosen by."""
    return [result.loss for result in history.validation]


def fitting(
    better: Callable = lambda values, best: values[-1] < values[best],
    keep: Callable = copy.deepcopy,
    restore: str = "always",
    wait: Callable = lambda patience: patience,
    judged: Callable = validation_losses,
    order: str = "train scheduler watch validation",
    own: bool = True,
) -> Callable:
    """Return an answer to VI.4.b, with a place for every mistake."""

    def answer(
        model, train_loader, optimizer, num_epochs, validation_loader, patience, progress,
        *, scheduler, loss, history, watch_loader, score,
    ):  # fmt: skip
        history, weights, best, ended = history if own else History(), None, 0, False
        learned = history.train_loss
        todo = {
            "train": lambda: learned.append(train_epoch(model, train_loader, optimizer, loss)),
            "scheduler": lambda: scheduler and scheduler.step(),
            "watch": lambda: look(history.watched, watch_loader),
            "validation": lambda: look(history.validation, validation_loader),
        }

        def look(part, loader):
            if loader is not None:
                part.append(evaluate(model, loader, loss, score))

        try:
            for epoch in range(num_epochs):
                for step in order.split():
                    todo[step]()
                values = judged(history)
                if not values or (patience is None and restore != "unasked"):
                    continue
                if not epoch or better(values, best):
                    best, weights = epoch, keep(model.state_dict())
                elif patience and epoch - best >= wait(patience):
                    break
            ended = True
        finally:
            if weights is not None and (ended or restore != "at the end"):
                model.load_state_dict(weights)
        return history

    return answer


LOSSES = [0.5, 0.4, 0.45, 0.3, 0.35, 0.33, 0.36, 0.2]

FIT: dict[str, Any] = dict(
    reference=fit,
    probe=watched,
    inputs=[
        (LOSSES, 2, 8, -1),
        (LOSSES, 1, 8, -1),
        (LOSSES, None, 5, -1),
        (LOSSES, 5, 3, -1),
        ([0.5] * 4, 2, 4, -1),
        (LOSSES, 2, 8, 4),
        (LOSSES, None, 2, NOTHING_ELSE),
    ],
    mistakes=[
        (
            "at the end the model has the weights of the last epoch, not of the best one. Are they "
            "put back, and is it a copy that you keep? state_dict() gives the parameters "
            "themselves, which go on changing.",
            fitting(keep=lambda weights: weights),
        ),
        (
            "right, until the training is interrupted: then the best weights must come back, too. "
            "What stands under `finally` runs in any case.",
            fitting(restore="at the end"),
        ),
        ("without a patience the weights of the last epoch stay.", fitting(restore="unasked")),
        (
            "one epoch too late: a patience of 2 ends with the second epoch without a new best.",
            fitting(wait=lambda patience: patience + 1),
        ),
        ("it never stops early.", fitting(wait=lambda patience: 1_000)),
        ("the size of the patience changes nothing.", fitting(wait=lambda patience: 1)),
        (
            "an epoch that is better than the one before it, but no new best, does not start the "
            "count again. Compare with the best one so far.",
            fitting(better=lambda values, best: values[-1] < values[-2]),
        ),
        (
            "an epoch as good as the best one is no new best.",
            fitting(better=lambda values, best: values[-1] <= values[best]),
        ),
        (
            "the largest loss counts as the best one here. Small losses are good.",
            fitting(better=lambda values, best: values[-1] > values[best]),
        ),
        (
            "the best epoch is the one with the lowest *validation* loss.",
            fitting(judged=lambda history: history.train_loss),
        ),
        (
            "the best epoch is the one with the lowest validation loss, whatever the score is.",
            fitting(judged=lambda history: [-result.score for result in history.validation]),
        ),
        (
            "train first: the other steps of an epoch come after it.",
            fitting(order="scheduler train watch validation"),
            lambda found, *_: found[3][:1] == [0] or round(found[2][0], 3) == 1.2,
        ),
        ("the scheduler never steps.", fitting(order="train watch validation")),
        ("what is watched goes into history.watched.", fitting(order="train scheduler validation")),
        (
            "with these losses and this patience, yours trains for another number of epochs.",
            fitting(wait=lambda patience: patience + 1, restore="at the end"),
            lambda found, *world: len(found[0]) != len(watched(fit, *world)[0]),
        ),
        ("a history that is handed in is the one to fill and to return.", fitting(own=False)),
    ],
    errors={
        "'NoneType' object": "A loader or the scheduler may be None: then its step is left out.",
        "The labels of 2 classes": "Hand `loss` on to train_epoch and evaluate.",
    },
    otherwise="(The six values: the training losses, the validation losses, the losses on "
    "watch_loader, after which epochs the scheduler stepped, whose epoch's weights the model has "
    "at the end, and whether the history is the one handed in.)",
)
