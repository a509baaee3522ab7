"""Measure the course's speed claims: `make bench`, or ``python -m benchmarks``.

Every row of the table runs in a process of its own, which stays alive and is asked in
turn: column by column, round by round, A B C A B C …, so that a machine that speeds up
or slows down hits all rows alike. One process works at a time. A ratio is the median of
the ratios round by round. Each process first does every task with a few reviews, to
warm up.

It takes about 10 minutes on two quiet cores, and 10 GB of memory at most (two dense
caches live side by side). Nothing asserts on seconds; the exit status is 1 if a row
failed, or if rows that are one computation trained to different losses.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tabulate import tabulate
from tqdm import tqdm

from benchmarks import machine, report
from benchmarks.process import PROJECT, RowFailedError, RowUnavailableError, Worker
from benchmarks.report import RowResult
from helpers.files import atomic_write

#: the table's order; `benchmarks.others.ROWS` has the same names
ROWS = (
    "naive", "dense", "preloaded", "batches", "bag", "lora_formed", "lora_thin", "lora_bag",
    "sklearn", "fasttext", "torchtext",
)  # fmt: skip
ONCE = ("naive",)  # too slow for more than one round
#: rows whose five epochs take long: once, too; the others twice, which is steady enough
FINISH_ONCE = ("naive", "dense", "preloaded", "batches")
FINISH_ROUNDS = 2
TRAIN_FACTOR = 3  # an epoch is short, and most claims are about it: three times the rounds
SIZES = (1_000, 5_000, 25_000, 100_000, 250_000)
ONCE_FROM = 100_000  # sizes that are long enough to be measured once


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure rows, limit and growth; print tables, write JSON and a picture."""
    options = parse(arguments)
    content = {"machine": machine.describe(), "problems": []}
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        reviews = Path(folder) / "reviews.pickle"
        write_reviews(reviews, options.reviews)
        names = [name for name in ROWS if not (options.quick and name in ONCE)]
        rows, content["notes"] = measure(names, reviews, options.rounds)
        print(f"\n{report.table(list(rows.values()))}\n")
        content["rows"] = {name: row.as_json() for name, row in rows.items()}
        content["problems"] += [row.failure for row in rows.values() if row.failure]
        content["problems"] += report.check_losses(rows)
        try:
            content["limit"] = measure_limit(reviews, options.rounds)
            if not options.quick:
                content["growth"] = measure_growth(reviews, options.sizes, options.rounds)
        except RowFailedError as error:
            content["problems"].append(str(error))
    content["claims"] = report.judge(rows) + report.judge_limit(content.get("limit"))
    finish(content, options.output)
    return 1 if content["problems"] else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=positive, default=3, help="rounds of each column")
    parser.add_argument("--quick", action="store_true", help="no naive Dataset, no growth")
    parser.add_argument("--reviews", type=even, help="a balanced sample instead of all")
    parser.add_argument("--sizes", type=even, nargs="+", default=SIZES, help="for the growth")
    parser.add_argument("--output", type=Path, default=PROJECT / "build", help="folder")
    return parser.parse_args(arguments)


