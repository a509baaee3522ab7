"""LoRA: low-rank adapters for linear layers. Taught in notebook 08.

Hu et al. (2021), "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685.
A layer's weight W stays frozen; what training changes is a product of two thin matrices,
W + scaling · B A, with B [out, r] zero and A [r, in] random at the start.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.datasets import Bags
from helpers.models import BagLinear
from helpers.storage import load_tensors, save_tensors


class LowRankUpdate(nn.Module):
    """A trainable matrix of low rank, ``scaling`` · B A (Hu et al., section 4.1).

    Parameters
    ----------
    in_features, out_features : int
        Sides of the matrix, which is [out, in].
    r : int
        Its rank, from 1 to min(in, out).
    alpha : float
        Above 0; ``scaling`` is alpha / r.
    dropout : float
        Share of the inputs that is dropped while training.
    rank_stabilised : bool
        Make ``scaling`` alpha / √r instead (Kalajdzievski, 2023, arXiv:2312.03732).

    Attributes
    ----------
    lora_A : Parameter [r, in]
        Kaiming-uniform with a = √5, as in the paper's code: within 1 / √in.
    lora_B : Parameter [out, r]
        Zero at the start, so that a new update changes nothing.

    Raises
    ------
    TypeError
        If `r` is not an int.
    ValueError
        If `r`, `alpha` or `dropout` is out of range.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        r: int,
        alpha: float = 1.0,
        dropout: float = 0.0,
        rank_stabilised: bool = False,
    ) -> None:
        super().__init__()
        _check_rank(in_features, out_features, r, alpha, dropout)
        self.r, self.alpha = r, alpha
        self.scaling = alpha / math.sqrt(r) if rank_stabilised else alpha / r
        self.dropout = nn.Dropout(dropout)
        self.lora_A = nn.Parameter(torch.empty(r, in_features))
        self.lora_B = nn.Parameter(torch.zeros(out_features, r))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def down(self, inputs: Tensor) -> Tensor:
        """Map float32 [batch, in] to A x, [batch, r]."""
        return self.dropout(inputs) @ self.lora_A.T

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [batch, in] to scaling · B (A x), [batch, out], in two thin products."""
        return self.scaling * (self.down(inputs) @ self.lora_B.T)

    def update(self) -> Tensor:
        """Return the whole matrix, scaling · B A, [out, in]."""
        return self.scaling * (self.lora_B @ self.lora_A)


class LoRALinear(LowRankUpdate):
    """A frozen ``nn.Linear`` and a trainable update of low rank.

    While the adapter is enabled and not merged, the output is
    ``base(x) + scaling · B (A x)``.

    Parameters
    ----------
    base : nn.Linear
        The layer to adapt; its weight and bias are frozen, in place.
    r, alpha, dropout, rank_stabilised
        As in `LowRankUpdate`. The base layer's own inputs are never dropped.

    Attributes
    ----------
    enabled, merged : bool
        Set by `enable` and `disable`, `merge` and `unmerge`.

    Raises
    ------
    TypeError
        If `base` is not of the type that this class adapts, or `r` is not an int.
    ValueError
        If `r`, `alpha` or `dropout` is out of range.
    """

    def __init__(
        self,
        base: nn.Linear,
        r: int,
        alpha: float = 1.0,
        dropout: float = 0.0,
        rank_stabilised: bool = False,
    ) -> None:
        _check_base(type(self), base)
        super().__init__(base.in_features, base.out_features, r, alpha, dropout, rank_stabilised)
        self.to(base.weight)  # its device and dtype
        self.base = base.requires_grad_(False)
        self.enabled, self.merged = True, False
        self.register_buffer("original", None, persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map float32 [batch, in] to [batch, out]."""
        outputs = self.base(inputs)  # [batch, out]
        if self.enabled and not self.merged:
            outputs = outputs + super().forward(inputs)
        return outputs

    def base_matrix(self) -> Tensor:
        """Return W as [out, in], sharing memory with the base layer."""
        return self.base.weight

    @torch.no_grad()
    def merge(self) -> nn.Module:
        """Add the update to W and return the base layer, which then does it all.

        The original W is kept, so that `unmerge` gives it back bit for bit; dropping
        this layer in favour of the returned one frees it.

        Raises
        ------
        RuntimeError
            If the adapter is merged already, or disabled.
        """
        if self.merged:
            raise RuntimeError(
                "This adapter is merged already: merging it again would count it twice. Call "
                "unmerge() first, or use the base layer as it is."
            )
        if not self.enabled:
            raise RuntimeError(
                "This adapter is disabled, and merging would switch it on. Call enable() first."
            )
        self.original = self.base_matrix().clone()
        self.base_matrix().add_(self.update())
        self.merged = True
        return self.base

    @torch.no_grad()
    def unmerge(self) -> None:
        """Give the base layer its original W back, bit for bit.

        Raises
        ------
        RuntimeError
            If the adapter is not merged.
        """
        if not self.merged:
            raise RuntimeError("This adapter is not merged, so there is nothing to unmerge.")
        self.base_matrix().copy_(self.original)
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
        """Describe the adapter in ``print(model)``."""
        return (
            f"r={self.r}, alpha={self.alpha}, scaling={self.scaling:g}, "
            f"enabled={self.enabled}, merged={self.merged}"
        )


