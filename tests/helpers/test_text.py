"""`helpers.text`: tokenisers equal to their references, and the vocabulary."""

import string
import sys
import types
import warnings
from collections import Counter
from collections.abc import Callable
from itertools import chain

import pytest

from helpers.text import TOKENIZERS, Tokenizer, Vocabulary, basic_english

ODD_TEXTS = [
    "",
    " \t\r\n",
    "Plain words",
    "Don't STOP!? (Now, please.)",
    "''' ... ,,, ((( ))) !!! ???",
    'a "quoted" word and a "',
    "a;b:c;;::",
    "one<br />two<br /><br />three",
    "<br/> <BR /> <br  /> <<br />> < br />",
    '<"br />" <br" /> "<br />"',
    "<br />.<br />'<br />",
    "<b;r /> <br :/>",
    "next\u0085line no\u00a0break thin\u2009space line\u2028separator em\u3000space",
    "zero\u200bwidth bom\ufeff file\x1cseparator unit\x1fseparator nul\x00byte",
    "İSTANBUL ǅ ẞ ΑΣ ﬁ",
    "naïve nai\u0308ve “curly” ‘quotes’ … – 🎬 ½ 你好。",
    "$9.99 @home #1 50% a&b a*b [x] {y} a_b a-b a/b a\\b a|b a~b `c` ^ + = < >",
    "\\' \\n \\.",
]


