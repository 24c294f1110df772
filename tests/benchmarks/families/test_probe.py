"""Probes see no test label, ask for a picture once, share their episodes, and score as scikit-learn does."""

import json
import math
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.baselines.pixels import RawPixels
from mmbench.benchmarks.metrics.shots import area_under_shots, shots_to_reach
from mmbench.benchmarks.probes.episodes import draw, stratified_split
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import ImageVectors
from mmbench.harness.models.models import Model
from mmbench.harness.records.measured import read_measured
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.records.record import Record
from mmbench.harness.run.plan import plan
from mmbench.harness.run.result import Run
from mmbench.harness.run.run import run
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Outcome
from tests import fakes
from tests.lazy import sk_datasets, sk_linear, sk_metrics, sk_multiclass

Floats = np.ndarray
CLASSES = ["ant", "bee", "cow"]
CENTRES = np.random.default_rng(5).standard_normal((3, 6))
METHODS = ["linear", "knn", "prototype", "tip-adapter", "tip-adapter-f", "coop"]
IMAGE_METHODS = METHODS[:3]
FEW_METHODS = [each if each in ("linear", "coop") else pytest.param(each, marks=pytest.mark.long) for each in METHODS]
"""One that learns from vectors and one that learns prompts, and all the others."""
KEYS = "classes: [ant, bee, cow]\n"


def number(image: PIL.Image.Image) -> int:
    red, green, _ = image.getpixel((0, 0))
    return 16 * (red - 1) + green


class Towers:
    """Looks vectors of pictures up by number; texts are directions of classes; prompts are learnt as class means."""

    def __init__(self, table: Floats, features: Floats | None = None, texts: Floats = CENTRES) -> None:
        self.table = table
        self.features = features
        self.directions = texts
        self.fingerprint = f"towers {table.sum()} {texts.sum()}"
        self.pictures: list[int] = []
        self.texts: list[str] = []
        self.tunings: list[tuple[list[str], Floats, Floats, dict[str, float], int]] = []
        self.seconds = 1.0
        self.estimated = 0

    def embed_images(self, images: list[PIL.Image.Image]) -> Floats | ImageVectors:
        numbers = [number(image) for image in images]
        self.pictures += numbers
        if self.features is None:
            return self.table[numbers]
        return ImageVectors(self.table[numbers], self.features[numbers])

    def embed_texts(self, texts: list[str]) -> Floats:
        self.texts += texts
        return np.stack([self.directions[next(i for i, name in enumerate(CLASSES) if name in t)] for t in texts])

    def tune_prompts(
        self, names: list[str], vectors: Floats, labels: Floats, settings: dict[str, float], seed: int
    ) -> Floats:
        self.tunings.append((names, vectors, labels, settings, seed))
        return np.stack([vectors[labels == i].mean(axis=0) for i in range(len(names))])

    def estimate_tuning(self, names: list[str], pictures: int, settings: dict[str, float]) -> float:
        self.estimated += 1
        return self.seconds

    @property
    def asked(self) -> int:
        return len(self.pictures) + len(self.texts) + len(self.tunings)


def clusters(n: int = 60, noise: float = 1.0, seed: int = 0) -> Floats:
    """Vectors around the direction of class n mod 3."""
    rng = np.random.default_rng(seed)
    return CENTRES[np.arange(n) % 3] + noise * rng.standard_normal((n, 6))


def rows(bench: Any, n: int = 60, **more: Callable[[int], Any]) -> list[dict[str, Any]]:
    made = [{"id": f"i{i}", "image": bench.picture(i), "label": CLASSES[i % 3]} for i in range(n)]
    return [row | {name: make(i) for name, make in more.items()} for i, row in enumerate(made)]


