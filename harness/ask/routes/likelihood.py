"""Likelihood route: how probable a model finds each text given the picture."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from mmbench.harness.ask.examinee import Choice, Similarity
from mmbench.harness.ask.interview import Interview, distinct, failure_in, gallery, nothing_left, options_of, vector
from mmbench.harness.ask.wording import Wording
from mmbench.harness.both import both
from mmbench.harness.engine.checks import no_likelihood
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import Unsupported
from mmbench.harness.media.crop import Region
from mmbench.harness.media.image import Image
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.numerics.ranks import rank_matrix
from mmbench.harness.types import Failure, Option, Sample

MOST_PAIRS = 1_000_000
"""Image-text pairs that `similarity` scores one by one at the most."""


class LikelihoodRoute:
    """Verbs of a model with `score_texts`."""

    def __init__(self, interview: Interview) -> None:
        self._interview = interview

    def choose(self, samples: Iterable[Sample], options: Sequence[Option] | None, wording: Wording) -> Iterator[Choice]:
        """Yield the mean log-probability of each option's phrasings."""
        seen, asked = both(samples)

        def question(sample: Sample) -> Question:
            texts = [text for option in options_of(sample, options) for text in option.phrasings]
            pictures, worded = self._interview.pictures_if_any(sample), wording.continued(sample.question, texts)
            return Question(SCORE, pictures, *worded, item=sample.id)

        values = self._likelihoods(map(question, asked), wording)
        for sample, value in zip(seen, values, strict=True):
            if isinstance(value, Failure):
                yield Choice("error", None, message=value.message)
                continue
            counts = [len(option.phrasings) for option in options_of(sample, options)]
            if set(counts) == {1}:
                yield Choice("ok", value)
                continue
            parts = np.split(value, np.cumsum(counts)[:-1])
            yield Choice("ok", np.array([part.mean() for part in parts]))

    def similarity(self, samples: Iterable[Sample]) -> Similarity:
        """Rank by log-probability; equal pictures stand in the gallery once. Raises Unsupported above `MOST_PAIRS`."""
        held, _ = distinct(list(samples), {})
        every, _ = gallery(held, {})
        pairs = len(held) * len(every)
        if pairs > MOST_PAIRS:
            raise Unsupported(f"similarity by likelihood would score {pairs:,} pairs, over the cap of {MOST_PAIRS:,}")
        values = list(self._ask(Question(SCORE, sample.media, "", tuple(every), item=sample.id) for sample in held))
        failures = {i: value for i, value in enumerate(values) if isinstance(value, Failure)}
        if len(failures) == len(held):
            raise nothing_left(held, failures)
        stays = np.repeat([i not in failures for i in range(len(held))], [len(s.references) for s in held])
        scores = np.stack([value[stays] for value in values if not isinstance(value, Failure)])
        by_picture, by_text = rank_matrix(scores, gallery(held, failures)[1])
        before = (
            np.where(by_picture.greater > 0, scores.argmax(axis=1), -1),
            np.where(by_text.greater > 0, scores.argmax(axis=0), -1),
        )
        return Similarity("likelihood", held, failures, by_picture, by_text, before)

    def within(self, samples: Iterable[Sample], wording: Wording) -> Iterator[Floats | Failure]:
        """Yield the (pictures, texts) log-probabilities of each sample."""
        seen, asked = both(samples)

        def questions(sample: Sample) -> Iterator[Question]:
            worded = wording.continued(sample.question, sample.references)
            return (
                Question(SCORE, pictures, *worded, item=sample.id) for pictures in self._interview.one_by_one(sample)
            )

        values = self._likelihoods(chain.from_iterable(map(questions, asked)), wording)
        for sample in seen:
            rows = [next(values) for _ in self._interview.one_by_one(sample)]
            yield failure_in(rows) or np.stack([row for row in rows if not isinstance(row, Failure)])

    def fits(
        self, samples: Iterable[Sample], regions: Callable[[Sample], Sequence[Region]], wording: Wording
    ) -> Iterator[Floats | Failure]:
        """Yield (regions,) log-probabilities of each sample's question beside the crops of its picture."""
        seen, asked = both(samples)

        def questions(sample: Sample) -> Iterator[Question]:
            text = (wording.embedded(sample.question, ""),)
            return (Question(SCORE, each, "", text, item=sample.id) for each in self._crops(sample, regions))

        values = self._likelihoods(chain.from_iterable(map(questions, asked)), wording)
        for sample in seen:
            rows = [next(values) for _ in regions(sample)]
            yield failure_in(rows) or np.concatenate([row for row in rows if not isinstance(row, Failure)])

    def _crops(self, sample: Sample, regions: Callable[[Sample], Sequence[Region]]) -> Iterator[tuple[Image, ...]]:
        return self._interview.crops(sample, regions(sample))

    def _likelihoods(self, questions: Iterable[Question], wording: Wording) -> Iterator[Floats | Failure]:
        """Yield (texts,) log-probabilities for each question, made comparable as the task wants."""
        seen, asked = both(questions)
        if wording.likelihood == "pmi":
            blind = self._interview.without
            asked = chain.from_iterable((each, replace(each, images=blind(each.images))) for each in asked)
        values = self._ask(asked)
        for question in seen:
            value = next(values)
            prior = next(values) if wording.likelihood == "pmi" else None
            if isinstance(value, Failure):
                yield value
            elif isinstance(prior, Failure):
                yield prior
            elif wording.likelihood == "mean":
                yield value / [max(len(text), 1) for text in question.texts]
            else:
                yield value if prior is None else _gained(value, prior)

    def _ask(self, questions: Iterable[Question]) -> Iterator[Floats | Failure]:
        """Yield (texts,) log-probabilities for each question; what is remembered from before they were checked too."""
        for value in self._interview.ask(questions):
            row = value if isinstance(value, Failure) else vector(value)
            yield row if isinstance(row, Failure) else no_likelihood(row) or row


def _gained(value: Floats, prior: Floats) -> Floats | Failure:
    """Return what each text owes to the picture; one that is impossible beside it is last, whatever its prior."""
    possible = value > -np.inf
    if not np.isfinite(prior[possible]).all():
        return Failure(
            "a text that is possible beside the picture is impossible without it, so that its pmi is infinite"
        )
    return np.subtract(value, prior, out=np.full_like(value, -np.inf), where=possible)
