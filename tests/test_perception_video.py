"""The suite of clips: what sees motion scores 1, what guesses is at chance, and what looks at stills gains nothing."""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from math import sqrt
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import yaml

import mmbench
from mmbench.benchmarks.named import template_list
from mmbench.benchmarks.scenes import render
from mmbench.benchmarks.scenes.clips import data
from mmbench.benchmarks.scenes.clips.data import CLIPS
from mmbench.benchmarks.scenes.clips.files import SIDE
from mmbench.benchmarks.scenes.streams import Streams
from mmbench.benchmarks.sources.builtin import Builtin
from mmbench.harness import registry
from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import OnePicture
from mmbench.harness.media.frame_spec import FrameSpec
from mmbench.harness.models.abilities import Generation
from mmbench.harness.tasks.suite import find_suite

FILES = {
    name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, path in registry.files(registry.TASKS).items()
    if name.startswith("clips-")
}
DRAWN = tuple(name for name in FILES if name != "clips-files")
TIMELESS = ("clips-direction", "clips-rotation", "clips-order", "clips-count")
"""Of which neither a still nor unordered frames tell anything."""
ROOM = 1024
SEEDS = 8
Key = tuple[str, ...]
Vectors = npt.NDArray[np.float32]


def rows(task: str, split: str = "mini") -> Iterator[dict[str, Any]]:
    for row in Builtin(FILES[task]["source"]["path"], split):
        yield dict(row.cells)


def cell(task: str, cells: dict[str, Any], field: str) -> Any:
    return cells[FILES[task]["fields"][field]]


class Seer:
    """Knows what is true of each clip by what it `sees` of the frames, and guesses where it never saw the like."""

    def __init__(
        self, tasks: Sequence[str], sees: Callable[[Sequence[str]], Sequence[str]] = tuple, split: str = "mini"
    ) -> None:
        self.fingerprint = f"seer {tasks} {sees.__name__}"
        self.sees = sees
        self.answers: defaultdict[Key, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self.true: defaultdict[Key, set[str]] = defaultdict(set)
        self.places: dict[str, int] = {}
        for task in tasks:
            for cells in rows(task, split):
                self._learn(task, cells)

    def _learn(self, task: str, cells: dict[str, Any]) -> None:
        seen = self.seen([frame.pil() for frame in cells["clip"].frames()])
        asked, answer = cells["question"], cells["answer"]
        texts = [f"{asked} {answer}", *cells.get("captions", ()), *cells.get("references", ())]
        if FILES[task]["family"] == "zero-shot-classification":
            texts += [t.format(answer) for t in template_list(FILES[task]["templates"], Path())]
        self.answers[seen][""].update(cells.get("references", ())[:1])
        self.answers[seen][asked][answer] += 1
        self.true[seen].update(texts)
        for text in texts:
            self.places.setdefault(text, len(self.places))

    def seen(self, images: Sequence[PIL.Image.Image]) -> Key:
        return tuple(self.sees([digest_bytes(image.tobytes()) for image in images]))

    def embed_videos(self, videos: list[list[PIL.Image.Image]]) -> Vectors:
        found = np.zeros((len(videos), ROOM), np.float32)
        for row, frames in enumerate(videos):
            found[row, [self.places[text] for text in self.true.get(self.seen(frames), ())]] = 1
            found[row, ROOM - 1] = 1e-3
        return found

    def embed_images(self, images: list[PIL.Image.Image]) -> Vectors:
        return self.embed_videos([[image] for image in images])

    def embed_texts(self, texts: list[str]) -> Vectors:
        found = np.zeros((len(texts), ROOM), np.float32)
        for row, text in enumerate(texts):
            found[row, self.places.get(text, ROOM - 2)] = 1
        return found

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: Generation) -> list[str]:
        return [self._said(images, prompt) for images, prompt in prompts]

    def _said(self, images: Sequence[PIL.Image.Image], prompt: str) -> str:
        known = self.answers.get(self.seen(images), {})
        said = next((found for asked, found in known.items() if asked and asked in prompt), None) or known.get("")
        said = said or next(iter(list(known.values())[1:]), None)
        if said:
            return said.most_common(1)[0][0]
        guesses = sorted({text for each in self.answers.values() for found in each.values() for text in found})
        guesses = [text for text in guesses if text in prompt] or guesses
        return guesses[int(digest_bytes(images[0].tobytes())[:6], 16) % len(guesses)]


