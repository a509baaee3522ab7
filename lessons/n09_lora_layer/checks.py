"""Answer checks of notebook 08 · LoRA."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.lora import LoRALinear
from lessons.exercises import Checks, Wrong
from lessons.framework import call, choose, require

check = exercise = Checks()


def _matrices(out_features: int, in_features: int, r: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw lora_A [r, in] and lora_B [out, r], neither of them zero."""
    generator = torch.Generator().manual_seed(out_features + 10 * in_features + 100 * r)
    return (
        torch.randn(r, in_features, generator=generator),
        torch.randn(out_features, r, generator=generator),
    )


@exercise("09.1")
def ex_09_1(low_rank_update: Callable) -> None:
    """Check low_rank_update(lora_A, lora_B, alpha) → alpha / r · B A, [out, in]."""
    swapped = (
        "A and B are swapped. In the paper A touches the input first, so it stands on the right "
        "of the product."
    )
    for out_features, in_features, r, alpha in ((4, 5, 2, 7.0), (3, 3, 3, 2.0), (6, 3, 1, 0.5)):
        lora_A, lora_B = _matrices(out_features, in_features, r)  # noqa: N806 - the paper's names
        try:
            answer = call(low_rank_update, lora_A.clone(), lora_B.clone(), alpha)
        except RuntimeError as error:
            one_by_one = "must match the size" in str(error)
            raise Wrong(
                "* multiplies number by number. Which sign is the matrix product?"
                if one_by_one
                else f"the product failed. {swapped}"
            ) from error
        require(isinstance(answer, torch.Tensor), "return a tensor.")
        product = lora_B @ lora_A
        if _same(answer, alpha / r * product):
            continue
        require(answer.shape != product.T.shape or r == in_features, _TRANSPOSED)
        require(
            answer.shape == product.shape,
            f"the update must have the shape of W, [out, in] = {list(product.shape)}; yours has "
            f"{list(answer.shape)}.",
        )
        require(r != in_features or not _same(answer, alpha / r * lora_A @ lora_B), swapped)
        require(not _same(answer, alpha / r * product.T), _TRANSPOSED)
        require(not _same(answer, product), "the scaling is left out: what of alpha and r?")
        require(
            not _same(answer, alpha * product) and not _same(answer, alpha * r * product),
            "the scaling is alpha *divided by the rank*, so that ranks can be compared.",
        )
        require(
            not _same(answer, r / alpha * product), "the fraction is upside down: alpha over r."
        )
        require(
            not _same(answer, alpha // r * product), "// throws the fraction of alpha over r away."
        )
        require(
            not any(_same(answer, alpha / side * product) for side in product.shape),
            "alpha is divided by the wrong side of the matrix. Which side of A is the rank?",
        )
        require(
            not _same(answer, alpha / math.sqrt(r) * product),
            "that is the rank-stabilised scaling. The paper divides by r, not by its root.",
        )
        raise Wrong("the shape is right, the numbers are not.")


_TRANSPOSED = "that is the update transposed, [in, out]. W is [out, in]."


@exercise("09.2")
def ex_09_2(lora_forward: Callable) -> None:
    """Check lora_forward(inputs, weight, bias, lora_A, lora_B, scaling) → outputs [batch, out]."""
    for batch_size, in_features, out_features, r in ((3, 5, 4, 2), (1, 64, 48, 8), (0, 5, 4, 1)):
        lora_A, lora_B = _matrices(out_features, in_features, r)  # noqa: N806 - the paper's names
        weight = _matrices(1, in_features, out_features)[0]  # [out, in]
        bias = _matrices(out_features, 2, 1)[1].squeeze(1)  # [out]
        inputs = _matrices(2, in_features, batch_size)[0]  # [batch, in]
        counter = FlopCounterMode(display=False)
        try:
            with counter, torch.no_grad():
                answer = call(lora_forward, inputs, weight, bias, lora_A, lora_B, 1.5)
        except RuntimeError as error:
            raise Wrong(
                f"the shapes do not fit ({error}). The inputs are rows, [batch, in], and all three "
                "matrices are [out, in], [r, in] and [out, r]: which of them must be turned?"
            ) from error
        base, adapter = inputs @ weight.T + bias, inputs @ lora_A.T @ lora_B.T
        require(
            isinstance(answer, torch.Tensor) and answer.shape == base.shape,
            f"for a batch of {batch_size}, return a tensor [batch, out] = {list(base.shape)}.",
        )
        if not _same(answer, base + 1.5 * adapter, 1e-4):
            _compare_forward(answer, base, bias, adapter)
        thin = 2 * batch_size * (in_features * out_features + r * (in_features + out_features))
        require(
            counter.get_total_flops() <= thin,
            f"the numbers are right, but you paid {counter.get_total_flops():,} operations where "
            f"{thin:,} are enough: a full [out, in] matrix was formed on the way. Which product "
            "comes first if none is to appear?",
        )


def _compare_forward(
    answer: torch.Tensor, base: torch.Tensor, bias: torch.Tensor, adapter: torch.Tensor
) -> None:
    """Say what is wrong with the outputs of 09.2, whose scaling is 1.5."""
    hints = (
        (base - bias + 1.5 * adapter, "the bias of the base layer is missing."),
        (base, "that is the base layer alone."),
        (base + adapter, "the scaling is left out of the update."),
        (
            1.5 * (base + adapter),
            "the scaling belongs to the update alone: the base layer stays as it is.",
        ),
        (
            base + 1.5 * (adapter + bias),
            "the bias was added twice: it belongs to the base layer alone.",
        ),
        (1.5 * adapter, "that is the update alone. It comes on top of the base layer's output."),
    )
    for wrong, hint in hints:
        require(not _same(answer, wrong, 1e-4), hint)
    raise Wrong("the shape is right, the numbers are not. Which shape has each product?")


@exercise("09.3")
def ex_09_3(reason: str) -> None:
    """Check why B starts at zero and A does not (a letter)."""
    choose(
        reason,
        right="c",
        hints={
            "a": "the output at the start would be the same: B A is zero as soon as one of the "
            "two is.",
            "b": "a parameter may hold any number. B is zero at the start, and is trained.",
            "d": "then the new layer would not start as the old one: a random B A is added to W.",
        },
    )


class _CountsTwice(LoRALinear):
    """The adapter stays switched on after the merge."""

    def merge(self) -> nn.Module:
        base = super().merge()
        self.merged = False
        return base

    def unmerge(self) -> None:
        self.merged = True
        super().unmerge()


class _ForgetsScaling(LoRALinear):
    """The merge leaves the scaling out."""

    def update(self) -> torch.Tensor:
        return self.lora_B @ self.lora_A


class _MergesNothing(LoRALinear):
    """The merge switches the adapter off and leaves W as it is."""

    def update(self) -> torch.Tensor:
        return torch.zeros_like(self.base.weight)


class _Subtracts(LoRALinear):
    """The merge has the wrong sign."""

    def update(self) -> torch.Tensor:
        return -super().update()


@exercise("09.4")
def ex_09_4(merge_is_faithful: Callable) -> None:
    """Check merge_is_faithful(layer, inputs) → bool, on a good layer and on broken ones."""
    faults = {
        _CountsTwice: "counts its update twice after the merge",
        _ForgetsScaling: "forgets the scaling when it merges",
        _MergesNothing: "merges nothing at all",
        _Subtracts: "subtracts its update when it merges",
    }
    passed = [fault for kind, fault in faults.items() if _verdict(merge_is_faithful, kind)]
    good = _verdict(merge_is_faithful, LoRALinear)
    require(
        good or not passed,
        "your function refuses a sound layer and lets one pass that "
        f"{passed[-1] if passed else ''}. What do you compare with? Before the merge the adapter "
        "must be on. (Or is the verdict the wrong way round?)",
    )
    require(
        good,
        "your function refuses a sound layer. Is the comparison exact? Two ways to compute one "
        "number differ in the last digits.",
    )
    require(
        len(passed) < len(faults),
        "your function says True to everything, even to a layer that "
        f"{passed[-1] if passed else ''}. What does a *new* adapter add to W? A test with that "
        "can't fail.",
    )
    require(
        passed != [faults[_CountsTwice]],
        f"your function lets a layer pass that {faults[_CountsTwice]}. Do you ask the *layer* "
        "again, and not only what `merge` returns?",
    )
    require(not passed, f"your function lets a layer pass that {', '.join(passed)}.")


def _verdict(merge_is_faithful: Callable, kind: type[LoRALinear]) -> bool:
    """Return what the reader's function says of a new layer of this kind."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        layer = kind(nn.Linear(6, 6), r=2, alpha=3.0)
        verdict = call(merge_is_faithful, layer, torch.randn(5, 6))
    require(
        isinstance(verdict, bool | np.bool_)
        or (torch.is_tensor(verdict) and verdict.dtype == torch.bool and verdict.ndim == 0),
        f"return True or False, not {type(verdict).__name__}.",
    )
    return bool(verdict)


@exercise("09.5")
def ex_09_5(reason: str) -> None:
    """Check why LoRA training was not much faster here (a letter)."""
    choose(
        reason,
        right="a",
        hints={
            "b": "look at the operations: rank 1 is as thin as it gets.",
            "c": "a frozen weight gets no gradient, and the counter shows that this half is saved.",
            "d": "the optimizer is not in these measurements, and it has hardly anything to do.",
        },
    )


def _same(answer: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> bool:
    """Whether two tensors have one shape and, but for rounding, the same numbers."""
    return answer.shape == expected.shape and torch.allclose(
        answer.detach().cpu().float(), expected, atol=tolerance, rtol=tolerance
    )
