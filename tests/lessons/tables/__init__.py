"""What readers answer, right and wrong: a table for each notebook, used by test_tables.py.

What the exercises' own data cover (test_exercises.py) needs no row here. Each module holds, by
the name of the check (``i_2_c``):

``RIGHT``
    for each check right answers of unusual form, a tuple of the check's arguments each;
``TRAPS`` (if needed)
    wrong answers, with words that the message must contain: it has to point at *that* mistake;
``SECRETS`` (if needed)
    for each check what no message about `TRAPS` may contain: the answer;
``OPEN`` (if needed)
    for some checks, unanswered forms besides None and ``...``.
"""

from typing import Any, NamedTuple


class Trap(NamedTuple):
    """A wrong answer to an exercise, and how the check must refuse it."""

    check: str
    answers: tuple[Any, ...]
    must_say: str
