"""Proof of an export: the same pictures, tokens and vectors as the model itself has, or no folder."""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from mmbench.adapters.onnx.adapter import OnnxEncoder
from mmbench.adapters.onnx.export.source import Exportable
from mmbench.adapters.onnx.towers import exported
from mmbench.adapters.shared.words import Words
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import ImageVectors

ALLOWED = 1e-4
"""Largest difference of a vector, relative to its norm."""
_PIXELS = 1e-5
"""Largest difference of a prepared number: its rounding, and nothing of a picture."""
_SIZES = ((40, 30), (64, 64), (37, 91), (333, 250), (9, 120), (7, 5))
"""Widths and heights: odd margins, both orientations, larger and smaller than any model's input."""

TEXTS = (
    "a photo of a cat",
    "A Dog, isn't it? I'M sure they'LL say \"yes\"",
    "",
    "   two  spaces\tand\na line ",
    "word " * 400,
    "x" * 700,
    "naïve café, cafe\u0301, Straße, İstanbul, ǅ",
    "3.14 € ½ ² Ⅷ 12,345",
    "🙂 👩‍👩‍👧 🇫🇷 ☃️",
    "日本語のテキストと漢字",
    "العربية नमस्ते ไทย עברית",
    "full　ｗｉｄｔｈ \u200bzero\u200d\ufeff width",
    "&lt;b&gt;bold&lt;/b&gt; &amp;amp; schÃ¶n â€œquotedâ€\x9d",
    "snake_case - dash – dash… (brackets) [square] {0} #tag @name",
    "<start_of_text> <|startoftext|> </s> <pad> [CLS] [SEP] [MASK] <unk>",
    "!!<end_of_text>a <|endoftext|>",
    "\u0345 \u017f 'ſ \x1c \x85 \u2028 \ud7ff",
)


def check_pictures(source: Exportable) -> None:
    """Raise UsageError unless pictures prepared from the settings are those of the source."""
    for picture in _pictures():
        want, own = source.prepared(picture), source.preparation
        found = own.normalised([own.pixels(picture)])[0]
        if found.shape != want.shape or np.abs(found - want).max() > _PIXELS:
            raise UsageError(
                f"its pictures cannot be prepared alike without its library (one of {picture.width} × {picture.height} "
                f"pixels differs)"
            )


def differences(source: Exportable, folder: Path) -> tuple[float, float]:
    """Return how far vectors of pictures and of texts differ from the source's, relative to their norms.

    Raises UsageError for tokens that differ, or vectors that differ by more than allowed.
    """
    made, own = OnnxEncoder(exported(folder), "cpu"), source.adapter
    _check_tokens(source, folder)
    images = _pictures()
    pairs = [
        (
            _vectors(made.embed_images([made.prepare_image(each) for each in images])),
            _vectors(own.embed_images([own.prepare_image(each) for each in images])),
        ),
        ([made.embed_texts([*TEXTS])], [own.embed_texts([*TEXTS])]),
    ]
    apart = [max(map(_apart, *both)) for both in pairs]
    for what, found in zip(("pictures", "texts"), apart, strict=True):
        if not found <= ALLOWED:
            raise UsageError(
                f"its graphs give {what} other vectors than the model, by {found:.1e} of their norm where {ALLOWED:g} "
                f"is allowed, so nothing is written"
            )
    return apart[0], apart[1]


def tried() -> tuple[int, int]:
    """Return how many pictures and texts are compared."""
    return len(_SIZES), len(TEXTS)


def _check_tokens(source: Exportable, folder: Path) -> None:
    words = Words(exported(folder).tokenizer, source.texts.steps, source.texts.context)
    for text, found, want in zip(TEXTS, words.rows(TEXTS, cut=True), source.tokens([*TEXTS]), strict=True):
        if found + [source.texts.padding or 0] * (len(want) - len(found)) != want:
            raise UsageError(f"its tokenizer makes other tokens without its library, of {text[:30]!r} for one")


def _vectors(found: Any) -> list[Any]:
    return [found.embedding, found.features] if isinstance(found, ImageVectors) else [found]


def _apart(found: Any, want: Any) -> float:
    return float((np.abs(found - want).max(axis=1) / np.linalg.norm(want, axis=1)).max())


def _pictures() -> list[PIL.Image.Image]:
    noise = np.random.default_rng(0)
    return [PIL.Image.fromarray(noise.integers(0, 256, (high, wide, 3), dtype=np.uint8)) for wide, high in _SIZES]
