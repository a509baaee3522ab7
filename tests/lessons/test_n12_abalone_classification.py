"""Notebooks 12 and 13: a stand-in never goes unmarked, and the pictures are right.

(tests/helpers/test_abalone.py has the data and the functions that notebook 12 teaches.)
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from helpers import plots, training
from lessons.n12_abalone_classification import pictures as n12
from lessons.n13_abalone_regression import pictures as n13

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("1[23]_abalone_*.ipynb"))

# --- the stand-in is marked -------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_table_and_picture_of_the_animals_is_marked(path):
    """Each passes its text through ``data.mark``, which says stand-in where due."""
    shows = re.compile(r"(?:plots|pictures)\.(?!use_course_style)\w+\(|tabulate\(|\.to_string\(")
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    showing = [cell for cell in cells if shows.search(cell.source)]
    assert len(showing) >= 6
    for cell in showing:
        assert "data.mark(" in cell.source, cell.id


# --- pictures ---------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_growth_shows_every_animal_and_the_means():
    rings = np.repeat([5, 6, 20], [12, 15, 3])
    lengths = rings * 10.0
    ax = n12.growth(lengths, rings, ["I"] * 12 + ["F"] * 15 + ["M"] * 3, "Growth")
    assert len(ax.collections[0].get_offsets()) == 30
    means = ax.lines[0].get_xydata().tolist()
    assert means == [[5, 50], [6, 60]]  # 20 rings: too few animals for a mean
    assert ax.get_title() == "Growth"
    assert "mm" in ax.get_ylabel()


def test_roc_marks_the_default_threshold():
    labels, probabilities = [0, 0, 1, 1, 1], [0.2, 0.6, 0.4, 0.5, 0.9]
    ax = n12.roc({"model": (labels, probabilities)}, "ROC")
    _, point, _ = ax.lines
    assert point.get_xydata().tolist() == [[0.5, pytest.approx(2 / 3)]]
    assert "AUC 0.667" in ax.get_legend_handles_labels()[1][0]


def test_loss_and_score_draws_both_parts():
    watched = [training.Evaluation(i, i + 2, 10) for i in (0, 1)]
    validation = [training.Evaluation(i + 1, i + 3, 10) for i in (0, 1)]
    history = training.History([0.5, 0.5], validation, watched)
    axes = plots.loss_and_score(history, "Curves", "loss [nats]", "accuracy", percent=True)
    drawn = [line.get_ydata().tolist() for ax in axes for line in ax.lines]
    assert drawn == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert axes[0].figure.get_suptitle() == "Curves"


def test_curves_with_spread_draws_mean_and_band():
    ax = n12.curves_with_spread({"none": [[1.0, 2.0], [3.0, 6.0]]}, "Runs", "loss")
    assert ax.lines[0].get_ydata().tolist() == [2, 4]
    assert len(ax.collections) == 1


def test_effects_greys_out_what_could_be_zero():
    ax = n12.effects({"clear": (0.4, 0.1), "open": (0.1, 0.2)}, "Effects", "difference")
    clear, open_ = (container.lines[0] for container in ax.containers)
    assert open_.get_color() == "grey"
    assert clear.get_color() != "grey"
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["clear", "open"]


def test_predictions_and_residuals():
    truth, predicted = np.arange(1, 31) % 3 + 5.0, np.full(30, 6.0)
    axes = n13.predicted_against_true(truth, {"a": predicted, "b": truth}, "Predictions")
    assert [ax.get_title() for ax in axes] == ["a", "b"]
    left, right = n13.residuals(truth, predicted, "Residuals")
    assert left.lines[0].get_xydata().tolist() == [[5, -1], [6, 0], [7, 1]]
    assert right.lines[0].get_xydata().tolist() == [[6, 0]]
