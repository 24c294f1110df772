"""Corruptions are controls: asked by name and severity, shown on every route, refused where they have no meaning."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.ask.controls import parse_controls
from mmbench.harness.ask.corrupted import corrupted, parse_corruptions
from mmbench.harness.ask.subject import Subject
from mmbench.harness.errors import Unsupported, UsageError
from mmbench.harness.media.corruptions.table import CORRUPTIONS, GROUPS
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Video
from mmbench.harness.types import Option, Sample
from tests import fakes

MakePicture = Callable[..., Image]
OPTIONS = (Option("cat", ("a cat",)), Option("dog", ("a dog",)))


def sample(*media: Image | Video) -> Sample:
    return Sample("0", media, "what", OPTIONS, ("a", "b"))


# Names


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ()),
        (" , ", ()),
        ("fog@2", ("uncorrupted", "fog@2")),
        (" pixelate@4-5 , fog@1", ("uncorrupted", "fog@1", "pixelate@4", "pixelate@5")),
        ("contrast", ("uncorrupted", *(f"contrast@{severity}" for severity in range(1, 6)))),
        ("blur@3-3", ("uncorrupted", "glass_blur@3", "zoom_blur@3")),
        ("fog@1,fog@3", ("uncorrupted", "fog@1", "fog@3")),
    ],
)
def test_names_are_parsed(given: str, expected: tuple[str, ...]) -> None:
    assert parse_corruptions(given) == expected


def test_groups_together_are_all() -> None:
    asked = parse_corruptions(",".join(GROUPS))
    assert asked == ("uncorrupted", *(f"{name}@{severity}" for name in CORRUPTIONS for severity in range(1, 6)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "gausian_noise",
            "there is no corruption 'gausian_noise'; did you mean 'gaussian_noise'?; there are gaussian_n",
        ),
        ("blind", "there is no corruption 'blind'"),
        ("@3", "there is no corruption ''"),
        (
            "motion_blur@2",
            "the corruption 'motion_blur' is not provided, for ImageNet-C makes it by ImageMagick; there",
        ),
        (
            "frost",
            "not provided, for ImageNet-C makes it by photographs of frost of unknown origin; there are gaussian",
        ),
        ("fog@6", "'fog@6' has no severities: they are whole numbers from 1 to 5, as in fog@3 or fog@2-4"),
        ("fog@0", "'fog@0' has no severities"),
        ("fog@", "'fog@' has no severities"),
        ("fog@4-2", "'fog@4-2' has no severities"),
        ("fog@2-9", "'fog@2-9' has no severities"),
        ("fog@2.5", "'fog@2.5' has no severities"),
        ("fog@1@2", "'fog@1@2' has no severities"),
        ("noise@all", "'noise@all' has no severities: they are whole numbers from 1 to 5, as in noise@3"),
        ("fog@2,fog@1-3", "the corruption 'fog@2' is asked for twice; name it once"),
        ("weather,fog@1", "the corruption 'fog@1' is asked for twice"),
    ],
)
def test_other_names_are_refused_in_a_sentence(given: str, expected: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_corruptions(given)
    assert expected in str(error.value)


def test_a_corruption_among_the_controls_names_its_option() -> None:
    with pytest.raises(UsageError, match="no control 'fog@2'; expected blind, .*; a corruption is asked for by --corr"):
        parse_controls("fog@2")


# What is shown


def test_pictures_are_corrupted_each_and_made_when_asked_for(picture: MakePicture) -> None:
    one, two = sample(picture(0)), sample(picture(1), picture(2))
    control = corrupted("pixelate@5", [one, two])
    shown = [*control.media(one), *control.media(two)]
    assert len({image.digest for image in shown}) == 3
    assert [image.pil().size for image in shown] == [(224, 224)] * 3
    (clean,) = corrupted("uncorrupted", [one]).media(one)
    assert clean.pil().size == (224, 224)
    assert clean.digest not in (shown[0].digest, picture(0).digest)
    (note,) = control.notes
    assert "224 pixels on their shorter side" in note


def test_the_seed_and_the_order_of_items_change_nothing(picture: MakePicture) -> None:
    given = [sample(picture(n)) for n in range(3)]
    made = [corrupted("shot_noise@2", order).media(given[1])[0].pil().tobytes() for order in (given, given[::-1])]
    assert made[0] == made[1]


@pytest.mark.parametrize("name", ["fog@1", "uncorrupted"])
def test_items_without_pictures_and_clips_are_refused(picture: MakePicture, name: str) -> None:
    with pytest.raises(Unsupported, match="corruptions need items that show pictures"):
        corrupted(name, [sample()])
    clip = Video.of_frames([picture(0), picture(1)])
    with pytest.raises(Unsupported, match="corruptions are of pictures; clips are not corrupted"):
        corrupted(name, [sample(), sample(clip)])
    mixed = corrupted(name, [sample(picture(0)), sample(clip)])
    with pytest.raises(Unsupported, match="clips are not corrupted"):
        mixed.media(sample(clip))


class Spy:
    """Has every ability, and keeps the sizes and the greatest levels of what it was shown."""

    fingerprint = "spy"

    def __init__(self, **told: bool) -> None:
        self.seen: list[tuple[tuple[int, int], int]] = []
        self.__dict__ |= told

    def look(self, images: list[PIL.Image.Image]) -> None:
        self.seen += [(image.size, int(np.asarray(image).max())) for image in images]

    def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
        self.look(images)
        return np.ones((len(images), 2))

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return np.array([[len(text), 1.0] for text in texts])

    def score_texts(self, items: list[tuple[list[PIL.Image.Image], str, list[str]]]) -> list[list[float]]:
        for images, _, _ in items:
            self.look(images)
        return [[-float(n) for n, _ in enumerate(texts)] for _, _, texts in items]

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: object) -> list[str]:
        for images, _ in prompts:
            self.look(images)
        return ["A" for _ in prompts]


PREFERRED = ("embed", "likelihood", "generate")


@pytest.mark.parametrize("route", PREFERRED)
def test_corrupted_pictures_reach_the_model_by_every_route(subject: Callable[..., Subject], route: str) -> None:
    black = sample(Image.from_array(np.zeros((10, 20, 3), np.uint8), "black"))
    spy = Spy()
    asked = subject(spy, pinned=route)
    for name, greatest in (("uncorrupted", 0), ("brightness@3", 76), ("brightness@5", 127)):
        spy.seen.clear()
        asked = asked.sit(PREFERRED, corrupted(name, [black]))
        list(asked.choose(iter([black])))
        assert spy.seen == [((448, 224), greatest)]
        assert asked.control_by(route) == name


def test_a_model_without_eyes_keeps_the_names_apart(subject: Callable[..., Subject], picture: MakePicture) -> None:
    spy = Spy(takes_text_alone=True, ignores_pictures=True)
    asked = subject(spy, pinned="likelihood").sit(PREFERRED, corrupted("fog@2", [sample(picture(0))]))
    list(asked.choose(iter([sample(picture(0))])))
    assert (spy.seen, asked.control_by("likelihood")) == ([], "fog@2")


def test_what_cannot_be_read_is_an_error_and_never_wrong(subject: Callable[..., Subject], tmp_path: Path) -> None:
    gone = sample(Image.from_path(tmp_path / "gone.png", "row 3"))
    (tmp_path / "bad.png").write_bytes(b"\x89PNG and then nothing")
    bad = sample(Image.from_path(tmp_path / "bad.png", "row 4"))
    asked = subject(fakes.Dual()).sit(PREFERRED, corrupted("fog@2", [gone, bad]))
    answers = list(asked.choose(iter([gone, bad])))
    assert [answer.status for answer in answers] == ["error", "error"]
    assert [str(answer.message)[:6] for answer in answers] == ["row 3:", "row 4:"]
