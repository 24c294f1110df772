"""Folders of `onnx:` that are damaged, hostile, or exported by others."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from mmbench.adapters.onnx.adapter import from_spec
from mmbench.harness.errors import OutOfMemory, UsageError
from tests.adapters.onnx.graphs import onnx, renamed, replaced, small
from tests.adapters.onnx.test_export import TEXTS, load, pictures, source, vectors


def edited(folder, to, name, **changes):
    shutil.copytree(folder, to)
    content = json.loads((to / name).read_text())
    (to / name).write_text(json.dumps({**content, **changes}))
    return to


@pytest.fixture
def single(exported, tmp_path):
    """A folder whose graph of pictures is said to give embeddings alone, as a small graph does."""
    image = json.loads((exported("clip") / "mmbench-onnx.json").read_text())["image"]
    return edited(exported("clip"), tmp_path / "single", "mmbench-onnx.json", image={**image, "features": False})


def refused(folder, said):
    with pytest.raises(UsageError, match=said):
        load(folder).load_weights()


@pytest.mark.parametrize("name", ["image.onnx", "text.onnx", "tokenizer.json", "preprocessing.json"])
def test_files_that_are_missing_or_changed(name, exported, tmp_path):
    less = shutil.copytree(exported("clip"), tmp_path / "less")
    (less / name).unlink()
    refused(less, f"{name}: No such file")
    os.mkfifo(less / name)
    refused(less, f"{name}: it is a pipe")
    other = shutil.copytree(exported("clip"), tmp_path / "other")
    content = bytearray((other / name).read_bytes())
    content[-3] ^= 1
    (other / name).write_bytes(content)
    with pytest.raises(UsageError):
        _ = load(other).fingerprint


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 2}, "later mmbench"),
        ({"schema": None}, "'schema'"),
        ({"code": "import os"}, "'code' is not a key"),
        ({"files": {"../image.onnx": "0" * 32}}, "files"),
        ({"files": {}}, "lists no image.onnx"),
        ({"logit_scale": float("nan")}, "logit_scale"),
        ({"text": {"steps": ["run"]}}, "text"),
    ],
)
def test_manifests_that_make_no_sense(changes, said, exported, tmp_path):
    refused(edited(exported("clip"), tmp_path / "changed", "mmbench-onnx.json", **changes), said)


def test_a_folder_of_something_else(tmp_path):
    refused(tmp_path, "has no mmbench-onnx.json; mmbench export-onnx MODEL FOLDER writes such folders")
    for rest, device, dtype, said in (
        ("", "cpu", "auto", "no such folder"),
        (str(tmp_path / "none"), "cpu", "auto", "no such folder"),
        (str(tmp_path), "cpu", "fp16", "compute in fp32"),
        (str(tmp_path), "cpu", "float32", "unknown dtype"),
        (str(tmp_path), "cuda", "auto", "no GPU that the installed onnxruntime can use"),
    ):
        with pytest.raises(UsageError, match=said):
            from_spec(rest, device=device, dtype=dtype, offline=True)


def hostile():
    helper, kinds = onnx.helper, onnx.TensorProto
    outside = kinds(name="w", dims=[3], data_type=kinds.FLOAT, data_location=kinds.EXTERNAL)
    outside.external_data.add(key="location", value="../secret.bin")
    absolute = kinds(name="w", dims=[3], data_type=kinds.FLOAT, data_location=kinds.EXTERNAL)
    absolute.external_data.add(key="location", value="/etc/hostname")
    adds = helper.make_node("Add", ["mean", "w"], ["output_embedding"])
    mean = helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[2, 3], keepdims=0)
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"]), helper.make_node("Identity", ["x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info(*each)
            for each in (("i", kinds.INT64, []), ("c", kinds.BOOL, []), ("x", kinds.FLOAT, None))
        ],
        [helper.make_tensor_value_info(*each) for each in (("d", kinds.BOOL, []), ("y", kinds.FLOAT, None))],
    )
    loop = helper.make_node("Loop", ["", "true", "mean"], ["output_embedding"], body=body)
    branch = helper.make_graph(
        [helper.make_node("Loop", ["", "true", "mean"], ["z"], body=body)], "then", [],
        [helper.make_tensor_value_info("z", kinds.FLOAT, None)],
    )  # fmt: skip
    hidden = helper.make_node("If", ["true"], ["output_embedding"], then_branch=branch, else_branch=branch)
    true = helper.make_tensor("true", kinds.BOOL, [], [True])
    constant = helper.make_node("Constant", [], ["w"], value=outside)
    bomb = small(helper.make_node("F0", ["pixels"], ["output_embedding"], domain="own"), opsets=("", "own"))
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    for at in range(40):
        twice = [helper.make_node(f"F{at + 1}", ["x"], [name], domain="own") for name in ("a", "b")]
        twice.append(helper.make_node("Add", ["a", "b"], ["y"]))
        last = [helper.make_node("Identity", ["x"], ["y"])]
        bomb.functions.append(helper.make_function("own", f"F{at}", ["x"], ["y"], twice if at < 39 else last, sets))
    return {
        "bomb": (bomb, "has functions of its own"),
        "outside": (small(mean, adds, stored=(outside,)), "lie in '../secret.bin'"),
        "absolute": (small(mean, adds, stored=(absolute,)), "lie in '/etc/hostname'"),
        "in a constant": (small(mean, constant, adds), "lie in '../secret.bin'"),
        "custom": (
            small(helper.make_node("Run", ["pixels"], ["output_embedding"], domain="evil"), opsets=("", "evil")),
            "the operation Run of evil",
        ),
        "loop": (small(mean, loop, stored=(true,)), "has a loop"),
        "hidden loop": (small(mean, hidden, stored=(true,)), "has a loop"),
        "other name": (small(output="embedding"), "gives embedding, and not output_embedding"),
        "other input": (
            small(
                helper.make_node("ReduceMean", ["x"], ["output_embedding"], axes=[2, 3], keepdims=0),
                inputs={"x": (kinds.FLOAT, ["n", 3, 32, 32])},
            ),
            "takes x, and a graph of this kind takes pixels",
        ),
        "other rank": (
            small(
                helper.make_node("ReduceMean", ["pixels"], ["output_embedding"], axes=[2], keepdims=0),
                inputs={"pixels": (kinds.FLOAT, ["n", 3, 32])},
            ),
            "tensor\\(float\\) of 3 dimensions",
        ),
        "half": (
            small(
                helper.make_node("Cast", ["pixels"], ["output_embedding"], to=kinds.FLOAT),
                inputs={"pixels": (kinds.FLOAT16, ["n", 3, 32, 32])},
            ),
            "half precision",
        ),
        "fixed batch": (small(inputs={"pixels": (kinds.FLOAT, [1, 3, 32, 32])}), "takes pictures as 1 × 3"),
        "other size": (small(inputs={"pixels": (kinds.FLOAT, ["n", 3, 64, 64])}), "and they come as any × 3 × 32 × 32"),
        "unknown operation": (small(helper.make_node("Nonsense", ["pixels"], ["output_embedding"])), "cannot run it"),
    }  # fmt: skip


CASES = (
    "bomb", "outside", "absolute", "in a constant", "custom", "loop", "hidden loop", "other name", "other input",
    "other rank", "half", "fixed batch", "other size", "unknown operation",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_hostile_graphs(case, single, tmp_path, capfd):
    (tmp_path / "secret.bin").write_bytes(b"\0" * 12)
    model, said = hostile()[case]
    folder = replaced(single, tmp_path / "made", "image.onnx", model.SerializeToString())
    capfd.readouterr()
    refused(folder, said)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x08" * 40])
def test_files_that_are_no_graph(content, single, tmp_path):
    refused(replaced(single, tmp_path / "made", "image.onnx", content), "no ONNX file|a graph of 0 operations")
    refused(replaced(single, tmp_path / "words", "tokenizer.json", content), "is no tokenizer")


def test_a_graph_that_asks_for_all_memory_is_an_error_of_memory(single, tmp_path):
    helper, kinds = onnx.helper, onnx.TensorProto
    sizes = helper.make_tensor("sizes", kinds.INT64, [2], [1 << 24, 1 << 24])
    fill = helper.make_node("ConstantOfShape", ["sizes"], ["much"])
    total = helper.make_node("ReduceMean", ["much"], ["one"], keepdims=0)
    mean = helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[2, 3], keepdims=0)
    model = small(mean, fill, total, helper.make_node("Add", ["mean", "one"], ["output_embedding"]), stored=(sizes,))
    folder = replaced(single, tmp_path / "made", "image.onnx", model.SerializeToString())
    adapter = load(folder)
    with pytest.raises((OutOfMemory, UsageError)):
        adapter.embed_images([adapter.prepare_image(each) for each in pictures()])


def published(saved, exported, to):
    """A CLIP as the hub's JavaScript library has it."""
    checkpoint = Path(saved("clip").removeprefix("hf:"))
    (to / "onnx").mkdir(parents=True)
    for name in ("config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(checkpoint / name, to)
    graphs = exported("clip")
    (to / "onnx" / "vision_model.onnx").write_bytes(
        renamed(graphs / "image.onnx", {"pixels": "pixel_values"}, {"output_embedding": "image_embeds"})
    )
    (to / "onnx" / "text_model.onnx").write_bytes(
        renamed(graphs / "text.onnx", {"ids": "input_ids"}, {"output_embedding": "text_embeds"})
    )
    return to


def test_a_clip_that_others_exported(saved, exported, tmp_path):
    folder = published(saved, exported, tmp_path / "hub")
    ours, theirs = load(folder), source(saved("clip"))
    for a, b in (
        (vectors(ours, pictures())[0], vectors(theirs, pictures())[0]),
        (ours.embed_texts(TEXTS), theirs.embed_texts(TEXTS)),
    ):
        assert (np.abs(a - b).max(axis=1) < 1e-5 * np.linalg.norm(b, axis=1)).all()
    assert ours.truncates(TEXTS) == theirs.truncates(TEXTS)
    assert ours.logit_scale is None and "not compared" in ours.notes[0]
    before = ours.fingerprint
    edited(folder, tmp_path / "other", "preprocessor_config.json", resample=2)
    assert load(tmp_path / "other").fingerprint != before
    (folder / "onnx" / "text_model.onnx_data").write_bytes(b"")
    assert load(folder).fingerprint != before


def test_what_of_others_is_not_sure_is_refused(saved, exported, tmp_path):
    folder = published(saved, exported, tmp_path / "hub")
    for number, (name, changes, said) in enumerate((
        ("config.json", {"model_type": "siglip"}, "only a CLIP is read surely; export the model"),
        ("preprocessor_config.json", {"do_center_crop": False}, "do_center_crop off"),
        ("preprocessor_config.json", {"image_processor_type": "ViTImageProcessor"}, "ViTImageProcessor"),
        ("preprocessor_config.json", {"size": {"height": 32, "width": 32}}, "names no shortest_edge"),
    )):  # fmt: skip
        refused(edited(folder, tmp_path / str(number), name, **changes), said)
    (folder / "tokenizer.json").unlink()
    refused(folder, "has no tokenizer.json")


def test_a_text_graph_that_lost_its_mask_is_refused(saved, exported, tmp_path):
    folder = published(saved, exported, tmp_path / "hub")
    helper, kinds = onnx.helper, onnx.TensorProto
    table = np.random.default_rng(0).standard_normal((600, 24)).astype(np.float32)
    model = small(
        helper.make_node("Gather", ["table", "input_ids"], ["all"]),
        helper.make_node("ReduceMean", ["all"], ["text_embeds"], axes=[1], keepdims=0),
        inputs={"input_ids": (kinds.INT64, ["n", "length"])},
        stored=(onnx.numpy_helper.from_array(table, "table"),),
        output="text_embeds",
    )
    (folder / "onnx" / "text_model.onnx").write_bytes(model.SerializeToString())
    refused(folder, "another vector where padding stands behind it")
