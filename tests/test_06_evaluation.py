"""Notebook 06: its checks and its pictures. (tests/test_training.py has evaluate and fit.)"""

import math
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn import metrics
from torch import Tensor, nn

from helpers import checks, plots, training

# --- the checks ---------------------------------------------------------------------------


def count_samples(loader: Any) -> int:
    return sum(len(targets) for _, targets in loader)


def predicted_classes(logits: Tensor) -> Tensor:
    return training.predicted_classes(logits)


def perplexity(truth: Tensor) -> float:
    return math.exp(-truth.log().mean())


def guessing_perplexity(num_classes: int) -> float:
    return float(num_classes)


def evaluate_model(
    model: nn.Module,
    loader: Any,
    mean: Callable = lambda losses, sizes: np.average(losses, weights=sizes),
    ppl: Callable = lambda losses, sizes: math.exp(np.average(losses, weights=sizes)),
    hits: Callable = lambda right, sizes: sum(right) / sum(sizes),
) -> tuple[float, float, float]:
    model.eval()
    losses, right, sizes = [], [], []
    with torch.no_grad():
        for inputs, targets in loader:
            logits = model(inputs)
            losses.append(training.classification_loss(logits, targets).item())
            right.append(int((predicted_classes(logits) == targets).sum()))
            sizes.append(len(targets))
    return mean(losses, sizes), ppl(losses, sizes), hits(right, sizes)


def with_ways(**ways: Callable) -> Callable:
    return lambda model, loader: evaluate_model(model, loader, **ways)


def in_training_mode(model: nn.Module, loader: Any) -> tuple[float, float, float]:
    with torch.no_grad():
        for inputs, _ in loader:
            model(inputs)
    return evaluate_model(model, loader)


def with_graph(model: nn.Module, loader: Any) -> tuple[float, float, float]:
    model.eval()
    for inputs, _ in loader:
        model(inputs)
    return evaluate_model(model, loader)


def of_samples(model: nn.Module, loader: Any) -> tuple[float, float, float]:
    loss, _, accuracy = evaluate_model(model, loader)
    every = [
        F.binary_cross_entropy_with_logits(x, y.float(), reduction="none").exp() for x, y in loader
    ]
    return loss, torch.cat(every).mean().item(), accuracy


def train_and_watch(
    model: nn.Module,
    train_loader: Any,
    validation_loader: Any,
    optimizer: Any,
    num_epochs: int,
    learn_from: str = "train",
    look_first: bool = False,
) -> list:
    learned = {
        "train": train_loader,
        "validation": validation_loader,
        "both": [*train_loader, *validation_loader],
    }[learn_from]
    watched = []
    for _ in range(num_epochs):
        if not look_first:
            training.train_epoch(model, learned, optimizer)
        on_train = training.evaluate(model, train_loader)
        watched.append((on_train, training.evaluate(model, validation_loader)))
        if look_first:
            training.train_epoch(model, learned, optimizer)
    return watched


def watching(**ways: Any) -> Callable:
    return lambda *arguments: train_and_watch(*arguments, **ways)


def only_at_the_end(model, train_loader, validation_loader, optimizer, num_epochs):
    return [train_and_watch(model, train_loader, validation_loader, optimizer, num_epochs)[-1]] * 3


def running_loss(model, train_loader, validation_loader, optimizer, num_epochs):
    return [
        (
            training.train_epoch(model, train_loader, optimizer),
            training.evaluate(model, validation_loader),
        )
        for _ in range(num_epochs)
    ]


def when_to_stop(losses: list[float], patience: int) -> tuple[int, int]:
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return epoch, best


def last_weights(losses: list[float], patience: int) -> tuple[int, int]:
    return (when_to_stop(losses, patience)[0],) * 2


def with_ties(losses: list[float], patience: int) -> tuple[int, int]:
    return when_to_stop([loss - 1e-9 * epoch for epoch, loss in enumerate(losses)], patience)


def needs_patience(losses: list[float], patience: int) -> tuple[int, int] | None:
    last, best = when_to_stop(losses, patience)
    return (last, best) if last - best >= patience else (last, last)


RIGHT = {
    "vi_1_a": count_samples,
    "vi_1_b": "d",
    "vi_1_c": predicted_classes,
    "vi_2_a": perplexity,
    "vi_2_b": guessing_perplexity,
    "vi_2_c": 1,
    "vi_3_a": evaluate_model,
    "vi_3_b": train_and_watch,
    "vi_4_a": " A",
    "vi_4_b": when_to_stop,
}

