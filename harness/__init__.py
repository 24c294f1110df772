"""The core: tasks, subjects, the store, the engine, records, boards and the command line."""

from mmbench.harness.abilities import Generation, ImageVectors
from mmbench.harness.errors import MmbenchError, OutOfMemory, Unsupported
from mmbench.harness.media import Image

__all__ = ["Generation", "Image", "ImageVectors", "MmbenchError", "OutOfMemory", "Unsupported"]
