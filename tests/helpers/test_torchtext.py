"""Old IMDB notebooks, with nothing but their torchtext imports changed."""

import importlib
import random
import sys
import types
from collections import Counter, OrderedDict

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from helpers.torchtext import (
    IMDB,
    Vocab,
    build_vocab_from_iterator,
    get_tokenizer,
    to_map_style_dataset,
    vocab,
)

WORDS = ["the", "film", "a", "was", "<unk>", "film.", "Zoo", "été"]


@pytest.fixture(scope="module")
def oracle() -> types.ModuleType:
    """Give torchtext 0.18's own factory of vocabularies, over a list instead of its binary."""

    class Listed(list):
        def __init__(self, tokens: list[str], default: None) -> None:
            super().__init__(tokens)

        def get_itos(self) -> list[str]:
            return list(self)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("_extension", "_torchtext"):
            patch.setitem(sys.modules, f"torchtext.{name}", types.ModuleType(name))
        sys.modules["torchtext._torchtext"].Vocab = Listed
        pytest.importorskip("torchtext", reason="no wheel for this Python")
        package = types.ModuleType("torchtext.vocab")
        package.__path__ = [f"{folder}/vocab" for folder in sys.modules["torchtext"].__path__]
        patch.setitem(sys.modules, "torchtext.vocab", package)
        yield importlib.import_module("torchtext.vocab.vocab_factory")


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_that_of_torchtext(oracle: types.ModuleType, seed: int) -> None:
    draw = random.Random(seed)
    lists = [draw.choices(WORDS, k=draw.randint(0, 9)) for _ in range(draw.randint(1, 12))]
    settings = {
        "min_freq": draw.randint(1, 3),
        "specials": draw.choice([None, ["<unk>"], ["<pad>", "<unk>"], ["film"]]),
        "special_first": draw.choice([True, False]),
        "max_tokens": draw.choice([None, 3, 4, 100]),
    }
    theirs = oracle.build_vocab_from_iterator(lists, **settings).get_itos()
    assert build_vocab_from_iterator(iter(lists), **settings).get_itos() == theirs


def test_a_vocab_from_counts_is_that_of_torchtext(oracle: types.ModuleType) -> None:
    counts = {"b": 2, "a": 5, "<unk>": 1, "c": 1}
    for settings in ({}, {"min_freq": 2}, {"specials": ["<unk>", "b"], "special_first": False}):
        theirs = oracle.vocab(OrderedDict(counts), **settings).get_itos()
        assert vocab(counts, **settings).get_itos() == theirs


def test_a_vocab_does_what_torchtext_documents() -> None:
    small = build_vocab_from_iterator([["a", "film", "a"]], specials=["<unk>"])
    assert isinstance(small, nn.Module)
    assert (len(small), small["a"], "film" in small, "plot" in small) == (3, 1, True, False)
    with pytest.raises(RuntimeError, match=r"set_default_index"):
        small["plot"]
    small.set_default_index(small["<unk>"])
    assert small(["a", "plot", "film"]) == small.lookup_indices(["a", "plot", "film"]) == [1, 0, 2]
    assert small.lookup_tokens([2, 0]) == ["film", "<unk>"]
    small.insert_token("the", 1)
    small.append_token("end")
    assert small.get_itos() == ["<unk>", "the", "a", "film", "end"]
    assert small.get_stoi() == {"<unk>": 0, "the": 1, "a": 2, "film": 3, "end": 4}
    for wrong in (
        lambda: small.insert_token("a", 0),
        lambda: small.insert_token("new", 6),
        lambda: small.append_token("the"),
        lambda: small.lookup_token(5),
        lambda: small.lookup_token(-1),
        lambda: Vocab(["twice", "twice"]),
    ):
        with pytest.raises(RuntimeError):
            wrong()
    assert len(small) == 5
    with pytest.raises(AssertionError):
        build_vocab_from_iterator([["a"]], specials=["<pad>", "<unk>"], max_tokens=2)


def test_tokenizers() -> None:
    assert get_tokenizer(None)("A film.") == ["A", "film."]
    assert get_tokenizer("basic_english")("A film.") == ["a", "film", "."]
    assert get_tokenizer(list)("ab") == ["a", "b"]
    for wrong in (("moses", "en"), ("basic_english", "de")):
        with pytest.raises(ValueError, match="basic_english"):
            get_tokenizer(*wrong)


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(ValueError, match="unsup"):
        IMDB(split="unsup")


# four patterns as they stand in notebooks of the time, written anew


def test_pattern_counting_labels() -> None:
    train_iter = IMDB(split="train")
    assert Counter(label for (label, line) in train_iter) == {1: 12_500, 2: 12_500}
    assert next(iter(train_iter))[0] == 1  # the same pipe gives all of them again


def test_pattern_the_first_200_are_of_one_class() -> None:
    first = list(IMDB(split="train"))[:200]
    assert {label for label, _ in first} == {1}
    assert all(isinstance(text, str) for _, text in first)


def test_pattern_vocabulary_with_specials() -> None:
    tokenizer = get_tokenizer("basic_english")

    def yield_tokens(data_iter):
        for _, text in data_iter:
            yield tokenizer(text)

    words = build_vocab_from_iterator(
        yield_tokens(IMDB(split="train")), specials=["<unk>", "<pad>"]
    )
    words.set_default_index(words["<unk>"])
    assert words.get_itos()[:6] == ["<unk>", "<pad>", "the", ".", ",", "and"]
    assert words(tokenizer("The zzyzxish film")) == [2, 0, words["film"]]


def test_pattern_offsets_for_an_embedding_bag() -> None:
    tokenizer = get_tokenizer("basic_english")
    data = to_map_style_dataset(IMDB(split="train"))
    words = build_vocab_from_iterator(
        (tokenizer(text) for _, text in data[:300]), specials=["<unk>"]
    )
    words.set_default_index(words["<unk>"])

    def collate_batch(batch):
        label_list, text_list, offsets = [], [], [0]
        for _label, _text in batch:
            label_list.append(int(_label) - 1)
            processed_text = torch.tensor(words(tokenizer(_text)), dtype=torch.int64)
            text_list.append(processed_text)
            offsets.append(processed_text.size(0))
        label_list = torch.tensor(label_list, dtype=torch.int64)
        offsets = torch.tensor(offsets[:-1]).cumsum(dim=0)
        return label_list, torch.cat(text_list), offsets

    loader = DataLoader(data, batch_size=64, shuffle=True, collate_fn=collate_batch)
    label, text, offsets = next(iter(loader))
    bag = nn.EmbeddingBag(len(words), 16)
    assert bag(text, offsets).shape == (64, 16)
    assert set(label.tolist()) == {0, 1}  # shuffled


def test_a_pipe_goes_into_a_loader_and_is_shuffled_on_demand() -> None:
    pipe = IMDB(split="train")
    label, texts = next(iter(DataLoader(pipe, batch_size=200)))
    assert set(label.tolist()) == {1}
    assert len(texts) == 200
    _, shuffled = next(iter(DataLoader(pipe, batch_size=200, shuffle=True)))
    assert set(shuffled) != set(texts)
