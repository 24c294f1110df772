"""Image-text retrieval: captions ranked for each picture and pictures for each caption, in one stream."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, groupby
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmbench.benchmarks.families.common.rows import media_of, segment_of
from mmbench.benchmarks.metrics.retrieval import mean_rank, median_rank
from mmbench.benchmarks.sources.cells import column, texts
from mmbench.harness.ask.examinee import Examinee, Similarity, Verb
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, UsageError, nearest
from mmbench.harness.numerics.ranks import Ranks
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Cell, Data, Row
from mmbench.harness.types import Outcome, Route, Sample, Unit

UNITS: Mapping[str, Unit] = {"image_to_text": "image", "text_to_image": "text"}
"""A direction of search and what its queries are."""

_NAME = re.compile(r"(image_to_text|text_to_image)/(?:recall@([1-9]\d*)|(median|mean)_rank)")


class RetrievalOptions(BaseModel):
    """The task-file keys of retrieval."""

    model_config = ConfigDict(extra="forbid")

    paragraph: bool = False
    """True where all captions of a picture or clip, in their order, are one text that describes it."""


class Retrieval:
    """Recall at k, median and mean rank in both directions (Karpathy and Fei-Fei 2015, 4.2).

    A picture is found by a caption, and a caption by its picture; any one of a picture's captions among the first k is
    a hit. Equal pictures are one, with the captions of all. Ties are ordered at random in expectation, so that a
    collapsed model scores chance.
    """

    name: ClassVar[str] = "retrieval"
    version: ClassVar[int] = 2  # equal pictures stand in the gallery once
    verb: ClassVar[Verb] = "similarity"
    routes: tuple[Route, ...] = ("embed",)
    fields: ClassVar[Mapping[str, bool]] = {"image": True, "captions": True}
    Options: ClassVar[type[BaseModel]] = RetrievalOptions
    known_metrics: ClassVar[Sequence[Metric]]

    def __init__(self, options: RetrievalOptions, data: Data, metrics: Sequence[str]) -> None:
        self._data = data
        self._paragraph = options.paragraph
        captions = data.fields["captions"]
        self._captions = captions if isinstance(captions, list) else [captions]
        self.metrics = [_metric(name) for name in metrics or _DEFAULT]

    def protocol(self) -> Json:
        """Return the rule of ties; captions are shown as they are, without a prompt."""
        whole = {"paragraph": True} if self._paragraph else {}
        return {"ties": "expected", "prompt": "{caption}", **whole}

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a picture or clip; neighbouring rows of one are one sample. Raises DataError."""
        name = str(self._data.fields["video" if "video" in self._data.fields else "image"])
        rows = (([column(row, name), *segment_of(self._data, row)], row) for row in self._data.source)
        number = 0
        for _, group in groupby(rows, key=_shown_in):
            members = [row for _, row in group]
            captions = tuple(caption for row in members for caption in self._captions_of(row))
            yield Sample(
                id=self._data.id_of(members[0], number),
                media=media_of(self._data, members[0]),
                references=(" ".join(caption.strip() for caption in captions),) if self._paragraph else captions,
                facts=self._data.facts_of(members[0]),
            )
            number += len(members)

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return one outcome for each picture as a query, then one for each caption as a query."""
        passed = count()
        found = subject.similarity(sample for sample, _ in zip(samples, passed, strict=False))
        directions = (("image_to_text", found.image_to_text), ("text_to_image", found.text_to_image))
        items = [each for way in directions for each in self._of_direction(*way, found)]
        return Outcomes(found.route, items, _repeats(next(passed) - len(found.samples)))

    def described(self, sample: Sample) -> tuple[tuple[str, ...], ...]:
        """Return the captions of a sample's one picture or clip."""
        return (sample.references,)

    def _captions_of(self, row: Row) -> tuple[str, ...]:
        cells = [column(row, name) for name in self._captions]
        # Tables leave a cell empty where a picture has fewer captions than there are columns.
        found = tuple(text for cell in cells if cell is not None for text in texts(cell, row) if text.strip())
        if not found:
            raise DataError(f"{row.where}: no caption in {' or '.join(self._captions)}")
        return found

    def _of_direction(self, direction: str, ranks: Ranks, found: Similarity) -> Iterator[Outcome]:
        unit = UNITS[direction]
        wanted = [metric for metric in self.metrics if metric.unit == unit]
        by_k = {metric.name: int(metric.name.rpartition("@")[2]) for metric in wanted if metric.aggregate is None}
        hits = {name: ranks.hit(k).tolist() for name, k in by_k.items()}
        blind = _all_tied(ranks)
        chances = {name: blind.hit(k).tolist() for name, k in by_k.items()}
        by_rank = {f"{direction}/median_rank", *(metric.name for metric in wanted if metric.aggregate is not None)}
        expected = ranks.expected().tolist()
        first = _firsts(unit, found)
        at = 0
        for position, sample in enumerate(found.samples):
            failure = found.failures.get(position)
            for query in range(1 if unit == "image" else len(sample.references)):
                yield Outcome(
                    id=sample.id if unit == "image" else f"{sample.id}#{query}",
                    status="error" if failure else "ok",
                    prediction=None if failure else f"rank {expected[at]:g}{first(at)}",
                    target=" | ".join(sample.references) if unit == "image" else sample.references[query],
                    values={} if failure else {name: hit[at] for name, hit in hits.items()},
                    # A median has no per-item chance.
                    chances={} if failure else {name: hit[at] for name, hit in chances.items()},
                    statistics={} if failure else {name: (expected[at],) for name in by_rank},
                    facts=sample.facts,
                    cluster=sample.cluster,
                    unit=unit,
                    locator=sample.locator,
                    frames=sample.frames,
                    message=failure.message if failure else None,
                )
                if not failure:
                    at += 1


