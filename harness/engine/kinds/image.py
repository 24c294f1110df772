"""Image embeddings: `embed_images`, one picture an input."""

from typing import Any

from mmbench.harness.engine import checks
from mmbench.harness.engine.kinds.kind import Inputs, Vectors, lengths_of
from mmbench.harness.engine.packing import Value
from mmbench.harness.models.abilities import EmbedsImages
from mmbench.harness.types import Failure


class ImageKind(Vectors):
    """Vectors of pictures, in the space shared with texts and, where the model has them, before it."""

    name = "image"
    window = 64

    def call(self, adapter: Any, inputs: Inputs) -> list[Value | Failure]:
        """Call `embed_images`. Raises BrokenReply."""
        tower: EmbedsImages = adapter
        made = tower.embed_images([pictures[0] for _, pictures in inputs])
        return checks.vectors(made, len(inputs), "embed_images")

    def lengths(self, value: Value) -> tuple[int, ...] | None:
        """Return the lengths of a picture's vectors."""
        return lengths_of(value)


IMAGE = ImageKind()
