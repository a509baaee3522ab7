"""The rows in PyTorch: four ways to feed the course's MLP, its cache on disk, its LoRA layer.

All networks have 20,001 inputs, 200 hidden units and one logit, and train by SGD at a
learning rate of 0.1 in shuffled batches of 128. Each epoch starts from the same parameters
and visits the reviews in the same order, so rows of one work end at the same loss.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.race import Case
from helpers import corpus, datasets, models, training
from helpers.corpus import Reviews
from helpers.datasets import BagOfWordsDataset
from helpers.text import TOKENIZERS, Vocabulary
from lessons.n02_dataset.rungs import NaiveDataset

BATCH_SIZE = 128
HIDDEN_SIZE = 200
LR = 0.1
NUM_EPOCHS = 5
VALIDATION_SIZE = 5_000
VOCAB_SIZE = 20_000

basic_english = TOKENIZERS["basic_english"]

Batches = Callable[[Case], Iterable]
Model = Callable[[int], nn.Module]


# --- from raw text --------------------------------------------------------------------------


def tokenise(case: Case) -> Callable[[], str]:
    """Split all reviews by the course's ``basic_english``."""
    return lambda: f"{sum(len(basic_english(text)) for text in case.reviews.texts):,} tokens"


def encode_dense(case: Case) -> Callable[[], str]:
    """Build the vocabulary and fill the dense matrix."""
    return lambda: megabytes(*build_dense(case.reviews).tensors)


def encode(case: Case) -> Callable[[], str]:
    """Build the vocabulary, encode, and leave the cache file behind."""

    def work() -> str:
        dataset, _ = datasets.load_or_encode(case.reviews, VOCAB_SIZE, folder=case.folder)
        return megabytes(dataset.ids, dataset.offsets, dataset.labels)

    return work


def warm_start(case: Case) -> Callable[[], str]:
    """Load what an earlier call has left on the disk."""
    again = Reviews(case.reviews.texts, case.reviews.labels)  # computes its digest itself
    encode(Case(again, case.folder))()
    return encode(case)


def finish(case: Case) -> Callable[[], str]:
    """Encode, train five epochs at a falling rate, and evaluate on reviews held out."""
    train, validation = held_out(case.reviews)
    torch.set_num_threads(1)  # as in the notebooks: a second thread gains next to nothing

    def work() -> str:
        dataset, vocabulary = datasets.load_or_encode(train, VOCAB_SIZE, folder=case.folder)
        model, _ = start(sparse_mlp, len(vocabulary), case.device)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, NUM_EPOCHS - 1)
        batches = loader(dataset, sparse=True, drop_last=True)
        training.fit(model, batches, optimizer, NUM_EPOCHS, progress=False, scheduler=falling)
        unseen = datasets.encode(validation, vocabulary)
        return f"accuracy {training.evaluate(model, loader(unseen, sparse=True)).accuracy:.4f}"

    return work


