"""helpers.training against independent computations, on odd shapes too."""

import copy
import functools
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy import stats
from sklearn.metrics import accuracy_score, log_loss
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics.classification import BinaryAccuracy, MulticlassAccuracy
from torchmetrics.text import Perplexity

from helpers import datasets, lora, models, training

Batch = tuple[Tensor, Tensor]


def linear_model(num_features: int = 3, num_outputs: int = 1) -> nn.Module:
    """One layer; logits [batch] for one output, else [batch, outputs]."""
    layer = nn.Linear(num_features, num_outputs)
    return nn.Sequential(layer, nn.Flatten(0)) if num_outputs == 1 else nn.Sequential(layer)


def samples(count: int, num_features: int = 3, num_classes: int = 2, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, num_features, generator=generator)
    return inputs, torch.randint(num_classes, (count,), generator=generator)


def in_batches(batch: Batch, size: int) -> list[Batch]:
    return list(zip(batch[0].split(size), batch[1].split(size), strict=True))


def probabilities(logits: Tensor) -> np.ndarray:
    """Probabilities [batch, classes] in float64."""
    z = logits.detach().double().numpy()
    if z.ndim == 1:
        z = np.stack([np.zeros_like(z), z], axis=1)
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def state(model: nn.Module) -> dict[str, Tensor]:
    return copy.deepcopy(model.state_dict())


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def bags(count: int = 300, vocab_size: int = 2_000, seed: int = 0) -> datasets.BagOfWordsDataset:
    """Random reviews of 1 to 99 tokens; the labels depend on the first token."""
    random_numbers = np.random.default_rng(seed)
    rows = [
        np.sort(random_numbers.choice(vocab_size, random_numbers.integers(1, 100), replace=False))
        for _ in range(count)
    ]
    return datasets.BagOfWordsDataset(
        torch.from_numpy(np.concatenate(rows).astype(np.int32)),
        torch.from_numpy(np.cumsum([0, *map(len, rows)]).astype(np.int32)),
        torch.tensor([int(row[0] < 20) for row in rows]),
        vocab_size,
    )


SHAPES = [(1, 1), (1, 2), (1, 5), (7, 1), (7, 2), (7, 5)]  # samples, outputs


# --- the loss ---------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "num_outputs"), SHAPES)
def test_loss_is_scikit_learns(count: int, num_outputs: int) -> None:
    num_classes = max(2, num_outputs)
    logits = 3 * samples(count, num_outputs)[0]
    targets = samples(count, num_classes=num_classes)[1]
    if num_outputs == 1:
        logits = logits.squeeze(1)
    expected = log_loss(targets, probabilities(logits), labels=range(num_classes))
    assert training.classification_loss(logits, targets).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("label", [0, 1])
def test_loss_of_one_class_only(label: int) -> None:
    logits, targets = torch.tensor([2.0, -1.0, 0.3]), torch.full((3,), label)
    expected = log_loss(targets, probabilities(logits), labels=[0, 1])
    assert training.classification_loss(logits, targets).item() == pytest.approx(expected, rel=1e-5)


def test_loss_of_extreme_logits_is_finite_and_right() -> None:
    logits, targets = torch.tensor([100.0, -100.0, 100.0, -100.0]), torch.tensor([0, 1, 1, 0])
    assert training.classification_loss(logits, targets).item() == 50
    two = torch.stack([torch.zeros(4), logits], dim=1)
    assert training.classification_loss(two, targets).item() == 50
    assert training.classification_loss(logits[2:], targets[2:]).item() < 1e-40


def test_two_logits_are_one() -> None:
    two, targets = samples(9, 2)
    one = two[:, 1] - two[:, 0]
    torch.testing.assert_close(
        training.classification_loss(two, targets), training.classification_loss(one, targets)
    )


@pytest.mark.parametrize(
    ("logits", "targets"),
    [((), (1,)), ((), ()), ((2,), (3,)), ((3, 2), (2,)), ((2, 1), (2, 1)), ((2, 2, 2), (2, 2))],
)
def test_loss_refuses_shapes_that_do_not_fit(logits: tuple, targets: tuple) -> None:
    with pytest.raises(ValueError, match=r"squeeze\(\)"):
        training.classification_loss(torch.zeros(logits), torch.zeros(targets, dtype=torch.int64))


def test_loss_refuses_one_logit_in_a_column() -> None:
    """Cross-entropy over one class is 0, so all would seem right."""
    with pytest.raises(ValueError, match=r"squeeze\(1\)"):
        training.classification_loss(torch.zeros(3, 1), torch.zeros(3, dtype=torch.int64))


