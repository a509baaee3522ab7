"""Notebook 00: its checks refuse each trap with words that help, and its pictures are right."""

from collections.abc import Callable

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from torch import nn

from helpers import checks, plots

matplotlib.use("Agg")

PICTURE = torch.zeros(4, 5, 3)


def right_standardise(table: torch.Tensor) -> torch.Tensor:
    return (table - table.mean(dim=0)) / table.std(dim=0)


def in_place_standardise(table: torch.Tensor) -> torch.Tensor:
    table -= table.mean(dim=0)
    return table / table.std(dim=0)


def low_rank(choose: Callable) -> Callable:
    """Make an answer to 0.3 that multiplies what `choose` picks from u, s and vh."""

    def answer(matrix: torch.Tensor, rank: int) -> torch.Tensor:
        return choose(*torch.linalg.svd(matrix, full_matrices=False), rank)

    return answer


def descend(step: Callable, first: bool = True, last: bool = True, number: bool = True) -> Callable:
    """Make an answer to 0.6 whose update is `step(w, lr)`, which returns the next w."""

    def answer(start: float, lr: float, num_steps: int) -> list:
        w = torch.tensor(float(start), requires_grad=True)
        positions = [w.item() if number else w] if first else []
        for index in range(num_steps):
            ((w - 3) ** 2).backward()
            w = step(w, lr)
            if last or index < num_steps - 1:
                positions.append(w.item() if number else w)
        return positions

    return answer


@torch.no_grad()
def right_step(w: torch.Tensor, lr: float) -> torch.Tensor:
    w -= lr * w.grad
    w.grad.zero_()
    return w


@torch.no_grad()
def forgetful_step(w: torch.Tensor, lr: float) -> torch.Tensor:
    w -= lr * w.grad
    return w


def recorded_step(w: torch.Tensor, lr: float) -> torch.Tensor:
    w -= lr * w.grad
    return w


def rebinding_step(w: torch.Tensor, lr: float) -> torch.Tensor:
    w = w - lr * w.grad
    w.grad.zero_()
    return w


@torch.no_grad()
def rebinding_step_without_graph(w: torch.Tensor, lr: float) -> torch.Tensor:
    return w - lr * w.grad


class Points:
    """The right answer to 0.7; subclasses spoil it."""

    def __init__(self, points: torch.Tensor, targets: torch.Tensor) -> None:
        self.points, self.targets = points, targets

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> tuple:
        return self.points[index], self.targets[index]


class EmptyPoints(torch.utils.data.Dataset):
    def __init__(self, points: torch.Tensor, targets: torch.Tensor) -> None:
        self.points, self.targets = points, targets


class NoLength(Points):
    def __len__(self):
        """Return nothing."""


class WidthAsLength(Points):
    def __len__(self) -> int:
        return self.points.shape[1]


class NumbersAsLength(Points):
    def __len__(self) -> int:
        return self.points.numel()


class OnlyPoint(Points):
    def __getitem__(self, index: int) -> torch.Tensor:
        return self.points[index][:1]


class AllPoints(Points):
    def __getitem__(self, index: int) -> tuple:
        return self.points, self.targets


class AlwaysFirst(Points):
    def __getitem__(self, index: int) -> tuple:
        return self.points[0], self.targets[0]


