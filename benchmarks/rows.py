"""The rows of the table: one class each, with one method for each column it fills.

All networks are the course's MLP: 20,001 inputs, 200 hidden units, one logit, SGD at a
learning rate of 0.1 in shuffled batches of 128. Epochs run over all reviews; the column
`finish` trains five epochs on those that `corpus.split` leaves and then evaluates on the
5,000 held out. Every `train` starts from the same parameters and the same order, so rows
that claim to be the same computation must show the same loss.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from helpers import corpus, datasets, lora, models, text, training
from helpers.corpus import Reviews
from helpers.text import Vocabulary

BATCH_SIZE = 128
HIDDEN_SIZE = 200
LR = 0.1
NUM_EPOCHS = 5
VALIDATION_SIZE = 5_000
VOCAB_SIZE = 20_000
WARM_UP_REVIEWS = 512


class Row:
    """One way to do the work; a subclass has one method for each of its `columns`.

    Parameters
    ----------
    reviews : Reviews
        The raw texts.

    Attributes
    ----------
    title : str
        The row's name in the table.
    columns : tuple of str
        The tasks that make sense for it: encode, warm, iterate, train, finish,
        and tokenise, which is only compared as a ratio.
    """

    title: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    def __init__(self, reviews: Reviews) -> None:
        self.reviews = reviews
        self.folder = tempfile.TemporaryDirectory(prefix="benchmark-")

    @property
    def nbytes(self) -> int | None:
        """Bytes that the encoded reviews take, or None before they are encoded."""
        return None

    def prepare(self, task: str) -> None:
        """Do what `task` needs but its time does not contain."""
        # new objects, because Reviews remembers its digest once it is computed
        self.reviews = Reviews(self.reviews.texts, self.reviews.labels)
        if task == "finish":
            size = min(VALIDATION_SIZE, len(self.reviews) // 5)
            self.parts = corpus.split(self.reviews, size, seed=0)

    def facts(self) -> dict:
        """Return what the table must know of the row."""
        return {"title": self.title, "columns": self.columns}


def warm_up(row: Row) -> None:
    """Do every task once with a few reviews: imports, thread pools, first allocations."""
    size = min(WARM_UP_REVIEWS, len(row.reviews) // 2 * 2)
    small = type(row)(corpus.balanced_sample(row.reviews, size))
    for task in row.columns:
        small.prepare(task)
        getattr(small, task)()
    small.folder.cleanup()


# --- PyTorch ----------------------------------------------------------------------------


class TorchRow(Row):
    """What the PyTorch rows share: everything but how the data are held and fed."""

    sparse: ClassVar[bool] = False

    def __init__(self, reviews: Reviews) -> None:
        super().__init__(reviews)
        self.data: Dataset | None = None
        self.vocabulary: Vocabulary | None = None

    def build(
        self, reviews: Reviews, vocabulary: Vocabulary | int = VOCAB_SIZE
    ) -> tuple[Dataset, Vocabulary]:
        """Turn raw text into what is held, and the vocabulary."""
        raise NotImplementedError

    def batches(self, data: Dataset) -> Iterable:
        """Return an iterable of shuffled ``(inputs, targets)``; the same order each time."""
        return DataLoader(data, BATCH_SIZE, shuffle=True, generator=generator())

    def new_model(self) -> nn.Module:
        """Return the MLP with the parameters that every row starts from."""
        training.set_seed(0)
        model = models.OneHotMLP(len(self.vocabulary), HIDDEN_SIZE)
        return models.to_sparse(model) if self.sparse else model

    def prepare(self, task: str) -> None:
        """Drop what `task` makes anew; make what it takes for granted."""
        super().prepare(task)
        if task in ("encode", "warm", "finish"):
            self.data = None  # or two of them would be counted in the peak
        if task in ("iterate", "train") and self.data is None:
            self.encode()
        if task == "train":
            self.model = self.new_model()
            self.optimizer = new_optimizer(self.model)

    def encode(self) -> None:
        """Raw text to encoded, with nothing at hand."""
        self.data, self.vocabulary = self.build(self.reviews)

    def iterate(self) -> None:
        """Draw every batch of an epoch and do nothing with it."""
        for _ in self.batches(self.data):
            pass

    def train(self) -> float:
        """Train for one epoch; return its mean loss."""
        return training.train_epoch(self.model, self.batches(self.data), self.optimizer)

    def finish(self) -> float:
        """Raw text to five trained epochs; return the accuracy on the reviews held out."""
        train, validation = self.parts
        self.data, self.vocabulary = self.build(train)
        held_out, _ = self.build(validation, self.vocabulary)
        model = self.new_model()
        optimizer = new_optimizer(model)
        for _ in range(NUM_EPOCHS):
            training.train_epoch(model, self.batches(self.data), optimizer)
        accuracy = training.evaluate(model, self.batches(held_out)).accuracy
        self.data = None  # the next task is about all reviews again
        return accuracy


class NaiveDataset(Dataset):
    """Reviews as multi-hot vectors, encoded anew each time one is asked for.

    The first rung of notebook 02: one assignment for each token.
    """

    def __init__(self, reviews: Reviews, vocabulary: Vocabulary) -> None:
        self.reviews, self.vocabulary = reviews, vocabulary

    def __len__(self) -> int:
        return len(self.reviews)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return a multi-hot vector float32 [vocab] and its label."""
        review, label = self.reviews[index]
        multi_hot = torch.zeros(len(self.vocabulary))
        for code in self.vocabulary.encode(text.basic_english(review)):
            multi_hot[code] = 1
        return multi_hot, label


