"""Conclusions of a reply, found in order, because a stated conclusion outweighs other mentions."""

import re
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from mmbench.harness.replies import cues
from mmbench.harness.replies.clauses import DOUBT, asserted
from mmbench.harness.replies.clean import sentence_end, sentences
from mmbench.harness.replies.options import NONE, Named, Options
from mmbench.harness.replies.yes_no import opening_word, truth


class Statement(NamedTuple):
    """Something the reply commits itself to."""

    named: Named
    """The options that it names: several where it does not decide, none where it names what is no option."""
    start: int
    end: int
    kind: Literal["explicit", "verdict", "edge"]
    """Said in so many words (`the answer is`), said of an option (`C is right`), or standing first or last."""


def statements(text: str, options: Options) -> list[Statement]:
    """Return all conclusions of a text, in order; the opening and the last line count where they are one."""
    made = [*_explicit(text, options), *_verdicts(text, options), *_edges(text, options), *_polar(text, options)]
    return sorted(made, key=lambda statement: statement.start)


def _explicit(text: str, options: Options) -> Iterator[Statement]:
    for cue in (cues.CUE, cues.CHOOSING, cues.FOREIGN, cues.POINTING, cues.CORRECTION, cues.CONSEQUENCE):
        for found in deque(cue.finditer(text), maxlen=cues.MOST_CUES):
            gap = found.groupdict().get("gap") or ""
            before = cues.CLAUSE_START.split(text[max(0, found.start() - 16) : found.start()])[-1]
            if cues.UNSAID.search(gap) or cues.UNDECIDED.search(gap):
                continue
            if cues.PRIOR.search(before):
                continue
            if cue is not cues.CORRECTION and (cues.UNSAID.search(before) or _is_denied(text, found.start())):
                continue
            if cues.CONDITION.match(cues.SENTENCE_START.split(text[max(0, found.start() - 200) : found.start()])[-1]):
                continue
            phrase = text[found.end() : sentence_end(text, found.end())]
            if phrase.strip() == "a" and found.group().strip()[-1].isalpha():
                continue
            named = read(phrase.strip(), options)
            end = found.end() + _extent(phrase, options)
            weak = cue in (cues.CORRECTION, cues.CONSEQUENCE)
            if len(named) == 1 or (not weak and (named or _is_stranger(phrase, options))):
                yield Statement(named, found.start(), end, "explicit")


def _is_denied(text: str, at: int) -> bool:
    """Return whether a denial before `at` governs what follows: `I don't think that`."""
    return cues.DENIED_AHEAD.search(cues.CLAUSE_START.split(text[max(0, at - 80) : at])[-1]) is not None


def _extent(phrase: str, options: Options) -> int:
    """Return the length of what names an option at the start of a phrase: its mark, else all of it."""
    mark = cues.LEADING.match(phrase, len(phrase) - len(phrase.lstrip()))
    return mark.end("close") if mark and leading_mark(phrase.strip(), options) else len(phrase)


def read(phrase: str, options: Options) -> Named:
    """Return what the words after `the answer is` name.

    >>> options = Options(["cat", "dog"], "AB")
    >>> [sorted(read(p, options)) for p in ("B, since it barks.", "not A but B.", "A or B", "the dog on the left")]
    [[1], [1], [0, 1], [1]]
    """
    phrase = phrase[:2000]
    if phrase.rstrip(" \"')").endswith("?") and not options.asks:
        return NONE
    whole = options.named(phrase) or leading_mark(phrase, options) or opening_polar(phrase, options)
    if whole:
        return whole
    cut = cues.CUT.search(phrase, 1)
    if cut:
        head = options.named(phrase[: cut.start()])
        others = asserted(phrase[: cut.start() + 80], options, marks=False)
        if head and not DOUBT.search(phrase[: cut.start()]) and len(head | others) == 1:
            return head
    return asserted(phrase, options) or (NONE if DOUBT.search(phrase) else options.part_named(phrase.rstrip(" .!")))


def leading_mark(phrase: str, options: Options) -> Named:
    """Return the option whose mark opens a phrase; with it any that is joined to it or whose text follows at once."""
    found = cues.LEADING.match(phrase)
    set_off = found is not None and (not phrase[:1].isdigit() or bool(found.group("close")))
    place = options.mark(found.group("mark"), set_off=set_off) if found else None
    if found is None or place is None:
        return NONE
    listed = _listed(phrase, options)
    if len(listed) > 1:
        return listed
    joined, dismissed = _joined(phrase, found.end("close"), options)
    if joined:
        return NONE if dismissed else joined | {place}
    rest = phrase[found.end() :].strip()
    rejected = cues.REJECTED.match(rest) and not cues.REJECTED.match(options.texts[place])
    if rejected or not _is_set_off(found):
        return NONE
    if rest.startswith("("):
        rest = rest[1:].partition(")")[0]
    elif (found.group("after") or "").strip() in {"", ","} and not (found.group("open") and found.group("close")):
        # `A because the dog …`, `A, the one beside the dog`: what follows explains.
        return frozenset({place})
    return frozenset({place}) | _contradiction(rest, place, options)


def _joined(phrase: str, at: int, options: Options) -> tuple[Named, bool]:
    """Return the options that are joined to the mark before `at`, as in `A, B and D`, and whether all are dismissed."""
    made = NONE
    while more := cues.MORE.match(phrase, at):
        place = options.mark(more.group("mark") or more.group("set"), set_off=True)
        if place is None:
            break
        made |= {place}
        at = more.end()
    return made, cues.DISMISSED.match(phrase, at) is not None


def _is_set_off(found: re.Match[str]) -> bool:
    if found.group("open") and found.group("close"):
        return True
    mark, after = found.group("mark"), found.group("after")
    if after is None:
        return False
    return mark.isupper() or mark.isdigit() or after.strip()[:1] in {".", ")", ":", ""}


