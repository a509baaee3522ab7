"""The exercises of notebook 11 · Bag of words, SVD and metrics."""

import itertools
import math

import numpy as np
import torch
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from torch import nn

from helpers import training
from lessons.calling import Raised
from lessons.exercises import Checks
from lessons.n11_bow_svd import answers, experiments
from lessons.n11_bow_svd.answers import choosing, fitting, net, reducer, running, spoilt, svd_world

check = Checks()


# --- 11.1 to 11.3: from texts to coordinates, and back ----------------------------------------


def pairs(tokens: list[str]) -> list[str]:
    """Return neighbours, joined."""
    return [" ".join(pair) for pair in itertools.pairwise(tokens)]


check.exercise(
    "11.1",
    lambda tokens: tokens + pairs(tokens),
    inputs=[(["not", "bad", "at", "all", "not", "bad"],), (["so", "good"],), (["good"],), ([],)],
    mistakes=[
        ("those are the pairs alone. The words count, too.", pairs),
        ("those are the words alone.", lambda tokens: tokens),
        (
            "those are two lists. One list is wanted, with all n-grams in it: join them with +.",
            lambda tokens: (tokens, pairs(tokens)),
            lambda found, tokens: {*map(type, found)} == {list},
        ),
        (
            "a pair is one string here, its two words with a space in between.",
            lambda tokens: [*tokens, *itertools.pairwise(tokens)],
            lambda found, tokens: not all(isinstance(ngram, str) for ngram in found),
        ),
        (
            "it contains a pair that does not stand in this text, one word right after the other.",
            lambda tokens: tokens + [" ".join(two) for two in itertools.combinations(tokens, 2)],
            lambda found, tokens: {n for n in list.copy(found) if " " in n} - {*pairs(tokens)},
        ),
        (
            "an n-gram that occurs twice must appear twice: counting comes later.",
            lambda tokens: [*dict.fromkeys(tokens + pairs(tokens))],
            lambda found, tokens: sorted(found) == sorted({*tokens, *pairs(tokens)}),
        ),
        (
            "the right n-grams in another order: first all words, then all pairs.",
            lambda tokens: pairs(tokens) + tokens,
            lambda found, tokens: sorted(found) == sorted(tokens + pairs(tokens)),
        ),
    ],
    errors={"index out of range": "Which word has no right neighbour? A text may be empty."},
    otherwise="Six words have six 1-grams and five 2-grams, each two words with a space between.",
)

check.exercise(
    "11.2",
    answers.Reducer,
    probe=answers.reduced,
    inputs=[
        (answers.TEXTS, answers.OTHERS, 100, 3),
        (answers.TEXTS, answers.TEXTS[1:], 100, 2),
        (answers.TEXTS[:4], answers.OTHERS[:2], 3, 1),
    ],
    mistakes=[
        (
            "`fit` must return the reducer itself.",
            reducer(fit=lambda self, texts: answers.Reducer.fit(self, texts).svd),
        ),
        (
            "pairs of words are missing: ngram_range says which n-grams are counted.",
            reducer(lambda limit: CountVectorizer(max_features=limit)),
            lambda found, *_: not any(" " in name for name in found["names"]),
        ),
        (
            "single words are missing: ngram_range names the shortest and the longest n-gram.",
            reducer(lambda limit: CountVectorizer(ngram_range=(2, 2), max_features=limit)),
            lambda found, *_: all(" " in name for name in found["names"]),
        ),
        (
            "n-grams are kept beyond `limit`.",
            reducer(lambda limit: CountVectorizer(ngram_range=(1, 2))),
            lambda found, texts, others, limit, k: len(found["names"]) > limit,
        ),
        (
            "the SVD must have `k` components.",
            reducer(reduce=lambda k: TruncatedSVD(k + 1)),
            lambda found, texts, others, limit, k: found["k"] != k,
        ),
        (
            "`transform` must learn nothing, but afterwards n-grams or components are others.",
            reducer(transform=lambda s, x: s.svd.fit_transform(s.vectorizer.fit_transform(x))),
            lambda found, *_: found["learned"],
        ),
        (
            "`transform` gives the counts themselves. The SVD comes after the counting.",
            reducer(transform=lambda self, texts: self.vectorizer.transform(texts)),
        ),
        (
            "n-grams and k are right, but the coordinates are not those of the counts.",
            reducer(lambda n: CountVectorizer(ngram_range=(1, 2), max_features=n, binary=True)),
            lambda found, texts, others, limit, k: found["shape"] == [len(others), k],
        ),
    ],
    errors={
        "has no attribute 'vectorizer'": "Keep the CountVectorizer as self.vectorizer.",
        "has no attribute 'svd'": "Keep the TruncatedSVD as self.svd.",
        "attribute 'components_'": "The SVD was never fitted.",
        "not fitted": "The vectoriser was never fitted.",
        "must be <=": "Are `limit` and `k` exchanged?",
        "is expecting": "The SVD has met counts with other columns than those it was fitted on.",
        "could not convert string": "The SVD takes counts, not texts.",
    },
    otherwise="In `fit` both learn; in `transform` neither does.",
)

