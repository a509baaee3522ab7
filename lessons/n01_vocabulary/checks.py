"""Answer checks of notebook 01 · Vocabulary and tokenisation."""

import string
from collections.abc import Callable
from typing import Any

from helpers.corpus import Reviews
from helpers.text import Vocabulary
from lessons.exercises import Checks
from lessons.framework import as_number, call, call_for_number, choose, close, require

check = exercise = Checks()


@exercise("I.1")
def i_1(describe: Callable) -> None:
    """Check describe(reviews) → (positives, negatives, total, mean words)."""
    reviews = Reviews(("so bad", "not  good at all", "fine"), (0, 0, 1))
    answer = call(describe, reviews)
    require(
        isinstance(answer, tuple | list) and len(answer) == 4,
        "return four numbers: positives, negatives, total, mean length.",
    )
    positives, negatives, total, mean = (as_number(number) for number in answer)
    require(
        (positives, negatives) != (2, 1),
        "positives and negatives are swapped: the label of a positive review is 1.",
    )
    require((positives, negatives) == (1, 2), "count the labels 1 and 0, each by itself.")
    require(total == 3, "the total is the number of reviews.")
    require(
        not close(mean, 26 / 3),
        "that is the mean number of characters. How do you cut a text into words?",
    )
    require(
        not close(mean, 8 / 3),
        "two blanks in a row made an empty word: split() and split(' ') differ.",
    )
    require(not close(mean, 7), "that is the sum of all lengths, not yet their mean.")
    require(mean != 2, "7 words in 3 reviews are not 2 words each: // throws the rest away.")
    require(
        close(mean, 7 / 3, tolerance=1e-4),
        "the mean length is the number of words over the number of reviews.",
    )


@exercise("I.2.a")
def i_2_a(most_frequent: list[str], least_frequent: list[str]) -> None:
    """Check the five most and five least frequent tokens of the vocabulary."""
    for tokens in (most_frequent, least_frequent):
        require(
            isinstance(tokens, list | tuple) and len(tokens) == 5,
            "each answer is a list of five tokens: slice vocabulary.tokens.",
        )
        require(
            all(isinstance(token, str) for token in tokens),
            "each answer is a list of five tokens, of type str, without their counts or codes.",
        )
    most_frequent, least_frequent = list(most_frequent), list(least_frequent)
    head = ["the", "a", "and", "of", "to"]
    tail = ["age-old", "place!", "Bros", "tossing", "nation,"]
    require(
        most_frequent[:4] != head[1:],
        "the codes count from 1, but positions in a list count from 0: the first token is missing.",
    )
    require(
        set(most_frequent) == set(head),
        "the five most frequent tokens stand first, because the codes follow the counts.",
    )
    require(
        most_frequent == head,
        "the order is lost: a slice of the list keeps the most frequent token first.",
    )
    require(
        "Crocker)" not in least_frequent,
        "those are the rarest tokens of the reviews. Which are the rarest *in the vocabulary*?",
    )
    require(
        least_frequent[1:] != tail[:4],
        "the very last token is missing: a slice ends *before* its stop.",
    )
    require(
        least_frequent != tail[::-1],
        "the right tokens, but backwards: slice without reversing.",
    )
    require(
        least_frequent == tail,
        "the least frequent tokens of the vocabulary stand at its end: which slice takes five "
        "from there?",
    )


@exercise("I.2.b")
def i_2_b(unknown_code: int) -> None:
    """Check the code that every unknown token gets."""
    require(
        not isinstance(unknown_code, list | tuple),
        "that is a list of codes, as `encode` returns it. Give the code in it, one number.",
    )
    require(
        not isinstance(unknown_code, str),
        "that is a text. The code is a number: the one that `encode` gives.",
    )
    code = as_number(unknown_code)
    require(
        not 1 <= code <= 20_001,
        "codes 1 to 20,000 are taken by tokens, and a new one at the end is not what encode uses. "
        "Try it: vocabulary.encode(['zzyzx']).",
    )
    require(
        code != -1,
        "-1 is what str.find uses. Here the code is also a place in the vector, so it must be one "
        "that exists.",
    )
    require(code == 0, "ask the vocabulary: what does encode give for a word that nobody wrote?")


