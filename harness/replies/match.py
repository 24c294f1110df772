"""Reply matching: a free reply is matched to an option or to none, and an unclear reply never becomes a guess."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from mmbench.harness.replies.clauses import asserted, denied_marks
from mmbench.harness.replies.clean import clean, first_turn, sentences
from mmbench.harness.replies.conclusions import Statement, statements
from mmbench.harness.replies.cues import RETRACTED, TURN
from mmbench.harness.replies.marks import Marks, names
from mmbench.harness.replies.options import NONE, Named, Options
from mmbench.harness.replies.refusals import refuses, undetermined
from mmbench.harness.replies.thoughts import ONLY_THOUGHTS, spoken
from mmbench.harness.replies.yes_no import yes_or_no

VERSION = 3
"""Part of the protocol id of every task that is asked in writing."""

_REASONING = re.compile(
    r"to (?:determine|answer|solve|find|identify|figure|decide)|let(?:'s| us| me)|first(?:ly)?,|step 1"
    r"|we (?:need|have|must)|i need|in order to|okay, |looking at the options|analy[sz]",
    re.I,
)

_NUMBERED = re.compile(r"^(?:1\s*[.)]|q(?:uestion)?\s*\d{1,3}\s*[.:)])\s*(?=[(\[\"]?[A-Z][)\]\"]?\.?$)", re.I)
"""The number of the question before a mark: `1. B`."""

_LONG = 25
"""Words from which on a reply without a full stop at its end counts as cut off."""


@dataclass(frozen=True, slots=True)
class Match:
    """Match of a reply: an option, or the reason for none."""

    status: Literal["ok", "unparsed", "refused"]
    index: int | None
    """The option that the reply names, where the status is ok."""
    reason: str | None
    """Why there is no option, in a sentence."""


def match_option(reply: str, options: Sequence[str], *, lettered: bool = True, marks: Marks = "A.") -> Match:
    """Return the option that a reply names, or why it names none.

    `options` are the options' own texts in the order shown; `lettered` says whether the prompt listed them, and
    `marks` with which marks. The first rule that applies decides:

    1. Thoughts (see `spoken`), markup and an echo of the listed options are taken off; a made-up further turn is
       ignored. Of a very long reply only the beginning and the end are read.
    2. The whole reply is a text, a mark, both, or an option's place (`(2)`, `Caption 2`, `the second option`), unless
       the number can mean the text of another option (`two bicycles`). A mark and a text that disagree are two options;
       a bare number that is an option's text is that text.
    3. Conclusions: `the answer is …`, `I would choose …`, `C is correct`, `\\boxed{…}`, an opening `B.` or `Yes,`, a
       last line `B`. Where they disagree, the last one wins if it is explicit and the reply turns before it
       (`therefore`, `wait`); otherwise the reply names several options. What is taken back counts no more.
    4. A refusal, unless an option says that the question cannot be answered.
    5. Of yes and no, a denial (`There is no dog.`) is no; see `yes_or_no`.
    6. The one option whose mark or text a short or single statement asserts: in the first or last sentence, not
       denied (`not`, `rather than`), not doubted (`might`), not asked, not in a reply that was cut off or that argues.

    >>> [match_option(r, ["cat", "dog"]).index for r in ("(a).", "Dog.", "It isn't a cat but a dog.", "Dog or cat")]
    [0, 1, 1, None]
    >>> match_option("I'm sorry, but I can't see the image.", ["cat", "dog"]).status
    'refused'
    """
    choices = _options(tuple(options), marks if lettered else "none")
    said = spoken(reply)
    if said.only_thoughts:
        return Match("unparsed", None, ONLY_THOUGHTS)
    text = _without_echo(clean(said.text), choices)
    head = first_turn(text)
    if head != text:
        match = _match(head, choices)
        if match.status == "ok":
            return match
    return _match(text, choices)


def _match(text: str, options: Options) -> Match:
    if not re.search(r"\w", text):
        return Match("unparsed", None, "the reply is empty")
    whole = _whole(text, options)
    if whole:
        return _one(whole, options)
    made = statements(text, options)
    refused = refuses(text)
    if refused:
        made = [s for s in made if s.kind == "explicit" and len(s.named) == 1]
    elif _argues(text):
        # What an argument opens with is no answer yet, nor is the sentence in which it was cut off.
        made = [
            s for s in made if s.kind != "edge" or (s.start and (text[s.start - 1] == "\n" or not text[-1].isalnum()))
        ]
    settled = _settle(text, made, options)
    if settled is not None:
        return settled
    said = undetermined(text, options) or _absence(text, options)
    if refused and not said:
        return Match("refused", None, "the model declined to answer")
    if _argues(text) or _is_cut_off(text):
        return Match("unparsed", None, "the reply names no option")
    return _one(said or _mentioned(text, options), options)


def _whole(text: str, options: Options) -> Named:
    if text.endswith("?") and not options.asks:
        return NONE
    if options.marks:
        text = _NUMBERED.sub("", text, count=1)
    repeated = {options.named(word) for word in text[:200].split()}
    if len(repeated) == 1 and len(text) <= 200 and NONE not in repeated:
        return repeated.pop()
    return options.named(text) or options.part_named(text.rstrip(" .!"))


def _settle(text: str, made: list[Statement], options: Options) -> Match | None:
    """Return what the conclusions come to, or None where there are none."""
    if not made:
        return None
    # An aside after an explicit answer is none: `Answer: B. … A is the best known`.
    last = next((s for s in reversed(made) if s.kind == "explicit"), made[-1])
    asides = [s for s in made if last.kind == "explicit" and s.start >= last.start and s.kind != "edge"]
    others = [s for s in made if s.named != last.named and s not in asides]
    if others and not _replaces(last, others[-1], text):
        return _one(frozenset().union(*(s.named for s in made)), options)
    rest = text[max(s.end for s in made if s.named == last.named) :]
    if last.named & denied_marks(rest, options) or (
        RETRACTED.search(rest) and not asserted(rest, options) & last.named
    ):
        return Match("unparsed", None, "the reply takes its answer back")
    return _one(last.named, options)


def _replaces(last: Statement, other: Statement, text: str) -> bool:
    """Return whether the last statement is meant to stand in another one's place."""
    start = min(other.end, last.start)
    if last.kind == "explicit":
        return TURN.search(text, start, last.end) is not None
    return last.end == len(text) and RETRACTED.search(text, start, last.start) is not None


