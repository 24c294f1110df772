"""Reported figures of others, kept beside the records with their source, and never mistaken for measurements."""

import csv
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmbench.harness import registry
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.records.files import replaced
from mmbench.harness.regular import read_regular
from mmbench.harness.tasks.metric import Metric

NAME = "reported.json"
"""Within a results folder."""
COLUMNS = ("model", "task", "metric", "value", "source", "url")
"""Of a CSV; `url` may be empty."""

_SCHEMA = 1
_MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Reported:
    """One figure that somebody published."""

    model: str
    task: str
    """Name, or `name@version`."""
    metric: str
    value: float
    """In the metric's own range: an accuracy is 0..1."""
    source: str
    """Who says so: a paper, a model card."""
    url: str
    """Where; empty where that is not known."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What another figure replaces it by."""
        return (self.model, self.task, self.metric, self.source)

    def of(self, task: str) -> bool:
        """Tell whether this is a figure of `name@version`; one without a version is of any."""
        return self.task in (task, task.partition("@")[0])

    def row(self) -> dict[str, Json]:
        """Return the figure under the keys of a board's rows; None: not known."""
        name, _, version = self.task.partition("@")
        unknown = ("family", "low", "high", "n", "coverage", "bounds", "chance", "primary", "few_clusters")
        return {
            "model": self.model,
            "task": name,
            "version": int(version) if version.isdecimal() else None,
            "metric": self.metric,
            "value": self.value,
            **dict.fromkeys((*unknown, "route", "control", "protocol", "partial")),
            "reported": True,
            "source": self.source,
            "url": self.url or None,
        }


def read_figures(path: Path) -> tuple[Reported, ...]:
    """Return the figures of a CSV. Raises DataError that names line and column."""
    try:
        text = read_regular(path, _MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text ({error})") from error
    reader = csv.reader(text.splitlines(keepends=True))
    header = [name.strip() for name in next(reader, [])]
    _check_header(path, header)
    metrics = _metrics()
    found: dict[tuple[str, str, str, str], tuple[int, Reported]] = {}
    for cells in reader:
        line = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise DataError(f"{path} line {line}: {len(cells)} cells, and the header has {len(header)}")
        made = _figure(f"{path} line {line}", dict(zip(header, cells, strict=True)), metrics)
        if made.key in found:
            raise DataError(
                f"{path} line {line}: line {found[made.key][0]} has the same model, task, metric and source already"
            )
        found[made.key] = line, made
    if not found:
        raise DataError(f"{path} holds no figures; below the header {','.join(COLUMNS)} there is a line for each")
    return tuple(made for _, made in found.values())


def load_reported(results: Path) -> tuple[Reported, ...]:
    """Return the figures kept in a results folder. Raises DataError where their file is damaged."""
    path = results / NAME
    if not path.exists():
        return ()
    try:
        held = json.loads(read_regular(path, _MOST_BYTES).decode("utf-8"))
        schema, rows = held["schema"], held["rows"]
        if schema != _SCHEMA:
            raise DataError(f"{path} has schema {schema}, this version reads {_SCHEMA}; update mmbench")
        cells = [{name: str(row[name]) for name in COLUMNS} for row in rows]
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error}); remove it and import the figures again") from error
    return tuple(_figure(f"{path} row {i}", row, {}) for i, row in enumerate(cells, 1))


def add_reported(results: Path, figures: Iterable[Reported]) -> int:
    """Add figures to those of a results folder and return how many they replace.

    One of the same model, task, metric and source is replaced. Raises DataError where the file there is damaged.
    """
    held = {each.key: each for each in load_reported(results)}
    new = {each.key: each for each in figures}
    rows = [asdict(each) for each in (held | new).values()]
    results.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"schema": _SCHEMA, "rows": rows}, indent=1, ensure_ascii=False, allow_nan=False)
    with replaced(results / NAME) as file:
        file.write_text(text + "\n", encoding="utf-8")
    return len(held.keys() & new.keys())


def doubts(results: Path, figures: Sequence[Reported]) -> list[str]:
    """Return a sentence for each task that neither the catalogue nor the folder knows, and each metric of no family."""
    run = {path.name.partition("@")[0] for path in (results / "runs").glob("*/*@*.json")}
    tasks = {*registry.files(registry.TASKS), *run}
    shapes = {_shape(name): name for name in _metrics()}
    names = dict.fromkeys(each.task.partition("@")[0] for each in figures)
    metrics = dict.fromkeys(each.metric for each in figures)
    return [f"no task '{name}' is known{nearest(name, tasks)}" for name in names if name not in tasks] + [
        f"no metric '{name}' is known{nearest(name, shapes.values())}" for name in metrics if _shape(name) not in shapes
    ]


def _check_header(path: Path, header: Sequence[str]) -> None:
    for name in header:
        if name not in COLUMNS:
            raise DataError(f"{path} line 1: unknown column '{name}'{nearest(name, COLUMNS)}")
        if header.count(name) > 1:
            raise DataError(f"{path} line 1: the column '{name}' stands twice")
    missing = [name for name in COLUMNS if name not in header and name != "url"]
    if missing:
        raise DataError(f"{path} line 1: the column '{missing[0]}' is missing; the columns are {', '.join(COLUMNS)}")


def _figure(where: str, cells: dict[str, str], metrics: dict[str, Metric]) -> Reported:
    said = {name: " ".join(cells.get(name, "").split()) for name in COLUMNS}
    for name in COLUMNS[:-1]:
        if not said[name]:
            raise DataError(f"{where}: the column '{name}' is empty")
    if said["url"] and not re.match(r"https?://\S+$", said["url"]):
        raise DataError(f"{where}: the column 'url' holds '{said['url']}'; an address begins with https:// or http://")
    value = _value(where, said.pop("value"), metrics.get(_shape(said["metric"])))
    return Reported(value=value, **said)


def _value(where: str, text: str, metric: Metric | None) -> float:
    try:
        value = float(text)
    except ValueError:
        hint = "; a percentage is divided by 100" if text.endswith("%") else ""
        raise DataError(f"{where}: the column 'value' holds '{text}', which is not a number{hint}") from None
    if not math.isfinite(value):
        raise DataError(f"{where}: the column 'value' holds '{text}', which is not finite; leave the line out")
    if metric and metric.proportion and value > 1:
        raise DataError(
            f"{where}: the column 'value' holds {text}, and {metric.name} lies in 0..1; divide a percentage by 100"
        )
    if metric and metric.proportion and value < 0:
        raise DataError(f"{where}: the column 'value' holds {text}, and {metric.name} lies in 0..1")
    return value


def _metrics() -> dict[str, Metric]:
    """Return the known metrics by the shape of their names."""
    from mmbench.harness.tasks.plugins import all_families, all_metrics  # only an import of figures needs families

    own = [metric for family in all_families().values() for metric in family.known_metrics]
    return {_shape(metric.name): metric for metric in (*all_metrics().values(), *own)}


def _shape(name: str) -> str:
    """Return a metric's name with every number alike: families list one example of `accuracy@5`.

    >>> _shape("accuracy@3") == _shape("accuracy@5")
    True
    """
    return re.sub(r"\d+", "0", name)
