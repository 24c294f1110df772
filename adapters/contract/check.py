"""Adapter contract check, so that a wrong score is the model's fault and not the adapter's."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from mmbench.adapters.contract import clauses
from mmbench.adapters.contract.answers import Malformed, Probe, probes
from mmbench.adapters.contract.exam import Exam, Sitting, Variant, sit
from mmbench.adapters.contract.inputs import pictures
from mmbench.harness.errors import MmbenchError, Unanswered
from mmbench.harness.foreign import described, tamed
from mmbench.harness.models.abilities import Adapter, TakesClips, abilities

Make: TypeAlias = Callable[[], Adapter]
T = TypeVar("T")

_NO_VARIANTS: Mapping[str, Make] = MappingProxyType({})
_NO_SETTINGS: Mapping[str, float] = MappingProxyType({})


class ContractViolation(MmbenchError):
    """An adapter that breaks at least one clause; the message lists them all."""


def check_adapter(
    make: Make,
    *,
    changed: Mapping[str, Make] = _NO_VARIANTS,
    unchanged: Mapping[str, Make] = _NO_VARIANTS,
    lazy_spec: str | None = None,
    tolerance: float | None = None,
    tune_settings: Mapping[str, float] = _NO_SETTINGS,
) -> None:
    """Check the adapters that `make` builds; the arguments are those of `violations`.

    Raises ContractViolation, whose message lists every broken clause.
    """
    found = violations(
        make,
        changed=changed,
        unchanged=unchanged,
        lazy_spec=lazy_spec,
        tolerance=tolerance,
        tune_settings=tune_settings,
    )
    if found:
        raise ContractViolation("the adapter breaks its contract:\n" + "\n".join(f"- {line}" for line in found))


def _nobody(sentence: str) -> None:
    """Tell nobody."""


def violations(
    make: Make,
    *,
    changed: Mapping[str, Make] = _NO_VARIANTS,
    unchanged: Mapping[str, Make] = _NO_VARIANTS,
    lazy_spec: str | None = None,
    tolerance: float | None = None,
    tune_settings: Mapping[str, float] = _NO_SETTINGS,
    unasked: Callable[[str], None] = _nobody,
) -> list[str]:
    """Return one sentence, `clause: ability says what`, for each broken clause; an empty list is a kept contract.

    `make` builds a new adapter at each call. `changed` names and builds adapters whose weights or preprocessing
    differ, so that their fingerprints must differ; `unchanged` those that differ in path, device or batch size, so
    that theirs must not. `lazy_spec`, `module:name` or `file.py:name` of a callable without arguments, is built in a
    fresh Python process: only there can be told what the fingerprint costs. `tolerance` is relative to a vector's
    norm (default 1e-5, for float16 arrays 5e-3): set it for a model that computes in half precision and returns
    float32. `tune_settings` is what `tune_prompts` is called with. `unasked` is told a sentence for each ability that
    has no answer to the made-up inputs (Unanswered), as one that was recorded: its clauses are neither kept nor broken.
    """

    def exam() -> Exam:
        variants = [Variant(name, build(), True) for name, build in changed.items()]
        variants += [Variant(name, build(), False) for name, build in unchanged.items()]
        adapter = make()
        return Exam(adapter, make(), tuple(variants), adapter.fingerprint, pictures(), lazy_spec, tolerance)

    built, found = _guarded("construction: building it", exam)
    if built is None:
        return found
    adapter = built.adapter
    takes, failed = _guarded("abilities: takes_clips", lambda: isinstance(adapter, TakesClips) and adapter.takes_clips)
    return failed or _all_broken(built, probes(built.pictures, tune_settings, clips=takes is True), unasked)


def _all_broken(exam: Exam, tried: Iterable[Probe], unasked: Callable[[str], None]) -> list[str]:
    found: list[str] = []
    for name, clause in clauses.BEFORE:
        found += _broken(f"{name}: the adapter", partial(clause, exam))
    sittings: list[Sitting] = []
    for probe in tried:
        if probe.ability in abilities(exam.adapter):
            try:
                sitting, broken = _guarded(f"abilities: {probe.ability}", partial(sit, exam, probe))
            except Unanswered as error:
                unasked(f"{probe.ability}: {error}")
                continue
            found += broken if sitting is None else _ability_broken(exam, sitting)
            sittings += [sitting] if sitting else []
    found += _broken("dimension: the adapter", partial(clauses.one_space, exam, sittings))
    return found + _broken("fingerprint: the adapter", partial(clauses.fingerprint_stays, exam))


def _ability_broken(exam: Exam, sitting: Sitting) -> list[str]:
    ability = sitting.probe.ability
    found = _broken(f"deterministic: {ability}", partial(clauses.deterministic, exam, sitting))
    if found:
        return found  # the other clauses compare answers, which tells nothing where each time there are others
    for name, clause in clauses.EACH:
        found += _broken(f"{name}: {ability}", partial(clause, exam, sitting))
    return found


def _broken(subject: str, call: Callable[[], Iterable[str]]) -> list[str]:
    lines, failed = _guarded(subject, lambda: [f"{subject} {line}" for line in call()])
    return failed if lines is None else lines


def _guarded(subject: str, call: Callable[[], T]) -> tuple[T | None, list[str]]:
    """Return what `call` returns and no sentence, or None and the sentence that says what went wrong."""
    try:
        return tamed(call), []
    except Unanswered:
        raise
    except Malformed as error:
        return None, [f"{subject} {error}"]
    except NotImplementedError:
        return None, [f"{subject} raises NotImplementedError: leave out the method instead"]
    # Another author's code may raise anything; here, and nowhere else, that becomes a sentence of the report.
    except Exception as error:
        return None, [f"{subject} raises {described(error)}"]
