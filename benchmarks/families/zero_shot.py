"""Zero-shot classification: each picture is assigned to its nearest class prototype."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from mmbench.benchmarks.families.common.class_lists import ClassesOption, classes_of, counted_from_one
from mmbench.benchmarks.families.common.rows import (
    is_multi_label,
    labelled_samples,
    prompt_templates,
)
from mmbench.benchmarks.families.common.wording import MarksOption
from mmbench.benchmarks.metrics.classification import (
    guessed_hit,
    mean_average_precision,
    mean_per_class_recall,
    per_class_shares,
    top_k_hits,
)
from mmbench.benchmarks.sources.cells import column
from mmbench.benchmarks.sources.classes import class_indices
from mmbench.harness.ask.examinee import Choice, Examinee, Verb
from mmbench.harness.ask.wording import DEFAULT, ask_with_options
from mmbench.harness.both import both
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, UsageError, nearest
from mmbench.harness.media.image import Image
from mmbench.harness.replies.version import VERSION as MATCHER
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Data, Row
from mmbench.harness.types import Option, Outcome, Route, Sample

METRICS = {
    "accuracy": Metric("accuracy", "The nearest class is a right one (Radford et al. 2021, 3.1)."),
    "mean_per_class_recall": Metric(
        "mean_per_class_recall",
        "Recall averaged over classes.",
        aggregate=mean_per_class_recall,
        shares=per_class_shares,
    ),
    "map": Metric(
        "map", "Average precision averaged over classes, for multi-label data.", aggregate=mean_average_precision
    ),
}
_TOP_K = re.compile(r"accuracy@([1-9]\d*)")


class ZeroShotOptions(BaseModel):
    """The task-file keys of zero-shot classification."""

    model_config = ConfigDict(extra="forbid")

    classes: ClassesOption | None = None
    """A named list, a list, a file with one class a line, or none: the labels' own values, sorted."""
    templates: str | list[str] | None = None
    """A named set, a list, or a file with one template a line; `{}` stands for the class."""
    marks: MarksOption = "A."
    """How the prompt of a model that writes marks the classes: `A.`, `(A)`, `(1)`, `1.` or `none`."""


