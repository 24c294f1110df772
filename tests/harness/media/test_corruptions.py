"""Corruptions have the constants of ImageNet-C, and give the pixels of others' code to the bit where none is drawn."""

import base64
import colorsys
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.errors import Unreadable
from mmbench.harness.media.corruptions.corrupt import corrupt, scaled, size_at_scale
from mmbench.harness.media.corruptions.levels import from_hsv, to_hsv
from mmbench.harness.media.corruptions.table import CORRUPTIONS, NOT_PROVIDED
from mmbench.harness.media.corruptions.weather import plasma
from mmbench.harness.media.image import Image
from mmbench.harness.numerics.filters import enlarged, smoothed

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "corruptions.json"
here = pytest.mark.skipif(not REFERENCE.is_file(), reason="the reference figures are not here")
DRAWN = ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "glass_blur", "fog")
"""Those that draw random numbers."""


class Legacy:
    """The random numbers of the reference's code, under the names that those of today have."""

    def __init__(self, seed: int) -> None:
        self.state = np.random.RandomState(seed)
        self.normal, self.poisson, self.uniform = self.state.normal, self.state.poisson, self.state.uniform
        self.integers = self.state.randint


def apply(name: str, severity: int, pixels: np.ndarray, random: Any) -> np.ndarray:
    kind = CORRUPTIONS[name]
    made = kind.apply(pixels, kind.strengths[severity - 1], random)
    assert (made.shape, made.dtype) == (pixels.shape, np.uint8)
    return made


def digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()[:16]


