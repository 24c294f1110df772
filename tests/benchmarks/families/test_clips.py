"""Every family on clips of real files, by every route, through the command line; frames asked once, whatever asks."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import mmbench
from mmbench.harness.errors import Unavailable
from mmbench.harness.media import clip_file
from mmbench.harness.media.frame_spec import FrameSpec
from mmbench.harness.media.image import Image
from mmbench.harness.media.video import Video
from mmbench.harness.records.outcomes import read_outcomes
from tests.clips import frame, index_in

pytest.importorskip("av")
from tests.clips import written  # noqa: E402

NAMES = ("walking", "swimming", "jumping", "climbing")
FRAMES = 6
CLIPS = 12

ORACLE = """
import numpy as np
from tests.clips import index_in

NAMES = {names}

def seen(images):
    found = [index_in(image) // 16 % 4 for image in images]
    return max(set(found), key=found.count) if found else None

def named(text):
    return next((i for i, name in enumerate(NAMES) if name in text), None)

def vectors(places):
    return np.stack([np.eye(5)[4 if place is None else place] + 0.01 for place in places])

class Embeds:
    fingerprint = "embeds"
    def embed_images(self, images): return vectors([seen([image]) for image in images])
    def embed_texts(self, texts): return vectors([named(text) for text in texts])

class Videos:
    fingerprint = "videos"
    def embed_videos(self, videos): return vectors([seen(video) for video in videos])
    def embed_texts(self, texts): return vectors([named(text) for text in texts])

def fits(images, prompt, text):
    if text.strip().lower() in ("yes", "no"):
        return (seen(images) == named(prompt)) == (text.strip().lower() == "yes")
    return seen(images) == named(text)

class Scores:
    fingerprint = "scores"
    takes_text_alone = True
    def score_texts(self, items):
        return [[0.0 if fits(images, prompt, text) else -5.0 for text in texts] for images, prompt, texts in items]

class Writes:
    fingerprint = "writes"
    def generate(self, prompts, settings): return [self.reply(*each) for each in prompts]
    def reply(self, images, prompt):
        name = NAMES[seen(images)]
        if "yes or no" in prompt.lower() or "Is this" in prompt:
            return "Yes" if name in prompt else "No"
        marked = [line for line in prompt.splitlines() if name in line and line[1:2] == "."]
        return marked[0][0] if marked else "a person is " + name if "caption" in prompt.lower() else name
"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clips by class, of MP4 files whose pixels carry index and class, with tables of every family."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "oracle.py").write_text(ORACLE.replace("{names}", repr(NAMES)))
    rows = []
    for number in range(CLIPS):
        place = number % len(NAMES)
        path = folder / "clips" / NAMES[place] / f"{number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        first = 16 * (place + 4 * (number // 4 % 4))  # the bits say which class and which clip it is
        _write(path, [frame(first + each) for each in range(FRAMES)])
        name, following = NAMES[place], (place + 1) % len(NAMES)
        other = NAMES[following]
        rows.append(
            {
                "video": f"clips/{name}/{number}.mp4",
                "label": name,
                "captions": [f"a person is {name}", f"{name} outdoors"],
                "references": [f"a person is {name}", f"somebody is {name}"],
                "both": [f"clips/{name}/{number}.mp4", f"clips/{other}/{number - place + following}.mp4"],
                "said": [f"a person is {name}", f"a person is {other}"],
                "question": "What is this person doing?",
                "options": list(NAMES),
                "target": name,
                "answers": [name],
                "asks": f"Is this {NAMES[place if number % 2 else (place + 1) % 4]}?",
                "truth": "yes" if number % 2 else "no",
                "split": ("train", "test", "validation")[number // 4],
            }
        )
    for name, held in (("t", rows), ("first", rows[: len(NAMES)])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in held))
    return folder


