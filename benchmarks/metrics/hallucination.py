"""CHAIR: the share of objects that captions name and pictures do not show."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np

from mmbench.benchmarks.metrics.singular import singular
from mmbench.benchmarks.named import SYNONYMS, synonym_table
from mmbench.harness.errors import ArgumentError, nearest
from mmbench.harness.metrics.arguments import listed, shown
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.statistics.shares import Shares

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]")
"""A word, with what a hyphen or an apostrophe joins; or a sign, which parts two words."""
_POSSESSIVE = re.compile(r"['’]s?$")

_YOUNG_AND_OLD = (
    "bird",
    "cat",
    "dog",
    "horse",
    "sheep",
    "cow",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "animal",
    "cub",
)
_TOGETHER = {
    **{f"{age} {animal}": animal for age in ("baby", "adult") for animal in _YOUNG_AND_OLD},
    "passenger jet": "jet",
    "passenger train": "train",
    "bow tie": "tie",
    "toilet seat": "toilet",
    # A part of each would be taken for an object.
    **{pair: pair for pair in ("home plate", "train track", "motor bike", "street light")},
}
"""Two words that are one, beside those of the table, and what they are."""


def share_of_all(statistics: Floats, weights: Floats) -> Floats:
    """Return a share over all captions together; 0 where nothing counts.

    `statistics` is (n, 2), what is counted and of how many; `weights` is (b, n). Returns (b,).

    >>> share_of_all(np.array([[1.0, 3], [0, 1], [0, 0]]), np.ones((1, 3))).tolist()
    [0.25]
    """
    some, whole = weights @ statistics[:, 0], weights @ statistics[:, 1]
    return np.divide(some, whole, out=np.zeros_like(some), where=whole > 0)


def shares_of_all(statistics: Floats) -> Shares:
    """Return what each caption adds to the share, each mention being one thing."""
    counted = statistics[:, 1]
    return Shares(statistics[:, 0], counted, coins=counted)


def f1_of_objects(statistics: Floats, weights: Floats) -> Floats:
    """Return 2 named rightly / (2 named rightly + named wrongly + not named) over all captions, each object once.

    `statistics` is (n, 3), these three; `weights` is (b, n). Returns (b,), 0 where nothing is named or there.

    >>> f1_of_objects(np.array([[1.0, 1, 0], [1, 0, 2]]), np.ones((1, 2))).round(3).tolist()
    [0.571]
    """
    right, wrong, missed = (weights @ statistics).T
    whole = 2 * right + wrong + missed
    return np.asarray(np.divide(2 * right, whole, out=np.zeros_like(whole), where=whole > 0))


def f1_of_objects_shares(statistics: Floats) -> Shares:
    """Return what each caption adds to the share s of objects named rightly among all; F1 is 2 s / (1 + s)."""
    counted = statistics.sum(axis=1)
    return Shares(statistics[:, 0], counted, coins=counted, link=lambda share: 2 * share / (1 + share))


class Chair(TypedDict):
    """Scores of CHAIR."""

    chair_i: float
    chair_s: float
    recall: float


class Mentions(NamedTuple):
    """What a caption names."""

    words: list[str]
    """In the singular, in order, each time it is named."""
    objects: list[str]
    """The object of each word."""


def chair(
    captions: Sequence[str], objects: Sequence[Iterable[str]], synonyms: Mapping[str, Iterable[str]] | str
) -> Chair:
    """Return how much n captions name that is not there, and how much that is.

    `chair_i`: mentions of objects that are not there over all mentions, each word counting; 0 where nothing is named.
    `chair_s`: captions with such a mention. `recall`: objects that are there and named, over those there; nan where
    there are none. The shorter a caption the better the first two: show length and recall beside them.

    `objects` has the names of what each picture shows (the script takes those of the masks and of the reference
    captions); `synonyms` the words of each name, itself among them or not, in lower case; a word with a blank at an end
    never matches. `"coco"` is the script's table, of the 80 objects of COCO. Captions are put in lower case and nouns
    in the singular; two words of the table, and some that are fixed (`baby zebra`, `train track`), are one. `seat` is
    dropped beside `toilet`.

    Source: Rohrbach et al. 2018, arXiv 1809.02156, and chair.py of github.com/LisaAnne/Hallucination. That one writes
    nouns in the singular by rules that also shorten `bus` to `bu`; here a word of the table stays. Raises
    ArgumentError, a ValueError, for an object that the table lacks.

    >>> chair(["Two dogs and a cat.", "A bus."], [["dog"], ["bus", "dog"]], {"dog": ["puppy"], "cat": [], "bus": []})
    {'chair_i': 0.3333333333333333, 'chair_s': 0.5, 'recall': 0.6666666666666666}
    """
    texts, names = listed(captions, "captions"), listed(objects, "objects")
    if not all(isinstance(each, str) for each in texts):
        raise ArgumentError("captions are a list of texts, one for each picture")
    if any(isinstance(each, str) or not isinstance(each, Iterable) for each in names):
        raise ArgumentError("objects are a list with a list of names for each picture; put a single name into brackets")
    if len(texts) != len(names) or not texts:
        raise ArgumentError(f"{len(texts)} captions and objects of {len(names)} pictures; give both of each picture")
    table = Table(_table(synonyms))
    there = [table.names(each) for each in names]
    found = [table.mentions(caption).objects for caption in texts]
    absent = [sum(name not in shown for name in named) for named, shown in zip(found, there, strict=True)]
    named = sum(map(len, found))
    shown = sum(map(len, there))
    hit = sum(len(shown & set(named)) for named, shown in zip(found, there, strict=True))
    return {
        "chair_i": sum(absent) / named if named else 0.0,
        "chair_s": sum(count > 0 for count in absent) / len(texts),
        "recall": hit / shown if shown else float("nan"),
    }


def _table(given: Mapping[str, Iterable[str]] | str) -> Mapping[str, Iterable[str]]:
    if not isinstance(given, str):
        return given
    if given not in SYNONYMS:
        known = f"{nearest(given, SYNONYMS)}; there are {', '.join(SYNONYMS)}, or give a table"
        raise ArgumentError(f"no synonyms are called {shown(given)}{known}")
    return synonym_table(given, Path())


class Table:
    """Finds the objects that a text names."""

    def __init__(self, synonyms: Mapping[str, Iterable[str]]) -> None:
        if not isinstance(synonyms, Mapping) or any(
            isinstance(words, str) or not isinstance(words, Iterable) for words in synonyms.values()
        ):
            raise ArgumentError("synonyms are a table of names, each with a list of words")
        if not all(isinstance(word, str) for name, words in synonyms.items() for word in (name, *words)):
            raise ArgumentError("a name or a word of the synonyms is no text")
        self._name = {word.lower(): name for name, words in synonyms.items() for word in words}
        self._name |= {name.lower(): name for name in synonyms}
        self._all = set(synonyms)
        together = {" ".join(pair) for word in self._name if len(pair := word.split()) == 2}
        self._together = {**_TOGETHER, **{pair: _TOGETHER.get(pair, pair) for pair in together}}
        self._firsts = {pair.split()[0] for pair in self._together}
        nouns = {*self._name, *(word for pair in self._together for word in pair.split())}
        # Captions have few distinct words.
        self._singular = lru_cache(1 << 16)(lambda token: singular(_POSSESSIVE.sub("", token), nouns))

    def names(self, objects: Iterable[str]) -> set[str]:
        """Return the names of objects, or raise ArgumentError for one that the table lacks."""
        given = list(objects)
        for each in given:
            if isinstance(each, str) and each in self._all:
                continue
            raise ArgumentError(
                f"no synonyms of the object {shown(each)}{nearest(str(each), self._all)}; add it to the table"
            )
        return set(given)

    def mentions(self, text: str) -> Mentions:
        """Return what a text names."""
        words = list(map(self._singular, _TOKEN.findall(text.lower())))
        read: list[str] = []
        place = 0
        while place < len(words):
            pair = words[place] in self._firsts and " ".join(words[place : place + 2])
            together = self._together.get(pair) if pair else None
            read.append(words[place] if together is None else together)
            place += 1 if together is None else 2
        if "toilet" in read:
            read = [word for word in read if word != "seat"]
        known = [word for word in read if word in self._name]
        return Mentions(known, [self._name[word] for word in known])
