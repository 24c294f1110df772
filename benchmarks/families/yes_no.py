"""Yes/no questions on whether a thing is in the picture, with figures that expose a model that always says yes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmbench.benchmarks.families.common import groups
from mmbench.benchmarks.families.common.groups import Groups, grouped
from mmbench.benchmarks.families.common.rows import media_of, named_metrics
from mmbench.benchmarks.families.common.wording import ChoiceOptions, wording
from mmbench.benchmarks.metrics.classification import top_k_hits
from mmbench.benchmarks.metrics.yes_no import (
    f1,
    f1_shares,
    official_yes,
    precision,
    precision_shares,
    recall,
    recall_shares,
    yes_rate,
    yes_shares,
)
from mmbench.benchmarks.sources.cells import column, is_number, shown, text
from mmbench.harness.ask.examinee import Choice, Examinee, Verb
from mmbench.harness.both import both
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.replies.version import VERSION as MATCHER
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Cell, Data, Row, whole
from mmbench.harness.types import Option, Outcome, Route, Sample

PROMPT = "{question}\nAnswer with yes or no only."

YES_AND_NO = (Option("yes", ("yes",)), Option("no", ("no",)))

_SAID = {"yes": 0, "true": 0, "no": 1, "false": 1}

METRICS = {
    "accuracy": Metric("accuracy", "The answer is right."),
    "precision": Metric(
        "precision",
        "Share of yes answers that are right (POPE; Li et al. 2023).",
        aggregate=precision,
        shares=precision_shares,
    ),
    "recall": Metric("recall", "Share of what is there that is answered yes.", aggregate=recall, shares=recall_shares),
    "f1": Metric(
        "f1", "Harmonic mean of precision and recall over all items together.", aggregate=f1, shares=f1_shares
    ),
    "yes_rate": Metric(
        "yes_rate",
        "Share of items answered yes.",
        higher_is_better=None,
        best=None,
        aggregate=yes_rate,
        shares=yes_shares,
    ),
    groups.METRIC.name: groups.METRIC,
    groups.NAMED.name: groups.NAMED,
}


_OF_NO = ("no_precision", "no_recall", "no_f1")
"""Of no, for sets whose positive class is what is not there (AMBER)."""
_ON_DEMAND = ("official_accuracy", "official_f1", "official_yes_rate", *_OF_NO, "amber_accuracy", "amber_f1")
"""These, and what the scripts of POPE and AMBER make of written replies, for who compares with published figures."""

METRICS |= {
    "official_accuracy": Metric("official_accuracy", "Accuracy as POPE's own script reads replies; - without any."),
    "official_f1": replace(METRICS["f1"], name="official_f1", description="F1 as POPE's own script reads replies."),
    "official_yes_rate": replace(
        METRICS["yes_rate"], name="official_yes_rate", description="Share of yes as POPE's own script reads replies."
    ),
}

METRICS |= {
    "no_precision": replace(
        METRICS["precision"], name="no_precision", description="Share of no answers that are right."
    ),
    "no_recall": replace(
        METRICS["recall"], name="no_recall", description="Share of what is not there that is answered no."
    ),
    "no_f1": replace(METRICS["f1"], name="no_f1", description="F1 of no as the positive class (Wang et al. 2023)."),
    "amber_accuracy": Metric("amber_accuracy", "Accuracy of replies that are `Yes` or `No` to the letter (AMBER)."),
    "amber_f1": replace(METRICS["f1"], name="amber_f1", description="F1 of no where replies are `No` to the letter."),
}


class YesNoOptions(ChoiceOptions):
    """The task-file keys of yes or no."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    target_as: tuple[str, str] | None = None
    """What stands for yes, then what stands for no, `[1, 0]`; None: yes, no, true or false."""


