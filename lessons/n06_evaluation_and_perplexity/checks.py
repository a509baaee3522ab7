"""Answer checks of notebook 06 · Evaluation and perplexity."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from helpers.datasets import Bags
from helpers.training import evaluate, train_epoch
from lessons.exercises import Checks, Wrong
from lessons.framework import (
    all_close,
    as_number,
    as_numbers,
    call,
    call_for_number,
    choose,
    close,
    require,
    with_parameters,
)

check = exercise = Checks()

_SCORES = "return 3 numbers: loss, perplexity, accuracy."
_EPOCHS = "return 2 numbers: the last epoch trained, the best epoch."


class _Echo(nn.Module):
    """Its logits are its inputs, with the wrong sign while training; it notes its state.

    For Bags, the logit of a review is its number of tokens − 1.5.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))
        self.states: list[tuple[bool, bool]] = []

    def forward(self, inputs: torch.Tensor | Bags) -> torch.Tensor:
        self.states.append((self.training, torch.is_grad_enabled()))
        logits = inputs.offsets.diff() - 1.5 if isinstance(inputs, Bags) else inputs
        return -logits if self.training else logits


def _loader(
    inputs: torch.Tensor, targets: torch.Tensor, batch_size: int, drop_last: bool = False
) -> DataLoader:
    order = torch.Generator()  # its own, so that the reader's random numbers stay as they are
    data = TensorDataset(inputs, targets)
    return DataLoader(data, batch_size, drop_last=drop_last, generator=order)


def _bags(batch_size: int) -> tuple[Bags, torch.Tensor]:
    """Return a batch as the course's loaders give it: reviews of 0, 1, 2, … tokens, class 1."""
    offsets = torch.arange(batch_size + 1).cumsum(0) - torch.arange(batch_size + 1)
    ids = torch.zeros(int(offsets[-1]), dtype=torch.int32)
    return Bags(ids, offsets.int()), torch.ones(batch_size, dtype=torch.int64)


@exercise("VI.1.a")
def vi_1_a(count_samples: Callable) -> None:
    """Check count_samples(loader) → number of samples in all batches."""

    def loader(drop_last: bool = False) -> DataLoader:
        return _loader(torch.zeros(10, 2), torch.zeros(10, dtype=torch.int64), 4, drop_last)

    answer = call_for_number(count_samples, loader())
    require(answer != 3, "that is the number of batches. How many samples do they hold?")
    require(answer != 6, "each batch is a pair (inputs, targets), so its length is always 2.")
    require(
        answer != 12,
        "batches × batch size is too much: the last batch need not be full.",
    )
    require(answer != 8, "the last batch is missing: it is smaller, but it counts.")
    require(
        answer != 20,
        "that counts every number of the inputs. How many *samples* arrive, one target each?",
    )
    require(answer == 10, f"a loader over 10 samples, 4 a batch, visits 10, not {answer:g}.")
    answer = call_for_number(count_samples, loader(drop_last=True))
    require(
        answer != 10,
        "with drop_last the loader hands out fewer samples than its data set holds. Count what "
        "really arrives.",
    )
    require(answer == 8, "with drop_last, 10 samples and 4 a batch, two batches arrive.")
    try:
        answer = call_for_number(count_samples, [_bags(5)])
    except AttributeError as error:
        raise Wrong(
            f"{error}. Look only at the pairs that the loader gives. Their inputs need not be one "
            "tensor; the targets are."
        ) from error
    require(
        answer == 5,
        "right for inputs that are one tensor. Here they are Bags, two lists of numbers, so their "
        "length is not that of the batch.",
    )
    try:
        answer = call_for_number(count_samples, [])
    except (RuntimeError, ValueError, IndexError, NameError) as error:
        raise Wrong(f"a loader may have no batch at all; your code stops there: {error}") from error
    require(answer == 0, "a loader without any batch visits 0 samples.")


@exercise("VI.1.b")
def vi_1_b(reason: str) -> None:
    """Check what happens without eval() (a letter)."""
    choose(
        reason,
        right="d",
        hints={
            "a": "all_logits ran under no_grad in both modes, and yet the accuracies of the one "
            "mode differed.",
            "b": "weights change in optimizer.step() alone, and nobody calls it here.",
            "c": "that is what happens without the *other* switch.",
        },
    )


