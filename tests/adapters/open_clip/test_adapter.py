import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.contract.check import check_adapter
from mmbench.adapters.open_clip.adapter import OpenClip, from_spec
from mmbench.adapters.open_clip.catalogue import OWN_CONFIGS, _module, architectures, preprocessing, tags
from mmbench.adapters.shared.lengths import groups
from mmbench.harness.errors import MmbenchError, OutOfMemory, UsageError, WeightsUnavailable
from mmbench.harness.models.abilities import ImageVectors
from mmbench.harness.records.outcomes import read_outcomes
from mmbench.harness.run.run import run
from tests.lazy import open_clip, safetensors, torch

TINY = "mmbench-untrained-tiny"
VISION = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8}
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
COCA_TEXT = {**TEXT, "embed_cls": True, "output_tokens": True, "context_length": 76}
CONFIGS = {
    "clip": {"embed_dim": 48, "vision_cfg": VISION, "text_cfg": TEXT},
    "quickgelu": {"embed_dim": 48, "quick_gelu": True, "vision_cfg": VISION, "text_cfg": TEXT},
    "custom": {"embed_dim": 48, "custom_text": True, "vision_cfg": VISION, "text_cfg": {**TEXT, "proj_bias": True}},
    "eos": {"embed_dim": 48, "vision_cfg": VISION, "text_cfg": {**TEXT, "pool_type": "eos", "eos_id": 49407}},
    "average": {"embed_dim": 48, "vision_cfg": {**VISION, "pool_type": "avg"}, "text_cfg": TEXT},
    "bidirectional": {
        "embed_dim": 48,
        "custom_text": True,
        "vision_cfg": VISION,
        "text_cfg": {**TEXT, "no_causal_mask": True, "pool_type": "last"},
    },
    "resnet": {"embed_dim": 48, "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8}, "text_cfg": TEXT},
    "coca": {
        "embed_dim": 48,
        "custom_text": True,
        "vision_cfg": {**VISION, "attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True},
        "text_cfg": COCA_TEXT,
        "multimodal_cfg": {**TEXT, "context_length": 76, "attn_pooler_heads": 2},
    },
}
SENTENCE = "a photo of the large grey cat that sleeps on an old wooden chair beside some books"
WORDS = SENTENCE.split()
TEXTS = [" ".join(WORDS[:n]) for n in (1, 16, 3, 3, 9, 0, 12, 5)] + [
    "cat " * 200,
    "x <end_of_text> y",
    " ".join(WORDS * 4),
]


def load(rest, dtype="fp32"):
    return from_spec(rest, device="cpu", dtype=dtype, offline=True)


def pictures():
    noise = np.random.default_rng(0)
    sizes = [(40, 30), (32, 32), (90, 50), (20, 64)]
    return [PIL.Image.fromarray(noise.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def saved(folder, config, preprocess=None):
    """A folder as open_clip saves it, with seeded weights."""
    folder.mkdir(exist_ok=True)
    chosen = preprocess or {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": chosen}))
    torch.manual_seed(7)
    torch.save(open_clip.create_model(f"local-dir:{folder}").state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


@dataclass(frozen=True)
class Files:
    folder: Path
    pt: Path
    safetensors: Path
    training: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    root = tmp_path_factory.mktemp("weights")
    open_clip.add_model_config(OWN_CONFIGS / f"{TINY}.json")
    torch.manual_seed(1)
    state = open_clip.create_model(TINY).state_dict()
    torch.save(state, root / "tiny.pt")
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}, root / "epoch_3.pt")
    safetensors.save_file(state, root / "tiny.safetensors")
    return Files(
        saved(root / "folder", CONFIGS["clip"]), root / "tiny.pt", root / "tiny.safetensors", root / "epoch_3.pt"
    )


def close(ours, theirs):
    """Rows differ by less than 1e-6 of their norm."""
    theirs = theirs.numpy()
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    assert (np.abs(ours - theirs).max(axis=1) < 1e-6 * np.linalg.norm(theirs, axis=1)).all()


@pytest.mark.parametrize("kind", CONFIGS)
def test_embeddings_are_those_of_plain_open_clip(kind, tmp_path):
    folder = saved(tmp_path / kind, CONFIGS[kind])
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()
    adapter = load(str(folder))
    with torch.inference_mode():
        images = model.encode_image(torch.stack([transform(p) for p in pictures()]), normalize=False)
        texts = model.encode_text(tokenizer(TEXTS), normalize=False)
    vectors = adapter.embed_images([adapter.prepare_image(p) for p in pictures()])
    if kind == "resnet":
        assert np.array_equal(vectors, images.numpy())
    else:
        assert isinstance(vectors, ImageVectors)
        assert np.array_equal(vectors.embedding, images.numpy())  # to the bit: the same operations
        projected = vectors.features @ model.visual.proj.detach().numpy()
        assert np.abs(projected - vectors.embedding).max() < 1e-5
        assert vectors.features.shape[1] == (48 if kind == "coca" else 64)
    close(adapter.embed_texts(TEXTS), texts)
    assert adapter.logit_scale == pytest.approx(1 / 0.07)


@pytest.mark.parametrize("bias", [None, -9.0])
def test_how_sure_it_is_follows_its_own_logits(bias, tmp_path):
    siglip = {} if bias is None else {"init_logit_bias": bias, "custom_text": True}
    folder = saved(tmp_path / "model", {**CONFIGS["clip"], **siglip})
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    names, labels = ["a cat", "two dogs", "an owl"], [0, 1, 2, 0]
    rows = [{"image": f"{i}.png", "label": names[right]} for i, right in enumerate(labels)]
    for i, picture in enumerate(pictures()):
        picture.save(tmp_path / f"{i}.png")
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    keys = "family: zero-shot-classification\nsource: {kind: jsonl, path: items.jsonl}\nmetrics: [accuracy, nll]\n"
    (tmp_path / "t.yaml").write_text(f"name: t\n{keys}classes: {json.dumps(names)}\ntemplates: ['{{}}']\n")
    files = {"output": tmp_path / "results", "store": tmp_path / "store.sqlite"}
    (record,) = run(load(str(folder)), task=str(tmp_path / "t.yaml"), **files).records
    outcomes = read_outcomes(tmp_path / "results" / "runs" / record.model / record.file_name)
    model.eval()
    with torch.inference_mode():
        seen = torch.stack([transform(PIL.Image.open(tmp_path / f"{i}.png")) for i in range(4)])
        left = model.encode_image(seen, normalize=True)
        right = model.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(names), normalize=True)
        logits = (model.logit_scale.exp() * left @ right.T).double() + (0.0 if bias is None else model.logit_bias)
        shares = logits.softmax(dim=1) if bias is None else logits.sigmoid()
    heard = [each.statistics["sureness"][0] for each in outcomes]
    assert heard == pytest.approx(shares.max(dim=1).values.tolist(), abs=1e-6)


def test_trimmed_texts_do_not_depend_on_their_batch(files):
    adapter = load(str(files.folder))
    together = adapter.embed_texts(TEXTS)
    alone = np.concatenate([adapter.embed_texts([text]) for text in TEXTS])
    close(together, torch.from_numpy(alone))


def test_groups_cover_every_row_once_and_longest_rows_fit():
    lengths = [int(n) for n in np.random.default_rng(0).integers(3, 78, 300)]
    for cost in (0, 1, 50, 10**9):
        found = groups(lengths, cost)
        assert sorted(row for rows, _ in found for row in rows) == list(range(300))
        assert all(max(lengths[row] for row in rows) == longest for rows, longest in found)
    assert len(groups(lengths, 0)) == len(set(lengths))
    assert len(groups(lengths, 10**9)) == 1


def test_truncates_counts_start_and_end(files):
    adapter = load(str(files.folder))
    assert adapter.truncates(["cat", "cat " * 75, "cat " * 76]) == [False, False, True]
    dense = ["\u0130" * n for n in range(15, 80)] + ["\U0001f9ff" * n for n in range(10, 40)]  # many tokens a letter
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    assert adapter.truncates(dense) == [len(tokenizer.encode(text)) + 2 > 77 for text in dense]


def test_adapter_keeps_the_contract(files, tmp_path):
    changed = saved(tmp_path / "other", CONFIGS["clip"], {"mean": [0.1] * 3, "std": [0.5] * 3})
    copy = shutil.copytree(files.folder, tmp_path / "copy")
    check_adapter(
        lambda: load(str(files.folder)),
        changed={"mean and std": lambda: load(str(changed)), "dtype": lambda: load(str(files.folder), "bf16")},
        unchanged={"path": lambda: load(str(copy))},
        tune_settings={"epochs": 2},
    )


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("clip", "fp16"),
        ("resnet", "bf16"),
        *(
            pytest.param(kind, dtype, marks=pytest.mark.long)
            for kind in ("clip", "bidirectional", "resnet", "coca")
            for dtype in ("fp16", "bf16")
            if (kind, dtype) not in (("clip", "fp16"), ("resnet", "bf16"))
        ),
    ],
)
def test_low_precision_comes_back_as_float32(kind, dtype, tmp_path):
    folder = str(saved(tmp_path / kind, CONFIGS[kind]))
    adapter, exact = load(folder, dtype), load(folder)
    half, full = adapter.embed_texts(TEXTS), exact.embed_texts(TEXTS)
    assert half.dtype == np.float32 and np.abs(half - full).max() < 0.1 * np.abs(full).max()
    images = [adapter.prepare_image(p) for p in pictures()]
    half, full = (getattr(v, "embedding", v) for v in (adapter.embed_images(images), exact.embed_images(images)))
    assert half.dtype == np.float32 and np.abs(half - full).max() < 0.1 * np.abs(full).max()
    assert adapter.fingerprint != exact.fingerprint
    assert adapter.logit_scale == exact.logit_scale


# ---- what a spec may name


def test_same_weights_in_every_container(files):
    expected = load(f"{TINY}@{files.pt}").embed_texts(TEXTS)
    for other in (files.safetensors, files.training):
        assert np.array_equal(load(f"{TINY}@{other}").embed_texts(TEXTS), expected)


def test_fingerprint_follows_content_not_path(files, tmp_path):
    copy = tmp_path / "elsewhere.pt"
    shutil.copy(files.pt, copy)
    first = load(f"{TINY}@{files.pt}")
    assert first.fingerprint == load(f"{TINY}@{copy}").fingerprint
    assert first.download_size() == 0
    state = torch.load(copy)
    state["logit_scale"] += 1
    torch.save(state, copy)
    assert first.fingerprint != load(f"{TINY}@{copy}").fingerprint


def test_fingerprint_follows_preprocessing_and_activation(tmp_path):
    mean = {"mean": [0.5] * 3, "std": [0.5] * 3}
    folders = [
        saved(tmp_path / "a", CONFIGS["clip"], mean),
        saved(tmp_path / "b", CONFIGS["clip"], {**mean, "std": [0.4] * 3}),
        saved(tmp_path / "c", CONFIGS["clip"], {**mean, "resize_mode": "squash"}),
        saved(tmp_path / "d", CONFIGS["clip"], {**mean, "interpolation": "bilinear"}),
        saved(tmp_path / "e", CONFIGS["quickgelu"], mean),
    ]
    assert len({load(str(folder)).fingerprint for folder in folders}) == len(folders)


def test_checkpoint_takes_the_preprocessing_on_which_all_tags_agree():
    assert preprocessing("ViT-B-16-SigLIP").mean == (0.5, 0.5, 0.5)
    assert preprocessing("ViT-B-16-SigLIP").resize_mode == "squash"
    assert preprocessing("ViT-B-32").mean == tuple(open_clip.OPENAI_DATASET_MEAN)
    assert preprocessing(TINY).mean == tuple(open_clip.OPENAI_DATASET_MEAN)


def test_untrained_is_the_same_each_time_and_leaves_the_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = load(f"{TINY}/untrained").embed_texts(["cat"])
    assert torch.equal(torch.rand(1), expected)
    assert np.array_equal(first, load(f"{TINY}/untrained").embed_texts(["cat"]))
    torch.manual_seed(0)
    model = open_clip.create_model(TINY).eval()
    with torch.inference_mode():
        close(first, model.encode_text(open_clip.get_tokenizer(TINY)(["cat"])))


def test_own_tables_are_those_of_open_clip():
    assert set(open_clip.list_models()) >= set(architectures()) - {TINY}
    assert dict(_module("pretrained")._PRETRAINED) == open_clip.pretrained._PRETRAINED
    assert tags("ViT-B-32-quickgelu") == open_clip.list_pretrained_tags_by_model("ViT-B-32-quickgelu")


# ---- nothing heavy before the first question


def python(code, *args, **env):
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("HF_")}
    done = subprocess.run([sys.executable, "-c", code, *args], env={**clean, **env}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()


LAZY = """
import sys
from mmbench.adapters.open_clip.adapter import from_spec
from mmbench.harness.models.abilities import abilities
for rest in sys.argv[1:]:
    adapter = from_spec(rest, device="auto", dtype="auto", offline=True)
    print(adapter.fingerprint, adapter.download_size(), len(abilities(adapter)))
print(sorted({"torch", "open_clip", "transformers", "timm", "torchvision"} & set(sys.modules)))
"""


def fake_cache(root, tag, source):
    """The hub's cache with one file, as its client lays it out."""
    row = open_clip.pretrained.get_pretrained_cfg(*tag)
    repo = root / f"models--{row['hf_hub'].rstrip('/').replace('/', '--')}"
    with source.open("rb") as file:
        name = hashlib.file_digest(file, "sha256").hexdigest()
    for part in ("blobs", "refs", "snapshots/abc"):
        (repo / part).mkdir(parents=True)
    (repo / "blobs" / name).hardlink_to(source)
    (repo / "refs" / "main").write_text("abc")
    (repo / "snapshots" / "abc" / "open_clip_model.safetensors").symlink_to(f"../../blobs/{name}")
    return root


def test_fingerprints_import_nothing_heavy(files, tmp_path):
    cache = fake_cache(tmp_path / "hub", ("ViT-B-32-quickgelu", "openai"), files.safetensors)
    copy = tmp_path / "copy.safetensors"
    shutil.copy(files.safetensors, copy)
    specs = [
        f"{TINY}@{files.pt}",
        str(files.folder),
        "ViT-B-32-quickgelu/openai",
        f"ViT-B-32-quickgelu@{copy}",
        f"{TINY}/untrained",
    ]
    lines = python(LAZY, *specs, HF_HUB_CACHE=str(cache), HF_ENDPOINT="http://127.0.0.1:9", CUDA_VISIBLE_DEVICES="")
    assert lines[-1] == "[]"
    assert lines[2] == lines[3]  # the blob's name in the cache and the content of a copy are one identity
    assert len(set(lines[:-1])) == 4
    assert lines[0] == f"{load(f'{TINY}@{files.pt}').fingerprint} 0 3"


@pytest.mark.long
def test_cached_tag_runs_offline(tmp_path):
    torch.manual_seed(3)
    model = open_clip.create_model("ViT-B-32-quickgelu")
    safetensors.save_file(model.state_dict(), tmp_path / "w.safetensors")
    cache = fake_cache(tmp_path / "hub", ("ViT-B-32-quickgelu", "openai"), tmp_path / "w.safetensors")
    code = """
import sys
from mmbench.adapters.open_clip.adapter import from_spec
adapter = from_spec("ViT-B-32-quickgelu/openai", device="cpu", dtype="auto", offline=True)
print(*adapter.embed_texts(["a cat"])[0].tolist())
"""
    (line,) = python(code, HF_HUB_CACHE=str(cache), HF_ENDPOINT="http://127.0.0.1:9")
    with torch.inference_mode():
        expected = model.eval().encode_text(open_clip.get_tokenizer("ViT-B-32")(["a cat"]))
    close(np.array([line.split()], dtype=np.float32), expected)


# ---- a model in memory


@pytest.fixture
def live(files):
    torch.manual_seed(2)
    model, _, transform = open_clip.create_model_and_transforms(TINY)
    return OpenClip(model, transform, open_clip.get_tokenizer(TINY))


def test_live_model_is_asked_as_it_is_and_left_as_it_was(live):
    model = live._source.model
    model.train()
    model.visual.ln_post.eval()  # a frozen part
    before = live.fingerprint
    vectors = live.embed_texts(["cat"])
    assert model.training and model.visual.transformer.training and not model.visual.ln_post.training
    assert live.fingerprint == before
    with torch.no_grad():
        model.text_projection.mul_(2)
    assert live.fingerprint != before
    assert np.allclose(live.embed_texts(["cat"]), 2 * vectors)
    loss = model.encode_text(open_clip.get_tokenizer(TINY)(["cat"])).sum()
    loss.backward()  # inference mode left nothing behind that autograd refuses


def test_live_fingerprint_is_the_same_for_equal_models(files):
    def made():
        torch.manual_seed(2)
        model, _, transform = open_clip.create_model_and_transforms(TINY)
        return model, transform, open_clip.get_tokenizer(TINY)

    model, transform, tokenizer = made()
    assert OpenClip(*made()).fingerprint == OpenClip(model, transform, tokenizer).fingerprint
    assert OpenClip(*made()).fingerprint != OpenClip(model.bfloat16(), transform, tokenizer).fingerprint
    short = open_clip.get_tokenizer(TINY, context_length=16)
    assert OpenClip(*made()).fingerprint != OpenClip(*made()[:2], short).fingerprint


def test_memory_that_runs_out_is_told_apart(live):
    huge = torch.empty(1).expand(3, 10**7, 10**8)
    with pytest.raises(OutOfMemory):
        live.embed_images([huge])
    with pytest.raises(RuntimeError):
        live.embed_images([torch.zeros(5, 8, 8)])


# ---- one clear sentence for everything that is wrong


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("ViT-B-33/openai", "did you mean 'ViT-B-32'"),
        ("ViT-B-32/laion2b_s34b_b79", "did you mean 'laion2b_s34b_b79k'"),
        ("ViT-B-32/nonsense", "its tags are openai"),
        ("ViT-B-32", "names no weights"),
        ("ViT-B-32/openai", "use open_clip:ViT-B-32-quickgelu/openai"),
        ("ViT-B-32/laion400m_e32", "use open_clip:ViT-B-32-quickgelu/laion400m_e32"),
        ("ViT-B-32-quickgelu/laion2b_s34b_b79k", "use open_clip:ViT-B-32/laion2b_s34b_b79k"),
        ("ViT-B-32@/no/such/file.pt", "no such file"),
        ("ViT-B-33@/no/such/file.pt", "did you mean 'ViT-B-32'"),
        ("/no/such/folder", "no such folder"),
    ],
)
def test_spec_that_cannot_be_used(rest, said):
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        load(rest)


