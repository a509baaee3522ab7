"""Exercise 00.6: a network of the student's own."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def through_another(activation: Callable) -> Callable:
    """Return a way through three layers, from points to logits [batch]."""
    return lambda a, b, c, points: c(activation(b(activation(a(points))))).squeeze(1)


through = through_another(torch.relu)


class PointMLP(nn.Module):
    """A right answer, with places to spoil it."""

    linear: Callable = nn.Linear
    keep: Callable = nn.ModuleList
    finish: Callable = staticmethod(through)

    def __init__(self, hidden_size: int = 32) -> None:
        super().__init__()
        sizes = ((2, hidden_size), (hidden_size, hidden_size), (hidden_size, 1))
        self.layers: Any = self.keep(self.linear(*pair) for pair in sizes)

    def forward(self, points: Tensor) -> Any:
        """Return logits [batch]."""
        return self.finish(*self.layers, points)


def other(finish: Callable = through, **changed: Any) -> type:
    """Return a network with another way through its layers, or with other layers."""
    changed = {name: staticmethod(it) for name, it in changed.items()}
    return type("Other", (PointMLP,), {"finish": staticmethod(finish), **changed})


POINTS = torch.tensor([[1.0, -3.0], [2.0, 1.0], [-1.5, -0.5], [0.5, 2.5], [-2.0, 1.0]])


def weighted(cls: type, hidden_size: int, batch: int) -> Any:
    """Return the shapes of weights and of biases, how many layers take part, and the logits.

    The weights are random, but known: equal shapes get equal numbers.
    """
    model = cls(hidden_size)
    model(POINTS)  # lazy layers get their sizes
    parameters = [*model.parameters()]
    for parameter in parameters:
        draw = torch.Generator().manual_seed(sum(parameter.shape))
        parameter.data = torch.randn(parameter.shape, generator=draw)
    shapes = [sorted(tuple(p.shape) for p in parameters if p.ndim == n) for n in (2, 1)]
    logits = model(POINTS[:batch].clone())
    if isinstance(logits, Tensor) and logits.requires_grad:
        logits.sum().backward()
    used = sum(p.grad is not None for p in parameters if p.ndim == 2)
    return None if logits is None else (*shapes, used, logits)


r, UNBIASED = torch.relu, functools.partial(nn.Linear, bias=False)
NO_LAYERS = "PyTorch finds no layers. It looks at the attributes of `self`, not into a plain list."
THREE = "two hidden layers and one that gives the logit: three layers in all."
ONE = other(lambda a, x: a(x)[:, 0], keep=lambda layers: nn.ModuleList(layers)[:1])
DETACHED = "no gradient reaches the layers: no_grad, detach, item, tolist?"
UNUSED = "a layer that __init__ has made takes no part in the result."
SQUEEZED = "a batch of one has lost its axis: squeeze() takes every axis of length 1. Name one."
USED = " in the result: is it there, and is what it returns used?"

NETWORK: dict[str, Any] = dict(
    reference=PointMLP,
    probe=weighted,
    parts=("the shapes of weights", "those of biases", "the number of layers used", "the logits"),
    inputs=[(4, 5), (7, 1), (6, 3)],
    mistakes=[
        (NO_LAYERS, other(keep=list), lambda found, *_: not found[0]),
        ("each layer has a bias.", other(linear=UNBIASED), lambda f, *_: len(f[1]) < len(f[0])),
        ("the layers do not follow `hidden_size`.", other(keep=lambda layers: PointMLP(32).layers)),
        (THREE, ONE, lambda found, *_: len(found[0]) != 3),
        (DETACHED, other(lambda *a: through(*a).detach()), lambda found, *_: found[2] == 0),
        (UNUSED, other(lambda a, b, c, x: c(r(a(x)))[:, 0]), lambda found, *_: found[2] < 3),
        (SQUEEZED, other(lambda *a: through(*a).squeeze())),
        ("the last axis, of length 1, has to go.", other(lambda a, b, c, x: c(r(b(r(a(x))))))),
        (f"no ReLU takes part{USED}", other(lambda a, b, c, x: c(b(a(x)))[:, 0])),
        (f"the first ReLU takes no part{USED}", other(lambda a, b, c, x: c(r(b(a(x))))[:, 0])),
        (f"the second ReLU takes no part{USED}", other(lambda a, b, c, x: c(b(r(a(x))))[:, 0])),
        ("that is tanh in the place of ReLU.", other(through_another(torch.tanh))),
        ("there is a ReLU on the points, too.", other(lambda a, b, c, x: through(a, b, c, r(x)))),
        ("there is a ReLU on the logits, too.", other(lambda *a: r(through(*a)))),
        ("leave out the sigmoid.", other(lambda *a: through(*a).sigmoid())),
    ],
    otherwise="Weights have the shape [outputs, inputs]. A ReLU follows the first and the second "
    "layer; the logits have the shape [batch].",
)
