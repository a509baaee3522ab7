"""The exercises of notebook 01 that write a class: `Vocabulary.build` and `encode`."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from helpers.text import Vocabulary


class SlowList(list):
    """A list of tokens that says once, when it is searched, that a dictionary is faster."""

    told = False

    def __contains__(self, token: object) -> bool:
        self.warn()
        return super().__contains__(token)

    def index(self, *arguments: Any) -> int:
        """Return the place of a token."""
        self.warn()
        return super().index(*arguments)

    def warn(self) -> None:
        """Print why nobody should search a long list for every word."""
        if not self.told:
            print(
                "(This is slow: to find a word in the list `tokens`, Python walks through up to "
                "20,000 tokens. For all reviews that takes minutes. The dictionary `ids` finds a "
                "word at once.)"
            )
        self.told = True


def searchable(tokens: Iterable[str], kind: Any = Vocabulary) -> Any:
    """Return a vocabulary that says so if its list of tokens is searched."""
    vocabulary = kind(tokens)
    vocabulary.tokens = SlowList(vocabulary.tokens)
    return vocabulary


def having(**methods: Any) -> type:
    """Return a vocabulary with other methods."""
    return type("Answer", (Vocabulary,), methods)


def building(choose: Callable) -> type:
    """Return a class whose `build` keeps the tokens ``choose(lists, counts, max_size)``."""

    def build(cls: type, token_lists: Iterable[list[str]], max_size: int = 20_000) -> object:
        lists = [*token_lists]
        counts = Counter(token for tokens in lists for token in tokens)
        chosen = choose(lists, counts, max_size)
        return cls(chosen) if isinstance(chosen, list) else chosen

    return having(build=classmethod(build))


def top(counts: Counter[str], size: int | None = None) -> list[str]:
    """Return the most frequent tokens; of equally frequent ones the first."""
    return [token for token, _ in counts.most_common(size)]


def tokens_built(cls: Any, token_lists: Iterable[list[str]], max_size: int) -> object:
    """Return the tokens of the vocabulary that `build` gives, or the name of another type."""
    vocabulary = cls.build(token_lists, max_size)
    if vocabulary is None or vocabulary is ...:
        return None
    return vocabulary.tokens if isinstance(vocabulary, cls) else type(vocabulary).__name__


def there_and_back(cls: Any, tokens: list[str], words: list[str], ids: list[int]) -> tuple:
    """Return the ids of some words and the words of some ids, in a vocabulary of `tokens`."""
    vocabulary = searchable(tokens, cls)
    return vocabulary.encode(words), vocabulary.decode(ids)


BUILD = dict(
    reference=having(),
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
            "more than `max_size` tokens are kept: use the argument.",
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
    reference=having(encode=Vocabulary.encode, decode=Vocabulary.decode),
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
            having(encode=lambda self, words: [self.ids.get(word, 0) - 1 for word in words]),
        ),
        (
            "an unknown token is left out. It must get an id, too, or the text changes.",
            having(encode=lambda self, words: [self.ids[w] for w in words if w in self.ids]),
        ),
        (
            "an unknown token gives None. `get` takes a second argument: what to give instead.",
            having(encode=lambda self, words: [self.ids.get(word) for word in words]),
        ),
        (
            "-1 is what str.find uses. An id is also a place in the vector to come, so it must be "
            "one that exists.",
            having(encode=lambda self, words: [self.ids.get(word, -1) for word in words]),
        ),
        (
            "that id would be a new one, behind the last token. The unknown has the id that the "
            "tokens leave free.",
            having(encode=lambda self, words: [self.ids.get(w, len(self.ids) + 1) for w in words]),
        ),
        (
            "id 0 gives the last token: `tokens[0 - 1]` is `tokens[-1]`. It is the unknown's.",
            having(decode=lambda self, ids: [self.tokens[i - 1] for i in ids]),
        ),
        (
            "decode leaves id 0 out. It gives UNKNOWN_TOKEN.",
            having(decode=lambda self, ids: [self.tokens[i - 1] for i in ids if i]),
        ),
        (
            "for id 0, decode gives UNKNOWN_TOKEN, which is the text `<unk>`.",
            having(decode=lambda self, ids: [self.tokens[i - 1] if i else None for i in ids]),
            lambda found, tokens, words, ids: not {*found[1]} <= {*tokens, "<unk>"},
        ),
    ],
    errors={
        "zzyzx": "A token that the vocabulary does not hold must get an id, too.",
        "unhashable": "Look up each token by itself, not the list of them.",
        "index out of range": "The first token has id 1, but its place in `tokens` is 0.",
    },
    otherwise="encode gives an id for each token, decode a token for each id. Id 1 is tokens[0].",
)
