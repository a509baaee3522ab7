"""What helpers do where data, model, or both are on the device."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from helpers import abalone, datasets, lora, models, text, training
from helpers.datasets import BagOfWordsDataset as Data
from tests.device import pretended

MODELS = (models.OneHotMLP, models.SparseOneHotMLP)
POSITIONS: tuple[Any, ...] = ([0, 3, 3], [-1, -300], [], np.arange(7), torch.randperm(300))
SETTINGS: tuple[tuple[Any, dict], ...] = (
    (models.OneHotMLP, {}),
    (models.SparseOneHotMLP, {}),
    (models.SparseOneHotMLP, {"sparse_grad": False, "num_outputs": 2}),
)


def same(first: Tensor, second: Tensor) -> bool:
    return first.dtype == second.dtype and torch.equal(first.cpu(), second.cpu())


def places(*tensors: Tensor) -> set[str]:
    return {tensor.device.type for tensor in tensors}


def parts(data: Data) -> tuple[Tensor, ...]:
    return data.ids, data.offsets, data.labels, data.multi_hot()


def loader_for(model: nn.Module, data: Data, shuffle: bool = False) -> Any:
    sparse, generator = isinstance(model, models.SparseOneHotMLP), torch.Generator().manual_seed(1)
    return datasets.make_loader(data, 64, shuffle, sparse, generator=generator)


def test_the_device_is_picked_and_named(device: torch.device) -> None:
    assert device.type == "cuda"
    assert f"GPU: {torch.cuda.get_device_name(0)}" in training.describe_runtime(device)


def test_a_data_set_moves_whole(here: Data, there: Data) -> None:
    assert places(*parts(there), *there.bags(), *here.bags().to("cuda", True)) == {"cuda"}
    assert places(*there.bags().to("cpu")) == {"cpu"}
    assert all(map(same, parts(there.to("cpu")), parts(here)))


@pytest.mark.parametrize("index", [0, 5, -1, 299, -300])
def test_one_review(here: Data, there: Data, index: int) -> None:
    assert places(*there[index]) == {"cuda"}
    assert all(map(same, there[index], here[index]))


@pytest.mark.parametrize("positions", POSITIONS)
def test_many_reviews(here: Data, there: Data, positions: Any) -> None:
    for given in (positions, torch.as_tensor(positions, device="cuda")):
        found = parts(there.select(given))
        assert places(*found) == {"cuda"}
        assert all(map(same, found, parts(here.select(positions))))


def trained(data: Data, where: str, make: Any, settings: dict) -> list[float]:
    """Train on `data`, wherever it is, a model that is `where`; return all that was measured."""
    training.set_seed(0)
    model = make(2_000, 20, **settings).to(where)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    train, validation = loader_for(model, data, shuffle=True), loader_for(model, data)
    history = training.fit(model, train, optimizer, 6, validation, patience=2, progress=False)
    assert places(*model.parameters()) == {where}
    losses = [evaluation.loss for evaluation in history.validation]
    return [*history.train_loss, *losses, training.evaluate(model, validation).accuracy]


@pytest.mark.parametrize(("make", "settings"), SETTINGS)
def test_training_is_that_of_the_cpu(here: Data, there: Data, make: Any, settings: dict) -> None:
    expected = trained(here, "cpu", make, settings)
    for data, where in ((there, "cuda"), (here, "cuda"), (there, "cpu")):
        np.testing.assert_allclose(trained(data, where, make, settings), expected, rtol=1e-4)


@pytest.mark.skipif("pretended.missing", reason="needs the pretended device")
def test_nothing_waits_or_is_copied_needlessly(device: torch.device, there: Data) -> None:
    logits, targets = torch.zeros(8, 2, device=device), torch.zeros(8, device=device).long()
    torch.ops.pretended.reset()
    training.classification_loss(logits, targets)
    assert pretended.counts()["waits"] == 0
    there.select([0, 3, 3])
    assert pretended.counts()["copies"] == 1  # the positions


def test_abalone_batches_are_those_of_the_cpu(device: torch.device) -> None:
    inputs, targets = torch.randn(500, 4), torch.arange(500)
    drawn = []
    for where in ("cpu", device):
        training.set_seed(0)
        drawn.append([*abalone.Batches(inputs.to(where), targets.to(where))])
    for wanted, found in zip(*drawn, strict=True):
        assert places(*found) == {"cuda"}
        assert all(map(same, found, wanted))


def test_twins_stay_on_the_device(there: Data) -> None:
    model = models.OneHotMLP(2_000, 20).to("cuda")
    sparse = models.to_sparse(model)
    dense = models.to_dense(sparse)
    assert places(*sparse.parameters(), *dense.parameters()) == {"cuda"}
    assert same(dense.hidden.weight, model.hidden.weight)


@pytest.mark.parametrize("make", MODELS)
def test_words_of_a_review(device: torch.device, make: Any) -> None:
    vocabulary, model = text.Vocabulary([f"w{i}" for i in range(1_999)]), make(2_000, 20)
    expected = models.word_contributions(model, vocabulary, "w1 w2 w3 zzz w2")
    found = models.word_contributions(model.to(device), vocabulary, "w1 w2 w3 zzz w2")
    assert found[0] == pytest.approx(expected[0], abs=1e-5)
    assert found[1] == pytest.approx(expected[1], abs=1e-5)


@pytest.mark.parametrize(("writer", "reader"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_weights_travel_by_file(there: Data, tmp_path: Path, writer: str, reader: str) -> None:
    written, read = (models.OneHotMLP(there.vocab_size, 20).to(place) for place in (writer, reader))
    training.save_weights(written, tmp_path / "weights")
    training.load_weights(read, tmp_path / "weights")
    assert places(*read.parameters()) == {reader}
    assert all(map(same, read.parameters(), written.parameters()))


def adapted(make: Any) -> Any:
    """Make a network of two classes on the device, with adapters that do something."""
    model = lora.add_adapters(make(2_000, 20, 2).to("cuda"), ["hidden", "output"], r=2, alpha=3)
    assert places(*model.parameters()) == {"cuda"}
    for parameter in lora.trainable_parameters(model):
        nn.init.normal_(parameter, std=0.1)
    return model


@pytest.mark.parametrize("make", MODELS)
def test_adapters_merge_and_come_apart(there: Data, make: Any) -> None:
    model = adapted(make)
    inputs, weight = next(iter(loader_for(model, there)))[0], model.hidden.base_layer.weight.clone()
    before = model(inputs)
    model.hidden.merge()
    assert_close(model(inputs), before, check_device=False)
    moved = copy.deepcopy(model).cpu()
    moved.hidden.unmerge()
    assert places(*moved.parameters()) == {"cpu"}
    assert same(moved.hidden.base_layer.weight, weight)
    model.hidden.unmerge()
    assert_close(lora.merge_adapters(model)(inputs), before, check_device=False)


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("reader", ["cpu", "cuda"])
def test_adapters_travel_by_file(there: Data, tmp_path: Path, make: Any, reader: str) -> None:
    model = adapted(make)
    inputs, other = next(iter(loader_for(model, there)))[0], copy.deepcopy(model).to(reader)
    for parameter in lora.trainable_parameters(other):
        nn.init.zeros_(parameter)
    lora.save_adapters(model, tmp_path)
    lora.load_adapters(other, tmp_path)
    assert_close(other(inputs.to(reader)), model(inputs), check_device=False)
    assert places(*lora.adapter_state(model).values()) == {"cpu"}