@pytest.mark.parametrize(
    ("num_outputs", "labels", "words"),
    [
        (1, [1, 2, 1], "labels of 2 classes are 0 to 1, got 1 to 2"),
        (1, [0, -1, 1], "got -1 to 1"),
        (1, [0.0, 2.0, 1.0], "got 0 to 2"),
        (2, [1, 2, 1], "labels of 2 classes are 0 to 1, got 1 to 2"),
        (3, [0, 3, 1], "labels of 3 classes are 0 to 2, got 0 to 3"),
        (3, [-1, 2, 1], "got -1 to 2"),
    ],
)
def test_labels_of_no_class_are_refused(num_outputs: int, labels: list, words: str) -> None:
    targets, model = torch.tensor(labels), linear_model(num_outputs=num_outputs)
    loader = in_batches((samples(3)[0], targets), 2)
    before = state(model)
    with pytest.raises(ValueError, match=words):
        training.classification_loss(model(samples(3)[0]), targets)
    with pytest.raises(ValueError, match="Number the classes from 0"):
        training.evaluate(model, loader)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="Number the classes from 0"):
        training.fit(model, loader[::-1], optimizer, 50, progress=False)
    assert all(tensor.isfinite().all() for tensor in state(model).values())
    if not (loader[0][1] >= 2).any():
        return
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.load_state_dict(before)
    with pytest.raises(ValueError, match="Number the classes"):
        training.train_epoch(model, loader, optimizer)
    assert same(before, state(model)), "not a step is made by a label of no class"


def test_the_last_labels_are_allowed() -> None:
    for num_outputs, largest in ((1, 1), (2, 1), (4, 3)):
        targets = torch.tensor([0, largest])
        logits = linear_model(num_outputs=num_outputs)(samples(2)[0])
        assert training.classification_loss(logits, targets).isfinite()


# --- any loss, any score ----------------------------------------------------------------


def float_batch(count: int = 9) -> Batch:
    inputs = samples(count)[0]
    return inputs, inputs @ torch.tensor([1.0, -2.0, 0.5]) + 3


def worst(outputs: Tensor, targets: Tensor) -> float:
    """A score that is no mean over batches."""
    return (outputs - targets).abs().max().item()


@pytest.mark.parametrize("batch_size", [1, 4, 9, 20])
def test_a_regression_is_trained_and_evaluated(batch_size: int) -> None:
    training.set_seed(0)
    model, batch = linear_model(), float_batch()
    loader = in_batches(batch, batch_size)
    before = training.evaluate(model, loader, nn.MSELoss(), worst)
    predicted = model(batch[0]).detach()
    assert before.loss == pytest.approx(((predicted - batch[1]) ** 2).mean().item(), rel=1e-5)
    assert before.score == pytest.approx(worst(predicted, batch[1]))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    history = training.fit(
        model,
        loader,
        optimizer,
        150,
        loader,
        progress=False,
        loss=nn.MSELoss(),
        score=worst,
        watch_loader=loader[:1],
    )
    assert history.validation[-1].loss < 0.1 < 1 < before.loss
    assert history.validation[-1] == training.evaluate(model, loader, nn.MSELoss(), worst)
    assert history.watched[-1] == training.evaluate(model, loader[:1], nn.MSELoss(), worst)
    assert len(history.watched) == 150


def test_several_outputs_for_each_sample() -> None:
    model, (inputs, _) = linear_model(num_outputs=4), samples(6)
    loader = in_batches((inputs, torch.rand(6, 4)), 4)
    expected = nn.functional.l1_loss(model(inputs), torch.cat([loader[0][1], loader[1][1]]))
    found = training.evaluate(model, loader, nn.L1Loss(), worst).loss
    assert found == pytest.approx(expected.item(), rel=1e-5)


LOSSES = [nn.MSELoss(), nn.L1Loss(), nn.BCEWithLogitsLoss(), nn.HuberLoss()]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize(
    ("num_outputs", "shape"),
    [("column", (4,)), (1, (4, 1)), (4, (4,)), (2, (4, 1)), (2, (2, 4)), (1, (1,)), (1, ())],
)
def test_shapes_that_a_loss_would_broadcast_are_refused(loss, num_outputs, shape) -> None:
    """Most of these raise no error in PyTorch, and train something else."""
    model = linear_model(num_outputs=2)
    if num_outputs == "column":
        model = nn.Sequential(nn.Linear(3, 1))
    elif num_outputs != 2:
        model = linear_model(num_outputs=num_outputs)
    before, loader = state(model), [(samples(4)[0], torch.rand(shape))]
    with pytest.raises(ValueError, match=r"do not go with.*squeeze\(1\)"):
        training.train_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=0.1), loss)
    with pytest.raises(ValueError, match="do not go with"):
        training.evaluate(model, loader, loss, worst)
    assert same(before, state(model))


