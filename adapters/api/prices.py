"""Prices of served models, for a million tokens, as given or from a file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from mmbench.harness.errors import UsageError
from mmbench.harness.regular import read_regular

_MILLION = 1e6
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in whatever currency."""

    input: float | None = None
    output: float | None = None

    def of(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost; None where there are no prices.

        >>> Prices(2.5, 10.0).of(1_000_000, 500_000), Prices().of(1, 1)
        (7.5, None)
        """
        if self.input is None or self.output is None:
            return None
        return (input_tokens * self.input + output_tokens * self.output) / _MILLION


def read_prices(file: str, model: str) -> Prices:
    """Return a model's prices of a TOML or YAML file: `[MODEL]` with `input` and `output`. Raises UsageError."""
    path = Path(file).expanduser()
    try:
        text = read_regular(path, _MOST_BYTES).decode("utf-8")
        held = tomllib.loads(text) if path.suffix == ".toml" else _yaml(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"prices: {path.name} cannot be read ({' '.join(str(error).split())[:200]})") from error
    row = held.get(model) if isinstance(held, dict) else None
    if not isinstance(row, dict):
        raise UsageError(
            f"prices: {path.name} has no '{model}' with its prices, input and output, for a million tokens"
        )
    found = [row.get(name) for name in ("input", "output")]
    if any(isinstance(each, bool) or not isinstance(each, int | float) or not 0 <= each < 1e9 for each in found):
        raise UsageError(f"prices: '{model}' of {path.name} needs input and output, numbers for a million tokens")
    return Prices(float(found[0]), float(found[1]))  # type: ignore[arg-type]


def _yaml(text: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
