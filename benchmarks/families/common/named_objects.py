"""Objects that captions name beside those that pictures show: CHAIR over the items of a task."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from statistics import fmean
from typing import TypeAlias

from mmbench.benchmarks.families.common.guessing import MOST_CAPTIONS, guesses_for
from mmbench.benchmarks.metrics.hallucination import Mentions, Table
from mmbench.benchmarks.named import synonym_table
from mmbench.benchmarks.sources.cells import column, label_values, shown
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Data
from mmbench.harness.types import Sample

Statistics: TypeAlias = dict[str, tuple[float, ...]]

CHAIR = ("chair_i", "chair_s", "chair_recall", "chair_f1")


class NamedObjects:
    """The synonyms of a task and what its pictures show. Raises DataError."""

    def __init__(self, synonyms: str | Mapping[str, Sequence[str]], data: Data) -> None:
        if "objects" not in data.fields:
            raise DataError("`synonyms` needs the column of what pictures show: fields: {objects: COLUMN}")
        self._synonyms = synonym_table(synonyms, data.base)
        self._table = Table(self._synonyms)
        self._data = data
        self._said: dict[str, Mentions] = {}

    def as_json(self) -> Json:
        """Return what the protocol is made of: the synonyms, and the objects of all rows."""
        return [
            digest_json(json.loads(json.dumps(self._synonyms))),
            digest_json(list(map(sorted, self._there.values()))),
        ]

    def statistics(self, caption: str | None, sample: Sample) -> Statistics:
        """Return what CHAIR is made from; nothing where no caption was read, which names nothing wrongly.

        There is what the data lists, and what the references name, as in the script of CHAIR.
        """
        if caption is None:  # nothing is named wrongly, and all that is there is missed
            return {**dict.fromkeys(CHAIR, (0.0, 0.0)), "chair_f1": self.unnamed(sample)["chair_f1"]}
        return self._counts(self._mentions(caption), self._true(sample))

    def unnamed(self, sample: Sample) -> Statistics:
        """Return what naming nothing gains, of the metrics in which who names something gains."""
        there = float(len(self._true(sample)))
        return {"chair_recall": (0.0, there), "chair_f1": (0.0, 0.0, there)}

    def guesses(self, candidates: Sequence[str], sample: Sample, place: int, items: int) -> Statistics:
        """Return what is expected of a caption that is drawn from the candidates."""
        true = self._true(sample)
        drawn = guesses_for(place, items, candidates, MOST_CAPTIONS)
        made = [self._counts(self._mentions(text), true) for text in drawn]
        return {name: tuple(map(fmean, zip(*(each[name] for each in made), strict=True))) for name in CHAIR}

    def _counts(self, named: Mentions, true: set[str]) -> Statistics:
        absent = sum(name not in true for name in named.objects)
        names = set(named.objects)
        hit = len(true & names)
        return {
            "chair_i": (float(absent), float(len(named.objects))),
            "chair_s": (float(absent > 0), 1.0),
            "chair_recall": (float(hit), float(len(true))),
            "chair_f1": (float(hit), float(len(names - true)), float(len(true) - hit)),
        }

    def _true(self, sample: Sample) -> set[str]:
        return self._there[sample.id].union(*(self._mentions(text).objects for text in sample.references))

    def _mentions(self, text: str) -> Mentions:
        if text not in self._said:
            self._said[text] = self._table.mentions(text)
        return self._said[text]

    @cached_property
    def _there(self) -> Mapping[str, set[str]]:
        name = str(self._data.fields["objects"])
        made: dict[str, set[str]] = {}
        for number, row in enumerate(self._data.source):
            cell = column(row, name)
            found = [] if cell is None else list(label_values(cell, row.where))
            if not all(isinstance(each, str) for each in found):
                raise DataError(f"{row.where}: '{name}' is a list of names, found {shown(cell)}")
            made[self._data.id_of(row, number)] = self._table.names(map(str, found))
        return made
