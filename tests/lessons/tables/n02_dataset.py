"""What readers answer in notebook 02 · The Dataset, and making it fast.

Right answers of unusual form, and wrong ones that the exercises' own data do not cover.
"""

import time
import types
from collections.abc import Callable
from timeit import default_timer
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from tests.lessons.tables import Trap

# --- II.1 ---------------------------------------------------------------------------------


def set_at_once(self: Any, index: int) -> tuple:
    vector, review = torch.zeros(len(self.vocabulary)), self.reviews.texts[index]
    vector[self.vocabulary.encode(self.tokenizer(review))] = 1
    return vector, torch.tensor(self.reviews.labels[index])


def made_as_a_set(self: Any, index: int) -> tuple:
    review, label = self.reviews[index]
    ids = {*self.vocabulary.encode(self.tokenizer(review))}
    return torch.tensor([float(i in ids) for i in range(len(self.vocabulary))]), label


def cut_by_split(self: Any, index: int) -> tuple:
    review, label = self.reviews[index]
    multi_hot = torch.zeros(len(self.vocabulary))
    multi_hot[self.vocabulary.encode(review.split())] = 1
    return multi_hot, label


def not_cut(self: Any, index: int) -> tuple:
    review, label = self.reviews[index]
    multi_hot = torch.zeros(len(self.vocabulary))
    multi_hot[self.vocabulary.encode(review)] = 1
    return multi_hot, label


def counted(self: Any, index: int) -> tuple:
    review, label = self.reviews[index]
    ids = torch.tensor(self.vocabulary.encode(self.tokenizer(review)), dtype=torch.int64)
    return torch.bincount(ids, minlength=len(self.vocabulary)).float(), label


def whole_numbers(self: Any, index: int) -> tuple:
    vector, label = set_at_once(self, index)
    return vector.long(), label


def as_numpy(vector: torch.Tensor, label: torch.Tensor) -> tuple:
    return vector.numpy(), label


def one_hot(self: Any, index: int) -> tuple:
    review, label = self.reviews[index]
    ids = torch.tensor(self.vocabulary.encode(self.tokenizer(review)))
    return F.one_hot(ids, len(self.vocabulary)).amax(0).float(), label


def zeros_in_the_loop(self: Any, index: int) -> tuple:
    review, label = self.reviews[index]
    multi_hot = torch.zeros(len(self.vocabulary))
    for i in self.vocabulary.encode(self.tokenizer(review)):
        multi_hot = torch.zeros(len(self.vocabulary))
        multi_hot[i] = 1
    return multi_hot, label


def return_in_the_loop(self: Any, index: int) -> Any:
    review, label = self.reviews[index]
    multi_hot = torch.zeros(len(self.vocabulary))
    for i in self.vocabulary.encode(self.tokenizer(review)):
        multi_hot[i] = 1
        return multi_hot, label


def sampling(sample: Callable, size: Callable = lambda self: len(self.reviews)) -> type:
    """Make a Dataset of these two methods."""

    def init(self: Any, reviews: Any, vocabulary: Any, tokenizer: Callable) -> None:
        self.reviews, self.vocabulary, self.tokenizer = reviews, vocabulary, tokenizer

    methods = {"__init__": init, "__len__": size, "__getitem__": sample}
    return type("NaiveDataset", (Dataset,), methods)


def mean_ones_by_loader(dataset: Dataset) -> torch.Tensor:
    order = torch.Generator()
    vectors = torch.cat([inputs for inputs, _ in DataLoader(dataset, generator=order)])
    return vectors.count_nonzero(dim=1).float().mean()


# --- II.2.a -------------------------------------------------------------------------------


def timed(
    clock: Callable = time.perf_counter,
    late: bool = False,
    unit: float = 1.0,
    result: Callable = dict,
    first: Callable | None = None,
    stop: bool = False,
) -> Callable:
    """Make an answer to II.2.a that reads `clock`, to be spoilt."""

    def time_steps(loader: Any, forward: Callable, backward: Callable) -> Any:
        seconds = {"wait": 0.0, "forward": 0.0, "backward": 0.0}
        latest = (first or clock)()
        for inputs, targets in loader:
            if late:
                latest = clock()
            ready = clock()
            loss = forward(inputs, targets)
            done = clock()
            backward(loss)
            seconds["wait"] += (ready - latest) * unit
            seconds["forward"] += (done - ready) * unit
            latest = clock()
            seconds["backward"] += (latest - done) * unit
            if stop:
                break
        return result(seconds)

    return time_steps


