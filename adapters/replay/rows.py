"""Rows of a recording: one question with its answer, as JSON lines and Parquet hold them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmbench.adapters.replay.pictures import Pictures
from mmbench.adapters.replay.recording import Recording, Shown
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.models.abilities import Generation

ANSWERS = ("reply", "scores", "vector")
"""Keys of answers; a row without one is a question that nobody answered."""
_KEYS = (*ANSWERS, "ask", "images", "text", "texts", "prompt", "generation", "items")
_WRITTEN = ("response", "prediction", "answer", "output", "text_output", "completion", "resps", "filtered_resps")
"""What other tools call a reply."""
_NUMBERS = (int, float, np.floating)
_SETTINGS = ("max_tokens", "temperature", "stop")


def add_row(recording: Recording, row: Mapping[str, Any], pictures: Pictures, where: str) -> None:
    """Hold the answer of a row, if it has one. Raises DataError."""
    given = [key for key in ANSWERS if row.get(key) is not None]
    if not given:
        return
    if len(given) > 1:
        raise DataError(f"{where}: it has '{given[0]}' and '{given[1]}'; a row answers one question in one way")
    asked = row.get("ask")
    if asked is not None and asked != given[0]:
        raise DataError(f"{where}: it asks for '{asked}' and has '{given[0]}'")
    _ADD[given[0]](recording, row, pictures, where)


def misspelt(columns: Sequence[str]) -> str:
    """Return the end of a sentence about a recording without answers: what its keys may have meant."""
    unknown = next((column for column in columns if column not in _KEYS), None)
    near = nearest(unknown, ANSWERS) if unknown is not None else ""
    if written := next((column for column in columns if column in _WRITTEN), None):
        near = f"; is '{written}' the 'reply'?"
    return f"{near} (keys: {', '.join(map(str, columns))})"


def _add_vector(recording: Recording, row: Mapping[str, Any], pictures: Pictures, where: str) -> None:
    text = row.get("text")
    shown = _shown(row, pictures, where)
    if (text is None) == (not shown) or len(shown) > 1:
        raise DataError(f"{where}: a vector is that of one picture (images) or of one text (text)")
    numbers = _numbers(row["vector"], "vector", where)
    of_text = text is not None
    recording.add_vector(_text(text, "text", where) if of_text else shown[0], numbers, where, of_text=of_text)


def _add_scores(recording: Recording, row: Mapping[str, Any], pictures: Pictures, where: str) -> None:
    texts = row.get("texts")
    if not isinstance(texts, list) or not texts:
        raise DataError(f"{where}: scores need the list of their texts (texts)")
    scores = tuple(_numbers(row["scores"], "scores", where))
    if len(scores) != len(texts):
        raise DataError(f"{where}: {len(scores)} scores for {len(texts)} texts")
    if any(math.isnan(score) or score > 1e-6 for score in scores):
        raise DataError(f"{where}: a score is the natural logarithm of a probability, which is at most 0")
    shown = _shown(row, pictures, where)
    recording.text_alone |= not shown
    recording.scores.add((shown, _prompt(row, where), tuple(_text(each, "texts", where) for each in texts)), scores)


def _add_reply(recording: Recording, row: Mapping[str, Any], pictures: Pictures, where: str) -> None:
    shown = _shown(row, pictures, where)
    recording.text_alone |= not shown
    key = (shown, _prompt(row, where), _generation(row.get("generation"), where))
    recording.replies.add(key, _text(row["reply"], "reply", where))


_ADD = {"vector": _add_vector, "scores": _add_scores, "reply": _add_reply}


def _shown(row: Mapping[str, Any], pictures: Pictures, where: str) -> Shown:
    names = row.get("images")
    listed = [] if names is None else [names] if isinstance(names, str) else names
    if not isinstance(listed, list):
        raise DataError(f"{where}: images is a list of names, not {_of(names)}")
    return tuple(pictures.digest(_text(name, "images", where), where) for name in listed)


def _prompt(row: Mapping[str, Any], where: str) -> str:
    if row.get("prompt") is None:
        raise DataError(f"{where}: it has no 'prompt', which may be empty; an answer is found by its prompt")
    return _text(row["prompt"], "prompt", where)


def _generation(given: object, where: str) -> Generation | None:
    if given is None:
        return None
    if not isinstance(given, dict) or set(given) != set(_SETTINGS):
        raise DataError(f"{where}: generation is an object with {', '.join(_SETTINGS)}, or left out")
    stop = given["stop"] or []
    if not isinstance(stop, list):
        raise DataError(f"{where}: stop is a list of texts, not {_of(stop)}")
    tokens = _numbers([given["max_tokens"]], "max_tokens", where)[0]
    temperature = _numbers([given["temperature"]], "temperature", where)[0]
    if not tokens.is_integer():
        raise DataError(f"{where}: max_tokens is a whole number, not {tokens:g}")
    return Generation(int(tokens), temperature, tuple(_text(each, "stop", where) for each in stop))


def _numbers(given: object, key: str, where: str) -> list[float]:
    if not isinstance(given, list) or any(isinstance(x, bool) or not isinstance(x, _NUMBERS) for x in given):
        raise DataError(f"{where}: {key} is a list of numbers, not {_of(given)}")
    try:
        return [float(number) for number in given]
    except OverflowError as error:  # an integer of more than 300 digits
        raise DataError(f"{where}: {key} has a number that is too large") from error


def _text(given: object, key: str, where: str) -> str:
    if not isinstance(given, str):
        raise DataError(f"{where}: {key} is text, not {_of(given)}")
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{where}: {key} has half a character") from error
    return given


def _of(given: object) -> str:
    return "a list of other things" if isinstance(given, list) else f"a {type(given).__name__}"
