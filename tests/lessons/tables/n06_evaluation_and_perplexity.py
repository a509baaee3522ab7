"""Notebook 06: answers and mistakes."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import training
from tests.lessons.tables import Trap


def count_samples(loader: Any) -> int:
    return sum(len(targets) for _, targets in loader)


def count_one_by_one(loader: Any) -> Tensor:
    count = torch.tensor(0)
    for _, targets in loader:
        count += targets.numel()
    return count


def predicted_classes(logits: Tensor) -> Tensor:
    return training.predicted_classes(logits)


def by_class(logits: Tensor) -> Tensor:
    if logits.dim() == 2:
        return torch.max(logits, 1).indices
    return torch.where(logits > 0, 1, 0)


def perplexity(truth: Tensor) -> float:
    return math.exp(-truth.log().mean())


def evaluate_model(
    model: nn.Module,
    loader: Any,
    mean: Callable = lambda losses, sizes: np.average(losses, weights=sizes),
    ppl: Callable = lambda losses, sizes: math.exp(np.average(losses, weights=sizes)),
    hits: Callable = lambda right, sizes: sum(right) / sum(sizes),
    threshold: float = 0.0,
) -> tuple[float, float, float]:
    """Evaluate, with a place for every mistake."""
    model.eval()
    losses, right, sizes = [], [], []
    with torch.no_grad():
        for inputs, targets in loader:
            logits = model(inputs)
            losses.append(training.classification_loss(logits, targets).item())
            right.append(int(((logits > threshold) == targets).sum()))
            sizes.append(len(targets))
    return mean(losses, sizes), ppl(losses, sizes), hits(right, sizes)


def with_ways(**ways: Any) -> Callable:
    return lambda model, loader: evaluate_model(model, loader, **ways)


@torch.inference_mode()
def in_tensors(model: nn.Module, loader: Any) -> list[Tensor]:
    """Keep everything in tensors on the device."""
    device = training.pick_device()
    loss, hits, samples = torch.zeros(3, device=device)
    for inputs, targets in loader:
        logits = model.eval()(inputs.to(device))
        targets = targets.to(device)
        loss += F.binary_cross_entropy_with_logits(logits, targets.float(), reduction="sum")
        hits += (predicted_classes(logits) == targets).sum()
        samples += len(targets)
    loss /= samples
    return [loss, loss.exp(), hits / samples]


def sized(size: Callable) -> Callable:
    """Evaluate with `size(inputs)` for the size of a batch."""

    def evaluate(model: nn.Module, loader: Any) -> tuple[float, float, float]:
        pairs = list(loader)
        sizes = [size(inputs) for inputs, _ in pairs]
        return evaluate_model(model, pairs, **ways_of_sizes(sizes))

    return evaluate


def ways_of_sizes(sizes: list[int]) -> dict[str, Callable]:
    return {
        "mean": lambda losses, _: np.dot(losses, sizes) / sum(sizes),
        "ppl": lambda losses, _: math.exp(np.dot(losses, sizes) / sum(sizes)),
        "hits": lambda right, _: sum(right) / sum(sizes),
    }


def by_data_set(model: nn.Module, loader: Any) -> tuple[float, float, float]:
    count = len(loader.dataset)
    return evaluate_model(
        model,
        loader,
        mean=lambda losses, sizes: np.dot(losses, sizes) / count,
        ppl=lambda losses, sizes: math.exp(np.dot(losses, sizes) / count),
        hits=lambda right, _: sum(right) / count,
    )


def switch_in_a_line(model: nn.Module, loader: Any) -> tuple[float, float, float]:
    torch.no_grad()
    return with_graph(model, loader)


@torch.no_grad()
def largest_place(model: nn.Module, loader: Any) -> tuple[float, float, float]:
    loss, ppl, _ = evaluate_model(model, loader)
    pairs = [(model(inputs).argmax(-1) == targets, targets) for inputs, targets in loader]
    return loss, ppl, sum(int(hit.sum()) for hit, _ in pairs) / sum(len(y) for _, y in pairs)


def in_training_mode(model: nn.Module, loader: Any) -> tuple[float, float, float]:
    with torch.no_grad():
        for inputs, _ in loader:
            model(inputs)
    return evaluate_model(model, loader)


def with_graph(model: nn.Module, loader: Any) -> tuple[float, float, float]:
    model.eval()
    for inputs, _ in loader:
        model(inputs)
    return evaluate_model(model, loader)


def of_samples(model: nn.Module, loader: Any) -> tuple[float, float, float]:
    loss, _, accuracy = evaluate_model(model, loader)
    every = [
        F.binary_cross_entropy_with_logits(x, y.float(), reduction="none").exp() for x, y in loader
    ]
    return loss, torch.cat(every).mean().item(), accuracy


def train_and_watch(
    model: nn.Module,
    train_loader: Any,
    validation_loader: Any,
    optimizer: Any,
    num_epochs: int,
    learn_from: str = "train",
    look_first: bool = False,
    look: Callable = training.evaluate,
) -> list:
    learned = {
        "train": train_loader,
        "validation": validation_loader,
        "both": [*train_loader, *validation_loader],
        "nothing": [],
    }[learn_from]
    watched = []
    for _ in range(num_epochs):
        if learned and not look_first:
            training.train_epoch(model, learned, optimizer)
        watched.append((look(model, train_loader), look(model, validation_loader)))
        if look_first:
            training.train_epoch(model, learned, optimizer)
    return watched


@dataclass
class Evaluation:
    """The notebook's own record, which is not that of helpers."""

    loss: float
    accuracy: float


