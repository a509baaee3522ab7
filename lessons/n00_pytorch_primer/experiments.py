"""What notebook 00 trains on, and the network that its pictures need before it is written."""

import torch
from sklearn.datasets import make_moons
from torch import Tensor, nn

TURN = 3.5  # radians by which a spiral turns per unit of its radius


def network() -> nn.Sequential:
    """Return a network from points [batch, 2] to logits [batch], from seed 0."""
    torch.manual_seed(0)
    hidden = (nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
    return nn.Sequential(*hidden, nn.Linear(32, 1), nn.Flatten(0))


def moons() -> tuple[Tensor, Tensor]:
    """Return 1,000 points [samples, 2] of two half-moons, float32, and their classes, int64."""
    coordinates, classes = make_moons(1_000, noise=0.2, random_state=0)
    return torch.tensor(coordinates, dtype=torch.float32), torch.tensor(classes)


def spirals(num_samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return points [samples, 2] on two spirals, each a class; classes alternate."""
    draw = torch.Generator().manual_seed(seed)
    radius = 0.3 + 2.7 * torch.rand(num_samples, generator=draw)
    targets = torch.arange(num_samples) % 2
    angle = TURN * radius + torch.pi * targets
    points = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    return points + 0.12 * torch.randn(num_samples, 2, generator=draw), targets
