"""What readers answer in notebook 01 · Vocabulary and tokenisation."""

import re
import string
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from helpers import text
from helpers.corpus import Reviews
from helpers.text import Vocabulary
from tests.lessons.tables import Trap


def describe(
    reviews: Reviews,
    length: Callable = lambda review: len(review.split()),
    result: Callable = lambda *numbers: numbers,
) -> Any:
    lengths = [length(review) for review, _ in reviews]
    positives = sum(reviews.labels)
    mean = sum(lengths) / len(lengths)
    return result(positives, len(lengths) - positives, len(lengths), mean)


def describing(**options: Callable) -> Callable:
    """Make an answer to I.1 with another `length` of a review or another `result`."""
    return lambda reviews: describe(reviews, **options)


def count_unknown(texts: Any, vocabulary: Vocabulary) -> int:
    return sum(token not in vocabulary for review in texts for token in review.split())


def count_ids(texts: Any, vocabulary: Vocabulary) -> np.int64:
    return np.sum([vocabulary.encode(review.split()).count(0) for review in texts])


def count_in_the_first(texts: Any, vocabulary: Vocabulary) -> int:
    for review in texts:
        return count_unknown([review], vocabulary)
    return 0


def positions(reviews: Reviews, label: int) -> list[int]:
    return [i for i, its_label in enumerate(reviews.labels) if its_label == label]


