"""The rows of other libraries, and the register of all rows."""

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

from benchmarks import growth, limit, rows
from benchmarks.process import RowUnavailableError
from benchmarks.rows import BATCH_SIZE, HIDDEN_SIZE, LR, NUM_EPOCHS, VOCAB_SIZE, Row
from helpers import text
from helpers.corpus import Reviews


class ScikitLearn(Row):
    """`CountVectorizer` and `MLPClassifier`, as near to the course's settings as they go.

    The same vocabulary size, hidden units, batches and plain SGD (no momentum, no weight
    decay, no early stopping), and float32, which halves its traffic; its default is
    float64. Tokeniser and initial parameters are its own.
    """

    title = "scikit-learn, MLPClassifier"
    columns = ("encode", "train", "finish")

    def __init__(self, reviews: Reviews) -> None:
        super().__init__(reviews)
        self.matrix = None

    @property
    def nbytes(self) -> int | None:
        """Bytes of the CSR matrix."""
        if self.matrix is None:
            return None
        return sum(part.nbytes for part in (self.matrix.data, self.matrix.indices)) + (
            self.matrix.indptr.nbytes
        )

    def prepare(self, task: str) -> None:
        """Encode before an epoch; drop what the other tasks make anew."""
        super().prepare(task)
        if task == "train" and self.matrix is None:
            self.encode()
        elif task != "train":
            self.matrix = None

    def encode(self) -> None:
        """Fit the vectoriser and transform."""
        self.matrix = new_vectorizer().fit_transform(self.reviews.texts)

    def train(self) -> float:
        """Train a new classifier for one epoch; return its mean loss.

        Drawing its parameters is part of it, some 3 % of the time.
        """
        classifier = new_classifier()
        classifier.partial_fit(self.matrix, self.reviews.labels, classes=[0, 1])
        return float(classifier.loss_)

    def finish(self) -> float:
        """Raw text to five trained epochs; return the accuracy on the reviews held out."""
        train, validation = self.parts
        vectorizer, classifier = new_vectorizer(), new_classifier()
        inputs = vectorizer.fit_transform(train.texts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # five epochs are meant
            classifier.fit(inputs, train.labels)
        return float(classifier.score(vectorizer.transform(validation.texts), validation.labels))


class FastText(Row):
    """fastText's supervised mode: a linear classifier over the mean of word vectors.

    Its own defaults (100 dimensions, five epochs) but for two: as many threads as PyTorch
    uses, and a learning rate of 0.5, since its default of 0.1 learns less in five epochs.
    It reads a text file and never shuffles, so the reviews are tokenised by
    `basic_english`, shuffled and written first; all that is counted.
    """

    title = "fastText"
    columns = ("finish",)

    def __init__(self, reviews: Reviews) -> None:
        super().__init__(reviews)
        try:
            import fasttext
        except ImportError as error:
            raise RowUnavailableError(
                f"fasttext cannot be imported ({error}); "
                "pip install --only-binary :all: -r benchmarks/requirements.txt"
            ) from error
        self.fasttext = fasttext

    def finish(self) -> float:
        """Raw text to five trained epochs; return the accuracy on the reviews held out."""
        train, validation = (self._write(part) for part in self.parts)
        model = self.fasttext.train_supervised(
            str(train), epoch=NUM_EPOCHS, lr=0.5, thread=torch.get_num_threads(), verbose=0
        )
        return float(model.test(str(validation))[1])

    def _write(self, reviews: Reviews) -> Path:
        lines = [
            f"__label__{label} {' '.join(text.basic_english(review))}\n"
            for review, label in reviews
        ]
        random.Random(0).shuffle(lines)
        file = Path(self.folder.name) / f"{len(reviews)}.txt"
        file.write_text("".join(lines), encoding="utf-8")
        return file


class Torchtext(Row):
    """torchtext's own `basic_english`, compared as a ratio only."""

    title = "torchtext, basic_english"
    columns = ("tokenise",)

    def __init__(self, reviews: Reviews) -> None:
        super().__init__(reviews)
        self.tokenizer = torchtext_tokenizer()

    def tokenise(self) -> None:
        """Split all reviews."""
        for review in self.reviews.texts:
            self.tokenizer(review)


def new_vectorizer() -> CountVectorizer:
    """Return scikit-learn's counterpart of vocabulary and encoding."""
    return CountVectorizer(max_features=VOCAB_SIZE, binary=True, dtype=np.float32)


def new_classifier() -> MLPClassifier:
    """Return scikit-learn's counterpart of the MLP and its training."""
    return MLPClassifier(
        hidden_layer_sizes=(HIDDEN_SIZE,),
        solver="sgd",
        learning_rate_init=LR,
        momentum=0.0,
        alpha=0.0,
        batch_size=BATCH_SIZE,
        max_iter=NUM_EPOCHS,
        n_iter_no_change=NUM_EPOCHS,
        random_state=0,
    )


def torchtext_tokenizer() -> Callable[[str], list[str]]:
    """Return torchtext's own basic_english, whose package needs no binary for it."""
    sys.modules["torchtext._extension"] = types.ModuleType("torchtext._extension")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("torchtext.data.utils").get_tokenizer("basic_english")
    except ImportError as error:
        raise RowUnavailableError(f"torchtext cannot be imported ({error})") from error


#: all rows by the name that a worker is started with; the last two are asked other questions
ROWS: dict[str, type[Row]] = {
    "naive": rows.Naive,
    "dense": rows.DenseCache,
    "preloaded": rows.Preloaded,
    "batches": rows.DenseBatches,
    "bag": rows.EmbeddingBag,
    "lora_formed": rows.LoRAFormed,
    "lora_thin": rows.LoRAThin,
    "lora_bag": rows.LoRABag,
    "sklearn": ScikitLearn,
    "fasttext": FastText,
    "torchtext": Torchtext,
    "limit": limit.Limit,
    "growth": growth.Growth,
}
