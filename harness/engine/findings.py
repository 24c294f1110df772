"""Findings about an adapter from its answers: which kinds it masters, how long its vectors are, and when to give up."""

from collections import Counter
from collections.abc import Sequence

from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.packing import Value
from mmbench.harness.errors import AdapterError, DoesNotFit
from mmbench.harness.types import Failure, Overlong

_GIVE_UP_AFTER = 16
"""Inputs of a kind that fail, with no success before, until the adapter itself is taken to be broken."""


class NoAnswer(Failure):
    """An input that the adapter says it has no answer to, which tells nothing of the others."""

    __slots__ = ()


class Findings:
    """What the answers so far tell of the adapter."""

    def __init__(self) -> None:
        self.succeeded: set[Kind] = set()
        """Kinds of which one input at least was answered."""
        self._failed: Counter[Kind] = Counter()
        self._shapes: dict[Kind, tuple[int, ...]] = {}

    def alike(self, kind: Kind, values: list[Value | Failure]) -> list[Value | Failure]:
        """Return `values` if they are as long as those of earlier batches. Raises AdapterError."""
        for value in values:
            shape = None if isinstance(value, Failure) else kind.lengths(value)
            if shape is not None and shape != (first := self._shapes.setdefault(kind, shape)):
                raise AdapterError(f"embed_{kind.name}s returned vectors of {shape} numbers after vectors of {first}")
        return values

    def note(self, kind: Kind, values: Sequence[Value | Failure]) -> None:
        """Learn what came of inputs. Raises AdapterError when the adapter itself is taken to be broken."""
        failures = [value for value in values if isinstance(value, Failure) and not isinstance(value, NoAnswer)]
        if any(not isinstance(value, Failure) for value in values):
            self.succeeded.add(kind)
        self._failed[kind] += len(failures)
        if failures and kind not in self.succeeded and self._failed[kind] >= _GIVE_UP_AFTER:
            if isinstance(failures[-1], Overlong):
                self._failed[kind] = 0  # the questions of the next task may be shorter
                raise DoesNotFit(failures[-1].message)
            raise AdapterError(
                f"the model failed for each of the first {self._failed[kind]} inputs ({failures[-1].message}); "
                "what was remembered before is kept"
            )
