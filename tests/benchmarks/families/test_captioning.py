"""Captions are scored as a corpus, with and without references, and what would be nonsense is refused."""

import json
import re
from typing import Any

import numpy as np
import pytest

from mmbench.benchmarks.metrics.caption.all_at_once import language_scores, tokenize_lines, tokenize_references
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.task_file import load_task
from tests import fakes

THINGS = ["red cat", "small dog", "big cow", "old owl", "young eel"]
WRITTEN = ["A red cat sits.", "There is a dog.", "The big cow in a field", "owl owl owl owl", "a young eel swims."]


def rows(bench: Any) -> list[dict[str, Any]]:
    return [
        {
            "image": bench.picture(n),
            "references": [f"A {thing} sits in a field.", f"there is a {thing}"],
            "attributes": thing.split(),
        }
        for n, thing in enumerate(THINGS)
    ]


def writer() -> Any:
    return fakes.Speaker(lambda n, prompt: WRITTEN[n])


def expected(names: list[str], written: list[str], references: list[list[str]]) -> dict[str, Any]:
    return language_scores(names, list(tokenize_lines(written)), tokenize_references(references), None)


def test_written_captions(bench: Any) -> None:
    model = writer()
    made = bench.ask(model, bench.task("captioning", rows(bench), "prompt: Say what you see.\n"))
    assert {prompt for _, prompt in model.asked} == {"Say what you see."}
    assert {(each.max_tokens, each.temperature, each.stop) for each in model.settings} == {(64, 0.0, ())}
    by_hand = expected(["cider", "rouge_l"], WRITTEN, [row["references"] for row in rows(bench)])
    for name, scores in by_hand.items():
        assert made.values[name] == pytest.approx(float(np.mean(scores.values)))
        assert [outcome.values[name] for outcome in made.outcomes] == pytest.approx(scores.values.tolist())
    assert made.values["length_ratio"] == pytest.approx(22 / 22, abs=0.2)
    words = {word for tokens in tokenize_lines(WRITTEN) for word in tokens}
    assert made.values["vocabulary_size"] == len(words)
    assert next(iter(made.scores)) == "cider"
    assert made.scores["cider"].bounds is None, "it has no highest value"
    assert (made.values["clipscore"], made.values["ref_clipscore"]) == (None, None)
    assert made.record.notes == ("clipscore and ref_clipscore are -: no scorer was given (--scorer)",)
    assert made.outcomes[0].target == "A red cat sits in a field. | there is a red cat"


def test_references_in_rows_of_one_picture_are_told(bench: Any) -> None:
    apart = [{**row, "references": text} for row in rows(bench) for text in row["references"]]
    made = bench.ask(writer(), bench.task("captioning", apart))
    note = "items that show the picture of an earlier one, each compared with its own references alone"
    assert any(each.startswith(note) and each.endswith(f": {len(THINGS)}") for each in made.record.notes)


def test_a_picture_that_cannot_be_read_leaves_the_corpus(bench: Any) -> None:
    given = rows(bench)
    given[1]["image"] = bench.broken()
    made = bench.ask(writer(), bench.task("captioning", given, "metrics: [cider, bleu@4, rouge_l]\n"))
    assert made.run.exit_code == 1
    assert [outcome.status for outcome in made.outcomes] == ["ok", "error", "ok", "ok", "ok"]
    left = [0, 2, 3, 4]
    by_hand = expected(["cider"], [WRITTEN[n] for n in left], [rows(bench)[n]["references"] for n in left])
    assert made.values["cider"] == pytest.approx(float(np.mean(by_hand["cider"].values)))
    assert {score.n for score in made.scores.values()} == {4}
    assert {score.coverage for score in made.scores.values()} == {0.8}
    assert (made.outcomes[1].values, made.outcomes[1].statistics) == ({}, {})


@pytest.mark.parametrize("route", ["generate", "likelihood", "embed"])
def test_no_picture_can_be_read(bench: Any, route: str) -> None:
    """One row, so that CIDEr of the rest would be refused if it were computed."""
    model = {
        "generate": writer(),
        "likelihood": fakes.Likely(lambda n, prompt, text: 0.0),
        "embed": fakes.Towers(lambda n: [1.0], lambda text: [1.0]),
    }[route]
    given = [{**rows(bench)[0], "image": bench.broken()}]
    made = bench.ask(model, bench.task("captioning", given, "candidates: [a cat]\n"))
    assert made.run.exit_code == 1
    assert {(score.value, score.n) for score in made.scores.values()} == {(None, 0)}


def test_cider_of_one_picture_is_refused_and_other_tasks_are_kept(bench: Any) -> None:
    one = bench.task("captioning", rows(bench)[:1], name="one")
    rest = bench.task("captioning", rows(bench)[:1], "metrics: [bleu@4, rouge_l]\n", name="rest")
    made = bench.run(writer(), [one, rest])
    assert made.exit_code == 1
    assert [record.task for record in made.records] == ["rest"]
    assert "CIDEr weighs n-grams by how few items have them, which 1 cannot tell" in str(made.problems[0].error)
    assert "give a table of document frequencies" in str(made.problems[0].error)