def by_split(i: int) -> str:
    return ("train", "train", "train", "val", "test")[i // 3 % 5]


def keys(method: str, shots: Sequence[int] = (2,), seeds: int = 2, more: str = "") -> str:
    return f"{KEYS}method: {method}\nshots: {[*shots]}\nseeds: {seeds}\n{more}"


def again(bench: Any, model: object, *tasks: str, **settings: Any) -> Run:
    """Ask with what is remembered from before."""
    made = run(model, task=[*tasks], output=bench.folder / "results", store=bench.folder / "store.sqlite", **settings)
    assert [str(problem.error) for problem in made.problems] == []
    return made


def outcomes_of(bench: Any, record: Record) -> list[Outcome]:
    return read_outcomes(bench.folder / "results" / "runs" / record.model / record.file_name)


def values(record: Record) -> dict[str, float | None]:
    return {score.metric: score.value for score in record.scores}


def test_items_are_those_of_the_test_split(bench: Any) -> None:
    made = bench.ask(
        Towers(clusters()),
        bench.task("probe", rows(bench, split=by_split), keys("prototype") + "fields: {split: split}\n"),
    )
    assert [outcome.id for outcome in made.outcomes] == [f"i{i}" for i in range(60) if by_split(i) == "test"]
    assert {score.n for score in made.scores.values()} == {12}
    assert made.record.route == "embed"
    assert {outcome.status for outcome in made.outcomes} == {"ok"}


@pytest.mark.parametrize("named", [True, False])
def test_of_a_sample_each_item_keeps_its_split(bench: Any, named: bool) -> None:
    """Rows stand split by split, as data sets come: a place in the sample says nothing of the split."""
    given = rows(bench, split=lambda i: ("train", "val", "test")[i // 20])
    for row in given:
        row.pop("id") if not named else None
    made = bench.ask(
        Towers(clusters()), bench.task("probe", given, keys("prototype", [1]) + "fields: {split: split}\n"), sample=45
    )
    asked = {outcome.id for outcome in made.outcomes}
    assert len(asked) > 10 and asked <= {f"i{i}" if named else str(i) for i in range(40, 60)}


def test_test_pictures_that_are_learnt_from_are_told(bench: Any) -> None:
    given = rows(bench, split=by_split)
    learnt = next(row for i, row in enumerate(given) if by_split(i) == "train")
    asked = [row for i, row in enumerate(given) if by_split(i) == "test"]
    (bench.folder / "copy.png").write_bytes((bench.folder / learnt["image"]).read_bytes())
    asked[0]["image"], asked[1]["image"] = "copy.png", f"./{learnt['image']}"
    task = bench.task("probe", given, keys("prototype") + "fields: {split: split}\n")
    made = bench.ask(Towers(clusters()), task)
    assert "test pictures that are also learnt from, which makes scores too high: 2" in made.record.notes


# methods and models


@pytest.mark.parametrize("method", METHODS)
def test_an_oracle_is_always_right(bench: Any, method: str) -> None:
    task = bench.task("probe", rows(bench), keys(method, more="full: true\n"))
    made = bench.ask(Towers(np.eye(3)[np.arange(60) % 3], texts=np.eye(3)), task)
    assert {name: value for name, value in made.values.items() if name != "efficiency"} == dict.fromkeys(
        set(made.values) - {"efficiency"}, 1.0
    )
    assert made.values["efficiency"] == 2


@pytest.mark.parametrize("method", METHODS)
def test_methods_learn_what_zero_shot_does_not_know(bench: Any, method: str) -> None:
    """Texts are orthogonal to what tells the pictures apart."""
    _, _, directions = np.linalg.svd(CENTRES)
    task = bench.task("probe", rows(bench, 120), keys(method, [4], more="full: true\n"))
    made = bench.ask(Towers(clusters(120, 0.3), texts=directions[3:]), task)
    zero, few, full = (made.values[f"{name}/accuracy"] for name in ("0-shot", "4-shot", "full"))
    assert zero < 0.6
    # Tip-Adapter keeps the texts, at a hundredfold cosine.
    least = zero + 0.1 if method.startswith("tip") else 0.9
    assert min(few, full) > least
    assert made.values["shots_auc"] == few


@pytest.mark.parametrize("method", METHODS)
def test_models_by_what_they_can(bench: Any, method: str) -> None:
    task = bench.task("probe", rows(bench, 30), keys(method, [1]))
    dual = bench.run(fakes.Dual(), task)
    pixels = bench.run(RawPixels(2), task)
    for made, able in ((dual, METHODS[:5]), (pixels, IMAGE_METHODS)):
        assert made.exit_code == (0 if method in able else 1)  # a model that was scored on nothing
        if method in able:
            (record,) = made.records
            assert values(record)["1-shot/accuracy"] is not None
        else:
            assert made.rows()
            assert not made.records
            assert {row["value"] for row in made.rows()} == {None}
    if method in IMAGE_METHODS:
        (record,) = pixels.records
        assert (values(record)["0-shot/accuracy"], values(record)["efficiency"]) == (None, None)
        assert record.notes == ("0-shot is -: prototypes need embed_texts; RawPixels has none",)
    else:
        (problem,) = pixels.problems
        assert str(problem.error) == "prototypes need embed_texts; RawPixels has none"


def test_prompt_learning_is_asked_as_the_paper_has_it(bench: Any) -> None:
    towers = Towers(clusters(120))
    made = bench.ask(towers, bench.task("probe", rows(bench, 120), keys("coop", [1, 2, 8])))
    asked = [(len(vectors), settings["epochs"], seed) for _, vectors, _, settings, seed in towers.tunings]
    assert asked == [(3, 50, 0), (3, 50, 1), (6, 100, 0), (6, 100, 1), (24, 200, 0), (24, 200, 1)]
    names, vectors, labels, _, _ = towers.tunings[0]
    assert (names, vectors.dtype, sorted(labels.tolist())) == (CLASSES, np.float32, [0, 1, 2])
    assert "full/accuracy" not in made.values
    assert made.record.details["chosen"] == {}
    # Class means of vectors are what the spy learns: the same rule, worked out here.
    episode = made.record.details["episodes"]["1-shot/seed0"]
    table, train = clusters(120), [int(i[1:]) for i in episode["train"]]
    learnt = np.stack([next(table[i] for i in train if i % 3 == c) for c in range(3)])
    learnt /= np.linalg.norm(learnt, axis=1, keepdims=True)
    hits = [float((table[int(o.id[1:])] @ learnt.T).argmax() == int(o.id[1:]) % 3) for o in made.outcomes]
    assert [o.values["1-shot/seed0/accuracy"] for o in made.outcomes] == hits


# against scikit-learn


def test_figures_are_those_of_scikit_learn(bench: Any) -> None:
    """Full and k shots, at the C that was chosen: k shots are not joined with validation."""
    table, labels, ids = clusters(90, 1.5), np.arange(90) % 3, [f"i{i}" for i in range(90)]
    made = bench.ask(Towers(table), bench.task("probe", rows(bench, 90), keys("linear", [2, 4])))
    split = stratified_split(ids, labels)
    held = table.astype(np.float32).astype(float)

    def reference(train: Floats, c: float) -> list[int]:
        model = sk_linear.LogisticRegression(C=c, tol=1e-10, max_iter=100_000).fit(held[train], labels[train])
        return model.predict(held[split.test]).tolist()

    chosen = made.record.details["chosen"]
    assert set(chosen) == {"full", *(f"{k}-shot/seed{s}" for k in (2, 4) for s in (0, 1))}
    predicted = reference(np.concatenate([split.train, split.validation]), chosen["full"]["C"])
    assert [CLASSES.index(o.prediction) for o in made.outcomes] == predicted
    right = labels[split.test]
    assert made.values["full/accuracy"] == pytest.approx(np.mean(predicted == right), abs=1e-8)
    recall = sk_metrics.balanced_accuracy_score(right, predicted)
    assert made.values["full/mean_per_class_recall"] == pytest.approx(recall, abs=1e-8)
    for k in (2, 4):
        each = []
        for seed in (0, 1):
            episode = draw(split, ids, labels, CLASSES, k, seed)
            each.append(np.mean(reference(episode.train, chosen[episode.name]["C"]) == right))
            got = np.mean([o.values[f"{episode.name}/accuracy"] for o in made.outcomes])
            assert got == pytest.approx(each[-1], abs=1e-8)
        assert made.values[f"{k}-shot/accuracy"] == pytest.approx(np.mean(each), abs=1e-8)


@pytest.mark.slow
def test_digits_are_those_of_scikit_learn(tmp_path: Path) -> None:
    text = "name: d\nfamily: probe\nsource: {kind: builtin, path: sklearn-digits}\nmethod: linear\n"
    (tmp_path / "d.yaml").write_text(text + "classes: digits\n")
    made = run("pixels:8", task=str(tmp_path / "d.yaml"), output=tmp_path, store=tmp_path / "s.sqlite", limit=600)
    (record,) = made.records
    samples = list(load_task(tmp_path / "d.yaml").family.samples())[:600]
    pixels, labels = RawPixels(8), np.array([sample.target[0] for sample in samples])
    assert labels.tolist() == sk_datasets.load_digits().target[:600].tolist()
    vectors = np.stack([pixels.prepare_image(sample.media[0].pil()) for sample in samples]).astype(float)
    split = stratified_split([sample.id for sample in samples], labels)
    train = np.concatenate([split.train, split.validation])
    strength = record.details["chosen"]["full"]["C"]  # type: ignore[index,call-overload]
    model = sk_linear.LogisticRegression(C=strength, tol=1e-9, max_iter=50_000).fit(vectors[train], labels[train])
    assert values(record)["full/accuracy"] == pytest.approx(
        model.score(vectors[split.test], labels[split.test]), abs=1e-8
    )
    assert values(record)["full/accuracy"] > 0.9  # type: ignore[operator]


# what is asked


@pytest.mark.parametrize("method", FEW_METHODS)
def test_a_second_run_asks_nothing(bench: Any, method: str) -> None:
    towers, task = Towers(clusters()), bench.task("probe", rows(bench), keys(method))
    (first,) = again(bench, towers, task).records
    asked = towers.asked
    (second,) = again(bench, towers, task).records
    assert towers.asked == asked
    assert (second.asked, second.scores, second.details) == (0, first.scores, first.details)


def test_after_zero_shot_nothing_is_embedded_anew(bench: Any) -> None:
    towers, held = Towers(clusters()), rows(bench)
    zero = bench.task("zero-shot-classification", held, KEYS, "zero")
    again(bench, towers, zero)
    asked = towers.asked
    assert len(towers.pictures) == 60
    (record,) = again(bench, towers, bench.task("probe", held, keys("tip-adapter"))).records
    assert (towers.asked, record.asked) == (asked, 0)


def test_zero_shots_are_zero_shot_classification(bench: Any) -> None:
    towers, held = Towers(clusters(noise=2.0)), rows(bench)
    zero = bench.task("zero-shot-classification", held, KEYS, "zero")
    one, two = again(bench, towers, zero, bench.task("probe", held, keys("prototype"))).records
    own = {outcome.id: outcome.values["accuracy"] for outcome in outcomes_of(bench, one)}
    mine = {outcome.id: outcome.values["0-shot/accuracy"] for outcome in outcomes_of(bench, two)}
    assert mine == {name: own[name] for name in mine}
    assert 0.3 < np.mean(list(mine.values())) < 1


def test_before_and_after_the_projection_come_from_one_pass(bench: Any) -> None:
    table = clusters(noise=5.0)
    towers = Towers(table, features=np.eye(3)[np.arange(60) % 3])
    held = rows(bench)
    pre = bench.task("probe", held, keys("prototype"), "pre")
    post = bench.task("probe", held, keys("prototype", more="features: post\n"), "post")
    one, two = again(bench, towers, pre, post).records
    assert sorted(towers.pictures) == list(range(60))
    assert values(one)["full/accuracy"] == 1
    assert values(two)["full/accuracy"] < 0.9  # type: ignore[operator]
    assert values(one)["0-shot/accuracy"] == values(two)["0-shot/accuracy"]
    assert one.protocol != two.protocol
    same = [task_protocol(bench.task("probe", held, keys("prototype"), "same")), task_protocol(pre)]
    assert same[0] == same[1] != task_protocol(post)
    named = task_protocol(bench.task("probe", held, keys("prototype", more="features: pre\n"), "named"))
    assert named == same[0]


def task_protocol(path: str) -> object:
    return load_task(Path(path)).family.protocol()


@pytest.mark.parametrize(
    "change",
    ["method: knn", "shots: [1]", "seeds: 3", "seeds: [4, 5]", "sweep: true", "features: post", "full: false",
     "templates: ['{}', 'a {}']", "classes: [ant, cow, bee]"],
)  # fmt: skip
def test_the_protocol_names_what_is_learnt_and_how(bench: Any, change: str) -> None:
    base = dict(line.split(": ", 1) for line in keys("prototype").splitlines())
    name, _, value = change.partition(": ")
    held = rows(bench)
    one = bench.task("probe", held, "".join(f"{n}: {v}\n" for n, v in base.items()), "one")
    two = bench.task("probe", held, "".join(f"{n}: {v}\n" for n, v in {**base, name: value}.items()), "two")
    assert task_protocol(one) != task_protocol(two)


def test_the_protocol_says_how_the_data_are_divided(bench: Any) -> None:
    own = keys("prototype") + "fields: {split: split}\n"
    one, two = (
        bench.task("probe", rows(bench, split=split), own, name)
        for name, split in (("a", by_split), ("b", lambda i: by_split(59 - i)))
    )
    none = bench.task("probe", rows(bench), keys("prototype"), "c")
    assert len({json.dumps(task_protocol(each)) for each in (one, two, none)}) == 3


# episodes


def test_episodes_are_those_of_every_model_and_stand_in_the_record(bench: Any) -> None:
    task = bench.task("probe", rows(bench), keys("prototype", [1, 4], 5))
    first, other = (bench.ask(model, task).record.details["episodes"] for model in (Towers(clusters()), fakes.Dual()))
    assert first == other
    assert set(first) == {"digest", *(f"{k}-shot/seed{s}" for k in (1, 4) for s in range(5))}
    assert re.fullmatch("[0-9a-f]{32,64}", first["digest"])
    labels, ids = np.arange(60) % 3, [f"i{i}" for i in range(60)]
    expected = draw(stratified_split(ids, labels), ids, labels, CLASSES, 4, 3, validated=False)
    assert first["4-shot/seed3"] == expected.as_json(ids)
    assert first["4-shot/seed3"]["validation"] == []
    assert len({each["digest"] for name, each in first.items() if name != "digest"}) == 10


def test_other_seeds_and_shots_are_other_episodes(bench: Any) -> None:
    held, towers = rows(bench), Towers(clusters())

    def episodes(more: str) -> Any:
        return bench.ask(towers, bench.task("probe", held, f"{KEYS}method: knn\nsweep: true\n{more}")).record.details[
            "episodes"
        ]

    base = episodes("shots: [1, 2]\nseeds: [0, 1]\n")
    for more in ("shots: [1, 2]\nseeds: [0, 2]\n", "shots: [1, 3]\nseeds: [0, 1]\n", "shots: [1]\nseeds: [0, 1]\n"):
        other = episodes(more)
        assert other["digest"] != base["digest"]
        shared = (set(other) & set(base)) - {"digest"}
        assert shared
        assert all(other[name] == base[name] for name in shared)
    assert [len(base["2-shot/seed1"][part]) for part in ("train", "validation")] == [6, 6]


def test_too_few_examples_name_class_and_count(bench: Any) -> None:
    held = [row for i, row in enumerate(rows(bench)) if i % 3 != 1 or i < 15]
    message, code = bench.failure(Towers(clusters()), bench.task("probe", held, keys("prototype", [1, 4])))
    assert "class 'bee' has 3 training items, and 4 are needed" in message
    assert code == 2
    # Nothing is swept here, so that one item of validation does no harm.
    bench.ask(Towers(clusters()), bench.task("probe", held, keys("prototype", [1, 3])))
    message, _ = bench.failure(Towers(clusters()), bench.task("probe", held, keys("linear", [1, 3])))
    assert "class 'bee' has 1 validation items, and 3 are needed" in message


def test_split_names_that_are_unknown(bench: Any) -> None:
    held = rows(bench, split=lambda i: "tain" if i == 7 else by_split(i))
    task = bench.task("probe", held, keys("prototype") + "fields: {split: split}\n")
    message, code = bench.failure(Towers(clusters()), task)
    assert "item i7: 'tain' is no split; did you mean 'train'" in message
    assert code == 2


def test_a_split_without_validation(bench: Any) -> None:
    held = rows(bench, split=lambda i: "test" if i >= 45 else "train")
    made = bench.ask(
        Towers(clusters()), bench.task("probe", held, keys("knn", more="sweep: true\n") + "fields: {split: split}\n")
    )
    assert len(made.outcomes) == 15
    used = made.record.details["episodes"]["2-shot/seed0"]
    assert not set(used["train"]) & set(used["validation"])
    assert {int(i[1:]) for i in used["train"] + used["validation"]} <= set(range(45))


# no test label is seen


def corrupted(kind: str) -> Callable[[int], str]:
    permuted = np.random.default_rng(2).permutation(60)

    def label(i: int) -> str:
        if by_split(i) != "test":
            return CLASSES[i % 3]
        return {"permuted": CLASSES[permuted[i] % 3], "one class": "ant", "inverted": CLASSES[(i + 1) % 3]}[kind]

    return label


@pytest.mark.parametrize("method", METHODS)
def test_no_test_label_is_seen(bench: Any, method: str) -> None:
    own = keys(method, [2], more="fields: {split: split}\nfull: true\nsweep: true\n")
    towers = Towers(clusters(noise=2.0))
    base = bench.ask(towers, bench.task("probe", rows(bench, split=by_split), own))
    chosen = base.record.details["chosen"]
    expected = {"linear": {"C"}, "knn": {"k"}, "tip-adapter": {"alpha", "beta"}, "tip-adapter-f": {"alpha", "beta"}}
    if method in expected:
        assert set(chosen) == {"full", "2-shot/seed0", "2-shot/seed1"}
        assert all(set(each) == expected[method] for each in chosen.values())
    else:
        assert chosen == {}
    for kind in ("permuted", "one class", "inverted"):
        made = bench.ask(towers, bench.task("probe", rows(bench, split=by_split, label=corrupted(kind)), own))
        assert made.record.details["chosen"] == chosen
        assert made.record.details["episodes"] == base.record.details["episodes"]
        assert [o.prediction for o in made.outcomes] == [o.prediction for o in base.outcomes]
        assert made.values != base.values


# pictures that cannot be read


def test_an_unreadable_test_picture_is_an_error(bench: Any) -> None:
    held = rows(bench, split=by_split)
    held[12]["image"] = bench.broken()
    assert by_split(12) == "test"
    made = bench.ask(Towers(clusters()), bench.task("probe", held, keys("prototype") + "fields: {split: split}\n"))
    broken = made.outcomes[0]
    assert (broken.id, broken.status, broken.prediction) == ("i12", "error", None)
    assert "broken.png" in broken.message
    assert {(score.n, score.coverage) for score in made.scores.values()} == {(11, 11 / 12)}
    assert made.run.exit_code == 1
    assert made.record.notes == ()


@pytest.mark.parametrize("method", FEW_METHODS)
def test_an_unreadable_picture_to_learn_from_is_left_out(bench: Any, method: str) -> None:
    held = rows(bench, split=by_split)
    towers, own = Towers(clusters()), keys(method, [2], more="fields: {split: split}\n")
    whole = bench.ask(towers, bench.task("probe", held, own)).record.details["episodes"]
    for place in (int(whole["2-shot/seed0"]["train"][0][1:]), 9):
        held[place]["image"] = bench.broken()
    made = bench.ask(towers, bench.task("probe", held, own))
    assert made.record.notes == ("2 pictures to learn from could not be embedded, and were left out",)
    assert (made.record.errors, len(made.outcomes)) == (0, 12)
    assert made.record.details["episodes"] == whole, "episodes are those of every model, whatever it can read"


def test_no_readable_test_picture(bench: Any) -> None:
    held = [row | ({"image": bench.broken()} if by_split(i) == "test" else {}) for i, row in enumerate(rows(bench))]
    for i, row in enumerate(held):
        row["split"] = by_split(i)
    made = bench.ask(Towers(clusters()), bench.task("probe", held, keys("linear") + "fields: {split: split}\n"))
    assert {outcome.status for outcome in made.outcomes} == {"error"}
    assert {score.value for score in made.scores.values()} == {None}


def test_no_readable_picture(bench: Any) -> None:
    held = [row | {"image": bench.broken()} for row in rows(bench)]
    message, code = bench.failure(Towers(clusters()), bench.task("probe", held, keys("prototype")))
    assert "no picture of this task could be embedded" in message
    assert code == 2


# several labels


def several(bench: Any, n: int = 80) -> tuple[list[dict[str, Any]], Floats, Floats]:
    """Pictures that show any of three classes, also none; their vectors add up what they show."""
    rng = np.random.default_rng(4)
    shown = rng.random((n, 3)) < 0.4
    shown[0] = True  # the kind of label is told by the first row
    table = shown @ CENTRES + 0.5 * rng.standard_normal((n, 6))
    labels = [[name for name, there in zip(CLASSES, own, strict=True) if there] for own in shown]
    return [row | {"label": own} for row, own in zip(rows(bench, n), labels, strict=True)], table, shown


@pytest.mark.parametrize("method", METHODS[:4])
def test_several_labels_are_scored_by_map(bench: Any, method: str) -> None:
    held, table, shown = several(bench)
    made = bench.ask(Towers(table), bench.task("probe", held, keys(method, [4])))
    assert list(made.values) == ["full/map", "4-shot/map", "0-shot/map"]
    chance = shown.mean()
    assert made.values["full/map"] > chance + 0.2
    assert made.values["4-shot/map"] > chance + 0.1
    places = [int(outcome.id[1:]) for outcome in made.outcomes]
    scores = table[places] / np.linalg.norm(table[places], axis=1, keepdims=True)
    cosines = scores @ (CENTRES / np.linalg.norm(CENTRES, axis=1, keepdims=True)).T
    expected = np.mean([sk_metrics.average_precision_score(shown[places][:, c], cosines[:, c]) for c in range(3)])
    assert made.values["0-shot/map"] == pytest.approx(expected, abs=1e-6)
    curve = made.record.details["curve"]
    assert [point["shots"] for point in curve] == [0, 4, None]
    assert np.mean(curve[1]["map"]) == pytest.approx(made.values["4-shot/map"])
    assert curve[2]["map"] == [pytest.approx(made.values["full/map"])]
    check_compared_as_scored(bench, made.record)


def test_several_labels_in_full_are_those_of_scikit_learn(bench: Any) -> None:
    held, table, shown = several(bench)
    made = bench.ask(Towers(table), bench.task("probe", held, f"{KEYS}sweep: false\nC: 0.5\n"))
    ids = [row["id"] for row in held]
    split = stratified_split(ids, shown)
    exact = table.astype(np.float32).astype(float)
    model = sk_multiclass.OneVsRestClassifier(sk_linear.LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000))
    scores = model.fit(exact[split.train], shown[split.train].astype(int)).decision_function(exact[split.test])
    expected = np.mean([sk_metrics.average_precision_score(shown[split.test][:, c], scores[:, c]) for c in range(3)])
    assert made.values["full/map"] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("method", ["tip-adapter-f", "coop"])
def test_methods_that_learn_one_label_refuse_several(bench: Any, method: str) -> None:
    held, _, _ = several(bench, 10)
    with pytest.raises(UsageError, match=f"{method} learns one label a picture, and these have lists"):
        bench.run(Towers(clusters()), bench.task("probe", held, keys(method)))


# metrics


def check_compared_as_scored(bench: Any, record: Record) -> None:
    """What compares records knows neither the task's classes nor its shots, and comes to the same values."""
    path = bench.folder / "results" / "runs" / record.model / record.file_name
    for score in record.scores:
        if score.value is not None:
            read_measured(path, record, metric_named("probe", score.metric))  # raises where they differ


def test_metrics_by_name(bench: Any) -> None:
    names = ["2-shot/seed1/accuracy", "full/mean_per_class_recall", "2-shot/mean_per_class_recall", "1-shot/accuracy"]
    task = bench.task("probe", rows(bench), keys("knn", [1, 2], more=f"metrics: {names}\n".replace("'", "")))
    made = bench.ask(Towers(clusters(noise=2.0)), task)
    assert list(made.values) == names
    hits = {n: np.array([o.values[f"{n}/accuracy"] for o in made.outcomes]) for n in ("2-shot/seed0", "2-shot/seed1")}
    right = np.array([CLASSES.index(o.target) for o in made.outcomes])
    assert made.values["2-shot/seed1/accuracy"] == hits["2-shot/seed1"].mean()
    recall = np.mean([own[right == c].mean() for own in hits.values() for c in range(3)])
    assert made.values["2-shot/mean_per_class_recall"] == pytest.approx(recall)
    assert made.scores["2-shot/seed1/accuracy"].low is not None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2-shot/acuracy", "probe has no metric '2-shot/acuracy'; did you mean '2-shot/accuracy'"),
        ("accuracy", "probe has no metric 'accuracy'"),
        ("full/accuracy@5", "probe has no metric"),
        ("0-shot/seed0/accuracy", "probe has no metric"),
        ("2-shot/seed01/accuracy", "probe has no metric"),
        ("8-shot/accuracy", "'8-shot/accuracy' needs what this task does not do; did you mean"),
        ("2-shot/seed2/accuracy", "'2-shot/seed2/accuracy' needs what this task does not do"),
        ("full/map", "'full/map' needs what this task does not do"),
    ],
)
def test_metrics_that_are_not_there(bench: Any, name: str, message: str) -> None:
    task = bench.task("probe", rows(bench, 6), keys("knn", more=f"metrics: ['{name}']\n"))
    with pytest.raises(UsageError, match=re.escape(message)):
        bench.run(Towers(clusters()), task)


