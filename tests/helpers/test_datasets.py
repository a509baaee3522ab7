"""`helpers.datasets` against naive code and scikit-learn; its cache against every damage."""

import functools
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from sklearn.feature_extraction.text import CountVectorizer
from torch import Tensor
from torch.nn.functional import embedding_bag
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset

from helpers import datasets, storage, text
from helpers.corpus import Reviews, balanced_sample
from helpers.datasets import (
    BagOfWordsDataset,
    Bags,
    build_and_encode,
    encode,
    load_or_encode,
    make_loader,
)
from helpers.text import Vocabulary, basic_english

# an empty text, an all-unknown one, repeated words, one word; 11 reviews leave a short batch
REVIEWS = Reviews(
    ["b a b", "", "x y x", "a", "c x a", "d c b a", "a a a", "b d", "d", "x", "c c b"],
    [0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0],
)
VOCABULARY = Vocabulary(["a", "b", "c", "d"])
DATASET = encode(REVIEWS, VOCABULARY)


class NaiveDataset(Dataset):
    """One review at a time, word by word: the reference."""

    def __init__(self, reviews: Reviews, vocabulary: Vocabulary, tokenizer=basic_english):
        self.reviews, self.vocabulary, self.tokenizer = reviews, vocabulary, tokenizer

    def __len__(self) -> int:
        return len(self.reviews)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        review, label = self.reviews[index]
        multi_hot = torch.zeros(len(self.vocabulary))
        for token in self.tokenizer(review):
            known = token in self.vocabulary.tokens
            multi_hot[1 + self.vocabulary.tokens.index(token) if known else 0] = 1
        return multi_hot, torch.tensor(label)


NAIVE = NaiveDataset(REVIEWS, VOCABULARY)


def assert_equal(left: object, right: object) -> None:
    """Tensors, and tuples or lists of them, equal in every bit, shape and type."""
    torch.testing.assert_close(left, right, rtol=0, atol=0)


def assert_same_data(left: BagOfWordsDataset, right: BagOfWordsDataset) -> None:
    assert_equal((left.ids, left.offsets, left.labels), (right.ids, right.offsets, right.labels))
    assert left.vocab_size == right.vocab_size


def rows(dataset: Dataset, indices: list[int]) -> Tensor:
    """The samples one by one, as a matrix [indices, vocab]."""
    return torch.stack([dataset[i][0] for i in indices])


# --- encoding ---------------------------------------------------------------------------


def test_encoded_ids_are_distinct_and_ascending():
    assert DATASET.ids.tolist() == [1, 2, 0, 1, 0, 1, 3, 1, 2, 3, 4, 1, 2, 4, 4, 0, 2, 3]
    assert DATASET.offsets.tolist() == [0, 2, 2, 3, 4, 7, 11, 12, 14, 15, 16, 18]
    assert DATASET.labels.tolist() == list(REVIEWS.labels)
    assert DATASET.vocab_size == len(DATASET[0][0]) == 5
    assert len(DATASET) == 11


@pytest.mark.parametrize("name", text.TOKENIZERS)
def test_encode_equals_scikit_learn(train_reviews, name):
    tokenizer = text.TOKENIZERS[name]
    reviews = balanced_sample(train_reviews, 500, seed=3)
    vocabulary = Vocabulary.build(map(tokenizer, reviews.texts), max_size=3_000)
    vectorizer = CountVectorizer(
        binary=True, analyzer=tokenizer, vocabulary=vocabulary.tokens, dtype=np.float32
    )
    dataset = encode(reviews, vocabulary, tokenizer)
    multi_hot = dataset.multi_hot()
    assert_equal(multi_hot[:, 1:], torch.from_numpy(vectorizer.transform(reviews.texts).toarray()))
    unknown = [not set(tokenizer(review)) <= set(vocabulary.tokens) for review in reviews.texts]
    assert_equal(multi_hot[:, 0].bool(), torch.tensor(unknown))
    assert any(unknown)
    assert_equal(dataset.ids.long(), multi_hot.nonzero()[:, 1])  # ascending, each once
    assert dataset.labels.tolist() == list(reviews.labels)


