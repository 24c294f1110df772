"""A model's space on a task: figures equal to plain formulas of its own vectors, and what cannot be given is told."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import mmbench
from mmbench.harness.ask.examinee import Scale
from mmbench.harness.diagnose.diagnose import diagnose
from mmbench.harness.diagnose.diagnosis import Diagnosis
from mmbench.harness.diagnose.figures import KINDS, figures
from mmbench.harness.diagnose.vectors import Space
from mmbench.harness.errors import AdapterError, DataError, MmbenchError, Unsupported, UsageError
from mmbench.harness.models.models import Loading, make_models
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.described import descriptions
from mmbench.harness.tasks.task import Task
from mmbench.harness.types import Sample
from tests.builders import fails, put_text
from tests.fakes import Dual, Towers, Writer, numbered

Command = Callable[..., tuple[int, str, str]]
TASK, N = "scenes-retrieval", 20


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The embedded model on a few scenes, its own vectors of them, and the store that has them."""
    store = tmp_path_factory.mktemp("store") / "store.sqlite"
    (model,) = make_models(["tiny-coca"], Loading())
    adapter: Any = model.adapter
    made = diagnose(adapter, TASK, name="tiny-coca", limit=N, store=store)
    samples = [sample for sample, _ in zip(find_task(TASK).family.samples(), range(N), strict=False)]
    pictures = adapter.embed_images([adapter.prepare_image(sample.media[0].pil()) for sample in samples])
    captions = [sample.references for sample in samples]
    texts = list(dict.fromkeys(text for each in captions for text in each))
    return SimpleNamespace(
        made=made,
        store=store,
        x=unit(getattr(pictures, "embedding", pictures)),
        y=unit(adapter.embed_texts(texts)),
        first=[texts.index(each[0]) for each in captions],
        scale=float(adapter.logit_scale),
    )


def unit(x: Any) -> np.ndarray:
    x = np.asarray(x, np.float64)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def cross_entropy(logits: np.ndarray) -> float:
    rows = [np.log(sum(np.exp(v - row[i]) for v in row)) for i, row in enumerate(logits)]
    return float(np.mean(rows))


def spread(x: np.ndarray) -> dict[str, float]:
    pairs = [(a, b) for i, a in enumerate(x) for b in x[:i]]
    values = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    shares = values[values > 1e-9] / values.sum()
    return {
        "uniformity": float(np.log(np.mean([np.exp(-2 * np.sum((a - b) ** 2)) for a, b in pairs]))),
        "anisotropy": float(np.mean([a @ b for a, b in pairs])),
        "effective_rank": float(np.exp(-np.sum(shares * np.log(shares)))),
    }


