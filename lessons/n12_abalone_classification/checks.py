"""Answer checks of notebook 10 · Tabular data: abalone, classification."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from lessons.exercises import Checks, Wrong
from lessons.framework import as_number, as_numbers, call, call_for_number, close, require

check = exercise = Checks()


def _call_for_shares(function: Callable, *arguments: Any) -> np.ndarray:
    result = call(function, *arguments)
    try:
        shares = np.asarray(result, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"return an array of numbers; this is {type(result).__name__}.") from None
    require(shares.shape == (2, 2), f"an array [2, 2] is expected, got {list(shares.shape)}.")
    return shares


@exercise("12.1")
def ex_12_1(label_old: Callable) -> None:
    """Check label_old(rings, old_from) → (labels int64, accuracy of the best constant answer)."""
    answer = call(label_old, np.array([3, 10, 12, 10, 9, 4, 5, 1]), 10)
    require(
        isinstance(answer, tuple | list) and len(answer) == 2,
        "return two things: the labels, and the base rate.",
    )
    require(
        np.ndim(answer[0]) == 1 or np.ndim(answer[1]) != 1,
        "the two are swapped: the labels come first.",
    )
    labels, base_rate = np.asarray(answer[0]), as_number(answer[1])
    require(
        labels.shape == (8,) and labels.dtype == np.int64,
        f"labels are an int64 array with one entry an animal, got {labels.dtype} "
        f"{list(labels.shape)}.",
    )
    require(
        labels.tolist() != [0, 0, 1, 0, 0, 0, 0, 0],
        "an animal with exactly `old_from` rings counts as old.",
    )
    require(
        labels.tolist() != [1, 0, 0, 0, 1, 1, 1, 1],
        "young and old are swapped: 1 stands for old.",
    )
    require(labels.tolist() == [0, 1, 1, 1, 0, 0, 0, 0], "label 1 from `old_from` rings on.")
    require(
        not close(base_rate, 3 / 8),
        "that is the share of the old. Here a constant answer can be right more often.",
    )
    require(
        not close(base_rate, 0.5),
        "0.5 is what tossing a coin gives. Always giving the *same* answer can do better.",
    )
    require(not close(base_rate, 62.5), "that is a percentage. Give a share between 0 and 1.")
    require(not close(base_rate, 5), "that is a number of animals. Give it as a share of all.")
    require(close(base_rate, 5 / 8), "the base rate is the share of the more frequent class.")
    _, base_rate = call(label_old, np.array([7, 20, 21, 22]), 7)
    require(
        close(base_rate, 1),
        "when all animals are old, always saying 'old' is always right: which of the two classes "
        "is the more frequent one?",
    )


@exercise("12.2")
def ex_12_2(split_indices: Callable) -> None:
    """Check split_indices(labels, seed) → row numbers of train, validation, test."""
    labels = np.repeat([0, 1], [160, 40])
    try:
        parts = call(split_indices, labels, 0)
    except ValueError as error:
        require(
            "inconsistent" not in str(error),
            "the second split got a label for every row of the data, but it splits only what is "
            "left. It needs one label for each of those.",
        )
        raise
    require(
        isinstance(parts, tuple | list) and len(parts) == 3,
        "return three arrays of row numbers: train, validation, test.",
    )
    parts = [np.asarray(part) for part in parts]
    require(
        not any(part.dtype == bool for part in parts),
        "those are True and False for every row. Return the numbers of the rows.",
    )
    sizes = [len(part) for part in parts]
    rows = np.concatenate(parts)
    require(
        not set(parts[1]) & set(parts[2]),
        "some rows are in validation *and* in test: the second split must start from what the "
        "first one left over.",
    )
    require(
        not set(parts[0]) & set(rows[len(parts[0]) :]),
        "some rows of train are in another part as well: the model would be tested on what it "
        "has seen.",
    )
    require(
        set(rows.tolist()) == set(range(200)),
        "each row number belongs in exactly one part. Are these row numbers, or labels?",
    )
    require(
        sizes == [100, 50, 50],
        f"of 200 rows 100, 50 and 50 are expected, got {sizes}. The second split halves what is "
        "left.",
    )
    require(
        any((np.diff(np.sort(part)) != 1).any() for part in parts),
        "the parts are slices: consecutive rows of a file that may be sorted. Shuffle.",
    )
    again, other, *more = (call(split_indices, labels, seed) for seed in (0, 1, 2, 3))
    for split in (parts, other, *more):
        shares = [labels[np.asarray(part)].mean() for part in split]
        found = ", ".join(f"{share:.0%}" for share in shares)
        require(
            all(close(share, 0.2) for share in shares),
            f"20 % of all rows are of class 1, but of the parts {found}: stratify both splits, the "
            "second one by the labels of the rows that are left.",
        )
    require(
        all(map(np.array_equal, parts, again)),
        "the same seed must give the same parts, every time: pass it on.",
    )
    require(
        not np.array_equal(np.sort(parts[0]), np.sort(other[0]))
        and not np.array_equal(np.sort(parts[2]), np.sort(other[2])),
        "another seed must give other parts: is `seed` used in both splits?",
    )


@exercise("12.3")
def ex_12_3(standardize: Callable) -> None:
    """Check standardize(values, train_values) → z-scores by the statistics of train."""
    train = torch.tensor([[1.0, 100.0], [2.0, 300.0], [6.0, 200.0], [3.0, 600.0]])
    values = torch.tensor([[3.0, 300.0], [9.0, 0.0]])
    try:
        answer = call(standardize, values, train)
    except RuntimeError as error:
        require(
            "must match" not in str(error),
            f"the shapes do not fit ({error}). Mean and standard deviation are one number for each "
            "column: which axis goes?",
        )
        raise
    require(
        isinstance(answer, torch.Tensor) and answer.shape == values.shape,
        "return a tensor with the shape of `values`: the rows of train only lend their mean and "
        "standard deviation.",
    )
    answer = answer.detach().cpu().float()
    mean, std = train.mean(dim=0), train.std(dim=0)

    def is_like(expected: torch.Tensor) -> bool:
        return torch.allclose(answer, expected, rtol=1e-4, atol=1e-5)

    own = (values - values.mean(dim=0)) / values.std(dim=0)
    both = torch.cat([values, train])
    require(
        not is_like(own)
        and not is_like((values - values.mean(dim=0)) / std)
        and not is_like((values - mean) / values.std(dim=0)),
        "`values` is standardised by its own statistics: then giants among giants are average.",
    )
    require(
        not is_like((values - both.mean(dim=0)) / both.std(dim=0)),
        "the statistics come from all rows together. Only those of train may be used.",
    )
    require(
        not is_like((values - train.mean()) / train.std()),
        "one mean for all columns mixes millimetres and grams: each column has its own (dim=0).",
    )
    require(
        not is_like((values - mean) / train.var(dim=0)),
        "that divides by the variance. Its square root is wanted.",
    )
    require(
        not is_like(values - mean / std),
        "division comes before subtraction: brackets are missing.",
    )
    require(not is_like(values / std), "the mean has not been subtracted.")
    low, high = train.min(dim=0).values, train.max(dim=0).values
    require(
        not is_like((values - low) / (high - low)),
        "that stretches each column from 0 to 1. Mean and standard deviation are asked.",
    )
    require(not is_like(values - mean), "the division by the standard deviation is missing.")
    require(
        is_like((values - mean) / std) or is_like((values - mean) / train.std(dim=0, correction=0)),
        "subtract the mean of each column of train, then divide by its standard deviation.",
    )
    single = call(standardize, values[:1], train).detach().cpu().float()
    require(
        torch.allclose(single, answer[:1], rtol=1e-4, atol=1e-5),
        "one row alone must come out as it does among others.",
    )


@exercise("12.4")
def ex_12_4(one_hot: Callable) -> None:
    """Check one_hot(categories, names) → float32 [rows, names], an error for unknown ones."""
    names = ("north", "south", "west")
    answer = call(one_hot, pd.Series(["west", "north", "west", "south"]), names)
    require(isinstance(answer, torch.Tensor), "return a tensor.")
    require(
        tuple(answer.shape) == (4, 3),
        f"four categories and three names make a tensor [4, 3], got {list(answer.shape)}.",
    )
    require(
        answer.dtype == torch.float32,
        f"a network takes float32, this is {str(answer.dtype).removeprefix('torch.')}.",
    )
    require(
        bool((answer.sum(dim=1) == 1).all()),
        "a row does not sum to 1. Were its columns ever filled?",
    )
    require(
        answer.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 0]],
        "the columns stand in the order of `names`.",
    )
    require(
        call(one_hot, pd.Series(["south"]), names).tolist() == [[0, 1, 0]],
        "the columns come from `names`, also if a category does not occur in the data.",
    )
    for wrong in (["north", "sooth"], ["North"]):
        try:
            result = one_hot(pd.Series(wrong), names)
        except (ValueError, AssertionError):
            continue
        except Exception as error:
            raise Wrong(
                f"for the categories {wrong} (a slip!) your code stops with "
                f"{type(error).__name__}. Say what is wrong: raise a ValueError."
            ) from error
        rows = result.tolist() if isinstance(result, torch.Tensor) else result
        raise Wrong(
            f"for the categories {wrong} (a slip!) the result is {rows}, and nobody notices. "
            "Raise a ValueError when a row does not sum to 1."
        )


@exercise("12.5")
def ex_12_5(make_mlp: Callable) -> None:
    """Check make_mlp(num_features, hidden_sizes, num_outputs, dropout) → nn.Sequential."""
    model = _make(make_mlp, 5, (7, 3), 2, 0.0)
    layers = _layers(model)
    require(bool(layers), "the nn.Sequential is empty.")
    require(
        not isinstance(layers[-1], nn.ReLU),
        "a ReLU after the last layer cuts off all negative logits.",
    )
    require(
        not isinstance(layers[-1], nn.Softmax | nn.LogSoftmax | nn.Sigmoid),
        "CrossEntropyLoss applies the softmax itself, so the network ends with logits: with both, "
        "the loss could not fall below 0.31.",
    )
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    shapes = [(layer.in_features, layer.out_features) for layer in linear]
    require(
        shapes == [(5, 7), (7, 3), (3, 2)],
        "for 5 features, hidden sizes (7, 3) and 2 outputs three Linear layers are expected, 5→7, "
        f"7→3 and 3→2; got {', '.join(f'{a}→{b}' for a, b in shapes) or 'none'}.",
    )
    names = [type(layer).__name__ for layer in layers]
    require(
        "ReLU" in names,
        "without a ReLU between them, Linear layers in a row are one Linear layer.",
    )
    require(
        names == ["Linear", "ReLU"] * 2 + ["Linear"],
        "each hidden Linear is followed by one ReLU; without dropout there is nothing else. Got "
        f"{', '.join(names)}.",
    )
    require(model(torch.zeros(1, 5)).shape == (1, 2), "a batch of one gives logits [1, 2].")
    dropped = _layers(_make(make_mlp, 5, (7, 3), 1, 0.25))
    names = [type(layer).__name__ for layer in dropped]
    require("Dropout" in names, "with dropout=0.25, nn.Dropout layers are expected.")
    require(
        names[-1] != "Dropout",
        "a dropout after the last layer would switch off logits: only hidden units are dropped.",
    )
    require(
        names == ["Linear", "ReLU", "Dropout"] * 2 + ["Linear"],
        f"a Dropout belongs after *every* hidden layer's ReLU. Got {', '.join(names)}.",
    )
    require(
        all(layer.p == 0.25 for layer in dropped if isinstance(layer, nn.Dropout)),
        "pass the probability on: nn.Dropout() alone takes 0.5.",
    )
    require(
        [type(layer).__name__ for layer in _layers(_make(make_mlp, 4, (), 2, 0.0))] == ["Linear"],
        "without hidden layers one Linear remains.",
    )


def _make(make_mlp: Callable, *arguments: Any) -> nn.Sequential:
    """Call the reader's function without touching the reader's seeds."""
    try:
        with torch.random.fork_rng(devices=[]):
            model = call(make_mlp, *arguments)
    except TypeError as error:
        require(
            "Module subclass" not in str(error),
            "nn.Sequential takes the layers one by one. Yours got them in a list: unpack it.",
        )
        raise
    require(isinstance(model, nn.Sequential), "return an nn.Sequential.")
    return model


def _layers(module: nn.Module) -> list[nn.Module]:
    """Return all layers in order, also those of an nn.Sequential inside another."""
    if not isinstance(module, nn.Sequential):
        return [module]
    return [layer for part in module for layer in _layers(part)]


@exercise("12.6")
def ex_12_6(roc_point: Callable) -> None:
    """Check roc_point(probabilities, labels, threshold) → (FPR, TPR)."""
    probabilities = np.array([0.9, 0.5, 0.4, 0.2, 0.7, 0.1, 0.3, 0.6])
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 0])
    answer = call(roc_point, probabilities, labels, 0.5)
    two = "return two numbers: the false positive rate, the true positive rate."
    false_rate, true_rate = as_numbers(answer, 2, two)
    require(
        not (close(false_rate, 2 / 3) and close(true_rate, 2 / 5)),
        "the two are swapped: the false positive rate comes first.",
    )
    require(
        not close(false_rate, 2) and not close(true_rate, 2),
        "those are numbers of animals. Give them as shares.",
    )
    require(
        not (close(false_rate, 2 / 8) or close(true_rate, 2 / 8)),
        "that divides by all animals. The false positive rate is a share of the *young*, the true "
        "positive rate of the *old*.",
    )
    require(
        not (close(true_rate, 2 / 4) or close(false_rate, 2 / 4)),
        "that divides by those who are *called* old. Both rates are shares of those who truly are "
        "young, or old.",
    )
    require(
        not close(false_rate, 3 / 5),
        "those are the shares that are called *young*.",
    )
    require(not close(true_rate, 1 / 3), "an animal exactly at the threshold is called old.")
    require(
        close(false_rate, 2 / 5) and close(true_rate, 2 / 3),
        "of the young, which share is at or above the threshold? And of the old?",
    )
    for threshold, expected in ((0.0, 1.0), (1.1, 0.0), (0.65, None)):
        false_rate, true_rate = as_numbers(
            call(roc_point, probabilities, labels, threshold), 2, two
        )
        right = (expected, expected) if expected is not None else (1 / 5, 1 / 3)
        require(
            close(false_rate, right[0]) and close(true_rate, right[1]),
            f"right at the threshold 0.5, but not at {threshold}: is the argument used?",
        )


@exercise("12.7")
def ex_12_7(auc_by_pairs: Callable) -> None:
    """Check auc_by_pairs(scores, labels) → share of (old, young) pairs in order."""
    scores = np.array([0.9, 0.4, 0.5, 0.5, 0.1, 0.7, 0.3])
    labels = np.array([1, 1, 1, 0, 0, 0, 0])
    answer = call_for_number(auc_by_pairs, scores, labels)  # 12 pairs: 8 in order, 1 tie
    require(
        not close(answer, 8 / 12),
        "ties are counted as lost. An old and a young animal with the same score count half.",
    )
    require(not close(answer, 9 / 12), "ties are counted as won. They count half.")
    require(
        not close(answer, 3.5 / 12),
        "that is the share of pairs in which the *young* one scores higher.",
    )
    require(
        not close(answer, 8.5) and not close(answer, 8),
        "that is a number of pairs. Divide by how many there are.",
    )
    require(
        not any(close(answer, right / pairs) for right in (8, 8.5) for pairs in (7, 21, 42, 49)),
        "only pairs of one old and one young animal count. How many of those are there?",
    )
    require(
        not close(answer, 7 / 12),
        "the scores were turned into decisions first. Compare the scores themselves.",
    )
    require(
        not close(answer, (8 - 3) / 12),
        "pairs in the wrong order are subtracted. They count nothing, neither for nor against.",
    )
    require(not close(answer, 4 / 7), "that is an accuracy: it judges animals, not pairs.")
    require(
        close(answer, 8.5 / 12),
        "of the 12 pairs of the test case 8 are in order and 1 is a tie.",
    )
    for scale, shift in ((3.0, -7.0), (1e-3, 0.0)):
        require(
            close(call_for_number(auc_by_pairs, scores * scale + shift, labels), 8.5 / 12),
            "the AUC depends on the order of the scores alone: no threshold, no limits.",
        )
    require(
        close(call_for_number(auc_by_pairs, np.array([0.1, 0.2]), np.array([1, 0])), 0),
        "a single pair in the wrong order gives 0.",
    )


@exercise("12.8")
def ex_12_8(confusion_shares: Callable) -> None:
    """Check confusion_shares(predicted, labels) → [2, 2], rows = truth, each summing to 1."""
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
    predicted = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    counts = np.array([[4, 1], [2, 6]])
    answer = _call_for_shares(confusion_shares, predicted, labels)
    require(
        not np.allclose(answer, counts),
        "those are counts. Divide each row by its sum.",
    )
    require(
        not np.allclose(answer, counts / counts.sum()),
        "those are shares of all animals. Each row by itself should sum to 1.",
    )
    by_column = counts / counts.sum(axis=0)
    require(
        not np.allclose(answer, by_column) and not np.allclose(answer, by_column.T),
        "those are shares of each *predicted* class. Of each true class is asked.",
    )
    by_row = counts / counts.sum(axis=1, keepdims=True)
    require(
        not np.allclose(answer, by_row.T),
        "rows and columns are swapped: the rows are the truth.",
    )
    require(
        not np.allclose(answer, counts / counts.sum(axis=1)),
        "the rows are divided by each other's sums: broadcasting needs keepdims=True.",
    )
    require(
        not np.allclose(answer, by_row[::-1, ::-1]),
        "the classes are in the wrong order: young (0) comes first.",
    )
    require(np.allclose(answer, by_row), "entry [i, j]: of class i, the share predicted as j.")
    never = np.asarray(call(confusion_shares, np.zeros(13, dtype=int), labels), dtype=float)
    require(never.shape == (2, 2), "a class that is never predicted still has its column.")
    require(
        np.allclose(never, [[1, 0], [1, 0]]), "if nobody is called old, the shares are 1 and 0."
    )


@exercise("12.9")
def ex_12_9(paired_interval: Callable) -> None:
    """Check paired_interval(new, old) → mean difference and half of its 95 % t-interval."""
    new, old = [80, 91, 72, 86, 65], [78, 90, 71, 82, 66]
    answer = call(paired_interval, new, old)
    two = "return two numbers: the mean difference, half of the interval."
    mean, half = as_numbers(answer, 2, two)
    student = 2.7764451  # the 97.5 % point of Student's t with 4 degrees of freedom
    spread = math.sqrt(3.3)  # the standard deviation of the five differences
    error = spread / math.sqrt(5)
    require(
        not close(mean, 1.4 - student * error, 1e-4),
        "those are the two ends of the interval. Its middle and half of its width are asked.",
    )
    require(not close(mean, -1.4), "the sign is turned round: new minus old.")
    require(close(mean, 1.4), "the first number is the mean of the differences.")

    def is_one_of(*widths: float) -> bool:
        return any(close(half, width, 1e-4) for width in widths)

    unpaired = math.sqrt((np.var(new, ddof=1) + np.var(old, ddof=1)) / 5)
    require(
        not is_one_of(*(factor * unpaired for factor in (1.959964, 1.96, 2, 2.306004, student))),
        "that compares the two lists as if they came from different splits. Take the differences "
        "first: what the splits have in common cancels.",
    )
    require(
        not is_one_of(*(factor * spread for factor in (1, 1.959964, 1.96, 2, student))),
        "that is the spread of the single differences. The error of their *mean* is smaller: "
        "divide by the square root of n.",
    )
    require(
        not is_one_of(*(factor * error for factor in (1, 1.959964, 1.96, 2))),
        "that is too narrow for so few splits: Student's t with n - 1 degrees of freedom allows "
        "for it.",
    )
    require(
        not is_one_of(student * error * math.sqrt(4 / 5)),
        "np.std divides by n unless it is told ddof=1.",
    )
    require(
        not is_one_of(2.5705818 * error, 2.1318468 * error),
        "t is not the right one: the 97.5 % point, with n - 1 degrees of freedom.",
    )
    require(
        not is_one_of(2 * student * error),
        "that is the whole width. Half of it is asked, the part after the ±.",
    )
    require(
        is_one_of(student * error),
        "half of the interval is t times the standard error of the mean difference.",
    )
    mean, half = as_numbers(call(paired_interval, [1.0, 5.0], [2.0, 2.0]), 2, two)
    require(
        close(mean, 1) and close(half, 12.7062047 * 2, 1e-4),
        "right for five splits, but not for two: does the factor of t follow n?",
    )