@pytest.fixture(autouse=True)
def drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips of a block share their frames, and tests ask them again and again."""
    monkeypatch.setattr(render, "render", ONCE)


ONCE = lru_cache(512)(render.render)


def test_the_suites_are_the_tasks_and_every_card_says_what_a_still_tells() -> None:
    whole, mini = find_suite("perception-video"), find_suite("perception-video-mini")
    assert {task.name for task in whole.tasks} == set(FILES)
    assert [task.name for task in mini.tasks] == [f"{task.name}-mini" for task in whole.tasks]
    assert len(FILES) >= 8 and len({file["family"] for file in FILES.values()}) == 6
    for name, file in FILES.items():
        assert file["card"]["dimension"] and "figure for people" in file["card"]["notes"]
        assert (
            "by chance alone" in file["card"]["notes"] or "exactly" in file["card"]["notes"]
        ) or name not in TIMELESS
    for suite in ("perception", "perception-mini"):
        assert not {task.name for task in find_suite(suite).tasks} & set(FILES)


@pytest.mark.parametrize("name", [name for name in DRAWN if "majority" in FILES[name]["card"]])
def test_the_best_constant_answer_is_what_cards_say(name: str) -> None:
    for split, said in FILES[name]["card"]["majority"].items():
        options = Counter(cells["answer"] for cells in rows(name, split))
        best = max(options.values()) / sum(options.values())
        places = Counter(list(cells["options"]).index(cells["answer"]) for cells in rows(name, split))
        of_places = max(places.values()) / sum(places.values())
        assert of_places == said if FILES[name]["family"] == "multiple-choice" else best == said


@pytest.mark.parametrize("route", ["embed", "generate"])
def test_who_sees_motion_scores_1_on_every_task(route: Literal["embed", "generate"], tmp_path: Path) -> None:
    tasks = [task for task in find_suite("perception-video-mini").tasks if "files" not in task.name]
    run = mmbench.run(Seer(DRAWN), task=tasks, route=route, output=tmp_path, store=tmp_path / "store.sqlite")
    # Retrieval has no other route than one, and captions are ranked there among those of other clips.
    assert [problem.sitting.task.name for problem in run.problems] == ["clips-retrieval-mini"] * (route != "embed")
    for record in run.records:
        for score in record.scores:
            assert score.value is not None
            if score.metric == "yes_rate":
                assert score.value == 0.5
            elif record.task == "clips-captioning-mini":
                assert route == "embed" or score.value > 0.9
            else:
                assert score.value == 1, (record.task, score.metric)


@pytest.mark.parametrize("name", DRAWN)
def test_guessing_is_at_chance(name: str, tmp_path: Path) -> None:
    run = mmbench.run(
        model=[f"chance:{seed}" for seed in range(SEEDS)],
        task=name,
        limit=16,
        output=tmp_path,
        store=tmp_path / "store.sqlite",
    )
    scores: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for record in run.records:
        for score in record.scores:
            if score.chance is not None and score.value is not None:
                scores[score.metric].append((score.value, score.chance))
    assert run.problems == [] and scores
    for metric, found in scores.items():
        values, chances = zip(*found, strict=True)
        error = float(np.std(values, ddof=1)) / sqrt(SEEDS)
        assert abs(np.mean(values) - np.mean(chances)) <= max(3.5 * error, 1e-9), metric


def middle(frames: Sequence[str]) -> Sequence[str]:
    return [frames[len(frames) // 2]]


def unordered(frames: Sequence[str]) -> Sequence[str]:
    return sorted(frames)


def test_who_sees_motion_gains_near_the_score_less_chance(tmp_path: Path) -> None:
    made, values = gains(Seer(["clips-order"], split="test"), ["clips-order"], tmp_path)
    # A clip played backwards is another of the set: who is right of all is wrong of each then.
    assert (values["clips-order", None], values["clips-order", "reversed"]) == (1, 0)
    gain = made["clips-order"]
    assert gain.value == pytest.approx(0.5, abs=0.1)
    assert gain.low > 0.3


@pytest.mark.parametrize("sees", [middle, unordered])
def test_who_sees_one_frame_or_a_heap_of_them_gains_nothing(
    sees: Callable[[Sequence[str]], Sequence[str]], tmp_path: Path
) -> None:
    files = []
    for name in ("clips-order", "clips-meeting"):
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_text(json.dumps({**FILES[name], "source": {**FILES[name]["source"], "split": "mini"}}))
    made, values = gains(Seer(["clips-order", "clips-meeting"], sees), files, tmp_path)
    assert (values["clips-order", None], values["clips-meeting", None]) == (0.5, 1)
    for gain in made.values():
        assert gain.low <= 0 <= gain.high


def gains(
    model: Seer, tasks: Sequence[str | Path], folder: Path
) -> tuple[dict[str, Any], dict[tuple[str, str | None], float | None]]:
    """The temporal gains of a model as the board and the profile have them, and the scores behind them."""
    controls = ["shuffled-frames", "single-frame", "reversed"]
    where = {"output": folder, "store": folder / "store.sqlite"}
    run = mmbench.run(model, task=list(tasks), controls=controls, route="generate", **where)
    assert run.problems == []
    board = mmbench.load(folder).board()
    (line,) = board.lines
    made = {
        column.task.partition("@")[0]: cell.gains["temporal"]
        for column, cell in zip(board.columns, line.cells, strict=True)
        if cell is not None
    }
    told = [each.temporal for each in run.profiles()[line.model]]
    corrected = [
        gain.value / (1 - cell.score.chance) for gain, cell in zip(made.values(), line.cells, strict=True) if cell
    ]
    assert sorted(each.value for each in told if each) == pytest.approx(sorted(corrected))
    return made, {(record.task, record.control): record.primary.value for record in run.records}


class OneAtATime(Seer):
    """Scores texts beside one picture alone, and embeds pictures too."""

    def score_texts(self, items: list[tuple[list[PIL.Image.Image], str, list[str]]]) -> list[list[float]]:
        for images, _, _ in items:
            if len(images) > 1:
                raise OnePicture(f"it reads about one picture; an item has {len(images)}")
        return [[float(-len(text)) for text in texts] for _, _, texts in items]


def test_controls_go_by_the_route_that_their_task_went(tmp_path: Path) -> None:
    """One frame fits where the clip does not; by another route than the clip's its score would not compare."""
    where = {"output": tmp_path, "store": tmp_path / "store.sqlite"}
    model = OneAtATime(["clips-order"])
    model.generate = None  # type: ignore[method-assign, assignment]
    run = mmbench.run(model, task="clips-order", limit=8, controls=["shuffled-frames", "single-frame"], **where)
    assert [(record.control, record.route) for record in run.records] == [
        (None, "embed"),
        ("shuffled-frames", "embed"),
        ("single-frame", "embed"),
    ]
    assert any("does not fit by likelihood: it reads about one picture" in note for note in run.records[0].notes)