@pytest.mark.parametrize("state", ["merge", "disable"])
def test_an_adapter_out_of_use_is_not_trained_without_a_word(state: str) -> None:
    model = lora.add_adapters(models.OneHotMLP(4, 3), ["hidden"], r=1)
    getattr(model.hidden, state)()
    optimizer = torch.optim.SGD(lora.trainable_parameters(model), lr=0.1)
    with pytest.raises(ValueError, match="merged or disabled"):
        training.train_epoch(model, [(torch.eye(4), torch.tensor([0, 1, 1, 0]))], optimizer)


# --- sparse gradients -------------------------------------------------------------------


def sparse_training(make_optimizer: Callable, sparse_grad: bool = True) -> float:
    training.set_seed(0)
    model = models.SparseOneHotMLP(2_000, 5, sparse_grad=sparse_grad)
    loader = datasets.make_loader(bags(), sparse=True)
    return training.train_epoch(model, loader, make_optimizer(model.parameters()))


def clipped(parameters: Iterable) -> torch.optim.Optimizer:
    """Clip the gradients before each step."""
    parameters = list(parameters)
    optimizer = torch.optim.AdamW(parameters)
    optimizer.register_step_pre_hook(lambda *_: nn.utils.clip_grad_norm_(parameters, 1.0) and None)
    return optimizer


@pytest.mark.parametrize(
    "make_optimizer",
    [
        torch.optim.Adam,
        torch.optim.AdamW,
        torch.optim.RMSprop,
        functools.partial(torch.optim.SGD, lr=0.1, weight_decay=0.1),
        functools.partial(torch.optim.SGD, lr=0.1, fused=True),
        clipped,
    ],
)
def test_optimizers_that_cannot_use_sparse_gradients_are_refused(make_optimizer) -> None:
    with pytest.raises(ValueError, match=r"sparse gradients.*sparse_grad=False.*plain SGD"):
        sparse_training(make_optimizer)
    assert sparse_training(make_optimizer, sparse_grad=False) > 0


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_optimizers_that_can_use_sparse_gradients(momentum: float) -> None:
    make_optimizer = functools.partial(torch.optim.SGD, lr=0.1, momentum=momentum)
    dense = sparse_training(make_optimizer, sparse_grad=False)
    assert sparse_training(make_optimizer) == pytest.approx(dense, rel=1e-5)


@pytest.mark.parametrize(("count", "num_outputs"), SHAPES)
def test_predicted_classes_are_the_most_probable(count: int, num_outputs: int) -> None:
    logits = samples(count, num_outputs)[0]
    logits = 100 * (logits.squeeze(1) if num_outputs == 1 else logits)
    predictions = training.predicted_classes(logits)
    assert predictions.dtype == torch.int64
    assert predictions.tolist() == probabilities(logits).argmax(axis=1).tolist()


def test_an_undecided_logit_counts_as_negative() -> None:
    assert training.predicted_classes(torch.tensor([0.0, 1e-6, -1e-6])).tolist() == [0, 1, 0]


def test_mean_loss_weights_batches_by_their_samples() -> None:
    losses = [torch.tensor(1.0), torch.tensor(2.0), torch.tensor(4.0)]
    assert training.mean_loss(losses, [128, 128, 40]) == (128 + 256 + 160) / 296
    assert training.mean_loss(losses[:1], [1]) == 1


@pytest.mark.parametrize(("losses", "sizes"), [([], []), ([torch.tensor(math.nan)], [0])])
def test_mean_loss_needs_samples(losses: list[Tensor], sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="no samples"):
        training.mean_loss(losses, sizes)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_mean_loss_must_be_finite(value: float) -> None:
    with pytest.raises(FloatingPointError, match=r"became -?(nan|inf).*learning rate"):
        training.mean_loss([torch.tensor(1.0), torch.tensor(value)], [5, 1])


# --- the loops --------------------------------------------------------------------------


def train_by_hand(model: nn.Module, loader: list[Batch], lr: float) -> tuple[np.ndarray, float]:
    """One epoch of SGD on a linear model in NumPy and float64; parameters [outputs, 1 + inputs]."""
    layer = model[0]
    parameters = torch.cat([layer.bias[:, None], layer.weight], dim=1).detach().double().numpy()
    losses = []
    for inputs, targets in loader:
        x = np.concatenate([np.ones((len(inputs), 1)), inputs.double().numpy()], axis=1)
        z = torch.from_numpy(x @ parameters.T)
        p = probabilities(z[:, 0] if layer.out_features == 1 else z)
        y = targets.numpy()
        losses += [-math.log(row[label]) for row, label in zip(p, y, strict=True)]
        error = p - np.eye(p.shape[1])[y]
        error = error[:, 1:] if layer.out_features == 1 else error  # dL / dz
        parameters = parameters - lr * error.T @ x / len(y)
    return parameters, float(np.mean(losses))


