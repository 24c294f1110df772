"""Two towers in a folder, whoever exported them: their files, how their graphs are fed, and what identifies them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.adapters.onnx import manifest
from mmbench.adapters.onnx.manifest import Text
from mmbench.adapters.shared import hub
from mmbench.adapters.shared.preparation import Preparation
from mmbench.harness.digest import Json
from mmbench.harness.errors import UsageError
from mmbench.harness.regular import regular


@dataclass(frozen=True, slots=True)
class Tower:
    """One graph, and the names of what goes in and comes out."""

    graph: Path
    inputs: Mapping[str, str]
    """Kind of each input by its name: `pixels`, `ids` or `mask`."""
    outputs: tuple[str, ...]
    """Name of the vectors, and of those before the projection where there are such."""
    optional: Mapping[str, str] = field(default_factory=dict)
    """Kinds of inputs that the graph may have besides."""


@dataclass(frozen=True, slots=True)
class Towers:
    """All that the adapter runs; nothing is loaded."""

    folder: Path
    image: Tower
    text: Tower
    preparation: Preparation
    tokenizer: Path
    texts: Text
    scale: float | None
    """Factor of the cosines; None where the folder does not tell."""
    bias: float | None
    """Added to the scaled cosines; None where the folder does not tell."""
    files: Mapping[str, Path]
    """Every file that answers depend on, by its name in the folder."""
    digests: Mapping[str, str] | None
    """What the files' digests must be; None where nobody wrote them down."""
    notes: tuple[str, ...]
    """What a reader of the scores should know."""

    @property
    def beside(self) -> frozenset[str]:
        """Names of the files that may hold weights, beside each graph."""
        return frozenset(Path(name).name for name in self.files)

    def identity(self) -> dict[str, Json]:
        """Return what tells these towers from others, wherever they lie. Raises UsageError for a damaged folder."""
        found = {name: _digest(file) for name, file in self.files.items()}
        if self.digests is not None:
            changed = [name for name in found if found[name] != self.digests[name]]
            if changed:
                raise UsageError(
                    f"{self.folder}: {', '.join(changed)} changed since the export, by its digest in {manifest.NAME}; "
                    f"copy the folder anew, or export it again"
                )
        return {
            "files": found,
            "preparation": self.preparation.model_dump(),
            "texts": self.texts.model_dump(),
            "outputs": [self.image.outputs, self.text.outputs],
        }


def exported(folder: Path) -> Towers:
    """Return the towers of a folder that `mmbench export-onnx` wrote. Raises FileNotFoundError and UsageError."""
    found = manifest.read(folder)
    files = {name: folder / name for name in found.files}
    for name, file in files.items():
        _check_there(file, f"{manifest.NAME} lists {name}; copy the whole folder, or export it again")
    masked = {"mask": "mask"} if found.text.mask else {}
    return Towers(
        folder=folder,
        image=Tower(
            files[manifest.IMAGE],
            {"pixels": "pixels"},
            (manifest.EMBEDDING, *([manifest.FEATURES] if found.image.features else [])),
        ),
        text=Tower(files[manifest.TEXT], {"ids": "ids", **masked}, (manifest.EMBEDDING,)),
        preparation=manifest.preparation(folder),
        tokenizer=files[manifest.TOKENIZER],
        texts=found.text,
        scale=found.logit_scale,
        bias=found.logit_bias,
        files=files,
        digests=found.files,
        notes=(f"exported to ONNX from {found.source}",),
    )


def _check_there(file: Path, else_: str) -> None:
    try:
        regular(file)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}; {else_}") from error


def _digest(file: Path) -> str:
    try:
        return hub.content_digest(file)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror or error})") from error
