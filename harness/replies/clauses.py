"""Clauses of a reply: which mentions of an option are asserted, and which are denied or only considered."""

import re
from collections.abc import Iterator

from mmbench.harness.replies.clean import Token, sentences, tokens
from mmbench.harness.replies.options import NONE, Named, Options

DOUBT = re.compile(
    r"\b(?:maybe|perhaps|possibly|might|may|could|either|whether|if|unless|would be if|not sure|unsure|unclear"
    r"|(?:hard|difficult|impossible) to (?:say|tell)|it depends|suppose|assuming)\b",
    re.I,
)
_DENIED = re.compile(
    r"(?<!\w)(?:(?P<not>not(?! only\b| just\b| to mention\b)|neither|nor|never|no(?! doubt\b| question\b)|without"
    r"|cannot|rul(?:e|es|ing|ed) out|eliminat(?:e|es|ing)|exclud(?:e|es)|discard|dismiss|anything but|far from"
    r"|(?:i|we) doubt|(?:doubtful|unlikely|improbable|untrue|false) that"
    r"|(?:is|are|was|were|do|does|did|has|have|had|ca|could|wo|would|should)n't)"
    r"|(?P<aside>unlike|although|even though|though|despite|instead of|rather than|other than|as opposed to"
    r"|apart from|except(?: for)?|excluding|besides|compared (?:to|with)|similar to|versus|confused? with"
    r"|mistaken for))(?!\w)",
    re.I,
)
"""Negation of the words after it: to the end of the clause, or, as an aside, to the next comma."""
_DENIED_BEFORE = re.compile(
    r"\b(?:(?:is|are|was|were|do|does|did|has|have|can|could|will|would|should|seems?|appears?)(?:n't| not)\b"
    r"|cannot\b|can't\b|won't\b|(?:is|are) (?:both |all )?out\b"
    r"|(?:wrong|incorrect|inaccurate|false|eliminated|ruled out|unlikely|irrelevant|excluded)\b)|[✗✘❌×]",
    re.I,
)
"""Negation of the words before it in its clause."""
_CLAUSE = re.compile(
    r";|(?<!thing),? but\b|,? however\b| - |,? (?:because|since|while|whereas|although|though)\b"
    r"|,?\s+and (?=not\b)|,\s*(?=(?:not|rather than|instead of|only|just)\b)"
    r"|,\s*(?:and |so |rather |instead )?(?=(?:it|this|that|they|he|she|these|those)(?:'s|'re)?\b|rather(?! than)"
    r"|instead(?! of))"
    r"|^no[:,]\s",
    re.I,
)
"""End of a clause, and with it of a negation's scope."""
_CONCEDED = re.compile(
    r"[^.;]{0,150}?\b(?:may|might|could|looks?|resembles?|seems?|appears?|at first|(?:not|n't|un)[ -]?\w{0,9} ?sure"
    r"|(?:hard|difficult) to (?:say|tell))\b[^.;]{0,150}?\b(?:but|however)\b,? "
    r"(?=(?:it|it's|this|that|is|actually|in fact|i)\b)"
    r"|.{0,150}?\b(?:(?:first|initial|original|earlier) (?:instinct|guess|thought|impression|answer|reaction) was"
    r"|(?:at first|i|initially|originally),? (?:i )?(?:first |initially |originally |previously )?"
    r"(?:thought|assumed|took it|was (?:going|about) to|almost|nearly)\b).{0,150}?(?:\b(?:but|however)\b,? ?|$)",
    re.I,
)
"""Concession before a sentence's point, or a first thought that was given up."""
_SUMMED = re.compile(
    r".*(?:\b(?:for|giving|making|gives|makes|so|is) (?:us )?(?:a |the )?(?:grand )?total(?: of|:)? "
    r"|\b(?:making|which makes|giving|so) (?=.*\b(?:altogether|in total|in all|overall)\b)"
    r"|\d\s?\+\s?\d+\s*=\s*(?=\d+(?:\.\d+)?\s*(?:[a-z ]{0,20})[.!]?$))",
    re.I,
)
"""What is summed up in a sentence before its sum."""
_COMPOUND = re.compile(r"-[a-z]{2}")
_COUNTS = re.compile(r"(?:^|\b(?:is|only|exactly|just|are|see|shows|has|contains|with|count|counted))\s*$")
_COUNTED = re.compile(
    r"(?:\b(?:option|choice|answer|number|figure|image|step|question|caption|output|sentence|statement)|#)\s*[(\[]?$"
)
_MARKED = re.compile(
    r"(?<![\w])(?:(?P<noun>option|choice|answer|letter|caption|output|description|sentence|statement)\s+)?"
    r"(?:[(\[{\"](?P<set>[A-Za-z]|\d{1,3})[)\]}\"]"
    r"|(?P<bare>[A-Z]|\d{1,3}))"
    r"(?=$|[\s.,:;!?)/])"
)
_BARE_END = re.compile(r"\s*(?:$|[.,;:!]+(?:\s|$)|(?:and|or|&|/)\s*\(?[A-Z]\b)")
_BARE_START = re.compile(
    r"(?:^|[,:=>-]|\b(?:is|be|'s|as|with|and|or|but|not|both|either|neither|nor|between|leaves|leaving|of|so|thus"
    r"|therefore|option|choice|go|say))\s*$",
    re.I,
)