@pytest.mark.parametrize("batch_size", [1, 4, 9, 20])  # 9 samples: last batch of 1, 1, 9, 9
@pytest.mark.parametrize("num_outputs", [1, 2, 4])
def test_train_epoch_is_gradient_descent(batch_size: int, num_outputs: int) -> None:
    training.set_seed(1)
    model = linear_model(num_outputs=num_outputs).eval()
    loader = in_batches(samples(9, num_classes=max(2, num_outputs)), batch_size)
    expected, expected_loss = train_by_hand(model, loader, lr=0.5)
    for parameter in model.parameters():  # what an earlier batch left behind must not count
        parameter.grad = torch.full_like(parameter, 1e6)
    loss = training.train_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=0.5))
    found = torch.cat([model[0].bias[:, None], model[0].weight], dim=1).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert model.training


@pytest.mark.parametrize("label", [0, 1])
def test_train_epoch_on_one_class(label: int) -> None:
    inputs, _ = samples(5)
    loader = in_batches((inputs, torch.full((5,), label)), 2)
    model = linear_model()
    expected, expected_loss = train_by_hand(model, loader, lr=0.1)
    loss = training.train_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=0.1))
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert model[0].bias.item() == pytest.approx(expected[0, 0], rel=1e-4)


def test_dense_and_sparse_twins_train_alike() -> None:
    data = bags()
    training.set_seed(0)
    sparse = models.SparseOneHotMLP(data.vocab_size, 20)
    dense = models.to_dense(sparse)
    losses = [
        training.train_epoch(
            model,
            datasets.make_loader(data, 64, True, twin, generator=torch.Generator().manual_seed(0)),
            torch.optim.SGD(model.parameters(), lr=0.1),
        )
        for model, twin in ((dense, False), (sparse, True))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    trained = models.to_dense(sparse).state_dict()
    for name, tensor in dense.state_dict().items():
        torch.testing.assert_close(tensor, trained[name], rtol=1e-4, atol=1e-6)


EMPTY = [[], DataLoader(TensorDataset(*samples(3)), batch_size=5, drop_last=True)]


@pytest.mark.parametrize("loader", EMPTY, ids=["no data", "drop_last"])
def test_an_empty_loader_is_refused(loader: object) -> None:
    model = linear_model()
    with pytest.raises(ValueError, match=r"no samples.*drop_last"):
        training.train_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(ValueError, match="no samples"):
        training.evaluate(model, loader)
    with pytest.raises(ValueError, match="no samples"):
        training.fit(
            model,
            in_batches(samples(3), 2),
            torch.optim.SGD(model.parameters(), lr=0.1),
            validation_loader=loader,
            progress=False,
        )
    assert model.training


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_the_training(value: float) -> None:
    inputs, targets = samples(5)
    inputs[3, 0] = value
    loader = in_batches((inputs, targets), 2)
    model = linear_model()
    model[0].weight.data.fill_(1.0)
    targets[3] = 0
    with pytest.raises(FloatingPointError, match=r"became (nan|inf).*not finite"):
        training.evaluate(model, loader)
    with pytest.raises(FloatingPointError, match=r"became (nan|inf).*not finite"):
        training.fit(model, loader, torch.optim.SGD(model.parameters(), lr=0.1), progress=False)


@pytest.mark.parametrize("batch_size", [1, 4, 9, 20])
@pytest.mark.parametrize("num_outputs", [1, 2, 4])
def test_evaluate_agrees_with_scikit_learn_and_torchmetrics(
    batch_size: int, num_outputs: int
) -> None:
    num_classes = max(2, num_outputs)
    training.set_seed(2)
    model = linear_model(num_outputs=num_outputs)
    inputs, targets = samples(9, num_classes=num_classes)
    result = training.evaluate(model, in_batches((inputs, targets), batch_size))

    logits = model(inputs).detach()
    p = probabilities(logits)
    assert result.num_samples == 9
    assert result.loss == pytest.approx(log_loss(targets, p, labels=range(num_classes)), rel=1e-5)
    assert result.accuracy == accuracy_score(targets, p.argmax(axis=1))
    accuracy = (
        BinaryAccuracy()
        if num_outputs == 1
        else MulticlassAccuracy(num_classes=num_classes, average="micro")
    )
    assert result.accuracy == pytest.approx(accuracy(logits, targets).item())
    log_p = torch.from_numpy(p).log()[None]  # Perplexity takes [batch, words, classes]
    assert result.perplexity == pytest.approx(Perplexity()(log_p, targets[None]).item(), rel=1e-5)


@pytest.mark.parametrize("label", [0, 1])
def test_evaluate_one_class_and_extreme_logits(label: int) -> None:
    model = linear_model(1)
    model[0].weight.data.fill_(1)
    model[0].bias.data.fill_(0)
    logits = torch.tensor([100.0, -100.0, 100.0])
    result = training.evaluate(model, [(logits[:, None], torch.full((3,), label))])
    wrong = (logits > 0).sum().item() if label == 0 else (logits < 0).sum().item()
    assert result.loss == pytest.approx(100 * wrong / 3)
    assert result.accuracy == pytest.approx(1 - wrong / 3)
    assert result.perplexity == pytest.approx(math.exp(100 * wrong / 3), rel=1e-5)


def test_perplexity_overflows_to_infinity() -> None:
    assert training.Evaluation(800.0, 0.5, 2).perplexity == math.inf
    assert training.Evaluation(0.0, 1.0, 2).perplexity == 1


@pytest.mark.parametrize("mode", [True, False])
def test_evaluate_changes_nothing(mode: bool) -> None:
    model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
    model.train(mode)
    inputs, targets = samples(9)
    training.classification_loss(model(inputs), targets).backward()
    before, gradients = state(model), [p.grad.clone() for p in model.parameters()]
    loader = in_batches((inputs, targets), 4)
    results = [training.evaluate(model, loader) for _ in range(3)]
    assert results[0] == results[1] == results[2]  # no dropout while evaluating
    assert all(part.training is mode for part in model.modules())
    assert same(before, state(model))  # batch norm's running mean included
    assert all(map(torch.equal, gradients, (p.grad for p in model.parameters())))
    assert all(p.requires_grad for p in model.parameters())
    assert torch.is_grad_enabled()


def test_evaluate_builds_no_graph() -> None:
    model, graphs = linear_model(), []
    model.register_forward_hook(lambda _, __, logits: graphs.append(logits.requires_grad))
    training.evaluate(model, in_batches(samples(5), 2))
    assert graphs == [False, False, False]


class Failing(nn.Module):
    """Raise `error` at the call of that number, from 1."""

    def __init__(self, call: int, error: BaseException) -> None:
        super().__init__()
        self.layer, self.calls, self.error = linear_model(), call, error

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls -= 1
        if not self.calls:
            raise self.error
        return self.layer(inputs)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("from the model")])
