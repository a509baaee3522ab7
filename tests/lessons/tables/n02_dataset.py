"""What readers answer in notebook 02 · The Dataset, and making it fast."""

import time
from collections import Counter
from collections.abc import Callable
from timeit import default_timer
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

from helpers.training import pick_device
from tests.lessons.tables import Trap

# --- II.1 ---------------------------------------------------------------------------------


def labels(dataset: Dataset) -> list[int]:
    return [int(label) for _, label in dataset]


def count_classes(dataset: Dataset) -> tuple[int, int]:
    return labels(dataset).count(0), labels(dataset).count(1)


def count_by_index(dataset: Dataset) -> list[torch.Tensor]:
    targets = torch.tensor([dataset[i][1] for i in range(len(dataset))])
    return [(targets == 0).sum(), (targets == 1).sum()]


def count_with_enumerate(dataset: Dataset) -> list[int]:
    counts = [0, 0]
    for _, label in enumerate(dataset):
        counts[int(label)] += 1
    return counts


def count_else_positive(dataset: Dataset) -> tuple[int, int]:
    negative = sum(label == 0 for _, label in enumerate(dataset))
    return negative, len(dataset) - negative


def mean_ones(dataset: Dataset) -> float:
    return float(np.mean([vector.sum() for vector, _ in dataset]))


def mean_ones_by_loader(dataset: Dataset) -> torch.Tensor:
    order = torch.Generator()
    vectors = torch.cat([inputs for inputs, _ in DataLoader(dataset, generator=order)])
    return vectors.count_nonzero(dim=1).float().mean()


def mean_of(function: Callable) -> Callable:
    """Make an answer to II.1.b: the mean of some function of the vectors."""
    return lambda dataset: float(np.mean([float(function(vector)) for vector, _ in dataset]))


# --- II.2.a -------------------------------------------------------------------------------

device = pick_device()
other_name_of_the_notebook = torch.zeros(3)  # the check must not trip over it
KEYS = ("wait", "forward", "backward")


