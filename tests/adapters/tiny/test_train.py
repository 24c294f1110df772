import json
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.open_clip.adapter import from_spec
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.models.abilities import Generation
from tests.lazy import Lazy, torch

tiny_train = Lazy("mmbench.adapters.tiny.training.train")


def test_a_run_cut_short_goes_on_bit_for_bit(trained, tmp_path, recipe, settings, scenes):
    def no_more(seed, number):
        if number > 1:
            raise KeyboardInterrupt
        return scenes(seed, number)

    with pytest.raises(KeyboardInterrupt):
        tiny_train.train(recipe, tmp_path, replace(settings, blocks=2, save_every=0.0), no_more)
    assert not (tmp_path / "open_clip_model.safetensors").exists()
    tiny_train.train(recipe, tmp_path, replace(settings, resume=True), scenes)
    assert weights(tmp_path) == weights(trained)
    curves = [(folder / "training" / "curve.jsonl").read_text().splitlines() for folder in (tmp_path, trained)]
    assert [json.loads(line)["loss"] for line in curves[0]] == [json.loads(line)["loss"] for line in curves[1]]


def weights(folder):
    return (folder / "open_clip_model.safetensors").read_bytes()


def test_curve_has_every_loss(trained):
    lines = [json.loads(line) for line in (trained / "training" / "curve.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 6]
    assert lines[-1]["pictures"] == 24
    assert {"contrastive", "caption", "answer", "shapes", "colours", "textures", "sizes", "facts", "loss"} < lines[
        0
    ].keys()
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_run_by_the_clock_ends(tmp_path, recipe, scenes, settings):
    tiny_train.train(recipe, tmp_path, replace(settings, steps=None, minutes=1e-6), scenes)
    assert (tmp_path / "open_clip_model.safetensors").is_file()


def test_written_folder_is_a_model_of_open_clip(trained, tmp_path):
    adapter = from_spec(str(trained), device="cpu", dtype="fp32", offline=True)
    image = adapter.prepare_image(PIL.Image.fromarray(np.full((224, 224, 3), 200, np.uint8)))
    vectors = adapter.embed_images([image, image])
    assert vectors.shape == (2, 128) and np.isfinite(vectors).all()
    assert adapter.embed_texts(["a red square."]).shape == (1, 128)
    assert adapter.truncates(["red " * 30, "red " * 31]) == [False, True]
    words = set(" ".join(adapter.generate([([image], "what colour is it?")], Generation(8))).split())
    assert all(word.isprintable() for word in words)

    model, tokenizer = adapter._source.model, adapter._source.tokenizer
    prompt, texts = "what colour is it?", ["red", "green blue"]
    [scores] = adapter.score_texts([([image], prompt, texts)])
    for text, score in zip(texts, scores, strict=True):
        tokens = tokenizer([f"{prompt} {text}"])
        with torch.inference_mode():
            logs = model(image[None], tokens, output_labels=False)["logits"][0].log_softmax(-1)
        first, last = 1 + len(tokenizer.encode(prompt)), int((tokens[0] == tokenizer.eot_token_id).nonzero())
        wanted = sum(float(logs[at - 1, tokens[0, at]]) for at in range(first, last + 1))
        assert score == pytest.approx(wanted, abs=1e-3)


def test_merges_are_part_of_the_fingerprint(trained, tmp_path):
    import shutil

    other = shutil.copytree(trained, tmp_path / "other")

    def identity(folder):
        return from_spec(str(folder), device="cpu", dtype="fp32", offline=True).fingerprint

    assert identity(other) == identity(trained)
    (other / "bpe_simple_vocab.txt.gz").unlink()
    assert identity(other) != identity(trained)


def test_vocabulary_beyond_the_model_is_refused(trained, tmp_path):
    import shutil

    from mmbench.adapters.open_clip.recipe import MERGES
    from mmbench.adapters.tiny.training import merges

    other = shutil.copytree(trained, tmp_path / "other")
    unknown = ["many unknown words, extraordinarily numerous, whose multiplicity overwhelms its vocabulary"]
    merges.write(unknown, other / MERGES)
    adapter = from_spec(str(other), device="cpu", dtype="fp32", offline=True)
    with pytest.raises(UsageError, match="tokens and the model knows"):
        adapter.embed_texts(["red"])


def test_what_cannot_be_trained(tmp_path, recipe, settings, scenes):
    with pytest.raises(UsageError, match="no checkpoint"):
        tiny_train.train(recipe, tmp_path, replace(settings, resume=True), scenes)
    with pytest.raises(DataError, match="do not divide"):
        tiny_train.train(replace(recipe, batch=3), tmp_path, settings, scenes)


def test_unknown_shipped_model_is_told():
    with pytest.raises(UsageError, match="ships no model 'tiny-cocoa'"):
        from_spec("mmbench/tiny-cocoa", device="cpu", dtype="fp32", offline=True)
