"""Items of a sentence: options that it names, role words, punctuation, and other words."""

import re
from collections.abc import Iterable, Sequence

from mmbench.harness.replies.clean import Token, tokens
from mmbench.harness.replies.compounds import is_part
from mmbench.harness.replies.lexicon import NO_ROLES, phrase_at, phrases_for
from mmbench.harness.replies.naming import Item, named_by, summed, with_words
from mmbench.harness.replies.options import Options
from mmbench.harness.replies.words.numbers import COUNTED, COUNTS, MAGNITUDES

_SIGN = re.compile(r"=>|->|[^\w\s]|\n")
_HOLDS = dict.fromkeys("✓✔✅☑", frozenset({"right"})) | dict.fromkeys("✗✘❌×", frozenset({"wrong", "not before"}))
_LETTER = re.compile(
    r"(?<!\w)(?<!\w')(?:[A-Za-z]|\d{1,3})(?!\w|'\w)|(?<=[^\x00-\x7f])[A-Z](?![A-Za-z0-9_'])|(?<!\w)[A-Z](?=[^\x00-\x7f])"
)


def items(sentence: str, options: Options) -> list[Item]:
    """Return the parts of a sentence in order."""
    words = _words(sentence, options)
    taken = _covered(each for each in words if each.option is not None or " " in each.text)
    marks = [
        Item(found.group(), *found.span(), NO_ROLES, place, "mark")
        for found in _LETTER.finditer(sentence)
        if found.start() not in taken and (place := options.mark(found.group(), set_off=True)) is not None
    ]
    word_at = {each.start: each for each in words}
    said = word_at | {each.start: each for each in marks}
    covered = _covered(said.values())
    for found in _SIGN.finditer(sentence):
        if found.start() not in covered:
            said[found.start()] = Item(found.group(), *found.span(), _HOLDS.get(found.group(), NO_ROLES), by="sign")
    made = [said[start] for start in sorted(said)]
    by: list[str] = []
    for k, each in enumerate(made):
        listed = by[k - 2 : k - 1] == ["mark"]
        by.append(named_by(made, k, options, listed=listed) if each.by == "mark" else each.by)
    named = (each._replace(by=b) if b else word_at.get(each.start) for each, b in zip(made, by, strict=True))
    made = [each for each in named if each]
    if options.all_numbers:
        made = summed(made, sentence)
    places = [Item("", start, end, NO_ROLES, place, "place") for start, end, place in options.places(sentence)]
    return with_words(sorted([*made, *places], key=lambda each: each.start), options)


def _covered(made: Iterable[Item]) -> set[int]:
    """Return the characters that items cover."""
    return {at for each in made for at in range(each.start, each.end)}


def _words(sentence: str, options: Options) -> list[Item]:
    said = list(tokens(sentence))
    words = [token.text for token in said]
    phrases, mentions = phrases_for(words), options.mentions(said)
    breaks = [k for k in range(1, len(said)) if _BREAK.search(sentence, said[k - 1].end, said[k].start)]
    made: list[Item] = []
    at = 0
    while at < len(said):
        limit = next((k for k in breaks if k > at), len(said))
        length, roles = phrase_at(phrases, words, at, limit)
        option, end = mentions.get(at, (None, at))
        if "common" in roles and any(mentions.get(k, (0, 0))[1] == at + length for k in range(at, at + length)):
            length, roles = 1, NO_ROLES
        if end - at >= length:
            part = end not in mentions and is_part(sentence, said, at, end, phrases, made[-1] if made else None)
            named = not part and _tells(sentence, said, at, end)
            option, roles = (option, roles & {"opener"}) if named else (None, NO_ROLES)
        else:
            crosses = any(at < k < at + length < mentions[k][1] for k in mentions)
            option, end, roles = (None, at + 1, NO_ROLES) if crosses else (None, at + length, roles)
        by = "text" if option is not None else "" if roles or words[at][0].isalnum() else "sign"
        made.append(Item(" ".join(words[at:end]), said[at].start, said[end - 1].end, roles, option, by))
        at = end
    return made


def _tells(sentence: str, said: Sequence[Token], at: int, end: int) -> bool:
    """Return whether a mention can be meant: `cat-like` and `option two` do not name `cat` and `2`."""
    start, stop = said[at].start, said[end - 1].end
    if not said[end - 1].is_number:
        return not (_HYPHEN.match(sentence, stop) or _HYPHENED.match(sentence, start))
    before = said[at - 1].text if at and not sentence[said[at - 1].end : start].strip(" ([") else ""
    after = said[end].text if end < len(said) else ""
    if sentence[start:stop].lower() == "one":
        return after != "more" and (before in _COUNTS if before else not sentence[:start].strip())
    joined = {sentence[start - 1 : start], sentence[stop : stop + 1]} & _FACTORS
    counted = before in _COUNTED and said[max(0, at - 2)].text != "rather"
    return not counted and after not in _MAGNITUDES and not joined


_COUNTS, _COUNTED, _MAGNITUDES = (frozenset(words.split()) for words in (COUNTS, COUNTED, MAGNITUDES))
_FACTORS = frozenset("*/^π√×·")
_BREAK = re.compile(r"[.,;:!?\n()|]")
_HYPHEN, _HYPHENED = re.compile(r"-[^\W\d_]{2}"), re.compile(r"(?<=[^\W\d_]-)")


def roles_in(text: str) -> frozenset[str]:
    """Return the roles of all words of a text."""
    return frozenset().union(*(each.roles for each in items(text, _NO_OPTIONS)))


_NO_OPTIONS = Options(())