def held_out(reviews: Reviews) -> tuple[Reviews, Reviews]:
    """Return train and validation reviews, 20,000 and 5,000 of all."""
    return corpus.split(reviews, min(VALIDATION_SIZE, len(reviews) // 5), seed=0)


# --- an epoch -------------------------------------------------------------------------------


def iterate(batches: Batches, case: Case) -> Callable[[], str]:
    """Draw every batch and do nothing with it."""
    drawn = batches(case)
    return lambda: f"{sum(1 for _ in drawn)} batches"


def train(batches: Batches, new_model: Model, case: Case) -> Callable[[], str]:
    """Train a new model for one epoch."""
    drawn = batches(case)
    model, optimizer = start(new_model, len(vocabulary(case.reviews)), case.device)
    return lambda: f"loss {training.train_epoch(model, drawn, optimizer):.4f}"


def start(new_model: Model, vocab_size: int, device: str) -> tuple[nn.Module, torch.optim.SGD]:
    """Return a model, always with the same parameters, and its optimizer."""
    training.set_seed(0)
    model = new_model(vocab_size).to(device)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return model, torch.optim.SGD(trainable, lr=LR)


def mlp(vocab_size: int) -> nn.Module:
    """Return the MLP on multi-hot vectors."""
    return models.OneHotMLP(vocab_size, HIDDEN_SIZE)


def sparse_mlp(vocab_size: int) -> nn.Module:
    """Return its twin on bags of token ids, with the same parameters."""
    return models.to_sparse(models.OneHotMLP(vocab_size, HIDDEN_SIZE))


# --- four ways to feed it -------------------------------------------------------------------


def naive_batches(case: Case) -> DataLoader:
    """Encode in ``__getitem__``: the first rung of notebook 02, one assignment for each token."""
    naive = NaiveDataset(case.reviews, vocabulary(case.reviews), basic_english)
    return DataLoader(naive, BATCH_SIZE, shuffle=True, generator=generator())


def cached_batches(case: Case) -> DataLoader:
    """Take rows of the dense matrix one by one, as a ``DataLoader`` does by default."""
    return DataLoader(dense(case.reviews), BATCH_SIZE, shuffle=True, generator=generator())


class IndexedBatches:
    """The dense matrix on the device; a batch is one index expression, without a loader."""

    def __init__(self, case: Case) -> None:
        self.tensors = [part.to(case.device) for part in dense(case.reviews).tensors]

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        order = generator()
        torch.empty((), dtype=torch.int64).random_(generator=order)  # DataLoader draws it, too
        shuffled = torch.randperm(len(self.tensors[0]), generator=order)
        for indices in shuffled.to(self.tensors[0].device).split(BATCH_SIZE):
            yield tuple(part[indices] for part in self.tensors)


def id_batches(case: Case) -> DataLoader:
    """Keep token ids and expand a whole batch at once to multi-hot vectors."""
    return loader(encoded(case.reviews).to(case.device))


def bag_batches(case: Case) -> DataLoader:
    """Keep token ids and hand them to the embedding bag as they are."""
    return loader(encoded(case.reviews).to(case.device), sparse=True)


def loader(dataset: BagOfWordsDataset, sparse: bool = False, drop_last: bool = False) -> DataLoader:
    """Return the course's loader."""
    return datasets.make_loader(
        dataset, BATCH_SIZE, True, sparse, drop_last=drop_last, generator=generator()
    )


def generator() -> torch.Generator:
    """Return a generator for the order of an epoch, always the same."""
    return torch.Generator().manual_seed(0)


# --- what rows prepare, once in their process ---------------------------------------------


def build_vocabulary(reviews: Reviews) -> Vocabulary:
    """Return the 20,000 most frequent tokens."""
    return Vocabulary.build(map(basic_english, reviews.texts), max_size=VOCAB_SIZE)


def build_dense(reviews: Reviews) -> TensorDataset:
    """Return one float32 matrix [reviews, vocab] and the labels, filled in place row by row."""
    known = build_vocabulary(reviews)
    matrix = torch.zeros(len(reviews), len(known))
    rows = matrix.numpy()  # NumPy's assignment by index starts sooner than PyTorch's
    for row, text in zip(rows, reviews.texts, strict=True):
        row[known.encode(basic_english(text))] = 1
    return TensorDataset(matrix, torch.tensor(reviews.labels))


def build_ids(reviews: Reviews) -> BagOfWordsDataset:
    """Return all reviews as token ids."""
    return datasets.encode(reviews, vocabulary(reviews))


vocabulary = lru_cache(maxsize=1)(build_vocabulary)
dense = lru_cache(maxsize=1)(build_dense)
encoded = lru_cache(maxsize=1)(build_ids)


def megabytes(*tensors: Tensor) -> str:
    """Return the memory that `tensors` hold."""
    return f"{sum(tensor.nbytes for tensor in tensors) / 1e6:,.1f} MB"


# --- LoRA -----------------------------------------------------------------------------------


class FormedLoRALinear(nn.Module):
    """LoRA as published: form W + scaling · B A [out, in] in each step, then multiply.

    It starts as `helpers.lora.LoRALinear` does, and takes the same arguments.
    """

    def __init__(self, frozen: nn.Linear, r: int, alpha: float) -> None:
        super().__init__()
        self.frozen, self.scaling = frozen.requires_grad_(False), alpha / r
        self.lora_A = nn.Parameter(torch.empty(r, frozen.in_features))
        self.lora_B = nn.Parameter(torch.zeros(frozen.out_features, r))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, inputs: Tensor) -> Tensor:
        """Map float32 [batch, in] to [batch, out]."""
        weight = self.frozen.weight + self.scaling * (self.lora_B @ self.lora_A)  # [out, in]
        return F.linear(inputs, weight, self.frozen.bias)


def lora_mlp(layer: Callable[[nn.Linear, int, float], nn.Module], vocab_size: int) -> nn.Module:
    """Return the MLP, frozen but for an adapter of rank 1 at its first layer."""
    model = models.OneHotMLP(vocab_size, HIDDEN_SIZE).requires_grad_(False)
    model.register_module("hidden", layer(model.hidden, 1, 1.0))
    return model
