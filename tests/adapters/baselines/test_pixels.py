"""The raw-pixel baseline embeds a picture as the means of its areas, and nothing else."""

import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.baselines.pixels import RawPixels, from_spec
from mmbench.adapters.contract.check import check_adapter
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import abilities
from tests.lazy import sk_datasets


def embedded(adapter, *pictures):
    return adapter.embed_images([adapter.prepare_image(picture) for picture in pictures])


def noise(width, height, mode="RGB"):
    channels = len(PIL.Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return PIL.Image.fromarray(pixels.squeeze(), mode)


def test_keeps_the_contract():
    check_adapter(
        RawPixels, changed={"side": lambda: RawPixels(8)}, lazy_spec="mmbench.adapters.baselines.pixels:RawPixels"
    )


def test_embeds_pictures_and_nothing_else():
    assert abilities(RawPixels()) == {"embed_images"}


@pytest.mark.parametrize(("width", "height"), [(32, 64), (160, 16), (48, 48)])
def test_numbers_are_the_means_of_areas(width, height):
    picture = noise(width, height)
    areas = np.asarray(picture, float).reshape(16, height // 16, 16, width // 16, 3).mean(axis=(1, 3)) / 255
    (vector,) = embedded(RawPixels(), picture)
    assert vector.shape == (768,) and vector.dtype == np.float32
    assert np.abs(vector - areas.ravel()).max() <= 1.01 / 255  # 8 bits, rounded once in each direction


def test_a_small_picture_is_repeated():
    picture = noise(8, 8)
    expected = np.asarray(picture).repeat(2, axis=0).repeat(2, axis=1).ravel() / 255
    assert embedded(RawPixels(), picture)[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(mode):
    picture = noise(20, 20, mode)
    assert np.array_equal(embedded(RawPixels(), picture), embedded(RawPixels(), picture.convert("RGB")))


def test_black_and_white():
    black, white = embedded(RawPixels(2), PIL.Image.new("RGB", (9, 5)), PIL.Image.new("RGB", (9, 5), "white"))
    assert not black.any() and (white == 1).all()


@pytest.mark.parametrize(("rest", "side"), [("", 16), ("1", 1), ("8", 8), ("256", 256)])
def test_spec(rest, side):
    pixels = from_spec(rest, device="auto", dtype="auto", offline=True)
    assert pixels.side == side and pixels.fingerprint == f"pixels@1 side={side}"
    assert embedded(pixels, noise(5, 5)).shape == (1, 3 * side * side)


@pytest.mark.parametrize("rest", ["0", "257", "x", "-1", "8.0", "٧", "1000"])
def test_bad_side_is_a_usage_error(rest):
    with pytest.raises(UsageError, match=r"1\.\.256"):
        from_spec(rest, device="auto", dtype="auto", offline=True)


def test_pixels_tell_digits_apart():
    digits = sk_datasets.load_digits()
    pictures = [PIL.Image.fromarray((16 * image).clip(0, 255).astype(np.uint8)) for image in digits.images[:600]]
    vectors = embedded(RawPixels(), *pictures)
    known = vectors[:400]
    nearest = ((known**2).sum(axis=1) - 2 * vectors[400:] @ known.T).argmin(axis=1)
    assert np.mean(digits.target[nearest] == digits.target[400:600]) > 0.8


def test_needs_no_torch():
    code = (
        "import sys, PIL.Image; from mmbench.adapters.baselines.pixels import from_spec;"
        "p = from_spec('', device='cpu', dtype='auto', offline=True);"
        "p.embed_images([p.prepare_image(PIL.Image.new('RGB', (4, 4)))]); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
