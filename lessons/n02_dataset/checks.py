"""Answer checks of notebook 02 · The Dataset, and making it fast."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from helpers.training import pick_device
from lessons.exercises import Checks, Wrong
from lessons.framework import as_number, call, call_for_number, choose, close, require

check = exercise = Checks()


class _Samples(Dataset):
    """A Dataset of four samples, or of the first of them."""

    ones = ((1, 2, 4), (), (0,), (0, 1, 5))
    labels_in_order = (0, 1, 1, 0)

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        if not -self.size <= index < self.size:
            raise IndexError(index)
        multi_hot = torch.zeros(6)
        multi_hot[list(self.ones[index])] = 1
        return multi_hot, self.labels_in_order[index]


@contextmanager
def _nothing_but_samples() -> Iterator[None]:
    """Say what to do when the reader's function wants more of a Dataset than its samples."""
    try:
        yield
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, AttributeError) and "tuple" not in str(error):
            raise Wrong(
                f"your code asks for more than a Dataset must have ({error}). Loop over its "
                "samples, pairs of vector and label."
            ) from error
        raise Wrong(
            f"your code stopped with {type(error).__name__}: {error}. When you loop over the "
            "Dataset, each sample is a pair: (vector, label)."
        ) from error


@contextmanager
def _explained(hints: Mapping[str, str]) -> Iterator[None]:
    """Add the likely mistake to an error of the reader's code, told by a piece of its message."""
    try:
        yield
    except (IndexError, NameError, RuntimeError, ValueError) as error:
        for piece, hint in hints.items():
            if piece in str(error):
                raise Wrong(
                    f"your code stopped with {type(error).__name__}: {error}. {hint}"
                ) from error
        raise


@exercise("II.1.a")
def ii_1_a(count_classes: Callable) -> None:
    """Check count_classes(dataset) → (negative, positive)."""
    counts = _two_counts(count_classes, _Samples(3))
    require(counts != [2, 1], "the two are swapped: label 0 is negative.")
    require(counts != [1, 0], _FIRST_ONLY)
    require(
        counts not in ([0, 0], [0, 3], [3, 0]),
        "all samples look alike to your code. Each sample is a pair: (vector, label).",
    )
    require(counts != [3, 2], "that is the number of all samples, and of the positive ones.")
    require(
        sum(counts) <= 3,
        "those are more samples than the data set has: it must work for any length, not only 200.",
    )
    require(counts == [1, 2], "count each sample once, by its label.")
    require(
        _two_counts(count_classes, _Samples(1)) == [1, 0],
        "a data set without positive samples has 0 of them.",
    )


_FIRST_ONLY = "the loop stops after the first sample: is the return indented too far?"


def _two_counts(count_classes: Callable, dataset: Dataset) -> list[float]:
    """Return the reader's two numbers, from a tuple, a list, an array or a tensor."""
    with _nothing_but_samples():
        answer = call(count_classes, dataset)
    counts = answer.tolist() if isinstance(answer, torch.Tensor | np.ndarray) else answer
    if len(dataset) == 1:
        require(
            isinstance(counts, tuple | list) and len(counts) != 1,
            "a data set without positive samples has 0 of them: two numbers are asked for.",
        )
    require(
        isinstance(counts, tuple | list) and len(counts) == 2,
        "return two numbers: how many negative, how many positive.",
    )
    return [as_number(number) for number in counts]


@exercise("II.1.b")
def ii_1_b(mean_ones: Callable) -> None:
    """Check mean_ones(dataset) → mean number of ones per vector."""
    with _nothing_but_samples():
        answer = call_for_number(mean_ones, _Samples(4))
    hints = {
        7: "that is the number of ones in all vectors, not the mean.",
        7 / 24: "that is the share of ones among all places: count the ones.",
        5 / 4: "is the unknown place left out? Place 0 counts like any other.",
        7 / 3: "a vector without any ones still counts as a vector.",
        6: "that is the length of the vectors, zeros included.",
        17 / 4: "those are the zeros.",
        1 / 2: "that is the mean of the labels. Each sample is a pair, the vector comes first.",
        1: "a mean need not be a whole number: use /.",
        2: "a mean need not be a whole number: do not round it.",
        3 / 4: _FIRST_ONLY,
        3: _FIRST_ONLY,
        7 / 200: "divide by the length of the data set, not by 200.",
    }
    for wrong, hint in hints.items():
        require(not close(answer, wrong), hint)
    require(
        close(answer, 7 / 4, tolerance=1e-3),
        "add up the ones of all vectors, divide by their number.",
    )