@pytest.mark.parametrize("mode", [True, False])
def test_evaluate_gives_the_mode_back_after_an_error(mode: bool, error: BaseException) -> None:
    model = Failing(2, error).train(mode)
    with pytest.raises(type(error)):
        training.evaluate(model, in_batches(samples(9), 4))
    assert all(part.training is mode for part in model.modules())
    assert torch.is_grad_enabled()


# --- fit and early stopping ---------------------------------------------------------------


def test_fit_steps_the_scheduler_once_an_epoch() -> None:
    rates = []

    class Watched(torch.optim.SGD):
        def step(self, closure: Callable | None = None) -> None:
            rates.append(self.param_groups[0]["lr"])
            super().step(closure)

    model = linear_model()
    optimizer = Watched(model.parameters(), lr=0.8)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    loader = in_batches(samples(9), 4)
    training.fit(model, loader, optimizer, 3, progress=False, scheduler=scheduler)
    assert rates == pytest.approx([0.8] * 3 + [0.4] * 3 + [0.2] * 3)


def test_watching_changes_nothing() -> None:
    loader = in_batches(samples(9), 4)
    results = []
    for watch in (None, in_batches(samples(6, seed=1), 5)):
        training.set_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        history = training.fit(
            model, loader, optimizer, 4, loader, progress=False, watch_loader=watch
        )
        results.append((history.train_loss, history.validation, state(model)))
    assert results[0][:2] == results[1][:2]
    assert same(results[0][2], results[1][2])


class Script:
    """A validation loader whose samples get worse or better, and whose last step is an error."""

    def __init__(self, signs: list[float], error: BaseException | None) -> None:
        self.signs, self.error = iter(signs), error

    def __iter__(self) -> Iterator[Batch]:
        sign = next(self.signs, None)
        if sign is None and self.error is not None:
            raise self.error
        value = math.nan if sign is None else sign
        yield torch.full((4, 3), value), torch.tensor([1, 1, 1, 1])


