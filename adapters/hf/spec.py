"""Specs of transformers: the place of a checkpoint and the options behind it, read without loading anything."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmbench.adapters.hf.checkpoint import FETCHED, WEIGHTS, Checkpoint
from mmbench.adapters.shared import hub
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.models.places import POINT_CONVENTIONS
from mmbench.harness.replies.boxes import CONVENTIONS

_REPOSITORY = re.compile(r"[\w.-]{1,96}(?:/[\w.-]{1,96})?")
_REVISION = re.compile(r"[\w./-]{1,200}")
_OPTION = re.compile(r",([a-z_]+)=([^,=/]*)$")
_SYSTEM = re.compile(r"(.*?),system=(.*)", re.DOTALL)
_BACKENDS = ("pil", "torchvision")
_VIDEO = ("own", "frames")
_NAMES = ("backend", "boxes", "max_pixels", "min_pixels", "points", "system", "video")


@dataclass(frozen=True, slots=True)
class Asked:
    """Options of a spec."""

    backend: str | None = None
    """What prepares pictures, `pil` or `torchvision`."""
    max_pixels: int | None = None
    """Most pixels of a picture, to which larger ones are shrunk."""
    min_pixels: int | None = None
    """Least pixels of a picture, to which smaller ones are enlarged."""
    system: str | None = None
    """What a chat begins with, before the question."""
    boxes: str | None = None
    """Convention by which it writes boxes, where its kind does not say."""
    points: str | None = None
    """Convention by which it writes points, where that is another."""
    video: str | None = None
    """`frames` where a clip is shown as pictures, `own` where by the model's own input for clips, as without it."""

    @property
    def given(self) -> dict[str, Json]:
        """The options that are set and change what a model is shown or how its places are read, but for the backend."""
        told: dict[str, Json] = {"max_pixels": self.max_pixels, "min_pixels": self.min_pixels, "system": self.system}
        told |= {"boxes": self.boxes, "points": self.points}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a checkpoint is: a folder, or a repository of the hub at a revision."""

    folder: Path | None
    repository: str = ""
    revision: str | None = None

    @property
    def label(self) -> str:
        """Name in messages."""
        at = f"@{self.revision}" if self.revision else ""
        return str(self.folder) if self.folder is not None else f"hf:{self.repository}{at}"

    def find(self, offline: bool) -> Path:
        """Return the folder with the files, fetched if need be. Raises WeightsUnavailable."""
        if self.folder is not None:
            return self.folder
        return hub.fetch_checkpoint(
            self._wanted,
            lambda folder: Checkpoint(folder, self.label).is_whole(),
            lambda folder: Checkpoint(folder, self.label).check_said(),
            offline=offline,
            what=self.label,
        )

    def described(self, offline: bool) -> Path:
        """Return a folder with at least the configuration. Raises WeightsUnavailable."""
        if self.folder is not None:
            return self.folder
        return hub.fetch_described(self._wanted, offline=offline, what=self.label)

    def missing_bytes(self, offline: bool) -> int | None:
        """Return the bytes still to be fetched, None when unknown."""
        if self.folder is not None:
            return 0
        return hub.checkpoint_missing_bytes(
            self._wanted, lambda folder: Checkpoint(folder, self.label).is_whole(), offline=offline
        )

    @property
    def _wanted(self) -> hub.Wanted:
        return hub.Wanted(self.repository, self.revision, FETCHED, WEIGHTS)


def spelled(typed: str) -> str | None:
    """Return how a checkpoint of transformers is given, where a name is that of a folder with one or of a repository.

    >>> spelled("Qwen/Qwen2.5-VL-7B-Instruct"), spelled("qwen2.5-vl-8b")
    ('hf:Qwen/Qwen2.5-VL-7B-Instruct', None)
    """
    with suppress(OSError):
        folder = Path(typed).expanduser()
        if folder.exists():
            return f"hf:{typed}" if (folder / "config.json").is_file() else None
    return f"hf:{typed}" if "/" in typed and _REPOSITORY.fullmatch(typed) and typed[0].isalnum() else None


def parse(rest: str) -> tuple[Place, Asked]:
    """Return the place and the options of the text behind `hf:`. Raises UsageError.

    >>> asked = parse("org/name@main,max_pixels=200704,system=Be brief, please.")[1]
    >>> asked.max_pixels, asked.system
    (200704, 'Be brief, please.')
    """
    place, found = rest, dict[str, str]()
    with suppress(OSError):  # no file has so long a name as a system prompt may be
        if rest and Path(rest).expanduser().is_dir():  # whose name may have what looks like an option
            return Place(Path(rest).expanduser()), Asked()
    if spoken := _SYSTEM.fullmatch(rest):  # a text may hold whatever sets options apart, so that it is the last
        place, found["system"] = spoken.groups()
    while match := _OPTION.search(place):
        if match[1] not in _NAMES:
            near = nearest(match[1], _NAMES) or f"; there are {', '.join(_NAMES)}"
            raise UsageError(f"hf:{rest}: there is no option {match[1]}{near}")
        if match[1] in found:
            raise UsageError(f"hf:{rest}: {match[1]} is given twice")
        found[match[1]] = match[2]
        place = place[: match.start()]
    if found.get("backend", "pil") not in _BACKENDS:
        raise UsageError(f"hf:{rest}: backend is pil or torchvision, as in ,backend=pil")
    if found.get("video", "own") not in _VIDEO:
        raise UsageError(f"hf:{rest}: video is own or frames, as in ,video=frames")
    most, least = _pixels(rest, "max_pixels", found), _pixels(rest, "min_pixels", found)
    for name, known in (("boxes", CONVENTIONS), ("points", POINT_CONVENTIONS)):
        if name in found and found[name] not in known:
            near = nearest(found[name], known)
            raise UsageError(f"hf:{rest}: {found[name]} is no convention of {name}{near}; there are {', '.join(known)}")
    told = (found.get(name) for name in ("system", "boxes", "points", "video"))
    asked = Asked(found.get("backend"), most, least, *told)
    return _place(place), asked


def _pixels(rest: str, name: str, found: Mapping[str, str]) -> int | None:
    text = found.get(name)
    if text is not None and not re.fullmatch(r"[1-9][0-9]{0,9}", text):
        raise UsageError(f"hf:{rest}: {name} is a whole number of pixels, as in ,{name}=1003520")
    return None if text is None else int(text)


def _place(rest: str) -> Place:
    folder = Path(rest).expanduser()
    if rest and folder.is_dir():
        return Place(folder)
    if rest.startswith(("/", ".", "~")):
        kind = "is no folder; name the folder it is in" if folder.exists() else "no such folder"
        raise UsageError(f"hf:{rest}: {kind}")
    repository, at, revision = rest.partition("@")
    if not _REPOSITORY.fullmatch(repository) or ".." in rest or (at and not _REVISION.fullmatch(revision)):
        raise UsageError(f"hf:{rest}: must be hf:ORG/NAME, hf:ORG/NAME@REVISION or hf:FOLDER")
    return Place(None, repository, revision or None)
