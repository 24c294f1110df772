"""Grounding: where the thing is that an expression refers to, as a box or as points."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel

from mmbench.benchmarks.families.common.asked_places import Asks, check_convention, prompt_for
from mmbench.benchmarks.families.common.masks import identity, masks_of
from mmbench.benchmarks.families.common.placing import Item, Placing, size_of
from mmbench.benchmarks.families.common.regions import (
    BoxFormat,
    as_exact,
    beyond,
    boxes,
    from_exact,
    mean_region,
    part_of,
)
from mmbench.benchmarks.families.common.rows import media_of, named_metrics
from mmbench.benchmarks.families.common.wording import WordingOptions, check_placeholders, wording
from mmbench.benchmarks.metrics.grounding import BOX_METRICS, POINT_METRICS
from mmbench.benchmarks.sources.cells import column, text
from mmbench.harness.ask.examinee import Examinee, Verb
from mmbench.harness.both import both
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, Unsupported
from mmbench.harness.media.crop import Region
from mmbench.harness.models.places import POINT_CONVENTIONS, Places
from mmbench.harness.replies.boxes import CONVENTIONS, Box
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Data, Row
from mmbench.harness.types import Option, Outcome, Route, RouteTaken, Sample

READER = 3
"""Raised whenever the same reply would be read as another box or point."""


class GroundingOptions(WordingOptions):
    """The task-file keys of grounding."""

    phrasing: str = "{question}"
    """The text that is compared with the crops of the proposals on the ranking routes."""
    asks: Asks = "box"
    """What is asked for."""
    box_format: BoxFormat | None = None
    """How boxes and proposals of the data are written, in pixels of the picture."""
    convention: str | None = None
    """How replies write boxes or points; where the task does not say, the adapter must."""


class Grounding:
    """A box for a referring expression, or points on what it means; encoders rank proposals."""

    name: ClassVar[str] = "grounding"
    version: ClassVar[int] = 1
    verb: ClassVar[Verb] = "locate"
    routes: tuple[Route, ...] = ("generate", "embed", "likelihood")
    fields: ClassVar[Mapping[str, bool]] = {
        "image": True,
        "question": True,
        "boxes": False,
        "mask": False,
        "proposals": False,
    }
    Options: ClassVar[type[BaseModel]] = GroundingOptions
    known_metrics: ClassVar[Sequence[Metric]] = (*BOX_METRICS, *POINT_METRICS)

    def __init__(self, options: GroundingOptions, data: Data, metrics: Sequence[str]) -> None:
        self._data = data
        self._points = options.asks == "points"
        self._convention = options.convention
        check_convention(options.convention, options.asks)
        check_placeholders("phrasing", options.phrasing, ("question",), ("question",))
        answered = options.model_copy(update={"phrasing": f"{options.phrasing}{{answer}}"})
        asked = prompt_for(options.asks, options.convention)
        made = wording(answered, asked, max_tokens=128, required=("question",), known=("question",))
        self._wording = replace(made, phrasing=options.phrasing)
        if "video" in data.fields:
            raise DataError("places are in pictures, and the data shows clips; name the column of `image` in `fields`")
        if "boxes" not in data.fields and not (self._points and "mask" in data.fields):
            raise DataError(f"'fields' must say which column holds 'boxes'{' or mask' * self._points}")
        if options.box_format is None and {"boxes", "proposals"} & set(data.fields):
            raise DataError(
                "say how the data writes boxes, in pixels: `box_format: xyxy` (corners) or `box_format: xywh` (left, "
                "top, width, height, as COCO has them)"
            )
        self._form: BoxFormat = options.box_format or "xyxy"
        known = POINT_METRICS if self._points else BOX_METRICS
        default = [metric.name for metric in known]
        self.metrics = named_metrics(self.name, metrics or default, {metric.name: metric for metric in known})

    def protocol(self) -> Json:
        """Return the wording, the convention where the task declares it, and which reader reads the replies."""
        return {
            **self._wording.as_json(),
            "asks": "points" if self._points else "box",
            "convention": self._convention,
            "reader": READER,
        }

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a row, its boxes as references and its proposals as options. Raises DataError."""
        for number, row in enumerate(self._data.source):
            question = text(column(row, str(self._data.fields["question"])), row)
            proposals = [as_exact(box) for box in self._boxes(row, "proposals")]
            yield Sample(
                id=self._data.id_of(row, number),
                media=media_of(self._data, row),
                question=question,
                options=tuple(Option(each, (question,)) for each in proposals),
                references=self._references(row),
                facts=self._data.facts_of(row),
            )

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return for each expression where it was found. Raises Unsupported where no convention is declared.

        What guessing gains is known once all items are there: whoever does not look gives the mean box.
        """
        first, asked = both(samples)
        seen, masked = both(first)
        declared = self._convention or self._own(subject.places)
        readable = declared is not None or "proposals" not in self._data.fields
        answers = subject.locate(asked, self._regions, self._wording, readable=readable)
        notes: list[str] = []
        places = self._places(subject, answers.route, notes)
        masks = masks_of(self._data, masked) if self._points else (None for _ in masked)
        ranked = answers.route in ("embed", "likelihood")
        placing = Placing(self._points, {metric.name for metric in self.metrics})
        held: list[Item | Outcome] = []
        for sample, located, mask in zip(seen, answers, masks, strict=True):
            item = placing.item(sample, located, mask, places)
            if self._points and isinstance(item, Item):  # a mask weighs as much as its picture
                item = placing.outcome(item, None, ranked=ranked)
            held.append(item)
        items = [each for each in held if isinstance(each, Item)]
        if several := sum(len(each.found) > 1 for each in items):
            notes.append(f"replies with several boxes, of which the first counts: {several}")
        true = [(each.true[0], each.size) for each in items]
        notes += beyond(true)
        mean = mean_region(true) if items else None
        made = [each if isinstance(each, Outcome) else placing.outcome(each, mean, ranked=ranked) for each in held]
        return Outcomes(answers.route, made, notes)

    def _boxes(self, row: Row, field: str) -> tuple[Box, ...]:
        name = self._data.fields.get(field)
        return () if name is None else boxes(column(row, str(name)), self._form, row)

    def _references(self, row: Row) -> tuple[str, ...]:
        true = self._boxes(row, "boxes")
        if len(true) != 1 and not self._points:
            raise DataError(f"{row.where}: a referring expression has one box, found {len(true)}")
        if "mask" in self._data.fields:
            mask = identity(column(row, str(self._data.fields["mask"])), row)
            return (*map(as_exact, true), f"mask {mask}")
        if not true:
            raise DataError(f"{row.where}: no box to point into; every row needs at least one")
        return tuple(map(as_exact, true))

    def _regions(self, sample: Sample) -> list[Region]:
        """Return the proposals in parts of the picture. Raises Unsupported where the data has none."""
        if not sample.options:
            raise Unsupported(
                f"a model that does not write ranks proposals, and item {sample.id} has none",
                step="name their column in the task, as in fields: {proposals: COLUMN}, or ask a model that writes",
            )
        width, height = size_of(sample)
        return [part_of(from_exact(option.label), width, height) for option in sample.options]

    def _own(self, places: Places) -> str | None:
        return places.points if self._points else places.boxes

    def _places(self, subject: Examinee, route: RouteTaken, notes: list[str]) -> Places:
        """Return by which convention replies are read. Raises Unsupported where nobody declares it."""
        if route in ("embed", "likelihood"):
            return Places()
        what = "points" if self._points else "boxes"
        held = subject.places
        own = self._own(held)
        if self._convention is None and own is None:
            known = POINT_CONVENTIONS if self._points else CONVENTIONS
            raise Unsupported(
                f"nobody says how {subject.name} writes {what}, and that is never guessed: declare it by `convention: "
                f"thousand` in the task, {what}=thousand behind an api: or hf: model, or the attribute {what} = "
                "'thousand' of your adapter",
                step=f"declare one of {', '.join(known)}",
            )
        named = self._convention or own
        if own not in (None, named):
            notes.append(f"{what} are read as the task declares ({named}), where the model's own are {own}")
        else:
            by = "task" if self._convention else "adapter"
            notes.append(f"{what} are read as {named}, which the {by} declares")
        return Places(named, named, held.size)