def evaluate(model: nn.Module, loader: Any) -> Evaluation:
    found = training.evaluate(model, loader)
    return Evaluation(found.loss, found.accuracy)


def watching(**ways: Any) -> Callable:
    return lambda *arguments: train_and_watch(*arguments, **ways)


def only_at_the_end(*arguments: Any) -> list:
    return [train_and_watch(*arguments)[-1]] * 3


def running_loss(model, train_loader, validation_loader, optimizer, num_epochs):
    return [
        (
            training.train_epoch(model, train_loader, optimizer),
            training.evaluate(model, validation_loader),
        )
        for _ in range(num_epochs)
    ]


def when_to_stop(losses: list[float], patience: int) -> tuple[int, int]:
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return epoch, best


def with_numpy(losses: list[float], patience: int) -> list[np.integer]:
    losses = np.array(losses)
    for epoch in range(len(losses)):
        best = np.argmin(losses[: epoch + 1])
        if epoch - best == patience:
            break
    return [np.int64(epoch), best]


def last_weights(losses: list[float], patience: int) -> tuple[int, int]:
    return (when_to_stop(losses, patience)[0],) * 2


def with_ties(losses: list[float], patience: int) -> tuple[int, int]:
    return when_to_stop([loss - 1e-9 * epoch for epoch, loss in enumerate(losses)], patience)


def needs_patience(losses: list[float], patience: int) -> tuple[int, int]:
    last, best = when_to_stop(losses, patience)
    return (last, best) if last - best >= patience else (last, last)


def consecutive_rises(losses: list[float], patience: int) -> tuple[int, int]:
    """Keep the best epoch, but start the count again whenever the loss falls."""
    best = rises = 0
    for epoch, loss in enumerate(losses):
        best = epoch if loss < losses[best] else best
        rises = rises + 1 if epoch and loss >= losses[epoch - 1] else 0
        if rises == patience:
            break
    return epoch, best


def returning_inside_only(losses: list[float], patience: int) -> tuple[int, int] | None:
    last, best = when_to_stop(losses, patience)
    return (last, best) if last - best >= patience else None


def stopping_at_length(losses: list[float], patience: int) -> tuple[int, int]:
    last, best = when_to_stop(losses, patience)
    return (last, best) if last - best >= patience else (len(losses), best)


def counting(losses: list[float], patience: int, reset: bool = True) -> tuple[int, int]:
    """Count failures: against the previous epoch, or never starting again."""
    best = failures = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[epoch - 1 if reset and epoch else best]:
            best, failures = epoch, 0 if reset else failures
        elif epoch:
            failures += 1
            if failures == patience:
                break
    return epoch, best


