"""The rows of other libraries, as near to the course's settings as they go."""

import importlib
import random
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.linear_model import SGDClassifier

from benchmarks import rows
from benchmarks.race import Case
from helpers.corpus import Reviews

#: the fastest found to reach 88 % (mean of five seeds); single words need five epochs and longer
FASTTEXT = {"epoch": 3, "lr": 0.7, "dim": 5, "wordNgrams": 2, "bucket": 100_000}


def encode_sklearn(case: Case) -> Callable[[], str]:
    """Fit a `CountVectorizer` and transform."""

    def work() -> str:
        matrix = new_vectorizer().fit_transform(case.reviews.texts)
        parts = (matrix.data, matrix.indices, matrix.indptr)
        return f"{sum(part.nbytes for part in parts) / 1e6:,.1f} MB"

    return work


def finish_sklearn(case: Case) -> Callable[[], str]:
    """Hash the words, train ten epochs of logistic regression, and score it on the rest."""
    train, validation = rows.held_out(case.reviews)

    def work() -> str:
        vectorizer = HashingVectorizer(binary=True, alternate_sign=False, n_features=2**18)
        classifier = SGDClassifier("log_loss", alpha=1e-5, max_iter=10, tol=None, random_state=0)
        classifier.fit(vectorizer.transform(train.texts), train.labels)
        accuracy = classifier.score(vectorizer.transform(validation.texts), validation.labels)
        return f"accuracy {accuracy:.4f}"

    return work


def new_vectorizer() -> CountVectorizer:
    """Return scikit-learn's counterpart of vocabulary and encoding; the tokeniser is its own."""
    return CountVectorizer(max_features=rows.VOCAB_SIZE, binary=True, dtype=np.float32)


def finish_fasttext(case: Case) -> Callable[[], str]:
    """Train fastText's linear classifier over the mean of vectors of words and of their pairs.

    It reads a text file and never shuffles, so the reviews are tokenised by
    `basic_english`, shuffled and written first; all that is counted.
    """
    fasttext = importlib.import_module("fasttext")
    parts = rows.held_out(case.reviews)

    def work() -> str:
        train, validation = (write_lines(part, case.folder) for part in parts)
        threads = torch.get_num_threads()
        model = fasttext.train_supervised(str(train), thread=threads, verbose=0, **FASTTEXT)
        return f"accuracy {model.test(str(validation))[1]:.4f}"

    return work


def write_lines(reviews: Reviews, folder: Path) -> Path:
    """Write reviews in fastText's format, shuffled; return the file."""
    lines = [f"__label__{label} {' '.join(rows.basic_english(text))}\n" for text, label in reviews]
    random.Random(0).shuffle(lines)
    file = folder / f"{len(reviews)}.txt"
    file.write_text("".join(lines), encoding="utf-8")
    return file


def tokenise_torchtext(case: Case) -> Callable[[], str]:
    """Split all reviews by torchtext's own ``basic_english``."""
    tokenizer = torchtext_tokenizer()
    return lambda: f"{sum(len(tokenizer(text)) for text in case.reviews.texts):,} tokens"


def torchtext_tokenizer() -> Callable[[str], list[str]]:
    """Return torchtext's tokeniser, which needs none of the package's binary."""
    sys.modules["torchtext._extension"] = types.ModuleType("torchtext._extension")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("torchtext.data.utils").get_tokenizer("basic_english")
