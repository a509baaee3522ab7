"""The answer checks of notebooks 01 and 02: right, open and wrong answers."""

import re
import string
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers import checks
from helpers.text import Vocabulary


def describe(reviews: Any) -> tuple:
    words = [len(text.split()) for text in reviews.texts]
    positives = sum(reviews.labels)
    return positives, len(words) - positives, len(words), sum(words) / len(words)


def count_unknown(texts: Any, vocabulary: Vocabulary) -> int:
    return sum(token not in vocabulary for text in texts for token in text.split())


def balanced_first(reviews: Any, size: int) -> Any:
    classes = [[i for i, label in enumerate(reviews.labels) if label == k] for k in (0, 1)]
    return reviews.select([i for members in classes for i in members[: size // 2]])


def tokenize(text: str) -> list[str]:
    return "".join(" " if c in string.punctuation else c for c in text.lower()).split()


def count_classes(dataset: Any) -> tuple[int, int]:
    labels = [int(label) for _, label in dataset]
    return labels.count(0), labels.count(1)


def mean_ones(dataset: Any) -> float:
    return float(np.mean([vector.sum() for vector, _ in dataset]))


def to_csr(code_lists: Any) -> tuple[torch.Tensor, torch.Tensor]:
    rows = [sorted(set(codes)) for codes in code_lists]
    ids = torch.tensor([code for row in rows for code in row], dtype=torch.int32)
    lengths = [0] + [len(row) for row in rows]
    return ids, torch.tensor(np.cumsum(lengths), dtype=torch.int32)


def time_steps(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
    seconds = dict.fromkeys(("wait", "forward", "backward"), 0.0)
    clock = time.perf_counter
    last = clock()
    for inputs, targets in loader:
        ready = clock()
        device = next(model.parameters()).device
        loss = F.binary_cross_entropy_with_logits(model(inputs), targets.float().to(device))
        done = clock()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds["wait"] += ready - last
        seconds["forward"] += done - ready
        last = clock()
        seconds["backward"] += last - done
    return seconds


def choose_lr(validation: dict, test: dict) -> float:
    return max(validation, key=lambda lr: np.mean(validation[lr]))


HEAD, TAIL = ["the", "a", "and", "of", "to"], ["age-old", "place!", "Bros", "tossing", "nation,"]

RIGHT = {
    "i_1": (describe,),
    "i_2_a": (HEAD, TAIL),
    "i_2_b": (0,),
    "i_2_c": (count_unknown,),
    "i_3_a": ("b",),
    "i_3_b": (balanced_first,),
    "ii_4_a": (tokenize,),
    "ii_4_b": ("C",),
    "ii_1_a": (count_classes,),
    "ii_1_b": (mean_ones,),
    "ii_1_c": ("a",),
    "ii_2_a": (time_steps,),
    "ii_2_b": (" d ",),
    "ii_2_c": (to_csr,),
    "ii_3": (choose_lr,),
    "ii_4_c": ("d",),
}


def late_clock(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
    """Read the clock only inside the loop's body."""
    seconds = dict.fromkeys(("wait", "forward", "backward"), 0.0)
    for inputs, targets in loader:
        start = time.perf_counter()
        inputs = inputs + 0
        ready = time.perf_counter()
        device = next(model.parameters()).device
        loss = F.binary_cross_entropy_with_logits(model(inputs), targets.float().to(device))
        done = time.perf_counter()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds["wait"] += ready - start
        seconds["forward"] += done - ready
        seconds["backward"] += time.perf_counter() - done
    return seconds


def never_updates(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
    list(loader)
    return {"wait": 1.0, "forward": 1.0, "backward": 1.0}


def one_clock(model: Any, loader: Any, optimizer: Any) -> dict[str, float]:
    seconds = time_steps(model, loader, optimizer)
    return {**seconds, "backward": sum(seconds.values())}


def with_result(function: Callable, change: Callable) -> Callable:
    return lambda *arguments: change(function(*arguments))


# check, wrong answer, words that the message must contain
TRAPS = [
    ("i_1", (with_result(describe, lambda r: (r[1], r[0], *r[2:])),), "swapped"),
    ("i_1", (with_result(describe, lambda r: (*r[:3], r[3] * r[2])),), "sum of all lengths"),
    ("i_1", (lambda r: (*describe(r)[:3], sum(map(len, r.texts)) / len(r)),), "characters"),
    (
        "i_1",
        (lambda r: (*describe(r)[:3], sum(len(t.split(" ")) for t in r.texts) / len(r)),),
        "two blanks",
    ),
    ("i_1", (with_result(describe, lambda r: r[:3]),), "four numbers"),
    ("i_2_a", (HEAD[::-1], TAIL), "order is lost"),
    ("i_2_a", (HEAD, TAIL[::-1]), "backwards"),
    ("i_2_a", (HEAD, ["unemployed...", "grossest", "shearer", "M", "Crocker)"]), "in the voc"),
    ("i_2_a", ("the a and", TAIL), "list of five"),
    ("i_2_b", (20_000,), "taken by tokens"),
    ("i_2_b", (-1,), "str.find"),
    ("i_2_c", (lambda t, v: len({w for x in t for w in x.split()} - set(v.tokens)),), "different"),
    ("i_2_c", (with_result(count_unknown, lambda n: n / 7),), "share or a mean"),
    ("i_2_c", (lambda t, v: sum(w in v for x in t for w in x.split()),), "does* hold"),
    ("i_2_c", (lambda t, v: count_unknown([tokenize_text(x) for x in t], v),), "split() alone"),
    ("i_3_a", ("a",), "never"),
    ("i_3_a", ("c",), "balanced sample"),
    ("i_3_a", ("d",), "noisier"),
    ("i_3_a", ("e",), "one letter"),
    ("i_3_b", (lambda r, n: r[:n],), "sorted data set"),
    ("i_3_b", (lambda r, n: r[-n:],), "sorted data set"),
    ("i_3_b", (lambda r, n: r.select([2, 3, 8, 9]),), "first"),
    ("i_3_b", (lambda r, n: balanced_first(r, 2 * n),), "`size` reviews"),
    ("ii_4_a", (str.split,), "the case"),
    ("ii_4_a", (lambda t: t.lower().split(),), "inside the tokens"),
    (
        "ii_4_a",
        (lambda t: "".join(c for c in t.lower() if c not in string.punctuation).split(),),
        "glued",
    ),
    ("ii_4_a", (lambda t: [re.sub("(es|ed|ing)$", "", w) for w in tokenize(t)],), "whole"),
    ("ii_4_a", (lambda t: sorted(tokenize(t)),), "in order"),
    ("ii_4_a", (lambda t: tokenize(t) or [""],), "empty list"),
    ("ii_4_b", ("a",), "stems"),
    ("ii_4_b", ("b",), "lower the case"),
    ("ii_4_b", ("d",), "20,000"),
    ("ii_1_a", (with_result(count_classes, lambda r: r[::-1]),), "swapped"),
    ("ii_1_a", (lambda d: (1, 2),), "without positive"),
    ("ii_1_b", (lambda d: sum(float(v.sum()) for v, _ in d),), "all vectors"),
    ("ii_1_b", (lambda d: float(np.mean([v.mean() for v, _ in d])),), "share of ones"),
    ("ii_1_b", (lambda d: float(np.mean([v[1:].sum() for v, _ in d])),), "Place 0"),
    ("ii_1_b", (lambda d: float(np.mean([len(v) for v, _ in d])),), "length of the vectors"),
    ("ii_1_c", ("b",), "unknown"),
    ("ii_1_c", ("c",), "beside the vector"),
    ("ii_1_c", ("d",), "set or not"),
    ("ii_2_a", (late_clock,), "before its body begins"),
    ("ii_2_a", (never_updates,), "update the model"),
    ("ii_2_a", (one_clock,), "new reading"),
    ("ii_2_a", (lambda m, x, o: 1.0,), "dict"),
    ("ii_2_b", ("a",), "written in C"),
    ("ii_2_b", ("b",), "dictionary"),
    ("ii_2_b", ("c",), "microseconds"),
    ("ii_2_c", (lambda c: to_csr([[*x, -1] for x in c]),), "distinct codes"),
    ("ii_2_c", (lambda c: (torch.tensor([i for x in c for i in x]), torch.tensor([0])),), "twice"),
    ("ii_2_c", (lambda c: (to_csr(c)[0], to_csr(c)[1][:-1]),), "one longer"),
    ("ii_2_c", (lambda c: (to_csr(c)[0], to_csr([x for x in c if x])[1]),), "empty review"),
    ("ii_2_c", (lambda c: tuple(t.long() for t in to_csr(c)),), "int32"),
    ("ii_2_c", (lambda c: (to_csr(c)[0].flip(0), to_csr(c)[1]),), "ascend"),
    ("ii_3", (lambda v, t: max(t, key=lambda lr: np.mean(t[lr])),), "test set"),
    ("ii_3", (lambda v, t: max(v, key=lambda lr: max(v[lr])),), "lucky seed"),
    ("ii_3", (lambda v, t: max(np.mean(x) for x in v.values()),), "that is an accuracy"),
    ("ii_3", (lambda v, t: 0.1,), "depend on"),
    ("ii_4_c", ("a",), "in pairs"),
    ("ii_4_c", ("b",), "stems"),
    ("ii_4_c", ("c",), "shorter"),
]


def tokenize_text(text: str) -> str:
    return " ".join(tokenize(text))


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_passes(name: str, capsys: pytest.CaptureFixture) -> None:
    getattr(checks, name)(*RIGHT[name])
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize("blank", [None, ...])
@pytest.mark.parametrize("name", RIGHT)
def test_an_open_answer_waits(name: str, blank: Any, capsys: pytest.CaptureFixture) -> None:
    getattr(checks, name)(*(blank for _ in RIGHT[name]))
    assert capsys.readouterr().out.startswith("…")


@pytest.mark.parametrize("name", [name for name, (first, *_) in RIGHT.items() if callable(first)])
def test_a_stub_that_returns_nothing_waits(name: str, capsys: pytest.CaptureFixture) -> None:
    getattr(checks, name)(lambda *arguments: None)
    assert "waits for your answer" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "answer", "words"), TRAPS)
def test_a_trap_is_refused_by_its_name(
    name: str, answer: tuple, words: str, capsys: pytest.CaptureFixture
) -> None:
    getattr(checks, name)(*answer)
    message = capsys.readouterr().out
    assert message.startswith("✗")
    assert words in message


def test_code_that_raises_is_reported(capsys: pytest.CaptureFixture) -> None:
    checks.i_2_c(lambda texts, vocabulary: 1 / 0)
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("variable", ["COURSE_STRICT", "NBGRADER_EXECUTION"])
def test_strict_mode_raises(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    checks.i_2_b(0)
    with pytest.raises(checks.Wrong):
        checks.i_2_b(-1)
    with pytest.raises(checks.Open):
        checks.i_2_b(None)
    with pytest.raises(ZeroDivisionError):
        checks.i_2_c(lambda texts, vocabulary: 1 / 0)
