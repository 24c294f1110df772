"""Encoded captions hold what plain counting of tokens finds."""

from collections import Counter

import pytest

from mmbench.benchmarks.metrics.caption.ngrams import ORDERS, Captions, new_words
from mmbench.harness.errors import DataError


def counted(text: list[str], order: int) -> Counter[str]:
    return Counter(" ".join(text[i : i + order]) for i in range(len(text) - order + 1))


@pytest.mark.parametrize("order", ORDERS)
def test_counts_are_those_of_each_text(captions, order: int) -> None:
    candidates, references = captions
    made = Captions.of(candidates, references)
    texts = [text for one, many in zip(candidates, references, strict=True) for text in (one, *many)]
    phrases, ngrams = list(made.phrases(order)), made.ngrams[order - 1]
    assert len(set(phrases)) == len(phrases)
    found: list[Counter[str]] = [Counter() for _ in texts]
    for text, ngram, count in zip(ngrams.text, ngrams.ngram, ngrams.count, strict=True):
        found[text][phrases[ngram]] += int(count)
    assert found == [counted(text, order) for text in texts]


def test_rows_of_an_item_and_ngram_stand_together_candidate_first(captions) -> None:
    made = Captions.of(*captions)
    for ngrams in made.ngrams:
        keys = list(zip(made.item[ngrams.text], ngrams.ngram, ngrams.text, strict=True))
        assert keys == sorted(keys)
        starts = [i for i in range(len(keys)) if i == 0 or keys[i][:2] != keys[i - 1][:2]]
        assert ngrams.group.tolist() == starts


def test_new_words_are_first_used_by_their_candidate(captions) -> None:
    seen: set[str] = set()
    expected = []
    for text in captions[0]:
        expected.append(len({*text} - seen))
        seen.update(text)
    made = new_words(Captions.of(*captions))
    assert made.tolist() == expected
    assert made.sum() == len(seen)


def test_no_captions_at_all() -> None:
    assert len(Captions.of([], [])) == 0
    assert new_words(Captions.of([], [])).tolist() == []


def test_an_item_without_reference_is_named() -> None:
    with pytest.raises(DataError, match="position 1 has no reference"):
        Captions.of([["a"], ["a"]], [[["a"]], []])
    with pytest.raises(DataError, match="2 candidates and references of 1 items"):
        Captions.of([["a"], ["a"]], [[["a"]]])
