"""What old IMDB notebooks import from torchtext, which is archived and no longer loads.

The names, signatures, labels and order of torchtext 0.18; see docs/torchtext.md. The course itself
uses `helpers.corpus` and `helpers.text`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn
from torch.utils.data.datapipes.iter import IterableWrapper

from helpers import corpus
from helpers.text import Tokenizer, basic_english


def IMDB(root: str = ".data", split: str | tuple[str, ...] = ("train", "test")) -> Any:  # noqa: N802
    """Return a datapipe of pairs (label, text) for a split, or one for each of several.

    Labels are 1 (negative, first) and 2 (positive). `root` has no effect: the course knows where
    its reviews are. A ValueError for an unknown split.
    """
    if not isinstance(split, str):
        return tuple(IMDB(root, part) for part in split)
    pairs = [(label + 1, text) for text, label in corpus.load_imdb(split)]
    return IterableWrapper(pairs, deepcopy=False).shuffle().set_shuffle(False).sharding_filter()


def to_map_style_dataset(pairs: Iterable) -> list:
    """Return a list: a DataLoader takes it, it has indices and a length."""
    return list(pairs)


def get_tokenizer(tokenizer: str | Tokenizer | None, language: str = "en") -> Tokenizer:
    """Return a tokeniser: "basic_english", a function of your own, or None to split."""
    if tokenizer is None:
        return str.split
    if callable(tokenizer):
        return tokenizer
    if tokenizer == "basic_english" and language == "en":
        return basic_english
    raise ValueError(
        f'There is no tokeniser {tokenizer!r} for {language!r} here, only None and (for "en") '
        '"basic_english". Or pass a function of your own, from a text to its tokens.'
    )


class Vocab(nn.Module):
    """Tokens and their indices, as torchtext 0.18 has them; its errors are RuntimeErrors."""

    def __init__(self, tokens: Sequence[str], default_index: int | None = None) -> None:
        super().__init__()
        self.itos: list[str] = []
        self.stoi: dict[str, int] = {}
        self.default_index = default_index
        for token in tokens:
            self.append_token(token)

    def __len__(self) -> int:
        return len(self.itos)

    def __contains__(self, token: str) -> bool:
        return token in self.stoi

    def __getitem__(self, token: str) -> int:
        index = self.stoi.get(token, self.default_index)
        if index is None:
            raise RuntimeError(
                f"Token {token!r} is not in the vocabulary, and no default index is set. Say "
                'which index unknown tokens get: vocab.set_default_index(vocab["<unk>"]).'
            )
        return index

    def forward(self, tokens: Iterable[str]) -> list[int]:
        """Return the index of each token: ``vocab(["a", "film"])``."""
        return [self[token] for token in tokens]

    lookup_indices = forward

    def set_default_index(self, index: int | None) -> None:
        """Set the index of unknown tokens; with None they raise a RuntimeError."""
        self.default_index = index

    def get_default_index(self) -> int | None:
        """Return the index that unknown tokens get, or None."""
        return self.default_index

    def insert_token(self, token: str, index: int) -> None:
        """Insert a new token at an index from 0 to the length; later ones move up by one."""
        if token in self.stoi or not 0 <= index <= len(self):
            raise RuntimeError(f"Can't insert {token!r} at {index}: known already, or too far.")
        self.itos.insert(index, token)
        self.stoi.update((later, i) for i, later in enumerate(self.itos[index:], start=index))

    def append_token(self, token: str) -> None:
        """Append a token that is not yet there."""
        self.insert_token(token, len(self))

    def lookup_token(self, index: int) -> str:
        """Return the token at an index from 0 to the length less 1."""
        if not 0 <= index < len(self):
            raise RuntimeError(f"Index {index} is outside 0 to {len(self) - 1}.")
        return self.itos[index]

    def lookup_tokens(self, indices: Iterable[int]) -> list[str]:
        """Return the token at each index."""
        return [self.lookup_token(index) for index in indices]

    def get_stoi(self) -> dict[str, int]:
        """Return a new dict from tokens to indices."""
        return dict(self.stoi)

    def get_itos(self) -> list[str]:
        """Return a new list of the tokens in order."""
        return list(self.itos)


def vocab(
    ordered_dict: Mapping[str, int],
    min_freq: int = 1,
    specials: Sequence[str] | None = None,
    special_first: bool = True,
) -> Vocab:
    """Build a `Vocab` from counts in the order of the mapping, specials before or after."""
    extra = list(specials or [])
    kept = [token for token, n in ordered_dict.items() if n >= min_freq and token not in extra]
    return Vocab(extra + kept if special_first else kept + extra)


def build_vocab_from_iterator(
    iterator: Iterable[Iterable[str]],
    min_freq: int = 1,
    specials: Sequence[str] | None = None,
    special_first: bool = True,
    max_tokens: int | None = None,
) -> Vocab:
    """Count the tokens of an iterator of lists; sort by count, equal counts by alphabet.

    `max_tokens` includes the specials; no more specials than that, else an AssertionError.
    """
    counter: Counter[str] = Counter()
    for tokens in iterator:
        counter.update(tokens)
    ordered = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
    if max_tokens is not None:
        assert len(specials or []) < max_tokens, "There is no place for a token but the specials."
        ordered = ordered[: max_tokens - len(specials or [])]
    return vocab(dict(ordered), min_freq, specials, special_first)