# check, wrong answer, words that the message must contain
TRAPS = [
    ("vi_1_a", len, "number of batches"),
    ("vi_1_a", lambda loader: 3 * len(loader), "need not be full"),
    ("vi_1_a", lambda loader: len(loader.dataset), "really arrives"),
    ("vi_1_a", lambda loader: sum(x.numel() for x, _ in loader), "every number"),
    ("vi_1_a", lambda loader: sum(len(y) for _, y in list(loader)[:2]), "last batch is missing"),
    ("vi_1_a", lambda loader: sum(len(y) for _, y in loader) or 1, "0 samples"),
    ("vi_1_b", "a", "no_grad in both modes"),
    ("vi_1_b", "b", "optimizer.step()"),
    ("vi_1_b", "c", "*other* switch"),
    ("vi_1_b", "x", "one letter"),
    ("vi_1_c", lambda z: (z < 0).long() if z.ndim == 1 else z.argmax(1), "swapped"),
    ("vi_1_c", lambda z: (z > 0.5).long(), "compare the *logits* with 0.5"),
    ("vi_1_c", lambda z: (z / z.max() > 0.5).long(), "divide by the largest"),
    ("vi_1_c", lambda z: (z > 2).long(), "which of the two"),
    ("vi_1_c", lambda z: (torch.sigmoid(z) > 0.5).long(), "rounded to exactly 0.5"),
    ("vi_1_c", lambda z: z > 0 if z.ndim == 1 else z.argmax(1), "int64"),
    ("vi_1_c", lambda z: (z > 0).long(), "which logit wins"),
    ("vi_1_c", lambda z: (z > 0).long() if z.ndim == 1 else z.argmax(0), "along which"),
    ("vi_1_c", lambda z: (z > 0).long() if z.ndim == 1 else z.argmax(1).squeeze(), "batch of one"),
    ("vi_1_c", lambda z: (z > 0).tolist(), "tensor"),
    ("vi_2_a", lambda p: math.exp(p.log().mean()), "minus sign lost"),
    ("vi_2_a", lambda p: -p.log().mean(), "cross-entropy"),
    ("vi_2_a", lambda p: 2 ** -p.log().mean(), "same base"),
    ("vi_2_a", lambda p: math.exp(-p.log().sum()), "sum stands"),
    ("vi_2_a", lambda p: (1 / p).mean(), "mean of 1/p"),
    ("vi_2_a", lambda p: 1 / p.mean(), "1 over the mean"),
    ("vi_2_a", lambda p: p.log().mean(), "impossible"),
    ("vi_2_b", lambda n: 1 / n, "guessing right"),
    ("vi_2_b", math.log, "cross-entropy"),
    ("vi_2_b", lambda n: 2.0, "4 classes"),
    ("vi_2_c", 0, "its loss"),
    ("vi_2_c", math.inf, "most answers"),
    ("vi_2_c", 0.5, "impossible"),
    ("vi_2_c", 2, "who knows"),
    ("vi_3_a", in_training_mode, "training mode"),
    ("vi_3_a", with_graph, "graph"),
    ("vi_3_a", with_ways(mean=lambda losses, sizes: losses[-1]), "loss of the last batch"),
    ("vi_3_a", with_ways(mean=lambda losses, sizes: np.mean(losses)), "over *batches*"),
    ("vi_3_a", with_ways(mean=lambda losses, sizes: np.dot(losses, sizes)), "sum over all"),
    ("vi_3_a", with_ways(mean=lambda losses, sizes: sum(losses) / sum(sizes)), "mean already"),
    ("vi_3_a", with_ways(ppl=lambda losses, sizes: np.exp(losses).mean()), "exp comes last"),
    (
        "vi_3_a",
        with_ways(ppl=lambda losses, sizes: np.average(np.exp(losses), weights=sizes)),
        "exp comes last",
    ),
    ("vi_3_a", of_samples, "samples' perplexities"),
    ("vi_3_a", with_ways(ppl=lambda losses, sizes: math.exp(losses[-1])), "perplexity of the last"),
    (
        "vi_3_a",
        with_ways(ppl=lambda losses, sizes: math.exp(-np.average(losses, weights=sizes))),
        "minus sign lost",
    ),
    ("vi_3_a", with_ways(ppl=lambda losses, sizes: 2 ** np.average(losses, weights=sizes)), "exp"),
    ("vi_3_a", with_ways(hits=lambda right, sizes: sum(right)), "not yet a share"),
    (
        "vi_3_a",
        with_ways(hits=lambda right, sizes: np.mean(np.divide(right, sizes))),
        "batches' accuracies",
    ),
    ("vi_3_a", with_ways(hits=lambda right, sizes: 1 - sum(right) / sum(sizes)), "*wrong*"),
    ("vi_3_a", lambda model, loader: evaluate_model(model, loader)[:2], "three numbers"),
    ("vi_3_b", watching(look_first=True), "*after* the epoch"),
    ("vi_3_b", watching(learn_from="validation"), "learned from the validation"),
    ("vi_3_b", watching(learn_from="both"), "too"),
    ("vi_3_b", lambda *a: [row[::-1] for row in train_and_watch(*a)], "swapped"),
    ("vi_3_b", lambda *a: train_and_watch(*a)[-1:], "3 epochs"),
    ("vi_3_b", lambda *a: [row[1] for row in train_and_watch(*a)], "pair"),
    ("vi_3_b", only_at_the_end, "once at the end"),
    ("vi_3_b", running_loss, "while the weights were changing"),
    ("vi_3_b", lambda *a: train_and_watch(*a[:-1], 6)[::2], "on the train batches once"),
    ("vi_4_a", "b", "had not seen"),
    ("vi_4_a", "c", "fewer reviews"),
    ("vi_4_a", "d", "share no review"),
    ("vi_4_b", lambda losses, patience: when_to_stop(losses, 1), "first epoch that is worse"),
    ("vi_4_b", lambda losses, patience: (7, int(np.argmin(losses))), "the future"),
    ("vi_4_b", last_weights, "not of the last"),
    ("vi_4_b", lambda losses, patience: when_to_stop(losses, patience)[::-1], "swapped"),
    ("vi_4_b", lambda losses, patience: when_to_stop(losses, patience + 1), "the future"),
    ("vi_4_b", lambda losses, patience: when_to_stop(losses, patience - 1), "too early"),
    ("vi_4_b", lambda losses, patience: (7, 4), "count from 0"),
    ("vi_4_b", lambda losses, patience: (7, 3), "one epoch too many"),
    ("vi_4_b", with_ties, "no improvement"),
    ("vi_4_b", needs_patience, "run out first"),
    ("vi_4_b", lambda losses, patience: 6, "two numbers"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_passes_and_leaves_the_random_numbers_alone(
    name: str, capsys: pytest.CaptureFixture
) -> None:
    before = torch.get_rng_state()
    getattr(checks, name)(RIGHT[name])
    assert capsys.readouterr().out.startswith("✓")
    assert torch.get_rng_state().equal(before)


@pytest.mark.parametrize("blank", [None, ...])
@pytest.mark.parametrize("name", RIGHT)
def test_an_open_answer_waits(name: str, blank: Any, capsys: pytest.CaptureFixture) -> None:
    getattr(checks, name)(blank)
    assert capsys.readouterr().out.startswith("…")


@pytest.mark.parametrize("name", [name for name, answer in RIGHT.items() if callable(answer)])
def test_a_stub_that_returns_nothing_waits(name: str, capsys: pytest.CaptureFixture) -> None:
    getattr(checks, name)(lambda *arguments: None)
    assert "waits for your answer" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "answer", "words"), TRAPS)
