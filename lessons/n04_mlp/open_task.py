"""The open task of notebook 04: two short reviews that the model misreads."""

from helpers.models import OneHotMLP, word_contributions
from helpers.text import Vocabulary, basic_english
from lessons.exercises import Wrong
from lessons.n04_mlp.experiments import ends, read_outs

#: how each of the two reviews begins, and whether it is positive
VERDICTS = {"hated": ("I hated it.", False), "loved": ("I loved it.", True)}
MOST_WORDS, LEAST_SURE, FORBIDDEN_PER_SIDE = 20, 0.95, 15


def judge(hated: str, loved: str, model: OneHotMLP, vocabulary: Vocabulary) -> None:
    """Raise `Wrong` unless the model, of one logit, is sure of the wrong verdict on both."""
    forbidden = {*ends(read_outs(model, vocabulary), FORBIDDEN_PER_SIDE)}
    for name, review in (("hated", hated), ("loved", loved)):
        _require_rules(name, review, forbidden)
    for name, review in (("hated", hated), ("loved", loved)):
        probability, shares = word_contributions(model, vocabulary, review)
        positive = VERDICTS[name][1]
        wrong = 1 - probability if positive else probability
        toward = "negative" if positive else "positive"
        sign = -1 if positive else 1
        if wrong <= LEAST_SURE:
            raise Wrong(
                f"the model calls `{name}` {toward} with {wrong:.1%}; more than {LEAST_SURE:.0%} "
                f"is asked for. {_advice(name, shares, sign)}"
            )


def _advice(name: str, shares: dict[str, float], sign: int) -> str:
    """Name the token that pulls most against `sign`, of those that may be dropped."""
    opening = {*basic_english(VERDICTS[name][0])}
    free = {token: sign * share for token, share in shares.items() if token not in opening}
    brake = min(free, key=free.__getitem__, default="")
    if free.get(brake, 0) >= 0:
        return (
            "After the opening nothing pulls the wrong way: it takes more words, or stronger ones."
        )
    return f"After the opening {brake!r} holds the model back most ({shares[brake]:+.2f})."


def _require_rules(name: str, review: object, forbidden: set[str]) -> None:
    opening = VERDICTS[name][0]
    if not isinstance(review, str):
        raise Wrong(f"`{name}` is a text, in quotes; this is {type(review).__name__}.")
    if not review.startswith(opening):
        raise Wrong(f"`{name}` must begin with {opening!r}, so that nobody doubts what is meant.")
    if (words := len(review.split())) > MOST_WORDS:
        raise Wrong(f"`{name}` has {words} words; {MOST_WORDS} are allowed.")
    if used := sorted(forbidden & {*basic_english(review[len(opening) :])}):
        raise Wrong(f"`{name}` uses words of the picture above: {', '.join(used)}.")
