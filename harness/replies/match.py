"""Reply matching: a free reply is matched to an option or to none, and an unclear reply never becomes a guess."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from mmbench.harness.replies.clauses import Clause, clauses, lead
from mmbench.harness.replies.clean import clean, first_turn, tokens
from mmbench.harness.replies.declines import refuses, undetermined
from mmbench.harness.replies.items import roles_in
from mmbench.harness.replies.lexicon import all_words
from mmbench.harness.replies.marks import Marks, names
from mmbench.harness.replies.options import NONE, Named, Options
from mmbench.harness.replies.polar import absence
from mmbench.harness.replies.stance import Said, read
from mmbench.harness.replies.statements import Statement, statements, whole
from mmbench.harness.replies.thoughts import ONLY_THOUGHTS, spoken

_LONG = 25
"""Words from which on a reply without a full stop at its end counts as cut off."""
_POLAR = 2
"""Options of a question that yes and no answer."""
_QUOTED = 80
"""Characters of a sentence that a reason quotes."""
_TURNS = frozenset({"turn", "wait", "so", "but"})
_HELD = {"asserted", "answered", "concluded", "verdict"}
_EXPLICIT = {"answered", "concluded"}
_WHY = {
    "answered": "the answer is given",
    "concluded": "concluded",
    "verdict": "said to be right",
    "edge": "the reply opens or ends with it",
}


@dataclass(frozen=True, slots=True)
class Match:
    """Match of a reply: an option or none, and why."""

    status: Literal["ok", "unparsed", "refused"]
    index: int | None
    """The option that the reply names, where the status is ok."""
    reason: str
    """Why the reply was read so, in a short sentence."""


def match_option(reply: str, options: Sequence[str], *, lettered: bool = True, marks: Marks = "A.") -> Match:
    """Return the option that a reply names, or why it names none.

    `options` are the options' own texts in the order shown; `lettered` says whether the prompt listed them, and
    `marks` with which marks. Thoughts (see `spoken`), markup and an echo of the listed options are taken off, a made-up
    further turn is ignored, and of a very long reply only the beginning and the end are read. What is left is split
    into clauses, and each option that a clause names has one stance in it (see `stance`). The first rule that applies
    decides:

    1. The whole reply is a text, a mark, both, or an option's place (`(2)`, `Caption 2`, `the second option`), unless
       the number can mean the text of another option (`two bicycles`). A mark and a text that disagree are two options;
       a bare number that is an option's text is that text.
    2. Statements: `the answer is …`, `I would choose …`, `C is correct`, `\\boxed{…}`, an opening `B.` or `Yes,`, a
       last line `B`. Where they disagree, the last one wins if it is explicit and the reply turns before it
       (`therefore`, `wait`), and one that names the answer outweighs a consequence; otherwise the reply names several
       options. What is taken back counts no more.
    3. A refusal, unless an option says that the question cannot be answered.
    4. Of yes and no, a denial (`There is no dog.`) is no; see `absence`.
    5. A reply that argues or was cut off names nothing else.
    6. The one option that the reply asserts, in its first or last sentence.

    >>> [match_option(r, ["cat", "dog"]).index for r in ("(a).", "Dog.", "It isn't a cat but a dog.", "Dog or cat")]
    [0, 1, 1, None]
    >>> match_option("I'm sorry, but I can't see the image.", ["cat", "dog"]).status
    'refused'
    >>> match_option("It barks. So the answer is B.", ["cat", "dog"]).reason
    "the answer is given: 'So the answer is B.'"
    """
    choices = _options(tuple(options), marks if lettered else "none")
    said = spoken(reply)
    if said.only_thoughts:
        return Match("unparsed", None, ONLY_THOUGHTS)
    text = _without_echo(clean(said.text), choices)
    english = _yes_and_no(tuple(options))
    if english and not whole(text, choices):
        choices = _options(english, marks if lettered else "none")
    head = first_turn(text)
    match = _match(head, choices)
    return match if head == text or match.status == "ok" else _match(text, choices)


def _match(text: str, options: Options) -> Match:
    if not re.search(r"\w", text):
        return Match("unparsed", None, "the reply is empty")
    parts = clauses(text, options)
    found = _whole(text, parts, options)
    return _one(found, options, "the whole reply names it") if found else _folded(text, parts, options)


def _folded(text: str, parts: Sequence[Clause], options: Options) -> Match:
    """Return what the clauses of a reply come to."""
    said = read(parts, options.polar, yes_no=options.yes_no)
    made = statements(text, parts, said, options)
    refused, argues = refuses(text), _argues(parts, text)
    # Beside a refusal explicit statements count; what an argument opens with is no answer yet.
    if refused:
        no = options.polar and frozenset(options.polar[1:])
        made = [
            e for e in made if e.kind in _EXPLICIT and len(e.named) == 1 and not (e.named == no and refuses(e.words))
        ]
    elif argues:
        ended = not text[-1].isalnum()
        made = [e for e in made if e.kind != "edge" or (e.start and (ended or text[e.start - 1] == "\n"))]
    if made:
        return _settle(text, made, said, options)
    own = undetermined(text, options)
    if refused and not own:
        return Match("refused", None, "the model declined to answer")
    own = own or _absence(parts, options)
    if argues or (text[-1].isalnum() and len(text.split()) > _LONG):
        return Match("unparsed", None, "the reply names no option")
    return _one(own, options, "it says what is or is not there") if own else _asserted(parts, said, options)


def _settle(text: str, made: Sequence[Statement], said: Sequence[Said], options: Options) -> Match:
    """Return what the statements come to."""
    answers = [each for each in made if each.kind == "answered"] or [each for each in made if each.kind == "concluded"]
    last = (answers or made)[-1]
    # An aside after an explicit answer is none: `Answer: B. … A is the best known`.
    asides = [e for e in made if last.kind in _EXPLICIT and e.start >= last.start and e.kind != "edge"]
    others = [each for each in made if each.named != last.named and each not in asides]
    if others and not _replaces(last, others[-1], text):
        return _one(frozenset().union(*(each.named for each in made)), options, "")
    end = max(each.end for each in made if each.named == last.named)
    later = [each for each in said if each.start >= end and each.option in last.named]
    denied = any(each.stance == "denied" and each.by in {"mark", "letter"} for each in later)
    if not any(each.stance in _HELD for each in later) and (denied or "taken back" in roles_in(text[end:])):
        return Match("unparsed", None, "the reply takes its answer back")
    words = " ".join(last.words.split())
    quoted = words if len(words) <= _QUOTED else words[: _QUOTED - 1] + "…"
    return _one(last.named, options, f"{_WHY[last.kind]}: '{quoted}'")


def _replaces(last: Statement, other: Statement, text: str) -> bool:
    """Return whether the last statement is meant to stand in another one's place."""
    start = min(other.end, last.start)
    if last.kind in _EXPLICIT:
        return bool(_TURNS & roles_in(text[start : last.end]))
    return last.end == len(text) and "taken back" in roles_in(text[start : last.start])


