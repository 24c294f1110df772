"""Pictures are seen as people see them: upright, on white, by their first frame, and no level is clipped."""

import io
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.image import Image
from mmbench.harness.media.pixels import FIRST_FRAME, ON_WHITE, SCALED, TURNED
from mmbench.harness.run.run import run

ORIENTATION = 0x0112
WIDE = np.array([[0, 257, 514, 32768, 65535]], np.uint16)
BYTES = [0, 1, 2, 128, 255]
STRIP = np.array([[[9, 9, 9], [200, 0, 0]], [[0, 200, 0], [0, 0, 200]], [[50, 60, 70], [80, 90, 100]]], np.uint8)


def saved(image: PIL.Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, bits: int, colour: int, row: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG of one row."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, bits, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + header + before + pixels + after + chunk(b"IEND", b"")


def seen(data: bytes) -> list[Any]:
    return np.asarray(Image.from_bytes(data, "row 1").pil())[0].tolist()


def greys(data: bytes) -> list[int]:
    row = np.asarray(Image.from_bytes(data, "row 1").pil())[0]
    assert (row == row[:, :1]).all()
    return row[:, 0].tolist()


def changes(data: bytes) -> tuple[str, ...]:
    image = Image.from_bytes(data, "row 1")
    assert image.digest
    return image.changes


# Levels


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM", "JPEG2000"])
def test_sixteen_bits_are_scaled_by_their_whole_range(kind: str) -> None:
    data = saved(PIL.Image.fromarray(WIDE), kind)
    assert greys(data) == BYTES
    assert changes(data) == (SCALED,)


def test_other_notations_of_sixteen_bits() -> None:
    big_endian = PIL.Image.frombytes("I;16B", (5, 1), WIDE.astype(">u2").tobytes())
    assert greys(saved(big_endian, "TIFF")) == BYTES
    assert np.asarray(Image.from_pil(big_endian).pil())[0, :, 0].tolist() == BYTES
    counted_from_white = bytearray(saved(PIL.Image.fromarray(WIDE), "TIFF"))
    entry = counted_from_white.index(struct.pack("<HHIH", 262, 3, 1, 1))
    counted_from_white[entry + 8] = 0
    assert greys(bytes(counted_from_white)) == BYTES[::-1] or greys(bytes(counted_from_white)) == [
        255,
        254,
        253,
        127,
        0,
    ]
    colours = struct.pack(">6H", 65535, 0, 257, 1000, 2000, 3000)
    assert seen(png(2, 16, 2, colours)) == [[255, 0, 1], [3, 7, 11]]


def test_twelve_bits_have_a_range_of_their_own() -> None:
    data = bytearray(saved(PIL.Image.fromarray(np.zeros((1, 4), np.uint16)), "TIFF", compression=None))
    entry = data.index(struct.pack("<HHIH", 258, 3, 1, 16))
    data[entry + 8] = 12
    start = struct.unpack_from("<I", data, data.index(struct.pack("<HHI", 273, 4, 1)) + 8)[0]
    data[start : start + 6] = bytes([0xFF, 0xF8, 0x00, 0x00, 0x00, 0x00])  # 4095, 2048, 0, 0
    assert greys(bytes(data)) == [255, 128, 0, 0]


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (PIL.Image.fromarray(np.array([[0, 70000]], np.int32)), "32-bit or signed levels"),
        (PIL.Image.fromarray(np.array([[0.0, 1.0]], np.float32)), "floating-point levels"),
    ],
)
def test_levels_of_no_sure_range_are_an_error_with_the_remedy(image: PIL.Image.Image, why: str) -> None:
    data = saved(image, "TIFF")
    with pytest.raises(Unreadable, match=f"row 1: {why}.*save it with 8 bits"):
        Image.from_bytes(data, "row 1").pil()
    with pytest.raises(Unreadable, match=why):
        Image.from_pil(image)
    assert Image.from_bytes(data, "row 1").digest != digest_bytes(b"encoded", data), "clipped pixels may be remembered"


@pytest.mark.parametrize(
    ("mode", "colour", "rgb"),
    [
        ("1", 1, [255, 255, 255]),
        ("L", 7, [7, 7, 7]),
        ("CMYK", (0, 255, 255, 0), [255, 0, 0]),
        ("YCbCr", (255, 128, 128), [255, 255, 255]),
        ("LAB", (255, 128, 128), [255, 255, 255]),
        ("HSV", (0, 255, 255), [255, 0, 0]),
    ],
)
def test_other_colours(mode: str, colour: Any, rgb: list[int]) -> None:
    made = np.asarray(Image.from_pil(PIL.Image.new(mode, (1, 1), colour)).pil())[0, 0]
    assert np.abs(made.astype(int) - rgb).max() <= 1


