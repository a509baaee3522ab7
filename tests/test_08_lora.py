"""Notebook 08: its checks refuse each trap with words that help, and its pictures are right."""

from collections.abc import Callable

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import checks, plots
from helpers.text import Vocabulary

matplotlib.use("Agg")


# --- right answers, and ways to spoil them -----------------------------------------------


def update(combine: Callable = lambda a, b, alpha: alpha / len(a) * b @ a) -> Callable:
    def low_rank_update(lora_A: Tensor, lora_B: Tensor, alpha: float) -> Tensor:  # noqa: N803
        return combine(lora_A, lora_B, alpha)

    return low_rank_update


def forward(
    adapter: Callable = lambda x, a, b: x @ a.T @ b.T,
    combine: Callable = lambda base, bias, adapter, scaling: base + bias + scaling * adapter,
) -> Callable:
    def lora_forward(
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor,
        lora_A: Tensor,  # noqa: N803
        lora_B: Tensor,  # noqa: N803
        scaling: float,
    ) -> Tensor:
        return combine(inputs @ weight.T, bias, adapter(inputs, lora_A, lora_B), scaling)

    return lora_forward


def formed_first(
    inputs: Tensor, weight: Tensor, bias: Tensor, a: Tensor, b: Tensor, scaling: float
) -> Tensor:
    return F.linear(inputs, weight + scaling * (b @ a), bias)


def faithful(
    start: Callable = nn.init.normal_,
    compare: Callable = lambda after, before: torch.allclose(after, before, atol=1e-5),
    off: bool = False,
    merge: bool = True,
    restore: bool = False,
) -> Callable:
    def merge_is_faithful(layer: nn.Module, inputs: Tensor) -> bool:
        start(layer.lora_B)
        before = layer.base(inputs) if off else layer(inputs)
        if merge:
            layer.merge()
        verdict = compare(layer(inputs), before)
        if restore:
            layer.unmerge()
        return verdict

    return merge_is_faithful


def adam_bytes(
    count: Callable = lambda part: 2 * part.numel() * part.element_size(), all_of_them: bool = False
) -> Callable:
    def adam_state_bytes(model: nn.Module) -> int:
        parts = [part for part in model.parameters() if all_of_them or part.requires_grad]
        return sum(count(part) for part in parts)

    return adam_state_bytes


def moved(
    lengths: Callable = lambda matrix: matrix.norm(dim=0),
    name: Callable = lambda vocabulary, codes: vocabulary.decode(codes),
    largest: bool = True,
) -> Callable:
    def most_moved(matrix: Tensor, vocabulary: Vocabulary, count: int) -> list[str]:
        codes = lengths(matrix).topk(count, largest=largest).indices.tolist()
        return name(vocabulary, codes)

    return most_moved


RIGHT = {
    "viii_1": [(update(),), (update(lambda a, b, alpha: b.mul(alpha / a.shape[0]) @ a),)],
    "viii_2": [(forward(),), (forward(lambda x, a, b: F.linear(F.linear(x, a), b)),)],
    "viii_3": [("c",), (" C ",)],
    "viii_4": [
        (faithful(),),
        (faithful(restore=True),),
        (faithful(start=nn.init.ones_),),
        (faithful(compare=lambda after, before: (after - before).abs().max() < 1e-4),),
    ],
    "viii_5": [(20_200, 4_020_802)],
    "viii_6": [(lambda curvature: 2 / curvature,)],
    "viii_7": [("a",)],
    "viii_8": [(adam_bytes(),)],
    "viii_9": [(moved(),), (moved(lambda matrix: matrix.square().sum(0)),)],
}

