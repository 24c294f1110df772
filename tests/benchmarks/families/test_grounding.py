"""Grounding through the commands: every convention, the wrong one, and replies that hold no box, two, or odd ones."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import mmbench
from mmbench.harness.media import image
from tests.builders import fails
from tests.fakes import Dual

Call = Callable[..., tuple[int, str, str]]
BOX = (45, 65, 205, 145)
SIDE = 320

MODEL = '''
import json
import numpy as np

class Planted:
    """Sees the white box, and writes it as the question asks for it."""
    fingerprint = "planted {name}"
    {declared}

    def generate(self, prompts, settings):
        return [self.reply(np.asarray(images[0].convert("L")) > 127, prompt) for images, prompt in prompts]

    def reply(self, white, prompt):
        rows, columns = np.flatnonzero(white.any(1)), np.flatnonzero(white.any(0))
        x1, y1, x2, y2 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
        height, width = white.shape
        def write(x1, y1, x2, y2):
            def of(full, a=width, b=height):
                return [x1 * full / a, y1 * full / b, x2 * full / a, y2 * full / b]
            return {reply}
        box, other = write(x1, y1, x2, y2), write(0, 0, 20, 20)
        for asked, said in {
            "none": "There is no such thing.",
            "swapped": write(x2, y2, x1, y1),
            "beyond": write(x1, y1, x2 * 8, y2),
            "first": f"{box} and {other}",
            "last": f"{other} and {box}",
            "far": f"{write(x1, y1, x2 * 8, y2)} and {box}",
            "thought": f"<think>{other}</think>{box}",
        }.items():
            if f"the {asked} box" in prompt:
                return said
        return box
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
    "kosmos-2": "'<patch_index_%04d><patch_index_%04d>' % (y1//10*32 + x1//10, y2//10*32 + x2//10 + x2//500*999)",
}
QUESTIONS = {
    "white": ("ok", 1.0),
    "none": ("unparsed", 0.0),
    "swapped": ("ok", 1.0),
    "beyond": ("unparsed", 0.0),
    "first": ("ok", 1.0),
    "last": ("ok", 0.0),
    "far": ("unparsed", 0.0),
    "thought": ("ok", 1.0),
}
"""What becomes of a reply that was asked so, and its overlap with the true box."""


@pytest.fixture
def task(tmp_path: Path) -> Path:
    levels = np.zeros((SIDE, SIDE), np.uint8)
    levels[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    PIL.Image.fromarray(levels).save(tmp_path / "a.png")
    x1, y1, x2, y2 = BOX
    row = {"image": "a.png", "question": "the white box", "boxes": [x1, y1, x2 - x1, y2 - y1]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    every = [json.dumps({**row, "id": name, "question": f"the {name} box"}) for name in QUESTIONS]
    (tmp_path / "every.jsonl").write_text("\n".join(every))
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
def test_every_convention_in_every_case(command: Call, task: Path, convention: str) -> None:
    task.write_text(task.read_text().replace("rows.jsonl", "every.jsonl"))
    _, rows, _ = asked(command, task, REPLIES[convention], f"boxes = {convention!r}")
    _, out, _ = command("show", "Planted", "--output", str(task.parent / "results"), "--format", "json")
    found = {item["id"]: (item["status"], pytest.approx(item["values"]["mean_iou"])) for item in json.loads(out)}
    assert found == QUESTIONS
    assert rows["mean_iou"]["coverage"] == 5 / 8


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


def test_several_boxes_are_told_and_shown(command: Call, task: Path) -> None:
    task.write_text(task.read_text().replace("rows.jsonl", "every.jsonl"))
    asked(command, task, REPLIES["pixels"], "boxes = 'pixels'")
    _, out, _ = command("show", "Planted", "--output", str(task.parent / "results"), "--format", "json")
    item = {item["id"]: item for item in json.loads(out)}["first"]
    assert (item["prediction"], item["target"]) == ("[45, 65, 205, 145]",) * 2
    (record,) = mmbench.load(task.parent / "results").records  # type: ignore[attr-defined]
    assert "replies with several boxes, of which the first counts: 3" in record.notes


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


RUNS = {"size": [20, 40], "counts": [0, 200, 600]}
LEFT = [
    RUNS,
    {"size": [20, 40], "counts": "0X6hb0"},
    [{"size": [20, 40], "counts": [0, 100, 700]}, {"size": [20, 40], "counts": [100, 100, 600]}],
    [0, 0, 10, 0, 10, 20, 0, 20],
    [[0, 0, 5, 0, 5, 20, 0, 20], [5, 0, 10, 0, 10, 20, 5, 20]],
    json.dumps(RUNS),
    "[[0, 0, 10, 0, 10, 20, 0, 20]]",
]
"""The left quarter of a picture of 40 x 20 in the forms of COCO."""


@pytest.mark.parametrize("mask", LEFT)
def test_masks_of_coco(tmp_path: Path, mask: Any) -> None:
    given = [{"image": np.zeros((20, 40, 3), np.uint8), "question": "it", "mask": mask}]
    made = mmbench.task("grounding", given, asks="points", convention="percent")
    (tmp_path / "p.jsonl").write_text(json.dumps({"id": "0", "prediction": "(24.9, 99) (25.1, 5) (10, 10) (900, 10)"}))
    scored = mmbench.score(made, tmp_path / "p.jsonl")
    values = {score.metric: (score.value, score.chance) for score in scored.record.scores}
    assert values == {"point_accuracy": (0.5, 0.25), "first_point_accuracy": (1.0, 0.25)}
    (outcome,) = scored.outcomes
    assert outcome.message == "1 of 4 points lie beyond the scale, which is a miss"


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        ({"size": [20, 40], "counts": [0, 200]}, "do not add up to 800"),
        ({"size": [20, 40], "counts": "0X6hb"}, "cut off"),
        ({"size": [20], "counts": "0X6hb0"}, "{size: [height, width], counts: …}"),
        ([[0, 0, 10, 0]], "three points or more"),
        ([], "expected a mask"),
        ([RUNS, [0, 0, 10, 0, 10, 20]], "expected a mask"),
    ],
)
def test_masks_that_are_none(tmp_path: Path, mask: Any, said: str) -> None:
    given = [{"image": np.zeros((20, 40, 3), np.uint8), "question": "it", "mask": mask}]
    made = mmbench.task("grounding", given, asks="points", convention="percent")
    (tmp_path / "p.jsonl").write_text(json.dumps({"id": "0", "prediction": "(20, 5)"}))
    fails(lambda: mmbench.score(made, tmp_path / "p.jsonl"), said)


def test_a_mask_of_another_size_is_an_error(tmp_path: Path) -> None:
    given = [{"image": np.zeros((20, 40, 3), np.uint8), "question": "it", "mask": {**RUNS, "size": [40, 20]}}]
    made = mmbench.task("grounding", given, asks="points", convention="percent")
    (tmp_path / "p.jsonl").write_text(json.dumps({"id": "0", "prediction": "(20, 5)"}))
    (outcome,) = mmbench.score(made, tmp_path / "p.jsonl").outcomes
    assert (outcome.status, outcome.message) == ("error", "its mask has 20 x 40 pixels, and its picture (40, 20)")


def test_a_picture_is_decoded_once_for_all_of_its_proposals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    decode = image.decode
    monkeypatch.setattr(image, "decode", lambda *given: decoded.append(1) or decode(*given))
    given = []
    for level in (0, 9):
        file = io.BytesIO()
        PIL.Image.new("RGB", (40, 20), (level, 0, 0)).save(file, "PNG")
        boxes = [[x, 0, x + 5, 20] for x in range(30)]
        given.append({"image": file.getvalue(), "question": "it", "boxes": boxes[0], "proposals": boxes})
    made = mmbench.task("grounding", given, box_format="xyxy")
    run = mmbench.run(model=Dual(), task=made, output=tmp_path, store=tmp_path / "s.sqlite")
    assert run.records[0].dataset["n"] == 2
    assert len(decoded) == 2


def test_the_mean_box_is_the_chance(tmp_path: Path) -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    given = [{"image": picture, "question": str(x), "boxes": [x, 0, x + 20, 20]} for x in (0, 10, 20)]
    made = mmbench.task("grounding", given, box_format="xyxy", convention="pixels")
    lines = [json.dumps({"id": str(n), "prediction": [10, 0, 30, 20]}) for n in range(3)]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    scores = mmbench.score(made, tmp_path / "p.jsonl").record.scores
    assert [score.value for score in scores] == pytest.approx([score.chance for score in scores])
    assert scores[2].value == pytest.approx((1 + 2 / 3) / 3)


def test_boxes_in_shares_of_the_picture_are_refused_and_those_beyond_it_told(tmp_path: Path) -> None:
    for form, box in (("xyxy", [0.1, 0.1, 0.5, 0.9]), ("xywh", [0, 0, 1, 0.5])):
        made = mmbench.task("grounding", [{**rows()[0], "boxes": box}], box_format=form)
        fails(lambda made=made: list(made.family.samples()), "lies within one pixel", "multiply shares")
    (tmp_path / "p.jsonl").write_text("\n".join(json.dumps({"id": n, "prediction": [0, 0, 9, 9]}) for n in range(3)))
    given = [{**rows()[0], "boxes": box} for box in ([0, 0, 41.2, 20], [-1, -1, 40, 20], [10, 10, 400, 200])]
    made = mmbench.task("grounding", given, box_format="xyxy", convention="pixels")
    assert mmbench.score(made, tmp_path / "p.jsonl").record.notes[-1].endswith("as of pictures of another size: 1")
