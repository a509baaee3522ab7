"""helpers.lora keeps its contract, equals peft, and a broken copy of it is found out."""

import copy
import itertools
import math
import types
from collections.abc import Callable
from pathlib import Path

import peft
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers import lora, models, training
from helpers.datasets import Bags

VOCAB, HIDDEN, OUTPUTS, BATCH = 30, 8, 2, 5
R, ALPHA = 3, 4.5  # alpha ≠ r, so that a scaling left out shows


def batch() -> tuple[torch.Tensor, Bags, torch.Tensor]:
    """Make the same reviews as multi-hot vectors and as bags (one of them empty), and targets."""
    multi_hot = (torch.rand(BATCH, VOCAB, generator=torch.Generator().manual_seed(1)) < 0.3).float()
    multi_hot[2] = 0
    rows, ids = multi_hot.nonzero(as_tuple=True)
    offsets = torch.cat([torch.zeros(1), rows.bincount(minlength=BATCH).cumsum(0)])
    targets = torch.tensor([0, 1, 1, 0, 1])
    return multi_hot, Bags(ids.int(), offsets.int()), targets


def adapted(kind: str, module: types.ModuleType = lora, **settings: float) -> tuple:
    """Make a model of either kind with an adapter that is not zero, and its inputs."""
    training.set_seed(0)
    dense = models.OneHotMLP(VOCAB, HIDDEN, OUTPUTS)
    model = dense if kind == "dense" else models.to_sparse(dense)
    module.add_adapters(model, ["hidden"], **({"r": R, "alpha": ALPHA} | settings))
    training.set_seed(1)
    nn.init.normal_(model.hidden.lora_A)
    nn.init.normal_(model.hidden.lora_B)
    multi_hot, bags, _ = batch()
    return model, multi_hot if kind == "dense" else bags


each_kind = pytest.mark.parametrize("kind", ["dense", "sparse"])


# --- the contract ------------------------------------------------------------------------


def fresh_adapter_changes_nothing(kind: str, module: types.ModuleType) -> None:
    training.set_seed(0)
    model = models.OneHotMLP(VOCAB, HIDDEN, OUTPUTS)
    inputs = batch()[kind == "sparse"]
    model = model if kind == "dense" else models.to_sparse(model)
    before = model(inputs)
    module.add_adapters(model, ["hidden"], r=R, alpha=ALPHA)
    layer = model.hidden
    assert torch.equal(model(inputs), before)
    assert layer.lora_A.shape == (R, VOCAB)
    assert layer.lora_B.shape == (HIDDEN, R)
    assert not layer.lora_B.any()
    assert 0.8 / math.sqrt(VOCAB) < layer.lora_A.abs().max() <= 1 / math.sqrt(VOCAB)


def on_and_off(kind: str, module: types.ModuleType) -> None:
    model, inputs = adapted(kind, module)
    layer = model.hidden
    with_adapter, base = layer(inputs), layer.base_layer(inputs)
    assert (with_adapter - base).abs().max() > 1, "the adapter must have an effect to be tested"
    update = ALPHA / R * layer.lora_B @ layer.lora_A  # [out, in]
    torch.testing.assert_close(with_adapter, base + batch()[0] @ update.T, atol=1e-5, rtol=1e-5)
    layer.disable()
    assert torch.equal(layer(inputs), base)
    layer.enable()
    assert torch.equal(layer(inputs), with_adapter)


