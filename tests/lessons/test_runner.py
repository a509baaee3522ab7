"""The runner: how an answer is called, compared and judged, whatever it does."""

import subprocess
import sys
import warnings
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from lessons import exercises
from lessons.calling import MOST_CHARACTERS, Raised, call, fingerprint, is_gap
from lessons.comparing import in_words, same
from lessons.exercises import Checks
from lessons.judging import Open, Wrong, judge


def mean(values: list) -> float:
    return sum(values) / len(values)


@pytest.fixture
def check() -> Checks:
    checks = Checks()
    checks.exercise(
        "A.1",
        mean,
        inputs=[([1.0, 2.0, 6.0],), ([4.0],), ([0.5, 0.25],)],
        mistakes=[
            ("that is the sum.", sum),
            ("that is the largest.", max),
            (
                "one number is asked.",
                lambda values: values,
                lambda found, values: isinstance(found, list),
            ),
        ],
        otherwise="Add up, divide.",
    )
    checks.choice("A.2", right="b", wrong={"a": "no: a.", "c": "no: c."})
    checks.choice("A.3", right="ac", wrong={"b": "no: b.", "d": "no: d."})
    return checks


def said(check, capsys, name: str, *answers: object) -> str:
    getattr(check, name)(*answers)
    return capsys.readouterr().out


# --- verdicts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        mean,
        np.mean,
        lambda values: torch.tensor(values).mean(),
        lambda values: np.float32(mean(values)),
        lambda values: torch.tensor([mean(values)]),
    ],
)
def test_any_reasonable_type_passes(check, capsys, answer) -> None:
    assert said(check, capsys, "a_1", answer) == "✓ A.1\n"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (sum, "that is the sum."),
        (lambda values: max(values), "that is the largest."),
        (lambda values: values, "one number is asked."),
        (lambda values: 3.0, "3 for every input of the check. Add up, divide."),
        (lambda values: "3", "a single number is wanted for values = [1, 2, 6]; this is a str"),
        (lambda values: mean(values) + 1, "4 is wrong for values = [1, 2, 6]. Add up, divide."),
        (lambda values: None if len(values) == 1 else mean(values), "without `return`"),
        (3.0, "hand over the function itself, not 3"),
    ],
)
def test_a_wrong_answer_gets_the_sentence_that_fits(check, capsys, answer, words) -> None:
    line = said(check, capsys, "a_1", answer)
    assert line.startswith("✗ A.1: ")
    assert words in line


def test_the_first_wrong_value_of_several_is_explained(capsys) -> None:
    checks = Checks()
    checks.exercise(
        "A.1",
        lambda x: (x, 2 * x),
        inputs=[(1,), (5,)],
        mistakes=[
            ("double it once.", lambda x: (x, 4 * x)),
            ("that is one more.", lambda x: (x + 1, 2 * x)),
        ],
    )
    assert "✗ A.1: double it once." in said(checks, capsys, "a_1", lambda x: (x, 4 * x))
    assert "✗ A.1: that is one more." in said(checks, capsys, "a_1", lambda x: (x + 1, 7))
    assert "value 2 of 2 should not be 7" in said(checks, capsys, "a_1", lambda x: (x, 7))


def gap(values):
    """Return the mean."""


@pytest.mark.parametrize("answer", [None, ..., gap, lambda values: None, lambda values: ...])
def test_an_open_answer_waits(check, capsys, answer) -> None:
    assert said(check, capsys, "a_1", answer).startswith("… A.1 waits for your answer.")


def test_an_error_names_the_students_line_the_input_and_the_slip(check, capsys) -> None:
    def answer(values):
        return torch.tensor([1, 2]).mean()

    line = said(check, capsys, "a_1", answer)
    assert "`return torch.tensor([1, 2]).mean()`" in line
    assert "for values = [1, 2, 6]" in line
    assert "A mean needs floats" in line


class Forgetful:
    def __init__(self) -> None:
        samples = [1]  # noqa: F841


