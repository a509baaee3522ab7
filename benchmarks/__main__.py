"""Measure the course's speed side by side: `make bench`, or ``python -m benchmarks``.

It takes about 6 minutes on two quiet cores, and 9 GB of memory at most (two dense caches
live side by side). The exit status is 1 if a row failed.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from benchmarks import machine, memory, others, race, rows
from benchmarks.race import Row, Work
from helpers.lora import LoRALinear

QUICK_REVIEWS, QUICK_ROUNDS = 600, 2

DENSE, INDEXED = "dense float32 cache", "dense float32 cache, indexed"
IDS, BAG = "token ids, dense batches", "token ids, embedding bag"
SKLEARN = "scikit-learn"

train_dense = partial(rows.train, rows.cached_batches, rows.mlp)
train_indexed = partial(rows.train, rows.IndexedBatches, rows.mlp)
train_ids = partial(rows.train, rows.id_batches, rows.mlp)
train_bag = partial(rows.train, rows.bag_batches, rows.sparse_mlp)


def all_works() -> list[Work]:
    """Return the table; ratios are relative to the last row of each work."""
    return [
        Work("tokenise", 3, [
            Row("torchtext, basic_english", others.tokenise_torchtext, needs="torchtext"),
            Row("helpers, basic_english", rows.tokenise),
        ]),
        Work("raw text to encoded", 3, [
            Row(DENSE, rows.encode_dense),
            Row(SKLEARN, others.encode_sklearn),
            Row("token ids, from the cache on disk", rows.warm_start),
            Row(BAG, rows.encode),
        ]),
        Work("iterate an epoch", 3, [
            Row("naive Dataset", partial(rows.iterate, rows.naive_batches), rounds=1),
            Row(DENSE, partial(rows.iterate, rows.cached_batches)),
            Row(INDEXED, partial(rows.iterate, rows.IndexedBatches)),
            Row(IDS, partial(rows.iterate, rows.id_batches)),
            Row(BAG, partial(rows.iterate, rows.bag_batches)),
        ]),
        Work("train an epoch", 7, [
            Row("naive Dataset", partial(rows.train, rows.naive_batches, rows.mlp), rounds=2),
            Row(DENSE, train_dense),
            Row(INDEXED, train_indexed),
            Row(IDS, train_ids),
            Row(BAG, train_bag),
        ]),
        Work("an epoch and its bytes alone", 7, [
            Row(BAG, train_bag),
            Row("triad of as many bytes", memory.triad),
        ]),
        Work("raw text to 88 %", 3, [
            Row("HashingVectorizer and SGDClassifier", others.finish_sklearn),
            Row("fastText", others.finish_fasttext, needs="fasttext"),
            Row(BAG, rows.finish),
        ]),
        Work("train an epoch of LoRA", 5, [
            lora_row("W + BA formed in each step", rows.FormedLoRALinear),
            lora_row("two thin products", LoRALinear),
        ]),
        *([gpu_work()] if torch.cuda.is_available() else []),
    ]  # fmt: skip


def lora_row(way: str, layer: type[nn.Module]) -> Row:
    """Return a row that trains an adapter on dense batches."""
    return Row(way, partial(rows.train, rows.id_batches, partial(rows.lora_mlp, layer)))


def gpu_work(device: str = "cuda") -> Work:
    """Return an epoch on the GPU, where the data live, too."""
    trained = [Row(INDEXED, train_indexed), Row(IDS, train_ids), Row(BAG, train_bag)]
    return Work("train an epoch on the GPU", 7, trained, device)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all rows; print machine, table and what is missing."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="600 reviews and two rounds")
    options = parser.parse_args(arguments)
    works, missing = race.split_missing(all_works())
    print(machine.describe(), flush=True)
    if options.quick:
        works = [Work(work.name, QUICK_ROUNDS, work.rows, work.device) for work in works]
    results = race.run(works, QUICK_REVIEWS if options.quick else None)
    print(f"\n{race.table(results)}\n")
    print("Seconds are medians. Ratio: to the last row of the same work, in the same round.")
    for row in missing:
        print(f"{row.way} is left out: there is no module {row.needs}.")
    return 1 if any(result.failure for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