def merging_keeps_the_outputs(kind: str, module: types.ModuleType) -> None:
    model, inputs = adapted(kind, module)
    layer = model.hidden
    original, before = layer.base_layer.weight.clone(), layer(inputs)
    layer.merge()
    assert layer.merged
    torch.testing.assert_close(layer(inputs), before, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(layer.base_layer(inputs), before, atol=1e-5, rtol=1e-5)
    with pytest.raises(RuntimeError, match="merged already"):
        layer.merge()
    torch.testing.assert_close(layer(inputs), before, atol=1e-5, rtol=1e-5)
    layer.unmerge()
    assert not layer.merged
    assert torch.equal(layer.base_layer.weight, original)
    assert torch.equal(layer(inputs), before)
    with pytest.raises(RuntimeError, match="not merged"):
        layer.unmerge()


def disabling_unmerges(kind: str, module: types.ModuleType) -> None:
    model, inputs = adapted(kind, module)
    layer = model.hidden
    base = layer.base_layer(inputs)
    layer.merge()
    layer.disable()
    assert torch.equal(layer(inputs), base)
    with pytest.raises(RuntimeError, match="disabled"):
        layer.merge()
    layer.enable()
    assert (layer(inputs) - base).abs().max() > 1


def unmerging_survives_a_changed_adapter(kind: str, module: types.ModuleType) -> None:
    model, _ = adapted(kind, module)
    original = model.hidden.base_layer.weight.clone()
    model.hidden.merge()
    nn.init.normal_(model.hidden.lora_B)
    model.hidden.unmerge()
    assert torch.equal(model.hidden.base_layer.weight, original)


def training_moves_only_the_adapter(kind: str, module: types.ModuleType) -> None:
    model, inputs = adapted(kind, module)
    before = copy.deepcopy(model.state_dict())
    parameters = module.trainable_parameters(model)
    optimizer = torch.optim.Adam(parameters, lr=0.1, weight_decay=0.1)
    for _ in range(3):
        training.train_epoch(model, [(inputs, batch()[2])], optimizer)
    moved = {name for name, tensor in model.state_dict().items() if (tensor != before[name]).any()}
    assert moved == {"hidden.lora_A", "hidden.lora_B"}


def plain_model_after_merge_adapters(kind: str, module: types.ModuleType) -> None:
    model, inputs = adapted(kind, module)
    before = model(inputs)
    plain = module.merge_adapters(model)
    assert plain is model
    assert type(model.hidden) in (nn.Linear, models.BagLinear)
    torch.testing.assert_close(model(inputs), before, atol=1e-5, rtol=1e-5)


CONTRACT = (
    fresh_adapter_changes_nothing,
    on_and_off,
    merging_keeps_the_outputs,
    disabling_unmerges,
    unmerging_survives_a_changed_adapter,
    training_moves_only_the_adapter,
    plain_model_after_merge_adapters,
)


@each_kind
@pytest.mark.parametrize("clause", CONTRACT, ids=lambda clause: clause.__name__)
def test_contract(clause: Callable, kind: str) -> None:
    clause(kind, lora)


SUM = "outputs = outputs + self.scaling * ("
BAGS = 'mode="sum", include_last_offset=True\n            )\n            '

#: ways to break helpers/lora.py: what is replaced, and by what
MUTATIONS = {
    "scaling left out of forward": (f"{SUM}inputs", "outputs = outputs + (inputs"),
    "scaling left out for bags": (f"{BAGS}{SUM}", f"{BAGS}outputs = outputs + ("),
    "scaling left out of the merge": (
        "return self.scaling * (self.lora_B @ self.lora_A)",
        "return self.lora_B @ self.lora_A",
    ),
    "scaling alpha instead of alpha / r": ("r, alpha, alpha / r", "r, alpha, alpha"),
    "counted twice after a merge": ("if self.enabled and not self.merged:", "if self.enabled:"),
    "never switched off": ("if self.enabled and not self.merged:", "if not self.merged:"),
    "merging twice allowed": ('_check_can_merge("layer", self)', "pass"),
    "merged is not noted": ("        self.merged = True\n", ""),
    "merge does nothing": (
        "self.base_layer.weight.add_(self.get_delta_weight())",
        "self.get_delta_weight()",
    ),
    "merge subtracts": ("weight.add_(self.get", "weight.sub_(self.get"),
    "unmerge subtracts": (
        "self.base_layer.weight.copy_(self.original)",
        "self.base_layer.weight.sub_(self.get_delta_weight())",
    ),
    "base layer not frozen": (
        "model.requires_grad_(False)\n",
        "model.requires_grad_(True)\n",
    ),
    "B random at the start": ("weight.new_zeros(", "weight.new_ones("),
    "A zero at the start": ("nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))", "pass"),
    "A too large at the start": ("a=math.sqrt(5))", "a=0)"),
    "disable leaves the merge in": ("            self.unmerge()\n", "            pass\n"),
    "merge_adapters without a merge": ("        layer.merge()\n", ""),
}
#: what stands once in each of the two layers
TWICE = {"if self.enabled and not self.merged:"}


def broken_copy(old: str, new: str) -> types.ModuleType:
    """Load helpers/lora.py with a change, under another name."""
    source = Path(lora.__file__).read_text(encoding="utf-8")
    assert source.count(old) == (2 if old in TWICE else 1), f"{source.count(old)} × {old}"
    source = source.replace(old, new)
    if old.startswith("nn.init.kaiming"):
        source = source.replace("base_layer.weight.new_empty(r,", "base_layer.weight.new_zeros(r,")
    module = types.ModuleType("broken_lora")
    exec(compile(source, "broken_lora.py", "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_broken_copy_is_found_out(mutation: str) -> None:
    module = broken_copy(*MUTATIONS[mutation])
    failed = []
    for clause, kind in itertools.product(CONTRACT, ("dense", "sparse")):
        try:
            clause(kind, module)
        except (AssertionError, pytest.fail.Exception):
            failed.append((clause.__name__, kind))
        except RuntimeError:  # the copy noticed by itself, which proves nothing
            continue
    assert failed, f"{mutation}: no clause of the contract noticed"


@each_kind
def test_an_unbroken_copy_is_not(kind: str) -> None:
    module = broken_copy("LoRA: low-rank adapters", "LoRA: low-rank adapters")
    for clause in CONTRACT:
        clause(kind, module)


# --- twins and peft ----------------------------------------------------------------------


def test_dense_and_sparse_twins_are_equal() -> None:
    results = []
    for kind in ("dense", "sparse"):
        model, inputs = adapted(kind)
        logits = model(inputs)
        F.cross_entropy(logits, batch()[2]).backward()
        layer = model.hidden
        results.append([logits, layer.lora_A.grad, layer.lora_B.grad])
        layer.merge()
        weight = layer.base_layer.weight  # a BagLinear stores it transposed
        results[-1] += [weight if kind == "dense" else weight.T, model(inputs)]
    for dense, sparse in zip(*results, strict=True):
        assert dense.shape == sparse.shape
        torch.testing.assert_close(sparse, dense, atol=1e-6, rtol=1e-5)


def test_twins_train_alike() -> None:
    losses = {}
    for kind in ("dense", "sparse"):
        model, inputs = adapted(kind)
        optimizer = torch.optim.SGD(lora.trainable_parameters(model), lr=0.05, momentum=0.9)
        loader = [(inputs, batch()[2])]
        losses[kind] = [training.train_epoch(model, loader, optimizer) for _ in range(20)]
    assert losses["sparse"] == pytest.approx(losses["dense"], rel=1e-4)
    assert losses["dense"][-1] < 0.5 * losses["dense"][0]


def test_equal_to_peft() -> None:
    training.set_seed(0)
    base = models.OneHotMLP(VOCAB, HIDDEN, OUTPUTS)
    config = peft.LoraConfig(r=R, lora_alpha=ALPHA, target_modules=["hidden"])
    theirs = peft.get_peft_model(copy.deepcopy(base), config)
    ours = lora.add_adapters(copy.deepcopy(base), ["hidden"], R, ALPHA)
    layer, their_layer = ours.hidden, theirs.base_model.model.hidden
    their_a, their_b = their_layer.lora_A["default"].weight, their_layer.lora_B["default"].weight
    assert their_a.shape == layer.lora_A.shape
    assert their_b.shape == layer.lora_B.shape
    assert layer.scaling == their_layer.scaling["default"] == ALPHA / R
    nn.init.normal_(layer.lora_B)
    with torch.no_grad():
        their_a.copy_(layer.lora_A)
        their_b.copy_(layer.lora_B)
    multi_hot, _, targets = batch()
    close = {"atol": 1e-6, "rtol": 0}
    assert (ours(multi_hot) - base(multi_hot)).abs().max() > 0.1, "the adapter must have an effect"
    assert lora.parameter_counts(ours) == theirs.get_nb_trainable_parameters()
    our_optimizer = torch.optim.SGD(lora.trainable_parameters(ours), lr=0.1)
    their_optimizer = torch.optim.SGD(lora.trainable_parameters(theirs), lr=0.1)
    for _ in range(3):  # equal at first, and still after every step
        torch.testing.assert_close(ours(multi_hot), theirs(multi_hot), **close)
        for model, optimizer in ((ours, our_optimizer), (theirs, their_optimizer)):
            optimizer.zero_grad()
            F.cross_entropy(model(multi_hot), targets).backward()
        torch.testing.assert_close(layer.lora_A.grad, their_a.grad, **close)
        torch.testing.assert_close(layer.lora_B.grad, their_b.grad, **close)
        assert layer.lora_A.grad.abs().max() > 1e-3
        our_optimizer.step()
        their_optimizer.step()
    before = ours(multi_hot)
    their_plain, our_plain = theirs.merge_and_unload(), lora.merge_adapters(ours)
    torch.testing.assert_close(our_plain.hidden.weight, their_plain.hidden.weight, **close)
    assert (our_plain.hidden.weight - base.hidden.weight).abs().max() > 0.1
    torch.testing.assert_close(our_plain(multi_hot), their_plain(multi_hot), **close)
    torch.testing.assert_close(our_plain(multi_hot), before, atol=1e-5, rtol=0)


# --- types ------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_adapter_takes_the_type_of_its_base(kind: str, dtype: torch.dtype) -> None:
    model = models.OneHotMLP(VOCAB, HIDDEN, OUTPUTS)
    model = (model if kind == "dense" else models.to_sparse(model)).to(dtype)
    lora.add_adapters(model, ["hidden"], R)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}


# --- into models -------------------------------------------------------------------------


def nested() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 5),
        nn.ReLU(),
        nn.ModuleDict({"deep": nn.Sequential(nn.Linear(5, 4, bias=False))}),
    )