class LoRABagLinear(LoRALinear):
    """`LoRALinear` for the sparse twin's first layer: the same adapter, fed with bags.

    On a multi-hot x, A x is the sum of the columns of A that the review's tokens
    select, which is what an embedding bag computes. `lora_A` [r, in] and `lora_B`
    [out, r] are shaped as in `LoRALinear`, so either twin loads the other's adapters.
    """

    def down(self, bags: Bags) -> Tensor:
        """Map the bags of a batch to A x, [batch, r]."""
        ones = torch.ones_like(bags.ids, dtype=self.lora_A.dtype)  # the ones of x, [total]
        return F.embedding_bag(
            bags.ids,
            self.lora_A.T,  # [in, r]
            bags.offsets,
            mode="sum",
            per_sample_weights=self.dropout(ones),
            include_last_offset=True,
        )

    def base_matrix(self) -> Tensor:
        """Return W as [out, in], a view of the base layer's transposed weight."""
        return self.base.weight.T


#: the adapter for each type of layer that can take one
ADAPTERS: dict[type, type[LoRALinear]] = {nn.Linear: LoRALinear, BagLinear: LoRABagLinear}


def layer_names(model: nn.Module) -> list[str]:
    """Names of the layers of `model` that can take an adapter and have none yet."""
    inside = tuple(f"{name}." if name else "" for name in adapters(model))
    return [
        name
        for name, layer in model.named_modules()
        if name and type(layer) in ADAPTERS and not name.startswith(inside)
    ]


