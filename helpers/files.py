"""Where data files live, and how they are written without leaving half of one behind."""

import os
import tempfile
from collections.abc import Iterator
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
