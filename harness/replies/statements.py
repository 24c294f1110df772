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
_KINDS: tuple[Kind, ...] = ("answered", "concluded", "verdict")

_NUMBERED = re.compile(r"^(?:1\s*[.)]|q(?:uestion)?\s*\d{1,3}\s*[.:)])\s*(?=[(\[\"]?[A-Z][)\]\"]?\.?$)", re.I)
"""The number of the question before a mark: `1. B`."""
_LONGEST_REPEATED = 200
"""Characters of a reply that is one word many times."""
_SETS_OFF = {"", ",", ".", ":", ";", ")", "-", "]", "}", '"', "\n", "(", "!"}
"""What may follow what a reply opens with."""


class Statement(NamedTuple):
    """Something that the reply commits itself to."""

    named: Named
    """The options: several where it does not decide."""
    start: int
    end: int
    kind: Kind
    words: str
    """The sentence."""


def statements(clauses: Sequence[Clause], said: Sequence[Said], options: Options) -> list[Statement]:
    """Return all statements of a reply, in order."""
    made = _edges(clauses, said, options)
    for number, clause in enumerate(clauses):
        here = [each for each in said if each.clause == number]
        for kind in _KINDS:
            made += _statement(clause, [each for each in here if each.stance == kind], kind)
        told = [each for each in here if each.stance == "asserted"]
        if clause.opener & {"so", "wait"} and len({each.option for each in told}) == 1:
            made += _statement(clause, told, "answered" if "wait" in clause.opener else "concluded")
        if "but" in clause.opener and clauses[number - 1].sentence != clause.sentence:
            made += _statement(clause, told, "edge")  # `However, the rings indicate Saturn.`
        if not here and "answer" in lead(clause)[1]:  # `The answer is`, and a part of an option's text
            named = whole(clause.text[: clause.items[-1].end], options, clause, part=True)
            end = clause.start + len(clause.text)
            made += [Statement(named, clause.start, end, "answered", clause.text)] if len(named) == 1 else []
    return sorted(made, key=lambda statement: statement.start)


def whole(text: str, options: Options, first: Clause, *, part: bool = False) -> Named:
    """Return what a text names as a whole, be it once or again and again; `first` is the clause that it begins with.

    What leads up to it may be left out: `It is`, `The answer is`. With `part` a telling part of an option will do.
    """
    text = _NUMBERED.sub("", text, count=1)
    end, roles = lead(first)
    rest, placed = text[end:].strip(), "option" in roles
    repeated = {options.named(word) for word in text.split()} if len(text) <= _LONGEST_REPEATED else set()
    named = options.named(text) or (repeated.pop() if len(repeated) == 1 else NONE)
    named = named or (options.named(rest, set_off=placed) if "answer" in roles or rest not in {"a", "A"} else NONE)
    return options.part_named(rest) if part and not named and not placed else named


def _statement(clause: Clause, mine: Sequence[Said], kind: Kind) -> list[Statement]:
    named = frozenset(each.option for each in mine)
    return [Statement(named, mine[0].start, mine[-1].end, kind, clause.text)] if mine else []


def _edges(clauses: Sequence[Clause], said: Sequence[Said], options: Options) -> list[Statement]:
    """Return what the first and the last sentence name; a list of the options opens and ends with no answer."""
    heads = [each for each in said if _is_head(clauses[each.clause], each)]
    listed = {each.sentence for pair in pairwise(heads) if pair[1].option == pair[0].option + 1 for each in pair}
    told = {each.option for each in said if _states(clauses[each.clause], each)}
    made: list[Statement] = []
    ends = {0, clauses[-1].sentence} - listed
    for number in sorted(ends & {each.sentence for each in heads} if listed else ends):
        mine = [each for each in clauses if each.sentence == number]
        first = mine[0]
        sentence, end = first.text.rstrip(), first.start + len(first.text.rstrip())
        line = sentence.rpartition(":\n")[2]  # `Based on the image, it is:` and the answer on its own line
        named = whole(sentence, options, first) or options.named(line)
        if first.asks or (first.text.rstrip().endswith("!") and only_opens(first)):
            continue
        if len(named) == 1 or (named and not number):
            made.append(Statement(named, end - len(line), end, "edge", first.text))
        elif not named:
            here = [each for each in said if each.sentence == number]
            made += _opening(mine, here, last=number > 0, several=len(told) > 1)
    return made


def _opening(mine: Sequence[Clause], said: Sequence[Said], *, last: bool, several: bool) -> list[Statement]:
    """Return what a sentence opens with: a yes or no, or in the first sentence of a reply any option."""
    clause = mine[0]
    because = (each.start + each.items[0].start for each in mine[1:] if each.items and "because" in each.opener)
    reason = next(because, clause.start + len(clause.text))
    marked = not last and bool(said) and said[0].by == "mark"
    opens = marked and bool(_OPENS.match(clause.text))  # `B. It might be red.`
    here = [each for each in said if each.start < reason and each.stance == "asserted"]
    if opens and said and said[0].stance in {"doubted", "conceded"}:
        here.insert(0, said[0])
    if not here or (last and here[0].by != "word"):
        return []
    first = here[0]
    before = [each for each in clause.items if clause.start + each.start < first.start]
    after = clause.text[first.end - clause.start :].strip(" ")
    sets_off = after[:1] in _SETS_OFF or (len(mine) > 1 and "because" in mine[1].opener)
    opens = opens or all(each.by == "sign" or each.roles & {"opener", "so", "adverb"} for each in before)
    word = first.by == "word"
    holds = (opens and (sets_off or (word and not last))) or (_states(clause, first) and not several)
    return _statement(clause, here[:1] if word else here, "edge") if holds else []


def _states(clause: Clause, each: Said) -> bool:
    """Return whether a clause says what something is, and no more: `This continent is Africa.`"""
    before = [item for item in clause.items if clause.start + item.start < each.start]
    ends = each.stance == "asserted" and not clause.text[each.end - clause.start :].strip(" .!\n")
    return ends and each.by != "word" and bool(before) and "is" in before[-1].roles


_OPENS = re.compile(r"[(\[]?[A-Z][.:)\]]+ (?=[^\Wa-z])")


def only_opens(clause: Clause) -> bool:
    """Return whether a clause says nothing itself: `Okay.`"""
    return all(each.by == "sign" or ("opener" in each.roles and "yes" not in each.roles) for each in clause.items)


def _is_head(clause: Clause, each: Said) -> bool:
    """Return whether a mark begins its line, as in a list of the options."""
    after = clause.text[each.end - clause.start :].strip()
    return each.by == "mark" and each.start - clause.start <= 1 and len(after) > 1
