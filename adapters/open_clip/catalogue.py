"""Catalogue of open_clip's architectures and pretrained tags, read without importing torch."""

import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError, nearest

OWN_CONFIGS = Path(__file__).parent / "configs"
_HEAVY = ("safetensors.torch", "huggingface_hub")
_QUICK = "-quickgelu"


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Preprocessing of a picture, apart from its size, which the architecture fixes."""

    mean: tuple[float, ...]
    """Subtracted from each channel, in 0..1."""
    std: tuple[float, ...]
    """Divides each channel."""
    interpolation: str = "bicubic"
    """`bicubic` or `bilinear`."""
    resize_mode: str = "shortest"
    """`shortest` (then centre crop), `longest` (then pad) or `squash`."""
    fill_color: int = 0
    """Grey level of the padding."""

    def merged(self, given: Mapping[str, object]) -> "Preprocessing":
        """Return these settings overlaid with those in `given`; other keys and None are skipped, as in open_clip."""
        return Preprocessing(
            mean=_triple(given.get("mean"), self.mean),
            std=_triple(given.get("std"), self.std),
            interpolation=str(given.get("interpolation") or self.interpolation),
            resize_mode=str(given.get("resize_mode") or self.resize_mode),
            fill_color=int(str(given.get("fill_color") or self.fill_color)),
        )


@dataclass(frozen=True, slots=True)
class Tag:
    """One set of published weights of one architecture."""

    repo: str
    """`owner/name` on the hub."""
    filenames: tuple[str, ...]
    """Files that hold the weights, in order of preference."""
    preprocessing: Preprocessing
    """Preprocessing with which the weights were trained."""
    quick_gelu: bool
    """True where they were trained with QuickGELU."""


@cache
def package() -> Path:
    """Return the folder of the installed open_clip. Raises UsageError when it is not installed."""
    spec = importlib.util.find_spec("open_clip")  # finds a top-level package without importing it
    if spec is None or spec.origin is None:
        raise UsageError("open_clip is not installed; pip install open_clip_torch")
    return Path(spec.origin).parent


@cache
def architectures() -> dict[str, Path]:
    """Return the configuration file of every architecture, open_clip's own and those shipped here."""
    files = [*OWN_CONFIGS.glob("*.json"), *(package() / "model_configs").glob("*.json")]
    return {file.stem: file for file in sorted(files, key=lambda file: file.stem)}


def config(architecture: str) -> dict[str, Json]:
    """Return the model configuration of an architecture. Raises UsageError naming the nearest known one."""
    file = architectures().get(architecture)
    if file is None:
        hint = (
            nearest(architecture, architectures()) or f"; {len(architectures())} are known to open_clip.list_models()"
        )
        raise UsageError(f"open_clip has no architecture {architecture!r}{hint}")
    found: dict[str, Json] = json.loads(file.read_text(encoding="utf-8"))
    return found


def tags(architecture: str) -> list[str]:
    """Return the pretrained tags of an architecture, in open_clip's order."""
    return list(_tables().list_pretrained_tags_by_model(architecture))


def repository(architecture: str, name: str) -> str:
    """Return the hub's repository of a pretrained tag, `owner/name`; empty where its weights lie elsewhere."""
    return str(_tables().get_pretrained_cfg(architecture, name).get("hf_hub", "")).rpartition("/")[0]


def tag(architecture: str, name: str) -> Tag:
    """Return one pretrained tag.

    Raises UsageError for an unknown tag, and where weights trained with QuickGELU would meet a model without it or
    the reverse: open_clip only warns, and the accuracy is silently several points lower.
    """
    quick = bool(config(architecture).get("quick_gelu", False))
    plain = architecture.removesuffix(_QUICK)
    row = _tables().get_pretrained_cfg(architecture, name)
    if not row and not _tables().get_pretrained_cfg(plain, name):
        raise UsageError(_unknown_tag(architecture, name))
    row = row or _tables().get_pretrained_cfg(plain, name)
    wanted = bool(row.get("quick_gelu", False))
    # roberta-ViT-B-32 is QuickGELU by its own configuration and has no twin: only a twin makes a mismatch a mistake.
    twin = plain + _QUICK if wanted else plain
    if wanted != quick and twin != architecture and twin in architectures():
        needs, has = ("QuickGELU", "GELU") if wanted else ("GELU", "QuickGELU")
        raise UsageError(
            f"open_clip:{architecture}/{name}: these weights need {needs} and {architecture} has {has}; "
            f"use open_clip:{twin}/{name}"
        )
    return _tag(row)


def preprocessing(architecture: str) -> Preprocessing:
    """Return the preprocessing for weights of unknown origin.

    It is the one on which all published tags of the architecture agree, else OpenAI's; loading a checkpoint by its
    path through open_clip would take OpenAI's always, wrong by design for SigLIP, CLIPA and others.
    """
    known = {_tag(_tables().get_pretrained_cfg(architecture, name)).preprocessing for name in tags(architecture)}
    return known.pop() if len(known) == 1 else default_preprocessing()


def default_preprocessing() -> Preprocessing:
    """Return OpenAI's settings, open_clip's default."""
    constants = _module("constants")
    return Preprocessing(mean=tuple(constants.OPENAI_DATASET_MEAN), std=tuple(constants.OPENAI_DATASET_STD))


def _unknown_tag(architecture: str, name: str) -> str:
    known = tags(architecture)
    listing = f"its tags are {', '.join(known)}" if known else "no weights of it are published"
    hint = nearest(name, [*known, "untrained"])
    return f"open_clip:{architecture} has no tag {name!r}{hint}; {listing} (or @FILE for a checkpoint, /untrained)"


def _tag(row: Mapping[str, object]) -> Tag:
    repo, _, filename = str(row.get("hf_hub", "")).rpartition("/")
    return Tag(repo, _filenames(filename), default_preprocessing().merged(row), bool(row.get("quick_gelu", False)))


def _filenames(given: str) -> tuple[str, ...]:
    # The order in which open_clip looks: the safetensors twin first.
    constants = _module("constants")
    if not given:
        return (constants.HF_SAFE_WEIGHTS_NAME, constants.HF_WEIGHTS_NAME)
    stem, _, ending = given.rpartition(".")
    return (f"{stem}.safetensors", given) if ending in ("bin", "pth") else (given,)


def _triple(given: object, default: tuple[float, ...]) -> tuple[float, ...]:
    if given is None:
        return default
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(float(value) for value in given)
    return (float(str(given)),) * 3


def _tables() -> ModuleType:
    return _module("pretrained")


@cache
def _module(name: str) -> ModuleType:
    # `import open_clip` costs seconds because its __init__ pulls torch. The modules with the tables need none of that,
    # so they are imported under a package of our own that has open_clip's folder and an empty __init__.
    alias = "_mmbench_open_clip"
    if alias not in sys.modules:
        stub = ModuleType(alias)
        stub.__path__ = [str(package())]
        sys.modules[alias] = stub
    with _absent(_HEAVY):
        return importlib.import_module(f"{alias}.{name}")


@contextmanager
def _absent(names: Sequence[str]) -> Iterator[None]:
    # pretrained.py tries these imports and goes on without them; one of them would pull torch. None in sys.modules is
    # Python's documented way to make an import fail.
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
