"""Weights of an open_clip model: where they are stored, and the digest that identifies them in any location."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmbench.adapters.shared import hub
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError

SEED = 0


class Weights(Protocol):
    """Source of the weights."""

    @property
    def chosen(self) -> str | None:
        """Name of the set of weights to take from a file of several."""

    @property
    def interpolate(self) -> bool:
        """True where positions of another number are interpolated."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the scores should know of them."""

    def file(self, offline: bool) -> Path | None:
        """Return the checkpoint, fetched if need be, or None for a random start. Raises WeightsUnavailable."""

    def identity(self, offline: bool) -> Json:
        """Return what tells these numbers from others, wherever they lie. Raises WeightsUnavailable."""

    def missing_bytes(self, offline: bool) -> int | None:
        """Return the bytes still to be fetched, None when unknown."""


@dataclass(frozen=True, slots=True)
class LocalWeights:
    """A checkpoint on this machine."""

    path: Path
    """A state dict, or a training checkpoint that holds one."""
    chosen: str | None = None
    """Name of the set of weights to take."""
    interpolate: bool = False
    """Whether positions of another number are interpolated."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Say that positions are interpolated."""
        return ("positions are interpolated where the checkpoint has another number of them",) * self.interpolate

    def file(self, offline: bool) -> Path:
        """Return the path."""
        return self.path

    def identity(self, offline: bool) -> Json:
        """Return the digest of the content, with what is asked of it."""
        try:
            content = hub.content_digest(self.path)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be read ({error.strerror or error})") from error
        asked: dict[str, Json] = {"weights": self.chosen, "interpolate": self.interpolate or None}
        asked = {name: value for name, value in asked.items() if value is not None}
        return {"file": content, **asked} if asked else content

    def missing_bytes(self, offline: bool) -> int:
        """Return 0."""
        return 0


@dataclass(frozen=True, slots=True)
class HubWeights:
    """A checkpoint of the hub, used from its cache."""

    repo: str
    """`owner/name`."""
    filenames: tuple[str, ...]
    """In order of preference."""
    what: str
    """Name in messages."""
    chosen: str | None = None
    interpolate: bool = True
    """As their publishers load them."""
    notes: tuple[str, ...] = ()

    def file(self, offline: bool) -> Path:
        """Return the cached file, fetched if need be. Raises WeightsUnavailable."""
        return hub.fetch(self.repo, self.filenames, offline=offline, what=self.what)

    def identity(self, offline: bool) -> Json:
        """Return the digest of the content. Raises WeightsUnavailable."""
        return hub.content_digest(self.file(offline))

    def missing_bytes(self, offline: bool) -> int | None:
        """Return what the hub says of the size, 0 when cached."""
        return hub.missing_bytes(self.repo, self.filenames, offline=offline)


@dataclass(frozen=True, slots=True)
class RandomWeights:
    """A labelled random start: the same numbers on every machine with the same torch."""

    seed: int = SEED
    """Random seed of torch's generator on the CPU."""
    chosen: str | None = None
    interpolate: bool = False
    notes: tuple[str, ...] = ()

    def file(self, offline: bool) -> None:
        """Return None."""

    def identity(self, offline: bool) -> Json:
        """Return the seed and torch's version, which together fix the numbers."""
        return {"seed": self.seed, "torch": importlib.metadata.version("torch")}

    def missing_bytes(self, offline: bool) -> int:
        """Return 0."""
        return 0
