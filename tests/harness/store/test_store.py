"""The store asks once, returns what it stored, and never mixes two models or two questions."""

import multiprocessing
import signal
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.packing import pack_arrays, pack_text, unpack_arrays, unpack_text
from mmbench.harness.engine.question import Answered, Question
from mmbench.harness.errors import AdapterError, DataError
from mmbench.harness.media.image import Image
from mmbench.harness.models.abilities import Generation, ImageVectors
from mmbench.harness.store import claims, database
from mmbench.harness.store.meter import Meter
from mmbench.harness.store.store import Store
from mmbench.harness.types import Failure
from tests import fakes

MakeEngine = Callable[..., LocalEngine]
MakePicture = Callable[..., Image]


def texts(*given: str) -> list[Question]:
    return [Question(TEXT, texts=(text,)) for text in given]


def same(left: object, right: object) -> bool:
    """Return True when two answers are equal to the bit, in type too."""
    if isinstance(left, ImageVectors) and isinstance(right, ImageVectors):
        return same(left.embedding, right.embedding) and same(left.features, right.features)
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    return type(left) is type(right) and left == right


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


# Asked once


@pytest.mark.parametrize("repeats", [1, 3])
def test_equal_questions_are_asked_once(store: Store, engine: MakeEngine, repeats: int) -> None:
    made = fakes.Dual()
    words = [f"text {n % 40}" for n in range(3000 * repeats)]
    got = list(store.ask(engine(made, batch_size=16), "m", texts(*words)))
    assert set(made.texts.values()) == {1}
    assert all(same(value, fakes.vector(word.encode())) for value, word in zip(got, words, strict=True))
    assert (store.meter.asked, store.meter.remembered) == (40, 0)


def test_equal_pictures_are_asked_once_across_windows(store: Store, engine: MakeEngine, picture: MakePicture) -> None:
    made = fakes.Dual()
    order = [n % 50 for n in range(250)]
    got = list(store.ask(engine(made, batch_size=4), "m", (Question(IMAGE, (picture(n),)) for n in order)))
    assert set(made.images.values()) == {1}
    assert len(made.images) == 50
    assert all(same(got[i], got[order.index(n)]) for i, n in enumerate(order))


def test_a_second_stream_asks_nothing(store: Store, engine: MakeEngine, picture: MakePicture) -> None:
    asks = [Question(IMAGE, (picture(n),)) for n in range(30)]
    cold = list(store.ask(engine(fakes.Dual()), "m", asks))
    store.meter = Meter()
    made = fakes.Dual()
    warm = list(store.ask(engine(made), "m", asks))
    assert made.asked == 0
    assert all(map(same, cold, warm))
    assert (store.meter.asked, store.meter.remembered) == (0, 30)


