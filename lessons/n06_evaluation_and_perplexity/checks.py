"""The exercises of notebook 06 · Evaluation and perplexity."""

import math

import torch
import torch.nn.functional as F

from lessons.exercises import Checks
from lessons.n06_evaluation_and_perplexity import evaluation, stopping
from lessons.n06_evaluation_and_perplexity.answers import (
    BAGS,
    BELOW_1,
    DROPPED,
    bags,
    classes,
    classified,
    pairs,
    watch_world,
    watched,
    watching,
)

check = Checks()


# --- VI.1 ---------------------------------------------------------------------------------

check.exercise(
    "VI.1.a",
    lambda loader: sum(targets.numel() for _, targets in loader),
    inputs=[lambda: (pairs(10),), lambda: (pairs(11, drop_last=True),), lambda: (bags(5, 3),)],
    mistakes=[
        ("that is the number of batches. How many samples do they hold?", len),
        (
            "each batch is a pair (inputs, targets), so its length is always 2.",
            lambda loader: sum(len(batch) for batch in loader),
        ),
        (
            "batches × batch size is too much: the last batch need not be full.",
            lambda loader: loader.batch_size * len(loader),
            lambda found, loader: found > 10 and found % len(loader) == 0,
        ),
        (
            "the last batch is missing: it is smaller, but it counts.",
            lambda loader: sum(len(y) for _, y in [*loader][:-1]),
            lambda found, loader: found == loader.batch_size * (len(loader) - 1),
        ),
        (
            "that counts every number of the inputs. How many *samples* arrive, one target each?",
            lambda loader: sum(x.numel() for x, _ in loader),
        ),
        ("that adds up the labels.", lambda loader: sum(int(y.sum()) for _, y in loader)),
        (DROPPED, lambda loader: len(loader.dataset)),
        (BAGS, lambda loader: sum(len(x) for x, _ in loader)),
    ],
    errors={"'Bags' object": BAGS},
    otherwise="Add up how many targets arrive, batch by batch.",
)

check.choice(
    "VI.1.b",
    right="d",
    wrong={
        "a": "all_logits ran under no_grad in both modes, and yet the accuracies of the one mode "
        "differed.",
        "b": "weights change in optimizer.step() alone, and nobody calls it here.",
        "c": "that is what happens without the *other* switch.",
    },
)

NO_CLASS_AXIS = (
    "Logits [batch] have no second axis: with one logit per sample, nothing is compared along the "
    "classes. What decides then?"
)
NO_EXPONENTIALS = (
    "of two logits that lie close together one is larger, but their probabilities are rounded to "
    "the same number. You need no softmax."
)

