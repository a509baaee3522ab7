"""What is handed in for MyLoader and collate: right answers; with other arguments they are wrong.

`counting`, `ordering` and `batching` each make a class with the one method that is judged.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from lessons.judging import Wrong

Samples = list[tuple[Tensor, Tensor]]


def collating(inputs_by: Callable = torch.stack, labels_by: Callable = torch.stack) -> Callable:
    """Return an answer that makes inputs [batch, features] and labels [batch] in these ways."""

    def collate(samples: Samples) -> tuple:
        inputs, labels = zip(*samples, strict=True)
        return inputs_by(inputs), labels_by(labels)

    return collate


def with_types(answer: Callable, samples: Samples) -> Any:
    """Return a batch, and the types of its parts."""
    batch = answer(samples)
    if batch is None or batch is ...:
        return None
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        raise Wrong("return both parts of the batch, inputs and labels.")
    return *batch, [str(getattr(part, "dtype", "no tensor")) for part in batch]


def samples(*labels: int, width: int = 3) -> Samples:
    """Return samples that all differ, with these labels."""
    return [(torch.arange(float(width)) + 10 * i, torch.tensor(y)) for i, y in enumerate(labels)]


# --- the loader ---------------------------------------------------------------------------


class Given:
    """What the notebook gives of the class."""

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: torch.Generator | None = None,
        collate_fn: Callable = default_collate,
    ) -> None:
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
        self.drop_last, self.generator, self.collate_fn = drop_last, generator, collate_fn


def loader(**methods: Callable) -> type:
    """Return the given class with some methods."""
    return type("MyLoader", (Given,), methods)


def counting(count: Callable = lambda n, b, drop: n // b if drop else -(-n // b)) -> type:
    """Return a class with ``len(loader) == count(samples, batch_size, drop_last)``."""
    return loader(__len__=lambda self: count(len(self.dataset), self.batch_size, self.drop_last))


def length_of(cls: Any, num_samples: int, batch_size: int, drop_last: bool) -> int:
    """Return the length of a loader."""
    return len(cls(range(num_samples), batch_size, drop_last=drop_last))


def drawn(self: Given, size: int) -> list[int]:
    """Return a random order from the loader's generator."""
    return torch.randperm(size, generator=self.generator).tolist()


def ordering(shuffled: Callable = drawn, plain: Callable = lambda _, size: range(size)) -> type:
    """Return a class with this `order`, with and without `shuffle`."""
    return loader(order=lambda self: (shuffled if self.shuffle else plain)(self, len(self.dataset)))


def two_orders(cls: Any, num_samples: int, shuffle: bool, seed: int) -> Any:
    """Return the orders of two epochs; refuse an answer that sets PyTorch's own seed."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(20_011)
    made = cls(range(num_samples), 4, shuffle=shuffle, generator=generator)
    first = made.order()
    if first is None or first is ...:
        return None
    orders = [list(map(int, first)), list(map(int, made.order()))]
    if torch.initial_seed() != 20_011:
        raise Wrong("your code sets PyTorch's own seed, for all that follows. Leave that line out.")
    return orders


def batching(
    keep: Callable = lambda full, drop: full or not drop,
    make: Callable = lambda self, piece: self.collate_fn([*map(self.dataset.__getitem__, piece)]),
    order_of: Callable = lambda order: order,
    most: Callable = lambda drop: None,
    beyond: int = 0,
    longer: int = 0,
) -> type:
    """Return a class whose `__iter__` makes batches of the pieces of an order.

    ``keep(is it full, drop_last)`` says which, ``most(drop_last)`` where to end; `beyond` goes on
    too far, and pieces may be `longer` than a batch. `order` comes with the check.
    """

    def iterate(self: Any) -> Iterator:
        order, size = order_of(self.order()), self.batch_size
        for start in [*range(0, len(order) + beyond, size)][: most(self.drop_last)]:
            piece = order[start : start + size + longer]
            if keep(len(piece) >= size, self.drop_last):
                yield make(self, piece)

    return loader(__iter__=iterate)


class Letters(Dataset):
    """Samples ``"s0"``, ``"s1"``, … that are asked for one by one."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: Any) -> str:
        if isinstance(index, list | slice) or np.ndim(index) > 0:
            raise TypeError("a Dataset takes one index at a time")
        return f"s{range(self.size)[int(index)]}"


def two_epochs(cls: Any, num_samples: int, batch_size: int, drop_last: bool) -> tuple:
    """Return the numbers of batches of two epochs, and the batches, collated as "s6+s5+s4".

    Their orders are given: backwards, then rotated.
    """
    orders = [list(range(num_samples))[::-1]]
    orders += [[(i + k) % num_samples for i in range(num_samples)] for k in range(1, 50)]
    given = {"order": lambda self: orders.pop(0), "__len__": vars(counting())["__len__"]}
    made = type("Answer", (cls,), given)(
        Letters(num_samples), batch_size, False, drop_last, None, lambda s: "+".join(map(str, s))
    )
    epochs = [list(islice(made, 100)) for _ in range(2)]
    if len(orders) < 48:
        raise Wrong("order() draws anew at each call: call it once an epoch, before the loop.")
    if not all(isinstance(batch, str) for batch in [*epochs[0], *epochs[1]]):
        raise Wrong("a batch is not collated: hand the list of its samples to self.collate_fn.")
    return [*map(len, epochs)], *epochs
