"""Adapter class for two-tower models in ONNX: by onnxruntime, PIL, NumPy and a tokenizer, without torch."""

import importlib.metadata
import os
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import PIL.Image

from mmbench.adapters.onnx import published
from mmbench.adapters.onnx.graph import Graph
from mmbench.adapters.onnx.manifest import NAME
from mmbench.adapters.onnx.towers import Tower, Towers, exported
from mmbench.adapters.shared import device as devices
from mmbench.adapters.shared.lengths import CPU_CALL_COST, GPU_CALL_COST, groups
from mmbench.adapters.shared.preparation import Pixels
from mmbench.adapters.shared.words import Words
from mmbench.harness.digest import digest_json
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import ImageVectors

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

ADAPTER_VERSION = 1
"""Raised whenever the same files would give other vectors."""

_ALIKE = 1e-4
"""How far, relative to its norm, a vector may move where only padding was added behind its text."""
_PROBES = ("a photo of a cat", "a dog", "the old red house beside a river in the rain")


class OnnxEncoder:
    """A dual encoder in a folder: two graphs, the preparation of pictures and the tokenizer.

    Vectors are raw outputs of the towers, float32 and not normalised. Graphs are read when they must answer.
    """

    prepares_once = True
    """Prepared pixels are copied into batches, and nothing writes to them."""

    def __init__(self, towers: Towers, device: str) -> None:
        self._towers = towers
        self.device = device
        self._lock = Lock()

    @property
    def fingerprint(self) -> str:
        """Identity of graphs, weights, preparation and tokenizer, from their files.

        Raises UsageError for a folder whose files are not those that were exported.
        """
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return digest_json({"adapter": ["onnx", ADAPTER_VERSION], **self._towers.identity()})

    @property
    def notes(self) -> tuple[str, ...]:
        """What each record of the model says of it."""
        return self._towers.notes

    @property
    def parameters(self) -> int | None:
        """Number of stored weights of both graphs; None until they are loaded."""
        loaded = vars(self)
        return self._image.parameters + self._text.parameters if {"_image", "_text"} <= loaded.keys() else None

    @property
    def logit_scale(self) -> float | None:
        """Factor of the cosines; None where the folder does not tell."""
        return self._towers.scale

    @property
    def logit_bias(self) -> float | None:
        """Added to the scaled cosines; None where the folder does not tell."""
        return self._towers.bias

    def download_size(self) -> int:
        """Return 0: nothing is fetched."""
        return 0

    def load_weights(self) -> None:
        """Load both graphs and the tokenizer, if that was not done before. Raises UsageError and AdapterError."""
        with self._lock:
            _ = self.fingerprint, self._image, self._text, self._words

    def prepare_image(self, image: PIL.Image.Image) -> Pixels:
        """Return the (height, width, 3) pixels that the model sees of a picture."""
        return self._towers.preparation.pixels(image)

    def embed_images(self, images: list[Pixels]) -> Vectors | ImageVectors:
        """Return (n, d) vectors of prepared pictures, with the (n, e) ones before the projection where there are such.

        Raises OutOfMemory, UsageError and AdapterError.
        """
        self.load_weights()
        tower = self._towers.image
        pixels = self._towers.preparation.normalised(images)
        found = self._image.run(dict.fromkeys(tower.inputs, pixels), tower.outputs)
        return found[0] if len(found) == 1 else ImageVectors(embedding=found[0], features=found[1])

    def embed_texts(self, texts: list[str]) -> Vectors:
        """Return (n, d) vectors; texts beyond the context length are cut (see `truncates`).

        Raises OutOfMemory, UsageError and AdapterError.
        """
        self.load_weights()
        rows = self._words.rows(texts, cut=True)
        fixed = self._fixed_length
        batches = [([*range(len(rows))], fixed)] if fixed else groups([*map(len, rows)], self._call_cost)
        parts: list[Vectors] = []
        order: list[int] = []
        for chosen, longest in batches:
            parts.append(self._embed_rows([rows[row] for row in chosen], max(longest, 1)))
            order.extend(chosen)
        return np.concatenate(parts)[np.argsort(order)]

    def truncates(self, texts: list[str]) -> list[bool]:
        """Return True for each text with more tokens, those at its ends included, than the model reads."""
        return [len(ids) > self._towers.texts.context for ids in self._words.rows(texts, cut=False)]

    def _embed_rows(self, rows: list[list[int]], length: int) -> Vectors:
        return _embedded(self._text, self._towers, rows, length)

    @property
    def _call_cost(self) -> int:
        return CPU_CALL_COST * (os.cpu_count() or 1) if self.device == "cpu" else GPU_CALL_COST

    @property
    def _fixed_length(self) -> int | None:
        """Length to which every text is filled up, where it may not be shorter."""
        texts = self._towers.texts
        told = self._text.shape(next(iter(self._towers.text.inputs)))[1]
        return texts.context if texts.length == "context" else told

    @cached_property
    def _words(self) -> Words:
        return Words(self._towers.tokenizer, self._towers.texts.steps, self._towers.texts.context)

    @cached_property
    def _image(self) -> Graph:
        tower, sides = self._towers.image, self._towers.preparation
        graph = self._graph(tower)
        wanted, found = [None, 3, sides.height, sides.width], graph.shape(next(iter(tower.inputs)))
        if any(size not in (None, want) for size, want in zip(found, wanted, strict=True)):
            raise UsageError(f"{tower.graph}: takes pictures as {_shown(found)}, and they come as {_shown(wanted)}")
        return graph

    @cached_property
    def _text(self) -> Graph:
        tower, texts = self._towers.text, self._towers.texts
        graph = self._graph(tower)
        for name in graph.inputs:
            batch, length = graph.shape(name)
            if batch is not None or length not in (None, texts.context):
                found, wanted = _shown([batch, length]), _shown([None, texts.context])
                raise UsageError(f"{tower.graph}: takes texts as {found}, and they come as {wanted}")
        if self._towers.digests is None:
            _check_padding(graph, self._towers, self._words)
        return graph

    def _graph(self, tower: Tower) -> Graph:
        graph = Graph(tower.graph, self._towers.beside, self.device)
        graph.expect(tower.inputs, tower.optional, tower.outputs)
        return graph


