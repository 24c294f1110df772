"""Identity of objects in memory: values by content, functions by their code, everything else by what it is made of."""

import enum
import logging
import re
import struct
import sys
import threading
import types
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import PurePath
from typing import Any

import numpy as np

from mmbench.adapters.shared.functions import globals_read, installed
from mmbench.harness.digest import digest_bytes

_PLAIN = {type(None), bool, int, float, complex, str, bytes, type(...), range}
_PASSED_OVER = (logging.Logger, weakref.ref, type(threading.Lock()), type(threading.RLock()))
"""Parts that change no answer."""
_WRAPPED = (property, staticmethod, classmethod)
_HEAP = 1 << 9
"""Flag of a class that Python code made."""

StandIn = Callable[[object], object | None]


def identify(value: object, stand_in: StandIn = lambda value: None) -> tuple[str, list[str]]:
    """Return the digest of an object, equal in every process, and the places of what cannot be identified.

    Functions count by code, constants, defaults and what they close over; those of a person (not of an installed
    package) also by the globals that they read. Modules of torch count by parameters, buffers, hooks and attributes,
    not by gradients and training mode. `stand_in` may give another object to look at in place of one that changes while
    it is used, such as a tokenizer with a cache.
    """
    walk = _Walk(stand_in)
    try:
        return walk.of(value, ""), walk.unknown
    except RecursionError:
        return "", ["nested too deeply"]


