"""Yes and no in other words: a denial is a no, the bare `There is a dog.` a yes, and a statement is true or false."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from mmbench.harness.replies.clauses import Clause
from mmbench.harness.replies.item import Item

_OPENERS = frozenset({"opener", "here", "wait", "adverb", "so"})
_UNSAFE = frozenset({"doubt", "if", "but", "instead", "which", "plain", "idiom", "quotes", "answer"})
_DENIES = frozenset({"not", "unbelieved", "not before"})


def absence(clauses: Sequence[Clause]) -> Literal["yes", "no"] | None:
    """Return what a reply says to a yes/no question without deciding words, or None where that is not safe.

    What is denied is read as no. The question is not seen, so an assertion is read as yes only where it is the bare
    `There is a dog in the image.`: that is the rule of POPE (Li et al. 2023) without its guesses.
    """
    mine = [clause for clause in clauses if clause.sentence == 0]
    while len(mine) > 1 and all(item.by == "sign" or item.roles & _OPENERS for item in mine[0].items):
        mine = mine[1:]
    said = [item for clause in mine for item in clause.items if item.by != "sign"]
    while said and said[0].roles & _OPENERS and not said[0].roles & {"it", "not", "plain"}:
        said = said[1:]
    joined = [clause for clause in mine[1:] if "because" not in clause.opener]
    roles = frozenset().union(*(item.roles for item in said), *(clause.opener for clause in joined))
    turns = any("but" in b.opener and a.sentence < b.sentence for a, b in pairwise(clauses))
    spoken = any(item.by == "word" for clause in clauses for item in clause.items)
    if not said or spoken or turns or clauses[0].asks or roles & _UNSAFE:
        return None
    denials = [k for k, item in enumerate(said) if item.text == "0" or item.roles & _DENIES]
    denials = denials or [k for k, item in enumerate(said) if "not any" in item.roles]
    if not denials:
        return "yes" if len(clauses) == 1 and _exists(said) else None
    rest = said[denials[0] + 1 :]
    first = next(k for k, clause in enumerate(mine) if said[denials[0]] in clause.items)
    explains = any("because" in clause.opener for clause in mine[: first + 1])
    turned = any("it" in clause.items[0].roles for clause in joined if clause.items and clause.items[0] in rest)
    if len(denials) > 1 or explains or turned or any("not known" in item.roles for item in rest):
        return None
    if "self" in said[0].roles and "unbelieved" not in roles:
        seen = "exists" in said[0].roles or bool(rest) and "sees" in rest[0].roles
        return "no" if seen and not any("picture" in item.roles for item in rest[1:3]) else None
    return "no" if len(said) > 1 else None


def _exists(said: Sequence[Item]) -> bool:
    """Return whether nothing is said but that something is there."""
    there = [item for item in said if "exists" in item.roles]
    things = [item for item in said if not item.roles & {"exists", "here", "adverb", "common"}]
    return len(there) == 1 and bool(things) and not any(item.text.isdigit() or item.roles for item in things)


def judged(clause: Clause) -> int | None:
    """Return 0 where a clause says that a statement is true, 1 where it says that it is false."""
    its = [each for each in clause.items if each.by != "sign"]
    k = next((k for k, each in enumerate(its) if k and each.roles & _JUDGES), None)
    if k is None:
        return None
    before, word, rest = its[:k], its[k], clause.items[clause.items.index(its[k]) + 1 :]
    told = "it" in its[0].roles or any("claim" in each.roles for each in before)
    linked = "wrong" in word.roles or any(each.roles & {"is", "not"} for each in before)
    ends = not rest or "unbelieved" in word.roles or rest[0].by == "sign" or rest[0].text in _AFTER_JUDGEMENT
    open_ = any(each.roles & {"doubt", "unbelieved"} and "untrue" not in each.roles for each in its)
    if not (told and linked and ends) or open_ or any("not" in each.roles for each in rest):
        return None
    return int(bool(word.roles & {"untrue", "wrong"}) != any("not" in each.roles for each in before))


_JUDGES = frozenset({"right", "untrue", "wrong"})
_AFTER_JUDGEMENT = {"for", "in", "given", "according", "that", "as"}
