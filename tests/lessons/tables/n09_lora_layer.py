"""What readers answer in notebook 08 · LoRA."""

import copy
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.lora import LoRALinear
from helpers.text import Vocabulary
from helpers.training import pick_device
from tests.lessons.tables import Trap


def forward(
    adapter: Callable = lambda x, a, b: x @ a.T @ b.T,
    combine: Callable = lambda base, bias, adapter, scaling: base + bias + scaling * adapter,
) -> Callable:
    """Make an answer to 09.2, with places to spoil it."""

    def lora_forward(
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor,
        lora_A: Tensor,  # noqa: N803 - the paper's names
        lora_B: Tensor,  # noqa: N803
        scaling: float,
    ) -> Tensor:
        return combine(inputs @ weight.T, bias, adapter(inputs, lora_A, lora_B), scaling)

    return lora_forward


def columns_first(inputs: Tensor, weight: Tensor, bias: Tensor, *adapter) -> Tensor:
    """Work on the columns of the transposed inputs, as in the formula."""
    lora_A, lora_B, scaling = adapter  # noqa: N806 - the paper's names
    base = weight @ inputs.T + bias[:, None]
    return (base + scaling * (lora_B @ (lora_A @ inputs.T))).T


def formed_first(inputs: Tensor, weight: Tensor, bias: Tensor, *adapter) -> Tensor:
    lora_A, lora_B, scaling = adapter  # noqa: N806 - the paper's names
    return F.linear(inputs, weight + scaling * (lora_B @ lora_A), bias)


def all_close(after: Tensor, before: Tensor) -> bool:
    return torch.allclose(after, before, atol=1e-5)


def faithful(
    start: Callable = nn.init.normal_,
    compare: Callable = all_close,
    off: bool = False,
    merge: bool = True,
    restore: bool = False,
    ask_base: bool = False,
) -> Callable:
    """Make an answer to 09.4, with places to spoil it."""

    def merge_is_faithful(layer: LoRALinear, inputs: Tensor) -> bool:
        start(layer.lora_B)
        before = layer.base(inputs) if off else layer(inputs)
        if merge:
            layer.merge()
        verdict = compare((layer.base if ask_base else layer)(inputs), before)
        if restore:
            layer.unmerge()
        return verdict

    return merge_is_faithful


@torch.no_grad()
def faithful_on_a_copy(layer: LoRALinear, inputs: Tensor) -> np.bool_:
    merged = copy.deepcopy(layer)
    merged.lora_B += 1
    before = merged(inputs).numpy()
    merged.merge()
    return np.allclose(merged(inputs).numpy(), before, atol=1e-4)


def faithful_after_start_of_a(layer: LoRALinear, inputs: Tensor) -> bool:
    nn.init.normal_(layer.lora_A)
    return faithful(start=lambda b: b)(layer, inputs)


def adam_bytes(
    count: Callable = lambda part: 2 * part.numel() * part.element_size(), all_of_them: bool = False
) -> Callable:
    """Make an answer to 10.3, with places to spoil it."""

    def adam_state_bytes(model: nn.Module) -> int:
        parts = [part for part in model.parameters() if all_of_them or part.requires_grad]
        return sum(count(part) for part in parts)

    return adam_state_bytes


def measured_bytes(means_only: bool = True) -> Callable:
    """Make an answer to 10.3 that lets Adam take a step and looks at its state."""

    def adam_state_bytes(model: nn.Module) -> int:
        parts = [part for part in model.parameters() if part.requires_grad]
        if not parts:
            return 0
        optimizer = torch.optim.Adam(parts)
        for part in parts:
            part.grad = torch.zeros_like(part)
        optimizer.step()
        return sum(
            value.nbytes
            for state in optimizer.state.values()
            for name, value in state.items()
            if name != "step" or not means_only
        )

    return adam_state_bytes


def moved(
    lengths: Callable = lambda matrix: matrix.norm(dim=0),
    name: Callable = lambda vocabulary, codes: vocabulary.decode(codes),
    largest: bool = True,
) -> Callable:
    """Make an answer to 10.4, with places to spoil it."""

    def most_moved(matrix: Tensor, vocabulary: Vocabulary, count: int) -> list[str]:
        codes = lengths(matrix).topk(count, largest=largest).indices.tolist()
        return name(vocabulary, codes)

    return most_moved


def moved_by_sorting(matrix: Tensor, vocabulary: Vocabulary, count: int) -> list[str]:
    lengths = np.linalg.norm(matrix.numpy(), axis=0)
    names = ["<unk>", *vocabulary.tokens]
    return sorted(names, key=lambda token: -lengths[names.index(token)])[:count]


