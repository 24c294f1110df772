"""JSON from files of others: no NaN, no key with two values, and no nesting that ends the interpreter."""

import json
import math
from typing import Any, NoReturn

_SHOWN = 40
"""Characters of a key in a message."""


def parse_json(source: str) -> Any:
    """Return a JSON value.

    Raises ValueError, also for NaN, Infinity, numbers too large for a float, and a key that has two values: of which
    programs take the one or the other.
    """
    try:
        return _STRICT.decode(source)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        if "int_max_str_digits" in str(error):
            raise ValueError("a number has thousands of digits, which are not read") from error
        raise


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number; write null where there is none")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large a number")
    return value


def _record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = next((key for key, value in pairs if made[key] != value), None)
        if twice is not None:
            raise ValueError(f"the key {twice[:_SHOWN]!r} stands twice with different values; take one out")
    return made


_STRICT = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_record)
