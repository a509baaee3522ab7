"""The exercises of notebook 03 · The DataLoader."""

from collections.abc import Callable, Iterable

import numpy as np
import torch

from lessons.exercises import Checks
from lessons.n03_dataloader import loaders, open_task
from lessons.n03_dataloader.loaders import batching, collating, counting, drawn, ordering, samples
from lessons.n03_dataloader.open_task import sampler

check = Checks()

TAKE_APART = "One tensor is made of a list of tensors: take vectors and labels apart first."
ONE_BY_ONE = "Give the batches one by one: with `yield`, Python makes the iterator for you."

check.exercise(
    "03.1",
    collating(),
    probe=loaders.with_types,
    inputs=[(samples(1, 0, 0, 1),), (samples(0, width=2),), (samples(0, 1, 1),)],
    mistakes=[
        ("the two parts are swapped: the inputs come first.", lambda s: collating()(s)[::-1]),
        ("the vectors are joined end to end: each needs a row of its own.", collating(torch.cat)),
        ("both parts are still lists: make a tensor of each.", collating(list, list)),
        ("the inputs are still a list: a network takes one tensor.", collating(list)),
        ("the labels are still a list: make one tensor of them.", collating(labels_by=list)),
        ("the labels must stay int64.", collating(labels_by=lambda y: torch.stack(y).float())),
        ("the labels have an axis too many.", collating(labels_by=lambda y: torch.vstack(y))),
    ],
    errors={"tuple of Tensors, not": TAKE_APART, "expected Tensor as element": TAKE_APART},
    otherwise="Row i of the inputs and entry i of the labels are those of sample i.",
)

NO_EMPTY_ONE = "256 reviews fill two batches of 128 exactly: no empty one comes after them."