@pytest.mark.parametrize("name", ["full/accuracy", "shots_auc", "efficiency"])
def test_metrics_of_what_is_not_learnt(bench: Any, name: str) -> None:
    own = "full: false\nshots: [1]" if name == "full/accuracy" else "shots: []"
    task = bench.task("probe", rows(bench, 6), f"{KEYS}{own}\nmetrics: [{name}]\n")
    with pytest.raises(UsageError, match=f"'{name}'"):
        bench.run(Towers(clusters()), task)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("shots: [0]", "line 5: 'shots.0': input should be greater than or equal to 1, not 0"),
        ("seeds: []", "'seeds': .*at least 1 item"),
        ("seeds: 0", "'seeds': .*greater than or equal to 1"),
        ("seeds: [-1]", "'seeds.*': .*greater than or equal to 0"),
        ("method: tip-adapter\nfeatures: pre", "tip-adapter compares pictures with texts, and needs features: post"),
        ("method: svm", "method"),
        ("C: 0", "C"),
        ("shot: [1]", "shot"),
    ],
)
def test_options_that_cannot_be_used(bench: Any, key: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bench.run(Towers(clusters()), bench.task("probe", rows(bench, 6), f"{KEYS}{key}\n"))


def test_area_and_efficiency_of_a_run(bench: Any) -> None:
    task = bench.task("probe", rows(bench), keys("prototype", [1, 2, 4], 5))
    made = bench.ask(Towers(clusters(noise=2.0)), task)
    means = np.array([[made.values[f"{k}-shot/accuracy"] for k in (1, 2, 4)]])
    shots = np.array([1.0, 2.0, 4.0])
    assert made.values["shots_auc"] == pytest.approx(area_under_shots(shots, means)[0])
    by_hand = (means[0, 0] / 2 + means[0, 1] + means[0, 2] / 2) / 2
    assert made.values["shots_auc"] == pytest.approx(by_hand)
    reached = shots_to_reach(shots, means, np.array([made.values["0-shot/accuracy"]]))[0]
    assert made.values["efficiency"] == (None if math.isnan(reached) else pytest.approx(reached))
    check_compared_as_scored(bench, made.record)


def test_the_interval_of_k_shots_is_wider_than_that_of_items_alone(bench: Any) -> None:
    """One shot of noisy classes: the seeds differ, and a single episode's interval does not know."""
    task = bench.task("probe", rows(bench, 240), keys("prototype", [1], 5))
    made = bench.ask(Towers(clusters(240, 1.2)), task)
    own = made.scores["1-shot/accuracy"]
    drawn = np.array([[o.values[f"1-shot/seed{s}/accuracy"] for s in range(5)] for o in made.outcomes])
    assert own.low < own.value < own.high
    assert drawn.mean(axis=0).std() > 0.02
    among_items = 2 * 1.96 * drawn.mean(axis=1).std() / math.sqrt(len(drawn))
    assert own.high - own.low > 1.1 * among_items
    assert made.scores["shots_auc"].low is not None
    assert made.scores["efficiency"].low is None


def test_the_learning_curve_is_in_the_details(bench: Any) -> None:
    made = bench.ask(Towers(clusters(noise=1.5)), bench.task("probe", rows(bench), keys("knn", [4, 1], 3)))
    curve = made.record.details["curve"]
    assert [point["shots"] for point in curve] == [0, 1, 4, None]
    assert [len(point["accuracy"]) for point in curve] == [1, 3, 3, 1]
    for point, name in zip(curve, ("0-shot", "1-shot", "4-shot", "full"), strict=True):
        assert np.mean(point["accuracy"]) == pytest.approx(made.values[f"{name}/accuracy"])
    for seed, value in enumerate(curve[2]["accuracy"]):
        assert value == pytest.approx(np.mean([o.values[f"4-shot/seed{seed}/accuracy"] for o in made.outcomes]))


def test_chances_are_those_of_guessing(bench: Any) -> None:
    made = bench.ask(Towers(clusters()), bench.task("probe", rows(bench), keys("prototype")))
    assert {name: score.chance for name, score in made.scores.items() if name != "efficiency"} == pytest.approx(
        dict.fromkeys(set(made.scores) - {"efficiency"}, 1 / 3)
    )
    assert made.scores["efficiency"].chance is None


# time, dry runs, controls


class Told:
    """Keeps what is told, and whether anything was learnt by then."""

    def __init__(self, towers: Towers) -> None:
        self.towers = towers
        self.lines: list[tuple[str, int]] = []

    def started(self, *arguments: object) -> None: ...

    def expected(self, inputs: int) -> None: ...

    def advanced(self, asked: int, remembered: int) -> None: ...

    def finished(self, made: object) -> None: ...

    def told(self, message: str) -> None:
        self.lines.append((message, len(self.towers.tunings)))


def test_prompt_learning_that_takes_too_long_is_refused_first(bench: Any) -> None:
    towers, task = Towers(clusters()), bench.task("probe", rows(bench), keys("coop", [1, 2]))
    towers.seconds = 900
    told = Told(towers)
    message, code = bench.failure(towers, task, max_minutes=59, progress=told)
    assert message.startswith("prompt learning would take about 60 min, over --max-minutes 59; allow more")
    assert code == 2
    assert told.lines == [("prompts to learn: 4, about 60.0 min", 0)]
    assert towers.tunings == []
    bench.ask(towers, task, max_minutes=60, progress=told)
    assert len(towers.tunings) == 4


@pytest.mark.parametrize("method", FEW_METHODS)
def test_a_dry_run_asks_nothing(bench: Any, method: str) -> None:
    task, towers = load_task(Path(bench.task("probe", rows(bench), keys(method, [1])))), Towers(clusters())
    with closing(Store(bench.folder / "store.sqlite")) as store:
        (planned,) = plan([Model("towers", "", towers)], [task], store, RunSettings())
        assert towers.asked == 0
        assert (planned.items, planned.unsupported) == (60, None)
        assert planned.remembered == 0
        assert planned.inputs == 60 + 3 + (2 if method == "coop" else 0)
        assert towers.estimated == 0


@pytest.mark.parametrize(
    ("method", "control"), [("linear", "shuffled"), ("knn", "blind"), ("prototype", "blind"), ("prototype", "shuffled")]
)
def test_without_their_pictures_probes_guess(bench: Any, method: str, control: str) -> None:
    towers = Towers(np.vstack([clusters(240, 0.2), np.zeros((4000, 6))]))
    task = bench.task("probe", rows(bench, 240), keys(method, [2], 3))
    own, other = bench.run(towers, task, controls=[control]).records
    assert other.control == control
    assert own.protocol == other.protocol
    assert values(own)["full/accuracy"] > 0.95  # type: ignore[operator]
    assert values(other)["full/accuracy"] == pytest.approx(1 / 3, abs=0.15)
    assert values(other)["2-shot/accuracy"] == pytest.approx(1 / 3, abs=0.12)


# chance


@pytest.mark.parametrize(
    "method", [each if each in ("linear", "knn") else pytest.param(each, marks=pytest.mark.long) for each in METHODS]
)
def test_chance_gets_chance(bench: Any, method: str) -> None:
    own = keys(method, [2], 2, "sweep: false\nfull: true\n")
    task = bench.task("probe", rows(bench, 60), own)
    records = again(bench, [f"chance:{seed}" for seed in range(16)], task).records
    assert len(records) == 16
    for name in ("full/accuracy", "2-shot/accuracy"):
        drawn = np.array([values(record)[name] for record in records], dtype=np.float64)
        error = np.std(drawn, ddof=1) / math.sqrt(len(drawn))
        assert abs(np.mean(drawn) - 1 / 3) < 3 * error, name


SMALL: dict[str, tuple[list[str], list[str] | None]] = {
    "two a class": (["cat", "bird"] * 3, ["train"] * 4 + ["test"] * 2),
    "one a class": (["cat", "bird"] * 2, ["train"] * 2 + ["test"] * 2),
    "one class": (["cat"] * 4, ["train"] * 2 + ["test"] * 2),
    "nothing to test": (["cat", "bird"] * 2, ["train"] * 4),
    "no splits": (["cat", "bird"] * 2, None),
}
WAYS_OUT = {
    "nothing to test": "no item is in the split 'test'; a probe needs train and test",
    "no splits": "no item is left for test: of each class 60 % are train",
}


@pytest.mark.parametrize("method", FEW_METHODS)
@pytest.mark.parametrize("case", SMALL)
def test_few_items_are_an_answer_or_a_way_out(bench: Any, case: str, method: str) -> None:
    """A method that sweeps has nothing to choose by; the others learn from what there is."""
    labels, splits = SMALL[case]
    given = [{"image": bench.picture(i), "label": label} for i, label in enumerate(labels)]
    given = [row | ({"split": splits[i]} if splits else {}) for i, row in enumerate(given)]
    task = bench.task(
        "probe", given, f"method: {method}\n" + ("fields: {split: split}\n" if splits else ""), name="few"
    )
    model = fakes.Towers(lambda n: [1.0, n or 0], lambda text: [len(text), 1.0])
    model.tune_prompts = lambda names, vectors, labels, settings, seed: np.eye(len(names), 2)  # type: ignore[attr-defined]
    swept = method in ("linear", "tip-adapter", "tip-adapter-f")
    reason = WAYS_OUT.get(case, "add training items, mark some rows 'val', or set `sweep: false`" if swept else None)
    if reason is None:
        assert bench.ask(model, task).scores["full/accuracy"].n == 2
        return
    message, status = bench.failure(model, task)
    assert reason in message
    assert (status, "internal error" in message) == (2, False)
    if case not in WAYS_OUT:
        task = bench.task("probe", given, f"method: {method}\nsweep: false\nfields: {{split: split}}\n", name="few")
        assert bench.ask(model, task).scores["full/accuracy"].n == 2


def test_a_class_that_is_only_in_the_test_is_told(bench: Any) -> None:
    labels = ["cat", "bird"] * 4 + ["cat", "dog"]
    given = [
        {"image": bench.picture(i), "label": label, "split": "test" if i > 7 else "train"}
        for i, label in enumerate(labels)
    ]
    task = bench.task("probe", given, "method: prototype\nfields: {split: split}\n")
    made = bench.ask(fakes.Towers(lambda n: [1.0, n or 0], lambda text: [len(text), 1.0]), task)
    assert made.record.notes == ("no training item shows dog, which the test asks for",)
    message, status = bench.failure(
        fakes.Towers(lambda n: [1.0, n or 0], lambda text: [len(text), 1.0]),
        bench.task("probe", given, "method: prototype\nshots: [1]\nfields: {split: split}\n"),
    )
    assert (message, status) == ("class 'dog' has 0 training items, and 1 is needed; add items", 2)