def test_names_counts_and_rows() -> None:
    model = nested()
    assert lora.layer_names(model) == ["0", "2.deep.0"]
    assert lora.parameter_counts(model) == (55, 55)
    lora.add_adapters(model, ["2.deep.0"], r=2)
    assert lora.parameter_counts(model) == (18, 73)
    assert lora.layer_names(model) == ["0"]
    assert list(lora.adapters(model)) == ["2.deep.0"]
    trained = {name: [*part.shape] for name, part in model.named_parameters() if part.requires_grad}
    assert trained == {"2.deep.0.lora_A": [2, 5], "2.deep.0.lora_B": [4, 2]}
    model[0].requires_grad_(True)
    assert lora.parameter_counts(model) == (53, 73)


def test_the_shapes_of_the_experiment() -> None:
    model = models.SparseOneHotMLP(20_000, 200, 2)
    assert lora.parameter_counts(model) == (4_000_602, 4_000_602)
    lora.add_adapters(model, ["hidden"], r=1, alpha=1)
    assert lora.parameter_counts(model) == (20_200, 4_020_802)


UNKNOWN = r"No layer 'hiden' .* \['0', '2.deep.0'\]"


@pytest.mark.parametrize(
    ("names", "settings", "error", "message"),
    [
        (["hiden"], {}, ValueError, UNKNOWN),
        (["0", "hiden"], {}, ValueError, UNKNOWN),
        (["1"], {}, ValueError, "No layer '1'"),
        ([""], {}, ValueError, "No layer ''"),
        ([], {}, ValueError, "one layer or more"),
        (["0", "0"], {}, ValueError, "each once"),
        ("0", {}, TypeError, "list of layer names"),
        (["0"], {"r": 0}, ValueError, "from 1 to 5.*got 0"),
        (["0"], {"r": -1}, ValueError, "from 1 to 5"),
        (["0"], {"r": 6}, ValueError, "from 1 to 5.*got 6"),
        (["0", "2.deep.0"], {"r": 5}, ValueError, "from 1 to 4.*got 5"),
        (["0"], {"r": 1.0}, TypeError, "must be an int"),
        (["0"], {"r": True}, TypeError, "must be an int"),
        (["0"], {"alpha": 0}, ValueError, "alpha"),
        (["0"], {"alpha": math.nan}, ValueError, "alpha"),
    ],
)
def test_wrong_requests_say_why_and_change_nothing(
    names: list, settings: dict, error: type, message: str
) -> None:
    model = nested()
    before = str(model)
    with pytest.raises(error, match=message):
        lora.add_adapters(model, names, **({"r": 2} | settings))
    assert str(model) == before
    assert lora.parameter_counts(model) == (55, 55)


