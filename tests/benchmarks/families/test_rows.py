"""Classes that labels name are told as people meant them, and what is doubtful is noted in the record."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmbench.harness.run.run import run
from mmbench.harness.tasks.task_file import load_task
from tests.builders import fails, put_text


def labelled(bench: Any, labels: list[Any], keys: str = "") -> str:
    rows = [{"image": bench.picture(n), "label": label} for n, label in enumerate(labels)]
    return str(bench.task("zero-shot-classification", rows, keys))


def notes(bench: Any, task: str) -> tuple[str, ...]:
    held: tuple[str, ...] = bench.ask("chance", task).record.notes
    return held


def test_labels_of_one_spelling_are_one_class(bench: Any) -> None:
    task = load_task(Path(labelled(bench, ["cat", "cat ", "Cat", "dog", "caf\u00e9", "cafe\u0301"])))
    family: Any = task.family
    assert family.classes.names == ("Cat", "caf\u00e9", "cat", "dog")
    assert len({sample.target for sample in task.family.samples()}) == 4


@pytest.mark.parametrize(
    ("labels", "word"),
    [(["0", "1", "10"], "digits"), (["1.0", "2.0"], "digits"), (["n01440764", "n01443537"], "WordNet ids")],
)
def test_labels_that_are_codes_are_noted(labels: list[str], word: str, bench: Any) -> None:
    (note,) = notes(bench, labelled(bench, labels))
    assert word in note and "`classes`" in note
    assert notes(bench, labelled(bench, labels, f"classes: {labels}\n")) == ()


def test_labels_that_are_words_are_not(bench: Any) -> None:
    assert notes(bench, labelled(bench, ["cat", "n01440764", "7"])) == ()


def test_notes_of_a_folder_stand_in_the_record(bench: Any) -> None:
    for number, name in enumerate(("n01440764/a.png", "n01443537/b.png")):
        put_text(bench.folder / "photos" / name, (bench.folder / bench.picture(number)).read_bytes())
    put_text(bench.folder / "photos" / "n01443537" / "c.heic", b"")
    keys = "name: photos\nfamily: zero-shot-classification\nsource: {kind: folder, path: photos}\n"
    task = put_text(bench.folder / "photos.yaml", keys)
    made = run("chance", task=str(task), output=bench.folder / "results", store=bench.folder / "store.sqlite")
    (record,) = made.records
    assert [word in note for word, note in zip(("1 file", "WordNet ids"), record.notes, strict=True)] == [True, True]


def test_a_column_split_is_used_only_where_it_is_named(bench: Any) -> None:
    names = ["train", "train", "val", "test", "test"] * 4
    rows = [{"image": bench.picture(n), "label": "ab"[n % 2], "split": name} for n, name in enumerate(names)]
    task = bench.task("probe", rows, "method: prototype\n")
    unnamed = load_task(Path(task))
    assert unnamed.family.protocol()["split"].startswith("stratified")  # type: ignore[index, union-attr, call-overload]
    (note,) = unnamed.opened.notes
    assert "column 'split' is not used" in note and "fields: {split: split}" in note
    named = load_task(Path(bench.task("probe", rows, "method: prototype\nfields: {split: split}\n", "named")))
    assert not named.family.protocol()["split"].startswith("stratified")  # type: ignore[index, union-attr, call-overload]
    assert named.opened.notes == ()


def test_fields_reach_into_records(bench: Any) -> None:
    answers = [{"answer": "a"}, {"answer": "b"}]
    rows = [{"question": "what?", "answers": answers, "meta": {"key": "k1"}}]
    keys = "fields: {answers: answers.answer, id: meta.key}\n"
    (sample,) = load_task(Path(bench.task("vqa", rows, keys))).family.samples()
    assert sample.references == ("a", "b") and sample.id == "k1"
    assert "no column 'answer.answer'" in fails(
        lambda: load_task(Path(bench.task("vqa", rows, "fields: {answers: answer.answer}\n"))).size
    )


def test_fields_reach_into_records_of_parquet(tmp_path: Path) -> None:
    table = pa.table({"question": ["what?"], "answers": [[{"answer": "a", "n": 1}, {"answer": "b", "n": 2}]]})
    pq.write_table(table, tmp_path / "a.parquet")
    keys = "name: a\nfamily: vqa\nsource: {kind: parquet, path: a.parquet}\nfields: {answers: answers.answer}\n"
    (sample,) = load_task(put_text(tmp_path / "a.yaml", keys)).family.samples()
    assert sample.references == ("a", "b")


def test_one_picture_with_two_labels_is_told(bench: Any) -> None:
    rows = [{"image": bench.picture(n % 2), "label": label} for n, label in enumerate(["cat", "dog", "dog", "dog"])]
    task = bench.task("zero-shot-classification", rows)
    assert notes(bench, task) == ("pictures that stand in several items with different labels: 1",)


def test_a_list_of_pictures_written_as_text(bench: Any) -> None:
    cells = [f"['{bench.picture(0)}', '{bench.picture(1)}']", f'["{bench.picture(2)}"]', bench.picture(3)]
    rows = [{"image": cell, "question": "?", "answers": "a"} for cell in cells]
    family: Any = load_task(Path(bench.task("vqa", rows))).family
    assert [[image.locator for image in sample.media] for sample in family.samples()] == [
        ["0.png", "1.png"],
        ["2.png"],
        ["3.png"],
    ]


def test_half_a_surrogate_pair_is_refused_in_labels_and_replaced_in_ids_and_facts(bench: Any) -> None:
    fails(lambda: load_task(Path(labelled(bench, ["cat", "a\ud800"]))).opened, "holds half a surrogate pair")
    rows = [{"id": f"i{n}\ud800", "image": bench.picture(n), "label": "ab"[n % 2], "site": "s\ud800"} for n in range(2)]
    asked = bench.ask("chance", bench.task("zero-shot-classification", rows, "facts: [site]\n"))
    assert [(each.id, each.facts) for each in asked.outcomes] == [("i0?", {"site": "s?"}), ("i1?", {"site": "s?"})]
