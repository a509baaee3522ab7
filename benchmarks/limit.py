"""How near an epoch of the sparse MLP comes to the limit that memory sets.

The arithmetic is one addition for each number read, so what an epoch can't do without is
moving rows of W [vocab, hidden], 800 bytes each. With T token ids in the epoch, U the
distinct ids of each batch added up, and rows of R bytes:

- forward: the row of each id is read, T R bytes, and the ids themselves, 4 T;
- update: the row of each distinct id is read and written, 2 U R bytes.

The gradient is not counted. That of the hidden layer, [128, 200], is small enough for a
core's own cache, and a perfect program would add it to the rows without writing a
gradient of W at all (ours does write one, U rows, and reads it again). The rest (output
layer, biases, labels) is below a thousandth.

The limit is these bytes over the bandwidth of a triad a = b + 3 c over arrays too large
for any cache, on as many threads (STREAM's convention: 3 arrays moved; McCalpin, 1995).
A second, stricter count lets each distinct row of a batch come from memory only once and
all its repetitions from a cache: 3 U R + 4 T. And because rows are read at random
places, the bandwidth of gathering such rows from a table as large as W is measured too.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.rows import BATCH_SIZE, HIDDEN_SIZE, EmbeddingBag
from helpers.datasets import Bags

TRIAD_FLOATS = 1 << 26  # three arrays of 256 MiB
GATHER_ROWS = 1 << 18  # 200 MB of gathered rows
FLOAT_BYTES = 4
ID_BYTES = 4  # int32
TOP_OPERATIONS = 12


class Traffic(NamedTuple):
    """What an epoch must move.

    Parameters
    ----------
    occurrences : int
        T, the token ids of all batches.
    distinct : int
        U, the distinct ids of each batch, added up over the batches.
    row_bytes : int
        R, the bytes of one row of W.
    """

    occurrences: int
    distinct: int
    row_bytes: int

    @property
    def gathered(self) -> int:
        """Bytes when every occurrence moves its row: T R + 4 T + 2 U R."""
        forward = self.occurrences * (self.row_bytes + ID_BYTES)
        return forward + 2 * self.distinct * self.row_bytes

    @property
    def strict(self) -> int:
        """Bytes when a batch moves each distinct row once: U R + 4 T + 2 U R."""
        return 3 * self.distinct * self.row_bytes + self.occurrences * ID_BYTES


def count_traffic(batches: Iterable[tuple[Bags, object]], hidden_size: int) -> Traffic:
    """Count what an epoch over `batches` of bags must move."""
    occurrences = distinct = 0
    for bags, _ in batches:
        occurrences += len(bags.ids)
        distinct += len(bags.ids.unique())
    return Traffic(occurrences, distinct, hidden_size * FLOAT_BYTES)


def triad_bandwidth(floats: int = TRIAD_FLOATS, repeats: int = 3) -> float:
    """Return the bytes a second of a = b + 3 c on arrays of `floats` float32."""
    a, b, c = torch.zeros(floats), torch.ones(floats), torch.ones(floats)
    return 3 * a.nbytes / best_seconds(lambda: torch.add(b, c, alpha=3, out=a), repeats)


def gather_bandwidth(
    vocab_size: int, hidden_size: int, rows: int = GATHER_ROWS, repeats: int = 3
) -> float:
    """Return the bytes a second, read and written, of gathering random rows of a table."""
    table = torch.ones(vocab_size, hidden_size)
    ids = torch.randint(vocab_size, (rows,), generator=torch.Generator().manual_seed(0))
    out = torch.zeros(rows, hidden_size)
    return (
        2 * out.nbytes / best_seconds(lambda: torch.index_select(table, 0, ids, out=out), repeats)
    )


def best_seconds(work, repeats: int) -> float:
    """Return the least seconds of `repeats` calls, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


class Limit(EmbeddingBag):
    """The embedding bag's row, asked for its distance from the limit."""

    title = "limit"
    columns = ("train",)

    def prepare(self, task: str) -> None:
        """Have a model and an optimizer for every task, as for ``train``."""
        super().prepare("train")

    def count(self) -> dict:
        """Return the bytes that an epoch must move, and what they consist of."""
        traffic = count_traffic(self.batches(self.data), HIDDEN_SIZE)
        sizes = {"gathered_bytes": traffic.gathered, "strict_bytes": traffic.strict}
        return traffic._asdict() | sizes | {"steps": -(-len(self.data) // BATCH_SIZE)}

    def bandwidth(self) -> dict:
        """Return both bandwidths in bytes a second."""
        gather = gather_bandwidth(len(self.vocabulary), HIDDEN_SIZE)
        return {"triad": triad_bandwidth(), "gather": gather}

    def operations(self) -> list[tuple[str, float]]:
        """Train an epoch under the profiler; return the operations with the largest shares."""
        with profile(activities=[ProfilerActivity.CPU]) as found:
            self.train()
        events = found.key_averages()
        total = sum(event.self_cpu_time_total for event in events)
        shares = [(event.key, event.self_cpu_time_total / total) for event in events]
        return sorted(shares, key=lambda share: -share[1])[:TOP_OPERATIONS]
