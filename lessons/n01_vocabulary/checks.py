"""The exercises of notebook 01 · Vocabulary and tokenisation."""

from collections.abc import Callable

from helpers import text
from helpers.corpus import Reviews
from helpers.text import Vocabulary
from lessons.comparing import ANY
from lessons.exercises import Checks
from lessons.n01_vocabulary import classes, open_task, tokenisers

check = Checks()


# --- I.1 ----------------------------------------------------------------------------------


def describe(reviews: Reviews, words: Callable = str.split) -> tuple:
    """Return positives, negatives, total and the mean number of `words`."""
    lengths = [len(words(review)) for review in reviews.texts]
    positives, total = sum(reviews.labels), len(reviews)
    return positives, total - positives, total, sum(lengths) / total


def describing(result: Callable = lambda *four: four, words: Callable = str.split) -> Callable:
    """Return `describe` with another way to put the result together, or to cut texts."""
    return lambda reviews: result(*describe(reviews, words))


check.exercise(
    "I.1",
    describe,
    inputs=[
        (Reviews(("so so so well-made", "not  good at all", "fine, fine"), (0, 0, 1)),),
        (Reviews(("Good. good! A well-made film",) * 4 + ("",), (1, 1, 1, 0, 0)),),
    ],
    mistakes=[
        (
            "positives and negatives are swapped: the label of a positive review is 1.",
            describing(lambda p, n, total, mean: (n, p, total, mean)),
        ),
        ("that is the mean number of characters. How do you count words?", describing(words=list)),
        (
            "two spaces in a row made an empty word: split() and split(' ') differ.",
            describing(words=lambda review: review.split(" ")),
        ),
        ("a word that occurs twice counts twice.", describing(words=lambda t: set(t.split()))),
        (
            "words are what stands between white space: leave case and punctuation as they are.",
            describing(words=text.space_punctuation),
        ),
        (
            "that is the sum of all lengths, not yet their mean.",
            describing(lambda p, n, total, mean: (p, n, total, total * mean)),
        ),
        (
            "that is the last text's length, divided: `=` replaces what was there, `+=` adds.",
            lambda reviews: (*describe(reviews)[:3], len(reviews[-1][0].split()) / len(reviews)),
        ),
        (
            "a mean need not be a whole number: give it as it is, without // or round().",
            describing(lambda p, n, total, mean: (p, n, total, mean // 1)),
            lambda found, reviews: found[3] in [round(describe(reviews)[3], n) for n in range(3)],
        ),
    ],
    otherwise="Positives, negatives, total, mean length: work them out by hand for three texts, "
    "'so so so well-made', 'not  good at all' and 'fine, fine', of 4, 4 and 2 words.",
)


# --- I.2 ----------------------------------------------------------------------------------

check.exercise("01.1", **classes.BUILD)
check.exercise("I.2.b", **classes.ENCODE)

HEAD, TAIL = ["the", "a", "and", "of", "to"], ["age-old", "place!", "Bros", "tossing", "nation,"]

check.exercise(
    "I.2.a",
    (HEAD, TAIL),
    mistakes=[
        (
            "each answer is a list of five tokens, of type str, without their counts or ids.",
            ([("the", 5)] * 5, TAIL),
            lambda head, tail: not all(isinstance(token, str) for token in [*head, *tail]),
        ),
        (
            "there are only 4 tokens in one of the answers: a slice ends *before* its stop.",
            (HEAD, TAIL[:4]),
            lambda head, tail: 4 in (len(head), len(tail)),
        ),
        (
            "each answer is a list of five tokens: slice the list.",
            (HEAD, TAIL[:3]),
            lambda head, tail: isinstance(head, str) or len(head) != 5 or len(tail) != 5,
        ),
        ("positions in a list count from 0: the first token is missing.", ([*HEAD[1:], "is"], ANY)),
        ("`<unk>` has an id, but no place in the list `tokens`.", (["<unk>", *HEAD[:4]], ANY)),
        ("the right tokens, but backwards: slice without reversing.", (HEAD[::-1], ANY)),
        ("the right tokens, but backwards: slice without reversing.", (ANY, TAIL[::-1])),
        (
            "the very last token is missing: a slice ends *before* its stop.",
            (HEAD, ["Mexican", *TAIL[:4]]),
            lambda head, tail: head == HEAD and tail[1:] == TAIL[:4],
        ),
        (
            "those are the rarest tokens of the reviews. Which are the rarest *in the vocabulary*?",
            (HEAD, ["unemployed...", "grossest", "shearer", "M", "Crocker)"]),
            lambda head, tail: "Crocker)" in tail,
        ),
        (
            "the two are swapped: the most frequent tokens come first.",
            (TAIL, HEAD),
            lambda head, tail: (head, tail) == (TAIL, HEAD),
        ),
    ],
    otherwise="The tokens stand in the order of their counts, the most frequent first.",
)


def count_unknown(texts: tuple[str, ...], vocabulary: Vocabulary) -> int:
    """Return how many tokens of all texts the vocabulary does not hold."""
    return sum(token not in vocabulary for review in texts for token in review.split())


check.exercise(
    "I.2.c",
    count_unknown,
    inputs=[
        (("a film", "", "a bad bad bad film film film"), classes.searchable(["good", "film"])),
        (("Good film,  film",), classes.searchable(["good", "film"])),
        (("good", ""), classes.searchable(["good", "film"])),
    ],
    mistakes=[
        (
            "that is the number of *different* unknown words. How many times do they occur?",
            lambda texts, v: len({w for review in texts for w in review.split()} - {*v.tokens}),
        ),
        (
            "a word that is unknown twice in one text counts twice.",
            lambda texts, v: sum(w not in v for review in texts for w in {*review.split()}),
        ),
        (
            "that is the count for the first text alone: does your loop end too early?",
            lambda texts, v: count_unknown(texts[:1], v),
        ),
        (
            "that is the count for the last text alone: `=` replaces what was there, `+=` adds.",
            lambda texts, v: count_unknown(texts[-1:], v),
        ),
        (
            "those are the tokens that the vocabulary *does* hold.",
            lambda texts, v: sum(w in v for review in texts for w in review.split()),
        ),
        ("that counts texts, not tokens.", lambda ts, v: sum(0 in v.encode(t.split()) for t in ts)),
        ("that is a share. How many are there?", lambda *_: 0.5, lambda found, *_: 0 < found < 1),
        (
            "an empty text has no token at all, but split(' ') makes one of it.",
            lambda texts, v: sum(w not in v for review in texts for w in review.split(" ")),
        ),
    ],
    errors={"Tokenise first": "encode takes a list of tokens, not the text itself."},
    otherwise="Count every token, in every text, that has the id of the unknown. Tokens stay as "
    "split() gives them: of 'Good film,  film' two are unknown if only good and film are known.",
)


# --- I.3 ----------------------------------------------------------------------------------

check.choice(
    "I.3.a",
    right="b",
    wrong={
        "a": "a model that memorises does well on *its* 200 reviews, but these 200 it never saw.",
        "c": "not even all 25,000 reviews teach a model of this course enough to be always right.",
        "d": "accuracy does not favour small samples; it only gets noisier.",
    },
)


def positions(reviews: Reviews, label: int) -> list[int]:
    """Return where the reviews of a class stand."""
    return [i for i, its_label in enumerate(reviews.labels) if its_label == label]


def balanced_first(reviews: Reviews, size: int) -> Reviews:
    """Return the first reviews of each class, `size` in all."""
    half = size // 2
    return reviews.select(positions(reviews, 0)[:half] + positions(reviews, 1)[:half])


def balanced_from(start: Callable) -> Callable:
    """Return an answer that takes two slices, the second one from ``start(reviews)``."""
    return lambda reviews, size: reviews.select(
        [*range(size // 2), *range(start(reviews), start(reviews) + size // 2)]
    )


def drawn(balanced: Callable, reviews: Reviews, size: int) -> object:
    """Return what a sample holds, in whatever order it was put together."""
    sample = balanced(reviews, size)
    if sample is None or sample is ...:
        return sample
    return sorted(sample) if isinstance(sample, Reviews) else type(sample).__name__


NUMBERED = tuple(f"review {i}" for i in range(10))

check.exercise(
    "I.3.b",
    balanced_first,
    probe=drawn,
    inputs=[
        (Reviews(NUMBERED, (0,) * 6 + (1,) * 4), 4),
        (Reviews(NUMBERED[:6], (1, 1, 0, 1, 0, 0)), 4),
        (Reviews(NUMBERED, (0, 1) * 5), 2),
    ],
    mistakes=[
        (
            "return Reviews: reviews.select(indices) makes them.",
            lambda reviews, size: list(balanced_first(reviews, size).texts),
            lambda found, reviews, size: isinstance(found, str),
        ),
        (
            "all reviews of the sample are of one class. Is it a slice of a sorted data set, or "
            "is one class taken twice?",
            lambda reviews, size: reviews[:size],
            lambda found, reviews, size: len({*dict(found).values()}) == 1,
        ),
        (
            "the sample must have `size` reviews in all.",
            lambda reviews, size: balanced_first(reviews, 2 * size),
            lambda found, reviews, size: len(found) != size,
        ),
        (
            "half of the sample must be positive. Where the classes begin only the labels know: "
            "not every data set changes in the middle.",
            balanced_from(lambda reviews: len(reviews) // 2),
        ),
        (
            "that works only where all negative reviews stand first. Go by the label of each.",
            balanced_from(lambda reviews: reviews.labels.index(1)),
        ),
        (
            "take the *first* ones of each class.",
            lambda reviews, size: reviews.select(
                positions(reviews, 0)[-size // 2 :] + positions(reviews, 1)[-size // 2 :]
            ),
            lambda found, reviews, size: sum(label for _, label in found) == size // 2,
        ),
    ],
    errors={
        "index out of range": "Where the positive reviews begin, only the labels know: not every "
        "data set is as long as `train`.",
        "unsupported operand": "Two Reviews can't be added. Put the positions together and select "
        "once.",
    },
    otherwise="Half of the sample is the first negative reviews, half the first positive ones.",
)


# --- II.4 and the open task ----------------------------------------------------------------

check.exercise("II.4.a", **tokenisers.TOKENIZE)
check.exercise("II.4.b", **tokenisers.SURVEY)
check.custom("01.open")(open_task.judge_tokenizer)
