"""Lexicon: the role words of a sentence's language, the longest phrase first."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain

from mmbench.harness.replies.clean import tokens
from mmbench.harness.replies.words import GROUPS, REFUSALS

Roles = frozenset[str]
Phrases = Mapping[str, Sequence[tuple[tuple[str, ...], Roles]]]
"""Phrases and their roles by their first word, long ones first."""


@cache
def all_words(*roles: str) -> list[tuple[str, ...]]:
    """Return the words and phrases of these roles in all languages."""
    listed = (words.get(role, "") for group in GROUPS for words in group for role in roles)
    return [tuple(t.text for t in tokens(phrase.strip())) for phrase in ",".join(listed).split(",") if phrase.strip()]


def _split(words: Mapping[str, str]) -> dict[tuple[str, ...], set[str]]:
    made: dict[tuple[str, ...], set[str]] = {}
    for role, listed in words.items():
        if role.endswith(" alone"):
            continue
        for phrase in unicodedata.normalize("NFKC", listed).split(","):
            made.setdefault(tuple(token.text for token in tokens(phrase.strip())), set()).add(role)
    return made


_LANGUAGES = [[_split(words) for words in group] for group in GROUPS]
_KNOWN: dict[str, list[tuple[int, int]]] = {}
"""The languages that know a word, as group and place in it."""
for _g, _group in enumerate(_LANGUAGES):
    for _n, _phrases in enumerate(_group):
        for _word in {word for phrase in _phrases for word in phrase}:
            _KNOWN.setdefault(_word, []).append((_g, _n))


def phrases_for(words: Sequence[str]) -> Phrases:
    """Return the phrases of the languages that words are of: of each script the one that knows most of them."""
    known = Counter(chain.from_iterable(_KNOWN.get(word, ()) for word in words if len(word) > 1 or not word.isascii()))
    best = dict(sorted(known, key=lambda language: (known[language], -language[1])))
    return _merged(tuple(sorted(best.items())))


@lru_cache(maxsize=256)
def _merged(languages: tuple[tuple[int, int], ...]) -> Phrases:
    return _by_first_word([_LANGUAGES[group][n] for group, n in languages])


def _by_first_word(languages: Sequence[Mapping[tuple[str, ...], set[str]]]) -> Phrases:
    made: dict[str, list[tuple[tuple[str, ...], Roles]]] = {}
    for phrase, roles in chain.from_iterable(language.items() for language in languages):
        if phrase:
            made.setdefault(phrase[0], []).append((phrase, frozenset(roles)))
    return {word: sorted(found, key=lambda pair: -len(pair[0])) for word, found in made.items()}


REFUSING = _by_first_word([_split(words) for words in REFUSALS])
"""Phrases of refusals, of all languages at once."""


def phrase_at(phrases: Phrases, words: Sequence[str], at: int, limit: int) -> tuple[int, Roles] | None:
    """Return the length and the roles of the longest phrase that begins here and ends before the limit."""
    for phrase, roles in phrases.get(words[at], ()):
        length = len(phrase)
        if length == 1 or (at + length <= limit and tuple(words[at : at + length]) == phrase):
            return length, roles
    return None


def phrases_in(phrases: Phrases, words: Sequence[str]) -> Iterator[tuple[int, int, Roles]]:
    """Yield start, end and roles of each phrase, and of each word that is none, in order."""
    at = 0
    while at < len(words):
        length, roles = phrase_at(phrases, words, at, len(words)) or (1, frozenset())
        yield at, at + length, roles
        at += length
