"""Notebook 04: its pictures, and the check of its open task."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from helpers.models import OneHotMLP
from helpers.text import Vocabulary
from lessons.n04_mlp import experiments, pictures
from lessons.n04_mlp.checks import check


@pytest.fixture(autouse=True)
def no_open_pictures():
    yield
    plt.close("all")


def test_probabilities_has_a_panel_for_each_model_and_a_bin_around_one_half():
    values = {"negative": [0.5, 0.5, 0.1], "positive": [0.9]}
    axes = pictures.probabilities({"before": values, "after": values}, "title")
    assert [ax.get_title() for ax in axes] == ["before", "after"]
    steps = axes[0].patches[0].get_xy()
    at_half = steps[np.abs(steps[:, 0] - 0.5) < 0.02, 1]
    assert at_half.max() == 2


def test_batch_accuracies_draws_every_batch_and_the_means():
    ax = pictures.batch_accuracies({"train": [0.9, 0.8, 1.0], "validation": [0.7]}, "title")
    dots = [offset[0] for points in ax.collections for offset in points.get_offsets()]
    assert {0.9, 0.8, 1.0, 0.7} <= {round(float(x), 6) for x in dots}
    means = [
        path.vertices[0, 0]
        for lines in ax.collections
        for path in lines.get_paths()
        if len(path.vertices) == 2
    ]
    assert means == pytest.approx([0.9, 0.7])


def test_network_names_the_true_sizes():
    texts = " ".join(text.get_text() for text in pictures.network(300, 20, "title").texts)
    assert "W: 20 × 300" in texts
    assert "v: 20" in texts


def test_first_layer_adds_the_columns_of_the_ones():
    weight = torch.tensor([[0.1, 0.2, 0.4], [1.0, -2.0, 3.0]])
    ax = pictures.first_layer(["a", "b", "c"], ["a", "c"], weight, "title")
    rows = ax.images[0].get_array()[:, -1]
    assert rows.tolist() == pytest.approx([0.5, 4.0])
    places = [text.get_text() for text in ax.texts if text.get_text() in ("0", "1")]
    assert places == ["1", "0", "1"]


# --- the open task ------------------------------------------------------------------------

PRAISE = [f"praise{i}" for i in range(25)]  # each weaker than the one before
BLAME = [f"blame{i}" for i in range(25)]
WORDS = Vocabulary(["i", "hated", "loved", "it", ".", *PRAISE, *BLAME])
HATED = f"I hated it. {' '.join(PRAISE[15:])}"
LOVED = f"I loved it. {' '.join(BLAME[15:])}"


@torch.no_grad()
def plain_model() -> OneHotMLP:
    """Return a model that adds up scores: 1 and less for praise, -1 and more for blame."""
    scores = torch.zeros(len(WORDS))
    for side, words in ((1, PRAISE), (-1, BLAME)):
        for position, word in enumerate(words):
            scores[WORDS.ids[word]] = side * (1 - position / 50)
    model = OneHotMLP(len(WORDS), 2)
    model.hidden.weight.copy_(torch.stack([scores, -scores]))
    model.output.weight.copy_(torch.tensor([[1.0, -1.0]]))
    model.hidden.bias.zero_()
    model.output.bias.zero_()
    return model


def verdict(capsys, hated: object, loved: object) -> str:
    check.ex_04_open(hated, loved, plain_model(), WORDS)
    return capsys.readouterr().out


def test_two_reviews_that_fool_the_model_pass(capsys):
    assert verdict(capsys, HATED, LOVED) == "✓ 04.open\n"


@pytest.mark.parametrize(
    ("hated", "loved", "words"),
    [
        (7, LOVED, "is a text"),
        (HATED.replace("I hated", "We hated"), LOVED, "must begin with 'I hated it.'"),
        (HATED, HATED, "`loved` must begin with"),
        (f"{HATED} and so on, and so on, and on", LOVED, "has 21 words; 20 are allowed"),
        (
            f"I hated it. {PRAISE[0]} {PRAISE[14]}",
            LOVED,
            "uses words of the picture above: praise0",
        ),
        (HATED, f"I loved it. {BLAME[3].upper()}!", "uses words of the picture above: blame3"),
        ("I hated it.", LOVED, "calls `hated` positive with 50.0%"),
        ("I hated it.", LOVED, "nothing pulls the wrong way"),
        (
            HATED,
            f"I loved it. {BLAME[16]} {BLAME[17]} {PRAISE[16]}",
            "After the opening 'praise16' holds the model back most",
        ),
    ],
)
def test_what_breaks_a_rule_or_does_not_fool_the_model_is_refused(capsys, hated, loved, words):
    said = verdict(capsys, hated, loved)
    assert said.startswith("✗ 04.open: "), "one line, and nothing before it"
    assert words in said


def test_a_word_of_the_opening_is_never_named(capsys):
    model = plain_model()
    with torch.no_grad():
        model.hidden.weight[:, WORDS.ids["loved"]] = torch.tensor([9.0, -9.0])
    check.ex_04_open(HATED, f"{LOVED} {PRAISE[24]}", model, WORDS)
    said = capsys.readouterr().out
    assert "'praise24' holds the model back most" in said


def test_the_open_task_waits_for_both_reviews(capsys):
    assert verdict(capsys, HATED, None).startswith("… 04.open waits")
    assert verdict(capsys, None, LOVED).startswith("… 04.open waits")


def test_the_strongest_words_are_those_of_the_picture():
    strongest = experiments.ends(experiments.read_outs(plain_model(), WORDS))
    assert list(strongest) == [*PRAISE[:15], *BLAME[14::-1]]
    assert strongest["praise5"] == pytest.approx(1.8)


# --- what the notebook measures -----------------------------------------------------------


def test_the_share_of_positive_reviews_counts_each_review_with_the_token_once():
    data, vocabulary = experiments.toy_reviews()
    assert experiments.share_positive(data, vocabulary.ids["good"]) == (2, 0.5)
    assert experiments.share_positive(data.select([0, 1, 3]), vocabulary.ids["bad"]) == (1, 1.0)


def test_random_labels_are_the_same_ones_dealt_out_anew():
    data, _ = experiments.toy_reviews()
    data = data.select([0, 1, 2, 3] * 10)
    dealt = experiments.with_random_labels(data)
    assert dealt.labels.sum() == data.labels.sum()
    assert not torch.equal(dealt.labels, data.labels)
    assert torch.equal(dealt.ids, data.ids)


def test_the_first_direction_of_a_change_of_rank_one_is_all_of_it():
    before, after = plain_model(), plain_model()
    with torch.no_grad():
        after.hidden.weight += torch.outer(after.output.weight[0], torch.randn(len(WORDS)))
    share, cosine = experiments.first_direction(before, after)
    assert (share, cosine) == pytest.approx((1, 1), abs=1e-4)


def test_compare_tells_what_the_logit_loses_without_a_word(capsys):
    experiments.compare(plain_model(), WORDS, "praise0 praise5 unheard")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "praise0 praise5 unheard: 87.0% positive, 50% of the units are on"
    assert [line.split() for line in lines[3:]] == [  # half of the units, half of the read-out
        ["praise0", "+2.00", "+1.00", "+1.00"],
        ["praise5", "+1.80", "+0.90", "+0.90"],
        ["<unk>", "+0.00", "+0.00", "+0.00"],
    ]


def test_nearest_finds_parallel_columns():
    weight = torch.zeros(2, len(WORDS)) + torch.tensor([[1.0], [0.0]])
    weight[:, [WORDS.ids["it"], WORDS.ids["hated"]]] = torch.tensor([[1.0, 2.9], [2.0, 6.0]])
    assert experiments.nearest(weight, WORDS, "it", 1) == "hated 1.00"
