"""Seeds, device, the training loop and the evaluation. Taught in notebooks 05 and 06."""

import copy
import math
import platform
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adagrad, Optimizer, SparseAdam
from tqdm import tqdm

from helpers.storage import load_tensors, save_tensors

Loss = Callable[[Tensor, Tensor], Tensor]  # mean over the outputs and targets of a batch
Score = Callable[[Tensor, Tensor], float]  # of all outputs and targets; tells more than a loss


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and PyTorch (every device)."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries still draw from the global generator
    torch.manual_seed(seed)


def pick_device() -> torch.device:
    """Return CUDA if there is a GPU, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe_runtime(device: torch.device) -> str:
    """Return versions and hardware (on Colab, how to get a GPU), for the head of a notebook."""
    count = torch.get_num_threads()
    hardware = f"no GPU, {count} CPU thread{'s' if count > 1 else ''}"
    if device.type != "cpu":
        gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else "Apple's (MPS)"
        hardware = f"GPU: {gpu}"
    versions = f"Python {platform.python_version()}, PyTorch {torch.__version__}"
    line = f"{versions}, NumPy {np.__version__}; {hardware}"
    if device.type == "cpu" and "google.colab" in sys.modules:
        line += "\nA GPU is free here: Runtime → Change runtime type → T4 GPU, then run again."
    return line


def classification_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy [nats] of logits [batch] (binary) or [batch, classes], targets [batch]."""
    _check_classes(logits, targets)
    if logits.ndim == 1:
        return F.binary_cross_entropy_with_logits(logits, targets.float())
    return F.cross_entropy(logits, targets)


def _check_classes(logits: Tensor, targets: Tensor) -> None:
    _check_shapes(logits, targets)
    if targets.device.type != "cpu" or not len(targets):
        return  # a GPU would have to wait after every batch
    num_classes = 2 if logits.ndim == 1 else logits.shape[1]
    low, high = (bound.item() for bound in targets.aminmax())  # 3 µs; comparing tensors: 19 µs
    if low < 0 or high >= num_classes:
        raise ValueError(
            f"The labels of {num_classes} classes are 0 to {num_classes - 1}, got {low:g} to "
            f"{high:g}. Number the classes from 0, or give the model an output for each."
        )


def _check_shapes(outputs: Tensor, targets: Tensor) -> None:
    """Refuse what a loss would broadcast. Whole numbers are classes, one a sample."""
    is_class = not targets.is_floating_point()
    column = outputs.ndim == 2 and outputs.shape[1] == 1 and targets.ndim == 1
    expected = outputs.shape[:1] if is_class else outputs.shape
    if column or targets.shape != expected or outputs.ndim == 0 or (is_class and outputs.ndim > 2):
        raise ValueError(
            f"Outputs {tuple(outputs.shape)} do not go with {targets.dtype} targets "
            f"{tuple(targets.shape)}. Class numbers are [batch], float targets have the outputs' "
            "shape. A model with one output ends with squeeze(1): squeeze() drops a batch of 1."
        )


def mean_loss(losses: list[Tensor], sizes: list[int]) -> float:
    """Average the mean losses of batches over their samples; an error if it is not finite."""
    if not sum(sizes):
        raise ValueError("The loader gave no samples: is its data set empty, or drop_last set?")
    mean = float(np.average(torch.stack(losses).tolist(), weights=sizes))
    if not math.isfinite(mean):
        raise FloatingPointError(
            f"The loss became {mean}: too high a learning rate? Inputs not finite?"
        )
    return mean


def predicted_classes(logits: Tensor) -> Tensor:
    """Return the more probable class of each sample, int64 [batch]; no sigmoid is needed."""
    return (logits > 0).long() if logits.ndim == 1 else logits.argmax(dim=1)


