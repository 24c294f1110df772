"""Report writer: builds all sections from a folder of records, then as many thumbnails as the page has room for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.harness.board.results import Results
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.records.files import write_whole
from mmbench.harness.records.originals import original_task
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


def write_report(results: Path, to: Path, suite: str | None = None, files: Sequence[Path] = ()) -> Written:
    """Write the report of a results folder, or of one suite in it, as one HTML file.

    `files` are tasks that are not in the catalogue; without them their items have no question, and their pictures are
    found only where the records say. Raises UsageError where there are no records or the file cannot be written.
    """
    folder = Results(results)
    board = folder.board(suite)
    tasks = gather(board)
    if not tasks:
        raise UsageError(f"results folder {results} has no such records; make one with: mmbench run --output {results}")
    models = models_shown(board)
    parts = _Parts(models, files)
    for asked in tasks:
        parts.add(asked)
    judged = {pair: judge(compared) for pair, compared in parts.pairs.items()}
    contents = Contents(board, tasks, models, [shown.items for shown in parts.shown], parts.confusions, judged)
    bare = len(render(contents, {}).encode(errors="replace"))
    room = max(_ROOM, MOST_BYTES - bare)
    page = render(contents, parts.thumbnails.within(room, _by_turns(parts.shown))).encode(errors="replace")
    try:
        write_whole(to, page)
    except OSError as error:
        raise UsageError(f"{to} cannot be written ({error.strerror or error})") from error
    items = sum(len(shown.items) for shown in parts.shown)
    warnings = [*map(str, folder.errors), *parts.warnings]
    return Written(len(board.lines), len(tasks), items, len(page), warnings)


def _by_turns(shown: Sequence[Shown]) -> list[str]:
    """Return the keys of all pictures: the first item of every task before the second of any."""
    ranked = [(place, key) for each in shown for place, keys in enumerate(each.pictures) for key in keys]
    return [key for _, key in sorted(ranked, key=lambda pair: pair[0])]
