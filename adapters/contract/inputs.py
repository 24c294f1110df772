"""Test inputs of the contract: small pictures, texts and episodes, paired so that one kind of mistake confuses them."""

import numpy as np
import PIL.Image

from mmbench.harness.media.pixels import Pixels
from mmbench.harness.models.abilities import Frames

SENTENCE = ["a", "small", "red", "bird", "sits", "on", "the", "old", "wooden", "fence", "today"]
OTHER_WORDS = ["one", "tall", "blue", "cat", "stood", "by", "that", "new", "metal", "gate", "again"]

PROMPTS = (
    "Which is it?\nA. a bird\nB. a street\nAnswer with the letter.",
    "Is there a bird in the picture? Answer yes or no.",
    "Describe the picture in one sentence.",
    "What colour is it?",
)

CLASS_NAMES = ("red bird", "wooden fence", "old street")


def pictures() -> list[Pixels]:
    """Return RGB pictures: a scene, the same scene changed in one region, noise, and two of other sizes."""
    random = np.random.default_rng(0)
    scene = _gradient(96, 80)
    found = [scene]
    # Every region lies inside the central square: a model may crop the rest.
    for top, left in ((4, 12), (4, 60), (52, 12), (52, 60), (28, 36)):
        changed = scene.copy()
        changed[top : top + 24, left : left + 24] = random.integers(0, 256, 3)
        found.append(changed)
    # Mirrored, because a model that squeezes pictures into a square cannot tell the scene from a larger copy.
    other_sizes = [_gradient(64, 120)[::-1], _gradient(150, 100)[:, ::-1]]
    found += [random.integers(0, 256, (80, 96, 3), dtype=np.uint8), *other_sizes]
    return [PIL.Image.fromarray(np.ascontiguousarray(array)) for array in found]


def texts() -> list[str]:
    """Return texts of mixed lengths: prefixes of one sentence, and the sentence with one word replaced at each place.

    A vector pooled at a fixed position makes texts with a common prefix equal, and one pooled at the first position
    all of them; the mixed lengths show padding.
    """
    prefixes = [SENTENCE[:length] for length in range(1, len(SENTENCE) + 1)]
    replaced = [[*SENTENCE[:place], other, *SENTENCE[place + 1 :]] for place, other in enumerate(OTHER_WORDS)]
    longer = [OTHER_WORDS + SENTENCE, ["café", "naïve", "東京"]]
    found = [" ".join(words) for words in prefixes + replaced + longer]
    # An adapter that sorts by length and forgets to sort back must not meet sorted texts.
    return [found[index] for index in np.random.default_rng(1).permutation(len(found))]


def clips(frames: list[Pixels]) -> list[list[Pixels]]:
    """Return clips of eight frames: two that hold one picture each, and one that passes through all."""
    return [[frames[0]] * 8, [frames[6]] * 8, [frames[index % len(frames)] for index in range(8)]]


def shown_clips(seen: list[Pixels]) -> list[Frames]:
    """Return clips of eight frames of one size at two a second: one that moves, and the same backwards."""
    frames = [seen[index % 7] for index in range(8)]
    times = tuple(index / 2 for index in range(8))
    return [Frames(tuple(each), times, tuple(range(8)), 2.0, 8) for each in (frames, frames[::-1])]


def scored_items(seen: list[Pixels]) -> list[tuple[list[Pixels], str, list[str]]]:
    """Return (images, prompt, texts) with ragged texts; the first three differ in the picture or the prompt alone."""
    answers = ["a bird", "a street with many tall buildings at night", "no"]
    question, other = "Question: what is in the picture? Answer:", "Question: where was it taken? Answer:"
    return [
        ([seen[0]], question, answers),
        ([seen[6]], question, answers),
        ([seen[0]], other, answers),
        ([seen[7]], "Answer:", ["yes"]),
    ]


def _gradient(width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([across, down, 255 - across], axis=2).astype(np.uint8)
