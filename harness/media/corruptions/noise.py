"""Corruptions by noise: of each channel of each pixel, drawn on its own."""

import numpy as np

from mmbench.harness.media.corruptions.levels import Bytes, levels, pixels


def gaussian_noise(picture: Bytes, deviation: float, random: np.random.Generator) -> Bytes:
    """Add normal noise of this standard deviation, on levels from 0 to 1."""
    clean = levels(picture)
    return pixels(clean + random.normal(size=clean.shape, scale=deviation))


def shot_noise(picture: Bytes, photons: float, random: np.random.Generator) -> Bytes:
    """Count so many photons of white, by Poisson's law."""
    return pixels(random.poisson(levels(picture) * photons) / float(photons))


def impulse_noise(picture: Bytes, share: float, random: np.random.Generator) -> Bytes:
    """Set this share of all values to black or white, by halves, as `skimage.util.random_noise` in the mode `s&p`."""
    clean = levels(picture)
    hit = random.random(clean.shape) <= share
    salt = random.random(clean.shape) <= 0.5
    clean[hit & salt], clean[hit & ~salt] = 1, 0
    return pixels(clean)


def speckle_noise(picture: Bytes, deviation: float, random: np.random.Generator) -> Bytes:
    """Add normal noise that grows with the level: of this standard deviation where that is 1."""
    clean = levels(picture)
    return pixels(clean + clean * random.normal(size=clean.shape, scale=deviation))
