"""Pictures are known by their content, and what cannot be read says so in a sentence."""

import io
import random
import struct
import warnings
import weakref
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.image import Image
from mmbench.harness.store.store import Store
from tests import fakes


def encoded(kind: str = "PNG", side: int = 8) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def array(*shape: int) -> Image:
    return Image.from_array(np.zeros(shape, np.uint8), "zeros")


def turned(parent: PIL.Image.Image | None, /, degrees: int) -> PIL.Image.Image:
    assert parent is not None
    return parent.rotate(degrees)


def grey(parent: PIL.Image.Image | None, /, level: int) -> PIL.Image.Image:
    return PIL.Image.new("L", (3, 2), level)


# Digests


def test_equal_bytes_have_an_equal_digest(tmp_path: Path) -> None:
    data = encoded()
    (tmp_path / "a.png").write_bytes(data)
    (tmp_path / "b.jpg").write_bytes(data)
    made = [Image.from_path(tmp_path / "a.png"), Image.from_path(tmp_path / "b.jpg"), Image.from_bytes(data, "row 1")]
    assert len({image.digest for image in made}) == 1
    assert len(made[0].digest) == 32
    assert Image.from_bytes(encoded("BMP"), "row 2").digest != made[0].digest


def test_size_and_mode_matter() -> None:
    digests = [array(*shape).digest for shape in [(2, 8), (8, 2), (4, 4), (2, 2, 3), (1, 4, 3), (16, 1), (12, 1)]]
    assert len(set(digests)) == len(digests)


def test_the_layout_in_memory_does_not_matter() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert Image.from_array(pixels, "a").digest == Image.from_array(np.asfortranarray(pixels), "b").digest
    assert Image.from_array(pixels[::-1], "a").digest == Image.from_array(pixels[::-1].copy(), "b").digest
    assert Image.from_array(pixels, "a").digest != Image.from_array(pixels[::-1], "b").digest


def test_pixels_and_a_file_of_the_same_bytes_differ() -> None:
    data = b"0123456789ab"
    raw = Image.from_array(np.frombuffer(data, np.uint8).reshape(2, 2, 3), "raw")
    assert raw.digest != Image.from_bytes(data, "file").digest


def test_a_pil_picture_is_its_rgb_pixels() -> None:
    picture = PIL.Image.new("L", (3, 2), 7)
    assert Image.from_pil(picture).digest == Image.from_pil(picture.convert("RGB")).digest
    assert Image.from_pil(picture).pil().getpixel((2, 1)) == (7, 7, 7)


def test_a_derived_digest_names_parent_operation_parameters_and_version() -> None:
    parent = Image.from_bytes(encoded(), "photo")
    first = parent.derive(turned, {"degrees": 90}, 1)
    assert first.digest == Image.from_bytes(encoded(), "elsewhere").derive(turned, {"degrees": 90}, 1).digest
    others = [
        parent,
        parent.derive(turned, {"degrees": 91}, 1),
        parent.derive(turned, {"degrees": 90}, 2),
        parent.derive(grey, {"degrees": 90}, 1),
        first.derive(turned, {"degrees": 90}, 1),
        Image.from_bytes(encoded("BMP"), "photo").derive(turned, {"degrees": 90}, 1),
        Image.render(turned, {"degrees": 90}, 1, "photo"),
    ]
    assert len({first.digest, *(other.digest for other in others)}) == 8
    assert first.locator == "photo"


def test_a_rendered_picture_is_drawn_only_for_its_pixels() -> None:
    drawn: list[int] = []

    def scene(parent: PIL.Image.Image | None, /, level: int) -> PIL.Image.Image:
        drawn.append(level)
        return grey(None, level)

    image = Image.render(scene, {"level": 9}, 1, "scene 9")
    assert image.known_digest is None
    assert image.digest == image.read().digest == image.known_digest
    assert drawn == []
    assert image.pil().mode == "RGB"
    assert image.pil().getpixel((0, 0)) == (9, 9, 9)
    assert drawn == [9, 9]


def test_what_is_derived_by_no_change_has_pixels_of_its_own() -> None:
    parent = Image.from_array(np.zeros((2, 2, 3), np.uint8), "black").kept()

    def same(parent: PIL.Image.Image | None, /) -> PIL.Image.Image:
        assert parent is not None
        return parent

    parent.derive(same, {}, 1).pil().putpixel((0, 0), (255, 0, 0))
    assert parent.pil().getpixel((0, 0)) == (0, 0, 0)


