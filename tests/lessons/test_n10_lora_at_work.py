"""Notebook 10: its pictures."""

import matplotlib
import matplotlib.pyplot as plt

from lessons.n10_lora_at_work import pictures as n10

matplotlib.use("Agg")


def test_every_run_draws_each_seed_in_its_settings_colour() -> None:
    runs = {"a": [[0.5, 0.6], [0.7, 0.8]], "b": [[0.1, 0.2, 0.3]]}
    ax = n10.every_run(runs, "title")
    lines = ax.get_lines()
    assert [list(line.get_ydata()) for line in lines] == [[0.5, 0.6], [0.7, 0.8], [0.1, 0.2, 0.3]]
    assert [list(line.get_xdata()) for line in lines][2] == [1, 2, 3]
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert ax.get_ylabel() == "validation accuracy"
    plt.close()


def test_spectrum_is_logarithmic_and_counts_from_one() -> None:
    ax = n10.spectrum({"a": [3.0, 0.1], "b": [1.0]}, "title")
    assert ax.get_yscale() == "log"
    assert list(ax.get_lines()[0].get_xdata()) == [1, 2]
    plt.close()
