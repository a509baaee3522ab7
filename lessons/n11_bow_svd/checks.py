"""The exercises of notebook 11 · Bag of words, SVD and metrics."""

import itertools

import numpy as np
import torch
from sklearn.feature_extraction.text import CountVectorizer
from torch import nn

from helpers import training
from lessons.exercises import Checks
from lessons.n11_bow_svd import answers, experiments
from lessons.n11_bow_svd.answers import choosing, fitting, net, reducer, running, spoilt

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
            "not every element is a string. A pair is one: two words with a space in between.",
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
        ("the last pair is missing.", lambda tokens: tokens + pairs(tokens[:-1])),
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
            "`__init__` has fitted already: it cannot know the texts.",
            reducer(lambda n: CountVectorizer(ngram_range=(1, 2), max_features=n).fit(["a film"])),
            lambda found, *_: found["early"],
        ),
        (
            "`fit` must return the reducer itself.",
            reducer(fit=lambda self, texts: answers.Reducer.fit(self, texts).svd),
            lambda found, *_: not found["itself"],
        ),
        (
            "all your n-grams have the same number of words: what does ngram_range say?",
            reducer(lambda n: CountVectorizer(max_features=n)),
            lambda f, t, o, n, k: n > 9 and len({name.count(" ") for name in f["names"]}) == 1,
        ),
        (
            "these are not the n-grams that words, pairs and `limit` give. CountVectorizer's other "
            "settings keep their defaults.",
            reducer(lambda n: CountVectorizer(ngram_range=(1, 3), max_features=n)),
            lambda f, *given: f["names"] != answers.reduced(answers.Reducer, *given)["names"],
        ),
        (
            "`transform` must learn nothing, but afterwards n-grams or components have changed.",
            reducer(transform=lambda s, x: s.svd.fit_transform(s.vectorizer.fit_transform(x))),
            lambda found, *_: found["learned"],
        ),
        (
            "`transform` must give `k` numbers for each text, [texts, k].",
            reducer(transform=lambda self, texts: self.vectorizer.transform(texts)),
            lambda found, texts, others, limit, k: found["shape"] != [len(others), k],
        ),
        (
            "n-grams and k are right, but the coordinates are not those of the counts.",
            reducer(lambda n: CountVectorizer(ngram_range=(1, 2), max_features=n, binary=True)),
            lambda found, *_: "shape" in found,
        ),
    ],
    errors={
        "has no attribute 'vectorizer'": "Keep the CountVectorizer as self.vectorizer.",
        "has no attribute 'svd'": "Keep the TruncatedSVD as self.svd.",
        "attribute 'components_'": "The SVD was never fitted.",
        "not fitted": "The vectoriser was never fitted.",
        "must be <=": "More components than n-grams: does the SVD get `k`, and the "
        "vectoriser `limit`?",
        "is expecting": "The SVD has met counts with other columns than those it was fitted on.",
        "could not convert string": "The SVD takes counts, not texts.",
    },
)

check.exercise(
    "11.3",
    experiments.reconstruct,
    probe=lambda answer, *given: answers.dense(answer(*given)),
    inputs=[answers.rebuild_input(*given) for given in ((5, 2, True), (4, 1, False), (1, 3, True))],
    mistakes=[
        ("that uses all components, not the first k.", lambda x, v, k: x @ v.T @ v),
        ("that is one component too many.", lambda x, v, k: x @ v[: k + 1].T @ v[: k + 1]),
        ("that is one component too few.", lambda x, v, k: x @ v[: k - 1].T @ v[: k - 1]),
        ("that uses the k-th component alone.", lambda x, v, k: x @ v[k - 1 : k].T @ v[k - 1 : k]),
        ("that uses the last k components.", lambda x, v, k: x @ v[-k:].T @ v[-k:]),
    ],
    errors={"mismatch": "Which of the two must be transposed? A component is a *row*."},
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
        (
            "an axis of length 1 is left: probabilities are [batch].",
            net(end=torch.sigmoid),
            lambda found, n, h, batch: found["shape"] == [batch, 1],
        ),
        (
            "squeeze() also drops a batch axis of length 1. Name the axis that goes.",
            net(end=lambda z: torch.sigmoid(z).squeeze()),
        ),
        (
            "model.parameters() finds fewer than two weights and two biases. (It finds no "
            "layers that are made in `forward`, and none in a plain list.)",
            lambda *_: nn.Flatten(0),
            lambda found, *_: len(found["shapes"]) < 4,
        ),
        (
            "the parameters' sizes are not those of num_inputs → hidden_size → 1, with biases.",
            lambda n=500, h=200: answers.Net(n),
            lambda found, n, h, batch: found["shapes"] != sorted([[h, n], [h], [1, h], [1]]),
        ),
        (
            "ReviewNet() must have 500 inputs and 200 hidden units: see the defaults.",
            lambda n=200, h=500: answers.Net(n, h),
            lambda found, *_: found["usual"] != 500 * 200 + 200 + 200 + 1,
        ),
        (
            "the probabilities are right, but autograd finds no way back from them.",
            net(end=lambda z: torch.sigmoid(z).squeeze(1).detach()),
        ),
        (
            "the output is not the tensor [batch] that Linear, ReLU, Linear, sigmoid give.",
            net(end=lambda z: torch.sigmoid(2 * z).squeeze(1)),
            lambda found, *_: "shape" in found,
        ),
    ],
    errors={
        "takes 2 positional arguments but 3": "Hand over the class, not an object of it.",
        "required positional": "ReviewNet() and ReviewNet(7, 4) must both work.",
        "shapes cannot be multiplied": "Do both layers take their sizes from `num_inputs` and "
        "`hidden_size`? The check has other numbers than the defaults.",
    },
)