class MLP(nn.Module):
    """The right answer to 0.8, with places to spoil it."""

    def __init__(
        self,
        sizes: tuple[int, ...] = (2, 32, 32, 1),
        first: Callable = torch.relu,
        second: Callable = torch.relu,
        finish: Callable = lambda logits: logits.squeeze(1),
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(map(nn.Linear, sizes[:-1], sizes[1:]))
        self.first, self.second, self.finish = first, second, finish

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        h = self.first(self.layers[0](points))
        return self.finish(self.layers[2](self.second(self.layers[1](h))))


class EmptyMLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()


class NoForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Linear(2, 32)


class OtherMLP(MLP):
    """The right layers in other sizes."""

    def __init__(self) -> None:
        super().__init__((2, 16, 16, 1))


def spoilt(**options: Callable) -> type:
    """Make a subclass of the right answer with something in it spoilt."""

    class Spoilt(MLP):
        def __init__(self) -> None:
            super().__init__(**options)

    return Spoilt


def same(values: torch.Tensor) -> torch.Tensor:
    return values


def accuracy(
    predict: Callable = lambda logits: logits > 0,
    total: Callable = lambda right, sizes: sum(right) / sum(sizes),
    evaluation: bool = True,
    grad: bool = False,
) -> Callable:
    """Make an answer to 0.9, with places to spoil it."""

    def answer(model: nn.Module, loader: torch.utils.data.DataLoader) -> float:
        model.train(not evaluation)
        right, sizes = [], []
        with torch.set_grad_enabled(grad):
            for inputs, targets in loader:
                right.append((predict(model(inputs)) == targets).sum().item())
                sizes.append(len(targets))
        return total(right, sizes)

    return answer


def zeros(**options) -> torch.Tensor:
    return torch.zeros(3, 4, **options)


COUNTED = torch.arange(12).reshape(3, 4)
WHOLE = zeros(dtype=torch.int64)
ONES = torch.ones_like(PICTURE)

RIGHT = [
    (checks.ex_0_1, (WHOLE, COUNTED, ONES)),
    (checks.ex_0_2, (right_standardise,)),
    (checks.ex_0_2, (lambda t: (t - t.mean(0)) / t.std(0, correction=0),)),
    (checks.ex_0_3, (low_rank(lambda u, s, vh, r: (u[:, :r] * s[:r]) @ vh[:r]),)),
    (checks.ex_0_3, (low_rank(lambda u, s, vh, r: u[:, :r] @ torch.diag(s[:r]) @ vh[:r]),)),
    (checks.ex_0_4, ("c",)),
    (checks.ex_0_4, (" C",)),
    (checks.ex_0_5, (lambda a, b, c: (c, 2 * c, a + 2 * b),)),
    (checks.ex_0_6, (descend(right_step),)),
    (checks.ex_0_7, (Points,)),
    (checks.ex_0_8, (MLP,)),
    (checks.ex_0_9, (accuracy(),)),
]

OPEN = [
    (checks.ex_0_1, (None, None, None)),
    (checks.ex_0_1, (WHOLE, COUNTED, ...)),
    (checks.ex_0_2, (lambda table: None,)),
    (checks.ex_0_3, (lambda matrix, rank: ...,)),
    (checks.ex_0_4, (None,)),
    (checks.ex_0_5, (lambda a, b, c: None,)),
    (checks.ex_0_6, (lambda start, lr, num_steps: None,)),
    (checks.ex_0_7, (EmptyPoints,)),
    (checks.ex_0_7, (NoLength,)),
    (checks.ex_0_8, (EmptyMLP,)),
    (checks.ex_0_8, (NoForward,)),
    (checks.ex_0_9, (lambda model, loader: None,)),
]

WRONG = [
    (checks.ex_0_1, (zeros(), COUNTED, ONES), "whole numbers"),
    (checks.ex_0_1, (zeros(dtype=torch.int32), COUNTED, ONES), "not int64"),
    (checks.ex_0_1, (WHOLE.T, COUNTED, ONES), "[4, 3]"),
    (checks.ex_0_1, (WHOLE + 1, COUNTED, ONES), "something else"),
    (checks.ex_0_1, ([[0] * 4] * 3, COUNTED, ONES), "not a tensor"),
    (checks.ex_0_1, (WHOLE, COUNTED + 1, ONES), "starts at 1"),
    (checks.ex_0_1, (WHOLE, torch.arange(12), ONES), "[12]"),
    (checks.ex_0_1, (WHOLE, torch.arange(12).reshape(4, 3).T, ONES), "down the columns"),
    (checks.ex_0_1, (WHOLE, COUNTED, ONES.long()), "type of `picture`"),
    (checks.ex_0_1, (WHOLE, COUNTED, PICTURE), "something else"),
    (checks.ex_0_2, (lambda t: (t - t.mean(1)) / t.std(1),), "a *row*"),
    (checks.ex_0_2, (lambda t: t - t.mean(0),), "nothing has been divided"),
    (checks.ex_0_2, (lambda t: (t - t.mean()) / t.std(),), "whole table"),
    (checks.ex_0_2, (lambda t: (t - t.mean(0)) / t.var(0),), "variance"),
    (checks.ex_0_2, (lambda t: (t - t.mean(1, True)) / t.std(1, keepdim=True),), "each row"),
    (checks.ex_0_2, (lambda t: t - t.mean(0)[:2],), "do not fit"),
    (checks.ex_0_2, (lambda t: t.mean(0),), "has the shape [3]"),
    (checks.ex_0_2, (in_place_standardise,), "work in place"),
    (checks.ex_0_2, (lambda t: t,), "do not have mean 0"),
    (checks.ex_0_3, (lambda matrix, rank: matrix,), "where does `rank` come in"),
    (checks.ex_0_3, (low_rank(lambda u, s, vh, r: u[:, :r] @ vh[:r]),), "are missing"),
    (checks.ex_0_3, (low_rank(lambda u, s, vh, r: (u[:, -r:] * s[-r:]) @ vh[-r:]),), "*smallest*"),
    (checks.ex_0_3, (low_rank(lambda u, s, vh, r: (u[:, :r] * s[:r]) @ vh[:, :r].T),), "unnoticed"),
    (checks.ex_0_3, (low_rank(lambda u, s, vh, r: (u[:, :r] * s[:r]) @ vh.T[:r]),), "unnoticed"),
    (checks.ex_0_3, (low_rank(lambda u, s, vh, r: (u * s[:r]) @ vh[:r]),), "shapes do not fit"),
    (checks.ex_0_3, (low_rank(lambda u, s, vh, r: vh[:r]),), "has the shape"),
    (checks.ex_0_4, ("a",), "copies nothing"),
    (checks.ex_0_4, ("b",), "makes a new tensor"),
    (checks.ex_0_4, ("d",), "does not change x"),
    (checks.ex_0_4, ("[11, 12]",), "one letter"),
    (checks.ex_0_5, (lambda a, b, c: (c, c, a + 2 * b),), "twice as strongly"),
    (checks.ex_0_5, (lambda a, b, c: (c, 2 * c, a + b),), "multiplied by"),
    (checks.ex_0_5, (lambda a, b, c: (2 * b, a + 2 * b, c * (a + 2 * b)),), "forward pass"),
    (checks.ex_0_5, (lambda a, b, c: (1, 2, a + 2 * b),), "one step alone"),
    (checks.ex_0_5, (lambda a, b, c: (a + 2 * b, 2 * c, c),), "wrong order"),
    (checks.ex_0_5, (lambda a, b, c: (4, 8, 11),), "Nudge"),
    (checks.ex_0_5, (lambda a, b, c: c,), "three numbers"),
    (checks.ex_0_6, (descend(forgetful_step),), "sum of all gradients"),
    (checks.ex_0_6, (descend(recorded_step),), "inside torch.no_grad"),
    (checks.ex_0_6, (descend(rebinding_step),), "Change w in place"),
    (checks.ex_0_6, (descend(rebinding_step_without_graph),), "Change w in place"),
    (checks.ex_0_6, (descend(lambda w, lr: right_step(w, -lr)),), "uphill"),
    (checks.ex_0_6, (descend(lambda w, lr: right_step(w, lr / 2)),), "should be"),
    (checks.ex_0_6, (descend(right_step, first=False),), "start or the end missing"),
    (checks.ex_0_6, (descend(right_step, last=False),), "start or the end missing"),
    (checks.ex_0_6, (descend(right_step, number=False),), "w.item()"),
    (checks.ex_0_6, (lambda start, lr, num_steps: 3.0,), "list of positions"),
    (checks.ex_0_7, (WidthAsLength,), "number of coordinates"),
    (checks.ex_0_7, (NumbersAsLength,), "Count samples"),
    (checks.ex_0_7, (OnlyPoint,), "a pair"),
    (checks.ex_0_7, (AllPoints,), "of shape [2]"),
    (checks.ex_0_7, (AlwaysFirst,), "another sample"),
    (checks.ex_0_8, (OtherMLP,), "have the shapes"),
    (checks.ex_0_8, (spoilt(finish=torch.squeeze),), "lost its axis"),
    (checks.ex_0_8, (spoilt(finish=same),), "the last axis has to go"),
    (checks.ex_0_8, (spoilt(finish=lambda x: x.squeeze(1).sigmoid()),), "a probability"),
    (checks.ex_0_8, (spoilt(finish=lambda x: x.squeeze(1).relu()),), "every negative logit"),
    (checks.ex_0_8, (spoilt(first=same),), "ReLU is missing"),
    (checks.ex_0_8, (spoilt(second=same),), "ReLU is missing"),
    (checks.ex_0_8, (spoilt(first=same, second=same),), "ReLU is missing"),
    (checks.ex_0_8, (spoilt(first=lambda x: 2 * x.relu()),), "in order"),
    (checks.ex_0_9, (accuracy(predict=lambda logits: logits > 0.5),), "not a probability"),
    (checks.ex_0_9, (accuracy(predict=lambda logits: logits <= 0),), "*wrong*"),
    (checks.ex_0_9, (accuracy(total=lambda r, n: np.mean(np.divide(r, n))),), "mean of the batch"),
    (checks.ex_0_9, (accuracy(total=lambda r, n: r[-1] / n[-1]),), "last batch alone"),
    (checks.ex_0_9, (accuracy(total=lambda r, n: sum(r)),), "between 0 and 1"),
    (checks.ex_0_9, (accuracy(total=lambda r, n: 100 * sum(r) / sum(n)),), "between 0 and 1"),
    (checks.ex_0_9, (accuracy(predict=lambda logits: logits > -0.7),), "5 of 7"),
    (checks.ex_0_9, (accuracy(evaluation=False),), "training mode"),
    (checks.ex_0_9, (accuracy(grad=True),), "records every step"),
    (checks.ex_0_9, (lambda model, loader: 5 / 7,), "a single sample"),
]


def line_of(check: Callable, answers: tuple, capsys: pytest.CaptureFixture) -> str:
    check(*answers)
    return capsys.readouterr().out


@pytest.mark.parametrize(("check", "answers"), RIGHT)
def test_right_answer_passes(check, answers, capsys):
    assert line_of(check, answers, capsys).startswith("✓ 0.")


@pytest.mark.parametrize(("check", "answers"), OPEN)
def test_unanswered_stays_open(check, answers, capsys, monkeypatch):
    assert line_of(check, answers, capsys).startswith("… 0.")
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(checks.Open):
        check(*answers)


@pytest.mark.parametrize(("check", "answers", "words"), WRONG)
def test_trap_is_named(check, answers, words, capsys, monkeypatch):
    line = line_of(check, answers, capsys)
    assert line.startswith("✗ 0.")
    assert words in line
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(checks.Wrong):
        check(*answers)


@pytest.fixture
def ax() -> Axes:
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_computation_graph_shows_values_and_gradients_from_left_to_right(ax):
    edges = [("b", "u"), ("a", "v"), ("u", "v"), ("c", "L"), ("v", "L")]
    values = {"a": 5, "b": 3, "c": 4, "u": 6, "v": 11, "L": 44}
    gradients = {"a": 4, "b": 8, "c": 11, "u": 4, "v": 4, "L": 1}
    plots.computation_graph(edges, {name: name for name in values}, values, gradients, "title", ax)
    texts = [(text.get_text(), *text.get_position()) for text in ax.texts if text.get_text()]
    assert len(texts) == 12
    places = {text.split("\n")[0]: (x, y) for text, x, y in texts if "\n" in text}
    assert {text for text, *_ in texts if "\n" in text} == {f"{n}\n{v}" for n, v in values.items()}
    for start, end in edges:
        assert places[start][0] < places[end][0]
    for name, (x, y) in places.items():
        below = [text for text, tx, ty in texts if tx == x and y - 0.5 < ty < y]
        assert below == [f"gradient {gradients[name]}"]


def test_decision_boundary_shades_each_side_as_the_model_says(ax):
    class RightHalf(nn.Module):
        """Class 1 is right of x = 0.5, whatever y is."""

        def __init__(self) -> None:
            super().__init__()
            self.slope = nn.Parameter(torch.tensor(10.0))

        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return self.slope * (points[:, 0] - 0.5)

    points = torch.tensor([[-1.0, 0.0], [2.0, 0.0], [2.0, 5.0]])
    plots.decision_boundary(RightHalf(), points, torch.tensor([0, 1, 1]), "title", ax)
    filled, line, *dots = ax.collections
    border = np.concatenate([path.vertices for path in line.get_paths()])
    assert border[:, 0] == pytest.approx(0.5, abs=0.02)
    assert border[:, 1].min() < -0.3
    assert border[:, 1].max() > 5.3
    assert [len(dot.get_offsets()) for dot in dots] == [1, 2]
    values = filled.get_array()
    for level, path in zip(values, filled.get_paths(), strict=True):
        if len(path.vertices) and level < 0.5:
            assert path.vertices[:, 0].max() < 0.52
        elif len(path.vertices):
            assert path.vertices[:, 0].min() > 0.48


def test_learning_curves_count_epochs_from_one(ax):
    plots.learning_curves({"train": [0.5, 0.4], "validation": [0.6, 0.5, 0.45]}, "title", ax=ax)
    assert [list(line.get_xdata()) for line in ax.lines] == [[1, 2], [1, 2, 3]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train", "validation"]
    assert ax.get_xlabel() == "epoch"
    assert "nats" in ax.get_ylabel()
