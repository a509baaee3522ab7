"""The exercises of notebook 13 · Tabular data: abalone, regression."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from helpers import abalone
from lessons.calling import Raised
from lessons.exercises import Checks, require_answer
from lessons.judging import Wrong
from lessons.n13_abalone_regression import work

check = Checks()

CANCEL = "in the second, too high and too low cancel."
FIVE = torch.tensor([8.0, 9.0, 14.0, 5.0, 20.0]), torch.tensor([11.0, 9.0, 8.0, 6.0, 22.0])
THREE = torch.tensor([1.0, 5.0, 3.0]), torch.tensor([9.0, 5.5, 3.0])


# --- 13.1: MSE and MAE --------------------------------------------------------------------


def both(
    square: Callable = lambda e: (e**2).mean(), absolute: Callable = lambda e: e.abs().mean()
) -> Callable:
    """Return an answer to 13.1 that makes other numbers of the residuals."""
    return lambda p, t: (square(t - p), absolute(t - p))


check.exercise(
    "13.1",
    both(),
    inputs=[FIVE, THREE],
    mistakes=[
        ("the two are swapped: first the MSE.", lambda *a: both()(*a)[::-1]),
        ("the first is a sum, no mean.", both(lambda e: (e**2).sum())),
        ("the second is a sum, no mean.", both(absolute=lambda e: e.abs().sum())),
        ("both are sums, no means.", both(lambda e: (e**2).sum(), lambda e: e.abs().sum())),
        ("the first is the root of the MSE.", both(lambda e: (e**2).mean().sqrt())),
        ("square each residual first, then take the mean.", both(lambda e: e.mean() ** 2)),
        *(
            (CANCEL, both(absolute=f))
            for f in (torch.mean, lambda e: -e.mean(), lambda e: e.mean().abs())
        ),
        ("the second is the root of the MSE.", both(absolute=lambda e: (e**2).mean().sqrt())),
    ],
    otherwise="Two means over the animals: of squared, and of absolute residuals.",
)


# --- 13.2: a loss that refuses ------------------------------------------------------------


def mse(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return the MSE of tensors that broadcast."""
    return ((predictions - targets) ** 2).mean()


def no() -> None:
    """Refuse as asked."""
    raise ValueError("shapes differ")


def other(loss: Callable = mse, refuse: Callable = no) -> Callable:
    """Return an answer to 13.2 with another loss, or that refuses in another way."""
    return lambda p, t: loss(p, t) if p.shape == t.shape else refuse()


def tried(strict_mse: Callable, predictions: Tensor, targets: Tensor) -> Any:
    """Return the loss and whether it can be trained with, or that it was refused."""
    try:
        loss = strict_mse(predictions, targets)
    except (ValueError, AssertionError) as error:
        if predictions.shape == targets.shape:
            raise
        return Raised("ValueError", str(error) and "")
    return (loss, loss.requires_grad) if isinstance(loss, Tensor) else loss


def told(found: Any, predictions: Tensor, targets: Tensor) -> str:
    """Say what kind of mistake a result of `tried` shows."""
    if isinstance(found, nn.Module) or "Boolean value" in getattr(found, "message", ""):
        return "class" if "Loss(" in (getattr(found, "place", "") or "Loss(") else "if"
    if predictions.shape != targets.shape:
        kinds = {Raised: "another error", tuple: "accepted"}
        return kinds.get(type(found), "silent")
    if not isinstance(found, tuple):
        return type(found).__name__
    return "several" if found[0].numel() > 1 else "" if found[1] else "detached"


def kind(name: str) -> Callable:
    """Return what tells this kind of mistake."""
    return lambda *given: told(*given) == name


UNMADE = "nn.MSELoss is a class: make the loss first, `nn.MSELoss()`, and call that."
GRADED = torch.tensor([1.0, 5.0, 2.0], requires_grad=True)
THREE_TRUE = torch.tensor([3.0, 5.0, 6.0])

