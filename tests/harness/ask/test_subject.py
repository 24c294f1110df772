"""The subject asks each question by a route that the model has, and gets what a plain computation gets."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.baselines.chance import Chance
from mmbench.benchmarks.families.retrieval import Retrieval
from mmbench.benchmarks.families.zero_shot import ZeroShotClassification
from mmbench.harness.ask.predictions import Predictions
from mmbench.harness.ask.recorded import Recorded
from mmbench.harness.ask.subject import NEEDS, Subject, choose_route
from mmbench.harness.ask.wording import ASK_WITH_OPTIONS, Wording
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.errors import AdapterError, Unsupported
from mmbench.harness.media.image import Image
from mmbench.harness.models.abilities import ABILITIES, Generation, ImageVectors, abilities
from mmbench.harness.replies.marks import lettered
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.source import Data, Row
from mmbench.harness.types import Failure, Option, Sample
from tests import fakes

MakeSubject = Callable[..., Subject]
MakePicture = Callable[..., Image]
ROUTES = ("embed", "likelihood", "generate")
EVERY_SUBSET = [frozenset(some) for n in range(len(ABILITIES) + 1) for some in combinations(ABILITIES, n)]


def unit(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float64)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def options(*labels: str, phrasings: int = 1) -> list[Option]:
    return [Option(label, tuple(f"{n} a {label}" for n in range(phrasings))) for label in labels]


@pytest.fixture
def seen() -> Callable[[Image], np.ndarray]:
    """The vector that the `Dual` model has for a picture."""
    return lambda image: fakes.vector(fakes.picture_bytes(image.pil()))


# Routes


@pytest.mark.parametrize("verb", NEEDS)
def test_the_first_route_whose_abilities_are_there_is_taken(verb: str) -> None:
    for able in EVERY_SUBSET:
        for preferred in (ROUTES, ROUTES[::-1]):
            fitting = [route for route in preferred if route in NEEDS[verb] and NEEDS[verb][route] <= able]
            if fitting:
                assert choose_route("m", verb, preferred, able) == fitting[0]
            else:
                with pytest.raises(Unsupported, match=f"^{verb} needs .+; m has none$"):
                    choose_route("m", verb, preferred, able)


@pytest.mark.parametrize("verb", NEEDS)
@pytest.mark.parametrize("pinned", ROUTES)
def test_a_pinned_route_is_taken_or_refused(verb: str, pinned: str) -> None:
    for able in EVERY_SUBSET:
        if pinned in NEEDS[verb] and NEEDS[verb][pinned] <= able:
            assert choose_route("m", verb, ROUTES, able, pinned) == pinned
        else:
            with pytest.raises(Unsupported):
                choose_route("m", verb, ROUTES, able, pinned)


@pytest.mark.parametrize(
    ("verb", "preferred", "able", "pinned", "message"),
    [
        ("features", ROUTES, set(), None, "features needs embed_images; X has none"),
        ("choose", ("embed",), {"embed_images"}, None, "choose needs embed_texts; X has none"),
        ("choose", ROUTES[::2], set(), None, "choose needs embed_images and embed_texts or generate; X has none"),
        (
            "similarity",
            ROUTES,
            {"generate", "embed_images"},
            None,
            "similarity needs embed_texts or score_texts; X has none",
        ),
        ("answer", ROUTES, {"embed_images"}, "likelihood", "answer needs score_texts; X has none"),
        ("features", ROUTES, {*ABILITIES}, "generate", "features cannot be asked by generate, only by embed"),
    ],
)
def test_what_is_missing_is_named(verb: str, preferred: tuple[str], able: set[str], pinned: str, message: str) -> None:
    with pytest.raises(Unsupported) as caught:
        choose_route("X", verb, preferred, frozenset(able), pinned)
    assert str(caught.value) == message


def test_a_route_that_is_not_the_tasks_is_named() -> None:
    with pytest.raises(Unsupported) as caught:
        choose_route("X", "similarity", ("embed",), frozenset({"score_texts"}))
    assert caught.value.step == "it can be asked with --route likelihood"
    with pytest.raises(Unsupported) as caught:
        choose_route("X", "similarity", ("embed",), frozenset({"generate"}))
    assert "--route" not in caught.value.step


def test_the_route_is_kept_and_the_order_of_the_task_decides(subject: MakeSubject, picture: MakePicture) -> None:
    samples = [Sample("0", (picture(0),), options=tuple(options("cat", "dog")))]
    made = subject(Chance())
    for preferred in (("likelihood", "embed"), ("generate",), ("embed",)):
        choices = made.sit(preferred).choose(samples)
        assert len(list(choices)) == 1
        assert choices.route == preferred[0]
    pinned = subject(Chance(), pinned="generate")
    assert pinned.sit(("embed",)).choose(samples).route == "generate"


def test_abilities_are_those_of_the_methods() -> None:
    assert abilities(fakes.Dual()) == {"embed_images", "embed_texts"}
    assert abilities(fakes.Scorer()) == {"score_texts"}
    assert abilities(fakes.Writer()) == {"generate"}
    assert abilities(Chance()) == set(ABILITIES)


# choose


@pytest.mark.parametrize("count", [1, 255, 257])
def test_choose_by_embedding_is_the_cosine_to_prototypes(
    subject: MakeSubject, picture: MakePicture, seen: Callable[[Image], np.ndarray], count: int
) -> None:
    given = options("cat", "dog", "bird", phrasings=5)
    samples = [Sample(str(n), (picture(n),)) for n in range(count)]
    got = list(subject(fakes.Dual()).choose(iter(samples), given))
    # Each phrasing is normalised, then their mean is (Radford et al. 2021, 3.1.4).
    texts = np.stack([[fakes.vector(text.encode()) for text in option.phrasings] for option in given])
    prototypes = unit(unit(texts).mean(axis=1))
    expected = unit(np.stack([seen(sample.media[0]) for sample in samples])) @ prototypes.T
    assert np.allclose([choice.scores for choice in got], expected, atol=1e-12, rtol=0)
    assert {choice.status for choice in got} == {"ok"}


def test_a_prototype_is_no_mean_of_raw_vectors(subject: MakeSubject) -> None:
    long = fakes.Towers(lambda n: [1.0, 1.0], lambda text: [100.0, 0.0] if "0" in text else [0.0, 1.0])
    (prototype,) = subject(long).prototypes(options("cat", phrasings=2))
    assert np.allclose(prototype, [0.5**0.5, 0.5**0.5])


@pytest.mark.parametrize("route", ["embed", "likelihood"])
def test_own_options_may_differ_in_number(
    subject: MakeSubject, picture: MakePicture, seen: Callable[[Image], np.ndarray], route: str
) -> None:
    samples = [
        Sample(str(n), (picture(n),), options=tuple(options(*"abcdefg"[: 2 + n % 4], phrasings=1 + n % 3)))
        for n in range(20)
    ]
    scorer = fakes.Scorer()
    made = subject(fakes.Dual() if route == "embed" else scorer)
    for sample, choice in zip(samples, made.choose(iter(samples)), strict=True):
        image = sample.media[0]
        if route == "embed":
            rows = [[fakes.vector(t.encode()) for t in option.phrasings] for option in sample.options]
            expected = [unit(unit(np.stack(row)).mean(axis=0)) @ unit(seen(image)) for row in rows]
        else:
            rows = [
                [scorer.log_probability([image.pil()], "", t) for t in option.phrasings] for option in sample.options
            ]
            expected = [float(np.mean(row)) for row in rows]
        assert np.allclose(choice.scores, expected, atol=1e-12, rtol=0)


def test_ragged_options_are_counted_once_in_a_task(subject: MakeSubject, store: Store, picture: MakePicture) -> None:
    samples = [Sample(str(n), (picture(n),), options=tuple(options("yes", "no"))) for n in range(10)]
    made = fakes.Dual()
    list(subject(made).choose(iter(samples)))
    assert set(made.texts.values()) == {1}
    assert (store.meter.asked, store.meter.remembered) == (12, 0)


def test_choose_in_writing_reads_the_reply(subject: MakeSubject, picture: MakePicture) -> None:
    replies = {"q0": "B", "q1": "(a).", "q2": "A dog or a cat", "q3": " DOG. ", "q4": "C", "q5": ""}
    made = fakes.Writer(lambda prompt: replies[prompt.split("\n")[0]])
    samples = [Sample(q, (picture(0),), q, tuple(options("cat", "dog"))) for q in replies]
    got = list(subject(made).choose(iter(samples)))
    assert [choice.status for choice in got] == ["ok", "ok", "unparsed", "ok", "unparsed", "unparsed"]
    assert [None if c.scores is None else c.scores.tolist() for c in got] == [[0, 1], [1, 0], None, [0, 1], None, None]
    assert [choice.reply for choice in got] == list(replies.values())
    listed = lettered(["cat", "dog"])
    assert "q0\nA. cat\nB. dog\nAnswer" in ASK_WITH_OPTIONS.replace("{question}", "q0").replace("{options}", listed)
    assert set(made.prompts) == {
        ASK_WITH_OPTIONS.replace("{question}", q).replace("{options}", listed) for q in replies
    }


def test_reply_and_prompt_are_kept_as_they_were(subject: MakeSubject, picture: MakePicture) -> None:
    made = fakes.Writer(lambda prompt: "<think>A dog?</think>(2)" if "cat" in prompt else "<think>A dog?</think>\ncat")
    sample = Sample("0", (picture(0),), "Which? data:image/png;base64,iVBORw0KGgo=", tuple(options("dog", "cat")))
    marked = Wording(marks="(1)")
    (choice,) = subject(made).choose([sample], None, marked)
    assert (choice.status, choice.scores.tolist()) == ("ok", [0, 1])
    assert choice.raw == choice.reply == "<think>A dog?</think>(2)"
    assert choice.prompt == marked.written("Which? data:image/png;base64,... (12 characters)", ["dog", "cat"])
    assert "(1) dog\n(2) cat" in choice.prompt
    (answer,) = subject(made).answer([sample], [], Wording("{question}"))
    assert (answer.status, answer.text, answer.raw) == ("ok", "cat", "<think>A dog?</think>\ncat")
    assert answer.prompt == "Which? data:image/png;base64,... (12 characters)"
    another = replace(sample, question="Another?")
    (cut,) = subject(fakes.Writer(lambda prompt: "<think>A dog")).answer([another], [], Wording("{question}"))
    assert (cut.status, cut.text, cut.raw) == ("unparsed", None, "<think>A dog")
    (ranked,) = subject(fakes.Dual()).choose([sample])
    assert (ranked.raw, ranked.prompt) == (None, None)


@pytest.mark.parametrize("number", ["3", "3.", "(3)", "Option 3", "1", "9", "0"])
def test_a_number_means_the_same_live_and_recorded(subject: MakeSubject, picture: MakePicture, number: str) -> None:
    for texts in (("cat", "dog", "bird"), ("2", "3", "1"), ("two dogs", "a cat", "a bus")):
        sample = Sample("a", (picture(0),), "Which?", tuple(options(*texts)))
        (live,) = subject(fakes.Writer(lambda prompt: number)).choose([sample], None, Wording())
        held = Recorded("theirs", Predictions({"a": number}, frozenset(), frozenset()))
        (recorded,) = held.choose([sample], None, Wording())
        assert live.status == recorded.status
        assert np.array_equal(live.scores, recorded.scores) or live.scores is recorded.scores is None


def test_braces_in_a_question_are_left_alone(subject: MakeSubject, picture: MakePicture) -> None:
    made = fakes.Writer(lambda prompt: "A")
    sample = Sample("0", (picture(0),), "Is {options} {x} a set?", tuple(options("{question}", "no")))
    list(subject(made).choose([sample]))
    (prompt,) = made.prompts
    assert "A. {question}\nB. no" in prompt


def test_the_embed_route_takes_one_picture(subject: MakeSubject, picture: MakePicture) -> None:
    for media, expected in (
        ((), "item 7 has no picture for a model to look at"),
        ((picture(0), picture(1)), "the embed route takes one picture; item 7 has 2"),
    ):
        with pytest.raises(Unsupported, match=expected):
            list(subject(fakes.Dual()).choose([Sample("7", media)], options("cat", "dog")))


@pytest.mark.parametrize("route", ROUTES)
def test_an_unreadable_picture_is_an_error_of_its_item(
    subject: MakeSubject, picture: MakePicture, tmp_path: Path, route: str
) -> None:
    images = [picture(0), Image.from_path(tmp_path / "gone.png"), picture(2), Image.from_bytes(b"x", "row 3")]
    samples = [Sample(str(n), (image,)) for n, image in enumerate(images)]
    got = list(subject(Chance(), pinned=route).choose(iter(samples), options("cat", "dog")))
    assert [choice.status for choice in got] == ["ok", "error", "ok", "error"]
    assert "gone.png" in got[1].message
    assert "row 3" in got[3].message
    assert got[1].scores is None


def test_a_text_that_fails_ends_the_task(subject: MakeSubject, picture: MakePicture) -> None:
    class Deaf(fakes.Dual):
        def embed_texts(self, texts: list[str]) -> np.ndarray:
            made = super().embed_texts(texts)
            made[[text == "0 a dog" for text in texts]] = np.nan
            return made

    with pytest.raises(AdapterError, match="a model cannot embed a text of this task"):
        list(subject(Deaf()).choose([Sample("0", (picture(0),))], options("cat", "dog")))


# answer


def test_answer_is_written_picked_by_embedding_or_picked_by_likelihood(
    subject: MakeSubject, picture: MakePicture, seen: Callable[[Image], np.ndarray]
) -> None:
    samples = [Sample(str(n), (picture(n),), f"what {n}") for n in range(12)]
    pool = ["cat", "dog", "bird"]

    writer = fakes.Writer()
    got = list(subject(writer).answer(iter(samples), pool, Wording("Q: {question} A:", Generation(5))))
    assert [(a.status, a.text) for a in got] == [("ok", f"Q: WHAT {n} A:") for n in range(12)]
    assert set(writer.settings) == {Generation(5)}

    wording = Wording(phrasing="Q: {question} A: {answer}")
    got = list(subject(fakes.Dual()).answer(iter(samples), pool, wording))
    for n, (sample, answer) in enumerate(zip(samples, got, strict=True)):
        gallery = unit(np.stack([fakes.vector(f"Q: what {n} A: {text}".encode()) for text in pool]))
        assert answer.text == pool[int(np.argmax(gallery @ seen(sample.media[0])))]

    scorer = fakes.Scorer()
    got = list(subject(scorer).answer(iter(samples), pool, wording))
    for n, (sample, answer) in enumerate(zip(samples, got, strict=True)):
        pixels = [sample.media[0].pil()]
        scores = [scorer.log_probability(pixels, f"Q: what {n} A:", text) for text in pool]
        assert answer.text == pool[int(np.argmax(scores))]


@pytest.mark.parametrize("own", [False, True])
def test_texts_that_mention_the_question_differ_with_it(
    subject: MakeSubject, picture: MakePicture, seen: Callable[[Image], np.ndarray], own: bool
) -> None:
    # More questions than are held at once, and the first of them again at the end.
    pool = options("cat", "dog", phrasings=2)
    wording = Wording(phrasing="{question} {answer}!")
    samples = [Sample(str(n), (picture(n),), f"q{n % 70}", tuple(pool) if own else ()) for n in range(150)]
    made = fakes.Dual()
    got = list(subject(made).choose(iter(samples), None if own else pool, wording))
    for sample, choice in zip(samples, got, strict=True):
        rows = [[fakes.vector(f"{sample.question} {t}!".encode()) for t in o.phrasings] for o in pool]
        prototypes = unit(unit(np.stack(rows)).mean(axis=1))
        assert np.allclose(choice.scores, prototypes @ unit(seen(sample.media[0])), atol=1e-12, rtol=0)
    assert set(made.texts.values()) == {1}, "what a question was embedded as is remembered"


@pytest.mark.parametrize("route", ["embed", "likelihood"])
def test_ranking_without_candidates_is_unsupported(subject: MakeSubject, picture: MakePicture, route: str) -> None:
    with pytest.raises(Unsupported, match="needs 'candidates'; the task has none"):
        list(subject(Chance(), pinned=route).answer([Sample("0", (picture(0),))], [], Wording()))


@pytest.mark.parametrize("route", ROUTES)
def test_an_answer_about_an_unreadable_picture_is_an_error(subject: MakeSubject, tmp_path: Path, route: str) -> None:
    sample = Sample("0", (Image.from_path(tmp_path / "gone.png"),))
    (got,) = subject(Chance(), pinned=route).answer([sample], ["cat", "dog"], Wording())
    assert (got.status, got.text) == ("error", None)
    assert "gone.png" in got.message


COLLAPSED = {
    "embed": fakes.Towers(lambda n: np.ones(3), lambda text: np.ones(3)),
    "likelihood": fakes.Likely(lambda n, prompt, text: -2.0),
}
"""Models that see no difference between any two inputs."""


@pytest.mark.parametrize("route", ["embed", "likelihood"])
def test_a_collapsed_model_answers_at_random(subject: MakeSubject, picture: MakePicture, route: str) -> None:
    samples = [Sample(f"item {n}", (picture(0),)) for n in range(300)]
    got = [
        answer.text
        for answer in subject(COLLAPSED[route], pinned=route).answer(iter(samples), ["a", "b", "c"], Wording())
    ]
    assert all(70 < got.count(text) < 130 for text in ("a", "b", "c"))
    alone = subject(COLLAPSED[route], pinned=route).answer(samples[7:8], ["a", "b", "c"], Wording())
    assert next(alone).text == got[7], "the draw is the item's own, whatever was asked before"


# within


@pytest.mark.parametrize("route", ["embed", "likelihood"])
def test_within_scores_each_samples_own_pictures_and_texts(
    subject: MakeSubject, picture: MakePicture, route: str
) -> None:
    samples = [
        Sample(
            str(n),
            tuple(picture(2 * n + i) for i in range(1 + n % 2)),
            f"question {n}",
            references=tuple(f"text {n} {i}" for i in range(2 + n % 3)),
        )
        for n in range(130)
    ]
    wording = Wording(phrasing="{question}: {answer}")
    model = fakes.Dual() if route == "embed" else fakes.Scorer()
    for n, (sample, got) in enumerate(zip(samples, subject(model).within(iter(samples), wording), strict=True)):
        pixels = [image.pil() for image in sample.media]
        if route == "embed":
            left = unit(np.stack([fakes.vector(fakes.picture_bytes(image)) for image in pixels]))
            texts = [f"question {n}: {text}".encode() for text in sample.references]
            expected = left @ unit(np.stack([fakes.vector(text) for text in texts])).T
        else:
            prompt = f"question {n}:"
            expected = [[model.log_probability([x], prompt, t) for t in sample.references] for x in pixels]
        assert np.allclose(got, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("route", ["embed", "likelihood"])
def test_within_fails_with_either_picture(subject: MakeSubject, picture: MakePicture, route: str) -> None:
    broken = Image.from_bytes(b"x", "row 1")
    pairs = [(picture(0), picture(1)), (broken, picture(2)), (picture(3), broken), (picture(4), picture(5))]
    samples = [Sample(str(n), media, references=("a", "b")) for n, media in enumerate(pairs)]
    got = list(subject(Chance(), pinned=route).within(iter(samples), Wording()))
    assert [isinstance(each, Failure) for each in got] == [False, True, True, False]
    assert "row 1" in got[1].message
    with pytest.raises(Unsupported, match="item 9 has no picture for a model to look at"):
        list(subject(Chance(), pinned=route).within([Sample("9", references=("a", "b"))], Wording()))


# How likelihoods are compared


def test_likelihoods_by_length_and_against_the_blind_picture(subject: MakeSubject, picture: MakePicture) -> None:
    samples = [Sample(str(n), (picture(n),), f"what {n}") for n in range(40)]
    pool = options("cat", "a tortoiseshell")
    grey = [PIL.Image.new("RGB", (224, 224), (128, 128, 128))]
    scorer = fakes.Scorer()
    chosen = {
        how: list(subject(scorer).choose(iter(samples), pool, Wording(likelihood=how)))
        for how in ("sum", "mean", "pmi")
    }
    for n, sample in enumerate(samples):
        texts = ["0 a cat", "0 a a tortoiseshell"]
        summed = np.array([scorer.log_probability([sample.media[0].pil()], f"what {n}", text) for text in texts])
        prior = np.array([scorer.log_probability(grey, f"what {n}", text) for text in texts])
        assert np.allclose(chosen["sum"][n].scores, summed)
        assert np.allclose(chosen["mean"][n].scores, summed / [7, 19])
        assert np.allclose(chosen["pmi"][n].scores, summed - prior)


def test_the_prior_of_a_model_that_takes_text_alone_has_no_picture(subject: MakeSubject, picture: MakePicture) -> None:
    scorer = fakes.Scorer()
    scorer.takes_text_alone = True
    wording = Wording(likelihood="pmi")
    (got,) = subject(scorer).choose([Sample("0", (picture(0),), "what")], options("cat", "dog"), wording)
    texts = ["0 a cat", "0 a dog"]
    pixels = [picture(0).pil()]
    expected = [scorer.log_probability(pixels, "what", t) - scorer.log_probability([], "what", t) for t in texts]
    assert np.allclose(got.scores, expected)


# features


def test_features_are_those_before_the_projection_where_there_are_such(
    subject: MakeSubject, picture: MakePicture
) -> None:
    def embed(given: list[object]) -> ImageVectors:
        return ImageVectors(np.full((len(given), 2), 3.0), np.full((len(given), 5), 4.0))

    images = [picture(0), Image.from_bytes(b"x", "row 1"), picture(2)]
    samples = [Sample(str(i), (image,)) for i, image in enumerate(images)]
    found = list(subject(fakes.adapter("both", embed_images=embed)).features(iter(samples)))
    assert isinstance(found[1], Failure)
    for each in (found[0], found[2]):
        assert isinstance(each, ImageVectors)
        assert (each.embedding.tolist(), each.features.tolist()) == ([3, 3], [4] * 5)
    alone = next(subject(fakes.Dual()).features(iter(samples)))
    assert isinstance(alone, ImageVectors)
    assert np.array_equal(alone.embedding, fakes.vector(fakes.picture_bytes(images[0].pil())))
    assert np.array_equal(alone.embedding, alone.features)


# similarity


def ranks_of(scores: np.ndarray, own: Sequence[Sequence[int]]) -> list[float]:
    """Return the expected rank of the best positive of each row, counted one by one."""
    found = []
    for row, mine in zip(scores, own, strict=True):
        best = max(row[i] for i in mine)
        others = [row[i] for i in range(len(row)) if i not in mine]
        found.append(1.0 + sum(score > best for score in others))
    return found


@pytest.mark.parametrize("route", ["embed", "likelihood"])
@pytest.mark.parametrize("broken", [(), (0,), (3, 4), (9,)])
def test_similarity_ranks_as_brute_force_does(
    subject: MakeSubject, picture: MakePicture, route: str, broken: tuple[int, ...]
) -> None:
    images = [Image.from_bytes(b"broken %d" % n, f"row {n}") if n in broken else picture(n) for n in range(10)]
    samples = [
        Sample(str(n), (image,), references=tuple(f"text {n} {i}" for i in range(1 + n % 3)))
        for n, image in enumerate(images)
    ]
    model = fakes.Dual() if route == "embed" else fakes.Scorer()
    got = subject(model).similarity(iter(samples))
    assert set(got.failures) == set(broken)
    assert [sample.id for sample in got.samples] == [sample.id for sample in samples]

    stay = [sample for n, sample in enumerate(samples) if n not in broken]
    texts = [text for sample in stay for text in sample.references]
    pixels = [sample.media[0].pil() for sample in stay]
    if route == "embed":
        left = unit(np.stack([fakes.vector(fakes.picture_bytes(image)) for image in pixels]))
        scores = left @ unit(np.stack([fakes.vector(text.encode()) for text in texts])).T
    else:
        scores = np.array([[model.log_probability([image], "", text) for text in texts] for image in pixels])
    owner = [i for i, sample in enumerate(stay) for _ in sample.references]
    own = [[t for t, o in enumerate(owner) if o == i] for i in range(len(stay))]
    assert got.image_to_text.expected().tolist() == ranks_of(scores, own)
    assert got.text_to_image.expected().tolist() == ranks_of(scores.T, [[o] for o in owner])
    assert (got.image_to_text.gallery, got.text_to_image.gallery) == (len(texts), len(stay))


@pytest.mark.parametrize("route", ["embed", "likelihood"])
def test_nothing_readable_is_told(subject: MakeSubject, route: str) -> None:
    samples = [Sample("0", (Image.from_bytes(b"x", "row 0"),), references=("a",))]
    with pytest.raises(AdapterError, match="none of the 1 pictures could be .+: row 0: not a readable picture"):
        subject(Chance(), pinned=route).similarity(samples)


def test_too_many_pairs_are_refused(
    subject: MakeSubject, picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmbench.harness.ask.routes.likelihood.MOST_PAIRS", 8)
    scorer = fakes.Scorer()
    samples = [Sample(str(n), (picture(n),), references=("a",)) for n in range(3)]
    with pytest.raises(Unsupported, match="9 pairs, over the cap of 8"):
        subject(scorer).similarity(samples)
    assert not scorer.items


# Whole families: a model that knows all, and one that guesses


class Rows:
    """A data source in memory."""

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self.rows = rows

    def columns(self) -> list[str]:
        return list(self.rows[0])

    def values(self, column: str) -> object:
        return (row[column] for row in self.rows)

    def class_names(self, column: str) -> None:
        return None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> object:
        return (Row(row, f"row {n}", Path()) for n, row in enumerate(self.rows))


CLASSES = [f"class {chr(97 + n)}" for n in range(5)]


def zero_shot(picture: MakePicture, count: int) -> ZeroShotClassification:
    rows = [{"image": picture(n), "label": CLASSES[n * 7 % 5]} for n in range(count)]
    data = Data(Rows(rows), {"image": "image", "label": "label"}, (), Path())
    return ZeroShotClassification(
        ZeroShotClassification.Options(classes=CLASSES, templates=["a {}", "the {}"]), data, []
    )


def retrieval(picture: MakePicture, count: int) -> Retrieval:
    rows = [{"image": picture(n), "captions": [f"caption {n} {i}" for i in range(1 + n % 2)]} for n in range(count)]
    return Retrieval(Retrieval.Options(), Data(Rows(rows), {"image": "image", "captions": "captions"}, (), Path()), [])


class Oracle:
    """Answers from a table of picture digests."""

    fingerprint = "oracle"

    def __init__(self, samples: Sequence[Sample], names: Sequence[str], digest: Callable[[PIL.Image.Image], bytes]):
        self.digest = digest
        self.number = {digest(sample.media[0].pil()): n for n, sample in enumerate(samples)}
        self.names = names
        self.samples = samples

    def belongs(self, sample: Sample, text: str) -> bool:
        return text in sample.references or any(self.names[i] in text for i in sample.target)

    def of(self, image: PIL.Image.Image) -> Sample:
        return self.samples[self.number[self.digest(image)]]

    def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
        made = np.zeros((len(images), max(len(self.names), len(self.samples))))
        for row, sample in zip(made, map(self.of, images), strict=True):
            row[sample.target[0] if sample.target else self.samples.index(sample)] = 1
        return made

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        made = np.zeros((len(texts), max(len(self.names), len(self.samples))))
        for row, text in zip(made, texts, strict=True):
            named = [i for i, name in enumerate(self.names) if name in text]
            row[named or [i for i, sample in enumerate(self.samples) if text in sample.references]] = 1
        return made

    def score_texts(self, items: list[tuple[list[PIL.Image.Image], str, list[str]]]) -> list[list[float]]:
        return [[0.0 if self.belongs(self.of(i[0]), text) else -9.0 for text in texts] for i, _, texts in items]

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: Generation) -> list[str]:
        return [self.names[self.of(images[0]).target[0]] for images, _ in prompts]


@pytest.mark.parametrize("route", ROUTES)
def test_an_oracle_scores_one_in_zero_shot(subject: MakeSubject, picture: MakePicture, route: str) -> None:
    family = zero_shot(picture, 30)
    oracle = Oracle(list(family.samples()), CLASSES, fakes.picture_bytes)
    for _ in ("cold", "warm"):
        got = list(family.outcomes(subject(oracle, pinned=route), family.samples()).items)
        assert [outcome.values["accuracy"] for outcome in got] == [1.0] * 30
        assert {outcome.status for outcome in got} == {"ok"}


@pytest.mark.parametrize("route", ["embed", "likelihood"])
def test_an_oracle_scores_one_in_retrieval(subject: MakeSubject, picture: MakePicture, route: str) -> None:
    family = retrieval(picture, 12)
    oracle = Oracle(list(family.samples()), [], fakes.picture_bytes)
    for _ in ("cold", "warm"):
        got = list(family.outcomes(subject(oracle, pinned=route), family.samples()).items)
        assert [outcome.values[f"{way(outcome.unit)}/recall@1"] for outcome in got] == [1.0] * 30


def way(unit_: str) -> str:
    return "image_to_text" if unit_ == "image" else "text_to_image"


def over_seeds(
    family: object, path: Path, engine: Callable[..., LocalEngine], route: str, metric: str
) -> tuple[np.ndarray, float]:
    """Return the score of each of 20 guessing models, and the chance that the family states."""
    store = Store(path)
    scores, chances = [], []
    for seed in range(20):
        adapter = Chance(seed)
        asked = Subject("chance", adapter, store, engine(adapter), pinned=route)
        got = [outcome for outcome in family.outcomes(asked, family.samples()).items if metric in outcome.values]
        scores.append(np.mean([outcome.values[metric] for outcome in got]))
        chances.append(np.mean([outcome.chances[metric] for outcome in got]))
    store.close()
    return np.array(scores), float(np.mean(chances))


@pytest.mark.parametrize("route", ROUTES)
def test_guessing_averages_chance_in_zero_shot(
    tmp_path: Path, engine: Callable[..., LocalEngine], picture: MakePicture, route: str
) -> None:
    scores, chance = over_seeds(zero_shot(picture, 20), tmp_path / "s.sqlite", engine, route, "accuracy")
    assert chance == pytest.approx(0.2)
    assert abs(scores.mean() - chance) < 3 * scores.std(ddof=1) / len(scores) ** 0.5


@pytest.mark.parametrize("metric", ["image_to_text/recall@1", "text_to_image/recall@1", "image_to_text/recall@5"])
def test_guessing_averages_chance_in_retrieval(
    tmp_path: Path, engine: Callable[..., LocalEngine], picture: MakePicture, metric: str
) -> None:
    scores, chance = over_seeds(retrieval(picture, 10), tmp_path / "s.sqlite", engine, "embed", metric)
    assert 0.05 < chance < 0.6
    assert abs(scores.mean() - chance) < 3 * scores.std(ddof=1) / len(scores) ** 0.5
