"""Episodes and splits of a probe: the same on every machine and for every model."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmbench.benchmarks.probes.labelled import Labels
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.errors import DataError, nearest

Places = npt.NDArray[np.int64]

SPLITS: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
"""Names of splits that a column may hold."""

SHARES = (0.6, 0.2)
"""Shares of train and validation where the data has no splits; the rest is test."""


@dataclass(frozen=True, slots=True)
class Split:
    """Places of the items of each split, in the order of the data."""

    train: Places
    validation: Places
    test: Places


MOST_VALIDATION_SHOTS = 4
"""Pictures of a class in the validation of an episode, at the most (Zhou et al. 2022, CoOp)."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Episode: the items that one few-shot probe may see."""

    shots: int
    seed: int
    train: Places
    validation: Places

    @property
    def name(self) -> str:
        """Name in metrics: `4-shot/seed0`."""
        return f"{self.shots}-shot/seed{self.seed}"

    def as_json(self, ids: Sequence[str]) -> dict[str, Json]:
        """Return the ids of its items, with a digest of them."""
        train, validation = [[ids[place] for place in places] for places in (self.train, self.validation)]
        return {"train": train, "validation": validation, "digest": digest_json([train, validation])}


def given_split(names: Sequence[str | None], ids: Sequence[str], labels: Labels) -> Split:
    """Return the splits that a column names; without validation a fifth of train is it. Raises DataError.

    >>> split = given_split(["train", "train", "test"], ["a", "b", "c"], np.array([0, 0, 0]))
    >>> split.train.tolist() + split.validation.tolist(), split.test.tolist()
    ([0, 1], [2])
    """
    found = []
    for name, item in zip(names, ids, strict=True):
        known = SPLITS.get(str(name).strip().lower())
        if known is None:
            raise DataError(f"item {item}: '{name}' is no split{nearest(str(name), SPLITS)}; write train, val or test")
        found.append(known)
    of = np.array(found)
    train, validation, test = (np.flatnonzero(of == name) for name in ("train", "validation", "test"))
    for name, places in (("train", train), ("test", test)):
        if not len(places):
            raise DataError(f"no item is in the split '{name}'; a probe needs train and test")
    if not len(validation):
        kept, validation = _parted(train, ids, labels, (1 - SHARES[1],))
        return Split(kept, validation, test)
    return Split(train, validation, test)


def stratified_split(ids: Sequence[str], labels: Labels) -> Split:
    """Return 60 % train, 20 % validation and 20 % test of each class, in an order drawn from the ids by seed 0.
    >>> split = stratified_split([str(i) for i in range(10)], np.zeros(10, np.int64))
    >>> len(split.train), len(split.validation), len(split.test)
    (6, 2, 2)
    """
    return Split(*_parted(np.arange(len(ids)), ids, labels, (SHARES[0], sum(SHARES))))


def draw(
    split: Split,
    ids: Sequence[str],
    labels: Labels,
    classes: Sequence[str],
    shots: int,
    seed: int,
    *,
    validated: bool = True,
) -> Episode:
    """Return an episode of `shots` training items a class, and where it is `validated` at most four for validation.

    Of multi-label data each class draws among the items that show it, so that an item may serve several. Raises
    DataError that names a class with too few items.
    """
    validation = min(shots, MOST_VALIDATION_SHOTS) if validated else 0
    return Episode(
        shots,
        seed,
        _drawn(split.train, ids, labels, classes, shots, f"{seed} train", "training"),
        _drawn(split.validation, ids, labels, classes, validation, f"{seed} validation", "validation"),
    )


def _drawn(
    places: Places, ids: Sequence[str], labels: Labels, classes: Sequence[str], count: int, what: str, shown: str
) -> Places:
    chosen: set[int] = set()
    for number, name in enumerate(classes):
        own = places[_shows(labels[places], number)]
        if len(own) < count:
            least = f"{count} {'is' if count == 1 else 'are'} needed"
            ways = [] if count == 1 else ["ask fewer shots"]
            ways += ["add items"] + (["set `sweep: false`, which needs no validation"] if shown == "validation" else [])
            raise DataError(f"class '{name}' has {len(own)} {shown} items, and {least}; {' or '.join(ways)}")
        chosen.update(_ordered(own, ids, what)[:count])
    return np.array(sorted(chosen), dtype=np.int64)


def _parted(places: Places, ids: Sequence[str], labels: Labels, ends: Sequence[float]) -> list[Places]:
    """Return places in consecutive parts up to shares of each class; multi-label items count as one class."""
    if labels.dtype == np.bool_:
        groups: Iterable[Places] = [places]
    else:
        groups = [places[labels[places] == value] for value in np.unique(labels[places])]
    parts: list[list[int]] = [[] for _ in range(len(ends) + 1)]
    for group in groups:
        ordered = _ordered(group, ids, "0 split")
        cuts = [0, *(round(end * len(ordered)) for end in ends), len(ordered)]
        for part, start, stop in zip(parts, cuts, cuts[1:], strict=False):
            part.extend(ordered[start:stop])
    return [np.array(sorted(part), dtype=np.int64) for part in parts]


def _shows(labels: Labels, number: int) -> npt.NDArray[np.bool_]:
    return np.asarray(labels[:, number] if labels.dtype == np.bool_ else labels == number)


def _ordered(places: Places, ids: Sequence[str], what: str) -> list[int]:
    # By a hash of the id: no generator of any library has a part in it, so that no version of one changes an episode.
    return sorted(places.tolist(), key=lambda place: hashlib.sha256(f"{what}:{ids[place]}".encode()).digest())
