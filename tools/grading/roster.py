"""Points into the tables that others read: a spreadsheet, Moodle, Canvas."""

from pathlib import Path
from typing import Any

import pandas as pd

from helpers.storage import atomic_write
from tools.grading.sandbox import CannotGrade


def safe(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    is_formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if is_formula else value


def key(value: object) -> str:
    """Return a name as it is compared: of Moodle's folders "Ada Lovelace_42_file" the name."""
    return " ".join(str(value).split("_")[0].casefold().split())


def fill(path: Path, tables: dict[str, list[dict[str, Any]]], output: Path) -> str:
    """Write a roster with the points filled in, into the folder of the results.

    The column that names most students tells who is who. Points go to the column of the
    notebook's name (Canvas adds a number to it), to Moodle's "Grade", or to a new column.

    Parameters
    ----------
    path : Path
        The CSV that was exported.
    tables : dict
        The results of each notebook.
    output : Path
        A folder.

    Returns
    -------
    str
        What was written, and who is not in the roster.

    Raises
    ------
    CannotGrade
        If the roster cannot be read, or names none of the students.
    """
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise CannotGrade(f"The roster {path} cannot be read: {error}") from None
    students = {one["student"] for results in tables.values() for one in results}
    keys = {key(student) for student in students}
    found = {column: rows[column].map(key).isin(keys).sum() for column in rows}
    best = max(found, key=found.__getitem__, default="")
    if not found.get(best):
        raise CannotGrade(f"No column of {path} names the students' folders.")
    who = rows[best].map(key)
    for name, results in tables.items():
        own = [column for column in rows if column.startswith(name)]
        moodle = ["Grade"] if "Grade" in rows and len(tables) == 1 else []
        column = (*own, *moodle, name)[0]
        points = {
            key(one["student"]): str(sum(one["points"].values()))
            for one in results
            if None not in one["points"].values()
        }
        old = rows.get(column, "")
        rows[column] = who.map(points).fillna("").where(who.isin(points), old)
    target = output / path.name
    with atomic_write(target) as file:
        rows.to_csv(file, index=False)
    strangers = sorted(student for student in students if key(student) not in set(who))
    return f"Written: {target}" + "".join(f"\n  not in it: {name!r}" for name in strangers)
