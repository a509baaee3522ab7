"""Notebook 01: its open task, its experiment and its pictures."""

import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import corpus, text
from lessons.exercises import Wrong
from lessons.n01_vocabulary import open_task, pictures
from lessons.n01_vocabulary.checks import check
from lessons.n01_vocabulary.experiment import accuracies

matplotlib.use("Agg")

SMALL = ("A well-made film, and it is a film!", "So bad.<br /><br />Bad, bad...") * 4


def pieces(review: str, size: int = 5) -> list[str]:
    words = re.findall(r"\d|[^\W\d_]+", review.lower())
    return [word[i : i + size] for word in words for i in range(0, len(word), size)]


@pytest.fixture
def few_reviews(monkeypatch):
    """A few reviews, a vocabulary of four tokens, of which at most ten may stay unknown."""
    monkeypatch.setattr(open_task, "reviews", lambda: SMALL)
    monkeypatch.setattr(open_task, "VOCAB_SIZE", 4)
    monkeypatch.setattr(open_task, "MOST_UNKNOWN", 30)
    tokens = sum(len(text.basic_english(review)) for review in SMALL)
    monkeypatch.setattr(open_task, "BASIC_ENGLISH_TOKENS", tokens)


def test_a_tokeniser_that_keeps_the_rules_passes(few_reviews, capsys):
    open_task.judge_tokenizer(pieces)
    assert re.match(r"\d+ unknown tokens, and 0\.\d\d tokens for each", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("tokenizer", "words"),
    [
        (lambda review: re.findall("[a-z0-9]+", review.lower()), "every letter and digit"),
        (lambda review: sorted(pieces(review)), "every letter and digit"),
        (lambda review: [*pieces(review), *pieces(review)], "every letter and digit"),
        (lambda review: [*dict.fromkeys(pieces(review))], "every letter and digit"),
        (lambda review: ["film" if len(p) > 3 else p for p in pieces(review)], "every letter"),
        (lambda review: [review] if review else [], "crosses a space"),
        (lambda review: ["".join(p) for p in np.array_split([*review], 9)], "empty token"),
        (lambda review: tuple(pieces(review)), "a list of str"),
        (lambda review: [len(p) for p in pieces(review)], "a list of str"),
        (lambda review: pieces(review, 1), "1.2 are allowed"),
        (str.split, "Fewer than 30"),
        (["a"], "the function itself"),
    ],
)
def test_a_tokeniser_that_breaks_a_rule_is_told_which(few_reviews, tokenizer, words):
    with pytest.raises(Wrong, match=re.escape(words)):
        open_task.judge_tokenizer(tokenizer)


def test_a_line_break_may_stay_or_vanish():
    for tokens in (["so", "br", "br", "bad"], ["so", "bad"], ["so.", "bad"]):
        open_task.require_rules(tokens, "so.<br /><br />bad")


def test_lines_are_counted_without_docstring_and_comments():
    def function(review):
        """Cut.

        As it is.
        """
        # a comment

        return review.split()

    assert open_task.count_lines(function) == 2
    assert open_task.count_lines(str.split) == 0


def test_the_tokens_of_basic_english_are_as_many_as_the_task_says():
    total = sum(len(text.basic_english(review)) for review in open_task.reviews())
    assert total == open_task.BASIC_ENGLISH_TOKENS


def test_training_on_one_class_scores_on_that_class_alone():
    negative = corpus.Reviews(("bad film", "a bad plot") * 50, (0,) * 100)
    positive = corpus.Reviews(("good film", "a good plot") * 50, (1,) * 100)
    assert accuracies(negative, negative, lr=1.0)[1] == 1
    assert accuracies(negative, positive, lr=1.0)[1] == 0


class Searching(text.Vocabulary):
    """Right, but slow: it searches the list of tokens for every word."""

    def encode(self, tokens):
        return [self.tokens.index(t) + 1 if t in self.tokens else 0 for t in tokens]


def count_by_searching(texts, vocabulary):
    return sum(w not in vocabulary.tokens for review in texts for w in review.split())


@pytest.mark.parametrize(
    ("judge", "answer"), [(check.i_2_b, Searching), (check.i_2_c, count_by_searching)]
)
def test_a_slow_answer_passes_with_one_remark(judge, answer, capsys):
    judge(answer)
    remark, verdict = capsys.readouterr().out.splitlines()
    assert remark.startswith("(This is slow")
    assert verdict == f"✓ {judge.label}"


@pytest.fixture
def closing():
    yield
    plt.close("all")


def test_the_pipeline_shows_every_token_its_id_and_its_place(closing):
    tokens, ids = ["a", "film", "a", "zzyzx"], [3, 22, 3, 0]
    ax = pictures.pipeline("A film a zzyzx", tokens, ids, 0.9, "title")
    words = [part.get_text() for part in ax.texts if part.get_text()]
    assert [word for word in words if word in tokens] == tokens
    assert words.count("3") == 3  # two ids, and the number of one place
    assert (words.count("1"), words.count("0")) == (3, 3)
    assert any(word.startswith("+2.20, that is 90%") for word in words)


def test_the_pipeline_of_a_long_text_shows_its_beginning(closing):
    tokens, ids = [f"incomprehensible{i}" for i in range(30)], [*range(1, 31)]
    ax = pictures.pipeline(" ".join(tokens), tokens, ids, 0.9, "title")
    words = [part.get_text() for part in ax.texts]
    assert words.count("incompr…") == pictures.MOST_TOKENS
    assert max(map(len, words)) <= 80


def test_classes_have_the_colours_of_praise_and_complaint(closing):
    ax = pictures.review_lengths([20, 30], [25, 60], "title")
    handles, labels = ax.get_legend_handles_labels()
    colours = {label: handle.get_edgecolor() for handle, label in zip(handles, labels, strict=True)}
    assert colours["positive"] == matplotlib.colors.to_rgba("C0")
    assert colours["negative"] == matplotlib.colors.to_rgba("C1")
