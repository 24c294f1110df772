"""Yes and no in other words: a denial is a no, the bare `There is a dog.` a yes, and a statement is true or false."""

from collections.abc import Sequence
from typing import Literal

from mmbench.harness.replies.clauses import Clause
from mmbench.harness.replies.item import Item

_OPENERS = frozenset({"opener", "here", "wait", "adverb", "so"})
_UNSAFE = frozenset({"doubt", "if", "but", "instead", "which", "plain", "idiom", "quotes", "answer"})
_DENIES = frozenset({"not", "unbelieved", "not before"})
_LONGEST_THING = 5


def absence(clauses: Sequence[Clause]) -> Literal["yes", "no"] | None:
    """Return what a reply says to a yes/no question without deciding words, or None where that is not safe.

    What is denied is read as no. The question is not seen, so an assertion is read as yes only where it is the bare
    `There is a dog in the image.`: that is the rule of POPE (Li et al. 2023) without its guesses.
    """
    mine = [clause for clause in clauses if clause.sentence == 0]
    later = [clause for clause in clauses if clause.sentence and clause.opens]
    if mine[0].asks or any("but" in clause.opener for clause in later):
        return None
    while len(mine) > 1 and all(item.by == "sign" or item.roles & _OPENERS for item in mine[0].items):
        mine = mine[1:]
    said = [item for clause in mine for item in clause.items if item.by != "sign"]
    while said and said[0].roles & _OPENERS and not said[0].roles & {"it", "not", "plain"}:
        said = said[1:]
    roles = frozenset().union(
        *(item.roles for item in said), *(clause.opener for clause in mine[1:] if "because" not in clause.opener)
    )
    if not said or roles & _UNSAFE:
        return None
    denials = [
        k
        for k, item in enumerate(said)
        if item.text == "0" or (item.roles & _DENIES and not (item.by == "word" and _ends(mine, item)))
    ]
    denials = denials or [k for k, item in enumerate(said) if "not any" in item.roles]
    if not denials:
        alone = len(mine) == len(clauses) == 1 and not any(item.text == "," for item in mine[0].items)
        return "yes" if alone and _exists(said) else None
    first = next(k for k, clause in enumerate(mine) if said[denials[0]] in clause.items)
    if any("because" in clause.opener for clause in mine[: first + 1]):
        return None
    turned = any(
        "because" not in clause.opener and clause.items and "it" in clause.items[0].roles
        for clause in mine[first + 1 :]
    )
    if len(denials) > 1 or turned or any("not known" in item.roles for item in said[denials[0] + 1 :]):
        return None
    return "no" if _denies(said, denials[0]) else None


def _exists(said: Sequence[Item]) -> bool:
    """Return whether nothing is said but that something is there."""
    there = [item for item in said if "exists" in item.roles]
    things = [item for item in said if not item.roles & {"exists", "here", "adverb", "common"}]
    plain = all(item.option is None and not item.text.isdigit() and not item.roles for item in things)
    return len(there) == 1 and plain and 1 <= len(things) <= _LONGEST_THING


def _denies(said: Sequence[Item], k: int) -> bool:
    """Return whether the denial at `k` is of what was asked for: not of sight or knowledge, nor a lone `neither`."""
    rest = said[k + 1 :]
    if "unbelieved" in said[k].roles:
        return True
    if "self" in said[0].roles:
        seen = k == 1 and "exists" in said[0].roles or bool(rest) and "sees" in rest[0].roles
        return seen and not any("picture" in item.roles for item in rest[1:3])
    return len(said) > 1


def _ends(clauses: Sequence[Clause], item: Item) -> bool:
    """Return whether nothing follows an item in its clause."""
    clause = next(each for each in clauses if item in each.items)
    return all(each.by == "sign" for each in clause.items[clause.items.index(item) + 1 :])


def judged(clause: Clause, around: frozenset[str]) -> int | None:
    """Return 0 where a clause says that a statement is true, 1 where it says that it is false."""
    its = [each for each in clause.items if each.by != "sign"]
    k = next((k for k, each in enumerate(its) if k and each.roles & _JUDGES), None)
    if clause.asks or around - {"unbelieved"} or k is None:
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
