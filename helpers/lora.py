"""LoRA: low-rank adapters for linear layers. Taught in notebook 09.

Hu et al. (2021), "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685.
Names and files are those of Hugging Face's peft.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.datasets import Bags
from helpers.models import BagLinear
from helpers.storage import atomic_write, load_tensors, save_tensors

#: peft's files in the folder of an adapter, and how it names a layer's matrices
CONFIG, WEIGHTS, PREFIX = "adapter_config.json", "adapter_model.safetensors", "base_model.model."
#: settings of peft that would make the same A and B mean something else
UNSUPPORTED = ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern")


class LoRALinear(nn.Module):
    """A frozen ``nn.Linear`` and an update of low rank: ``base_layer(x) + scaling · B (A x)``.

    Parameters
    ----------
    base_layer : nn.Linear
        The layer to adapt; its weight W [out, in] and bias are frozen, in place.
    r : int
        Rank of the update, from 1 to min(in, out).
    alpha : float
        Above 0; ``scaling`` is alpha / r.

    Attributes
    ----------
    lora_A : Parameter [r, in]
        Kaiming-uniform with a = √5, as in the paper's code: within 1 / √in.
    lora_B : Parameter [out, r]
        Zero at the start, so that a new adapter changes nothing.
    enabled, merged : bool
        Set by `enable` and `disable`, `merge` and `unmerge`.

    A TypeError or ValueError if `base_layer` is of another type, or `r` or `alpha` is wrong.
    """

    original: Any  # W as it was, while merged

    def __init__(self, base_layer: nn.Linear, r: int, alpha: float = 1.0) -> None:
        _check_layer(base_layer, r, alpha, type(self))
        super().__init__()
        self.r, self.alpha, self.scaling = r, alpha, alpha / r
        self.base_layer = base_layer.requires_grad_(False)
        self.lora_A = nn.Parameter(base_layer.weight.new_empty(r, base_layer.in_features))
        self.lora_B = nn.Parameter(base_layer.weight.new_zeros(base_layer.out_features, r))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.enabled, self.merged, self.original = True, False, None

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [batch, in] to [batch, out]."""
        outputs = self.base_layer(inputs)  # [batch, out]
        if self.enabled and not self.merged:
            outputs = outputs + self.scaling * (inputs @ self.lora_A.T @ self.lora_B.T)
        return outputs

    @property
    def out_features(self) -> int:
        """As of the base layer; a model may ask for it."""
        return self.base_layer.out_features

    def get_delta_weight(self) -> Tensor:
        """Return the whole update, scaling · B A, in the shape of the base layer's weight."""
        return self.scaling * (self.lora_B @ self.lora_A)  # [out, in]

    @torch.no_grad()
    def merge(self) -> None:
        """Add the update to W and keep the old W; a RuntimeError if merged or disabled."""
        _check_can_merge("layer", self)
        self.original = self.base_layer.weight.clone()
        self.base_layer.weight.add_(self.get_delta_weight())
        self.merged = True

    @torch.no_grad()
    def unmerge(self) -> None:
        """Give the base layer its original W back, bit for bit; a RuntimeError if not merged."""
        if not self.merged:
            raise RuntimeError("This adapter is not merged, so there is nothing to unmerge.")
        self.base_layer.weight.copy_(self.original)
        self.original, self.merged = None, False

    def enable(self) -> None:
        """Switch the adapter on."""
        self.enabled = True

    def disable(self) -> None:
        """Switch the adapter off, unmerging it if need be: the output is the base layer's."""
        if self.merged:
            self.unmerge()
        self.enabled = False

    def _save_to_state_dict(self, *arguments: Any) -> None:
        _check_not_merged(self)
        super()._save_to_state_dict(*arguments)

    def _load_from_state_dict(self, *arguments: Any) -> None:
        _check_not_merged(self)
        super()._load_from_state_dict(*arguments)

    def extra_repr(self) -> str:
        """Say in ``print(model)`` which adapter it is, and in which state."""
        return f"r={self.r}, alpha={self.alpha}, enabled={self.enabled}, merged={self.merged}"


