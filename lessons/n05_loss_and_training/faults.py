"""The open task of notebook 05: a training loop with four faults."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from helpers.datasets import Bags
from lessons.comparing import same
from lessons.judging import Wrong
from lessons.n05_loss_and_training.worlds import Batches

#: each fault, and a symptom of it that shows whatever other faults there are
SYMPTOMS = {
    "twice": "hand it a model that is perfectly sure and right, and it still reports a loss "
    "above 0.3.",
    "kept": "set the learning rate to 0, and the gradient of one and the same batch still grows "
    "from epoch to epoch.",
    "last": "change the first batch, with the learning rate at 0, and the reported loss stays what "
    "it was.",
    "stuck": "from the second epoch on, dropout is off while the model learns.",
}

Report = list[tuple[float, float]]  # of each epoch: training loss, validation accuracy


def loop(
    faults: Iterable[str] = (),
    mean: Callable = lambda losses, sizes: losses @ sizes / sum(sizes),
    steps: str = "bs",
    evaluates: bool = True,
) -> Callable:
    """Return a training loop with some of the faults; the other arguments make other ones."""
    faults = {*faults}

    def train(
        model: nn.Module,
        train_loader: Iterable,
        validation_loader: Iterable,
        optimizer: Optimizer,
        num_epochs: int,
    ) -> Report:
        report = []
        model.train()
        for _ in range(num_epochs):
            if "stuck" not in faults:
                model.train()
            losses, sizes = [], []
            for inputs, targets in train_loader:
                outputs = model(inputs)  # [batch, 2]
                scores = outputs.softmax(dim=1) if "twice" in faults else outputs
                loss = F.cross_entropy(scores, targets)
                if "kept" not in faults:
                    optimizer.zero_grad()
                actions: dict[str, Callable] = {"b": loss.backward, "s": optimizer.step}
                for letter in steps:
                    actions.get(letter, optimizer.zero_grad)()
                losses.append(loss.item())
                sizes.append(len(targets))
            if evaluates:
                model.eval()
            loss = losses[-1] if "last" in faults else mean(np.array(losses), sizes)
            report.append((loss, _accuracy(model, validation_loader)))
        return report

    return train


@torch.no_grad()
def _accuracy(model: nn.Module, loader: Iterable) -> float:
    right = [model(inputs).argmax(dim=1) == targets for inputs, targets in loader]
    return torch.cat(right).float().mean().item()


faulty_training = loop(SYMPTOMS)


class OneEyed(nn.Module):
    """Two logits of two inputs; in training mode it sees the first one only, twice as large.

    The inputs [batch] stand where `Bags` have ids and offsets, so their len is 2, too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        with torch.no_grad():
            self.layer.weight.copy_(torch.tensor([[0.4, -0.6], [-0.2, 0.9]]))
            self.layer.bias.copy_(torch.tensor([0.1, -0.2]))

    def forward(self, inputs: Bags) -> Tensor:
        """Map a batch to logits [batch, 2]."""
        seen = torch.tensor([2.0, 0.0]) if self.training else torch.ones(2)
        return self.layer(torch.stack([*inputs], dim=1) * seen)


def world(num_epochs: int) -> tuple:
    """Return what a training loop takes: a model, two loaders, an optimizer, the epochs."""
    inputs = torch.sin(torch.arange(20) * 1.7).reshape(10, 2)
    targets = (inputs[:, 0] + 0.6 * inputs[:, 1] > 0).long()
    targets[3] = 1 - targets[3]
    model, loaders = OneEyed(), []
    for size in (4, 7):
        parts = zip(inputs.split(size), targets.split(size), strict=True)
        loaders.append(Batches((Bags(*some.T), labels) for some, labels in parts))
    return model, *loaders, SGD(model.parameters(), 0.4), num_epochs


def outcome(train: Callable, model: nn.Module, *rest: Any) -> Any:
    """Return the losses, the accuracies, and the parameters at the end."""
    report = train(model, *rest)
    if not (isinstance(report, list) and report and all(map(_is_pair, report))):
        return report
    if len(report) != rest[-1]:
        raise Wrong(f"a pair for each of {rest[-1]} epochs is asked for; these are {len(report)}.")
    losses, accuracies = zip(*report, strict=True)
    return [*losses], [*accuracies], torch.cat([part.flatten() for part in model.parameters()])


def _is_pair(line: Any) -> bool:
    return isinstance(line, list | tuple) and len(line) == 2


def mistakes() -> list[tuple]:
    """Return every combination of the four faults, and what mending may have brought in."""
    found: list[tuple] = [
        (
            "the reported loss must weigh each batch by its size. (The len of `Bags` is 2.)",
            loop(mean=lambda losses, _: losses.mean()),
        ),
        ("the parameters don't move any more: step() meets empty gradients.", loop(steps="bzs")),
        ("the validation accuracy is measured in training mode.", loop(evaluates=False)),
        ("the loss comes first in a pair.", lambda *given: [p[::-1] for p in loop()(*given)]),
        ("the loss is a mean over the samples, not a sum.", loop(mean=lambda m, _: m.sum())),
        (
            "training and accuracies are right, the losses are not: each batch has its loss "
            "*before* its step.",
            loop(mean=lambda losses, _: losses.max()),
            lambda found, *given: same(found[1:], outcome(loop(), *given)[1:]),
        ),
    ]
    for choice in product((False, True), repeat=len(SYMPTOMS)):
        left = [name for name, there in zip(SYMPTOMS, choice, strict=True) if there]
        if left:
            number = f"{len(left)} of the four faults {'is' if len(left) == 1 else 'are'} left"
            found.append((f"{number}. One symptom: {SYMPTOMS[left[0]]}", loop(left)))
    return found
