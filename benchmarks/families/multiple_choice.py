"""Multiple choice: a question with its own options, one of them right; vanilla or circular."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel, Field

from mmbench.benchmarks.families.common import groups
from mmbench.benchmarks.families.common.groups import Groups, grouped
from mmbench.benchmarks.families.common.right_option import TargetAs, never_first, right_option
from mmbench.benchmarks.families.common.rows import media_of, named_metrics
from mmbench.benchmarks.families.common.wording import ChoiceOptions, wording
from mmbench.benchmarks.metrics.classification import top_k_hits
from mmbench.benchmarks.sources.cells import column, is_number, text, texts
from mmbench.harness.ask.examinee import Choice, Examinee, Verb
from mmbench.harness.ask.wording import ask_with_options
from mmbench.harness.both import both
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.replies.marks import letters
from mmbench.harness.replies.version import VERSION as MATCHER
from mmbench.harness.tasks.family import Outcomes
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Data, Row
from mmbench.harness.types import Option, Outcome, Route, RouteTaken, Sample

METRICS = {
    "accuracy": Metric("accuracy", "The right option is chosen; the options stand in the order of the data."),
    "circular_accuracy": Metric(
        "circular_accuracy", "It is chosen in every rotation of the options (CircularEval; Liu et al. 2023, MMBench)."
    ),
    groups.METRIC.name: groups.METRIC,
    groups.NAMED.name: groups.NAMED,
}


class MultipleChoiceOptions(ChoiceOptions):
    """The task-file keys of multiple choice."""

    circular: bool = False
    """Ask every rotation of the options too, in writing: a ranking does not depend on their order."""
    target_as: TargetAs | None = None
    """How the data writes the right option; None: a text is an option or an index, a number an index."""
    in_question: bool = False
    """True where the text of the question lists the options with their marks already."""
    letters: int | None = Field(default=None, ge=2, le=26)
    """How many options the question lists, where no column holds them: they are called by their letters alone."""


class MultipleChoice:
    """One right option among the item's own (MMBench, ScienceQA, SEED-Bench)."""

    name: ClassVar[str] = "multiple-choice"
    version: ClassVar[int] = 1
    verb: ClassVar[Verb] = "choose"
    routes: tuple[Route, ...] = ("likelihood", "generate", "embed")
    fields: ClassVar[Mapping[str, bool]] = {"image": False, "question": True, "options": False, "target": True}
    Options: ClassVar[type[BaseModel]] = MultipleChoiceOptions
    known_metrics: ClassVar[Sequence[Metric]] = tuple(METRICS.values())

    def __init__(self, options: MultipleChoiceOptions, data: Data, metrics: Sequence[str]) -> None:
        self._data = data
        self._options = _options_field(options, data)
        self._target_as = options.target_as
        self._counted = False
        self._circular = options.circular
        listed = options.in_question or options.letters is not None
        self._wording = wording(
            options,
            ask_with_options(options.marks).replace("{options}\n", "" if listed else "{options}\n"),
            max_tokens=16,
            required=("question",) if listed else ("question", "options"),
            in_question=listed,
        )
        self._groups = None if options.group is None else Groups(options.group, data)
        default = ["accuracy"]
        default += ["circular_accuracy"] if options.circular else []
        default += self._groups.metrics if self._groups else []
        groups.check(self._groups, metrics)
        self.metrics = named_metrics(self.name, metrics or default, groups.known(METRICS, self._groups))
        if options.circular:
            self.routes = ("generate",)
        elif "circular_accuracy" in metrics:
            raise DataError("the metric 'circular_accuracy' needs the key 'circular: true'")
        elif options.letters is not None:
            self.routes = ("generate", "likelihood")  # the vector of a letter says nothing
        if options.circular and listed:
            raise DataError("`circular` turns the options that the prompt lists, and here the question lists them")

    def protocol(self) -> Json:
        """Return the wording, whether options are rotated, and which matcher reads the replies."""
        fixed = {**self._wording.as_json(), "circular": self._circular, "matcher": MATCHER}
        return fixed if self._groups is None else {**fixed, "group": self._groups.as_json()}

    def samples(self) -> Iterator[Sample]:
        """Yield one sample a row. Raises DataError that names the row."""
        for number, row in enumerate(self._data.source):
            options = self._options if isinstance(self._options, tuple) else self._options_of(row, self._options)
            facts = self._data.facts_of(row)
            target = column(row, str(self._data.fields["target"]))
            self._counted = self._counted or is_number(target)
            yield Sample(
                id=self._data.id_of(row, number),
                media=media_of(self._data, row),
                question=text(column(row, str(self._data.fields["question"])), row),
                options=tuple(Option(option, (option,)) for option in options),
                target=(right_option(target, row, options, self._target_as),),
                facts=facts if self._groups is None else self._groups.facts(facts, row, number),
            )

    def outcomes(self, subject: Examinee, samples: Iterable[Sample]) -> Outcomes:
        """Return for each question whether the right option was chosen, and whether in every rotation."""
        seen, asked = both(samples)

        def turns() -> Iterator[Sample]:
            # Made as they are asked: by then the route is known, on which their number depends.
            for sample in asked:
                yield from self._turns(sample, choices.route)

        choices = subject.choose(turns(), None, self._wording)
        outcomes: list[Outcome] = []
        places: list[tuple[int, int]] = []
        for sample in seen:
            outcomes.append(self._outcome(sample, [next(choices) for _ in self._turns(sample, choices.route)]))
            places.append((sample.target[0], len(sample.options)))
        doubts = never_first(places) if self._counted else []
        if self._groups is not None:
            made = grouped(choices.route, outcomes, self._groups, self._data.source)
            return replace(made, notes=[*made.notes, *doubts])
        return Outcomes(choices.route, outcomes, doubts)

    def _turns(self, sample: Sample, route: RouteTaken) -> Sequence[Sample]:
        """Return the sample, or each rotation of its options under the id `id#rotation` where their order matters."""
        if not self._circular or route in ("embed", "likelihood"):
            return [sample]
        count = len(sample.options)
        (right,) = sample.target
        return [
            replace(
                sample,
                id=f"{sample.id}#{turn}",
                options=sample.options[turn:] + sample.options[:turn],
                target=((right - turn) % count,),
            )
            for turn in range(count)
        ]

    def _options_of(self, row: Row, field: str | list[str]) -> tuple[str, ...]:
        """Return the options of a row, from one list or from columns of which those at the end may be empty."""
        if isinstance(field, list):
            # Each cell is one option, even where it looks like a list: [0, 1] is an interval.
            cells = [column(row, name) for name in field]
            found = ["" if cell is None else text(cell, row) for cell in cells]
        else:
            found = list(texts(column(row, field), row))
        while found and not found[-1].strip():
            found.pop()
        if not all(option.strip() for option in found):
            raise DataError(f"{row.where}: an option is empty and others follow, so that an index would not be clear")
        if len(found) < 2:
            raise DataError(f"{row.where}: a choice needs at least two options, found {len(found)}")
        if len(set(found)) < len(found):
            raise DataError(f"{row.where}: two options are the same")
        return tuple(found)

    def _outcome(self, sample: Sample, choices: Sequence[Choice]) -> Outcome:
        first = choices[0]
        # One rotation that could not be asked leaves the whole item open, one that was not understood the next worst.
        wrong = next((c for status in ("error", "refused", "unparsed") for c in choices if c.status == status), first)
        hits = [_hit(choice, turn, sample) for turn, choice in enumerate(choices)]
        values = {"accuracy": hits[0]}
        count = len(sample.options)
        if len(choices) > 1:
            values["circular_accuracy"] = float(min(hits))
        return Outcome.about(
            sample,
            wrong.status,
            _named(first, sample),
            sample.options[sample.target[0]].label,
            values=values,
            chances={"accuracy": 1 / count, "circular_accuracy": count**-count},
            message=wrong.message,
            reply=_together([choice.raw for choice in choices]),
            prompt=_together([choice.prompt for choice in choices]),
        )


