"""Thoughts: what a model writes to itself before it answers is taken off, alike for every reply that is read."""

import html
import re
from collections import deque
from typing import NamedTuple

from mmbench.harness.replies.tags import goes_on, is_mentioned, tags

_SAYS = r"(?:final[_ -]?)?(?:answer|response|output|conclusion|solution|reply)"
_ANSWER = re.compile(
    rf"<{_SAYS}>|<\|(?:begin_of_(?:solution|answer|box)|start_(?:response|answer))\|>|\[begin final response\]", re.I
)
_ANSWER_END = re.compile(
    rf"</{_SAYS}>|<\|(?:end_of_(?:solution|answer|box)|end_(?:response|answer))\|>|\[end final response\]", re.I
)
"""Tags around an answer."""

_ROLE = re.compile(
    r"(?:\s+|<\|(?:im_start|start)\|>\s?assistant\b|<\|start_header_id\|>\s?assistant\s?<\|end_header_id\|>"
    r"|<\|[\w ]{1,30}\|>|<｜[\w▁ ]{1,30}｜>|<s>)*"
)
_STOP = re.compile(r"(?:\s+|<\|[\w ]{1,30}\|>|<｜[\w▁ ]{1,30}｜>|</s>|<eos>|<end_of_turn>)$")
_LONGEST_STOP = 40

_FINAL = (
    r"(?-i:(?:[.!?:;)\"'][ \t]{0,8}|\n[ \t]{0,8})final(?:(?=[A-Z0-9(\"'])|[ \t]{0,8}[:\n]|[ \t]|(?=[a-z])(?!ly|e|s|i))"
    r"|assistantfinal)"
)
_WORDED = re.compile(
    r"\s*(?:"
    r"here(?:'s| is| are) my (?:thought|thinking|reasoning) (?:process|steps):"
    r"(?:.*?(?:here(?:'s| is) my (?:final )?(?:response|answer):|\[begin final response\])|.*)"
    r"|#{1,4}[ \t]?(?:thinking|thoughts?|reasoning)(?: process)?:?[ \t]?\n"
    r".*?\n#{1,4}[ \t]?(?:final )?(?:response|answer):?[ \t]?\n"
    r"|thinking\.\.\.[ \t]?(?=\n)(?:.*?\n\.\.\.done thinking\.|.*)"
    r"|```[ \t]?(?:think|thinking|thoughts?|reasoning)[ \t]?(?=\n)(?:.*?\n```|.*)"
    # Channels whose tokens were dropped: `analysisWe see whiskers.assistantfinalcat`.
    rf"|(?-i:(?:assistant)?analysis)(?:(?-i:(?=[A-Z][a-z' ]))(?:.*{_FINAL}|.*)|(?-i:[ \t]*\n|:?\s+(?=[A-Z])).*{_FINAL})"
    r")",
    re.I | re.S,
)
"""Thoughts that begin in words, up to their end in words; where words alone say too little, only with that end."""
_SPACE, _EMPTY = re.compile(r"\s*"), re.compile(r"[ .…\n]*")

ONLY_THOUGHTS = "the reply is nothing but thoughts"
"""Why such a reply has no answer."""


class Spoken(NamedTuple):
    """What a reply says."""

    text: str
    """The reply without its thoughts and tokens of control."""
    only_thoughts: bool
    """Whether it is nothing but thoughts, so that nothing is said."""


def spoken(reply: str) -> Spoken:
    """Return what a reply says once its thoughts are taken off. Takes time linear in the reply's length.

    Thoughts stand between tags, whose opening one may be missing (chat templates write it) or whose closing one (the
    reply was cut off), or after an opening in words; channels other than the final one are tags too. Of several things
    said outside of thoughts the last one counts. A tag that a sentence only mentions opens and closes nothing.

    >>> spoken("<think>Four legs, so a dog?</think>\\n\\ncat"), spoken("I think it is a cat.")
    (Spoken(text='cat', only_thoughts=False), Spoken(text='I think it is a cat.', only_thoughts=False))
    >>> spoken("Whiskers.</think>cat").text, spoken("analysisWe see whiskers.assistantfinalcat").text
    ('cat', 'cat')
    >>> spoken("<think>It has whiskers, so").only_thoughts
    True
    """
    worded = _WORDED.match(reply)
    text = reply[worded.end() :] if worded else reply
    parts, escaped = _outside(text)
    if not parts:
        said = _bare(text)
        return Spoken(said if worded or len(said) < len(reply.strip()) else reply, bool(worded) and not said)
    said = next(filter(None, (_bare(text[start:end]) for start, end in reversed(parts))), "")
    # What was escaped with its tags is no longer.
    return Spoken(re.sub(r"^(?:\\[nr]|\s)+", "", html.unescape(said)) if escaped else said, not said)


def _outside(text: str) -> tuple[list[tuple[int, int]], bool]:
    """Return start and end of each part of a text outside of tags, if it has tags, and whether these are escaped."""
    parts: list[tuple[int, int]] = []
    names: list[str] = []
    at = begun = inner = 0
    escaped = False
    for tag, name, closes in tags(text):
        # `<think>...</think>` within a thought repeats how it was told to answer.
        if closes and ((inner and _EMPTY.fullmatch(text, inner, tag.start())) or (name == "details" and not names)):
            inner = 0
            continue
        escaped = escaped or tag.group()[0] in "&\\"
        # Before a closing tag that is the first of all everything is thought: the template wrote the opening one.
        if not names and (parts or at or not closes):
            parts.append((at, tag.start()))
        if closes:
            names = names[: names.index(name) if name in names else 0]
            at, inner = tag.end(), 0
        elif names:
            names += [name] if name not in names else []
            inner = tag.end() if tag.start() > begun else inner
        else:
            names, begun = [name], (_SPACE.match(text, tag.end()) or tag).end()
    return (_with_last(text, parts, at, begun if names else 0) if parts or at else []), escaped


def _with_last(text: str, parts: list[tuple[int, int]], at: int, begun: int) -> list[tuple[int, int]]:
    """Return the parts with what stands last, be it in a thought that began and never ended."""
    answer = _last_answer(text, begun) if begun else None
    if not begun or answer:
        return [*parts, (answer.start() if answer else at, len(text))]
    # In the midst of a sentence and never closed: a mention.
    return [*parts[:-1], (parts[-1][0], len(text))] if goes_on(text, parts[-1][1]) else parts


def _last_answer(text: str, start: int) -> re.Match[str] | None:
    """Return the answer that a thought without its closing tag ends with; tags that it only mentions are none."""
    last = next(iter(deque(_ANSWER.finditer(text, start), maxlen=1)), None)
    if last is None or is_mentioned(text, last, inside=False):
        return None
    end = _ANSWER_END.search(text, last.end())
    ends = end is not None or not goes_on(text, last.start())
    return last if ends and not _bare(text[end.end() if end else len(text) :]) else None


def _bare(text: str) -> str:
    """Return the text without tokens of control at its ends, and without tags around the whole."""
    role = _ROLE.match(text)
    start, end = (role.end() if role else 0), len(text)
    while stop := _STOP.search(text, max(start, end - _LONGEST_STOP), end):
        end = stop.start()
    opening = _ANSWER.match(text, start, end)
    closing = _ANSWER_END.search(text, start, end)
    inside = (opening.end() if opening else start), (closing.start() if closing else end)
    if (closing and closing.end() < end) or _ANSWER.search(text, *inside):
        return text[start:end]  # tags within a longer text
    return text[slice(*inside)].strip()
