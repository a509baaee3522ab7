"""Answer checks of notebook 09 · Bag of words, SVD and metrics."""

import math
from collections.abc import Callable

import numpy as np
import scipy.sparse
import torch

from lessons.exercises import Checks, Wrong
from lessons.framework import (
    all_close,
    as_number,
    as_numbers,
    call,
    call_for_number,
    choose,
    close,
    require,
)

check = exercise = Checks()


@exercise("11.1")
def ex_11_1(words_and_pairs: Callable) -> None:
    """Check words_and_pairs(tokens) → the words, then the pairs of neighbours."""
    tokens = ["not", "bad", "at", "all", "not", "bad"]
    pairs = ["not bad", "bad at", "at all", "all not", "not bad"]

    def ngrams(words: list[str]) -> list[str]:
        try:
            answer = call(words_and_pairs, list(words))
        except IndexError as error:
            raise Wrong(
                f"for {words} your code stops: {error}. Which word has no right neighbour?"
            ) from error
        require(
            isinstance(answer, list | tuple | np.ndarray),
            f"return a list of strings; this is {type(answer).__name__}.",
        )
        require(
            all(isinstance(ngram, str) for ngram in answer),
            "each n-gram is a string. A pair is one string here, its two words with a blank in "
            "between.",
        )
        return list(answer)

    _compare_ngrams(ngrams(tokens), tokens, pairs)
    require(ngrams(["good"]) == ["good"], "a single word has no neighbour.")
    require(ngrams([]) == [], "an empty text has no n-grams at all.")


def _compare_ngrams(found: list[str], tokens: list[str], pairs: list[str]) -> None:
    expected = tokens + pairs
    others = [ngram for ngram in found if ngram not in tokens]
    require(found != pairs, "those are the pairs alone. The words count, too.")
    require(
        not others or any(" " in ngram for ngram in others),
        "the two words of a pair are separated by a blank, and by nothing else.",
    )
    require(
        found != tokens + [" ".join(reversed(pair.split())) for pair in pairs],
        "in a pair, the words stand in the order of the text.",
    )
    require(
        not any(ngram.count(" ") > 1 for ngram in others),
        "some have three words or more: this is about pairs.",
    )
    require(
        set(others) <= set(pairs),
        "a pair was made of words that are no neighbours; the last word has no right neighbour.",
    )
    require(
        sorted(found) != sorted(set(expected)),
        "an n-gram that occurs twice must appear twice: counting comes later.",
    )
    require(
        sorted(found) != sorted(expected) or found == expected,
        "the right n-grams in another order: first all words, then all pairs.",
    )
    require(
        found == expected,
        f"six words have {len(tokens)} 1-grams and {len(pairs)} 2-grams; got {found}.",
    )


@exercise("11.2")
def ex_11_2(gigabytes: float) -> None:
    """Check the size of a dense basis [500, 1,290,428] in float64, in gigabytes."""
    value = as_number(gigabytes)
    numbers = 500 * 1_290_428

    def is_near(*sizes: float) -> bool:
        return any(math.isclose(value, size, rel_tol=0.04) for size in sizes)

    require(
        not is_near(numbers * 4 / 1e9),
        "that is the size in float32, with 4 bytes a number. How many has float64?",
    )
    require(
        not is_near(numbers * 64 / 1e9, numbers / 1e9, numbers),
        "those are bits, or numbers. How many bytes has a number of 64 bits?",
    )
    require(
        not is_near(20_000 * 1_290_428 * 8 / 1e9),
        "that is the matrix of counts itself, if it were dense. The basis has 500 rows.",
    )
    require(
        not is_near(500 * 20_000 * 8 / 1e9),
        "that is with 20,000 columns. How many n-grams are there before any are dropped?",
    )
    require(
        not is_near(*(numbers * 8 / unit for unit in (1, 1e3, 1e6, 1e12))),
        "that is in another unit, such as bytes or megabytes. A gigabyte is 10⁹ bytes.",
    )
    require(
        is_near(numbers * 8 / 1e9, numbers * 8 / 2**30),
        "multiply: components, n-grams, bytes of a number.",
    )


