"""Under a control a model sees other pictures than the items' own, and the record says which."""

import gc
import json
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.ask.controls import CONTROLS, GREY, Control, blind, make_control, parse_controls, shuffled
from mmbench.harness.ask.subject import Subject
from mmbench.harness.ask.wording import Wording
from mmbench.harness.errors import Unsupported, UsageError
from mmbench.harness.media.image import Image
from mmbench.harness.types import Option, Sample
from tests import fakes

MakePicture = Callable[..., Image]
MakeSubject = Callable[..., Subject]
OPTIONS = (Option("cat", ("a cat",)), Option("dog", ("a dog",)))


def samples(images: Iterable[Image | Sequence[Image]]) -> list[Sample]:
    groups = [(each,) if isinstance(each, Image) else tuple(each) for each in images]
    return [Sample(str(n), group, "what", OPTIONS, ("a", "b")) for n, group in enumerate(groups)]


def shown(control: Control, given: Iterable[Sample]) -> list[list[str]]:
    """The digests of what the control shows for each sample."""
    return [[image.digest for image in control.media(sample)] for sample in given]


# blind


def test_the_blind_picture_is_mid_grey() -> None:
    pixels = np.asarray(GREY.pil())
    assert pixels.shape == (224, 224, 3)
    assert (pixels == 128).all()


def test_blind_shows_one_grey_picture_for_each(picture: MakePicture) -> None:
    one, two, none = samples([picture(0), [picture(1), picture(2)], []])
    media = blind().media
    assert [media(sample) for sample in (one, two, none)] == [(GREY,), (GREY, GREY), ()]


# shuffled


def test_shuffled_gives_each_picture_to_another_item(picture: MakePicture) -> None:
    for count in (2, 3, 20):
        given = samples(picture(n) for n in range(count))
        own = [sample.media[0].digest for sample in given]
        got = [digests[0] for digests in shown(shuffled(given, 0), given)]
        assert sorted(got) == sorted(own), "every picture is shown once"
        assert all(a != b for a, b in zip(own, got, strict=True)), "and none at its own place"


def test_equal_pictures_are_replaced_alike_and_never_by_an_equal_one(picture: MakePicture) -> None:
    given = samples([picture(0), picture(1), picture(0), [picture(2), picture(0)], picture(1)])
    for seed in range(30):
        seen = {}
        for sample, digests in zip(given, shown(shuffled(given, seed), given), strict=True):
            for own, other in zip(sample.media, digests, strict=True):
                assert own.digest != other
                assert seen.setdefault(own.digest, other) == other
        assert len(set(seen.values())) == 3, "no two different pictures are replaced by one"


def test_one_cycle_through_all(picture: MakePicture) -> None:
    given = samples(picture(n) for n in range(12))
    for seed in range(10):
        following = {
            s.media[0].digest: digests[0] for s, digests in zip(given, shown(shuffled(given, seed), given), strict=True)
        }
        at = start = given[0].media[0].digest
        for step in range(1, 13):
            at = following[at]
            assert (at == start) == (step == 12)


def test_the_seed_decides_and_the_order_of_items_does_not(picture: MakePicture) -> None:
    given = samples(picture(n) for n in range(12))
    assert shown(shuffled(given, 5), given) == shown(shuffled(given, 5), given)
    assert shown(shuffled(given, 5), given) == shown(shuffled(given[::-1], 5), given)
    assert len({json.dumps(shown(shuffled(given, seed), given)) for seed in range(8)}) == 8


def test_an_item_that_was_not_shuffled_never_keeps_its_picture(picture: MakePicture) -> None:
    control = shuffled(samples(picture(n) for n in range(3)), 0)
    (stranger,) = samples([picture(9)])
    with pytest.raises(KeyError):
        control.media(stranger)


def test_a_picture_that_cannot_be_read_stays_where_it_is(picture: MakePicture, tmp_path: Path) -> None:
    gone = Image.from_path(tmp_path / "gone.png")
    given = samples([picture(0), gone, [gone, picture(1)]])
    control = shuffled(given, 0)
    assert control.media(given[1]) == (gone,)
    assert control.media(given[2])[0] is gone
    assert control.media(given[2])[1].digest == picture(0).digest
    assert shown(control, given[:1]) == [[picture(1).digest]]


