"""Annotations of COCO (captions, instances) and of what is written as they are: LVIS, Flickr30k, Objects365, NoCaps."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from mmbench.benchmarks.sources.annotations import (
    Annotations,
    AnnotationsSpec,
    Told,
    by_key,
    part,
    read_document,
    records,
)
from mmbench.benchmarks.sources.cells import is_number, shown
from mmbench.harness.digest import Json
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Cell

_ADDRESS = "coco_url"
_CORNERS = 4


class Coco(Annotations):
    """A row for each picture, in the order of the document.

    Columns: `id` (the picture's), `image`, what else the document says of it (`width`, `height`, …) and, as far as
    there are annotations of the kind, `captions` (a list), `labels` (the different categories, in the document's order)
    and `objects`: records of `label`, `box` (x1, y1, x2, y2 in pixels, where the document has x, y, width and height),
    `area` and `crowd` (true: a group that is not counted). A picture that nobody annotated has empty lists.
    """

    kind: ClassVar[str] = "coco"

    @classmethod
    def told(cls, spec: AnnotationsSpec, base: Path, file: Path) -> Told:  # noqa: ARG003 - all is in the document
        """Read pictures, captions and objects. Raises DataError."""
        document = read_document(file)
        images = records(document, "images", file, "pictures as COCO lists them")
        by_id = by_key(images, "id", f"{file.name}: picture")
        written = records(document, "annotations", file, "captions or objects as COCO lists them")
        categories = _categories(document, file)
        captions: defaultdict[str, list[Cell]] = defaultdict(list)
        objects: defaultdict[str, list[dict[str, Cell]]] = defaultdict(list)
        for number, each in enumerate(written):
            where = f"{file.name}: annotation {number}"
            image = str(part(each, "image_id", where))
            if image not in by_id:
                raise DataError(f"{where} is of the picture {image}, which the document does not list")
            if "caption" in each:
                captions[image].append(each["caption"])
            elif "category_id" in each:
                objects[image].append(_object(each, categories, where))
            else:
                raise DataError(f"{where} has neither a 'caption' nor a 'category_id'")
        order = {name: place for place, name in enumerate(categories.values())}

        def cells(name: str, image: Mapping[str, Json]) -> dict[str, Cell]:
            made: dict[str, Cell] = {**image, "id": name, "image": _file(image, f"{file.name}: picture {name}")}
            if captions:
                made["captions"] = captions[name]
            if categories:
                made["labels"] = sorted({each["label"] for each in objects[name]}, key=order.__getitem__)
                made["objects"] = objects[name]
            return made

        return Told([cells(name, image) for name, image in by_id.items()], {"labels": tuple(order)} if order else {})


def _file(image: Mapping[str, Json], where: str) -> str:
    """Return the path of a picture within the folder; LVIS tells it by an address that ends in it."""
    if image.get("file_name") is None and isinstance(image.get(_ADDRESS), str):
        return str(image[_ADDRESS]).rpartition("/")[2]
    return str(part(image, "file_name", where))


def _categories(document: Json, file: Path) -> dict[str, str]:
    if not isinstance(document, Mapping) or not document.get("categories"):
        return {}
    found = by_key(records(document, "categories", file, "names"), "id", f"{file.name}: category")
    names = {key: str(part(each, "name", f"{file.name}: category {key}")) for key, each in found.items()}
    twice = next((name for name in names.values() if [*names.values()].count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{file.name}: two categories are called '{twice}', expected different names")
    return names


def _object(each: Mapping[str, Json], categories: Mapping[str, str], where: str) -> dict[str, Cell]:
    category = str(each["category_id"])
    if category not in categories:
        raise DataError(f"{where} is of the category {category}, which the document does not list")
    return {
        "label": categories[category],
        "box": _corners(each.get("bbox"), where),
        "area": each.get("area"),
        "crowd": bool(each.get("iscrowd", 0)),
    }


def _corners(box: Json, where: str) -> list[float] | None:
    if box is None:
        return None
    if not isinstance(box, list) or len(box) != _CORNERS or not all(map(is_number, box)):
        raise DataError(f"{where} has the box {shown(box)}, expected [x, y, width, height]")
    x, y, width, height = (float(side) for side in box)
    if width < 0 or height < 0:
        raise DataError(f"{where} has the box {shown(box)} of negative size, expected [x, y, width, height]")
    return [x, y, x + width, y + height]
