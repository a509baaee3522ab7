"""The exercises of notebook 02 · The Dataset, and making it fast."""

import random
from collections.abc import Callable, Iterable
from itertools import accumulate

import torch
from torch import Tensor
from torch.nn.functional import pad

from helpers.datasets import BagOfWordsDataset
from helpers.text import Vocabulary
from lessons.exercises import Checks
from lessons.n02_dataset import rungs, timing, worlds
from lessons.n02_dataset.rungs import bag_mlp, csr_by, dense_cache, fast_batches, selecting, to_csr
from lessons.n02_dataset.worlds import Samples

check = Checks()

PAIR = "Each sample is a pair: (vector, label), and the vector comes first."
SAMPLES_ONLY = "A Dataset need have nothing but its length and its samples: loop over the samples."
ONLY_FIRST = "the loop stops after the first sample: is the return indented too far?"

MADE_UP = worlds.made_up_reviews(1_000)
WORDS = Vocabulary([f"W{word}" for word in range(40)])  # 40 of 60: the others are unknown

check.exercise(
    "II.1.a",
    rungs.NaiveDataset,
    probe=worlds.sampled,
    parts=("the length", "the vectors", "the labels", "the types of both"),
    inputs=[(MADE_UP[:5], WORDS), (MADE_UP[62:65], WORDS)],  # none is empty
    mistakes=[
        ("each sample is the first one.", rungs.naive(lambda *sample: sample, lambda index: 0)),
        (
            "no place but 0 is set: encode the tokens that self.tokenizer makes of the review.",
            rungs.naive(lambda x, y: (x * (torch.arange(41) < 1), y)),
            lambda found, *_: not any(x[1:].any() for x in found[1]),
        ),
        ("id 0 has a place, too.", rungs.naive(lambda x, y: (x * (torch.arange(41) > 0), y))),
        (
            "some places hold 2 or more: a place says *whether* a token occurs, not how often.",
            rungs.naive(lambda x, y: (2 * x, y)),
            lambda found, *_: any(x.max() > 1 for x in found[1]),
        ),
        (
            "at most one place is set: are the zeros made, or returned, inside the loop?",
            rungs.naive(lambda x, y: (x * (x.cumsum(0) == 1), y)),
            lambda found, *_: all(x.sum() <= 1 for x in found[1]),
        ),
        (
            "a vector is a float32 tensor. A label stays as it is, an int, or int64 in a batch.",
            rungs.naive(lambda x, y: (x, float(y))),
            lambda found, *_: found[3] != {("torch.float32", "torch.int64")},
        ),
    ],
    errors={"values to unpack": PAIR, "only one element": PAIR, "a Tensor with": PAIR},
    otherwise="A vector has len(self.vocabulary) places and ones at the ids of its tokens.",
)


def mean_ones(dataset: Iterable, ones_in: Callable = torch.sum) -> float:
    """Return the mean number of ones per vector."""
    counts = [float(ones_in(vector)) for vector, _ in dataset]
    return sum(counts) / len(counts)


