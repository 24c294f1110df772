"""Graphs that a person or a program made otherwise than by the export here, and folders with them."""

import json
import shutil
from pathlib import Path
from typing import Any

from mmbench.harness.digest import digest_file
from tests.lazy import Lazy

onnx = Lazy("onnx")


def replaced(folder: Path, to: Path, name: str, content: bytes) -> Path:
    """A copy of an exported folder with another file in it, whose digest the manifest has."""
    shutil.copytree(folder, to)
    (to / name).write_bytes(content)
    manifest = json.loads((to / "mmbench-onnx.json").read_text())
    manifest["files"][name] = digest_file(to / name)
    (to / "mmbench-onnx.json").write_text(json.dumps(manifest))
    return to


def small(
    *nodes: Any,
    inputs: dict[str, tuple[int, list[Any]]] | None = None,
    stored: tuple[Any, ...] = (),
    opsets: tuple[str, ...] = ("",),
    output: str = "output_embedding",
) -> Any:
    """A graph of pictures, 32 × 32, of these operations and stored tensors."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    given = inputs or {"pixels": (kind, ["n", 3, 32, 32])}
    graph = helper.make_graph(
        list(nodes) or [helper.make_node("ReduceMean", ["pixels"], [output], axes=[2, 3], keepdims=0)],
        "small",
        [helper.make_tensor_value_info(name, *each) for name, each in given.items()],
        [helper.make_tensor_value_info(output, kind, ["n", 3])],
        initializer=list(stored),
    )
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid(domain, 17 if not domain else 1) for domain in opsets]
    )
    made.ir_version = 8
    return made


def renamed(graph: Path, inputs: dict[str, str], outputs: dict[str, str]) -> bytes:
    """A graph whose inputs and outputs have other names; outputs that are not named are left out."""
    model = onnx.load(str(graph))
    for node in model.graph.node:
        for at, name in enumerate(node.input):
            node.input[at] = inputs.get(name, name)
        for at, name in enumerate(node.output):
            node.output[at] = outputs.get(name, name)
    kept = [each for each in model.graph.output if each.name in outputs]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    for each in (*model.graph.input, *model.graph.output):
        each.name = {**inputs, **outputs}[each.name]
    return bytes(model.SerializeToString())
