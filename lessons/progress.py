"""What the last code cell of a notebook says: what is solved, and where to go on."""

import sys
import textwrap
from collections.abc import Mapping

WORDS = {"✗": "wrong", "…": "open"}
SAVE = "Colab keeps your answers only in a copy of your own: File → Save a copy in Drive."


def report(verdicts: Mapping[str, str]) -> str:
    """Return how many checks pass, which do not yet, and which of these comes first.

    Parameters
    ----------
    verdicts : mapping of str to str
        For the label of each exercise, in the notebook's order, "✓", "✗" or "…".
    """
    solved = [label for label, verdict in verdicts.items() if verdict == "✓"]
    counts = f"{len(solved)} of {len(verdicts)} checks pass"
    for verdict, word in WORDS.items():
        if labels := [label for label, latest in verdicts.items() if latest == verdict]:
            counts += f"; {word}: {', '.join(labels)}"
    lines = [f"{counts}."]
    if rest := [label for label in verdicts if label not in solved]:
        lines.append(f"Next: {rest[0]}, above. When the kernel restarts, all count as open.")
    if "google.colab" in sys.modules:
        lines.append(SAVE)
    return "\n".join(textwrap.fill(line, width=100, subsequent_indent="    ") for line in lines)