check.exercise(
    "11.3",
    lambda counts, components, k: counts @ components[:k].T @ components[:k],
    probe=lambda answer, *given: answers.dense(answer(*given)),
    inputs=[answers.rebuild_input(*given) for given in ((5, 2, True), (4, 1, False), (1, 3, True))],
    mistakes=[
        ("that uses all components, not the first k.", lambda x, v, k: x @ v.T @ v),
        ("that is one component too many.", lambda x, v, k: x @ v[: k + 1].T @ v[: k + 1]),
        ("that uses the last k components.", lambda x, v, k: x @ v[-k:].T @ v[-k:]),
        ("that uses one component alone.", lambda x, v, k: x @ v[[k - 1]].T @ v[[k - 1]]),
        (
            "those are the coordinates. How do they become n-grams again?",
            lambda x, v, k: x @ v[:k].T,
            lambda found, x, v, k: found.shape == (x.shape[0], k),
        ),
        (
            "np.dot knows no sparse matrices: write @.",
            lambda x, v, k: np.dot(np.dot(x, v[:k].T), v[:k]),
            lambda found, x, v, k: found.dtype == np.dtype(object),
        ),
    ],
    errors={"mismatch": "Which of the two must be transposed? A component is a row."},
    otherwise="Scalar products with the components first; then the components times these.",
)


# --- 11.4 to 11.6: the network, its training, its scores --------------------------------------

check.exercise(
    "11.4",
    answers.Net,
    probe=answers.through,
    inputs=[(7, 4, 3), (6, 3, 1), (9, 5, 2)],
    mistakes=[
        ("these are logits. Here the network ends in a sigmoid.", net(end=lambda z: z.squeeze(1))),
        ("the ReLU between the two layers is missing.", net(bend=lambda h: h)),
        ("an axis of length 1 is left: probabilities are [batch].", net(end=torch.sigmoid)),
        (
            "squeeze() also drops a batch axis of length 1. Name the axis that goes.",
            net(end=lambda z: torch.sigmoid(z).squeeze()),
        ),
        (
            "the layers have other sizes: num_inputs → hidden_size → 1, with biases.",
            type("Fixed", (answers.Net,), {"__init__": lambda s, n, h: answers.Net.__init__(s, n)}),
            lambda found, n, h, batch: found["shapes"] != sorted([[h, n], [h], [1, h], [1]]),
        ),
        (
            "the probabilities are right, but autograd finds no way back from them.",
            net(end=lambda z: torch.sigmoid(z).squeeze(1).detach()),
        ),
        (
            "the shape is right, but the numbers are not: Linear, ReLU, Linear, sigmoid.",
            net(end=lambda z: torch.sigmoid(2 * z).squeeze(1)),
            lambda found, n, h, batch: list(found["output"].shape) == [batch],
        ),
    ],
    errors={"takes 2 positional arguments but 3": "Hand over the class, not an object of it."},
    otherwise="Linear, ReLU, Linear, sigmoid; then the axis of length 1 goes.",
)

check.exercise(
    "11.5",
    experiments.train_network,
    probe=answers.trained,
    changes=True,
    inputs=[answers.training_input(*given) for given in ((12, 0.5, 1), (9, 1.0, 2), (4, 0.1, 3))],
    mistakes=[
        ("the loss takes the outputs for logits.", fitting(loss=nn.BCEWithLogitsLoss())),
        (
            "loss and score are those of `fit`, which take the outputs for logits.",
            fitting(loss=training.classification_loss, score=training.accuracy_of),
        ),
        (
            "the score calls every output above 0 positive. Probabilities need another threshold.",
            fitting(score=training.accuracy_of),
        ),
        ("the momentum is missing.", fitting(optimizer=torch.optim.SGD)),
        ("that is Adam. SGD is asked for.", fitting(optimizer=torch.optim.Adam)),
        ("the model keeps the weights of its last epoch, not its best.", fitting(patience=None)),
        (
            "not `num_epochs` epochs were run. (A patience may end a training early.)",
            fitting(patience=1),
            lambda found, *given: len(found["training"]) != given[3],
        ),
        ("`lr` is not used.", lambda *given: fitting()(*given[:4])),
        (
            "return the History that fit gives.",
            lambda model, *given: fitting()(model, *given) and model,
            lambda found, *given: not isinstance(found, dict | Raised),
        ),
        (
            "the training data are evaluated instead of the validation data.",
            lambda model, train, _, *given: fitting()(model, train, train, *given),
        ),
        (
            "losses or weights are not those of SGD with momentum 0.9, BCELoss and the best epoch.",
            fitting(optimizer=lambda parts, lr: torch.optim.SGD(parts, lr, momentum=0.5)),
            lambda found, *given: isinstance(found, dict),
        ),
    ],
    otherwise="SGD with momentum 0.9, BCELoss, a score for probabilities, and the best epoch.",
)

