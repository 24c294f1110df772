"""Data sets of scenes: rows of a picture and all that is true of it, each split from seeds of its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmbench.benchmarks.scenes.language import a, framed, listed, noun, place
from mmbench.benchmarks.scenes.render import VERSION as RENDERER
from mmbench.benchmarks.scenes.render import draw_scene
from mmbench.benchmarks.scenes.scene import NUISANCES, Scene
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.benchmarks.scenes.vocabulary import NUMBERS, held_out
from mmbench.benchmarks.scenes.worlds import arrow, motion, pattern
from mmbench.benchmarks.scenes.worlds.comparison import Comparison
from mmbench.benchmarks.scenes.worlds.count import Count
from mmbench.benchmarks.scenes.worlds.many import Many
from mmbench.benchmarks.scenes.worlds.single import Single
from mmbench.benchmarks.scenes.worlds.twins import Twins
from mmbench.benchmarks.scenes.worlds.world import World
from mmbench.benchmarks.scenes.worlds.writing import DIGIT, NUMBER, WORD
from mmbench.harness.errors import DataError, nearest
from mmbench.harness.media import Image
from mmbench.harness.task import Cell, Row

VERSION = 1
"""Raised whenever the same seed would give another scene or another text; part of every scene's seed."""

TRAINING = 2
SPLITS: Mapping[str, int] = {"test": 0, "mini": 0, "validation": 1, "reserve": 3}
"""The first number of a split's seeds; `TRAINING` is that of training. `mini` is the first tenth of `test`."""
_LARGE = 1000
"""Rows of the splits beside `test` and `mini`."""

SINGLE = Single()
HIDDEN = Single("hidden", hidden=(0.2, 0.5))
HALF = Single("pairs", pairs="half")
LADDERS = Single("ladders")
MANY = Many()
RELATION = Twins("relation twins", "relation")
BINDING = Twins("binding twins", "binding")

LEVELS: Mapping[str, tuple[float, ...]] = {
    "contrast": (0.5, 0.65, 0.8, 0.9, 0.95),
    "noise": (0.05, 0.1, 0.2, 0.3, 0.45),
    "blur": (1.0, 2.0, 4.0, 6.0, 9.0),
    "occlusion": (0.15, 0.3, 0.45, 0.6, 0.75),
    "illumination": (0.3, 0.5, 0.7, 0.85, 0.95),
    "clutter": (5.0, 10.0, 20.0, 35.0, 50.0),
}
"""The rungs of each nuisance, from what is everyday to what should defeat a model."""

_APART = 60
"""Pixels; twins stand further apart than this along the axis of their relation."""
_VQA = ("shape", "colour", "size", "texture", "count", "location", "relation", "comparison")
_CHOICE = ("shape", "colour", "texture", "count", "location", "relation")


def picture(scene: Scene, where: str) -> Image:
    """Return the picture of a scene, drawn when its pixels are asked for."""
    return Image.render(draw_scene, scene.as_json(), RENDERER, where)


def streams(block: tuple[int, ...], world: World, index: int) -> Streams:
    """Return the random numbers of one picture; a block is (split, seed of the split)."""
    return Streams((VERSION, *block), world.name, index)


