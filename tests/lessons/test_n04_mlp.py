"""Notebook 04: its pictures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lessons.n04_mlp import pictures


@pytest.fixture(autouse=True)
def no_open_pictures():
    yield
    plt.close("all")


def test_probabilities_has_one_panel_a_model_and_a_bin_around_one_half():
    values = {"negative": [0.5, 0.5, 0.1], "positive": [0.9]}
    axes = pictures.probabilities({"before": values, "after": values}, "title")
    assert [ax.get_title() for ax in axes] == ["before", "after"]
    steps = axes[0].patches[0].get_xy()
    at_half = steps[np.abs(steps[:, 0] - 0.5) < 0.02, 1]
    assert at_half.max() == 2


def test_batch_accuracies_draws_every_batch_and_the_means():
    ax = pictures.batch_accuracies({"train": [0.9, 0.8, 1.0], "validation": [0.7]}, "title")
    dots = [offset[0] for points in ax.collections for offset in points.get_offsets()]
    assert {0.9, 0.8, 1.0, 0.7} <= {round(float(x), 6) for x in dots}
    means = [
        path.vertices[0, 0]
        for lines in ax.collections
        for path in lines.get_paths()
        if len(path.vertices) == 2
    ]
    assert means == pytest.approx([0.9, 0.7])


def test_hidden_units_draws_one_dot_a_unit():
    ax = pictures.hidden_units([0.1, -0.2], [0.3, -0.4], "title")
    assert ax.collections[0].get_offsets().tolist() == [[0.1, 0.3], [-0.2, -0.4]]