def wait_for_device() -> None:
    """Wait until a GPU has finished everything it was asked to do, as in the notebook."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def reading() -> float:
    wait_for_device()
    return time.perf_counter()


def unsynchronised() -> float:
    return time.perf_counter()


def bce(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, targets.float())


def clocks(
    clock: Callable = reading,
    late: bool = False,
    order: tuple[str, ...] = ("empty", "backward", "step"),
    after_forward: Callable | None = None,
    loss_of: Callable = bce,
    first: Callable | None = None,
    stop: bool = False,
) -> Callable:
    """Make an answer to II.2.a that returns the three readings of each batch, to be spoilt.

    In `order`, "read" takes the last reading of a batch before the end of the list.
    """

    def run(model: Any, loader: Any, optimizer: Any) -> np.ndarray:
        seconds, last = [], (first or clock)()
        for inputs, targets in loader:
            begun = clock() if late else last
            ready = clock()
            logits = model(inputs.to(device))
            loss = loss_of(logits, targets.to(device))
            done = (after_forward or clock)()
            updated = None
            parts = {"empty": optimizer.zero_grad, "backward": loss.backward}
            parts["step"] = optimizer.step
            for part in order:
                if part == "read":
                    updated = clock()
                else:
                    parts[part]()
            last = clock()
            seconds.append((ready - begun, done - ready, (updated or last) - done))
            if stop:
                break
        return np.array(seconds)

    return run


def summed(run: Callable, add_up: Callable = lambda seconds: seconds.sum(axis=0)) -> Callable:
    """Turn the readings of `run` into the dict that II.2.a asks for."""

    def time_steps(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
        return dict(zip(KEYS, add_up(run(model, loader, optimizer)), strict=True))

    return time_steps


def loss(loss_of: Callable) -> Callable:
    """Make an answer to II.2.a with another loss."""
    return summed(clocks(loss_of=loss_of))


time_steps = summed(clocks())


def time_with_iterator(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
    seconds, batches = {"step": 0.0, "wait": 0.0, "forward": 0.0, "backward": 0.0}, iter(loader)
    for _ in range(len(loader)):
        start = reading()
        inputs, targets = next(batches)
        fetched = reading()
        loss = torch.nn.BCEWithLogitsLoss()(model(inputs.to(device)), targets.to(device).float())
        done = reading()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        end = reading()
        values = (end - start, fetched - start, done - fetched, end - done)
        for part, value in zip(seconds, values, strict=True):
            seconds[part] += value
    return seconds


def time_with_another_clock(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
    def read() -> float:
        wait_for_device()
        return default_timer()

    return summed(clocks(clock=read))(model, loader, optimizer)


def never_updates(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
    return dict.fromkeys(KEYS, float(len(list(loader))))


def update_in_the_waiting(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
    seconds, last = dict.fromkeys(KEYS, 0.0), reading()
    for inputs, targets in loader:
        ready = reading()
        loss = bce(model(inputs.to(device)), targets.to(device))
        done = reading()
        optimizer.zero_grad()
        loss.backward()
        seconds["wait"] += ready - last
        seconds["forward"] += done - ready
        last = reading()
        seconds["backward"] += last - done
        optimizer.step()
    return seconds


def no_first_reading(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
    for _ in loader:
        ready = reading()
        waiting = ready - last  # noqa: F821 - the mistake
        last = reading()  # noqa: F841
    return dict.fromkeys(KEYS, waiting)


def one_holds_all(seconds: np.ndarray) -> np.ndarray:
    sums = seconds.sum(axis=0)
    return np.array([sums[0], sums[1], sums.sum()])


# --- II.2.c and II.3 ----------------------------------------------------------------------


def csr(distinct: Callable = lambda row: sorted(set(row)), offsets: Callable | None = None):
    """Make an answer to II.2.c with other `distinct` codes, or `offsets` from all lengths."""

    def to_csr(id_lists: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        rows = [distinct(row) for row in id_lists]
        ids = torch.tensor([i for row in rows for i in row], dtype=torch.int32)
        lengths = [len(row) for row in rows]
        starts = offsets(lengths) if offsets else np.cumsum([0, *lengths])
        return ids, torch.tensor(np.array(starts), dtype=torch.int32)

    return to_csr


to_csr = csr()


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


def csr_distinct_in_all(id_lists: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    seen: set[int] = set()
    rows = []
    for row in id_lists:
        rows.append(sorted(set(row) - seen))
        seen.update(row)
    return csr(list)(rows)


def select_and_add(weight: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return weight[ids].sum(0)


def add_in_a_loop(weight: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    total = torch.zeros(weight.shape[1])
    for i in ids:
        total += weight[i]
    return total


def multiply_multi_hot(weight: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    multi_hot = torch.zeros(len(weight))
    multi_hot[ids] = 1
    return multi_hot @ weight


def bag_of_one(weight: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    ends = torch.tensor([0, len(ids)], dtype=torch.int32)
    return F.embedding_bag(ids, weight, ends, mode="sum", include_last_offset=True)[0]


def best(of: Callable = np.mean) -> Callable:
    """Make an answer to II.3 that compares `of` the validation accuracies."""
    return lambda validation, test: max(validation, key=lambda lr: of(validation[lr]))


RIGHT = {
    "ii_1_a": [
        (count_classes,),
        (count_by_index,),
        (lambda dataset: np.bincount(labels(dataset), minlength=2),),
        (lambda dataset: torch.bincount(torch.tensor(labels(dataset)), minlength=2),),
        (lambda dataset: (len(dataset) - sum(labels(dataset)), sum(labels(dataset))),),
    ],
    "ii_1_b": [
        (mean_ones,),
        (mean_ones_by_loader,),
        (lambda dataset: sum(vector.sum() for vector, _ in dataset) / len(dataset),),
        (lambda dataset: round(mean_ones(dataset), 3),),
    ],
    "ii_1_c": [("a",)],
    "ii_2_a": [
        (time_steps,),
        (time_with_iterator,),
        (time_with_another_clock,),
        (summed(clocks(order=("backward", "step", "empty"))),),
        (summed(clocks(loss_of=lambda x, y: F.binary_cross_entropy(x.sigmoid(), y.float()))),),
    ],
    "ii_2_b": [("d",), (" D ",)],
    "ii_2_c": [(to_csr,), (csr_by_torch,), (lambda row: [x.clone() for x in to_csr(row)],)],
    "ii_2_d": [(select_and_add,), (add_in_a_loop,), (multiply_multi_hot,), (bag_of_one,)],
    "ii_3": [
        (best(),),
        (best(of=sum),),
        (best(of=np.median),),
        (lambda validation, test: np.float64(best()(validation, test)),),
        (lambda validation, test: torch.tensor(best()(validation, test)),),
    ],
    "ii_4_c": [("d",)],
}

SECRETS = {
    "ii_1_a": ("100", ".count(", "int(label)"),
    "ii_1_b": ("150", ".sum()", "len(dataset)"),
    "ii_1_c": ("several times", "one place", "distinct", "repeat"),
    "ii_2_a": ("wait_for_device", "last ="),
    "ii_2_b": ("multi_hot[", "setting", "for i in ids"),
    "ii_2_c": ("set(", "len(ids)", "[0, 3, 3", "cumsum"),
    "ii_2_d": ("weight[", "sum(", "dim="),
    "ii_3": ("max(", "np.mean", "key="),
    "ii_4_c": ("seed by seed", "wins"),
}

TRAPS = [
    Trap("ii_1_a", (lambda d: count_classes(d)[::-1],), "swapped"),
    Trap("ii_1_a", (lambda d: (1, 2),), "without positive"),
    Trap("ii_1_a", (lambda d: np.bincount(labels(d)),), "without positive"),
    Trap("ii_1_a", (lambda d: tuple(Counter(labels(d)).values()),), "without positive"),
    Trap("ii_1_a", (lambda d: (len(d), sum(labels(d))),), "all samples"),
    Trap("ii_1_a", (lambda d: (0, 2),), "once"),
    Trap("ii_1_a", (lambda d: sum(labels(d)),), "two numbers"),
    Trap("ii_1_a", (lambda d: Counter(labels(d)),), "two numbers"),
    Trap("ii_1_a", (lambda d: labels(d),), "two numbers"),
    Trap("ii_1_a", (lambda d: d.reviews.labels,), "Loop over its samples"),
    Trap("ii_1_a", (count_with_enumerate,), "a pair: (vector, label)"),
    Trap("ii_1_a", (count_else_positive,), "a pair: (vector, label)"),
    Trap("ii_1_a", (lambda d: (200 - sum(labels(d)), sum(labels(d))),), "not only 200"),
    Trap("ii_1_a", (lambda d: count_classes([d[0]]),), "indented too far"),
    Trap("ii_1_b", (lambda d: sum(float(v.sum()) for v, _ in d),), "all vectors"),
    Trap("ii_1_b", (lambda d: sum(float(v.sum()) for v, _ in d) // len(d),), "use /"),
    Trap("ii_1_b", (lambda d: round(mean_ones(d)),), "do not round"),
    Trap("ii_1_b", (lambda d: float(d[0][0].sum()) / len(d),), "indented too far"),
    Trap("ii_1_b", (lambda d: float(d[0][0].sum()),), "indented too far"),
    Trap("ii_1_b", (lambda d: sum(float(v.sum()) for v, _ in d) / 200,), "not by 200"),
    Trap("ii_1_b", (lambda d: sum(v.sum() for v in d) / len(d),), "a pair: (vector, label)"),
    Trap("ii_1_b", (mean_of(torch.mean),), "share of ones"),
    Trap("ii_1_b", (mean_of(lambda v: v[1:].sum()),), "Place 0"),
    Trap("ii_1_b", (mean_of(len),), "length of the vectors"),
    Trap("ii_1_b", (mean_of(lambda v: (v == 0).sum()),), "zeros"),
    Trap("ii_1_b", (lambda d: np.mean([v.sum() for v, _ in d if v.any()]),), "without any ones"),
    Trap("ii_1_b", (lambda d: np.mean([label for _, label in d]),), "mean of the labels"),
    Trap("ii_1_b", (lambda d: sum(v for v, _ in d) / len(d),), "single number"),
    Trap("ii_1_b", (lambda d: 150.865,), "divide by their number"),
    Trap("ii_1_c", ("b",), "unknown"),
    Trap("ii_1_c", ("c",), "frequent"),
    Trap("ii_1_c", ("d",), "code of its own"),
    Trap("ii_1_c", ("because of OOV words",), "one letter"),
    Trap("ii_2_a", (summed(clocks(late=True)),), "before its body begins"),
    Trap("ii_2_a", (never_updates,), "update the model"),
    Trap("ii_2_a", (summed(clocks(), one_holds_all),), "new reading"),
    Trap("ii_2_a", (summed(clocks(), lambda seconds: seconds[-1]),), "of one batch"),
    Trap("ii_2_a", (summed(clocks(), lambda seconds: seconds.mean(0)),), "of one batch"),
    Trap("ii_2_a", (summed(clocks(), lambda seconds: 1_000 * seconds.sum(0)),), "no seconds"),
    Trap("ii_2_a", (summed(clocks(order=("empty", "step"))),), "have not moved"),
    Trap("ii_2_a", (summed(clocks(order=("backward", "step"))),), "gradients of all batches"),
    Trap("ii_2_a", (summed(clocks(order=("backward", "empty", "step"))),), "are empty"),
    Trap("ii_2_a", (summed(clocks(order=("empty", "step", "backward"))),), "are empty"),
    Trap("ii_2_a", (summed(clocks(stop=True)),), "return inside the loop"),
    Trap("ii_2_a", (summed(clocks(first=lambda: 0.0)),), "first reading before the loop"),
    Trap("ii_2_a", (no_first_reading,), "first reading before the loop"),
    Trap("ii_2_a", (update_in_the_waiting,), "update counts as backward"),
    Trap(
        "ii_2_a",
        (summed(clocks(order=("empty", "backward", "read", "step"))),),
        "update counts as backward",
    ),
    Trap("ii_2_a", (loss(lambda x, y: bce(x.squeeze(1), y)),), "[batch]"),
    Trap("ii_2_a", (loss(lambda x, y: bce(x[:, None], y)),), "[batch]"),
    Trap("ii_2_a", (loss(F.binary_cross_entropy_with_logits),), "floats"),
    Trap("ii_2_a", (loss(lambda x, y: F.binary_cross_entropy(x.sigmoid(), y)),), "floats"),
    Trap("ii_2_a", (loss(F.cross_entropy),), "several logits"),
    Trap("ii_2_a", (loss(F.nll_loss),), "several logits"),
    Trap("ii_2_a", (loss(lambda x, y: F.cross_entropy(x, y.float())),), "gradient of your loss"),
    Trap("ii_2_a", (loss(lambda x, y: F.mse_loss(x, y.float())),), "another way"),
    Trap("ii_2_a", (loss(lambda x, y: bce(x.sigmoid(), y)),), "another way"),
    Trap("ii_2_a", (summed(clocks(clock=unsynchronised)),), "still at work"),
    Trap("ii_2_a", (summed(clocks(after_forward=unsynchronised)),), "still at work"),
    Trap("ii_2_a", (lambda m, x, o: tuple(time_steps(m, x, o).values()),), "dict"),
    Trap("ii_2_a", (lambda m, x, o: 1.0,), "dict"),
    Trap("ii_2_b", ("a",), "written in C"),
    Trap("ii_2_b", ("b",), "dictionary"),
    Trap("ii_2_b", ("c",), "microseconds"),
    Trap("ii_2_b", (4,), "one letter"),
    Trap("ii_2_c", (lambda c: to_csr([[*x, -1] for x in c]),), "distinct codes"),
    Trap("ii_2_c", (csr(distinct=list),), "twice"),
    Trap("ii_2_c", (csr_distinct_in_all,), "in another review"),
    Trap("ii_2_c", (csr(distinct=lambda row: list(dict.fromkeys(row))),), "ascend"),
    Trap("ii_2_c", (lambda c: (to_csr(c)[0].flip(0), to_csr(c)[1]),), "ascend"),
    Trap("ii_2_c", (csr(offsets=lambda lengths: np.cumsum([0, *lengths])[:-1]),), "one longer"),
    Trap("ii_2_c", (csr(offsets=np.cumsum),), "its beginning is missing"),
    Trap("ii_2_c", (csr(offsets=lambda lengths: lengths),), "those are the lengths"),
    Trap("ii_2_c", (csr(offsets=lambda lengths: [0, *lengths]),), "those are the lengths"),
    Trap("ii_2_c", (csr(offsets=lambda lengths: np.arange(5)),), "before review i"),
    Trap("ii_2_c", (lambda c: (to_csr(c)[0], to_csr([x for x in c if x])[1]),), "empty review"),
    Trap("ii_2_c", (lambda c: (to_csr(c)[0], csr(list)(c)[1]),), "distinct ones only"),
    Trap("ii_2_c", (lambda c: tuple(t.long() for t in to_csr(c)),), "int32"),
    Trap("ii_2_c", (lambda c: (to_csr(c)[0], to_csr(c)[1].long()),), "int32"),
    Trap("ii_2_c", (lambda c: tuple(t[None] for t in to_csr(c)),), "flat"),
    Trap("ii_2_c", (lambda c: tuple(t.numpy() for t in to_csr(c)),), "two tensors"),
    Trap("ii_2_c", (lambda c: to_csr(c)[0],), "two tensors"),
    Trap(
        "ii_2_c",
        (lambda c: to_csr([[17, 3, 17, 408], [], [0, 3, 0], [5]]),),
        "for a single review",
    ),
    Trap("ii_2_c", (lambda c: to_csr(c)[::-1],), "first ids, then offsets"),
    Trap("ii_2_c", (csr(distinct=lambda row: sorted(set(row) - {0})),), "code 0 counts"),
    Trap("ii_2_c", (csr_nested,), "flat list"),
    Trap("ii_2_d", (lambda w, ids: w[ids].sum(1),), "over the tokens"),
    Trap("ii_2_d", (lambda w, ids: w[ids].sum(),), "[hidden]"),
    Trap("ii_2_d", (lambda w, ids: w[ids],), "[hidden]"),
    Trap("ii_2_d", (lambda w, ids: w[ids].sum(0, keepdim=True),), "[hidden]"),
    Trap("ii_2_d", (lambda w, ids: w[ids].sum(0).tolist(),), "[hidden]"),
    Trap("ii_2_d", (lambda w, ids: w[ids].mean(0),), "mean of the rows"),
    Trap("ii_2_d", (lambda w, ids: w[ids].max(0).values,), "largest"),
    Trap("ii_2_d", (lambda w, ids: w.sum(0),), "all rows"),
    Trap("ii_2_d", (lambda w, ids: w[: len(ids)].sum(0),), "first rows"),
    Trap("ii_2_d", (lambda w, ids: w[ids[ids > 0]].sum(0),), "place, 0"),
    Trap("ii_2_d", (lambda w, ids: w[:, ids].sum(1),), "out of bounds"),
    Trap("ii_2_d", (lambda w, ids: w.T[ids].sum(0),), "select rows"),
    Trap("ii_2_d", (lambda w, ids: w[ids[-1]],), "add them up"),
    Trap("ii_2_d", (lambda w, ids: torch.tensor([69.0, 168.0]),), "single token"),
    Trap("ii_2_d", (lambda w, ids: w[ids].sum(0) if len(ids) else w[0],), "sum is zero"),
    Trap("ii_3", (lambda v, t: best()(t, v),), "test set"),
    Trap("ii_3", (best(of=min),), "the worst seed alone"),
    Trap("ii_3", (lambda v, t: max(v),), "give max a key"),
    Trap("ii_3", (lambda v, t: min(v, key=lambda lr: np.mean(v[lr])),), "the worst one"),
    Trap("ii_3", (best(of=max),), "lucky seed"),
    Trap("ii_3", (best(of=lambda accuracies: accuracies[0]),), "lucky seed"),
    Trap("ii_3", (best(of=lambda accuracies: accuracies[-1]),), "lucky seed"),
    Trap("ii_3", (lambda v, t: max(np.mean(x) for x in v.values()),), "that is an accuracy"),
    Trap("ii_3", (lambda v, t: np.argmax([np.mean(x) for x in v.values()]),), "a position"),
    Trap("ii_3", (lambda v, t: (0.1, 0.87),), "single number"),
    Trap("ii_3", (lambda v, t: min(v),), "best mean accuracy"),
    Trap("ii_3", (lambda v, t: 0.1,), "depend on"),
    Trap("ii_4_c", ("a",), "in pairs"),
    Trap("ii_4_c", ("b",), "stems"),
    Trap("ii_4_c", ("c",), "fewer"),
    Trap("ii_4_c", ("",), "one letter"),
]
