import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from helpers import checks, plots


def to_probabilities(logits):
    return 1 / (1 + torch.exp(-logits))


def batch_accuracy(probabilities, labels):
    return ((probabilities > 0.5) == labels).float().mean().item()


def count_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def word_scores(model):
    return (model.output.weight @ model.hidden.weight)[0]


def merge_linear(first, second):
    merged = nn.Linear(first.in_features, second.out_features)
    merged.weight.data = second.weight.data @ first.weight.data
    merged.bias.data = second.weight.data @ first.bias.data + second.bias.data
    return merged


def with_bias(bias):
    """A wrong merge_linear whose weights are right."""

    def merge(first, second):
        merged = merge_linear(first, second)
        merged.bias.data = bias(first, second)
        return merged

    return merge


def without_merging(first, second):
    merged = nn.Linear(first.in_features, second.out_features)
    nn.init.ones_(merged.weight)
    return merged


@pytest.fixture(autouse=True)
def no_open_pictures():
    yield
    plt.close("all")


RIGHT = {
    checks.iv_1_a: [to_probabilities, torch.sigmoid],
    checks.iv_1_b: [
        batch_accuracy,
        lambda p, y: (p.round() == y).double().mean(),
        lambda p, y: ((p > 0.5) == y).sum() / len(y),
    ],
    checks.iv_1_b_2: ["be", {"e", "b"}],
    checks.iv_1_c: [count_parameters],
    checks.iv_2_a: [
        word_scores,
        lambda model: model.hidden.weight.T @ model.output.weight[0],
        lambda model: (model.output.weight @ model.hidden.weight).squeeze(0),
    ],
    checks.iv_3_a: [merge_linear],
    checks.iv_3_b: ["a"],
}

WRONG = [
    (checks.iv_1_a, lambda z: z, "unchanged"),
    (checks.iv_1_a, lambda z: torch.exp(z), "the odds"),
    (checks.iv_1_a, lambda z: 1 / (1 + torch.exp(z)), "minus sign"),
    (checks.iv_1_a, lambda z: torch.softmax(z, dim=0), "over the *batch*"),
    (checks.iv_1_a, lambda z: (z > 0).float(), "How *sure*"),
    (checks.iv_1_a, lambda z: torch.exp(z) / (1 + torch.exp(z)), "infinite"),
    (checks.iv_1_a, lambda z: torch.tanh(z), "sigmoid of z"),
    (checks.iv_1_a, lambda z: z.mean(), "one probability for each"),
    (checks.iv_1_b, lambda p, y: ((p > 0.5) == y).sum().item(), "share of the batch"),
    (checks.iv_1_b, lambda p, y: (p == y).float().mean(), "*equal* to a label"),
    (checks.iv_1_b, lambda p, y: ((p > 0.5) != y).float().mean(), "share of wrong"),
    (checks.iv_1_b, lambda p, y: ((p > 0.5) & (y == 1)).float().mean(), "Right negatives"),
    (checks.iv_1_b, lambda p, y: ((p > 0.5) & (y == 1)).sum() / y.sum(), "some of the reviews"),
    (checks.iv_1_b, lambda p, y: ((p > 0) == y).float().mean(), "belongs to logits"),
    (checks.iv_1_b_2, "ab", "the loader"),
    (checks.iv_1_b_2, "bc", "fair threshold"),
    (checks.iv_1_b_2, "d", "keeps the order"),
    (checks.iv_1_b_2, "b", "2 answers"),
    (checks.iv_1_c, lambda model: len(list(model.parameters())), "*tensors*"),
    (checks.iv_1_c, lambda m: m.hidden.weight.numel() + m.output.weight.numel(), "has a bias"),
    (checks.iv_1_c, lambda m: count_parameters(m.hidden), "first layer alone"),
    (checks.iv_1_c, lambda m: sum(sum(p.shape) for p in m.parameters()), "numel"),
    (checks.iv_1_c, lambda m: 4_000_601, "every parameter of the model"),
    (checks.iv_2_a, lambda m: m.hidden.weight.sum(0), "weigh them"),
    (checks.iv_2_a, lambda m: word_scores(m)[None], "one row"),
    (checks.iv_2_a, lambda m: m.output.weight[0], "one number for each word"),
    (checks.iv_2_a, lambda m: word_scores(m) + m.output.bias, "bias belongs to no word"),
    (checks.iv_2_a, lambda m: word_scores(m).abs(), "sum over the hidden units"),
    (checks.iv_2_a, lambda m: word_scores(m).tolist(), "return a tensor"),
    (checks.iv_3_a, lambda first, second: nn.Sequential(first, second), "return an nn.Linear"),
    (checks.iv_3_a, lambda first, second: second, "which order"),
    (checks.iv_3_a, with_bias(lambda first, second: second.bias.data), "puts out its bias"),
    (checks.iv_3_a, with_bias(lambda first, second: 0 * second.bias.data), "the bias is not"),
    (checks.iv_3_a, without_merging, "another output"),
    (checks.iv_3_b, "b", "no upper bound"),
    (checks.iv_3_b, "c", "no parameters"),
    (checks.iv_3_b, "d", "without trouble"),
]


