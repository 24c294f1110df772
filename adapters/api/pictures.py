"""Pictures as they are sent: pixels alone, at a stated size and format; nothing else of a file leaves the machine."""

import base64
import io

import PIL.Image

from mmbench.adapters.api.spec import Pictures

_PIXELS_A_TOKEN = 750
"""About as many as services count; for estimates only."""


def encoded(image: PIL.Image.Image, how: Pictures) -> bytes:
    """Return a picture as a data URL. Neither EXIF nor a colour profile, a comment or a place goes with it."""
    # Made anew of the pixels: savers take parts of a file's metadata from the picture itself.
    bare = PIL.Image.frombytes("RGB", image.size, image.convert("RGB").tobytes())
    sent = sent_size(*bare.size, how)
    if sent != bare.size:
        bare = bare.resize(sent, PIL.Image.Resampling.LANCZOS)
    held = io.BytesIO()
    if how.format == "png":
        bare.save(held, "PNG")
    else:
        bare.save(held, "JPEG", quality=how.quality, subsampling=0)  # colours stay as sharp as the rest
    return f"data:image/{how.format};base64,".encode() + base64.b64encode(held.getvalue())


def sent_size(width: int, height: int, how: Pictures) -> tuple[int, int]:
    """Return the size in which a picture of this one is sent."""
    side = max(width, height)
    if side <= how.max_side:
        return width, height
    return max(1, round(width * how.max_side / side)), max(1, round(height * how.max_side / side))


def tokens(width: int, height: int, how: Pictures) -> int:
    """Return about how many tokens a picture takes."""
    shrunk = min(1.0, how.max_side / max(width, height))
    return int(width * height * shrunk * shrunk / _PIXELS_A_TOKEN) + 1


def described(how: Pictures) -> str:
    """Return how pictures are sent, for a person."""
    kind = "PNG" if how.format == "png" else f"JPEG of quality {how.quality}"
    return f"as {kind} of at most {how.max_side} pixels a side, without EXIF or other metadata"
