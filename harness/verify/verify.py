"""Verification of a model: its anchors measured where the machine can, and told what is lacking where it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mmbench.harness import registry
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataUnavailable, MmbenchError, UsageError, nearest
from mmbench.harness.foreign import described, tamed
from mmbench.harness.hub.access import network
from mmbench.harness.models.abilities import Downloads
from mmbench.harness.models.models import Loading, Model, make_models
from mmbench.harness.render.figures import some
from mmbench.harness.run.progress import Progress
from mmbench.harness.run.result import Run
from mmbench.harness.run.run import execute
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.suite import find_suite
from mmbench.harness.tasks.task import Task
from mmbench.harness.verify.anchors import Anchor, read_anchors
from mmbench.harness.verify.knobs import Knob, knobs_of

Verdict = Literal["hit", "miss", "failed", "not run"]
_NO_TASK = "no task here measures it yet"
_NO_DATA = "its data is not here"
_SLACK = 1e-9
_FEW = 12
"""Models that a message names."""


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one anchor."""

    anchor: Anchor
    verdict: Verdict
    """Within its tolerance or not; `failed` where it was asked and has no whole score; `not run` where it was not."""
    measured: float | None = None
    n: int | None = None
    reason: str | None = None
    """Why there is no verdict on the figure."""
    knobs: Sequence[Knob] = ()
    """Of a miss: what its protocol states and what was done here."""

    def as_json(self) -> dict[str, Json]:
        """Return the line as `--format json` prints it."""
        own = self.anchor
        judged = self.measured is not None
        return {
            "dataset": own.dataset,
            "task": own.task or None,
            "metric": own.metric,
            "measure": own.measure or None,
            "published": own.value,
            "measured": self.measured,
            "difference": self.measured - own.published if self.measured is not None else None,
            "tolerance": own.allowed if judged else own.tolerance or None,
            "tolerance_note": own.tolerance_note or None,
            "n": self.n,
            "verdict": self.verdict,
            "reason": self.reason,
            "protocol": own.protocol or None,
            "source": own.source or None,
            "needs": {"data": own.data or None, "download": own.download or None, "gated": own.gated or None},
            "knobs": [knob.as_json() for knob in self.knobs],
        }


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of the anchors of one model."""

    model: str
    spec: str
    lines: Sequence[Line]

    @property
    def exit_code(self) -> int:
        """1 where a figure is outside its tolerance, or was asked and has no score."""
        return int(any(line.verdict in ("miss", "failed") for line in self.lines))

    def as_json(self) -> dict[str, Json]:
        """Return `{model, spec, verified, anchors}`: `verified` is null where nothing was measured."""
        judged = [line.verdict for line in self.lines if line.verdict != "not run"]
        return {
            "model": self.model,
            "spec": self.spec,
            "verified": all(verdict == "hit" for verdict in judged) if judged else None,
            "anchors": [line.as_json() for line in self.lines],
        }


def verify(
    typed: str,
    *,
    suite: str | None = None,
    anchors: Path | None = None,
    output: Path = Path("results"),
    store: Path | None = None,
    settings: RunSettings | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Measure the published figures of a model that this machine can measure; nothing is fetched.

    Raises UsageError where no figure of the model is known, and DataError where the file of figures cannot be used.
    """
    settings = settings or RunSettings()
    known = read_anchors(anchors or Path(registry.default("anchors")))
    spec, own = _of_model(typed, known)
    listed = _listed(suite)
    if listed is not None:
        own = [anchor for anchor in own if anchor.task in listed]
        if not own:
            raise UsageError(f"no published figure of '{typed}' is of a task of suite '{suite}'")
    found: dict[str, Task] = dict(listed or {})
    with network(allowed=False):
        tasks = [_task(anchor, found) for anchor in own]
    if spec is None:
        reason = f"no model here is known to be {own[0].model}"
        return Verified(typed, "", [Line(anchor, "not run", reason=reason) for anchor in own])
    models = make_models([spec], settings.loading)
    if len(models) > 1:
        raise UsageError(f"'{spec}' stands for {len(models)} models; one is verified at a time")
    (model,) = models
    ready = {task.reference: task for task in tasks if isinstance(task, Task)}
    weights = _lacking(model) if ready else None
    made = Run((), results=output)
    if ready and weights is None:
        with network(allowed=False):
            made = execute([model], tuple(ready.values()), settings, output=output, store=store, progress=progress)
    lines = [
        _line(anchor, task, weights, made, model, settings.loading) for anchor, task in zip(own, tasks, strict=True)
    ]
    return Verified(model.label, model.spec, lines)


