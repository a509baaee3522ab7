"""The open task of notebook 12: a budget of trainings, and a hidden part that confirms."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from helpers import abalone
from lessons.comparing import in_words, number, sequence
from lessons.exercises import Wrong
from lessons.n12_abalone_classification import experiments

NARROWEST, WIDEST = 0.03, 0.08  # three, and eight, standard errors of such an AUC
MARGIN = 0.01  # how far the choice may lie below the notebook's network, on the hidden part
SEEDS = (101, 102, 103)


class Lab:
    """Trains networks on half of the animals of `table`, at most `budget` times.

    A quarter is for validation: `labels` are theirs. The last quarter is the hidden part.
    """

    def __init__(self, table: pd.DataFrame, budget: int = 20) -> None:
        self._all = experiments.is_old(table)
        self._parts = abalone.split_indices(self._all, seed=12)  # not one of the notebook's
        self._features = abalone.make_features(table, self._parts[0])
        self.labels, self.budget = self._all[self._parts[1]], budget
        self.trained: list[dict] = []
        self.judged = False

    @property
    def left(self) -> int:
        """The trainings that are left."""
        return self.budget - len(self.trained)

    def train(self, seed: int = 0, **settings: Any) -> np.ndarray:
        """Train once; return the probability of "old" for each validation animal."""
        if self.left < 1:
            raise RuntimeError(f"The budget of {self.budget} trainings is used up.")
        self.trained.append(completed(settings))
        return self._rated(seed, settings)[self._parts[1]]

    def _rated(self, seed: int, settings: Mapping[str, Any]) -> np.ndarray:
        given = self._features, self._all, self._parts
        return experiments.experiment(*given, seed=seed, **settings)[0]

    def reached(self, settings: Mapping[str, Any]) -> float:
        """Return the AUC of `settings` on the hidden part, the mean of three other seeds."""
        rows = self._parts[2]
        runs = [self._rated(seed, settings)[rows] for seed in SEEDS]
        return float(np.mean([roc_auc_score(self._all[rows], scores) for scores in runs]))

    def confirm(self, settings: Mapping[str, Any]) -> float:
        """Return the AUC of `settings` on the hidden part, once an answer has passed."""
        if not self.judged:
            raise RuntimeError("The hidden part stays closed until the check has said ✓.")
        return self.reached(settings)


def completed(settings: Mapping[str, Any]) -> dict:
    """Return all settings, those that are not named as in the notebook."""
    known = inspect.signature(experiments.experiment).parameters
    full = {name: one.default for name, one in known.items()} | {**settings, "seed": 0}
    return full | {"hidden_sizes": tuple(full["hidden_sizes"])}


def judge(found: Any, lab: Lab) -> None:
    """Check the choice and its interval on the hidden part."""
    parts = found if isinstance(found, tuple | list) else ()
    ends = sequence(parts[1]) if len(parts) == 2 else None
    if ends is None or len(ends) != 2 or not isinstance(parts[0], Mapping):
        raise Wrong(f"a dict of settings and (low, high) are asked for, not {in_words(found)}.")
    low, high = map(number, ends)
    if low is None or high is None or not 0 <= low < high <= 1:
        raise Wrong(f"an interval of AUCs goes from low to high, in 0 to 1; not {in_words(ends)}.")
    if high - low > WIDEST + 1e-9:
        raise Wrong(f"the interval is {high - low:.3f} wide; {WIDEST} at most is asked for.")
    settings = {name: value for name, value in parts[0].items() if name != "seed"}
    if lab.trained and all(one == lab.trained[0] for one in lab.trained):
        raise Wrong("this lab has trained one choice of settings; a search compares several.")
    try:
        reached, plain = lab.reached(settings), lab.reached({})
    except TypeError as error:
        raise Wrong(f"the lab can't train with these settings: {error}.") from error
    if completed(settings) not in lab.trained:
        raise Wrong(f"{settings} are settings that this lab has never trained.")
    if reached < plain - MARGIN:
        raise Wrong(f"they lie more than {MARGIN} below the notebook's settings. Search on.")
    if high - low < NARROWEST:
        raise Wrong(
            f"{high - low:.3f} is narrower than chance allows: with other animals, an AUC measured "
            "on a thousand of them has a standard error of about 0.01."
        )
    if not low <= reached <= high:
        raise Wrong(
            f"the AUC on the hidden part is outside of {low:.3f} to {high:.3f}. Its animals "
            "are others, and the validation AUC was the best of several: is there room for both?"
        )
    lab.judged = True
