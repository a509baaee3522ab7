"""The exercises of notebook 05 · Loss and training."""

import math

import torch
import torch.nn.functional as F

from lessons.exercises import Checks
from lessons.n05_loss_and_training import faults, losses, worlds

check = Checks()

# --- V.1 ----------------------------------------------------------------------------------

check.exercise(
    "V.1.b",
    losses.loss(losses.right_class),
    probe=losses.by_hand,
    inputs=losses.PROBABILITIES,
    mistakes=[
        (losses.READY_MADE, lambda p, y: F.binary_cross_entropy(p, y.float())),
        *losses.common_mistakes(losses.right_class),
        ("negative reviews add nothing: the term with 1 − y?", lambda p, y: -(y * p.log()).mean()),
        (
            "positive reviews add nothing: where is the term with y?",
            lambda p, y: -((1 - y) * (1 - p).log()).mean(),
        ),
        (
            "the two terms are swapped: p judges a positive review, 1 − p a negative one.",
            losses.loss(lambda p, y: losses.right_class(1 - p, y)),
        ),
        (
            "right for few reviews, infinite for 300: so many probabilities multiplied are less "
            "than a float can hold. Take the logarithms first, and add them up.",
            lambda p, y: -losses.right_class(p, y).prod().log() / len(y),
        ),
    ],
    otherwise="Work out what each review adds, then take the mean.",
)

check.exercise(
    "05.1",
    losses.stable(),
    probe=losses.with_gradient,
    inputs=losses.LOGITS,
    mistakes=[
        (losses.READY_MADE, lambda z, y: F.softplus(z * (1 - 2 * y)).mean()),
        (
            "no gradient leads from your loss back to the logits: stay with tensors, without "
            "math, .item(), .detach() and new tensors made of numbers.",
            lambda z, y: losses.stable()(z.detach(), y),
            lambda found, *_: found == "no gradient",
        ),
        ("the mean over the batch is missing.", losses.stable(mean=lambda each: each)),
        ("that is the sum over the batch, not yet its mean.", losses.stable(mean=torch.sum)),
        (
            "the number is right, but the gradient is nan. `torch.where` computes both sides for "
            "every logit, and the side that it does not take is infinite. Keep every exponent "
            "below 0: −|z|.",
            lambda z, y: (
                torch.where(z > 0, z + (1 + (-z).exp()).log(), (1 + z.exp()).log()).mean()
                - (z * y).mean()
            ),
        ),
        (
            "infinite, or not a number. float32 ends at about e^88, and σ(120) is exactly 1 there. "
            "Which exponent never gets above 0?",
            lambda z, y: ((1 + z.exp()).log() - z * y).mean(),
            losses.is_infinite,
        ),
        ("the sign of z·y is flipped.", losses.stable(sign=1)),
    ],
    otherwise="Compare with max(z, 0) − z·y + ln(1 + e^(−|z|)), term by term.",
)


# --- V.2 ----------------------------------------------------------------------------------

check.exercise(
    "05.2",
    worlds.epoch(),
    probe=worlds.trained,
    changes=True,
    inputs=[
        worlds.world,
        lambda: worlds.world(True),
        lambda: worlds.world(False, worlds.squared),
    ],
    mistakes=[
        (
            "every step still holds the gradients of the batches before it: PyTorch adds new ones "
            "to what .grad holds.",
            worlds.epoch(steps="bs"),
        ),
        (
            "the parameters are what they were. Is step() called, and are the gradients still "
            "there then?",
            worlds.epoch(steps="bz"),
        ),
        (
            "the model is in evaluation mode, as it was handed over. In which mode does it learn?",
            worlds.epoch(mode=None),
        ),
        (
            "training is right, but you return the loss of the last batch alone.",
            worlds.epoch(mean=lambda means, sizes: means[-1]),
        ),
        ("only the first batch was used: is the return inside the loop?", worlds.epoch(most=1)),
        (
            "training is right, but you return the mean of the batches' means. The last batch is "
            "smaller, so it must not count as much.",
            worlds.epoch(mean=lambda means, sizes: means.mean()),
        ),
        (
            "right for inputs that are one tensor. Bags are two lists of numbers, so their length "
            "is not that of the batch: take the length of the targets.",
            worlds.epoch(of=0),
        ),
        ("your loop does not call the `loss` that it was given.", worlds.epoch(own_loss=True)),
    ],
    otherwise="(The values are the loss, the parameters after the epoch, and model.training.) "
    "Compare with the four steps, one after another.",
)


# --- V.3 ----------------------------------------------------------------------------------

check.exercise(
    "V.3.a",
    losses.loss(losses.softmax_at_target),
    probe=losses.by_hand,
    inputs=losses.CLASSES,
    mistakes=[
        (losses.READY_MADE, F.cross_entropy),
        *losses.common_mistakes(losses.softmax_at_target),
        (losses.AXIS, losses.loss(lambda z, y: losses.softmax_at_target(z, y, dim=0))),
        (losses.AXIS, lambda z, y: z.exp().sum().log() - z.gather(1, y[:, None]).mean()),
        (losses.NO_LOGARITHM, losses.loss(losses.softmax_at_target, log=lambda p: p)),
        (losses.ALL_CLASSES, lambda z, y: -z.log_softmax(1).mean()),
        (losses.INDEXING, lambda z, y: -z.log_softmax(1)[:, y].mean()),
    ],
    errors=losses.STOPS,
    otherwise="Work out one sample by hand, then take the mean over the batch.",
)