def test_encode_of_the_whole_train_split_holds_at_most_25_mb(train_reviews):
    vocabulary = Vocabulary.build(map(str.split, train_reviews.texts))
    dataset = encode(train_reviews, vocabulary, str.split)
    arrays = [value for value in vars(dataset).values() if isinstance(value, Tensor)]
    held = sum(array.untyped_storage().nbytes() for array in arrays)
    assert dataset.nbytes == held <= 25_000_000


@pytest.mark.parametrize("vocabulary", [VOCABULARY, Vocabulary([])], ids=["words", "none"])
@pytest.mark.parametrize("size", [0, 1, 2])
def test_few_reviews(vocabulary, size):
    dataset = encode(REVIEWS[:size], vocabulary)
    naive = NaiveDataset(REVIEWS[:size], vocabulary)
    assert len(dataset) == size
    assert dataset.multi_hot().shape == (size, len(vocabulary))
    assert_equal(list(dataset.multi_hot()), [naive[i][0] for i in range(size)])
    assert_same_data(dataset.select([]), dataset.select(torch.tensor([])))
    assert dataset.select([]).multi_hot().shape == (0, len(vocabulary))


def assert_one_pass_equals_two(reviews: Reviews, size: int, tokenizer: Callable) -> None:
    dataset, vocabulary = build_and_encode(reviews, size, tokenizer)
    expected = Vocabulary.build(map(tokenizer, reviews.texts), max_size=size)
    assert vocabulary.tokens == expected.tokens
    assert vocabulary.ids == expected.ids
    assert dataset.vocab_size == len(expected)
    assert dataset.labels.tolist() == list(reviews.labels)
    found = np.split(dataset.ids.numpy(), dataset.offsets.numpy()[1:-1]) if len(reviews) else []
    wanted = [sorted(set(expected.encode(tokenizer(text)))) for text in reviews.texts]
    assert [ids.tolist() for ids in found] == wanted


