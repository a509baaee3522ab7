"""Notebook 06: its pictures. (tests/test_training.py has evaluate and fit.)"""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn import metrics

from helpers import plots
from helpers.training import Evaluation, History
from lessons.n06_evaluation_and_perplexity import pictures as n06


@pytest.fixture(autouse=True)
def _no_open_pictures():
    yield
    plt.close("all")


def test_guessing_curve_marks_what_is_impossible() -> None:
    ax = n06.guessing_curve([1, 2, 4], [0.0, math.log(2), math.log(4)], "finding")
    curves = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(curves["exp(cross-entropy), computed"], [1, 2, 4])
    np.testing.assert_allclose(curves["1 / N (the trap)"], [1, 0.5, 0.25])
    assert ax.get_title() == "finding"


def test_watched_has_a_colour_for_each_run_and_a_style_for_each_split() -> None:
    history = History([1.0], [Evaluation(0.7, 0.5, 10)] * 3, [Evaluation(0.6, 0.6, 10)] * 3)
    left, right = n06.watched({"one": history, "other": history}, "finding")
    assert [line.get_linestyle() for line in left.lines] == ["--", "-", "--", "-"]
    colours = [line.get_color() for line in right.lines]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    np.testing.assert_allclose(left.lines[1].get_ydata(), math.exp(0.7))


def test_the_films_of_the_validation_set_are_those_of_the_training_set() -> None:
    ax = n06.three_sets("finding")
    films = [text.get_text() for text in ax.texts if len(text.get_text()) == 1]
    training, validation, test = set(films[:16]), set(films[16:20]), set(films[20:])
    assert validation < training
    assert not test & training


def test_learning_curves_keep_their_colours_in_the_panel_beside() -> None:
    left, right, alone = plt.subplots(1, 3)[1]
    plots.learning_curves({"train": [2, 1], "validation": [2, 1.5]}, "finding", ax=left)
    plots.learning_curves({"validation": [0.5, 0.8]}, "finding", ax=right, like=left)
    plots.learning_curves({"validation": [0.5, 0.8]}, "finding", ax=alone)
    first, second = (line.get_color() for line in left.lines)
    assert right.lines[0].get_color() == second != first
    assert alone.lines[0].get_color() == first, "without like, the order decides"
    with pytest.raises(ValueError, match="no curve test, only train, validation"):
        plots.learning_curves({"test": [0.5]}, "finding", ax=right, like=left)


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