def random_picture(height: int = 64, width: int = 64) -> np.ndarray:
    """A picture with smooth parts, lines and noise."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(20261129).integers(0, 60, (height, width, 3))
    ramps = np.stack([3 * x % 256, (2 * y + x) % 200, (x * y) // 16 % 180], axis=2)
    return np.minimum(ramps + noise, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def reference() -> Any:
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


# Against the reference


@here
def test_names_groups_and_constants_are_those_of_the_reference(reference: Any) -> None:
    order = [*reference["order_common"], *reference["extra"]]
    assert sorted([*CORRUPTIONS, *NOT_PROVIDED]) == sorted(order)
    assert [name for name in order if name in CORRUPTIONS] == sorted(CORRUPTIONS, key=order.index)
    assert list(CORRUPTIONS)[:10] == [name for name in reference["order_common"] if name in CORRUPTIONS]
    for name, kind in CORRUPTIONS.items():
        assert name in reference["groups"].get(kind.group, reference["extra"])
        expected = reference["constants"][name]["values"]
        if name == "zoom_blur":  # written there as "1..1.11"
            expected = [[float(ends.split("..")[1]), step] for ends, step in expected]
            counts = [len(np.arange(1, end, step)) for end, step in kind.strengths]
            assert counts == reference["constants"][name]["counts_of_numpy_arange"]
        assert json.loads(json.dumps(kind.strengths)) == expected, name


@here
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_pixels_are_those_of_the_reference(reference: Any, name: str) -> None:
    clean = np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(reference["picture_png_base64"]))).convert("RGB"))
    assert digest(clean) == reference["picture_sha256"]
    for severity, expected in enumerate(reference["corrupted"][name]["severities"], 1):
        seed = 7 if name == "glass_blur" else reference["seed"] + severity
        random = np.random.default_rng(7) if name == "impulse_noise" else Legacy(seed)
        made = apply(name, severity, clean, random)
        if name == "fog" and severity in (1, 5):  # made there in single precision: of 12,288 levels one is one off
            statistics = made.mean(), made.std(), ((made.astype(float) - clean) ** 2).mean()
            assert statistics == pytest.approx([expected[each] for each in ("mean", "std", "mse")], rel=1e-5)
        else:
            assert digest(made) == expected["sha256"], severity


# By themselves


EXPECTED = {
    "gaussian_noise": "7819e0ee3483346b",
    "shot_noise": "f9f313fe2531d54b",
    "impulse_noise": "eb667466a0f6dc74",
    "glass_blur": "1302e2e06ef85972",
    "zoom_blur": "177c4a0718833737",
    "fog": "b7a4f9497fcbc39b",
    "brightness": "771f29321ba7a3cb",
    "contrast": "86f3ee131b838004",
    "pixelate": "4d7ee4918e2b0e6b",
    "speckle_noise": "1c2a65e883b37348",
    "gaussian_blur": "d612fc7d724598e0",
    "saturate": "4b86ddaafb1690e0",
}
"""Digests of the five severities of a picture that is drawn here, by the random numbers of today."""


@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name != "jpeg_compression"])
def test_pixels_stay_what_they_were(name: str) -> None:
    made = [apply(name, severity, random_picture(), np.random.default_rng(severity)) for severity in range(1, 6)]
    assert digest(np.stack(made)) == EXPECTED[name]


def test_jpeg_is_that_of_pillow() -> None:
    for severity, quality in enumerate((25, 18, 15, 10, 7), 1):
        file = io.BytesIO()
        PIL.Image.fromarray(random_picture()).save(file, "JPEG", quality=quality)
        made = apply("jpeg_compression", severity, random_picture(), None)
        assert (made == np.asarray(PIL.Image.open(file))).all()


@pytest.mark.parametrize(("sigma", "shape"), [(0.7, (9, 5)), (1.5, (64, 40)), (6, (30, 31)), (3, (1, 7))])
def test_smoothing_is_that_of_scipy(sigma: float, shape: tuple[int, int]) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    levels = random_picture(*shape) / 255.0
    assert (smoothed(levels, sigma) == ndimage.gaussian_filter(levels, (sigma, sigma, 0), mode="nearest")).all()


@pytest.mark.parametrize("factor", [1, 1.01, 1.1, 1.27, 2, 4.5])
def test_enlarging_is_that_of_scipy(factor: float) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    for shape in ((64, 40), (3, 9), (1, 5)):
        levels = (random_picture(*shape) / 255.0).astype(np.float32)
        assert (enlarged(levels, factor) == ndimage.zoom(levels, (factor, factor, 1), order=1)).all()


def test_hue_saturation_and_value_are_those_of_python() -> None:
    colours = [*random_picture(6, 6).reshape(-1, 3), (0, 0, 0), (9, 9, 9), (255, 0, 0), (0, 80, 80), (90, 90, 7)]
    levels = np.array([colours]) / 255.0
    parts = to_hsv(levels)
    assert [tuple(float(part[0, i]) for part in parts) for i in range(len(colours))] == [
        pytest.approx(colorsys.rgb_to_hsv(*colour)) for colour in levels[0].tolist()
    ]
    assert from_hsv(*parts) == pytest.approx(levels)


def test_stronger_noise_is_further_from_the_picture() -> None:
    clean = random_picture(96, 128)
    for name in ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"):
        made = [apply(name, severity, clean, np.random.default_rng(5)) for severity in range(1, 6)]
        errors = [((each.astype(float) - clean) ** 2).mean() for each in made]
        assert errors == sorted(errors), name
        assert errors[-1] > 4 * errors[0]


def test_noise_has_the_spread_that_it_names() -> None:
    grey = np.full((80, 90, 3), 127, np.uint8)

    def spread(name: str) -> float:
        return float((apply(name, 2, grey, np.random.default_rng(1)) / 255.0).std())

    half = 127 / 255
    assert spread("gaussian_noise") == pytest.approx(0.12, rel=0.02)
    assert spread("speckle_noise") == pytest.approx(0.2 * half, rel=0.02)
    assert spread("shot_noise") == pytest.approx((half / 25) ** 0.5, rel=0.02)
    impulses = apply("impulse_noise", 2, grey, np.random.default_rng(1))
    assert (impulses == 255).mean() == pytest.approx(0.03, abs=0.004)
    assert (impulses == 0).mean() == pytest.approx(0.03, abs=0.004)


def test_glass_copies_pixels_and_makes_none() -> None:
    checks = np.where(np.indices((40, 44)).sum(axis=0)[:, :, None] % 2, np.uint8(255), np.uint8(0)).repeat(3, axis=2)
    even = np.full((40, 44, 3), 90, np.uint8)
    assert len(np.unique(apply("glass_blur", 5, even, np.random.default_rng(0)))) == 1
    assert 60 < apply("glass_blur", 3, checks, np.random.default_rng(0)).mean() < 195


def test_a_plasma_fractal_fills_its_range() -> None:
    made = plasma(64, 2.0, np.random.default_rng(3))
    assert (made.shape, made.min(), made.max()) == ((64, 64), 0, 1)
    assert (
        np.abs(np.diff(made, axis=0)).max() < np.abs(np.diff(plasma(64, 1.2, np.random.default_rng(3)), axis=0)).max()
    )


def test_fog_on_a_black_picture_leaves_it_black() -> None:
    black = np.zeros((32, 32, 3), np.uint8)
    assert not apply("fog", 3, black, np.random.default_rng(0)).any()


# As pictures


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((224, 224), (224, 224)),
        ((640, 480), (299, 224)),
        ((8, 8), (224, 224)),
        ((1, 1), (224, 224)),
        ((4000, 100), (1792, 45)),
        ((1, 100_000), (1, 1792)),
    ],
)
def test_the_shorter_side_is_224(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert size_at_scale(*size) == expected


def test_a_picture_at_scale_is_left_as_it_is() -> None:
    pixels = random_picture(224, 300)
    assert (np.asarray(scaled(Image.from_array(pixels, "photo")).pil()) == pixels).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_strips_are_corrupted_too(name: str) -> None:
    for shape in ((1, 3000), (2000, 2)):
        image = Image.from_array(random_picture(*shape), "strip")
        assert corrupt(image, name, 5).pil().size == scaled(image).pil().size


def test_the_digest_needs_no_pixels_and_tells_all_apart(tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no picture, and yet bytes")
    image = Image.from_array(random_picture(), "a photo")
    made = [scaled(image), *(corrupt(image, name, severity) for name in CORRUPTIONS for severity in (1, 2))]
    assert len({each.digest for each in (image, *made)}) == 2 + 2 * len(CORRUPTIONS)
    again = Image.from_array(random_picture(), "another place")
    assert corrupt(again, "fog", 1).digest == corrupt(image, "fog", 1).digest
    assert len(corrupt(Image.from_path(tmp_path / "no.png"), "fog", 1).digest) == 32, "nothing was decoded"


def test_what_cannot_be_read_is_never_shown_clean(tmp_path: Path) -> None:
    file = tmp_path / "late.png"
    made = corrupt(Image.from_path(file, "row 7"), "fog", 1)
    PIL.Image.fromarray(random_picture()).save(file)
    with pytest.raises(Unreadable, match="row 7: No such file"):
        made.pil()


@pytest.mark.parametrize("name", DRAWN)
def test_pictures_of_their_own_have_random_numbers_of_their_own(name: str) -> None:
    grey = [Image.from_array(np.full((224, 224, 3), level, np.uint8), "grey") for level in (120, 121)]
    if name == "glass_blur":
        grey = [Image.from_array(np.roll(random_picture(224, 224), n, axis=2), "photo") for n in (0, 1)]
    once, twice, other = (np.asarray(corrupt(image, name, 3).pil()).astype(int) for image in (grey[0], *grey))
    assert (once == twice).all()
    assert np.abs(once - other).max() > 3
    assert (np.asarray(corrupt(grey[0], name, 4).pil()) != once).any()


def test_another_process_draws_the_same() -> None:
    code = (
        "import numpy as np, hashlib\n"
        "from mmbench.harness.media.corruptions.corrupt import corrupt\n"
        "from mmbench.harness.media.image import Image\n"
        "np.random.seed(99)\n"
        "image = Image.from_array(np.arange(3000, dtype=np.uint16).astype(np.uint8).reshape(25, 40, 3), 'elsewhere')\n"
        f"for name in {DRAWN!r}:\n"
        "    print(hashlib.sha256(corrupt(image, name, 2).pil().tobytes()).hexdigest())\n"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    image = Image.from_array(np.arange(3000, dtype=np.uint16).astype(np.uint8).reshape(25, 40, 3), "row 5")
    here = [hashlib.sha256(corrupt(image, name, 2).pil().tobytes()).hexdigest() for name in reversed(DRAWN)]
    assert there == here[::-1]