class YesNo:
    """Yes or no, yes being the positive class (POPE; Li et al. 2023)."""

    name: ClassVar[str] = "yes-no"
    version: ClassVar[int] = 1
    verb: ClassVar[Verb] = "choose"
    routes: tuple[Route, ...] = ("likelihood", "generate", "embed")
    fields: ClassVar[Mapping[str, bool]] = {"image": False, "question": True, "target": True}
    Options: ClassVar[type[BaseModel]] = YesNoOptions
    known_metrics: ClassVar[Sequence[Metric]] = tuple(METRICS.values())

    def __init__(self, options: YesNoOptions, data: Data, metrics: Sequence[str]) -> None:
        self._data = data
        self._wording = wording(options, PROMPT, max_tokens=16, required=("question",))
        self._said = _SAID if options.target_as is None else _declared(options.target_as)
        self._groups = None if options.group is None else Groups(options.group, data)
        groups.check(self._groups, metrics)
        known = groups.known(METRICS, self._groups)
        default = [name for name in known if name not in _ON_DEMAND]
        self.metrics = named_metrics(self.name, metrics or default, known)

    def protocol(self) -> Json:
        """Return the wording and which matcher reads the replies."""
        fixed = {**self._wording.as_json(), "matcher": MATCHER}
        return fixed if self._groups is None else {**fixed, "group": self._groups.as_json()}

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a row. Raises DataError that names the row."""
        for number, row in enumerate(self._data.source):
            facts = self._data.facts_of(row)
            yield Sample(
                id=self._data.id_of(row, number),
                media=media_of(self._data, row),
                question=text(column(row, str(self._data.fields["question"])), row),
                options=YES_AND_NO,
                target=(_target(column(row, str(self._data.fields["target"])), row, self._said),),
                facts=facts if self._groups is None else self._groups.facts(facts, row, number),
            )

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return for each question what was answered."""
        seen, asked = both(samples)
        choices = subject.choose(asked, YES_AND_NO, self._wording)
        outcomes = [_outcome(*each) for each in zip(seen, choices, strict=True)]
        if self._groups is not None:
            return grouped(choices.route, outcomes, self._groups, self._data.source)
        return Outcomes(choices.route, outcomes)


def _declared(said: tuple[str, str]) -> dict[str, int]:
    found = {each.strip().lower(): place for place, each in enumerate(said)}
    if len(found) < 2 or "" in found:
        raise DataError("`target_as` needs two different texts, one for yes and one for no")
    return found


def _target(cell: Cell, row: Row, said: Mapping[str, int]) -> int:
    declared = said is not _SAID
    plain = isinstance(cell, (str, bool, np.bool_)) or (declared and is_number(cell))
    found = str(whole(cell)).strip().lower() if plain else ""
    if found not in said:
        names = " or ".join(said) if declared else "yes, no, true or false"
        told = "" if declared else "; where the data writes it otherwise, say how, as in `target_as: [1, 0]`"
        raise DataError(f"{row.where}: expected {names}, found {shown(cell)}{told}")
    return said[found]


def _outcome(sample: Sample, choice: Choice) -> Outcome:
    is_yes = float(sample.target == (0,))
    # Without an answer nothing is said: what is there was missed, and no yes was said wrongly. A tie is half a yes.
    said_yes = 0.0 if choice.scores is None else top_k_hits(choice.scores, (0,), [1])[0]
    hit = 0.0 if choice.scores is None else said_yes if is_yes else 1 - said_yes
    said_no = 0.0 if choice.scores is None else 1 - said_yes
    values, statistics = {"accuracy": hit}, dict.fromkeys(_COUNTED, _counts(is_yes, said_yes))
    statistics |= dict.fromkeys(_OF_NO, _counts(1 - is_yes, said_no))
    if choice.raw is not None:  # a refusal and what names neither are a yes to the script, or a no
        official = float(official_yes(choice.raw))
        values["official_accuracy"] = official if is_yes else 1 - official
        statistics |= dict.fromkeys(("official_f1", "official_yes_rate"), _counts(is_yes, official))
        values["amber_accuracy"] = float(choice.raw == ("Yes" if is_yes else "No"))
        statistics["amber_f1"] = _counts(1 - is_yes, float(choice.raw == "No"))
    return Outcome.about(
        sample,
        choice.status,
        choice.reply if choice.scores is None else YES_AND_NO[int(choice.scores.argmax())].label,
        YES_AND_NO[sample.target[0]].label,
        values=values,
        chances={"accuracy": 0.5},
        statistics=statistics,
        guesses={
            **dict.fromkeys(_COUNTED, _counts(is_yes, 0.5)),
            **dict.fromkeys(_OF_NO, _counts(1 - is_yes, 0.5)),
        },
        message=choice.message,
        reply=choice.raw,
        prompt=choice.prompt,
    )


_COUNTED = ("precision", "recall", "f1", "yes_rate")


def _counts(is_yes: float, said_yes: float) -> tuple[float, ...]:
    return is_yes * said_yes, (1 - is_yes) * said_yes, is_yes * (1 - said_yes), 1.0
