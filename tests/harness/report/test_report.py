"""The report is one file that no text can break, no network is behind, and that says what the records say."""

import base64
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness.board.results import Results
from mmbench.harness.errors import UsageError
from mmbench.harness.media.image import Image
from mmbench.harness.records.curves import shots_curve
from mmbench.harness.records.entry import Entry
from mmbench.harness.records.measured import Measured
from mmbench.harness.records.outcomes import digest_of
from mmbench.harness.records.record import read, write
from mmbench.harness.records.reported import Reported, add_reported
from mmbench.harness.render.html import Html, tag
from mmbench.harness.report import write_report
from mmbench.harness.report.answers import Answers, item_values, read_answers
from mmbench.harness.report.confusion import MOST as MOST_CLASSES
from mmbench.harness.report.confusion import confusion
from mmbench.harness.report.gather import MOST_MODELS, gather
from mmbench.harness.report.picks import MOST, pick
from mmbench.harness.report.thumbnails import SIDE, Thumbnails
from mmbench.harness.report.verdicts import compare_task, judge
from mmbench.harness.run.predictions import score
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.types import Outcome, Score
from tests.builders import BASELINES, record, rewrite

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;<!--"


class Page(HTMLParser):
    """The elements of a page, and the text of its scripts and styles."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, str]] = []
        self._open = ""
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style"):
            self.inside.append((self._open, data))
            self._open = ""

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for element, attributes in self.elements if element == name]

    @property
    def data(self) -> Any:
        return json.loads(next(text for element, text in self.inside if element == "script"))


def task_folder(folder: Path, count: int = 4) -> Path:
    """Write a task whose every text is hostile, and pictures for it; return the task file."""
    rows = []
    for n in range(count):
        PIL.Image.new("RGB", (200, 100), (40 * n, 90, 0)).save(folder / f"{n}.png")
        rows.append(
            {"image": f"{n}.png", "question": f"{EVIL} {n}?", "options": [EVIL, "no"], "target": 0, "kind": EVIL}
        )
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("evil", "more-evil"):
        card = {"title": EVIL, "notes": EVIL, "url": "javascript:alert(3)", "dimension": EVIL, "citation": EVIL}
        card |= {"gate": EVIL, "prompt_source": EVIL, "sources": [EVIL], "items": 10**18, "bytes": 10**18}
        (folder / f"{name}.yaml").write_text(
            f"name: {name}\nfamily: multiple-choice\nsource: {{kind: jsonl, path: data.jsonl}}\n"
            f"facts: [kind]\ncard: {json.dumps(card)}\n"
        )
    return folder / "evil.yaml"


def answer(folder: Path, task: Path, model: str, said: Sequence[str]) -> None:
    lines = [json.dumps({"id": str(n), "prediction": text}) for n, text in enumerate(said)]
    (folder / "said.jsonl").write_text("\n".join(lines))
    score(str(task), folder / "said.jsonl", name=model, save=folder / "results")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two runs of two hostile tasks on the same four pictures."""
    task = task_folder(tmp_path)
    for file in (task, tmp_path / "more-evil.yaml"):
        answer(tmp_path, file, "one", [EVIL, EVIL, "no", "???"])
        answer(tmp_path, file, "two", [EVIL, "no", EVIL, "no"])
    return tmp_path


def report(folder: Path, *files: str) -> Page:
    write_report(folder / "results", folder / "report.html", files=[folder / name for name in files])
    return Page(folder / "report.html")


def test_no_text_becomes_markup(folder: Path) -> None:
    add_reported(folder / "results", [Reported(EVIL, "evil", "accuracy", 0.5, EVIL, "javascript:alert(4)")])
    page = report(folder, "evil.yaml", "more-evil.yaml")
    assert len(page.all("script")) == 2
    assert not page.all("img")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not [at for at in page.all("a") if not (at["href"] or "").startswith("#")]
    (item,) = (item for item in page.data["tasks"][0]["items"] if item["id"] == "2")
    assert item["question"] == f"{EVIL} 2?"
    assert item["target"] == EVIL
    assert item["facts"] == {"kind": EVIL}
    assert [(answer[0], answer[1], answer[4]) for answer in item["answers"]] == [(0, 0, EVIL), (1, 1, "no")]


