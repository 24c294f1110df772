"""Items of a sentence: options that it names, role words, punctuation, and other words."""

import re
from collections.abc import Sequence

from mmbench.harness.replies.clean import Token, tokens
from mmbench.harness.replies.compounds import is_part
from mmbench.harness.replies.item import NO_ROLES, Item
from mmbench.harness.replies.letters import judged_marks
from mmbench.harness.replies.lexicon import phrase_at, phrases_for
from mmbench.harness.replies.options import Options
from mmbench.harness.replies.sums import summed
from mmbench.harness.replies.words.numbers import COUNTED, COUNTS, MAGNITUDES
from mmbench.harness.replies.yes_no import with_words

_SIGN = re.compile(r"=>|->|[^\w\s]|\n")
_HOLDS = dict.fromkeys("✓✔✅☑", frozenset({"right"})) | dict.fromkeys("✗✘❌×", frozenset({"wrong", "not before"}))
_LETTER = re.compile(
    r"(?<!\w)(?<!\w')(?:[A-Za-z]|\d{1,3})(?!\w|'\w)|(?<=[^\x00-\x7f])[A-Z](?![A-Za-z0-9_'])|(?<!\w)[A-Z](?=[^\x00-\x7f])"
)


def items(sentence: str, options: Options) -> list[Item]:
    """Return the parts of a sentence in order."""
    words = _words(sentence, options)
    named = _covered(sentence, [each for each in words if each.option is not None or " " in each.text])
    letters = []
    for found in _LETTER.finditer(sentence):
        place = options.mark(found.group(), set_off=True)
        if place is not None and not named[found.start()]:
            letters.append(Item(found.group(), *found.span(), NO_ROLES, place, "mark"))
    starts = {each.start for each in letters}
    said = [*(each for each in words if each.start not in starts), *letters]
    covered = _covered(sentence, said)
    signs = [
        Item(found.group(), *found.span(), _HOLDS.get(found.group(), NO_ROLES), by="sign")
        for found in _SIGN.finditer(sentence)
        if not covered[found.start()]
    ]
    made = sorted([*said, *signs], key=_start)
    if letters:
        word_at = {each.start: each for each in words}
        judged = zip(made, judged_marks(made, options), strict=True)
        kept = [each._replace(by=by) if by or each.by != "mark" else word_at.get(each.start) for each, by in judged]
        made = [each for each in kept if each]
    if options.all_numbers:
        made = summed(made, sentence)
    for start, end, place in options.places(sentence) if options.marks else ():
        outside = [each for each in made if each.end <= start or each.start >= end]
        made = sorted([*outside, Item("", start, end, NO_ROLES, place, "place")], key=_start)
    return with_words(made, options)


def _start(item: Item) -> int:
    return item.start


def _covered(sentence: str, made: Sequence[Item]) -> bytearray:
    """Return for each character whether an item covers it."""
    covered = bytearray(len(sentence))
    for each in made:
        covered[each.start : each.end] = b"\1" * (each.end - each.start)
    return covered


def _words(sentence: str, options: Options) -> list[Item]:
    said = list(tokens(sentence))
    words = [token.text for token in said]
    phrases = phrases_for(words)
    mentions = {a: (i, b) for i, a, b in options.mentions(said)}
    made: list[Item] = []
    at = limit = 0
    while at < len(said):
        if limit <= at:
            limit = next(
                (k for k in range(at + 1, len(said)) if _BREAK.search(sentence, said[k - 1].end, said[k].start)),
                len(said),
            )
        phrase, mention = phrase_at(phrases, words, at, limit), mentions.get(at)
        roles = NO_ROLES
        option, by = None, ""
        end = at + 1
        if mention and (not phrase or phrase[0] <= mention[1] - at):
            end = mention[1]
            part = end not in mentions and is_part(sentence, said, at, end, phrases, made[-1] if made else None)
            if not part and _tells(sentence, said, at, end):
                option, by = mention[0], "text"
                roles = phrase[1] & {"opener"} if phrase else NO_ROLES
        elif phrase and not any(at < k < at + phrase[0] < mentions[k][1] for k in mentions):
            end, roles = at + phrase[0], phrase[1]
        if not option and not roles and not by and not words[at][0].isalnum():
            by = "sign"
        made.append(Item(" ".join(words[at:end]), said[at].start, said[end - 1].end, roles, option, by))
        at = end
    return made


def _tells(sentence: str, said: list[Token], at: int, end: int) -> bool:
    """Return whether a mention can be meant: `cat-like` and `option two` do not name `cat` and `2`."""
    start, stop = said[at].start, said[end - 1].end
    if not said[end - 1].is_number:
        return not (
            _HYPHEN.match(sentence, stop)
            or (sentence[start - 1 : start] == "-" and sentence[start - 2 : start - 1].isalpha())
        )
    if end < len(said) and said[end].text in _MAGNITUDES and not sentence[stop : said[end].start].strip():
        return False
    before = said[at - 1].text if at and not sentence[said[at - 1].end : start].strip(" ([") else ""
    if sentence[start:stop].lower() == "one":
        return before in _COUNTS if before else not sentence[:start].strip()
    return before not in _COUNTED


_COUNTS, _COUNTED, _MAGNITUDES = (frozenset(words.split()) for words in (COUNTS, COUNTED, MAGNITUDES))
_BREAK = re.compile(r"[.,;:!?\n()|]")
_HYPHEN = re.compile(r"-[^\W\d_]{2}")


def roles_in(text: str) -> frozenset[str]:
    """Return the roles of all words of a text."""
    return frozenset().union(*(each.roles for each in items(text, _NO_OPTIONS)))


_NO_OPTIONS = Options(())
