"""A task file becomes a task, or an error that names the file, the line and the nearest key."""

import os
from pathlib import Path

import PIL.Image
import pytest

from mmbench.benchmarks.families.zero_shot import ZeroShotClassification
from mmbench.harness import registry
from mmbench.harness.errors import UsageError
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.task_file import load_task
from tests.builders import fails, put_text

CSV = """\
name: pets
family: zero-shot-classification
source: {kind: csv, path: pets.csv}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two pictures and the table `pets.csv`."""
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        PIL.Image.new("RGB", (4, 4), colour).save(tmp_path / name)
    (tmp_path / "pets.csv").write_text("image,label,level,note\na.png,cat,1,x\nb.png,dog,2,y\n")
    return tmp_path


def write(folder: Path, text: str, name: str = "pets.yaml") -> Path:
    return put_text(folder / name, text)


def test_smallest_file(folder: Path) -> None:
    task = load_task(write(folder, CSV))
    assert (task.reference, task.size, task.routes) == ("pets@1", 2, ("embed", "likelihood", "generate"))
    assert task.family.name == "zero-shot-classification"
    assert [metric.name for metric in task.family.metrics] == ["accuracy", "mean_per_class_recall"]
    samples = list(task.family.samples())
    assert [(sample.id, sample.target, dict(sample.facts)) for sample in samples] == [("0", (0,), {}), ("1", (1,), {})]
    assert [sample.media[0].locator for sample in samples] == ["a.png", "b.png"]


def test_every_shared_key(folder: Path) -> None:
    text = """\
name: pets-2.1_x
version: 3
family: zero-shot-classification
source: {kind: csv, path: pets.csv}
fields: {image: image, label: note, id: image}
facts: [level, label]
metrics: [mean_per_class_recall, accuracy]
routes: [generate, embed]
classes: [x, y]
templates: ['{}']
card: {title: T, citation: C, licence: L, url: U, dimension: D, chance: 0.5, majority: 0.5, best: 1, human: 0.9,
       primary: accuracy, notes: N}
"""
    task = load_task(write(folder, text))
    assert (task.reference, task.routes) == ("pets-2.1_x@3", ("generate", "embed"))
    assert [metric.name for metric in task.family.metrics] == ["accuracy", "mean_per_class_recall"]
    assert (task.card.title, task.card.chance, task.card.best, task.card.human) == ("T", 0.5, 1.0, 0.9)
    assert [(s.id, s.target, dict(s.facts)) for s in task.family.samples()] == [
        ("a.png", (0,), {"level": "1", "label": "cat"}),
        ("b.png", (1,), {"level": "2", "label": "dog"}),
    ]


def test_primary_metric_need_not_be_listed(folder: Path) -> None:
    text = CSV + "metrics: [accuracy, accuracy@2]\ncard: {primary: mean_per_class_recall}\n"
    names = [metric.name for metric in load_task(write(folder, text)).family.metrics]
    assert names == ["mean_per_class_recall", "accuracy", "accuracy@2"]


