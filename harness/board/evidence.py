"""Evidence of a board: intervals and gains, from the cache or from the outcomes beside the records."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from mmbench.harness.board.cache import MOST_PAIRS, BoardCache, load_cache, save_cache, signature
from mmbench.harness.board.pairs import Parts
from mmbench.harness.digest import digest_json
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.gains import gains_of, read_gain
from mmbench.harness.records.measured import Measured, read_measured
from mmbench.harness.records.replicates import Replicates, replicates
from mmbench.harness.scores.gain import Gain, GainName
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named


class Evidence:
    """Reads what the outcomes of a results folder say, each once, and notes which of them cannot be read."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._held = load_cache(results)
        self._fresh = False
        self._parts = Parts(results, self._signature)
        self._signed: dict[Path, str] = {}
        """Signatures of records, as they were when they were first looked at."""
        self.errors: list[DataError] = []

    def replicates(self, entries: Iterable[Entry]) -> dict[Path, Replicates]:
        """Return (REPLICATES,) replicates of the primary score of each record, by its path.

        A record without a value has none, nor has one whose outcomes cannot be read.
        """
        found: dict[Path, Replicates] = {}
        missing: defaultdict[tuple[str, str, str], list[tuple[Entry, str]]] = defaultdict(list)
        for entry in entries:
            record = entry.record
            key = self._signature(entry) if record.primary.value is not None else None
            if key in self._held.replicates:
                found[entry.path] = self._held.replicates[key]
            elif key is not None:
                missing[record.reference, record.family, record.primary.metric].append((entry, key))
        for (_, family, name), wanted in missing.items():
            try:
                metric = metric_named(family, name)
            except UsageError as error:  # of a plug-in that is not installed here
                self._note(error)
                continue
            readable: list[tuple[Entry, str]] = []
            made = replicates(self._measured(metric, wanted, readable), str(wanted[0][0].record.dataset["digest"]))
            for (entry, key), row in zip(readable, made, strict=True):
                self._fresh = True
                found[entry.path] = self._held.replicates[key] = row
        return found

    def pairs(self, columns: Mapping[str, Sequence[Entry]], scales: Mapping[str, float]) -> Floats | None:
        """Return the (models, models) p of `Parts.p_values`, from the cache where the same were tested before."""
        models = len(next(iter(columns.values()), ()))
        if models < 2:
            return np.ones((models, models))
        signed = [[task, scales[task], *map(self._signature, entries)] for task, entries in columns.items()]
        key = digest_json(signed)
        if key not in self._held.pairs:
            made = self._parts.p_values(columns, scales, self._read)
            if made is None:
                return None
            self._held.pairs[key] = made
            self._fresh = True
        return self._held.pairs[key]

    def _read(self, entry: Entry) -> Measured | None:
        try:
            metric = metric_named(entry.record.family, entry.record.primary.metric)
            return read_measured(entry.path, entry.record, metric)
        except UsageError as error:
            self._note(error)
            return None

    def gains(self, entry: Entry, controls: Sequence[Entry]) -> dict[GainName, Gain]:
        """Return each gain that a record has over those of these controls that it is over."""
        return gains_of(entry, controls, self._gain)

    def _gain(self, entry: Entry, controls: Sequence[Entry]) -> Gain | None:
        """Return what a record's primary score has over its controls; None where one is damaged."""
        keys = [self._signature(each) for each in (entry, *controls)]
        if None in keys:
            return None
        key = "\n".join(map(str, keys))
        if key not in self._held.gains:
            try:
                self._held.gains[key] = read_gain(entry, controls)
            except UsageError as error:
                self._note(error)
                return None
            self._fresh = True
        return self._held.gains[key]

    def keep(self, entries: Iterable[Entry]) -> None:
        """Write what was newly computed, with what is still true of these records, all that the folder holds."""
        if not self._fresh:
            return
        held = self._held
        current: set[str] = set()
        for entry in entries:
            with suppress(OSError):
                current.add(signature(entry.path))
        save_cache(
            self._results,
            BoardCache(
                {key: row for key, row in held.replicates.items() if _files(key) <= current},
                {key: gain for key, gain in held.gains.items() if _files(key) <= current},
                dict(list(held.pairs.items())[-MOST_PAIRS:]),
            ),
        )
        self._fresh = False

    def _measured(
        self, metric: Metric, wanted: Iterable[tuple[Entry, str]], readable: list[tuple[Entry, str]]
    ) -> Iterator[Measured]:
        """Yield what the metric of each record is made of, and note which could be read."""
        for each in wanted:
            try:
                made = read_measured(each[0].path, each[0].record, metric)
            except UsageError as error:
                self._note(error)
                continue
            readable.append(each)
            self._parts.add(each[0], made)
            yield made

    def _signature(self, entry: Entry) -> str | None:
        try:
            # A record may stand by another metric than the one it leads with.
            if entry.path not in self._signed:
                self._signed[entry.path] = signature(entry.path)
            return f"{self._signed[entry.path]}\t{entry.record.primary.metric}"
        except OSError as error:
            self._note(DataError(f"the outcomes of {entry.path} cannot be read ({error.strerror}); run the task again"))
            return None

    def _note(self, error: UsageError) -> None:
        if str(error) not in map(str, self.errors):
            self.errors.append(error if isinstance(error, DataError) else DataError(str(error)))


def _files(key: str) -> set[str]:
    """Return the signatures in a key, without the metrics."""
    return {line.partition("\t")[0] for line in key.split("\n")}
