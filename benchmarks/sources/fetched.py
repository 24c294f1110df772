"""Files that lie elsewhere, each fetched when it is first asked for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Fetched(Sequence[Path], Generic[T]):
    """Files by their names elsewhere; `fetch` brings one here."""

    def __init__(self, names: Sequence[T], fetch: Callable[[T], Path]) -> None:
        self._names = names
        self._fetch = fetch
        self._files: dict[int, Path] = {}

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, at: int) -> Path: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Path]: ...
    def __getitem__(self, at: int | slice) -> Path | Sequence[Path]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        name = self._names[at]
        if at not in self._files:
            self._files[at] = self._fetch(name)
        return self._files[at]
