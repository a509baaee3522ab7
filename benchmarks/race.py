"""Rows measured side by side: who runs where, in which order, and what the table says.

Each way of doing the work has a process of its own, because memory that one has freed and
threads that one has started change the speed of another. The processes are asked in turn,
A B C A B C …, one at a time, so that a machine that speeds up or slows down hits all alike.
A ratio is taken within each round, and the table shows the median of these ratios.
"""

import gc
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tabulate import tabulate
from torch.utils.benchmark import timer
from tqdm import tqdm

from helpers import corpus
from helpers.corpus import Reviews

Lane = tuple[str, str]  # way and device

WARM_UP_REVIEWS = 512
HEADS = ("the work", "the way", "seconds", "ratio", "by round", "what came out")


@dataclass(frozen=True)
class Case:
    """What a row is given.

    Parameters
    ----------
    reviews : Reviews
        Raw texts and labels; a new object each time, without a digest.
    folder : Path
        An empty folder, removed after the measurement.
    device : str
        Where the row trains.
    """

    reviews: Reviews
    folder: Path
    device: str = "cpu"


#: A row: takes a case, prepares what is not timed, and returns the work. The work is timed
#: and returns what came out of it, in a few words.
Prepare = Callable[[Case], Callable[[], str]]


@dataclass(frozen=True)
class Row:
    """One way to do a work.

    Parameters
    ----------
    way : str
        Its name in the table; rows of one way share a process.
    prepare : callable
        See `Prepare`; picklable.
    rounds : int or None
        Fewer rounds than the work has, for a way that takes very long.
    needs : str
        The module without which the row is left out.
    """

    way: str
    prepare: Prepare
    rounds: int | None = None
    needs: str = ""


@dataclass(frozen=True)
class Work:
    """Rows that do the same work; ratios are relative to the last of them.

    Parameters
    ----------
    name : str
        Its name in the table.
    rounds : int
        How often each row is measured.
    rows : sequence of Row
    device : str
        Where they train.
    """

    name: str
    rounds: int
    rows: Sequence[Row]
    device: str = "cpu"


@dataclass
class Result:
    """What was measured of a row.

    Parameters
    ----------
    work, way : str
        The row's names.
    seconds : list of float
        One for each round, from the first on.
    outcome : str
        What came out of the last round.
    failure : str
        Why the row ended early; empty if it did not.
    """

    work: str
    way: str
    seconds: list[float] = field(default_factory=list)
    outcome: str = ""
    failure: str = ""


# --- measuring ----------------------------------------------------------------------------


def own_process() -> Executor:
    """Return an executor with one fresh process."""
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))


def run(
    works: Sequence[Work], size: int | None = None, executor: Callable[[], Executor] = own_process
) -> list[Result]:
    """Measure all rows of all works.

    Parameters
    ----------
    works : sequence of Work
        What to measure.
    size : int, optional
        A balanced sample of the train reviews instead of all.
    executor : callable
        Makes what runs the rows of one way.

    Returns
    -------
    list of Result
        In the order of `works` and their rows.
    """
    results: list[Result] = []
    turns = sum(len(schedule(work)) for work in works)
    with ExitStack() as stack, tqdm(total=turns, leave=False) as bar:
        lanes = {lane: stack.enter_context(executor()) for lane in _lanes(works)}
        for place, work in enumerate(works, start=1):
            bar.set_description(work.name)
            results += _run_work(work, lanes, size, bar)
            for lane in lanes.keys() - _lanes(works[place:]):  # gives its memory back
                lanes.pop(lane).shutdown()
    return results


def _lanes(works: Sequence[Work]) -> set[Lane]:
    return {(row.way, work.device) for work in works for row in work.rows}


def schedule(work: Work) -> list[tuple[int, Row]]:
    """Return (round, row) in the order of measuring; round 0 warms up and does not count."""
    return [
        (turn, row)
        for turn in range(work.rounds + 1)
        for row in work.rows
        if turn <= (row.rounds or work.rounds)
    ]


def _run_work(work: Work, lanes: dict[Lane, Executor], size: int | None, bar: tqdm) -> list[Result]:
    results = {row.way: Result(work.name, row.way) for row in work.rows}
    for turn, row in schedule(work):
        result = results[row.way]
        if not result.failure:
            part = size if turn else min(WARM_UP_REVIEWS, size or WARM_UP_REVIEWS)
            lane = lanes[row.way, work.device]
            try:
                seconds, result.outcome = lane.submit(measure, row, part, work.device).result()
            except Exception as error:  # another library's, or a process that was killed
                result.failure = f"{type(error).__name__}: {error}"
            else:
                result.seconds += [seconds] if turn else []
        bar.update()
    return list(results.values())


def measure(row: Row, size: int | None, device: str) -> tuple[float, str]:
    """Prepare a row and time its work; a GPU is waited for at both ends.

    Returns
    -------
    seconds : float
    outcome : str
    """
    texts, labels = _load(size)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        work = row.prepare(Case(Reviews(texts, labels), Path(folder), device))
        gc.collect()
        start = timer()  # PyTorch's, which synchronises CUDA
        outcome = work()
        return timer() - start, outcome


@lru_cache
def _load(size: int | None) -> tuple[tuple[str, ...], tuple[int, ...]]:
    reviews = corpus.load_imdb("train")
    if size is not None:
        reviews = corpus.balanced_sample(reviews, size, seed=0)
    return reviews.texts, reviews.labels


def split_missing(works: Sequence[Work]) -> tuple[list[Work], list[Row]]:
    """Return the works without the rows whose module is not installed, and these rows."""
    missing = [row for work in works for row in work.rows if row.needs and not find_spec(row.needs)]
    kept = [
        Work(work.name, work.rounds, [r for r in work.rows if r not in missing], work.device)
        for work in works
    ]
    return kept, missing


# --- the table ----------------------------------------------------------------------------


def ratios(result: Result, reference: Result) -> np.ndarray:
    """Return seconds of `result` over those of `reference`, round by round, float64 [rounds]."""
    rounds = min(len(result.seconds), len(reference.seconds))
    return np.divide(result.seconds[:rounds], reference.seconds[:rounds])


def table(results: Sequence[Result]) -> str:
    """Return the table; in each work, ratios are relative to its last row."""
    references = {result.work: result for result in results}
    lines, named = [], ""
    for result in results:
        work = "" if result.work == named else result.work
        lines.append([work, *cells(result, references[result.work])])
        named = result.work
    return tabulate(lines, HEADS, disable_numparse=True, colalign=("left", "left", *["right"] * 3))


def cells(result: Result, reference: Result) -> list[str]:
    """Return way, median seconds, median ratio, its range by round, and what came out."""
    outcome = f"failed: {result.failure}" if result.failure else result.outcome
    if not result.seconds:
        return [result.way, "–", "–", "–", outcome]
    found = ratios(result, reference)
    seconds = digits(float(np.median(result.seconds)))
    if result is reference or not len(found):
        return [result.way, seconds, "1" if len(found) else "–", "", outcome]
    spread = "once" if len(found) == 1 else f"{digits(found.min())} to {digits(found.max())}"
    return [result.way, seconds, digits(float(np.median(found))), spread, outcome]


def digits(value: float) -> str:
    """Return three significant digits."""
    return f"{value:#.3g}".rstrip(".")