def test_a_trap_is_refused_by_its_name(
    name: str, answer: Any, words: str, capsys: pytest.CaptureFixture
) -> None:
    getattr(checks, name)(answer)
    message = capsys.readouterr().out
    assert message.startswith("✗")
    assert words in message


def test_strict_mode_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_STRICT", "1")
    checks.vi_2_c(1)
    with pytest.raises(checks.Wrong):
        checks.vi_2_c(0)
    with pytest.raises(checks.Open):
        checks.vi_2_c(None)


# --- the pictures -------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_open_pictures():
    yield
    plt.close("all")


def test_guessing_curve_marks_what_is_impossible() -> None:
    ax = plots.guessing_curve([1, 2, 4], [0.0, math.log(2), math.log(4)], "finding")
    curves = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(curves["exp(cross-entropy), computed"], [1, 2, 4])
    np.testing.assert_allclose(curves["1 / N (the trap)"], [1, 0.5, 0.25])
    assert ax.get_title() == "finding"


def test_confusion_matrix_shows_counts_and_shares_of_the_row() -> None:
    matrix = metrics.confusion_matrix([0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    ax = plots.confusion_matrix(matrix, ["negative", "positive"], "finding")
    assert [text.get_text() for text in ax.texts] == [
        "3\n75.0%",
        "1\n25.0%",
        "0\n0.0%",
        "1\n100.0%",
    ]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_flattery_curves_are_in_percentage_points() -> None:
    ax = plots.flattery_curves({100: {1: 0.0, 8: 0.02}}, "finding")
    assert ax.lines[0].get_xydata().tolist() == [[1, 0], [8, 2]]
    assert [text.get_text() for text in ax.texts] == ["exam of 100 reviews"]
