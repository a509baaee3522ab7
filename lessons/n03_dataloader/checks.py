"""The exercises of notebook 03 · The DataLoader."""

from collections.abc import Callable, Iterable

import numpy as np
import torch

from lessons.exercises import Checks
from lessons.n03_dataloader import collating, loaders, open_task

check = Checks()

check.exercise("03.1", **collating.COLLATE)
check.exercise("III.2.a", **loaders.LENGTH)
check.exercise("03.2", **loaders.ORDER)
check.exercise("III.2.b", **loaders.BATCHES)


# --- III.2.c ------------------------------------------------------------------------------


def shares(of: Callable = lambda labels: float(labels.float().mean())) -> Callable:
    """Return an answer: a number of the labels of each batch."""
    return lambda loader: [of(labels) for _, labels in loader]


def batches(*labels: list[int]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return a loader with batches of these labels."""
    return [(torch.full((len(y), 3), 0.1), torch.tensor(y)) for y in labels]


check.exercise(
    "III.2.c",
    shares(),
    inputs=[
        (batches([1, 0, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1], [1]),),
        (batches([1, 1, 0], [1, 0]),),
    ],
    mistakes=[
        (
            "those are the *numbers* of positives. A share lies between 0 and 1.",
            shares(lambda y: int(y.sum())),
        ),
        (
            "the last batch is smaller: divide by the size of *this* batch.",
            lambda loader: [int(y.sum()) / len(loader[0][1]) for _, y in loader],
        ),
        (
            "the last batch is smaller: divide by the size of *this* batch.",
            shares(lambda y: int(y.sum()) / 128),
        ),
        ("those are the shares of negatives.", shares(lambda y: 1 - float(y.float().mean()))),
        ("a share lies between 0 and 1.", shares(lambda y: 100 * float(y.float().mean()))),
        (
            "those are means of the inputs. The labels are the second part of a batch.",
            lambda loader: [float(x.float().mean()) for x, _ in loader],
        ),
        ("the last, smaller batch is missing.", lambda loader: shares()(loader)[:-1]),
        (
            "that is one number for all batches. Return a list, a number for each.",
            lambda loader: sum(shares()(loader)) / len(loader),
        ),
        ("those are the labels themselves, not yet their share.", shares(lambda y: y.tolist())),
    ],
    otherwise="A share is the number of labels 1 over the number of labels, batch by batch.",
)


# --- III.3 --------------------------------------------------------------------------------


def cut(losses: Iterable[float], num_samples: int, batch_size: int) -> tuple:
    """Return the losses [epochs, batches] and the sizes of an epoch's batches."""
    full, rest = divmod(num_samples, batch_size)
    sizes = [batch_size] * full + [rest] * (rest > 0)
    return np.reshape(np.asarray(losses), (-1, len(sizes))), np.array(sizes)


def epoch_losses(losses: Iterable[float], num_samples: int, batch_size: int) -> list[float]:
    """Return the mean loss per sample of each epoch."""
    table, sizes = cut(losses, num_samples, batch_size)
    return (table @ sizes / num_samples).tolist()


COUNT_THEM = "How many batches has an epoch, the last one included? And if they all are full?"


def otherwise_averaged(average: Callable) -> Callable:
    """Return an answer with another ``average(losses [epochs, batches], sizes)``."""
    return lambda losses, n, b: average(*cut(losses, n, b)).tolist()


check.exercise(
    "III.3",
    epoch_losses,
    inputs=[
        (np.array([1.0, 0.5, 4.0, 0.75, 0.25, 2.0]), 10, 4),
        (np.array([0.5, 2.5, 1.5, 0.0]), 6, 3),
        (np.array([0.7, 0.6, 0.4]), 3, 128),
        (np.array([1.0, 2.0, 0.5, 4.0]), 7, 2),
    ],
    mistakes=[
        (
            "each is the loss of the epoch's last batch: an anecdote.",
            otherwise_averaged(lambda table, sizes: table[:, -1]),
        ),
        (
            "those are means over *batches*. The last one is smaller, yet it counts as much as the "
            "others.",
            otherwise_averaged(lambda table, sizes: table.mean(axis=1)),
        ),
        (
            "those are sums over all samples. A mean is divided by something.",
            otherwise_averaged(lambda table, sizes: table @ sizes),
        ),
        (
            "those are sums of batch losses. A mean is divided by something.",
            otherwise_averaged(lambda table, sizes: table.sum(axis=1)),
        ),
        (
            "the sums over all samples are right, but you divide by the number of batches.",
            otherwise_averaged(lambda table, sizes: table @ sizes / len(sizes)),
        ),
        (
            "each batch loss is a mean already: before adding up it must become a sum again.",
            otherwise_averaged(lambda table, sizes: table.sum(axis=1) / sizes.sum()),
        ),
        (
            "that is one number for all epochs together. Return a list, a number for each.",
            lambda losses, n, b: float(np.mean(epoch_losses(losses, n, b))),
        ),
        ("only the first epoch is there.", lambda losses, n, b: epoch_losses(losses, n, b)[:1]),
        (
            "the full batches alone are averaged: the last, smaller one belongs to the epoch.",
            otherwise_averaged(
                lambda table, sizes: (
                    table[:, sizes == sizes[0]]
                    @ sizes[sizes == sizes[0]]
                    / sizes[sizes == sizes[0]].sum()
                )
            ),
        ),
    ],
    errors={
        "cannot reshape": COUNT_THEM,
        "shape '": COUNT_THEM,
        "mismatch": COUNT_THEM,
    },
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

check.exercise("03.open", **open_task.OPEN)
