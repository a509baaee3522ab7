"""Notebook 11: its references equal independent ones, and its picture has the right parts."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from lessons.n11_bow_svd import answers, experiments, pictures
from tests.lessons.tables.n11_bow_svd import Library


@pytest.mark.parametrize("seed", range(3))
def test_the_scores_over_batches_equal_those_of_the_library(seed):
    generator = torch.Generator().manual_seed(seed)
    batches = [torch.randint(0, 2, (2, size), generator=generator) for size in (50, 7, 1)]
    ours, theirs = answers.RunningScores(), Library()
    for predicted, targets in batches:
        ours.update(predicted, targets)
        theirs.update(predicted, targets)
    assert ours.compute() == pytest.approx([value.item() for value in theirs.compute()])


def test_running_sums_are_least_squares_for_every_k():
    x, y, other, theirs = answers.svd_world({4: 1, 9: 1}, {4: 1, 9: 1}, seed=5)
    for k in (1, 4, 12):
        weights = np.linalg.lstsq(x[:, :k], 2.0 * y - 1, rcond=None)[0]
        expected = ((other[:, :k] @ weights > 0) == theirs).mean()
        assert experiments.accuracy_by_k(x, y, other, theirs)[k - 1] == pytest.approx(expected)


def test_the_diagram_has_three_matrices_and_marks_a_review_in_two():
    ax = pictures.thin_matrices(20_000, 10_000, 500, "title")
    heights = [round(patch.get_height(), 2) for patch in ax.patches]
    assert sorted(heights) == [0.12, 0.12, 0.45, 4.0, 4.0]
    assert ax.patches[0].get_width() == 2.0  # in proportion
    plt.close(ax.figure)
