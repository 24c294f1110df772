"""Manifest of an exported folder: which files it has, and how pictures and texts reach the graphs."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mmbench.adapters.shared import known_keys
from mmbench.adapters.shared.known_keys import KnownKeys
from mmbench.adapters.shared.preparation import Preparation
from mmbench.harness.errors import UsageError

NAME = "mmbench-onnx.json"
PREPARATION = "preprocessing.json"
TOKENIZER = "tokenizer.json"
IMAGE = "image.onnx"
TEXT = "text.onnx"
SCHEMA = 1
EMBEDDING, FEATURES = "output_embedding", "output_features"
"""Names of the graphs' outputs, which no value inside a graph has: there they are named after layers."""

_File = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Finite = Annotated[float, Field(ge=-1e6, le=1e6)]


class Image(KnownKeys):
    """The graph of pictures: (n, 3, height, width) float32 numbers to (n, d) vectors."""

    features: bool
    """Whether a second output has the (n, e) vectors before the projection."""


class Text(KnownKeys):
    """The graph of texts: (n, length) token ids to (n, d) vectors."""

    steps: list[Literal["mend", "unescape", "punctuation", "lower", "whitespace"]]
    """How a text is cleaned before it is split, in order."""
    context: Annotated[int, Field(ge=1, le=1_000_000)]
    """Most tokens of a text."""
    padding: Annotated[int, Field(ge=0)] | None
    """Token that fills a text up; None: its own last one, an end token, of which such models read the first."""
    length: Literal["longest", "context"]
    """How far texts are filled up: to the longest of a batch, or always to the context."""
    mask: bool
    """Whether the graph is told by a second input which tokens are no padding."""


class Manifest(KnownKeys):
    """Everything of the folder that is no file of its own."""

    schema_: Literal[1] = Field(alias="schema")
    source: str
    """Label of the model that was exported."""
    made_with: dict[str, str]
    """Releases of the libraries that made it."""
    image: Image
    text: Text
    logit_scale: _Finite | None
    logit_bias: _Finite
    files: dict[_File, _Digest]
    """Every other file, with the digest of its content."""


def read(folder: Path) -> Manifest:
    """Return the manifest of a folder. Raises FileNotFoundError, and UsageError for one that makes no sense."""
    file = folder / NAME
    content = known_keys.read(file)
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise UsageError(f"{file}: written by a later mmbench (schema {schema}); update mmbench, or export it again")
    known_keys.check(Manifest, content, file, "export it again by mmbench export-onnx")
    found = Manifest.model_validate(content)
    for name in (IMAGE, TEXT, TOKENIZER, PREPARATION):
        if name not in found.files:
            raise UsageError(f"{file}: lists no {name}, which every exported folder has; export it again")
    return found


def preparation(folder: Path) -> Preparation:
    """Return how pictures are prepared. Raises UsageError."""
    file = folder / PREPARATION
    try:
        content = known_keys.read(file)
    except FileNotFoundError as error:
        raise UsageError(f"{file}: is not there; export the folder again") from error
    known_keys.check(Preparation, content, file, "export it again by mmbench export-onnx")
    return Preparation.model_validate(content)
