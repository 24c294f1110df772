"""Reply: a written answer with what the service that wrote it tells beside the text."""

from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from mmbench.harness.digest import Json


class Usage(NamedTuple):
    """Tokens that an answer took, as the service counts them."""

    input: int
    output: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a service tells of one reply."""

    refused: bool = False
    """True where the model, or a filter before or behind it, declined to answer."""
    cut: bool = False
    """True where the reply ended because it was as long as it may be."""
    usage: Usage | None = None
    """None where the service does not tell."""
    snapshot: str = ""
    """The version of the model that answered, as the service names it; empty where it does not."""
    system: str = ""
    """The configuration of the service; it changes more often than the model."""


class Reply(str):
    """A text that `generate` may return in place of a plain one."""

    told: Told

    def __new__(cls, text: str, told: Told = Told()) -> "Reply":
        """Make one of a text."""
        made = super().__new__(cls, text)
        made.told = told
        return made

    def told_as_json(self) -> dict[str, Json]:
        """Return what was told besides defaults, as it is stored.

        >>> Reply("no", Told(refused=True, usage=Usage(3, 1))).told_as_json()
        {'refused': True, 'usage': [3, 1]}
        """
        held = asdict(self.told)
        default = asdict(Told())
        return {
            name: list(part) if isinstance(part, tuple) else part
            for name, part in held.items()
            if part != default[name]
        }


def from_json(text: str, held: object) -> Reply:
    """Return the reply that `told_as_json` was made of. Raises TypeError, ValueError or LookupError for other values.

    >>> from_json("no", {"refused": True, "usage": [3, 1]}).told.usage
    Usage(input=3, output=1)
    """
    if not isinstance(held, dict):
        raise TypeError("what is told of a reply is no mapping")
    told = Told(**held)
    if told.usage is not None:
        given, made = told.usage
        told = replace(told, usage=Usage(int(given), int(made)))
    return Reply(text, told)