def _options_field(options: MultipleChoiceOptions, data: Data) -> str | list[str] | tuple[str, ...]:
    """Return the columns of the options, or the letters that are all of them. Raises DataError."""
    field = data.fields.get("options")
    if options.letters is None:
        if field is None:
            raise DataError(
                "'fields' must say which column holds 'options', or `letters` how many the question lists "
                f"(columns: {', '.join(data.source.columns())})"
            )
        return field
    if field is not None:
        raise DataError("`letters` is for data without a column of options, and 'fields' names one")
    if options.marks in ("(1)", "1.", "none"):
        raise DataError(f"`letters` are marks themselves, so that `marks: {options.marks}` cannot be")
    return tuple(letters(options.letters))


def _together(texts: Sequence[str | None]) -> str | None:
    """Return the one text, or of several rotations all as a JSON list."""
    if len(texts) == 1 or not any(text is not None for text in texts):
        return texts[0]
    return json.dumps(texts, ensure_ascii=False)


def _hit(choice: Choice, turn: int, sample: Sample) -> float:
    if choice.scores is None:
        return 0.0
    right = (sample.target[0] - turn) % len(sample.options)
    return top_k_hits(choice.scores, (right,), [1])[0]


def _named(choice: Choice, sample: Sample) -> str | None:
    return choice.reply if choice.scores is None else sample.options[int(choice.scores.argmax())].label
