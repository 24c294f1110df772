"""Clips through a model's own input: held against the library called plainly, with the times that reach the model."""

import json
import shutil

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.hf.adapter import from_spec
from mmbench.adapters.hf.clips import told
from mmbench.adapters.hf.generative import _placed
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import Frames, Generation
from mmbench.harness.records.outcomes import read_outcomes
from tests.adapters.hf.generative import CLASSES, transformers
from tests.adapters.hf.test_generative import in_numbers
from tests.lazy import torch

FEW = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "llava_onevision")
OWN = [
    each if each in FEW else pytest.param(each, marks=pytest.mark.long) for each, made in CLASSES.items() if made.videos
]
SHORT = Generation(max_tokens=8)
TEXTS = ["a cat", "the old wooden fence"]


def load(place, options="", dtype="fp32"):
    return from_spec(f"{place}{options}", device="cpu", dtype=dtype, offline=True)


def picture(seed, size=(40, 30)):
    return PIL.Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))


def clip(count, fps=4.0, seed=0, step=4):
    """A clip of which every `step`th frame is shown, to its end."""
    shown = tuple(range(0, count * step, step))
    pictures = tuple(picture(seed + each) for each in shown)
    return Frames(pictures, tuple(each / fps for each in shown), shown, fps, count * step)


def questions(kind):
    made = CLASSES[kind]
    asked = [([clip(4)], "what happens"), ([clip(3, seed=50)], "why"), ([clip(4, 1.0)], "what happens")]
    asked += [([clip(4), clip(4, 2.0, 90)], "which"), ([], "none"), ([picture(7)], "is it")]
    mixed = [picture(1), clip(4), picture(2, (64, 50))]
    return asked if made.name == "SmolVLM" else [*asked, (mixed, "between")]


class Library:
    """What the library itself makes of a clip: its chat template, `videos` and `video_metadata`, nothing sampled."""

    def __init__(self, folder):
        self.processor = transformers.AutoProcessor.from_pretrained(folder)
        self.processor.image_processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
        self.model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()

    def inputs(self, shown, prompt):
        films = [each for each in shown if isinstance(each, Frames)]
        content = [{"type": "video" if isinstance(each, Frames) else "image"} for each in shown]
        turns = [{"role": "user", "content": [*content, {"type": "text", "text": prompt}]}]
        template = self.processor.chat_template
        text = self.processor.apply_chat_template(turns, template, add_generation_prompt=True, tokenize=False)
        pictures = [each for each in shown if not isinstance(each, Frames)]
        given = {"images": [pictures]} if pictures else {}
        if films:
            given["videos"] = [list(each.pictures) for each in films]
            given["do_sample_frames"] = False
            given["video_metadata"] = [
                {
                    "total_num_frames": each.total,
                    "fps": each.fps,
                    "frames_indices": list(each.indices),
                    "duration": each.total / each.fps,
                }
                for each in films
            ]
        begins = text.startswith(self.processor.tokenizer.bos_token)
        return self.processor(text=[text], return_tensors="pt", add_special_tokens=not begins, **given)

    def reply(self, shown, prompt):
        inputs = self.inputs(shown, prompt)
        with torch.inference_mode():
            made = self.model.generate(**inputs, max_new_tokens=SHORT.max_tokens, do_sample=False)[0].tolist()
        reply = made[inputs["input_ids"].shape[1] :]
        return " ".join(map(str, reply[: reply.index(4)] if 4 in reply else reply))

    def score(self, shown, prompt, ids):
        """The log-probability of tokens as the library itself goes on behind its cache."""
        inputs = self.inputs(shown, prompt)
        with torch.inference_mode():
            read = self.model(**inputs, use_cache=True)
            cache = {"cache": read.cache} if hasattr(read, "cache") else {"past_key_values": read.past_key_values}
            rest = self.model(input_ids=torch.tensor([ids[:-1]]), **cache)
        logits = torch.cat([read.logits[0, -1:], rest.logits[0]]).log_softmax(-1)
        return float(logits[range(len(ids)), ids].sum())


