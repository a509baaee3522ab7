"""What readers answer in notebook 04 · The MLP: unusual right answers, and wrong ones in words."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.models import BagLinear, OneHotMLP, word_contributions
from helpers.text import Vocabulary, basic_english
from lessons.n04_mlp.building import after
from tests.lessons.tables import Trap


class Lazy(OneHotMLP):
    """Layers that learn their number of inputs from the first batch."""

    def __init__(self, vocab_size: int = 20_001, hidden_size: int = 200, num_outputs: int = 1):
        nn.Module.__init__(self)
        self.hidden, self.output = nn.LazyLinear(hidden_size), nn.LazyLinear(num_outputs)
        self.bend = nn.ReLU()


class ByIndex(OneHotMLP):
    """Another way to drop an axis, and a ReLU by hand."""

    def forward(self, multi_hot: Tensor) -> Tensor:
        h = self.hidden(multi_hot).clamp(min=0)
        logits = self.output(h)
        return logits[:, 0] if logits.shape[1] == 1 else logits


class WithoutSuper(OneHotMLP):
    """The first line is missing."""

    def __init__(self, vocab_size: int, hidden_size: int, num_outputs: int) -> None:
        self.hidden = nn.Linear(vocab_size, hidden_size)
        self.output = nn.Linear(hidden_size, num_outputs)


class WithBags(OneHotMLP):
    """The layer for bags, where multi-hot vectors come."""

    def __init__(self, vocab_size: int, hidden_size: int, num_outputs: int) -> None:
        nn.Module.__init__(self)
        self.hidden = BagLinear(vocab_size, hidden_size)
        self.output = nn.Linear(hidden_size, num_outputs)


class HalfRecorded(OneHotMLP):
    """Right logits, from which no gradient gets to the first layer."""

    def forward(self, multi_hot: Tensor) -> Tensor:
        with torch.no_grad():
            h = torch.relu(self.hidden(multi_hot))
        return self.output(h).squeeze(1)


class CalledWrong(OneHotMLP):
    """A layer is made where it should be called."""

    def forward(self, multi_hot: Tensor) -> Tensor:
        return self.output(nn.ReLU(self.hidden(multi_hot)))


class BentByMax(OneHotMLP):
    """Python's max on a tensor."""

    def forward(self, multi_hot: Tensor) -> Tensor:
        return self.output(max(0, self.hidden(multi_hot)))


class OfArguments(OneHotMLP):
    """An argument of __init__, used in forward."""

    def forward(self, multi_hot: Tensor) -> Tensor:
        logits = self.output(torch.relu(self.hidden(multi_hot)))
        return logits[:, 0] if num_outputs == 1 else logits  # type: ignore[name-defined]  # noqa: F821


def accuracy_by_shape(model: nn.Module, batches: list) -> float:
    right = sum(((model(inputs) > 0) == labels).sum().item() for inputs, labels in batches)
    return right / sum(inputs.shape[0] for inputs, _ in batches)


def accuracy_by_loop(model: nn.Module, batches: list) -> float:
    verdicts = [
        (torch.sigmoid(logit) > 0.5).int().item() == int(label)
        for inputs, labels in batches
        for logit, label in zip(model(inputs), labels, strict=True)
    ]
    return float(np.mean(verdicts))


def accuracy_by_tensors(model: nn.Module, batches: list) -> Tensor:
    pairs = [((model(inputs).detach() > 0).long(), labels) for inputs, labels in batches]
    found, wanted = map(torch.cat, zip(*pairs, strict=True))
    return (found == wanted).double().mean()


def accuracy_that_switches(model: nn.Module, batches: list) -> float:
    torch.set_grad_enabled(False)
    return accuracy_by_loop(model, batches)


def accuracy_that_flips(model: nn.Module, batches: list) -> float:
    result = accuracy_by_loop(model, batches)
    for _, labels in batches:
        labels.zero_()
    return result


def words_by_sorting(model: OneHotMLP, vocabulary: Vocabulary, count: int) -> tuple:
    columns, v = model.hidden.weight.tolist(), model.output.weight.tolist()[0]
    scores = {
        vocabulary.decode([i])[0]: math.fsum(v[u] * columns[u][i] for u in range(len(v)))
        for i in range(len(vocabulary))
    }
    return (
        sorted(scores, key=lambda word: -scores[word])[:count],
        tuple(sorted(scores, key=lambda word: scores[word])[:count]),
    )


def words_of_a_row(model: OneHotMLP, vocabulary: Vocabulary, count: int) -> tuple:
    order = (model.output.weight @ model.hidden.weight).argsort(descending=True).tolist()
    return vocabulary.decode(order)[:count], vocabulary.decode(order)[::-1][:count]


