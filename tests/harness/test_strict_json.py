"""JSON of others is the standard's, or an error that says why."""

import pytest

from mmbench.harness.strict_json import parse_json


def test_values_come_as_written() -> None:
    assert parse_json('{"a": [1, 0.5, null, true, "\\u00e9"]}') == {"a": [1, 0.5, None, True, "\u00e9"]}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("NaN", "NaN is no JSON number"),
        ("[-Infinity]", "-Infinity is no JSON number"),
        ("1e999", "1e999 is too large"),
        ("1" * 5000, "thousands of digits"),
        ('[{"label": "cat", "label": "dog"}]', "the key 'label' stands twice with different values"),
        ("[" * 100_000, "nested too deeply"),
        ("{'a': 1}", "property name"),
        ("", "Expecting value"),
    ],
)
def test_anything_else_is_refused(source: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_json(source)


def test_a_key_that_is_repeated_alike_is_no_contradiction() -> None:
    assert parse_json('{"a": [1], "b": 2, "a": [1]}') == {"a": [1], "b": 2}
