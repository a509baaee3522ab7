"""The exercises of notebook 01 that write a class: `Vocabulary.build` and `encode`."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from helpers.text import Vocabulary


class Building(Vocabulary):
    """A class with a right `build`."""


class Encoding(Vocabulary):
    """A class with a right `encode` and `decode`."""

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Return the id of each token, 0 for an unknown one."""
        return super().encode(tokens)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the token of each id, ``<unk>`` for 0."""
        return super().decode(ids)


class Unsearchable(list):
    """A list of tokens that says why nobody should search it."""

    def __contains__(self, token: object) -> bool:
        raise TypeError(
            "to search a list of 20,000 tokens for every word of 25,000 reviews takes hours. "
            "The dictionary `self.ids` finds a token at once"
        )

    index = __contains__  # type: ignore[assignment]


def building(choose: Callable) -> type:
    """Return a class whose `build` keeps the tokens ``choose(lists, counts, max_size)``."""

    def build(cls: type, token_lists: Iterable[list[str]], max_size: int = 20_000) -> object:
        lists = [*token_lists]
        counts = Counter(token for tokens in lists for token in tokens)
        chosen = choose(lists, counts, max_size)
        return cls(chosen) if isinstance(chosen, list) else chosen

    return type("Answer", (Vocabulary,), {"build": classmethod(build)})


def top(counts: Counter[str], size: int | None = None) -> list[str]:
    """Return the most frequent tokens; of equally frequent ones the first."""
    return [token for token, _ in counts.most_common(size)]


def encoding(encode: Callable) -> type:
    """Return a class with another `encode`."""
    return type("Answer", (Vocabulary,), {"encode": encode})


def decoding(decode: Callable) -> type:
    """Return a class with another `decode`."""
    return type("Answer", (Vocabulary,), {"decode": decode})


def tokens_built(cls: Any, token_lists: Iterable[list[str]], max_size: int) -> object:
    """Return the tokens of the vocabulary that `build` gives, or the name of another type."""
    vocabulary = cls.build(token_lists, max_size)
    if vocabulary is None or vocabulary is ...:
        return None
    return vocabulary.tokens if isinstance(vocabulary, cls) else type(vocabulary).__name__


def there_and_back(cls: Any, tokens: list[str], words: list[str], ids: list[int]) -> tuple:
    """Return the ids of some words and the words of some ids, in a vocabulary of `tokens`."""
    vocabulary = cls(tokens)
    vocabulary.tokens = Unsearchable(vocabulary.tokens)
    return vocabulary.encode(words), vocabulary.decode(ids)


BUILD = dict(
    reference=Building,
    probe=tokens_built,
    inputs=[
        ([["b", "b", "b"], ["c", "a"], ["a", "d"]], 3),
        ([["y", "x"], ["x", "y", "z", "z"]], 2),
        lambda: (iter([["film"], [], ["a", "film"]]), 20_000),
    ],
    mistakes=[
        (
            "build returns a vocabulary: hand the tokens that you keep to `cls(…)`.",
            building(lambda lists, counts, size: tuple(counts)),
            lambda found, token_lists, size: isinstance(found, str),
        ),
        (
            "most_common gives pairs of a token and its count. Keep the tokens alone.",
            building(lambda lists, counts, size: counts.most_common(size)),
        ),
        (
            "the least frequent tokens come first: which end of the order do you keep?",
            building(lambda lists, counts, size: sorted(counts, key=counts.__getitem__)[:size]),
        ),
        (
            "every token is kept. At most `max_size` may stay.",
            building(lambda lists, counts, size: top(counts)),
        ),
        (
            "max_size counts the tokens. The unknown is not one of them, so leave no room for it.",
            building(lambda lists, counts, size: top(counts, size - 1)),
        ),
        (
            "the unknown has no place among the tokens: their ids begin at 1 because 0 is its own.",
            building(lambda lists, counts, size: ["<unk>", *list(counts)[: size - 1]]),
            lambda found, token_lists, size: "<unk>" in found,
        ),
        (
            "those are the tokens that came first. Keep those that come most often.",
            building(lambda lists, counts, size: list(counts)[:size]),
        ),
        (
            "the tokens are in alphabetical order. Which come most often?",
            building(lambda lists, counts, size: sorted(counts)[:size]),
        ),
        (
            "a token that occurs three times in one text counts three times.",
            building(lambda lists, _, size: top(Counter(chain(*map(dict.fromkeys, lists))), size)),
        ),
        (
            "of tokens with the same count, the one seen first comes first, not the one that is "
            "first in the alphabet.",
            building(
                lambda lists, counts, size: sorted(counts, key=lambda t: (-counts[t], t))[:size]
            ),
        ),
        (
            "of tokens with the same count, the one seen first comes first. Reversing the list "
            "turns them round as well.",
            building(lambda lists, counts, size: sorted(counts, key=counts.get)[::-1][:size]),
        ),
        (
            "only the last text is counted: where does your counter begin?",
            building(lambda lists, counts, size: top(Counter(lists[-1]), size)),
        ),
    ],
    errors={
        "has no len()": "The lists may come from a generator, one by one: loop over them once.",
        "unhashable": "token_lists holds a list for each text. Count the tokens inside each.",
    },
    otherwise="Count each token of each list, loop over the lists once, keep the most frequent.",
)

ENCODE = dict(
    reference=Encoding,
    probe=there_and_back,
    inputs=[
        (["film", "good"], ["good", "film", "film"], [2, 1]),
        (["film", "good"], ["zzyzx", "good", "Good", "film"], [1, 0, 1]),
        (["a", "b", "c", "d"], ["d", "zzyzx"], [3, 0, 0]),
        (["film"], [], []),
    ],
    mistakes=[
        (
            "the ids are one too small: the first token has id 1.",
            encoding(lambda self, words: [self.ids.get(word, 0) - 1 for word in words]),
        ),
        (
            "an unknown token is left out. It must get an id, too, or the text changes.",
            encoding(lambda self, words: [self.ids[word] for word in words if word in self.ids]),
        ),
        (
            "an unknown token gives None. `get` takes a second argument: what to give instead.",
            encoding(lambda self, words: [self.ids.get(word) for word in words]),
        ),
        (
            "-1 is what str.find uses. An id is also a place in the vector to come, so it must be "
            "one that exists.",
            encoding(lambda self, words: [self.ids.get(word, -1) for word in words]),
        ),
        (
            "that id would be a new one, behind the last token. The unknown has the id that the "
            "tokens leave free.",
            encoding(lambda self, words: [self.ids.get(w, len(self.ids) + 1) for w in words]),
        ),
        (
            "that id belongs to a token already.",
            encoding(lambda self, words: [self.ids.get(word, 1) for word in words]),
        ),
        (
            "a token that occurs twice gives its id twice.",
            encoding(lambda self, w: [self.ids.get(word, 0) for word in dict.fromkeys(w)]),
        ),
        (
            "ids stand in the order of the tokens; do not sort them.",
            encoding(lambda self, words: sorted(self.ids.get(word, 0) for word in words)),
        ),
        (
            "id 0 gives the last token: `tokens[0 - 1]` is `tokens[-1]`. It is the unknown's.",
            decoding(lambda self, ids: [self.tokens[i - 1] for i in ids]),
        ),
        (
            "decode leaves id 0 out. It gives UNKNOWN_TOKEN.",
            decoding(lambda self, ids: [self.tokens[i - 1] for i in ids if i]),
        ),
    ],
    errors={
        "zzyzx": "A token that the vocabulary does not hold must get an id, too.",
        "unhashable": "Look up each token by itself, not the list of them.",
        "index out of range": "The first token has id 1, but its place in `tokens` is 0.",
    },
    otherwise="encode gives an id for each token, decode a token for each id. Id 1 is tokens[0].",
)
