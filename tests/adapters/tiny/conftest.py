"""A stand-in for the embedded scenes, which adapters reach only through the registry."""

import random
from pathlib import Path

import numpy as np
import pytest

from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Row
from tests.lazy import Lazy

tiny_recipe = Lazy("mmbench.adapters.tiny.training.recipe")
tiny_train = Lazy("mmbench.adapters.tiny.training.train")

COLOURS = ("red", "green", "blue")


def block(seed, number):
    """Eight pictures of one colour each; two of them have neither question nor negative."""
    draw = random.Random(f"{seed}:{number}")
    for place in range(8):
        colour = draw.randrange(3)
        pixels = np.full((224, 224, 3), 30, np.uint8)
        pixels[..., colour] = draw.randrange(150, 255)
        yield Row(
            {
                "image": Image.from_array(pixels, "scene"),
                "caption": f"a {COLOURS[colour]} square.",
                "negative": f"a {COLOURS[colour - 1]} square." if place % 4 else None,
                "description": f"there is a large {COLOURS[colour]} square",
                "question": "what colour is it?" if place % 4 else None,
                "answer": COLOURS[colour] if place % 4 else None,
                "shapes": [1] * 64,
                "colours": [1 + colour] * 64,
                "textures": [0] * 64,
                "sizes": [1] * 64,
                "facts": [int(colour == 0), -1, int(colour == 2)],
            },
            f"scene {place}",
            Path(),
        )


@pytest.fixture(scope="session")
def scenes():
    return block


@pytest.fixture(scope="session")
def recipe():
    from dataclasses import replace

    return replace(tiny_recipe.RECIPES["micro"], batch=4, warm_up=3)


@pytest.fixture(scope="session")
def settings():
    return tiny_train.Settings(seed=1, steps=6, workers=0, blocks=4, log_every=2)


@pytest.fixture(scope="session")
def trained(tmp_path_factory, recipe, settings):
    """The folder of a model after six steps."""
    return tiny_train.train(recipe, tmp_path_factory.mktemp("trained"), settings, block)
