"""The exercises of notebook 09 · LoRA: the layer; the first three are in `building`."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from helpers import lora
from helpers.lora import LoRABagLinear, LoRALinear
from lessons.comparing import same
from lessons.n09_lora_layer import open_task, worlds
from lessons.n09_lora_layer.building import OUTPUTS, check
from lessons.n09_lora_layer.worlds import spoiled

# --- 09.4 ---------------------------------------------------------------------------------


close = functools.partial(torch.allclose, atol=1e-5)


def trial(
    start: Callable = nn.init.normal_,
    before: Callable = lambda layer, inputs: layer(inputs),
    after: Callable = lambda layer, inputs: layer(inputs),
    compare: Callable = close,
) -> Callable:
    """Return a test of a merge, with places to spoil it."""

    def merge_is_faithful(layer: LoRALinear, inputs: Tensor) -> bool:
        start(layer.lora_B)
        found = before(layer, inputs)
        layer.merge()
        return compare(after(layer, inputs), found)

    return merge_is_faithful


def asserting(layer: LoRALinear, inputs: Tensor) -> None:
    """Stop where a test of pytest would stop."""
    assert trial()(layer, inputs)


def passing(kind: type[LoRALinear]) -> tuple:
    """Return the mistake of a test that misses one kind of broken layer."""
    fault = f"{kind.__doc__}".replace("The", "the", 1)
    return (
        f"your test says True to a layer with this fault: {fault} Do you compare all *outputs*, "
        "not their means, with a small tolerance, and is B other than zero *before* the merge?",
        lambda layer, inputs: type(layer).__doc__ == kind.__doc__ or trial()(layer, inputs),
        lambda found, layer, _: same(found, True) and type(layer) is kind,
    )


check.exercise(
    "09.4",
    trial(),
    probe=worlds.verdict,
    inputs=[worlds.new_layer(kind) for kind in worlds.KINDS],
    changes=True,
    mistakes=[
        (
            "an assert stops the function at a broken layer. Return the comparison itself, True or "
            "False.",
            asserting,
            lambda found, *_: found == "an assert",
        ),
        (
            "your test sees only a fault that shows in a *new* layer. What does a new adapter add "
            "to W? And twice that?",
            trial(start=lambda b: b),
        ),
        (
            "your test says True to every layer. Take the layer's *outputs* before the merge and "
            "after it, and look at how far they are apart.",
            lambda layer, inputs: True,
        ),
        (
            "your test says False to every layer, a sound one as well. Is the comparison exact? "
            "Two ways to compute one number differ in the last digits.",
            lambda layer, inputs: False,
        ),
        (
            "the verdict is the wrong way round: True means that the outputs have stayed.",
            trial(compare=lambda after, before: not close(after, before)),
        ),
        (
            "your test finds only the largest fault: the tolerance is so wide that others fit in.",
            trial(compare=lambda after, before: torch.allclose(after, before, atol=10)),
        ),
        (
            "before the merge you have the base layer's output: is the adapter on, and is B other "
            "than zero *then*?",
            trial(before=lambda layer, inputs: layer.base_layer(inputs)),
        ),
        (
            "a layer that goes on adding its update after the merge passes: ask the *layer* for "
            "its outputs, not only the weight or the base layer.",
            trial(after=lambda layer, inputs: layer.base_layer(inputs)),
        ),
        *[passing(kind) for kind in worlds.KINDS[2:]],
    ],
    errors={
        "merged already": "Merge once. (To compare twice, keep the outputs.)",
        "is disabled": "Leave the adapter on: disable() would undo a merge.",
    },
    otherwise="Input 1 is a sound layer, the others are not: in input 2 the update counts twice.",
)


# --- 09.5, 09.6: the counts ---------------------------------------------------------------


def counting(
    trained: Callable = lambda part: part.requires_grad,
    count: Callable = Tensor.numel,
    every: Callable = nn.Module.parameters,
) -> Callable:
    """Return another way to count a model's numbers."""
    return lambda model: (
        sum(count(part) for part in every(model) if trained(part)),
        sum(count(part) for part in every(model)),
    )


check.exercise(
    "09.5",
    lora.parameter_counts,
    inputs=[
        (worlds.PartlyFrozen(),),
        lambda: (lora.add_adapters(worlds.Nested(), ["first", "block.1"], r=2),),
        lambda: (worlds.Tied(),),
    ],
    mistakes=[
        ("all parameters count as trained: which attribute tells?", counting(lambda part: True)),
        ("those are tensors: how many numbers has each?", counting(count=lambda part: 1)),
        ("that is the first side of each tensor, not all its numbers.", counting(count=len)),
        ("the trained ones come first.", lambda model: lora.parameter_counts(model)[::-1]),
        (
            "the second number is that of *all* parameters, trained or not.",
            lambda model: (
                lora.parameter_counts(model)[0],
                lora.parameter_counts(model)[1] - lora.parameter_counts(model)[0],
            ),
        ),
        (
            "a weight that two layers share is there once: model.parameters() knows that.",
            counting(
                every=lambda model: [p for m in model.modules() for p in m._parameters.values()]
            ),
            lambda found, model: isinstance(model, worlds.Tied) and found[1] == 83,
        ),
        (
            "model.parameters() gives each parameter once. Call it again for the second sum.",
            lambda model: (lora.parameter_counts(model)[0], 0),
        ),
        (
            "return two numbers: the trained ones first, then all.",
            lambda model: lora.parameter_counts(model)[0],
            lambda found, model: isinstance(found, int),
        ),
    ],
    otherwise="Go over model.parameters(): each has numel() and requires_grad.",
)