def asserted(text: str, options: Options, *, marks: bool = True) -> Named:
    """Return all options that a text says hold, by mark or by text; questions, doubts and denials say nothing.

    >>> sorted(asserted("It is not a cat but a dog, unlike a bird.", Options(["cat", "dog", "bird"])))
    [1]
    """
    made = NONE
    for sentence in sentences(text):
        if not sentence.rstrip("\"' )").endswith("?"):
            made |= _in_sentence(sentence, options, marks)
    return made


def denied_marks(text: str, options: Options) -> Named:
    """Return the options whose marks a text names only to deny them."""
    made = NONE
    for sentence in sentences(text):
        named = {i for i, *_ in _marks(sentence, options)}
        left = {i for i, *_ in _marks(_blanked(sentence, sentence), options)}
        made |= named - left
    return made


def _in_sentence(sentence: str, options: Options, marks: bool) -> Named:
    said = list(tokens(sentence))
    spans = options.mentions(said)
    # The words of an option ("not a cat") are no denial themselves.
    masked = _masked(sentence, [(said[a].start, said[b - 1].end) for _, a, b in spans])
    conceded = _CONCEDED.match(masked) or (_SUMMED.match(sentence) if options.all_numbers else None)
    if conceded:
        masked = " " * conceded.end() + masked[conceded.end() :]
    if DOUBT.search(masked):
        return NONE
    left = _blanked(masked if conceded else sentence, masked)
    kept = [(i, a, b) for i, a, b in spans if left[said[a].start : said[b - 1].end].strip()]
    kept = [span for span in kept if _tells(span, said, sentence)]
    if options.all_numbers and _other_numbers(said, kept, left):
        kept = []
    made = frozenset(i for i, *_ in kept)
    if marks:
        made |= {i for i, start, _ in _marks(masked, options) if left[start].strip()}
    return made


def _tells(span: tuple[int, int, int], said: list[Token], sentence: str) -> bool:
    """Return whether a mention can be meant: `the right answer` and `the one on top` do not name `right` and `1`."""
    _, a, b = span
    word = sentence[said[a].start : said[b - 1].end].lower()
    after = said[b].text if b < len(said) else ""
    before = sentence[max(0, said[a].start - 20) : said[a].start].lower()
    if _COMPOUND.match(sentence, said[b - 1].end) and not said[b - 1].is_number:
        return False
    if word == "right":
        return after not in {"answer", "option", "choice"} and not before.endswith(("you are ", "you're ", "that's "))
    if word == "one":
        return after != "of" and _COUNTS.search(before) is not None
    return not (said[a].is_number and _COUNTED.search(before))


def _other_numbers(said: list[Token], kept: list[tuple[int, int, int]], left: str) -> bool:
    """Return whether numbers are asserted that belong to no mention: then a number need not be the answer."""
    within = {k for _, a, b in kept for k in range(a, b)}
    return any(
        t.is_number and k not in within and left[t.start : t.end].strip() and left[t.start : t.end].isdigit()
        for k, t in enumerate(said)
    )


def _marks(sentence: str, options: Options) -> Iterator[tuple[int, int, int]]:
    """Yield (option, start, end) for each mark that is set off, follows `option`, or stands where only a mark can."""
    for found in _MARKED.finditer(sentence):
        name = found.group("set") or found.group("bare")
        place = options.mark(name, set_off=True)
        if place is None or (name.isdigit() and not found.group("noun")):
            continue
        start, end = found.span("set" if found.group("set") else "bare")
        if found.group("set") or found.group("noun") or _stands_alone(sentence, found, options):
            yield place, start, end


def _stands_alone(sentence: str, found: re.Match[str], options: Options) -> bool:
    before = sentence[max(0, found.start() - 12) : found.start()]
    return (
        not options.letter_texts
        and _BARE_END.match(sentence, found.end()) is not None
        and _BARE_START.search(before) is not None
    )


def _masked(sentence: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts += [sentence[at:start], "\0" * (end - start)]
        at = end
    return "".join(parts) + sentence[at:]


def _blanked(sentence: str, masked: str) -> str:
    """Return the sentence with spaces for what it denies, judged on `masked`, which has the same length."""
    parts = list(sentence)
    start = 0
    for end in [*(found.end() for found in _CLAUSE.finditer(masked)), len(masked)]:
        for a, b in _denied(masked, start, end):
            parts[a:b] = " " * (b - a)
        start = end
    return "".join(parts)


def _denied(masked: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    clause = masked[start:end]
    before = _DENIED_BEFORE.search(clause)
    if before:
        yield start, start + before.start()
    for found in _DENIED.finditer(clause):
        if found.group("aside"):
            comma = clause.find(",", found.end())
            yield start + found.start(), end if comma < 0 else start + comma
        else:
            yield start + found.start(), end
            return
    if before and not _DENIED.search(clause):
        yield start, end