class _Walk:
    def __init__(self, stand_in: StandIn) -> None:
        self.unknown: list[str] = []
        self._stand_in = stand_in
        self._known: dict[int, tuple[str, object]] = {}  # with the object, whose id is then given to no other
        self._open: dict[int, int] = {}

    def of(self, value: object, at: str) -> str:
        if type(value) in _PLAIN:
            return digest_bytes(type(value).__name__.encode(), repr(value).encode("utf-8", "surrogatepass"))
        key = id(value)
        if key in self._known:
            return self._known[key][0]
        if key in self._open:
            return f"{len(self._open) - self._open[key]} above"
        self._open[key] = len(self._open)
        try:
            found = self._look(value, at)
        finally:
            del self._open[key]
        self._known[key] = (found, value)
        return found

    def _look(self, value: Any, at: str) -> str:
        for kinds, look in _LOOKS:
            if isinstance(value, kinds):
                return look(self, value, at)
        tensors = _of_torch(value)
        return tensors(self, value, at) if tensors else self._object(value, at)

    def _all(self, kind: str, values: Iterable[tuple[str, object]]) -> str:
        return digest_bytes(kind.encode(), *(part for at, value in values for part in (self.of(value, at).encode(),)))

    def _lacks(self, value: object, at: str) -> str:
        self.unknown.append(f"{at or 'it'} ({type(value).__module__}.{type(value).__qualname__})")
        return "unknown"

    def named(self, kind: str, values: Mapping[str, object], at: str) -> str:
        """Return the digest of attributes, in the order of their names."""
        parts = (part for name in sorted(values) for part in (name, self.of(values[name], f"{at}.{name}".strip("."))))
        return digest_bytes(kind.encode(), *(part.encode() for part in parts))

    def sequence(self, value: Any, at: str) -> str:
        kind = _name(type(value))
        if {*map(type, value)} <= _PLAIN:
            return digest_bytes(kind.encode(), repr([*value]).encode("utf-8", "surrogatepass"))
        return self._all(kind, ((f"{at}[{i}]", each) for i, each in enumerate(value)))

    def mapping(self, value: Any, at: str) -> str:
        kind, keys, values = _name(type(value)), [*value.keys()], [*value.values()]
        if _plain_keys(keys) and {*map(type, values)} <= _PLAIN:
            text = "\n".join(sorted(map(repr, zip(keys, values, strict=True))))
            return digest_bytes(kind.encode(), text.encode("utf-8", "surrogatepass"))
        pairs = sorted(
            self.of(key, f"{at} key") + self.of(each, f"{at}.{str(key)[:40]}".strip("."))
            for key, each in zip(keys, values, strict=True)
        )
        return digest_bytes(kind.encode(), *(pair.encode() for pair in pairs))

    def collection(self, value: Any, at: str) -> str:
        return digest_bytes(b"set", *sorted(self.of(each, f"{at} member").encode() for each in value))

    def member(self, value: Any, at: str) -> str:
        return digest_bytes(_name(type(value)).encode(), str(value.name).encode())

    def array(self, value: Any, at: str) -> str:
        if value.dtype.hasobject:
            return self.sequence(value.ravel().tolist(), at)
        return digest_bytes(b"array", str((value.dtype.str, value.shape)).encode(), value.tobytes())

    def nothing(self, value: object, at: str) -> str:
        return _name(type(value))

    def path(self, value: object, at: str) -> str:
        return digest_bytes(b"path", str(value).encode())

    def pattern(self, value: Any, at: str) -> str:
        return self.sequence(["pattern", value.pattern, value.flags], at)

    def wrapped(self, value: Any, at: str) -> str:
        parts = (value.fget, value.fset) if isinstance(value, property) else (value.__func__,)
        return self._all(_name(type(value)), ((at, part) for part in parts))

    def partial(self, value: Any, at: str) -> str:
        return self._all("partial", ((f"{at}.{n}", getattr(value, n)) for n in ("func", "args", "keywords")))

    def method(self, value: Any, at: str) -> str:
        return self._all("method", ((at, value.__func__), (at, value.__self__)))

    def builtin(self, value: Any, at: str) -> str:
        owner = getattr(value, "__self__", None)
        name = f"{getattr(value, '__module__', None)}.{value.__qualname__}"
        return digest_bytes(name.encode(), b"" if isinstance(owner, types.ModuleType) else self.of(owner, at).encode())

    def module(self, value: Any, at: str) -> str:
        return digest_bytes(b"module", str(value.__name__).encode())

    def function(self, value: Any, at: str) -> str:
        parts: dict[str, object] = {"defaults": value.__defaults__, "keywords": value.__kwdefaults__}
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            try:
                parts[f"closure.{name}"] = cell.cell_contents
            except ValueError:
                continue  # not filled yet
        for name, read in globals_read(value).items():
            parts[f"global.{name}"] = read
        return digest_bytes(self.of(value.__code__, at).encode(), self.named("function", parts, at).encode())

    def code(self, value: Any, at: str) -> str:
        names = (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
        counts = (value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, value.co_flags)
        parts = (value.co_code, value.co_exceptiontable, names, counts, *value.co_consts)
        return self._all("code", ((at, part) for part in parts))

    def kind(self, value: Any, at: str) -> str:
        """Return the digest of a class: its name, and the code of all that its ancestors define."""
        made = [each for each in value.__mro__ if each.__flags__ & _HEAP]
        own: dict[str, object] = {_name(value): None}
        for each in made:
            for name, part in vars(each).items():
                if isinstance(part, (types.FunctionType, *_WRAPPED)) or _is_constant(each, name, part):
                    own[f"{_name(each)}.{name}"] = part
        return self.named("class", own, at)

    def tensor(self, value: Any, at: str) -> str:
        import torch

        if type(value) not in (torch.Tensor, torch.nn.Parameter):
            return self._lacks(value, at)  # a part of one, or packed in a way of its own
        try:
            flat = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)  # NumPy has no bfloat16
        except (RuntimeError, NotImplementedError, TypeError):
            return self._lacks(value, at)  # sparse, quantised, or without values
        return digest_bytes(f"{value.dtype} {tuple(value.shape)}".encode(), memoryview(flat.numpy()))

    def layers(self, value: Any, at: str) -> str:
        import torch

        own = vars(value)
        if isinstance(value, torch.jit.ScriptModule):
            return self._lacks(value, at)
        parts: dict[str, object] = {name: part for name, part in own.items() if name not in _internals()}
        parts["order"] = [*own["_modules"]]  # in which a Sequential runs them
        for name in ("_parameters", "_buffers", "_modules"):
            parts.update({f"{name}.{key}": part for key, part in own[name].items()})
        for name in ("_forward_pre_hooks", "_forward_hooks"):
            parts[name] = [*own[name].values()]  # whose keys count all hooks of the process
        return digest_bytes(self.of(type(value), at).encode(), self.named("layers", parts, at).encode())

    def _object(self, value: Any, at: str) -> str:
        kind = type(value)
        parts: dict[str, object] = {}
        instead = self._stand_in(value)
        if instead is not None:
            parts["stand-in"] = instead
        elif hasattr(value, "__wrapped__") and not hasattr(value, "__dict__"):
            parts["wrapped"] = value.__wrapped__
        else:
            parts.update(getattr(value, "__dict__", {}))
            for each in kind.__mro__:
                for name, slot in _slots(each):
                    with suppress(AttributeError):  # not filled yet
                        parts[f"{_name(each)}.{name}"] = slot.__get__(value)
            if _hides(kind):
                try:
                    reduced = value.__reduce_ex__(2)
                except Exception:  # whatever a foreign class raises that cannot be saved
                    return self._lacks(value, at)
                parts["reduced"] = reduced if isinstance(reduced, str) else [*reduced[:3], *map(_listed, reduced[3:])]
        return digest_bytes(self.of(kind, at).encode(), self.named("object", parts, at).encode())


