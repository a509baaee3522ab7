"""Notebook 11: the answer to 11.6 equals the library's, and its picture is right."""

import matplotlib.pyplot as plt
import pytest
import torch

from lessons.n11_bow_svd import pictures
from tests.lessons.tables.n11_bow_svd import by_sklearn, by_torchmetrics, scores


@pytest.mark.parametrize("seed", range(3))
def test_the_right_scores_equal_those_of_the_libraries(seed):
    """The right answer to 9.6 is itself held against independent implementations."""
    generator = torch.Generator().manual_seed(seed)
    predicted, targets = torch.randint(0, 2, (2, 50), generator=generator)
    expected = [value.item() for value in by_torchmetrics(predicted, targets)]
    assert scores(predicted, targets) == pytest.approx(expected)
    assert by_sklearn(predicted, targets) == pytest.approx(expected)


def test_explained_variance_adds_up_from_the_first_component():
    ax = pictures.explained_variance([0.5, 0.25, 0.125], "title", {1: 0.6, 3: 0.8}, "accuracy")
    variance, accuracy = ax.lines
    assert list(variance.get_xdata()) == [1, 2, 3]
    assert list(variance.get_ydata()) == [0.5, 0.75, 0.875]
    assert list(accuracy.get_xdata()) == [1, 3]
    assert list(accuracy.get_ydata()) == [0.6, 0.8]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["explained variance", "accuracy"]
    assert ax.get_xscale() == "log"
    plt.close(ax.figure)
