"""Controls: the same questions without the picture, with a wrong one, or without the order of a clip's frames."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args
from weakref import finalize
from zlib import crc32

import numpy as np

from mmbench.harness.errors import Unreadable, Unsupported, UsageError, nearest
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Medium, Video
from mmbench.harness.types import Sample

ControlName = Literal["blind", "shuffled", "shuffled-frames", "single-frame", "reversed"]
CONTROLS: tuple[ControlName, ...] = get_args(ControlName)

_TEMPORAL: tuple[ControlName, ...] = ("shuffled-frames", "single-frame", "reversed")

_SIDE = 224
MID_GREY = 128

GREY = Image.from_array(np.full((_SIDE, _SIDE, 3), MID_GREY, np.uint8), "a mid-grey picture")
"""What a blind model is shown."""


@dataclass(frozen=True, slots=True)
class Control:
    """Which pictures a sample shows instead of its own."""

    name: str
    media: Callable[[Sample], tuple[Medium, ...]]
    notes: tuple[str, ...] = ()
    """What a reader of its scores should know."""


def parse_controls(given: str) -> tuple[ControlName, ...]:
    """Return the controls of a comma-separated list. Raises UsageError that names the nearest."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in CONTROLS:
            known = f"expected {', '.join(CONTROLS)}"
            other = "; a corruption is asked for by --corruptions" if "@" in name else ""
            raise UsageError(f"there is no control '{name}'{nearest(name, CONTROLS)}; {known}{other}")
    return tuple(name for name in CONTROLS if name in names)


def make_control(name: str, samples: Iterable[Sample], seed: int) -> Control:
    """Return a control over the samples of a task. Raises Unsupported where it would change nothing."""
    if name in _TEMPORAL:
        if not any(isinstance(medium, Video) for sample in samples for medium in sample.media):
            step = "leave this control out for tasks without clips"
            why = f"the control '{name}' needs items that show clips, whose frames have an order"
            raise Unsupported(why, step=step)
        return temporal(name, seed)
    if name == "shuffled":
        return shuffled(samples, seed)
    if not any(sample.media for sample in samples):
        raise Unsupported("the control 'blind' needs items that show pictures")
    return blind()


def blind() -> Control:
    """Show one mid-grey picture of 224 x 224 in place of each, and a clip of one in place of each clip."""
    grey = Video.of_frames((GREY,), GREY.locator)
    return Control("blind", lambda sample: tuple(grey if isinstance(m, Video) else GREY for m in sample.media))


def shuffled(samples: Iterable[Sample], seed: int) -> Control:
    """Show each picture where another belongs: one seeded random cycle through all distinct pictures.

    Equal pictures are replaced alike and never by an equal one. A picture that cannot be read stays where it is.
    Raises Unsupported when there are fewer than two different pictures.
    """
    folder = TemporaryDirectory(prefix="mmbench-")  # encoded pictures in memory would all stay there otherwise
    pictures: dict[str, Medium] = {}
    donors: dict[str, str] = {}

    def media(sample: Sample) -> tuple[Medium, ...]:
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


def temporal(name: str, seed: int) -> Control:
    """Show other frames of each clip, or the same in another order; pictures stay.

    The moments that go with the frames stay in order, for they would give the order away.
    """

    def rearranged(medium: Medium) -> Medium:
        if not isinstance(medium, Video):
            return medium
        if name == "shuffled-frames":
            return medium.arranged(f"{name}:{seed}", lambda frames: _out_of_order(medium, frames, seed))
        if name == "single-frame":
            return medium.arranged(name, lambda frames: [len(frames) // 2])
        return medium.arranged(name, lambda frames: range(len(frames) - 1, -1, -1))

    return Control(name, lambda sample: tuple(map(rearranged, sample.media)))


def _out_of_order(clip: Video, frames: Sequence[Image], seed: int) -> Sequence[int]:
    """Return places of frames in a random order in which they do not look as they did; as they are if all are alike.

    Raises Unreadable.
    """
    own = [frame.digest for frame in frames]
    random = np.random.default_rng((seed, crc32(clip.digest.encode())))
    order = list(range(len(frames)))
    while len(set(own)) > 1 and [own[place] for place in order] == own:
        order = random.permutation(len(frames)).tolist()
    return order


def _digest(image: Medium) -> str | None:
    try:
        return image.digest
    except Unreadable:
        return None
