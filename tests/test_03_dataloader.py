import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from helpers import checks, datasets, plots


def num_batches(num_samples, batch_size):
    return -(-num_samples // batch_size)


def last_batch_size(num_samples, batch_size):
    return num_samples % batch_size or batch_size


def shares_of_positives(loader):
    return [labels.float().mean().item() for _, labels in loader]


def first_batch(loader):
    return next(iter(loader))


def drop_last_axis(output):
    return output.squeeze(1)


def epoch_loss(losses, sizes):
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)


@pytest.fixture(autouse=True)
def no_open_pictures():
    yield
    plt.close("all")


RIGHT = {
    checks.iii_1_a: ["bd", "db", "B, D", {"b", "d"}, ["d", "b"]],
    checks.iii_1_b: ["d", " D "],
    checks.iii_1_c: ["a"],
    checks.iii_2_a: [num_batches, lambda n, b: math.ceil(n / b)],
    checks.iii_2_b: [last_batch_size, lambda n, b: (n - 1) % b + 1],
    checks.iii_2_c: [
        shares_of_positives,
        lambda loader: [labels.sum() / len(labels) for _, labels in loader],
    ],
    checks.iii_2_d: [first_batch, lambda loader: next(batch for batch in loader)],
    checks.iii_3_a: [
        drop_last_axis,
        lambda output: output[:, 0],
        lambda output: output.flatten(),
        lambda output: output.squeeze(-1),
    ],
    checks.iii_3_b: [epoch_loss, lambda losses, sizes: np.average(losses, weights=sizes)],
    checks.iii_3_c: ["c"],
}