@exercise("II.1.c")
def ii_1_c(reason: str) -> None:
    """Check why there are fewer ones than words (a letter)."""
    choose(
        reason,
        right="a",
        hints={
            "b": "it sounds plausible, but count them: how many words of these 200 reviews are "
            "unknown to a vocabulary that was built on them? And unknown words are not dropped.",
            "c": "nothing is left out for being frequent: look up the code of the top token.",
            "d": "each token of the vocabulary has a code of its own: look up these two.",
        },
    )


class _Device:
    """Where the time goes in II.2.a: a clock of its own, which only work moves on.

    Nothing really takes time, so that the check does not depend on the machine. A device
    that can be waited for is asynchronous, like a GPU: it works when it is waited for.
    """

    def __init__(self, function: Callable) -> None:
        self.names = getattr(function, "__globals__", {})
        self.asynchronous = "wait_for_device" in self.names
        self.start = self.now = time.perf_counter()
        self.queued, self.waits = 0.0, 0

    def work(self, seconds: float) -> None:
        self.queued += seconds
        if not self.asynchronous:
            self.finish()

    def finish(self) -> None:
        self.now += self.queued
        self.queued = 0.0

    def wait(self) -> None:
        self.waits += 1
        self.finish()

    def read(self) -> float:
        return self.now

    @contextmanager
    def behind_the_function(self) -> Iterator[None]:
        """Give the reader's function this clock, and this device to wait for."""
        clocks = (time.perf_counter, time.time)
        swapped = {
            name: self.read
            for name, value in self.names.items()
            if any(value is clock for clock in clocks)  # not ==, which tensors answer with tensors
        }
        if self.asynchronous:
            swapped["wait_for_device"] = self.wait
        originals = {name: self.names[name] for name in swapped}
        self.names.update(swapped)
        time.perf_counter = time.time = self.read
        try:
            yield
        finally:
            time.perf_counter, time.time = clocks
            self.names.update(originals)


class _SlowLoader:
    """Batches that take their time."""

    def __init__(self, batches: int, seconds: float, device: _Device) -> None:
        self.batches, self.seconds, self.device = batches, seconds, device

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for _ in range(self.batches):
            self.device.now += self.seconds
            yield torch.ones(2, 3), torch.tensor([1, 1])


class _SlowModel(torch.nn.Module):
    """A model whose forward pass takes its time."""

    def __init__(self, seconds: float, device: _Device) -> None:
        super().__init__()
        self.seconds, self.device = seconds, device
        self.weight = torch.nn.Parameter(torch.zeros(3, device=pick_device()))
        self.gradients: list[bool] = []  # for each backward pass, whether it was not all zero
        self.weight.register_hook(lambda gradient: self.gradients.append(bool(gradient.any())))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.device.work(self.seconds)
        return inputs.to(self.weight.device) @ self.weight


class _SlowSGD(torch.optim.SGD):
    """An optimizer whose step takes its time, and that counts its steps."""

    def __init__(self, model: _SlowModel, seconds: float) -> None:
        super().__init__(model.parameters(), lr=0.1)
        self.seconds, self.device, self.steps = seconds, model.device, 0

    def step(self, closure: Callable | None = None) -> None:
        self.device.work(self.seconds)
        self.steps += 1
        super().step(closure)


@exercise("II.2.a")
def ii_2_a(time_steps: Callable) -> None:
    """Check time_steps(model, loader, optimizer) → seconds of wait, forward and backward."""
    batches, one = 4, {"wait": 0.010, "forward": 0.015, "backward": 0.020}
    device = _Device(time_steps)
    model = _SlowModel(one["forward"], device)
    loader, optimizer = _SlowLoader(batches, one["wait"], device), _SlowSGD(model, one["backward"])
    with device.behind_the_function(), _explained(_ERRORS_IN_A_STEP):
        seconds = call(time_steps, model, loader, optimizer)
    require(
        isinstance(seconds, dict) and set(one) <= set(seconds),
        'return a dict with the keys "wait", "forward" and "backward".',
    )
    found = {part: as_number(seconds[part]) for part in one}
    require(
        optimizer.steps != 1,
        "update the model once for each batch of the loader. (Is the return inside the loop?)",
    )
    require(optimizer.steps == batches, "update the model once for each batch of the loader.")
    _require_training(model, batches)
    require(
        not close(found["wait"], device.start + batches * one["wait"], 1e-3),
        "the first waiting time is counted from 0: take a first reading before the loop.",
    )
    _compare_seconds(found, one, batches)
    if device.asynchronous and device.waits < 2 * batches:
        raise Wrong(_STILL_AT_WORK)
    require(
        not close(found["backward"], 0, 1e-4)
        or (device.asynchronous and device.waits < 3 * batches),  # then the clock was read early
        "the time of the update is missing from its part: the update counts as backward.",
    )
    for part, expected in one.items():
        require(
            close(found[part], batches * expected, 1e-4),
            _STILL_AT_WORK
            if device.asynchronous
            else f"not the time for {part!r}: each part goes from the end of the one before it.",
        )


