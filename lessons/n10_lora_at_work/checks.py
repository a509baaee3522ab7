"""Answer checks of notebook 10 · LoRA at work."""

from collections.abc import Callable

import torch
from torch import nn

from helpers.text import Vocabulary
from lessons.exercises import Checks, Wrong
from lessons.framework import as_number, call, call_for_number, close, require

check = exercise = Checks()


@exercise("10.1")
def ex_10_1(trainable: int, total: int) -> None:
    """Check the parameter counts of the 20,000-200-2 model with an adapter of rank 1."""
    trainable, total = (as_number(number) for number in (trainable, total))
    require(
        (trainable, total) != (4_020_802, 20_200),
        "the two numbers are swapped: trainable first.",
    )
    hints = {
        4_000_000: "that would be W itself, which is frozen.",
        4_000_602: "that is the model without an adapter, all of it. What is still trained?",
        4_020_802: "that is everything there is. W, its bias and the second layer are frozen.",
        20_602: "the second layer is frozen as well here; that is the count with it.",
        20_400: "the bias of the first layer is frozen, like its weight.",
        20_201: "here the vocabulary has 20,000 codes, the unknown one included.",
        20_000: "that is one of the two matrices.",
        200: "that is one of the two matrices.",
        40_400: "that is rank 2.",
    }
    require(trainable == 20_200, hints.get(trainable, "A has r · in numbers, and B out · r."))
    hints = {
        4_000_602: "that was the total before. The adapter comes on top.",
        3_980_402: "the adapter comes on top of the model, it does not replace a part of it.",
        4_020_200: "the second layer and the bias are frozen, but they still count in the total.",
        4_020_400: "the second layer is frozen, but it still counts in the total.",
    }
    require(
        total == 4_020_802,
        hints.get(total, "count the model before, every weight and every bias, and add A and B."),
    )


@exercise("10.2")
def ex_10_2(largest_stable_lr: Callable) -> None:
    """Check largest_stable_lr(curvature) → the learning rate beyond which steps diverge."""
    for curvature in (20.0, 1.0, 0.125):
        answer = call_for_number(largest_stable_lr, curvature)
        if close(answer, 2 / curvature):
            continue
        require(
            not close(answer, 1 / curvature),
            "with that one a single step lands in the minimum. A larger one overshoots, but does "
            "it end up farther away than it began?",
        )
        require(
            not (close(answer, 2 * curvature) or close(answer, curvature / 2)),
            "the steeper the valley, the smaller the steps must be. Yours grow with the curvature.",
        )
        raise Wrong(
            f"for a curvature of {curvature:g}, {answer:g} is wrong. By what does one step "
            "multiply the distance, and when is that smaller than −1?"
        )


@exercise("10.3")
def ex_10_3(adam_state_bytes: Callable) -> None:
    """Check adam_state_bytes(model) → bytes of Adam's two moments."""
    with torch.random.fork_rng(devices=[]):  # leave the reader's random numbers alone
        model = nn.Sequential(nn.Linear(10, 3), nn.ReLU(), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    everything, trained = 41, 8
    answer = call_for_number(adam_state_bytes, model)
    require(
        answer not in (8 * everything, 4 * everything, 2 * everything, everything),
        "the frozen parameters are counted too. Adam never sees them.",
    )
    require(answer != 4 * trained, "that is one moment for each number. Adam keeps two.")
    require(
        answer not in (trained, 2 * trained), "that is how many numbers there are. And in bytes?"
    )
    require(answer != 8 * 8 * trained, "those are bits: a byte has eight.")
    require(answer != 12 * trained, "the parameters themselves are no part of Adam's state.")
    require(
        answer != 8 * trained + 8,
        "those are also Adam's counters of steps, one for each tensor. Only the two means count.",
    )
    require(answer == 8 * trained, "two numbers for every number that is trained, at 4 bytes each.")
    require(
        call_for_number(adam_state_bytes, model.double()) == 16 * trained,
        "for a float64 model your answer is wrong: not every number has 4 bytes. The parameter "
        "knows.",
    )
    require(
        call_for_number(adam_state_bytes, model.requires_grad_(False)) == 0,
        "a model without a trained parameter needs no state.",
    )


@exercise("10.4")
def ex_10_4(most_moved: Callable) -> None:
    """Check most_moved(update, vocabulary, count) → the tokens with the longest columns."""
    vocabulary = Vocabulary(["film", "good", "bad", "plot"])
    columns = {
        "<unk>": (0.0, 0.3, 0.0),  # of length 0.3
        "film": (2.9, 2.9, 2.9),  # 5.02
        "good": (3.0, -4.0, 1.0),  # 5.10
        "bad": (0.1, 0.1, 9.0),  # 9.00
        "plot": (-4.5, 0.2, 0.0),  # 4.50
    }
    update = torch.tensor(list(columns.values())).T.contiguous()  # [out, in]
    answer = call(most_moved, update.clone(), vocabulary, 2)
    require(
        isinstance(answer, list) and all(isinstance(token, str) for token in answer),
        "return a list of tokens (str).",
    )
    hints = {
        ("plot", "bad"): "off by one: code 0 is the unknown token, and `decode` knows it.",
        ("good", "<unk>"): "you measured rows. A token is a *column* of the update.",
        ("<unk>", "plot"): "those two moved least: the longest columns come first.",
        ("good", "bad"): "the right tokens, but the one that moved most comes first.",
        ("bad", "film"): "a length is no sum: entries of opposite sign cancel there. Square before "
        "you add.",
        ("bad", "plot"): "that is the largest entry of each column. Its length takes all of them.",
    }
    require(
        answer == ["bad", "good"],
        hints.get(tuple(answer), f"for `count` = 2 tokens of {list(columns)}, {answer} is wrong."),
    )
    answer = call(most_moved, torch.diag(torch.tensor([5.0, 1, 2, 3, 4])), vocabulary, 3)
    require(
        answer == ["<unk>", "plot", "bad"],
        "the unknown token has a column as well, and it may be the one that moved most.",
    )
