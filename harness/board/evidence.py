"""What the intervals and gains of a board rest on, out of the cache or out of the outcomes beside the records."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from mmbench.harness.board.cache import BoardCache, load_cache, save_cache, signature
from mmbench.harness.board.replicates import Replicates, replicates
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.records.measured import Measured, read_measured
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.records.record import Record
from mmbench.harness.scores.gain import Gain, visual_gain
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named


class Evidence:
    """Reads what the outcomes of a results folder say, each once, and notes which of them cannot be read."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._held = load_cache(results)
        self._fresh = False
        self.errors: list[DataError] = []

    def replicates(self, records: Iterable[Record]) -> dict[int, Replicates]:
        """Return the `id` of each record to (REPLICATES,) replicates of its primary score.

        A record without a value has none, nor has one whose outcomes cannot be read.
        """
        found: dict[int, Replicates] = {}
        missing: defaultdict[tuple[str, str, str], list[tuple[Record, str]]] = defaultdict(list)
        for record in records:
            key = self._signature(record) if record.primary.value is not None else None
            if key in self._held.replicates:
                found[id(record)] = self._held.replicates[key]
            elif key is not None:
                missing[record.reference, record.family, record.primary.metric].append((record, key))
        for (_, family, name), wanted in missing.items():
            try:
                metric = metric_named(family, name)
            except UsageError as error:  # of a plug-in that is not installed here
                self._note(error)
                continue
            readable: list[tuple[Record, str]] = []
            made = replicates(self._measured(metric, wanted, readable), str(wanted[0][0].dataset["digest"]))
            for (record, key), row in zip(readable, made, strict=True):
                self._fresh = True
                found[id(record)] = self._held.replicates[key] = row
        return found

    def gain(self, record: Record, controls: Sequence[Record]) -> Gain | None:
        """Return what a record's primary score owes to the pictures; None without controls, or where one is damaged."""
        keys = [self._signature(each) for each in (record, *controls)] if controls else []
        if not keys or None in keys:
            return None
        key = "\n".join(map(str, keys))
        if key not in self._held.gains:
            try:
                metric = metric_named(record.family, record.primary.metric)
                shown = {str(other.control): read_outcomes(self._path(other)) for other in controls}
                self._held.gains[key] = visual_gain(metric, read_outcomes(self._path(record)), shown)
            except UsageError as error:
                self._note(error)
                return None
            self._fresh = True
        return self._held.gains[key]

    def keep(self, records: Iterable[Record]) -> None:
        """Write what was newly computed, with what is still true of these records, all that the folder holds."""
        if not self._fresh:
            return
        held = self._held
        current: set[str] = set()
        for record in records:
            with suppress(OSError):
                current.add(signature(self._path(record)))
        save_cache(
            self._results,
            BoardCache(
                {key: row for key, row in held.replicates.items() if key in current},
                {key: gain for key, gain in held.gains.items() if current.issuperset(key.split("\n"))},
            ),
        )
        self._fresh = False

    def _measured(
        self, metric: Metric, wanted: Iterable[tuple[Record, str]], readable: list[tuple[Record, str]]
    ) -> Iterator[Measured]:
        """Yield what the metric of each record is made of, and note which could be read."""
        for each in wanted:
            try:
                made = read_measured(self._path(each[0]), metric)
            except UsageError as error:
                self._note(error)
                continue
            readable.append(each)
            yield made

    def _signature(self, record: Record) -> str | None:
        try:
            return signature(self._path(record))
        except OSError as error:
            path = self._path(record)
            self._note(DataError(f"the outcomes of {path} cannot be read ({error.strerror}); run the task again"))
            return None

    def _path(self, record: Record) -> Path:
        return self._results / "runs" / record.model / record.file_name

    def _note(self, error: UsageError) -> None:
        if str(error) not in map(str, self.errors):
            self.errors.append(error if isinstance(error, DataError) else DataError(str(error)))
