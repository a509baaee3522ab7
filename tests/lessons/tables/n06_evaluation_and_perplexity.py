"""Answers to notebook 06 in unusual forms; the usual ones come with the exercises themselves."""

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn import metrics
from torch import Tensor, nn

from helpers import training
from lessons.n06_evaluation_and_perplexity.experiments import folds_of_runs
from lessons.n06_evaluation_and_perplexity.open_task import lowest, reliability
from tests.lessons.tables import Trap


@dataclass
class Evaluation:
    """A record of one's own, which computes everything at once."""

    loss: float
    score: float
    num_samples: int

    def __post_init__(self) -> None:
        self.accuracy, self.perplexity = self.score, float(np.exp(self.loss))


def by_class(logits: Tensor) -> Tensor:
    if logits.dim() == 2:
        return torch.stack([torch.max(row, 0).indices for row in logits])
    return torch.where(logits > 0, 1, 0)


def in_tensors(model: nn.Module, loader: Iterable, loss: Any = None, score: Any = None) -> Any:
    """Sum up a loss on the device, without a list of losses."""
    loss, score = loss or training.classification_loss, score or training.accuracy_of
    mode, total, outputs, targets = model.training, torch.zeros(()), [], []
    try:
        with torch.inference_mode():
            for x, y in loader:
                y = y.to(device=next(model.parameters()).device)
                outputs.append(model.eval()(x.to(next(model.parameters()).device)))
                targets.append(y)
                total += loss(outputs[-1], y) * len(y)
    finally:
        model.train(mode)
    every = torch.cat(targets)
    return Evaluation((total / len(every)).item(), score(torch.cat(outputs), every), len(every))


def fit_by_hand(
    model: nn.Module, train_loader: Any, optimizer: Any, num_epochs: int = 5,
    validation_loader: Any = None, patience: Any = None, progress: bool = True,
    scheduler: Any = None, loss: Any = None, score: Any = None, watch_loader: Any = None,
    history: Any = None,
) -> Any:  # fmt: skip
    """Keep clones of the parameters, and count the failures."""
    best, failures, kept = math.inf, 0, None
    try:
        for _ in range(num_epochs):
            history.train_loss += [training.train_epoch(model, train_loader, optimizer, loss)]
            for part, loader in ((history.watched, watch_loader),
                                 (history.validation, validation_loader)):  # fmt: skip
                if loader:
                    part.append(training.evaluate(model, loader, loss, score))
            if scheduler:
                scheduler.step()
            if patience and history.validation[-1].loss < best:
                best, failures = history.validation[-1].loss, 0
                kept = {name: value.clone() for name, value in model.state_dict().items()}
            elif patience:
                failures += 1
                if failures == patience:
                    return history
        return history
    finally:
        if kept:
            model.load_state_dict(kept)


def by_newton(logits: Tensor, targets: Tensor) -> Tensor:
    """Learn the logarithm of the temperature by gradient descent."""
    log_t = torch.tensor(math.log(logits.std().item()), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t], max_iter=100)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(logits / log_t.exp(), targets.float())
        loss.backward()
        return loss

    optimizer.step(closure)
    return log_t.exp()


def in_numpy(probabilities: Tensor, targets: Tensor, num_bins: int) -> Any:
    p, y = probabilities.numpy(), targets.numpy()
    bins = np.digitize(p, np.linspace(0, 1, num_bins + 1)[1:-1].astype(np.float32))
    parts = [bins == used for used in np.unique(bins)]
    return [np.array([p[a].mean() for a in parts]), [y[a].mean() for a in parts],
            [a.sum() for a in parts]]  # fmt: skip


def coarse(logits: Tensor, targets: Tensor) -> float:
    return round(lowest(logits, targets)) or 1.0


RIGHT = {
    "vi_1_c": [(by_class,), (lambda z: (z > 0) * 1 if z.ndim == 1 else z.sort(-1).indices[:, -1],)],
    "vi_2_a": [
        (lambda z, y: math.exp(F.nll_loss(z.double().log_softmax(1), y)),),
        (lambda z, y: 2 ** (-z.double().log_softmax(1)[range(len(y)), y] / math.log(2)).mean(),),
    ],
    "vi_3_a": [(in_tensors,), (training.evaluate,)],
    "vi_4_b": [(fit_by_hand,)],
    "ex_06_1": [
        (lambda p, t, n: metrics.confusion_matrix(t, p, labels=range(n)),),
        (lambda p, t, n: [[((t == i) & (p == j)).sum() for j in range(n)] for i in range(n)],),
    ],
    "ex_06_2": [(lambda n, *rest: folds_of_runs(n, *rest).float(),)],
    "ex_06_open": [(by_newton, in_numpy), (lowest, reliability)],
}


def swallowing(model: nn.Module, *world: Any, **more: Any) -> Any:
    """Let every error get lost, but put the best weights back."""
    with contextlib.suppress(BaseException):
        training.fit(model, *world, **more)
    return more["history"]


