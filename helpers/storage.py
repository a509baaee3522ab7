"""All that touches disk and net: the data folder, atomic files, downloads, tensors, caches."""

import hashlib
import json
import os
import tarfile
import tempfile
import textwrap
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

TIMEOUT = (10.0, 30.0)  # seconds to reach a server, and without a single byte

#: what reading a damaged or foreign file, or a failed download, may raise
UNREADABLE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError),
    *(zlib.error, tarfile.TarError, zipfile.BadZipFile),
)


def data_folder() -> Path:
    """Folder for downloads and caches; it need not exist yet.

    It is ``$COURSE_DATA``, or ``data/`` of the checkout, or (of an installed copy) in the
    working directory.
    """
    if chosen := os.environ.get("COURSE_DATA"):
        folder = Path(chosen).expanduser().resolve()
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(f"COURSE_DATA names {folder}, which is not a folder.")
        return folder
    project = Path(__file__).resolve().parent.parent
    return (project if (project / "pyproject.toml").exists() else Path.cwd()) / "data"


def is_offline() -> bool:
    """Whether ``COURSE_OFFLINE`` forbids downloads (any value but empty and 0)."""
    return os.environ.get("COURSE_OFFLINE", "") not in ("", "0")


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open `path` for writing bytes: it appears whole, or stays as it was if the block fails."""
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


def keep_if_possible(path: Path, content: bytes, what: str) -> None:
    """Write `what` (a name), which can be had again: if that fails, there is only a warning."""
    try:
        with atomic_write(path) as file:
            file.write(content)
    except OSError as error:
        warnings.warn(
            f"{what} could not be kept in {path.parent} ({reason(error)}), so the next run starts "
            "anew. Make room there, or name another folder in COURSE_DATA.",
            stacklevel=3,
        )


def reason(error: BaseException) -> str:
    """Return an error's type and text as one line of moderate length, for a message."""
    text = textwrap.shorten(str(error), 160, placeholder="…")  # some quote whole addresses
    return f"{type(error).__name__}: {text}"


class Source(NamedTuple):
    """A place to download a file from."""

    name: str  # for messages
    url: str
    checksum: str  # "sha256:…" or "md5:…" of the file
    read: Callable[[Path], Any]  # takes the path of the downloaded file


def download(source: Source) -> Any:
    """Return what `source.read` makes of the verified file, or raise one of `UNREADABLE`."""
    if is_offline():
        raise ConnectionError("COURSE_OFFLINE is set, so nothing was downloaded")
    import pooch

    pooch.get_logger().setLevel("ERROR")  # our own messages say what went wrong
    identity = {"Accept-Encoding": "identity"}  # the bytes whose checksum we know
    over_http = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT, headers=identity)
    with tempfile.TemporaryDirectory() as folder:
        path = pooch.retrieve(source.url, source.checksum, path=folder, downloader=over_http)
        return source.read(Path(path))


WEIGHT_TYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def save_tensors(tensors: Mapping[str, Tensor], path: str | Path) -> None:
    """Write dense, finite weights by name, such as a ``state_dict()``, to `path` (safetensors)."""
    _check_weights(tensors, f"{path} was not written")
    with atomic_write(Path(path)) as file:
        file.write(pack(tensors))


def load_tensors(path: str | Path, checksum: bool = True) -> dict[str, Tensor]:
    """Read what `save_tensors` wrote; without `checksum`, also the safetensors of others."""
    content = Path(path).read_bytes()
    try:
        tensors, _ = _unpack(content, checksum)
    except (ValueError, SafetensorError) as error:
        raise ValueError(f"{path} does not hold saved weights ({error}).") from error
    _check_weights(tensors, f"{path} was not loaded")
    return tensors


def load_cache(path: Path, key: str) -> dict[str, Tensor] | None:
    """Return what `pack` made under `key`; None if the file is absent, damaged, or another's."""
    try:
        tensors, found = _unpack(path.read_bytes())
    except (OSError, ValueError, SafetensorError):
        return None
    return tensors if found == key else None


def pack(tensors: Mapping[str, Tensor], key: str = "weights") -> bytes:
    """Return a file of safetensors with `key` and a checksum in its header."""
    separate = {  # safetensors takes neither views nor tensors that share their memory
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return safetensors.torch.save(separate, {"key": key, "sha256": _checksum(separate, key)})


def _unpack(content: bytes, checksum: bool = True) -> tuple[dict[str, Tensor], str]:
    tensors = safetensors.torch.load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    about = header.get("__metadata__", {})
    key = about.get("key", "")
    if (checksum or "sha256" in about) and about.get("sha256") != _checksum(tensors, key):
        raise ValueError("its checksum is absent or wrong")
    return tensors, key


def _checksum(tensors: dict[str, Tensor], key: str) -> str:
    return hashlib.sha256(key.encode() + safetensors.torch.save(tensors)).hexdigest()


def _check_weights(tensors: Mapping[str, Tensor], consequence: str) -> None:
    for name, tensor in tensors.items():
        dense = isinstance(tensor, Tensor) and tensor.layout == torch.strided and not tensor.is_meta
        if not dense or tensor.dtype not in WEIGHT_TYPES or not tensor.isfinite().all():
            raise ValueError(f"{consequence}: {name!r} is not dense, finite and floating-point.")