@pytest.mark.parametrize("count", [0, 1, 5])
def test_one_picture_alone_cannot_be_shuffled(picture: MakePicture, count: int) -> None:
    with pytest.raises(Unsupported, match="the control 'shuffled' needs at least two different pictures"):
        shuffled(samples([picture(0)] * count), 0)


def test_text_alone_cannot_be_shuffled() -> None:
    with pytest.raises(Unsupported, match="at least two different pictures"):
        shuffled(samples([[], []]), 0)


def test_encoded_pictures_wait_in_a_folder_that_goes_with_the_control(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spool"))
    (tmp_path / "spool").mkdir()
    file = tmp_path / "on disk.png"
    PIL.Image.new("RGB", (4, 4), "red").save(file)
    data = file.read_bytes()
    PIL.Image.new("RGB", (4, 4), "blue").save(file)
    given = samples([Image.from_bytes(data, "row 0"), Image.from_path(file), Image.from_bytes(data, "row 2")])
    control = shuffled(given, 0)
    (folder,) = (tmp_path / "spool").iterdir()
    assert [each.read_bytes() for each in folder.iterdir()] == [data], "equal ones once, those on disk not at all"
    colours = [control.media(sample)[0].pil().getpixel((0, 0)) for sample in given]
    assert colours == [(0, 0, 255), (255, 0, 0), (0, 0, 255)]
    assert control.media(given[1])[0].locator == "row 0"
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)  # raised in a finalizer, it would be reported as unraisable
        del control
        gc.collect()
    assert not list((tmp_path / "spool").iterdir())
    with pytest.raises(Unsupported):
        shuffled(given[::2], 0)
    gc.collect()
    assert not list((tmp_path / "spool").iterdir()), "nor is anything left where there is nothing to shuffle"


def test_the_bytes_of_pictures_are_not_all_held() -> None:
    count, size = 60, 200_000

    def stream() -> Iterable[Sample]:
        for n in range(count):
            data = np.random.default_rng(n).bytes(size)  # need not be pictures: nothing is decoded
            yield Sample(str(n), (Image.from_bytes(data, f"row {n}"),))

    PIL.Image.init()  # whose plug-ins are no pictures
    tracemalloc.start()
    control = shuffled(stream(), 0)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert control.name == "shuffled"
    assert held < 5 * size
    assert peak < 10 * size < count * size


# Names


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ()),
        (" , ", ()),
        ("blind", ("blind",)),
        ("shuffled,blind", ("blind", "shuffled")),
        (" blind , blind ", ("blind",)),
    ],
)
def test_names_are_parsed(given: str, expected: tuple[str, ...]) -> None:
    assert parse_controls(given) == expected


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(
        UsageError, match="no control 'shufled'; did you mean 'shuffled'.*blind, shuffled, shuffled-frames"
    ):
        parse_controls("blind,shufled")


def test_controls_are_made_by_name(picture: MakePicture) -> None:
    given = samples([picture(0), picture(1)])
    assert [make_control(name, given, 0).name for name in CONTROLS[:2]] == ["blind", "shuffled"]


# What reaches the model


class Spy:
    """Has every ability, answers by the pictures, and keeps what it was shown."""

    fingerprint = "spy"

    def __init__(self, digest: Callable[[PIL.Image.Image], bytes], *, takes_text_alone: bool | None = None) -> None:
        self.digest = digest
        self.seen: Counter[tuple[bytes, ...]] = Counter()
        if takes_text_alone is not None:
            self.takes_text_alone = takes_text_alone

    def look(self, images: Sequence[PIL.Image.Image]) -> int:
        key = tuple(map(self.digest, images))
        self.seen[key] += 1
        return sum(b"".join(key)) % 251

    def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
        return np.array([[1.0, self.look([image])] for image in images])

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return np.array([[len(text), 1.0] for text in texts])

    def score_texts(self, items: list[tuple[list[PIL.Image.Image], str, list[str]]]) -> list[list[float]]:
        made = [(self.look(images), texts) for images, _, texts in items]
        return [[-float(seen + n) for n, _ in enumerate(texts)] for seen, texts in made]

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: object) -> list[str]:
        return ["AB"[self.look(images) % 2] for images, _ in prompts]


