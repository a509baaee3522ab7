"""Answer checks of notebook 04 · The MLP."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.models import OneHotMLP
from lessons.exercises import Checks, Wrong
from lessons.framework import (
    all_close,
    call,
    call_for_number,
    choose,
    choose_all,
    close,
    require,
    with_parameters,
)

check = exercise = Checks()


@exercise("IV.1.a")
def iv_1_a(to_probabilities: Callable) -> None:
    """Check to_probabilities(logits) → sigmoid, elementwise."""
    logits = [0.0, 2.0, -3.0, 0.25]
    answer = call(to_probabilities, torch.tensor(logits))
    require(
        isinstance(answer, torch.Tensor) and tuple(answer.shape) == (4,),
        "return a tensor with one probability for each logit.",
    )
    values = answer.tolist()
    require(values != logits, "those are the logits themselves, unchanged.")
    require(
        not all_close(values, [math.exp(z) for z in logits], 1e-5),
        "that is e to the logit: the odds, p / (1 − p), not yet the probability.",
    )
    require(
        not all_close(values, [1 / (1 + math.exp(z)) for z in logits], 1e-5),
        "a logit of 2 should mean *more* than one half: is a minus sign lost?",
    )
    require(
        not all_close(values, [1 + math.exp(-z) for z in logits], 1e-5),
        "no probability is above 1. In which order are / and + done, without brackets?",
    )
    require(
        min(values) >= 0 and max(values) <= 1,
        f"a probability lies between 0 and 1; yours go from {min(values):g} to {max(values):g}.",
    )
    require(
        not close(sum(values), 1, 1e-5),
        "your probabilities sum to 1 over the *batch*. But reviews do not compete: each has a "
        "probability of its own.",
    )
    require(
        not set(values) <= {0, 1}, "those are classes, 0 or 1. How *sure* is the model, though?"
    )
    require(
        all_close(values, [1 / (1 + math.exp(-z)) for z in logits], 1e-5),
        "those are not the values of the sigmoid. Compare your line with the formula, sign by sign "
        "and bracket by bracket.",
    )
    with np.errstate(over="ignore"):  # NumPy's exp warns of what is right here
        far = call(to_probabilities, torch.tensor([-100.0, 100.0]))
    require(
        all_close(far.tolist(), [0, 1], 1e-5),
        "for logits of −100 and 100 the probabilities must be (nearly) 0 and 1: is something "
        "infinite on the way?",
    )
    one = call(to_probabilities, torch.tensor([0.0]))
    require(one.tolist() == [0.5], "a batch of one with the logit 0 has the probability 0.5.")


@exercise("IV.1.b")
def iv_1_b(batch_accuracy: Callable) -> None:
    """Check batch_accuracy(probabilities, labels) → share of right predictions."""
    probabilities = torch.tensor([0.9, 0.7, 0.4, 0.1, 0.8])
    labels = torch.tensor([1, 1, 1, 0, 0])
    answer = call_for_number(batch_accuracy, probabilities, labels)
    require(
        answer <= 1,
        "an accuracy is a share of the batch, between 0 and 1: neither a count nor per cent.",
    )
    require(
        not close(answer, 0),
        "no probability is *equal* to a label. First each must become a class, 0 or 1.",
    )
    require(
        not close(answer, 0.4),
        "that is the share of wrong predictions, or of those that are positive and right. Right "
        "negatives count, too.",
    )
    require(
        not close(answer, 2 / 3),
        "that looks at some of the reviews only. Divide by the number of all of them.",
    )
    require(
        not close(answer, 0.62, 1e-5),
        "that is how much probability the right classes get on average. An accuracy counts "
        "decisions: each is right or wrong.",
    )
    require(
        not close(answer, probabilities.mean().item(), 1e-5),
        "that is the mean probability. Where do the labels come in?",
    )
    require(close(answer, 0.6), "right means: above one half and label 1, or below and label 0.")
    for probability, label in ((0.4, 0), (0.6, 1)):
        answer = call_for_number(batch_accuracy, torch.tensor([probability]), torch.tensor([label]))
        require(
            close(answer, 1),
            f"a batch of one review, with the probability {probability} and the label {label}, is "
            "all right: accuracy 1. (A threshold of 0 belongs to logits.)",
        )
    answer = call_for_number(batch_accuracy, torch.tensor([0.3, 0.1]), torch.tensor([1, 1]))
    require(close(answer, 0), "two positive reviews at 0.3 and 0.1: none is right.")


@exercise("IV.1.b (2)")
def iv_1_b_2(reasons: str) -> None:
    """Check the two reasons why one train batch tells little (letters)."""
    choose_all(
        reasons,
        right={"b", "e"},
        hints={
            "a": "the loader that made the batch has nothing to do with how it is judged.",
            "c": "one half is the fair threshold when both classes are equally frequent.",
            "d": "the sigmoid keeps the order, and logits above 0 are exactly the probabilities "
            "above one half.",
        },
    )


@exercise("IV.1.c")
def iv_1_c(count_parameters: Callable) -> None:
    """Check count_parameters(model) → numbers in all parameters."""
    model = with_parameters(OneHotMLP, 7, 3, 2)
    answer = call_for_number(count_parameters, model)
    require(answer != 4, "that is the number of *tensors*. How many numbers do they hold?")
    require(answer != 27, "the weights are complete, but each layer has a bias as well.")
    require(answer != 24, "that is the first layer alone.")
    require(
        answer != 20,
        "adding up the sides of a matrix does not give its entries: what does `numel` return?",
    )
    require(answer == 32, "add up the number of entries of every parameter of the model.")
    require(
        call_for_number(count_parameters, with_parameters(OneHotMLP, 1, 1, 1)) == 4,
        "a model with one input, one hidden unit and one output has 4 parameters.",
    )
    try:
        answer = call_for_number(count_parameters, with_parameters(nn.Linear, 3, 2))
    except AttributeError as error:
        raise Wrong(
            f"that works for this model alone ({error}). Any module can list its parameters."
        ) from error
    require(answer == 8, "for a single nn.Linear from 3 to 2 features the number is another.")


@exercise("IV.2.a")
def iv_2_a(word_scores: Callable) -> None:
    """Check word_scores(model) → [vocab], linear read-out of each word."""
    for hidden_size in (4, 1):
        model = with_parameters(OneHotMLP, 6, hidden_size)
        hidden, output = model.hidden.weight.tolist(), model.output.weight.tolist()[0]
        expected = [
            math.fsum(output[unit] * hidden[unit][word] for unit in range(hidden_size))
            for word in range(6)
        ]
        try:
            answer = call(word_scores, model)
        except RuntimeError as error:
            raise Wrong(
                f"the shapes do not fit ({error}). Every weight is [out, in]: which sides touch in "
                "your product?"
            ) from error
        require(isinstance(answer, torch.Tensor), "return a tensor.")
        require(
            tuple(answer.shape) != (1, 6),
            "the numbers are in a matrix with one row: take that row.",
        )
        require(
            tuple(answer.shape) == (6,),
            f"return one number for each word, [vocab]; your shape is {list(answer.shape)}.",
        )
        _compare_scores(answer.tolist(), expected, model)


@torch.no_grad()
def _compare_scores(values: list[float], expected: list[float], model: OneHotMLP) -> None:
    if all_close(values, expected, 1e-5):
        return
    require(
        not all_close(values, model.hidden.weight.sum(dim=0).tolist(), 1e-5),
        "that adds up the word's vector. But some hidden units speak for and some against: "
        "weigh them by the output layer.",
    )
    bent = (
        model(torch.eye(6)),
        model.output(torch.relu(model.hidden.weight.T)).squeeze(1),
        (model.output.weight @ torch.relu(model.hidden.weight)).squeeze(0),
    )
    require(
        not any(all_close(values, wrong.tolist(), 1e-5) for wrong in bent),
        "a ReLU is in it, as in the whole model. The read-out is linear: forget the ReLU here.",
    )
    differences = [value - wanted for value, wanted in zip(values, expected, strict=True)]
    require(
        not (abs(differences[0]) > 1e-4 and max(differences) - min(differences) < 1e-5),
        "a constant is added to every word: a bias belongs to no word.",
    )
    raise Wrong(
        "a word's score is the sum over the hidden units of its weight to the unit times the "
        "unit's weight to the logit."
    )


@exercise("IV.3.a")
def iv_3_a(merge_linear: Callable) -> None:
    """Check merge_linear(first, second) → one nn.Linear that does the work of both."""
    for in_features, hidden, out_features in ((5, 3, 2), (4, 6, 1), (1, 1, 1)):
        first = with_parameters(nn.Linear, in_features, hidden)
        second = with_parameters(nn.Linear, hidden, out_features)
        x = torch.eye(in_features + 1, in_features).double()  # its last row is zero
        expected = _linear(second, _linear(first, x))
        bias = second.bias.detach().double()
        try:
            with torch.random.fork_rng(devices=[]):  # a new layer draws random numbers
                merged = call(merge_linear, first, second)
        except RuntimeError as error:
            raise Wrong(
                f"the shapes do not fit ({error}). In which order do the matrices multiply, and "
                "what does the second layer make of the first one's bias?"
            ) from error
        require(isinstance(merged, nn.Linear), "return an nn.Linear.")
        require(
            merged not in (first, second)
            and torch.equal(_linear(second, _linear(first, x)), expected),
            "your function changes a layer that it was given. Make a new one.",
        )
        require(
            (merged.in_features, merged.out_features) == (in_features, out_features)
            and tuple(merged.weight.shape) == (out_features, in_features),
            f"from {in_features} features to {out_features}, the merged layer must map the same. "
            "In which order do the matrices multiply?",
        )
        require(
            merged.bias is not None and tuple(merged.bias.shape) == (out_features,),
            "the merged layer has no bias of its own, or one of another length.",
        )
        _compare_merged(_linear(merged, x), expected, bias)


def _compare_merged(answer: torch.Tensor, expected: torch.Tensor, bias: torch.Tensor) -> None:
    """Compare the outputs for unit vectors and, last, for zeros; `bias` is the second layer's."""
    slopes_fit = torch.allclose(answer - answer[-1], expected - expected[-1], atol=1e-4)
    bias_fits = torch.allclose(answer[-1], expected[-1], atol=1e-4)
    require(
        not slopes_fit or bias_fits or not torch.allclose(answer[-1], bias, atol=1e-4),
        "the weights are right, but for an input of zeros the first layer still puts out its "
        "bias. What does the second make of it?",
    )
    require(
        not slopes_fit or bias_fits,
        "the weights are right, the bias is not: what do the two layers give for an input of "
        "zeros?",
    )
    require(slopes_fit, "for the same input, the merged layer gives another output.")


@torch.no_grad()
def _linear(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """Apply a linear layer in float64, on the CPU."""
    return x @ layer.weight.cpu().double().T + layer.bias.cpu().double()


@exercise("IV.3.b")
def iv_3_b(reason: str) -> None:
    """Check what ReLU is for (a letter)."""
    choose(
        reason,
        right="a",
        hints={
            "b": "that is the work of the sigmoid. ReLU has no upper bound.",
            "c": "ReLU has no parameters at all, with it or without it the counts are equal.",
            "d": "both trained without trouble above. What could the one *never* get right?",
        },
    )
