"""The rows that make sense on a GPU: ``python -m benchmarks.gpu``.

The data set lives on the device. `EpochLoader` shuffles the whole of it at once, so that
the loop only takes slices: nothing is copied from the host, nothing waits for the device
(`torch.cuda.set_sync_debug_mode` counts, and the table says how often an epoch waits).
The loop itself is the plain one of `helpers.training`.

What to expect. With batches of 128 the gradient of W on a GPU is dense, so a step moves W
[20001, 200], 16 MB, about five times (clear the gradient, write it, read it, read W,
write W), 80 MB, whatever the batches look like; gathering adds 2 x 14 MB. The 196 steps of
an epoch thus move 21 GB. They also launch about 30 kernels each, 6,000 an epoch, at 5 to
10 µs each when Python launches them one by one. For two cards, by their data sheets:

- H100 (3,350 GB/s): 6 ms of moving, 30 to 60 ms of launching;
- T4 (320 GB/s): 66 ms of moving, 30 to 60 ms of launching, and more on a slow host, so
  about 0.1 to 0.15 s, and nothing but a smaller gradient makes it faster.

The preloaded dense matrix launches as many kernels. It moves the same 80 MB for W, plus
30 MB to take and read a batch [128, 20001], and multiplies, 2 GFLOP a step, 0.4 TFLOP an
epoch: about 10 ms on an H100 in float32, 50 to 100 ms on a T4. So where launching
dominates, both take nearly the same time; the gap opens only when it is taken away.
"""

import argparse
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from tabulate import tabulate
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import machine, rows
from benchmarks.__main__ import even, positive
from benchmarks.process import PROJECT
from benchmarks.rows import BATCH_SIZE, HIDDEN_SIZE, LR, NUM_EPOCHS, VALIDATION_SIZE
from helpers import corpus, datasets, models, training
from helpers.corpus import Reviews
from helpers.datasets import BagOfWordsDataset, Bags
from helpers.files import atomic_write
from helpers.text import Vocabulary


class EpochLoader:
    """Shuffled batches of a data set that is already where it is needed.

    A new epoch costs one permutation and one `select` of the whole data set; after that
    a batch is a slice. The order is that of a shuffling DataLoader with the generator of
    `benchmarks.rows`.

    Parameters
    ----------
    dataset : BagOfWordsDataset
        On the device.
    sparse : bool
        Batches of `Bags`, instead of multi-hot vectors.
    batch_size : int
        Samples in a batch; the last one has what is left.
    """

    def __init__(
        self, dataset: BagOfWordsDataset, sparse: bool, batch_size: int = BATCH_SIZE
    ) -> None:
        self.dataset, self.sparse, self.batch_size = dataset, sparse, batch_size

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Bags | Tensor, Tensor]]:
        data = self.dataset.select(rows.epoch_order(len(self.dataset)))
        size = self.batch_size
        places = None if self.sparse else self._places(data)
        # waits for the device, once an epoch: where each batch begins and ends in the ids
        borders = [*data.offsets[::size].tolist(), len(data.ids)][: len(self) + 1]
        for batch in range(len(self)):
            samples = slice(batch * size, min((batch + 1) * size, len(data)))
            ids = slice(borders[batch], borders[batch + 1])
            targets = data.labels[samples]
            if self.sparse:
                offsets = data.offsets[samples.start : samples.stop + 1] - borders[batch]
                yield Bags(data.ids[ids], offsets), targets
            else:
                multi_hot = torch.zeros(len(targets), data.vocab_size, device=data.ids.device)
                multi_hot.view(-1).index_fill_(0, places[ids], 1)
                yield multi_hot, targets

    def _places(self, data: BagOfWordsDataset) -> Tensor:
        """Return the place of each id in its batch's flattened matrix, int64 [total]."""
        review = torch.repeat_interleave(
            torch.arange(len(data), device=data.ids.device),
            data.offsets.diff(),
            output_size=len(data.ids),
        )
        return review % self.batch_size * data.vocab_size + data.ids