check.exercise(
    "II.1.b",
    mean_ones,
    inputs=[(Samples(4),), (Samples(3),), (Samples(2, start=2),)],
    mistakes=[
        ("that is the number of all ones, not yet the mean.", lambda d: mean_ones(d) * len(d)),
        ("that is the share of ones: count the ones.", lambda d: mean_ones(d, torch.mean)),
        (ONLY_FIRST, lambda d: mean_ones([d[0]])),
        (ONLY_FIRST, lambda d: mean_ones([d[0]]) / len(d)),
        ("the sum keeps the last vector only: = or +=?", lambda d: mean_ones([d[-1]]) / len(d)),
        ("divide by the number of vectors, not of places.", lambda d: mean_ones(d) * len(d) / 6),
        ("that counts all places, not only the ones.", lambda d: mean_ones(d, len)),
        ("a mean need not be a whole number: // cuts it.", lambda d: mean_ones(d) // 1),
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

check.exercise(
    "02.open",
    fast_batches(),
    probe=worlds.epochs,
    inputs=[
        (MADE_UP[:3], WORDS, [[2, 0, 1], [1, 2, 0]]),
        (MADE_UP, WORDS, [random.Random(seed).sample(range(1_000), 1_000) for seed in (1, 2)]),
    ],
    mistakes=[
        ("take the reviews in the order that `order` says.", fast_batches(order_of=sorted)),
        (
            "the last, smaller batch is missing.",
            fast_batches(order_of=lambda order: order[:-40]),
            lambda found, *_: not any(found),
        ),
        (
            "the vectors fit, but the labels don't: they must follow `order` as the vectors do.",
            fast_batches(labels_of=lambda labels, start, chosen: labels[start:][: len(chosen)]),
        ),
        (
            "the last batch has as many vectors as reviews are left.",
            fast_batches(lambda x, y: (pad(x, (0, 0, 0, 120 - len(x))), y)),
        ),
        ("a batch has `batch_size` reviews, which need not be 128.", fast_batches(size=128)),
        ("id 0 has a place, too.", fast_batches(lambda x, y: (x * (torch.arange(41) > 0), y))),
        (
            "some places hold 2 or more: a place says *whether* a token occurs, not how often.",
            fast_batches(lambda x, y: (2 * x, y)),
            lambda found, *_: any(x.max() > 1 for epoch in found for x, *_ in epoch),
        ),
        (
            "the vectors are a float32 tensor, the labels an int64 one, as in the naive loader.",
            fast_batches(lambda x, y: (x.byte(), y)),
            lambda found, *_: found[0][0][2] != ("torch.float32", "torch.int64"),
        ),
    ],
    errors={
        "values to unpack": "`batches` yields pairs, (inputs, targets), one for each batch.",
        "must be long, int": "Is a list empty? torch.tensor([]) is float32: name the dtype.",
    },
    otherwise="For each stretch of `batch_size` positions of `order`: the vectors [batch, vocab] "
    "of these reviews, cut by `tokenizer`, and their labels [batch].",
)

check.exercise(
    "II.2.c.1",
    rungs.DenseCache,
    probe=worlds.caching,
    parts=("the length", "the vectors", "the labels", "the types of both", worlds.ASKED),
    inputs=[(4,), (3,), (1,)],
    mistakes=[
        ("each sample is the first one.", dense_cache(lambda d: [d[0] for _ in range(len(d))])),
        ("nothing is kept: the slow Dataset is asked again.", dense_cache(lambda data: data)),
        (
            "each sample is made twice. Ask for it once, and keep the pair.",
            dense_cache(lambda d: [(d[i][0], d[i][1]) for i in range(len(d))]),
        ),
    ],
    errors={"values to unpack": PAIR, "only one element": PAIR, "a Tensor with": PAIR},
    otherwise="Keep all samples in __init__; __getitem__ only looks one up.",
)

check.exercise(
    "II.2.c.2",
    to_csr,
    probe=worlds.packed,
    parts=("`ids`", "`offsets`", "their types"),
    inputs=[([[17, 3, 17, 408], [], [0, 3, 0], [5]],), ([[2, 2]],), ([[], [9, 1], []],)],
    mistakes=[
        *(("only the distinct ids of a review count.", csr_by(distinct=f)) for f in (list, sorted)),
        *(("the ids of a review must ascend.", csr_by(distinct=f)) for f in (set, dict.fromkeys)),
        ("0 is an id as well.", csr_by(distinct=lambda row: sorted({*row} - {0}))),
        ("an empty review has an offset, too.", lambda lists: to_csr([*filter(None, lists)])),
        ("`ids` come first, then `offsets`.", lambda lists: to_csr(lists)[::-1]),
        ("the beginning is missing: offsets[0].", csr_by(offsets_of=lambda n: [*accumulate(n)])),
        ("the last end is missing.", csr_by(offsets_of=lambda n: [0, *accumulate(n[:-1])])),
        ("these are lengths: where does each begin?", csr_by(offsets_of=list)),
        ("these are lengths: where does each begin?", csr_by(offsets_of=lambda n: [0, *n])),
        (
            "the offsets count every id, but `ids` holds the distinct ones only.",
            lambda lists: (to_csr(lists)[0], to_csr(lists, distinct=list)[1]),
        ),
        (
            "return two int32 tensors: torch.tensor(…, dtype=torch.int32).",
            lambda lists: tuple(tensor.long() for tensor in to_csr(lists)),
            lambda found, _: len(found) != 3 or set(found[2]) != {"torch.int32"},
        ),
    ],
    errors={"expected sequence of length": "The ids of all reviews must be in one flat list."},
    otherwise="`ids` has the distinct ids of the first review, then those of the second, and so "
    "on; offsets[i] is the number of ids before review i.",
)

FOUR = [[3, 8], [0, 3, 12], [], [1, 4, 5, 19]]
dense, select = BagOfWordsDataset.multi_hot, BagOfWordsDataset.select

check.exercise(
    "II.2.c.3",
    selecting(),
    probe=worlds.batch_of,
    parts=("ids", "offsets", "labels", "vocab_size", "the matrix", "its and the labels' dtype"),
    inputs=[
        (FOUR, [0, 1, 1, 0], [3, 1]),
        (FOUR, [0, 1, 1, 0], [2, 0, 3, 2]),
        (FOUR, [1, 0, 0, 1], [1]),
        ([[7, 9], [2]], [1, 0], [1, 0]),
    ],
    mistakes=[
        ("these are offsets in the old `ids`.", selecting(offsets=lambda d, i: d.offsets[i])),
        *(
            ("an offset is the sum of all lengths before.", selecting(offsets=wrong))
            for wrong in (rungs.lengths, lambda *args: pad(rungs.lengths(*args), (1, 0)))
        ),
        ("keep the order of `indices`.", selecting(lambda d, i: select(d, sorted(i)))),
        ("keep the order of `indices`.", selecting(lambda d, i: select(d, sorted({*i})))),
        ("the last row is empty.", selecting(multi_hot=lambda b: pad(dense(b)[:-1], (0, 0, 0, 1)))),
        ("offsets begin with 0.", selecting(offsets=lambda *args: rungs.lengths(*args).cumsum(0))),
        ("these are the labels of all reviews.", selecting(labels=lambda data, _: data.labels)),
        ("these are the ids of all reviews.", selecting(ids=lambda data, _: data.ids)),
        (
            "`select` fits. In `multi_hot`, each id belongs in the row of its own review only.",
            selecting(multi_hot=lambda batch: dense(batch).amax(0).expand(len(batch), -1)),
        ),
    ],
    errors={"shape mismatch": "Each id needs the number of its row: as many numbers as ids."},
    otherwise="A batch is a small data set: ids one review after another, offsets from 0, labels. "
    "Its matrix, float32, has a row for each review, and vocab_size columns.",
)

check.exercise(
    "II.2.c.4",
    rungs.BagMLP,
    probe=worlds.logits_of,
    parts=("the logits", "whether the table learns", "whether sparsely", "whether the bias learns"),
    inputs=[(FOUR,), ([[2, 4, 6]],), ([[1], [1, 2]],)],
    mistakes=[
        ("the bias of the first layer is missing.", bag_mlp(lambda sums, bias: sums.relu())),
        ("the ReLU between the layers is missing.", bag_mlp(lambda sums, bias: sums + bias)),
        ("the bias comes before the ReLU.", bag_mlp(lambda sums, bias: sums.relu() + bias)),
        ("the mean of the rows is not their sum.", bag_mlp(mode="mean")),
        ("the last offset is an end: see include_last_offset.", bag_mlp(include_last_offset=False)),
        ("the table does not learn: see freeze.", bag_mlp(freeze=True)),
        ("the table's gradient has all its rows: see sparse.", bag_mlp(sparse=False)),
        ("the bias does not learn: is it an nn.Parameter?", bag_mlp(keep=Tensor.detach)),
        ("leave the sigmoid out: give logits.", bag_mlp(last=lambda z: z[:, 0].sigmoid())),
        ("logits have the shape [batch]: an axis of length 1 is left.", bag_mlp(last=torch.clone)),
        ("squeeze() also drops a batch of 1: name the axis.", bag_mlp(last=torch.squeeze)),
    ],
    errors={
        "offsets has to be a 1D": "A bag needs both: bags.ids and bags.offsets.",
        "not in the valid range": "The table is [vocab, hidden], a row for each id.",
        "'Bags'": "The embedding bag takes two tensors: bags.ids and bags.offsets.",
    },
    otherwise="The sum of the rows, plus the bias; ReLU; the output layer; without its last axis.",
)
