"""What readers answer in notebook 03 · The DataLoader."""

import itertools
import math
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from helpers.training import pick_device
from tests.lessons.tables import Trap


def num_batches(num_samples: int, batch_size: int) -> int:
    return -(-num_samples // batch_size)


def last_batch_size(num_samples: int, batch_size: int) -> int:
    return num_samples % batch_size or batch_size


def last_batch_by_subtraction(num_samples: int, batch_size: int) -> int:
    return num_samples - (num_batches(num_samples, batch_size) - 1) * batch_size


def shares(of: Callable = lambda labels: labels.float().mean().item()) -> Callable:
    """Make an answer to III.2.c: some number of the labels of each batch."""
    return lambda loader: [of(labels) for _, labels in loader]


def first_batch_by_loop(loader: Iterable) -> tuple:
    for inputs, labels in loader:
        return inputs, labels
    raise ValueError("The loader is empty.")


def epoch_loss(losses: np.ndarray, sizes: np.ndarray) -> float:
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)


def epoch_loss_by_torch(losses: np.ndarray, sizes: np.ndarray) -> Tensor:
    losses, sizes = torch.tensor(losses), torch.tensor(sizes)
    return (losses * sizes).sum() / sizes.sum()


RIGHT = {
    "iii_1_a": [("bd",), ("db",), ("B, D",), ({"b", "d"},), (["d", "b"],), (("b", "d"),)],
    "iii_1_b": [("d",), (" D ",)],
    "iii_1_c": [("a",)],
    "iii_2_a": [
        (num_batches,),
        (lambda n, b: math.ceil(n / b),),
        (lambda n, b: np.ceil(n / b),),
        (lambda n, b: torch.tensor(n / b).ceil(),),
        (lambda n, b: (n + b - 1) // b,),
        (lambda n, b: n // b + (n % b > 0),),
        (lambda n, b: len(range(0, n, b)),),
    ],
    "iii_2_b": [
        (last_batch_size,),
        (lambda n, b: (n - 1) % b + 1,),
        (last_batch_by_subtraction,),
        (lambda n, b: np.int64(last_batch_size(n, b)),),
        (lambda n, b: torch.arange(n).split(b)[-1].numel(),),
    ],
    "iii_2_c": [
        (shares(),),
        (shares(lambda labels: labels.sum() / len(labels)),),
        (shares(lambda labels: labels.mean(dtype=torch.float32).to(pick_device())),),
        (shares(lambda labels: labels.numpy().mean()),),
        (shares(lambda labels: sum(label == 1 for label in labels.tolist()) / len(labels)),),
        (shares(lambda labels: labels[:, None].double().mean(dim=0)),),
    ],
    "iii_2_d": [
        (lambda loader: next(iter(loader)),),
        (lambda loader: next(batch for batch in loader),),
        (lambda loader: list(next(iter(loader))),),
        (lambda loader: next(itertools.islice(loader, 1)),),
        (lambda loader: [part.to(pick_device()) for part in next(iter(loader))],),
        (first_batch_by_loop,),
    ],
    "iii_3_a": [
        (lambda output: output.squeeze(1),),
        (lambda output: output.squeeze(-1),),
        (lambda output: torch.squeeze(output, dim=1),),
        (lambda output: output[:, 0],),
        (lambda output: output.flatten(),),
        (lambda output: output.view(-1),),
        (lambda output: output.reshape(len(output)),),
        (lambda output: output.T[0],),
        (lambda output: output.sum(dim=1),),
        (lambda output: output.to(pick_device()).squeeze(1),),
    ],
    "iii_3_b": [
        (epoch_loss,),
        (epoch_loss_by_torch,),
        (lambda losses, sizes: np.average(losses, weights=sizes),),
        (lambda losses, sizes: losses @ sizes / sizes.sum(),),
    ],
    "iii_3_c": [("c",)],
}

SECRETS = {
    "iii_1_a": ("in memory", "many updates", "bd"),
    "iii_1_b": ("accident", "d is"),
    "iii_1_c": ("changes no weight", "is a sum"),
    "iii_2_a": ("196", "ceil", "-(-", "+ 1"),
    "iii_2_b": (" 40", "%"),
    "iii_2_c": (".float()", ".mean()", "for _, labels"),
    "iii_2_d": ("next(", "iter("),
    "iii_3_a": ("squeeze", "[:, 0]", "flatten", "axis 1"),
    "iii_3_b": ("1.4", "average(", "loss * size", "times its size"),
    "iii_3_c": ("30", "updates"),
}

TRAPS = [
    Trap("iii_1_a", ("ab",), "more exact"),
    Trap("iii_1_a", ("c",), "each review once"),
    Trap("iii_1_a", ("bde",), "shuffled before"),
    Trap("iii_1_a", ("abcde",), "more exact"),
    Trap("iii_1_a", ("d",), "2 answers are asked for"),
    Trap("iii_1_a", ("xy",), "answer with letters"),
    Trap("iii_1_a", ("",), "answer with letters"),
    Trap("iii_1_a", (7,), "answer with letters"),
    Trap("iii_1_a", (True,), "answer with letters"),
    Trap("iii_1_a", (torch.tensor(1),), "answer with letters"),
    Trap("iii_1_b", ("a",), "the same 20,000"),
    Trap("iii_1_b", ("b",), "shuffle once"),
    Trap("iii_1_b", ("c",), "where in the file"),
    Trap("iii_1_b", ("bd",), "one letter"),
    Trap("iii_1_c", ("b",), "as sorted as"),
    Trap("iii_1_c", ("c",), "dropout"),
    Trap("iii_1_c", ("d",), "90 % positive"),
    Trap("iii_1_c", (1,), "one letter"),
    Trap("iii_2_a", (lambda n, b: n // b,), "full batches"),
    Trap("iii_2_a", (lambda n, b: round(n / b),), "full batches"),
    Trap("iii_2_a", (lambda n, b: n / b,), "no fractions"),
    Trap("iii_2_a", (lambda n, b: b,), "size of a batch"),
    Trap("iii_2_a", (lambda n, b: n,), "all 25,000 are seen"),
    Trap("iii_2_a", (lambda n, b: n // b + 1,), "no third"),
    Trap(
        "iii_2_a", (lambda n, b: num_batches(25_000, 128) if n == 25_000 else 2,), "for 1 samples"
    ),
    Trap("iii_2_a", (lambda n, b: max(1, num_batches(n, b)),), "for 0 samples"),
    Trap("iii_2_a", (lambda n, b: str(num_batches(n, b)) + " batches",), "single number"),
    Trap("iii_2_b", (lambda n, b: n % b,), "not empty"),
    Trap("iii_2_b", (lambda n, b: b,), "full only if"),
    Trap("iii_2_b", (lambda n, b: b - n % b,), "missing"),
    Trap("iii_2_b", (lambda n, b: n // b,), "number of batches"),
    Trap("iii_2_b", (num_batches,), "number of batches"),
    Trap("iii_2_b", (lambda n, b: n / b % 1,), "How many are left"),
    Trap("iii_2_b", (lambda n, b: 40 if n % 128 else b,), "for 1 samples"),
    Trap("iii_2_c", (shares(lambda y: y.sum().item()),), "numbers"),
    Trap("iii_2_c", (shares(lambda y: y.sum().item() / 4),), "this* batch"),
    Trap("iii_2_c", (shares(lambda y: y.sum().item() / 128),), "this* batch"),
    Trap("iii_2_c", (shares(lambda y: 100 * y.float().mean().item()),), "between 0 and 1"),
    Trap("iii_2_c", (shares(lambda y: 1 - y.float().mean().item()),), "negatives"),
    Trap("iii_2_c", (shares(lambda y: y.float().std(correction=0)),), "batch by batch"),
    Trap("iii_2_c", (lambda loader: [x.mean() for x, _ in loader],), "second part"),
    Trap("iii_2_c", (lambda loader: [y.float().mean() for _, y in loader][:-1],), "last, smaller"),
    Trap("iii_2_c", (lambda loader: np.mean(shares()(loader)),), "return a list"),
    Trap("iii_2_c", (lambda loader: (y.float().mean() for _, y in loader),), "return a list"),
    Trap("iii_2_c", (shares(lambda y: y),), "single number"),
    Trap("iii_2_c", (shares(lambda y: y.mean()),), "stopped with RuntimeError"),
    Trap("iii_2_d", (lambda loader: next(loader),), "not an iterator"),
    Trap("iii_2_d", (lambda loader: loader[0],), "no index"),
    Trap("iii_2_d", (lambda loader: loader.dataset[0],), "no index"),
    Trap("iii_2_d", (lambda loader: list(loader)[0],), "3 were built"),  # noqa: RUF015
    Trap("iii_2_d", (lambda loader: list(loader)[-1],), "later batch"),
    Trap("iii_2_d", (list,), "both parts"),
    Trap("iii_2_d", (iter,), "both parts"),
    Trap("iii_2_d", (lambda loader: list(loader)[:2],), "return one batch"),
    Trap("iii_2_d", (lambda loader: next(iter(loader))[0],), "both parts"),
    Trap("iii_2_d", (lambda loader: next(iter(loader))[::-1],), "swapped"),
    Trap("iii_2_d", (lambda loader: [part[0] for part in next(iter(loader))],), "whole batch"),
    Trap("iii_3_a", (lambda output: output.squeeze(),), "batch of one, no axis"),
    Trap("iii_3_a", (lambda output: output.squeeze(0),), "still there"),
    Trap("iii_3_a", (lambda output: output,), "still there"),
    Trap("iii_3_a", (lambda output: output[:, :1],), "still there"),
    Trap("iii_3_a", (lambda output: output[0],), "or other values"),
    Trap("iii_3_a", (lambda output: output.tolist(),), "return a tensor"),
    Trap("iii_3_a", (lambda output: output.detach().numpy()[:, 0],), "return a tensor"),
    Trap("iii_3_a", (lambda output: output.detach().squeeze(1),), "cut off from the graph"),
    Trap("iii_3_a", (lambda output: output.data.squeeze(1),), "cut off from the graph"),
    Trap("iii_3_b", (lambda losses, sizes: losses[-1],), "last batch"),
    Trap("iii_3_b", (lambda losses, sizes: np.mean(losses),), "mean over *batches*"),
    Trap("iii_3_b", (lambda losses, sizes: np.dot(losses, sizes),), "that is a sum"),
    Trap("iii_3_b", (lambda losses, sizes: sum(losses),), "that is a sum"),
    Trap("iii_3_b", (lambda losses, sizes: np.dot(losses, sizes) / 3,), "number of batches"),
    Trap("iii_3_b", (lambda losses, sizes: sum(losses) / sum(sizes),), "mean already"),
    Trap("iii_3_b", (lambda losses, sizes: np.median(losses),), "mean per sample"),
    Trap("iii_3_b", (lambda losses, sizes: losses * sizes,), "single number"),
    Trap("iii_3_b", (lambda losses, sizes: 1.4,), "single batch"),
    Trap("iii_3_c", ("a",), "*low* training loss"),
    Trap("iii_3_c", ("b",), "better it points"),
    Trap("iii_3_c", ("d",), "every review"),
    Trap("iii_3_c", ("few updates",), "one letter"),
]