WRONG = [
    (checks.iii_1_a, "ab", "more exact"),
    (checks.iii_1_a, "c", "each review once"),
    (checks.iii_1_a, "bde", "shuffled before"),
    (checks.iii_1_a, "d", "2 answers are asked for"),
    (checks.iii_1_a, "xy", "answer with letters"),
    (checks.iii_1_a, "", "answer with letters"),
    (checks.iii_1_a, 7, "stopped with TypeError"),
    (checks.iii_1_b, "a", "the same 20,000"),
    (checks.iii_1_b, "b", "shuffle once"),
    (checks.iii_1_b, "c", "where in the file"),
    (checks.iii_1_c, "b", "as sorted as"),
    (checks.iii_1_c, "c", "dropout"),
    (checks.iii_1_c, "d", "90 % positive"),
    (checks.iii_2_a, lambda n, b: n // b, "full batches"),
    (checks.iii_2_a, lambda n, b: n / b, "no fractions"),
    (checks.iii_2_a, lambda n, b: b, "size of a batch"),
    (checks.iii_2_a, lambda n, b: n // b + 1, "no third"),
    (checks.iii_2_a, lambda n, b: max(1, -(-n // b)), "for 0 samples"),
    (checks.iii_2_b, lambda n, b: n % b, "not empty"),
    (checks.iii_2_b, lambda n, b: b, "full only if"),
    (checks.iii_2_b, lambda n, b: b - n % b, "missing"),
    (checks.iii_2_c, lambda loader: [y.sum().item() for _, y in loader], "numbers"),
    (checks.iii_2_c, lambda loader: [y.sum().item() / 4 for _, y in loader], "this* batch"),
    (checks.iii_2_c, lambda loader: [1 - y.float().mean().item() for _, y in loader], "negatives"),
    (checks.iii_2_c, lambda loader: [y.float().mean() for _, y in loader][:-1], "last, smaller"),
    (checks.iii_2_c, lambda loader: np.mean(shares_of_positives(loader)), "return a list"),
    (checks.iii_2_c, lambda loader: [y.mean() for _, y in loader], "stopped with RuntimeError"),
    (checks.iii_2_d, lambda loader: next(loader), "not an iterator"),
    (checks.iii_2_d, lambda loader: loader[0], "no index"),
    (checks.iii_2_d, lambda loader: loader.dataset[0], "no index"),
    (checks.iii_2_d, lambda loader: list(loader)[0], "3 were built"),  # noqa: RUF015
    (checks.iii_2_d, lambda loader: list(loader)[-1], "later batch"),
    (checks.iii_2_d, lambda loader: next(iter(loader))[0], "both parts"),
    (checks.iii_2_d, lambda loader: [part[0] for part in next(iter(loader))], "whole batch"),
    (checks.iii_3_a, lambda output: output.squeeze(), "batch of one, no axis"),
    (checks.iii_3_a, lambda output: output, "still there"),
    (checks.iii_3_a, lambda output: output[0], "or other values"),
    (checks.iii_3_a, lambda output: output.tolist(), "return a tensor"),
    (checks.iii_3_a, lambda output: output.detach().squeeze(1), "cut off from the graph"),
    (checks.iii_3_b, lambda losses, sizes: losses[-1], "last batch"),
    (checks.iii_3_b, lambda losses, sizes: np.mean(losses), "mean over *batches*"),
    (checks.iii_3_b, lambda losses, sizes: np.dot(losses, sizes), "that is a sum"),
    (checks.iii_3_b, lambda losses, sizes: sum(losses), "that is a sum"),
    (checks.iii_3_b, lambda losses, sizes: np.dot(losses, sizes) / 3, "number of batches"),
    (checks.iii_3_b, lambda losses, sizes: sum(losses) / sum(sizes), "mean already"),
    (checks.iii_3_c, "a", "*low* training loss"),
    (checks.iii_3_c, "b", "better it points"),
    (checks.iii_3_c, "d", "every review"),
]


@pytest.mark.parametrize(
    ("check", "answer"), [(check, answer) for check, answers in RIGHT.items() for answer in answers]
)
def test_right_answers_pass(check, answer, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    check(answer)
    assert capsys.readouterr().out.startswith("✓ III.")


@pytest.mark.parametrize(("check", "answer", "words"), WRONG)
def test_trap_answers_are_refused_with_the_likely_mistake(check, answer, words, capsys):
    check(answer)
    line = capsys.readouterr().out
    assert line.startswith("✗ III.")
    assert words in line


@pytest.mark.parametrize("check", RIGHT)
@pytest.mark.parametrize("answer", [None, ...])
def test_unanswered_is_open(check, answer, capsys):
    check(answer)
    assert "waits for your answer" in capsys.readouterr().out
    if callable(RIGHT[check][0]):
        check(lambda *_: answer)
        assert "waits for your answer" in capsys.readouterr().out


@pytest.mark.parametrize("check", RIGHT)
def test_the_verdict_raises_when_strict(check, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    wrong = next(answer for this, answer, _ in WRONG if this is check)
    with pytest.raises(Exception):  # noqa: B017, PT011 - a wrong answer or the code's own error
        check(wrong)
    with pytest.raises(checks.Open):
        check(None)


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
    axes = plots.batch_losses({"a": [1.0] * 30, "b": [2.0] * 30}, 10, "title")
    assert len(axes) == 2
    for ax in axes:
        curve, *ends = ax.get_lines()
        assert len(curve.get_xdata()) == 30
        assert [end.get_xdata()[0] for end in ends] == [10.5, 20.5]


def test_gradient_agreement_draws_the_means():
    ax = plots.gradient_agreement({1: [-0.5, 0.5], 128: [0.8, 0.9]}, "title")
    (line,) = ax.get_lines()
    assert line.get_ydata() == pytest.approx([0, 0.85])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "128"]


def test_positive_shares_counts_every_batch_beside_the_binomial_law():
    ax = plots.positive_shares([0.5, 0.5, 0.25, 1.0], 4, 0.5, "title")
    bars = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in ax.patches}
    assert {number: count for number, count in bars.items() if count} == {1: 1, 2: 2, 4: 1}
    (law,) = ax.get_lines()
    assert dict(zip(law.get_xdata(), law.get_ydata(), strict=True))[2] == pytest.approx(4 * 6 / 16)


def test_losses_two_ways_draws_means_at_the_middle_of_their_batches():
    losses = {1: np.full((5, 400), 3.0), 400: np.arange(5.0).reshape(5, 1)}
    by_epoch, by_update = plots.losses_two_ways(losses, "title")
    small, large = by_epoch.get_lines()
    assert len(small.get_xdata()) == 25
    assert set(small.get_ydata()) == {3.0}
    assert large.get_ydata().tolist() == [0, 1, 2, 3, 4]
    assert by_update.get_lines()[1].get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert by_update.get_lines()[1].get_ydata().tolist() == [0, 1, 2, 3, 4]
    assert by_update.get_lines()[0].get_xdata().min() >= 1
    assert by_update.get_lines()[0].get_xdata().max() <= 2_000
    assert by_update.get_xscale() == "log"
