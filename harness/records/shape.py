"""Shape of a record as it stands on disk: the type of every part that boards, comparisons and gates calculate with."""

from collections.abc import Callable, Mapping
from typing import Any

_MOST = 1e15
"""Past this a number is damage: no count, score or duration is as large, and sums of it would overflow."""

_NUMBERS = (int, float)
"""Types of JSON's numbers; a flag is no number, although Python counts with it."""


def _text(value: object) -> bool:
    return isinstance(value, str)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _number(value: object) -> bool:
    return type(value) in _NUMBERS and -_MOST <= value <= _MOST  # type: ignore[operator]


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST


def _share(value: object) -> bool:
    return type(value) in _NUMBERS and 0 <= value <= 1  # type: ignore[operator]


def _mapping(value: object) -> bool:
    return isinstance(value, dict)


def _pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_number, value))


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _or_none(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or check(value)


_Shape = Mapping[str, Callable[[object], bool]]

_RECORD: _Shape = {
    **dict.fromkeys(("model", "fingerprint", "task", "family", "protocol", "route", "created"), _text),
    **dict.fromkeys(("version", "errors", "asked", "remembered", "truncated_texts"), _count),
    **dict.fromkeys(("dataset", "details", "versions", "hardware", "card"), _mapping),
    **dict.fromkeys(("seed", "seconds", "items_per_second"), _number),
    **dict.fromkeys(("control", "first_error", "outcomes_digest", "snapshot"), _or_none(_text)),
    "parameters": _or_none(_count),
    **dict.fromkeys(("scorer", "tokens", "spent"), _or_none(_mapping)),
    "cost": _or_none(_number),
    "notes": _texts,
}
_DATASET: _Shape = {"digest": _text, "n": _count, "partial": _flag}
_SCORER: _Shape = {"model": _text, "fingerprint": _text}
_SCORE: _Shape = {
    "metric": _text,
    **dict.fromkeys(("value", "low", "high", "chance"), _or_none(_number)),
    "n": _count,
    "coverage": _share,
    "bounds": _or_none(_pair),
    "primary": _flag,
}
UNSCORED: _Shape = {
    **dict.fromkeys(("model", "task", "family", "dimension", "message", "created"), _text),
    **dict.fromkeys(("fingerprint", "route", "control"), _or_none(_text)),
    "version": _count,
    "partial": _flag,
    "status": lambda value: value in ("unfinished", "failed", "unsupported"),
}
_LEVEL: _Shape = {
    **_SCORE,
    "fact": _text,
    "level": lambda value: value is None or isinstance(value, str | bool) or _number(value),
}
_ESTIMATE: _Shape = {"value": _number, **dict.fromkeys(("low", "high"), _or_none(_number))}


def check_shape(held: Mapping[str, Any]) -> None:
    """Raise ValueError that names the first part of another type than a record's, LookupError for one that lacks."""
    check_parts(held, _RECORD)
    check_parts(held["dataset"], _DATASET, "dataset.")
    if held["scorer"] is not None:
        check_parts(held["scorer"], _SCORER, "scorer.")
    for part, shape in (("scores", _SCORE), ("breakdown", _LEVEL)):
        for i, score in enumerate(_listed(held, part)):
            check_parts(score, shape, f"{part}[{i}].")
            if not _or_none(_count)(score.get("clusters")):
                raise ValueError(f"{part}[{i}].clusters is {_shown(score['clusters'])}")
            for end in ("low_adjusted", "high_adjusted"):
                if not _or_none(_number)(score.get(end)):
                    raise ValueError(f"{part}[{i}].{end} is {_shown(score[end])}")
    _check_extremes(held)
    if sum(score["primary"] for score in held["scores"]) != 1:
        raise ValueError("one of its scores, and no more, is the primary one")


def _check_extremes(held: Mapping[str, Any]) -> None:
    for i, made in enumerate(_listed(held, "extremes") if held.get("extremes") is not None else ()):
        where = f"extremes[{i}]."
        check_parts(made, {"fact": _text, "metric": _text, "worst": _mapping, "gap": _mapping}, where)
        check_parts(made["worst"], {**_ESTIMATE, "level": _LEVEL["level"]}, f"{where}worst.")
        check_parts(made["gap"], _ESTIMATE, f"{where}gap.")
        if made.get("ratio") is not None:
            check_parts(made, {"ratio": _mapping}, where)
            check_parts(made["ratio"], _ESTIMATE, f"{where}ratio.")


def _listed(held: Mapping[str, Any], part: str) -> list[dict[str, Any]]:
    found = held[part]
    if not isinstance(found, list) or not all(map(_mapping, found)):
        raise ValueError(f"{part} is {_shown(found)}")
    return found


def check_parts(held: Mapping[str, Any], shape: _Shape, where: str = "") -> None:
    """Raise ValueError that names the first part of another type, LookupError for one that is missing."""
    try:
        for name, fits in shape.items():
            if not fits(held[name]):
                raise ValueError(f"{where}{name} is {_shown(held[name])}")
    except KeyError as error:
        raise LookupError(f"{where}{name} is missing") from error


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MOST:
        return "a number of very many digits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
