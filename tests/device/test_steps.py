"""A training step as notebooks write it, and what the device must find in one."""

import pytest
import torch
import torch.nn.functional as F

from helpers import datasets, models
from helpers.datasets import BagOfWordsDataset as Data
from tests.device import pretended  # noqa: F401 - for skipif


def train(data: Data, device: torch.device | str, weights_on: str) -> None:
    """Train for an epoch; the weights of the reviews are made where the caller says."""
    model = models.OneHotMLP(data.vocab_size, 20).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for multi_hot, labels in datasets.make_loader(data.to(device), 64):
        weights = torch.ones(len(labels), device=weights_on)
        logits = model(multi_hot)
        loss = F.binary_cross_entropy_with_logits(logits, labels.float(), weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_a_tensor_made_on_the_cpu_is_found(here: Data, device: torch.device) -> None:
    train(here, "cpu", weights_on="cpu")  # without a device nobody sees it
    train(here, device, weights_on="cuda")
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        train(here, device, weights_on="cpu")


def test_random_numbers_of_the_device_are_others(device: torch.device) -> None:
    drawn = []
    for where in ("cpu", device, device):
        torch.manual_seed(0)
        drawn.append(torch.rand(5, device=where).cpu())
    assert torch.equal(drawn[1], drawn[2])
    assert not torch.equal(drawn[0], drawn[1])
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator"):
        torch.rand(5, device=device, generator=torch.Generator())


@pytest.mark.skipif("pretended.missing", reason="needs the pretended device")
def test_apples_device_has_no_float64(device: torch.device) -> None:
    torch.ops.pretended.float64(False)
    try:
        with pytest.raises(TypeError, match="doesn't support float64"):
            torch.ones(3, device=device).double()
    finally:
        torch.ops.pretended.float64(True)