def test_a_second_adapter_on_one_layer_is_refused() -> None:
    model = lora.add_adapters(nested(), ["0"], r=2)
    with pytest.raises(ValueError, match=r"adapter already.*\['2.deep.0'\]"):
        lora.add_adapters(model, ["0"], r=2)
    with pytest.raises(ValueError, match=r"No layer '0.base_layer'"):
        lora.add_adapters(model, ["0.base_layer"], r=2)


def test_every_layer_of_our_model_can_be_adapted() -> None:
    """Its forward asks the last layer for out_features."""
    for outputs in (1, 3):
        model = models.OneHotMLP(VOCAB, HIDDEN, outputs)
        before = model(batch()[0])
        lora.add_adapters(model, lora.layer_names(model), r=1)
        assert torch.equal(model(batch()[0]), before)


@pytest.mark.parametrize("r", [1, 4])
def test_the_smallest_and_the_largest_rank(r: int) -> None:
    layer = lora.LoRALinear(nn.Linear(7, 4), r)
    nn.init.normal_(layer.lora_B)
    assert torch.linalg.matrix_rank(layer.get_delta_weight()) == r


def test_layers_refuse_a_wrong_base_and_leave_it_trainable() -> None:
    with pytest.raises(TypeError, match="LoRALinear adapts a Linear, got a BagLinear"):
        lora.LoRALinear(models.BagLinear(4, 3), 1)
    with pytest.raises(TypeError, match="LoRABagLinear adapts a BagLinear"):
        lora.LoRABagLinear(nn.Linear(4, 3), 1)
    base = nn.Linear(4, 3)
    with pytest.raises(ValueError, match="from 1 to 3"):
        lora.LoRALinear(base, 4)
    assert base.weight.requires_grad


