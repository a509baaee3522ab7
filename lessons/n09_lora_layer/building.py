"""The first three exercises of notebook 09: the student's own LoRALinear, method by method."""

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.lora import LoRALinear
from lessons.exercises import Checks
from lessons.n09_lora_layer import worlds
from lessons.n09_lora_layer.worlds import spoiled

check = Checks()


def then(method: Callable, more: Callable) -> Callable:
    """Return a method that does `more` at its end."""

    def both(self: Any, *arguments: Any) -> None:
        method(self, *arguments)
        with torch.no_grad():
            more(self)

    return both


# --- 09.1 ---------------------------------------------------------------------------------


def starting(change: Callable) -> type:
    """Return a layer that is changed once it is made."""
    return spoiled(__init__=then(LoRALinear.__init__, change))


delta = LoRALinear.get_delta_weight
ADAPTER, BASE = {"lora_A", "lora_B"}, {"base_layer.weight", "base_layer.bias"}

check.exercise(
    "09.1",
    spoiled(__init__=LoRALinear.__init__),
    probe=worlds.begin,
    inputs=[(400, 30, 4, 2.5), (300, 20, 2, 1.0), (500, 40, 8, None)],
    mistakes=[
        (
            "an optimizer finds only what is an nn.Parameter: lora_A and lora_B are not, or they "
            "are frozen.",
            starting(lambda s: setattr(s, "lora_A", s._parameters.pop("lora_A").data)),
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
            "lora_A must be [r, in], as A meets the input first, and lora_B [out, r].",
            starting(lambda s: setattr(s, "lora_A", nn.Parameter(s.lora_A.data.T))),
            lambda found, i, o, r, _: (found["lora_A"], found["lora_B"]) != ([r, i], [o, r]),
        ),
        (
            "a matrix of torch.empty is never filled: its numbers are what happens to lie in "
            "memory.",
            starting(lambda s: setattr(s, "lora_A", nn.Parameter(torch.empty(s.lora_A.shape)))),
            lambda found, *_: "never filled" in (found["A"], found["B"]),
        ),
        (
            "a new layer must give the outputs of the base layer, so the product B A is zero: "
            "which of the two must be zero?",
            starting(lambda s: nn.init.normal_(s.lora_B)),
            lambda found, *_: found["A"] != "zero" != found["B"],
        ),
        (
            "both are zero, and then neither of them ever gets a gradient (you have just seen it).",
            starting(lambda s: nn.init.zeros_(s.lora_A)),
            lambda found, *_: found["A"] == found["B"] == "zero",
        ),
        (
            "it is the other way round: A is random, B is zero.",
            starting(lambda layer: (layer.lora_A.data.zero_(), nn.init.normal_(layer.lora_B))),
            lambda found, *_: found["A"] == "zero",
        ),
        (
            "A is drawn from too wide a range: its numbers lie within 1 / √in. (kaiming_uniform_ "
            "does that if it is given a=math.sqrt(5).)",
            starting(lambda s: nn.init.kaiming_uniform_(s.lora_A)),
            lambda found, *_: found["A"] == "wide",
        ),
        (
            "A is drawn from too narrow a range: its numbers should reach out to 1 / √in.",
            starting(lambda s: nn.init.kaiming_uniform_(s.lora_A, a=5)),
            lambda found, *_: found["A"] == "narrow",
        ),
        (
            "A should be random numbers of either sign, around zero.",
            starting(lambda s: nn.init.uniform_(s.lora_A)),
            lambda found, *_: found["A"] != "right",
        ),
        (
            "the scaling is alpha divided by the rank; look at the fraction again.",
            starting(lambda s: setattr(s, "scaling", s.alpha)),
            lambda found, i, o, r, alpha: not math.isclose(found["scaling"], (alpha or 1.0) / r),
        ),
        (
            "`r` and `alpha` are kept as they were given.",
            starting(lambda s: setattr(s, "alpha", int(s.alpha))),
            lambda found, i, o, r, alpha: found["settings"] != [r, alpha or 1.0],
        ),
        (
            "a new layer is enabled, and not merged.",
            starting(lambda s: setattr(s, "enabled", False)),
            lambda found, *_: not found["enabled"] or found["merged"],
        ),
        (
            "base_layer is the layer that was given itself, not a copy of it or another one.",
            starting(lambda s: setattr(s, "base_layer", copy.deepcopy(s.base_layer))),
            lambda found, *_: not found["given"],
        ),
        (
            "the base layer's own weight has changed: leave its numbers as they are.",
            starting(lambda layer: layer.base_layer.weight.data.add_(1)),
        ),
    ],
    errors={
        "'Linear' object has no attribute 'shape'": "lora_A and lora_B are no layers: each is a "
        "matrix in an nn.Parameter.",
        "'Linear' object has no attribute": "An nn.Linear has weight, bias, in_features and "
        "out_features.",
        "object has no attribute": "The task lists the names of all attributes, and they are set "
        "in __init__ with `self.` before them.",
    },
)


