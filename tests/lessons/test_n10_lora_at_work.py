"""Notebook 10: its pictures, and the calculations that it takes from its room."""

import copy
from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
import torch
from torch import nn

from helpers import lora, models
from lessons.n10_lora_at_work import answers, pictures, work


@pytest.fixture(autouse=True)
def no_open_pictures() -> Iterator[None]:
    yield
    plt.close("all")


# --- calculations -------------------------------------------------------------------------


def test_the_first_step_moves_w_as_the_effective_rate_says() -> None:
    """At B = 0 one step of SGD changes W by −lr s² G AᵀA (10.8); for rank 1, along A."""
    torch.manual_seed(0)
    layer = lora.LoRALinear(nn.Linear(6, 4), r=1, alpha=2.0)
    inputs, targets = torch.randn(5, 6), torch.randn(5, 4)
    full = copy.deepcopy(layer.base_layer).requires_grad_(True)
    nn.functional.mse_loss(full(inputs), targets).backward()
    optimizer = torch.optim.SGD(lora.trainable_parameters(layer), lr=0.1)
    nn.functional.mse_loss(layer(inputs), targets).backward()
    with torch.no_grad():
        first = copy.deepcopy(layer.lora_A)
    optimizer.step()
    along = first / first.norm()  # [1, in]
    rate = work.effective_lr(0.1, first.detach(), alpha=2.0)
    change = layer.lora_B @ first * layer.scaling
    expected = -rate * full.weight.grad @ along.T @ along
    assert rate > 0.01
    torch.testing.assert_close(change.detach(), expected.detach())


def test_curvatures_are_the_outermost_eigenvalues() -> None:
    matrix = torch.diag(torch.tensor([3.0, -2.0, 1.0, 0.5, 0.1]))
    point = nn.Parameter(torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]))
    largest, smallest, slope = work.curvatures(point @ matrix @ point / 2, [point])
    assert (largest, smallest, slope) == pytest.approx((3, -2, 3), rel=0.02)


def test_random_labels_are_the_same_labels_in_another_order() -> None:
    data = answers.reviews("good", "bad", "film", "plot", labels=(1, 0, 0, 0))
    shuffled = work.with_random_labels(data, seed=1)
    assert sorted(shuffled.labels.tolist()) == sorted(data.labels.tolist())
    assert shuffled.labels.tolist() != data.labels.tolist()


def test_new_numbers_counts_what_is_neither_zero_nor_in_the_base() -> None:
    base = answers.small_model()
    assert answers.new_numbers(copy.deepcopy(base), base) == 0
    adapted: models.SparseOneHotMLP = copy.deepcopy(base)
    lora.add_adapters(adapted, ["hidden"], r=1)
    assert answers.new_numbers(adapted, base) == 6  # A; B is zero
    with torch.no_grad():
        adapted.output.bias.add_(1)
    assert answers.new_numbers(adapted, base) == 7


# --- pictures -----------------------------------------------------------------------------


def test_forgetting_has_a_panel_per_task_and_a_dashed_line_for_off() -> None:
    curves = {way: {"critics": [0.6, 0.7], "IMDB": [0.9, 0.8]} for way in ("everything", "rank 1")}
    axes = pictures.forgetting(curves, {"critics": 0.6, "IMDB": 0.9}, "title")
    for ax, values, off in zip(axes, ([0.6, 0.7], [0.9, 0.8]), (0.6, 0.9), strict=True):
        first, _, dashed = ax.get_lines()
        assert list(first.get_ydata()) == values
        assert set(dashed.get_ydata()) == {off}


def test_trade_off_has_a_dot_per_seed() -> None:
    scores = {
        way: {"critics": [0.7, 0.71], "IMDB": [0.88, 0.87]} for way in ("not adapted", "rank 1")
    }
    ax = pictures.trade_off(scores, "title")
    assert [len(line.get_xdata()) for line in ax.get_lines()] == [2, 2]
    assert {"not adapted", "rank 1", "switched off"} <= {text.get_text() for text in ax.texts}


def test_small_multiples_have_a_panel_per_run_and_one_axis() -> None:
    axes = pictures.small_multiples({"a": [0.5, 0.6], "b": [0.1, 0.2, 0.3]}, "title")
    assert [ax.get_title() for ax in axes] == ["a", "b"]
    assert list(axes[1].get_lines()[0].get_xdata()) == [1, 2, 3]
    assert axes[0].get_ylim() == axes[1].get_ylim()


def test_spectrum_is_logarithmic_and_counts_from_one() -> None:
    ax = pictures.spectrum({"a": [3.0, 0.1], "b": [1.0]}, "title")
    assert ax.get_yscale() == "log"
    assert list(ax.get_lines()[0].get_xdata()) == [1, 2]


def test_the_switchboard_names_what_can_be_plugged_in() -> None:
    words = " ".join(text.get_text() for text in pictures.switchboard("title").texts)
    assert all(name in words for name in ("base model", "critics", "openings", "off"))