@pytest.mark.parametrize(
    ("error", "raised"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (None, FloatingPointError)],
    ids=["interrupted", "nan in validation"],
)
@pytest.mark.parametrize("patience", [10, None])
def test_an_interrupted_fit_leaves_weights_and_history(patience, error, raised) -> None:
    training.set_seed(0)
    model, inputs = linear_model(), torch.ones(4, 3)
    model[0].weight.data.fill_(1.0)
    loader = [(inputs, torch.ones(4, dtype=torch.int64))]  # the weights grow
    after_epoch: list[dict[str, Tensor]] = []

    class Keeping(torch.optim.SGD):
        def step(self, closure: Callable | None = None) -> None:
            super().step(closure)
            after_epoch.append(state(model))

    history = training.History()
    with pytest.raises(raised):
        training.fit(
            model,
            loader,
            Keeping(model.parameters(), lr=0.1),
            20,
            Script([1.0, 2.0, -1.0, -2.0], error),  # best: the second epoch
            patience,
            progress=False,
            history=history,
        )
    assert len(history.train_loss) == len(after_epoch) == 5
    assert len(history.validation) == 4
    assert history.best_epoch == 1
    assert same(state(model), after_epoch[1 if patience else -1])


def test_a_history_must_be_empty() -> None:
    model, loader = linear_model(), in_batches(samples(4), 2)
    before, optimizer = state(model), torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="one of its own"):
        training.fit(model, loader, optimizer, 1, history=training.History([0.5]))
    assert same(before, state(model))
    given = training.History()
    assert training.fit(model, loader, optimizer, 1, progress=False, history=given) is given
    assert len(given.train_loss) == 1


def test_fit_is_train_epoch_and_evaluate_again_and_again() -> None:
    loader, validation = in_batches(samples(9), 4), in_batches(samples(5, seed=1), 2)
    training.set_seed(3)
    model = linear_model()
    twin, third = copy.deepcopy(model), copy.deepcopy(model)
    history = training.fit(
        model, loader, torch.optim.SGD(model.parameters(), lr=0.5), 3, validation, progress=False
    )
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.5)
    for epoch in range(3):
        assert history.train_loss[epoch] == training.train_epoch(twin, loader, optimizer)
        assert history.validation[epoch] == training.evaluate(twin, validation)
    assert len(history.train_loss) == len(history.validation) == 3
    assert same(state(model), state(twin))

    plain = training.fit(
        third, loader, torch.optim.SGD(third.parameters(), lr=0.5), 3, progress=False
    )
    assert plain == training.History(history.train_loss, [])
    assert same(state(third), state(model)), "validation must not disturb the training"


def test_fit_of_no_epochs_leaves_the_model_alone() -> None:
    model = linear_model()
    before = state(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    assert training.fit(model, [], optimizer, num_epochs=0, progress=False) == training.History()
    assert same(before, state(model))


@pytest.mark.parametrize("progress", [True, False])
def test_fit_shows_progress_only_if_asked(progress: bool, capsys: pytest.CaptureFixture) -> None:
    model = linear_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    training.fit(model, in_batches(samples(3), 2), optimizer, 2, progress=progress)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("train_loss=" in printed.err) is progress


def scripted_fit(
    monkeypatch: pytest.MonkeyPatch, losses: list[float], patience: int | None
) -> tuple[training.History, float]:
    """Run fit with these validation losses; after epoch n (from 1) the weight is n."""
    script = iter(losses)
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0)

    def train_epoch(model: nn.Module, *_: object) -> float:
        model.weight.data += 1
        return 0.5

    monkeypatch.setattr(training, "train_epoch", train_epoch)
    monkeypatch.setattr(training, "evaluate", lambda *_: training.Evaluation(next(script), 0.5, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    history = training.fit(model, [], optimizer, len(losses), [], patience, progress=False)
    return history, model.weight.item()


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([0.6, 0.5, 0.55, 0.52, 0.4], 2, 4, 2),
        ([0.6, 0.5, 0.55, 0.52, 0.4], 3, 5, 5),
        ([0.6, 0.5, 0.55, 0.52, 0.51], 5, 5, 2),  # never stopped, the best one all the same
        ([0.6, 0.7, 0.5], 1, 2, 1),
        ([0.6, 0.6, 0.6, 0.6], 2, 3, 1),  # equal is not better
        ([0.5, 0.4, 0.3], 1, 3, 3),
        ([0.5], 1, 1, 1),
    ],
)
def test_early_stopping_keeps_the_best_epoch(
    monkeypatch: pytest.MonkeyPatch, losses: list[float], patience: int, epochs: int, best: int
) -> None:
    history, weight = scripted_fit(monkeypatch, losses, patience)
    assert [evaluation.loss for evaluation in history.validation] == losses[:epochs]
    assert len(history.train_loss) == epochs
    assert history.best_epoch == best - 1
    assert weight == best


