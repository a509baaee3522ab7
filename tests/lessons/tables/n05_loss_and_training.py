"""Answers to notebook 05 in unusual forms; the usual ones come with the exercises themselves."""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import training
from helpers.models import BagLinear
from tests.lessons.tables import Trap


def bce(probabilities: Tensor, targets: Tensor) -> Tensor:
    p, y = probabilities, targets
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


def bce_in_a_loop(probabilities: Tensor, targets: Tensor) -> float:
    pairs = list(zip(probabilities.tolist(), targets.tolist(), strict=True))
    return -sum(math.log(p) if y == 1 else math.log(1 - p) for p, y in pairs) / len(pairs)


def masked(logits: Tensor, targets: Tensor) -> Tensor:
    one_hot = F.one_hot(targets, logits.shape[1])
    return (torch.logsumexp(logits, 1) - (one_hot * logits).sum(dim=1)).mean()


def plain_epoch(model: nn.Module, loader: Any, optimizer: Any, loss: Any = None) -> float:
    total = count = 0
    model.train()
    for inputs, targets in loader:
        inputs, targets = inputs.to("cpu"), targets.to("cpu")
        optimizer.zero_grad(set_to_none=False)
        value = (loss or training.classification_loss)(model(inputs), targets)
        value.backward()
        optimizer.step()
        total, count = total + value.item() * targets.shape[0], count + targets.shape[0]
    assert count == len(loader.dataset)
    return total / len(loader.dataset)


def not_recorded(model: nn.Module, loader: Any, optimizer: Any, loss: Any = None) -> float:
    with torch.no_grad():
        return plain_epoch(model, loader, optimizer, loss)


class Sequential(nn.Module):
    def __init__(self, vocab_size: int, hidden_size: int = 200) -> None:
        super().__init__()
        self.hidden, self.output = BagLinear(vocab_size, hidden_size), nn.Linear(hidden_size, 2)

    def forward(self, bags: Any) -> Tensor:
        return nn.Sequential(self.hidden, nn.ReLU(), self.output)(bags)

    @torch.no_grad()
    def chances(self, bags: Any) -> Tensor:
        return torch.sigmoid(self(bags) @ torch.tensor([-1.0, 1.0]))


class Dense(Sequential):
    def __init__(self, vocab_size: int, hidden_size: int = 200) -> None:
        super().__init__(vocab_size, hidden_size)
        self.hidden = nn.Linear(vocab_size, hidden_size)


def by_data(layer: nn.Linear) -> nn.Linear:
    made = nn.Linear(layer.in_features, 1)
    made.weight.data, made.bias.data = layer.weight.data.diff(dim=0), layer.bias.data.diff()
    return made


def without_copying(layer: nn.Linear) -> nn.Linear:
    made = nn.Linear(layer.in_features, 1)
    made.weight = layer.weight[1:] - layer.weight[:1]
    return made


def changing_it(layer: nn.Linear) -> nn.Linear:
    with torch.no_grad():
        layer.weight[1] -= layer.weight[0]
        layer.bias[1] -= layer.bias[0]
        made = nn.Linear(layer.in_features, 1)
        made.weight.copy_(layer.weight[1:])
        made.bias.copy_(layer.bias[1:])
    return made


def in_place(
    loss: Any, start: Tensor, lr: float, num_steps: int, momentum: float = 0.0, copy: bool = True
) -> list:
    weights = start.clone() if copy else start
    velocity: Any = 0.0
    path = [weights.clone()]
    for _ in range(num_steps):
        weights.requires_grad_().grad = None
        loss(weights).backward()
        velocity = momentum * velocity + weights.grad
        weights = weights.detach()
        weights -= lr * velocity
        path.append(weights.clone())
    return path


def velocity_last(loss: Any, start: Tensor, lr: float, num_steps: int, momentum: float) -> Tensor:
    path, velocity = [start.clone()], torch.zeros_like(start)
    for _ in range(num_steps):
        weights = path[-1].clone().requires_grad_()
        path.append(path[-1] - lr * velocity)
        velocity = momentum * velocity + torch.autograd.grad(loss(weights), weights)[0]
    return torch.stack(path)


def by_optimizer(loss: Any, start: Tensor, lr: float, *_: Any) -> Tensor:
    weights = start.clone().requires_grad_()
    torch.optim.SGD([weights], lr=lr).step()
    return weights


def of_no_leaf(loss: Any, start: Tensor, lr: float, *_: Any) -> Tensor:
    weights = 1.0 * start.clone().requires_grad_()
    loss(weights).backward()
    return torch.stack([start, weights - lr * weights.grad])


def of_fixed_size(vocab_size: int, hidden_size: int) -> nn.Module:
    return Sequential(20_001, hidden_size)


class Quiet(Sequential):
    @torch.no_grad()
    def chances(self, bags: Any) -> Tensor:
        return self.eval()(bags).softmax(1)[:, 1]


class OneLogit(Sequential):
    def __init__(self, vocab_size: int, hidden_size: int = 200) -> None:
        super().__init__(vocab_size, hidden_size)
        self.output = nn.Linear(hidden_size, 1)

    def chances(self, bags: Any) -> Tensor:
        return self(bags)[:, 1]


def epoch_with(loss_of: Any) -> Any:
    """Give an answer to 05.2 that computes its loss by `loss_of(loss, outputs, targets)`."""

    def taught(logits: Tensor, targets: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, targets.float())

    def train_epoch(model: nn.Module, loader: Any, optimizer: Any, loss: Any = taught) -> float:
        return plain_epoch(model, loader, optimizer, lambda z, y: loss_of(loss, z, y))

    return train_epoch


