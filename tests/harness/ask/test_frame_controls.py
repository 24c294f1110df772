"""Controls of clips: the frames in another order or one alone, each clip by its own draw, and never as they were."""

import numpy as np
import pytest

from mmbench.harness.ask.controls import CONTROLS, make_control, parse_controls
from mmbench.harness.errors import Unsupported
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Video
from mmbench.harness.types import Sample


def frame(level: int) -> Image:
    return Image.from_array(np.full((4, 4), level, np.uint8), f"level {level}")


def clip(*levels: int) -> Video:
    return Video.of_frames([frame(level) for level in levels], "a clip", fps=2.0)


def shown(name: str, *levels: int, seed: int = 0) -> list[int]:
    """The levels of the frames that a control shows of a clip."""
    made = of(name, clip(*levels), seed)
    return [int(np.asarray(image.pil())[0, 0, 0]) for image in made.frames()]


def of(name: str, given: Video, seed: int = 0) -> Video:
    sample = Sample("0", (given,))
    (made,) = make_control(name, [sample], seed).media(sample)  # type: ignore[arg-type]
    assert isinstance(made, Video)
    return made


def test_each_shows_what_it_says() -> None:
    assert shown("reversed", 1, 2, 3, 4) == [4, 3, 2, 1]
    assert shown("single-frame", 1, 2, 3) == [2]
    assert shown("single-frame", 1, 2, 3, 4) == [3]
    assert shown("single-frame", 1) == [1]
    assert sorted(shown("shuffled-frames", 1, 2, 3, 4)) == [1, 2, 3, 4]


def test_shuffled_frames_never_look_as_they_were() -> None:
    for seed in range(40):
        assert shown("shuffled-frames", 1, 2, seed=seed) == [2, 1]
        assert shown("shuffled-frames", 5, 5, 7, seed=seed) != [5, 5, 7]
    assert shown("shuffled-frames", 5, 5) == [5, 5]
    assert shown("shuffled-frames", 5) == [5]


def test_the_order_is_the_clips_own_and_the_seeds() -> None:
    levels = [list(range(start, start + 8)) for start in range(20)]
    orders = {tuple(level - each[0] for level in shown("shuffled-frames", *each)) for each in levels}
    assert len(orders) > 15
    assert shown("shuffled-frames", *levels[0]) == shown("shuffled-frames", *levels[0])
    assert len({tuple(shown("shuffled-frames", *levels[0], seed=seed)) for seed in range(10)}) > 5


@pytest.mark.parametrize("name", ["shuffled-frames", "reversed"])
def test_moments_stay_in_order_since_they_would_tell(name: str) -> None:
    made = of(name, clip(1, 2, 3, 4))
    assert made.timestamps == (0.0, 0.5, 1.0, 1.5)
    assert sorted(made.indices) == [0, 1, 2, 3] and made.indices != (0, 1, 2, 3)


def test_other_frames_are_another_clip_and_its_cluster_stays() -> None:
    given = clip(1, 2, 3)
    made = [of(name, given) for name in ("shuffled-frames", "single-frame", "reversed")]
    assert len({each.digest for each in (given, *made, of("shuffled-frames", given, 1))}) == 5


def test_pictures_beside_a_clip_stay_and_without_clips_there_is_no_such_control() -> None:
    picture = frame(9)
    sample = Sample("0", (picture, clip(1, 2)))
    shown_first, _ = make_control("reversed", [sample], 0).media(sample)
    assert shown_first is picture
    with pytest.raises(Unsupported, match="'reversed' needs items that show clips"):
        make_control("reversed", [Sample("0", (picture,))], 0)


def test_names_are_read_in_any_order() -> None:
    assert parse_controls("reversed, single-frame,shuffled-frames") == CONTROLS[2:]