_STILL_AT_WORK = (
    "a clock was read too early. A GPU is still at work when the line that asked it is done: what "
    "must be called just before *every* reading?"
)


#: pieces of PyTorch's and Python's messages, and the likely mistake behind them
_ERRORS_IN_A_STEP = {
    "Dimension out of range": "The model returns one number for each review, shape [batch]: "
    "there is no second axis to take away.",
    "same as input size": "Logits and targets must both have the shape [batch].",
    "1D target must have size 1": "This loss takes several logits a review; here there is one.",
    "class probabilities": "This loss takes several logits a review; here there is one.",
    "Float can't be cast": "The loss takes targets of the same type as the logits, floats.",
    "but expected Float": "The loss takes targets of the same type as the logits, floats.",
    "cannot access local variable": "Take a first reading before the loop.",
}


_THE_LOSS = "The loss is the binary cross-entropy of logits, as the task says."


def _require_training(model: _SlowModel, batches: int) -> None:
    """Require the weights that `batches` steps from 0 lead to."""
    weight = model.weight
    if not weight.any():
        require(
            not any(model.gradients),
            "the gradients are empty at the step: empty them before the backward pass, not after, "
            "and update after it.",
        )
        require(
            not model.gradients,
            f"the gradient of your loss is zero, so nothing is learned. {_THE_LOSS}",
        )
        raise Wrong("the model's weights have not moved: what comes between the loss and the step?")

    def after(keep: bool) -> float:
        here, gradient = 0.0, 0.0
        for _ in range(batches):
            gradient = gradient * keep - 1 / (1 + np.exp(3 * here))
            here -= 0.1 * gradient
        return here

    require(
        not close(weight[0].item(), after(keep=True), 1e-4),
        "each step uses the gradients of all batches so far: empty them before the backward pass.",
    )
    require(
        close(weight[0].item(), after(keep=False), 1e-4),
        f"the weights have gone another way than {batches} steps lead. {_THE_LOSS}",
    )


def _compare_seconds(found: dict[str, float], one: dict[str, float], batches: int) -> None:
    """Say what is wrong with the seconds found; `one` batch takes these for each part."""
    total, whole = sum(found.values()), batches * sum(one.values())
    require(total < 100 * whole, "those are no seconds. perf_counter() gives seconds.")
    require(
        not all(close(found[part], expected, 1e-4) for part, expected in one.items()),
        "those are the seconds of one batch: add up those of all batches.",
    )
    require(
        total <= whole + 1e-4,
        "the three parts together take longer than the whole run: one of them holds the time of "
        "another as well. Take a new reading after each part.",
    )
    require(
        found["wait"] > 0.5 * batches * one["wait"],
        "the waiting is hardly measured: the loop fetches a batch before its body begins, so the "
        "clock must be read before that.",
    )


@exercise("II.2.b")
def ii_2_b(line: str) -> None:
    """Check which line of the naive Dataset costs most (a letter)."""
    choose(
        line,
        right="d",
        hints={
            "a": "cutting is done by string methods written in C, once for each review.",
            "b": "that is one dictionary look-up for each token, which Python does very fast.",
            "c": "20,001 zeros are 80 kB: a computer writes that in a few microseconds.",
        },
    )


@exercise("II.2.c")
def ii_2_c(to_csr: Callable) -> None:
    """Check to_csr(id_lists) → ids and offsets, int32."""
    with _explained({"expected sequence of length": "The ids must be one flat list."}):
        ids, offsets = _two_tensors(to_csr, [[17, 3, 17, 408], [], [0, 3, 0], [5]])
    require(ids.tolist() != [0, 3, 3, 5, 6], "the two are swapped: first ids, then offsets.")
    require(ids.tolist() != [3, 17, 408, 3, 5], "a code is lost: code 0 counts like any other.")
    require(
        ids.tolist() != [17, 3, 17, 408, 0, 3, 0, 5],
        "a code that occurs twice in a review is kept once: only the distinct codes count.",
    )
    require(
        sorted(ids.tolist()) == [0, 3, 3, 5, 17, 408],
        "the ids must be the distinct codes of each review, review by review; a code may occur "
        "again in another review.",
    )
    require(
        ids.tolist() == [3, 17, 408, 0, 3, 5],
        "within each review the ids must ascend, and the reviews must keep their order.",
    )
    _compare_offsets(offsets.tolist())
    require(
        ids.dtype == offsets.dtype == torch.int32,
        f"both must be int32 (4 bytes a number), got {ids.dtype} and {offsets.dtype}.",
    )
    ids, offsets = _two_tensors(to_csr, [[2, 2]])
    require(
        (ids.tolist(), offsets.tolist()) == ([2], [0, 1]),
        "for a single review, [2, 2], the ids or offsets are wrong.",
    )


