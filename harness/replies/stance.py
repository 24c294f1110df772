"""Stance: how a clause stands to each option that it names, decided in one place."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from mmbench.harness.replies.clauses import Clause
from mmbench.harness.replies.item import Item
from mmbench.harness.replies.polar import judged

Stance = Literal[
    "answered", "concluded", "verdict", "asserted", "explained", "denied", "doubted", "conceded", "asked", "named"
]
"""How an option is named: as the answer, as concluded, as right, as a fact, as a reason, …, or only in passing."""

_CUES = {"answer", "option", "choose", "leads to"}
_DENYING = {"not", "not any", "not before", "wrong", "instead"}
_TO = {":", "=", "=>", "->", "→", "⇒"}
"""Signs that stand for `is`."""


class Said(NamedTuple):
    """An option that a clause names, and how."""

    option: int
    stance: Stance
    start: int
    end: int
    by: str
    sentence: int
    clause: int


class _Mention(NamedTuple):
    """An item that names an option, within its clause."""

    clause: Clause
    item: Item
    before: Sequence[Item]
    after: Sequence[Item]
    around: frozenset[str]
    """What the rest of the sentence does to the clause: `if`, `doubt`, `unbelieved`, `conceded`."""
    roles: frozenset[str]
    """Those of all words of the clause."""
    cue: tuple[int, int, bool] | None
    """Start and end of the cue before it, and whether the cue is of an answer."""


def read(clauses: Sequence[Clause], polar: tuple[int, int] | None, *, yes_no: bool) -> list[Said]:
    """Return all that the clauses say of options, in order. `polar` are the options that say yes and no."""
    made = []
    for number, clause in enumerate(clauses):
        around, roles = _around(clauses, number), clause.roles()
        for k, item in enumerate(clause.items):
            if item.option is not None:
                before, after = clause.items[:k], clause.items[k + 1 :]
                cue = _cue(before, item) if roles & _CUES else None
                mention = _Mention(clause, item, before, after, around, roles, cue)
                stance = next(stance for stance, holds in _RULES if holds(mention))
                place = clause.start + item.start, clause.start + item.end
                made.append(Said(item.option, stance, *place, item.by, clause.sentence, number))
        truth = judged(clause, around) if polar and (not yes_no or len(clauses) == 1) else None
        if polar and truth is not None:
            place = clause.start, clause.start + len(clause.text)
            made.append(Said(polar[truth], "verdict", *place, "word", clause.sentence, number))
    return made


def _around(clauses: Sequence[Clause], number: int) -> frozenset[str]:
    """Return what the rest of the sentence does to a clause."""
    mine = clauses[number]
    made = mine.roles() & {"unbelieved"}
    same = [k for k, each in enumerate(clauses) if each.sentence == mine.sentence]
    buts = [k for k in same if "but" in clauses[k].opener]
    for k in same:
        roles = clauses[k].roles() | clauses[k].opener
        released = any(k < but <= number for but in buts)
        if "if" in roles and "if forced" not in roles and not (k < number and "so" in mine.opener):
            made |= {"if"}
        if "doubt" in roles and not released and (k == number or not (_has_subject(clauses[k]) and _is_word(mine))):
            made |= {"doubt"}
    if any(number < but for but in buts):
        before = frozenset[str]().union(*(clauses[k].roles() for k in same if k < max(buts)))
        if mine.roles() & {"seems", "doubt"} or "first" in before:
            made |= {"conceded"}
    return made


def _has_subject(clause: Clause) -> bool:
    """Return whether a clause has a subject of its own: `I doubt`."""
    return any(each.roles & {"it", "self", "unbelieved"} for each in clause.items[:2])


def _is_word(clause: Clause) -> bool:
    """Return whether a clause is a yes or a no."""
    return any(each.by == "word" for each in clause.items)


def _has(items: Sequence[Item], *roles: str) -> bool:
    return any(not each.roles.isdisjoint(roles) for each in items)


def _is_conceded(it: _Mention) -> bool:
    return "conceded" in it.around or "first" in it.roles


def _is_after_colon(it: _Mention) -> bool:
    """Return whether a yes or no is all that follows a colon: `Question 3: yes`."""
    ends = not it.after or it.after[0].text in {",", ".", "!"}
    return it.item.by == "word" and bool(it.before) and it.before[-1].text == ":" and ends


def _is_denied(it: _Mention) -> bool:
    """Return whether role words before or after deny it."""
    if not it.roles & _DENYING:
        return False
    leads = max((j for j, each in enumerate(it.before) if "leads to" in each.roles), default=0)
    before = it.before[leads:]
    aside = max((j for j, each in enumerate(before) if "instead" in each.roles), default=None)
    return (
        (aside is not None and all(each.text != "," for each in before[aside:]))
        or _has(before, "wrong", "not", "not any")
        or _has(it.after, "wrong")
        or (_has(it.after, "not before") and all(each.option is None for each in it.after))
    )


def _is_doubted(it: _Mention) -> bool:
    """Return whether its clause doubts it. What stands within the cue does not: `the option that could grow is`."""
    if "if" in it.around or "doubt" not in it.roles:
        return "if" in it.around
    cue = it.cue
    left = [*it.clause.items[: cue[0]], *it.clause.items[cue[1] :]] if cue else it.clause.items
    return _has(left, "doubt")


def _is_exclaimed(it: _Mention) -> bool:
    """Return whether it is an interjection that an option happens to be written like: `Right!`"""
    return "opener" in it.item.roles and not it.before and bool(it.after) and it.after[0].text == "!"


def _cue(before: Sequence[Item], item: Item) -> tuple[int, int, bool] | None:
    """Return start and end of the cue before an item, and whether it is of an answer: `the answer is`, `I choose`."""
    for j in reversed(range(len(before))):
        roles, between = before[j].roles, before[j + 1 :]
        if roles & {"answer", "option"}:
            link = next((k for k, each in enumerate(between) if "is" in each.roles or each.text in _TO), None)
            if link is not None and all(each.option is None for each in between[:link]):
                return j, j + 1 + link, True
            judges = "right" in roles and any(each.option is not None for each in before[:j])  # `A correct, B`
            joined = not judges and all(each.by or each.roles & {"option", "or", "and"} for each in between)
            if joined and "answer" in roles and item.by in {"mark", "word"}:
                return j, j, True
        strange = item.by == "word" and any(not each.by and not each.roles for each in between)
        if strange or "sought" in roles:
            return None
        chosen = "choose" in roles and (not j or _has(before[:j], "self"))
        if chosen or ("leads to" in roles and item.by == "mark"):
            return j, j, False
    return None


def _is_right(it: _Mention) -> bool:
    """Return whether it is said to be right: `C is correct`, `dog is the right answer`."""
    end = next((j for j, each in enumerate(it.after) if each.option not in {None, it.item.option}), len(it.after))
    after = it.after[:end]
    links = [j for j, each in enumerate(after) if "is" in each.roles]
    if it.item.by == "text":
        return bool(links) and _has(after[links[0] + 1 :], "answer", "option")
    yes = any("yes" in each.roles and after[j - 1].text in ".:)-" for j, each in enumerate(after))
    it_is = [each.text for each in after if each.by != "sign"] == ["it", "is"]
    named = any(_has(after[j + 1 : j + 2], "answer") for j in links)
    return it.item.by != "word" and (yes or it_is or named or _has(after, "right"))


_RULES: tuple[tuple[Stance, Callable[[_Mention], bool]], ...] = (
    ("asked", lambda it: it.clause.asks),
    ("conceded", _is_conceded),
    ("named", lambda it: _is_after_colon(it) and _has(it.before, "quotes")),
    ("verdict", _is_after_colon),
    ("denied", lambda it: "unbelieved" in it.around or _is_denied(it)),
    ("doubted", _is_doubted),
    ("answered", lambda it: it.cue is not None and it.cue[2]),
    ("concluded", lambda it: it.cue is not None),
    ("verdict", _is_right),
    ("doubted", lambda it: "doubt" in it.around),
    ("named", lambda it: it.item.by in {"letter", "place"} or _is_exclaimed(it)),
    ("explained", lambda it: it.item.by != "word" and "because" in it.clause.opener),
    ("asserted", lambda it: True),
)
"""The stances, each with what makes it; the first that holds is the mention's."""
