"""What stills and unordered frames tell of a clip, by the best rule there is: one that knows every answer by heart."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from fractions import Fraction

import pytest

from mmbench.benchmarks.scenes.clips.block import FRAMES, Block, MovingWorld
from mmbench.benchmarks.scenes.clips.worlds.appearance import Appearance
from mmbench.benchmarks.scenes.clips.worlds.count import TIMES, Changes
from mmbench.benchmarks.scenes.clips.worlds.direction import Direction
from mmbench.benchmarks.scenes.clips.worlds.hiding import Hiding
from mmbench.benchmarks.scenes.clips.worlds.meeting import Meeting
from mmbench.benchmarks.scenes.clips.worlds.order import Order
from mmbench.benchmarks.scenes.clips.worlds.rotation import Rotation
from mmbench.benchmarks.scenes.clips.worlds.speed import Speed
from mmbench.benchmarks.scenes.clips.worlds.story import Story
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.benchmarks.scenes.streams import Streams

BLOCKS = 12
MIDDLE = FRAMES // 2
Shown = tuple[tuple[Scene, ...], str, str]
"""Frames, question with options, and answer of a clip."""

BY_TIME_ALONE = (Direction(), Rotation(), Order(), Changes())
BY_FRAMES_TOGETHER = (Speed(), Hiding())
ALL: tuple[MovingWorld, ...] = (*BY_TIME_ALONE, *BY_FRAMES_TOGETHER, Appearance(), Meeting(), Story())


def blocks(world: MovingWorld) -> list[Block]:
    return [world.block(Streams((1, 0), world.name, index)) for index in range(BLOCKS)]


def clips(world: MovingWorld) -> list[Shown]:
    return [
        (tuple(block.scenes[place] for place in clip.frames), f"{block.question} {block.options}", clip.answer)
        for block in blocks(world)
        for clip in block.clips
    ]


def best(seen: Iterable[tuple[Hashable, str]]) -> Fraction:
    """Return the accuracy of whoever gives the most frequent answer of all clips of which the same is seen."""
    answers: defaultdict[Hashable, Counter[str]] = defaultdict(Counter)
    for what, answer in seen:
        answers[what][answer] += 1
    return Fraction(sum(max(found.values()) for found in answers.values()), sum(map(len_of, answers.values())))


def len_of(found: Counter[str]) -> int:
    return sum(found.values())


def still(world: MovingWorld, moment: int) -> Fraction:
    return best(((frames[moment], asked), answer) for frames, asked, answer in clips(world))


def unordered(world: MovingWorld) -> Fraction:
    return best(((frozenset(Counter(frames).items()), asked), answer) for frames, asked, answer in clips(world))


def chance(world: MovingWorld) -> Fraction:
    return Fraction(1, TIMES if isinstance(world, Changes) else 2)


@pytest.mark.parametrize("world", (*BY_TIME_ALONE, *BY_FRAMES_TOGETHER), ids=lambda world: world.name)
def test_no_single_frame_tells_anything(world: MovingWorld) -> None:
    assert [still(world, moment) for moment in range(FRAMES)] == [chance(world)] * FRAMES


@pytest.mark.parametrize("world", (*BY_TIME_ALONE, Appearance(), Story()), ids=lambda world: world.name)
def test_frames_without_their_order_tell_nothing(world: MovingWorld) -> None:
    assert unordered(world) == chance(world)


@pytest.mark.parametrize("world", BY_FRAMES_TOGETHER, ids=lambda world: world.name)
def test_where_cards_say_so_frames_without_their_order_tell_all(world: MovingWorld) -> None:
    assert unordered(world) == 1


def test_the_middle_frame_tells_nothing_of_what_appears_and_all_of_what_touches() -> None:
    assert (still(Appearance(), MIDDLE), still(Appearance(), MIDDLE - 1)) == (Fraction(1, 2), Fraction(1, 2))
    assert (still(Appearance(), 0), still(Meeting(), MIDDLE)) == (1, 1)


@pytest.mark.parametrize("world", ALL, ids=lambda world: world.name)
def test_the_clip_itself_tells_all_and_answers_are_balanced(world: MovingWorld) -> None:
    shown = clips(world)
    assert best(((frames, asked), answer) for frames, asked, answer in shown) == 1
    for block in blocks(world):
        answers = Counter(clip.answer for clip in block.clips)
        assert set(answers) == set(block.options) and len(set(answers.values())) == 1
        assert len(block.clips) == world.size and len(set(block.scenes)) == len(block.scenes)
        assert all(len(clip.frames) == FRAMES for clip in block.clips)


@pytest.mark.parametrize("world", (Direction(), Rotation(), Order()), ids=lambda world: world.name)
def test_played_backwards_a_clip_is_another_of_the_set_with_the_other_answer(world: MovingWorld) -> None:
    answers = {frames: answer for frames, _, answer in clips(world)}
    assert all(answers[frames[::-1]] != answer for frames, answer in answers.items())


def test_words_of_directions_are_those_of_the_picture() -> None:
    for block in blocks(Direction()):
        for clip in block.clips:
            first, second = (block.scenes[place].things[0] for place in clip.frames[:2])
            across, down = second.x - first.x, second.y - first.y
            if abs(across) + abs(down) < 100:  # it did not come in again from the other side
                seen = {"right": across > 0, "left": across < 0, "down": down > 0, "up": down < 0}
                assert [name for name, holds in seen.items() if holds] == [clip.answer]


def test_words_of_turns_and_stories_are_those_of_the_picture() -> None:
    for block in blocks(Rotation()):
        for clip in block.clips:
            turns = [block.scenes[place].things[0].turn for place in clip.frames[:2]]
            assert clip.answer == ("counterclockwise" if (turns[1] - turns[0]) % 360 < 180 else "clockwise")
    for block in blocks(Story()):
        for clip in block.clips:
            first, last = (block.scenes[clip.frames[moment]].things[0] for moment in (0, -1))
            seen = {
                "moving right": last.x - first.x,
                "moving down": last.y - first.y,
                "getting larger": last.radius - first.radius,
                "turning clockwise": first.turn - last.turn,
            }
            seen |= {
                opposite: -seen[name]
                for name, opposite in (
                    ("moving right", "moving left"),
                    ("moving down", "moving up"),
                    ("getting larger", "getting smaller"),
                    ("turning clockwise", "turning counterclockwise"),
                )
            }
            assert [name for name, change in seen.items() if change > 0] == [clip.answer]
            assert all(clip.answer in caption and first.colour in caption for caption in clip.captions)


def test_the_faster_goes_twice_as_far_and_things_touch_where_their_radii_meet() -> None:
    for block in blocks(Speed()):
        for clip in block.clips:
            pairs = [block.scenes[place].things for place in clip.frames]
            far = [sorted(abs(b[i].x - a[i].x) for a, b in zip(pairs, pairs[1:], strict=False))[0] for i in range(2)]
            assert pairs[0][far.index(max(far))].shape == clip.answer
            assert max(far) == pytest.approx(2 * min(far), abs=0.5)
    for block in blocks(Meeting()):
        for clip in block.clips:
            pairs = [block.scenes[place].things for place in clip.frames]
            gaps = [abs(a.x - b.x) + abs(a.y - b.y) - a.radius - b.radius for a, b in pairs]
            assert (min(gaps) < 1) == (clip.answer == "yes") and min(gaps) > -1


def test_counts_and_orders_are_those_of_the_clip() -> None:
    for block in blocks(Changes()):
        for clip in block.clips:
            times = sum(one != other for one, other in zip(clip.frames, clip.frames[1:], strict=False))
            assert block.options[times - 1] == clip.answer
    for block in blocks(Order()):
        for clip in block.clips:
            scenes = [block.scenes[place] for place in clip.frames]
            after = next(scene for scene in scenes if scene != scenes[0])
            (changed,) = (one.shape for one, other in zip(scenes[0].things, after.things, strict=True) if one != other)
            assert changed == clip.answer


def test_what_goes_behind_the_wall_is_not_seen_there_and_comes_out_as_told() -> None:
    for block in blocks(Hiding()):
        (wall,) = block.scenes[0].bars
        for clip in block.clips:
            ways = [block.scenes[place].things[0] for place in clip.frames]
            middle = ways[MIDDLE]
            assert wall.left < middle.x - middle.radius and middle.x + middle.radius < wall.right
            assert ((ways[0].x < wall.left) != (ways[-1].x < wall.left)) == (clip.answer == "yes")
