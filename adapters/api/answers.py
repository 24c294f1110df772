"""Answers of a service read: a reply, a fault of the item, what is tried again, or what ends the run."""

import email.utils
import json
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmbench.adapters.api.wire import Response
from mmbench.harness.errors import TooLong, Unanswered, Unavailable
from mmbench.harness.models.reply import Reply, Told, Usage
from mmbench.harness.render.plain import plain

_MOST_TOKENS = 10**9
_MOST_WAIT = 600.0
"""Seconds: a server that has one wait longer is asked no further in this run."""

_DECLINED = re.compile(
    r"content[ _-]?(?:filter|policy|moderation)|responsible ?ai|moderation|safety[ _](?:check|system|filter)"
    r"|usage guidelines",
    re.I,
)
"""What services say of questions that a filter stopped, with a status of 400 or 403."""
_DECLINES = ("content_filter", "refusal", "safety", "guardrail_intervened", "sensitive")
"""Ends of a reply that is none."""
_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum (?:context|model|input|prompt)|too (?:long|many tokens)"
    r"|(?:exceed|longer than|greater than)\D{0,60}(?:tokens|length)|max_model_len",
    re.I,
)
_NO_MODEL = re.compile(
    r"model\b.{0,200}\b(?:not found|not exist|unknown|unavailable|no access)|(?:unknown|invalid) model", re.I
)
_UNKNOWN = re.compile(
    r"unsupported|not support|unrecognized|unknown|extra (?:inputs|fields)|not permitted|unexpected", re.I
)
_SPENT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_SECRET = re.compile(r"\b(?:[sprg]k|key)[-_][A-Za-z0-9_*.-]{6,}|\bBearer \S{6,}")
"""What looks like a key, also one that is not the one that was sent."""


class Again(Exception):
    """What may succeed when it is tried again."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after
        """Seconds that the server asks to wait."""


class Rejected(Exception):
    """A parameter that the server does not take."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name = name


def accepted(response: Response, sent: Mapping[str, Any], key: str) -> Any:
    """Return the JSON of an answer, which is a mapping.

    Raises Again, Rejected, TooLong and Unanswered for this item, Unavailable for the run; a question that a filter
    stopped is a `Declined`.
    """
    held = _json(response)
    held = held[0] if isinstance(held, list) and len(held) == 1 and response.status >= 400 else held  # as Vertex has it
    error = held.get("error") if isinstance(held, dict) else None
    status = response.status
    if 200 <= status < 300:
        if not isinstance(held, dict):
            raise Again("the server's answer is no JSON that can be read")
        if not error or held.get("choices"):
            return held
        code = error.get("code") if isinstance(error, dict) else None
        status = code if type(code) is int and 400 <= code < 600 else 500  # as gateways tell errors of others
    said = _words(error or held, response, key)
    _judge(status, said, error if isinstance(error, dict) else {}, response, sent)
    raise Unanswered(f"the server answered {status}: {said}")


class Declined(Exception):
    """A question that a filter of the service stopped."""


def _judge(status: int, said: str, error: Mapping[str, Any], response: Response, sent: Mapping[str, Any]) -> None:
    """Raise what an answer that is none means; return for what is the item's own fault."""
    code = str(error.get("code") or error.get("type") or "")
    if status in (400, 403) and (_DECLINED.search(code) or _DECLINED.search(said)):
        raise Declined(said)
    if status == 429 and code in _SPENT:
        raise Unavailable(f"the server answered 429: {said}")
    if status in (408, 409, 425, 429) or status >= 500:
        raise Again(f"the server answered {status}: {said}", _wait(response.headers))
    if 300 <= status < 400:
        raise Unavailable("the server sends to another address, which is not followed; name the right address")
    if status in (401, 402, 403, 404, 405):
        step = "set the environment variable of the key, and run the same command again" if status == 401 else ""
        raise Unavailable(f"the server answered {status}: {said}", step=step)
    if code == "model_not_found" or (_NO_MODEL.search(said) and not _LONG.search(said)):
        raise Unavailable(f"the server answered {status}: {said}")
    if code == "context_length_exceeded" or (
        _LONG.search(said) and error.get("param") in (None, "messages", "prompt", "")
    ):
        raise TooLong(f"the server answered {status}: {said}")
    param = str(error.get("param") or "")
    for name in sent:
        if name not in ("model", "messages", "prompt") and (
            param == name or (re.search(rf"\b{name}\b", said) and _UNKNOWN.search(said))
        ):
            raise Rejected(name, said)


