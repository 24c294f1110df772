"""Files of a transformers checkpoint: which are read, what in them is refused, and the digest that identifies them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mmbench.adapters.hf.kinds import Kind, kind_of
from mmbench.adapters.open_clip.checkpoint import check_head
from mmbench.adapters.shared import hub, known_keys
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError
from mmbench.harness.regular import read_regular

# The order in which transformers itself looks through a folder.
_WHOLE = ("model.safetensors", "pytorch_model.bin")
_INDEX = {name: f"{name}.index.json" for name in _WHOLE}
_VOCABULARY = (
    "tokenizer.json",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "tokenizer.model",
    "sentencepiece.bpe.model",
)
_TOKENIZER = (
    *_VOCABULARY,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
)
_PICTURES = ("processor_config.json", "preprocessor_config.json")
_CONFIGS = ("config.json", "tokenizer_config.json", "video_preprocessor_config.json", *_PICTURES)
_TEMPLATES = ("processor_config.json", "chat_template.json", "chat_template.jinja", "tokenizer_config.json")
"""Where a chat template may stand: that of a processor, in the order of transformers, then that of a tokenizer."""
_LONGEST_TEMPLATE = 1_000_000
_LORA = "LoRA weights upon another model; merge them (merge_and_unload of peft) and save the whole model"
_PASSING = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "_commit_hash")
"""Keys that tell how a checkpoint was saved, and change no answer: the dtype is the one that is asked for."""

ENDS = (
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "decoder_start_token_id",
    "forced_bos_token_id",
    "forced_eos_token_id",
)
"""Keys of generation_config.json that are heeded: where a reply begins and ends. The others, which say how tokens are
chosen, are the task's to say."""

FETCHED = ("*.json", "*.txt", "*.model", "*.jinja")
"""Patterns of the files beside the weights."""
WEIGHTS = (("model.safetensors", "model-*-of-*.safetensors"), ("pytorch_model.bin", "pytorch_model-*-of-*.bin"))
"""Patterns of the files of weights, in order of preference."""


