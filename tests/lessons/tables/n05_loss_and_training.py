"""Answers to notebook 05 in unusual forms; the usual ones come with the exercises themselves."""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import training
from tests.lessons.tables import Trap

LN2 = math.log(2)
FLOOR = math.log(1 + 1 / math.e)


def bce(probabilities: Tensor, targets: Tensor) -> Tensor:
    p, y = probabilities, targets
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


def bce_in_a_loop(probabilities: Tensor, targets: Tensor) -> float:
    pairs = list(zip(probabilities.tolist(), targets.tolist(), strict=True))
    return -sum(math.log(p) if y == 1 else math.log(1 - p) for p, y in pairs) / len(pairs)


def in_evaluation_mode(model: nn.Module, loader: Any) -> float:
    return training.evaluate(model.eval(), loader).loss


def with_graph(model: nn.Module, loader: Any) -> Tensor:
    return sum(training.classification_loss(model(x), y) * len(y) for x, y in loader) / len(
        loader.dataset
    )


def by_apply(model: nn.Module) -> nn.Module:
    return model.apply(lambda part: getattr(part, "reset_parameters", lambda: None)())


def recursively(model: nn.Module) -> nn.Module:
    for part in model.children():
        recursively(part)
    if hasattr(model, "reset_parameters"):
        model.reset_parameters()
    return model


@torch.no_grad()
def by_hand(model: nn.Module) -> nn.Module:
    for layer in model.modules():
        if hasattr(layer, "in_features"):
            bound = layer.in_features**-0.5
            layer.weight.data = torch.empty_like(layer.weight).uniform_(-bound, bound)
            layer.bias.uniform_(-bound, bound)
    return model


def of_the_whole(model: nn.Module) -> nn.Module:
    model.reset_parameters()
    return model


def masked(logits: Tensor, targets: Tensor) -> Tensor:
    one_hot = F.one_hot(targets, logits.shape[1])
    return (torch.logsumexp(logits, 1) - (one_hot * logits).sum(dim=1)).mean()


RIGHT = {
    "v_1_a": [(answer,) for answer in (0.6931, 0.693, np.float32(LN2), torch.tensor([LN2]))],
    "v_1_b": [
        (bce_in_a_loop,),
        (lambda p, y: bce(p.double(), y).numpy(),),
        (lambda p, y: bce(p.clamp(1e-7, 1 - 1e-7), y).to(training.pick_device()).reshape(1),),
    ],
    "v_1_c": [
        (lambda p, y: nn.BCELoss()(p, 1.0 * y),),
        (lambda p, y: F.binary_cross_entropy(p.double(), y.double()),),
    ],
    "v_1_d": [
        (lambda z, y: F.softplus(z * (1 - 2 * y)).mean(),),
        (lambda z, y: (z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs()))).mean(),),
    ],
    "v_2_a": [(in_evaluation_mode,), (with_graph,)],
    "v_2_b": [(by_apply,), (recursively,), (by_hand,)],
    "v_3_a": [(masked,), (nn.CrossEntropyLoss(),), (lambda z, y: F.cross_entropy(z.double(), y),)],
    "v_3_b": [
        (lambda z: z.softmax(1)[:, 1].logit(),),
        (lambda z: (z.double() @ torch.tensor([-1.0, 1.0]).double()).requires_grad_(),),
        (lambda z: [one - zero for zero, one in z.tolist()],),
    ],
    "v_3_c": [(answer,) for answer in (0.3133, np.log1p(1 / np.e), -F.logsigmoid(torch.ones(1)))],
}

TRAPS = [
    Trap("v_1_a", ("0.6931",), "a single number"),
    Trap("v_1_b", (lambda p, y: -(y * p.log() + (1 - y) * (1 - p).log()),), "take the mean"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss()(p, y),), "int64"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss()(p, y.double()),), "same type"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss(p, y.float()),), "two pairs of brackets"),
    Trap("v_1_d", (lambda z, y: nn.BCEWithLogitsLoss()(z, y),), "int64"),
    Trap("v_1_d", (lambda z, y: nn.BCELoss()(z, y.float()),), "takes probabilities"),
    Trap("v_1_d", (lambda z, y: (torch.log(1 + z.exp()) - z * y).mean(),), "infinite"),
    Trap("v_2_b", (of_the_whole,), "whether it has it"),
    Trap("v_3_a", (lambda z, y: F.nll_loss(z.log_softmax(1), y.float()),), "class numbers"),
    Trap("v_3_b", (lambda z: z,), "shape [3]"),
]
