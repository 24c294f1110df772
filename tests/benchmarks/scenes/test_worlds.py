"""What is said of scenes is true of them, what is asked has the answer given, and nothing leaks from one stream."""

import re
from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from mmbench.benchmarks.scenes import cells, data, labels, rows, training
from mmbench.benchmarks.scenes.language import FRAMES, Question
from mmbench.benchmarks.scenes.scene import Scene, Thing
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.benchmarks.scenes.vocabulary import COLOURS, LOCATIONS, NUMBERS, SHAPES, SIZES, TEXTURES, WORDS, held_out
from mmbench.benchmarks.scenes.worlds import arrow, motion, pattern
from mmbench.benchmarks.scenes.worlds.twins import Twins
from mmbench.benchmarks.scenes.worlds.world import World

WORLDS: dict[str, World] = {world.name: world for world, _ in training._CYCLE} | {"pairs": data.HALF}
N = 60


def draws(world: World, index: int, block: tuple[int, ...] = (9, 0)) -> Streams:
    return data.streams(block, world, index)


def scenes(world: World, n: int = N) -> list[Scene]:
    return [world.draw(draws(world, index)) for index in range(n)]


def is_true(sentence: str, scene: Scene) -> bool:
    """Judge a sentence from the scene's numbers alone, by rules written apart from those that made it."""
    text = sentence.rstrip(".")
    for frame in FRAMES:
        before = frame.split("{}")[0]
        if before and text.startswith(before):
            text = text[len(before) :]
    if scene.blocks is not None:
        mirrored = all(row == row[::-1] for row in scene.blocks.filled)
        return ("asymmetric" not in text) == mirrored
    if scene.writing is not None:
        return scene.writing.text in text.split()
    if "moving" in text or "arrow" in text:
        return _directed(text, scene)
    return _related(text, scene)


def _related(text: str, scene: Scene) -> bool:
    if match := re.fullmatch(r"(.+) is (larger|smaller) than (.+)", text):
        one, other = (_only(scene, match[part]).radius for part in (1, 3))
        return one > other if match[2] == "larger" else one < other
    for number, name in enumerate(NUMBERS, 1):
        if text.startswith(f"{name} "):
            return len(scene.things) == number and all(_fits(text[len(name) :], thing) for thing in scene.things)
    for words, holds in RELATED.items():
        if words in text:
            first, second = text.split(words)
            return holds(_only(scene, first), _only(scene, second))
    return all(any(_fits(part, thing) for thing in scene.things) for part in re.split(r", | and ", text))


RELATED = {
    " to the left of ": lambda a, b: a.x < b.x,
    " to the right of ": lambda a, b: a.x > b.x,
    " left of ": lambda a, b: a.x < b.x,
    " right of ": lambda a, b: a.x > b.x,
    " above ": lambda a, b: a.y < b.y,
    " below ": lambda a, b: a.y > b.y,
    " under ": lambda a, b: a.y > b.y,
}
PLACES = {
    **{"in the top left": (0, 0), "at the top": (1, 0), "in the top right": (2, 0)},
    **{"on the left": (0, 1), "in the center": (1, 1), "on the right": (2, 1)},
    **{"in the bottom left": (0, 2), "at the bottom": (1, 2), "in the bottom right": (2, 2)},
}


