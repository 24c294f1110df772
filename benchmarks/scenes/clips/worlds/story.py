"""Story world: something happens to a thing, and the opposite in the clip that is played backwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mmbench.benchmarks.scenes import stage
from mmbench.benchmarks.scenes.clips.block import FRAMES, Block, Clip
from mmbench.benchmarks.scenes.language import a, framed, noun
from mmbench.benchmarks.scenes.scene import SIDE, Scene, Thing
from mmbench.benchmarks.scenes.streams import Streams, pick
from mmbench.benchmarks.scenes.vocabulary import COLOURS, held_out

_FAR = 60
"""Pixels on either side of the middle."""
_SMALL = 0.45


def _aside(thing: Thing, share: float) -> Thing:
    return replace(thing, x=round(thing.x + _FAR * (2 * share - 1), 1))


def _down(thing: Thing, share: float) -> Thing:
    return replace(thing, y=round(thing.y + _FAR * (2 * share - 1), 1))


def _larger(thing: Thing, share: float) -> Thing:
    return replace(thing, radius=round(thing.radius * (_SMALL + (1 - _SMALL) * share), 1))


def _turned(thing: Thing, share: float) -> Thing:
    return replace(thing, turn=round(thing.turn - 315 * share, 1))


_HAPPENINGS: Mapping[tuple[str, str], Callable[[Thing, float], Thing]] = {
    ("moving right", "moving left"): _aside,
    ("moving down", "moving up"): _down,
    ("getting larger", "getting smaller"): _larger,
    ("turning clockwise", "turning counterclockwise"): _turned,
}
"""What is seen forward and backward, and how a thing looks after a share of the time."""
_TURNABLE = ("triangle", "star", "cross", "heart", "crescent", "arrow")
"""Shapes of which a turn of 45 degrees is seen for what it is."""
_NAMED = tuple(
    (shape, colour) for shape in _TURNABLE for colour in COLOURS if shape == "arrow" or not held_out(shape, colour)
)


@dataclass(frozen=True, slots=True)
class Story:
    """A thing of some name to which one of eight things happens; no two clips of a split are told alike."""

    name: str = "clip story"
    size: int = 2

    def block(self, streams: Streams) -> Block:
        """Return the block of these random numbers."""
        random = streams.content
        happening = streams.turn("happening", tuple(_HAPPENINGS))
        # All names in turn: two clips of one name are apart by more than there are clips in a split.
        name = streams.turn("name", _NAMED)
        where = stage.near(random, SIDE / 2, SIDE / 2, 24)
        thing = stage.thing(random, name, where, stage.between(random, 30, 40))
        plain = Scene(stage.background(random), nuisance=stage.everyday(streams.nuisance))
        look = _HAPPENINGS[happening]
        scenes = tuple(replace(plain, things=(look(thing, moment / (FRAMES - 1)),)) for moment in range(FRAMES))
        told = [_told(streams, thing, what) for what in happening]
        forward = Clip(tuple(range(FRAMES)), happening[0], told[0])
        return Block(scenes, (forward, forward.backwards(happening[1], told[1])), happening, "what happens?")


def _told(streams: Streams, thing: Thing, happens: str) -> tuple[str, ...]:
    """Return true sentences about a clip, of which the first names all that has a name."""
    named = a(noun(thing, ("colour", "shape")))
    subject = pick(streams.language, ("the {}", "a {}")).format(noun(thing, ("colour", "shape")))
    return (
        f"{named} {happens}.",
        framed(streams.language, f"{named} {happens}"),
        f"{subject} is {happens}.",
    )
