"""From measured seconds to the table, the ratios and their targets."""

import statistics
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from tabulate import tabulate

#: the columns that are measured, in the order of measuring, with their heads
COLUMNS = {
    "encode": "raw text to\nencoded, s",
    "warm": "warm from\ncache, s",
    "iterate": "iterate an\nepoch, s",
    "train": "train an\nepoch, s",
    "finish": "raw text to\n5 epochs, s",
    "tokenise": "tokenise",
}
DASH = "–"


@dataclass
class RowResult:
    """What one row's process has answered.

    Parameters
    ----------
    title : str
        The row's name.
    baseline : int or None
        Bytes that the process held at most until it was ready.
    threads : int or None
        Threads that PyTorch uses in it.
    seconds : dict of str to list of (int, float)
        For each column its measurements: number of the round, seconds.
    values : dict of str to float
        The mean loss of ``train``, the validation accuracy of ``finish``.
    held : int or None
        Bytes that the encoded reviews take.
    peak : int or None
        Bytes that the process held at most in the end.
    failure : str
        Why the row is not complete; empty if it is.
    """

    title: str
    baseline: int | None = None
    threads: int | None = None
    seconds: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    held: int | None = None
    peak: int | None = None
    failure: str = ""

    def as_json(self) -> dict:
        """Return everything, with median and spread of each column."""
        content = asdict(self)
        content["seconds"] = {
            column: summary([value for _, value in found]) | {"rounds": found}
            for column, found in self.seconds.items()
        }
        return content


def summary(values: list[float]) -> dict[str, float]:
    """Return median, smallest and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratio(slow: RowResult, fast: RowResult, column: str) -> list[float]:
    """Return slow / fast of a column, one for each round that both took part in."""
    first, second = (dict(row.seconds.get(column, [])) for row in (slow, fast))
    return [first[turn] / second[turn] for turn in first if turn in second]


# --- the table ----------------------------------------------------------------------------


def table(rows: list[RowResult]) -> str:
    """Return the table: medians, ± half of the range where there are several rounds."""
    shown = {column: head for column, head in COLUMNS.items() if column != "tokenise"}
    heads = ["", *shown.values(), "validation\naccuracy", "held,\nMB", "peak,\nMB", "growth,\nMB"]
    lines = [
        [row.title, *(seconds_cell(row, column) for column in shown), *other_cells(row)]
        for row in rows
        if shown.keys() & row.seconds.keys() or row.failure
    ]
    return tabulate(lines, heads, disable_numparse=True, colalign=("left", *["right"] * 9))


def seconds_cell(row: RowResult, column: str) -> str:
    """Return ``median ± half of the range``, or a dash."""
    values = [value for _, value in row.seconds.get(column, [])]
    if not values:
        return DASH
    digits = 3 if statistics.median(values) < 1 else 2 if statistics.median(values) < 10 else 1
    cell = f"{statistics.median(values):.{digits}f}"
    return f"{cell} ± {(max(values) - min(values)) / 2:.{digits}f}" if len(values) > 1 else cell


def other_cells(row: RowResult) -> list[str]:
    """Return the cells of accuracy, bytes held, peak and growth."""
    accuracy = row.values.get("finish")
    growth = row.peak - row.baseline if row.peak and row.baseline else None
    megabytes = [
        DASH if size is None else f"{size / 1e6:,.0f}" for size in (row.held, row.peak, growth)
    ]
    return [DASH if accuracy is None else f"{accuracy:.4f}", *megabytes]


# --- ratios and targets --------------------------------------------------------------------


class Claim(NamedTuple):
    """A ratio slow / fast of one column, and the least that it should be (if anything)."""

    slow: str
    fast: str
    column: str
    target: float | None = None


CLAIMS = (
    Claim("naive", "bag", "train", 25),
    Claim("dense", "bag", "train", 6),
    Claim("preloaded", "bag", "train"),
    Claim("batches", "bag", "train"),
    Claim("dense", "batches", "train"),
    Claim("sklearn", "bag", "finish", 2.5),
    Claim("fasttext", "bag", "finish"),
    Claim("dense", "bag", "finish"),
    Claim("sklearn", "bag", "encode"),
    Claim("dense", "bag", "encode"),
    Claim("lora_formed", "lora_thin", "train"),
    Claim("lora_formed", "lora_bag", "train"),
    Claim("torchtext", "bag", "tokenise"),
)
WARM_TARGET_SECONDS = 0.3
WORDS = {
    "encode": "raw text to encoded",
    "train": "train an epoch",
    "finish": "raw text to 5 epochs",
    "tokenise": "tokenise all reviews",
}


def judge(rows: dict[str, RowResult]) -> list[dict]:
    """Return every claim that was measured, with its ratio, spread, target and verdict."""
    found = []
    for claim in CLAIMS:
        if claim.slow not in rows or claim.fast not in rows:
            continue
        slow, fast = rows[claim.slow], rows[claim.fast]
        if ratios := ratio(slow, fast, claim.column):
            name = f"{WORDS[claim.column]}: {slow.title} / {fast.title}"
            value = summary(ratios)
            at_least = claim.target
            met = None if at_least is None else value["median"] >= at_least
            found.append({"claim": name, **value, "at least": at_least, "met": met})
    return found + judge_warm_start(rows) + judge_accuracy(rows)


def judge_warm_start(rows: dict[str, RowResult]) -> list[dict]:
    """Return the verdict on the warm start of ours, in seconds."""
    if "bag" not in rows or "warm" not in rows["bag"].seconds:
        return []
    value = summary([seconds for _, seconds in rows["bag"].seconds["warm"]])
    met = value["median"] <= WARM_TARGET_SECONDS
    return [{"claim": "warm start of ours, s", **value, "at most": WARM_TARGET_SECONDS, "met": met}]


def judge_accuracy(rows: dict[str, RowResult]) -> list[dict]:
    """Return the verdict on our validation accuracy against scikit-learn's."""
    values = [rows[name].values.get("finish") for name in ("bag", "sklearn") if name in rows]
    if len(values) < 2 or None in values:
        return []
    ours, theirs = values
    claim = "validation accuracy of ours (at least scikit-learn's)"
    return [{"claim": claim, **summary([ours]), "at least": theirs, "met": ours >= theirs}]