_LOOKS: tuple[tuple[Any, Callable[[_Walk, Any, str], str]], ...] = (
    (enum.Enum, _Walk.member),
    ((np.ndarray, np.generic), _Walk.array),
    (_PASSED_OVER, _Walk.nothing),
    (PurePath, _Walk.path),
    (re.Pattern, _Walk.pattern),
    (types.FunctionType, _Walk.function),
    (types.MethodType, _Walk.method),
    ((types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType), _Walk.builtin),
    ((types.MethodDescriptorType, types.ClassMethodDescriptorType), _Walk.nothing),
    (types.CodeType, _Walk.code),
    (types.ModuleType, _Walk.module),
    (type, _Walk.kind),
    (_WRAPPED, _Walk.wrapped),
    (partial, _Walk.partial),
)
_CONTAINERS: tuple[tuple[set[type], Callable[[_Walk, Any, str], str]], ...] = (
    ({list, tuple}, _Walk.sequence),
    ({dict, OrderedDict, types.MappingProxyType}, _Walk.mapping),
    ({set, frozenset}, _Walk.collection),
)


def _of_torch(value: object) -> Callable[[_Walk, Any, str], str] | None:
    for kinds, look in _CONTAINERS:
        if type(value) in kinds:
            return look
    if type(value).__name__ == "Pattern" and hasattr(value, "pattern") and hasattr(value, "flags"):
        return _Walk.pattern  # of the package regex, whose saved form holds more than it was made of
    import torch

    if isinstance(value, torch.Tensor):
        return _Walk.tensor
    if isinstance(value, torch.nn.Module):
        return _Walk.layers
    if isinstance(value, torch.device):
        return _Walk.nothing
    return _Walk.path if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)) else None


@cache
def _internals() -> frozenset[str]:
    import torch

    return frozenset(vars(torch.nn.Module())) | {"_compiled_call_impl", "_is_torch_compile"}


def _is_constant(owner: type, name: str, part: object) -> bool:
    """Tell whether a member of a class is a value that its methods may read."""
    if name.startswith(("__", "_abc_", "_member", "_value")) or isinstance(part, types.MemberDescriptorType):
        return False
    if isinstance(part, (types.GetSetDescriptorType, types.MethodDescriptorType)):
        return False
    file = getattr(sys.modules.get(owner.__module__), "__file__", None)
    return type(part) in _PLAIN or file is None or not installed(file)


def _plain_keys(keys: list[Any]) -> bool:
    return all(type(key) in _PLAIN or (type(key) is tuple and {*map(type, key)} <= _PLAIN) for key in keys)


def _slots(kind: type) -> list[tuple[str, Any]]:
    own = vars(kind) if "__slots__" in vars(kind) else {}  # members of classes in C hold addresses
    return [(name, part) for name, part in own.items() if isinstance(part, types.MemberDescriptorType)]


def _hides(kind: type) -> bool:
    """Tell whether code in C keeps more in an object than its attributes, by the measure of Python's own `copyreg`."""
    own = sum(len(_slots(each)) for each in kind.__mro__)
    pointers = (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0) + own
    return kind.__itemsize__ > 0 or kind.__basicsize__ > object.__basicsize__ + pointers * struct.calcsize("P")


def _listed(part: Any) -> object:
    return part if part is None or callable(part) else [*part]


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
