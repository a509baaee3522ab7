"""The first three exercises of notebook 09: the student's own LoRALinear, method by method."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.lora import LoRALinear
from lessons.exercises import Checks
from lessons.n09_lora_layer import worlds

check = Checks()


def spoiled(base: type = LoRALinear, /, **methods: Callable) -> type:
    """Return a layer with other methods than the right one."""
    return type("Spoiled", (base,), methods)


# --- 09.1 ---------------------------------------------------------------------------------


class Begin(LoRALinear):
    """What is asked for first: a layer that can be made."""

    def __init__(self, base_layer: nn.Linear, r: int, alpha: float = 1.0) -> None:
        super().__init__(base_layer, r, alpha)


def starting(change: Callable) -> type:
    """Return a layer that is changed once it is made."""

    def init(self: Any, base_layer: nn.Linear, r: int, alpha: float = 1.0) -> None:
        LoRALinear.__init__(self, base_layer, r, alpha)
        change(self)

    return spoiled(__init__=init)


def put(name: str, value: Callable) -> type:
    """Return a layer with another ``lora_A`` or ``lora_B``, or another plain attribute."""

    def change(layer: Any) -> None:
        new = value(layer)
        delattr(layer, name)
        setattr(layer, name, new)

    return starting(change)


def drawn(name: str, draw: Callable) -> type:
    """Return a layer that draws a matrix in another way."""
    return starting(lambda layer: draw(getattr(layer, name).data))


ADAPTER, BASE = {"lora_A", "lora_B"}, {"base_layer.weight", "base_layer.bias"}

check.exercise(
    "09.1",
    Begin,
    probe=worlds.begin,
    inputs=[(400, 30, 4, 3.0), (300, 20, 2, 1.0), (500, 40, 8, None)],
    mistakes=[
        (
            "an optimizer finds only what is an nn.Parameter: lora_A and lora_B are not, or they "
            "are frozen.",
            put("lora_A", lambda layer: layer.lora_A.data),
            lambda found, *_: not found["trained"] >= ADAPTER,
        ),
        (
            "the base layer must be frozen, and its bias is a part of it.",
            starting(lambda layer: layer.base_layer.bias.requires_grad_()),
            lambda found, *_: found["trained"] & BASE,
        ),
        (
            "besides lora_A and lora_B nothing is trained, and besides base_layer nothing is kept.",
            starting(lambda layer: setattr(layer, "more", nn.Linear(2, 2))),
            lambda found, *_: found["trained"] != ADAPTER or found["frozen"] != BASE,
        ),
        (
            "the two shapes are swapped: A meets the input first, so one of its sides is "
            "in_features.",
            starting(lambda layer: swap(layer)),
            lambda found, i, o, r, _: found["lora_A"] == [o, r],
        ),
        (
            "a matrix is transposed: lora_A is [r, in] and lora_B is [out, r].",
            put("lora_A", lambda layer: nn.Parameter(layer.lora_A.data.T.contiguous())),
            lambda found, i, o, r, _: found["lora_A"] != [r, i] or found["lora_B"] != [o, r],
        ),
        (
            "a new layer must give the outputs of the base layer, so the product B A is zero: "
            "which of the two must be zero?",
            drawn("lora_B", nn.init.normal_),
            lambda found, *_: found["A"] != "zero" != found["B"],
        ),
        (
            "both are zero, and then neither of them ever gets a gradient (you have just seen it).",
            drawn("lora_A", nn.init.zeros_),
            lambda found, *_: found["A"] == found["B"] == "zero",
        ),
        (
            "it is the other way round: A is random, B is zero.",
            starting(lambda layer: (layer.lora_A.data.zero_(), nn.init.normal_(layer.lora_B))),
            lambda found, *_: found["A"] == "zero",
        ),
        (
            "A is too large: its numbers should lie within 1 / √in, as kaiming_uniform_ draws "
            "them.",
            drawn("lora_A", nn.init.normal_),
            lambda found, *_: found["A"] == "large",
        ),
        (
            "A should be random numbers of either sign, around zero. (torch.empty is not random.)",
            drawn("lora_A", nn.init.ones_),
            lambda found, *_: found["A"] != "small",
        ),
        (
            "the scaling is alpha divided by the rank; look at the fraction again.",
            put("scaling", lambda layer: layer.alpha),
            lambda found, i, o, r, alpha: not math.isclose(found["scaling"], (alpha or 1.0) / r),
        ),
        (
            "a new layer is enabled, and not merged.",
            put("enabled", lambda layer: False),
            lambda found, *_: not found["enabled"] or found["merged"],
        ),
        (
            "the base layer's own weight has changed: leave its numbers as they are.",
            starting(lambda layer: layer.base_layer.weight.data.add_(1)),
        ),
    ],
    errors={
        "object has no attribute": "The task lists the names of all attributes, and they are set "
        "in __init__ with `self.` before them.",
    },
)


def swap(layer: Any) -> None:
    """Exchange the two matrices."""
    layer.lora_A, layer.lora_B = layer.lora_B, layer.lora_A


# --- 09.2 ---------------------------------------------------------------------------------


class Send(LoRALinear):
    """What is asked for second: the way forward."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [batch, in] to [batch, out]."""
        return super().forward(inputs)


