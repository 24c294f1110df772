"""Labels of results: safe as folder names, distinct within a run."""

import os
import re
from pathlib import Path
from typing import cast

from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import UsageError

_OPTIONS = re.compile(r"(.*?)((?:,[a-z_]+=[^,/]*)*(?:,system=.*)?)", re.DOTALL)
"""A spec, and what is asked of it behind. Folders are called after settings, `lr=0.1,wd=0.2/last.pt`, so that no option
has a `/` but a system prompt, which is any text and the last."""
_LONGEST = 80
_LONGEST_NAME = 200


def label_parts(given: str, spec: str) -> list[str]:
    """Return the label and, before it, the folders that can tell it from another of the same name."""
    if given != spec and "@" not in given:
        return [given]
    kind, _, whole = spec.partition(":")
    if kind.endswith(".py"):
        return [safe_name(Path(kind).stem), safe_name(whole or kind)]
    rest, options = split_options(whole)
    setting = options and f"-{_short(options[1:])}"
    path = Path(rest.partition("@")[2] or rest)
    revised = "/" in rest.partition("@")[0] and not path.exists()  # ORG/NAME@REVISION: no file stands behind the @
    if ("@" in rest and not revised) or (rest and path.exists()):
        path = Path(os.path.realpath(path))  # which, unlike `resolve`, takes links in a circle as they are
        own = path.name if path.is_dir() else path.stem
        return [safe_name(part) for part in (*path.parts[1:-1], own + setting)]
    # What names a model by maker and name, or architecture and tag, needs no kind before it.
    return [safe_name((rest if "/" in rest else f"{kind}:{rest}") + setting)]


def split_options(spec: str) -> tuple[str, str]:
    """Return a spec without the options behind it, and these.

    >>> split_options("hf:org/name@v1,max_pixels=3136,system=Are you sure? a@b, c=d.")
    ('hf:org/name@v1', ',max_pixels=3136,system=Are you sure? a@b, c=d.')
    >>> split_options("open_clip:ViT-B-32@runs/lr=0.1,wd=0.2/*.pt,weights=ema")
    ('open_clip:ViT-B-32@runs/lr=0.1,wd=0.2/*.pt', ',weights=ema')
    """
    bare, options = cast("re.Match[str]", _OPTIONS.fullmatch(spec)).groups()
    return bare, options


def _short(setting: str) -> str:
    """Return options as part of a label; long ones, such as a system prompt, by their beginning and a digest."""
    if len(setting) <= _LONGEST:
        return setting
    return f"{setting[: _LONGEST - 9]}-{digest_bytes(setting.encode())[:8]}"


def distinct_labels(parts: list[list[str]]) -> list[str]:
    """Return a label for each of `parts`, with as many folders before it as tell them apart. Raises UsageError."""
    labels = [path[-1] for path in parts]
    depth = 1
    while len(set(labels)) < len(labels) and depth < max(map(len, parts)):
        depth += 1
        clashing = {label for label in labels if labels.count(label) > 1}
        labels = [
            "-".join(path[-depth:]) if label in clashing else label for path, label in zip(parts, labels, strict=True)
        ]
    if len(set(labels)) < len(labels):
        double = next(label for label in labels if labels.count(label) > 1)
        raise UsageError(f"model '{double}' is given twice; name each model once")
    return labels


def check_name(name: str) -> str:
    """Return `name` if it can name a folder of results. Raises UsageError that says which could."""
    if name != safe_name(name):
        raise UsageError(f"--name '{name}' cannot name a folder of results; '{safe_name(name)}' can")
    if len(name.encode()) > _LONGEST_NAME:
        raise UsageError(f"--name has {len(name.encode())} bytes, and a folder of results at most {_LONGEST_NAME}")
    return name


def safe_name(text: str) -> str:
    """Return a name of letters, digits and the marks _ . + - that is as like `text` as can be."""
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "model"
