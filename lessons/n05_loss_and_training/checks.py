"""Answer checks of notebook 05 · Loss and training."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lessons.exercises import Checks, Wrong
from lessons.framework import call, close, require, with_parameters

check = exercise = Checks()


#: words of PyTorch's errors, and what has likely happened
STOPS = {
    "Boolean value of Tensor": "the loss stopped: a loss is a class. Make an object of it first, "
    "then call the object with the batch. That takes two pairs of brackets.",
    "between 0 and 1": "the loss stopped, because it takes probabilities and was given logits. "
    "Which loss takes logits?",
    "dtype to be Long": "the loss stopped: here the targets are class numbers, which must "
    "stay whole numbers (int64).",
    "Double": "the loss stopped: float64 meets float32. Give both arguments the same type.",
    "Long": "the loss stopped, because the targets are whole numbers (int64) and the scores are "
    "float32. Convert one of the two.",
}


def _number(answer: Any, meaning: str) -> float:
    """Return the reader's loss as a float; it may be a tensor of any shape with one value."""
    try:
        values = torch.as_tensor(getattr(answer, "detach", lambda: answer)())
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"one number is asked: {meaning}. This is {type(answer).__name__}.") from None
    require(values.numel() == 1, f"return one number: {meaning}.")
    number = float(values)
    require(
        not math.isnan(number),
        "the result is nan, not a number. Was a logarithm taken of something below 0?",
    )
    return number


def _loss(function: Callable, *arguments: torch.Tensor) -> float:
    """Call the reader's loss function; name the mistakes that PyTorch stops at."""
    try:
        answer = call(function, *arguments)
    except (RuntimeError, ValueError) as error:
        for words, message in STOPS.items():
            require(words not in str(error), message)
        raise
    return _number(answer, "the mean over the batch")


@exercise("V.1.a")
def v_1_a(untrained_loss: float) -> None:
    """Check the loss of a model that gives probability 1/2 to everything."""
    answer = _number(untrained_loss, "the loss that every review adds")
    require(
        answer >= 0,
        "a loss below 0 would be better than perfect. The logarithm of a number below 1 is "
        "negative: is a minus sign lost?",
    )
    require(not close(answer, 1, 1e-3), "that is in bits. This course takes the natural logarithm.")
    require(
        not close(answer, math.log10(2), 1e-3),
        "that is the logarithm to base 10. This course takes the natural one.",
    )
    require(
        not close(answer, 0.5, 1e-3),
        "that is the probability. What does the loss take of it?",
    )
    require(
        not close(answer, 2, 1e-3),
        "that is exp of the loss, which notebook 06 calls perplexity.",
    )
    require(
        not close(answer, 2 * math.log(2), 1e-3),
        "that adds both terms of the bracket. Of one review, how many of the two are not 0?",
    )
    require(
        not close(answer, math.log(2) / 2, 1e-3),
        "a factor of one half too many: p stands inside the logarithm only, and what stands before "
        "it is the label, 0 or 1.",
    )
    require(
        not 2e-4 < abs(answer - math.log(2)) < 0.02,
        "nearly, but not to four digits. Derive the number for p = 0.5 exactly; an untrained model "
        "is only near it.",
    )
    require(
        math.isclose(answer, math.log(2), abs_tol=2e-4),
        "put p = 0.5 into the formula, once for a positive and once for a negative review. What "
        "does each of them add?",
    )