@pytest.mark.parametrize(
    ("check", "answer"), [(check, answer) for check, answers in RIGHT.items() for answer in answers]
)
def test_right_answers_pass(check, answer, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    check(answer)
    assert capsys.readouterr().out.startswith("✓ IV.")


@pytest.mark.parametrize(("check", "answer", "words"), WRONG)
def test_trap_answers_are_refused_with_the_likely_mistake(check, answer, words, capsys):
    check(answer)
    line = capsys.readouterr().out
    assert line.startswith("✗ IV.")
    assert words in line


@pytest.mark.parametrize("check", RIGHT)
@pytest.mark.parametrize("answer", [None, ...])
def test_unanswered_is_open(check, answer, capsys):
    check(answer)
    assert "waits for your answer" in capsys.readouterr().out
    if callable(RIGHT[check][0]):
        check(lambda *_: answer)
        assert "waits for your answer" in capsys.readouterr().out


@pytest.mark.parametrize("check", RIGHT)
def test_a_check_leaves_the_readers_random_numbers_alone(check, capsys):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    answer = RIGHT[check][0]
    if answer is not merge_linear:  # it draws itself
        check(answer)
        assert torch.equal(torch.rand(3), expected)


# --- pictures -----------------------------------------------------------------------------


def test_probabilities_has_one_panel_a_model_and_a_bin_around_one_half():
    values = {"negative": [0.5, 0.5, 0.1], "positive": [0.9]}
    axes = plots.probabilities({"before": values, "after": values}, "title")
    assert [ax.get_title() for ax in axes] == ["before", "after"]
    steps = axes[0].patches[0].get_xy()
    at_half = steps[np.abs(steps[:, 0] - 0.5) < 0.02, 1]
    assert at_half.max() == 2


def test_batch_accuracies_draws_every_batch_and_the_means():
    ax = plots.batch_accuracies({"train": [0.9, 0.8, 1.0], "validation": [0.7]}, "title")
    dots = [offset[0] for points in ax.collections for offset in points.get_offsets()]
    assert {0.9, 0.8, 1.0, 0.7} <= {round(float(x), 6) for x in dots}
    means = [
        path.vertices[0, 0]
        for lines in ax.collections
        for path in lines.get_paths()
        if len(path.vertices) == 2
    ]
    assert means == pytest.approx([0.9, 0.7])


def test_hidden_units_draws_one_dot_a_unit():
    ax = plots.hidden_units([0.1, -0.2], [0.3, -0.4], "title")
    assert ax.collections[0].get_offsets().tolist() == [[0.1, 0.3], [-0.2, -0.4]]
