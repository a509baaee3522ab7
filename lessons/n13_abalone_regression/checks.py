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
from lessons.comparing import in_words, sequence
from lessons.exercises import Checks
from lessons.judging import Open, Wrong
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
        ("the first is divided by n - 1.", both(lambda e: (e**2).sum() / (len(e) - 1))),
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


mse = nn.functional.mse_loss  # it broadcasts


def other(loss: Callable = mse, refuse: Callable = lambda: int("unequal")) -> Callable:
    """Return an answer to 13.2 with another loss, or that refuses in another way."""
    return lambda p, t: loss(p, t) if p.shape == t.shape else refuse()


def tried(strict_mse: Callable, predictions: Tensor, targets: Tensor) -> Any:
    """Return the loss, or a word that says what is odd about it, or that it was refused."""
    alike = predictions.shape == targets.shape
    try:
        loss = strict_mse(predictions, targets)
    except Exception as error:
        if alike:
            raise
        return Raised("ValueError", "") if isinstance(error, REFUSED) else "another"
    if not alike or loss is None or loss is ...:
        return "returned" if isinstance(loss, Exception) else loss
    if not isinstance(loss, Tensor) or loss.numel() > 1:
        return "several" if getattr(loss, "numel", int)() > 1 else "number"
    if predictions.grad is not None:
        return "backward"
    if loss.requires_grad:
        loss.backward()
    return "detached" if predictions.grad is None else loss


def word(name: str) -> Callable:
    """Return what tells a word of `tried` or `trained`."""
    return lambda found, *_: name in (found if isinstance(found, tuple) else (found,))


REFUSED = ValueError, AssertionError
BACKWARD = "the predictions have a gradient already: leave `backward()` to the training."
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
        (torch.ones(3, 3), THREE_TRUE),
        (GRADED.detach()[:, None], torch.ones(3, 2)),
        (torch.tensor([[1.0, 5.0], [2.0, 4.0]], requires_grad=True), torch.ones(2, 2)),
    ],
    mistakes=[
        ("the error is returned. `raise` it.", other(refuse=ValueError), word("returned")),
        ("unequal shapes end in another error.", other(refuse=lambda: [][1]), word("another")),
        ("no tensor comes back.", other(lambda *a: mse(*a).item()), word("number")),
        ("return one number: the mean.", other(lambda p, t: (p - t) ** 2), word("several")),
        ("no gradient flows back.", other(lambda *a: mse(*a).detach()), word("detached")),
        (BACKWARD, other(lambda *a: (loss := mse(*a)).backward() or loss), word("backward")),
        ("[2, 2] has four squares to average.", other(lambda p, t: ((p - t) ** 2).sum() / len(t))),
        ("that is the sum.", other(lambda p, t: ((p - t) ** 2).sum())),
        ("those are absolute values.", other(lambda p, t: (p - t).abs().mean())),
        ("square first, then take the mean.", other(lambda p, t: (p - t).mean() ** 2)),
        ("that is the root of the MSE.", other(lambda p, t: mse(p, t).sqrt())),
    ],
    otherwise="The mean of the squared differences is asked for.",
)


# --- 13.3: the training -------------------------------------------------------------------


LOOP = """
def train_regressor(model, batches, num_epochs, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
    means, total, count = [], 0, 0
    for _ in range(num_epochs):
        total = count = 0
        for inputs, targets in batches:
            loss = mse(model(inputs).flatten(), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(targets)
            count += len(targets)
        scheduler.step()
        means.append(total / count)
    return means
"""
FALL = "        scheduler.step()\n"
#: sentence, what is written instead of what, and a word of `trained` where not the results tell it
SLIPS = [
    ("the rate fell after every batch, not after every epoch.", FALL, "    " + FALL),
    ("the rate never fell.", FALL, ""),
    ("the rate had fallen before the first epoch.", "    means,", "    scheduler.step(); means,"),
    ("the rate fell *to* 5 %, not *by* 5 %.", "0.95", "0.05"),
    ("gradients of earlier batches are still in it: zero_grad().", "optimizer.zero_grad()", ""),
    ("a column met a row: [batch, 1] against [batch].", ".flatten()", ""),
    ("that is how it trains without weight decay.", ", weight_decay=0.01", ""),
    ("that is how AdamW trains; Adam is asked for.", "Adam(", "AdamW("),
    ("that is how SGD trains; Adam is asked for.", "Adam(", "SGD("),
    ("right training; but a smaller batch counts less.", "len(targets)", "1"),
    ("right training; but those are last batches' losses.", "total / count", "loss.item()"),
    ("right training; but those are sums.", "total / count", "total"),
    ("right training; but earlier epochs are still in the mean.", "total = count = 0", "pass"),
    ("that is a rate of 0.01, whatever `lr` says.", "lr, weight", "0.01, weight"),
    ("a list of as many losses as `num_epochs` is asked for.", "n means", "n means[-1]", "length"),
    ("the losses still hold graphs. Collect numbers: `.item()`.", ".item()", "", "graphs"),
    ("go through `batches` in each epoch.", "means, t", "batches = [*batches]; means, t", "kept"),
    ("the weights of `model` are what they were before.", "optimizer.step()", "", "still"),
    ("those are absolute errors. Square them.", "mse(", "nn.functional.l1_loss("),
    (
        "Adam forgets after each epoch: make one optimizer.",
        "total = c",
        "optimizer.state.clear(); total = c",
    ),
]


