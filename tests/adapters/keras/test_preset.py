"""Presets that are no whole CLIP or SigLIP, or would run code: refused from their files, without keras."""

import json
import os

import pytest

from mmbench.adapters.keras.adapter import from_spec
from mmbench.adapters.keras.backend import backend
from mmbench.adapters.keras.preset import Preset
from mmbench.harness.errors import UsageError


def made(name, **config):
    module = f"keras_hub.src.models.clip.{name.lower()}"
    return {"module": module, "class_name": name, "config": config, "registered_name": f"keras_hub>{name}"}


def written(folder, *, changes=None, weights=1 << 16):
    """A preset in form: its weights are bytes that nobody reads here."""
    backbone = made(
        "CLIPBackbone",
        vision_encoder=made("CLIPVisionEncoder", hidden_dim=32, num_layers=2),
        text_encoder=made("CLIPTextEncoder", hidden_dim=32, num_layers=2, vocabulary_size=600),
    )
    preprocessor = made("CLIPPreprocessor", tokenizer=made("CLIPTokenizer", config_file="tokenizer.json"))
    (folder / "assets" / "tokenizer").mkdir(parents=True)
    (folder / "assets" / "tokenizer" / "merges.txt").write_text("a b\n")
    contents = {"config.json": backbone, "preprocessor.json": preprocessor, **(changes or {})}
    for name, content in contents.items():
        if content is not None:
            (folder / name).write_text(json.dumps(content))
    if weights:
        (folder / "model.weights.h5").write_bytes(b"\0" * weights)
    return folder


def test_a_whole_preset_is_identified_by_its_files_wherever_they_lie(tmp_path):
    one, other = (Preset(written(tmp_path / name)) for name in ("one", "other"))
    one.check()
    assert one.identity() == other.identity()
    assert "assets/tokenizer/merges.txt" in one.identity()
    (tmp_path / "one" / "metadata.json").write_text('{"date_saved": "another day"}')
    assert one.identity() == other.identity()
    (tmp_path / "other" / "assets" / "tokenizer" / "merges.txt").write_text("a c\n")
    assert one.identity() != other.identity()


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"function": "os.system"},
    "registered_name": None,
}
OTHERS = [
    ("a Lambda layer", LAMBDA, "names keras.layers.Lambda"),
    ("a pickled function", {"class_name": "__lambda__", "config": {"value": "4wAAAA=="}}, "names __lambda__"),
    ("a function", {"module": "os", "class_name": "function", "config": "system"}, "names os.function"),
    ("a module of its own", {**made("CLIPTextEncoder"), "module": "evil.code"}, "names evil.code.CLIPTextEncoder"),
    ("keras by a longer name", {**made("CLIPTextEncoder"), "module": "keras_hubris"}, "names keras_hubris"),
    ("registered otherwise", {**made("CLIPTextEncoder"), "registered_name": "evil>Encoder"}, "none of the classes"),
    ("a name alone", {"registered_name": "evil>Encoder"}, "names evil>Encoder"),
    ("quantised", made("CLIPTextEncoder", dtype={**made("QuantizedDTypePolicy"), "module": "keras"}), "Quantized"),
    ("a path", made("CLIPTextEncoder", vocabulary="/etc/passwd"), "names the path '/etc/passwd'"),
]  # fmt: skip


@pytest.mark.parametrize(("inner", "said"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS])
@pytest.mark.parametrize("file", ["config.json", "preprocessor.json"])
def test_no_class_but_those_of_the_two_models(inner, said, file, tmp_path):
    outer = made("CLIPBackbone" if file == "config.json" else "CLIPPreprocessor", text_encoder=inner, more=[[inner]])
    with pytest.raises(UsageError, match=said):
        Preset(written(tmp_path / "made", changes={file: outer})).check()


@pytest.mark.parametrize(
    ("changes", "weights", "said"),
    [
        ({"preprocessor.json": None}, 1 << 16, "has no preprocessor.json.*preprocessor.save_to_preset"),
        ({"config.json": None}, 1 << 16, "has no config.json"),
        ({}, 0, "has no model.weights.h5"),
        ({"config.json": {"model_type": "clip"}}, 1 << 16, "names no class"),
        ({"config.json": []}, 1 << 16, "must be a JSON object"),
        ({"preprocessor.json": made("SigLIPPreprocessor")}, 1 << 16, "prepares nothing for a CLIP"),
        ({"config.json": made("CLIPTextEncoder")}, 1 << 16, "of KerasHub, keras: reaches CLIP, SigLIP"),
        ({"config.json": made("CLIPBackbone", a={"hidden_dim": 10**9})}, 1 << 16, "asks for more weights"),
        ({"config.json": made("CLIPBackbone", a={"hidden_dim": 900, "num_layers": 90})}, 1 << 16, "asks for more"),
        ({"model.weights.json": {"weight_map": {"a": ["../b.h5"]}}}, 0, "names files outside the folder"),
        ({"model.weights.json": {"weight_map": {"a": ["b.weights.h5"]}}}, 0, "b.weights.h5: No such file"),
        ({"preprocessor.json": made("CLIPPreprocessor", config_file="../x.json")}, 1 << 16, "names the path"),
    ],
)
def test_what_is_no_whole_preset(changes, weights, said, tmp_path):
    with pytest.raises(UsageError, match=said):
        Preset(written(tmp_path / "made", changes=changes, weights=weights)).check()


def test_a_pipe_in_place_of_a_file(tmp_path):
    folder = written(tmp_path / "made", weights=0)
    os.mkfifo(folder / "model.weights.h5")
    with pytest.raises(UsageError, match="it is a pipe"):
        Preset(folder).check()


def test_specs(tmp_path):
    folder = written(tmp_path / "made")
    for rest, device, dtype, said in (
        ("", "cpu", "auto", "no such folder"),
        (str(folder / "none"), "cpu", "auto", "no such folder"),
        (str(folder), "cuda", "auto", "computed on the CPU"),
        (str(folder), "cpu", "fp16", "computed in fp32"),
    ):
        with pytest.raises(UsageError, match=said):
            from_spec(rest, device=device, dtype=dtype, offline=True)


def test_the_backend_is_the_one_that_keras_would_take(tmp_path, monkeypatch):
    monkeypatch.delitem(__import__("sys").modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    assert backend() == "torch"
    monkeypatch.setenv("KERAS_BACKEND", "jacks")
    with pytest.raises(UsageError, match="says 'jacks'; did you mean 'jax'"):
        backend()
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert backend() == "torch"