@exercise("V.1.b")
def v_1_b(bce_by_hand: Callable) -> None:
    """Check bce_by_hand(probabilities, targets) → mean binary cross-entropy."""
    probabilities, targets = torch.tensor([0.9, 0.2, 0.6, 0.3]), torch.tensor([1, 0, 0, 1])
    right_class = (0.9, 0.8, 0.4, 0.3)
    expected = -sum(map(math.log, right_class)) / 4
    answer = _loss(bce_by_hand, probabilities, targets)
    require(
        not close(answer, -expected, 1e-4),
        "a loss below 0 would be better than perfect: is a minus sign lost?",
    )
    require(
        not close(answer, 4 * expected, 1e-4), "that is the sum over the batch, not yet its mean."
    )
    require(
        not close(answer, -(math.log(0.9) + math.log(0.3)) / 4, 1e-4),
        "negative reviews add nothing in your loss: where is the term with 1 − y?",
    )
    require(
        not close(answer, -(math.log(0.8) + math.log(0.4)) / 4, 1e-4),
        "positive reviews add nothing in your loss: where is the term with y?",
    )
    require(
        not close(answer, -sum(math.log(1 - p) for p in right_class) / 4, 1e-4),
        "the two terms are swapped: a positive review is to be judged by p, a negative one by "
        "1 − p.",
    )
    require(
        not close(answer, -math.log(sum(right_class) / 4), 1e-4),
        "that is the logarithm of the mean. Take the logarithms first, then their mean.",
    )
    require(
        not any(close(answer, expected / math.log(base), 1e-4) for base in (2, 10)),
        "this is to another base. Take the natural logarithm.",
    )
    require(
        not close(answer, sum(p * math.log(p) for p in right_class) / -4, 1e-4),
        "what stands before each logarithm is the label, not the probability.",
    )
    require(
        close(answer, expected, 1e-4),
        "for p = 0.9, 0.2, 0.6, 0.3 and y = 1, 0, 0, 1 the mean is another one. Work out what "
        "each of the four adds.",
    )
    answer = _loss(bce_by_hand, torch.tensor([0.2]), torch.tensor([1]))
    require(close(answer, -math.log(0.2), 1e-4), "a batch of one review has a loss, too.")
    answer = _loss(bce_by_hand, torch.tensor([0.25, 0.5]), torch.tensor([0, 0]))
    require(
        close(answer, -(math.log(0.75) + math.log(0.5)) / 2, 1e-4),
        "a batch of negative reviews alone has a loss, too: divide by all reviews, not by the "
        "positive ones.",
    )


def _binary_cross_entropy(probabilities: Sequence[float], targets: Sequence[int]) -> float:
    pairs = zip(probabilities, targets, strict=True)
    return -sum(math.log(p if y else 1 - p) for p, y in pairs) / len(targets)


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


@exercise("V.1.c")
def v_1_c(loss_from_probabilities: Callable) -> None:
    """Check loss_from_probabilities(probabilities, targets), to be made with nn.BCELoss."""
    probabilities, targets = [0.9, 0.2, 0.6, 0.3, 0.5], [1, 0, 0, 1, 1]
    expected = _binary_cross_entropy(probabilities, targets)
    answer = _loss(loss_from_probabilities, torch.tensor(probabilities), torch.tensor(targets))
    require(
        not close(answer, _binary_cross_entropy(map(_sigmoid, probabilities), targets), 1e-4),
        "the probabilities went through a sigmoid once more: BCELoss takes them as they are, "
        "BCEWithLogitsLoss takes logits.",
    )
    require(
        not close(answer, 5 * expected, 1e-4),
        "that is the sum over the batch. What does BCELoss do when you tell it nothing?",
    )
    require(answer < 10, "the loss is huge: are the arguments swapped? The predictions come first.")
    require(close(answer, expected, 1e-4), "BCELoss itself gives another value for this batch.")
    answer = _loss(loss_from_probabilities, torch.tensor([0.2]), torch.tensor([1]))
    require(close(answer, -math.log(0.2), 1e-4), "a batch of one review has a loss, too.")


@exercise("V.1.d")
def v_1_d(loss_from_logits: Callable) -> None:
    """Check loss_from_logits(logits, targets), to be made with nn.BCEWithLogitsLoss."""
    logits, targets = [2.0, -1.0, 0.5, -3.0, 0.0], [1, 0, 0, 1, 1]
    probabilities = [*map(_sigmoid, logits)]
    expected = _binary_cross_entropy(probabilities, targets)
    answer = _loss(loss_from_logits, torch.tensor(logits), torch.tensor(targets))
    require(
        not close(answer, _binary_cross_entropy([*map(_sigmoid, probabilities)], targets), 1e-4),
        "the logits went through two sigmoids, yours and the one inside BCEWithLogitsLoss.",
    )
    require(
        not close(answer, 5 * expected, 1e-4),
        "that is the sum over the batch. What does BCEWithLogitsLoss do when you tell it nothing?",
    )
    require(close(answer, expected, 1e-4), "BCEWithLogitsLoss itself gives another value here.")
    for logit, target in ((120.0, 0), (-120.0, 1)):
        answer = _loss(loss_from_logits, torch.tensor([logit]), torch.tensor([target]))
        require(
            not math.isinf(answer),
            f"right for small logits, but infinite for a logit of {logit:.0f}: an exponential or a "
            "logarithm has left what a float can hold.",
        )
        require(
            close(answer, 120, 1e-4),
            f"right for small logits, but a review of class {target} with a logit of {logit:.0f} "
            "has a loss of 120. Did you take the sigmoid first? Then the float has forgotten it.",
        )


