"""Thumbnails as data URIs, one per digest however many items and tasks show it."""

import base64
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import PIL.features
import PIL.Image

from mmbench.harness.errors import Unreadable
from mmbench.harness.media.image import Content, Image
from mmbench.harness.media.video import Medium, Video, pictures_of
from mmbench.harness.store.location import store_path
from mmbench.harness.store.memory import keep, recall

SIDE = 96
"""Pixels of the longer side."""

_QUALITY = 62
_EFFORT = 2
"""Of 0 to 6: twice as fast as 4, Pillow's own, for a twentieth more bytes. JPEG has no such setting."""
_KEY = 12
"""Characters of a digest that tell the pictures of one report apart."""
_MOST_REMEMBERED = 8_000
"""Thumbnails of drawn pictures that are remembered for the next report, some 2 kB each."""
_DATA_URI = re.compile(r"data:image/(?:webp|jpeg);base64,[A-Za-z0-9+/]{1,100000}={0,2}")


class Thumbnails:
    """Makes and holds thumbnails; those of drawn pictures, which nobody took, are remembered for the next report."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}
        self._memory = store_path().with_name("thumbnails.json")
        self._remembered = {
            name: made
            for name, made in recall(self._memory).items()
            if isinstance(made, str) and _DATA_URI.fullmatch(made)  # what stands there becomes part of a page
        }
        self._new: dict[str, str] = {}

    def remember(self) -> None:
        """Keep what was drawn for the next report."""
        if self._new:
            kept = {**self._remembered, **self._new}
            keep(self._memory, dict([*kept.items()][-_MOST_REMEMBERED:]))

    def add(self, medium: Medium) -> str | None:
        """Return the key of a picture's thumbnail, of a clip that of its middle frame; None where none can be read."""
        known = None if isinstance(medium, Video) else medium.known_digest
        if known and known[:_KEY] in self._made:
            return known[:_KEY]
        try:
            pictures = pictures_of(medium)
            shown = pictures[len(pictures) // 2]
            content = shown.read()
            key = content.digest[:_KEY]
            if key not in self._made:
                self._made[key] = self._drawn(content) if shown.drawn else data_uri(content.decode())
        except Unreadable:
            return None
        return key

    def _drawn(self, content: Content) -> str:
        name = f"{content.digest} {SIDE} {_QUALITY} {_EFFORT}"
        if name not in self._remembered:
            self._new[name] = self._remembered[name] = data_uri(content.decode())
        return self._remembered[name]

    def add_file(self, locator: str, digest: str) -> str | None:
        """Return the key of the picture file at a locator, None unless it has this digest."""
        path = Path(locator)
        if not locator or not path.is_file():
            return None
        image = Image.from_path(path, locator)
        try:
            same = image.digest == digest
        except Unreadable:
            return None
        return self.add(image) if same else None

    def within(self, room: int, wanted: Iterable[str]) -> Mapping[str, str]:
        """Return thumbnails by key, in the order wanted, as many as have room (characters)."""
        kept: dict[str, str] = {}
        for key in wanted:
            if key not in kept:
                room -= len(self._made[key]) + _KEY + len('"":"",')
                if room < 0:
                    break
                kept[key] = self._made[key]
        return kept


def data_uri(picture: PIL.Image.Image, side: int = SIDE, quality: int = _QUALITY) -> str:
    """Return a small copy of an RGB picture as a data URI: WebP, or JPEG where Pillow was built without it."""
    small = picture.copy()
    small.thumbnail((side, side), PIL.Image.Resampling.HAMMING, reducing_gap=1.0)  # whole pixels first: a third faster
    kind = "webp" if PIL.features.check("webp") else "jpeg"
    held = io.BytesIO()
    small.save(held, kind, quality=quality, method=_EFFORT)
    return f"data:image/{kind};base64,{base64.b64encode(held.getvalue()).decode('ascii')}"