def _asserted(parts: Sequence[Clause], said: Sequence[Said], options: Options) -> Match:
    """Return the one option that is asserted, if an answer stands where it does."""
    told = [each for each in said if each.by != "word" and each.stance in {"asserted", "explained"}]
    named = frozenset(each.option for each in told)
    at_edge = any(each.sentence in {0, parts[-1].sentence} for each in told)
    return _one(named if at_edge or len(named) > 1 else NONE, options, "the one option asserted")


def _whole(text: str, parts: Sequence[Clause], options: Options) -> Named:
    if parts[0].asks and text.endswith("?"):
        return NONE
    if len(parts) > 1 and parts[1].opens and _only_opens(parts[0]):
        text, parts = text[parts[1].start :], parts[1:]
    end, roles = lead(parts[0])
    rest = options.part_named(text[end:]) if end and "option" not in roles else NONE
    return whole(text, options, parts[0]) or options.part_named(text) or rest


def _only_opens(clause: Clause) -> bool:
    """Return whether a clause says nothing itself: `Okay.`"""
    return all(e.by == "sign" or ("opener" in e.roles and "yes" not in e.roles) for e in clause.items)


def _absence(parts: Sequence[Clause], options: Options) -> Named:
    undone = any(each.by == "word" and each.option is None for part in parts for each in part.items)
    word = absence(parts) if options.yes_no and not undone else None
    return NONE if word is None or options.polar is None else frozenset({options.polar[word == "no"]})


def _argues(parts: Sequence[Clause], text: str) -> bool:
    """Return whether a reply begins to reason, so that what it opens with is no answer yet."""
    first = next((each for each in parts[0].items if each.by != "sign"), None)
    return first is not None and "argues" in first.roles and (parts[-1].sentence > 0 or text[-1].isalnum())


def _one(named: Named, options: Options, why: str) -> Match:
    if len(named) == 1:
        return Match("ok", next(iter(named)), why)
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
def _yes_and_no(texts: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return two options in English where they are the yes and the no of another language, so that denials count."""
    if len(texts) != _POLAR:
        return None
    words = [tuple(token.text for token in tokens(clean(text))) for text in texts]
    yes, no = ([each in all_words(role) for each in words] for role in ("yes", "no"))
    if yes == [not each for each in no]:
        return tuple("Yes" if each else "No" for each in yes)
    return None


@lru_cache(maxsize=64)
def _options(texts: tuple[str, ...], marks: Marks) -> Options:
    return Options(texts, names(len(texts), marks))
