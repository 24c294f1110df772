"""Engines of a run: one for each model, on this machine or on workers that the models of a run use in turn."""

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

from mmbench.harness.engine.engine import Engine
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.settings import EngineSettings
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import AnswersApart
from mmbench.harness.models.models import Loading, Model

if TYPE_CHECKING:
    from mmbench.harness.engine.ray.cluster import Cluster


class Engines:
    """Makes engines. Raises UsageError where what they need is not installed."""

    def __init__(self, settings: EngineSettings, loading: Loading) -> None:
        self._loading = loading
        self._cluster = _cluster_of(settings, loading) if settings.name == "ray" else None

    def of(
        self, model: Model, batch_size: int | None = None, tell: Callable[[str], None] = lambda message: None
    ) -> Engine:
        """Return the engine that asks a model. Raises UsageError where that cannot be asked there."""

        def loading() -> None:
            tell(f"loading {model.label}")

        if self._cluster is None:
            return LocalEngine(model.adapter, batch_size, loading=loading)
        if isinstance(model.adapter, AnswersApart) and model.adapter.concurrency is not None:
            raise UsageError(
                f"{model.label} waits for others to answer, which one process can do {model.adapter.concurrency} times "
                "at once; ask it without --engine ray, and with another concurrency if need be"
            )
        from mmbench.harness.engine.ray.engine import RayEngine

        return RayEngine(model, self._loading, self._cluster, batch_size, tell)

    def close(self) -> None:
        """Leave the workers' cluster, and end it where this run began it."""
        if self._cluster is not None:
            self._cluster.close()


def _cluster_of(settings: EngineSettings, loading: Loading) -> "Cluster":
    if importlib.util.find_spec("ray") is None:
        raise UsageError("the engine ray needs Ray; pip install 'mmbench[ray]'")
    if loading.device.startswith("cuda:"):
        raise UsageError(f"device '{loading.device}': Ray gives each worker a GPU of its own; say cuda or auto")
    from mmbench.harness.engine.ray.cluster import Cluster  # here: most runs need nothing of it

    return Cluster(settings, loading.device)