def _firsts(unit: Unit, found: Similarity) -> Callable[[int], str]:
    """Return what tells of a query what was found before all that belongs to it; nothing where nothing was."""
    stays = [sample for i, sample in enumerate(found.samples) if i not in found.failures]
    texts = [text for sample in stays for text in sample.references]

    def told(query: int) -> str:
        if found.before is None or (place := int(found.before[unit != "image"][query])) < 0:
            return ""
        return f"; first: {texts[place]}" if unit == "image" else f"; first: picture of item {stays[place].id}"

    return told


def _shown_in(pair: tuple[list[Cell], Row]) -> list[object]:
    """Return what neighbouring rows of one picture have alike; others of equal content are found once they are read."""
    (cell, *segment), row = pair
    return [_file_of(cell, row), *map(str, segment)]


def _file_of(cell: Cell, row: Row) -> object:
    if isinstance(cell, Mapping):
        cell = cell.get("bytes") or cell.get("path")
    if isinstance(cell, str):
        return cell.removeprefix("./")
    return cell if isinstance(cell, bytes) else id(row)


def _repeats(items: int) -> list[str]:
    if not items:
        return []
    return [f"items that show the picture of an earlier one, whose captions were put together: {items}"]


def _all_tied(ranks: Ranks) -> Ranks:
    """The same queries asked of a model that scores everything alike: chance."""
    nobody = np.zeros_like(ranks.positives)
    return Ranks(nobody, ranks.gallery - ranks.positives, ranks.positives, ranks.positives, ranks.gallery)


_DEFAULT = [f"{direction}/recall@{k}" for direction in UNITS for k in (1, 5, 10)]


_RANKS = [f"{direction}/{kind}_rank" for kind in ("median", "mean") for direction in UNITS]


def _metric(name: str) -> Metric:
    match = _NAME.fullmatch(name)
    if not match:
        known = [*_DEFAULT, *_RANKS]
        raise UsageError(f"retrieval has no metric '{name}'{nearest(name, known)}")
    direction, k, kind = match.groups()
    query, sought = ("picture", "captions") if direction == "image_to_text" else ("caption", "pictures")
    if k:
        return Metric(name, f"One that belongs to the {query} is among the {k} nearest {sought}.", UNITS[direction])
    return Metric(
        name,
        f"{kind.capitalize()} rank of the nearest that belongs to the {query}.",
        UNITS[direction],
        higher_is_better=False,
        lowest=1.0,
        best=None,
        proportion=False,
        aggregate=median_rank if kind == "median" else mean_rank,
    )


Retrieval.known_metrics = [_metric(name) for name in (*_DEFAULT, *_RANKS)]
