"""Report contents, gathered from the records; the page is drawn from them alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmbench.harness.board.board import Board
from mmbench.harness.compare.rows import Comparison
from mmbench.harness.digest import Json
from mmbench.harness.records.robustness import Robustness
from mmbench.harness.report.gather import Asked
from mmbench.harness.report.verdicts import Pairs


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything but the pictures."""

    board: Board
    tasks: Sequence[Asked]
    models: Sequence[str]
    """Models compared item by item."""
    items: Sequence[Json]
    """Of each task."""
    confusions: Sequence[Json]
    """Confusion matrix of each task, None where answers are not classes."""
    pairs: Pairs
    since: Comparison | None = None
    """Comparison with the baseline, where one was named."""
    robustness: Sequence[Robustness] = ()
    """Scores under corruptions, of tasks that were asked so."""
