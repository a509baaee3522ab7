"""The first exercises of notebook 04: the student's own OneHotMLP, and what it predicts."""

from collections.abc import Callable
from itertools import chain
from operator import truediv

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from helpers.models import OneHotMLP
from lessons.exercises import Checks
from lessons.n04_mlp import worlds
from lessons.n04_mlp.worlds import Echo, rows, spoiled

check = Checks()

FIRST = "Solve 04.1 first: `forward` uses the layers self.hidden and self.output."


# --- 04.1, 04.2: the class ----------------------------------------------------------------


class Parts(OneHotMLP):
    """What is asked for first: a model that can be made."""

    def __init__(self, vocab_size: int = 20_001, hidden_size: int = 200, num_outputs: int = 1):
        super().__init__(vocab_size, hidden_size, num_outputs)


def layers(hidden: Callable, output: Callable) -> type:
    """Return a model with other layers, each made from the three sizes."""

    def init(self: nn.Module, vocab_size: int, hidden_size: int, num_outputs: int) -> None:
        nn.Module.__init__(self)
        self.hidden = hidden(vocab_size, hidden_size, num_outputs)
        self.output = output(vocab_size, hidden_size, num_outputs)

    return spoiled(__init__=init)


NAMES = {f"{layer}.{part}" for layer in ("hidden", "output") for part in ("weight", "bias")}


def first(v: int, h: int, o: int) -> nn.Linear:
    """Return the right first layer."""
    return nn.Linear(v, h)


def last(v: int, h: int, o: int) -> nn.Linear:
    """Return the right last layer."""
    return nn.Linear(h, o)


check.exercise(
    "04.1",
    Parts,
    probe=worlds.parts,
    inputs=[(7, 3, 2), (5, 4, 1)],
    mistakes=[
        (
            "both layers have a bias.",
            layers(lambda v, h, o: nn.Linear(v, h, bias=False), last),
            lambda found, *sizes: {*found} < NAMES,
        ),
        (
            "`hidden` and `output` are layers: nn.Linear(number of inputs, number of outputs).",
            layers(lambda v, h, o: h, lambda v, h, o: o),
        ),
        (
            "`hidden` and `output` are one nn.Linear each, and nothing else has parameters.",
            layers(lambda v, h, o: nn.Sequential(nn.Linear(v, h), nn.ReLU()), last),
            lambda found, *sizes: {*found} != NAMES,
        ),
        (
            "inputs and outputs of a layer are exchanged: nn.Linear(inputs, outputs).",
            layers(lambda v, h, o: nn.Linear(h, v), lambda v, h, o: nn.Linear(o, h)),
            lambda found, v, h, o: (
                found["hidden.weight"] == [v, h] or found["output.weight"] == [h, o]
            ),
        ),
        (
            "`output` gets what `hidden` gives, hidden_size numbers.",
            layers(first, lambda v, h, o: nn.Linear(v, o)),
            lambda found, v, h, o: found["output.weight"] == [o, v],
        ),
        (
            "the sizes are arguments: use them instead of fixed numbers.",
            layers(lambda v, h, o: nn.Linear(9, 8), lambda v, h, o: nn.Linear(8, 1)),
            lambda found, *sizes: not {*chain(*found.values())} <= {1, *sizes},
        ),
        (
            "the last layer must have num_outputs outputs.",
            layers(first, lambda v, h, o: nn.Linear(h, 1)),
            lambda found, v, h, o: found["output.weight"][0] != o,
        ),
    ],
    otherwise="Compare the shapes of your parameters: [hidden, vocab] and [hidden] for `hidden`, "
    "[outputs, hidden] and [outputs] for `output`.",
)


def running(way: Callable) -> type:
    """Return a model with another way forward."""
    return spoiled(forward=way)


def bent(self: OneHotMLP, inputs: Tensor) -> Tensor:
    """Return the hidden layer after its ReLU, [batch, hidden]."""
    return torch.relu(self.hidden(inputs))


ALL = "with several outputs all of them come back, [batch, outputs]."

check.exercise(
    "04.2",
    OneHotMLP,
    probe=worlds.logits,
    inputs=[(9, 6, 1, 3), (9, 6, 1, 1), (6, 5, 3, 4), (6, 5, 2, 1)],
    mistakes=[
        (
            "the ReLU between the two layers is missing.",
            running(lambda self, x: self.output(self.hidden(x)).squeeze(1)),
        ),
        (
            "the ReLU belongs between the two layers, not after the second.",
            running(lambda self, x: torch.relu(self.output(self.hidden(x))).squeeze(1)),
        ),
        (
            "these are probabilities. Leave the sigmoid out: a model gives logits.",
            running(lambda self, x: torch.sigmoid(self.output(bent(self, x))).squeeze(1)),
        ),
        (
            "with one output the logits have the shape [batch]: an axis of length 1 is left.",
            running(lambda self, x: self.output(bent(self, x))),
        ),
        (
            "squeeze() also drops a batch axis of length 1. Name the axis that goes.",
            running(lambda self, x: self.output(bent(self, x)).squeeze()),
        ),
        (ALL, running(lambda self, x: self.output(bent(self, x))[:, 0])),
        (ALL, running(lambda self, x: self.output(bent(self, x)).flatten())),
        ("these are the hidden units. The output layer is missing.", running(bent)),
    ],
    errors={
        "Error(s) in loading state_dict": FIRST,
        "has no attribute 'hidden'": FIRST,
        "has no attribute 'output'": FIRST,
        "missing 3 required": FIRST,
        "'num_outputs'": "The arguments of __init__ are not known in `forward`. Ask a layer for "
        "its size.",
        "Boolean value of Tensor": "max() and `if` need a single number. All units at once are "
        "bent by a function of PyTorch.",
    },
    otherwise="hidden layer, ReLU, output layer; with one output the last axis goes.",
)


