"""Batch size: doubled while that makes a forward pass faster per item, halved when memory runs out."""


class BatchSize:
    """Finds a batch size: doubles while that makes a forward pass faster per item, halves when memory runs out.

    A size given by the user is kept, but for halving. `limit` is where doubling stops.
    """

    def __init__(self, fixed: int | None, start: int, limit: int) -> None:
        self.size = fixed or start
        self._limit = fixed or max(limit, start)
        self._best = 0.0

    def observe(self, items: int, seconds: float) -> None:
        """Learn from one forward pass of `items` inputs."""
        if items < self.size or self.size >= self._limit:
            return
        rate = items / max(seconds, 1e-9)
        if rate > 1.05 * self._best:
            self._best = rate
            self.size = min(2 * self.size, self._limit)
        else:
            self._limit = self.size

    def halve(self, items: int) -> None:
        """Learn that `items` at a time were too many."""
        self.size = min(self.size, max(1, items // 2))
        self._limit = self.size