@exercise("VI.1.c")
def vi_1_c(predicted_classes: Callable) -> None:
    """Check predicted_classes(logits) → int64 [batch], for one logit and for several."""
    logits = torch.tensor([4.0, 1.0, -0.5, -100.0, 100.0, 0.3])
    try:
        classes = call(predicted_classes, logits)
    except IndexError as error:
        raise Wrong(
            "logits [batch] have no second axis: with one logit a sample, nothing is compared "
            "along the classes. What decides then?"
        ) from error
    require(isinstance(classes, torch.Tensor), "return a tensor of class numbers.")
    require(tuple(classes.shape) == (6,), "for logits [batch], return one class a sample: [batch].")
    classes = classes.tolist()
    require(set(classes) <= {0, 1}, "only 0 and 1 are classes; yours contain other numbers.")
    require(
        classes != [0, 0, 1, 1, 0, 0], "the classes are swapped: a positive logit means class 1."
    )
    require(
        classes != [1, 1, 0, 0, 1, 0],
        "you compare the *logits* with 0.5. The sigmoid crosses 0.5 at another place.",
    )
    require(
        classes != [0, 0, 0, 0, 1, 0],
        "moderate logits have lost their class beside a large one. Did you divide by the largest? "
        "The class of a review must not depend on its neighbours in the batch.",
    )
    require(
        classes == [1, 1, 0, 0, 1, 1],
        "for each sample: which of the two classes has a probability above one half?",
    )
    require(
        call(predicted_classes, torch.tensor([-1.0, -4.0])).tolist() == [0, 0],
        "in a batch of negative reviews alone nothing is positive. Did you rescale by the largest "
        "logit?",
    )
    require(
        call(predicted_classes, torch.tensor([1e-9])).tolist() == [1],
        "a logit of 1e-9 lies above 0, but its sigmoid is rounded to exactly 0.5. You need no "
        "sigmoid.",
    )
    require(
        call(predicted_classes, logits).dtype == torch.int64,
        "the targets are class numbers, int64. Yours are another type: convert.",
    )
    _compare_several_classes(predicted_classes)


def _compare_several_classes(predicted_classes: Callable) -> None:
    logits = torch.tensor([[0.1, 0.3, 0.2], [-1.0, -3.0, -2.0]])
    classes = call(predicted_classes, logits)
    require(
        isinstance(classes, torch.Tensor),
        "for logits [batch, classes], return a tensor of class numbers. (With an axis, max gives "
        "two things, values and indices. The class is the index.)",
    )
    require(
        tuple(classes.shape) != (2, 1),
        "for logits [batch, classes], the shape of yours is [batch, 1]; [batch] is wanted.",
    )
    require(
        tuple(classes.shape) != (2, 3),
        "for logits [batch, classes], several logits of one sample can be positive, but it has "
        "one class: which logit wins?",
    )
    require(
        classes.tolist() != logits.amax(dim=1).tolist(),
        "those are the largest logits themselves. The class is where they stand.",
    )
    require(
        tuple(classes.shape) == (2,) and classes.tolist() == [1, 0],
        "for logits [batch, classes], look for the largest logit of each *sample*: along which "
        "axis?",
    )
    require(
        call(predicted_classes, torch.tensor([[1e-9, 2e-9], [2e-9, 1e-9]])).tolist() == [1, 0],
        "of the logits 1e-9 and 2e-9 the second is larger, but their probabilities are rounded to "
        "the same number. You need no softmax.",
    )
    require(
        tuple(call(predicted_classes, logits[:1]).shape) == (1,),
        "a batch of one sample still has a batch axis.",
    )
    require(
        tuple(call(predicted_classes, logits[:, 0][:0]).shape) == (0,),
        "an empty batch has no classes, but no error either.",
    )