def loop(old: str = "a", new: str = "a") -> Callable:
    """Return an answer to 13.3, with one thing changed in its text."""
    made: dict[str, Any] = {}
    exec(LOOP.replace(old, new), globals(), made)
    return made["train_regressor"]


def trained(answer: Callable, network: int, num_epochs: int, lr: float) -> Any:
    """Return a small network's predictions after a training, the losses, a word for what is odd."""
    torch.manual_seed(network)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    inputs = 2 * torch.randn(11, 2)
    pairs = [*zip(inputs.split(4), (10 + inputs.sum(dim=1)).split(4), strict=True)]
    before, times = model(inputs), iter(range(10**9))
    batches = type("Batches", (), {"__iter__": lambda _: next(times) >= 0 and iter(pairs)})()
    losses = answer(model, batches, num_epochs, lr)
    if losses is None or losses is ...:
        return losses
    parts, after = sequence(losses) or [], model.eval()(inputs)
    odd = {
        "length": len(parts) != num_epochs,
        "graphs": any(getattr(part, "requires_grad", False) for part in parts),
        "kept": next(times) < num_epochs,
        "still": torch.equal(before, after),
    }
    return after.flatten(), losses, next((name for name, is_so in odd.items() if is_so), "")


check.exercise(
    "13.3",
    loop(),
    probe=trained,
    inputs=[(1, 4, 0.1), (2, 7, 0.03)],
    mistakes=[(said, loop(old, new), *map(word, words)) for said, old, new, *words in SLIPS],
    parts=("the model's predictions afterwards", "after a right training the losses", "this"),
    otherwise="Adam, weight decay 0.01, *mean* squared error, rate times 0.95 after each epoch?",
)


# --- 13.4, 13.5: R², and who did it -------------------------------------------------------


