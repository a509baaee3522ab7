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
        parts = [name for name in data if name != "train"]
        loaders = {name: datasets.make_loader(data[name], 1_000, sparse=True) for name in parts}
        return {name: training.evaluate(model, part).accuracy for name, part in loaders.items()}

    def try_out(self, lr: float, gamma: float, tokenizer: str, seed: int) -> float:
        """Train five epochs; return the accuracy on the validation reviews."""
        return self.scores(_recipe((lr, gamma, tokenizer)), int(seed))["validation"]

    def final(self, recipe: Recipe | tuple) -> float:
        """Return the mean accuracy of three new seeds on the sealed reviews."""
        scores = [self.scores(_recipe(recipe), seed)["sealed"] for seed in FINAL_SEEDS]
        return float(np.mean(scores))


def elsewhere(rng: np.random.Generator) -> Recipe:
    """Draw the best choice of a made-up world: one that is bad in ours."""
    names = [name for name in TOKENIZERS if name != REFERENCE.tokenizer]
    return Recipe(10 ** rng.uniform(-1.9, -0.7), rng.uniform(0.4, 0.95), str(rng.choice(names)))


def made_up(best: Recipe, lr: float, gamma: float, tokenizer: str, seed: int = 0) -> float:
    """Return the score of a recipe in a world where another is best."""
    recipe = _recipe((lr, gamma, tokenizer))
    score = 0.85 - 0.06 * math.log10(recipe.lr / best.lr) ** 2
    score -= 0.08 * (recipe.gamma - best.gamma) ** 2
    score -= 0.025 * (recipe.tokenizer != best.tokenizer)
    return score + 0.001 * math.sin(seed * (9 + 7 * recipe.lr + 3 * recipe.gamma))


def search(choose_recipe: Callable, try_out: Callable) -> Recipe:
    """Return what a search with a budget chooses."""
    calls: list[Any] = []

    def limited(lr: float, gamma: float, tokenizer: str, seed: int) -> float:
        calls.append(seed)
        if len(calls) > BUDGET:
            raise Wrong(f"your search asks for training number {BUDGET + 1}; it has {BUDGET}.")
        return try_out(lr, gamma, tokenizer, seed)

    found = _recipe(choose_recipe(limited))
    if not calls:
        raise Wrong(f"your function chose {_in_words(found)} without a call of try_out.")
    return found


def judge(choose_recipe: Callable, world: SmallWorld) -> None:
    """Raise `Wrong` unless the search finds a good recipe, in a made-up world and in ours."""
    best = elsewhere(np.random.default_rng())
    found = search(choose_recipe, functools.partial(made_up, best))
    reached, possible = made_up(best, *found), made_up(best, *best)
    if reached < possible - 2 * MARGIN:
        raise Wrong(
            f"in the made-up world your search chose {_in_words(found)}: {reached:.1%}. Best was "
            f"{_in_words(best)}: {possible:.1%}. (Each run of the check draws another world.)"
        )
    found = search(choose_recipe, world.try_out)
    score, wanted = world.final(found), world.final(REFERENCE)
    if score < wanted - MARGIN:
        raise Wrong(
            f"your search chose {_in_words(found)}. Its three seeds are right on {score:.2%} of "
            f"the sealed reviews, our choice on {wanted:.2%}: more than half a point below it. "
            "Does the best rate stay the same when gamma changes?"
        )


def _recipe(found: Any) -> Recipe:
    """Return a recipe in whatever form it comes; `Wrong` if it is none."""
    if not isinstance(found, tuple | list) or len(found) != len(Recipe._fields):
        raise Wrong(f"a recipe is three values, (lr, gamma, tokenizer); this is {found!r:.60}.")
    lr, gamma = float(found[0]), float(found[1])
    if found[2] not in TOKENIZERS:
        raise Wrong(f"tokenizer is one of {', '.join(TOKENIZERS)}; this is {found[2]!r:.40}.")
    if not (LOWEST <= lr <= HIGHEST and 0 < gamma <= 1):
        raise Wrong(
            f"lr lies between {LOWEST} and {HIGHEST:g}, gamma above 0 and up to 1; these are "
            f"{lr:g} and {gamma:g}."
        )
    return Recipe(lr, gamma, found[2])


def _in_words(recipe: Recipe) -> str:
    return f"rate {recipe.lr:.3g}, gamma {recipe.gamma:.3g}, {recipe.tokenizer}"
