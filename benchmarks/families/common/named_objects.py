"""Objects that captions name beside those that pictures show: CHAIR over the items of a task."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mmbench.benchmarks.families.common.guessing import MOST_CAPTIONS, places_for
from mmbench.benchmarks.metrics.hallucination import Table
from mmbench.benchmarks.named import synonym_table
from mmbench.benchmarks.sources.cells import column, label_values, shown
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Data
from mmbench.harness.types import Sample

Statistics: TypeAlias = dict[str, tuple[float, ...]]
Times: TypeAlias = npt.NDArray[np.uint32]

CHAIR = ("chair_i", "chair_s", "chair_recall", "chair_f1")


class NamedObjects:
    """The synonyms of a task and what its pictures show. Raises DataError."""

    def __init__(self, synonyms: str | Mapping[str, Sequence[str]], data: Data) -> None:
        if "objects" not in data.fields:
            raise DataError("`synonyms` needs the column of what pictures show: fields: {objects: COLUMN}")
        self._synonyms = synonym_table(synonyms, data.base)
        self._table = Table(self._synonyms)
        self._data = data
        self._places = {name: place for place, name in enumerate(self._synonyms)}
        self._said: dict[str, Sequence[str]] = {}
        self._pool: tuple[Sequence[str], Times] | None = None
        """Candidates, and what each of them names."""

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
        return self._counts(self._times([caption]), self._true(sample))

    def unnamed(self, sample: Sample) -> Statistics:
        """Return what naming nothing gains, of the metrics in which who names something gains."""
        there = float(len(self._true(sample)))
        return {"chair_recall": (0.0, there), "chair_f1": (0.0, 0.0, there)}

    def guesses(self, candidates: Sequence[str], sample: Sample, place: int, items: int) -> Statistics:
        """Return what is expected of a caption that is drawn from the candidates."""
        if self._pool is None or self._pool[0] is not candidates:
            self._pool = candidates, self._times(candidates)
        drawn = places_for(place, items, len(candidates), MOST_CAPTIONS)
        return self._counts(self._pool[1][drawn], self._true(sample))

    def _times(self, captions: Sequence[str]) -> Times:
        """Return (n, objects) how often each of n captions names each object."""
        table = np.zeros((len(captions), len(self._places)), np.uint32)
        for row, caption in enumerate(captions):
            for name in self._mentions(caption):
                table[row, self._places[name]] += 1
        return table

    def _counts(self, times: Times, true: set[str]) -> Statistics:
        """Return the mean of what each of n captions counts: of tens of thousands for the chance of one task."""
        right = np.zeros(len(self._places), bool)
        right[[self._places[name] for name in true]] = True
        named, once = int(times.sum()), (times > 0).sum(axis=0)
        absent = times[:, ~right]
        n, names, hit = len(times), int(once.sum()), int(once[right].sum())
        return {
            "chair_i": (int(absent.sum()) / n, named / n),
            "chair_s": (int(absent.any(axis=1).sum()) / n, 1.0),
            "chair_recall": (hit / n, float(len(true))),
            "chair_f1": (hit / n, (names - hit) / n, (n * len(true) - hit) / n),
        }

    def _true(self, sample: Sample) -> set[str]:
        return self._there[sample.id].union(*map(self._mentions, sample.references))

    def _mentions(self, text: str) -> Sequence[str]:
        """Return the objects that a text names, each as often as it names it."""
        if text not in self._said:
            self._said[text] = self._table.mentions(text).objects
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
