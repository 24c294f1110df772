"""Published figures are measured where task, data and weights are here, and nothing is claimed of the others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from mmbench.adapters.aliases import load as aliases
from mmbench.adapters.hf.spec import parse as parse_hf
from mmbench.adapters.open_clip import catalogue
from mmbench.benchmarks import ANCHORS
from mmbench.harness.errors import UsageError
from mmbench.harness.hub import repository
from mmbench.harness.run.run import run
from mmbench.harness.verify.anchors import number, read_anchors
from mmbench.harness.verify.verify import verify
from tests.builders import fails, put_text

Command = Callable[..., tuple[int, str, str]]
DIGITS, SHAPE = "digits@1", "scenes-shape"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Accuracy of `chance` on the digits."""
    made = run("chance", task=DIGITS, output=tmp_path_factory.mktemp("out"))
    value = made.records[0].primary.value
    assert value is not None
    return value


def anchors(path: Path, *rows: dict[str, Any]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(names), *("\t".join(str(row.get(name, "")) for name in names) for row in rows)]
    return put_text(path, "# figures of a test\n" + "\n".join(lines) + "\n")


def row(value: object, **more: object) -> dict[str, object]:
    return {"model": "chance", "task": DIGITS, "metric": "accuracy", "value": value, "tolerance": 0.001, **more}


def test_data_that_is_not_here_is_told_alike_for_all(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a table names the reason once for dozens of public data sets, none of which is asked for."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    asked: list[str] = []
    monkeypatch.setattr(repository, "no_answer", lambda: asked.append("hub") or "it does not answer")
    file = anchors(tmp_path / "a.tsv", *(row(0.5, task=task) for task in ("mieb-cifar10", "datacomp-mnist")))
    _, out, _ = command("verify", "chance", "--anchors", str(file), "--format", "json")
    lines = json.loads(out)["anchors"]
    assert {line["reason"] for line in lines} == {"its data is not here"}
    assert {line["verdict"] for line in lines} == {"not run"} and asked == []


def test_a_hit_a_miss_and_what_cannot_be_run(measured: float, tmp_path: Path, command: Command) -> None:
    file = anchors(
        tmp_path / "a.tsv",
        row(f"{100 * measured:.2f} %", metric="top-1 accuracy", measure="accuracy", tolerance="0.1 points"),
        row(measured + 0.2, protocol="their own prompts", items=10, split="test", dtype="fp32", templates=80),
        row(0.5, task="", metric="top-1 accuracy", dataset="ImageNet 1k", data="somewhere/imagenet", download="1 GB"),
        row(0.5, task="gone.yaml"),
        row(0.5, task=DIGITS, metric="f1"),
        row(0.5, model="another"),
    )
    at = ["verify", "chance", "--anchors", str(file), "--output", str(tmp_path / "out")]
    code, out, _ = command(*at, "--format", "json")
    made = json.loads(out)
    hit, miss, no_task, no_file, no_metric = made["anchors"]
    assert (code, made["model"], made["verified"]) == (1, "chance", False)
    assert (hit["verdict"], hit["knobs"]) == ("hit", [])
    assert hit["measured"] == pytest.approx(measured)
    assert (miss["verdict"], miss["difference"]) == ("miss", pytest.approx(-0.2))
    knobs = {knob["name"]: (knob["stated"], knob["here"], knob["verdict"]) for knob in miss["knobs"]}
    assert knobs["items"] == ("10", str(miss["n"]), "differs")
    assert knobs["dtype"] == ("fp32", "fp32", "same")
    assert knobs["split"] == ("test", None, "not known")
    assert knobs["prompt"][0] is None and knobs["prompt"][2] == "not known"
    assert knobs["templates"][0] == "80" and knobs["templates"][2] == "differs"
    assert knobs["metric"] == ("accuracy", "accuracy", "same")
    assert [line["verdict"] for line in (no_task, no_file, no_metric)] == ["not run"] * 3
    assert no_task["needs"] == {"data": "somewhere/imagenet", "download": "1 GB", "gated": None}
    assert "no task here measures it yet" in no_task["reason"]
    assert "gone.yaml" in no_file["reason"]
    assert "no metric 'f1'" in no_metric["reason"]
    code, out, err = command(*at)
    assert code == 1
    assert all(
        said in out for said in ("their own prompts", "differs", "Not measured here", "somewhere/imagenet, 1 GB")
    )
    assert "1 of 2 within their tolerance; 1 outside; 3 not measured here" in err
    assert (tmp_path / "out" / "runs" / "chance").is_dir()


def test_within_all_tolerances_the_exit_is_0(measured: float, tmp_path: Path, command: Command) -> None:
    file = anchors(tmp_path / "a.csv.tsv", row(measured), row(measured + 0.001))
    code, _, err = command("verify", "chance", "--anchors", str(file), "--output", str(tmp_path / "out"))
    assert (code, "2 of 2 within their tolerance" in err) == (0, True)


def test_only_tasks_of_the_suite_are_verified(measured: float, tmp_path: Path) -> None:
    file = anchors(tmp_path / "a.tsv", row(measured), row(0.5, task="scenes-colour-mini"))
    made = verify("chance", suite="perception-mini", anchors=file, output=tmp_path / "out")
    assert [(line.anchor.task, line.verdict) for line in made.lines] == [("scenes-colour-mini", "miss")]
    other = anchors(tmp_path / "b.tsv", row(0.5, task=SHAPE))
    fails(lambda: verify("chance", suite="digits", anchors=other), "of a task of suite 'digits'", kind=UsageError)


def test_items_without_a_score_are_a_failure_and_no_hit(tmp_path: Path, measured: float) -> None:
    put_text(
        tmp_path / "mine.py",
        "import numpy as np\n"
        "class Mine:\n"
        "    fingerprint = 'mine'\n"
        "    def embed_images(self, images):\n"
        "        made = np.ones((len(images), 3), np.float32)\n"
        "        made[0] = np.nan\n"
        "        return made\n"
        "    def embed_texts(self, texts):\n"
        "        return np.eye(len(texts), 3, dtype=np.float32) + 1\n",
    )
    spec = f"{tmp_path / 'mine.py'}:Mine"
    made = verify(spec, anchors=anchors(tmp_path / "a.tsv", row(0.1, model=spec)), output=tmp_path / "out")
    (line,) = made.lines
    assert (line.verdict, line.measured, made.exit_code) == ("failed", None, 1)
    assert "items have no score" in str(line.reason)


def test_nothing_measured_is_not_verified(tmp_path: Path, command: Command) -> None:
    code, out, err = command("verify", "clip-vitb32", "--output", str(tmp_path), "--offline", "--format", "json")
    made = json.loads(out)
    assert (code, made["verified"], made["spec"]) == (0, None, "open_clip:ViT-B-32-quickgelu/openai")
    assert len(made["anchors"]) == 144
    assert {line["verdict"] for line in made["anchors"]} == {"not run"}
    assert "nothing is verified" in err
    imagenet = next(line for line in made["anchors"] if line["dataset"] == "ImageNet 1k")
    assert imagenet["needs"]["data"] == "mteb/wds_imagenet1k"
    assert imagenet["published"] == "0.6332"
    assert imagenet["source"].startswith("mlfoundations/open_clip@")
    assert not list(tmp_path.rglob("*.json"))


def test_weights_that_are_not_here_are_named_with_their_size(tmp_path: Path) -> None:
    file = anchors(tmp_path / "a.tsv", row(0.5, model="ViT-B-32/openai", spec="open_clip:ViT-B-32-quickgelu/openai"))
    (line,) = verify("clip-vitb32", anchors=file, output=tmp_path / "out").lines
    assert line.verdict == "not run"
    assert "its weights" in str(line.reason)


@pytest.mark.parametrize("typed", ["GPT-4o", "LLaVA-1.5-13B"])
def test_models_that_are_none_here_are_listed_all_the_same(typed: str, tmp_path: Path) -> None:
    made = verify(typed, output=tmp_path)
    assert made.lines and all("no model here is known to be" in str(line.reason) for line in made.lines)


def test_a_model_without_figures_is_told(tmp_path: Path, command: Command) -> None:
    code, _, err = command("verify", "tiny-coca", "--output", str(tmp_path))
    assert (code, "no published figure of 'tiny-coca' is known" in err) == (2, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("model\tvalue\n", "needs the columns"),
        ("model\tmetric\tvalue\tmodle\n", "did you mean 'model'"),
        ("model\tmetric\tvalue\na\tb\n", "line 2 has 2 cells"),
        ("model\tmetric\tvalue\na\t\t3\n", "has no metric"),
        ("model\tmetric\tvalue\ttask\na\tb\t3\tdigits\n", "a value and a tolerance"),
        ("model\tmetric\tvalue\ttask\ttolerance\na\tb\tabout 3\tdigits\t1\n", "'about 3'"),
        ("model\tmetric\tvalue\ttask\ttolerance\na\tb\tnan\tdigits\t1\n", "'nan'"),
        (f"model\tmetric\tvalue\ttask\ttolerance\na\tb\t{'9' * 400}\tdigits\t1\n", "is no figure"),
        ("\xff", "cannot be read"),
    ],
)
def test_files_that_cannot_be_read_surely_are_refused(text: str, said: str, tmp_path: Path) -> None:
    file = put_text(tmp_path / "a.tsv", text.encode("latin-1"))
    fails(lambda: read_anchors(file), said)
    fails(lambda: read_anchors(tmp_path), "cannot be read")