@exercise("11.3")
def ex_11_3(project: Callable) -> None:
    """Check project(counts, components) → coordinates, for sparse and dense counts."""
    numbers = np.random.default_rng(0)
    components = np.linalg.qr(numbers.normal(size=(6, 3)))[0].T  # [3, 6], orthonormal rows
    for rows in (4, 3, 1):
        dense = numbers.poisson(1.0, size=(rows, 6)).astype(float)
        for counts in (scipy.sparse.csr_matrix(dense), dense):
            try:
                answer = call(project, counts, components)
            except ValueError as error:
                require(
                    "expecting" not in str(error),
                    "that asks a decomposition made elsewhere. Use the `components` handed over.",
                )
                raise Wrong(
                    f"the shapes do not fit ({error}). Which of the two must be transposed?"
                ) from error
            answer = answer.toarray() if scipy.sparse.issparse(answer) else np.asarray(answer)
            require(
                answer.dtype != object,
                "NumPy's functions do not know sparse matrices; the operator for a matrix product "
                "does.",
            )
            require(
                answer.shape != (3, rows) or rows == 3,
                f"the result has the shape {list(answer.shape)}, but one row a review is wanted.",
            )
            require(
                answer.shape == (rows, 3),
                f"the result has the shape {list(answer.shape)}, not [reviews, k].",
            )
            expected = dense @ components.T
            centred = (dense - dense.mean(axis=0)) @ components.T
            require(
                not np.allclose(answer, centred) or np.allclose(expected, centred),
                "a mean has been subtracted. A single review has no mean but itself, and a "
                "sparse matrix would no longer be sparse.",
            )
            left, singular, _ = np.linalg.svd(dense)
            require(
                rows == 1
                or not np.allclose(np.abs(answer), np.abs(left[:, :3] * singular[:3]), atol=1e-6),
                "a decomposition of its own was fitted to these counts. Nothing is fitted to a new "
                "review: use the `components` handed over.",
            )
            lengths = np.linalg.norm(expected, axis=1, keepdims=True)
            require(
                not np.allclose(answer * lengths, expected) or np.allclose(answer, expected),
                "the coordinates were divided by their length; that is not asked for.",
            )
            require(
                np.allclose(answer, expected),
                "each coordinate is the scalar product of a review with a component.",
            )


@exercise("11.4")
def ex_11_4(components_for: Callable) -> None:
    """Check components_for(ratios, share) → how many components explain that share."""
    ratios = np.array([0.5, 0.25, 0.125, 0.0625])
    shares, expected = (0.6, 0.75, 0.8, 0.9, 0.5, 0.1), [2, 2, 3, 4, 1, 1]
    answers = [call_for_number(components_for, ratios.copy(), share) for share in shares]
    require(
        all(answer.is_integer() for answer in answers),
        "return how many components: a whole number.",
    )
    running = np.cumsum(ratios)
    require(
        answers != [wanted - 1 for wanted in expected],
        "that is the position of the last one needed, which counts from 0 (or one component is "
        "missing). How many are they?",
    )
    require(
        answers != [wanted + 1 for wanted in expected],
        "one too many: fewer components explain that share already.",
    )
    require(
        answers != [(running <= share).sum() + 1 for share in shares],
        "`at least`: the first two components explain exactly 75 %, so if that is asked for, no "
        "more are needed.",
    )
    require(
        answers != [(running >= share).sum() for share in shares],
        "that counts the running sums that reach the share. How many come before?",
    )
    for share, answer, wanted in zip(shares, answers, expected, strict=True):
        require(
            answer == wanted,
            f"for ratios of {ratios.tolist()} and a share of {share:.0%} the answer is not "
            f"{answer:g}. Are you adding up?",
        )


@exercise("11.5")
def ex_11_5(num_parameters: int) -> None:
    """Check the number of parameters of a network 500-200-1."""
    answer = as_number(num_parameters)
    require(
        answer not in (100_000, 100_200),
        "that is the first layer alone, or both without biases. Each layer has weights, and a "
        "bias for each of its units.",
    )
    require(
        answer not in (100_400, 100_201),
        "one layer's biases are missing.",
    )
    require(
        answer not in (100_900, 100_700),
        "the biases belong to the units of a layer, its outputs, not to its inputs.",
    )
    require(
        answer not in (4_000_401, 4_000_601, 4_000_201),
        "that is a network on 20,000 inputs. After the SVD a review has 500 numbers.",
    )
    require(
        answer not in (100_402, 100_602, 100_601),
        "the activations have no parameters.",
    )
    require(answer == 100_401, "add up weights and biases of both Linear layers.")


