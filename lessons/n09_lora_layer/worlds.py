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
from lessons.comparing import same


def numbers(*shape: int) -> Tensor:
    """Return numbers of either sign between -1 and 1, the same for the same shape."""
    count = math.prod(shape)
    return torch.sin(1.0 + 0.7 * torch.arange(count) ** 1.1).reshape(shape)


def linear(in_features: int, out_features: int) -> nn.Linear:
    """Return a layer whose weight and bias are `numbers`."""
    return fill(nn.Linear(in_features, out_features), "weight", "bias")


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
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)  # torch.empty is full of nan now
    try:
        layer = (cls(base, r) if alpha is None else cls(base, r, alpha)).cpu()  # wherever it is
    finally:
        torch.use_deterministic_algorithms(deterministic)
    parameters = dict(layer.named_parameters())
    return {
        "trained": {name for name, part in parameters.items() if part.requires_grad},
        "frozen": {name for name, part in parameters.items() if not part.requires_grad},
        "lora_A": list(layer.lora_A.shape),
        "lora_B": list(layer.lora_B.shape),
        "A": size_of(layer.lora_A.detach()),
        "B": size_of(layer.lora_B.detach()),
        "settings": [layer.r, layer.alpha],
        "scaling": layer.scaling,
        "enabled": layer.enabled,
        "merged": layer.merged,
        "given": layer.base_layer is base,
        "weight": torch.equal(base.weight, linear(in_features, out_features).weight),
    }


def size_of(matrix: Tensor) -> str:
    """Say how large the numbers of a matrix [r, in] are, against 1 / √in."""
    if matrix.isnan().any():
        return "never filled"
    if not matrix.any():
        return "zero"
    spread, reach = torch.stack([matrix.std(), matrix.abs().max()]) * math.sqrt(matrix.shape[-1])
    if matrix.mean().abs() > 0.2 * matrix.std():
        return "not around zero"
    return "narrow" if reach < 0.9 else "right" if spread < 1.2 else "wide"


def send(cls: type, batch: int, in_features: int, out_features: int, r: int, alpha: float) -> tuple:
    """Send a batch through a layer that is on, off, and marked as merged.

    Returns the three outputs, and, if they are right, whether no product [out, in] was formed,
    and whether A and B get gradients.
    """
    layer, right = (
        fill(kind(linear(in_features, out_features), r, alpha).cpu()) for kind in (cls, LoRALinear)
    )
    inputs = numbers(batch, in_features)
    with FlopCounterMode(display=False) as counter:
        on = layer(inputs)
    found, wanted = [on], [right(inputs)]
    for state in ({"enabled": False}, {"enabled": True, "merged": True}):
        vars(layer).update(state), vars(right).update(state)
        found, wanted = [*found, layer(inputs)], [*wanted, right(inputs)]
    if not same(found, wanted):
        return (*found, None, None)
    learns = on.requires_grad and all(
        part is not None
        for part in torch.autograd.grad(on.sum(), [layer.lora_A, layer.lora_B], allow_unused=True)
    )
    thin = 2 * batch * (in_features * out_features + r * (in_features + out_features))
    return (*found, counter.get_total_flops() <= thin, learns)


def live(cls: type, in_features: int, out_features: int, r: int, alpha: float) -> dict:
    """Merge a layer and unmerge it, and do so once more with another B."""
    base, inputs = linear(in_features, out_features), numbers(3, in_features)
    layer = fill(cls(base, r, alpha).cpu())
    weight = layer.base_layer.weight
    weight.data /= 2  # W may change between making and merging
    product, old = (layer.lora_B @ layer.lora_A).detach(), weight.detach().clone()
    before, update = layer(inputs), in_terms_of(layer.get_delta_weight(), product, alpha / r)
    layer.merge()
    merged = layer.base_layer.weight
    found: dict[str, Any] = {
        "update": update,
        "frozen": isinstance(merged, nn.Parameter) and not merged.requires_grad,
        "sizes": [*merged.shape],
        "added": in_terms_of(merged - old, product, alpha / r),
        "same outputs": torch.allclose(layer(inputs), before, atol=1e-4),
        "merged": layer.merged,
    }
    layer.unmerge()
    found |= {
        "W": nearness(layer.base_layer.weight, old),
        "still merged": layer.merged,
        "trained": {name for name, part in layer.named_parameters() if part.requires_grad},
        "in place": merged is weight and layer.base_layer.weight is weight,
        "enabled": layer.enabled,
        "A, B kept": torch.equal(layer.lora_B @ layer.lora_A, product),
    }
    layer.enabled, layer.merged, layer.base_layer.weight.data = True, False, old.clone()
    layer.merge()
    nn.init.constant_(layer.lora_B, 5.0)
    layer.unmerge()
    return found | {"W, B changed": nearness(layer.base_layer.weight, old)}