@pytest.mark.parametrize("kind", OWN)
def test_clips_are_read_as_the_library_reads_them_and_in_batches_alike(kind, saved):
    adapter, library, asked = in_numbers(load(saved(kind))), Library(saved(kind)), questions(kind)
    assert adapter.takes_clips
    alone = [adapter.generate([one], SHORT)[0] for one in asked]
    assert [library.reply(*one) for one in asked] == alone
    assert adapter.generate(asked, SHORT) == alone
    spaced = " " * CLASSES[kind].template[1].endswith(" ")
    rows = [library.processor.tokenizer(f"{spaced}{text}", add_special_tokens=False)["input_ids"] for text in TEXTS]
    for shown, prompt in (asked[0], asked[-1]):
        expected = [library.score(shown, prompt, ids) for ids in rows]
        assert adapter.score_texts([(shown, prompt, TEXTS)]) == [pytest.approx(expected, abs=1e-4)]


def test_the_rate_of_a_clip_moves_the_positions_of_qwen2_5_vl(saved):
    adapter = load(saved("qwen2_5_vl"))
    places = {}
    for fps in (1.0, 2.0, 25.0):
        made = adapter._prompts.inputs([([clip(8, fps)], "what happens")])
        assert made["second_per_grid_ts"].tolist() == pytest.approx([2 * 4 / fps])
        wanted = ("input_ids", "mm_token_type_ids", "video_grid_thw", "second_per_grid_ts", "attention_mask")
        ids, _ = adapter._model.model.get_rope_index(**{name: made[name] for name in wanted})
        seen = ids[0, 0][made["input_ids"][0] == adapter._model.config.video_token_id]
        places[fps] = sorted({int(each - seen.min()) for each in seen})
    a_second = adapter._model.config.vision_config.tokens_per_second
    assert places == {fps: [int(a_second * at * 8 / fps) for at in range(4)] for fps in places}
    half = load(saved("qwen2_5_vl"), dtype="bf16")
    made = half._prompts.inputs([([clip(8, 3.0)], "what happens")])
    times = made["second_per_grid_ts"].tolist()
    placed = _placed(made, half._model)
    assert placed["second_per_grid_ts"].tolist() == times and placed["pixel_values_videos"].dtype == torch.bfloat16


def test_the_times_of_frames_stand_in_the_words_of_qwen3_vl(saved):
    adapter = load(saved("qwen3_vl"))

    def words(film):
        ids = adapter._prompts.inputs([([film], "what happens")])["input_ids"][0]
        text = adapter._prompts.tokenizer.decode(ids)
        return [float(part.split("<")[-1]) for part in text.split(" seconds>")[:-1]]

    assert words(clip(4, 2.0)) == [1.0, 5.0]  # of two frames the mean: 0 and 2 s, 4 and 6 s
    assert words(clip(3, 2.0)) == [1.0, 4.0]  # an odd one is shown twice
    assert words(clip(1, 2.0)) == [0.0]
    pictures = clip(4).pictures
    shuffled = Frames(pictures, (0.0, 2.0, 4.0, 6.0), (8, 0, 12, 4), 2.0, 16)
    assert words(shuffled) == [1.0, 5.0]  # the moments stay where they are
    varying = Frames(pictures, (0.7, 0.9, 4.1, 9.3), (0, 2, 9, 12), 3.1, 16)
    assert words(varying) == [0.8, 6.7]


def test_what_is_told_of_a_clip():
    def rate(film):
        made = transformers.video_utils.VideoMetadata(**told(film))
        assert film.timestamps is None or made.timestamps == pytest.approx(film.timestamps)
        return made.sampled_fps

    pytest.importorskip("transformers")
    import transformers.video_utils

    whole = clip(8, 25.0)
    found = dict(told(whole))
    assert found["frames_indices"] == [*range(0, 32, 4)] and (found["fps"], found["total_num_frames"]) == (25.0, 32)
    spread = tuple(np.linspace(0, 99, 8).astype(int).tolist())
    ends = Frames(whole.pictures, tuple(each / 25 for each in spread), spread, 25.0, 100)
    assert told(ends)["total_num_frames"] == 100 and rate(ends) == 2.0
    first = Frames(whole.pictures, tuple(each / 25 for each in range(8)), tuple(range(8)), 25.0, 1500)
    assert rate(first) == pytest.approx(25.0)
    segment = Frames(whole.pictures, tuple(30 + each / 2 for each in range(8)), (), 25.0, 1500)
    assert rate(segment) == pytest.approx(2.0)
    offset = Frames(whole.pictures[:2], (0.7, 0.8), (0, 1), 9.877, 20)
    assert rate(offset) == pytest.approx(10.0)
    assert rate(clip(1, 10.0)) == pytest.approx(2.5)
    assert told(Frames(whole.pictures, None)) == {
        "total_num_frames": 8, "fps": None, "frames_indices": [*range(8)]
    }  # fmt: skip


