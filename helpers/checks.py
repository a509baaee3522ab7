"""One check for each exercise: says what is wrong without giving the answer away.

A check takes the reader's function or value, compares it with an independent reference,
and prints one line: ``✓`` when it is right, ``✗`` and the likely mistake when it is not,
``…`` while it is unanswered (None or ``...``). The notebook goes on in every case. With
``COURSE_STRICT=1`` in the environment, or under nbgrader, the last two raise instead.
"""

import functools
import math
import os
import string
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.corpus import Reviews
from helpers.lora import LoRALinear
from helpers.models import OneHotMLP
from helpers.text import Vocabulary
from helpers.training import Evaluation, evaluate, pick_device, train_epoch


class Wrong(AssertionError):  # noqa: N818 - it is the verdict on an answer
    """A wrong answer; the message names the likely mistake."""


class Open(AssertionError):  # noqa: N818 - it is the state of an answer
    """An exercise that is not answered yet."""


def is_strict() -> bool:
    """Whether open and wrong answers raise, instead of only printing a line."""
    return os.environ.get("COURSE_STRICT", "") not in ("", "0") or bool(
        os.environ.get("NBGRADER_EXECUTION")
    )


def exercise(label: str) -> Callable:
    """Make a check out of a function that raises `Wrong` when an answer is wrong."""

    def decorate(compare: Callable) -> Callable:
        @functools.wraps(compare)
        def check(*answers: Any) -> None:
            try:
                for answer in answers:
                    _require_answer(answer)
                compare(*answers)
            except Open as error:
                print(f"… {label} waits for your answer. {error}".rstrip())
                if is_strict():
                    raise
            except Wrong as error:
                print(f"✗ {label}: {error}")
                if is_strict():
                    raise
            except Exception as error:
                print(f"✗ {label}: your code stopped with {type(error).__name__}: {error}")
                if is_strict():
                    raise
            else:
                print(f"✓ {label}")

        return check

    return decorate


def require(condition: bool, message: str) -> None:
    """Raise `Wrong` with `message` unless `condition` holds."""
    if not condition:
        raise Wrong(message)


def _require_answer(answer: Any) -> None:
    if answer is None or answer is ...:
        raise Open


def _call(function: Callable, *arguments: Any) -> Any:
    """Call the reader's function; None or ... back means that it is not written yet."""
    result = function(*arguments)
    if result is None or result is ...:
        raise Open("(It returns nothing yet: is a `return` missing?)")
    return result


def _close(value: Any, expected: float, tolerance: float = 1e-6) -> bool:
    return math.isclose(float(value), expected, rel_tol=tolerance, abs_tol=tolerance)


def _choose(answer: str, right: str, hints: dict[str, str]) -> None:
    """Compare the letter of a multiple-choice answer."""
    require(
        isinstance(answer, str) and answer.strip().lower() in {right, *hints},
        f"answer with one letter: {', '.join(sorted({right, *hints}))}.",
    )
    letter = answer.strip().lower()
    require(letter == right, hints.get(letter, ""))


# --- 01 · Vocabulary and tokenisation ----------------------------------------------------


@exercise("I.1")
def i_1(describe: Callable) -> None:
    """Check describe(reviews) → (positives, negatives, total, mean words)."""
    reviews = Reviews(("so bad", "not  good at all", "fine"), (0, 0, 1))
    answer = _call(describe, reviews)
    require(
        isinstance(answer, tuple) and len(answer) == 4,
        "return four numbers: positives, negatives, total, mean length.",
    )
    positives, negatives, total, mean = answer
    require(
        (positives, negatives) != (2, 1),
        "positives and negatives are swapped: the label of a positive review is 1.",
    )
    require((positives, negatives) == (1, 2), "count the labels 1 and 0, each by itself.")
    require(total == 3, "the total is the number of reviews.")
    require(
        not _close(mean, 26 / 3),
        "that is the mean number of characters. How do you cut a text into words?",
    )
    require(
        not _close(mean, 8 / 3),
        "two blanks in a row made an empty word: split() and split(' ') differ.",
    )
    require(not _close(mean, 7), "that is the sum of all lengths, not yet their mean.")
    require(
        _close(mean, 7 / 3), "the mean length is the number of words over the number of reviews."
    )


@exercise("I.2.a")
def i_2_a(most_frequent: list[str], least_frequent: list[str]) -> None:
    """Check the five most and five least frequent tokens of the vocabulary."""
    for tokens in (most_frequent, least_frequent):
        require(
            isinstance(tokens, list) and len(tokens) == 5,
            "each answer is a list of five tokens: slice vocabulary.tokens.",
        )
    require(
        set(most_frequent) == {"the", "a", "and", "of", "to"},
        "the five most frequent tokens stand first, because the codes follow the counts.",
    )
    require(
        most_frequent[0] == "the",
        "the order is lost: a slice of the list keeps the most frequent token first.",
    )
    require(
        least_frequent[-1:] != ["Crocker)"],
        "those are the rarest tokens of the reviews. Which are the rarest *in the vocabulary*?",
    )
    require(
        least_frequent != ["nation,", "tossing", "Bros", "place!", "age-old"],
        "the right tokens, but backwards: slice without reversing.",
    )
    require(
        least_frequent == ["age-old", "place!", "Bros", "tossing", "nation,"],
        "the least frequent tokens of the vocabulary stand at its end: which slice takes five "
        "from there?",
    )


@exercise("I.2.b")
def i_2_b(unknown_code: int) -> None:
    """Check the code that every unknown token gets."""
    require(
        unknown_code not in (20_000, 20_001),
        "codes 1 to 20,000 are taken by tokens, and a new one at the end is not what encode uses. "
        "Try it: vocabulary.encode(['zzyzx']).",
    )
    require(
        unknown_code != -1,
        "-1 is what str.find uses. Here the code is also a place in the vector, so it must be one "
        "that exists.",
    )
    require(
        isinstance(unknown_code, int) and unknown_code == 0,
        "ask the vocabulary: what does encode give for a word that nobody wrote?",
    )


@exercise("I.2.c")
def i_2_c(count_unknown: Callable) -> None:
    """Check count_unknown(texts, vocabulary) → number of tokens without a code."""
    vocabulary = Vocabulary(["good", "film"])
    texts = ("a good film", "", "a bad bad film")
    answer = _call(count_unknown, texts, vocabulary)
    require(
        answer != 2,
        "that is the number of *different* unknown words, or of reviews that have one. How many "
        "times do they occur?",
    )
    require(answer != 3, "those are the tokens that the vocabulary *does* hold.")
    require(
        not (isinstance(answer, float) and answer < 2),
        "that is a share or a mean. The task asks for a count.",
    )
    require(answer == 4, "count every token, in every text, whose code is that of the unknown.")
    require(
        _call(count_unknown, ("good", ""), vocabulary) == 0,
        "a text without unknown tokens, or without any token, adds nothing.",
    )
    require(
        _call(count_unknown, ("Good film,",), vocabulary) == 2,
        "cut the text with split() alone: here `Good` and `film,` are unknown.",
    )


@exercise("I.3.a")
def i_3_a(reason: str) -> None:
    """Check why the accuracy on the first 200 reviews is perfect (a letter)."""
    _choose(
        reason,
        right="b",
        hints={
            "a": "a model that memorises does well on *its* 200 reviews, but these 200 it never "
            "saw.",
            "c": "look at the accuracy on a balanced sample below: the model has not learned to "
            "read.",
            "d": "accuracy does not favour small samples; it only gets noisier.",
        },
    )


@exercise("I.3.b")
def i_3_b(balanced_first: Callable) -> None:
    """Check balanced_first(reviews, size) → Reviews, half of each class."""
    reviews = Reviews(tuple(f"review {i}" for i in range(10)), (0,) * 6 + (1,) * 4)
    sample = _call(balanced_first, reviews, 4)
    require(isinstance(sample, Reviews), "return Reviews: reviews.select(indices) makes them.")
    require(len(sample) == 4, "the sample must have `size` reviews in all.")
    require(
        set(sample.labels) == {0, 1},
        "all reviews of the sample are of one class: slicing a sorted data set takes only its "
        "first block.",
    )
    require(sum(sample.labels) == 2, "half of the sample must be positive.")
    require(
        sorted(sample.texts) == ["review 0", "review 1", "review 6", "review 7"],
        "take the *first* ones of each class.",
    )


@exercise("II.4.a")
def ii_4_a(tokenize: Callable) -> None:
    """Check tokenize(text) → tokens without case and punctuation."""
    require(_call(tokenize, "") == [], "an empty text has no tokens: return an empty list.")
    tokens = _call(tokenize, "A GOOD film, a (very) good Film!")
    require(
        isinstance(tokens, list) and all(isinstance(token, str) for token in tokens),
        "return a list of str.",
    )
    require(
        all(token == token.lower() for token in tokens),
        "`GOOD` and `good` must become the same token: what about the case?",
    )
    require(
        not any(set(token) & set(string.punctuation) for token in tokens),
        "punctuation is still inside the tokens: `film,` and `film` must become the same.",
    )
    require(
        tokens == ["a", "good", "film", "a", "very", "good", "film"],
        "for 'A GOOD film, a (very) good Film!' seven tokens are expected, in order; got "
        f"{tokens}.",
    )
    tokens = _call(tokenize, "Awful.<br /><br />Great...or not")
    require(
        {"awful", "great", "or"} <= set(tokens),
        "words have been glued together across `<br /><br />` or `...`: what should stand in the "
        "place of a mark that goes?",
    )
    tokens = _call(tokenize, "movies moved moving")
    require(
        tokens == ["movies", "moved", "moving"],
        "a tokeniser cuts a text into tokens and leaves the words whole: it does not look for "
        "stems.",
    )
    require(_call(tokenize, "?!... --") == [], "a text of punctuation alone has no tokens.")


@exercise("II.4.b")
def ii_4_b(reason: str) -> None:
    """Check why deleting punctuation leaves more unknown tokens than a blank (a letter)."""
    _choose(
        reason,
        right="c",
        hints={
            "a": "no tokeniser here looks for stems: `movies` and `movie` stay two tokens in all "
            "four.",
            "b": "both lower the case, so case can't make the difference between them.",
            "d": "both vocabularies hold exactly 20,000 tokens.",
        },
    )


# --- 02 · The Dataset, and making it fast ------------------------------------------------


def _tiny_dataset() -> list[tuple[torch.Tensor, int]]:
    return [
        (torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0]), 0),
        (torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0]), 1),
        (torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]), 1),
    ]


@exercise("II.1.a")
def ii_1_a(count_classes: Callable) -> None:
    """Check count_classes(dataset) → (negative, positive)."""
    answer = _call(count_classes, _tiny_dataset())
    require(
        isinstance(answer, tuple | list) and len(answer) == 2,
        "return two numbers: how many negative, how many positive.",
    )
    require(tuple(answer) != (2, 1), "the two are swapped: label 0 is negative.")
    require(tuple(answer) == (1, 2), "count each sample once, by its label.")
    require(
        tuple(_call(count_classes, _tiny_dataset()[:1])) == (1, 0),
        "a data set without positive samples has 0 of them.",
    )


@exercise("II.1.b")
def ii_1_b(mean_ones: Callable) -> None:
    """Check mean_ones(dataset) → mean number of ones per vector."""
    answer = _call(mean_ones, _tiny_dataset())
    require(not _close(answer, 4), "that is the number of ones in all vectors, not the mean.")
    require(
        not _close(answer, 4 / 15), "that is the share of ones among all places: count the ones."
    )
    require(
        not _close(answer, 1),
        "is the unknown place left out? Place 0 counts like any other.",
    )
    require(not _close(answer, 2), "a vector without any ones still counts as a vector.")
    require(not _close(answer, 5), "that is the length of the vectors, zeros included.")
    require(_close(answer, 4 / 3), "add up the ones of all vectors, divide by their number.")


@exercise("II.1.c")
def ii_1_c(reason: str) -> None:
    """Check why there are fewer ones than words (a letter)."""
    _choose(
        reason,
        right="a",
        hints={
            "b": "it sounds plausible, but count them: how many words of these 200 reviews are "
            "unknown to a vocabulary that was built on them? And unknown words are not dropped.",
            "c": "the label is returned beside the vector, not inside it.",
            "d": "nothing is counted here, so nothing can be rounded: a place is set or not.",
        },
    )


class _SlowLoader:
    """Batches that take their time."""

    def __init__(self, batches: int, seconds: float) -> None:
        self.batches, self.seconds = batches, seconds

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for _ in range(self.batches):
            time.sleep(self.seconds)
            yield torch.ones(2, 3), torch.tensor([0, 1])