def test_without_patience_the_last_epoch_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    history, weight = scripted_fit(monkeypatch, [0.6, 0.5, 0.7], None)
    assert (history.best_epoch, weight) == (1, 3)


def test_early_stopping_of_a_real_overfit() -> None:
    training.set_seed(0)
    model = nn.Sequential(nn.Linear(20, 50), nn.ReLU(), nn.Linear(50, 2))
    loader, validation = in_batches(samples(30, 20), 8), in_batches(samples(50, 20, seed=1), 16)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    history = training.fit(model, loader, optimizer, 200, validation, 5, progress=False)
    assert history.best_epoch + 6 == len(history.train_loss) < 200
    assert training.evaluate(model, validation) == history.validation[history.best_epoch]
    assert history.validation[-1].loss > history.validation[history.best_epoch].loss


@pytest.mark.parametrize(("patience", "has_validation"), [(0, True), (-1, True), (2, False)])
def test_patience_needs_validation_and_time(patience: int, has_validation: bool) -> None:
    model = linear_model()
    before = state(model)
    loader = in_batches(samples(4), 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="validation_loader and a patience of at least 1"):
        training.fit(
            model,
            loader,
            optimizer,
            validation_loader=loader if has_validation else None,
            patience=patience,
        )
    assert same(before, state(model))


def test_there_is_no_best_epoch_without_validation() -> None:
    with pytest.raises(ValueError, match="validation_loader"):
        _ = training.History([0.5]).best_epoch


# --- chance, threads, device ----------------------------------------------------------------


def test_set_seed_reaches_all_generators() -> None:
    draws = []
    for seed in (7, 7, 8):
        training.set_seed(seed)
        draws.append((random.random(), np.random.rand(), torch.rand(1).item()))  # noqa: NPY002
    assert draws[0] == draws[1]
    assert all(one != other for one, other in zip(draws[0], draws[2], strict=True))


def run(sparse: bool, seed: int = 0) -> tuple[list[float], dict[str, Tensor]]:
    data = bags()
    training.set_seed(seed)
    twin = models.SparseOneHotMLP if sparse else models.OneHotMLP
    model = twin(data.vocab_size, 200)
    loader = datasets.make_loader(data, shuffle=True, sparse=sparse)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return training.fit(model, loader, optimizer, 2, progress=False).train_loss, state(model)


@pytest.mark.parametrize("sparse", [True, False])
def test_same_seed_same_result(sparse: bool) -> None:
    (losses, weights), (again, weights_again), (others, other_weights) = (
        run(sparse, seed) for seed in (0, 0, 1)
    )
    assert losses == again != others
    assert same(weights, weights_again)
    assert not same(weights, other_weights)