class Naive(TorchRow):
    """The Dataset that encodes in `__getitem__`."""

    title = "naive Dataset"
    columns = ("iterate", "train", "finish")

    def build(
        self, reviews: Reviews, vocabulary: Vocabulary | int = VOCAB_SIZE
    ) -> tuple[Dataset, Vocabulary]:
        """Build the vocabulary; the Dataset itself only keeps the texts."""
        vocabulary = vocabulary_of(reviews, vocabulary)
        return NaiveDataset(reviews, vocabulary), vocabulary


class DenseCache(TorchRow):
    """One float32 matrix [reviews, 20001] in a `TensorDataset`, the default DataLoader.

    This is the best form of what people write when the naive Dataset is too slow: encode
    once, keep the vectors. It is filled in place, with one assignment for each review, so
    it costs no second copy and far less than caching what the naive Dataset returns. Its
    cache on disk is a `torch.save` of it; writing that file is not counted, and reading
    it comes from the system's file cache, both in its favour.
    """

    title = "dense float32 cache"
    columns = ("encode", "warm", "iterate", "train", "finish")

    def build(
        self, reviews: Reviews, vocabulary: Vocabulary | int = VOCAB_SIZE
    ) -> tuple[Dataset, Vocabulary]:
        """Fill the matrix row by row."""
        vocabulary = vocabulary_of(reviews, vocabulary)
        matrix = torch.zeros(len(reviews), len(vocabulary))
        rows = matrix.numpy()  # NumPy's assignment by index starts sooner than PyTorch's
        for row, review in zip(rows, reviews.texts, strict=True):
            row[vocabulary.encode(text.basic_english(review))] = 1
        return TensorDataset(matrix, torch.tensor(reviews.labels)), vocabulary

    @property
    def nbytes(self) -> int | None:
        """Bytes of the matrix and the labels."""
        return None if self.data is None else sum(part.nbytes for part in self.data.tensors)

    def prepare(self, task: str) -> None:
        """Write the cache file before it is to be read."""
        file = Path(self.folder.name) / "dense.pt"
        if task == "warm" and not file.exists():
            if self.data is None:
                self.encode()
            torch.save(self.data.tensors, file)
        elif task != "warm":
            file.unlink(missing_ok=True)
        super().prepare(task)

    def warm(self) -> None:
        """Read the matrix from a file."""
        file = Path(self.folder.name) / "dense.pt"
        self.data = TensorDataset(*torch.load(file, weights_only=True))


class Preloaded(DenseCache):
    """The dense matrix preloaded to the device, a batch taken by one index expression.

    The usual advice for a small data set: no DataLoader at all. On the CPU the matrix is
    that of `DenseCache`, so the two columns about encoding are left to that row.
    """

    title = "dense cache, preloaded and indexed"
    columns = ("iterate", "train", "finish")

    def batches(self, data: TensorDataset) -> Iterator[tuple[Tensor, Tensor]]:
        """Index the matrix with each 128 numbers of a random permutation."""
        inputs, targets = data.tensors
        for indices in epoch_order(len(targets)).split(BATCH_SIZE):
            yield inputs[indices], targets[indices]


