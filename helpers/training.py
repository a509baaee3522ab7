"""Seeds, device, the training loop and the evaluation. Taught in notebooks 05 and 06."""

import copy
import math
import platform
import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from helpers.storage import load_tensors, save_tensors


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
    """Return versions and hardware, for the head of a notebook.

    On Colab without a GPU, a second line names the clicks that get one.
    """
    if device.type == "cuda":
        hardware = f"GPU: {torch.cuda.get_device_name(device)}"
    elif device.type == "mps":
        hardware = "GPU: Apple's (MPS)"
    else:
        threads = torch.get_num_threads()
        hardware = f"no GPU, {threads} CPU thread{'s' if threads > 1 else ''}"
    versions = (
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, NumPy {np.__version__}"
    )
    line = f"{versions}; {hardware}"
    if device.type == "cpu" and "google.colab" in sys.modules:
        line += "\nA GPU is free here: Runtime → Change runtime type → T4 GPU, then run again."
    return line


def classification_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats of a batch.

    Parameters
    ----------
    logits : Tensor
        float32 [batch] for one logit (binary), or [batch, classes].
    targets : Tensor [batch]
        int64 class numbers.

    Raises
    ------
    ValueError
        If the shapes do not fit together.
    """
    _check_shapes(logits, targets)
    if logits.ndim == 1:
        return F.binary_cross_entropy_with_logits(logits, targets.float())
    return F.cross_entropy(logits, targets)


def _check_shapes(logits: Tensor, targets: Tensor) -> None:
    if logits.ndim not in (1, 2) or targets.shape != logits.shape[:1]:
        raise ValueError(
            "The loss takes logits [batch] or [batch, classes] and targets [batch], got "
            f"{tuple(logits.shape)} and {tuple(targets.shape)}. Does a squeeze() without an axis "
            "drop the batch axis of a batch of one?"
        )
    if logits.ndim == 2 and logits.shape[1] == 1:
        raise ValueError(
            f"One logit a sample has the shape [batch], got {tuple(logits.shape)}: end the model "
            "with squeeze(1). Cross-entropy over a single class is always 0."
        )


def mean_loss(losses: list[Tensor], sizes: list[int]) -> float:
    """Average the mean losses of batches over their samples.

    Parameters
    ----------
    losses : list of Tensor
        The mean loss of each batch (scalars, on any device).
    sizes : list of int
        How many samples each batch had.

    Raises
    ------
    ValueError
        If there are no samples.
    FloatingPointError
        If the mean is not a finite number.
    """
    if not sum(sizes):
        raise ValueError("The loader gave no samples: is its data set empty, or drop_last set?")
    mean = float(np.average(torch.stack(losses).tolist(), weights=sizes))
    if not math.isfinite(mean):
        raise FloatingPointError(
            f"The loss became {mean}. Try a lower learning rate, and look for inputs that are "
            "not finite."
        )
    return mean


def predicted_classes(logits: Tensor) -> Tensor:
    """Return the more probable class of each sample, int64 [batch]; no sigmoid is needed."""
    return (logits > 0).long() if logits.ndim == 1 else logits.argmax(dim=1)


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found, averaged over samples (not over batches).

    Parameters
    ----------
    loss : float
        Mean cross-entropy in nats.
    accuracy : float
        Share of samples whose predicted class is right.
    num_samples : int
        How many samples were evaluated.
    """

    loss: float
    accuracy: float
    num_samples: int

    @property
    def perplexity(self) -> float:
        """exp(loss): 1 is perfect, N is what guessing among N classes gives."""
        return math.exp(self.loss) if self.loss < 700 else math.inf


@dataclass
class History:
    """What `fit` saw, one entry an epoch.

    Parameters
    ----------
    train_loss : list of float
        Mean loss over the samples of the epoch, taken while training.
    validation : list of Evaluation
        On the validation loader after each epoch; empty without one.
    """

    train_loss: list[float] = field(default_factory=list)
    validation: list[Evaluation] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """Index (from 0) of the epoch with the lowest validation loss."""
        if not self.validation:
            raise ValueError("No validation results: give fit a validation_loader.")
        return int(np.argmin([evaluation.loss for evaluation in self.validation]))


