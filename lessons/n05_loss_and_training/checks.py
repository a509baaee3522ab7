"""The exercises of notebook 05 · Loss and training."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from lessons.exercises import Checks
from lessons.n05_loss_and_training import answers, losses

check = Checks()

LN2, FLOOR = math.log(2), math.log(1 + math.exp(-1))


# --- V.1 ----------------------------------------------------------------------------------

check.exercise(
    "V.1.a",
    LN2,
    tolerance=2.8e-4,
    mistakes=[
        (f"{losses.NO_MINUS} The logarithm of p < 1 is negative.", -LN2, lambda answer: answer < 0),
        ("that is in bits. This course takes the natural logarithm.", 1.0),
        ("that is the logarithm to base 10. This course takes the natural one.", math.log10(2)),
        ("that is the probability. What does the loss take of it?", 0.5),
        ("that is exp of the loss, which notebook 06 calls perplexity.", 2.0),
        ("that adds both terms of the bracket. Of one review, how many are not 0?", 2 * LN2),
        (
            "a factor of one half too many: p stands inside the logarithm only, and what stands "
            "before it is the label, 0 or 1.",
            LN2 / 2,
        ),
        (
            "nearly, but not to four digits. Derive the number for p = 0.5 exactly; an untrained "
            "model is only near it.",
            0.69,
            lambda answer: abs(answer - LN2) < 0.02,
        ),
    ],
    otherwise="Put p = 0.5 into the formula, once for a positive and once for a negative review. "
    "What does each of them add?",
)

check.exercise(
    "V.1.b",
    losses.binary,
    inputs=losses.PROBABILITIES,
    mistakes=[
        *losses.common_mistakes(losses.right_class),
        (
            "negative reviews add nothing in your loss: where is the term with 1 − y?",
            lambda p, y: -(y * p.log()).mean(),
        ),
        (
            "positive reviews add nothing in your loss: where is the term with y?",
            lambda p, y: -((1 - y) * (1 - p).log()).mean(),
        ),
        (
            "the two terms are swapped: p judges a positive review, 1 − p a negative one.",
            lambda p, y: -losses.right_class(1 - p, y).log().mean(),
        ),
        (
            "what stands before each logarithm is the label, not the probability.",
            lambda p, y: torch.special.entr(losses.right_class(p, y)).mean(),
        ),
        (
            "the minus sign belongs to both terms.",
            lambda p, y: (-y * p.log() + (1 - y) * (1 - p).log()).mean(),
        ),
        (
            "divide by all reviews, not by the positive ones.",
            lambda p, y: -losses.right_class(p, y).log().sum() / y.sum(),
        ),
        (
            "that is nan, not a number. Was a logarithm taken of something below 0?",
            lambda p, y: losses.right_class(p - 1, y).log().mean(),
            lambda found, *_: math.isnan(float(found)),
        ),
    ],
    errors=losses.STOPS,
    otherwise="Work out what each review adds, then take the mean.",
)

check.exercise(
    "V.1.c",
    losses.binary,
    inputs=losses.PROBABILITIES,
    mistakes=[
        losses.NOT_CALLED,
        (
            "the probabilities went through a sigmoid once more: BCELoss takes them as they are, "
            "BCEWithLogitsLoss takes logits.",
            lambda p, y: nn.BCEWithLogitsLoss()(p, y.float()),
        ),
        (
            "that is the sum over the batch. What does BCELoss do when you tell it nothing?",
            lambda p, y: nn.BCELoss(reduction="sum")(p, y.float()),
        ),
        (
            "are the arguments swapped? The predictions come first.",
            lambda p, y: nn.BCELoss()(y.float(), p),
        ),
    ],
    errors=losses.STOPS,
    otherwise="BCELoss itself gives the mean over the batch, and another one here.",
)

check.exercise(
    "V.1.d",
    lambda logits, targets: F.binary_cross_entropy_with_logits(logits, targets.float()).item(),
    inputs=losses.LOGITS,
    mistakes=[
        losses.NOT_CALLED,
        (
            "the logits went through two sigmoids, yours and the one inside BCEWithLogitsLoss.",
            lambda z, y: nn.BCEWithLogitsLoss()(z.sigmoid(), y.float()),
        ),
        (
            "that is the sum over the batch. What does the class do when you tell it nothing?",
            lambda z, y: nn.BCEWithLogitsLoss(reduction="sum")(z, y.float()),
        ),
        (
            "the sign is turned: a large logit means *positive*.",
            lambda z, y: nn.BCEWithLogitsLoss()(-z, y.float()),
        ),
        (
            "right for small logits, but infinite for one of 120 or −120: an exponential or a "
            "logarithm has left what a float can hold.",
            lambda z, y: -losses.right_class(z.sigmoid(), y).log().mean(),
            lambda found, *_: math.isinf(float(found)),
        ),
        (
            "right for small logits, but a logit of 120 on the wrong side has a loss of 120. Did "
            "you take the sigmoid first? Then the float has forgotten it.",
            lambda z, y: nn.BCELoss()(z.sigmoid(), y.float()),
            lambda found, z, y: len(z) == 1,
        ),
    ],
    errors=losses.STOPS,
    otherwise="BCEWithLogitsLoss itself gives the mean over the batch, and another one here.",
)


# --- V.2 ----------------------------------------------------------------------------------

check.exercise(
    "V.2.a",
    answers.of_batches(lambda means, sizes, full: means @ sizes / sum(sizes)),
    probe=answers.measured,
    changes=True,  # eval() may stay
    inputs=[
        lambda: answers.numbers_world(
            [2.0, -1.0, 0.5, 1.0, 0.0, -2.0, -4.0], [1, 0, 0, 1, 1, 0, 1]
        ),
        lambda: answers.numbers_world([-4.0], [1]),
        lambda: answers.bags_world([1, 1, 0, 1, 0, 0], 4),
    ],
    mistakes=[
        (
            "the model is another one now: measure its loss without training it.",
            answers.training_instead,
            lambda found, *_: found == "trained",
        ),
        (
            "the parameters have gradients now. Measuring a loss takes no backward pass.",
            answers.backward_too,
            lambda found, *_: found == "gradients",
        ),
        (
            "that is the mean of the batches' means. The last batch is smaller than the others, "
            "so it must not count as much.",
            answers.of_batches(lambda means, sizes, full: means.mean()),
        ),
        (
            "that is the loss of the last batch alone: what has become of the others?",
            answers.of_batches(lambda means, sizes, full: means[-1]),
        ),
        (
            "that is the loss of the first batch alone: is the return inside the loop?",
            answers.of_batches(lambda means, sizes, full: means[0]),
        ),
        (answers.SUM, answers.of_batches(lambda means, sizes, full: means @ sizes)),
        (answers.SUM, answers.of_batches(lambda means, sizes, full: means.sum())),
        (
            "divide by the number of samples, not by the number of batches.",
            answers.of_batches(lambda means, sizes, full: means @ sizes / len(sizes)),
        ),
        (
            "each batch loss is a mean already: before you add it up, it must become a sum again.",
            answers.of_batches(lambda means, sizes, full: means.sum() / sum(sizes)),
        ),
        (
            "every batch counts as a full one. How many samples does the last one hold?",
            answers.of_batches(lambda means, sizes, full: full * means.sum() / sum(sizes)),
        ),
        (
            "right for inputs that are one tensor. Bags are two lists of numbers, so their length "
            "is not that of the batch.",
            answers.of_batches(lambda means, sizes, full: means @ sizes / sum(sizes), of=0),
        ),
    ],
    otherwise="Weigh each batch's mean by its number of samples.",
)

check.exercise(
    "V.2.b",
    answers.resetting(nn.Module.modules),
    probe=answers.redrawn,
    changes=True,
    inputs=[lambda: (answers.nested(),), lambda: (answers.nested()[2],)],
    mistakes=[
        ("return the model.", lambda model: True, lambda found, _: found == "no model"),
        (
            "these are new parameters, which an optimizer made earlier does not know. Change the "
            "model's own ones in place, and return it.",
            lambda model: answers.resetting(nn.Module.modules)(copy.deepcopy(model)),
            lambda found, _: found == "new objects",
        ),
        ("nothing has changed: every parameter is as it was.", lambda model: model),
        (
            "the weights are new, but the biases are as they were.",
            answers.filling(nn.init.uniform_, dims=(2,)),
        ),
        (
            "the course's own first layer, a BagLinear, keeps what it had: it is no nn.Linear. "
            "Ask each part what it can do, not what it is.",
            answers.resetting(nn.Module.modules, lambda part: isinstance(part, nn.Linear)),
        ),
        (
            "some layers keep what they had. Is there one inside another? Walk through the parts "
            "at every depth.",
            answers.resetting(nn.Module.children),
            lambda found, _: isinstance(found, list),
        ),
        (
            "all weights of a layer are equal now, so all its units would compute, and learn, "
            "the same. They need to be drawn at random.",
            answers.filling(nn.init.zeros_),
            lambda found, _: found == "all equal",
        ),
        (
            "those are not the values of a new layer: nn.Linear draws within ±1 / √in_features. A "
            "layer has a method that does it.",
            answers.filling(nn.init.normal_),
            lambda found, _: found == "other numbers",
        ),
    ],
    errors={
        "no attribute 'reset_parameters'": "Containers and ReLU have no parameters of their own, "
        "so they lack that method. Ask each part whether it has it."
    },
)


# --- V.3 ----------------------------------------------------------------------------------

check.exercise(
    "V.3.a",
    losses.categorical,
    inputs=losses.CLASSES,
    mistakes=[
        *losses.common_mistakes(losses.softmax_at_target),
        (losses.AXIS, lambda z, y: -losses.softmax_at_target(z, y, dim=0).log().mean()),
        (losses.AXIS, lambda z, y: z.exp().sum().log() - z.gather(1, y[:, None]).mean()),
        (
            "that is softmax applied twice: CrossEntropyLoss and log_softmax bring their own.",
            lambda z, y: F.cross_entropy(z.softmax(1), y),
        ),
        (losses.NO_LOGARITHM, lambda z, y: F.nll_loss(z.softmax(1), y)),
        (losses.NO_LOGARITHM, lambda z, y: -F.nll_loss(z.softmax(1), y)),
        (losses.ALL_CLASSES, lambda z, y: -z.log_softmax(1).sum() / len(y)),
        (losses.ALL_CLASSES, lambda z, y: -z.log_softmax(1).mean()),
        ("the exponentials are not divided by their sum: no probabilities yet.", F.nll_loss),
        (
            "a sigmoid looks at each logit by itself, so the classes do not add up to 1.",
            lambda z, y: F.nll_loss(F.logsigmoid(z), y),
        ),
        (losses.INDEXING, lambda z, y: -z.log_softmax(1)[:, y].mean()),
        (losses.INDEXING, lambda z, y: -z.log_softmax(1)[y].mean()),
    ],
    errors=losses.STOPS | {"Long": "Here the targets are class numbers, which must stay int64."},
    otherwise="Work out one sample by hand, then take the mean over the batch.",
)

check.exercise(
    "V.3.b",
    lambda two_logits: two_logits[:, 1] - two_logits[:, 0],
    inputs=[
        (torch.tensor([[0.5, 2.0], [1.0, 1.0], [3.0, -1.0]]),),
        (torch.tensor([[-1.0, 2.0]]),),
        (torch.tensor([[0.2, 0.1], [-3.0, -1.0], [0.0, 4.0], [2.0, 2.5]]),),
    ],
    mistakes=[
        (
            "the sign is turned: a large logit must mean *positive*, which is class 1.",
            lambda z: z[:, 0] - z[:, 1],
        ),
        (
            "that is the logit of class 1 alone. What if class 0 has a large one as well?",
            lambda z: z[:, 1],
        ),
        (
            "that is the probability already. The sigmoid comes later.",
            lambda z: z.softmax(1)[:, 1],
        ),
        (
            "your numbers lie between −1 and 1, because they are made of probabilities. A logit "
            "has no such bounds.",
            lambda z: z.softmax(1)[:, 1] - z.softmax(1)[:, 0],
        ),
        (
            "that is the class already. A logit is asked for; it says how sure the model is.",
            lambda z: z.argmax(1),
        ),
        (
            "adding the same number to both logits changes no probability, but your sum.",
            lambda z: z.sum(1),
        ),
        (
            "that is too small by a factor of two: compare sigmoid(your logit) with softmax.",
            lambda z: (z[:, 1] - z[:, 0]) / 2,
        ),
        ("[batch, 1]: one logit per sample has the shape [batch].", lambda z: z.diff(dim=1)),
        ("a batch of one sample has the shape [1].", lambda z: z.diff(dim=1).squeeze()),
    ],
    otherwise="sigmoid(your logit) must equal the second column of softmax(two_logits).",
)

check.exercise(
    "V.3.c",
    FLOOR,
    tolerance=5e-4,
    mistakes=[
        (losses.NO_MINUS, -FLOOR, lambda answer: answer < 0),
        (
            "0 is what logits can reach, because they are not bounded. A softmax puts out nothing "
            "above 1.",
            0.0,
        ),
        (
            "that is the loss of an undecided model. What if the first softmax is perfectly sure, "
            "and right?",
            LN2,
        ),
        ("that is the highest loss: perfectly sure, and wrong.", math.log(1 + math.e)),
        ("that is a probability. The loss is minus its logarithm.", math.e / (1 + math.e)),
        ("that is a probability. The loss is minus its logarithm.", 1 / (1 + math.e)),
        (
            "that is the ratio of the two exponentials. It still has to become a probability, and "
            "that a loss.",
            1 / math.e,
        ),
        (losses.BASE, FLOOR / LN2),
        (losses.BASE, FLOOR / math.log(10)),
        (
            "nearly, but not to four digits: do not round on the way.",
            0.31,
            lambda answer: abs(answer - FLOOR) < 0.02,
        ),
    ],
    otherwise="Start from the two outputs of the first softmax in the best of all cases, and put "
    "them into the second one.",
)
