"""A list written as text is read as what it is, refused where that is unclear, and a text in brackets stays a text."""

import pytest

from mmbench.harness.tasks.written_lists import Unclear, read_list


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('["a", 1]', ["a", 1]),
        ("['a', 'b']", ["a", "b"]),
        ("['a' 'b']", ["a", "b"]),
        ("['a'\n 'b']", ["a", "b"]),
        ("""["it's", 'b']""", ["it's", "b"]),
        ("""["it's" 'b']""", ["it's", "b"]),
        ("""['say "hi"', 'b\\'s']""", ['say "hi"', "b's"]),
        (r"['a\nb', 'caf\xe9', '\\']", ["a\nb", "café", "\\"]),
        ("['a, b', 'c] d']", ["a, b", "c] d"]),
        ("['a', None]", ["a", None]),
        ("['a',]", ["a"]),
        ("[]", []),
        (" [ ] ", []),
        ("[1 2 3]", [1, 2, 3]),
        ("[0.5 1.2]", [0.5, 1.2]),
        ("[1. 2.]", [1.0, 2.0]),
        ("[ 1e-05 -2.]", [1e-05, -2.0]),
        ("[['a', 'b'], ['c']]", [["a", "b"], ["c"]]),
        ("[{'answer': 'net', 'n': 1}]", [{"answer": "net", "n": 1}]),
        ("('a', 'b')", ["a", "b"]),
        ("array(['a', 'b'], dtype=object)", ["a", "b"]),
    ],
)
def test_lists(source: str, expected: list[object]) -> None:
    assert read_list(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "",
        "a",
        "[laughs] hello",
        "[1] see above",
        "[0, 1) interval",
        "[0, 1)",
        "[a] b [c]",
        "(a, b)",
        "[1].png",
        "[",
        "a]",
    ],
)
def test_texts(source: str) -> None:
    assert read_list(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "[10 08 2024]",
        "array([01 02])",
        r"['\U99999999' 'b']",
        "[1,000]",
        "[00]",
        "['it''s']",
        "[citation needed]",
        "[a, b]",
        "['a', 'b'",
        "['a' ... 'b']",
        "['a', 'b' 'c']",
        "['a'] and ['b']",
        "[NaN]",
        "[nan, 1.0]",
        r"['\d']",
        "[a]",
        "[" * 100_000 + "]" * 100_000,
        "[1 2 ... 9]",
        "array(['a', ...])",
        "['a', open('x')]",
        "[1_000]",
        '["a" "b]',
    ],
)
def test_unclear(source: str) -> None:
    with pytest.raises(Unclear):
        read_list(source)
