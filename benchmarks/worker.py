"""The process of one row: ``python -m benchmarks.worker ROW REVIEWS``, tasks come by pipe.

ROW is a name in `benchmarks.others.ROWS`, with an argument after a colon if it takes one.
``python -m benchmarks.worker write REVIEWS SIZE`` writes the reviews file instead.

Each line on the standard input is a task in JSON, each answer a line of JSON. Whatever
a library prints goes to the standard error, so that it cannot spoil an answer.
"""

import gc
import json
import os
import pickle
import sys
import time
import traceback
from pathlib import Path
from typing import IO

import torch

from benchmarks import machine, others
from benchmarks.process import RowUnavailableError
from benchmarks.rows import Row, warm_up
from helpers import corpus
from helpers.corpus import Reviews


def main(arguments: list[str]) -> int:
    """Serve one row until the standard input ends."""
    if arguments[0] == "write":
        write_reviews(Path(arguments[1]), int(arguments[2]) if arguments[2:] else None)
        return 0
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    name, _, argument = arguments[0].partition(":")
    try:
        row = others.ROWS[name](read_reviews(Path(arguments[1])), *filter(None, [argument]))
    except RowUnavailableError as error:
        answer(answers, unavailable=str(error))
        return 0
    warm_up(row)
    gc.collect()
    baseline = machine.peak_memory()
    answer(answers, **row.facts(), baseline=baseline, threads=torch.get_num_threads())
    for line in sys.stdin:
        try:
            answer(answers, **perform(row, json.loads(line)["task"]))
        except Exception as error:
            traceback.print_exc()
            answer(answers, error=f"{type(error).__name__}: {error}")
    return 0


def perform(row: Row, task: str) -> dict:
    """Do one task, timed but for its preparation; return seconds, value, bytes and peak."""
    row.prepare(task)
    gc.collect()
    start = time.perf_counter()
    value = getattr(row, task)()
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "value": value,
        "bytes": row.nbytes,
        "peak": machine.peak_memory(),
    }


def answer(stream: IO[str], **content: object) -> None:
    """Write one line of JSON."""
    stream.write(json.dumps(content) + "\n")


def write_reviews(file: Path, size: int | None) -> None:
    """Write the train reviews (or a balanced sample) to a file that is fast to read."""
    reviews = corpus.load_imdb("train")
    if size is not None:
        reviews = corpus.balanced_sample(reviews, size, seed=0)
    file.write_bytes(pickle.dumps((reviews.texts, reviews.labels)))


def read_reviews(file: Path) -> Reviews:
    """Read what `write_reviews` wrote; parsing the corpus would lift every row's peak."""
    with file.open("rb") as stream:
        return Reviews(*pickle.load(stream))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