def adapters(model: nn.Module) -> dict[str, LoRALinear]:
    """Return the adapted layers of `model` by name."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, LoRALinear)}


def add_adapters(
    model: nn.Module,
    names: Sequence[str],
    r: int,
    alpha: float = 1.0,
    dropout: float = 0.0,
    rank_stabilised: bool = False,
) -> nn.Module:
    """Give the named layers an adapter each, and freeze all other parameters.

    Parameters
    ----------
    model : nn.Module
        Changed in place. To train another layer along, set its ``requires_grad_``
        afterwards.
    names : list of str
        As in ``model.named_modules()``; `layer_names` lists those that can be named.
    r, alpha, dropout, rank_stabilised
        As in `LoRALinear`.

    Returns
    -------
    nn.Module
        `model` itself.

    Raises
    ------
    TypeError
        If `names` is not a list of names, or `r` is not an int.
    ValueError
        If a name is unknown, occurs twice or has an adapter already (the message lists
        the names that exist), or an argument is out of range. The model is then as it was.
    """
    _check_targets(model, names, r, alpha, dropout)
    model.requires_grad_(False)
    for name in names:
        layer = model.get_submodule(name)
        adapter = ADAPTERS[type(layer)](layer, r, alpha, dropout, rank_stabilised)
        replace_layer(model, name, adapter)
    return model


def merge_adapters(model: nn.Module) -> nn.Module:
    """Merge every adapter of `model` and put the plain base layers back in their places.

    The result has no adapters, the parameters of the original model, and the outputs of
    the adapted one.

    Raises
    ------
    ValueError
        If there are no adapters, or `model` is itself an adapted layer.
    RuntimeError
        If one of them is merged already or disabled. The model is then as it was.
    """
    layers = _require_adapters(model)
    if "" in layers:
        raise ValueError("The model is itself an adapted layer: call its merge() instead.")
    for name, layer in layers.items():
        if layer.merged or not layer.enabled:
            state = "merged already" if layer.merged else "disabled"
            raise RuntimeError(
                f"The adapter of {name!r} is {state}; merge_adapters takes adapters that are "
                "enabled and not merged."
            )
    for name, layer in layers.items():
        replace_layer(model, name, layer.merge())
    return model


def replace_layer(model: nn.Module, name: str, layer: nn.Module) -> None:
    """Put `layer` in the place of the one that ``model.named_modules()`` calls `name`."""
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, layer)


# --- parameters ---------------------------------------------------------------------------


class ParameterRow(NamedTuple):
    """One parameter of a model, as `list_parameters` returns it."""

    name: str
    shape: tuple[int, ...]
    count: int
    trainable: bool


def list_parameters(model: nn.Module) -> list[ParameterRow]:
    """Return name, shape, size and whether it is trained, for each parameter of `model`."""
    return [
        ParameterRow(name, tuple(parameter.shape), parameter.numel(), parameter.requires_grad)
        for name, parameter in model.named_parameters()
    ]


def parameter_counts(model: nn.Module) -> tuple[int, int]:
    """Return how many numbers of `model` are trained, and how many there are in all."""
    total = sum(parameter.numel() for parameter in model.parameters())
    return sum(parameter.numel() for parameter in trainable_parameters(model)), total


def trainable_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that are trained, for the optimizer."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


# --- saving -------------------------------------------------------------------------------


def adapter_state(model: nn.Module) -> dict[str, Tensor]:
    """Return copies, on the CPU, of all that the adapters of `model` consist of.

    For each adapted layer: its ``lora_A`` and ``lora_B``, and its ``scaling`` as a
    float64 scalar, because the same A and B mean something else under another one.

    Raises
    ------
    ValueError
        If there are no adapters.
    """
    state = {}
    for name, layer in _require_adapters(model).items():
        state[f"{name}.lora_A"] = layer.lora_A.detach().cpu().clone()
        state[f"{name}.lora_B"] = layer.lora_B.detach().cpu().clone()
        state[f"{name}.scaling"] = torch.tensor(layer.scaling, dtype=torch.float64)
    return state


def save_adapters(model: nn.Module, path: str | Path) -> None:
    """Write the adapters of `model`, and nothing else, to `path` in one step.

    Raises
    ------
    ValueError
        If there are no adapters.
    """
    save_tensors(adapter_state(model), path)


@torch.no_grad()
def load_adapters(model: nn.Module, path: str | Path) -> None:
    """Read adapters that `save_adapters` wrote into `model`, which has the same adapters.

    Raises
    ------
    OSError
        If the file does not exist (FileNotFoundError) or cannot be read.
    ValueError
        If the file is damaged or holds no adapters, or those of other layers, of another
        shape or of another scaling. The model is then as it was.
    RuntimeError
        If an adapter of `model` is merged.
    """
    layers = _require_adapters(model)
    if merged := [name for name, layer in layers.items() if layer.merged]:
        raise RuntimeError(f"These adapters are merged: {merged}. Call unmerge() first.")
    state = load_tensors(path)
    _check_state(path, state, adapter_state(model))
    for name, layer in layers.items():
        layer.lora_A.copy_(state[f"{name}.lora_A"])
        layer.lora_B.copy_(state[f"{name}.lora_B"])


# --- guards -------------------------------------------------------------------------------


def _check_state(path: str | Path, state: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    if state.keys() != expected.keys():
        raise ValueError(
            f"{path} holds {sorted(state)}, but this model's adapters are {sorted(expected)}."
        )
    for name, tensor in expected.items():
        if state[name].shape != tensor.shape:
            raise ValueError(
                f"{path} holds {name} of shape {list(state[name].shape)}, but this model's is "
                f"{list(tensor.shape)}. Add adapters of the same rank to a model of the same size."
            )
        if name.endswith(".scaling") and state[name] != tensor:
            raise ValueError(
                f"{path} was trained with {name} = {state[name].item():g}, but this model's is "
                f"{tensor.item():g}. Add the adapters with the same alpha."
            )


def _check_base(kind: type[LoRALinear], base: nn.Module) -> None:
    wanted = [layer for layer, adapter in ADAPTERS.items() if adapter is kind]
    if wanted and type(base) not in wanted:
        raise TypeError(
            f"{kind.__name__} adapts a layer of type {wanted[0].__name__}, got "
            f"{type(base).__name__}."
        )


def _check_rank(in_features: int, out_features: int, r: int, alpha: float, dropout: float) -> None:
    if isinstance(r, bool) or not isinstance(r, int):
        raise TypeError(f"The rank r must be an int, got {r!r}.")
    largest = min(in_features, out_features)
    if not 1 <= r <= largest:
        raise ValueError(
            f"The rank r must be from 1 to {largest}, the smaller side of a layer from "
            f"{in_features} to {out_features} features; got {r}."
        )
    if not 0 < alpha < math.inf:
        raise ValueError(f"alpha must be a number above 0, got {alpha}.")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be at least 0 and below 1, got {dropout}.")


def _check_targets(
    model: nn.Module, names: Sequence[str], r: int, alpha: float, dropout: float
) -> None:
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f"add_adapters takes a list of layer names, got {names!r}.")
    free, taken = layer_names(model), adapters(model)
    for name in names:
        if name in taken:
            raise ValueError(f"Layer {name!r} has an adapter already. Without one: {free}.")
        if name not in free:
            raise ValueError(
                f"There is no layer {name!r} that can take an adapter. There are: {free}."
            )
        layer = model.get_submodule(name)
        _check_rank(layer.in_features, layer.out_features, r, alpha, dropout)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"Name at least one layer, and each once, got {names}. There are: {free}.")


def _require_adapters(model: nn.Module) -> dict[str, LoRALinear]:
    layers = adapters(model)
    if not layers:
        raise ValueError(
            "This model has no adapters. Put them in with "
            f"add_adapters(model, names, r); names may be {layer_names(model)}."
        )
    return layers


def _check_not_merged(layer: LoRALinear) -> None:
    if layer.merged:
        raise RuntimeError(
            "This adapter is merged, and a state dict does not say so: loaded again, the update "
            "would count twice or not at all. Call unmerge() first, or save the plain model that "
            "merge_adapters returns."
        )
