"""Live processes on one store share the work: none asks what another is asking, and a dead one holds up nobody."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.store import claims, stream
from mmbench.harness.store.claims import LEASE
from mmbench.harness.store.store import Store
from mmbench.harness.types import Failure
from tests import fakes

MakeEngine = Callable[..., LocalEngine]

ASKER = """
import sys, time
from pathlib import Path
import numpy as np
from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.store import claims
from mmbench.harness.store.store import Store

claims.LEASE = 3600.0  # however long the machine lets a process wait, it is alive
path, log, pause, first = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])

class Slow:
    fingerprint = "m"

    def embed_texts(self, given):
        with log.open("a") as file:
            file.writelines(f"{text}\\n" for text in given)
        time.sleep(pause)
        return np.array([[float(text), 0.5] for text in given])

store, engine = Store(path), LocalEngine(Slow(), batch_size=10)
order = range(100) if first == 0 else range(99, -1, -1)
got = [value[0] for value in store.ask(engine, "m", [Question(TEXT, texts=(str(n),)) for n in order])]
assert got == list(order), got
engine.close()
store.close()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a process that asks for a hundred texts, and logs which it is asked."""
    started: list[subprocess.Popen[bytes]] = []

    def make(log: str, pause: float, first: int = 0) -> subprocess.Popen[bytes]:
        given = [str(tmp_path / "store.sqlite"), str(tmp_path / log), str(pause), str(first)]
        started.append(subprocess.Popen([sys.executable, "-c", ASKER, *given]))
        return started[-1]

    yield make
    for each in started:
        each.kill()
        each.wait()


class Clock:
    """The clock of claims, which the wait for what others ask moves on at once."""

    waited = 0.0

    def time(self) -> float:
        return time.time() + self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let waiting for other processes take no time."""
    made = Clock()
    monkeypatch.setattr(claims, "time", SimpleNamespace(time=made.time, monotonic=time.monotonic))
    moving = {"sleep": made.sleep, "monotonic": lambda: time.monotonic() + made.waited}
    monkeypatch.setattr(stream, "time", SimpleNamespace(**moving, perf_counter=time.perf_counter))
    return made


def asked(*logs: Path) -> list[str]:
    return [line for log in logs if log.exists() for line in log.read_text().split()]


def texts(*given: int) -> list[Question]:
    return [Question(TEXT, texts=(str(n),)) for n in given]


@pytest.mark.parametrize("backwards", [0, 1])
def test_two_processes_ask_each_question_once(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]], backwards: int
) -> None:
    both = start("one", 0.05), start("two", 0.05, backwards)
    assert [each.wait(600) for each in both] == [0, 0]
    assert sorted(asked(tmp_path / "one", tmp_path / "two"), key=int) == [str(n) for n in range(100)]


def test_a_killed_process_holds_up_nobody_for_long(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]], engine: MakeEngine, clock: Clock
) -> None:
    dying = start("dying", 3600)
    while not asked(tmp_path / "dying"):
        assert dying.poll() is None
        time.sleep(0.01)
    os.kill(dying.pid, signal.SIGKILL)
    dying.wait()
    store, made = Store(tmp_path / "store.sqlite"), fakes.Dual("m")
    assert len(list(store.ask(engine(made), "m", texts(*range(120))))) == 120
    assert clock.waited < LEASE + 5
    assert made.texts == {str(n): 1 for n in range(120)}
    store.close()


def test_what_another_process_fails_at_or_leaves_is_asked_here(
    tmp_path: Path, engine: MakeEngine, clock: Clock
) -> None:
    """A failure is not remembered, and a stream that is dropped gives its claims up."""
    one, two = Store(tmp_path / "store.sqlite"), Store(tmp_path / "store.sqlite")
    failing = fakes.adapter("m", embed_texts=lambda given: np.full((len(given), 2), np.nan))
    assert all(isinstance(value, Failure) for value in one.ask(engine(failing), "m", texts(1, 2, 3)))
    stream = one.ask(engine(fakes.Dual("m"), batch_size=1), "m", texts(*range(10)))
    next(stream)
    stream.close()
    made = fakes.Dual("m")
    assert not any(isinstance(value, Failure) for value in two.ask(engine(made), "m", texts(*range(10))))
    assert clock.waited < LEASE / 2
    assert made.asked == 9
    one.close()
    two.close()


def test_streams_that_wait_for_each_other_both_end(
    tmp_path: Path, engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rests in the middle of a stream while it reads another one, which the other is in the middle of."""
    monkeypatch.setattr(claims, "LEASE", 3600.0)  # so that no claim lapses meanwhile
    barrier = threading.Barrier(2)
    ended: list[int] = []

    def work(first: int, second: int) -> None:
        store = Store(tmp_path / "store.sqlite")
        resting, other = (
            store.ask(engine(fakes.Dual("m"), batch_size=5), "m", texts(*range(start, start + 50)))
            for start in (first, second)
        )
        next(resting), next(resting)
        barrier.wait(600)
        assert (len(list(other)), len(list(resting))) == (50, 48)
        ended.append(first)
        store.close()

    threads = [threading.Thread(target=work, args=starts, daemon=True) for starts in ((0, 100), (100, 0))]
    for each in threads:
        each.start()
    for each in threads:
        each.join(600)
    assert sorted(ended) == [0, 100]


def test_nothing_stays_claimed(tmp_path: Path, engine: MakeEngine) -> None:
    store = Store(tmp_path / "store.sqlite")
    list(store.ask(engine(fakes.Dual("m")), "m", texts(*range(50))))
    store.close()
    with sqlite3.connect(tmp_path / "store.sqlite") as file:
        assert [file.execute(f"SELECT COUNT(*) FROM {table}").fetchone() for table in ("claims", "owners")] == [
            (0,)
        ] * 2
