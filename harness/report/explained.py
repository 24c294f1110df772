"""Page of explained items: each picture, its map over it, what was chosen and by which score; one file, no network."""

from pathlib import Path
from string import Template

import numpy as np
import PIL.Image
import PIL.ImageDraw

from mmbench.harness.errors import UsageError
from mmbench.harness.explain.chosen import Chosen
from mmbench.harness.explain.explain import Explained
from mmbench.harness.explain.maps import How
from mmbench.harness.media.pixels import Pixels
from mmbench.harness.metrics.boxes import Box
from mmbench.harness.numerics.arrays import Floats
from mmbench.harness.records.files import write_whole
from mmbench.harness.render.figures import number, percent
from mmbench.harness.render.html import Html, joined, tag
from mmbench.harness.report.page import allowed, asset
from mmbench.harness.report.thumbnails import data_uri

_SIDE = 320
"""Pixels of the longer side of a picture."""
_QUALITY = 85
_FOR, _AGAINST = (230, 97, 1), (94, 60, 153)
"""Orange and purple, which people of any sight tell apart (ColorBrewer PuOr)."""
_PALE = 200
"""Grey level where a map says nothing of a picture of middle grey, as the legend has it."""
_COVER = 0.85
"""How far the strongest colour covers the picture."""
_BOX = (0, 150, 90)

_READING = (
    "Orange: without this place the score of the chosen option falls. Purple: without it the score rises. Each map is "
    "scaled to its own largest value, so that colours of two maps do not compare. What stands in place of what is "
    "hidden is seen too, as a thing of its own: a map shows what the score depends on under that change, not what the "
    "model thinks."
)
_TRIAL = (
    "Deletion: area under the score while pixels are hidden, the most salient first; lower is better. Insertion: while "
    "they come back from a blur; higher is better. A map that does no better than the random one of the same grain "
    "beside it says nothing."
)


class Page:
    """Holds what is shown, one item after another. Raises UsageError where the file cannot stand."""

    def __init__(self, file: Path, chosen: Chosen, how: How) -> None:
        if file.is_dir() or not file.parent.is_dir():
            raise UsageError(f"{file} cannot be written; name a file in a folder that is there")
        self._file = file
        self._how = how
        self._chosen = chosen
        self._items: list[Html] = []
        self._units: dict[str, None] = {}

    def add(self, each: Explained, values: Floats) -> None:
        """Add an item and its (height, width) map. Raises Unreadable."""
        picture = each.item.picture.pil()
        self._units[each.unit] = None
        over = overlay(picture, values, each.item.boxes)
        self._items.append(_section(each, data_uri(_shown(picture), _SIDE, _QUALITY), data_uri(over, _SIDE, _QUALITY)))

    def write(self) -> int:
        """Write the file, and return its size in bytes. Raises UsageError."""
        record, style = self._chosen.record, asset("report.css") + asset("explained.css")
        policy = f"default-src 'none'; img-src data:; style-src '{allowed(style)}'; base-uri 'none'; form-action 'none'"
        title = f"{record.model} · {record.reference}: what the choice depends on"
        notes = [f"Method: {_method(self._how)}. Score: {', or '.join(self._units)}.", _READING, _TRIAL]
        text = Template(asset("explained.html")).substitute(
            policy=tag("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
            title=joined([title]),
            style=style,
            notes=joined([tag("p", {"class": "note"}, note) for note in notes]),
            items=joined(self._items),
        )
        try:
            write_whole(self._file, text)
        except OSError as error:
            raise UsageError(f"{self._file} cannot be written ({error.strerror or error})") from error
        return len(text.encode())


def _method(how: How) -> str:
    filled = "middle grey" if how.fill == "grey" else "the mean colour of the picture"
    if how.method == "rise":
        return (
            f"RISE (Petsiuk et al. 2018), {how.masks:,} masks over {filled}, divided by the summed masks, less the mean"
        )
    side = "an eighth of the picture" if how.patch is None else f"{how.patch} pixels"
    return f"occlusion (Zeiler and Fergus 2014), patches of {side}, half of it apart, replaced by {filled}"


def overlay(picture: Pixels, values: Floats, boxes: tuple[Box, ...] = ()) -> Pixels:
    """Return a pale picture under the colours of a map, and the outlines of boxes."""
    shown = _shown(picture)
    largest = float(np.abs(values).max()) or 1.0
    weights = PIL.Image.fromarray((values / largest).astype(np.float32))
    scaled = np.asarray(weights.resize(shown.size, PIL.Image.Resampling.NEAREST))[..., None]
    grey = np.asarray(shown.convert("L"), dtype=np.float32)[..., None]
    base = _PALE + (grey - 128) * 0.4
    colour = np.where(scaled > 0, np.array(_FOR, np.float32), np.array(_AGAINST, np.float32))
    cover = np.abs(scaled) * _COVER
    made = PIL.Image.fromarray(np.clip(base * (1 - cover) + colour * cover, 0, 255).astype(np.uint8))
    draw = PIL.ImageDraw.Draw(made)
    by = shown.width / picture.width, shown.height / picture.height
    for left, top, right, bottom in boxes:
        draw.rectangle((left * by[0], top * by[1], right * by[0] - 1, bottom * by[1] - 1), outline=_BOX, width=2)
    return made


def _shown(picture: Pixels) -> Pixels:
    """Return a picture as it is shown: a small one by whole pixels, so that they stay what they are."""
    times = max(1, _SIDE // max(picture.size))
    if times > 1:
        return picture.resize((picture.width * times, picture.height * times), PIL.Image.Resampling.NEAREST)
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE))
    return small


