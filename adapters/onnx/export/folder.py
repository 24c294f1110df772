"""Export of one model into a folder: written beside its place, held against the model itself, and then put there."""

import importlib.metadata
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmbench.adapters.hf.dual_encoder import DualEncoder
from mmbench.adapters.onnx import manifest
from mmbench.adapters.onnx.export import graphs, of_open_clip, of_transformers, proof
from mmbench.adapters.onnx.export.source import Exportable
from mmbench.adapters.open_clip.adapter import OpenClip
from mmbench.harness.digest import digest_file
from mmbench.harness.errors import UsageError

_LIBRARIES = ("mmbench", "torch", "open_clip_torch", "transformers", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    files: dict[str, int]
    """Bytes of each file."""
    pictures: float
    """Largest difference of a picture's vector from the source's, relative to its norm."""
    texts: float
    """The same of texts."""
    allowed: float
    """Difference above which nothing would have been written."""
    tried: tuple[int, int]
    """Number of pictures and of texts that were compared."""
    notes: tuple[str, ...]
    """What a person should know of what is left out."""


def export(adapter: Any, label: str, folder: Path) -> Exported:
    """Write a dual encoder of open_clip or transformers, computed in fp32 on the CPU, as a folder for `onnx:`.

    The folder is there whole afterwards, or not at all. Raises UsageError for a model that cannot be exported or whose
    folder would not equal it, and for a place that is taken; WeightsUnavailable.
    """
    _check_installed()
    _check_free(folder)
    try:
        return _export(adapter, label, folder)
    except UsageError as error:
        raise UsageError(f"{label} cannot be exported: {error}") from error


def _export(adapter: Any, label: str, folder: Path) -> Exported:
    source = _exportable(adapter)
    proof.check_pictures(source)
    near = next(each for each in folder.absolute().parents if each.is_dir())
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=near))
    try:
        graphs.write(source, made)
        _write_rest(source, label, made)
        pictures, texts = proof.differences(source, made)
        files = {file.name: file.stat().st_size for file in sorted(made.iterdir())}
        made.chmod(0o777 & ~_umask())
        _put(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Exported(files, pictures, texts, proof.ALLOWED, proof.tried(), source.notes)


def _exportable(adapter: Any) -> Exportable:
    kinds: tuple[tuple[type, Callable[[Any], Exportable]], ...] = (
        (OpenClip, of_open_clip.exportable),
        (DualEncoder, of_transformers.exportable),
    )
    for kind, make in kinds:
        if isinstance(adapter, kind):
            return make(adapter)
    raise UsageError("only dual encoders are, models open_clip:… and hf:… that embed pictures and texts")


def _write_rest(source: Exportable, label: str, folder: Path) -> None:
    (folder / manifest.TOKENIZER).write_text(source.tokenizer, encoding="utf-8")
    _write_json(folder / manifest.PREPARATION, source.preparation.model_dump(exclude_none=True))
    content = manifest.Manifest(
        schema=1,
        source=label,
        made_with=_releases(),
        image=manifest.Image(features=source.features),
        text=source.texts,
        logit_scale=source.adapter.logit_scale,
        logit_bias=source.adapter.logit_bias,
        files={file.name: digest_file(file) for file in sorted(folder.iterdir())},
    )
    _write_json(folder / manifest.NAME, content.model_dump(by_alias=True))


def _write_json(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _releases() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _check_installed() -> None:
    missing = []
    for name in ("onnx", "onnxscript", "tokenizers"):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        raise UsageError(f"an export needs {', '.join(missing)}; pip install 'mmbench[onnx]'")


def _check_free(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise UsageError(f"{folder}: is there already and no folder; name a new folder")
    if any(folder.iterdir()):
        raise UsageError(f"{folder}: is there already and not empty; name a new folder, nothing is written over")


def _put(made: Path, folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made.rename(folder)  # which also takes the place of an empty folder, and of no other
    except OSError as error:
        raise UsageError(f"{folder}: cannot be put there ({error.strerror or error}); name a new folder") from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
