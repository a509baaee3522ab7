"""Answer checks of notebook 03 · The DataLoader."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from lessons.exercises import Checks, Wrong
from lessons.framework import (
    all_close,
    as_number,
    call,
    call_for_number,
    choose,
    choose_all,
    close,
    require,
)

check = exercise = Checks()


@exercise("III.1.a")
def iii_1_a(reasons: str) -> None:
    """Check the two reasons for training in batches (letters)."""
    choose_all(
        reasons,
        right={"b", "d"},
        hints={
            "a": "a batch knows only some of the reviews. How could its gradient be more exact?",
            "c": "an epoch shows each review once, however it is cut into batches.",
            "e": "a list can be shuffled before anybody cuts it.",
        },
    )


@exercise("III.1.b")
def iii_1_b(reason: str) -> None:
    """Check why the order is drawn anew for every epoch (a letter)."""
    choose(
        reason,
        right="d",
        hints={
            "a": "the reviews are the same 20,000 in every epoch, whatever their order.",
            "b": "try it: shuffle once and train with shuffle=False. It was the *sorted* order "
            "that gave 50 %.",
            "c": "the model gets a multi-hot vector and nothing else. It never learns where in "
            "the file a review stood.",
        },
    )


@exercise("III.1.c")
def iii_1_c(reason: str) -> None:
    """Check why evaluation needs no shuffling (a letter)."""
    choose(
        reason,
        right="a",
        hints={
            "b": "look at their labels: the validation and the test reviews are as sorted as the "
            "train reviews.",
            "c": "eval() changes layers like dropout. A loader does not know about it.",
            "d": "would the order matter with 90 % positive reviews? What does an order change "
            "when nothing is learned?",
        },
    )


@exercise("III.2.a")
def iii_2_a(num_batches: Callable) -> None:
    """Check num_batches(num_samples, batch_size) → batches, the last one included."""
    answer = call_for_number(num_batches, 25_000, 128)
    require(
        answer != 195,
        "that counts the full batches. The reviews that are left make a batch, too.",
    )
    require(
        answer.is_integer(),
        "there are no fractions of a batch: the last one is smaller, but it is one.",
    )
    require(answer != 128, "that is the size of a batch, not their number.")
    require(answer == 196, "how many batches of 128 does it take until all 25,000 are seen?")
    require(
        call_for_number(num_batches, 256, 128) == 2,
        "256 reviews fill two batches exactly: no third, empty one comes after them.",
    )
    for num_samples, batch_size, expected in ((1, 128, 1), (129, 128, 2), (5, 1, 5), (0, 128, 0)):
        require(
            call_for_number(num_batches, num_samples, batch_size) == expected,
            f"for {num_samples} samples in batches of {batch_size} the loader gives another "
            "number of batches.",
        )


@exercise("III.2.b")
def iii_2_b(last_batch_size: Callable) -> None:
    """Check last_batch_size(num_samples, batch_size) → samples in the last batch."""
    answer = call_for_number(last_batch_size, 25_000, 128)
    require(answer not in (195, 196), "that is a number of batches. How many reviews are in one?")
    require(
        answer != 128, "the last batch is full only if 128 divides 25,000. What is left after 195?"
    )
    require(answer != 88, "that is how many reviews are *missing* to a full batch.")
    require(answer == 40, "195 full batches hold 24,960 reviews. How many are left?")
    require(
        call_for_number(last_batch_size, 256, 128) == 128,
        "256 reviews make two full batches: the last one is not empty.",
    )
    for num_samples, batch_size, expected in ((1, 128, 1), (129, 128, 1), (5, 1, 1), (7, 4, 3)):
        require(
            call_for_number(last_batch_size, num_samples, batch_size) == expected,
            f"for {num_samples} samples in batches of {batch_size} the last batch has another "
            "size.",
        )


@exercise("III.2.c")
def iii_2_c(shares_of_positives: Callable) -> None:
    """Check shares_of_positives(loader) → share of label 1 in each batch."""
    batches = [[1, 0, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1], [1]]
    loader = [(torch.zeros(len(labels), 3), torch.tensor(labels)) for labels in batches]
    answer = call(shares_of_positives, loader)
    require(isinstance(answer, list), "return a list, one number for each batch.")
    require(
        len(answer) == len(batches),
        "the list must have one number for each batch, the last, smaller one included.",
    )
    shares = [as_number(share) for share in answer]
    require(
        shares != [3, 0, 2, 1],
        "those are the *numbers* of positives. A share lies between 0 and 1.",
    )
    require(max(shares) <= 1, "a share lies between 0 and 1.")
    for size in (4, 128):  # of the first batch, and of those in the notebook
        require(
            not all_close(shares, [3 / size, 0, 2 / size, 1 / size]),
            "the last batch is smaller: divide by the size of *this* batch.",
        )
    require(not all_close(shares, [0.25, 1, 0.5, 0]), "those are the shares of negatives.")
    require(
        any(shares),
        "no share is above 0: a batch is a pair, and the labels are the second part of it.",
    )
    require(
        all_close(shares, [0.75, 0, 0.5, 1]),
        "a share is the number of labels 1 over the number of labels, batch by batch.",
    )


class _CountingLoader:
    """A loader of three batches that counts how many it was asked for."""

    def __init__(self) -> None:
        self.drawn = 0

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for number in range(3):
            self.drawn += 1
            yield torch.full((2, 5), float(number)), torch.tensor([number, number])


@exercise("III.2.d")
def iii_2_d(first_batch: Callable) -> None:
    """Check first_batch(loader) → (inputs, labels), building one batch only."""
    loader = _CountingLoader()
    try:
        answer = call(first_batch, loader)
    except (TypeError, AttributeError) as error:
        raise Wrong(
            f"{error}. A loader can be looped over, but it has no index and is not an iterator "
            "itself."
        ) from error
    require(
        isinstance(answer, tuple | list) and len(answer) == 2,
        "return both parts of the batch, inputs and labels.",
    )
    inputs, labels = answer
    require(
        isinstance(inputs, torch.Tensor) and isinstance(labels, torch.Tensor),
        "return one batch: a tensor of inputs and a tensor of labels.",
    )
    require(
        (inputs.ndim, labels.ndim) != (1, 2), "the two parts are swapped: the inputs come first."
    )
    require(
        tuple(inputs.shape) == (2, 5) and tuple(labels.shape) == (2,),
        "return the whole batch, not a single sample of it.",
    )
    require(
        inputs.eq(0).all().item(), "that is a later batch. The first one is what was asked for."
    )
    require(
        loader.drawn == 1,
        f"the first batch is right, but {loader.drawn} were built to get it. At 10 MB a batch "
        "that adds up.",
    )


@exercise("III.3.a")
def iii_3_a(drop_last_axis: Callable) -> None:
    """Check drop_last_axis(output): [batch, 1] → [batch]."""
    for batch_size in (3, 1, 0):
        output = torch.arange(1.0, batch_size + 1)[:, None].requires_grad_()
        answer = call(drop_last_axis, output)
        require(
            isinstance(answer, torch.Tensor),
            "return a tensor: a number or a list can't go into the loss.",
        )
        require(
            answer.ndim > 0,
            "for a batch of one, no axis is left at all. Which of the two should have stayed?",
        )
        require(
            answer.ndim == 1,
            f"from {list(output.shape)} you make {list(answer.shape)}: the last axis is still "
            "there.",
        )
        require(
            answer.tolist() == [float(i) for i in range(1, batch_size + 1)],
            f"from {list(output.shape)} you make {list(answer.shape)}, or other values: every "
            "sample must keep its logit.",
        )
        require(
            answer.requires_grad,
            "the result is cut off from the graph, so no gradient could flow back through it.",
        )


@exercise("III.3.b")
def iii_3_b(epoch_loss: Callable) -> None:
    """Check epoch_loss(losses, sizes) → mean loss over samples."""
    losses, sizes = np.array([1.0, 0.5, 4.0]), np.array([4, 4, 2])
    answer = call_for_number(epoch_loss, losses, sizes)
    require(not close(answer, 4.0), "that is the loss of the last batch: an anecdote.")
    require(
        not close(answer, 5.5 / 3),
        "that is the mean over *batches*. The last one is smaller, yet it counts as much as the "
        "others.",
    )
    require(
        not close(answer, 14.0) and not close(answer, 5.5),
        "that is a sum. A mean is divided by something.",
    )
    require(
        not close(answer, 14 / 3),
        "the sum over all samples is right, but you divide by the number of batches.",
    )
    require(
        not close(answer, 0.55),
        "each batch loss is a mean already: before adding up it must become a sum again.",
    )
    require(close(answer, 1.4), "the mean per sample: all losses added up, over all samples.")
    answer = call_for_number(epoch_loss, np.array([2.0], dtype=np.float32), np.array([1]))
    require(close(answer, 2.0), "an epoch of a single batch with a single sample has its loss.")


@exercise("III.3.c")
def iii_3_c(reason: str) -> None:
    """Check why batch size 512 is still at 0.69 (a letter)."""
    choose(
        reason,
        right="c",
        hints={
            "a": "a model that overfits has a *low* training loss.",
            "b": "look at the picture of III.1.a: the larger the batch, the better it points.",
            "d": "each of the 512 has its part in the mean, and every review is seen once an "
            "epoch, whatever the batch size.",
        },
    )