def ask(subject: Subject, verb: str, given: Sequence[Sample]) -> None:
    if verb == "choose":
        list(subject.choose(iter(given)))
    elif verb == "answer":
        list(subject.answer(iter(given), ["cat", "dog"], Wording()))
    else:
        list(subject.within(iter(given), Wording()))


PREFERRED = ("embed", "likelihood", "generate")
ROUTES = [(verb, route) for verb in ("choose", "answer") for route in ("embed", "likelihood", "generate")]
ROUTES += [("within", "embed"), ("within", "likelihood")]


@pytest.mark.parametrize(("verb", "route"), ROUTES)
def test_the_pictures_of_the_control_reach_the_model(
    subject: MakeSubject, picture: MakePicture, verb: str, route: str
) -> None:
    given = samples(picture(n) for n in range(4))
    spy = Spy(fakes.picture_bytes)
    asked = subject(spy, pinned=route)

    asked = asked.sit(PREFERRED, blind())
    ask(asked, verb, given)
    assert set(spy.seen) == {(fakes.picture_bytes(GREY.pil()),)}
    assert asked.control_by(route) == "blind"

    spy.seen.clear()
    control = shuffled(given, 0)
    asked = asked.sit(PREFERRED, control)
    ask(asked, verb, given)
    assert set(spy.seen) == {(fakes.picture_bytes(control.media(sample)[0].pil()),) for sample in given}
    assert asked.control_by(route) == "shuffled"

    spy.seen.clear()
    asked = asked.sit(PREFERRED, None)
    ask(asked, verb, given)
    own = {(fakes.picture_bytes(sample.media[0].pil()),) for sample in given}
    # What the shuffle asked already is remembered; a ranking of answers is the same question for each picture.
    assert set(spy.seen) <= own
    assert asked.control_by(route) is None


@pytest.mark.parametrize(("verb", "route"), ROUTES)
def test_a_model_that_takes_text_alone_is_blind_without_any_picture(
    subject: MakeSubject, picture: MakePicture, verb: str, route: str
) -> None:
    given = samples(picture(n) for n in range(4))
    spy = Spy(fakes.picture_bytes, takes_text_alone=True)
    asked = subject(spy, pinned=route)
    asked = asked.sit(PREFERRED, blind())
    ask(asked, verb, given)
    if route == "embed":  # a vector of no picture there is not
        assert (set(spy.seen), asked.control_by(route)) == ({(fakes.picture_bytes(GREY.pil()),)}, "blind")
    else:
        assert (set(spy.seen), asked.control_by(route)) == ({()}, "blind:none")
    spy.seen.clear()
    asked = asked.sit(PREFERRED, shuffled(given, 0))
    ask(asked, verb, given)
    assert asked.control_by(route) == "shuffled"
    assert () not in spy.seen


@pytest.mark.parametrize("able", [False, None])
def test_a_model_that_says_it_needs_a_picture_gets_the_grey_one(
    subject: MakeSubject, picture: MakePicture, able: bool | None
) -> None:
    spy = Spy(fakes.picture_bytes, takes_text_alone=able)
    asked = subject(spy, pinned="generate")
    asked = asked.sit(PREFERRED, blind())
    ask(asked, "choose", samples([picture(0)]))
    assert (set(spy.seen), asked.control_by("generate")) == ({(fakes.picture_bytes(GREY.pil()),)}, "blind")


def test_two_pictures_of_a_pair_are_each_replaced(subject: MakeSubject, picture: MakePicture) -> None:
    given = samples([[picture(0), picture(1)], [picture(2), picture(3)]])
    spy = Spy(fakes.picture_bytes)
    asked = subject(spy, pinned="likelihood")
    asked = asked.sit(PREFERRED, blind())
    (scores, _) = asked.within(iter(given), Wording())
    assert scores.shape == (2, 2)
    assert (scores[0] == scores[1]).all()
    assert spy.seen == {(fakes.picture_bytes(GREY.pil()),): 1}, "asked once for all"


def test_the_blind_picture_owes_nothing_to_the_picture(subject: MakeSubject, picture: MakePicture) -> None:
    asked = subject(fakes.Scorer())
    asked = asked.sit(PREFERRED, blind())
    got = list(asked.choose(samples(picture(n) for n in range(3)), OPTIONS, Wording(likelihood="pmi")))
    assert [choice.scores.tolist() for choice in got] == [[0.0, 0.0]] * 3
