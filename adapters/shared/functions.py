"""Functions in memory: which globals they read, as far as these are a person's and no package's."""

import dis
import sysconfig
import types
from functools import cache
from pathlib import Path


@cache
def _folders() -> tuple[Path, ...]:
    names = ("stdlib", "platstdlib")
    return tuple(Path(sysconfig.get_path(name)).resolve() for name in names)


@cache
def installed(file: str) -> bool:
    """Tell whether a file belongs to Python or to an installed package."""
    if file.startswith("<frozen") or {"site-packages", "dist-packages"} & {*Path(file).parts}:
        return True
    return any(folder in Path(file).resolve().parents for folder in _folders())


def globals_read(function: types.FunctionType) -> dict[str, object]:
    """Return the globals that a person's function reads; of an installed one, those that a person has put there."""
    there = function.__globals__
    if installed(function.__code__.co_filename):
        names = {name for name in function.__code__.co_names if isinstance(there.get(name), types.FunctionType)}
        return {name: there[name] for name in names if not installed(there[name].__code__.co_filename)}
    read: dict[str, object] = {}
    for code in _codes(function.__code__):
        for each in dis.get_instructions(code):
            if each.opname in ("LOAD_GLOBAL", "LOAD_NAME") and each.argval in there:
                read[each.argval] = there[each.argval]
        for module in [part for part in read.values() if isinstance(part, types.ModuleType)]:
            if not installed(str(getattr(module, "__file__", None) or "<frozen")):
                own = {name: vars(module)[name] for name in code.co_names if name in vars(module)}
                read.update({f"{module.__name__}.{name}": part for name, part in own.items()})
    return read


def _codes(code: types.CodeType) -> list[types.CodeType]:
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return [code, *(each for part in inner for each in _codes(part))]
