"""Notebook 03: its formulas, its order, its pictures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from helpers import datasets
from lessons.n03_dataloader import pictures
from tests.lessons.tables.n03_dataloader import last_batch_size, num_batches


@pytest.fixture(autouse=True)
def no_open_pictures():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("num_samples", "batch_size"), [(25_000, 128), (256, 128), (1, 128), (5, 1)]
)
def test_the_formulas_are_those_of_the_loader(num_samples, batch_size):
    loader = DataLoader(range(num_samples), batch_size=batch_size)
    assert len(loader) == num_batches(num_samples, batch_size)
    assert len(list(loader)[-1]) == last_batch_size(num_samples, batch_size)


def test_order_is_the_generators_and_new_in_every_epoch():
    labels = torch.arange(1_000) % 2
    data = datasets.BagOfWordsDataset(
        torch.arange(1_000, dtype=torch.int32),
        torch.arange(1_001, dtype=torch.int32),
        labels,
        1_000,
    )

    def order(loader):
        return torch.cat([bags.ids for bags, _ in loader]).tolist()

    seed = lambda: torch.Generator().manual_seed(3)  # noqa: E731
    loader = datasets.make_loader(data, shuffle=True, sparse=True, generator=seed())
    first, second = order(loader), order(loader)
    assert sorted(first) == sorted(second) == list(range(1_000))
    assert first != second
    again = datasets.make_loader(data, shuffle=True, sparse=True, generator=seed())
    assert order(again) == first
    assert order(datasets.make_loader(data, sparse=True)) == list(range(1_000))


# --- pictures -----------------------------------------------------------------------------


def test_batch_losses_marks_the_ends_of_epochs():
    axes = pictures.batch_losses({"a": [1.0] * 30, "b": [2.0] * 30}, 10, "title")
    assert len(axes) == 2
    for ax in axes:
        curve, *ends = ax.get_lines()
        assert len(curve.get_xdata()) == 30
        assert [end.get_xdata()[0] for end in ends] == [10.5, 20.5]


def test_gradient_agreement_draws_the_means():
    ax = pictures.gradient_agreement({1: [-0.5, 0.5], 128: [0.8, 0.9]}, "title")
    (line,) = ax.get_lines()
    assert line.get_ydata() == pytest.approx([0, 0.85])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "128"]


def test_positive_shares_counts_every_batch_beside_the_binomial_law():
    ax = pictures.positive_shares([0.5, 0.5, 0.25, 1.0], 4, 0.5, "title")
    bars = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in ax.patches}
    assert {number: count for number, count in bars.items() if count} == {1: 1, 2: 2, 4: 1}
    (law,) = ax.get_lines()
    assert dict(zip(law.get_xdata(), law.get_ydata(), strict=True))[2] == pytest.approx(4 * 6 / 16)


def test_losses_two_ways_draws_means_at_the_middle_of_their_batches():
    losses = {1: np.full((5, 400), 3.0), 400: np.arange(5.0).reshape(5, 1)}
    by_epoch, by_update = pictures.losses_two_ways(losses, "title")
    small, large = by_epoch.get_lines()
    assert len(small.get_xdata()) == 25
    assert set(small.get_ydata()) == {3.0}
    assert large.get_ydata().tolist() == [0, 1, 2, 3, 4]
    assert by_update.get_lines()[1].get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert by_update.get_lines()[1].get_ydata().tolist() == [0, 1, 2, 3, 4]
    assert by_update.get_lines()[0].get_xdata().min() >= 1
    assert by_update.get_lines()[0].get_xdata().max() <= 2_000
    assert by_update.get_xscale() == "log"
