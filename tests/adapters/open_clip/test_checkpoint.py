"""What training code saves is read, or refused by name: never a model that is not what the user thinks it is."""

import argparse
import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.adapters.open_clip.adapter import OpenClip, from_spec
from mmbench.adapters.open_clip.catalogue import OWN_CONFIGS
from mmbench.adapters.open_clip.checkpoint import read_states
from mmbench.adapters.open_clip.fit import architectures_of
from mmbench.harness.errors import MmbenchError, UsageError
from tests.lazy import open_clip, safetensors, torch

TINY = "mmbench-untrained-tiny"
State = dict[str, Any]


def load(path: Path, options: str = "", name: str = TINY) -> OpenClip:
    return from_spec(f"{name}@{path}{options}", device="cpu", dtype="fp32", offline=True)


def vector(path: Path, options: str = "") -> np.ndarray:
    return load(path, options).embed_texts(["a cat"])


def refusal(path: Path, options: str = "", name: str = TINY) -> str:
    with pytest.raises(MmbenchError) as caught:
        load(path, options, name).embed_texts(["a cat"])
    message = str(caught.value)
    assert "\n" not in message and len(message) < 900 and path.name in message
    return message


def made(seed: int, **changes: Any) -> State:
    """The weights of the tiny towers, with sections of their configuration changed."""
    config = json.loads((OWN_CONFIGS / f"{TINY}.json").read_text())
    for section, values in changes.items():
        config[section] = {**config[section], **values} if isinstance(values, dict) else values
    open_clip.factory._MODEL_CONFIGS["checkpoint-test"] = config
    torch.manual_seed(seed)
    return dict(open_clip.create_model("checkpoint-test").state_dict())


@pytest.fixture(scope="module")
def state() -> State:
    return made(1)


@pytest.fixture(scope="module")
def other() -> State:
    return made(2)


@pytest.fixture(scope="module")
def expected(state: State, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return vector(saved(state, tmp_path_factory.mktemp("expected")))


def saved(content: object, folder: Path, name: str = "model.pt") -> Path:
    torch.save(content, folder / name)
    return folder / name


def under(prefix: str, state: State) -> State:
    return {prefix + name: each for name, each in state.items()}


PREFIXES = ("", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "clip.")
NAMED = [
    (prefix, key) if key == "state_dict" or prefix == "module." else pytest.param(prefix, key, marks=pytest.mark.long)
    for prefix in PREFIXES
    for key in (None, "state_dict", "model_state_dict", "ema")
]
"""Each prefix below one key, one prefix below each key, and all the others."""


@pytest.mark.parametrize(("prefix", "key"), NAMED)
def test_names_that_wrappers_and_bundles_add_are_taken_off(
    tmp_path: Path, state: State, expected: np.ndarray, prefix: str, key: str | None
) -> None:
    named = under(prefix, state)
    optimiser = {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 1.0, "params": [0]}]}
    content = named if key is None else {"epoch": 3, key: named, "optimizer": optimiser, "scaler": None}
    assert np.array_equal(vector(saved(content, tmp_path)), expected)