check.exercise(
    "13.2",
    other(),
    probe=tried,
    inputs=[
        (GRADED, THREE_TRUE),
        (torch.tensor([2.0], requires_grad=True), torch.tensor([5.0])),
        (GRADED.detach()[:, None], THREE_TRUE),
        (GRADED, THREE_TRUE[:, None]),
        (torch.ones(1, requires_grad=True), THREE_TRUE),
        (GRADED.detach()[:, None], torch.ones(3, 2)),
    ],
    mistakes=[
        (UNMADE, lambda p, t: nn.MSELoss(p, t), kind("class")),
        ("these shapes differ and were accepted. Raise a ValueError.", mse, kind("accepted")),
        ("unequal shapes, and no error: `raise` one.", other(refuse=str), kind("silent")),
        ("unequal shapes, and no ValueError.", other(refuse=lambda: [][1]), kind("another error")),
        ("a Python number has no gradient.", other(lambda *a: mse(*a).item()), kind("float")),
        ("return one number: the mean.", other(lambda p, t: (p - t) ** 2), kind("several")),
        ("no gradient flows back from it.", other(lambda *a: mse(*a).detach()), kind("detached")),
        ("that is the sum.", other(lambda p, t: ((p - t) ** 2).sum())),
        ("those are absolute values.", other(lambda p, t: (p - t).abs().mean())),
        ("square first, then take the mean.", other(lambda p, t: (p - t).mean() ** 2)),
        ("that is the root of the MSE.", other(lambda p, t: mse(p, t).sqrt())),
    ],
    otherwise="The mean of the squared differences is asked for.",
)


# --- 13.3: the training -------------------------------------------------------------------


def loop(
    make: Callable = lambda parameters, lr: torch.optim.Adam(parameters, lr, weight_decay=0.01),
    rate: str = "epoch",
    clear: bool = True,
    loss: Callable = lambda outputs, targets: mse(outputs.flatten(), targets),
    total: Callable = lambda values, sizes: (values * sizes).sum() / sizes.sum(),
) -> Callable:
    """Return an answer to 13.3 that does one thing otherwise."""

    def train_regressor(model: nn.Module, batches: Any, num_epochs: int, lr: float) -> list:
        optimizer = make(model.parameters(), lr)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.95)
        means = []
        for _ in range(num_epochs):
            losses = []
            for inputs, targets in batches:
                losses.append(loss(model(inputs), targets))
                if clear:
                    optimizer.zero_grad()
                losses[-1].backward()
                optimizer.step()
                if rate == "batch":
                    scheduler.step()
            if rate == "epoch":
                scheduler.step()
            sizes = torch.tensor([float(len(targets)) for _, targets in batches])
            means.append(total(torch.stack(losses).detach(), sizes).item())
        return means

    return train_regressor


def trained(answer: Callable, seed: int, num_epochs: int, lr: float) -> Any:
    """Return the losses of a small network's training, and what it predicts afterwards."""
    draw = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) * 2)
    inputs = torch.randn(11, 2, generator=draw)
    targets = 10 + inputs.sum(dim=1)
    batches = [(inputs[rows], targets[rows]) for rows in torch.arange(11).split(4)]
    losses = answer(model, batches, num_epochs, lr)
    if losses is None or losses is ...:
        return losses
    return losses, model.eval()(inputs).flatten()


def other_length(found: Any, seed: int, num_epochs: int, lr: float) -> bool:
    """Whether there are not as many losses as epochs."""
    return np.shape(found[0]) != (num_epochs,)


def optimizer(kind: type, weight_decay: float = 0.01) -> Callable:
    """Return a loop with another optimizer."""
    return loop(lambda parameters, lr: kind(parameters, lr, weight_decay=weight_decay))


