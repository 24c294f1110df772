"""Reply matching: a free reply is matched to an option or to none, and an unclear reply never becomes a guess.

`spoken` takes thoughts off, `clean` markup; `clauses` splits what is left, and finds in each what it names (`items`:
texts of `options`, `letters`, `yes_no`) and its role words (`lexicon`); `read` gives each mention one stance;
`statements` are what the reply commits itself to, and `match_option` folds them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from textwrap import shorten
from typing import Literal

from mmbench.harness.replies.clauses import Clause, clauses
from mmbench.harness.replies.clean import clean, first_turn
from mmbench.harness.replies.declines import refuses, undetermined
from mmbench.harness.replies.items import roles_in
from mmbench.harness.replies.marks import Marks, names
from mmbench.harness.replies.options import NONE, Named, Options
from mmbench.harness.replies.polar import absence
from mmbench.harness.replies.stance import Said, read
from mmbench.harness.replies.statements import Statement, only_opens, statements, whole
from mmbench.harness.replies.thoughts import ONLY_THOUGHTS, spoken

_LONG = 25
"""Words from which on a reply without a full stop at its end counts as cut off."""
_QUOTED = 80
"""Characters of a sentence that a reason quotes."""
_TURNS, _BACK = frozenset({"turn", "wait", "so", "but"}), frozenset({"taken back", "no option"})
"""Roles of words by which a reply turns, and by which it takes something back or finds no option right."""
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
       options. What is taken back counts no more, nor does it where the reply finds that no option is right.
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
    text = clean(said.text)
    if choices.marks:  # an echo of the list of options, such as models copy from the prompt, is no answer
        text = choices.listed.sub("\n", text).strip()
    head = first_turn(text)
    match = _match(head, choices)
    return match if head == text or match.status == "ok" else _match(text, choices)


def _match(text: str, options: Options) -> Match:
    if not re.search(r"\w", text):
        return Match("unparsed", None, "the reply is empty")
    parts = clauses(text, options)
    first, rest = parts[0], text
    if len(parts) > 1 and only_opens(first):
        first, rest = parts[1], text[parts[1].start :]
    found = NONE if first.asks else whole(rest, options, first, part=True)
    return _one(found, options, "the whole reply names it") if found else _folded(text, parts, options)


def _folded(text: str, parts: Sequence[Clause], options: Options) -> Match:
    """Return what the clauses of a reply come to."""
    said = read(parts, options)
    made = statements(parts, said, options)
    refused, own = refuses(text), undetermined(text, options)
    opening = next((each.roles for each in parts[0].items if each.by != "sign"), frozenset())
    cut = text[-1].isalnum()
    argues = "argues" in opening and (cut or parts[-1].sentence > 0)
    # Beside a refusal explicit statements count; what an argument opens with is no answer yet.
    if refused:
        no = frozenset((options.polar or ())[1:])
        sure = (each for each in made if each.kind in _EXPLICIT and len(each.named) == 1)
        made = [each for each in sure if not (each.named == no and refuses(each.words))]
    elif argues and cut:
        made = [each for each in made if each.kind != "edge" or text[each.start - 1] == "\n"]
    if made:
        return _settle(text, made, said, options)
    if refused and not own:
        return Match("refused", None, "the model declined to answer")
    word = absence(parts) if options.yes_no else None
    own = own or (frozenset({options.words.index((word,))}) if word else NONE)
    if argues or (cut and len(text.split()) > _LONG):
        return Match("unparsed", None, "the reply names no option")
    told = [each for each in said if each.by != "word" and each.stance == "asserted"]
    if told and roles_in(text[told[-1].end :]) & _BACK:
        return Match("unparsed", None, "the reply takes its answer back")
    at_edge = any(each.sentence in {0, parts[-1].sentence} for each in told)
    rivals = [each for each in said if told and each.by == "text" and each.stance == "doubted"]
    named = frozenset(each.option for each in [*told, *rivals])
    if own:
        return _one(own, options, "it says what is or is not there")
    return _one(named if at_edge or len(named) > 1 else NONE, options, "the one option asserted")


def _settle(text: str, made: Sequence[Statement], said: Sequence[Said], options: Options) -> Match:
    """Return what the statements come to."""
    for k in range(len(made) - 1, 0, -1):
        if roles_in(text[made[k - 1].end : made[k].end]) & _BACK:
            made = made[k:]  # what stood before is taken back
            break
    last = max(made, key=lambda each: (each.kind == "answered", each.kind == "concluded", each.start))
    # An aside after an explicit answer is none: `Answer: B. … A is the best known`.
    others = [e for e in made if e.named != last.named and (e.start < last.start or e.kind == "edge")]
    since = text[min(others[-1].end, last.start) : last.end] if others else ""
    if others and (last.kind not in _EXPLICIT or roles_in(since).isdisjoint(_TURNS)):
        return _one(frozenset().union(*(each.named for each in made)), options, "")
    held = any(each.start >= last.end and each.option in last.named and each.stance in _HELD for each in said)
    if not held and roles_in(text[last.end :]) & _BACK:
        return Match("unparsed", None, "the reply takes its answer back")
    return _one(last.named, options, f"{_WHY[last.kind]}: '{shorten(last.words, _QUOTED, placeholder='…')}'")


def _one(named: Named, options: Options, why: str) -> Match:
    if len(named) == 1:
        return Match("ok", next(iter(named)), why)
    if not named:
        return Match("unparsed", None, "the reply names no option")
    marks = list(options.marks) or [f'"{text}"' for text in options.texts]
    return Match("unparsed", None, f"the reply names several options: {' and '.join(marks[i] for i in sorted(named))}")


@lru_cache(maxsize=64)
def _options(texts: tuple[str, ...], marks: Marks) -> Options:
    return Options(texts, names(len(texts), marks))