# --- 09.2 ---------------------------------------------------------------------------------


def base(layer: Any, inputs: Tensor) -> Tensor:
    """Return the base layer's outputs."""
    return layer.base_layer(inputs)


def on(layer: Any) -> bool:
    """Whether the adapter is to be counted."""
    return layer.enabled and not layer.merged


def sending(
    ask: Callable = on, scale: Callable = lambda s: s.scaling, base: Callable = base
) -> type:
    """Return a layer that computes its outputs in another way."""
    return spoiled(
        forward=lambda s, x: base(s, x) + ask(s) * scale(s) * (x @ s.lora_A.T @ s.lora_B.T)
    )


OUTPUTS = (
    *(f"the output of a layer that is {state}" for state in ("on", "off", "marked as merged")),
    *("whether W stays the only large matrix", "whether A and B learn"),
)

check.exercise(
    "09.2",
    spoiled(forward=LoRALinear.forward),
    probe=worlds.send,
    parts=OUTPUTS,
    inputs=[(3, 5, 4, 2, 3.0), (2, 64, 48, 8, 1.0), (1, 30, 20, 1, 2.0)],
    mistakes=[
        ("that is the base layer alone: where is the update?", sending(lambda s: False)),
        ("the scaling is left out of the update.", sending(scale=lambda s: 1)),
        ("the update is scaled by alpha, not by alpha / r.", sending(scale=lambda s: s.alpha)),
        (
            "the scaling is there twice. (get_delta_weight holds it already.)",
            sending(scale=lambda s: s.scaling**2),
        ),
        (
            "the scaling belongs to the update alone: the base layer stays as it is.",
            sending(base=lambda s, x: (s.scaling if on(s) else 1) * base(s, x)),
        ),
        (
            "that is the update alone. It comes on top of the base layer's output.",
            sending(base=lambda s, x: (not on(s)) * base(s, x)),
        ),
        (
            "the base layer's bias is missing. Call the layer itself, self.base_layer.",
            sending(base=lambda s, x: F.linear(x, s.base_layer.weight)),
        ),
        *(
            (
                "the bias is there twice: self.base_layer(inputs) adds it already.",
                sending(base=lambda s, x, on=on: base(s, x) + on(s) * s.base_layer.bias),
            )
            for on in (on, lambda s: True)
        ),
        ("after a merge W holds the update: here it counts twice.", sending(lambda s: s.enabled)),
        ("a switched-off layer gives the base layer's output.", sending(lambda s: not s.merged)),
        ("ask for `enabled` and `merged`: your update is always there.", sending(lambda s: True)),
        (
            "the numbers are right, but a matrix of the size of W was formed on the way. Which "
            "product comes first if none is to appear?",
            spoiled(forward=lambda s, x: base(s, x) + on(s) * x @ delta(s).T),
        ),
        (
            "the numbers are right, but A and B can't learn: both must get a gradient. Is there a "
            "no_grad, a .data or a detach() on the way?",
            spoiled(forward=torch.no_grad()(LoRALinear.forward)),
        ),
        (
            "nothing comes back: is a `return` missing?",
            spoiled(forward=lambda s, x: setattr(s, "outputs", base(s, x))),
            lambda found, *_: found[0] is None,
        ),
        (
            "nothing comes back while the adapter is off: put `return` outside of the `if`.",
            spoiled(forward=lambda s, x: LoRALinear.forward(s, x) if on(s) else None),
            lambda found, *_: found[1] is None or found[2] is None,
        ),
    ],
    errors={
        "shapes cannot be multiplied": "The inputs are rows, [batch, in]. Write the shape under "
        "each letter: the sides that touch must be equal. Which matrices must be transposed?",
        "object has no attribute": "Its name is in the task of 09.1. Does that check pass?",
    },
    otherwise="Take one input and r = 1, on paper.",
)


