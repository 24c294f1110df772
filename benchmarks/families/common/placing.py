"""What a place that was found is worth: an item of grounding beside its truth, its values and what guessing gains."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from mmbench.benchmarks.families.common.regions import as_text, from_exact, told
from mmbench.benchmarks.metrics.grounding import box_values, centre, covered, point_values
from mmbench.benchmarks.metrics.segmentation import Mask
from mmbench.harness.ask.examinee import Located
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.crop import Region
from mmbench.harness.media.image import Image
from mmbench.harness.models.places import Places
from mmbench.harness.replies.boxes import Box, written_boxes
from mmbench.harness.replies.coordinates import Seen
from mmbench.harness.replies.points import written_points
from mmbench.harness.types import Outcome, Sample

Found = tuple[float, ...] | None
"""A box or a point in pixels; None for one that is written and lies beyond the scale of its convention."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item, its picture gone but for the size."""

    sample: Sample
    located: Located
    true: tuple[Box, ...]
    proposals: tuple[Box, ...]
    size: tuple[int, int]
    mask: Mask | None
    found: tuple[Found, ...]
    """In the order of the reply."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Reads where answers place things, and scores it: boxes, or `points`."""

    points: bool
    names: Collection[str]
    """The metrics that are asked for."""

    @property
    def what(self) -> str:
        """What a place is called."""
        return "point" if self.points else "box"

    def item(self, sample: Sample, located: Located, mask: Mask | None, places: Places) -> Item | Outcome:
        """Return what was found, by the convention of `places`; the outcome of an item that has an error."""
        true = tuple(from_exact(each) for each in sample.references if not each.startswith("mask"))
        proposals = tuple(from_exact(option.label) for option in sample.options)
        try:
            size = size_of(sample)
            if mask is not None and mask.shape[::-1] != size:
                raise Unreadable(f"its mask has {mask.shape[1]} x {mask.shape[0]} pixels, and its picture {size}")
            found = self._found(located, proposals, size, places)
        except Unreadable as error:
            located = replace(located, answer=replace(located.answer, status="error", message=str(error)))
        bare = replace(sample, media=tuple(image.without_pixels() for image in sample.media))
        answer = located.answer
        if answer.status == "error":
            target = told(true, masked=mask is not None)
            failed = Outcome.about(bare, "error", None, target, values={}, message=answer.message)
            return replace(failed, reply=answer.raw, prompt=answer.prompt)
        return Item(bare, located, true, proposals, size, mask, found)

    def outcome(self, item: Item, mean: Region | None, *, ranked: bool) -> Outcome:
        """Return what the item is worth; `mean` is the box of whoever does not look, `ranked` that one was chosen."""
        answer, found = item.located.answer, item.found
        status, message = answer.status, answer.message
        if status == "ok" and not self._first(found):
            beyond = f"the {'' if self.points else 'first '}{self.what} of the reply lies beyond the scale"
            status, message = "unparsed", f"{beyond if found else f'the reply has no {self.what}'} of its convention"
        elif len(found) > 1 and not self.points:
            message = f"{len(found)} boxes, of which the first counts"
        elif None in found:
            message = f"{found.count(None)} of {len(found)} points lie beyond the scale, which is a miss"
        seen = [place for place in (found if self.points else found[:1]) if place is not None]
        values, chances = self._values(item, found), self._chances(item, mean, ranked=ranked)
        return Outcome.about(
            item.sample,
            status,
            " ".join(map(as_text, seen)) if seen else answer.text,
            told(item.true, masked=item.mask is not None),
            values={name: value for name, value in values.items() if name in self.names},
            chances={name: value for name, value in chances.items() if name in self.names},
            message=message,
            reply=answer.raw,
            prompt=answer.prompt,
        )

    def _first(self, found: Sequence[Found]) -> Found:
        """Return what makes a reply readable: its first box, or any of its points."""
        return next((each for each in (found if self.points else found[:1]) if each is not None), None)

    def _found(
        self, located: Located, proposals: Sequence[Box], size: tuple[int, int], places: Places
    ) -> tuple[Found, ...]:
        """Return the boxes or points of an answer in pixels of the item's own picture."""
        if located.region is not None:
            chosen = proposals[located.region]
            return (centre(chosen) if self.points else chosen,)
        said = located.answer.text
        if said is None or places.boxes is None:
            return ()
        # Under a control another picture was looked at, whose pixels are then counted.
        asked = size if located.picture is None else located.picture.size()
        seen = Seen(*asked, size=None if places.size is None else places.size(*asked))
        read = written_points if self.points else written_boxes
        found: Sequence[Found] = read(said, places.boxes, seen)
        scale = [own / other for own, other in zip(size, asked, strict=True)]
        return tuple(each and tuple(place * scale[i % 2] for i, place in enumerate(each)) for each in found)

    def _values(self, item: Item, found: Sequence[Found]) -> dict[str, float]:
        if self.points:
            points = [None if each is None else (each[0], each[1]) for each in found]
            return point_values(points, item.true, item.mask)
        first = self._first(found)
        box = None if first is None else (first[0], first[1], first[2], first[3])
        return box_values(box, item.true[0])

    def _chances(self, item: Item, mean: Region | None, *, ranked: bool) -> dict[str, float]:
        """Return what guessing gains: one of the proposals; else the mean box, or a point anywhere."""
        width, height = item.size
        if ranked:
            guesses = [(centre(each) if self.points else each,) for each in item.proposals]
            made = [self._values(item, guess) for guess in guesses]
            return {name: fmean(each[name] for each in made) for name in made[0]}
        if mean is None:
            share = covered(item.true, width, height) if item.mask is None else float(item.mask.mean())
            return {"point_accuracy": share, "first_point_accuracy": share}
        return self._values(item, (tuple(part * item.size[i % 2] for i, part in enumerate(mean)),))


def size_of(sample: Sample) -> tuple[int, int]:
    """Return width and height of the sample's picture. Raises Unreadable."""
    shown = sample.media[0]
    if not isinstance(shown, Image):
        raise Unreadable(f"item {sample.id} shows no picture")
    return shown.size()
