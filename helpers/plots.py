"""The course's style, and the pictures that several notebooks share."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from helpers.training import History

#: blue, ochre, green, brown, pink: seaborn's "colorblind" with a darker second and fourth, so
#: that each stands out from white and each pair is told apart with any two kinds of cone cells
PALETTE = ("#0173b2", "#c98500", "#029e73", "#a83c00", "#cc78bc")

#: what speaks for a positive review is blue in every picture, what speaks against it ochre
PRAISE, BLAME = "C0", "C1"


def use_course_style() -> None:
    """Give all following pictures the course's style: light grid, colour-blind safe."""
    sns.set_theme(style="whitegrid", palette=PALETTE, context="notebook")
    plt.rcParams.update({"figure.figsize": (7, 4), "figure.dpi": 100, "axes.titlesize": "medium"})


def learning_curves(
    curves: Mapping[str, Sequence[float]],
    title: str,
    ylabel: str = "mean loss [nats]",
    percent: bool = False,
    ax: Axes | None = None,
    like: Axes | None = None,
) -> Axes:
    """Draw one value an epoch, for one or several runs; epochs count from 1.

    `title` states the finding, `ylabel` what is drawn, with its unit; `percent` writes shares as
    per cent. Where `like`, the panel beside this one, is given, each curve gets the colour that
    its name has there, and a name that is not there raises a ValueError.
    """
    colours = {str(line.get_label()): line.get_color() for line in like.lines} if like else {}
    if like and (missing := [name for name in curves if name not in colours]):
        raise ValueError(
            f"The panel `like` has no curve {', '.join(missing)}, only {', '.join(colours)}."
        )
    ax = ax or plt.subplots()[1]
    for name, values in curves.items():
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values, marker=".", label=name, color=colours.get(name))
    if percent:
        ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=ylabel, title=title)
    ax.legend()
    return ax


def loss_and_score(
    history: History, title: str, loss: str, score: str, percent: bool = False
) -> np.ndarray:
    """Draw loss and score after each epoch, for train (watched) and validation, side by side.

    `loss` and `score` say what they are, with unit; `percent` writes scores as per cent.
    Returns both Axes.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for ax, kind, label in ((axes[0], "loss", loss), (axes[1], "score", score)):
        parts = {"train": history.watched, "validation": history.validation}
        both = {name: [getattr(result, kind) for result in part] for name, part in parts.items()}
        learning_curves(both, "", label, percent=percent and kind == "score", ax=ax)
    figure.suptitle(title, fontsize="medium")
    return axes


def confusion_matrix(
    matrix: np.ndarray, names: Sequence[str], title: str, ax: Axes | None = None
) -> Axes:
    """Draw a confusion matrix: counts, and their share of the row (of the true class).

    `matrix` is int [classes, classes]: entry [i, j] counts the samples of class i that were
    predicted as class j. `names` are the classes, and `title` states the finding.
    """
    ax = ax or plt.subplots(figsize=(5, 4))[1]
    shares = matrix / matrix.sum(axis=1, keepdims=True)
    texts = [
        [f"{count:,}\n{share:.1%}" for count, share in zip(*row, strict=True)]
        for row in zip(matrix, shares, strict=True)
    ]
    bar = {"label": "share of the true class", "format": PercentFormatter(1.0)}
    table = pd.DataFrame(shares, names, names)
    sns.heatmap(table, annot=texts, fmt="", cmap="Blues", vmin=0, vmax=1, cbar_kws=bar, ax=ax)
    ax.set(xlabel="predicted", ylabel="true", title=title)
    return ax


def word_contributions(
    contributions: Mapping[str, float],
    title: str,
    limit: int = 20,
    ax: Axes | None = None,
    xlabel: str = "contribution to the logit (right: positive, left: negative)",
) -> Axes:
    """Draw what each word of a review adds to the logit, in the order of the review.

    `contributions` is what `helpers.models.word_contributions` returns; only the `limit`
    largest are drawn. `title` states the finding, `xlabel` what the bars measure.
    """
    largest = sorted(contributions, key=lambda word: -abs(contributions[word]))[:limit]
    words = [word for word in contributions if word in largest]
    values = [contributions[word] for word in words]
    ax = ax or plt.subplots(figsize=(7, 1.2 + 0.26 * len(words)))[1]
    ax.barh(range(len(words)), values, color=[PRAISE if value > 0 else BLAME for value in values])
    ax.set_yticks(range(len(words)), words)
    ax.invert_yaxis()
    ax.axvline(0, color="grey")
    ax.set(xlabel=xlabel, title=title)
    return ax


def type_a_review(answer: Callable[[str], None], example: str) -> None:
    """Let the reader type a review and call ``answer(review)`` with it.

    A live page shows a text box and a button. There and elsewhere the example is answered once,
    so that the output of a notebook that is run without a page stays plain.
    """
    if find_spec("ipywidgets") is None or not _on_live_page():
        answer(example)
        return
    import ipywidgets

    box = ipywidgets.Textarea(value=example, description="review", continuous_update=False)
    box.layout = ipywidgets.Layout(width="90%", height="6em")
    settings = {"manual": True, "manual_name": "Ask the model"}
    asked = ipywidgets.interactive(lambda review: answer(review), settings, review=box)
    display(asked)
    asked.update()


def _on_live_page() -> bool:
    """Whether somebody looks at the running notebook, as far as its front end tells."""
    main = sys.modules["__main__"]
    return (
        "google.colab" in sys.modules  # Colab
        or "JPY_SESSION_NAME" in os.environ  # JupyterLab and Notebook
        or hasattr(main, "__vsc_ipynb_file__")  # VS Code
    )
