"""Garbage is looked for seldom within a run, and as before behind it."""

import gc

import pytest

from mmbench.harness.garbage import seldom_collected


def test_thresholds_are_as_before_behind_it() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="within"), seldom_collected():
        assert gc.get_threshold()[0] == 10_000
        assert gc.get_freeze_count()
        raise ValueError("within")
    assert gc.get_threshold() == before
    assert not gc.get_freeze_count()


@pytest.mark.parametrize("chosen", [(0, 10, 10), (50_000, 10, 10)])
def test_who_chose_fewer_searches_keeps_them(chosen: tuple[int, int, int]) -> None:
    before = gc.get_threshold()
    gc.set_threshold(*chosen)
    try:
        with seldom_collected():
            assert gc.get_threshold() == chosen
    finally:
        gc.set_threshold(*before)


def test_one_within_another_changes_nothing() -> None:
    with seldom_collected():
        inner = gc.get_threshold(), gc.get_freeze_count() > 0
        with seldom_collected():
            assert (gc.get_threshold(), gc.get_freeze_count() > 0) == inner
        assert (gc.get_threshold(), gc.get_freeze_count() > 0) == inner