def accuracy_of(logits: Tensor, targets: Tensor) -> float:
    """Share of samples whose predicted class is right."""
    return int((predicted_classes(logits) == targets).sum()) / len(targets)


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found, averaged over samples (not over batches)."""

    loss: float  # mean cross-entropy in nats, unless another loss was asked for
    score: float  # accuracy, unless another score was asked for
    num_samples: int

    @property
    def accuracy(self) -> float:
        """The default score by its own name."""
        return self.score

    @property
    def perplexity(self) -> float:
        """exp(loss): 1 is perfect, N is what guessing among N classes gives."""
        return math.exp(self.loss) if self.loss < 700 else math.inf


@dataclass
class History:
    """What `fit` saw, one entry an epoch: the mean loss while training, and evaluations after."""

    train_loss: list[float] = field(default_factory=list)
    validation: list[Evaluation] = field(default_factory=list)
    watched: list[Evaluation] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """Index (from 0) of the epoch with the lowest validation loss."""
        if not self.validation:
            raise ValueError("No validation results: give fit a validation_loader.")
        return int(np.argmin([evaluation.loss for evaluation in self.validation]))


def train_epoch(
    model: nn.Module, loader: Iterable, optimizer: Optimizer, loss: Loss = classification_loss
) -> float:
    """Train `model` on each batch of `loader` once; return the mean loss over the samples.

    `loader` gives ``(inputs, targets)``, both with a ``to(device)``. A ValueError if there are
    no samples, outputs and targets do not fit, or the optimizer can't use sparse gradients; a
    FloatingPointError if the loss is no longer finite.
    """
    device = next(model.parameters()).device
    model.train()
    losses, sizes = [], []
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        outputs = model(inputs)
        _check_shapes(outputs, targets)
        batch_loss = loss(outputs, targets)
        if not batch_loss.requires_grad:
            raise ValueError("Nothing is trained: frozen, or adapters merged or disabled.")
        optimizer.zero_grad()
        batch_loss.backward()
        _check_gradients(optimizer)
        optimizer.step()
        losses.append(batch_loss.detach())
        sizes.append(len(targets))
    return mean_loss(losses, sizes)


def _check_gradients(optimizer: Optimizer) -> None:
    """Say what to do about sparse gradients, where an optimizer's own error would not."""
    groups = optimizer.param_groups
    sparse = any(p.grad is not None and p.grad.is_sparse for g in groups for p in g["params"])
    able = isinstance(optimizer, SGD | Adagrad | SparseAdam)
    if sparse and not (able and not any(g.get("weight_decay") or g.get("fused") for g in groups)):
        raise ValueError(
            f"{type(optimizer).__name__} with these settings can't use sparse gradients, nor can "
            "clip_grad_norm_: build the model with sparse_grad=False, or train it by plain SGD."
        )


@torch.no_grad()
def evaluate(
    model: nn.Module, loader: Iterable, loss: Loss = classification_loss, score: Score = accuracy_of
) -> Evaluation:
    """Evaluate `model` on all of `loader`, then put it back in the mode it was in."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    batches, losses = [], []
    try:
        for inputs, targets in loader:
            outputs, targets = model(inputs.to(device)), targets.to(device)
            _check_shapes(outputs, targets)
            batches.append((outputs, targets))
            losses.append(loss(outputs, targets))
    finally:
        model.train(was_training)
    mean = mean_loss(losses, [len(targets) for _, targets in batches])
    outputs, targets = map(torch.cat, zip(*batches, strict=True))
    return Evaluation(mean, score(outputs, targets), len(targets))


def fit(
    model: nn.Module,
    train_loader: Iterable,
    optimizer: Optimizer,
    num_epochs: int = 5,
    validation_loader: Iterable | None = None,
    patience: int | None = None,
    progress: bool = True,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    loss: Loss = classification_loss,
    score: Score = accuracy_of,
    watch_loader: Iterable | None = None,
    history: History | None = None,
) -> History:
    """Train for `num_epochs` at most, evaluating after each; errors as in `train_epoch`.

    With `patience`, training ends when the validation loss has not improved for so many
    epochs, and the model gets the weights of its best epoch back, after an interruption too.
    `scheduler` steps after each epoch; what is watched has no influence. Whoever gives an
    empty `history` has what was seen before an interruption.
    """
    if patience is not None and (validation_loader is None or patience < 1):
        raise ValueError("Early stopping needs a validation_loader and a patience of at least 1.")
    if history not in (None, History()):
        raise ValueError("The history is not empty: give each training one of its own.")
    history, best_weights = history or History(), None
    bar = tqdm(range(num_epochs), unit="epoch", leave=False, disable=not progress)
    try:
        for epoch in bar:
            history.train_loss.append(train_epoch(model, train_loader, optimizer, loss))
            bar.set_postfix(train_loss=f"{history.train_loss[-1]:.4f}")
            if scheduler is not None:
                scheduler.step()
            if watch_loader is not None:
                history.watched.append(evaluate(model, watch_loader, loss, score))
            if validation_loader is not None:
                history.validation.append(evaluate(model, validation_loader, loss, score))
            if patience is None:
                continue
            if history.best_epoch == epoch:
                best_weights = copy.deepcopy(model.state_dict())
            elif epoch - history.best_epoch >= patience:
                break
    finally:
        if best_weights is not None:
            model.load_state_dict(best_weights)
    return history


def paired_interval(new: Sequence[float], old: Sequence[float]) -> tuple[float, float]:
    """Return the mean difference of scores of the same splits, and half its 95 % interval (t)."""
    from scipy import stats  # here, because it takes long to import

    if len(new) != len(old) or len(new) < 2:
        raise ValueError(f"Two splits at least, the same for both: {len(new)} new, {len(old)} old.")
    differences = np.subtract(new, old)
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean(), stats.t.ppf(0.975, len(differences) - 1) * error


def save_weights(model: nn.Module, path: str | Path) -> None:
    """Write the model's parameters (nothing else) to `path`, in one step."""
    save_tensors(model.state_dict(), path)


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Read into `model` what `save_weights` wrote; after any error the model is as before."""
    weights = load_tensors(path)
    try:
        copy.deepcopy(model).load_state_dict(weights)  # what fails half way fails on a copy
    except RuntimeError as error:
        raise ValueError(f"{path} does not hold the weights of this model: {error}") from error
    model.load_state_dict(weights)
