"""Failures of services: what is tried again, is the item's own, is a refusal, or ends the run."""

import email.utils
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mmbench.adapters.api.wire import Response
from mmbench.harness.errors import TooLong, Unanswered, Unavailable
from mmbench.harness.render.plain import plain

_MOST_WAIT = 600.0
"""Seconds: a server that has one wait longer is asked no further in this run."""

_DECLINED = re.compile(
    r"content[ _-]?(?:filter|policy|moderation)|responsible ?ai|moderation|safety[ _](?:check|system|filter)"
    r"|usage (?:guidelines|polic)|data_?inspection|inappropriate content|content exists risk|invalid_prompt"
    r"|(?:prompt|input|content|image)s? (?:was|were|has been|have been) flagged",
    re.I,
)
"""What services say of questions that a filter stopped, with a status of 400, 403, 422 or 451."""
_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum (?:context|model|input|prompt)|too (?:long|many tokens)"
    r"|(?:exceed|longer than|greater than)\D{0,60}(?:tokens|length)|max_model_len|`max_new_tokens` must be <="
    r"|must have less than \d+ tokens|range of input length",
    re.I,
)
_CONTEXT = re.compile(r"context[ _-]?(?:length|window|size)|maximum (?:context|model|prompt)|max_model_len", re.I)
"""The same where the parameter that is blamed may have a length of its own."""
_OF_LENGTH = ("max_tokens", "max_completion_tokens", "input_tokens", "input")
_NO_MODEL = re.compile(
    r"model\b.{0,200}\b(?:not found|not exist|unknown|unavailable|no access)|(?:unknown|invalid) model", re.I
)
_UNKNOWN = re.compile(
    r"unsupported|not support|only no |unrecognized|unknown|extra (?:inputs|fields)|not permitted|not allowed"
    r"|unexpected|deprecated",
    re.I,
)
_NO_PICTURES = re.compile(
    r"image.{0,40}not supported|not a multimodal model|mmproj|not support.{0,20}(?:image|vision|multimodal)"
    r"|unsupported content part",
    re.I,
)
_NO_PLACE = re.compile(r"unexpected endpoint", re.I)
"""What LM Studio says, with a status of 200, of an address that it does not have."""
_SPENT = re.compile(
    r"insufficient[_ ](?:quota|balance|credits?|funds)|billing_(?:hard_limit_reached|not_active)"
    r"|exceeded_current_quota|credit balance|out of credits|arrear|account is in good standing",
    re.I,
)
_CODES = {
    "context_length_exceeded": 400,
    "content_filter": 400,
    "content_policy_violation": 400,
    "invalid_api_key": 401,
    "insufficient_quota": 402,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
}
"""Status that an error has whose words come with a status of 200."""
_SECRET = re.compile(r"\b(?:[sprg]k|key)[-_][A-Za-z0-9_*.-]{6,}|\bBearer \S{6,}")
"""What looks like a key, also one that is not the one that was sent."""
_PAGE = re.compile(rb"\s*<(?:!doctype html|html|head)\b", re.I)
_HEADING = re.compile(r"<(title|h1)\b[^>]*>(.{1,300}?)</\1>", re.I | re.S)
_SOON = re.compile(
    r"(?:try again|retry) (?:in|after) (?:(\d{1,4})m(?!s))?\s?(?:(\d{1,6}(?:\.\d{1,9})?)\s?(ms|s))?", re.I
)
"""What services write of a wait in words, such as `Please try again in 1m2.5s`."""


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


class Declined(Exception):
    """A question that a filter of the service stopped."""


class Misplaced(Unavailable):
    """An address at which no chat completions are."""

    step = "correct the address"


def is_page(response: Response) -> bool:
    """Tell whether a web page was answered."""
    return _PAGE.match(response.body) is not None


def told_status(error: object) -> int:
    """Return the status that an error means which came with a status of 200, as gateways tell errors of others."""
    held = error if isinstance(error, dict) else {}
    code = held.get("code")
    if isinstance(code, str | int) and re.fullmatch(r"[45]\d\d", str(code)):
        return int(code)
    if _NO_PLACE.search(str(held.get("message") or error)):
        return 404
    return _CODES.get(str(code), 500)