@exercise("V.2.a")
def v_2_a(average_loss: Callable) -> None:
    """Check average_loss(model, loader) → mean loss over samples, without training."""
    model = nn.Sequential(with_parameters(nn.Linear, 1, 1), nn.Flatten(0))
    with torch.no_grad():
        model[0].weight.fill_(1)
        model[0].bias.fill_(0)
    before = [parameter.clone() for parameter in model.parameters()]
    logits, targets = [2.0, -1.0, 0.5, 1.0, 0.0, -2.0, -4.0], [1, 0, 0, 1, 1, 0, 1]
    inputs, labels = torch.tensor(logits)[:, None], torch.tensor(targets)

    def loader(start: int = 0) -> DataLoader:
        data = TensorDataset(inputs[start:], labels[start:])
        return DataLoader(data, 3, generator=torch.Generator())  # leaves the reader's seeds alone

    each = [_binary_cross_entropy([_sigmoid(z)], [y]) for z, y in zip(logits, targets, strict=True)]
    means = [sum(each[:3]) / 3, sum(each[3:6]) / 3, each[6]]
    answer = _number(call(average_loss, model, loader()), "the mean over all samples")
    require(
        all(torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True)),
        "the model is another one now: measure its loss without training it.",
    )
    require(
        all(parameter.grad is None for parameter in model.parameters()),
        "the parameters have gradients now. Measuring a loss takes no backward pass.",
    )
    require(
        not close(answer, sum(means) / 3, 1e-4),
        "that is the mean of the batches' means. The last batch is smaller than the others, so it "
        "must not count as much.",
    )
    require(
        not close(answer, means[-1], 1e-4),
        "that is the loss of the last batch alone: what has become of the others?",
    )
    require(
        not close(answer, means[0], 1e-4),
        "that is the loss of the first batch alone: is the return inside the loop?",
    )
    require(
        not any(close(answer, total, 1e-4) for total in (sum(each), sum(means))),
        "that is a sum. Divide it by the number of samples.",
    )
    require(
        not close(answer, sum(each) / 3, 1e-4),
        "divide by the number of samples, not by the number of batches.",
    )
    require(
        not close(answer, sum(means) / 7, 1e-4),
        "each batch loss is a mean already: before you add it up, it must become a sum again.",
    )
    require(
        not close(answer, 3 * sum(means) / 7, 1e-4),
        "every batch counts as a full one. How many samples does the last one hold?",
    )
    require(
        close(answer, sum(each) / 7, 1e-4),
        "for batches of 3, 3 and 1 samples, the mean over the seven is another one.",
    )
    answer = _number(call(average_loss, model, loader(6)), "the mean over all samples")
    require(close(answer, each[6], 1e-4), "a loader with a single batch of one has a mean, too.")