def endless(values):
    return endless(values)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (endless, "calls itself without end"),
        (lambda values: ids[0], "through `self.`"),  # noqa: F821
        (lambda values: Forgetful().samples, "__init__ makes it: `self.… = …`"),
        (lambda values: values[: 2 / 2], "`//` divides to a whole number"),
        (lambda values: range(2 / 2), "`//` divides to a whole number"),
        (lambda values: nn.BCEWithLogitsLoss()(torch.ones(2, 1), torch.ones(2)), "same shape"),
    ],
)
def test_common_slips_are_told_by_the_words_of_the_error(check, capsys, answer, words) -> None:
    assert words in said(check, capsys, "a_1", answer)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("b", "✓"),
        ("B)", "✓"),
        ("(b)", "✓"),
        ("b.", "✓"),
        (["b"], "✓"),
        ("a", "no: a."),
        ("e", "answer with one letter: a, b, c."),
        ("a, b", "one letter"),
        (2, "one letter"),
    ],
)
def test_a_letter_in_any_form(check, capsys, answer, verdict) -> None:
    assert verdict in said(check, capsys, "a_2", answer)


@pytest.mark.parametrize(
    "answer", ["ac", "a, c", "a and c", "C A", ["a", "c"], {"c", "a"}, ("a", "c")]
)
def test_letters_in_any_form(check, capsys, answer) -> None:
    assert said(check, capsys, "a_3", answer) == "✓ A.3\n"


@pytest.mark.parametrize(("answer", "words"), [("ab", "not b: no: b."), ("a", "2 answers are")])
def test_wrong_letters(check, capsys, answer, words) -> None:
    assert words in said(check, capsys, "a_3", answer)


# --- what an answer may not do --------------------------------------------------------------


def test_an_argument_changed_in_place_is_named(capsys) -> None:
    checks = Checks()
    checks.exercise("A.1", lambda x: x + 1, inputs=[(torch.zeros(2),), (torch.ones(3),)])
    assert "changes `x` in place" in said(checks, capsys, "a_1", lambda x: x.add_(1))


class Doubling(nn.Module):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return 2 * inputs


def test_a_model_left_in_another_mode_is_a_changed_argument(capsys) -> None:
    checks = Checks()
    inputs = [lambda: (Doubling(), torch.ones(2)), lambda: (Doubling(), torch.zeros(3))]
    checks.exercise("A.1", lambda model, x: model(x), inputs=inputs)
    assert "changes `model`" in said(checks, capsys, "a_1", lambda model, x: model.eval()(x))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda: torch.set_grad_enabled(False), "gradients are recorded"),
        (lambda: torch.set_default_dtype(torch.float64), "default dtype"),
        (lambda: torch.set_default_device("meta"), "default device"),
    ],
)
def test_a_setting_left_changed_is_named_and_restored(check, capsys, spoil, words) -> None:
    def answer(values):
        spoil()
        return mean(values)

    assert words in said(check, capsys, "a_1", answer)
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32
    assert torch.get_default_device() == torch.device("cpu")
    assert said(check, capsys, "a_1", mean) == "✓ A.1\n"


@pytest.mark.parametrize(
    ("spoil", "restore"),
    [
        (lambda: torch.set_grad_enabled(False), lambda: torch.set_grad_enabled(True)),
        (
            lambda: torch.set_default_dtype(torch.float64),
            lambda: torch.set_default_dtype(torch.float32),
        ),
        (lambda: torch.set_default_device("meta"), lambda: torch.set_default_device(None)),
    ],
)
def test_settings_outside_do_not_matter_and_stay(check, capsys, spoil, restore) -> None:
    spoil()
    try:
        assert said(check, capsys, "a_1", lambda v: torch.tensor(v).mean()) == "✓ A.1\n"
        settings = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_default_device()
    finally:
        restore()
    assert settings != (True, torch.float32, torch.device("cpu"))


