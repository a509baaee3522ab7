"""Notebook 05: answers and mistakes."""

import math
from collections.abc import Callable
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


def batches(model: nn.Module, loader: Any) -> list[tuple[float, int]]:
    with torch.no_grad():
        return [(training.classification_loss(model(x), y).item(), len(y)) for x, y in loader]


def average_loss(model: nn.Module, loader: Any) -> float:
    return training.evaluate(model, loader).loss


def with_graph(model: nn.Module, loader: Any) -> Tensor:
    return sum(training.classification_loss(model(x), y) * len(y) for x, y in loader) / len(
        loader.dataset
    )


def of_batches(combine: Callable) -> Callable:
    """Combine the losses and sizes of the batches."""
    return lambda model, loader: combine(*map(np.array, zip(*batches(model, loader), strict=True)))


def training_instead(model: nn.Module, loader: Any) -> float:
    return training.train_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=0.1))


def backward_too(model: nn.Module, loader: Any) -> float:
    with_graph(model, loader).backward()
    return average_loss(model, loader)


def start_anew(model: nn.Module) -> nn.Module:
    for part in model.modules():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    return model


def by_apply(model: nn.Module) -> nn.Module:
    return model.apply(lambda part: part.reset_parameters() if isinstance(part, nn.Linear) else 0)


def recursively(model: nn.Module) -> nn.Module:
    for part in model.children():
        recursively(part)
    return children_only(model)


@torch.no_grad()
def by_hand(model: nn.Module) -> nn.Module:
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            layer.weight.data = torch.empty_like(layer.weight).uniform_(-bound, bound)
            layer.bias.uniform_(-bound, bound)
    return model


def children_only(model: nn.Module) -> nn.Module:
    for part in model.children():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    return model


def of_the_whole(model: nn.Module) -> nn.Module:
    model.reset_parameters()
    return model


def of_every_part(model: nn.Module) -> nn.Module:
    for part in model:
        part.reset_parameters()
    return model


@torch.no_grad()
def filled(model: nn.Module, draw: Callable[[Tensor], Any], dims: tuple = (1, 2)) -> nn.Module:
    for parameter in model.parameters():
        if parameter.ndim in dims:
            draw(parameter)
    return model


def other_model(model: nn.Module) -> nn.Module:
    inner = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), inner)


def replaced_parameters(model: nn.Module) -> nn.Module:
    for layer in (model[0], *model[2]):
        layer.weight = nn.Parameter(torch.rand_like(layer.weight))
    return model


def cross_entropy(logits: Tensor, targets: Tensor, dim: int = 1) -> Tensor:
    p = torch.softmax(logits, dim=dim)
    return -p[torch.arange(len(targets)), targets].log().mean()


def masked(logits: Tensor, targets: Tensor) -> Tensor:
    one_hot = F.one_hot(targets, logits.shape[1])
    return (torch.logsumexp(logits, 1) - (one_hot * logits).sum(dim=1)).mean()


RIGHT = {
    "v_1_a": [
        (answer,)
        for answer in (LN2, -math.log(0.5), 0.6931, 0.693, np.float32(LN2), torch.tensor([LN2]))
    ],
    "v_1_b": [
        (bce,),
        (bce_in_a_loop,),
        (lambda p, y: F.binary_cross_entropy(p, y.float()).item(),),
        (lambda p, y: -torch.where(y == 1, p, 1 - p).log().sum() / len(y),),
        (lambda p, y: bce(p.double(), y).numpy(),),
        (lambda p, y: bce(p.clamp(1e-7, 1 - 1e-7), y).to(training.pick_device()),),
    ],
    "v_1_c": [
        (lambda p, y: nn.BCELoss()(p, y.float()),),
        (lambda p, y: nn.BCELoss()(p, 1.0 * y).item(),),
        (lambda p, y: F.binary_cross_entropy(p.double(), y.double()),),
    ],
    "v_1_d": [
        (lambda z, y: nn.BCEWithLogitsLoss()(z, y.float()),),
        (lambda z, y: F.binary_cross_entropy_with_logits(z, y.type_as(z)).item(),),
        (lambda z, y: F.softplus(z * (1 - 2 * y)).mean(),),
        (lambda z, y: (z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs()))).mean(),),
    ],
    "v_2_a": [
        (average_loss,),
        (with_graph,),
        (of_batches(lambda means, sizes: np.average(means, weights=sizes)),),
        (of_batches(lambda means, sizes: torch.tensor(np.dot(means, sizes) / sizes.sum())),),
    ],
    "v_2_b": [(start_anew,), (by_apply,), (recursively,), (by_hand,)],
    "v_3_a": [
        (cross_entropy,),
        (masked,),
        (nn.CrossEntropyLoss(),),
        (lambda z, y: F.nll_loss(z.log_softmax(1), y).item(),),
        (lambda z, y: cross_entropy(z.double(), y),),
    ],
    "v_3_b": [
        (lambda z: z[:, 1] - z[:, 0],),
        (lambda z: z.diff(dim=1).squeeze(1),),
        (lambda z: z.softmax(1)[:, 1].logit(),),
        (lambda z: (z.double() @ torch.tensor([-1.0, 1.0]).double()).requires_grad_(),),
        (lambda z: (z[:, 1] - z[:, 0]).to(training.pick_device()),),
    ],
    "v_3_c": [
        (answer,) for answer in (FLOOR, 0.3133, np.log1p(1 / np.e), -F.logsigmoid(torch.ones(1)))
    ],
}