def positive(word: str) -> int:
    """Return a number from 1 up, for argparse."""
    if (number := int(word)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def even(word: str) -> int:
    """Return an even number from 2 up, for argparse: samples have as many of each class."""
    if (number := positive(word)) % 2:
        raise argparse.ArgumentTypeError(f"{number} is not even")
    return number


def write_reviews(file: Path, size: int | None) -> None:
    """Have another process read the corpus, so that this one stays small."""
    program = [sys.executable, "-m", "benchmarks.worker", "write", str(file)]
    subprocess.run(program + ([str(size)] if size else []), cwd=PROJECT, check=True)


# --- the rows -----------------------------------------------------------------------------


def measure(
    names: Sequence[str], reviews: Path, rounds: int
) -> tuple[dict[str, RowResult], list[str]]:
    """Ask all rows for all columns, in turn.

    Returns
    -------
    rows : dict of str to RowResult
    notes : list of str
        Which rows could not be measured here, and why.
    """
    rows, notes = {}, []
    with ExitStack() as stack:
        workers = {}
        for name in tqdm(names, desc="starting", leave=False):
            try:
                workers[name] = stack.enter_context(Worker(name, reviews))
            except RowUnavailableError as reason:
                notes.append(f"{name} is left out: {reason}")
            except RowFailedError as error:
                rows[name] = RowResult(name, failure=str(error))
            else:
                facts = workers[name].facts
                rows[name] = RowResult(facts["title"], facts["baseline"], facts["threads"])
        schedule = plan(workers, rounds)
        bar = tqdm(schedule, leave=False)
        for name, column, turn in bar:
            bar.set_description(f"{rows[name].title}: {column}")
            if not rows[name].failure:
                ask(workers[name], rows[name], column, turn)
    return {name: rows[name] for name in names if name in rows}, notes


def plan(workers: dict[str, Worker], rounds: int) -> list[tuple[str, str, int]]:
    """Return (row, column, round) in the order of measuring."""
    schedule = []
    for column in report.COLUMNS:
        turns, once = rounds, ONCE
        if column == "finish":
            turns, once = min(rounds, FINISH_ROUNDS), FINISH_ONCE
        if column == "train":
            turns *= TRAIN_FACTOR
        for turn in range(turns):
            schedule += [
                (name, column, turn)
                for name, worker in workers.items()
                if column in worker.facts["columns"] and not (turn and name in once)
            ]
    return schedule


def ask(worker: Worker, row: RowResult, column: str, turn: int) -> None:
    """Have one row do one task, and note what it answers or how it fails."""
    try:
        reply = worker.ask(column)
    except RowFailedError as error:
        row.failure = str(error)
        return
    row.seconds.setdefault(column, []).append((turn, reply["seconds"]))
    if reply["value"] is not None:
        row.values[column] = reply["value"]
    row.held = reply["bytes"] or row.held
    row.peak = reply["peak"]


# --- limit and growth ----------------------------------------------------------------------


def measure_limit(reviews: Path, rounds: int) -> dict:
    """Measure bandwidths and epochs in turn; see `benchmarks.limit`."""
    with Worker("limit", reviews) as worker:
        traffic = worker.ask("count")["value"]
        found = []
        for _ in tqdm(range(rounds), desc="limit", leave=False):
            bandwidth = worker.ask("bandwidth")["value"]
            found.append((worker.ask("train")["seconds"], bandwidth))
        operations = worker.ask("operations")["value"]
    return report.conclude_limit(traffic, found) | {"operations": operations}


def measure_growth(reviews: Path, sizes: Sequence[int], rounds: int) -> list[dict]:
    """Measure time and memory for each size; see `benchmarks.growth`."""
    results = []
    for size in tqdm(sizes, desc="growth", leave=False):
        with Worker(f"growth:{size}", reviews) as worker:
            found = {"reviews": size}
            for task in ("encode", "iterate", "train"):
                replies = [worker.ask(task) for _ in range(1 if size >= ONCE_FROM else rounds)]
                found[task] = report.summary([reply["seconds"] for reply in replies])["median"]
                if task == "encode":
                    found["held_bytes"] = replies[-1]["bytes"]
                    peak, baseline = replies[-1]["peak"], worker.facts["baseline"]
                    found["peak_bytes"] = peak - baseline if peak else None
            results.append(found)
    return results


# --- the end --------------------------------------------------------------------------------


def finish(content: dict, folder: Path) -> None:
    """Print what is not printed yet; write JSON and picture."""
    print(f"{report.claims_table(content['claims'])}\n")
    for note in content["notes"] + report.busy_note(content["machine"]):
        print(note)
    if "limit" in content:
        print(f"{report.limit_text(content['limit'])}\n")
    if "growth" in content:
        print(f"{tabulate(content['growth'], 'keys', floatfmt='.3g', intfmt=',')}\n")
    print(report.machine_line(content["machine"], content["rows"]))
    with atomic_write(folder / "benchmarks.json") as file:
        file.write(json.dumps(content, indent=2).encode() + b"\n")
    written = [folder / "benchmarks.json"]
    if "growth" in content:
        from benchmarks import picture  # only now: it imports PyTorch, see machine.peak_memory

        picture.save(content["growth"], folder / "growth.png")
        written.append(folder / "growth.png")
    print("written:", *written)
    for problem in content["problems"]:
        print(f"PROBLEM: {problem}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