def test_merge_adapters_is_all_or_nothing() -> None:
    model = lora.add_adapters(nested(), ["0", "2.deep.0"], r=2)
    model[2]["deep"][0].merge()
    with pytest.raises(RuntimeError, match=r"'2.deep.0' is merged already"):
        lora.merge_adapters(model)
    assert not model[0].merged
    model[2]["deep"][0].disable()
    with pytest.raises(RuntimeError, match="is disabled"):
        lora.merge_adapters(model)
    with pytest.raises(ValueError, match=r"no adapters.*'0'"):
        lora.merge_adapters(nested())


def test_print_tells_the_state() -> None:
    layer = lora.LoRALinear(nn.Linear(4, 3), 2, alpha=3)
    assert "r=2, alpha=3, enabled=True, merged=False" in str(layer)


# --- tied weights ------------------------------------------------------------------------


class Tied(nn.Module):
    """A table of words whose weight is the last layer's, too, as in many language models."""

    def __init__(self, tie: bool = True) -> None:
        super().__init__()
        self.table, self.middle, self.last = nn.Embedding(7, 4), nn.Linear(4, 4), nn.Linear(4, 7)
        if tie:
            self.last.weight = self.table.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.last(self.middle(self.table(ids)))


def test_tied_weights_are_refused_by_name_and_nothing_is_changed() -> None:
    model = Tied()
    with pytest.raises(ValueError, match=r"'last' shares its weight with \['table.weight'\]"):
        lora.add_adapters(model, ["middle", "last"], r=2)
    assert not lora.adapters(model)
    assert lora.parameter_counts(model) == (55, 55)
    assert list(lora.adapters(lora.add_adapters(model, ["middle"], r=2))) == ["middle"]
    assert list(lora.adapters(lora.add_adapters(Tied(tie=False), ["last"], r=2))) == ["last"]