def test_csv_is_read_with_its_quotes(tmp_path: Path) -> None:
    file = put_text(tmp_path / "a.csv", 'model,metric,value,protocol\n# a, comment\nx,accuracy,0.5,"one, two"\n')
    (anchor,) = read_anchors(file)
    assert (anchor.protocol, anchor.published) == ("one, two", 0.5)


# What comes with mmbench


def test_every_figure_has_its_source_and_a_number() -> None:
    held = read_anchors(ANCHORS)
    assert len(held) == 1501
    for anchor in held:
        assert "@" in anchor.source and anchor.dataset and anchor.protocol, anchor
        assert "/" in anchor.value or anchor.published >= 0  # two figures of one line, which no task here measures
        assert 0 < anchor.allowed <= 1, anchor
        assert not anchor.task or anchor.measure
    first = held[0]
    assert (first.model, first.dataset, first.value) == ("RN50/openai", "38 DataComp datasets", "0.4810")


def test_every_spec_is_a_model_that_there_is() -> None:
    specs = {anchor.spec for anchor in read_anchors(ANCHORS) if anchor.spec}
    for spec in specs:
        kind, _, rest = spec.partition(":")
        if kind == "hf":
            assert parse_hf(rest)[0].repository
        else:
            architecture, _, tag = rest.partition("/")
            assert tag in catalogue.tags(architecture)
    named = {alias.spec for alias in aliases().values()}
    assert len(specs & named) > 15


def test_figures_are_read_as_shares() -> None:
    assert [number(text) for text in ("0.6332", "74.0 %", "0.5 points", "1 points", "1510.7")] == [
        0.6332,
        0.74,
        0.005,
        0.01,
        1510.7,
    ]