class DenseBatches(TorchRow):
    """The course's `BagOfWordsDataset`, expanded to multi-hot vectors batch by batch."""

    title = "ours, dense batches"
    columns = ("encode", "warm", "iterate", "train", "finish")

    def build(
        self, reviews: Reviews, vocabulary: Vocabulary | int = VOCAB_SIZE
    ) -> tuple[Dataset, Vocabulary]:
        """Encode and leave the cache file behind, as `datasets.load_or_encode` does."""
        return datasets.load_or_encode(reviews, vocabulary, folder=Path(self.folder.name))

    def batches(self, data: datasets.BagOfWordsDataset) -> DataLoader:
        """Use the course's loader."""
        return datasets.make_loader(
            data, BATCH_SIZE, shuffle=True, sparse=self.sparse, generator=generator()
        )

    @property
    def nbytes(self) -> int | None:
        """Bytes of ids, offsets and labels."""
        return None if self.data is None else self.data.nbytes

    def prepare(self, task: str) -> None:
        """Remove the cache for a cold start, have one for a warm start."""
        folder = Path(self.folder.name)
        if task in ("encode", "finish"):
            shutil.rmtree(folder)
            folder.mkdir()
        if task == "warm":
            self.build(self.reviews)
        super().prepare(task)

    def warm(self) -> None:
        """Load what an earlier call has left."""
        self.data, self.vocabulary = self.build(self.reviews)


class EmbeddingBag(DenseBatches):
    """The course's data set fed as bags of token ids to the sparse twin."""

    title = "ours, embedding bag"
    columns = ("encode", "warm", "iterate", "train", "finish", "tokenise")
    sparse = True

    def tokenise(self) -> None:
        """Split all reviews by the course's `basic_english`."""
        for review in self.reviews.texts:
            text.basic_english(review)


# --- LoRA -------------------------------------------------------------------------------


class FormedLoRALinear(nn.Module):
    """LoRA as published: form W + scaling · B A [out, in] at every step, then multiply.

    Parameters
    ----------
    adapted : LoRALinear
        Whose base layer and matrices are used, so both forms start alike.
    """

    def __init__(self, adapted: lora.LoRALinear) -> None:
        super().__init__()
        self.base, self.scaling = adapted.base, adapted.scaling
        self.lora_A, self.lora_B = adapted.lora_A, adapted.lora_B

    def forward(self, inputs: Tensor) -> Tensor:
        """Map float32 [batch, in] to [batch, out]."""
        weight = self.base.weight + self.scaling * (self.lora_B @ self.lora_A)  # [out, in]
        return F.linear(inputs, weight, self.base.bias)


class LoRAThin(DenseBatches):
    """The course's LoRA layer, rank 1 as published: two thin products, dense batches."""

    title = "LoRA, two thin products"
    columns = ("train",)

    def new_model(self) -> nn.Module:
        """Give the first layer an adapter and freeze the rest."""
        return lora.add_adapters(super().new_model(), ["hidden"], r=1, alpha=1)


class LoRAFormed(LoRAThin):
    """The published LoRA layer on the same batches."""

    title = "LoRA, W + BA formed each step"

    def new_model(self) -> nn.Module:
        """Put the published layer in the place of the course's."""
        model = super().new_model()
        model.hidden = FormedLoRALinear(model.hidden)
        return model


class LoRABag(LoRAThin):
    """The course's LoRA layer on bags of token ids."""

    title = "LoRA, thin, embedding bag"
    sparse = True


# --- what rows are made of ----------------------------------------------------------------


def generator() -> torch.Generator:
    """Return a generator for the order of an epoch, always the same."""
    return torch.Generator().manual_seed(0)


def epoch_order(size: int) -> Tensor:
    """Return the order in which a shuffling DataLoader with `generator` visits samples."""
    order = generator()
    torch.empty((), dtype=torch.int64).random_(generator=order)  # DataLoader's seed for workers
    return torch.randperm(size, generator=order)


def new_optimizer(model: nn.Module) -> torch.optim.Optimizer:
    """Return plain SGD over what is to be trained."""
    return torch.optim.SGD(lora.trainable_parameters(model), lr=LR)


def vocabulary_of(reviews: Reviews, vocabulary: Vocabulary | int) -> Vocabulary:
    """Return `vocabulary`, built from `reviews` if it is only a size."""
    if isinstance(vocabulary, Vocabulary):
        return vocabulary
    return Vocabulary.build(map(text.basic_english, reviews.texts), max_size=vocabulary)
