"""Tags around thoughts: which of them open and close, and which a sentence only mentions."""

import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache

_OPEN = r"(?:<\\?|＜|&(?:amp;)?lt;|&\#0{0,4}60;|&\#x0{0,4}3c;|\\{1,4}u003c|\\{1,4}x3c|%3c)"
_CLOSE = r"(?:\\?>|＞|&(?:amp;)?gt;|&\#0{0,4}62;|&\#x0{0,4}3e;|\\{1,4}u003e|\\{1,4}x3e|%3e)"
_SLASH = r"(?:\\{0,4}/|&\#47;|&\#x2f;|%2f)"
"""Angle brackets and slash as models write them, and as JSON, HTML and URLs escape them."""
_THINK = (
    r"(?:(?:inner|internal|hidden)[ _-]?)?(?:think|thinking|thoughts?|reasoning|reflection|scratch_?pad|monologue"
    r"|deliberation|cot|chain[ _-]of[ _-]thoughts?)(?:[ _-]?(?:process|steps?|block|trace))?"
)
_MESSAGE = r"(?:[^<]{0,200}(?:<\|constrain\|>[^<]{0,100})?<\|message\|>)?"
_TAG = re.compile(
    r"(?=[<＜&\\%\[◁])(?:"
    # The name may have a prefix (`seed:`, `longcat_`) and attributes.
    rf"{_OPEN}\s?{_SLASH}?\s?(?:[a-z]{{1,16}}[:_-]){{0,2}}{_THINK}(?:\s[^<>\n]{{0,200}})?\s?{_CLOSE}"
    rf"|<\|(?:/|end_(?:of_)?)?(?:(?:begin|start)_(?:of_)?)?{_THINK}(?:_end|_start)?\|>"
    r"|\[/?think\]|◁/?think▷|(?:<\|channel>|<unused94>)\s?thought|<channel\|>|<unused95>"
    r"|<details\s[^<>\n]{0,100}type=.{0,2}reasoning[^<>\n]{0,200}>|</details>"
    # Channels of the Harmony format: only the final one is meant for the reader.
    rf"|<\|channel\|>\s?(?:analysis|commentary|final){_MESSAGE}|<\|(?:end|call)\|>(?=<\|start\|>)"
    r")|(?<=[\s.!?:;)\"'])assistantfinal",
    re.I,
)
"""A tag around thoughts: `<think>`, `[THINK]`, `◁think▷`, `<|begin_of_thought|>`, `<|channel|>analysis<|message|>`."""
_ENDS = re.compile(r"/|47;|2f|end_|_end|<channel|95>|final", re.I)
"""What only closing tags hold."""
_HINT = re.compile(
    r"think|thought|reason|reflect|scratch|monolog|deliberat|cot|chain|unused9|channel|final|<\|(?:end|call)", re.I
)
"""One of these stands in every tag."""
_BEFORE_MENTION = "`\"'“‘« \t"
_OTHER = re.compile("details|reason|reflect|cot|scratch|monolog|deliberat", re.I)

_MENTIONED = re.compile(
    r"\b(?:an?|the|this|that|tags?|tokens?|word|text|with|called|named|says|reads|spells|closing|opening|of|or|and|like)"
    r"[ \t]$",
    re.I,
)
_NAMED_SO = re.compile(r"[ \t](?:tags?|tokens?|markers?|elements?)\b", re.I)
_QUOTED = re.compile(r"(?:^|[\s(\[])[`\"'“‘«]$")
_QUOTE = re.compile(r"[`\"'”’»]")
_UNENDED = re.compile(r"[^\s.!?:;>|\]▷][ \t]{1,3}$")


def opening(prompt: str) -> str:
    """Return the tag by which a prompt that ends in it begins the thoughts of the reply; empty where it does not.

    >>> opening("<|im_start|>assistant\\n<think>\\n"), opening("<think>\\n\\n</think>\\n\\n")
    ('<think>\\n', '')
    """
    last = next(iter(deque(_TAG.finditer(prompt), maxlen=1)), None)
    ends = last is None or _ENDS.search(last.group()) or prompt[last.end() :].strip()
    return "" if last is None or ends else prompt[last.start() :]


def is_tag(token: str) -> bool:
    """Return whether a token is a tag around thoughts.

    >>> is_tag("[/THINK]"), is_tag("<|im_end|>")
    (True, False)
    """
    return _TAG.fullmatch(token) is not None


def tags(text: str) -> Iterator[tuple[re.Match[str], str, bool]]:
    """Yield each tag with its name and whether it closes, but none that a sentence only mentions."""
    inside, mentions = False, 0
    for tag in _TAG.finditer(text) if _HINT.search(text) else ():
        name, closes = _kind(tag.group())
        if is_mentioned(text, tag, inside=inside):
            mentions += not closes
        elif closes and mentions and not inside:
            mentions -= 1  # the end of a mention
        else:
            inside = not closes
            yield tag, name, closes


@lru_cache(maxsize=256)
def _kind(tag: str) -> tuple[str, bool]:
    """Return the name of a tag and whether it closes."""
    other = _OTHER.search(tag)
    return other.group().lower() if other else "think", bool(_ENDS.search(tag))


def is_mentioned(text: str, tag: re.Match[str], *, inside: bool) -> bool:
    """Return whether a tag is only spoken of: in quotes or, not `inside` a thought, after `the` or before `tag`."""
    if tag.start() == 0 or text[tag.start() - 1] not in _BEFORE_MENTION:
        return False
    before = text[max(0, tag.start() - 20) : tag.start()]
    if _QUOTED.search(before) and _QUOTE.match(text, tag.end()):
        return True
    named = _MENTIONED.search(before) or (goes_on(text, tag.start()) and _NAMED_SO.match(text, tag.end()))
    return not inside and bool(named)


def goes_on(text: str, at: int) -> bool:
    """Return whether a sentence goes on at a place."""
    return bool(_UNENDED.search(text[max(0, at - 4) : at]))