check.exercise(
    "III.2.a",
    counting(),
    probe=loaders.length_of,
    inputs=[
        *((300, 128, False), (256, 128, False), (300, 128, True), (256, 128, True)),
        *((1, 128, False), (5, 1, False), (127, 128, True), (0, 128, False)),
    ],
    mistakes=[
        ("without drop_last, the rest makes a batch, too.", counting(lambda n, b, _: n // b)),
        ("with drop_last=True, only full batches count.", counting(lambda n, b, _: -(-n // b))),
        (NO_EMPTY_ONE, counting(lambda n, b, drop: n // b + (not drop))),
        (NO_EMPTY_ONE, counting(lambda n, b, _: n // b + 1)),
    ],
    errors={"'float' object cannot be": "There are no fractions of a batch: len must be whole."},
    otherwise="Count the full batches; add one for what is left over, if it is to be used.",
)

check.exercise(
    "03.2",
    ordering(),
    probe=loaders.two_orders,
    inputs=[(9, True, 3), (6, False, 3), (12, True, 8)],
    mistakes=[
        ("with shuffle=True the order must be random.", ordering(lambda _, size: range(size))),
        ("with shuffle=False the order is 0, 1, 2, …", ordering(plain=drawn)),
        (
            "draw a new order at every call: torch.randperm, from self.generator.",
            ordering(lambda _, size: torch.randperm(size).tolist()),
            lambda found, size, shuffle, seed: shuffle and sorted(found[0]) == list(range(size)),
        ),
    ],
    otherwise="Every index from 0 to len(self.dataset) - 1, each once.",
)

TOO_LONG = "a batch has more than `batch_size` samples: a slice leaves out its end."

check.exercise(
    "III.2.b",
    batching(),
    probe=loaders.two_epochs,
    inputs=[(7, 3, False), (7, 3, True), (6, 3, False), (6, 3, True), (2, 4, False), (2, 4, True)],
    mistakes=[
        ("without drop_last, a smaller last batch counts, too.", batching(lambda full, _: full)),
        ("with drop_last=True, a smaller last batch is left out.", batching(lambda full, _: True)),
        ("drop_last works the wrong way round.", batching(lambda full, drop: full or drop)),
        ("drop_last leaves a *full* batch in.", batching(most=lambda drop: -drop or None)),
        ("these are indices, not samples.", batching(make=lambda self, i: self.collate_fn(i))),
        ("the samples come in the order of the file, not of order().", batching(order_of=sorted)),
        ("the second epoch repeats the first.", batching(order_of=lambda o: sorted(o)[::-1])),
        ("only the first batch comes: is it `return` for `yield`?", batching(most=lambda drop: 1)),
        (NO_EMPTY_ONE, batching(beyond=1), lambda found, *_: found[1][-1] == ""),
        (TOO_LONG, batching(longer=1), lambda found, n, b, _: found[1][0].count("s") > b),
    ],
    parts=("the numbers of batches in two epochs", "the first epoch", "the second epoch"),
    errors={
        "iter() returned non-iterator": ONE_BY_ONE,
        "takes one index at a time": "Fetch the samples one by one, in a list comprehension.",
    },
    otherwise="Batch k holds the samples of the k-th piece of the order, collated.",
)


# --- III.2.c ------------------------------------------------------------------------------


def shares(of: Callable = lambda labels: float(labels.float().mean())) -> Callable:
    """Return an answer: a number of the labels of each batch."""
    return lambda loader: [of(labels) for _, labels in loader]


class Batches(list):
    """A loader with batches of these labels."""

    def __init__(self, *labels: list[int]) -> None:
        super().__init__((torch.full((len(y), 3), 0.1), torch.tensor(y)) for y in labels)
        self.batch_size = len(labels[0])


SMALLER = "the last batch is smaller: divide by the size of *this* batch."

check.exercise(
    "III.2.c",
    shares(),
    inputs=[(Batches([1, 0, 1, 1], [0] * 4, [1, 0, 0, 1], [1]),), (Batches([1, 1, 0], [1, 0]),)],
    mistakes=[
        ("those are numbers of positives. A share lies between 0 and 1.", shares(torch.sum)),
        (SMALLER, lambda loader: [int(y.sum()) / loader.batch_size for _, y in loader]),
        (SMALLER, shares(lambda labels: int(labels.sum()) / 128)),
        ("only the first batch: is the return in the loop?", lambda loader: shares()(loader[:1])),
        ("those are means of the inputs.", lambda loader: [float(x.mean()) for x, _ in loader]),
    ],
    otherwise="A share is the number of labels 1 over the number of labels, batch by batch.",
)


# --- III.3 --------------------------------------------------------------------------------


def averaged(average: Callable) -> Callable:
    """Return an answer that takes ``average(losses [epochs, batches], sizes [batches])``."""

    def epoch_losses(losses: Iterable[float], num_samples: int, batch_size: int) -> list[float]:
        full, rest = divmod(num_samples, batch_size)
        sizes = np.array([batch_size] * full + [rest] * (rest > 0))
        return average(np.reshape(np.asarray(losses), (-1, len(sizes))), sizes).tolist()

    return epoch_losses


weighted = averaged(lambda table, sizes: table @ sizes / sizes.sum())
FULL = "a last batch that is full counts for nothing: which size has it in your code?"
COUNT_THEM = "How many batches has an epoch, the last one included? And if they all are full?"

check.exercise(
    "III.3",
    weighted,
    inputs=[
        (np.array([1.0, 0.5, 4.0, 0.75, 0.25, 2.0]), 10, 4),
        (np.array([0.5, 2.5, 1.5, 0.0]), 6, 3),
        (np.array([0.7, 0.6, 0.4]), 3, 128),
        (np.array([1.0, 2.0, 0.5, 4.0]), 7, 2),
    ],
    mistakes=[
        ("each is the loss of the epoch's last batch.", averaged(lambda table, _: table[:, -1])),
        ("a smaller last batch must not count as much.", averaged(lambda t, _: t.mean(axis=1))),
        ("those are sums, not yet means.", averaged(lambda table, sizes: table @ sizes)),
        ("those are sums, not yet means.", averaged(lambda table, _: table.sum(axis=1))),
        ("each is a mean: weigh it by its size.", averaged(lambda t, n: t.sum(axis=1) / n.sum())),
        (FULL, lambda x, n, b: averaged(lambda t, s: t @ np.append(s[:-1], n % b) / n)(x, n, b)),
        (FULL, lambda x, n, b: averaged(lambda t, s: np.average(t, 1, [*s[:-1], n % b]))(x, n, b)),
        (
            f"there must be as many means as epochs, and there are not. {COUNT_THEM}",
            averaged(lambda table, _: table[0]),
            lambda found, *given: len(found) != len(weighted(*given)),
        ),
        (
            "every epoch is off by one and the same factor: by what is the sum divided?",
            averaged(lambda table, sizes: table @ sizes / len(sizes)),
            lambda found, *given: np.ptp(np.array(found) / weighted(*given)) < 1e-4,
        ),
    ],
    errors={"cannot reshape": COUNT_THEM, "shape '": COUNT_THEM, "mismatch": COUNT_THEM},
    otherwise="For each epoch: the losses of all its samples added up, over the number of samples.",
)

check.choice(
    "03.3",
    right="c",
    wrong={
        "a": "a model that overfits has a *low* training loss. This one has hardly moved.",
        "b": "look at the picture of III.1.a: the larger the batch, the better it points.",
        "d": "every review has its part in the mean of its batch, and is seen once an epoch.",
    },
)


# --- 03.open ------------------------------------------------------------------------------

LISTS = "The sampler gives batches: each is a list of indices."
TOGETHER = "a batch has `batch_size` reviews, both classes together."
STAYING = "in every epoch the same reviews of a class come together: shuffle both classes anew."
LENGTH = "the batches are right, but `len` is not their number."
LABELS = torch.tensor([0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1])

check.exercise(
    "03.open",
    sampler(),
    probe=open_task.facts,
    inputs=[(LABELS, 4), (torch.arange(40) // 20, 8), (torch.arange(40) % 2, 16)],
    mistakes=[
        (
            "not every batch is half positive. It must hold in each, the last one included.",
            sampler(seen=lambda labels: labels.roll(1)),
            lambda found, labels, size: not all(found[2]),
        ),
        (
            "some reviews are left out. What does not fill a batch makes a smaller one.",
            sampler(most=-1),
            lambda found, labels, size: not found[3] and sum(found[1]) < len(labels),
        ),
        (
            "some review comes more than once in an epoch.",
            sampler(lambda indices, _: indices[:1].repeat(len(indices))),
            lambda found, labels, size: not found[3] and max(found[1]) <= size,
        ),
        (TOGETHER, sampler(per_class=int), lambda found, labels, size: max(found[1]) > size),
        (STAYING, sampler(lambda indices, _: indices), lambda found, *_: not found[4]),
        (
            "the same seed gives other batches: let every random number come from `generator`.",
            sampler(lambda indices, _: open_task.drawn(indices, None)),
            lambda found, *_: not found[5],
        ),
        (LENGTH, sampler(length=int.__mul__), lambda found, *_: found[0] != len(found[1])),
    ],
    errors={
        "'int' object is not iterable": LISTS,
        "iteration over a 0-d tensor": LISTS,
        "takes no arguments": "`__init__` takes the labels, the size of a batch, and a generator.",
        "returned non-iterator": ONE_BY_ONE,
    },
    otherwise="Half of each class in every batch, each review once, new batches in every epoch.",
)
