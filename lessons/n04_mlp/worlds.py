"""What the checks of notebook 04 hand to an answer, and what they look at."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from helpers.datasets import Bags
from helpers.models import OneHotMLP
from helpers.text import Vocabulary, basic_english
from lessons.calling import plain
from lessons.comparing import same

WORDS = ("good", "bad", "not", "film", "the", "!")
VOCABULARY = Vocabulary(WORDS)  # and <unk>: seven ids
SENTIMENTS = {"good": 1, "not good": -1, "bad": -1, "not bad": 1}


def numbers(*shape: int, seed: int = 0) -> Tensor:
    """Return numbers of both signs, the same ones for a shape and a seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


@torch.no_grad()
def filled(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give a module's parameters such numbers."""
    for parameter in module.parameters():
        parameter.copy_(numbers(*parameter.shape, seed=seed))
    return module


def spoiled(**methods: Callable) -> type:
    """Return an OneHotMLP with other methods than the right ones."""
    return type("Spoiled", (OneHotMLP,), methods)


class Echo(nn.Module):
    """A model whose logit is the first place of its input; of a bag, its first id less 2."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, inputs: Tensor | Bags) -> Tensor:
        """Map [batch, places], or bags, to logits [batch]."""
        if isinstance(inputs, Bags):
            return self.one * (inputs.ids[inputs.offsets[:-1]] - 2)
        return self.one * inputs[:, 0]


def rows(*logits: float) -> Tensor:
    """Return inputs [batch, 2] for which `Echo` gives these logits."""
    return torch.tensor([logits, (9.0,) * len(logits)]).T


def bags(*logits: int) -> Bags:
    """Return bags of one id for which `Echo` gives these logits, -2 and more."""
    ids = torch.tensor(logits, dtype=torch.int32) + 2
    return Bags(ids, torch.arange(len(logits) + 1, dtype=torch.int32))


# --- what is done with an answer ------------------------------------------------------------


def parts(cls: type, vocab_size: int, hidden_size: int, num_outputs: int) -> object:
    """Make a model; return the shape of each parameter, or the names that it has instead."""
    model = cls(vocab_size, hidden_size, num_outputs)
    if not (hasattr(model, "hidden") and hasattr(model, "output")):
        return [*vars(model), *model._modules]
    if any(isinstance(p, nn.UninitializedParameter) for p in model.parameters()):  # lazy layers
        model.output(model.hidden(torch.zeros(1, vocab_size)))
    return {name: list(parameter.shape) for name, parameter in model.named_parameters()}


def logits(cls: type, vocab_size: int, hidden_size: int, num_outputs: int, batch: int) -> object:
    """Send a batch through a model; say so if right logits have no way back to its parameters."""
    model = cls(vocab_size, hidden_size, num_outputs)
    right = filled(OneHotMLP(vocab_size, hidden_size, num_outputs))
    model.load_state_dict(right.state_dict())
    x = (numbers(batch, vocab_size) > 0).float()
    found = model(x)
    if isinstance(found, Tensor) and not found.requires_grad and same(found, plain(right(x))):
        return "unrecorded"
    return found


def unrecorded(answer: Callable, model: nn.Module, inputs: Tensor) -> object:
    """Return the answer's tensor, or say that autograd has recorded it."""
    found = answer(model, inputs)
    return "recorded" if isinstance(found, Tensor) and found.requires_grad else found


def small_model(seed: int) -> OneHotMLP:
    """Return a model of the seven ids, with five hidden units."""
    return filled(OneHotMLP(len(VOCABULARY), 5), seed)  # type: ignore[return-value]


def merged(answer: Callable, first: nn.Linear, second: nn.Linear) -> object:
    """Return weight and bias of the layer that comes back."""
    layer = answer(first, second)
    return (layer.weight, layer.bias) if isinstance(layer, nn.Linear) else layer


def linear(in_features: int, out_features: int) -> nn.Linear:
    """Return a linear layer with numbers of its own."""
    return filled(nn.Linear(in_features, out_features))  # type: ignore[return-value]


def verdict(answer: Callable, review: str) -> object:
    """Return the sign of the logit that a network of one's own making gives a toy review."""
    model = answer()
    if not isinstance(getattr(model, "hidden", None), nn.Linear):
        return model
    multi_hot = torch.zeros(1, 4)
    multi_hot[0, VOCABULARY.encode(review.split())] = 1
    with torch.no_grad():
        return model.output(torch.relu(model.hidden(multi_hot))).sign().item()


def network(*signs: float) -> Callable:
    """Return an answer whose four units know one toy review each, with these logits."""

    @torch.no_grad()
    def network_by_hand() -> OneHotMLP:
        model = OneHotMLP(4, 4)
        alone, both = [1.0, -1.0], [1.0, 1.0]  # the adjective, and "not"
        model.hidden.weight.copy_(
            torch.tensor(
                [[0, a, 0, n] for a, n in (alone, both)] + [[0, 0, a, n] for a, n in (alone, both)]
            )
        )
        model.hidden.bias.copy_(torch.tensor([0.0, -1, 0, -1]))
        model.output.weight.copy_(torch.tensor([signs]))
        model.output.bias.zero_()
        return model

    return network_by_hand


def explained(
    answer: Callable, model: OneHotMLP, review: str, tokenizer: Callable = basic_english
) -> object:
    """Return the probability, and the pairs of the dict in their order; else, what came back."""
    found: Any = answer(model, VOCABULARY, review, tokenizer)
    if found is None or found is ...:
        return None
    if not (isinstance(found, tuple | list) and len(found) == 2 and isinstance(found[1], dict)):
        return type(found).__name__
    return found[0], [*found[1].items()]


def contributions(
    ids_of: Callable = lambda ids: list(dict.fromkeys(ids)),
    active: Callable = lambda model, rows: rows.sum(dim=0) + model.hidden.bias > 0,
    logit: Callable = lambda model, shares, slopes: (
        shares.sum() + model.hidden.bias @ slopes + model.output.bias[0]
    ),
    squash: Callable = torch.sigmoid,
    share: Callable = lambda model, rows, slopes: rows @ slopes,
    names_of: Callable = lambda words, tokens: words,
) -> Callable:
    """Return another way to explain a prediction."""

    @torch.no_grad()
    def word_contributions(
        model: OneHotMLP, vocabulary: Vocabulary, review: str, tokenizer: Callable
    ) -> tuple[float, dict[str, float]]:
        tokens = tokenizer(review)
        ids = ids_of(vocabulary.encode(tokens))
        columns = model.hidden.weight.T[ids]  # [words, hidden]
        slopes = active(model, columns) * model.output.weight[0]
        shares = share(model, columns, slopes)
        words = names_of(vocabulary.decode(ids), tokens)
        probability = squash(logit(model, shares, slopes)).item()
        return probability, dict(zip(words, shares.tolist(), strict=False))

    return word_contributions