class _SlowModel(torch.nn.Module):
    """A model whose forward pass takes its time, and an optimizer that counts its steps."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.weight = torch.nn.Parameter(torch.zeros(3))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        time.sleep(self.seconds)
        return inputs.to(self.weight.device) @ self.weight


class _SlowSGD(torch.optim.SGD):
    """An optimizer whose step takes its time."""

    seconds, steps = 0.0, 0

    def step(self, closure: Callable | None = None) -> None:
        time.sleep(self.seconds)
        self.steps += 1
        super().step(closure)


@exercise("II.2.a")
def ii_2_a(time_steps: Callable) -> None:
    """Check time_steps(model, loader, optimizer) → seconds of wait, forward and backward."""
    batches, wait, forward, backward = 4, 0.020, 0.030, 0.040
    model = _SlowModel(forward).to(pick_device())
    optimizer = _SlowSGD(model.parameters(), lr=0.1)
    optimizer.seconds = backward
    seconds = _call(time_steps, model, _SlowLoader(batches, wait), optimizer)
    require(
        isinstance(seconds, dict) and {"wait", "forward", "backward"} <= set(seconds),
        'return a dict with the keys "wait", "forward" and "backward".',
    )
    require(optimizer.steps == batches, "update the model once for each batch of the loader.")
    require(
        seconds["wait"] > 0.5 * batches * wait,
        "the waiting is hardly measured: the loop fetches a batch before its body begins, so the "
        "clock must be read before that.",
    )
    for part, expected in (("wait", wait), ("forward", forward), ("backward", backward)):
        require(
            seconds[part] >= 0.9 * batches * expected,
            f"too little time for {part!r}: add up the seconds of all batches, each part from the "
            "end of the part before it.",
        )
    require(
        seconds["backward"] < batches * (wait + forward + backward),
        "one part holds the time of the others as well: take a new reading after each part.",
    )


@exercise("II.2.b")
def ii_2_b(line: str) -> None:
    """Check which line of the naive Dataset costs most (a letter)."""
    _choose(
        line,
        right="d",
        hints={
            "a": "cutting is done by string methods written in C, once for each review.",
            "b": "that is one dictionary look-up for each token, which Python does very fast.",
            "c": "20,001 zeros are 80 kB: a computer writes that in a few microseconds.",
        },
    )


@exercise("II.2.c")
def ii_2_c(to_csr: Callable) -> None:
    """Check to_csr(code_lists) → ids and offsets, int32."""
    answer = _call(to_csr, [[17, 3, 17, 408], [], [0, 3, 0], [5]])
    require(
        isinstance(answer, tuple)
        and len(answer) == 2
        and all(isinstance(tensor, torch.Tensor) for tensor in answer),
        "return two tensors: ids and offsets.",
    )
    ids, offsets = answer
    require(
        ids.tolist() != [17, 3, 17, 408, 0, 3, 0, 5],
        "a code that occurs twice in a review is kept once: only the distinct codes count.",
    )
    require(
        sorted(ids.tolist()) == [0, 3, 3, 5, 17, 408],
        "the ids must be the distinct codes of each review, review by review; a code may occur "
        "again in another review.",
    )
    require(
        ids.tolist() == [3, 17, 408, 0, 3, 5],
        "within each review the ids must ascend, and the reviews must keep their order.",
    )
    require(
        offsets.tolist() != [0, 3, 5, 6],
        "an empty review needs an offset as well: it starts where it ends.",
    )
    require(
        len(offsets) != 4,
        "offsets must be one longer than the number of reviews, so that the last one has an end, "
        "too.",
    )
    require(
        offsets.tolist() == [0, 3, 3, 5, 6],
        "offsets[i] is the number of ids before review i, beginning with 0.",
    )
    require(
        ids.dtype == offsets.dtype == torch.int32,
        f"both must be int32 (4 bytes a number), got {ids.dtype} and {offsets.dtype}.",
    )
    empty_ids, empty_offsets = _call(to_csr, [])
    require(
        len(empty_ids) == 0 and empty_offsets.tolist() == [0],
        "without any review there are no ids, and one offset.",
    )


@exercise("II.3")
def ii_3(choose_lr: Callable) -> None:
    """Check choose_lr(validation, test) → learning rate."""
    validation = {0.01: [0.80, 0.81], 0.1: [0.87, 0.88], 0.3: [0.60, 0.89], 1.0: [0.86, 0.86]}
    test = {0.01: [0.80, 0.80], 0.1: [0.85, 0.85], 0.3: [0.70, 0.84], 1.0: [0.88, 0.88]}
    answer = _call(choose_lr, validation, test)
    require(
        answer != 1.0,
        "that choice was made on the test set: its score is then no longer an honest estimate.",
    )
    require(
        answer != 0.3,
        "a single lucky seed has decided: compare what the learning rates give on average.",
    )
    require(not (0.5 < answer < 0.9), "that is an accuracy: return the learning rate that gave it.")
    require(answer == 0.1, "return the learning rate with the best mean accuracy.")
    require(
        _call(choose_lr, {0.5: [0.7], 2.0: [0.6]}, {0.5: [0.6], 2.0: [0.7]}) == 0.5,
        "the answer must depend on the accuracies given, whatever the learning rates are.",
    )


@exercise("II.4.c")
def ii_4_c(conclusion: str) -> None:
    """Check what the comparison of tokenisers shows (a letter)."""
    _choose(
        conclusion,
        right="d",
        hints={
            "a": "the seeds do differ, but the table has them in pairs: compare within a column.",
            "b": "none of the tokenisers looks for stems.",
            "c": "compare the mean numbers of ones above: have they become shorter?",
        },
    )


# --- 03 · The DataLoader -----------------------------------------------------------------


def _choose_all(answer: Any, right: set[str], hints: dict[str, str]) -> None:
    """Compare the letters of a question that has several right answers."""
    letters = {*right, *hints}
    chosen = {letter for part in answer for letter in str(part).lower() if letter.isalpha()}
    require(
        bool(chosen) and chosen <= letters,
        f"answer with letters from {', '.join(sorted(letters))}, for example 'ac'.",
    )
    for letter in sorted(chosen - right):
        raise Wrong(f"not {letter}: {hints[letter]}")
    require(
        chosen == right,
        f"{', '.join(sorted(chosen))} is right, but {len(right)} answers are asked for.",
    )


@exercise("III.1.a")
def iii_1_a(reasons: str) -> None:
    """Check the two reasons for training in batches (letters)."""
    _choose_all(
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
    _choose(
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
    _choose(
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
    answer = _call(num_batches, 25_000, 128)
    require(
        answer != 195,
        "that counts the full batches. The reviews that are left make a batch, too.",
    )
    require(
        not (isinstance(answer, float) and answer != int(answer)),
        "there are no fractions of a batch: the last one is smaller, but it is one.",
    )
    require(answer != 128, "that is the size of a batch, not their number.")
    require(answer == 196, "how many batches of 128 does it take until all 25,000 are seen?")
    require(
        _call(num_batches, 256, 128) == 2,
        "256 reviews fill two batches exactly: no third, empty one comes after them.",
    )
    for num_samples, batch_size, expected in ((1, 128, 1), (129, 128, 2), (5, 1, 5), (0, 128, 0)):
        require(
            _call(num_batches, num_samples, batch_size) == expected,
            f"for {num_samples} samples in batches of {batch_size} the loader gives another "
            "number of batches.",
        )


@exercise("III.2.b")
def iii_2_b(last_batch_size: Callable) -> None:
    """Check last_batch_size(num_samples, batch_size) → samples in the last batch."""
    answer = _call(last_batch_size, 25_000, 128)
    require(
        answer != 128, "the last batch is full only if 128 divides 25,000. What is left after 195?"
    )
    require(answer != 88, "that is how many reviews are *missing* to a full batch.")
    require(answer == 40, "195 full batches hold 24,960 reviews. How many are left?")
    require(
        _call(last_batch_size, 256, 128) == 128,
        "256 reviews make two full batches: the last one is not empty.",
    )
    for num_samples, batch_size, expected in ((1, 128, 1), (129, 128, 1), (5, 1, 1), (7, 4, 3)):
        require(
            _call(last_batch_size, num_samples, batch_size) == expected,
            f"for {num_samples} samples in batches of {batch_size} the last batch has another "
            "size.",
        )


@exercise("III.2.c")
def iii_2_c(shares_of_positives: Callable) -> None:
    """Check shares_of_positives(loader) → share of label 1 in each batch."""
    batches = [[1, 0, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1], [1]]
    loader = [(torch.zeros(len(labels), 3), torch.tensor(labels)) for labels in batches]
    answer = _call(shares_of_positives, loader)
    require(isinstance(answer, list), "return a list, one number for each batch.")
    require(
        len(answer) == len(batches),
        "the list must have one number for each batch, the last, smaller one included.",
    )
    shares = [float(share) for share in answer]
    require(
        shares != [3, 0, 2, 1],
        "those are the *numbers* of positives. A share lies between 0 and 1.",
    )
    require(
        not _all_close(shares, [0.75, 0, 0.5, 0.25]),
        "the last batch is smaller: divide by the size of *this* batch.",
    )
    require(not _all_close(shares, [0.25, 1, 0.5, 0]), "those are the shares of negatives.")
    require(
        _all_close(shares, [0.75, 0, 0.5, 1]),
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
        answer = _call(first_batch, loader)
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
        answer = _call(drop_last_axis, output)
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
    losses, sizes = [1.0, 0.5, 4.0], [4, 4, 2]
    answer = float(_call(epoch_loss, losses, sizes))
    require(not _close(answer, 4.0), "that is the loss of the last batch: an anecdote.")
    require(
        not _close(answer, 5.5 / 3),
        "that is the mean over *batches*. The last one is smaller, yet it counts as much as the "
        "others.",
    )
    require(
        not _close(answer, 14.0) and not _close(answer, 5.5),
        "that is a sum. A mean is divided by something.",
    )
    require(
        not _close(answer, 14 / 3),
        "the sum over all samples is right, but you divide by the number of batches.",
    )
    require(
        not _close(answer, 0.55),
        "each batch loss is a mean already: before adding up it must become a sum again.",
    )
    require(_close(answer, 1.4), "the mean per sample: all losses added up, over all samples.")
    # what the notebook records: arrays
    answer = float(_call(epoch_loss, np.array([2.0], dtype=np.float32), [1]))
    require(_close(answer, 2.0), "an epoch of a single batch with a single sample has its loss.")


@exercise("III.3.c")
def iii_3_c(reason: str) -> None:
    """Check why batch size 512 is still at 0.69 (a letter)."""
    _choose(
        reason,
        right="c",
        hints={
            "a": "a model that overfits has a *low* training loss.",
            "b": "look at the picture of III.1.a: the larger the batch, the better it points.",
            "d": "each of the 512 has its part in the mean, and every review is seen once an "
            "epoch, whatever the batch size.",
        },
    )


def _all_close(values: Sequence[float], expected: Sequence[float], tolerance: float = 1e-6) -> bool:
    return len(values) == len(expected) and all(
        _close(value, wanted, tolerance) for value, wanted in zip(values, expected, strict=True)
    )


# --- 04 · The MLP ------------------------------------------------------------------------


def _with_parameters(make: Callable, *sizes: int) -> Any:
    """Make a module with parameters of its own, without touching the reader's seeds."""
    with torch.random.fork_rng(devices=[]):
        module = make(*sizes)
    generator = torch.Generator().manual_seed(sum(sizes))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return module


@exercise("IV.1.a")
def iv_1_a(to_probabilities: Callable) -> None:
    """Check to_probabilities(logits) → sigmoid, elementwise."""
    logits = [0.0, 2.0, -3.0, 0.25]
    answer = _call(to_probabilities, torch.tensor(logits))
    require(
        isinstance(answer, torch.Tensor) and tuple(answer.shape) == (4,),
        "return a tensor with one probability for each logit.",
    )
    values = answer.tolist()
    require(values != logits, "those are the logits themselves, unchanged.")
    require(
        not _all_close(values, [math.exp(z) for z in logits], 1e-5),
        "that is e to the logit: the odds, p / (1 − p), not yet the probability.",
    )
    require(
        not _all_close(values, [1 / (1 + math.exp(z)) for z in logits], 1e-5),
        "a logit of 2 should mean *more* than one half: is a minus sign lost?",
    )
    require(
        not _close(sum(values), 1, 1e-5),
        "your probabilities sum to 1 over the *batch*. But reviews do not compete: each has a "
        "probability of its own.",
    )
    require(
        not set(values) <= {0, 1}, "those are classes, 0 or 1. How *sure* is the model, though?"
    )
    require(
        _all_close(values, [1 / (1 + math.exp(-z)) for z in logits], 1e-5),
        "the sigmoid of z is 1 / (1 + e^(−z)), for each logit.",
    )
    far = _call(to_probabilities, torch.tensor([-100.0, 100.0]))
    require(
        _all_close(far.tolist(), [0, 1], 1e-5),
        "for logits of −100 and 100 the probabilities must be (nearly) 0 and 1: is something "
        "infinite on the way?",
    )
    one = _call(to_probabilities, torch.tensor([0.0]))
    require(one.tolist() == [0.5], "a batch of one with the logit 0 has the probability 0.5.")


@exercise("IV.1.b")
def iv_1_b(batch_accuracy: Callable) -> None:
    """Check batch_accuracy(probabilities, labels) → share of right predictions."""
    probabilities = torch.tensor([0.9, 0.6, 0.4, 0.2, 0.7])
    labels = torch.tensor([1, 1, 1, 0, 0])
    answer = float(_call(batch_accuracy, probabilities, labels))
    require(
        answer != 3,
        "three predictions are right. An accuracy is a share of the batch.",
    )
    require(
        not _close(answer, 0),
        "no probability is *equal* to a label. First each must become a class, 0 or 1.",
    )
    require(
        not _close(answer, 0.4),
        "that is the share of wrong predictions, or of those that are positive and right. Right "
        "negatives count, too.",
    )
    require(
        not _close(answer, 2 / 3),
        "that looks at some of the reviews only. Divide by the number of all of them.",
    )
    require(_close(answer, 0.6), "right means: above one half and label 1, or below and label 0.")
    require(
        _close(_call(batch_accuracy, torch.tensor([0.4]), torch.tensor([0])), 1),
        "a batch of one negative review with the probability 0.4 is all right: accuracy 1. (A "
        "threshold of 0 belongs to logits.)",
    )
    require(
        _close(_call(batch_accuracy, torch.tensor([0.3, 0.1]), torch.tensor([1, 1])), 0),
        "two positive reviews at 0.3 and 0.1: none is right.",
    )


@exercise("IV.1.b (2)")
def iv_1_b_2(reasons: str) -> None:
    """Check the two reasons why one train batch tells little (letters)."""
    _choose_all(
        reasons,
        right={"b", "e"},
        hints={
            "a": "the loader that made the batch has nothing to do with how it is judged.",
            "c": "one half is the fair threshold when both classes are equally frequent.",
            "d": "the sigmoid keeps the order, and logits above 0 are exactly the probabilities "
            "above one half.",
        },
    )


@exercise("IV.1.c")
def iv_1_c(count_parameters: Callable) -> None:
    """Check count_parameters(model) → numbers in all parameters."""
    model = _with_parameters(OneHotMLP, 7, 3, 2)
    answer = _call(count_parameters, model)
    require(answer != 4, "that is the number of *tensors*. How many numbers do they hold?")
    require(answer != 27, "the weights are complete, but each layer has a bias as well.")
    require(answer != 24, "that is the first layer alone.")
    require(
        answer != 20,
        "adding up the sides of a matrix does not give its entries: what does `numel` return?",
    )
    require(answer == 32, "add up the number of entries of every parameter of the model.")
    require(
        _call(count_parameters, _with_parameters(OneHotMLP, 1, 1, 1)) == 4,
        "a model with one input, one hidden unit and one output has 4 parameters.",
    )
    require(_call(count_parameters, nn.ReLU()) == 0, "a module without parameters has 0 of them.")


@exercise("IV.2.a")
def iv_2_a(word_scores: Callable) -> None:
    """Check word_scores(model) → [vocab], linear read-out of each word."""
    for hidden_size in (4, 1):
        model = _with_parameters(OneHotMLP, 6, hidden_size)
        hidden, output = model.hidden.weight.tolist(), model.output.weight.tolist()[0]
        expected = [
            math.fsum(output[unit] * hidden[unit][word] for unit in range(hidden_size))
            for word in range(6)
        ]
        answer = _call(word_scores, model)
        require(isinstance(answer, torch.Tensor), "return a tensor.")
        require(
            tuple(answer.shape) != (1, 6),
            "the numbers are in a matrix with one row: take that row.",
        )
        require(
            tuple(answer.shape) == (6,),
            f"return one number for each word, [vocab]; your shape is {list(answer.shape)}.",
        )
        values = answer.tolist()
        sums = [sum(hidden[unit][word] for unit in range(hidden_size)) for word in range(6)]
        require(
            not _all_close(values, sums, 1e-5),
            "that adds up the word's vector. But some hidden units speak for and some against: "
            "weigh them by the output layer.",
        )
        differences = [value - wanted for value, wanted in zip(values, expected, strict=True)]
        require(
            not (abs(differences[0]) > 1e-4 and max(differences) - min(differences) < 1e-5),
            "a constant is added to every word: a bias belongs to no word.",
        )
        require(
            _all_close(values, expected, 1e-5),
            "a word's score is the sum over the hidden units of its weight to the unit times the "
            "unit's weight to the logit.",
        )


