"""The exercises of notebook 04 · The MLP; the first four are in `building`."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from helpers.models import OneHotMLP, word_contributions
from helpers.text import Vocabulary
from lessons.n04_mlp import open_task, worlds
from lessons.n04_mlp.building import check
from lessons.n04_mlp.worlds import VOCABULARY, contributions, only_shares

# --- 04.3: the words ----------------------------------------------------------------------


def ranking(
    scores_of: Callable, pick: Callable = lambda up, down, n: (down[:n], up[:n])
) -> Callable:
    """Return an answer that ranks the words by other scores, or picks others."""

    def strongest_words(model: OneHotMLP, vocabulary: Vocabulary, count: int) -> tuple[list, list]:
        order = scores_of(model).argsort().tolist()
        up = vocabulary.decode(order)
        return pick(up, up[::-1], count)

    return strongest_words


def read_out(model: OneHotMLP) -> Tensor:
    """Return the linear read-out of each word, [vocab]."""
    return (model.output.weight @ model.hidden.weight)[0]


ROW = "The scores are in a matrix with one row, [1, vocab]: take that row."

check.exercise(
    "04.3",
    ranking(read_out),
    inputs=[
        (worlds.small_model(seed), VOCABULARY, count) for seed, count in ((1, 2), (4, 3), (9, 4))
    ],
    mistakes=[
        (
            "the two lists are swapped: praise comes first.",
            ranking(read_out, lambda up, down, n: (up[:n], down[:n])),
        ),
        (
            "the words of blame must begin with the strongest, the most negative one.",
            ranking(read_out, lambda up, down, n: (down[:n], down[-n:])),
        ),
        (
            "the words of praise must begin with the strongest.",
            ranking(read_out, lambda up, down, n: (up[-n:], up[:n])),
        ),
        (
            "that adds up the word's vector. But some units speak for and some against: weigh them "
            "by the output layer.",
            ranking(lambda model: model.hidden.weight.sum(dim=0)),
        ),
        ("that ranks by size without sign.", ranking(lambda model: read_out(model).abs())),
        (
            "a ReLU is in it, as in the whole model. The read-out is linear.",
            ranking(lambda model: (model.output.weight @ torch.relu(model.hidden.weight))[0]),
        ),
        (
            "each list has `count` words.",
            ranking(read_out, lambda up, down, n: (down[: n + 1], up[: n + 1])),
            lambda found, _, vocabulary, count: [*map(len, found)] != [count, count],
        ),
        (
            "`<unk>` is left out. It has a column, too, and counts as a word.",
            ranking(
                read_out,
                lambda up, down, n: tuple([w for w in x if w != "<unk>"][:n] for x in (down, up)),
            ),
        ),
        (
            "the word with the largest read-out is missing from the first list, or the one with "
            "the smallest from the second. (`<unk>` has a column, too, and counts as a word.)",
            ranking(read_out, lambda up, down, n: (down[1 : n + 1], up[1 : n + 1])),
            lambda found, *given: any(
                right[0] not in words
                for words, right in zip(found, ranking(read_out)(*given), strict=True)
            ),
        ),
        (
            "those are ids: vocabulary.decode turns them into words.",
            lambda model, vocabulary, count: tuple(
                map(vocabulary.encode, ranking(read_out)(model, vocabulary, count))
            ),
        ),
    ],
    errors={
        "20001": "A global of the notebook is in it, like W: take the weights of `model`.",
        "not supported between": ROW,
        "is out of bounds": ROW,
        "list index out of range": "`tokens` leaves out <unk>, which is id 0: use `decode`.",
        "Boolean value of Tensor": ROW,
        "Can't call numpy()": "NumPy takes no tensor that autograd follows: .detach() it first.",
        "step must be greater": "A tensor can't be walked backwards: turn it into a list, or sort "
        "the other way round.",
    },
    otherwise="One number for each id, v · W[:, id]; then the words with the largest and with the "
    "smallest, the strongest first.",
)


# --- 04.4, 04.5: the ReLU -----------------------------------------------------------------


def merging(
    bias: Callable = lambda a, b: b.weight @ a.bias + b.bias,
    weight: Callable = lambda a, b: b.weight @ a.weight,
    make: Callable = nn.Linear,
) -> Callable:
    """Return another way to make one layer of two."""

    @torch.no_grad()
    def merge_linear(first: nn.Linear, second: nn.Linear) -> nn.Linear:
        layer = make(first.in_features, second.out_features)
        layer.weight.copy_(weight(first, second))
        layer.bias.copy_(bias(first, second))
        return layer

    return merge_linear


check.exercise(
    "04.4",
    merging(),
    probe=worlds.merged,
    inputs=[
        (worlds.linear(5, 3), worlds.linear(3, 2)),
        (worlds.linear(4, 6), worlds.linear(6, 1)),
        (worlds.linear(2, 2), worlds.linear(2, 2)),
    ],
    mistakes=[
        (
            "the weights are right, but for an input of zeros the first layer still puts out its "
            "bias. What does the second make of it?",
            merging(lambda a, b: b.bias),
        ),
        (
            "the weights are right, the bias is not: the second layer adds one of its own.",
            merging(lambda a, b: b.weight @ a.bias),
        ),
        (
            "the weights are right, the bias is not: what do both layers give for zeros?",
            merging(lambda a, b: torch.zeros(b.out_features)),
            lambda found, a, b: torch.allclose(found[0], b.weight @ a.weight, atol=1e-5),
        ),
        ("the new layer has its random start.", lambda a, b: nn.Linear(a.in_features, len(b.bias))),
    ],
    errors={
        "non-singleton dimension 1": "nn.Linear takes the number of inputs, then that of outputs; "
        "its weight is [out, in]. Which of them has the merged layer?",
        "must match the": "The first bias lives among the hidden units, the second "
        "among the outputs. What does the second layer make of the first one's bias?",
    },
    otherwise="Multiply out the two formulas: what stands before x, and what is left without it?",
)


PLACES = "The network takes four places: <unk>, good, bad, not."
SHAPES = (
    "Look at the shapes: hidden.weight is [hidden, 4], with a place for <unk>, and output.weight "
    "[1, hidden]."
)

check.exercise(
    "04.5",
    worlds.by_hand,
    probe=worlds.verdict,
    inputs=[(review,) for review in worlds.SENTIMENTS],
    mistakes=[
        (
            'your network does not hear "not": it says the same with and without it.',
            worlds.network(1, 1, -1, -1),
        ),
        (
            '"not" pushes down, whatever it stands beside. Give a unit to the two together.',
            worlds.network(1, -1, -1, -1),
        ),
        (
            '"not" pushes up, whatever it stands beside. Give a unit to the two together.',
            worlds.network(1, 1, -1, 1),
        ),
        ("every verdict is the wrong way round.", worlds.network(-1, 1, 1, -1)),
        ("every logit is exactly 0.", worlds.network(0, 0, 0, 0)),
        ("positive, always. Are all weights and biases set?", worlds.network(1, 1, 1, 1)),
        ("negative, always. Are all weights and biases set?", worlds.network(-1, -1, -1, -1)),
    ],
    errors={"must match the": SHAPES, "cannot be multiplied": PLACES, "out of bounds": PLACES},
    otherwise="Work out both hidden units and the logit for this review on paper. A bias that you "
    "do not set keeps its random start.",
)


# --- 04.6 and the open task ---------------------------------------------------------------


def out(model: OneHotMLP) -> Tensor:
    """Return the weights of the one output, [hidden]."""
    return model.output.weight[0]


def falls(model: OneHotMLP, rows: Tensor, slopes: Tensor) -> Tensor:
    """Return how far the logit falls without each word, for rows [words, hidden]."""
    total = rows.sum(dim=0) + model.hidden.bias
    return (torch.relu(total) - torch.relu(total - rows)) @ out(model)


def names(found: tuple) -> list[str]:
    """Return the words of an explanation, in their order."""
    return [name for name, _ in found[1]]


def right_names(given: tuple) -> list[str]:
    """Return the words that an explanation must have."""
    return names(worlds.explained(word_contributions, *given))  # type: ignore[arg-type]


ALONE = "each word is sent through the ReLU alone. The switches are those of the whole review."

check.exercise(
    "04.6",
    word_contributions,
    probe=worlds.explained,
    inputs=[
        (worlds.small_model(2), "Not a bad film, not bad!"),
        (worlds.small_model(3), "The good film."),
        (worlds.small_model(3), "good NOT good bad", str.split),
    ],
    mistakes=[
        (
            "a word that occurs twice is in the bag once, so its column is added once.",
            contributions(ids_of=list),
        ),
        (
            "the words must come in the order of the review.",
            contributions(ids_of=lambda ids: sorted({*ids})),
            lambda found, *given: (
                names(found) != right_names(given) and {*names(found)} == {*right_names(given)}
            ),
        ),
        (
            "that is the linear read-out of each word. Count only the units that this review "
            "switches on.",
            only_shares(active=lambda model, rows: torch.ones(rows.shape[1])),
        ),
        (
            "whether a unit is on depends on its bias as well.",
            only_shares(active=lambda model, rows: rows.sum(dim=0) > 0),
        ),
        (ALONE, only_shares(share=lambda model, rows, slopes: torch.relu(rows) @ slopes)),
        (ALONE, only_shares(share=lambda model, rows, slopes: torch.relu(rows) @ out(model))),
        (ALONE, only_shares(share=lambda m, rows, _: torch.relu(rows + m.hidden.bias) @ out(m))),
        (
            "that is how far the logit falls without each word, when units may switch. For a "
            "share they stay as the whole review has set them.",
            only_shares(share=falls),
        ),
        (
            "the keys are the tokens that `tokenizer(review)` gives (it is an argument), each once "
            "and with its name in the vocabulary: for all that it lacks, `<unk>`.",
            contributions(names_of=lambda words, tokens: list(dict.fromkeys(tokens))),
            lambda found, *given: {*names(found)} != {*right_names(given)},
        ),
        (
            "the words are right, but the probability lacks the constant: the biases of both "
            "layers.",
            contributions(logit=lambda model, shares, slopes: shares.sum()),
        ),
        (
            "the words are right, but the probability lacks the bias of the hidden layer.",
            contributions(logit=lambda model, shares, slopes: shares.sum() + model.output.bias[0]),
        ),
        (
            "the words are right, but the probability lacks the bias of the output layer.",
            contributions(
                logit=lambda model, shares, slopes: shares.sum() + model.hidden.bias @ slopes
            ),
        ),
        (
            "the words are right, but the first value is the logit, not the probability.",
            contributions(squash=lambda z: z),
        ),
    ],
    parts=("the probability", "the dict"),
    errors={
        "Tokenise first": "encode takes a list of tokens: call the tokenizer first.",
        "can't be used as": "Indices are integers: is the list of ids empty, or a list of words?",
    },
    otherwise="Which units does the whole review switch on, and what does the word's column add "
    "through them?",
)


check.custom("04.open")(open_task.judge)
