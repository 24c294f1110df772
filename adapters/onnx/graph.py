"""Graphs of ONNX files: what in one is refused before it runs, and the session that runs it."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmbench.harness.errors import AdapterError, OutOfMemory, UsageError
from mmbench.harness.regular import read_regular

_MOST_BYTES = (1 << 31) - 1
"""Larger files no library of ONNX reads: their weights lie in files beside them."""
_MOST_NODES = 200_000
_STANDARD = ("", "ai.onnx")
_LOOPS = ("Loop", "Scan", "SequenceMap")
_WEIGHTS = ("float", "float16", "double", "bfloat16", "int8", "uint8")
_RANKS = {"pixels": ("tensor(float)", 4), "ids": ("tensor(int64)", 2), "mask": ("tensor(int64)", 2)}
"""Element type and number of dimensions of each kind of input."""


class Graph:
    """One tower as a session of onnxruntime."""

    def __init__(self, file: Path, beside: frozenset[str], device: str) -> None:
        """Read and check a graph. Raises UsageError and AdapterError.

        `beside` names the files in its folder that may hold its weights.
        """
        self.file = file
        self.parameters = _checked(file, beside)
        self._session = _session(file, device)
        self._inputs = {each.name: each for each in self._session.get_inputs()}
        self.outputs = [each.name for each in self._session.get_outputs()]

    def shape(self, name: str) -> list[int | None]:
        """Return the dimensions of an input, None where any number will do."""
        return [each if isinstance(each, int) else None for each in self._inputs[name].shape]

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs."""
        return [*self._inputs]

    def expect(self, inputs: Mapping[str, str], optional: Mapping[str, str], outputs: Sequence[str]) -> None:
        """Raise UsageError unless inputs, by name and kind, and outputs are those."""
        known = {**inputs, **optional}
        if not set(inputs) <= set(self._inputs) <= set(known):
            raise UsageError(
                f"{self.file}: takes {_listed(self._inputs)}, and a graph of this kind takes {_listed(inputs)}"
            )
        for name, found in self._inputs.items():
            element, rank = _RANKS[known[name]]
            if found.type != element or len(found.shape) != rank:
                raise UsageError(
                    f"{self.file}: its input {name} is {found.type} of {len(found.shape)} dimensions, expected "
                    f"{element} of {rank}; graphs in half precision and quantised inputs are not read"
                )
        lacking = [name for name in outputs if name not in self.outputs]
        if lacking:
            raise UsageError(f"{self.file}: gives {_listed(self.outputs)}, and not {_listed(lacking)}")

    def run(self, inputs: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> list[npt.NDArray[np.float32]]:
        """Return outputs as (n, …) float32 arrays. Raises OutOfMemory, and whatever onnxruntime does."""
        try:
            found = self._session.run(list(outputs), dict(inputs))
        except Exception as error:  # its classes are all told apart by their texts alone
            said = str(error)
            if "llocate" not in said and "bad_alloc" not in said:
                raise
        else:
            return [np.asarray(each, np.float32) for each in found]
        raise OutOfMemory(said)


def _session(file: Path, device: str) -> Any:
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as native
    except ImportError as error:
        raise UsageError(f"{file}: needs onnxruntime, which cannot be imported ({error})") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised; its log would write names of the file to the terminal
    options.use_deterministic_compute = True
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait leave the cores alone
    providers: list[Any] = ["CPUExecutionProvider"]
    if device != "cpu":
        number = device.partition(":")[2] or "0"
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": number, "use_tf32": "0"}))
    broken = (RuntimeError, *(getattr(native, name) for name in _RAISED if hasattr(native, name)))
    try:
        session = onnxruntime.InferenceSession(str(file), sess_options=options, providers=providers)
    except broken as error:
        raise UsageError(f"{file}: onnxruntime cannot run it ({_line(error)})") from error
    if device != "cpu" and session.get_providers()[0] != "CUDAExecutionProvider":
        raise AdapterError(f"{file}: onnxruntime cannot use the GPU, its CUDA libraries do not load; use --device cpu")
    return session


_RAISED = (
    "EngineError",
    "EPFail",
    "Fail",
    "InvalidArgument",
    "InvalidGraph",
    "InvalidProtobuf",
    "ModelLoadCanceled",
    "ModelRequiresCompilation",
    "NoModel",
    "NoSuchFile",
    "NotFound",
    "NotImplemented",
    "RuntimeException",
)


def _checked(file: Path, beside: frozenset[str]) -> int:
    """Return the number of weights of a graph that is harmless to load. Raises UsageError."""
    try:
        import onnx
    except ImportError as error:
        raise UsageError(f"{file}: needs onnx, which cannot be imported ({error})") from error
    try:
        model = onnx.load_model_from_string(read_regular(file, _MOST_BYTES))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # protobuf's own class, which its versions keep in other places
        raise UsageError(f"{file}: is no ONNX file, or one that is cut short ({_line(error)})") from error
    weights, nodes = 0, 0
    if model.functions:  # each may call the next one twice, and so on, until no memory holds what is written out
        raise UsageError(f"{file}: has functions of its own; export it without, as torch does where it is not told to")
    for part in _parts(model.graph):
        nodes += isinstance(part, onnx.NodeProto)
        if isinstance(part, onnx.TensorProto):
            _check_tensor(part, file, beside, onnx)
            name = onnx.TensorProto.DataType.Name(part.data_type).lower() if part.data_type else ""
            weights += prod(part.dims) if name in _WEIGHTS else 0
        else:
            _check_node(part, file)
    if not nodes or nodes > _MOST_NODES:
        raise UsageError(f"{file}: a graph of {nodes:,} operations, where a tower has some hundreds")
    return weights


def _parts(graph: Any) -> Iterator[Any]:
    """Yield every operation and every stored tensor of a graph, at any depth."""
    waiting = [graph]
    while waiting:
        each = waiting.pop()
        yield from each.initializer
        for sparse in each.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        for node in each.node:
            yield node
            for attribute in node.attribute:
                yield from (attribute.t, *attribute.tensors) if attribute.HasField("t") else attribute.tensors
                for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                    yield from (sparse.values, sparse.indices)
                waiting += [attribute.g] if attribute.HasField("g") else []
                waiting += attribute.graphs


def _check_node(node: Any, file: Path) -> None:
    if node.domain not in _STANDARD:
        raise UsageError(
            f"{file}: uses the operation {node.op_type} of {node.domain}, which is none of ONNX's own; code for others "
            f"is not loaded"
        )
    if node.op_type in _LOOPS:
        raise UsageError(f"{file}: has a loop ({node.op_type}), which need not end; towers have none")


def _check_tensor(tensor: Any, file: Path, beside: frozenset[str], onnx: Any) -> None:
    if any(size < 0 for size in tensor.dims):
        raise UsageError(f"{file}: has a tensor of a negative size")
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return
    places = [entry.value for entry in tensor.external_data if entry.key == "location"]
    if len(places) != 1 or places[0] not in beside:
        raise UsageError(
            f"{file}: its weights lie in {places[0] if places else 'no file'!r}, which is no file that belongs to "
            f"it; copy the whole folder, or export it again"
        )


def _listed(names: Any) -> str:
    return ", ".join(names) or "nothing"


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
