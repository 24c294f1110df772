"""Answers of a service read: a reply with what is told of it, or a failure."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mmbench.adapters.api import streamed
from mmbench.adapters.api.failures import Again, Misplaced, failure, is_page, told_status
from mmbench.adapters.api.wire import Response
from mmbench.harness.errors import Unanswered
from mmbench.harness.models.reply import Reply, Told, Usage
from mmbench.harness.render.plain import plain

_MOST_TOKENS = 10**9

_DECLINES = re.compile(
    r"(?:image_)?(?:safety|recitation|prohibited_content)|content_filter(?:ed)?|refusal|blocklist|spii|model_armor"
    r"|guardrail(?:_intervened)?|sensitive"
)
"""Ends of a reply that is none, as services and what stands behind gateways call them; Gemini's are capitals."""
_CUT = re.compile(r"(?:model_)?length|max_(?:output_)?tokens|model_context_window_exceeded")
_FAILED = re.compile(
    r".*(?:error|abort|cancel|fail|insufficient|exhaust|timeout|timed_out|interrupt|overload|malformed).*|(?:un)?load"
)
"""Ends of a reply that the service did not finish, such as DeepSeek's `insufficient_system_resource`."""
_THINKING = ("thinking", "reasoning", "reasoning_text", "summary_text", "redacted_thinking")
"""Types of parts that hold thoughts."""
_OTHER_FORMS = ("message", "output", "candidates", "content", "response", "generated_text")
"""What answers of other interfaces have in place of choices."""


def accepted(response: Response, sent: Mapping[str, Any], key: str) -> Any:
    """Return the JSON of an answer, which is a mapping. Raises as `failure` tells for what is none."""
    held = _json(response)
    held = held[0] if isinstance(held, list) and len(held) == 1 and response.status >= 400 else held  # as Vertex has it
    error = held.get("error") if isinstance(held, dict) else None
    status = response.status
    if 200 <= status < 300:
        if held is None and is_page(response):
            raise Misplaced("the server answers with a web page")
        if not isinstance(held, dict):
            raise Again("the server's answer is no JSON that can be read")
        if not error or held.get("choices"):
            return held
        status = told_status(error)
    raise failure(status, error or held, response, sent, key)


def _json(response: Response) -> Any:
    try:
        text = response.body.decode("utf-8-sig")
        return streamed.whole(text) if streamed.is_stream(response) else json.loads(text)
    except (ValueError, RecursionError):
        return None


def reply(held: Mapping[str, Any]) -> Reply:
    """Return the reply of a chat completion.

    Raises Again where there is none, Unanswered for one that is no text, Misplaced for answers of another interface.
    """
    choices = held.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    end = _end(first.get("finish_reason")) if isinstance(first, dict) else ""
    declined = _DECLINES.fullmatch(end) is not None
    if message is None and (declined or _CUT.fullmatch(end)):
        message = {}  # Gemini leaves it out
    if not isinstance(first, dict) or not isinstance(message, dict):
        raise _missing(held, first)
    if _FAILED.fullmatch(end):
        raise Again(f"the service failed within its reply{_of_choice(first)}")
    text, thoughts = _text(message.get("content")), _thoughts(message)
    told = Told(usage=usage(held), snapshot=snapshot(held), system=_name(held.get("system_fingerprint")))
    refusal = message.get("refusal")
    if (isinstance(refusal, str) and refusal) or declined:
        said = refusal if isinstance(refusal, str) and refusal else text or f"({end})"
        return Reply(said, replace(told, refused=True))
    cut = _CUT.fullmatch(end) is not None
    if text:
        return Reply(text, replace(told, cut=cut))
    if thoughts or cut:  # nothing but thoughts, which may be hidden: read as those of a model on this machine are
        return Reply(f"<think>{thoughts or ''}", replace(told, cut=cut))
    if message.get("tool_calls"):
        raise Unanswered("the reply calls a tool, and none was offered")
    if text is None:
        raise Again("the answer has no text")
    return Reply("", told)


def _end(given: object) -> str:
    """Return how a reply ended, in one spelling.

    >>> _end("content_filter: PROHIBITED_CONTENT"), _end("MAX_TOKENS"), _end(None)
    ('content_filter', 'max_tokens', '')
    """
    return given.partition(":")[0].strip().lower()[:100] if isinstance(given, str) else ""


def _missing(held: Mapping[str, Any], first: object) -> Exception:
    """Return what to raise for an answer without a message."""
    if (isinstance(first, dict) and "text" in first) or any(name in held for name in _OTHER_FORMS):
        return Misplaced("the server answers in another form than that of chat completions")
    return Again(f"the answer has no choices{_of_choice(first)}")


def _of_choice(first: object) -> str:
    """Return what a choice says of its failure, as OpenRouter has it."""
    error = first.get("error") if isinstance(first, dict) else None
    said = error.get("message") if isinstance(error, dict) else None
    return f" ({plain(said, 200)})" if isinstance(said, str) and said else ""


def _text(content: object) -> str | None:
    """Return a text, or the texts of parts that are no thoughts; None where there is neither."""
    if isinstance(content, str):
        return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half of a pair is no text
    return _parts(content, thinking=False)


def _thoughts(message: Mapping[str, Any]) -> str | None:
    """Return what a model wrote to itself, where the service keeps it apart."""
    content = message.get("content")
    apart = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    return apart or (_parts(content, thinking=True) if not isinstance(content, str) else None)


def _parts(content: object, *, thinking: bool) -> str | None:
    """Return the joined texts of parts, those that are thoughts or those that are none; None where no part is one."""
    found = []
    for part in content if isinstance(content, list) else [content]:
        held = part if isinstance(part, dict) else {"text": part}
        own = held.get("type") in _THINKING
        text = held.get("text", held.get("thinking")) if own else held.get("text")
        text = _parts(text, thinking=False) if isinstance(text, list) else text
        if own == thinking and isinstance(text, str):
            found.append(text)
    return _text("".join(found)) if found else None


def usage(held: Mapping[str, Any]) -> Usage | None:
    """Return the tokens that an answer tells; None where it does not.

    Thoughts are paid for as replies are; services that leave them out of their count of the reply have them in the sum.
    """
    told = held.get("usage")
    if not isinstance(told, dict):
        return None
    asked = _tokens(told.get("prompt_tokens", told.get("input_tokens")))
    made = _tokens(told.get("completion_tokens", told.get("output_tokens", 0)))
    if asked is None or made is None:
        return None
    return Usage(asked, max(made, (_tokens(told.get("total_tokens")) or 0) - asked))


def _tokens(given: object) -> int | None:
    """Return a number of tokens, which some services write as 12.0."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= _MOST_TOKENS:
        return None
    return int(given) if given == int(given) else None


def snapshot(held: Mapping[str, Any]) -> str:
    """Return the version of the model that an answer names; of a folder its name alone, without the way there."""
    name = _name(held.get("model"))
    return re.sub(r"^(?:[A-Za-z]:)?[\\/~.].*[\\/]", "", name)


def _name(given: object) -> str:
    return plain(given, 200) if isinstance(given, str) else ""
