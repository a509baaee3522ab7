"""The exercises of notebook 02 · The Dataset, and making it fast."""

from collections.abc import Callable, Iterable
from itertools import accumulate

import torch

from helpers.text import Vocabulary
from lessons.calling import Raised
from lessons.exercises import Checks
from lessons.n02_dataset import rungs, timing, worlds
from lessons.n02_dataset.worlds import Samples

check = Checks()

PAIR = "When you loop over a Dataset, each sample is a pair: (vector, label)."
SAMPLES_ONLY = "A Dataset need have nothing but its length and its samples: loop over the samples."
ONLY_FIRST = "the loop stops after the first sample: is the return indented too far?"


# --- II.1 ---------------------------------------------------------------------------------


def count_classes(dataset: Iterable) -> tuple[int, int]:
    """Return how many samples are negative, and how many positive."""
    labels = [int(label) for _, label in dataset]
    return labels.count(0), labels.count(1)


def mean_ones(dataset: Iterable, ones_in: Callable = torch.sum) -> float:
    """Return the mean number of ones per vector."""
    counts = [float(ones_in(vector)) for vector, _ in dataset]
    return sum(counts) / len(counts)


def first_of(answer: Callable) -> Callable:
    """Return `answer`, but for the first sample alone."""
    return lambda dataset: answer([dataset[0]])


check.exercise(
    "II.1.a",
    count_classes,
    inputs=[(Samples(3),), (Samples(1),), (Samples(2, start=1),)],
    mistakes=[
        ("the two are swapped: label 0 is negative.", lambda d: count_classes(d)[::-1]),
        (ONLY_FIRST, first_of(count_classes)),
        (
            "that is the number of all samples, and of the positive ones.",
            lambda d: (len(d), count_classes(d)[1]),
        ),
        (
            "it must work for a Dataset of any length, not only 200.",
            lambda d: (200 - count_classes(d)[1], count_classes(d)[1]),
        ),
        (
            "all samples look alike to your code. Each sample is a pair: (vector, label).",
            lambda d: (len(d), 0),
        ),
    ],
    errors={"int() argument": PAIR, "indices must be": PAIR, "no attribute": SAMPLES_ONLY},
    otherwise="Two numbers: how many samples have the label 0, and how many 1. Either may be 0.",
)

check.exercise(
    "II.1.b",
    mean_ones,
    inputs=[(Samples(4),), (Samples(3),), (Samples(2, start=2),)],
    mistakes=[
        (
            "that is the number of ones in all vectors, not yet the mean.",
            lambda d: sum(float(vector.sum()) for vector, _ in d),
        ),
        (
            "that is the share of ones among all places: count the ones.",
            lambda d: mean_ones(d, torch.mean),
        ),
        (
            "is the unknown place left out? Place 0 counts like any other.",
            lambda d: mean_ones(d, lambda vector: vector[1:].sum()),
        ),
        (
            "a vector without any ones is a vector, too: it counts in the mean.",
            lambda d: mean_ones([(vector, label) for vector, label in d if vector.any()]),
        ),
        ("that is the length of the vectors, zeros included.", lambda d: mean_ones(d, len)),
        (
            "that is the mean of the labels. Each sample is a pair, and the vector comes first.",
            lambda d: count_classes(d)[1] / len(d),
        ),
        (
            "a mean need not be a whole number: // and round() throw the rest away.",
            lambda d: round(mean_ones(d)),
        ),
        (ONLY_FIRST, first_of(mean_ones)),
        (
            "divide by the length of the Dataset, not by 200.",
            lambda d: mean_ones(d) * len(d) / 200,
        ),
    ],
    tolerance=1e-3,
    errors={"'tuple' object has no": PAIR, "no attribute": SAMPLES_ONLY},
    otherwise="Add up the ones of all vectors, and divide by the number of vectors.",
)

check.choice(
    "II.1.c",
    right="b",
    wrong={
        "a": "it sounds plausible, but count them: how many words of these 200 reviews are unknown "
        "to a vocabulary that was built on them? And unknown words are not dropped.",
        "c": "nothing is left out for being frequent: look up the id of the most frequent token.",
        "d": "each token of the vocabulary has an id of its own: look up these two.",
    },
)


# --- II.2.a and II.2.b: where the time goes -------------------------------------------------


check.custom("II.2.a")(timing.judge)

check.choice(
    "II.2.b",
    right="d",
    wrong={
        "a": "cutting is done by string methods written in C, a few calls for the whole review.",
        "b": "that is one dictionary look-up for each token, which Python does very fast.",
        "c": "20,001 zeros are 80 kB: a computer writes that in a few microseconds.",
    },
)


# --- 02.open ------------------------------------------------------------------------------


def of_other_types(found: list, *arguments: object) -> bool:
    """Whether a batch's tensors are not float32 and int64."""
    kinds = {tuple(types) for epoch in found for *_, types in epoch}
    return kinds != {("torch.float32", "torch.int64")}


MADE_UP = worlds.made_up_reviews(1_000)
WORDS = Vocabulary([f"w{word}" for word in range(40)])  # 40 of 60: the others are unknown

