"""What the checks of notebook 09 try an answer on: layers, broken layers, models, and probes."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.datasets import Bags
from helpers.lora import LoRALinear
from helpers.models import BagLinear


def numbers(*shape: int) -> Tensor:
    """Return numbers of either sign between -1 and 1, the same for the same shape."""
    count = math.prod(shape)
    return torch.sin(1.0 + 0.7 * torch.arange(count) ** 1.1).reshape(shape)


def linear(in_features: int, out_features: int) -> nn.Linear:
    """Return a layer whose weight and bias are `numbers`."""
    layer = nn.Linear(in_features, out_features)
    return fill(layer, "weight", "bias")


@torch.no_grad()
def fill(layer: Any, *names: str) -> Any:
    """Put `numbers` into the named parameters of a layer, and return it."""
    for name in names or ("lora_A", "lora_B"):
        parameter = getattr(layer, name)
        parameter.copy_(numbers(*parameter.shape))
    return layer


# --- probes: what is done with the student's class -----------------------------------------


def begin(cls: type, in_features: int, out_features: int, r: int, alpha: float | None) -> dict:
    """Make a layer, and say what a new one is like."""
    base = linear(in_features, out_features)
    layer = cls(base, r) if alpha is None else cls(base, r, alpha)
    parameters = dict(layer.named_parameters())
    return {
        "trained": {name for name, part in parameters.items() if part.requires_grad},
        "frozen": {name for name, part in parameters.items() if not part.requires_grad},
        "lora_A": list(layer.lora_A.shape),
        "lora_B": list(layer.lora_B.shape),
        "A": size_of(layer.lora_A.detach()),
        "B": size_of(layer.lora_B.detach()),
        "scaling": layer.scaling,
        "enabled": layer.enabled,
        "merged": layer.merged,
        "weight": torch.equal(layer.base_layer.weight, linear(in_features, out_features).weight),
    }


def size_of(matrix: Tensor) -> str:
    """Say how large the numbers of a matrix [r, in] are, against 1 / √in."""
    unit = 1 / math.sqrt(matrix.shape[-1])
    mean, spread = matrix.mean().abs() / unit, matrix.std() / unit
    if not matrix.any():
        return "zero"
    if not (torch.isfinite(spread) and mean < 0.2 * spread and spread > 0.2):
        return "not random around zero"
    return "small" if spread < 1.3 else "large"


def send(cls: type, batch: int, in_features: int, out_features: int, r: int, alpha: float) -> dict:
    """Send a batch through a layer that is on, off, and marked as merged."""
    layer, inputs = (
        fill(cls(linear(in_features, out_features), r, alpha)),
        numbers(batch, in_features),
    )
    with torch.no_grad():
        with FlopCounterMode(display=False) as counter:
            on = layer(inputs)
        layer.enabled = False
        off = layer(inputs)
        layer.enabled, layer.merged = True, True
        merged = layer(inputs)
    thin = 2 * batch * (in_features * out_features + r * (in_features + out_features))
    return {"on": on, "off": off, "merged": merged, "cheap": counter.get_total_flops() <= thin}


def live(cls: type, in_features: int, out_features: int, r: int, alpha: float) -> dict:
    """Merge a layer and unmerge it, and do so once more with another B."""
    base = linear(in_features, out_features)
    layer, inputs = fill(cls(base, r, alpha)), numbers(3, in_features)
    found = {"update": layer.get_delta_weight(), "outputs before": layer(inputs)}
    layer.merge()
    weight = layer.base_layer.weight
    found["frozen"] = isinstance(weight, nn.Parameter) and not weight.requires_grad
    found |= {"outputs": layer(inputs), "merged": layer.merged}
    layer.unmerge()
    found |= {"W": nearness(layer, linear(in_features, out_features)), "unmerged": layer.merged}
    layer.merged = False
    with torch.no_grad():
        layer.base_layer.weight.copy_(linear(in_features, out_features).weight)
    layer.merge()
    nn.init.constant_(layer.lora_B, 5.0)
    layer.unmerge()
    return found | {"W, B changed": nearness(layer, linear(in_features, out_features))}


def nearness(layer: Any, original: nn.Linear) -> str:
    """Say how near the weight of a layer is to the original one."""
    weight = layer.base_layer.weight
    if torch.equal(weight, original.weight):
        return "equal"
    return "nearly" if torch.allclose(weight, original.weight, atol=1e-4) else "another"


def verdict(merge_is_faithful: Callable, layer: LoRALinear, inputs: Tensor) -> object:
    """Return what the student's test says of a layer."""
    try:
        return merge_is_faithful(layer, inputs)
    except AssertionError:
        return "an assert"


