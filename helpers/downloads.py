"""Downloads that end: verified by a checksum, bounded in time, nothing left half written."""

import csv
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pooch
import requests
import urllib3
from tqdm import tqdm

CONNECT_SECONDS = 10.0  # to reach a server
READ_SECONDS = 30.0  # without a single byte
DOWNLOAD_SECONDS = 900.0  # for a whole file, each time it is tried
DOWNLOAD_RETRIES = 1  # after a connection that broke or bytes that were wrong

#: what reading a damaged or foreign file, or a failed download, may raise
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    csv.Error,
)

Content = TypeVar("Content")


@dataclass(frozen=True)
class Source(Generic[Content]):
    """A place to download a file from.

    Parameters
    ----------
    name : str
        For messages.
    url : str
        Address of the file.
    checksum : str
        ``"sha256:…"`` or ``"md5:…"`` of the file.
    read : callable
        Takes the path of the downloaded file, returns what it holds.
    """

    name: str
    url: str
    checksum: str
    read: Callable[[Path], Content]


def download(source: Source[Content]) -> Content:
    """Download a file, compare its checksum, and return what `source.read` makes of it.

    The file itself is gone afterwards.

    Raises
    ------
    UNREADABLE
        Any of these exceptions, if the file cannot be had, is not the expected one, takes
        longer than `DOWNLOAD_SECONDS`, or cannot be read.
    """
    pooch.get_logger().setLevel("ERROR")  # our own messages say what went wrong
    with tempfile.TemporaryDirectory(prefix="download-") as temporary:
        path = pooch.create(
            path=temporary,
            base_url="",
            registry={"download": source.checksum},
            urls={"download": source.url},
            retry_if_failed=DOWNLOAD_RETRIES,
        ).fetch("download", downloader=_stream)
        return source.read(Path(path))


def _stream(url: str, output_file: str, _pooch: pooch.Pooch) -> None:
    """Download `url` to `output_file` (pooch's downloader interface), bounded in time."""
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    with requests.get(
        url,
        stream=True,
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        headers={"Accept-Encoding": "identity"},  # the file's own bytes, whose checksum we know
    ) as response:
        response.raise_for_status()
        size = int(response.headers.get("content-length", 0)) or None
        bar = tqdm(total=size, desc="downloading", unit="B", unit_scale=True, leave=False)
        with bar, open(output_file, "wb") as file:
            try:
                while block := response.raw.read1(1 << 16):
                    file.write(block)
                    bar.update(len(block))
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"not finished after {DOWNLOAD_SECONDS:.0f} seconds")
            except urllib3.exceptions.HTTPError as error:
                raise requests.ConnectionError(f"the connection broke: {error}") from error