def claims_table(claims: list[dict]) -> str:
    """Return the claims, their targets beside them, met or missed."""
    lines = [
        [
            found["claim"],
            digits(found["median"]),
            f"{digits(found['min'])} to {digits(found['max'])}",
            target_cell(found),
            {None: "", True: "met", False: "MISSED"}[found["met"]],
        ]
        for found in claims
    ]
    return tabulate(lines, ["claim", "median", "spread", "target", ""], disable_numparse=True)


def digits(value: float) -> str:
    """Return three significant digits."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def target_cell(found: dict) -> str:
    """Return ``≥ 25`` or ``≤ 0.3``, empty without a target."""
    for sign, key in (("≥", "at least"), ("≤", "at most")):
        if found.get(key) is not None:
            return f"{sign} {found[key]:.4g}"
    return ""


# --- rows that are one computation --------------------------------------------------------

SAME_LOSS = (("naive", "dense", "preloaded", "batches", "bag"), ("lora_formed", "lora_thin"))
TOLERANCE = 1e-4


def check_losses(rows: dict[str, RowResult]) -> list[str]:
    """Return a complaint for each group of rows whose first epochs differ in loss."""
    complaints = []
    for group in SAME_LOSS:
        losses = {
            rows[name].title: rows[name].values["train"]
            for name in group
            if name in rows and "train" in rows[name].values
        }
        if losses and max(losses.values()) - min(losses.values()) > TOLERANCE:
            complaints.append(f"these must train to one loss, but do not: {losses}")
    return complaints


# --- the limit --------------------------------------------------------------------------------

LIMIT_TARGET = 2.0


def conclude_limit(traffic: dict, rounds: list[tuple[float, dict]]) -> dict:
    """Put bytes, bandwidths and seconds of an epoch together.

    Parameters
    ----------
    traffic : dict
        What `Limit.count` returned.
    rounds : list of (float, dict)
        For each round the seconds of an epoch, and what `Limit.bandwidth` returned.

    Returns
    -------
    dict
        With ``ratio``, `strict_ratio` and `gather_ratio`, the median over the rounds of
        the seconds over those of the limit.
    """
    gathered, strict = traffic["gathered_bytes"], traffic["strict_bytes"]
    return traffic | {
        "epoch_s": [seconds for seconds, _ in rounds],
        "triad_bytes_per_s": [found["triad"] for _, found in rounds],
        "gather_bytes_per_s": [found["gather"] for _, found in rounds],
        "limit_s": statistics.median(gathered / found["triad"] for _, found in rounds),
        "ratio": summary([seconds * found["triad"] / gathered for seconds, found in rounds]),
        "strict_ratio": summary([seconds * found["triad"] / strict for seconds, found in rounds]),
        "gather_ratio": summary(
            [seconds * found["gather"] / gathered for seconds, found in rounds]
        ),
    }


def judge_limit(limit: dict | None) -> list[dict]:
    """Return the verdict on the distance from the limit."""
    if limit is None:
        return []
    claim = "train an epoch: ours, embedding bag / limit of the memory"
    met = limit["ratio"]["median"] <= LIMIT_TARGET
    return [{"claim": claim, **limit["ratio"], "at most": LIMIT_TARGET, "met": met}]


def limit_text(limit: dict) -> str:
    """Return what was counted and measured, and where an epoch spends its time."""
    shares = [[name, f"{share:.1%}"] for name, share in limit["operations"]]
    rest = 1 - sum(share for _, share in limit["operations"])
    lines = [
        f"limit: an epoch gathers {limit['occurrences']:,} rows of {limit['row_bytes']} bytes and "
        f"updates {limit['distinct']:,} in {limit['steps']} steps, "
        f"{limit['gathered_bytes'] / 1e9:.2f} GB.",
        f"  triad {statistics.median(limit['triad_bytes_per_s']) / 1e9:.1f} GB/s, gathering rows "
        f"{statistics.median(limit['gather_bytes_per_s']) / 1e9:.1f} GB/s: limit "
        f"{limit['limit_s']:.3f} s, epoch {statistics.median(limit['epoch_s']):.3f} s.",
        f"  epoch / limit {limit['ratio']['median']:.2f}; at the bandwidth of gathering "
        f"{limit['gather_ratio']['median']:.2f}; if each distinct row of a batch is read once "
        f"({limit['strict_bytes'] / 1e9:.2f} GB) {limit['strict_ratio']['median']:.2f}.",
        tabulate([*shares, ["all others", f"{rest:.1%}"]], ["operation", "share of the epoch"]),
    ]
    return "\n".join(lines)


BUSY = 0.5  # load before the start, above which figures may be disturbed


def busy_note(machine: dict) -> list[str]:
    """Return a warning if other programs were at work when the run began."""
    load = machine["load_at_start"]
    if load is None or load <= BUSY:
        return []
    return [
        f"The machine was busy when this began (load {load:.1f} on {machine['cores']} cores): "
        "wait until it is quiet before you quote a figure."
    ]


def machine_line(machine: dict, rows: dict[str, dict]) -> str:
    """Return the machine, the threads and the versions in one line."""
    threads = {row["threads"] for row in rows.values() if row["threads"]}
    versions = ", ".join(f"{name} {found}" for name, found in machine["versions"].items())
    memory = machine["memory_bytes"]
    size = f"{memory / 2**30:.0f} GiB, " if memory else ""
    return (
        f"{machine['processor']}, {machine['cores']} cores, "
        f"{'/'.join(map(str, sorted(threads)))} threads, "
        f"{size}Python {machine['python']}, {versions}, {machine['date']}"
    )