def operations(
    full: tuple[float, float, float] = (1, 1, 1),
    frozen: tuple[float, float, float] = (1, 0, 1),
    thin: tuple[float, float, float] = (1, 1, 1),
) -> Callable:
    """Return another count for one step, (all parameters, LoRA), with these shares of products.

    Each has three: forward, the gradients of the weights, that of the inputs of a middle layer.
    """

    def step_operations(
        batch_size: int, in_features: int, out_features: int, r: int, middle: bool
    ) -> tuple:
        base = 2 * batch_size * in_features * out_features
        down, up = 2 * batch_size * in_features * r, 2 * batch_size * r * out_features
        large = [(way[0] + way[1] + middle * way[2]) * base for way in (full, frozen)]
        adapter = thin[0] * (down + up) + thin[1] * (down + 2 * up) + thin[2] * middle * down
        return large[0], large[1] + adapter

    return step_operations


check.exercise(
    "09.6",
    operations(),
    parts=("the count with all parameters trained", "the count with LoRA"),
    inputs=[(2, 5, 3, 1, False), (2, 5, 3, 1, True), (7, 4, 9, 2, False), (3, 6, 8, 3, True)],
    mistakes=[
        (
            "a product of [n, k] and [k, m] takes 2 n k m operations: k multiplications and k "
            "additions for each number of the result.",
            lambda *sizes: tuple(count / 2 for count in operations()(*sizes)),
        ),
        (
            "only the way forward is counted. What does backward need for each matrix?",
            operations((1, 0, 0), (1, 0, 0), (1, 0, 0)),
        ),
        ("with LoRA the gradient of W is not computed.", operations(frozen=(1, 1, 1))),
        (
            "in a middle layer the gradient goes on to the layer below: what product is that?",
            operations((1, 1, 0), (1, 0, 0), (1, 1, 0)),
        ),
        ("a middle layer's inputs have two ways back: W and A.", operations(thin=(1, 1, 0))),
        ("W x is still computed on the way forward.", operations(frozen=(0, 0, 1))),
        (
            "in a middle layer the gradient goes back through W with LoRA, too: W is frozen, but "
            "the layers below need it.",
            operations(frozen=(1, 0, 0)),
        ),
        (
            "a first layer has only data below it, and passes no gradient on: ask for `middle`.",
            lambda *sizes: operations()(*sizes[:4], True),
        ),
        ("the gradients of B, of A x and of A are missing.", operations(thin=(1, 0, 1))),
        (
            "one of the three thin products of the backward pass is missing: the gradient has to "
            "reach A *through* B.",
            lambda b, n, m, r, middle: (
                operations()(b, n, m, r, middle)[0],
                operations()(b, n, m, r, middle)[1] - 2 * b * r * m,
            ),
        ),
        ("all parameters come first, then LoRA.", lambda *sizes: operations()(*sizes)[::-1]),
    ],
    otherwise="List the products with their shapes; each takes 2 n k m.",
)


check.custom("09.open")(open_task.judge)


# --- 09.7 ---------------------------------------------------------------------------------


def with_bags(squeeze: Callable, scaling: Callable = lambda layer: layer.scaling) -> Callable:
    """Return another way forward for bags."""

    def forward(self: Any, bags: Any) -> Tensor:
        outputs = self.base_layer(bags)
        if not self.enabled or self.merged:
            return outputs
        return outputs + scaling(self) * (squeeze(self, bags) @ self.lora_B.T)

    return forward


def summed(layer: Any, bags: Any, mode: str = "sum") -> Tensor:
    """Return the sum of the columns of A that the bags select, [batch, r]."""
    return nn.functional.embedding_bag(
        bags.ids, layer.lora_A.T, bags.offsets, mode=mode, include_last_offset=True
    )


check.exercise(
    "09.7",
    spoiled(LoRABagLinear, forward=LoRABagLinear.forward),
    probe=worlds.send_bags,
    parts=(OUTPUTS[0], "the shape of the update", OUTPUTS[1], "the output of a merged one"),
    inputs=[(4, 2, 3.0), (6, 3, 1.0)],
    mistakes=[
        (
            "A x is a sum of columns, not their mean: which mode is that?",
            spoiled(LoRABagLinear, forward=with_bags(lambda s, bags: summed(s, bags, "mean"))),
        ),
        ("the scaling is missing.", spoiled(LoRABagLinear, forward=with_bags(summed, lambda _: 1))),
        (
            "that is the base layer alone.",
            spoiled(LoRABagLinear, forward=lambda self, bags: self.base_layer(bags)),
        ),
        (
            "switched off or merged, the layer must give the base layer's output.",
            spoiled(
                LoRABagLinear,
                forward=lambda self, bags: (
                    self.base_layer(bags) + self.scaling * (summed(self, bags) @ self.lora_B.T)
                ),
            ),
        ),
        (
            "get_delta_weight must have the shape of a BagLinear's weight, [in, out].",
            spoiled(
                LoRABagLinear, merge=lambda self: None, get_delta_weight=lambda self: torch.ones(1)
            ),
            lambda found, out, r, alpha: found[1] != [6, out],
        ),
    ],
    errors={
        "non-singleton dimension 0": "Is there a row too many? Our offsets end with the length of "
        "ids, and embedding_bag must be told so.",
        "not in the valid range": "embedding_bag sums rows of its table, and so needs [in, r].",
        "'Bags' and 'Tensor'": "LoRALinear's own forward can't multiply bags. Ask the base layer.",
        "must match the size": "A BagLinear stores its weight as [in, out]: the update, too.",
        "not broadcastable": "A BagLinear stores its weight as [in, out]: the update, too.",
    },
    otherwise="Compare it with LoRALinear on bags.multi_hot vectors of two tokens.",
)
