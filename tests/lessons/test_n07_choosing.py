"""What notebook 07 computes besides its exercises."""

import math

import numpy as np
import pytest
import torch

from helpers import datasets, models, training
from lessons.n07_choosing import experiments, open_task
from tests.lessons.tables.n07_choosing import REVIEWS, WORLD


def test_the_network_of_a_sample_has_the_same_loss() -> None:
    """Although it lacks the tokens that no review of the sample has."""
    data, vocabulary = datasets.build_and_encode(REVIEWS)
    sample = data.select([0, 3, 4])  # "awful", "moving", "awful"
    torch.manual_seed(0)
    model = models.SparseOneHotMLP(len(vocabulary), hidden_size=5)
    network, inputs = experiments.on_sample(model, sample)
    assert inputs.shape[1] == network.hidden.in_features == 3 < len(vocabulary)
    losses = [
        training.classification_loss(logits, sample.labels)
        for logits in (network(inputs), model(sample.bags()))
    ]
    assert torch.allclose(*losses)


def test_the_best_of_coins_is_all_luck() -> None:
    coins = np.random.default_rng(0).random((40, 4_000)) < 0.5
    worth = experiments.luck_and_gain(coins, 100, tries=(1, 40), draws=400)  # in points
    assert worth[0] == pytest.approx([0, 0], abs=1)
    assert worth[1] == pytest.approx([11, 0], abs=1)  # 2.16 standard deviations of 5 points


def test_a_better_model_is_found_by_a_large_exam() -> None:
    rng = np.random.default_rng(0)
    models_of_both = rng.random((10, 4_000)) < np.repeat([0.5, 0.6], [9, 1])[:, None]
    ((_, small),) = experiments.luck_and_gain(models_of_both, 20, tries=(10,), draws=200)
    ((luck, large),) = experiments.luck_and_gain(models_of_both, 2_000, tries=(10,), draws=200)
    assert small < 6 < large
    assert abs(luck) < 0.5


@pytest.mark.parametrize("seed", range(20))
def test_each_made_up_world_has_another_best_recipe(seed: int) -> None:
    best = open_task.elsewhere(np.random.default_rng(seed))
    reached = open_task.made_up(best, *best)
    for lr in (0.01, 0.3, 3.0):
        for gamma in (0.3, 1.0):
            for tokenizer in open_task.TOKENIZERS:
                assert open_task.made_up(best, lr, gamma, tokenizer) < reached
    assert open_task.made_up(best, *open_task.REFERENCE) < reached - 2 * open_task.MARGIN


def test_the_sealed_reviews_have_no_say_in_a_trial() -> None:
    """A trial gives the validation accuracy; equal trials train once."""
    trial = WORLD.try_out(0.3, 1, "split", seed=0)
    scores = WORLD.scores(open_task.Recipe(0.3, 1.0, "split"), 0)
    assert trial == scores["validation"]
    assert WORLD.scores.cache_info().hits > 0


def test_a_training_that_blows_up_counts_as_guessing(monkeypatch: pytest.MonkeyPatch) -> None:
    def blow_up(*_: object) -> None:
        raise FloatingPointError

    monkeypatch.setattr(experiments, "train", blow_up)
    world = open_task.SmallWorld(REVIEWS, REVIEWS[:8], REVIEWS[8:16])
    assert math.isclose(world.try_out(0.3, 1.0, "split", seed=0), 0.5)
