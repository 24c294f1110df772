"""Names that are no model here: the spelling that is meant, or what the name seems to be."""

from contextlib import suppress
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path

from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.registry import ADAPTERS, SPELLINGS, aliases, contained, entries, loaded

_OWN = "a model of your own is given as my_file.py:CLASS, see docs/adapters.md"


def unknown(typed: str) -> str:
    """Return that there is no model of this name, and how one is given that it may mean."""
    known = [] if "/" in typed else [*aliases(), *entries(ADAPTERS)]  # a repository's name is like many others
    said = _spelled(typed) or _seen(typed) or nearest(typed, known) or _kinds(typed) or f"; {_OWN}"
    return f"there is no model '{typed}'{said}; see: mmbench list models{aliases().besides}"


def _kinds(typed: str) -> str:
    kind, colon, _ = typed.partition(":")
    if not colon or "/" in kind:
        return ""
    return f"; '{kind}' is no kind of model, and there are {', '.join(sorted(entries(ADAPTERS)))}"


def _spelled(typed: str) -> str:
    for entry in entries(SPELLINGS).values():
        with suppress(UsageError):  # of a plug-in that is broken nothing is learnt
            spec = contained(partial(_asked, entry, typed), f"spelling '{entry.name}'")
            if spec:
                alias = next((name for name, each in aliases().items() if each.spec == spec), None)
                return f"; write {alias} or {spec}" if alias else f"; write {spec}"
    return ""


def _asked(entry: EntryPoint, typed: str) -> str:
    return str(loaded(entry, "spelling")(typed) or "")


def _seen(typed: str) -> str:
    """Return what stands at a path of this name, or that nothing does."""
    path = Path(typed).expanduser()
    try:
        there = bool(typed) and path.exists()
    except OSError:
        return ""
    if there and path.suffix == ".py":
        return f"; write {typed}:CLASS, the class that is the adapter"
    if there:
        return f"; it is a {'folder' if path.is_dir() else 'file'} that no kind of adapter here knows: {_OWN}"
    if typed.startswith(("/", "./", "../", "~")) or path.suffix in (".pt", ".pth", ".ckpt", ".safetensors", ".bin"):
        return ", and no file of that name"
    return ""
