"""A dry run counts what a run would ask, and asks nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.models.models import Model
from mmbench.harness.run.plan import plan
from mmbench.harness.run.run import execute
from mmbench.harness.run.settings import RunSettings
from mmbench.harness.store.store import Store
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import load_task
from tests import fakes

COUNT = 12


@pytest.fixture
def tasks(tmp_path: Path) -> dict[str, Task]:
    """Three tasks on the same pictures, of which the first two are equal files."""
    rows = []
    for n in range(COUNT):
        pixels = np.full((4, 4, 3), max(n, 1), np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / f"{n}.png")
        captions = [f"caption {n}", "a caption of all"]
        rows.append({"image": f"{n}.png", "label": ["cat", "dog"][n % 2], "captions": captions})
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = "source: {kind: jsonl, path: data.jsonl}"
    files = {
        "animals": f"name: animals\nfamily: zero-shot-classification\n{source}\ntemplates: ['a {{}}', 'the {{}}']\n",
        "again": f"name: again\nfamily: zero-shot-classification\n{source}\ntemplates: ['a {{}}', 'one {{}}']\n",
        "search": f"name: search\nfamily: retrieval\n{source}\n",
    }
    for name, content in files.items():
        (tmp_path / f"{name}.yaml").write_text(content)
    return {name: load_task(tmp_path / f"{name}.yaml") for name in files}


class Untouchable:
    """Has all abilities of an embedder, and breaks the test when one is used."""

    fingerprint = "dual"

    def embed_images(self, images: list[object]) -> np.ndarray:
        raise KeyboardInterrupt("a dry run asks nothing")

    embed_texts = prepare_image = embed_images


def figures(store: Store, tasks: list[Task], adapter: object, **settings: object) -> list[tuple[int, int, int]]:
    given = {"limit": None, "route": None, **settings}
    plans = plan([Model("m", "", adapter)], tasks, store, RunSettings(**given))
    return [(each.items, each.inputs, each.remembered) for each in plans]


def test_distinct_inputs_are_counted(store: Store, tasks: dict[str, Task]) -> None:
    (zero_shot,) = figures(store, [tasks["animals"]], Untouchable())
    assert zero_shot == (COUNT, COUNT - 1 + 4, 0), "pictures 0 and 1 are equal; two classes in two templates"
    (search,) = figures(store, [tasks["search"]], Untouchable())
    assert search == (COUNT, COUNT - 1 + COUNT + 1, 0), "a caption of its own for each, and one for all"


def test_later_tasks_find_what_earlier_ones_will_have_asked(store: Store, tasks: dict[str, Task]) -> None:
    got = figures(store, [tasks["animals"], tasks["again"], tasks["search"]], Untouchable())
    assert got == [(COUNT, 15, 0), (COUNT, 15, 13), (COUNT, 24, 11)]


def test_two_models_share_nothing(store: Store, tasks: dict[str, Task]) -> None:
    models = [Model("a", "", fakes.Dual("a")), Model("b", "", fakes.Dual("b"))]
    plans = plan(models, [tasks["animals"]], store, RunSettings())
    assert [(each.model, each.inputs, each.remembered) for each in plans] == [("a", 15, 0), ("b", 15, 0)]


@pytest.mark.parametrize("name", ["animals", "search"])
@pytest.mark.parametrize("limit", [None, 5])
def test_a_run_asks_what_was_planned(tmp_path: Path, tasks: dict[str, Task], name: str, limit: int | None) -> None:
    path = tmp_path / "s.sqlite"
    store = Store(path)
    ((items, inputs, remembered),) = figures(store, [tasks[name]], Untouchable(), limit=limit)
    assert remembered == 0
    made = fakes.Dual()
    settings = RunSettings(limit=limit)
    done = execute([Model("m", "", made)], (tasks[name],), settings, output=tmp_path / "out", store=path)
    (record,) = done.records
    assert (record.dataset["n"], record.asked, record.remembered) == (items, inputs, 0)
    assert made.asked == inputs
    assert figures(store, [tasks[name]], Untouchable(), limit=limit) == [(items, inputs, inputs)]
    (after,) = plan([Model("m", "", Untouchable())], [tasks[name]], store, RunSettings(limit=limit))
    assert after.seconds == 0
    store.close()


def test_the_first_run_has_no_estimate_and_the_next_has(tmp_path: Path, tasks: dict[str, Task]) -> None:
    path = tmp_path / "s.sqlite"
    store = Store(path)
    (before,) = plan([Model("m", "", Untouchable())], [tasks["animals"]], store, RunSettings())
    assert before.seconds is None
    few = RunSettings(limit=4)
    execute([Model("m", "", fakes.Dual())], (tasks["animals"],), few, output=tmp_path / "out", store=path)
    (after,) = plan([Model("m", "", Untouchable())], [tasks["animals"]], store, RunSettings())
    assert after.seconds is not None
    assert (after.inputs, after.remembered) == (15, 3 + 4)
    store.close()


@pytest.mark.parametrize(("route", "adapter"), [("likelihood", "Scorer"), ("generate", "Writer")])
def test_other_routes_are_counted(store: Store, tasks: dict[str, Task], route: str, adapter: str) -> None:
    made = getattr(fakes, adapter)()
    assert figures(store, [tasks["animals"]], made, route=route) == [(COUNT, COUNT - 1, 0)]


def test_what_cannot_be_asked_says_so(store: Store, tasks: dict[str, Task]) -> None:
    (got,) = plan([Model("m", "", fakes.Writer())], [tasks["search"]], store, RunSettings())
    assert got.unsupported == "similarity needs embed_images and embed_texts; m has none"
    assert (got.items, got.inputs) == (COUNT, 0)
    assert got.as_json()["unsupported"] == got.unsupported


def test_unreadable_pictures_are_not_counted(store: Store, tasks: dict[str, Task], tmp_path: Path) -> None:
    (tmp_path / "5.png").unlink()
    assert figures(store, [tasks["animals"], tasks["search"]], Untouchable()) == [(COUNT, 14, 0), (COUNT, 22, 10)]


def test_the_bytes_to_fetch_are_asked_of_the_adapter(store: Store, tasks: dict[str, Task]) -> None:
    class Remote(Untouchable):
        def download_size(self) -> int:
            return 7_000_000

    remote, local = (
        plan([Model("m", "", adapter)], [tasks["animals"]], store, RunSettings())[0]
        for adapter in (Remote(), Untouchable())
    )
    assert (remote.download, local.download) == (7_000_000, 0)


def test_nothing_is_written(store: Store, tasks: dict[str, Task], picture: Callable[..., object]) -> None:
    figures(store, list(tasks.values()), Untouchable())
    assert store.holdings() == []


def test_controls_are_planned_as_they_are_asked(tmp_path: Path, tasks: dict[str, Task]) -> None:
    store = Store(tmp_path / "s.sqlite")
    chosen = [tasks["animals"], tasks["search"]]
    plans = plan([Model("m", "", Untouchable())], chosen, store, RunSettings(controls=("blind", "shuffled")))
    assert [(p.task, p.control, p.inputs, p.remembered) for p in plans] == [
        ("animals@1", None, 15, 0),
        ("animals@1", "blind", 1 + 4, 4),
        ("animals@1", "shuffled", 15, 15),
        ("search@1", None, 24, 11),
        ("search@1", "blind", 0, 0),
        ("search@1", "shuffled", 0, 0),
    ]
    assert "a control has no meaning for retrieval" in str(plans[-1].unsupported)
    assert plans[1].as_json()["control"] == "blind"
    made = fakes.Dual()
    done = execute(
        [Model("m", "", made)],
        tuple(chosen),
        RunSettings(controls=("blind", "shuffled")),
        output=tmp_path / "out",
        store=tmp_path / "s.sqlite",
    )
    asked = [plan for plan in plans if plan.unsupported is None]
    assert [(r.asked, r.remembered) for r in done.records] == [(p.inputs - p.remembered, p.remembered) for p in asked]
    store.close()


def test_the_seed_of_a_run_is_planned_with(tmp_path: Path, tasks: dict[str, Task]) -> None:
    store = Store(tmp_path / "s.sqlite")
    lines = [json.loads(line) for line in (tmp_path / "data.jsonl").read_text().splitlines()]
    rows = [{**row, "question": f"what {n}", "answers": ["a"]} for n, row in enumerate(lines)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "open.yaml").write_text("name: open\nfamily: vqa\nsource: {kind: jsonl, path: data.jsonl}\n")
    task = load_task(tmp_path / "open.yaml")
    execute(
        [Model("m", "", fakes.Writer())],
        (task,),
        RunSettings(controls=("shuffled",), seed=3),
        output=tmp_path / "out",
        store=tmp_path / "s.sqlite",
    )
    model = Model("m", "", fakes.Writer())
    settings = [RunSettings(controls=("shuffled",), seed=seed) for seed in (3, 0)]
    known = [plan([model], [task], store, each)[1].remembered for each in settings]
    assert known[0] == COUNT > known[1]
    store.close()


class OfOnePicture(Untouchable):
    """Reads texts beside one picture, and embeds each."""

    takes_one_picture = True
    score_texts = Untouchable.embed_images


def test_a_model_of_one_picture_is_planned_by_the_route_that_looks_at_each(tmp_path: Path, store: Store) -> None:
    for number in range(3):
        (tmp_path / "clip").mkdir(exist_ok=True)
        PIL.Image.fromarray(np.full((4, 4, 3), 60 + number, np.uint8)).save(tmp_path / "clip" / f"{number}.png")
    (tmp_path / "d.jsonl").write_text('{"video": "clip", "q": "What?", "options": ["a dog", "a cat"], "answer": 0}\n')
    (tmp_path / "t.yaml").write_text(
        "name: t\nfamily: multiple-choice\nsource: {kind: jsonl, path: d.jsonl}\nframes: {count: 3}\n"
        "fields: {video: video, question: q, options: options, target: answer}\n"
    )
    task = load_task(tmp_path / "t.yaml")
    model = Model("m", "", OfOnePicture())
    plans = plan([model], [task], store, RunSettings(controls=("single-frame",)))
    assert [(each.inputs, each.unsupported) for each in plans] == [(3 + 2, None), (1 + 2, None)], "frames and texts"
    (pinned,) = plan([model], [task], store, RunSettings(route="likelihood"))
    assert pinned.unsupported == "m reads and writes about one picture; an item has 3"
