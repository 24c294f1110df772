"""What all that is measured here has in common: no search of garbage among what other tests of the process hold."""

from collections.abc import Iterator

import pytest

from mmbench.harness.garbage import seldom_collected


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    """Count no pause as the time of a case: among the objects of a process with models it takes over a second."""
    with seldom_collected():
        yield