def _embedded(graph: Graph, towers: Towers, rows: list[list[int]], length: int) -> Vectors:
    known = {**towers.text.inputs, **towers.text.optional}
    padding = towers.texts.padding
    given: dict[str, Ids] = {
        "ids": np.full((len(rows), length), padding or 0, np.int64),
        "mask": np.zeros((len(rows), length), np.int64),
    }
    for at, row in enumerate(rows):
        if padding is None and row:
            given["ids"][at] = row[-1]
        given["ids"][at, : len(row)] = row
        given["mask"][at, : len(row)] = 1
    return graph.run({name: given[known[name]] for name in graph.inputs}, towers.text.outputs)[0]


def _check_padding(graph: Graph, towers: Towers, words: Words) -> None:
    """Raise UsageError for a graph to which padding, or another text beside it, makes a difference.

    Exporters that follow one example through a model keep that example's length or mask, and nothing tells.
    """
    context = towers.texts.context
    rows = words.rows(_PROBES, cut=True)
    if graph.shape(next(iter(towers.text.inputs)))[1] is not None:
        return
    alone = np.concatenate([_embedded(graph, towers, [row], len(row)) for row in rows])
    together = _embedded(graph, towers, rows, context)
    apart = np.abs(alone - together).max(axis=1) / np.linalg.norm(alone, axis=1)
    if not (apart < _ALIKE).all():
        raise UsageError(
            f"{graph.file}: gives a text another vector where padding stands behind it, so its mask was lost in the "
            f"export; export the model that it was made of by mmbench export-onnx"
        )


def _shown(sizes: list[int | None]) -> str:
    return " × ".join("any" if size is None else str(size) for size in sizes)


def from_spec(rest: str, *, device: str, dtype: str, offline: bool) -> OnnxEncoder:
    """Return the adapter for what follows `onnx:`, a folder; neither onnxruntime nor torch is imported.

    `device` is `auto`, `cpu`, `cuda` or `cuda:N`; `dtype` is `auto` or `fp32`. Raises UsageError.
    """
    folder = Path(rest).expanduser()
    if not rest or not folder.is_dir():
        raise UsageError(f"onnx:{rest}: no such folder; mmbench export-onnx MODEL FOLDER writes one")
    if devices.known_dtype(dtype) not in ("auto", "fp32"):
        raise UsageError(f"onnx:{rest}: its graphs compute in fp32, so leave --dtype out")
    device = devices.resolve_device(device, "onnxruntime", _gpus)
    try:
        towers = exported(folder)
    except FileNotFoundError as error:
        if not published.is_one(folder):
            raise UsageError(
                f"{folder}: has no {NAME}; mmbench export-onnx MODEL FOLDER writes such folders"
            ) from error
        towers = published.published(folder)
    return OnnxEncoder(towers, device)


def _gpus() -> int:
    try:
        importlib.metadata.version("onnxruntime-gpu")  # the plain package computes on the CPU alone
    except importlib.metadata.PackageNotFoundError:
        return 0
    return devices.driver_gpus()
