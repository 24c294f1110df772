"""Scene: the numbers of all that is drawn and of nothing else, so that equal scenes are equal pictures."""

from dataclasses import dataclass, field, replace
from typing import Any

from mmbench.harness.digest import Json

SIDE = 224
"""Pixels of a side of the canonical picture."""

RGB = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Thing:
    """A filled shape; lengths and places are in pixels of the canonical picture."""

    shape: str
    """One of `SHAPES`, or `arrow`, which points right before it is turned."""
    colour: str
    """Name of its colour."""
    tint: RGB
    """The colour itself."""
    x: float
    """Centre, from the left."""
    y: float
    """Centre, from the top."""
    radius: float
    """Radius of the circle around it."""
    size: str = ""
    """Name of its size; empty where sizes are not distinguished."""
    texture: str = "plain"
    """One of `TEXTURES`."""
    turn: float = 0.0
    """Degrees, counter-clockwise."""
    cell: int | None = None
    """Location among `LOCATIONS`, where it stands in one."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A line of letters or digits in a 5 x 7 font."""

    text: str
    """Lower-case letters and digits; drawn in capitals."""
    tint: RGB
    """Colour of the strokes."""
    x: int
    """Left edge."""
    y: int
    """Top edge."""
    dot: int
    """Pixels of a side of one dot of the font."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """A square pattern of equal blocks, filled or not."""

    filled: tuple[tuple[int, ...], ...]
    """Rows of 0 and 1."""
    tint: RGB
    """Colour of the filled ones."""
    x: int
    """Left edge."""
    y: int
    """Top edge."""
    dot: int
    """Pixels of a side of one block."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An opaque rectangle in front of everything."""

    left: int
    """First column."""
    top: int
    """First row."""
    right: int
    """Column behind the last."""
    bottom: int
    """Row behind the last."""
    tint: RGB
    """Its colour."""


@dataclass(frozen=True, slots=True)
class Nuisance:
    """Nuisance: levels of what makes a picture harder without changing what is true of it, 0 being none."""

    contrast: float = 0.0
    """Share of the contrast taken away, 0 to below 1."""
    noise: float = 0.0
    """Standard deviation of grey noise, as a share of the range."""
    blur: float = 0.0
    """Standard deviation of a Gaussian, in pixels."""
    occlusion: float = 0.0
    """Share of each thing's box that a bar hides, 0 to below 1."""
    illumination: float = 0.0
    """Light lost from one side of the picture to the other, 0 to below 1."""
    clutter: float = 0.0
    """Share of the canvas under grey strokes behind the things, in percent."""
    seed: int = 0
    """Seed of its own random numbers."""

    def alone(self, name: str, level: float) -> "Nuisance":
        """Return one nuisance at a level and no other, of the same seed."""
        levels: dict[str, Any] = {name: level}
        return Nuisance(seed=self.seed, **levels)


NUISANCES = ("contrast", "noise", "blur", "occlusion", "illumination", "clutter")


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything in a picture, back to front."""

    background: RGB
    """Colour of the canvas."""
    things: tuple[Thing, ...] = ()
    """Drawn in this order."""
    writing: Writing | None = None
    """At most one line."""
    blocks: Blocks | None = None
    """At most one pattern."""
    bars: tuple[Bar, ...] = ()
    """In front."""
    nuisance: Nuisance = field(default_factory=Nuisance)
    """Applied last."""

    def under(self, nuisance: Nuisance) -> "Scene":
        """Return the same scene under another nuisance."""
        return replace(self, nuisance=nuisance)

    def as_json(self) -> dict[str, Json]:
        """Return what `from_json` reads."""
        return {
            "background": self.background,
            "things": [_fields(thing) for thing in self.things],
            "writing": _fields(self.writing) if self.writing else None,
            "blocks": _fields(self.blocks) if self.blocks else None,
            "bars": [_fields(bar) for bar in self.bars],
            "nuisance": _fields(self.nuisance),
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Scene":
        """Return the scene of `as_json`, also after it went through JSON text."""
        writing, blocks = plain["writing"], plain["blocks"]
        return cls(
            background=_rgb(plain["background"]),
            things=tuple(Thing(**{**each, "tint": _rgb(each["tint"])}) for each in plain["things"]),
            writing=Writing(**{**writing, "tint": _rgb(writing["tint"])}) if writing else None,
            blocks=_blocks(blocks) if blocks else None,
            bars=tuple(Bar(**{**each, "tint": _rgb(each["tint"])}) for each in plain["bars"]),
            nuisance=Nuisance(**plain["nuisance"]),
        )


def _fields(part: Thing | Writing | Blocks | Bar | Nuisance) -> dict[str, Json]:
    # They hold nothing that can be changed, so that the copies of `dataclasses.asdict` would only cost time.
    return {name: getattr(part, name) for name in part.__slots__}


def _blocks(plain: dict[str, Any]) -> Blocks:
    return Blocks(**{**plain, "filled": tuple(map(tuple, plain["filled"])), "tint": _rgb(plain["tint"])})


def _rgb(levels: Any) -> RGB:
    red, green, blue = levels
    return red, green, blue
