"""Time and memory a review, from 1,000 reviews to ten times the corpus.

Each size runs in a process of its own. The corpus is repeated as often as needed; each
copy of a review gets new tokens that no other copy has, drawn from a law like Zipf's, so
that counting the vocabulary does not become easier than on real text.
"""

import numpy as np

from benchmarks.rows import EmbeddingBag
from helpers import corpus
from helpers.corpus import Reviews

NEW_TOKENS = 7  # in each review, of about 270
ZIPF_EXPONENT = 1.3
POOL = 20_000  # different new tokens of one copy, at most


class Growth(EmbeddingBag):
    """The embedding bag's row on any number of reviews."""

    title = "growth"
    columns = ("encode", "iterate", "train")

    def __init__(self, reviews: Reviews, size: str = "1000") -> None:
        super().__init__(grow_reviews(reviews, int(size)))


def grow_reviews(reviews: Reviews, size: int) -> Reviews:
    """Return `size` reviews, balanced, with new tokens at their ends; always the same ones.

    Parameters
    ----------
    reviews : Reviews
        The corpus. Below its length a balanced sample is taken, above it is repeated.
    size : int
        How many reviews; even.
    """
    copies, rest = divmod(size, len(reviews))
    parts = [reviews] * copies
    if rest:
        parts.append(corpus.balanced_sample(reviews, rest, seed=0))
    texts = []
    for copy, part in enumerate(parts):
        draws = np.random.default_rng([0, copy]).zipf(ZIPF_EXPONENT, (len(part), NEW_TOKENS))
        for text, numbers in zip(part.texts, (draws % POOL).tolist(), strict=True):
            texts.append(" ".join([text, *(f"new{copy}x{number}" for number in numbers)]))
    return Reviews(texts, [label for part in parts for label in part.labels])
