"""What readers answer in notebook 09 · LoRA: the layer, besides what its data say."""

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import lora
from helpers.lora import add_adapters, load_adapters, save_adapters
from tests.lessons.tables import Trap


class Unusual(nn.Module):
    """Right in all three steps, and written as nobody else would."""

    def __init__(self, base_layer: nn.Linear, r: int, alpha: float = 1.0) -> None:
        super().__init__()
        self.base_layer = base_layer
        for part in base_layer.parameters():
            part.requires_grad = False
        out_features, in_features = base_layer.weight.shape
        self.lora_A = nn.Parameter(torch.randn(r, in_features) / math.sqrt(3 * in_features))
        self.register_parameter("lora_B", nn.Parameter(torch.zeros(out_features, r)))
        self.r, self.alpha = r, alpha
        self.scaling = torch.tensor(alpha / r)
        self.enabled, self.merged = True, False

    def forward(self, inputs: Tensor) -> Tensor:
        result = self.base_layer(inputs)
        if not self.enabled or self.merged:
            return result
        rows = [F.linear(F.linear(x, self.lora_A), self.lora_B) for x in inputs]
        return torch.add(result, torch.stack(rows) * self.scaling)

    def get_delta_weight(self) -> Tensor:
        return torch.einsum("or,ri->oi", self.lora_B, self.lora_A).mul(self.scaling)

    def merge(self) -> None:
        self.kept = copy.deepcopy(self.base_layer.weight.data)
        self.base_layer.weight.data += self.get_delta_weight().detach()
        self.merged = True

    def unmerge(self) -> None:
        self.base_layer.weight.data = self.kept
        self.merged = False


class ForgotSuper(nn.Module):
    """An error at the first parameter."""

    def __init__(self, base_layer: nn.Linear, r: int, alpha: float = 1.0) -> None:
        self.lora_A = nn.Parameter(torch.zeros(r, base_layer.in_features))


class OtherNames(nn.Module):
    """Another name than that of the task."""

    def __init__(self, base_layer: nn.Linear, r: int, alpha: float = 1.0) -> None:
        super().__init__()
        self.base_layer, self.A = base_layer, nn.Parameter(torch.zeros(r, base_layer.in_features))


class Layers(Unusual):
    """A layer where a matrix is asked for."""

    def __init__(self, base_layer: nn.Linear, r: int, alpha: float = 1.0) -> None:
        super().__init__(base_layer, r, alpha)
        del self.lora_A
        self.lora_A = nn.Linear(base_layer.in_features, r, bias=False)


class NoAlpha(Unusual):
    """Two of the attributes are missing."""

    def __init__(self, base_layer: nn.Linear, r: int, alpha: float = 1.0) -> None:
        super().__init__(base_layer, r, alpha)
        del self.r, self.alpha


class Unwritten(nn.Module):
    """The gaps as they are handed out."""

    def __init__(self, base_layer: nn.Linear, r: int, alpha: float = 1.0) -> None:
        """09.1: …"""

    def forward(self, inputs: Tensor) -> Tensor:
        """09.2: …"""


class BagsWithoutEnd(lora.LoRABagLinear):
    """The offsets are taken to be those of the beginnings alone."""

    def forward(self, bags: Any) -> Tensor:
        squeezed = F.embedding_bag(bags.ids, self.lora_A.T, bags.offsets, mode="sum")
        return self.base_layer(bags) + self.scaling * (squeezed @ self.lora_B.T)

    def get_delta_weight(self) -> Tensor:
        return super().get_delta_weight()


def changed(**methods: Callable) -> type:
    """Return the right layer with other methods."""
    return type("Changed", (Unusual,), methods)


# --- 09.4 ----------------------------------------------------------------------------------


@torch.no_grad()
def faithful_on_a_copy(layer: lora.LoRALinear, inputs: Tensor) -> np.bool_:
    merged = copy.deepcopy(layer)
    merged.lora_B += 1
    before = merged(inputs).numpy()
    merged.merge()
    return np.allclose(merged(inputs).numpy(), before, atol=1e-4)


def faithful_by_the_largest(layer: lora.LoRALinear, inputs: Tensor) -> Tensor:
    layer.lora_B.data.uniform_(-1, 1)
    before = layer(inputs)
    layer.merge()
    after = layer(inputs)
    layer.unmerge()
    return (after - before).abs().max() < 1e-4


