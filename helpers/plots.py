"""The course's pictures: one function each, each returns its Axes."""

import os
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import cycle, pairwise

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter
from scipy.stats import binom
from sklearn.metrics import auc, roc_curve
from torch import Tensor

#: blue, ochre, green, brown, pink: seaborn's "colorblind" with a darker second and fourth, so
#: that each stands out from white and each pair is told apart with any two kinds of cone cells
PALETTE = ("#0173b2", "#c98500", "#029e73", "#a83c00", "#cc78bc")


def use_course_style() -> None:
    """Give all following pictures the course's style: light grid, colour-blind safe."""
    sns.set_theme(style="whitegrid", palette=PALETTE, context="notebook")
    plt.rcParams.update({"figure.figsize": (7, 4), "figure.dpi": 100, "axes.titlesize": "medium"})


def zipf(counts: Mapping[str, Sequence[int]], title: str, ax: Axes | None = None) -> Axes:
    """Draw token counts against their rank, both axes logarithmic.

    Parameters
    ----------
    counts : mapping of str to sequence of int
        For each curve its name and the counts of its tokens, in any order.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for name, values in counts.items():
        ordered = np.sort(np.asarray(values))[::-1]
        ax.loglog(np.arange(1, len(ordered) + 1), ordered, label=name)
    ranks = np.array([1, 1e5])
    top = max(max(values) for values in counts.values())
    ax.loglog(ranks, top / ranks, "--", color="grey", label="count ∝ 1 / rank")
    ax.set(xlabel="rank of the token", ylabel="occurrences", title=title)
    ax.legend()
    return ax


def coverage(
    counts: Mapping[str, Sequence[int]], size: int, title: str, ax: Axes | None = None
) -> Axes:
    """Draw the share of all occurrences that the most frequent tokens cover.

    Parameters
    ----------
    counts : mapping of str to sequence of int
        For each curve its name and the counts of its tokens, in any order.
    size : int
        Vocabulary size to mark.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for name, values in counts.items():
        ordered = np.sort(np.asarray(values))[::-1]
        ax.semilogx(np.arange(1, len(ordered) + 1), np.cumsum(ordered) / ordered.sum(), label=name)
    ax.axvline(size, color="grey", linestyle="--", label=f"{size:,} tokens")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set(xlabel="vocabulary size", ylabel="share of all tokens covered", title=title)
    ax.legend()
    return ax


def review_lengths(
    negative: Sequence[int], positive: Sequence[int], title: str, ax: Axes | None = None
) -> Axes:
    """Draw the distribution of review lengths (in words) for each class."""
    ax = ax or plt.subplots()[1]
    bins = np.geomspace(10, 2_500, 50)
    for name, lengths in (("negative", negative), ("positive", positive)):
        ax.hist(lengths, bins=bins, histtype="step", linewidth=2, label=name)
        ax.axvline(np.mean(lengths), color=ax.patches[-1].get_edgecolor(), linestyle="--")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set(xlabel="words in the review (dashed: mean)", ylabel="reviews", title=title)
    ax.legend()
    return ax


def ladder(seconds: Mapping[str, tuple[float, float]], title: str, ax: Axes | None = None) -> Axes:
    """Draw, for each way to feed a model, the seconds to iterate and to train an epoch.

    Parameters
    ----------
    seconds : mapping of str to (float, float)
        For each rung its name, the seconds to iterate and the seconds to train.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    places = np.arange(len(seconds))
    for shift, column, name in ((-0.2, 0, "iterate"), (0.2, 1, "train")):
        values = [pair[column] for pair in seconds.values()]
        bars = ax.barh(places + shift, values, height=0.38, label=f"{name} an epoch")
        ax.bar_label(bars, fmt="%.2f s", padding=3, fontsize="small")
    ax.set_yticks(places, list(seconds))
    ax.grid(visible=False, axis="y")
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.margins(x=0.15)
    ax.set(xlabel="seconds for 25,000 reviews (logarithmic)", title=title)
    ax.legend(loc="lower right")
    return ax


def accuracy_by_learning_rate(
    accuracies: Mapping[float, Sequence[float]], title: str, ax: Axes | None = None
) -> Axes:
    """Draw accuracy against learning rate (logarithmic): a dot a seed, a line of means.

    Parameters
    ----------
    accuracies : mapping of float to sequence of float
        For each learning rate the accuracy of each seed.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    rates = sorted(accuracies)
    ax.plot(rates, [np.mean(accuracies[rate]) for rate in rates], "-", label="mean")
    for rate in rates:
        dots = ax.plot([rate] * len(accuracies[rate]), accuracies[rate], "o", color="C1", alpha=0.7)
    dots[0].set_label("one seed")
    ax.axhline(0.5, color="grey", linestyle="--", label="guessing")
    ax.set_xscale("log")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set(xlabel="learning rate (logarithmic)", ylabel="validation accuracy", title=title)
    ax.legend()
    return ax


