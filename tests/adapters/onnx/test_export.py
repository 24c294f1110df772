"""`mmbench export-onnx` and `onnx:`: what is exported equals its source, through vectors, scores and the contract."""

import json
import shutil
import subprocess
import sys
from functools import partial

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.contract.check import check_adapter
from mmbench.adapters.onnx import manifest
from mmbench.adapters.onnx.adapter import from_spec
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import ImageVectors, abilities
from mmbench.harness.models.models import Loading, make_models

QUICK = ("clip",)
SLOW = (
    "mmbench/micro-coca",
    "siglip",
    "chinese_clip",
    "metaclip_2",
    "align",
    "blip",
    "mmbench-untrained-tiny/untrained",
)
ALL = (*QUICK, *(pytest.param(kind, marks=pytest.mark.long) for kind in SLOW))
TEXTS = ["a photo of a cat", "A Dog, isn't it?", "", "naïve 日本 🙂", "a red bird on the old fence", "word " * 200]


def load(folder, device="cpu", dtype="auto"):
    return from_spec(str(folder), device=device, dtype=dtype, offline=True)


def source(spec):
    return make_models([spec], Loading("cpu", "fp32", True))[0].adapter


def names(folder):
    return {file.name for file in folder.iterdir()}


def pictures():
    noise = np.random.default_rng(7)
    sizes = [(40, 30), (32, 32), (91, 50), (20, 65)]
    return [PIL.Image.fromarray(noise.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def vectors(adapter, images):
    found = adapter.embed_images([adapter.prepare_image(each) for each in images])
    return (found.embedding, found.features) if isinstance(found, ImageVectors) else (found,)


@pytest.mark.parametrize("kind", ALL)
def test_it_equals_its_source(kind, saved, exported):
    check_equal(load(exported(kind)), source(saved(kind)))


def check_equal(ours, theirs):
    pairs = [
        *zip(vectors(ours, pictures()), vectors(theirs, pictures()), strict=True),
        (ours.embed_texts(TEXTS), theirs.embed_texts(TEXTS)),
    ]
    for a, b in pairs:
        assert (np.abs(a - b).max(axis=1) < 1e-5 * np.linalg.norm(b, axis=1)).all()
    assert ours.truncates(TEXTS) == theirs.truncates(TEXTS)
    assert (ours.logit_scale, ours.logit_bias) == (theirs.logit_scale, theirs.logit_bias)
    assert abilities(ours) == {"embed_images", "embed_texts"}


@pytest.mark.parametrize("kind", ["clip", "mmbench/micro-coca"])
def test_it_keeps_the_contract(kind, exported, tmp_path):
    check_adapter(
        partial(load, exported(kind)),
        unchanged={"place": partial(load, shutil.copytree(exported(kind), tmp_path / "elsewhere"))},
    )


@pytest.mark.parametrize("anew", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_second_export_is_the_same_model(anew, saved, exported, tmp_path, monkeypatch, command):
    pytest.importorskip("onnxscript")
    if not anew:
        copy_graphs(exported("clip"), monkeypatch)
    status, out, err = command("export-onnx", saved("clip"), str(tmp_path / "new" / "again"), "--format", "json")
    assert status == 0, err
    row = json.loads(out)
    assert set(row["files"]) == {
        "image.onnx", "text.onnx", "tokenizer.json", "preprocessing.json", "mmbench-onnx.json",
    }  # fmt: skip
    assert max(row["difference"]["pictures"], row["difference"]["texts"]) < row["difference"]["allowed"] == 1e-4
    assert load(tmp_path / "new" / "again").fingerprint == load(exported("clip")).fingerprint
    assert names(tmp_path / "new") == {"again"}
    for file in (tmp_path / "new" / "again").iterdir():
        assert str(tmp_path).encode() not in file.read_bytes() and b"site-packages" not in file.read_bytes()


def copy_graphs(folder, monkeypatch):
    """The next export takes the graphs of this one, which take seconds to write again."""
    from mmbench.adapters.onnx.export import graphs

    made = [folder / name for name in (manifest.IMAGE, manifest.TEXT)]
    monkeypatch.setattr(graphs, "write", lambda _, to: [shutil.copy(graph, to) for graph in made])


WITHOUT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ImportError(f"{{name}} is not to be imported")

sys.meta_path.insert(0, Refuse())
sys.argv = ["mmbench", *sys.argv[1:]]
from mmbench.harness.cli.app import main
main()
"""


def without(names, *given):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(names=names), *given], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["clip", "mmbench/micro-coca"])
def test_scores_are_those_of_the_source_without_its_library(kind, saved, exported, tmp_path, command):
    folder = exported(kind)
    given = ["--task", "digits", "--limit", "150", "--format", "json"]
    given += ["--output", str(tmp_path / "results"), "--store", str(tmp_path / "store.sqlite")]
    status, out, err = command("run", "--model", saved(kind), *given)
    assert status == 0, err
    ours = without(
        ("torch", "torchvision", "open_clip", "transformers", "timm"), "run", "--model", f"onnx:{folder}", *given
    )
    theirs = json.loads(out)
    assert [(row["metric"], row["value"], row["n"]) for row in ours] == [
        (row["metric"], row["value"], row["n"]) for row in theirs
    ]
    assert {row["model"] for row in ours} == {folder.name}
    warm = ("onnxruntime", "onnx", "tokenizers", "torch", "open_clip")
    assert without(warm, "run", "--model", f"onnx:{folder}", *given) == ours
    records = (tmp_path / "results" / "runs" / folder.name).glob("*.json")  # that of the source may have the same label
    assert any("exported to ONNX from " in record.read_text() for record in records)


@pytest.mark.slow
def test_weights_too_large_for_a_graph_lie_beside_it(saved, tmp_path, monkeypatch, command):
    pytest.importorskip("onnxscript")
    from mmbench.adapters.onnx.export import graphs

    monkeypatch.setattr(graphs, "_LARGE", 0)
    folder = tmp_path / "large"
    status, _, err = command("export-onnx", saved("siglip"), str(folder))
    assert status == 0, err
    assert {"image.onnx.data", "text.onnx.data"} <= names(folder)
    check_equal(load(folder), source(saved("siglip")))
    (folder / "text.onnx.data").unlink()
    with pytest.raises(UsageError, match="text.onnx.data: No such file"):
        load(folder)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("siglip2", "takes pictures of any shape as patches"),
        ("xclip", "embeds texts only together with a picture"),
        ("gpt2", "only dual encoders are"),
        ("clip,backend=torchvision", "add ,backend=pil behind the spec"),
    ],
)
def test_what_cannot_be_exported_is_refused(kind, said, saved, tmp_path, command):
    pytest.importorskip("onnxscript")
    name, comma, option = kind.partition(",")
    status, _, err = command("export-onnx", saved(name) + comma + option, str(tmp_path / "made"))
    assert status == 2 and said in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_other_adapters_and_places_that_are_taken(saved, tmp_path, command):
    pytest.importorskip("onnxscript")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("kept")
    (tmp_path / "link").symlink_to(full)
    for spec, place, said in (
        ("chance", tmp_path / "made", "only dual encoders are"),
        ("hf:nobody/nothing", tmp_path / "made", "not in the hub's cache"),
        ("untrained-tiny", full, "not empty"),
        ("untrained-tiny", full / "mine.txt", "no folder"),
        ("untrained-tiny", tmp_path / "link", "no folder"),
    ):
        status, _, err = command("export-onnx", spec, str(place), "--offline")
        assert status == 2 and said in err, err
    assert names(tmp_path) == {"full", "link"} and names(full) == {"mine.txt"}


def test_a_model_that_is_not_equalled_leaves_nothing(saved, exported, tmp_path, monkeypatch, command):
    pytest.importorskip("onnxscript")
    from mmbench.adapters.onnx.export import proof

    copy_graphs(exported("clip"), monkeypatch)
    monkeypatch.setattr(proof, "ALLOWED", 0.0)
    status, _, err = command("export-onnx", saved("clip"), str(tmp_path / "made"))
    assert status == 2 and "other vectors than the model" in err and not list(tmp_path.iterdir())
    monkeypatch.setattr(proof, "TEXTS", ("a",))
    monkeypatch.setattr(proof, "_PIXELS", -1.0)
    status, _, err = command("export-onnx", saved("clip"), str(tmp_path / "made"))
    assert status == 2 and "cannot be prepared alike" in err and not list(tmp_path.iterdir())
