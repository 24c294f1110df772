"""Model loading: the one place where open_clip builds towers and reads checkpoints from a recipe."""

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from mmbench.adapters.open_clip import catalogue, checkpoint, towers
from mmbench.adapters.open_clip.fit import check_fit
from mmbench.adapters.open_clip.recipe import Recipe
from mmbench.adapters.open_clip.weights import SEED
from mmbench.adapters.shared import batches, hub
from mmbench.adapters.shared.asking import count_parameters
from mmbench.harness.errors import AdapterError, UsageError

# What open_clip's constructors raise on a configuration that makes no sense.
_BROKEN = (TypeError, ValueError, KeyError, AttributeError, AssertionError, ZeroDivisionError, RuntimeError)

_OWN_TOWERS = "mmbench_"

# A buffer that transformers no longer has.
_POSITION_IDS = "text.transformer.embeddings.position_ids"


class FromFiles:
    """A model named by a spec: identified from files, loaded when first asked."""

    def __init__(self, recipe: Recipe, *, device: str, dtype: str, offline: bool, compiled: bool = False) -> None:
        self._recipe = recipe
        self.device = device
        self._dtype = dtype
        self._offline = offline
        self._compiled = compiled
        self._lock = Lock()
        self._model: Any = None

    @cached_property
    def fingerprint(self) -> str:
        """Identity of the model. Raises WeightsUnavailable."""
        self._recipe.check_installed()
        return self._recipe.fingerprint(self._dtype, self._offline)

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the weights was asked for, and stands in no file."""
        return self._recipe.weights.notes

    @property
    def captions(self) -> bool:
        """Whether the model also writes texts."""
        return self._recipe.captions

    @property
    def tunes(self) -> bool:
        """Whether prompts can be learnt through the text tower."""
        return self._recipe.tunes

    @property
    def parameters(self) -> int | None:
        """Number of weights, None until the model is loaded."""
        return None if self._model is None else count_parameters(self._model)

    def download_size(self) -> int | None:
        """Bytes still to be fetched, None when unknown."""
        return self._recipe.weights.missing_bytes(self._offline)

    def weight_files(self) -> list[Path]:
        """The checkpoint, none for a random start. Raises WeightsUnavailable."""
        return [file for file in [self._recipe.weights.file(self._offline)] if file is not None]

    def hub_repository(self) -> str | None:
        """Return the repository of the hub that the weights come from, None for a file or a random start."""
        return getattr(self._recipe.weights, "repo", None)

    @cached_property
    def preprocess(self) -> Callable[[Any], Any]:
        """The transform, had without the weights so that decoding starts beside loading."""
        from open_clip.transform import PreprocessCfg, image_transform_v2

        transform: Callable[[Any], Any] = image_transform_v2(PreprocessCfg(**_preprocess(self._recipe)), is_train=False)
        return transform

    @property
    def model(self) -> Any:
        """The model, on its device and in eval mode. Raises MmbenchError."""
        with self._lock:
            if self._model is None:
                made = build(self._recipe, device=self.device, dtype=self._dtype, offline=self._offline)
                if self.device != "cpu":
                    batches.lay_out(made.visual)
                if self._compiled:
                    towers.compile_images(made, self._recipe.size, self._recipe.label)
                self._model = made
            return self._model

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer. Raises WeightsUnavailable."""
        return _tokenizer(self._recipe, self._offline)


def build(recipe: Recipe, *, device: str, dtype: str, offline: bool) -> Any:
    """Return the model with its weights, in eval mode.

    Raises WeightsUnavailable, and UsageError for a checkpoint that cannot be read or does not fit.
    """
    recipe.check_installed()
    file = recipe.weights.file(offline)
    import open_clip
    import torch

    _register(recipe.name)
    _register_tower(recipe)
    # The caller's random numbers must not depend on whether a model was loaded among them.
    with torch.random.fork_rng(devices=[]), _without_warnings():
        torch.default_generator.manual_seed(SEED)
        try:
            model = open_clip.create_model(
                recipe.name,
                load_weights=False,
                pretrained_text=False,
                precision=_precision(recipe, dtype),
                device=device,
                force_preprocess_cfg=_preprocess(recipe),
                **_text_override(recipe, offline),
            )
        except torch.OutOfMemoryError as error:
            raise AdapterError(f"{recipe.label} does not fit on {device}; use --device cpu") from error
        except _BROKEN as error:
            raise UsageError(f"{recipe.label}: its configuration builds no model ({_line(error)})") from error
        _keep_scalars(model)
        if file is not None:
            _read_weights(model, file, recipe)
    _check_preprocessing(model, recipe)
    return model.eval()


def _register(name: str) -> None:
    # open_clip takes an unknown name for a model with its default tokenizer, so both doors into it come by here.
    import open_clip

    own = catalogue.OWN_CONFIGS / f"{name}.json"
    if name not in open_clip.list_models() and own.is_file():
        open_clip.add_model_config(own)


def _register_tower(recipe: Recipe) -> None:
    # timm finds a tower by its name once the module that defines it is imported; this is the one place that does.
    vision = recipe.config.get("vision_cfg")
    name = vision.get("timm_model_name") if isinstance(vision, dict) else None
    if str(name).startswith(_OWN_TOWERS):
        importlib.import_module("mmbench.adapters.tiny.tower")


def _precision(recipe: Recipe, dtype: str) -> str:
    # open_clip's mixed precision leaves CoCa's class token and poolers in float32, and its towers then refuse to run.
    return f"pure_{dtype}" if dtype != "fp32" and "multimodal_cfg" in recipe.config else dtype


