"""Counting: how many there are, as a number, with the size of the error beside whether it is right."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from mmbench.benchmarks.families.common.candidates import CandidateOptions, Candidates, routes_of
from mmbench.benchmarks.families.common.rows import media_of, named_metrics
from mmbench.benchmarks.families.common.wording import wording
from mmbench.benchmarks.metrics.counting import count_statistics, count_values, mean_of_read, root_mean_of_read
from mmbench.benchmarks.sources.cells import column, is_number, shown, text
from mmbench.harness.ask.examinee import Answer, Examinee, Verb
from mmbench.harness.both import both
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.replies.counts import VERSION as READER
from mmbench.harness.replies.counts import read_count
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Cell, Data, Row
from mmbench.harness.types import Outcome, Route, Sample

PROMPT = "{question}\nAnswer with a number only."

_MOST = 10**12
"""Larger numbers are no count of what a picture shows."""

METRICS = {
    "accuracy": Metric("accuracy", "The number is right."),
    "mae": Metric(
        "mae",
        "Mean absolute error over the replies in which a number was read.",
        higher_is_better=False,
        best=0.0,
        proportion=False,
        aggregate=mean_of_read,
    ),
    "rmse": Metric(
        "rmse",
        "Root of the mean squared error over the same replies.",
        higher_is_better=False,
        best=0.0,
        proportion=False,
        aggregate=root_mean_of_read,
    ),
    "within_10_percent": Metric("within_10_percent", "The number is at most a tenth of the true one off."),
    "bias": Metric(
        "bias",
        "Mean error over the same replies as `mae`; below 0 where too few are counted.",
        higher_is_better=None,
        lowest=-math.inf,
        best=None,
        proportion=False,
        aggregate=mean_of_read,
    ),
}


class Counting:
    """A number for a question, written or ranked among candidates (TallyQA, CountBench, PixMo-Count, FSC-147)."""

    name: ClassVar[str] = "counting"
    version: ClassVar[int] = 1
    verb: ClassVar[Verb] = "answer"
    routes: tuple[Route, ...] = ("generate", "likelihood", "embed")
    fields: ClassVar[Mapping[str, bool]] = {"image": False, "question": True, "count": True}
    Options: ClassVar[type[BaseModel]] = CandidateOptions
    known_metrics: ClassVar[Sequence[Metric]] = tuple(METRICS.values())

    def __init__(self, options: CandidateOptions, data: Data, metrics: Sequence[str]) -> None:
        self._data = data
        self.routes = routes_of(options)
        self._wording = wording(options, PROMPT, max_tokens=32, required=("question",), known=("question",))
        self._candidates = Candidates(options, data, "count")
        self.metrics = named_metrics(self.name, metrics or list(METRICS), METRICS)

    def protocol(self) -> Json:
        """Return the wording, the candidates and which reader reads the numbers."""
        return {**self._wording.as_json(), "candidates": list(self._candidates.texts), "reader": READER}

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a row. Raises DataError that names the row."""
        for number, row in enumerate(self._data.source):
            count = _count(column(row, str(self._data.fields["count"])), row)
            yield Sample(
                id=self._data.id_of(row, number),
                media=media_of(self._data, row),
                question=text(column(row, str(self._data.fields["question"])), row),
                references=(str(count),),
                facts=self._data.facts_of(row),
            )

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return for each question the number that was said, and how far it is off.

        What guessing gains is known once all items are there: whoever does not look says the median.
        """
        for each in self._candidates.texts:
            if read_count(each).value is None:
                raise DataError(f"the candidate '{each}' is no number: {read_count(each).reason}")
        seen, asked = both(samples)
        answers = subject.answer(asked, self._candidates.texts, self._wording)
        held = [
            (replace(sample, media=tuple(image.without_pixels() for image in sample.media)), answer)
            for sample, answer in zip(seen, answers, strict=True)
        ]
        if not held:
            return Outcomes(answers.route, [])
        median = middle([int(sample.references[0]) for sample, _ in held])
        return Outcomes(answers.route, [self._outcome(*each, median) for each in held])

    def _outcome(self, sample: Sample, answer: Answer, median: int) -> Outcome:
        true, read = int(sample.references[0]), read_count(answer.text or "")
        status, message = answer.status, answer.message
        if status == "ok" and read.value is None:
            status, message = "unparsed", read.reason
        value = read.value if status == "ok" else None
        values, statistics = count_values(value, true), count_statistics(value, true)
        chances, guesses = count_values(median, true), count_statistics(median, true)
        names = {metric.name for metric in self.metrics}
        return Outcome.about(
            sample,
            status,
            answer.text if value is None else str(value),
            str(true),
            values={name: each for name, each in values.items() if name in names},
            chances={name: each for name, each in chances.items() if name in names},
            statistics={name: each for name, each in statistics.items() if name in names},
            guesses={name: each for name, each in guesses.items() if name in names},
            message=message,
            # A candidate is no reply; where it is written as a word, the number that it is stands as the prediction.
            reply=answer.raw,
            prompt=answer.prompt,
        )


def middle(counts: Sequence[int]) -> int:
    """Return the lower median, which is one of the counts.

    >>> middle([1, 2, 3, 4, 10, 2])
    2
    """
    return int(np.sort(counts)[(len(counts) - 1) // 2])


def _count(cell: Cell, row: Row) -> int:
    """Return a true count: a whole number from 0, also in words. Raises DataError."""
    if isinstance(cell, str):
        found = read_count(cell).value
        if found is not None:
            return found
    elif is_number(cell) and 0 <= cell < _MOST and float(cell).is_integer():
        return int(cell)
    raise DataError(f"{row.where}: expected a count, a whole number from 0, found {shown(cell)}")
