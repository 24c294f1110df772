"""Clauses of a reply: parts of its sentences with at most one verb each."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmbench.harness.replies.clean import sentence_end
from mmbench.harness.replies.items import items
from mmbench.harness.replies.naming import Item, has
from mmbench.harness.replies.options import Options


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """A part of a sentence with at most one verb."""

    items: list[Item]
    opener: frozenset[str]
    """Roles of the word that joins it to the clause before."""
    sentence: int
    asks: bool
    text: str
    start: int
    """Where its sentence starts in the reply."""
    roles: frozenset[str]
    """Those of all its words."""


def clauses(text: str, options: Options) -> list[Clause]:
    """Return the clauses of a reply in order."""
    made: list[Clause] = []
    for number, (start, end) in enumerate(spans(text)):
        sentence = text[start:end]
        asks = sentence.rstrip("\"' )").endswith("?") and not options.asks
        for opener, part in _split(items(sentence, options)):
            roles = frozenset[str]().union(*(item.roles for item in part))
            made.append(Clause(part, opener, number, asks, sentence, start, roles))
    return made


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence; a line that ends with a colon goes on in the next, if that has none."""
    start = at = 0
    while at < len(text):
        at = sentence_end(text, at)
        follows = text[at:].strip().split("\n", 2)[:2] if text[start:at].rstrip().endswith(":") else [""]
        if follows[0] and ":" not in follows[0] and not (len(follows) > 1 and all(map(_LISTED.match, follows))):
            continue
        if text[start:at].strip():
            yield start + len(text[start:at]) - len(text[start:at].lstrip()), at
        start = at


_LISTED = re.compile(r"[(\[]?[A-Za-z1-9][.)\]]")
_LEADS = {"opener", "it", "is", "so", "adverb", "self", "choose", "answer", "option"}
_STOPS = {"not", "not any", "not before", "unbelieved", "doubt", "if", "wrong", "first", "sought", "yes", "no"}


def lead(clause: Clause) -> tuple[int, frozenset[str]]:
    """Return where what leads up to an answer ends in a clause (`So the answer is`), and its roles."""
    end, roles = 0, frozenset[str]()
    for item in clause.items[:-1]:
        if item.roles & _STOPS or not (item.roles & _LEADS or item.text in {",", ":"}):
            break
        end, roles = item.end, roles | item.roles
    return end, roles


_JOIN = {"but", "because", "so", "wait"}


def _split(made: Sequence[Item]) -> Iterator[tuple[frozenset[str], list[Item]]]:
    """Yield each clause with the roles of the word that opens it."""
    opener: frozenset[str] = frozenset()
    part: list[Item] = []
    for k, item in enumerate(made):
        joins = bool(item.roles & _JOIN) and "is" not in item.roles
        if not joins and not _ends(made, k, part):
            part.append(item)
            continue
        if "not before" in item.roles:
            part.append(item)
        if any(each.by != "sign" for each in part):
            yield opener, part
            part, opener = [], frozenset()
        opener = opener | item.roles
    if opener or part:
        yield opener, part


def _ends(made: Sequence[Item], k: int, part: Sequence[Item]) -> bool:
    """Return whether a clause ends at an item that is no conjunction."""
    item, before, after = made[k], made[k - 1 : k], made[k + 1 : k + 2]
    word = bool(before) and before[0].by == "word"  # what follows a yes or no
    if item.text == ",":
        return word or _begins(made[k + 1 :], part)
    if item.text == "." and before and before[0].by == "mark" and after and not after[0].by:
        return any(each.by != "sign" for each in part[:-1])  # the point of `The answer is B. The …`
    denied = item.text == ":" and has(part, "not") and any(each.option is not None for each in part)
    return denied or item.text == ";" or (word and item.by == "sign" and item.text not in "?/")


def _begins(rest: Sequence[Item], part: Sequence[Item]) -> bool:
    """Return whether a clause of its own begins after a comma: with its own subject and verb."""
    if not rest or "it" in rest[0].roles or ("adverb" in rest[0].roles and has(part, "not")):
        return bool(rest)
    if not has(part, "is", "not", "wrong", "right", "choose"):
        return False
    ends = (each for each in rest if each.text in {",", ";"} or each.roles & {*_JOIN, "is", "right", "wrong"})
    end = next(ends, rest[0])
    return bool(end.roles & {"is", "right", "wrong"})
