"""Maps of one item: its picture with parts hidden is asked again, and the map is tried by deletion and insertion."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mmbench.harness.ask.subject import Subject
from mmbench.harness.errors import DataError
from mmbench.harness.explain.heard import Question
from mmbench.harness.explain.masked import Colour, Fill, Mask, Turned, blur, colour_of, emptied, hide, side_of
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Medium
from mmbench.harness.metrics.attribution import (
    Patch,
    Places,
    by_salience,
    counts,
    curve_area,
    energy_inside,
    inside,
    occlusion_map,
    patches,
    pointing_hit,
    rise_map,
)
from mmbench.harness.metrics.boxes import Box
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import tie_width
from mmbench.harness.types import Option, Sample

Method = Literal["occlusion", "rise"]

STEPS = 32
"""Of a deletion or an insertion."""

CELLS = 7
"""Of a side of the grids of RISE (Petsiuk et al. 2018, 4.2)."""

MASKS = 1000
"""Of RISE, unless their number is given; the paper has 4,000 to 8,000."""

_ACROSS = 8
"""Patches that lie beside each other in a picture, unless their side is given."""


@dataclass(frozen=True, slots=True)
class How:
    """How maps are made."""

    method: Method = "occlusion"
    patch: int | None = None
    """Side of a patch in pixels of the picture as the model's preprocessing receives it; None: an eighth of it."""
    masks: int = MASKS
    """Masks of RISE."""
    fill: Fill = "grey"

    def side(self, width: int, height: int) -> int:
        """Return the side of a patch."""
        return self.patch or max(1, round(side_of(width, height) / _ACROSS))

    def patches(self, width: int, height: int) -> list[Patch]:
        """Return the patches that are hidden in turn, each half of its side beyond the last."""
        side = self.side(width, height)
        return patches(height, width, side, max(1, side // 2))

    def inputs(self, width: int, height: int) -> int:
        """Return how many pictures are asked for a picture of this size."""
        masked = self.masks if self.method == "rise" else len(self.patches(width, height))
        between = len(counts(width * height, STEPS)) - 2
        return 1 + masked + 3 + 4 * between  # by likelihood the whole picture is asked of one option alone, too

    def grain(self, width: int, height: int) -> tuple[int, int]:
        """Return height and width of the pieces that a random map is made of: as fine as the map."""
        if self.method == "rise":
            return -(-height // CELLS), -(-width // CELLS)
        step = max(1, self.side(width, height) // 2)
        return step, step


@dataclass(frozen=True, slots=True)
class Trial:
    """Areas under the curves of one order of pixels."""

    deletion: float
    insertion: float


@dataclass(frozen=True, slots=True)
class InBox:
    """A map beside the true box."""

    share: float | None
    """Of the positive part of the map that lies inside; None where nothing is positive."""
    area: float
    """Share of the picture that the box covers, which is what a map that knows nothing has."""
    hit: bool | None
    """The peak lies inside; None where there is none."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told of a map."""

    score: float
    """Of the whole picture."""
    without: float
    """Of a picture of which nothing is left."""
    best: int
    """Place of the option that scores best, asked again."""
    low: float
    """The least value of the map; below 0 the score rises without the pixel."""
    high: float
    """Its greatest value; above 0 the score falls without the pixel."""
    own: Trial
    random: Trial
    """Of a random map of the same grain."""
    box: InBox | None
    """How the map lies to the true boxes, where they are known."""


def seed_of(picture: Image) -> int:
    """Return the seed of all that is drawn for a picture: of its content alone."""
    return int(picture.digest[:16], 16)


class Asker:
    """Asks one item with other pictures than its own for the score of one option. Raises DataError where none is."""

    def __init__(self, subject: Subject, question: Question, sample: Sample, option: int) -> None:
        self._subject = subject
        self._question = question
        self._sample = sample
        self._option = option

    def best(self) -> int:
        """Return the place of the option that scores best with the item's own picture; of those that tie its own."""
        (scores,) = self._scored(self._sample.media, self._question.options)
        top = float(scores.max())
        return self._option if scores[self._option] >= top - tie_width(top) else int(scores.argmax())

    def scores(self, pictures: Iterable[Image]) -> Floats:
        """Return (pictures,) scores of the option, which does not depend on the others and is asked alone."""
        alone = self._question.options[self._option : self._option + 1]
        return np.array([float(row[0]) for row in self._scored(pictures, alone)])

    def _scored(self, pictures: Iterable[Medium], options: Sequence[Option]) -> Iterator[Floats]:
        shown = (replace(self._sample, media=(picture,)) for picture in pictures)
        for choice in self._subject.choose(shown, options, self._question.wording):
            if choice.scores is None:
                raise DataError(f"{choice.message}")
            if not np.isfinite(choice.scores).any():
                raise DataError("with a part hidden the option has no finite score")
            yield choice.scores


def explain(asker: Asker, picture: Image, how: How, boxes: Sequence[Box] = ()) -> tuple[Floats, Figures]:
    """Return the (height, width) map of a picture for the option of an asker, and what is told of it.

    Above 0 the score falls where the pixel is hidden. Raises DataError where the model does not answer.
    """
    kept = picture.kept()  # decoded once for all that is hidden in it
    width, height = kept.pil().size
    colour = colour_of(kept.pil(), how.fill)
    score, without, blurred = map(float, asker.scores([picture, emptied(kept, (width, height), colour), blur(kept)]))
    made = _rise(asker, kept, how, colour) if how.method == "rise" else _occlusion(asker, kept, how, colour, score)
    random = _random(seed_of(picture), width, height, how.grain(width, height))
    own, drawn = _trials(asker, kept, [by_salience(made), by_salience(random)], colour, (score, without, blurred))
    low, high = float(made.min()), float(made.max())
    box = _in_box(made, boxes) if boxes else None
    return made, Figures(score, without, asker.best(), low, high, own, drawn, box)


def _in_box(made: Floats, boxes: Sequence[Box]) -> InBox:
    place = inside(boxes, *made.shape)
    share = energy_inside(made, place)
    return InBox(share, float(place.mean()), None if share is None else pointing_hit(made, place))


def _occlusion(asker: Asker, picture: Image, how: How, colour: Colour, score: float) -> Floats:
    width, height = picture.pil().size
    hidden = how.patches(width, height)
    left = asker.scores(hide(picture, patch, colour) for patch in hidden)
    return occlusion_map(hidden, score - left, height, width)


def _rise(asker: Asker, picture: Image, how: How, colour: Colour) -> Floats:
    width, height = picture.pil().size
    masks = [Mask(seed_of(picture), number, CELLS) for number in range(how.masks)]
    scores = asker.scores(mask.over(picture, colour) for mask in masks)
    # Less their mean: where a pixel is shown the score is that much higher than over all masks.
    return rise_map((mask.of(width, height) for mask in masks), scores - scores.mean())


def _random(seed: int, width: int, height: int, grain: tuple[int, int]) -> Floats:
    down, across = grain
    drawn = np.random.default_rng(seed).random((-(-height // down), -(-width // across)))
    return np.repeat(np.repeat(drawn, down, axis=0), across, axis=1)[:height, :width]


def _trials(
    asker: Asker, picture: Image, orders: Sequence[Places], colour: Colour, ends: tuple[float, float, float]
) -> list[Trial]:
    """Return what comes of each order; all their pictures are asked in one stream, so that batches are full."""
    score, without, blurred = ends
    between = counts(len(orders[0]), STEPS)[1:-1]

    def pictures() -> Iterator[Image]:
        for turned in map(Turned, orders):
            yield from (turned.deleted(picture, count, colour) for count in between)
            yield from (turned.inserted(picture, count) for count in between)

    parts = asker.scores(pictures()).reshape(len(orders), 2, len(between))
    return [
        Trial(curve_area([score, *deleted, without]), curve_area([blurred, *inserted, score]))
        for deleted, inserted in parts
    ]
