"""Report writer: builds all sections from a folder of records, then as many thumbnails as the page has room for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.harness.board.board import Board
from mmbench.harness.board.results import Results
from mmbench.harness.compare.compare import compare
from mmbench.harness.compare.rows import Comparison
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.records import gains
from mmbench.harness.records.files import write_whole
from mmbench.harness.records.originals import original_task
from mmbench.harness.records.robustness import Robustness, robustness
from mmbench.harness.records.selection import select
from mmbench.harness.render.plain import quoted
from mmbench.harness.report.answers import Answer, Answers, read_answers
from mmbench.harness.report.confusion import confusion
from mmbench.harness.report.contents import Contents
from mmbench.harness.report.explorer import Shown, explore
from mmbench.harness.report.gather import Asked, gather, models_shown
from mmbench.harness.report.page import render
from mmbench.harness.report.picks import Pick, pick
from mmbench.harness.report.thumbnails import Thumbnails
from mmbench.harness.report.verdicts import Compared, compare_task, judge


@dataclass(frozen=True, slots=True)
class Written:
    """Summary of a written report."""

    models: int
    tasks: int
    items: int
    """In its explorer."""
    size: int
    """Bytes."""
    warnings: Sequence[str]
    """Records that could not be read and were passed over."""


@dataclass(slots=True)
class _Parts:
    """Parts made task by task, so that the answers of only one task are held at a time."""

    models: Sequence[str]
    files: Sequence[Path]
    thumbnails: Thumbnails = field(default_factory=Thumbnails)
    shown: list[Shown] = field(default_factory=list)
    confusions: list[Json] = field(default_factory=list)
    pairs: dict[tuple[str, str], list[Compared]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, asked: Asked) -> None:
        """Add a task."""
        answers = self._answers(asked)
        number = len(self.shown)
        self.confusions.append(confusion(answers))
        task = original_task(asked.entry.record, self.files)
        picks = pick(answers) if answers else []
        self.shown.append(explore(asked, task, picks, self._picked(answers, picks), self.thumbnails, self.models))
        for pair, compared in compare_task(number, answers).items():
            self.pairs.setdefault(pair, []).append(compared)

    def _answers(self, asked: Asked) -> list[Answers]:
        found = []
        for model in self.models:
            if model in asked.entries:
                try:
                    found.append(read_answers(asked.entries[model], asked.metric))
                except DataError as error:
                    self.warnings.append(str(error))
        return found

    def _picked(self, answers: Sequence[Answers], picks: Sequence[Pick]) -> dict[str, dict[str, Answer]]:
        found = {}
        for each in answers:
            try:
                found[each.model] = each.read([item.rows[each.model] for item in picks if each.model in item.rows])
            except DataError as error:
                self.warnings.append(str(error))
        return found


MOST_BYTES = 4_900_000
"""Size limit of a report of ten models and thirty tasks."""

_ROOM = 1_000_000
"""Thumbnails have this many characters even where records alone fill the page."""


def write_report(
    results: Path, to: Path, suite: str | None = None, files: Sequence[Path] = (), baseline: str | None = None
) -> Written:
    """Write the report of a results folder, or of one suite in it, as one HTML file.

    `files` are tasks that are not in the catalogue; without them their items have no question, and their pictures are
    found only where the records say. `baseline` is a run that the models are compared with, named as for `compare`. A
    task of which only the first items were asked is shown as such. Raises UsageError where there are no records, no
    such baseline, or the file cannot be written.
    """
    folder = Results(results)
    board = folder.board(suite, partial=True)
    tasks = gather(board)
    if not tasks:
        raise UsageError(
            f"results folder {results} has no such records; make one with: mmbench run --output {quoted(results)}"
        )
    models = models_shown(board)
    since = _since(baseline, board, results, suite)
    parts = _Parts(models, files)
    for asked in tasks:
        parts.add(asked)
    judged = {pair: judge(compared) for pair, compared in parts.pairs.items()}
    items = [shown.items for shown in parts.shown]
    corrupted = _corrupted(folder, tasks)
    contents = Contents(board, tasks, models, items, parts.confusions, judged, since, corrupted)
    bare = len(render(contents, {}).encode(errors="replace"))
    room = max(_ROOM, MOST_BYTES - bare)
    page = render(contents, parts.thumbnails.within(room, _by_turns(parts.shown))).encode(errors="replace")
    try:
        write_whole(to, page)
    except OSError as error:
        raise UsageError(f"{to} cannot be written ({error.strerror or error})") from error
    parts.thumbnails.remember()
    warnings = [*map(str, folder.errors), *parts.warnings]
    return Written(len(board.lines), len(tasks), sum(map(len, items)), len(page), warnings)


def _corrupted(folder: Results, tasks: Sequence[Asked]) -> list[Robustness]:
    """Return the scores under corruptions of what the board shows."""
    shown = {gains.asked(entry.record) for task in tasks for entry in task.entries.values()}
    held = (entry.record for attempt in folder.attempts for entry in attempt.entries)
    lost = (each.lost for attempt in folder.attempts for each in attempt.unscored)
    return robustness((record for record in held if gains.asked(record) in shown), lost)


def _since(baseline: str | None, board: Board, results: Path, suite: str | None) -> Comparison | None:
    """Return the comparison of all models of the board with the baseline. Raises UsageError where there is none."""
    if baseline is None:
        return None
    mine = {entry.path.parent.resolve() for entry in select(baseline, results).entries}
    folders = {entry.record.model: entry.path.parent for entry in board.entries}
    places = {line.model: folders[line.model] for line in board.lines if line.source is None and line.model in folders}
    # A label is not always the name of its folder.
    others = [
        label if folder == results / "runs" / label else folder
        for label, folder in places.items()
        if folder.resolve() not in mine
    ]
    if not others:
        raise UsageError(f"the baseline '{baseline}' is the only model of {results}; there is none to compare with it")
    return compare(baseline, *others, output=results, suite=suite)


def _by_turns(shown: Sequence[Shown]) -> list[str]:
    """Return the keys of all pictures: the first item of every task before the second of any."""
    ranked = [(place, key) for each in shown for place, keys in enumerate(each.pictures) for key in keys]
    return [key for _, key in sorted(ranked, key=lambda pair: pair[0])]