def filled_under_grad(layer: lora.LoRALinear, inputs: Tensor) -> bool:
    layer.lora_B.fill_(1)
    return True


def difference(layer: lora.LoRALinear, inputs: Tensor) -> Tensor:
    nn.init.ones_(layer.lora_B)
    before = layer(inputs)
    layer.merge()
    return torch.isclose(layer(inputs), before)


def by_their_mean(layer: lora.LoRALinear, inputs: Tensor) -> bool:
    nn.init.normal_(layer.lora_B)
    before = layer(inputs).mean()
    layer.merge()
    return torch.allclose(layer(inputs).mean(), before, atol=1e-5)


def too_late(layer: lora.LoRALinear, inputs: Tensor) -> bool:
    before = layer(inputs)
    layer.merge()
    nn.init.normal_(layer.lora_B)
    return torch.allclose(layer(inputs), before, atol=1e-5)


def asserted(layer: lora.LoRALinear, inputs: Tensor) -> None:
    assert faithful_on_a_copy(layer, inputs)


# --- 09.open -------------------------------------------------------------------------------


def add(model: nn.Module, names: list, r: int, alpha: float = 1.0) -> nn.Module:
    return add_adapters(model, names, r, alpha)


def add_late(model: nn.Module, names: list, r: int, alpha: float = 1.0) -> nn.Module:
    for name in names:
        add_adapters(model, [name], r, alpha)
    for layer in lora.adapters(model).values():
        layer.lora_A.requires_grad_(), layer.lora_B.requires_grad_()
    return model


def add_any(model: nn.Module, names: list, r: int, alpha: float = 1.0) -> nn.Module:
    model.requires_grad_(False)
    for name in names:
        parent, _, child = name.rpartition(".")
        layer = lora.LoRALinear(model.get_submodule(name), r, alpha)
        setattr(model.get_submodule(parent), child, layer)
    return model


def save_state(model: nn.Module, path: Path) -> None:
    torch.save({k: v for k, v in model.state_dict().items() if "lora_" in k}, path)


def load_state(model: nn.Module, path: Path) -> None:
    model.load_state_dict(torch.load(path), strict=False)


def add_flat(model: nn.Module, names: list, r: int, alpha: float = 1.0) -> nn.Module:
    add(model, names[:1], r, alpha)
    setattr(model, names[1], lora.LoRALinear(model.get_submodule(names[1]), r, alpha))
    return model


def add_by_getattr(model: nn.Module, names: list, r: int, alpha: float = 1.0) -> nn.Module:
    return add(model, [name for name in names if getattr(model, name)], r, alpha)


def save_alpha(model: nn.Module, path: Path) -> None:
    save_state(model, path)
    torch.save({"state": torch.load(path), "alpha": model.get_submodule("first").alpha}, path)


def load_what_fits(model: nn.Module, path: Path) -> None:
    saved = torch.load(path)
    assert saved["alpha"] == model.get_submodule("first").alpha
    model.load_state_dict(saved["state"], strict=False)


def load_what_is_named(model: nn.Module, path: Path) -> None:
    load_what_fits(model, path)
    assert torch.load(path)["state"].keys() <= model.state_dict().keys()


def save_with_scaling(model: nn.Module, path: Path) -> None:
    layers = {n: (p.scaling, p.lora_A, p.lora_B) for n, p in lora.adapters(model).items()}
    torch.save(layers, path)


def load_and_set(model: nn.Module, path: Path) -> None:
    saved = torch.load(path)
    assert saved.keys() == lora.adapters(model).keys()
    for name, (scaling, a, b) in saved.items():
        layer: Any = model.get_submodule(name)
        layer.scaling, layer.lora_A.data, layer.lora_B.data = scaling, a.data, b.data


def save_text(model: nn.Module, path: Path) -> None:
    layers = lora.adapters(model).items()
    path.write_text(
        json.dumps({n: (p.scaling, p.lora_A.tolist(), p.lora_B.tolist()) for n, p in layers})
    )


def load_text(model: nn.Module, path: Path) -> None:
    saved = {
        name: (scaling, torch.tensor(a), torch.tensor(b))
        for name, (scaling, a, b) in json.loads(path.read_text()).items()
    }
    torch.save(saved, path)
    load_and_set(model, path)


