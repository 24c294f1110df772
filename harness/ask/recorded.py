"""Recorded predictions of another system, as an examinee in place of a model."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmbench.harness.ask.examinee import Answer, Answers, Choice, Examinee, Scale, Similarity
from mmbench.harness.ask.routes.generate import read_answer, read_reply
from mmbench.harness.ask.wording import DEFAULT, Wording
from mmbench.harness.digest import Json, digest_json
from mmbench.harness.engine.question import Tuning
from mmbench.harness.errors import DataError, Unsupported
from mmbench.harness.models.abilities import ImageVectors
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.regular import open_regular
from mmbench.harness.render.figures import some
from mmbench.harness.strict_json import parse_json
from mmbench.harness.types import Failure, Option, RouteTaken, Sample

_FEW = 6
"""Keys of a line that are named where it is no prediction."""
_WHOLE = 1e15
"""Below this a float tells a whole number from its neighbours."""
_NONE = re.compile(r'("prediction"\s*:\s*)None\b')
"""Nothing, as Python prints it: that item has no prediction, and the others are read."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a file holds: one prediction for each id."""

    by_id: dict[str, Json]
    conflicting: frozenset[str]
    """Ids that have two predictions which differ: neither is taken."""
    repeated: frozenset[str]
    """Ids that stand more than once."""

    @property
    def digest(self) -> str:
        """Identity of the predictions, whatever the order of the lines."""
        return digest_json([sorted(self.by_id.items()), sorted(self.conflicting)])


def read_predictions(path: Path) -> Predictions:
    """Read `{"id": …, "prediction": …}`, one object a line. Raises DataError that names the line."""
    by_id: dict[str, Json] = {}
    repeated: set[str] = set()
    conflicting: set[str] = set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        name, prediction = _prediction(line, f"{path.name} line {number}")
        if name in by_id:
            repeated.add(name)
            if digest_json(by_id[name]) != digest_json(prediction):
                conflicting.add(name)
        by_id.setdefault(name, prediction)
    return Predictions(by_id, frozenset(conflicting), frozenset(repeated))


def _lines(path: Path) -> Iterator[str]:
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig") as lines:
            yield from lines
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read ({error}); predictions are UTF-8 text, one JSON object a line"
        ) from error


def _prediction(line: str, where: str) -> tuple[str, Json]:
    try:
        held = _parsed(line)
        if "\\u" in line:
            json.dumps(held, ensure_ascii=False).encode()  # an escape can be half a character, which no file can hold
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON ({error})") from error
    if not isinstance(held, dict) or not {"id", "prediction"} <= set(held):
        has = f"; it has {some(list(map(repr, held)), _FEW)}" if isinstance(held, dict) and held else ""
        raise DataError(f'{where}: expected an object such as {{"id": "7", "prediction": "a cat"}}{has}')
    name = held["id"]
    if isinstance(name, float) and name.is_integer():
        name = int(name)  # as tables write the integers of a column that has gaps
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        raise DataError(f"{where}: the id is text or a whole number, not {name!r}")
    return str(name), held["prediction"]


def _parsed(line: str) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        mended = _NONE.sub(r"\1null", line, count=1)
        if mended == line:
            raise
        return parse_json(mended)


