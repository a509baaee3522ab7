"""Notebook 03: its loader, its order, its pictures, its experiments."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from helpers import datasets
from lessons.n03_dataloader import experiments, loaders, pictures


@pytest.fixture(autouse=True)
def no_open_pictures():
    yield
    plt.close("all")


class Loader(loaders.counting(), loaders.ordering(), loaders.batching()):
    """The whole loader of the room."""


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("num_samples", "batch_size"), [(300, 128), (256, 128), (1, 128), (5, 1)])
def test_the_rooms_loader_gives_torchs_batches(num_samples, batch_size, drop_last):
    data = [(torch.full((3,), float(i)), torch.tensor(i % 2)) for i in range(num_samples)]
    draw = torch.Generator().manual_seed(4)
    order = torch.randperm(num_samples, generator=torch.Generator().manual_seed(4)).tolist()
    mine = Loader(data, batch_size, shuffle=True, drop_last=drop_last, generator=draw)
    torchs = DataLoader(data, batch_size, sampler=order, drop_last=drop_last)
    assert len(mine) == len(torchs)
    assert experiments.count_equal(mine, torchs, 1_000) == len(torchs)
    if len(torchs) > 1:  # batches in another order are not equal
        assert experiments.count_equal(mine, torchs, 1_000) < len(torchs)


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
    axes = pictures.batch_losses({"a": np.ones((3, 10)), "b": np.full((3, 10), 2.0)}, "title")
    assert len(axes) == 2
    for ax in axes:
        curve, *ends = ax.get_lines()
        assert len(curve.get_xdata()) == 30
        assert [end.get_xdata()[0] for end in ends] == [10.5, 20.5]


def test_positive_counts_counts_every_batch_beside_the_binomial_distribution():
    ax = pictures.positive_counts([2, 2, 1, 4], 4, "title")
    bars = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in ax.patches}
    assert {number: count for number, count in bars.items() if count} == {1: 1, 2: 2, 4: 1}
    (curve,) = ax.get_lines()
    assert dict(zip(curve.get_xdata(), curve.get_ydata(), strict=True))[2] == pytest.approx(
        4 * 6 / 16
    )


def test_gradient_cosines_draws_every_batch_and_the_means_of_the_sizes_in_common():
    cosines = {"random": {1: [0.0], 8: [0.1, 0.2]}, "halves": {8: [0.3, 0.4]}}
    ax = pictures.gradient_cosines(cosines, "title")
    drawn = [line.get_ydata() for line in ax.get_lines()][:4]
    for found, expected in zip(drawn, ([0.1, 0.2], [0.15], [0.3, 0.4], [0.35]), strict=True):
        assert found == pytest.approx(expected)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["8"]


def test_loader_batch_names_its_three_steps():
    ax = pictures.loader_batch("title")
    texts = " ".join(text.get_text() for text in ax.texts)
    assert all(step in texts for step in ("1  indices", "2  samples", "3  collate"))


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


# --- experiments --------------------------------------------------------------------------


def made_up(num_samples):
    """Return reviews of one word of twenty each; the first ten words are negative."""
    ids = torch.arange(num_samples, dtype=torch.int32) % 20 + 1
    offsets = torch.arange(num_samples + 1, dtype=torch.int32)
    return datasets.BagOfWordsDataset(ids, offsets, (ids > 10).long(), 21)


def test_a_full_batch_has_the_full_gradient():
    data = made_up(40)
    cosines = experiments.gradient_cosines(data, lambda size: range(size), (1, 40), draws=2)
    assert cosines[40] == pytest.approx([1, 1], abs=1e-4)
    assert max(cosines[1]) < 0.9


def test_training_keeps_the_loss_of_every_batch_and_learns():
    data = made_up(200)
    loader = datasets.make_loader(data, 64, shuffle=True, sparse=True)
    model, losses = experiments.train(loader, seed=0, num_epochs=40, lr=0.5, vocab_size=21)
    assert losses.shape == (40, 4)
    assert losses[0, 0] == pytest.approx(np.log(2), abs=0.05)
    assert losses[-1].mean() < 0.3
    assert experiments.accuracy(model, data) == 1
