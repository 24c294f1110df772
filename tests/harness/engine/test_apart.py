"""Answers apart: an adapter that waits for others is asked in threads, and each answer is stored as it comes."""

import threading
import time
from collections import Counter
from types import SimpleNamespace

import pytest

from mmbench.harness.engine import local
from mmbench.harness.engine.apart import Apart
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.question import FLUSH, Answered, Question
from mmbench.harness.errors import AdapterError, OutOfMemory, Unanswered, Unavailable
from mmbench.harness.models.reply import Reply, Told, Usage
from mmbench.harness.types import Failure

WAIT = 60.0
"""Seconds for which a thread waits for others, which come at once where all is well."""


def asked(n):
    return [Question(REPLY, prompt=str(i)).read() for i in range(n)]


def values(batches):
    return {each.question.prompt: each.value for batch in batches for each in batch}


class Together:
    """Counts how many are within at a time. Each but the first, which is alone, stays until so many have met once."""

    def __init__(self, meet):
        self.came, self.now, self.most, self.meet = 0, 0, 0, meet
        self.moved = threading.Condition()

    def __enter__(self):
        with self.moved:
            self.came, self.now = self.came + 1, self.now + 1
            self.most = max(self.most, self.now)
            self.moved.notify_all()
            if self.came > 1:
                self.moved.wait_for(lambda: self.most >= self.meet, WAIT)

    def __exit__(self, *error):
        with self.moved:
            self.now -= 1


class Slow:
    fingerprint, takes_text_alone, concurrency = "slow", True, 4

    def __init__(self, answer=lambda prompt: prompt):
        self.answer = answer
        self.asked = Counter()
        self.lock = threading.Lock()

    def generate(self, prompts, settings):
        ((_, prompt),) = prompts
        with self.lock:
            self.asked[prompt] += 1
        time.sleep(0.01)
        return [self.answer(prompt)]


def test_each_question_is_answered_once_and_no_more_at_a_time_than_allowed(engine):
    under_way = Together(4)

    def answer(prompt):
        with under_way:
            time.sleep(0.001)
            return prompt

    adapter = Slow(answer)
    assert values(engine(adapter).map(asked(40))) == {str(i): str(i) for i in range(40)}
    assert set(adapter.asked.values()) == {1} and under_way.most == 4


def test_the_first_is_asked_alone(engine):
    def answer(prompt):
        raise Unavailable("no key")

    adapter = Slow(answer)
    with pytest.raises(Unavailable):
        list(engine(adapter).map(asked(40)))
    assert adapter.asked == {"0": 1}


def test_what_is_under_way_is_kept_when_a_later_one_ends_the_run(store, engine, monkeypatch):
    made = []
    monkeypatch.setattr(local, "Apart", lambda *given: made.append(Apart(*given)) or made[-1])

    def answer(prompt):
        if prompt == "20":
            raise Unavailable("the key expired")
        while int(prompt) > 20 and not made[0]._stopped:  # under way as the run ends, however its threads meet
            time.sleep(0.001)
        return prompt

    adapter = Slow(answer)
    with pytest.raises(Unavailable):
        list(store.ask(engine(adapter), "slow", asked(60)))
    first = adapter.asked.total()
    assert first <= 24
    adapter.answer = lambda prompt: prompt
    assert list(store.ask(engine(adapter), "slow", asked(60))) == [str(i) for i in range(60)]
    assert adapter.asked.total() == 61  # that which ended it is asked twice


def test_a_reader_that_stops_loses_nothing_that_was_under_way(store, engine):
    answered, moved = [], threading.Condition()

    def answer(prompt):
        with moved:  # in the order of the questions: else others would be asked while the reader waits for the first
            assert moved.wait_for(lambda: len(answered) == int(prompt), WAIT)
            answered.append(prompt)
            moved.notify_all()
        return prompt

    adapter = Slow(answer)
    stream = store.ask(engine(adapter), "slow", asked(60))
    assert [next(stream) for _ in range(6)] == [str(i) for i in range(6)]
    stream.close()
    assert 1 < adapter.asked.total() < 30
    adapter.answer = lambda prompt: prompt
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
    until = time.monotonic() + WAIT
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
            never.wait(WAIT)
        return Answered(question, "x")

    made = Apart(asked(5), 2, answer)
    first = next(made)
    assert list(made.rest(0.2)) == [first]  # who waited for the others would have them too
    never.set()


def test_what_is_told_of_replies_is_stored_with_them(store, engine):
    told = Told(refused=True, cut=True, usage=Usage(3, 1), snapshot="m-1", system="fp")
    for adapter in (Slow(lambda prompt: Reply("no\nway", told)), Slow(lambda prompt: "other")):
        (found,) = store.ask(engine(adapter), "slow", asked(1))
        assert found == "no\nway" and found.told == told
    assert (store.meter.used, store.meter.spent) == ((3, 1), (3, 1))


def test_no_more_pictures_are_decoded_at_a_time_than_there_are_workers(engine, picture):
    decoding = Together(2)

    class Looks(Slow):
        concurrency = 16

        def prepare_image(self, image):
            with decoding:
                time.sleep(0.001)
            return image

        def generate(self, prompts, settings):
            return [prompt for _, prompt in prompts]

    adapter = Looks()
    questions = [Question(REPLY, (picture(n),), prompt=str(n)).read() for n in range(60)]
    assert len(values(engine(adapter, workers=2).map(questions))) == 60
    assert decoding.most == 2