def train_epoch(model: nn.Module, loader: Iterable, optimizer: torch.optim.Optimizer) -> float:
    """Train `model` on each batch of `loader` once.

    Parameters
    ----------
    model : nn.Module
        Takes the inputs of a batch, returns logits [batch] or [batch, classes].
    loader : iterable
        Gives ``(inputs, targets)``; inputs and targets have a ``to(device)``.
    optimizer : torch.optim.Optimizer
        Over the parameters of `model`.

    Returns
    -------
    float
        The mean loss over the samples.

    Raises
    ------
    ValueError
        If the loader is empty.
    FloatingPointError
        If the loss is no longer a finite number.
    """
    device = next(model.parameters()).device
    model.train()
    losses, sizes = [], []
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        loss = classification_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        sizes.append(len(targets))
    return mean_loss(losses, sizes)


@torch.no_grad()
def evaluate(model: nn.Module, loader: Iterable) -> Evaluation:
    """Evaluate `model` on all samples of `loader`, in evaluation mode and without gradients.

    Parameters and errors as in `train_epoch`. The model returns to the mode it was in.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    losses, sizes, hits = [], [], []
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        logits = model(inputs)
        losses.append(classification_loss(logits, targets))
        hits.append((predicted_classes(logits) == targets).sum())
        sizes.append(len(targets))
    model.train(was_training)
    loss = mean_loss(losses, sizes)
    return Evaluation(loss, int(torch.stack(hits).sum()) / sum(sizes), sum(sizes))


def fit(
    model: nn.Module,
    train_loader: Iterable,
    optimizer: torch.optim.Optimizer,
    num_epochs: int = 5,
    validation_loader: Iterable | None = None,
    patience: int | None = None,
    progress: bool = True,
) -> History:
    """Train for `num_epochs`, evaluating after each.

    Parameters
    ----------
    model, train_loader, optimizer
        As in `train_epoch`.
    num_epochs : int
        Epochs to train, at most.
    validation_loader : iterable, optional
        Evaluated after each epoch.
    patience : int, optional
        Early stopping: end when the validation loss has not improved for that many
        epochs, and give the model back the weights of its best epoch.
    progress : bool
        Show a progress bar.

    Raises
    ------
    ValueError
        If `patience` is given without a validation loader or is below 1, or a loader
        is empty.
    FloatingPointError
        If the loss is no longer a finite number.
    """
    if patience is not None and (validation_loader is None or patience < 1):
        raise ValueError("Early stopping needs a validation_loader and a patience of at least 1.")
    history = History()
    best_weights = None
    bar = tqdm(range(num_epochs), unit="epoch", leave=False, disable=not progress)
    for epoch in bar:
        history.train_loss.append(train_epoch(model, train_loader, optimizer))
        bar.set_postfix(train_loss=f"{history.train_loss[-1]:.4f}")
        if validation_loader is None:
            continue
        history.validation.append(evaluate(model, validation_loader))
        if patience is None:
            continue
        if history.best_epoch == epoch:
            best_weights = copy.deepcopy(model.state_dict())
        elif epoch - history.best_epoch >= patience:
            break
    if best_weights is not None:
        model.load_state_dict(best_weights)
    return history


def save_weights(model: nn.Module, path: str | Path) -> None:
    """Write the model's parameters (nothing else) to `path`, in one step."""
    save_tensors(model.state_dict(), path)


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Read parameters that `save_weights` wrote into `model`, which has the same layers.

    Raises
    ------
    OSError
        If the file does not exist (FileNotFoundError) or cannot be read.
    ValueError
        If the file holds no weights, or those of another model; `model` stays as
        it was.
    """
    weights = load_tensors(path)
    try:
        _check_weights(weights, model.state_dict())
    except ValueError as error:
        raise ValueError(
            f"{path} does not hold the weights of this {type(model).__name__}: {error}"
        ) from error
    model.load_state_dict(weights)


def _check_weights(weights: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Compare names and shapes first: load_state_dict raises when half is overwritten."""
    if weights.keys() != expected.keys():
        raise ValueError(f"expected {', '.join(expected)}, found {', '.join(weights)}")
    for name, tensor in expected.items():
        if weights[name].shape != tensor.shape:
            raise ValueError(
                f"{name} is {list(weights[name].shape)} in the file, {list(tensor.shape)} here"
            )
