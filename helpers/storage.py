"""All that touches disk and net: the data folder, atomic files, downloads, tensors, caches."""

import ast
import csv
import glob
import hashlib
import inspect
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
import textwrap
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, MethodDescriptorType
from typing import IO, Any, Generic, TypeVar

import safetensors.torch
import torch
from torch import Tensor
from tqdm import tqdm

CONNECT_SECONDS = 10.0  # to reach a server
READ_SECONDS = 30.0  # without a single byte
DOWNLOAD_SECONDS = 900.0  # for a whole file, however often it is tried
DOWNLOAD_RETRIES = 1  # after a connection that broke or bytes that were wrong
CHUNK_BYTES = 1 << 13  # after which the clock is read
DOWNLOAD_PREFIX = "bag-of-words-to-lora-"  # of temporary folders
STALE_SECONDS = 86_400.0  # after which a temporary file belongs to no running process

#: what reading a damaged or foreign file, or a failed download, may raise
UNREADABLE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError),
    *(zlib.error, tarfile.TarError, zipfile.BadZipFile, csv.Error),
)

# --- the data folder ----------------------------------------------------------------------


def data_folder() -> Path:
    """Folder for downloads and caches; it need not exist yet.

    Returns
    -------
    Path
        ``$COURSE_DATA`` if it is set; else ``data/`` of the checkout that this package
        was installed from; else (an installed copy) ``data/`` in the working directory.

    Raises
    ------
    NotADirectoryError
        If ``$COURSE_DATA`` names a file.
    """
    if chosen := os.environ.get("COURSE_DATA"):
        folder = Path(chosen).expanduser().resolve()
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(
                f"The environment variable COURSE_DATA names {folder}, which is not a folder. "
                "Let it name the folder for the course's data."
            )
        return folder
    project = Path(__file__).resolve().parent.parent
    if (project / "pyproject.toml").exists():
        return project / "data"
    return Path.cwd() / "data"


def is_offline() -> bool:
    """Whether ``COURSE_OFFLINE`` forbids downloads (any value but empty and 0)."""
    return os.environ.get("COURSE_OFFLINE", "") not in ("", "0")


# --- files that appear whole or not at all ------------------------------------------------


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
    _remove_stale(path.parent, f".{glob.escape(path.name)}.*.part")
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


def _remove_stale(folder: Path, pattern: str) -> None:
    """Remove what killed processes have left in `folder`: temporary files older than a day."""
    for name in glob.glob(pattern, root_dir=folder):
        with suppress(OSError):  # another process was faster, or it belongs to another user
            path = folder / name
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


# --- downloads ----------------------------------------------------------------------------

Content = TypeVar("Content")


@dataclass(frozen=True)
class Source(Generic[Content]):
    """A place to download a file from."""

    name: str  # for messages
    url: str
    checksum: str  # "sha256:…" or "md5:…" of the file
    read: Callable[[Path], Content]  # takes the path of the downloaded file


def download(source: Source[Content]) -> Content:
    """Download a file, compare its checksum, and return what `source.read` makes of it.

    The file itself is gone afterwards; what a killed process has left goes first.

    Raises
    ------
    UNREADABLE
        Any of these exceptions, if the file cannot be had, is not the expected one, takes
        longer than `DOWNLOAD_SECONDS`, or cannot be read.
    """
    import pooch

    pooch.get_logger().setLevel("ERROR")  # our own messages say what went wrong
    _remove_stale(Path(tempfile.gettempdir()), f"{DOWNLOAD_PREFIX}*")
    with (
        tempfile.TemporaryDirectory(prefix=DOWNLOAD_PREFIX) as temporary,
        _Bar(total=1, desc="downloading", unit="B", unit_scale=True, leave=False) as bar,
    ):
        cache = pooch.create(
            path=temporary,
            base_url="",
            registry={"download": source.checksum},
            urls={"download": source.url},
            retry_if_failed=DOWNLOAD_RETRIES,
        )
        over_http = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=CHUNK_BYTES,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            headers={"Accept-Encoding": "identity"},  # the bytes whose checksum we know
        )
        return source.read(Path(cache.fetch("download", downloader=over_http)))


