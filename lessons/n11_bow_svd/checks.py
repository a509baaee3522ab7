"""The exercises of notebook 11 · Bag of words, SVD and metrics."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix, issparse
from torch import Tensor

from lessons.exercises import Checks

check = Checks()


# --- 11.1 and 11.2 ------------------------------------------------------------------------


def pairs(tokens: list[str], joint: str = " ") -> list[str]:
    """Return neighbours, joined."""
    return [joint.join(pair) for pair in itertools.pairwise(tokens)]


def words_and_pairs(tokens: list[str]) -> list[str]:
    """Return the words, then the pairs of neighbours."""
    return tokens + pairs(tokens)


check.exercise(
    "11.1",
    words_and_pairs,
    changes=True,
    inputs=[(["not", "bad", "at", "all", "not", "bad"],), (["so", "good"],), (["good"],), ([],)],
    mistakes=[
        ("those are the pairs alone. The words count, too.", pairs),
        ("those are the words alone.", lambda tokens: tokens),
        (
            "the two words of a pair are separated by a space, and by nothing else.",
            lambda tokens: tokens + pairs(tokens, "_"),
            lambda found, tokens: len(found) == 2 * len(tokens) - 1 and " " not in "".join(found),
        ),
        (
            "a pair is one string here, its two words with a space in between.",
            lambda tokens: [*tokens, *itertools.pairwise(tokens)],
            lambda found, tokens: not all(isinstance(ngram, str) for ngram in found),
        ),
        (
            "in a pair, the words stand in the order of the text.",
            lambda tokens: tokens + [f"{b} {a}" for a, b in itertools.pairwise(tokens)],
        ),
        (
            "some have three words or more: this is about pairs.",
            lambda tokens: [*words_and_pairs(tokens), " ".join(tokens[:3])],
            lambda found, tokens: any(ngram.count(" ") > 1 for ngram in found),
        ),
        (
            "a pair was made of words that are no neighbours. The last word has no right one.",
            lambda tokens: tokens + [" ".join(two) for two in itertools.combinations(tokens, 2)],
            lambda found, tokens: tokens and not {*found} <= {*words_and_pairs(tokens)},
        ),
        (
            "an n-gram that occurs twice must appear twice: counting comes later.",
            lambda tokens: [*dict.fromkeys(words_and_pairs(tokens))],
            lambda found, tokens: sorted(found) == sorted({*words_and_pairs(tokens)}),
        ),
        (
            "the right n-grams in another order: first all words, then all pairs.",
            lambda tokens: pairs(tokens) + tokens,
            lambda found, tokens: sorted(found) == sorted(words_and_pairs(tokens)),
        ),
    ],
    errors={"index out of range": "Which word has no right neighbour? A text may be empty."},
    otherwise="Six words have six 1-grams and five 2-grams.",
)

NUMBERS = 500 * 1_290_428


def near(*sizes: float) -> Callable[[Any], bool]:
    """Return what tells a size within four per cent."""
    return lambda value: any(math.isclose(float(value), size, rel_tol=0.04) for size in sizes)


check.exercise(
    "11.2",
    NUMBERS * 8 / 1e9,
    tolerance=0.075,  # 4.8 GiB pass as well
    mistakes=[
        (
            "that is float32, with 4 bytes a number. How many has float64?",
            NUMBERS * 4 / 1e9,
            near(NUMBERS * 4 / 1e9),
        ),
        (
            "those are bits, or numbers. How many bytes has a number of 64 bits?",
            NUMBERS * 64 / 1e9,
            near(NUMBERS * 64 / 1e9, NUMBERS / 1e9, NUMBERS),
        ),
        (
            "that is the matrix of counts itself, if it were dense. The basis has 500 rows.",
            20_000 * 1_290_428 * 8 / 1e9,
            near(20_000 * 1_290_428 * 8 / 1e9),
        ),
        (
            "that is with 20,000 columns. How many n-grams are there before any are dropped?",
            0.08,
            near(500 * 20_000 * 8 / 1e9),
        ),
        (
            "that is in another unit, such as bytes or megabytes. A gigabyte is 10⁹ bytes.",
            NUMBERS * 8 / 1e6,
            near(*(NUMBERS * 8 / unit for unit in (1, 1e3, 1e6, 1e12))),
        ),
    ],
    otherwise="Multiply: components, n-grams, bytes of a number.",
)


# --- 11.3 to 11.5 -------------------------------------------------------------------------


def counted(rows: int, sparse: bool) -> Callable[[], tuple]:
    """Return what makes counts [rows, 6] and components [3, 6] with orthonormal rows."""

    def make() -> tuple:
        rng = np.random.default_rng(rows)
        components = np.linalg.qr(rng.normal(size=(6, 3)))[0].T
        counts = rng.poisson(1.5, size=(rows, 6)).astype(float)
        return csr_matrix(counts) if sparse else counts, components

    return make


def coordinates(project: Callable, counts: Any, components: np.ndarray) -> Any:
    """Return the coordinates as a dense array."""
    found = project(counts, components)
    return found.toarray() if issparse(found) else found


def length(rows: np.ndarray) -> np.ndarray:
    """Return the length of each row as a column."""
    return np.linalg.norm(rows, axis=1, keepdims=True)


check.exercise(
    "11.3",
    lambda counts, components: counts @ components.T,
    probe=coordinates,
    inputs=[counted(4, True), counted(4, False), counted(3, True), counted(1, False)],
    mistakes=[
        ("one row per review is wanted: that is transposed.", lambda x, v: v @ x.T),
        (
            "a mean has been subtracted. A single review has no mean but itself, and a sparse "
            "matrix would no longer be sparse.",
            lambda x, v: np.asarray(x - x.mean(axis=0)) @ v.T,
        ),
        (
            "the coordinates were divided by their length; that is not asked for.",
            lambda x, v: (x @ v.T) / length(x @ v.T),
        ),
        (
            "a decomposition of its own was fitted to these counts. Nothing is fitted to a new "
            "review: use the `components` handed over.",
            lambda x, v: (
                np.linalg.svd(x.toarray() if issparse(x) else x)[0][:, :1] @ np.ones((1, 3))
            ),
            lambda found, x, v: found.shape[1:] == (3,) and x.shape[0] > 1 and issparse(x),
        ),
    ],
    errors={
        "expecting": "That asks a decomposition made elsewhere. Use the `components` handed over.",
        "mismatch": "Which of the two must be transposed?",
        "inner dimensions": "Which of the two must be transposed?",
        "not aligned": "Which of the two must be transposed? (np.dot knows no sparse matrices.)",
    },
    otherwise="Each coordinate is the scalar product of a review with a component.",
)


def components_for(ratios: np.ndarray, share: float) -> int:
    """Return how many components explain at least that share."""
    return int(np.argmax(np.cumsum(ratios) >= share)) + 1


RATIOS = np.array([0.5, 0.25, 0.125, 0.0625])

check.exercise(
    "11.4",
    components_for,
    inputs=[(RATIOS, share) for share in (0.6, 0.75, 0.8, 0.9, 0.5, 0.1)],
    mistakes=[
        (
            "that is the position of the last one needed, which counts from 0. How many are they?",
            lambda ratios, share: components_for(ratios, share) - 1,
        ),
        ("one too many: fewer explain that share already.", lambda *a: components_for(*a) + 1),
        (
            "`at least`: the first two components explain exactly 75 %, so if that is asked for, "
            "no more are needed.",
            lambda ratios, share: int((np.cumsum(ratios) <= share).sum()) + 1,
        ),
        (
            "that counts the running sums that reach the share. How many come before?",
            lambda ratios, share: int((np.cumsum(ratios) >= share).sum()),
        ),
        (
            "that looks at each component by itself. Are you adding up?",
            lambda ratios, share: int((ratios >= share).sum()),
        ),
        (
            "return how many components, not what they explain.",
            lambda ratios, share: float(np.cumsum(ratios)[components_for(ratios, share) - 1]),
        ),
    ],
    otherwise="Are you adding up?",
)

check.exercise(
    "11.5",
    100_401,
    mistakes=[
        (
            "that is the first layer alone, or both without biases. Each layer has weights, and a "
            "bias for each of its units.",
            100_200,
            lambda count: count in (100_000, 100_200),
        ),
        ("one layer's biases are missing.", 100_400, lambda count: count in (100_400, 100_201)),
        (
            "the biases belong to the units of a layer, its outputs, not to its inputs.",
            100_900,
            lambda count: count in (100_900, 100_700),
        ),
        (
            "that is a network on 20,000 inputs. After the SVD a review has 500 numbers.",
            4_000_401,
            lambda count: count in (4_000_401, 4_000_601, 4_000_201),
        ),
        ("the activations have no parameters.", 100_602, lambda count: 100_401 < count < 100_603),
    ],
    otherwise="Add up weights and biases of both Linear layers.",
)


# --- 11.6 ---------------------------------------------------------------------------------


def scores(
    predicted: Tensor,
    targets: Tensor,
    divide: Callable = lambda a, b: a / b if b else 0.0,
    f1: Callable = lambda p, r: 2 * p * r / (p + r) if p + r else 0.0,
    accuracy: Callable = lambda p, t: (p == t).float().mean().item(),
    order: tuple = (0, 1, 2, 3),
) -> tuple:
    """Return precision, recall, F1 and accuracy, with places to spoil them."""
    both = ((predicted == 1) & (targets == 1)).sum().item()
    precision = divide(both, (predicted == 1).sum().item())
    recall = divide(both, (targets == 1).sum().item())
    answer = precision, recall, f1(precision, recall), accuracy(predicted, targets)
    return tuple(answer[i] for i in order)


def spoilt(**options: Any) -> Callable:
    """Return an answer to 11.6 with something wrong."""
    return lambda predicted, targets: scores(predicted, targets, **options)


def labelled(predicted: list[int], targets: list[int]) -> tuple[Tensor, Tensor]:
    """Return both as tensors."""
    return torch.tensor(predicted), torch.tensor(targets)


check.exercise(
    "11.6",
    scores,
    inputs=[
        labelled([1, 1, 1, 1, 0, 0, 0, 0, 0, 1], [1, 1, 0, 0, 1, 0, 0, 0, 0, 1]),
        labelled([0, 0, 0], [1, 0, 1]),
        labelled([1, 0], [0, 0]),
        labelled([0], [0]),
        labelled([1], [1]),
    ],
    mistakes=[
        (
            "precision and recall are swapped. Precision divides by what was *called* positive.",
            spoilt(order=(1, 0, 2, 3)),
        ),
        ("the right numbers in another order.", spoilt(order=(3, 0, 1, 2))),
        ("precision is a count: divide it.", spoilt(divide=lambda a, b: a, f1=lambda p, r: 0)),
        (
            "F1 is the harmonic mean of the two, not the ordinary one.",
            spoilt(f1=lambda p, r: (p + r) / 2),
        ),
        (
            "F1 is *twice* the product, divided by the sum.",
            spoilt(f1=lambda p, r: p * r / (p + r) if p + r else 0.0),
        ),
        ("F1 is divided by the sum of precision and recall.", spoilt(f1=lambda p, r: 2 * p * r)),
        (
            "the accuracy counts right negative predictions as well.",
            spoilt(accuracy=lambda p, t: ((p == 1) & (t == 1)).sum().item() / len(p)),
        ),
        (
            "the accuracy is a share, not a count.",
            spoilt(accuracy=lambda p, t: (p == t).sum().item()),
        ),
        (
            "where nothing is positive, 0/0 has become nan: return 0 there.",
            spoilt(
                divide=lambda a, b: a / b if b else math.nan,
                f1=lambda p, r: 2 * p * r / (p + r) if p + r else math.nan,
            ),
        ),
        (
            "where nothing is positive, return 0, not 1.",
            spoilt(divide=lambda a, b: a / b if b else 1.0),
        ),
    ],
    errors={"division by zero": "If nothing is called positive, or nothing is, return 0 there."},
    otherwise="Precision, recall, F1, accuracy: check them one by one on ten samples.",
)

check.choice(
    "11.7",
    right="d",
    wrong={
        "a": "true, but one batch of forty can't take away half of the score.",
        "b": "the threshold is the same in both numbers, and so are the predictions.",
        "c": "the score of a batch is that of the batch alone; what adds up is shown by compute(), "
        "and that number is right.",
    },
)

check.choice(
    "11.8",
    right="a",
    wrong={
        "b": "a leak, yes, but texts without labels: what could they say about the sentiment?",
        "c": "that is no leak at all: it is what happens to every new review.",
        "d": "statistics of the training part alone are allowed: nothing leaks.",
    },
)

check.choice(
    "11.9",
    right="b",
    wrong={
        "a": "compare the accuracies with those of the sparse network and the regression.",
        "c": "look at the megabytes of the model: what does a new review need before the network "
        "can read it?",
        "d": "add the seconds of the SVD to those of the training.",
    },
)
