"""Exercises 00.7 to 00.9: the training step, the training loop and the test loop."""

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

LOGITS, TARGETS = [2.0, -1.0, 0.3, -2.0, 3.0, -0.5, 0.2], [1, 0, 1, 1, 0, 0, 1]


def linear() -> nn.Sequential:
    """Return a model with one layer and known weights: points [batch, 2] to logits [batch]."""
    model = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    model[0].weight.data, model[0].bias.data = torch.tensor([[0.5, -1.0]]), torch.tensor([0.2])
    return model


def numbers_of(model: nn.Module) -> list[float]:
    """Return all parameters of a model."""
    return [value for parameter in model.parameters() for value in parameter.flatten().tolist()]


UNTRAINED = numbers_of(linear())


def plain(loss: Any) -> Any:
    """Return a loss, or a text if its graph hangs on it."""
    return "graph" if isinstance(loss, Tensor) and loss.requires_grad else loss


def step(
    order: str = "zero backward step",
    swap: bool = False,
    value: Callable = lambda loss, again: loss.item(),
) -> Callable:
    """Return a training step that does these things in this order."""

    def train_step(
        model: nn.Module, inputs: Tensor, targets: Tensor, loss_function: Callable, optimizer: Any
    ) -> Any:
        def forward() -> Tensor:
            pair = model(inputs), targets.float()
            return loss_function(*(pair[::-1] if swap else pair))

        loss = forward()
        does = {"zero": optimizer.zero_grad, "step": optimizer.step}
        does["backward"] = lambda: loss.backward(retain_graph=True)
        for name in order.split():
            does[name]()
        return value(loss, forward)

    return train_step


def two_steps(answer: Callable, lr: float, size: int) -> Any:
    """Return the losses of two steps, and the weights after them."""
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    points = torch.randn(2, size, 2, generator=torch.Generator().manual_seed(size))
    targets = torch.arange(2 * size).view(2, size) % 3 % 2
    losses = []
    for batch in zip(points, targets, strict=True):
        losses.append(plain(answer(model, *batch, nn.BCEWithLogitsLoss(), optimizer)))
        if losses[0] is None or losses[0] is ...:
            return None
    return losses, numbers_of(model)


STEP: dict[str, Any] = dict(
    reference=step(),
    probe=two_steps,
    inputs=[(0.5, 4), (0.1, 3), (1.0, 1)],
    mistakes=[
        ("the gradients of both steps add up: when is .grad emptied?", step("backward step")),
        ("the weights stay: does step() come, with a full .grad?", step("backward zero step")),
        ("each step uses the gradient of the batch before.", step("step zero backward")),
        (
            "the loss comes back as a tensor with its whole graph: .item() makes it a number.",
            step(value=lambda loss, again: loss),
            lambda found, *_: "graph" in found[0],
        ),
        ("return the loss from before the step.", step(value=lambda loss, again: again().item())),
        ("the loss takes the logits first, then the targets.", step(swap=True)),
    ],
    otherwise="Forward, zero_grad, backward, step: each once, in this order.",
)


def per_sample(losses: list[float], sizes: list[int]) -> float:
    """Return the mean loss per sample."""
    return sum(map(operator.mul, losses, sizes)) / sum(sizes)


def loop(
    total: Callable = per_sample,
    training: bool = True,
    one_step: Callable | None = None,
    most: int | None = None,
) -> Callable:
    """Return a training loop, with places to spoil it."""

    def train(model: nn.Module, loader: DataLoader, num_epochs: int, lr: float) -> list[Any]:
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        model.train(training)
        means = []
        for _ in range(num_epochs):
            losses, sizes = [], []
            for inputs, targets in loader:
                arguments = inputs, targets, nn.BCEWithLogitsLoss(), optimizer
                losses.append((one_step or step())(model, *arguments))
                sizes.append(len(targets))
            means.append(total(losses, sizes))
        return means[:most]

    return train


def trained(answer: Callable, num_epochs: int, lr: float, batch_size: int) -> Any:
    """Return the losses, the weights afterwards, and whether the model is in training mode."""
    model = linear().eval()
    points = torch.tensor(LOGITS)[:, None] * torch.tensor([1.0, 0.3]) + torch.tensor([0.0, 1.0])
    data = TensorDataset(points, torch.tensor(TARGETS))
    losses = answer(model, DataLoader(data, batch_size), num_epochs, lr)
    if losses is None or losses is ...:
        return None
    return losses, numbers_of(model), model.training


