"""Grounding through the commands: every convention, the wrong one, and replies that hold no box, two, or odd ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import mmbench
from tests.builders import fails
from tests.fakes import Dual

Call = Callable[..., tuple[int, str, str]]
BOX = (45, 65, 205, 145)
SIDE = 320

MODEL = '''
import json
import numpy as np

class Planted:
    """Sees the white box, and writes it."""
    fingerprint = "planted {name}"
    {declared}

    def generate(self, prompts, settings):
        return [self.reply(np.asarray(images[0].convert("L")) > 127) for images, _ in prompts]

    def reply(self, white):
        rows, columns = np.flatnonzero(white.any(1)), np.flatnonzero(white.any(0))
        x1, y1, x2, y2 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
        height, width = white.shape
        def of(full, a=width, b=height):
            return [x1 * full / a, y1 * full / b, x2 * full / a, y2 * full / b]
        return {reply}
'''

REPLIES = {
    "pixels": "json.dumps({'bbox_2d': [x1, y1, x2, y2]})",
    "qwen2.5-vl": "json.dumps([{'bbox_2d': [x1*308/320, y1*308/320, x2*308/320, y2*308/320]}])",
    "thousand": "'It is at <box>[[%s, %s, %s, %s]]</box>' % tuple(of(1000))",
    "thousand-yxyx": "'[%s, %s, %s, %s]' % tuple(of(1000)[i] for i in (1, 0, 3, 2))",
    "unit": "'[%s, %s, %s, %s]' % tuple(of(1))",
    "percent": "'[%s, %s, %s, %s]' % tuple(of(100))",
    "florence-2": "''.join('<loc_%d>' % round(v + 0.4) for v in of(1000))",
    "paligemma": "''.join('<loc%04d>' % round(of(1024)[i]) for i in (1, 0, 3, 2))",
    "kosmos-2": "'<patch_index_%04d><patch_index_%04d>' % (y1//10*32 + x1//10, y2//10*32 + x2//10)",
}


@pytest.fixture
def task(tmp_path: Path) -> Path:
    levels = np.zeros((SIDE, SIDE), np.uint8)
    levels[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    PIL.Image.fromarray(levels).save(tmp_path / "a.png")
    x1, y1, x2, y2 = BOX
    row = {"image": "a.png", "question": "the white box", "boxes": [x1, y1, x2 - x1, y2 - y1]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    path = tmp_path / "boxes.yaml"
    path.write_text(
        "name: boxes\nfamily: grounding\nsource: {kind: jsonl, path: rows.jsonl}\nbox_format: xywh\n", encoding="utf-8"
    )
    return path


def asked(command: Call, task: Path, reply: str, declared: str = "") -> tuple[int, dict[str, Any], str]:
    """Run a model that replies so; return the status, the values and what went wrong."""
    file = task.with_name("planted.py")
    text = MODEL.replace("{name}", str(len(declared))).replace("{declared}", declared).replace("{reply}", reply)
    file.write_text(text, encoding="utf-8")
    where = ("--output", str(task.parent / "results"), "--store", str(task.parent / "store.sqlite"))
    status, out, err = command("run", "--model", f"{file}:Planted", "--task", str(task), *where, "--format", "json")
    return status, {row["metric"]: row for row in json.loads(out)}, err


@pytest.mark.parametrize("convention", REPLIES)
def test_a_model_that_writes_its_convention_is_read_to_the_pixel(command: Call, task: Path, convention: str) -> None:
    status, rows, _ = asked(command, task, REPLIES[convention], f"boxes = {convention!r}")
    assert status == 0
    assert {name: row["value"] for name, row in rows.items()} == dict.fromkeys(
        ("accuracy@iou0.5", "accuracy@iou0.75", "mean_iou", "centre_in_box"), 1.0
    )
    assert rows["mean_iou"]["coverage"] == 1


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("thousand", "unit"),
        ("unit", "thousand"),
        ("thousand", "thousand-yxyx"),
        ("percent", "pixels"),
        ("pixels", "thousand"),
        ("florence-2", "paligemma"),
        ("paligemma", "kosmos-2"),
        ("thousand", "percent"),
    ],
)
def test_the_wrong_convention_fails_and_is_never_mended(command: Call, task: Path, written: str, declared: str) -> None:
    _, rows, _ = asked(command, task, REPLIES[written], f"boxes = {declared!r}")
    assert rows["accuracy@iou0.75"]["value"] == 0
    assert rows["mean_iou"]["value"] < 0.7


@pytest.mark.parametrize(
    ("reply", "value", "coverage"),
    [
        ("'[45, 65, 205, 145] and [0, 0, 9, 9]'", 1.0, 1.0),
        ("'[0, 0, 9, 9] and [45, 65, 205, 145]'", 0.0, 1.0),
        ("'There is no such box.'", 0.0, 0.0),
        ("'[205, 145, 45, 65]'", 1.0, 1.0),
        ("'[45, 65, 2050, 145]'", 0.0, 0.0),
        ("'<think>[0, 0, 9, 9]</think>[45, 65, 205, 145]'", 1.0, 1.0),
    ],
    ids=["two", "two-wrong-first", "none", "swapped", "out-of-range", "thoughts"],
)
def test_odd_replies(command: Call, task: Path, reply: str, value: float, coverage: float) -> None:
    _, rows, _ = asked(command, task, reply, "boxes = 'pixels'")
    assert (rows["mean_iou"]["value"], rows["mean_iou"]["coverage"]) == (value, coverage)


def test_several_boxes_are_told_and_shown(command: Call, task: Path) -> None:
    asked(command, task, "'[45, 65, 205, 145] and [0, 0, 9, 9]'", "boxes = 'pixels'")
    _, out, _ = command("show", "Planted", "--output", str(task.parent / "results"), "--format", "json")
    (item,) = json.loads(out)
    assert (item["prediction"], item["target"]) == ("[45, 65, 205, 145]",) * 2
    (record,) = mmbench.load(task.parent / "results").records  # type: ignore[attr-defined]
    assert "replies with several boxes, of which the first counts: 1" in record.notes


def test_without_a_convention_nothing_is_guessed(command: Call, task: Path) -> None:
    status, rows, err = asked(command, task, REPLIES["pixels"])
    assert "nobody says how Planted writes boxes" in err
    assert "convention: thousand" in err


def test_the_task_declares_a_convention_and_asks_for_it(command: Call, task: Path) -> None:
    task.write_text(task.read_text() + "convention: thousand\n")
    _, rows, _ = asked(command, task, REPLIES["thousand"])
    assert rows["mean_iou"]["value"] == 1
    made = mmbench.load(task.parent / "results").records[0]  # type: ignore[attr-defined]
    assert "boxes are read as thousand, which the task declares" in made.notes


def test_a_picture_that_is_shown_smaller_is_counted_in_its_own_pixels(command: Call, task: Path) -> None:
    declared = "boxes = 'pixels'\n    def picture_size(self, width, height):\n        return width // 2, height // 2\n"
    _, rows, _ = asked(command, task, "'[22.5, 32.5, 102.5, 72.5]'", declared)
    assert rows["mean_iou"]["value"] == 1


def test_a_convention_that_is_none_is_refused(command: Call, task: Path) -> None:
    _, _, err = asked(command, task, "''", "boxes = 'thousands'")
    assert "thousands" in err
    assert "did you mean 'thousand'" in err


def rows(**more: Any) -> list[dict[str, Any]]:
    picture = np.zeros((20, 40, 3), np.uint8)
    return [{"image": picture, "question": "it", "boxes": [0, 0, 10, 10], **more}]


def test_the_format_of_boxes_is_declared() -> None:
    fails(lambda: mmbench.task("grounding", rows()), "box_format: xyxy", "box_format: xywh")
    wrong = [{**rows()[0], "boxes": [30, 10, 5, 5]}]
    made = mmbench.task("grounding", wrong, box_format="xyxy")
    fails(lambda: list(made.family.samples()), "has no area as xyxy", "box_format: xywh")


def test_proposals_are_ranked_and_asked_for(tmp_path: Path) -> None:
    given = mmbench.task("grounding", rows(proposals=[[0, 0, 10, 10], [20, 0, 30, 10]]), box_format="xyxy")
    run = mmbench.run(model=Dual(), task=given, output=tmp_path, store=tmp_path / "s.sqlite")
    (record,) = run.records
    assert record.route == "embed"
    assert record.scores[0].chance == 0.5
    none = mmbench.run(
        model=Dual(), task=mmbench.task("grounding", rows(), box_format="xyxy"), output=tmp_path / "b", store=None
    )
    assert none.records == []


def test_points_in_a_mask(tmp_path: Path) -> None:
    mask = np.zeros((20, 40), np.uint8)
    mask[:, :10] = 255
    given = [{"image": np.zeros((20, 40, 3), np.uint8), "question": "it", "mask": mask}]
    made = mmbench.task("grounding", given, asks="points", convention="percent")
    (tmp_path / "p.jsonl").write_text(json.dumps({"id": "0", "prediction": '<points x1="20" y1="5" x2="60" y2="5">'}))
    scored = mmbench.score(made, tmp_path / "p.jsonl")
    values = {score.metric: (score.value, score.chance) for score in scored.record.scores}
    assert values == {"point_accuracy": (0.5, 0.25), "first_point_accuracy": (1.0, 0.25)}


def test_the_mean_box_is_the_chance(tmp_path: Path) -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    given = [{"image": picture, "question": str(x), "boxes": [x, 0, x + 20, 20]} for x in (0, 10, 20)]
    made = mmbench.task("grounding", given, box_format="xyxy", convention="pixels")
    lines = [json.dumps({"id": str(n), "prediction": [10, 0, 30, 20]}) for n in range(3)]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    scores = mmbench.score(made, tmp_path / "p.jsonl").record.scores
    assert [score.value for score in scores] == pytest.approx([score.chance for score in scores])
    assert scores[2].value == pytest.approx((1 + 2 / 3) / 3)