def test_one_layer_under_two_names_and_a_transposed_view_are_tied_too() -> None:
    layer = nn.Linear(4, 4)
    with pytest.raises(ValueError, match=r"\['1.weight'\]"):
        lora.add_adapters(nn.Sequential(layer, layer), ["0"], r=1)
    other = nn.Linear(4, 4)
    other.weight = nn.Parameter(layer.weight.data.T)
    with pytest.raises(ValueError, match=r"\['0.weight'\]"):
        lora.add_adapters(nn.Sequential(layer, other), ["1"], r=1)


def test_weights_tied_after_the_adapter_was_added_are_not_merged() -> None:
    model = lora.add_adapters(Tied(tie=False), ["last"], r=2)
    model.table.weight = model.last.base_layer.weight
    with pytest.raises(ValueError, match=r"'last' shares .*table.weight"):
        lora.merge_adapters(model)
    assert not model.last.merged


# --- saving ------------------------------------------------------------------------------


def test_adapters_alone_are_saved_and_either_twin_loads_them(tmp_path: Path) -> None:
    source, bags = adapted("sparse")
    folder = tmp_path / "new"
    lora.save_adapters(source, folder)
    assert {file.name for file in folder.iterdir()} == {lora.CONFIG, lora.WEIGHTS}
    numbers = 4 * (R * VOCAB + HIDDEN * R)
    assert numbers < sum(file.stat().st_size for file in folder.iterdir()) < numbers + 1_000
    for kind in ("dense", "sparse"):
        model, inputs = adapted(kind)
        nn.init.zeros_(model.hidden.lora_B)
        assert not torch.allclose(model(inputs), source(bags), atol=0.1)
        lora.load_adapters(model, folder)
        torch.testing.assert_close(model(inputs), source(bags), atol=1e-5, rtol=1e-5)


def their_model(**settings: object) -> peft.PeftModel:
    """Make peft's model with the adapters of `nested`, which are not zero."""
    config = peft.LoraConfig(
        r=2, lora_alpha=3, target_modules=["0", "2.deep.0"], init_lora_weights=False, **settings
    )
    return peft.get_peft_model(nested(), config)


def test_peft_reads_our_files_and_we_read_theirs(tmp_path: Path) -> None:
    inputs = torch.randn(3, 6)
    theirs = their_model()
    plain = copy.deepcopy(theirs).unload()
    theirs.save_pretrained(tmp_path / "theirs")
    ours = lora.add_adapters(copy.deepcopy(plain), ["0", "2.deep.0"], r=2, alpha=3)
    assert not torch.allclose(run(ours, inputs), run(theirs.base_model.model, inputs), atol=0.1)
    lora.load_adapters(ours, tmp_path / "theirs")
    assert torch.equal(run(ours, inputs), run(theirs.base_model.model, inputs))
    lora.save_adapters(ours, tmp_path / "ours")
    back = peft.PeftModel.from_pretrained(plain, tmp_path / "ours")
    assert torch.equal(run(back.base_model.model, inputs), run(ours, inputs))


def run(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """Send inputs through all three layers of `nested`."""
    return model[2]["deep"][0](model[1](model[0](inputs)))


@pytest.mark.parametrize("setting", [{"use_rslora": True}, {"alpha_pattern": {"0": 7}}])
def test_what_only_peft_knows_is_refused(setting: dict, tmp_path: Path) -> None:
    their_model(**setting).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=next(iter(setting))):
        lora.load_adapters(lora.add_adapters(nested(), ["0", "2.deep.0"], 2, 3), tmp_path)