TRAINING: dict[str, Any] = dict(
    reference=loop(),
    probe=trained,
    inputs=[(3, 0.5, 4), (2, 0.1, 3), (1, 1.0, 6)],
    mistakes=[
        ("the model is not in training mode: what comes first?", loop(training=False)),
        ("the last batch is smaller: weigh by samples.", loop(lambda a, b: sum(a) / len(a))),
        ("that is the loss of the last batch alone.", loop(lambda a, b: a[-1])),
        ("that adds up means: weigh each by its samples, and divide.", loop(lambda a, b: sum(a))),
        ("divide by the number of samples.", loop(lambda a, b: sum(map(operator.mul, a, b)))),
        (
            "the list needs one loss per epoch.",
            loop(most=1),
            lambda found, num_epochs, *_: len(found[0]) != num_epochs,
        ),
        ("when is .grad emptied? It adds up.", loop(one_step=step("backward step"))),
        (
            "the weights have not moved.",
            loop(one_step=step("backward")),
            lambda found, *_: found[1] == UNTRAINED,
        ),
    ],
    otherwise="For each epoch: all batches, a step each; the mean loss per sample.",
)


class Watched(nn.Module):
    """Its logit is the first coordinate; it notes in which wrong state it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.wrong = ""

    def forward(self, points: Tensor) -> Tensor:
        """Return logits [batch]."""
        state = "training" if self.training else "recorded" if torch.is_grad_enabled() else ""
        self.wrong = self.wrong or state
        return points[:, 0] * self.weight


def watched(answer: Callable, model: Watched, loader: DataLoader) -> Any:
    """Return the accuracy, or the wrong state in which the model was called."""
    found = answer(model, loader)
    return model.wrong or found


def samples(number: int) -> Callable[[], tuple]:
    """Return what makes a model, and a loader with that many samples in batches of 4."""
    points = torch.tensor(LOGITS)[:number, None].repeat(1, 2)
    data = TensorDataset(points, torch.tensor(TARGETS)[:number])
    return lambda: (Watched(), DataLoader(data, batch_size=4, generator=torch.Generator()))


def accuracy(
    total: Callable = lambda right, sizes: sum(right) / sum(sizes),
    predict: Callable = lambda logits: logits > 0,
    training: bool = False,
    grad: bool = False,
) -> Callable:
    """Return an answer to 00.9, with places to spoil it."""

    def answer(model: nn.Module, loader: DataLoader) -> float:
        model.train(training)
        with torch.set_grad_enabled(grad):
            batches = [(predict(model(inputs)) == targets).tolist() for inputs, targets in loader]
        return total([*map(sum, batches)], [*map(len, batches)])

    return answer


TEST: dict[str, Any] = dict(
    reference=accuracy(),
    probe=watched,
    changes=True,  # model.eval()
    inputs=[samples(7), samples(1), samples(6)],
    mistakes=[
        (
            "the model is still in training mode: what comes first in a test loop?",
            accuracy(training=True),
            lambda found, *_: found == "training",
        ),
        (
            "PyTorch still records every step. Which context prevents that?",
            accuracy(grad=True),
            lambda found, *_: found == "recorded",
        ),
        ("which logit has probability one half?", accuracy(predict=lambda out: out > 0.5)),
        ("that is the share of *wrong* predictions.", accuracy(predict=lambda out: out <= 0)),
        ("no logit *equals* a target: first make it 0 or 1.", accuracy(predict=lambda out: out)),
        (
            "that averages the batches' accuracies, but the last one is smaller. Count samples.",
            accuracy(lambda right, n: sum(map(operator.truediv, right, n)) / len(n)),
        ),
        ("that is the last batch alone.", accuracy(lambda right, n: right[-1] / n[-1])),
        ("divide by the samples, not the batches.", accuracy(lambda right, n: sum(right) / len(n))),
        (
            "half of it: is a point counted twice?",
            accuracy(lambda right, n: sum(right) / sum(n) / 2),
        ),
        (
            "the accuracy is a share between 0 and 1.",
            accuracy(lambda right, sizes: sum(right)),
            lambda found, *_: found > 1,
        ),
    ],
    errors={
        "Dimension out of range": "The logits have one axis, [batch]: one per sample, and nothing "
        "to take a largest of. Which logits say class 1?"
    },
    otherwise="Count the right predictions and the samples.",
)