def _of_model(typed: str, known: Sequence[Anchor]) -> tuple[str | None, list[Anchor]]:
    """Return the spec of a model, if it has one here, and its anchors. Raises UsageError where there are none."""
    aliases = registry.aliases()
    spec = aliases[typed].spec if typed in aliases else typed
    own = [a for a in known if typed in (a.model, a.spec) or _plain(spec) in (_plain(a.spec), _plain(a.model))]
    if not own:
        names = list(dict.fromkeys(anchor.model for anchor in known))
        near = nearest(typed, names)
        raise UsageError(f"no published figure of '{typed}' is known{near}; there are some of {some(names, _FEW)}")
    given = typed in aliases or ":" in typed or typed in registry.entries(registry.ADAPTERS)
    # An alias stays as it was typed: it is the label of what is measured.
    return typed if given else next((anchor.spec for anchor in own if anchor.spec), None), own


def _listed(suite: str | None) -> dict[str, Task] | None:
    """Return the tasks of a suite by name and by reference, None without a suite."""
    if suite is None:
        return None
    return {name: task for task in find_suite(suite).tasks for name in (task.name, task.reference)}


def _plain(spec: str) -> str:
    """Return a spec without what sets the adapter, and without what OpenAI's weights imply."""
    bare = spec.partition(",")[0]
    return bare.replace("-quickgelu/openai", "/openai") if bare.startswith("open_clip:") else bare


def _task(anchor: Anchor, found: dict[str, Task]) -> Task | str:
    """Return the task of an anchor with its data at hand, or why there is none; tasks that are `found` are kept."""
    if not anchor.task:
        return _NO_TASK
    try:
        task = found.setdefault(anchor.task, found.get(anchor.task) or find_task(anchor.task))
        opened = tamed(lambda: task.opened)
        if tamed(opened.missing_bytes):
            return _NO_DATA
    except MmbenchError as error:
        unavailable = isinstance(error, DataUnavailable) or isinstance(error.__cause__, DataUnavailable)
        return _NO_DATA if unavailable else str(error)
    except Exception as error:  # a source may raise anything
        return f"its data cannot be opened ({described(error)})"
    metrics = [metric.name for metric in task.family.metrics]
    wanted = anchor.measure or anchor.metric
    if wanted not in metrics:
        return f"{task.reference} has no metric '{wanted}'{nearest(wanted, metrics)}"
    return task


def _lacking(model: Model) -> str | None:
    """Return what of the weights is not here, None where all is."""
    adapter = model.adapter
    try:
        size = tamed(adapter.download_size) if isinstance(adapter, Downloads) else 0
    except Exception as error:  # an adapter may raise anything
        return f"its weights cannot be looked up ({described(error)})"
    if size == 0:
        return None
    told = "of a size that is not known" if size is None else f"of {size / 1e6:,.0f} MB"
    return f"its weights, {told}, are not here; mmbench run --model {model.spec} fetches them"


def _line(anchor: Anchor, task: Task | str, weights: str | None, made: Run, model: Model, loading: Loading) -> Line:
    if isinstance(task, str) or weights is not None:
        return Line(anchor, "not run", reason=task if isinstance(task, str) else weights)
    record = next((each for each in made.records if each.reference == task.reference), None)
    if record is None:
        problem = next((each for each in made.problems if each.sitting.task is task), None)
        return Line(anchor, "failed", reason=str(problem.error) if problem else "it was not asked")
    wanted = anchor.measure or anchor.metric
    score = next(each for each in record.scores if each.metric == wanted)
    if record.errors or score.value is None:
        items = f"{record.errors:,} of {record.dataset['n']:,} items have no score"
        return Line(anchor, "failed", n=score.n, reason=f"{items}: {record.first_error}")
    if abs(score.value - anchor.published) <= anchor.allowed + _SLACK:
        return Line(anchor, "hit", score.value, score.n)
    return Line(anchor, "miss", score.value, score.n, knobs=knobs_of(anchor, wanted, task, record, model, loading))
