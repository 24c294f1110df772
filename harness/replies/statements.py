"""Statements of a reply: what it commits itself to, in order, of all the options that its clauses name."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from mmbench.harness.replies.clauses import Clause, lead
from mmbench.harness.replies.options import NONE, Named, Options
from mmbench.harness.replies.stance import Said

Kind = Literal["answered", "concluded", "verdict", "edge"]
"""Said to be the answer, concluded, said to be right, or standing first or last."""

_NUMBERED = re.compile(r"^(?:1\s*[.)]|q(?:uestion)?\s*\d{1,3}\s*[.:)])\s*(?=[(\[\"]?[A-Z][)\]\"]?\.?$)", re.I)
"""The number of the question before a mark: `1. B`."""
_LONGEST_REPEATED = 200
"""Characters of a reply that is one word many times."""
_SETS_OFF = {"", ",", ".", ":", ";", ")", "-", "]", "}", '"', "\n", "("}
"""What may follow what a reply opens with."""
_ENDS_WORD = {"", ",", ".", ":", ";", "!", "-"}
_SHORTEST_ITEM = 5
"""Characters of a line with a mark and something after it."""


class Statement(NamedTuple):
    """Something that the reply commits itself to."""

    named: Named
    """The options: several where it does not decide."""
    start: int
    end: int
    kind: Kind
    words: str
    """The sentence."""


def statements(text: str, clauses: Sequence[Clause], said: Sequence[Said], options: Options) -> list[Statement]:
    """Return all statements of a reply, in order."""
    made = _edges(text, clauses, said, options)
    for number, clause in enumerate(clauses):
        here = [each for each in said if each.clause == number]
        made += _made(clause, here) if here else _open_ended(clause, options)
    return sorted(made, key=lambda statement: statement.start)


def whole(text: str, options: Options, first: Clause | None = None) -> Named:
    """Return what a text names as a whole, be it once or again and again; `first` is the clause that it begins with.

    What leads up to it may be left out: `It is`, `The answer is`.
    """
    if options.marks:
        text = _NUMBERED.sub("", text, count=1)
    repeated = {options.named(word) for word in text[:_LONGEST_REPEATED].split()}
    if len(repeated) == 1 and len(text) <= _LONGEST_REPEATED and NONE not in repeated:
        return repeated.pop()
    named = options.named(text)
    if named or first is None:
        return named
    end, roles = lead(first)
    rest = text[end:].strip()
    return NONE if not end or rest in {"a", "A"} else options.named(rest, set_off="option" in roles)


def _made(clause: Clause, here: Sequence[Said]) -> list[Statement]:
    """Return the statements of a clause that names options."""
    made = []
    for kind in ("answered", "concluded", "verdict"):
        mine = [each for each in here if each.stance == kind]
        if kind == "verdict" and mine:
            mine = [each for each in here if each in mine or (each.by == "mark" and each.stance == "asserted")]
        if mine:
            made.append(_statement(clause, mine, kind))
    mine = [each for each in here if each.stance == "asserted"]
    if clause.opener & {"so", "wait"} and len({each.option for each in mine}) == 1:
        made.append(_statement(clause, mine, "answered" if "wait" in clause.opener else "concluded"))
    return made


def _statement(clause: Clause, mine: Sequence[Said], kind: Kind) -> Statement:
    named = frozenset(each.option for each in mine)
    return Statement(named, mine[0].start, mine[-1].end, kind, clause.text)


def _open_ended(clause: Clause, options: Options) -> list[Statement]:
    """Return what follows `the answer is`, where it is a part of an option's text."""
    end, roles = lead(clause)
    if clause.asks or "answer" not in roles:
        return []
    rest = clause.text[end : clause.items[-1].end].strip()
    named = options.named(rest, set_off="option" in roles) or options.part_named(rest)
    end = clause.start + len(clause.text)
    return [Statement(named, clause.start, end, "answered", clause.text)] if len(named) == 1 else []


def _edges(text: str, clauses: Sequence[Clause], said: Sequence[Said], options: Options) -> list[Statement]:
    """Return what the first and the last sentence name; a list of the options opens and ends with no answer."""
    heads = [each.option for each in said if each.by == "mark" and _is_head(clauses[each.clause], each)]
    if any(b == a + 1 for a, b in pairwise(heads)):
        return []
    made = []
    for number in dict.fromkeys((0, clauses[-1].sentence)):
        mine = [each for each in clauses if each.sentence == number]
        if mine[0].asks or (len(clauses) > 1 and not options.polar and _is_exclamation(mine[0])):
            continue
        named = whole(mine[0].text.strip(), options, mine[0])
        if len(named) == 1 or (named and not number):
            end = mine[0].start + len(mine[0].text.rstrip())
            made.append(Statement(named, mine[0].start, end, "edge", mine[0].text))
        elif not named:
            made += _opening(mine, [each for each in said if each.sentence == number], last=number > 0)
    return made


def _opening(mine: Sequence[Clause], said: Sequence[Said], *, last: bool) -> list[Statement]:
    """Return what a sentence opens with: a yes or no, or in the first sentence of a reply any option."""
    because = (each.start + each.items[0].start for each in mine[1:] if each.items and "because" in each.opener)
    reason = next(because, mine[0].start + len(mine[0].text))
    here = [each for each in said if each.stance == "asserted" and each.start < reason]
    if not here:
        return []
    first, clause = here[0], mine[0]
    before = [each for each in clause.items if clause.start + each.start < first.start]
    after = clause.text[first.end - clause.start :].strip(" ")[:1]
    opens = all(each.by == "sign" or each.roles & {"opener", "so", "adverb"} for each in before)
    if first.by == "word":
        alone = sum(each.by == "word" for part in mine for each in part.items) == 1
        end = clause.start + len(clause.text.rstrip()) if last and alone else first.end
        holds = opens and (not last or after.strip() in _ENDS_WORD)
        return [Statement(frozenset({first.option}), first.start, end, "edge", clause.text)] if holds else []
    # `This continent is Africa.`: what something is, and no more.
    states = not clause.text[first.end - clause.start :].strip(" .!\n") and bool(before) and "is" in before[-1].roles
    explained = len(mine) > 1 and "because" in mine[1].opener
    leads = opens and (first.by == "mark" or first.start < _end(clause)) and (after in _SETS_OFF or explained)
    return [_statement(clause, here, "edge")] if not last and (states or leads) else []


def _end(clause: Clause) -> int:
    return clause.start + (clause.items[-1].end if clause.items else 0)


def _is_exclamation(clause: Clause) -> bool:
    """Return whether a clause is an interjection: `Right!`"""
    return clause.text.rstrip().endswith("!") and all(e.by == "sign" or "opener" in e.roles for e in clause.items)


def _is_head(clause: Clause, each: Said) -> bool:
    """Return whether a mark begins its line, as in a list of the options."""
    place = each.start - clause.start
    after = clause.text[each.end - clause.start :].lstrip()[:1]
    return place <= 1 and after in {".", ")", ":", "]", "-"} and len(clause.text) >= _SHORTEST_ITEM