RIGHT = {
    "vi_1_a": [
        (count_samples,),
        (count_one_by_one,),
        (lambda loader: np.sum([len(targets) for _, targets in loader]),),
    ],
    "vi_1_b": [("d",), ("D ",)],
    "vi_1_c": [
        (predicted_classes,),
        (by_class,),
        (lambda z: (z > 0) * 1 if z.ndim == 1 else z.sort(-1).indices[:, -1],),
        (lambda z: training.predicted_classes(z.to(training.pick_device())),),
    ],
    "vi_2_a": [
        (perplexity,),
        (lambda p: torch.exp(-torch.log(p).mean()),),
        (lambda p: 2 ** -p.log2().mean().item(),),
        (lambda p: np.exp(-np.log(p.numpy()).mean()),),
        (lambda p: (1 / p).prod() ** (1 / len(p)),),
        (lambda p: F.binary_cross_entropy(p, torch.ones_like(p)).exp(),),
    ],
    "vi_2_b": [
        (lambda n: n,),
        (float,),
        (lambda n: math.exp(nn.CrossEntropyLoss()(torch.zeros(1, n), torch.tensor([0]))),),
        (lambda n: F.cross_entropy(torch.ones(5, n), torch.zeros(5, dtype=torch.int64)).exp(),),
        (lambda n: F.cross_entropy(torch.zeros(n), torch.tensor(0)).exp(),),
    ],
    "vi_2_c": [(1,), (1.0,), (np.exp(0),), (torch.ones(1),), (math.exp(4.5e-7),)],
    "vi_3_a": [(evaluate_model,), (in_tensors,)],
    "vi_3_b": [
        (train_and_watch,),
        (watching(look=evaluate),),
        (lambda *a: tuple(list(row) for row in train_and_watch(*a)),),
    ],
    "vi_4_a": [("a",), (" A",)],
    "vi_4_b": [(when_to_stop,), (with_numpy,)],
    "vi_6_a": [("c",), ("C ",)],
}