WRONG = [
    ("viii_1", (update(lambda a, b, alpha: alpha / len(a) * a @ b),), "A and B are swapped"),
    ("viii_1", (update(lambda a, b, alpha: alpha / len(a) * (b @ a).T),), "transposed"),
    ("viii_1", (update(lambda a, b, alpha: b @ a),), "scaling is left out"),
    ("viii_1", (update(lambda a, b, alpha: alpha * b @ a),), "divided by the rank"),
    ("viii_1", (update(lambda a, b, alpha: alpha * len(a) * b @ a),), "divided by the rank"),
    ("viii_1", (update(lambda a, b, alpha: alpha / a.shape[1] * b @ a),), "wrong side"),
    ("viii_1", (update(lambda a, b, alpha: alpha / b.shape[0] * b @ a),), "wrong side"),
    ("viii_1", (update(lambda a, b, alpha: alpha / len(a) ** 0.5 * b @ a),), "rank-stabilised"),
    ("viii_1", (update(lambda a, b, alpha: b),), "shape of W"),
    ("viii_1", (update(lambda a, b, alpha: 3.0),), "return a tensor"),
    ("viii_1", (update(lambda a, b, alpha: b @ a + 1),), "numbers are not"),
    ("viii_2", (formed_first,), "a full [out, in] matrix was formed"),
    ("viii_2", (forward(lambda x, a, b: x @ (b @ a).T),), "a full [out, in] matrix was formed"),
    ("viii_2", (forward(combine=lambda w, c, d, s: w + s * d),), "bias of the base layer"),
    ("viii_2", (forward(combine=lambda w, c, d, s: w + c),), "base layer alone"),
    ("viii_2", (forward(combine=lambda w, c, d, s: w + c + d),), "scaling is left out"),
    ("viii_2", (forward(combine=lambda w, c, d, s: s * (w + c + d)),), "update alone"),
    ("viii_2", (forward(combine=lambda w, c, d, s: w + c + s * (d + c)),), "twice"),
    ("viii_2", (forward(combine=lambda w, c, d, s: s * d),), "on top of the base"),
    ("viii_2", (forward(combine=lambda w, c, d, s: w - c + d),), "numbers are not"),
    ("viii_2", (forward(combine=lambda w, c, d, s: (w + c + s * d).squeeze()),), "[batch, out]"),
    ("viii_3", ("a",), "output at the start would be the same"),
    ("viii_3", ("b",), "any number"),
    ("viii_3", ("d",), "would not start as the old one"),
    ("viii_3", ("both",), "one letter"),
    ("viii_4", (faithful(start=nn.init.zeros_),), "a *new* adapter"),
    ("viii_4", (lambda layer, inputs: True,), "a *new* adapter"),
    ("viii_4", (faithful(merge=False),), "True to everything"),
    ("viii_4", (lambda layer, inputs: False,), "refuses a sound layer"),
    ("viii_4", (faithful(compare=torch.equal),), "exact"),
    ("viii_4", (faithful(off=True),), "adapter must be on"),
    ("viii_4", (faithful(compare=lambda a, b: not torch.allclose(a, b, atol=1e-5)),), "wrong way"),
    (
        "viii_4",
        (
            faithful(
                start=lambda b: nn.init.constant_(b, 0.001),
                compare=lambda a, b: bool((a - b).abs().max() < 0.01),
            ),
        ),
        "True to everything",
    ),
    ("viii_4", (faithful(compare=lambda a, b: (a - b).abs().max()),), "True or False"),
    ("viii_5", (4_020_802, 20_200), "swapped"),
    ("viii_5", (20_602, 4_020_802), "second layer is frozen"),
    ("viii_5", (20_400, 4_020_802), "bias of the first layer"),
    ("viii_5", (4_000_602, 4_020_802), "without an adapter"),
    ("viii_5", (20_201, 4_020_802), "A has r · in"),
    ("viii_5", (20_200, 4_000_602), "on top"),
    ("viii_5", (20_200, 4_020_200), "still count"),
    ("viii_5", (20_200, 1), "add A and B"),
    ("viii_6", (lambda curvature: 1 / curvature,), "lands in the minimum"),
    ("viii_6", (lambda curvature: 2 * curvature,), "grow with the curvature"),
    ("viii_6", (lambda curvature: curvature / 2,), "grow with the curvature"),
    ("viii_6", (lambda curvature: 0.1,), "multiply the distance"),
    ("viii_7", ("b",), "as thin as it gets"),
    ("viii_7", ("c",), "gets no gradient"),
    ("viii_7", ("d",), "not in these measurements"),
    ("viii_8", (adam_bytes(all_of_them=True),), "frozen parameters"),
    ("viii_8", (adam_bytes(lambda part: 4 * part.numel(), all_of_them=True),), "frozen parameters"),
    ("viii_8", (adam_bytes(lambda part: 4 * part.numel()),), "one moment"),
    ("viii_8", (adam_bytes(lambda part: 2 * part.numel()),), "in bytes"),
    ("viii_8", (adam_bytes(lambda part: 64 * part.numel()),), "bits"),
    ("viii_8", (adam_bytes(lambda part: 12 * part.numel()),), "parameters themselves"),
    ("viii_8", (adam_bytes(lambda part: 8 * part.numel()),), "element_size"),
    ("viii_8", (adam_bytes(lambda part: 3),), "at 4 bytes each"),
    ("viii_9", (moved(lambda matrix: matrix.norm(dim=1)),), "rows"),
    ("viii_9", (moved(name=lambda v, codes: [v.tokens[c] for c in codes]),), "off by one"),
    ("viii_9", (moved(largest=False),), "moved least"),
    ("viii_9", (moved(name=lambda v, codes: v.decode(codes)[::-1]),), "comes first"),
    ("viii_9", (moved(lambda matrix: matrix.sum(dim=0)),), "opposite sign"),
    ("viii_9", (moved(lambda matrix: matrix.sum(dim=0).abs()),), "opposite sign"),
    ("viii_9", (moved(lambda matrix: matrix.abs().sum(dim=0)),), "square before you add"),
    ("viii_9", (moved(name=lambda v, codes: codes),), "list of tokens"),
    ("viii_9", (moved(name=lambda v, codes: v.decode(codes)[:1]),), "is wrong"),
    (
        "viii_9",
        (moved(lambda matrix: matrix.norm(dim=0) * (torch.arange(matrix.shape[1]) > 0)),),
        "unknown token has a column",
    ),
]