def _absence(text: str, options: Options) -> Named:
    word = yes_or_no(text) if options.yes_no else None
    if word is None or options.polar is None:
        return NONE
    return frozenset({options.polar[0 if word == "yes" else 1]})


def _mentioned(text: str, options: Options) -> Named:
    """Return all options that the reply asserts, if the one it comes to stands where an answer stands."""
    named = asserted(text, options)
    parts = sentences(text)
    if len(named) != 1 or named <= asserted(parts[0], options) | asserted(parts[-1], options):
        return named
    return NONE


def _argues(text: str) -> bool:
    return _REASONING.match(text) is not None and (len(sentences(text)) > 1 or text[-1].isalnum())


def _is_cut_off(text: str) -> bool:
    return text[-1].isalnum() and len(text.split()) > _LONG


def _one(named: Named, options: Options) -> Match:
    if len(named) == 1:
        return Match("ok", next(iter(named)), None)
    if not named:
        return Match("unparsed", None, "the reply names no option")
    marks = list(options.marks) or [f'"{text}"' for text in options.texts]
    return Match("unparsed", None, f"the reply names several options: {' and '.join(marks[i] for i in sorted(named))}")


def _without_echo(text: str, options: Options) -> str:
    """Return the text without a repetition of the list of options, such as models copy from the prompt."""
    if not options.marks or len(text) <= sum(map(len, options.texts)):
        return text
    return options.listed.sub("\n", text).strip()


@lru_cache(maxsize=64)
def _options(texts: tuple[str, ...], marks: Marks) -> Options:
    return Options(texts, names(len(texts), marks))