check.exercise(
    "VI.1.c",
    classes(),
    probe=classified,
    inputs=[
        (
            torch.tensor([4.0, 1.0, -0.5, -100.0, 100.0, 0.3]),
            torch.tensor([[0.1, 0.3, 0.2], [-1.0, -3.0, -2.0], [0.5, 0.7, 2.0]]),
        ),
        (torch.tensor([-1.0, -4.0]), torch.tensor([[1e-9, 2e-9], [2e-9, 1e-9]])),
        (torch.tensor([1e-9]), torch.tensor([[0.5, 1.0, 2.0]])),
    ],
    mistakes=[
        (
            "the classes are swapped: a positive logit means class 1.",
            classes(one=lambda z: (z < 0).long()),
        ),
        (
            "you compare the *logits* with 0.5. The sigmoid crosses 0.5 at another place.",
            classes(one=lambda z: (z > 0.5).long()),
        ),
        (
            "moderate logits have lost their class beside a large one. Did you divide by the "
            "largest? The class of a review must not depend on its neighbours in the batch.",
            classes(one=lambda z: (z / z.max() > 0.5).long()),
        ),
        (
            "a logit of 1e-9 lies above 0, but its sigmoid is rounded to exactly 0.5. You need no "
            "sigmoid.",
            classes(one=lambda z: (z.sigmoid() > 0.5).long()),
        ),
        (
            "for logits [batch], return one class per sample: [batch].",
            classes(one=lambda z: z.argmax(-1)),
        ),
        (
            "of several logits of one sample more than one can be positive, but it has one class: "
            "which logit wins?",
            classes(several=lambda z: (z > 0).long()),
        ),
        (
            "that looks at the first two classes alone. There may be more.",
            classes(several=lambda z: (z[:, 1] > z[:, 0]).long()),
        ),
        (
            "those are the largest logits themselves. The class is where they stand.",
            classes(several=lambda z: z.amax(1)),
        ),
        (
            "for logits [batch, classes], yours is [batch, 1]; [batch] is wanted.",
            classes(several=lambda z: z.argmax(1, keepdim=True)),
        ),
        (
            "for logits [batch, classes], look for the largest logit of each *sample*: along "
            "which axis?",
            classes(several=lambda z: z.argmax(0)),
        ),
        (NO_EXPONENTIALS, classes(several=lambda z: z.softmax(1).argmax(1))),
        (NO_EXPONENTIALS, classes(several=lambda z: z.log_softmax(1).argmax(1))),
        (
            "a batch of one sample still has a batch axis.",
            classes(several=lambda z: z.argmax(1).squeeze()),
        ),
        (
            "with an axis, max gives two things, values and indices. The class is the index.",
            classes(several=lambda z: z.max(1)),
            lambda found, *_: "values and indices" in map(str, found),
        ),
        (
            "return a tensor of class numbers.",
            lambda z: classes()(z).tolist(),
            lambda found, *_: "no tensor" in map(str, found),
        ),
        (
            "the targets are class numbers, int64. Yours are another type: convert.",
            classes(one=lambda z: z > 0),
            lambda found, *_: "another type" in map(str, found),
        ),
        (
            "only 0 and 1 are classes; yours contain other numbers.",
            classes(one=torch.sign),
            lambda found, *_: not set(found[0].tolist()) <= {0, 1},
        ),
    ],
    errors={"Dimension out of range": NO_CLASS_AXIS, "too many indices": NO_CLASS_AXIS},
    otherwise="Which class of each sample has the larger probability?",
)


# --- VI.2 ---------------------------------------------------------------------------------

MIXED = "logarithm and power need the same base. This mixes two of them."

check.exercise(
    "VI.2.a",
    lambda truth: math.exp(-truth.log().mean()),
    inputs=[
        (torch.full((4,), 0.5),),
        (torch.tensor([0.5, 0.125]),),
        (torch.tensor([1.0]),),
        (torch.tensor([0.9, 0.2, 0.4, 0.7, 0.05]),),
    ],
    mistakes=[
        (f"{BELOW_1}: is a minus sign lost?", lambda truth: truth.log().mean().exp()),
        (
            "that is the cross-entropy. One function is missing between it and the perplexity.",
            lambda truth: -truth.log().mean(),
        ),
        (MIXED, lambda truth: 2 ** -truth.log().mean()),
        (MIXED, lambda truth: truth.log2().mean().neg().exp()),
        (MIXED, lambda truth: truth.log10().mean().neg().exp()),
        (
            "`truth` holds probabilities, not logits.",
            lambda truth: (1 + truth.neg().exp()).log().mean().exp(),
        ),
        (
            "that grows with the number of samples: a sum stands where a mean belongs.",
            lambda truth: truth.log().sum().neg().exp(),
        ),
        (
            "that is the mean of 1/p, sample by sample. The mean comes before the exponential.",
            lambda truth: (1 / truth).mean(),
        ),
        (
            "that is 1 over the mean probability. Take the logarithms first, then their mean.",
            lambda truth: 1 / truth.mean(),
        ),
        (
            "`truth` holds the probabilities of the *right* classes already: no 1 − p is needed.",
            lambda truth: (1 - truth).log().mean().neg().exp(),
        ),
        (
            "these are several values: where is the mean?",
            lambda truth: 1 / truth,
            lambda found, truth: found.shape[0] > 1,
        ),
        (f"{BELOW_1}.", lambda truth: truth.log().mean(), lambda found, _: float(found) < 1),
    ],
    errors={"converted to": "This is a tensor with several values: where is the mean?"},
    otherwise="Go through the formula from the inside out, for this input by hand.",
)

