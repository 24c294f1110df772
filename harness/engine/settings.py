"""Settings of an engine: where models run, and on how many workers."""

from dataclasses import dataclass
from typing import Literal, get_args

from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.render.plain import plain

EngineName = Literal["local", "ray"]

_CLIENT = "ray://"
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Which engine asks models. Raises UsageError for a value that it cannot have."""

    name: EngineName = "local"
    """`local`: this process. `ray`: workers, which are processes of Ray."""
    workers: int | None = None
    """Processes that each load the model; None: as many as there is room for."""
    address: str | None = None
    """A running Ray cluster, `auto` or `HOST:PORT`; None: one that is started for the run."""
    gpus_per_worker: float | None = None
    """GPUs of each worker, a part of one too; None: one, where there are any."""

    def __post_init__(self) -> None:
        if self.name not in (known := get_args(EngineName)):
            raise UsageError(f"there is no engine '{plain(str(self.name), 60)}'{nearest(str(self.name), known)}")
        if self.name == "local":
            given = {"workers": self.workers, "address": self.address, "gpus_per_worker": self.gpus_per_worker}
            for name, value in given.items():
                if value is not None:
                    said = f"{name} {plain(repr(value), 60)}"
                    raise UsageError(f"{said}: workers are of the engine ray; add --engine ray")
        _check_workers(self.workers)
        _check_gpus(self.gpus_per_worker)
        if self.address is not None:
            check_address(self.address)


def _check_workers(workers: object) -> None:
    if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 1):
        raise UsageError(f"the number of workers is a whole number from 1, not {plain(repr(workers), 60)}")


def _check_gpus(gpus: object) -> None:
    if gpus is None:
        return
    if isinstance(gpus, bool) or not isinstance(gpus, int | float) or not 0 <= gpus < float("inf"):
        raise UsageError(f"the GPUs of a worker are a number, a part of 1 or a whole one, not {plain(repr(gpus), 60)}")
    if gpus > 1 and gpus != int(gpus):
        raise UsageError(f"a worker has a part of one GPU or whole ones, not {gpus:g}")


def check_address(address: object) -> tuple[str, int] | None:
    """Return host and port of the address of a Ray cluster; None of `auto`. Raises UsageError for any other."""
    if isinstance(address, str) and address.startswith(_CLIENT):
        raise UsageError(
            f"{plain(address, 100)}: a run is a driver of its own and needs no Ray client; start it on a machine of "
            "the cluster, with --address auto"
        )
    if isinstance(address, str) and "://" in address:
        raise UsageError(
            f"{plain(address, 100)} is where jobs are submitted; a run joins the head itself: give --address auto, or "
            "HOST:PORT, where the port is that of `ray start`, 6379 as a rule"
        )
    if address == "auto":
        return None
    host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
    if not host or not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
        raise UsageError(f"the address of a Ray cluster is auto or HOST:PORT, not {plain(repr(address), 60)}")
    return host.strip("[]"), int(port)