@exercise("IV.3.a")
def iv_3_a(merge_linear: Callable) -> None:
    """Check merge_linear(first, second) → one nn.Linear that does the work of both."""
    for in_features, hidden, out_features in ((5, 3, 2), (4, 6, 1), (1, 1, 1)):
        first = _with_parameters(nn.Linear, in_features, hidden)
        second = _with_parameters(nn.Linear, hidden, out_features)
        merged = _call(merge_linear, first, second)
        require(isinstance(merged, nn.Linear), "return an nn.Linear.")
        require(
            (merged.in_features, merged.out_features) == (in_features, out_features)
            and tuple(merged.weight.shape) == (out_features, in_features),
            f"from {in_features} features to {out_features}, the merged layer must map the same. "
            "In which order do the matrices multiply?",
        )
        x = torch.eye(in_features + 1, in_features).double()  # its last row is zero
        with torch.no_grad():
            expected = _linear(second, _linear(first, x))
            answer = _linear(merged, x)
            at_zero = expected[-1]
            slopes_fit = torch.allclose(answer - answer[-1], expected - at_zero, atol=1e-6)
            bias_fits = torch.allclose(answer[-1], at_zero, atol=1e-6)
            lost = torch.allclose(answer[-1], second.bias.double(), atol=1e-6)
        require(
            not (slopes_fit and lost and not bias_fits),
            "the weights are right, but for an input of zeros the first layer still puts out its "
            "bias. What does the second make of it?",
        )
        require(
            not slopes_fit or bias_fits,
            "the weights are right, the bias is not: what do the two layers give for an input of "
            "zeros?",
        )
        require(slopes_fit, "for the same input, the merged layer gives another output.")


def _linear(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """Apply a linear layer in float64."""
    return x @ layer.weight.double().T + layer.bias.double()


@exercise("IV.3.b")
def iv_3_b(reason: str) -> None:
    """Check what ReLU is for (a letter)."""
    _choose(
        reason,
        right="a",
        hints={
            "b": "that is the work of the sigmoid. ReLU has no upper bound.",
            "c": "ReLU has no parameters at all, with it or without it the counts are equal.",
            "d": "both trained without trouble above. What could the one *never* get right?",
        },
    )


# --- 05 · Loss and training --------------------------------------------------------------


def _number(answer: Any, meaning: str) -> float:
    """Return the reader's loss as a float; it may be a tensor of any shape with one value."""
    values = torch.as_tensor(answer)
    require(values.numel() == 1, f"return one number: {meaning}.")
    return float(values)


def _loss(function: Callable, *arguments: torch.Tensor) -> float:
    """Call the reader's loss function; name the mistakes that PyTorch stops at."""
    try:
        answer = _call(function, *arguments)
    except (RuntimeError, ValueError) as error:
        require(
            "dtype" not in str(error) and "Long" not in str(error) and "long" not in str(error),
            "the loss stopped, because the targets are whole numbers (int64) and the scores are "
            "float32. Convert one of the two.",
        )
        require(
            "between 0 and 1" not in str(error),
            "the loss stopped, because it takes probabilities and was given logits. Which loss "
            "takes logits?",
        )
        raise
    return _number(answer, "the mean over the batch")


@exercise("V.1.a")
def v_1_a(untrained_loss: float) -> None:
    """Check the loss of a model that gives probability 1/2 to everything."""
    answer = _number(untrained_loss, "the loss that every review adds")
    require(
        answer >= 0,
        "a loss below 0 would be better than perfect. The logarithm of a number below 1 is "
        "negative: is a minus sign lost?",
    )
    require(
        not _close(answer, 1, 1e-3), "that is in bits. This course takes the natural logarithm."
    )
    require(
        not _close(answer, math.log10(2), 1e-3),
        "that is the logarithm to base 10. This course takes the natural one.",
    )
    require(
        not _close(answer, 0.5, 1e-3),
        "that is the probability. What does the loss take of it?",
    )
    require(
        not _close(answer, 2, 1e-3),
        "that is exp of the loss, which notebook 06 calls perplexity.",
    )
    require(
        math.isclose(answer, math.log(2), abs_tol=2e-4),
        "put p = 0.5 into the formula, once for a positive and once for a negative review. What "
        "does each of them add?",
    )


@exercise("V.1.b")
def v_1_b(bce_by_hand: Callable) -> None:
    """Check bce_by_hand(probabilities, targets) → mean binary cross-entropy."""
    probabilities, targets = torch.tensor([0.9, 0.2, 0.6, 0.3]), torch.tensor([1, 0, 0, 1])
    right_class = (0.9, 0.8, 0.4, 0.3)
    expected = -sum(map(math.log, right_class)) / 4
    answer = _loss(bce_by_hand, probabilities, targets)
    require(
        not _close(answer, -expected, 1e-4),
        "a loss below 0 would be better than perfect: is a minus sign lost?",
    )
    require(
        not _close(answer, 4 * expected, 1e-4), "that is the sum over the batch, not yet its mean."
    )
    require(
        not _close(answer, -(math.log(0.9) + math.log(0.3)) / 4, 1e-4),
        "negative reviews add nothing in your loss: where is the term with 1 − y?",
    )
    require(
        not _close(answer, -(math.log(0.8) + math.log(0.4)) / 4, 1e-4),
        "positive reviews add nothing in your loss: where is the term with y?",
    )
    require(
        not _close(answer, -sum(math.log(1 - p) for p in right_class) / 4, 1e-4),
        "the two terms are swapped: a positive review is to be judged by p, a negative one by "
        "1 − p.",
    )
    require(
        not _close(answer, -math.log(sum(right_class) / 4), 1e-4),
        "that is the logarithm of the mean. Take the logarithms first, then their mean.",
    )
    require(
        not any(_close(answer, expected / math.log(base), 1e-4) for base in (2, 10)),
        "take the natural logarithm, torch.log.",
    )
    require(
        _close(answer, expected, 1e-4),
        "for p = 0.9, 0.2, 0.6, 0.3 and y = 1, 0, 0, 1 the mean is another one. Work out what "
        "each of the four adds.",
    )
    answer = _loss(bce_by_hand, torch.tensor([0.2]), torch.tensor([1]))
    require(_close(answer, -math.log(0.2), 1e-4), "a batch of one review has a loss, too.")
    answer = _loss(bce_by_hand, torch.tensor([0.25, 0.5]), torch.tensor([0, 0]))
    require(
        _close(answer, -(math.log(0.75) + math.log(0.5)) / 2, 1e-4),
        "a batch of negative reviews alone has a loss, too: divide by all reviews, not by the "
        "positive ones.",
    )


def _binary_cross_entropy(probabilities: Sequence[float], targets: Sequence[int]) -> float:
    pairs = zip(probabilities, targets, strict=True)
    return -sum(math.log(p if y else 1 - p) for p, y in pairs) / len(targets)


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


@exercise("V.1.c")
def v_1_c(loss_from_probabilities: Callable) -> None:
    """Check loss_from_probabilities(probabilities, targets), to be made with nn.BCELoss."""
    probabilities, targets = [0.9, 0.2, 0.6, 0.3, 0.5], [1, 0, 0, 1, 1]
    expected = _binary_cross_entropy(probabilities, targets)
    answer = _loss(loss_from_probabilities, torch.tensor(probabilities), torch.tensor(targets))
    require(
        not _close(answer, _binary_cross_entropy(map(_sigmoid, probabilities), targets), 1e-4),
        "the probabilities went through a sigmoid once more: BCELoss takes them as they are, "
        "BCEWithLogitsLoss takes logits.",
    )
    require(
        not _close(answer, 5 * expected, 1e-4),
        "that is the sum over the batch. What does BCELoss do when you tell it nothing?",
    )
    require(answer < 10, "the loss is huge: are the arguments swapped? The predictions come first.")
    require(_close(answer, expected, 1e-4), "BCELoss itself gives another value for this batch.")
    answer = _loss(loss_from_probabilities, torch.tensor([0.2]), torch.tensor([1]))
    require(_close(answer, -math.log(0.2), 1e-4), "a batch of one review has a loss, too.")


@exercise("V.1.d")
def v_1_d(loss_from_logits: Callable) -> None:
    """Check loss_from_logits(logits, targets), to be made with nn.BCEWithLogitsLoss."""
    logits, targets = [2.0, -1.0, 0.5, -3.0, 0.0], [1, 0, 0, 1, 1]
    probabilities = [*map(_sigmoid, logits)]
    expected = _binary_cross_entropy(probabilities, targets)
    answer = _loss(loss_from_logits, torch.tensor(logits), torch.tensor(targets))
    require(
        not _close(answer, _binary_cross_entropy([*map(_sigmoid, probabilities)], targets), 1e-4),
        "the logits went through two sigmoids, yours and the one inside BCEWithLogitsLoss.",
    )
    require(
        not _close(answer, 5 * expected, 1e-4),
        "that is the sum over the batch. What does BCEWithLogitsLoss do when you tell it nothing?",
    )
    require(_close(answer, expected, 1e-4), "BCEWithLogitsLoss itself gives another value here.")
    answer = _loss(loss_from_logits, torch.tensor([120.0]), torch.tensor([0]))
    require(
        _close(answer, 120, 1e-4),
        "right for small logits, but a negative review with a logit of 120 has a loss of 120. Did "
        "you take the sigmoid first? Then the float has forgotten it.",
    )


@exercise("V.2.a")
def v_2_a(average_loss: Callable) -> None:
    """Check average_loss(model, loader) → mean loss over samples, without training."""
    model = nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))
    with torch.no_grad():
        model[0].weight.fill_(1)
        model[0].bias.fill_(0)
    before = [parameter.clone() for parameter in model.parameters()]
    logits, targets = [2.0, -1.0, 0.5, 1.0, 0.0, -2.0, -4.0], [1, 0, 0, 1, 1, 0, 1]
    inputs, labels = torch.tensor(logits)[:, None], torch.tensor(targets)
    loader = [*zip(inputs.split(3), labels.split(3), strict=True)]  # 3, 3 and 1
    each = [_binary_cross_entropy([_sigmoid(z)], [y]) for z, y in zip(logits, targets, strict=True)]
    means = [sum(each[:3]) / 3, sum(each[3:6]) / 3, each[6]]
    answer = _number(_call(average_loss, model, loader), "the mean over all samples")
    require(
        all(torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True)),
        "the model is another one now: measure its loss without training it.",
    )
    require(
        not _close(answer, sum(means) / 3, 1e-4),
        "that is the mean of the batches' means. The last batch is smaller than the others, so it "
        "must not count as much.",
    )
    require(
        not _close(answer, means[-1], 1e-4),
        "that is the loss of the last batch alone: what has become of the others?",
    )
    require(
        not _close(answer, means[0], 1e-4),
        "that is the loss of the first batch alone: is the return inside the loop?",
    )
    require(
        not any(_close(answer, total, 1e-4) for total in (sum(each), sum(means))),
        "that is a sum. Divide it by the number of samples.",
    )
    require(
        not _close(answer, sum(each) / 3, 1e-4),
        "divide by the number of samples, not by the number of batches.",
    )
    require(
        _close(answer, sum(each) / 7, 1e-4),
        "for batches of 3, 3 and 1 samples, the mean over the seven is another one.",
    )
    answer = _number(_call(average_loss, model, loader[2:]), "the mean over all samples")
    require(_close(answer, each[6], 1e-4), "a loader with a single batch of one has a mean, too.")


@exercise("V.2.b")
def v_2_b(start_anew: Callable) -> None:
    """Check start_anew(model) → the same model, all its parameters drawn again."""
    inner = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), inner)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(7)
    before = [*model.parameters()]
    answer = _call(start_anew, model)
    require(isinstance(answer, nn.Module), "return the model.")
    require(
        answer is model
        and all(new is old for new, old in zip(model.parameters(), before, strict=True)),
        "these are new parameters, which an optimizer made earlier does not know. Change the "
        "model's own ones in place, and return it.",
    )
    require(
        not all(torch.all(parameter == 7) for parameter in before),
        "nothing has changed: every parameter is as it was.",
    )
    require(
        not any(torch.all(parameter == 7) for parameter in before),
        "some layers keep what they had. Is there one inside another? model.modules() walks "
        "through all of them.",
    )
    require(
        not any(torch.all(layer.weight == layer.weight[0, 0]) for layer in (model[0], inner[0])),
        "all weights of a layer are equal now, so all its units would compute, and learn, the "
        "same. They need to be drawn at random.",
    )
    require(
        all(
            parameter.abs().max() <= layer.in_features**-0.5 + 1e-6
            for layer in (model[0], *inner)
            for parameter in layer.parameters()
        ),
        "those are not the values of a new layer: nn.Linear draws within ±1 / √in_features. A "
        "layer has a method that does it.",
    )


@exercise("V.3.a")
def v_3_a(cross_entropy_by_hand: Callable) -> None:
    """Check cross_entropy_by_hand(logits, targets) → mean of −ln softmax at the target."""
    rows = [[2.0, 0.0, -1.0], [0.5, 1.5, 0.3], [0.0, 0.0, 0.0], [1.0, -2.0, 3.0]]
    targets = [0, 2, 1, 0]
    logits, labels = torch.tensor(rows), torch.tensor(targets)

    def softmax(row: Sequence[float]) -> list[float]:
        return [math.exp(z) / sum(map(math.exp, row)) for z in row]

    def mean_nll(table: Sequence[Sequence[float]], targets: Sequence[int]) -> float:
        return -sum(math.log(p[y]) for p, y in zip(table, targets, strict=True)) / len(targets)

    probabilities = [softmax(row) for row in rows]
    columns = [softmax(column) for column in zip(*rows, strict=True)]
    expected = mean_nll(probabilities, targets)
    answer = _loss(cross_entropy_by_hand, logits, labels)
    require(
        not _close(answer, -expected, 1e-4),
        "a loss below 0 would be better than perfect: is a minus sign lost?",
    )
    require(
        not _close(answer, 4 * expected, 1e-4), "that is the sum over the batch, not yet its mean."
    )
    require(
        not _close(answer, mean_nll([*zip(*columns, strict=True)], targets), 1e-4),
        "your softmax adds up to 1 over the batch. It must do so over the classes of each "
        "sample: which axis is that?",
    )
    require(
        not _close(answer, mean_nll([softmax(p) for p in probabilities], targets), 1e-4),
        "that is softmax applied twice: CrossEntropyLoss and log_softmax bring their own.",
    )
    picked = [p[y] for p, y in zip(probabilities, targets, strict=True)]
    require(
        not _close(abs(answer), sum(picked) / 4, 1e-4),
        "the logarithm is missing: nn.NLLLoss, despite its name, does not take it either.",
    )
    require(
        not _close(answer, -math.log(sum(picked) / 4), 1e-4),
        "that is the logarithm of the mean. Take the logarithms first, then their mean.",
    )
    every = -sum(math.log(p) for row in probabilities for p in row)
    require(
        not any(_close(answer, every / count, 1e-4) for count in (4, 12)),
        "all classes count in your loss. Only the probability of the *target* class should.",
    )
    require(
        _close(answer, expected, 1e-4),
        "for a small batch of three classes the result is another one. Work out one sample by "
        "hand.",
    )
    answer = _loss(cross_entropy_by_hand, torch.tensor([[0.0, 3.0]]), torch.tensor([0]))
    require(_close(answer, math.log(1 + math.exp(3)), 1e-4), "a batch of one has a loss, too.")


