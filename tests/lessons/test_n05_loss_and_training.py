"""Notebook 05: its pictures, and that the loop it shows has the four faults of the open task."""

import math
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
import torch.nn.functional as F

from lessons.comparing import same
from lessons.n05_loss_and_training import faults, pictures
from lessons.n05_loss_and_training.checks import check

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "05_loss_and_training.ipynb"


@pytest.fixture(autouse=True)
def no_open_pictures():
    yield
    plt.close("all")


def shown_loop():
    (cell,) = [cell for cell in nbformat.read(NOTEBOOK, 4).cells if cell.id == "faulty"]
    names = {"F": F, "torch": torch}
    exec(cell.source, names)
    return names["faulty_training"]


def test_the_loop_in_the_notebook_is_the_one_that_ran_at_its_beginning():
    exercise = check.exercises["05.open"]
    assert same(exercise.results(shown_loop()), exercise.results(faults.faulty_training))


def test_the_loop_in_the_notebook_has_four_faults(capsys):
    check.ex_05_open(shown_loop())
    assert "4 of the four faults are left" in capsys.readouterr().out


@pytest.mark.parametrize("fault", faults.SYMPTOMS)
def test_each_fault_alone_is_told(fault, capsys):
    check.ex_05_open(faults.loop({fault}))
    said = capsys.readouterr().out
    assert "1 of the four faults is left" in said
    assert faults.SYMPTOMS[fault] in said


def test_logit_to_loss_writes_the_numbers():
    texts = " ".join(text.get_text() for text in pictures.logit_to_loss(0.5, "title").texts)
    chance = 1 / (1 + math.exp(-0.5))
    for number in (chance, 1 - chance, -math.log(chance), -math.log(1 - chance)):
        assert f"{number:.2f}" in texts


def test_one_and_two_logits_have_one_and_two():
    axes = pictures.one_and_two_logits("title")
    logits = [[t.get_text() for t in ax.texts if t.get_text().startswith("z")] for ax in axes]
    assert [len(each) for each in logits] == [1, 2]


def test_descent_holds_what_it_must_reach():
    path = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    reach = torch.tensor([[-5.0, -6.0], [7.0, 8.0]])
    ax = pictures.descent(lambda w: w.square().sum(-1), {"p": path}, "t", "x", "y", reach=reach)
    assert ax.get_xlim()[0] <= -5
    assert ax.get_ylim()[1] >= 8
