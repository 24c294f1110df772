"""Order of answers: each value is given in the order of the questions, and kept for as long as one waits for it."""

from collections import deque
from collections.abc import Iterator, Mapping

from mmbench.harness.engine.packing import Value
from mmbench.harness.types import Failure


class Order:
    """Questions by their keys, in order, and the values that are known of them."""

    def __init__(self) -> None:
        self._keys: deque[bytes] = deque()
        self._waiting: dict[bytes, int] = {}
        """How often each key stands in the order."""
        self._values: dict[bytes, Value | Failure] = {}

    def __len__(self) -> int:
        """Return how many questions wait, answered or not."""
        return len(self._keys)

    def __contains__(self, key: bytes) -> bool:
        """Return whether the value of a question is known."""
        return key in self._values

    def put(self, key: bytes) -> None:
        """Add a question at the end; equal ones may wait already."""
        self._keys.append(key)
        self._waiting[key] = self._waiting.get(key, 0) + 1

    def resolve(self, values: Mapping[bytes, Value | Failure]) -> None:
        """Learn values."""
        self._values.update(values)

    def ready(self) -> Iterator[Value | Failure]:
        """Yield what is known at the head of the order, and forget it once nobody waits for it."""
        while self._keys and self._keys[0] in self._values:
            key = self._keys.popleft()
            waiting = self._waiting.pop(key) - 1
            if waiting:
                self._waiting[key] = waiting
                yield self._values[key]
            else:
                yield self._values.pop(key)

    def clear(self) -> None:
        """Forget all."""
        for held in (self._keys, self._waiting, self._values):
            held.clear()