def _fits(phrase: str, thing: Thing) -> bool:
    for place, (column, row) in PLACES.items():
        if place in phrase and (int(thing.x // 74.7), int(thing.y // 74.7)) != (column, row):
            return False
        phrase = phrase.replace(place, "")
    known = {thing.shape, thing.colour, thing.texture, thing.size, "shape", "object"}
    known |= {f"{noun}{ending}" for noun in (thing.shape, "shape", "object") for ending in ("s", "es")}
    return all(word in known | {"a", "an", "the", "is", "that"} for word in phrase.split())


def _only(scene: Scene, phrase: str) -> Thing:
    (found,) = [thing for thing in scene.things if _fits(phrase, thing)]
    return found


def _directed(text: str, scene: Scene) -> bool:
    *_, where = text.split()
    first, second = (scene.things * 2)[:2]
    if "arrow" in text:
        x, y = np.cos(np.radians(first.turn)), -np.sin(np.radians(first.turn))
    else:
        x, y = second.x - 112 - first.x, second.y - first.y
    ways = {"up": -y, "down": y, "left": -x, "right": x}
    return max(ways, key=lambda way: ways[way]) == where and (
        first.colour in text or not set(COLOURS) & set(text.split())
    )


@pytest.mark.parametrize("name", WORLDS)
def test_captions_are_true_and_negatives_are_not(name: str) -> None:
    world, random = WORLDS[name], np.random.default_rng(1)
    for scene in scenes(world):
        for _ in range(3):
            assert is_true(sentence := world.caption(scene, random), scene), sentence
            assert is_true(sentence := world.describe(scene, random), scene), sentence
            assert not is_true(sentence := world.negative(scene, random), scene), (sentence, scene)


def answer_to(question: Question, scene: Scene) -> str | None:
    """Answer a question from the scene's numbers alone; None where this reader does not know the wording."""
    text = question.text.rstrip("?")
    if match := re.fullmatch(r"is there (.+)", text):
        return "yes" if any(_fits(match[1], thing) for thing in scene.things) else "no"
    if match := re.fullmatch(r"is the (\w+) (.+) the (\w+)", text):
        holds = RELATED[f" {match[2]} "]
        return "yes" if holds(_only(scene, match[1]), _only(scene, match[3])) else "no"
    if match := re.fullmatch(r"which is (larger|smaller), the (\w+) or the (\w+)", text):
        one, other = _only(scene, match[2]), _only(scene, match[3])
        return (one if (one.radius > other.radius) == (match[1] == "larger") else other).shape
    if match := re.fullmatch(r"what shape is (.+) the (\w+)", text):
        beside = _only(scene, match[2])
        apart = [thing for thing in scene.things if thing is not beside and RELATED[f" {match[1]} "](thing, beside)]
        apart = [thing for thing in apart if max(abs(thing.x - beside.x), abs(thing.y - beside.y)) > 40]
        sides = {"above": 1, "below": 1, "under": 1}.get(match[1], 0)
        far = [thing for thing in apart if abs((thing.x, thing.y)[sides] - (beside.x, beside.y)[sides]) > 40]
        (only,) = far
        return only.shape
    if match := re.fullmatch(r"how many (\w+) are there", text):
        return NUMBERS[len(scene.things) - 1]
    if match := re.fullmatch(r"(?:where is|what pattern is on|what color is|what is the color of) (?:the )?(.+)", text):
        thing = scene.things[0] if match[1] == "it" else _only(scene, match[1])
        if text.startswith("where"):
            column, row = int(thing.x // 74.7), int(thing.y // 74.7)
            return LOCATIONS[3 * row + column]
        return thing.texture if "pattern" in text else thing.colour
    if match := re.fullmatch(r"is (?:it|the (.+)) small or large", text):
        return (_only(scene, match[1]) if match[1] else scene.things[0]).size
    if match := re.fullmatch(r"what (?:shape is|is the shape of) (?:it|the (.+))", text):
        return (_only(scene, match[1]) if match[1] else scene.things[0]).shape
    return None


@pytest.mark.parametrize("name", WORLDS)
def test_questions_have_the_answer_given(name: str) -> None:
    world, random = WORLDS[name], np.random.default_rng(2)
    asked = Counter[str]()
    for scene in scenes(world):
        for kind in world.kinds:
            question = world.ask(scene, kind, random)
            if question is None:
                continue
            asked[kind] += 1
            assert question.kind == kind
            assert question.answer in question.options
            assert len(set(question.options)) == len(question.options)
            if scene.things and name not in {"arrow", "motion"}:
                assert answer_to(question, scene) == question.answer, question
    assert set(asked) == set(world.kinds)


def test_what_points_moves_or_mirrors_is_named_rightly() -> None:
    for scene in scenes(WORLDS["arrow"]):
        assert _directed(f"arrow {arrow.direction(scene)}", scene)
    for scene in scenes(WORLDS["motion"]):
        assert _directed(f"moving {motion.direction(scene)}", scene)
        xs = [frame.things[0].x for frame in motion.frames(scene)]
        ys = [frame.things[0].y for frame in motion.frames(scene)]
        step = {"left": -np.diff(xs), "right": np.diff(xs), "up": -np.diff(ys), "down": np.diff(ys)}
        assert (step[motion.direction(scene)] > 20).all()
    for scene in scenes(WORLDS["pattern"]):
        filled = np.array(scene.blocks.filled)  # type: ignore[union-attr]
        assert filled[:, :3].sum() == filled[:, 3:].sum(), "the number of blocks must not tell"
        assert (pattern.symmetry(scene) == "symmetric") == bool((filled == filled[:, ::-1]).all())


@pytest.mark.parametrize("name", ["relation twins", "binding twins"])
def test_twins_are_told_in_the_same_words(name: str) -> None:
    world = WORLDS[name]
    assert isinstance(world, Twins)
    for index, scene in enumerate(scenes(world)):
        twin = world.twin(scene)
        own, other = (world.caption(each, np.random.default_rng(index)) for each in (scene, twin))
        assert own != other
        words = [sorted(re.sub(r"\ban\b", "a", caption).rstrip(".").split()) for caption in (own, other)]
        assert words[0] == words[1]
        assert is_true(own, scene)
        assert is_true(other, twin)
        assert not is_true(own, twin)
        assert not is_true(other, scene)
        assert world.twin(twin) == scene


@pytest.mark.parametrize("name", WORLDS)
def test_things_do_not_touch_and_stay_in_the_picture(name: str) -> None:
    for scene in scenes(WORLDS[name]):
        for i, one in enumerate(scene.things):
            assert 0 < one.x < 224
            assert 0 < one.y < 224
            for other in scene.things[:i]:
                assert np.hypot(one.x - other.x, one.y - other.y) > 0.95 * (one.radius + other.radius)


def test_streams_are_independent() -> None:
    """What one purpose draws moves no other: a scene is the same whatever was said of it before."""
    for world in WORLDS.values():
        quiet, talked = draws(world, 3), draws(world, 3)
        talked.language.random(100)
        assert world.draw(quiet) == world.draw(talked)
        bare = draws(world, 3)
        bare.nuisance.random(50)
        one, other = world.draw(draws(world, 3)), world.draw(bare)
        assert replace(one, nuisance=other.nuisance) == other


def test_questions_do_not_follow_from_scenes() -> None:
    """The kind of question is independent of what the scene holds (chi-square below its 99.9 % bound)."""
    table = np.zeros((3, 6))
    for row in rows.rows("scenes-many", "validation"):
        table[row.cells["things"] - 2, cells.CHOICE.index(row.cells["choice_kind"])] += 1
    free = [cells.CHOICE.index(kind) for kind in ("shape", "colour", "texture", "count", "location")]
    part = table[1:, free]  # with two things the question of relation gives way to the next kind
    expected = part.sum(1, keepdims=True) * part.sum(0) / part.sum()
    assert ((part - expected) ** 2 / expected).sum() < 18.5


def test_attributes_are_dealt_evenly() -> None:
    single = [row.cells for row in rows.rows("scenes-single", "test")]
    for column, values in (("shape", SHAPES), ("size", SIZES), ("texture", TEXTURES), ("colour", tuple(COLOURS))):
        counted = Counter(row[column] for row in single)
        assert set(counted) == set(values)
        assert max(counted.values()) - min(counted.values()) <= (0 if column != "colour" else 12)


@pytest.mark.parametrize("split", rows.SPLITS)
def test_the_larger_or_smaller_is_named_first_as_often_as_second(split: str) -> None:
    world, places = data.SETS["scenes-comparison"].world, Counter[int]()
    for index, row in enumerate(rows.rows("scenes-comparison", split)):
        text, answer, options = (row.cells[key] for key in ("question", "answer", "options"))
        assert text.endswith(f"the {options[0]} or the {options[1]}?")
        asked = Question("comparison", text, answer, tuple(options))
        assert answer_to(asked, world.draw(draws(world, index, (rows.SPLITS[split], 0)))) == answer
        places[options.index(answer)] += 1
    assert places[0] == places[1] > 0


def test_held_out_pairs_are_in_no_training_picture_or_text() -> None:
    pairs = {(shape, colour) for shape in SHAPES for colour in COLOURS if held_out(shape, colour)}
    assert len(pairs) == 10
    assert {shape for shape, _ in pairs} == set(SHAPES)
    assert {colour for _, colour in pairs} == set(COLOURS)
    kept = re.compile("|".join(rf"\b{colour} {shape}" for shape, colour in pairs))
    for block in range(2):
        for row in training.rows(5, block):
            texts = [row.cells[key] for key in ("caption", "negative", "description", "question")]
            assert not any(kept.search(text) for text in texts), texts
            shapes, colours = (np.array(row.cells[key]) for key in ("shapes", "colours"))
            for shape, colour in set(zip(shapes[shapes > 0], colours[shapes > 0], strict=True)):
                assert (SHAPES[shape - 1], list(COLOURS)[colour - 1]) not in pairs


def test_facts_are_true() -> None:
    asked = 0
    for world in (data.MANY, data.RELATION, data.BINDING):
        for scene in scenes(world):
            table = np.array(labels.facts(scene, np.random.default_rng(3))[:400]).reshape(4, 10, 10)
            for kind, i, j in zip(*np.nonzero(table >= 0), strict=True):
                one = _only(scene, SHAPES[i])
                truth = table[kind, i, j] == 1
                if kind == 0:
                    assert (one.colour == list(COLOURS)[j]) == truth
                    assert list(COLOURS)[j] in {thing.colour for thing in scene.things}
                else:
                    other = _only(scene, SHAPES[j])
                    assert (one.x < other.x, one.y < other.y, one.radius > other.radius)[kind - 1] == truth
                asked += 1
    assert asked > 1000


def test_facts_of_one_value_are_asked_evenly() -> None:
    yes = no = 0
    for row in training.rows(6, 0):
        alone = np.array(row.cells["facts"][400:])
        yes, no = yes + (alone == 1).sum(), no + (alone == 0).sum()
    assert yes == no > 512
    for world in (data.SINGLE, WORLDS["word"], WORLDS["motion"], WORLDS["pattern"]):
        for scene in scenes(world, 10):
            held = labels._alone(scene)
            for name, value in held.items():
                assert value in dict(labels._ALONE)[name]
                assert name == "count" or value == "plain" or value in world.describe(scene, np.random.default_rng(0))


def test_no_test_scene_is_a_training_scene() -> None:
    tested = {
        row.cells[key].digest
        for name in rows.SIZES
        for split in ("test", "validation")
        for row in islice(rows.rows(name, split), 40)
        for key in ("image",)
        if key in row.cells
    }
    trained = {row.cells["image"].digest for seed in (0, 1) for row in training.rows(seed, 0)}
    assert len(trained) == 2 * training.BLOCK
    assert not tested & trained


def test_mini_is_the_first_tenth_of_test() -> None:
    for name in rows.SIZES:
        whole = [row.cells["id"] for row in rows.rows(name, "test")]
        assert [row.cells["id"] for row in rows.rows(name, "mini")] == whole[: len(whole) // 10]


def test_texts_are_pinned() -> None:
    """The words of a few rows: another sentence for the same seed needs another VERSION in data.py."""
    many = next(rows.rows("scenes-many", "test")).cells
    assert list(many["captions"]) == [
        "this is a small red cross, a large green triangle and a large brown star.",
        "a large green triangle, a large brown star and a small red cross.",
    ]
    assert many["question"] == "is the green object small or large?"
    row = next(training.rows(0, 0)).cells
    assert row["caption"] == "there is a large blue ring and a small yellow triangle."


def test_words_are_few_and_short() -> None:
    assert len(set(WORDS)) == 40
    assert all(3 <= len(word) <= 4 for word in WORDS)