def test_retrieval_of_clips_has_controls_of_time_and_none_of_pictures(tmp_path: Path) -> None:
    where = {"output": tmp_path, "store": tmp_path / "store.sqlite"}
    run = mmbench.run(
        Seer(["clips-retrieval"]), task="clips-retrieval", limit=24, controls=["shuffled", "shuffled-frames"], **where
    )
    assert {record.control: record.primary.value for record in run.records}[None] == 1
    (heap,) = (record for record in run.records if record.control)
    assert heap.control == "shuffled-frames" and heap.primary.value < 0.5
    assert [(problem.control, problem.unsupported) for problem in run.problems] == [("shuffled", True)]
    assert run.exit_code == 0


def test_clips_are_read_from_files_as_they_were_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path))
    clips = CLIPS["clips-files"]
    data._block.cache_clear()
    shown = [row.cells for _, row in zip(range(clips.world.size), clips.rows("clips-files", "mini"), strict=False)]
    files = sorted((tmp_path / "clips").iterdir())
    assert len(files) == clips.world.size and all(file.suffix == ".mp4" for file in files)
    written = [file.stat().st_mtime_ns for file in files]
    block = clips.world.block(Streams((data.VERSION, 0, 0), "clip direction of clips-files", 0))
    small = [
        np.asarray(PIL.Image.fromarray(render.render(scene)).resize((SIDE, SIDE), PIL.Image.Resampling.BOX), float)
        for scene in block.scenes
    ]
    answers = {clip.frames: clip.answer for clip in block.clips}
    for cells in shown:
        seen = [np.asarray(frame.pil(), float) for frame in cells["clip"].sampled(SPEC).frames()]
        nearest = tuple(int(np.argmin([np.abs(frame - each).mean() for each in small])) for frame in seen)
        assert answers[nearest] == cells["answer"]
    data._block.cache_clear()
    assert len(list(clips.rows("clips-files", "mini"))) == clips.count("clips-files", "mini")
    assert [file.stat().st_mtime_ns for file in files] == written
    data._block.cache_clear()


SPEC = FrameSpec(sampler="linspace-floor", count=8)


def test_without_pyav_the_task_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "av", None)
    data._block.cache_clear()
    run = mmbench.run("chance", task="clips-files", output=tmp_path, store=tmp_path / "store.sqlite")
    (problem,) = run.problems
    assert "need PyAV, which is not installed: pip install 'mmbench[video]'" in str(problem.error)
    assert not list((tmp_path / "clips").iterdir())
    assert not problem.unsupported and run.exit_code


def test_two_samplers_are_named_and_compared_on_request(tmp_path: Path) -> None:
    where = {"output": tmp_path, "store": tmp_path / "store.sqlite", "limit": 24}
    for sampler in ("linspace-floor", "centre"):
        file = tmp_path / f"{sampler}.yaml"
        frames = {"sampler": sampler, "count": 4}
        file.write_text(json.dumps({**FILES["clips-hiding"], "frames": frames}))
        mmbench.run("chance", task=file, name=sampler, **where)
    apart = mmbench.compare("linspace-floor", "centre", output=tmp_path)
    (reason,) = [each.reason for each in apart.incomparable]
    assert "frames linspace-floor" in reason and "against centre" in reason and "--force" in reason
    forced = mmbench.compare("linspace-floor", "centre", output=tmp_path, force=True)
    assert [(row.task, row.n) for row in forced.rows] == [("clips-hiding", 24)]
