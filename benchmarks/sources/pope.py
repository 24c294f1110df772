"""Questions on what is there and what is not, made from any data with objects: the three samplings of POPE."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, field_validator

from mmbench.benchmarks.sources.cells import column, label_values, shown
from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.plugins import find_source
from mmbench.harness.tasks.source import Cell, Row, Source, SourceSpec
from mmbench.harness.tasks.yaml_file import validated

Sampling = Literal["random", "popular", "adversarial"]

_THING = re.compile(r"\{(?:thing|a thing)\}")


class PopeSpec(SourceSpec):
    """The keys of a source of questions on objects."""

    of: dict[str, Any]
    """The data with pictures and objects, as `source` names it."""
    objects: str
    """Column with the names of all that a picture shows, a list."""
    sampling: Sampling
    """How the absent objects are chosen."""
    pictures: int = Field(default=500, ge=1)
    """Pictures that are asked, drawn by the seed from those with enough objects; all where there are fewer."""
    each: int = Field(default=3, ge=1)
    """Objects that are there, and as many that are not, asked of each picture."""
    seed: int = Field(default=0, ge=0)
    question: str = "Is there {a thing} in the image?"
    """With `{thing}`, or `{a thing}` for the name behind its article."""

    @field_validator("question")
    @classmethod
    def _names(cls, given: str) -> str:
        if not _THING.search(given):
            raise ValueError("must have the placeholder {thing} or {a thing}")
        return given


class Pope:
    """A row for each question; half of them are of objects that the picture shows.

    Columns: `id`, `image`, `question`, `target` (yes or no), `object`, `picture` (the id of its row), and `sampling`.
    The absent objects are drawn from all names in the data (`random`), are the commonest (`popular`), or those that
    stand most often beside the objects asked of (`adversarial`); each once a picture. Pictures with fewer objects than
    are asked, or that show nearly everything, are left out, which the notes tell. Source: Li et al. 2023, arXiv
    2305.10355. Data in which only some objects are annotated (LVIS, Open Images) cannot say what is absent.
    """

    Spec: ClassVar[type[PopeSpec]] = PopeSpec

    @classmethod
    def open(cls, spec: PopeSpec, base: Path, split: str | None) -> Self:
        """Return the questions on the data that a task names. Raises DataError."""
        kind = spec.of.get("kind")
        if not isinstance(kind, str) or kind == spec.kind:
            raise DataError("`of` names the data with objects as `source` does: {kind: coco, path: FILE.json}")
        found = find_source(kind)
        inner = validated(found.Spec, spec.of, "source", {}, found.Spec.model_fields, within=("of",))
        return cls(found.open(inner, base, split or inner.split), spec)

    def __init__(self, data: Source, spec: PopeSpec) -> None:
        self._data = data
        self._spec = spec

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the scores should know of the questions."""
        spec, left = self._spec, len(self._objects) - len(self._fit)
        made = [f"absent objects are sampled {spec.sampling}, seed {spec.seed}, from {len(self._names)} names"]
        if left:
            made.append(f"pictures left out, with too few or too many objects for {spec.each} of each: {left}")
        return (*getattr(self._data, "notes", ()), *made)

    def columns(self) -> Sequence[str]:
        """Return the names of the columns."""
        return ("id", "image", "question", "target", "object", "picture", "sampling")

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column. Raises DataError where there is none."""
        for row in self:
            if column not in row.cells:
                raise DataError(f"{row.where} has no column '{column}'")
            yield row.cells[column]

    def class_names(self, column: str) -> Sequence[str] | None:  # noqa: ARG002 - none of these columns has labels
        """Return None: questions have no classes."""
        return None

    def __len__(self) -> int:
        return 2 * self._spec.each * len(self._chosen)

    def __iter__(self) -> Iterator[Row]:
        chosen = set(self._chosen)
        for number, row in enumerate(self._data):
            if number in chosen:
                yield from self._rows(number, row)

    def _rows(self, number: int, row: Row) -> Iterator[Row]:
        spec, name = self._spec, str(row.cells.get("id", number))
        there, absent = self._asked(number)
        pairs = [pair for yes, no in zip(there, absent, strict=True) for pair in ((yes, "yes"), (no, "no"))]
        for place, (thing, target) in enumerate(pairs):
            cells: dict[str, Cell] = {
                "id": f"{name}-{place}",
                "image": column(row, "image"),
                "question": _question(spec.question, thing),
                "target": target,
                "object": thing,
                "picture": name,
                "sampling": spec.sampling,
            }
            yield Row(cells, f"{row.where}, question {place}", row.base)

    def _asked(self, number: int) -> tuple[list[str], list[str]]:
        """Return the objects that are there and those that are not, of which a picture is asked."""
        random = np.random.default_rng([self._spec.seed, number])
        shows = self._objects[number]
        there = [shows[i] for i in random.permutation(len(shows))[: self._spec.each]]
        absent = [name for name in self._names if name not in set(shows)]
        drawn = [absent[i] for i in random.permutation(len(absent))]
        if self._spec.sampling == "random":
            return there, drawn[: self._spec.each]
        if self._spec.sampling == "popular":
            return there, sorted(drawn, key=lambda name: (-self._count[name], name))[: self._spec.each]
        taken: list[str] = []
        for thing in there:
            beside = self._beside[thing]
            taken.append(max((n for n in drawn if n not in taken), key=lambda n: beside[n]))  # noqa: B023 - used at once
        return there, taken

    @cached_property
    def _objects(self) -> list[list[str]]:
        made = []
        for number, cell in enumerate(self._data.values(self._spec.objects)):
            where = f"row {number} (counted from 0)"
            found = [] if cell is None else list(label_values(cell, where))
            if not all(isinstance(each, str) and each.strip() for each in found):
                raise DataError(f"{where}: '{self._spec.objects}' is a list of names, found {shown(cell)}")
            made.append(list(dict.fromkeys(found)))
        return made

    @cached_property
    def _names(self) -> list[str]:
        return sorted({name for shows in self._objects for name in shows})

    @cached_property
    def _count(self) -> Mapping[str, int]:
        return Counter(name for shows in self._objects for name in shows)

    @cached_property
    def _beside(self) -> Mapping[str, Mapping[str, int]]:
        made: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for shows in self._objects:
            for name in shows:
                made[name].update(other for other in shows if other != name)
        return made

    @cached_property
    def _fit(self) -> list[int]:
        each = self._spec.each
        fit = [n for n, shows in enumerate(self._objects) if each <= len(shows) <= len(self._names) - each]
        if not fit:
            raise DataError(
                f"no picture shows {each} of the {len(self._names)} objects in '{self._spec.objects}' and lacks "
                f"{each}; ask fewer with `each`"
            )
        return fit

    @cached_property
    def _chosen(self) -> list[int]:
        fit = self._fit
        # By the row's own number: of other data, or of another sampling, the same pictures are asked.
        key = {n: digest_bytes(f"{self._spec.seed} {n}".encode()) for n in fit}
        return sorted(sorted(fit, key=key.__getitem__)[: self._spec.pictures])


def _question(pattern: str, thing: str) -> str:
    """Return a question about a thing.

    >>> _question("Is there {a thing} in the image?", "umbrella")
    'Is there an umbrella in the image?'
    """
    article = "an" if thing[:1].lower() in "aeiou" else "a"
    return pattern.replace("{a thing}", f"{article} {thing}").replace("{thing}", thing)
