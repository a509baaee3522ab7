"""`helpers.storage`: a file appears whole or not at all, and what it holds is checked."""

import errno
import math
import os
from pathlib import Path

import pytest
import torch

from helpers import storage
from helpers.storage import atomic_write, data_folder, is_offline, load_tensors, save_tensors


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


def test_course_data_that_is_a_file(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("COURSE_DATA", str(file))
    with pytest.raises(
        NotADirectoryError, match=r"COURSE_DATA names .*file, which is not a folder"
    ):
        data_folder()


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


# --- tensors ------------------------------------------------------------------------------

GOOD = {
    "weight": torch.arange(6.0).reshape(2, 3).T,  # not contiguous
    "half": torch.tensor([0.1]).half(),
    "short": torch.tensor([0.1, 3e38]).bfloat16(),
    "scalar": torch.tensor(0.1, dtype=torch.float64),
    "none": torch.zeros(0, 3),
}
BAD = {
    "sparse": torch.eye(2).to_sparse(),
    "meta": torch.zeros(2, device="meta"),
    "int8": torch.zeros(2, dtype=torch.int8),
    "int64": torch.zeros(2, dtype=torch.int64),
    "bool": torch.zeros(2, dtype=torch.bool),
    "complex": torch.zeros(2, dtype=torch.complex64),
    "NaN": torch.tensor([0.0, math.nan]),
    "infinity": torch.tensor([-math.inf, 0.0]),
    "list": [1.0, 2.0],
}


def test_tensors_come_back_as_they_were(tmp_path):
    save_tensors(GOOD, tmp_path / "file")
    loaded = load_tensors(str(tmp_path / "file"))
    assert loaded.keys() == GOOD.keys()
    for name, tensor in GOOD.items():
        torch.testing.assert_close(loaded[name], tensor, rtol=0, atol=0)
    assert [*tmp_path.iterdir()] == [tmp_path / "file"]


def test_tensors_that_share_their_memory(tmp_path):
    layer = torch.nn.Linear(3, 3)
    save_tensors({"a": layer.weight, "b": layer.weight, "c": layer.weight[1]}, tmp_path / "file")
    loaded = load_tensors(tmp_path / "file")
    assert torch.equal(loaded["a"], loaded["b"])
    assert torch.equal(loaded["a"][1], loaded["c"])
    assert not loaded["a"].requires_grad


@pytest.mark.parametrize("tensor", BAD.values(), ids=BAD)
def test_bad_weights_are_refused_before_anything_is_written(tmp_path, tensor):
    save_tensors(GOOD, tmp_path / "file")
    before = (tmp_path / "file").read_bytes()
    with pytest.raises(ValueError, match=r"was not written: 'layer\.weight' is not dense, finite"):
        save_tensors({**GOOD, "layer.weight": tensor}, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == before
    assert [*tmp_path.iterdir()] == [tmp_path / "file"]


@pytest.mark.filterwarnings("ignore:torch.quantize")
def test_quantised_weights_are_refused(tmp_path):
    quantised = torch.quantize_per_tensor(torch.ones(3), 1, 0, torch.qint8)
    with pytest.raises(ValueError, match="'w' is not dense, finite"):
        save_tensors({"w": quantised}, tmp_path / "file")


@pytest.mark.parametrize("name", ["int8", "int64", "bool", "NaN", "infinity"])
def test_bad_weights_are_refused_when_loaded(tmp_path, name):
    (tmp_path / "file").write_bytes(storage.pack({"w": BAD[name]}))
    with pytest.raises(ValueError, match="was not loaded: 'w' is "):
        load_tensors(tmp_path / "file")


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_tensors(tmp_path / "file")


def test_every_damaged_byte_of_weights_is_noticed(tmp_path):
    save_tensors(GOOD, tmp_path / "file")
    whole = (tmp_path / "file").read_bytes()
    for place in range(len(whole)):
        damaged = whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]
        (tmp_path / "file").write_bytes(damaged)
        with pytest.raises(ValueError, match="file does not hold saved weights"):
            load_tensors(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"text", b"\0" * 100])
def test_file_of_another_kind(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match="file does not hold saved weights"):
        load_tensors(tmp_path / "file")
    torch.save(GOOD, tmp_path / "file")
    with pytest.raises(ValueError, match="file does not hold saved weights"):
        load_tensors(tmp_path / "file")
