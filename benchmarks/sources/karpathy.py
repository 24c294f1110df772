"""Karpathy's splits of COCO, Flickr30k and Flickr8k: `dataset_coco.json`, `dataset_flickr30k.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from mmbench.benchmarks.sources.annotations import Annotations, AnnotationsSpec, Told, part, read_document, records
from mmbench.harness.tasks.source import Cell


class KarpathySpec(AnnotationsSpec):
    """The keys of a source of Karpathy's splits."""

    most_captions: int | None = Field(default=None, ge=1)
    """Captions of a picture that are kept, the first ones: 5 for the 25,000 of COCO's test pictures, of which some have
    more; None: all."""


class Karpathy(Annotations):
    """A row for each picture, in the order of the document.

    Columns: `id` (`cocoid`, else `imgid`), `image` (`filepath/filename`), `captions` (the sentences as they were
    written) and `split`: `train`, `val`, `test` and, in COCO, `restval`, which most papers train on as well.
    """

    Spec: ClassVar[type[AnnotationsSpec]] = KarpathySpec
    kind: ClassVar[str] = "karpathy"

    @classmethod
    def told(cls, spec: KarpathySpec, base: Path, file: Path) -> Told:  # noqa: ARG003 - all is in the document
        """Read pictures and captions. Raises DataError."""
        images = records(read_document(file), "images", file, "pictures as Karpathy lists them")
        cells: list[Mapping[str, Cell]] = []
        for number, image in enumerate(images):
            where = f"{file.name} item {number}"
            folder = image.get("filepath")
            name = str(part(image, "filename", where))
            sentences = records(image, "sentences", file, f"captions of item {number}")
            cells.append(
                {
                    "id": str(image["cocoid"] if image.get("cocoid") is not None else part(image, "imgid", where)),
                    "image": f"{folder}/{name}" if folder else name,
                    "captions": [part(each, "raw", f"{where}, sentence") for each in sentences][: spec.most_captions],
                    "split": part(image, "split", where),
                }
            )
        return Told(cells)
