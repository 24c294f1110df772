"""Captions fall into the tokens that the Java tokeniser of the standard scores gave for them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from mmbench.benchmarks.metrics.caption.ptb import tokenize

GOLDEN = Path(__file__).with_name("ptb_golden.json")


def test_tokens_are_those_of_java() -> None:
    """The golden file holds texts of every special form, with the tokens of Stanford CoreNLP 3.4.1 on Java 17."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    differ = [(text, want, got) for text, want in golden if (got := " ".join(tokenize(text))) != want]
    assert len(golden) > 1000
    assert differ == []


def test_tokens_are_those_of_the_reference_table(coco: dict[str, Any]) -> None:
    items = coco["items"]
    texts = [text for item in items for text in [item["candidate"], *item["references"]]]
    wanted = [tokens for item in items for tokens in [item["candidate_tokens"], *item["reference_tokens"]]]
    assert [" ".join(tokenize(text)) for text in texts] == wanted


@pytest.mark.parametrize(
    ("text", "following", "tokens"),
    [  # by Java, for two lines of one file
        ("He eats vitamin C.", "A dog barks.", "he eats vitamin c"),
        ("He eats vitamin C.", "The dog barks.", "he eats vitamin c"),
        ("He eats vitamin C.", "a dog barks.", "he eats vitamin c."),
        ("He eats vitamin C.", "Dogs bark.", "he eats vitamin c."),
        ("A bus to the U.S.", "The dog barks.", "a bus to the u.s."),
        ("there are no.", "2 dogs", "there are no."),
        ("there are no.", "Two dogs", "there are no"),
    ],
)
def test_the_next_caption_decides_on_some_full_stops(text: str, following: str, tokens: str) -> None:
    assert tokenize(text, following) == tokens.split()


@pytest.mark.parametrize("text", ["", " ", "\n", "\t\xa0\u3000", ".", "?", '"', "\u200b", "\x00\x07", "😀"])
def test_texts_of_nothing_have_no_tokens(text: str) -> None:
    assert tokenize(text) == []


def test_line_breaks_part_words() -> None:
    assert tokenize("a man\nand\r\na dog\u2028run") == ["a", "man", "and", "a", "dog", "run"]


def test_plain_captions_take_a_short_way_to_the_same_tokens() -> None:
    draw = random.Random(0)
    words = [
        "a",
        "Dog's",
        "cat,",
        "3",
        "12,",
        "CANNOT",
        "gonna",
        "U",
        "x-ray,",
        "no",
        "St",
        "etc",
        ",",
        "1st",
        "Ill",
        "'s",
    ]
    for _ in range(3000):
        text = " ".join(draw.choices(words, k=draw.randint(1, 6))) + draw.choice(["", ".", " .", ". ", "!", " ?"])
        assert tokenize(text) == tokenize("\u200b " + text), text  # the ignored character rules the short way out