# Transparency


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "TGA"])
def test_alpha_is_set_on_white(kind: str) -> None:
    image = PIL.Image.fromarray(np.array([[[0, 0, 0, 0], [255, 0, 0, 255], [0, 0, 0, 51]]], np.uint8))
    data = saved(image, kind, **({"lossless": True} if kind == "WEBP" else {}))
    assert seen(data) == [[255, 255, 255], [255, 0, 0], [204, 204, 204]]
    assert changes(data) == (ON_WHITE,)


def test_an_opaque_picture_keeps_its_pixels() -> None:
    levels = np.arange(256, dtype=np.uint8)
    opaque = np.stack([levels, levels[::-1], levels, np.full(256, 255, np.uint8)], axis=-1)[None]
    assert seen(saved(PIL.Image.fromarray(opaque), "PNG")) == opaque[0, :, :3].tolist()


def palette() -> PIL.Image.Image:
    image = PIL.Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    return image


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (saved(palette(), "PNG", transparency=0), [[255] * 3, [40, 50, 60]]),
        (saved(palette(), "PNG", transparency=b"\xff\x00"), [[10, 20, 30], [255] * 3]),
        (saved(palette(), "GIF", transparency=1), [[10, 20, 30], [255] * 3]),
        (png(2, 8, 0, b"\5\6", chunk(b"tRNS", b"\0\5")), [[255] * 3, [6] * 3]),
        (png(4, 2, 0, b"\x1b", chunk(b"tRNS", b"\0\1")), [[0] * 3, [255] * 3, [170] * 3, [255] * 3]),
        (png(2, 4, 0, b"\x12", chunk(b"tRNS", b"\0\1")), [[255] * 3, [34] * 3]),
        (png(8, 1, 0, b"\x0f", chunk(b"tRNS", b"\0\0")), [[255] * 3] * 8),
        (png(2, 16, 0, struct.pack(">2H", 257, 514), chunk(b"tRNS", b"\1\1")), [[255] * 3, [2] * 3]),
        (png(2, 16, 4, struct.pack(">4H", 257, 0, 514, 65535)), [[255] * 3, [2] * 3]),
        (png(1, 8, 2, b"\1\2\3", chunk(b"tRNS", b"\0\1\0\2\0\3")), [[255] * 3]),
    ],
)
def test_transparent_colours_are_set_on_white(data: bytes, expected: list[list[int]]) -> None:
    assert seen(data) == expected
    assert ON_WHITE in changes(data)


def test_a_transparent_colour_of_16_bits_is_an_error() -> None:
    data = png(1, 16, 2, struct.pack(">3H", 1000, 2000, 3000), chunk(b"tRNS", struct.pack(">3H", 1000, 2000, 3000)))
    with pytest.raises(Unreadable, match="one colour of 16 bits stands for transparency"):
        Image.from_bytes(data, "row 1").pil()


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA", "RGBa"])
def test_transparent_pictures_in_memory(mode: str) -> None:
    assert np.asarray(Image.from_pil(PIL.Image.new(mode, (1, 1), 0)).pil()).tolist() == [[[255] * 3]]


# Orientation


def turned(kind: str, orientation: int) -> bytes:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(PIL.Image.fromarray(STRIP), kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))


