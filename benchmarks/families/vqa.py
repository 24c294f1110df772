"""Open-ended visual question answering: a free answer scored against human answers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from statistics import fmean
from typing import ClassVar, NamedTuple

from pydantic import BaseModel

from mmbench.benchmarks.families.common.candidates import CandidateOptions, Candidates, routes_of
from mmbench.benchmarks.families.common.guessing import guesses_for
from mmbench.benchmarks.families.common.rows import media_of, named_metrics
from mmbench.benchmarks.families.common.wording import wording
from mmbench.benchmarks.metrics.answers import anls, contains, contains_symbols, exact_match, relaxed_accuracy, token_f1
from mmbench.benchmarks.metrics.ocr import edits_of_characters, edits_of_words, error_rate, ned
from mmbench.benchmarks.metrics.vqa import vqa_accuracy, vqa_accuracy_lenient
from mmbench.benchmarks.sources.cells import column, label_values, text, texts
from mmbench.harness.ask.examinee import Answer, Examinee, Verb
from mmbench.harness.both import both
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Data, Row
from mmbench.harness.types import Outcome, Route, Sample

PROMPT = "{question}\nAnswer the question using a single word or phrase."
"""Prompt of LLaVA-1.5 (Liu et al. 2023), with which most published figures were made."""

_ENOUGH = 4
"""Annotators from which on three can agree beside each one that is left out."""

_VALUES: Mapping[str, Callable[[str, Sequence[str]], float]] = {
    "vqa_accuracy": vqa_accuracy,
    "vqa_accuracy_lenient": vqa_accuracy_lenient,
    "exact_match": exact_match,
    "anls": anls,
    "relaxed_accuracy": relaxed_accuracy,
    "token_f1": token_f1,
    "contains": contains,
    "contains_symbols": contains_symbols,
    "ned": lambda said, answers: min(ned(answer, said) for answer in answers),
}
_EDITS: Mapping[str, Callable[[str, str], tuple[float, float]]] = {"cer": edits_of_characters, "wer": edits_of_words}
"""What corpus metrics are made from."""

METRICS = {
    "vqa_accuracy": Metric(
        "vqa_accuracy", "Agreement with ten annotators, as the official script (Antol et al. 2015)."
    ),
    "vqa_accuracy_lenient": Metric("vqa_accuracy_lenient", "The same, both sides always normalised."),
    "exact_match": Metric("exact_match", "Equal to an answer after SQuAD's normalisation (Rajpurkar et al. 2016)."),
    "anls": Metric("anls", "Normalised Levenshtein similarity of at least one half (Biten et al. 2019, DocVQA)."),
    "relaxed_accuracy": Metric("relaxed_accuracy", "Numbers within 5 %, texts equal (Masry et al. 2022, ChartQA)."),
    "token_f1": Metric("token_f1", "F1 of shared words, best over the answers (Rajpurkar et al. 2016)."),
    "contains": Metric(
        "contains", "An answer stands somewhere in what was written, case apart (Liu et al. 2023, OCRBench)."
    ),
    "contains_symbols": Metric(
        "contains_symbols", "The same of formulas: without white space, in their own case (OCRBench, HME100k)."
    ),
    "cer": Metric(
        "cer",
        "Edits of characters over characters of the nearest answers, summed over the items.",
        higher_is_better=False,
        best=0.0,
        proportion=False,
        aggregate=error_rate,
    ),
    "wer": Metric(
        "wer",
        "Edits of words over words of the nearest answers, summed over the items.",
        higher_is_better=False,
        best=0.0,
        proportion=False,
        aggregate=error_rate,
    ),
    "ned": Metric(
        "ned", "Edits over the length of the longer text, least over the answers.", higher_is_better=False, best=0.0
    ),
}

_ON_DEMAND = ("cer", "wer", "ned", "contains", "contains_symbols")
"""Errors of text that was read, which say little of short answers, and what long answers pass easily: computed where a
task names them."""


class _Marks(NamedTuple):
    """What an answer comes to."""

    values: Mapping[str, float]
    statistics: Mapping[str, tuple[float, ...]]


class Vqa:
    """An answer in words, written or ranked among candidates (VQAv2, DocVQA, ChartQA)."""

    name: ClassVar[str] = "vqa"
    version: ClassVar[int] = 2
    verb: ClassVar[Verb] = "answer"
    routes: tuple[Route, ...] = ("generate", "likelihood", "embed")
    fields: ClassVar[Mapping[str, bool]] = {"image": False, "question": True, "answers": True}
    Options: ClassVar[type[BaseModel]] = CandidateOptions
    known_metrics: ClassVar[Sequence[Metric]] = tuple(METRICS.values())

    def __init__(self, options: CandidateOptions, data: Data, metrics: Sequence[str]) -> None:
        self._data = data
        self.routes = routes_of(options)
        self._wording = wording(options, PROMPT, max_tokens=32, required=("question",), known=("question",))
        self._candidates = Candidates(options, data, "answers")
        self.metrics = named_metrics(self.name, metrics or self._default_metrics(), METRICS)

    def protocol(self) -> Json:
        """Return the wording and the candidates."""
        return {**self._wording.as_json(), "candidates": list(self._candidates.texts)}

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a row. Raises DataError that names the row."""
        for number, row in enumerate(self._data.source):
            yield Sample(
                id=self._data.id_of(row, number),
                media=media_of(self._data, row),
                question=text(column(row, str(self._data.fields["question"])), row),
                references=self._answers(row),
                facts=self._data.facts_of(row),
            )

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return for each question the answer and how it agrees with those of people."""
        seen, asked = both(samples)
        chance = lru_cache(maxsize=4096)(self._chance)  # many questions share their answers, and often all candidates
        items = len(self._data.source)
        answers = subject.answer(asked, self._candidates.texts, self._wording)
        # A model that writes is shown no candidates, so that guessing gains nothing.
        ranked = answers.route in ("embed", "likelihood")
        outcomes = []
        for number, (sample, answer) in enumerate(zip(seen, answers, strict=True)):
            guesses = tuple(guesses_for(number, items, self._candidates.texts)) if ranked else (None,)
            outcomes.append(self._outcome(sample, answer, chance(sample.references, guesses)))
        return Outcomes(answers.route, outcomes)

    def _default_metrics(self) -> list[str]:
        """Return all metrics, those of VQAv2 only where the data has annotators enough for them to reach 1."""
        cell = next(iter(self._data.source.values(str(self._data.fields["answers"]))), ())
        known = [name for name in METRICS if name not in _ON_DEMAND]
        return [name for name in known if len(label_values(cell)) >= _ENOUGH or not name.startswith("vqa_accuracy")]

    def _answers(self, row: Row) -> tuple[str, ...]:
        found = texts(column(row, str(self._data.fields["answers"])), row)
        # A blank cell is no answer; a list may hold blank ones, as annotators leave them.
        if not found or (len(found) == 1 and not found[0].strip()):
            raise DataError(f"{row.where}: no answer to compare with; every row needs at least one")
        return found

    def _outcome(self, sample: Sample, answer: Answer, guessed: _Marks) -> Outcome:
        made = self._marks(answer.text, sample.references)
        return Outcome.about(
            sample,
            answer.status,
            answer.text,
            " | ".join(dict.fromkeys(sample.references)),
            values=made.values,
            chances=guessed.values,
            statistics=made.statistics,
            guesses=guessed.statistics,
            message=answer.message,
            reply=answer.raw,
            prompt=answer.prompt,
        )

    def _marks(self, said: str | None, references: tuple[str, ...]) -> _Marks:
        """Return the marks of an answer; without one nothing matches, and all that was to be read is missing."""
        values: dict[str, float] = {}
        statistics: dict[str, tuple[float, ...]] = {}
        for metric in self.metrics:
            name = metric.name
            if name in _EDITS:
                counts = (_EDITS[name](answer, said or "") for answer in dict.fromkeys(references))
                edits, length = min(counts, key=lambda each: each[0] / max(1.0, each[1]))
                values[name], statistics[name] = edits / max(1.0, length), (edits, length)
            elif said is None:
                values[name] = 0.0 if metric.higher_is_better else 1.0
            else:
                values[name] = _VALUES[name](said, references)
        return _Marks(values, statistics)

    def _chance(self, references: tuple[str, ...], guesses: tuple[str | None, ...]) -> _Marks:
        made = [self._marks(guess, references) for guess in guesses]
        values = {name: fmean(each.values[name] for each in made) for name in made[0].values if name not in _EDITS}
        statistics = {
            name: tuple(map(fmean, zip(*(each.statistics[name] for each in made), strict=True)))
            for name in made[0].statistics
        }
        return _Marks(values, statistics)
