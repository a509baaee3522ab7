"""`helpers.plots`: the bars of a review and the box to type one."""

import os
import sys

import matplotlib.pyplot as plt
import pytest

from helpers import plots


@pytest.fixture(autouse=True)
def _no_open_pictures():
    yield
    plt.close("all")


def test_the_bars_stand_in_the_order_of_the_review() -> None:
    contributions = {"great": 1.0, "the": 0.01, "plot": -0.5, "!": 0.2}
    ax = plots.word_contributions(contributions, "finding", limit=3)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["great", "plot", "!"]
    assert [bar.get_width() for bar in ax.patches] == [1.0, -0.5, 0.2]
    assert ax.patches[0].get_facecolor() == ax.patches[2].get_facecolor()
    assert ax.patches[0].get_facecolor() != ax.patches[1].get_facecolor()


def test_no_words_no_bars() -> None:
    assert not plots.word_contributions({}, "finding").patches


# --- the box ------------------------------------------------------------------------------


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list:
    """What is displayed, instead of displaying it."""
    objects: list = []
    monkeypatch.setattr(plots, "display", lambda *things, **_: objects.extend(things))
    return objects


def test_without_a_page_the_example_is_answered_once(no_page: None, shown: list) -> None:
    seen: list[str] = []
    plots.type_a_review(seen.append, "an example")
    assert seen == ["an example"]
    assert not shown


def test_without_ipywidgets_the_example_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook.ipynb")
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    seen: list[str] = []
    plots.type_a_review(seen.append, "an example")
    assert seen == ["an example"]


def test_on_a_page_the_button_answers_what_was_typed(
    monkeypatch: pytest.MonkeyPatch, shown: list
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook.ipynb")
    seen: list[str] = []
    plots.type_a_review(seen.append, "an example")
    assert seen == ["an example"], "the example is answered at once"
    (box,) = shown
    area, button = box.children[:2]
    assert area.value == "an example"
    assert button.description == "Ask the model"
    area.value = "typed by the reader"
    assert seen == ["an example"], "nothing happens before the button is pressed"
    button.click()
    assert seen == ["an example", "typed by the reader"]


@pytest.mark.parametrize("page", ["jupyter", "colab", "vscode"])
def test_a_page_is_recognised(page: str, no_page: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not plots._on_live_page()
    if page == "jupyter":
        monkeypatch.setenv("JPY_SESSION_NAME", "notebook.ipynb")
    elif page == "colab":
        monkeypatch.setitem(sys.modules, "google.colab", os)
    else:
        monkeypatch.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", "x", raising=False)
    assert plots._on_live_page()
