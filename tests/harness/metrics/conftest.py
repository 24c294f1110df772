"""Figures of other implementations, by subject; each test has a check of its own beside them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[4] / "shared" / "reference"


@pytest.fixture(scope="session")
def reference() -> Callable[[str], Any]:
    """Reads a table of figures; skips where there is none."""

    def read(name: str) -> Any:
        path = FOLDER / f"{name}.json"
        if not path.is_file():
            pytest.skip(f"the reference figures of {name} are not here")
        return json.loads(path.read_text(encoding="utf-8"))

    return read
