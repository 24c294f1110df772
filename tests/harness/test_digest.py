"""Tests of digests of JSON, which keys of stored answers and protocol ids are made of."""

import hashlib
import json

import pytest

from mmbench.harness import digest
from mmbench.harness.digest import Json, digest_json

VALUES: list[Json] = [
    None,
    'a text with " and \\ and \n, \u00e9 \u4e00 \U0001f600',
    [True, False, 1, -2, 1.5, 1e300, 0.1, 2**70],
    {"b": [1, {"z": None, "a": []}], "a": {}, "\u00e9": "\x1f"},
    ["image", ["ab" * 16], "", [], []],
]


@pytest.mark.parametrize("value", VALUES)
def test_the_digest_is_that_of_plain_json(value: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    parts = b"".join(len(part).to_bytes(8, "little") + part for part in (b"json", text))
    assert digest_json(value) == hashlib.sha256(parts).hexdigest()[:32]
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    assert digest._encoder()(value).encode() == text


def test_what_json_cannot_hold_is_no_digest() -> None:
    with pytest.raises(ValueError, match="JSON"):
        digest_json([float("nan")])
    with pytest.raises(TypeError):
        digest_json([b"bytes"])  # type: ignore[list-item]
