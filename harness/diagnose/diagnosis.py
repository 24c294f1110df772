"""Diagnosis: the figures of one model's space on one task, with what they were made of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mmbench.harness.diagnose.figures import Figure
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import UsageError
from mmbench.harness.records.files import replaced
from mmbench.harness.render.csv_text import csv_text
from mmbench.harness.render.figures import count, fine, fine_interval
from mmbench.harness.render.notebook import notebook

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the embedding space of a model is like on a task."""

    model: str
    """Label."""
    fingerprint: str
    task: str
    version: int
    dataset: Mapping[str, Json]
    """Digest and number of the items that were asked, and whether there are more."""
    dimension: int
    """Numbers of a vector."""
    medium: Literal["picture", "clip"]
    """What is embedded beside texts; of clips every figure that speaks of pictures."""
    pictures: int
    """Distinct pictures or clips."""
    texts: int
    """Distinct ones, or classes."""
    text_kind: Literal["texts", "classes"]
    """`classes`: each is the mean of its prompts."""
    scale: float | None
    """What makes logits of cosines, 1 / temperature; None where the model does not tell."""
    bias: float | None
    left_out: int
    """Pictures that could not be read."""
    first_failure: str | None
    notes: Sequence[str]
    """What a reader of the figures should know."""
    figures: Sequence[Figure]

    @property
    def reference(self) -> str:
        """`task@version`."""
        return f"{self.task}@{self.version}"

    @property
    def given(self) -> list[Figure]:
        """Figures that have a value."""
        return [figure for figure in self.figures if figure.value is not None]

    @property
    def lacking(self) -> dict[str, list[str]]:
        """Names of the figures that have none, by the reason."""
        found: dict[str, list[str]] = {}
        for figure in self.figures:
            if figure.value is None:
                found.setdefault(str(figure.reason), []).append(figure.name)
        return found

    @property
    def made_of(self) -> str:
        """What the figures are made of, in one line."""
        parts = [count(self.pictures, self.medium)]
        if self.texts:
            parts.append(count(self.texts, "text") if self.text_kind == "texts" else f"{self.texts:,} classes")
        told = f"{', '.join(parts)}; vectors of {self.dimension:,} numbers"
        if self.scale is not None:
            told += f"; logit scale {self.scale:.4g}, temperature {1 / self.scale:.4g}" if self.scale else ""
            told += f", bias {self.bias:.4g}" if self.bias else ""
        if self.dataset["partial"]:
            which = "a sample of" if "sample" in self.dataset else "the first"
            told += f"; of {which} {self.dataset['n']:,} items alone"
        return told

    def rows(self) -> list[dict[str, Json]]:
        """Return a row for each figure; one that cannot be given has the `reason`."""
        shared: dict[str, Json] = {"model": self.model, "task": self.task, "version": self.version}
        return [{**shared, **figure.as_json()} for figure in self.figures]

    def table(self) -> "pd.DataFrame":
        """Return the rows as a pandas frame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def as_json(self) -> dict[str, Json]:
        """Return all of it as `--format json` prints it."""
        held: dict[str, Json] = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            **held,
            "dataset": dict(self.dataset),
            "notes": list(self.notes),
            "figures": [figure.as_json() for figure in self.figures],
        }

    def as_csv(self) -> str:
        """Return the rows as CSV."""
        rows = self.rows()
        return csv_text(list(rows[0]), rows)

    def keep(self, output: Path) -> Path:
        """Write it under a results folder, as `diagnoses/<label>/<task>@<version>-<8 hex>.json`; return the path.

        Raises UsageError where that cannot be written.
        """
        name = digest_json([self.fingerprint, dict(self.dataset)])[:8]
        path = output / "diagnoses" / self.model / f"{self.reference}-{name}.json"
        text = json.dumps(self.as_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replaced(path) as file:
                file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror or type(error).__name__})") from error
        return path

    def __repr__(self) -> str:
        return f"Diagnosis({self.model}, {self.reference}: {count(len(self.given), 'figure')})"

    def _repr_html_(self) -> str:
        header = ["figure", "what it is", "better", "n", "value", "95 % interval", "baseline"]
        rows = [
            [each.name, each.meaning, each.better or "", f"{each.n:,}", fine(each.value)]
            + [fine_interval(each.low, each.high), fine(each.baseline)]
            for each in self.given
        ]
        left = [f"{', '.join(names)}: {reason}" for reason, names in self.lacking.items()]
        return notebook(repr(self), header, rows, [self.made_of, *self.notes, *left])
