"""Engine: streams questions through one adapter and gives answered batches in order, wherever the adapter runs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from mmbench.harness.digest import Json
from mmbench.harness.engine.question import Answered, Question


class Engine(Protocol):
    """What the store needs of an engine."""

    loading: float
    """Seconds that loading the model took so far, which is no part of how fast it answers."""

    @property
    def hardware(self) -> Mapping[str, Json]:
        """What answers: `machine`, `cpus` and, where the adapter tells it, `device`; `workers`, where there are any."""

    def told(self, name: str) -> Any:
        """Return what the model tells of itself where it runs: its `parameters`, `notes`; None where it does not."""

    def read(self, readers: Sequence[Callable[[], Any]], *, apart: bool) -> list[Any]:
        """Run `readers`, in threads of their own where they read files, and return their results in order."""

    def map(self, questions: Iterable[Question | Literal["flush"] | None]) -> Iterator[list[Answered]]:
        """Yield answered batches of `questions`, which were read and are all of one kind.

        Each is answered once, in any order.
        A `None` among them hands control back with an empty batch, so that a caller who finds most inputs remembered
        can pass them on in time; `FLUSH` hands it back with a batch that need not be full. Raises AdapterError when
        the adapter breaks its contract or fails for every input.
        """

    def tracebacks(self) -> list[str]:
        """Return where the adapter's own code raised, the first of each kind."""

    def close(self) -> None:
        """Stop; what is still held is dropped."""


@runtime_checkable
class Rests(Protocol):
    """Batches of which some may be under way, and paid for, when their reader stops."""

    def rest(self) -> Iterator[list[Answered]]:
        """Ask nothing more, and yield what still comes within seconds."""
