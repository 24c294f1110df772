"""Captioning: a generated sentence scored against human references and against the picture itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from mmbench.benchmarks.families.common.candidates import CandidateOptions, Candidates, routes_of
from mmbench.benchmarks.families.common.guessed_captions import GAINED, guesses
from mmbench.benchmarks.families.common.named_objects import CHAIR, NamedObjects
from mmbench.benchmarks.families.common.rows import media_of, named_metrics, shown_before
from mmbench.benchmarks.families.common.wording import wording
from mmbench.benchmarks.metrics.caption import meteor
from mmbench.benchmarks.metrics.caption.all_at_once import (
    ATTRIBUTES,
    LANGUAGE,
    METRICS,
    CaptionScores,
    attribute_scores,
    language_scores,
    meteor_scores,
    tokenize_lines,
    tokenize_references,
)
from mmbench.benchmarks.metrics.caption.cider import DocumentFrequencies
from mmbench.benchmarks.metrics.caption.clipscore import PREFIX, clipscore, ref_clipscore
from mmbench.benchmarks.metrics.caption.ngrams import Tokens
from mmbench.benchmarks.metrics.caption.ptb import VERSION as TOKENIZER
from mmbench.benchmarks.sources.cells import column, label_values, texts
from mmbench.harness.ask.examinee import Answer, Examinee, Verb
from mmbench.harness.both import both
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import AdapterError, DataError, Unavailable
from mmbench.harness.models.abilities import ImageVectors
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Data, Row
from mmbench.harness.types import Failure, Option, Outcome, Route, Sample

_TRUTH = "attributes"
"""The fact that holds the attributes of a picture, as a list."""
_BLOCK = 512


class CaptioningOptions(CandidateOptions):
    """The task-file keys of captioning."""

    document_frequencies: str | None = None
    """A JSON table for CIDEr in place of the references' own document frequencies."""
    synonyms: str | dict[str, list[str]] | None = None
    """The words of each object, for CHAIR: a table, or a JSON file of one."""