def _write(path: Path, frames: list[np.ndarray]) -> None:
    import av

    with av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=10, options={"g": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for pixels in frames:
            made.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        made.mux(stream.encode())


SHARED = "frames: {sampler: interval-middle, count: 3}\nversion: 1\n"
TASKS = {
    "zero-shot-classification": "source: {kind: folder, path: clips}\ntemplates: ['a video of {}.']",
    "retrieval": (
        "source: {kind: jsonl, path: first.jsonl}\nroutes: [embed, likelihood]\n"
        "metrics: [text_to_image/recall@1, text_to_image/mean_rank]"
    ),
    "multiple-choice": "source: {kind: jsonl, path: t.jsonl}",
    "vqa": f"source: {{kind: jsonl, path: t.jsonl}}\nmetrics: [exact_match]\ncandidates: {json.dumps(NAMES)}",
    "yes-no": "source: {kind: jsonl, path: t.jsonl}\nfields: {question: asks, target: truth}",
    "captioning": (
        "source: {kind: jsonl, path: t.jsonl}\nmetrics: [rouge_l]\nprompt: 'Write a caption.'\n"
        f"candidates: {json.dumps([f'a person is {name}' for name in NAMES])}"
    ),
    "pairs": "source: {kind: jsonl, path: t.jsonl}\nfields: {videos: both, captions: said}",
    "probe": "source: {kind: jsonl, path: t.jsonl}\nfields: {split: split}\nmetrics: [full/accuracy]\nshots: []",
}
ROUTES = {
    "zero-shot-classification": ("Embeds", "Videos", "Scores", "Writes"),
    "retrieval": ("Embeds", "Videos", "Scores"),
    "multiple-choice": ("Embeds", "Videos", "Scores", "Writes"),
    "vqa": ("Embeds", "Scores", "Writes"),
    "yes-no": ("Scores", "Writes"),
    "captioning": ("Embeds", "Scores", "Writes"),
    "pairs": ("Embeds", "Videos", "Scores"),
    "probe": ("Embeds", "Videos"),
}
Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("family", TASKS)
def test_a_family_gives_an_oracle_all_and_chance_its_share(
    family: str, clips: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clips)
    task = clips / f"{family}.yaml"
    task.write_text(f"name: {family}\nfamily: {family}\n{SHARED}{TASKS[family]}\n")
    models = [f"--model=oracle.py:{name}" for name in ROUTES[family]]
    code, out, err = command(
        *("run", *models, "--model", "chance", "--task", str(task), "--output", str(tmp_path), "--format", "json")
    )
    rows = [row for row in json.loads(out) if row["primary"]]
    assert code == 0, err
    assert [row["value"] for row in rows] == [1.0] * len(models) + [rows[-1]["value"]]
    assert rows[-1]["chance"] is None or rows[-1]["low"] <= rows[-1]["chance"] <= rows[-1]["high"]


@pytest.mark.parametrize(("route", "key"), [("embed", "vector"), ("likelihood", "scores")])
def test_questions_about_clips_are_answered_elsewhere(
    route: str, key: str, clips: Path, tmp_path: Path, command: Command
) -> None:
    """The program elsewhere reads the frames of a clip, in order, and when each is shown."""
    task = tmp_path / "t.yaml"
    source = f"source: {{kind: jsonl, path: {clips / 'first.jsonl'}}}"
    task.write_text(f"name: t\nfamily: multiple-choice\nphrasing: '{{answer}}'\n{SHARED}{source}\n")
    common = ("--task", str(task), "--route", route, "--format", "json")
    asked = tmp_path / "asked"
    code, _, err = command("run", "--model", "chance", *common, "--dry-run", "--questions", str(asked))
    assert code == 0, err
    lines = []
    for line in map(json.loads, (asked / "questions.jsonl").read_text().splitlines()):
        seen = [index_in(PIL.Image.open(asked / each)) for each in line.get("images", [])]
        names = [NAMES[seen[0] // 16 % 4]] if seen else [line["text"]]
        if key == "scores":
            assert line["clips"] == [{"first": 0, "frames": 3, "timestamps": [0.1, 0.3, 0.5]}]
            assert [each % 16 for each in seen] == [1, 3, 5]
            answer: list[float] = [0.0 if text.strip() in names else -9.0 for text in line["texts"]]
        else:
            answer = [float(name in names) for name in NAMES]
        lines.append(json.dumps({**line, key: answer}))
    (asked / "answers.jsonl").write_text("\n".join(lines))
    model = f"replay:{asked / 'answers.jsonl'}"
    code, out, err = command("run", "--model", model, *common, "--output", str(tmp_path / "results"))
    assert code == 0, err
    assert json.loads(out)[0]["value"] == 1.0


def test_outcomes_keep_which_frames_were_shown(clips: Path, tmp_path: Path) -> None:
    task = mmbench.task("vqa", _rows(clips), metrics=["exact_match"], frames={"sampler": "uniform", "count": 3})
    mmbench.run(model=_Writes(), task=task, output=tmp_path)
    (record,) = tmp_path.glob("runs/*/*.json")
    (outcome, *_) = read_outcomes(record)
    held = json.loads(outcome.frames or "")
    assert held["indices"] == [0, 2, 5]
    assert held["timestamps"] == [0.0, 0.2, 0.5]
    assert held["decoder"].startswith("PyAV ")


def test_clips_and_pictures_of_the_same_frames_are_embedded_once(clips: Path, tmp_path: Path) -> None:
    clip = Video.from_path(clips / "clips" / "walking" / "0.mp4")
    pixels = [np.asarray(each.pil()) for each in clip.frames()]
    rows = [{"video": str(clips / "clips" / "walking" / "0.mp4"), "label": "walking"}]
    model = _Counting()
    common: dict[str, Any] = {"model": model, "output": tmp_path, "store": tmp_path / "s.sqlite"}
    classes = ["walking", "swimming"]
    family = "zero-shot-classification"
    mmbench.run(task=mmbench.task(family, rows, classes=classes, frames={"sampler": "all"}), **common)
    assert model.seen.total() == FRAMES
    mmbench.run(task=mmbench.task(family, rows, classes=classes, frames={"count": 3}), **common)
    shown = [{"image": each, "label": "walking"} for each in pixels]
    mmbench.run(task=mmbench.task(family, shown, classes=classes), **common)
    assert model.seen.total() == FRAMES
    assert set(model.seen.values()) == {1}


def test_controls_of_order_ask_no_frame_again_and_decode_each_once(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: Counter[str] = Counter()
    plain = clip_file.pixels_of

    def counted(frame: Any, locator: str) -> Any:
        decoded["frames"] += 1
        return plain(frame, locator)

    monkeypatch.setattr(clip_file, "pixels_of", counted)
    model = _Counting()
    task = mmbench.task("zero-shot-classification", _rows(clips), frames={"sampler": "all"})
    controls = ("shuffled-frames", "single-frame", "reversed")
    run = mmbench.run(model=model, task=task, controls=",".join(controls), output=tmp_path, store=tmp_path / "s.sqlite")
    assert set(run.table()["control"].dropna()) == set(controls)
    assert set(model.seen.values()) == {1}
    assert model.seen.total() == CLIPS * FRAMES
    assert decoded["frames"] == CLIPS * (3 * FRAMES + 1)


def test_a_frame_that_is_shown_twice_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Video.from_path(written(tmp_path / "short.mp4", "mp4", "libx264", 3))
    opened: list[Any] = []
    plain = clip_file.ClipFile._opened
    monkeypatch.setattr(clip_file.ClipFile, "_opened", lambda self: opened.append(0) or plain(self))
    frames = clip.sampled(FrameSpec(sampler="linspace-floor", count=8)).frames()
    assert [index_in(each.pil()) for each in frames] == [0, 0, 0, 0, 1, 1, 1, 2]
    assert len(opened) == 1


def test_a_killed_run_goes_on_without_asking_a_frame_again(clips: Path, tmp_path: Path) -> None:
    model = _Counting(most=10)
    task = mmbench.task("zero-shot-classification", _rows(clips), frames={"sampler": "all"})
    common: dict[str, Any] = {"model": model, "task": task, "output": tmp_path, "store": tmp_path / "s.sqlite"}
    mmbench.run(batch_size=4, **common)
    assert 0 < model.seen.total() <= 10
    model.most = None
    mmbench.run(batch_size=4, **common)
    assert set(model.seen.values()) == {1}
    assert model.seen.total() == CLIPS * FRAMES


def test_frames_of_a_clip_make_one_vector_of_their_unit_vectors() -> None:
    pictures = [Image.from_array(np.full((2, 2, 3), level, np.uint8), str(level)) for level in (1, 2, 200)]
    clip = Video.of_frames(pictures)

    class Levels:
        fingerprint = "levels"

        def embed_images(self, images: list[Any]) -> np.ndarray:
            return np.array([[3.0, 0.0] if image.getpixel((0, 0))[0] < 100 else [0.0, 7.0] for image in images])

        def embed_texts(self, texts: list[str]) -> np.ndarray:
            return np.array([[1.0, 0.0] if text == "low" else [0.0, 1.0] for text in texts])

    rows = [{"video": clip, "label": "low"}]
    task = mmbench.task(
        "zero-shot-classification", rows, classes=["low", "high"], templates=["{}"], frames={"sampler": "all"}
    )
    run = mmbench.run(model=Levels(), task=task)
    assert run.table().iloc[0]["value"] == 1.0


def test_an_unreadable_clip_is_an_error_and_the_others_are_scored(clips: Path, tmp_path: Path) -> None:
    rows = _rows(clips)[:4]
    whole = (clips / "clips" / "walking" / "0.mp4").read_bytes()
    rows[0] = {**rows[0], "video": whole[: len(whole) // 2]}
    rows[1] = {**rows[1], "video": "nowhere.mp4"}
    task = mmbench.task("zero-shot-classification", rows, classes=list(NAMES), frames={"count": 2})
    mmbench.run(model=_Counting(), task=task, output=tmp_path)
    (record,) = tmp_path.glob("runs/*/*.json")
    outcomes = read_outcomes(record)
    assert [outcome.status for outcome in outcomes] == ["error", "error", "ok", "ok"]
    assert "the file is cut" in (outcomes[0].message or "")
    assert "No such file" in (outcomes[1].message or "")


def test_segments_show_other_frames_of_one_file_and_share_its_cluster(clips: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "long.mp4", "mp4", "libx264", 50)
    rows = [
        {"video": str(path), "start": 0, "end": 1, "label": "a"},
        {"video": str(path), "start": "0:01", "label": "b"},
        {"video": str(path), "start": 9, "end": 10, "label": "b"},
        {"video": str(path), "start": 1.5, "end": 1, "label": "b"},
    ]
    task = mmbench.task("zero-shot-classification", rows, frames={"sampler": "linspace-floor", "count": 2})
    mmbench.run(model=_Counting(), task=task, output=tmp_path)
    (record,) = tmp_path.glob("runs/*/*.json")
    outcomes = read_outcomes(record)
    indices = [json.loads(outcome.frames or "{}").get("indices") for outcome in outcomes]
    assert indices == [[0, 24], [25, 49], None, None]
    assert len({outcome.cluster for outcome in outcomes}) == 1
    assert "the segment starts at 9 s, and the clip ends at 2 s" in (outcomes[2].message or "")
    assert "the segment ends at 1 s and starts at 1.5 s" in (outcomes[3].message or "")
    assert json.loads(record.read_text())["notes"] == [], "two parts of a clip may well have two labels"


def test_clips_of_a_pair_are_columns_or_a_list_with_a_segment_each(tmp_path: Path) -> None:
    path = str(written(tmp_path / "long.mp4", "mp4", "libx264", 50))
    segments = {"start": [0, 1], "end": [1, None], "captions": ["first", "then"]}
    whole = mmbench.task("pairs", [{"videos": [path, path], **segments}], frames={"sampler": "first", "count": 2})
    sides = {"a": path, "b": path, "from": 0, "to": 1, "then": 1, "last": None, "captions": ["first", "then"]}
    fields = {"videos": ["a", "b"], "start": ["from", "then"], "end": ["to", "last"]}
    columns = mmbench.task("pairs", [sides], fields=fields, frames={"sampler": "first", "count": 2})
    for task in (whole, columns):
        (sample,) = task.family.samples()
        assert [medium.indices for medium in sample.media if isinstance(medium, Video)] == [(0, 1), (25, 26)]
        assert [metric.name for metric in task.family.metrics] == ["group_score", "text_score", "image_score"]
    alone = mmbench.task("pairs", [{"video": path, "captions": ["a", "b"]}], fields={"videos": "video"})
    assert [metric.name for metric in alone.family.metrics] == ["pairwise_accuracy"]
    with pytest.raises(mmbench.DataError, match="`start` tells of 1 clips, and `videos` of 2"):
        list(mmbench.task("pairs", [{"videos": [path] * 2, "start": 0, "captions": ["a", "b"]}]).family.samples())


@pytest.mark.parametrize(
    ("rows", "keys", "said"),
    [
        ({"image": "a.png", "video": "a.mp4"}, {}, "say which is shown"),
        ({"image": "a.png"}, {"frames": {"count": 3}}, "`frames` is for clips"),
        ({"video": "a.mp4"}, {"frames": {"sampler": "unifrom"}}, "did you mean 'uniform'"),
        ({"video": "a.mp4"}, {"frames": {"count": 0}}, "greater than or equal to 1"),
        ({"video": "a.mp4", "start": "soon"}, {}, "expected a time in seconds"),
        ({"video": {"a": 1}}, {}, "expected a clip"),
        ({"video": "http://a/b.mp4"}, {}, "nothing is fetched"),
    ],
)
def test_what_is_wrong_with_a_clip_task_is_said(rows: dict[str, Any], keys: dict[str, Any], said: str) -> None:
    with pytest.raises(mmbench.DataError, match=said):
        list(mmbench.task("zero-shot-classification", [{**rows, "label": "a"}], **keys).family.samples())


def test_the_frame_spec_is_part_of_the_protocol_of_clips_alone() -> None:
    def protocol(key: str, **keys: Any) -> str:
        return mmbench.task("zero-shot-classification", [{key: "a", "label": "a"}], **keys).protocol_id("")

    ids = [protocol("video", frames={"count": count}) for count in (4, 8)]
    assert len({*ids, protocol("video")}) == 2
    assert protocol("image") != ids[1]


def test_captions_of_a_paragraph_are_one_text(clips: Path) -> None:
    task = mmbench.task("retrieval", _rows(clips)[:2], paragraph=True)
    assert [sample.references for sample in task.family.samples()] == [
        ("a person is walking walking outdoors",),
        ("a person is swimming swimming outdoors",),
    ]


class _Counting:
    """Counts the frames that it is asked, by their pixels; gives up when it has seen enough."""

    fingerprint = "counting"

    def __init__(self, most: int | None = None) -> None:
        self.seen: Counter[bytes] = Counter()
        self.most = most

    def embed_images(self, images: list[Any]) -> np.ndarray:
        if self.most is not None and self.seen.total() + len(images) > self.most:
            raise Unavailable("that is all for now")
        self.seen.update(image.tobytes() for image in images)
        return np.stack([np.asarray(image, dtype=float).mean(axis=(0, 1)) + 1 for image in images])

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return np.array([[len(text), 1.0, 2.0] for text in texts])


class _Writes:
    fingerprint = "writes"

    def generate(self, prompts: list[Any], settings: object) -> list[str]:
        return [str(index_in(images[0])) for images, _ in prompts]


def _rows(folder: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (folder / "t.jsonl").read_text().splitlines()]
    kept = ("video", "label", "question", "answers", "captions")
    return [{**{name: row[name] for name in kept}, "video": str(folder / row["video"])} for row in rows]
