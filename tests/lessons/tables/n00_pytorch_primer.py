"""Notebook 00: right answers of unusual form, and mistakes that are not in the data."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from lessons.n00_pytorch_primer.checks import line
from lessons.n00_pytorch_primer.loops import loop
from tests.lessons.tables import Trap


def tensors_in_a_list(picture: Tensor) -> list[Tensor]:
    whole = torch.zeros(3, 4, dtype=torch.int64)
    return [whole, torch.arange(5.0, 17).view(4, -1), picture * 0 + 1]


def standardize_with_std_mean(table: Tensor) -> Tensor:
    std, mean = torch.std_mean(table, dim=0, keepdim=True)
    return table.sub(mean).div(std + 1e-8)


def gradients_by_torch(a: float, b: float, c: float) -> list[Tensor]:
    inputs = [torch.tensor(value, requires_grad=True) for value in (a, b, c)]
    (inputs[2] * (inputs[0] + 2 * inputs[1])).backward()
    return [tensor.grad for tensor in inputs]


def descend(step: Callable, note: Callable = float, first: Callable = float) -> Callable:
    """Make an answer to 00.5 whose update is `step(w, lr)`, which returns the next w."""

    def answer(loss_of: Callable, start: float, lr: float, num_steps: int) -> list:
        w = torch.tensor(first(start), requires_grad=True)
        positions = [note(w)]
        for _ in range(num_steps):
            loss_of(w).backward()
            w = step(w, lr)
            positions.append(note(w))
        return positions

    return answer


@torch.no_grad()
def right_step(w: Tensor, lr: float) -> Tensor:
    w -= lr * w.grad
    w.grad.zero_()
    return w


def step_to_a_new_parameter(w: Tensor, lr: float) -> Tensor:
    return (w - lr * w.grad).detach().requires_grad_()


def recorded_step(w: Tensor, lr: float) -> Tensor:
    w -= lr * w.grad
    return w


def rebinding_step(w: Tensor, lr: float) -> Tensor:
    w = w - lr * w.grad
    w.grad.zero_()
    return w


@torch.no_grad()
def rebinding_step_without_graph(w: Tensor, lr: float) -> Tensor:
    return w - lr * w.grad


def descend_emptying_first(loss_of: Callable, start: float, lr: float, num_steps: int) -> list:
    w = torch.tensor(float(start), requires_grad=True)
    w.grad.zero_()
    return [w.item()]


class MLP(nn.Module):
    """Keep the layers in an nn.ModuleList; subclasses have other sizes or activations."""

    def __init__(self, hidden_size: int = 32) -> None:
        super().__init__()
        sizes = (2, hidden_size, hidden_size, 1)
        self.layers = nn.ModuleList([nn.Linear(*pair) for pair in pairwise(sizes)])

    def forward(self, points: Tensor) -> Tensor:
        h = self.activate(self.layers[0](points))
        return self.layers[2](self.activate(self.layers[1](h)))[:, 0]

    def activate(self, h: Tensor) -> Tensor:
        return h.clamp(min=0)


class DropsTheReLU(MLP):
    def activate(self, h: Tensor) -> Tensor:
        torch.relu(h)
        return h


class SwappedSizes(MLP):
    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.layers[0] = nn.Linear(hidden_size, 2)


class SequentialMLP(nn.Module):
    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        first, second = nn.Linear(2, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.hidden = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
        self.output = nn.Linear(hidden_size, 1)

    def forward(self, points: Tensor) -> Tensor:
        return self.output(self.hidden(points)).flatten()


class NoBiasAtTheEnd(SequentialMLP):
    def __init__(self, hidden_size: int) -> None:
        super().__init__(hidden_size)
        self.output = nn.Linear(hidden_size, 1, bias=False)


class ReturnsNothing(MLP):
    def forward(self, points: Tensor) -> None:
        self.layers[0](points)


def step_emptying_at_the_end(
    model: nn.Module, inputs: Tensor, targets: Tensor, loss_function: Callable, optimizer: object
) -> Tensor:
    loss = loss_function(model(inputs), targets.to(torch.float32))
    loss.backward()
    optimizer.step()
    model.zero_grad()
    return loss.detach()


def step_with_number_first(
    model: nn.Module, inputs: Tensor, targets: Tensor, loss_function: Callable, optimizer: object
) -> float:
    loss = loss_function(model(inputs), targets.float()).item()
    loss.backward()
    return loss


def train_on_samples(model: nn.Module, loader: object, num_epochs: int, lr: float) -> list:
    loss_function = nn.BCEWithLogitsLoss()
    return [loss_function(model(x), y.float()).item() for x, y in loader.dataset]


def accuracy_of_batches(model: nn.Module, loader: object) -> np.floating:
    model.eval()
    with torch.no_grad():
        pairs = [(model(inputs).sigmoid() >= 0.5, targets) for inputs, targets in loader]
    shares = [(predicted == targets).float().mean() for predicted, targets in pairs]
    return np.average(shares, weights=[len(targets) for _, targets in pairs])


@torch.no_grad()
def accuracy_by_argmax(model: nn.Module, loader: object) -> float:
    model.eval()
    return sum((model(x).argmax(dim=1) == y).sum().item() for x, y in loader)


def nearest_of(points: Tensor, targets: Tensor) -> nn.Module:
    class Nearest(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dummy = nn.Parameter(torch.ones(1))

        def forward(self, unseen: Tensor) -> Tensor:
            return targets[torch.cdist(unseen, points).argmin(dim=1)] * 2.0 - self.dummy

    return Nearest()


class Winding(nn.Module):
    """The direction turns with the radius."""

    def __init__(self, turn: float = 3.5, width: int = 1, finish: Callable = Tensor.float) -> None:
        super().__init__()
        self.finish = finish
        self.turn = nn.Parameter(torch.full((width,), turn))

    def forward(self, points: Tensor) -> Tensor:
        angle = torch.atan2(points[:, 1], points[:, 0])
        return self.finish(-torch.cos(self.turn[0] * points.norm(dim=1) - angle))


RIGHT = {
    "ex_00_1": [(tensors_in_a_list,)],
    "ex_00_2": [
        (lambda t: (t - t.mean(0)) / t.std(0, correction=0),),
        (standardize_with_std_mean,),
        (lambda t: standardize_with_std_mean(t.double()),),
        (lambda t: (t.numpy() - t.numpy().mean(0)) / t.numpy().std(0, ddof=1),),
    ],
    "ex_00_3": [(lambda a, b, c: np.array([c, 2 * c, a + 2 * b]),)],
    "ex_00_4": [(lambda *a: [float(part) for part in line()(*a)],)],
    "ex_00_5": [
        (descend(right_step),),
        (descend(step_to_a_new_parameter),),
    ],
    "ex_00_6": [(MLP,), (SequentialMLP,)],
    "ex_00_7": [(step_emptying_at_the_end,)],
    "ex_00_8": [(loop(lambda losses, sizes: np.average(losses, weights=sizes)),)],
    "ex_00_9": [(accuracy_of_batches,)],
    "ex_00_open": [(lambda points, targets: Winding(),)],
}

OPEN = {
    "ex_00_6": [(ReturnsNothing,)],
    "ex_00_open": [(lambda points, targets: None,)],
}

TRAPS = [
    Trap("ex_00_2", (lambda t: t - t.mean(0)[:2],), "Along which axis"),
    Trap("ex_00_3", (lambda a, b, c: (2 * c, c, a + 2 * b),), "wrong order"),
    Trap("ex_00_3", (gradients_by_torch,), "by hand, this time"),
    Trap("ex_00_5", (descend(recorded_step),), "inside `with torch.no_grad():`"),
    Trap("ex_00_5", (descend(rebinding_step),), "the result of a subtraction?"),
    Trap("ex_00_5", (descend(rebinding_step_without_graph),), "a tensor made there"),
    Trap("ex_00_5", (torch.no_grad()(descend(right_step)),), "computed under no_grad"),
    Trap("ex_00_5", (descend_emptying_first,), "before the first backward()"),
    Trap("ex_00_5", (descend(right_step, note=lambda w: w),), "plain numbers"),
    Trap("ex_00_2", (lambda t: standardize_with_std_mean(t).int(),), "do not have mean 0"),
    Trap("ex_00_5", (descend(right_step, first=lambda start: start),), "make a float of `start`"),
    Trap("ex_00_6", (SwappedSizes,), "nn.Linear(inputs, outputs)"),
    Trap("ex_00_6", (DropsTheReLU,), "is what it returns used?"),
    Trap("ex_00_7", (step_with_number_first,), ".item() last"),
    Trap("ex_00_8", (train_on_samples,), "does the loop run over the loader?"),
    Trap("ex_00_6", (NoBiasAtTheEnd,), "each layer has a bias"),
    Trap("ex_00_9", (accuracy_by_argmax,), "Which logits say class 1?"),
    Trap("ex_00_open", (lambda points, targets: 3,), "an nn.Module; this is 3"),
    Trap("ex_00_open", (lambda points, targets: nn.Flatten(0),), "finds no numbers"),
    Trap("ex_00_open", (lambda points, targets: Winding(width=101),), "keeps 101 numbers"),
    Trap("ex_00_open", (lambda points, targets: Winding,), "a class, not yet a model"),
    Trap("ex_00_open", (nearest_of,), "keeps 1801 numbers"),
    Trap("ex_00_open", (lambda *_: Winding(finish=torch.sigmoid),), "sigmoid at the end"),
    Trap("ex_00_open", (lambda points, targets: nn.Linear(2, 1),), "[2000] is wanted"),
    Trap("ex_00_open", (lambda points, targets: Winding(1.0),), "of 2,000 fresh points are right"),
]