@exercise("VI.2.a")
def vi_2_a(perplexity: Callable) -> None:
    """Check perplexity(probabilities of the truth) → exp of the mean of −ln p."""
    answer = _mean_perplexity(perplexity, torch.full((4,), 0.5))
    require(
        not close(answer, 0.5, 1e-4),
        "a perplexity below 1 is impossible, and this one is 0.5: is a minus sign lost?",
    )
    require(
        not close(answer, math.log(2), 1e-4),
        "that is the cross-entropy. One function is missing between it and the perplexity.",
    )
    require(
        not any(
            close(answer, mixed, 1e-4)
            for mixed in (2 ** math.log(2), math.e, math.exp(math.log10(2)))
        ),
        "logarithm and power need the same base. This mixes two of them.",
    )
    require(
        not close(answer, 1 + math.exp(-0.5), 1e-4),
        "`truth` holds probabilities, not logits.",
    )
    require(
        not close(answer, 16, 1e-4),
        "that grows with the number of samples: a sum stands where a mean belongs.",
    )
    require(
        answer >= 1,
        f"a perplexity below 1 is impossible, but yours is {answer:.4g} where every p is 0.5.",
    )
    require(close(answer, 2, 1e-4), "where every probability is 0.5, −ln p is the same for all.")
    answer = call_for_number(perplexity, torch.tensor([0.5, 0.125]))
    require(
        not close(answer, 5, 1e-4),
        "that is the mean of 1/p, sample by sample. The mean comes before the exponential.",
    )
    require(
        not close(answer, 3.2, 1e-4),
        "that is 1 over the mean probability. Take the logarithms first, then their mean.",
    )
    require(
        not close(answer, math.sqrt(16 / 7), 1e-4),
        "`truth` holds the probabilities of the *right* classes already: no 1 − p is needed.",
    )
    require(close(answer, 4, 1e-4), "for p = 0.5 and 0.125 the mean of −ln p is ln 4.")
    answer = call_for_number(perplexity, torch.tensor([1.0]))
    require(close(answer, 1), "one sample, predicted for certain: nothing to hesitate about.")


def _mean_perplexity(perplexity: Callable, truth: torch.Tensor) -> float:
    """Call the reader's function, and say so if it averages nothing."""
    missing = "this is a tensor with several values: where is the mean?"
    try:
        answer = call(perplexity, truth)
    except (RuntimeError, TypeError, ValueError) as error:
        if "converted to" in str(error):  # math.exp of several values
            raise Wrong(missing) from error
        raise
    require(math.prod(getattr(answer, "shape", ())) == 1, missing)
    return as_number(answer)


@exercise("VI.2.b")
def vi_2_b(guessing_perplexity: Callable) -> None:
    """Check guessing_perplexity(num_classes)."""
    for num_classes in (4, 2, 1, 1_000):
        try:
            answer = call_for_number(guessing_perplexity, num_classes)
        except (RuntimeError, ValueError) as error:
            raise Wrong(
                f"{error} (The loss takes logits of shape [1, num_classes] and a target of shape "
                "[1].)"
            ) from error
        require(
            num_classes == 1 or not close(answer, 1 / num_classes, 1e-4),
            f"for {num_classes} classes you get {answer:.4g}. That is the probability of guessing "
            "right; a perplexity below 1 is impossible.",
        )
        require(
            num_classes == 1 or not close(answer, math.log(num_classes), 1e-4),
            f"for {num_classes} classes you get {answer:.4g}. That is the cross-entropy, not yet "
            "the perplexity.",
        )
        require(
            num_classes == 1 or not close(answer, 2 ** math.log(num_classes), 1e-4),
            f"for {num_classes} classes you get {answer:.4g}. That mixes bases: the loss has the "
            "natural logarithm.",
        )
        require(
            close(answer, num_classes, 1e-4),
            f"for {num_classes} classes with equal logits, {answer:.4g} is not the perplexity. "
            "Start from CrossEntropyLoss.",
        )


@exercise("VI.2.c")
def vi_2_c(perfect_perplexity: float) -> None:
    """Check the perplexity of a perfect model."""
    answer = as_number(perfect_perplexity)
    if close(answer, 1):
        return
    require(answer != 0, "0 is its loss. The perplexity is e to the power of the loss.")
    require(
        math.isfinite(answer), "the best model is not the one that hesitates between most answers."
    )
    require(answer >= 1, "a perplexity below 1 is impossible: no probability is larger than 1.")
    raise Wrong("between how many answers does somebody hesitate who knows?")


