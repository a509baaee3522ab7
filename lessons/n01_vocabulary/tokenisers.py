"""The exercises of notebook 01 about tokenisers: write one, and survey several."""

import re
import string
from collections import Counter
from collections.abc import Callable, Iterator

from helpers import text


def kept(tokenize: Callable, review: str) -> object:
    """Return the tokens but for ``br``, which may go; ``dont`` is right as well as ``don t``."""
    tokens = tokenize(review)
    ordered = isinstance(tokens, list | tuple | Iterator)
    words = [token for token in tokens if token != "br"] if ordered else tokens
    return ["don", "t"] if words == ["dont"] else words


CASE = (
    "`GOOD` and `good` must become the same token. (A string never changes in place: methods like "
    "lower() return a new one.)"
)
GLUED = "two words became one, as in `greator`: what should stand in the place of a mark that goes?"

TOKENIZE = dict(
    reference=text.space_punctuation,
    probe=kept,
    inputs=[
        ("A GOOD film, a (very) good Film!",),
        ("Awful.<br /><br />Great...or not",),
        ("movies moved moving; café 7 10",),
        *((f"one{mark}two",) for mark in string.punctuation if mark not in "'<>"),
        ("DON'T",),
        ("",),
        ("?!... --",),
    ],
    mistakes=[
        (CASE, str.split),
        (CASE, lambda review: re.sub(r"[\W_]", " ", review).split()),
        ("punctuation is still there, as tokens of its own: it must go.", text.basic_english),
        (
            "an underscore is punctuation, too, but \\w counts it as a letter.",
            lambda review: re.findall(r"\w+", review.lower()),
        ),
        (
            "strip() takes only the marks at the ends of a piece: those inside are still there.",
            lambda review: [word.strip(string.punctuation) for word in review.lower().split()],
            lambda found, review: not {"awful.<br", "great...or"}.isdisjoint(found),
        ),
        (GLUED, text.delete_punctuation),
        (GLUED, lambda review: text.delete_punctuation(review.replace("<br />", " "))),
        (
            "letters with accents stay, and so do digits. Only the marks of string.punctuation go.",
            lambda review: re.findall("[a-z0-9]+", review.lower()),
            lambda found, review: "café" in review and not {"café", "7", "10"} <= {*found},
        ),
        (
            "return a list of str.",
            lambda review: " ".join(text.space_punctuation(review)),
            lambda found, review: not isinstance(found, list),
        ),
        (
            "a mark of string.punctuation still stands in a token. Is each mark replaced, and the "
            "result kept? (A string never changes in place: replace() returns a new one.)",
            lambda review: re.sub("[.,!]", " ", review.lower()).split(),
            lambda found, review: not {*string.punctuation}.isdisjoint("".join(found)),
        ),
        (
            "there are empty tokens: split() and split(' ') differ. A text without words has no "
            "tokens at all.",
            lambda review: re.split(r"[\W_]", review.lower()),
            lambda found, review: "" in found,
        ),
    ],
    otherwise="Lower the case, let a space stand for each mark, and keep all words, in order.",
)


DIFFERENT = "that is the number of *different* unknown tokens. How often do they occur?"
FREQUENT = "the most *frequent* tokens are known: not those counted first, and not the rarest."
RUNNING = "coverage is a share of the running text, in which a frequent token counts often."


def survey(counts: Counter[str], num_texts: int, vocab_size: int) -> tuple:
    """Return mean length, distinct tokens, unknown tokens and coverage."""
    total, kept = counts.total(), sum(count for _, count in counts.most_common(vocab_size))
    return total / num_texts, len(counts), total - kept, kept / total


def surveying(part: int, wrong: Callable) -> Callable:
    """Return `survey` with one of its four numbers replaced by a wrong one."""

    def answer(counts: Counter[str], num_texts: int, vocab_size: int) -> tuple:
        numbers = [*survey(counts, num_texts, vocab_size)]
        numbers[part] = wrong(counts, num_texts, vocab_size)
        return tuple(numbers)

    return answer


SURVEY = dict(
    reference=survey,
    inputs=[
        (Counter({"c": 1, "a": 5, "b": 3, "d": 2}), 4, 2),
        (Counter({"x": 1, "y": 7, "z": 4}), 5, 1),
        (Counter({"film": 2}), 1, 20_000),
    ],
    mistakes=[
        (DIFFERENT, surveying(2, lambda counts, n, size: max(0, len(counts) - size))),
        (DIFFERENT, surveying(2, lambda counts, n, size: len(counts) - size)),
        (
            "the third number is what the vocabulary does *not* hold.",
            surveying(2, lambda *given: given[0].total() - survey(*given)[2]),
        ),
        (RUNNING, surveying(3, lambda counts, n, size: min(1, size / len(counts)))),
        (RUNNING, surveying(3, lambda counts, n, size: size / len(counts))),
        (
            "that is the share of what is lost. Coverage is the share that the vocabulary holds.",
            surveying(3, lambda *given: 1 - survey(*given)[3]),
        ),
        (
            "coverage is a share, between 0 and 1. The table turns it into per cent.",
            surveying(3, lambda *given: 100 * survey(*given)[3]),
        ),
        (FREQUENT, surveying(2, lambda counts, n, size: sum([*counts.values()][size:]))),
        (FREQUENT, surveying(2, lambda counts, n, size: sum(sorted(counts.values())[size:]))),
        (
            "the vocabulary has vocab_size tokens: the unknown is not one of them.",
            surveying(2, lambda counts, n, size: survey(counts, n, size - 1)[2]),
        ),
        ("the mean length is cut: / or //?", surveying(0, lambda c, n, size: c.total() // n)),
        (
            "the mean length counts every token of a text, not only the different ones.",
            surveying(0, lambda counts, n, size: len(counts) / n),
        ),
        (
            "that is the number of all tokens, not yet their mean per text.",
            surveying(0, lambda counts, n, size: counts.total()),
        ),
        (
            "that is the number of all tokens. How many *different* ones are there?",
            surveying(1, lambda counts, n, size: counts.total()),
        ),
    ],
    errors={
        "unsupported operand": "A loop over a Counter, and sum() too, gets the tokens. Their "
        "counts are in counts.values().",
    },
    otherwise="Mean length, distinct tokens, unknown tokens, coverage: work this one out by hand.",
)
