"""Probe family: what can be learnt from a model's frozen vectors, from a few examples or from all."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from mmbench.benchmarks.families.common.class_lists import classes_of
from mmbench.benchmarks.families.common.rows import (
    is_multi_label,
    labelled_samples,
    prompt_templates,
)
from mmbench.benchmarks.families.probe.marking import FULL, ZERO, Learnt, Marking
from mmbench.benchmarks.families.probe.methods import TEXT_METHODS, Lesson, ProbeOptions, learn
from mmbench.benchmarks.families.probe.metrics import KNOWN, curve_metric, lesson_metric
from mmbench.benchmarks.probes.cosines import unit
from mmbench.benchmarks.probes.episodes import Episode, Split, draw, given_split, stratified_split
from mmbench.benchmarks.probes.labelled import Labelled, Labels, Scores
from mmbench.benchmarks.probes.quality import check_choice
from mmbench.benchmarks.sources.cells import column
from mmbench.benchmarks.sources.classes import class_indices
from mmbench.harness.ask.examinee import Examinee, Verb
from mmbench.harness.both import both
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError, Unsupported, UsageError, nearest
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.render.figures import some
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Cell, Data, Row
from mmbench.harness.types import Failure, Option, Route, RouteTaken, Sample

_MOST_NAMES = 10
_NAME = re.compile(r"(?:(full|0-shot)|([1-9]\d*)-shot(?:/seed(0|[1-9]\d*))?)/(accuracy|mean_per_class_recall|map)")


class Probe:
    """Labels learnt from stored vectors (Radford et al. 2021, A.3; Zhou et al. 2022), and zero shots as the line at 0.

    Items are those of the test split; train and validation are only learnt from.
    """

    name: ClassVar[str] = "probe"
    version: ClassVar[int] = 1
    verb: ClassVar[Verb] = "features"
    routes: tuple[Route, ...] = ("embed",)
    fields: ClassVar[Mapping[str, bool]] = {"image": True, "label": True, "split": False}
    Options: ClassVar[type[BaseModel]] = ProbeOptions
    known_metrics: ClassVar[Sequence[Metric]]

    def __init__(self, options: ProbeOptions, data: Data, metrics: Sequence[str]) -> None:
        self._data = data
        self._options = options
        self._label = str(data.fields["label"])
        self.classes = classes_of(options.classes, data, self._label)
        self._templates = prompt_templates(options.templates, data)
        self._multi_label = is_multi_label(data, self._label)
        if self._multi_label and options.method in ("tip-adapter-f", "coop"):
            raise DataError(f"{options.method} learns one label a picture, and these have lists; take another method")
        self._kind = "map" if self._multi_label else "accuracy"
        self._shots = sorted(set(options.shots))
        self.metrics = [self._metric(name) for name in metrics or self._default_metrics()]
        self._guessable = [metric.name for metric in self.metrics if metric.name != "efficiency"]

    def protocol(self) -> Json:
        """Return what is learnt, how, from which vectors, and how pictures are divided."""
        options = self._options
        settings: dict[str, Json] = {"linear": options.C, "knn": [options.k, options.temperature]}
        return {
            "classes": list(self.classes.names),
            "templates": list(self._templates),
            "method": options.method,
            "settings": settings.get(options.method),
            "sweep": options.sweeps,
            "features": "post" if options.projected else "pre",
            "shots": list(self._shots),
            "full": options.learns_in_full,
            "seeds": list(options.seed_list),
            "split": self._splits_digest(),
        }

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a row, of all splits. Raises DataError that names the row."""
        return labelled_samples(self._data, self._target)

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return for each test picture how it was classified after each lesson. Raises DataError."""
        notes: list[str] = []
        route, held = self._embedded(subject, samples)
        if leaked := _leaked(held):
            notes.append(f"test pictures that are also learnt from, which makes scores too high: {leaked}")
        lessons, episodes = self._lessons(held, notes)
        if not len(held.split.test):
            raise DataError(
                "no item is left for test: of each class 60 % are train, 20 % validation and 20 % test, which takes "
                "three items a class at least; add items, or name a column as `fields: {split: COLUMN}`"
            )
        texts = self._texts(subject, notes)
        if subject.dry and self._options.method != "coop":
            # All is asked, and what is learnt from stand-ins takes as long as from vectors.
            return Outcomes(route, ())
        usable = [place for place in held.split.test.tolist() if place not in held.failures]
        scores: dict[str, Scores] = {}
        if texts is not None:
            scores[ZERO] = unit(held.embedding[usable]) @ texts.T
        chosen: dict[str, Json] = {}
        names = self.classes.names
        for lesson, (made, settings) in zip(
            lessons, learn(self._options, lessons, held.vectors[usable], texts, names, subject), strict=True
        ):
            scores[lesson.name] = made
            if settings:
                chosen[lesson.name] = settings
        marked = Marking(self._options, self.classes.names, self._shots, self._guessable, multi_label=self._multi_label)
        hits = {name: marked.hits(made, held, usable) for name, made in scores.items()}
        curve = marked.curve(hits, scores, held.labels[usable])
        details: dict[str, Json] = {"episodes": episodes, "chosen": chosen, "curve": curve}
        return Outcomes(route, list(marked.outcomes(held, usable, hits, scores)), notes, details)

    def parts(self, samples: Sequence[Sample]) -> Sequence[str]:
        """Return for each sample whether it is learnt from, chosen by or asked for; nothing where it is neither."""
        split = self._split(samples, self._labels(samples))
        found = [""] * len(samples)
        for name, places in (("train", split.train), ("validation", split.validation), ("test", split.test)):
            for place in places.tolist():
                found[place] = name
        return found

    def _embedded(self, subject: Examinee, samples: Iterable[Sample]) -> tuple[RouteTaken, Learnt]:
        """Ask for the vectors of all pictures, each once, and return the route and what came."""
        held: list[Sample] = []
        failures: dict[int, Failure] = {}
        pairs: list[tuple[Floats, Floats] | None] = []
        seen, asked = both(samples)
        answers = subject.features(asked)
        for place, (sample, found) in enumerate(zip(seen, answers, strict=True)):
            if isinstance(found, Failure):
                failures[place] = found
                pairs.append(None)
            else:
                pairs.append((np.asarray(found.embedding, np.float32), np.asarray(found.features, np.float32)))
            held.append(sample.without_pixels())
        first = next((pair for pair in pairs if pair is not None), None)
        if first is None:
            raise DataError("no picture of this task could be embedded")
        zero = (np.zeros_like(first[0]), np.zeros_like(first[1]))
        embedding, features = (np.stack(rows) for rows in zip(*(pair or zero for pair in pairs), strict=True))
        labels = self._labels(held)
        split = self._split(held, labels)
        vectors = embedding if self._options.projected else features
        return answers.route, Learnt(held, embedding, vectors, failures, labels, split)

    def _labels(self, samples: Sequence[Sample]) -> Labels:
        if not self._multi_label:
            return np.array([sample.target[0] for sample in samples], dtype=np.int64)
        shown = np.zeros((len(samples), len(self.classes)), dtype=np.bool_)
        for row, sample in enumerate(samples):
            shown[row, list(sample.target)] = True
        return shown

    def _split(self, samples: Sequence[Sample], labels: Labels) -> Split:
        ids = [sample.id for sample in samples]
        if "split" not in self._data.fields:
            return stratified_split(ids, labels)
        named = self._named_splits()
        return given_split([named[each] for each in ids], ids, labels)

    def _named_splits(self) -> Mapping[str, Cell]:
        """Return the split that the data names for each item, by its id: of a sample the places are not the rows'."""
        source, name = self._data.source, str(self._data.fields.get("id", "id"))
        named = source.values(name) if name.partition(".")[0] in source.columns() else repeat(None)
        cells = source.values(str(self._data.fields["split"]))
        rows = (Row({name: each}, "", self._data.base) for each in named)
        return {
            self._data.id_of(row, number): cell for number, (row, cell) in enumerate(zip(rows, cells, strict=False))
        }

    def _lessons(self, held: Learnt, notes: list[str]) -> tuple[list[Lesson], dict[str, Json]]:
        """Return what each probe is fitted on, and the episodes as the record keeps them."""
        ids = [sample.id for sample in held.samples]
        names = self.classes.names
        episodes = [
            draw(held.split, ids, held.labels, names, shots, seed, validated=self._options.sweeps)
            for shots in self._shots
            for seed in self._options.seed_list
        ]
        written: dict[str, Json] = {episode.name: episode.as_json(ids) for episode in episodes}
        whole = Episode(0, 0, held.split.train, held.split.validation)
        if self._options.learns_in_full:
            if self._options.sweeps:
                check_choice(self._labelled(held, held.split.validation))
            notes += self._unlearnt(held)
        lessons: list[tuple[str, int | None, Episode]] = [(FULL, None, whole)] if self._options.learns_in_full else []
        lessons += [(episode.name, episode.shots, episode) for episode in episodes]
        lost = sum(place in held.failures for place in (*held.split.train, *held.split.validation))
        if lost:
            notes.append(f"{lost} pictures to learn from could not be embedded, and were left out")
        made = [
            Lesson(name, shots, each.seed, self._labelled(held, each.train), self._labelled(held, each.validation))
            for name, shots, each in lessons
        ]
        return made, {"digest": digest_json(written), **written}

    def _unlearnt(self, held: Learnt) -> list[str]:
        """Return a note where test has classes that train lacks: of these no item can be right."""
        learnt, asked = (held.labels[places] for places in (held.split.train, held.split.test))
        if self._multi_label:
            lost = np.flatnonzero(asked.any(axis=0) & ~learnt.any(axis=0))
        else:
            lost = np.setdiff1d(asked, learnt)
        names = [self.classes.names[number] for number in lost.tolist()]
        return [f"no training item shows {some(names, _MOST_NAMES)}, which the test asks for"] if names else []

    def _labelled(self, held: Learnt, places: npt.NDArray[np.int64]) -> Labelled:
        good = np.array([place for place in places.tolist() if place not in held.failures], dtype=np.int64)
        return Labelled(held.vectors[good], held.labels[good], len(self.classes))

    def _texts(self, subject: Examinee, notes: list[str]) -> Floats | None:
        """Return the zero-shot class vectors, or None where the model has no text tower."""
        options = [Option(n, tuple(t.replace("{}", n) for t in self._templates)) for n in self.classes.names]
        try:
            return subject.prototypes(options)
        except Unsupported as error:
            if self._options.method in TEXT_METHODS:
                raise
            notes.append(f"0-shot is -: {error}")
            return None

    def _default_metrics(self) -> list[str]:
        names = [f"{FULL}/{self._kind}"] if self._options.learns_in_full else []
        names += [f"{k}-shot/{self._kind}" for k in reversed(self._shots)]
        names.append(f"{ZERO}/{self._kind}")
        if self._options.learns_in_full and not self._multi_label:
            names.append(f"{FULL}/mean_per_class_recall")
        return names + (["shots_auc", "efficiency"] if self._shots and not self._multi_label else [])

    def _metric(self, name: str) -> Metric:
        match = _NAME.fullmatch(name)
        if name in ("shots_auc", "efficiency") and self._shots:
            return curve_metric(name)
        known = [*self._default_metrics(), "full/mean_per_class_recall"]
        if not match:
            raise UsageError(f"probe has no metric '{name}'{nearest(name, known)}")
        whole, shots, seed, kind = match.groups()
        missing = (
            (whole == FULL and not self._options.learns_in_full)
            or (shots and int(shots) not in self._shots)
            or (seed and int(seed) not in self._options.seed_list)
            or (kind == "mean_per_class_recall" and self._multi_label)
            or (kind == "map" and not self._multi_label)
        )
        if missing:
            raise UsageError(f"the metric '{name}' needs what this task does not do{nearest(name, known)}")
        return lesson_metric(name, kind, averaged=bool(shots and not seed))

    def _target(self, row: Row) -> tuple[int, ...]:
        found = class_indices(column(row, self._label), row, self.classes)
        if not found and not self._multi_label:
            raise DataError(f"{row.where}: no label; every row needs a class")
        return found

    def _splits_digest(self) -> str:
        """Return what divides the data: the splits that it names itself, or the rule."""
        if "split" not in self._data.fields:
            return "stratified 60/20/20 by sha256, seed 0"
        return digest_json([str(cell) for cell in self._data.source.values(str(self._data.fields["split"]))])


def _leaked(held: Learnt) -> int:
    """Return how many test pictures stand in train or validation too, by content."""
    shown = [sample.cluster for sample in held.samples]
    learnt = {shown[place] for place in (*held.split.train.tolist(), *held.split.validation.tolist())}
    return sum(shown[place] in learnt for place in held.split.test.tolist())


Probe.known_metrics = KNOWN