@exercise("V.3.b")
def v_3_b(one_logit: Callable) -> None:
    """Check one_logit(two_logits [batch, 2]) → the logit [batch] with the same probability."""
    two = torch.tensor([[0.5, 2.0], [1.0, 1.0], [3.0, -1.0]])
    answer = _call(one_logit, two)
    require(isinstance(answer, torch.Tensor), "return a tensor.")
    require(
        answer.shape != (3, 1), "the shape is [batch, 1]. One logit a sample has the shape [batch]."
    )
    require(answer.shape == (3,), "return one logit a sample: a tensor of shape [batch].")
    expected = torch.tensor([1.5, 0.0, -4.0])
    wrong = {
        "the sign is turned: a large logit must mean *positive*, which is class 1.": -expected,
        "that is the logit of class 1 alone. What if class 0 has a large one as well?": two[:, 1],
        "that is the probability already. The sigmoid comes later.": expected.sigmoid(),
        "that is the difference of two probabilities; take the logits themselves.": two.softmax(
            dim=1
        ).diff(dim=1)[:, 0],
        "adding the same number to both logits changes no probability, but it changes your "
        "sum.": two.sum(dim=1),
    }
    for message, values in wrong.items():
        require(not torch.allclose(answer, values, atol=1e-5), message)
    require(
        torch.allclose(answer, expected, atol=1e-5),
        "sigmoid(your logit) must equal the second column of softmax(two_logits).",
    )
    answer = _call(one_logit, torch.tensor([[-1.0, 2.0]]))
    require(
        answer.shape == (1,) and _close(answer[0], 3, 1e-4),
        "for a batch of one sample the result has the shape [1].",
    )


@exercise("V.3.c")
def v_3_c(lowest_loss: float) -> None:
    """Check the lowest loss of CrossEntropyLoss on the outputs of a softmax, two classes."""
    answer = _number(lowest_loss, "the lowest loss of one sample")
    require(answer >= 0, "a loss below 0 would be better than perfect: is a minus sign lost?")
    require(
        not _close(answer, 0, 1e-3),
        "0 is what logits can reach, because they are not bounded. A softmax puts out nothing "
        "above 1.",
    )
    require(
        not _close(answer, math.log(2), 1e-3),
        "that is the loss of an undecided model. What if the first softmax is perfectly sure, "
        "and right?",
    )
    require(
        not _close(answer, math.log(1 + math.e), 1e-3),
        "that is the highest loss: perfectly sure, and wrong.",
    )
    require(
        not any(_close(answer, share, 1e-3) for share in (_sigmoid(1), _sigmoid(-1))),
        "that is a probability. The loss is minus its logarithm.",
    )
    require(
        not _close(answer, math.exp(-1), 1e-3),
        "that is the ratio of the two exponentials. It still has to become a probability, and "
        "that a loss.",
    )
    require(
        math.isclose(answer, math.log(1 + math.exp(-1)), abs_tol=2e-4),
        "the best that the first softmax can give is (0, 1). Put these two numbers into the "
        "second one.",
    )


# --- 00 · PyTorch in one sitting ---------------------------------------------------------


def _shape(tensor: torch.Tensor) -> list[int]:
    return list(tensor.shape)


def _require_tensor(answer: Any, shape: tuple[int, ...], what: str) -> None:
    """Require a tensor of that shape."""
    require(isinstance(answer, torch.Tensor), f"{what} is a {type(answer).__name__}, not a tensor.")
    require(
        tuple(answer.shape) == shape,
        f"{what} has the shape {_shape(answer)}, but {list(shape)} is wanted.",
    )


@exercise("0.1")
def ex_0_1(zeros: torch.Tensor, counted: torch.Tensor, ones: torch.Tensor) -> None:
    """Check three tensors: whole zeros [3, 4], 0 to 11 in [3, 4], ones like a picture."""
    _require_tensor(zeros, (3, 4), "`zeros`")
    require(not zeros.any(), "`zeros` holds something else than zeros.")
    require(
        not zeros.is_floating_point(),
        "`zeros` are floats, the default. Which argument asks for whole numbers?",
    )
    require(zeros.dtype == torch.int64, f"`zeros` are of type {zeros.dtype}, not int64.")
    _require_tensor(counted, (3, 4), "`counted`")
    numbers = counted.flatten().tolist()
    require(numbers[0] != 1, "`counted` starts at 1. The first number is 0, the last one 11.")
    require(
        numbers != [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11],
        "the numbers of `counted` run down the columns; reshape alone runs along the rows.",
    )
    require(numbers == list(range(12)), "`counted` holds 0, 1, …, 11, row by row.")
    _require_tensor(ones, (4, 5, 3), "`ones`")
    require(
        ones.dtype == torch.float32,
        "`ones` does not have the type of `picture`. Does the function copy the type as well?",
    )
    require(bool((ones == 1).all()), "`ones` holds something else than ones.")


@exercise("0.2")
def ex_0_2(standardise_columns: Callable) -> None:
    """Check standardise_columns(table) → every column with mean 0 and standard deviation 1."""
    numbers = torch.Generator().manual_seed(0)
    scales = torch.tensor([1.0, 100.0, 0.01])
    for rows in (3, 5):  # the square one first: there a wrong axis goes unnoticed
        table = torch.randn(rows, 3, generator=numbers) * scales + scales
        given = table.clone()
        try:
            answer = _call(standardise_columns, given)
        except RuntimeError as error:
            raise Wrong(
                f"the shapes do not fit ({error}). Along which axis did you average, and how "
                "many numbers did that leave?"
            ) from error
        require(
            torch.equal(given, table),
            "your function has changed the table that it was given: -= and /= work in place.",
        )
        _require_tensor(answer, tuple(table.shape), "the result")
        _compare_standardised(answer, table)


def _compare_standardised(answer: torch.Tensor, table: torch.Tensor) -> None:
    def close(expected: torch.Tensor) -> bool:
        return torch.allclose(answer, expected, rtol=1e-3, atol=1e-3)

    centred = table - table.mean(dim=0)
    n = len(table)
    require(
        len(table) != table.shape[1]
        or not (
            close((table - table.mean(dim=1)) / table.std(dim=1))
            or close((table - table.mean(dim=1)) / table.std(dim=0))
        ),
        "that axis gives one mean a *row*. In a square table nothing complains, but it is wrong.",
    )
    require(
        not close((table - table.mean(dim=1, keepdim=True)) / table.std(dim=1, keepdim=True)),
        "that standardises each row. A measurement is a column.",
    )
    require(
        not close((table - table.mean()) / table.std()),
        "that is one mean and one standard deviation for the whole table, but the columns have "
        "different units.",
    )
    require(not close(centred), "the means are 0, but nothing has been divided yet.")
    require(
        not close(centred / table.var(dim=0)),
        "divided by the variance, which is the square of the standard deviation.",
    )
    require(
        close(centred / table.std(dim=0))  # divided by n - 1 or by n: both are right
        or close(centred / table.std(dim=0) * (n / (n - 1)) ** 0.5),
        "the columns do not have mean 0 and standard deviation 1.",
    )


@exercise("0.3")
def ex_0_3(keep_strongest: Callable) -> None:
    """Check keep_strongest(matrix, rank) → the best approximation of that rank."""
    numbers = torch.Generator().manual_seed(0)
    for shape, rank in (((4, 4), 2), ((5, 3), 1), ((2, 6), 2), ((3, 3), 1)):
        matrix = torch.randn(shape, generator=numbers)
        try:
            answer = _call(keep_strongest, matrix.clone(), rank)
        except RuntimeError as error:
            raise Wrong(
                f"the shapes do not fit ({error}). What comes back as `vh` is transposed already: "
                "its first *rows* belong to the first singular values."
            ) from error
        _require_tensor(answer, shape, f"the result for a matrix {list(shape)}")
        _compare_low_rank(answer, matrix, rank)


def _compare_low_rank(answer: torch.Tensor, matrix: torch.Tensor, rank: int) -> None:
    def close(expected: torch.Tensor) -> bool:
        return torch.allclose(answer, expected, rtol=1e-3, atol=1e-4)

    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    everything = rank == len(s)
    require(
        everything or not close(matrix),
        "that is the whole matrix again: where does `rank` come in?",
    )
    require(
        not close(u[:, :rank] @ vh[:rank]),
        "the singular values are missing: each column of `u` is stretched by one of them.",
    )
    require(
        everything or not close((u[:, -rank:] * s[-rank:]) @ vh[-rank:]),
        "those are the *smallest* singular values; the largest come first.",
    )
    if matrix.shape[0] == matrix.shape[1]:
        transposed = vh.T
        require(
            not close((u[:, :rank] * s[:rank]) @ transposed[:rank])
            and not close((u[:, :rank] * s[:rank]) @ vh[:, :rank].T),
            "`vh` comes back transposed already, and transposing it again goes unnoticed in a "
            "square matrix.",
        )
    require(
        close((u[:, :rank] * s[:rank]) @ vh[:rank]),
        "the result is not the best approximation: columns of `u`, rows of `vh`, and the singular "
        "values in between.",
    )


@exercise("0.4")
def ex_0_4(in_place: str) -> None:
    """Check what x is after y = x, y += 10, z = x + 1, z.add_(5) (a letter)."""
    _choose(
        in_place,
        right="c",
        hints={
            "a": "y = x copies nothing: x and y are one tensor with two names.",
            "b": "add_(5) changes z, and z came from x + 1, which makes a new tensor.",
            "d": "x + 1 does not change x; only an underscore or += does.",
        },
    )


@exercise("0.5")
def ex_0_5(backward: Callable) -> None:
    """Check backward(a, b, c) → the derivatives of c (a + 2b) by a, b and c."""
    for a, b, c in ((5.0, 3.0, 4.0), (-2.0, 0.5, 7.0), (1.0, -4.0, 0.0)):
        answer = _call(backward, a, b, c)
        require(
            isinstance(answer, tuple | list) and len(answer) == 3,
            "return three numbers: the derivatives by a, by b and by c.",
        )
        found = tuple(float(number) for number in answer)
        expected = (c, 2 * c, a + 2 * b)
        require(
            found != (2 * b, a + 2 * b, c * (a + 2 * b)),
            "those are u, v and L, the values of the forward pass.",
        )
        require(
            found != (1.0, 2.0, a + 2 * b),
            "each derivative is that of one step alone. Multiply it by the gradient that arrives "
            "from the right.",
        )
        require(
            c == 0 or found[1] != c,
            "b takes part twice as strongly as a: what does the step u = 2b do to the gradient?",
        )
        require(
            found[2] != a + b or b == 0,
            "the derivative by c is the number that c is multiplied by. Which one is it?",
        )
        require(
            found == expected or sorted(found) != sorted(expected),
            "the right numbers in the wrong order: by a, by b, by c.",
        )
        require(
            all(_close(*pair) for pair in zip(found, expected, strict=True)),
            f"for a = {a:g}, b = {b:g}, c = {c:g} the derivatives are not {found}. Nudge each "
            "input a little: how much does L move?",
        )


def _positions(start: float, lr: float, num_steps: int, keep: bool = False) -> list[float]:
    """Gradient descent on (w - 3)² in plain numbers; `keep` adds up the old gradients."""
    positions, gradient = [start], 0.0
    for _ in range(num_steps):
        gradient = gradient * keep + 2 * (positions[-1] - 3)
        positions.append(positions[-1] - lr * gradient)
    return positions


@exercise("0.6")
def ex_0_6(descend: Callable) -> None:
    """Check descend(start, lr, num_steps) → the positions of gradient descent on (w - 3)²."""
    for start, lr, num_steps in ((0.0, 0.1, 4), (10.0, 0.25, 3), (-1.0, 0.5, 1), (2.0, 0.1, 0)):
        answer = _descend(descend, start, lr, num_steps)
        require(isinstance(answer, list), "return a list of positions.")
        require(
            not any(isinstance(position, torch.Tensor) for position in answer),
            "the list holds tensors. One and the same `w`, changed in place, is in it many times: "
            "append its number, w.item().",
        )
        expected = _positions(start, lr, num_steps)

        def close(other: list[float], found: list[float] = answer) -> bool:
            return len(other) == len(found) and all(
                _close(*pair, tolerance=1e-4) for pair in zip(found, other, strict=True)
            )

        require(
            not (num_steps and close(expected[1:])) and len(answer) != num_steps,
            f"{num_steps} steps have {num_steps + 1} positions: is the start or the end missing?",
        )
        require(
            num_steps < 2 or not close(_positions(start, lr, num_steps, keep=True)),
            "each step uses the sum of all gradients so far: what must happen to w.grad before "
            "the next backward()?",
        )
        require(
            num_steps == 0 or not close(_positions(start, -lr, num_steps)),
            "that walks uphill, away from 3: the gradient points to where the loss grows.",
        )
        require(
            close(expected),
            f"from {start:g} with lr = {lr:g} the positions should be "
            f"{[round(position, 4) for position in expected[:2]]} and so on.",
        )


def _descend(descend: Callable, *arguments: Any) -> list[float]:
    """Call `descend`, and explain the errors that an update at the wrong place brings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _call(descend, *arguments)
    except RuntimeError as error:
        if "in-place" in str(error):
            raise Wrong(
                "PyTorch records the change of w itself: make it inside torch.no_grad()."
            ) from error
        if "does not require grad" in str(error):
            raise Wrong(_NEW_TENSOR) from error
        raise
    except (TypeError, AttributeError) as error:
        if "NoneType" in str(error):
            raise Wrong(_NEW_TENSOR) from error
        raise


_NEW_TENSOR = (
    "w.grad is empty after the first step: `w = w - …` has made a new tensor that is no parameter "
    "any more. Change w in place."
)


def _defines(cls: type, method: str) -> bool:
    """Whether the reader's class has its own version of a method that PyTorch leaves open."""
    for ancestor in cls.__mro__:
        if ancestor.__module__.split(".")[0] == "torch":
            return False
        if method in vars(ancestor):
            return True
    return False


@exercise("0.7")
def ex_0_7(dataset_class: Callable) -> None:
    """Check PointsDataset(points, targets): its length and its samples."""
    points = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]])
    targets = torch.tensor([0, 1, 1, 0, 1])
    for size in (5, 1):
        dataset = dataset_class(points[:size], targets[:size])
        if not (hasattr(dataset, "__len__") and _defines(dataset_class, "__getitem__")):
            raise Open("(It takes two methods, __len__ and __getitem__.)")
        length = _call(dataset.__len__)
        require(
            size == 1 or length != 2,
            "the length is the number of samples; 2 is the number of coordinates.",
        )
        require(length != 2 * size, "that counts numbers, two a point. Count samples.")
        require(length == size, f"the length is {length} for {size} samples.")
        for index in (0, size - 1):
            sample = _call(dataset.__getitem__, index)
            require(
                isinstance(sample, tuple | list) and len(sample) == 2,
                "dataset[i] is a pair: the point and its target.",
            )
            require(
                isinstance(sample[0], torch.Tensor) and sample[0].shape == (2,),
                "the first of the pair is the point number `index` alone, of shape [2].",
            )
            require(
                torch.equal(sample[0], points[index]) and int(sample[1]) == int(targets[index]),
                "dataset[i] gives another sample than number i.",
            )