def test_answers_about_pictures_that_are_held_are_bounded_and_those_of_their_model(
    store: Store, engine: MakeEngine, picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmbench.harness.store.store._HELD", 8)
    asks = [Question(IMAGE, (picture(n),)) for n in range(30)]
    cold = {name: list(store.ask(engine(fakes.Dual(name)), name, asks)) for name in "mn"}
    for name in "mnm":
        assert all(map(same, cold[name], store.ask(engine(fakes.Dual(name)), name, asks)))
        assert all(map(same, cold[name][:5] * 2, store.ask(engine(fakes.Dual(name)), name, asks[:5] * 2)))
        assert 0 < len(store._held) <= 8
    store.prune("m")
    made = fakes.Dual("m")
    assert all(map(same, cold["m"], store.ask(engine(made), "m", asks)))
    assert made.asked == 30


def test_another_process_finds_the_answers(path: Path, engine: MakeEngine) -> None:
    first = Store(path)
    cold = list(first.ask(engine(fakes.Dual()), "m", texts("a", "b")))
    second = Store(path)
    assert all(map(same, cold, second.ask(engine(fakes.Dual()), "m", texts("a", "b"))))
    first.close()
    second.close()


def test_the_first_answer_stays(path: Path) -> None:
    """Two processes that asked the same at once agree on what was stored first."""
    question = Question(TEXT, texts=("a",)).read()
    assert isinstance(question, Question)
    one, two = Store(path), Store(path)
    model = one._model("m")
    assert two._model("m") == model
    one.keep(model, [Answered(question, np.array([1.0]))], 1.0)
    two.keep(model, [Answered(question, np.array([2.0]))], 1.0)
    assert two.lookup(model, TEXT, [question.key])[question.key][0] == np.array([1.0])
    one.close()
    two.close()


# Values as stored


VALUES = [
    np.array([1.5, -0.0, 6e-8], np.float16),
    np.array([0.1, -1e-40, 3e38], np.float32),
    np.array([0.1, 5e-324, -np.inf], np.float64),
    np.array([1.5, 2.5], ">f4"),
    np.array([1.5, 2.5], ">f8"),
    np.array([1.5, 2.5], np.longdouble),
    np.arange(10, dtype=np.float32)[::-3],
    np.zeros(0, np.float32),
    ImageVectors(np.ones(3, np.float16), np.full(5, 0.1, np.float64)),
    "",
    "a dog",
    "t\0 \N{SNOWMAN} 狗 \U0001f415",
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_survives_packing(value: object) -> None:
    pack, unpack = (pack_text, unpack_text) if isinstance(value, str) else (pack_arrays, unpack_arrays)
    back = unpack(pack(value))
    pairs = zip(parts(value), parts(back), strict=True)
    assert all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)
    assert same(unpack(pack(back)), back)


def parts(value: object) -> list[object]:
    return [value.embedding, value.features] if isinstance(value, ImageVectors) else [value]


def test_a_reply_without_utf8_is_kept_as_near_as_can_be() -> None:
    assert unpack_text(pack_text("a \ud800 dog")) == "a \ufffd dog"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", np.longdouble])
@pytest.mark.parametrize("pair", [False, True])
def test_cold_and_warm_agree_to_the_bit(
    store: Store, engine: MakeEngine, picture: MakePicture, dtype: object, pair: bool
) -> None:
    def embed(images: list[PIL.Image.Image]) -> np.ndarray | ImageVectors:
        rows = np.array([[np.asarray(image).mean() / 7, 0.1] for image in images]).astype(dtype)
        return ImageVectors(rows, rows[:, :1] * 3) if pair else rows

    typed = fakes.adapter("typed", embed_images=embed)
    asks = [Question(IMAGE, (picture(n),)) for n in range(5)]
    cold = list(store.ask(engine(typed), "m", asks))
    warm = list(store.ask(engine(typed), "m", asks))
    assert all(map(same, cold, warm))
    assert isinstance(cold[0], ImageVectors) == pair
    kept = cold[0].features if pair else cold[0]
    assert kept.dtype == (np.float64 if dtype is np.longdouble else np.dtype(dtype).newbyteorder("="))
    assert abs(float(np.asarray(parts(cold[0])[0])[1]) - 0.1) < 1e-3


def test_scores_and_replies_agree_cold_and_warm(store: Store, engine: MakeEngine, picture: MakePicture) -> None:
    both = {
        fakes.Scorer: [Question(SCORE, (picture(n),), "?", ("yes", "no", "yes")) for n in range(20)],
        fakes.Writer: [Question(REPLY, (picture(0),), f"question {n}") for n in range(20)],
    }
    for kind, asks in both.items():
        cold = list(store.ask(engine(kind()), "m", asks))
        warm = list(store.ask(engine(kind()), "m", asks))
        assert all(map(same, cold, warm))
        assert not any(isinstance(value, Failure) for value in cold)


# Commits


def count(path: Path) -> int:
    other = sqlite3.connect(path)
    try:
        return int(other.execute("SELECT COUNT(*) FROM answers").fetchone()[0])
    finally:
        other.close()


def test_each_batch_is_committed(path: Path, store: Store, engine: MakeEngine) -> None:
    class Watching(fakes.Dual):
        def embed_texts(self, given: list[str]) -> np.ndarray:
            seen.append(count(path))
            return super().embed_texts(given)

    seen: list[int] = []
    list(store.ask(engine(Watching(), batch_size=10), "m", texts(*map(str, range(40)))))
    assert seen == [0, 10, 20, 30]


@pytest.mark.usefixtures("interruptible")
def test_a_stream_that_ends_in_an_error_keeps_what_was_answered(path: Path, store: Store, engine: MakeEngine) -> None:
    class Dying(fakes.Dual):
        def embed_texts(self, given: list[str]) -> np.ndarray:
            if "25" in given:
                signal.raise_signal(signal.SIGINT)  # as Ctrl-C does
            return super().embed_texts(given)

    with pytest.raises(KeyboardInterrupt):
        list(store.ask(engine(Dying(), batch_size=10), "m", texts(*map(str, range(40)))))
    assert count(path) == 20
    made = fakes.Dual()
    assert len(list(store.ask(engine(made, batch_size=10), "m", texts(*map(str, range(40)))))) == 40
    assert made.asked == 20


def test_failures_are_never_stored(path: Path, store: Store, engine: MakeEngine) -> None:
    class Failing(fakes.Dual):
        def embed_texts(self, given: list[str]) -> np.ndarray:
            if "bad" in given:
                raise RuntimeError("no")
            made = super().embed_texts(given)
            made[[text == "hole" for text in given]] = np.nan
            return made

    got = list(store.ask(engine(Failing()), "m", texts("a", "bad", "hole", "b", "bad")))
    assert [isinstance(value, Failure) for value in got] == [False, True, True, False, True]
    assert count(path) == 2
    again = fakes.Dual()
    got = list(store.ask(engine(again), "m", texts("a", "bad", "hole", "b", "bad")))
    assert not any(isinstance(value, Failure) for value in got)
    assert again.texts == {"bad": 1, "hole": 1}


def test_hits_misses_and_failures_keep_their_order(
    tmp_path: Path, store: Store, engine: MakeEngine, picture: MakePicture
) -> None:
    known = [n for n in range(200) if n % 3 == 0]
    list(store.ask(engine(fakes.Dual()), "m", (Question(IMAGE, (picture(n),)) for n in known)))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")

    def asks() -> Iterator[Question]:
        for n in range(200):
            if n % 10 == 7:
                yield Question(IMAGE, (Image.from_path(tmp_path / f"missing {n}.png"),))
            elif n % 10 == 8:
                yield Question(IMAGE, (Image.from_path(tmp_path / "broken.png"),))
            else:
                yield Question(IMAGE, (picture(n),))

    made = fakes.Dual()
    got = list(store.ask(engine(made, batch_size=5), "m", asks()))
    assert len(got) == 200
    for n, value in enumerate(got):
        if n % 10 == 7:
            assert isinstance(value, Failure)
            assert f"missing {n}.png" in value.message
        elif n % 10 == 8:
            assert isinstance(value, Failure)
            assert "broken.png: not a readable picture" in value.message
        else:
            assert same(value, fakes.vector(fakes.picture_bytes(picture(n).pil())))
    assert set(made.images.values()) == {1}


# What an answer is remembered under


def test_different_models_never_share(store: Store, engine: MakeEngine) -> None:
    list(store.ask(engine(fakes.Dual()), "one", texts("a")))
    made = fakes.Dual()
    list(store.ask(engine(made), "two", texts("a")))
    assert made.asked == 1


def test_different_questions_never_share(picture: MakePicture) -> None:
    one, two = picture(1), picture(2)
    asks = [
        Question(IMAGE, (one,)),
        Question(IMAGE, (two,)),
        Question(TEXT, texts=("a",)),
        Question(TEXT, texts=("A",)),
        Question(TEXT, texts=("a ",)),
        Question(SCORE, (one,), "", ("a",)),
        Question(SCORE, (one,), "a", ()),
        Question(SCORE, (), "", ("a",)),
        Question(SCORE, (one, two), "", ("a", "b")),
        Question(SCORE, (two, one), "", ("a", "b")),
        Question(SCORE, (one, two), "", ("b", "a")),
        Question(SCORE, (one, two), "", ("ab",)),
        Question(REPLY, (one,), "a"),
        Question(REPLY, (one,), "a", generation=Generation(max_tokens=65)),
        Question(REPLY, (one,), "a", generation=Generation(temperature=0.5)),
        Question(REPLY, (one,), "a", generation=Generation(stop=("\n",))),
        Question(REPLY, (one,), "a", generation=Generation(stop=("\n", "."))),
        Question(REPLY, (), "a"),
    ]
    assert len({ask.read().key for ask in asks}) == len(asks)


def test_the_same_question_shares_whatever_the_file_is_called(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        PIL.Image.new("RGB", (3, 3), "red").save(tmp_path / name)
    keys = {Question(IMAGE, (Image.from_path(tmp_path / name),)).read().key for name in ("a.png", "b.png")}
    assert len(keys) == 1


# What it cost


def test_the_meter_counts_distinct_inputs(store: Store, engine: MakeEngine, picture: MakePicture) -> None:
    class Short(fakes.Dual):
        def truncates(self, given: list[str]) -> list[bool]:
            return [len(text) > 5 for text in given]

    seen: list[tuple[int, int]] = []
    store.meter = Meter(on_progress=lambda asked, remembered: seen.append((asked, remembered)))
    made = engine(Short())
    words = ["short", "much too long", "also too long", "b"]
    list(store.ask(made, "m", texts(*words * 5)))
    assert (store.meter.asked, store.meter.remembered, store.meter.truncated_texts) == (4, 0, 2)
    list(store.ask(made, "m", texts(*words)))  # the same task asks again: nothing new
    list(store.ask(made, "m", (Question(IMAGE, (picture(n % 3),)) for n in range(50))))
    assert (store.meter.asked, store.meter.remembered, store.meter.truncated_texts) == (7, 0, 2)
    assert tuple(map(sum, zip(*seen, strict=True))) == (7, 0)

    store.meter = Meter()
    list(store.ask(made, "m", texts(*words * 2, "new and too long")))
    assert (store.meter.asked, store.meter.remembered, store.meter.truncated_texts) == (1, 4, 3)


def test_a_failing_input_is_counted_once(
    tmp_path: Path, store: Store, engine: MakeEngine, picture: MakePicture
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    broken = Image.from_path(tmp_path / "broken.png")
    order = [broken if n % 40 == 0 else picture(n % 7) for n in range(200)]
    list(store.ask(engine(fakes.Dual(), batch_size=1), "m", (Question(IMAGE, (image,)) for image in order)))
    assert store.meter.asked == 8


def test_two_models_of_one_task_are_counted_apart(store: Store, engine: MakeEngine) -> None:
    for fingerprint in ("one", "two", "one"):
        list(store.ask(engine(fakes.Dual()), fingerprint, texts("a")))
    assert (store.meter.asked, store.meter.remembered) == (2, 0)


def test_speed_is_known_after_asking(store: Store, engine: MakeEngine) -> None:
    assert store.speed("m", TEXT) is None
    list(store.ask(engine(fakes.Dual()), "m", texts("a", "b")))
    assert store.speed("m", TEXT) > 0
    assert store.speed("m", IMAGE) is None


# The file


@pytest.mark.parametrize(
    "content",
    [b"this is no database at all, but long enough to be read as one" * 20, b"SQLite format 3\0" + b"x" * 500],
)
def test_a_file_that_is_no_store_is_refused_in_a_sentence(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be used as a store \(.+\); choose another file with --store"):
        Store(path)
    assert path.read_bytes() == content


def test_a_schema_whose_bytes_are_no_text_is_refused_in_a_sentence(path: Path) -> None:
    Store(path).close()
    content = path.read_bytes()
    assert content.count(b"tablespeedsspeeds") == 1
    path.write_bytes(
        content.replace(b"tablespeedsspeeds", b"table\xcc\xffeedsspeeds").replace(b"E speeds (", b"E speeds )")
    )
    with pytest.raises(DataError, match="cannot be used as a store .*; choose another file with --store") as told:
        Store(path)
    assert "\n" not in str(told.value)


def test_a_full_disk_a_cut_file_and_a_busy_store_say_what_to_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(IMAGE, key=b"0" * 16)
    store = Store(path)
    model = store._model("m")
    (pages,) = store._database.rows("PRAGMA page_count")[0]
    store._database.do(f"PRAGMA max_page_count={pages}")
    with pytest.raises(DataError, match="full.*; make room on its disk, where what was answered is kept"):
        store.keep(model, [Answered(question, np.zeros(40_000))], 1.0)
    store._database.do(f"PRAGMA max_page_count={pages + 100}")
    store.keep(model, [Answered(question, np.zeros(40_000))], 1.0)
    store.close()
    monkeypatch.setattr(database, "_PATIENCE", 0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DataError, match="locked.*; another process has been writing to it for 60 seconds"):
        Store(path)
    other.execute("ROLLBACK")
    other.close()
    path.write_bytes(path.read_bytes()[:40_000])
    with pytest.raises(DataError, match="malformed.*; it is damaged: delete it, and what it held is asked again"):
        Store(path).holdings()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be used as a store"):
        Store(tmp_path)


def test_a_place_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be used as a store"):
        Store(tmp_path / "file" / "store.sqlite")


def test_a_store_of_another_schema_is_refused(path: Path) -> None:
    Store(path).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version=99")
    other.close()
    with pytest.raises(DataError, match="schema 99, this one reads 1"):
        Store(path)


class Wide(fakes.Dual):
    """Returns vectors as wide as those of a real model."""

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return np.tile(super().embed_texts(texts)[:, :1], (1, WIDTH)).astype(np.float32)


WIDTH = 512


def test_a_new_store_is_little_larger_than_its_vectors(path: Path, engine: MakeEngine) -> None:
    held = Store(path)
    empty = sum(file.stat().st_size for file in path.parent.iterdir())
    list(held.ask(engine(Wide()), "m", texts(*map(str, range(2000)))))
    held.close()
    assert path.stat().st_size - empty < 1.2 * 2000 * WIDTH * 4


def test_a_store_of_smaller_pages_is_used_as_it_is(path: Path, engine: MakeEngine) -> None:
    other = sqlite3.connect(path)
    other.execute("PRAGMA page_size=4096")
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("CREATE TABLE sizes (model INTEGER PRIMARY KEY, parameters INTEGER NOT NULL)")
    other.close()
    for asked in (3, 0):
        held = Store(path)
        list(held.ask(engine(Wide()), "m", texts("a", "b", "c")))
        assert held.meter.asked == asked
        held.prune("n")
        held.close()
    other = sqlite3.connect(path)
    assert other.execute("PRAGMA page_size").fetchone() == (4096,)
    assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    other.close()


def test_a_failing_write_is_told_in_a_sentence_and_leaves_the_store_usable(path: Path, engine: MakeEngine) -> None:
    held = Store(path)
    other = sqlite3.connect(path)
    other.execute("CREATE TRIGGER full BEFORE INSERT ON speeds BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    other.commit()
    with pytest.raises(DataError, match="disk is full"):
        list(held.ask(engine(fakes.Dual()), "m", texts("a")))
    assert count(path) == 0, "a batch is committed as a whole or not at all"
    other.execute("DROP TRIGGER full")
    other.commit()
    other.close()
    assert len(list(held.ask(engine(fakes.Dual()), "m", texts("a")))) == 1
    held.close()


# Pruning


def test_pruning_removes_one_model_only(path: Path, store: Store, engine: MakeEngine) -> None:
    for number, fingerprint in enumerate(["one", "two", "three"], 1):
        store.name(fingerprint, f"model {fingerprint}")
        list(store.ask(engine(fakes.Dual()), fingerprint, texts(*map(str, range(number)))))
    assert {each.name: each.answers for each in store.holdings()} == {
        "model one": 1,
        "model two": 2,
        "model three": 3,
    }
    (gone,) = store.prune("model two")
    assert (gone.fingerprint, gone.answers) == ("two", 2)
    assert gone.as_json()["bytes"] == gone.bytes > 0
    assert {each.fingerprint for each in store.holdings()} == {"one", "three"}
    assert store.known("three", [ask.read().key for ask in texts("0", "1", "2")]) == 3
    assert store.known("two", [ask.read().key for ask in texts("0")]) == 0
    assert store.speed("two", TEXT) is None
    assert store.prune("model two") == []
    assert [each.fingerprint for each in store.prune("three")] == ["three"]
    assert count(path) == 1
    store.prune()
    assert store.holdings() == []
    assert count(path) == 0


def test_a_model_pruned_while_it_is_asked_keeps_what_it_answers_since_and_nothing_is_left_to_the_next(
    path: Path, store: Store, engine: MakeEngine
) -> None:
    other = Store(path)

    def asks() -> Iterator[Question]:
        for n in range(40):
            if n == 20:
                other.prune("one")
            yield Question(SCORE, prompt=str(n), texts=("a",))

    assert len(list(store.ask(engine(fakes.Scorer(), batch_size=4), "one", asks()))) == 40
    assert [(each.fingerprint, each.answers >= 20) for each in store.holdings()] == [("one", True)]
    made = fakes.Scorer()
    assert len(list(store.ask(engine(made), "two", asks()))) == 40
    assert len(made.items) == 40, "the next model never answers with the words of the pruned one"
    store.prune()
    assert count(path) == 0
    other.close()


# Several processes


def fill(path: Path, barrier: object, start: int, log: Path) -> None:
    """Ask for 400 texts from `start` on, batch by batch, beside another process."""

    class Logging:
        fingerprint = "shared"

        def embed_texts(self, given: list[str]) -> np.ndarray:
            with log.open("a") as file:
                file.writelines(f"{text}\n" for text in given)
            return np.array([[float(text), 0.1] for text in given])

    barrier.wait(600)
    held = Store(path)
    engine = LocalEngine(Logging(), batch_size=8)
    got = list(held.ask(engine, "shared", texts(*map(str, range(start, start + 400)))))
    assert [value[0] for value in got] == list(range(start, start + 400))
    engine.close()
    held.close()


def test_two_processes_write_one_file(
    tmp_path: Path, path: Path, engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LEASE", 3600.0)  # however long the machine lets a process wait, it is alive
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(3)
    logs = [tmp_path / f"log {n}" for n in range(3)]
    for log in logs:
        log.touch()  # a process that finds everything answered writes none
    starts = (0, 200, 0)
    children = [context.Process(target=fill, args=(path, barrier, s, log)) for s, log in zip(starts, logs, strict=True)]
    for child in children:
        child.start()
    for child in children:
        child.join(600)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert count(path) == 600
    asked = [text for log in logs for text in log.read_text().split()]
    assert len(asked) == len(set(asked)) == 600, "none of them asks what another one has asked"


def test_many_open_a_new_file_at_once(path: Path) -> None:
    barrier = threading.Barrier(8)
    failed: list[BaseException] = []

    def opening() -> None:
        try:
            barrier.wait(600)
            Store(path).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=opening) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    assert failed == []


# Memory


def peak_of(stream: Iterable[object]) -> int:
    """Return the bytes that consuming `stream` took at most."""
    tracemalloc.start()
    try:
        for _ in stream:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def drawn(parent: PIL.Image.Image | None, /, n: int) -> PIL.Image.Image:
    if n < 0:
        raise RuntimeError("cannot be drawn")
    return PIL.Image.new("RGB", (1, 1))


def scenes(numbers: Iterable[int]) -> Iterator[Question]:
    return (Question(IMAGE, (Image.render(drawn, {"n": n}, 1, f"scene {n}"),)) for n in numbers)


@pytest.mark.parametrize("first", [0, -1], ids=["all remembered", "a failure at the head"])
def test_a_long_warm_stream_does_not_accumulate(store: Store, engine: MakeEngine, first: int) -> None:
    wide = fakes.adapter("wide", embed_images=lambda images: np.ones((len(images), 4096)))
    made = engine(wide, batch_size=16)
    assert peak_of(store.ask(made, "m", scenes(range(1600)))) < 16 << 20
    assert peak_of(store.ask(made, "m", scenes([first, *range(1600)]))) < 16 << 20, "50 MiB are read in all"


def test_a_broken_adapter_ends_the_stream_and_the_rest_is_kept(store: Store, engine: MakeEngine) -> None:
    def embed(given: list[str]) -> np.ndarray:
        raise RuntimeError("no")

    broken = fakes.adapter("broken", embed_texts=embed)
    list(store.ask(engine(fakes.Dual()), "m", texts("a", "b")))
    with pytest.raises(AdapterError):
        list(store.ask(engine(broken), "m", texts("a", *map(str, range(30)))))
    kept = list(store.ask(engine(broken), "m", texts("a", "b")))
    assert same(kept[0], fakes.vector(b"a"))
    assert same(kept[1], fakes.vector(b"b"))