def notebook_clock() -> float:
    """Stand for the notebook's clock: only a function that sees it is asked to call it."""
    return time.perf_counter()


def in_the_notebook(answer: Callable) -> Callable:
    """Return a function of the same code that sees `read_clock`."""
    seen = {**answer.__globals__, "read_clock": notebook_clock}
    return types.FunctionType(answer.__code__, seen, closure=answer.__closure__)


def last_of(parts: tuple[str, ...]) -> Callable:
    """Return an answer that keeps some parts of the last batch only."""

    def time_steps(loader: Any, forward: Callable, backward: Callable) -> dict[str, float]:
        seconds, latest = dict.fromkeys(("wait", "forward", "backward"), 0.0), time.perf_counter()
        for inputs, targets in loader:
            readings = [latest, time.perf_counter()]
            loss = forward(inputs, targets)
            readings.append(time.perf_counter())
            backward(loss)
            readings.append(latest := time.perf_counter())
            for part, early, late in zip(seconds, readings, readings[1:], strict=False):
                seconds[part] = late - early + (part not in parts) * seconds[part]
        return seconds

    return time_steps


def with_iterator(loader: Any, forward: Callable, backward: Callable) -> dict[str, float]:
    batches = iter(loader)
    wait, ahead, back, whole = [], [], [], time.monotonic()
    for _ in range(len(loader)):
        t0 = time.time()
        batch = next(batches)
        t1 = time.time()
        loss = forward(*batch)
        t2 = time.time()
        backward(loss)
        wait, ahead, back = [*wait, t1 - t0], [*ahead, t2 - t1], [*back, time.time() - t2]
    return {
        "wait": np.sum(wait),
        "forward": torch.tensor(ahead).sum(),
        "backward": sum(back),
        "whole": time.monotonic() - whole,
    }


def never_trains(loader: Any, forward: Callable, backward: Callable) -> dict[str, float]:
    return dict.fromkeys(("wait", "forward", "backward"), float(len(list(loader))))


def fetching_all_first(loader: Any, forward: Callable, backward: Callable) -> dict[str, float]:
    return timed()(list(loader), forward, backward)


def since_the_beginning(loader: Any, forward: Callable, backward: Callable) -> dict[str, float]:
    seconds, start = dict.fromkeys(("wait", "forward", "backward"), 0.0), time.perf_counter()
    for inputs, targets in loader:
        seconds["wait"] += time.perf_counter() - start
        loss = forward(inputs, targets)
        seconds["forward"] += time.perf_counter() - start
        backward(loss)
        seconds["backward"] += time.perf_counter() - start
        start = time.perf_counter()
    return seconds


# --- 02.open ------------------------------------------------------------------------------


class OneMatrix:
    """Keeps all vectors in a matrix, which is filled when it is first needed."""

    matrix = None

    def __init__(self, reviews: Any, vocabulary: Any, tokenizer: Callable) -> None:
        self.all = reviews, vocabulary, tokenizer
        self.labels = torch.tensor(reviews.labels)

    def fill(self) -> torch.Tensor:
        reviews, vocabulary, tokenizer = self.all
        matrix = torch.zeros(len(reviews), len(vocabulary))
        for row, review in zip(matrix, reviews.texts, strict=True):
            row[vocabulary.encode(tokenizer(review))] = 1
        return matrix

    def batches(self, order: list[int], batch_size: int) -> list[tuple]:
        if self.matrix is None:
            self.matrix = self.fill()
        chunks = torch.tensor(order).split(batch_size)
        return [(self.matrix[chunk], self.labels[chunk]) for chunk in chunks]


class ByLoader(OneMatrix):
    """Hands its rows to torch's own DataLoader."""

    def batches(self, order: list[int], batch_size: int) -> DataLoader:
        self.matrix = self.fill() if self.matrix is None else self.matrix
        pairs = list(zip(self.matrix, self.labels, strict=True))
        return DataLoader(pairs, batch_size, sampler=order, generator=torch.Generator())


