"""A shelf of small data sets with the schemas of real ones, put where the hub's cache would hold them."""

import base64
import fnmatch
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from mmbench.harness.hub import listing
from mmbench.harness.hub.repository import MAIN

SCHEMAS = Path(__file__).parent / "schemas"
UNPINNED = "c" * 40
"""Commit for which the main branch stands, where an entry names none."""
EMPTY = "e" * 40
"""Commit of a repository that holds nothing that is read, as where a program makes the rows."""
ROWS = 6

_numbers = count(1)


@cache
def schemas() -> list[dict[str, Any]]:
    """Return every schema: `sets` (ids of the hub, with `*`), `files`, `rows`, `branch` (where the files are, if not on
    the main one).

    A file is a list of lines, or columns: a list of values, which are repeated; `image`; `mask`; `base64`; `no-image`;
    `video`; `{images: N}`; `{labels: N}` or `{labels: [NAME, …]}`, a ClassLabel; `{label lists: [NAME, …]}`, lists of
    such; `{range: N}`, integers; `{type: int32, values: […]}`. In tar files a column is an ending, and may be
    `{array: …}` or `{arrays: […]}`.
    """
    found = []
    for file in sorted(SCHEMAS.glob("*.yaml")):
        found += yaml.load(file.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return found


def schema_of(name: str) -> dict[str, Any]:
    """Return the one schema of a data set of the hub: that which names it, else the one whose pattern it is."""
    found = [each for each in schemas() if name in each["sets"]]
    found = found or [each for each in schemas() if any(fnmatch.fnmatchcase(name, one) for one in each["sets"])]
    assert len(found) == 1, f"{name} has {len(found)} schemas in {SCHEMAS}, expected one"
    return found[0]


@dataclass
class Shelf:
    """The folder that is the hub's cache, and what was put there."""

    folder: Path
    held: set[tuple[str, str]] = field(default_factory=set)
    made: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    """Schema to the files made of it: sets of one schema share their rows."""

    def put(self, name: str, revision: str | None) -> None:
        """Put the data set of this name where a run finds it, once."""
        commit = revision or UNPINNED
        if (name, commit) in self.held:
            return
        schema = schema_of(name)
        key = json.dumps(schema, sort_keys=True, default=str)
        if key not in self.made:
            self.made[key] = files_of(schema)
        snapshot = self.folder / f"datasets--{name.replace('/', '--')}" / "snapshots" / commit
        told = {}
        for path, content in self.made[key].items():
            file = snapshot / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            told[path] = (len(content), hashlib.sha256(content).hexdigest())
        listing.remember(name, listing.checked(name, commit, told))
        if "branch" in schema:
            listing.remember_commit(name, schema["branch"], commit)
            listing.remember(name, listing.Listing(EMPTY, {}))
            listing.remember_commit(name, MAIN, EMPTY)
        elif revision is None:
            listing.remember_commit(name, MAIN, commit)
        self.held.add((name, commit))


def files_of(schema: Mapping[str, Any]) -> dict[str, bytes]:
    """Return path to content of the files of a schema."""
    made = {}
    shards = count()
    for path, columns in schema["files"].items():
        if path.endswith(".parquet"):
            made[path] = _parquet(columns, schema.get("rows", ROWS))
        elif path.endswith(".tar"):
            made[path] = _tar(columns, schema.get("rows", ROWS), next(shards))
        else:
            made[path] = ("\n".join(map(str, columns)) + "\n").encode()
    return made


def _parquet(columns: Mapping[str, Any], rows: int) -> bytes:
    arrays, features = {}, {}
    for name, given in columns.items():
        arrays[name], features[name] = _column(given, rows)
    table = pa.table(arrays)
    told = {name: feature for name, feature in features.items() if feature is not None}
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": told}})})
    file = io.BytesIO()
    pq.write_table(table, file, compression="none")
    return file.getvalue()


def _column(given: Any, rows: int) -> tuple[pa.Array, Any]:
    """Return the cells of a column, and what the `datasets` library would write of it."""
    if given in ("image", "mask"):
        made = [_cell() if given == "image" else {"bytes": _white(), "path": None} for _ in range(rows)]
        return pa.array(made, _IMAGE), {"_type": "Image"}
    if given == "video":
        return pa.array([{"bytes": clip(), "path": None} for _ in range(rows)], _IMAGE), {"_type": "Video"}
    if given == "base64":
        return pa.array([base64.b64encode(_picture()).decode() for _ in range(rows)]), None
    if given == "no-image":
        return pa.array([None] * rows, _IMAGE), {"_type": "Image"}
    if isinstance(given, dict) and "images" in given:
        cells = [[_cell() for _ in range(given["images"])] for _ in range(rows)]
        return pa.array(cells, pa.list_(_IMAGE)), {"_type": "List", "feature": {"_type": "Image"}}
    if isinstance(given, dict) and "labels" in given:
        names = given["labels"] if isinstance(given["labels"], list) else list(_named(given["labels"]))
        labels = pa.array([n % len(names) for n in range(rows)], pa.int64())
        return labels, {"_type": "ClassLabel", "names": names}
    if isinstance(given, dict) and "label lists" in given:
        names = given["label lists"]
        cells = [sorted({n % len(names), n // len(names) % len(names)}) for n in range(rows)]
        feature = {"_type": "List", "feature": {"_type": "ClassLabel", "names": names}}
        return pa.array(cells, pa.list_(pa.int64())), feature
    if isinstance(given, dict) and "range" in given:
        return pa.array([n % given["range"] for n in range(rows)], pa.int64()), None
    if isinstance(given, dict) and "values" in given:
        return pa.array(_repeated(given["values"], rows), pa.type_for_alias(given["type"])), None
    assert isinstance(given, list), f"{given!r} is no column"
    return pa.array(_repeated(given, rows)), None


def _tar(columns: Mapping[str, Any], rows: int, shard: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for row in range(rows):
            for ending, given in columns.items():
                content = _member(given, row)
                member = tarfile.TarInfo(f"s{shard * rows + row:07d}.{ending}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def _member(given: Any, row: int) -> bytes:
    if given == "image":
        return _picture()
    if isinstance(given, dict) and "range" in given:
        return str(row % given["range"]).encode()
    if isinstance(given, dict):
        array = io.BytesIO()
        np.save(array, np.array(given["array"] if "array" in given else given["arrays"][row % len(given["arrays"])]))
        return array.getvalue()
    return str(given[row % len(given)]).encode()


_IMAGE = pa.struct({"bytes": pa.binary(), "path": pa.string()})


def _cell() -> dict[str, Any]:
    return {"bytes": _picture(), "path": None}


def _picture() -> bytes:
    """Return a PNG that no other of this process is like."""
    file = io.BytesIO()
    _drawn(2).save(file, "PNG", compress_level=0)
    return file.getvalue()


def _white() -> bytes:
    """Return a mask that is set everywhere."""
    file = io.BytesIO()
    PIL.Image.new("L", (2, 2), 255).save(file, "PNG")
    return file.getvalue()


def clip() -> bytes:
    """Return a clip of two frames, neither of which any other of this process is like."""
    file = io.BytesIO()
    _drawn(8).save(file, "GIF", save_all=True, append_images=[_drawn(8)], duration=40)
    return file.getvalue()


def _drawn(size: int) -> PIL.Image.Image:
    n = next(_numbers)
    return PIL.Image.new("RGB", (size, size), (n % 256, n // 256 % 256, n // 65536))


def _named(count: int) -> Iterator[str]:
    return (f"thing {n}" for n in range(count))


def _repeated(values: Sequence[Any], rows: int) -> list[Any]:
    return [values[row % len(values)] for row in range(rows)]