@exercise("VI.3.a")
def vi_3_a(evaluate_model: Callable) -> None:
    """Check evaluate_model(model, loader) → (loss, perplexity, accuracy), over samples."""
    batches = [([0.3, -1.0, 3.0, -0.5], [1, 0, 0, 1]), ([-4.0], [1])]
    logits, targets = (torch.tensor([*batches[0][i], *batches[1][i]]) for i in (0, 1))
    losses = [  # of each sample, by hand: ln(1 + e^−z) for the truth 1, ln(1 + e^z) for 0
        [math.log1p(math.exp(-z if y else z)) for z, y in zip(*batch, strict=True)]
        for batch in batches
    ]
    means = [sum(batch) / len(batch) for batch in losses]
    model = _Echo()
    answer = call(evaluate_model, model, _loader(logits, targets, 4))
    numbers = as_numbers(answer, 3, _SCORES)
    require(
        not any(training for training, _ in model.states),
        "the model computed in training mode: which of the two switches is missing, or comes "
        "too late?",
    )
    require(
        not any(grad for _, grad in model.states),
        "PyTorch built a graph for every batch: which of the two switches is missing? (In a line "
        "of its own it does nothing: it works as a `with` block or as a decorator.)",
    )
    loss = (means[0] * 4 + means[1]) / 5
    right = [loss, math.exp(loss), 0.4]
    require(
        all_close(numbers, right, 1e-4) or not all_close(sorted(numbers), sorted(right), 1e-4),
        "the right three numbers in another order: loss, perplexity, accuracy.",
    )
    _compare_loss(numbers[0], means)
    _compare_perplexity(numbers[1], losses, means)
    _compare_accuracy(numbers[2])
    answer = call(evaluate_model, _Echo(), _loader(logits[4:], targets[4:], 4))
    loss, _, accuracy = as_numbers(answer, 3, _SCORES)
    require(
        close(loss, means[1], 1e-4) and close(accuracy, 0),
        "a single batch with a single sample is an evaluation, too.",
    )
    answer = call(evaluate_model, _Echo(), _loader(logits, targets, 4, drop_last=True))
    require(
        all_close(as_numbers(answer, 3, _SCORES), [means[0], math.exp(means[0]), 0.5], 1e-4),
        "with drop_last the loader hands out fewer samples than its data set holds. Divide by "
        "what really arrives, as VI.1.a counts it.",
    )
    _compare_on_bags(evaluate_model)


def _compare_on_bags(evaluate_model: Callable) -> None:
    """Compare on two batches: 4 reviews with logits −1.5 to 1.5, and a review with −1.5."""
    try:
        answer = call(evaluate_model, _Echo(), [_bags(4), _bags(1)])
    except AttributeError as error:
        raise Wrong(
            f"{error}. Right for inputs that are one tensor; here they are Bags. The targets are "
            "always one tensor."
        ) from error
    loss = sum(math.log1p(math.exp(-logit)) for logit in (-1.5, -0.5, 0.5, 1.5, -1.5)) / 5
    require(
        all_close(as_numbers(answer, 3, _SCORES), [loss, math.exp(loss), 0.4], 1e-4),
        "right for inputs that are one tensor. Here they are Bags, two lists of numbers, so their "
        "length is not that of the batch. Count the targets, as in VI.1.a.",
    )


def _compare_loss(loss: float, means: list[float]) -> None:
    require(
        not close(loss, means[1], 1e-4), "that is the loss of the last batch: one sample's word."
    )
    require(
        not close(loss, sum(means) / 2, 1e-4),
        "that is the mean over *batches*. The last one is smaller, yet it counts as much as the "
        "other.",
    )
    require(
        not close(loss, means[0] * 4 + means[1], 1e-4), "that is a sum over all samples, no mean."
    )
    require(
        not close(loss, sum(means) / 5, 1e-4),
        "each batch loss is a mean already: before adding up it must become a sum again.",
    )
    require(
        close(loss, (means[0] * 4 + means[1]) / 5, 1e-4),
        "the loss is the mean over all samples: each batch counts by its size.",
    )


