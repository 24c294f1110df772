"""Pixels of encoded pictures as people see them: upright, on white, the first frame, and no level clipped."""

import io
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageFile
from PIL.ExifTags import Base as Exif

from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.instead import MOST, no_picture

Pixels = PIL.Image.Image
"""Decoded RGB `PIL.Image.Image`, as adapters receive it."""

TURNED = "turned upright"
ON_WHITE = "set on white"
SCALED = "16 bits scaled to 8"
FIRST_FRAME = "first frame"
UNSURE = "levels of no sure range"
SAMPLED_BY_TIME = "sampled by time"

NOTES = {
    TURNED: "turned upright, as the orientation in their EXIF data says",
    ON_WHITE: "set on white, as they have transparency",
    SCALED: "scaled from 16 bits to 8",
    FIRST_FRAME: "taken by their first frame or page, as they have several",
    SAMPLED_BY_TIME: "(clips) whose frames are taken by time and not by index, as their rate varies",
}
"""What is done to a picture, as the notes of a record say it; what is refused is an item's error instead."""

_UPRIGHT = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}
"""EXIF 2.32, 4.6.4: value of the tag Orientation to what undoes it."""
_UPSIDE = (
    PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    PIL.Image.Transpose.ROTATE_180,
    PIL.Image.Transpose.FLIP_TOP_BOTTOM,
)
"""Those that leave width and height as they are."""

_PROGRAMS = ("EPS", "WMF")
"""Formats that Pillow hands to programs of the system; no data of others may start one."""

_MOVING = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")
"""Formats of frames and pages. The other pictures in a camera's JPEG are previews, which nobody misses."""

_STILL = ("JPEG", "PNG")
"""Formats whose headers are read without moving on in the file."""

_WHOLE_RANGE = (None, "PNG", "TIFF", "JPEG2000", "PPM")
"""Formats, and pictures in memory, whose unsigned 16 bits run from black 0 to white 65535."""

_LATE = {b"eXIf": "exif", b"Raw profile type exif": "Raw profile type exif", b"XML:com.adobe.xmp": "XML:com.adobe.xmp"}
"""Parts of a PNG that tell the orientation, also behind the pixels, and the keys under which Pillow has them."""

_REMEDY = "save it with 8 bits, or as unsigned 16 bits"


def look(data: bytes) -> tuple[tuple[str, ...], PIL.ImageFile.ImageFile | None]:
    """Return what is done to a picture besides decoding, from its header alone; nothing for an unreadable one.

    Beside it the opened picture where this look left it as it was: to open a small one takes a fifth of its decoding.
    """
    try:
        image = PIL.Image.open(io.BytesIO(data))
        late = image.format == "PNG" and any(mark in data and key not in image.info for mark, key in _LATE.items())
        if late:
            image.load()
        wide = image.mode.startswith(("I", "F"))
        sure = _white(image) is not None
        found = {
            TURNED: _orientation(image) in _UPRIGHT,
            ON_WHITE: image.has_transparency_data,
            SCALED: wide and sure,
            UNSURE: (wide and not sure) or image.format in _PROGRAMS,
            FIRST_FRAME: image.format in _MOVING and _has_more(image),
        }
        kept = image if image.format in _STILL and not late and not found[FIRST_FRAME] else None
        return tuple(change for change, happens in found.items() if happens), kept
    except Exception:  # decoders raise whatever they meet in damaged files, and `decode` says what
        return (), None


def upright_size(opened: PIL.Image.Image | None) -> tuple[int, int] | None:
    """Return width and height of an opened picture as people see it; None where it is not open."""
    if opened is None:
        return None
    turn = _UPRIGHT.get(_orientation(opened))
    on_its_side = turn is not None and turn not in _UPSIDE
    return (opened.height, opened.width) if on_its_side else (opened.width, opened.height)


