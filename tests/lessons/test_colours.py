"""The colours of the pictures, as readers with other cone cells see them, and on white paper.

The simulation is that of Machado, Oliveira and Fernandes, "A physiologically-based model for
simulation of color vision deficiency", IEEE TVCG 15(6), 2009, at full severity; differences are
distances in CAM02-UCS (Luo, Cui and Li, 2006), where 1 is about the smallest visible one. Both
come from colorspacious.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.text import Text

from helpers import plots
from lessons.n00_pytorch_primer import pictures as n00
from lessons.n01_vocabulary import pictures as n01
from lessons.n02_dataset import pictures as n02
from lessons.n06_evaluation_and_perplexity import pictures as n06
from lessons.n07_choosing import pictures as n07
from lessons.n10_lora_at_work import pictures as n10

#: so many curves the fullest picture of the notebooks has
CURVES = 5
#: least difference, in CAM02-UCS, of two colours that alone tell curves apart
APART = 10
#: WCAG 2.2: least contrast of what a picture cannot do without (1.4.11), and of text (1.4.3)
VISIBLE, READABLE = 3, 4.5

VISIONS = {"usual": None, "deuteranopia": "deuteranomaly", "protanopia": "protanomaly"}

Colour = tuple[float, float, float]


def seen(colour: Colour, vision: str) -> np.ndarray:
    """Return a colour (red, green, blue; 0 to 1) as it looks to somebody."""
    kind = VISIONS[vision]
    if kind is None:
        return np.asarray(colour)
    space = {"name": "sRGB1+CVD", "cvd_type": kind, "severity": 100}
    return np.clip(cspace_convert(colour, space, "sRGB1"), 0, 1)


def difference(one: Colour, other: Colour) -> float:
    """Return the smallest difference of two colours over all visions."""
    return min(float(deltaE(seen(one, vision), seen(other, vision))) for vision in VISIONS)


def contrast_with_white(colour: Colour) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    shares = np.asarray(colour)
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05))


@pytest.fixture(autouse=True)
def course_style() -> Iterator[None]:
    """Draw in the course's style, and leave no figure and no setting behind."""
    with plt.rc_context():
        plots.use_course_style()
        yield
    plt.close("all")


@pytest.fixture
def palette() -> list[Colour]:
    """Give the colours that a picture's curves get, in order."""
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    assert len(colours) >= CURVES
    return [to_rgb(colour) for colour in colours[:CURVES]]


def test_the_measures_know_good_and_bad() -> None:
    red, green = (0.80, 0.25, 0.10), (0.45, 0.50, 0.05)
    assert float(deltaE(red, green)) > 2 * APART, "easy to tell apart, for most"
    assert difference(red, green) < APART, "hard to tell apart, for some"
    assert difference((0, 0, 0), (1, 1, 1)) > 90
    assert contrast_with_white((0, 0, 0)) == pytest.approx(21)
    assert contrast_with_white((1, 1, 1)) == pytest.approx(1)
    assert contrast_with_white(to_rgb("#767676")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_of_the_palette_are_told_apart(vision: str, palette: list[Colour]) -> None:
    close = [
        (
            one,
            other,
            round(float(deltaE(seen(palette[one], vision), seen(palette[other], vision))), 1),
        )
        for one, other in combinations(range(CURVES), 2)
    ]
    assert [pair for pair in close if pair[2] < APART] == []


def test_colours_of_the_palette_stand_out_from_white(palette: list[Colour]) -> None:
    contrasts = {f"C{place}": contrast_with_white(colour) for place, colour in enumerate(palette)}
    assert {name: value for name, value in contrasts.items() if value < VISIBLE} == {}


RISING = np.linspace(0.1, 0.9, 6)
SERIES = {f"curve {number}": RISING + 0.1 * number for number in range(CURVES)}
COUNTS = {name: Counter(a=100, b=10, c=5, d=1) for name in SERIES}

#: each function that tells curves or bars apart, with as many as the fullest picture has
PICTURES: dict[str, Callable[[], Axes]] = {
    "accuracy_by_learning_rate": lambda: n07.accuracy_by_learning_rate({0.1: RISING}, ""),
    "coverage": lambda: n01.coverage(COUNTS, 2, ""),
    "guessing_curve": lambda: n06.guessing_curve([1, 2, 3], np.log([1, 2, 3]), ""),
    "ladder": lambda: n02.ladder({name: (1.0, 2.0) for name in SERIES}, ""),
    "learning_curves": lambda: plots.learning_curves(SERIES, ""),
    "review_lengths": lambda: n01.review_lengths([20, 30], [25, 60], ""),
    "spectrum": lambda: n10.spectrum(SERIES, ""),
}


@pytest.mark.parametrize("name", PICTURES)
def test_what_a_legend_names_is_told_apart(name: str) -> None:
    """By line or mark, or else by a colour that everybody tells from the other."""
    handles, labels = PICTURES[name]().get_legend_handles_labels()
    looks = dict(zip(labels, map(look, handles), strict=True))
    assert len(looks) == len(handles) >= 2
    alike = [
        (one, other)
        for one, other in combinations(looks, 2)
        if looks[one][1:] == looks[other][1:] and difference(looks[one][0], looks[other][0]) < APART
    ]
    assert alike == []


def look(handle: Artist) -> tuple[Colour, str, str]:
    """Return colour, line style and mark."""
    if isinstance(handle, Line2D):
        return to_rgb(handle.get_color()), handle.get_linestyle(), str(handle.get_marker())
    patch = handle.patches[0] if isinstance(handle, BarContainer) else handle
    colour = patch.get_facecolor() if patch.get_fill() else patch.get_edgecolor()
    return to_rgb(colour), "", ""


EDGES = [("a", "c"), ("b", "c")]
NAMES = {"a": "a", "b": "b", "c": "a + b"}
NUMBERS = {"a": 1.0, "b": 2.0, "c": 3.0}
POINTS = {size: {1: 0.0, 40: 1 / size} for size in range(1, CURVES + 1)}

#: each function that writes into the picture, on white
WRITTEN: dict[str, Callable[[], Axes]] = {
    "computation_graph": lambda: n00.computation_graph(EDGES, NAMES, NUMBERS, NUMBERS),
    "flattery_curves": lambda: n07.flattery_curves(POINTS, ""),
    "learning_curves": lambda: plots.learning_curves(SERIES, "title"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_text_in_a_picture_stands_out(name: str) -> None:
    figure = WRITTEN[name]().figure
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert len(texts) > 2
    faint = {
        text.get_text(): round(contrast, 1)
        for text in texts
        if (contrast := contrast_with_white(to_rgb(text.get_color()))) < READABLE
    }
    assert faint == {}
