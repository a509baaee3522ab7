"""The one-hidden-layer MLP on a bag of words (notebook 04), and its sparse twin (notebook 02)."""

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import text
from helpers.datasets import Bags
from helpers.text import Tokenizer, Vocabulary


class OneHotMLP(nn.Module):
    """Linear, ReLU, Linear on multi-hot vectors; 1 output (binary), or one for each class."""

    def __init__(
        self, vocab_size: int = 20_001, hidden_size: int = 200, num_outputs: int = 1
    ) -> None:
        super().__init__()
        self.hidden = nn.Linear(vocab_size, hidden_size)
        self.output = nn.Linear(hidden_size, num_outputs)

    def forward(self, multi_hot: Tensor) -> Tensor:
        """Map float32 [batch, vocab] to logits [batch], or [batch, outputs] if several."""
        h = torch.relu(self.hidden(multi_hot))  # [batch, hidden]
        logits = self.output(h)  # [batch, outputs]
        return logits.squeeze(1) if self.output.out_features == 1 else logits


class SumOfRows(torch.autograd.Function):
    """Sum the rows of `weight` that each bag selects, with a gradient of only those rows.

    Unlike that of ``F.embedding_bag`` it has one row for all equal tokens of the batch.
    """

    @staticmethod
    def forward(ctx, weight: Tensor, ids: Tensor, offsets: Tensor) -> Tensor:
        """Map weight [vocab, hidden] and bags to their sums [batch, hidden]."""
        ctx.save_for_backward(ids, offsets)
        ctx.weight_shape = weight.shape
        return F.embedding_bag(ids, weight, offsets, mode="sum", include_last_offset=True)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:
        """Map the gradient [batch, hidden] to a sparse one [vocab, hidden]."""
        ids, offsets = (tensor.numpy() for tensor in ctx.saved_tensors)
        vocab_size, batch_size = ctx.weight_shape[0], len(grad)
        integer = np.int32 if vocab_size * batch_size < 2**31 else np.int64
        reviews = np.repeat(np.arange(batch_size, dtype=integer), np.diff(offsets))  # of each id
        pairs = np.sort(ids * integer(batch_size) + reviews)  # by token, then by review
        tokens, reviews = np.divmod(pairs, batch_size)
        starts = np.flatnonzero(np.diff(tokens, prepend=integer(-1)))  # where a token begins
        reviews, offsets = map(torch.from_numpy, (reviews, starts.astype(reviews.dtype)))
        rows = F.embedding_bag(reviews, grad, offsets, mode="sum")  # [distinct tokens, hidden]
        gradient = torch.sparse_coo_tensor(
            tokens[None, starts],  # type: ignore[arg-type]
            rows,
            ctx.weight_shape,
            is_coalesced=True,
            check_invariants=False,
        )
        return gradient, None, None


