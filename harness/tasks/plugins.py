"""Families, sources and metrics of all packages, each checked for its members before anything relies on them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from mmbench.harness import registry
from mmbench.harness.errors import UsageError
from mmbench.harness.registry import Offered, contained, entries, loaded, package_of, spoken
from mmbench.harness.tasks.family import Family
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.source import Source, SourceSpec

T = TypeVar("T")

OF_FACT = ":FACT"
"""End of the name of a metric that is made for a fact."""

_FAMILY = ("version", "verb", "routes", "fields", "protocol", "samples", "outcomes")
_SOURCE = ("open", "columns", "values", "class_names", "__len__", "__iter__")


def find_family(name: str) -> type[Family]:
    """Return the family of this name. Raises UsageError that names the nearest, or the package that broke it."""
    made: type[Family] = _found(registry.FAMILIES, name, "family", _checked_family)
    return made


def find_source(kind: str) -> type[Source]:
    """Return the class of this kind of source. Raises UsageError as `find_family`."""
    made: type[Source] = _found(registry.SOURCES, kind, "kind of source", _checked_source)
    return made


def find_metric(name: str) -> Metric:
    """Return the metric of outcomes of this name. Raises UsageError as `find_family`.

    What is offered as `NAME:FACT` is a function of a fact: `worst_group:income` is made by `worst_group:FACT`.
    """
    made: Metric = _found(registry.METRICS, offered_as(name), "metric", _checked_metric, name)
    return made


def offered_as(name: str) -> str:
    """Return the name under which a metric of outcomes is offered, where it is.

    >>> offered_as("worst_group:income"), offered_as("brier")
    ('worst_group:FACT', 'brier')
    """
    general = f"{name.partition(':')[0]}{OF_FACT}"
    return general if ":" in name and name not in entries(registry.METRICS) else name


def is_offered(name: str) -> bool:
    """Tell whether a package offers a metric of outcomes of this name, be it a broken one."""
    offered = entries(registry.METRICS)
    return offered_as(name) in offered or name in offered.unusable


def all_families() -> Offered[type[Family]]:
    """Return every family that can be used."""
    return _all(registry.FAMILIES, find_family)


def all_metrics() -> Offered[Metric]:
    """Return every metric of outcomes that can be used."""
    return _all(registry.METRICS, find_metric)


def metric_package(name: str) -> str:
    """Return the package of a metric of outcomes."""
    return package_of(entries(registry.METRICS)[offered_as(name)])


def _found(group: str, name: str, what: str, check: Callable[[Any, str], str | None], meant: str = "") -> Any:
    known = entries(group)
    more = f" (known: {', '.join(sorted(known))})" if known else ""
    entry = known.pick(name, what, more)
    made = loaded(entry, what)
    said = spoken(entry, what)
    meant = meant or name
    if name.endswith(OF_FACT) and group == registry.METRICS and callable(made):
        make, fact = made, meant.partition(":")[2]
        made = contained(lambda: make(fact), f"{said} cannot be made for the fact '{fact}'")
    if fault := contained(lambda: check(made, meant), f"{said} cannot be used"):
        raise UsageError(f"{said} {fault}")
    return made


def _all(group: str, find: Callable[[str], T]) -> Offered[T]:
    known = entries(group)
    found: Offered[T] = Offered()
    found.unusable.update(known.unusable)
    for name, entry in known.items():
        try:
            found.add(name, find(name), package_of(entry), "")
        except UsageError as error:
            found.spoil(name, str(error))
    return found


def _checked_family(made: Any, name: str) -> str | None:
    fault = _lacking(made, _FAMILY)
    if fault is None and getattr(made, "name", None) != name:
        fault = f"calls itself {getattr(made, 'name', None)!r}; a family has one name"
    if fault is None and not _is_class(getattr(made, "Options", None), BaseModel):
        fault = "has no 'Options', a model of pydantic with its own keys"
    metrics = getattr(made, "known_metrics", None)
    if fault is None and not (isinstance(metrics, Sequence) and all(isinstance(each, Metric) for each in metrics)):
        fault = "has no 'known_metrics', a list of Metric"
    return fault


def _checked_source(made: Any, name: str) -> str | None:
    fault = _lacking(made, _SOURCE)
    if fault is None and not _is_class(getattr(made, "Spec", None), SourceSpec):
        fault = "has no 'Spec', a kind of SourceSpec with the keys of 'source'"
    return fault


def _checked_metric(made: Any, name: str) -> str | None:
    if not isinstance(made, Metric):
        return f"is a {type(made).__name__}, expected a Metric"
    faults = {
        f"calls itself '{made.name}'; a metric has one name": made.name != name,
        "has no 'measure', the function that makes it of outcomes": not callable(made.measure),
        "has no description": not made.description,
        "says 'draws' or 'by_scorer', which only a family can know": made.draws or made.by_scorer,
        # 1.0, which stands where nothing was said, would be taken for perfect.
        "is better where it is lower, and must say its 'best' value: 0.0, say, or None": made.higher_is_better is False
        and made.best == 1.0,
        "is neither better nor worse, so that its 'best' is None": made.higher_is_better is None
        and made.best is not None,
    }
    return next((fault for fault, holds in faults.items() if holds), None)


def _lacking(made: Any, members: Sequence[str]) -> str | None:
    if not isinstance(made, type):
        return f"is a {type(made).__name__}, expected a class"
    missing = [member for member in members if not hasattr(made, member)]
    return f"has no '{missing[0]}'; see docs/plugins.md" if missing else None


def _is_class(made: object, of: type) -> bool:
    return isinstance(made, type) and issubclass(made, of)
