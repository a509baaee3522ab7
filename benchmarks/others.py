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
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neural_network import MLPClassifier

from benchmarks import rows
from benchmarks.race import Case
from helpers.corpus import Reviews

FASTTEXT_LR = 0.5  # its default of 0.1 learns less in five epochs


def encode_sklearn(case: Case) -> Callable[[], str]:
    """Fit a `CountVectorizer` and transform."""

    def work() -> str:
        matrix = new_vectorizer().fit_transform(case.reviews.texts)
        parts = (matrix.data, matrix.indices, matrix.indptr)
        return f"{sum(part.nbytes for part in parts) / 1e6:,.1f} MB"

    return work


def finish_sklearn(case: Case) -> Callable[[], str]:
    """Encode, train five epochs of an `MLPClassifier`, and score it on reviews held out."""
    train, validation = rows.held_out(case.reviews)

    def work() -> str:
        vectorizer, classifier = new_vectorizer(), new_classifier()
        inputs = vectorizer.fit_transform(train.texts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # five epochs are meant
            classifier.fit(inputs, train.labels)
        accuracy = classifier.score(vectorizer.transform(validation.texts), validation.labels)
        return f"accuracy {accuracy:.4f}"

    return work


def new_vectorizer() -> CountVectorizer:
    """Return scikit-learn's counterpart of vocabulary and encoding; the tokeniser is its own."""
    return CountVectorizer(max_features=rows.VOCAB_SIZE, binary=True, dtype=np.float32)


def new_classifier() -> MLPClassifier:
    """Return scikit-learn's counterpart of the MLP and its training: plain SGD, float32."""
    return MLPClassifier(
        hidden_layer_sizes=(rows.HIDDEN_SIZE,),
        solver="sgd",
        learning_rate_init=rows.LR,
        momentum=0.0,
        alpha=0.0,
        batch_size=rows.BATCH_SIZE,
        max_iter=rows.NUM_EPOCHS,
        n_iter_no_change=rows.NUM_EPOCHS,
        random_state=0,
    )


def finish_fasttext(case: Case) -> Callable[[], str]:
    """Train five epochs of fastText's linear classifier over the mean of word vectors.

    It reads a text file and never shuffles, so the reviews are tokenised by
    `basic_english`, shuffled and written first; all that is counted.
    """
    fasttext = importlib.import_module("fasttext")
    parts = rows.held_out(case.reviews)

    def work() -> str:
        train, validation = (write_lines(part, case.folder) for part in parts)
        threads = torch.get_num_threads()
        model = fasttext.train_supervised(
            str(train), epoch=rows.NUM_EPOCHS, lr=FASTTEXT_LR, thread=threads, verbose=0
        )
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
