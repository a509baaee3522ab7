"""The exercises of notebook 05 · Loss and training."""

import math

import torch
import torch.nn.functional as F

from lessons.comparing import same
from lessons.exercises import Checks
from lessons.n05_loss_and_training import faults, losses, worlds
from lessons.n05_loss_and_training.losses import loss, right_class, softmax_at_target, stable
from lessons.n05_loss_and_training.worlds import combined, descent, epoch, two_logits

check = Checks()

# --- V.1 ----------------------------------------------------------------------------------

check.exercise(
    "V.1.b",
    lambda probabilities, targets: loss(right_class)(probabilities, targets),
    probe=losses.by_hand,
    inputs=losses.PROBABILITIES,
    mistakes=[
        (losses.READY_MADE, lambda p, y: F.binary_cross_entropy(p, y.float())),
        *losses.common_mistakes(right_class),
        ("negative reviews add nothing: the term with 1 − y?", lambda p, y: -(y * p.log()).mean()),
        ("p and 1 − p are swapped.", loss(lambda p, y: right_class(1 - p, y))),
        (
            "infinite for 300 reviews: their product is 0 in float32. First take the logarithms.",
            lambda p, y: -right_class(p, y).prod().log() / len(y),
        ),
    ],
    otherwise="Work out what each review adds, −ln p or −ln(1 − p). Then take the mean.",
)

check.exercise(
    "05.1",
    stable(),
    probe=losses.with_gradient,
    inputs=losses.LOGITS,
    mistakes=[
        (losses.READY_MADE, lambda z, y: F.softplus(z * (1 - 2 * y)).mean()),
        losses.NO_GRADIENT,
        (losses.NO_MEAN, stable(mean=lambda each: each)),
        (losses.SUM, stable(mean=torch.sum)),
        (losses.NO_MINUS, stable(mean=lambda each: -each.mean())),
        ("the labels have no influence: where is z·y?", stable(sign=0)),
        (losses.BASE, stable(lambda e: torch.log2(1 + e))),
        (
            "the loss is finite, its gradient is not. Is something on the way infinite, perhaps a "
            "side that `torch.where` does not take? Which exponent never gets above 0?",
            lambda z, y: (torch.where(z > 20, z, (1 + z.exp()).log()) - z * y).mean(),
            lambda *found: losses.is_finite(*found) == [True, False],
        ),
        (
            "infinite, or not a number. float32 ends at about e^88, and σ(120) is exactly 1 there. "
            "Which exponent never gets above 0?",
            lambda z, y: ((1 + z.exp()).log() - z * y).mean(),
            lambda *found: not losses.is_finite(*found)[0],
        ),
        (
            "a negative review with z = 120 has a loss of 120; yours is cut off, and so is its "
            "gradient. Does a clamp do that, or a small number added before the logarithm?",
            lambda z, y: loss(right_class)(z.sigmoid().clamp(1e-7, 1 - 1e-7), y),
            lambda found, z, y: z[0] == 120 and found[0] < 60 and abs(found[1][0]) < 0.01,
        ),
        ("the sign of z·y is flipped.", stable(sign=1)),
    ],
    parts=("the loss", "its gradient"),
    errors=losses.RECORDS | {"return_types.max": losses.MAX},
    otherwise="At z = ±1, where nothing overflows, compare with ln(1 + e^z) − z·y. A negative "
    "review with z = 120 has a loss of 120, and a derivative of 1.",
)

# --- V.2 ----------------------------------------------------------------------------------

