"""CIDEr-D and ROUGE-L are those of COCO's evaluation, of made-up captions and of real ones."""

from importlib import import_module

import numpy as np
import pytest

from mmbench.benchmarks.metrics.caption.cider import cider_d
from mmbench.benchmarks.metrics.caption.ngrams import Captions
from mmbench.benchmarks.metrics.caption.rouge import rouge_l

METRICS = [
    pytest.param(cider_d, "cider", "pycocoevalcap.cider.cider", "Cider", 1e-9, id="cider"),
    pytest.param(rouge_l, "rouge_l", "pycocoevalcap.rouge.rouge", "Rouge", 1e-12, id="rouge_l"),
]


@pytest.mark.parametrize(("metric", "name", "module", "official", "tolerance"), METRICS)
def test_is_that_of_the_reference_table(coco, coco_captions, metric, name, module, official, tolerance) -> None:
    made = metric(Captions.of(*coco_captions))
    assert made == pytest.approx(np.array([item["scores"][name] for item in coco["items"]]), abs=tolerance)
    assert made.mean() == pytest.approx(coco["corpus"][name], abs=tolerance)


@pytest.mark.parametrize(("metric", "name", "module", "official", "tolerance"), METRICS)
def test_is_that_of_pycocoevalcap(captions, metric, name, module, official, tolerance) -> None:
    pytest.importorskip(module)
    candidates = {i: [" ".join(text)] for i, text in enumerate(captions[0])}
    references = {i: [" ".join(text) for text in texts] for i, texts in enumerate(captions[1])}
    _, each = getattr(import_module(module), official)().compute_score(references, candidates)
    assert metric(Captions.of(*captions)) == pytest.approx(each, abs=tolerance)
