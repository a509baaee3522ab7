"""What readers answer, right and wrong: a table for each notebook, used by test_tables.py.

Each module holds, by the name of the check (``i_2_c``):

``RIGHT``
    for each check the right answers, a tuple of the check's arguments each;
``TRAPS``
    wrong answers, with words that the message must contain: it has to point at *that* mistake;
``SECRETS``
    for each check what no message of it may contain: the answer;
``OPEN`` (if needed)
    for some checks, unanswered forms besides None and ``...``.
"""

from typing import Any, NamedTuple


class Trap(NamedTuple):
    """A wrong answer to an exercise, and how the check must refuse it."""

    check: str
    answers: tuple[Any, ...]
    must_say: str
