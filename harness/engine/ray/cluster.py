"""Cluster of a run: the Ray that its workers run on, begun or joined when the first of them is needed."""

import json
import logging
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from mmbench.harness.engine.hardware import usable_cores
from mmbench.harness.engine.settings import EngineSettings, check_address
from mmbench.harness.errors import MmbenchError, Unavailable
from mmbench.harness.foreign import described
from mmbench.harness.render.figures import count

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
        self._lost: MmbenchError | None = None
        """Why it could not be joined; the next model need not wait for that again."""

    def join(self) -> Any:
        """Return the module ray, with a cluster behind it. Raises Unavailable, or UsageError for $RAY_ADDRESS."""
        with _untouched():
            import ray

        if self._lost is not None:
            raise self._lost
        if not self._joined and not ray.is_initialized():
            try:
                self._begin(ray)
            except MmbenchError as error:
                self._lost = error
                raise
            except Exception as error:  # whatever Ray says of an address, a token or a version
                self._lost = Unavailable(f"Ray cannot be used ({described(error)})", step=_STEP)
                raise self._lost from error
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
            if usable_cores() < (os.cpu_count() or 1):
                options["num_cpus"] = usable_cores()
        with _untouched():
            if address == "local":
                ray.init(**options)
            else:
                _joined(ray, options)
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
                f"{count(workers, 'worker')} with {gpus:g} GPUs each need more GPUs than Ray finds on this machine "
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

    def has_place(self, share: Share) -> bool:
        """Tell whether a worker would fit on a machine that is there or that Ray may add, were nothing else on it."""
        ray = self.join()
        nodes = [node for node in ray.nodes() if node["Alive"]]
        fits = any(
            node["Resources"].get("CPU", 0) >= share.cpus and node["Resources"].get("GPU", 0) >= share.gpus
            for node in nodes
        )
        return fits or _grows({str(node["NodeID"]) for node in nodes})


_STEP = "see `ray status`, the address and the token, and run the same command again"
_NO_TOKEN = "InvalidAuthToken"  # noqa: S105 - what Ray prints
_TOKEN = (
    "set RAY_AUTH_MODE=token here, with the token that the cluster was started with in ~/.ray/auth_token or "  # noqa: S105
    "RAY_AUTH_TOKEN, and run the same command again"
)


def _joined(ray: Any, options: dict[str, Any]) -> None:
    """Join a cluster, without what Ray's own code prints meanwhile: a line for each of many tries."""
    with _unprinted() as printed:
        try:
            ray.init(**options)
        except Exception as error:
            if _NO_TOKEN in printed():
                raise Unavailable("the Ray cluster wants a token, and none or another was sent", step=_TOKEN) from error
            raise


def _grows(nodes: set[str]) -> bool:
    """Tell whether Ray may add machines to a cluster: only where it knows kinds of them besides those that are there.

    Of a cluster without an autoscaler its monitor reports each machine as a kind of its own, by its id.
    """
    try:
        from ray.experimental.internal_kv import _internal_kv_get

        report = json.loads(_internal_kv_get("__autoscaling_status") or "{}").get("autoscaler_report") or {}
        kinds = {str(kind).removeprefix("node_") for kind in report.get("active_nodes") or ()}
    except Exception:  # no interface that Ray promises to keep: then it is waited for
        return True
    return not kinds <= nodes


@contextmanager
def _unprinted() -> Iterator[Callable[[], str]]:
    """Keep off the terminal whatever is printed as an error, below Python too; give what that was."""
    try:
        saved = os.dup(2)
    except OSError:
        yield str
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)

        def printed() -> str:
            kept.seek(0)
            return kept.read().decode(errors="replace")

        try:
            yield printed
        finally:
            os.dup2(saved, 2)
            os.close(saved)


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
