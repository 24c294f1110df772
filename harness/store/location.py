"""Location of the store: `$MMBENCH_HOME`, else the cache directory of the user."""

import os
from pathlib import Path


def store_path() -> Path:
    """Return where answers are remembered: `$MMBENCH_HOME/store.sqlite`, by default in the user's cache directory."""
    home = os.environ.get("MMBENCH_HOME")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(home) if home else cache / "mmbench") / "store.sqlite"
