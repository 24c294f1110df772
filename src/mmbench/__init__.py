"""mmbench: what a multimodal model perceives, how it ranks, and whether yesterday's change broke it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmbench.adapters.open_clip import OpenClip as OpenClip
    from mmbench.harness.board.results import Results as Results
    from mmbench.harness.board.results import load as load
    from mmbench.harness.comparison.check import check as check
    from mmbench.harness.comparison.checked import Checked as Checked
    from mmbench.harness.comparison.compare import compare as compare
    from mmbench.harness.comparison.comparison import Comparison as Comparison
    from mmbench.harness.run import Run as Run
    from mmbench.harness.run import run as run
    from mmbench.harness.scoring import Scored as Scored
    from mmbench.harness.scoring import score as score

_PUBLIC = {
    "Checked": "mmbench.harness.comparison.checked",
    "Comparison": "mmbench.harness.comparison.comparison",
    "OpenClip": "mmbench.adapters.open_clip",
    "Results": "mmbench.harness.board.results",
    "Run": "mmbench.harness.run",
    "check": "mmbench.harness.comparison.check",
    "compare": "mmbench.harness.comparison.compare",
    "load": "mmbench.harness.board.results",
    "run": "mmbench.harness.run",
    "Scored": "mmbench.harness.scoring",
    "score": "mmbench.harness.scoring",
}

__all__ = ["Checked", "Comparison", "OpenClip", "Results", "Run", "Scored", "check", "compare", "load", "run", "score"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import mmbench` costs nothing."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mmbench' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)