def test_a_digest_reads_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded())
    image = Image.from_path(path)
    before = image.digest
    path.unlink()
    assert image.digest == before
    with pytest.raises(Unreadable):
        image.pil()


def test_digest_and_pixels_come_from_one_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded())
    content = Image.from_path(path).read()
    path.unlink()
    assert content.decode().size == (8, 8)
    assert content.nbytes == len(encoded())


def test_without_pixels_keeps_digest_and_locator_alone() -> None:
    image = Image.from_bytes(encoded(), "row 3")
    digest = image.digest
    bare = image.without_pixels()
    assert (bare.digest, bare.locator) == (digest, "row 3")
    with pytest.raises(Unreadable, match="row 3: the pixels of this picture are no longer held"):
        bare.pil()


def test_without_pixels_lets_the_picture_go() -> None:
    class Watched(Image):  # the class itself has no room for weak references
        __slots__ = ("__weakref__",)

    image = Watched(Image.from_bytes(encoded(), "row 3").read, "row 3")
    watch = weakref.ref(image)
    bare = image.without_pixels()
    del image
    assert watch() is None
    assert bare.locator == "row 3"


def test_known_and_settled(tmp_path: Path) -> None:
    missing = Image.from_path(tmp_path / "missing.png")
    assert (missing.known_digest, missing.settled) == (None, False)
    with pytest.raises(Unreadable):
        missing.read()
    assert (missing.known_digest, missing.settled) == (None, True)
    (tmp_path / "missing.png").write_bytes(encoded())
    assert missing.digest == Image.from_bytes(encoded(), "same").digest
    assert missing.settled


# What cannot be read


def fails(image: Image, *parts: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
        with pytest.raises(Unreadable) as caught:
            image.pil()
    for part in (image.locator, *parts):
        assert part in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    fails(Image.from_path(tmp_path / "gone.png"), "No such file")


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    fails(Image.from_path(tmp_path), "it is a folder, not a file")


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"just text", encoded()[:60], encoded("JPEG")[:200]])
def test_damaged_files(data: bytes) -> None:
    fails(Image.from_bytes(data, "row 5"), "not a readable picture")


def claimed(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims a size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(10_000, 10_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1), (2**30, 1)])
def test_a_picture_that_claims_a_huge_size(size: tuple[int, int]) -> None:
    fails(Image.from_bytes(claimed(*size), "bomb.png"))


def test_a_truncated_claim_within_the_limit() -> None:
    fails(Image.from_bytes(claimed(500, 500), "short.png"), "not a readable picture")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "DDS"])
@pytest.mark.filterwarnings("ignore")
def test_random_damage_never_raises_anything_else(kind: str) -> None:
    random_ = random.Random(kind)
    data = encoded(kind)
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(random_.randint(1, 5)):
            damaged[random_.randrange(min(len(damaged), random_.choice([64, len(damaged)])))] = random_.randrange(256)
        image = Image.from_bytes(bytes(damaged[: random_.randint(1, len(damaged))]), "damaged")
        try:
            assert image.pil().mode == "RGB"
        except Unreadable as error:
            assert str(error).startswith("damaged: ")


# Nothing is decoded without need


def test_nothing_is_decoded_when_it_is_remembered(store: Store, engine: Callable[..., LocalEngine]) -> None:
    drawn: list[int] = []

    def scene(parent: PIL.Image.Image | None, /, level: int) -> PIL.Image.Image:
        drawn.append(level)
        return grey(None, level)

    def asks() -> list[Question]:
        return [Question(IMAGE, (Image.render(scene, {"level": n}, 1, f"scene {n}"),)) for n in range(20)]

    made = engine(fakes.Dual())
    list(store.ask(made, "m", asks()))
    assert sorted(drawn) == list(range(20))
    list(store.ask(made, "m", asks()))
    assert len(drawn) == 20


def test_real_photographs_are_read(photos: Path) -> None:
    path = next(iter(sorted(photos.glob("*.jpg"))))
    image = Image.from_path(path)
    assert image.pil().mode == "RGB"
    assert np.array_equal(np.asarray(image.pil()), np.asarray(PIL.Image.open(path).convert("RGB")))
