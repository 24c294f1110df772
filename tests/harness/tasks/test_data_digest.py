"""The identity of a data set is that of what was seen, in order, and taking it costs no second read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import PIL.Image
import pytest

from mmbench.harness.errors import DataError, Unreadable
from mmbench.harness.media.image import Content, Image
from mmbench.harness.tasks.data_digest import Dataset
from mmbench.harness.tasks.part import Part
from mmbench.harness.types import Option, Sample

MakePicture = Callable[..., Image]


def numbered(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Give each sample an id of its own."""
    return (replace(sample, id=str(n)) for n, sample in enumerate(samples))


def digest(*samples: Sample) -> str:
    made = Dataset(numbered(samples))
    for _ in made:
        pass
    return made.digest()


@pytest.fixture
def full(picture: MakePicture) -> Sample:
    options = (Option("cat", ("a cat", "the cat")), Option("dog", ("a dog",)))
    return Sample("1", (picture(1),), "What is it?", options, ("a cat", "cat"), (0,), {"level": 1})


def test_ids_and_facts_do_not_matter(full: Sample) -> None:
    one, other = Dataset([full]), Dataset([replace(full, id="other", facts={})])
    assert [list(one), list(other)] == [[full], [replace(full, id="other", facts={})]]
    assert one.digest() == other.digest()
    named = [Dataset([replace(full, id=name)], ids=True) for name in ("1", "other", "1")]
    for each in named:
        list(each)
    assert named[0].digest() == named[2].digest() not in (named[1].digest(), one.digest())


def test_an_id_stands_for_one_item(full: Sample) -> None:
    with pytest.raises(DataError, match="two items have the id '1'"):
        list(Dataset([full, replace(full, question="another")]))


def test_content_matters(full: Sample, picture: MakePicture) -> None:
    changes = {
        "media": [(), (picture(2),), (picture(1), picture(1))],
        "question": ["What is it"],
        "options": [(), full.options[:1], full.options[::-1], (Option("cat", ("a cat",)), full.options[1])],
        "references": [("a cat",), ("cat", "a cat"), ("a catcat",)],
        "target": [(), (1,), (0, 1)],
    }
    others = [replace(full, **{name: value}) for name, values in changes.items() for value in values]
    assert len({digest(full), *map(digest, others)}) == 1 + len(others)


def test_order_and_number_matter(full: Sample) -> None:
    other = replace(full, question="And now?")
    found = {digest(), digest(full), digest(full, full), digest(full, other), digest(other, full)}
    assert len(found) == 5


def test_the_same_whether_pictures_were_read_or_not(picture: MakePicture) -> None:
    def samples() -> Iterator[Sample]:
        return (Sample(str(n), (picture(n),)) for n in range(30))

    read = Dataset(samples())
    for sample in read:
        sample.media[0].read()
    late = Dataset(samples())
    held = list(late)
    for sample in reversed(held):
        sample.media[0].read()
    assert read.digest() == late.digest() == digest(*samples())


def test_a_limit_cuts(full: Sample) -> None:
    cut = Dataset(numbered([full] * 5), Part(limit=3))
    assert len(list(cut)) == 3
    assert (cut.n, cut.cut) == (3, True)
    assert cut.digest() == digest(full, full, full)
    whole = Dataset(numbered([full] * 3), Part(limit=3))
    assert len(list(whole)) == 3
    assert (whole.n, whole.cut) == (3, False)


def test_an_unreadable_picture_has_its_place(full: Sample, tmp_path: Path) -> None:
    broken = replace(full, media=(Image.from_path(tmp_path / "gone.png"),))
    assert digest(full, broken) != digest(full)
    assert digest(full, broken) == digest(full, replace(broken, media=(Image.from_path(tmp_path / "else.png"),)))


def counted(reads: list[str], name: str) -> Image:
    def read() -> Content:
        reads.append(name)
        return Content(name, 0, lambda: PIL.Image.new("RGB", (1, 1)))

    return Image(read, name)


def test_each_picture_is_read_once(tmp_path: Path) -> None:
    reads: list[str] = []
    data = Dataset(Sample(str(n), (counted(reads, f"{n:032x}"),)) for n in range(3000))
    waiting: list[Sample] = []
    for sample in data:
        waiting.append(sample)
        if len(waiting) == 900:  # whoever asks the model reads late, and may lag this far behind
            for late in waiting:
                late.media[0].read()
            waiting.clear()
    data.digest()
    assert len(reads) == 3000


@pytest.mark.parametrize("first_is_missing", [False, True])
def test_samples_are_let_go_once_their_pictures_are_read(tmp_path: Path, first_is_missing: bool) -> None:
    alive: list[int] = []

    class Held(Image):
        __slots__ = ()

        def __init__(self, n: int) -> None:
            super().__init__(lambda: Content(f"{n:032x}", 0, lambda: PIL.Image.new("RGB", (1, 1))), str(n))
            alive.append(n)

        def __del__(self) -> None:
            alive.pop()

    def images() -> Iterator[Image]:
        if first_is_missing:
            yield Image.from_path(tmp_path / "gone.png")
        yield from map(Held, range(500))

    most = 0
    data = Dataset(Sample(str(n), (image,)) for n, image in enumerate(images()))
    for sample in data:
        try:
            sample.media[0].read()
        except Unreadable as error:
            assert "gone.png" in str(error)
        most = max(most, len(alive))
    assert most <= 3


def test_pictures_that_nobody_asks_for_are_not_held_for_ever() -> None:
    reads: list[str] = []
    data = Dataset(Sample(str(n), (counted(reads, f"{n:032x}"),)) for n in range(3000))
    for _ in data:
        pass
    assert len(reads) > 1000, "read for their digest alone, while the stream passes"
    data.digest()
    assert len(reads) == 3000


def test_pictures_that_nobody_reads_are_read_ahead(picture: MakePicture, tmp_path: Path) -> None:
    media = [(picture(0),), (), (Image.from_path(tmp_path / "gone.png"),), (picture(1), picture(0))]
    samples = [Sample(str(n), images) for n, images in enumerate(media)]
    late = Dataset(samples)
    assert [sample.cluster for sample in late] == ["picture 0", "1", str(tmp_path / "gone.png"), "picture 1"]
    fresh = [replace(s, media=tuple(Image(each.read, each.locator) for each in s.media)) for s in samples]
    ahead = Dataset(fresh, ahead=True)
    clusters = [sample.cluster for sample in ahead]
    assert clusters == [picture(0).digest, "1", str(tmp_path / "gone.png"), picture(1).digest]
    assert ahead.digest() == late.digest()
    assert (ahead.n, ahead.cut) == (4, False)