RIGHT = {
    "ex_09_1": [(Unusual,)],
    "ex_09_2": [(Unusual,)],
    "ex_09_3": [(Unusual,)],
    "ex_09_4": [(faithful_on_a_copy,), (faithful_by_the_largest,)],
    "ex_09_open": [
        (add, lambda m, path: save_adapters(m, path), lambda m, path: load_adapters(m, path)),
        (add, save_text, load_text),
        (add, save_with_scaling, load_and_set),
    ],
}

OPEN = {
    "ex_09_1": [(Unwritten,)],
    "ex_09_2": [(Unwritten,)],
    "ex_09_3": [(Unwritten,)],
    "ex_09_open": [(lambda *_: None, save_state, load_state)],
}

SECRETS = {
    "ex_09_1": ("alpha / r", "requires_grad_(False)"),
    "ex_09_2": ("lora_A.T", "lora_B.T", "not self.merged"),
    "ex_09_3": ("clone()", "add_(", "copy_("),
    "ex_09_4": ("normal_", "allclose"),
    "ex_09_open": ("remove_duplicate", "rpartition", "strict"),
}

TRAPS = [
    Trap("ex_09_1", (ForgotSuper,), "must be the first line of __init__"),
    Trap("ex_09_1", (OtherNames,), "The task lists the names"),
    Trap("ex_09_1", (Layers,), "are no layers"),
    Trap("ex_09_1", (NoAlpha,), "The task lists the names"),
    Trap("ex_09_1", (lambda: 3,), "Compare the arguments"),
    Trap(
        "ex_09_2",
        (
            changed(
                forward=lambda s, x: s.base_layer(x) + x @ s.lora_A,
            ),
        ),
        "are rows",
    ),
    Trap("ex_09_2", (changed(forward=lambda s, x: s.base_layer(x).T),), "that is on should not be"),
    Trap("ex_09_3", (changed(get_delta_weight=lambda s: s.lora_A @ s.lora_B),), "on the left"),
    Trap(
        "ex_09_3", (changed(get_delta_weight=lambda s: (s.lora_B @ s.lora_A).T),), "W is [out, in]"
    ),
    Trap("ex_09_4", (filled_under_grad,), "torch.no_grad()"),
    Trap("ex_09_4", (difference,), "True or False"),
    Trap("ex_09_4", (by_their_mean,), "their means"),
    Trap("ex_09_4", (too_late,), "*before* the merge"),
    Trap("ex_09_4", (lambda layer, inputs: layer.merge() or layer.merged,), "*outputs*"),
    Trap("ex_09_4", (asserted,), "assert"),
    Trap("ex_09_5", (lambda model: model.parameter(),), "AttributeError"),
    Trap("ex_09_5", (lambda model: [sum(p.numel for p in model.parameters())] * 2,), "TypeError"),
    Trap("ex_09_7", (BagsWithoutEnd,), "a row too many"),
    Trap("ex_09_open", (add_flat, save_state, load_state), "still a plain Linear"),
    Trap("ex_09_open", (lora.add_adapters, save_state, load_state), "write all three yourself"),
    Trap("ex_09_open", (add, lambda m, p: lora.save_adapters(m, p), load_state), "yourself"),
    Trap("ex_09_open", (add_by_getattr, save_state, load_state), "through several layers"),
    Trap("ex_09_open", (add, save_alpha, load_what_fits), "without an adapter"),
    Trap("ex_09_open", (add, save_alpha, load_what_is_named), "with one more trained adapter"),
    Trap("ex_09_open", (add_any, save_state, load_state), "shares its weight"),
    Trap("ex_09_open", (add_late, save_state, load_state), "too late"),
    Trap("ex_09_open", (add, save_state, load_state), "another alpha"),
    Trap("ex_09_open", (add, lambda m, p: torch.save(m, p), load_state), "base model"),
    Trap("ex_09_open", (add, lambda m, p: p.name, load_state), "written nothing"),
    Trap("ex_09_open", (add, save_state, lambda m, p: p.name), "other outputs than before"),
    Trap("ex_09_open", (lambda m, n, r, alpha=1.0: m, save_state, load_state), "should be trained"),
    Trap(
        "ex_09_open",
        (lambda m, n, r, alpha=1.0: add(m, n, r), save_state, load_state),
        "does not arrive",
    ),
    Trap(
        "ex_09_open",
        (lambda m, n, r, alpha=1.0: add(m, n, r, alpha).requires_grad_(), save_state, load_state),
        "is frozen",
    ),
]