@exercise("0.8")
def ex_0_8(model_class: Callable) -> None:
    """Check PointMLP: layers 2-32-32-1 with two ReLUs, logits [batch]."""
    model = model_class()
    shapes = [tuple(p.shape) for p in model.parameters() if p.ndim == 2]
    if not (shapes and _defines(model_class, "forward")):
        raise Open("(It takes the layers in __init__ and the method forward.)")
    require(
        sorted(shapes) == [(1, 32), (32, 2), (32, 32)],
        f"the layers' weights have the shapes {shapes} [out, in]; wanted are layers from 2 to 32, "
        "from 32 to 32 and from 32 to 1.",
    )
    for batch_size in (5, 1):
        points = torch.ones(batch_size, 2)
        logits = _call(model, points)
        require(
            batch_size > 1 or logits.ndim > 0,
            "a batch of one has lost its axis: squeeze() removes every axis of length 1. Name the "
            "one that you mean.",
        )
        require(
            logits.ndim != 2,
            f"the result has the shape {_shape(logits)}; the last axis has to go.",
        )
        _require_tensor(logits, (batch_size,), "the result")
    _compare_activations(model)


@torch.no_grad()
def _compare_activations(model: torch.nn.Module) -> None:
    """Set the weights so that the place of every ReLU shows in the result."""
    bias = -0.25

    def result(first: float, second: float) -> float:
        for parameter in model.parameters():
            parameter.zero_()
            if parameter.shape == (32, 2):
                parameter += first
            elif parameter.shape == (32, 32):
                parameter += second * torch.eye(32)
            elif parameter.shape == (1, 32):
                parameter += 1
            elif parameter.shape == (1,):
                parameter += bias
        return float(model(torch.ones(1, 2)))

    logit = result(1, -1)  # the second ReLU makes 0 of -2; only the bias is left
    require(
        not _close(logit, 1 / (1 + math.exp(-bias))),
        "the result is a probability. Leave the sigmoid out: the loss will apply it.",
    )
    require(logit != 0, "a ReLU behind the last layer makes every negative logit 0.")
    require(
        _close(logit, bias) and _close(result(-1, -1), bias),
        "between two layers a ReLU is missing, and two layers without one are a single layer.",
    )
    require(_close(result(1, 1), 64 + bias), "a point goes through the three layers in order.")


class _WatchedModel(torch.nn.Module):
    """Its logit is the first coordinate; it notes in which state it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.states: list[tuple[bool, bool]] = []

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        self.states.append((self.training, torch.is_grad_enabled()))
        return points[:, 0] * self.weight


@exercise("0.9")
def ex_0_9(accuracy_on: Callable) -> None:
    """Check accuracy_on(model, loader) → share of right predictions."""
    logits = torch.tensor([2.0, -1.0, 0.3, -2.0, 3.0, -0.5, 0.2])
    targets = torch.tensor([1, 0, 1, 1, 0, 0, 1])
    data = torch.utils.data.TensorDataset(logits[:, None], targets)
    model = _WatchedModel()
    answer = float(_call(accuracy_on, model, torch.utils.data.DataLoader(data, batch_size=4)))
    require(answer not in (5, 500 / 7), "the accuracy is a share between 0 and 1.")
    require(not _close(answer, 2 / 7), "that is the share of *wrong* predictions.")
    require(
        not _close(answer, 3 / 7),
        "a logit is not a probability: at which logit is the probability one half?",
    )
    require(not _close(answer, 2 / 3), "that is the accuracy of the last batch alone.")
    require(
        not _close(answer, (3 / 4 + 2 / 3) / 2),
        "that is the mean of the batches' accuracies, but the last batch is smaller. Count "
        "samples.",
    )
    require(
        _close(answer, 5 / 7), f"5 of 7 predictions are right, but your function says {answer}."
    )
    require(
        not any(training for training, _ in model.states),
        "the model is still in training mode: what comes first in a test loop?",
    )
    require(
        not any(grad for _, grad in model.states),
        "PyTorch still records every step. Which context prevents that?",
    )
    one = torch.utils.data.TensorDataset(logits[:1, None], targets[:1])
    answer = _call(accuracy_on, _WatchedModel(), torch.utils.data.DataLoader(one))
    require(_close(answer, 1), "a single sample that is right gives the accuracy 1.")


# --- 06 · Evaluation and perplexity ------------------------------------------------------


class _Echo(nn.Module):
    """Its logits are its inputs, with the wrong sign while training; it notes its state."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))
        self.states: list[tuple[bool, bool]] = []

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.states.append((self.training, torch.is_grad_enabled()))
        return -inputs if self.training else inputs


@exercise("VI.1.a")
def vi_1_a(count_samples: Callable) -> None:
    """Check count_samples(loader) → number of samples in all batches."""
    data = torch.utils.data.TensorDataset(torch.zeros(7, 2), torch.zeros(7, dtype=torch.int64))

    def loader(drop_last: bool = False) -> torch.utils.data.DataLoader:
        order = torch.Generator()  # its own, so that the reader's random numbers stay as they are
        return torch.utils.data.DataLoader(data, 3, drop_last=drop_last, generator=order)

    answer = _call(count_samples, loader())
    require(answer != 3, "that is the number of batches. How many samples do they hold?")
    require(
        answer != 9,
        "batches × batch size is too much: the last batch need not be full.",
    )
    require(answer != 6, "the last batch is missing: it is smaller, but it counts.")
    require(
        answer != 14,
        "that counts every number of the inputs. How many *samples* arrive, one target each?",
    )
    require(answer == 7, f"a loader over 7 samples, 3 a batch, visits 7, not {answer}.")
    answer = _call(count_samples, loader(drop_last=True))
    require(
        answer != 7,
        "with drop_last the loader hands out fewer samples than its data set holds. Count what "
        "really arrives.",
    )
    require(answer == 6, "with drop_last, 7 samples and 3 a batch, two batches arrive.")
    require(_call(count_samples, []) == 0, "a loader without any batch visits 0 samples.")


@exercise("VI.1.b")
def vi_1_b(reason: str) -> None:
    """Check what happens without eval() (a letter)."""
    _choose(
        reason,
        right="d",
        hints={
            "a": "all_logits ran under no_grad in both modes, and yet the accuracies of the one "
            "mode differed.",
            "b": "weights change in optimizer.step() alone, and nobody calls it here.",
            "c": "that is what happens without the *other* switch.",
        },
    )


@exercise("VI.1.c")
def vi_1_c(predicted_classes: Callable) -> None:
    """Check predicted_classes(logits) → int64 [batch], for one logit and for several."""
    logits = torch.tensor([4.0, 1.0, -0.5, -100.0, 100.0, 0.3])
    classes = _call(predicted_classes, logits)
    require(isinstance(classes, torch.Tensor), "return a tensor of class numbers.")
    require(tuple(classes.shape) == (6,), "for logits [batch], return one class a sample: [batch].")
    classes = classes.tolist()
    require(
        classes != [0, 0, 1, 1, 0, 0], "the classes are swapped: a positive logit means class 1."
    )
    require(
        classes != [1, 1, 0, 0, 1, 0],
        "you compare the *logits* with 0.5. The sigmoid crosses 0.5 at another place.",
    )
    require(
        classes != [0, 0, 0, 0, 1, 0],
        "moderate logits have lost their class beside a large one. Did you divide by the largest? "
        "The class of a review must not depend on its neighbours in the batch.",
    )
    require(
        classes == [1, 1, 0, 0, 1, 1],
        "for each sample: which of the two classes has a probability above one half?",
    )
    require(
        _call(predicted_classes, torch.tensor([-1.0, -4.0])).tolist() == [0, 0],
        "in a batch of negative reviews alone nothing is positive. Did you rescale by the largest "
        "logit?",
    )
    require(
        _call(predicted_classes, torch.tensor([1e-9])).tolist() == [1],
        "a logit of 1e-9 lies above 0, but its sigmoid is rounded to exactly 0.5. You need no "
        "sigmoid.",
    )
    require(
        _call(predicted_classes, logits).dtype == torch.int64,
        "the targets are class numbers, int64. Yours are another type: convert.",
    )
    _compare_several_classes(predicted_classes)


def _compare_several_classes(predicted_classes: Callable) -> None:
    logits = torch.tensor([[0.1, 0.3, 0.2], [-1.0, -3.0, -2.0]])
    classes = _call(predicted_classes, logits)
    require(
        tuple(classes.shape) != (2, 3),
        "for logits [batch, classes], several logits of one sample can be positive, but it has "
        "one class: which logit wins?",
    )
    require(
        tuple(classes.shape) == (2,) and classes.tolist() == [1, 0],
        "for logits [batch, classes], look for the largest logit of each *sample*: along which "
        "axis?",
    )
    require(
        tuple(_call(predicted_classes, logits[:1]).shape) == (1,),
        "a batch of one sample still has a batch axis.",
    )
    require(
        tuple(_call(predicted_classes, logits[:, 0][:0]).shape) == (0,),
        "an empty batch has no classes, but no error either.",
    )


@exercise("VI.2.a")
def vi_2_a(perplexity: Callable) -> None:
    """Check perplexity(probabilities of the truth) → exp of the mean of −ln p."""
    answer = float(_call(perplexity, torch.full((4,), 0.5)))
    require(
        not _close(answer, 0.5, 1e-4),
        "a perplexity below 1 is impossible, and this one is 0.5: is a minus sign lost?",
    )
    require(
        not _close(answer, math.log(2), 1e-4),
        "that is the cross-entropy. One function is missing between it and the perplexity.",
    )
    require(
        not _close(answer, 2 ** math.log(2), 1e-4),
        "2 to the power of a cross-entropy in *nats*: logarithm and power need the same base.",
    )
    require(
        not _close(answer, 16, 1e-4),
        "that grows with the number of samples: a sum stands where a mean belongs.",
    )
    require(
        answer >= 1,
        f"a perplexity below 1 is impossible, but yours is {answer:.4g} where every p is 0.5.",
    )
    require(_close(answer, 2, 1e-4), "where every probability is 0.5, −ln p is the same for all.")
    answer = float(_call(perplexity, torch.tensor([0.5, 0.125])))
    require(
        not _close(answer, 5, 1e-4),
        "that is the mean of 1/p, sample by sample. The mean comes before the exponential.",
    )
    require(
        not _close(answer, 3.2, 1e-4),
        "that is 1 over the mean probability. Take the logarithms first, then their mean.",
    )
    require(_close(answer, 4, 1e-4), "for p = 0.5 and 0.125 the mean of −ln p is ln 4.")
    answer = float(_call(perplexity, torch.tensor([1.0])))
    require(_close(answer, 1), "one sample, predicted for certain: nothing to hesitate about.")


@exercise("VI.2.b")
def vi_2_b(guessing_perplexity: Callable) -> None:
    """Check guessing_perplexity(num_classes)."""
    for num_classes in (4, 2, 1, 1_000):
        answer = float(_call(guessing_perplexity, num_classes))
        require(
            num_classes == 1 or not _close(answer, 1 / num_classes, 1e-4),
            f"for {num_classes} classes you get {answer:.4g}. That is the probability of guessing "
            "right; a perplexity below 1 is impossible.",
        )
        require(
            num_classes == 1 or not _close(answer, math.log(num_classes), 1e-4),
            f"for {num_classes} classes you get {answer:.4g}. That is the cross-entropy, not yet "
            "the perplexity.",
        )
        require(
            _close(answer, num_classes, 1e-4),
            f"for {num_classes} classes with equal logits, {answer:.4g} is not the perplexity. "
            "Start from CrossEntropyLoss.",
        )


@exercise("VI.2.c")
def vi_2_c(perfect_perplexity: float) -> None:
    """Check the perplexity of a perfect model."""
    answer = float(perfect_perplexity)
    require(answer != 0, "0 is its loss. The perplexity is e to the power of the loss.")
    require(
        math.isfinite(answer), "the best model is not the one that hesitates between most answers."
    )
    require(answer >= 1, "a perplexity below 1 is impossible: no probability is larger than 1.")
    require(answer == 1, "between how many answers does somebody hesitate who knows?")


@exercise("VI.3.a")
def vi_3_a(evaluate_model: Callable) -> None:
    """Check evaluate_model(model, loader) → (loss, perplexity, accuracy), over samples."""
    batches = [([2.0, -1.0, 3.0, -0.5], [1, 0, 0, 1]), ([-4.0], [1])]
    loader = [(torch.tensor(logits), torch.tensor(targets)) for logits, targets in batches]
    losses = [  # of each sample, by hand: ln(1 + e^−z) for the truth 1, ln(1 + e^z) for 0
        [math.log1p(math.exp(-z if y else z)) for z, y in zip(*batch, strict=True)]
        for batch in batches
    ]
    means = [sum(batch) / len(batch) for batch in losses]
    model = _Echo()
    answer = _call(evaluate_model, model, loader)
    require(
        isinstance(answer, tuple) and len(answer) == 3,
        "return three numbers: loss, perplexity, accuracy.",
    )
    require(
        not any(training for training, _ in model.states),
        "the model computed in training mode: which of the two switches is missing?",
    )
    require(
        not any(grad for _, grad in model.states),
        "PyTorch built a graph for every batch: which of the two switches is missing?",
    )
    loss, perplexity, accuracy = map(float, answer)
    _compare_loss(loss, means)
    _compare_perplexity(perplexity, losses, means)
    require(not _close(accuracy, 2), "that is a number of right answers, not yet a share.")
    require(
        not _close(accuracy, 0.25, 1e-4),
        "that is the mean of the batches' accuracies, but the last batch is smaller. Count "
        "samples.",
    )
    require(not _close(accuracy, 0.6), "that is the share of *wrong* predictions.")
    require(_close(accuracy, 0.4, 1e-4), f"2 of 5 predictions are right, but you say {accuracy}.")
    loss, perplexity, accuracy = _call(evaluate_model, _Echo(), loader[1:])
    require(
        _close(loss, means[1], 1e-4) and _close(accuracy, 0),
        "a single batch with a single sample is an evaluation, too.",
    )


def _compare_loss(loss: float, means: list[float]) -> None:
    require(
        not _close(loss, means[1], 1e-4), "that is the loss of the last batch: one sample's word."
    )
    require(
        not _close(loss, sum(means) / 2, 1e-4),
        "that is the mean over *batches*. The last one is smaller, yet it counts as much as the "
        "other.",
    )
    require(
        not _close(loss, means[0] * 4 + means[1], 1e-4), "that is a sum over all samples, no mean."
    )
    require(
        not _close(loss, sum(means) / 5, 1e-4),
        "each batch loss is a mean already: before adding up it must become a sum again.",
    )
    require(
        _close(loss, (means[0] * 4 + means[1]) / 5, 1e-4),
        "the loss is the mean over all samples: each batch counts by its size.",
    )


