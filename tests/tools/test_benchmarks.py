"""`make bench`: the rows do what their titles say, the table is whole, failures are named."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import __main__ as bench
from benchmarks import gpu, growth, limit, machine, others, picture, process, report, rows, worker
from benchmarks.report import RowResult
from helpers import corpus, datasets, text
from helpers.datasets import Bags

SIZE = 260  # reviews: three batches, the last one not full


@pytest.fixture(scope="module")
def reviews() -> corpus.Reviews:
    return corpus.balanced_sample(corpus.load_imdb("train"), SIZE, seed=1)


@pytest.fixture(scope="module")
def reviews_file(tmp_path_factory: pytest.TempPathFactory, reviews: corpus.Reviews) -> Path:
    file = tmp_path_factory.mktemp("reviews") / "reviews.pickle"
    worker.write_reviews(file, SIZE)
    assert len(worker.read_reviews(file)) == len(reviews)
    return file


def do(row: rows.Row, task: str) -> object:
    row.prepare(task)
    return getattr(row, task)()


# --- the rows are the computations that they are compared as -----------------------------------


def test_rows_that_are_one_computation_train_to_one_loss(reviews: corpus.Reviews) -> None:
    assert set(report.SAME_LOSS[0]) == {"naive", "dense", "preloaded", "batches", "bag"}
    losses = [do(others.ROWS[name](reviews), "train") for name in report.SAME_LOSS[0]]
    assert losses == pytest.approx([losses[0]] * len(losses), abs=1e-5)
    assert 0.68 < losses[0] < 0.7  # three steps from ln 2


def test_training_starts_anew_each_time(reviews: corpus.Reviews) -> None:
    row = others.ROWS["bag"](reviews)
    assert do(row, "train") == pytest.approx(do(row, "train"), abs=1e-6)


def test_both_lora_layers_are_one_function_and_learn(reviews: corpus.Reviews) -> None:
    outputs = {}
    for name in ("lora_formed", "lora_thin", "lora_bag"):
        row = others.ROWS[name](reviews)
        row.prepare("train")
        thin = row.model.hidden
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():  # B is 0 at the start, and would hide every difference
            thin.lora_B.copy_(torch.randn(thin.lora_B.shape, generator=generator))
            thin.lora_A.copy_(torch.randn(thin.lora_A.shape, generator=generator))
        losses = [row.train() for _ in range(2)]
        sizes = sorted(p.numel() for p in row.model.parameters() if p.requires_grad)
        assert sizes == [rows.HIDDEN_SIZE, len(row.vocabulary)], "only A and B are trained"
        outputs[name] = losses
    assert outputs["lora_formed"][0] != pytest.approx(outputs["lora_formed"][1], abs=1e-3)
    for name in ("lora_thin", "lora_bag"):
        assert outputs[name] == pytest.approx(outputs["lora_formed"], rel=1e-3)


def test_dense_cache_is_what_the_naive_dataset_gives(reviews: corpus.Reviews) -> None:
    dense, naive = others.ROWS["dense"](reviews), others.ROWS["naive"](reviews)
    do(dense, "encode")
    do(naive, "encode")
    for index in (0, 17, SIZE - 1):
        for ours, theirs in zip(dense.data[index], naive.data[index], strict=True):
            assert torch.equal(torch.as_tensor(ours), torch.as_tensor(theirs))
    assert dense.nbytes == SIZE * (len(dense.vocabulary) * 4 + 8)


def test_warm_start_gives_what_the_cold_start_made(reviews: corpus.Reviews) -> None:
    for name in ("dense", "bag"):
        row = others.ROWS[name](reviews)
        do(row, "encode")
        cold, row.data = row.data, None
        row.prepare("warm")
        assert row.data is None, "nothing is in memory before the warm start"
        row.warm()
        assert all(
            torch.equal(torch.as_tensor(a), torch.as_tensor(b))
            for i in (0, SIZE - 1)
            for a, b in zip(cold[i], row.data[i], strict=True)
        )


def test_warm_start_does_not_encode(
    reviews: corpus.Reviews, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = others.ROWS["bag"](reviews)
    row.prepare("warm")
    assert "digest" not in vars(row.reviews), "its time contains computing the digest"
    monkeypatch.setattr(datasets, "encode", lambda *_: pytest.fail("it encoded"))
    row.warm()


def test_cold_start_encodes_every_time(
    reviews: corpus.Reviews, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = others.ROWS["bag"](reviews)
    do(row, "encode")
    calls = []
    encode = datasets.encode
    monkeypatch.setattr(datasets, "encode", lambda *a: calls.append(1) or encode(*a))
    do(row, "encode")
    assert calls == [1]


@pytest.mark.parametrize("name", [name for name in others.ROWS if name not in ("limit", "growth")])
def test_every_column_of_every_row_runs(name: str, reviews: corpus.Reviews) -> None:
    try:
        row = others.ROWS[name](reviews)
    except process.RowUnavailableError as reason:
        pytest.skip(str(reason))
    assert row.columns
    assert set(row.columns) <= set(report.COLUMNS)
    for task in row.columns:
        value = do(row, task)
        if task == "finish":
            assert 0.4 < value <= 1
        if task == "train":
            assert 0.3 < value < 1


def test_warming_up_leaves_the_row_as_it_was(reviews: corpus.Reviews) -> None:
    row = others.ROWS["bag"](reviews)
    before = dict(vars(row))
    rows.warm_up(row)
    assert vars(row) == before


def test_epoch_order_is_the_order_of_a_shuffling_loader() -> None:
    numbers = torch.arange(50)
    loader = torch.utils.data.DataLoader(
        numbers, batch_size=7, shuffle=True, generator=rows.generator()
    )
    assert torch.equal(torch.cat(list(loader)), rows.epoch_order(50))


def test_names_of_parent_and_workers_agree() -> None:
    assert [*bench.ROWS, "limit", "growth"] == list(others.ROWS)
    named = {name for claim in report.CLAIMS for name in (claim.slow, claim.fast)}
    assert named | {name for group in report.SAME_LOSS for name in group} <= set(bench.ROWS)
    for claim in report.CLAIMS:
        assert claim.column in others.ROWS[claim.slow].columns
        assert claim.column in others.ROWS[claim.fast].columns


# --- the limit --------------------------------------------------------------------------------


def test_traffic_equals_a_count_by_hand() -> None:
    # two batches: ids 1 2 | 2, then 5 | (an empty review) | 5; rows of 3 floats, 12 bytes
    batches = [
        (Bags(torch.tensor([1, 2, 2]), torch.tensor([0, 2, 3])), None),
        (Bags(torch.tensor([5, 5]), torch.tensor([0, 1, 1, 2])), None),
    ]
    traffic = limit.count_traffic(batches, hidden_size=3)
    assert traffic == (5, 3, 12)
    # forward: 5 rows of 12 bytes and 5 ids of 4; update: 3 rows read and 3 written
    assert traffic.gathered == 5 * 12 + 5 * 4 + 3 * 12 + 3 * 12 == 152
    # each distinct row once: 3 read, 5 ids, 3 read and 3 written
    assert traffic.strict == 3 * 12 + 5 * 4 + 3 * 12 + 3 * 12 == 128


def test_an_epoch_gathers_every_id_once(reviews: corpus.Reviews) -> None:
    row = others.ROWS["limit"](reviews)
    found = do(row, "count")
    assert found["occurrences"] == len(row.data.ids)
    assert found["steps"] == 3
    assert found["distinct"] < found["occurrences"]


def test_bandwidths_are_positive_and_bytes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "best_seconds", lambda work, repeats: work() is None or 2.0)
    assert limit.triad_bandwidth(floats=1000) == 3 * 4000 / 2
    assert limit.gather_bandwidth(50, 10, rows=100) == 2 * 100 * 40 / 2


def test_ratio_to_the_limit_is_taken_round_by_round() -> None:
    traffic = {"gathered_bytes": 100, "strict_bytes": 50}
    rounds = [(3.0, {"triad": 50.0, "gather": 25.0}), (30.0, {"triad": 5.0, "gather": 2.5})]
    found = report.conclude_limit(traffic, rounds)
    assert found["ratio"]["median"] == pytest.approx(1.5)  # a slow second round changes nothing
    assert found["strict_ratio"]["median"] == pytest.approx(3)
    assert found["gather_ratio"]["median"] == pytest.approx(0.75)


# --- growth -----------------------------------------------------------------------------------


def test_grown_reviews_are_deterministic_balanced_and_bring_new_tokens(
    reviews: corpus.Reviews,
) -> None:
    once, grown = (growth.grow_reviews(reviews, size) for size in (SIZE, 3 * SIZE + 40))
    assert grown == growth.grow_reviews(reviews, 3 * SIZE + 40)
    assert len(grown) == 3 * SIZE + 40
    assert sum(grown.labels) == len(grown) // 2
    assert grown.texts[:SIZE] == once.texts, "a larger corpus begins with the smaller one"
    pairs = zip(once.texts, reviews.texts, strict=True)
    assert {len(ours.split()) - len(raw.split()) for ours, raw in pairs} == {growth.NEW_TOKENS}
    parts = [grown.texts[:SIZE], grown.texts[SIZE : 2 * SIZE]]  # the same reviews, two copies
    first, second = (distinct_tokens(part) for part in parts)
    known = distinct_tokens(reviews.texts)
    assert known < first
    assert known < second
    assert first & second == known, "no copy repeats the new tokens of another"


def distinct_tokens(texts: tuple[str, ...]) -> set[str]:
    return {token for review in texts for token in text.basic_english(review)}


def test_picture_states_what_it_shows(tmp_path: Path) -> None:
    results = [
        {"reviews": n, "encode": n * 1e-4, "train": n * 2e-5, "iterate": n * 2e-6,
         "held_bytes": n * 570, "peak_bytes": n * 5000 if n > 1_000 else None}
        for n in (1_000, 250_000)
    ]  # fmt: skip
    results[1]["encode"] *= 1.5
    left, right = picture.draw(results).axes
    assert "250 × the reviews" in left.get_title()
    assert "within 1.5 ×" in left.get_title()
    assert left.get_ylabel().endswith("µs")
    assert right.get_ylabel().endswith("kB")
    peak, held = (line.get_ydata().tolist() for line in right.lines)
    assert (peak, held) == ([5.0], [0.57, 0.57]), "no point where the peak is not known"
    picture.save(results, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


# --- processes ---------------------------------------------------------------------------------


def program_with(tmp_path: Path, methods: str) -> tuple[str, str]:
    """Return a program that serves one more row, ``bad``, with some methods."""
    script = tmp_path / "with_bad.py"
    script.write_text(
        "import os, sys\nfrom benchmarks import others, process, rows, worker\n"
        "class Bad(rows.Row):\n    title, columns = 'bad', ()\n"
        + textwrap.indent(textwrap.dedent(methods), "    ")
        + "\nothers.ROWS['bad'] = Bad\nsys.exit(worker.main(sys.argv[1:]))\n"
    )
    return sys.executable, str(script)


@pytest.fixture
def project_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(process.PROJECT))


@pytest.mark.usefixtures("project_on_path")
def test_a_row_that_raises_is_named_and_goes_on(tmp_path: Path, reviews_file: Path) -> None:
    methods = """
        def train(self): raise ValueError("no such thing")
        def iterate(self): print("spoils nothing")
        def encode(self): os._exit(3)
    """
    program = program_with(tmp_path, methods)
    with process.Worker("bad", reviews_file, program) as bad:
        with pytest.raises(
            process.RowFailedError, match=r"'bad' failed at 'train': ValueError: no"
        ):
            bad.ask("train")
        reply = bad.ask("iterate")
        assert reply["seconds"] >= 0
        assert [*reviews_file.parent.glob("benchmark-*")], "temporary files are beside the reviews"
        with pytest.raises(process.RowFailedError, match="died at 'encode' with exit code 3"):
            bad.ask("encode")
        result = RowResult("bad")
        bench.ask(bad, result, "train", 0)
        assert "'bad' died at 'train'" in result.failure


@pytest.mark.usefixtures("project_on_path")
def test_a_row_that_cannot_start_is_named(tmp_path: Path, reviews_file: Path) -> None:
    program = program_with(tmp_path, "def __init__(self, reviews): raise MemoryError('too small')")
    with pytest.raises(process.RowFailedError, match=r"'start' with exit code 1.*too small"):
        process.Worker("bad", reviews_file, program)
    absent = "def __init__(self, r): raise process.RowUnavailableError('no wheel')"
    with pytest.raises(process.RowUnavailableError, match="no wheel"):
        process.Worker("bad", reviews_file, program_with(tmp_path, absent))


def test_a_failed_row_ends_in_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    class Fails:
        def __init__(self, row: str, reviews: Path) -> None:
            raise process.RowFailedError(f"the process of row {row!r} died")

    monkeypatch.setattr(bench, "Worker", Fails)
    monkeypatch.setattr(bench, "write_reviews", lambda *_: None)
    assert bench.main(["--quick", "--output", str(tmp_path)]) == 1
    assert "PROBLEM: the process of row 'bag' died" in capsys.readouterr().err
    assert json.loads((tmp_path / "benchmarks.json").read_text())["problems"]


# --- table, ratios, JSON --------------------------------------------------------------------------


def test_table_and_json_of_a_small_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(bench, "ROWS", ("dense", "bag"))
    monkeypatch.setattr(bench, "measure_limit", small_limit)
    options = ["--quick", "--rounds", "2", "--reviews", "200", "--output", str(tmp_path)]
    assert bench.main(options) == 0
    out = capsys.readouterr().out
    for head in ("encoded, s", "cache, s", "epoch, s", "accuracy", "held", "peak", "growth"):
        assert head in out
    content = json.loads((tmp_path / "benchmarks.json").read_text())
    assert {"processor", "cores", "memory_bytes", "versions", "date"} <= content["machine"].keys()
    assert content["rows"].keys() == {"dense", "bag"}
    bag = content["rows"]["bag"]
    assert bag["seconds"].keys() == set(report.COLUMNS)
    assert len(bag["seconds"]["train"]["rounds"]) == 6
    assert bag["peak"] >= bag["baseline"] > 0
    assert bag["values"].keys() == {"train", "finish"}
    assert bag["held"] < content["rows"]["dense"]["held"] / 40
    claims = {claim["claim"] for claim in content["claims"]}
    assert "train an epoch: dense float32 cache / ours, embedding bag" in claims
    assert all(claim["claim"] in out for claim in content["claims"])
    assert content["limit"]["ratio"]["median"] == 2.5
    assert "MISSED" in next(line for line in out.splitlines() if "limit of the memory" in line)


def small_limit(reviews: Path, rounds: int) -> dict:
    traffic = {
        "occurrences": 5, "distinct": 3, "row_bytes": 12, "steps": 2,
        "gathered_bytes": 100, "strict_bytes": 50,
    }  # fmt: skip
    found = [(2.5, {"triad": 100.0, "gather": 50.0})]
    return report.conclude_limit(traffic, found) | {"operations": [("aten::add", 0.4)]}


def result(title: str, **seconds: list[tuple[int, float]]) -> RowResult:
    return RowResult(title, seconds=seconds)


def test_rows_take_turns() -> None:
    class Idle:
        def __init__(self, *columns: str) -> None:
            self.facts = {"columns": columns}

    workers = {"naive": Idle("train"), "dense": Idle("train", "finish"), "bag": Idle("finish")}
    workers["sklearn"] = Idle("train", "finish")
    schedule = bench.plan(workers, rounds=3)
    train = [(name, turn) for name, column, turn in schedule if column == "train"]
    others_in_turn = [(name, turn) for turn in range(9) for name in ("dense", "sklearn")]
    assert train == [("naive", 0), *others_in_turn]
    finish = [(name, turn) for name, column, turn in schedule if column == "finish"]
    assert finish == [("dense", 0), ("bag", 0), ("sklearn", 0), ("bag", 1), ("sklearn", 1)]


def test_ratio_pairs_the_rounds_and_not_the_medians() -> None:
    slow = result("slow", train=[(0, 10.0), (1, 100.0), (2, 12.0)])
    fast = result("fast", train=[(0, 1.0), (1, 10.0), (2, 1.0)])  # a disturbed second round
    assert report.ratio(slow, fast, "train") == [10, 10, 12]
    once = result("once", train=[(0, 50.0)])
    assert report.ratio(once, fast, "train") == [50]
    assert report.ratio(once, fast, "finish") == []


def test_targets_are_met_or_missed() -> None:
    measured = {
        "naive": result("naive", train=[(0, 26.0)]),
        "dense": result("dense", train=[(0, 5.9)]),
        "bag": result("bag", train=[(0, 1.0)], warm=[(0, 0.2), (1, 0.4), (2, 0.25)]),
    }
    verdicts = {claim["claim"]: claim["met"] for claim in report.judge(measured)}
    assert verdicts == {
        "train an epoch: naive / bag": True,
        "train an epoch: dense / bag": False,
        "warm start of ours, s": True,
    }
    measured["sklearn"] = RowResult("sklearn", values={"finish": 0.9})
    measured["bag"].values["finish"] = 0.89
    assert report.judge(measured)[-1]["met"] is False


def test_losses_that_differ_are_a_problem() -> None:
    alike = {name: RowResult(name, values={"train": 0.5}) for name in ("dense", "bag")}
    assert report.check_losses(alike) == []
    alike["bag"].values["train"] = 0.51
    (complaint,) = report.check_losses(alike)
    assert "'bag': 0.51" in complaint


def test_columns_without_sense_hold_a_dash() -> None:
    row = result("one", train=[(0, 0.5), (1, 0.7)])
    cells = report.table([row]).splitlines()[-1]
    assert "0.600 ± 0.100" in cells
    assert cells.count(report.DASH) == 8


def test_peak_memory_counts_bytes() -> None:
    before = machine.peak_memory()
    block = np.ones(60_000_000, dtype=np.uint8)
    after = machine.peak_memory()
    assert block.nbytes <= after < 100 * 2**30
    assert after >= before > 10 * 2**20


# --- GPU, by its code path on the CPU -----------------------------------------------------------


def test_without_cuda_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 0
    assert "no CUDA device" in capsys.readouterr().out


def test_gpu_rows_on_the_cpu_train_to_one_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    options = ["--device", "cpu", "--reviews", "200", "--rounds", "1", "--output", str(tmp_path)]
    assert gpu.main(options) == 0
    content = json.loads((tmp_path / "benchmarks-gpu.json").read_text())
    losses = [row["loss"] for row in content["rows"]]
    assert len(losses) == 5
    assert losses == pytest.approx([losses[0]] * 5, abs=1e-5)
    assert "target on an H100" in capsys.readouterr().out


@pytest.mark.parametrize("size", [1, 4, 7, 8])
@pytest.mark.parametrize("batch_size", [4, 100])
def test_epoch_loader_gives_the_batches_of_the_plain_loader(
    reviews: corpus.Reviews, size: int, batch_size: int
) -> None:
    few = corpus.Reviews((*reviews.texts[: size - 1], ""), reviews.labels[:size])
    dataset = datasets.encode(few, text.Vocabulary.build(map(str.split, few.texts)), str.split)
    for sparse in (True, False):
        loader = gpu.EpochLoader(dataset, sparse, batch_size)
        plain = datasets.make_loader(
            dataset, batch_size, shuffle=True, sparse=sparse, generator=rows.generator()
        )
        assert len(loader) == len(plain)
        for (ours, labels), (theirs, expected) in zip(loader, plain, strict=True):
            assert torch.equal(labels, expected)
            pairs = zip(ours, theirs, strict=True) if sparse else [(ours, theirs)]
            assert all(torch.equal(a, b) for a, b in pairs)


def test_the_process_that_starts_the_rows_stays_small() -> None:
    """A row inherits its starter's peak memory: see `machine.peak_memory`."""
    code = "import benchmarks.__main__, sys; sys.exit('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=process.PROJECT, timeout=60, check=False)
    assert run.returncode == 0


@pytest.mark.parametrize("memory", [None, 24 * 2**30])
def test_the_machine_line_needs_no_memory_size(memory: int | None) -> None:
    found = machine.describe() | {"memory_bytes": memory}
    line = report.machine_line(found, {"bag": {"threads": 2}})
    assert line.startswith(f"{found['processor']}, ")
    assert ("24 GiB" in line) == bool(memory)


@pytest.mark.parametrize("option", ["--reviews", "--sizes"])
def test_odd_sizes_are_refused_at_once(option: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        bench.parse([option, "7"])
    assert "7 is not even" in capsys.readouterr().err
