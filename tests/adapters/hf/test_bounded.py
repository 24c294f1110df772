"""Limits on code of a checkpoint's author: it ends, and leaves the process as it was."""

import resource
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mmbench.adapters.hf.bounded import within


def test_returns_and_raises_what_the_call_does():
    assert within(60, lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_what_does_not_end_is_ended():
    def endless():
        while True:
            pass

    before = threading.active_count()
    with pytest.raises(TimeoutError, match="not done after 0.1 s"):
        within(0.1, endless)
    assert threading.active_count() <= before  # threads of earlier tests may end meanwhile


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_memory_is_limited_meanwhile_and_not_afterwards():
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError):
        within(60, lambda: bytearray(8 << 30))
    with ThreadPoolExecutor(4) as pool:
        limits = list(pool.map(lambda _: within(60, lambda: resource.getrlimit(resource.RLIMIT_AS)), range(40)))
    assert before not in limits
    assert resource.getrlimit(resource.RLIMIT_AS) == before
