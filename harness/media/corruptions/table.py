"""Table of corruptions: names, groups and strengths of ImageNet-C (Hendrycks and Dietterich 2019)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mmbench.harness.media.corruptions import blur, digital, noise, weather
from mmbench.harness.media.corruptions.levels import Bytes

Severities: TypeAlias = tuple[Any, Any, Any, Any, Any]
"""What a corruption takes at the severities 1 to 5."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One way of making pictures worse."""

    group: str
    """`noise`, `blur`, `weather` or `digital`; `extra` for those that ImageNet-C has for validation."""
    apply: Callable[[Bytes, Any, np.random.Generator], Bytes]
    """Pixels, strength and random numbers to pixels of the same shape."""
    strengths: Severities
    """For 224 pixels; those of CIFAR-10-C and Tiny-ImageNet-C are others."""


CORRUPTIONS: Mapping[str, Corruption] = {
    "gaussian_noise": Corruption("noise", noise.gaussian_noise, (0.08, 0.12, 0.18, 0.26, 0.38)),
    "shot_noise": Corruption("noise", noise.shot_noise, (60, 25, 12, 5, 3)),
    "impulse_noise": Corruption("noise", noise.impulse_noise, (0.03, 0.06, 0.09, 0.17, 0.27)),
    "glass_blur": Corruption("blur", blur.glass_blur, ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))),
    "zoom_blur": Corruption(
        "blur", blur.zoom_blur, ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))
    ),
    "fog": Corruption("weather", weather.fog, ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))),
    "brightness": Corruption("weather", weather.brightness, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "contrast": Corruption("digital", digital.contrast, (0.4, 0.3, 0.2, 0.1, 0.05)),
    "pixelate": Corruption("digital", digital.pixelate, (0.6, 0.5, 0.4, 0.3, 0.25)),
    "jpeg_compression": Corruption("digital", digital.jpeg_compression, (25, 18, 15, 10, 7)),
    "speckle_noise": Corruption("extra", noise.speckle_noise, (0.15, 0.2, 0.35, 0.45, 0.6)),
    "gaussian_blur": Corruption("extra", blur.gaussian_blur, (1, 2, 3, 4, 6)),
    "saturate": Corruption("extra", digital.saturate, ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2))),
}
"""Constants of hendrycks/robustness, in the order of the paper."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(each.group for each in CORRUPTIONS.values()))

NOT_PROVIDED: Mapping[str, str] = {
    "defocus_blur": "OpenCV",
    "motion_blur": "ImageMagick",
    "snow": "ImageMagick",
    "frost": "photographs of frost of unknown origin",
    "elastic_transform": "OpenCV",
    "spatter": "OpenCV",
}
"""Corruptions of ImageNet-C that are not here, with what they are made by."""
