"""Adapter class for dual encoders of KerasHub, CLIP and SigLIP, on jax, tensorflow or torch."""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import PIL.Image

from mmbench.adapters.keras import backend as backends
from mmbench.adapters.keras.preset import Preset
from mmbench.adapters.shared import device as devices
from mmbench.harness.digest import digest_json
from mmbench.harness.errors import OutOfMemory, UsageError
from mmbench.harness.models.abilities import ImageVectors, Prepared

T = TypeVar("T")
Vectors = npt.NDArray[np.float32]

ADAPTER_VERSION = 1
"""Raised whenever the same files would give other vectors."""

_CPU = "cpu:0"
_MEMORY = ("RESOURCE_EXHAUSTED", "OOM when allocating", "DefaultCPUAllocator", "Out of memory")


class KerasEncoder:
    """A dual encoder of KerasHub: embeds pictures and texts, prepared by the preset's own converter and tokenizer.

    Vectors are outputs of the towers behind their projections, float32 and not normalised. Keras is imported and the
    model built when it must answer.
    """

    device = "cpu"

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self._lock = Lock()

    @cached_property
    def fingerprint(self) -> str:
        """Identity of weights, configurations and vocabulary, of the backend, and of the releases of all libraries.

        Backends round a resized picture otherwise, each library's minor releases too. Raises UsageError.
        """
        name = backends.backend()
        releases = {package: backends.release(package) for package in ("keras", "keras-hub", name)}
        return digest_json(
            {"adapter": ["keras", ADAPTER_VERSION], "backend": name, "releases": releases, **self._preset.identity()}
        )

    @property
    def parameters(self) -> int | None:
        """Number of weights; None until the model is loaded."""
        return int(self._model.count_params()) if "_model" in vars(self) else None

    @property
    def logit_scale(self) -> float | None:
        """Factor of the cosines, None where the model has none; reading it loads the model."""
        found = self._scalar("logit_scale")
        return None if found is None else float(np.exp(found))

    @property
    def logit_bias(self) -> float:
        """Added to the scaled cosines, 0 where the model has none; reading it loads the model."""
        return self._scalar("logit_bias") or 0.0

    def download_size(self) -> int:
        """Return 0: nothing is fetched."""
        return 0

    def load_weights(self) -> None:
        """Load the model and what prepares its inputs, if that was not done before. Raises UsageError."""
        with self._lock:
            _ = self._preprocessor, self._model

    def prepare_image(self, image: PIL.Image.Image) -> Prepared:
        """Return the (height, width, 3) float32 array that the preset's converter makes of a picture."""
        with self._lock:
            convert = self._preprocessor.image_converter
        pixels = np.asarray(image)[None]
        return self._asked(lambda: self._numpy(convert(pixels))[0])

    def embed_images(self, images: list[Prepared]) -> Vectors | ImageVectors:
        """Return (n, d) vectors of prepared pictures, of a CLIP with the (n, e) ones before the projection.

        Raises OutOfMemory and UsageError.
        """
        self.load_weights()
        model, batch = self._model, np.stack(images)
        if self._preset.kind != "CLIP":
            vectors: Vectors = self._asked(lambda: self._numpy(model.get_vision_embeddings(batch)))
            return vectors

        def passed() -> ImageVectors:
            pooled = model.vision_pooler(model.vision_encoder({"images": batch}))
            return ImageVectors(embedding=self._numpy(model.vision_projection(pooled)), features=self._numpy(pooled))

        return self._asked(passed)

    def embed_texts(self, texts: list[str]) -> Vectors:
        """Return (n, d) vectors; texts beyond the sequence length are cut (see `truncates`).

        Raises OutOfMemory and UsageError.
        """
        self.load_weights()
        ids = self._tokens(texts)["token_ids"]
        return self._asked(lambda: self._numpy(self._model.get_text_embeddings(ids)))

    def truncates(self, texts: list[str]) -> list[bool]:
        """Return True for each text with more tokens, those at its ends included, than the preset's sequence length."""
        self.load_weights()
        length = int(self._preprocessor.sequence_length)
        longer = self._tokens(texts, length + 1)
        return [bool(each) for each in longer["padding_mask"][:, length]]

    def _tokens(self, texts: list[str], length: int | None = None) -> dict[str, Any]:
        nothing = np.zeros((1, 8, 8, 3), np.uint8)  # the preprocessor takes pictures and texts together alone
        made = self._asked(
            lambda: self._preprocessor({"images": nothing, "prompts": list(texts)}, sequence_length=length)
        )
        return {name: self._numpy(made[name]).astype(np.int32) for name in ("token_ids", "padding_mask")}

    def _asked(self, call: Callable[[], T]) -> T:
        import keras

        try:
            with keras.device(_CPU):
                return call()
        except Exception as error:  # each backend has its own class for memory that ran out
            said = str(error)
            if not any(sign in said for sign in _MEMORY):
                raise
        raise OutOfMemory(said[:300])

    def _numpy(self, tensor: Any) -> Any:
        import keras

        found = np.asarray(keras.ops.convert_to_numpy(tensor))
        return found.astype(np.float32) if found.dtype.kind == "f" else found

    def _scalar(self, name: str) -> float | None:
        self.load_weights()
        found = [weight for weight in self._model.weights if weight.path.endswith(f"/{name}")]
        return float(self._numpy(found[0].value)) if found else None

    @cached_property
    def _preprocessor(self) -> Any:
        made = self._made("Preprocessor")
        if made.image_converter is None or not made.sequence_length:
            raise UsageError(
                f"{self._preset.folder}: does not say how pictures are prepared, or how long a text may be"
            )
        return made

    @cached_property
    def _model(self) -> Any:
        model = self._made("Backbone", dtype="float32")
        tokenizer = self._preprocessor.tokenizer
        ends = tokenizer.end_token_id
        if self._preset.kind == "CLIP" and ends != max(
            tokenizer.token_to_id(each) for each in tokenizer.get_vocabulary()
        ):
            raise UsageError(
                f"{self._preset.folder}: its end token is not the one of the largest id, at which the model reads; "
                f"save the tokenizer that it was trained with"
            )
        return model

    def _made(self, part: str, **settings: Any) -> Any:
        name = f"{self._preset.kind}{part}"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # it comes along with KerasHub, and writes to the terminal
        try:
            import keras
            import keras_hub
        except ImportError as error:
            raise UsageError(f"keras: models need keras-hub, which cannot be imported ({_line(error)})") from error
        try:
            with keras.device(_CPU):
                return getattr(keras_hub.models, name).from_preset(str(self._preset.folder.resolve()), **settings)
        # What Keras raises on files that make no sense.
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, OSError, RuntimeError) as error:
            raise UsageError(f"{self._preset.folder}: KerasHub cannot load it ({_line(error)})") from error


def from_spec(rest: str, *, device: str, dtype: str, offline: bool) -> KerasEncoder:
    """Return the adapter for what follows `keras:`, the folder of a preset; keras is not imported.

    `device` is `auto` or `cpu`; `dtype` is `auto` or `fp32`. Raises UsageError.
    """
    folder = Path(rest).expanduser()
    if not rest or not folder.is_dir():
        raise UsageError(f"keras:{rest}: no such folder; backbone.save_to_preset(FOLDER) of KerasHub writes one")
    if devices.known_dtype(dtype) not in ("auto", "fp32"):
        raise UsageError(f"keras:{rest}: presets are computed in fp32, so leave --dtype out")
    if device not in ("auto", "cpu"):
        raise UsageError(f"keras:{rest}: presets are computed on the CPU, so use --device cpu or auto, not {device}")
    preset = Preset(folder)
    preset.check()
    backends.backend()
    return KerasEncoder(preset)


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