RIGHT = {
    "ex_09_1": [
        (lambda a, b, alpha: alpha / len(a) * b @ a,),
        (lambda a, b, alpha: b.mul(alpha / a.shape[0]) @ a,),
        (lambda a, b, alpha: torch.einsum("or,ri->oi", b, a) * alpha / b.shape[1],),
        (lambda a, b, alpha: nn.Parameter(alpha / len(a) * b @ a).to(pick_device()),),
        (lambda a, b, alpha: alpha / len(a) * b.double() @ a.double(),),
        (
            lambda a, b, alpha: (
                sum(torch.outer(b[:, i], a[i]) for i in range(len(a))) * alpha / len(a)
            ),
        ),
    ],
    "ex_09_2": [
        (forward(),),
        (forward(lambda x, a, b: F.linear(F.linear(x, a), b)),),
        (forward(lambda x, a, b: x.mm(a.t()).mm(b.t())),),
        (forward(combine=lambda w, c, d, s: torch.add(w + c, d, alpha=s).double()),),
        (columns_first,),
    ],
    "ex_09_3": [("c",), (" C ",)],
    "ex_09_4": [
        (faithful(),),
        (faithful(restore=True),),
        (faithful(start=nn.init.ones_),),
        (faithful(start=lambda b: b.data.uniform_(-1, 1)),),
        (faithful(compare=lambda after, before: (after - before).abs().max() < 1e-4),),
        (faithful_on_a_copy,),
    ],
    "ex_10_1": [
        (20_200, 4_020_802),
        (np.int64(20_200), torch.tensor(4_020_802)),
        (20_200.0, 4_020_802.0),
    ],
    "ex_10_2": [
        (lambda curvature: 2 / curvature,),
        (lambda curvature: torch.tensor([2 / curvature]),),
    ],
    "ex_09_5": [("a",)],
    "ex_10_3": [(adam_bytes(),), (adam_bytes(lambda part: 2 * part.nbytes),), (measured_bytes(),)],
    "ex_10_4": [
        (moved(),),
        (moved(lambda matrix: matrix.square().sum(0)),),
        (moved(lambda matrix: torch.linalg.vector_norm(matrix, dim=0).to(pick_device())),),
        (moved_by_sorting,),
    ],
}

OPEN = {
    "ex_10_1": [(20_200, None)],
    "ex_10_4": [(moved(name=lambda vocabulary, codes: None),)],
}

SECRETS = {
    "ex_09_1": ("lora_B @", "B @ A", "shape[0]", "len("),
    "ex_09_2": ("lora_A.T", "lora_B.T", "F.linear", " @ "),
    "ex_09_3": ("gradient", "c is"),
    "ex_09_4": ("normal_", "allclose", "lora_B"),
    "ex_10_1": ("20,200", "20_200", "20200", "4,020,802", "4_020_802", "4020802"),
    "ex_10_2": ("2 /", "2/", "= 2"),
    "ex_09_5": ("dwarf", "W x"),
    "ex_10_3": ("element_size", "numel", "162", "requires_grad", " 64"),
    "ex_10_4": (".norm(", "topk", "dim=0", "bad, good", "'bad', 'good'"),
}

