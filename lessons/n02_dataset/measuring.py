"""How notebook 02 measures each way to feed the model."""

import timeit
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tabulate import tabulate
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from helpers.text import Tokenizer, Vocabulary
from helpers.training import train_epoch


@dataclass(frozen=True)
class Rung:
    """What one way to feed the model takes."""

    build: float  # seconds to make the Dataset
    held: int  # bytes that it keeps, raw texts not counted
    iterate: float  # seconds to go through an epoch
    train: float  # seconds to train one
    loss: float  # its mean loss


class Ladder:
    """Measures rung after rung, each with the same first model and the same order of reviews.

    `new_model` makes the network, `new_loader` a Dataset's loader, `clock` returns seconds.
    """

    def __init__(self, new_model: Callable, new_loader: Callable, clock: Callable) -> None:
        self.new_model, self.new_loader, self.clock = new_model, new_loader, clock
        self.rungs: dict[str, Rung] = {}

    def climb(
        self,
        name: str,
        build: Callable[[], Any],
        collate_fn: Callable | None = None,
        model_of: Callable[[nn.Module], nn.Module] = lambda model: model,
        repeats: int = 3,
    ) -> Any:
        """Make a Dataset, go through an epoch and train one; return the Dataset.

        `model_of` makes of the network the one that takes the batches; of `repeats` the best
        time counts.
        """
        start = self.clock()
        dataset = build()
        built = self.clock() - start
        iterate, train = [], []
        for _ in range(repeats):
            bar = {"desc": name, "leave": False, "disable": repeats > 1, "mininterval": 0.5}
            start = self.clock()
            deque(tqdm(self.new_loader(dataset, collate_fn=collate_fn), **bar), maxlen=0)
            iterate.append(self.clock() - start)
            model = model_of(self.new_model())
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            loader = tqdm(self.new_loader(dataset, collate_fn=collate_fn), **bar)
            start = self.clock()
            loss = train_epoch(model, loader, optimizer)
            train.append(self.clock() - start)
        self.rungs[name] = Rung(built, bytes_held(dataset), min(iterate), min(train), loss)
        return dataset

    def speed_up(self, name: str) -> float:
        """Return how many times as fast as the first rung this one trains."""
        first, *_ = self.rungs.values()
        return first.train / self.rungs[name].train

    @property
    def seconds(self) -> dict[str, tuple[float, float]]:
        """The seconds to iterate and to train of each rung, those of the student left out."""
        return {name: (r.iterate, r.train) for name, r in self.rungs.items() if "yours" not in name}

    def table(self) -> str:
        """Return all rungs as a table."""
        rows = [
            (name, r.build, r.held / 1e6, r.iterate, r.train, self.speed_up(name), r.loss)
            for name, r in self.rungs.items()
        ]
        headers = ("rung", "build s", "MB held", "iterate s", "train s", "× faster", "mean loss")
        return tabulate(rows, headers, floatfmt=("", ".2f", ".1f", ".3f", ".3f", ".1f", ".5f"))


def bytes_held(dataset: Any) -> int:
    """Return the bytes of all tensors that a Dataset keeps in attributes, lists and tuples."""
    return sum({id(tensor): tensor.nbytes for tensor in _tensors(vars(dataset))}.values())


def _tensors(value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _tensors(part)


def compare(first: Iterable, second: Iterable) -> None:
    """Print how many batches of two loaders are equal."""
    pairs = zip(first, second, strict=True)
    equal = [torch.equal(x, a) and torch.equal(y, b) for (x, y), (a, b) in pairs]
    print(f"{sum(equal)} of {len(equal)} batches are equal to the last bit")


def time_lines(review: str, tokenizer: Tokenizer, vocabulary: Vocabulary) -> None:
    """Print how long each line of the naive ``__getitem__`` takes for one review."""
    tokens = tokenizer(review)
    names = {"torch": torch, "review": review, "tokenizer": tokenizer, "vocabulary": vocabulary}
    names |= {"tokens": tokens, "ids": vocabulary.encode(tokens)}
    names["multi_hot"] = torch.zeros(len(vocabulary))
    lines = {
        "a": "tokenizer(review)",
        "b": "vocabulary.encode(tokens)",
        "c": "torch.zeros(len(vocabulary))",
        "d": "for i in ids: multi_hot[i] = 1",
    }
    for letter, line in lines.items():
        microseconds = min(timeit.repeat(line, number=100, repeat=5, globals=names)) / 100 * 1e6
        print(f"{letter}  {line:30} {microseconds:7.1f} µs for {len(tokens)} tokens")


def race(naive: Dataset, fast: Any, order: Sequence[int], clock: Callable) -> None:
    """Print whether ``fast.batches`` gives the batches of `naive`, and how many times as fast."""
    ways: tuple[Callable[[list[int]], Iterable], ...] = (
        lambda order: DataLoader(naive, batch_size=128, sampler=order),
        lambda order: fast.batches(order, 128),
    )
    pairs = zip(*(way([*order]) for way in ways), strict=True)
    if not all(torch.equal(x, a.cpu()) and torch.equal(y, b.cpu()) for (x, y), (a, b) in pairs):
        print(f"The batches of these {len(order):,} reviews are not equal.")
        return
    orders = [[*order[start:], *order[:start]] for start in (1, 2, 3)]  # none of them seen before
    slow, quick = (min(_seconds(way, epoch, clock) for epoch in orders) for way in ways)
    print(f"The batches of all {len(order):,} reviews are equal.")
    print(f"Best of three: {slow:.3f} s and {quick:.4f} s, {slow / quick:.1f} times as fast.")
    if slow / quick < 20:
        print("The goal is 20. Is anything done per sample or token that could be done per batch?")


def _seconds(way: Callable, order: list[int], clock: Callable) -> float:
    start = clock()
    deque(way(order), maxlen=0)
    return clock() - start
