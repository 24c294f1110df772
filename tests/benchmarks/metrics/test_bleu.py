"""BLEU is that of the paper in plain loops, with the constants of COCO's evaluation, and of pycocoevalcap itself."""

import math
from collections import Counter

import numpy as np
import pytest

from mmbench.benchmarks.metrics.caption.bleu import bleu, bleu_of_each, bleu_statistics, length_ratio
from mmbench.benchmarks.metrics.caption.ngrams import Captions


def plain_statistics(candidate: list[str], references: list[list[str]]) -> list[float]:
    """Count as Papineni et al. 2002 say, section 2."""

    def counted(text: list[str], order: int) -> Counter[tuple[str, ...]]:
        return Counter(tuple(text[i : i + order]) for i in range(len(text) - order + 1))

    matches, possible = [], []
    for order in (1, 2, 3, 4):
        mine = counted(candidate, order)
        matches.append(sum(min(n, max(counted(text, order)[gram] for text in references)) for gram, n in mine.items()))
        possible.append(mine.total())
    closest = min((len(text) for text in references), key=lambda length: (abs(length - len(candidate)), length))
    return [*matches, *possible, len(candidate), closest]


def plain_bleu(totals: list[float], k: int) -> float:
    precisions = [(totals[i] + 1e-15) / (totals[4 + i] + 1e-9) for i in range(k)]
    ratio = (totals[8] + 1e-15) / (totals[9] + 1e-9)
    return math.prod(precisions) ** (1 / k) * (math.exp(1 - 1 / ratio) if ratio < 1 else 1)


def test_is_the_plain_one(captions) -> None:
    expected = [plain_statistics(*item) for item in zip(*captions, strict=True)]
    made = bleu_statistics(Captions.of(*captions))
    assert made.tolist() == expected
    each = [[plain_bleu(row, k) for k in (1, 2, 3, 4)] for row in expected]
    assert bleu_of_each(made) == pytest.approx(np.array(each), abs=1e-12)
    for k in (1, 2, 3, 4):
        total = plain_bleu(np.sum(expected, axis=0).tolist(), k)
        assert bleu(made, np.ones((1, len(made))), k) == pytest.approx([total], abs=1e-12)


def test_weights_are_repeated_items(captions) -> None:
    candidates, references = captions
    n = len(candidates)
    made = bleu_statistics(Captions.of(candidates, references))
    weights = np.random.default_rng(0).integers(0, 3, (4, n))
    for row in weights:
        chosen = np.repeat(np.arange(n), row)
        again = bleu_statistics(Captions.of([candidates[i] for i in chosen], [references[i] for i in chosen]))
        assert bleu(made, row[None].astype(float), 4) == pytest.approx(bleu(again, np.ones((1, len(chosen))), 4))
        if again[:, 9].any():
            assert length_ratio(made[:, 8:], row[None].astype(float)) == pytest.approx(
                again[:, 8].sum() / again[:, 9].sum()
            )


def test_length_ratio_of_nothing_is_not_defined() -> None:
    assert np.isnan(length_ratio(np.array([[3.0, 0.0]]), np.ones((1, 1)))).all()


def test_no_captions_at_all() -> None:
    assert bleu_statistics(Captions.of([], [])).shape == (0, 10)


def test_is_that_of_the_reference_table(coco, coco_captions) -> None:
    made = bleu_statistics(Captions.of(*coco_captions))
    each = [[item["scores"][f"bleu_{k}"] for k in (1, 2, 3, 4)] for item in coco["items"]]
    assert bleu_of_each(made) == pytest.approx(np.array(each), abs=1e-12)
    for k in (1, 2, 3, 4):
        assert bleu(made, np.ones((1, len(made))), k) == pytest.approx([coco["corpus"][f"bleu_{k}"]], abs=1e-12)


def test_is_that_of_pycocoevalcap(captions) -> None:
    official = pytest.importorskip("pycocoevalcap.bleu.bleu")
    candidates = {i: [" ".join(text)] for i, text in enumerate(captions[0])}
    references = {i: [" ".join(text) for text in texts] for i, texts in enumerate(captions[1])}
    total, each = official.Bleu(4).compute_score(references, candidates, verbose=0)
    made = bleu_statistics(Captions.of(*captions))
    assert bleu_of_each(made) == pytest.approx(np.array(each).T, abs=1e-12)
    assert [bleu(made, np.ones((1, len(made))), k)[0] for k in (1, 2, 3, 4)] == pytest.approx(total, abs=1e-12)