class DeviceRow:
    """One row: how the data are held and fed, and whether the model is the sparse twin.

    Parameters
    ----------
    title : str
        For the table.
    hold : callable
        Takes the encoded reviews (on the CPU) and the device, returns what is held.
    batches : callable
        Takes what is held, returns the batches of one epoch.
    sparse : bool
        Bags for the sparse twin, instead of multi-hot vectors.
    """

    def __init__(
        self,
        title: str,
        hold: Callable[[BagOfWordsDataset, torch.device], object],
        batches: Callable[[object], object],
        sparse: bool = False,
    ) -> None:
        self.title, self.hold, self.batches, self.sparse = title, hold, batches, sparse
        self.seconds: dict[str, list[float]] = {"iterate": [], "train": []}

    def new_model(self, vocab_size: int, device: torch.device) -> torch.nn.Module:
        """Return the MLP that every row starts from, on the device."""
        training.set_seed(0)
        model = models.OneHotMLP(vocab_size, HIDDEN_SIZE)
        return (models.to_sparse(model) if self.sparse else model).to(device)


def dense_on_host(dataset: BagOfWordsDataset, device: torch.device) -> TensorDataset:
    """Return the dense matrix in the host's memory."""
    return TensorDataset(dataset.multi_hot(), dataset.labels)


def dense_on_device(dataset: BagOfWordsDataset, device: torch.device) -> TensorDataset:
    """Return the dense matrix on the device."""
    return TensorDataset(*(part.to(device) for part in dense_on_host(dataset, device).tensors))


def compact_on_device(dataset: BagOfWordsDataset, device: torch.device) -> BagOfWordsDataset:
    """Return the token ids on the device."""
    return dataset.to(device)


def copied(data: TensorDataset) -> DataLoader:
    """Return the usual loader: batches are collated on the host, pinned, then copied."""
    pin = torch.cuda.is_available()
    return DataLoader(data, BATCH_SIZE, shuffle=True, generator=rows.generator(), pin_memory=pin)


def indexed(data: TensorDataset) -> Iterator[tuple[Tensor, Tensor]]:
    """Index the matrix on the device with slices of a permutation that is there too."""
    inputs, targets = data.tensors
    for indices in rows.epoch_order(len(targets)).to(inputs.device).split(BATCH_SIZE):
        yield inputs[indices], targets[indices]


def plain_loader(data: BagOfWordsDataset) -> DataLoader:
    """Return the course's loader, which selects batch by batch."""
    return datasets.make_loader(
        data, BATCH_SIZE, shuffle=True, sparse=True, generator=rows.generator()
    )


def new_rows() -> list[DeviceRow]:
    """Return the rows in the table's order."""
    return [
        DeviceRow("dense cache, copied batch by batch", dense_on_host, copied),
        DeviceRow("dense cache, preloaded and indexed", dense_on_device, indexed),
        DeviceRow("ours, dense batches", compact_on_device, lambda d: EpochLoader(d, False)),
        DeviceRow("ours, embedding bag, make_loader", compact_on_device, plain_loader, True),
        DeviceRow("ours, embedding bag", compact_on_device, lambda d: EpochLoader(d, True), True),
    ]


# --- measuring ------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every row on the device; print a table and write JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--device", default="cuda", choices=("cuda", "cpu"), help="cpu tests the same code"
    )
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--reviews", type=even, help="a balanced sample instead of all")
    parser.add_argument("--output", type=Path, default=PROJECT / "build", help="folder")
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(
            "There is no CUDA device here, so nothing was measured (--device cpu tests the code)."
        )
        return 0
    reviews = corpus.load_imdb("train")
    if options.reviews:
        reviews = corpus.balanced_sample(reviews, options.reviews, seed=0)
    dataset, _ = datasets.load_or_encode(reviews)
    results = measure(new_rows(), dataset, device, options.rounds)
    found = finish(reviews, device)
    print(tabulate(results, "keys", floatfmt=".4f"))
    print_conclusions(results, found)
    content = {"machine": machine.describe() | {"device": name(device)}, "rows": results, **found}
    with atomic_write(options.output / "benchmarks-gpu.json") as file:
        file.write(json.dumps(content, indent=2).encode() + b"\n")
    return 0