def failure(status: int, error: object, response: Response, sent: Mapping[str, Any], key: str) -> Exception:
    """Return what to raise for an answer that is none.

    Again, Rejected, Declined, TooLong and Unanswered are of this item, Unavailable of the run.
    """
    said = _words(error, response, key)
    held = error if isinstance(error, dict) else {}
    code = str(held.get("code") or held.get("type") or "")
    told = f"the server answered {status}: {said}"
    if status in (400, 403, 422, 451) and (_DECLINED.search(code) or _DECLINED.search(said)):
        return Declined(said)
    if status >= 500 and "messages" in sent and _NO_PICTURES.search(said):
        return Unanswered(told)
    found = _of_run(status, code, said, told, response)
    if found is None and (status in (408, 409, 425, 429) or status >= 500):
        return Again(told, _wait(response.headers, said))
    return found or _of_parameters(told, str(held.get("param") or ""), code, said, sent) or Unanswered(told)


def _of_run(status: int, code: str, said: str, told: str, response: Response) -> Unavailable | None:
    """Return what ends the run, if this does."""
    no_model = code == "model_not_found" or (_NO_MODEL.search(said) and not _LONG.search(said))
    if 300 <= status < 400:
        where = _origin(response.headers.get("location", ""))
        return Unavailable(f"the server sends to another address{where}, which is not followed; name the right address")
    if status in (404, 405, 501) and not no_model:
        return Misplaced(told)
    if status == 401:
        return Unavailable(told, step="set the environment variable of the key, and run the same command again")
    spent = status in (400, 429) and (_SPENT.search(code) or _SPENT.search(said))
    if status in (402, 403, 404, 405, 407) or spent or (no_model and 400 <= status < 500 and status != 429):
        return Unavailable(told)
    return None


def _of_parameters(told: str, param: str, code: str, said: str, sent: Mapping[str, Any]) -> Exception | None:
    """Return what is wrong with what was sent, where the server tells."""
    long = _LONG if param in ("", "messages", "prompt") else _CONTEXT if param in _OF_LENGTH else None
    if code == "context_length_exceeded" or (long is not None and long.search(said)):
        return TooLong(told)
    for name in sent:
        if name not in ("model", "messages", "prompt") and (
            param == name or (_UNKNOWN.search(said) and _names(said, name))
        ):
            return Rejected(name, said)
    return None


def _names(said: str, name: str) -> bool:
    """Tell whether words speak of a parameter, where its name may also be a word of its own, such as `stop`."""
    if "_" in name:
        return re.search(rf"\b{name}\b", said) is not None
    before = r"(?:parameters?|arguments?|fields?|supplied|supported|supports?|value|inputs?)\W{0,3}"
    return re.search(rf"['\"`]{name}['\"`]|\b{before}{name}\b|\b{name}(?: is| are| does|:)", said, re.I) is not None


def _origin(location: str) -> str:
    """Return the host that a redirect names, without what else may be in an address."""
    try:
        parts = urlsplit(location)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f" ({plain(f'{parts.scheme}://{parts.hostname}{port}', 100)})" if parts.scheme and parts.hostname else ""


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
        said = response.body[:4000].decode("utf-8", "replace")
        heading = _HEADING.search(said) if is_page(response) else None
        said = f"a web page, '{heading[2].strip()}'" if heading else said[:400]
    said = said.replace(key, "…") if key else said
    home = str(Path.home())
    said = said.replace(home, "~") if len(home) > 1 else said
    return plain(_SECRET.sub("…", " ".join(said.split())), 300) or "nothing more"


def _wait(headers: Mapping[str, str], said: str) -> float | None:
    """Return the seconds that a server asks to wait, by `Retry-After`, its kin or in words. Raises Unavailable."""
    seconds = _number(headers.get("retry-after-ms"), 1e-3)
    if seconds is None:
        seconds = _number(headers.get("retry-after"), 1.0)
    if seconds is None and (date := headers.get("retry-after")):
        try:
            seconds = email.utils.parsedate_to_datetime(date).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    if seconds is None and (words := _SOON.search(said)):
        minutes, amount, unit = words.groups()
        seconds = 60.0 * float(minutes or 0) + float(amount or 0) * (1e-3 if unit == "ms" else 1.0)
    if seconds is None:
        return None
    if seconds > _MOST_WAIT:
        raise Unavailable(f"the server asks to wait for {seconds / 60:.0f} minutes; run the same command again then")
    return max(seconds, 0.0)


def _number(text: str | None, unit: float) -> float | None:
    if text is None or not re.fullmatch(r"\s*\d{1,12}(\.\d{1,12})?\s*", text):
        return None
    return float(text) * unit