def test_what_a_model_cannot_be_shown_is_told(saved, tmp_path):
    pictures = clip(4).pictures
    untimed, odd = Frames(pictures, None), Frames((*pictures[:3], picture(9, (30, 40))), (0, 1, 2, 3), fps=1.0, total=4)
    timed, still = load(saved("qwen2_5_vl")), load(saved("llava_onevision"))
    with pytest.raises(ValueError, match=r"no times, .* give the rate as `folder_fps` in `frames`, or ask with"):
        timed.generate([([untimed], "what")], SHORT)
    assert still.generate([([untimed], "what")], SHORT)
    with pytest.raises(ValueError, match=r"frames of several sizes, 30 x 40 to 40 x 30, .* ask with hf:…,video=frames"):
        timed.score_texts([([odd], "what", TEXTS)])
    with pytest.raises(ValueError, match="clips have 3 and 4 frames, and this model takes several clips of one length"):
        still.generate([([clip(4), clip(3)], "what")], SHORT)
    assert timed.generate([([clip(4), clip(3)], "what")], SHORT)
    bare = shutil.copytree(saved("qwen2_vl"), tmp_path / "bare")
    template = (bare / "chat_template.jinja").read_text()
    (bare / "chat_template.jinja").write_text(template.replace("<|video_pad|>", ""))
    with pytest.raises(
        ValueError, match="shows 0 clips for 1; put one that shows them beside the weights, or ask with"
    ):
        load(bare).generate([([clip(4)], "what")], SHORT)
    assert load(bare).generate([([pictures[0]], "what")], SHORT)
    with pytest.raises(ValueError, match="the prompt holds <|video_pad|>"):
        load(saved("qwen2_vl")).generate([([], "what <|video_pad|>")], SHORT)
    with pytest.raises(UsageError, match="own for clips have llava_onevision, .*; leave out video"):
        load(saved("llava"), ",video=frames")
    with pytest.raises(UsageError, match="video is own or frames, as in ,video=frames"):
        load(saved("qwen2_vl"), ",video=pictures")


def test_the_fingerprint_holds_how_clips_are_shown(saved, tmp_path):
    own, frames = load(saved("qwen2_vl")), load(saved("qwen2_vl"), ",video=frames")
    assert load(saved("qwen2_vl"), ",video=own").fingerprint == own.fingerprint != frames.fingerprint
    assert not frames.takes_clips and not load(saved("llava")).takes_clips
    other = shutil.copytree(saved("qwen2_vl"), tmp_path / "other")
    (other / "video_preprocessor_config.json").write_text('{"size": {"shortest_edge": 784, "longest_edge": 784}}')
    assert load(other).fingerprint != own.fingerprint
    assert load(other, ",video=frames").fingerprint == frames.fingerprint


@pytest.mark.parametrize(("kind", "edge"), [("qwen2_vl", 28), ("qwen3_vl", 32)])
def test_max_pixels_is_of_each_frame(kind, edge, saved):
    large = Frames(tuple(picture(each, (200, 120)) for each in range(4)), (0.0, 1.0, 2.0, 3.0), (0, 1, 2, 3), 1.0, 4)
    adapter = load(saved(kind), f",max_pixels={12 * edge**2},min_pixels={edge**2}")
    ((_, high, wide),) = adapter._prompts.inputs([([large], "what")])["video_grid_thw"].tolist()
    assert 4 < high * wide / 4 <= 12  # files of the model say 4


