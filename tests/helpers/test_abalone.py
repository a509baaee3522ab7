"""`helpers.abalone`: the real abalone, every fault on the way to them, and the stand-in.

The faults are real: a local HTTP server that misbehaves, files that were changed.
"""

import hashlib
import io
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score

from helpers import abalone, storage
from helpers.abalone import MEASUREMENTS, PUBLISHED, SEXES, StandInWarning, load_abalone, stand_in

#: no warning but where one is expected
pytestmark = pytest.mark.filterwarnings("error::UserWarning")

FILE = "abalone/abalone.data"


#: stands for the original in tests that change a file: well formed, as many rows
ORIGINAL = "".join(
    f"{SEXES[i % 3]},0.455,0.365,0.095,0.514,0.2245,0.101,0.15,{i % 29 + 1}\n" for i in range(4_177)
)


def put(folder: Path, content: str | bytes) -> Path:
    (folder / FILE).parent.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


@pytest.fixture
def original(monkeypatch) -> str:
    """Make ORIGINAL the file whose digest is expected."""
    monkeypatch.setattr(abalone, "DIGEST", hashlib.sha256(ORIGINAL.encode()).hexdigest())
    return ORIGINAL


@pytest.fixture
def real() -> abalone.Abalone:
    if not (storage.data_folder() / FILE).exists():
        pytest.skip("needs the real abalone file in the data folder")
    return load_abalone()


@pytest.fixture(scope="module")
def made_up() -> abalone.Abalone:
    return stand_in()


# --- the file in the data folder --------------------------------------------------------


def test_real_file_in_millimetres_and_grams(real):
    assert not real.stand_in
    assert len(real) == 4_177
    assert tuple(real.table.columns) == abalone.COLUMNS
    assert real.table.iloc[0].tolist() == ["M", 91.0, 73.0, 19.0, 102.8, 44.9, 20.2, 30.0, 15]
    assert real.table["sex"].value_counts().to_dict() == {"M": 1_528, "I": 1_342, "F": 1_307}
    assert np.bincount(real.table["rings"])[1:].tolist() == list(abalone.RING_COUNTS)
    assert "real" in repr(real)
    assert "STAND-IN" not in repr(real)
    assert real.mark("A table") == "A table"


def test_original_is_read(tmp_path, original):
    data = load_abalone(put(tmp_path, original))
    assert len(data) == 4_177
    assert not data.stand_in
    assert data.table.loc[0, "length_mm"] == 91
    assert data.table.loc[0, "whole_g"] == 102.8


def test_data_folder_is_the_default(tmp_path, original, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(put(tmp_path, original)))
    assert not load_abalone().stand_in


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param(ORIGINAL[:-20], id="cut"),
        pytest.param(ORIGINAL.replace("0.455", "0.456", 1), id="one-value"),
        pytest.param(ORIGINAL.replace("\n", "\r\n"), id="line-ends"),
        pytest.param("Sex,Length\n" + ORIGINAL, id="header"),
        pytest.param(ORIGINAL.encode("utf-16"), id="encoding"),
        pytest.param(b"PK\x03\x04" + bytes(range(256)), id="binary"),
    ],
)
def test_changed_file_is_an_error_and_stays(tmp_path, original, content):
    file = put(tmp_path, content) / FILE
    before = file.read_bytes()
    with pytest.raises(ValueError, match=hashlib.sha256(before).hexdigest()) as caught:
        load_abalone(tmp_path)
    for words in (str(file), "not UCI's abalone file", abalone.DIGEST, "move this one away"):
        assert words in str(caught.value)
    assert file.read_bytes() == before
    assert [*tmp_path.rglob("*.data")] == [file]


def test_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / FILE).mkdir(parents=True)  # a folder of that name
    with pytest.raises(IsADirectoryError, match=r"abalone\.data"):
        load_abalone(tmp_path)


# --- the download -----------------------------------------------------------------------


def zipped(content: str, name: str = "abalone.data") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("abalone.names", "about")
        archive.writestr(name, content)
    return file.getvalue()


