"""Cluster of a run: the Ray that its workers run on, begun or joined when the first of them is needed."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from mmbench.harness.engine.settings import EngineSettings, check_address
from mmbench.harness.errors import MmbenchError, Unavailable
from mmbench.harness.foreign import described

_ANSWERING = 10.0
"""Seconds that the head of a cluster has to take a connection."""

_OFF = ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_UV_RUN_RUNTIME_ENV")
"""Of what Ray does unasked: statistics that it sends to its makers; and, where the driver was started by `uv run`, the
working folder that it sends to all machines, to make there an environment of its own."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several workers gets."""

    workers: int
    gpus: float
    cpus: float
    """Cores that Ray sets aside for it: one, or a part of one where workers are more than cores."""
    threads: int
    """Cores that it may keep busy."""


class Cluster:
    """A Ray of our own, one that is given by its address, or one that this process has joined already."""

    def __init__(self, settings: EngineSettings, device: str) -> None:
        self._settings = settings
        self._device = device
        self._ours = False
        """It was joined here, and is left when the run ends."""
        self._alone = False
        """It was begun here, on this machine."""
        self._joined = False

    def join(self) -> Any:
        """Return the module ray, with a cluster behind it. Raises Unavailable."""
        with _untouched():
            import ray

        if self._joined:
            return ray
        try:
            if not ray.is_initialized():
                self._begin(ray)
        except MmbenchError:
            raise
        except Exception as error:  # whatever Ray says of an address, a token or a version
            raise Unavailable(f"Ray cannot be used ({described(error)})", step=_STEP) from error
        self._joined = True
        return ray

    def _begin(self, ray: Any) -> None:
        address = self._settings.address or os.environ.get("RAY_ADDRESS") or "local"
        if address != "local" and (place := check_address(address)) is not None:
            _knock(*place)
        options: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": logging.ERROR}
        if address == "local":
            options["include_dashboard"] = False
            # Ray counts the cores of the machine, also where this process was given some of them.
            if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) < (os.cpu_count() or 1):
                options["num_cpus"] = len(os.sched_getaffinity(0))
        with _untouched():
            ray.init(**options)
        self._ours, self._alone = True, address == "local"
        _let_print(ray, allowed=False)

    def share(self) -> Share:
        """Return what each worker gets. Raises Unavailable where there are not as many GPUs as all need."""
        ray = self.join()
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) > 0]
        gpus = self._gpus(nodes)
        if gpus:
            nodes = [node for node in nodes if node.get("GPU", 0) >= gpus] or nodes
        there = sum(_fitting(node.get("GPU", 0.0), gpus) for node in nodes) if gpus else len(nodes)
        workers = self._settings.workers or max(there, 1)
        if gpus and workers > there and self._alone:
            raise Unavailable(
                f"{workers} workers with {gpus:g} GPUs each need more GPUs than Ray finds on this machine "
                f"({sum(node.get('GPU', 0.0) for node in nodes):g})",
                step="give fewer --workers, a part of a GPU as --gpus-per-worker, or --gpus-per-worker 0",
            )
        on_each = -(-workers // max(len(nodes), 1))
        cores = min((node["CPU"] for node in nodes), default=1.0) / on_each
        threads = int(os.environ.get("OMP_NUM_THREADS") or 0) if self._alone else 0
        return Share(workers, gpus, max(0.01, min(1.0, int(cores * 100) / 100)), threads or max(1, int(cores)))

    def _gpus(self, nodes: list[dict[str, float]]) -> float:
        if self._settings.gpus_per_worker is not None:
            return float(self._settings.gpus_per_worker)
        return 1.0 if self._device != "cpu" and any(node.get("GPU", 0) for node in nodes) else 0.0

    def close(self) -> None:
        """End what was begun here; what this process had joined before stays."""
        if self._ours:
            import ray

            ray.shutdown()
            _let_print(ray, allowed=True)
        self._ours = self._alone = self._joined = False


_STEP = "see `ray status`, the address and the token, and run the same command again"


def _fitting(gpus: float, each: float) -> int:
    """Return how many workers fit on the GPUs of a machine; a part of a GPU lies on one.

    >>> _fitting(2, 0.4), _fitting(8, 2), _fitting(1, 2)
    (4, 4, 0)
    """
    return int(gpus) * int(1 / each + 1e-9) if each < 1 else int(gpus / each)


def _knock(host: str, port: int) -> None:
    """Raise Unavailable where nobody answers at an address: Ray itself would try for minutes."""
    try:
        socket.create_connection((host, port), timeout=_ANSWERING).close()
    except OSError as error:
        raise Unavailable(f"no Ray cluster answers at {host}:{port} ({error.strerror or error})", step=_STEP) from error


def _let_print(ray: Any, *, allowed: bool) -> None:
    """Let Ray print what its processes tell: of each that dies some paragraphs, on standard output."""
    with suppress(AttributeError):
        ray._private.worker._worker_logs_enabled = allowed


@contextmanager
def _untouched() -> Iterator[None]:
    """Begin Ray without what nobody asked it for, and with the handling of signals left as it is.

    Ray would make of SIGTERM an exception, which code of an adapter could be held for.
    """
    ours = [name for name in _OFF if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, "0"))
    mine = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if mine and handler is not None:
            signal.signal(signal.SIGTERM, handler)
        for name in ours:
            os.environ.pop(name, None)
