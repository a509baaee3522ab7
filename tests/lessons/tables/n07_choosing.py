"""Answers to notebook 07 in unusual forms; the usual ones come with the exercises themselves."""

import itertools
import statistics
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from helpers import corpus, training
from lessons.n07_choosing import open_task
from tests.lessons.tables import Trap

WORDS = ("awful", "dull", "great", "moving")
REVIEWS = corpus.Reviews(tuple(f"{word} film" for word in WORDS) * 32, (0, 0, 1, 1) * 32)
WORLD = open_task.SmallWorld(REVIEWS, REVIEWS[:8], REVIEWS[8:16])


def sweep_pairs(train_and_score: Callable, rates: Any, seeds: Any) -> dict:
    """Loop over pairs, keep tuples, catch a wider class."""
    found = defaultdict(tuple)
    for rate, seed in itertools.product(rates, seeds):
        try:
            found[rate] += (train_and_score(rate, seed),)
        except ArithmeticError:
            found[rate] += (np.float64(0.5),)
    return dict(found)


def ends_at_once(train_and_score: Callable, rates: Any, seeds: Any) -> dict:
    return {rate: [train_and_score(rate, seed) for seed in seeds] for rate in rates}


def trains_twice(train_and_score: Callable, rates: Any, seeds: Any) -> dict:
    sweep_pairs(train_and_score, rates, seeds)
    return sweep_pairs(train_and_score, rates, seeds)


def by_scipy(new: Any, old: Any) -> list[float]:
    test = stats.ttest_rel(new, old).confidence_interval()
    return [(test.low + test.high) / 2, (test.high - test.low) / 2]


def plain_lists(new: Any, old: Any) -> Any:
    return np.mean(new - old), 0.0


def by_intervals(scores: dict) -> Any:
    means = {rate: sum(row) / len(row) for rate, row in scores.items()}
    best = sorted(means, key=means.get)[-1]  # type: ignore[arg-type]
    kept = []
    for rate, row in sorted(scores.items()):
        lead, half = training.paired_interval(scores[best], row)
        if rate == best or abs(lead) <= half:
            kept.append(rate)
    return np.float64(kept[(len(kept) - 1) // 2])


def rates_for_scores(scores: dict) -> Any:
    return [rate for rate in scores if training.paired_interval(max(scores), rate)[0] > 0]


def rayleigh(product: Callable, vector: Tensor, num_steps: int) -> Tensor:
    for _ in range(num_steps):
        vector = torch.nn.functional.normalize(product(vector), dim=0)
    return vector @ product(vector)


def subtract_bools(new_hits: np.ndarray, old_hits: np.ndarray) -> Any:
    gains = new_hits - old_hits
    return gains.mean(axis=1), gains.mean(axis=0)


def by_first_seed(scores: dict) -> list:
    best = max(scores, key=scores.get)  # type: ignore[arg-type]
    return [
        r for r in scores if np.subtract(*training.paired_interval(scores[best], scores[r])) <= 0
    ]


def models_as_columns(hits: np.ndarray, exam: np.ndarray) -> Any:
    best = hits[:, exam].mean(axis=0).argmax()
    return hits[best, exam].mean(), np.delete(hits[best], exam).mean()


def one_call(try_out: Callable) -> tuple:
    try_out(0.05, 0.8, "split", 0)
    return 0.6, 0.5, "basic_english"


def by_mask(hits: np.ndarray, exam: np.ndarray) -> tuple:
    mask = np.zeros(hits.shape[1], dtype=bool)
    mask[exam] = True
    winner = max(range(len(hits)), key=lambda row: hits[row, mask].sum())
    return float(np.mean(hits[winner, mask])), torch.tensor(hits[winner, ~mask].mean())


def searches(rates: tuple = (0.02, 0.05, 0.1, 0.3, 1.0), gammas: tuple = (0.6, 0.8, 1)) -> Callable:
    def choose_recipe(try_out: Callable) -> list:
        names = tuple(open_task.TOKENIZERS)
        lr = max(rates, key=lambda rate: try_out(rate, 0.7, "basic_english", 0))
        name = max(names, key=lambda one: try_out(lr, 0.7, one, 0))
        gamma = max(gammas, key=lambda one: try_out(lr, one, name, 0))
        return [lr, gamma, name]

    return choose_recipe


RIGHT = {
    "ex_07_1": [(sweep_pairs,)],
    "ex_07_2": [(by_scipy,)],
    "ii_3": [(by_intervals,)],
    "vi_6_a": [(by_mask,)],
    "ex_07_open": [(searches(), WORLD)],
}

TRAPS = [
    Trap("ex_07_1", (ends_at_once,), "catch its FloatingPointError"),
    Trap("ex_07_1", (trains_twice,), "trainings asked for, (rate, seed) each, should not be"),
    Trap(
        "ex_07_1",
        (lambda score, rates, seeds: sweep_pairs(lambda r, s: score(s, r), rates, seeds),),
        "(rate, seed) each, should not be",
    ),
    Trap("ex_07_2", (lambda new, old: by_scipy(new, old)[1],), "does not fit the task"),
    Trap("ii_3", (lambda scores: statistics.median_low(by_first_seed(scores)),), "all seeds"),
    Trap("ex_07_3", (rayleigh,), "one step more"),
    Trap("vi_6_a", (models_as_columns,), "a row for each model"),
    Trap("ex_07_2", (plain_lists,), "np.subtract(new, old)"),
    Trap("ii_3", (rates_for_scores,), "`scores[rate]`"),
    Trap("ii_4_c", (subtract_bools,), "average first"),
    Trap("ex_07_open", (lambda try_out: (0.6, 0.5, "basic_english"), WORLD), "without a call"),
    Trap("ex_07_open", (one_call, WORLD), "in the made-up world your search chose rate 0.6"),
    Trap("ex_07_open", (searches(rates=(0.01, 0.02) * 9), WORLD), "training number 21"),
    Trap("ex_07_open", (lambda try_out: 0.3, WORLD), "a recipe is three values"),
    Trap("ex_07_open", (lambda try_out: {"lr": 1, "gamma": 1}, WORLD), "a recipe is three values"),
    Trap("ex_07_open", (lambda try_out: (0.3, 1, "words"), WORLD), "tokenizer is one of"),
    Trap("ex_07_open", (lambda try_out: try_out(9.0, 1, "split", 0), WORLD), "lr lies between"),
]