def test_paths_are_relative_to_the_task_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "tasks").mkdir()
    (folder / "tasks" / "names.txt").write_text("cat\ndog\n")
    text = CSV.replace("pets.csv", "../pets.csv") + "classes: names.txt\n"
    write(folder / "tasks", text)
    monkeypatch.chdir(folder.parent)
    task = load_task(Path(folder.name, "tasks", "pets.yaml"))
    first = next(iter(task.family.samples()))
    monkeypatch.chdir("/")
    assert first.media[0].pil().getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CSV + "clases: [cat, dog]\n", "line 4: unknown key 'clases'; did you mean 'classes'?"),
        (CSV + "metric: [accuracy]\n", "line 4: unknown key 'metric'; did you mean 'metrics'?"),
        (CSV + "card:\n  title: T\n  primry: accuracy\n", "line 6: unknown key 'primry'; did you mean 'primary'?"),
        (
            CSV.replace("kind: csv, path", "kind: csv, pth"),
            "line 3: unknown key 'pth'; did you mean 'path'?",
        ),
        (CSV + "version: one\n", "line 4: 'version': input should be a valid integer, unable to parse"),
        (CSV + "version: 0\n", "line 4: 'version': input should be greater than or equal to 1, not 0"),
        (CSV + "metrics: accuracy\n", "line 4: 'metrics': input should be a valid list, not 'accuracy'"),
        (CSV + "routes: [embed, ask]\n", "line 4: 'routes.1': input should be 'embed', 'likelihood' or 'generate'"),
        (
            CSV + "fields:\n  image: image\n  label: 3\n",
            "line 6: 'fields.label': input should be a valid string or input should be a valid list, not 3",
        ),
        (CSV + "card: {chance: often}\n", "line 4: 'card.chance': input should be a valid number"),
        (CSV + "templates: 4\n", "line 4: 'templates': input should be a valid string or"),
        (CSV.replace("name: pets\n", ""), "line 1: the key 'name' is missing"),
        (CSV.replace("source: {kind: csv, path: pets.csv}\n", ""), "line 1: the key 'source' is missing"),
        (CSV.replace("kind: csv, ", ""), "line 3: the key 'source.kind' is missing"),
        (
            CSV.replace("family: zero-shot-classification\n", ""),
            "the key 'family' is missing; it is one of",
        ),
        (CSV.replace(", path: pets.csv", ""), "line 3: the key 'source.path' is missing"),
        (CSV + "name: again\n", "line 4: the key 'name' stands twice (first in line 1)"),
        ("name: pets\nfamily: [zero\n", "line 3: not valid YAML ("),
        ("name: pets\n\tfamily: x\n", "line 2: not valid YAML ("),
        ("- pets\n", "expected a mapping of keys such as 'name', 'family' and 'source'"),
        ("", "expected a mapping of keys such as 'name', 'family' and 'source'"),
        (
            CSV.replace("zero-shot-classification", "zero-shot-clasification"),
            "line 2: there is no family 'zero-shot-clasification'; did you mean 'zero-shot-classification'?",
        ),
        (
            CSV.replace("kind: csv", "kind: cvs"),
            "line 3: there is no kind of source 'cvs'; did you mean 'csv'?",
        ),
        (CSV + "metrics: [acuracy]\n", "has no metric 'acuracy'; did you mean 'accuracy'?"),
        (CSV + "card: {primary: recal}\n", "has no metric 'recal'"),
        (
            CSV + "fields: {label: lable}\n",
            "line 4: the data has no column 'lable'; did you mean 'label'? (columns: image, label, level, note)",
        ),
        (
            CSV + "fields: {imag: image}\n",
            "line 4: family 'zero-shot-classification' has no field 'imag'; did you mean 'image'?",
        ),
        (CSV + "facts: [level, nte]\n", "line 4: the data has no column 'nte'; did you mean 'note'? for 'facts'"),
        (
            CSV + "classes: imagenett\n",
            "scenes-pairs, scenes-words) nor a text file",
        ),
        (CSV + "classes: []\n", "`classes` is empty"),
        (CSV + "templates: ['a photo']\n", "must have one {} for the class name"),
        (CSV.replace("pets.csv", "pts.csv"), "line 3: "),
        (
            CSV.replace("name: pets", "name: a/b"),
            "line 1: 'name' is made of letters, digits and the marks _ . + -, not 'a/b'",
        ),
        (CSV + "2: two\n", "the key 2 is read as a number"),
        (CSV.replace("source:", "sorce:"), "line 3: unknown key 'sorce'; did you mean 'source'?"),
    ],
)
def test_errors_name_file_line_and_nearest(folder: Path, text: str, expected: str) -> None:
    path = write(folder, text)
    found = fails(lambda: load_task(path).opened)
    assert found.startswith(str(path))
    assert expected in found


def test_missing_field(folder: Path) -> None:
    (folder / "pets.csv").write_text("image,name\na.png,cat\n")
    path = write(folder, CSV)
    assert "line 1: 'fields' must say which column holds 'label' (columns: image, name)" in fails(
        lambda: load_task(path).opened
    )
    (folder / "pets.csv").write_text("picture,captions\na.png,cat\n")
    path = write(folder, CSV.replace("zero-shot-classification", "retrieval"))
    assert "line 1: 'fields' must say which column holds 'image' (columns: picture, captions)" in fails(
        lambda: load_task(path).opened
    )


def test_data_without_pictures_are_for_scoring(folder: Path) -> None:
    (folder / "pets.csv").write_text("picture,label\na.png,cat\n")
    (sample,) = load_task(write(folder, CSV)).family.samples()
    assert (sample.media, sample.target, sample.cluster, sample.locator) == ((), (0,), "0", "")


def test_unknown_class_names_the_row(folder: Path) -> None:
    task = load_task(write(folder, CSV + "classes: [cat, dogs]\n"))
    found = fails(lambda: list(task.family.samples()))
    assert (
        found == "pets.csv line 3: 'dog' is neither one of the 2 class names nor an index below 2; did you mean 'dogs'?"
    )