class Captioning:
    """A caption in words, written or ranked among candidates (COCO captions; Chen et al. 2015)."""

    name: ClassVar[str] = "captioning"
    version: ClassVar[int] = 2
    verb: ClassVar[Verb] = "answer"
    routes: tuple[Route, ...] = ("generate", "likelihood", "embed")
    fields: ClassVar[Mapping[str, bool]] = {"image": False, "references": True, "objects": False}
    Options: ClassVar[type[BaseModel]] = CaptioningOptions
    known_metrics: ClassVar[Sequence[Metric]] = tuple(METRICS.values())

    def __init__(self, options: CaptioningOptions, data: Data, metrics: Sequence[str]) -> None:
        self._data = data
        self.routes = routes_of(options)
        self._wording = wording(options, "", max_tokens=64, known=())
        self._candidates = Candidates(options, data, "references")
        given = options.document_frequencies
        self._frequencies = None if given is None else DocumentFrequencies.read(data.base / given)
        self._truth = _TRUTH in data.facts
        self._objects = None if options.synonyms is None else NamedObjects(options.synonyms, data)
        default = [
            *(CHAIR if self._objects else ()),
            *LANGUAGE,
            "clipscore",
            "ref_clipscore",
            *(ATTRIBUTES if self._truth else ()),
        ]
        self.metrics = named_metrics(self.name, metrics or default, METRICS)
        self._names = [metric.name for metric in self.metrics]
        if not self._truth and set(self._names) & set(ATTRIBUTES):
            raise DataError(f"metrics of attributes need the column '{_TRUTH}' among 'facts'")
        if self._objects is None and set(self._names) & set(CHAIR):
            raise DataError("CHAIR needs `synonyms`, the words of each object, and the field 'objects'")

    def protocol(self) -> Json:
        """Return the wording, the candidates, the tokenizer and where document frequencies come from."""
        table = self._frequencies
        source = "corpus" if table is None else digest_json([table.documents, dict(table.frequencies)])
        fixed = {
            **self._wording.as_json(),
            "candidates": list(self._candidates.texts),
            "tokenizer": TOKENIZER,
            "document_frequencies": source,
        }
        if self._truth:  # of all facts only this one makes a score
            values = self._data.source.values(_TRUTH)
            fixed["attributes"] = digest_json([[str(each) for each in label_values(cell)] for cell in values])
        if self._objects:
            fixed["objects"] = self._objects.as_json()
        return fixed

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a row. Raises DataError that names the row."""
        for number, row in enumerate(self._data.source):
            yield Sample(
                id=self._data.id_of(row, number),
                media=media_of(self._data, row),
                references=self._references(row),
                facts=self._data.facts_of(row),
            )

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return for each picture its caption and how it agrees. Raises DataError where a metric would be nonsense.

        Captions are scored together once all are there: what a word weighs depends on all references.
        """
        seen, asked = both(samples)
        answers = subject.answer(asked, self._candidates.texts, self._wording)
        held = []
        for sample, answer in zip(seen, answers, strict=True):
            held.append((sample.without_pixels(), answer))
        notes: list[str] = []
        if repeats := shown_before(sample for sample, _ in held):
            notes.append(
                "items that show the picture of an earlier one, each compared with its own references alone "
                f"(put those of a picture in one list): {repeats}"
            )
        pictures = self._pictures(held, subject.scorer, notes)
        for i, vector in pictures.items():
            if isinstance(vector, Failure):
                held[i] = (held[i][0], replace(held[i][1], status="error", text=None, message=vector.message))
        captioned = [i for i, (_, answer) in enumerate(held) if answer.status != "error"]
        vectors = [vector for vector in pictures.values() if not isinstance(vector, Failure)]
        references = tokenize_references([held[i][0].references for i in captioned])
        scores = (
            self._scores([held[i] for i in captioned], references, vectors, subject.scorer, notes) if captioned else {}
        )
        ranked = captioned and answers.route in ("embed", "likelihood")
        guessed = self._guesses([held[i][0] for i in captioned], references) if ranked else {}
        place = {i: at for at, i in enumerate(captioned)}
        outcomes = []
        for i, (sample, answer) in enumerate(held):
            if i in place:
                at = place[i]
                made = self._outcome(sample, answer, scores, at, {n: g[at] for n, g in guessed.items()})
                outcomes.append(self._with_objects(made, sample, answer, i, len(held), writes=not ranked))
            else:
                target = " | ".join(sample.references)
                failed = Outcome.about(sample, "error", None, target, values={}, message=answer.message)
                outcomes.append(replace(failed, reply=answer.raw, prompt=answer.prompt))
        return Outcomes(answers.route, outcomes, notes)

    def described(self, sample: Sample) -> tuple[tuple[str, ...], ...]:
        """Return the captions that people wrote of a picture; of several pictures no one is described by itself."""
        return (sample.references,) if len(sample.media) == 1 else ((),) * len(sample.media)

    def _references(self, row: Row) -> tuple[str, ...]:
        names = self._data.fields["references"]
        cells = [column(row, name) for name in (names if isinstance(names, list) else [names])]
        found = tuple(text for cell in cells if cell is not None for text in texts(cell, row) if text.strip())
        if not found:
            raise DataError(f"{row.where}: no reference to compare with; every row needs at least one")
        return found

    def _scores(
        self,
        captioned: Sequence[tuple[Sample, Answer]],
        references: Sequence[Sequence[Tokens]],
        pictures: Sequence[Floats],
        scorer: Examinee | None,
        notes: list[str],
    ) -> dict[str, CaptionScores]:
        captions = [answer.text or "" for _, answer in captioned]
        samples = [sample for sample, _ in captioned]
        candidates = list(tokenize_lines(captions))
        made = language_scores(self._names, candidates, references, self._frequencies)
        if "meteor" in self._names:
            reason = meteor.available()
            if reason:
                notes.append(f"meteor is -: {reason}")
            else:
                made["meteor"] = meteor_scores(candidates, references)
        if self._truth and set(self._names) & set(ATTRIBUTES):
            counts = attribute_scores(candidates, [_attributes(sample) for sample in samples])
            made |= dict.fromkeys(ATTRIBUTES, counts)
        if scorer and pictures:
            made |= self._clipscores(np.stack(pictures), captions, samples, scorer)
        return {name: made[name] for name in self._names if name in made}

    def _pictures(
        self, held: Sequence[tuple[Sample, Answer]], scorer: Examinee | None, notes: list[str]
    ) -> dict[int, Floats | Failure]:
        """Return the scorer's vector of each captioned picture by its place; the pictures are read a second time.

        They are the items' own also where a control showed others: the caption is to fit what is there.
        """
        if not set(self._names) & {"clipscore", "ref_clipscore"}:
            return {}
        if scorer is None or "image" not in self._data.fields:
            why = "no scorer was given (--scorer)" if scorer is None else "the data has no pictures"
            notes.append(f"clipscore and ref_clipscore are -: {why}")
            return {}
        wanted = [i for i, (_, answer) in enumerate(held) if answer.status != "error"]
        own = islice(self.samples(), len(held))
        places = set(wanted)
        with _at_hand(scorer):
            vectors = scorer.features(sample for i, sample in enumerate(own) if i in places)
            return {i: _embedding(vector) for i, vector in zip(wanted, vectors, strict=True)}

    def _clipscores(
        self, pictures: Floats, captions: Sequence[str], samples: Sequence[Sample], scorer: Examinee
    ) -> dict[str, CaptionScores]:
        """Return CLIPScore with and without references."""
        with _at_hand(scorer):
            texts = _vectors([PREFIX + caption for caption in captions], scorer)
            plain = clipscore(pictures, texts)
            made = {"clipscore": CaptionScores(plain)}
            if "ref_clipscore" in self._names:
                worded = [PREFIX + text for sample in samples for text in sample.references]
                ends = np.cumsum([len(sample.references) for sample in samples])[:-1]
                made["ref_clipscore"] = CaptionScores(
                    ref_clipscore(plain, texts, np.split(_vectors(worded, scorer), ends))
                )
        return made

    def _outcome(
        self,
        sample: Sample,
        answer: Answer,
        scores: Mapping[str, CaptionScores],
        at: int,
        guesses: Mapping[str, tuple[float, ...]],
    ) -> Outcome:
        values = {name: float(made.values[at]) for name, made in scores.items() if made.values is not None}
        statistics = {
            name: tuple(made.statistics[at].tolist()) for name, made in scores.items() if made.statistics is not None
        }
        return Outcome.about(
            sample,
            answer.status,
            answer.text,
            " | ".join(sample.references),
            values=values,
            # A model that writes is shown no candidates, so that guessing gains nothing.
            chances=dict.fromkeys(GAINED, 0.0) if not guesses else {n: g[0] for n, g in guesses.items() if len(g) == 1},
            statistics=statistics,
            guesses={n: g for n, g in guesses.items() if len(g) > 1},
            message=answer.message,
            reply=answer.raw,
            prompt=answer.prompt,
        )

    def _with_objects(
        self, outcome: Outcome, sample: Sample, answer: Answer, place: int, items: int, *, writes: bool
    ) -> Outcome:
        """Return an outcome with what its caption names; guessing is to take a candidate without looking."""
        if self._objects is None:
            return outcome
        names, texts = set(self._names), self._candidates.texts
        counts = self._objects.statistics(answer.text if answer.status == "ok" else None, sample)
        guessed = self._objects.guesses(texts, sample, place, items) if texts else {}
        if writes:  # and is shown no candidates
            guessed = {**guessed, **self._objects.unnamed(sample)}
        return replace(
            outcome,
            statistics={**outcome.statistics, **{name: each for name, each in counts.items() if name in names}},
            guesses={**outcome.guesses, **{name: each for name, each in guessed.items() if name in names}},
        )

    def _guesses(
        self, samples: Sequence[Sample], references: Sequence[Sequence[Tokens]]
    ) -> dict[str, list[tuple[float, ...]]]:
        true = [_attributes(sample) for sample in samples] if self._truth else []
        return guesses(self._names, self._candidates.texts, references, true, self._frequencies)


def _embedding(found: ImageVectors | Failure) -> Floats | Failure:
    return found if isinstance(found, Failure) else np.asarray(found.embedding, dtype=np.float64)


def _attributes(sample: Sample) -> list[str]:
    held = sample.facts[_TRUTH]
    found = list(label_values(held))
    if held is None or not all(isinstance(each, str) for each in found):
        raise DataError(f"item {sample.id}: '{_TRUTH}' must be a list of texts, found {held!r}")
    return found


@contextmanager
def _at_hand(scorer: Examinee) -> Iterator[None]:
    try:
        yield
    except Unavailable as error:  # the run would take it for the model's own
        raise AdapterError(f"scorer {scorer.name} is unavailable: {error}") from error


def _vectors(texts: Sequence[str], scorer: Examinee) -> Floats:
    blocks = [texts[start : start + _BLOCK] for start in range(0, len(texts), _BLOCK)]
    return np.concatenate([scorer.prototypes([Option(text, (text,)) for text in block]) for block in blocks])