TRAPS = [
    Trap("ex_09_1", (lambda a, b, alpha: alpha / len(a) * a @ b,), "A and B are swapped"),
    Trap("ex_09_1", (lambda a, b, alpha: alpha / len(a) * (b @ a).T,), "transposed"),
    Trap("ex_09_1", (lambda a, b, alpha: alpha / len(a) * a.T @ b.T,), "transposed"),
    Trap("ex_09_1", (lambda a, b, alpha: alpha / len(a) * b * a,), "number by number"),
    Trap("ex_09_1", (lambda a, b, alpha: b @ a,), "scaling is left out"),
    Trap("ex_09_1", (lambda a, b, alpha: alpha * b @ a,), "divided by the rank"),
    Trap("ex_09_1", (lambda a, b, alpha: alpha * len(a) * b @ a,), "divided by the rank"),
    Trap("ex_09_1", (lambda a, b, alpha: len(a) / alpha * b @ a,), "upside down"),
    Trap("ex_09_1", (lambda a, b, alpha: alpha // len(a) * b @ a,), "// throws"),
    Trap("ex_09_1", (lambda a, b, alpha: alpha / a.shape[1] * b @ a,), "wrong side"),
    Trap("ex_09_1", (lambda a, b, alpha: alpha / b.shape[0] * b @ a,), "wrong side"),
    Trap("ex_09_1", (lambda a, b, alpha: alpha / len(a) ** 0.5 * b @ a,), "rank-stabilised"),
    Trap("ex_09_1", (lambda a, b, alpha: b,), "shape of W"),
    Trap("ex_09_1", (lambda a, b, alpha: 3.0,), "return a tensor"),
    Trap("ex_09_1", (lambda a, b, alpha: b @ a + 1,), "numbers are not"),
    Trap("ex_09_2", (formed_first,), "a full [out, in] matrix was formed"),
    Trap(
        "ex_09_2", (forward(lambda x, a, b: x @ (b @ a).T),), "a full [out, in] matrix was formed"
    ),
    Trap("ex_09_2", (forward(lambda x, a, b: x @ (a.T @ b.T)),), "a full [out, in] matrix was"),
    Trap("ex_09_2", (forward(lambda x, a, b: x @ a @ b),), "which of them must be turned"),
    Trap("ex_09_2", (forward(lambda x, a, b: x @ b.T @ a.T),), "which of them must be turned"),
    Trap("ex_09_2", (forward(combine=lambda w, c, d, s: w + s * d),), "bias of the base layer"),
    Trap("ex_09_2", (forward(combine=lambda w, c, d, s: w + c),), "base layer alone"),
    Trap("ex_09_2", (forward(combine=lambda w, c, d, s: w + c + d),), "scaling is left out"),
    Trap("ex_09_2", (forward(combine=lambda w, c, d, s: s * (w + c + d)),), "update alone"),
    Trap("ex_09_2", (forward(combine=lambda w, c, d, s: w + c + s * (d + c)),), "twice"),
    Trap("ex_09_2", (forward(combine=lambda w, c, d, s: s * d),), "on top of the base"),
    Trap("ex_09_2", (forward(combine=lambda w, c, d, s: w - c + d),), "numbers are not"),
    Trap(
        "ex_09_2", (forward(combine=lambda w, c, d, s: (w + c + s * d).squeeze()),), "[batch, out]"
    ),
    Trap("ex_09_2", (forward(combine=lambda w, c, d, s: (w + c + s * d).T),), "[batch, out]"),
    Trap("ex_09_3", ("a",), "output at the start would be the same"),
    Trap("ex_09_3", ("b",), "any number"),
    Trap("ex_09_3", ("d",), "would not start as the old one"),
    Trap("ex_09_3", ("both",), "one letter"),
    Trap("ex_09_4", (faithful(start=nn.init.zeros_),), "a *new* adapter"),
    Trap("ex_09_4", (faithful_after_start_of_a,), "a *new* adapter"),
    Trap("ex_09_4", (lambda layer, inputs: True,), "a *new* adapter"),
    Trap("ex_09_4", (faithful(merge=False),), "True to everything"),
    Trap("ex_09_4", (lambda layer, inputs: False,), "refuses a sound layer"),
    Trap("ex_09_4", (faithful(compare=torch.equal),), "exact"),
    Trap("ex_09_4", (faithful(compare=lambda a, b: bool((a == b).all())),), "exact"),
    Trap("ex_09_4", (faithful(off=True),), "adapter must be on"),
    Trap("ex_09_4", (faithful(compare=lambda a, b: not all_close(a, b)),), "wrong way"),
    Trap("ex_09_4", (faithful(ask_base=True),), "ask the *layer*"),
    Trap(
        "ex_09_4",
        (
            faithful(
                start=lambda b: nn.init.constant_(b, 0.001),
                compare=lambda a, b: bool((a - b).abs().max() < 0.01),
            ),
        ),
        "True to everything",
    ),
    Trap("ex_09_4", (faithful(compare=lambda a, b: (a - b).abs().max()),), "True or False"),
    Trap("ex_09_4", (faithful(compare=torch.isclose),), "True or False"),
    Trap("ex_10_1", (4_020_802, 20_200), "swapped"),
    Trap("ex_10_1", (20_602, 4_020_802), "second layer is frozen"),
    Trap("ex_10_1", (20_400, 4_020_802), "bias of the first layer"),
    Trap("ex_10_1", (4_000_000, 4_020_802), "which is frozen"),
    Trap("ex_10_1", (4_000_602, 4_020_802), "without an adapter"),
    Trap("ex_10_1", (4_020_802, 4_020_802), "everything there is"),
    Trap("ex_10_1", (40_400, 4_020_802), "rank 2"),
    Trap("ex_10_1", (20_000, 4_020_802), "one of the two matrices"),
    Trap("ex_10_1", (200, 4_020_802), "one of the two matrices"),
    Trap("ex_10_1", (20_201, 4_020_803), "unknown one included"),
    Trap("ex_10_1", (4_020_000, 4_020_802), "A has r · in"),
    Trap("ex_10_1", ([20_000, 200], 4_020_802), "single number"),
    Trap("ex_10_1", ("twenty thousand", 4_020_802), "single number"),
    Trap("ex_10_1", (20_200, 4_000_602), "on top"),
    Trap("ex_10_1", (20_200, 3_980_402), "on top"),
    Trap("ex_10_1", (20_200, 4_020_200), "still count"),
    Trap("ex_10_1", (20_200, 4_020_400), "still counts"),
    Trap("ex_10_1", (20_200, 1), "add A and B"),
    Trap("ex_10_2", (lambda curvature: 1 / curvature,), "lands in the minimum"),
    Trap("ex_10_2", (lambda curvature: 2 * curvature,), "grow with the curvature"),
    Trap("ex_10_2", (lambda curvature: curvature / 2,), "grow with the curvature"),
    Trap("ex_10_2", (lambda curvature: 0.1,), "multiply the distance"),
    Trap("ex_10_2", (lambda curvature: -2 / curvature,), "multiply the distance"),
    Trap("ex_10_2", (lambda curvature: [2 / curvature, 0],), "single number"),
    Trap("ex_09_5", ("b",), "as thin as it gets"),
    Trap("ex_09_5", ("c",), "gets no gradient"),
    Trap("ex_09_5", ("d",), "not in these measurements"),
    Trap("ex_09_5", ("ab",), "one letter"),
    Trap("ex_10_3", (adam_bytes(all_of_them=True),), "frozen parameters"),
    Trap("ex_10_3", (adam_bytes(lambda part: 4 * part.numel(), all_of_them=True),), "frozen para"),
    Trap("ex_10_3", (adam_bytes(lambda part: 4 * part.numel()),), "one moment"),
    Trap("ex_10_3", (adam_bytes(lambda part: part.nbytes),), "one moment"),
    Trap("ex_10_3", (adam_bytes(lambda part: 2 * part.numel()),), "in bytes"),
    Trap("ex_10_3", (adam_bytes(lambda part: 64 * part.numel()),), "bits"),
    Trap("ex_10_3", (adam_bytes(lambda part: 12 * part.numel()),), "parameters themselves"),
    Trap("ex_10_3", (measured_bytes(means_only=False),), "counters of steps"),
    Trap("ex_10_3", (adam_bytes(lambda part: 8 * part.numel()),), "not every number has 4 bytes"),
    Trap("ex_10_3", (adam_bytes(lambda part: 3),), "at 4 bytes each"),
    Trap("ex_10_3", (lambda model: "64 bytes",), "single number"),
    Trap("ex_10_4", (moved(lambda matrix: matrix.norm(dim=1)),), "rows"),
    Trap("ex_10_4", (moved(name=lambda v, codes: [v.tokens[c] for c in codes]),), "off by one"),
    Trap("ex_10_4", (moved(largest=False),), "moved least"),
    Trap("ex_10_4", (moved(name=lambda v, codes: v.decode(codes)[::-1]),), "comes first"),
    Trap("ex_10_4", (moved(lambda matrix: matrix.sum(dim=0)),), "opposite sign"),
    Trap("ex_10_4", (moved(lambda matrix: matrix.sum(dim=0).abs()),), "opposite sign"),
    Trap("ex_10_4", (moved(lambda matrix: matrix.abs().sum(dim=0)),), "Square before you add"),
    Trap("ex_10_4", (moved(lambda matrix: matrix.abs().amax(dim=0)),), "largest entry"),
    Trap("ex_10_4", (moved(name=lambda v, codes: codes),), "list of tokens"),
    Trap("ex_10_4", (moved(name=lambda v, codes: v.decode(codes)[:1]),), "is wrong"),
    Trap("ex_10_4", (moved(name=lambda v, codes: ", ".join(v.decode(codes))),), "list of tokens"),
    Trap(
        "ex_10_4",
        (moved(name=lambda v, codes: [v.tokens[code - 1] for code in codes]),),
        "unknown token has a column",
    ),
    Trap(
        "ex_10_4",
        (moved(lambda matrix: matrix.norm(dim=0) * (torch.arange(matrix.shape[1]) > 0)),),
        "unknown token has a column",
    ),
]