def test_label_that_reads_both_ways(folder: Path) -> None:
    (folder / "pets.csv").write_text("image,label\na.png,1\nb.png,0\n")
    task = load_task(write(folder, CSV + "classes: ['1', '2']\n"))
    assert "pets.csv line 2: '1' is the name of class 0 and the index of '2'" in fails(
        lambda: list(task.family.samples())
    )


def test_digits_as_text_are_indices_where_no_class_is_named_so(folder: Path) -> None:
    (folder / "pets.csv").write_text("image,label\na.png,1\nb.png,dog\n")
    task = load_task(write(folder, CSV + "classes: [dog, cat]\n"))
    assert [sample.target for sample in task.family.samples()] == [(1,), (0,)]


@pytest.mark.parametrize("rows", ["a.png,\n", "a.png,cat\nb.png,  \n"])
def test_empty_label(folder: Path, rows: str) -> None:
    (folder / "pets.csv").write_text("image,label\n" + rows)
    path = write(folder, CSV)
    fails(lambda: load_task(path).opened, f"pets.csv line {len(rows.splitlines()) + 1} has no label in column 'label'")


@pytest.mark.parametrize(("kind", "content"), [("csv", "image,label\n"), ("csv", ""), ("jsonl", "\n")])
def test_empty_data(folder: Path, kind: str, content: str) -> None:
    (folder / f"pets.{kind}").write_text(content)
    path = write(folder, CSV.replace("csv", kind))
    assert fails(lambda: load_task(path).opened).startswith(f"{path} line 3: pets.{kind} ")


def test_catalogue_names() -> None:
    assert find_task("digits").reference == "digits@1" == find_task("digits@1").reference
    assert "task 'digits' is here in version 1, not 2" in fails(lambda: find_task("digits@2"), kind=UsageError)
    assert "there is no task 'digit'; did you mean 'digits'?" in fails(lambda: find_task("digit"), kind=UsageError)
    assert "there is no file nowhere/x.yaml" in fails(lambda: find_task("nowhere/x.yaml"), kind=UsageError)


@pytest.mark.parametrize(
    "stem", sorted(n for n, path in registry.files(registry.TASKS).items() if "hub" not in path.parts)
)
def test_catalogue_loads_and_is_named_as_its_file(stem: str) -> None:
    task = find_task(stem)
    assert task.name == stem
    assert task.size > 0
    assert task.card.licence
    assert task.card.citation


def test_protocol_id_is_of_the_task_alone(folder: Path) -> None:
    plain = load_task(write(folder, CSV)).protocol_id("data")
    assert load_task(write(folder, CSV.replace("name: pets", "name: other"))).protocol_id("data") == plain
    assert load_task(write(folder, CSV + "metrics: [accuracy]\ncard: {title: T}\n")).protocol_id("data") == plain
    assert load_task(write(folder, CSV + "routes: [generate]\n")).protocol_id("data") == plain
    others = ["version: 2\n", "templates: ['{}']\n", "templates: simple-imagenet\n", "classes: [cat, dog, cow]\n"]
    others += ["card: {chance: 0.5}\n", "card: {chance: 0.25}\n", "card: {best: 0.5}\n"]
    changed = [load_task(write(folder, CSV + line)).protocol_id("data") for line in others]
    assert len({plain, *changed, load_task(write(folder, CSV)).protocol_id("other data")}) == 2 + len(others)


def test_protocol_id_knows_the_version_of_the_family(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load_task(write(folder, CSV)).protocol_id("data")
    monkeypatch.setattr(ZeroShotClassification, "version", ZeroShotClassification.version + 1)
    assert load_task(write(folder, CSV)).protocol_id("data") != plain


def test_unreadable_task_file(folder: Path) -> None:
    path = folder / "pets.yaml"
    path.write_bytes(b"name: \xff\n")
    assert "cannot be read" in fails(lambda: load_task(path).opened)
    if os.geteuid():
        path.chmod(0)
        assert "cannot be read" in fails(lambda: load_task(path).opened)


def test_the_primary_metric_leads_the_default_ones(folder: Path) -> None:
    task = load_task(write(folder, CSV + "card: {primary: mean_per_class_recall}\n"))
    assert [metric.name for metric in task.family.metrics] == ["mean_per_class_recall", "accuracy"]


def test_a_path_as_windows_writes_it(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "pets.csv").write_text("image,label\n../a.png,cat\n")
    made = load_task(write(folder, CSV.replace("pets.csv", "sub\\pets.csv")))
    assert made.size == 1