class LoRABagLinear(LoRALinear):
    """`LoRALinear` for the sparse twin's first layer: the same A and B, fed with bags.

    On a multi-hot x, A x is the sum of the columns of A that the review's tokens select.
    """

    def forward(self, bags: Bags) -> Tensor:  # type: ignore[override]
        """Map the bags of a batch to [batch, out]."""
        outputs = self.base_layer(bags)  # [batch, out]
        if self.enabled and not self.merged:
            columns = self.lora_A.T  # [in, r]
            squeezed = F.embedding_bag(  # [batch, r]
                bags.ids, columns, bags.offsets, mode="sum", include_last_offset=True
            )
            outputs = outputs + self.scaling * (squeezed @ self.lora_B.T)
        return outputs

    def get_delta_weight(self) -> Tensor:
        """Return the update as [in, out], as `BagLinear` stores its weight."""
        return super().get_delta_weight().T


#: the adapter for each type of layer that can take one
ADAPTERS: dict[type, Any] = {nn.Linear: LoRALinear, BagLinear: LoRABagLinear}


def layer_names(model: nn.Module) -> list[str]:
    """Names of the layers of `model` that can take an adapter and have none yet."""
    inside = tuple(f"{name}." if name else "" for name in adapters(model))
    named = [(name, type(layer)) for name, layer in model.named_modules()]
    return [
        name for name, kind in named if name and kind in ADAPTERS and not name.startswith(inside)
    ]


def adapters(model: nn.Module) -> dict[str, LoRALinear]:
    """Return the adapted layers of `model` by name."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, LoRALinear)}


def add_adapters(model: nn.Module, names: Sequence[str], r: int, alpha: float = 1.0) -> nn.Module:
    """Give the named layers an adapter each, freeze all other parameters, return `model`.

    Parameters
    ----------
    model : nn.Module
        Changed in place. To train another layer along, call its ``requires_grad_`` afterwards.
    names : list of str
        As in ``model.named_modules()``; `layer_names` lists those that can be named.
    r, alpha
        As in `LoRALinear`.

    Raises
    ------
    TypeError, ValueError
        Before anything is changed, if a name is unknown, occurs twice or has an adapter already,
        if a layer shares its weight with another one, or if `r` or `alpha` is wrong.
    """
    _check_targets(model, names, r, alpha)
    model.requires_grad_(False)
    for name in names:
        layer = model.get_submodule(name)
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, ADAPTERS[type(layer)](layer, r, alpha))
    return model


def merge_adapters(model: nn.Module) -> nn.Module:
    """Merge every adapter and put the plain layers back; outputs are those of the adapted model.

    A ValueError or RuntimeError, before anything is changed, if there are none, if one is
    merged or disabled, or if a layer has come to share its weight.
    """
    layers = _require_adapters(model)
    if "" in layers:
        raise ValueError("The model is itself an adapted layer: call its merge() instead.")
    for name, layer in layers.items():
        _check_can_merge(name, layer)
        _check_not_tied(model, name, layer.base_layer)
    for name, layer in layers.items():
        layer.merge()
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, layer.base_layer)
    return model


# --- parameters ---------------------------------------------------------------------------


def trainable_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that are trained, for the optimizer."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def parameter_counts(model: nn.Module) -> tuple[int, int]:
    """Return how many numbers of `model` are trained, and how many there are in all."""
    total = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return trained, total


# --- saving: peft's own files -------------------------------------------------------------


def adapter_state(model: nn.Module) -> dict[str, Tensor]:
    """Return copies, on the CPU, of each ``lora_A`` and ``lora_B``, named as in peft's files."""
    return {
        f"{PREFIX}{name}.{part}.weight": getattr(layer, part).detach().cpu().clone()
        for name, layer in _require_adapters(model).items()
        for part in ("lora_A", "lora_B")
    }


def save_adapters(model: nn.Module, folder: str | Path) -> None:
    """Write the adapters of `model`, and nothing else, to `folder`, where peft finds them, too.

    A ValueError if there are none, or not all have the same rank and alpha.
    """
    config = {"peft_type": "LORA", **_settings(model), "target_modules": [*adapters(model)]}
    save_tensors(adapter_state(model), Path(folder, WEIGHTS))
    with atomic_write(Path(folder, CONFIG)) as file:
        file.write(json.dumps(config).encode())


@torch.no_grad()
def load_adapters(model: nn.Module, folder: str | Path) -> None:
    """Read what `save_adapters` or peft wrote into `model`, which has the same adapters.

    An error, before anything is changed, if a file is absent or damaged, holds adapters of other
    layers, of another shape, alpha or kind, or if an adapter of `model` is merged.
    """
    for layer in _require_adapters(model).values():
        _check_not_merged(layer)
    config = json.loads(Path(folder, CONFIG).read_text(encoding="utf-8"))
    state = load_tensors(Path(folder, WEIGHTS), checksum=False)
    _check_state(folder, config, state, model)
    for name, layer in adapters(model).items():
        layer.lora_A.copy_(state[f"{PREFIX}{name}.lora_A.weight"])
        layer.lora_B.copy_(state[f"{PREFIX}{name}.lora_B.weight"])