@exercise("V.2.b")
def v_2_b(start_anew: Callable) -> None:
    """Check start_anew(model) → the same model, all its parameters drawn again."""
    with torch.random.fork_rng(devices=[]):
        inner = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
        model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), inner)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(7)
        before = [*model.parameters()]
        try:
            answer = call(start_anew, model)
        except AttributeError as error:
            raise Wrong(
                f"{error}. Containers and ReLU have no parameters of their own, so they lack that "
                "method. Ask each part whether it has it."
            ) from error
    require(isinstance(answer, nn.Module), "return the model.")
    require(
        answer is model
        and all(new is old for new, old in zip(model.parameters(), before, strict=True)),
        "these are new parameters, which an optimizer made earlier does not know. Change the "
        "model's own ones in place, and return it.",
    )
    require(
        not all(torch.all(parameter == 7) for parameter in before),
        "nothing has changed: every parameter is as it was.",
    )
    require(
        not all(torch.all(parameter == 7) for parameter in before if parameter.ndim == 1),
        "the weights are new, but the biases are as they were.",
    )
    require(
        not any(torch.all(parameter == 7) for parameter in before),
        "some layers keep what they had. Is there one inside another? Walk through the parts at "
        "every depth.",
    )
    require(
        not any(torch.all(layer.weight == layer.weight[0, 0]) for layer in (model[0], inner[0])),
        "all weights of a layer are equal now, so all its units would compute, and learn, the "
        "same. They need to be drawn at random.",
    )
    require(
        all(
            parameter.abs().max() <= layer.in_features**-0.5 + 1e-6
            for layer in (model[0], *inner)
            for parameter in layer.parameters()
        ),
        "those are not the values of a new layer: nn.Linear draws within ±1 / √in_features. A "
        "layer has a method that does it.",
    )


@exercise("V.3.a")
def v_3_a(cross_entropy_by_hand: Callable) -> None:
    """Check cross_entropy_by_hand(logits, targets) → mean of −ln softmax at the target."""
    rows = [[2.0, 0.0, -1.0], [0.5, 1.5, 0.3], [0.0, 0.0, 0.0], [1.0, -2.0, 3.0]]
    targets = [0, 2, 1, 0]
    logits, labels = torch.tensor(rows), torch.tensor(targets)

    def softmax(row: Sequence[float]) -> list[float]:
        return [math.exp(z) / sum(map(math.exp, row)) for z in row]

    def mean_nll(table: Sequence[Sequence[float]], targets: Sequence[int]) -> float:
        return -sum(math.log(p[y]) for p, y in zip(table, targets, strict=True)) / len(targets)

    probabilities = [softmax(row) for row in rows]
    columns = [softmax(column) for column in zip(*rows, strict=True)]
    expected = mean_nll(probabilities, targets)
    answer = _loss(cross_entropy_by_hand, logits, labels)
    require(
        not close(answer, -expected, 1e-4),
        "a loss below 0 would be better than perfect: is a minus sign lost?",
    )
    require(
        not close(answer, 4 * expected, 1e-4), "that is the sum over the batch, not yet its mean."
    )
    require(
        not close(answer, mean_nll([*zip(*columns, strict=True)], targets), 1e-4),
        "your softmax adds up to 1 over the batch. It must do so over the classes of each "
        "sample: which axis is that?",
    )
    require(
        not close(answer, mean_nll([softmax(p) for p in probabilities], targets), 1e-4),
        "that is softmax applied twice: CrossEntropyLoss and log_softmax bring their own.",
    )
    picked = [p[y] for p, y in zip(probabilities, targets, strict=True)]
    require(
        not close(abs(answer), sum(picked) / 4, 1e-4),
        "the logarithm is missing: nn.NLLLoss, despite its name, does not take it either.",
    )
    require(
        not close(answer, -math.log(sum(picked) / 4), 1e-4),
        "that is the logarithm of the mean. Take the logarithms first, then their mean.",
    )
    every = -sum(math.log(p) for row in probabilities for p in row)
    require(
        not any(close(answer, every / count, 1e-4) for count in (4, 12)),
        "all classes count in your loss. Only the probability of the *target* class should.",
    )
    require(
        not any(close(answer, expected / math.log(base), 1e-4) for base in (2, 10)),
        "this is to another base. Take the natural logarithm.",
    )
    require(
        not close(answer, -sum(row[y] for row, y in zip(rows, targets, strict=True)) / 4, 1e-4),
        "the exponentials are not divided by their sum: these are no probabilities yet.",
    )
    require(
        not close(answer, mean_nll([[*map(_sigmoid, row)] for row in rows], targets), 1e-4),
        "a sigmoid looks at each logit by itself, so the classes do not add up to 1.",
    )
    whole_rows = -sum(math.log(p) for y in targets for p in probabilities[y]) / 12
    whole_columns = -sum(math.log(row[y]) for row in probabilities for y in targets) / 16
    require(
        not close(answer, whole_rows, 1e-4) and not close(answer, whole_columns, 1e-4),
        "your indexing picks more than one entry a sample. Each row needs its own column.",
    )
    require(
        close(answer, expected, 1e-4),
        "for a small batch of three classes the result is another one. Work out one sample by "
        "hand.",
    )
    answer = _loss(cross_entropy_by_hand, torch.tensor([[0.0, 3.0]]), torch.tensor([0]))
    require(close(answer, math.log(1 + math.exp(3)), 1e-4), "a batch of one has a loss, too.")


