"""The exercise of notebook 03 that makes a batch of samples."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Samples = list[tuple[Tensor, Tensor]]


def collate(samples: Samples) -> tuple[Tensor, Tensor]:
    """Return inputs [batch, features] and labels int64 [batch]."""
    inputs, labels = zip(*samples, strict=True)
    return torch.stack(inputs), torch.stack(labels)


def with_types(answer: Callable, samples: Samples) -> Any:
    """Return a batch, and the types of its parts."""
    batch = answer(samples)
    if batch is None or batch is ...:
        return None
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        return batch, None, []
    return *batch, [str(getattr(part, "dtype", type(part).__name__)) for part in batch]


def samples(*labels: int, width: int = 3) -> Samples:
    """Return samples that all differ, with these labels."""
    return [
        (torch.arange(width, dtype=torch.float32) + 10 * i, torch.tensor(label))
        for i, label in enumerate(labels)
    ]


TAKE_APART = "One tensor is made of a list of tensors: take vectors and labels apart first."

COLLATE = dict(
    reference=collate,
    probe=with_types,
    inputs=[(samples(1, 0, 0, 1),), (samples(0, width=2),), (samples(0, 1, 1),)],
    mistakes=[
        ("the two parts are swapped: the inputs come first.", lambda s: collate(s)[::-1]),
        (
            "return both parts of the batch, inputs and labels.",
            lambda s: collate(s)[0],
            lambda found, s: not found[2],
        ),
        (
            "the vectors are joined end to end. Each needs a row of its own.",
            lambda s: (torch.cat([vector for vector, _ in s]), collate(s)[1]),
        ),
        (
            "a review is a row, not a column: the batch comes first.",
            lambda s: (collate(s)[0].T, collate(s)[1]),
        ),
        (
            "the inputs are still a list: a network takes one tensor.",
            lambda s: ([vector for vector, _ in s], collate(s)[1]),
            lambda found, s: found[2][0] in ("list", "tuple"),
        ),
        (
            "the labels are still a list: make one tensor of them.",
            lambda s: (collate(s)[0], [int(label) for _, label in s]),
            lambda found, s: found[2][1] in ("list", "tuple"),
        ),
        (
            "the labels must stay whole numbers, int64.",
            lambda s: (collate(s)[0], collate(s)[1].float()),
        ),
        (
            "the labels have the shape [batch], with a single axis.",
            lambda s: (collate(s)[0], collate(s)[1][:, None]),
        ),
        ("only the first sample is left.", lambda s: collate(s[:1])),
        ("the last sample is missing.", lambda s: collate(s[:-1] or s)),
    ],
    errors={
        "must be tuple of Tensors, not": TAKE_APART,
        "expected Tensor as element 0": TAKE_APART,
        "only one element tensors": TAKE_APART,
    },
    otherwise="Row i of the inputs and entry i of the labels are those of sample i.",
)
