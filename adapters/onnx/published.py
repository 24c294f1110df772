"""Folders as Optimum exports a CLIP and transformers.js reads it: graphs below `onnx/`, the hub's files beside."""

from collections.abc import Mapping
from pathlib import Path

from mmbench.adapters.onnx.manifest import Text
from mmbench.adapters.onnx.towers import Tower, Towers
from mmbench.adapters.shared import known_keys
from mmbench.adapters.shared.preparation import Preparation
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError

_FOLDER = "onnx"
_GRAPHS = ("vision_model.onnx", "text_model.onnx")
_CONFIG, _PICTURES, _TOKENIZER = "config.json", "preprocessor_config.json", "tokenizer.json"
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
"""PIL's filters by their numbers."""
_CLASSES = ("CLIPImageProcessor", "CLIPFeatureExtractor")
_MEAN, _STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
"""Defaults of these classes."""
_DO = ("do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb")
_ELSE = "export the model that it was made of by mmbench export-onnx"


def is_one(folder: Path) -> bool:
    """Tell whether a folder looks like one."""
    return any((folder / _FOLDER / name).exists() for name in _GRAPHS)


def published(folder: Path) -> Towers:
    """Return the towers of such a folder. Raises UsageError where it is not a CLIP, or says less than is needed.

    The names of inputs and outputs are those of transformers' CLIPVisionModelWithProjection and
    CLIPTextModelWithProjection. A text graph may want a mask, which its file tells when it is loaded.
    """
    config, pictures = _json(folder, _CONFIG), _json(folder, _PICTURES)
    if config.get("model_type") != "clip":
        raise UsageError(
            f"{folder}: graphs of a {str(config.get('model_type'))[:40]}, and of what others exported only a CLIP is "
            f"read surely; {_ELSE}"
        )
    inner = _section(config, "text_config")
    settings = _json(folder, "tokenizer_config.json")
    lengths = [inner.get("max_position_embeddings", 77), settings.get("model_max_length", 77)]
    context = min(each for each in lengths if isinstance(each, int)) if any(map(_is_int, lengths)) else 77
    files = {name: folder / name for name in (_CONFIG, _PICTURES, _TOKENIZER)}
    for name in _GRAPHS:
        own = sorted((folder / _FOLDER).glob(f"{name}*"))
        files.update({f"{_FOLDER}/{file.name}": file for file in own})
    for name in (_TOKENIZER, *(f"{_FOLDER}/{name}" for name in _GRAPHS)):
        if name not in files or not files[name].is_file():
            raise UsageError(f"{folder}: has no {name}, which belongs to graphs of this kind; {_ELSE}")
    text = Text(steps=[], context=context, padding=None, length="longest", mask=False)
    return Towers(
        folder=folder,
        image=Tower(files[f"{_FOLDER}/{_GRAPHS[0]}"], {"pixel_values": "pixels"}, ("image_embeds",)),
        text=Tower(
            files[f"{_FOLDER}/{_GRAPHS[1]}"],
            {"input_ids": "ids"},
            ("text_embeds",),
            optional={"attention_mask": "mask"},
        ),
        preparation=_preparation(pictures, folder),
        tokenizer=files[_TOKENIZER],
        texts=text,
        scale=None,
        bias=None,
        files=files,
        digests=None,
        notes=("graphs that were exported elsewhere, not compared with the model they were made of",),
    )


def _preparation(given: Mapping[str, Json], folder: Path) -> Preparation:
    """Return how CLIP's image processor prepares pictures, as far as its file says what is known here."""
    file = folder / _PICTURES
    named = given.get("image_processor_type", given.get("feature_extractor_type", _CLASSES[0]))
    off = [key for key in _DO if given.get(key, True) is not True]
    if named not in _CLASSES or off or given.get("rescale_factor", 1 / 255) != 1 / 255:
        what = f"{', '.join(off)} off" if off else f"the class {str(named)[:60]}"
        raise UsageError(f"{file}: prepares pictures by {what}, which is not known here; {_ELSE}")
    edge, crop = _edge(given.get("size", 224)), given.get("crop_size", 224)
    if edge is None:
        raise UsageError(f"{file}: 'size' names no shortest_edge, which CLIP's pictures are resized to; {_ELSE}")
    height, width = (crop.get("height"), crop.get("width")) if isinstance(crop, Mapping) else (crop, crop)
    content = {
        "resize": "shortest",
        "edge": edge,
        "interpolation": _FILTERS.get(given.get("resample", 3)),  # type: ignore[arg-type]
        "height": height,
        "width": width,
        "margin": "floor",
        "mean": given.get("image_mean", _MEAN),
        "std": given.get("image_std", _STD),
    }
    known_keys.check(Preparation, content, file, _ELSE)
    return Preparation.model_validate(content)


def _edge(size: Json) -> Json:
    return size.get("shortest_edge") if isinstance(size, Mapping) else size


def _is_int(value: Json) -> bool:
    return isinstance(value, int)


def _section(config: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def _json(folder: Path, name: str) -> Mapping[str, Json]:
    try:
        found = known_keys.read(folder / name)
    except FileNotFoundError as error:
        raise UsageError(f"{folder}: has no {name}, which belongs to graphs of this kind; {_ELSE}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{folder / name}: must be a JSON object")
    return found
