"""Answer checks of notebook 11 · Tabular data: abalone, regression."""

import math
from collections.abc import Callable

import numpy as np
import torch

from lessons.exercises import Checks, Wrong
from lessons.framework import as_numbers, call, call_for_number, choose, close, require

check = exercise = Checks()


@exercise("13.1")
def ex_13_1(constant_mse: Callable) -> None:
    """Check constant_mse(train_targets, other_targets) → MSE of predicting the train mean."""
    train, other = torch.tensor([2.0, 4.0, 9.0]), torch.tensor([3.0, 11.0])
    answer = call_for_number(constant_mse, train, other)
    require(
        not close(answer, 16) and not close(answer, 32),
        "that predicts the mean of the *others*, which nobody knows beforehand.",
    )
    require(
        not close(answer, 26 / 3) and not close(answer, 13),
        "that is the MSE on train itself. The errors on the others are asked.",
    )
    require(
        not close(answer, 17.44, 1e-4),
        "that predicts the mean of all animals, but those of the other part are not known "
        "beforehand.",
    )
    require(not close(answer, 40), "that is the sum of the squared errors, not yet their mean.")
    require(
        not close(answer, math.sqrt(20)), "that is the root of the MSE. Leave the square in it."
    )
    require(
        not close(answer, 4),
        "those are absolute errors (or squared after the mean). Square each error first.",
    )
    require(
        not close(answer, 25),
        "that predicts the median of train. It is best for the MAE; for the MSE it is the mean.",
    )
    require(close(answer, 20), "predict the mean of train; average the squared errors on others.")
    require(
        close(call_for_number(constant_mse, train, torch.tensor([5.0])), 0),
        "a single target that equals the mean of train has no error.",
    )


@exercise("13.2")
def ex_13_2(strict_mse: Callable) -> None:
    """Check strict_mse(predictions, targets) → scalar tensor, an error for unequal shapes."""
    predictions = torch.tensor([1.0, 5.0, 2.0], requires_grad=True)
    targets = torch.tensor([3.0, 5.0, 6.0])
    answer = call(strict_mse, predictions, targets)
    require(
        isinstance(answer, torch.Tensor),
        f"return a tensor with one number; this is {type(answer).__name__}, which can't be trained "
        "with.",
    )
    require(answer.numel() == 1, "return a tensor with one number: the mean over all.")
    require(
        answer.requires_grad,
        "this number can't be trained with: it has lost its graph (.item() or numpy do that).",
    )
    loss = float(answer.detach())
    require(not close(loss, 20), "that is the sum. The *mean* squared error is asked.")
    require(
        not close(loss, 2) and not close(loss, 4),
        "square each difference, then take the mean: not absolute values, and not the square of "
        "the mean.",
    )
    require(not close(loss, math.sqrt(20 / 3)), "that is the root of the MSE.")
    require(close(loss, 20 / 3), "the mean of the squared differences is asked.")
    one = call_for_number(strict_mse, torch.tensor([2.0]), torch.tensor([5.0]))
    require(close(one, 9), "a batch of one has a loss, too.")
    for shapes in (((3, 1), (3,)), ((3,), (3, 1)), ((1,), (3,))):
        first, second = (torch.arange(math.prod(shape)).float().view(shape) for shape in shapes)
        try:
            result = strict_mse(first, second)
        except (ValueError, AssertionError):
            continue
        except Exception as error:
            raise Wrong(
                f"for shapes {shapes[0]} and {shapes[1]} your code stops with "
                f"{type(error).__name__}. Say what is wrong: raise a ValueError."
            ) from error
        require(
            isinstance(result, torch.Tensor),
            f"shapes {shapes[0]} and {shapes[1]} raise no error. To print or to return something "
            "does not stop a training: `raise` the error.",
        )
        raise Wrong(
            f"shapes {shapes[0]} and {shapes[1]} were accepted. Broadcasting compares every "
            "prediction with every target: raise a ValueError when the shapes differ."
        )