def found_by(queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    nearest = np.argsort(-(queries @ gallery.T), axis=1)[:, :10]
    return np.bincount(nearest.ravel(), minlength=len(gallery))


def test_figures_are_those_of_plain_formulas_on_a_real_run(real: SimpleNamespace) -> None:
    x, y, own = real.x, real.y, real.y[real.first]
    cosines = x @ own.T
    others = [cosines[i, j] for i in range(N) for j in range(N) if i != j]
    k, h = (a @ a.T - np.eye(N) for a in (x, own))
    hsic = [
        np.trace(a @ b) + a.sum() * b.sum() / ((N - 1) * (N - 2)) - 2 * (a @ b).sum() / (N - 2)
        for a, b in ((k, h), (k, k), (h, h))
    ]
    nearer = []
    for mine, theirs in ((x, own), (own, x)):
        for i in range(N):
            rest = np.arange(N) % 10 != i % 10
            near, far = (np.linalg.norm(mine[i] - side[rest].mean(axis=0)) for side in (mine, theirs))
            nearer.append(near < far)
    counts = {"image_to_text": found_by(x, y), "text_to_image": found_by(y, x)}
    losses = cross_entropy(real.scale * cosines), cross_entropy(real.scale * cosines.T)
    expected = {
        "matched_cosine": np.mean(np.diag(cosines)),
        "alignment": np.mean([np.sum((a - b) ** 2) for a, b in zip(x, own, strict=True)]),
        "info_nce": sum(losses) / 2,
        "image_to_text/info_nce": losses[0],
        "text_to_image/info_nce": losses[1],
        "linear_cka": hsic[0] / np.sqrt(hsic[1] * hsic[2]),
        "modality_gap": np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)),
        "separability": np.mean(nearer),
        **{f"image/{name}": value for name, value in spread(x).items()},
        **{f"text/{name}": value for name, value in spread(y).items()},
    }
    for direction, held in counts.items():
        expected[f"{direction}/hubness@10"] = np.mean((held - held.mean()) ** 3) / held.std() ** 3
        expected[f"{direction}/antihubs@10"] = np.mean(held == 0)
    made = {figure.name: figure for figure in real.made.figures}
    assert {name: figure.value for name, figure in made.items() if figure.value is not None} == pytest.approx(
        expected, abs=2e-5
    )
    assert list(made) == list(KINDS)
    assert real.made.lacking.keys() == {made["sigmoid_loss"].reason}
    # Baselines and intervals by other ways.
    assert made["matched_cosine"].baseline == pytest.approx(np.mean(others), abs=1e-6)
    assert made["alignment"].baseline == pytest.approx(2 - 2 * np.mean(others), abs=1e-6)
    assert made["info_nce"].baseline == pytest.approx(np.log(N))
    drawn = np.random.default_rng(0).integers(N, size=(4000, N))
    for name, values in (
        ("matched_cosine", np.diag(cosines)[drawn].mean(axis=1)),
        ("image/anisotropy", [np.sum(cosine_off(x)[np.ix_(rows, rows)]) / pairs_of(rows) for rows in drawn[:800]]),
    ):
        spreads = (made[name].high or 0) - (made[name].low or 0)
        assert spreads == pytest.approx(4 * np.std(values), rel=0.3), name


def cosine_off(x: np.ndarray) -> np.ndarray:
    return x @ x.T - np.eye(len(x))


def pairs_of(rows: np.ndarray) -> int:
    """Pairs of distinct items among those drawn."""
    return len(rows) ** 2 - int((np.bincount(rows) ** 2).sum())


