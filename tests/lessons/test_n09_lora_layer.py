"""Notebook 09: its pictures, and that its checks tell the layers apart."""

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch

from helpers.lora import LoRALinear
from lessons.n09_lora_layer import pictures, worlds

matplotlib.use("Agg")


@pytest.mark.parametrize("r", [1, 3])
def test_low_rank_sum_states_the_sizes(r: int) -> None:
    ax = pictures.low_rank_sum(20_000, 200, r, "title")
    texts = " ".join(" ".join(text.get_text() for text in ax.texts).split())
    for rows, columns in ((200, 20_000), (200, r), (r, 20_000)):
        assert f"{rows:,} × {columns:,} = {rows * columns:,} numbers" in texts
    assert f"A x: {r} number" in texts
    assert len(ax.patches) == 3
    assert ax.get_title() == "title"
    plt.close()


def test_shares_start_at_zero_and_name_layer_and_way() -> None:
    values = {("first", "a"): 1.0, ("first", "b"): 1.01, ("first", "c"): 0.5}
    ax = pictures.shares(values | {("middle", way): 1.0 for way in "abc"}, "title")
    assert [bar.get_width() for bar in ax.patches][:3] == [1.0, 1.01, 0.5]
    assert ax.get_xlim()[0] == 0
    assert [label.get_text() for label in ax.get_yticklabels()][2] == "first layer, c"
    plt.close()


@pytest.mark.parametrize("kind", worlds.KINDS, ids=lambda kind: kind.__doc__.splitlines()[0])
def test_each_layer_of_09_4_is_sound_or_broken_as_it_says(kind: type[LoRALinear]) -> None:
    """With B = 0 only one fault shows; with another B each of them does."""
    for start, seen in ((torch.nn.init.zeros_, {worlds.Shifts}), (torch.nn.init.normal_, None)):
        layer, inputs = worlds.new_layer(kind)()
        start(layer.lora_B)
        before = layer(inputs)
        layer.merge()
        equal = torch.allclose(layer(inputs), before, atol=1e-5)
        broken = kind in seen if seen is not None else kind is not LoRALinear
        assert equal is not broken