check.exercise(
    "02.open",
    rungs.FastBatches,
    probe=worlds.epochs,
    inputs=[
        (MADE_UP[:3], WORDS, [[2, 0, 1], [0, 1]]),
        (MADE_UP, WORDS, [worlds.shuffled(1_000, 1), worlds.shuffled(1_000, 2)]),
    ],
    mistakes=[
        (
            "the batches come in the order of the reviews. `order` says which comes when.",
            rungs.reordering(lambda order, size: sorted(order)),
        ),
        (
            "the second epoch repeats the first: each call of `batches` has an order of its own.",
            rungs.FirstOrder,
        ),
        (
            "a last batch that is not full is missing: the naive loader gives it, too.",
            rungs.reordering(lambda order, size: order[: len(order) // size * size]),
        ),
        (
            "the vectors fit, but the labels don't: they must follow `order` as the vectors do.",
            rungs.batching(
                lambda dataset, i: (dataset.select(i).multi_hot(), dataset.labels[: len(i)])
            ),
        ),
        (
            "some places hold 2 or more: a place says *whether* a token occurs, not how often.",
            rungs.CountedTokens,
        ),
        ("the last batch has as many vectors as reviews are left.", rungs.batching(rungs.padded)),
        (
            "unknown tokens set place 0; here it is never set.",
            rungs.batching(rungs.without_unknown),
        ),
        (
            "all batches are one tensor, filled again each time: whoever keeps the first has the "
            "last. Make a new tensor for each batch.",
            rungs.SameBuffer,
        ),
        (
            "the vectors must be float32 and the labels int64, as the naive loader gives them.",
            rungs.converted(torch.uint8, torch.int64),
            of_other_types,
        ),
    ],
    errors={"values to unpack": "`batches` yields pairs, (inputs, targets), one for each batch."},
    otherwise="For each stretch of 128 positions of `order`: the vectors [batch, vocab] of these "
    "reviews, and their labels [batch].",
)


# --- II.2.c: the ladder ---------------------------------------------------------------------


check.exercise(
    "II.2.c.1",
    rungs.DenseCache,
    probe=worlds.caching,
    inputs=[(4,), (3,), (1,)],
    mistakes=[
        ("nothing is kept: each sample still comes from the slow Dataset.", rungs.Through),
        ("it is filled only when a sample is asked for. Fill it in __init__, at once.", rungs.Lazy),
        ("each sample is made twice. Ask for it once, and keep the pair.", rungs.Twice),
        ("the last sample is missing.", rungs.Short),
    ],
    errors={
        "values to unpack": "cache[i] is a pair, (vector, label), as the slow Dataset gives it.",
        "only one element": "cache[i] is a pair, and the vector comes first.",
        "a Tensor with": "cache[i] is a pair, and the vector comes first.",
    },
    otherwise="Keep all samples in __init__; __getitem__ only looks one up.",
)


check.exercise(
    "II.2.c.2",
    rungs.to_csr,
    probe=worlds.packed,
    inputs=[
        ([[17, 3, 17, 408], [], [0, 3, 0], [5]],),
        ([[2, 2]],),
        ([[], [9, 1], []],),
    ],
    mistakes=[
        (
            "an id that occurs twice in a review is kept once: only the distinct ids count.",
            rungs.csr_by(distinct=list),
        ),
        (
            "within each review the ids must ascend.",
            rungs.csr_by(distinct=lambda row: [*dict.fromkeys(row)]),
        ),
        (
            "an id is lost: 0, of the unknown token, counts like any other.",
            rungs.csr_by(distinct=lambda row: sorted({*row} - {0})),
        ),
        (
            "the beginning of the first review is missing: offsets[0].",
            rungs.csr_by(offsets_of=lambda lengths: [*accumulate(lengths)]),
        ),
        (
            "offsets must be one longer than the number of reviews: the last one needs an end, "
            "too.",
            rungs.csr_by(offsets_of=lambda lengths: [*accumulate(lengths, initial=0)][:-1]),
        ),
        (
            "those are the lengths of the reviews. An offset says where one begins.",
            rungs.csr_by(offsets_of=list),
        ),
        (
            "those are the lengths of the reviews. An offset says where one begins.",
            rungs.csr_by(offsets_of=lambda lengths: [0, *lengths]),
        ),
        (
            "an empty review needs an offset as well: it ends where it begins.",
            lambda lists: (rungs.to_csr(lists)[0], rungs.to_csr([row for row in lists if row])[1]),
        ),
        (
            "the offsets count every id, but `ids` holds the distinct ones only.",
            lambda lists: (rungs.to_csr(lists)[0], rungs.to_csr(lists, distinct=list)[1]),
        ),
        ("the two are swapped: first ids, then offsets.", lambda lists: rungs.to_csr(lists)[::-1]),
        (
            "both must be int32, 4 bytes per number: torch.tensor(…, dtype=torch.int32).",
            lambda lists: tuple(tensor.long() for tensor in rungs.to_csr(lists)),
            lambda found, lists: len(found) == 4 and set(found[2:]) != {"torch.int32"},
        ),
        (
            "return two tensors: ids and offsets.",
            lambda lists: tuple(tensor.tolist() for tensor in rungs.to_csr(lists)),
            lambda found, lists: len(found) != 4,
        ),
    ],
    errors={"expected sequence of length": "The ids of all reviews must be in one flat list."},
    otherwise="`ids` has the distinct ids of the first review, then those of the second, and so "
    "on; offsets[i] is the number of ids before review i.",
)


FOUR = [[3, 8], [0, 3, 12], [], [1, 4, 5, 19]]

check.exercise(
    "II.2.c.3",
    rungs.Selecting,
    probe=worlds.batch_of,
    inputs=[
        (FOUR, [0, 1, 1, 0], [3, 1]),
        (FOUR, [0, 1, 1, 0], [2, 0, 3, 2]),
        (FOUR, [1, 0, 0, 1], [1]),
        ([[7, 9], [2]], [1, 0], [1, 0]),
    ],
    mistakes=[
        (
            "the reviews must come in the order of `indices`.",
            rungs.with_methods(select=rungs.in_old_order),
        ),
        (
            "these are the offsets in the old `ids`. The batch has ids of its own, so its first "
            "review begins at 0.",
            rungs.changed(offsets=lambda dataset, indices: dataset.offsets[list(indices)]),
        ),
        (
            "those are the lengths of the reviews. An offset is the sum of all lengths before.",
            rungs.changed(offsets=rungs.lengths),
        ),
        (
            "the offsets must begin with 0: the first review begins there.",
            rungs.changed(offsets=rungs.ends),
        ),
        (
            "ids and offsets fit, but the labels are not those of the selected reviews.",
            rungs.changed(labels=lambda dataset, indices: dataset.labels[: len(indices)]),
        ),
        (
            "these are the ids of all reviews: copy those of the selected ones.",
            rungs.changed(ids=lambda dataset, indices: dataset.ids),
        ),
        (
            "these are the first ids of all, not those that the selected reviews own.",
            rungs.changed(ids=rungs.first_ids),
        ),
        (
            "`select` fits. In `multi_hot`, each id belongs in the row of its own review only.",
            rungs.with_methods(multi_hot=rungs.same_rows),
        ),
        (
            "`multi_hot` returns float32 [reviews, vocab], a row for each review.",
            rungs.with_methods(multi_hot=lambda self: rungs.same_rows(self).T),
            lambda found, *arguments: tuple(found[4].shape) != (len(found[2]), 20),
        ),
        (
            "return a BagOfWordsDataset: ids, offsets and labels of the selected reviews, and the "
            "same vocab_size.",
            rungs.with_methods(select=lambda self, indices: self.labels[list(indices)]),
            lambda found, *arguments: not isinstance(found, tuple | Raised),
        ),
    ],
    otherwise="A batch is a small data set: ids one review after another, offsets from 0, labels.",
)


check.exercise(
    "II.2.c.4",
    rungs.BagMLP,
    probe=worlds.logits_of,
    inputs=[(FOUR,), ([[2, 4, 6]],), ([[1], [1, 2]],)],
    mistakes=[
        (
            "the bias of the first layer is missing.",
            rungs.mapping(lambda self, bags: self.output(torch.relu(self.rows(*bags))).squeeze(1)),
        ),
        ("the mean of the rows is not their sum.", rungs.made_with(mode="mean")),
        (
            "a logit too many: the last offset is an end. See include_last_offset.",
            rungs.made_with(include_last_offset=False),
        ),
        ("the table does not learn: see freeze.", rungs.made_with(freeze=True)),
        (
            "the ReLU between the two layers is missing.",
            rungs.mapping(lambda self, bags: self.output(rungs.first_layer(self, bags)).squeeze(1)),
        ),
        (
            "the bias belongs to the sum, so it is added before the ReLU.",
            rungs.mapping(
                lambda self, bags: self.output(torch.relu(self.rows(*bags)) + self.bias).squeeze(1)
            ),
        ),
        (
            "these are probabilities. Leave the sigmoid out: the loss takes logits.",
            rungs.mapping(lambda self, bags: torch.sigmoid(rungs.BagMLP.forward(self, bags))),
        ),
        (
            "the output layer is missing: these are the hidden units.",
            rungs.mapping(lambda self, bags: torch.relu(rungs.first_layer(self, bags))),
        ),
        (
            "logits have the shape [batch]: an axis of length 1 is left.",
            rungs.mapping(lambda self, bags: rungs.BagMLP.forward(self, bags).unsqueeze(1)),
        ),
        (
            "squeeze() also drops a batch axis of length 1. Name the axis that goes: squeeze(1).",
            rungs.mapping(lambda self, bags: rungs.BagMLP.forward(self, bags).squeeze()),
        ),
    ],
    errors={
        "offsets has to be a 1D": "A bag needs both: bags.ids and bags.offsets.",
        "not in the valid range": "The table is [vocab, hidden], a row for each id.",
        "'Bags'": "The embedding bag takes two tensors: bags.ids and bags.offsets.",
    },
    otherwise="The sum of the rows, plus the bias; ReLU; the output layer; without its last axis.",
)
