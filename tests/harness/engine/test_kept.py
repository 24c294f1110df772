"""A picture is prepared once for all that is asked about it, within bounds, and only where the adapter allows it."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.engine.kept import Kept
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.kind import Kind
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.errors import Unreadable
from mmbench.harness.media.image import Content
from mmbench.harness.models.abilities import Generation
from mmbench.harness.types import Failure

WAIT = 60


class Painter:
    """Sees the level of a picture; counts what it draws and prepares."""

    fingerprint = "painter"

    def __init__(self, once: object = True) -> None:
        self.prepares_once = once
        self.prepared: Counter[Any] = Counter()
        self.lock = threading.Lock()

    def prepare_image(self, image: PIL.Image.Image) -> np.ndarray:
        with self.lock:
            self.prepared[np.asarray(image)[0, 0, 0]] += 1
        return np.asarray(image)

    def embed_images(self, images: list[np.ndarray]) -> np.ndarray:
        return np.array([[image[0, 0, 0], 1.0] for image in images])

    def score_texts(self, items: list[tuple[list[np.ndarray], str, list[str]]]) -> list[list[float]]:
        return [[-float(images[0][0, 0, 0])] * len(texts) for images, _, texts in items]

    def generate(self, prompts: list[tuple[list[np.ndarray], str]], settings: Generation) -> list[str]:
        return [str(images[0][0, 0, 0]) for images, _ in prompts]


def content(n: int) -> Content:
    return Content(f"{n}", 0, lambda: PIL.Image.new("RGB", (4, 4), (n, 0, 0)))


def damaged() -> Content:
    def decode() -> PIL.Image.Image:
        raise Unreadable("cut.png: not a readable picture")

    return Content("damaged", 0, decode)


def asked(engine: LocalEngine, kind: Kind, pictures: list[Content]) -> list[Any]:
    questions = [Question(kind, key=b"%d" % i, texts=("a",), contents=(each,)) for i, each in enumerate(pictures)]
    return [each.value for batch in engine.map(questions) for each in batch]


@pytest.mark.parametrize(("once", "times"), [(True, 1), (False, 3), ("no", 3)])
def test_a_picture_is_prepared_once_for_all_kinds_of_question(once: object, times: int) -> None:
    painter = Painter(once)
    engine = LocalEngine(painter, workers=4)
    try:
        pictures = [content(n) for n in range(40)]
        assert [value[0] for value in asked(engine, IMAGE, pictures)] == list(range(40))
        assert [value[0] for value in asked(engine, SCORE, pictures)] == [-n for n in range(40)]
        assert asked(engine, REPLY, pictures) == [str(n) for n in range(40)]
    finally:
        engine.close()
    assert set(painter.prepared.values()) == {times}


def test_questions_of_one_stream_share_a_picture() -> None:
    painter = Painter()
    engine = LocalEngine(painter, workers=4)
    try:
        assert asked(engine, REPLY, [content(n // 6) for n in range(60)]) == [str(n // 6) for n in range(60)]
    finally:
        engine.close()
    assert set(painter.prepared.values()) == {1}


def test_kept_pictures_pass_no_thread_and_count_as_used() -> None:
    kept = Kept(10 * 2048)
    kept.next_pass()
    for name in "abc":
        kept.get(name, picture)
    assert kept.found(["a", "absent"]) is None
    kept.next_pass()
    found = kept.found(["a", "b", "a"])
    assert found is not None
    assert [each.shape for each in found] == [(1024,)] * 3
    for n in range(8):  # the one that was not asked for again makes room
        kept.get(f"{n}", picture)
    assert kept.found(["a", "b"]) is not None
    assert kept.found(["c"]) is None


def test_a_damaged_picture_fails_each_time_and_no_other_does() -> None:
    engine = LocalEngine(Painter(), workers=2)
    try:
        for kind in (REPLY, SCORE, REPLY):
            values = asked(engine, kind, [content(1), damaged(), content(2), damaged()])
            assert [isinstance(value, Failure) for value in values] == [False, True, False, True]
            assert "cut.png" in str(values[1])
    finally:
        engine.close()


def test_an_adapter_that_only_embeds_keeps_nothing() -> None:
    embeds = Painter()
    embeds.score_texts = embeds.generate = None  # type: ignore[method-assign, assignment]
    assert Kept.of(embeds) is None
    assert Kept.of(Painter()) is not None


def picture() -> np.ndarray:
    return np.zeros(1024, np.uint8)


def test_a_task_of_more_pictures_than_there_is_room_for_finds_the_first_ones_again() -> None:
    kept, made = Kept(10 * 2048), Counter[str]()

    def go_through(name: str, count: int) -> int:
        before = made.total()
        kept.next_pass()
        for n in range(count):
            kept.get(f"{name}{n}", lambda: made.update([name]) or picture())
        return made.total() - before

    assert go_through("large", 30) == 30
    assert go_through("large", 30) == 20
    assert go_through("small", 4) == 4, "others make room for them"
    assert go_through("small", 4) == 0
    assert go_through("large", 30) == 24


@pytest.mark.parametrize("prepared", [object(), Failure("damaged"), np.zeros(1 << 20, np.uint8)])
def test_what_has_no_size_and_what_is_too_large_is_not_kept(prepared: object) -> None:
    kept = Kept(10_000)
    assert kept.get("a", lambda: prepared) is prepared
    assert kept.get("a", lambda: "made anew") == "made anew"


def test_threads_wait_for_who_prepares_and_hear_of_a_failure() -> None:
    kept, begun, go = Kept(), threading.Event(), threading.Event()
    found: list[object] = []

    def breaks() -> object:
        begun.set()
        assert go.wait(WAIT)
        raise ValueError("no such mode")

    def ask(make: Callable[[], object]) -> None:
        try:
            found.append(kept.get("a", make))
        except ValueError as error:
            found.append(str(error))

    first = threading.Thread(target=ask, args=(breaks,))
    first.start()
    assert begun.wait(WAIT)
    second = threading.Thread(target=ask, args=(picture,))
    second.start()
    go.set()
    first.join(WAIT)
    second.join(WAIT)
    assert found[0] == "no such mode"
    assert kept.get("a", picture) is not None
