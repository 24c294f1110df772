"""JSON as the standard has it, from files of others: no NaN, no infinity, and no nesting that ends the interpreter."""

import json
import math
from typing import Any, NoReturn


def parse_json(source: str) -> Any:
    """Return a JSON value. Raises ValueError, also for NaN, Infinity and numbers too large for a float."""
    try:
        return _STRICT.decode(source)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large a number")
    return value


_STRICT = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
