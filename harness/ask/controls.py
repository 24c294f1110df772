"""Controls: the same questions without the picture or with a wrong one, to show what a score owes to the pictures."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args
from weakref import finalize

import numpy as np

from mmbench.harness.errors import Unreadable, Unsupported, UsageError, nearest
from mmbench.harness.media.image import Image
from mmbench.harness.types import Sample

ControlName = Literal["blind", "shuffled"]
CONTROLS: tuple[ControlName, ...] = get_args(ControlName)

_SIDE = 224
_MID_GREY = 128

GREY = Image.from_array(np.full((_SIDE, _SIDE, 3), _MID_GREY, np.uint8), "a mid-grey picture")
"""What a blind model is shown."""


@dataclass(frozen=True, slots=True)
class Control:
    """Which pictures a sample shows instead of its own."""

    name: ControlName
    media: Callable[[Sample], tuple[Image, ...]]


def parse_controls(given: str) -> tuple[ControlName, ...]:
    """Return the controls of a comma-separated list. Raises UsageError that names the nearest."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in CONTROLS:
            raise UsageError(f"there is no control '{name}'{nearest(name, CONTROLS)}; expected {' or '.join(CONTROLS)}")
    return tuple(name for name in CONTROLS if name in names)


def make_control(name: ControlName, samples: Iterable[Sample], seed: int) -> Control:
    """Return a control over the samples of a task. Raises Unsupported where it would change nothing."""
    if name == "shuffled":
        return shuffled(samples, seed)
    if not any(sample.media for sample in samples):
        raise Unsupported("the control 'blind' needs items that show pictures")
    return blind()


def blind() -> Control:
    """Show one mid-grey picture of 224 x 224 in place of each."""
    return Control("blind", lambda sample: (GREY,) * len(sample.media))


def shuffled(samples: Iterable[Sample], seed: int) -> Control:
    """Show each picture where another belongs: one seeded random cycle through all distinct pictures.

    Equal pictures are replaced alike and never by an equal one. A picture that cannot be read stays where it is.
    Raises Unsupported when there are fewer than two different pictures.
    """
    folder = TemporaryDirectory(prefix="mmbench-")  # encoded pictures in memory would all stay there otherwise
    pictures: dict[str, Image] = {}
    donors: dict[str, str] = {}

    def media(sample: Sample) -> tuple[Image, ...]:
        digests = [_digest(image) for image in sample.media]
        return tuple(
            image if digest is None else pictures[donors[digest]]
            for digest, image in zip(digests, sample.media, strict=True)
        )

    finalize(media, folder.cleanup)  # the folder goes with the control
    for sample in samples:
        for image in sample.media:
            digest = _digest(image)
            if digest is not None and digest not in pictures:
                pictures[digest] = image.spooled(Path(folder.name))
    if len(pictures) < 2:
        raise Unsupported("the control 'shuffled' needs at least two different pictures")
    order = np.random.default_rng(seed).permutation(sorted(pictures)).tolist()
    donors.update(zip(order, [*order[1:], order[0]], strict=True))
    return Control("shuffled", media)


def _digest(image: Image) -> str | None:
    try:
        return image.digest
    except Unreadable:
        return None
