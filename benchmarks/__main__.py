"""Measure the course's speed claims: `make bench`, or ``python -m benchmarks``.

Each claim compares two ways to do the same work. They take turns, A B A B …, after one
warm-up each, so that a machine that speeds up or slows down changes both; the ratio is
the median of the ratios pair by pair. Nothing here asserts on seconds.
"""

import argparse
import importlib
import json
import platform
import statistics
import sys
import time
import types
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import torch
from sklearn.feature_extraction.text import CountVectorizer
from tabulate import tabulate
from torch.utils.data import DataLoader, Dataset

from helpers import corpus, datasets, models, text, training

PROJECT = Path(__file__).resolve().parent.parent


class EncodingDataset(Dataset):
    """Encode a review each time it is asked for, one assignment for each token."""

    def __init__(self, reviews: corpus.Reviews, vocabulary: text.Vocabulary) -> None:
        self.reviews, self.vocabulary = reviews, vocabulary

    def __len__(self) -> int:
        """Return the number of reviews."""
        return len(self.reviews)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """Return a multi-hot vector float32 [vocab] and its label."""
        review, label = self.reviews[index]
        multi_hot = torch.zeros(len(self.vocabulary))
        for code in self.vocabulary.encode(text.basic_english(review)):
            multi_hot[code] = 1
        return multi_hot, label


def torchtext_tokenizer() -> Callable[[str], list[str]] | None:
    """Return torchtext's own basic_english, or None where it is not installed."""
    sys.modules["torchtext._extension"] = types.ModuleType("torchtext._extension")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("torchtext.data.utils").get_tokenizer("basic_english")
    except ImportError:
        return None


def compare(slow: Callable[[], object], fast: Callable[[], object], rounds: int) -> dict:
    """Time both in turns; return medians in seconds and the ratio slow / fast."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for work, times in zip((slow, fast), seconds, strict=True):
            start = time.perf_counter()
            work()
            if turn:  # the first turn warms up
                times.append(time.perf_counter() - start)
    ratios = [a / b for a, b in zip(*seconds, strict=True)]
    return {
        "slow_s": statistics.median(seconds[0]),
        "fast_s": statistics.median(seconds[1]),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }


def each(function: Callable[[str], object], texts: tuple[str, ...]) -> Callable[[], None]:
    def work() -> None:
        for review in texts:
            function(review)

    return work


def epoch(model: torch.nn.Module, loader: DataLoader) -> Callable[[], float]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return lambda: training.train_epoch(model, loader, optimizer)


def main() -> int:
    """Run all comparisons, print a table, and keep the figures as JSON in build/."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds of each pair")
    parser.add_argument("--quick", action="store_true", help="leave out the naive Dataset")
    options = parser.parse_args()
    train = corpus.load_imdb("train")
    results = {}

    if oracle := torchtext_tokenizer():
        results["basic_english: torchtext's code / ours"] = compare(
            each(oracle, train.texts), each(text.basic_english, train.texts), options.rounds
        )

    def ours() -> None:
        vocabulary = text.Vocabulary.build(map(text.basic_english, train.texts))
        datasets.encode(train, vocabulary)

    results["text to ids: CountVectorizer / ours"] = compare(
        lambda: CountVectorizer(max_features=20_000, binary=True).fit_transform(train.texts),
        ours,
        options.rounds,
    )

    dataset, vocabulary = datasets.load_or_encode(train)
    torch.manual_seed(0)
    dense = models.OneHotMLP(len(vocabulary))
    sparse = models.to_sparse(dense)
    sparse_epoch = epoch(sparse, datasets.make_loader(dataset, shuffle=True, sparse=True))
    cached = [dataset[index] for index in range(len(dataset))]
    results["train an epoch: dense cache / embedding bag"] = compare(
        epoch(dense, DataLoader(cached, batch_size=128, shuffle=True)), sparse_epoch, options.rounds
    )
    del cached
    if not options.quick:
        naive = EncodingDataset(train, vocabulary)
        results["train an epoch: naive Dataset / embedding bag"] = compare(
            epoch(dense, DataLoader(naive, batch_size=128, shuffle=True)), sparse_epoch, 1
        )

    rows = [
        [
            name,
            r["slow_s"],
            r["fast_s"],
            r["ratio"],
            f"{r['ratio_min']:.1f} to {r['ratio_max']:.1f}",
        ]
        for name, r in results.items()
    ]
    headers = ["A / B", "A, s", "B, s", "ratio A / B", "spread"]
    print(tabulate(rows, headers, floatfmt=("", ".2f", ".2f", ".1f", "")))
    machine = {
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    file = PROJECT / "build" / "benchmarks.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
