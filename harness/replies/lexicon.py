"""Lexicon: the role words of a sentence's language, the longest phrase first."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from mmbench.harness.replies.clean import tokens
from mmbench.harness.replies.words import GROUPS, REFUSALS

Roles = frozenset[str]
Phrases = Mapping[tuple[str, ...], Roles]
"""Phrases and their roles."""

NO_ROLES: Roles = frozenset()
_LONGEST = 16
"""Most words of a phrase; of a script without spaces, characters."""


@cache
def all_words(*roles: str) -> list[tuple[str, ...]]:
    """Return the words and phrases of these roles in all languages."""
    return [phrase for group in GROUPS for words in group for role in roles for phrase in _split(words.get(role, ""))]


def _split(listed: str) -> Iterator[tuple[str, ...]]:
    # As they stand before a word, where an `a` is dropped: `il y a`.
    split = (tokens(f"{each} x") for each in unicodedata.normalize("NFKC", listed).split(",") if each)
    return (tuple(token.text for token in each)[:-1] for each in split)


def _merged(languages: Sequence[Mapping[str, str]]) -> Phrases:
    made: dict[tuple[str, ...], Roles] = {}
    for role, listed in (each for words in languages for each in words.items() if not each[0].endswith(" alone")):
        for phrase in _split(listed):
            made[phrase] = made.get(phrase, NO_ROLES) | {role}
    return made


REFUSING = _merged(REFUSALS)
"""Phrases of refusals, of all languages at once."""
_KNOWN = [[{word for phrase in _merged([words]) for word in phrase} for words in group] for group in GROUPS]


def phrases_for(words: Sequence[str]) -> Phrases:
    """Return the phrases of the languages that words are of: of each script the one that knows most of them."""
    telling = [word for word in words if len(word) > 1 or not word.isascii()]
    known = [[sum(word in each for word in telling) for each in group] for group in _KNOWN]
    return _of(tuple(each.index(max(each)) for each in known))


@cache
def _of(places: Sequence[int]) -> Phrases:
    return _merged([group[n] for group, n in zip(GROUPS, places, strict=True)])


def phrase_at(phrases: Phrases, words: Sequence[str], at: int, limit: int) -> tuple[int, Roles]:
    """Return the length and the roles of the longest phrase that begins here and ends before the limit."""
    for end in range(min(limit, at + _LONGEST), at, -1):
        roles = phrases.get(tuple(words[at:end]))
        if roles:
            return end - at, roles
    return 1, NO_ROLES