@dataclass(slots=True)
class Recorded:
    """Answers from a file. An item without a usable prediction is an error, never a wrong answer."""

    name: str
    predictions: Predictions
    scorer: Examinee | None = None
    dry: bool = False
    used: set[str] = field(default_factory=set)
    """Ids that items asked for."""
    missing: list[str] = field(default_factory=list)
    """Ids of items without a prediction."""

    @property
    def fingerprint(self) -> str:
        """Identity of the predictions."""
        return f"recorded {self.predictions.digest}"

    parameters: int | None = None
    notes: tuple[str, ...] = ()
    looks: bool = False

    def control_by(self, route: RouteTaken) -> str | None:
        """Return None: predictions are under no control."""
        return None

    def scale(self) -> Scale | None:
        """Return None: predictions are no cosines."""
        return None

    def choose(
        self, samples: Iterable[Sample], options: Sequence[Option] | None = None, wording: Wording = DEFAULT
    ) -> Answers[Choice]:
        """Give the option of each prediction: its text, its 0-based index, one score an option, or a free reply."""

        def choice(sample: Sample) -> Choice:
            held = self._held(sample)
            if isinstance(held, Failure):
                return Choice("error", None, message=held.message)
            labels = [option.label for option in (sample.options if options is None else options)]
            return replace(_choice(held, labels, sample.id, wording), raw=_raw(held))

        return Answers("recorded", map(choice, samples))

    def answer(self, samples: Iterable[Sample], candidates: Sequence[str], wording: Wording) -> Answers[Answer]:
        """Give each prediction without its thoughts; a number as it is written."""
        return Answers("recorded", map(self._answer, samples))

    def _answer(self, sample: Sample) -> Answer:
        held = self._held(sample)
        if isinstance(held, Failure):
            return Answer("error", None, held.message)
        if isinstance(held, str):
            return read_answer(held)
        if isinstance(held, (int, float)) and not isinstance(held, bool):
            # A table that has gaps writes its whole numbers as floats.
            whole = isinstance(held, float) and held.is_integer() and abs(held) < _WHOLE
            return Answer("ok", _json(int(held) if whole else held), raw=_json(held))
        return Answer("error", None, f"item {sample.id}: expected text, found {_shown(held)}", _raw(held))

    def within(self, samples: Iterable[Sample], wording: Wording) -> Answers[Floats | Failure]:
        """Give the (pictures, captions) scores recorded: a list for each picture; a single one may be flat."""

        def scores(sample: Sample) -> Floats | Failure:
            held = self._held(sample)
            return held if isinstance(held, Failure) else _matrix(held, sample)

        return Answers("recorded", map(scores, samples))

    def similarity(self, samples: Iterable[Sample]) -> Similarity:
        """Raise Unsupported: a ranking of galleries is not recorded item by item."""
        raise Unsupported("recorded predictions cannot be scored for retrieval, which ranks whole galleries")

    def features(self, samples: Iterable[Sample]) -> Answers[ImageVectors | Failure]:
        """Raise Unsupported: predictions have no vectors."""
        raise Unsupported("recorded predictions hold no features")

    def tuned(self, tunings: Sequence[Tuning]) -> Iterator[Floats]:
        """Raise Unsupported: predictions learn nothing."""
        raise Unsupported("recorded predictions cannot learn a prompt")

    def prototypes(self, options: Sequence[Option]) -> Floats:
        """Raise Unsupported: predictions have no vectors."""
        raise Unsupported("recorded predictions hold no vectors of texts")

    @property
    def extra(self) -> list[str]:
        """Ids in the file that no item has."""
        return [name for name in self.predictions.by_id if name not in self.used]

    def _held(self, sample: Sample) -> Json | Failure:
        """Return the prediction of an item; that of `id#turn` may be element `turn` of a list under `id`."""
        known, name = self.predictions.by_id, sample.id
        if name not in known:
            base, _, turn = name.rpartition("#")
            listed = known.get(base)
            if turn.isdecimal() and isinstance(listed, list) and int(turn) < len(listed):
                self.used.add(base)
                element: Json = listed[int(turn)]
                return Failure(f"the prediction of item {name} is null") if element is None else element
            if turn.isdecimal() and base in known and listed is None:
                self.used.add(base)
                return Failure(f"the prediction of item {base} is null")
            self.missing.append(name)
            return Failure(f"item {name} has no prediction")
        self.used.add(name)
        if name in self.predictions.conflicting:
            return Failure(f"item {name} has two predictions that differ")
        found: Json = known[name]
        return Failure(f"the prediction of item {name} is null") if found is None else found


def _choice(held: Json, labels: Sequence[str], name: str, wording: Wording) -> Choice:
    index = _index(held, labels)
    if isinstance(index, int):
        scores = np.zeros(len(labels))
        scores[index] = 1.0
        return Choice("ok", scores, labels[index])
    if index is not None:
        return Choice("error", None, message=f"item {name}: {index}")
    if isinstance(held, str):
        return read_reply(held, labels, wording)
    given = _numbers(held)
    if given is not None and len(given) == len(labels):
        return Choice("ok", given)
    return Choice("error", None, message=f"item {name}: expected an option or a score for each, found {_shown(held)}")


def _index(held: Json, labels: Sequence[str]) -> int | str | None:
    """Return the option that a prediction is, why it cannot be told, or None where it is neither text nor index of one.

    A JSON integer is a 0-based index. A string is the text itself, else a reply as a model writes it, so that a number
    in it means what it would in a run.
    """
    if isinstance(held, bool):
        held = "yes" if held else "no"
    if isinstance(held, int | str) and sorted(labels) == ["no", "yes"] and _digits(held):
        return f"{held} may mean yes or no; write the word"  # 1 is an index to some and true to others
    if isinstance(held, int):
        if 0 <= held < len(labels):
            return held
        return f"{_shown(held)} is no index of {len(labels)} options, which are counted from 0"
    if not isinstance(held, str):
        return None
    text = held.strip()
    named = [i for i, label in enumerate(labels) if label == text]
    return named[0] if len(named) == 1 else None


def _digits(held: int | str) -> bool:
    return isinstance(held, int) or held.strip().isdigit()


def _numbers(held: Json) -> Floats | None:
    if not isinstance(held, list) or not all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in held):
        return None
    try:
        return np.array(held, dtype=np.float64)
    except OverflowError:  # an integer of more than 300 digits
        return None


def _matrix(held: Json, sample: Sample) -> Floats | Failure:
    rows = held if isinstance(held, list) and all(isinstance(row, list) for row in held) else [held]
    scores = [_numbers(row) for row in rows]
    wide = len(sample.references)
    tall = len(sample.media) or len(rows)
    made = [row for row in scores if row is not None and len(row) == wide]
    if len(made) < len(rows) or len(made) != tall or tall not in (1, 2):
        return Failure(
            f"item {sample.id}: expected a list of {wide} scores for each picture, one a caption, found {_shown(held)}"
        )
    return np.stack(made)


def _raw(held: Json) -> str:
    """Return a prediction as it stands in the file, a text without its quotes."""
    return held if isinstance(held, str) else _json(held)


def _json(held: Json) -> str:
    try:
        return json.dumps(held, ensure_ascii=False)
    except ValueError:  # an integer of thousands of digits
        return "a number of very many digits"


def _shown(held: Json) -> str:
    text = _json(held)
    return text if len(text) <= 60 else text[:57] + "..."
