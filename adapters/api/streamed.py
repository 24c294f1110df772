"""Streamed answers: some gateways stream although nobody asked, and what they send is put together again."""

import json
import re
from typing import Any

from mmbench.adapters.api.wire import Response


def is_stream(response: Response) -> bool:
    """Tell whether events were sent in place of one answer."""
    return "text/event-stream" in response.headers.get("content-type", "").lower() or response.body.startswith(b"data:")


def whole(text: str) -> dict[str, Any] | None:
    """Return the chat completion that chunks make up; None where they end before it does.

    >>> whole('data: {"choices": [{"delta": {"content": "yes"}, "finish_reason": "stop"}]}')["choices"][0]["message"]
    {'content': 'yes'}
    >>> whole('data: {"choices": [{"delta": {"content": "ye"}}]}') is None
    True
    >>> whole('data: {"choices": [{"delta": {"content": "a\u2028b"}}]}\\n\\ndata: [DONE]')["choices"][0]["message"]
    {'content': 'a\\u2028b'}
    """
    made: dict[str, Any] = {}
    message: dict[str, Any] = {}
    end, done = None, False
    for chunk in _events(text):
        if chunk is None:
            done = True
            continue
        if chunk.get("error"):
            return chunk
        made |= {name: value for name, value in chunk.items() if name != "choices" and value is not None}
        choices = chunk.get("choices")
        first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        delta = first.get("delta") or first.get("message")
        for name, value in delta.items() if isinstance(delta, dict) else ():
            if isinstance(value, str):
                message[name] = message.get(name, "") + value
        end = first.get("finish_reason") or end
    if not done and end is None:
        return None
    return {**made, "choices": [{"message": message, "finish_reason": end}]}


def _events(text: str) -> list[dict[str, Any] | None]:
    """Return the chunks of a stream, None for the sign of its end. Raises ValueError for data that is none."""
    found: list[dict[str, Any] | None] = []
    for line in re.split(r"\r\n|\r|\n", text):  # no other sign ends a line, though a text may hold it
        name, _, data = line.partition(":")
        if name != "data" or not data.strip():
            continue  # comments keep a connection open
        held = None if data.strip() == "[DONE]" else json.loads(data)
        if held is not None and not isinstance(held, dict):
            raise ValueError("a chunk is no mapping")
        found.append(held)
    return found
