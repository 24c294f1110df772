"""Preparation of pictures by settings, and tokens by a file, held against the libraries that they stand for."""

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.shared.preparation import Preparation
from tests.adapters.hf.tiny import transformers
from tests.lazy import Lazy

transform = Lazy("open_clip.transform")
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
SIZES = [(40, 30), (32, 32), (33, 47), (47, 33), (91, 20), (20, 91), (64, 31), (7, 5), (5, 300), (333, 250)]


def pictures():
    noise = np.random.default_rng(3)
    return [PIL.Image.fromarray(noise.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in SIZES]


def prepared(settings, picture):
    return settings.normalised([settings.pixels(picture)])[0]


@pytest.mark.parametrize("size", [(32, 32), (31, 31), (24, 40), (40, 25)])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("filter_", ["bicubic", "bilinear"])
def test_pictures_are_those_of_open_clip(size, mode, filter_):
    theirs = transform.image_transform_v2(
        transform.PreprocessCfg(
            size=size, mean=tuple(MEAN), std=tuple(STD), interpolation=filter_, resize_mode=mode, fill_color=7
        ),
        is_train=False,
    )
    square = size[0] == size[1]
    ours = Preparation(
        resize="cover" if mode == "shortest" and not square else mode,
        edge=size[0] if mode == "shortest" and square else None,
        interpolation="bicubic" if mode == "shortest" and not square else filter_,
        height=size[0],
        width=size[1],
        margin="even",
        fill=7,
        mean=MEAN,
        std=STD,
    )
    for picture in pictures():
        try:
            want = theirs(picture).numpy()
        except ValueError:  # too narrow to be shrunk to the longer side
            with pytest.raises(ValueError, match="must be > 0"):
                ours.pixels(picture)
        else:
            assert np.array_equal(prepared(ours, picture), want), picture.size


@pytest.mark.parametrize("resample", range(6))
@pytest.mark.parametrize("crop", [32, 29])
def test_pictures_are_those_of_transformers(resample, crop):
    pytest.importorskip("transformers")
    theirs = transformers.CLIPImageProcessorPil(
        size={"shortest_edge": 32},
        crop_size={"height": crop, "width": crop},
        resample=resample,
        image_mean=MEAN,
        image_std=STD,
    )
    ours = Preparation(
        resize="shortest",
        edge=32,
        interpolation=PIL.Image.Resampling(resample).name.lower(),
        height=crop,
        width=crop,
        margin="floor",
        mean=MEAN,
        std=STD,
    )
    for picture in pictures():
        want = theirs(picture, return_tensors="np")["pixel_values"][0]
        assert np.abs(prepared(ours, picture) - want).max() < 1e-6, picture.size
