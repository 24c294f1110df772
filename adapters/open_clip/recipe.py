"""Recipe of an `open_clip:` spec: weights, architecture, preprocessing and tokenizer, identified from files alone."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mmbench.adapters.open_clip import catalogue, checkpoint
from mmbench.adapters.open_clip.catalogue import Preprocessing
from mmbench.adapters.open_clip.weights import HubWeights, LocalWeights, RandomWeights, Weights
from mmbench.adapters.shared import hub, known_keys
from mmbench.harness.digest import Json, digest_file, digest_json
from mmbench.harness.errors import UsageError, nearest

ADAPTER_VERSION = 1
"""Raised whenever the same files would give other vectors."""

UNTRAINED = "untrained"
SHIPPED = "mmbench"
"""Head of the specs of models inside this package, `open_clip:mmbench/NAME`; results then hold no path of a machine."""
MERGES = "bpe_simple_vocab.txt.gz"
"""A folder's own vocabulary for open_clip's tokenizer, in place of CLIP's; its configuration has no sound way to it."""
_MODELS = Path(__file__).parent.parent / "tiny" / "models"
CHECKPOINTS = (".pt", ".pth", ".bin", ".safetensors", ".ckpt")
# The order in which open_clip itself looks through a folder.
_IN_FOLDER = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that makes the model, before anything is loaded."""

    name: str
    """Name in open_clip: an architecture, or `local-dir:` and a folder."""
    config: Mapping[str, Json]
    """The model configuration."""
    weights: Weights
    """Source of the weights."""
    preprocessing: Preprocessing
    """Preprocessing of pictures."""
    folder: Path | None = None
    """Set for a folder, whose tokenizer files take the place of the hub's."""

    @property
    def label(self) -> str:
        """Name in messages."""
        return str(self.folder) if self.folder is not None else f"open_clip:{self.name}"

    @property
    def text(self) -> Mapping[str, Json]:
        """The configuration of the text tower."""
        return _section(self.config, "text_cfg")

    @property
    def merges(self) -> Path | None:
        """The folder's own merges file, None where the tokenizer has CLIP's."""
        own = self.folder / MERGES if self.folder is not None else None
        return own if own is not None and own.is_file() else None

    @property
    def captions(self) -> bool:
        """Whether a decoder is there that writes texts.

        Above a text tower that looks ahead it cannot, and a tokenizer of the hub may lack a start token; no CoCa has
        been published with either.
        """
        other = any(self.text.get(key) for key in ("hf_model_name", "hf_tokenizer_name", "no_causal_mask"))
        return bool(self.config.get("multimodal_cfg")) and not other

    @property
    def tunes(self) -> bool:
        """Whether the text tower is one through which prompts are learnt: open_clip's own, causal, with its tokenizer.

        The class token that CoCa's tower adds behind the text is another one.
        """
        others = ("hf_model_name", "hf_tokenizer_name", "no_causal_mask", "embed_cls", "output_tokens")
        own = not any(self.text.get(key) for key in others) and not self.config.get("multimodal_cfg")
        return own and self.text.get("pool_type", "argmax") in ("argmax", "eos")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the model's input in pixels."""
        size = _section(self.config, "vision_cfg").get("image_size", 224)
        height, width = size if isinstance(size, list) else (size, size)
        return int(str(height)), int(str(width))

    def fingerprint(self, dtype: str, offline: bool) -> str:
        """Return the identity of the model at a dtype, from files. Raises WeightsUnavailable."""
        chosen = self.preprocessing
        return digest_json(
            {
                "adapter": ["open_clip", ADAPTER_VERSION],
                "architecture": self.config,
                "weights": self.weights.identity(offline),
                "preprocessing": {
                    "size": self.size,
                    "mean": chosen.mean,
                    "std": chosen.std,
                    "interpolation": chosen.interpolation,
                    "resize_mode": chosen.resize_mode,
                    "fill_color": chosen.fill_color,
                },
                "tokenizer": self._tokenizer(),
                "dtype": dtype,
            }
        )

    def check_installed(self) -> None:
        """Raise UsageError when a library is missing that this model needs, before anything is fetched."""
        needs = bool(self.text.get("hf_tokenizer_name") or self.text.get("hf_model_name"))
        if needs and importlib.util.find_spec("transformers") is None:
            raise UsageError(f"{self.label}: its tokenizer needs transformers; pip install transformers")

    def _tokenizer(self) -> Json:
        kwargs, length = self.text.get("tokenizer_kwargs"), self.text.get("context_length", 77)
        name = self.text.get("hf_tokenizer_name")
        if not name:
            bpe = digest_file(self.merges or catalogue.package() / "bpe_simple_vocab_16e6.txt.gz")
            return {"kind": "simple", "bpe": bpe, "kwargs": kwargs, "context_length": length}
        files: Json = None
        if self.folder is not None:
            files = {file.name: digest_file(file) for file in hub.tokenizer_files(self.folder)}
        mode = self.text.get("tokenizer_mode")
        named: Json = name if files is None else None
        return {"kind": "hf", "name": named, "files": files, "mode": mode, "kwargs": kwargs, "context_length": length}


