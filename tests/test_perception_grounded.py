"""The suite of where, how many and what is not there: what knows all is best, what does not look is at chance."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import mmbench
from mmbench.benchmarks.scenes import rows as scenes
from mmbench.benchmarks.scenes.render import box, render
from mmbench.benchmarks.scenes.scene import Scene
from mmbench.harness.digest import digest_bytes
from mmbench.harness.models.abilities import Generation
from mmbench.harness.report.write import write_report
from mmbench.harness.tasks.suite import find_suite

TASKS = ["scenes-grounding", "scenes-pointing", "scenes-counting", "scenes-pope", "scenes-chair"]
BEST = {"mae": 0.0, "rmse": 0.0, "chair_i": 0.0, "chair_s": 0.0}


def rows(name: str) -> Iterator[Mapping[str, Any]]:
    return (row.cells for row in scenes.rows(name, "mini"))


def key(image: PIL.Image.Image) -> str:
    return digest_bytes(image.tobytes())


class Knowing:
    """Writes what is true of each picture."""

    fingerprint = "knowing"
    boxes = "pixels"

    def __init__(self) -> None:
        self.scenes: dict[str, Mapping[str, Any]] = {}
        self.meant: dict[tuple[str, str], Any] = {}
        for cells in (*rows("scenes-grounded"), *rows("scenes-numbered")):
            picture = key(cells["image"].pil())
            self.scenes[picture] = cells
            if "expression" in cells:
                self.meant[picture, cells["expression"]] = cells["box"]

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: Generation) -> list[str]:
        return [self._reply(key(images[0]), prompt) for images, prompt in prompts]

    def _reply(self, picture: str, prompt: str) -> str:
        cells = self.scenes[picture]
        for verb in ("Locate ", "Point to "):
            if prompt.startswith(verb):
                x1, y1, x2, y2 = self.meant[picture, prompt.removeprefix(verb).partition(" in the picture")[0]]
                return str([x1, y1, x2, y2] if verb == "Locate " else [(x1 + x2) / 2, (y1 + y2) / 2])
        if prompt.startswith("is there"):
            return "yes" if prompt.split("?", maxsplit=1)[0].rsplit(maxsplit=1)[-1] in cells["objects"] else "no"
        return str(cells["count"]) if prompt else f"{', '.join(cells['objects'])}."


class Blind:
    """Says the same of every picture."""

    fingerprint = "blind"
    boxes = "pixels"

    def __init__(self, box: list[float], count: int) -> None:
        self.box, self.count = box, count

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: Generation) -> list[str]:
        return [str(self.box) if prompt.startswith("Locate") else str(self.count) for _, prompt in prompts]


@pytest.mark.parametrize("name", TASKS)
def test_what_knows_all_is_best(name: str, tmp_path: Path) -> None:
    run = mmbench.run(
        model=Knowing(),
        task=name,
        limit=40 if name in ("scenes-grounding", "scenes-pointing", "scenes-chair") else 24,
        route="generate",
        output=tmp_path,
        store=tmp_path / "store.sqlite",
    )
    assert run.problems == []
    (record,) = run.records
    for score in record.scores:
        if score.metric not in ("yes_rate", "bias", "length_ratio"):
            assert score.value == pytest.approx(BEST.get(score.metric, 1.0)), score.metric
        if score.metric not in ("length_ratio",):
            assert score.chance is not None, score.metric


def test_who_does_not_look_is_at_the_stated_chance(tmp_path: Path) -> None:
    boxes = np.array([cells["box"] for cells in rows("scenes-grounded")], float)
    blind = Blind(boxes.mean(axis=0).tolist(), 3)
    run = mmbench.run(
        model=blind,
        task=["scenes-grounding", "scenes-counting"],
        limit=24,
        route="generate",
        output=tmp_path,
        store=tmp_path / "store.sqlite",
    )
    by_task = {record.task: {score.metric: score for score in record.scores} for record in run.records}
    for score in by_task["scenes-counting"].values():
        assert score.value == pytest.approx(score.chance)
    assert by_task["scenes-grounding"]["mean_iou"].value == pytest.approx(
        by_task["scenes-grounding"]["mean_iou"].chance, abs=0.02
    )


def test_boxes_hold_their_things_and_no_more() -> None:
    for cells in list(rows("scenes-grounded"))[:6]:
        scene = Scene.from_json(cells["image"].params) if cells["image"].params else None
        if scene is None:
            continue
        for thing in scene.things:
            alone = render(Scene((0, 0, 0), (thing,)))
            x1, y1, x2, y2 = box(thing)
            seen = alone.max(axis=2) > 0.55 * max(thing.tint) if thing.texture == "plain" else None
            if seen is not None:
                down, across = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
                assert abs(across[0] - x1) <= 1
                assert abs(across[-1] + 1 - x2) <= 1
                assert abs(down[0] - y1) <= 1
                assert abs(down[-1] + 1 - y2) <= 1


def test_a_report_draws_places_over_the_picture(tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    mmbench.run(model=Knowing(), task="scenes-grounding", limit=4, route="generate", output=tmp_path, store=store)
    write_report(tmp_path, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('"size":[224,224]') == 4


def test_the_suite_is_those_tasks() -> None:
    assert [task.name for task in find_suite("perception-grounded").tasks] == TASKS