# --- layers for the test that can fail ------------------------------------------------------


class CountsTwice(LoRALinear):
    """The adapter stays switched on after the merge."""

    def merge(self) -> None:
        """Merge without a note of it."""
        super().merge()
        self.merged = False

    def unmerge(self) -> None:
        """Give W back all the same."""
        self.merged = True
        super().unmerge()


class ForgetsScaling(LoRALinear):
    """The merge leaves the scaling out."""

    def get_delta_weight(self) -> Tensor:
        """Return what this layer merges."""
        return self.lora_B @ self.lora_A


class MergesNothing(LoRALinear):
    """The merge switches the adapter off and leaves W as it is."""

    def get_delta_weight(self) -> Tensor:
        """Return what this layer merges."""
        return torch.zeros_like(self.base_layer.weight)


class Subtracts(LoRALinear):
    """The merge has the wrong sign."""

    def get_delta_weight(self) -> Tensor:
        """Return what this layer merges."""
        return -super().get_delta_weight()


class Shifts(LoRALinear):
    """The merge adds a little to W that is no update: seen with a new adapter, too."""

    def get_delta_weight(self) -> Tensor:
        """Return what this layer merges."""
        return super().get_delta_weight() + 0.01


class Explodes(LoRALinear):
    """The merge adds a thousand times the update."""

    def get_delta_weight(self) -> Tensor:
        """Return what this layer merges."""
        return 1_000 * super().get_delta_weight()


KINDS = (*(LoRALinear, CountsTwice, ForgetsScaling, MergesNothing, Subtracts, Shifts, Explodes),)


def new_layer(kind: type[LoRALinear]) -> Callable:
    """Return a function that makes a new layer of a kind, and inputs [batch, in] for it."""
    return lambda: (kind(linear(6, 6), r=2, alpha=3.0), numbers(5, 6))


# --- models ---------------------------------------------------------------------------------


class Nested(nn.Module):
    """Linear layers at two depths; the first is large, so that a file of all weights is, too."""

    def __init__(self) -> None:
        super().__init__()
        self.first = linear(600, 50)
        self.block = nn.Sequential(nn.ReLU(), linear(50, 50), nn.ReLU())
        self.last = linear(50, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [batch, 600] to [batch, 3]."""
        return self.last(self.block(self.first(inputs)))


class Tied(nn.Module):
    """A table of words whose weight is the last layer's, too, as in many language models."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.middle, self.last = nn.Embedding(7, 4), nn.Linear(4, 4), nn.Linear(4, 7)
        self.last.weight = self.table.weight

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids [batch] to logits [batch, 7]."""
        return self.last(self.middle(self.table(ids)))


def partly_frozen() -> nn.Module:
    """Return a model of 2 layers, 26 numbers, 20 of them trained."""
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
    model[2].requires_grad_(False)
    return model


# --- bags -----------------------------------------------------------------------------------

BAGS = Bags(torch.tensor([0, 2, 5, 1, 2]), torch.tensor([0, 3, 3, 5]))  # the second one is empty


def send_bags(cls: type, out_features: int, r: int, alpha: float) -> dict:
    """Send bags through a layer that is on and off, and merge it."""
    base = fill(BagLinear(6, out_features), "weight", "bias")
    layer = fill(cls(base, r, alpha))
    with torch.no_grad():
        found = {"on": layer(BAGS), "update": list(layer.get_delta_weight().shape)}
        layer.disable()
        found["off"] = layer(BAGS)
        layer.enable()
        layer.merge()
        return found | {"merged": layer(BAGS)}
