"""Sitting: one task put to one model, under a control or none."""

from dataclasses import dataclass

from mmbench.harness.ask.controls import ControlName
from mmbench.harness.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Sitting:
    """What a record, a problem or a line of a plan is about."""

    model: str
    """Label."""
    task: Task
    control: ControlName | None = None
    """Under which the pictures are replaced."""
