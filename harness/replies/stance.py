"""Stance: how a clause stands to each option that it names, decided in one place."""

from collections.abc import Iterator, Sequence
from itertools import dropwhile, pairwise, takewhile
from typing import Literal, NamedTuple

from mmbench.harness.replies.clauses import Clause
from mmbench.harness.replies.lexicon import NO_ROLES
from mmbench.harness.replies.naming import Item, has
from mmbench.harness.replies.options import Options
from mmbench.harness.replies.polar import judged

Stance = Literal["answered", "concluded", "verdict", "asserted", "denied", "doubted", "conceded", "asked", "named"]
"""How an option is named: as the answer, as concluded, as right, as a fact, …, or only in passing."""


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

    item: Item
    before: Sequence[Item]
    after: Sequence[Item]
    roles: frozenset[str]
    """Those of all words of its clause."""
    unsure: bool
    """Whether another clause of the sentence doubts it."""


def read(clauses: Sequence[Clause], options: Options) -> list[Said]:
    """Return all that the clauses say of options, in order."""
    made, polar = [], options.polar
    for number, clause in enumerate(clauses):
        around, unsure = _around(clauses, number)
        for k, item in enumerate(clause.items):
            if item.option is not None:
                mention = _Mention(item, clause.items[:k], clause.items[k + 1 :], clause.roles, unsure)
                stance = next(_stances(mention)) if around is None else around
                place = clause.start + item.start, clause.start + item.end
                made.append(Said(item.option, stance, *place, item.by, clause.sentence, number))
        open_ = unsure or around not in {None, "denied"} or not polar or (options.yes_no and len(clauses) > 1)
        truth = None if open_ else judged(clause)
        if polar and truth is not None:
            place = clause.start, clause.start + len(clause.text)
            made.append(Said(polar[truth], "verdict", *place, "word", clause.sentence, number))
    return made


def _around(clauses: Sequence[Clause], number: int) -> tuple[Stance | None, bool]:
    """Return the stance to all that a clause names, if its sentence has one, and whether another clause doubts it."""
    mine = clauses[number]
    same = {k: each.roles for k, each in enumerate(clauses) if each.sentence == mine.sentence}
    buts = [k for k in same if "but" in clauses[k].opener]
    taken = {k for k in same if any(k < but <= number for but in buts)}  # `I'm not sure, but …`
    unsure = any("doubt" in same[k] and (k == number or not _is_word(mine)) for k in same if k not in taken)
    seemed = bool(mine.roles & {"seems", "doubt"}) or any("first" in roles for roles in same.values())
    ifs = (k for k, roles in same.items() if "if" in roles)
    reply = next((each.roles for each in clauses[number + 1 :] if each.sentence > mine.sentence), NO_ROLES)
    stances: dict[Stance, bool] = {
        "verdict": mine.asks and "yes" in reply and "no" not in reply,
        "asked": mine.asks,
        "conceded": "first" in mine.roles or (seemed and any(number < but for but in buts)),
        "denied": "unbelieved" in mine.roles,
        "doubted": any(k >= number or "so" not in mine.opener for k in ifs),
    }
    return next((stance for stance, holds in stances.items() if holds), None), unsure


def _stances(it: _Mention) -> Iterator[Stance]:
    """Yield the stances that its clause can have to a mention: the first one is the mention's."""
    if it.item.by == "word" and it.before and it.before[-1].text == ":":  # `Question 3: yes`
        yield "named" if has(it.before, "quotes") else "verdict"
    if it.roles and _is_denied(it):
        yield "denied"
    if "doubt" in it.roles:
        yield "doubted"
    cue = _cue(it) if it.roles else None
    if cue:
        yield cue
    if it.roles and _is_right(it):
        yield "verdict"
    if it.unsure:
        yield "doubted"
    # `Right!` is an interjection that an option happens to be written like.
    if it.item.by in {"letter", "place"} or ("opener" in it.item.roles and it.after and it.after[0].text == "!"):
        yield "named"
    yield "asserted"


def _is_word(clause: Clause) -> bool:
    """Return whether a clause is a yes or a no."""
    return any(each.by == "word" for each in clause.items)


def _is_denied(it: _Mention) -> bool:
    """Return whether role words before or after deny it."""
    leads = max((j for j, each in enumerate(it.before) if "leads to" in each.roles), default=0)
    before = it.before[leads:]
    aside = list(takewhile(lambda each: each.text != ",", reversed(before)))  # `unlike A, B`
    if has(aside, "instead") or has(before, "wrong", "not", "not any") or has(it.after, "wrong"):
        return True
    return has(it.after, "not before") and all(map(_names_none, it.after))


def _cue(it: _Mention) -> Stance | None:
    """Return what the cue before it makes of it: answered after `the answer is`, concluded after `I choose`."""
    for j in reversed(range(len(it.before))):
        roles, between = it.before[j].roles, it.before[j + 1 :]
        if roles & {"answer", "option"}:
            linked = any("is" in each.roles or each.text == ":" for each in takewhile(_names_none, between))
            joined = all(each.by or each.roles & {"option", "or", "and"} for each in between)
            alone = "answer" in roles and all(map(_names_none, it.before[:j]))  # not B in `A correct, B`
            if linked or (joined and alone):
                return "answered"
        if "sought" in roles:
            return None
        chosen = "choose" in roles and (not j or has(it.before[:j], "self"))
        if chosen or ("leads to" in roles and it.item.by == "mark"):
            return "concluded"
    return None


def _names_none(item: Item) -> bool:
    return item.option is None


def _is_right(it: _Mention) -> bool:
    """Return whether it is said to be right: `C is correct`, `dog is the right answer`."""
    after = list(
        takewhile(lambda each: each.option in {None, it.item.option} or each.by == it.item.by == "mark", it.after)
    )
    if it.item.by == "text":
        return has(list(dropwhile(lambda each: "is" not in each.roles, after))[1:], "answer", "option")
    it_is = [each.text for each in after if each.by != "sign"] == ["it", "is"]
    named = any("is" in a.roles and "answer" in b.roles for a, b in pairwise(after))
    yes = any("yes" in b.roles and a.text in ".:)-" for a, b in pairwise([it.item, *after]))
    return it_is or named or yes or has(after, "right")
