"""Original samples behind outcomes, which hold no questions or pixels, where the catalogue still has their task."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from mmbench.harness import registry
from mmbench.harness.errors import UsageError
from mmbench.harness.hub.access import network
from mmbench.harness.records.record import Record
from mmbench.harness.tasks.prompts import official
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Sample, Unit


def original_task(record: Record, files: Sequence[Path] = ()) -> Task | None:
    """Return the task of one of these files, else of the catalogue, that asks what the record was asked, or None.

    A task whose protocol has changed since, or whose data are not here, is not the one; nothing is fetched.
    """
    with network(allowed=False):
        named = _candidates(official(record.task, record.card.prompt))
        for path, split in (*((path, None) for path in files), *named):
            try:
                task = load_task(path, split, record.card.prompt or None)
                if _same(task, record):
                    return task
            except UsageError:
                continue
    return None


def _candidates(name: str) -> Iterator[tuple[Path, str | None]]:
    """Yield the task files that may have given this name, with the split that a suite asked for (`digits-mini`)."""
    for stem, path in registry.files(registry.TASKS).items():
        if name == stem:
            yield path, None
        elif name.startswith(f"{stem}-"):
            yield path, name.removeprefix(f"{stem}-")


def _same(task: Task, record: Record) -> bool:
    scorer = str(record.scorer["fingerprint"]) if record.scorer else None
    digest = str(record.dataset["digest"])
    return task.reference == record.reference and task.protocol_id(digest, scorer) == record.protocol


def sample_id(outcome_id: str, unit: Unit) -> str:
    """Return the id of the sample that an outcome is about; a caption as a query is named after its picture.

    >>> sample_id("7#1", "text"), sample_id("7#1", "item")
    ('7', '7#1')
    """
    return outcome_id.rpartition("#")[0] if unit == "text" else outcome_id


def find_samples(task: Task, ids: Collection[str]) -> dict[str, Sample]:
    """Return the samples of these ids; data that are damaged or have changed give fewer."""
    wanted = set(ids)
    found: dict[str, Sample] = {}
    try:
        with network(allowed=False):
            for sample in task.family.samples():
                if len(found) == len(wanted):
                    break
                if sample.id in wanted:
                    found[sample.id] = sample
    except UsageError:  # the rest of a damaged file: what was read before it still shows
        return found
    return found