def _two_tensors(to_csr: Callable, id_lists: list[list[int]]) -> tuple[torch.Tensor, ...]:
    """Call the reader's function, for two vectors."""
    answer: Any = call(to_csr, id_lists)
    require(
        isinstance(answer, tuple | list)
        and len(answer) == 2
        and all(isinstance(tensor, torch.Tensor) for tensor in answer),
        "return two tensors: ids and offsets.",
    )
    require(
        all(tensor.ndim == 1 for tensor in answer),
        "ids and offsets are flat: one axis each, for all reviews together.",
    )
    return tuple(answer)


def _compare_offsets(offsets: list[int]) -> None:
    """Say what is wrong with the offsets of four reviews with 3, 0, 2 and 1 ids."""
    hints = (
        ([0, 3, 5, 6], "an empty review needs an offset as well: it starts where it ends."),
        (
            [0, 4, 4, 7, 8],
            "the offsets count every code, but the ids hold the distinct ones only.",
        ),
        ([3, 3, 5, 6], "the first review begins somewhere, too: its beginning is missing."),
        ([3, 0, 2, 1], "those are the lengths of the reviews. An offset says where one begins."),
        ([0, 3, 0, 2, 1], "those are the lengths of the reviews. An offset says where one begins."),
    )
    for wrong, hint in hints:
        require(offsets != wrong, hint)
    require(
        len(offsets) == 5,
        "offsets must be one longer than the number of reviews, so that the last one has an end, "
        "too.",
    )
    require(
        offsets == [0, 3, 3, 5, 6],
        "offsets[i] is the number of ids before review i, beginning with 0.",
    )


@exercise("II.2.d")
def ii_2_d(first_layer_sum: Callable) -> None:
    """Check first_layer_sum(weight, ids) → sum of the selected rows, [hidden]."""
    weight = torch.tensor([[1.0, 8], [2, 16], [4, 32], [64, 128], [256, 512]])  # [vocab, hidden]
    with _explained({"out of bounds": "The ids select rows of `weight`, [vocab, hidden]."}):
        sums = _one_vector(first_layer_sum, weight, [0, 2, 3])
    hints = (
        (weight.sum(0), "those are all rows of `weight`: only those of the review's tokens count."),
        (weight[[0, 2, 3]].mean(0), "that is the mean of the rows: the product adds them up."),
        (weight[[0, 2, 3]].max(0).values, "that is the largest of each column: add them up."),
        (weight[[2, 3]].sum(0), "a row is lost: the unknown place, 0, counts like any other."),
        (weight[:3].sum(0), "those are the first rows of `weight`, not those that the ids select."),
    )
    for wrong, hint in hints:
        require(not torch.allclose(sums, wrong), hint)
    require(
        torch.allclose(sums, weight[[0, 2, 3]].sum(0)),
        "select the review's rows of `weight`, and add them up.",
    )
    require(
        torch.allclose(_one_vector(first_layer_sum, weight, [4]), weight[4]),
        "for a review with a single token, the result must be the row of this token.",
    )
    require(
        not _one_vector(first_layer_sum, weight, []).any(),
        "for a review without any tokens, the sum is zero.",
    )


def _one_vector(first_layer_sum: Callable, weight: torch.Tensor, ids: list[int]) -> torch.Tensor:
    """Call the reader's function on copies, for one vector of 2 hidden units."""
    answer = call(first_layer_sum, weight.clone(), torch.tensor(ids, dtype=torch.int32))
    shape = list(answer.shape) if isinstance(answer, torch.Tensor) else type(answer).__name__
    require(
        shape != [len(ids)] or len(ids) == weight.shape[1],
        "that is a sum for each token: add up over the tokens, not over the hidden units.",
    )
    require(
        shape == [weight.shape[1]],
        f"return a tensor of the shape [hidden], here [2], for {len(ids)} tokens; this is {shape}.",
    )
    return answer.float()