# --- 06 and 07: evaluation, the final pipeline -------------------------------------------


def guessing_curve(
    class_counts: Sequence[int], losses: Sequence[float], title: str, ax: Axes | None = None
) -> Axes:
    """Draw exp(loss) of a guessing model against the number of classes, and the trap 1/N.

    Parameters
    ----------
    class_counts : sequence of int
        Numbers of classes.
    losses : sequence of float
        The cross-entropy of equal logits for each, in nats.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    counts = np.asarray(class_counts)
    ax.plot(counts, counts, color="grey", linewidth=1, label="N")
    ax.plot(counts, np.exp(losses), "o", color="C0", label="exp(cross-entropy), computed")
    ax.plot(counts, 1 / counts, "s--", color="C1", label="1 / N (the trap)")
    ax.axhspan(0, 1, color="grey", alpha=0.25)
    ax.text(counts.max(), 0.62, "impossible", ha="right", va="center", style="italic")
    ax.set_ylim(0, None)
    ax.set(xlabel="number of classes N", ylabel="perplexity", title=title)
    ax.legend()
    return ax


def confusion_matrix(
    matrix: np.ndarray, names: Sequence[str], title: str, ax: Axes | None = None
) -> Axes:
    """Draw a confusion matrix: counts, and their share of the row (of the true class).

    Parameters
    ----------
    matrix : ndarray [classes, classes]
        int; entry [i, j] counts the samples of class i that were predicted as class j.
    names : sequence of str
        The classes.
    title : str
        The finding.
    """
    ax = ax or plt.subplots(figsize=(5, 4))[1]
    shares = matrix / matrix.sum(axis=1, keepdims=True)
    pairs = zip(matrix.ravel(), shares.ravel(), strict=True)
    texts = np.array([f"{count:,}\n{share:.1%}" for count, share in pairs])
    sns.heatmap(
        shares,
        annot=texts.reshape(matrix.shape),
        fmt="",
        cmap="Blues",
        vmin=0,
        vmax=1,
        xticklabels=names,
        yticklabels=names,
        cbar_kws={"label": "share of the true class", "format": PercentFormatter(1.0)},
        ax=ax,
    )
    ax.set(xlabel="predicted", ylabel="true", title=title)
    return ax


def flattery_curves(
    points: Mapping[int, Mapping[int, float]], title: str, ax: Axes | None = None
) -> Axes:
    """Draw by how much the best score on an exam flatters, against the number of tries.

    Parameters
    ----------
    points : mapping of int to mapping of int to float
        For each size of the exam, for each number of models tried, the mean of
        (score on the exam − score elsewhere) of the model chosen, as a share.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for size, by_tries in points.items():
        tries, values = list(by_tries), [100 * value for value in by_tries.values()]
        ax.plot(tries, values, marker="o")
        ax.annotate(
            f"exam of {size:,} reviews",
            (tries[-1], values[-1]),
            xytext=(0, 6),
            textcoords="offset points",
            ha="right",
        )
    ax.axhline(0, color="grey", linestyle="--")
    ax.margins(y=0.12)
    ax.set(xlabel="models tried", ylabel="flattery [percentage points]", title=title)
    return ax


def word_contributions(
    contributions: Mapping[str, float],
    title: str,
    limit: int = 20,
    ax: Axes | None = None,
    xlabel: str = "contribution to the logit (right: positive, left: negative)",
) -> Axes:
    """Draw what each word of a review adds to the logit, in the order of the review.

    Parameters
    ----------
    contributions : mapping of str to float
        As `helpers.models.word_contributions` returns it.
    title : str
        The finding.
    limit : int
        Draw only the words with the largest contributions, at most so many.
    xlabel : str
        What the bars measure.
    """
    largest = sorted(contributions, key=lambda word: -abs(contributions[word]))[:limit]
    words = [word for word in contributions if word in largest]
    values = [contributions[word] for word in words]
    ax = ax or plt.subplots(figsize=(7, 1.2 + 0.26 * len(words)))[1]
    ax.barh(range(len(words)), values, color=["C0" if value > 0 else "C1" for value in values])
    ax.set_yticks(range(len(words)), words)
    ax.invert_yaxis()
    ax.axvline(0, color="grey")
    ax.set(xlabel=xlabel, title=title)
    return ax


def type_a_review(answer: Callable[[str], None], example: str) -> None:
    """Let the reader type a review and call ``answer(review)`` with it.

    On a live page (Colab, JupyterLab, Notebook, VS Code) a text box and a button
    appear, and the example is answered at once. Elsewhere, as when a notebook is
    executed without a page, or without ipywidgets, ``answer(example)`` is called once,
    so that its output stays a plain one.
    """
    try:
        import ipywidgets
    except ImportError:
        ipywidgets = None
    if ipywidgets is None or not _on_live_page():
        answer(example)
        return
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