def test_one_folder_takes_one_rank(tmp_path: Path) -> None:
    model = lora.add_adapters(nested(), ["0"], r=1)
    lora.add_adapters(model, ["2.deep.0"], r=2)
    with pytest.raises(ValueError, match="one rank and one alpha"):
        lora.save_adapters(model, tmp_path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adapted("dense", r=2, alpha=3.0)[0], r"lora_A.weight': \[3, 30\].*\[2, 30\]"),
        (
            lambda: lora.add_adapters(models.OneHotMLP(VOCAB + 1, HIDDEN, 2), ["hidden"], R, ALPHA),
            r"\[3, 30\].*\[3, 31\]",
        ),
        (lambda: adapted("dense", alpha=3.0)[0], r"alpha = 4.5, this model 3.0"),
        (
            lambda: lora.add_adapters(models.OneHotMLP(VOCAB, HIDDEN, 2), ["output"], 2),
            r"hidden.lora_A.*output.lora_A",
        ),
    ],
)
def test_foreign_adapters_are_refused_whole(make: Callable, message: str, tmp_path: Path) -> None:
    lora.save_adapters(adapted("sparse")[0], tmp_path)
    model = make()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=message):
        lora.load_adapters(model, tmp_path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    model, _ = adapted("dense")
    with pytest.raises(FileNotFoundError):
        lora.load_adapters(model, tmp_path / "none")
    lora.save_adapters(model, tmp_path)
    for content in (b"", b"no tensors at all"):
        (tmp_path / lora.WEIGHTS).write_bytes(content)
        with pytest.raises(ValueError, match=f"{lora.WEIGHTS} does not hold saved weights"):
            lora.load_adapters(model, tmp_path)
    with pytest.raises(ValueError, match="no adapters"):
        lora.save_adapters(models.OneHotMLP(4, 3, 2), tmp_path)


def test_a_flipped_bit_in_a_file_of_adapters_is_noticed(tmp_path: Path) -> None:
    """PyTorch itself reads over it: the numbers would be wrong without a word."""
    source, _ = adapted("dense")
    lora.save_adapters(source, tmp_path)
    file = tmp_path / lora.WEIGHTS
    content = bytearray(file.read_bytes())
    number = source.hidden.lora_A.detach().numpy().tobytes()
    content[content.index(number) + 2] ^= 1
    file.write_bytes(content)
    before = copy.deepcopy(source.state_dict())
    with pytest.raises(ValueError, match="checksum"):
        lora.load_adapters(source, tmp_path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in source.state_dict().items())


def test_a_merged_adapter_is_neither_saved_whole_nor_loaded_into(tmp_path: Path) -> None:
    """W + Δ with A and B beside it would count the update twice in the next program."""
    model, inputs = adapted("dense")
    lora.save_adapters(model, tmp_path)
    weights, before = copy.deepcopy(model.state_dict()), model(inputs)
    model.hidden.merge()
    with pytest.raises(RuntimeError, match="count twice"):
        training.save_weights(model, tmp_path / "model.pt")
    with pytest.raises(RuntimeError, match="count twice"):
        model.load_state_dict(weights)
    with pytest.raises(RuntimeError, match=r"merged.*unmerge"):
        lora.load_adapters(model, tmp_path)
    torch.testing.assert_close(model(inputs), before, atol=1e-5, rtol=1e-5)
    copied = copy.deepcopy(model)
    copied.hidden.unmerge()
    assert torch.equal(copied(inputs), before)


def test_a_whole_model_with_adapters_is_saved_and_loaded(tmp_path: Path) -> None:
    model, inputs = adapted("sparse")
    training.save_weights(model, tmp_path / "model.pt")
    other, _ = adapted("sparse")
    nn.init.zeros_(other.hidden.lora_B)
    nn.init.zeros_(other.hidden.base_layer.weight)
    training.load_weights(other, tmp_path / "model.pt")
    assert torch.equal(other(inputs), model(inputs))


def test_an_adapted_layer_itself_takes_no_second_adapter_and_has_a_merge_of_its_own() -> None:
    layer = lora.LoRALinear(nn.Linear(3, 2), r=1, alpha=1)
    assert lora.layer_names(layer) == []
    with pytest.raises(ValueError, match=r"call its merge\(\)"):
        lora.merge_adapters(layer)
    assert not layer.merged
