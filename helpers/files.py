"""Where data files live, and how they are written without leaving half of one behind."""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def data_folder() -> Path:
    """Folder for downloads and caches.

    Returns
    -------
    Path
        ``$COURSE_DATA`` if it is set; else ``data/`` of the checkout that this package
        was installed from; else (an installed copy) ``data/`` in the working directory.
    """
    if chosen := os.environ.get("COURSE_DATA"):
        return Path(chosen).expanduser().resolve()
    project = Path(__file__).resolve().parent.parent
    if (project / "pyproject.toml").exists():
        return project / "data"
    return Path.cwd() / "data"


def is_offline() -> bool:
    """Whether ``COURSE_OFFLINE`` forbids downloads (any value but empty and 0)."""
    return os.environ.get("COURSE_OFFLINE", "") not in ("", "0")


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open `path` for writing bytes so that it appears whole or not at all.

    The bytes go to a temporary file in the same folder, which replaces `path` in one
    step when the block ends. If the block fails, the temporary file is removed and
    an existing `path` stays as it was.

    Raises
    ------
    OSError
        If the folder cannot be created or written, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def keep_if_possible(
    path: Path, write: Callable[[IO[bytes]], object], what: str, otherwise: str
) -> None:
    """Write a file that can be had again; a folder that cannot be written costs only a warning.

    Parameters
    ----------
    path : Path
        The file; it appears whole or not at all.
    write : callable
        Writes the content to the open file that it is given.
    what, otherwise : str
        For the warning: what could not be kept, and what the next run does therefore.
    """
    try:
        with atomic_write(path) as file:
            write(file)
    except OSError as error:
        warnings.warn(
            f"{what} could not be kept in {path.parent} ({reason(error)}), so {otherwise}. Make "
            "room there, or name another folder in the environment variable COURSE_DATA.",
            stacklevel=3,
        )


def reason(error: BaseException) -> str:
    """Return an error's type and text as one line of moderate length, for a message."""
    text = " ".join(str(error).split())
    if len(text) > 160:  # connection errors quote whole addresses
        text = text[:160] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
