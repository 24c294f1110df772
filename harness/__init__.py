"""The core: tasks, subjects, the store, the engine, records, boards and the command line."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmbench.harness.errors import MmbenchError, OutOfMemory, Unsupported
    from mmbench.harness.media.image import Image
    from mmbench.harness.models.abilities import Generation, ImageVectors

_PUBLIC = {
    "Generation": "mmbench.harness.models.abilities",
    "Image": "mmbench.harness.media.image",
    "ImageVectors": "mmbench.harness.models.abilities",
    "MmbenchError": "mmbench.harness.errors",
    "OutOfMemory": "mmbench.harness.errors",
    "Unsupported": "mmbench.harness.errors",
}

__all__ = ["Generation", "Image", "ImageVectors", "MmbenchError", "OutOfMemory", "Unsupported"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `mmbench --help` does not wait for NumPy."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mmbench.harness' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)