class KeptBuffer(OneMatrix):
    """Fills one and the same tensor in every epoch."""

    kept = torch.zeros(120, 41)

    def batches(self, order: list[int], batch_size: int) -> Any:
        for inputs, targets in super().batches(order, batch_size):
            yield self.kept[: len(inputs)].copy_(inputs), targets


class OnlyFull(OneMatrix):
    """Drops the last, smaller batch, and gives the labels as lists."""

    def batches(self, order: list[int], batch_size: int) -> Any:
        batches = super().batches(order, batch_size)
        return [(x, y.tolist()) for x, y in batches if len(x) == batch_size]


class SameBuffer(OneMatrix):
    """Fills one and the same tensor for each batch."""

    def batches(self, order: list[int], batch_size: int) -> Any:
        buffer = torch.zeros(batch_size, 41)
        for inputs, targets in super().batches(order, batch_size):
            yield buffer[: len(inputs)].copy_(inputs), targets


class ByBytes(OneMatrix):
    def batches(self, order: list[int], batch_size: int) -> Any:
        return [(x.numpy(), y.tolist()) for x, y in super().batches(order, batch_size)]


class Forgetful(OneMatrix):
    def batches(self, order: list[int], batch_size: int) -> list[tuple]:
        self.matrix = None
        return super().batches(order, batch_size)


class OtherTokens(OneMatrix):
    def __init__(self, reviews: Any, vocabulary: Any, tokenizer: Callable) -> None:
        super().__init__(reviews, vocabulary, str.split)


# --- II.2.c: the ladder ---------------------------------------------------------------------


class TwoTensors(Dataset):
    def __init__(self, dataset: Dataset) -> None:
        vectors, targets = zip(*dataset, strict=True)
        self.vectors, self.targets = torch.stack(vectors), torch.tensor(targets)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.vectors[index], self.targets[index]


class VectorsOnly(TwoTensors):
    def __getitem__(self, index: int) -> torch.Tensor:
        return self.vectors[index]


class LabelFirst(TwoTensors):
    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.targets[index], self.vectors[index]


class Inherits(TensorDataset):
    """Has the two other methods from PyTorch."""

    def __init__(self, dataset: Any) -> None:
        super().__init__(*map(torch.stack, zip(*map(as_tensors, dataset), strict=True)))


def as_tensors(sample: tuple) -> tuple[torch.Tensor, torch.Tensor]:
    return sample[0], torch.as_tensor(sample[1])


class FloatLabels(TwoTensors):
    def __getitem__(self, index: int) -> tuple[torch.Tensor, float]:
        return self.vectors[index], float(self.targets[index])


class Lazy(Dataset):
    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.known = dataset, {}

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple:
        if index not in self.known:
            self.known[index] = self.dataset[index]
        return self.known[index]


def csr_by_torch(id_lists: list[list[int]]) -> list[torch.Tensor]:
    rows = [torch.tensor(row, dtype=torch.int32).unique() for row in id_lists]
    lengths = torch.tensor([0] + [len(row) for row in rows])
    return [torch.cat(rows), lengths.cumsum(0).int()]