ONE_SAMPLE = "The loss takes logits of shape [1, num_classes] and a target of shape [1]."

check.exercise(
    "VI.2.b",
    float,
    inputs=[(4,), (2,), (1,), (1_000,)],
    mistakes=[
        (f"that is the probability of guessing right; {BELOW_1}.", lambda n: 1 / n),
        ("that is the cross-entropy, not yet the perplexity.", math.log),
        ("that mixes bases: the loss has the natural logarithm.", lambda n: 2 ** math.log(n)),
        (
            "that is the perplexity of a sure model: are all logits equal?",
            lambda n: F.cross_entropy(100 * torch.eye(n)[:1], torch.tensor([0])).exp(),
        ),
    ],
    errors={"batch_size": ONE_SAMPLE, "class probabilities": ONE_SAMPLE},
    otherwise="Start from CrossEntropyLoss on equal logits.",
)

check.exercise(
    "VI.2.c",
    1.0,
    tolerance=1e-6,
    mistakes=[
        ("0 is its loss. The perplexity is e to the power of the loss.", 0.0),
        ("the best model is not the one that hesitates between most answers.", math.inf),
        (f"{BELOW_1}: no probability is larger than 1.", 0.5, lambda answer: answer < 1),
    ],
    otherwise="Between how many answers does somebody hesitate who knows?",
)


# --- VI.3 ---------------------------------------------------------------------------------

check.exercise("VI.3.a", **evaluation.EVALUATE)

VALIDATION = "the model learned from the validation batches. They are for looking only."

check.exercise(
    "VI.3.b",
    watching(),
    probe=watched,
    changes=True,
    inputs=[lambda: watch_world(3, 0.5), lambda: watch_world(2, 0.1)],
    mistakes=[
        (
            "return a list with one entry for each epoch.",
            lambda *world: watching()(*world)[-1:],
            lambda found, *world: len(found) != world[-1],
        ),
        (
            "each entry is a pair: evaluation on train, evaluation on validation.",
            lambda *world: [on_validation for _, on_validation in watching()(*world)],
            lambda found, *_: "no pair" in found or any(len(row) != 2 for row in found),
        ),
        (
            "both parts of a pair come from `evaluate`. (What train_epoch returns is a loss "
            "gathered while the weights were changing.)",
            watching(look=lambda model, loader: 0.5),
            lambda found, *_: any("no evaluation" in row for row in found),
        ),
        (
            "the pairs are swapped: train comes first.",
            lambda *world: [pair[::-1] for pair in watching()(*world)],
        ),
        (
            "your first entry belongs to the untrained model: evaluate *after* the epoch.",
            watching(look_first=True),
        ),
        (VALIDATION, watching(lambda train, validation: validation)),
        (VALIDATION, watching(lambda train, validation: [*train, *validation])),
        (
            "all evaluations are those of the untrained model: was it ever trained?",
            watching(lambda train, validation: []),
        ),
        (
            "all epochs have the same evaluation: look after every epoch, not once at the end.",
            watching(only_at_the_end=True),
        ),
        (
            "the model sees the train batches twice in an epoch.",
            watching(lambda train, validation: train * 2),
        ),
    ],
    otherwise="For each epoch: train on the train batches once, then evaluate on both loaders.",
)


# --- VI.4 ---------------------------------------------------------------------------------

check.choice(
    "VI.4.a",
    right="a",
    wrong={
        "b": "overfitting makes a model *worse* on reviews that it has not seen. These it had not "
        "seen.",
        "c": "if fewer reviews made better models, nobody would collect more. What is special "
        "about these?",
        "d": "select(range(1_000)) and select(range(1_000, 2_000)) share no review.",
    },
)

check.exercise("VI.4.b", **stopping.STOP)
