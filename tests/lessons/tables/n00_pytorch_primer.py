"""What readers answer in notebook 00 · PyTorch in one sitting."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.lessons.tables import Trap

# --- 0.1 to 0.5 ---------------------------------------------------------------------------

PICTURE = torch.zeros(4, 5, 3)
WHOLE = torch.zeros(3, 4, dtype=torch.int64)
COUNTED = torch.arange(12).reshape(3, 4)
ONES = torch.ones_like(PICTURE)


def standardize(table: Tensor) -> Tensor:
    return (table - table.mean(dim=0)) / table.std(dim=0)


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
    """Make an answer to 0.3 that multiplies what `choose` picks from u, s and vh."""

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


# --- 0.6 ----------------------------------------------------------------------------------


def descend(step: Callable, first: bool = True, last: bool = True, note: Callable = float):
    """Make an answer to 0.6 whose update is `step(w, lr)`, which returns the next w."""

    def answer(start: float, lr: float, num_steps: int) -> list:
        w = torch.tensor(float(start), requires_grad=True)
        positions = [note(w)] if first else []
        for index in range(num_steps):
            ((w - 3) ** 2).backward()
            w = step(w, lr)
            if last or index < num_steps - 1:
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


@torch.no_grad()
def forgetful_step(w: Tensor, lr: float) -> Tensor:
    w -= lr * w.grad
    return w


@torch.no_grad()
def too_early_step(w: Tensor, lr: float) -> Tensor:
    w.grad.zero_()
    w -= lr * w.grad
    return w


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


# --- 0.7 ----------------------------------------------------------------------------------


class Points:
    """The right answer to 0.7; subclasses spoil it."""

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


def points_with(length: Callable = len, item: Callable | None = None) -> type:
    """Make a subclass of the right answer with another length or other samples."""

    class Spoilt(Points):
        def __len__(self) -> int:
            return length(self.points)

        def __getitem__(self, index: int) -> tuple:
            return (item or Points.__getitem__)(self, index)

    return Spoilt


# --- 0.8 and 0.9 --------------------------------------------------------------------------


class MLP(nn.Module):
    """The right answer to 0.8, with places to spoil it."""

    def __init__(
        self,
        sizes: tuple[int, ...] = (2, 32, 32, 1),
        first: Callable = torch.relu,
        second: Callable = torch.relu,
        finish: Callable = lambda logits: logits.squeeze(1),
        keep: Callable = nn.ModuleList,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.layers = keep([nn.Linear(*pair, bias=bias) for pair in pairwise(sizes)])
        self.first, self.second, self.finish = first, second, finish

    def forward(self, points: Tensor) -> Tensor:
        h = self.first(self.layers[0](points))
        return self.finish(self.layers[2](self.second(self.layers[1](h))))


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


def mlp(**options) -> type:
    """Make a subclass of the right answer with something in it changed."""

    class Changed(MLP):
        def __init__(self) -> None:
            super().__init__(**options)

    return Changed


def same(values: Tensor) -> Tensor:
    return values


def accuracy(
    predict: Callable = lambda logits: logits > 0,
    total: Callable = lambda right, sizes: sum(right) / sum(sizes),
    evaluation: bool = True,
    grad: bool = False,
) -> Callable:
    """Make an answer to 0.9, with places to spoil it."""

    def accuracy_on(model: nn.Module, loader: torch.utils.data.DataLoader) -> float:
        model.train(not evaluation)
        right, sizes = [], []
        with torch.set_grad_enabled(grad):
            for inputs, targets in loader:
                right.append((predict(model(inputs)) == targets).sum().item())
                sizes.append(len(targets))
        return total(right, sizes)

    return accuracy_on


@torch.inference_mode()
def accuracy_of_all_at_once(model: nn.Module, loader: torch.utils.data.DataLoader) -> Tensor:
    model.eval()
    batches = [(model(inputs).sigmoid().round(), targets) for inputs, targets in loader]
    predicted, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return (predicted == targets).float().mean()


RIGHT = {
    "ex_00_1": [
        (WHOLE, COUNTED, ONES),
        (torch.zeros(3, 4).long(), torch.tensor(range(12)).view(3, 4), torch.ones(PICTURE.shape)),
        (torch.zeros_like(COUNTED), torch.arange(12.0).reshape(3, -1), PICTURE + 1),
    ],
    "ex_00_2": [
        (standardize,),
        (lambda t: (t - t.mean(0)) / t.std(0, correction=0),),
        (standardize_by_loop,),
        (standardize_with_std_mean,),
        (lambda t: standardize(t.double()),),
        (lambda t: torch.from_numpy((t.numpy() - t.numpy().mean(0)) / t.numpy().std(0)),),
    ],
    "ex_00_3": [
        (low_rank(lambda u, s, vh, r: (u[:, :r] * s[:r]) @ vh[:r]),),
        (low_rank(lambda u, s, vh, r: u[:, :r] @ torch.diag(s[:r]) @ vh[:r]),),
        (low_rank(lambda u, s, vh, r: sum(s[i] * torch.outer(u[:, i], vh[i]) for i in range(r))),),
        (low_rank(lambda u, s, vh, r: u[:, :r] @ (s[:r, None] * vh[:r])),),
        (low_rank_with_zeros,),
        (low_rank_of_the_full_svd,),
        (lambda matrix, rank: low_rank_with_zeros(matrix.double(), rank),),
    ],
    "ex_00_4": [("c",), (" C",)],
    "ex_00_5": [
        (lambda a, b, c: (c, 2 * c, a + 2 * b),),
        (lambda a, b, c: torch.tensor([c, 2 * c, a + 2 * b]),),
        (lambda a, b, c: np.array([c, 2 * c, a + 2 * b]),),
        (gradients_by_torch,),
    ],
    "ex_00_6": [
        (descend(right_step),),
        (descend(step_of_the_data, note=Tensor.item),),
        (descend(step_to_a_new_parameter),),
        (descend_by_optimizer,),
    ],
    "ex_00_7": [(Points,), (PointsAsList,)],
    "ex_00_8": [
        (MLP,),
        (SequentialMLP,),
        (mlp(first=F.relu, second=nn.ReLU(), finish=lambda logits: logits[:, 0]),),
        (mlp(first=lambda h: h.clamp(min=0), finish=lambda logits: logits.reshape(-1)),),
        (mlp(finish=nn.Flatten(0)),),
        (mlp(finish=lambda logits: logits.squeeze(-1)),),
    ],
    "ex_00_9": [
        (accuracy(),),
        (accuracy(predict=lambda logits: (logits.sigmoid() >= 0.5).long()),),
        (accuracy(total=lambda right, sizes: np.average(np.divide(right, sizes), weights=sizes)),),
        (accuracy_of_all_at_once,),
    ],
}

OPEN = {
    "ex_00_1": [(WHOLE, COUNTED, ...)],
    "ex_00_7": [(EmptyPoints,), (NoLength,), (NoItems,)],
    "ex_00_8": [(EmptyMLP,), (NoForward,), (ReturnsNothing,)],
}

SECRETS = {
    "ex_00_1": ("torch.zeros(", "torch.int64)", "arange", "ones_like"),
    "ex_00_2": ("dim=0", "mean(0)", ".std("),
    "ex_00_3": (":rank", "u * s", "u[:", "vh["),
    "ex_00_4": ("[11", "c is right"),
    "ex_00_5": ("2 * c", "2c", " 8", " 11", "c, "),
    "ex_00_6": ("-=", "zero_()", "0.6,", "1.08"),
    "ex_00_7": ("len(self", "self.points[", "self.targets["),
    "ex_00_8": ("squeeze(1)", "squeeze(-1)", "nn.Linear(", "1,185", "1185"),
    "ex_00_9": ("> 0", "above 0", "model.eval()", "no_grad", "0.714"),
}

TRAPS = [
    Trap("ex_00_1", (torch.zeros(3, 4), COUNTED, ONES), "whole numbers"),
    Trap("ex_00_1", (WHOLE.int(), COUNTED, ONES), "not int64"),
    Trap("ex_00_1", (WHOLE.bool(), COUNTED, ONES), "not int64"),
    Trap("ex_00_1", (WHOLE.T, COUNTED, ONES), "[4, 3]"),
    Trap("ex_00_1", (WHOLE + 1, COUNTED, ONES), "something else"),
    Trap("ex_00_1", ([[0] * 4] * 3, COUNTED, ONES), "not a tensor"),
    Trap("ex_00_1", (WHOLE.numpy(), COUNTED, ONES), "not a tensor"),
    Trap("ex_00_1", (WHOLE, COUNTED + 1, ONES), "starts at 1"),
    Trap("ex_00_1", (WHOLE, torch.arange(12), ONES), "[12]"),
    Trap("ex_00_1", (WHOLE, COUNTED.reshape(4, 3), ONES), "[4, 3]"),
    Trap("ex_00_1", (WHOLE, torch.arange(12).reshape(4, 3).T, ONES), "down the columns"),
    Trap("ex_00_1", (WHOLE, torch.zeros(3, 4), ONES), "row by row"),
    Trap("ex_00_1", (WHOLE, COUNTED, ONES.long()), "type of `picture`"),
    Trap("ex_00_1", (WHOLE, COUNTED, torch.ones(3, 4)), "[4, 5, 3] is wanted"),
    Trap("ex_00_1", (WHOLE, COUNTED, PICTURE), "something else"),
    Trap("ex_00_2", (lambda t: (t - t.mean(1)) / t.std(1),), "a *row*"),
    Trap("ex_00_2", (lambda t: (t - t.mean(1)) / t.std(0),), "a *row*"),
    Trap("ex_00_2", (lambda t: (t - t.mean(0)) / t.std(1),), "a *row*"),
    Trap("ex_00_2", (lambda t: t - t.mean(0),), "nothing has been divided"),
    Trap("ex_00_2", (lambda t: t / t.std(0),), "means are not 0"),
    Trap("ex_00_2", (lambda t: t - t.mean(0) / t.std(0),), "brackets"),
    Trap("ex_00_2", (lambda t: (t - t.mean()) / t.std(),), "whole table"),
    Trap("ex_00_2", (lambda t: (t - t.mean(0)) / t.std(),), "whole table"),
    Trap("ex_00_2", (lambda t: (t - t.mean()) / t.std(0),), "whole table"),
    Trap("ex_00_2", (lambda t: (t - t.mean(0)) / t.var(0),), "variance"),
    Trap("ex_00_2", (lambda t: (t - t.mean(1, True)) / t.std(1, keepdim=True),), "each row"),
    Trap("ex_00_2", (lambda t: (t - t.amin(0)) / (t.amax(0) - t.amin(0)),), "between 0 and 1"),
    Trap("ex_00_2", (lambda t: t - t.mean(0)[:2],), "do not fit"),
    Trap("ex_00_2", (lambda t: t.mean(0),), "has the shape [3]"),
    Trap("ex_00_2", (lambda t: standardize(t).numpy(),), "not a tensor"),
    Trap("ex_00_2", (standardize_in_place,), "work in place"),
    Trap("ex_00_2", (lambda t: t,), "do not have mean 0"),
    Trap("ex_00_2", (lambda t: 2 * standardize(t),), "do not have mean 0"),
    Trap("ex_00_3", (lambda matrix, rank: matrix,), "where does `rank` come in"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u * s @ vh),), "where does `rank` come in"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u[:, :r] @ vh[:r]),), "are missing"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u[:, -r:] * s[-r:] @ vh[-r:]),), "*smallest*"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u[:, r:] * s[r:] @ vh[r:]),), "*smallest*"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u[:, :r] * s[:r] @ vh[:, :r].T),), "unnoticed"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u[:, :r] * s[:r] @ vh.T[:r]),), "unnoticed"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u * s[:r] @ vh[:r]),), "shapes do not fit"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u[:r] * s[:r] @ vh[:r]),), "*columns* of `u`"),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: vh[:r]),), "has the shape"),
    Trap(
        "ex_00_3",
        (low_rank(lambda u, s, vh, r: u[:, : r + 1] * s[: r + 1] @ vh[: r + 1]),),
        "keeps 3 singular values instead of 2",
    ),
    Trap("ex_00_3", (low_rank(lambda u, s, vh, r: u[:, :r] * s[:r] ** 2 @ vh[:r]),), "in between"),
    Trap("ex_00_4", ("a",), "copies nothing"),
    Trap("ex_00_4", ("b",), "makes a new tensor"),
    Trap("ex_00_4", ("d",), "does not change x"),
    Trap("ex_00_4", ("e",), "one letter"),
    Trap("ex_00_4", ("[11, 12]",), "one letter"),
    Trap("ex_00_4", (torch.tensor([11.0, 12.0]),), "one letter"),
    Trap("ex_00_5", (lambda a, b, c: (c, c, a + 2 * b),), "twice as strongly"),
    Trap("ex_00_5", (lambda a, b, c: (c, 2, a + 2 * b),), "arrives at u"),
    Trap("ex_00_5", (lambda a, b, c: (c, 2 * c, a + b),), "multiplied by"),
    Trap("ex_00_5", (lambda a, b, c: (2 * b, a + 2 * b, c * (a + 2 * b)),), "forward pass"),
    Trap("ex_00_5", (lambda a, b, c: (1, 2, a + 2 * b),), "one step alone"),
    Trap("ex_00_5", (lambda a, b, c: (a + 2 * b, 2 * c, c),), "wrong order"),
    Trap("ex_00_5", (lambda a, b, c: (2 * c, c, a + 2 * b),), "wrong order"),
    Trap("ex_00_5", (lambda a, b, c: (4, 8, 11),), "Nudge a"),
    Trap("ex_00_5", (lambda a, b, c: (c, 2 * c, c * a),), "derivative by c is not 20"),
    Trap("ex_00_5", (lambda a, b, c: c,), "three numbers"),
    Trap("ex_00_5", (lambda a, b, c: {"a": c, "b": 2 * c, "c": a + 2 * b},), "three numbers"),
    Trap("ex_00_6", (descend(forgetful_step),), "sum of all gradients"),
    Trap("ex_00_6", (descend(recorded_step),), "inside torch.no_grad"),
    Trap("ex_00_6", (descend(rebinding_step),), "Change w in place"),
    Trap("ex_00_6", (descend(rebinding_step_without_graph),), "Change w in place"),
    Trap("ex_00_6", (descend(too_early_step),), "emptied before it was used"),
    Trap("ex_00_6", (descend(lambda w, lr: right_step(w, -lr)),), "uphill"),
    Trap("ex_00_6", (descend(lambda w, lr: right_step(w, 1)),), "learning rate is not used"),
    Trap("ex_00_6", (descend(lambda w, lr: right_step(w, lr / 2)),), "How long is that step"),
    Trap("ex_00_6", (descend_with_one_loss,), "compute the loss anew"),
    Trap("ex_00_6", (descend(right_step, first=False),), "the start or the end missing"),
    Trap("ex_00_6", (descend(right_step, last=False),), "the start or the end missing"),
    Trap("ex_00_6", (descend(right_step, note=same),), "w.item()"),
    Trap("ex_00_6", (descend(right_step, note=lambda w: w.detach().clone()),), "plain numbers"),
    Trap("ex_00_6", (lambda start, lr, num_steps: [3.0] * (num_steps + 1),), "number 0"),
    Trap("ex_00_6", (lambda start, lr, num_steps: 3.0,), "list of positions"),
    Trap("ex_00_7", (points_with(length=lambda points: points.shape[1]),), "number of coordinates"),
    Trap("ex_00_7", (points_with(length=Tensor.numel),), "Count samples"),
    Trap("ex_00_7", (points_with(length=lambda points: 5),), "the length is 5 for 1"),
    Trap("ex_00_7", (points_with(item=lambda self, i: self.points[i][:1]),), "a pair"),
    Trap("ex_00_7", (points_with(item=lambda self, i: (self.points, self.targets)),), "shape [2]"),
    Trap(
        "ex_00_7", (points_with(item=lambda self, i: (self.points[i], self.targets)),), "target nu"
    ),
    Trap(
        "ex_00_7",
        (points_with(item=lambda self, i: (self.targets[i], self.points[i])),),
        "wrong way round",
    ),
    Trap(
        "ex_00_7",
        (points_with(item=lambda self, i: (self.points[0], self.targets[0])),),
        "another sample",
    ),
    Trap(
        "ex_00_7",
        (points_with(item=lambda self, i: (self.points[i - 1], self.targets[i - 1])),),
        "another sample",
    ),
    Trap("ex_00_8", (mlp(sizes=(2, 16, 16, 1)),), "have the shapes"),
    Trap("ex_00_8", (mlp(sizes=(2, 32, 1)),), "have the shapes"),
    Trap("ex_00_8", (mlp(keep=list),), "a plain list"),
    Trap("ex_00_8", (mlp(bias=False),), "has a bias"),
    Trap("ex_00_8", (mlp(finish=torch.squeeze),), "lost its axis"),
    Trap("ex_00_8", (mlp(finish=same),), "the last axis has to go"),
    Trap("ex_00_8", (mlp(finish=Tensor.tolist),), "return a tensor"),
    Trap("ex_00_8", (mlp(finish=lambda x: x.squeeze(1).sigmoid()),), "a probability"),
    Trap("ex_00_8", (mlp(finish=lambda x: x.squeeze(1).relu()),), "every negative logit"),
    Trap("ex_00_8", (mlp(first=same),), "ReLU is missing"),
    Trap("ex_00_8", (mlp(second=same),), "ReLU is missing"),
    Trap("ex_00_8", (mlp(first=same, second=same),), "ReLU is missing"),
    Trap("ex_00_8", (mlp(second=torch.tanh),), "something else stands there"),
    Trap("ex_00_8", (mlp(first=lambda x: 2 * x.relu()),), "in order"),
    Trap("ex_00_9", (accuracy(predict=lambda logits: logits > 0.5),), "not a probability"),
    Trap("ex_00_9", (accuracy(predict=lambda logits: logits <= 0),), "*wrong*"),
    Trap("ex_00_9", (accuracy(predict=same),), "*equal* to a target"),
    Trap("ex_00_9", (accuracy(total=lambda r, n: np.mean(np.divide(r, n))),), "mean of the batch"),
    Trap("ex_00_9", (accuracy(total=lambda r, n: r[-1] / n[-1]),), "last batch alone"),
    Trap("ex_00_9", (accuracy(total=lambda r, n: sum(r) / len(r)),), "number of batches"),
    Trap("ex_00_9", (accuracy(total=lambda r, n: sum(r)),), "between 0 and 1"),
    Trap("ex_00_9", (accuracy(total=lambda r, n: 100 * sum(r) / sum(n)),), "between 0 and 1"),
    Trap("ex_00_9", (accuracy(total=lambda r, n: (sum(r), sum(n))),), "single number"),
    Trap("ex_00_9", (accuracy(predict=lambda logits: logits > -0.7),), "Count the right"),
    Trap("ex_00_9", (accuracy(evaluation=False),), "training mode"),
    Trap("ex_00_9", (accuracy(grad=True),), "records every step"),
    Trap("ex_00_9", (lambda model, loader: 5 / 7,), "a single sample"),
]