TRAPS = [
    Trap("vi_1_a", (len,), "number of batches"),
    Trap("vi_1_a", (lambda loader: 4 * len(loader),), "need not be full"),
    Trap("vi_1_a", (lambda loader: sum(len(batch) for batch in loader),), "always 2"),
    Trap("vi_1_a", (lambda loader: len(loader.dataset),), "really arrives"),
    Trap("vi_1_a", (lambda loader: sum(x.numel() for x, _ in loader),), "every number"),
    Trap("vi_1_a", (lambda loader: sum(len(y) for _, y in list(loader)[:2]),), "last batch is"),
    Trap("vi_1_a", (lambda loader: sum(len(x) for x, _ in loader),), "they are Bags"),
    Trap("vi_1_a", (lambda loader: sum(x.shape[0] for x, _ in loader),), "the targets are"),
    Trap("vi_1_a", (lambda loader: len(torch.cat([y for _, y in loader])),), "no batch at all"),
    Trap("vi_1_a", (lambda loader: sum(len(y) for _, y in loader) or 1,), "0 samples"),
    Trap("vi_1_a", (lambda loader: [len(y) for _, y in loader],), "single number"),
    Trap("vi_1_a", (lambda loader: sum(y.sum() for _, y in loader),), "visits 10, not 0"),
    Trap("vi_1_b", ("a",), "no_grad in both modes"),
    Trap("vi_1_b", ("b",), "optimizer.step()"),
    Trap("vi_1_b", ("c",), "*other* switch"),
    Trap("vi_1_b", ("x",), "one letter"),
    Trap("vi_1_b", (4,), "one letter"),
    Trap("vi_1_c", (lambda z: (z < 0).long() if z.ndim == 1 else z.argmax(1),), "swapped"),
    Trap("vi_1_c", (lambda z: (z > 0.5).long(),), "compare the *logits* with 0.5"),
    Trap("vi_1_c", (lambda z: (z / z.max() > 0.5).long(),), "divide by the largest"),
    Trap("vi_1_c", (lambda z: (z > 2).long(),), "which of the two"),
    Trap("vi_1_c", (torch.round,), "only 0 and 1"),
    Trap("vi_1_c", (torch.sign,), "only 0 and 1"),
    Trap("vi_1_c", (lambda z: (z > 0).long() if z.ndim == 1 else z.max(1),), "values and indices"),
    Trap(
        "vi_1_c",
        (lambda z: (z > 0).long() if z.ndim == 1 else z.max(1).values,),
        "where they stand",
    ),
    Trap(
        "vi_1_c",
        (lambda z: (z > 0).long() if z.ndim == 1 else z.argmax(1, keepdim=True),),
        "[batch] is wanted",
    ),
    Trap(
        "vi_1_c",
        (lambda z: (z > 0).long() if z.ndim == 1 else z.softmax(1).argmax(1),),
        "no softmax",
    ),
    Trap(
        "vi_1_c",
        (lambda z: (z > 0).long() if z.ndim == 1 else z.log_softmax(1).argmax(1),),
        "no softmax",
    ),
    Trap("vi_1_c", (lambda z: (torch.sigmoid(z) > 0.5).long(),), "rounded to exactly 0.5"),
    Trap("vi_1_c", (lambda z: z > 0 if z.ndim == 1 else z.argmax(1),), "int64"),
    Trap("vi_1_c", (lambda z: (z > 0).float(),), "int64"),
    Trap("vi_1_c", (lambda z: (z > 0).long(),), "which logit wins"),
    Trap("vi_1_c", (lambda z: z.argmax(dim=1),), "no second axis"),
    Trap("vi_1_c", (lambda z: z.argmax(dim=-1),), "one class a sample"),
    Trap("vi_1_c", (lambda z: (z > 0).long() if z.ndim == 1 else z.argmax(0),), "along which"),
    Trap(
        "vi_1_c",
        (lambda z: (z > 0).long() if z.ndim == 1 else z.argmax(1).squeeze(),),
        "batch of one",
    ),
    Trap("vi_1_c", (lambda z: (z > 0).tolist(),), "tensor"),
    Trap("vi_2_a", (lambda p: math.exp(p.log().mean()),), "minus sign lost"),
    Trap("vi_2_a", (lambda p: 0.5,), "minus sign lost"),
    Trap("vi_2_a", (lambda p: -p.log().mean(),), "cross-entropy"),
    Trap("vi_2_a", (lambda p: 2 ** -p.log().mean(),), "same base"),
    Trap("vi_2_a", (lambda p: (-p.log2().mean()).exp(),), "same base"),
    Trap("vi_2_a", (lambda p: (-p.log10().mean()).exp(),), "same base"),
    Trap("vi_2_a", (lambda p: math.exp(-p.log().sum()),), "sum stands"),
    Trap("vi_2_a", (lambda p: (1 / p).mean(),), "mean of 1/p"),
    Trap("vi_2_a", (lambda p: 1 / p.mean(),), "1 over the mean"),
    Trap("vi_2_a", (lambda p: math.exp(-(1 - p).log().mean()),), "*right* classes"),
    Trap("vi_2_a", (lambda p: p.log().mean(),), "impossible"),
    Trap("vi_2_a", (lambda p: (-p.log()).exp(),), "where is the mean"),
    Trap("vi_2_a", (lambda p: math.exp(-p.log()),), "where is the mean"),
    Trap("vi_2_a", (lambda p: np.exp(-p.log().numpy()),), "where is the mean"),
    Trap("vi_2_a", (lambda p: "two",), "single number"),
    Trap("vi_2_a", (lambda p: p.log().reshape(3).mean(),), "invalid for input of size 4"),
    Trap(
        "vi_2_a",
        (lambda p: F.binary_cross_entropy_with_logits(p, torch.ones_like(p)).exp(),),
        "probabilities, not logits",
    ),
    Trap("vi_2_b", (lambda n: 1 / n,), "guessing right"),
    Trap("vi_2_b", (math.log,), "cross-entropy"),
    Trap("vi_2_b", (lambda n: 2 ** math.log(n),), "mixes bases"),
    Trap("vi_2_b", (lambda n: 2.0,), "4 classes"),
    Trap("vi_2_b", (lambda n: torch.ones(n),), "single number"),
    Trap(
        "vi_2_b",
        (lambda n: F.cross_entropy(torch.zeros(n), torch.tensor([0])).exp(),),
        "[1, num_classes]",
    ),
    Trap(
        "vi_2_b",
        (lambda n: F.cross_entropy(torch.zeros(n, 1), torch.tensor([0])).exp(),),
        "[1, num_classes]",
    ),
    Trap("vi_2_c", (0,), "its loss"),
    Trap("vi_2_c", (math.inf,), "most answers"),
    Trap("vi_2_c", (0.5,), "impossible"),
    Trap("vi_2_c", (2,), "who knows"),
    Trap("vi_2_c", ("one",), "single number"),
    Trap(
        "vi_3_a",
        (in_training_mode,),
        "training mode: which of the two switches is missing, or comes",
    ),
    Trap("vi_3_a", (with_graph,), "graph"),
    Trap("vi_3_a", (switch_in_a_line,), "decorator"),
    Trap("vi_3_a", (sized(len),), "they are Bags"),
    Trap("vi_3_a", (sized(lambda inputs: inputs.shape[0]),), "they are Bags"),
    Trap("vi_3_a", (by_data_set,), "really arrives"),
    Trap("vi_3_a", (largest_place,), "rule of VI.1.c"),
    Trap("vi_3_a", (with_ways(mean=lambda losses, sizes: losses[-1]),), "loss of the last batch"),
    Trap("vi_3_a", (with_ways(mean=lambda losses, sizes: np.mean(losses)),), "over *batches*"),
    Trap("vi_3_a", (with_ways(mean=np.dot),), "sum over all"),
    Trap(
        "vi_3_a", (with_ways(mean=lambda losses, sizes: sum(losses) / sum(sizes)),), "mean already"
    ),
    Trap("vi_3_a", (with_ways(ppl=lambda losses, sizes: np.exp(losses).mean()),), "exp comes last"),
    Trap(
        "vi_3_a",
        (with_ways(ppl=lambda losses, sizes: np.average(np.exp(losses), weights=sizes)),),
        "exp comes last",
    ),
    Trap("vi_3_a", (of_samples,), "samples' perplexities"),
    Trap(
        "vi_3_a",
        (with_ways(ppl=lambda losses, sizes: math.exp(losses[-1])),),
        "perplexity of the last",
    ),
    Trap(
        "vi_3_a",
        (with_ways(ppl=lambda losses, sizes: math.exp(-np.average(losses, weights=sizes))),),
        "minus sign lost",
    ),
    Trap(
        "vi_3_a",
        (with_ways(ppl=lambda losses, sizes: 2 ** np.average(losses, weights=sizes)),),
        "exp",
    ),
    Trap("vi_3_a", (with_ways(hits=lambda right, sizes: sum(right)),), "a share"),
    Trap("vi_3_a", (with_ways(hits=lambda right, sizes: 100 * sum(right) / 5),), "a share"),
    Trap(
        "vi_3_a",
        (with_ways(hits=lambda right, sizes: np.mean(np.divide(right, sizes))),),
        "batches' accuracies",
    ),
    Trap("vi_3_a", (with_ways(hits=lambda right, sizes: 1 - sum(right) / sum(sizes)),), "*wrong*"),
    Trap("vi_3_a", (with_ways(threshold=0.5),), "compare logits with 0.5"),
    Trap("vi_3_a", (lambda model, loader: evaluate_model(model, loader)[:2],), "3 numbers"),
    Trap("vi_3_a", (lambda model, loader: evaluate_model(model, loader)[0],), "3 numbers"),
    Trap("vi_3_a", (training.evaluate,), "3 numbers"),
    Trap(
        "vi_3_a",
        (lambda *a: tuple(evaluate_model(*a)[i] for i in (0, 2, 1)),),
        "in another order",
    ),
    Trap("vi_3_b", (watching(look_first=True),), "*after* the epoch"),
    Trap("vi_3_b", (watching(learn_from="validation"),), "learned from the validation"),
    Trap("vi_3_b", (watching(learn_from="both"),), "too"),
    Trap("vi_3_b", (watching(learn_from="nothing"),), "ever trained"),
    Trap("vi_3_b", (lambda *a: [row[::-1] for row in train_and_watch(*a)],), "swapped"),
    Trap("vi_3_b", (lambda *a: train_and_watch(*a)[-1:],), "3 epochs"),
    Trap("vi_3_b", (lambda *a: [row[1] for row in train_and_watch(*a)],), "pair"),
    Trap("vi_3_b", (only_at_the_end,), "once at the end"),
    Trap("vi_3_b", (running_loss,), "while the weights were changing"),
    Trap("vi_3_b", (lambda *a: train_and_watch(*a[:-1], 6)[::2],), "on the train batches once"),
    Trap("vi_4_a", ("b",), "had not seen"),
    Trap("vi_4_a", ("c",), "fewer reviews"),
    Trap("vi_4_a", ("d",), "share no review"),
    Trap("vi_4_a", ("all negative",), "one letter"),
    Trap("vi_4_b", (lambda losses, patience: when_to_stop(losses, 1),), "first epoch that is"),
    Trap("vi_4_b", (lambda losses, _: (len(losses) - 1, int(np.argmin(losses))),), "the future"),
    Trap("vi_4_b", (lambda losses, patience: (6, int(np.argmin(losses))),), "the future"),
    Trap("vi_4_b", (lambda losses, patience: when_to_stop(losses, patience + 1),), "too late"),
    Trap("vi_4_b", (counting,), "the previous epoch"),
    Trap("vi_4_b", (consecutive_rises,), "the previous epoch"),
    Trap("vi_4_b", (lambda *a: counting(*a, reset=False),), "starts the count again"),
    Trap("vi_4_b", (last_weights,), "not of the last"),
    Trap("vi_4_b", (lambda losses, patience: when_to_stop(losses, patience)[::-1],), "swapped"),
    Trap("vi_4_b", (lambda losses, patience: when_to_stop(losses, patience - 1),), "too early"),
    Trap("vi_4_b", (lambda losses, patience: (7, 4),), "count from 0"),
    Trap("vi_4_b", (with_ties,), "no improvement"),
    Trap("vi_4_b", (needs_patience,), "run out first"),
    Trap("vi_4_b", (returning_inside_only,), "nothing is returned when"),
    Trap("vi_4_b", (stopping_at_length,), "len(losses) - 1"),
    Trap("vi_4_b", (lambda *a: (when_to_stop(*a)[0], when_to_stop(*a)[0] - a[1]),), "as you walk"),
    Trap(
        "vi_4_b",
        (lambda *a: (when_to_stop(*a)[0], max(0, when_to_stop(*a)[0] - a[1])),),
        "as you walk",
    ),
    Trap("vi_4_b", (lambda losses, patience: 6,), "2 numbers"),
    Trap("vi_4_b", (lambda losses, patience: (losses[3], losses[6]),), "by hand"),
    Trap("vi_6_a", ("a",), "many epochs"),
    Trap("vi_6_a", ("b",), "lowest curve"),
    Trap("vi_6_a", ("d",), "such an average"),
    Trap("vi_6_a", ("the exam",), "one letter"),
]

SECRETS = {
    "vi_1_a": ("len(targets)", "sum(len", "len(y)"),
    "vi_1_b": ("thinned", "each time", "randomly"),
    "vi_1_c": ("> 0)", "argmax", ".long()"),
    "vi_2_a": ("math.exp", "torch.log", "exp(−", "exp(-", "is 2"),
    "vi_2_b": ("is N", "math.exp", "e^(ln", "number of classes"),
    "vi_2_c": ("is 1", "= 1", "e⁰", "ln 1", "one answer"),
    "vi_3_a": (".eval()", "no_grad", "* len(targets)", "math.exp", "inference_mode"),
    "vi_3_b": ("for _ in", "append("),
    "vi_4_a": ("one class", "negative", "label"),
    "vi_4_b": ("(6, 3)", "epoch - best", ">= patience"),
    "vi_6_a": ("validation", "chose", "independent"),
}
