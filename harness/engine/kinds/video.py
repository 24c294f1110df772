"""Video embeddings: `embed_videos`, the frames of one clip an input."""

from typing import Any

from mmbench.harness.engine import checks
from mmbench.harness.engine.kinds.kind import Inputs, Vectors, lengths_of
from mmbench.harness.engine.packing import Value
from mmbench.harness.models.abilities import EmbedsVideos
from mmbench.harness.types import Failure


class VideoKind(Vectors):
    """Vectors of clips, in the space shared with texts."""

    name = "video"
    first = 4
    largest = 64

    def call(self, adapter: Any, inputs: Inputs) -> list[Value | Failure]:
        """Call `embed_videos`. Raises BrokenReply."""
        tower: EmbedsVideos = adapter
        made = tower.embed_videos([frames for _, frames in inputs])
        return checks.vectors(made, len(inputs), "embed_videos")

    def lengths(self, value: Value) -> tuple[int, ...] | None:
        """Return the length of a clip's vector."""
        return lengths_of(value)


VIDEO = VideoKind()
