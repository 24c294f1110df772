"""Answers of any shape: each is a reply, or one of the failures that are foreseen; none is a surprise."""

import copy
import json
import random

import pytest

from mmbench.adapters.api import answers
from mmbench.adapters.api.failures import Again, Declined, Rejected
from mmbench.adapters.api.wire import Response
from mmbench.harness.errors import TooLong, Unanswered, Unavailable
from mmbench.harness.models.reply import Reply
from tests.adapters.api.fake import chat, failure

FORESEEN = (Again, Declined, Rejected, TooLong, Unanswered, Unavailable)
JUNK = [None, True, 0, -1, 1.5, 10**30, "", "x" * 5000, "\x1b[2J\x00", "\ud83d", [], [[]], {}, {"a": {}}, [None], "nan"]
STATUSES = (200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 413, 418, 422, 429, 500, 599)


def spoilt(draw: random.Random, held: object) -> object:
    """Replace a few parts of a value by junk."""
    held = copy.deepcopy(held)
    for _ in range(draw.randint(1, 3)):
        at, path = held, []
        while isinstance(at, dict | list) and at and draw.random() < 0.8:
            key = draw.choice(list(at)) if isinstance(at, dict) else draw.randrange(len(at))
            path.append((at, key))
            at = at[key]
        if not path:
            return draw.choice(JUNK)
        owner, key = path[-1]
        owner[key] = copy.deepcopy(draw.choice(JUNK))
    return held


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_service_says_is_foreseen(seed):
    draw = random.Random(seed)
    whole = [
        chat("yes", system_fingerprint="fp"),
        chat(None, message={"refusal": "no", "reasoning_content": "hm", "tool_calls": [{}]}),
        chat([{"type": "text", "text": "yes"}]),
        failure("model not found", code="x", param="temperature", metadata={"raw": "r", "reasons": ["a"]}),
        [failure("too long")],
        {"detail": [{"loc": ["body", "stop"], "msg": "not permitted"}]},
    ]
    sent = {"model": "m", "messages": [], "max_tokens": 3, "temperature": 0, "stop": []}
    kinds = set()
    for _ in range(4000):
        body = json.dumps(spoilt(draw, draw.choice(whole))).encode()
        if draw.random() < 0.1:
            body = body[: draw.randrange(len(body) + 1)] + draw.randbytes(draw.randrange(3))
        wait = draw.choice(["", "3", "-3", "1e9", "nan", "9" * 40, "Wed, 21 Oct 2015 07:28:00 GMT", "\x1b", "²"])
        response = Response(draw.choice(STATUSES), {"retry-after": wait}, body)
        try:
            made = answers.reply(answers.accepted(response, sent, "sk-key"))
        except FORESEEN as error:
            kinds.add(type(error))
            said = str(error)
            assert "\x1b" not in said and "\x00" not in said and "\n" not in said and len(said) < 700
        else:
            assert isinstance(made, Reply)
            made.encode()
            told = made.told
            assert told.usage is None or min(told.usage) >= 0
            assert len(told.snapshot) <= 200 and told.snapshot.isprintable()
    assert kinds >= {Again, Unanswered, Unavailable}
