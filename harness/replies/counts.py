"""Number that a reply counts to: one number that is said for sure, and nothing where several could be meant."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from mmbench.harness.errors import ArgumentError
from mmbench.harness.replies.clean import FINAL, clean, first_turn
from mmbench.harness.replies.thoughts import ONLY_THOUGHTS, spoken

VERSION = 2
"""Raised whenever the same reply would be read as another number."""

_ONES = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
)
_TENS = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
_VALUES = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_MANY = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_GROUPS = {"dozen": 12, "dozens": 12, "couple": 2, "pair": 2, "score": 20}
_WORD = "|".join(sorted([*_VALUES, *_MANY], key=len, reverse=True))
_DIGITS = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,12}(?:\.\d+)?"
_NUMBER = re.compile(
    # A letter of a script without spaces may stand beside digits: only Latin ones make another word of them.
    rf"(?P<digits>(?<![A-Za-z0-9_.,/第])(?:(?<!-)|(?<=\d-))(?:{_DIGITS})(?![A-Za-z0-9_/]|\s?[%°]|[.,]\d))"
    rf"|(?P<minus>(?<![\w.)])-\d+)"
    rf"|(?<![\w-])(?P<words>(?:an?\s(?=hundred|thousand|million))?(?:{_WORD})"
    rf"(?:(?:[\s-]|\sand\s)(?:{_WORD}))*)(?![\w-])"
    r"|(?<![\w-])(?P<group>dozen|couple|pair)(?![\w-])"
    r"|(?<!\bnot\s)(?P<single>\ba\ssingle)(?![\w-])",
    re.I,
)
_HALF = re.compile(r"\bhalf[\s-](?:a\s)?$", re.I)
_PART = re.compile(r"[\s-](?:half|halves|thirds?|quarters?|fifths|sixths|eighths|tenths|percent|per\scent)\b", re.I)
_PRONOUN = re.compile(
    r"\b(?:no|not|the|this|that|each|every|which|any|another|some|other|[a-z]+est|the\s[a-z]+)\s$", re.I
)
_RANGE = re.compile(r"\s?(?:-|to|or|and|through)\s?", re.I)
_BETWEEN = re.compile(r"\b(?:between|from)\s$", re.I)
_BOUND = re.compile(
    r"(?:\b(?:at least|at most|more than|greater than|less than|fewer than|over|under|up to|upwards? of|as many as"
    r"|above|below|minimum of|maximum of)\s|[<>≤≥]=?\s?)$",
    re.I,
)
_ABOVE = re.compile(r"\s?(?:\+(?!\s?\d)|or more|or so more|or fewer|or less)", re.I)
_CUE = re.compile(
    r"(?:=|\b(?:answer|total|count|number|sum)\b[^\d.!?\n]{0,60}?(?:\bis|\bare|\bof|\bwould be|:|=)"
    r"|\b(?:so|thus|therefore|hence)\b,?(?:\s(?:there\s(?:is|are)|that(?:'s| is| makes)|i count|we have|in total,?))?)"
    r"\s(?:about\s|approximately\s|around\s|roughly\s)?$",
    re.I,
)
_CUE_AFTER = re.compile(r"[^.!?\n\d]{0,40}?\b(?:in total|altogether|in all|overall|all together)\b", re.I)
_ITEM = re.compile(r"^[ \t]*(\d{1,3})[.)][ \t]+(?=\S)", re.M)
_NONE = re.compile(
    r"\b(?:none|nobody|nothing|zero|no one|not any|not one|not a single|(?:are|is|see|can)(?:n't|not| not)(?: see)? any"
    r"|no\s(?!idea|way|answer|clue|information|doubt|problem|image|picture|longer)[a-z]+)\b",
    re.I,
)
_NO_THING = re.compile(
    r"(?:^|[.!?;,]\s|\b(?:are|is|see|find|contains?|shows?|but)\s)"
    r"no\s(?!idea|way|answer|clue|information|doubt|problem|longer|other|one|more|less|fewer|further|additional)[a-z]+",
    re.I,
)
_SUM = re.compile(r"\s?(?:[+*×x]|plus|times|by)\s?|\s[a-z]+\s(?:of|with)\s", re.I)
"""Between numbers that are still to be added or multiplied."""
_AND = re.compile(r"\s[a-z][a-z ]{0,40}?(?:,|;|,?\sand|\splus|\s\+)\s(?:also\s|another\s)?", re.I)
_OF_THESE = re.compile(r"(?!\s[a-z])|\s(?:of\s(?:them|which|whom|these|those)|in\s(?:total|all))\b", re.I)
_SIGN = re.compile(r"\s?[-+*×x/]\s?\d", re.I)
_PAIRS = re.compile(
    r"\s?pairs\b|(?<=pair)\sof\s(?:[a-z]+\s)?(?:(?:sun|eye)?glasses|scissors|goggles|pants|trousers|jeans|shorts|tights"
    r"|leggings|pliers|tongs|tweezers|binoculars|headphones|earphones|pyjamas|pajamas)\b",
    re.I,
)
"""Of a pair nobody knows whether it counts as one or as two."""
_ALONE = re.compile(r"[^\w]*$")
_OPEN = re.compile(r"[-<≤≥]")
"""Signs that make of a number beside nothing else a range or a bound; `>` begins a line that is quoted."""


class Count(NamedTuple):
    """What a reply counts to."""

    value: int | None
    """None where it is not said, or not for sure."""
    reason: str | None = None
    """Why there is none."""


class _Found(NamedTuple):
    value: float
    start: int
    end: int


def read_count(reply: str) -> Count:
    """Return the number that a reply counts to. Never guesses: of two numbers neither is taken without a word for it.

    Digits (`12`, `1,204`, `3.0`), English number words (`twenty-one`, `a hundred and five`, `half a dozen`, `a pair`)
    and `none` or `no people` are read, about as much as exactly. Of several different numbers that counts which the
    reply singles out: it stands alone in its line, behind `the answer is`, `=` or `so`, or before `in total`. Ranges,
    bounds (`at least 5`), fractions, what is still to be added (`2 + 2`, `2 men and 2 women`) and what is below 0 are
    no count; thoughts are no reply. Raises ArgumentError, a ValueError.

    >>> read_count("There are about 1,204 people.").value, read_count("Three dogs and two cats, so five animals.").value
    (1204, 5)
    >>> read_count("between 4 and 6"), read_count("No people."), read_count("I cannot tell.").value
    (Count(value=None, reason='a range: between 4 and 6'), Count(value=0, reason=None), None)
    """
    if not isinstance(reply, str):
        raise ArgumentError("a reply is a text")
    said = spoken(reply)
    if said.only_thoughts:
        return Count(None, ONLY_THOUGHTS)
    text = clean(first_turn(said.text))
    if FINAL in text:
        last = text.rpartition(FINAL)[2]
        if (found := _read(last)).value is not None:
            return found
    return _read(text)


def _read(text: str) -> Count:
    text = _without_marks(text)
    found = list(_numbers(text))
    if not found:
        return Count(0) if _NONE.search(text) else Count(None, "the reply names no number")
    if (alone := _alone(text, found)) is not None:
        return _whole(alone)
    told = [each for each in found if _told(text, each)]
    if told:
        unsure = _unsure(text, found, told[-1]) or _one_of_two(text, found, told[-1])
        return unsure or _whole(told[-1])
    return _why_none(text, found) or _whole(found[0])


def _why_none(text: str, found: list[_Found]) -> Count | None:
    """Return why none of the numbers is taken, where none is singled out."""
    if (nothing := _NO_THING.search(text)) and any(each.value for each in found):
        return Count(None, f"nothing of one thing and {found[0].value:g} of another: {nothing.group().strip(' .,;!?')}")
    for each in found:
        if unsure := _unsure(text, found, each) or _one_of_two(text, found, each, equal=True):
            return unsure
    if len({each.value for each in found}) > 1:
        shown = ", ".join(f"{each.value:g}" for each in found[:4])
        return Count(None, f"several numbers, of which none is singled out: {shown}")
    return None


def _without_marks(text: str) -> str:
    """Return a text without the numbers of a list, 1 to its last line, which count nothing that is said.

    A `1.` before other words may begin a list that goes on in its line, so that it is no number either.
    """
    marks = [int(mark) for mark in _ITEM.findall(text)]
    return _ITEM.sub("", text) if marks == [*range(1, len(marks) + 1)] else text


def _numbers(text: str) -> Iterator[_Found]:
    matches = list(_NUMBER.finditer(text))
    skip = -1
    for i, match in enumerate(matches):
        if i == skip:
            continue
        after = matches[i + 1] if i + 1 < len(matches) else None
        value, end = _value(match), match.end()
        if after is not None and after.group("group") and not text[end : after.start()].strip():
            value, end, skip = value * _GROUPS[after.group("group").lower()], after.end(), i + 1
        elif after is not None and match.group("digits") and text[end : after.end()].strip().lower() in _MANY:
            value, end, skip = value * _MANY[after.group("words").lower()], after.end(), i + 1
        elif match.group("group") and _HALF.search(text[: match.start()][-10:]):
            value /= 2
        if _PART.match(text, end):
            continue
        is_one = match.group().lower() == "one"
        if is_one and (_PRONOUN.search(text[: match.start()][-20:]) or text[end : end + 4] == " of "):
            continue
        yield _Found(value, match.start(), end)


def _value(match: re.Match[str]) -> float:
    if match.group("digits") or match.group("minus"):
        return float(match.group().replace(",", ""))
    if match.group("group"):
        return _GROUPS[match.group("group").lower()]
    if match.group("single"):
        return 1
    total = part = 0
    for word in re.findall(r"[a-z]+", match.group("words").lower()):
        if word in _MANY and _MANY[word] == 100:
            part = max(part, 1) * 100
        elif word in _MANY:
            total, part = total + max(part, 1) * _MANY[word], 0
        else:
            part += _VALUES.get(word, 0)
    return total + part


def _alone(text: str, found: list[_Found]) -> _Found | None:
    """Return the number that fills the first or the last line or sentence by itself."""
    for each in (found[0], found[-1]):
        before = re.split(r"\n|[.!?:]\s", text[: each.start])[-1]
        after = re.split(r"\n|[.!?](?:\s|$)", text[each.end :])[0]
        first, last = not text[: each.start].strip(" \n\"'(*"), not text[each.end :].strip(" \n\"').*!")
        if (
            _ALONE.match(before)
            and _ALONE.match(after)
            and (first or last)
            and not _ABOVE.match(after)
            and not _OPEN.search(before + after)
        ):
            return each
    return None


def _told(text: str, each: _Found) -> bool:
    before, after = text[max(0, each.start - 120) : each.start], text[each.end : each.end + 60]
    return bool((_CUE.search(before) and not _SIGN.match(after)) or _CUE_AFTER.match(after))


def _one_of_two(text: str, found: list[_Found], each: _Found, *, equal: bool = False) -> Count | None:
    """Return why a number is not the whole: another follows, of another thing or to be added; or only an `equal` one.

    Of different numbers that nothing singles out none is taken anyway; of equal ones neither is the sum.
    """
    other = next((one for one in found if one.start >= each.end), None)
    if other is None or (equal and other.value != each.value):
        return None
    link = text[each.end : other.start]
    if _SUM.fullmatch(link) or (_AND.fullmatch(link) and not _OF_THESE.match(text, other.end)):
        return Count(None, f"two numbers, and not their sum: {text[each.start : other.end]}")
    return None


def _unsure(text: str, found: list[_Found], each: _Found) -> Count | None:
    """Return why a number is none that is counted to: one end of a range, or a bound."""
    at = found.index(each)
    for one, other in zip(found[max(0, at - 1) : at + 1], found[max(1, at) : at + 2], strict=False):
        if one.value != other.value and _is_range(text, one, other):
            start = one.start - len("between ") if _BETWEEN.search(text[: one.start]) else one.start
            return Count(None, f"a range: {text[max(0, start) : other.end].strip()}")
    if _PAIRS.match(text, each.end):
        return Count(None, f"a pair may count as one or as two: {text[each.start : each.end + 12].strip()}")
    bound = _BOUND.search(text[: each.start], max(0, each.start - 30))
    if bound or _ABOVE.match(text, each.end):
        start = bound.start() if bound else each.start
        return Count(None, f"a bound: {text[start : each.end + 8].strip()}")
    return None


def _is_range(text: str, one: _Found, other: _Found) -> bool:
    link = text[one.end : other.start]
    if not _RANGE.fullmatch(link):
        return False
    return link.strip().lower() != "and" or bool(_BETWEEN.search(text[: one.start]))


def _whole(found: _Found) -> Count:
    if found.value < 0 or not float(found.value).is_integer():
        return Count(None, f"no count: {found.value:g}")
    return Count(int(found.value))
