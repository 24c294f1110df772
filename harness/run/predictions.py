"""Predictions of another system scored under the same protocols and records, with no model under test."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmbench.harness.ask.predictions import read_predictions
from mmbench.harness.ask.recorded import Recorded
from mmbench.harness.digest import Json
from mmbench.harness.engine.hardware import own_hardware
from mmbench.harness.errors import Unsupported, UsageError
from mmbench.harness.foreign import tamed
from mmbench.harness.models.labels import check_name, safe_name
from mmbench.harness.models.models import Loading, Model
from mmbench.harness.records import record as records
from mmbench.harness.records.by_fact import check_fact, levels_below, rows_by
from mmbench.harness.records.files import write_whole
from mmbench.harness.records.record import Record
from mmbench.harness.render.figures import number
from mmbench.harness.render.plain import plain
from mmbench.harness.run.choose import Asked, choose_scorer, choose_task
from mmbench.harness.run.examine import examine
from mmbench.harness.run.scorer import scorer_subject
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.scores.breakdown import plain_fact
from mmbench.harness.store.location import store_path
from mmbench.harness.store.meter import Meter
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Outcome

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of scoring a file of predictions."""

    task: Task
    record: Record
    outcomes: Sequence[Outcome]
    missing: Sequence[str]
    """Ids of items without a prediction: errors, not wrong answers."""
    extra: Sequence[str]
    """Ids in the file that no item has; they are passed over."""
    repeated: Sequence[str]
    """Ids that stand more than once; where the predictions differ the item is an error."""

    def rows(self) -> list[dict[str, Json]]:
        """Return one row for each metric, as those of a run."""
        return self.record.rows()

    def table(self, by: str | None = None) -> "pd.DataFrame":
        """Return the rows as a pandas frame; with a fact also those of its values, as that of a run."""
        import pandas as pd

        if by is None:
            return pd.DataFrame(self.rows())
        check_fact(by, [self.record])
        return pd.DataFrame(levels_below(rows_by(self.record, by)))

    def items(self) -> list[dict[str, Json]]:
        """Return `{id, status, prediction, target, values, facts, reply, reason, prompt}` for each item."""
        return [item_json(outcome) for outcome in self.outcomes]

    def __repr__(self) -> str:
        primary = self.record.primary
        return f"Scored({plain(self.record.model)}, {self.record.reference}: {primary.metric} {number(primary.value)})"

    @property
    def exit_code(self) -> int:
        """0, or 1 when an item is missing or could not be scored."""
        return int(self.record.errors > 0)


def score(
    task: Asked,
    predictions: str | Path,
    *,
    name: str | None = None,
    save: str | Path | None = None,
    scorer: object = None,
    store: str | Path | None = None,
) -> Scored:
    """Score a file of predictions on a task, and with `save` write a record like that of a run under this folder.

    Each line is `{"id": …, "prediction": …}`. `scorer` is the second model that CLIPScore needs. Raises UsageError or
    DataError when the task or the file cannot be used, also where its family cannot be scored this way.
    """
    found = choose_task(task)
    return score_task(found, Path(predictions), name, choose_scorer(scorer, Loading()), save, store)


def score_task(
    task: Task,
    predictions: Path,
    name: str | None = None,
    scorer: Model | None = None,
    save: str | Path | None = None,
    store: str | Path | None = None,
) -> Scored:
    """Score predictions on a task that is loaded, see `score`."""
    label = safe_name(predictions.stem) if name is None else check_name(name)
    read = read_predictions(predictions)
    if scorer is None:
        recorded = Recorded(label, read)
        record, outcomes = _examine(task, recorded, Meter())
    else:
        with (
            closing(Store(Path(store) if store else store_path())) as held,
            scorer_subject(scorer, held) as second,
        ):
            recorded = Recorded(label, read, second)
            record, outcomes = _examine(task, recorded, held.meter)
    if save is not None:
        records.write(record, outcomes, Path(save))
    return Scored(task, record, outcomes, recorded.missing, recorded.extra, sorted(recorded.predictions.repeated))


def _examine(task: Task, recorded: Recorded, meter: Meter) -> tuple[Record, Sequence[Outcome]]:
    try:
        return tamed(lambda: examine(task, recorded, RunSettings(), meter, hardware=lambda: own_hardware("none")))
    except Unsupported as error:
        raise UsageError(f"{task.reference}: {error}") from error


def item_json(outcome: Outcome) -> dict[str, Json]:
    """Return an outcome as `--items` and `mmbench show` print it."""
    return {
        "id": outcome.id,
        "status": outcome.status,
        "prediction": outcome.prediction,
        "target": outcome.target,
        "values": dict(outcome.values),
        "facts": {name: plain_fact(cell) for name, cell in outcome.facts.items()},
        "reply": outcome.reply,
        "reason": outcome.message,
        "prompt": outcome.prompt,
        **({"frames": json.loads(outcome.frames)} if outcome.frames else {}),
    }


def write_items(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write outcomes as JSON lines. Raises UsageError where the file cannot be written."""
    lines = (json.dumps(item_json(outcome), ensure_ascii=False, allow_nan=False) for outcome in outcomes)
    try:
        write_whole(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror or error})") from error
