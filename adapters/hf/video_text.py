"""Adapter class for X-CLIP: clips embedded over their frames, texts scored beside a clip, on which they depend."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mmbench.adapters.hf import towers
from mmbench.adapters.hf.dual_encoder import DualEncoder, Vectors, as_numpy
from mmbench.adapters.hf.source import FromFiles
from mmbench.adapters.shared.asking import ask
from mmbench.harness.models.abilities import Frames, Prepared

if TYPE_CHECKING:
    import torch

_REMEMBERED = 1 << 16
"""Texts whose vectors, as they are before a clip changes them, are kept: a task asks the same beside each clip."""


class VideoTextModel(DualEncoder):
    """X-CLIP: its `score_texts` gives the logits of its own forward pass, which has no vector of a text alone.

    A clip has exactly as many frames as the model was made for; one picture, or a clip of one frame, stands still.
    """

    takes_clips = True

    def __init__(self, source: FromFiles) -> None:
        super().__init__(source)
        self._known: dict[tuple[int, ...], torch.Tensor] = {}

    def embed_videos(self, videos: list[list[Prepared]]) -> Vectors:
        """Return (n, d) vectors of clips. Raises ValueError for another number of frames, and as `embed_images`."""
        model = self._source.model
        pixels = self._stacked(videos)
        return as_numpy(ask(model, lambda: towers.videos(model, pixels)))

    def score_texts(self, items: list[tuple[list[Prepared], str, list[str]]]) -> list[list[float]]:
        """Return for each (clip, prompt, texts) the logit of each text, prompt before it, less the logit scale.

        These are at most 0, and log-probabilities but for what all texts of a clip share: their softmax is that of
        `logits_per_video`, and clips can be ranked for a text. Texts beyond the context length are cut (see
        `cuts_answer`). Raises ValueError for an item of another thing than one clip or picture, for another number of
        frames, OutOfMemory, WeightsUnavailable and UsageError.
        """
        model = self._source.model
        pixels = self._stacked([_clip_of(shown) for shown, _, _ in items])
        rows = [
            self.tokens([_joined(prompt, text) for text in texts], cut=True) if texts else []
            for _, prompt, texts in items
        ]
        return ask(model, lambda: self._scored(model, pixels, [[*map(tuple, row)] for row in rows]))

    def cuts_answer(self, prompt: str, text: str) -> bool:
        """Return True where prompt and text have more tokens than the model reads."""
        return self.truncates([_joined(prompt, text)])[0]

    def _scored(
        self, model: Any, pixels: "torch.Tensor", rows: Sequence[Sequence[tuple[int, ...]]]
    ) -> list[list[float]]:
        clips, patches = towers.clips(model, pixels)
        scale = model.logit_scale.float().exp()
        found: list[list[float]] = []
        for clip, seen, row in zip(clips, patches, rows, strict=True):
            if not row:
                found.append([])
                continue
            texts = self._vectors(model, row)[None]
            texts = texts + model.prompts_generator(texts, seen[None])
            cosines = _unit(texts[0]) @ _unit(clip)
            found.append((scale * (cosines - 1)).clamp(max=0).tolist())
        return found

    def _vectors(self, model: Any, rows: Sequence[tuple[int, ...]]) -> "torch.Tensor":
        """Return (texts, d) vectors before a clip changes them."""
        import torch

        known = self._known
        new = [row for row in dict.fromkeys(rows) if row not in known]
        if len(known) + len(new) > _REMEMBERED:
            known.clear()
            new = [*dict.fromkeys(rows)]
        if new:
            known.update(zip(new, self.token_vectors(model, [*map(list, new)]), strict=True))
        return torch.stack([known[row] for row in rows])

    def _stacked(self, clips: Sequence[Sequence[Prepared]]) -> "torch.Tensor":
        """Return (clips, frames, 3, height, width) pixels on the device of the model, in its dtype."""
        import torch

        model = self._source.model
        wanted = model.config.vision_config.num_frames
        for clip in clips:
            if len(clip) not in (1, wanted):
                raise ValueError(
                    f"{self._source.label} is made for clips of {wanted} frames and is shown {len(clip)}; set `count: "
                    f"{wanted}` in the `frames` of the task"
                )
        pixels = [torch.stack([frame["pixel_values"] for frame in clip]) for clip in clips]
        return torch.stack([each.expand(wanted, -1, -1, -1) for each in pixels]).to(model.device, model.dtype)


def _clip_of(shown: Sequence[Any]) -> Sequence[Prepared]:
    if len(shown) != 1:
        raise ValueError(f"X-CLIP scores texts beside one clip or picture; an item shows {len(shown)}")
    (only,) = shown
    return only.pictures if isinstance(only, Frames) else [only]


def _joined(prompt: str, text: str) -> str:
    return f"{prompt} {text}".strip()


def _unit(vectors: "torch.Tensor") -> "torch.Tensor":
    from torch.nn.functional import normalize

    return normalize(vectors.float(), dim=-1, eps=0.0)