@pytest.mark.parametrize("size", [1, 2, 5, 10**6])
@pytest.mark.parametrize("seed", range(5))
def test_one_pass_equals_building_and_encoding(seed, size):
    """Few letters in short texts: many ties, repeated tokens, texts without any."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(0, 8, size=30)
    texts = [" ".join(generator.choice([*"abcdefgh", "ü", "日"], length)) for length in lengths]
    assert_one_pass_equals_two(Reviews(texts, [0, 1] * 15), size, str.split)


@pytest.mark.parametrize("texts", [[], [""], ["", " ", ""], ["a"], ["a a", ""]], ids=str)
def test_one_pass_over_hardly_anything(texts):
    assert_one_pass_equals_two(Reviews(texts, [1] * len(texts)), 10, str.split)


@pytest.mark.parametrize("name", text.TOKENIZERS)
def test_one_pass_over_real_reviews(train_reviews, name):
    reviews = train_reviews if name == "basic_english" else train_reviews[::10]
    assert_one_pass_equals_two(reviews, 20_000, text.TOKENIZERS[name])


def test_pairs_beyond_32_bits():
    """Reviews times vocabulary is above 2**31."""
    vocabulary = Vocabulary(map(str, range(2**17)))
    reviews = Reviews([f"{i} {2**17 - 1}" for i in range(2**14 + 1)], [0] * (2**14 + 1))
    dataset = encode(reviews, vocabulary, str.split)
    assert dataset.ids[-2:].tolist() == [2**14 + 1, 2**17]
    assert dataset.offsets[-1] == 2 * len(reviews)


@pytest.mark.parametrize(
    ("tokenizer", "returned"),
    [(lambda review: None, "None"), (lambda review: review.lower(), "'b a b'"), (len, "5")],
    ids=["nothing", "a-text", "a-number"],
)
def test_tokenizer_that_returns_no_list(tokenizer, returned):
    for call in (
        lambda: encode(REVIEWS, VOCABULARY, tokenizer),
        lambda: build_and_encode(REVIEWS, 5, tokenizer),
    ):
        with pytest.raises(TypeError, match=f"'b a b' this one returned {returned}"):
            call()


def test_one_pass_needs_a_size():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        build_and_encode(REVIEWS, 0)


# --- access -----------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(-11, 11))
def test_item_equals_the_naive_one(index):
    multi_hot, label = DATASET[index]
    assert_equal((multi_hot, label), NAIVE[index])
    assert (multi_hot.dtype, label.dtype, label.shape) == (torch.float32, torch.int64, ())


@pytest.mark.parametrize("index", [11, -12, 1_000])
def test_index_out_of_range(index):
    with pytest.raises(IndexError):
        DATASET[index]
    for indices in ([index], [0, index]):
        with pytest.raises(IndexError):
            DATASET.select(indices)
    assert len(list(DATASET)) == 11  # a loop ends because of it


@pytest.mark.parametrize(
    "indices",
    [[3], [1], [2], [5, 0, 5, 1], [-1, -11, 4], [], [*range(11)]],
    ids=["one", "empty-text", "all-unknown", "repeated", "negative", "none", "all"],
)
@pytest.mark.parametrize("kind", [list, torch.tensor, np.array])
def test_select_equals_the_naive_samples(indices, kind):
    selected = DATASET.select(kind(indices))
    assert isinstance(selected, BagOfWordsDataset)
    assert selected.labels.tolist() == [REVIEWS.labels[i] for i in indices]
    expected = rows(NAIVE, indices) if indices else torch.zeros(0, 5)
    assert_equal(selected.multi_hot(), expected)
    assert_equal([selected[i][0] for i in range(len(indices))], list(expected))
    assert_same_data(selected, encode(REVIEWS.select(indices), VOCABULARY))


def test_selecting_twice():
    assert_same_data(DATASET.select([7, 4, 1, 5]).select([3, 1]), DATASET.select([5, 4]))


def test_embedding_bag_is_the_matrix_product():
    weights = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    bags = DATASET.bags()
    summed = embedding_bag(bags.ids, weights, bags.offsets, mode="sum", include_last_offset=True)
    torch.testing.assert_close(summed, rows(NAIVE, range(11)) @ weights)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_to_moves_everything(device):
    moved = DATASET.to(device)
    arrays = [moved.ids, moved.offsets, moved.labels, *moved.bags(), *DATASET.bags().to(device)]
    assert {array.device.type for array in arrays} == {device}
    assert isinstance(DATASET.bags().to(device), Bags)
    assert (len(moved), moved.vocab_size, moved.nbytes) == (11, 5, DATASET.nbytes)


def test_nbytes():
    assert DATASET.nbytes == 4 * 18 + 4 * 12 + 8 * 11


IDS, OFFSETS, LABELS = DATASET.ids, DATASET.offsets, DATASET.labels


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((IDS.long(), OFFSETS, LABELS), r"got .torch.int64, torch.int32, torch.int64. of"),
        ((IDS, OFFSETS.long(), LABELS), "Build it with datasets.encode"),
        ((IDS, OFFSETS, LABELS.float()), "Build it with datasets.encode"),
        ((IDS, OFFSETS[:-1], LABELS), r"shapes \[\[18\], \[11\], \[11\]\]"),
        ((IDS, OFFSETS[:, None], LABELS), r"shapes \[\[18\], \[12, 1\], \[11\]\]"),
        ((IDS[None], OFFSETS, LABELS), r"shapes \[\[1, 18\]"),
        ((IDS, OFFSETS, LABELS[:, None]), r", \[11, 1\]\]"),
    ],
)
def test_arrays_that_do_not_fit(arrays, message):
    with pytest.raises(ValueError, match=message):
        BagOfWordsDataset(*arrays, vocab_size=5)


# --- loaders ----------------------------------------------------------------------------


def batches(loader: DataLoader) -> list[list[Tensor]]:
    """Two epochs, because the order of the second one must agree, too."""
    return [list(batch) for _ in range(2) for batch in loader]


@pytest.mark.parametrize("shuffle", [False, True], ids=["in-order", "shuffled"])
@pytest.mark.parametrize("drop_last", [False, True], ids=["short-last", "drop-last"])
@pytest.mark.parametrize("batch_size", [1, 4, 11, 20])
def test_loaders_give_the_batches_of_the_naive_dataset(batch_size, drop_last, shuffle):
    def options() -> dict:
        generator = torch.Generator().manual_seed(5)
        sizes = {"batch_size": batch_size, "drop_last": drop_last}
        return {**sizes, "shuffle": shuffle, "generator": generator}

    expected = batches(DataLoader(NAIVE, **options()))
    assert len(expected) == 2 * (11 // batch_size if drop_last else -(-11 // batch_size))
    assert_equal(batches(DataLoader(DATASET, **options())), expected)
    assert_equal(batches(make_loader(DATASET, **options())), expected)
    sparse = batches(make_loader(DATASET, sparse=True, **options()))
    identity = torch.eye(5)
    dense = [
        [embedding_bag(ids, identity, offsets, mode="sum", include_last_offset=True), labels]
        for (ids, offsets), labels in sparse
    ]
    assert_equal(dense, expected)


def test_shuffling_follows_the_generator():
    first, again, other = (
        torch.cat([labels for _, labels in make_loader(DATASET, 4, shuffle=True, generator=seeded)])
        for seeded in map(torch.Generator().manual_seed, (0, 0, 2))
    )
    assert_equal(first, again)
    assert not torch.equal(first, other)


def test_default_batch_size_is_128_in_order():
    [(multi_hot, labels)] = make_loader(DATASET)
    assert_equal((multi_hot, labels), (DATASET.multi_hot(), DATASET.labels))
    assert make_loader(DATASET).batch_size == 128


@pytest.mark.parametrize("indices", [[8, 2, 5, 1, 2], [-1, 3, -11]])
def test_subset_and_sampler(indices):
    expected = batches(DataLoader(Subset(NAIVE, indices), batch_size=2))
    assert_equal(batches(DataLoader(Subset(DATASET, indices), batch_size=2)), expected)
    assert_equal(batches(make_loader(Subset(DATASET, indices), batch_size=2)), expected)
    assert_equal(batches(DataLoader(DATASET, batch_size=2, sampler=indices)), expected)


@pytest.mark.parametrize(
    "dataset",
    [ConcatDataset([DATASET, DATASET]), NAIVE, REVIEWS],
    ids=["joined", "naive", "reviews"],
)
def test_make_loader_refuses_other_data_sets(dataset):
    with pytest.raises(TypeError, match=r"takes a BagOfWordsDataset, not a \w+\."):
        make_loader(dataset)


def test_a_slice_is_no_sample():
    with pytest.raises(TypeError, match=r"dataset\.select\(range\(1, 3\)\)"):
        DATASET[1:3]


# --- the cache on disk ------------------------------------------------------------------


@pytest.fixture
def no_encoding(monkeypatch) -> Callable[[], None]:
    """Give a function after whose call only a cache hit can succeed."""

    def forbidden(*arguments, **options):
        raise AssertionError("encoded instead of read from the cache")

    def forbid() -> None:
        monkeypatch.setattr(datasets, "keep_if_possible", forbidden)

    return forbid


def assert_same(result: tuple[BagOfWordsDataset, Vocabulary], vocabulary=VOCABULARY) -> None:
    assert_same_data(result[0], encode(REVIEWS, vocabulary))
    assert result[1].tokens == vocabulary.tokens
    assert result[1].ids == vocabulary.ids


@pytest.mark.parametrize("given", [VOCABULARY, 3, 20_000], ids=["vocabulary", "size", "all"])
def test_second_load_is_a_hit_equal_to_encoding(tmp_path, no_encoding, given):
    built = given
    if isinstance(given, int):
        built = Vocabulary.build(map(basic_english, REVIEWS.texts), max_size=given)
    assert_same(load_or_encode(REVIEWS, given, folder=tmp_path), built)
    [file] = tmp_path.iterdir()
    content = file.read_bytes()
    no_encoding()
    assert_same(load_or_encode(REVIEWS, given, folder=tmp_path), built)
    assert [*tmp_path.iterdir()] == [file]
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "reviews",
    [Reviews([], []), Reviews([""], [1]), Reviews(["你好 🎬 \u2028 İ"], [0])],
    ids=["none", "empty-text", "odd-letters"],
)
def test_cache_of_odd_data(tmp_path, no_encoding, reviews):
    encoded, vocabulary = load_or_encode(reviews, folder=tmp_path)
    no_encoding()
    cached, cached_vocabulary = load_or_encode(reviews, folder=tmp_path)
    assert_same_data(cached, encoded)
    assert cached_vocabulary.tokens == vocabulary.tokens


def test_default_folder_is_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    load_or_encode(REVIEWS)
    [file] = (tmp_path / "cache").iterdir()
    assert file.suffix == ".safetensors"


def replaced(sequence: tuple, index: int, value: object) -> tuple:
    return (*sequence[:index], value, *sequence[index + 1 :])


@pytest.mark.parametrize(
    "changed",
    [
        {"reviews": Reviews(replaced(REVIEWS.texts, 3, "b"), REVIEWS.labels)},
        {"reviews": Reviews(REVIEWS.texts, replaced(REVIEWS.labels, 3, 0))},
        {"reviews": REVIEWS.select([*range(1, 11), 0])},
        {"vocabulary": Vocabulary(["b", "a", "c", "d"])},
        {"vocabulary": Vocabulary(["a", "b", "c"])},
        {"vocabulary": 4},
        {"tokenizer": str.split},
        {"tokenizer": text.delete_punctuation},
        {"tokenizer": text.space_punctuation},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_every_input_changes_the_file(tmp_path, changed):
    inputs = {"reviews": REVIEWS, "vocabulary": VOCABULARY, "tokenizer": basic_english}
    load_or_encode(**inputs, folder=tmp_path)
    inputs |= changed
    dataset, vocabulary = load_or_encode(**inputs, folder=tmp_path)
    assert len([*tmp_path.iterdir()]) == 2
    assert_same_data(dataset, encode(inputs["reviews"], vocabulary, inputs["tokenizer"]))


def test_vocabulary_size_changes_the_file(tmp_path):
    sizes = [len(load_or_encode(REVIEWS, size, folder=tmp_path)[1]) for size in (2, 3)]
    assert sizes == [3, 4]
    assert len([*tmp_path.iterdir()]) == 2


ENCODERS = ["build_and_encode", "_to_csr"]


@pytest.mark.parametrize("name", [*ENCODERS, "basic_english"])
@pytest.mark.parametrize(
    ("old", "new", "files"),
    [
        ("    return ", "    True\n    return ", 2),
        ("    return ", "    # a comment\n\n    return ", 1),
        ('    """', '    """Another docstring. ', 1),
    ],
    ids=["statement", "comment", "docstring"],
)
def test_code_that_encodes_changes_the_file(tmp_path, monkeypatch, name, old, new, files):
    def changed_source(function: Callable) -> str:
        source = getsource(function)
        if function.__name__ != name:
            return source
        assert old in source
        return source.replace(old, new, 1)

    getsource = inspect.getsource
    load_or_encode(REVIEWS, folder=tmp_path)
    monkeypatch.setattr(inspect, "getsource", changed_source)
    load_or_encode(REVIEWS, folder=tmp_path)
    assert len([*tmp_path.iterdir()]) == files


@pytest.mark.parametrize(
    "tokenizer",
    [
        lambda review: review.split(),
        functools.partial(str.split, sep="b"),
        re.compile("[a-z]").findall,
    ],
    ids=["lambda", "partial", "builtin"],
)
def test_another_tokenizer_is_never_cached(tmp_path, tokenizer):
    dataset, vocabulary = load_or_encode(REVIEWS, tokenizer=tokenizer, folder=tmp_path)
    assert_same_data(dataset, encode(REVIEWS, vocabulary, tokenizer))
    assert [*tmp_path.iterdir()] == []


def test_a_bug_in_reading_the_cache_is_no_damage(tmp_path, monkeypatch):
    def broken(*arguments, **options):
        raise TypeError("a bug")

    load_or_encode(REVIEWS, folder=tmp_path)
    monkeypatch.setattr(datasets, "BagOfWordsDataset", broken)
    with pytest.raises(TypeError, match="a bug"):
        load_or_encode(REVIEWS, folder=tmp_path)


def resave(file: Path, **changes: torch.Tensor | None) -> None:
    """Write the file again, some tensors changed or left out, what its header says kept."""
    content = file.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    tensors = {**safetensors.torch.load(content), **changes}
    tensors = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    file.write_bytes(safetensors.torch.save(tensors, header["__metadata__"]))


def flip_byte_of_ids(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[content.index(DATASET.ids.numpy().tobytes()) + 4] ^= 1
    file.write_bytes(content)


def put_other_reviews(file: Path) -> None:
    """A file that is whole, and right for its own key, but has another one's name."""
    load_or_encode(REVIEWS[::-1], VOCABULARY, folder=file.parent / "other")
    [other] = (file.parent / "other").iterdir()
    other.replace(file)
    other.parent.rmdir()


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "half": lambda file: file.write_bytes(file.read_bytes()[:200]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"0"),
    "text": lambda file: file.write_text("not an archive"),
    "other format": lambda file: torch.save(DATASET.ids, file),
    "flipped byte": flip_byte_of_ids,
    "changed ids": lambda file: resave(file, ids=torch.zeros_like(IDS)),
    "changed labels": lambda file: resave(file, labels=torch.zeros_like(LABELS)),
    "changed type": lambda file: resave(file, ids=IDS.long()),
    "changed shape": lambda file: resave(file, ids=IDS.reshape(9, 2)),
    "changed tokens": lambda file: resave(file, tokens=torch.tensor([*b'["a"]']).byte()),
    "no ids": lambda file: resave(file, ids=None),
    "no header": lambda file: file.write_bytes(safetensors.torch.save({"ids": IDS})),
    "other key": put_other_reviews,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_cache_is_made_anew(tmp_path, no_encoding, damage):
    load_or_encode(REVIEWS, VOCABULARY, folder=tmp_path)
    [file] = tmp_path.iterdir()
    damage(file)
    assert_same(load_or_encode(REVIEWS, VOCABULARY, folder=tmp_path))
    assert [*tmp_path.iterdir()] == [file]
    no_encoding()
    assert_same(load_or_encode(REVIEWS, VOCABULARY, folder=tmp_path))