check.exercise(
    "11.5",
    experiments.train_network,
    probe=answers.trained,
    parts=("the training losses", "the validation losses", "the scores", "the weights in the end"),
    changes=True,
    inputs=[answers.training_input(*given) for given in ((12, 0.5, 1), (9, 1.0, 2), (1, 0.1, 3))],
    mistakes=[
        ("the loss takes the outputs for logits.", fitting(loss=nn.BCEWithLogitsLoss())),
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
            lambda found, *given: len(found[0]) != given[3],
        ),
        ("`lr` is not used.", lambda *given: fitting()(*given[:4])),
    ],
    errors={
        "Boolean value of Tensor": "A single True or False is wanted of a whole tensor: is the "
        "loss nn.BCELoss(), with brackets? Is `if` or `and` in the score?",
        "at least 1": "A patience of 0? The check also trains for one epoch.",
    },
    otherwise="Wanted: SGD with momentum 0.9, BCELoss, as score the share of probabilities on the "
    "right side of 0.5, the best epoch's weights; and fit's History is returned.",
)

SCORES = ("the precision", "the recall", "F1", "the accuracy")
TIMES = ("of one batch", "of all batches", "when asked again", "after a reset and another batch")

check.exercise(
    "11.6",
    answers.RunningScores,
    probe=answers.computed,
    parts=[f"{score} {when}" for when in TIMES for score in SCORES],
    inputs=[
        ([0, 0], [0, 1], [], [([0], [0])]),
        ([1, 1, 1, 0, 0], [1, 0, 0, 1, 0], [([0, 0, 1], [0, 0, 1]), ([0], [1])], [([1], [0])]),
        ([1, 0, 0], [1, 0, 1], [([1, 0, 0], [1, 0, 1])], [([1], [1])]),
    ],
    mistakes=[
        ("precision and recall are swapped.", spoilt(order=(1, 0, 2, 3))),
        ("F1 is the harmonic mean, not the ordinary one.", spoilt(f1=lambda p, r: (p + r) / 2)),
        ("0/0 has become nan: return 0.", spoilt(divide=lambda a, b: a / b if b else np.nan)),
        (
            "those are the scores of the last batch alone. Counts must add up.",
            running(compute=lambda self: answers.four(*self.batches[-1])),
        ),
        (
            "that is the mean of the batches' scores. Add up counts, divide once.",
            running(compute=lambda s: np.mean([answers.four(*one) for one in s.batches], axis=0)),
        ),
        (
            "the accuracy is a mean of the batches' accuracies. Add up counts, divide once.",
            running(
                compute=lambda s: (
                    *answers.RunningScores.compute(s)[:3],
                    np.mean([answers.four(*one)[3] for one in s.batches]),
                )
            ),
        ),
        (
            "after `reset`, the old batches still count.",
            running(reset=lambda s: s.__dict__.setdefault("batches", [])),
        ),
    ],
    errors={
        "division by zero": "If nothing is called positive, or nothing is, return 0 there.",
        "Boolean value of Tensor": "& binds more strongly than ==, so each comparison needs "
        "brackets. Or is there an `if` or `and` on a whole tensor?",
    },
    otherwise="Wanted: precision, recall, F1 and accuracy as shares of all batches since the last "
    "reset, 0 for 0/0.",
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
        (*answers.svd_world({4: 1, 9: 1}, {4: 1, 9: 1}, seed=0), 0.4),
        (*answers.svd_world({2: 0.35, 9: 1}, {2: 0.35, 5: 1, 9: 1}, seed=0), 0.2),
        (*answers.svd_world({2: 1, 4: 0.6, 12: 0.6}, {2: 1, 4: 0.6, 9: 0.6}, seed=2), 0.01),
        (*answers.svd_world({2: 1, 5: 0.6, 10: 0.7}, {2: 1, 5: -0.6, 10: 0.7}, seed=3), 0.02),
        (*answers.majority(), 0.25),
        (*answers.svd_world({2: 1, 4: 0.8, 9: 0.9}, {2: 1, 4: 0.8, 9: -0.9}, seed=4), 0.02),
    ],
    mistakes=[
        ("that counts from 0. How many components is that?", choosing(np.argmax)),
        (
            "that is chosen on the training reviews. The validation reviews decide.",
            choosing(on=lambda x, y, other, theirs: (x, y, x, y)),
        ),
        (
            "the classifier has learned from the validation reviews. Let it learn from the others.",
            choosing(on=lambda x, y, other, theirs: (other, theirs, other, theirs)),
        ),
        ("that is one component too many.", choosing(lambda good: np.argmax(good) + 2)),
        ("exactly `most_loss` is not less than it.", choosing(enough=np.greater_equal)),
        (
            "`most_loss` is a difference of accuracies, not a share of the accuracy.",
            choosing(loss=lambda most_loss, whole: most_loss * whole),
        ),
        (
            "a smaller k will do. The accuracy does not only rise: it may fall and recover.",
            choosing(lambda good: len(good) - np.argmin(good[::-1]) + 1),
        ),
        (
            "the loss is against *all* components, not against the best k.",
            choosing(enough=lambda found, least: found > found.max() - found[-1] + least),
        ),
        ("`most_loss` is not used.", choosing(loss=lambda *_: 0.01)),
    ],
)
