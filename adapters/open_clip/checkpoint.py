"""Checkpoint files: the state dict of a model, found in whatever training code has put around it."""

import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmbench.harness.errors import AdapterError, UsageError, nearest
from mmbench.harness.regular import open_regular

State = dict[str, Any]
"""Names to tensors."""

_REMEDY = "save its state_dict with torch.save"
_WRAPPERS = re.compile(r"(^|(?<=\.))(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
"""Names that torch.compile, FSDP and activation checkpointing put anywhere before a name of the model's own."""
_TOWER = re.compile(r"(?:^|(?<=\.))(?:visual|image_encoder)\.")
"""Where the names of a model of open_clip begin, whatever stands before them."""
_DEPTH = 3
_SHARDED = {
    "*mp_rank_*_model_states.pt": "DeepSpeed; join it by its zero_to_fp32.py",
    "*zero_pp_rank_*": "DeepSpeed; join it by its zero_to_fp32.py",
    "*.distcp": "torch.distributed.checkpoint; join it by torch.distributed.checkpoint.format_utils dcp_to_torch",
    "*.index.json": "transformers; give its folder as hf:FOLDER",
}


def check_head(file: Path, what: str = "the weights") -> None:
    """Raise UsageError where the first bytes of a file tell that it is no file of a checkpoint; torch is not needed."""
    try:
        with open_regular(file) as opened:
            head = opened.read(256)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror or error})") from error
    if head.startswith(b"version https://git-lfs"):
        raise UsageError(f"{file}: a pointer of Git LFS, not {what}; fetch what it stands for by git lfs pull")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise UsageError(f"{file}: a web page, not a checkpoint; the download went wrong")


def sharded_by(folder: Path) -> str | None:
    """Return who split a checkpoint into the files of a folder, and what to do; None where nobody did."""
    tried = (folder, *(each for each in sorted(folder.iterdir()) if each.is_dir()))
    return next((who for place in tried for pattern, who in _SHARDED.items() if any(place.glob(pattern))), None)


def read_states(file: Path) -> dict[str, State]:
    """Return each set of weights of a file by its name, `` where there is one without a name. Raises UsageError.

    The names of the weights are those of the model: what wrappers put before them is taken off. A set is what looks
    like a model of open_clip; states of optimisers and schedules are passed over.
    """
    check_head(file)
    if not file.stat().st_size:
        raise UsageError(f"{file}: an empty file, cut short or damaged")
    content = _load(file)
    found: dict[str, State] = {}
    for name, state in _states(content, "", _DEPTH):
        parts = _by_prefix(state)
        for prefix, part in parts.items():
            both = [name] if len(parts) == 1 and prefix in ("module", "model") else [name, prefix]
            found[".".join(filter(None, both))] = part
    if not found:
        raise UsageError(f"{file}: {_what_else(content)}")
    return found


def choose(states: Mapping[str, State], wanted: str | None, file: Path) -> State:
    """Return the set of weights that a person wants, or the only one. Raises UsageError."""
    if wanted is None and len(states) == 1:
        return next(iter(states.values()))
    names = [name or ("unnamed" if "model" in states else "model") for name in states]
    if wanted is None:
        some = f"{len(states)} sets of weights, {', '.join(names)}"
        raise UsageError(f"{file}: holds {some}; choose one, as in @{file.name},weights={names[-1]}")
    fits = [state for name, state in zip(names, states.values(), strict=True) if name == wanted]
    fits = fits or [state for name, state in zip(names, states.values(), strict=True) if wanted in name.split(".")]
    if len(fits) != 1:
        raise UsageError(f"{file}: has no weights '{wanted}'{nearest(wanted, names)}; it has {', '.join(names)}")
    return fits[0]


def _load(file: Path) -> Any:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if _is_torchscript(file):
        raise UsageError(f"{file}: a TorchScript archive, which carries code and is not loaded; {_REMEDY}")
    try:
        return load_file(file) if _is_safetensors(file) else torch.load(file, map_location="cpu", weights_only=True)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise AdapterError(f"{file}: does not fit in memory ({_line(error)})") from error
    except pickle.UnpicklingError as error:
        raise UsageError(f"{file}: {_refused(str(error))}") from error
    # What torch raises on a file that is no archive, is cut short, or holds what is no Python.
    except (SafetensorError, OSError, EOFError, RuntimeError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise UsageError(f"{file}: not a readable checkpoint, cut short or damaged ({_line(error)})") from error


def _refused(reason: str) -> str:
    named = re.search(r"GLOBAL ([\w.]+)", reason)
    if named is None:
        return f"damaged, or holds more than tensors, which is not loaded; {_REMEDY}"
    return f"holds more than tensors, {named[1]}, which could run code and is not loaded; {_REMEDY}"


def _is_torchscript(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return any(entry.endswith("/constants.pkl") for entry in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False  # another format, or damage that reading it will report


def _is_safetensors(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(9)
    return file.suffix == ".safetensors" or (head[8:] == b"{" and int.from_bytes(head[:8], "little") < 100_000_000)


def _states(content: object, name: str, depth: int) -> Iterator[tuple[str, State]]:
    """Yield each mapping of names to tensors in which a tower for pictures is named, with its place."""
    if not isinstance(content, Mapping) or not depth:
        return
    tensors = {key: each for key, each in content.items() if isinstance(key, str) and _is_tensor(each)}
    if any(_TOWER.search(key) for key in tensors):
        yield name, {_WRAPPERS.sub("", key): each for key, each in tensors.items()}
    for key, each in content.items():
        if isinstance(key, str):
            yield from _states(each, ".".join(filter(None, [name, key])), depth - 1)


def _by_prefix(state: State) -> dict[str, State]:
    """Split names as `model.visual.proj` and `ema.visual.proj` by what stands before the model's own."""
    prefixes = {key[: match.start()] for key in state if (match := _TOWER.search(key))}
    parts = {
        prefix.rstrip("."): {key.removeprefix(prefix): each for key, each in state.items() if key.startswith(prefix)}
        for prefix in sorted(prefixes - {""})
    }
    if "" in prefixes:
        others = tuple(prefixes - {""})
        parts[""] = {key: each for key, each in state.items() if not (others and key.startswith(others))}
    return parts


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _what_else(content: object) -> str:
    keys = [str(key) for key in _keys(content, _DEPTH)]
    if any("vision_model." in key for key in keys):
        return (
            "holds the names of transformers' CLIPModel (vision_model.…), which open_clip does not read; give the "
            "folder that transformers saved as hf:FOLDER, or take weights that open_clip saved"
        )
    if any("lora_" in key for key in keys):
        return "holds LoRA weights alone; merge them into the model and save its state_dict"
    some = f" (it has {', '.join(keys[:3])})" if keys else ""
    return f"holds no state dict of a model of open_clip, whose names begin with 'visual.'{some}"


def _keys(content: object, depth: int) -> Iterator[object]:
    if isinstance(content, Mapping) and depth:
        for key, each in content.items():
            yield key
            yield from _keys(each, depth - 1)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