@exercise("V.3.b")
def v_3_b(one_logit: Callable) -> None:
    """Check one_logit(two_logits [batch, 2]) → the logit [batch] with the same probability."""
    two = torch.tensor([[0.5, 2.0], [1.0, 1.0], [3.0, -1.0]])
    answer = call(one_logit, two)
    require(isinstance(answer, torch.Tensor), "return a tensor.")
    require(
        answer.shape != (3, 1), "the shape is [batch, 1]. One logit a sample has the shape [batch]."
    )
    require(answer.shape == (3,), "return one logit a sample: a tensor of shape [batch].")
    answer = answer.detach().cpu().float()
    expected = torch.tensor([1.5, 0.0, -4.0])
    wrong = {
        "the sign is turned: a large logit must mean *positive*, which is class 1.": -expected,
        "that is the logit of class 1 alone. What if class 0 has a large one as well?": two[:, 1],
        "that is the probability already. The sigmoid comes later.": expected.sigmoid(),
        "your numbers lie between −1 and 1, because they are made of probabilities. A logit has no "
        "such bounds.": two.softmax(dim=1).diff(dim=1)[:, 0],
        "that is the class already. A logit is asked; it says how sure the model is.": two.argmax(
            dim=1
        ).float(),
        "adding the same number to both logits changes no probability, but it changes your "
        "sum.": two.sum(dim=1),
    }
    for message, values in wrong.items():
        require(not torch.allclose(answer, values, atol=1e-4), message)
    require(
        not torch.allclose(answer, expected / 2, atol=1e-4),
        "that is too small by a factor of two: compare sigmoid(your logit) with softmax.",
    )
    require(
        torch.allclose(answer, expected, atol=1e-4),
        "sigmoid(your logit) must equal the second column of softmax(two_logits).",
    )
    answer = call(one_logit, torch.tensor([[-1.0, 2.0]]))
    require(
        answer.shape == (1,) and close(answer[0].detach(), 3, 1e-4),
        "for a batch of one sample the result has the shape [1].",
    )


@exercise("V.3.c")
def v_3_c(lowest_loss: float) -> None:
    """Check the lowest loss of CrossEntropyLoss on the outputs of a softmax, two classes."""
    answer = _number(lowest_loss, "the lowest loss of one sample")
    require(answer >= 0, "a loss below 0 would be better than perfect: is a minus sign lost?")
    require(
        not close(answer, 0, 1e-3),
        "0 is what logits can reach, because they are not bounded. A softmax puts out nothing "
        "above 1.",
    )
    require(
        not close(answer, math.log(2), 1e-3),
        "that is the loss of an undecided model. What if the first softmax is perfectly sure, "
        "and right?",
    )
    require(
        not close(answer, math.log(1 + math.e), 1e-3),
        "that is the highest loss: perfectly sure, and wrong.",
    )
    require(
        not any(close(answer, share, 1e-3) for share in (_sigmoid(1), _sigmoid(-1))),
        "that is a probability. The loss is minus its logarithm.",
    )
    require(
        not close(answer, math.exp(-1), 1e-3),
        "that is the ratio of the two exponentials. It still has to become a probability, and "
        "that a loss.",
    )
    floor = math.log(1 + math.exp(-1))
    require(
        not any(close(answer, floor / math.log(base), 1e-3) for base in (2, 10)),
        "this is to another base. Take the natural logarithm.",
    )
    require(
        not 2e-4 < abs(answer - floor) < 0.02,
        "nearly, but not to four digits: do not round on the way.",
    )
    require(
        math.isclose(answer, floor, abs_tol=2e-4),
        "start from the two outputs of the first softmax in the best of all cases, and put them "
        "into the second one.",
    )
