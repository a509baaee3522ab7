"""Answers to notebook 01 in unusual forms; the usual ones come with the exercises themselves."""

import re
from itertools import repeat
from typing import Any

import numpy as np
import torch

from helpers import text
from helpers.corpus import Reviews
from helpers.text import Vocabulary
from tests.lessons.tables import Trap


def describe(reviews: Reviews) -> tuple:
    lengths = [len(review.split()) for review in reviews.texts]
    return sum(reviews.labels), reviews.labels.count(0), len(reviews), np.mean(lengths)


def changed(result: Any) -> Any:
    """Make an answer to I.1 whose four numbers go through `result`."""
    return lambda reviews: result(*describe(reviews))


def count_ids(texts: Any, vocabulary: Vocabulary) -> np.int64:
    return np.sum([vocabulary.encode(review.split()).count(0) for review in texts])


def balanced_by_one_loop(reviews: Reviews, size: int) -> Reviews:
    left = [size // 2, size // 2]
    pairs = []
    for review, label in reviews:
        if left[label]:
            left[label] -= 1
            pairs.append((review, label))
    return Reviews(*zip(*pairs, strict=True))


def positions(reviews: Reviews, label: int) -> list[int]:
    return [i for i, its_label in enumerate(reviews.labels) if its_label == label]


class Written(Vocabulary):
    """Written otherwise: counts by hand, a generator of ids, a list with the unknown in front."""

    @classmethod
    def build(cls, token_lists: Any, max_size: int = 20_000) -> "Written":
        counts: dict[str, int] = {}
        for tokens in token_lists:
            for token in tokens:
                counts[token] = counts.get(token, 0) + 1
        return Written(sorted(counts, key=lambda token: -counts[token])[:max_size])

    def encode(self, tokens: Any) -> Any:
        return map(self.ids.get, tokens, repeat(0))

    def decode(self, ids: Any) -> Any:
        return [["<unk>", *self.tokens][i] for i in ids]


class Growing(Vocabulary):
    def encode(self, tokens: Any) -> list[int]:
        return [self.ids.setdefault(token, 0) for token in tokens]


class Failing(Vocabulary):
    def encode(self, tokens: Any) -> list[int]:
        return [self.ids[token] for token in tokens]


HEAD, TAIL = ["the", "a", "and", "of", "to"], ["age-old", "place!", "Bros", "tossing", "nation,"]

RIGHT = {
    "i_1": [
        (describe,),
        (changed(lambda *numbers: list(numbers)),),
        (changed(lambda *numbers: tuple(map(torch.tensor, numbers))),),
        (changed(lambda p, n, total, mean: (np.int64(p), n, total, round(mean, 4))),),
    ],
    "ex_01_1": [(Written,), (Vocabulary,)],
    "i_2_b": [(Written,), (Vocabulary,)],
    "i_2_a": [(HEAD, TAIL), (tuple(HEAD), tuple(TAIL))],
    "i_2_c": [(count_ids,), (lambda texts, v: torch.tensor(int(count_ids(texts, v))),)],
    "i_3_a": [("b",), ("B ",), ("(b)",)],
    "i_3_b": [
        (balanced_by_one_loop,),
        (lambda r, n: r.select(np.array([positions(r, k)[: n // 2] for k in (1, 0)]).ravel()),),
    ],
    "ii_4_a": [
        (lambda review: re.findall(r"[^\W_]+", review.lower()),),
        (lambda review: text.space_punctuation(review.replace("<br />", " ")),),
        (lambda review: text.space_punctuation(review.replace("'", "")),),
        (lambda review: tuple(text.space_punctuation(review)),),
        (lambda review: (token for token in text.space_punctuation(review)),),
    ],
}

OPEN = {"i_2_a": [(HEAD, None), (..., TAIL)]}

SECRETS = {
    "i_1": ("233", "12,500", ".split()", "len("),
    "ex_01_1": ("sorted(", "counter.get", "reverse=True"),
    "i_2_b": ("self.ids.get", "UNKNOWN_TOKEN if"),
    "i_2_a": ("[:5]", "[-5:]", "age-old", "nation,", "the, a"),
    "i_2_c": ("566", "== 0"),
    "i_3_a": ("negative", "same label", "sorted", "b is"),
    "i_3_b": ("[:", "// 2", "enumerate"),
    "ii_4_a": ('" "', "translate", "maketrans", ".lower()"),
}

TRAPS = [
    Trap("i_1", (changed(lambda *numbers: numbers[:3]),), "tuple of 4 values"),
    Trap("i_1", (changed(lambda p, n, total, mean: (p, n, total, mean + 1)),), "4, 4 and 2 words"),
    Trap("i_1", (changed(lambda p, n, total, mean: (p, n, total, [mean])),), "value 4 of 4"),
    Trap("ex_01_1", (Vocabulary(["a"]),), "hand over the class itself"),
    Trap("i_2_b", (Failing,), "must get an id, too"),
    Trap("i_2_b", (Growing,), "look up, and change nothing"),
    Trap("i_2_a", (HEAD, HEAD), "order of their counts"),
    Trap("i_2_a", (HEAD[:4], TAIL), "only 4 tokens"),
    Trap("i_2_a", ("the a and", TAIL), "list of five"),
    Trap("i_2_a", ([1, 2, 3, 4, 5], TAIL), "of type str"),
    Trap("i_2_c", (lambda t, v: sum(v.encode(x).count(0) for x in t),), "list of tokens, not"),
    Trap("i_2_c", (lambda t, v: sum(v.encode(x.lower().split()).count(0) for x in t),), "two are"),
    Trap("i_2_c", (lambda t, v: 12_345,), "for every input of the check"),
    Trap("i_2_c", (lambda t, v: [v.encode(x.split()) for x in t],), "single number"),
    Trap("i_3_a", (2,), "one letter"),
    Trap("i_3_b", (lambda r, n: r.select([0, 12_500]),), "only the labels know"),
    Trap("i_3_b", (lambda r, n: r[0:n] + r[-n:],), "can't be added"),
    Trap("i_3_b", (lambda r, n: r.select(positions(r, 1)[: n // 2] * 2),), "one class taken twice"),
    Trap("i_3_b", (lambda r, n: positions(r, 0)[:2] + positions(r, 1)[:2],), "return Reviews"),
    Trap("ii_4_b", (lambda c, n, size: (sum(c) / n, len(c), 0, 1),), "counts.values()"),
    Trap(
        "ii_4_a", (lambda t: re.findall(r"[^\W_]+'?[^\W_]*", t.lower()),), "still stands in a token"
    ),
    Trap("ii_4_a", (lambda t: set(text.space_punctuation(t)),), "list of str"),
    Trap("ii_4_a", (lambda t: text.space_punctuation(t) or [""],), "empty tokens"),
]
