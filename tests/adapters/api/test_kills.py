"""Runs that end early, by a limit, another snapshot, Ctrl-C or a kill: nothing is lost, nothing asked twice."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mmbench.harness.records.record import read
from tests.adapters.api.fake import Say, chat, failure
from tests.fakes import adapter

START = "from mmbench.harness.cli.app import main; main()"


def command(server, task: Path, tmp_path: Path, more: str = "", *arguments: str) -> list[str]:
    given = [sys.executable, "-c", START, "run", "--model", server.spec(more), "--task", str(task), "--yes"]
    return [*given, "--output", str(tmp_path / "results"), "--store", str(tmp_path / "store.sqlite"), *arguments]


def faulty(share: float):
    """Fail a share of requests, drawn by a seed, in five ways."""
    draw = random.Random(0)
    ways = [
        Say(failure("slow down"), 429, {"Retry-After": "0"}),
        Say(failure("oops"), 500),
        Say(None, raw=b'{"choices": [{'),
        {"choices": []},
        Say(chat(), length=9000),
    ]
    return lambda asked: draw.choice(ways) if draw.random() < share else chat()


class Killer:
    """Kills a process, from within the service, as soon as that has answered so many: however slow others are."""

    def __init__(self, script) -> None:
        self.script, self.server, self.process, self.at = script, None, None, 0

    def __call__(self, asked):
        if self.process is not None and self.server.answered.total() >= self.at:
            self.process.send_signal(signal.SIGKILL)
            return socket.socket.close
        return self.script(asked)

    def kill(self, run: list[str], at: int) -> None:
        """Start a process and return when it was killed."""
        self.at = at
        self.process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert self.process.wait() == -signal.SIGKILL
        self.process = None


def killed_twice(serve, questions, tmp_path, n: int, concurrency: int) -> None:
    killer = Killer(faulty(0.05))
    server = killer.server = serve(killer, delay=0.02)
    task = questions(n)
    run = command(server, task, tmp_path, f",concurrency={concurrency},price_in=1,price_out=2")
    for part in (n // 3, 2 * n // 3):
        killer.kill(run, part)
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (record,) = (tmp_path / "results").rglob("*.json")
    record = read(record)
    assert (record.errors, record.primary.value, record.primary.n) == (0, 1.0, n)
    assert len(server.answered) == n
    # What was under way when it was killed, and no more.
    assert server.answered.total() - n <= 2 * (concurrency + 16)
    assert record.asked + record.remembered == n
    assert record.tokens == {"input": 100 * n, "output": 5 * n}
    assert record.cost == pytest.approx((100 * n + 2 * 5 * n) / 1e6)
    assert record.spent["input"] == 100 * record.asked < record.tokens["input"]


@pytest.mark.parametrize(("n", "concurrency"), [(450, 16), pytest.param(1500, 64, marks=pytest.mark.long)])
def test_a_run_that_is_killed_twice_loses_nothing(serve, questions, tmp_path, n, concurrency):
    killed_twice(serve, questions, tmp_path, n, concurrency)


def test_what_arrived_is_in_the_store_at_once(serve, questions, tmp_path):
    """One thread: the last that arrived may be on its way to the store, and the next on its way to the service."""
    killer = Killer(lambda asked: chat())
    server = killer.server = serve(killer, delay=0.02)
    run = command(server, questions(60), tmp_path, ",concurrency=1")
    killer.kill(run, 30)
    assert subprocess.run(run, capture_output=True).returncode == 0
    assert server.answered.total() - 60 <= 2


def test_ctrl_c_keeps_what_was_under_way(serve, questions, tmp_path):
    ended = threading.Event()

    def script(asked):
        if asked.number >= 40 and not ended.is_set():  # the signal takes its time: none of these is answered
            ended.wait(600)
            return socket.socket.close
        return chat()

    server = serve(script, delay=0.3)
    run = command(server, questions(100), tmp_path, ",concurrency=8")
    process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while server.answered.total() < 9:
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    ended.set()
    assert process.returncode == 130 and "run the same again" in err
    before = server.answered.total()
    assert before < 60
    assert subprocess.run(run, capture_output=True).returncode == 0
    assert server.answered.total() == 100 and max(server.answered.values()) == 1


@pytest.mark.parametrize(
    "limit", [{"max_cost": 0.0033}, {"max_total_tokens": 3150}], ids=["max_cost", "max_total_tokens"]
)
def test_a_limit_stops_cleanly_and_the_same_run_goes_on(serve, questions, ask, limit):
    """An answer takes 105 tokens, and 110 millionths: either limit is that of 30 answers.

    A run asks 22 to 30, by how its threads meet, so that of 66 the second leaves something, and the third nothing.
    """
    server = serve(delay=0.005)
    spec = server.spec(",concurrency=4,price_in=1,price_out=2")
    made = ask(spec, questions(66), **limit)
    assert (made.exit_code, made.records) == (1, [])
    assert 22 <= len(server.asked) <= 30  # four are asked and four wait, of which it is not known what they take
    error = made.problems[0].error
    assert next(iter(limit)).replace("_", "-") in str(error) and "same command again" in error.step
    first = len(server.asked)
    made = ask(spec, questions(66), **limit)
    assert made.exit_code == 1
    made = ask(spec, questions(66), **limit)
    assert (made.exit_code, len(server.asked)) == (0, 66)
    assert made.records[0].tokens == {"input": 6600, "output": 330}
    assert max(server.answered.values()) == 1
    assert first <= 30


def test_a_limit_that_cannot_be_kept_is_told(serve, questions, ask, command):
    server = serve(lambda asked: {**chat(), "usage": None})
    made = ask(server.spec(), questions(5), max_total_tokens=1000)
    assert (made.exit_code, len(server.asked)) == (1, 1)
    assert "does not tell how many tokens" in str(made.problems[0].error)
    code, _, err = command("run", "--model", server.spec(), "--task", str(questions(5)), "--yes", "--max-cost", "1")
    assert (code, len(server.asked)) == (2, 1) and "price_in" in err
    # Without a limit it is answered, and the record says that nothing is known.
    record = ask(server.spec(), questions(5)).records[0]
    assert (record.tokens, record.cost, record.spent) == (None, None, None)


def test_limits_leave_models_of_this_machine_alone(serve, questions, ask):
    own = adapter("own", takes_text_alone=True, generate=lambda prompts, settings: ["yes"] * len(prompts))
    made = ask([serve().spec(), own], questions(5), max_total_tokens=200)
    assert [problem.model for problem in made.problems] == ["fake"]
    assert (made.records[0].primary.value, made.records[0].tokens) == (1.0, None)


def test_a_changed_snapshot_stops_the_run_and_keeps_what_was_answered(serve, questions, ask):
    server = serve(lambda asked: chat(model="m-1" if asked.number < 20 else "m-2"))
    made = ask(server.spec(",concurrency=2"), questions(60))
    assert made.exit_code == 1
    assert "now answers with 'm-2'" in str(made.problems[0].error) and "'m-1'" in str(made.problems[0].error)
    assert len(server.asked) <= 27
    # Also when it is asked again, by one question.
    before = len(server.asked)
    made = ask(server.spec(",concurrency=2"), questions(60))
    assert (made.exit_code, len(server.asked)) == (1, before + 1)
    # The old one comes back: the rest is asked, and what it had answered is not.
    server.script = lambda asked: chat(model="m-1")
    before = len(server.asked)
    made = ask(server.spec(",concurrency=2"), questions(60))
    assert (made.exit_code, len(server.asked)) == (0, before + 40)
    assert made.records[0].snapshot == "m-1"


def test_a_snapshot_that_is_named_is_the_only_one(serve, questions, ask):
    server = serve(lambda asked: chat(model="m-2"))
    assert ask(server.spec(), questions(3)).exit_code == 0
    made = ask(server.spec(",snapshot=m-1"), questions(3))
    assert made.exit_code == 1 and "asks for 'm-1'" in str(made.problems[0].error)
    made = ask(server.spec(",snapshot=m-2"), questions(3))
    assert made.exit_code == 0 and made.records[0].snapshot == "m-2"


def test_two_tasks_on_the_same_questions_pay_once(serve, questions, ask):
    server = serve()
    spec = server.spec(",price_in=1,price_out=1")
    first = ask(spec, questions(5)).records[0]
    second = ask(spec, questions(5, name="again")).records[0]
    assert len(server.asked) == 5
    assert first.spent == {"input": 500, "output": 25, "cost": pytest.approx(525e-6)}
    assert second.spent == {"input": 0, "output": 0, "cost": 0.0}
    assert first.tokens == second.tokens and first.cost == second.cost


def test_configurations_of_a_service_are_noted(serve, questions, ask):
    server = serve(lambda asked: chat(system_fingerprint=f"fp_{asked.number % 2}"))
    assert "2 configurations: fp_0, fp_1" in ask(server.spec(), questions(4)).records[0].notes[1]


def test_limits_a_minute_are_kept(serve, questions, ask):
    server = serve()
    started = time.monotonic()
    assert ask(server.spec(",rpm=600,concurrency=16"), questions(12)).exit_code == 0
    assert time.monotonic() - started >= 1.1


def test_no_more_are_under_way_than_asked_for(serve, questions, ask):
    met = threading.Event()

    def script(asked):
        if server.most >= 5:
            met.set()
        if asked.number:  # the first is asked alone
            assert met.wait(60)
        return chat()

    server = serve(script)
    assert ask(server.spec(",concurrency=5"), questions(60)).exit_code == 0
    assert server.most == 5


def test_the_adapter_is_not_imported_without_need():
    code = (
        "import sys, mmbench.adapters.api.adapter; "
        "from mmbench.harness.registry import entries; "
        "print(sorted({'torch', 'openai', 'httpx2', 'requests', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    assert done.stdout.strip() == "[]", done.stderr
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", START, "--help"], capture_output=True, text=True
    ).stderr
    assert "adapters.api" not in shown and "http.client" not in shown