def _compare_perplexity(perplexity: float, losses: list[list[float]], means: list[float]) -> None:
    expected = math.exp((means[0] * 4 + means[1]) / 5)
    require(perplexity >= 1, "a perplexity below 1 is impossible: is a minus sign lost?")
    averaged = (sum(map(math.exp, means)) / 2, (4 * math.exp(means[0]) + math.exp(means[1])) / 5)
    require(
        not any(_close(perplexity, wrong, 1e-4) for wrong in averaged),
        "that is a mean of the batches' perplexities. Average the loss first; exp comes last.",
    )
    of_samples = sum(math.exp(loss) for batch in losses for loss in batch) / 5
    require(
        not _close(perplexity, of_samples, 1e-4),
        "that is a mean of the samples' perplexities. Average the loss first; exp comes last.",
    )
    require(
        not _close(perplexity, math.exp(means[1]), 1e-4),
        "that is the perplexity of the last batch.",
    )
    require(_close(perplexity, expected, 1e-4), "the perplexity is exp of the loss.")


@exercise("VI.3.b")
def vi_3_b(train_and_watch: Callable) -> None:
    """Check train_and_watch(...) → [(Evaluation on train, on validation)], one an epoch."""
    inputs = torch.tensor([[2.0, 1.0], [1.0, -1.0], [-1.0, 0.5], [-2.0, -1.0], [0.5, 2.0]])
    targets = torch.tensor([1, 1, 0, 0, 1])
    train_loader = [(inputs[:3], targets[:3]), (inputs[3:], targets[3:])]
    validation_loader = [(-0.5 * inputs[:4], targets[:4])]

    def expected(on: list, num_epochs: int) -> list[tuple[float, float]]:
        model, optimizer = _tiny_classifier()
        found = [(evaluate(model, train_loader).loss, evaluate(model, validation_loader).loss)]
        for _ in range(num_epochs):
            train_epoch(model, on, optimizer)
            on_train = evaluate(model, train_loader).loss
            found.append((on_train, evaluate(model, validation_loader).loss))
        return found  # before training, and after each epoch

    model, optimizer = _tiny_classifier()
    rows = _call(train_and_watch, model, train_loader, validation_loader, optimizer, 3)
    require(
        isinstance(rows, list) and len(rows) == 3,
        "return a list with one entry for each of the 3 epochs.",
    )
    require(
        all(isinstance(row, tuple | list) and len(row) == 2 for row in rows),
        "each entry is a pair: evaluation on train, evaluation on validation.",
    )
    require(
        all(isinstance(entry, Evaluation) for row in rows for entry in row),
        "both parts of a pair come from training.evaluate. (What train_epoch returns is a loss "
        "gathered while the weights were changing.)",
    )
    answer = [(on_train.loss, on_validation.loss) for on_train, on_validation in rows]
    right = expected(train_loader, 3)
    require(
        not _all_pairs_close(answer, [row[::-1] for row in right[1:]]),
        "the pairs are swapped: train comes first.",
    )
    require(
        not _all_pairs_close(answer, right[:3]),
        "your first entry belongs to the untrained model: evaluate *after* the epoch.",
    )
    require(
        not _all_pairs_close(answer, expected(validation_loader, 3)[1:]),
        "the model learned from the validation batches. They are for looking only.",
    )
    require(
        not _all_pairs_close(answer, expected([*train_loader, *validation_loader], 3)[1:]),
        "the model learned from the validation batches, too. They are for looking only.",
    )
    require(
        answer[0] != answer[1] and answer[1] != answer[2],
        "two epochs have the same evaluation: evaluate after every epoch, not once at the end.",
    )
    require(
        _all_pairs_close(answer, right[1:]),
        "for each epoch: train on the train batches once, then evaluate on both loaders.",
    )


def _tiny_classifier() -> tuple[nn.Module, torch.optim.Optimizer]:
    model = nn.Sequential(_with_parameters(nn.Linear, 2, 1), nn.Flatten(0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.1)
    return model, torch.optim.SGD(model.parameters(), lr=0.5)


def _all_pairs_close(pairs: Sequence, expected: Sequence) -> bool:
    return all(_all_close(*both, 1e-4) for both in zip(pairs, expected, strict=True))


@exercise("VI.4.a")
def vi_4_a(reason: str) -> None:
    """Check what the score of 100 % shows (a letter)."""
    _choose(
        reason,
        right="a",
        hints={
            "b": "overfitting makes a model *worse* on reviews that it has not seen. These it had "
            "not seen.",
            "c": "if fewer reviews made better models, nobody would collect more. What is special "
            "about these?",
            "d": "select(range(1_000)) and select(range(1_000, 2_000)) share no review.",
        },
    )


@exercise("VI.4.b")
def vi_4_b(when_to_stop: Callable) -> None:
    """Check when_to_stop(losses, patience) → (last epoch trained, best epoch)."""
    losses = [0.9, 0.5, 0.6, 0.4, 0.45, 0.47, 0.43, 0.3]
    answer = _call(when_to_stop, losses, 3)
    require(
        isinstance(answer, tuple) and len(answer) == 2,
        "return two numbers: the last epoch trained and the best epoch.",
    )
    require(
        answer != (2, 1),
        "you stop at the first epoch that is worse. What is the patience for?",
    )
    require(
        answer != (7, 7),
        "you know the future: the best of *all* losses comes after training has stopped.",
    )
    require(answer != (6, 6), "the weights to keep are those of the best epoch, not of the last.")
    require(answer != (3, 6), "the two numbers are swapped: last epoch first.")
    require(answer != (7, 3), "one epoch too many: count the epochs that lie behind the best one.")
    require(
        answer not in ((5, 3), (4, 3)),
        "too early: with a patience of 3, three epochs may fail to improve before it ends.",
    )
    require(answer != (7, 4), "epochs count from 0, as in `losses[0]`.")
    require(
        answer == (6, 3),
        f"for {losses} and a patience of 3, {answer} is wrong. Walk through it by hand.",
    )
    require(
        _call(when_to_stop, [0.5, 0.6, 0.4, 0.5], 1) == (1, 0),
        "with a patience of 1, the first epoch that is worse is the last.",
    )
    require(
        _call(when_to_stop, [0.5, 0.4, 0.45], 5) == (2, 1),
        "when the epochs run out first, the last one is the last, and the best one is still kept.",
    )
    require(
        _call(when_to_stop, [0.5, 0.5, 0.5, 0.5], 2) == (2, 0),
        "an equal loss is no improvement.",
    )
    require(_call(when_to_stop, [0.7], 2) == (0, 0), "one epoch is the last and the best.")


# --- 10 · Tabular data: abalone, classification ------------------------------------------


def _call_for_number(function: Callable, *arguments: Any) -> float:
    result = _call(function, *arguments)
    try:
        return float(result)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"return a single number; this is {type(result).__name__}.") from None


def _call_for_shares(function: Callable, *arguments: Any) -> np.ndarray:
    result = _call(function, *arguments)
    try:
        shares = np.asarray(result, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"return an array of numbers; this is {type(result).__name__}.") from None
    require(shares.shape == (2, 2), f"an array [2, 2] is expected, got {list(shares.shape)}.")
    return shares


@exercise("10.1")
def ex_10_1(label_old: Callable) -> None:
    """Check label_old(rings, old_from) → (labels int64, accuracy of the best constant answer)."""
    answer = _call(label_old, np.array([3, 10, 12, 10, 9, 4, 5, 1]), 10)
    require(
        isinstance(answer, tuple) and len(answer) == 2,
        "return two things: the labels, and the base rate.",
    )
    labels, base_rate = answer
    labels = np.asarray(labels)
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
        not _close(base_rate, 3 / 8),
        "that is the share of the old. Here a constant answer can be right more often.",
    )
    require(
        not _close(base_rate, 0.5),
        "0.5 is what tossing a coin gives. Always giving the *same* answer can do better.",
    )
    require(not _close(base_rate, 5), "that is a number of animals. Give it as a share of all.")
    require(_close(base_rate, 5 / 8), "the base rate is the share of the more frequent class.")
    _, base_rate = _call(label_old, [7, 20, 21, 22], 7)
    require(
        _close(base_rate, 1),
        "when all animals are old, always saying 'old' is always right: which of the two classes "
        "is the more frequent one?",
    )


@exercise("10.2")
def ex_10_2(split_indices: Callable) -> None:
    """Check split_indices(labels, seed) → row numbers of train, validation, test."""
    labels = np.repeat([0, 1], [160, 40])
    parts = _call(split_indices, labels, 0)
    require(
        isinstance(parts, tuple | list) and len(parts) == 3,
        "return three arrays of row numbers: train, validation, test.",
    )
    parts = [np.asarray(part) for part in parts]
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
    shares = [labels[part].mean() for part in parts]
    found = ", ".join(f"{share:.0%}" for share in shares)
    require(
        all(_close(share, 0.2) for share in shares),
        f"20 % of all rows are of class 1, but of the parts {found}: stratify both splits, the "
        "second one by the labels of the rows that are left.",
    )
    again, other = (_call(split_indices, labels, seed) for seed in (0, 1))
    require(
        all(map(np.array_equal, parts, again)),
        "the same seed must give the same parts, every time: pass it on.",
    )
    require(
        not np.array_equal(np.sort(parts[0]), np.sort(other[0]))
        and not np.array_equal(np.sort(parts[2]), np.sort(other[2])),
        "another seed must give other parts: is `seed` used in both splits?",
    )


@exercise("10.3")
def ex_10_3(standardize: Callable) -> None:
    """Check standardize(values, train_values) → z-scores by the statistics of train."""
    train = torch.tensor([[1.0, 100.0], [2.0, 300.0], [6.0, 200.0], [3.0, 600.0]])
    values = torch.tensor([[3.0, 300.0], [9.0, 0.0]])
    answer = _call(standardize, values, train)
    require(
        isinstance(answer, torch.Tensor) and answer.shape == values.shape,
        "return a tensor with the shape of `values`: the rows of train only lend their mean and "
        "standard deviation.",
    )
    mean, std = train.mean(dim=0), train.std(dim=0)

    def is_like(expected: torch.Tensor) -> bool:
        return torch.allclose(answer, expected, rtol=1e-4, atol=1e-5)

    own = (values - values.mean(dim=0)) / values.std(dim=0)
    both = torch.cat([values, train])
    require(
        not is_like(own) and not is_like((values - values.mean(dim=0)) / std),
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
    require(not is_like(values - mean), "the division by the standard deviation is missing.")
    require(
        is_like((values - mean) / std) or is_like((values - mean) / train.std(dim=0, correction=0)),
        "subtract the mean of each column of train, then divide by its standard deviation.",
    )
    single = _call(standardize, values[:1], train)
    require(
        torch.allclose(single, answer[:1], rtol=1e-4, atol=1e-5),
        "one row alone must come out as it does among others.",
    )


@exercise("10.4")
def ex_10_4(one_hot: Callable) -> None:
    """Check one_hot(categories, names) → float32 [rows, names], an error for unknown ones."""
    names = ("north", "south", "west")
    answer = _call(one_hot, ["west", "north", "west", "south"], names)
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
        _call(one_hot, ["south"], names).tolist() == [[0, 1, 0]],
        "the columns come from `names`, also if a category does not occur in the data.",
    )
    for wrong in (["north", "sooth"], ["North"]):
        try:
            result = one_hot(wrong, names)
        except (ValueError, AssertionError):
            continue
        if result is None or result is ...:
            raise Open
        raise Wrong(
            f"for the categories {wrong} (a slip!) the rows are {result.tolist()}, and nobody "
            "notices. Raise a ValueError when a row does not sum to 1."
        )


@exercise("10.5")
def ex_10_5(make_mlp: Callable) -> None:
    """Check make_mlp(num_features, hidden_sizes, num_outputs, dropout) → nn.Sequential."""
    model = _call(make_mlp, 5, (7, 3), 2, 0.0)
    require(isinstance(model, nn.Sequential), "return an nn.Sequential.")
    layers = list(model)
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
    dropped = list(_call(make_mlp, 5, (7, 3), 1, 0.25))
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
        [type(layer).__name__ for layer in _call(make_mlp, 4, (), 2, 0.0)] == ["Linear"],
        "without hidden layers one Linear remains.",
    )


@exercise("10.6")
def ex_10_6(roc_point: Callable) -> None:
    """Check roc_point(probabilities, labels, threshold) → (FPR, TPR)."""
    probabilities = np.array([0.9, 0.5, 0.4, 0.2, 0.7, 0.1, 0.3, 0.6])
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 0])
    answer = _call(roc_point, probabilities, labels, 0.5)
    require(
        isinstance(answer, tuple | list) and len(answer) == 2,
        "return two shares: false positive rate, true positive rate.",
    )
    false_rate, true_rate = (float(value) for value in answer)
    require(
        not (_close(false_rate, 2 / 3) and _close(true_rate, 2 / 5)),
        "the two are swapped: the false positive rate comes first.",
    )
    require(
        not (_close(false_rate, 2 / 8) or _close(true_rate, 2 / 8)),
        "that divides by all animals. The false positive rate is a share of the *young*, the true "
        "positive rate of the *old*.",
    )
    require(
        not (_close(true_rate, 2 / 4) or _close(false_rate, 2 / 4)),
        "that divides by those who are *called* old. Both rates are shares of those who truly are "
        "young, or old.",
    )
    require(
        not _close(false_rate, 3 / 5),
        "those are the shares that are called *young*.",
    )
    require(not _close(true_rate, 1 / 3), "an animal exactly at the threshold is called old.")
    require(
        _close(false_rate, 2 / 5) and _close(true_rate, 2 / 3),
        "of the young, which share is at or above the threshold? And of the old?",
    )
    for threshold, expected in ((0.0, 1.0), (1.1, 0.0), (0.65, None)):
        false_rate, true_rate = _call(roc_point, probabilities, labels, threshold)
        right = (expected, expected) if expected is not None else (1 / 5, 1 / 3)
        require(
            _close(false_rate, right[0]) and _close(true_rate, right[1]),
            f"right at the threshold 0.5, but not at {threshold}: is the argument used?",
        )


@exercise("10.7")
def ex_10_7(auc_by_pairs: Callable) -> None:
    """Check auc_by_pairs(scores, labels) → share of (old, young) pairs in order."""
    scores = np.array([0.9, 0.4, 0.5, 0.5, 0.1, 0.7, 0.3])
    labels = np.array([1, 1, 1, 0, 0, 0, 0])
    answer = _call_for_number(auc_by_pairs, scores, labels)  # 12 pairs: 8 in order, 1 tie
    require(
        not _close(answer, 8 / 12),
        "ties are counted as lost. An old and a young animal with the same score count half.",
    )
    require(not _close(answer, 9 / 12), "ties are counted as won. They count half.")
    require(
        not _close(answer, 3.5 / 12),
        "that is the share of pairs in which the *young* one scores higher.",
    )
    require(
        not _close(answer, 8.5) and not _close(answer, 8),
        "that is a number of pairs. Divide by how many there are.",
    )
    require(
        not any(_close(answer, right / pairs) for right in (8, 8.5) for pairs in (7, 21, 42, 49)),
        "only pairs of one old and one young animal count. How many of those are there?",
    )
    require(
        not _close(answer, 7 / 12),
        "the scores were turned into decisions first. Compare the scores themselves.",
    )
    require(not _close(answer, 4 / 7), "that is an accuracy: it judges animals, not pairs.")
    require(
        _close(answer, 8.5 / 12),
        "of the 12 pairs of the test case 8 are in order and 1 is a tie.",
    )
    for scale, shift in ((3.0, -7.0), (1e-3, 0.0)):
        require(
            _close(_call(auc_by_pairs, scores * scale + shift, labels), 8.5 / 12),
            "the AUC depends on the order of the scores alone: no threshold, no limits.",
        )
    require(
        _close(_call(auc_by_pairs, np.array([0.1, 0.2]), np.array([1, 0])), 0),
        "a single pair in the wrong order gives 0.",
    )


