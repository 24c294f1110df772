"""Thoughts: what a model writes to itself before it answers is taken off, alike for every reply that is read."""

import re
from typing import NamedTuple

from mmbench.harness.replies.around import bare
from mmbench.harness.replies.tags import outside_tags

_CHANNEL = re.compile(
    r"<\|channel\|>\s?(?P<name>analysis|commentary|final)"
    r"(?P<message>[^<]{0,200}(?:<\|constrain\|>[^<]{0,100})?<\|message\|>)?"
)
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
"""Channels of the Harmony format (gpt-oss): only the final one is meant for the reader."""
_ANALYSIS = re.compile(r"\s*(?:assistant)?analysis(?:(?P<glued>(?=[A-Z][a-z' ]))|[ \t]*\n|:?\s+(?=[A-Z]))")
_FINAL = re.compile(
    r"(?:(?<=[.!?:;)\"'])[ \t]{0,8}|\n[ \t]{0,8})final(?:(?=[A-Z0-9(\"'])|[ \t]{0,8}[:\n]|[ \t]|(?=[a-z])(?!ly|e|s|i))"
)
_GLUED_FINAL = re.compile(r"assistantfinal")
_ENDED = re.compile(r"[\s.!?:;)\"']")
"""The same where special tokens were dropped: `analysisWe see whiskers.assistantfinalcat`."""

_PREFACES: tuple[tuple[re.Pattern[str], re.Pattern[str], bool], ...] = tuple(
    (re.compile(rf"\s*{opens}", re.I), re.compile(closes, re.I), cut_off)
    for opens, closes, cut_off in (
        (
            r"here(?:'s| is| are) my (?:thought|thinking|reasoning) (?:process|steps):",
            r"here(?:'s| is) my (?:final )?(?:response|answer):|\[begin final response\]",
            True,
        ),
        (
            r"#{1,4}[ \t]?(?:thinking|thoughts?|reasoning)(?: process)?:?[ \t]?\n",
            r"\n#{1,4}[ \t]?(?:final )?(?:response|answer):?[ \t]?\n",
            False,
        ),
        (r"thinking\.\.\.[ \t]?\n", r"\n\.\.\.done thinking\.", True),
        (r"```[ \t]?(?:think|thinking|thoughts?|reasoning)[ \t]?\n", r"\n```", True),
    )
)
"""Openings in words, what ends them, and whether an opening without its end is a thought that was cut off."""

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
    reply was cut off); in channels other than the final one; or after an opening in words. Of several things said
    outside of thoughts the last one counts. A tag that a sentence only mentions opens and closes nothing.

    >>> spoken("<think>Four legs, so a dog?</think>\\n\\ncat"), spoken("I think it is a cat.")
    (Spoken(text='cat', only_thoughts=False), Spoken(text='I think it is a cat.', only_thoughts=False))
    >>> spoken("Whiskers.</think>cat").text, spoken("analysisWe see whiskers.assistantfinalcat").text
    ('cat', 'cat')
    >>> spoken("<think>It has whiskers, so").only_thoughts
    True
    """
    text, thought = reply, False
    for read in (_of_channels, _of_words, outside_tags):
        told = read(text)
        if told is not None:
            text, thought = told, True
    said = bare(text)
    return Spoken(said if thought or len(said) < len(text.strip()) else reply, thought and not said)


def _of_channels(text: str) -> str | None:
    """Return the last thing said in a final channel, or None where there are no channels."""
    found = list(_CHANNEL.finditer(text))
    if any(each.group("message") or not text[: each.start()].strip() for each in found):
        finals = [each.end() for each in found if each.group("name") == "final"]
        said = (text[start : _end_of_channel(text, start)] for start in reversed(finals))
        return next((each for each in said if each.strip()), "")
    begins = _ANALYSIS.match(text)
    glued = [
        each.end()
        for each in _GLUED_FINAL.finditer(text)
        if begins or (each.start() and _ENDED.match(text, each.start() - 1))
    ]
    if glued:
        return text[glued[-1] :]
    if begins is None:
        return None
    ends = [each.end() for each in _FINAL.finditer(text, begins.end())]
    if ends:
        return text[ends[-1] :]
    return None if begins.group("glued") is None else ""


def _end_of_channel(text: str, start: int) -> int:
    end = _CHANNEL_END.search(text, start)
    return end.start() if end else len(text)


def _of_words(text: str) -> str | None:
    """Return what follows an opening such as `Here is my thought process:` and its end, or None where there is none."""
    for opens, closes, cut_off in _PREFACES:
        opening = opens.match(text)
        if opening:
            end = closes.search(text, opening.end() - 1)
            return text[end.end() :] if end else "" if cut_off else None
    return None
