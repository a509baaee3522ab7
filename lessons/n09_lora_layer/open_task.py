"""The open task of notebook 09: adapters for any model, saved alone."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import torch
from torch import nn

from helpers import lora
from lessons.exercises import Open, Wrong
from lessons.n09_lora_layer import worlds

NAMES, RANK, ALPHA = ["first", "block.1"], 2, 3.0


def judge(*answers: Callable) -> None:
    """Check the three functions, while those of `helpers.lora` refuse."""
    right = lora.add_adapters(worlds.Nested(), NAMES, RANK, ALPHA)
    ready = {lora.add_adapters, lora.save_adapters, lora.load_adapters}
    refusal = mock.Mock(side_effect=Wrong("write all three yourself, without those of `lora`."))
    if ready & {*answers}:
        refusal()
    with mock.patch.multiple(lora, **{function.__name__: refusal for function in ready}):
        _judge(right, *answers)


def _judge(right: nn.Module, add_adapters: Callable, save: Callable, load: Callable) -> None:
    """Check what comes out: of adding, of tied weights, of saving and loading."""
    model = _added(add_adapters)
    _require_refusal(add_adapters)
    with torch.no_grad():
        for part in (part for part in model.parameters() if part.requires_grad):
            part.copy_(worlds.numbers(*part.shape))
    inputs = worlds.numbers(3, 600)
    expected = model(inputs)
    for layer in lora.adapters(right).values():
        worlds.fill(layer)
    if not torch.allclose(expected, right(inputs), atol=1e-5):
        raise Wrong("the layers have adapters, but alpha or r does not arrive in them.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "adapters")
        save(model, path)
        _require_small(Path(folder))
        fresh = add_adapters(worlds.Nested(), NAMES, RANK, ALPHA).cpu()
        load(fresh, path)
        if not torch.equal(fresh(inputs), expected):
            raise Wrong("a model that has loaded the adapters gives other outputs than before.")
        for names, alpha, what in (
            (NAMES, 2 * ALPHA, "with another alpha, the same A and B give"),
            (NAMES[:1], ALPHA, f"without an adapter in {NAMES[1]!r}, the file gives"),
            ([*NAMES, "last"], ALPHA, "with one more trained adapter, in 'last', the file gives"),
        ):
            other = add_adapters(worlds.Nested(), names, RANK, alpha).cpu()
            for name in names[2:]:
                worlds.fill(other.get_submodule(name))
            try:
                load(other, path)
            except Exception:  # refused, which is right
                continue
            if not torch.allclose(other(inputs), expected, atol=1e-5):
                raise Wrong(
                    f"loaded into a model {what} other outputs without a word. Keep what belongs "
                    "to the adapters in the file, and refuse what does not fit."
                )


def _added(add_adapters: Callable) -> nn.Module:
    """Return a model with adapters that the student's function has added, if it is right."""
    inputs, plain = worlds.numbers(3, 600), worlds.Nested()
    model = add_adapters(plain, NAMES, RANK, ALPHA)
    if model is None or model is ...:
        raise Open("(add_adapters returns nothing yet: is a `return` missing?)")
    if not isinstance(model, nn.Module):
        raise Wrong(f"add_adapters returns the model, not {type(model).__name__}.")
    trained = {name for name, part in model.named_parameters() if part.requires_grad}
    wanted = {f"{name}.{part}" for name in NAMES for part in ("lora_A", "lora_B")}
    if missing := wanted - trained:
        raise Wrong(f"these should be trained now, and are not: {sorted(missing)}.")
    if type(plain.get_submodule(NAMES[0])) is type(model.cpu().last) is nn.Linear:
        raise Wrong("the model that was handed in has no adapters: a copy of it has.")
    for name in NAMES:
        if type(model.get_submodule(name)) is nn.Linear:
            raise Wrong(
                f"model.get_submodule({name!r}) is still a plain Linear. (setattr knows no path: "
                "ask the layer's parent, by the last part of the name.)"
            )
    if trained - wanted:
        raise Wrong(f"everything but the adapters is frozen; not here: {sorted(trained - wanted)}.")
    if not torch.equal(model(inputs), worlds.Nested()(inputs)):
        raise Wrong("new adapters change nothing, but this model's outputs are not what they were.")
    return model


def _require_refusal(add_adapters: Callable) -> None:
    """Tied weights must be refused by name, before anything is changed."""
    tied = worlds.Tied()
    message = ""
    try:
        add_adapters(tied, ["middle", "last"], 2)
    except ValueError as error:
        message = str(error) or " "
    if not message:
        raise Wrong(
            "in the check's second model the layer `last` shares its weight with the table of "
            "words. A merge would change both, so a ValueError is asked for."
        )
    if "last" not in message:
        raise Wrong(f"the message should name the layer, `last`. It says: {message.strip()}")
    if any(name.endswith("lora_A") for name, _ in tied.named_parameters()):
        raise Wrong("it was refused too late: `middle` has an adapter. Look before you act.")
    if not all(part.requires_grad for part in tied.parameters()):
        raise Wrong("it was refused too late: the model is frozen already. Look before you act.")
    if add_adapters(worlds.Tied(), ["middle"], 2) is None:
        raise Wrong("a layer whose weight is its own may have an adapter, whatever others share.")


def _require_small(folder: Path) -> None:
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    numbers = RANK * (600 + 50 + 50 + 50)
    if not sizes:
        raise Wrong("save has written nothing to the path that it was given.")
    if sum(sizes) > 40 * numbers:  # as text, a number takes about 20
        raise Wrong(f"{sum(sizes):,} bytes for {numbers:,} numbers: is the base model there, too?")
    if sum(sizes) < 2 * numbers:  # compressed, a number takes 3 or 4
        raise Wrong(f"{sum(sizes):,} bytes can't hold {numbers:,} numbers of 4 bytes each.")
