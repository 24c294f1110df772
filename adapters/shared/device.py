"""Device and precision of a model, chosen without importing torch so that a warm run never pays for the import."""

import ctypes
import importlib.util
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.models.models import check_device

DTYPES = ("auto", "fp32", "fp16", "bf16")


def resolve(device: str, dtype: str) -> tuple[str, str]:
    """Return the device (`cpu`, `cuda` or `cuda:N`) and the dtype (`fp32`, `fp16` or `bf16`) that `auto` stands for.

    Raises UsageError for a name that is neither and for a GPU that this machine or this torch cannot use.
    """
    device, dtype = resolve_device(device, "torch", gpus), known_dtype(dtype)
    if dtype == "auto":
        dtype = "fp32" if device == "cpu" else "fp16"
    return device, dtype


def known_dtype(dtype: str) -> str:
    """Return a dtype by its name here. Raises UsageError for any other."""
    if dtype not in DTYPES:
        raise UsageError(f"unknown dtype {dtype!r}{nearest(dtype, DTYPES)}; known are {', '.join(DTYPES)}")
    return dtype


def resolve_device(name: str, library: str, gpus: Callable[[], int]) -> str:
    """Return `cpu`, `cuda` or `cuda:N`, as a library can use so many GPUs. Raises UsageError."""
    number = check_device(name)
    if name == "auto":
        return "cuda" if gpus() else "cpu"
    if name == "cpu":
        return name
    if not gpus():
        raise UsageError(f"device {name!r}: no GPU that the installed {library} can use; use --device cpu or auto")
    if number is not None and number >= gpus():
        raise UsageError(f"device {name!r}: the last of the {gpus()} usable GPUs is cuda:{gpus() - 1}")
    return name


@cache
def gpus() -> int:
    """Return how many CUDA devices torch would see: 0 for a CPU build of torch or without a driver."""
    return driver_gpus() if _torch_has_cuda() else 0


@cache
def driver_gpus() -> int:
    """Return how many CUDA devices the driver has, 0 without one."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    # The driver itself honours CUDA_VISIBLE_DEVICES, so that its count is the one torch will report.
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def _torch_has_cuda() -> bool:
    # The wheel from the main index has no "+cu" in its version: only this generated file tells the builds apart.
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        text = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(r"^cuda\b[^=\n]*=\s*['\"]", text, flags=re.MULTILINE) is not None
