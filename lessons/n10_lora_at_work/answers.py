"""Hand-made worlds, probes and wrong answers for the exercises of notebook 10."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from helpers import corpus, datasets, lora, models, training
from helpers.text import Vocabulary
from lessons.judging import Wrong
from lessons.n10_lora_at_work import work

VOCABULARY = Vocabulary(["film", "good", "bad", "plot", "dull"])


def small_model(num_outputs: int = 1, seed: int = 0) -> models.SparseOneHotMLP:
    """Return an untrained model for six tokens and three hidden units."""
    torch.manual_seed(seed)
    return models.SparseOneHotMLP(6, 3, num_outputs, sparse_grad=False)


def reviews(*texts: str, labels: tuple[int, ...]) -> datasets.BagOfWordsDataset:
    """Encode a few texts."""
    return datasets.encode(corpus.Reviews(texts, labels), VOCABULARY)


def loader(seed: int = 0, size: int = 24) -> torch.utils.data.DataLoader:
    """Return a loader of small batches in order."""
    rng = np.random.default_rng(seed)
    words = np.array(["film", "good", "bad", "plot", "dull", "new"])
    texts = [" ".join(words[rng.random(6) < 0.5]) for _ in range(size)]
    labels = tuple(int(label) for label in rng.random(size) < 0.5)
    data = reviews(*texts, labels=labels)
    return datasets.make_loader(data, 4, sparse=True, generator=torch.Generator())


def prepared(prepare: Callable, base: nn.Module, way: str) -> Any:
    """Return what is trained, what is new, and whether the base model has a part in it."""
    model = prepare(base, way)
    if not isinstance(model, nn.Module):
        return model
    own = {id(part) for part in base.parameters()}
    old = {name: part for name, part in base.named_parameters()}
    return {
        "trained": sorted(name for name, part in model.named_parameters() if part.requires_grad),
        "shares": any(id(part) in own for part in model.parameters()),
        "shapes": way == "rank 1" or [[*part.shape] for part in model.parameters()],
        "rank": [layer.r for layer in lora.adapters(model).values()],
        "zero": any(not part.any() for name, part in model.named_parameters() if name in old),
        "new": sorted(
            name
            for name, part in model.named_parameters()
            if name in old and not torch.equal(part.cpu(), old[name])
        ),
    }


def preparing(change: Callable[[nn.Module, str], object], copied: bool = True) -> Callable:
    """Return an answer to 10.1 that goes on from the right one, or does without the copy."""

    def prepare(base: nn.Module, way: str) -> nn.Module:
        model = work.prepare(base, way) if copied else base
        return change(model, way) or model  # type: ignore[return-value]

    return prepare


class Counted(list):
    """Batches that count how often they are gone through."""

    times = 0

    def __iter__(self) -> Any:
        self.times += 1
        return super().__iter__()


def watched(watch: Callable, model: nn.Module, train: Any, loaders: dict, *rest: Any) -> Any:
    """Return the accuracies; refuse another number of epochs, and a list that is shared."""
    batches = Counted(train)
    found = watch(model, batches, loaders, *rest)
    if isinstance(found, dict) and batches.times != rest[1]:
        raise Wrong(f"epochs trained: {batches.times}. Asked for: {rest[1]}.")
    if isinstance(found, dict) and len({*map(id, found.values())}) < len(found):
        raise Wrong("several names have one and the same list. Make a new list for each name.")
    return found


def watching(before: bool = True, at_end: bool = False) -> Callable:
    """Return an answer to 10.2 with something left out."""

    def watch(model, train_loader, watched, optimizer, num_epochs):
        found = work.train_and_watch(model, train_loader, watched, optimizer, num_epochs)
        rows = {name: row if before else row[1:] for name, row in found.items()}
        if at_end:
            rows = {name: [row[0]] + [row[-1]] * num_epochs for name, row in found.items()}
        return rows

    return watch


def watch_input(num_epochs: int, lr: float, names: tuple[str, ...]) -> Callable[[], tuple]:
    """Return what makes the arguments of 10.2 anew."""

    def make() -> tuple:
        model = small_model()
        loaders = {name: loader(seed=i + 1, size=20 + 3 * i) for i, name in enumerate(names)}
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        return model, loader(), loaders, optimizer, num_epochs

    return make


def adapted(rows: list[list[float]], output: list[float]) -> nn.Module:
    """Return a model whose update of `hidden` is [vocab, hidden] = `rows`, in rank 1 or 2."""
    torch.manual_seed(0)
    model: Any = lora.add_adapters(small_model(), ["hidden"], r=2, alpha=6)
    update = torch.tensor(rows)  # [vocab, hidden]
    u, s, vh = torch.linalg.svd(update, full_matrices=False)
    with torch.no_grad():
        model.hidden.lora_A.copy_((u[:, :2] * s[:2]).T / model.hidden.scaling)
        model.hidden.lora_B.copy_(vh[:2].T)
        model.output.weight.copy_(torch.tensor([output]))
    return model


def push_input(often: list[int], count: int, scale: float = 1.0) -> Callable[[], tuple]:
    """Return what makes the arguments of 10.4 anew: pushes -9, 2, 5, -7, 1, 3 (times `scale`)."""
    first = [-9.0, 2.0, 5.0, -7.0, 1.0, 3.0]
    rows = [[scale * push, 0.0, 0.25 * push**2] for push in first]
    mask = torch.tensor(often, dtype=torch.bool)
    return lambda: (adapted(rows, [1.0, 5.0, 0.0]), VOCABULARY, mask, count)


def pushing(**changed: Callable) -> Callable:
    """Return an answer to 10.4 with one step changed."""
    step: dict[str, Any] = {
        "pushes": lambda model: model.hidden.get_delta_weight() @ model.output.weight[0],
        "size": lambda pushes, often: (pushes * often).abs(),
        "order": lambda chosen, pushes: chosen[pushes[chosen].argsort(descending=True)],
        "tokens": lambda vocabulary, chosen: vocabulary.decode(chosen.tolist()),
    } | changed

    @torch.no_grad()
    def answer(model: nn.Module, vocabulary: Vocabulary, often: Tensor, count: int) -> dict:
        pushes = step["pushes"](model)
        chosen = step["order"](step["size"](pushes, often).topk(count).indices, pushes)
        return dict(zip(step["tokens"](vocabulary, chosen), pushes[chosen].tolist(), strict=False))

    return answer


def in_order(answer: Callable, *arguments: Any) -> Any:
    """Return the pairs of the dict, so that their order counts."""
    found = answer(*arguments)
    return [[*found], [*map(float, found.values())]] if isinstance(found, dict) else found


def two_layers(dtype: torch.dtype = torch.float32, frozen: bool = True) -> nn.Module:
    """Return a model with 33 and 8 numbers, the first layer frozen or not."""
    model = nn.Sequential(nn.Linear(10, 3), nn.ReLU(), nn.Linear(3, 2)).to(dtype)
    model[0].requires_grad_(not frozen)
    return model


def state_bytes(
    factor: float, size: Callable = Tensor.element_size, frozen: bool = False
) -> Callable:
    """Return an answer to 10.5 that counts `factor` times `size` for each number."""
    return lambda model: sum(
        factor * part.numel() * size(part)
        for part in model.parameters()
        if frozen or part.requires_grad
    )


class Noting(torch.optim.SGD):
    """SGD that notes which parameters the last one of its kind got."""

    got: frozenset[int] = frozenset()

    def __init__(self, parameters: Any, lr: float) -> None:
        super().__init__(parameters, lr=lr)
        parameters = (part for group in self.param_groups for part in group["params"])
        Noting.got = frozenset(map(id, parameters))


def trained(train_adapter: Callable, *arguments: Any) -> Any:
    """Return the accuracies, the sizes of A and B, and whether `start` has stayed itself."""
    start, Noting.got = arguments[0], frozenset()
    result = train_adapter(*arguments)
    if not isinstance(result, tuple | list) or len(result) != 2 or isinstance(result[0], list):
        return result
    model, accuracies = result
    if any(isinstance(one, training.Evaluation) for one in accuracies):
        raise Wrong("those are whole evaluations. Each has its accuracy as `.accuracy`.")
    layers = lora.adapters(model) if isinstance(model, nn.Module) else {}
    layer = layers.get("hidden")
    if layer is None:
        return "no adapter", [*accuracies]
    return {
        "start": "changed" if lora.adapters(start) or model is start else "as before",
        "rank": layer.r,
        "alpha": layer.alpha,
        "trained": lora.parameter_counts(model)[0],
        "large A": bool(layer.lora_A.abs().max() > 0.42),
        "B": "moved" if layer.lora_B.abs().max() > 1e-3 else "zero",
        "optimizer": bool(Noting.got),
        "both": {id(layer.lora_A), id(layer.lora_B)} <= Noting.got,
        "accuracies": [*accuracies],
    }


def adapter_input(lr: float, normal: bool, r: int, num_epochs: int) -> Callable[[], tuple]:
    """Return what makes the arguments of 10.7 anew."""
    return lambda: (
        small_model(2),
        loader(),
        loader(seed=5, size=21),
        Noting,
        lr,
        normal,
        r,
        num_epochs,
    )


def afterwards(change: Callable) -> Callable:
    """Return an answer to 10.7 that does something more to the model or to `start`."""

    def answer(start, *rest):
        model, accuracies = work.train_adapter(start, *rest)
        change(model, start, rest)
        return model, accuracies

    return answer


def effective(
    scaling: Callable = lambda alpha, rows, columns: alpha / rows, power: int = 2, norm: Any = 2
) -> Callable:
    """Return an answer to 10.8 with another scaling, power or norm."""

    def answer(lr: float, lora_A: Tensor, alpha: float) -> float:  # noqa: N803
        size = torch.linalg.matrix_norm(lora_A, ord=norm).item()
        return lr * (scaling(alpha, *lora_A.shape) * size) ** power

    return answer


def matrix(rows: int, columns: int) -> Tensor:
    """Draw a matrix; always the same for the same size."""
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows))


@cache
def critics_world() -> tuple:
    """Return a base model, and the critics' training and validation sentences, encoded."""
    imdb_train, _ = corpus.split(corpus.load_imdb("train"), 5_000, seed=0)
    imdb, vocabulary = datasets.load_or_encode(imdb_train)
    rest, _ = corpus.split(corpus.load_critics(), 1_000, seed=0)
    parts = corpus.split(rest, 2_000, seed=0)
    device = training.pick_device()
    train, validation = (datasets.encode(part, vocabulary).to(device) for part in parts)
    return work.train_base(imdb.to(device), seed=0), train, validation