@exercise("10.8")
def ex_10_8(confusion_shares: Callable) -> None:
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
    never = np.asarray(_call(confusion_shares, np.zeros(13, dtype=int), labels), dtype=float)
    require(never.shape == (2, 2), "a class that is never predicted still has its column.")
    require(
        np.allclose(never, [[1, 0], [1, 0]]), "if nobody is called old, the shares are 1 and 0."
    )


@exercise("10.9")
def ex_10_9(paired_interval: Callable) -> None:
    """Check paired_interval(new, old) → mean difference and half of its 95 % t-interval."""
    new, old = [80, 91, 72, 86, 65], [78, 90, 71, 82, 66]
    answer = _call(paired_interval, new, old)
    require(
        isinstance(answer, tuple | list) and len(answer) == 2,
        "return two numbers: the mean difference and half of the interval.",
    )
    mean, half = (float(value) for value in answer)
    student = 2.7764451  # the 97.5 % point of Student's t with 4 degrees of freedom
    spread = math.sqrt(3.3)  # the standard deviation of the five differences
    require(not _close(mean, -1.4), "the sign is turned round: new minus old.")
    require(_close(mean, 1.4), "the first number is the mean of the differences.")

    def is_one_of(*widths: float) -> bool:
        return any(_close(half, width, 1e-4) for width in widths)

    error = spread / math.sqrt(5)
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
    mean, half = _call(paired_interval, np.array([1.0, 5.0]), np.array([2.0, 2.0]))
    require(
        _close(mean, 1) and _close(half, 12.7062047 * 2, 1e-4),
        "right for five splits, but not for two: does the factor of t follow n?",
    )


# --- 08 · LoRA --------------------------------------------------------------------------