@exercise("I.2.c")
def i_2_c(count_unknown: Callable) -> None:
    """Check count_unknown(texts, vocabulary) → number of tokens without a code."""
    vocabulary = Vocabulary(["good", "film"])
    texts = ("a film", "", "a bad bad bad film film film")
    answer = call_for_number(count_unknown, texts, vocabulary)
    hints = {
        1: "that is the count for the first text alone: does your loop end too early?",
        2: "that is the number of *different* unknown words, or of reviews that have one. How "
        "many times do they occur?",
        3: "a word that is unknown twice in one text counts twice.",
        4: "those are the tokens that the vocabulary *does* hold.",
        6: "one too many: an empty text has no token at all, but split(' ') makes one of it.",
        9: "those are all tokens, known or not.",
    }
    require(
        answer.is_integer(), "that is a share or a mean, since it is no whole number. Count tokens."
    )
    require(answer < 10, "that is more than there are tokens: are you counting letters?")
    require(
        answer == 5,
        hints.get(answer, "count every token, in every text, whose code is that of the unknown."),
    )
    require(
        call_for_number(count_unknown, ("good", ""), vocabulary) == 0,
        "a text without unknown tokens, or without any token, adds nothing.",
    )
    require(
        call_for_number(count_unknown, ("Good film,",), vocabulary) == 2,
        "cut the text with split() alone: here `Good` and `film,` are unknown.",
    )


@exercise("I.3.a")
def i_3_a(reason: str) -> None:
    """Check why the accuracy on the first 200 reviews is perfect (a letter)."""
    choose(
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
    sample = call(balanced_first, reviews, 4)
    require(isinstance(sample, Reviews), "return Reviews: reviews.select(indices) makes them.")
    require(len(sample) == 4, "the sample must have `size` reviews in all.")
    require(
        set(sample.labels) == {0, 1},
        "all reviews of the sample are of one class: slicing a sorted data set takes only its "
        "first block.",
    )
    require(
        sum(sample.labels) == 2,
        "half of the sample must be positive. Where the classes begin only the labels know: not "
        "every data set changes in the middle.",
    )
    require(
        sorted(sample.texts) == ["review 0", "review 1", "review 6", "review 7"],
        "take the *first* ones of each class.",
    )
    mixed = Reviews(tuple(f"review {i}" for i in range(6)), (1, 1, 0, 1, 0, 0))
    sample = call(balanced_first, mixed, 4)
    require(
        isinstance(sample, Reviews)
        and sorted(sample.texts) == ["review 0", "review 1", "review 2", "review 4"],
        "that works only where all negative reviews stand first. Go by the label of each review.",
    )


@exercise("II.4.a")
def ii_4_a(tokenize: Callable) -> None:
    """Check tokenize(text) → tokens without case and punctuation."""
    sentence = "A GOOD film, a (very) good Film!"
    tokens = _tokens(tokenize, sentence)
    require(
        all(token == token.lower() for token in tokens),
        "`GOOD` and `good` must become the same token: what about the case?",
    )
    _require_no_marks(tokens)
    require("" not in tokens, "there are empty tokens: split() and split(' ') differ.")
    require(
        tokens == ["a", "good", "film", "a", "very", "good", "film"],
        f"for {sentence!r} seven tokens are expected, in order; got {tokens}.",
    )
    tokens = _tokens(tokenize, "Awful.<br /><br />Great...or not")
    require(
        {"awful", "great", "or"} <= set(tokens),
        "words have been glued together across `<br /><br />` or `...`: what should stand in the "
        "place of a mark that goes?",
    )
    tokens = _tokens(tokenize, "movies moved moving")
    require(
        tokens == ["movies", "moved", "moving"],
        "a tokeniser cuts a text into tokens and leaves the words whole: it does not look for "
        "stems.",
    )
    require(
        _tokens(tokenize, "café 7 10") == ["café", "7", "10"],
        "`café 7 10` are three words: letters with accents stay, and so do digits. Only the marks "
        "of string.punctuation go.",
    )
    for mark in string.punctuation:
        _require_no_marks(_tokens(tokenize, f"one{mark}two"))
    for text in ("", "?!... --"):
        require(
            _tokens(tokenize, text) == [],
            "a text that is empty, or has nothing but punctuation, has no tokens: return an empty "
            "list. (split() and split(' ') differ.)",
        )


def _tokens(tokenize: Callable, text: str) -> list[str]:
    """Call the reader's tokeniser, for a list of str."""
    tokens: Any = call(tokenize, text)
    require(
        isinstance(tokens, list) and all(isinstance(token, str) for token in tokens),
        f"return a list of str; this is {type(tokens).__name__}.",
    )
    return tokens


def _require_no_marks(tokens: list[str]) -> None:
    left = {mark for token in tokens for mark in token} & set(string.punctuation)
    require(
        not left,
        f"punctuation is still there ({' '.join(sorted(left))}), inside a token or as one: `film,` "
        "and `film` must become the same.",
    )


@exercise("II.4.b")
def ii_4_b(reason: str) -> None:
    """Check why deleting punctuation leaves more unknown tokens than a blank (a letter)."""
    choose(
        reason,
        right="c",
        hints={
            "a": "no tokeniser here looks for stems: `movies` and `movie` stay two tokens in all "
            "four.",
            "b": "both lower the case, so case can't make the difference between them.",
            "d": "both vocabularies hold exactly 20,000 tokens.",
        },
    )