def whole(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def absent(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_error(404)


def corrupt(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    whole(handler, content[:-1] + bytes([content[-1] ^ 0xFF]))


def cut(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])


@pytest.fixture
def offer(monkeypatch, original) -> Iterator[Callable]:
    """Give a function that serves bytes, in some manner, in the place of UCI's archive."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.requests.append(self.path)
            with suppress(ConnectionError):  # the client may hang up
                self.server.answer(self, self.server.content)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.delenv("COURSE_OFFLINE", raising=False)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "*")

        def serve(content: bytes, answer: Callable = whole) -> list[str]:
            server.content, server.answer = content, answer
            source = abalone.SOURCE._replace(
                url=f"http://127.0.0.1:{server.server_port}/abalone.zip",
                checksum=f"sha256:{hashlib.sha256(content).hexdigest()}",
            )
            monkeypatch.setattr(abalone, "SOURCE", source)
            return server.requests

        yield serve
        server.shutdown()
        thread.join()


def test_the_source_is_pinned():
    assert abalone.SOURCE.url == "https://archive.ics.uci.edu/static/public/1/abalone.zip"
    assert abalone.SOURCE.checksum.startswith("sha256:755a6a67")
    assert abalone.DIGEST.startswith("de37cdcd")


def test_download_is_verified_and_kept(tmp_path, offer):
    requests = offer(zipped(ORIGINAL))
    for _ in range(2):
        assert not load_abalone(tmp_path).stand_in
    assert requests == ["/abalone.zip"]
    assert (tmp_path / FILE).read_text() == ORIGINAL
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / FILE]


@contextmanager
def announced(*words: str) -> Iterator[None]:
    """Expect exactly one warning, a StandInWarning with these words and the remedies."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    (message,) = [str(warning.message) for warning in caught]
    assert caught[0].category is StandInWarning
    assert caught[0].filename == __file__, "the warning should point at the caller"
    for word in (*words, "STAND-IN", "connect to the internet", "abalone.data", "COURSE_DATA"):
        assert word in message


@pytest.mark.parametrize(
    ("content", "answer", "reason"),
    [
        pytest.param(zipped(ORIGINAL), absent, "404", id="404"),
        pytest.param(zipped(ORIGINAL), corrupt, "does not match the known hash", id="wrong-bytes"),
        pytest.param(zipped(ORIGINAL), cut, "IncompleteRead", id="cut"),
        pytest.param(zipped(ORIGINAL[:-9]), whole, "its sha256 is", id="other-file"),
        pytest.param(zipped(ORIGINAL, "other.data"), whole, "abalone.data", id="no-such-member"),
        pytest.param(b"<html>no</html>", whole, "BadZipFile", id="not-a-zip"),
    ],
)
def test_failed_download_gives_an_announced_stand_in(tmp_path, offer, content, answer, reason):
    requests = offer(content, answer)
    with announced("UCI", reason, str(tmp_path / FILE)):
        assert load_abalone(tmp_path).stand_in
    assert requests == ["/abalone.zip"]
    assert [*tmp_path.iterdir()] == []


def test_offline_asks_nobody(tmp_path, offer, monkeypatch):
    requests = offer(zipped(ORIGINAL))
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with announced("COURSE_OFFLINE is set"):
        assert load_abalone(tmp_path).stand_in
    assert requests == []


def test_damaged_file_is_not_replaced_by_a_download(tmp_path, offer):
    requests = offer(zipped(ORIGINAL))
    put(tmp_path, ORIGINAL[:-9])
    with pytest.raises(ValueError, match="not UCI's"):
        load_abalone(tmp_path)
    assert requests == []


def test_folder_that_cannot_be_written_costs_a_warning(tmp_path, offer, closed_folder):
    offer(zipped(ORIGINAL))
    with closed_folder(0o555) as folder, pytest.warns(UserWarning, match="could not be kept"):
        assert not load_abalone(folder).stand_in


# --- the stand-in -----------------------------------------------------------------------


def test_stand_in_says_so(made_up):
    assert made_up.stand_in
    assert "STAND-IN" in repr(made_up)
    for text in ("A title", "a | table\n1 | 2"):
        assert made_up.mark(text).startswith(text)
        assert "stand-in" in made_up.mark(text)


def test_stand_in_depends_on_its_seed_alone(made_up):
    np.random.seed(1)  # noqa: NPY002 - the global state must not matter
    pd.testing.assert_frame_equal(stand_in().table, made_up.table)
    assert not stand_in(seed=1).table.equals(made_up.table)


def test_stand_in_has_the_published_statistics(made_up):
    table = made_up.table[list(MEASUREMENTS)] / abalone.SCALE
    assert tuple(made_up.table.columns) == abalone.COLUMNS
    assert not made_up.table.isna().any().any()
    assert set(made_up.table["sex"]) == set(SEXES)
    pd.testing.assert_series_equal(table.mean(), PUBLISHED["mean"], atol=1e-3, check_names=False)
    pd.testing.assert_series_equal(table.std(), PUBLISHED["sd"], atol=1e-3, check_names=False)
    pd.testing.assert_series_equal(table.min(), PUBLISHED["min"], atol=6e-4, check_names=False)
    pd.testing.assert_series_equal(table.max(), PUBLISHED["max"], atol=6e-4, check_names=False)
    rings = made_up.table["rings"]
    assert np.bincount(rings)[1:].tolist() == list(abalone.RING_COUNTS)
    correlations = made_up.table[list(MEASUREMENTS)].corrwith(rings)
    assert (correlations - PUBLISHED["correlation"]).abs().max() < 0.1


def test_stand_in_animals_are_plausible(made_up):
    table = made_up.table
    shares = table["sex"].value_counts(normalize=True)
    assert shares.between(0.3, 0.37).all()
    assert table.groupby("sex")["rings"].mean()["I"] < 9 < table["rings"].mean()
    assert (table["diameter_mm"] < table["length_mm"]).mean() > 0.99
    correlations = table[list(MEASUREMENTS)].drop(columns="height_mm").corr()
    assert correlations.min().min() > 0.75, "all measure the size of an animal"


def test_stand_in_animals_stop_growing(made_up):
    lengths = made_up.table.groupby("rings")["length_mm"].mean()
    assert lengths[10] - lengths[5] > 40
    assert abs(lengths[15] - lengths[11]) < 10
    largest = made_up.table["length_mm"].groupby(made_up.table["rings"]).max()
    assert largest[5] < largest[12]


def linear_scores(
    data: abalone.Abalone, columns: tuple = MEASUREMENTS, with_sex: bool = True
) -> tuple[float, float]:
    """AUC of a logistic and R² of a linear regression, mean of three splits."""
    rings = data.table["rings"].to_numpy()
    old = (rings >= abalone.OLD_FROM).astype(int)
    scores = []
    for seed in range(3):
        train, *others = abalone.split_indices(old, seed)
        others = np.concatenate(others)
        features = abalone.make_features(data.table, train, columns, with_sex).numpy().clip(-5, 5)
        classifier = LogisticRegression(max_iter=500).fit(features[train], old[train])
        regressor = LinearRegression().fit(features[train], rings[train])
        scores.append(
            (
                roc_auc_score(old[others], classifier.decision_function(features[others])),
                regressor.score(features[others], rings[others]),
            )
        )
    return tuple(np.mean(scores, axis=0))


def test_the_pattern_of_the_stand_in_is_that_of_the_real_file(real, made_up):
    """The banner says no more: near in all measurements, further with four of them."""
    for columns, with_sex, distance in ((MEASUREMENTS, True, 0.05), (MEASUREMENTS[:4], False, 0.1)):
        true = linear_scores(real, columns, with_sex)
        found = linear_scores(made_up, columns, with_sex)
        assert np.abs(np.subtract(true, found)).max() < distance


def test_more_measurements_tell_more_on_the_stand_in(made_up):
    four, seven = linear_scores(made_up, MEASUREMENTS[:4], False), linear_scores(made_up)
    assert seven[0] > four[0] + 0.03
    assert seven[1] > four[1] + 0.1


# --- what notebook 12 teaches -----------------------------------------------------------


@pytest.mark.parametrize("size", [16, 41, 4_177])
def test_split_indices(size):
    labels = (np.arange(size) % 4 == 0).astype(np.int64)
    parts = abalone.split_indices(labels, seed=3)
    assert sorted(np.concatenate(parts)) == list(range(size))
    assert abs(len(parts[0]) - size / 2) <= 1
    assert abs(len(parts[1]) - len(parts[2])) <= 1
    for part in parts:
        assert abs(labels[part].sum() - len(part) / 4) <= 1
    assert all(map(np.array_equal, parts, abalone.split_indices(labels, seed=3)))
    assert not np.array_equal(parts[0], abalone.split_indices(labels, seed=4)[0])


def test_standardize():
    values = torch.tensor([[1.0, 100.0], [2.0, 300.0], [6.0, 200.0]])
    scaled = abalone.standardize(values, values)
    torch.testing.assert_close(scaled.mean(dim=0), torch.zeros(2))
    torch.testing.assert_close(scaled.std(dim=0), torch.ones(2))
    alone = abalone.standardize(values[2:], values)
    torch.testing.assert_close(alone, scaled[2:])
    for constant in (torch.ones(4, 2), torch.tensor([[1.0], [float("nan")], [2.0]])):
        with pytest.raises(ValueError, match="positive and finite"):
            abalone.standardize(constant, constant)


def test_one_hot():
    columns = abalone.one_hot(["I", "F", "I"], SEXES)
    assert columns.dtype == torch.float32
    assert columns.tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
    for wrong in (["F", "female"], ["f"], [None]):
        with pytest.raises(ValueError, match="sums to 1"):
            abalone.one_hot(wrong, SEXES)


def test_features_use_statistics_of_train_alone(made_up):
    labels = (made_up.table["rings"].to_numpy() >= 10).astype(int)
    train, validation, _ = abalone.split_indices(labels)
    features = abalone.make_features(made_up.table, train)
    assert features.shape == (4_177, 10)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features[train, :7].mean(dim=0), torch.zeros(7), atol=1e-4, rtol=0)
    torch.testing.assert_close(features[train, :7].std(dim=0), torch.ones(7), atol=1e-4, rtol=0)
    assert features[validation, :7].mean(dim=0).abs().min() > 1e-4
    assert set(features[:, 7:].unique().tolist()) == {0, 1}
    changed = made_up.table.copy()
    changed.loc[validation, "length_mm"] = 1e6
    torch.testing.assert_close(abalone.make_features(changed, train)[train], features[train])
    assert abalone.make_features(made_up.table, train, MEASUREMENTS[:4], False).shape[1] == 4


def test_features_take_rows_as_an_array_or_a_tensor(made_up):
    labels = (made_up.table["rings"].to_numpy() >= 10).astype(int)
    train, *_ = abalone.split_indices(labels)
    features = abalone.make_features(made_up.table, train)
    assert torch.equal(features, abalone.make_features(made_up.table, torch.from_numpy(train)))
    parts = abalone.split_indices(torch.from_numpy(labels))
    assert np.array_equal(parts[0], train)
    assert abalone.one_hot(np.array(["F", "M"]), SEXES).tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(("rows", "sizes"), [(300, [128, 128, 44]), (128, [128]), (1, [1])])
def test_batches_hold_every_row_once(rows, sizes):
    inputs = torch.arange(rows * 2.0).reshape(rows, 2)
    loader = abalone.Batches(inputs, inputs.sum(dim=1))
    orders = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        for _ in range(2):
            batches = list(loader)
            assert [len(targets) for _, targets in batches] == sizes
            assert all(torch.equal(x.sum(dim=1), targets) for x, targets in batches)
            orders.append(torch.cat([x for x, _ in batches])[:, 0].tolist())
            assert sorted(orders[-1]) == inputs[:, 0].tolist()
    assert orders[:2] == orders[2:4]
    assert (orders[0] != orders[1]) is (orders[0] != orders[4]) is (rows > 1)
