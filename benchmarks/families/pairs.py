"""Pairs: captions of the same words matched to pictures or clips, which a bag-of-words model cannot do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from mmbench.benchmarks.families.common.rows import clips_of, listed, named_metrics
from mmbench.benchmarks.families.common.wording import check_placeholders
from mmbench.benchmarks.metrics.pairs import pair_chances, pair_values
from mmbench.benchmarks.sources.cells import pictures, texts
from mmbench.harness.ask.examinee import Examinee, Verb
from mmbench.harness.ask.wording import Likelihood, Wording
from mmbench.harness.both import both
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.media.video import Medium
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Data, Row
from mmbench.harness.types import Failure, Outcome, Route, Sample

METRICS = {
    "text_score": Metric(
        "text_score", "For each picture its own caption scores higher (Thrush et al. 2022, Winoground)."
    ),
    "image_score": Metric("image_score", "For each caption its own picture scores higher (Thrush et al. 2022)."),
    "group_score": Metric("group_score", "Text and image score are both right (Thrush et al. 2022)."),
    "pairwise_accuracy": Metric(
        "pairwise_accuracy", "Share of pictures whose own caption scores higher (Hsieh et al. 2023, SugarCrepe)."
    ),
}


class PairsOptions(BaseModel):
    """The task-file keys of pairs."""

    model_config = ConfigDict(extra="forbid")

    phrasing: str = "{answer}"
    """The text that stands for a caption."""
    likelihood: Likelihood = "sum"
    """Normalisation of the likelihoods of captions."""


class Pairs:
    """Two pictures or clips and their two captions, or one with a right caption and wrong ones. Ties are wrong."""

    name: ClassVar[str] = "pairs"
    version: ClassVar[int] = 1
    verb: ClassVar[Verb] = "within"
    routes: tuple[Route, ...] = ("embed", "likelihood")
    fields: ClassVar[Mapping[str, bool]] = {"images": False, "captions": True}
    Options: ClassVar[type[BaseModel]] = PairsOptions
    known_metrics: ClassVar[Sequence[Metric]] = tuple(METRICS.values())

    def __init__(self, options: PairsOptions, data: Data, metrics: Sequence[str]) -> None:
        check_placeholders("phrasing", options.phrasing, ("answer",), ("answer",))
        self._data = data
        self._wording = Wording(phrasing=options.phrasing, likelihood=options.likelihood)
        self.metrics = named_metrics(self.name, metrics or self._default_metrics(), METRICS)

    def protocol(self) -> Json:
        """Return how captions are worded and compared."""
        return {"phrasing": self._wording.phrasing, "likelihood": self._wording.likelihood, "ties": "wrong"}

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a row. Raises DataError that names the row."""
        for number, row in enumerate(self._data.source):
            captions = tuple(text for cell in listed(self._data, row, "captions") for text in texts(cell, row))
            media = self._media(row)
            if len(captions) != 2 and (len(captions) < 2 or len(media) == 2):
                more = ", or more with one picture" if len(media) < 2 else ""
                raise DataError(f"{row.where}: a pair has two captions{more}, found {len(captions)}")
            if len(set(captions)) == 1:
                raise DataError(f"{row.where}: the two captions are the same")
            yield Sample(
                id=self._data.id_of(row, number),
                media=media,
                references=captions,
                facts=self._data.facts_of(row),
            )

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return for each pair which of its comparisons came out right."""
        seen, asked = both(samples)
        scores = subject.within(asked, self._wording)
        same = twice = most = 0
        outcomes = []
        for sample, found in zip(seen, scores, strict=True):
            outcomes.append(_outcome(sample, found))
            twice += sample.references[0] in sample.references[1:]
            most = max(most, len(sample.references))
            same += len(sample.media) == 2 and len({image.known_digest or image.locator for image in sample.media}) == 1
        notes = {
            f"items whose two pictures are equal, which no model can solve: {same}": same,
            f"items whose right caption is among the wrong ones, which no model can solve: {twice}": twice,
            f"of up to {most} captions of a picture the first is true, the others false": most > 2,
        }
        return Outcomes(scores.route, outcomes, [note for note, said in notes.items() if said])

    def described(self, sample: Sample) -> tuple[tuple[str, ...], ...]:
        """Return the true caption of each picture, as it is worded; those beside it describe what is not there."""
        return tuple((self._wording.embedded("", text),) for text in sample.references[: len(sample.media)])

    def _default_metrics(self) -> list[str]:
        first = next(iter(self._data.source), None)
        pictures = 0 if first is None else len(self._media(first))
        if pictures == 1:
            return ["pairwise_accuracy"]
        whole = ["group_score", "text_score", "image_score"]
        return whole if pictures else ["pairwise_accuracy", *whole]  # recorded scores may be of either kind

    def _media(self, row: Row) -> tuple[Medium, ...]:
        fields = self._data.fields
        found: tuple[Medium, ...]
        if "videos" in fields:
            found = clips_of(self._data, row)
        elif "images" in fields:
            found = tuple(image for cell in listed(self._data, row, "images") for image in pictures(cell, row))
        else:
            return ()
        if len(found) not in (1, 2):
            shown = "clip" if "videos" in fields else "picture"
            raise DataError(f"{row.where}: a pair has one {shown} or two, found {len(found)}")
        return found


def _outcome(sample: Sample, scores: Floats | Failure) -> Outcome:
    target = " | ".join(sample.references)
    chances = pair_chances(len(sample.media) if isinstance(scores, Failure) else len(scores), sample.references)
    if isinstance(scores, Failure):
        return Outcome.about(sample, "error", None, target, values={}, chances=chances, message=scores.message)
    return Outcome.about(sample, "ok", _written(scores), target, values=pair_values(scores), chances=chances)


def _written(scores: Floats) -> str:
    return " / ".join(" ".join(f"{score:.6g}" for score in row) for row in scores.tolist())