def test_nothing_comes_from_the_network(folder: Path) -> None:
    page = report(folder, "evil.yaml")
    style, script = (next(text for name, text in reversed(page.inside) if name == kind) for kind in ("style", "script"))
    (policy,) = (meta["content"] or "" for meta in page.all("meta") if meta.get("http-equiv"))
    for kind, content in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert not page.all("link")
    assert not re.search(r"@import|url\(|https?://|//cdn", style + script)
    assert not [at for _, at in page.elements if "src" in at or "style" in at]


def test_a_picture_is_embedded_once(folder: Path) -> None:
    page = report(folder, "evil.yaml", "more-evil.yaml")
    keys = [key for task in page.data["tasks"] for item in task["items"] for key in item["pictures"]]
    assert len(keys) == 2 * len(set(keys)) == 8
    assert set(keys) == set(page.data["pictures"])
    assert page.source.count("data:image/") == 4
    held = base64.b64decode(next(iter(page.data["pictures"].values())).partition(",")[2])
    assert PIL.Image.open(io.BytesIO(held)).size == (SIDE, SIDE // 2)


def test_pictures_are_found_where_records_say(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("pictures" in item for item in report(folder).data["tasks"][0]["items"])
    monkeypatch.chdir(folder)  # locators are relative to the data, which now are here
    items = report(folder).data["tasks"][0]["items"]
    assert all(item["pictures"] and "question" not in item for item in items)


def test_pictures_that_changed_are_not_shown(folder: Path) -> None:
    PIL.Image.new("RGB", (10, 10), "white").save(folder / "0.png")
    (folder / "1.png").unlink()
    items = {item["id"]: item for item in report(folder, "evil.yaml").data["tasks"][0]["items"]}
    assert ["pictures" in items[name] for name in "0123"] == [False, False, True, True]
    assert ["question" in items[name] for name in "0123"] == [False, False, True, True]


def test_what_is_shown_of_a_results_folder(folder: Path) -> None:
    page = report(folder)
    ids = {attributes.get("id") for attributes in page.all("section")}
    assert ids == {"headline", "board", "profile", "facts", "pairs", "items", "tasks"}
    assert page.data["models"] == ["two", "one"], "an unparsed answer leaves the first unranked"
    assert [len(task["items"]) for task in page.data["tasks"]] == [4, 4]


def test_the_same_records_give_the_same_page(folder: Path) -> None:
    assert report(folder, "evil.yaml").source == report(folder, "evil.yaml").source


def test_a_damaged_run_is_named_and_the_rest_is_shown(folder: Path) -> None:
    (path,) = (folder / "results" / "runs" / "one").glob("evil*.parquet")
    path.write_bytes(b"nothing")
    (folder / "results" / "runs" / "one" / "odd.json").write_text("{")
    made = write_report(folder / "results", folder / "report.html")
    assert any("odd.json" in warning for warning in made.warnings)
    assert any(path.name in warning for warning in made.warnings)
    answers = Page(folder / "report.html").data["tasks"][0]["items"][0]["answers"]
    assert [answer[0] for answer in answers] == [0]


def test_refusals(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match="no such records"):
        write_report(folder / "empty", folder / "report.html")
    with pytest.raises(UsageError, match="cannot be written"):
        write_report(folder / "results", folder / "nowhere" / "report.html")


def test_command(folder: Path, command: Callable[..., tuple[int, str, str]]) -> None:
    to = folder / "made.html"
    code, out, err = command(
        "report", "--output", str(folder / "results"), "--to", str(to), "--task", str(folder / "evil.yaml")
    )
    assert (code, out) == (0, "")
    assert "2 models, 2 tasks, 8 items" in err
    assert to.stat().st_size < 200_000
    assert command("report", "--output", str(folder / "none"), "--to", str(to))[0] == 2


def test_markup() -> None:
    assert tag("b", None, EVIL, Html("<i>")).count("<") == 3
    assert tag("b", {"title": EVIL, "hidden": False, "x": 1 / 3}) == (
        f'<b title="{tag("i", None, EVIL)[3:-4]}" x="0.333333"></b>'
    )


METRIC = metric_named("zero-shot-classification", "accuracy")


def answers(
    model: str, values: Sequence[float], predictions: Sequence[str] | None = None, targets: Sequence[str] | None = None
) -> Answers:
    import pyarrow as pa

    ids = [str(n) for n in range(len(values))]
    said = {
        "prediction": pa.array(predictions or ["x"] * len(ids)),
        "target": pa.array(targets or ["x"] * len(ids)),
        "status": pa.array(["ok"] * len(ids)),
    }
    held = np.array(values, dtype=float)
    measured = Measured(METRIC, pa.array(ids), pa.array(ids), held[:, None])
    columns = {name: pa.chunked_array([column]) for name, column in said.items()}
    entry = Entry(record(model=model), Path(model))
    return Answers(entry, measured, ids, columns, held, held < 1, np.arange(len(ids)))


def test_picks_serve_every_model_and_their_disagreements() -> None:
    rng = np.random.default_rng(1)
    never, often, some = (answers(str(i), rng.random(500) > share) for i, share in enumerate((-1.0, 0.9, 0.1)))
    chosen = pick([never, often, some])
    assert len(chosen) == MOST
    rows = [int(item.id) for item in chosen]
    wrong = np.stack([each.wrong[rows] for each in (never, often, some)])
    assert wrong.sum(axis=1)[1] >= MOST // 3
    assert wrong.sum(axis=1)[2] >= MOST // 4
    assert (np.diff(wrong.sum(axis=0)) <= 0).all(), "the most often wrong stand first"
    assert [item.rows["0"] for item in chosen] == rows
    assert 0 < len(pick([never])) < MOST
    assert pick([often]) == pick([often])


def test_without_a_best_value_the_least_are_picked() -> None:
    values = np.random.default_rng(0).random(200)
    made = answers("m", values)
    cider = replace(made.measured, metric=replace(METRIC, name="cider", best=None))
    chosen = pick([replace(made, measured=cider, wrong=np.zeros(200, dtype=bool))])
    assert [int(item.id) for item in chosen] == np.argsort(values)[:MOST].tolist()


def test_picks_of_models_that_were_asked_other_items() -> None:
    one, two = answers("1", [0.0, 1.0]), answers("2", [1.0])
    assert [(item.id, item.rows) for item in pick([one, two])] == [("0", {"1": 0, "2": 0}), ("1", {"1": 1})]


def test_confusions_are_counts() -> None:
    rng = np.random.default_rng(0)
    names = [f"c{n:02}" for n in range(20)]
    targets = [names[min(int(n), 19)] for n in rng.exponential(5, 900)]
    said = [t if rng.random() < 0.6 else names[rng.integers(20)] for t in targets]
    made: Any = confusion([answers("m", [1.0] * 900, said, targets)])
    common = sorted(name for name, _ in Counter(targets).most_common(MOST_CLASSES))
    assert made["labels"] == common
    pairs = Counter(zip(targets, said, strict=True))
    for label, row in zip(common, made["counts"]["m"], strict=True):
        assert row[: len(common)] == [pairs[label, other] for other in common]
        assert sum(row) == targets.count(label)
        assert row[-1] == 0


def test_texts_have_no_confusions() -> None:
    texts = [f"a caption of {n}" for n in range(30)]
    assert confusion([answers("m", [1.0] * 30, texts, texts)]) is None
    classes = ["a", "b"] * 15
    assert confusion([answers("m", [1.0] * 30, texts, classes)]) is None
    assert confusion([answers("m", [1.0] * 30, classes, classes)]) is not None
    assert confusion([]) is None


def test_verdicts_of_a_pair() -> None:
    rng = np.random.default_rng(0)
    good, bad = answers("good", rng.random(300) < 0.9), answers("bad", rng.random(300) < 0.5)
    one, same = compare_task(0, [good, bad]), compare_task(1, [good, replace(good, entry=bad.entry)])
    judged = judge([one["good", "bad"], same["good", "bad"]])
    assert [each.verdict for each in judged] == ["better", "tied"]
    assert judged[0].compared.test.value == pytest.approx(good.values.mean() - bad.values.mean())
    assert judged[0].p == pytest.approx(2 * judged[0].compared.test.p)
    (worse,) = judge([compare_task(0, [bad, good])["bad", "good"]])
    assert worse.verdict == "worse"


def test_a_rank_is_better_when_it_is_low() -> None:
    ranks = replace(METRIC, name="rank", higher_is_better=False, lowest=9.0, best=1.0, proportion=False)
    low, high = answers("low", [1.0] * 40), answers("high", [2.0, 3.0] * 20)
    low, high = (replace(each, measured=replace(each.measured, metric=ranks)) for each in (low, high))
    (judged,) = judge([compare_task(0, [low, high])["low", "high"]])
    assert (judged.verdict, judged.compared.test.value) == ("better", pytest.approx(1.5))
    neither = replace(low, measured=replace(low.measured, metric=replace(ranks, higher_is_better=None)))
    assert compare_task(0, [neither, high]) == {}


def test_a_corpus_metric_is_compared_on_all_items() -> None:
    import pyarrow as pa

    metric = metric_named("yes-no", "precision")
    rng = np.random.default_rng(0)
    made = []
    for model, share in (("good", 0.9), ("bad", 0.5)):
        hit = rng.random(400) < share
        table = np.column_stack([hit, ~hit, np.zeros(400), np.ones(400)]).astype(float)
        ids = pa.array([str(n) for n in range(400)])
        made.append(replace(answers(model, hit), measured=Measured(metric, ids, ids, table)))
    (judged,) = judge([compare_task(0, made)["good", "bad"]])
    assert (judged.verdict, judged.compared.test.n) == ("better", 400)


def test_values_of_single_items_of_a_corpus_metric() -> None:
    import pyarrow as pa

    metric = metric_named("yes-no", "precision")
    assert metric.aggregate is not None
    table = np.random.default_rng(0).integers(0, 2, (600, 4)).astype(float)
    table[:, 3] = 1.0
    ids = pa.array([str(n) for n in range(600)])
    with np.errstate(invalid="ignore", divide="ignore"):
        made = item_values(Measured(metric, ids, ids, table))
        expected = [float(metric.aggregate(row[None], np.ones((1, 1)))[0]) for row in table]
    np.testing.assert_array_equal(made, expected)


def test_thumbnails_stay_within_their_room(picture: Callable[..., Any]) -> None:
    thumbnails = Thumbnails()
    keys = [thumbnails.add(picture(n, 80)) for n in range(5)]
    assert thumbnails.add(picture(0, 80)) == keys[0]
    wanted = [key for key in keys if key] * 2
    everything = thumbnails.within(10**6, wanted)
    assert list(everything) == keys
    size = len(json.dumps(dict(everything), separators=(",", ":")))
    some = thumbnails.within(size // 2, wanted)
    assert list(some) == keys[: len(some)]
    assert len(json.dumps(dict(some), separators=(",", ":"))) <= size // 2


def test_drawn_thumbnails_are_remembered_and_no_others(
    picture: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path))
    memory, drawn = tmp_path / "thumbnails.json", []

    def grey(parent: Any, *, level: int) -> Any:
        drawn.append(level)
        return PIL.Image.new("RGB", (8, 8), (level, level, level))

    def made() -> dict[str, str]:
        thumbnails = Thumbnails()
        keys = [thumbnails.add(Image.render(grey, {"level": level}, 1, "drawn")) for level in (40, 200)]
        thumbnails.add(picture(0, 80))
        thumbnails.remember()
        return dict(thumbnails.within(10**6, [key for key in keys if key]))

    first = made()
    held = json.loads(memory.read_text())
    assert drawn == [40, 200] and sorted(held.values()) == sorted(first.values())
    assert made() == first and drawn == [40, 200], "drawn once"
    memory.write_text(json.dumps(dict.fromkeys(held, 'data:image/webp;base64,AA"><script>')))
    assert made() == first and drawn == [40, 200] * 2, "what is no thumbnail reaches no page"
    memory.write_text("{")
    assert made() == first


def test_curve_of_a_probe() -> None:
    drawn: list[Any] = [{"shots": 0, "accuracy": [0.2]}, {"shots": 4, "accuracy": [0.4, 0.6]}]
    drawn.append({"shots": None, "accuracy": [0.9]})
    scores = (Score("4-shot/accuracy", 0.5, 0.3, 0.7, 9, 1.0, None, 0.1, True),)
    made = shots_curve(record(details={"curve": drawn}, scores=scores))
    assert list(made) == ["0", "4", "all"]
    assert [each.value for each in made.values()] == pytest.approx([0.2, 0.5, 0.9])
    assert (made["4"].low, made["all"].low) == (0.3, None)
    assert shots_curve(record()) == {}


def put(folder: Path, model: str, task: str, right: Sequence[bool], **of_item: Sequence[str]) -> None:
    """Write a record of items that were right or not, with more of the outcomes' texts."""
    outcomes = [
        Outcome(
            id=str(n),
            status="ok",
            prediction=of_item["said"][n] if "said" in of_item else "x",
            target="x",
            values={"accuracy": float(hit)},
            cluster=of_item["clusters"][n] if "clusters" in of_item else str(n),
            locator=of_item["locators"][n] if "locators" in of_item else "",
        )
        for n, hit in enumerate(right)
    ]
    mean = float(np.mean(right))
    scores = (Score("accuracy", mean, mean - 0.05, mean + 0.05, len(outcomes), 1.0, None, 0.1, True),)
    write(record(model=model, task=task, scores=scores), outcomes, folder)


def test_replies_and_prompts_are_shown_beside_what_was_read(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    given = [("cat", "<think>" + "hm " * 500_000), ("cat", "cat"), ("dog", "(B)"), ("dog", None)]
    outcomes = [
        Outcome(str(n), "ok", read, "x", {"accuracy": 0.0}, cluster=str(n), reply=reply, prompt=f"Which? {n}")
        for n, (read, reply) in enumerate(given)
    ]
    scores = (Score("accuracy", 0.0, 0.0, 0.1, len(outcomes), 1.0, None, 0.1, True),)
    write(record(model="one", task="digits", scores=scores), outcomes, folder)
    page = report(tmp_path)
    items = {item["id"]: item for task in page.data["tasks"] for item in task["items"]}
    assert [items[str(n)]["prompt"] for n in range(4)] == [f"Which? {n}" for n in range(4)]
    assert [items[str(n)]["answers"][0][5:] for n in (1, 2, 3)] == [[], ["(B)"], []]
    (long,) = items["0"]["answers"][0][5:]
    assert long.endswith("… (1,500,007 characters)")
    assert len(long) < 1100


def test_a_reply_that_is_no_text_is_a_warning_and_the_rest_is_shown(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    for model in ("one", "two"):
        put(folder, model, "digits", [True, False, True])
    (path,) = (folder / "runs" / "two").glob("*.parquet")
    table = pq.read_table(path)
    numbers = pa.array([1, 2, 3])
    pq.write_table(table.set_column(table.schema.get_field_index("reply"), "reply", numbers), path)
    rewrite(path.with_suffix(".json"), outcomes_digest=digest_of(path.read_bytes()))
    made = write_report(folder, tmp_path / "report.html")
    assert [warning for warning in made.warnings if "reply or prompt is no text" in warning]
    page = Page(tmp_path / "report.html")
    assert [len(item["answers"]) for task in page.data["tasks"] for item in task["items"]] == [1, 1, 1]


def test_more_models_than_a_page_holds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for n in range(MOST_MODELS + 3):
        put(tmp_path / "results", f"m{n:02}", "digits", rng.random(30) < n / 20)
    page = report(tmp_path)
    assert len(page.data["models"]) == MOST_MODELS
    assert len([at for at in page.all("tr") if "data-model" in at]) == MOST_MODELS + 3
    assert "The sections below show the first 12 models" in page.source


def test_the_baselines() -> None:
    folder = Results(BASELINES)
    board = folder.board("perception")
    tasks = gather(board)
    assert [task.reference for task in tasks] == [column.task for column in board.columns]
    for task in tasks[::6]:
        for entry in task.entries.values():
            made = read_answers(entry, task.metric)
            primary = read(entry.path).primary
            assert len(made.measured) == primary.n
            if task.metric.aggregate is None:
                assert np.nanmean(made.values) == pytest.approx(primary.value)


@pytest.mark.slow
def test_ten_models_and_thirty_tasks_stay_under_five_megabytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = [f"word{n}" for n in range(200)]
    for t in range(30):
        locators, clusters = [], []
        for n in range(50):
            path = tmp_path / f"{t}-{n}.jpg"
            PIL.Image.fromarray(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)).save(path)  # noise: the worst case
            locators.append(str(path))
            clusters.append(_digest(path))
        for m in range(10):
            said = [" ".join(rng.choice(words, 30)) for _ in range(50)]
            put(
                tmp_path / "results",
                f"model-{m}",
                f"task-{t}",
                rng.random(50) < 0.1 + 0.08 * m,
                said=said,
                clusters=clusters,
                locators=locators,
            )
    made = write_report(tmp_path / "results", tmp_path / "report.html")
    assert made.items == 30 * MOST
    assert made.size == (tmp_path / "report.html").stat().st_size < 5_000_000
    assert len(Page(tmp_path / "report.html").data["pictures"]) > 100


def _digest(path: Path) -> str:
    from mmbench.harness.media.image import Image

    return Image.from_path(path).digest