TRAPS = [
    Trap("v_1_a", (-LN2,), "minus sign"),
    Trap("v_1_a", (1.0,), "bits"),
    Trap("v_1_a", (math.log10(2),), "base 10"),
    Trap("v_1_a", (0.5,), "is the probability"),
    Trap("v_1_a", (2,), "perplexity"),
    Trap("v_1_a", (2 * LN2,), "both terms"),
    Trap("v_1_a", (LN2 / 2,), "a factor of one half"),
    Trap("v_1_a", (0.69,), "four digits"),
    Trap("v_1_a", (0.6962,), "an untrained model is only near"),
    Trap("v_1_a", (0.25,), "put p = 0.5"),
    Trap("v_1_a", (math.nan,), "nan"),
    Trap("v_1_b", (lambda p, y: bce(p - 1, y),), "nan"),
    Trap("v_1_a", (torch.full((3,), LN2),), "one number"),
    Trap("v_1_a", ("0.6931",), "one number"),
    Trap("v_1_a", (math.log,), "one number"),
    Trap("v_1_b", (lambda p, y: -bce(p, y),), "minus sign"),
    Trap("v_1_b", (lambda p, y: bce(p, y) * len(y),), "sum over the batch"),
    Trap("v_1_b", (lambda p, y: -(y * p.log()).mean(),), "negative reviews add nothing"),
    Trap("v_1_b", (lambda p, y: -((1 - y) * (1 - p).log()).mean(),), "positive reviews add"),
    Trap("v_1_b", (lambda p, y: bce(1 - p, y),), "swapped"),
    Trap("v_1_b", (lambda p, y: -torch.where(y == 1, p, 1 - p).mean().log(),), "logarithm of the"),
    Trap("v_1_b", (lambda p, y: bce(p, y) / LN2,), "natural logarithm"),
    Trap("v_1_b", (lambda p, y: bce(p, y) / math.log(10),), "natural logarithm"),
    Trap(
        "v_1_b",
        (lambda p, y: torch.special.entr(torch.where(y == 1, p, 1 - p)).mean(),),
        "before each logarithm",
    ),
    Trap("v_1_b", (lambda p, y: ((p - y) ** 2).mean(),), "each of the four"),
    Trap("v_1_b", (lambda p, y: -(y * p.log() + (1 - y) * (1 - p).log()),), "one number"),
    Trap(
        "v_1_b",
        (lambda p, y: bce(p, y) * len(y) / (4 if len(y) == 2 else len(y)),),
        "not by the",
    ),
    Trap("v_1_b", (lambda p, y: bce(p, y) if len(y) > 1 else 0.0,), "batch of one"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss()(p, y),), "int64"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss()(p, y.double()),), "same type"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss(p, y.float()),), "two pairs of brackets"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss(),), "This is BCELoss"),
    Trap("v_1_c", (lambda p, y: nn.BCEWithLogitsLoss()(p, y.float()),), "sigmoid once more"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss()(p.sigmoid(), y.float()),), "sigmoid once more"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss(reduction="sum")(p, y.float()),), "sum"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss()(y.float(), p),), "swapped"),
    Trap("v_1_c", (lambda p, y: nn.MSELoss()(p, y.float()),), "BCELoss itself"),
    Trap("v_1_c", (lambda p, y: nn.BCELoss(reduction="none")(p, y.float()),), "one number"),
    Trap(
        "v_1_c",
        (lambda p, y: nn.BCELoss()(p, y.float()) if len(y) > 1 else 0.0,),
        "batch of one",
    ),
    Trap("v_1_d", (lambda z, y: nn.BCEWithLogitsLoss()(z, y),), "int64"),
    Trap("v_1_d", (lambda z, y: nn.BCELoss()(z, y.float()),), "takes probabilities"),
    Trap("v_1_d", (lambda z, y: nn.BCEWithLogitsLoss(z, y.float()),), "two pairs of brackets"),
    Trap("v_1_d", (lambda z, y: nn.BCEWithLogitsLoss()(z.sigmoid(), y.float()),), "two sigmoids"),
    Trap("v_1_d", (lambda z, y: nn.BCELoss()(z.sigmoid(), y.float()),), "forgotten"),
    Trap("v_1_d", (lambda z, y: bce(z.sigmoid(), y),), "infinite"),
    Trap("v_1_d", (lambda z, y: (torch.log(1 + z.exp()) - z * y).mean(),), "infinite"),
    Trap("v_1_d", (lambda z, y: (torch.log1p((-z).exp()) + (1 - y) * z).mean(),), "of -120"),
    Trap("v_1_d", (lambda z, y: nn.BCEWithLogitsLoss(reduction="sum")(z, y.float()),), "sum"),
    Trap("v_1_d", (lambda z, y: nn.BCEWithLogitsLoss()(-z, y.float()),), "another value"),
    Trap("v_2_a", (training_instead,), "without training"),
    Trap("v_2_a", (backward_too,), "backward pass"),
    Trap("v_2_a", (of_batches(lambda means, sizes: means.mean()),), "last batch is smaller"),
    Trap("v_2_a", (of_batches(lambda means, sizes: means[-1]),), "last batch alone"),
    Trap("v_2_a", (of_batches(lambda means, sizes: means[0]),), "first batch alone"),
    Trap("v_2_a", (of_batches(lambda means, sizes: means @ sizes),), "that is a sum"),
    Trap("v_2_a", (of_batches(lambda means, sizes: means.sum()),), "that is a sum"),
    Trap("v_2_a", (of_batches(lambda means, sizes: means @ sizes / 3),), "number of batches"),
    Trap("v_2_a", (of_batches(lambda means, sizes: means.sum() / 7),), "mean already"),
    Trap("v_2_a", (of_batches(lambda means, sizes: 3 * means.sum() / 7),), "as a full one"),
    Trap("v_2_a", (of_batches(lambda means, sizes: 0.69),), "3, 3 and 1"),
    Trap("v_2_a", (of_batches(lambda means, sizes: means),), "one number"),
    Trap(
        "v_2_a",
        (lambda m, data: average_loss(m, data) if len(data) > 1 else 0.0,),
        "batch of one",
    ),
    Trap("v_2_b", (lambda model: model,), "nothing has changed"),
    Trap("v_2_b", (lambda model: True,), "return the model"),
    Trap("v_2_b", (other_model,), "new parameters"),
    Trap("v_2_b", (replaced_parameters,), "new parameters"),
    Trap("v_2_b", (children_only,), "inside another"),
    Trap("v_2_b", (of_the_whole,), "whether it has it"),
    Trap("v_2_b", (of_every_part,), "whether it has it"),
    Trap("v_2_b", (lambda model: filled(model, nn.init.xavier_uniform_, (2,)),), "the biases are"),
    Trap("v_2_b", (lambda model: filled(model, nn.init.zeros_),), "all its units"),
    Trap("v_2_b", (lambda model: filled(model, nn.init.normal_),), "a new layer"),
    Trap("v_3_a", (lambda z, y: -cross_entropy(z, y),), "minus sign"),
    Trap("v_3_a", (lambda z, y: cross_entropy(z, y) * len(y),), "sum over the batch"),
    Trap("v_3_a", (lambda z, y: cross_entropy(z, y, dim=0),), "which axis"),
    Trap("v_3_a", (lambda z, y: F.cross_entropy(z.softmax(1), y),), "softmax applied twice"),
    Trap("v_3_a", (lambda z, y: F.nll_loss(z.softmax(1), y),), "logarithm is missing"),
    Trap("v_3_a", (lambda z, y: -F.nll_loss(z.softmax(1), y),), "logarithm is missing"),
    Trap("v_3_a", (lambda z, y: -F.nll_loss(z.softmax(1), y).neg().log(),), "logarithm of the"),
    Trap("v_3_a", (lambda z, y: -z.log_softmax(1).mean(),), "all classes count"),
    Trap("v_3_a", (lambda z, y: -z.log_softmax(1).sum() / len(y),), "all classes count"),
    Trap("v_3_a", (lambda z, y: cross_entropy(z, y) / LN2,), "another base"),
    Trap("v_3_a", (lambda z, y: F.nll_loss(z, y),), "divided by their sum"),
    Trap("v_3_a", (lambda z, y: F.nll_loss(F.logsigmoid(z), y),), "each logit by itself"),
    Trap("v_3_a", (lambda z, y: -z.log_softmax(1)[y].mean(),), "more than one entry"),
    Trap("v_3_a", (lambda z, y: -z.log_softmax(1)[:, y].mean(),), "more than one entry"),
    Trap("v_3_a", (lambda z, y: F.nll_loss(z.log_softmax(1), y.float()),), "class numbers"),
    Trap("v_3_a", (lambda z, y: F.mse_loss(z, F.one_hot(y, z.shape[1]).float()),), "one sample by"),
    Trap("v_3_a", (lambda z, y: F.cross_entropy(z, y, reduction="none"),), "one number"),
    Trap("v_3_a", (lambda z, y: cross_entropy(z, y) if len(y) > 1 else 0.0,), "batch of one"),
    Trap("v_3_b", (lambda z: z[:, 0] - z[:, 1],), "sign is turned"),
    Trap("v_3_b", (lambda z: z[:, 1],), "class 1 alone"),
    Trap("v_3_b", (lambda z: (z[:, 1] - z[:, 0]).sigmoid(),), "probability already"),
    Trap("v_3_b", (lambda z: z.softmax(1)[:, 1] - z.softmax(1)[:, 0],), "made of probabilities"),
    Trap("v_3_b", (lambda z: z.argmax(dim=1),), "the class already"),
    Trap("v_3_b", (lambda z: z.sum(dim=1),), "adding the same number"),
    Trap("v_3_b", (lambda z: z.diff(dim=1),), "[batch, 1]"),
    Trap("v_3_b", (lambda z: z,), "shape [batch]"),
    Trap("v_3_b", (lambda z: [1.5, 0.0, -4.0],), "tensor"),
    Trap("v_3_b", (lambda z: (z[:, 1] - z[:, 0]) / 2,), "factor of two"),
    Trap("v_3_b", (lambda z: z[:, 1] / 2 - z[:, 0],), "second column"),
    Trap("v_3_b", (lambda z: z.diff(dim=1).squeeze(),), "batch of one"),
    Trap("v_3_c", (-FLOOR,), "minus sign"),
    Trap("v_3_c", (0,), "not bounded"),
    Trap("v_3_c", (LN2,), "undecided"),
    Trap("v_3_c", (math.log(1 + math.e),), "highest loss"),
    Trap("v_3_c", (math.e / (1 + math.e),), "that is a probability"),
    Trap("v_3_c", (1 / (1 + math.e),), "that is a probability"),
    Trap("v_3_c", (1 / math.e,), "ratio"),
    Trap("v_3_c", (FLOOR / LN2,), "another base"),
    Trap("v_3_c", (0.31,), "four digits"),
    Trap("v_3_c", (-math.log(0.73),), "four digits"),
    Trap("v_3_c", (0.4,), "best of all cases"),
    Trap("v_3_c", (lambda: FLOOR,), "one number"),
]

SECRETS = {
    "v_1_a": ("0.69", "ln 2", "ln 0.5", "log(2", "log(0.5"),
    "v_1_b": ("torch.log", "(1 - y)", "(1 − y)", "mean()", "0.57"),
    "v_1_c": (".float()", "BCELoss()(", "0.57"),
    "v_1_d": ("BCEWithLogitsLoss()(", ".float()", "log1p"),
    "v_2_a": ("no_grad", "len(targets)", "mean_loss"),
    "v_2_b": ("hasattr", "model.modules", ".reset_parameters("),
    "v_3_a": ("torch.arange", "dim=1", "keepdim", "log_softmax(logits"),
    "v_3_b": ("difference", "z₁ −", "[:, 1]", "[:, 0]", "diff("),
    "v_3_c": ("0.313", "1 + 1/e", "e + 1", "(0, 1)", "0.73"),
}
