"""Data of each test in a folder that has no folders of other tests beside it: pictures are looked for there too."""

from pathlib import Path

import pytest


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """Return a folder alone in its own."""
    own = tmp_path / "data"
    own.mkdir()
    return own
