"""The engine gives every input its own answer or its own failure, whatever the adapter does."""

import os
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.engine.batch_size import BatchSize
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import FLUSH, Question
from mmbench.harness.errors import AdapterError, OutOfMemory, Unreadable, WeightsUnavailable
from mmbench.harness.media.image import Content, Image
from mmbench.harness.models.abilities import Array, Generation, ImageVectors
from mmbench.harness.types import Failure
from tests import fakes

MakeEngine = Callable[..., LocalEngine]
WAIT = 60
"""Seconds after which something that should happen is taken not to happen."""


def solid(n: int, side: int = 2) -> Content:
    """A picture whose red channel is `n`."""
    return Content(f"{n}", 0, lambda: PIL.Image.new("RGB", (side, side), (n % 256, n // 256, 0)))


def number(image: PIL.Image.Image) -> int:
    red, green, _ = image.getpixel((0, 0))
    return red + 256 * green


def image_requests(count: int, side: int = 2) -> list[Question]:
    return [Question(IMAGE, key=b"%d" % n, contents=(solid(n, side),)) for n in range(count)]


def text_requests(count: int) -> list[Question]:
    return [Question(TEXT, key=b"%d" % n, texts=(str(n),)) for n in range(count)]


def answers(engine: LocalEngine, requests: Iterable[Question | str | None]) -> list[object]:
    """Return the values in the order of the requests, which is asserted."""
    given = list(requests)
    answered = [each for batch in engine.map(given) for each in batch]
    assert [each.question.key for each in answered] == [each.key for each in given if isinstance(each, Question)]
    return [each.value for each in answered]


def heads(values: Iterable[object]) -> list[float | None]:
    """Return the first number of each vector, None for a failure."""
    return [None if isinstance(value, Failure) else float(value[0]) for value in values]


class Numbers:
    """Embeds a picture or a text as its number; hooks say what goes wrong."""

    fingerprint = "numbers"

    def __init__(self, most: int | None = None, bad: Iterable[int] = (), error: type[Exception] = RuntimeError) -> None:
        self.most = most
        self.bad = frozenset(bad)
        self.error = error
        self.batches: list[int] = []

    def embed(self, numbers: list[int]) -> np.ndarray:
        self.batches.append(len(numbers))
        if self.most is not None and len(numbers) > self.most:
            raise OutOfMemory(f"{len(numbers)} do not fit")
        for n in numbers:
            if n in self.bad:
                raise self.error(f"cannot take {n}")
        return np.array([[n, 1.0] for n in numbers], dtype=np.float32)

    def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
        return self.embed([number(image) for image in images])

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return self.embed([int(text) for text in texts])


# Order and the size of batches


@pytest.mark.parametrize("batch", [1, 3, 16, None])
@pytest.mark.parametrize("make", [image_requests, text_requests])
def test_order_is_kept(engine: MakeEngine, make: Callable[[int], list[Question]], batch: int | None) -> None:
    made = Numbers()
    assert heads(answers(engine(made, batch_size=batch), make(70))) == list(range(70))
    assert sum(made.batches) == 70


def test_nothing_to_ask(engine: MakeEngine) -> None:
    assert list(engine(Numbers()).map([])) == []
    assert list(engine(Numbers()).map([None, FLUSH, None])) == [[], [], []]


def test_a_given_batch_size_is_kept(engine: MakeEngine) -> None:
    made = Numbers()
    answers(engine(made, batch_size=7), text_requests(30))
    assert made.batches == [7, 7, 7, 7, 2]


def test_the_adapter_may_fix_the_batch_size(engine: MakeEngine) -> None:
    made = Numbers()
    made.batch_size = 5
    answers(engine(made), image_requests(12))
    assert made.batches == [5, 5, 2]


def test_batches_grow_while_that_is_faster() -> None:
    size = BatchSize(None, 16, 256)
    for items in (16, 32, 64, 128):
        assert size.size == items
        size.observe(items, 1.0)  # a pass takes a second, however many items it has
    assert size.size == 256
    size.observe(256, 1.0)
    assert size.size == 256


def test_batches_stop_growing_when_that_is_not_faster() -> None:
    size = BatchSize(None, 16, 256)
    size.observe(16, 16.0)
    size.observe(32, 32.0)
    size.observe(32, 0.001)
    assert size.size == 32


def test_a_short_last_batch_says_nothing() -> None:
    size = BatchSize(None, 16, 256)
    size.observe(3, 1e-9)
    assert size.size == 16


@pytest.mark.parametrize("most", [1, 2, 3, 10, 15])
def test_memory_that_runs_out_makes_batches_smaller(engine: MakeEngine, most: int) -> None:
    made = Numbers(most=most)
    assert heads(answers(engine(made), image_requests(100))) == list(range(100))
    assert sum(batch for batch in made.batches if batch <= most) == 100
    assert max(made.batches[-3:]) > most // 2, "no smaller than it must be"


def test_memory_that_runs_out_shrinks_a_large_batch_no_more_than_needed(engine: MakeEngine) -> None:
    made = Numbers(most=10)
    assert heads(answers(engine(made, batch_size=64), text_requests(128))) == list(range(128))
    assert [batch for batch in made.batches if batch > 10] == [64, 32, 16]
    assert {batch for batch in made.batches if batch <= 10} == {8}


def test_an_input_that_alone_does_not_fit_is_a_failure(engine: MakeEngine) -> None:
    values = answers(engine(Numbers(most=0), batch_size=4), text_requests(5))
    assert all(isinstance(value, Failure) and "does not fit the device" in value.message for value in values)


def test_memory_that_runs_out_while_preparing_is_a_failure_of_that_input(engine: MakeEngine) -> None:
    class Preparing(Numbers):
        def prepare_image(self, image: PIL.Image.Image) -> PIL.Image.Image:
            if number(image) == 3:
                raise OutOfMemory("no room to prepare")
            return image

    values = answers(engine(Preparing()), image_requests(6))
    assert heads(values) == [0, 1, 2, None, 4, 5]


# Inputs that fail


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyError, MemoryError, Unreadable, np.linalg.LinAlgError])
def test_a_bad_input_fails_alone(engine: MakeEngine, error: type[Exception]) -> None:
    values = answers(engine(Numbers(bad=[3, 20], error=error)), text_requests(40))
    assert heads(values) == [None if n in (3, 20) else n for n in range(40)]
    assert isinstance(values[3], Failure)
    assert "cannot take 3" in values[3].message


@pytest.mark.parametrize("error", [RuntimeError, OutOfMemory, Unreadable])
def test_a_bad_picture_fails_alone_while_it_is_prepared(engine: MakeEngine, error: type[Exception]) -> None:
    class Preparing(Numbers):
        def prepare_image(self, image: PIL.Image.Image) -> PIL.Image.Image:
            if number(image) in (0, 9):
                raise error("cannot prepare")
            return image

    made = Preparing()
    assert heads(answers(engine(made), image_requests(30))) == [None if n in (0, 9) else n for n in range(30)]


def test_a_picture_that_cannot_be_drawn_fails_alone(engine: MakeEngine) -> None:
    def drawn(parent: PIL.Image.Image | None, /, n: int) -> PIL.Image.Image:
        if n == 2:
            raise ZeroDivisionError("a scene that cannot be drawn")
        return PIL.Image.new("RGB", (2, 2), (n, 0, 0))

    images = [Image.render(drawn, {"n": n}, 1, f"scene {n}") for n in range(4)]
    requests = [Question(IMAGE, key=b"%d" % n, contents=(image.read(),)) for n, image in enumerate(images)]
    assert heads(answers(engine(Numbers()), requests)) == [0, 1, None, 3]


def test_unreadable_pictures_never_count_against_the_model(engine: MakeEngine) -> None:
    broken = [Image.from_bytes(b"no picture %d" % n, f"file {n}").read() for n in range(40)]
    requests = [Question(IMAGE, key=b"%d" % n, contents=(content,)) for n, content in enumerate(broken)]
    requests += [Question(IMAGE, key=b"good", contents=(solid(7),))]
    values = answers(engine(Numbers()), requests)
    assert heads(values) == [None] * 40 + [7]
    assert "file 39" in values[39].message


@pytest.mark.parametrize("make", [image_requests, text_requests])
@pytest.mark.parametrize("batch", [1, 4, 64])
def test_an_adapter_that_fails_for_everything_is_broken(
    engine: MakeEngine, make: Callable[[int], list[Question]], batch: int
) -> None:
    made = Numbers(bad=range(100))
    with pytest.raises(AdapterError, match=r"each of the first 16 inputs \(RuntimeError: cannot take"):
        answers(engine(made, batch_size=batch), make(100))
    assert sum(size == 1 for size in made.batches) == 16


def test_a_preparation_that_fails_for_everything_is_broken(engine: MakeEngine) -> None:
    class Preparing(Numbers):
        def prepare_image(self, image: PIL.Image.Image) -> PIL.Image.Image:
            raise TypeError("wrong transform")

    with pytest.raises(AdapterError, match="each of the first 16 inputs"):
        answers(engine(Preparing()), image_requests(100))


def test_fifteen_failures_before_a_success_are_survived(engine: MakeEngine) -> None:
    values = answers(engine(Numbers(bad=range(15)), batch_size=1), text_requests(17))
    assert heads(values) == [None] * 15 + [15, 16]


def test_many_failures_after_a_success_are_survived(engine: MakeEngine) -> None:
    values = answers(engine(Numbers(bad=range(1, 60)), batch_size=1), text_requests(61))
    assert heads(values) == [0, *[None] * 59, 60]


def test_a_model_whose_image_tower_alone_is_broken_is_broken(engine: MakeEngine) -> None:
    class Half(Numbers):
        def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
            raise RuntimeError("no image tower")

    made = engine(Half())
    assert heads(answers(made, text_requests(3))) == [0, 1, 2]
    with pytest.raises(AdapterError, match="no image tower"):
        answers(made, image_requests(50))


def test_missing_weights_end_the_task(engine: MakeEngine) -> None:
    with pytest.raises(WeightsUnavailable, match="cannot take 5"):
        answers(engine(Numbers(bad=[5], error=WeightsUnavailable)), text_requests(10))


# What an adapter must return


@pytest.mark.parametrize(
    "made",
    [
        np.zeros((3, 2), np.float32),
        np.zeros((5, 2), np.float32),
        np.zeros(4, np.float32),
        np.zeros((4, 2, 1), np.float32),
        np.zeros((4, 2), np.int64),
        np.zeros((4, 2), np.complex64),
        np.zeros((4, 2), object),
        None,
        [],
        "text",
        ([[1.0]], [1.0, 2.0]),
        (row for row in ()),
        {"image_embeds": [[1.0]]},
        ImageVectors(np.zeros((4, 2), np.float32), np.zeros((3, 2), np.float32)),
    ],
    ids=lambda given: repr(given).partition(" at 0x")[0],  # alike in every process
)
@pytest.mark.parametrize("make", [image_requests, text_requests])
def test_vectors_of_another_shape_or_type_break_the_contract(
    engine: MakeEngine, make: Callable[[int], list[Question]], made: object
) -> None:
    with pytest.raises(AdapterError, match="expected \\(4, d\\) floating-point numbers"):
        answers(engine(fakes.constant(made)), make(4))


def test_a_coroutine_breaks_the_contract_without_a_warning(
    engine: MakeEngine, recwarn: pytest.WarningsRecorder
) -> None:
    async def late(texts: list[str]) -> object:
        return np.ones((len(texts), 2))

    with pytest.raises(AdapterError, match="returned a coroutine"):
        answers(engine(fakes.adapter("late", embed_texts=late)), text_requests(4))
    assert not recwarn.list


class Tensor:
    """As torch's: no NumPy array while it is trained, or in bfloat16."""

    def __init__(self, rows: Array, dtype: str = "torch.bfloat16", trained: bool = True) -> None:
        self.rows, self.dtype, self.trained = rows, dtype, trained

    def detach(self) -> "Tensor":
        return Tensor(self.rows, self.dtype, trained=False)

    def cpu(self) -> "Tensor":
        return self

    def float(self) -> "Tensor":
        return Tensor(self.rows, "torch.float32", self.trained)

    def __array__(self, dtype: object = None, copy: object = None) -> Array:
        if self.trained or self.dtype == "torch.bfloat16":
            raise TypeError("no array")
        return self.rows


def test_tensors_of_any_type_are_taken(engine: MakeEngine) -> None:
    values = answers(engine(fakes.constant(Tensor(np.ones((2, 3), np.float32)))), text_requests(2))
    assert [value.tolist() for value in values] == [[1, 1, 1]] * 2


@pytest.mark.parametrize("name", ["batch_size", "concurrency"])
@pytest.mark.parametrize("told", [0, -1, "8", 2.5, True])
def test_counts_that_are_none_are_told(engine: MakeEngine, name: str, told: object) -> None:
    with pytest.raises(AdapterError, match=f"{name} must be a whole number above 0"):
        engine(fakes.adapter("odd", embed_texts=lambda texts: np.ones((len(texts), 2)), **{name: told}))


def test_a_fork_that_comes_back_ends(engine: MakeEngine, tmp_path: Path) -> None:
    def forked(texts: list[str]) -> object:
        os.fork()
        return np.ones((len(texts), 2))

    answers(engine(fakes.adapter("forked", embed_texts=forked)), text_requests(1))
    with (tmp_path / "here").open("a") as file:  # a child that came back would write here too
        file.write("once")
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 1
    assert (tmp_path / "here").read_text() == "once"


def test_vectors_of_changing_length_break_the_contract(engine: MakeEngine) -> None:
    growing = fakes.adapter("growing", embed_texts=lambda texts: np.ones((len(texts), 2 + int(texts[0]))))
    with pytest.raises(AdapterError, match="after vectors of"):
        answers(engine(growing, batch_size=2), text_requests(4))


def test_lists_of_numbers_are_taken(engine: MakeEngine) -> None:
    values = answers(engine(fakes.constant([[1.0, 2.0], [3.0, 4.0]])), text_requests(2))
    assert [value.tolist() for value in values] == [[1, 2], [3, 4]]


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_vector_with_a_hole_is_a_failure_of_its_own(engine: MakeEngine, hole: float) -> None:
    made = np.ones((3, 2), np.float16)
    made[1, 1] = hole
    values = answers(engine(fakes.constant(made)), text_requests(3))
    assert heads(values) == [1, None, 1]
    assert "NaN or infinity" in values[1].message


def test_a_hole_in_the_features_alone_is_a_failure(engine: MakeEngine) -> None:
    pairs = ImageVectors(np.ones((2, 2), np.float32), np.array([[1], [np.nan]], np.float32))
    first, second = answers(engine(fakes.constant(pairs)), image_requests(2))
    assert isinstance(first, ImageVectors)
    assert isinstance(second, Failure)


def score_requests(counts: Iterable[int]) -> list[Question]:
    return [Question(SCORE, key=b"%d" % n, texts=("a",) * count) for n, count in enumerate(counts)]


@pytest.mark.parametrize(
    "row", [None, [-1.0], [-1.0] * 3, [], [-1.0, None], ["a", "b"], [[-1.0], [-2.0]], -1.0, [[1], 2]]
)
def test_a_row_that_is_no_likelihoods_costs_its_item(engine: MakeEngine, row: object) -> None:
    made = engine(fakes.constant([[-1.0, -2.0], row, [-3.0, -4.0]]))
    values = answers(made, score_requests([2, 2, 2]))
    assert heads(values) == [-1, None, -3]
    assert "one number for each text of an item, here 2" in values[1].message


@pytest.mark.parametrize("broken", [0.1, np.inf, np.nan])
def test_a_number_that_is_no_log_probability_costs_its_item(engine: MakeEngine, broken: float) -> None:
    values = answers(engine(fakes.constant([[-1.0], [broken], [1e-7]])), score_requests([1, 1, 1]))
    assert heads(values) == [-1, None, 1e-7]
    assert "log-probability" in values[1].message


def short_for(wrong: object) -> object:
    """Make an adapter whose replies lack one whenever this input is among several, and that answers it alone."""

    def made(asked: list[object], *_: object) -> list[object]:
        found = [[-1.0] if isinstance(each, tuple) and len(each) == 3 else each[1] for each in asked]
        return found[:-1] if len(found) > 1 and wrong in [each[1] for each in asked] else found

    return fakes.adapter("short", generate=made, score_texts=made)


def test_a_wrong_length_costs_no_item_where_single_inputs_are_answered(engine: MakeEngine) -> None:
    replies = answers(engine(short_for("1"), batch_size=2), reply_requests([Generation()] * 4))
    assert replies == ["0", "1", "2", "3"]
    assert heads(answers(engine(short_for("")), score_requests([1] * 3))) == [-1] * 3


@pytest.mark.parametrize("made", [None, 3, "ab", b"ab", {"a": 1, "b": 2}, {"a", "b"}, ["a", "b", "c"], []])
def test_what_is_no_list_of_replies_breaks_the_contract(engine: MakeEngine, made: object) -> None:
    with pytest.raises(AdapterError, match="generate got 2 prompts and must return 2 texts"):
        answers(engine(fakes.constant(made)), reply_requests([Generation()] * 2))
    with pytest.raises(AdapterError, match="score_texts got 2 items and must return 2 rows"):
        answers(engine(fakes.constant(made if made != ["a", "b", "c"] else [])), score_requests([1, 1]))


def test_one_vector_that_is_none_costs_its_item(engine: MakeEngine) -> None:
    class Holed(Numbers):
        def embed_texts(self, texts: list[str]) -> object:
            return [None if text == "3" else [float(text), 1.0] for text in texts]

    values = answers(engine(Holed(), batch_size=4), text_requests(8))
    assert heads(values) == [0, 1, 2, None, 4, 5, 6, 7]
    assert "returned object" in values[3].message


def test_elements_that_all_fail_break_the_contract(engine: MakeEngine) -> None:
    with pytest.raises(AdapterError, match="each of the first 20 inputs .*must return texts; it gave NoneType"):
        answers(engine(fakes.constant([None] * 20), batch_size=20), reply_requests([Generation()] * 20))


def test_ragged_scores_with_an_impossible_text_are_taken(engine: MakeEngine) -> None:
    values = answers(engine(fakes.constant([[-1.0], (-2.0, -np.inf), np.array([np.nan])])), score_requests([1, 2, 1]))
    assert [value.tolist() for value in values[:2]] == [[-1.0], [-2.0, -np.inf]]
    assert values[0].dtype == np.float64
    assert isinstance(values[2], Failure)


def reply_requests(settings: Iterable[Generation]) -> list[Question]:
    return [Question(REPLY, key=b"%d" % n, prompt=str(n), generation=each) for n, each in enumerate(settings)]


@pytest.mark.parametrize("broken", [None, b"b", 3, ["b"], float("nan")])
def test_a_reply_that_is_no_text_costs_its_item(engine: MakeEngine, broken: object) -> None:
    values = answers(engine(fakes.constant(["a", broken, "c"])), reply_requests([Generation()] * 3))
    assert [values[0], values[2]] == ["a", "c"]
    assert "generate must return texts" in values[1].message


def test_each_reply_is_written_under_its_own_settings(engine: MakeEngine) -> None:
    def generate(prompts: list[tuple[list[object], str]], settings: Generation) -> list[str]:
        return [f"{prompt} {settings.max_tokens}" for _, prompt in prompts]

    settings = [Generation(1), Generation(1), Generation(2), Generation(1)]
    assert answers(engine(fakes.adapter("writer", generate=generate)), reply_requests(settings)) == [
        "0 1",
        "1 1",
        "2 2",
        "3 1",
    ]


# Which texts were cut


def test_truncation_is_noted_text_by_text(engine: MakeEngine) -> None:
    class Short(Numbers):
        def truncates(self, texts: list[str]) -> np.ndarray:
            return np.array([int(text) % 3 == 0 for text in texts])

    answered = [each for batch in engine(Short(bad=[4])).map(text_requests(7)) for each in batch]
    assert [each.truncated for each in answered] == [True, False, False, True, False, False, True]
    assert {type(each.truncated) for each in answered} == {bool}


@pytest.mark.parametrize("flags", [lambda texts: [True], lambda texts: None, lambda texts: 1 / 0])
def test_a_wrong_truncation_breaks_the_contract(engine: MakeEngine, flags: Callable[[list[str]], object]) -> None:
    made = Numbers()
    made.truncates = flags
    with pytest.raises(AdapterError, match="truncates got 2 texts"):
        answers(engine(made), text_requests(2))


# The queue


def test_pictures_are_prepared_in_threads_beside_the_forward_pass(engine: MakeEngine) -> None:
    class Overlapping(Numbers):
        batch_size = 2

        def __init__(self) -> None:
            super().__init__()
            self.in_pass = threading.Event()
            self.beside = threading.Event()
            self.threads: set[str] = set()

        def prepare_image(self, image: PIL.Image.Image) -> PIL.Image.Image:
            self.threads.add(threading.current_thread().name)
            if number(image) >= 2:  # not one of the first batch: waits until that is in the forward pass
                assert self.in_pass.wait(WAIT)
                self.beside.set()
            return image

        def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
            self.in_pass.set()
            assert self.beside.wait(WAIT)
            return super().embed_images(images)

    made = Overlapping()
    # No more requests than may be on their way, so that none must be ready before the first pass.
    assert heads(answers(engine(made, workers=2), image_requests(6))) == list(range(6))
    assert threading.current_thread().name not in made.threads


class Queueing(Numbers):
    """Counts what is prepared and not yet asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.waiting = 0
        self.peak = 0

    def prepare_image(self, image: PIL.Image.Image) -> PIL.Image.Image:
        with self.lock:
            self.waiting += 1
            self.peak = max(self.peak, self.waiting)
        return image

    def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
        with self.lock:
            self.waiting -= len(images)
        return super().embed_images(images)


@pytest.mark.parametrize("batch", [1, 8, 32])
def test_the_queue_is_bounded(engine: MakeEngine, batch: int) -> None:
    made = Queueing()
    answers(engine(made, batch_size=batch, workers=2), image_requests(300))
    assert made.peak <= batch + max(batch, 4)


def test_large_pictures_shorten_the_queue(engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbench.harness.engine.queue.QUEUE_BYTES", 10 * 4 * 64 * 64)
    made = Queueing()
    assert heads(answers(engine(made, batch_size=32, workers=2), image_requests(100, side=64))) == list(range(100))
    assert made.peak <= 10
    assert max(made.batches) == 5, "half the queue, so that the rest is prepared meanwhile"


def test_large_pictures_after_small_ones_shorten_the_queue(engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbench.harness.engine.queue.QUEUE_BYTES", 10 * 4 * 64 * 64)
    made = Queueing()
    requests = [Question(IMAGE, key=b"%d" % n, contents=(solid(n, 1 if n < 3 else 64),)) for n in range(100)]
    assert heads(answers(engine(made, batch_size=64, workers=2), requests)) == list(range(100))
    assert made.peak <= 3 + 10 + 2 * 2


def test_files_that_stay_in_memory_until_an_answer_comes_shorten_the_queue(
    engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmbench.harness.engine.queue.HELD_BYTES", 1000)
    made = Queueing()
    requests = [Question(IMAGE, key=b"%d" % n, contents=(solid(n),), held=100) for n in range(50)]
    assert heads(answers(engine(made, batch_size=32, workers=2), requests)) == list(range(50))
    assert made.peak <= 10


def test_what_was_read_of_a_picture_goes_once_it_is_prepared(
    engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmbench.harness.engine.queue.QUEUE_BYTES", 10_000)
    made = Queueing()
    contents = [Content(str(n), 1000, solid(n).decode) for n in range(50)]
    requests = [Question(IMAGE, key=b"%d" % n, contents=(content,)) for n, content in enumerate(contents)]
    assert heads(answers(engine(made, batch_size=32, workers=2), requests)) == list(range(50))
    assert 10 < made.peak <= 64


def test_one_picture_larger_than_the_queue_is_asked(engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbench.harness.engine.queue.QUEUE_BYTES", 10)
    made = Queueing()
    asked = engine(made, workers=2)
    submit = asked._pool.submit

    def finished(*given: Any) -> Any:
        """Prepare at once: of pictures that are still on their way no size is known, and some more may come."""
        future = submit(*given)
        future.exception()
        return future

    monkeypatch.setattr(asked._pool, "submit", finished)
    assert heads(answers(asked, image_requests(9, side=64))) == list(range(9))
    assert set(made.batches) == {1}


def test_a_flush_answers_a_batch_that_is_not_full(engine: MakeEngine) -> None:
    first, second, third = image_requests(3)
    made = Numbers()
    stream = engine(made).map([first, None, FLUSH, second, third])
    sizes = [len(batch) for batch in stream]
    assert sizes == [0, 1, 2]


# Ends


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_leaves_a_closable_engine() -> None:
    class Interrupted(Numbers):
        def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
            signal.raise_signal(signal.SIGINT)  # as Ctrl-C does
            return super().embed_images(images)

    made = LocalEngine(Interrupted(), workers=2)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        list(made.map(image_requests(100)))
    made.close()
    assert threading.active_count() < before + 1
    assert not [t for t in threading.enumerate() if t.name.startswith("mmbench-")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, BaseException])
def test_what_would_end_the_process_is_a_failure(engine: MakeEngine, error: type[Exception]) -> None:
    values = answers(engine(Numbers(bad=[3], error=error)), text_requests(6))
    assert heads(values) == [0, 1, 2, None, 4, 5]
    assert values[3].message == f"{error.__name__}: cannot take 3"


def test_a_stream_that_is_left_early_leaves_a_closable_engine() -> None:
    made = LocalEngine(fakes.Dual(), workers=2)
    stream = made.map(image_requests(200))
    next(stream)
    made.close()
    stream.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("mmbench-")]
