"""Shared tasks of a board: those on which all of its models can be ranked, and who lacks the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmbench.harness.board.line import Cell, Column, Entrant
from mmbench.harness.errors import UsageError
from mmbench.harness.render.figures import count, some

_FEW_NAMES = 3


@dataclass(frozen=True, slots=True)
class Shared:
    """The tasks of a board that was asked to rank on what all models have."""

    tasks: tuple[str, ...]
    left: tuple[tuple[str, tuple[str, ...]], ...]
    """Tasks left out, each with the models that have no score there which may enter a mean."""

    def note(self) -> str:
        """Return in a sentence what the models are ranked on."""
        ranked = f"shared: ranked on the {count(len(self.tasks), 'task')} that all models have"
        if not self.left:
            return f"{ranked}, which are all"
        left = "; ".join(f"{task} ({some(models, _FEW_NAMES)})" for task, models in self.left)
        return f"{ranked}, of {len(self.tasks) + len(self.left):,}; left out, with those that lack them: {left}"


def shared_tasks(columns: Sequence[Column], entrants: Sequence[Entrant]) -> Shared:
    """Return the tasks on which every model has a score. Raises UsageError where there is none."""
    lacking = {
        column.task: tuple(sorted(each.model for each in entrants if not _ranked(each.cells[i])))
        for i, column in enumerate(columns)
    }
    kept = tuple(task for task, models in lacking.items() if not models)
    if entrants and not kept:
        has = {each.model: sum(map(_ranked, each.cells)) for each in entrants}
        least = min(sorted(has), key=has.__getitem__)
        raise UsageError(
            f"no task has scores of all {len(entrants):,} models; {least} has the fewest, {has[least]:,} of "
            f"{count(len(columns), 'task')}; keep the others with --model"
        )
    return Shared(kept, tuple((task, models) for task, models in lacking.items() if models))


def _ranked(cell: Cell | None) -> bool:
    return cell is not None and cell.score.value is not None and (cell.best is None or cell.corrected is not None)