def r_squared(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return R²."""
    return 1 - mse(predictions, targets) / targets.var(correction=0)


check.exercise(
    "13.4",
    r_squared,
    tolerance=1e-5,
    inputs=[
        (torch.tensor([1.0, 4.0, 9.0, 8.0]), torch.tensor([3.0, 5.0, 6.0, 10.0])),
        (torch.tensor([8.0, 10.0, 11.0, 16.0]), torch.tensor([3.0, 5.0, 6.0, 10.0])),
        (torch.tensor([5.0, 6.0, 7.0]), torch.tensor([2.0, 6.0, 10.0])),
    ],
    mistakes=[
        ("that is a squared correlation.", lambda *a: torch.stack(a).corrcoef()[0, 1] ** 2),
        (
            "those are no squares.",
            lambda p, t: 1 - (t - p).abs().sum() / (t - t.mean()).abs().sum(),
        ),
        ("the denominator is that of the *predictions*.", lambda p, t: r_squared(t, p)),
        (
            "the numerator has the predictions about the mean. Residuals are about the targets.",
            lambda p, t: mse(p, t.mean()) / t.var(correction=0),
        ),
        ("the fraction is upside down.", lambda p, t: 1 - 1 / (1 - r_squared(p, t))),
        ("the denominator is about 0.", lambda p, t: 1 - ((t - p) ** 2).sum() / (t**2).sum()),
        ("you forgot the 1 −.", lambda p, t: 1 - r_squared(p, t)),
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
        (
            "the position is of the *smallest* squared error.",
            worst_by(lambda e, t: (e**2).argmin()),
        ),
        ("the first is a squared error, not its position.", worst_by(lambda e, t: (e**2).max())),
        ("square the errors.", worst_by(share=lambda s: s.sqrt().max() / s.sqrt().sum())),
        ("a share lies between 0 and 1.", worst_by(share=lambda s: 100 * s.max() / s.sum())),
        ("the second is the squared error itself, no share.", worst_by(share=lambda s: s.max())),
        ("that compares with the mean.", worst_by(share=lambda s: s.max() / s.mean())),
    ],
    otherwise="Position of the largest squared error, and its share of the sum of all.",
)


# --- 13.6, 13.7: the residuals ------------------------------------------------------------


grouped = partial(partial, work.mean_residuals)
SIGNED = torch.tensor([1.03, -2.0, 4.21, 0.5, -3.46, 2.0, 7.0, 6.17])
NEAR = torch.tensor([6.8, 7.4, 7.1, 8.0, 8.4, 9.9, 9.2, 8.9])

check.exercise(
    "13.6",
    work.mean_residuals,
    inputs=[
        (SIGNED, NEAR, 2),
        (torch.arange(24.0) ** 2, torch.tensor([5.0] * 2 + [12.0] * 10 + [20.0] * 12), 10),
        (torch.arange(12.0) // 2 - 2, torch.tensor([3.6] * 11 + [9.2]), 10),  # some are equal
    ],
    mistakes=[
        ("values are cut, not rounded: 6.8 belongs to 7.", grouped(rounded=torch.floor)),
        ("those are sums of residuals.", grouped(number=torch.sum)),
        ("keep the signs.", grouped(number=lambda g: g.abs().mean())),
        ("one number only: `return` in the loop?", lambda *a: dict([*grouped()(*a).items()][:1])),
        ("the signs are turned round.", grouped(number=lambda g: -g.mean())),
        ("`least` animals are enough.", lambda r, v, least: grouped()(r, v, least + 1)),
        (
            "the group of the largest number is missing.",
            lambda r, v, least: grouped()(r[v < v.max() - 0.5], v[v < v.max() - 0.5], least),
        ),
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

GAIN, PRICE = 0.75, 0.75  # rings that the old gain; the part of it that the young may lose
ALONE = " (Here the measurements are in another order: does your code use its arguments alone?)"


@check.custom("13.open")
def serves_the_old(train_for_old: Callable, table: pd.DataFrame) -> None:
    """Train on two splits that the notebook does not use; compare with the plain training."""

    def asked(inputs: Tensor, targets: Tensor) -> Callable:
        model = train_for_old(inputs, targets)
        if model is None or model is ...:
            raise Open("(It returns nothing yet: is a `return` missing?)")
        if not callable(model):
            raise Wrong(f"return a model, or a function of the inputs, not {in_words(model)}.")
        return model

    rings = torch.tensor(table["rings"].to_numpy(), dtype=torch.float32)
    plain, theirs, named = [], [], []
    for seed in (20, 21):
        parts = abalone.split_indices((rings >= abalone.OLD_FROM).numpy(), seed)
        columns = abalone.MEASUREMENTS[::-1]  # not as in the notebook
        features = abalone.make_features(table, parts[0], columns).clamp(-5, 5)
        said, truth = work.served(asked, features, rings, parts, 1, seed), rings[parts[1]]
        if said.shape != truth.shape:
            raise Wrong("the model must give one number for each row of inputs, in rings.")
        theirs.append(work.mae_by_age(said, truth))
        named.append(said[truth >= work.OLD_FROM].mean().item())
        model, _ = work.experiment(features, rings, parts, seed)
        plain.append(work.mae_by_age(work.predict(model, features[parts[1]]), truth))
    lost, _, old = np.mean(theirs, axis=0) - np.mean(plain, axis=0)
    if not -old >= GAIN:
        gain = f"a gain of {-old:.2f} rings for the old; {GAIN} is wanted."
        mean = f" You give them {np.mean(named):.1f} rings on average."
        raise Wrong(gain + mean + ALONE * bool(old > 0 and np.mean(named) > 5))
    if not lost < (most := -old * PRICE):
        raise Wrong(
            f"the old gain {-old:.2f}, but the young lose {lost:.2f}; three quarters of that gain "
            f"are {most:.2f}."
        )