def measure(
    all_rows: list[DeviceRow], dataset: BagOfWordsDataset, device: torch.device, rounds: int
) -> list[dict]:
    """Have all rows iterate and train in turn, after an epoch each that is not counted."""
    held = [row.hold(dataset, device) for row in all_rows]
    losses, waits, peaks = {}, {}, {}
    for turn in range(rounds + 1):
        for row, data in zip(all_rows, held, strict=True):
            iterating, _ = timed(lambda row=row, data=data: drain(row.batches(data)), device)
            model = row.new_model(dataset.vocab_size, device)
            optimizer = torch.optim.SGD(model.parameters(), lr=LR)
            work = training_epoch(model, row, data, optimizer)
            if turn == 0:
                reset_peak(device)
                waits[row.title], losses[row.title] = count_waits(work, device)
                peaks[row.title] = peak(device)
                continue
            seconds, _ = timed(work, device)
            row.seconds["iterate"].append(iterating)
            row.seconds["train"].append(seconds)
    return [
        {
            "row": row.title,
            "iterate an epoch, s": statistics.median(row.seconds["iterate"]),
            "train an epoch, s": statistics.median(row.seconds["train"]),
            "min": min(row.seconds["train"]),
            "max": max(row.seconds["train"]),
            "loss": losses[row.title],
            "waits": waits[row.title],
            "peak, MB": peaks[row.title],
        }
        for row in all_rows
    ]


def training_epoch(
    model: torch.nn.Module, row: DeviceRow, data: object, optimizer: torch.optim.Optimizer
) -> Callable[[], float]:
    """Return a function that trains one epoch with the course's plain loop."""
    return lambda: training.train_epoch(model, row.batches(data), optimizer)


def drain(batches: object) -> None:
    """Draw every batch."""
    for _ in batches:
        pass


def timed(work: Callable[[], object], device: torch.device) -> tuple[float, object]:
    """Return the seconds that `work` takes until the device is done, and its result."""
    synchronize(device)
    start = time.perf_counter()
    result = work()
    synchronize(device)
    return time.perf_counter() - start, result


def synchronize(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def count_waits(work: Callable[[], float], device: torch.device) -> tuple[int | None, float]:
    """Return how often the host waited for the device during `work`, and its result."""
    if device.type != "cuda":
        return None, work()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            result = work()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in found), result


def reset_peak(device: torch.device) -> None:
    """Forget the device's largest use of memory."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: torch.device) -> float | None:
    """Return the device's largest use of memory in MB, all rows' data included."""
    return torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None


def finish(reviews: Reviews, device: torch.device) -> dict:
    """Train five epochs from raw text; return seconds and validation accuracy."""
    size = min(VALIDATION_SIZE, len(reviews) // 5)
    train, validation = corpus.split(reviews, size, seed=0)

    def work() -> float:
        vocabulary = rows.vocabulary_of(train, rows.VOCAB_SIZE)
        data = datasets.encode(train, vocabulary).to(device)
        return _fit(data, datasets.encode(validation, vocabulary).to(device), vocabulary, device)

    seconds, accuracy = timed(work, device)
    return {"raw text to 5 epochs, s": seconds, "validation accuracy": accuracy}


def _fit(
    data: BagOfWordsDataset, held_out: BagOfWordsDataset, vocabulary: Vocabulary, device
) -> float:
    row = new_rows()[-1]
    model = row.new_model(len(vocabulary), device)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    for _ in range(NUM_EPOCHS):
        training.train_epoch(model, row.batches(data), optimizer)
    return training.evaluate(model, row.batches(held_out)).accuracy


def name(device: torch.device) -> str:
    """Return the device's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def print_conclusions(results: list[dict], found: dict) -> None:
    """Print the two figures that have a target on an H100-class GPU, and the rest."""
    seconds = {result["row"]: result["train an epoch, s"] for result in results}
    ours = seconds["ours, embedding bag"]
    ratio = seconds["dense cache, preloaded and indexed"] / ours
    print(f"\nan epoch: {ours:.4f} s (target on an H100: at most 0.10)")
    print(f"dense preloaded / ours: {ratio:.2f} (target: at least 5)")
    print(", ".join(f"{key} {value:.4g}" for key, value in found.items()))


if __name__ == "__main__":
    sys.exit(main())
