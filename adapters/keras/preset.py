"""Preset of KerasHub on disk: which files it has, what in them is refused, and the digests that identify them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mmbench.adapters.shared import hub, known_keys
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError
from mmbench.harness.regular import regular

KINDS = ("CLIP", "SigLIP")
_PARTS = ("Backbone", "VisionEncoder", "TextEncoder", "Preprocessor", "Tokenizer", "ImageConverter")
_CLASSES = frozenset([*(f"{kind}{part}" for kind in KINDS for part in _PARTS), "DTypePolicy"])
_MODULE = re.compile(r"keras(_hub)?(\.[a-z_]+)*")
_CONFIGS = ("config.json", "preprocessor.json")
"""What Keras makes objects of: of these two files the tokenizer and the converter are made too."""
_WEIGHTS, _INDEX = "model.weights.h5", "model.weights.json"
_ASSETS = "assets"
_SAVE = "save both by backbone.save_to_preset(FOLDER) and preprocessor.save_to_preset(FOLDER)"


@dataclass(frozen=True)
class Preset:
    """A folder as KerasHub saves it; nothing is loaded, and keras is not imported. Each member raises UsageError."""

    folder: Path

    def check(self) -> None:
        """Raise UsageError for what is not there, and for what names any class but those of CLIP and SigLIP."""
        for name in _CONFIGS:
            _check_classes(self._json(name), self.folder / name)
        _ = self.kind
        if self._json("preprocessor.json").get("class_name") != f"{self.kind}Preprocessor":
            raise UsageError(f"{self.folder / 'preprocessor.json'}: prepares nothing for a {self.kind}; {_SAVE}")
        for file in self.files:
            try:
                regular(file)
            except OSError as error:
                raise UsageError(f"{file}: {error.strerror or error}; {_SAVE}") from error
        self._check_size()

    @property
    def kind(self) -> str:
        """`CLIP` or `SigLIP`."""
        name = str(self._json("config.json").get("class_name"))
        found = name.removesuffix("Backbone")
        if found not in KINDS:
            raise UsageError(f"{self.folder}: holds a {name[:60]}; of KerasHub, keras: reaches {', '.join(KINDS)}")
        return found

    @property
    def files(self) -> list[Path]:
        """Every file that answers depend on."""
        assets = sorted(file for file in (self.folder / _ASSETS).rglob("*") if not file.is_dir())
        return [*(self.folder / name for name in _CONFIGS), *self._weights, *assets]

    def identity(self) -> dict[str, Json]:
        """Return the digest of each file by its place in the folder."""
        try:
            return {str(file.relative_to(self.folder)): hub.content_digest(file) for file in self.files}
        except OSError as error:
            raise UsageError(f"{self.folder}: cannot be read ({error.strerror or error})") from error

    @cached_property
    def _weights(self) -> list[Path]:
        if (self.folder / _WEIGHTS).exists():
            return [self.folder / _WEIGHTS]
        if not (self.folder / _INDEX).exists():
            raise UsageError(f"{self.folder}: has no {_WEIGHTS}; {_SAVE}")
        table = self._json(_INDEX).get("weight_map")
        named = table.values() if isinstance(table, Mapping) else ()
        names = sorted({str(name) for each in named for name in (each if isinstance(each, list) else [each])})
        if any(Path(name).name != name for name in names):
            raise UsageError(f"{self.folder / _INDEX}: names files outside the folder")
        return [self.folder / _INDEX, *(self.folder / name for name in names)]

    def _check_size(self) -> None:
        # Building towers that the file cannot fill would take minutes and all memory before this is found.
        held = sum(file.stat().st_size for file in self._weights)
        for section in _sections(self._json("config.json")):
            sizes = [value for value in section.values() if isinstance(value, int)]
            layers, width = section.get("num_layers"), section.get("hidden_dim")
            layered = isinstance(layers, int) and isinstance(width, int) and 2 * layers * width**2 > held
            if layered or any(size > 2 * held for size in sizes):
                raise UsageError(
                    f"{self.folder / 'config.json'}: asks for more weights than the file holds; it is another model's, "
                    f"or the weights are cut short"
                )

    def _json(self, name: str) -> Mapping[str, Json]:
        try:
            found = known_keys.read(self.folder / name)
        except FileNotFoundError as error:
            raise UsageError(f"{self.folder}: has no {name}, so it is no whole preset; {_SAVE}") from error
        if not isinstance(found, dict):
            raise UsageError(f"{self.folder / name}: must be a JSON object")
        return found


def _check_classes(content: Mapping[str, Json], file: Path) -> None:
    """Raise UsageError for an object of any class that is not known to be harmless: Keras would import and make it."""
    if "class_name" not in content:
        raise UsageError(f"{file}: names no class, so it is no file of a preset")
    for section in _sections(content):
        paths = [each for each in section.values() if isinstance(each, str) and ("/" in each or "\\" in each)]
        if paths:
            raise UsageError(f"{file}: names the path {paths[0][:80]!r}; a preset has all its files in its folder")
        if not {"class_name", "module", "registered_name"} & section.keys():
            continue
        name, module = section.get("class_name"), section.get("module")
        known = name in _CLASSES and isinstance(module, str) and _MODULE.fullmatch(module)
        if not known or section.get("registered_name") not in (None, name, f"keras_hub>{name}"):
            said = ".".join(str(each)[:60] for each in (module, name) if each)
            raise UsageError(
                f"{file}: names {said or section.get('registered_name')}, which is none of the classes of a CLIP or a "
                f"SigLIP of KerasHub; no code of a preset is run"
            )


def _sections(value: Json) -> Iterator[Mapping[str, Json]]:
    """Yield every object of a JSON value at any depth."""
    waiting: list[Json] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