# --- 00 and 09 to 11: graph, boundary, curves, explained variance -------------------------


def computation_graph(
    edges: Sequence[tuple[Hashable, Hashable]],
    labels: Mapping[Hashable, str],
    values: Mapping[Hashable, float],
    gradients: Mapping[Hashable, float] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a computation graph from its inputs (left) to its result (right).

    Parameters
    ----------
    edges : sequence of pairs
        From a node to the node that is computed with it; together they have one result.
    labels : mapping of node to str
        What to write into each node.
    values : mapping of node to float
        The forward pass, written under the labels.
    gradients : mapping of node to float, optional
        The backward pass: d result / d node, written below the boxes.
    title : str
        The finding.
    """
    ax = ax or plt.subplots(figsize=(8, 3))[1]
    positions = _graph_positions(edges)
    boxes = {}
    for node, (x, y) in positions.items():
        boxes[node] = ax.text(
            x,
            y,
            f"{labels[node]}\n{values[node]:g}",
            ha="center",
            va="center",
            bbox={"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": "C0"},
        )
        if gradients is not None:
            text = f"gradient {gradients[node]:g}"
            ax.text(x, y - 0.42, text, ha="center", va="center", color="C3", fontsize="small")
    for start, end in edges:
        arrow = {"arrowstyle": "-|>", "color": "grey", "shrinkA": 2, "shrinkB": 2}
        arrow |= {"patchA": boxes[start].get_bbox_patch(), "patchB": boxes[end].get_bbox_patch()}
        ax.annotate("", positions[end], positions[start], arrowprops=arrow)
    columns, rows = zip(*positions.values(), strict=True)
    ax.set(xlim=(min(columns) - 0.6, max(columns) + 0.6), ylim=(min(rows) - 0.7, max(rows) + 0.5))
    ax.set_title(title)
    ax.axis("off")
    return ax


def _graph_positions(
    edges: Sequence[tuple[Hashable, Hashable]],
) -> dict[Hashable, tuple[float, float]]:
    """Place each node: the column is its distance from the result, inputs stand above."""
    ends = {end for _, end in edges}
    distance = {end: 0 for end in ends - {start for start, _ in edges}}
    for _ in edges:  # longest paths: as many rounds as there are edges are always enough
        for start, end in edges:
            if end in distance:
                distance[start] = max(distance.get(start, 0), distance[end] + 1)
    columns: dict[int, list[Hashable]] = {}
    for node in sorted(distance, key=lambda node: node not in ends):  # results before inputs
        columns.setdefault(distance[node], []).append(node)
    return {
        node: (-float(column), float(row))
        for column, nodes in columns.items()
        for row, node in enumerate(nodes)
    }


@torch.no_grad()
def decision_boundary(
    model: torch.nn.Module,
    points: Tensor,
    targets: Tensor,
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw what a two-class model says all over the plane, and the samples on top.

    Parameters
    ----------
    model : nn.Module
        Takes float32 [batch, 2], returns logits [batch].
    points : Tensor [samples, 2]
        Where the samples are; they also set the limits of the picture.
    targets : Tensor [samples]
        0 or 1.
    title : str
        The finding.
    """
    ax = ax or plt.subplots(figsize=(6, 4))[1]
    points, targets = points.cpu(), targets.cpu()
    low, high = points.amin(0) - 0.4, points.amax(0) + 0.4
    xs, ys = (torch.linspace(low[axis], high[axis], 200) for axis in (0, 1))
    grid = torch.cartesian_prod(xs, ys)  # [200 · 200, 2], x changes slowly
    device = next(model.parameters()).device
    probabilities = torch.sigmoid(model(grid.to(device))).cpu().view(200, 200).T.numpy()
    colors = sns.color_palette(PALETTE)[:2]
    shades = LinearSegmentedColormap.from_list("classes", [colors[0], "white", colors[1]])
    filled = ax.contourf(
        xs, ys, probabilities, levels=np.linspace(0, 1, 11), cmap=shades, alpha=0.6
    )
    ax.contour(xs, ys, probabilities, levels=[0.5], colors="black", linewidths=2)
    for label, marker in enumerate("o^"):
        style = {"marker": marker, "color": colors[label], "edgecolor": "black", "linewidth": 0.4}
        ax.scatter(*points[targets == label].T, s=18, label=f"class {label}", **style)
    ax.figure.colorbar(filled, ax=ax, label="predicted probability of class 1")
    ax.set(xlabel="first coordinate", ylabel="second coordinate", title=title)
    ax.grid(False)
    ax.legend()
    return ax


def learning_curves(
    curves: Mapping[str, Sequence[float]],
    title: str,
    ylabel: str = "mean loss [nats]",
    percent: bool = False,
    ax: Axes | None = None,
    like: Axes | None = None,
) -> Axes:
    """Draw one value an epoch, for one or several runs; epochs count from 1.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        For each curve its name and its values.
    title : str
        The finding.
    ylabel : str
        What is drawn, with its unit.
    percent : bool
        Write the values, which are shares, as per cent.
    like : Axes, optional
        The panel beside this one: each curve gets the colour that its name has there.

    Raises
    ------
    ValueError
        If `like` has no curve of that name.
    """
    colours = {line.get_label(): line.get_color() for line in like.lines} if like else {}
    if like and not set(curves) <= set(colours):
        missing = ", ".join(name for name in curves if name not in colours)
        raise ValueError(
            f"The panel `like` has no curve {missing}, only {', '.join(colours)}. Draw the curves "
            "of both panels under the same names, or leave `like` out."
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


def explained_variance(
    ratios: Sequence[float],
    title: str,
    scores: Mapping[int, float] | None = None,
    score_label: str = "accuracy",
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of the variance that the first k components hold together.

    Parameters
    ----------
    ratios : sequence of float
        Each component's share of the variance, the first component first.
    title : str
        The finding.
    scores : mapping of int to float, optional
        For some numbers of components, a share reached with them, drawn beside.
    score_label : str
        What `scores` are.
    """
    ax = ax or plt.subplots()[1]
    ks = np.arange(1, len(ratios) + 1)
    ax.semilogx(ks, np.cumsum(ratios), label="explained variance")
    if scores is not None:
        ax.semilogx(list(scores), list(scores.values()), "o--", label=score_label)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set(xlabel="components kept", ylabel="share", ylim=(0, 1), title=title)
    ax.legend(loc="lower right")
    return ax


# --- 03 · The DataLoader ----------------------------------------------------------------


def batch_losses(
    losses: Mapping[str, Sequence[float]], batches_per_epoch: int, title: str
) -> np.ndarray:
    """Draw the loss of every batch, one panel a run, with a line where an epoch ends.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        For each run its name and its batch losses in nats, in the order of training.
    batches_per_epoch : int
        Where the lines go.
    title : str
        The finding.

    Returns
    -------
    array of Axes
        One for each run.
    """
    figure, axes = plt.subplots(
        len(losses), 1, figsize=(7, 2.1 * len(losses) + 0.6), sharex=True, squeeze=False
    )
    for ax, (name, values), color in zip(
        axes[:, 0], losses.items(), sns.color_palette(), strict=False
    ):
        updates = np.arange(1, len(values) + 1)
        ax.plot(updates, np.asarray(values), linewidth=1, color=color)
        for end in range(batches_per_epoch, len(values), batches_per_epoch):
            ax.axvline(end + 0.5, color="grey", linestyle="--", linewidth=1)
        ax.set(title=name, ylabel="loss [nats]", ylim=(0, None))
    axes[-1, 0].set(xlabel="updates (dashed: an epoch ends)")
    figure.suptitle(title, fontsize="medium")
    figure.tight_layout()
    return axes[:, 0]


def gradient_agreement(cosines: Mapping[int, Sequence[float]], title: str) -> Axes:
    """Draw how well the gradients of batches point where the gradient of all data points.

    Parameters
    ----------
    cosines : mapping of int to sequence of float
        For each batch size the cosines between both gradients, one for each batch drawn.
    title : str
        The finding.
    """
    ax = plt.subplots()[1]
    sizes = list(cosines)
    sns.stripplot(
        x=np.repeat(sizes, [len(cosines[size]) for size in sizes]),
        y=np.concatenate([np.asarray(cosines[size]) for size in sizes]),
        order=sizes,
        color=sns.color_palette()[0],
        alpha=0.5,
        ax=ax,
    )
    means = [np.mean(cosines[size]) for size in sizes]
    ax.plot(range(len(sizes)), means, "o-", color=sns.color_palette()[1], label="mean")
    ax.set(xlabel="reviews in the batch", ylabel="cosine with the full gradient", title=title)
    ax.legend()
    return ax


def positive_shares(
    shares: Sequence[float], batch_size: int, probability: float, title: str
) -> Axes:
    """Draw how many batches have how many positives, beside the binomial distribution.

    Parameters
    ----------
    shares : sequence of float
        The share of positives in each batch of `batch_size`.
    batch_size : int
        Samples in a batch.
    probability : float
        The share of positives in the data set.
    title : str
        The finding.
    """
    ax = plt.subplots()[1]
    positives = np.rint(np.asarray(shares) * batch_size).astype(int)
    first, last = binom.ppf([1e-4, 1 - 1e-4], batch_size, probability).astype(int)
    numbers = np.arange(min(first, positives.min()), max(last, positives.max()) + 1)
    found = [(positives == number).sum() for number in numbers]
    expected = len(positives) * binom.pmf(numbers, batch_size, probability)
    ax.bar(numbers, found, label="batches found")
    ax.plot(
        numbers, expected, "o-", color=sns.color_palette()[1], markersize=4, label="binomial law"
    )
    ax.set(xlabel=f"positives among {batch_size} reviews", ylabel="batches", title=title)
    ax.legend()
    return ax


def losses_two_ways(losses: Mapping[int, Sequence[Sequence[float]]], title: str) -> np.ndarray:
    """Draw the losses of several batch sizes, against epochs and against updates.

    Parameters
    ----------
    losses : mapping of int to array [epochs, batches]
        For each batch size its batch losses in nats. Each point drawn is a mean over
        neighbouring batches.
    title : str
        The finding.

    Returns
    -------
    array of Axes
        Against epochs; against updates (logarithmic).
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
    palette = sns.color_palette("viridis", len(losses))
    markers = "osD^v<>"
    for (size, values), color, marker in zip(losses.items(), palette, markers, strict=False):
        values = np.asarray(values)
        flat = values.ravel()
        even = np.linspace(0, len(flat), min(len(flat), 25) + 1).astype(int)
        growing = np.unique(np.geomspace(1, len(flat) + 1, 25).astype(int)) - 1
        for ax, edges, unit in ((axes[0], even, values.shape[1]), (axes[1], growing, 1)):
            means = [flat[start:stop].mean() for start, stop in pairwise(edges)]
            middles = (edges[:-1] + edges[1:] + 1) / 2 / unit
            ax.plot(middles, means, color=color, marker=marker, markersize=4, label=f"{size:,}")
    axes[0].set(xlabel="epochs", ylabel="training loss [nats]", ylim=(0, None))
    axes[1].set(xlabel="updates", xscale="log")
    axes[1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes[1].legend(title="batch size", fontsize="small", loc="lower left")
    figure.suptitle(title, fontsize="medium")
    figure.tight_layout()
    return axes


# --- 04 · The MLP -----------------------------------------------------------------------


def probabilities(values: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> np.ndarray:
    """Draw histograms of predicted probabilities, one panel a model, one colour a class.

    Parameters
    ----------
    values : mapping of str to mapping of str to sequence of float
        For each model its name, and for each class its name and the probabilities.
    title : str
        The finding.

    Returns
    -------
    array of Axes
        One for each model.
    """
    figure, axes = plt.subplots(1, len(values), figsize=(8, 3.5), sharey=True, squeeze=False)
    bins = np.linspace(0, 1, 42)  # an odd number: one bin around 0.5
    for ax, (name, classes) in zip(axes[0], values.items(), strict=True):
        for label, chances in classes.items():
            ax.hist(chances, bins=bins, histtype="step", linewidth=2, label=label)
        ax.axvline(0.5, color="grey", linestyle="--")
        ax.set(xlabel="probability of positive", title=name, yscale="log")
    axes[0, 0].set(ylabel="reviews")
    axes[0, 0].legend(title="reviews", loc="upper left", fontsize="small")
    figure.suptitle(title, fontsize="medium")
    figure.tight_layout()
    return axes[0]


def batch_accuracies(accuracies: Mapping[str, Sequence[float]], title: str) -> Axes:
    """Draw the accuracy of every batch, one row of dots a data set, with its mean.

    Parameters
    ----------
    accuracies : mapping of str to sequence of float
        For each data set its name and the accuracy of each batch.
    title : str
        The finding.
    """
    ax = plt.subplots(figsize=(7, 2.8))[1]
    names = list(accuracies)
    sns.stripplot(
        x=np.concatenate([np.asarray(accuracies[name]) for name in names]),
        y=np.repeat(names, [len(accuracies[name]) for name in names]),
        order=names,
        hue=np.repeat(names, [len(accuracies[name]) for name in names]),
        hue_order=names,
        legend=False,
        jitter=0.25,
        alpha=0.6,
        ax=ax,
    )
    for row, name in enumerate(names):
        ax.vlines(np.mean(accuracies[name]), row - 0.35, row + 0.35, color="black", linewidth=2)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set(xlabel="accuracy of one batch (black: mean)", ylabel="", title=title)
    return ax


def hidden_units(output_weights: Sequence[float], differences: Sequence[float], title: str) -> Axes:
    """Draw each hidden unit by its output weight and by what makes it active.

    Parameters
    ----------
    output_weights : sequence of float
        The weight from the unit to the logit.
    differences : sequence of float
        The unit's mean activation on positive reviews less that on negative ones.
    title : str
        The finding.
    """
    ax = plt.subplots()[1]
    ax.scatter(output_weights, differences, alpha=0.7)
    ax.axhline(0, color="grey", linewidth=1)
    ax.axvline(0, color="grey", linewidth=1)
    ax.set(
        xlabel="weight of the unit in the logit",
        ylabel="activation: positive − negative",
        title=title,
    )
    return ax


# --- 05 · Loss and training --------------------------------------------------------------


def lines(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    title: str,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw several functions of one variable.

    Parameters
    ----------
    x : sequence of float
        Where the functions are known.
    curves : mapping of str to sequence of float
        For each curve its name and its values; not drawn where they are not finite.
    title, xlabel, ylabel : str
        The finding, and the names of the axes with their units.
    """
    ax = ax or plt.subplots()[1]
    for (name, values), style in zip(curves.items(), cycle(("-", "--", "-.", ":")), strict=False):
        ax.plot(x, values, style, linewidth=2.5, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if len(curves) > 1:
        ax.legend()
    return ax


def descent(
    loss: Callable[[Tensor], Tensor],
    paths: Mapping[str, Tensor],
    title: str,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw the contour lines of a loss of two parameters and paths of gradient descent on it.

    Parameters
    ----------
    loss : callable
        Maps parameters [points, 2] to losses [points].
    paths : mapping of str to Tensor [steps + 1, 2]
        For each path its name and the points that it visits; all start at the same one.
    title, xlabel, ylabel : str
        The finding, and the names of the two parameters.
    """
    ax = ax or plt.subplots(figsize=(7, 5.5))[1]
    points = torch.cat([*paths.values()])  # [points, 2]
    low, high = points.min(dim=0).values - 0.5, points.max(dim=0).values + 0.5
    across, up = (torch.linspace(low[axis], high[axis], 150) for axis in (0, 1))
    grid = torch.cartesian_prod(across, up)  # [150 · 150, 2]
    heights = loss(grid).reshape(150, 150).T
    floor = float(heights.min())
    levels = floor + (float(heights.max()) - floor) * np.linspace(0, 1, 16) ** 2
    ax.contourf(across, up, heights, levels=levels, cmap="Greys", alpha=0.5)
    ax.contour(across, up, heights, levels=levels, colors="grey", linewidths=0.7)
    for (name, path), marker in zip(paths.items(), ("s", "o", "^", "D"), strict=False):
        ax.plot(path[:, 0], path[:, 1], marker=marker, markersize=5, label=name)
    ax.plot(*paths[next(iter(paths))][0], "k*", markersize=16, label="start")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.legend()
    return ax


# --- 10 and 11 · Tabular data: abalone ---------------------------------------------------


def growth(
    lengths: Sequence[float], rings: Sequence[int], sexes: Sequence[str], title: str
) -> Axes:
    """Draw shell length against rings, coloured by sex, with the mean length at each number.

    Parameters
    ----------
    lengths : sequence of float
        In mm.
    rings : sequence of int
        As many as `lengths`.
    sexes : sequence of {"F", "I", "M"}
        As many as `lengths`.
    title : str
        The finding.
    """
    ax = plt.subplots()[1]
    lengths, rings, sexes = np.asarray(lengths), np.asarray(rings), np.asarray(sexes)
    shift = np.random.default_rng(0).uniform(-0.35, 0.35, len(rings))  # points side by side
    mixed = np.random.default_rng(1).permutation(len(rings))  # so that no sex hides another
    palette = dict(zip("IFM", sns.color_palette(PALETTE), strict=False))
    colors = [palette[sex] for sex in sexes[mixed]]
    ax.scatter((rings + shift)[mixed], lengths[mixed], s=6, c=colors, alpha=0.6, linewidths=0)
    for letter, name in (("I", "infant"), ("F", "female"), ("M", "male")):
        ax.scatter([], [], color=palette[letter], label=name)
    numbers = np.array([number for number in np.unique(rings) if (rings == number).sum() >= 10])
    means = [lengths[rings == number].mean() for number in numbers]
    ax.plot(numbers, means, color="black", label="mean (of 10 or more)")
    ax.axvline(9.5, color="grey", linestyle="--")
    ax.set(xlabel="rings (dashed: old from 10 on)", ylabel="length [mm]", title=title)
    ax.legend(loc="lower right")
    return ax


def loss_and_score(
    curves: Mapping[str, Sequence[float]], title: str, loss: str, score: str, percent: bool = False
) -> np.ndarray:
    """Draw loss and score after each epoch, each for train and validation, side by side.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        "train loss", "validation loss", "train score" and "validation score", as from
        `helpers.tabular.fit_scheduled`.
    title : str
        The finding.
    loss, score : str
        What they are, with unit.
    percent : bool
        Write the scores as per cent.

    Returns
    -------
    array of Axes [2]
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for ax, kind, label in ((axes[0], "loss", loss), (axes[1], "score", score)):
        both = {name: list(curves[f"{name} {kind}"]) for name in ("train", "validation")}
        learning_curves(both, "", label, percent=percent and kind == "score", ax=ax)
    figure.suptitle(title, fontsize="medium")
    return axes


def roc(curves: Mapping[str, tuple[Sequence[int], Sequence[float]]], title: str) -> Axes:
    """Draw true against false positive rate for all thresholds; mark the default, 0.5.

    Parameters
    ----------
    curves : mapping of str to (labels, probabilities)
        For each curve its name, the labels (0 or 1) and the predicted probabilities of 1.
    title : str
        The finding.
    """
    ax = plt.subplots(figsize=(5.6, 5))[1]
    for name, (labels, probabilities) in curves.items():
        labels, probabilities = np.asarray(labels), np.asarray(probabilities)
        false_rate, true_rate, _ = roc_curve(labels, probabilities)
        label = f"{name}, AUC {auc(false_rate, true_rate):.3f}"
        (line,) = ax.plot(false_rate, true_rate, label=label)
        called = probabilities >= 0.5
        point = called[labels == 0].mean(), called[labels == 1].mean()
        ax.plot(*point, "o", color=line.get_color(), markersize=9, markeredgecolor="black")
    ax.plot([0, 1], [0, 1], "--", color="grey", label="guessing, AUC 0.5")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    ax.set(
        xlabel="false positive rate (young called old)",
        ylabel="true positive rate (old called old)",
        title=title,
        aspect="equal",
    )
    ax.legend(title="● default threshold, 0.5", loc="lower right")
    return ax


def curves_with_spread(
    runs: Mapping[str, Sequence[Sequence[float]]], title: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """Draw the mean of several learning curves and a band of one standard deviation.

    Parameters
    ----------
    runs : mapping of str to sequence of sequences
        For each setting its name, and for each of its runs one value an epoch.
    title : str
        The finding.
    ylabel : str
        What is drawn, with its unit.
    """
    ax = ax or plt.subplots()[1]
    for (name, values), style in zip(runs.items(), cycle(("-", "--", ":")), strict=False):
        means, spread = np.mean(values, axis=0), np.std(values, axis=0, ddof=1)
        epochs = np.arange(1, len(means) + 1)
        (line,) = ax.plot(epochs, means, linestyle=style, linewidth=2, label=name)
        ax.fill_between(
            epochs, means - spread, means + spread, color=line.get_color(), alpha=0.15, linewidth=0
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=ylabel, title=title)
    ax.legend()
    return ax


def effects(intervals: Mapping[str, tuple[float, float]], title: str, xlabel: str) -> Axes:
    """Draw differences and their intervals beside the line of no difference.

    Parameters
    ----------
    intervals : mapping of str to (mean, half_width)
        For each row its name, the difference, and half of its interval.
    title : str
        The finding.
    xlabel : str
        Which difference, and which side is better.
    """
    ax = plt.subplots(figsize=(7, 0.8 + 0.5 * len(intervals)), layout="constrained")[1]
    for row, (mean, half_width) in enumerate(intervals.values()):
        clear = abs(mean) > half_width
        color = sns.color_palette(PALETTE)[0] if clear else "grey"
        ax.errorbar(mean, row, xerr=half_width, fmt="o", capsize=4, color=color)
    ax.axvline(0, color="black", linewidth=1)
    ax.set_yticks(range(len(intervals)), list(intervals))
    ax.invert_yaxis()
    ax.margins(y=0.2)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.set(xlabel=f"{xlabel}, 95 % interval (grey: could be 0)", title=title)
    return ax


def predicted_against_true(
    targets: Sequence[float], predictions: Mapping[str, Sequence[float]], title: str
) -> np.ndarray:
    """Draw predictions against the truth, a panel a model, with the line where they agree.

    Parameters
    ----------
    targets : sequence of float
        True rings.
    predictions : mapping of str to sequence of float
        For each model its name and its predictions, as many as `targets`.
    title : str
        The finding.

    Returns
    -------
    array of Axes [models]
    """
    targets = np.asarray(targets)
    style = {"figsize": (4.5 * len(predictions), 4), "layout": "constrained", "squeeze": False}
    figure, axes = plt.subplots(1, len(predictions), sharex=True, sharey=True, **style)
    shift = np.random.default_rng(0).uniform(-0.3, 0.3, len(targets))  # points side by side
    ends = [0, targets.max() + 1]
    for ax, (name, values) in zip(axes[0], predictions.items(), strict=True):
        ax.scatter(targets + shift, values, s=9, alpha=0.4, linewidths=0)
        ax.plot(ends, ends, "--", color="black", label="predicted = true")
        ax.set(xlabel="true rings", ylabel="predicted rings", title=name)
        ax.legend(loc="upper left")
    figure.suptitle(title, fontsize="medium")
    return axes[0]


def residuals(
    targets: Sequence[float], predictions: Sequence[float], title: str, least: int = 10
) -> np.ndarray:
    """Draw residuals (true minus predicted) against the truth and against the prediction.

    Parameters
    ----------
    targets, predictions : sequence of float
        In rings.
    title : str
        The finding.
    least : int
        The mean residual is drawn where at least this many animals share a whole number.

    Returns
    -------
    array of Axes [2]
    """
    targets, predictions = np.asarray(targets), np.asarray(predictions)
    left = targets - predictions
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 3.8), layout="constrained")
    shift = np.random.default_rng(0).uniform(-0.3, 0.3, len(targets))  # points side by side
    for ax, values, moved, name in (
        (axes[0], targets, targets + shift, "true rings"),
        (axes[1], predictions, predictions, "predicted rings"),
    ):
        ax.scatter(moved, left, s=9, alpha=0.4, linewidths=0)
        whole = np.round(values)
        numbers = [number for number in np.unique(whole) if (whole == number).sum() >= least]
        means = [left[whole == number].mean() for number in numbers]
        style = {"color": "black", "marker": "o", "markersize": 4}
        ax.plot(numbers, means, **style, label=f"mean (of {least} or more)")
        ax.axhline(0, color="grey", linestyle="--")
        ax.set(xlabel=name, ylabel="true − predicted [rings]")
        ax.legend(loc="upper left")
    axes[1].set_ylabel("")
    figure.suptitle(title, fontsize="medium")
    return axes


# --- 08 · LoRA --------------------------------------------------------------------------


def low_rank_sum(
    in_features: int, out_features: int, r: int, title: str, ax: Axes | None = None
) -> Axes:
    """Draw W + B A as boxes (not to scale): what is frozen, what is trained, how large it is.

    Parameters
    ----------
    in_features, out_features, r : int
        Sides of the matrices: W [out, in], B [out, r] and A [r, in].
    title : str
        The finding.
    """
    ax = ax or plt.subplots(figsize=(8, 2.8))[1]
    boxes = (
        ("W", out_features, in_features, "frozen", (0.0, 0.0, 3.6, 1.6), "0.85"),
        ("B", out_features, r, "trained,\n0 at the start", (4.6, 0.0, 0.35, 1.6), "C1"),
        ("A", r, in_features, "trained, random at the start", (5.9, 0.65, 3.6, 0.3), "C0"),
    )
    for name, rows, columns, state, (x, y, width, height), colour in boxes:
        ax.add_patch(plt.Rectangle((x, y), width, height, facecolor=colour, edgecolor="black"))
        middle = x + width / 2
        ink = "white" if name == "A" else "black"
        ax.text(middle, y + height / 2, name, ha="center", va="center", color=ink, weight="bold")
        size = f"{rows:,} × {columns:,}\n= {rows * columns:,} numbers"
        ax.text(middle, y + height + 0.1, size, ha="center", va="bottom", fontsize="small")
        ax.text(middle, y - 0.1, state, ha="center", va="top", fontsize="small", style="italic")
    for x, sign in ((4.1, "+"), (5.42, "·")):
        ax.text(x, 0.8, sign, ha="center", va="center", fontsize="xx-large")
    ax.set(xlim=(-0.2, 9.7), ylim=(-0.75, 2.5), title=title)
    ax.set_axis_off()
    return ax


def every_run(
    runs: Mapping[str, Sequence[Sequence[float]]],
    title: str,
    ylabel: str = "validation accuracy",
    ax: Axes | None = None,
) -> Axes:
    """Draw each run's value after each epoch: a colour for each setting, a line for each seed.

    Parameters
    ----------
    runs : mapping of str to sequence of sequences
        For each setting its name, and for each of its runs one value an epoch.
    title : str
        The finding.
    ylabel : str
        What is drawn, with its unit; an accuracy is drawn in percent.
    """
    ax = ax or plt.subplots()[1]
    looks = zip("osD^vXP*", cycle(("-", "--", "-.", ":")), strict=False)
    for setting, (look, (name, seeds)) in enumerate(zip(looks, runs.items(), strict=False)):
        for number, values in enumerate(seeds):
            (line,) = ax.plot(range(1, len(values) + 1), values, "".join(look), markersize=4)
            line.set(color=f"C{setting}", label=name if number == 0 else None)
    if "accuracy" in ylabel:
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=ylabel, title=title)
    ax.legend(fontsize="small")
    return ax


def spectrum(
    singular_values: Mapping[str, Sequence[float]], title: str, ax: Axes | None = None
) -> Axes:
    """Draw singular values against their rank, both as they are (logarithmic upwards).

    Parameters
    ----------
    singular_values : mapping of str to sequence of float
        For each matrix its name and its singular values above 0, the largest first.
    title : str
        The finding.
    """
    ax = ax or plt.subplots()[1]
    for (name, values), marker in zip(singular_values.items(), cycle("osD^"), strict=False):
        numbers = np.arange(1, len(values) + 1)
        ax.semilogy(numbers, values, marker=marker, markersize=5, linewidth=1, label=name)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="number of the singular value", ylabel="singular value", title=title)
    ax.legend()
    return ax
