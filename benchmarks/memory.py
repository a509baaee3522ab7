"""How near an epoch of the embedding bag comes to the limit that memory sets.

The arithmetic is one addition for each number read, so what an epoch can't do without is
moving rows of W [vocab, hidden], R bytes each. With T token ids in the epoch, and U the
distinct ids of each batch added up:

- forward: the row of each id is read, T R bytes, and the ids themselves, 4 T;
- update: the row of each distinct id is read and written, 2 U R bytes.

The gradient is not counted: that of the hidden layer [128, 200] fits a core's own cache, and
a perfect program would add it to the rows without writing it first. The rest (output layer,
biases, labels) is below a thousandth. As many bytes are moved by a triad, a = b + 3 c, over
arrays too large for any cache (STREAM's convention: three arrays moved; McCalpin, 1995).
"""

import math
from collections.abc import Callable, Iterable

import torch

from benchmarks.race import Case
from benchmarks.rows import HIDDEN_SIZE, bag_batches
from helpers.datasets import Bags

FLOAT_BYTES = 4
ID_BYTES = 4  # int32
ARRAYS = 3
LARGEST_ARRAY = 256 * 2**20  # bytes


def epoch_bytes(batches: Iterable[tuple[Bags, object]], hidden_size: int = HIDDEN_SIZE) -> int:
    """Count the bytes that an epoch over `batches` of bags must move: T (R + 4) + 2 U R."""
    row = hidden_size * FLOAT_BYTES
    total = 0
    for bags, _ in batches:
        total += len(bags.ids) * (row + ID_BYTES) + 2 * len(bags.ids.unique()) * row
    return total


def triad(case: Case) -> Callable[[], str]:
    """Move as many bytes as an epoch of the embedding bag, in as few triads as possible."""
    total = epoch_bytes(bag_batches(case))
    passes = math.ceil(total / (ARRAYS * LARGEST_ARRAY))
    a, b, c = torch.ones(ARRAYS, total // (ARRAYS * FLOAT_BYTES * passes))

    def work() -> str:
        for _ in range(passes):
            torch.add(b, c, alpha=3, out=a)
        return f"{total / 1e9:.2f} GB"

    return work
