"""Answers to notebook 06 in unusual forms; the usual ones come with the exercises themselves."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import training
from tests.lessons.tables import Trap


def count_one_by_one(loader: Iterable) -> Tensor:
    count = torch.tensor(0)
    for _, targets in loader:
        count += targets.numel()
    return count


def by_class(logits: Tensor) -> Tensor:
    if logits.dim() == 2:
        return torch.stack([torch.max(row, 0).indices for row in logits])
    return torch.where(logits > 0, 1, 0)


@torch.inference_mode()
def in_tensors(model: nn.Module, loader: Iterable) -> list[Tensor]:
    """Keep everything in tensors on the device."""
    device = training.pick_device()
    loss, hits, samples = torch.zeros(3, device=device)
    for inputs, targets in loader:
        logits = model.eval()(inputs.to(device))
        targets = targets.to(device)
        loss += F.binary_cross_entropy_with_logits(logits, targets.float(), reduction="sum")
        hits += (training.predicted_classes(logits) == targets).sum()
        samples += len(targets)
    loss /= samples
    return [loss, loss.exp(), hits / samples]


def by_helpers(model: nn.Module, loader: Iterable) -> tuple[float, float, float]:
    found = training.evaluate(model, loader)
    return found.loss, found.perplexity, found.accuracy


def switch_in_a_line(model: nn.Module, loader: Iterable) -> tuple[float, float, float]:
    torch.no_grad()
    for inputs, _ in loader:
        model.eval()(inputs)
    return by_helpers(model, loader)


@dataclass
class Evaluation:
    """The notebook's own record, which is not that of helpers."""

    loss: float
    accuracy: float


def train_and_watch(
    model: nn.Module, train: Any, validation: Any, optimizer: Any, num_epochs: int
) -> tuple[list, ...]:
    def evaluate(loader: Any) -> Evaluation:
        found = training.evaluate(model, loader)
        return Evaluation(found.loss, found.accuracy)

    rows = []
    for _ in range(num_epochs):
        training.train_epoch(model, train, optimizer)
        rows.append([evaluate(train), evaluate(validation)])
    return tuple(rows)


def with_numpy(losses: list[float], patience: int) -> list[np.integer]:
    losses = np.array(losses)
    for epoch in range(len(losses)):
        best = np.argmin(losses[: epoch + 1])
        if epoch - best == patience:
            break
    return [np.int64(epoch), best]


def returning_inside_only(losses: list[float], patience: int) -> tuple[int, int] | None:
    last, best = with_numpy(losses, patience)
    return (last, best) if last - best >= patience else None


RIGHT = {
    "vi_1_a": [
        (count_one_by_one,),
        (lambda loader: np.sum([len(targets) for _, targets in loader]),),
        (lambda loader: len(torch.cat([targets for _, targets in loader])),),
    ],
    "vi_1_b": [("d",), ("D ",), ("(d)",)],
    "vi_1_c": [
        (by_class,),
        (lambda z: (z > 0) * 1 if z.ndim == 1 else z.sort(-1).indices[:, -1],),
        (lambda z: training.predicted_classes(z.to(training.pick_device())),),
    ],
    "vi_2_a": [
        (lambda p: 2 ** -p.log2().mean().item(),),
        (lambda p: np.exp(-np.log(p.numpy()).mean()),),
        (lambda p: (1 / p).prod() ** (1 / len(p)),),
        (lambda p: F.binary_cross_entropy(p, torch.ones_like(p)).exp(),),
    ],
    "vi_2_b": [
        (lambda n: n,),
        (lambda n: math.exp(nn.CrossEntropyLoss()(torch.zeros(1, n), torch.tensor([0]))),),
        (lambda n: F.cross_entropy(torch.ones(5, n), torch.zeros(5, dtype=torch.int64)).exp(),),
        (lambda n: F.cross_entropy(torch.zeros(n), torch.tensor(0)).exp(),),
    ],
    "vi_2_c": [(1,), (np.exp(0),), (torch.ones(1),), (math.exp(4.5e-7),)],
    "vi_3_a": [(in_tensors,), (by_helpers,)],
    "vi_3_b": [(train_and_watch,)],
    "vi_4_a": [("a",), (" A",), ("a)",)],
    "vi_4_b": [(with_numpy,)],
}

TRAPS = [
    Trap("vi_1_a", (lambda loader: 128 * len(loader),), "need not be full"),
    Trap("vi_1_a", (lambda loader: sum(x.shape[0] for x, _ in loader),), "Bags"),
    Trap("vi_1_a", (lambda loader: [len(y) for _, y in loader],), "single number"),
    Trap("vi_1_b", ("x",), "one letter"),
    Trap("vi_1_b", ("b",), "optimizer.step()"),
    Trap("vi_1_c", (lambda z: z.argmax(dim=1),), "no second axis"),
    Trap("vi_1_c", (lambda z: z[:, 1] > z[:, 0],), "no second axis"),
    Trap("vi_1_c", (lambda z: (z > 0.5).long(),), "compare the *logits* with 0.5"),
    Trap("vi_2_a", (lambda p: math.exp(-p.log()),), "where is the mean"),
    Trap("vi_2_a", (lambda p: np.exp(-p.log().numpy()),), "where is the mean"),
    Trap("vi_2_a", (lambda p: "two",), "a single number"),
    Trap("vi_2_b", (lambda n: F.cross_entropy(torch.zeros(n), torch.tensor([0])).exp(),), "[1, "),
    Trap("vi_2_b", (lambda n: F.cross_entropy(torch.zeros(n, 1), torch.tensor([0])),), "[1, "),
    Trap("vi_3_a", (switch_in_a_line,), "decorator"),
    Trap("vi_3_a", (training.evaluate,), "Three numbers"),
    Trap("vi_3_a", (lambda *world: by_helpers(*world)[:2],), "Three numbers"),
    Trap("vi_4_a", ("all negative",), "one letter"),
    Trap("vi_4_b", (lambda losses, patience: (7, 4),), "count from 0"),
    Trap("vi_4_b", (lambda losses, _: (6, losses.index(min(losses))),), "the future"),
    Trap("vi_4_b", (returning_inside_only,), "without `return`"),
]
