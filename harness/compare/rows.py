"""Comparison result: rows, omitted tasks with the reason, and a conclusion in words."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmbench.harness.compare.by_fact import FactRow
from mmbench.harness.compare.difference import Verdict
from mmbench.harness.digest import Json
from mmbench.harness.render.figures import count, probability, signed, span
from mmbench.harness.render.notebook import notebook
from mmbench.harness.render.plain import plain
from mmbench.harness.statistics.estimate import Estimate, row_as_json

if TYPE_CHECKING:
    import pandas as pd

_MOST_NOTES = 10


@dataclass(frozen=True, slots=True)
class Flip:
    """Item with a large change."""

    id: str
    a: float
    """Its value in the first run."""
    b: float
    """Its value in the second."""


@dataclass(frozen=True, slots=True)
class CompareRow:
    """Paired comparison of a model with the first one on one task."""

    model: str
    """Second model, the one that the verdict is about."""
    against: str
    """First model, the reference."""
    task: str
    version: int
    metric: str
    a: float
    """Value of the first model over the items that both were scored on."""
    b: float
    difference: Estimate
    """b - a, in the metric's own range."""
    n: int
    """Items that both were scored on."""
    p: float
    """Two-sided p-value."""
    p_adjusted: float | None
    """p-value after Holm's adjustment over the tasks of the two models; None where neither direction of the metric is
    better."""
    low_adjusted: float | None
    """Lower end of the interval at the level of the adjusted test: it leaves out 0 where the verdict is not `tied`."""
    high_adjusted: float | None
    verdict: Verdict
    detectable: float | None
    """Smallest true difference that so many items find with a probability of .8, by the strictest of the adjusted
    tests; None where the runs agree on every item, or none is found."""
    gained: int | None
    """Items on which the second model has the higher value; None for a corpus metric."""
    lost: int | None
    """Items on which it has the lower one."""
    flips: tuple[Flip, ...]
    """The items that differ most, in the order of the data; none for a corpus metric."""
    few_clusters: bool
    """True where the interval may be too narrow."""
    partial: bool
    """True where a run has the first items only."""
    routes: tuple[str, str]
    """Routes of both models."""
    forced: str | None
    """Difference in protocol, where the task is compared in spite of it."""

    @property
    def reference(self) -> str:
        """`task@version`."""
        return f"{self.task}@{self.version}"

    def as_json(self) -> dict[str, Json]:
        """Return the row as `--format json` prints it."""
        held = row_as_json(self)
        held["flips"] = [{"id": flip.id, "a": flip.a, "b": flip.b} for flip in self.flips]
        held["routes"] = [*self.routes]
        held["forced"], held["differs"] = self.forced is not None, self.forced
        return held


@dataclass(frozen=True, slots=True)
class Left:
    """Task on which a model could not be compared with the first one."""

    model: str
    task: str
    reason: str
    """Reason: what differs or is missing, by name."""

    def as_json(self) -> dict[str, Json]:
        """Return it as `--format json` prints it."""
        return {"task": self.task, "reason": self.reason, "model": self.model}


