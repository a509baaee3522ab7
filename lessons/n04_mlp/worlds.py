"""What the checks of notebook 04 hand to an answer, and what they look at."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from helpers.datasets import Bags
from helpers.models import BagLinear, OneHotMLP
from helpers.text import Vocabulary, basic_english
from lessons.calling import plain
from lessons.comparing import ANY, same
from lessons.judging import Wrong

WORDS = ("good", "bad", "not", "film", "the", "!")
VOCABULARY = Vocabulary(WORDS)  # and <unk>: seven ids
UNRECORDED = (
    "the logits are right, but autograd can't find the way back to every parameter, so the model "
    "could not be trained. Leave out no_grad, detach and .data."
)
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
        self.one, self.recorded = nn.Parameter(torch.ones(())), False

    def forward(self, inputs: Tensor | Bags) -> Tensor:
        """Map [batch, places], or bags, to logits [batch]; note whether autograd records it."""
        self.recorded |= torch.is_grad_enabled()
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
    """Make a model; return the shape of each parameter."""
    model = cls(vocab_size, hidden_size, num_outputs)
    if not (hasattr(model, "hidden") and hasattr(model, "output")):
        raise Wrong("call the two layers self.hidden and self.output.")
    if isinstance(model.hidden, BagLinear):
        raise Wrong("BagLinear takes bags of ids. For multi-hot vectors `hidden` is an nn.Linear.")
    if any(isinstance(p, nn.UninitializedParameter) for p in model.parameters()):  # lazy layers
        model.output(model.hidden(torch.zeros(1, vocab_size)))
    return {name: list(parameter.shape) for name, parameter in model.named_parameters()}


def logits(cls: type, vocab_size: int, hidden_size: int, num_outputs: int, batch: int) -> object:
    """Send a batch through a model; refuse right logits without a way back to a parameter."""
    model = cls(vocab_size, hidden_size, num_outputs)
    right = filled(OneHotMLP(vocab_size, hidden_size, num_outputs))
    model.load_state_dict(right.state_dict())
    x = (numbers(batch, vocab_size) > 0).float()
    found = model(x.to(model.output.weight.device))
    if not (isinstance(found, Tensor) and same(found, plain(right(x)))):
        return found
    way = found.requires_grad and torch.autograd.grad(
        found.sum(), tuple(model.parameters()), retain_graph=True, allow_unused=True
    )
    if not way or any(part is None for part in way):
        raise Wrong(UNRECORDED)
    return found


def unrecorded(answer: Callable, model: Echo, inputs: Tensor) -> object:
    """Return the answer's tensor; refuse it if autograd has recorded the model."""
    found = answer(model, inputs)
    if found is not None and model.recorded:
        raise Wrong("autograd has recorded this. Ask the model inside `with torch.no_grad():`.")
    return found


def small_model(seed: int) -> OneHotMLP:
    """Return a model of the seven ids, with five hidden units."""
    return filled(OneHotMLP(len(VOCABULARY), 5), seed)  # type: ignore[return-value]


def merged(answer: Callable, first: nn.Linear, second: nn.Linear) -> object:
    """Return weight and bias of the layer that comes back; refuse one of other shapes."""
    layer = answer(first, second)
    if layer is None or layer is ...:
        return None
    sizes = [second.out_features, first.in_features]
    if not isinstance(layer, nn.Linear) or [*layer.weight.shape] != sizes or layer.bias is None:
        raise Wrong("return one nn.Linear, with a bias, from the first's inputs to the last ones.")
    return layer.weight, layer.bias


def linear(in_features: int, out_features: int) -> nn.Linear:
    """Return a linear layer with numbers of its own."""
    return filled(nn.Linear(in_features, out_features))  # type: ignore[return-value]


def network(*signs: float) -> Callable:
    """Return an answer that gives these signs without a network."""
    return lambda: SimpleNamespace(signs=dict(zip(SENTIMENTS, signs, strict=True)))


def by_hand() -> OneHotMLP:
    """Return a network that understands "not"."""
    model = OneHotMLP(4, hidden_size=2)
    weights = [[0.0, 1, 0, 1]] * 2, [0.0, -1], [[1.0, -2]], [-0.5]
    for parameter, values in zip(model.parameters(), weights, strict=True):
        parameter.data = torch.tensor(values)
    return model


def verdict(answer: Callable, review: str) -> object:
    """Return the sign of the logit that a network of one's own making gives a toy review."""
    signs = set()
    for seed in range(8):  # of what the answer leaves at random
        torch.manual_seed(seed)
        model = answer()
        if hasattr(model, "signs"):
            return model.signs[review]
        if model is None or model is ...:
            return None
        if not isinstance(getattr(model, "hidden", None), nn.Linear):
            raise Wrong("return the model, an OneHotMLP(4, hidden_size=2).")
        if model.hidden.out_features != 2:
            raise Wrong(f"two hidden units are asked for; these are {model.hidden.out_features}.")
        multi_hot = torch.zeros(1, 4).to(model.hidden.weight.device)
        multi_hot[0, VOCABULARY.encode(review.split())] = 1
        signs.add(model.output(torch.relu(model.hidden(multi_hot))).detach().sign().item())
    if len(signs) > 1:
        raise Wrong(f"the verdict on {review!r} is left to chance. Are all weights and biases set?")
    return signs.pop()


def explained(
    answer: Callable, model: OneHotMLP, review: str, tokenizer: Callable = basic_english
) -> object:
    """Return the probability, and the pairs of the dict in their order."""
    found: Any = answer(model, VOCABULARY, review, tokenizer)
    if found is None or found is ...:
        return None
    if not (isinstance(found, tuple | list) and len(found) == 2 and isinstance(found[1], dict)):
        raise Wrong("return two values: the probability, and a dict of what each word adds.")
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


def only_shares(**changed: Callable) -> Callable:
    """Return another way to explain a prediction whose probability does not matter."""
    return lambda *given: (ANY, contributions(**changed)(*given)[1])