def test_a_run_keeps_where_the_clip_stood_and_what_failed(saved, tmp_path, command):
    rows = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        for at in range(4):
            picture(at + number, (40, 30) if number != 1 else (40, 30 + 2 * at)).save(folder / f"{at}.png")
        rows.append({"video": str(number), "question": "Is it a cat?", "target": ["yes", "no"][number % 2]})
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "t.yaml").write_text(
        "name: t\nfamily: yes-no\nsource: {kind: jsonl, path: t.jsonl}\n"
        "fields: {video: video, question: question, target: target}\nframes: {count: 4, folder_fps: 2}\n"
    )
    place = saved("qwen2_5_vl")
    given = ["--task", str(tmp_path / "t.yaml"), "--store", str(tmp_path / "s"), "--format", "json"]
    for route in ("generate", "likelihood"):
        folder = tmp_path / route
        status, out, err = command("run", "--model", f"hf:{place}", *given, "--route", route, "--output", str(folder))
        assert status == 1 and "frames of several sizes, 40 x 30 to 40 x 36" in err
        (row, *_) = json.loads(out)
        assert row["n"] == 2 and row["route"] == route
        outcomes = read_outcomes(next(folder.rglob("*.parquet")))
        assert [each.status == "error" for each in outcomes] == [False, True, False]
        if route == "generate":
            assert all(each.prompt.startswith("[clip of 4 frames]\nIs it a cat?") for each in outcomes)
    folder = tmp_path / "frames"
    status, out, err = command(
        "run", "--model", f"hf:{place},video=frames", *given, "--route", "generate", "--output", str(folder)
    )
    assert status == 0, err
    assert json.loads(out)[0]["n"] == 3
    outcomes = read_outcomes(next(folder.rglob("*.parquet")))
    assert all(each.prompt.startswith("[4 frames as pictures]\nIs it a cat?") for each in outcomes)


def test_a_clip_of_an_encoder_is_the_mean_of_its_unit_frames(saved, tmp_path, command):
    """CLIP4Clip's mean pooling, by the library's own vectors of frames and texts."""
    names, rows, films = ["cat", "bird", "old wooden fence"], [], []
    for number in range(6):
        films.append([picture(100 * number + at) for at in range(4)])
        for at, frame in enumerate(films[-1]):
            file = tmp_path / str(number) / f"{at}.png"
            file.parent.mkdir(exist_ok=True)
            frame.save(file)
        rows.append({"video": str(number), "label": names[number % 3], "captions": [f"a photo of {number} {names[0]}"]})
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    shared = "source: {kind: jsonl, path: t.jsonl}\nframes: {count: 4}\n"
    (tmp_path / "a.yaml").write_text(
        f"name: a\nfamily: zero-shot-classification\n{shared}classes: {json.dumps(names)}\ntemplates: ['a {{}}']\n"
        "fields: {video: video, label: label}\nmetrics: [accuracy, nll]\n"
    )
    (tmp_path / "b.yaml").write_text(
        f"name: b\nfamily: retrieval\n{shared}fields: {{video: video, captions: captions}}\n"
        "metrics: [text_to_image/mean_rank, image_to_text/mean_rank]\n"
    )
    given = [part for name in "ab" for part in ("--task", str(tmp_path / f"{name}.yaml"))]
    given += ["--output", str(tmp_path / "r"), "--store", str(tmp_path / "s"), "--format", "json"]
    status, out, err = command("run", "--model", f"hf:{saved('clip')}", *given)
    assert status == 0, err
    found = {row["metric"]: row["value"] for row in json.loads(out)}
    unit = torch.nn.functional.normalize
    model = transformers.AutoModel.from_pretrained(saved("clip")).eval()
    pictures = transformers.AutoImageProcessor.from_pretrained(saved("clip"), backend="pil")
    words = transformers.AutoTokenizer.from_pretrained(saved("clip"))

    def cosines(texts):
        with torch.inference_mode():
            seen = [model.get_image_features(**pictures(film, return_tensors="pt")).pooler_output for film in films]
            clips = unit(torch.stack([unit(each, dim=-1).mean(0) for each in seen]), dim=-1)
            made = words(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
            return clips @ unit(model.get_text_features(**made).pooler_output, dim=-1).T

    logits = model.logit_scale.detach().exp() * cosines([f"a {name}" for name in names])
    labels = torch.arange(6) % 3
    assert found["accuracy"] == pytest.approx(float((logits.argmax(1) == labels).float().mean()))
    assert found["nll"] == pytest.approx(float(torch.nn.functional.cross_entropy(logits, labels)), abs=1e-4)
    table = cosines([row["captions"][0] for row in rows])
    for name, each in (("image_to_text", table), ("text_to_image", table.T)):
        ranks = 1 + (each > each.diagonal()[:, None]).sum(1)
        assert found[f"{name}/mean_rank"] == pytest.approx(float(ranks.float().mean()))
