"""Unscored task on disk: begun and not finished, failed, or never to be asked; it stands before older records."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError
from mmbench.harness.records.files import replaced
from mmbench.harness.records.outcomes import SCHEMA
from mmbench.harness.records.record import Record, sealed
from mmbench.harness.records.shape import UNSCORED, check_parts

Reason: TypeAlias = Literal["unfinished", "failed", "unsupported"]


class Lost(NamedTuple):
    """A task that has no scores, under a control or none."""

    model: str
    reference: str
    """`task@version`."""
    control: str | None


@dataclass(frozen=True, slots=True)
class Unscored:
    """A task that a model was to be asked and has no scores for."""

    model: str
    """Label."""
    fingerprint: str | None
    """None where the model failed before it could tell."""
    task: str
    version: int
    family: str
    dimension: str
    """Dimension that the task's card names."""
    route: str | None
    """The route that it had to be asked by, where one was pinned."""
    control: str | None
    """`blind` or `shuffled`, whichever way the pictures were to be replaced."""
    partial: bool
    """True where the first items alone were to be asked."""
    status: Reason
    """`unfinished` while it is asked, and for good where the run was stopped."""
    message: str
    """Why, in one sentence."""
    created: str
    """UTC, ISO 8601."""

    @property
    def reference(self) -> str:
        """`task@version`."""
        return f"{self.task}@{self.version}"

    @property
    def lost(self) -> Lost:
        """What it was a try of."""
        return Lost(self.model, self.reference, self.control)

    @property
    def file_name(self) -> str:
        """Name of its file: another try of the same replaces it, and no record's name is equal."""
        parts: list[Json] = ["unscored", self.fingerprint, self.route, self.control, self.partial]
        return f"{self.reference}-{digest_json(parts)[:8]}.json"

    def tries(self, record: Record) -> bool:
        """Tell whether it was a try of what a record of the same label scored."""
        control = record.control.partition(":")[0] if record.control else None
        asked = (self.reference, self.control, self.partial) == (record.reference, control, record.partial)
        return asked and self.route in (None, record.route)

    def stands_before(self, record: Record) -> bool:
        """Tell whether it is a later try of what a record of the same label scored."""
        return self.tries(record) and self.created > record.created


def write_unscored(made: Unscored, results: Path) -> Path:
    """Write it under `results/runs/<label>/`, beside the records, and return its path."""
    path = results / "runs" / made.model / made.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as file:
        file.write_text(sealed({"schema": SCHEMA, **asdict(made)}), encoding="utf-8")
    return path


def as_unscored(held: Mapping[str, Any], path: Path) -> Unscored:
    """Return what the JSON of a file says. Raises DataError that names the file where a part is of another type."""
    try:
        check_parts(held, UNSCORED)
        return Unscored(**{name: held[name] for name in Unscored.__slots__})
    except (LookupError, ValueError) as error:
        raise DataError(
            f"{path} lacks or misspells a part of an unscored task ({error}); run the task again"
        ) from error
