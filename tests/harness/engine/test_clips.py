"""Clips of a question as an adapter receives them: whole where it takes clips, else frame by frame."""

from typing import Any

import numpy as np
import pytest

from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.media.frame_spec import FrameSpec
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Video
from mmbench.harness.models.abilities import Frames


def picture(value: int) -> Image:
    return Image.from_array(np.full((4, 4, 3), value, np.uint8), str(value))


def video(first: int, fps: float = 2.0) -> Video:
    made = Video.of_frames([picture(first + at) for at in range(6)], fps=fps)
    return made.sampled(FrameSpec(sampler="uniform", count=3))


class Looks:
    fingerprint = "looks"

    def __init__(self, **said: bool) -> None:
        self.seen: list[Any] = []
        vars(self).update(said)

    def prepare_image(self, image: Any) -> int:
        return int(np.asarray(image).max())

    def generate(self, prompts: list[Any], settings: object) -> list[str]:
        self.seen += [shown for shown, _ in prompts]
        return ["yes"] * len(prompts)

    def score_texts(self, items: list[Any]) -> list[list[float]]:
        self.seen += [shown for shown, _, _ in items]
        return [[0.0]] * len(items)


@pytest.mark.parametrize("kind", [REPLY, SCORE])
def test_a_clip_is_one_thing_to_an_adapter_that_takes_clips(kind: Any) -> None:
    media = (picture(1), video(10), picture(2), video(20, 4.0), picture(3))
    frames = ([10, 12, 15], [20, 22, 25])
    for adapter in (Looks(takes_clips=True), Looks(takes_clips=False), Looks()):
        engine = LocalEngine(adapter)
        question = Question(kind, media, "why", texts=("because",)).read()
        assert isinstance(question, Question)
        assert [answered.value for batch in engine.map([question]) for answered in batch] in (["yes"], [[0.0]])
        engine.close()
        (shown,) = adapter.seen
        if not getattr(adapter, "takes_clips", False):
            assert shown == [1, *frames[0], 2, *frames[1], 3]
            continue
        assert [shown[at] for at in (0, 2, 4)] == [1, 2, 3] and len(shown) == 5
        assert shown[1] == Frames(tuple(frames[0]), (0.0, 1.0, 2.5), (0, 2, 5), 2.0, 6)
        assert shown[3] == Frames(tuple(frames[1]), (0.0, 0.5, 1.25), (0, 2, 5), 4.0, 6)


def test_clips_that_differ_in_time_or_length_are_other_questions() -> None:
    def key(made: Video) -> bytes:
        question = Question(REPLY, (made,), "why").read()
        assert isinstance(question, Question)
        return question.key

    longer = Video.of_frames([picture(10 + at) for at in range(9)], fps=2.0)
    first = FrameSpec(sampler="first", count=3)
    shorter = Video.of_frames([picture(10 + at) for at in range(6)], fps=2.0)
    assert key(video(10)) == key(video(10)) != key(video(10, 4.0))
    assert key(longer.sampled(first)) != key(shorter.sampled(first))