@exercise("13.3")
def ex_13_3(r_squared: Callable) -> None:
    """Check r_squared(predictions, targets) → R²."""
    predictions, targets = torch.tensor([1.0, 4.0, 9.0, 8.0]), torch.tensor([3.0, 5.0, 6.0, 10.0])
    answer = call_for_number(r_squared, predictions, targets)  # 1 - 18 / 26
    correlation = float(np.corrcoef(predictions, targets)[0, 1])
    require(
        not close(answer, correlation, 1e-5) and not close(answer, correlation**2, 1e-5),
        "that is the correlation, or its square, which forgives shifts and scales. R² does not.",
    )
    require(
        not close(answer, 1 - 17 / 26, 1e-5),
        "the mean of the errors was subtracted from them, which forgives a shift. R² does not.",
    )
    require(
        not close(answer, 0, 1e-5),
        "those are absolute values. Both sums are of squares.",
    )
    require(
        not close(answer, 1 - 18 / 41, 1e-5),
        "the errors are set against the spread of the *predictions* (arguments swapped?). The "
        "targets' own spread counts.",
    )
    require(
        not close(answer, 1 - 18 / 170, 1e-5),
        "the squares of the targets are taken from 0. Take them from the mean of the targets.",
    )
    require(not close(answer, 18 / 26, 1e-5), "that is the share left unexplained: 1 minus it.")
    require(
        not close(answer, 1 - 4.5 / 26, 1e-5) and not close(answer, 1 - 18 / 6.5, 1e-5),
        "one of the two is a mean, the other a sum.",
    )
    require(
        not close(answer, 1 - 13.5 / 26, 1e-5) and not close(answer, 1 - 24 / 26, 1e-5),
        "one part divides by n, the other by n - 1.",
    )
    require(close(answer, 1 - 18 / 26, 1e-5), "follow the formula: both sums run over all animals.")
    shifted = call_for_number(r_squared, targets + 5, targets)
    require(
        close(shifted, 1 - 100 / 26, 1e-5),
        "predictions that are all 5 too high must be punished, below 0 if need be.",
    )
    require(
        close(call_for_number(r_squared, torch.full((4,), 6.0), targets), 0, 1e-5),
        "always predicting the mean of the targets gives 0.",
    )


@exercise("13.4")
def ex_13_4(worst_animal: Callable) -> None:
    """Check worst_animal(predictions, targets) → (position, share of the squared error)."""
    predictions = np.array([8.0, 9.0, 14.0, 5.0, 20.0])
    targets = np.array([11.0, 9.0, 8.0, 6.0, 22.0])

    def worst(predictions: np.ndarray, targets: np.ndarray) -> tuple[float, ...]:
        answer = call(worst_animal, predictions, targets)
        return as_numbers(answer, 2, "return two numbers: the position and the share.")

    position, share = worst(predictions, targets)  # squared: 9, 0, 36, 1, 4
    require(not close(share, 2), "the two are swapped: the position comes first.")
    require(position != 3, "positions count from 0, as in `targets[0]`.")
    require(
        position != 0,
        "an error can have either sign: a prediction that is far too high is as bad as one that "
        "is far too low.",
    )
    require(
        position != 4,
        "that is the animal with the most rings, not the one with the largest error.",
    )
    require(position == 2, "the position of the largest squared error is asked (from 0).")
    require(
        not close(share, 6 / 12) and not close(share, 0.5),
        "that is the share of the *absolute* errors. Squares give a large one more weight.",
    )
    require(not close(share, 72), "that is a percentage. Give a share between 0 and 1.")
    require(not close(share, 36), "that is the squared error itself. Give its share of the sum.")
    require(
        not close(share, 36 / 10),
        "that compares with the mean. The share of the *sum* lies between 0 and 1.",
    )
    require(close(share, 36 / 50), "the share is the largest squared error over the sum of all.")
    position, share = worst(targets, predictions)
    require(
        position == 2 and close(share, 36 / 50),
        "with the signs of all errors turned round the answer must stay the same.",
    )


@exercise("13.5")
def ex_13_5(explanation: str) -> None:
    """Check why old animals are predicted too young (a letter)."""
    choose(
        explanation,
        right="d",
        hints={
            "a": "the curves above are flat after forty epochs, and a model that was short of "
            "training would also show a trend in the right panel.",
            "b": "compare with the network without weight decay, which the next cell prints: the "
            "trend is the same.",
            "c": "scaling the targets changes the size of the steps, not where the "
            "error is smallest.",
        },
    )
