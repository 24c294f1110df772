"""Pictures of a run's tasks go through a model in one stream, and each task is scored and told as if it were alone."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

import mmbench
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.errors import DataError, Unavailable
from mmbench.harness.tasks.task import Task
from tests.fakes import Dual, Pictures, Writer, number, numbered, vector

BATCH = 32
EACH = 37


class Batches(Dual):
    """Notes the numbers of the pictures of each batch."""

    batch_size = BATCH

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[list[int | None]] = []

    def embed_images(self, images: Pictures) -> npt.NDArray[np.float32]:
        self.shown.append([number([image]) for image in images])
        return super().embed_images(images)


def task(name: str, pictures: list[int], **keys: object) -> Task:
    rows = [{"image": numbered(n), "label": "ab"[n % 2]} for n in pictures]
    return mmbench.task(**{"family": "zero-shot-classification", "rows": rows, "name": name, **keys})


def several(count: int, each: int = EACH) -> list[Task]:
    return [task(f"t{n}", list(range(each * n, each * (n + 1)))) for n in range(count)]


def run(adapter: object, tasks: list[Task], folder: Path, store: str = "store", **options: object) -> mmbench.Run:
    return mmbench.run(adapter, tasks=tasks, output=folder / "results", store=folder / f"{store}.sqlite", **options)


def test_batches_are_filled_with_the_pictures_of_the_next_tasks(tmp_path: Path) -> None:
    adapter = Batches()
    made = run(adapter, several(5), tmp_path)
    assert [len(batch) for batch in adapter.shown] == [BATCH] * 5 + [5 * EACH - 5 * BATCH]
    assert [n for batch in adapter.shown for n in batch] == list(range(5 * EACH))
    assert [(record.asked, record.remembered) for record in made.records] == [(EACH + 2, 0)] + [(EACH, 2)] * 4  # texts
    alone = Batches()
    for index, each in enumerate(several(5)):
        apart = run(alone, [each], tmp_path / "apart", f"{index}")
        assert apart.records[0].scores == made.records[index].scores
        assert apart.records[0].protocol == made.records[index].protocol
    warm = Batches()
    assert [record.asked for record in run(warm, several(5), tmp_path).records] == [0] * 5
    assert not warm.shown


def test_a_record_is_written_before_the_next_task_is_asked_by_itself(tmp_path: Path) -> None:
    at: list[int] = []

    class Watching(Batches):
        def embed_images(self, images: Pictures) -> npt.NDArray[np.float32]:
            at.append(len([*(tmp_path / "results").rglob("*.parquet")]))
            return super().embed_images(images)

    run(Watching(), several(4), tmp_path)
    assert at == [0, 0, 1, 2, 3][: len(at)]


def test_no_more_is_asked_early_than_a_limit_lets_the_next_task_ask(tmp_path: Path) -> None:
    adapter = Batches()
    run(adapter, several(3), tmp_path, limit=10)
    assert [n for batch in adapter.shown for n in batch] == [*range(10), *range(37, 47), *range(74, 84)]
    assert len(adapter.shown) == 1
    drawn = Batches()
    made = run(drawn, several(3), tmp_path, "drawn", sample=9)
    assert drawn.images.total() == 27
    assert [record.remembered for record in made.records] == [0, 2, 2]


def test_a_picture_that_fails_early_is_an_error_of_its_own_task_and_asked_once(tmp_path: Path) -> None:
    class Choosy(Batches):
        def embed_images(self, images: Pictures) -> npt.NDArray[np.float32]:
            made = super().embed_images(images)
            made[[number([image]) == EACH + 1 for image in images]] = np.nan
            return made

    adapter = Choosy()
    made = run(adapter, several(3), tmp_path)
    assert [record.errors for record in made.records] == [0, 1, 0]
    assert [record.asked for record in made.records] == [EACH + 2, EACH, EACH]
    assert set(adapter.images.values()) == {1}


@pytest.mark.parametrize("first", [0, 1])
def test_an_adapter_that_breaks_at_one_tasks_picture_fails_that_task_alone(tmp_path: Path, first: int) -> None:
    class Longer(Batches):
        def embed_images(self, images: Pictures) -> npt.NDArray[np.float32]:
            wide = any(number([image]) == first * EACH + 3 for image in images)
            made = super().embed_images(images)
            return np.hstack([made, made]) if wide else made

    class Ready(Longer):
        batch_size = 8 if first == 0 else BATCH

    tasks = several(3)
    adapter = Ready()
    made = run(adapter, tasks, tmp_path)
    # Where the first batch is the long one, the others are those that differ.
    failed = [problem.task for problem in made.problems]
    assert failed == (["t1@1"] if first else ["t0@1", "t1@1", "t2@1"])


def test_an_interrupted_run_goes_on_with_what_was_asked_early(tmp_path: Path) -> None:
    class Stopped(Batches):
        def embed_images(self, images: Pictures) -> npt.NDArray[np.float32]:
            if len(self.shown) == 2:
                raise Unavailable("gone")
            return super().embed_images(images)

    stopped = Stopped()
    made = run(stopped, several(3), tmp_path)
    assert [record.task for record in made.records] == ["t0"]
    assert [problem.task for problem in made.problems] == ["t1@1", "t2@1"]
    left = Batches()
    run(left, several(3), tmp_path)
    assert not stopped.images & left.images
    assert (stopped.images | left.images).total() == 3 * EACH
    with sqlite3.connect(tmp_path / "store.sqlite") as store:
        assert store.execute("SELECT count(*) FROM claims").fetchone() == (0,)


def test_a_task_that_cannot_be_read_is_passed_over_and_told_in_its_turn(tmp_path: Path) -> None:
    broken = task("broken", [200, 201])
    broken.opened.family.samples = lambda: _breaking()  # type: ignore[method-assign]
    adapter = Batches()
    first, last = several(2)
    made = run(adapter, [first, broken, last], tmp_path)
    assert [record.task for record in made.records] == ["t0", "t1"]
    assert [(problem.task, str(problem.error)) for problem in made.problems] == [
        ("broken@1", "internal error (SystemExit: 3)")
    ]


def _breaking() -> Iterator[object]:
    raise SystemExit(3)
    yield


def test_nothing_is_asked_early_behind_a_task_that_is_asked_otherwise(tmp_path: Path) -> None:
    class Both(Batches):
        def __init__(self) -> None:
            super().__init__()
            self.writer = Writer(lambda prompt: "a")

        def generate(self, prompts: list[tuple[Pictures, str]], settings: object) -> list[str]:
            self.shown.append([-1] * len(prompts))
            return self.writer.generate(prompts, settings)

    adapter = Both()
    first, last = several(2)
    run(adapter, [first, task("written", [150, 151], routes=["generate"]), last], tmp_path)
    assert [len(batch) for batch in adapter.shown if batch[0] != -1] == [32, 5, 32, 5]


def test_nothing_is_asked_early_of_a_model_that_answers_one_at_a_time(tmp_path: Path) -> None:
    class Apart(Batches):
        concurrency = 2

    seen: list[int] = []

    class Watching(Apart):
        def embed_images(self, images: Pictures) -> npt.NDArray[np.float32]:
            records = len([*(tmp_path / "results").rglob("*.parquet")])
            seen.append(records - (number(images) or 0) // 6)
            return super().embed_images(images)

    made = run(Watching(), several(2, each=6), tmp_path)
    assert [(record.asked, record.remembered) for record in made.records] == [(8, 0), (6, 2)]
    assert set(seen) == {0}


def test_remembered_tasks_are_not_read_through_to_fill_a_batch(tmp_path: Path) -> None:
    long = task("long", list(range(100, 220)))
    run(Batches(), [long], tmp_path)
    reads: list[str] = []

    def samples() -> Iterator[object]:
        for sample in type(long.family).samples(long.family):
            reads.append(sample.id)
            yield sample

    long.family.samples = samples  # type: ignore[method-assign]
    adapter = Batches()
    first, last = several(2)
    run(adapter, [first, long, last], tmp_path)
    assert [len(batch) for batch in adapter.shown] == [32, 32, 10]
    assert len(reads) <= 120 + IMAGE.window


def test_a_picture_that_two_tasks_show_is_asked_once_and_counted_by_the_first(tmp_path: Path) -> None:
    adapter = Batches()
    tasks = [task("a", list(range(37))), task("b", [*range(30, 37), *range(50, 60)])]
    made = run(adapter, tasks, tmp_path)
    assert set(adapter.images.values()) == {1}
    assert [(record.asked, record.remembered) for record in made.records] == [(39, 0), (10, 9)]


def test_vectors_are_those_of_pictures(tmp_path: Path) -> None:
    """What fills a batch is not mixed up with what it is filled for."""

    class Own(Batches):
        def embed_texts(self, texts: list[str]) -> npt.NDArray[np.float32]:
            return np.stack([vector(text[-2:-1].encode()) for text in texts])

        def embed_images(self, images: Pictures) -> npt.NDArray[np.float32]:
            super().embed_images(images)
            return np.stack([vector("ab"[(number([image]) or 0) % 2].encode()) for image in images])

    made = run(Own(), several(4), tmp_path)
    assert [record.scores[0].value for record in made.records] == [1.0] * 4


def test_the_grey_picture_of_a_control_is_asked_by_its_control(tmp_path: Path) -> None:
    adapter = Batches()
    made = run(adapter, several(2), tmp_path, controls=["blind"])
    assert not made.problems
    assert adapter.images[repr((224, 224)).encode() + PIL.Image.new("RGB", (224, 224), (128,) * 3).tobytes()] == 1
    assert [record.control for record in made.records] == [None, "blind", None, "blind"]


def test_weights_of_the_next_model_are_read_at_the_last_task_of_the_present_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"weights")
    told: list[str] = []
    read: list[int] = []
    begun = threading.Event()

    def advise(number: int, *given: int) -> None:
        read.append(os.fstat(number).st_size)
        begun.set()

    monkeypatch.setattr(os, "posix_fadvise", advise)

    class Filed(Batches):
        def __init__(self, name: str, *, fails: bool = False) -> None:
            super().__init__()
            self.fingerprint, self.fails = name, fails

        def weight_files(self) -> list[Path]:
            told.append(f"files of {self.fingerprint}")
            if self.fails:
                raise SystemExit(3)
            return [file]

        def embed_images(self, images: Pictures) -> npt.NDArray[np.float32]:
            told.append(f"batch of {self.fingerprint}")
            return super().embed_images(images)

    models = [Filed("a"), Filed("b", fails=True), Filed("c")]
    made = mmbench.run(models, tasks=several(2), output=tmp_path / "results", store=tmp_path / "store.sqlite")
    assert not made.problems
    assert begun.wait(60)
    batches = {name: f"batch of {name}" for name in "abc"}
    assert told == [
        *[batches["a"]] * 2,
        "files of b",
        *[batches["a"], *[batches["b"]] * 2],
        "files of c",
        *[batches["b"], *[batches["c"]] * 3],
    ]
    assert read == [len(b"weights")]


def test_a_row_that_cannot_be_read_fails_its_task_also_while_others_are_in_the_queue(tmp_path: Path) -> None:
    """Were the rest asked anew, the task would be scored on the rows before."""
    tasks = several(6)
    broken = tasks[1]
    whole = broken.family.samples

    def samples() -> Iterator[object]:
        for place, sample in enumerate(whole()):
            if place == 20:
                raise DataError("row 20 is broken")
            yield sample

    broken.family.samples = samples  # type: ignore[method-assign]
    adapter = Batches()
    made = run(adapter, tasks, tmp_path)
    assert [(problem.task, str(problem.error)) for problem in made.problems] == [("t1@1", "row 20 is broken")]
    assert [(record.task, record.dataset["n"]) for record in made.records] == [
        (name, EACH) for name in ("t0", "t2", "t3", "t4", "t5")
    ]