def test_device_and_dtype_that_cannot_be_used(monkeypatch):
    from mmbench.adapters.shared import device

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    device.gpus.cache_clear()
    for name in ("cuda", "cuda:1", "cdua", "cuda:x"):
        with pytest.raises(UsageError, match="device"):
            from_spec(f"{TINY}/untrained", device=name, dtype="auto", offline=True)
    with pytest.raises(UsageError, match="did you mean 'fp16'"):
        from_spec(f"{TINY}/untrained", device="cpu", dtype="fp61", offline=True)
    assert device.resolve("auto", "auto") == ("cpu", "fp32")
    device.gpus.cache_clear()


def test_folder_that_cannot_be_used(tmp_path, files):
    with pytest.raises(UsageError, match=r"no open_clip_config\.json"):
        load(str(tmp_path))
    config = tmp_path / "open_clip_config.json"
    config.write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        load(str(tmp_path))
    config.write_text("{}")
    with pytest.raises(UsageError, match="needs model_cfg"):
        load(str(tmp_path))
    config.write_text(json.dumps({"model_cfg": CONFIGS["clip"]}))
    with pytest.raises(UsageError, match="no weights in it"):
        load(str(tmp_path))
    shutil.copy(files.pt, tmp_path / "open_clip_pytorch_model.bin")
    config.write_text(json.dumps({"model_cfg": {**CONFIGS["clip"], "wdith": 3}}))
    with pytest.raises(UsageError, match="wdith"):
        load(str(tmp_path)).embed_texts(["cat"])
    text = {**TEXT, "hf_tokenizer_name": "some/tokenizer"}
    config.write_text(json.dumps({"model_cfg": {**CONFIGS["clip"], "text_cfg": text}}))
    with pytest.raises(UsageError, match="tokenizer's files"):
        load(str(tmp_path))


