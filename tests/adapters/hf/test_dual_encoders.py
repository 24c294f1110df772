"""Dual encoders of transformers: each class tiny, held against the library itself, the contract and open_clip."""

import csv
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.contract.check import check_adapter
from mmbench.adapters.hf.adapter import from_spec
from mmbench.harness.errors import MmbenchError, UsageError, WeightsUnavailable
from mmbench.harness.models.abilities import ImageVectors
from tests.adapters.hf.converted import convert
from tests.adapters.hf.tiny import KINDS, WORDS, transformers
from tests.lazy import open_clip, torch

WITH_TEXTS = [kind for kind in KINDS if kind != "xclip"]
FULL = ("siglip", "siglip2")
FEW = ("clip", "siglip2", "xclip")
EACH = [each if each in FEW else pytest.param(each, marks=pytest.mark.long) for each in KINDS]
"""One of plain pictures, one of patches, one of clips, and all the others."""
TEXTS = [*WORDS, "a cat", "a red bird", "one gate", "some books on the old chair", "a cat " * 40]


def load(place, dtype="fp32"):
    return from_spec(str(place), device="cpu", dtype=dtype, offline=True)


def pictures():
    noise = np.random.default_rng(0)
    sizes = [(40, 30), (32, 32), (90, 50), (20, 64)]
    return [PIL.Image.fromarray(noise.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def copied(folder, to, **changes):
    """A copy of a checkpoint whose JSON files, by their stems, have other values."""
    shutil.copytree(folder, to)
    for stem, values in changes.items():
        file = to / f"{stem}.json"
        file.write_text(json.dumps({**(json.loads(file.read_text()) if file.exists() else {}), **values}))
    return to


def vectors(adapter, images):
    found = adapter.embed_images([adapter.prepare_image(each) for each in images])
    return found.embedding if isinstance(found, ImageVectors) else found


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", EACH)
def test_contract(kind, saved, tmp_path):
    other = copied(saved(kind), tmp_path / "prepared", preprocessor_config={"image_mean": [0.3, 0.3, 0.3]})
    check_adapter(
        partial(load, saved(kind)),
        changed={"weights": partial(load, saved(kind, 1)), "preparation": partial(load, other)},
        unchanged={"place": partial(load, shutil.copytree(saved(kind), tmp_path / "elsewhere"))},
    )


@pytest.mark.parametrize("kind", WITH_TEXTS)
def test_logits_are_those_of_plain_transformers(kind, saved):
    folder, adapter = saved(kind), load(saved(kind))
    made = transformers.BlipForImageTextRetrieval if kind == "blip" else transformers.AutoModel
    model = made.from_pretrained(folder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    tokens = transformers.AutoTokenizer.from_pretrained(folder, padding_side="right")
    length = model.config.text_config.max_position_embeddings
    texts = dict(tokens(TEXTS, padding="max_length", truncation=True, max_length=length, return_tensors="pt"))
    texts.pop("token_type_ids", None)
    if kind in FULL:
        texts.pop("attention_mask")
    seen = processor(pictures(), return_tensors="pt")
    with torch.inference_mode():
        out = model(**seen, **texts, **({"use_itm_head": False} if kind == "blip" else {}))
    theirs = (out.itm_score if kind == "blip" else out.logits_per_image).numpy()
    cosines = unit(vectors(adapter, pictures())) @ unit(adapter.embed_texts(TEXTS)).T
    scale = adapter.logit_scale or 1.0  # BLIP has none
    assert theirs.std() > 1e-3
    assert np.abs(cosines * scale + adapter.logit_bias - theirs).max() < 1e-5 * max(1, scale)


def test_a_picture_of_xclip_is_a_clip_that_stands_still(saved):
    adapter, model = load(saved("xclip")), transformers.AutoModel.from_pretrained(saved("xclip")).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(saved("xclip"), backend="pil")
    for picture in pictures():
        clip = processor([[picture] * 8], return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            theirs = model.get_video_features(clip.reshape(1, 8, 3, 32, 32)).pooler_output.numpy()
        assert np.abs(vectors(adapter, [picture]) - theirs).max() < 1e-5 * np.linalg.norm(theirs)


@pytest.mark.parametrize("kind", FULL)
def test_siglip_reads_lower_case_and_padding(kind, saved):
    adapter = load(saved(kind))
    assert np.array_equal(adapter.embed_texts(["A Photo"]), adapter.embed_texts(["a photo"]))


def test_naflex_keeps_the_patches_that_were_saved(saved):
    adapter = load(saved("siglip2"))
    made = adapter.prepare_image(PIL.Image.new("RGB", (64, 32)))
    assert made["pixel_values"].shape == (20, 8 * 8 * 3)
    assert made["spatial_shapes"].tolist() == [3, 6]


def test_truncation_is_told(saved):
    assert load(saved("clip")).truncates(["a cat", "b" * 62, "b" * 63]) == [False, False, True]
    assert load(saved("siglip")).truncates(["b" * 46, "b" * 47]) == [False, True]


def test_backend_is_part_of_the_identity(saved, tmp_path):
    folder = saved("clip")
    plain, other = load(folder), load(f"{folder},backend=torchvision")
    assert plain.fingerprint == load(f"{folder},backend=pil").fingerprint != other.fingerprint
    named = copied(folder, tmp_path / "fast", preprocessor_config={"image_processor_type": "CLIPImageProcessorFast"})
    assert load(named)._source.backend == "torchvision"
    far = np.abs(vectors(plain, pictures()) - vectors(other, pictures())).max()
    assert 0 < far < 0.5  # the same preparation, to the rounding of a resized picture


def test_sharded_and_pickled_weights(saved, tmp_path):
    whole = load(saved("clip"))
    model = transformers.AutoModel.from_pretrained(saved("clip"))
    shards = copied(saved("clip"), tmp_path / "shards")
    (shards / "model.safetensors").unlink()
    model.save_pretrained(shards, max_shard_size="50KB")
    assert len(load(shards)._source.checkpoint.weights) > 2
    pickled = copied(saved("clip"), tmp_path / "pickled")
    (pickled / "model.safetensors").unlink()
    torch.save(model.state_dict(), pickled / "pytorch_model.bin")
    for folder in (shards, pickled):
        assert np.array_equal(vectors(load(folder), pictures()), vectors(whole, pictures()))
    next(shards.glob("model-00002*")).unlink()
    with pytest.raises(UsageError, match="model-00002-of-.* is not there"):
        load(shards)


class Harm:
    def __reduce__(self):
        return os.system, ("touch harmed",)


def test_pickled_code_is_not_run(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = copied(saved("clip"), tmp_path / "harm")
    (folder / "model.safetensors").unlink()
    torch.save({"logit_scale": Harm()}, folder / "pytorch_model.bin")
    with pytest.raises(MmbenchError):
        vectors(load(folder), pictures())
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": {"auto_map": {"AutoModel": "own.Own"}}}, r"config\.json names code of its own \(auto_map\)"),
        ({"tokenizer_config": {"auto_map": {"AutoTokenizer": ["own.T", None]}}}, "tokenizer_config.json names code"),
        ({"preprocessor_config": {"auto_map": {"AutoImageProcessor": "own.I"}}}, "preprocessor_config.json names code"),
        ({"config": {"vision_config": {"_attn_implementation": "someone/kernel"}}}, "code of the hub"),
        ({"config": {"quantization_config": {"quant_method": "bitsandbytes"}}}, "quantised"),
        ({"config": {"model_type": "clap"}}, r"'clap' \(CLIPModel\); hf: reaches dual encoders, clip, metaclip_2"),
        ({"config": {"model_type": None}}, "of the type 'None'"),
        (
            {"config": {"text_config": {"hidden_size": 10**6, "num_hidden_layers": 10**6}}},
            "text_config of config.json asks for more weights",
        ),
        ({"adapter_config": {"base_model_name_or_path": "someone/else"}}, "LoRA"),
        ({"model.safetensors.index": {"weight_map": {"a": "../other.safetensors"}}}, None),
    ],
)
def test_refused_before_anything_is_loaded(changes, said, saved, tmp_path):
    folder = copied(saved("clip"), tmp_path / "changed", **changes)
    if said is None:
        (folder / "model.safetensors").unlink()
        said = "files outside the folder"
    with pytest.raises(UsageError, match=said):
        load(folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.safetensors", "no weights in it"),
        ("config.json", "no config.json"),
        ("tokenizer.json", "no tokenizer"),
        ("preprocessor_config.json", "how pictures are prepared"),
    ],
)
def test_what_is_not_there_is_named(name, said, saved, tmp_path):
    folder = copied(saved("clip"), tmp_path / "less")
    (folder / name).unlink()
    with pytest.raises(UsageError, match=said):
        load(folder)


def test_a_folder_of_folders_names_the_one_that_holds_a_model(saved, tmp_path):
    copied(saved("clip"), tmp_path / "trained" / "checkpoint-500")
    with pytest.raises(UsageError, match="no config.json.*; there is one in its folder checkpoint-500"):
        load(tmp_path / "trained")


def test_weights_of_another_model_are_refused(saved, tmp_path):
    other = copied(saved("clip"), tmp_path / "other")
    shutil.copy(saved("siglip") / "model.safetensors", other)
    with pytest.raises(UsageError, match="no weights, or of another shape, for"):
        vectors(load(other), pictures())
    wider = copied(saved("clip"), tmp_path / "wider", config={"projection_dim": 25})
    with pytest.raises(UsageError, match="wider"):
        vectors(load(wider), pictures())
    decoder = copied(saved("blip"), tmp_path / "decoder", config={"architectures": ["BlipForQuestionAnswering"]})
    with pytest.raises(UsageError, match="BlipForQuestionAnswering"):
        load(decoder)


def test_weights_that_were_saved_otherwise_are_told(saved, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = copied(saved("clip"), tmp_path / "otherwise")
    held = load_file(folder / "model.safetensors")
    save_file({f"module.{name}": each for name, each in held.items()}, folder / "model.safetensors")
    with pytest.raises(UsageError, match="another model's, or were saved in a wrapper: they have module.logit_scale"):
        vectors(load(folder), pictures())
    small = {name: (10 * each).to(torch.int8) if each.ndim > 1 else each for name, each in held.items()}
    save_file(small, folder / "model.safetensors")
    with pytest.raises(UsageError, match="in I8, and config.json has no quantization_config"):
        vectors(load(folder), pictures())
    (folder / "tokenizer.json").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n")
    with pytest.raises(UsageError, match=r"tokenizer\.json: a pointer of Git LFS, not the file"):
        load(folder)


def test_a_folder_and_a_configuration_of_any_name_and_number(saved, tmp_path):
    folder = copied(
        saved("clip"),
        tmp_path / "lr=1e-4,seed=1",
        config={"time_step_limit": [0.0, float("inf")], "return_dict": False},
    )
    assert load(folder).fingerprint != load(saved("clip")).fingerprint
    assert np.array_equal(vectors(load(folder), pictures()), vectors(load(saved("clip")), pictures()))


def test_a_tokenizer_without_an_end_token_is_refused(saved, tmp_path):
    folder = copied(saved("clip"), tmp_path / "endless")
    content = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps({**content, "post_processor": None}))
    with pytest.raises(UsageError, match="ends no text with the token 4"):
        load(folder).embed_texts(["a cat"])


def test_the_end_token_is_the_one_at_which_each_kind_reads(saved, twins, tmp_path):
    two = {"text_config": {**json.loads((saved("clip") / "config.json").read_text())["text_config"], "eos_token_id": 2}}
    for kind, said in (("clip", "the token of the largest id"), ("metaclip_2", "the token 2")):
        folder = copied(saved(kind), tmp_path / kind, config=two)
        with pytest.raises(UsageError, match=f"ends no text with {said}"):
            load(folder).embed_texts(["a cat"])
    plain = json.loads((twins[1] / "config.json").read_text())
    legacy = copied(twins[1], tmp_path / "legacy", config={"text_config": {**plain["text_config"], "eos_token_id": 2}})
    texts = ["a cat", "a red bird on the fence"]
    assert np.array_equal(load(legacy).embed_texts(texts), load(twins[1]).embed_texts(texts))


def test_specs(saved, tmp_path):
    for rest, said in (
        ("", "must be hf:ORG/NAME"),
        ("a/b/c", "must be hf:ORG/NAME"),
        ("a/../b", "must be"),
        ("./none", "no such folder"),
        (f"{saved('clip') / 'config.json'}", "is no folder"),
        (f"{saved('clip')},backend=gpu", "pil or torchvision"),
        (f"{saved('clip')},backend=pil,backend=pil", "twice"),
        (f"{saved('clip')},beckend=pil", "did you mean 'backend'"),
    ):
        with pytest.raises(UsageError, match=said):
            load(rest)
    with pytest.raises(WeightsUnavailable, match="^hf:nobody/nothing@v1: not in the hub's cache"):
        _ = load("nobody/nothing@v1").fingerprint


def in_cache(folder: Path, home: Path) -> None:
    """Lay a checkpoint into a hub cache as the hub's client does, its weights named by their digest."""
    import hashlib

    place = home / "models--some--model"
    for name in ("blobs", "refs", "snapshots/abc123"):
        (place / name).mkdir(parents=True)
    (place / "refs" / "main").write_text("abc123")
    for file in folder.iterdir():
        blob = place / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
        shutil.copy(file, blob)
        (place / "snapshots" / "abc123" / file.name).symlink_to(Path("../../blobs") / blob.name)


def test_a_cached_repository_is_the_model_of_its_copy(saved, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    in_cache(saved("clip"), tmp_path)
    for rest in ("some/model", "some/model@abc123"):
        adapter = load(rest)
        assert adapter.fingerprint == load(saved("clip")).fingerprint
        assert adapter.download_size() == 0
    assert vectors(load("some/model"), pictures()).shape == (4, 24)
    with pytest.raises(WeightsUnavailable):
        _ = load("some/model@other").fingerprint
    (tmp_path / "models--some--model" / "snapshots" / "abc123" / "model.safetensors").unlink()
    with pytest.raises(WeightsUnavailable):  # a download that was cut short
        _ = load("some/model").fingerprint


def photographs(photos: Path, count: int) -> list[tuple[Path, str]]:
    with (photos / "labels.csv").open() as file:
        rows = [(photos / row["file"], row["class_name"]) for row in csv.DictReader(file)]
    return rows[:count]


def tasks(folder: Path, rows: list[tuple[Path, str]]) -> dict[str, Path]:
    """Zero-shot classification, retrieval and a probe of photographs."""
    names = sorted({name for _, name in rows})
    lines = [
        {"image": str(file), "label": name, "captions": [f"a photo of a {name}"], "half": i % 2, "split": split}
        for i, (file, name) in enumerate(rows)
        for split in [("train", "train", "test")[i // 2 % 3]]
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    source = "source: {kind: jsonl, path: rows.jsonl}\n"
    texts = {
        "named": f"name: named\nfamily: zero-shot-classification\n{source}classes: {json.dumps(names)}\n"
        "fields: {image: image, label: label}\ntemplates: ['a photo of a {}.']\n",
        "found": f"name: found\nfamily: retrieval\n{source}fields: {{image: image, captions: captions}}\n",
        "probed": f"name: probed\nfamily: probe\n{source}fields: {{image: image, label: half, split: split}}\n"
        "classes: [even, odd]\nmethod: linear\nshots: []\n",
    }
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return {name: folder / f"{name}.yaml" for name in texts}


@pytest.mark.parametrize("kind", EACH)
def test_photographs_from_the_command_line(kind, saved, photos, tmp_path, command):
    asked = tasks(tmp_path, photographs(photos, 24))
    names = ["named", "found"] if kind in WITH_TEXTS else ["probed"]
    given = [part for name in names for part in ("--task", str(asked[name]))]
    status, out, err = command(
        "run", "--model", f"hf:{saved(kind)}", *given, "--output", str(tmp_path / "results"),
        "--store", str(tmp_path / "store.sqlite"), "--format", "json",
    )  # fmt: skip
    assert status == 0, err
    rows = json.loads(out)
    assert {row["task"] for row in rows} == {*names}
    assert all(row["coverage"] == 1 and row["model"] == saved(kind).name for row in rows)
    if kind == "xclip":
        status, _, err = command(
            "run", "--model", f"hf:{saved(kind)}", "--task", str(asked["found"]), "--output", str(tmp_path / "results"),
            "--store", str(tmp_path / "store.sqlite"),
        )  # fmt: skip
        assert status == 1 and "needs embed_texts" in err and "with --route likelihood" in err


UNIMPORTABLE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("transformers", "tokenizers"):
            raise ImportError(f"{name} is not to be imported")

sys.meta_path.insert(0, Refuse())
sys.argv = ["mmbench", *sys.argv[1:]]
from mmbench.harness.cli.app import main
try:
    main()
finally:
    assert "torch" not in sys.modules
"""


def test_a_warm_run_needs_no_library(saved, photos, tmp_path, command):
    asked = tasks(tmp_path, photographs(photos, 8))
    given = [
        "run", "--model", f"hf:{saved('siglip')}", "--task", str(asked["named"]), "--task", str(asked["found"]),
        "--output", str(tmp_path / "results"), "--store", str(tmp_path / "store.sqlite"), "--format", "json",
    ]  # fmt: skip
    status, cold, _ = command(*given)
    assert status == 0
    warm = subprocess.run([sys.executable, "-c", UNIMPORTABLE, *given], capture_output=True, text=True)
    assert warm.returncode == 0, warm.stderr
    assert json.loads(warm.stdout) == json.loads(cold)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """One CLIP as a folder of open_clip and as one of transformers."""
    pytest.importorskip("transformers")
    root = tmp_path_factory.mktemp("twins")
    ours = root / "of-open-clip"
    ours.mkdir()
    vision = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8}
    text = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
    config = {"embed_dim": 32, "vision_cfg": vision, "text_cfg": text}
    prepared = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    (ours / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": prepared}))
    torch.manual_seed(3)
    torch.save(open_clip.create_model(f"local-dir:{ours}").state_dict(), ours / "open_clip_pytorch_model.bin")
    model = open_clip.create_model(f"local-dir:{ours}")
    return ours, convert(model.eval(), root / "of-transformers")


def placed_alike(file: Path) -> bool:
    """Whether the margin of a centred crop is even: of an odd one the two libraries put the spare pixel elsewhere."""
    with PIL.Image.open(file) as picture:
        short, long = sorted(picture.size)
    return (int(32 * long / short) - 32) % 2 == 0


def test_open_clip_and_transformers_agree(twins, photos, tmp_path, command):
    from mmbench.adapters.open_clip.adapter import from_spec as of_open_clip

    ours, theirs = twins
    one, other = of_open_clip(str(ours), device="cpu", dtype="fp32", offline=True), load(theirs)
    rows = [row for row in photographs(photos, 200) if placed_alike(row[0])][:60]
    seen = [PIL.Image.open(file).convert("RGB") for file, _ in rows]
    texts = [f"A photo of a {name}, isn't it?" for _, name in rows] + ["word " * 100, ""]
    both = [adapter.embed_images([adapter.prepare_image(each) for each in seen]) for adapter in (one, other)]
    pairs = [
        (both[0].embedding, both[1].embedding),
        (both[0].features, both[1].features),
        (one.embed_texts(texts), other.embed_texts(texts)),
    ]
    for a, b in pairs:
        assert (np.abs(a - b).max(axis=1) < 1e-5 * np.linalg.norm(a, axis=1)).all()
    assert one.truncates(texts) == other.truncates(texts)
    assert one.logit_scale == pytest.approx(other.logit_scale)
    asked = tasks(tmp_path, rows)
    status, out, err = command(
        "run", "--model", f"open_clip:{ours}", "--model", f"hf:{theirs}", "--task", str(asked["named"]),
        "--task", str(asked["found"]), "--task", str(asked["probed"]), "--output", str(tmp_path / "results"),
        "--store", str(tmp_path / "store.sqlite"), "--format", "json",
    )  # fmt: skip
    assert status == 0, err
    scores: dict[str, dict[tuple[str, str], float]] = {}
    for row in json.loads(out):
        scores.setdefault(row["model"], {})[row["task"], row["metric"]] = row["value"]
    assert len(scores) == 2 and len(scores["of-open-clip"]) > 8
    assert scores["of-open-clip"] == scores["of-transformers"]
