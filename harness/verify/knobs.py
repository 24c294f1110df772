"""Knobs: what an anchor states of its protocol beside what was done here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import PIL.Image

from mmbench.harness.digest import Json
from mmbench.harness.foreign import tamed
from mmbench.harness.models.models import Loading, Model
from mmbench.harness.records.record import Record
from mmbench.harness.tasks.task import Task
from mmbench.harness.verify.anchors import KNOBS, Anchor

_SIZE = (640, 480)
"""Width and height of the picture by which the resolution of a model is found out."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting of a protocol."""

    name: str
    stated: str | None
    """What the anchor states; None where it does not."""
    here: str | None
    """What was done here; None where it is not known."""
    by_name: bool = False
    """True where it is a name, so that two that differ may mean the same."""

    @property
    def verdict(self) -> Literal["differs", "same", "not known"]:
        """Whether both are known, and equal."""
        if self.stated is None or self.here is None:
            return "not known"
        if _plain(self.stated) == _plain(self.here):
            return "same"
        return "not known" if self.by_name else "differs"

    def as_json(self) -> dict[str, Json]:
        """Return the knob as `--format json` prints it."""
        return {"name": self.name, "stated": self.stated, "here": self.here, "verdict": self.verdict}


def knobs_of(anchor: Anchor, metric: str, task: Task, record: Record, model: Model, loading: Loading) -> list[Knob]:
    """Return every knob: the metric first, then those of `KNOBS`."""
    protocol = task.protocol if isinstance(task.protocol, Mapping) else {}
    stated = anchor.knobs or {}
    here: dict[str, str | None] = {
        "split": task.opened.split,
        "items": str(record.dataset["n"]),
        "templates": _templates(protocol.get("templates"), stated.get("templates", "")),
        "prompt": _text(protocol.get("prompt")) if record.route == "generate" else None,
        "route": record.route,
        "resolution": _resolution(model.adapter),
        "dtype": _dtype(loading, str(record.hardware.get("device"))),
    }
    first = Knob("metric", anchor.metric, metric, by_name=True)
    return [first, *(Knob(name, stated.get(name), here[name]) for name in KNOBS)]


def _templates(found: Json, stated: str) -> str | None:
    """Return the templates, or their number where the anchor states a number."""
    if not isinstance(found, Sequence) or isinstance(found, str):
        return None
    return str(len(found)) if stated.isdecimal() else " | ".join(map(str, found))


def _text(found: Json) -> str | None:
    return found if isinstance(found, str) else None


def _dtype(loading: Loading, device: str) -> str:
    if loading.dtype != "auto":
        return loading.dtype
    return "fp16" if device.startswith("cuda") else "fp32"


def _resolution(adapter: Any) -> str | None:
    """Return the side of what the adapter makes of a picture, None where it does not tell."""
    prepare = getattr(adapter, "prepare_image", None)
    if prepare is None:
        return None
    try:
        made = tamed(lambda: prepare(PIL.Image.new("RGB", _SIZE)))
    except Exception:  # an adapter may raise anything; then it is not known
        return None
    if isinstance(made, Mapping):
        made = made.get("pixel_values")
    shape = tuple(getattr(made, "shape", ()))
    if len(shape) != 3 or shape[0] not in (1, 3):
        return None
    height, width = shape[1:]
    return str(height) if height == width else f"{height} x {width}"


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
