"""Notebook 00: its pictures."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from torch import nn

from helpers import plots
from lessons.n00_pytorch_primer import pictures

matplotlib.use("Agg")


@pytest.fixture
def ax() -> Axes:
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_computation_graph_shows_values_and_gradients_from_left_to_right(ax):
    edges = [("b", "u"), ("a", "v"), ("u", "v"), ("c", "L"), ("v", "L")]
    values = {"a": 5, "b": 3, "c": 4, "u": 6, "v": 11, "L": 44}
    gradients = {"a": 4, "b": 8, "c": 11, "u": 4, "v": 4, "L": 1}
    pictures.computation_graph(
        edges, {name: name for name in values}, values, gradients, "title", ax
    )
    texts = [(text.get_text(), *text.get_position()) for text in ax.texts if text.get_text()]
    assert len(texts) == 12
    places = {text.split("\n")[0]: (x, y) for text, x, y in texts if "\n" in text}
    assert {text for text, *_ in texts if "\n" in text} == {f"{n}\n{v}" for n, v in values.items()}
    for start, end in edges:
        assert places[start][0] < places[end][0]
    for name, (x, y) in places.items():
        below = [text for text, tx, ty in texts if tx == x and y - 0.5 < ty < y]
        assert below == [f"gradient {gradients[name]}"]


def test_decision_boundary_shades_each_side_as_the_model_says(ax):
    class RightHalf(nn.Module):
        """Class 1 is right of x = 0.5, whatever y is."""

        def __init__(self) -> None:
            super().__init__()
            self.slope = nn.Parameter(torch.tensor(10.0))

        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return self.slope * (points[:, 0] - 0.5)

    points = torch.tensor([[-1.0, 0.0], [2.0, 0.0], [2.0, 5.0]])
    pictures.decision_boundary(RightHalf(), points, torch.tensor([0, 1, 1]), "title", ax)
    filled, line, *dots = ax.collections
    border = np.concatenate([path.vertices for path in line.get_paths()])
    assert border[:, 0] == pytest.approx(0.5, abs=0.02)
    assert border[:, 1].min() < -0.3
    assert border[:, 1].max() > 5.3
    assert [len(dot.get_offsets()) for dot in dots] == [1, 2]
    values = filled.get_array()
    for level, path in zip(values, filled.get_paths(), strict=True):
        if len(path.vertices) and level < 0.5:
            assert path.vertices[:, 0].max() < 0.52
        elif len(path.vertices):
            assert path.vertices[:, 0].min() > 0.48


def test_learning_curves_count_epochs_from_one(ax):
    plots.learning_curves({"train": [0.5, 0.4], "validation": [0.6, 0.5, 0.45]}, "title", ax=ax)
    assert [list(line.get_xdata()) for line in ax.lines] == [[1, 2], [1, 2, 3]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train", "validation"]
    assert ax.get_xlabel() == "epoch"
    assert "nats" in ax.get_ylabel()
