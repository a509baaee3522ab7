"""Tokenisers and the vocabulary. Taught in notebook 01."""

import hashlib
import json
import string
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from helpers.storage import atomic_write

Tokenizer = Callable[[str], list[str]]

UNKNOWN_ID = 0
UNKNOWN_TOKEN = "<unk>"

_DELETE_PUNCTUATION = str.maketrans("", "", string.punctuation)
_SPACE_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation, " "))


def delete_punctuation(text: str) -> list[str]:
    """Lower-case `text`, delete ASCII punctuation, split at white space."""
    return text.lower().translate(_DELETE_PUNCTUATION).split()


def space_punctuation(text: str) -> list[str]:
    """Lower-case `text`, replace ASCII punctuation by blanks, split at white space."""
    return text.lower().translate(_SPACE_PUNCTUATION).split()


def basic_english(text: str) -> list[str]:
    """Tokenise by the rules that torchtext 0.18 calls ``basic_english``.

    Lower case; the marks ``' . , ( ) ! ?`` become tokens of their own; ``; :`` and ``<br />``
    become blanks; double quotes vanish. String replacement is faster than its regular expressions.
    """
    text = text.lower().replace("'", " ' ").replace('"', "").replace(".", " . ")
    text = text.replace("<br />", " ").replace(",", " , ").replace("(", " ( ")
    text = text.replace(")", " ) ").replace("!", " ! ").replace("?", " ? ")
    return text.replace(";", " ").replace(":", " ").split()


#: The four tokenisers that notebook 01 compares, by name.
TOKENIZERS: dict[str, Tokenizer] = {
    "split": str.split,
    "delete punctuation": delete_punctuation,
    "space punctuation": space_punctuation,
    "basic_english": basic_english,
}


class Vocabulary:
    """A two-way map between distinct tokens and integer ids.

    Ids count from 1, the most frequent token first; id 0 stands for every token that the
    vocabulary does not hold, so that a multi-hot vector has ``len(vocabulary)`` places.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = list(tokens)
        self.ids = {token: i for i, token in enumerate(self.tokens, start=1)}
        if len(self.ids) < len(self.tokens):
            twice = [token for token, count in Counter(self.tokens).items() if count > 1]
            raise ValueError(f"Each token needs one id, but these occur twice: {twice[:5]}.")

    @classmethod
    def build(cls, token_lists: Iterable[Iterable[str]], max_size: int = 20_000) -> "Vocabulary":
        """Keep the `max_size` most frequent tokens; ties go to the one seen first."""
        if max_size < 1:
            raise ValueError(f"max_size must be at least 1, got {max_size}.")
        counter: Counter[str] = Counter()
        for tokens in token_lists:
            _check_tokens(tokens)
            counter.update(tokens)
        return cls(sorted(counter, key=counter.get, reverse=True)[:max_size])  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.tokens) + 1

    def __contains__(self, token: str) -> bool:
        return token in self.ids

    def __repr__(self) -> str:
        return f"Vocabulary({len(self.tokens)} tokens and the unknown)"

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Return the id of each token, 0 for an unknown one; a TypeError for a text."""
        _check_tokens(tokens)
        get = self.ids.get
        return [get(token, UNKNOWN_ID) for token in tokens]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the token of each id, ``<unk>`` for 0; a ValueError for an id out of range."""
        tokens = []
        for i in ids:
            if not 0 <= i < len(self):
                raise ValueError(f"Id {i} is outside this vocabulary's 0 to {len(self) - 1}.")
            tokens.append(UNKNOWN_TOKEN if i == UNKNOWN_ID else self.tokens[i - 1])
        return tokens

    @property
    def digest(self) -> str:
        """Sha256 (hex) of the tokens in order: equal if and only if the ids are."""
        return hashlib.sha256(json.dumps(self.tokens).encode()).hexdigest()

    def save(self, path: str | Path) -> None:
        """Write the tokens to `path` as JSON; an old file is replaced in one step."""
        with atomic_write(Path(path)) as file:
            file.write(json.dumps({"tokens": self.tokens}, ensure_ascii=False).encode())

    @classmethod
    def load(cls, path: str | Path) -> "Vocabulary":
        """Read a vocabulary that `save` wrote; a ValueError for any other file."""
        try:
            tokens = json.loads(Path(path).read_bytes())["tokens"]
            if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
                raise TypeError("its tokens are not a list of strings")
            return cls(tokens)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} is not a saved vocabulary ({error}). Save one with vocabulary.save(path)."
            ) from error


def _check_tokens(tokens: object) -> None:
    if tokens is None or isinstance(tokens, str):
        raise TypeError(
            f"This takes a list of tokens, but got {tokens!r:.20}. Tokenise first, for example by "
            "text.split(), and let a tokeniser of your own return its list."
        )
