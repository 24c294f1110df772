"""Metrics of sureness agree with the pure functions, hear a model's own logits, and are gated like any other."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mmbench import metrics
from mmbench.benchmarks.metrics import sureness as own
from mmbench.harness.ask.examinee import Scale
from mmbench.harness.ask.sureness import probabilities
from mmbench.harness.board.results import Results
from mmbench.harness.gate.check import check
from mmbench.harness.records.changes import compared
from mmbench.harness.records.measured import Measured, read_measured
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.report.gather import gather
from mmbench.harness.report.sureness import sureness_figures
from mmbench.harness.run.run import run
from mmbench.harness.tasks.metric_names import metric_named
from tests import fakes

COUNT = 300
KEYS = "classes: [cat, dog, owl]\ntemplates: ['{}']\nfacts: [part, group]\n"
SURE = "ece@15, adaptive_ece, brier, nll, aurc, coverage@risk1, coverage@risk5"
ALL = f"metrics: [accuracy, {SURE}, 'worst_group:group']\n"


def drawn(seed: int = 0, count: int = 200, ties: bool = True) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(size=count)
    if ties:
        confidence = confidence.round(2)
    return confidence, (rng.uniform(size=count) < confidence).astype(float)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_corpus_metrics_equal_the_pure_functions(seed: int) -> None:
    confidence, right = drawn(seed)
    table, once = np.stack([confidence, right], axis=1), np.ones((1, len(right)))

    def of(metric: Any) -> float:
        return float(metric.aggregate(table, once)[0])

    assert of(own.ECE) == pytest.approx(metrics.calibration_error(confidence, right), abs=1e-12)
    mass = metrics.calibration_error(confidence, right, scheme="mass")
    assert of(own.ADAPTIVE_ECE) == pytest.approx(mass, abs=1e-12)
    assert of(own.AURC) == pytest.approx(metrics.aurc(confidence, 1 - right), abs=1e-12)
    for metric, risk in ((own.COVERAGE_AT_1, 0.01), (own.COVERAGE_AT_5, 0.05)):
        assert of(metric) == pytest.approx(metrics.coverage_at_risk(confidence, 1 - right, risk), abs=1e-12)


def test_a_weight_counts_an_item_so_often() -> None:
    confidence, right = drawn(3, 60)
    table, times = np.stack([confidence, right], axis=1), np.random.default_rng(1).integers(0, 4, 60)
    for metric in (own.ECE, own.AURC, own.COVERAGE_AT_5, own.COVERAGE_AT_1):
        assert metric.aggregate is not None
        by_weight = metric.aggregate(table, times[None].astype(float))
        assert by_weight == pytest.approx(metric.aggregate(np.repeat(table, times, axis=0), np.ones((1, times.sum()))))
    assert own.AURC.aggregate is not None
    assert own.AURC.aggregate(table, np.full((1, 60), 1 + 1e-9)) == pytest.approx(
        own.AURC.aggregate(table, np.ones((1, 60))), abs=1e-7
    )


def test_probabilities_are_a_softmax_or_with_a_bias_a_sigmoid() -> None:
    cosines = np.array([0.3, 0.25, -0.1])
    made = np.exp(100 * cosines)
    assert probabilities(cosines, Scale(100.0)) == pytest.approx(made / made.sum(), abs=1e-12)
    assert probabilities(cosines, Scale(100.0, -12.0)) == pytest.approx(1 / (1 + np.exp(12 - 100 * cosines)), abs=1e-12)
    assert probabilities(np.full(3, -np.inf), Scale(1.0)) is None


def model(name: str, scale: float | None, bias: float | None = None) -> SimpleNamespace:
    """Towers whose logits at the scale 3 are calibrated."""
    rng = np.random.default_rng(5)
    pictures = rng.standard_normal((COUNT, 3))
    texts = dict(zip(("cat", "dog", "owl"), np.eye(3), strict=True))
    made = fakes.Towers(lambda i: pictures[i], texts.__getitem__)
    members = {"embed_images": made.embed_images, "embed_texts": made.embed_texts}
    more = {} if scale is None else {"logit_scale": scale, "logit_bias": bias}
    return fakes.adapter(name, **members, **more)


def softmax(scale: float) -> np.ndarray:
    pictures = np.random.default_rng(5).standard_normal((COUNT, 3))
    units = pictures / np.linalg.norm(pictures, axis=1, keepdims=True)
    made = np.exp(scale * units)
    return np.asarray(made / made.sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Items whose labels are drawn by the probabilities of the scale 3."""
    made = tmp_path_factory.mktemp("sure")
    rng = np.random.default_rng(9)
    rows = []
    for i, row in enumerate(softmax(3.0)):
        fakes.numbered(i).save(made / f"{i}.png")
        label = ("cat", "dog", "owl")[rng.choice(3, p=row)]
        part = "validation" if i % 3 == 0 else "test"
        rows.append({"id": str(i), "image": f"{i}.png", "label": label, "part": part, "group": "ab"[i % 2]})
    (made / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return made


def ask(folder: Path, adapter: object, keys: str = ALL, name: str = "sure", out: str = "results") -> Any:
    text = f"name: {name}\nfamily: zero-shot-classification\nsource: {{kind: jsonl, path: items.jsonl}}\n" + KEYS + keys
    (folder / f"{name}.yaml").write_text(text)
    made = run(adapter, task=str(folder / f"{name}.yaml"), output=folder / out, store=folder / "store.sqlite")
    assert [str(problem.error) for problem in made.problems] == []
    (record,) = made.records
    return record, folder / out / "runs" / record.model / record.file_name


def test_a_run_measures_how_sure_a_model_is(folder: Path) -> None:
    record, path = ask(folder, model("calibrated", 3.0, 0.0))
    labels = np.array([("cat", "dog", "owl").index(each.target or "") for each in read_outcomes(path)])
    shares = softmax(3.0)
    scores = {each.metric: each for each in record.scores}
    right = shares.argmax(axis=1) == labels
    wanted = {
        "ece@15": metrics.calibration_error(shares.max(axis=1), right),
        "brier": metrics.brier(shares, labels),
        "nll": metrics.negative_log_likelihood(shares, labels),
        "aurc": metrics.aurc(shares.max(axis=1), 1 - right),
        "coverage@risk5": metrics.coverage_at_risk(shares.max(axis=1), 1 - right, 0.05),
        "worst_group:group": metrics.worst_group(right, ["ab"[i % 2] for i in range(COUNT)])["worst"],
    }
    for name, value in wanted.items():
        assert scores[name].value == pytest.approx(value, abs=1e-6), name
        assert scores[name].low <= scores[name].value <= scores[name].high
        metric = metric_named(record.family, name)
        assert len(read_measured(path, record, metric)) == COUNT
    assert scores["ece@15"].low == 0.0
    chances = {
        name: scores[name].chance for name in ("ece@15", "adaptive_ece", "brier", "nll", "aurc", "coverage@risk5")
    }
    # Of somebody who knows nothing each of three options has one third.
    assert chances == pytest.approx(
        {"ece@15": 0, "adaptive_ece": 0, "brier": 2 / 3, "nll": np.log(3), "aurc": 2 / 3, "coverage@risk5": 0}, abs=1e-9
    )
    apart = next(each for each in record.extremes if (each.fact, each.metric) == ("group", "accuracy"))
    worst = scores["worst_group:group"]
    assert (apart.worst.value, apart.worst.low, apart.worst.high) == (worst.value, worst.low, worst.high)
    held = record.details["calibration"]
    assert held["temperature"] == pytest.approx(metrics.fit_temperature(np.log(shares[::3]), labels[::3]), rel=1e-4)
    assert 0.7 < held["temperature"] < 1.4 and (held["validation"], held["others"]) == (100, 200)


def test_the_protocol_knows_nothing_of_further_metrics(folder: Path) -> None:
    more, less = (ask(folder, model("one", 3.0), keys)[0] for keys in (ALL, "metrics: [accuracy]\n"))
    assert more.protocol == less.protocol


def test_temperature_sees_no_label_of_another_item(folder: Path) -> None:
    before = ask(folder, model("t", 9.0))[0].details["calibration"]
    rows = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    for row in rows:
        if row["part"] == "test":
            row["label"] = {"cat": "dog", "dog": "owl", "owl": "cat"}[row["label"]]
    kept = (folder / "items.jsonl").read_text()
    try:
        (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        after = ask(folder, model("t", 9.0), out="permuted")[0].details["calibration"]
    finally:
        (folder / "items.jsonl").write_text(kept)
    assert before["temperature"] == after["temperature"] == pytest.approx(3, rel=0.3)
    assert before["before"]["nll"] > before["after"]["nll"] and before["after"] != after["after"]


def test_a_model_without_a_scale_has_no_calibration_and_says_so(folder: Path) -> None:
    record, _ = ask(folder, model("none", None))
    scores = {each.metric: each.value for each in record.scores}
    assert scores["ece@15"] is None and scores["aurc"] is None and scores["accuracy"] is not None
    assert any("none has no logit_scale" in note or "no logit_scale" in note for note in record.notes)


def test_a_bias_means_a_sigmoid_of_each_pair(folder: Path) -> None:
    record, path = ask(folder, model("sigmoid", 3.0, -1.0))
    pictures = np.random.default_rng(5).standard_normal((COUNT, 3))
    best = (pictures / np.linalg.norm(pictures, axis=1, keepdims=True)).max(axis=1)
    heard = [each.statistics["sureness"][0] for each in read_outcomes(path)]
    assert heard == pytest.approx(1 / (1 + np.exp(1 - 3 * best)), abs=1e-6)
    nll = next(each for each in record.scores if each.metric == "nll")
    assert nll.chance == pytest.approx(np.log(3) + 2 * np.log(3 / 2)), "three coins that are right one time in three"


@pytest.mark.parametrize("metric", ["ece@15", "nll"])
def test_the_gate_finds_planted_miscalibration_and_accuses_no_calibrated_model(folder: Path, metric: str) -> None:
    keys = f"metrics: [accuracy]\ncard: {{primary: {metric}}}\n"
    name = metric.partition("@")[0]
    paths = [
        ask(folder, model(str(scale), scale), keys, name, f"gate-{name}-{scale}")[1] for scale in (3.0, 3.03, 30.0)
    ]
    (same,) = check(paths[1], paths[0], margin=0.05).rows
    assert same.verdict == "held"
    (worse,) = check(paths[2], paths[0], margin=0.05).rows
    assert worse.verdict == "regressed" and worse.candidate > worse.baseline
    (better,) = check(paths[0], paths[2], margin=0.05).rows
    assert better.verdict in ("held", "improved")


def test_the_gate_holds_a_worst_group(folder: Path) -> None:
    keys = "metrics: [accuracy]\ncard: {primary: 'worst_group:group'}\n"
    good = ask(folder, model("good", 3.0), keys, "groups", "g0")[1]
    assert check(good, ask(folder, model("copy", 3.0), keys, "groups", "g1")[1]).rows[0].verdict == "held"


def test_small_groups_are_named(folder: Path) -> None:
    keys = "metrics: [accuracy, 'group_gap:part', 'group_ratio:part', 'worst_group:tiny']\n"
    kept = (folder / "items.jsonl").read_text()
    rows = [json.loads(line) for line in kept.splitlines()]
    few = "".join(json.dumps({**row, "part": "rare" if i < 5 else "common"}) + "\n" for i, row in enumerate(rows))
    try:
        (folder / "items.jsonl").write_text(few)
        record, path = ask(folder, model("small", 3.0), keys, "few")
    finally:
        (folder / "items.jsonl").write_text(kept)
    right = {each.id: each.values["accuracy"] for each in read_outcomes(path)}
    made = metrics.worst_group(list(right.values()), ["rare" if int(i) < 5 else "common" for i in right])
    scores = {each.metric: each.value for each in record.scores}
    assert (scores["group_gap:part"], scores["group_ratio:part"]) == pytest.approx((made["gap"], made["ratio"]))
    assert scores["worst_group:tiny"] is None  # no such fact
    assert any("fewer than 20" in note and '"rare" (5)' in note for note in record.notes)


def test_the_report_draws_reliability_and_risk_where_there_are_probabilities(folder: Path) -> None:
    record, _ = ask(folder, model("drawn", 3.0), out="report")
    tasks = gather(Results(folder / "report").board())
    reliability, risk = map(str, sureness_figures(tasks, ["another", record.model]))
    assert "right at" in reliability and ", n " in reliability
    assert all(f'class="{part}"' in reliability for part in ("whisker", "bar")) and 'class="band"' in risk
    assert f"{record.model}: risk" in risk and "another" not in reliability + risk


def test_a_warm_run_asks_for_no_scale(folder: Path) -> None:
    first, _ = ask(folder, model("warm", 3.0), "metrics: [brier]\n", "warm", "w0")
    again, _ = ask(folder, model("warm", None), "metrics: [brier]\n", "warm", "w1")
    assert again.asked == 0 and first.asked > 0
    assert again.scores[0].value == first.scores[0].value


def test_likelihoods_are_a_softmax_of_sums(folder: Path) -> None:
    said = {"cat": -1.0, "dog": -2.0, "owl": -4.0}
    scorer = fakes.Likely(lambda picture, prompt, text: said[text.strip()])
    record, path = ask(folder, scorer, "metrics: [accuracy, brier]\n", "likely", "likely")
    shares = np.exp(list(said.values())) / np.exp(list(said.values())).sum()
    heard = [each.statistics["sureness"][0] for each in read_outcomes(path)]
    assert heard == pytest.approx([shares[0]] * COUNT, abs=1e-9)
    mass = np.exp(list(said.values())).sum()
    assert record.details["calibration"]["mass"] == pytest.approx(mass)
    assert not any("sum to more than 1" in note for note in record.notes)
    louder = fakes.Likely(lambda picture, prompt, text: said[text.strip()] + 0.9)
    louder.fingerprint = "louder"
    record, _ = ask(folder, louder, "metrics: [accuracy, brier]\n", "louder", "louder")
    assert any("sum to more than 1 in 300 of 300 items" in note for note in record.notes)


def test_a_temperature_at_its_bound_is_told(folder: Path) -> None:
    kept = (folder / "items.jsonl").read_text()
    best = softmax(3.0).argmax(axis=1)
    rows = [json.loads(line) for line in kept.splitlines()]
    separable = [{**row, "label": ("cat", "dog", "owl")[best[int(row["id"])]]} for row in rows]
    try:
        (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in separable))
        record, _ = ask(folder, model("separable", 3.0), "metrics: [accuracy, nll]\n", "separable", "separable")
    finally:
        (folder / "items.jsonl").write_text(kept)
    held = record.details["calibration"]
    assert held["at_end"] and held["temperature"] == pytest.approx(np.exp(-5))
    (note,) = [note for note in record.notes if "temperature" in note]
    assert "0.00674 is an end of the range that is searched, by 100 validation items" in note
    assert "every lower temperature fits better; do not use it" in note
    page = "".join(map(str, sureness_figures(gather(Results(folder / "separable").board()), [record.model])))
    assert "temperature 0.007 of 100 validation items; of the 200 others ece@15" in page
    assert "It is an end of the range that is searched" in page


def test_any_metric_is_gated_and_compared(folder: Path, command: Any) -> None:
    calibrated, sure = (str(ask(folder, model(str(scale), scale), out=f"any{scale}")[1]) for scale in (3.0, 30.0))
    asked = ("check", sure, "--baseline", calibrated)
    assert command(*asked)[0] == 0, "by its primary metric nothing changed"
    junit, summary = folder / "j.xml", folder / "s.md"
    chosen = ("--metric", "ece@15", "--metric", "worst_group:group", "--margin", "0.05")
    code, said, _ = command(*asked, *chosen, "--format", "json", "--junit", str(junit), "--summary", str(summary))
    rows = {row["metric"]: row for row in json.loads(said)["rows"]}
    assert (code, list(rows)) == (1, ["ece@15", "worst_group:group"])
    assert (rows["ece@15"]["verdict"], rows["worst_group:group"]["verdict"]) == ("regressed", "held")
    assert rows["ece@15"]["candidate"] > rows["ece@15"]["baseline"] + 0.05
    assert 'name="sure@1 ece@15"' in junit.read_text() and "| sure@1 | ece@15 |" in summary.read_text()
    code, said, _ = command("check", calibrated, "--baseline", sure, *chosen)
    assert code == 0 and "improved" in said, "an error that falls is better"
    (folder / "b.toml").write_text('[metric."ece@15"]\nmargin = 0.9\n[metric.nll]\n')
    code, said, _ = command(*asked, "--budget", str(folder / "b.toml"), "--format", "json")
    rows = {row["metric"]: row for row in json.loads(said)["rows"]}
    assert {name: row["margin"] for name, row in rows.items()} == {"accuracy": 0.01, "ece@15": 0.9, "nll": 0.01}
    assert (rows["ece@15"]["verdict"], rows["nll"]["verdict"]) == ("held", "regressed")
    code, said, err = command(*asked, "--metric", "ece@51")
    assert (code, said) == (2, "") and "no task of the two runs has the metric 'ece@51'; did you mean 'ece@15'?" in err
    code, said, _ = command("compare", calibrated, sure, "--metric", "nll", "--format", "json")
    (row,) = json.loads(said)["rows"]
    assert (code, row["metric"], row["verdict"]) == (0, "nll", "worse")


def test_a_calibrated_model_is_seldom_accused() -> None:
    rng, accused, found = np.random.default_rng(0), 0, 0
    names = pa.array([str(i) for i in range(200)])

    def held(table: np.ndarray) -> Measured:
        return Measured(own.ECE, names, names, table)

    for _ in range(14):
        confidence = rng.uniform(0.4, 1, (3, 200))
        right = rng.uniform(size=(3, 200)) < confidence - np.array([[0.0], [0.0], [0.25]])
        base, same, worse = (held(np.stack([c, r], axis=1)) for c, r in zip(confidence, right, strict=True))
        one, other = compared(same, base), compared(worse, base)  # how much lower the error is
        assert one is not None and other is not None
        accused += one.p_lower < 0.05
        found += other.p_lower < 0.05
    assert accused <= 3 and found >= 11