class ZeroShotClassification:
    """Each picture to its nearest class prototype (Radford et al. 2021, 3.1.4)."""

    name: ClassVar[str] = "zero-shot-classification"
    version: ClassVar[int] = 1
    verb: ClassVar[Verb] = "choose"
    routes: tuple[Route, ...] = ("embed", "likelihood", "generate")
    fields: ClassVar[Mapping[str, bool]] = {"image": False, "label": True}
    Options: ClassVar[type[BaseModel]] = ZeroShotOptions

    known_metrics: ClassVar[Sequence[Metric]]

    def __init__(self, options: ZeroShotOptions, data: Data, metrics: Sequence[str]) -> None:
        self._data = data
        self._label = str(data.fields["label"])
        self.classes = classes_of(options.classes, data, self._label)
        self._named = options.classes is None
        self.templates = prompt_templates(options.templates, data)
        self._wording = replace(DEFAULT, prompt=ask_with_options(options.marks), marks=options.marks)
        self.metrics = [_metric(name) for name in metrics or self._default_metrics()]
        self._wanted = {metric.name for metric in self.metrics}
        self._ks = sorted({int(name.partition("@")[2] or 1) for name in self._wanted if name.startswith("accuracy")})

    def protocol(self) -> Json:
        """Return classes, templates, and how a model without embeddings is asked."""
        return {
            "classes": list(self.classes.names),
            "templates": list(self.templates),
            "likelihood": "mean over templates of the summed log-probability",
            "prompt": self._wording.prompt,
            "matcher": MATCHER,
            **({} if self._wording.marks == "A." else {"marks": self._wording.marks}),
        }

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a row. Raises DataError that names the row."""
        return labelled_samples(self._data, self._target)

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return for each picture which class was chosen and whether it is a right one."""
        options = [Option(name, tuple(t.replace("{}", name) for t in self.templates)) for name in self.classes.names]
        seen, asked = both(samples)
        choices = subject.choose(asked, options, self._wording)
        made: list[Outcome] = []
        met: set[int] = set()
        of: dict[str, tuple[int, ...]] = {}
        unlike: set[str] = set()
        for sample, choice in zip(seen, choices, strict=True):
            met.update(sample.target)
            made.append(self._outcome(sample, choice))
            # Clips of one file may be different parts of it.
            whole = sample.media and isinstance(sample.media[0], Image)
            if whole and of.setdefault(sample.cluster, sample.target) != sample.target:
                unlike.add(sample.cluster)
        notes = [] if self._named else counted_from_one(self.classes.names, met)
        if unlike:
            notes.append(f"pictures that stand in several items with different labels: {len(unlike)}")
        return Outcomes(choices.route, made, notes)

    def _default_metrics(self) -> list[str]:
        if is_multi_label(self._data, self._label):
            return ["map"]
        top = ["accuracy@5"] if len(self.classes.names) > 5 else []
        return ["accuracy", *top, "mean_per_class_recall"]

    def _target(self, row: Row) -> tuple[int, ...]:
        found = class_indices(column(row, self._label), row, self.classes)
        if not found:
            raise DataError(f"{row.where}: no label; every row needs at least one class")
        return found

    def _outcome(self, sample: Sample, choice: Choice) -> Outcome:
        names = self.classes.names
        chosen = choice.reply if choice.scores is None else names[int(choice.scores.argmax())]
        hits = self._hits(sample, choice)
        return Outcome.about(
            sample,
            choice.status,
            chosen,
            " | ".join(names[i] for i in sample.target),
            values={_top_name(k): hit for k, hit in hits.items() if k in self._ks},
            chances=self._chances(len(sample.target)),
            statistics=self._statistics(sample, choice, hits.get(1, 0.0)),
            message=choice.message,
            reply=choice.raw,
            prompt=choice.prompt,
        )

    def _hits(self, sample: Sample, choice: Choice) -> dict[int, float]:
        """Return the hit among the k best by k; of the best one always."""
        # A written reply names one class and ranks nothing, so it has no top-5.
        ks = [1] if choice.reply is not None else sorted({1, *self._ks})
        hits = [0.0] * len(ks) if choice.scores is None else top_k_hits(choice.scores, sample.target, ks)
        return dict(zip(ks, hits, strict=True))

    def _statistics(self, sample: Sample, choice: Choice, hit: float) -> dict[str, tuple[float, ...]]:
        made: dict[str, tuple[float, ...]] = {}
        if "mean_per_class_recall" in self._wanted and len(sample.target) == 1:
            made["mean_per_class_recall"] = (float(sample.target[0]), hit)
        if "map" in self._wanted and choice.scores is not None and choice.reply is None:
            targets = [float(i in sample.target) for i in range(len(choice.scores))]
            made["map"] = (*choice.scores.tolist(), *targets)
        return made

    def _chances(self, right: int) -> dict[str, float]:
        count = len(self.classes.names)
        by_k = {_top_name(k): guessed_hit(count, right, k) for k in self._ks}
        return {**by_k, "mean_per_class_recall": 1 / count, "map": right / count}


def _top_name(k: int) -> str:
    return "accuracy" if k == 1 else f"accuracy@{k}"


def _metric(name: str) -> Metric:
    if _TOP_K.fullmatch(name) and name != "accuracy@1":
        return Metric(name, f"A right class is among the {name.partition('@')[2]} nearest.")
    if name not in METRICS:
        raise UsageError(f"zero-shot-classification has no metric '{name}'{nearest(name, [*METRICS, 'accuracy@5'])}")
    return METRICS[name]


ZeroShotClassification.known_metrics = [_metric(name) for name in (*METRICS, "accuracy@5")]