@pytest.mark.parametrize("sparse", [True, False])
def test_result_does_not_depend_on_threads(sparse: bool) -> None:
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            results.append(run(sparse))
    finally:
        torch.set_num_threads(before)
    for losses, weights in results[1:]:
        assert losses == pytest.approx(results[0][0], rel=1e-6)
        for name, tensor in weights.items():
            torch.testing.assert_close(tensor, results[0][1][name], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_pick_device(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert training.pick_device() == torch.device(expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("sparse", [True, False])
def test_gpu_trains_like_the_cpu(sparse: bool) -> None:
    data = bags()
    losses = []
    for device in ("cpu", "cuda"):
        training.set_seed(0)
        twin = models.SparseOneHotMLP if sparse else models.OneHotMLP
        model = twin(data.vocab_size, 200).to(device)
        loader = datasets.make_loader(data, sparse=sparse)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        history = training.fit(model, loader, optimizer, 2, loader, progress=False)
        losses.append([*history.train_loss, history.validation[-1].loss])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


# --- intervals ------------------------------------------------------------------------------


def test_paired_interval() -> None:
    rng = np.random.default_rng(0)
    old = rng.normal(size=12)
    new = old + rng.normal(0.3, 0.1, size=12)
    mean, half = training.paired_interval(new, old)
    expected = stats.ttest_rel(new, old).confidence_interval(0.95)
    assert (mean - half, mean + half) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("new", "old"), [([0.8], [0.7]), ([0.8, 0.7, 0.9], [0.7]), ([], [])])
def test_paired_interval_needs_pairs(new: list[float], old: list[float]) -> None:
    with pytest.raises(ValueError, match="Two splits at least"):
        training.paired_interval(new, old)


# --- imports --------------------------------------------------------------------------------


def test_the_import_is_light() -> None:
    heavy = ["sklearn", "scipy", "pandas", "pyarrow", "pooch", "matplotlib"]
    code = f"import sys, helpers.training; print([n for n in {heavy} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr


# --- weights on disk -------------------------------------------------------------------------


def test_weights_survive_the_disk(tmp_path: Path) -> None:
    training.set_seed(0)
    model, other = linear_model(num_outputs=2), linear_model(num_outputs=2)
    assert not same(state(model), state(other))
    path = tmp_path / "new folder" / "weights.safetensors"
    training.save_weights(model, path)
    training.load_weights(other, str(path))
    assert same(state(model), state(other))
    assert same(load_file(path), state(model)), "other programs can read the file"
    assert [file.name for file in path.parent.iterdir()] == ["weights.safetensors"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no\.safetensors"):
        training.load_weights(linear_model(), tmp_path / "no.safetensors")
    with pytest.raises(OSError, match="directory"):
        training.load_weights(linear_model(), tmp_path)


class Intruder:
    """An object whose unpickling would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def refused(model: nn.Module, path: Path) -> None:
    before = state(model)
    with pytest.raises(ValueError, match=r"weights\.safetensors does not hold (saved|the weights)"):
        training.load_weights(model, path)
    assert same(before, state(model)), "a refused file must leave the model alone"


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    model = nn.Sequential(nn.Linear(30, 30), nn.Linear(30, 30))
    training.save_weights(model, path)
    whole = path.read_bytes()
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        refused(model, path)
    weight = model[0].weight.detach().numpy().tobytes()
    place = whole.index(weight) + 1_000
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    refused(model, path)
    path.write_bytes(whole)
    training.load_weights(model, path)  # nothing but the damage was refused
    path.write_text("these are no weights\n" * 100)
    refused(model, path)


@pytest.mark.parametrize(
    "other",
    [
        lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)),
        lambda: nn.Sequential(nn.Linear(3, 4)),
        lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1), nn.Linear(1, 1)),
        lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1, bias=False)),
        lambda: nn.ModuleDict({"hidden": nn.Linear(3, 4), "output": nn.Linear(4, 1)}),
    ],
    ids=["two outputs", "layer missing", "layer too many", "no bias", "other names"],
)
def test_another_models_file_is_refused(tmp_path: Path, other: functools.partial) -> None:
    path = tmp_path / "weights.safetensors"
    training.save_weights(other(), path)
    refused(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)), path)


def test_the_sparse_twins_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    training.save_weights(models.SparseOneHotMLP(30, 4), path)
    refused(models.OneHotMLP(30, 4), path)


def test_other_contents_are_refused_and_never_run(tmp_path: Path) -> None:
    path, witness = tmp_path / "weights.safetensors", tmp_path / "witness"
    model = linear_model()
    names = list(state(model))
    for content in (
        torch.zeros(3),
        [1, 2],
        {"a": 1},
        dict.fromkeys(names, 1.0),
        dict(state(model), **{names[0]: None}),
        Intruder(witness),
        model,
    ):
        torch.save(content, path)
        refused(model, path)
    assert not witness.exists()


def test_a_failed_save_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, path = linear_model(), tmp_path / "weights.safetensors"
    training.save_weights(model, path)
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    for target in (path, tmp_path / "new.safetensors"):
        with pytest.raises(OSError, match="No space"):
            training.save_weights(model, target)
    assert [file.name for file in tmp_path.iterdir()] == ["weights.safetensors"]
    assert path.read_bytes() == before


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, file_size_limit) -> None:
    model, path = nn.Linear(100, 100), tmp_path / "weights.safetensors"
    with file_size_limit(2_000), pytest.raises((OSError, RuntimeError)):
        training.save_weights(model, path)
    assert list(tmp_path.iterdir()) == []


# --- the head of a notebook -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "on_colab", "words"),
    [
        ("cuda", True, ["GPU: Test GPU"]),
        ("mps", False, ["GPU: Apple's (MPS)"]),
        ("cpu", False, ["no GPU, 2 CPU threads"]),
        ("cpu", True, ["no GPU", "Runtime → Change runtime type → T4 GPU"]),
    ],
)
def test_the_runtime_is_described(device, on_colab, words, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Test GPU")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    if on_colab:
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    text = training.describe_runtime(torch.device(device))
    assert f"PyTorch {torch.__version__}" in text
    assert all(word in text for word in words)
    assert ("Change runtime type" in text) is (on_colab and device == "cpu")
    assert max(map(len, text.splitlines())) <= 100


def test_a_single_thread_is_one_thread(monkeypatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert training.describe_runtime(torch.device("cpu")).endswith("no GPU, 1 CPU thread")
