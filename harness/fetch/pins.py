"""Pins: by which commit each data set of a task goes, and whether the task or a lock says so."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass

from mmbench.harness.digest import Json
from mmbench.harness.errors import MmbenchError
from mmbench.harness.foreign import tamed
from mmbench.harness.hub import lock
from mmbench.harness.hub.access import offline
from mmbench.harness.hub.repository import Repository
from mmbench.harness.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Pin:
    """The commit of one data set of a task."""

    task: str
    source: str = ""
    """`ORG/NAME` on the hub."""
    commit: str = ""
    files: int = 0
    by: str = ""
    """`task`, where its file names the revision, or the path of the lock file."""
    problem: str = ""
    """What is wrong, and what to do."""

    def as_json(self) -> dict[str, Json]:
        """Return it as JSON holds it."""
        return asdict(self)


def pins_of(tasks: Sequence[Task], *, update: bool = False) -> list[Pin]:
    """Lock what tasks name without a revision and return all pins; with `update` locks are written anew.

    A branch that stands for another commit than its lock is a problem, as is data about which nothing can be learnt.
    """
    made: list[Pin] = []
    with lock.renewing() if update else nullcontext():
        for task in tasks:
            try:
                needed = tamed(task.needed)
                made += [_pin(task, each.repository, len(each.files)) for each in needed]
            except MmbenchError as error:
                made.append(Pin(task.reference, problem=str(error)))
    return made


def _pin(task: Task, held: Repository, files: int) -> Pin:
    if held.branch is None:
        return Pin(task.reference, held.name, held.commit, files, "task")
    if lock.read(held.name, held.branch) is None:
        return Pin(
            task.reference, held.name, held.commit, files, problem=f"no lock can be written: {lock.file_of(held.name)}"
        )
    problem = ""
    now = held.commit if offline() else held.stands_for()
    if now != held.commit:
        problem = (
            f"'{held.branch}' of {held.name} stands for the commit {now} now, and is locked to {held.commit}, by which "
            f"runs go on; {lock.UPDATE}"
        )
    return Pin(task.reference, held.name, held.commit, files, str(lock.file_of(held.name)), problem)
