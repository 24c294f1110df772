"""Choice of the tasks that runs are compared on: named ones, those of a suite, those that all runs have."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from mmbench.harness.errors import UsageError
from mmbench.harness.records.selection import Selection
from mmbench.harness.render.figures import count, some
from mmbench.harness.tasks.suite import find_suite
from mmbench.harness.tasks.task_names import of_records

_FEW_NAMES = 6


def chosen(runs: Sequence[Selection], tasks: Sequence[str], suite: str | None) -> tuple[Sequence[Selection], list[str]]:
    """Return the runs with the tasks named and those of a suite, or all, and what is to be said of their labels.

    Raises UsageError for a name that no run has, or a suite of which no run has a task.
    """
    if not tasks and suite is None:
        return runs, [remark for run in runs for remark in run.attempt.remarks()]
    known = [entry.record.reference for run in runs for entry in run.entries]
    known += [each.reference for run in runs for each in run.attempt.unscored]
    kept = set(of_records(tasks, known, "the runs together"))
    if suite is not None:
        inside = {task.reference for task in find_suite(suite).tasks}
        if not inside & set(known):
            raise UsageError(f"no run has a task of suite '{suite}'")
        kept |= inside
    return [_only(run, kept) for run in runs], [remark for run in runs for remark in run.attempt.remarks(kept)]


def held_by_all(runs: Sequence[Selection], models: Sequence[str]) -> tuple[Sequence[Selection], str]:
    """Return the runs with the tasks that all of them have, and a sentence that names the others.

    Raises UsageError where there is none.
    """
    held = [set(run.own()) for run in runs]
    every = sorted(set.union(*held))
    kept = set.intersection(*held)
    if not kept:
        least = min(range(len(runs)), key=lambda i: len(held[i]))
        raise UsageError(
            f"no task is shared by all {len(runs)} runs; {models[least]} has {count(len(held[least]), 'task')}"
        )
    left = [task for task in every if task not in kept]
    said = f"shared: compared on the {count(len(kept), 'task')} that all runs have"
    lacking = [
        f"{task} ({some([m for m, own in zip(models, held, strict=True) if task not in own], 3)})" for task in left
    ]
    rest = f"; left out, with those that lack them: {some(lacking, _FEW_NAMES)}" if left else ", which are all"
    return [_only(run, kept) for run in runs], said + rest


def _only(run: Selection, tasks: Collection[str]) -> Selection:
    attempt = run.attempt
    kept = tuple(entry for entry in attempt.entries if entry.record.reference in tasks)
    return replace(run, attempt=replace(attempt, entries=kept))
