"""Errors of text: equal to a plain table of edits and to the figures of jiwer and rapidfuzz."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from mmbench import metrics

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "ocr_text.json"


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the reference figures are not here")
def test_errors_are_those_of_the_reference() -> None:
    held = json.loads(REFERENCE.read_text(encoding="utf-8"))
    for item in held["items"]:
        given, expected = (item["reference"], item["hypothesis"]), item["expected"]
        assert metrics.cer(*given) == pytest.approx(expected["cer"], abs=1e-12) == expected["jiwer_cer"]
        assert metrics.wer(*given) == pytest.approx(expected["wer"], abs=1e-12) == expected["jiwer_wer"]
        assert metrics.ned(*given) == pytest.approx(expected["normalised_edit_distance_max"], abs=1e-12)
        assert metrics.cer(*given, fold=True) == pytest.approx(expected["cer_casefold_nfkc_no_space"], abs=1e-12)
        assert metrics.levenshtein(*given) == expected["char_edits"]
        assert metrics.levenshtein(*(text.split() for text in given)) == expected["word_edits"]
        near = 1 - metrics.ned(*given)  # ANLS as the table has it, in the case that is written
        assert (near if near >= 0.5 else 0.0) == pytest.approx(expected["anls_tau_05"], abs=1e-12)
    right, said = ([item[name] for item in held["items"]] for name in ("reference", "hypothesis"))
    for rate, name in ((metrics.cer, "cer"), (metrics.wer, "wer")):
        assert rate(right, said) == pytest.approx(held["corpus"][f"micro_{name}"], abs=1e-12)
        each = [rate(*pair) for pair in zip(right, said, strict=True)]
        assert np.mean(each) == pytest.approx(held["corpus"][f"macro_{name}"], abs=1e-12)


def edits(left: Sequence[str], right: Sequence[str]) -> int:
    """The table, row by row."""
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        before, row[0] = row[:], i
        for j, other in enumerate(right, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (one != other))
    return row[-1]


def test_edits_are_those_of_a_plain_table() -> None:
    draw = np.random.default_rng(0)
    for _ in range(300):
        one, other = ("".join(draw.choice(list("ab é"), draw.integers(0, 12))) for _ in range(2))
        count = edits(one, other)
        assert metrics.cer(one, other) == count / max(1, len(one))
        assert metrics.ned(one, other) == count / max(1, len(one), len(other))
        words = one.split(), other.split()
        assert metrics.wer(one, other) == edits(*words) / max(1, len(words[0]))


def test_ends_of_text() -> None:
    assert metrics.cer("", "") == metrics.wer("", " ") == metrics.ned("", "") == 0
    assert metrics.cer("", "abc") == 3  # as jiwer counts
    assert metrics.wer("", "a b") == 2
    assert metrics.ned("", "abc") == metrics.cer("abc", "") == metrics.wer("abc", "") == 1
    assert metrics.cer("a", "bcd") == 3
    assert metrics.cer("e\u0301", "\u00e9") == 1  # code points
    assert metrics.cer("e\u0301", "\u00e9", fold=True) == metrics.ned("A B", "ab", fold=True) == 0
    assert metrics.cer("A", "a") == 1
    assert metrics.wer("a  b\n", "a b") == 0
    assert metrics.ned("a" * 20_000, "b" * 20_000) == 1
    assert metrics.cer(["ab", ""], ["ab", "c"]) == 0.5


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: metrics.cer("a", ["a"]), "two texts, or two lists of texts"),
    (lambda: metrics.cer(["a"], ["a", "b"]), "1 references and 2 hypotheses"),
    (lambda: metrics.wer([], []), "0 references and 0 hypotheses"),
    (lambda: metrics.ned(["a"], [None]), "is no text"),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("call", "reason"), WRONG)
def test_what_cannot_be_meant_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        call()
    assert reason in str(caught.value)
