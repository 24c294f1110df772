"""Tags around thoughts: which of them open and close, which a sentence only mentions, and what is said outside."""

import html
import re
from collections import deque

from mmbench.harness.replies.around import ANSWER, ANSWER_END, bare

_OPEN = r"(?:<\\?|＜|&(?:amp;)?lt;|&\#0{0,4}60;|&\#x0{0,4}3c;|\\{1,4}u003c|\\{1,4}x3c|%3c)"
_CLOSE = r"(?:\\?>|＞|&(?:amp;)?gt;|&\#0{0,4}62;|&\#x0{0,4}3e;|\\{1,4}u003e|\\{1,4}x3e|%3e)"
_SLASH = r"(?:\\{0,4}/|&\#47;|&\#x2f;|%2f)"
"""Angle brackets and slash as models write them, and as JSON, HTML and URLs escape them."""
_THINK = (
    r"(?:(?:inner|internal|hidden)[ _-]?)?(?:think|thinking|thoughts?|reasoning|reflection|scratch_?pad|monologue"
    r"|deliberation|cot|chain[ _-]of[ _-]thoughts?)(?:[ _-]?(?:process|steps?|block|trace))?"
)
_TAG = re.compile(
    r"(?=[<＜&\\%\[◁])(?:"
    # The name may have a prefix (`seed:`, `longcat_`) and attributes.
    rf"{_OPEN}\s?(?P<end1>{_SLASH})?\s?(?:[a-z]{{1,16}}[:_-]){{0,2}}(?P<name1>{_THINK})(?:\s[^<>\n]{{0,200}})?\s?{_CLOSE}"
    rf"|<\|(?P<end2>/|end_(?:of_)?)?(?:(?:begin|start)_(?:of_)?)?(?P<name2>{_THINK})(?P<end3>_end)?(?:_start)?\|>"
    r"|\[(?P<end4>/)?(?P<name3>think)\]"
    r"|◁(?P<end5>/)?(?P<name4>think)▷"
    r"|(?:<\|channel>|<unused94>)\s?(?P<name5>thought)|(?P<end6><channel\|>|<unused95>)"
    r"|<(?P<name6>details)\s[^<>\n]{0,100}type=.{0,2}reasoning[^<>\n]{0,200}>|<(?P<end7>/)(?P<name7>details)>"
    r")",
    re.I,
)
"""A tag around thoughts: `<think>`, `[THINK]`, `◁think▷`, `<|begin_of_thought|>`, `<|START_THINKING|>`."""
_WORD = re.compile(r"think|thought|reason|reflect|scratch|monolog|deliberat|cot|chain|unused9", re.I)
"""One of these stands in every tag."""
_ENDS = tuple(f"end{n}" for n in range(1, 8))
_NAMES = tuple(f"name{n}" for n in range(1, 8))

_MENTIONED = re.compile(
    r"\b(?:an?|the|this|that|tags?|tokens?|word|text|with|called|named|says|reads|spells|closing|opening|of|or|and|like)"
    r"[ \t]$",
    re.I,
)
_NAMED_SO = re.compile(r"[ \t](?:tags?|tokens?|markers?|elements?)\b", re.I)
_QUOTED = re.compile(r"(?:^|[\s(\[])[`\"'“‘«]$")
_QUOTE = re.compile(r"[`\"'”’»]")
_BEFORE_MENTION = "`\"'“‘« \t"
_UNENDED = re.compile(r"[^\s.!?:;>|\]▷][ \t]{1,3}$")
"""A sentence that goes on."""


def opening(prompt: str) -> str:
    """Return the tag by which a prompt that ends in it begins the thoughts of the reply; empty where it does not.

    >>> opening("<|im_start|>assistant\\n<think>\\n"), opening("<think>\\n\\n</think>\\n\\n")
    ('<think>\\n', '')
    """
    last = next(iter(deque(_TAG.finditer(prompt), maxlen=1)), None)
    if last is None or any(last.group(*_ENDS)) or prompt[last.end() :].strip():
        return ""
    return prompt[last.start() :]


def is_tag(token: str) -> bool:
    """Return whether a token is a tag around thoughts.

    >>> is_tag("[/THINK]"), is_tag("<|im_end|>")
    (True, False)
    """
    return _TAG.fullmatch(token) is not None


