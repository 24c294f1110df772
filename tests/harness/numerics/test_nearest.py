"""The nearest of a gallery, over blocks as over the whole."""

import numpy as np
import pytest

from mmbench.harness.numerics import nearest as module
from mmbench.harness.numerics.nearest import nearest


def test_blocks_find_what_the_whole_product_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(50, 8)).astype(np.float32), rng.normal(size=(90, 8)).astype(np.float32)
    wanted = rng.random(50) < 0.6
    whole = np.where(wanted, (queries @ gallery.T).argmax(axis=1), -1)
    monkeypatch.setattr(module, "_ROWS", 7)
    monkeypatch.setattr(module, "_COLS", 11)
    np.testing.assert_array_equal(nearest(queries, gallery, wanted), whole)


def test_of_equal_scores_the_first_stands_and_nobody_asked_is_fine() -> None:
    same = np.ones((3, 2))
    assert nearest(same, same, np.array([True, False, True])).tolist() == [0, -1, 0]
    assert nearest(same, same, np.zeros(3, bool)).tolist() == [-1, -1, -1]
