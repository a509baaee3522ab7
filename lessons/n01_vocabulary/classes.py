"""The exercises of notebook 01 that write a class: `Vocabulary.build` and `encode`."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from helpers.text import Vocabulary
from lessons.judging import Wrong


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
    before = len(vocabulary.ids), len(vocabulary.tokens)
    found = vocabulary.encode(words), vocabulary.decode(ids)
    if before != (len(vocabulary.ids), len(vocabulary.tokens)):
        raise Wrong("the vocabulary has another size afterwards: look up, and change nothing.")
    return found


TIES = (
    "of tokens with the same count, the one seen first comes first: not the first in the alphabet, "
    "and not the last one seen, as in a list that was reversed."
)
BUILD = dict(
    reference=having(),
    probe=tokens_built,
    inputs=[
        ([["b", "b", "b"], ["c", "a"], ["a", "B"]], 4),
        ([["y", "x"], ["x", "y", "z", "z"]], 2),
        lambda: (iter([["film"], [], ["a", "film"]]), 20_000),
    ],
    mistakes=[
        (
            "build returns a vocabulary: hand the tokens that you keep to `cls(…)`.",
            building(lambda texts, counts, size: tuple(counts)),
            lambda found, texts, size: isinstance(found, str),
        ),
        ("most_common gives pairs. Keep the tokens.", building(lambda t, c, n: c.most_common(n))),
        (
            "the least frequent tokens come first: which end of the order do you keep?",
            building(lambda texts, counts, size: sorted(counts, key=counts.get)[:size]),
        ),
        ("more than `max_size` tokens are kept.", building(lambda t, c, n: top(c))),
        (
            "max_size counts the tokens. The unknown is not one of them, so leave no room for it.",
            building(lambda texts, counts, size: top(counts, size - 1)),
        ),
        (
            "the unknown has no place among the tokens: their ids begin at 1 because 0 is its own.",
            building(lambda texts, counts, size: ["<unk>", *list(counts)[: size - 1]]),
            lambda found, texts, size: "<unk>" in found,
        ),
        ("keep those that come most *often*, not first.", building(lambda t, c, n: [*c][:n])),
        (
            "'b' occurs three times, all in one text, but is not the first. Does each one count?",
            building(lambda texts, _, size: top(Counter(chain(*map(dict.fromkeys, texts))), size)),
            lambda found, texts, size: found[0] != "b" == texts[0][2],
        ),
        (
            "of a generator, which can be looped over once, you keep nothing. Do you loop twice?",
            building(lambda texts, counts, size: top(counts, size) if texts[0][1:] else []),
            lambda found, texts, size: not isinstance(texts, list) and not found,
        ),
        (TIES, building(lambda t, c, n: sorted(c, key=lambda token: (-c[token], token))[:n])),
        (TIES, building(lambda t, c, n: sorted(c, key=c.get)[::-1][:n])),
        ("only the first text is counted.", building(lambda t, c, n: top(Counter(t[0]), n))),
        (
            "only the last text is counted: where does your counter begin?",
            building(lambda texts, counts, size: top(Counter(texts[-1]), size)),
        ),
    ],
    errors={
        "has no len()": "The lists may come from a generator, one by one: loop over them once.",
        "unhashable": "token_lists holds a list for each text. Count the tokens inside each.",
    },
    otherwise="Count each token of each list, as it is, and keep the most frequent.",
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
            "-1 is no place of a vector, which an id is to be: the unknown has one that exists.",
            having(encode=lambda self, words: [self.ids.get(word, -1) for word in words]),
        ),
        (
            "that id would be a new one, behind the last. The unknown has the one left free.",
            having(encode=lambda self, words: [self.ids.get(w, len(self.ids) + 1) for w in words]),
        ),
        (
            "id 0 gives the last token: `tokens[0 - 1]` is `tokens[-1]`. It is the unknown's.",
            having(decode=lambda self, ids: [self.tokens[i - 1] for i in ids]),
        ),
        (
            "decode gives a list of tokens, not one text.",
            having(decode=lambda self, ids: " ".join(Vocabulary.decode(self, ids))),
            lambda found, *_: isinstance(found[1], str),
        ),
        (
            "a list goes in, and a single result comes out: is a return inside the loop?",
            having(encode=lambda self, words: Vocabulary.encode(self, words)[:1]),
            lambda found, _, words, ids: (len(found[0]) == 1 < len(words)) | (len(found[1]) == 1),
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