# --- guards -------------------------------------------------------------------------------


def _settings(model: nn.Module) -> dict[str, float]:
    """Return the one rank and the one alpha of all adapters, as peft names them."""
    (r, alpha), *others = {(layer.r, layer.alpha) for layer in _require_adapters(model).values()}
    if others:
        raise ValueError(f"One folder takes one rank and one alpha, got {[(r, alpha), *others]}.")
    return {"r": r, "lora_alpha": alpha}


def _check_state(
    folder: str | Path, config: dict[str, Any], state: dict[str, Tensor], model: nn.Module
) -> None:
    settings, expected = _settings(model), adapter_state(model)
    found = {name: list(tensor.shape) for name, tensor in state.items()}
    wanted = {name: list(tensor.shape) for name, tensor in expected.items()}
    if special := [name for name in UNSUPPORTED if config.get(name)]:
        raise ValueError(f"{folder} was written with {special}, which LoRALinear does not know.")
    if found != wanted:
        raise ValueError(f"{folder} holds {found}, but this model's adapters are {wanted}.")
    if config.get("lora_alpha") != settings["lora_alpha"]:
        raise ValueError(
            f"{folder} has alpha = {config.get('lora_alpha')}, this model {settings['lora_alpha']}."
        )


def _check_layer(layer: Any, r: int, alpha: float, kind: type[LoRALinear]) -> None:
    """Refuse a rank or alpha out of range, and a layer that is not for adapters of a `kind`."""
    if kind in ADAPTERS.values() and ADAPTERS.get(type(layer)) is not kind:
        wanted = [one.__name__ for one, adapter in ADAPTERS.items() if adapter is kind]
        raise TypeError(f"{kind.__name__} adapts a {wanted[0]}, got a {type(layer).__name__}.")
    if isinstance(r, bool) or not isinstance(r, int):
        raise TypeError(f"The rank r must be an int, got {r!r}.")
    most = min(layer.in_features, layer.out_features)
    if not 1 <= r <= most:
        raise ValueError(f"The rank r of this layer must be from 1 to {most}, got {r}.")
    if not 0 < alpha < math.inf:
        raise ValueError(f"alpha must be a number above 0, got {alpha}.")


def _check_can_merge(name: str, layer: LoRALinear) -> None:
    if layer.merged or not layer.enabled:
        state = "merged already: it would count twice" if layer.merged else "disabled"
        raise RuntimeError(f"The adapter of {name!r} is {state}. Call unmerge() or enable() first.")


def _check_targets(model: nn.Module, names: Sequence[str], r: int, alpha: float) -> None:
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f"add_adapters takes a list of layer names, got {names!r}.")
    free = layer_names(model)
    for name in names:
        if name in adapters(model):
            raise ValueError(f"Layer {name!r} has an adapter already. Without one: {free}.")
        if name not in free:
            raise ValueError(f"No layer {name!r} can take an adapter. There are: {free}.")
        layer = model.get_submodule(name)
        _check_layer(layer, r, alpha, ADAPTERS[type(layer)])
        _check_not_tied(model, name, layer)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"Name one layer or more, each once, got {names}. There are: {free}.")


def _check_not_tied(model: nn.Module, name: str, layer: Any) -> None:
    """Refuse a weight that another layer uses, too: a merge would change that one's outputs."""
    memory = layer.weight.data_ptr()
    users = {
        f"{other}.{key}" if other else key
        for other, module in model.named_modules(remove_duplicate=False)
        for key, parameter in module.named_parameters(recurse=False)
        if memory and parameter.data_ptr() == memory
    }
    if users := users - {f"{name}.weight", f"{name}.base_layer.weight"}:
        raise ValueError(
            f"Layer {name!r} shares its weight with {sorted(users)}, which a merge would change, "
            "too. Give the layer a copy of its own, or leave it without an adapter."
        )


def _require_adapters(model: nn.Module) -> dict[str, LoRALinear]:
    if layers := adapters(model):
        return layers
    raise ValueError(f"This model has no adapters. Layers to give one: {layer_names(model)}.")


def _check_not_merged(layer: LoRALinear) -> None:
    if layer.merged:
        raise RuntimeError(
            "This adapter is merged: W + Δ with A and B beside it would count twice when loaded. "
            "Call unmerge() first, or save what merge_adapters returns."
        )