check.exercise(
    "05.3",
    worlds.two_logits(),
    probe=worlds.outputs_of,
    inputs=[((6, 3), worlds.bags([0, 2, 5], [1])), ((4, 5), worlds.bags([3], [0, 1], [0, 3]))],
    mistakes=[
        (
            "`forward` gives probabilities, not logits. CrossEntropyLoss brings its own softmax, "
            "so `forward` must end without one.",
            worlds.two_logits(last=lambda z: z.softmax(1), read=lambda p: p[:, 1]),
            lambda found, *_: torch.allclose(found[0].sum(1), torch.ones(1)),
        ),
        ("ReLU is missing between the layers.", worlds.two_logits(between=lambda h: h)),
        ("ReLU belongs between the layers, not at the end.", worlds.two_logits(last=torch.relu)),
        (
            "the numbers are right, but autograd records `chances`: use torch.no_grad().",
            worlds.two_logits(records=True),
            lambda found, *_: found[1] == "recorded",
        ),
        (
            "`forward` is right; `chances` gives both classes, and [batch] is asked for.",
            worlds.two_logits(read=lambda z: z.softmax(1)),
        ),
        (
            "`forward` is right; `chances` gives the probability of *negative*.",
            worlds.two_logits(read=lambda z: z.softmax(1)[:, 0]),
        ),
        (
            "`forward` is right; `chances` looks at one logit only. The other one counts, too.",
            worlds.two_logits(read=lambda z: z.sigmoid()[:, 1]),
        ),
    ],
    errors={"not Bags": "nn.Linear takes multi-hot vectors; for Bags there is BagLinear."},
    otherwise="(The values are what `forward` gives, [batch, 2], and what `chances` gives.)",
)

check.exercise(
    "V.3.b",
    worlds.combined(lambda zero, one: one - zero),
    probe=worlds.logits_of,
    inputs=[lambda: worlds.two_outputs(3), lambda: worlds.two_outputs(2)],
    mistakes=[
        (
            "the sign is flipped: a large logit must mean *positive*, which is class 1.",
            worlds.combined(lambda zero, one: zero - one),
        ),
        (
            "that is the logit of class 1 alone. What if class 0 has a large one as well?",
            worlds.combined(lambda zero, one: one),
        ),
        (
            "add the same number to both logits: no probability changes, but your sum does.",
            worlds.combined(lambda zero, one: zero + one),
        ),
        (
            "the weight is right, the bias is not: it is made like the weight.",
            worlds.combined(lambda zero, one: one - zero, lambda zero, one: 0 * one),
        ),
    ],
    errors={"must match the size": "The new weight is [1, hidden], and the new bias [1]."},
    otherwise="Return an nn.Linear. sigmoid of its logit must equal softmax, column 1.",
)

check.exercise(
    "V.3.c",
    lambda num_classes: math.log(1 + (num_classes - 1) / math.e),
    inputs=[(2,), (3,), (10,), (1000,)],
    mistakes=[
        (losses.NO_MINUS, lambda n: -math.log(1 + (n - 1) / math.e)),
        ("0 would take a probability of 1 at the end. But e to the 0 is 1, not 0.", lambda n: 0.0),
        (
            "that is the loss of an undecided model. What if the first softmax is perfectly sure, "
            "and right?",
            math.log,
        ),
        ("that is the highest loss: sure, and wrong.", lambda n: math.log(n - 1 + math.e)),
        ("that is a probability, not yet a loss.", lambda n: math.e / (math.e + n - 1)),
        (
            "right for two classes. Of ten classes, how many get a 0 from the first softmax?",
            lambda n: math.log(1 + 1 / math.e),
        ),
        (losses.BASE, lambda n: math.log10(1 + (n - 1) / math.e)),
    ],
    otherwise="Put the outputs of the first softmax, in the best of all cases, into the second.",
)


# --- the descent, and the open task --------------------------------------------------------

check.exercise(
    "05.4",
    worlds.descent(),
    inputs=[
        (worlds.bowl, torch.tensor([2.0, -1.0]), 0.3, 4, 0.0),
        (worlds.bowl, torch.tensor([-1.0, 3.0]), 0.1, 5, 0.5),
        (worlds.bowl, torch.tensor([1.0, 0.5, -2.0]), 0.2, 3, 0.9),
    ],
    mistakes=[
        ("that goes uphill: the gradient points to where the loss grows.", worlds.descent(sign=1)),
        (
            "right without momentum; with momentum each step must hold a part of the one before.",
            worlds.descent(lambda velocity, gradient, momentum: gradient),
        ),
        (
            "without momentum there is nothing to remember, and yet each step holds the gradients "
            "of all steps before.",
            worlds.descent(lambda velocity, gradient, momentum: velocity + gradient),
        ),
        (
            "that takes 1 − momentum of the new gradient. Here it counts in full.",
            worlds.descent(lambda v, gradient, m: m * v + (1 - m) * gradient),
        ),
        ("the start belongs to the path.", worlds.descent(kept=lambda path: path[1:])),
        (
            "all points are the last one: the list holds one tensor several times. Keep copies.",
            worlds.descent(kept=lambda path: [path[-1]] * len(path)),
        ),
    ],
    otherwise="Work out the first two steps on paper.",
)

check.exercise(
    "05.open",
    faults.loop(),
    probe=faults.outcome,
    changes=True,
    inputs=[lambda: faults.world(3), lambda: faults.world(2)],
    mistakes=faults.mistakes(),
    otherwise="Return a list with a pair (loss, accuracy) for each epoch. (The third value is the "
    "parameters at the end.) What else have you changed?",
)
