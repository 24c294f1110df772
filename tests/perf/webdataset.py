"""50,000 pictures in tar shards must begin within a CPU second, in constant memory, at 0.9 of a bare rate.

Run as `python tests/perf/webdataset.py`: bare is Python's `tarfile` and Pillow from bytes to RGB. The pictures and the
claims are those of `hub_parquet.py`. Exits 1 when a claim is missed.
"""

import io
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
from hub_parquet import DECODED, judged, table

from mmbench.benchmarks.sources.webdataset import WebDataset

ROWS, SHARDS = 50_000, 10


def written(folder: Path, rows: int, size: int, shards: int) -> Path:
    """Write so many square pictures with their labels as shards; return their folder."""
    folder.mkdir()
    held = [cell["bytes"] for cell in table(100, size)["image"].to_pylist()]
    for shard in range(shards):
        with tarfile.open(folder / f"{shard:05}.tar", "w") as archive:
            for number in range(shard * rows // shards, (shard + 1) * rows // shards):
                for ending, data in (("jpg", held[number % 100]), ("cls", b"%d" % (number % 10))):
                    member = tarfile.TarInfo(f"{number:08}.{ending}")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
    return folder


def bare(folder: Path) -> Iterator[None]:
    """Decode with nothing between."""
    for shard in sorted(folder.iterdir()):
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                data = archive.extractfile(member)
                if data is not None and member.name.endswith(".jpg"):
                    PIL.Image.open(io.BytesIO(data.read())).convert("RGB")
                    yield


def main() -> int:
    """Print the figures; return the exit status."""
    with tempfile.TemporaryDirectory() as name:
        small = written(Path(name) / "small", ROWS, 96, SHARDS)
        large = written(Path(name) / "large", DECODED, 224, 1)
        good = judged(
            "webdataset", lambda: WebDataset(small, None), WebDataset(large, None), lambda: bare(large), rows=ROWS
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