def csr_nested(id_lists: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    ids, offsets = [], [0]
    for row in id_lists:
        ids.append(sorted(set(row)))
        offsets.append(len(ids))
    return torch.tensor(ids, dtype=torch.int32), torch.tensor(offsets, dtype=torch.int32)


class ByLoops(Dataset):
    """The class with its two methods, each a loop."""

    def __init__(self, ids: Any, offsets: Any, labels: Any, vocab_size: int) -> None:
        self.ids, self.offsets, self.labels, self.vocab_size = ids, offsets, labels, vocab_size

    def rows(self, indices: Any) -> list[torch.Tensor]:
        return [self.ids[self.offsets[i] : self.offsets[i + 1]] for i in indices]

    def select(self, indices: Any) -> "ByLoops":
        rows, offsets = self.rows(indices), [0]
        for row in rows:
            offsets.append(offsets[-1] + len(row))
        return ByLoops(
            torch.cat(rows), torch.tensor(offsets), self.labels[indices], self.vocab_size
        )

    def multi_hot(self) -> torch.Tensor:
        matrix = torch.zeros(len(self.labels), self.vocab_size)
        for i, row in enumerate(self.rows(range(len(self.labels)))):
            matrix[i, row] = 1
        return matrix


class SelectsATuple(ByLoops):
    def select(self, indices: Any) -> tuple:
        batch = super().select(indices)
        return batch.ids, batch.offsets, batch.labels, batch.vocab_size


class ChangesItself(ByLoops):
    def select(self, indices: Any) -> "ByLoops":
        batch = super().select(indices)
        self.ids, self.offsets, self.labels = batch.ids, batch.offsets, batch.labels
        return self


class ListsLabels(ByLoops):
    def select(self, indices: Any) -> "ByLoops":
        batch = super().select(indices)
        batch.labels = batch.labels.tolist()
        return batch


class Transposed(ByLoops):
    def multi_hot(self) -> torch.Tensor:
        return super().multi_hot().T


class WholeNumbers(ByLoops):
    def multi_hot(self) -> torch.Tensor:
        return super().multi_hot().int()


class ByFunction(nn.Module):
    """Sums by torch's function, with a table of its own."""

    sparse = True

    def __init__(self, dense: nn.Module) -> None:
        super().__init__()
        self.dense, self.table = dense, nn.Parameter(dense.hidden.weight.detach().T.clone())

    def forward(self, bags: Any) -> torch.Tensor:
        options = {"mode": "sum", "include_last_offset": True, "sparse": self.sparse}
        sums = F.embedding_bag(bags.ids, self.table, bags.offsets, **options)
        return self.dense.output(F.relu(sums + self.dense.hidden.bias))[:, 0]


class BySlowFunction(ByFunction):
    sparse = False


class BagsAsTheyAre(nn.Module):
    def __init__(self, dense: nn.Module) -> None:
        super().__init__()
        options = {"mode": "sum", "include_last_offset": True}
        self.rows = nn.EmbeddingBag.from_pretrained(dense.hidden.weight.T.detach(), **options)

    def forward(self, bags: Any) -> torch.Tensor:
        return self.rows(bags)


class NotTransposed(BagsAsTheyAre):
    def __init__(self, dense: nn.Module) -> None:
        super().__init__(dense)
        options = {"mode": "sum", "include_last_offset": True}
        self.rows = nn.EmbeddingBag.from_pretrained(dense.hidden.weight.detach(), **options)
        self.output = dense.output

    def forward(self, bags: Any) -> torch.Tensor:
        return self.output(torch.relu(self.rows(bags.ids, bags.offsets))).squeeze(1)


RIGHT = {
    "ii_1_a": [(sampling(set_at_once),), (sampling(made_as_a_set),), (sampling(one_hot),)],
    "ii_1_b": [
        (mean_ones_by_loader,),
        (lambda dataset: sum(vector.sum() for vector, _ in dataset) / len(dataset),),
        (lambda dataset: round(float(mean_ones_by_loader(dataset)), 3),),
    ],
    "ii_1_c": [("b",), ("(B)",)],
    "ii_2_a": [
        (timed(),),
        (timed(time.time),),
        (timed(time.perf_counter_ns, unit=1e-9),),
        (timed(default_timer),),
        (with_iterator,),
        (in_the_notebook(timed(notebook_clock)),),
    ],
    "ii_2_b": [("d",), (" D ",)],
    "ex_02_open": [(OneMatrix,), (ByLoader,)],
    "ii_2_c_1": [(TwoTensors,), (Inherits,)],
    "ii_2_c_2": [(csr_by_torch,)],
    "ii_2_c_3": [(ByLoops,)],
    "ii_2_c_4": [(ByFunction,)],
}

SECRETS = {
    "ii_1_a": ("for i in", "self.reviews[index]", "zeros("),
    "ii_1_b": ("150", "vector.sum() for", "len(dataset)"),
    "ii_2_a": ("latest =", "batch_ready"),
    "ii_2_c_1": ("range(", "dataset[i"),
    "ii_2_c_2": ("set(", "len(ids)", "cumsum"),
    "ii_2_c_4": ("squeeze(1)  #", "sums + "),
}

TRAPS = [
    Trap("ii_1_a", (sampling(cut_by_split),), "self.tokenizer"),
    Trap("ii_1_a", (sampling(not_cut),), "Tokenise first"),
    Trap("ii_1_a", (sampling(counted),), "how often"),
    Trap("ii_1_a", (sampling(zeros_in_the_loop),), "inside the loop"),
    Trap("ii_1_a", (sampling(return_in_the_loop),), "inside the loop"),
    Trap("ii_1_a", (sampling(set_at_once, lambda self: len(self.vocabulary)),), "is 41, but"),
    Trap("ii_1_a", (sampling(lambda self, i: set_at_once(self, i)[0]),), "the vector comes first"),
    Trap("ii_1_a", (sampling(lambda self, i: set_at_once(self, i)[::-1]),), "vector comes first"),
    Trap("ii_1_a", (sampling(lambda self, i: (set_at_once(self, i)[0], 1)),), "the labels"),
    Trap("ii_1_a", (sampling(whole_numbers),), "a float32 tensor"),
    Trap("ii_1_a", (sampling(lambda self, i: as_numpy(*set_at_once(self, i))),), "float32 tensor"),
    Trap("ii_1_b", (lambda d: sum(v.sum() for v in d) / len(d),), "a pair: (vector, label)"),
    Trap("ii_1_b", (lambda d: sum(v for v, _ in d) / len(d),), "a single number"),
    Trap("ii_2_a", (timed(late=True),), "before its body begins"),
    Trap("ii_2_a", (never_trains,), "call forward once"),
    Trap("ii_2_a", (fetching_all_first,), "before the first is used"),
    Trap("ii_2_a", (timed(unit=-1.0),), "below 0"),
    Trap("ii_2_a", (timed(unit=1e-6),), "next to nothing in all"),
    Trap("ii_2_a", (timed(stop=True),), "return inside the loop"),
    Trap("ii_2_a", (timed(first=lambda: 0.0),), "counted from 0"),
    Trap("ii_2_a", (timed(time.perf_counter_ns),), "no seconds"),
    Trap("ii_2_a", (timed(time.process_time),), "process_time() stands still"),
    Trap("ii_2_a", (since_the_beginning,), "new reading after each part"),
    Trap("ii_2_a", (timed(unit=1 / 3),), "of one batch"),
    Trap("ii_2_a", (last_of(("forward", "backward")),), "of one batch"),
    Trap("ii_2_a", (last_of(("wait",)),), "of one batch"),
    Trap("ii_2_a", (in_the_notebook(timed()),), "waits for a GPU"),
    Trap("ii_2_a", (timed(result=lambda seconds: tuple(seconds.values())),), "dict"),
    Trap("ii_2_a", (lambda loader, forward, backward: 1.0,), "dict"),
    Trap("ex_02_open", (SameBuffer,), "one and the same tensor"),
    Trap("ex_02_open", (KeptBuffer,), "one and the same tensor"),
    Trap("ex_02_open", (OnlyFull,), "smaller batch is missing"),
    Trap("ex_02_open", (ByBytes,), "a float32 tensor"),
    Trap("ex_02_open", (Forgetful,), "can be prepared once"),
    Trap("ex_02_open", (OtherTokens,), "cut by `tokenizer`"),
    Trap("ii_2_c_1", (VectorsOnly,), "is a pair"),
    Trap("ii_2_c_1", (Lazy,), "[0, 4, 4]"),
    Trap("ii_2_c_1", (FloatLabels,), "types of both"),
    Trap("ii_2_c_3", (SelectsATuple,), "a tuple of 4"),
    Trap("ii_2_c_3", (ChangesItself,), "make a new one"),
    Trap("ii_2_c_3", (ListsLabels,), "labels' dtype should not be"),
    Trap("ii_2_c_3", (WholeNumbers,), "dtype should not be ('torch.int32'"),
    Trap("ii_2_c_3", (Transposed,), "the matrix should not be tensor [20, 2]"),
    Trap("ii_2_c_1", (LabelFirst,), "the vector comes first"),
    Trap("ii_2_c_2", (csr_nested,), "flat list"),
    Trap("ii_2_c_4", (BySlowFunction,), "see sparse"),
    Trap("ii_2_c_4", (BagsAsTheyAre,), "bags.ids and bags.offsets"),
    Trap("ii_2_c_4", (NotTransposed,), "[vocab, hidden]"),
]