@dataclass(frozen=True, slots=True)
class SceneSet:
    """A data set of scenes of one world."""

    world: World
    """What is drawn."""
    size: int
    """Rows of its test split; other splits have 1,000."""
    describe: Callable[["SceneSet", Streams, str], dict[str, Cell]]
    """All cells of a row but its id, from its random numbers and how messages call it."""

    def rows(self, name: str, split: str | None) -> Iterator[Row]:
        """Yield the rows of a split. Raises DataError for a split it does not have."""
        first = SPLITS[_split(name, split)]
        for index in range(self.count(name, split)):
            where = f"{name} row {index}"
            cells = self.describe(self, streams((first, 0), self.world, index), where)
            yield Row({"id": str(index), **cells}, where, Path())

    def count(self, name: str, split: str | None) -> int:
        """Return the number of rows of a split. Raises DataError for a split it does not have."""
        return {"test": self.size, "mini": max(self.size // 10, 1)}.get(_split(name, split), _LARGE)


def _split(name: str, split: str | None) -> str:
    chosen = split or "test"
    if chosen not in SPLITS:
        raise DataError(f"'{name}' has no split '{chosen}', only {', '.join(SPLITS)}{nearest(chosen, SPLITS)}")
    return chosen


def _asked(world: World, scene: Scene, kind: str, random: np.random.Generator) -> dict[str, Cell]:
    question = world.ask(scene, kind, random)
    if question is None:
        raise ValueError(f"no question of kind {kind} fits this scene")
    return {
        "question": question.text,
        "answer": question.answer,
        "answers": [question.answer],
        "options": list(question.options),
    }


def _plain(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    """Cells of a world whose single kind of question is its attribute."""
    scene = data.world.draw(draws)
    return {"image": picture(scene, where), **_asked(data.world, scene, data.world.kinds[0], draws.language)}


def _single(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    scene = data.world.draw(draws)
    thing = scene.things[0]
    return {
        "image": picture(scene, where),
        "shape": thing.shape,
        "colour": thing.colour,
        "size": thing.size,
        "texture": thing.texture,
        "location": place(thing.cell or 0),
        "name": a(noun(thing, ("colour", "shape"))),
        "pair": "held out" if held_out(thing.shape, thing.colour) else "seen",
        "hidden": _rung(scene.nuisance.occlusion),
        **_asked(data.world, scene, "location", draws.language),
    }


def _rung(share: float) -> str:
    return f"{10 * int(10 * share)} %"


def _ladder(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    scene = data.world.draw(draws)
    name, level = draws.turn("rung", [(name, level) for name in NUISANCES for level in LEVELS[name]])
    only = scene.nuisance.alone(name, level)
    rung = {"nuisance": name, "level": level, "rung": f"{name} {level:g}"}
    return {"image": picture(scene.under(only), where), "shape": scene.things[0].shape, **rung}


def _count(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    cells = _plain(data, draws, where)
    number = cells["answer"]
    return {**cells, "amount": f"{number} object{'s' * (number != NUMBERS[0])}"}


def _arrow(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    return {**_plain(data, draws, where), "direction": arrow.direction(data.world.draw(draws))}


def _pattern(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    return {**_plain(data, draws, where), "symmetry": pattern.symmetry(data.world.draw(draws))}


def _motion(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    scene = data.world.draw(draws)
    shown = [picture(frame, f"{where} frame {number}") for number, frame in enumerate(motion.frames(scene))]
    return {
        "image": picture(scene, where),
        "frames": shown,
        "direction": motion.direction(scene),
        **_asked(data.world, scene, "motion", draws.language),
    }


def _twins(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    world = data.world
    if not isinstance(world, Twins):
        raise TypeError("only a world of twins has twins")
    scene = world.draw(draws)
    twin = world.twin(scene)
    words = int(draws.language.integers(1 << 31))
    captions = [world.caption(each, np.random.default_rng(words)) for each in (scene, twin)]
    return {
        "images": [picture(scene, where), picture(twin, f"{where} twin")],
        "captions": captions,
        "axis": "horizontal" if abs(scene.things[0].x - scene.things[1].x) > _APART else "vertical",
    }


def _many(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    world, random = data.world, draws.language
    scene = world.draw(draws)
    choice = _first(world, scene, draws, _CHOICE, "choice")
    existence = _asked(world, scene, "existence", random)
    return {
        "image": picture(scene, where),
        "captions": [_named(scene, random) for _ in range(2)],
        "references": [world.describe(scene, random) for _ in range(3)],
        "attributes": [noun(thing, ("colour", "shape")) for thing in scene.things],
        "things": len(scene.things),
        **_first(world, scene, draws, _VQA, "question"),
        **{f"choice_{key}": cell for key, cell in choice.items()},
        **{f"existence_{key}": cell for key, cell in existence.items()},
    }


def _named(scene: Scene, random: np.random.Generator) -> str:
    """Return a sentence that names every thing by size, colour and shape, in any order."""
    told = ("size", "colour", "shape")
    return framed(random, listed([a(noun(scene.things[i], told)) for i in random.permutation(len(scene.things))]))


def _first(world: World, scene: Scene, draws: Streams, kinds: tuple[str, ...], purpose: str) -> dict[str, Cell]:
    """Return a question of the kind whose turn it is, or of the next one that the scene allows."""
    start = kinds.index(draws.turn(purpose, kinds))
    for kind in (*kinds[start:], *kinds[:start]):
        question = world.ask(scene, kind, draws.language)
        if question is not None:
            asked: dict[str, Any] = {"question": question.text, "answer": question.answer}
            return {**asked, "answers": [question.answer], "options": list(question.options), "kind": kind}
    raise ValueError("this scene allows no question")


def _written(data: SceneSet, draws: Streams, where: str) -> dict[str, Cell]:
    cells = _plain(data, draws, where)
    return {**cells, "text": cells["answer"]}


SETS: Mapping[str, SceneSet] = {
    "scenes-single": SceneSet(SINGLE, 480, _single),
    "scenes-hidden": SceneSet(HIDDEN, 160, _single),
    "scenes-pairs": SceneSet(HALF, 200, _single),
    "scenes-ladders": SceneSet(LADDERS, 300, _ladder),
    "scenes-count": SceneSet(Count(), 240, _count),
    "scenes-digits": SceneSet(DIGIT, 120, _written),
    "scenes-numbers": SceneSet(NUMBER, 90, _written),
    "scenes-words": SceneSet(WORD, 160, _written),
    "scenes-arrows": SceneSet(arrow.Arrow(), 120, _arrow),
    "scenes-patterns": SceneSet(pattern.Pattern(), 120, _pattern),
    "scenes-motion": SceneSet(motion.Motion(), 120, _motion),
    "scenes-comparison": SceneSet(Comparison(), 120, _plain),
    "scenes-relation": SceneSet(RELATION, 100, _twins),
    "scenes-binding": SceneSet(BINDING, 100, _twins),
    "scenes-many": SceneSet(MANY, 1000, _many),
}
"""By the name that a task file gives as `path`."""