@exercise("11.6")
def ex_11_6(scores: Callable) -> None:
    """Check scores(predicted, targets) → precision, recall, F1, accuracy."""
    predicted = torch.tensor([1, 1, 1, 1, 0, 0, 0, 0, 0, 1])
    targets = torch.tensor([1, 1, 0, 0, 1, 0, 0, 0, 0, 1])
    four = "return four numbers: precision, recall, F1, accuracy."
    answer = as_numbers(call(scores, predicted, targets), 4, four)
    precision, recall, f1, accuracy = answer
    require(
        not (close(precision, 3 / 4) and close(recall, 3 / 5)),
        "precision and recall are swapped. Precision divides by what was *called* positive.",
    )
    right = [3 / 5, 3 / 4, 2 / 3, 7 / 10]
    require(
        all_close(answer, right) or not all_close(sorted(answer), sorted(right)),
        "the right numbers in another order: precision, recall, F1, accuracy.",
    )
    require(not close(precision, 3), "those are counts; divide them.")
    require(close(precision, 3 / 5), "precision: of those called positive, how many are positive?")
    require(close(recall, 3 / 4), "recall: of those that are positive, how many were found?")
    require(
        not close(f1, (3 / 5 + 3 / 4) / 2),
        "F1 is the harmonic mean of precision and recall, not the ordinary one.",
    )
    require(not close(f1, 9 / 20 / (27 / 20)), "F1 is *twice* the product, divided by the sum.")
    require(close(f1, 2 / 3), "F1 is 2 P R / (P + R).")
    require(not close(accuracy, 3 / 10), "the accuracy counts right negative predictions as well.")
    require(
        not close(accuracy, 7) and not close(accuracy, 70),
        "the accuracy is a share, between 0 and 1.",
    )
    require(close(accuracy, 7 / 10), "the accuracy is the share of right predictions.")
    for case, (p, t), expected in (
        ("nothing is called positive", ([0, 0, 0], [1, 0, 1]), (0, 0, 0, 1 / 3)),
        ("nothing is positive", ([1, 0], [0, 0]), (0, 0, 0, 1 / 2)),
        ("neither is positive", ([0], [0]), (0, 0, 0, 1)),
        ("a batch of one is right", ([1], [1]), (1, 1, 1, 1)),
    ):
        try:
            answer = as_numbers(call(scores, torch.tensor(p), torch.tensor(t)), 4, four)
        except ZeroDivisionError as error:
            raise Wrong(f"when {case}, your function divides by zero: return 0 there.") from error
        require(
            not any(map(math.isnan, answer)),
            f"when {case}, 0/0 has become nan: return 0 there.",
        )
        require(
            all_close(answer, expected),
            f"when {case}, the scores are not {tuple(round(number, 3) for number in answer)}.",
        )


@exercise("11.7")
def ex_11_7(reason: str) -> None:
    """Check why the mean of the batches' F1 is half of the F1 (a letter)."""
    choose(
        reason,
        right="d",
        hints={
            "a": "true, but one batch of forty can't take away half of the score.",
            "b": "the threshold is the same in both numbers, and so are the predictions.",
            "c": "the score of a batch is that of the batch alone; what adds up is shown by "
            "compute(), and that number is right.",
        },
    )


@exercise("11.8")
def ex_11_8(worst_leak: str) -> None:
    """Check which of four preparations leaks worst (a letter)."""
    choose(
        worst_leak,
        right="a",
        hints={
            "b": "a leak, yes, but texts without labels: what could they give away about the "
            "sentiment?",
            "c": "that is no leak at all: it is what happens to every new review.",
            "d": "statistics of the training part alone are allowed: nothing leaks.",
        },
    )


@exercise("11.9")
def ex_11_9(verdict: str) -> None:
    """Check what the reduction to 500 numbers buys (a letter)."""
    choose(
        verdict,
        right="b",
        hints={
            "a": "compare the accuracies with those of the sparse network and the regression.",
            "c": "look at the megabytes of the model: what does a new review need before the "
            "network can read it?",
            "d": "add the seconds of the SVD to those of the training.",
        },
    )