# --- IV.1: predict ------------------------------------------------------------------------


def after(squash: Callable) -> Callable:
    """Return an answer that turns logits into something else."""

    def probabilities_of(model: nn.Module, inputs: Tensor) -> Tensor:
        with torch.no_grad():
            return squash(model(inputs))

    return probabilities_of


check.exercise(
    "IV.1.a",
    after(torch.sigmoid),
    probe=worlds.unrecorded,
    inputs=[
        (Echo().eval(), rows(0.0, 2.0, -3.0, 0.25)),
        (Echo().eval(), rows(-100.0, 100.0)),
        (Echo().eval(), rows(0.0)),
    ],
    mistakes=[
        ("those are the logits themselves.", after(lambda z: z)),
        (
            "a large logit must give a probability near 1: is a minus sign lost?",
            after(lambda z: 1 / (1 + torch.exp(z))),
        ),
        (
            "no probability is above 1. In which order are / and + done, without brackets?",
            after(lambda z: 1 / 1 + torch.exp(-z)),
        ),
        (
            "e^100 is infinite in float32, and infinity divided by infinity is no number. Let only "
            "the denominator grow.",
            after(lambda z: torch.exp(z) / (1 + torch.exp(z))),
        ),
        ("these sum to 1 over the batch: reviews don't compete.", after(lambda z: z.softmax(0))),
        ("those are decisions. How sure is the model?", after(lambda z: 1.0 * (z > 0))),
        ("that is a mean. Each review has a probability of its own.", after(lambda z: z.mean())),
    ],
    otherwise="Compare your line with the formula of the sigmoid, sign by sign.",
)


def counted(
    decide: Callable = lambda z, y: (z > 0) == y,
    batches_of: Callable = list,
    share: Callable = lambda right, sizes: sum(right) / sum(sizes),
    size: Callable = lambda x, y: len(y),
) -> Callable:
    """Return another accuracy."""

    @torch.no_grad()
    def accuracy(model: nn.Module, batches: list) -> float:
        pairs = [(decide(model(x), y), size(x, y)) for x, y in batches_of(batches)]
        return share([float(right.sum()) for right, _ in pairs], [n for _, n in pairs])

    return accuracy


BATCHES = [
    (rows(2.0, -1.0, 0.3, -0.2, 0.0), torch.tensor([1, 0, 1, 1, 1])),
    (rows(-0.4, -3.0, 0.2, -0.1), torch.tensor([0, 1, 1, 0])),
    (rows(1.0), torch.tensor([1])),
]
BAGS = [  # as the sparse loader gives them
    (worlds.bags(3, -1, 2, -2, 1), torch.tensor([1, 0, 0, 0, 1])),
    (worlds.bags(-1, 4, 1), torch.tensor([1, 1, 1])),
]

MIXED: DataLoader = DataLoader(BATCHES * 2, batch_size=None, shuffle=True)  # type: ignore[arg-type]

SMALLER = "the last batch may be smaller: count the labels instead of relying on one size."

check.exercise(
    "IV.1.b",
    counted(),
    inputs=[(Echo().eval(), given) for given in (BATCHES, BATCHES[:1], BATCHES[1:], BAGS, MIXED)],
    mistakes=[
        (
            "0.5 is not *above* 0.5: which is the logit's limit?",
            counted(lambda z, y: (z >= 0) == y),
        ),
        (
            "a loader that shuffles gives another order the second time: take the inputs and the "
            "labels of a batch together.",
            lambda model, batches: counted()(
                nn.Identity(),
                [(torch.cat([model(x) for x, _ in batches]), torch.cat([y for _, y in batches]))],
            ),
            lambda found, model, batches: 0 <= found <= 1 and batches is MIXED,
        ),
        (
            "0.5 is a threshold for probabilities. Which logit belongs to it?",
            counted(lambda z, y: (z > 0.5) == y),
        ),
        (
            "a mean of the batches' accuracies counts each review of a small last batch for more. "
            "Count reviews, and divide once.",
            counted(share=lambda right, sizes: sum(map(truediv, right, sizes)) / len(sizes)),
        ),
        ("that is the first batch alone.", counted(batches_of=lambda b: [*b][:1])),
        (
            "that is the last batch alone: is something set to 0 inside the loop?",
            counted(batches_of=lambda b: [*b][-1:]),
        ),
        ("that is a number of reviews. Divide.", counted(share=lambda right, sizes: sum(right))),
        (
            "an accuracy is a share between 0 and 1, not per cent.",
            counted(share=lambda right, sizes: 100 * sum(right) / sum(sizes)),
        ),
        (
            "divide by the number of reviews, not of batches.",
            counted(share=lambda right, sizes: sum(right) / len(sizes)),
        ),
        (SMALLER, counted(share=lambda right, sizes: sum(right) / (sizes[0] * len(sizes)))),
        (SMALLER, counted(share=lambda right, sizes: sum(right) / (128 * len(sizes)))),
        (
            "len(inputs) is the number of reviews only for multi-hot vectors. The sparse loader "
            "gives Bags, whose length is always 2: count the labels.",
            counted(size=lambda x, y: len(x)),
        ),
        ("that is the share of wrong decisions.", counted(lambda z, y: (z > 0) != y)),
        (
            "right negatives count, too: compare every decision with its label.",
            counted(lambda z, y: (z > 0) & (y == 1)),
        ),
        (
            "no logit is equal to a label: first it must become a decision.",
            counted(lambda z, y: z == y),
        ),
    ],
    errors={
        "'Bags' object": "The sparse loader gives its inputs as Bags, which have no shape: count "
        "the labels."
    },
    otherwise="Over all batches, count the decisions that equal their labels, and the labels.",
)