# --- 09.3 ---------------------------------------------------------------------------------


merge, unmerge = LoRALinear.merge, LoRALinear.unmerge


def unmark(layer: Any) -> None:
    """Say that a layer is not merged."""
    layer.merged = False


def anew(layer: Any) -> None:
    """Put a new parameter in the place of W."""
    layer.base_layer.weight = nn.Parameter(layer.base_layer.weight.clone(), requires_grad=False)


def weight(change: Callable) -> Callable:
    """Return what changes the weight of a layer: ``change(weight, layer)``."""
    return lambda layer: change(layer.base_layer.weight.data, layer)


check.exercise(
    "09.3",
    spoiled(get_delta_weight=delta, merge=merge, unmerge=unmerge),
    probe=worlds.live,
    inputs=[(6, 5, 2, 3.0), (4, 4, 4, 2.0), (7, 8, 1, 0.5)],
    mistakes=[
        (
            "get_delta_weight leaves the scaling out.",
            spoiled(get_delta_weight=lambda self: self.lora_B @ self.lora_A),
            lambda found, *_: found["update"] == "B A",
        ),
        (
            "get_delta_weight must return scaling · B A, [out, in].",
            spoiled(get_delta_weight=lambda self: delta(self) + 1),
            lambda found, *_: found["update"] != "Δ",
        ),
        (
            "autograd has recorded the merge, or W is trained now: change it under "
            "torch.no_grad(), and leave it frozen.",
            spoiled(merge=then(merge, lambda s: s.base_layer.requires_grad_())),
            lambda found, *_: not found["frozen"],
        ),
        (
            "after merge() `merged` must be True, or forward adds the update once more.",
            spoiled(
                merge=then(merge, unmark),
                unmerge=then(lambda s: setattr(s, "merged", True), unmerge),
            ),
            lambda found, *_: not found["merged"],
        ),
        (
            "the merge leaves W as it is.",
            spoiled(merge=then(merge, weight(lambda w, s: w.copy_(s.original)))),
            lambda found, *_: found["added"] == "nothing",
        ),
        (
            "the merge has the wrong sign.",
            spoiled(merge=then(merge, weight(lambda w, s: w.sub_(2 * delta(s))))),
            lambda found, *_: found["added"] == "−Δ",
        ),
        (
            "the merge must add to W what get_delta_weight() returns, once.",
            spoiled(merge=then(merge, weight(lambda w, s: w.add_(delta(s))))),
            lambda found, *_: found["added"] != "Δ",
        ),
        (
            "a merged layer counts its update twice: does forward ask for `merged`?",
            sending(lambda s: s.enabled),
            lambda found, *_: not found["same outputs"],
        ),
        (
            "after unmerge() `merged` must be False again.",
            spoiled(unmerge=then(unmerge, lambda s: setattr(s, "merged", True))),
            lambda found, *_: found["still merged"],
        ),
        (
            "merge() and unmerge() change the numbers of W in place: here another nn.Parameter has "
            "come in its place. (And a new one is not frozen.)",
            spoiled(unmerge=then(unmerge, anew)),
            lambda found, *_: not found["in place"],
        ),
        (
            "besides lora_A and lora_B nothing is trained: a kept W must be no nn.Parameter.",
            spoiled(merge=then(merge, lambda s: setattr(s, "kept", nn.Parameter(delta(s))))),
            lambda found, *_: found["trained"] != ADAPTER,
        ),
        (
            "after merge() and unmerge() `enabled` is not what it was: leave it alone.",
            spoiled(unmerge=then(unmerge, lambda s: setattr(s, "enabled", False))),
            lambda found, *_: not found["enabled"],
        ),
        (
            "A and B are not what they were: merge() and unmerge() change W alone.",
            spoiled(unmerge=then(unmerge, lambda s: s.lora_B.zero_())),
            lambda found, *_: not found["A, B kept"],
        ),
        (
            "W + Δ − Δ is not W to the last bit, and B may change in between. Keep the old numbers "
            "of W itself.",
            spoiled(unmerge=then(weight(lambda w, s: w.sub_(delta(s))), unmark)),
            lambda found, *_: "nearly" in (found["W"], found["W, B changed"]),
        ),
        (
            "W does not come back. Did merge() keep the numbers that W has then, or only another "
            "name for the same tensor?",
            spoiled(unmerge=unmark),
            lambda found, *_: found["W"] == "another",
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
