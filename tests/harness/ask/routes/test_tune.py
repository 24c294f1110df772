"""Learnt prompts are remembered like answers, their time is told first, and refused before any is learnt."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mmbench.harness.ask.subject import Subject
from mmbench.harness.engine.kinds.tune import TUNE
from mmbench.harness.engine.question import Question, Tuning
from mmbench.harness.errors import AdapterError, Unsupported, UsageError
from mmbench.harness.store.store import Store
from tests import fakes

Floats = np.ndarray
MakeSubject = Callable[..., Subject]


class Learner:
    """Takes class means for learnt prompts, and keeps what it was asked."""

    fingerprint = "learner"

    def __init__(self, seconds: float = 1.0, dimension: int = 4) -> None:
        self.seconds = seconds
        self.dimension = dimension
        self.asked: list[tuple[list[str], Floats, Floats, dict[str, float], int]] = []
        self.estimated: list[tuple[list[str], int, dict[str, float]]] = []

    def tune_prompts(
        self, class_names: Sequence[str], vectors: Floats, labels: Floats, settings: dict[str, float], seed: int
    ) -> Floats:
        self.asked.append((list(class_names), vectors, labels, dict(settings), seed))
        return np.stack([vectors[labels == i].mean(axis=0) + seed for i in range(len(class_names))])

    def estimate_tuning(self, class_names: Sequence[str], pictures: int, settings: dict[str, float]) -> float:
        self.estimated.append((list(class_names), pictures, dict(settings)))
        return self.seconds


def tuning(n: int = 4, seed: int = 0, names: Sequence[str] = ("ant", "bee"), epochs: float = 50.0) -> Tuning:
    vectors = np.random.default_rng(n).standard_normal((n, 4)).astype(np.float32)
    return Tuning(tuple(names), vectors, np.arange(n) % 2, {"epochs": epochs}, seed)


def expected(asked: Tuning) -> Floats:
    return np.stack([asked.vectors[asked.labels == i].mean(axis=0) + asked.seed for i in range(2)])


def test_each_is_asked_as_it_was_meant_and_answered_in_order(subject: MakeSubject) -> None:
    learner, tunings = Learner(), [tuning(4, 0), tuning(6, 1), tuning(4, 2)]
    made = list(subject(learner).tuned(tunings))
    assert [array.shape for array in made] == [(2, 4)] * 3
    assert all(array.dtype == np.float64 for array in made)
    for own, array, asked in zip(tunings, made, learner.asked, strict=True):
        assert array == pytest.approx(expected(own), abs=1e-6)
        assert asked[0] == ["ant", "bee"]
        assert np.array_equal(asked[1], own.vectors)
        assert np.array_equal(asked[2], own.labels)
        assert asked[3:] == ({"epochs": 50.0}, own.seed)


def test_what_was_learnt_is_remembered_bit_by_bit(subject: MakeSubject, store: Store) -> None:
    learner, told = Learner(), list[str]()
    first = list(subject(learner).tuned([tuning(4), tuning(6)]))
    again = list(subject(learner, tell=told.append, most_minutes=0).tuned([tuning(6), tuning(4)]))
    assert np.array_equal(first, again[::-1])
    assert (len(learner.asked), told) == (2, [])
    assert store.remembers("learner", Question(TUNE, tuning=tuning(4)))
    assert not store.remembers("other", Question(TUNE, tuning=tuning(4)))
    assert not store.remembers("learner", Question(TUNE, tuning=tuning(5)))


@pytest.mark.parametrize(
    "other",
    [
        tuning(seed=1),
        tuning(names=("bee", "ant")),
        tuning(epochs=100.0),
        Tuning(("ant", "bee"), tuning().vectors, 1 - tuning().labels, {"epochs": 50.0}, 0),
        Tuning(("ant", "bee"), tuning().vectors[::-1], tuning().labels, {"epochs": 50.0}, 0),
        Tuning(("ant", "bee"), np.nextafter(tuning().vectors, 9, dtype=np.float32), tuning().labels, {"epochs": 50}, 0),
        Tuning(("ant", "bee"), tuning().vectors, tuning().labels, {"epochs": 50.0, "lr": 1.0}, 0),
    ],
    ids=["seed", "names", "settings", "labels", "order", "vectors", "more settings"],
)
def test_whatever_differs_is_another_question(subject: MakeSubject, other: Tuning) -> None:
    learner = Learner()
    list(subject(learner).tuned([tuning(), other]))
    assert len(learner.asked) == 2


def test_a_view_and_the_order_of_settings_do_not_make_another(subject: MakeSubject) -> None:
    learner, base = Learner(), tuning(8)
    wide = np.zeros((8, 8), np.float32)
    wide[:, ::2] = base.vectors
    view = Tuning(base.class_names, wide[:, ::2], base.labels, {"lr": 1.0, "epochs": 50.0}, 0)
    plain = Tuning(base.class_names, base.vectors, base.labels, {"epochs": 50.0, "lr": 1.0}, 0)
    list(subject(learner).tuned([view, plain]))
    assert len(learner.asked) == 1


# the time that it takes


def test_time_is_told_before_anything_is_learnt(subject: MakeSubject) -> None:
    learner, told = Learner(seconds=90), list[str]()

    def tell(message: str) -> None:
        assert not learner.asked
        told.append(message)

    list(subject(learner, tell=tell).tuned([tuning(4, 0), tuning(4, 1), tuning(6, 0)]))
    assert told == ["prompts to learn: 3, about 4.5 min"]
    # Prompts that differ in seed alone take the same time.
    assert learner.estimated == [(["ant", "bee"], 4, {"epochs": 50.0}), (["ant", "bee"], 6, {"epochs": 50.0})]


def test_too_long_is_refused_before_anything_is_learnt(subject: MakeSubject) -> None:
    learner, told = Learner(seconds=600), list[str]()
    with pytest.raises(UsageError, match="would take about 20 min, over --max-minutes 15; allow more, or ask fewer"):
        list(subject(learner, tell=told.append, most_minutes=15).tuned([tuning(seed=0), tuning(seed=1)]))
    assert (learner.asked, told) == ([], ["prompts to learn: 2, about 20.0 min"])


def test_only_what_is_not_remembered_counts(subject: MakeSubject) -> None:
    learner, told = Learner(seconds=600), list[str]()
    list(subject(learner).tuned([tuning(seed=0)]))
    list(subject(learner, tell=told.append, most_minutes=15).tuned([tuning(seed=0), tuning(seed=1)]))
    assert told == ["prompts to learn: 1, about 10.0 min"]


def test_a_model_that_cannot_estimate_is_asked_all_the_same(subject: MakeSubject) -> None:
    class Sudden(Learner):
        estimate_tuning = None  # type: ignore[assignment]

    told = list[str]()
    assert len(list(subject(Sudden(), tell=told.append, most_minutes=0).tuned([tuning()]))) == 1
    assert told == []


# what goes wrong


def test_a_model_without_the_ability(subject: MakeSubject) -> None:
    with pytest.raises(Unsupported, match="prompt learning needs tune_prompts; a model has none"):
        list(subject(fakes.Dual()).tuned([tuning()]))


@pytest.mark.parametrize(
    "answer", [np.zeros((3, 4)), np.full((2, 4), np.nan), np.zeros(8)], ids=["rows", "nan", "one dimension"]
)
def test_an_answer_that_is_no_class_vectors(subject: MakeSubject, answer: Floats) -> None:
    class Broken(Learner):
        def tune_prompts(self, *arguments: object) -> Floats:
            return answer

    with pytest.raises(AdapterError):
        list(subject(Broken()).tuned([tuning()]))


def test_an_error_of_the_model_is_told(subject: MakeSubject) -> None:
    class Failing(Learner):
        def tune_prompts(self, *arguments: object) -> Floats:
            raise RuntimeError("no such token")

    with pytest.raises(AdapterError, match="cannot learn a prompt: .*no such token"):
        list(subject(Failing()).tuned([tuning()]))


def test_nothing_asked_is_nothing_told(subject: MakeSubject) -> None:
    told = list[str]()
    assert list(subject(Learner(), tell=told.append).tuned([])) == []
    assert told == []
