"""mmbench: what a multimodal model perceives, how it ranks, and whether yesterday's change broke it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmbench import metrics as metrics
    from mmbench.adapters.open_clip.adapter import OpenClip as OpenClip
    from mmbench.harness.board.results import Results as Results
    from mmbench.harness.board.results import load as load
    from mmbench.harness.compare.compare import compare as compare
    from mmbench.harness.compare.rows import Comparison as Comparison
    from mmbench.harness.diagnose.diagnose import diagnose as diagnose
    from mmbench.harness.diagnose.diagnosis import Diagnosis as Diagnosis
    from mmbench.harness.errors import DataError as DataError
    from mmbench.harness.errors import MmbenchError as MmbenchError
    from mmbench.harness.errors import UsageError as UsageError
    from mmbench.harness.gate.check import check as check
    from mmbench.harness.gate.rows import Checked as Checked
    from mmbench.harness.records.profile import Profile as Profile
    from mmbench.harness.run.predictions import Scored as Scored
    from mmbench.harness.run.predictions import score as score
    from mmbench.harness.run.result import Run as Run
    from mmbench.harness.run.run import run as run
    from mmbench.harness.tasks.rows import task as task
    from mmbench.harness.tasks.task import Task as Task

    __version__: str

_PUBLIC = {
    "Checked": "mmbench.harness.gate.rows",
    "Comparison": "mmbench.harness.compare.rows",
    "DataError": "mmbench.harness.errors",
    "Diagnosis": "mmbench.harness.diagnose.diagnosis",
    "MmbenchError": "mmbench.harness.errors",
    "OpenClip": "mmbench.adapters.open_clip.adapter",
    "Profile": "mmbench.harness.records.profile",
    "Results": "mmbench.harness.board.results",
    "Run": "mmbench.harness.run.result",
    "Scored": "mmbench.harness.run.predictions",
    "Task": "mmbench.harness.tasks.task",
    "UsageError": "mmbench.harness.errors",
    "check": "mmbench.harness.gate.check",
    "compare": "mmbench.harness.compare.compare",
    "diagnose": "mmbench.harness.diagnose.diagnose",
    "load": "mmbench.harness.board.results",
    "run": "mmbench.harness.run.run",
    "score": "mmbench.harness.run.predictions",
    "task": "mmbench.harness.tasks.rows",
}

__all__ = [
    "Checked",
    "Comparison",
    "DataError",
    "Diagnosis",
    "MmbenchError",
    "OpenClip",
    "Profile",
    "Results",
    "Run",
    "Scored",
    "Task",
    "UsageError",
    "__version__",
    "check",
    "compare",
    "diagnose",
    "load",
    "metrics",
    "run",
    "score",
    "task",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import mmbench` costs nothing."""
    if name == "metrics":
        return import_module("mmbench.metrics")
    if name == "__version__":
        return import_module("importlib.metadata").version("mmbench")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mmbench' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
