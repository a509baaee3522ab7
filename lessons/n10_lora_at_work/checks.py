"""The exercises of notebook 10 · LoRA at work."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers import datasets, lora, models, training
from lessons.comparing import same
from lessons.exercises import Checks, Wrong
from lessons.n10_lora_at_work import work
from lessons.n10_lora_at_work.answers import (
    adapter_input,
    afterwards,
    critics_world,
    effective,
    in_order,
    linear,
    matrix,
    new_numbers,
    prepared,
    preparing,
    push_input,
    pushing,
    small_model,
    split_input,
    state_bytes,
    trained,
    two_layers,
    watch_input,
    watched,
    watching,
    with_argument,
)

check = Checks()


# --- 10.1 ---------------------------------------------------------------------------------


check.exercise(
    "10.1",
    work.prepare,
    probe=prepared,
    inputs=[
        (lambda way=way: (small_model(seed=1), way))
        for way in ("head", "everything", "rank 1", "from scratch")
    ],
    mistakes=[
        (
            "that is `base` itself, or shares its layers: training it would train `base`.",
            preparing(lambda model, way: None, copied=False),
            lambda found, base, way: found["shares"],
        ),
        (
            "only `from scratch` may draw new numbers: the other ways start from the base model.",
            lambda base, way: work.prepare(base, "from scratch" if way == "everything" else way),
            lambda found, base, way: way != "from scratch" and bool(found["new"]),
        ),
        (
            "for the head, the second layer is trained, and nothing else.",
            preparing(lambda model, way: model.requires_grad_(True) if way == "head" else None),
            lambda found, base, way: (
                way == "head" and found["trained"] != ["output.bias", "output.weight"]
            ),
        ),
        (
            "for everything, nothing is frozen.",
            preparing(lambda m, way: way == "everything" and not m.hidden.requires_grad_(False)),
            lambda found, base, way: way == "everything" and len(found["trained"]) != 4,
        ),
        (
            "for rank 1, only an adapter of rank 1 on the layer `hidden` is trained.",
            preparing(lambda m, way: way == "rank 1" and not m.output.requires_grad_(True)),
            lambda found, base, way: way == "rank 1",
        ),
        (
            "from scratch, every layer gets new random numbers: call its reset_parameters().",
            lambda base, way: work.prepare(base, "everything" if "scratch" in way else way),
            lambda found, base, way: "scratch" in way and len(found["new"]) < 4,
        ),
        (
            "its parameters are not as many, or not as large, as those of `base`.",
            preparing(lambda model, way: "scratch" in way and models.SparseOneHotMLP(7, 3)),
            lambda found, base, way: (
                way != "rank 1" and found["shapes"] != [[*part.shape] for part in base.parameters()]
            ),
        ),
    ],
    otherwise="Look at what requires a gradient, way by way.",
)


# --- 10.2 ---------------------------------------------------------------------------------


check.exercise(
    "10.2",
    work.train_and_watch,
    probe=watched,
    inputs=[
        watch_input(5, 2.0, ("critics", "IMDB", "third")),
        watch_input(4, 6.0, ("a", "b")),
        watch_input(0, 1.0, ("a",)),
    ],
    changes=True,
    mistakes=[
        ("the accuracies from before the training are missing.", watching(before=False)),
        ("evaluate after *every* epoch, not only at the end.", watching(at_end=True)),
        (
            "all names have the same list: evaluate each loader by itself.",
            lambda *all_but, **more: (lambda found: {name: [*found[min(found)]] for name in found})(
                work.train_and_watch(*all_but, **more)
            ),
        ),
        (
            "a dict is asked for: one list of accuracies per name in `watched`.",
            lambda *arguments: list(work.train_and_watch(*arguments).values()),
            lambda found, *_: isinstance(found, list),
        ),
    ],
    otherwise="One number before the training, then one after each epoch, for each name.",
)


# --- 10.3 ---------------------------------------------------------------------------------

check.exercise(
    "10.3",
    work.linear_accuracy,
    inputs=[split_input(seed) for seed in (4, 9, 13, 38)],
    mistakes=[
        (
            "the strength is chosen on the *test* texts, which must choose nothing.",
            linear(choose=2),
        ),
        (
            "choose on validation: on its own texts the weakest penalty always wins.",
            linear(choose=0),
        ),
        ("that is the accuracy on validation.", linear(report=1)),
        ("that is the accuracy on the training texts.", linear(report=0)),
        ("the strength is not chosen: try all three.", linear(strengths=(1,))),
        ("the strength is not chosen: try all three.", linear(strengths=(0.1,))),
        ("fit on the training texts; validation only chooses.", linear(fit=1)),
    ],
    otherwise="Three fits on train, one choice on validation, one score on test.",
)


# --- 10.4 ---------------------------------------------------------------------------------


check.exercise(
    "10.4",
    work.largest_pushes,
    probe=in_order,
    inputs=[
        push_input([1, 1, 1, 1, 1, 1], 3),
        push_input([0, 1, 1, 0, 1, 1], 3),
        push_input([1, 0, 1, 1, 0, 1], 2, scale=2.0),
    ],
    mistakes=[
        (
            "the scaling α / r belongs to the update: get_delta_weight() has it.",
            pushing(pushes=lambda m: (m.hidden.lora_B @ m.hidden.lora_A).T @ m.output.weight[0]),
        ),
        (
            "a large negative push counts as well: choose by size.",
            pushing(size=lambda pushes, often: pushes * often),
        ),
        ("rare tokens are in it: use `often`.", pushing(size=lambda pushes, often: pushes.abs())),
        (
            "the order is by size. Sort the chosen ones from the most positive to the most "
            "negative.",
            pushing(order=lambda chosen, pushes: chosen),
        ),
        (
            "the most positive comes first, the most negative last.",
            pushing(order=lambda chosen, pushes: chosen[pushes[chosen].argsort()]),
        ),
        (
            "off by one: id 0 is the unknown token, and `decode` knows it.",
            pushing(tokens=lambda v, chosen: [([*v.tokens, "?"])[i] for i in chosen.tolist()]),
        ),
        (
            "fewer tokens than `count` come back, though enough are frequent. When do the rare "
            "ones go?",
            lambda model, v, often, count: pushing()(model, v, often, count - 1),
            lambda found, model, v, often, count: len(found[0]) < min(count, often.sum()),
        ),
        (
            "the pushes are right, their tokens are not. Is a position in a selection an id?",
            pushing(tokens=lambda v, chosen: v.decode((5 - chosen).tolist())),
            lambda found, *given: same(found[1], in_order(work.largest_pushes, *given)[1]),
        ),
    ],
    errors={"index out of range": "vocabulary.tokens has no entry for id 0; `decode` knows it."},
    otherwise="Pushes first, then the choice by size, then the order by sign.",
)


# --- 10.5 and 10.6 ------------------------------------------------------------------------


check.exercise(
    "10.5",
    work.adam_state_bytes,
    inputs=[
        lambda: (two_layers(),),
        lambda: (two_layers(torch.float64),),
        lambda: (two_layers(frozen=False),),
        lambda: (nn.Sequential(nn.Linear(3, 2).requires_grad_(False), nn.Linear(2, 1)),),
    ],
    mistakes=[
        (
            "the frozen parameters are counted too. Adam never sees them.",
            state_bytes(2, frozen=True),
        ),
        ("that is one mean for each number. Adam keeps two.", state_bytes(1)),
        ("that is how many numbers there are. And in bytes?", state_bytes(2, lambda part: 1)),
        ("the parameters themselves are no part of Adam's state.", state_bytes(3)),
        (
            "right for float32. The size of a number depends on its type.",
            state_bytes(2, lambda part: 4),
        ),
        (
            "those are also Adam's counters of steps, one per tensor. Only the means count.",
            lambda model: (
                work.adam_state_bytes(model)
                + 4 * sum(part.requires_grad for part in model.parameters())
            ),
        ),
    ],
    otherwise="Two numbers for every number that is trained, each as large as that number.",
)

check.exercise(
    "10.6",
    work.largest_jump,
    inputs=[([0.5, 0.8, 0.6, 0.65],), ([0.6, 0.9, 0.4, 0.5],), ([0.5, 0.6, 0.7, 0.9],)],
    mistakes=[
        ("that is the largest rise. A fall is a jump, too.", lambda a: max(np.diff(a))),
        ("that is the largest fall. A rise is a jump, too.", lambda a: -min(np.diff(a))),
        ("the size of a jump has no minus sign.", lambda a: max(np.diff(a), key=abs)),
        ("that is from the lowest to the highest. Compare neighbouring epochs.", np.ptp),
        ("that is from the first epoch to the last.", lambda a: abs(a[-1] - a[0])),
        ("that is the mean change. The largest is asked for.", lambda a: abs(np.diff(a)).mean()),
        ("the last epoch is left out.", lambda a: max(abs(np.diff(a[:-1])))),
    ],
    errors={"index out of range": "Four epochs have three changes between them."},
)


# --- 10.7 and 10.8 ------------------------------------------------------------------------


check.exercise(
    "10.7",
    work.train_adapter,
    probe=trained,
    changes=True,
    inputs=[
        adapter_input(1.0, True, 2, 0),
        adapter_input(2.0, True, 2, 3),
        adapter_input(0.5, False, 1, 4),
        adapter_input(3.0, True, 1, 2),
    ],
    mistakes=[
        (
            "two things are asked for: first the model, then its accuracies.",
            lambda *arguments: work.train_adapter(*arguments)[1],
            lambda found, *_: isinstance(found, list) or isinstance(found[0], list),
        ),
        (
            "the model that comes back has no adapter on the layer `hidden`.",
            lambda start, *rest: (start, work.train_adapter(start, *rest)[1]),
            lambda found, *_: isinstance(found, tuple),
        ),
        (
            "`start` has got an adapter: work on a copy, the next run starts from it as well.",
            afterwards(lambda model, start, _: lora.add_adapters(start, ["hidden"], r=1)),
            lambda found, *_: found["start"] == "changed",
        ),
        (
            "α is 1 for every rank here.",
            afterwards(lambda model, start, rest: setattr(model.hidden, "alpha", rest[5])),
            lambda found, *_: found["alpha"] != 1,
        ),
        (
            "the adapter does not have the rank that is asked for.",
            with_argument(6, lambda r: 1 if r > 1 else 2),
            lambda found, *arguments: found["rank"] != arguments[6],
        ),
        (
            "A is drawn from N(0, 1) only if `normal` is true, and then it must be.",
            with_argument(5, lambda normal: not normal),
            lambda found, *arguments: found["large A"] != arguments[5],
        ),
        (
            "one accuracy per epoch is asked for, and as many epochs as `num_epochs`.",
            with_argument(7, lambda num_epochs: num_epochs + 1),
            lambda found, *arguments: len(found["accuracies"]) != arguments[7],
        ),
        (
            "`normal` is about A. B stays zero at the start.",
            afterwards(lambda model, _, rest: rest[4] and nn.init.normal_(model.hidden.lora_B)),
            lambda found, *arguments: arguments[7] == 0 and found["B"] != "zero",
        ),
        (
            "`optimizer_class` is not used: it makes the optimizer, from the adapter's numbers.",
            with_argument(3, lambda _: torch.optim.SGD),
            lambda found, *_: not found["optimizer"],
        ),
        (
            "`lr` is not used, or the optimizer has not got both A and B of this model.",
            with_argument(4, lambda lr: 1e-6),
            lambda f, *given: not f["both"] or (given[7] > 0 and f["B"] == "zero"),
        ),
        (
            "the accuracies are not those on `validation_loader`.",
            lambda start, train, _, *rest: work.train_adapter(start, train, train, *rest),
            lambda found, *arguments: len(found["accuracies"]) == arguments[7] > 0,
        ),
    ],
    otherwise="Copy, adapter, A, optimizer, fit: check them one by one.",
)


check.exercise(
    "10.8",
    work.effective_lr,
    inputs=[(0.1, matrix(1, 7), 1.0), (0.5, matrix(4, 6), 3.0), (2.0, matrix(2, 9), 8.0)],
    mistakes=[
        ("the length of A enters squared, once for each side.", effective(power=1)),
        ("s is α / r, and it enters squared.", effective(lambda alpha, r, _: (alpha / r) ** 0.5)),
        ("s is α divided by the rank.", effective(lambda alpha, *_: alpha)),
        ("// cuts α / r to a whole number.", effective(lambda alpha, r, _: alpha // r)),
        ("the rank of A is its number of rows.", effective(lambda alpha, _, n: alpha / n)),
        ("‖A‖ is the largest singular value; that is the Frobenius norm.", effective(norm="fro")),
        ("`alpha` is not used.", effective(lambda alpha, r, _: 1 / r)),
        ("`lr` is not used.", lambda lr, *rest: work.effective_lr(1.0, *rest)),
    ],
    otherwise="lr times s squared times the square of the largest singular value.",
)


# --- 10.open ------------------------------------------------------------------------------


@check.custom("10.open")
def frugal(adapt_frugally: Callable) -> None:
    """Check the accuracy on sentences that the answer has not seen, and its new numbers."""
    base, train, validation = critics_world()
    start = copy.deepcopy(base)
    seen, unseen = (validation.select(range(part, len(validation), 2)) for part in (0, 1))
    model = adapt_frugally(start, train, seen)
    if not isinstance(model, nn.Module):
        raise Wrong("return a model, an nn.Module that maps bags to logits.")
    pairs = zip(start.state_dict().values(), base.state_dict().values(), strict=True)
    if not all(torch.equal(*pair) for pair in pairs):
        raise Wrong("`base` itself was trained: its weights have changed. Work on a copy.")
    loader = datasets.make_loader(unseen, 1_000, sparse=True)
    accuracy, count = training.evaluate(model, loader).accuracy, new_numbers(model, base)
    print(f"{accuracy:.1%} on unseen sentences with {count:,} new numbers (rank 1: 20,201)")
    if accuracy < 0.745:
        raise Wrong("that is below 74.5 %. Rank 1, with early stopping, gets there.")
    if count >= 10_000:
        raise Wrong("the accuracy is there. Now with fewer numbers: which of them are needed?")
