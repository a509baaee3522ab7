"""What the tests of several modules share."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from helpers import corpus
from lessons import exercises

NOBODY = 65534  # the user without rights, by tradition


@pytest.fixture(autouse=True)
def lenient_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answer checks print their verdict, as in a notebook, unless a test asks for more."""
    monkeypatch.setattr(exercises, "STRICT", False)


@pytest.fixture(scope="session")
def train_reviews() -> corpus.Reviews:
    """The 25,000 real train reviews."""
    return corpus.load_imdb("train")


@pytest.fixture
def closed_folder() -> Callable[[int], AbstractContextManager[Path]]:
    """Give a context with a new folder of some mode, 0o555 for one that cannot be written.

    No file mode stops root, so inside the context root acts as another user.
    """
    if not hasattr(os, "geteuid"):
        pytest.skip("needs POSIX users and file modes")

    @contextmanager
    def context(mode: int) -> Iterator[Path]:
        parent = Path(tempfile.mkdtemp())
        parent.chmod(0o755)
        folder = parent / "data"
        folder.mkdir()
        folder.chmod(mode)
        user = os.geteuid()
        try:
            if user == 0:
                _act_as_nobody()
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)
            left = [*folder.rglob("*")]
            shutil.rmtree(parent)
        assert left == []

    return context


@pytest.fixture
def file_size_limit() -> Callable[[int], AbstractContextManager[None]]:
    """Give a context in which no file can grow beyond a number of bytes, like on a full disk."""
    resource = pytest.importorskip("resource", reason="needs POSIX resource limits")

    @contextmanager
    def context(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return context


def _act_as_nobody() -> None:
    try:
        os.seteuid(NOBODY)
    except OSError as error:  # as in a container that knows no other user
        pytest.skip(f"root cannot act as another user: {error}")