class BagLinear(nn.Module):
    """``nn.Linear`` on multi-hot vectors that are given as bags of token ids.

    `weight` is stored transposed, [in_features, out_features], so that a token's row lies in one
    piece. With `sparse_grad` its gradient is sparse on the CPU, which makes SGD many times
    faster; Adam, momentum, weight decay and ``clip_grad_norm_`` need a dense one.
    """

    def __init__(self, in_features: int, out_features: int, sparse_grad: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.sparse_grad = sparse_grad
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters, uniform within 1 / sqrt(in_features) as in ``nn.Linear``."""
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, bags: Bags) -> Tensor:
        """Map bags of a batch to float32 [batch, out_features]."""
        if self.sparse_grad and self.weight.device.type == "cpu" and self.weight.requires_grad:
            return SumOfRows.apply(self.weight, bags.ids, bags.offsets) + self.bias
        sums = F.embedding_bag(
            bags.ids, self.weight, bags.offsets, mode="sum", include_last_offset=True
        )  # [batch, out_features]
        return sums + self.bias

    def extra_repr(self) -> str:
        """Describe the layer in ``print(model)``."""
        return f"in_features={self.in_features}, out_features={self.out_features}"


class SparseOneHotMLP(nn.Module):
    """`OneHotMLP` for bags of token ids: the same parameters, the same logits, faster."""

    def __init__(
        self,
        vocab_size: int = 20_001,
        hidden_size: int = 200,
        num_outputs: int = 1,
        sparse_grad: bool = True,
    ) -> None:
        super().__init__()
        self.hidden = BagLinear(vocab_size, hidden_size, sparse_grad)
        self.output = nn.Linear(hidden_size, num_outputs)

    def forward(self, bags: Bags) -> Tensor:
        """Map the bags of a batch to logits [batch], or [batch, outputs] if several."""
        h = torch.relu(self.hidden(bags))  # [batch, hidden]
        logits = self.output(h)  # [batch, outputs]
        return logits.squeeze(1) if self.output.out_features == 1 else logits


def to_sparse(model: OneHotMLP, sparse_grad: bool = True) -> SparseOneHotMLP:
    """Return the sparse twin of `model`, with copies of its parameters."""
    vocab_size, hidden_size = model.hidden.in_features, model.hidden.out_features
    twin = SparseOneHotMLP(vocab_size, hidden_size, model.output.out_features, sparse_grad)
    twin.to(model.output.weight).load_state_dict(_transposed(model))
    return twin


def to_dense(model: SparseOneHotMLP) -> OneHotMLP:
    """Return the dense twin of `model`, with copies of its parameters."""
    twin = OneHotMLP(model.hidden.in_features, model.hidden.out_features, model.output.out_features)
    twin.to(model.output.weight).load_state_dict(_transposed(model))
    return twin


def _transposed(model: OneHotMLP | SparseOneHotMLP) -> dict[str, Tensor]:
    """Return the parameters of `model` as its twin has them."""
    return {**model.state_dict(), "hidden.weight": model.hidden.weight.T}


@torch.no_grad()
def word_contributions(
    model: OneHotMLP | SparseOneHotMLP,
    vocabulary: Vocabulary,
    review: str,
    tokenizer: Tokenizer = text.basic_english,
) -> tuple[float, dict[str, float]]:
    """Explain one prediction: the probability of "positive", and what each word adds.

    For the hidden units that this review switches on, the network is linear, so its logit is a
    constant (the biases) plus one term for each distinct token, in the order of the review (all
    unknown ones together as ``<unk>``). `model` has one logit and no adapters.
    """
    if not isinstance(model.hidden, nn.Linear | BagLinear) or type(model.output) is not nn.Linear:
        raise TypeError("Merge the adapters first: lora.merge_adapters(copy.deepcopy(model)).")
    if model.output.out_features != 1:
        raise ValueError(f"This explains one logit, got {model.output.out_features} outputs.")
    ids = list(dict.fromkeys(vocabulary.encode(tokenizer(review))))
    sparse = isinstance(model.hidden, BagLinear)
    weight = model.hidden.weight if sparse else model.hidden.weight.T  # [vocab, hidden]
    rows = weight[torch.tensor(ids, dtype=torch.int64, device=weight.device)]  # [words, hidden]
    active = rows.sum(dim=0) + model.hidden.bias > 0  # [hidden]
    slopes = active * model.output.weight[0]  # [hidden]
    contributions = rows @ slopes  # [words]
    logit = contributions.sum() + model.hidden.bias @ slopes + model.output.bias[0]
    words = vocabulary.decode(ids)
    return torch.sigmoid(logit).item(), dict(zip(words, contributions.tolist(), strict=True))


def make_mlp(
    num_features: int, hidden_sizes: Sequence[int], num_outputs: int, dropout: float = 0.0
) -> nn.Sequential:
    """Stack Linear, ReLU (and Dropout) for each hidden size, and a last Linear."""
    layers, width = [], num_features
    for size in hidden_sizes:
        layers += [nn.Linear(width, size), nn.ReLU()]
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
        width = size
    layers.append(nn.Linear(width, num_outputs))
    return nn.Sequential(*layers)