def forwarding(way: Callable) -> type:
    """Return a layer that computes its outputs in another way."""
    return spoiled(forward=way)


def update(layer: Any, inputs: Tensor) -> Tensor:
    """Return B A x, without the scaling."""
    return inputs @ layer.lora_A.T @ layer.lora_B.T


def on(layer: Any) -> bool:
    """Whether the adapter is to be counted."""
    return layer.enabled and not layer.merged


def right_numbers(found: dict, *sizes: Any) -> bool:
    """Whether the outputs are right, whatever they cost."""
    right = worlds.send(LoRALinear, *sizes)
    return all(torch.allclose(found[s], right[s], atol=1e-4) for s in ("on", "off", "merged"))


check.exercise(
    "09.2",
    Send,
    probe=worlds.send,
    inputs=[(3, 5, 4, 2, 3.0), (2, 64, 48, 8, 1.0), (1, 30, 20, 1, 2.0)],
    mistakes=[
        (
            "that is the base layer alone: where does the update come in?",
            forwarding(lambda self, x: self.base_layer(x)),
        ),
        (
            "the scaling is left out of the update.",
            forwarding(lambda self, x: self.base_layer(x) + on(self) * update(self, x)),
        ),
        (
            "the scaling belongs to the update alone: the base layer stays as it is.",
            forwarding(
                lambda self, x: (
                    self.scaling * (self.base_layer(x) + update(self, x))
                    if on(self)
                    else self.base_layer(x)
                )
            ),
        ),
        (
            "that is the update alone. It comes on top of the base layer's output.",
            forwarding(
                lambda self, x: self.scaling * update(self, x) if on(self) else self.base_layer(x)
            ),
        ),
        (
            "the base layer's bias is missing. Call the layer itself, self.base_layer.",
            forwarding(
                lambda self, x: (
                    F.linear(x, self.base_layer.weight) + on(self) * self.scaling * update(self, x)
                )
            ),
        ),
        (
            "after a merge W holds the update already: here it counts twice.",
            forwarding(
                lambda self, x: self.base_layer(x) + self.enabled * self.scaling * update(self, x)
            ),
        ),
        (
            "a layer that is switched off must give the base layer's output.",
            forwarding(
                lambda self, x: (
                    self.base_layer(x) + (not self.merged) * self.scaling * update(self, x)
                )
            ),
        ),
        (
            "ask for `enabled` and for `merged`: your update is there in every state.",
            forwarding(lambda self, x: self.base_layer(x) + self.scaling * update(self, x)),
        ),
        (
            "the numbers are right, but a matrix of the size of W was formed on the way. Which "
            "product comes first if none is to appear?",
            forwarding(
                lambda self, x: (
                    self.base_layer(x) + on(self) * x @ LoRALinear.get_delta_weight(self).T
                )
            ),
            lambda found, *sizes: not found["cheap"] and right_numbers(found, *sizes),
        ),
        (
            "nothing comes back while the adapter is off: put `return` outside of the `if`.",
            forwarding(lambda self, x: LoRALinear.forward(self, x) if on(self) else None),
            lambda found, *_: found["off"] is None or found["merged"] is None,
        ),
    ],
    errors={
        "shapes cannot be multiplied": "The inputs are rows, [batch, in]. Write the shape under "
        "each letter: the sides that touch must be equal. Which matrices must be transposed?",
        "object has no attribute": "Its name is in the task of 09.1. Does that check pass?",
    },
    otherwise="Work it out on paper for one input and r = 1.",
)


# --- 09.3 ---------------------------------------------------------------------------------