check.exercise(
    "05.2",
    epoch(),
    probe=worlds.trained,
    changes=True,
    inputs=[worlds.world, lambda: worlds.world(True), lambda: worlds.world(False, worlds.by_class)],
    mistakes=[
        ("each step still holds the gradients of the batches before it.", epoch("bs")),
        ("the parameters are what they were: does step() find gradients?", epoch("bz")),
        ("one step, after the loop, is not enough: each batch needs one.", epoch("zb", "s")),
        (
            "the model ends in evaluation mode. In which mode does it learn?",
            epoch(trains=False),
            lambda found, *_: not found[2],
        ),
        ("training is right, the loss is the last batch's.", epoch(mean=lambda m, n: m[-1])),
        ("weigh each mean by its batch's size.", epoch(mean=lambda m, n: m.sum() / sum(n))),
        (worlds.SUMS, epoch(mean=lambda means, sizes: means.sum())),
        (
            "that is the first batch's loss alone: is the return inside the loop?",
            epoch(most=1),
            lambda found, *given: same(found[0], worlds.trained(epoch(most=1), *given)[0]),
        ),
        ("right, but a smaller batch must count less.", epoch(mean=lambda means, n: means.mean())),
        ("right for tensors. Bags are two lists: take the length of the targets.", epoch(of=0)),
        ("your loop does not call the `loss` that it was given.", epoch(own_loss=True)),
        ("move inputs and targets to the device of *the model's* parameters.", epoch(moves=False)),
        (
            "the steps are right, the returned loss is not: each batch has its loss *before* its "
            "step, and counts by its size.",
            epoch(mean=lambda means, sizes: means.max()),
            lambda found, *given: same(found[1:], worlds.trained(epoch(), *given)[1:]),
        ),
    ],
    parts=("the mean loss", "the parameters afterwards", "`model.training`", "the move"),
    errors={
        "used as indices": "The loss that the check hands in takes class numbers: give it the "
        "targets as they are, int64, after the outputs.",
        "log_sigmoid": "A loss takes the outputs first, then the targets.",
        "expected Tensor as element 0": "`mean_loss` takes tensors (no .item()), then sizes.",
    },
    otherwise="Compare with the four steps, one after another.",
)

# --- V.3 ----------------------------------------------------------------------------------

check.exercise(
    "V.3.a",
    loss(softmax_at_target),
    probe=losses.with_gradient,
    inputs=losses.CLASSES,
    mistakes=[
        (losses.READY_MADE, F.cross_entropy),
        losses.NO_GRADIENT,
        *losses.common_mistakes(softmax_at_target),
        (losses.AXIS, loss(lambda z, y: softmax_at_target(z, y, dim=0))),
        (losses.AXIS, lambda z, y: z.exp().sum().log() - z.gather(1, y[:, None]).mean()),
        (losses.NO_LOGARITHM, loss(softmax_at_target, log=lambda p: p)),
        (losses.ALL_CLASSES, lambda z, y: -z.log_softmax(1).mean()),
        (losses.INDEXING, lambda z, y: -z.log_softmax(1)[:, y].mean()),
        (losses.TOO_MANY, lambda z, y: loss(softmax_at_target)(z, y) / z.shape[1]),
        (losses.EACH_FIRST, lambda z, y: -softmax_at_target(z, y).mean().log()),
        ("that is the likeliest class, not the target.", loss(lambda z, y: z.softmax(1).max(1)[0])),
    ],
    parts=("the loss", "its gradient"),
    errors=losses.STOPS,
    otherwise="Work out one sample by hand, then take the mean over the batch.",
)

check.exercise(
    "05.3",
    two_logits(),
    probe=worlds.outputs_of,
    inputs=[((6, 5), worlds.bags([1], [0, 1], [3])), ((4, 3), worlds.bags([3], [0, 1], [2, 3]))],
    mistakes=[
        (
            "`forward` gives probabilities: CrossEntropyLoss wants logits, from before a softmax.",
            two_logits(last=lambda z: z.softmax(1), read=lambda p: p[:, 1]),
            lambda found, *_: torch.allclose(found[0].sum(1), torch.ones(1)),
        ),
        ("autograd does not record `forward`: no step could be made.", two_logits("")),
        ("ReLU is missing between the layers.", two_logits(between=lambda h: h)),
        ("autograd records `chances`: use torch.no_grad().", two_logits("forward, chances")),
        (
            "`chances` gives both classes: [batch] is wanted.",
            two_logits(read=lambda z: z.softmax(1)),
        ),
        ("`chances` is that of *negative*.", two_logits(read=lambda z: z.softmax(1)[:, 0])),
        ("`chances` looks at one logit only.", two_logits(read=lambda z: z.sigmoid()[:, 1])),
        (losses.AXIS, two_logits(read=lambda z: z.softmax(0)[:, 1])),
        ("`chances` is a logit, not yet a probability.", two_logits(read=lambda z: z[:, 1])),
    ],
    parts=("what `forward` gives", "`chances`", "what autograd records", "`model.training`"),
    errors={"not Bags": "nn.Linear takes multi-hot vectors; for Bags there is BagLinear."},
    otherwise="`forward` gives [batch, 2], `chances` [batch]; the model's mode stays as it is.",
)

