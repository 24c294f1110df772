"""Exam of an adapter: those that the clauses of its contract compare, and what it answered to a probe."""

from dataclasses import dataclass

from mmbench.adapters.contract.answers import Prepare, Probe, Row, prepare_of, tolerance_of
from mmbench.harness.foreign import tamed
from mmbench.harness.media.pixels import Pixels
from mmbench.harness.models.abilities import Adapter


@dataclass(frozen=True, slots=True)
class Variant:
    """An adapter that is related to the one under test."""

    name: str
    """Description of the change by its author."""
    adapter: Adapter
    """The other adapter."""
    differs: bool
    """True where the change concerns the answers."""


@dataclass(frozen=True, slots=True)
class Exam:
    """The adapters that the clauses compare."""

    adapter: Adapter
    """The adapter under test."""
    twin: Adapter
    """A second one, built alike."""
    variants: tuple[Variant, ...]
    """Changed and unchanged ones."""
    fingerprint: object
    """Fingerprint of the adapter before it was asked anything."""
    pictures: list[Pixels]
    """The pictures of all probes."""
    lazy_spec: str | None
    """What a fresh process builds, where that was given."""
    tolerance: float | None
    """As given by the adapter's author."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """Answers of the adapter under test to one probe."""

    probe: Probe
    """What was asked."""
    singles: list[Row]
    """The answers to batches of one."""
    together: list[Row]
    """The answers to one batch of all inputs."""
    order: list[int]
    """Another order of the inputs."""
    reordered: list[Row]
    """The answers to one batch of all inputs in that order."""
    tolerance: float
    """Tolerance between equal answers, relative to their norm."""


def sit(exam: Exam, probe: Probe) -> Sitting:
    """Ask everything alone, together and in another order. Raises Malformed and what the adapter raises."""
    together = ask(exam.adapter, probe, probe.inputs)
    singles = [ask(exam.adapter, probe, [item])[0] for item in probe.inputs]
    order = [*range(1, len(singles), 2), *range(0, len(singles), 2)]
    reordered = ask(exam.adapter, probe, [probe.inputs[index] for index in order])
    tolerance = tolerance_of(together) if exam.tolerance is None else exam.tolerance
    return Sitting(probe, singles, together, order, reordered, tolerance)


def ask(adapter: Adapter, probe: Probe, inputs: list[object], prepare: Prepare | None = None) -> list[Row]:
    """Return the answers to one batch, whose pictures `prepare` prepared. Raises Malformed and what is raised."""
    return tamed(lambda: probe.ask(adapter, inputs, prepare or prepare_of(adapter)))