UPRIGHT = {
    1: STRIP,
    2: STRIP[:, ::-1],
    3: STRIP[::-1, ::-1],
    4: STRIP[::-1],
    5: STRIP.transpose(1, 0, 2),
    6: np.rot90(STRIP, -1),
    7: STRIP[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(STRIP),
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_honoured(kind: str, orientation: int) -> None:
    data = turned(kind, orientation)
    assert np.array_equal(np.asarray(Image.from_bytes(data, "row 1").pil()), UPRIGHT[orientation])
    assert changes(data) == (() if orientation == 1 else (TURNED,))


def test_orientation_of_a_jpeg() -> None:
    assert Image.from_bytes(turned("JPEG", 6), "row 1").pil().size == (3, 2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_pixels_hold_no_file_and_are_ones_own(kind: str) -> None:
    content = Image.from_bytes(saved(PIL.Image.fromarray(STRIP), kind), "row 1").read()
    first, second = content.decode(), content.decode()
    assert not getattr(first, "fp", None) and not getattr(first, "_fp", None)
    assert np.array_equal(pickle.loads(pickle.dumps(first)), second)
    first.paste((0, 0, 0), (0, 0, *first.size))
    assert not np.array_equal(first, second)


def test_orientation_behind_the_pixels_of_a_png() -> None:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 3
    data = png(2, 8, 0, b"\1\2", after=chunk(b"eXIf", exif.tobytes()[6:]))
    assert greys(data) == [2, 1]
    assert changes(data) == (TURNED,)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"x", b"Exif\0\0MM\0*" + b"\xff" * 40]
)
def test_damaged_exif_says_nothing(exif: bytes) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        data = saved(PIL.Image.fromarray(STRIP), kind, exif=exif)
        assert Image.from_bytes(data, "row 1").pil().size == (2, 3)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none(orientation: int) -> None:
    assert changes(turned("JPEG", orientation)) == ()


# Frames and formats


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_is_seen(kind: str) -> None:
    first, second = PIL.Image.new("RGB", (4, 4), (255, 0, 0)), PIL.Image.new("RGB", (4, 4), (0, 0, 255))
    how: dict[str, Any] = {"save_all": True, "append_images": [second]}
    data = saved(first, kind, **how, **({"lossless": True} if kind == "WEBP" else {}))
    assert seen(data)[0] == [255, 0, 0]
    assert changes(data) == (FIRST_FRAME,)
    assert Image.from_bytes(data, "row 1").digest == digest_bytes(b"encoded", data), "its pixels are as before"


def test_no_program_is_started_for_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.check_call", lambda *given, **named: pytest.fail("a program was started"))
    data = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    with pytest.raises(Unreadable, match="EPS is no format that is read"):
        Image.from_bytes(data, "photo.jpg").pil()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (bytes(9), "nothing but zeros"),
        (b"\n<!DOCTYPE html><html>404</html>", "it is a web page"),
        (b"<?xml version='1.0'?><svg/>", "an SVG drawing"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"\0\0\0\x18ftypheic" + bytes(80), "it is HEIC"),
        (b"\0\0\0\x18ftypisom" + bytes(80), "it is a video"),
        (b"%PDF-1.7", "it is a PDF"),
        (b"PK\x03\x04" + bytes(80), "it is packed"),
        (b'{"error": 404}', "it is text"),
        (b"whatever", "its format is not known"),
    ],
)
def test_what_stands_in_the_place_of_a_picture_is_named(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        Image.from_bytes(data, "row 1").pil()


def test_pixels_of_no_picture() -> None:
    for array in (np.zeros((2, 2), np.float32), np.zeros((2, 2, 4), np.uint8), np.zeros((0, 2), np.uint8)):
        with pytest.raises(Unreadable, match="expected uint8 grey or RGB"):
            Image.from_array(array, "made").pil()


# Identity


def test_a_picture_as_it_was_keeps_its_digest() -> None:
    for kind in ("PNG", "JPEG", "BMP"):
        data = saved(PIL.Image.fromarray(STRIP), kind)
        assert Image.from_bytes(data, "row 1").digest == digest_bytes(b"encoded", data)
    damaged = b"\x89PNG\r\n\x1a\n"
    assert Image.from_bytes(damaged, "row 1").digest == digest_bytes(b"encoded", damaged)


@pytest.mark.parametrize(
    "data",
    [
        turned("JPEG", 6),
        turned("PNG", 8),
        saved(PIL.Image.new("RGBA", (2, 2)), "PNG"),
        saved(PIL.Image.fromarray(WIDE), "PNG"),
        saved(palette(), "GIF", transparency=1),
    ],
)
def test_changed_pixels_have_a_digest_of_their_own(data: bytes) -> None:
    image = Image.from_bytes(data, "row 1")
    assert image.digest != digest_bytes(b"encoded", data)
    assert image.read().changes == image.without_pixels().changes == image.changes


def test_a_record_counts_what_was_done(tmp_path: Path) -> None:
    PIL.Image.new("RGBA", (4, 4), (255, 0, 0, 9)).save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(turned("JPEG", 6))
    PIL.Image.new("RGB", (4, 4), (0, 0, 9)).save(tmp_path / "c.png")
    rows = ["image,label", "a.png,x", "./a.png,x", "b.jpg,y", "c.png,y"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    (tmp_path / "t.yaml").write_text("name: t\nfamily: zero-shot-classification\nsource: {kind: csv, path: t.csv}\n")
    for _ in range(2):  # asked, then remembered
        made = run(
            "chance", task=str(tmp_path / "t.yaml"), output=tmp_path / "results", store=tmp_path / "store.sqlite"
        )
        assert list(made.records[0].notes) == [
            "pictures turned upright, as the orientation in their EXIF data says: 1",
            "pictures set on white, as they have transparency: 1",
        ]