def test_checkpoint_that_cannot_be_used(tmp_path, files):
    state = torch.load(files.pt)

    def says(path, *words):
        with pytest.raises(MmbenchError) as caught:
            load(f"{TINY}@{path}").embed_texts(["cat"])
        message = str(caught.value)
        assert "\n" not in message and path.name in message
        assert all(word in message for word in words), message

    for kind in (files.pt, files.safetensors):
        cut = tmp_path / f"cut{kind.suffix}"
        cut.write_bytes(kind.read_bytes()[:100_000])
        says(cut, "cut short or damaged")
        (empty := tmp_path / f"empty{kind.suffix}").touch()
        says(empty, "damaged")
    torch.save({k: v for k, v in state.items() if k != "text_projection"}, tmp_path / "lacks.pt")
    says(tmp_path / "lacks.pt", "lacks the key text_projection")
    torch.save({**state, "surplus": torch.zeros(1)}, tmp_path / "surplus.pt")
    says(tmp_path / "surplus.pt", "unknown key surplus")
    torch.save({**state, "text_projection": torch.zeros(3, 5)}, tmp_path / "shape.pt")
    says(tmp_path / "shape.pt", "text_projection is torch.Size([3, 5]) and must be torch.Size([64, 64])")
    torch.save([1, 2], tmp_path / "list.pt")
    says(tmp_path / "list.pt", "no state dict")
    torch.save({"state_dict": state, "hook": Path}, tmp_path / "objects.pt")
    says(tmp_path / "objects.pt", "more than tensors")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(tmp_path / "script.pt"))
    says(tmp_path / "script.pt", "TorchScript")


def test_missing_transformers_is_said_before_anything_is_fetched():
    try:
        import transformers  # noqa: F401
    except ImportError:
        with pytest.raises(UsageError, match="pip install transformers"):
            _ = load("ViT-B-16-SigLIP/webli").fingerprint
    else:
        with pytest.raises(WeightsUnavailable):
            _ = load("ViT-B-16-SigLIP/webli").fingerprint