def of_the_first_batch(model: nn.Module, loader: Any, *rest: Any) -> float:
    return plain_epoch(model, type(loader)([*loader][:1]), *rest)


device = torch.device("cpu")  # as in the notebook


def by_the_notebooks_device(model: nn.Module, loader: Any, *rest: Any) -> float:
    return plain_epoch(model, type(loader)([x.to(device) for x in pair] for pair in loader), *rest)


def with_numpy(logits: Tensor, targets: Tensor) -> float:
    z = logits.numpy()
    return float(np.log(np.exp(z).sum(1)).mean() - z[np.arange(len(z)), targets].mean())


def with_helpers(model: nn.Module, learn: Any, judge: Any, optimizer: Any, num_epochs: int) -> list:
    report = []
    for _ in range(num_epochs):
        loss = training.train_epoch(model, learn, optimizer)
        report.append([loss, training.evaluate(model, judge).accuracy])
    return report


RIGHT = {
    "v_1_b": [
        (bce_in_a_loop,),
        (lambda p, y: bce(p.double(), y).numpy(),),
        (lambda p, y: bce(p.clamp(1e-7, 1 - 1e-7), y).reshape(1),),
    ],
    "ex_05_1": [
        (lambda z, y: (torch.logaddexp(z, torch.zeros_like(z)) - z * y).mean(),),
        (lambda z, y: torch.logaddexp(z * (1 - 2 * y), torch.zeros(1)).sum() / len(y),),
    ],
    "ex_05_2": [(plain_epoch,), (training.train_epoch,)],
    "v_3_a": [(masked,), (lambda z, y: -z.log_softmax(1)[range(len(y)), y].mean(),)],
    "ex_05_3": [(Sequential,)],
    "v_3_b": [(by_data,)],
    "v_3_c": [
        (lambda n: np.log1p((n - 1) / np.e),),
        (lambda n: 1 - torch.tensor(math.e).log() + torch.tensor(math.e + n - 1).log() - 1,),
    ],
    "ex_05_4": [(in_place,)],
    "ex_05_open": [(with_helpers,)],
}

TRAPS = [
    Trap("v_1_b", (lambda p, y: nn.BCELoss()(p, y.float()),), "ready-made"),
    Trap("ex_05_1", (lambda z, y: nn.BCEWithLogitsLoss()(z, y.float()),), "ready-made"),
    Trap("ex_05_1", (lambda z, y: bce(torch.sigmoid(z), y),), "never gets above 0"),
    Trap("ex_05_1", (lambda z, y: bce(torch.sigmoid(z) * (1 - 2e-7) + 1e-7, y),), "is cut off"),
    Trap("ex_05_1", (lambda z, y: max(z, 0) - (z * y).mean(),), "True or False"),
    Trap("ex_05_2", (not_recorded,), "under no_grad"),
    Trap("v_3_a", (nn.CrossEntropyLoss(),), "ready-made"),
    Trap("v_3_a", (lambda z, y: -(z.exp() / z.exp().sum(1)).log()[:, y].mean(),), "keepdim"),
    Trap("v_3_a", (lambda z, y: -z.log_softmax(1).gather(1, y).mean(),), "targets[:, None]"),
    Trap("ex_05_3", (Dense,), "BagLinear"),
    Trap("v_3_a", (with_numpy,), "which NumPy does not know"),
    Trap("v_3_a", (lambda z, y: F.cross_entropy(z.detach(), y).item(),), "ready-made"),
    Trap("v_3_a", (lambda z, y: torch.tensor(masked(z, y).item()),), "no gradient leads"),
    Trap("v_3_a", (lambda z, y: masked(z.exp_().log(), y),), "makes a new tensor"),
    Trap("ex_05_1", (lambda z, y: z.clamp_(min=0).mean(),), "makes a new tensor"),
    Trap("ex_05_2", (by_the_notebooks_device,), "*the model's* parameters"),
    Trap("ex_05_2", (epoch_with(lambda loss, z, y: loss(z, y.float())),), "as they are, int64"),
    Trap("ex_05_2", (epoch_with(lambda loss, z, y: loss(y, z)),), "outputs first"),
    Trap("ex_05_3", (Quiet,), "`model.training` should not be False"),
    Trap("ex_05_3", (OneLogit,), "what `forward` gives should not be tensor [3, 1]"),
    Trap("v_3_b", (lambda layer: nn.Sequential(layer, nn.Linear(2, 1)),), "return an nn.Linear"),
    Trap("ex_05_2", (of_the_first_batch,), "first batch's loss alone"),
    Trap("ex_05_4", (velocity_last,), "First the new v"),
    Trap("ex_05_4", (by_optimizer,), "no optimizer is allowed"),
    Trap("ex_05_4", (of_no_leaf,), "calculated from others"),
    Trap("ex_05_1", (lambda z, y: (torch.max(z, 0) - z * y).mean(),), "along axis 0"),
    Trap("ex_05_3", (of_fixed_size,), "the two arguments"),
    Trap("ex_05_open", (lambda *a: with_helpers(*a)[:1],), "a pair for each of 3 epochs"),
    Trap("ex_05_open", (lambda *a: with_helpers(*a)[-1],), "Return a list with a pair"),
    Trap("v_3_b", (without_copying,), "Copy the numbers"),
    Trap("v_3_b", (changing_it,), "in place"),
    Trap("v_3_b", (lambda layer: (layer.weight.diff(dim=0), layer.bias.diff()),), "nn.Linear"),
    Trap("ex_05_4", (lambda *a: in_place(*a, copy=False),), "in place"),
]
