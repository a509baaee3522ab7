"""`helpers.storage`: a file appears whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from helpers import storage
from helpers.storage import atomic_write, data_folder, is_offline


def write(path: Path, content: bytes) -> None:
    with atomic_write(path) as file:
        file.write(content)


def test_atomic_write_makes_folders_and_readable_file(tmp_path):
    path = tmp_path / "new" / "folder" / "file.bin"
    write(path, b"content")
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [*path.parent.iterdir()] == [path]


def test_atomic_write_shows_nothing_before_the_end(tmp_path):
    path = tmp_path / "file.bin"
    write(path, b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("before", [[], ["file.bin"]], ids=["new", "existing"])
def test_failed_block_changes_nothing(tmp_path, error, before):
    for name in before:
        (tmp_path / name).write_bytes(b"old")
    with pytest.raises(error), atomic_write(tmp_path / "file.bin") as file:  # noqa: PT012
        file.write(b"half")
        raise error
    assert [path.name for path in tmp_path.iterdir()] == before
    assert all((tmp_path / name).read_bytes() == b"old" for name in before)


def test_two_writers_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "file.bin"
    with atomic_write(path) as slow:
        slow.write(b"slow, first half")
        write(path, b"quick")
        assert path.read_bytes() == b"quick"
        slow.write(b", second half")
    assert path.read_bytes() == b"slow, first half, second half"
    assert [*tmp_path.iterdir()] == [path]


def test_full_disk_leaves_no_file(tmp_path, file_size_limit):
    with file_size_limit(1_000), pytest.raises(OSError, match="large") as caught:
        write(tmp_path / "file.bin", bytes(100_000))
    assert caught.value.errno == errno.EFBIG
    assert [*tmp_path.iterdir()] == []


def test_disk_that_fails_late_leaves_the_old_file(tmp_path, monkeypatch):
    """A disk may report that it is full only when the bytes are forced out to it."""

    def fail(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "file.bin"
    write(path, b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


def test_read_only_folder_is_an_error(closed_folder):
    with closed_folder(0o555) as folder, pytest.raises(PermissionError):
        write(folder / "file.bin", b"content")


def test_data_folder_is_what_course_data_names(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "there" / ".." / "here"))
    assert data_folder() == tmp_path.resolve() / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("COURSE_DATA", "~/reviews")
    assert data_folder() == tmp_path.resolve() / "reviews"


@pytest.mark.parametrize("environment", [{}, {"COURSE_DATA": ""}], ids=["unset", "empty"])
def test_data_folder_of_a_checkout_and_of_an_installed_copy(tmp_path, monkeypatch, environment):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    project = tmp_path / "project"
    (project / "helpers").mkdir(parents=True)
    monkeypatch.setattr(storage, "__file__", str(project / "helpers" / "storage.py"))
    monkeypatch.chdir(tmp_path)
    assert data_folder() == Path.cwd() / "data"
    (project / "pyproject.toml").touch()
    assert data_folder() == project.resolve() / "data"


@pytest.mark.parametrize(
    ("value", "offline"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)]
)
def test_is_offline(monkeypatch, value, offline):
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    if value is not None:
        monkeypatch.setenv("COURSE_OFFLINE", value)
    assert is_offline() is offline
