"""One check for each exercise: says what is wrong without giving the answer away.

A module for each notebook. A check takes the reader's function or value, compares it with
an independent reference, and prints one line: ``✓`` when it is right, ``✗`` and the likely
mistake when it is not, ``…`` while it is unanswered (None or ``...``). The notebook goes on
in every case; ``progress()`` at its end says how many checks pass. With ``COURSE_STRICT=1``
in the environment, or under nbgrader, wrong and open answers raise instead.
"""
