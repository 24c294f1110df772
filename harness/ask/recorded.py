"""Recorded predictions of another system, as an examinee in place of a model."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mmbench.harness.ask.examinee import Answer, Answers, Choice, Examinee, Located, Scale, Similarity
from mmbench.harness.ask.predictions import Predictions
from mmbench.harness.ask.routes.generate import read_answer, read_reply
from mmbench.harness.ask.wording import DEFAULT, Wording
from mmbench.harness.digest import Json
from mmbench.harness.engine.question import Tuning
from mmbench.harness.errors import Unsupported
from mmbench.harness.media.crop import Region
from mmbench.harness.models.abilities import ImageVectors
from mmbench.harness.models.places import Places
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.types import Failure, Option, RouteTaken, Sample

_WHOLE = 1e15
"""Below this a float tells a whole number from its neighbours."""


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
    asked_for: str | None = None
    places: Places = Places()
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

    def locate(
        self,
        samples: Iterable[Sample],
        regions: Callable[[Sample], Sequence[Region]],
        wording: Wording,
        *,
        readable: bool = True,
    ) -> Answers[Located]:
        """Give each prediction without its thoughts; a list of numbers, or of lists of them, as JSON writes it."""

        def located(sample: Sample) -> Located:
            held = self._held(sample)
            if not isinstance(held, list) or not _all_numbers(held):
                return Located(self._answer(sample))
            return Located(Answer("ok", _json(held), raw=_json(held)))

        return Answers("recorded", map(located, samples))

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


def _all_numbers(held: Sequence[Json]) -> bool:
    """Tell whether a list holds nothing but numbers and lists of numbers."""
    return all(
        _all_numbers(each) if isinstance(each, list) else isinstance(each, int | float) and not isinstance(each, bool)
        for each in held
    )


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
