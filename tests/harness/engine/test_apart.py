"""Answers apart: an adapter that waits for others is asked in threads, and each answer is stored as it comes."""

import threading
import time
from collections import Counter
from types import SimpleNamespace

import pytest

from mmbench.harness.engine.apart import Apart
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.question import FLUSH, Answered, Question
from mmbench.harness.errors import AdapterError, OutOfMemory, Unanswered, Unavailable
from mmbench.harness.models.reply import Reply, Told, Usage
from mmbench.harness.types import Failure


def asked(n):
    return [Question(REPLY, prompt=str(i)).read() for i in range(n)]


def values(batches):
    return {each.question.prompt: each.value for batch in batches for each in batch}


class Slow:
    fingerprint, takes_text_alone, concurrency = "slow", True, 4

    def __init__(self, answer=lambda prompt: prompt):
        self.answer = answer
        self.asked = Counter()
        self.now, self.most = 0, 0
        self.lock = threading.Lock()

    def generate(self, prompts, settings):
        ((_, prompt),) = prompts
        with self.lock:
            self.asked[prompt] += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            time.sleep(0.01)
            return [self.answer(prompt)]
        finally:
            with self.lock:
                self.now -= 1


def test_each_question_is_answered_once_and_no_more_at_a_time_than_allowed(engine):
    adapter = Slow()
    assert values(engine(adapter).map(asked(40))) == {str(i): str(i) for i in range(40)}
    assert set(adapter.asked.values()) == {1} and adapter.most == 4


def test_the_first_is_asked_alone(engine):
    def answer(prompt):
        raise Unavailable("no key")

    adapter = Slow(answer)
    with pytest.raises(Unavailable):
        list(engine(adapter).map(asked(40)))
    assert adapter.asked == {"0": 1}


def test_what_is_under_way_is_kept_when_a_later_one_ends_the_run(store, engine):
    def answer(prompt):
        if prompt == "20":
            raise Unavailable("the key expired")
        return prompt

    adapter = Slow(answer)
    with pytest.raises(Unavailable):
        list(store.ask(engine(adapter), "slow", asked(60)))
    first = adapter.asked.total()
    assert first <= 25
    adapter.answer = lambda prompt: prompt
    assert list(store.ask(engine(adapter), "slow", asked(60))) == [str(i) for i in range(60)]
    assert adapter.asked.total() == 61  # that which ended it is asked twice


def test_a_reader_that_stops_loses_nothing_that_was_under_way(store, engine):
    adapter = Slow()
    stream = store.ask(engine(adapter), "slow", asked(60))
    assert [next(stream) for _ in range(6)] == [str(i) for i in range(6)]
    stream.close()
    assert 1 < adapter.asked.total() < 30
    assert len(list(store.ask(engine(adapter), "slow", asked(60)))) == 60
    assert set(adapter.asked.values()) == {1}


@pytest.mark.parametrize("at", ["before", "within"])
def test_ctrl_c_while_an_answer_is_kept_loses_none(store, engine, monkeypatch, at):
    adapter, keep = Slow(), store.keep

    def interrupted(model, answered, seconds):
        if any(each.question.prompt == "9" for each in answered):
            monkeypatch.setattr(store, "keep", keep)
            if at == "within":
                keep(model, answered, seconds)
            raise KeyboardInterrupt
        return keep(model, answered, seconds)

    monkeypatch.setattr(store, "keep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(store.ask(engine(adapter), "slow", asked(60)))
    assert list(store.ask(engine(adapter), "slow", asked(60))) == [str(i) for i in range(60)]
    assert adapter.asked.total() == 60


def test_failures_are_of_their_items(store, engine):
    def answer(prompt):
        if prompt == "3":
            raise Unanswered("no answer in 3 tries")
        if prompt == "4":
            raise RuntimeError("broken")
        if prompt == "5":
            raise OutOfMemory("too large")
        return 7 if prompt == "6" else prompt

    found = list(store.ask(engine(Slow(answer)), "slow", asked(8)))
    assert [isinstance(each, Failure) for each in found] == [False] * 3 + [True] * 4 + [False]
    assert found[3].message == "no answer in 3 tries"


def test_a_model_that_fails_each_time_is_given_up(store, engine):
    def answer(prompt):
        raise RuntimeError("broken")

    adapter = Slow(answer)
    with pytest.raises(AdapterError, match="each of the first 16"):
        list(store.ask(engine(adapter), "slow", asked(100)))
    assert adapter.asked.total() < 30


def test_remembered_answers_start_no_thread(store, engine):
    list(store.ask(engine(Slow()), "slow", asked(10)))
    before = threading.active_count()
    never = SimpleNamespace(fingerprint="slow", concurrency=4)
    assert len(list(store.ask(engine(never), "slow", asked(10)))) == 10
    assert threading.active_count() <= before


def test_threads_end_with_their_questions():
    def running():
        return [each for each in threading.enumerate() if each.name.startswith("mmbench-ask")]

    made = Apart(asked(20), 4, lambda question: Answered(question, "x"))
    assert len(values(made)) == 20
    until = time.monotonic() + 5
    while running() and time.monotonic() < until:
        time.sleep(0.01)
    assert not running()


def test_control_is_handed_back_in_between():
    def questions():
        yield from asked(3)
        yield None
        yield FLUSH

    assert len(values(Apart(questions(), 2, lambda question: Answered(question, "x")))) == 3


def test_a_call_that_never_returns_is_not_waited_for_for_ever():
    never = threading.Event()

    def answer(question):
        if question.prompt != "0":
            never.wait(30)
        return Answered(question, "x")

    made = Apart(asked(5), 2, answer)
    first = next(made)
    started = time.monotonic()
    assert list(made.rest(0.2)) == [first]
    assert time.monotonic() - started < 5
    never.set()


def test_what_is_told_of_replies_is_stored_with_them(store, engine):
    told = Told(refused=True, cut=True, usage=Usage(3, 1), snapshot="m-1", system="fp")
    for adapter in (Slow(lambda prompt: Reply("no\nway", told)), Slow(lambda prompt: "other")):
        (found,) = store.ask(engine(adapter), "slow", asked(1))
        assert found == "no\nway" and found.told == told
    assert (store.meter.used, store.meter.spent) == ((3, 1), (3, 1))


def test_no_more_pictures_are_decoded_at_a_time_than_there_are_workers(engine, picture):
    class Looks(Slow):
        concurrency = 16

        def prepare_image(self, image):
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            time.sleep(0.005)
            with self.lock:
                self.now -= 1
            return image

        def generate(self, prompts, settings):
            return [prompt for _, prompt in prompts]

    adapter = Looks()
    questions = [Question(REPLY, (picture(n),), prompt=str(n)).read() for n in range(60)]
    assert len(values(engine(adapter, workers=2).map(questions))) == 60
    assert adapter.most == 2
