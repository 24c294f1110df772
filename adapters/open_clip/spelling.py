"""Spelling of models as other tools name them, in the words of `--model`."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from mmbench.adapters.open_clip import catalogue
from mmbench.adapters.open_clip.recipe import CHECKPOINTS
from mmbench.harness.errors import UsageError

_HUB = re.compile(r"(?:hf-hub|hf|huggingface|https?://huggingface\.co)[:/]+", re.IGNORECASE)
"""What stands before the name of a repository of the hub elsewhere."""
_OPENAI = re.compile(r"(?:openai/clip-)?(ViT-[BL]|RN)[-/]?(?:patch)?(\d+(?:x\d+)?)(?:[-@](336)(?:px)?)?", re.IGNORECASE)
"""OpenAI's own names, `ViT-B/32` and `ViT-L/14@336px`, and those of its repositories."""
_FEW = 3


def spelled(typed: str) -> str | None:
    """Return how a model is to be given, as the end of a sentence, or None where the name tells nothing.

    >>> spelled("ViT-B/32")
    'open_clip:ViT-B-32-quickgelu/openai'
    >>> spelled("laion/CLIP-ViT-B-32-laion2B-s34B-b79K")
    'open_clip:ViT-B-32/laion2b_s34b_b79k'
    """
    try:
        return _file(typed) or _named(_HUB.sub("", typed.strip()))
    except (UsageError, OSError):  # open_clip is not installed, or no path can be so long
        return None


def _file(typed: str) -> str | None:
    path = Path(typed).expanduser()
    if path.is_dir() and (path / "open_clip_config.json").is_file():
        return f"open_clip:{typed}"
    if path.suffix in CHECKPOINTS and path.is_file():
        return f"open_clip:ARCH@{typed}, ARCH being the architecture that was trained, such as ViT-B-32"
    return None


def _named(name: str) -> str | None:
    known = {each.lower(): each for each in catalogue.architectures()}
    head, mark, tag = _split(name, known)
    if head is None:
        return _of_openai(name) or next(_of_repository(name), None)
    if not mark:
        tags = catalogue.tags(head)
        some = f" (TAG: {', '.join(tags[:_FEW])}{', …' if len(tags) > _FEW else ''})" if tags else ""
        return (f"open_clip:{head}/TAG{some} or " if tags else "") + f"open_clip:{head}@FILE for weights of your own"
    if mark == "@":
        return f"open_clip:{head}@{tag}"
    near = get_close_matches(tag, catalogue.tags(head), n=1)
    return _tagged(head, tag) or (_tagged(head, near[0]) if near else None)


def _split(name: str, known: dict[str, str]) -> tuple[str | None, str, str]:
    """Return the architecture that a name begins with, the mark behind it and the rest."""
    if name.lower() in known:
        return known[name.lower()], "", ""
    for match in re.finditer(r"[/:,@ ]", name):
        if name[: match.start()].lower() in known:
            return known[name[: match.start()].lower()], match[0], name[match.end() :].strip()
    return None, "", ""


def _tagged(architecture: str, tag: str) -> str | None:
    """Return the spec of published weights, of the twin architecture where it is this that they need."""
    plain = architecture.removesuffix("-quickgelu")
    for one in (architecture, f"{plain}-quickgelu", plain):
        try:
            catalogue.tag(one, tag)
        except UsageError:
            continue
        return f"open_clip:{one}/{tag}"
    return None


def _of_openai(name: str) -> str | None:
    match = _OPENAI.fullmatch(name.replace("-base-", "-B-").replace("-large-", "-L-").replace("clip-vit", "clip-ViT"))
    if match is None:
        return None
    kind, size, pixels = match.groups()
    kind = kind.upper().replace("VIT", "ViT")
    plain = f"{kind}{'-' if kind != 'RN' else ''}{size}{f'-{pixels}' if pixels else ''}"
    return _tagged(plain, "openai") if plain in catalogue.architectures() else None


def _of_repository(name: str) -> Iterator[str]:
    wanted = name.lower().rstrip("/")
    for architecture in catalogue.architectures() if "/" in wanted else ():
        for tag in catalogue.tags(architecture):
            if catalogue.repository(architecture, tag).lower() == wanted and (spec := _tagged(architecture, tag)):
                yield spec
