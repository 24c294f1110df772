"""Hardware and software that answer, as records tell them."""

import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from mmbench.harness.digest import Json

_PACKAGES = ("mmbench", "torch", "torchvision", "open_clip_torch", "numpy", "pillow")


def own_hardware(device: object = None) -> dict[str, Json]:
    """Return what this machine is, and the device that an adapter tells, where it tells one."""
    own: dict[str, Json] = {"machine": platform.machine(), "cpus": os.cpu_count()}
    return own if device is None else {**own, "device": str(device)}


def usable_cores() -> int:
    """Return how many cores this process may use, which may be some of the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def versions() -> Mapping[str, Json]:
    """Return the versions of Python and of the packages that answers may depend on; None of one that is absent."""
    found: dict[str, Json] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found
