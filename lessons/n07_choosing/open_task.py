"""The open task of notebook 07: a search with 20 trainings, judged by reviews it never saw."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from helpers import datasets, training
from helpers.corpus import Reviews
from helpers.text import TOKENIZERS
from lessons.judging import Wrong
from lessons.n07_choosing import experiments

BUDGET = 20
MARGIN = 0.005  # half a point
FINAL_SEEDS = (100, 101, 102)
LOWEST, HIGHEST = 0.01, 3.0  # rates


class Recipe(NamedTuple):
    """What is to be chosen."""

    lr: float
    gamma: float
    tokenizer: str


#: found by such a search of ours, on the validation reviews alone; the check scores it anew
REFERENCE = Recipe(0.6, 0.5, "basic_english")
#: the best choice of the world that is made up
ELSEWHERE = Recipe(0.05, 0.8, "split")


class SmallWorld:
    """Trainings on few reviews, scored on validation reviews and on sealed ones."""

    def __init__(self, train: Reviews, validation: Reviews, sealed: Reviews) -> None:
        parts = {"train": train, "validation": validation, "sealed": sealed}
        self.encoded = experiments.encoder(parts)
        self.scores = functools.cache(self._scores)

    def _scores(self, recipe: Recipe, seed: int) -> dict[str, float]:
        data = self.encoded(recipe.tokenizer)
        try:
            model = experiments.train(data["train"], recipe.lr, recipe.gamma, seed)
        except FloatingPointError:
            return dict.fromkeys(data, 0.5)
        loaders = {name: datasets.make_loader(data[name], 1_000, sparse=True) for name in data}
        return {name: training.evaluate(model, part).accuracy for name, part in loaders.items()}

    def try_out(self, lr: float, gamma: float, tokenizer: str, seed: int) -> float:
        """Train five epochs; return the accuracy on the validation reviews."""
        return self.scores(_recipe((lr, gamma, tokenizer)), int(seed))["validation"]

    def final(self, recipe: Recipe | tuple) -> float:
        """Return the mean accuracy of three new seeds on the sealed reviews."""
        scores = [self.scores(_recipe(recipe), seed)["sealed"] for seed in FINAL_SEEDS]
        return float(np.mean(scores))


def made_up(lr: float, gamma: float, tokenizer: str, seed: int = 0) -> float:
    """Return the score of a recipe in a world where `ELSEWHERE` is best."""
    recipe = _recipe((lr, gamma, tokenizer))
    score = 0.85 - 0.04 * math.log10(recipe.lr / ELSEWHERE.lr) ** 2
    score -= 0.08 * (recipe.gamma - ELSEWHERE.gamma) ** 2
    score -= 0.025 * (recipe.tokenizer != ELSEWHERE.tokenizer)
    return score + 0.001 * math.sin(seed * (9 + 7 * recipe.lr + 3 * recipe.gamma))


def counted(try_out: Callable) -> Callable:
    """Return `try_out` with a budget."""
    calls: list[Any] = []

    def limited(lr: float, gamma: float, tokenizer: str, seed: int) -> float:
        calls.append(seed)
        if len(calls) > BUDGET:
            raise Wrong(f"your search asks for training number {BUDGET + 1}; it has {BUDGET}.")
        return try_out(lr, gamma, tokenizer, seed)

    return limited


def judge(choose_recipe: Callable, world: SmallWorld) -> None:
    """Raise `Wrong` unless the search finds a good recipe, in a made-up world and in ours."""
    found = _recipe(choose_recipe(counted(made_up)))
    reached, possible = made_up(*found), made_up(*ELSEWHERE)
    if reached < possible - 2 * MARGIN:
        raise Wrong(
            f"in the made-up world your search chose {_in_words(found)}, which scores "
            f"{reached:.1%} there; {possible:.1%} can be had. Of which setting has it tried too "
            "few values?"
        )
    found = _recipe(choose_recipe(counted(world.try_out)))
    score, wanted = world.final(found), world.final(REFERENCE)
    if score < wanted - MARGIN:
        raise Wrong(
            f"your search chose {_in_words(found)}. Its three seeds are right on {score:.2%} of "
            f"the sealed reviews, our choice on {wanted:.2%}: more than half a point apart."
        )


def _recipe(found: Any) -> Recipe:
    """Return a recipe in whatever form it comes; `Wrong` if it is none."""
    if isinstance(found, dict):
        found = [found.get(name) for name in Recipe._fields]
    if not isinstance(found, tuple | list) or len(found) != len(Recipe._fields):
        raise Wrong(f"a recipe is three values, (lr, gamma, tokenizer); this is {found!r:.60}.")
    try:
        lr, gamma = float(found[0]), float(found[1])
    except (TypeError, ValueError):
        raise Wrong(f"lr and gamma are numbers; these are {found[0]!r} and {found[1]!r}.") from None
    if found[2] not in TOKENIZERS:
        raise Wrong(f"tokenizer is one of {', '.join(TOKENIZERS)}; this is {found[2]!r:.40}.")
    if not (LOWEST <= lr <= HIGHEST and 0 < gamma <= 1):
        raise Wrong(
            f"lr lies between {LOWEST} and {HIGHEST:g}, gamma above 0 and up to 1; these are "
            f"{lr:g} and {gamma:g}."
        )
    return Recipe(lr, gamma, found[2])


def _in_words(recipe: Recipe) -> str:
    return f"rate {recipe.lr:g}, gamma {recipe.gamma:g}, {recipe.tokenizer}"