def _compare_perplexity(perplexity: float, losses: list[list[float]], means: list[float]) -> None:
    expected = math.exp((means[0] * 4 + means[1]) / 5)
    require(perplexity >= 1, "a perplexity below 1 is impossible: is a minus sign lost?")
    averaged = (sum(map(math.exp, means)) / 2, (4 * math.exp(means[0]) + math.exp(means[1])) / 5)
    require(
        not any(close(perplexity, wrong, 1e-4) for wrong in averaged),
        "that is a mean of the batches' perplexities. Average the loss first; exp comes last.",
    )
    of_samples = sum(math.exp(loss) for batch in losses for loss in batch) / 5
    require(
        not close(perplexity, of_samples, 1e-4),
        "that is a mean of the samples' perplexities. Average the loss first; exp comes last.",
    )
    require(
        not close(perplexity, math.exp(means[1]), 1e-4),
        "that is the perplexity of the last batch.",
    )
    require(close(perplexity, expected, 1e-4), "the perplexity is exp of the loss.")


def _compare_accuracy(accuracy: float) -> None:
    require(
        not close(accuracy, 2) and not close(accuracy, 40, 1e-4),
        "that is a number of right answers, or a percentage. Give a share between 0 and 1.",
    )
    require(
        not close(accuracy, 0.25, 1e-4),
        "that is the mean of the batches' accuracies, but the last batch is smaller. Count "
        "samples.",
    )
    require(not close(accuracy, 0.6, 1e-4), "that is the share of *wrong* predictions.")
    require(
        not close(accuracy, 0.2, 1e-4),
        "a small positive logit was not called positive. Did you compare logits with 0.5?",
    )
    require(
        close(accuracy, 0.4, 1e-4),
        f"2 of 5 predictions are right, but you say {accuracy:g}. Is the class found by the rule "
        "of VI.1.c?",
    )


@exercise("VI.3.b")
def vi_3_b(train_and_watch: Callable) -> None:
    """Check train_and_watch(...) → [(Evaluation on train, on validation)], one an epoch."""
    inputs = torch.tensor([[2.0, 1.0], [1.0, -1.0], [-1.0, 0.5], [-2.0, -1.0], [0.5, 2.0]])
    targets = torch.tensor([1, 1, 0, 0, 1])
    train_loader = [(inputs[:3], targets[:3]), (inputs[3:], targets[3:])]
    validation_loader = [(-0.5 * inputs[:4], targets[:4])]

    def expected(on: list, num_epochs: int) -> list[tuple[float, float]]:
        model, optimizer = _tiny_classifier()
        found = [(evaluate(model, train_loader).loss, evaluate(model, validation_loader).loss)]
        for _ in range(num_epochs):
            train_epoch(model, on, optimizer)
            on_train = evaluate(model, train_loader).loss
            found.append((on_train, evaluate(model, validation_loader).loss))
        return found  # before training, and after each epoch

    model, optimizer = _tiny_classifier()
    rows = call(train_and_watch, model, train_loader, validation_loader, optimizer, 3)
    require(
        isinstance(rows, list | tuple) and len(rows) == 3,
        "return a list with one entry for each of the 3 epochs.",
    )
    require(
        all(isinstance(row, tuple | list) and len(row) == 2 for row in rows),
        "each entry is a pair: evaluation on train, evaluation on validation.",
    )
    require(
        all(hasattr(entry, "loss") and hasattr(entry, "accuracy") for row in rows for entry in row),
        "both parts of a pair come from `evaluate`. (What train_epoch returns is a loss gathered "
        "while the weights were changing.)",
    )
    answer = [(on_train.loss, on_validation.loss) for on_train, on_validation in rows]
    right = expected(train_loader, 3)
    require(
        not _all_pairs_close(answer, [row[::-1] for row in right[1:]]),
        "the pairs are swapped: train comes first.",
    )
    require(
        not _all_pairs_close(answer, right[:3]),
        "your first entry belongs to the untrained model: evaluate *after* the epoch.",
    )
    require(
        not _all_pairs_close(answer, expected(validation_loader, 3)[1:]),
        "the model learned from the validation batches. They are for looking only.",
    )
    require(
        not _all_pairs_close(answer, expected([*train_loader, *validation_loader], 3)[1:]),
        "the model learned from the validation batches, too. They are for looking only.",
    )
    require(
        not _all_pairs_close(answer, [right[0]] * 3),
        "all evaluations are those of the untrained model: was it ever trained?",
    )
    require(
        answer[0] != answer[1] and answer[1] != answer[2],
        "two epochs have the same evaluation: evaluate after every epoch, not once at the end.",
    )
    require(
        _all_pairs_close(answer, right[1:]),
        "for each epoch: train on the train batches once, then evaluate on both loaders.",
    )


