"""Pictures with bytes changed: right pixels or one line within two seconds, and a digest that tells what was done."""

import io
import random
from time import process_time
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.image import Image
from tests.effort import slowness

CASES = 2500
SLOWEST = 2.0
"""CPU seconds, besides those of pixels, of which a header of some bytes may claim many."""
MEGAPIXELS = 5
"""Decoded in a second."""


def saved(image: PIL.Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def originals() -> list[bytes]:
    """Return small pictures of every kind of header that is looked at."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 9, 4), dtype=np.uint8)
    plain, clear = PIL.Image.fromarray(noise[..., :3]), PIL.Image.fromarray(noise)
    wide = PIL.Image.fromarray(noise[..., :2].copy().view(np.uint16)[..., 0])
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a picture"
    more: dict[str, Any] = {"save_all": True, "append_images": [plain.rotate(180)]}
    palette = plain.quantize(16)
    return [
        *(saved(plain, kind, exif=exif) for kind in ("PNG", "JPEG", "TIFF", "WEBP")),
        *(saved(plain, kind, **more) for kind in ("PNG", "GIF", "TIFF", "WEBP", "MPO")),
        *(saved(clear, kind) for kind in ("PNG", "GIF", "TIFF", "WEBP", "TGA", "ICO")),
        *(saved(wide, kind) for kind in ("PNG", "TIFF", "PPM", "JPEG2000")),
        *(saved(palette, kind, transparency=3) for kind in ("PNG", "GIF")),
        saved(plain.convert("L"), "PNG", transparency=7),
        saved(plain.convert("1"), "TIFF", compression="group4"),
        saved(plain.convert("CMYK"), "JPEG"),
        saved(plain.convert("F"), "TIFF"),
        saved(plain, "BMP"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n",
    ]


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return a picture after one to four changes, most of them in its header."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(min(len(made), chance.choice((40, 120, len(made)))))
        way = chance.randrange(7)
        if way <= 1:
            made[at] = chance.choice((0, 1, 2, 3, 8, 16, 127, 128, 255, chance.randrange(256)))
        elif way == 2:
            made[at : at + 4] = chance.choice(
                (b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\xff\xff", b"eXIf", b"tRNS")
            )
        elif way == 3:
            made[at] ^= 1 << chance.randrange(8)
        elif way == 4:
            made[at : at + chance.randrange(9)] = b""
        elif way == 5:
            other = chance.choice(others)
            start = chance.randrange(len(other))
            made[at : at + 8] = other[start : start + chance.choice((4, 12, 30))]
        else:
            del made[max(at, 12) :]
        made = made or bytearray(b"x")
    return bytes(made)


def as_before(data: bytes) -> np.ndarray | None:
    """Return the pixels that stores made before hold vectors of."""
    try:
        with PIL.Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    except Exception:
        return None


@pytest.mark.filterwarnings("ignore")
def test_changed_pictures() -> None:
    chance = random.Random(0)  # noqa: S311
    seeds = originals()
    read = 0
    for i in range(CASES):
        data = seeds[i] if i < len(seeds) else mutated(chance.choice(seeds), seeds, chance)
        image = Image.from_bytes(data, "row 1")
        start = process_time()
        try:
            pixels = image.pil()
        except Unreadable as error:
            message = str(error)
            assert message.startswith("row 1: "), message
            assert len(message) < 400, message
            assert message.isprintable(), message
            pixels = None
        size = 90 if pixels is None else pixels.width * pixels.height / 1e6
        took = process_time() - start
        bound = SLOWEST + size / MEGAPIXELS
        case = f"case {i}, {took:.1f} s, {image.changes}: {data[:400]!r}"
        assert took < bound or took < bound * slowness(), case
        assert image.digest == Image.from_bytes(data, "again").digest, case
        if pixels is None:
            continue
        read += 1
        assert pixels.mode == "RGB", case
        if image.digest == digest_bytes(b"encoded", data):
            assert np.array_equal(as_before(data), np.asarray(pixels)), f"other pixels under the old digest, {case}"
    assert read > 20, "most seeds are readable"