def test_a_fixed_table_of_document_frequencies(bench: Any) -> None:
    table = {"documents": 100, "frequencies": {"a": 100, "cat": 10, "a red": 2}}
    (bench.folder / "df.json").write_text(json.dumps(table))
    task = bench.task("captioning", rows(bench)[:1], "metrics: [cider]\ndocument_frequencies: df.json\n")
    first = bench.ask(writer(), task)
    assert first.values["cider"] == pytest.approx(first.outcomes[0].values["cider"])
    assert (first.values["cider"] or 0) > 0
    table["documents"] = 200
    (bench.folder / "df.json").write_text(json.dumps(table))
    assert bench.ask(writer(), task).record.protocol != first.record.protocol
    with pytest.raises(DataError, match="df2.json"):
        _ = load_task(bench.folder / bench.task("captioning", rows(bench), "document_frequencies: df2.json\n")).opened


def test_references_in_columns(bench: Any) -> None:
    given = [{"image": bench.picture(0), "first": "a cat", "second": "", "third": ["a dog", "a cow"]}]
    task = load_task(bench.folder / bench.task("captioning", given, "fields: {references: [first, second, third]}\n"))
    assert [sample.references for sample in task.family.samples()] == [("a cat", "a dog", "a cow")]


@pytest.mark.parametrize("references", [[], "", ["", " "]])
def test_a_row_without_references_is_named(bench: Any, references: object) -> None:
    given = rows(bench)
    given[4]["references"] = references
    message, code = bench.failure(writer(), bench.task("captioning", given))
    assert message == "items.jsonl line 5: no reference to compare with; every row needs at least one"
    assert code == 2


def test_attributes(bench: Any) -> None:
    made = bench.ask(writer(), bench.task("captioning", rows(bench), "facts: [attributes]\n"))
    # red cat, dog, big cow, owl, young eel: eight named, all of them true, of ten.
    assert made.values["attribute_precision"] == 1.0
    assert made.values["attribute_recall"] == 0.8
    given = rows(bench)
    given[0]["attributes"] = [7]
    message, _ = bench.failure(writer(), bench.task("captioning", given, "facts: [attributes]\n"))
    assert "item 0: 'attributes' must be a list of texts" in message


def test_the_chance_of_a_pool_is_what_constant_captions_score(bench: Any) -> None:
    """Also where a candidate holds words that no reference has."""
    pool = ["a red cat sits in a field", "there is a purple elephant", "an old owl"]
    keys = f"candidates: {json.dumps(pool)}\nmetrics: [cider, rouge_l]\n"
    made = bench.ask(
        fakes.Likely(lambda n, prompt, text: 0.0), bench.task("captioning", rows(bench), keys), route="likelihood"
    )
    references = [row["references"] for row in rows(bench)]
    constant = [expected(["cider", "rouge_l"], [caption] * 5, references) for caption in pool]
    for name in ("cider", "rouge_l"):
        mean = float(np.mean([scores[name].values for scores in constant]))
        assert made.scores[name].chance == pytest.approx(mean)


def test_clipscore_by_a_second_model(bench: Any) -> None:
    """Vectors of pictures and texts at chosen angles; the prefix stands before captions and references."""
    cosines = [1.0, 0.8, 0.6, 0.0, -0.5]

    def text(words: str) -> list[float]:
        assert words.startswith("A photo depicts ")
        caption = words.removeprefix("A photo depicts ")
        cosine = cosines[WRITTEN.index(caption)] if caption in WRITTEN else 1.0
        return [cosine, (1 - cosine**2) ** 0.5]

    scorer = fakes.Towers(lambda n: [3.0, 0.0], text)
    task = bench.task("captioning", rows(bench), "metrics: [clipscore, ref_clipscore]\n")
    made = bench.ask(writer(), task, scorer=scorer)
    by_hand = [2.5 * max(cosine, 0.0) for cosine in cosines]
    assert [outcome.values["clipscore"] for outcome in made.outcomes] == pytest.approx(by_hand)
    means = [2 * w * c / (w + c) if w > 0 else 0.0 for w, c in zip(by_hand, cosines, strict=True)]
    assert [outcome.values["ref_clipscore"] for outcome in made.outcomes] == pytest.approx(means)
    assert made.record.scorer == {"model": "Towers", "fingerprint": "towers"}
    assert made.record.route == "generate"
    first = bench.ask(writer(), task, scorer=scorer, limit=2)
    assert first.values["clipscore"] == pytest.approx(sum(by_hand[:2]) / 2)


def test_the_second_model_sees_the_own_picture_of_each_caption(bench: Any) -> None:
    given = rows(bench)
    given[0]["image"] = bench.broken()
    scorer = fakes.Towers(lambda n: [float(n == i) for i in range(5)], lambda text: [float(i == 3) for i in range(5)])
    made = bench.ask(writer(), bench.task("captioning", given, "metrics: [clipscore]\n"), scorer=scorer)
    assert [outcome.values.get("clipscore") for outcome in made.outcomes] == [None, 0.0, 0.0, 2.5, 0.0]