check.exercise(
    "13.3",
    loop(),
    probe=trained,
    inputs=[(1, 4, 0.1), (2, 7, 0.03)],
    mistakes=[
        ("the rate fell after every batch, not after every epoch.", loop(rate="batch")),
        ("the rate never fell.", loop(rate="never")),
        ("gradients of earlier batches are still in it: zero_grad().", loop(clear=False)),
        ("a column met a row: [batch, 1] against [batch].", loop(loss=mse)),
        ("that is how it trains without weight decay.", optimizer(torch.optim.Adam, 0)),
        ("that is how AdamW trains; Adam is asked for.", optimizer(torch.optim.AdamW)),
        ("that is how SGD trains; Adam is asked for.", optimizer(torch.optim.SGD)),
        ("right training; but a smaller batch counts less.", loop(total=lambda v, n: v.mean())),
        ("right training; but those are last batches' losses.", loop(total=lambda v, n: v[-1])),
        ("right training; but those are sums.", loop(total=lambda v, n: (v * n).sum())),
        ("that is a rate of 0.01, whatever `lr` says.", lambda *a: loop()(*a[:3], 0.01)),
        ("return a list: one loss for each epoch.", lambda *a: loop()(*a)[-1], other_length),
    ],
    errors={"Boolean value of Tensor": f"Was a class called with tensors? {UNMADE}"},
    otherwise="Adam with weight decay, squared errors, a falling rate; each epoch's mean loss.",
)


# --- 13.4, 13.5: R², and who did it -------------------------------------------------------


