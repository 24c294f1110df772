"""Configuration files of others: known keys of known types within bounds pass, and any other is refused by its name."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.regular import read_regular
from mmbench.harness.render.plain import plain

_MOST_BYTES = 1_000_000


class KnownKeys(BaseModel):
    """A section of a configuration: its fields are all keys that are read, each with its type and bounds.

    An adapter lists the keys that it knows to be harmless. Whatever else a library would take, code to run or a size
    that fills the memory, is then no key.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())


def read(file: Path, most: int = _MOST_BYTES) -> Any:
    """Return the JSON value of a file of at most so many bytes. Raises FileNotFoundError, and UsageError naming it."""
    try:
        text = read_regular(file, most).decode("utf-8")
        if text.startswith("version https://git-lfs"):
            raise UsageError(f"{file}: a pointer of Git LFS, not the file; fetch what it stands for by git lfs pull")
        return json.loads(text)  # NaN passes, so that its key can be named
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file}: cannot be read ({error})") from error


def check(schema: type[KnownKeys], content: object, file: Path, whole: str) -> None:
    """Raise UsageError for a key that a schema does not know, or that has another type or is out of bounds.

    `whole` says what every such file has, for one that lacks a part.
    """
    try:
        schema.model_validate(content)
    except ValidationError as error:
        wrong = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        raise UsageError(f"{file}: {_reason(schema, wrong, whole)}") from error


def _reason(schema: type[KnownKeys], wrong: Any, whole: str) -> str:
    # Between the keys of the file pydantic names the types that it tried, which are no words of a person.
    extra = wrong["type"] == "extra_forbidden"
    *above, last = wrong["loc"] or ("",)
    at = [str(part) for part in above if isinstance(part, int) or str(part).isidentifier()]
    if extra or isinstance(last, int) or str(last).isidentifier():
        at.append(str(last))  # a key that nobody knows may be any text
    section, known = _section(schema, at)
    name = ".".join(at[: section + 1]) or "the file"
    if extra:
        hint = nearest(at[-1], known) or f"; known are {', '.join(known)}"
        return f"'{_cut('.'.join(at))}' is not a key that is read from a folder{hint if len(hint) < 200 else ''}"
    if wrong["type"] == "missing":
        return f"needs {'.'.join(at)}; {whole}"
    return f"'{_cut(name)}': {wrong['msg'][:1].lower()}{wrong['msg'][1:]}, not {_cut(repr(wrong['input']))}"


def _section(schema: type[KnownKeys], at: list[str]) -> tuple[int, list[str]]:
    """Return how many parts of a place are sections, and the keys of the last one."""
    model: type[BaseModel] = schema
    for depth, key in enumerate(at):
        field = model.model_fields.get(key)
        inner = _types(field.annotation) if field is not None else []
        if not inner or depth == len(at) - 1:
            return depth, list(model.model_fields)
        model = inner[0]
    return max(len(at) - 1, 0), list(model.model_fields)


def _types(annotation: Any) -> list[type[BaseModel]]:
    tried = [annotation, *getattr(annotation, "__args__", ())]
    return [each for each in tried if isinstance(each, type) and issubclass(each, BaseModel)]


def _cut(text: str) -> str:
    return plain(text, 80)