@pytest.fixture(scope="module")
def torchtext_tokenizer() -> Tokenizer:
    """Give torchtext 0.18's own tokeniser, without the binary that no longer loads."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setitem(sys.modules, "torchtext._extension", types.ModuleType("_extension"))
        warnings.simplefilter("ignore")
        utils = pytest.importorskip("torchtext.data.utils", reason="no wheel for this Python")
    return utils.get_tokenizer("basic_english")


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_basic_english_equals_torchtext_on_odd_texts(torchtext_tokenizer, text):
    assert basic_english(text) == torchtext_tokenizer(text)


def test_basic_english_equals_torchtext_on_all_reviews(torchtext_tokenizer, train_reviews):
    different = [
        text for text in train_reviews.texts if basic_english(text) != torchtext_tokenizer(text)
    ]
    assert different == []


def test_basic_english_by_hand():
    """What `basic_english` promises, also where torchtext cannot be installed."""
    text = "It's \"GREAT\", isn't it?<br /><br />Yes: (very) good; see it.Now!"
    expected = "it ' s great , isn ' t it ? yes ( very ) good see it . now !"
    assert basic_english(text) == expected.split(" ")


def replaced_punctuation(text: str, replacement: str) -> list[str]:
    letters = (replacement if letter in string.punctuation else letter for letter in text.lower())
    return "".join(letters).split()


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("split", lambda text: text.split()),
        ("delete punctuation", lambda text: replaced_punctuation(text, "")),
        ("space punctuation", lambda text: replaced_punctuation(text, " ")),
    ],
)
def test_tokenizer_equals_its_naive_form(train_reviews, name: str, reference: Callable):
    for text in [*ODD_TEXTS, *train_reviews.texts[::500]]:
        assert TOKENIZERS[name](text) == reference(text)


def test_tokenizers_have_the_course_names():
    assert list(TOKENIZERS) == ["split", "delete punctuation", "space punctuation", "basic_english"]
    assert TOKENIZERS["basic_english"] is basic_english


def unknown_tokens(vocabulary: Vocabulary, token_lists: list[list[str]]) -> int:
    return sum(vocabulary.encode(tokens).count(0) for tokens in token_lists)


def test_published_figures_of_plain_split(train_reviews):
    token_lists = [text.split() for text in train_reviews.texts]
    vocabulary = Vocabulary.build(token_lists)
    assert len(vocabulary) == 20_001
    assert vocabulary.tokens[:5] == ["the", "a", "and", "of", "to"]
    assert vocabulary.tokens[-5:] == ["age-old", "place!", "Bros", "tossing", "nation,"]
    assert unknown_tokens(vocabulary, token_lists) == 566_141


def test_published_figure_of_space_punctuation(train_reviews):
    token_lists = [TOKENIZERS["space punctuation"](text) for text in train_reviews.texts]
    vocabulary = Vocabulary.build(token_lists, max_size=20_000)
    assert unknown_tokens(vocabulary, token_lists) == 137_292


# --- Vocabulary -------------------------------------------------------------------------

TOKEN_LISTS = [["b", "a", "c"], ["d", "a", "b"], [], ["c", "e"]]


def most_frequent(token_lists: list[list[str]], size: int) -> list[str]:
    """The same by another road: order by how often, then by where first seen."""
    tokens = [token for tokens in token_lists for token in tokens]
    first: dict[str, int] = {}
    count: dict[str, int] = {}
    for place, token in enumerate(tokens):
        first.setdefault(token, place)
        count[token] = count.get(token, 0) + 1
    return sorted(count, key=lambda token: (-count[token], first[token]))[:size]


def test_ties_go_to_the_token_seen_first():
    assert Vocabulary.build(TOKEN_LISTS).tokens == ["b", "a", "c", "d", "e"]
    assert Vocabulary.build(TOKEN_LISTS, max_size=2).tokens == ["b", "a"]
    assert Vocabulary.build([["z"], ["y", "x"], ["x"]]).tokens == ["x", "z", "y"]


@pytest.mark.parametrize("size", [1, 100, 10**9])
def test_build_equals_independent_construction(train_reviews, size):
    token_lists = [text.split() for text in train_reviews.texts[::100]]
    vocabulary = Vocabulary.build((iter(tokens) for tokens in token_lists), max_size=size)
    assert vocabulary.tokens == most_frequent(token_lists, size)
    counter = Counter(chain.from_iterable(token_lists))
    assert vocabulary.tokens == sorted(counter, key=counter.get, reverse=True)[:size]


def test_ids_count_from_one_and_zero_is_unknown():
    vocabulary = Vocabulary(["b", "a"])
    assert len(vocabulary) == 3
    assert vocabulary.encode(["a", "b", "x", "b", ""]) == [2, 1, 0, 1, 0]
    assert vocabulary.decode([2, 1, 0]) == ["a", "b", "<unk>"]
    assert "a" in vocabulary
    assert "x" not in vocabulary
    assert vocabulary.encode([]) == vocabulary.decode([]) == []
    assert repr(vocabulary) == "Vocabulary(2 tokens and the unknown)"


def test_decode_reverses_encode(train_reviews):
    tokens = basic_english(train_reviews.texts[0])
    vocabulary = Vocabulary.build([tokens])
    assert vocabulary.decode(vocabulary.encode(tokens)) == tokens
    assert vocabulary.encode(vocabulary.tokens) == [*range(1, len(vocabulary))]


def test_vocabulary_without_tokens():
    assert Vocabulary.build([[], []]).encode(["a"]) == [0]
    assert len(Vocabulary([])) == 1


def test_digest_tells_vocabularies_apart():
    digests = {Vocabulary(tokens).digest for tokens in (["a", "b"], ["b", "a"], ["a"], ["ab"], [])}
    assert len(digests) == 5
    assert Vocabulary(iter("ab")).digest in digests


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Vocabulary(["a", "b", "a"]), ValueError, "occur twice: .'a'."),
        (lambda: Vocabulary.build(TOKEN_LISTS, max_size=0), ValueError, "at least 1, got 0"),
        (lambda: Vocabulary.build("text"), TypeError, "Tokenise first"),
        (lambda: Vocabulary.build(["a text", "not split"]), TypeError, "'a text'.*Tokenise first"),
        (lambda: Vocabulary.build([["a"], None]), TypeError, "got None.*return its list"),
        (lambda: Vocabulary(["a"]).encode("a text"), TypeError, "'a text'.*Tokenise first"),
        (lambda: Vocabulary(["a"]).decode([1, 2]), ValueError, "Id 2 is outside .* 0 to 1"),
        (lambda: Vocabulary(["a"]).decode([-1]), ValueError, "Id -1 is outside .* 0 to 1"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- save and load ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "tokens",
    [[], ["b", "a"], ["", '"', "\\", "\n", "İ", "你好", "🎬", "\u2028", "<unk>"]],
    ids=["none", "plain", "odd"],
)
def test_save_and_load(tmp_path, tokens):
    path = tmp_path / "folder" / "vocabulary.json"
    Vocabulary(["old"]).save(path)
    Vocabulary(tokens).save(str(path))
    loaded = Vocabulary.load(path)
    assert loaded.tokens == tokens
    assert loaded.ids == Vocabulary(tokens).ids
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"tokens": ["a", "b',
        b'{"tokens": ["a", "\xff"]}',
        b'["a", "b"]',
        b"{}",
        b'{"tokens": "ab"}',
        b'{"tokens": {"a": 1}}',
        b'{"tokens": 2}',
        b'{"tokens": ["a", 1]}',
        b'{"tokens": ["a", "a"]}',
    ],
)
def test_damaged_file(tmp_path, content):
    path = tmp_path / "vocabulary.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"is not a saved vocabulary .*Save one with") as caught:
        Vocabulary.load(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_absent_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        Vocabulary.load(tmp_path / "vocabulary.json")
