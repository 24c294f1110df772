"""Attempt: what stands under a label, which is a name, not a model: the newest model's records, and no others."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mmbench.harness.digest import Json
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.record import Record
from mmbench.harness.records.unscored import Unscored
from mmbench.harness.render.figures import count, some

_RECORDED = "recorded"
"""Stands for whoever made the predictions of a label: each file has a fingerprint of its own, and tells no model."""

_FEW_NAMES = 6


@dataclass(frozen=True, slots=True)
class Attempt:
    """The newest attempt under a label, whole."""

    label: str
    entries: tuple[Entry, ...]
    """Records of one model: the newest for each task, protocol, route and control, a full one before a partial one."""
    unscored: tuple[Unscored, ...] = ()
    """Tasks whose last try gave no scores."""
    older: tuple[Entry, ...] = ()
    """Records of other models that had the label before, and of tasks whose last try gave no scores."""

    @property
    def fingerprint(self) -> str | None:
        """The model's; None where it could not tell, or where predictions of several files stand together."""
        held: set[str | None] = {entry.record.fingerprint for entry in self.entries}
        held = held or {each.fingerprint for each in self.unscored}
        return next(iter(held)) if len(held) == 1 else None

    @property
    def failed(self) -> tuple[Unscored, ...]:
        """Tasks, whole and under no control, that ought to have scores and have none."""
        return tuple(
            each for each in self.unscored if each.status != "unsupported" and not each.partial and each.control is None
        )

    def lacks(self, reference: str) -> str:
        """Return why a task has no record, as an end of that sentence; empty where nothing is known."""
        failed = next((each for each in self.unscored if each.reference == reference and not each.control), None)
        if failed is not None:
            return f": its last try {_said(failed)}"
        own = (entry.record for entry in self.older if entry.record.control is None)
        other = next((record for record in own if record.reference == reference), None)
        return f"; another model of this label has one (fingerprint {other.fingerprint[:8]})" if other else ""

    def remarks(self, tasks: Collection[str] | None = None) -> list[str]:
        """Return in a sentence each what a reader should know of what does not stand, of these tasks or of all."""
        held: defaultdict[str, list[str]] = defaultdict(list)
        for entry in self.older:
            record = entry.record
            if tasks is not None and record.reference not in tasks:
                continue
            if not any(each.stands_before(record) for each in self.unscored):
                held[record.fingerprint].append(record.reference)
        mine = f" ({self.fingerprint[:8]})" if self.fingerprint else ""
        remarks = [
            f"left out: {count(len(names), 'record')} of another model that was called {self.label} before "
            f"(fingerprint {fingerprint[:8]}; {some(sorted(set(names)), _FEW_NAMES)}); the newest attempt stands{mine}"
            for fingerprint, names in held.items()
        ]
        said: defaultdict[str, list[str]] = defaultdict(list)
        for each in self.unscored:
            if tasks is not None and each.reference not in tasks:
                continue
            if each.status == "unsupported" and each.control:
                continue  # a control has no meaning there, which is no fault of the model
            said[_said(each)].append(f"{each.reference} ({each.control})" if each.control else each.reference)
        return remarks + [f"no scores: {self.label} on {some(names, _FEW_NAMES)} {why}" for why, names in said.items()]


def attempts(entries: Iterable[Entry], unscored: Iterable[Unscored]) -> list[Attempt]:
    """Return the newest attempt under each label.

    What was asked of all items goes before what was asked of the first ones: a quick trial hides no whole run.
    """
    held: defaultdict[str, list[Entry]] = defaultdict(list)
    tried: defaultdict[str, list[Unscored]] = defaultdict(list)
    for entry in entries:
        held[entry.record.model].append(entry)
    for each in unscored:
        tried[each.model].append(each)
    return [_newest(label, held[label], tried[label]) for label in sorted({*held, *tried})]


def _newest(label: str, entries: list[Entry], tried: list[Unscored]) -> Attempt:
    made: list[tuple[bool, str, str | None]] = [
        *((not entry.record.partial, entry.record.created, _model(entry.record)) for entry in entries),
        *((not each.partial, each.created, each.fingerprint) for each in tried),
    ]
    model = max(made, key=lambda each: each[:2])[2]
    same = [entry for entry in entries if _model(entry.record) == model]
    unscored = [each for each in tried if each.fingerprint == model and not _done(each, same)]
    mine = [entry for entry in same if not any(each.stands_before(entry.record) for each in unscored)]
    chosen = {entry.path for entry in mine}
    return Attempt(
        label,
        tuple(_last(mine)),
        tuple(sorted(unscored, key=lambda each: (each.reference, each.control or ""))),
        tuple(_last(entry for entry in entries if entry.path not in chosen)),
    )


def _model(record: Record) -> str:
    return _RECORDED if record.route == "recorded" else record.fingerprint


def _done(each: Unscored, entries: Iterable[Entry]) -> bool:
    """Tell whether a later try of the same has given a record."""
    return any(each.tries(entry.record) and entry.record.created > each.created for entry in entries)


def _last(entries: Iterable[Entry]) -> list[Entry]:
    """Return for each model, task, protocol, route and control the record made last, a full one before a partial."""
    best: dict[tuple[Json, ...], Entry] = {}
    for entry in entries:
        record = entry.record
        key = (_model(record), record.reference, record.protocol, record.route, record.control)
        held = best[key].record if key in best else None
        if held is None or (not record.partial, record.created) >= (not held.partial, held.created):
            best[key] = entry
    return list(best.values())


def _said(each: Unscored) -> str:
    if each.status == "unfinished":
        return "was stopped before its end; run it again, what was answered is remembered"
    return f"failed ({each.message})" if each.status == "failed" else f"could not be asked ({each.message})"
