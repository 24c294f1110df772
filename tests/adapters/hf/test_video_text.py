"""X-CLIP: texts scored beside clips, held against the forward pass of the library, and through the command line."""

import json
from functools import partial

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.contract.check import check_adapter
from mmbench.adapters.hf.adapter import from_spec
from mmbench.harness.models.abilities import Frames, abilities
from tests.adapters.hf.tiny import transformers
from tests.lazy import torch

TEXTS = ["a photo of a cat", "a small red bird sits on the fence", "one tall blue cat", "books"]


@pytest.fixture(scope="module")
def place(saved):
    return saved("xclip")


def load(place):
    return from_spec(str(place), device="cpu", dtype="fp32", offline=True)


def clip(seed, frames=8):
    noise = np.random.default_rng(seed)
    return [PIL.Image.fromarray(noise.integers(0, 256, (40, 50, 3), dtype=np.uint8)) for _ in range(frames)]


def asked(adapter, frames):
    return [Frames(tuple(map(adapter.prepare_image, frames)), None)]


def logits(place, clips, texts=TEXTS):
    """`logits_per_video` of the library's own processor and forward pass."""
    processor = transformers.XCLIPProcessor(
        transformers.AutoImageProcessor.from_pretrained(place, backend="pil"),
        transformers.AutoTokenizer.from_pretrained(place),
    )
    model = transformers.AutoModel.from_pretrained(place).eval()
    seen = torch.cat(
        [processor(videos=each, return_tensors="pt")["pixel_values"].reshape(1, 8, 3, 32, 32) for each in clips]
    )
    words = processor.tokenizer(texts, padding=True, return_tensors="pt")
    words.pop("token_type_ids", None)
    with torch.inference_mode():
        return model(pixel_values=seen, **words), model


def test_scores_are_the_logits_of_its_own_forward_pass(place):
    adapter, clips = load(place), [clip(1), clip(2), clip(3)]
    assert abilities(adapter) == {"embed_images", "embed_videos", "score_texts"}
    found = np.array(adapter.score_texts([(asked(adapter, each), "", TEXTS) for each in clips]))
    out, model = logits(place, clips)
    theirs = out.logits_per_video.double().numpy()
    assert theirs.std(axis=0).min() > 1e-3 and theirs.std(axis=1).min() > 1e-3
    scale = float(model.logit_scale.exp())
    assert adapter.logit_scale == pytest.approx(scale)
    assert found == pytest.approx(theirs - scale, abs=1e-4 * scale)
    softmax = out.logits_per_video.softmax(dim=1).numpy()
    assert np.exp(found) / np.exp(found).sum(axis=1, keepdims=True) == pytest.approx(softmax, abs=1e-5)
    vectors = adapter.embed_videos([[*map(adapter.prepare_image, each)] for each in clips])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert unit == pytest.approx(out.video_embeds.numpy(), abs=1e-5)


def test_a_prompt_stands_before_its_texts_and_a_still_is_a_clip(place):
    adapter, (first, *_) = load(place), clip(1)
    (worded,) = adapter.score_texts([(asked(adapter, [first]), "a photo of", ["a cat", "books"])])
    out, model = logits(place, [[first] * 8], ["a photo of a cat", "a photo of books"])
    assert worded == pytest.approx((out.logits_per_video - model.logit_scale.exp())[0].tolist(), abs=1e-4)
    assert adapter.score_texts([([adapter.prepare_image(first)], "a photo of", ["a cat", "books"])]) == [worded]


def test_another_number_of_frames_is_told(place):
    adapter = load(place)
    for count in (4, 12):
        with pytest.raises(ValueError, match=rf"made for clips of 8 frames and is shown {count}; set `count: 8` in"):
            adapter.score_texts([(asked(adapter, clip(1, count)), "", TEXTS)])
    with pytest.raises(ValueError, match="one clip or picture; an item shows 2"):
        adapter.score_texts([(asked(adapter, clip(1, 4)) * 2, "", TEXTS)])


def test_contract(place):
    check_adapter(partial(load, place))


def test_classes_and_retrieval_through_the_command_line(place, tmp_path, command):
    """Accuracy, recall and calibration are those computed by hand of the library's logits."""
    names = ["cat", "bird", "books"]
    clips = [clip(seed) for seed in range(6)]
    rows = []
    for number, frames in enumerate(clips):
        folder = tmp_path / "clips" / str(number)
        folder.mkdir(parents=True)
        for at, frame in enumerate(frames):
            frame.save(folder / f"{at}.png")
        label = names[number % 3]
        rows.append({"video": f"clips/{number}", "label": label, "captions": [f"{TEXTS[number % 4]} {number}"]})
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = "source: {kind: jsonl, path: t.jsonl}\nframes: {sampler: uniform, count: COUNT}\n"
    tasks = {
        "classes": "family: zero-shot-classification\nfields: {video: video, label: label}\n"
        f"classes: {json.dumps(names)}\ntemplates: ['a photo of a {{}}']\nmetrics: [accuracy, nll]\n{given}",
        "search": "family: retrieval\nfields: {video: video, captions: captions}\nroutes: [embed, likelihood]\n"
        f"metrics: [text_to_image/mean_rank, image_to_text/mean_rank]\n{given}",
    }
    arguments = ["run", "--model", f"hf:{place}", "--output", str(tmp_path / "r"), "--store", str(tmp_path / "s")]
    for name, keys in tasks.items():
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\n{keys.replace('COUNT', '8')}")
        arguments += ["--task", str(tmp_path / f"{name}.yaml")]
    status, out, err = command(*arguments, "--format", "json")
    assert status == 0, err
    found = {row["metric"]: row["value"] for row in json.loads(out)}
    assert {row["route"] for row in json.loads(out)} == {"likelihood"}
    made = logits(place, clips, [f"a photo of a {name}" for name in names])[0].logits_per_video
    labels = torch.arange(6) % 3
    assert found["accuracy"] == pytest.approx(float((made.argmax(1) == labels).float().mean()))
    nll = torch.nn.functional.cross_entropy(made, labels)
    assert found["nll"] == pytest.approx(float(nll), abs=1e-4)
    made = logits(place, clips, [row["captions"][0] for row in rows])[0].logits_per_video
    for name, table in (("image_to_text", made), ("text_to_image", made.T)):
        ranks = 1 + (table > table.diagonal()[:, None]).sum(1)
        assert found[f"{name}/mean_rank"] == pytest.approx(float(ranks.float().mean()))
    (tmp_path / "classes.yaml").write_text(f"name: classes\n{tasks['classes'].replace('COUNT', '4')}")
    status, out, err = command(*arguments, "--format", "json")
    assert status == 1 and "set `count: 8` in the `frames` of the task" in err
