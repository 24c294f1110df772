"""Faults planted in data are found, what is sound is not, and the same checks run from the command line."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageFilter
import pytest

from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.task import Task
from mmbench.harness.validate.findings import Finding, findings
from mmbench.harness.validate.lengths import overlong
from mmbench.harness.validate.likeness import SIDE, looks, near_pairs
from mmbench.harness.validate.sheet import write_sheet
from mmbench.harness.validate.survey import survey

Command = Callable[..., tuple[int, str, str]]


def scene(seed: int, side: int = 120) -> PIL.Image.Image:
    """A picture of soft blobs, unlike those of other seeds."""
    grain = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return PIL.Image.fromarray(grain).resize((side, side), PIL.Image.Resampling.BICUBIC)


def task(folder: Path, rows: list[dict[str, Any]], more: str = "", family: str = "zero-shot-classification") -> Task:
    (folder / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    fields = "{image: image, label: label}" if "label" in rows[0] else "{image: image, captions: captions}"
    (folder / "t.yaml").write_text(
        f"name: t\nversion: 1\nfamily: {family}\nsource: {{kind: jsonl, path: d.jsonl}}\nfields: {fields}\n{more}"
    )
    return find_task(str(folder / "t.yaml"))


def photos(folder: Path, count: int = 12) -> list[dict[str, Any]]:
    rows = []
    for i in range(count):
        scene(i).save(folder / f"{i}.png")
        rows.append({"image": f"{i}.png", "label": ("cat", "dog")[i % 2]})
    return rows


def said(made: list[Finding], check: str, weight: str | None = None) -> list[str]:
    return [each.sentence for each in made if each.check == check and weight in (None, each.weight)]


def test_sound_data_is_told_as_facts(tmp_path: Path) -> None:
    made = findings(task(tmp_path, photos(tmp_path)))
    assert {each.weight for each in made} == {"fact"}
    assert said(made, "counts") == ["12 items, 12 pictures, family zero-shot-classification"]
    assert said(made, "balance") == ["items of a class: 6 ('dog') to 6 ('cat'), of 2 classes"]
    assert said(made, "guesses") == ["accuracy of a random guess 0.5000, of always the commonest answer 0.5000"]


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    rows = photos(tmp_path)
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "5.png").unlink()
    (sentence,) = said(findings(task(tmp_path, rows)), "pictures", "wrong")
    assert sentence.startswith("pictures that cannot be read: 2 (3: 3.png")


def test_ids_that_stand_twice_and_items_without_a_picture_are_told(tmp_path: Path) -> None:
    rows = [{**row, "id": number // 2} for number, row in enumerate(photos(tmp_path))]
    (sentence,) = said(findings(task(tmp_path, rows)), "counts", "wrong")
    assert sentence.startswith("ids that several items have; name a unique column as `id` in `fields`: 6 (0, 1, 2")
    (tmp_path / "t.yaml").write_text(
        "name: t\nfamily: zero-shot-classification\nsource: {kind: jsonl, path: e.jsonl}\n", encoding="utf-8"
    )
    (tmp_path / "e.jsonl").write_text('{"url": "a", "label": "cat"}\n{"url": "b", "label": "dog"}\n', encoding="utf-8")
    (sentence,) = said(findings(find_task(str(tmp_path / "t.yaml"))), "counts", "look")
    assert sentence.startswith("no item has a picture")


def test_equal_pictures_of_unlike_answers_are_wrong(tmp_path: Path) -> None:
    rows = photos(tmp_path)
    scene(0).save(tmp_path / "1.png")
    made = findings(task(tmp_path, rows))
    assert said(made, "duplicates", "wrong") == [
        "pictures that stand in several items with different answers: 1 (0 = 1)"
    ]
    assert said(made, "duplicates", "look") == ["pictures that stand in several items: 1 (0 = 1)"]


def test_nearly_equal_pictures_are_found(tmp_path: Path) -> None:
    rows = photos(tmp_path)
    scene(0).resize((60, 60)).save(tmp_path / "2.png")
    scene(4).save(tmp_path / "6.jpg", quality=40)
    rows[6]["image"] = "6.jpg"
    made = findings(task(tmp_path, rows))
    assert said(made, "near duplicates") == ["pairs of nearly equal pictures: 2 (0 = 2, 4 = 6)"]


def test_test_pictures_that_are_learnt_from_are_wrong(tmp_path: Path) -> None:
    rows = photos(tmp_path, 40)
    for i, row in enumerate(rows):
        row["split"] = "train" if i < 20 else "val" if i < 30 else "test"
    scene(2).save(tmp_path / "34.png")
    scene(4).resize((70, 70)).save(tmp_path / "36.png")
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "t.yaml").write_text(
        "name: t\nversion: 1\nfamily: probe\nsource: {kind: jsonl, path: d.jsonl}\n"
        "fields: {image: image, label: label, split: split}\nshots: [1]\n"
    )
    made = findings(find_task(str(tmp_path / "t.yaml")))
    assert "items of each part: train 20, validation 10, test 10" in said(made, "counts")
    expected = "test pictures that stand in train or validation too"
    assert said(made, "leaks", "wrong") == [f"{expected}, the same: 1 (34 = 2)"]
    assert said(made, "leaks", "look") == [f"{expected}, nearly the same: 1 (36 = 4)"]


def test_classes_out_of_balance_and_without_items(tmp_path: Path) -> None:
    rows = photos(tmp_path, 24)
    for row in rows[1:]:
        row["label"] = "cat"
    rows[0]["label"] = "dog"
    made = findings(task(tmp_path, rows, "classes: [cat, dog, emu]\ncard: {chance: 0.5, majority: 0.96}\n"))
    assert said(made, "balance", "look") == [
        "classes without an item: 1 (emu)",
        "items of a class: 1 ('dog') to 23 ('cat'), of 3 classes",
    ]
    assert said(made, "guesses", "wrong") == ["the card states a chance of 0.5, and the items give 0.3333"]


def test_texts_longer_than_a_model_reads(tmp_path: Path) -> None:
    rows = [{"image": "0.png", "captions": ["short", "long " * 40]}, {"image": "1.png", "captions": ["other"]}]
    photos(tmp_path, 2)

    class Tower:
        @staticmethod
        def truncates(texts: list[str]) -> list[bool]:
            return [len(text) > 77 for text in texts]

    made = task(tmp_path, rows, family="retrieval")
    samples = survey(made).samples
    (finding,) = overlong(made, samples, Tower(), "tower")
    assert finding.weight == "look"
    assert finding.sentence.startswith("tower would cut 1 of 3 texts, such as 'long long")
    (finding,) = overlong(made, samples, object(), "plain")
    assert finding.sentence == "plain does not tell which texts it would cut"


def by_definition(hashes: Any, copies: Any) -> set[tuple[int, int]]:
    """Every pair of places, compared one by one."""
    return {
        (a, b)
        for a in range(len(hashes))
        for b in range(a + 1, len(hashes))
        if int(hashes[a] ^ hashes[b]).bit_count() <= 4
        and np.abs(copies[a].astype(int) - copies[b].astype(int)).mean() <= 6
    }


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hashes = np.uint64(rng.integers(0, 2**63)) ^ (np.uint64(1) << rng.integers(0, 64, (150, 3), dtype=np.uint64)).sum(
        axis=1, dtype=np.uint64
    )
    copies = (rng.integers(0, 3, (150, 1)) * 90 + rng.integers(0, 3, (150, SIDE * SIDE * 3))).astype(np.uint8)
    found = set(near_pairs(hashes, copies))
    expected = by_definition(hashes, copies)
    assert found <= expected
    # Of equal hashes a chain stands for all pairs: the same pictures hang together.
    assert joined(found, 150) == joined(expected, 150)


def joined(pairs: set[tuple[int, int]], count: int) -> list[int]:
    head = list(range(count))

    def root(place: int) -> int:
        while head[place] != place:
            place = head[place]
        return place

    for a, b in pairs:
        one, other = sorted((root(a), root(b)))
        head[other] = one
    return [root(place) for place in range(count)]


def test_a_thousand_copies_are_a_thousand_pairs() -> None:
    value, copy = looks(scene(1))
    assert len(near_pairs(np.full(1000, value, np.uint64), np.tile(copy, (1000, 1)))) == 999
    assert near_pairs(np.zeros(0, np.uint64), np.zeros((0, SIDE * SIDE * 3), np.uint8)) == []


@pytest.mark.parametrize("change", ["smaller", "blurred", "packed", "brighter"])
def test_what_people_do_to_pictures_leaves_them_alike(change: str) -> None:
    picture = scene(3)
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=35)
    changed = {
        "smaller": lambda: picture.resize((64, 64)),
        "blurred": lambda: picture.filter(PIL.ImageFilter.GaussianBlur(1.5)),
        "packed": lambda: PIL.Image.open(packed).convert("RGB"),
        "brighter": lambda: picture.point(lambda level: min(255, level + 4)),
    }[change]()
    one, other = looks(picture), looks(changed)
    assert near_pairs(np.array([one[0], other[0]], np.uint64), np.array([one[1], other[1]])) == [(0, 1)]


@pytest.mark.parametrize("name", ["s.png", "s.html"])
def test_a_sheet_shows_items(tmp_path: Path, name: str) -> None:
    rows = photos(tmp_path, 30)
    (tmp_path / "0.png").unlink()
    made = task(tmp_path, rows)
    assert write_sheet(made, 30, tmp_path / name) == 24
    if name == "s.png":
        with PIL.Image.open(tmp_path / name) as sheet:
            assert sheet.size == (6 * 192, 4 * 246)
    else:
        page = (tmp_path / name).read_text()
        assert page.count("<figure>") == 24
        assert "<br>dog" in page
    with pytest.raises(UsageError, match="a sheet is written as"):
        write_sheet(made, 30, tmp_path / "s.pdf")


def test_through_the_command_line(tmp_path: Path, command: Command) -> None:
    task(tmp_path, photos(tmp_path))
    file = str(tmp_path / "t.yaml")
    status, out, err = command("validate", file, "--model", "tiny-coca", "--sheet", str(tmp_path / "s.png"))
    assert (status, err) == (0, "")
    assert "12 items, 12 pictures" in out
    assert "tiny-coca reads all 2 texts whole" in out
    assert (tmp_path / "s.png").stat().st_size > 1000
    (tmp_path / "3.png").write_bytes(b"")
    status, out, _ = command("validate", file, "--format", "json")
    assert status == 1
    assert json.loads(out)["findings"][0]["weight"] == "wrong"
    (tmp_path / "d.jsonl").write_text('{"image": "0.png"}\n')
    status, _, err = command("validate", file)
    assert status == 2
    assert "label" in err


def test_rows_that_are_none_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="d.jsonl line 2"):
        findings(task(tmp_path, [{"image": "a.png", "label": "cat"}, {"image": 3, "label": "cat"}]))


def test_the_catalogue_is_sound() -> None:
    for name in ("scenes-choice", "digits"):
        assert not [each for each in findings(find_task(name)) if each.weight == "wrong"]