def words_of_a_matrix(model: OneHotMLP, vocabulary: Vocabulary, count: int) -> tuple:
    order = (model.output.weight @ model.hidden.weight).argsort()
    return vocabulary.decode(order)[-count:], vocabulary.decode(order)[:count]


def words_by_numpy(model: OneHotMLP, vocabulary: Vocabulary, count: int) -> tuple:
    scores = (model.output.weight @ model.hidden.weight)[0]
    order = scores.numpy().argsort()
    return vocabulary.decode(order[::-1][:count]), vocabulary.decode(order[:count])


def words_reversed(model: OneHotMLP, vocabulary: Vocabulary, count: int) -> tuple:
    order = (model.output.weight @ model.hidden.weight)[0].argsort()
    return vocabulary.decode(order[::-1][:count]), vocabulary.decode(order[:count])


def words_of_a_global(model: OneHotMLP, vocabulary: Vocabulary, count: int) -> tuple:
    matrix = torch.zeros(200, 20_001)
    return vocabulary.decode(model.output.weight.matmul(matrix)[0].argsort().tolist()), []


def merge_by_data(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    merged = nn.Linear(first.in_features, second.out_features)
    merged.weight.data = second.weight.data @ first.weight.data
    merged.bias.data = second(first.bias).data
    return merged


@torch.no_grad()
def merge_by_probing(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    """Read weights and bias off the outputs."""
    merged = nn.Linear(first.in_features, second.out_features)
    merged.bias = nn.Parameter(second(first(torch.zeros(first.in_features))))
    merged.weight = nn.Parameter((second(first(torch.eye(first.in_features))) - merged.bias).T)
    return merged


def merge_while_recorded(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    merged = nn.Linear(first.in_features, second.out_features)
    merged.weight.copy_(second.weight @ first.weight)
    return merged


def merge_by_assignment(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    merged = nn.Linear(first.in_features, second.out_features)
    merged.weight = second.weight @ first.weight
    return merged


@torch.no_grad()
def merge_turned(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    merged = nn.Linear(second.out_features, first.in_features)
    merged.weight.copy_(second.weight @ first.weight)
    return merged


def merge_in_place(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    second.bias.data = second(first.bias).data
    second.weight.data = second.weight.data @ first.weight.data
    return second


def merge_biases(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    merged = nn.Linear(first.in_features, second.out_features)
    merged.weight.data = second.weight.data @ first.weight.data
    merged.bias.data = first.bias.data + second.bias.data
    return merged


@torch.no_grad()
def by_hand(units: int = 2) -> OneHotMLP:
    model = OneHotMLP(4, units)
    for parameter in model.parameters():
        parameter.zero_()
    model.hidden.weight[:2].copy_(torch.tensor([[0.0, 1, 0, 1], [0, 1, 0, 1]]))
    model.hidden.bias[1] = -1
    model.output.weight[0, :2].copy_(torch.tensor([1.0, -2]))
    model.output.bias.fill_(-0.5)
    return model


@torch.no_grad()
def without_the_last_bias() -> OneHotMLP:
    model = by_hand()
    model.output.bias.uniform_(-0.7, 0.7)
    return model


@torch.no_grad()
def without_biases() -> OneHotMLP:
    model = OneHotMLP(4, 2)
    model.hidden.weight.copy_(torch.tensor([[0.0, 1, 0, 1], [0, 1, 0, 1]]))
    model.output.weight.copy_(torch.tensor([[1.0, -2]]))
    return model


def while_recorded() -> OneHotMLP:
    model = OneHotMLP(4, 2)
    model.hidden.weight.copy_(torch.ones(2, 4))
    return model


@torch.no_grad()
def of_other_shape() -> OneHotMLP:
    model = OneHotMLP(4, 2)
    model.hidden.weight.copy_(torch.ones(4, 2))
    return model


def by_gradient(
    model: OneHotMLP, vocabulary: Vocabulary, review: str, tokenizer=basic_english
) -> tuple:
    """The share of a word is the derivative of the logit with respect to its place."""
    ids = list(dict.fromkeys(vocabulary.encode(tokenizer(review))))
    x = torch.zeros(1, len(vocabulary))
    x[0, ids] = 1
    x.requires_grad_()
    logit = model(x)
    (slopes,) = torch.autograd.grad(logit.sum(), x)
    names = vocabulary.decode(ids)
    return torch.sigmoid(logit)[0], {n: slopes[0, i] for n, i in zip(names, ids, strict=True)}


def untokenised(model: OneHotMLP, vocabulary: Vocabulary, review: str, tokenizer: object) -> tuple:
    return 0.5, dict.fromkeys(vocabulary.encode(review), 0.0)


RIGHT = {
    "ex_04_1": [(Lazy,), (OneHotMLP,)],
    "ex_04_2": [(ByIndex,), (OneHotMLP,)],
    "iv_1_a": [
        (after(lambda z: 1 / (1 + math.e ** (-z))),),
        (after(lambda z: 1 / (1 + np.exp(-z))),),
        (after(lambda z: torch.exp(F.logsigmoid(z))),),
        (after(lambda z: (1 + (-z.double()).exp()).reciprocal()),),
        (after(lambda z: (1 / (1 + torch.exp(-z))).tolist()),),
    ],
    "iv_1_b": [(accuracy_by_loop,), (accuracy_by_tensors,)],
    "ex_04_3": [(words_by_sorting,)],
    "ex_04_4": [(merge_by_data,), (merge_by_probing,)],
    "ex_04_5": [(by_hand,)],
    "ex_04_6": [(by_gradient,), (word_contributions,)],
}

SECRETS = {
    "ex_04_1": ["num_outputs)"],
    "ex_04_2": ["squeeze(1)"],
    "iv_1_a": ["torch.exp(-"],
    "iv_1_b": ["> 0)"],
    "ex_04_3": ["output.weight @"],
    "ex_04_4": ["second.bias)"],
    "ex_04_5": ["-2"],
    "ex_04_6": ["weight.T"],
}

TRAPS = [
    Trap("ex_04_1", (WithoutSuper,), "`super().__init__()` must be the first line"),
    Trap("ex_04_1", (lambda *sizes: nn.Linear(2, 2),), "self.hidden and self.output"),
    Trap("ex_04_1", (WithBags,), "BagLinear takes bags"),
    Trap("ex_04_2", (HalfRecorded,), "the way back to every parameter"),
    Trap("ex_04_2", (CalledWrong,), "A layer is made first"),
    Trap("ex_04_2", (BentByMax,), "max() and `if` need a single number"),
    Trap("ex_04_2", (OfArguments,), "are not known in `forward`"),
    Trap("iv_1_a", (after(lambda z: torch.sigmoid(2 * z)),), "sign by sign"),
    Trap("iv_1_a", (lambda model, x: torch.sigmoid(model(x)).detach(),), "has recorded"),
    Trap("iv_1_a", (after(lambda z: torch.sigmoid(z)[:, None]),), "the shape [4]"),
    Trap("iv_1_b", (accuracy_that_switches,), "leaves changed whether gradients"),
    Trap("iv_1_b", (accuracy_that_flips,), "changes"),
    Trap("iv_1_b", (lambda model, batches: 7 / 9,), "for every input of the check"),
    Trap("iv_1_b", (accuracy_by_shape,), "gives its inputs as Bags"),
    Trap("ex_04_3", (words_of_a_matrix,), "take that row"),
    Trap("ex_04_3", (words_by_numpy,), ".detach() it first"),
    Trap("ex_04_3", (words_reversed,), "can't be walked backwards"),
    Trap("ex_04_3", (words_of_a_global,), "A global of the notebook"),
    Trap("ex_04_3", (words_of_a_row,), "take that row"),
    Trap("ex_04_4", (merge_while_recorded,), "inside `with torch.no_grad():`"),
    Trap("ex_04_4", (merge_by_assignment,), "in the parameter's place"),
    Trap("ex_04_4", (merge_in_place,), "in place"),
    Trap("ex_04_4", (merge_biases,), "lives among the hidden units"),
    Trap("ex_04_4", (lambda first, second: merge_by_data(second, first),), "inner sizes"),
    Trap("ex_04_4", (merge_turned,), "its weight is [out, in]"),
    Trap("ex_04_4", (nn.Sequential,), "return one nn.Linear"),
    Trap("ex_04_5", (lambda: torch.zeros(2, 2),), "return the model"),
    Trap("ex_04_6", (lambda *given: word_contributions(*given)[1],), "return two values"),
    Trap("ex_04_5", (lambda: OneHotMLP(3, 2),), "takes four places"),
    Trap("ex_04_5", (without_biases,), "keeps its random start"),
    Trap("ex_04_5", (without_the_last_bias,), "Are all weights and biases set?"),
    Trap("ex_04_5", (lambda: by_hand(3),), "two hidden units are asked for"),
    Trap("ex_04_5", (while_recorded,), "inside `with torch.no_grad():`"),
    Trap("ex_04_5", (of_other_shape,), "[hidden, 4]"),
    Trap("ex_04_6", (lambda *given: (0.5, {"not": 1.0, "<unk>": 1}),), "the keys are the tokens"),
    Trap("ex_04_6", (untokenised,), "call the tokenizer first"),
]
