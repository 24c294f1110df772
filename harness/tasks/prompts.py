"""Prompt variants: how a family of models is asked in place of a benchmark's own prompt, each a protocol of its own."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mmbench.harness.errors import DataError

OFFICIAL = "official"
"""What the prompt of the task itself is called where one is chosen by name."""
PROMPTS = "prompts"
"""The key of a task file."""
_MARK = "+"
_YAML = (".yaml", ".yml")
_CHANGED = ("prompt", "marks", "generation")
"""The keys of a task that a variant may have otherwise."""


class PromptVariant(BaseModel):
    """Another wording of the same questions; `marks` and `generation` are the task's own where it has none."""

    model_config = ConfigDict(extra="forbid")

    prompt: str
    marks: Any = None
    generation: Any = None
    prompt_source: str = ""
    """Where it was read."""

    def keys_of(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keys of a task file with those of this variant in their place."""
        own = {name: each for name in _CHANGED if (each := getattr(self, name)) is not None}
        return {**content, **own}


Variant = Annotated[
    PromptVariant, BeforeValidator(lambda given: {"prompt": given} if isinstance(given, str) else given)
]
Prompts = dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$", max_length=40)], Variant]
"""Name of a variant, as a rule of the models that are asked by it, to what it changes; a text is its prompt."""


def check_names(prompts: Prompts) -> None:
    """Raise DataError for a variant that is called as what is none."""
    if OFFICIAL in prompts:
        raise DataError(f"`{PROMPTS}`: '{OFFICIAL}' is the key `prompt` itself; give the variant another name")


def worded(name: str, prompt: str) -> str:
    """Return how a task is called when it is asked by a variant of its prompt.

    >>> worded("vqav2_val", "llava")
    'vqav2_val+llava'
    """
    return f"{name}{_MARK}{prompt}"


def official(name: str, prompt: str) -> str:
    """Return how the task is called that is asked by the benchmark's own prompt.

    >>> official("vqav2_val+llava", "llava"), official("a+b", "")
    ('vqav2_val', 'a+b')
    """
    return name.removesuffix(f"{_MARK}{prompt}") if prompt else name


def parted(name: str, known: Callable[[str], bool]) -> tuple[str, str | None]:
    """Return the name of a task or its file, and the variant of its prompt that stands behind it.

    `known` tells whether the catalogue has a name, which may hold the mark itself.

    >>> names = {"vqav2_val", "a+b"}.__contains__
    >>> parted("vqav2_val+llava@1", names), parted("my.yaml+llava", names), parted("a+b@1", names)
    (('vqav2_val@1', 'llava'), ('my.yaml', 'llava'), ('a+b@1', None))
    """
    if name.endswith(_YAML) or known(name.partition("@")[0]):
        return name, None
    stem, mark, rest = name.rpartition(_MARK)
    if stem.endswith(_YAML):
        return stem, rest
    prompt, at, version = rest.partition("@")
    return (f"{stem}{at}{version}", prompt) if mark and known(stem) else (name, None)
