"""mmbench: what a multimodal model perceives, how it ranks, and whether yesterday's change broke it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmbench.adapters.open_clip.adapter import OpenClip as OpenClip
    from mmbench.harness.board.results import Results as Results
    from mmbench.harness.board.results import load as load
    from mmbench.harness.compare.compare import compare as compare
    from mmbench.harness.compare.rows import Comparison as Comparison
    from mmbench.harness.gate.check import check as check
    from mmbench.harness.gate.rows import Checked as Checked
    from mmbench.harness.run.predictions import Scored as Scored
    from mmbench.harness.run.predictions import score as score
    from mmbench.harness.run.result import Run as Run
    from mmbench.harness.run.run import run as run

_PUBLIC = {
    "Checked": "mmbench.harness.gate.rows",
    "Comparison": "mmbench.harness.compare.rows",
    "OpenClip": "mmbench.adapters.open_clip.adapter",
    "Results": "mmbench.harness.board.results",
    "Run": "mmbench.harness.run.result",
    "check": "mmbench.harness.gate.check",
    "compare": "mmbench.harness.compare.compare",
    "load": "mmbench.harness.board.results",
    "run": "mmbench.harness.run.run",
    "Scored": "mmbench.harness.run.predictions",
    "score": "mmbench.harness.run.predictions",
}

__all__ = ["Checked", "Comparison", "OpenClip", "Results", "Run", "Scored", "check", "compare", "load", "run", "score"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import mmbench` costs nothing."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mmbench' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)