check.exercise(
    "V.3.b",
    combined(lambda zero, one: one - zero),
    probe=worlds.parameters_of,
    inputs=[worlds.two_outputs(3), worlds.two_outputs(2)],
    mistakes=[
        ("the sign is flipped: class 1 is *positive*.", combined(lambda zero, one: zero - one)),
        ("class 1 alone. What if class 0 has a large logit, too?", combined(lambda zero, one: one)),
        ("a sum? Adding 1 to both changes no probability.", combined(lambda zero, one: zero + one)),
        (
            "the weight is right, the bias is not: it is made like the weight.",
            combined(lambda zero, one: one - zero, lambda zero, one: 0 * one),
            lambda found, two: torch.allclose(found[0], two.weight.diff(dim=0)[0]),
        ),
    ],
    parts=("the new weight", "the new bias"),
    errors={"must match the size": "The new weight is [1, hidden], and the new bias [1]."},
    otherwise="Row 0 makes z₀, row 1 makes z₁. For which z of them is σ(z) softmax's column 1?",
)

check.exercise(
    "V.3.c",
    lambda num_classes: math.log(1 + (num_classes - 1) / math.e),
    inputs=[(2,), (3,), (10,), (1000,)],
    mistakes=[
        (losses.NO_MINUS, lambda n: -math.log(1 + (n - 1) / math.e)),
        ("0 would take a probability of 1 at the end. But e to the 0 is 1, not 0.", lambda n: 0.0),
        ("an undecided model's loss. What if the first softmax is sure, and right?", math.log),
        ("that is the highest loss: sure, and wrong.", lambda n: math.log(n - 1 + math.e)),
        ("that is a probability, not yet a loss.", lambda n: math.e / (math.e + n - 1)),
        ("the logarithm is missing.", lambda n: 1 + (n - 1) / math.e),
        ("the truth is one of the classes: how many others?", lambda n: math.log(1 + n / math.e)),
        ("right for two classes. Of ten, how many get a 0?", lambda n: math.log(1 + 1 / math.e)),
        (losses.BASE, lambda n: math.log10(1 + (n - 1) / math.e)),
        (losses.BASE, lambda n: math.log2(1 + (n - 1) / math.e)),
    ],
    otherwise="Put the outputs of the first softmax, in the best of all cases, into the second.",
)

# --- the descent, and the open task --------------------------------------------------------

check.exercise(
    "05.4",
    descent(),
    probe=worlds.without_optimizer,
    inputs=[
        (worlds.bowl, torch.tensor([2.0, -1.0]), 0.3, 4, 0.0),
        (worlds.bowl, torch.tensor([-1.0, 3.0]), 0.1, 5, 0.5),
        (worlds.bowl, torch.tensor([1.0, 0.5, -2.0]), 0.2, 3, 0.9),
    ],
    mistakes=[
        ("that goes uphill: the gradient points to where the loss grows.", descent(sign=1)),
        ("right without momentum; with it a part of v stays.", descent(lambda v, g, m: g)),
        (worlds.ADDED_UP, descent(lambda v, g, m: v + g)),
        (worlds.ADDED_UP, descent(clears=False)),
        ("each step is lr times too short: does lr appear in both lines?", descent(power=2)),
        ("here the new gradient counts in full.", descent(lambda v, g, m: m * v + (1 - m) * g)),
        ("the start belongs to the path.", descent(kept=lambda path: path[1:])),
        (
            "the last two points are the same: one tensor, appended again? Append copies.",
            descent(kept=lambda path: [path[-1]] * len(path)),
            lambda found, *_: bool((found[-1] == found[-2]).all()),
        ),
        (
            "the first step stays where it was: is v still 0 there? First the new v, then w.",
            descent(kept=lambda path: [path[0], *path[:-1]]),
            lambda found, loss, w, lr, steps, m: len(found) == steps + 1 and same(found[1], w),
        ),
    ],
    errors={
        "'tuple'": "torch.autograd.grad gives a tuple with one gradient: take it out.",
        "'NoneType'": "A tensor calculated from others keeps no .grad: see the first hint.",
    },
    otherwise="Work out the first two steps on paper.",
)

check.exercise(
    "05.open",
    faults.loop(),
    probe=faults.outcome,
    changes=True,
    inputs=[lambda: faults.world(3), lambda: faults.world(2)],
    mistakes=faults.mistakes(),
    parts=("the losses", "the accuracies", "the parameters at the end"),
    otherwise="Return a list with a pair (loss, accuracy) for each epoch. Compare with 05.2.",
)
