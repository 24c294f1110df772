"""Sources that lie in a file or a folder: opened by the path that a task names."""

from pathlib import Path
from typing import ClassVar, Self

from mmbench.harness.tasks.source import PathSpec


class Located:
    """What sources made of a path and a split share."""

    Spec: ClassVar[type[PathSpec]] = PathSpec

    def __init__(self, path: Path | str | None, split: str | None) -> None:
        """Check that the data is there. Raises DataError."""

    @classmethod
    def open(cls, spec: PathSpec, base: Path, split: str | None) -> Self:
        """Return the data that a task names. Raises DataError."""
        return cls(spec.located(base), split)
