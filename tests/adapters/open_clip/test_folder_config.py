import json
from dataclasses import fields
from pathlib import Path

import pytest

from mmbench.adapters.open_clip import catalogue, folder_config, recipe
from mmbench.harness.errors import UsageError
from tests.effort import within
from tests.lazy import open_clip

VISION = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8}
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
WEIGHTS = 5_000_000
"""Bytes; the towers above have some 1.7 million weights."""


def folder(tmp_path: Path, *, vision: object = None, text: object = None, extra: object = None, **model: object) -> str:
    content = {
        "model_cfg": {
            "embed_dim": 48,
            "vision_cfg": {**VISION, **(vision or {})},  # type: ignore[dict-item]
            "text_cfg": {**TEXT, **(text or {})},  # type: ignore[dict-item]
            **model,
        },
        **(extra or {}),  # type: ignore[dict-item]
    }
    (tmp_path / "open_clip_config.json").write_text(json.dumps(content))
    with (tmp_path / "open_clip_model.safetensors").open("wb") as file:
        file.truncate(WEIGHTS)
    (tmp_path / "tokenizer.json").write_text("{}")
    return str(tmp_path)


@pytest.mark.parametrize("name", sorted(catalogue.architectures()))
def test_every_published_configuration_passes(name: str) -> None:
    config = catalogue.config(name)
    folder_config.check_config(
        {"model_cfg": config, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}, Path("f")
    )
    assert folder_config._parameters(config) < 10_000_000_000


def test_keys_are_those_of_the_installed_open_clip() -> None:
    from open_clip.coca_model import MultimodalCfg
    from open_clip.model import CLIPTextCfg, CLIPVisionCfg
    from open_clip.transform import PreprocessCfg

    ours = (folder_config._Vision, folder_config._Text, folder_config._Multimodal, folder_config._Preprocess)
    theirs = (CLIPVisionCfg, CLIPTextCfg, MultimodalCfg, PreprocessCfg)
    for own, each in zip(ours, theirs, strict=True):
        assert set(own.model_fields) == {field.name for field in fields(each)}


def test_no_more_weights_are_counted_than_a_model_has() -> None:
    made = {
        "RN50": {"embed_dim": 64, "vision_cfg": {"image_size": 64, "layers": [1, 2, 1, 1], "width": 16}},
        "ViT": {"embed_dim": 48, "vision_cfg": VISION},
    }
    for name, config in made.items():
        open_clip.factory._MODEL_CONFIGS[f"counted-{name}"] = config = {**config, "text_cfg": TEXT}
        model = open_clip.create_model(f"counted-{name}")
        counted = folder_config._parameters(config)
        held = sum(each.numel() for each in model.parameters())
        assert 0.5 * held < counted <= held


