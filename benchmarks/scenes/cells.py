"""Row cells of each scene data set: what a row says of its scene."""

from collections.abc import Sequence

import numpy as np

from mmbench.benchmarks.scenes.language import ATTRIBUTES, Question, a, framed, listed, noun, place
from mmbench.benchmarks.scenes.render import VERSION, box, draw_scene
from mmbench.benchmarks.scenes.scene import NUISANCES, SIDE, Scene
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.benchmarks.scenes.vocabulary import LEVELS, NUMBERS, held_out
from mmbench.benchmarks.scenes.worlds import arrow, motion, pattern
from mmbench.benchmarks.scenes.worlds.many import turned
from mmbench.benchmarks.scenes.worlds.twins import Twins
from mmbench.benchmarks.scenes.worlds.world import World
from mmbench.harness.media.image import Image
from mmbench.harness.tasks.source import Cell

Cells = dict[str, Cell]

OPEN = ("shape", "colour", "size", "texture", "count", "location", "relation", "comparison")
"""Kinds of open questions about many things, in turn."""
CHOICE = ("shape", "colour", "texture", "count", "location", "relation")
"""Kinds of questions with options about many things, in turn."""
_NAME = ("colour", "shape")


def picture(scene: Scene, where: str) -> Image:
    """Return the picture of a scene, drawn when its pixels are asked for."""
    return Image.render(draw_scene, scene.as_json(), VERSION, where, (SIDE, SIDE))


def plain(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of a world with a single kind of question."""
    return {"image": picture(scene, where), **_asked(_question(world, scene, world.kinds[0], draws))}


def single(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of one thing; the question is where it is."""
    (thing,) = scene.things
    return {
        "image": picture(scene, where),
        "shape": thing.shape,
        "colour": thing.colour,
        "size": thing.size,
        "texture": thing.texture,
        "location": place(thing.cell or 0),
        "name": a(noun(thing, _NAME)),
        "pair": "held out" if held_out(thing.shape, thing.colour) else "seen",
        "hidden": f"{10 * int(10 * scene.nuisance.occlusion)} %",
        **_asked(_question(world, scene, "location", draws)),
    }


def ladder(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of one thing under one nuisance at one of its levels."""
    name, level = draws.turn("rung", [(name, level) for name in NUISANCES for level in LEVELS[name]])
    shown = picture(scene.under(scene.nuisance.alone(name, level)), where)
    rung = {"nuisance": name, "level": level, "rung": f"{name} {level:g}"}
    return {"image": shown, "shape": scene.things[0].shape, **rung}


def versus(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of two things to compare; the right option stands in each place equally often."""
    question = _question(world, scene, world.kinds[0], draws)
    # Dealt, where `ask` throws a coin: training asks the same world, and its texts must stay as they were learnt.
    right = draws.turn("right option", range(len(question.options)))
    asked = question if question.options.index(question.answer) == right else turned(question)
    return {"image": picture(scene, where), **_asked(asked)}


def counted(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of some equal things."""
    number = len(scene.things)
    return {**plain(world, scene, draws, where), "amount": f"{NUMBERS[number - 1]} object{'s' * (number > 1)}"}


def pointing(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of an arrow."""
    return {**plain(world, scene, draws, where), "direction": arrow.direction(scene)}


def mirrored(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of a pattern."""
    return {**plain(world, scene, draws, where), "symmetry": pattern.symmetry(scene)}


def moving(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of a thing that moves; `frames` are the panels of `image` one by one."""
    shown = [picture(frame, f"{where} frame {number}") for number, frame in enumerate(motion.frames(scene))]
    return {**plain(world, scene, draws, where), "frames": shown, "direction": motion.direction(scene)}


def written(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of a line of writing."""
    cells = plain(world, scene, draws, where)
    return {**cells, "text": cells["answer"]}


def twins(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of a scene and its twin, each with its caption in the same words."""
    if not isinstance(world, Twins):
        raise TypeError("only a world of twins has twins")
    twin = world.twin(scene)
    words = int(draws.language.integers(1 << 31))
    one, second = scene.things
    return {
        "images": [picture(scene, where), picture(twin, f"{where} twin")],
        "captions": [world.caption(each, np.random.default_rng(words)) for each in (scene, twin)],
        "axis": "horizontal" if abs(one.x - second.x) > abs(one.y - second.y) else "vertical",
    }


def many(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of different things: captions, references, and a question of each form."""
    random = draws.language
    choice = _first(world, scene, draws, "choice", CHOICE)
    existence = _question(world, scene, "existence", draws)
    captions = [_named(scene, random) for _ in range(2)]
    references = [world.describe(scene, random) for _ in range(3)]
    question = _first(world, scene, draws, "question", OPEN)
    return {
        "image": picture(scene, where),
        "captions": captions,
        "references": references,
        "description": references[0],
        "attributes": [noun(thing, _NAME) for thing in scene.things],
        "things": len(scene.things),
        "kind": question.kind,
        **_asked(question),
        "choice_kind": choice.kind,
        **{f"choice_{key}": cell for key, cell in _asked(choice).items()},
        **{f"existence_{key}": cell for key, cell in _asked(existence).items()},
    }


def grounded(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of different things, of which one is meant: its box, those of all, and what is there."""
    boxes = [box(thing) for thing in scene.things]
    meant = draws.turn("meant", range(12)) % len(scene.things)
    asked = scene.things[meant]
    return {
        "image": picture(scene, where),
        "expression": f"the {noun(asked, _NAME)}",
        "box": boxes[meant],
        "boxes": boxes,
        "size": asked.size,
        "things": len(scene.things),
        "objects": [thing.shape for thing in scene.things],
        "references": [world.describe(scene, draws.language) for _ in range(3)],
        "description": world.describe(scene, draws.language),
    }


def numbered(world: World, scene: Scene, draws: Streams, where: str) -> Cells:
    """Return the cells of some equal things with their number as one."""
    return {**counted(world, scene, draws, where), "count": len(scene.things)}


def _named(scene: Scene, random: np.random.Generator) -> str:
    """Return a sentence that names every thing by size, colour and shape, in any order."""
    told = [name for name in ATTRIBUTES if name != "texture"]
    return framed(random, listed([a(noun(scene.things[i], told)) for i in random.permutation(len(scene.things))]))


def _first(world: World, scene: Scene, draws: Streams, purpose: str, kinds: Sequence[str]) -> Question:
    """Return a question of the kind whose turn it is, or of the next one that the scene allows."""
    start = kinds.index(draws.turn(purpose, kinds))
    for kind in (*kinds[start:], *kinds[:start]):
        question = world.ask(scene, kind, draws.language)
        if question is not None:
            return question
    raise ValueError("this scene allows no question")


def _question(world: World, scene: Scene, kind: str, draws: Streams) -> Question:
    return _first(world, scene, draws, kind, (kind,))


def _asked(question: Question) -> Cells:
    return {
        "question": question.text,
        "answer": question.answer,
        "answers": _spellings(question.answer),
        "options": list(question.options),
    }


def _spellings(answer: str) -> list[str]:
    # CLIP's tokenizer, which most captioners write by, has a token for each figure and puts a space behind it.
    return [answer, " ".join(answer)] if answer.isdecimal() and len(answer) > 1 else [answer]