@dataclass(frozen=True)
class Checkpoint:
    """A folder as transformers saves it, or the hub's cache holds it; nothing is loaded.

    Each member raises UsageError.
    """

    folder: Path
    label: str
    """Name in messages."""

    def check(self) -> None:
        """Raise UsageError for what is not there, and for what would run code or load another model."""
        for name in dict.fromkeys((*_CONFIGS, *_TOKENIZER, *_TEMPLATES)):
            if (self.folder / name).is_file():
                check_head(self.folder / name, "the file")
        self.check_said()
        self._check_size()
        if self.kind.sees and not self.pictures:
            raise UsageError(f"{self.label}: has no preprocessor_config.json, which says how pictures are prepared")
        if self.kind.reads and not self._has_tokenizer():
            raise UsageError(f"{self.label}: has no tokenizer; save its tokenizer.json beside the weights")
        if self._chats() and not self.template:
            raise UsageError(
                f"{self.label}: has no chat template, without which it cannot be asked; put the chat_template.jinja of "
                f"the model that it was made from beside the weights"
            )

    def check_said(self) -> None:
        """Raise UsageError for what the configurations say that would run code or load another model."""
        for name in _CONFIGS:
            self._refuse_code(name)
        if (self.folder / "adapter_config.json").exists():
            raise UsageError(f"{self.label}: {_LORA}")
        writes = self.kind.writes
        if "quantization_config" in self.config and writes is None:
            raise UsageError(f"{self.label}: its weights are quantised; take those that are not")
        if writes is not None and "audio_tokenizer" in (self._json("processor_config.json") or {}):
            raise UsageError(
                f"{self.label}: its processor_config.json loads another model (audio_tokenizer); remove it"
            )

    def is_whole(self) -> bool:
        """Tell whether all files are here; of their content nothing."""
        try:
            seen, asked = self.pictures or not self._sees(), self.template or not self._chats()
            return bool(self.weights and seen and asked) and self._has_tokenizer()
        except UsageError:
            return False

    def _sees(self) -> bool:
        try:
            return self.kind.sees
        except UsageError:
            return False  # it will be refused for what it is

    def _chats(self) -> bool:
        try:
            return self.kind.writes is not None and self.kind.writes.chat
        except UsageError:
            return False

    def _has_tokenizer(self) -> bool:
        return any((self.folder / name).is_file() for name in _VOCABULARY)

    @cached_property
    def config(self) -> Mapping[str, Json]:
        """The model's configuration."""
        found = self._json("config.json")
        if found is None:
            inner = max((each.parent.name for each in self.folder.glob("*/config.json")), default="")
            there = f"; there is one in its folder {inner}" if inner else ""
            raise UsageError(f"{self.label}: has no config.json, so it is no checkpoint of transformers{there}")
        return found

    @property
    def kind(self) -> Kind:
        """The model's kind."""
        return kind_of(self.config, self.label)[1]

    @cached_property
    def pictures(self) -> Mapping[str, Json]:
        """What is said of the preparation of pictures, as transformers looks for it; empty where nothing is."""
        for name in _PICTURES:
            found = self._json(name) or {}
            inner = found.get("image_processor") if name == "processor_config.json" else found
            if isinstance(inner, Mapping):
                return inner
        return {}

    @property
    def clips(self) -> Json:
        """What is said of the preparation of clips in a file of its own; None where it stands beside the pictures'."""
        return _cleaned(self._json("video_preprocessor_config.json"))

    @cached_property
    def template(self) -> str:
        """The chat template in Jinja; empty where there is none. Of several named ones it is `default`."""
        for name in _TEMPLATES:
            found = self._text(name) if name.endswith(".jinja") else (self._json(name) or {}).get("chat_template")
            if isinstance(found, list):  # as tokenizers of before transformers 5 name several
                found = {str(each.get("name")): each.get("template") for each in found if isinstance(each, Mapping)}
            if isinstance(found, Mapping):
                found = found.get("default")
            if isinstance(found, str) and found.strip():
                return found
        return ""

    @cached_property
    def ends(self) -> Mapping[str, Json]:
        """What generation_config.json says of where a reply begins and ends."""
        said = self._json("generation_config.json") or {}
        found = {name: said[name] for name in ENDS if said.get(name) is not None}
        for name, each in found.items():
            if not all(type(token) is int for token in (each if isinstance(each, list) else [each])):
                raise UsageError(f"{self.label}: {name} of generation_config.json is the number of a token, or several")
        return found

    @property
    def stored(self) -> str:
        """The dtype of the weights by the configuration, as torch calls it; empty where that does not say."""
        inner = self.config.get("text_config")
        sections = (self.config, inner if isinstance(inner, Mapping) else {})
        said = (section.get(name) for section in sections for name in ("dtype", "torch_dtype"))
        return next((str(each) for each in said if each), "")

    @cached_property
    def weights(self) -> tuple[Path, ...]:
        """The files of the weights; all are there."""
        for name in _WHOLE:
            files = self._whole(name) or self._shards(_INDEX[name])
            for file in files:
                check_head(file)
            if files:
                return files
        raise UsageError(f"{self.label}: no weights in it; one of {', '.join(_WHOLE)} or its index is expected")

    def identity(self) -> dict[str, Json]:
        """Return what tells this model from others, wherever its files lie."""
        return {
            "config": _cleaned(self.config),
            "pictures": _cleaned(self.pictures),
            "tokenizer": self._tokenizer() if self.kind.reads else None,
            "weights": {file.name: self._digest(file) for file in self.weights},
            **(self._asked() if self.kind.writes is not None else {}),
        }

    def _asked(self) -> dict[str, Json]:
        """Return what else makes a prompt, and ends a reply."""
        processor = _cleaned(self._json("processor_config.json") or {})
        return {"template": self.template, "processor": processor, "ends": dict(self.ends)}

    def _whole(self, name: str) -> tuple[Path, ...]:
        file = self.folder / name
        return (file,) if file.is_file() else ()

    def _shards(self, index: str) -> tuple[Path, ...]:
        table = (self._json(index) or {}).get("weight_map")
        if not isinstance(table, Mapping):
            return ()
        names = sorted({str(name) for name in table.values()})
        if any(Path(name).name != name for name in names):
            raise UsageError(f"{self.label}: {index} names files outside the folder")
        for name in names:
            if not (self.folder / name).is_file():
                raise UsageError(f"{self.label}: {name} is not there, which {index} names; fetch or copy it")
        return tuple(self.folder / name for name in names)

    def _tokenizer(self) -> Json:
        return {name: self._digest(file) for name in _TOKENIZER if (file := self.folder / name).is_file()}

    def _digest(self, file: Path) -> str:
        try:
            return hub.content_digest(file)
        except OSError as error:
            raise UsageError(f"{file}: cannot be read ({error.strerror or error})") from error

    def _json(self, name: str) -> Mapping[str, Json] | None:
        try:
            found = known_keys.read(self.folder / name, 50_000_000 if name.endswith(".index.json") else 1_000_000)
        except FileNotFoundError:
            return None
        if not isinstance(found, dict):
            raise UsageError(f"{self.folder / name}: must be a JSON object")
        return found

    def _text(self, name: str) -> str:
        file = self.folder / name
        try:
            return read_regular(file, _LONGEST_TEMPLATE).decode("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            raise UsageError(f"{file}: cannot be read ({error})") from error

    def _refuse_code(self, name: str) -> None:
        for key, value in _entries(self._json(name) or {}):
            if key == "auto_map" and value:
                raise UsageError(
                    f"{self.label}: {name} names code of its own (auto_map), which is not run; take a checkpoint of a "
                    f"class that transformers has, write an adapter that runs it (docs/adapters.md), or ask it through "
                    f"a server of its own, as api:MODEL"
                )
            if key in ("attn_implementation", "_attn_implementation", "experts_implementation") and "/" in str(value):
                raise UsageError(
                    f"{self.label}: {name} names code of the hub ({key}), which is not run; remove the key"
                )

    def _check_size(self) -> None:
        # Building towers that the file cannot fill would take minutes and all memory before this is found.
        held = sum(file.stat().st_size for file in self.weights)
        for name in ("", "text_config", "vision_config"):
            section = self.config.get(name) if name else self.config
            if not isinstance(section, Mapping):
                continue
            layers, width = section.get("num_hidden_layers"), section.get("hidden_size")
            if isinstance(layers, int) and isinstance(width, int) and 4 * layers * width**2 > held:
                place = f"{name} of config.json" if name else "config.json"
                raise UsageError(
                    f"{self.label}: {place} asks for more weights than the files hold; it is another model's, or the "
                    f"weights are cut short"
                )


def _entries(value: Json) -> Iterator[tuple[str, Json]]:
    """Yield every key of a JSON value at any depth, with what it holds."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield str(key), each
            yield from _entries(each)
    elif isinstance(value, list):
        for each in value:
            yield from _entries(each)


def _cleaned(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _cleaned(each) for key, each in value.items() if key not in _PASSING}
    if isinstance(value, float) and not math.isfinite(value):  # as some configurations have it, and JSON has not
        return str(value)
    return [_cleaned(each) for each in value] if isinstance(value, list) else value