def parse(rest: str, *, chosen: str | None = None, interpolate: bool = False) -> Recipe:
    """Return what the text behind `open_clip:` names, and what is asked of its weights.

    `ARCH/TAG`, `ARCH/untrained`, `ARCH@CHECKPOINT`, `mmbench/NAME` for a model inside this package, or a folder as
    open_clip saves it. Raises UsageError.
    """
    made = _named(rest)
    if chosen is None and not interpolate:
        return made
    if not isinstance(made.weights, LocalWeights):
        raise UsageError(f"open_clip:{rest}: weights= and interpolate= are for a file of yours, ARCH@FILE or a folder")
    return replace(made, weights=replace(made.weights, chosen=chosen, interpolate=interpolate))


def _named(rest: str) -> Recipe:
    architecture, at, file = rest.partition("@")
    if at and architecture in catalogue.architectures():
        return _file(architecture, Path(file).expanduser())
    folder = Path(rest).expanduser()
    head, slash, tag = rest.partition("/")
    if head in catalogue.architectures() and slash:
        return _tagged(head, tag)
    if head == SHIPPED and slash:
        return _shipped(tag)
    if folder.is_dir():
        return _folder(folder)
    if rest.startswith(("/", ".", "~")):
        raise UsageError(f"open_clip:{rest}: no such folder; a checkpoint file is given as open_clip:ARCH@FILE")
    catalogue.config(architecture if at else head)  # raises for an unknown name, with the nearest one
    known = ", ".join(catalogue.tags(head)) or "none published"
    raise UsageError(
        f"open_clip:{rest} names no weights; add /TAG ({known}), @FILE, or /{UNTRAINED} for a random start"
    )


def _tagged(architecture: str, name: str) -> Recipe:
    config = catalogue.config(architecture)
    if name == UNTRAINED:
        return Recipe(architecture, config, RandomWeights(), catalogue.preprocessing(architecture))
    tag = catalogue.tag(architecture, name)
    weights = HubWeights(tag.repo, tag.filenames, f"open_clip:{architecture}/{name}")
    return Recipe(architecture, config, weights, tag.preprocessing)


def _shipped(name: str) -> Recipe:
    known = sorted(file.parent.name for file in _MODELS.glob("*/open_clip_config.json"))
    if name not in known:
        raise UsageError(f"mmbench ships no model {name!r}{nearest(name, known)}; it ships {', '.join(known)}")
    return _folder(_MODELS / name, sound=True)


def _file(architecture: str, path: Path) -> Recipe:
    if not path.is_file():
        beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        who = checkpoint.sharded_by(path) if path.is_dir() else None
        kind = f"is a folder, split by {who}" if who else "is a folder; name a file in it"
        if not path.is_dir():
            kind = "is no regular file" if path.exists() else f"no such file{nearest(path.name, beside)}"
        raise UsageError(f"open_clip:{architecture}@{path}: {kind}")
    if path.suffix not in CHECKPOINTS:
        raise UsageError(f"{path}: not a checkpoint; its name must end in one of {', '.join(CHECKPOINTS)}")
    checkpoint.check_head(path)
    return Recipe(
        architecture, catalogue.config(architecture), LocalWeights(path), catalogue.preprocessing(architecture)
    )


def _folder(folder: Path, *, sound: bool = False) -> Recipe:
    """Return the recipe of a folder. One that is `sound`, of this package itself, is not checked."""
    file = folder / "open_clip_config.json"
    try:
        content = known_keys.read(file)
    except FileNotFoundError as error:
        raise UsageError(f"{folder}: no open_clip_config.json in it, so it is not a folder open_clip saved") from error
    if not sound:
        from mmbench.adapters.open_clip import folder_config  # its table of keys takes longer to make than all else

        folder_config.check_config(content, file)
    config, preprocessing = content["model_cfg"], content.get("preprocess_cfg") or {}
    weights = next((folder / name for name in _IN_FOLDER if (folder / name).is_file()), None)
    if weights is None:
        raise UsageError(f"{folder}: no weights in it; one of {', '.join(_IN_FOLDER)} is expected")
    checkpoint.check_head(weights)
    if not sound:
        folder_config.check_fits(config, file, weights)
    if _section(config, "text_cfg").get("hf_tokenizer_name") and not hub.has_vocabulary(folder):
        raise UsageError(
            f"{folder}: its tokenizer's files (tokenizer.json or a *.model file) must lie beside the weights"
        )
    chosen = catalogue.default_preprocessing().merged(preprocessing)
    return Recipe(f"local-dir:{folder}", config, LocalWeights(weights), chosen, folder)


def _section(config: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    section = config.get(key)
    return section if isinstance(section, Mapping) else {}