def test_other_forms_of_the_same_weights(tmp_path: Path, state: State, expected: np.ndarray) -> None:
    inside = {name.replace("visual.", "visual._orig_mod."): each for name, each in state.items()}
    averaged = {**under("module.", state), "n_averaged": torch.tensor(3)}
    for content in (inside, averaged, {"state": {"model": state}}, {"state_dict": state, "best": 0.5}):
        assert np.array_equal(vector(saved(content, tmp_path)), expected)
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert np.array_equal(vector(tmp_path / "old.pt"), expected)
    safetensors.save_file(state, tmp_path / "renamed.pt")
    assert np.array_equal(vector(tmp_path / "renamed.pt"), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_weights_of_other_precision(tmp_path: Path, state: State, expected: np.ndarray, dtype: str) -> None:
    file = saved({name: each.to(getattr(torch, dtype)) for name, each in state.items()}, tmp_path)
    assert np.abs(vector(file) - expected).max() < 0.05 * np.abs(expected).max()


def test_weights_whose_scale_is_not_told_are_refused(tmp_path: Path, state: State) -> None:
    small = {name: (10 * each).to(torch.int8) if each.ndim > 1 else each for name, each in state.items()}
    with pytest.raises(UsageError, match=r"it holds the \d+ keys .* in torch\.int8, and no scale"):
        vector(saved(small, tmp_path))


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("state_dict", "ema"), "state_dict"),
        (("model", "model_ema"), "model"),
        (("model_state_dict", "ema_state_dict"), "model_state_dict"),
    ],
)
def test_of_several_sets_of_weights_one_is_chosen(
    tmp_path: Path, state: State, other: State, expected: np.ndarray, names: tuple[str, str], wanted: str
) -> None:
    file = saved({names[0]: state, names[1]: other}, tmp_path)
    said = refusal(file)
    assert f"holds 2 sets of weights, {names[0]}, {names[1]}; choose one, as in @model.pt,weights={names[1]}" in said
    assert np.array_equal(vector(file, f",weights={wanted}"), expected)
    assert not np.array_equal(vector(file, f",weights={names[1]}"), expected)
    prints = {load(file, options).fingerprint for options in ("", *(f",weights={name}" for name in names))}
    assert len(prints) == 3
    assert "has no weights 'emma'" in refusal(file, ",weights=emma")


def test_sets_within_sets(tmp_path: Path, state: State, other: State, expected: np.ndarray) -> None:
    file = saved({"model": other, "ema": {"module": state, "decay": 0.999}}, tmp_path)
    assert "model, ema.module" in refusal(file)
    assert np.array_equal(vector(file, ",weights=ema"), expected)
    file = saved({"state_dict": {**under("model.", other), **under("ema.", state)}}, tmp_path)
    assert "state_dict.ema, state_dict" in refusal(file)
    assert np.array_equal(vector(file, ",weights=ema"), expected)
    file = saved({**other, **under("teacher.", state)}, tmp_path)
    assert np.array_equal(vector(file, ",weights=teacher"), expected)


@pytest.mark.parametrize(
    ("changes", "said", "interpolated"),
    [
        ({"vision_cfg": {"image_size": 32}}, "trained with pictures of 32 pixels, here are 64", True),
        ({"text_cfg": {"context_length": 32}}, "trained with texts of 32 tokens, here are 77", True),
        ({"vision_cfg": {"patch_size": 16}}, "trained with patches of 16 pixels, here are 8", False),
        ({"text_cfg": {"vocab_size": 1000}}, "trained with a vocabulary of 1000 tokens, here are 49408", False),
        ({"embed_dim": 32}, "trained with vectors of 32 numbers, here are 64", False),
        ({"vision_cfg": {"width": 64}}, "trained with a picture tower 64 wide, here are 128", False),
        ({"text_cfg": {"width": 128}}, "trained with a text tower 128 wide", False),
        ({"vision_cfg": {"layers": 4}}, "it has the unknown 12 keys visual.transformer.resblocks.3.", False),
        ({"text_cfg": {"layers": 1}}, "it lacks the 12 keys transformer.resblocks.1.", False),
        ({"custom_text": True}, "it lacks the 29 keys ln_final.bias", False),
    ],
)
def test_weights_of_another_architecture_are_refused_by_name(
    tmp_path: Path, changes: Mapping[str, Any], said: str, interpolated: bool
) -> None:
    file = saved(made(1, **changes), tmp_path)
    message = refusal(file)
    assert said in message and f"does not fit open_clip:{TINY}" in message
    assert (",interpolate=true" in message) == interpolated
    if interpolated:
        adapter = load(file, ",interpolate=true")
        assert np.isfinite(adapter.embed_texts(["a cat"])).all()
        assert "interpolated" in adapter.notes[0]
        assert adapter.fingerprint != load(file).fingerprint
    else:
        assert said in refusal(file, ",interpolate=true")


def test_the_architecture_of_weights_is_known() -> None:
    for name in ("ViT-B-32-256", "ViT-B-16", "ViT-L-14-336"):
        with torch.device("meta"):
            model = open_clip.create_model(name, load_weights=False, device="meta")
        assert name in architectures_of({key: tuple(each.shape) for key, each in model.state_dict().items()})


