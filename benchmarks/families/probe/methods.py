"""Probe methods by their names in task files, with what each needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from mmbench.benchmarks.families.common.class_lists import ClassesOption
from mmbench.benchmarks.probes.cosines import unit
from mmbench.benchmarks.probes.knn import Knn
from mmbench.benchmarks.probes.labelled import Labelled, Method, Probe, Scores
from mmbench.benchmarks.probes.linear import Linear
from mmbench.benchmarks.probes.prototype import Prototype
from mmbench.benchmarks.probes.remembered import fitted
from mmbench.benchmarks.probes.tip_adapter import TipAdapter, TipAdapterF
from mmbench.harness.ask.examinee import Examinee
from mmbench.harness.digest import Json
from mmbench.harness.engine.question import Tuning
from mmbench.harness.errors import DataError
from mmbench.harness.numerics.arrays import Floats

MethodName = Literal["linear", "knn", "prototype", "tip-adapter", "tip-adapter-f", "coop"]

TEXT_METHODS = ("tip-adapter", "tip-adapter-f", "coop")
"""Methods that need the text tower, hence vectors of the shared space."""


class ProbeOptions(BaseModel):
    """The task-file keys of a probe."""

    model_config = ConfigDict(extra="forbid")

    method: MethodName = "linear"
    """Method by which labels are learnt from vectors."""
    shots: list[Annotated[int, Field(ge=1)]] = []
    """Training items a class, in episodes."""
    full: bool | None = None
    """Learn from all of train too; by default yes, but for coop."""
    seeds: Annotated[int, Field(ge=1)] | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = 5
    """Episodes for each number of shots, or their seeds."""
    sweep: bool | None = None
    """Choose hyper-parameters on validation; by default yes for linear and the tip-adapters, no for knn."""
    features: Literal["pre", "post"] | None = None
    """Vectors before or after the projection into the space shared with texts; pre by default where no text is used."""
    C: float = Field(default=1.0, gt=0)
    """Inverse strength of a linear probe without a sweep."""
    k: int = Field(default=20, ge=1)
    """Neighbours of knn without a sweep."""
    temperature: float = Field(default=0.07, gt=0)
    """Temperature of the votes of knn."""
    classes: ClassesOption | None = None
    """As in zero-shot classification."""
    templates: str | list[str] | None = None
    """Prompts of the zero-shot line."""

    @field_validator("features")
    @classmethod
    def _comparable(cls, features: str | None, given: ValidationInfo) -> str | None:
        if features == "pre" and given.data.get("method") in TEXT_METHODS:
            raise ValueError(f"{given.data['method']} compares pictures with texts, and needs features: post")
        return features

    @property
    def seed_list(self) -> list[int]:
        """The seeds of the episodes."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(dict.fromkeys(self.seeds))

    @property
    def learns_in_full(self) -> bool:
        """True when all of train is learnt from too."""
        return (self.method != "coop" or not self.shots) if self.full is None else self.full

    @property
    def sweeps(self) -> bool:
        """True when hyper-parameters are chosen on validation."""
        return self.method in ("linear", "tip-adapter", "tip-adapter-f") if self.sweep is None else self.sweep

    @property
    def projected(self) -> bool:
        """True when vectors are those of the space shared with texts."""
        return self.method in TEXT_METHODS if self.features is None else self.features == "post"


@dataclass(frozen=True, slots=True)
class Lesson:
    """Training data of one probe."""

    name: str
    """`full`, or that of its episode."""
    shots: int | None
    """None for all of train."""
    seed: int
    train: Labelled
    validation: Labelled


def learn(
    options: ProbeOptions,
    lessons: Sequence[Lesson],
    test: Floats,
    texts: Floats | None,
    names: Sequence[str],
    subject: Examinee,
) -> Iterator[tuple[Scores, dict[str, Json]]]:
    """Yield the (n, classes) scores of the (n, d) test vectors after each lesson, and what its sweep chose."""
    for lesson in lessons:
        if not len(lesson.train.features):
            raise DataError(f"{options.method} has no training item in {lesson.name}")
    if options.method == "coop":
        yield from _learn_prompts(lessons, test, names, subject)
        return
    for lesson in lessons:
        method, validation = _method(options, texts, lesson), lesson.validation if options.sweeps else None
        probe: Probe = (
            fitted(method, lesson.train, validation)
            if isinstance(method, Linear)
            else method.fit(lesson.train, validation)
        )
        yield probe.scores(test), dict(probe.chosen)


def _method(options: ProbeOptions, texts: Floats | None, lesson: Lesson) -> Method:
    if options.method == "linear":
        # The k shots of an episode stay k: only all of train is joined with validation after the sweep.
        return Linear(strength=options.C, refit=lesson.shots is None)
    if options.method == "knn":
        return Knn(options.k, options.temperature)
    if options.method == "prototype":
        return Prototype()
    if texts is None:
        raise DataError(f"{options.method} needs the vectors of the class names")
    return TipAdapter(texts) if options.method == "tip-adapter" else TipAdapterF(texts, seed=lesson.seed)


def epochs_for(shots: int | None) -> int:
    """Return the passes of prompt learning: 200 for 8 shots and more, 100 for 2 to 7, 50 for one (Zhou et al. 2022).

    >>> [epochs_for(shots) for shots in (1, 2, 4, 8, 16, None)]
    [50, 100, 100, 200, 200, 200]
    """
    if shots is None or shots >= 8:
        return 200
    return 100 if shots > 1 else 50


def _learn_prompts(
    lessons: Sequence[Lesson], test: Floats, names: Sequence[str], subject: Examinee
) -> Iterator[tuple[Scores, dict[str, Json]]]:
    tunings = [
        Tuning(
            tuple(names),
            lesson.train.features.astype(np.float32),
            lesson.train.labels,
            {"epochs": float(epochs_for(lesson.shots))},
            lesson.seed,
        )
        for lesson in lessons
    ]
    vectors = unit(test)
    for classes in subject.tuned(tunings):
        yield vectors @ unit(classes).T, {}