def _matrices(out_features: int, in_features: int, r: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw lora_A [r, in] and lora_B [out, r], neither of them zero."""
    generator = torch.Generator().manual_seed(out_features + 10 * in_features + 100 * r)
    return (
        torch.randn(r, in_features, generator=generator),
        torch.randn(out_features, r, generator=generator),
    )


@exercise("VIII.1")
def viii_1(low_rank_update: Callable) -> None:
    """Check low_rank_update(lora_A, lora_B, alpha) → alpha / r · B A, [out, in]."""
    swapped = (
        "A and B are swapped. In the paper A touches the input first, so it stands on the right "
        "of the product."
    )
    for out_features, in_features, r, alpha in ((4, 5, 2, 3.0), (3, 3, 3, 2.0), (6, 3, 1, 0.5)):
        lora_A, lora_B = _matrices(out_features, in_features, r)  # noqa: N806 - the paper's names
        try:
            answer = _call(low_rank_update, lora_A.clone(), lora_B.clone(), alpha)
        except RuntimeError as error:
            raise Wrong(f"the product failed. {swapped}") from error
        require(isinstance(answer, torch.Tensor), "return a tensor.")
        product = lora_B @ lora_A
        if _same(answer, alpha / r * product):
            continue
        require(answer.shape != product.T.shape or r == in_features, _TRANSPOSED)
        require(
            answer.shape == product.shape,
            f"the update must have the shape of W, [out, in] = {list(product.shape)}; yours has "
            f"{list(answer.shape)}.",
        )
        require(r != in_features or not _same(answer, alpha / r * lora_A @ lora_B), swapped)
        require(not _same(answer, alpha / r * product.T), _TRANSPOSED)
        require(not _same(answer, product), "the scaling is left out: what of alpha and r?")
        require(
            not _same(answer, alpha * product) and not _same(answer, alpha * r * product),
            "the scaling is alpha *divided by the rank*, so that ranks can be compared.",
        )
        require(
            not any(_same(answer, alpha / side * product) for side in product.shape),
            "alpha is divided by the wrong side of the matrix. Which side of A is the rank?",
        )
        require(
            not _same(answer, alpha / math.sqrt(r) * product),
            "that is the rank-stabilised scaling. The paper divides by r, not by its root.",
        )
        raise Wrong("the shape is right, the numbers are not.")


_TRANSPOSED = "that is the update transposed, [in, out]. W is [out, in]."


@exercise("VIII.2")
def viii_2(lora_forward: Callable) -> None:
    """Check lora_forward(inputs, weight, bias, lora_A, lora_B, scaling) → outputs [batch, out]."""
    for batch_size, in_features, out_features, r in ((3, 5, 4, 2), (1, 64, 48, 8), (0, 5, 4, 1)):
        lora_A, lora_B = _matrices(out_features, in_features, r)  # noqa: N806 - the paper's names
        weight = _matrices(1, in_features, out_features)[0]  # [out, in]
        bias = _matrices(out_features, 2, 1)[1].squeeze(1)  # [out]
        inputs = _matrices(2, in_features, batch_size)[0]  # [batch, in]
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            answer = _call(lora_forward, inputs, weight, bias, lora_A, lora_B, 1.5)
        base, adapter = inputs @ weight.T + bias, inputs @ lora_A.T @ lora_B.T
        require(
            isinstance(answer, torch.Tensor) and answer.shape == base.shape,
            f"for a batch of {batch_size}, return a tensor [batch, out] = {list(base.shape)}.",
        )
        if not _same(answer, base + 1.5 * adapter, 1e-4):
            _compare_forward(answer, base, bias, adapter)
        thin = 2 * batch_size * (in_features * out_features + r * (in_features + out_features))
        require(
            counter.get_total_flops() <= thin,
            f"the numbers are right, but you paid {counter.get_total_flops():,} operations where "
            f"{thin:,} are enough: a full [out, in] matrix was formed on the way. Which product "
            "comes first if none is to appear?",
        )


def _compare_forward(
    answer: torch.Tensor, base: torch.Tensor, bias: torch.Tensor, adapter: torch.Tensor
) -> None:
    """Say what is wrong with the outputs of VIII.2, whose scaling is 1.5."""
    hints = (
        (base - bias + 1.5 * adapter, "the bias of the base layer is missing."),
        (base, "that is the base layer alone."),
        (base + adapter, "the scaling is left out of the update."),
        (
            1.5 * (base + adapter),
            "the scaling belongs to the update alone: the base layer stays as it is.",
        ),
        (
            base + 1.5 * (adapter + bias),
            "the bias was added twice: it belongs to the base layer alone.",
        ),
        (1.5 * adapter, "that is the update alone. It comes on top of the base layer's output."),
    )
    for wrong, hint in hints:
        require(not _same(answer, wrong, 1e-4), hint)
    raise Wrong("the shape is right, the numbers are not. Which shape has each product?")


@exercise("VIII.3")
def viii_3(reason: str) -> None:
    """Check why B starts at zero and A does not (a letter)."""
    _choose(
        reason,
        right="c",
        hints={
            "a": "the output at the start would be the same: B A is zero as soon as one of the "
            "two is.",
            "b": "a parameter may hold any number. B is zero at the start, and is trained.",
            "d": "then the new layer would not start as the old one: a random B A is added to W.",
        },
    )


class _CountsTwice(LoRALinear):
    """The adapter stays switched on after the merge."""

    def merge(self) -> nn.Module:
        base = super().merge()
        self.merged = False
        return base

    def unmerge(self) -> None:
        self.merged = True
        super().unmerge()


class _ForgetsScaling(LoRALinear):
    """The merge leaves the scaling out."""

    def update(self) -> torch.Tensor:
        return self.lora_B @ self.lora_A


class _MergesNothing(LoRALinear):
    """The merge switches the adapter off and leaves W as it is."""

    def update(self) -> torch.Tensor:
        return torch.zeros_like(self.base.weight)


class _Subtracts(LoRALinear):
    """The merge has the wrong sign."""

    def update(self) -> torch.Tensor:
        return -super().update()


@exercise("VIII.4")
def viii_4(merge_is_faithful: Callable) -> None:
    """Check merge_is_faithful(layer, inputs) → bool, on a good layer and on broken ones."""
    faults = {
        _CountsTwice: "counts its update twice after the merge",
        _ForgetsScaling: "forgets the scaling when it merges",
        _MergesNothing: "merges nothing at all",
        _Subtracts: "subtracts its update when it merges",
    }
    passed = [fault for kind, fault in faults.items() if _verdict(merge_is_faithful, kind)]
    good = _verdict(merge_is_faithful, LoRALinear)
    require(
        good or not passed,
        "your function refuses a sound layer and lets one pass that "
        f"{passed[-1] if passed else ''}. What do you compare with? Before the merge the adapter "
        "must be on. (Or is the verdict the wrong way round?)",
    )
    require(
        good,
        "your function refuses a sound layer. Is the comparison exact? Two ways to compute one "
        "number differ in the last digits.",
    )
    require(
        len(passed) < len(faults),
        "your function says True to everything, even to a layer that "
        f"{passed[-1] if passed else ''}. What does a *new* adapter add to W? A test with that "
        "can't fail.",
    )
    require(not passed, f"your function lets a layer pass that {', '.join(passed)}.")


def _verdict(merge_is_faithful: Callable, kind: type[LoRALinear]) -> bool:
    """Return what the reader's function says of a new layer of this kind."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        layer = kind(nn.Linear(6, 6), r=2, alpha=3.0)
        verdict = _call(merge_is_faithful, layer, torch.randn(5, 6))
    require(
        isinstance(verdict, bool | np.bool_)
        or (torch.is_tensor(verdict) and verdict.dtype == torch.bool and verdict.ndim == 0),
        f"return True or False, not {type(verdict).__name__}.",
    )
    return bool(verdict)


@exercise("VIII.5")
def viii_5(trainable: int, total: int) -> None:
    """Check the parameter counts of the 20,000-200-2 model with an adapter of rank 1."""
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


@exercise("VIII.6")
def viii_6(largest_stable_lr: Callable) -> None:
    """Check largest_stable_lr(curvature) → the learning rate beyond which steps diverge."""
    for curvature in (20.0, 1.0, 0.125):
        answer = _number(_call(largest_stable_lr, curvature), "the learning rate")
        if _close(answer, 2 / curvature):
            continue
        require(
            not _close(answer, 1 / curvature),
            "with that one a single step lands in the minimum. A larger one overshoots, but does "
            "it end up farther away than it began?",
        )
        require(
            not (_close(answer, 2 * curvature) or _close(answer, curvature / 2)),
            "the steeper the valley, the smaller the steps must be. Yours grow with the curvature.",
        )
        raise Wrong(
            f"for a curvature of {curvature:g}, {answer:g} is wrong. By what does one step "
            "multiply the distance, and when is that smaller than −1?"
        )


@exercise("VIII.7")
def viii_7(reason: str) -> None:
    """Check why LoRA training was not much faster here (a letter)."""
    _choose(
        reason,
        right="a",
        hints={
            "b": "look at the operations: rank 1 is as thin as it gets.",
            "c": "a frozen weight gets no gradient, and the counter shows that this half is saved.",
            "d": "the optimizer is not in these measurements, and it has hardly anything to do.",
        },
    )


@exercise("VIII.8")
def viii_8(adam_state_bytes: Callable) -> None:
    """Check adam_state_bytes(model) → bytes of Adam's two moments."""
    with torch.random.fork_rng(devices=[]):  # leave the reader's random numbers alone
        model = nn.Sequential(nn.Linear(10, 3), nn.ReLU(), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    everything, trained = 41, 8
    answer = _call(adam_state_bytes, model)
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
    require(answer == 8 * trained, "two numbers for every number that is trained, at 4 bytes each.")
    require(
        _call(adam_state_bytes, model.double()) == 16 * trained,
        "for a float64 model your answer is wrong: ask the parameter for its `element_size()`.",
    )
    require(
        _call(adam_state_bytes, model.requires_grad_(False)) == 0,
        "a model without a trained parameter needs no state.",
    )


@exercise("VIII.9")
def viii_9(most_moved: Callable) -> None:
    """Check most_moved(update, vocabulary, count) → the tokens with the longest columns."""
    vocabulary = Vocabulary(["film", "good", "bad", "plot"])
    columns = {
        "<unk>": (0.0, 0.3, 0.0),  # of length 0.3
        "film": (2.9, 2.9, 2.9),  # 5.02
        "good": (3.0, -4.0, 1.0),  # 5.10
        "bad": (0.1, 0.1, 9.0),  # 9.00
        "plot": (-3.0, -3.0, 1.0),  # 4.36
    }
    update = torch.tensor(list(columns.values())).T.contiguous()  # [out, in]
    answer = _call(most_moved, update.clone(), vocabulary, 2)
    require(
        isinstance(answer, list) and all(isinstance(token, str) for token in answer),
        "return a list of tokens (str).",
    )
    hints = {
        ("plot", "bad"): "off by one: code 0 is the unknown token, and `decode` knows it.",
        ("good", "film"): "you measured rows. A token is a *column* of the update.",
        ("<unk>", "plot"): "those two moved least: the longest columns come first.",
        ("good", "bad"): "the right tokens, but the one that moved most comes first.",
        ("bad", "film"): "in a sum, entries of opposite sign cancel: square before you add.",
        ("bad", "plot"): "in a sum, entries of opposite sign cancel: square before you add.",
    }
    require(
        answer == ["bad", "good"],
        hints.get(tuple(answer), f"for `count` = 2 tokens of {list(columns)}, {answer} is wrong."),
    )
    answer = _call(most_moved, torch.diag(torch.tensor([5.0, 1, 2, 3, 4])), vocabulary, 3)
    require(
        answer == ["<unk>", "plot", "bad"],
        "the unknown token has a column as well, and it may be the one that moved most.",
    )


def _same(answer: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> bool:
    """Whether two tensors have one shape and, but for rounding, the same numbers."""
    return answer.shape == expected.shape and torch.allclose(
        answer.detach().float(), expected, atol=tolerance, rtol=tolerance
    )


# --- 09 · Bag of words, SVD and metrics --------------------------------------------------


@exercise("9.1")
def ex_9_1(words_and_pairs: Callable) -> None:
    """Check words_and_pairs(tokens) → the words, then the pairs of neighbours."""
    tokens = ["not", "bad", "at", "all", "not", "bad"]
    answer = _call(words_and_pairs, list(tokens))
    require(isinstance(answer, list | tuple), "return a list of strings.")
    require(
        not any(isinstance(ngram, tuple | list) for ngram in answer),
        "a pair is one string here, its two words with a blank in between.",
    )
    found = list(answer)
    pairs = ["not bad", "bad at", "at all", "all not", "not bad"]
    require(found != pairs, "those are the pairs alone. The words count, too.")
    require(
        "not not" not in found and "bad not" not in found,
        "a pair was made of words that are no neighbours; the last word has no right neighbour.",
    )
    require(
        found != list(dict.fromkeys(tokens + pairs)),
        "an n-gram that occurs twice must appear twice: counting comes later.",
    )
    require(
        not any(ngram.count(" ") > 1 for ngram in found),
        "some have three words or more: this is about pairs.",
    )
    require(
        sorted(found) != sorted(tokens + pairs) or found == tokens + pairs,
        "the right n-grams in another order: first all words, then all pairs.",
    )
    require(
        found == tokens + pairs,
        f"six words have {len(tokens)} 1-grams and {len(pairs)} 2-grams; got {found}.",
    )
    require(list(_call(words_and_pairs, ["good"])) == ["good"], "a single word has no neighbour.")
    require(list(_call(words_and_pairs, [])) == [], "an empty text has no n-grams at all.")


@exercise("9.2")
def ex_9_2(gigabytes: float) -> None:
    """Check the size of a dense basis [500, 1,290,428] in float64, in gigabytes."""
    size = 500 * 1_290_428
    value = float(gigabytes)

    def close(expected: float) -> bool:
        return math.isclose(value, expected, rel_tol=0.03)

    require(
        not close(size * 4 / 1e9),
        "that is the size in float32, with 4 bytes a number. How many has float64?",
    )
    require(
        not (close(size * 64 / 1e9) or close(size / 1e9)),
        "those are bits, or numbers. How many bytes has a number of 64 bits?",
    )
    require(
        not close(20_000 * 1_290_428 * 8 / 1e9),
        "that is the matrix of counts itself, if it were dense. The basis has 500 rows.",
    )
    require(
        not (close(size * 8) or close(size * 8 / 1e6)),
        "that is in bytes or megabytes. A gigabyte is 10⁹ bytes.",
    )
    require(
        math.isclose(value, size * 8 / 1e9, rel_tol=0.03) or close(size * 8 / 2**30),
        "multiply: components, n-grams, bytes of a number.",
    )


@exercise("9.3")
def ex_9_3(project: Callable) -> None:
    """Check project(counts, components) → coordinates, for sparse and dense counts."""
    numbers = np.random.default_rng(0)
    components = np.linalg.qr(numbers.normal(size=(6, 3)))[0].T  # [3, 6], orthonormal rows
    for rows in (4, 3, 1):
        dense = numbers.poisson(1.0, size=(rows, 6)).astype(float)
        for counts in (scipy.sparse.csr_matrix(dense), dense):
            try:
                answer = _call(project, counts, components)
            except ValueError as error:
                raise Wrong(
                    f"the shapes do not fit ({error}). Which of the two must be transposed?"
                ) from error
            answer = answer.toarray() if scipy.sparse.issparse(answer) else np.asarray(answer)
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
            lengths = np.linalg.norm(expected, axis=1, keepdims=True)
            require(
                not np.allclose(answer * lengths, expected) or np.allclose(answer, expected),
                "the coordinates were divided by their length; that is not asked for.",
            )
            require(
                np.allclose(answer, expected),
                "each coordinate is the scalar product of a review with a component.",
            )


@exercise("9.4")
def ex_9_4(components_for: Callable) -> None:
    """Check components_for(ratios, share) → how many components explain that share."""
    ratios = np.array([0.5, 0.25, 0.125, 0.0625])
    for share, expected in ((0.6, 2), (0.75, 2), (0.8, 3), (0.9, 4), (0.5, 1), (0.1, 1)):
        answer = _call(components_for, ratios, share)
        require(
            np.ndim(answer) == 0 and (float(answer) >= 1 or answer in (0, expected)),
            "return one number: how many components.",
        )
        require(
            share != 0.75 or answer != 3,
            "`at least`: the first two components explain exactly the 75 % asked for.",
        )
        require(
            answer != expected - 1,
            "that is the position of the last one needed, which counts from 0 (or one component "
            "is missing). How many are they?",
        )
        require(
            answer != expected + 1, "one too many: fewer components explain that share already."
        )
        require(
            answer == expected,
            f"for shares of {ratios.tolist()} and {share:.0%} the answer is not {answer}. Are you "
            "adding up?",
        )


@exercise("9.5")
def ex_9_5(num_parameters: int) -> None:
    """Check the number of parameters of a network 500-200-1."""
    require(num_parameters != 100_200, "the biases are missing: each unit has one.")
    require(
        num_parameters not in (100_400, 100_201),
        "one layer's biases are missing.",
    )
    require(
        num_parameters not in (4_000_401, 4_000_601, 4_000_201),
        "that is a network on 20,000 inputs. After the SVD a review has 500 numbers.",
    )
    require(
        num_parameters not in (100_402, 100_602, 100_601),
        "the activations have no parameters.",
    )
    require(num_parameters == 100_401, "add up weights and biases of both Linear layers.")


@exercise("9.6")
def ex_9_6(scores: Callable) -> None:
    """Check scores(predicted, targets) → precision, recall, F1, accuracy."""
    predicted = torch.tensor([1, 1, 1, 1, 0, 0, 0, 0, 0, 1])
    targets = torch.tensor([1, 1, 0, 0, 1, 0, 0, 0, 0, 1])
    answer = _call(scores, predicted, targets)
    require(
        isinstance(answer, tuple | list) and len(answer) == 4,
        "return four numbers: precision, recall, F1, accuracy.",
    )
    precision, recall, f1, accuracy = map(float, answer)
    require(
        not (_close(precision, 3 / 4) and _close(recall, 3 / 5)),
        "precision and recall are swapped. Precision divides by what was *called* positive.",
    )
    require(not _close(precision, 3), "those are counts; divide them.")
    require(_close(precision, 3 / 5), "precision: of those called positive, how many are positive?")
    require(_close(recall, 3 / 4), "recall: of those that are positive, how many were found?")
    require(
        not _close(f1, (3 / 5 + 3 / 4) / 2),
        "F1 is the harmonic mean of precision and recall, not the ordinary one.",
    )
    require(not _close(f1, 9 / 20 / (27 / 20)), "F1 is *twice* the product, divided by the sum.")
    require(_close(f1, 2 / 3), "F1 is 2 P R / (P + R).")
    require(not _close(accuracy, 3 / 10), "the accuracy counts right negative predictions as well.")
    require(_close(accuracy, 7 / 10), "the accuracy is the share of right predictions.")
    for case, (p, t), expected in (
        ("nothing is called positive", ([0, 0, 0], [1, 0, 1]), (0, 0, 0, 1 / 3)),
        ("nothing is positive", ([1, 0], [0, 0]), (0, 0, 0, 1 / 2)),
        ("neither is positive", ([0], [0]), (0, 0, 0, 1)),
        ("a batch of one is right", ([1], [1]), (1, 1, 1, 1)),
    ):
        try:
            answer = _call(scores, torch.tensor(p), torch.tensor(t))
        except ZeroDivisionError as error:
            raise Wrong(f"when {case}, your function divides by zero: return 0 there.") from error
        require(
            not any(math.isnan(float(number)) for number in answer),
            f"when {case}, 0/0 has become nan: return 0 there.",
        )
        require(
            all(_close(*both) for both in zip(answer, expected, strict=True)),
            f"when {case}, the scores are not {tuple(round(float(n), 3) for n in answer)}.",
        )


@exercise("9.7")
def ex_9_7(reason: str) -> None:
    """Check why the mean of the batches' F1 is half of the F1 (a letter)."""
    _choose(
        reason,
        right="d",
        hints={
            "a": "true, but one batch of forty can't take away half of the score.",
            "b": "the threshold is the same in both numbers, and so are the predictions.",
            "c": "the score of a batch is that of the batch alone; what adds up is shown by "
            "compute(), and that number is right.",
        },
    )


@exercise("9.8")
def ex_9_8(worst_leak: str) -> None:
    """Check which of four preparations leaks worst (a letter)."""
    _choose(
        worst_leak,
        right="a",
        hints={
            "b": "a leak, yes, but texts without labels: what could they give away about the "
            "sentiment?",
            "c": "that is no leak at all: it is what happens to every new review.",
            "d": "statistics of the training part alone are allowed: nothing leaks.",
        },
    )


@exercise("9.9")
def ex_9_9(verdict: str) -> None:
    """Check what the reduction to 500 numbers buys (a letter)."""
    _choose(
        verdict,
        right="b",
        hints={
            "a": "compare the accuracies with those of the sparse network and the regression.",
            "c": "look at the megabytes of the model: what does a new review need before the "
            "network can read it?",
            "d": "add the seconds of the SVD to those of the training.",
        },
    )


# --- 11 · Tabular data: abalone, regression ----------------------------------------------


@exercise("11.1")
def ex_11_1(constant_mse: Callable) -> None:
    """Check constant_mse(train_targets, other_targets) → MSE of predicting the train mean."""
    train, other = torch.tensor([2.0, 4.0, 9.0]), torch.tensor([3.0, 11.0])
    answer = _call_for_number(constant_mse, train, other)
    require(
        not _close(answer, 16),
        "that predicts the mean of the *others*, which nobody knows beforehand.",
    )
    require(
        not _close(answer, 26 / 3),
        "that is the MSE on train itself. The errors on the others are asked.",
    )
    require(not _close(answer, 40), "that is the sum of the squared errors, not yet their mean.")
    require(
        not _close(answer, math.sqrt(20)), "that is the root of the MSE. Leave the square in it."
    )
    require(
        not _close(answer, 4),
        "those are absolute errors (or squared after the mean). Square each error first.",
    )
    require(
        not _close(answer, 25),
        "that predicts the median of train. It is best for the MAE; for the MSE it is the mean.",
    )
    require(_close(answer, 20), "predict the mean of train; average the squared errors on others.")
    require(
        _close(_call(constant_mse, train, torch.tensor([5.0])), 0),
        "a single target that equals the mean of train has no error.",
    )


@exercise("11.2")
def ex_11_2(strict_mse: Callable) -> None:
    """Check strict_mse(predictions, targets) → scalar tensor, an error for unequal shapes."""
    predictions = torch.tensor([1.0, 5.0, 2.0], requires_grad=True)
    targets = torch.tensor([3.0, 5.0, 6.0])
    answer = _call(strict_mse, predictions, targets)
    require(
        isinstance(answer, torch.Tensor) and answer.numel() == 1,
        "return a tensor with one number: the mean over all.",
    )
    require(
        answer.requires_grad,
        "this number can't be trained with: it has lost its graph (.item() or numpy do that).",
    )
    require(not _close(answer.detach(), 20), "that is the sum. The *mean* squared error is asked.")
    require(
        not _close(answer.detach(), 2) and not _close(answer.detach(), 4),
        "square each difference, then take the mean: not absolute values, and not the square of "
        "the mean.",
    )
    require(not _close(answer.detach(), math.sqrt(20 / 3)), "that is the root of the MSE.")
    require(_close(answer.detach(), 20 / 3), "the mean of the squared differences is asked.")
    one = _call(strict_mse, torch.tensor([2.0]), torch.tensor([5.0]))
    require(_close(one, 9), "a batch of one has a loss, too.")
    for shapes in (((3, 1), (3,)), ((3,), (3, 1)), ((1,), (3,))):
        first, second = (torch.arange(math.prod(shape)).float().view(shape) for shape in shapes)
        try:
            result = strict_mse(first, second)
        except (ValueError, AssertionError):
            continue
        except RuntimeError as error:
            raise Wrong(f"raise a ValueError for shapes {shapes[0]} and {shapes[1]}.") from error
        if result is None or result is ...:
            raise Open
        raise Wrong(
            f"shapes {shapes[0]} and {shapes[1]} were accepted. Broadcasting compares every "
            "prediction with every target: raise a ValueError when the shapes differ."
        )


@exercise("11.3")
def ex_11_3(r_squared: Callable) -> None:
    """Check r_squared(predictions, targets) → R²."""
    predictions, targets = torch.tensor([1.0, 4.0, 9.0, 8.0]), torch.tensor([3.0, 5.0, 6.0, 10.0])
    answer = _call_for_number(r_squared, predictions, targets)  # 1 - 18 / 26
    require(
        not _close(answer, float(np.corrcoef(predictions, targets)[0, 1]) ** 2, 1e-5),
        "that is the square of the correlation, which forgives shifts and scales. R² does not.",
    )
    require(
        not _close(answer, 1 - 18 / 41, 1e-5),
        "the errors are set against the spread of the *predictions* (arguments swapped?). The "
        "targets' own spread counts.",
    )
    require(
        not _close(answer, 1 - 18 / 170, 1e-5),
        "the squares of the targets are taken from 0. Take them from the mean of the targets.",
    )
    require(not _close(answer, 18 / 26, 1e-5), "that is the share left unexplained: 1 minus it.")
    require(
        not _close(answer, 1 - 4.5 / 26, 1e-5) and not _close(answer, 1 - 18 / 6.5, 1e-5),
        "one of the two is a mean, the other a sum.",
    )
    require(
        not _close(answer, 1 - 13.5 / 26, 1e-5) and not _close(answer, 1 - 24 / 26, 1e-5),
        "one part divides by n, the other by n - 1.",
    )
    require(
        _close(answer, 1 - 18 / 26, 1e-5), "follow the formula: both sums run over all animals."
    )
    shifted = _call_for_number(r_squared, targets + 5, targets)
    require(
        _close(shifted, 1 - 100 / 26, 1e-5),
        "predictions that are all 5 too high must be punished, below 0 if need be.",
    )
    require(
        _close(_call(r_squared, torch.full((4,), 6.0), targets), 0),
        "always predicting the mean of the targets gives 0.",
    )


@exercise("11.4")
def ex_11_4(worst_animal: Callable) -> None:
    """Check worst_animal(predictions, targets) → (position, share of the squared error)."""
    predictions = np.array([5.0, 9.0, 14.0, 8.0, 20.0])
    targets = np.array([6.0, 9.0, 8.0, 11.0, 22.0])
    answer = _call(worst_animal, predictions, targets)  # squared: 1, 0, 36, 9, 4
    require(
        isinstance(answer, tuple | list) and len(answer) == 2,
        "return two things: the position and the share.",
    )
    position, share = int(answer[0]), float(answer[1])
    require(
        position != 3,
        "an error can have either sign: a prediction that is far too high is as bad as one that "
        "is far too low.",
    )
    require(
        position != 4,
        "that is the animal with the most rings, not the one with the largest error.",
    )
    require(position == 2, "the position of the largest squared error is asked (from 0).")
    require(
        not _close(share, 6 / 12) and not _close(share, 0.5),
        "that is the share of the *absolute* errors. Squares give a large one more weight.",
    )
    require(not _close(share, 36), "that is the squared error itself. Give its share of the sum.")
    require(
        not _close(share, 36 / 10),
        "that compares with the mean. The share of the *sum* lies between 0 and 1.",
    )
    require(_close(share, 36 / 50), "the share is the largest squared error over the sum of all.")
    swapped = _call(worst_animal, targets, predictions)
    require(
        int(swapped[0]) == 2 and _close(swapped[1], 36 / 50),
        "with the signs of all errors turned round the answer must stay the same.",
    )


@exercise("11.5")
def ex_11_5(explanation: str) -> None:
    """Check why old animals are predicted too young (a letter)."""
    _choose(
        explanation,
        right="d",
        hints={
            "a": "the curves above are flat after forty epochs, and a model that was short of "
            "training would also show a trend in the right panel.",
            "b": "compare with the network without weight decay, which the next cell prints: the "
            "trend is the same.",
            "c": "scaling the targets changes the size of the steps, not which answer is best for "
            "animals that look alike.",
        },
    )