def outside_tags(text: str) -> str | None:
    """Return the last thing said outside of tags, or None where there are none."""
    if not _WORD.search(text):
        return None
    scan = _Scan(text)
    for tag in _TAG.finditer(text):
        scan.take(tag)
    if not scan.found:
        return None
    for start, end in reversed(scan.ended()):
        part = bare(text[start:end])
        if part:
            return _unescaped(part) if scan.escaped else part
    return ""


class _Scan:
    """The parts of a text that stand outside of thoughts, as its tags come."""

    def __init__(self, text: str) -> None:
        self.found = self.escaped = False
        self._filled = False  # whether something stands between the opening tag and here
        self._text = text
        self._said: list[tuple[int, int]] = []
        self._open: list[str] = []
        self._nested: int | None = None
        self._at = self._opened = self._mentions = 0

    def take(self, tag: re.Match[str]) -> None:
        """Take the next tag."""
        name = _name(tag)
        closes = any(tag.group(*_ENDS))
        if _is_mentioned(self._text, tag, inside=bool(self._open)):
            self._mentions += not closes
        elif closes and not self._open and self._mentions:
            self._mentions -= 1  # the end of a mention
        elif not closes or name != "details" or name in self._open:
            (self._close if closes else self._begin)(tag, name)
            self.escaped = self.escaped or tag.group()[0] in "&\\"
            self.found = True

    def ended(self) -> list[tuple[int, int]]:
        """Return start and end of each part, at the end of the text."""
        length = len(self._text)
        answer = _last_answer(self._text, self._opened) if self._open else None
        if not self._open:
            self._said.append((self._at, length))
        elif answer:
            self._said.append((answer.start(), length))
        elif _UNENDED.search(self._text, max(0, self._said[-1][1] - 4), self._said[-1][1]):
            # In the midst of a sentence and never closed: a mention.
            self._said[-1] = (self._said[-1][0], length)
        return self._said

    def _begin(self, tag: re.Match[str], name: str) -> None:
        if not self._open:
            self._said.append((self._at, tag.start()))
            self._opened, self._filled = tag.end(), False
        elif self._filled or self._text[self._opened : tag.start()].strip():
            self._nested = tag.end()
        self._filled = self._filled or bool(self._open)
        if name not in self._open:
            self._open.append(name)

    def _close(self, tag: re.Match[str], name: str) -> None:
        if self._nested is not None and not self._text[self._nested : tag.start()].strip(" .…\n"):
            self._nested = None  # `<think>...</think>`, by which a thought repeats how it was told to answer
            return
        if self._open:
            del self._open[self._open.index(name) if name in self._open else 0 :]
        elif self.found and self._at < tag.start():
            self._said.append((self._at, tag.start()))
        # The first tag of all: the chat template wrote the opening one, and what stands before is thought.
        self._at = tag.end()


def _last_answer(text: str, start: int) -> re.Match[str] | None:
    """Return the answer that a thought without its closing tag ends with; tags that it only mentions are none."""
    last = next(iter(deque(ANSWER.finditer(text, start), maxlen=1)), None)
    if last is None or _is_mentioned(text, last, inside=False):
        return None
    end = ANSWER_END.search(text, last.end())
    if end is None and _UNENDED.search(text[max(0, last.start() - 4) : last.start()]):
        return None
    return last if not bare(text[end.end() if end else len(text) :]) else None


def _name(tag: re.Match[str]) -> str:
    name = next(filter(None, tag.group(*_NAMES)), "thought").lower()
    return "think" if "th" in name else name


def _is_mentioned(text: str, tag: re.Match[str], *, inside: bool) -> bool:
    """Return whether a tag is only spoken of: in quotes, after `the`, before `tag`."""
    if tag.start() == 0 or text[tag.start() - 1] not in _BEFORE_MENTION:
        return False
    before = text[max(0, tag.start() - 20) : tag.start()]
    if _QUOTED.search(before) and _QUOTE.match(text, tag.end()):
        return True
    if inside:
        return False
    return bool(_MENTIONED.search(before) or (_UNENDED.search(before) and _NAMED_SO.match(text, tag.end())))


def _unescaped(text: str) -> str:
    """Return the text of a reply whose tags were escaped, and with them the rest."""
    return re.sub(r"^(?:\\[nr]|\s)+", "", html.unescape(text))
