"""The device, and the same reviews on both sides of the way to it."""

import numpy as np
import pytest
import torch

from helpers import training
from helpers.datasets import BagOfWordsDataset as Data
from tests.device import pretended


@pytest.fixture(scope="session")
def device() -> torch.device:
    """Give the device that the course picks, a real one or a pretended one."""
    if not torch.cuda.is_available():
        pytest.skip(f"no device: {pretended.missing}")
    return training.pick_device()


@pytest.fixture(scope="session")
def here() -> Data:
    """Make 300 reviews of 0 to 99 of 2,000 tokens, on the CPU; some can be learned."""
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.choice(2_000, size, replace=False)) for size in rng.integers(0, 100, 300)]
    labels = [int(len(row) > 0 and row[0] < 40) for row in rows]
    offsets = torch.tensor([0, *map(len, rows)]).cumsum(0).to(torch.int32)
    ids = torch.from_numpy(np.concatenate(rows)).to(torch.int32)
    return Data(ids, offsets, torch.tensor(labels), 2_000)


@pytest.fixture(scope="session")
def there(here: Data, device: torch.device) -> Data:
    """Move the same reviews to the device."""
    return here.to(device)
