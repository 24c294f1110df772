"""A task asked with its controls and with a scorer: what is recorded, what is ranked, what reaches the models."""

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import pytest

import mmbench
from mmbench.harness.ask.controls import GREY
from mmbench.harness.errors import UsageError
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.records.record import read
from mmbench.harness.run.result import Run
from mmbench.harness.run.sitting import Sitting
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.suite import find_suite
from mmbench.harness.types import Outcome
from tests import fakes

COUNT = 8
BOTH = ("blind", "shuffled")
WORDS = ["a cat", "a dog", "a red ball"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a task of each verb over the same pictures; two items share a picture."""
    rows = []
    for n in range(COUNT):
        pixels = np.full((4, 4, 3), 20 * max(n, 1), np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / f"{n}.png")
        row: dict[str, Any] = {"image": f"{n}.png", "label": ["cat", "dog"][n % 2], "question": f"What is {n}?"}
        row |= {"answers": [WORDS[n % 3]] * 10, "captions": [f"caption {n}"], "references": [WORDS[n % 3]]}
        rows.append(row | {"images": [f"{n}.png"], "pair": ["a cat on a dog", "a dog on a cat"]})
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    candidates = f"candidates: {json.dumps(WORDS)}\n"
    families = {
        "animals": ("zero-shot-classification", ""),
        "open": ("vqa", candidates),
        "order": ("pairs", "fields: {captions: pair}\n"),
        "search": ("retrieval", ""),
        "captions": ("captioning", candidates + "metrics: [clipscore, ref_clipscore, bleu@1]\n"),
    }
    for name, (family, more) in families.items():
        text = f"name: {name}\nfamily: {family}\nsource: {{kind: jsonl, path: data.jsonl}}\n"
        (tmp_path / f"{name}.yaml").write_text(text + more)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(model: object, *tasks: str, **more: Any) -> Run:
    return mmbench.run(model, task=[f"{task}.yaml" for task in tasks], **{"store": "store.sqlite", **more})


def outcomes(made: Run, results: str = "results") -> list[list[Outcome]]:
    """Return the outcomes of each record, in order."""
    return [read_outcomes(Path(results, "runs", record.model, record.file_name)) for record in made.records]


# Controls


def test_each_control_makes_a_record_of_the_same_protocol(folder: Path) -> None:
    made = run(fakes.Dual(), "animals", "open", "order", controls=BOTH)
    assert made.exit_code == 0
    expected = [(task, control) for task in ("animals", "open", "order") for control in (None, *BOTH)]
    assert [(record.task, record.control) for record in made.records] == expected
    assert len({record.protocol for record in made.records}) == 3
    assert len({record.file_name for record in made.records}) == 9
    for record in made.records:
        assert read(Path("results", "runs", "Dual", record.file_name)) == record
        assert (record.dataset["n"], record.errors) == (COUNT, 0)
    primary = [(row["task"], row["control"]) for row in made.rows() if row["primary"]]
    assert primary == expected
    assert len(run(fakes.Dual(), "animals").records) == 1


def test_outcomes_keep_what_they_are_about(folder: Path) -> None:
    for task in ("animals", "open", "captions", "order"):
        own, blind, shuffled = outcomes(run(fakes.Dual(), task, controls=BOTH, output=task), task)
        for other in (blind, shuffled):
            for name in ("id", "target", "locator", "cluster"):
                assert [getattr(each, name) for each in other] == [getattr(each, name) for each in own]
        assert [each.locator for each in own] == [f"{n}.png" for n in range(COUNT)]
        assert own[0].cluster == own[1].cluster != "0.png", "equal pictures are one cluster"
        assert len({each.cluster for each in own}) == COUNT - 1


def test_retrieval_has_no_controls(folder: Path) -> None:
    model = fakes.Dual()
    made = run(model, "search", "animals", controls=BOTH)
    assert (made.exit_code, len(made.records)) == (0, 4)
    assert [(p.task, p.control, p.unsupported) for p in made.problems] == [("search@1", c, True) for c in BOTH]
    assert "a control has no meaning for retrieval" in str(made.problems[0].error)
    empty = [row for row in made.rows() if row["task"] == "search" and row["control"]]
    assert {row["value"] for row in empty} == {None}
    assert [row["control"] for row in empty if row["primary"]] == list(BOTH)
    assert {frozenset(row) - {"reason"} for row in made.rows()} == {frozenset(made.rows()[0])}
    assert {"control has no meaning" in row["reason"] for row in empty} == {True}


def test_pictures_have_no_controls_of_time(folder: Path) -> None:
    made = run(fakes.Dual(), "animals", controls=("reversed", "single-frame", "shuffled-frames"))
    assert (made.exit_code, len(made.records)) == (0, 1)
    assert [problem.unsupported for problem in made.problems] == [True] * 3
    assert "'shuffled-frames' needs items that show clips" in str(made.problems[0].error)


def test_what_cannot_be_asked_is_told_once(folder: Path) -> None:
    made = run(fakes.Writer(), "search", "order", controls=BOTH)
    assert [(p.task, p.control) for p in made.problems] == [("search@1", None), ("order@1", None)]
    with (folder / "animals.yaml").open("a") as file:
        file.write("classes: [cat, cow]\n")
    made = run(fakes.Dual(), "animals", "open", controls=BOTH)
    assert [(p.task, p.control) for p in made.problems] == [("animals@1", None)]
    assert [(r.task, r.control) for r in made.records] == [("open", None), ("open", "blind"), ("open", "shuffled")]
    assert made.exit_code == 1


def test_a_task_of_one_picture_has_no_shuffled_control(folder: Path) -> None:
    made = run(fakes.Dual(), "animals", controls=BOTH, limit=2)
    assert [record.control for record in made.records] == [None, "blind"]
    (problem,) = made.problems
    assert (problem.control, problem.unsupported, made.exit_code) == ("shuffled", True, 0)
    assert "at least two different pictures" in str(problem.error)


def test_no_control_is_ranked(folder: Path) -> None:
    made = run([fakes.Dual("a"), fakes.Dual("b")], "animals", "order", controls=BOTH)
    results = mmbench.load("results")
    assert len(results.records) == len(made.records) == 12
    board = results.board()
    assert {entry.record.control for entry in (*board.entries, *board.apart)} == {None}
    assert [column.task for column in board.columns] == ["animals@1", "order@1"]
    assert sorted(line.model for line in board.lines) == ["Dual-1", "Dual-2"]
    own = {(r.model, r.task): r.scores[0].value for r in made.records if r.control is None}
    assert {(row["model"], row["task"]): row["value"] for row in board.rows() if row["primary"]} == own


class Spy:
    """Writes a reply that depends on what it sees, and keeps the pictures."""

    def __init__(self, digest: Callable[[PIL.Image.Image], bytes]) -> None:
        self.fingerprint = "spy"
        self.digest = digest
        self.seen: Counter[tuple[str, bytes]] = Counter()

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: object) -> list[str]:
        made = [(prompt.split("\n")[0], b"".join(map(self.digest, images))) for images, prompt in prompts]
        self.seen.update(made)
        return [WORDS[seen[-1] % 3] for _, seen in made]


def test_the_pictures_of_the_controls_reach_the_model(folder: Path) -> None:
    spy = Spy(fakes.picture_bytes)
    run(spy, "open")
    own = dict(spy.seen.keys())
    assert len(own) == COUNT
    spy.seen.clear()
    run(spy, "open", controls=("blind",))
    assert spy.seen == dict.fromkeys([(question, fakes.picture_bytes(GREY.pil())) for question in own], 1)
    spy.seen.clear()
    run(spy, "open", controls=("shuffled",))
    other = dict(spy.seen.keys())
    assert set(other) == set(own)
    assert set(other.values()) == set(own.values())
    assert all(other[question] != own[question] for question in own)
    assert other["What is 0?"] == other["What is 1?"], "equal pictures are replaced alike"
    spy.seen.clear()
    run(spy, "open", controls=BOTH)
    assert not spy.seen, "all of it is remembered"


def test_the_seed_changes_the_shuffle(folder: Path) -> None:
    shuffles = []
    for seed in (0, 0, 1, 2):
        spy = Spy(fakes.picture_bytes)
        made = run(spy, "open", controls=("shuffled",), seed=seed, store=f"{len(shuffles)}.sqlite")
        assert {record.seed for record in made.records} == {seed}
        shuffles.append(frozenset(spy.seen))
    assert shuffles[0] == shuffles[1]
    assert len(set(shuffles)) == 3


def test_only_what_is_asked_is_shuffled(folder: Path) -> None:
    spy = Spy(fakes.picture_bytes)
    made = run(spy, "open", controls=("shuffled",), limit=4)
    assert {record.partial for record in made.records} == {True}
    pictures = {seen for _, seen in spy.seen}
    assert len(pictures) == 3, "no picture comes from beyond the limit"


def test_a_model_that_ignores_pictures_scores_the_same(folder: Path) -> None:
    class Unseeing(fakes.Dual):
        def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
            return np.stack([fakes.vector(b"") for _ in images])

    made = run(Unseeing(), "animals", "open", "order", controls=BOTH)
    for start in (0, 3, 6):
        own, blind, shuffled = made.records[start : start + 3]
        assert own.scores == blind.scores == shuffled.scores


def test_unreadable_pictures_do_not_stop_a_control(folder: Path) -> None:
    (folder / "3.png").unlink()
    made = run(fakes.Dual(), "animals", controls=("shuffled",))
    own, shuffled = outcomes(made)
    assert [each.status for each in shuffled] == [each.status for each in own]
    assert own[3].status == "error"
    assert [each.cluster for each in shuffled] == [each.cluster for each in own]


@pytest.mark.parametrize(
    ("controls", "expected"), [("blind", ["blind"]), ("shuffled,blind", [*BOTH]), (["shuffled"] * 2, ["shuffled"])]
)
def test_controls_may_be_given_as_on_the_command_line(folder: Path, controls: Any, expected: list[str]) -> None:
    made = run(fakes.Dual(), "animals", controls=controls)
    assert [record.control for record in made.records] == [None, *expected]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"controls": ("blnd",)}, "no control 'blnd'; did you mean 'blind'?"),
        ({"controls": "blind,shufle"}, "no control 'shufle'; did you mean 'shuffled'?"),
        ({"seed": -1}, "the seed must be at least 0, not -1"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_is_asked(
    folder: Path, more: dict[str, Any], expected: str
) -> None:
    model = fakes.Dual()
    with pytest.raises(UsageError) as caught:
        run(model, "animals", **more)
    assert expected in str(caught.value)
    assert model.asked == 0
    assert not (folder / "results").exists()


class Watch:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def started(self, sitting: Sitting, items: int) -> None:
        self.told.append((sitting.model, sitting.task.reference, items, sitting.control))

    def expected(self, inputs: int) -> None: ...

    def advanced(self, asked: int, remembered: int) -> None: ...

    def finished(self, made: Any) -> None:
        self.told.append(made.control)


def test_progress_is_told_of_each_control(folder: Path) -> None:
    watch = Watch()
    run(fakes.Dual(), "animals", controls=BOTH, limit=5, progress=watch)
    expected = [[("Dual", "animals@1", 5, control), control] for control in (None, *BOTH)]
    assert watch.told == [each for pair in expected for each in pair]


def test_text_alone_is_for_models_that_take_it(folder: Path) -> None:
    for name, field in (("animals", "image"), ("open", "image"), ("order", "images")):
        text = (folder / "data.jsonl").read_text().replace(f'"{field}":', '"unused":')
        (folder / f"{name}.jsonl").write_text(text)
        task = (folder / f"{name}.yaml").read_text()
        (folder / f"{name}.yaml").write_text(task.replace("data.jsonl", f"{name}.jsonl"))
    for model in (fakes.Dual(), fakes.Scorer(), fakes.Writer()):
        made = run(model, "animals", "open", "order")
        assert (made.records, made.exit_code) == ([], 1), "nothing at all was scored"
        assert {problem.unsupported for problem in made.problems} == {True}
    told = {str(problem.error) for problem in run(fakes.Dual(), "animals", "open", "order").problems}
    assert {each.partition(":")[0] for each in told} == {"item 0 has no picture for Dual to look at"}
    (one,) = [each for each in told if "no column is called 'images'" in each]
    assert "did you mean 'image'? (columns: image, label, question, " in one
    alone = fakes.Scorer("alone")
    alone.takes_text_alone = True
    made = run(alone, "animals", "open", controls=("shuffled",))
    assert [(r.task, r.errors) for r in made.records] == [("animals", 0), ("open", 0)]
    assert all("asked by text alone, without pictures: no column is called 'image'" in r.notes[0] for r in made.records)
    assert [p.control for p in made.problems] == ["shuffled", "shuffled"]
    assert [each.cluster for each in outcomes(made)[0]] == [str(n) for n in range(COUNT)]


# A second model


def scores(made: Run) -> dict[str, float | None]:
    return {score.metric: score.value for score in made.records[0].scores}


def test_without_a_scorer_its_metrics_are_undefined_and_a_note_says_so(folder: Path) -> None:
    made = run(fakes.Writer(lambda prompt: "a dog"), "captions", "animals")
    assert scores(made)["clipscore"] is None
    assert scores(made)["bleu@1"] is not None
    captions, animals = made.records
    assert (captions.scorer, animals.scorer) == (None, None)
    assert captions.notes[1:] == ("clipscore and ref_clipscore are -: no scorer was given (--scorer)",)
    assert captions.notes[0].startswith("items that show the picture of an earlier one")
    assert not [note for note in animals.notes if "scorer" in note], "a note is of its own task"


def test_the_scorer_is_recorded_and_remembered(folder: Path) -> None:
    second = fakes.Dual("the second")
    made = run(fakes.Writer(lambda prompt: "a dog"), "captions", scorer=second)
    record = made.records[0]
    assert record.scorer == {"model": "Dual", "fingerprint": "the second"}
    assert (record.model, record.fingerprint, len(record.notes)) == ("Writer", "writer", 1)
    assert read(Path("results", "runs", "Writer", record.file_name)).scorer == record.scorer
    assert set(second.images.values()) == set(second.texts.values()) == {1}
    assert second.images.total() == COUNT - 1

    # CLIPScore is 2.5 times the cosine, where that is positive (Hessel et al. 2021, 3).
    caption = fakes.vector(b"A photo depicts a dog").astype(np.float64)
    expected = []
    for n in range(COUNT):
        with PIL.Image.open(folder / f"{n}.png") as file:
            image = fakes.vector(fakes.picture_bytes(file.convert("RGB"))).astype(np.float64)
        cosine = image @ caption / math.sqrt((image @ image) * (caption @ caption))
        expected.append(2.5 * max(cosine, 0.0))
    assert scores(made)["clipscore"] == pytest.approx(np.mean(expected), abs=1e-6)

    again = fakes.Dual("the second")
    assert scores(run(fakes.Writer(lambda prompt: "a dog"), "captions", scorer=again)) == scores(made)
    assert again.asked == 0
    store = Store(folder / "store.sqlite")
    assert {held.name for held in store.holdings()} == {"Writer", "Dual"}
    store.close()


def test_scores_by_unlike_scorers_never_share_a_file(folder: Path) -> None:
    made = [
        run(fakes.Writer(lambda prompt: "a dog"), "captions", "animals", scorer=scorer).records
        for scorer in (None, "chance:1", "chance:2", "chance:1")
    ]
    captions, animals = [each[0] for each in made], [each[1] for each in made]
    assert len({record.file_name for record in captions}) == len({record.protocol for record in captions}) == 3
    assert captions[1].file_name == captions[3].file_name
    assert len({record.file_name for record in animals}) == 1, "a task without its metrics owes it nothing"
    assert {record.scorer for record in animals} == {None}


def test_the_scorer_sees_the_items_own_pictures_under_a_control(folder: Path) -> None:
    second = fakes.Dual("the second")
    made = run(fakes.Writer(lambda prompt: "a dog"), "captions", scorer=second, controls=BOTH)
    own, blind, shuffled = made.records
    assert own.scores == blind.scores == shuffled.scores
    assert fakes.picture_bytes(GREY.pil()) not in second.images


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda f: f.Writer(), "the scorer Writer has no embed_images and no embed_texts; it must embed both"),
        (lambda f: SimpleNamespace(fingerprint="x", embed_images=len), "has no embed_texts; it must embed both"),
        (lambda f: [f.Dual("a"), f.Dual("b")], "the scorer is one model, and 2 were given"),
        (lambda f: "chanse", "there is no model 'chanse'; did you mean 'chance'?"),
        (lambda f: SimpleNamespace(embed_images=len, embed_texts=len), "has no 'fingerprint: str'"),
    ],
)
def test_a_scorer_that_cannot_be_used_is_told_before_anything_is_asked(
    folder: Path, make: Callable[[Any], object], expected: str
) -> None:
    writer = fakes.Writer()
    with pytest.raises(UsageError) as caught:
        run(writer, "captions", scorer=make(fakes))
    assert expected in str(caught.value)
    assert not writer.prompts
    assert not (folder / "results").exists()


def test_the_scorer_may_be_named(folder: Path) -> None:
    made = run(fakes.Writer(lambda prompt: "a dog"), "captions", scorer="chance:1")
    assert made.records[0].scorer == {"model": "chance-1", "fingerprint": "chance@2 seed=1"}
    assert scores(made)["clipscore"] is not None


def test_a_task_of_a_suite_is_asked_with_its_controls(folder: Path) -> None:
    (folder / "suite.yaml").write_text("name: mine\ntasks: [animals.yaml, search.yaml]\n")
    assert len(find_suite("suite.yaml").tasks) == 2
    made = mmbench.run(fakes.Dual(), "suite.yaml", store="store.sqlite", controls=("blind",))
    assert [(r.task, r.control) for r in made.records] == [("animals", None), ("animals", "blind"), ("search", None)]
