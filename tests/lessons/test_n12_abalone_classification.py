"""Notebooks 12 and 13: a stand-in never goes unmarked, and the pictures are right.

(tests/helpers/test_abalone.py has the data and the functions that notebook 12 teaches.)
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from helpers import abalone, plots, training
from lessons.n12_abalone_classification import experiments, open_task
from lessons.n13_abalone_regression import pictures as n13

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("1[23]_abalone_*.ipynb"))

# --- the stand-in is marked -------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_table_and_picture_of_the_animals_is_marked(path):
    """Each passes its text through ``data.mark``, which says stand-in where due."""
    shows = re.compile(
        r"(?:plots|pictures)\.(?!use_course_style)\w+\(|tabulate\(|\.to_string\(|Display\.from|sns\.\w+\("
    )
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


def test_loss_and_score_draws_both_parts():
    watched = [training.Evaluation(i, i + 2, 10) for i in (0, 1)]
    validation = [training.Evaluation(i + 1, i + 3, 10) for i in (0, 1)]
    history = training.History([0.5, 0.5], validation, watched)
    axes = plots.loss_and_score(history, "Curves", "loss [nats]", "accuracy", percent=True)
    drawn = [line.get_ydata().tolist() for ax in axes for line in ax.lines]
    assert drawn == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert axes[0].figure.get_suptitle() == "Curves"


# --- the bootstrap and the open task ------------------------------------------------------


def test_resampled_aucs_scatter_as_an_auc_does():
    rng = np.random.default_rng(0)
    labels = np.arange(800) % 2
    scores = rng.normal(size=800) + labels
    drawn = experiments.resampled_aucs(labels, [scores, 3 * scores])
    assert drawn.mean() == pytest.approx(roc_auc_score(labels, scores), abs=0.003)
    assert 0.012 < drawn.std() < 0.020  # Hanley and McNeil: 0.015
    assert np.array_equal(drawn, experiments.resampled_aucs(labels, [scores]))


def test_the_lab_keeps_its_budget_and_its_hidden_part():
    lab = open_task.Lab(abalone.stand_in().table[:400], budget=1)
    assert len(lab.train(num_epochs=1)) == len(lab.labels) == 100
    assert lab.left == 0
    with pytest.raises(RuntimeError, match="used up"):
        lab.train(num_epochs=1)
    with pytest.raises(AttributeError):
        lab.left = 1000
    with pytest.raises(RuntimeError, match="stays closed"):
        lab.confirm({"num_epochs": 1})
    assert 0 < lab.reached({"num_epochs": 1}) < 1


def test_predictions_and_residuals():
    truth, predicted = np.arange(1, 31) % 3 + 5.0, np.full(30, 6.0)
    axes = n13.predicted_against_true(truth, {"a": predicted, "b": truth}, "Predictions")
    assert [ax.get_title() for ax in axes] == ["a", "b"]
    left, right = n13.residuals(truth, predicted, "Residuals")
    assert left.lines[0].get_xydata().tolist() == [[5, -1], [6, 0], [7, 1]]
    assert right.lines[0].get_xydata().tolist() == [[6, 0]]