class _Bar(tqdm):
    """A progress bar that ends a download which lasts too long."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.deadline = time.monotonic() + DOWNLOAD_SECONDS

    def update(self, n: float | None = 1) -> bool | None:
        """Count `n` more bytes."""
        if time.monotonic() > self.deadline:
            raise TimeoutError(f"not finished after {DOWNLOAD_SECONDS:.0f} seconds")
        return super().update(n)


# --- tensors ------------------------------------------------------------------------------

#: what the numbers of a model may be
WEIGHT_TYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def save_tensors(tensors: Mapping[str, Tensor], path: str | Path) -> None:
    """Write weights by name, such as a model's ``state_dict()``, to `path`, in one step.

    The file is in the format of safetensors, with a checksum in its header.

    Raises
    ------
    ValueError
        If one of them is not a dense tensor of finite floating-point numbers; an existing
        file stays as it was.
    """
    _check_weights(tensors, f"{path} was not written")
    with atomic_write(Path(path)) as file:
        file.write(_pack(tensors))


def load_tensors(path: str | Path, checksum: bool = True) -> dict[str, Tensor]:
    """Read what `save_tensors` wrote; the tensors come back on the CPU.

    Without `checksum`, a file of safetensors that has none (from another program) passes, too.

    Raises
    ------
    OSError
        If the file does not exist (FileNotFoundError) or cannot be read.
    ValueError
        If it is damaged, or holds anything else.
    """
    content = Path(path).read_bytes()
    try:
        tensors, _ = _unpack(content, checksum)
    except ValueError as error:
        raise ValueError(f"{path} does not hold saved weights ({error}).") from error
    _check_weights(tensors, f"{path} was not loaded")
    return tensors


def save_cache(path: Path, key: str, tensors: Mapping[str, Tensor], what: str) -> None:
    """Keep dense `tensors` in `path` for `load_cache`, if there is room.

    `key` is all that determines them; `what` names them, for the warning if there is none.
    """
    packed = _pack(tensors, key)
    keep_if_possible(path, lambda file: file.write(packed), what, "the next run makes them again")


def load_cache(path: Path, key: str) -> dict[str, Tensor] | None:
    """Return the tensors that `save_cache` kept under `key`, or None if there are none.

    A file that cannot be read, is damaged, or was made under another key counts as none.
    """
    try:
        tensors, found = _unpack(path.read_bytes())
    except (OSError, ValueError):
        return None
    return tensors if found == key else None


def _pack(tensors: Mapping[str, Tensor], key: str = "weights") -> bytes:
    separate = {  # safetensors takes neither views nor tensors that share their memory
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return safetensors.torch.save(separate, {"key": key, "sha256": _checksum(separate, key)})


def _unpack(content: bytes, checksum: bool = True) -> tuple[dict[str, Tensor], str]:
    """Return the tensors and the key of a file that `_pack` made; ValueError for any other."""
    try:
        tensors = safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise ValueError(str(error)) from error
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    about = header.get("__metadata__", {})
    key = about.get("key", "")
    if (checksum or "sha256" in about) and about.get("sha256") != _checksum(tensors, key):
        raise ValueError("its checksum is absent or wrong")
    return tensors, key


def _checksum(tensors: Mapping[str, Tensor], key: str) -> str:
    digest = hashlib.sha256(key.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _check_weights(tensors: Mapping[str, Tensor], consequence: str) -> None:
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            fault = f"a {type(tensor).__name__}"
        elif tensor.is_meta:
            fault = "on the meta device, without numbers"
        elif tensor.layout != torch.strided:
            fault = "sparse"
        elif tensor.dtype not in WEIGHT_TYPES:
            fault = f"of type {tensor.dtype}"
        elif not tensor.isfinite().all():
            fault = "not finite (NaN or infinity)"
        else:
            continue
        raise ValueError(
            f"{consequence}: {name!r} is {fault}, but weights are dense tensors of finite "
            "floating-point numbers."
        )


# --- what a cached result depends on ------------------------------------------------------


def fingerprint(function: Callable) -> str | None:
    """Return text that changes when what `function` returns may change, if that can be told.

    It is the `syntax_tree` of the function with the values of the constants that it reads.

    Returns
    -------
    str or None
        None for what has a state of its own (a closure, a method, default arguments), for a
        lambda, and for a function that uses more than constants and the standard library.
    """
    if isinstance(function, MethodDescriptorType):
        return f"{function.__objclass__.__name__}.{function.__name__}"  # such as str.split
    if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
        return None
    if function.__closure__ or function.__defaults__ or function.__kwdefaults__:
        return None
    used = {}
    try:
        tree = syntax_tree(function)
        for name in sorted(set(re.findall(r"Name\(id='(\w+)'", tree)) & set(function.__globals__)):
            value = function.__globals__[name]
            known = inspect.ismodule(value) and value.__name__ in sys.stdlib_module_names
            used[name] = value.__name__ if known else value
        json.dumps(used)  # a TypeError for anything but constants
    except (OSError, SyntaxError, TypeError, ValueError):
        return None
    return f"{tree} {used}"


def syntax_tree(function: Callable) -> str:
    """Return the syntax tree of a function as text, without docstrings and comments.

    Raises
    ------
    OSError
        If the source is not at hand.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)
