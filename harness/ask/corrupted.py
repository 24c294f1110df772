"""Corruptions as controls: the same questions beside pictures that were made worse, `gaussian_noise@3`."""

import re
from collections import Counter
from collections.abc import Iterable

from mmbench.harness.ask.controls import Control
from mmbench.harness.errors import Unsupported, UsageError, nearest
from mmbench.harness.media.corruptions.corrupt import SIDE, corrupt, scaled
from mmbench.harness.media.corruptions.table import CORRUPTIONS, GROUPS, NOT_PROVIDED
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Medium, Video
from mmbench.harness.types import Sample

UNCORRUPTED = "uncorrupted"
"""The control that corrupted ones are held against: the same pictures at the same size."""

_ASKED = re.compile(r"(?P<name>[^@]*)(?:@(?P<least>[1-5])(?:-(?P<most>[1-5]))?)?")

_SCALED = f"pictures are shown whole, with {SIDE} pixels on their shorter side, as those that are corrupted"
_DRAWN = f"pictures are corrupted whole, with {SIDE} pixels on their shorter side; what is random is drawn by picture"

LEFT_OUT = "leave --corruptions out for this task"
"""What to do where a task has no corrupted pictures."""


def parse_corruptions(given: str) -> tuple[str, ...]:
    """Return the controls that a comma-separated list of corruptions asks for, with the one they are held against.

    A name or a group stands for its severities 1 to 5, `NAME@3` for one, `NAME@2-4` for some. Raises UsageError.

    >>> parse_corruptions("pixelate@2-3,fog@1")
    ('uncorrupted', 'fog@1', 'pixelate@2', 'pixelate@3')
    """
    asked = [one for part in given.split(",") if part.strip() for one in _expanded(part.strip())]
    twice = [one for one, count in Counter(asked).items() if count > 1]
    if twice:
        raise UsageError(f"the corruption '{twice[0]}' is asked for twice; name it once")
    order = list(CORRUPTIONS)
    asked.sort(key=lambda one: (order.index(one[:-2]), one))
    return (UNCORRUPTED, *asked) if asked else ()


def _expanded(part: str) -> list[str]:
    found = _ASKED.fullmatch(part)
    name = part.partition("@")[0]
    names = [name] if name in CORRUPTIONS else [each for each, kind in CORRUPTIONS.items() if kind.group == name]
    if not names:
        raise UsageError(_unknown(name))
    least, most = (int(found["least"] or 1), int(found["most"] or found["least"] or 5)) if found else (1, 0)
    if least > most:
        raise UsageError(
            f"'{part}' has no severities: they are whole numbers from 1 to 5, as in {name}@3 or {name}@2-4"
        )
    return [f"{each}@{severity}" for each in names for severity in range(least, most + 1)]


def _unknown(name: str) -> str:
    known = f"there are {', '.join(CORRUPTIONS)}, and the groups {', '.join(GROUPS)}"
    if name in NOT_PROVIDED:
        return f"the corruption '{name}' is not provided, for ImageNet-C makes it by {NOT_PROVIDED[name]}; {known}"
    return f"there is no corruption '{name}'{nearest(name, (*CORRUPTIONS, *GROUPS))}; {known}"


def is_corruption(control: str) -> bool:
    """Tell whether a control shows pictures that were corrupted, or those that these are held against.

    >>> [is_corruption(name) for name in ("fog@2", "uncorrupted", "shuffled-frames")]
    [True, True, False]
    """
    return control == UNCORRUPTED or control.partition("@")[0] in CORRUPTIONS


def corrupted(name: str, samples: Iterable[Sample]) -> Control:
    """Show each picture corrupted. Raises Unsupported where items show none, or a clip."""
    first = next((medium for sample in samples for medium in sample.media), None)
    if first is None:
        raise Unsupported("corruptions need items that show pictures", step=LEFT_OUT)
    corruption, _, severity = name.partition("@")

    def shown(medium: Medium) -> Image:
        if isinstance(medium, Video):
            raise Unsupported("corruptions are of pictures; clips are not corrupted", step=LEFT_OUT)
        return corrupt(medium, corruption, int(severity)) if severity else scaled(medium)

    shown(first)
    return Control(name, lambda sample: tuple(map(shown, sample.media)), (_DRAWN if severity else _SCALED,))