def balanced_first(reviews: Reviews, size: int) -> Reviews:
    chosen = positions(reviews, 0)[: size // 2] + positions(reviews, 1)[: size // 2]
    return reviews.select(chosen)


def balanced_by_one_loop(reviews: Reviews, size: int) -> Reviews:
    left = [size // 2, size // 2]
    pairs = []
    for review, label in reviews:
        if left[label]:
            left[label] -= 1
            pairs.append((review, label))
    return Reviews(*zip(*pairs, strict=True))


def balanced_at(start: Callable) -> Callable:
    """Make an answer to I.3.b that takes slices, the second one from a fixed position."""

    def balanced(reviews: Reviews, size: int) -> Reviews:
        second = start(reviews)
        return reviews.select([*range(size // 2), *range(second, second + size // 2)])

    return balanced


def tokenize(review: str) -> list[str]:
    return "".join(" " if c in string.punctuation else c for c in review.lower()).split()


def tokenize_by_loop(review: str) -> list[str]:
    for mark in string.punctuation:
        review = review.replace(mark, " ")
    return review.lower().split()


def stems(review: str) -> list[str]:
    return [re.sub("(es|ed|ing)$", "", token) for token in tokenize(review)]


HEAD, TAIL = ["the", "a", "and", "of", "to"], ["age-old", "place!", "Bros", "tossing", "nation,"]
RAREST = ["unemployed...", "grossest", "shearer", "M", "Crocker)"]
COUNTS = [("the", 5), ("a", 4), ("and", 3), ("of", 2), ("to", 1)]

RIGHT = {
    "i_1": [
        (describe,),
        (describing(result=lambda *numbers: list(numbers)),),
        (describing(result=lambda *numbers: tuple(map(torch.tensor, numbers))),),
        (describing(result=lambda p, n, total, mean: (np.int64(p), n, total, round(mean, 4))),),
    ],
    "i_2_a": [(HEAD, TAIL), (tuple(HEAD), tuple(TAIL))],
    "i_2_b": [(0,), (np.int64(0),), (torch.tensor(0),), (text.UNKNOWN_ID,)],
    "i_2_c": [
        (count_unknown,),
        (count_ids,),
        (lambda texts, vocabulary: torch.tensor(count_unknown(texts, vocabulary)),),
    ],
    "i_3_a": [("b",), ("B ",)],
    "i_3_b": [
        (balanced_first,),
        (balanced_by_one_loop,),
        (lambda r, n: r.select(np.array([positions(r, k)[: n // 2] for k in (1, 0)]).ravel()),),
    ],
    "ii_4_a": [
        (tokenize,),
        (tokenize_by_loop,),
        (text.space_punctuation,),
        (lambda review: re.findall(r"[^\W_]+", review.lower()),),
        (lambda review: text.space_punctuation(review.replace("<br />", " ")),),
        (lambda review: text.space_punctuation(review.replace("'", "")),),
    ],
    "ii_4_b": [("c",), ("C",)],
}

OPEN = {"i_2_a": [(HEAD, None), (..., TAIL)]}

SECRETS = {
    "i_1": ("233", "12,500", ".split()", "len("),
    "i_2_a": ("[:5]", "[-5:]", "age-old", "nation,", "the, a", "'the'"),
    "i_2_b": (" 0", "=0", "zero"),
    "i_2_c": ("566", ".count(", "in vocabulary.ids", "== 0"),
    "i_3_a": ("negative", "same label", "sorted", "b is"),
    "i_3_b": ("[:", "// 2", "enumerate"),
    "ii_4_a": ("blank", '" "', "translate", "maketrans", ".lower()"),
    "ii_4_b": ("glue", "neighbour", "rare"),
}

TRAPS = [
    Trap("i_1", (describing(result=lambda p, n, *rest: (n, p, *rest)),), "swapped"),
    Trap("i_1", (describing(result=lambda p, n, t, mean: (p, n, t, t * mean)),), "sum of all len"),
    Trap("i_1", (describing(length=len),), "characters"),
    Trap("i_1", (describing(length=lambda r: len(r.split(" "))),), "two blanks"),
    Trap("i_1", (describing(result=lambda p, n, t, mean: (p, n, t, mean // 1)),), "//"),
    Trap("i_1", (describing(length=lambda r: len(set(r.split())) + 1),), "number of words over"),
    Trap("i_1", (describing(result=lambda p, n, t, mean: (p, t, t, mean)),), "each by itself"),
    Trap("i_1", (describing(result=lambda p, n, t, mean: (p, n, 7, mean)),), "number of reviews"),
    Trap("i_1", (describing(result=lambda *numbers: numbers[:3]),), "four numbers"),
    Trap("i_1", (describing(result=lambda *numbers: str(numbers)),), "four numbers"),
    Trap("i_1", (describing(result=lambda p, n, t, m: (p, n, t, [m])),), "single number"),
    Trap("i_2_a", (HEAD[::-1], TAIL), "order is lost"),
    Trap("i_2_a", (["a", "and", "of", "to", "is"], TAIL), "count from 0"),
    Trap("i_2_a", (TAIL, HEAD), "stand first"),
    Trap("i_2_a", (HEAD, TAIL[::-1]), "backwards"),
    Trap("i_2_a", (HEAD, RAREST), "*in the vocabulary*"),
    Trap("i_2_a", (HEAD, RAREST[::-1]), "*in the vocabulary*"),
    Trap("i_2_a", (HEAD, ["Mexican", *TAIL[:-1]]), "very last token"),
    Trap("i_2_a", (HEAD, TAIL[:-1]), "list of five"),
    Trap("i_2_a", (HEAD, HEAD), "stand at its end"),
    Trap("i_2_a", ("the a and", TAIL), "list of five"),
    Trap("i_2_a", (HEAD, COUNTS), "without their counts"),
    Trap("i_2_a", ([1, 2, 3, 4, 5], TAIL), "of type str"),
    Trap("i_2_b", (20_000,), "taken by tokens"),
    Trap("i_2_b", (20_001,), "taken by tokens"),
    Trap("i_2_b", (1,), "taken by tokens"),
    Trap("i_2_b", (-1,), "str.find"),
    Trap("i_2_b", (99_999,), "ask the vocabulary"),
    Trap("i_2_b", ([0],), "a list of codes"),
    Trap("i_2_b", ("<unk>",), "a text"),
    Trap("i_2_b", ("0",), "a text"),
    Trap(
        "i_2_c",
        (lambda t, v: len({w for x in t for w in x.split()} - set(v.tokens)),),
        "*different*",
    ),
    Trap("i_2_c", (lambda t, v: sum(count_unknown([x], v) > 0 for x in t),), "*different*"),
    Trap("i_2_c", (lambda t, v: sum(w not in v for x in t for w in set(x.split())),), "twice in"),
    Trap("i_2_c", (lambda t, v: count_unknown(t, v) / 9,), "share or a mean"),
    Trap("i_2_c", (lambda t, v: count_unknown(t, v) / len(t),), "share or a mean"),
    Trap("i_2_c", (lambda t, v: sum(w in v for x in t for w in x.split()),), "does* hold"),
    Trap("i_2_c", (lambda t, v: sum(len(x.split()) for x in t),), "all tokens"),
    Trap("i_2_c", (lambda t, v: sum(w not in v for x in t for w in x),), "letters"),
    Trap("i_2_c", (lambda t, v: sum(w not in v for x in t for w in x.split(" ")),), "split(' ')"),
    Trap("i_2_c", (lambda t, v: sum(v.encode(x).count(0) for x in t),), "Tokenise first"),
    Trap("i_2_c", (count_in_the_first,), "end too early"),
    Trap("i_2_c", (lambda t, v: 566_141,), "more than there are tokens"),
    Trap("i_2_c", (lambda t, v: 5,), "adds nothing"),
    Trap("i_2_c", (lambda t, v: 0,), "in every text"),
    Trap("i_2_c", (lambda t, v: [v.encode(x.split()) for x in t],), "single number"),
    Trap("i_2_c", (lambda t, v: count_unknown([" ".join(tokenize(x)) for x in t], v),), "alone"),
    Trap("i_3_a", ("a",), "never"),
    Trap("i_3_a", ("c",), "balanced sample"),
    Trap("i_3_a", ("d",), "noisier"),
    Trap("i_3_a", ("e",), "one letter"),
    Trap("i_3_a", (2,), "one letter"),
    Trap("i_3_b", (lambda r, n: r[:n],), "sorted data set"),
    Trap("i_3_b", (lambda r, n: r[-n:],), "sorted data set"),
    Trap("i_3_b", (lambda r, n: r.select([2, 3, 8, 9]),), "*first*"),
    Trap("i_3_b", (lambda r, n: r.select([0, 1, 8, 9]),), "*first*"),
    Trap("i_3_b", (lambda r, n: balanced_first(r, 2 * n),), "`size` reviews"),
    Trap("i_3_b", (balanced_at(lambda r: len(r) // 2),), "in the middle"),
    Trap("i_3_b", (balanced_at(lambda r: r.labels.index(1)),), "negative reviews stand first"),
    Trap("i_3_b", (lambda r, n: positions(r, 0)[:2] + positions(r, 1)[:2],), "return Reviews"),
    Trap("i_3_b", (lambda r, n: list(balanced_first(r, n)),), "return Reviews"),
    Trap("ii_4_a", (str.split,), "the case"),
    Trap("ii_4_a", (lambda t: t.lower().split(),), "still there"),
    Trap("ii_4_a", (text.basic_english,), "as one"),
    Trap("ii_4_a", (text.delete_punctuation,), "glued"),
    Trap("ii_4_a", (lambda t: re.findall(r"\w+", t.lower()),), "still there (_)"),
    Trap("ii_4_a", (lambda t: re.findall("[a-z]+", t.lower()),), "accents"),
    Trap("ii_4_a", (lambda t: re.findall("[a-z0-9]+", t.lower()),), "accents"),
    Trap("ii_4_a", (stems,), "stems"),
    Trap("ii_4_a", (lambda t: sorted(tokenize(t)),), "in order"),
    Trap("ii_4_a", (lambda t: list(dict.fromkeys(tokenize(t))),), "seven tokens"),
    Trap("ii_4_a", (lambda t: " ".join(tokenize(t)),), "list of str"),
    Trap("ii_4_a", (lambda t: set(tokenize(t)),), "list of str"),
    Trap("ii_4_a", (lambda t: re.split(r"[\W_]", t.lower()),), "split(' ')"),
    Trap("ii_4_a", (lambda t: tokenize(t) or [""],), "empty list"),
    Trap("ii_4_b", ("a",), "stems"),
    Trap("ii_4_b", ("b",), "lower the case"),
    Trap("ii_4_b", ("d",), "20,000"),
    Trap("ii_4_b", ("none",), "one letter"),
]