def in_terms_of(matrix: object, product: Tensor, scaling: float) -> str:
    """Say what a matrix [out, in] is, in terms of the product B A and the update Δ."""
    words = {"Δ": scaling, "B A": 1.0, "−Δ": -scaling, "nothing": 0.0}
    equal = (word for word, factor in words.items() if same(matrix, factor * product, 1e-3))
    return next(equal, "another")


def nearness(weight: Tensor, original: Tensor) -> str:
    """Say how near a weight is to the original one."""
    if torch.equal(weight, original):
        return "equal"
    return "nearly" if torch.allclose(weight, original, atol=1e-4) else "another"


def verdict(merge_is_faithful: Callable, layer: LoRALinear, inputs: Tensor) -> object:
    """Return what the student's test says of a layer."""
    try:
        found = merge_is_faithful(layer, inputs)
        if found is None:  # an assert, perhaps, that only a broken layer meets
            merge_is_faithful(*new_layer(Shifts)())
    except AssertionError:
        return "an assert"
    return found


# --- layers for the test that can fail ------------------------------------------------------


def spoiled(base: type = LoRALinear, /, **members: Any) -> type:
    """Return a layer with other methods than the right one."""
    return type("Spoiled", (base,), members)


def merging(fault: str, change: Callable) -> type[LoRALinear]:
    """Return a layer that merges something else than its update [6, 6]."""
    right = LoRALinear.get_delta_weight
    return spoiled(__doc__=fault, get_delta_weight=lambda self: change(right(self)))


SIGNS = torch.tensor([1.0, -1.0] * 3)[:, None]  # with them the mean of the outputs stays
Shifts = merging("The merge moves each number of W by 0.01.", lambda delta: delta + 0.01 * SIGNS)
CountsTwice = spoiled(
    __doc__="The update counts after the merge, too.",
    forward=lambda self, x: self.base_layer(x) + self.scaling * (x @ self.lora_A.T @ self.lora_B.T),
)
KINDS = (
    LoRALinear,
    CountsTwice,
    merging("The merge leaves the scaling out.", lambda delta: delta / 1.5),
    merging("The merge leaves W as it is.", torch.zeros_like),
    merging("The merge has the wrong sign.", torch.neg),
    Shifts,
    merging("The merge adds a thousand times the update.", lambda delta: 1_000 * delta),
)


def new_layer(kind: type[LoRALinear]) -> Callable:
    """Return a function that makes a new layer of a kind, and inputs [batch, in] for it."""
    inputs = torch.cat([torch.zeros(1, 6), numbers(4, 6)])  # the first one alone shows no fault
    return lambda: (kind(linear(6, 6), r=2, alpha=3.0), inputs.clone())


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


class PartlyFrozen(nn.Sequential):
    """A model of 2 layers, 26 numbers, 20 of them trained."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1).requires_grad_(False))

    def __repr__(self) -> str:
        return "Linear(3, 5), ReLU, and a frozen Linear(5, 1)"


# --- bags -----------------------------------------------------------------------------------

BAGS = Bags(torch.tensor([0, 2, 5, 1, 2]), torch.tensor([0, 3, 3, 5]))  # the second one is empty


def send_bags(cls: type, out_features: int, r: int, alpha: float) -> tuple:
    """Send bags through a layer that is on and off, and merge it."""
    base = fill(BagLinear(6, out_features), "weight", "bias")
    layer = fill(cls(base, r, alpha).cpu())
    with torch.no_grad():
        on, shape = layer(BAGS), list(layer.get_delta_weight().shape)
        layer.disable()
        off = layer(BAGS)
        layer.enable()
        layer.merge()
        return on, shape, off, layer(BAGS)