def _section(each: Explained, picture: str, over: str) -> Html:
    item, found = each.item, each.figures
    chosen = item.outcome.prediction or ""
    facts = [
        ("chosen", tag("span", {"class": "right" if item.correct else "wrong"}, chosen)),
        ("target", item.outcome.target or "-"),
        *([("asked again, prefers", each.prefers)] if each.prefers is not None else []),
        ("score", number(found.score)),
        ("score, nothing left", number(found.without)),
        ("deletion", f"{number(found.own.deletion)} (random map {number(found.random.deletion)})"),
        ("insertion", f"{number(found.own.insertion)} (random map {number(found.random.insertion)})"),
        *_located(each),
    ]
    largest = max(abs(found.low), abs(found.high))
    ends = tag("div", {"class": "ends"}, *(tag("span", None, _signed(end)) for end in (-largest, 0.0, largest)))
    said = "fall of the score when hidden; green: the true box" if item.boxes else "fall of the score when hidden"
    legend = tag("figcaption", None, tag("div", {"class": "ramp"}), ends, said)
    return tag(
        "section",
        None,
        tag("h2", None, f"item {item.outcome.id}"),
        *([tag("p", None, item.sample.question)] if item.sample.question else []),
        tag(
            "div",
            {"class": "explained"},
            tag("figure", None, tag("img", {"src": picture, "alt": "the picture"})),
            tag("figure", None, tag("img", {"src": over, "alt": "the map over the picture"}), legend),
            tag("dl", None, *(part for name, said in facts for part in (tag("dt", None, name), tag("dd", None, said)))),
        ),
    )


def _signed(value: float) -> str:
    return f"{value:+.3g}" if value else "0"


def _located(each: Explained) -> list[tuple[str, str]]:
    box = each.figures.box
    if box is None:
        return []
    area = f"area {percent(round(box.area, 3))}"
    if box.share is None:
        return [("in the true box", f"nothing of the map is positive ({area})")]
    peak = "the peak lies inside" if box.hit else "the peak lies outside"
    return [("in the true box", f"{percent(round(box.share, 3))} of the positive map ({area}), {peak}")]