def _tiny_classifier() -> tuple[nn.Module, torch.optim.Optimizer]:
    model = nn.Sequential(with_parameters(nn.Linear, 2, 1), nn.Flatten(0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.1)
    return model, torch.optim.SGD(model.parameters(), lr=0.5)


def _all_pairs_close(pairs: Sequence, expected: Sequence) -> bool:
    return all(all_close(*both, 1e-4) for both in zip(pairs, expected, strict=True))


@exercise("VI.4.a")
def vi_4_a(reason: str) -> None:
    """Check what the score of 100 % shows (a letter)."""
    choose(
        reason,
        right="a",
        hints={
            "b": "overfitting makes a model *worse* on reviews that it has not seen. These it had "
            "not seen.",
            "c": "if fewer reviews made better models, nobody would collect more. What is special "
            "about these?",
            "d": "select(range(1_000)) and select(range(1_000, 2_000)) share no review.",
        },
    )


@exercise("VI.4.b")
def vi_4_b(when_to_stop: Callable) -> None:
    """Check when_to_stop(losses, patience) → (last epoch trained, best epoch)."""
    losses = [0.9, 0.5, 0.6, 0.4, 0.45, 0.47, 0.43, 0.46, 0.48, 0.49, 0.3]
    answer = as_numbers(call(when_to_stop, losses, 3), 2, _EPOCHS)
    require(
        answer != (2, 1),
        "you stop at the first epoch that is worse. What is the patience for?",
    )
    require(
        10 not in answer,
        "you know the future: the best of *all* losses comes after training has stopped. Count "
        "the epochs since the best one so far.",
    )
    require(
        answer not in ((9, 3), (9, 6)),
        "you compare with the previous epoch. An epoch that is better than the one before it, but "
        "no new best, does not start the count again.",
    )
    require(answer != (6, 6), "the weights to keep are those of the best epoch, not of the last.")
    require(answer != (3, 6), "the two numbers are swapped: last epoch first.")
    require(answer != (7, 4), "epochs count from 0, as in `losses[0]`.")
    require(
        answer != (7, 3),
        "one epoch too late: with a patience of 3, the third epoch without a new best is the last.",
    )
    require(
        answer not in ((5, 3), (4, 3), (3, 3)),
        "too early: with a patience of 3, three epochs in a row may fail to improve before it "
        "ends, and every new best starts the count again.",
    )
    require(
        answer == (6, 3),
        f"for {losses} and a patience of 3, ({answer[0]:g}, {answer[1]:g}) is wrong. Walk through "
        "it by hand.",
    )
    _compare_short_trainings(when_to_stop)


def _compare_short_trainings(when_to_stop: Callable) -> None:
    def stop(losses: list[float], patience: int) -> tuple[float, ...]:
        answer = when_to_stop(losses, patience)
        require(answer is not None, "nothing is returned when the losses run out.")
        return as_numbers(answer, 2, _EPOCHS)

    require(
        stop([0.5, 0.6, 0.4, 0.5], 1) == (1, 0),
        "with a patience of 1, the first epoch that is worse is the last.",
    )
    answer = stop([0.5, 0.4, 0.45], 5)
    require(answer[0] != 3, "epochs count from 0, so the number of the last is len(losses) - 1.")
    require(
        answer not in ((2, -3), (2, 0)),
        "remember the best epoch as you walk; do not compute it from the patience.",
    )
    require(
        answer == (2, 1),
        "when the epochs run out first, the last one is the last, and the best one is still kept.",
    )
    require(
        stop([0.5, 0.5, 0.5, 0.5], 2) == (2, 0),
        "an equal loss is no improvement.",
    )
    require(stop([0.7], 2) == (0, 0), "one epoch is the last and the best.")
