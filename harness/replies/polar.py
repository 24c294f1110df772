"""Yes and no in other words: a denial is a no, the bare `There is a dog.` a yes, and a statement is true or false."""

from collections.abc import Sequence
from itertools import dropwhile, pairwise
from typing import Literal

from mmbench.harness.replies.clauses import Clause
from mmbench.harness.replies.naming import Item, has

_OPENERS = frozenset({"opener", "here", "wait", "adverb", "so"})
_UNSAFE = frozenset({"doubt", "if", "but", "instead", "which", "plain", "idiom", "quotes", "answer"})
_DENIES = frozenset({"not", "unbelieved", "not before"})


def absence(clauses: Sequence[Clause]) -> Literal["yes", "no"] | None:
    """Return what a reply says to a yes/no question without deciding words, or None where that is not safe.

    What is denied is read as no. The question is not seen, so an assertion is read as yes only where it is the bare
    `There is a dog in the image.`: that is the rule of POPE (Li et al. 2023) without its guesses.
    """
    mine = [clause for clause in clauses if clause.sentence == 0]
    said = [item for clause in mine for item in clause.items if item.by != "sign"]
    said = list(dropwhile(lambda item: item.roles & _OPENERS and not item.roles & {"it", "not", "plain"}, said))
    openers = (clause.opener - {"because"} for clause in mine if clause.items and clause.items[0] in said[1:])
    roles = frozenset().union(*(item.roles for item in said), *openers)
    spoken = any(item.by == "word" for clause in clauses for item in clause.items)
    turns = any("but" in b.opener and a.sentence < b.sentence for a, b in pairwise(clauses))
    if not said or spoken or turns or clauses[0].asks or roles & _UNSAFE:
        return None
    denials = [k for k, item in enumerate(said) if item.text == "0" or item.roles & _DENIES]
    denials = denials or [k for k, item in enumerate(said) if "not any" in item.roles]
    if not denials:
        return "yes" if len(clauses) == 1 and _exists(said) else None
    rest = said[denials[0] + 1 :]
    joined = [clause for clause in mine if "because" not in clause.opener and clause.items and clause.items[0] in rest]
    turned = any("it" in clause.items[0].roles for clause in joined)
    # `The image does not show this.`
    open_ = has(rest, "not known") or (all(item.roles for item in said) and (has(said, "picture") or has(rest, "is")))
    if len(denials) > 1 or len(said) == 1 or turned or open_:
        return None
    seen = "exists" in said[0].roles or (bool(rest) and "sees" in rest[0].roles)
    return None if "self" in said[0].roles and not seen and "unbelieved" not in roles else "no"


def _exists(said: Sequence[Item]) -> bool:
    """Return whether nothing is said but that something is there."""
    there = [item for item in said if "exists" in item.roles]
    things = [item for item in said if not item.roles & {"exists", "here", "adverb", "common", "picture"}]
    return len(there) == 1 and bool(things) and not any(item.text.isdigit() or item.roles for item in things)


def judged(clause: Clause) -> int | None:
    """Return 0 where a clause says that a statement is true, 1 where it says that it is false."""
    k = next((k for k, each in enumerate(clause.items) if each.roles & _JUDGES), 0)
    before, rest = clause.items[:k], clause.items[k + 1 :]
    ends = not rest or rest[0].by == "sign" or rest[0].text in _AFTER_JUDGEMENT
    if not ends or not has(before, "it", "claim") or has(rest, "not"):
        return None
    return int(bool(clause.items[k].roles & {"untrue", "wrong"}) != has(before, "not"))


_JUDGES = frozenset({"right", "untrue", "wrong"})
_AFTER_JUDGEMENT = {"for", "in", "given", "according", "that", "as"}