def _json(response: Response) -> Any:
    try:
        return json.loads(response.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _words(error: object, response: Response, key: str) -> str:
    """Return what a server says of an error, without secrets, this machine's folders and control characters."""
    if isinstance(error, dict):
        found = error.get("message") or error.get("detail") or error.get("error") or error.get("msg")
        metadata = error.get("metadata")
        raw = metadata.get("raw") or metadata.get("reasons") if isinstance(metadata, dict) else None
        said = str(found or json.dumps(error)[:400]) + (f" ({raw})" if raw else "")
    elif error:
        said = str(error)
    else:
        said = response.body[:400].decode("utf-8", "replace")
    said = said.replace(key, "…") if key else said
    home = str(Path.home())
    said = said.replace(home, "~") if len(home) > 1 else said
    return plain(_SECRET.sub("…", said), 300) or "nothing more"


def _wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait, as `Retry-After` or its kin tell. Raises Unavailable."""
    seconds = _number(headers.get("retry-after-ms"), 1e-3)
    if seconds is None:
        seconds = _number(headers.get("retry-after"), 1.0)
    if seconds is None and (date := headers.get("retry-after")):
        try:
            seconds = email.utils.parsedate_to_datetime(date).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    if seconds is None:
        return None
    if seconds > _MOST_WAIT:
        raise Unavailable(f"the server asks to wait for {seconds / 60:.0f} minutes; run the same command again then")
    return max(seconds, 0.0)


def _number(text: str | None, unit: float) -> float | None:
    if text is None or not re.fullmatch(r"\s*\d{1,12}(\.\d{1,12})?\s*", text):
        return None
    return float(text) * unit


def reply(held: Mapping[str, Any]) -> Reply:
    """Return the reply of a chat completion. Raises Again where there is none, Unanswered for one that is no text."""
    choices = held.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(message, dict):
        raise Again("the answer has no choices")
    end = first.get("finish_reason")
    if end == "error":
        raise Again("the service failed within its reply")
    text, thoughts = _text(message.get("content")), _text(message.get("reasoning_content") or message.get("reasoning"))
    told = Told(usage=usage(held), snapshot=snapshot(held), system=_name(held.get("system_fingerprint")))
    refusal = message.get("refusal")
    if (isinstance(refusal, str) and refusal) or end in _DECLINES:
        said = refusal if isinstance(refusal, str) and refusal else text or f"({end})"
        return Reply(said, replace(told, refused=True))
    cut = end in ("length", "max_tokens")
    if text:
        return Reply(text, replace(told, cut=cut))
    if thoughts or cut:  # nothing but thoughts, which may be hidden: read as those of a model on this machine are
        return Reply(f"<think>{thoughts or ''}", replace(told, cut=cut))
    if message.get("tool_calls"):
        raise Unanswered("the reply calls a tool, and none was offered")
    if text is None:
        raise Again("the answer has no text")
    return Reply("", told)


def _text(content: object) -> str | None:
    """Return a text, or the texts of a list of parts; None where there is neither."""
    if isinstance(content, str):
        return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half of a pair is no text
    if isinstance(content, list):
        parts = [
            part.get("text")
            for part in content
            if isinstance(part, dict) and part.get("type") in ("text", "output_text")
        ]
        return _text("".join(part for part in parts if isinstance(part, str)))
    return None


def usage(held: Mapping[str, Any]) -> Usage | None:
    """Return the tokens that an answer tells; None where it does not."""
    told = held.get("usage")
    if not isinstance(told, dict):
        return None
    found = [told.get("prompt_tokens"), told.get("completion_tokens", 0)]
    if any(type(each) is not int or not 0 <= each <= _MOST_TOKENS for each in found):
        return None
    return Usage(*found)


def snapshot(held: Mapping[str, Any]) -> str:
    """Return the version of the model that an answer names; of a folder its name alone, without the way there."""
    name = _name(held.get("model"))
    return re.sub(r"^(?:[A-Za-z]:)?[\\/~.].*[\\/]", "", name)


def _name(given: object) -> str:
    return plain(given, 200) if isinstance(given, str) else ""
