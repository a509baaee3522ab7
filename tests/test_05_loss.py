"""Notebook 05's checks: the right answer passes, each trap is refused with a fitting word."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import checks, training


def bce(probabilities: Tensor, targets: Tensor) -> Tensor:
    p, y = probabilities, targets
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


def batches(model: nn.Module, loader: Any) -> list[tuple[float, int]]:
    with torch.no_grad():
        return [(training.classification_loss(model(x), y).item(), len(y)) for x, y in loader]


def average_loss(model: nn.Module, loader: Any) -> float:
    return training.evaluate(model, loader).loss


def training_instead(model: nn.Module, loader: Any) -> float:
    return training.train_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=0.1))


def start_anew(model: nn.Module) -> nn.Module:
    for part in model.modules():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    return model


def children_only(model: nn.Module) -> nn.Module:
    for part in model.children():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    return model


@torch.no_grad()
def filled(model: nn.Module, draw: Callable[[Tensor], Any]) -> nn.Module:
    for parameter in model.parameters():
        draw(parameter)
    return model


def other_model(model: nn.Module) -> nn.Module:
    inner = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), inner)


def replaced_parameters(model: nn.Module) -> nn.Module:
    for layer in (model[0], *model[2]):
        layer.weight = nn.Parameter(torch.rand_like(layer.weight))
    return model


def cross_entropy(logits: Tensor, targets: Tensor, dim: int = 1) -> Tensor:
    p = torch.softmax(logits, dim=dim)
    return -p[torch.arange(len(targets)), targets].log().mean()


RIGHT = {
    "v_1_a": [math.log(2), -math.log(0.5), 0.6931, 0.693, torch.tensor(0.69315)],
    "v_1_b": [bce, lambda p, y: F.binary_cross_entropy(p, y.float()).item()],
    "v_1_c": [lambda p, y: nn.BCELoss()(p, y.float())],
    "v_1_d": [
        lambda z, y: nn.BCEWithLogitsLoss()(z, y.float()),
        lambda z, y: F.softplus(z * (1 - 2 * y)).mean(),
    ],
    "v_2_a": [average_loss],
    "v_2_b": [
        start_anew,
        lambda model: model.apply(
            lambda part: part.reset_parameters() if hasattr(part, "reset_parameters") else None
        ),
    ],
    "v_3_a": [
        cross_entropy,
        nn.CrossEntropyLoss(),
        lambda z, y: F.nll_loss(z.log_softmax(1), y).item(),
    ],
    "v_3_b": [lambda z: z[:, 1] - z[:, 0], lambda z: z.softmax(1)[:, 1].logit()],
    "v_3_c": [math.log(1 + 1 / math.e), 0.3133, -math.log(torch.sigmoid(torch.tensor(1.0)))],
}

WRONG = [
    ("v_1_a", math.log(0.5), "minus sign"),
    ("v_1_a", 1.0, "bits"),
    ("v_1_a", math.log10(2), "base 10"),
    ("v_1_a", 0.5, "is the probability"),
    ("v_1_a", 2, "perplexity"),
    ("v_1_a", 0.25, "put p = 0.5"),
    ("v_1_a", torch.full((3,), math.log(2)), "one number"),
    ("v_1_b", lambda p, y: -bce(p, y), "minus sign"),
    ("v_1_b", lambda p, y: bce(p, y) * len(y), "sum over the batch"),
    ("v_1_b", lambda p, y: -(y * p.log()).mean(), "negative reviews add nothing"),
    ("v_1_b", lambda p, y: -((1 - y) * (1 - p).log()).mean(), "positive reviews add nothing"),
    ("v_1_b", lambda p, y: bce(1 - p, y), "swapped"),
    ("v_1_b", lambda p, y: -torch.where(y == 1, p, 1 - p).mean().log(), "logarithm of the mean"),
    ("v_1_b", lambda p, y: bce(p, y) / math.log(2), "natural logarithm"),
    ("v_1_b", lambda p, y: bce(p, y) / math.log(10), "natural logarithm"),
    ("v_1_b", lambda p, y: ((p - y) ** 2).mean(), "each of the four"),
    ("v_1_b", lambda p, y: -(y * p.log() + (1 - y) * (1 - p).log()), "one number"),
    ("v_1_b", lambda p, y: bce(p, y) * len(y) / (4 if len(y) == 2 else len(y)), "not by the"),
    ("v_1_b", lambda p, y: bce(p, y) if len(y) > 1 else 0.0, "batch of one"),
    ("v_1_c", lambda p, y: nn.BCELoss()(p, y), "int64"),
    ("v_1_c", lambda p, y: nn.BCEWithLogitsLoss()(p, y.float()), "sigmoid once more"),
    ("v_1_c", lambda p, y: nn.BCELoss()(p.sigmoid(), y.float()), "sigmoid once more"),
    ("v_1_c", lambda p, y: nn.BCELoss(reduction="sum")(p, y.float()), "sum"),
    ("v_1_c", lambda p, y: nn.BCELoss()(y.float(), p), "swapped"),
    ("v_1_c", lambda p, y: nn.MSELoss()(p, y.float()), "BCELoss itself"),
    ("v_1_c", lambda p, y: nn.BCELoss(reduction="none")(p, y.float()), "one number"),
    ("v_1_d", lambda z, y: nn.BCEWithLogitsLoss()(z, y), "int64"),
    ("v_1_d", lambda z, y: nn.BCELoss()(z, y.float()), "takes probabilities"),
    ("v_1_d", lambda z, y: nn.BCEWithLogitsLoss()(z.sigmoid(), y.float()), "two sigmoids"),
    ("v_1_d", lambda z, y: nn.BCELoss()(z.sigmoid(), y.float()), "forgotten"),
    ("v_1_d", lambda z, y: nn.BCEWithLogitsLoss(reduction="sum")(z, y.float()), "sum"),
    ("v_1_d", lambda z, y: nn.BCEWithLogitsLoss()(-z, y.float()), "another value"),
    ("v_2_a", training_instead, "without training"),
    (
        "v_2_a",
        lambda m, data: sum(b for b, _ in batches(m, data)) / len(data),
        "last batch is smaller",
    ),
    ("v_2_a", lambda m, data: batches(m, data)[-1][0], "last batch alone"),
    ("v_2_a", lambda m, data: batches(m, data)[0][0], "first batch alone"),
    ("v_2_a", lambda m, data: sum(b * n for b, n in batches(m, data)), "that is a sum"),
    ("v_2_a", lambda m, data: sum(b for b, _ in batches(m, data)), "that is a sum"),
    (
        "v_2_a",
        lambda m, data: sum(b * n for b, n in batches(m, data)) / len(data),
        "number of batches",
    ),
    ("v_2_a", lambda m, data: 0.69, "3, 3 and 1"),
    ("v_2_a", lambda m, data: average_loss(m, data) if len(data) > 1 else 0.0, "batch of one"),
    ("v_2_b", lambda model: model, "nothing has changed"),
    ("v_2_b", lambda model: True, "return the model"),
    ("v_2_b", other_model, "new parameters"),
    ("v_2_b", replaced_parameters, "new parameters"),
    ("v_2_b", children_only, "inside another"),
    ("v_2_b", lambda model: filled(model, nn.init.zeros_), "all its units"),
    ("v_2_b", lambda model: filled(model, nn.init.normal_), "a new layer"),
    ("v_3_a", lambda z, y: -cross_entropy(z, y), "minus sign"),
    ("v_3_a", lambda z, y: cross_entropy(z, y) * len(y), "sum over the batch"),
    ("v_3_a", lambda z, y: cross_entropy(z, y, dim=0), "which axis"),
    ("v_3_a", lambda z, y: F.cross_entropy(z.softmax(1), y), "softmax applied twice"),
    ("v_3_a", lambda z, y: F.nll_loss(z.softmax(1), y), "logarithm is missing"),
    ("v_3_a", lambda z, y: -F.nll_loss(z.softmax(1), y), "logarithm is missing"),
    ("v_3_a", lambda z, y: F.nll_loss(z.softmax(1), y).neg().log().neg(), "logarithm of the mean"),
    ("v_3_a", lambda z, y: -z.log_softmax(1).mean(), "all classes count"),
    ("v_3_a", lambda z, y: -z.log_softmax(1).sum() / len(y), "all classes count"),
    ("v_3_a", lambda z, y: F.mse_loss(z, F.one_hot(y, z.shape[1]).float()), "one sample by"),
    ("v_3_a", lambda z, y: F.cross_entropy(z, y, reduction="none"), "one number"),
    ("v_3_a", lambda z, y: cross_entropy(z, y) if len(y) > 1 else 0.0, "batch of one"),
    ("v_3_b", lambda z: z[:, 0] - z[:, 1], "sign is turned"),
    ("v_3_b", lambda z: z[:, 1], "class 1 alone"),
    ("v_3_b", lambda z: (z[:, 1] - z[:, 0]).sigmoid(), "probability already"),
    ("v_3_b", lambda z: z.softmax(1)[:, 1] - z.softmax(1)[:, 0], "two probabilities"),
    ("v_3_b", lambda z: z.sum(dim=1), "adding the same number"),
    ("v_3_b", lambda z: z.diff(dim=1), "[batch, 1]"),
    ("v_3_b", lambda z: z, "shape [batch]"),
    ("v_3_b", lambda z: [1.5, 0.0, -4.0], "tensor"),
    ("v_3_b", lambda z: z[:, 1] / 2 - z[:, 0], "second column"),
    ("v_3_b", lambda z: z.diff(dim=1).squeeze(), "batch of one"),
    ("v_3_c", -math.log(1 + 1 / math.e), "minus sign"),
    ("v_3_c", 0, "not bounded"),
    ("v_3_c", math.log(2), "undecided"),
    ("v_3_c", math.log(1 + math.e), "highest loss"),
    ("v_3_c", math.e / (1 + math.e), "that is a probability"),
    ("v_3_c", 1 / (1 + math.e), "that is a probability"),
    ("v_3_c", 1 / math.e, "ratio"),
    ("v_3_c", 0.4, "(0, 1)"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(
    name: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_STRICT", "1")
    for answer in RIGHT[name]:
        getattr(checks, name)(answer)
        assert capsys.readouterr().out.startswith("✓ V.")


@pytest.mark.parametrize("name", RIGHT)
def test_unanswered_exercises_stay_open(
    name: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = [None, ...] if name in ("v_1_a", "v_3_c") else [None, lambda *_: None, lambda *_: ...]
    for answer in empty:
        monkeypatch.delenv("COURSE_STRICT", raising=False)
        getattr(checks, name)(answer)
        assert capsys.readouterr().out.startswith("… V.")
        monkeypatch.setenv("COURSE_STRICT", "1")
        with pytest.raises(checks.Open):
            getattr(checks, name)(answer)


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_traps_are_named(
    name: str,
    answer: Any,
    words: str,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    getattr(checks, name)(answer)
    line = capsys.readouterr().out
    assert line.startswith("✗ V.")
    assert words in line
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(checks.Wrong):
        getattr(checks, name)(answer)


def test_an_error_in_the_answer_does_not_stop_the_notebook(capsys: pytest.CaptureFixture) -> None:
    for name in ("v_1_b", "v_1_c", "v_1_d", "v_2_a", "v_2_b", "v_3_a", "v_3_b"):
        getattr(checks, name)(lambda *_: 1 / 0)
        assert "ZeroDivisionError" in capsys.readouterr().out
