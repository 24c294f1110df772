"""What stands around a reply: tokens of control at its ends, and tags around an answer."""

import re

_SAYS = r"(?:final[_ -]?)?(?:answer|response|output|conclusion|solution|reply)"
ANSWER = re.compile(
    rf"<{_SAYS}>|<\|(?:begin_of_(?:solution|answer|box)|start_(?:response|answer))\|>|\[begin final response\]", re.I
)
ANSWER_END = re.compile(
    rf"</{_SAYS}>|<\|(?:end_of_(?:solution|answer|box)|end_(?:response|answer))\|>|\[end final response\]", re.I
)
"""Tags around an answer."""

_ROLE = re.compile(
    r"(?:\s+|<\|(?:im_start|start)\|>\s?assistant\b|<\|start_header_id\|>\s?assistant\s?<\|end_header_id\|>"
    r"|<\|[\w ]{1,30}\|>|<｜[\w▁ ]{1,30}｜>|<s>)*"
)
_STOP = re.compile(r"(?:<\|[\w ]{1,30}\|>|<｜[\w▁ ]{1,30}｜>|</s>|<eos>|<end_of_turn>)$")
_LONGEST_STOP = 40


def bare(text: str) -> str:
    """Return the text without tokens of control at its ends, and without tags around the whole."""
    role = _ROLE.match(text)
    start, end = (role.end() if role else 0), len(text)
    while True:
        while end > start and text[end - 1].isspace():
            end -= 1
        stop = _STOP.search(text[max(start, end - _LONGEST_STOP) : end])
        if stop is None:
            break
        end -= len(stop.group())
    opening = ANSWER.match(text, start, end)
    closing = ANSWER_END.search(text, start, end)
    inside = (opening.end() if opening else start), (closing.start() if closing else end)
    if (closing and closing.end() < end) or ANSWER.search(text, *inside):
        return text[start:end]  # tags within a longer text
    return text[slice(*inside)].strip()