def _contradiction(rest: str, place: int, options: Options) -> Named:
    """Return another option whose text follows a mark, alone or in a short sentence that asserts it."""
    first = next(iter(sentences(rest)), "")
    named = options.named(first)
    if place in named:
        return NONE
    if not named and len(first) <= 80:
        named = asserted(first, options, marks=False)
    return NONE if place in named else named


def _is_stranger(phrase: str, options: Options) -> bool:
    """Return whether a phrase is a mark or a number, though none of the options."""
    if not cues.STRANGER.match(phrase):
        return False
    return bool(options.marks) if phrase.strip("([\"'")[:1].isalpha() else options.all_numbers or options.numbered


def _verdicts(text: str, options: Options) -> Iterator[Statement]:
    for found in cues.VERDICT.finditer(text):
        place = options.mark(found.group("mark"))
        own = found.group("own")
        joined = cues.JOINED.search(text[max(0, found.start() - 6) : found.start("mark")])
        rest = text[found.end() : sentence_end(text, found.end())].rstrip()
        supposed = rest.endswith("?") or ("would" in found.group() and " if " in rest)
        if place is None or joined or supposed or _is_denied(text, found.start("mark")):
            continue
        if cues.UNSAID.search(own) or cues.MORE.match(own) or DOUBT.search(own):
            continue
        yield Statement(frozenset({place}), found.start(), found.end(), "verdict")
    for found in cues.CHINESE_VERDICT.finditer(text):
        place = options.mark(found.group("mark"))
        if place is not None:
            yield Statement(frozenset({place}), found.start(), found.end(), "verdict")
    for found in (*cues.PLACE_VERDICT.finditer(text), *cues.TEXT_VERDICT.finditer(text)):
        named = read(found.group("text").strip(" ,"), options)
        if len(named) == 1 and not cues.UNSAID.search(found.group("text")):
            yield Statement(named, found.start(), found.end(), "verdict")


def _polar(text: str, options: Options) -> Iterator[Statement]:
    """Yield what says yes or no, true or false, after a colon or of a statement."""
    if options.polar is None:
        return
    for found in cues.POLAR_VERDICT.finditer(text):
        yes = found.group("word").lower() == "yes"
        yield Statement(frozenset({options.polar[not yes]}), found.start(), found.end(), "verdict")
    for found in () if options.yes_no else cues.TRUTH.finditer(text):
        before = cues.CLAUSE_START.split(text[max(0, found.start() - 80) : found.start()])[-1]
        asked = text[sentence_end(text, found.end()) - 1] == "?"
        if not asked and not cues.UNSAID.search(before) and not DOUBT.search(before + (found.group("gap") or "")):
            named = frozenset({options.polar[truth(found) == "no"]})
            yield Statement(named, found.start(), found.end(), "verdict")


def _edges(text: str, options: Options) -> Iterator[Statement]:
    """Yield what the opening and the last line or sentence name as a whole."""
    parts = sentences(text)
    if not parts:
        return
    opening = opening_named(parts, options)
    if opening and not _lists(text, options):
        yield Statement(opening, 0, _extent(parts[0], options), "edge")
    last = options.named(parts[-1])
    if not last and cues.SET_OFF.match(parts[-1]):
        last = opening_polar(parts[-1], options)
    if len(parts) > 1 and len(last) == 1 and not _lists(text, options):
        yield Statement(last, len(text) - len(parts[-1]), len(text), "edge")


def opening_named(parts: list[str], options: Options) -> Named:
    """Return what the first sentence names by the mark or text that it begins with."""
    first = parts[0]
    if first.endswith("?") and not options.asks:
        return NONE
    named = options.named(first) or leading_mark(first, options) or opening_polar(first, options)
    if named:
        return named
    copula = cues.COPULA.match(first)
    if copula and not (cues.UNSAID.search(first) or DOUBT.search(first) or _is_denied(first, copula.end())):
        rest = first[copula.end() :]
        named = NONE if rest == "a" else options.named(rest)
        if named:
            return named
    cut = cues.CUT.search(first, 1)
    head = options.named(first[: cut.start()]) if cut else NONE
    if cut and head and cues.REASON.match(first, cut.start()) and not DOUBT.search(first[: cut.start()]):
        return head
    lone_mark = cut and options.mark(first[: cut.start()].strip("([\"' )]")) is not None
    if not cut or not head or lone_mark or DOUBT.search(first):
        return NONE
    listed = (options.named(piece) for piece in first.split(",")[1:6])
    head = head.union(asserted(first, options, marks=False), *listed)
    return head if len(head) == 1 else NONE


def opening_polar(phrase: str, options: Options) -> Named:
    """Return the option that an opening yes or no stands for, both where the phrase takes it back."""
    word = opening_word(phrase) if options.polar else None
    if word is None or options.polar is None:
        return NONE
    yes, no = options.polar
    return {"yes": frozenset({yes}), "no": frozenset({no}), "both": frozenset({yes, no})}[word]


def _listed(text: str, options: Options) -> Named:
    """Return the options that a text names by their marks and own texts, as a list does."""
    made = NONE
    for found in cues.LISTED.finditer(text):
        place = options.mark(found.group(1))
        if place is not None:
            own = options.texts[place].casefold()
            made |= {place} if text[found.end() : found.end() + len(own)].casefold() == own else NONE
    return made


def _lists(text: str, options: Options) -> bool:
    """Return whether a text goes through the options, so that the first and last of them are no answers."""
    if cues.ITEMS.match(text):
        return True
    places = [place for place in map(options.mark, cues.LISTED.findall(text)) if place is not None]
    return any(b == a + 1 for a, b in pairwise(places))