class Live(LoRALinear):
    """What is asked for third: in and out of W."""

    def get_delta_weight(self) -> Tensor:
        """Return the whole update."""
        return super().get_delta_weight()

    def merge(self) -> None:
        """Add the update to W."""
        super().merge()

    def unmerge(self) -> None:
        """Give W back."""
        super().unmerge()


def merging(before: Callable = lambda layer: None, change: Callable | None = None) -> Callable:
    """Return another merge; `change` says what is added to W."""

    def merge(self: Any) -> None:
        if self.merged:
            return
        before(self)
        with torch.no_grad():
            self.original = self.base_layer.weight.clone()
            self.base_layer.weight += (change or type(self).get_delta_weight)(self)
        self.merged = True

    return merge


def merge_recorded(self: Any) -> None:
    """Merge without no_grad, so that W becomes a result of A and B."""
    if not self.merged:
        self.original, self.merged = self.base_layer.weight.detach().clone(), True
        self.base_layer.weight.add_(self.get_delta_weight())


def unmerging(restore: Callable, merged: bool = False) -> Callable:
    """Return another unmerge."""

    def unmerge(self: Any) -> None:
        with torch.no_grad():
            restore(self)
        self.merged, self.original = merged, None

    return unmerge


def subtract(layer: Any) -> None:
    """Take away what the adapter adds *now*."""
    layer.base_layer.weight.sub_(layer.get_delta_weight())


def merge_unmarked(self: Any) -> None:
    """Merge, and go on as if nothing had been."""
    LoRALinear.merge(self)
    self.merged = False


TWICE = "a merged layer counts its update twice: is `merged` set, and does forward ask for it?"

check.exercise(
    "09.3",
    Live,
    probe=worlds.live,
    inputs=[(6, 5, 2, 3.0), (4, 4, 4, 2.0), (7, 8, 1, 0.5)],
    mistakes=[
        (
            "get_delta_weight leaves the scaling out.",
            spoiled(get_delta_weight=lambda self: self.lora_B @ self.lora_A),
            lambda found, i, o, r, alpha: torch.allclose(
                found["update"] * alpha / r, reference(i, o, r, alpha), atol=1e-5
            ),
        ),
        (
            "get_delta_weight must return scaling · B A, [out, in].",
            spoiled(get_delta_weight=lambda self: self.scaling * (self.lora_B @ self.lora_A) + 1),
            lambda found, i, o, r, alpha: (
                not torch.allclose(found["update"], reference(i, o, r, alpha), atol=1e-5)
            ),
        ),
        (
            "autograd has recorded the merge, or W is trained now: change it under "
            "torch.no_grad(), and leave it frozen.",
            spoiled(merge=merge_recorded),
            lambda found, *_: not found["frozen"],
        ),
        (TWICE, spoiled(merge=merge_unmarked, unmerge=unmerging(lambda layer: None))),
        (
            "the merge leaves W as it is.",
            spoiled(merge=merging(change=lambda layer: 0)),
        ),
        (
            "the merge has the wrong sign.",
            spoiled(merge=merging(change=lambda layer: -layer.get_delta_weight())),
        ),
        (
            "after unmerge() `merged` must be False again.",
            spoiled(
                unmerge=unmerging(lambda layer: layer.base_layer.weight.copy_(layer.original), True)
            ),
        ),
        (
            "W + Δ − Δ is not W to the last bit, and B may have changed in between. Keep the old "
            "numbers of W instead of computing them.",
            spoiled(unmerge=unmerging(subtract)),
        ),
        (
            "W does not come back. Did merge() keep the numbers themselves, or only another name "
            "for the same tensor?",
            spoiled(unmerge=unmerging(lambda layer: None)),
        ),
    ],
    errors={
        "shapes cannot be multiplied": "B is [out, r], A is [r, in], and W is [out, in]: which of "
        "the two stands on the left?",
        "non-leaf": "Autograd records the merge: change W under torch.no_grad().",
        "must match the size": "W and the update have different shapes. W is [out, in].",
        "merged already": "After unmerge() a layer can be merged again: is `merged` False then?",
    },
    otherwise="Print W before the merge, after it, and after unmerge().",
)


def reference(in_features: int, out_features: int, r: int, alpha: float) -> Tensor:
    """Return the update of the layer that 09.3 is tried on."""
    layer = worlds.fill(LoRALinear(worlds.linear(in_features, out_features), r, alpha))
    return layer.get_delta_weight().detach()