def test_random_numbers_and_warnings_stay_the_students(check, capsys) -> None:
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    before, filters = torch.get_rng_state(), [*warnings.filters]

    def answer(values):
        torch.rand(3)
        np.random.rand(3)  # noqa: NPY002
        warnings.simplefilter("ignore")
        return mean(values)

    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    assert said(check, capsys, "a_1", answer) == "✓ A.1\n"
    assert torch.equal(torch.get_rng_state(), before)
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    assert warnings.filters == filters


def test_what_is_right_at_the_first_call_only_is_refused(check, capsys) -> None:
    seen: list = []

    def answer(values):
        seen.extend(values)
        return mean(seen[: len(values)]) if len(seen) == len(values) else mean(seen)

    assert "✗" in said(check, capsys, "a_1", answer)
    counts = iter(range(100))
    assert "second call" in said(
        check, capsys, "a_1", lambda values: mean(values) + 10 * (next(counts) % 2)
    )


def test_output_is_capped(check, capsys) -> None:
    def answer(values):
        print("x" * 5_000_000)
        for _ in range(100):
            print("line")
        return mean(values)

    text = said(check, capsys, "a_1", answer)
    assert len(text) < MOST_CHARACTERS + 100
    assert text.endswith("left out)\n✓ A.1\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interruption_leaves_a_line_and_a_verdict(check, capsys, error) -> None:
    def answer(values):
        raise error

    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            check.a_1(answer)
    else:
        check.a_1(answer)
    assert capsys.readouterr().out.startswith("✗ A.1")
    assert check.verdicts["A.1"] == "✗"


# --- classes ------------------------------------------------------------------------------


class Scaled(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * x


def test_a_class_is_made_and_used_by_the_probe(capsys) -> None:
    class Half(nn.Module):
        def __init__(self, factor):
            super().__init__()

        def forward(self, x):
            """Return the scaled input."""

    class Forgets(nn.Module):
        def __init__(self, factor):
            self.layer = nn.Linear(1, 1)

        def forward(self, x):
            return x

    class Ignores(Scaled):
        def forward(self, x):
            return x

    checks = Checks()
    checks.exercise(
        "A.1",
        Scaled,
        probe=lambda cls, factor, x: cls(factor)(x),
        inputs=[(2.0, torch.ones(2)), (3.0, torch.ones(1))],
        mistakes=[("the factor is not used.", Ignores)],
    )
    assert said(checks, capsys, "a_1", Scaled) == "✓ A.1\n"
    assert "The method forward is not written yet" in said(checks, capsys, "a_1", Half)
    assert "first line of __init__" in said(checks, capsys, "a_1", Forgets)
    assert "the factor is not used." in said(checks, capsys, "a_1", Ignores)


def test_a_probe_may_refuse_in_its_own_words(capsys) -> None:
    def seen(answer, values):
        if answer(values) < 0:
            raise Wrong("a mean of positive numbers below zero.")
        return answer(values)

    checks = Checks()
    inputs = [([1.0, 2.0],), ([3.0],)]
    checks.exercise("A.1", mean, probe=seen, inputs=inputs, mistakes=[("the sum.", sum)])
    assert said(checks, capsys, "a_1", mean) == "✓ A.1\n"
    assert said(checks, capsys, "a_1", sum) == "✗ A.1: the sum.\n"
    line = "✗ A.1: a mean of positive numbers below zero.\n"
    assert said(checks, capsys, "a_1", lambda values: -1) == line


def run(code: str) -> str:
    """Run code in a process of its own; return what it prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# --- calling and judging are two things -----------------------------------------------------


def test_calling_needs_no_exercise_and_judging_no_answer(check) -> None:
    exercise = check.exercises["A.1"]
    calls = call(sum, exercise.inputs)
    with pytest.raises(Wrong, match="that is the sum"):
        judge(exercise, calls)
    judge(exercise, call(mean, exercise.inputs))
    with pytest.raises(Open):
        judge(exercise, call(lambda values: None, exercise.inputs))


def test_the_module_that_calls_loads_no_exercise() -> None:
    code = (
        "import sys, lessons.calling; print(*(m for m in sys.modules if m.startswith('lessons')))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == ["lessons", "lessons.calling"]


def test_strict_raises_after_the_line(check, capsys, monkeypatch) -> None:
    monkeypatch.setattr(exercises, "STRICT", True)
    monkeypatch.setenv("COURSE_STRICT", "0")
    with pytest.raises(Wrong):
        check.a_1(sum)
    with pytest.raises(Open):
        check.a_2(None)
    check.a_1(mean)
    assert capsys.readouterr().out.splitlines()[0] == "✗ A.1: that is the sum."


@pytest.mark.parametrize("variable", ["COURSE_STRICT", "NBGRADER_EXECUTION"])
@pytest.mark.parametrize("value", ["1", "0", ""])
def test_what_makes_checks_strict(variable, value, monkeypatch) -> None:
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setenv(variable, value)
    found = run("from lessons import exercises; print(exercises.STRICT)")
    strict = value == "1" or (variable == "NBGRADER_EXECUTION" and value == "0")
    assert found.strip() == str(strict)


def test_a_label_is_given_once_and_an_unknown_check_names_the_others(check) -> None:
    with pytest.raises(ValueError, match=r"A\.1"):
        check.exercise("A.1", mean)
    with pytest.raises(AttributeError, match="There are: a_1, a_2, a_3"):
        check.b_1  # noqa: B018


# --- comparing ----------------------------------------------------------------------------


class Pair(NamedTuple):
    left: int
    right: int


@pytest.mark.parametrize(
    ("found", "expected", "equal"),
    [
        (3, 3.0, True),
        (np.int64(3), 3, True),
        (torch.tensor(3), 3, True),
        (True, 1, True),
        (3.0001, 3, False),
        (3.00001, 3.0, True),
        (float("nan"), float("nan"), True),
        ("3", 3, False),
        (torch.tensor([1, 2]), 1, False),
        ([1, 2], (1, 2), True),
        (Pair(1, 2), (1, 2), True),
        (np.array([1, 2]), [1, 2], True),
        (torch.tensor([1.0, 2.0]), (1, 2), True),
        ([1, 2, 3], (1, 2), False),
        ("ab", ["a", "b"], False),
        ([[1.0], [2.0]], torch.tensor([[1.0], [2.0]]), True),
        (torch.ones(2, 1), torch.ones(2), False),
        (torch.ones(2, dtype=torch.int64), torch.ones(2), True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (None, None, True),
        (Raised("ValueError", "3 is bad"), Raised("ValueError", "4 is bad"), True),
        (Raised("ValueError", "bad"), Raised("TypeError", "bad"), False),
        (3, Raised("ValueError", "bad"), False),
    ],
)
def test_same(found, expected, equal) -> None:
    assert same(found, expected) is equal


def test_a_model_is_shown_by_its_name() -> None:
    """Its text has many lines, of which the first ends in a bracket."""
    assert in_words(nn.Sequential(nn.Linear(2, 1))) == "Sequential"


def test_only_the_error_of_a_loss_speaks_of_logits(check, capsys) -> None:
    line = said(check, capsys, "a_1", lambda values: torch.ones(3).expand(2))
    assert "expanded size" in line
    assert "ogits" not in line


def test_a_gap_is_told_from_a_function() -> None:
    def documented():
        """Do nothing."""

    def dots(): ...

    def works():
        return 0

    assert is_gap(documented)
    assert is_gap(dots)
    assert is_gap(lambda: None)
    assert not is_gap(works)
    assert not is_gap(len)


def test_a_fingerprint_sees_what_changes() -> None:
    model = nn.Linear(2, 1)
    before = fingerprint([model, {"a": torch.ones(2)}, np.ones(2)])
    assert fingerprint([model, {"a": torch.ones(2)}, np.ones(2)]) == before
    model(torch.ones(2)).backward()
    assert fingerprint([model, {"a": torch.ones(2)}, np.ones(2)]) != before
