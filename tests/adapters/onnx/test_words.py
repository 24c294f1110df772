"""open_clip's tokenizer as a file: equal token by token, over Unicode and what its pattern treats apart."""

import random
import sys
import unicodedata

import pytest

from mmbench.adapters.shared.words import Words
from tests.lazy import open_clip

STEPS = ["mend", "unescape", "whitespace", "lower"]
SPECIAL = ("<start_of_text>", "<end_of_text>")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    pytest.importorskip("tokenizers")
    from mmbench.adapters.onnx.export.simple_tokenizer import tokenizer_json

    theirs = open_clip.tokenizer.SimpleTokenizer()
    file = tmp_path_factory.mktemp("words") / "tokenizer.json"
    file.write_text(tokenizer_json(theirs), encoding="utf-8")
    return theirs, Words(file, STEPS, 77)


def check(both, texts):
    theirs, ours = both
    for text, found in zip(texts, ours.rows(texts, cut=False), strict=True):
        assert found == [theirs.sot_token_id, *theirs.encode(text), theirs.eot_token_id], repr(text)


def test_texts_that_people_write(both):
    texts = [
        "a photo of a cat", "It's what I'M told, they'LL see: don't!", "", "   ", "3.14 ½ ² Ⅷ",
        "naïve cafe\u0301 İSTANBUL ß",
        "&lt;b&gt; &amp;amp;", "schÃ¶n â€œquotedâ€\x9d", "日本語 العربية नमस्ते ไทย", "🙂👩‍👩‍👧🇫🇷", "\u200bzero\ufeff",
        "_a_ #b @c",
        "'ſ \u0345 a\x1cb\x85c\u2028d", "x" * 300, "word " * 100,
    ]  # fmt: skip
    check(both, texts)
    theirs, ours = both
    padded = [row + [0] * (77 - len(row)) for row in ours.rows(texts, cut=True)]
    assert padded == theirs(texts).tolist()


def test_every_assigned_character(both):
    characters = [
        chr(code) for code in range(1, sys.maxunicode + 1) if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")
    ]
    check(both, ["".join(characters[at : at + 9]) for at in range(0, len(characters), 90)])


def test_special_tokens_that_a_text_spells(both):
    draw = random.Random(1)
    parts = [*SPECIAL, "!", "a", " ", "<", ">", "_", "of", "start", "7", "'s"]
    check(both, ["".join(draw.choices(parts, k=6)) for _ in range(1500)])
    check(both, [word[:cut] for word in SPECIAL for cut in range(len(word) + 1)])


def test_words_of_the_vocabulary(both):
    theirs, _ = both
    check(both, [word.replace("</w>", " x") for word in [*theirs.encoder][:49000:23]])