def test_the_command_prints_the_same_from_what_is_remembered(
    real: SimpleNamespace, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at = ["diagnose", "tiny-coca", "--task", TASK, "--limit", str(N), "--store", str(real.store)]
    code, out, err = command(*at, "--format", "json", "--output", str(tmp_path / "out"))
    assert (code, err) == (0, f"It is kept under {tmp_path / 'out' / 'diagnoses'}.\n")  # nothing was loaded
    held = json.loads(out)
    assert held == json.loads(json.dumps(real.made.as_json()))
    (kept,) = (tmp_path / "out" / "diagnoses" / "tiny-coca").iterdir()
    assert json.loads(kept.read_text(encoding="utf-8")) == held
    assert kept.name.startswith(f"{TASK}@1-") and kept.suffix == ".json"
    assert held["dataset"]["partial"] and held["scale"] == pytest.approx(real.scale)
    rows = [*csv.DictReader(io.StringIO(command(*at, "--format", "csv")[1]))]
    assert [(row["name"], row["value"]) for row in rows] == [
        (each["name"], "" if each["value"] is None else str(each["value"])) for each in held["figures"]
    ]
    text = command(*at, "--format", "markdown")[1]
    assert sum(line.startswith("| ") for line in text.splitlines()) == len(real.made.given) + 2
    for width, beside in (("80", False), ("120", True)):
        monkeypatch.setenv("COLUMNS", width)
        lines = command(*at)[1].splitlines()
        assert max(map(len, lines)) <= int(width)
        figure = next(line for line in lines if line.startswith("   modality_gap"))
        assert ("distance of means" in figure) == beside
        assert any("without sigmoid_loss: the model learnt by a softmax" in line for line in lines)
        assert sum(line.strip().endswith("finding the text of a picture") for line in lines) == 1
    assert list(real.made.table()["name"]) == [row["name"] for row in rows]
    assert "modality_gap" in real.made._repr_html_() and "18 figures" in repr(real.made)


def test_where_there_is_nothing_to_find_figures_are_their_baselines() -> None:
    draw = np.random.default_rng(0)
    x, y = (unit(draw.standard_normal((300, 48))).astype(np.float32) for _ in range(2))
    each = np.arange(300)
    made = {figure.name: figure for figure in figures(Space(x, y, "texts", each, each, Scale(0.01), "", 0, None), "")}
    within = {"hubness": 0.25, "rank": 0.3, "gap": 0.03, "separability": 0.05}
    for name, figure in made.items():
        if name == "sigmoid_loss":
            continue
        slack = next((value for part, value in within.items() if part in name), 0.02)
        assert figure.value == pytest.approx(figure.baseline, abs=slack), name
        assert figure.low is None or figure.low <= figure.baseline <= figure.high, name


# On tasks of a few pictures in memory


def captioned(n: int, captions: Callable[[int], list[str]] = lambda i: [f"picture {i}"]) -> Task:
    return mmbench.task("retrieval", [{"image": numbered(i), "captions": captions(i)} for i in range(n)])


@pytest.fixture
def diagnosed(tmp_path: Path) -> Callable[..., Diagnosis]:
    """Diagnoses by a store of its own."""

    def make(model: object, task: Task, **more: Any) -> Diagnosis:
        return diagnose(model, task, store=tmp_path / "store.sqlite", **more)

    return make


def values(made: Diagnosis) -> dict[str, float | None]:
    return {figure.name: figure.value for figure in made.figures}


def on_a_circle(shift: float) -> Towers:
    """Pictures evenly on a circle, each text beside its own."""

    def at(number: int | None) -> list[float]:
        angle = 2 * np.pi * (number or 0) / 24
        return [np.cos(angle), np.sin(angle), 0.0]

    return Towers(at, lambda text: [*at(int(text.split()[1]))[:2], shift])


def test_a_space_that_is_known(diagnosed: Callable[..., Diagnosis]) -> None:
    model = on_a_circle(1.0)
    made = values(diagnosed(model, captioned(24)))
    assert made["matched_cosine"] == pytest.approx(np.sqrt(0.5), abs=1e-6)
    assert made["alignment"] == pytest.approx(2 - np.sqrt(2), abs=1e-6)
    assert made["modality_gap"] == pytest.approx(np.sqrt(0.5), abs=1e-6)  # the texts lie on a circle above
    assert made["separability"] == 1
    assert made["image/effective_rank"] == pytest.approx(2, abs=1e-6)
    assert made["image/anisotropy"] == pytest.approx(-1 / 23, abs=1e-6)
    assert made["text_to_image/antihubs@10"] == 0
    assert made["linear_cka"] == pytest.approx(1, abs=1e-6)
    assert made["info_nce"] is made["sigmoid_loss"] is None


def test_what_is_remembered_is_asked_once_and_shared_with_a_run(
    diagnosed: Callable[..., Diagnosis], tmp_path: Path
) -> None:
    model, task = Dual(), captioned(24, lambda i: [f"picture {i}", f"number {i}"])
    first = diagnosed(model, task)
    assert model.asked == 24 + 48
    mmbench.run(model, task=task, store=tmp_path / "store.sqlite", output=tmp_path / "out")
    again = diagnosed(model, task)
    assert model.asked == 24 + 48
    assert again.as_json() == first.as_json()
    part = diagnosed(model, task, sample=20, seed=3)
    assert (part.dataset["n"], part.dataset["partial"], part.dataset["sample"]) == (20, True, 3)
    assert part.as_json() == diagnosed(model, task, sample=20, seed=3).as_json()
    assert "of a sample of 20 items alone" in part.made_of


def test_equal_pictures_and_texts_count_once(diagnosed: Callable[..., Diagnosis]) -> None:
    rows = [{"image": numbered(i % 12), "captions": [f"picture {i % 4}", f"number {i}"]} for i in range(24)]
    made = diagnosed(on_a_circle(0.5), mmbench.task("retrieval", rows))
    assert (made.pictures, made.texts) == (12, 28)
    counts = {figure.name: figure.n for figure in made.given}
    assert counts["matched_cosine"] == counts["image/uniformity"] == 12
    assert counts["modality_gap"] == 40
    assert any("pictures whose text is another's too, which no loss can tell apart: 8" in note for note in made.notes)
    assert {"image_to_text/hubness@10"} <= counts.keys()
    assert made.lacking["it needs 20 or more to search among, and there are 12"] == [
        "text_to_image/hubness@10",
        "text_to_image/antihubs@10",
    ]


def test_a_model_with_a_bias_has_the_loss_that_it_learnt_by(diagnosed: Callable[..., Diagnosis]) -> None:
    model: Any = on_a_circle(0.5)
    model.logit_scale, model.logit_bias = 10.0, -10.0
    made = diagnosed(model, captioned(8))
    x = np.array([model.image(i) for i in range(8)])
    y = unit([model.text(f"picture {i}") for i in range(8)])
    logits = (10 * x @ y.T - 10) * (1 - 2 * np.eye(8))
    assert values(made)["sigmoid_loss"] == pytest.approx(np.log1p(np.exp(logits)).sum() / 8, abs=1e-5)
    assert values(made)["info_nce"] is None
    assert "bias -10" in made.made_of
    best = -np.log(1 / 8) - 7 * np.log(7 / 8)
    assert next(each.baseline for each in made.given if each.name == "sigmoid_loss") == pytest.approx(best)


PICTURES = {f"image/{name}" for name in ("uniformity", "anisotropy", "effective_rank")}


def test_tasks_give_what_they_have(diagnosed: Callable[..., Diagnosis]) -> None:
    model = on_a_circle(0.5)
    shown = [{"image": numbered(i), "label": f"picture {i % 3}"} for i in range(9)]
    classes = diagnosed(model, mmbench.task("zero-shot-classification", shown, templates=["{}", "{} again"]))
    assert (classes.text_kind, classes.texts) == ("classes", 3)
    given = {figure.name: figure for figure in classes.given}
    assert given["modality_gap"].low is not None and given["text/anisotropy"].low is None
    assert classes.lacking["texts of classes are of many pictures each, so that there are no pairs"]
    asked = [{"image": numbered(i), "question": "Is it red?", "target": "yes"} for i in range(3)]
    questions = diagnosed(model, mmbench.task("yes-no", asked))
    assert {figure.name for figure in questions.given} == PICTURES
    assert [*questions.lacking] == ["no text of rows@1 says what a picture shows"]
    pairs = [
        {"images": [numbered(i), numbered(i + 10)], "captions": [f"picture {i}", f"picture {i + 10}"]} for i in range(3)
    ]
    both = diagnosed(model, mmbench.task("pairs", pairs))
    assert (both.pictures, both.texts) == (6, 6)
    assert values(both)["matched_cosine"] == pytest.approx(np.sqrt(0.8), abs=1e-6)
    written = [{"image": numbered(i), "references": [f"picture {i}", f"number {i}"]} for i in range(5)]
    captions = diagnosed(model, mmbench.task("captioning", written, metrics=["rouge_l"]))
    assert (captions.pictures, captions.texts) == (5, 10)


def test_clips_are_embedded_whole(diagnosed: Callable[..., Diagnosis]) -> None:
    made = diagnosed(Dual(), find_task("clips-retrieval"), limit=3)
    assert (made.medium, made.pictures, made.texts) == ("clip", 3, 6)
    assert made.made_of.startswith("3 clips, 6 texts")
    assert {"matched_cosine", "modality_gap", "text/anisotropy"} <= {figure.name for figure in made.given}


def test_a_model_without_texts_has_the_figures_of_pictures(diagnosed: Callable[..., Diagnosis]) -> None:
    model = SimpleNamespace(fingerprint="eyes", embed_images=Dual().embed_images)
    made = diagnosed(model, captioned(4), name="eyes")
    assert {figure.name for figure in made.given} == PICTURES
    assert [*made.lacking] == ["eyes has no embed_texts"]
    assert made.texts == 0


def test_what_has_no_picture_to_read_is_left_out_and_told(diagnosed: Callable[..., Diagnosis], tmp_path: Path) -> None:
    broken = put_text(tmp_path / "broken.png", b"\x89PNG\r\n\x1a\nno more")
    rows = [{"image": numbered(i), "captions": [f"picture {i}"]} for i in range(4)]
    task = mmbench.task("retrieval", [*rows, {"image": str(broken), "captions": ["picture 5"]}])
    made = diagnosed(on_a_circle(0.5), task)
    assert (made.pictures, made.texts, made.left_out) == (4, 4, 1)
    assert "broken.png" in str(made.first_failure) and any("left out: 1" in note for note in made.notes)


def test_what_is_no_direction_is_an_error_and_no_figure(diagnosed: Callable[..., Diagnosis]) -> None:
    def told(image: list[float], text: list[float], kind: type[MmbenchError] = AdapterError) -> str:
        model = Towers(lambda number: image if number == 2 else [1.0, float(number or 0)], lambda text_: text)
        model.fingerprint = repr((image, text))
        return fails(lambda: diagnosed(model, captioned(4), name="it"), kind=kind)

    assert told([np.nan, 1.0], [1.0, 1.0]).startswith("it gives no vector of item 2: the model returned a vector with")
    assert "it cannot embed a text" in told([1.0, 2.0], [np.inf, 1.0])
    assert told([0.0, 0.0], [1.0, 1.0]) == "it gives item 2 a vector of zeros, which has no direction"
    assert "the text 'picture 0' a vector of zeros" in told([1.0, 2.0], [0.0, 0.0])
    assert "embeds a picture as 2 numbers and a text as 3" in told([1.0, 2.0], [1.0, 1.0, 1.0])


def test_what_cannot_be_diagnosed_is_refused_in_a_sentence(
    diagnosed: Callable[..., Diagnosis], command: Command, tmp_path: Path
) -> None:
    fails(
        lambda: diagnosed(Writer(), captioned(3), name="writer"),
        "writer makes no vectors, as it has no embed_images; a diagnosis needs an encoder, such as tiny-coca or",
        "(this model has generate)",
        kind=Unsupported,
    )
    fails(
        lambda: diagnosed(Dual(), captioned(1)),
        "two pictures or more, and rows@1 gives 1 distinct picture",
        kind=UsageError,
    )
    text = mmbench.task("yes-no", [{"question": "Is it?", "target": "yes"}])
    fails(lambda: diagnosed(Dual(), text), "item 0 of rows@1 shows no picture")
    fails(lambda: diagnose(Dual()), "a diagnosis needs a task", kind=UsageError)
    fails(lambda: diagnose([Dual(), Writer()], captioned(3)), "2 models were named", kind=UsageError)
    fails(lambda: diagnosed(Dual(), captioned(3), limit=2, sample=2), "give one of the two", kind=UsageError)
    fails(lambda: diagnosed(Dual(), captioned(3), output=3), "the results folder is a path", kind=UsageError)
    folder = put_text(tmp_path / "file", "")
    fails(lambda: diagnosed(Dual(), captioned(3), output=folder), "cannot be written", kind=UsageError)
    sender = SimpleNamespace(
        **{name: getattr(Dual(), name) for name in ("embed_images", "embed_texts")},
        **{name: lambda *given: "to http://there" for name in ("sends_to", "pictures_sent", "picture_tokens")},
        fingerprint="sender",
    )
    fails(lambda: diagnosed(sender, captioned(3)), "nothing was sent: give --yes", kind=UsageError)
    assert diagnosed(sender, captioned(3), yes=True).pictures == 3
    wrong = SimpleNamespace(described=lambda sample: ())
    fails(
        lambda: descriptions(wrong, Sample("7", (None,))),
        "item 7 has 1 pictures, and its family describes 0",
        kind=DataError,
    )  # type: ignore[arg-type]
    writer = put_text(
        tmp_path / "mine.py",
        "class Mine:\n    fingerprint = 'mine'\n    def generate(self, prompts, settings):\n        return []\n"
        "class Broken:\n    fingerprint = 'broken'\n    def embed_images(self, images):\n        raise OSError('no')\n",
    )
    for model, given, said in (
        (f"{writer}:Mine", "digits", "a diagnosis needs an encoder"),
        (f"{writer}:Broken", "digits", "OSError"),
        ("chance", "digist", "did you mean 'digits'"),
        ("chnace", "digits", "did you mean 'chance'"),
    ):
        code, out, err = command(
            "diagnose", model, "--task", given, "--limit", "3", "--store", str(tmp_path / "s.sqlite")
        )
        assert (code, out) == (2, ""), err
        assert said in err and "Traceback" not in err
    assert command("diagnose", "chance")[0] == 2
