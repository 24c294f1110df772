"""Crew: the workers of one model, placed and loaded side by side; one that is lost is replaced."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mmbench.harness.digest import Json
from mmbench.harness.engine.ray.cluster import Cluster
from mmbench.harness.engine.ray.recipe import Recipe
from mmbench.harness.engine.ray.worker import Ready, Worker
from mmbench.harness.errors import InternalError, MmbenchError, Unavailable
from mmbench.harness.foreign import described
from mmbench.harness.render.figures import count

CALLS = 3
"""Batches of a worker that are under way: one is answered, one prepared, one on its way."""

_MOST_LOST = 3
"""Workers in a row that may die while they load until no more are begun."""

_PATIENCE = 10.0
"""Seconds without a place for any worker after which that is told."""

_PLACING = 600.0
"""Seconds without a place for any worker after which the model is given up: a cluster that grows takes minutes."""

_NOWHERE = 30.0
"""The same where no machine is large enough for a worker and Ray adds none: the machines may still join."""


_FEWER = "see `ray status`, give fewer --workers or another --gpus-per-worker, and run again"


class Lost(Exception):
    """A worker died, and why."""


_LEAVING = 1.0
"""Seconds that workers have to clear up."""


@dataclass(slots=True, eq=False)
class Hand:
    """One worker as its driver knows it."""

    actor: Any
    placed: bool = False
    ready: Ready | None = None
    under_way: list[Any] = field(default_factory=list)
    """References of the answers that it owes."""
    alone: bool = False
    """It has a batch that another worker was lost with, and gets no other beside it."""

    @property
    def node(self) -> str:
        """The machine, where it is known."""
        return self.ready.node if self.ready else ""


class Crew:
    """Workers that are ready, and those that are on their way."""

    def __init__(self, cluster: Cluster, recipe: Recipe, batch_size: int | None, tell: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._ray = cluster.join()
        self._share = cluster.share()
        self._batch_size = batch_size
        self._tell = tell
        self._label = recipe.label
        self._recipe = self._ray.put(recipe)
        self._since = time.monotonic()
        """When the first worker was begun, or the last one in place of another."""
        self._heard = False
        self._lost = 0
        self._waiting = 0
        """Workers that Ray finds no place for."""
        self.ready: list[Hand] = []
        self._coming: dict[Any, Hand] = {}
        for _ in range(self._share.workers):
            self._begin()

    @property
    def size(self) -> int:
        """Workers, those on their way too."""
        return len(self.ready) + len(self._coming)

    @property
    def coming(self) -> list[Any]:
        """References that are ready when a worker is a step further."""
        return list(self._coming)

    def _begin(self) -> None:
        share = self._share
        actor = (
            self._ray.remote(Worker)
            .options(
                num_cpus=share.cpus,
                num_gpus=share.gpus,
                max_restarts=0,  # a new one is loaded and checked as the first was
                max_concurrency=CALLS + 1,
                scheduling_strategy="SPREAD",
            )
            .remote(share.threads)
        )
        self._coming[actor.place.remote()] = Hand(actor)

    def wait(self) -> None:
        """Wait until one worker is ready. Raises Unavailable where none comes, or the model cannot be loaded."""
        while not self.ready:
            reference = self.first(self.coming, 1.0)
            if reference is not None:
                self.arrive(reference)
            self.check_place()

    def first(self, references: list[Any], seconds: float | None) -> Any | None:
        """Return a reference whose call is done, waited for so long; None where there is none."""
        arrived, _ = self._ray.wait(references, num_returns=1, timeout=seconds)
        return arrived[0] if arrived else None

    def got(self, reference: Any) -> Any:
        """Return what a call returned, or that its worker was Lost. Raises InternalError for what it raised."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise InternalError(f"internal error of a worker ({described(error.cause or error)})") from error
        except self._ray.exceptions.RayError as error:
            return Lost(_reason(error))

    def arrive(self, reference: Any) -> None:
        """Learn that a worker has a place, or is ready. Raises Unavailable, or the worker's own error."""
        hand = self._coming.pop(reference)
        made = self.got(reference)
        if isinstance(made, Lost):
            self._lose_coming(hand, made)
            return
        if isinstance(made, MmbenchError):
            raise made if isinstance(made, Unavailable) else Unavailable(str(made), step=made.step) from made
        if isinstance(made, Ready):
            hand.ready, self._lost = made, 0
            self.ready.append(hand)
            return
        hand.placed = True
        self._coming[hand.actor.load.remote(self._recipe, self._batch_size, made)] = hand

    def _lose_coming(self, hand: Hand, lost: Lost) -> None:
        self._dismiss(hand)
        self._lost += 1
        if self._lost < _MOST_LOST:
            self._begin()
        elif not self.size:
            raise Unavailable(
                f"{self._lost} workers in a row died while they loaded {self._label} ({lost})",
                step="see whether the model fits the memory of a worker, and run the same command again",
            )

    def check_place(self) -> None:
        """Tell where workers have no place yet. Raises Unavailable where that lasts for all of them."""
        waited = time.monotonic() - self._since
        placed = len(self.ready) + sum(hand.placed for hand in self._coming.values())
        if waited < _PATIENCE:
            return
        self._waiting = self.size - placed
        if not self._waiting:
            return
        share = self._share
        size = f"{share.cpus:g} CPUs and {share.gpus:g} GPUs"
        wanted = f"{count(self._waiting, 'worker')} of {size} each"
        if not self._heard:
            self._heard = True
            self._tell(f"waiting for Ray to find a place for {wanted}; it has {self._there()}")
        if not placed and waited > _NOWHERE and not self._cluster.has_place(share):
            raise Unavailable(f"no machine of the Ray cluster has {size}, which a worker needs", step=_FEWER)
        if not placed and waited > _PLACING:
            raise Unavailable(
                f"Ray found no place for {wanted} within {_PLACING / 60:.0f} minutes; it has {self._there()}",
                step=_FEWER,
            )

    def _there(self) -> str:
        free = self._ray.available_resources()
        return f"{free.get('CPU', 0):g} CPUs and {free.get('GPU', 0):g} GPUs free"

    def lose(self, hand: Hand) -> None:
        """Put another worker in the place of one that died."""
        if hand in self.ready:
            self.ready.remove(hand)
            self._dismiss(hand)
            self._since, self._heard = time.monotonic(), False
            self._begin()

    def _dismiss(self, hand: Hand) -> None:
        self._ray.kill(hand.actor, no_restart=True)

    @property
    def hardware(self) -> dict[str, Json]:
        """What a worker runs on, and how many workers have a place."""
        first = self.ready[0].ready if self.ready else None
        return {**(first.hardware if first else {}), "engine": "ray", "workers": self._share.workers - self._waiting}

    def told(self, name: str) -> Any:
        """Return what the model tells of itself where a worker loaded it."""
        first = self.ready[0].ready if self.ready else None
        return first.told.get(name) if first else None

    def close(self) -> None:
        """Dismiss all."""
        leaving = [hand.actor.leave.remote() for hand in self.ready]
        if leaving:
            self._ray.wait(leaving, num_returns=len(leaving), timeout=_LEAVING)
        for hand in (*self.ready, *self._coming.values()):
            self._dismiss(hand)
        self.ready, self._coming = [], {}


def _reason(error: Exception) -> str:
    """Return why a worker was lost, in the first sentence that Ray has for it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in lines if "cause" in line.lower() or "killed" in line.lower()), "")
    return (told or (lines[0] if lines else type(error).__name__))[:200].rstrip(". ")