def decode(data: bytes, locator: str, opened: PIL.ImageFile.ImageFile | None = None) -> Pixels:
    """Return the RGB pixels of an encoded picture, which may be open already. Raises Unreadable."""
    try:
        with PIL.Image.open(io.BytesIO(data)) if opened is None else opened as image:
            limit = PIL.Image.MAX_IMAGE_PIXELS
            if limit is not None and image.width * image.height > limit:
                raise Unreadable(f"{locator}: {image.width} x {image.height} pixels, over the limit of {limit}")
            if image.format in _PROGRAMS:
                raise Unreadable(f"{locator}: {image.format} is no format that is read; save it as PNG or JPEG")
            if image.format == "PNG":
                _scale_colour_key(image, locator)
            return rgb(image, locator)
    except (Unreadable, KeyboardInterrupt):
        raise
    except PIL.Image.DecompressionBombError as error:
        raise Unreadable(f"{locator}: more pixels than are decoded; make it smaller ({_reason(error)})") from error
    except PIL.UnidentifiedImageError as error:
        told = no_picture(data[:MOST]) or "its format is not known"
        raise Unreadable(f"{locator}: not a readable picture ({told})") from error
    except Exception as error:  # decoders raise whatever they meet in damaged files
        raise Unreadable(f"{locator}: not a readable picture ({_reason(error)})") from error


def rgb(image: PIL.Image.Image, locator: str) -> Pixels:
    """Return the RGB pixels of a picture that Pillow opened or made.

    Levels of more than 8 bits are scaled by their whole range; raises Unreadable where that is not sure.
    """
    image.load()
    upright = _UPRIGHT.get(_orientation(image))  # after the load, in which Pillow turns a TIFF itself
    if image.mode.startswith(("I", "F")):
        seen = _scaled(image, locator)
    elif image.has_transparency_data:
        seen = _on_white(image)
    elif image.mode == "RGB" and image.format == "JPEG":
        seen = image  # `convert` would copy it; a picture of another format may hold on to its file
    else:
        seen = image.convert("RGB")
    return seen if upright is None else seen.transpose(upright)


def _orientation(image: PIL.Image.Image) -> int:
    try:
        # A PNG's own method would decode it.
        return int(PIL.Image.Image.getexif(image).get(Exif.Orientation, 1))
    except Exception:  # damaged EXIF data say nothing, as in every viewer
        return 1


def digest_of(image: Pixels) -> str:
    """Return the digest of mode, size and pixels; two pictures of equal bytes but unequal shape differ."""
    return digest_bytes(image.mode.encode(), repr(image.size).encode(), image.tobytes())


def _has_more(image: PIL.Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # only the first frame must be sound
        return False


def _on_white(image: PIL.Image.Image) -> Pixels:
    layer = image.convert("RGBA")
    return PIL.Image.alpha_composite(PIL.Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _scaled(image: PIL.Image.Image, locator: str) -> Pixels:
    white = _white(image)
    if white is None:
        kind = "floating-point" if image.mode == "F" else "32-bit or signed"
        raise Unreadable(f"{locator}: {kind} levels, whose black and white are not known; {_REMEDY}")
    levels = np.asarray(image).astype(np.uint32)
    seen = white - levels if _tags(image).get(Exif.PhotometricInterpretation) == 0 else levels
    grey = ((seen * 255 + white // 2) // white).astype(np.uint8)
    if isinstance(key := image.info.get("transparency"), int):
        grey = np.where(levels == key, np.uint8(255), grey)
    return PIL.Image.fromarray(grey).convert("RGB")


def _white(image: PIL.Image.Image) -> int | None:
    """Return the highest level of a picture of 16 bits; None where it is not sure."""
    if image.mode.startswith("I;16") and image.format in _WHOLE_RANGE:
        bits = _tags(image).get(Exif.BitsPerSample, (16,))
        return (1 << int(bits[0])) - 1
    # Pillow holds the 16 bits of PNM files, and of PNG before its release 11, in 32.
    return 0xFFFF if image.mode == "I" and image.format in ("PNG", "PPM") else None


def _tags(image: PIL.Image.Image) -> Any:
    """Return the tags of a TIFF, and none of anything else."""
    return getattr(image, "tag_v2", {})


def _scale_colour_key(image: PIL.ImageFile.ImageFile, locator: str) -> None:
    """Set right the level of a PNG that stands for transparency: Pillow scales those of the pixels alone."""
    key, raw = image.info.get("transparency"), str(image.tile[0][3]) if image.tile else ""
    if isinstance(key, int) and raw in ("L;2", "L;4"):
        image.info["transparency"] = key * (85 if raw == "L;2" else 17)
    elif isinstance(key, tuple) and raw.startswith("RGB;16"):
        raise Unreadable(f"{locator}: one colour of 16 bits stands for transparency, which is not read; {_REMEDY}")


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] if text else type(error).__name__