def test_a_picture_that_only_the_second_model_cannot_take_costs_its_item(bench: Any) -> None:
    def image(n: int | None) -> list[float]:
        if n == 2:
            raise RuntimeError("too large")
        return [1.0]

    scorer = fakes.Towers(image, lambda text: [1.0])
    task = bench.task("captioning", rows(bench), "metrics: [rouge_l, clipscore]\n")
    made = bench.ask(writer(), task, scorer=scorer)
    assert made.run.exit_code == 1
    assert [outcome.status for outcome in made.outcomes] == ["ok", "ok", "error", "ok", "ok"]
    assert "too large" in str(made.outcomes[2].message)
    assert {score.n for score in made.scores.values()} == {4}
    assert made.values["clipscore"] == 2.5


def pooled(bench: Any, keys: str, split: str = "test") -> str:
    """Return a task over rows of the splits train and test; most train captions name two things of the test."""
    test = [{**row, "split": "test"} for row in rows(bench)]
    train = [
        {"references": ["a red cat and a small dog", "a red cat"], "extra": "an old owl"},
        {"references": ["a red cat"], "extra": "a green cat"},
        {"references": ["a purple tree", " "], "extra": "an old owl"},
    ]
    unlike = {"image": bench.picture(0), "attributes": [], "split": "train"}
    task = bench.task("captioning", [*test, *({**unlike, **row} for row in train)], keys)
    path = bench.folder / task
    path.write_text(path.read_text().replace("path: items.jsonl", f"path: items.jsonl, split: {split}", 1))
    return task


def test_candidates_of_another_split_are_ranked_and_score_attributes(bench: Any) -> None:
    """The commonest first, each once, blank ones left out; an encoder chooses among them as among listed ones."""
    things = "facts: [attributes]\nmetrics: [attribute_recall, attribute_precision, rouge_l]\n"
    model = fakes.Towers(lambda n: [1.0, 0.0], lambda text: [1.0, float("small" not in text)])
    made = bench.ask(model, pooled(bench, things + "candidates: {split: train}\n"))
    assert made.record.route == "embed"
    assert [outcome.prediction for outcome in made.outcomes] == ["a red cat and a small dog"] * 5
    assert made.values["attribute_recall"] == 0.4  # red, cat, small, dog of ten
    assert made.values["attribute_precision"] == 0.2  # of four named five times
    # Of three candidates one names red and cat, one these and small and dog: (2 x 4 / 3 + 2 / 3) / 10 in five items.
    assert made.scores["attribute_recall"].chance == pytest.approx((4 * (2 / 3) / 2 + 2 * (1 / 3)) / 10)
    listed = bench.task(
        "captioning",
        rows(bench),
        things + "candidates: [a red cat, a red cat and a small dog, a purple tree]\n",
        name="listed",
    )
    assert bench.ask(model, listed).record.protocol == made.record.protocol
    column = find_task(pooled(bench, things + "candidates: {split: train, column: extra, limit: 1}\n"))
    assert column.family.protocol()["candidates"] == ["an old owl"]
    assert column.size == 5


def test_a_caption_that_is_written_gains_nothing_by_guessing(bench: Any) -> None:
    keys = "facts: [attributes]\nmetrics: [attribute_recall]\ncandidates: {split: train}\n"
    made = bench.ask(writer(), pooled(bench, keys))
    assert (made.record.route, made.scores["attribute_recall"].chance) == ("generate", 0.0)


@pytest.mark.parametrize(
    ("keys", "split", "reason"),
    [
        ("{split: test}", "test", "`candidates` must come from other rows than those that are asked"),
        ("{column: extra}", "test", "name another split than `source` does (test)"),
        ("{split: train}", "null", "name another split than `source` does (none, which is all)"),
        ("{kind: jsonl, path: items.jsonl, split: test}", "test", "must come from other rows"),
        ("{path: ./items.jsonl}", "test", "must come from other rows"),
        ("{split: trian}", "test", "has no row of split 'trian'"),
        ("{split: train, colunm: extra}", "test", "unknown key 'colunm'; did you mean 'column'?"),
        ("{split: train, column: extr}", "test", "the rows have no column 'extr'; did you mean 'extra'?"),
        ("{split: train, limit: 0}", "test", "greater than or equal to 1"),
        ("{path: other.jsonl}", "test", "other.jsonl is no file"),
        ("{kind: cvs, path: a.csv}", "test", "there is no kind of source 'cvs'; did you mean 'csv'?"),
        ("{kind: 7}", "test", "there is no kind of source '7'"),
    ],
)
def test_candidates_that_cannot_be_taken(bench: Any, keys: str, split: str, reason: str) -> None:
    task = find_task(pooled(bench, f"metrics: [rouge_l]\ncandidates: {keys}\n", split))
    with pytest.raises(DataError, match=re.escape(reason)) as told:
        _ = task.opened
    assert str(told.value).count("items.yaml") == 1