OPEN = {
    "viii_1": [(None,), (lambda a, b, alpha: None,)],
    "viii_2": [(None,), (lambda *arguments: None,)],
    "viii_3": [(None,), (...,)],
    "viii_4": [(None,), (lambda layer, inputs: None,)],
    "viii_5": [(None, None), (20_200, None)],
    "viii_6": [(lambda curvature: None,)],
    "viii_7": [(None,)],
    "viii_8": [(lambda model: ...,)],
    "viii_9": [(lambda *arguments: None,)],
}


@pytest.fixture(autouse=True)
def not_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("COURSE_STRICT", "NBGRADER_EXECUTION"):
        monkeypatch.delenv(variable, raising=False)


def cases(table: dict[str, list]) -> list:
    return [(name, answer) for name, answers in table.items() for answer in answers]


@pytest.mark.parametrize(("name", "answers"), cases(RIGHT))
def test_right_answers_pass(
    name: str, answers: tuple, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_STRICT", "1")
    getattr(checks, name)(*answers)
    assert capsys.readouterr().out == f"✓ {name.upper().replace('_', '.')}\n"


@pytest.mark.parametrize(("name", "answers"), cases(OPEN))
def test_unanswered_exercises_are_open(
    name: str, answers: tuple, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    getattr(checks, name)(*answers)
    assert capsys.readouterr().out.startswith("… VIII.")
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(checks.Open):
        getattr(checks, name)(*answers)


@pytest.mark.parametrize(("name", "answers", "words"), WRONG)
def test_traps_are_refused_with_words_that_help(
    name: str,
    answers: tuple,
    words: str,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    getattr(checks, name)(*answers)
    said = capsys.readouterr().out
    assert said.startswith("✗ VIII."), said
    assert words in said
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(checks.Wrong):
        getattr(checks, name)(*answers)


def test_every_exercise_has_right_wrong_and_open_answers() -> None:
    names = {name for name in vars(checks) if name.startswith("viii_")}
    assert names == set(RIGHT) == set(OPEN) == {name for name, *_ in WRONG}


def test_a_check_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    for name, answers in cases(RIGHT):
        getattr(checks, name)(*answers)
    assert torch.equal(torch.rand(3), expected)


# --- pictures ----------------------------------------------------------------------------


def test_low_rank_sum_states_the_sizes() -> None:
    ax = plots.low_rank_sum(20_000, 200, 3, "title")
    texts = " ".join(text.get_text() for text in ax.texts)
    for size in ("200 × 20,000\n= 4,000,000", "200 × 3\n= 600", "3 × 20,000\n= 60,000"):
        assert size in texts
    assert len(ax.patches) == 3
    assert ax.get_title() == "title"
    plt.close()


def test_every_run_draws_each_seed_in_its_settings_colour() -> None:
    runs = {"a": [[0.5, 0.6], [0.7, 0.8]], "b": [[0.1, 0.2, 0.3]]}
    ax = plots.every_run(runs, "title")
    lines = ax.get_lines()
    assert [list(line.get_ydata()) for line in lines] == [[0.5, 0.6], [0.7, 0.8], [0.1, 0.2, 0.3]]
    assert [list(line.get_xdata()) for line in lines][2] == [1, 2, 3]
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert ax.get_ylabel() == "validation accuracy"
    plt.close()


def test_spectrum_is_logarithmic_and_counts_from_one() -> None:
    ax = plots.spectrum({"a": [3.0, 0.1], "b": [1.0]}, "title")
    assert ax.get_yscale() == "log"
    assert list(ax.get_lines()[0].get_xdata()) == [1, 2]
    plt.close()
