"""Notebook 00: right answers of unusual form, and mistakes that are not in the data."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from tests.lessons.tables import Trap

# --- 00.1 to 00.5 -----------------------------------------------------------------------

PICTURE = torch.zeros(4, 5, 3)
WHOLE = torch.zeros(3, 4, dtype=torch.int64)
COUNTED = torch.arange(12).reshape(3, 4)
ONES = torch.ones_like(PICTURE)


def standardize_by_loop(table: Tensor) -> Tensor:
    columns = [(column - column.mean()) / column.std() for column in table.T]
    return torch.stack(columns, dim=1)


def standardize_with_std_mean(table: Tensor) -> Tensor:
    std, mean = torch.std_mean(table, dim=0, keepdim=True)
    return table.sub(mean).div(std + 1e-8)


def standardize_in_place(table: Tensor) -> Tensor:
    table -= table.mean(dim=0)
    return table / table.std(dim=0)


def low_rank(choose: Callable) -> Callable:
    """Make an answer to 00.3 that multiplies what `choose` picks from u, s and vh."""

    def keep_strongest(matrix: Tensor, rank: int) -> Tensor:
        return choose(*torch.linalg.svd(matrix, full_matrices=False), rank)

    return keep_strongest


def low_rank_with_zeros(matrix: Tensor, rank: int) -> Tensor:
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    s[rank:] = 0
    return u * s @ vh


def low_rank_of_the_full_svd(matrix: Tensor, rank: int) -> Tensor:
    u, s, vh = torch.linalg.svd(matrix)
    return u[:, :rank] @ torch.diag(s[:rank]) @ vh[:rank, :]


def gradients_by_torch(a: float, b: float, c: float) -> list[Tensor]:
    inputs = [torch.tensor(value, requires_grad=True) for value in (a, b, c)]
    (inputs[2] * (inputs[0] + 2 * inputs[1])).backward()
    return [tensor.grad for tensor in inputs]


# --- 00.6 -------------------------------------------------------------------------------


def descend(step: Callable, note: Callable = float) -> Callable:
    """Make an answer to 00.6 whose update is `step(w, lr)`, which returns the next w."""

    def answer(start: float, lr: float, num_steps: int) -> list:
        w = torch.tensor(float(start), requires_grad=True)
        positions = [note(w)]
        for _ in range(num_steps):
            ((w - 3) ** 2).backward()
            w = step(w, lr)
            positions.append(note(w))
        return positions

    return answer


@torch.no_grad()
def right_step(w: Tensor, lr: float) -> Tensor:
    w -= lr * w.grad
    w.grad.zero_()
    return w


def step_of_the_data(w: Tensor, lr: float) -> Tensor:
    w.data -= lr * w.grad
    w.grad = None
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


def descend_by_optimizer(start: float, lr: float, num_steps: int) -> list[float]:
    w = torch.tensor(float(start), requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=lr)
    positions = [start]
    for _ in range(num_steps):
        optimizer.zero_grad()
        (w - 3).square().backward()
        optimizer.step()
        positions.append(np.float32(w.item()))
    return positions


def descend_with_one_loss(start: float, lr: float, num_steps: int) -> list[float]:
    w = torch.tensor(float(start), requires_grad=True)
    positions, loss = [w.item()], (w - 3) ** 2
    for _ in range(num_steps):
        loss.backward()
        positions.append(right_step(w, lr).item())
    return positions


# --- 00.7 -------------------------------------------------------------------------------


class Points:
    """Keep points and targets, in a class that is no Dataset."""

    def __init__(self, points: Tensor, targets: Tensor) -> None:
        self.points, self.targets = points, targets

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> tuple:
        return self.points[index], self.targets[index]


class PointsAsList(Points, torch.utils.data.Dataset):
    def __len__(self) -> int:
        return self.targets.size(0)

    def __getitem__(self, index: int) -> list:
        return [self.points[index], self.targets[index].item()]


class EmptyPoints(torch.utils.data.Dataset):
    def __init__(self, points: Tensor, targets: Tensor) -> None:
        self.points, self.targets = points, targets


class NoLength(Points):
    def __len__(self):
        """Return nothing."""


class NoItems(EmptyPoints):
    def __len__(self) -> int:
        return len(self.points)


# --- 00.8 and 00.9 ----------------------------------------------------------------------


class MLP(nn.Module):
    """Keep the layers in an nn.ModuleList; subclasses have other ends or activations."""

    sizes = (2, 32, 32, 1)

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(*pair) for pair in pairwise(self.sizes)])

    def forward(self, points: Tensor) -> Tensor:
        h = torch.relu(self.layers[0](points))
        return self.finish(self.layers[2](self.activate(self.layers[1](h))))

    def activate(self, h: Tensor) -> Tensor:
        return h.clamp(min=0)

    def finish(self, logits: Tensor) -> Tensor:
        return logits[:, 0]


class LazyMLP(MLP):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.LazyLinear(size) for size in self.sizes[1:]])


class TanhMLP(MLP):
    def activate(self, h: Tensor) -> Tensor:
        return h.tanh()


class NarrowMLP(MLP):
    sizes = (2, 16, 16, 1)


class SequentialMLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.output = nn.Linear(32, 1)

    def forward(self, points: Tensor) -> Tensor:
        return self.output(self.hidden(points)).flatten()


class EmptyMLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()


class NoForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Linear(2, 32)


class ReturnsNothing(MLP):
    def forward(self, points: Tensor) -> None:
        self.layers[0](points)


def accuracy_of_batches(model: nn.Module, loader: torch.utils.data.DataLoader) -> np.floating:
    model.eval()
    with torch.no_grad():
        pairs = [(model(inputs).sigmoid() >= 0.5, targets) for inputs, targets in loader]
    shares = [(predicted == targets).float().mean() for predicted, targets in pairs]
    return np.average(shares, weights=[len(targets) for _, targets in pairs])


@torch.inference_mode()
def accuracy_of_all_at_once(model: nn.Module, loader: torch.utils.data.DataLoader) -> Tensor:
    model.eval()
    batches = [(model(inputs).sigmoid().round(), targets) for inputs, targets in loader]
    predicted, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return (predicted == targets).float().mean()


RIGHT = {
    "ex_00_1": [
        (WHOLE, COUNTED, ONES),
        (torch.zeros_like(COUNTED), torch.arange(12.0).reshape(3, -1), PICTURE + 1),
    ],
    "ex_00_2": [
        (lambda t: (t - t.mean(0)) / t.std(0, correction=0),),
        (standardize_by_loop,),
        (standardize_with_std_mean,),
        (lambda t: standardize_by_loop(t.double()),),
        (lambda t: (t.numpy() - t.numpy().mean(0)) / t.numpy().std(0, ddof=1),),
    ],
    "ex_00_3": [
        (low_rank(lambda u, s, vh, r: sum(s[i] * torch.outer(u[:, i], vh[i]) for i in range(r))),),
        (low_rank_with_zeros,),
        (low_rank_of_the_full_svd,),
        (lambda matrix, rank: low_rank_with_zeros(matrix.double(), rank),),
    ],
    "ex_00_4": [("c",), (" C",)],
    "ex_00_5": [(lambda a, b, c: np.array([c, 2 * c, a + 2 * b]),), (gradients_by_torch,)],
    "ex_00_6": [
        (descend(right_step),),
        (descend(step_of_the_data, note=Tensor.item),),
        (descend(step_to_a_new_parameter),),
        (descend_by_optimizer,),
    ],
    "ex_00_7": [(Points,), (PointsAsList,)],
    "ex_00_8": [(MLP,), (SequentialMLP,), (LazyMLP,)],
    "ex_00_9": [(accuracy_of_batches,), (accuracy_of_all_at_once,)],
}

OPEN = {
    "ex_00_1": [(WHOLE, COUNTED, ...)],
    "ex_00_7": [(EmptyPoints,), (NoLength,), (NoItems,)],
    "ex_00_8": [(EmptyMLP,), (NoForward,), (ReturnsNothing,)],
}

TRAPS = [
    Trap("ex_00_1", ([[0] * 4] * 3, COUNTED, ONES), "no int64 tensor"),
    Trap("ex_00_1", (WHOLE, COUNTED.reshape(4, 3), ONES), "tensor [4, 3], is wrong"),
    Trap("ex_00_2", (lambda t: t - t.mean(0)[:2],), "Along which axis"),
    Trap("ex_00_2", (standardize_in_place,), "changes `table` in place"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u[:r] * s[:r] @ vh[:r]),), "*columns* of `u`"),
    Trap("ex_00_4", ("[11, 12]",), "one letter"),
    Trap("ex_00_5", (lambda a, b, c: (2 * c, c, a + 2 * b),), "wrong order"),
    Trap("ex_00_6", (descend(recorded_step),), "inside `with torch.no_grad():`"),
    Trap("ex_00_6", (descend(rebinding_step),), "Change w in place"),
    Trap("ex_00_6", (descend(rebinding_step_without_graph),), "Change w in place"),
    Trap("ex_00_6", (descend_with_one_loss,), "compute the loss again"),
    Trap("ex_00_6", (descend(right_step, note=lambda w: w),), "plain numbers"),
    Trap("ex_00_8", (TanhMLP,), "something else stands there"),
    Trap("ex_00_8", (NarrowMLP,), "(16, 2)"),
]