BATCHES = [([1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 1, 0]), ([0, 0, 0, 1], [0, 0, 0, 1]), ([0], [1])]

check.exercise(
    "11.6",
    answers.RunningScores,
    probe=answers.computed,
    inputs=[
        (BATCHES, [([1, 0], [0, 0])]),
        ([([0, 0], [0, 1])], [([0], [0])]),
        ([([1, 0, 0], [1, 0, 1])] * 2, [([1], [1])]),
    ],
    mistakes=[
        ("precision and recall are swapped.", spoilt(order=(1, 0, 2, 3))),
        ("the right numbers in another order.", spoilt(order=(3, 0, 1, 2))),
        ("F1 is the harmonic mean, not the ordinary one.", spoilt(f1=lambda p, r: (p + r) / 2)),
        ("F1 has *twice* the product.", spoilt(f1=lambda p, r: answers.share(p * r, p + r))),
        (
            "the accuracy counts right negative predictions as well.",
            spoilt(accuracy=lambda right, both, total: answers.share(both, total)),
        ),
        ("the accuracy is a share, not a count.", spoilt(accuracy=lambda right, *_: right)),
        (
            "where nothing is positive, 0/0 has become nan: return 0 there.",
            spoilt(divide=lambda a, b: a / b if b else math.nan),
        ),
        (
            "those are the scores of the last batch alone. Counts must add up.",
            running(compute=lambda self: answers.four(*self.batches[-1])),
        ),
        (
            "that is the mean of the batches' scores. Add up counts, divide once.",
            running(compute=lambda s: np.mean([answers.four(*one) for one in s.batches], axis=0)),
        ),
        (
            "after `reset`, the old batches still count.",
            running(reset=lambda s: s.__dict__.setdefault("batches", [])),
        ),
    ],
    errors={"division by zero": "If nothing is called positive, or nothing is, return 0 there."},
    otherwise="Precision, recall, F1, accuracy, of all batches since the last reset.",
)

check.choice(
    "11.7",
    right="a",
    wrong={
        "b": "a leak, yes, but texts without labels: what could they say about the sentiment?",
        "c": "that is no leak at all: it is what happens to every new review.",
        "d": "statistics of the training part alone are allowed: nothing leaks.",
    },
)


# --- 11.open: the smallest k ------------------------------------------------------------------

check.exercise(
    "11.open",
    choosing(),
    inputs=[
        (*svd_world({4: 1, 9: 1}, {4: 1, 9: 1}, seed=0), 0.01),
        (*svd_world({4: 1, 9: 1}, {4: 1, 9: 1}, seed=1), 0.4),
        (*svd_world({2: 1, 4: 0.6, 12: 0.6}, {2: 1, 4: 0.6, 12: -0.6}, seed=2), 0.01),
        (*svd_world({2: 1, 5: 0.6, 10: 0.7}, {2: 1, 5: -0.6, 10: 0.7}, seed=3), 0.02),
    ],
    mistakes=[
        ("that counts from 0. How many components are it?", choosing(lambda good: np.argmax(good))),
        (
            "that is chosen on the training reviews. The validation reviews decide.",
            choosing(on=lambda x, y, other, theirs: (x, y, x, y)),
        ),
        (
            "a smaller k will do. The accuracy does not only rise: it may fall and recover.",
            choosing(lambda good: len(good) - np.argmin(good[::-1]) + 1),
        ),
        (
            "that compares with the best k. Compare with all components.",
            choosing(against=lambda found: found.max()),
        ),
        ("`most_loss` is not used.", choosing(loss=lambda most_loss: 0.01)),
    ],
    otherwise="Which of the first columns suffice, judged on validation?",
)
