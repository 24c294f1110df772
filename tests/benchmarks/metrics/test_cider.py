"""CIDEr-D is that of the paper in plain loops and of pycocoevalcap, and refuses frequencies that weigh nothing."""

import json
import math
from collections import Counter
from pathlib import Path

import pytest

from mmbench.benchmarks.metrics.caption.cider import DocumentFrequencies, cider_d
from mmbench.benchmarks.metrics.caption.ngrams import Captions
from mmbench.harness.errors import DataError

Text = list[str]


def counted(text: Text, order: int) -> Counter[str]:
    return Counter(" ".join(text[i : i + order]) for i in range(len(text) - order + 1))


def plain_frequencies(references: list[list[Text]]) -> Counter[str]:
    return Counter(
        gram for texts in references for gram in {g for text in texts for n in (1, 2, 3, 4) for g in counted(text, n)}
    )


def plain(candidate: Text, references: list[Text], frequencies: Counter[str], documents: int) -> float:
    """Return equation 4 of Vedantam et al. 2015, with the length that the official script takes."""
    total = 0.0
    for text in references:
        difference = max(len(candidate) - 1, 0) - max(len(text) - 1, 0)
        for order in (1, 2, 3, 4):
            mine, theirs = (
                {g: n * math.log(documents / max(1, frequencies[g])) for g, n in counted(each, order).items()}
                for each in (candidate, text)
            )
            product = sum(min(value, theirs[g]) * theirs[g] for g, value in mine.items() if g in theirs)
            norms = math.hypot(*mine.values()) * math.hypot(*theirs.values())
            total += math.exp(-(difference**2) / 72) * product / norms / 4 if norms else 0.0
    return 10 * total / len(references)


def test_is_the_plain_one(captions) -> None:
    frequencies, documents = plain_frequencies(captions[1]), len(captions[1])
    expected = [plain(*item, frequencies, documents) for item in zip(*captions, strict=True)]
    assert cider_d(Captions.of(*captions)) == pytest.approx(expected, abs=1e-9)


def test_a_given_table_takes_the_place_of_the_corpus(captions) -> None:
    others = [[["only", "there"], ["w0", "w1"]], [["only"]], [["w1", "w0", "w1"]]] * 3
    table = DocumentFrequencies.of(others)
    assert table.frequencies == plain_frequencies(others)
    expected = [plain(*item, plain_frequencies(others), 9) for item in zip(*captions, strict=True)]
    assert cider_d(Captions.of(*captions), table) == pytest.approx(expected, abs=1e-9)
    first = Captions.of(captions[0][:1], captions[1][:1])
    assert cider_d(first, table) == pytest.approx(expected[:1], abs=1e-9)  # one item will do where a table is given


def test_the_own_frequencies_as_a_table_change_nothing(captions, tmp_path: Path) -> None:
    made = DocumentFrequencies.of(captions[1])
    made.write(tmp_path / "table.json")
    read = DocumentFrequencies.read(tmp_path / "table.json")
    assert read == made
    encoded = Captions.of(*captions)
    assert cider_d(encoded, read) == pytest.approx(cider_d(encoded), abs=1e-12)


def test_frequencies_that_weigh_nothing_are_refused() -> None:
    cat = [["a", "cat"]]
    with pytest.raises(DataError, match=r"1 cannot tell: score more items or give a table"):
        cider_d(Captions.of([["a"]], [cat]))
    with pytest.raises(DataError, match=r"score more items"):
        DocumentFrequencies.of([cat])
    with pytest.raises(DataError, match=r"every n-gram .* score more items or give a table"):
        cider_d(Captions.of([["a"], ["dog"]], [cat, cat]))
    with pytest.raises(DataError, match=r"every n-gram"):
        cider_d(Captions.of([["a"], ["dog"]], [[[]], [[]]]))
    assert cider_d(Captions.of([["dog"], ["a"]], [cat, [["a"]]])).tolist() == [0, 0]  # a score, and an honest one


def test_texts_without_tokens_have_no_ngrams() -> None:
    assert DocumentFrequencies.of([[[]], [[]]]).frequencies == {}
    table = DocumentFrequencies(2, {"a": 1})
    assert cider_d(Captions.of([], []), table).shape == (0,)
    assert cider_d(Captions.of([[]], [[["a"], []]]), table).tolist() == [0]


@pytest.mark.parametrize(
    ("held", "says"),
    [
        ("{", "is not JSON"),
        ([], "holds no table"),
        ({"documents": 3}, "holds no table"),
        ({"documents": 1, "frequencies": {}}, "at least 2"),
        ({"documents": True, "frequencies": {}}, "at least 2"),
        ({"frequencies": {"a": 1}}, "documents is None"),
        ({"documents": 3, "frequencies": {"a": 4}}, r"'a' is in 4 documents; make it a number in 1\.\.3"),
        ({"documents": 3, "frequencies": {"a cat": 0}}, "'a cat' is in 0 documents"),
        ({"documents": 3, "frequencies": {"a": 1.5}}, "'a' is in 1.5 documents"),
    ],
)
def test_a_table_that_is_none_is_named(held: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text(held if isinstance(held, str) else json.dumps(held))
    with pytest.raises(DataError, match=rf"table\.json: .*{says}"):
        DocumentFrequencies.read(path)


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.json: cannot be read"):
        DocumentFrequencies.read(tmp_path / "absent.json")