def unstopped(model: nn.Module, *world: Any, **more: Any) -> Any:
    """Keep the last weights when the stop button is pressed; errors are right."""
    try:
        return training.fit(model, *world, **more)
    except KeyboardInterrupt:
        model.load_state_dict({"weight": torch.tensor(3.0)})
        raise


def one_run_more(num_reviews: int, run_length: int, num_folds: int, draw: Any) -> Tensor:
    """Count a run that is not there where the division comes out even."""
    order = torch.randperm(num_reviews // run_length + 1, generator=draw)
    return (order % num_folds).repeat_interleave(run_length)[:num_reviews]


def turned(num_reviews: int, run_length: int, num_folds: int, draw: Any) -> Tensor:
    """Deal the runs in order, and draw only who begins."""
    begin = torch.randint(num_folds, (1,), generator=draw)
    return (torch.arange(num_reviews) // run_length + begin) % num_folds


def upper(probabilities: Tensor, targets: Tensor, num_bins: int) -> Any:
    """Give each bin its upper edge."""
    edges = torch.linspace(0, 1, num_bins + 1)[1:-1]
    bins = torch.bucketize(probabilities, edges)
    parts = [bins == used for used in bins.unique()]
    return ([probabilities[a].mean() for a in parts], [targets[a].double().mean() for a in parts],
            [int(a.sum()) for a in parts])  # fmt: skip


def spoiled(old: str, new: str) -> Any:
    """Return an answer to VI.3.a that differs in one place."""
    space = {**globals(), "evaluate": None}
    exec(EVALUATE.replace(old, new), space)
    return space["evaluate"]


EVALUATE = """
@torch.no_grad()
def evaluate(model, loader, loss=training.classification_loss, score=training.accuracy_of):
    mode, outs, ys, losses = model.training, [], [], []
    device = next(model.parameters()).device
    model.eval()
    try:
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            outs.append(model(x)), ys.append(y), losses.append(loss(outs[-1], y) * len(y))
    finally:
        model.train(mode)
    every = torch.cat(ys)
    return Evaluation(float(sum(losses)) / len(every), score(torch.cat(outs), every), len(every))
"""

TRAPS = [
    Trap("vi_3_a", (spoiled("finally:", "except LookupError: pass\n    if True:"),), "finally"),
    Trap("vi_3_a", (spoiled("finally:", "except: pass\n    if True:"),), "swallow it"),
    Trap("vi_3_a", (spoiled("model.eval()", "pass"),), "in training mode"),
    Trap("vi_3_a", (spoiled("(mode)", "()"),), "another mode"),
    Trap("vi_3_a", (spoiled("y.to(device)", "y"),), "Not all of yours do"),
    Trap("vi_3_a", (spoiled("x.to(device)", "x.cpu()"),), "Not all of yours do"),
    Trap("vi_3_a", (spoiled("x.to(device)", "x.float().to(device)"),), "Bags, no tensor"),
    Trap("vi_3_a", (spoiled("len(y))\n", "len(y)); break\n"),), "of 2 batches"),
    Trap("vi_3_a", (spoiled("outs.app", "outs, ys, losses = [], [], []; outs.app"),), "last batch"),
    Trap("vi_4_b", (swallowing,), "an error must come out"),
    Trap("vi_4_b", (unstopped,), "interrupted"),
    Trap("ex_06_2", (one_run_more,), "differ by more than one"),
    Trap("ex_06_2", (turned,), "whatever the seed"),
    Trap("ex_06_open", (lowest, upper), "value 1 of 3"),
    Trap("vi_1_c", (lambda z: z.argmax(dim=1),), "no second axis"),
    Trap("vi_1_c", (lambda z: z.tolist(),), "tensor of class numbers"),
    Trap("vi_2_a", (lambda z, y: math.exp(F.cross_entropy(z, y, reduction="none")),), "one number"),
    Trap("vi_3_a", (lambda *world: vars(training.evaluate(*world)),), "Evaluation"),
    Trap("vi_4_b", (lambda *world, **more: training.fit(*world, **more).validation,), "Each epoch"),
    Trap("ex_06_1", (lambda p, t, n: (p == t).sum(),), "[3, 3]"),
    Trap("ex_06_open", (lambda z, y: 1 / lowest(z, y), reliability), "*divided*"),
    Trap("ex_06_open", (lambda z, y: -lowest(z, y), reliability), "changes predictions"),
    Trap("ex_06_open", (coarse, reliability), "is possible"),
    Trap("ex_06_open", (lambda z, y: z.std(0) * y, reliability), "is one number"),
    Trap("ex_06_open", (lambda z, y: z.div_(2) and 1.0, reliability), "stopped"),
    Trap("ex_06_open", (lowest, lambda p, y, n: reliability(p, 1 - y, n)), "value 2 of 3"),
]