def test_no_flipped_byte_is_trusted_or_stops_the_reader(tmp_path):
    load_or_encode(REVIEWS, VOCABULARY, folder=tmp_path)
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    key = datasets._cache_key(REVIEWS, VOCABULARY, basic_english)
    assert storage.load_cache(file, key) is not None
    for place in range(0, len(whole), 3):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert storage.load_cache(file, key) is None, place


def assert_encoded_with_one_warning(folder: Path) -> None:
    with pytest.warns(UserWarning, match=r"could not be kept in .*COURSE_DATA") as caught:
        assert_same(load_or_encode(REVIEWS, VOCABULARY, folder=folder))
    assert len(caught) == 1


def test_folder_in_the_place_of_the_file_costs_only_a_warning(tmp_path):
    load_or_encode(REVIEWS, VOCABULARY, folder=tmp_path)
    [file] = tmp_path.iterdir()
    file.unlink()
    file.mkdir()
    assert_encoded_with_one_warning(tmp_path)
    assert [*tmp_path.rglob("*")] == [file]


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "unreadable"])
def test_closed_folder_costs_only_a_warning(tmp_path, closed_folder, mode):
    # once as usual, because what is imported late may be closed to another user
    assert_same(load_or_encode(REVIEWS, VOCABULARY, folder=tmp_path))
    with closed_folder(mode) as folder:
        assert_encoded_with_one_warning(folder / "cache")


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_full_disk_costs_only_a_warning(tmp_path, file_size_limit):
    with file_size_limit(500):
        assert_encoded_with_one_warning(tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "indices",
    [torch.tensor([True, False]), np.array([True, False]), [True, False], [np.True_], [0.0, 1.0]],
    ids=["tensor-mask", "array-mask", "list-mask", "numpy-bools", "floats"],
)
def test_select_refuses_what_is_no_position(indices):
    data = datasets.encode(Reviews(("good film", "bad film"), (1, 0)), Vocabulary(["film"]))
    with pytest.raises(TypeError, match=r"positions, not .*(bool|float)"):
        data.select(indices)
    assert data.select(np.array([1, 0])).labels.tolist() == [0, 1]