def test_options_that_have_no_meaning(tmp_path: Path, state: State) -> None:
    file = saved(state, tmp_path)
    for rest, said in (
        (f"{TINY}/untrained,weights=ema", "are for a file of yours"),
        (f"{TINY}@{file},interpolate=yes", "interpolate is true or false"),
        (f"{TINY}@{file},weights=a,weights=b", "weights is given twice"),
    ):
        with pytest.raises(UsageError, match=said):
            from_spec(rest, device="cpu", dtype="fp32", offline=True)
    assert "has no weights 'ema'; it has model" in refusal(file, ",weights=ema")
    assert load(file, ",interpolate=false").fingerprint == load(file).fingerprint


class Runs:
    """Code in a pickle."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("ran"),)


def test_files_that_hold_no_weights_are_told_at_once(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = {
        "pointer.pt": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 3\n", "git lfs pull"),
        "page.pt": (b"<!DOCTYPE html><html>404</html>", "a web page"),
        "empty.pt": (b"", "an empty file"),
        "text.pt": (b"hello\n" * 100, "damaged"),
        "code.pt": (pickle.dumps(Runs()), "not loaded"),
    }
    for name, (content, said) in told.items():
        (tmp_path / name).write_bytes(content)
        assert said in refusal(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "zip.pt", "w") as archive:
        archive.writestr("a.txt", "a")
    assert "damaged" in refusal(tmp_path / "zip.pt")
    torch.save({"state_dict": state, "code": Runs()}, tmp_path / "code2.pt")
    assert "could run code and is not loaded" in refusal(tmp_path / "code2.pt")
    torch.save({"state_dict": state, "args": argparse.Namespace(lr=1)}, tmp_path / "args.pt")
    assert "argparse.Namespace" in refusal(tmp_path / "args.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"vision_model.embeddings.class_embedding": 1, "text_projection.weight": 1}, "transformers' CLIPModel"),
        ({"state_dict": {"model.vision_model.x": 1}}, "transformers' CLIPModel"),
        ({"base_model.layer.lora_A.weight": 1}, "LoRA weights alone"),
        ({"optimizer": {"state": {}}, "epoch": 3}, "holds no state dict of a model of open_clip"),
        ({"conv1.weight": 1, "layer1.0.bn1.weight": 1}, "it has conv1.weight, layer1.0.bn1.weight"),
        ([1, 2], "holds no state dict"),
        ({}, "holds no state dict"),
    ],
)
def test_weights_of_other_libraries_are_named(tmp_path: Path, content: Any, said: str) -> None:
    def tensors(value: Any) -> Any:
        return {key: tensors(each) for key, each in value.items()} if isinstance(value, dict) else torch.zeros(1)

    assert said in refusal(saved(tensors(content) if isinstance(content, dict) else content, tmp_path))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mp_rank_00_model_states.pt", "split by DeepSpeed; join it by its zero_to_fp32.py"),
        ("global_step9/zero_pp_rank_0_mp_rank_00_optim_states.pt", "split by DeepSpeed"),
        ("__0_0.distcp", "split by torch.distributed.checkpoint"),
        ("model.safetensors.index.json", "split by transformers"),
        ("model.pt", "is a folder; name a file in it"),
    ],
)
def test_folders_of_sharded_weights_are_named(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=said):
        load(tmp_path)


@pytest.mark.parametrize("prefixes", [("", "module."), ("model.", "module.")])
def test_two_sets_side_by_side_are_never_chosen_in_silence(
    tmp_path: Path, state: State, other: State, prefixes: tuple[str, str]
) -> None:
    path = saved({**under(prefixes[0], state), **under(prefixes[1], other)}, tmp_path)
    assert "holds 2 sets of weights" in refusal(path)
    assert np.array_equal(vector(path, ",weights=module"), vector(saved(other, tmp_path, "other.pt")))


def test_weights_under_the_names_of_apple_are_found(tmp_path: Path) -> None:
    path = saved({"image_encoder.model.head.proj": torch.ones(2, 2), "logit_scale": torch.ones(())}, tmp_path)
    assert set(read_states(path)) == {""}