def r_squared(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return R²."""
    return 1 - ((targets - predictions) ** 2).sum() / ((targets - targets.mean()) ** 2).sum()


check.exercise(
    "13.4",
    r_squared,
    tolerance=1e-5,
    inputs=[
        (torch.tensor([1.0, 4.0, 9.0, 8.0]), torch.tensor([3.0, 5.0, 6.0, 10.0])),
        (torch.tensor([8.0, 10.0, 11.0, 16.0]), torch.tensor([3.0, 5.0, 6.0, 10.0])),
        (torch.full((3,), 6.0), torch.tensor([2.0, 6.0, 10.0])),
    ],
    mistakes=[
        (
            "that is a squared correlation.",
            lambda *a: torch.stack(a).corrcoef().nan_to_num()[0, 1] ** 2,
        ),
        ("the mean residual was taken off first.", lambda p, t: 1 - (t - p).var() / t.var()),
        (
            "those are no squares.",
            lambda p, t: 1 - (t - p).abs().sum() / (t - t.mean()).abs().sum(),
        ),
        ("the spread below is that of the *predictions*.", lambda p, t: r_squared(t, p)),
        ("the fraction is upside down.", lambda p, t: 1 - 1 / (1 - r_squared(p, t))),
        ("the sum below is taken from 0.", lambda p, t: 1 - ((t - p) ** 2).sum() / (t**2).sum()),
        ("that is the fraction. What of the 1?", lambda p, t: 1 - r_squared(p, t)),
        ("one is a mean, the other a sum.", lambda p, t: 1 - (1 - r_squared(p, t)) / len(t)),
        ("one part divides by n, the other by n - 1.", lambda p, t: 1 - mse(p, t) / t.var()),
        ("R² may be below 0. Leave it there.", lambda p, t: r_squared(p, t).clamp(min=0)),
    ],
    otherwise="Follow the formula, one sum after the other.",
)


def worst_by(
    where: Callable = lambda e, t: (e**2).argmax(), share: Callable = lambda s: s.max() / s.sum()
) -> Callable:
    """Return an answer to 13.5 with another position or another share."""
    return lambda p, t: (where(t - p, t), share((t - p) ** 2))


check.exercise(
    "13.5",
    worst_by(),
    inputs=[FIVE, FIVE[::-1], THREE],
    mistakes=[
        ("the two are swapped: the position comes first.", lambda *a: worst_by()(*a)[::-1]),
        ("positions count from 0.", worst_by(lambda e, t: (e**2).argmax() + 1)),
        ("the position is of the most too *low*.", worst_by(lambda e, t: e.argmax())),
        ("the position is of the most too *high*.", worst_by(lambda e, t: e.argmin())),
        ("the position is of the most rings.", worst_by(lambda e, t: t.argmax())),
        ("square the errors.", worst_by(share=lambda s: s.sqrt().max() / s.sqrt().sum())),
        ("a share lies between 0 and 1.", worst_by(share=lambda s: 100 * s.max() / s.sum())),
        ("the second is the squared error itself, no share.", worst_by(share=lambda s: s.max())),
        ("that compares with the mean.", worst_by(share=lambda s: s.max() / s.mean())),
    ],
    otherwise="Position of the largest squared error, and its share of the sum of all.",
)


# --- 13.6, 13.7: the residuals ------------------------------------------------------------


def grouped(**change: Any) -> Callable:
    """Return an answer to 13.6 that rounds otherwise, or gives other numbers."""
    return partial(work.mean_residuals, **change)


SIGNED = torch.tensor([1.0, -2.0, 4.0, 0.5, -3.0, 2.0, 7.0, 6.0])
NEAR = torch.tensor([6.8, 7.4, 7.1, 8.0, 8.4, 9.9, 7.8, 8.9])

check.exercise(
    "13.6",
    work.mean_residuals,
    inputs=[
        (SIGNED, NEAR, 2),
        (torch.arange(12.0) ** 2, torch.tensor([5.0] * 10 + [12.0] * 2), 10),
        (torch.arange(12.0) - 4, torch.tensor([3.6] * 11 + [9.2]), 10),
    ],
    mistakes=[
        ("values are cut, not rounded: 6.8 belongs to 7.", grouped(rounded=torch.floor)),
        ("those are sums of residuals.", grouped(number=torch.sum)),
        ("keep the signs.", grouped(number=lambda g: g.abs().mean())),
        ("those are medians.", grouped(number=torch.median)),
        ("the signs are turned round.", grouped(number=lambda g: -g.mean())),
        ("`least` animals are enough.", lambda r, v, least: grouped()(r, v, least + 1)),
        ("small groups are in it, too.", lambda r, v, least: grouped()(r, v, 1)),
        ("that is right for a `least` of 10 only.", lambda r, v, least: grouped()(r, v)),
        ("the groups are of the residuals.", lambda r, v, least: grouped()(v, r, least)),
    ],
    otherwise="A dict: whole number → mean residual of the animals whose value rounds to it.",
)

check.choice(
    "13.7",
    right="d",
    wrong={
        "a": "then a longer training would take the trend away. The next cell tries one.",
        "b": "then the trend would go without weight decay. The next cell does without.",
        "c": "then standardised targets would take the trend away. The next cell tries them.",
    },
)


# --- 13.open ------------------------------------------------------------------------------

GAIN = 0.75  # rings


@check.custom("13.open")
def serves_the_old(train_for_old: Callable, table: pd.DataFrame) -> None:
    """Train on two splits that the notebook does not use; compare with the plain training."""

    def asked(inputs: Tensor, targets: Tensor) -> Callable:
        model = train_for_old(inputs, targets)
        require_answer(model)
        if not callable(model):
            raise Wrong("return a model, or a function of the inputs.")
        return model

    rings = torch.tensor(table["rings"].to_numpy(), dtype=torch.float32)
    plain, theirs = [], []
    for seed in (20, 21):
        parts = abalone.split_indices((rings >= abalone.OLD_FROM).numpy(), seed)
        features = abalone.make_features(table, parts[0]).clamp(-5, 5)
        said, truth = work.served(asked, features, rings, parts, 1, seed), rings[parts[1]]
        if said.shape != truth.shape:
            raise Wrong("the model must give one number for each row of inputs, in rings.")
        theirs.append(work.mae_by_age(said, truth))
        model, _ = work.experiment(features, rings, parts, seed)
        plain.append(work.mae_by_age(work.predict(model, features[parts[1]]), truth))
    lost, _, old = np.mean(theirs, axis=0) - np.mean(plain, axis=0)
    if not -old >= GAIN:
        off, before = (np.mean(errors, axis=0)[2] for errors in (theirs, plain))
        raise Wrong(f"the old are off by {off:.2f} rings; the plain network, by {before:.2f}.")
    if not lost < -old:
        raise Wrong(f"the old gain {-old:.2f} rings, but the young lose {lost:.2f}.")
