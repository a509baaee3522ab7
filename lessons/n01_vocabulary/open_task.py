"""The open task of notebook 01: what a tokeniser must keep, and what it may leave unknown."""

import ast
import functools
import inspect
import textwrap
from collections import Counter
from collections.abc import Callable

from helpers import corpus
from lessons.comparing import in_words
from lessons.exercises import Wrong

MOST_LINES, VOCAB_SIZE, MOST_UNKNOWN = 15, 20_000, 20_000
#: at most so many tokens for each one of basic_english, which makes 6,767,187 of the reviews
MOST_TOKENS, BASIC_ENGLISH_TOKENS = 1.2, 6_767_187

TEXTS = (
    "",
    "?!... --",
    "A GOOD film, a (very) good Film!",
    "Awful.<br /><br />Great...or not",
    "Café Müller (2011): 7/10. It's naïve_ish, isn't it?",
    "antidisestablishmentarianism\tis\nno well-made WORD",
)


@functools.cache
def reviews() -> tuple[str, ...]:
    """Return the training reviews, loaded once."""
    return corpus.load_imdb("train").texts


def judge_tokenizer(tokenizer: Callable[[str], list[str]]) -> None:
    """Raise `Wrong` for a tokeniser that breaks a rule or leaves too much; print what it leaves."""
    if not callable(tokenizer):
        raise Wrong("hand over the function itself, not what it returns.")
    if (lines := count_lines(tokenizer)) > MOST_LINES:
        raise Wrong(f"the function has {lines} lines; {MOST_LINES} are allowed.")
    for text in (*TEXTS, *reviews()[::100]):
        require_rules(tokenizer(text), text)
    counts: Counter[str] = Counter()
    for text in reviews():
        counts.update(tokenizer(text))
    share = counts.total() / BASIC_ENGLISH_TOKENS
    unknown = counts.total() - sum(count for _, count in counts.most_common(VOCAB_SIZE))
    found = f"{unknown:,} unknown tokens, and {share:.2f} tokens for each one of basic_english"
    if share > MOST_TOKENS:
        raise Wrong(
            f"{found}. At most {MOST_TOKENS} are allowed: you make more tokens than you need."
        )
    if unknown >= MOST_UNKNOWN:
        raise Wrong(
            f"{found}. Fewer than {MOST_UNKNOWN:,} unknown ones are asked for: look at the most "
            "frequent of those that you still lose."
        )
    print(found)


def count_lines(function: Callable) -> int:
    """Return the lines of a function without its docstring, comments and empty lines."""
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return 0  # a lambda, or made elsewhere
    if not isinstance(definition, ast.FunctionDef):
        return 0
    if ast.get_docstring(definition) is not None:
        definition.body = definition.body[1:] or [ast.Pass()]
    return len(ast.unparse(definition).splitlines())


def require_rules(tokens: object, text: str) -> None:
    """Raise `Wrong` unless the letters of `text` are in the tokens, and no token crosses a space.

    A line break ``<br />`` is no word: its two letters may go.
    """
    shown = f"{text[:60]!r}"
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise Wrong(f"a tokeniser returns a list of str; for {shown} yours gives {tokens!r:.60}.")
    if "" in tokens:
        raise Wrong(f"there is an empty token in what you make of {shown}.")
    found = "".join(map(letters, tokens))
    words = next(
        (
            [letters(word) for word in kept.split()]
            for kept in (text, text.replace("<br />", " "))
            if letters(kept) == found
        ),
        None,
    )
    if words is None:
        raise Wrong(
            f"every letter and digit must be in the tokens once, and in order. Of {shown} you "
            f"make {in_words(tokens, 120)}."
        )
    ends = {sum(map(len, words[:i])) for i in range(len(words) + 1)}
    start = 0
    for token in tokens:
        stop = start + len(letters(token))
        if any(start < end < stop for end in ends):
            raise Wrong(f"the token {token!r} crosses a space of {shown}.")
        start = stop


def letters(text: str) -> str:
    """Return the letters and digits of `text`, without their case."""
    return "".join(character for character in text.casefold() if character.isalnum())
