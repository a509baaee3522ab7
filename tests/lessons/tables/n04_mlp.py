"""What readers answer in notebook 04 · The MLP."""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.models import OneHotMLP
from helpers.training import pick_device
from tests.lessons.tables import Trap


def to_probabilities(logits: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-logits))


def accuracy(right: Callable, share: Callable = lambda right: right.float().mean()) -> Callable:
    """Make an answer to IV.1.b from the decisions that are `right`."""
    return lambda probabilities, labels: share(right(probabilities, labels))


def batch_accuracy(probabilities: Tensor, labels: Tensor) -> float:
    return ((probabilities > 0.5) == labels).float().mean().item()


def accuracy_by_loop(probabilities: Tensor, labels: Tensor) -> float:
    right = 0
    for probability, label in zip(probabilities, labels, strict=True):
        if (probability >= 0.5 and label == 1) or (probability < 0.5 and label == 0):
            right += 1
    return right / len(labels)


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def word_scores(model: OneHotMLP) -> Tensor:
    return (model.output.weight @ model.hidden.weight)[0]


def merge_linear(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    merged = nn.Linear(first.in_features, second.out_features)
    merged.weight.data = second.weight.data @ first.weight.data
    merged.bias.data = second.weight.data @ first.bias.data + second.bias.data
    return merged


@torch.no_grad()
def merge_by_copy(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    merged = nn.Linear(first.weight.shape[1], second.weight.shape[0])
    merged.weight.copy_(torch.matmul(second.weight, first.weight))
    merged.bias.copy_(second(first.bias))
    return merged.to(pick_device())


@torch.no_grad()
def merge_by_probing(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    """Read weights and bias off the outputs."""
    merged = nn.Linear(first.in_features, second.out_features)
    merged.bias = nn.Parameter(second(first(torch.zeros(first.in_features))))
    merged.weight = nn.Parameter((second(first(torch.eye(first.in_features))) - merged.bias).T)
    return merged


def merge_in_place(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    second.bias.data = second(first.bias).data
    second.weight.data = second.weight.data @ first.weight.data
    second.in_features = first.in_features
    return second


def merge_spoiling_first(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    merged = merge_linear(first, second)
    first.bias.data.zero_()
    return merged


def merge_with(
    weight: Callable = lambda first, second: second.weight.data @ first.weight.data,
    bias: Callable = lambda first, second: second(first.bias).data,
) -> Callable:
    """Make an answer to IV.3.a with other weights or another bias."""

    def merge(first: nn.Linear, second: nn.Linear) -> nn.Linear:
        merged = nn.Linear(first.in_features, second.out_features)
        merged.weight.data, merged.bias.data = weight(first, second), bias(first, second)
        return merged

    return merge


def merge_without_bias(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    merged = nn.Linear(first.in_features, second.out_features, bias=False)
    merged.weight.data = second.weight.data @ first.weight.data
    return merged


def merge_nothing(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    return nn.Linear(first.in_features, second.out_features)


RIGHT = {
    "iv_1_a": [
        (to_probabilities,),
        (torch.sigmoid,),
        (lambda z: 1 / (1 + math.e ** (-z)),),
        (lambda z: 1 / (1 + np.exp(-z)),),
        (lambda z: torch.exp(F.logsigmoid(z)),),
        (lambda z: (1 + (-z.double()).exp()).reciprocal(),),
        (lambda z: torch.stack([to_probabilities(one) for one in z]),),
        (lambda z: to_probabilities(z.to(pick_device())).requires_grad_(),),
    ],
    "iv_1_b": [
        (batch_accuracy,),
        (accuracy_by_loop,),
        (accuracy(lambda p, y: p.round() == y, lambda right: right.double().mean()),),
        (accuracy(lambda p, y: (p > 0.5) == y, lambda right: right.sum() / len(right)),),
        (accuracy(lambda p, y: (p - y).abs() < 0.5, lambda right: np.mean(right.tolist())),),
        (accuracy(lambda p, y: (p > 0.5).long().eq(y).to(pick_device())),),
        (accuracy(lambda p, y: (torch.logit(p) > 0) == y),),
    ],
    "iv_1_b_2": [("be",), ({"e", "b"},), ("b, e",)],
    "iv_1_c": [
        (count_parameters,),
        (lambda model: sum(math.prod(p.shape) for p in model.parameters()),),
        (lambda model: torch.tensor([p.numel() for p in model.parameters()]).sum(),),
        (lambda model: np.sum([p.numel() for p in model.state_dict().values()]),),
        (lambda model: nn.utils.parameters_to_vector(model.parameters()).numel(),),
    ],
    "iv_2_a": [
        (word_scores,),
        (lambda model: model.hidden.weight.T @ model.output.weight[0],),
        (lambda model: (model.output.weight @ model.hidden.weight).squeeze(0),),
        (lambda model: (model.hidden.weight * model.output.weight.T).sum(dim=0),),
        (lambda model: word_scores(model).detach().double().to(pick_device()),),
        (lambda model: torch.tensor(word_scores(model).tolist()),),
    ],
    "iv_3_a": [(merge_linear,), (merge_by_copy,), (merge_by_probing,)],
    "iv_3_b": [("a",), ("A",)],
}

SECRETS = {
    "iv_1_a": ("exp(", "e^", "torch.sigmoid"),
    "iv_1_b": ("> 0.5", ".mean()", ".float()"),
    "iv_1_b_2": ("these very reviews", "are few", "be"),
    "iv_1_c": ("4,000,601", "4000601", ".numel()", " 32"),
    "iv_2_a": (" @ ", "output.weight", "hidden.weight"),
    "iv_3_a": (" @ ", "V W", "V b"),
    "iv_3_b": ("whatever stands", "depend on", "has one score"),
}

TRAPS = [
    Trap("iv_1_a", (lambda z: z,), "unchanged"),
    Trap("iv_1_a", (torch.exp,), "the odds"),
    Trap("iv_1_a", (lambda z: 1 / (1 + torch.exp(z)),), "minus sign"),
    Trap("iv_1_a", (lambda z: 1 / 1 + torch.exp(-z),), "without brackets"),
    Trap("iv_1_a", (lambda z: torch.softmax(z, dim=0),), "over the *batch*"),
    Trap("iv_1_a", (lambda z: (z > 0).float(),), "How *sure*"),
    Trap("iv_1_a", (lambda z: torch.exp(z) / (1 + torch.exp(z)),), "infinite"),
    Trap("iv_1_a", (torch.tanh,), "between 0 and 1"),
    Trap("iv_1_a", (lambda z: torch.exp(-z),), "between 0 and 1"),
    Trap("iv_1_a", (lambda z: z.clamp(0, 1),), "sign by sign"),
    Trap("iv_1_a", (lambda z: to_probabilities(2 * z),), "sign by sign"),
    Trap("iv_1_a", (lambda z: z.mean(),), "one probability for each"),
    Trap("iv_1_a", (lambda z: to_probabilities(z).tolist(),), "return a tensor"),
    Trap("iv_1_b", (accuracy(lambda p, y: (p > 0.5) == y, Tensor.sum),), "share of the batch"),
    Trap("iv_1_b", (lambda p, y: 100 * batch_accuracy(p, y),), "share of the batch"),
    Trap("iv_1_b", (accuracy(lambda p, y: p == y),), "*equal* to a label"),
    Trap("iv_1_b", (accuracy(lambda p, y: (p > 0.5) != y),), "share of wrong"),
    Trap("iv_1_b", (accuracy(lambda p, y: (p > 0.5) & (y == 1)),), "Right negatives"),
    Trap("iv_1_b", (lambda p, y: ((p > 0.5) & (y == 1)).sum() / y.sum(),), "some of the reviews"),
    Trap("iv_1_b", (lambda p, y: ((p > 0.5) & (y == 1)).sum() / (p > 0.5).sum(),), "some of the"),
    Trap("iv_1_b", (accuracy(lambda p, y: (p > 0) == y),), "belongs to logits"),
    Trap("iv_1_b", (accuracy(lambda p, y: 1 - (p - y).abs()),), "counts decisions"),
    Trap("iv_1_b", (lambda p, y: p.mean(),), "Where do the labels"),
    Trap("iv_1_b", (accuracy(lambda p, y: p > 0.1),), "right means"),
    Trap("iv_1_b", (accuracy(lambda p, y: (p > 0.5) == y, lambda right: right),), "single number"),
    Trap("iv_1_b_2", ("ab",), "the loader"),
    Trap("iv_1_b_2", ("bc",), "fair threshold"),
    Trap("iv_1_b_2", ("d",), "keeps the order"),
    Trap("iv_1_b_2", ("b",), "2 answers"),
    Trap("iv_1_b_2", ("e",), "2 answers"),
    Trap("iv_1_b_2", (92.2,), "answer with letters"),
    Trap("iv_1_c", (lambda model: len(list(model.parameters())),), "*tensors*"),
    Trap("iv_1_c", (lambda m: m.hidden.weight.numel() + m.output.weight.numel(),), "has a bias"),
    Trap("iv_1_c", (lambda m: count_parameters(m.hidden),), "first layer alone"),
    Trap("iv_1_c", (lambda m: sum(sum(p.shape) for p in m.parameters()),), "numel"),
    Trap("iv_1_c", (lambda m: 4_000_601,), "every parameter of the model"),
    Trap("iv_1_c", (lambda m: [p.numel() for p in m.parameters()],), "single number"),
    Trap(
        "iv_1_c",
        (lambda m: count_parameters(m.hidden) + count_parameters(m.output),),
        "for this model alone",
    ),
    Trap("iv_2_a", (lambda m: m.hidden.weight.sum(0),), "weigh them"),
    Trap("iv_2_a", (lambda m: word_scores(m)[None],), "one row"),
    Trap("iv_2_a", (lambda m: m.output.weight[0],), "one number for each word"),
    Trap("iv_2_a", (lambda m: word_scores(m)[:, None],), "one number for each word"),
    Trap("iv_2_a", (lambda m: m.hidden.weight @ m.output.weight,), "which sides touch"),
    Trap("iv_2_a", (lambda m: word_scores(m) + m.output.bias,), "bias belongs to no word"),
    Trap(
        "iv_2_a",
        (lambda m: word_scores(m) + (m.output.weight @ m.hidden.bias),),
        "bias belongs to no word",
    ),
    Trap("iv_2_a", (lambda m: m(torch.eye(m.hidden.in_features)),), "forget the ReLU"),
    Trap("iv_2_a", (lambda m: (m.output.weight @ m.hidden.weight.relu())[0],), "forget the ReLU"),
    Trap("iv_2_a", (lambda m: word_scores(m).abs(),), "sum over the hidden units"),
    Trap("iv_2_a", (lambda m: m.hidden.weight.norm(dim=0),), "sum over the hidden units"),
    Trap("iv_2_a", (lambda m: word_scores(m).tolist(),), "return a tensor"),
    Trap("iv_3_a", (lambda first, second: nn.Sequential(first, second),), "return an nn.Linear"),
    Trap("iv_3_a", (lambda first, second: second,), "Make a new one"),
    Trap("iv_3_a", (merge_in_place,), "Make a new one"),
    Trap("iv_3_a", (merge_spoiling_first,), "Make a new one"),
    Trap("iv_3_a", (lambda a, b: merge_linear(b, a),), "do not fit"),
    Trap("iv_3_a", (merge_with(lambda a, b: a.weight.data @ b.weight.data),), "do not fit"),
    Trap("iv_3_a", (merge_with(lambda a, b: (b.weight @ a.weight).T.data),), "which order"),
    Trap("iv_3_a", (merge_with(bias=lambda a, b: b.bias.data),), "puts out its bias"),
    Trap("iv_3_a", (merge_with(bias=lambda a, b: a.bias.data + b.bias.data),), "first one's bias"),
    Trap(
        "iv_3_a", (merge_with(bias=lambda a, b: b(a.bias).data - b.bias.data),), "the bias is not"
    ),
    Trap("iv_3_a", (merge_with(bias=lambda a, b: 0 * b.bias.data),), "the bias is not"),
    Trap("iv_3_a", (merge_with(bias=lambda a, b: a.bias.data),), "of another length"),
    Trap("iv_3_a", (merge_without_bias,), "no bias of its own"),
    Trap("iv_3_a", (merge_nothing,), "another output"),
    Trap("iv_3_b", ("b",), "no upper bound"),
    Trap("iv_3_b", ("c",), "no parameters"),
    Trap("iv_3_b", ("d",), "without trouble"),
    Trap("iv_3_b", ("yes",), "one letter"),
]
