"""`make bench`: rows of one work do the same, they take turns, and ratios come from pairs."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks import __main__ as bench
from benchmarks import machine, memory, race, rows
from benchmarks.race import Case, Result, Row, Work
from helpers import corpus
from helpers.datasets import Bags

SIZE = 260  # reviews: three batches, the last one not full

pytestmark = pytest.mark.xdist_group("benchmarks")  # the rows are measured once


@pytest.fixture(scope="module")
def works() -> list[Work]:
    found, _ = race.split_missing([*bench.all_works(), bench.gpu_work(device="cpu")])
    return [Work(work.name, 2, work.rows, work.device) for work in found]


@pytest.fixture(scope="module")
def results(works: list[Work]) -> list[Result]:
    return race.run(works, SIZE, partial(ThreadPoolExecutor, max_workers=1))


# --- the rows ---------------------------------------------------------------------------------


def test_every_row_is_measured_in_each_of_its_rounds(
    works: list[Work], results: list[Result]
) -> None:
    pairs = [(work, row) for work in works for row in work.rows]
    assert [(r.work, r.way) for r in results] == [(work.name, row.way) for work, row in pairs]
    for (_, row), result in zip(pairs, results, strict=True):
        assert result.failure == ""
        assert len(result.seconds) == min(row.rounds or 2, 2)
        assert min(result.seconds) > 0


@pytest.mark.parametrize(
    ("work", "kind", "ways"),
    [
        ("train an epoch", "loss", 5),
        ("train an epoch on the GPU", "loss", 3),
        ("train an epoch of LoRA", "loss", 2),
        ("iterate an epoch", "batches", 5),
        ("tokenise", "tokens", None),
    ],
)
def test_rows_of_one_work_come_to_the_same(
    results: list[Result], work: str, kind: str, ways: int | None
) -> None:
    outcomes = [result.outcome for result in results if result.work == work]
    assert len(outcomes) == (ways or len(outcomes))
    numbers = [float(outcome.replace(kind, "").replace(",", "")) for outcome in outcomes]
    assert numbers == pytest.approx(numbers[:1] * len(numbers), abs=2e-4)
    if kind == "loss":
        assert 0.68 < numbers[0] < 0.7  # three steps from ln 2


def test_all_ways_visit_the_reviews_in_one_order(tmp_path: Path) -> None:
    case = Case(corpus.balanced_sample(corpus.load_imdb("train"), SIZE, seed=1), tmp_path)
    ways = (rows.naive_batches, rows.cached_batches, rows.IndexedBatches, rows.bag_batches)
    visited = [torch.cat([targets for _, targets in way(case)]).tolist() for way in ways]
    assert visited == [visited[0]] * len(ways)


def test_what_comes_out_of_raw_text(results: list[Result]) -> None:
    outcomes = {(result.work, result.way): result.outcome for result in results}
    held = {way: float(outcomes["raw text to encoded", way].split()[0]) for way in
            (bench.DENSE, bench.BAG, "token ids, from the cache on disk")}  # fmt: skip
    assert held[bench.DENSE] > 40 * held[bench.BAG] > 0
    assert held["token ids, from the cache on disk"] == held[bench.BAG]
    for result in results:
        if result.work == "raw text to 88 %":
            assert 0.4 < float(result.outcome.removeprefix("accuracy ")) <= 1


def test_bytes_of_an_epoch_equal_a_count_by_hand() -> None:
    # two batches: ids 1 2 | 2, then 5 | (an empty review) | 5; rows of 3 floats, 12 bytes
    batches = [
        (Bags(torch.tensor([1, 2, 2]), torch.tensor([0, 2, 3])), None),
        (Bags(torch.tensor([5, 5]), torch.tensor([0, 1, 1, 2])), None),
    ]
    # forward: 5 rows of 12 bytes and 5 ids of 4; update: 3 rows read and 3 written
    assert memory.epoch_bytes(batches, hidden_size=3) == 5 * 12 + 5 * 4 + 3 * 12 + 3 * 12


# --- turns, ratios, table ---------------------------------------------------------------------


def test_rows_take_turns_after_a_warm_up() -> None:
    work = Work("work", 3, [Row("slow", print, rounds=1), Row("a", print), Row("b", print)])
    order = [(turn, row.way) for turn, row in race.schedule(work)]
    first = [(turn, way) for turn in (0, 1) for way in ("slow", "a", "b")]
    assert order == first + [(turn, way) for turn in (2, 3) for way in ("a", "b")]


def test_ratios_pair_the_rounds_and_not_the_medians() -> None:
    slow = Result("work", "slow", [10.0, 100.0, 12.0])
    fast = Result("work", "fast", [1.0, 10.0, 1.0])  # a disturbed second round
    assert race.ratios(slow, fast).tolist() == [10, 10, 12]
    assert race.ratios(Result("work", "once", [50.0]), fast).tolist() == [50]
    lines = [line.split() for line in race.table([slow, fast]).splitlines()]
    assert lines[-2] == ["work", "slow", "12.0", "10.0", "10.0", "to", "12.0"]
    assert lines[-1] == ["fast", "1.00", "1"]


def test_a_row_without_its_module_is_left_out() -> None:
    absent, present = Row("absent", print, needs="no_such_module"), Row("present", print)
    (work,), missing = race.split_missing([Work("work", 1, [absent, present])])
    assert (missing, work.rows) == ([absent], [present])


# --- processes --------------------------------------------------------------------------------


def own_pid(case: Case) -> Callable[[], str]:
    return lambda: str(os.getpid())


def dies(case: Case) -> Callable[[], str]:
    return lambda: os._exit(3)


def test_each_way_has_a_process_and_a_death_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    work = Work("work", 9, [Row("a", own_pid), Row("dead", dies), Row("b", own_pid)])
    monkeypatch.setattr(bench, "all_works", lambda: [work])
    assert bench.main(["--quick"]) == 1
    table = capsys.readouterr().out.splitlines()
    a, dead, b = table[table.index("") + 3 :][:3]
    assert "failed: BrokenProcessPool" in dead
    assert len({a.split()[-1], b.split()[-1], str(os.getpid())}) == 3


def test_the_machine_is_described_in_three_lines() -> None:
    lines = machine.describe().splitlines()
    assert len(lines) == 3
    assert f"{machine.cores()} cores" in lines[0]
    assert f"torch {torch.__version__}" in lines[2]