@dataclass(frozen=True, slots=True)
class Overall:
    """Mean comparison of a model with the first one, over the tasks that have a chance level and a best value."""

    model: str
    difference: Estimate
    """Mean over the tasks of the difference of (value - chance) / (best - chance)."""
    tasks: int
    p: float
    """Two-sided p-value: signs flipped by picture, over all tasks that show it."""
    verdict: Verdict
    """Of this one test, beside those of the tasks."""

    def as_json(self) -> dict[str, Json]:
        """Return it as `--format json` prints it."""
        held: dict[str, Json] = {"model": self.model, **self.difference.named("difference"), "tasks": self.tasks}
        return {**held, "p": self.p, "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of models with the first of them."""

    models: tuple[str, ...]
    alpha: float
    rows: tuple[CompareRow, ...]
    """Model by model, then by task."""
    incomparable: tuple[Left, ...]
    overall: tuple[Overall, ...]
    """Means, one for each model that shares with the first a task of equal protocol and known chance level."""
    errors: tuple[str, ...]
    """Records that could not be read, by name."""
    remarks: tuple[str, ...] = ()
    """Sentences on what was left out under a label, or has no scores."""
    shared: str | None = None
    """Sentence on the tasks that all runs have, where they are compared on these alone."""
    by: str | None = None
    """Fact by which the differences are tested too."""
    by_fact: tuple[FactRow, ...] = ()
    """Model by model a row for each value of the fact, task by task, then one for what is made of them."""

    @property
    def exit_code(self) -> int:
        """0, or 2 where nothing could be compared or a record could not be read."""
        return 2 if self.errors or not self.rows else 0

    def of(self, model: str) -> tuple[CompareRow, ...]:
        """Return the rows of one model."""
        return tuple(row for row in self.rows if row.model == model)

    def conclusion(self, model: str) -> str:
        """Return in one sentence how a model stands against the first."""
        verdicts = [row.verdict for row in self.of(model)]
        worse, better, tied = (verdicts.count(each) for each in ("worse", "better", "tied"))
        left = sum(each.model == model for each in self.incomparable)
        rest = f"; {count(left, 'task')} not comparable" if left else ""
        if not verdicts:
            return f"{model} and {self.models[0]} have no comparable task{rest}"
        if not worse and not better:
            return f"{model} and {self.models[0]} are tied on {count(tied, 'task')}{rest}"
        first, second = (("worse", worse), ("better", better)) if worse else (("better", better), ("worse", worse))
        whole = count(len(verdicts), "task")
        return (
            f"{model} is {first[0]} on {first[1]:,} of {whole}, {second[0]} on {second[1] or 'none'}; "
            f"{tied or 'none'} tied{rest}"
        )

    def __repr__(self) -> str:
        return f"Comparison({plain('. '.join(map(self.conclusion, self.models[1:])))})"

    def _repr_html_(self) -> str:
        rows = [
            [
                row.model,
                row.reference,
                row.metric,
                row.verdict,
                signed(row.difference.value),
                span(row.low_adjusted, row.high_adjusted),
                probability(row.p_adjusted),
                f"{row.n:,}",
            ]
            for row in self.rows
        ]
        header = ["model", "task", "metric", "verdict", "difference", "adjusted interval", "adjusted p", "n"]
        left = [f"{each.model}, {each.task} is not comparable: {each.reason}" for each in self.incomparable]
        notes = [*map(self.conclusion, self.models[1:]), *left[:_MOST_NOTES], *self.errors[:_MOST_NOTES], *self.remarks]
        return notebook(f"Differences from {self.models[0]}", header, rows, notes)

    def as_json(self) -> dict[str, Json]:
        """Return the comparison as `--format json` prints it."""
        return {
            "models": list(self.models),
            "alpha": self.alpha,
            "rows": [row.as_json() for row in self.rows],
            "incomparable": [each.as_json() for each in self.incomparable],
            "overall": [each.as_json() for each in self.overall],
            "errors": list(self.errors),
            "remarks": list(self.remarks),
            **({} if self.shared is None else {"shared": self.shared}),
            **({} if self.by is None else {"by": self._by_as_json(self.by)}),
        }

    def _by_as_json(self, fact: str) -> dict[str, Json]:
        parts: dict[str, list[Json]] = {"rows": [], "apart": []}
        for row in self.by_fact:
            parts["rows" if row.apart is None else "apart"].append(row.as_json())
        return {"fact": fact, **parts}

    def table(self) -> "pd.DataFrame":
        """Return the rows as a pandas frame; of a comparison by a fact also its rows, told apart by `fact`, `level`,
        `apart`."""
        import pandas as pd

        whole: dict[str, Json] = {} if self.by is None else {"fact": None, "level": None, "apart": None}
        rows = [{**row.as_json(), **whole} for row in self.rows]
        return pd.DataFrame([*rows, *(row.as_json() for row in self.by_fact)])