def test_a_folder_as_open_clip_saves_it_is_read(tmp_path: Path) -> None:
    kwargs = {"clean": "canonicalize", "strip_sep_token": True}
    text = {"hf_tokenizer_name": "owner/name", "tokenizer_kwargs": kwargs}
    made = recipe.parse(folder(tmp_path, text=text, extra={"preprocess_cfg": {"mean": [0, 0, 0], "std": [1, 1, 1]}}))
    assert made.text["tokenizer_kwargs"] == kwargs
    assert made.preprocessing.std == (1, 1, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": {"tokenizer_kwargs": {"trust_remote_code": True}}}, "text_cfg.tokenizer_kwargs.trust_remote_code'"),
        ({"text": {"tokenizer_kwargs": {"cache_dir": "/etc"}}}, "text_cfg.tokenizer_kwargs.cache_dir'"),
        ({"text": {"tokenizer_kwargs": {"reduction_mask": "syntax"}}}, "tokenizer_kwargs.reduction_mask'"),
        ({"text": {"hf_model_name": "/tmp/code"}}, "'model_cfg.text_cfg.hf_model_name'"),  # noqa: S108
        ({"text": {"hf_model_name": "../code"}}, "'model_cfg.text_cfg.hf_model_name'"),
        ({"text": {"hf_tokenizer_name": "local-dir:code"}}, "'model_cfg.text_cfg.hf_tokenizer_name'"),
        ({"vision": {"timm_model_name": "hf-hub:owner/code"}}, "'model_cfg.vision_cfg.timm_model_name'"),
        ({"vision": {"timm_model_name": "local-dir:code"}}, "'model_cfg.vision_cfg.timm_model_name'"),
        ({"vision": {"act_kwargs": {"inplace": True}}}, "act_kwargs.inplace'"),
        ({"vision": {"wdith": 3}}, "vision_cfg.wdith' is not a key that is read from a folder; did you mean 'width'"),
        ({"text": {"layers": 10**6}}, "'model_cfg.text_cfg.layers': input should be less than or equal to 256"),
        ({"text": {"layers": 10**400}}, "'model_cfg.text_cfg.layers'"),
        ({"vision": {"layers": [3, 4, 6]}}, "'model_cfg.vision_cfg.layers'"),
        ({"vision": {"image_size": 10**6}}, "'model_cfg.vision_cfg.image_size'"),
        ({"vision": {"image_size": "224"}}, "'model_cfg.vision_cfg.image_size'"),
        ({"vision": {"patch_size": 0}}, "'model_cfg.vision_cfg.patch_size'"),
        ({"text": {"vocab_size": 10**9}}, "'model_cfg.text_cfg.vocab_size'"),
        ({"text": {"context_length": 10**6}}, "'model_cfg.text_cfg.context_length'"),
        ({"text": {"heads": True}}, "'model_cfg.text_cfg.heads'"),
        ({"embed_dim": 10**8}, "'model_cfg.embed_dim'"),
        ({"embed_dim": None}, "'model_cfg.embed_dim'"),
        ({"vision_cfg": [1]}, "'model_cfg.vision_cfg'"),
        ({"multimodal_cfg": {"n_queries": 10**7}}, "'model_cfg.multimodal_cfg.n_queries'"),
        ({"text": {"layers": 200, "width": 16_384}}, "asks for at least"),
        ({"vision": {"layers": [9, 9, 9, 9], "width": 4096}}, "asks for at least"),
        ({"text": {"vocab_size": 900_000, "width": 4096}}, "asks for at least"),
        ({"extra": {"preprocess_cfg": {"mean": ["a", 0, 0]}}}, "'preprocess_cfg.mean"),
        ({"extra": {"preprocess_cfg": {"mean": [127.5] * 3}}}, "'preprocess_cfg.mean"),
        ({"extra": {"preprocess_cfg": {"std": [0, 0, float("nan")]}}}, "'preprocess_cfg.std"),
        ({"extra": {"preprocess_cfg": {"fill_color": "x"}}}, "'preprocess_cfg.fill_color'"),
        ({"extra": {"auto_map": {"AutoModel": "code.Model"}}}, "'auto_map'"),
    ],
)
def test_a_folder_that_asks_for_more_is_refused_by_key(tmp_path: Path, given: dict[str, object], said: str) -> None:
    with within(2), pytest.raises(UsageError) as error:
        recipe.parse(folder(tmp_path, **given))
    assert said in str(error.value)
    assert "open_clip_config.json: " in str(error.value)
    assert len(str(error.value)) < 700 and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        "[" * 200_000,
        "[1]",
        "1" * 5000,
        '{"model_cfg": ' + "9" * 5000 + "}",
        " " * 2_000_000,
        "version https://git-lfs.github.com/spec/v1",
    ],
)
def test_a_configuration_that_is_none_is_one_sentence(tmp_path: Path, content: str) -> None:
    folder(tmp_path)
    (tmp_path / "open_clip_config.json").write_text(content)
    with pytest.raises(UsageError, match=r"open_clip_config\.json: "):
        recipe.parse(str(tmp_path))


def test_code_beside_a_text_tower_of_the_hub_is_seen(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"auto_map": {"AutoModel": "code.Model"}}')
    assert folder_config.brings_code(config)
    config.write_text('{"model_type": "roberta"}')
    assert not folder_config.brings_code(config)


def test_what_ships_with_the_package_is_sound() -> None:
    files = sorted(recipe._MODELS.glob("*/open_clip_config.json"))
    assert files
    for file in files:
        folder_config.check_config(json.loads(file.read_text()), file)
        assert recipe._folder(file.parent) == recipe._folder(file.parent, sound=True)
