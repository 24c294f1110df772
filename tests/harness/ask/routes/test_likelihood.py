"""Likelihoods that say nothing of an item are its error, and one that says impossible puts an option last."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from mmbench.benchmarks.metrics.classification import mean_average_precision, top_k_hits
from mmbench.benchmarks.metrics.pairs import pair_values
from mmbench.harness.ask.subject import Subject
from mmbench.harness.ask.wording import Wording
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.question import Answered, Question
from mmbench.harness.media.image import Image
from mmbench.harness.store.store import Store
from mmbench.harness.types import Option, Sample
from tests import fakes

MakeSubject = Callable[..., Subject]
MakePicture = Callable[..., Image]
INF = math.inf
RULES = ("sum", "mean", "pmi")


def chosen(subject: MakeSubject, image: Image, scores: list[float], rule: str, prior: float = -3.0) -> object:
    """Return the choice among options 0, 1, … of these log-probabilities, two phrasings each."""

    def likely(n: int | None, prompt: str, text: str) -> float:
        return prior if n is None else scores[int(text.split("/", maxsplit=1)[0])]

    options = [Option(str(i), (f"{i}/a", f"{i}/b")) for i in range(len(scores))]
    model = subject(fakes.Likely(likely), pinned="likelihood")
    return next(model.choose([Sample("x", (image,))], options, Wording(likelihood=rule)))


@pytest.fixture
def image() -> Image:
    return Image.from_array(np.asarray(fakes.numbered(5)), "picture 5")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("broken", [0.5, 1e-3, INF, math.nan])
def test_no_log_probability_is_an_error(subject: MakeSubject, image: Image, rule: str, broken: float) -> None:
    choice = chosen(subject, image, [-1.0, broken, -INF], rule)
    assert choice.status == "error"
    assert "log-probability" in choice.message


@pytest.mark.parametrize("rule", RULES)
def test_rounding_above_nought_is_taken(subject: MakeSubject, image: Image, rule: str) -> None:
    choice = chosen(subject, image, [1e-7, -1.0], rule)
    assert choice.status == "ok"
    assert int(choice.scores.argmax()) == 0


@pytest.mark.parametrize("rule", RULES)
def test_an_impossible_option_is_last(subject: MakeSubject, image: Image, rule: str) -> None:
    scores = chosen(subject, image, [-9.0, -INF, -1.0, -INF], rule).scores
    assert not np.isnan(scores).any()
    assert [top_k_hits(scores, (i,), [1, 2, 3]) for i in range(4)] == [
        [0.0, 1.0, 1.0],
        [0.0, 0.0, 0.5],
        [1.0, 1.0, 1.0],
        [0.0, 0.0, 0.5],
    ]


@pytest.mark.parametrize("rule", RULES)
def test_options_that_are_all_impossible_tie(subject: MakeSubject, image: Image, rule: str) -> None:
    scores = chosen(subject, image, [-INF] * 4, rule).scores
    assert top_k_hits(scores, (2,), [1]) == [0.25]


def test_one_impossible_phrasing_makes_the_mean_impossible(subject: MakeSubject, image: Image) -> None:
    model = subject(fakes.Likely(lambda n, p, text: -INF if text == "b" else -2.0), pinned="likelihood")
    (choice,) = model.choose([Sample("x", (image,))], [Option("0", ("a", "b")), Option("1", ("c", "d"))])
    assert choice.scores.tolist() == [-INF, -2.0]


def test_an_option_that_is_impossible_with_and_without_the_picture_is_last(subject: MakeSubject, image: Image) -> None:
    likely = fakes.Likely(lambda n, p, text: -INF if text == "a" else -5.0)
    model = subject(likely, pinned="likelihood")
    options = [Option("0", ("a",)), Option("1", ("b",))]
    (choice,) = model.choose([Sample("x", (image,))], options, Wording(likelihood="pmi"))
    assert choice.scores.tolist() == [-INF, 0.0]
    assert top_k_hits(choice.scores, (0,), [1]) == [0.0]


def test_what_is_impossible_without_the_picture_alone_has_no_pmi(subject: MakeSubject, image: Image) -> None:
    choice = chosen(subject, image, [-1.0, -2.0], "pmi", prior=-INF)
    assert choice.status == "error"
    assert "pmi" in choice.message


@pytest.mark.parametrize("rule", RULES)
def test_a_pair_with_an_impossible_caption(subject: MakeSubject, image: Image, rule: str) -> None:
    for right, wrong, expected in ((-4.0, -INF, 1.0), (-INF, -4.0, 0.0), (-INF, -INF, 0.0)):
        held = {"right": right, "wrong": wrong}
        model = subject(
            fakes.Likely(lambda n, p, text, held=held: -1.0 if n is None else held[text]), pinned="likelihood"
        )
        model._interview.fingerprint = f"{rule} {right} {wrong}"
        sample = Sample("x", (image,), references=("right", "wrong"))
        (scores,) = model.within([sample], Wording(likelihood=rule))
        assert pair_values(scores) == {"text_score": expected, "pairwise_accuracy": expected}


def test_similarity_takes_impossible_texts_and_no_nan(subject: MakeSubject) -> None:
    images = [Image.from_array(np.asarray(fakes.numbered(n)), str(n)) for n in range(3)]
    samples = [Sample(str(n), (images[n],), references=(str(n),)) for n in range(3)]
    table = {(0, "0"): -INF, (1, "1"): -1.0, (2, "2"): INF}
    model = subject(fakes.Likely(lambda n, p, text: table.get((n, text), -INF)), pinned="likelihood")
    found = model.similarity(samples)
    assert list(found.failures) == [2]
    assert found.image_to_text.hit(1).tolist() == [0.5, 1.0]


def test_what_was_remembered_is_checked_too(subject: MakeSubject, store: Store, image: Image) -> None:
    model = subject(fakes.Likely(lambda *asked: -1.0), pinned="likelihood")
    question = Question(SCORE, (image,), "", ("a", "b")).read()
    assert isinstance(question, Question)
    store.keep(store._model("likely"), [Answered(question, np.array([INF, -1.0]))], 1.0)
    (choice,) = model.choose([Sample("x", (image,))], [Option("a", ("a",)), Option("b", ("b",))])
    assert choice.status == "error"
    found = model.similarity([Sample("x", (image,), references=("c",)), Sample("y", (image,), references=("d",))])
    assert isinstance(found.failures, dict)


def test_candidates_that_are_impossible_are_not_picked(subject: MakeSubject, image: Image) -> None:
    model = subject(fakes.Likely(lambda n, p, text: -1.0 if text == "c" else -INF), pinned="likelihood")
    answers = model.answer([Sample(str(i), (image,)) for i in range(9)], ("a", "b", "c"), Wording(phrasing="{answer}"))
    assert {answer.text for answer in answers} == {"c"}


def test_precision_over_impossible_scores_knows_no_order() -> None:
    table = np.array([[-1.0, 1.0], [-INF, 1.0], [-INF, 0.0], [-INF, 0.0]])
    values = [mean_average_precision(table[order], np.ones((1, 4)))[0] for order in ([0, 1, 2, 3], [3, 2, 1, 0])]
    assert values == [0.75, 0.75]