def new_numbers(model: nn.Module, base: nn.Module) -> int:
    """Count the numbers of `model` that are not zero and not in `base`, tensor by tensor."""
    known = [part.detach() for part in base.state_dict().values()]
    count = 0
    for part in model.state_dict().values():
        if part.dtype.is_floating_point:
            same_shape = [old for old in known if old.shape == part.shape]
            changes = [(part != old).sum().item() for old in same_shape]
            count += min([part.count_nonzero().item(), *changes])
    return int(count)


def with_argument(position: int, change: Callable) -> Callable:
    """Return an answer to 10.7 that takes another value for one of its arguments."""
    return lambda *given: work.train_adapter(
        *(change(part) if place == position else part for place, part in enumerate(given))
    )


def split_input(seed: int) -> Callable[[], tuple]:
    """Return what makes three small parts anew: noisy texts of 8 tokens."""

    def make() -> tuple:
        rng = np.random.default_rng(seed)
        weights = rng.normal(size=8)
        parts = []
        for size in (60, 40, 40):
            rows = rng.random((size, 8)) < 0.4
            labels = (rows @ weights + rng.normal(size=size) > weights.sum() * 0.4).astype(int)
            rows = np.pad(rows, ((0, 0), (0, 1)))  # a ninth token, in one training text alone
            rows[0, 8] = size == 60
            ids = np.nonzero(rows)[1]
            offsets = np.concatenate([[0], rows.sum(axis=1).cumsum()])
            flat, starts = (torch.tensor(part, dtype=torch.int32) for part in (ids, offsets))
            parts.append(datasets.BagOfWordsDataset(flat, starts, torch.tensor(labels), 9))
        return tuple(parts)

    return make


def linear(
    fit: int = 0, choose: int = 1, report: int = 2, strengths: Sequence[float] = (0.1, 0.3, 1)
) -> Callable:
    """Return an answer to 10.3 that takes other parts (train 0, validation 1, test 2)."""

    def answer(*parts: datasets.BagOfWordsDataset) -> float:
        rows = [(part.multi_hot().numpy(), part.labels.numpy()) for part in parts]
        fitted = [LogisticRegression(C=c, max_iter=1_000).fit(*rows[fit]) for c in strengths]
        return max(fitted, key=lambda model: model.score(*rows[choose])).score(*rows[report])

    return answer