def _keep_scalars(model: Any) -> None:
    # Some towers are cast as a whole, and the logarithm of the logit scale would lose its digits; set before reading.
    for scalar in (model.logit_scale, model.logit_bias):
        if scalar is not None:
            scalar.data = scalar.data.float()


def _read_weights(model: Any, file: Path, recipe: Recipe) -> None:
    import torch
    from open_clip.model import resize_pos_embed, resize_text_pos_embed

    state = checkpoint.choose(checkpoint.read_states(file), recipe.weights.chosen, file)
    try:
        state = _as_named_here(model, state)
        check_fit(state, model.state_dict(), file, recipe, interpolate=recipe.weights.interpolate)
        resize_pos_embed(state, model)
        resize_text_pos_embed(state, model)
        model.load_state_dict(state)
    except torch.OutOfMemoryError as error:
        raise AdapterError(f"{file}: does not fit in memory ({_line(error)})") from error
    # What open_clip and torch raise on a state dict of a kind that the check does not know.
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError, AssertionError) as error:
        raise UsageError(f"{file}: holds no state dict that fits {recipe.label} ({_line(error)})") from error


def _as_named_here(model: Any, state: dict[str, Any]) -> dict[str, Any]:
    """Return weights under the names of the model: open_clip's earlier releases and others' had some of their own."""
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict

    state = convert_state_dict(model, state)
    if "positional_embedding" in state and not hasattr(model, "positional_embedding"):
        state = convert_to_custom_text_state_dict(state)
    for scalar in ("logit_scale", "logit_bias"):  # a number, or an array of one
        ours, theirs = getattr(model, scalar, None), state.get(scalar)
        if ours is not None and theirs is not None and theirs.numel() == 1:
            state[scalar] = theirs.reshape(ours.shape)
        elif ours is not None and theirs is None and scalar == "logit_bias":
            state[scalar] = ours.detach() * 0  # of a model trained without one
    if not hasattr(model, _POSITION_IDS):
        state.pop(_POSITION_IDS, None)
    return state


def _preprocess(recipe: Recipe) -> dict[str, Any]:
    chosen = recipe.preprocessing
    return {
        "size": recipe.size,
        "mode": "RGB",
        "mean": chosen.mean,
        "std": chosen.std,
        "interpolation": chosen.interpolation,
        "resize_mode": chosen.resize_mode,
        "fill_color": chosen.fill_color,
    }


def _check_preprocessing(model: Any, recipe: Recipe) -> None:
    wanted, found = _preprocess(recipe), dict(model.visual.preprocess_cfg)
    size = getattr(model.visual, "image_size", recipe.size)
    found["size"] = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if found != wanted:
        raise AdapterError(f"{recipe.label}: open_clip preprocesses by {found}, the fingerprint says {wanted}")


def _text_override(recipe: Recipe, offline: bool) -> dict[str, Any]:
    from mmbench.adapters.open_clip import folder_config

    # A text tower of the hub is built from its configuration; a local folder in place of the name needs no traffic.
    name = recipe.text.get("hf_model_name")
    if not name:
        return {}
    what = f"the text tower's configuration {name} of {recipe.label}"
    folder = hub.fetch_folder(str(name), offline=offline, what=what, vocabulary=False)
    if folder_config.brings_code(folder / "config.json"):
        raise UsageError(f"{what} names code of its own, which is not run; only towers that transformers has are built")
    return {"text_cfg": {**recipe.text, "hf_model_name": str(folder), "hf_model_pretrained": False}}


def _tokenizer(recipe: Recipe, offline: bool) -> Any:
    import open_clip

    name = recipe.text.get("hf_tokenizer_name")
    if not name and recipe.merges is not None:
        return _own_tokenizer(recipe, recipe.merges)
    if not name:
        _register(recipe.name)
        return open_clip.get_tokenizer(recipe.name)
    recipe.check_installed()
    what = f"the tokenizer {name} of {recipe.label}"
    folder = recipe.folder or hub.fetch_folder(str(name), offline=offline, what=what, vocabulary=True)
    kwargs = recipe.text.get("tokenizer_kwargs")
    try:
        return open_clip.tokenizer.HFTokenizer(
            str(folder),
            context_length=recipe.text.get("context_length", 77),
            tokenizer_mode=recipe.text.get("tokenizer_mode"),
            trust_remote_code=False,  # the folder may name code of its own, which the library would ask to run
            **(dict(kwargs) if isinstance(kwargs, dict) else {}),
        )
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"{folder}: no usable tokenizer ({_line(error)})") from error


def _own_tokenizer(recipe: Recipe, merges: Path) -> Any:
    import open_clip

    kwargs = recipe.text.get("tokenizer_kwargs")
    try:
        tokenizer = open_clip.tokenizer.SimpleTokenizer(
            bpe_path=str(merges),
            context_length=recipe.text.get("context_length", 77),
            **(dict(kwargs) if isinstance(kwargs, dict) else {}),
        )
    except (OSError, ValueError) as error:
        raise UsageError(f"{merges}: no usable tokenizer ({_line(error)})") from error
    known = recipe.text.get("vocab_size", 49408)
    if tokenizer.vocab_size > int(str(known)):
        raise UsageError(f"{merges}: makes {tokenizer.vocab_size} tokens and the model knows {known}")
    return tokenizer


@contextmanager
def _without_warnings() -> Iterator[None]:
    # open_clip warns of random weights because it is asked to build first; ours are then read, or labelled untrained.
    def certain(record: logging.LogRecord) -> bool:
        return "nitialized randomly" not in record.getMessage() and "no CLIP weights found" not in record.getMessage()

    root = logging.getLogger()
    root.addFilter(certain)
    try:
        yield
    finally:
        root.removeFilter(certain)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
